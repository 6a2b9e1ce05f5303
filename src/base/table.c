/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables for people. Rows are collected, escaped and measured first; printing lays them out. Tree columns keep one bit per
 * ancestor ("was it the last of its siblings?"), from which the lines left of a cell are drawn.
 */
#include "base/table.h"

#include <errno.h>

#include "base/text.h"

enum {
    DOCKER_MIN_WIDTH = 10, /* padding included, as tabwriter counts */
    DOCKER_PADDING = 3,
    SPILL_WIDTH = 100,
    TREE_DEPTH_MAX = 64,
    TEXT_MAX = 1 << 20,
};

struct column {
    char *heading; /* escaped */
    enum cl_column_flags flags;
};

struct cell {
    size_t text;        /* where in `texts` it begins; 0 is empty */
    size_t size, width; /* of it: bytes, and cells of a terminal */
    uint64_t last_bits;
    unsigned depth;
};

struct cl_table {
    enum cl_table_style style;
    struct column *columns;
    size_t column_count;
    struct cell *cells;  /* rows × columns */
    struct cl_buf texts; /* of all cells, escaped, each with its NUL; the first byte is nobody's */
    size_t row_count;
    size_t next;        /* the column that the next cell goes to */
    uint64_t last_bits; /* bit d: the latest tree cell at depth d was the last of its siblings */
};

struct cl_table *cl_table_new(enum cl_table_style style)
{
    struct cl_table *table = cl_calloc(1, sizeof *table);
    if (table != NULL) {
        table->style = style;
        table->texts = (struct cl_buf)CL_BUF_INIT(SIZE_MAX / 4);
    }
    return table;
}

void cl_table_free(struct cl_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->column_count; i++)
        free(table->columns[i].heading);
    cl_buf_done(&table->texts);
    free(table->columns);
    free(table->cells);
    free(table);
}

int cl_table_column(struct cl_table *table, const char *heading, enum cl_column_flags flags)
{
    if (table->row_count > 0)
        return -EINVAL; /* cells are laid out by the number of columns */
    struct column *columns =
        cl_realloc(table->columns, (table->column_count + 1) * sizeof *columns);
    if (columns == NULL)
        return -ENOMEM;
    table->columns = columns;
    char *text = cl_escape_terminal(heading);
    if (text == NULL)
        return -ENOMEM;
    columns[table->column_count++] = (struct column){ .heading = text, .flags = flags };
    return 0;
}

int cl_table_row(struct cl_table *table)
{
    size_t rows = table->row_count, bytes;
    if ((rows & (rows - 1)) == 0) { /* 0, 1, 2, 4, …: the room is full */
        if (!cl_mul_size(rows == 0 ? 1 : rows * 2, table->column_count * sizeof(struct cell),
                         &bytes))
            return -ENOMEM;
        struct cell *cells = cl_realloc(table->cells, bytes);
        if (cells == NULL)
            return -ENOMEM;
        table->cells = cells;
    }
    for (size_t i = 0; i < table->column_count; i++)
        table->cells[rows * table->column_count + i] = (struct cell){ 0 };
    table->row_count++;
    table->next = 0;
    return 0;
}

static int add_cell(struct cl_table *table, const char *text, struct cell **ret)
{
    if (table->row_count == 0 || table->next >= table->column_count)
        return -EINVAL;
    struct cell *cell = &table->cells[(table->row_count - 1) * table->column_count + table->next];
    if (text != NULL) {
        cl_buf_add(&table->texts, "", table->texts.size == 0);
        cell->text = table->texts.size;
        cl_buf_terminal(&table->texts, text);
        cl_buf_add(&table->texts, "", 1);
        if (table->texts.failed != 0)
            return -ENOMEM;
        cell->size = table->texts.size - 1 - cell->text;
        cell->width = cl_text_cells(table->texts.data + cell->text);
    }
    table->next++;
    if (ret != NULL)
        *ret = cell;
    return 0;
}

int cl_table_cell(struct cl_table *table, const char *text)
{
    return add_cell(table, text, NULL);
}

int cl_table_cellf(struct cl_table *table, const char *fmt, ...)
{
    va_list args;
    char stack[256];
    va_start(args, fmt);
    int length = vsnprintf(stack, sizeof stack, fmt, args);
    va_end(args);
    if (length < 0 || length > TEXT_MAX)
        return -ENOMEM;
    if ((size_t)length < sizeof stack)
        return add_cell(table, stack, NULL);
    cl_auto_free char *text = cl_malloc((size_t)length + 1);
    if (text == NULL)
        return -ENOMEM;
    va_start(args, fmt);
    vsnprintf(text, (size_t)length + 1, fmt, args);
    va_end(args);
    return add_cell(table, text, NULL);
}

int cl_table_cell_tree(struct cl_table *table, unsigned depth, bool is_last, const char *text)
{
    struct cell *cell;
    int r = add_cell(table, text, &cell);
    if (r < 0)
        return r;
    if (depth >= TREE_DEPTH_MAX)
        depth = TREE_DEPTH_MAX - 1; /* deeper levels are drawn as this one */
    uint64_t bit = (uint64_t)1 << depth;
    table->last_bits = is_last ? table->last_bits | bit : table->last_bits & ~bit;
    cell->depth = depth;
    cell->last_bits = table->last_bits;
    return 0;
}

