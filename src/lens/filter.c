/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recursive-descent parser into an array of nodes, and their evaluation. Nodes refer to each other by index, so freeing is one call.
 */
#include "lens/filter.h"

#include <errno.h>
#include <strings.h>

#include "base/regex.h"

enum { TEXT_MAX = 1024, NODES_MAX = 256, DEPTH_MAX = 32, PATTERN_MAX = 256, CELL_MAX = 65536 };

enum op { OP_OR, OP_AND, OP_NOT, OP_EQ, OP_NE, OP_LE, OP_LT, OP_GE, OP_GT, OP_MATCH, OP_NO_MATCH };
enum node_kind { NODE_OP, NODE_COLUMN, NODE_NUMBER, NODE_TEXT };

struct node {
    enum node_kind kind;
    enum op op;
    int left, right; /* NODE_OP; NOT has only left */
    enum lens_column column;
    double number;
    char *text;
    regex_t *pattern; /* OP_MATCH, OP_NO_MATCH */
};

struct lens_filter {
    struct node nodes[NODES_MAX];
    int count, root;
};

void lens_filter_free(struct lens_filter *filter)
{
    if (filter == NULL)
        return;
    for (int i = 0; i < filter->count; i++) {
        free(filter->nodes[i].text);
        if (filter->nodes[i].pattern != NULL)
            regfree(filter->nodes[i].pattern);
        free(filter->nodes[i].pattern);
    }
    free(filter);
}

/* ---- parsing ---- */

struct parser {
    struct lens_filter *filter;
    const char *start, *at;
    struct cl_error *err;
    int depth;
};

static int fail_at(struct parser *parser, const char *what)
{
    return cl_fail_kind(parser->err, CL_KIND_USAGE, EINVAL, "filter: %s at character %zu of '%s'",
                        what, (size_t)(parser->at - parser->start) + 1, parser->start);
}

static int add_node(struct parser *parser, enum node_kind kind)
{
    if (parser->filter->count == NODES_MAX)
        return fail_at(parser, "too many terms");
    parser->filter->nodes[parser->filter->count] = (struct node){ .kind = kind };
    return parser->filter->count++;
}

static bool is_word(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') ||
           (character != '\0' && strchr("_.%:/-", character) != NULL);
}

static const struct {
    const char *sign, *word;
    enum op op;
} operators[] = {
    /* longer signs before their beginnings */
    { "||", "OR", OP_OR }, { "&&", "AND", OP_AND },     { "=~", NULL, OP_MATCH },
    { "==", "EQ", OP_EQ }, { "!~", NULL, OP_NO_MATCH }, { "!=", "NE", OP_NE },
    { "<=", "LE", OP_LE }, { "<", "LT", OP_LT },        { ">=", "GE", OP_GE },
    { ">", "GT", OP_GT },  { "!", "NOT", OP_NOT },
};

/* The operator that comes next, and how long it is; -1: none. */
static int peek_op(struct parser *parser, size_t *ret_length)
{
    parser->at += strspn(parser->at, " \t\n");
    for (size_t i = 0; i < CL_COUNT(operators); i++) {
        const char *word = operators[i].word;
        size_t length = strlen(operators[i].sign);
        if (strncmp(parser->at, operators[i].sign, length) == 0) {
            *ret_length = length;
            return (int)operators[i].op;
        }
        length = word == NULL ? 0 : strlen(word);
        if (length > 0 && strncasecmp(parser->at, word, length) == 0 &&
            !is_word(parser->at[length])) {
            *ret_length = length;
            return (int)operators[i].op;
        }
    }
    return -1;
}

static int parse_or(struct parser *parser);

static int parse_quoted(struct parser *parser)
{
    char quote = *parser->at;
    const char *end = strchr(parser->at + 1, quote);
    if (end == NULL)
        return fail_at(parser, "a text without its closing quote");
    int index = add_node(parser, NODE_TEXT);
    if (index < 0)
        return index;
    struct node *node = &parser->filter->nodes[index];
    node->text = cl_strndup(parser->at + 1, (size_t)(end - parser->at - 1));
    if (node->text == NULL)
        return cl_fail(parser->err, ENOMEM, "parse the filter");
    parser->at = end + 1;
    return index;
}

