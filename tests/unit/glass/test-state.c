/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and mouse: cursor, filter line, modes; and that the cursor stays with its process. */
#include "glass/state.h"

#include "support.h"

static struct fake machine;

static void begin(struct glass_state *state, unsigned height)
{
    *state = (struct glass_state){ 0 };
    fake_machine(&machine);
    glass_state_resize(state, 80, height, 5);
    CHECK_INT(glass_state_rows(state, &machine.world), 0);
}

static unsigned press(struct glass_state *state, uint32_t key)
{
    const struct glass_event event = { .key = key };
    unsigned effects = glass_state_event(state, &event);
    if ((effects & GLASS_ROWS) != 0)
        CHECK_INT(glass_state_rows(state, &machine.world), 0);
    return effects;
}

static void type(struct glass_state *state, const char *text)
{
    for (; *text != '\0'; text++)
        (void)press(state, (unsigned char)*text);
}

static pid_t at(const struct glass_state *state)
{
    const struct glass_row *row = glass_state_row(state);
    return row == NULL ? 0 : row->process->pid;
}

TEST(moving)
{
    struct glass_state state;
    begin(&state, 24);
    CHECK_INT(at(&state), 1);
    press(&state, GLASS_KEY_DOWN);
    press(&state, 'j');
    CHECK_INT(at(&state), 41);
    press(&state, 'k');
    CHECK_INT(at(&state), 40);
    press(&state, GLASS_KEY_END);
    CHECK_INT(at(&state), 61);
    press(&state, 'j');
    CHECK_INT(at(&state), 61);
    press(&state, 'g');
    press(&state, GLASS_KEY_UP);
    CHECK_INT(at(&state), 1);
    glass_state_done(&state);
}

TEST(scrolling_in_a_low_window)
{
    struct glass_state state;
    begin(&state, 10); /* six rows */
    CHECK_INT(state.layout.body_height, 6);
    press(&state, GLASS_KEY_END);
    CHECK_INT(state.top, 2);
    press(&state, GLASS_KEY_PAGE_UP);
    CHECK_INT(at(&state), 41);
    CHECK_INT(state.top, 2);
    press(&state, GLASS_KEY_HOME);
    CHECK_INT(state.top, 0);
    glass_state_resize(&state, 80, 24, 5);
    CHECK_INT(state.top, 0);
    glass_state_done(&state);
}

TEST(the_filter_narrows_while_one_types)
{
    struct glass_state state;
    begin(&state, 24);
    press(&state, '/');
    CHECK_INT(state.mode, GLASS_MODE_FILTER);
    type(&state, "nginx");
    CHECK_INT(state.rows.match_count, 2);
    CHECK_INT(at(&state), 51); /* the first match, not the way to it */
    type(&state, " workq");    /* q is a letter here */
    CHECK_INT(state.rows.count, 0);
    press(&state, GLASS_KEY_BACKSPACE);
    CHECK_INT(state.rows.match_count, 1);
    CHECK_INT(at(&state), 52);
    press(&state, GLASS_KEY_ENTER);
    CHECK_INT(state.mode, GLASS_MODE_LIST);
    CHECK_STR(state.choice.filter, "nginx work");
    press(&state, GLASS_KEY_ESCAPE);
    CHECK_STR(state.choice.filter, "");
    CHECK_INT(at(&state), 52);
    glass_state_done(&state);
}

TEST(the_filter_line_is_bounded_and_whole)
{
    struct glass_state state;
    begin(&state, 24);
    press(&state, '/');
    for (int i = 0; i < 500; i++)
        press(&state, 0x5bb9); /* three bytes */
    CHECK(strlen(state.choice.filter) < sizeof state.choice.filter);
    CHECK_INT(strlen(state.choice.filter) % 3, 0);
    size_t before = strlen(state.choice.filter);
    press(&state, GLASS_KEY_BACKSPACE);
    CHECK_INT(strlen(state.choice.filter), before - 3);
    press(&state, 'U' - '@');
    CHECK_STR(state.choice.filter, "");
    press(&state, GLASS_KEY_BACKSPACE);
    CHECK_INT(state.mode, GLASS_MODE_LIST);
    glass_state_done(&state);
}

TEST(next_and_previous_match)
{
    struct glass_state state;
    begin(&state, 24);
    press(&state, '/');
    type(&state, "sh");
    press(&state, GLASS_KEY_ENTER);
    CHECK_INT(at(&state), 40); /* sshd, bash, containerd-shim */
    press(&state, 'n');
    CHECK_INT(at(&state), 41);
    press(&state, 'n');
    CHECK_INT(at(&state), 60);
    press(&state, 'n');
    CHECK_INT(at(&state), 40);
    press(&state, 'N');
    CHECK_INT(at(&state), 60);
    glass_state_done(&state);
}

TEST(the_cursor_stays_with_its_process)
{
    struct glass_state state;
    begin(&state, 10);
    glass_state_select(&state, 52);
    size_t line = state.cursor - state.top;
    machine.table[2]->is_gone = true; /* sshd, above it */
    CHECK_INT(glass_state_rows(&state, &machine.world), 0);
    CHECK_INT(at(&state), 52);
    CHECK(state.cursor - state.top <= line);
    machine.table[6]->is_gone = true; /* itself: a neighbour takes over */
    CHECK_INT(glass_state_rows(&state, &machine.world), 0);
    CHECK(at(&state) != 52 && at(&state) != 0);
    glass_state_done(&state);
}