/* What is needed while printing. */
struct layout {
    const struct cl_table *table;
    struct cl_buf text; /* of one cell, with its tree art */
    enum cl_table_output output;
    size_t *widths; /* cells, separators not included */
    unsigned width; /* to fit into; 0: unlimited */
    struct cl_buf line;
};

static const char *text_of(const struct cl_table *table, const struct cell *cell)
{
    return cell->text == 0 ? "" : table->texts.data + cell->text;
}

static const struct cell *cell_at(const struct cl_table *table, size_t row, size_t column)
{
    return &table->cells[row * table->column_count + column];
}

static void measure(struct layout *layout)
{
    const struct cl_table *table = layout->table;
    bool has_headings = (layout->output & CL_TABLE_NO_HEADINGS) == 0;
    for (size_t column = 0; column < table->column_count; column++) {
        bool is_tree = (table->columns[column].flags & CL_COLUMN_TREE) != 0;
        bool may_spill =
            layout->width == 0 && (table->columns[column].flags & CL_COLUMN_SPILL) != 0;
        size_t widest = has_headings ? cl_text_cells(table->columns[column].heading) : 0;
        for (size_t row = 0; row < table->row_count; row++) {
            const struct cell *cell = cell_at(table, row, column);
            size_t art = is_tree ? 2 * (size_t)cell->depth : 0;
            size_t cells = art + cell->width;
            if (cells > widest && !(may_spill && cells > SPILL_WIDTH))
                widest = cells;
        }
        if (table->style == CL_TABLE_DOCKER && widest < DOCKER_MIN_WIDTH - DOCKER_PADDING)
            widest = DOCKER_MIN_WIDTH - DOCKER_PADDING;
        layout->widths[column] = widest;
    }
}

static size_t separator_width(const struct cl_table *table)
{
    return table->style == CL_TABLE_DOCKER ? DOCKER_PADDING : 1;
}

/* Take from the widest column that may be cut until the line fits; a column keeps at least one cell. */
static void shrink(struct layout *layout, size_t width)
{
    const struct cl_table *table = layout->table;
    size_t total =
        table->column_count == 0 ? 0 : (table->column_count - 1) * separator_width(table);
    for (size_t i = 0; i < table->column_count; i++)
        total += layout->widths[i];
    while (total > width) {
        size_t widest = SIZE_MAX, second = 1;
        for (size_t i = 0; i < table->column_count; i++) {
            if ((table->columns[i].flags & CL_COLUMN_TRUNCATE) == 0 || layout->widths[i] <= 1)
                continue;
            if (widest == SIZE_MAX || layout->widths[i] > layout->widths[widest])
                widest = i;
        }
        if (widest == SIZE_MAX)
            return;
        for (size_t i = 0; i < table->column_count; i++) {
            bool may_cut = (table->columns[i].flags & CL_COLUMN_TRUNCATE) != 0;
            if (may_cut && i != widest && layout->widths[i] > second)
                second = layout->widths[i];
        }
        /* Down to the next widest at once, then by single cells. */
        size_t step = layout->widths[widest] > second ? layout->widths[widest] - second : 1;
        if (step > total - width)
            step = total - width;
        layout->widths[widest] -= step;
        total -= step;
    }
}

/* What is printed of a cell: in the table's memory, or with its tree art in the layout's until the next one. */
struct drawn {
    const char *text;
    size_t size, width; /* bytes, and cells of a terminal */
};

static void draw_art(struct layout *layout, const struct cell *cell)
{
    static const char *const utf8[] = { "\342\224\202 ", "  ", "\342\224\234\342\224\200",
                                        "\342\224\224\342\224\200" }; /* │, blank, ├─, └─ */
    static const char *const ascii[] = { "| ", "  ", "|-", "`-" };
    const char *const *art = (layout->output & CL_TABLE_ASCII) != 0 ? ascii : utf8;
    for (unsigned depth = 1; depth <= cell->depth; depth++) {
        bool is_last = (cell->last_bits >> depth & 1) != 0;
        cl_buf_str(&layout->text, art[(depth == cell->depth ? 2 : 0) + is_last]);
    }
}

/* row SIZE_MAX: the headings. layout->text.failed says whether there was memory. */
static struct drawn draw(struct layout *layout, size_t row, size_t column)
{
    const struct cl_table *table = layout->table;
    const char *heading = table->columns[column].heading;
    if (row == SIZE_MAX)
        return (struct drawn){ heading, strlen(heading), cl_text_cells(heading) };
    const struct cell *cell = cell_at(table, row, column);
    struct drawn drawn = { text_of(table, cell), cell->size, cell->width };
    bool is_tree = (table->columns[column].flags & CL_COLUMN_TREE) != 0;
    if (!is_tree || cell->depth == 0 || (layout->output & CL_TABLE_RAW) != 0)
        return drawn;
    layout->text.size = 0;
    draw_art(layout, cell);
    cl_buf_add(&layout->text, drawn.text, drawn.size);
    return (struct drawn){ layout->text.data, layout->text.size,
                           2 * (size_t)cell->depth + drawn.width };
}