/* 4K and 4KiB are 4096; 1.5 is itself. */
static int parse_number(struct parser *parser)
{
    static const char units[] = "KMGTPEZY";
    int index = add_node(parser, NODE_NUMBER);
    if (index < 0)
        return index;
    double value = 0, scale = 1;
    const char *at = parser->at;
    for (; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (*at - '0');
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++)
            value += (*at - '0') * (scale /= 10);
    const char *unit = *at == '\0' ? NULL : strchr(units, *at);
    if (unit != NULL) {
        for (const char *step = units; step <= unit; step++)
            value *= 1024;
        at += strncmp(at + 1, "iB", 2) == 0 ? 3 : 1;
    }
    parser->at = at;
    if (is_word(*at))
        return fail_at(parser, "not a number");
    parser->filter->nodes[index].number = value;
    return index;
}

static int parse_word(struct parser *parser)
{
    size_t length = 0;
    while (is_word(parser->at[length]))
        length++;
    bool is_true = length == 4 && strncasecmp(parser->at, "true", 4) == 0;
    bool is_false = length == 5 && strncasecmp(parser->at, "false", 5) == 0;
    if (length == 0)
        return fail_at(parser, "a column, number or text is missing");
    int column = lens_column_by_name(parser->at, length);
    if (column < 0 && !is_true && !is_false)
        return fail_at(parser, "unknown column");
    int index = add_node(parser, column >= 0 ? NODE_COLUMN : NODE_NUMBER);
    if (index < 0)
        return index;
    if (column >= 0)
        parser->filter->nodes[index].column = (enum lens_column)column;
    parser->filter->nodes[index].number = is_true ? 1 : 0;
    parser->at += length;
    return index;
}

static int parse_group(struct parser *parser)
{
    parser->at++;
    int index = parse_or(parser);
    if (index < 0)
        return index;
    parser->at += strspn(parser->at, " \t\n");
    if (*parser->at != ')')
        return fail_at(parser, "a closing parenthesis is missing");
    parser->at++;
    return index;
}

static int parse_value(struct parser *parser)
{
    parser->at += strspn(parser->at, " \t\n");
    char first = *parser->at;
    if (first == '"' || first == '\'')
        return parse_quoted(parser);
    if (first >= '0' && first <= '9')
        return parse_number(parser);
    return first == '(' ? parse_group(parser) : parse_word(parser);
}

static int make_op(struct parser *parser, enum op op, int left, int right)
{
    int index = add_node(parser, NODE_OP);
    if (index < 0)
        return index;
    struct node *node = &parser->filter->nodes[index];
    node->op = op;
    node->left = left;
    node->right = right;
    if (op != OP_MATCH && op != OP_NO_MATCH)
        return index;
    const struct node *pattern = &parser->filter->nodes[right];
    if (pattern->kind != NODE_TEXT || strlen(pattern->text) > PATTERN_MAX)
        return fail_at(parser, "=~ and !~ want a quoted pattern of at most 256 bytes before here,");
    regex_t *compiled = cl_calloc(1, sizeof *compiled);
    if (compiled == NULL)
        return cl_fail(parser->err, ENOMEM, "parse the filter");
    if (cl_regex_compile(compiled, pattern->text) < 0) {
        free(compiled);
        return fail_at(parser, "not a regular expression, or too much of one, before here,");
    }
    node->pattern = compiled;
    return index;
}

static int parse_not(struct parser *parser)
{
    size_t length;
    if (peek_op(parser, &length) != OP_NOT)
        return parse_value(parser);
    if (++parser->depth > DEPTH_MAX)
        return fail_at(parser, "nested too deep");
    parser->at += length;
    int operand = parse_not(parser);
    parser->depth--;
    return operand < 0 ? operand : make_op(parser, OP_NOT, operand, -1);
}

