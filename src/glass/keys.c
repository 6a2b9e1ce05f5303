/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys: one row each, with what it does and what the help says.
 */
#include "glass/state.h"

#include <errno.h>

typedef unsigned key_action(struct glass_state *state, uint32_t key);

static long page(const struct glass_state *state)
{
    return state->layout.body_height > 1 ? (long)state->layout.body_height - 1 : 1;
}

static unsigned move(struct glass_state *state, uint32_t key)
{
    long far = (long)state->rows.count;
    switch (key) {
    case GLASS_KEY_UP:
    case 'k':
        glass_state_move(state, -1);
        break;
    case GLASS_KEY_DOWN:
    case 'j':
        glass_state_move(state, 1);
        break;
    case GLASS_KEY_PAGE_UP:
        glass_state_move(state, -page(state));
        break;
    case GLASS_KEY_PAGE_DOWN:
    case ' ':
        glass_state_move(state, page(state));
        break;
    case GLASS_KEY_HOME:
    case 'g':
        glass_state_move(state, -far);
        break;
    default:
        glass_state_move(state, far);
    }
    return GLASS_NOTHING;
}

static unsigned shift(struct glass_state *state, uint32_t key)
{
    unsigned step = 8;
    if (key == GLASS_KEY_RIGHT || key == 'l')
        state->left += state->left < GLASS_SHIFT_MAX ? step : 0;
    else
        state->left -= state->left >= step ? step : 0;
    return GLASS_NOTHING;
}

static unsigned look(struct glass_state *state, uint32_t key)
{
    (void)key;
    return glass_state_row(state) == NULL ? GLASS_NOTHING : GLASS_VIEW;
}

static unsigned filter(struct glass_state *state, uint32_t key)
{
    (void)key;
    state->mode = GLASS_MODE_FILTER;
    return GLASS_NOTHING;
}

static unsigned next_match(struct glass_state *state, uint32_t key)
{
    glass_state_match(state, key == 'n');
    return GLASS_NOTHING;
}

static unsigned clear(struct glass_state *state, uint32_t key)
{
    (void)key;
    state->choice.filter[0] = '\0';
    return GLASS_ROWS;
}

static unsigned toggle(struct glass_state *state, uint32_t key)
{
    if (key == 't')
        state->choice.is_list = !state->choice.is_list;
    else if (key == 'c')
        state->choice.only_containers = !state->choice.only_containers;
    else
        state->choice.with_kernel = !state->choice.with_kernel;
    return GLASS_ROWS;
}

static unsigned freeze(struct glass_state *state, uint32_t key)
{
    (void)key;
    state->is_frozen = !state->is_frozen;
    return state->is_frozen ? GLASS_NOTHING : GLASS_READ;
}

static unsigned sort(struct glass_state *state, uint32_t key)
{
    (void)key;
    state->choice.sort = (state->choice.sort + 1) % GLASS_SORT_COUNT;
    return GLASS_ROWS;
}

static unsigned read_now(struct glass_state *state, uint32_t key)
{
    (void)state;
    (void)key;
    return GLASS_READ;
}

static unsigned help(struct glass_state *state, uint32_t key)
{
    (void)key;
    if (glass_keys_help(&state->pager) >= 0)
        state->mode = GLASS_MODE_HELP;
    return GLASS_NOTHING;
}

static unsigned quit(struct glass_state *state, uint32_t key)
{
    (void)state;
    (void)key;
    return GLASS_QUIT;
}

