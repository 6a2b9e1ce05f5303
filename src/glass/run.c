/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: wait for a key or for something to happen, bring the table up to date, make rows, draw.
 *
 * The rows on the screen are read again with every update, as nothing tells when a process enters another namespace or gets another
 * user; the rest of the table follows in turns (world.c).
 */
#include "glass/glass.h"

#include <errno.h>
#include <poll.h>

#include "glass/draw.h"
#include "glass/live.h"
#include "glass/terminal.h"
#include "lens/proc.h"

struct run {
    const struct glass_options *options;
    const struct lens_names *names;
    int proc_fd;
    struct glass_world *world;
    struct glass_live *live;
    struct glass_state state;
    struct glass_screen screen;
    struct lens_target target; /* of options->reference */
    char host_name[65];
    bool is_spoilt; /* paint all of the terminal */
    bool is_over;
};

static unsigned pid_digits(const struct glass_world *world)
{
    pid_t last = world->count == 0 ? 0 : world->processes[world->count - 1]->pid;
    unsigned digits = 1;
    for (; last >= 10; last /= 10)
        digits++;
    return digits;
}

static int make_rows(struct run *run)
{
    const char *filter = run->state.choice.filter;
    int code = filter[0] == '\0' ? 0 : glass_world_read_commands(run->world);
    return code < 0 ? code : glass_state_rows(&run->state, run->world);
}

/* ---- view ---- */

static int print_view(struct run *run, const struct glass_process *process, char **ret_text,
                      struct cl_error *err)
{
    char target[16];
    size_t size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return cl_fail(err, errno, "look at process %d", (int)process->pid);
    (void)CL_PRINT(target, "%d", (int)process->pid); /* fits */
    const struct lens_view_options options = { .target = target,
                                               .width = run->screen.width,
                                               .proc_fd = run->proc_fd };
    int code = lens_view(&options, run->names, out, err);
    (void)fclose(out);
    if (code < 0)
        free(text);
    else
        *ret_text = text;
    return code;
}

/* It was this process before and after, so it was in between. */
static int view(struct run *run, const struct glass_process *process, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    struct glass_pager *pager = &run->state.pager;
    bool is_same = glass_world_is(run->world, process->pid, process->start_ticks);
    int code = is_same ? print_view(run, process, &text, err) : -ESRCH;
    if (code >= 0)
        is_same = glass_world_is(run->world, process->pid, process->start_ticks);
    if (!is_same)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ESRCH, "process %d has ended",
                            (int)process->pid);
    if (code < 0)
        return code;
    if (run->state.mode != GLASS_MODE_VIEW)
        pager->top = pager->left = 0;
    code = glass_pager_set(pager, cl_take(text));
    if (code < 0)
        return cl_fail(err, code, "show process %d", (int)process->pid);
    const struct glass_group *group = process->group;
    (void)CL_PRINT(pager->title, "view %d  %s%s%s", (int)process->pid,
                   group == NULL ? "" : group->container.name, group == NULL ? "" : "  ",
                   process->name); /* cut at worst */
    run->state.mode = GLASS_MODE_VIEW;
    return 0;
}

/* What can't be looked at is no reason to end: the last line says why. */
static void try_view(struct run *run)
{
    struct cl_error err = { 0 };
    const struct glass_row *row = glass_state_row(&run->state);
    if (row == NULL || view(run, row->process, &err) >= 0)
        return;
    run->state.mode = GLASS_MODE_LIST;
    (void)CL_PRINT(run->state.message, "%s", err.text); /* the same size */
}

/* ---- drawing ---- */

/* What is on the screen is read in full; where that moves a row, rows are made once more. */
static int prepare(struct run *run, bool again)
{
    struct glass_state *state = &run->state;
    bool is_moved = false;
    for (unsigned i = 0; i < state->layout.body_height && state->top + i < state->rows.count; i++)
        is_moved |=
            glass_world_prepare(run->world, state->rows.rows[state->top + i].process, again);
    int code = is_moved ? make_rows(run) : 0;
    for (unsigned i = 0; code >= 0 && is_moved && i < state->layout.body_height &&
                         state->top + i < state->rows.count;
         i++)
        (void)glass_world_prepare(run->world, state->rows.rows[state->top + i].process, false);
    return code;
}

static int draw(struct run *run, bool again)
{
    struct glass_focus focus;
    struct glass_state *state = &run->state;
    int code = prepare(run, again && !state->is_frozen);
    const struct glass_row *row = glass_state_row(state);
    if (row != NULL)
        glass_world_focus(run->world, row->process, &focus);
    const struct glass_scene scene = { .state = state,
                                       .world = run->world,
                                       .focus = row == NULL ? NULL : &focus,
                                       .host_name = run->host_name,
                                       .following = glass_live_text(run->live) };
    glass_draw(&run->screen, &scene);
    glass_terminal_show(&run->screen, run->is_spoilt);
    run->is_spoilt = false;
    return code;
}

/* ---- the loop ---- */

static int resize(struct run *run)
{
    unsigned width, height;
    glass_terminal_size(&width, &height);
    int code = glass_screen_resize(&run->screen, width, height);
    glass_state_resize(&run->state, width, height, pid_digits(run->world));
    /* The view is laid out for a width. */
    if (code >= 0 && run->state.mode == GLASS_MODE_VIEW)
        try_view(run);
    return code;
}