static int parse_comparison(struct parser *parser)
{
    size_t length;
    int left = parse_not(parser);
    while (left >= 0) {
        int op = peek_op(parser, &length);
        if (op < OP_EQ)
            break;
        parser->at += length;
        int right = parse_not(parser);
        left = right < 0 ? right : make_op(parser, (enum op)op, left, right);
    }
    return left;
}

static int parse_and(struct parser *parser)
{
    size_t length;
    int left = parse_comparison(parser);
    while (left >= 0 && peek_op(parser, &length) == OP_AND) {
        parser->at += length;
        int right = parse_comparison(parser);
        left = right < 0 ? right : make_op(parser, OP_AND, left, right);
    }
    return left;
}

static int parse_or(struct parser *parser)
{
    size_t length;
    if (++parser->depth > DEPTH_MAX)
        return fail_at(parser, "nested too deep");
    int left = parse_and(parser);
    while (left >= 0 && peek_op(parser, &length) == OP_OR) {
        parser->at += length;
        int right = parse_and(parser);
        left = right < 0 ? right : make_op(parser, OP_OR, left, right);
    }
    parser->depth--;
    return left;
}

int lens_filter_parse(const char *text, struct lens_filter **ret, struct cl_error *err)
{
    if (strlen(text) > TEXT_MAX)
        return cl_fail_kind(err, CL_KIND_USAGE, E2BIG, "filter: longer than %d bytes", TEXT_MAX);
    CL_AUTO(lens_filter_free) struct lens_filter *filter = cl_calloc(1, sizeof *filter);
    if (filter == NULL)
        return cl_fail(err, ENOMEM, "parse the filter");
    struct parser parser = { .filter = filter, .start = text, .at = text, .err = err };
    int root = parse_or(&parser);
    if (root < 0)
        return root;
    parser.at += strspn(parser.at, " \t\n");
    if (*parser.at != '\0')
        return fail_at(&parser, "an operator is missing");
    filter->root = root;
    *ret = cl_take(filter);
    return 0;
}

unsigned lens_filter_needs(const struct lens_filter *filter)
{
    unsigned needs = 0;
    for (int i = 0; filter != NULL && i < filter->count; i++)
        if (filter->nodes[i].kind == NODE_COLUMN)
            needs |= lens_columns[filter->nodes[i].column].need;
    return needs;
}

/* ---- evaluation ---- */

struct value {
    enum { VALUE_EMPTY, VALUE_NUMBER, VALUE_TEXT } kind;
    bool is_literal;
    bool is_of_text; /* a column of texts, also when it is empty */
    double number;
    const char *text; /* borrowed, or `owned`'s */
    struct cl_buf owned;
};

struct evaluation {
    const struct lens_filter *filter;
    const struct lens_sight *sight;
    const struct lens_row *row;
    int failed;
};

static bool to_number(const char *text, double *ret)
{
    uint64_t number;
    if (cl_parse_u64(text, 0, UINT64_MAX, &number) < 0)
        return false;
    *ret = (double)number;
    return true;
}

static bool evaluate(struct evaluation *evaluation, int index);

/* To be ended with cl_buf_done(&value.owned). */
static struct value value_of(struct evaluation *evaluation, int index)
{
    const struct node *node = &evaluation->filter->nodes[index];
    struct value value = { .kind = VALUE_EMPTY, .owned = CL_BUF_INIT(CELL_MAX) };
    if (node->kind == NODE_COLUMN) {
        const struct lens_column_info *info = &lens_columns[node->column];
        info->fill(evaluation->sight, evaluation->row, &value.owned);
        if (value.owned.failed == -ENOMEM)
            evaluation->failed = -ENOMEM;
        value.is_of_text = !info->is_number;
        if (value.owned.size == 0)
            return value;
        value.text = value.owned.data;
        value.kind =
            info->is_number && to_number(value.text, &value.number) ? VALUE_NUMBER : VALUE_TEXT;
    } else if (node->kind == NODE_TEXT) {
        value.kind = VALUE_TEXT;
        value.text = node->text;
        value.is_literal = true;
    } else {
        value.kind = VALUE_NUMBER;
        value.is_literal = node->kind == NODE_NUMBER;
        value.number =
            node->kind == NODE_NUMBER ? node->number : (double)evaluate(evaluation, index);
    }
    return value;
}

