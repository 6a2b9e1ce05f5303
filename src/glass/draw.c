/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Title, list, details of the process under the cursor, keys; or a pager over all of it.
 */
#include "glass/draw.h"

#include "base/text.h"

static struct glass_pen line_pen(struct glass_screen *screen, unsigned y, struct glass_style style)
{
    return (struct glass_pen){ screen, y, 0, screen->width, style };
}

/* ---- title ---- */

static const char *dot(const struct glass_screen *screen)
{
    return screen->is_utf8 ? " · " : " - ";
}

static size_t container_count(const struct glass_world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->group_count; i++)
        count += world->groups[i]->container.engine[0] != '\0';
    return count;
}

/* Order and liveness at the right; returns where they begin. */
static unsigned draw_right(struct glass_screen *screen, const struct glass_scene *scene,
                           struct glass_style style)
{
    const struct glass_state *state = scene->state;
    char text[64];
    (void)CL_PRINT(text, " by %s%s%s ", glass_sort_names[state->choice.sort], dot(screen),
                   state->is_frozen ? "frozen" : scene->following); /* fits */
    unsigned cells = (unsigned)cl_text_cells(text);
    struct glass_pen pen = { screen, 0, screen->width - cells, screen->width, style };
    glass_pen_text(&pen, text, 0);
    return screen->width - cells;
}

/* One more fact, if there is room for it. */
static void add_fact(struct glass_pen *pen, size_t count, const char *what)
{
    char text[48];
    (void)CL_PRINT(text, "%s%zu %s%s", dot(pen->screen), count, what,
                   count == 1 || what[0] == 'h'   ? ""
                   : strcmp(what, "process") == 0 ? "es"
                                                  : "s");
    if (pen->x + cl_text_cells(text) <= pen->end)
        glass_pen_text(pen, text, 0);
}

static void draw_title(struct glass_screen *screen, const struct glass_scene *scene)
{
    const struct glass_world *world = scene->world;
    const struct glass_style style = { GLASS_REVERSE, 0 };
    struct glass_pen pen = line_pen(screen, 0, style);
    glass_pen_blank(&pen, screen->width);
    pen.end = draw_right(screen, scene, style);
    pen.x = 0;
    pen.style.attributes |= GLASS_BOLD;
    glass_pen_text(&pen, " cloche ", 0);
    pen.style = style;
    glass_pen_text(&pen, scene->host_name, 0);
    add_fact(&pen, world->count - (scene->state->choice.with_kernel ? 0 : world->kernel_count),
             "process");
    add_fact(&pen, container_count(world), "container");
    if (world->hidden_count > 0)
        add_fact(&pen, world->hidden_count, "hidden");
}

/* ---- details ---- */

static void add_types(char *text, size_t size, const struct glass_world *world,
                      const struct glass_focus *focus, bool want_own)
{
    text[0] = '\0';
    for (int type = 0; type < K_NS_COUNT; type++) {
        bool is_known = focus->inodes[type] != 0 && world->host_ns[type] != 0;
        bool is_own = is_known && focus->inodes[type] != world->host_ns[type];
        size_t length = strlen(text);
        if (is_known && is_own == want_own)
            (void)cl_print(text + length, size - length, " %s", k_ns_table[type].name); /* fits */
    }
}

static void draw_sharing(struct glass_pen *pen, const struct glass_scene *scene)
{
    char own[80], shared[80];
    const struct glass_style bold = { GLASS_BOLD, 0 }, warning = { 0, GLASS_HUE_WARNING };
    add_types(own, sizeof own, scene->world, scene->focus, true);
    add_types(shared, sizeof shared, scene->world, scene->focus, false);
    if (own[0] == '\0' && shared[0] == '\0') {
        pen->style = warning;
        glass_pen_text(pen,
                       scene->focus->is_hidden ? "namespaces hidden: needs CAP_SYS_PTRACE"
                                               : "it has left its namespaces",
                       0);
        return;
    }
    if (own[0] == '\0') {
        glass_pen_text(pen, "shares all its namespaces with the host", 0);
        return;
    }
    pen->style = bold;
    glass_pen_text(pen, "own", 0);
    pen->style = (struct glass_style){ 0 };
    glass_pen_text(pen, own, 0);
    glass_pen_text(pen, "   ", 0);
    pen->style = bold;
    glass_pen_text(pen, "the host's", 0);
    pen->style = (struct glass_style){ 0, shared[0] == '\0' ? 0 : GLASS_HUE_WARNING };
    glass_pen_text(pen, shared[0] == '\0' ? " none" : shared, 0);
}