static int apply(struct run *run, unsigned effects, struct cl_error *err)
{
    int code = 0;
    if ((effects & GLASS_PAINT) != 0) {
        run->is_spoilt = true;
        code = resize(run);
    }
    if (code >= 0 && (effects & GLASS_READ) != 0)
        code = glass_live_read(run->live, run->world, err);
    if (code >= 0 && (effects & (GLASS_READ | GLASS_ROWS)) != 0)
        code = make_rows(run);
    if (code >= 0 && (effects & GLASS_VIEW) != 0)
        try_view(run);
    run->is_over = (effects & GLASS_QUIT) != 0;
    return code;
}

static int handle_keys(struct run *run, struct cl_error *err)
{
    struct glass_event event;
    int count = 0, code = 0;
    for (; code >= 0 && !run->is_over && glass_terminal_read(&event); count++)
        code = apply(run, glass_state_event(&run->state, &event), err);
    return code < 0 ? code : count;
}

/* 0; -EIO: the terminal has gone. Frozen, we hear nothing: what happens meanwhile waits, or is lost, and then all is listed. */
static int wait_for_something(struct run *run)
{
    bool is_live = !run->state.is_frozen;
    struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                            { .fd = is_live ? glass_live_fd(run->live) : -1, .events = POLLIN } };
    int timeout = is_live ? glass_live_timeout_ms(run->live, run->world->is_unsure) : -1;
    int count = poll(fds, CL_COUNT(fds), timeout);
    if (count < 0)
        return errno == EINTR ? 0 : -errno; /* a new size: ncurses makes a key of it */
    if (fds[1].revents != 0)
        glass_live_drain(run->live);
    return (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 ? -EIO : 0;
}

/* 1: the table may have changed. */
static int update(struct run *run, struct cl_error *err)
{
    int code = run->state.is_frozen ? 0 : glass_live_update(run->live, run->world, err);
    if (code <= 0)
        return code;
    code = make_rows(run);
    return code < 0 ? code : 1;
}

static int loop(struct run *run, struct cl_error *err)
{
    int code = draw(run, false);
    if (code >= 0 && !run->options->is_polling)
        glass_live_listen(run->live); /* behind the first picture: it may take its time */
    while (code >= 0 && !run->is_over) {
        code = wait_for_something(run);
        if (code == -EIO)
            return 0; /* nobody is there any more */
        int keys = code < 0 ? code : handle_keys(run, err);
        int changes = keys < 0 || run->is_over ? keys : update(run, err);
        code = changes < 0 ? changes : 0;
        if (code >= 0 && !run->is_over && (keys > 0 || changes > 0))
            code = draw(run, changes > 0);
    }
    return code;
}

/* What can't be shown is an error before the terminal is changed. */
static int begin(struct run *run, struct cl_error *err)
{
    const struct glass_options *options = run->options;
    struct glass_choice *choice = &run->state.choice;
    int code = glass_world_new(run->proc_fd, run->names, &run->world, err);
    if (code >= 0)
        code = glass_live_new(options->interval_ms, &run->live, err);
    if (code >= 0 && options->reference != NULL)
        code = lens_find_target(run->proc_fd, options->reference, run->names, &run->target, err);
    if (code < 0)
        return code;
    choice->only_containers = options->only_containers;
    choice->is_list = options->is_list;
    if (options->filter != NULL && CL_PRINT(choice->filter, "%s", options->filter) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, E2BIG, "the filter is longer than %zu bytes",
                            sizeof choice->filter - 1);
    (void)gethostname(run->host_name, sizeof run->host_name - 1);
    return 0;
}

/* Of many processes the first are shown while the others are read. What fails here fails again at the end of it, and is told then. */
static void show_progress(void *context, size_t done, size_t total)
{
    struct run *run = context;
    (void)CL_PRINT(run->state.message, "reading: %zu of %zu processes", done, total); /* fits */
    if (make_rows(run) >= 0)
        (void)draw(run, false);
}

static int read_first(struct run *run, struct cl_error *err)
{
    run->world->progress = show_progress;
    run->world->progress_context = run;
    int code = glass_live_read(run->live, run->world, err);
    run->world->progress = NULL;
    run->state.message[0] = '\0';
    if (code < 0)
        return code;
    code = make_rows(run);
    if (code >= 0 && run->options->reference != NULL)
        (void)glass_state_select(&run->state, run->target.pid);
    if (code >= 0)
        code = resize(run); /* as wide as the pids are */
    return code < 0 ? cl_fail(err, code, "list the processes") : 0;
}

static int in_terminal(struct run *run, struct cl_error *err)
{
    const struct glass_terminal_options options = { .name = run->options->terminal,
                                                    .is_ascii = run->options->is_ascii,
                                                    .is_monochrome = run->options->is_monochrome };
    struct cl_error failure = { 0 };
    int code = glass_terminal_open(&options, err);
    if (code < 0)
        return code;
    run->screen.is_utf8 = glass_terminal_is_utf8();
    code = resize(run);
    if (code >= 0)
        code = read_first(run, &failure);
    if (code >= 0)
        code = loop(run, &failure);
    glass_terminal_close();
    if (code >= 0)
        return 0;
    if (failure.code == 0)
        return cl_fail(err, code, "show the processes");
    *err = failure;
    return code;
}

int glass_run(const struct glass_options *options, const struct lens_names *names,
              struct cl_error *err)
{
    cl_auto_fd own_fd = options->proc_fd > 0 ? -EBADF : lens_open_proc(err);
    struct run run = { .options = options,
                       .names = names,
                       .proc_fd = options->proc_fd > 0 ? options->proc_fd : own_fd };
    if (run.proc_fd < 0)
        return run.proc_fd;
    int code = begin(&run, err);
    if (code >= 0)
        code = in_terminal(&run, err);
    glass_state_done(&run.state);
    glass_screen_done(&run.screen);
    glass_live_free(run.live);
    glass_world_free(run.world);
    return code;
}
