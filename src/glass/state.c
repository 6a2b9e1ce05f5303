/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursor, filter line, mouse and pager.
 */
#include "glass/state.h"

#include <errno.h>

#include "base/text.h"

enum { DOUBLE_CLICK_MS = 400, WHEEL_LINES = 3 };

/* ---- pager ---- */

void glass_pager_done(struct glass_pager *pager)
{
    free(pager->text);
    free(pager->lines);
    *pager = (struct glass_pager){ 0 };
}

int glass_pager_set(struct glass_pager *pager, char *take_text)
{
    size_t count = 1, bytes;
    cl_auto_free char *text = take_text;
    char **lines = NULL;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    if (cl_mul_size(count, sizeof *lines, &bytes))
        lines = cl_malloc(bytes);
    if (lines == NULL)
        return -ENOMEM;
    free(pager->text);
    free(pager->lines);
    pager->text = cl_take(text);
    pager->lines = lines;
    pager->count = 0;
    for (char *line = pager->text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (next != NULL || line[0] != '\0')
            pager->lines[pager->count++] = line;
    }
    pager->top = pager->top < pager->count ? pager->top : 0;
    return 0;
}

size_t glass_pager_height(const struct glass_layout *layout)
{
    return layout->height > 3 ? layout->height - 3 : 1; /* title, a blank, keys */
}

/* ---- cursor ---- */

const struct glass_row *glass_state_row(const struct glass_state *state)
{
    return state->cursor < state->rows.count ? &state->rows.rows[state->cursor] : NULL;
}

/* The cursor is on a row, the row is on the screen, and the screen is full if it can be. */
static void settle(struct glass_state *state)
{
    size_t count = state->rows.count, height = state->layout.body_height;
    height = height == 0 ? 1 : height;
    if (state->cursor >= count)
        state->cursor = count == 0 ? 0 : count - 1;
    if (state->top > state->cursor)
        state->top = state->cursor;
    if (state->top + height <= state->cursor)
        state->top = state->cursor - height + 1;
    if (state->top + height > count)
        state->top = count > height ? count - height : 0;
    const struct glass_row *row = glass_state_row(state);
    state->selected_pid = row == NULL ? 0 : row->process->pid;
    state->selected_ticks = row == NULL ? 0 : row->process->start_ticks;
}

void glass_state_move(struct glass_state *state, long by)
{
    size_t steps = (size_t)(by < 0 ? -by : by);
    if (by < 0)
        state->cursor = state->cursor > steps ? state->cursor - steps : 0;
    else
        state->cursor += steps;
    settle(state);
}

void glass_state_match(struct glass_state *state, bool is_forward)
{
    size_t count = state->rows.count;
    for (size_t i = 1; i <= count; i++) {
        size_t at = (state->cursor + (is_forward ? i : count - i)) % count;
        if (state->rows.rows[at].is_match) {
            state->cursor = at;
            break;
        }
    }
    settle(state);
}

static bool find_row(const struct glass_state *state, pid_t pid, size_t *ret)
{
    for (size_t i = 0; i < state->rows.count; i++)
        if (state->rows.rows[i].process->pid == pid) {
            *ret = i;
            return true;
        }
    return false;
}

bool glass_state_select(struct glass_state *state, pid_t pid)
{
    bool is_found = find_row(state, pid, &state->cursor);
    settle(state);
    return is_found;
}

int glass_state_rows(struct glass_state *state, const struct glass_world *world)
{
    size_t offset = state->cursor - state->top, at;
    pid_t pid = state->selected_pid;
    uint64_t ticks = state->selected_ticks;
    int code = glass_rows_build(&state->rows, world, &state->choice);
    if (code < 0)
        return code;
    if (find_row(state, pid, &at) && state->rows.rows[at].process->start_ticks == ticks) {
        state->cursor = at;
        state->top = at > offset ? at - offset : 0;
    }
    settle(state);
    const struct glass_row *row = glass_state_row(state);
    if (row != NULL && !row->is_match)
        glass_state_match(state, true);
    return 0;
}

void glass_state_resize(struct glass_state *state, unsigned width, unsigned height,
                        unsigned pid_digits)
{
    glass_layout_make(&state->layout, width, height, pid_digits);
    settle(state);
}

void glass_state_done(struct glass_state *state)
{
    glass_rows_done(&state->rows);
    glass_pager_done(&state->pager);
}

