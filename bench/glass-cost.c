/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `cloche glass` costs on a machine with so many processes: reading all of them, bringing the table up to date when nothing, or some, has changed,
 * and drawing. All but the terminal.
 *
 *   glass-cost COUNT CHANGES [ROUNDS]
 *
 * COUNT sleeping processes are made, in a pid namespace of their own so that one kill ends them all; they share their memory with their parent, so
 * that 20,000 fit anywhere. Prints one line of numbers: processes, milliseconds (least of the rounds; median) of each; 0 for events where the kernel tells none.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "glass/draw.h"
#include "glass/live.h"

enum { STACK = 4096, ROUNDS_MAX = 100, WIDTH = 200, HEIGHT = 50 };

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- the crowd ---- */

static int sleep_for_ever(void *context)
{
    (void)context;
    for (;;)
        (void)syscall(SYS_pause);
    return 0;
}

struct crowd {
    pid_t init;  /* of their pid namespace */
    int control; /* a byte: one of them ends and another is born */
    int done;    /* a byte: it was done */
};

static pid_t spawn(char *stack)
{
    return clone(sleep_for_ever, stack + STACK, CLONE_VM | SIGCHLD, NULL);
}

static void be_init(size_t count, int control, int done)
{
    char byte = 0, *stacks = mmap(NULL, count * STACK, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    pid_t *pids = mmap(NULL, count * sizeof *pids + 1, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t made = 0;
    while (stacks != MAP_FAILED && pids != MAP_FAILED && made < count &&
           (pids[made] = spawn(stacks + made * STACK)) > 0)
        made++;
    byte = made == count;
    (void)!write(done, &byte, 1);
    for (size_t next = 0; read(control, &byte, 1) == 1; next = (next + 1) % count) {
        (void)kill(pids[next], SIGKILL);
        (void)waitpid(pids[next], NULL, 0);
        pids[next] = spawn(stacks + next * STACK);
        (void)!write(done, &byte, 1);
    }
    _exit(0);
}

static bool crowd_start(struct crowd *crowd, size_t count)
{
    int control[2], done[2];
    char byte = 0;
    if (pipe(control) < 0 || pipe(done) < 0)
        return false;
    crowd->init = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
    if (crowd->init == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(control[1]);
        be_init(count, control[0], done[1]);
    }
    (void)close(control[0]);
    (void)close(done[1]);
    crowd->control = control[1];
    crowd->done = done[0];
    return crowd->init > 0 && read(crowd->done, &byte, 1) == 1 && byte == 1;
}

static void crowd_change(const struct crowd *crowd, unsigned changes)
{
    char byte;
    for (unsigned i = 0; i < changes; i++)
        if (write(crowd->control, "c", 1) != 1 || read(crowd->done, &byte, 1) != 1)
            return;
}

static void crowd_end(const struct crowd *crowd)
{
    (void)kill(crowd->init, SIGKILL);
    (void)waitpid(crowd->init, NULL, 0);
}

/* ---- what is measured ---- */

struct bench {
    struct glass_world *world;
    struct glass_state state;
    struct glass_screen screen;
};

/* As run.c: read what is on the screen again, draw. */
static void show(struct bench *bench)
{
    struct glass_focus focus = { 0 };
    struct glass_state *state = &bench->state;
    (void)glass_state_rows(state, bench->world);
    for (unsigned i = 0; i < state->layout.body_height && state->top + i < state->rows.count; i++)
        (void)glass_world_prepare(bench->world, state->rows.rows[state->top + i].process, true);
    glass_world_focus(bench->world, glass_state_row(state)->process, &focus);
    const struct glass_scene scene = { .state = state,
                                       .world = bench->world,
                                       .focus = &focus,
                                       .host_name = "bench",
                                       .following = "live" };
    glass_draw(&bench->screen, &scene);
}

static double update(struct bench *bench)
{
    double start = now_ms();
    (void)glass_world_poll(bench->world, 10, NULL);
    show(bench);
    return now_ms() - start;
}

/* The same for what the kernel has told; it is waited for as run.c does. */
static double update_by_events(struct bench *bench, struct glass_live *live)
{
    for (int left; (left = glass_live_timeout_ms(live, false)) > 0;) {
        struct pollfd fd = { .fd = glass_live_fd(live), .events = POLLIN };
        if (poll(&fd, 1, left) > 0)
            glass_live_drain(live);
    }
    double start = now_ms();
    (void)glass_live_update(live, bench->world, NULL);
    show(bench);
    return now_ms() - start;
}

static void measure_events(struct bench *bench, const struct crowd *crowd, unsigned changes,
                           double *times, unsigned rounds)
{
    struct glass_live *live = NULL;
    memset(times, 0, rounds * sizeof *times);
    if (glass_live_new(0, &live, NULL) < 0)
        return;
    glass_live_listen(live);
    if (glass_live_read(live, bench->world, NULL) >= 0 && glass_live_fd(live) >= 0)
        for (unsigned i = 0; i < rounds; i++) {
            crowd_change(crowd, changes);
            times[i] = update_by_events(bench, live);
        }
    glass_live_free(live);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const char *what, double *times, unsigned rounds)
{
    qsort(times, rounds, sizeof *times, compare);
    printf("  %s %.2f %.2f", what, times[0], times[rounds / 2]);
}

static int measure(int proc_fd, const struct crowd *crowd, unsigned changes, unsigned rounds)
{
    struct bench bench = { .screen = { .is_utf8 = true } };
    double full[ROUNDS_MAX], idle[ROUNDS_MAX], busy[ROUNDS_MAX], events[ROUNDS_MAX],
        filter[ROUNDS_MAX];
    if (glass_screen_resize(&bench.screen, WIDTH, HEIGHT) < 0)
        return 1;
    glass_state_resize(&bench.state, WIDTH, HEIGHT, 7);
    for (unsigned i = 0; i < rounds; i++) {
        glass_world_free(bench.world);
        bench.world = NULL;
        double start = now_ms();
        if (glass_world_new(proc_fd, NULL, &bench.world, NULL) < 0 ||
            glass_world_read(bench.world, 0, NULL) < 0)
            return 1;
        show(&bench);
        full[i] = now_ms() - start;
    }
    for (unsigned i = 0; i < rounds; i++)
        idle[i] = update(&bench);
    for (unsigned i = 0; i < rounds; i++) {
        crowd_change(crowd, changes);
        busy[i] = update(&bench);
    }
    measure_events(&bench, crowd, changes, events, rounds);
    for (unsigned i = 0; i < rounds;
         i++) { /* a letter more in the filter; the first time reads all command lines */
        (void)CL_PRINT(bench.state.choice.filter, "glass-cost %u", i);
        double start = now_ms();
        (void)glass_world_read_commands(bench.world);
        show(&bench);
        filter[i] = now_ms() - start;
    }
    printf("%zu", bench.world->count);
    print("full", full, rounds);
    print("idle", idle, rounds);
    print("changes", busy, rounds);
    print("events", events, rounds);
    print("filter", filter, rounds);
    printf("\n");
    glass_world_free(bench.world);
    glass_state_done(&bench.state);
    glass_screen_done(&bench.screen);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t count = 0, changes = 0, rounds = 10;
    struct crowd crowd;
    struct cl_error err = { 0 };
    if (argc < 3 || cl_parse_u64(argv[1], 1, 100000, &count) < 0 ||
        cl_parse_u64(argv[2], 0, 10000, &changes) < 0 ||
        (argc > 3 && cl_parse_u64(argv[3], 1, ROUNDS_MAX, &rounds) < 0)) {
        (void)fprintf(stderr, "usage: glass-cost COUNT CHANGES [ROUNDS]\n");
        return 2;
    }
    int proc_fd = procfs_open_host(&err);
    if (proc_fd < 0 || !crowd_start(&crowd, (size_t)count)) {
        (void)fprintf(stderr, "glass-cost: can't make %s processes\n", argv[1]);
        return 1;
    }
    int result = measure(proc_fd, &crowd, (unsigned)changes, (unsigned)rounds);
    crowd_end(&crowd);
    return result;
}