/* To so many cells at most. */
static void cut(struct drawn *drawn, size_t width)
{
    size_t cells = 0, at = 0;
    if (drawn->width <= width)
        return;
    while (at < drawn->size) {
        uint32_t point = 0;
        size_t used = cl_utf8_decode(drawn->text + at, drawn->size - at, &point);
        size_t more = used == 0 ? 1 : cl_point_cells(point);
        if (cells + more > width)
            break;
        cells += more;
        at += used == 0 ? 1 : used;
    }
    drawn->size = at;
    drawn->width = cells;
}

static void pad(struct cl_buf *line, size_t count)
{
    static const char blanks[] = "                                ";
    for (size_t part; count > 0; count -= part) {
        part = count < sizeof blanks - 1 ? count : sizeof blanks - 1;
        cl_buf_add(line, blanks, part);
    }
}

static void lay_cell(struct layout *layout, size_t column, struct drawn drawn)
{
    const struct cl_table *table = layout->table;
    bool is_final = column + 1 == table->column_count;
    bool is_right = (table->columns[column].flags & CL_COLUMN_RIGHT) != 0;
    bool may_cut = layout->width > 0 && (table->columns[column].flags & CL_COLUMN_TRUNCATE) != 0;
    size_t width = layout->widths[column];
    if (may_cut)
        cut(&drawn, width);
    size_t missing = drawn.width < width ? width - drawn.width : 0;
    if (is_right)
        pad(&layout->line, missing);
    cl_buf_add(&layout->line, drawn.text, drawn.size);
    if (is_final)
        return;
    if (!is_right)
        pad(&layout->line, missing);
    pad(&layout->line, separator_width(table));
}

/* util-linux -r: a blank or backslash inside a cell is written as \xHH, so that the output can be split at blanks. */
static void lay_raw(struct layout *layout, size_t column, const struct drawn *drawn)
{
    if (column > 0)
        cl_buf_char(&layout->line, ' ');
    for (size_t i = 0; i < drawn->size; i++) {
        bool is_escape = drawn->text[i] == '\\' && i + 1 < drawn->size && drawn->text[i + 1] == 'x';
        if (drawn->text[i] == ' ')
            cl_buf_str(&layout->line, "\\x20");
        else if (drawn->text[i] == '\\' && !is_escape)
            cl_buf_str(&layout->line, "\\x5c");
        else
            cl_buf_char(&layout->line, drawn->text[i]);
    }
}

/* row SIZE_MAX: the headings. */
static int print_line(struct layout *layout, size_t row, FILE *out)
{
    const struct cl_table *table = layout->table;
    layout->line.size = 0;
    for (size_t column = 0; column < table->column_count; column++) {
        const struct drawn drawn = draw(layout, row, column);
        if (layout->text.failed != 0)
            return layout->text.failed;
        if ((layout->output & CL_TABLE_RAW) != 0)
            lay_raw(layout, column, &drawn);
        else
            lay_cell(layout, column, drawn);
    }
    cl_buf_char(&layout->line, '\n');
    if (layout->line.failed != 0)
        return layout->line.failed;
    errno = 0;
    if (fwrite(layout->line.data, 1, layout->line.size, out) != layout->line.size)
        return errno != 0 ? -errno : -EIO;
    return 0;
}

static int print_lines(struct layout *layout, FILE *out)
{
    int r = 0;
    measure(layout);
    if (layout->width > 0)
        shrink(layout, layout->width);
    if ((layout->output & CL_TABLE_NO_HEADINGS) == 0)
        r = print_line(layout, SIZE_MAX, out);
    for (size_t row = 0; r >= 0 && row < layout->table->row_count; row++)
        r = print_line(layout, row, out);
    if (r >= 0 && fflush(out) != 0)
        r = -errno;
    return r;
}

int cl_table_print(const struct cl_table *table, FILE *out, enum cl_table_output output,
                   unsigned width)
{
    cl_auto_free size_t *widths = cl_calloc(table->column_count, sizeof *widths);
    if (widths == NULL)
        return -ENOMEM;
    struct layout layout = { .table = table,
                             .text = CL_BUF_INIT(TEXT_MAX * 8),
                             .output = output,
                             .widths = widths,
                             .width = width,
                             .line = CL_BUF_INIT(SIZE_MAX / 4) };
    int r = print_lines(&layout, out);
    cl_buf_done(&layout.line);
    cl_buf_done(&layout.text);
    return r;
}

int cl_print_text(FILE *out, const char *text)
{
    errno = 0;
    bool is_good = fputs(text, out) >= 0 && fputc('\n', out) != EOF && fflush(out) == 0;
    return is_good ? 0 : -(errno == 0 ? EIO : errno);
}