enum { ORDER_UNEQUAL = 2, ORDER_NONE = 3 }; /* neither less nor greater; nothing is true of it */

static int compare_texts(const char *left, const char *right)
{
    if (left == NULL || right == NULL) /* an empty cell comes before every text */
        return (left != NULL) - (right != NULL);
    int order = strcmp(left, right);
    return (order > 0) - (order < 0);
}

static bool is_text(const struct value *value)
{
    return value->kind == VALUE_TEXT || (value->kind == VALUE_EMPTY && value->is_of_text);
}

/* The literal's kind decides; texts that are no numbers equal none. -1, 0, 1, or one of the above. */
static int compare(const struct value *left, const struct value *right)
{
    bool by_text = (left->is_literal && left->kind == VALUE_TEXT) ||
                   (right->is_literal && right->kind == VALUE_TEXT) ||
                   (is_text(left) && is_text(right));
    bool has_number_literal = (left->is_literal && left->kind == VALUE_NUMBER) ||
                              (right->is_literal && right->kind == VALUE_NUMBER);
    if (by_text && has_number_literal)
        return ORDER_UNEQUAL; /* "x" == 1 */
    if (by_text)
        return compare_texts(left->text, right->text);
    if (left->kind == VALUE_EMPTY || right->kind == VALUE_EMPTY)
        return ORDER_NONE;
    double a = left->number, b = right->number;
    if ((left->kind == VALUE_TEXT && !to_number(left->text, &a)) ||
        (right->kind == VALUE_TEXT && !to_number(right->text, &b)))
        return ORDER_UNEQUAL;
    return (a > b) - (a < b);
}

static bool decide(enum op op, int order)
{
    if (order == ORDER_NONE)
        return false;
    switch (op) {
    case OP_EQ:
        return order == 0;
    case OP_NE:
        return order != 0;
    case OP_LT:
        return order == -1;
    case OP_LE:
        return order == -1 || order == 0;
    case OP_GT:
        return order == 1;
    default:
        return order == 1 || order == 0;
    }
}

static bool evaluate_comparison(struct evaluation *evaluation, const struct node *node)
{
    bool result;
    struct value left = value_of(evaluation, node->left);
    if (node->pattern != NULL) {
        const char *text = left.text == NULL ? "" : left.text;
        result = (regexec(node->pattern, text, 0, NULL, 0) == 0) == (node->op == OP_MATCH);
    } else {
        struct value right = value_of(evaluation, node->right);
        result = decide(node->op, compare(&left, &right));
        cl_buf_done(&right.owned);
    }
    cl_buf_done(&left.owned);
    return result;
}

static bool evaluate(struct evaluation *evaluation, int index)
{
    const struct node *node = &evaluation->filter->nodes[index];
    if (node->kind != NODE_OP) {
        struct value value = value_of(evaluation, index);
        bool result = value.kind == VALUE_NUMBER ? value.number != 0
                                                 : value.text != NULL && value.text[0] != '\0';
        cl_buf_done(&value.owned);
        return result;
    }
    if (node->op == OP_NOT)
        return !evaluate(evaluation, node->left);
    if (node->op == OP_AND)
        return evaluate(evaluation, node->left) && evaluate(evaluation, node->right);
    if (node->op == OP_OR)
        return evaluate(evaluation, node->left) || evaluate(evaluation, node->right);
    return evaluate_comparison(evaluation, node);
}

int lens_filter_match(const struct lens_filter *filter, const struct lens_sight *sight,
                      const struct lens_row *row)
{
    struct evaluation evaluation = { .filter = filter, .sight = sight, .row = row };
    bool result = evaluate(&evaluation, filter->root);
    return evaluation.failed < 0 ? evaluation.failed : (int)result;
}