/* ---- the filter line ---- */

static void drop_last(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        length--;
    text[length > 0 ? length - 1 : 0] = '\0';
}

static bool append(char *text, size_t size, uint32_t point)
{
    char bytes[4];
    size_t length = strlen(text), more = cl_utf8_encode(point, bytes);
    if (length + more >= size)
        return false;
    memcpy(text + length, bytes, more);
    text[length + more] = '\0';
    return true;
}

static unsigned filter_event(struct glass_state *state, uint32_t key)
{
    char *filter = state->choice.filter;
    if (key == GLASS_KEY_ENTER || key == GLASS_KEY_ESCAPE) {
        state->mode = GLASS_MODE_LIST;
        filter[0] = key == GLASS_KEY_ESCAPE ? '\0' : filter[0];
    } else if (key == GLASS_KEY_BACKSPACE && filter[0] == '\0') {
        state->mode = GLASS_MODE_LIST;
    } else if (key == GLASS_KEY_BACKSPACE) {
        drop_last(filter);
    } else if (key == 'U' - '@') {
        filter[0] = '\0';
    } else if (key >= GLASS_KEY_UP) {
        return glass_keys_list(state, key); /* arrows move in what is left */
    } else if (key < ' ' || key == 0x7f || !append(filter, sizeof state->choice.filter, key)) {
        return GLASS_NOTHING;
    }
    return GLASS_ROWS;
}

/* ---- the mouse ---- */

static unsigned click(struct glass_state *state, const struct glass_event *event)
{
    const struct glass_layout *layout = &state->layout;
    if (event->y < layout->body_top || event->y >= layout->body_top + layout->body_height)
        return GLASS_NOTHING;
    size_t at = state->top + event->y - layout->body_top;
    if (at >= state->rows.count)
        return GLASS_NOTHING;
    state->cursor = at;
    settle(state);
    bool is_double = state->click_pid == state->selected_pid &&
                     event->when_ms - state->click_ms <= DOUBLE_CLICK_MS;
    state->click_pid = is_double ? 0 : state->selected_pid;
    state->click_ms = event->when_ms;
    return is_double ? GLASS_VIEW : GLASS_NOTHING;
}

/* The list moves below the cursor, which is pushed by the edges. */
static unsigned wheel(struct glass_state *state, bool is_down)
{
    size_t height = state->layout.body_height, count = state->rows.count;
    size_t most = count > height ? count - height : 0;
    if (is_down)
        state->top = state->top + WHEEL_LINES < most ? state->top + WHEEL_LINES : most;
    else
        state->top = state->top > WHEEL_LINES ? state->top - WHEEL_LINES : 0;
    if (state->cursor < state->top)
        state->cursor = state->top;
    if (height > 0 && state->cursor >= state->top + height)
        state->cursor = state->top + height - 1;
    settle(state);
    return GLASS_NOTHING;
}

static unsigned mouse_event(struct glass_state *state, const struct glass_event *event)
{
    bool is_wheel = event->key != GLASS_KEY_CLICK, is_down = event->key == GLASS_KEY_WHEEL_DOWN;
    if (state->mode == GLASS_MODE_VIEW || state->mode == GLASS_MODE_HELP) {
        for (int i = 0; is_wheel && i < WHEEL_LINES; i++)
            (void)glass_keys_pager(state, is_down ? GLASS_KEY_DOWN : GLASS_KEY_UP);
        return GLASS_NOTHING;
    }
    return is_wheel ? wheel(state, is_down) : click(state, event);
}

/* ---- events ---- */

unsigned glass_state_event(struct glass_state *state, const struct glass_event *event)
{
    state->message[0] = '\0';
    if (event->key == GLASS_KEY_RESIZE)
        return GLASS_ROWS | GLASS_PAINT;
    if (event->key == GLASS_KEY_CLICK || event->key == GLASS_KEY_WHEEL_UP ||
        event->key == GLASS_KEY_WHEEL_DOWN)
        return mouse_event(state, event);
    if (event->key == 'L' - '@')
        return GLASS_PAINT;
    if (state->mode == GLASS_MODE_FILTER)
        return filter_event(state, event->key);
    if (state->mode == GLASS_MODE_LIST)
        return glass_keys_list(state, event->key);
    return glass_keys_pager(state, event->key);
}