static void draw_who(struct glass_pen *pen, const struct glass_process *process)
{
    const struct glass_group *group = process->group;
    pen->style = (struct glass_style){ GLASS_BOLD, 0 };
    glass_pen_printf(pen, "%d ", (int)process->pid);
    pen->style = (struct glass_style){ 0 };
    if (group != NULL) {
        bool has_engine = group->container.engine[0] != '\0';
        pen->style = (struct glass_style){ GLASS_BOLD, glass_hue(group) };
        glass_pen_text(pen, group->container.name, 0);
        pen->style = (struct glass_style){ 0 };
        glass_pen_printf(pen, has_engine ? " (%s)" : "%s", group->container.engine);
        glass_pen_printf(pen, "%spid %d inside", dot(pen->screen), (int)process->inner_pid);
        glass_pen_text(pen, dot(pen->screen), 0);
    }
    glass_pen_text(pen, process->command[0] != '\0' ? process->command : process->name, 0);
}

static void draw_details(struct glass_screen *screen, const struct glass_scene *scene)
{
    const struct glass_layout *layout = &scene->state->layout;
    const struct glass_row *row = glass_state_row(scene->state);
    if (row == NULL || scene->focus == NULL)
        return;
    unsigned y = layout->details_top;
    struct glass_pen pen = line_pen(screen, y, (struct glass_style){ 0 });
    pen.x = 1;
    if (layout->details_height > 1) {
        draw_who(&pen, row->process);
        pen = line_pen(screen, y + 1, (struct glass_style){ 0 });
        pen.x = 1;
    }
    draw_sharing(&pen, scene);
}

/* ---- the last line ---- */

static void draw_keys(struct glass_screen *screen, unsigned y, const char *const pairs[][2],
                      size_t count)
{
    struct glass_pen pen = line_pen(screen, y, (struct glass_style){ 0 });
    for (size_t i = 0; i < count; i++) {
        size_t cells = cl_text_cells(pairs[i][0]) + 1 + cl_text_cells(pairs[i][1]);
        if (pen.x + 1 + cells > screen->width)
            break;
        pen.style = (struct glass_style){ 0 };
        glass_pen_text(&pen, " ", 0);
        pen.style.attributes = GLASS_BOLD;
        glass_pen_text(&pen, pairs[i][0], 0);
        pen.style.attributes = GLASS_PLAIN;
        glass_pen_printf(&pen, " %s ", pairs[i][1]);
    }
}

static void draw_filter(struct glass_screen *screen, const struct glass_state *state)
{
    struct glass_pen pen =
        line_pen(screen, state->layout.keys_y, (struct glass_style){ GLASS_BOLD, 0 });
    size_t cells = cl_text_cells(state->choice.filter), room = screen->width / 2;
    glass_pen_text(&pen, " /", 0);
    pen.style.attributes = GLASS_PLAIN;
    glass_pen_text(&pen, state->choice.filter, cells > room ? (unsigned)(cells - room) : 0);
    if (state->mode == GLASS_MODE_FILTER) {
        pen.style.attributes = GLASS_REVERSE;
        glass_pen_text(&pen, " ", 0);
    }
    pen.style = (struct glass_style){ GLASS_DIM, 0 };
    glass_pen_printf(&pen, "  %zu match%s", state->rows.match_count,
                     state->rows.match_count == 1 ? "" : "es");
    glass_pen_text(&pen,
                   state->mode == GLASS_MODE_FILTER ? "   Enter keep   Esc clear"
                                                    : "   n N next   Esc clear",
                   0);
}

