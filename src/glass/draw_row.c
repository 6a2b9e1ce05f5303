/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process on one line: the host's side, the glass, the inside.
 */
#include "glass/draw.h"

enum { GUIDE_CELLS = 2 };

uint8_t glass_hue(const struct glass_group *group)
{
    return (uint8_t)(GLASS_HUE_FIRST + group->hue % (GLASS_HUE_COUNT - GLASS_HUE_FIRST));
}

static struct glass_pen pen_at(struct glass_screen *screen, unsigned y, struct glass_column column,
                               struct glass_style style)
{
    return (struct glass_pen){ screen, y, column.x, column.x + column.width, style };
}

static void field(struct glass_screen *screen, unsigned y, struct glass_column column,
                  const char *text, struct glass_style style)
{
    if (column.width == 0)
        return;
    struct glass_pen pen = pen_at(screen, y, column, style);
    glass_pen_text(&pen, text, 0);
}

static void number(struct glass_screen *screen, unsigned y, struct glass_column column, long value,
                   struct glass_style style)
{
    char text[24];
    if (column.width == 0)
        return;
    struct glass_pen pen = pen_at(screen, y, column, style);
    (void)CL_PRINT(text, "%ld", value); /* fits */
    glass_pen_field(&pen, text, column.width, true);
}

/* ---- the host's side ---- */

/* Deep trees keep the levels nearest to the process. */
static void guides(struct glass_pen *pen, const struct glass_row *row)
{
    bool is_utf8 = pen->screen->is_utf8;
    unsigned room = (pen->end - pen->x) / 2 / GUIDE_CELLS;
    unsigned depth = row->depth < GLASS_DEPTH_MAX - 1 ? row->depth : GLASS_DEPTH_MAX - 1;
    unsigned first = depth > room ? depth - room + 1 : 1;
    for (unsigned level = first; level <= depth; level++) {
        bool has_more = (row->more & (uint64_t)1 << level) != 0;
        const char *art = is_utf8 ? (has_more ? "│ " : "  ") : (has_more ? "| " : "  ");
        if (level == depth)
            art = is_utf8 ? (has_more ? "├─" : "└─") : (has_more ? "|-" : "`-");
        glass_pen_text(pen, art, 0);
    }
}

static const char *command_of(const struct glass_process *process)
{
    return process->command[0] != '\0' ? process->command : process->name;
}

static void draw_user(struct glass_screen *screen, unsigned y, struct glass_column column,
                      const struct glass_process *process, struct glass_style style)
{
    char number_text[16];
    const char *name = process->uid == (uid_t)-1 ? "?" : cl_user_name(process->uid);
    (void)CL_PRINT(number_text, "%u", process->uid); /* fits */
    field(screen, y, column, name == NULL ? number_text : name, style);
}

static void draw_host(struct glass_screen *screen, const struct glass_state *state,
                      const struct glass_row *row, unsigned y, struct glass_style text_style)
{
    const struct glass_layout *layout = &state->layout;
    const struct glass_process *process = row->process;
    struct glass_style faint = { GLASS_DIM, 0 };
    struct glass_style plain = { text_style.attributes & GLASS_DIM, 0 };
    number(screen, y, layout->pid, process->pid, plain);
    draw_user(screen, y, layout->user, process, plain);
    struct glass_pen pen = pen_at(screen, y, layout->tree, faint);
    if (!state->choice.is_list)
        guides(&pen, row);
    pen.style = text_style;
    if (process->state == 'Z')
        pen.style.attributes |= GLASS_DIM;
    glass_pen_text(&pen, command_of(process), state->left);
}

/* ---- the inside ---- */

static void draw_wall(struct glass_screen *screen, unsigned y, unsigned x,
                      const struct glass_group *group)
{
    struct glass_style style = { GLASS_DIM, 0 };
    if (group != NULL)
        style = (struct glass_style){ GLASS_BOLD, glass_hue(group) };
    struct glass_pen pen = { screen, y, x, x + 1, style };
    if (screen->is_utf8)
        glass_pen_text(&pen, group != NULL ? "┃" : "│", 0);
    else
        glass_pen_text(&pen, group != NULL ? "|" : ":", 0);
}