TEST(a_pid_used_again_is_another_process)
{
    struct glass_state state;
    begin(&state, 24);
    glass_state_select(&state, 52);
    size_t cursor = state.cursor;
    machine.table[6]->start_ticks = 777;
    machine.table[6]->parent = 1; /* it stands elsewhere */
    CHECK_INT(glass_state_rows(&state, &machine.world), 0);
    CHECK_INT(state.cursor, cursor);
    glass_state_done(&state);
}

TEST(toggles)
{
    struct glass_state state;
    begin(&state, 24);
    CHECK_INT(press(&state, 'c'), GLASS_ROWS);
    CHECK_INT(state.rows.count, 3);
    press(&state, 'c');
    press(&state, 'K');
    CHECK_INT(state.rows.count, 9);
    press(&state, 't');
    CHECK_INT(state.rows.rows[3].depth, 0);
    for (int i = 0; i < GLASS_SORT_COUNT; i++)
        press(&state, 's');
    CHECK_INT(state.choice.sort, GLASS_SORT_PID);
    CHECK_INT(press(&state, 'f'), GLASS_NOTHING);
    CHECK(state.is_frozen);
    CHECK_INT(press(&state, 'f'), GLASS_READ);
    CHECK_INT(press(&state, 'r'), GLASS_READ);
    CHECK_INT(press(&state, 'q'), GLASS_QUIT);
    CHECK_INT(press(&state, GLASS_KEY_ENTER), GLASS_VIEW);
    CHECK_INT(press(&state, GLASS_KEY_RESIZE), GLASS_ROWS | GLASS_PAINT);
    CHECK_INT(press(&state, 0x1f600), GLASS_NOTHING);
    CHECK_INT(press(&state, 0), GLASS_NOTHING);
    glass_state_done(&state);
}

static unsigned mouse(struct glass_state *state, uint32_t key, unsigned y, int64_t when_ms)
{
    const struct glass_event event = { .key = key, .x = 5, .y = y, .when_ms = when_ms };
    return glass_state_event(state, &event);
}

TEST(the_mouse)
{
    struct glass_state state;
    begin(&state, 10);
    CHECK_INT(mouse(&state, GLASS_KEY_CLICK, 4, 1000), GLASS_NOTHING);
    CHECK_INT(at(&state), 41);
    CHECK_INT(mouse(&state, GLASS_KEY_CLICK, 4, 1200), GLASS_VIEW);
    CHECK_INT(mouse(&state, GLASS_KEY_CLICK, 4, 1300), GLASS_NOTHING); /* a third is a first */
    CHECK_INT(mouse(&state, GLASS_KEY_CLICK, 5, 1400), GLASS_NOTHING); /* another row */
    CHECK_INT(mouse(&state, GLASS_KEY_CLICK, 5, 9000), GLASS_NOTHING); /* too late */
    CHECK_INT(mouse(&state, GLASS_KEY_CLICK, 0, 9100), GLASS_NOTHING); /* the title */
    CHECK_INT(mouse(&state, GLASS_KEY_CLICK, 99, 9200), GLASS_NOTHING);
    mouse(&state, GLASS_KEY_WHEEL_DOWN, 4, 9300);
    CHECK_INT(state.top, 2);
    mouse(&state, GLASS_KEY_WHEEL_UP, 4, 9400);
    CHECK_INT(state.top, 0);
    glass_state_done(&state);
}

TEST(help_and_pager)
{
    struct glass_state state;
    begin(&state, 12);
    press(&state, '?');
    CHECK_INT(state.mode, GLASS_MODE_HELP);
    size_t count = state.pager.count;
    CHECK(count > 16);
    press(&state, 'G');
    CHECK_INT(state.pager.top, count - glass_pager_height(&state.layout));
    press(&state, GLASS_KEY_UP);
    CHECK_INT(state.pager.top, count - glass_pager_height(&state.layout) - 1);
    press(&state, 'q');
    CHECK_INT(state.mode, GLASS_MODE_LIST);
    glass_state_done(&state);
}

TEST(lines_of_a_pager)
{
    struct glass_pager pager = { 0 };
    CHECK_INT(glass_pager_set(&pager, cl_strdup("a\n\nb\n")), 0);
    CHECK_INT(pager.count, 3);
    CHECK_STR(pager.lines[2], "b");
    CHECK_INT(glass_pager_set(&pager, cl_strdup("")), 0);
    CHECK_INT(pager.count, 0);
    glass_pager_done(&pager);
}

TEST(without_any_process)
{
    struct glass_state state;
    begin(&state, 24);
    machine.world.count = 0;
    CHECK_INT(glass_state_rows(&state, &machine.world), 0);
    CHECK_INT(press(&state, 'j'), GLASS_NOTHING);
    CHECK_INT(press(&state, 'n'), GLASS_NOTHING);
    CHECK_INT(press(&state, GLASS_KEY_ENTER), GLASS_NOTHING);
    CHECK_INT(mouse(&state, GLASS_KEY_CLICK, 4, 1), GLASS_NOTHING);
    CHECK_INT(mouse(&state, GLASS_KEY_WHEEL_DOWN, 4, 2), GLASS_NOTHING);
    CHECK(glass_state_row(&state) == NULL);
    glass_state_done(&state);
}

TEST_MAIN