static void draw_last(struct glass_screen *screen, const struct glass_state *state)
{
    const char *const keys[][2] = {
        { "Enter", "view" },
        { "/", "filter" },
        { "t", "tree" },
        { "c", "containers" },
        { "f", state->is_frozen ? "follow" : "freeze" },
        { "s", "sort" },
        { "?", "help" },
        { "q", "quit" },
    };
    if (state->message[0] != '\0') {
        struct glass_pen pen =
            line_pen(screen, state->layout.keys_y, (struct glass_style){ 0, GLASS_HUE_WARNING });
        pen.x = 1;
        glass_pen_text(&pen, state->message, 0);
    } else if (state->mode == GLASS_MODE_FILTER || state->choice.filter[0] != '\0') {
        draw_filter(screen, state);
    } else {
        draw_keys(screen, state->layout.keys_y, keys, CL_COUNT(keys));
    }
}

/* ---- all of it ---- */

static void draw_list(struct glass_screen *screen, const struct glass_scene *scene)
{
    const struct glass_state *state = scene->state;
    const struct glass_layout *layout = &state->layout;
    draw_title(screen, scene);
    glass_draw_headings(screen, layout);
    for (unsigned i = 0; i < layout->body_height && state->top + i < state->rows.count; i++)
        glass_draw_row(screen, scene, state->top + i, layout->body_top + i);
    if (state->rows.count == 0) {
        struct glass_pen pen =
            line_pen(screen, layout->body_top, (struct glass_style){ GLASS_DIM, 0 });
        pen.x = 1;
        glass_pen_text(&pen,
                       state->choice.filter[0] != '\0' ? "no process matches"
                       : state->choice.only_containers ? "no container runs"
                                                       : "no process can be seen",
                       0);
    }
    draw_details(screen, scene);
    draw_last(screen, state);
}

static void draw_pager(struct glass_screen *screen, const struct glass_state *state)
{
    static const char *const view_keys[][2] = { { "q", "back" },
                                                { "arrows", "scroll" },
                                                { "r", "read again" } };
    static const char *const help_keys[][2] = { { "q", "back" }, { "arrows", "scroll" } };
    const struct glass_pager *pager = &state->pager;
    size_t height = glass_pager_height(&state->layout);
    struct glass_pen pen =
        line_pen(screen, 0, (struct glass_style){ GLASS_REVERSE | GLASS_BOLD, 0 });
    glass_pen_text(&pen, " cloche ", 0);
    pen.style.attributes = GLASS_REVERSE;
    glass_pen_text(&pen, pager->title, 0);
    glass_pen_blank(&pen, screen->width);
    for (size_t i = 0; i < height && pager->top + i < pager->count; i++) {
        pen = line_pen(screen, 1 + (unsigned)i, (struct glass_style){ 0 });
        glass_pen_text(&pen, pager->lines[pager->top + i], pager->left);
    }
    if (state->mode == GLASS_MODE_VIEW)
        draw_keys(screen, screen->height - 1, view_keys, CL_COUNT(view_keys));
    else
        draw_keys(screen, screen->height - 1, help_keys, CL_COUNT(help_keys));
    if (pager->count > height && screen->width > 60) {
        pen = line_pen(screen, screen->height - 1, (struct glass_style){ GLASS_DIM, 0 });
        pen.x = screen->width - 20;
        glass_pen_printf(&pen, "%zu-%zu of %zu", pager->top + 1,
                         pager->top + height < pager->count ? pager->top + height : pager->count,
                         pager->count);
    }
}

static void draw_tiny(struct glass_screen *screen)
{
    struct glass_pen pen = line_pen(screen, 0, (struct glass_style){ 0 });
    glass_pen_printf(&pen, "%ux%u is too small", screen->width, screen->height);
    pen = line_pen(screen, 1, (struct glass_style){ 0 });
    glass_pen_printf(&pen, "needs %dx%d", GLASS_WIDTH_MIN, GLASS_HEIGHT_MIN);
}

void glass_draw(struct glass_screen *screen, const struct glass_scene *scene)
{
    enum glass_mode mode = scene->state->mode;
    glass_screen_clear(screen);
    if (scene->state->layout.is_tiny)
        draw_tiny(screen);
    else if (mode == GLASS_MODE_VIEW || mode == GLASS_MODE_HELP)
        draw_pager(screen, scene->state);
    else
        draw_list(screen, scene);
}
