/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cloche ns watch`: waits for the kernel's process events, has the world compare, and prints one line for each difference.
 *
 * The order at the beginning: subscribe, then look at everything. What happens in between is told by an event whose news the snapshot
 * has already; the other way round it would be lost. Then it sleeps in one call until something happens: no timer, no poll.
 */
#include "lens/watch.h"

#include <errno.h>

#include "lens/proc.h"
#include <sys/wait.h>
#include <time.h>

#include "kernel/procevents.h"

struct watcher {
    const struct lens_watch_options *options;
    FILE *out;
    struct watch_world world;
    bool is_selective;
};

/* ---- printing ---- */

static bool is_wanted(const struct watcher *watcher, const struct watch_report *report)
{
    bool is_namespace = report->inode != 0;
    unsigned types = watcher->options->types;
    if (report->event == WATCH_LOST)
        return true;
    if (watcher->is_selective && !report->process->is_selected)
        return false;
    return types == 0 || (is_namespace && (types & 1U << report->type) != 0);
}

static void print_json(const struct watcher *watcher, const struct watch_report *report,
                       const char *when)
{
    cl_auto_buf buf = CL_BUF_INIT(65536);
    const struct watch_process *process = report->process;
    cl_buf_printf(&buf, "{\"time\":\"%s\",\"event\":\"%s\"", when,
                  watch_event_names[report->event]);
    if (report->inode != 0)
        cl_buf_printf(&buf, ",\"type\":\"%s\",\"ns\":%llu", k_ns_table[report->type].name,
                      (unsigned long long)report->inode);
    if (process != NULL) {
        cl_buf_printf(&buf, ",\"pid\":%d,\"ppid\":%d,\"uid\":%u,\"command\":", (int)process->pid,
                      (int)process->parent, (unsigned)process->uid);
        cl_buf_json_string(&buf, process->name);
    }
    if (report->event == WATCH_EXIT && report->status >= 0) {
        bool is_signal = WIFSIGNALED(report->status);
        cl_buf_printf(&buf, ",\"%s\":%d", is_signal ? "signal" : "code",
                      is_signal ? WTERMSIG(report->status) : WEXITSTATUS(report->status));
    }
    cl_buf_str(&buf, ",\"container\":");
    if (report->container == NULL)
        cl_buf_str(&buf, "null");
    else
        cl_buf_json_string(&buf, report->container->name);
    cl_buf_str(&buf, "}\n");
    if (buf.failed == 0)
        (void)fputs(buf.data, watcher->out); /* checked with ferror after the batch */
}

static void print_line(const struct watcher *watcher, const struct watch_report *report,
                       const char *when)
{
    char inode[24] = "", pid[16] = "";
    const struct watch_process *process = report->process;
    cl_auto_free char *command = cl_escape_terminal(process == NULL ? "" : process->name);
    cl_auto_free char *container =
        cl_escape_terminal(report->container == NULL ? "" : report->container->name);
    if (report->inode != 0)
        (void)CL_PRINT(inode, "%llu", (unsigned long long)report->inode); /* fits */
    if (process != NULL)
        (void)CL_PRINT(pid, "%d", (int)process->pid);
    if (command != NULL && container != NULL)
        (void)fprintf(watcher->out, "%s %-5s %-6s %10s %7s %s%s%s\n", when,
                      watch_event_names[report->event],
                      report->inode != 0 ? k_ns_table[report->type].name : "", inode, pid, command,
                      container[0] == '\0' ? "" : "  ", container); /* checked with ferror */
}

static void print(void *context, const struct watch_report *report)
{
    const struct watcher *watcher = context;
    char when[48];
    struct timespec now;
    struct tm parts;
    if (!is_wanted(watcher, report))
        return;
    if (watcher->options->json) {
        cl_format_time(cl_now_ns(), when);
        print_json(watcher, report, when);
        return;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now); /* can't fail */
    (void)localtime_r(&now.tv_sec, &parts);
    (void)CL_PRINT(when, "%02d:%02d:%02d.%03ld", parts.tm_hour, parts.tm_min, parts.tm_sec,
                   now.tv_nsec / 1000000);
    print_line(watcher, report, when);
}

static int flush(const struct watcher *watcher, struct cl_error *err)
{
    if (fflush(watcher->out) == EOF || ferror(watcher->out))
        return cl_fail(err, errno, "print the events");
    return 0;
}

/* ---- events ---- */

/* The latest start time (in the ticks of /proc/PID/stat) that a process which this event is about may have. One tick more, as both are rounded. */
static uint64_t ticks_of(uint64_t monotonic_ns)
{
    struct timespec boot, monotonic;
    (void)clock_gettime(CLOCK_BOOTTIME, &boot); /* can't fail */
    (void)clock_gettime(CLOCK_MONOTONIC, &monotonic);
    int64_t suspended =
        (boot.tv_sec - monotonic.tv_sec) * INT64_C(1000000000) + (boot.tv_nsec - monotonic.tv_nsec);
    uint64_t ns = monotonic_ns + (suspended > 0 ? (uint64_t)suspended : 0);
    return ns / (UINT64_C(1000000000) / (uint64_t)k_clock_ticks()) + 1;
}

static int handle(struct watcher *watcher, const struct k_proc_event *event)
{
    static const enum watch_event causes[] = {
        [K_PROC_FORK] = WATCH_FORK,    [K_PROC_EXEC] = WATCH_EXEC,
        [K_PROC_IDS] = WATCH_IDENTITY, [K_PROC_SESSION] = WATCH_RENAME,
        [K_PROC_NAME] = WATCH_RENAME,
    };
    if (event->kind == K_PROC_OTHER || event->kind == K_PROC_ACK)
        return 0;
    if (event->kind == K_PROC_EXIT) {
        if (event->pid == event->tid) /* else a thread */
            watch_end(&watcher->world, event->pid, event->code);
        return 0;
    }
    struct watch_cause cause = { .why = causes[event->kind],
                                 .parent = event->parent,
                                 .not_after = ticks_of(event->when_ns) };
    bool is_thread = event->pid != event->tid;
    if (event->kind == K_PROC_FORK) {
        /* setns and unshare raise no event: what the maker of a process has done of that kind is seen here at the latest. */
        const struct watch_cause look = { .why = WATCH_RENAME, .not_after = cause.not_after };
        int code = watch_look(&watcher->world, event->parent, &look);
        if (code < 0 || is_thread)
            return code;
    }
    return watch_look(&watcher->world, event->pid, &cause);
}

static int catch_up(struct watcher *watcher, struct cl_error *err)
{
    print(watcher, &(struct watch_report){ .event = WATCH_LOST });
    return watch_snapshot(&watcher->world, err);
}

static int follow(struct watcher *watcher, int events_fd, struct cl_error *err)
{
    struct k_proc_event event;
    bool may_wait = false;
    for (;;) {
        int got = k_proc_events_next(events_fd, may_wait, &event);
        int code = 0;
        if (got == 1)
            code = handle(watcher, &event);
        if (code < 0)
            return cl_fail(err, code, "follow the kernel's process events");
        if (got == -ENOBUFS)
            code = catch_up(watcher, err);
        else if (got < 0)
            code = cl_fail(err, got, "read the kernel's process events");
        else if (got == 0) /* nothing more: what there is, is shown before we sleep */
            code = flush(watcher, err);
        if (code < 0)
            return code;
        may_wait = got == 0;
    }
}

/* ---- the beginning ---- */

static int select_target(struct watcher *watcher, const char *reference, struct cl_error *err)
{
    struct lens_target target;
    struct watch_world *world = &watcher->world;
    int code = lens_find_target(world->proc_fd, reference, world->names, &target, err);
    if (code < 0)
        return code;
    struct watch_process *chosen = watch_find(world, target.pid);
    if (chosen == NULL || chosen->start_ticks != target.start_ticks)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ESRCH, "process %d (%s) has ended",
                            (int)target.pid, reference);
    chosen->is_selected = true;
    for (size_t i = 0; i < WATCH_BUCKETS; i++)
        for (struct watch_process *at = world->processes[i]; at != NULL; at = at->next)
            if (target.is_container && at->container != LENS_NONE &&
                at->container == chosen->container)
                at->is_selected = true;
    return 0;
}

/* Children of those that were chosen, and theirs: parents may come later in the table than their children. */
static void select_descendants(struct watch_world *world)
{
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t i = 0; i < WATCH_BUCKETS; i++) {
            for (struct watch_process *at = world->processes[i]; at != NULL; at = at->next) {
                const struct watch_process *parent = watch_find(world, at->parent);
                if (at->is_selected || parent == NULL || !parent->is_selected)
                    continue;
                at->is_selected = is_changed = true;
            }
        }
    }
}

static int begin(struct watcher *watcher, struct cl_error *err)
{
    watcher->world.is_quiet = true;
    int code = watch_snapshot(&watcher->world, err);
    watcher->world.is_quiet = false;
    for (const char *const *at = watcher->options->targets; code >= 0 && at != NULL && *at != NULL;
         at++) {
        watcher->is_selective = true;
        code = select_target(watcher, *at, err);
    }
    if (code < 0)
        return code;
    select_descendants(&watcher->world);
    if (!watcher->options->json && !watcher->options->no_headings)
        (void)fprintf(watcher->out, "%-12s %-5s %-6s %10s %7s %s\n", "TIME", "EVENT", "TYPE", "NS",
                      "PID", "COMMAND  CONTAINER"); /* checked with ferror */
    return flush(watcher, err);
}

int lens_watch(const struct lens_watch_options *options, const struct lens_names *names, FILE *out,
               struct cl_error *err)
{
    cl_auto_fd own_fd = options->proc_fd > 0 ? -EBADF : lens_open_proc(err);
    int proc_fd = options->proc_fd > 0 ? options->proc_fd : own_fd;
    if (proc_fd < 0)
        return proc_fd;
    cl_auto_fd events_fd = k_proc_events_open(err);
    if (events_fd < 0) {
        (void)cl_error_hint(err,
                            "without them, `cloche lsns` and `cloche ns tree` show one moment");
        return events_fd;
    }
    cl_auto_free struct watcher *watcher = cl_calloc(1, sizeof *watcher);
    if (watcher == NULL)
        return cl_fail(err, ENOMEM, "watch");
    watcher->options = options;
    watcher->out = out;
    watch_world_init(&watcher->world, proc_fd, names);
    watcher->world.report = print;
    watcher->world.context = watcher;
    int code = begin(watcher, err);
    if (code >= 0)
        code = follow(watcher, events_fd, err);
    watch_world_done(&watcher->world);
    return code;
}