/* The name stands where its processes begin, and at the top of the screen. */
static bool begins_group(const struct glass_state *state, size_t index)
{
    const struct glass_row *rows = state->rows.rows;
    return index == state->top || rows[index - 1].process->group != rows[index].process->group;
}

/* Of a namespace's number the last digits tell most. */
static void draw_group(struct glass_screen *screen, unsigned y, struct glass_column column,
                       const struct glass_group *group)
{
    const char *name = group->container.name;
    size_t length = strlen(name);
    char text[32];
    bool is_number = group->container.engine[0] == '\0' && length > column.width;
    if (is_number && column.width > 4)
        (void)CL_PRINT(text, "ns%s%s", screen->is_utf8 ? "…" : "~",
                       name + length - (column.width - 3)); /* fits */
    field(screen, y, column, is_number && column.width > 4 ? text : name,
          (struct glass_style){ GLASS_BOLD, glass_hue(group) });
}

static void draw_inside(struct glass_screen *screen, const struct glass_state *state, size_t index,
                        unsigned y, struct glass_style text_style)
{
    const struct glass_layout *layout = &state->layout;
    const struct glass_process *process = state->rows.rows[index].process;
    const struct glass_group *group = process->group;
    struct glass_style plain = { text_style.attributes & GLASS_DIM, 0 };
    if (begins_group(state, index))
        draw_group(screen, y, layout->container, group);
    number(screen, y, layout->inner_pid, process->inner_pid, plain);
    field(screen, y, layout->inner_user, process->inside_user, plain);
    field(screen, y, layout->inner_name, process->name, plain);
    if (layout->inner_command.width == 0)
        return;
    struct glass_pen pen = pen_at(screen, y, layout->inner_command, text_style);
    glass_pen_text(&pen, command_of(process), state->left);
}

void glass_draw_row(struct glass_screen *screen, const struct glass_scene *scene, size_t index,
                    unsigned y)
{
    const struct glass_state *state = scene->state;
    const struct glass_row *row = &state->rows.rows[index];
    const struct glass_group *group = row->process->group;
    struct glass_style style = { 0, group == NULL ? 0 : glass_hue(group) };
    if (!row->is_match || row->process->is_gone)
        style = (struct glass_style){ GLASS_DIM, 0 };
    draw_host(screen, state, row, y, style);
    draw_wall(screen, y, state->layout.wall, group);
    if (group != NULL)
        draw_inside(screen, state, index, y, style);
    else if (row->process->is_hidden)
        field(screen, y, state->layout.container, "hidden", (struct glass_style){ GLASS_DIM, 0 });
    if (index == state->cursor)
        glass_screen_tint(screen, y, (struct glass_style){ GLASS_REVERSE, 0 });
}

/* ---- headings ---- */

void glass_draw_headings(struct glass_screen *screen, const struct glass_layout *layout)
{
    const unsigned y = layout->body_top - 1;
    const struct {
        struct glass_column column;
        const char *text;
        bool to_right;
    } headings[] = {
        { layout->pid, "PID", true },           { layout->user, "USER", false },
        { layout->tree, "ON THE HOST", false }, { layout->container, "CONTAINER", false },
        { layout->inner_pid, "PID", true },     { layout->inner_user, "USER", false },
        { layout->inner_name, "NAME", false },  { layout->inner_command, "INSIDE", false },
    };
    const struct glass_style style = { GLASS_BOLD, 0 };
    for (size_t i = 0; i < CL_COUNT(headings); i++) {
        struct glass_pen pen = pen_at(screen, y, headings[i].column, style);
        if (headings[i].column.width > 0)
            glass_pen_field(&pen, headings[i].text, headings[i].column.width, headings[i].to_right);
    }
    draw_wall(screen, y, layout->wall, NULL);
}