static const struct key {
    const char *label, *help; /* label "": another key of the row above */
    uint32_t keys[4];
    key_action *act;
} list_keys[] = {
    { "Up Down k j", "move the cursor", { GLASS_KEY_UP, GLASS_KEY_DOWN, 'k', 'j' }, move },
    { "PgUp PgDn", "a page (Space: down)", { GLASS_KEY_PAGE_UP, GLASS_KEY_PAGE_DOWN, ' ' }, move },
    { "Home End g G", "first, last", { GLASS_KEY_HOME, GLASS_KEY_END, 'g', 'G' }, move },
    { "Left Right h l",
      "shift long command lines",
      { GLASS_KEY_LEFT, GLASS_KEY_RIGHT, 'h', 'l' },
      shift },
    { "Enter", "all that this process sees (view); q comes back", { GLASS_KEY_ENTER }, look },
    { "/", "filter by words: pid, name, command, user, container", { '/' }, filter },
    { "n N", "next, previous match", { 'n', 'N' }, next_match },
    { "Esc", "clear the filter", { GLASS_KEY_ESCAPE }, clear },
    { "t", "tree or list", { 't' }, toggle },
    { "c", "only containers, or all", { 'c' }, toggle },
    { "K", "kernel threads, too", { 'K' }, toggle },
    { "s", "sort by pid, name, user, container", { 's' }, sort },
    { "f", "freeze, or follow what happens", { 'f' }, freeze },
    { "r", "read everything now", { 'r' }, read_now },
    { "?", "this help", { '?' }, help },
    { "q", "quit", { 'q' }, quit },
};

unsigned glass_keys_list(struct glass_state *state, uint32_t key)
{
    for (size_t i = 0; i < CL_COUNT(list_keys); i++)
        for (size_t j = 0; j < CL_COUNT(list_keys[i].keys); j++)
            if (list_keys[i].keys[j] == key && key != 0)
                return list_keys[i].act(state, key);
    return GLASS_NOTHING;
}

/* ---- the pager ---- */

static void scroll(struct glass_state *state, long by)
{
    struct glass_pager *pager = &state->pager;
    size_t height = glass_pager_height(&state->layout);
    size_t most = pager->count > height ? pager->count - height : 0;
    size_t steps = (size_t)(by < 0 ? -by : by);
    if (by < 0)
        pager->top = pager->top > steps ? pager->top - steps : 0;
    else
        pager->top = pager->top + steps < most ? pager->top + steps : most;
}

unsigned glass_keys_pager(struct glass_state *state, uint32_t key)
{
    long far = (long)state->pager.count, height = (long)glass_pager_height(&state->layout);
    const struct {
        uint32_t keys[2];
        long by;
    } moves[] = {
        { { GLASS_KEY_UP, 'k' }, -1 },           { { GLASS_KEY_DOWN, 'j' }, 1 },
        { { GLASS_KEY_PAGE_UP, 'b' }, -height }, { { GLASS_KEY_PAGE_DOWN, ' ' }, height },
        { { GLASS_KEY_HOME, 'g' }, -far },       { { GLASS_KEY_END, 'G' }, far },
    };
    for (size_t i = 0; i < CL_COUNT(moves); i++)
        if (key == moves[i].keys[0] || key == moves[i].keys[1])
            scroll(state, moves[i].by);
    if (key == GLASS_KEY_RIGHT || key == 'l')
        state->pager.left += state->pager.left < GLASS_SHIFT_MAX ? 8 : 0;
    if (key == GLASS_KEY_LEFT || key == 'h')
        state->pager.left -= state->pager.left >= 8 ? 8 : 0;
    if (key == 'r' && state->mode == GLASS_MODE_VIEW)
        return GLASS_VIEW;
    if (key == 'q' || key == GLASS_KEY_ESCAPE || key == GLASS_KEY_BACKSPACE ||
        (state->mode == GLASS_MODE_HELP && (key == '?' || key == GLASS_KEY_ENTER))) {
        state->mode = GLASS_MODE_LIST;
        glass_pager_done(&state->pager);
    }
    return GLASS_NOTHING;
}

int glass_keys_help(struct glass_pager *pager)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 14);
    for (size_t i = 0; i < CL_COUNT(list_keys); i++)
        cl_buf_printf(&text, "  %-16s%s\n", list_keys[i].label, list_keys[i].help);
    cl_buf_str(&text, "  Mouse           click: select; twice: view; wheel: scroll\n"
                      "  ^Z              suspend\n\n"
                      "Left are the host's processes, right the same ones as their container\n"
                      "sees them: its PIDs, its users. What is empty there is the host's own.\n");
    char *taken = cl_buf_take(&text);
    if (taken == NULL)
        return -ENOMEM;
    pager->top = pager->left = 0;
    (void)CL_PRINT(pager->title, "help"); /* fits */
    return glass_pager_set(pager, taken);
}
