/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second process in a running container. Each runtime_exec is made in a forked child, as its
 * callers do: it changes where their children are born.
 */
#include "support.h"

#include "runtime/child.h"

#include <sys/prctl.h>

struct visit {
    struct oci_process *process;
    struct runtime_exec_options options;
    struct runtime_target target;
    bool terminal;
    int code;            /* of the process, or -1 */
    int result;          /* of runtime_exec */
    struct cl_error err; /* likewise */
    char text[8192];
};

/* The answer of the forked child. */
struct answer {
    int result, code;
    struct cl_error err;
};

static void visitor(struct visit *visit, int out, int report)
{
    struct answer answer = { .code = -1 };
    struct runtime_process process = {
        .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .root_mount = -EBADF
    };
    struct runtime_io io = { .terminal = visit->terminal, .in = -EBADF, .out = out, .err = out };
    io.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    answer.result =
        runtime_exec(&visit->target, visit->process, &visit->options, &io, &process, &answer.err);
    if (answer.result >= 0) {
        int status = 0;
        (void)k_wait_pidfd(process.pidfd, 0, &status);
        answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        char text[4096];
        ssize_t size;
        while (process.console >= 0 && (size = read(process.console, text, sizeof text)) > 0)
            (void)cl_write_full(out, text, (size_t)size);
    }
    (void)cl_write_full(report, &answer, sizeof answer);
    _exit(0);
}

static void run_visit(struct visit *visit)
{
    int out_read = -EBADF, out = -EBADF, report_read = -EBADF, report = -EBADF, status = 0;
    struct answer answer = { .result = -EIO, .code = -1 };
    REQUIRE(cl_pipe(&out_read, &out) >= 0 && cl_pipe(&report_read, &report) >= 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        visitor(visit, out, report);
    out = cl_close(out);
    report = cl_close(report);
    snprintf(visit->text, sizeof visit->text, "%.8000s", read_all(out_read));
    (void)cl_read_full(report_read, &answer, sizeof answer);
    (void)waitpid(pid, &status, 0);
    visit->result = answer.result;
    visit->code = answer.code;
    visit->err = answer.err;
    close(out_read);
    close(report_read);
}

static bool start_box(struct world *world, struct visit *visit)
{
    *visit = (struct visit){ .options = { .use_default_seccomp = true, .die_with_parent = true } };
    if (!world_open(world))
        return false;
    world_shell(world, "sleep 1000");
    if (world_start(world) < 0) {
        TEST_SAY("start: %s", world->err.text);
        return false;
    }
    visit->target = (struct runtime_target){ .pid = world->process.pid,
                                             .start_ticks = world->process.start_ticks,
                                             .cgroup_path = world->cgroup };
    struct oci_spec *spec = oci_spec_new_default();
    visit->process = cl_take(spec->process);
    oci_spec_free(spec);
    return true;
}

static void stop_box(struct world *world, struct visit *visit)
{
    oci_process_free(visit->process);
    world_close(world);
}

static const char *visit_shell(struct visit *visit, const char *script)
{
    const char *const args[] = { "sh", "-c", script, NULL };
    (void)oci_args_set(visit->process, args);
    run_visit(visit);
    if (visit->result < 0)
        TEST_SAY("exec: %s", visit->err.text);
    return visit->text;
}

TEST(it_sees_what_the_container_sees)
{
    struct world world;
    struct visit visit;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(start_box(&world, &visit));
    const char *text = visit_shell(&visit, "hostname; ps; cat /proc/self/cgroup | sort -u -t: -k3; "
                                           "grep Cap /proc/self/status; exit 9");
    CHECK_INT(visit.code, 9);
    CHECK_CONTAINS(text, "box\n");
    CHECK_CONTAINS(text, "sleep 1000");
    CHECK_CONTAINS(text, "CapInh:\t0000000000000000\nCapPrm:\t00000000800405fb\n");
    stop_box(&world, &visit);
}

TEST(it_is_in_every_namespace_and_cgroup_of_the_container)
{
    static const char script[] =
        "for n in mnt uts ipc pid net cgroup time user; do "
        "[ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] || echo $n; "
        "done; cat /proc/self/cgroup | grep -v ':/$'; "
        "cat /proc/1/cgroup > /tmp/a; cat /proc/self/cgroup > /tmp/b; "
        "[ \"$(cat /tmp/a)\" = \"$(cat /tmp/b)\" ] && echo same";
    struct world world;
    struct visit visit;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(start_box(&world, &visit));
    /* Another process's namespace links need ptrace rights on it: give them for the look. */
    CHECK_INT(oci_capabilities_set(visit.process, oci_cap_default | UINT64_C(1) << 19), 0);
    CHECK_STR(visit_shell(&visit, script), "same\n");
    stop_box(&world, &visit);
}

TEST(user_directory_and_filter_are_its_own)
{
    struct world world;
    struct visit visit;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(start_box(&world, &visit));
    visit.process->user.uid = 1000;
    visit.process->user.gid = 1000;
    visit.process->capabilities->effective.mask = visit.process->capabilities->permitted.mask = 0;
    visit.process->no_new_privileges = true;
    (void)oci_string_set(&visit.process->cwd, "/tmp");
    const char *text =
        visit_shell(&visit, "id -u; pwd; grep -E 'CapEff|NoNew|Seccomp:' /proc/self/status");
    CHECK_STR(text, "1000\n/tmp\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    stop_box(&world, &visit);
}

TEST(a_terminal_of_the_containers_devpts)
{
    struct world world;
    struct visit visit;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(start_box(&world, &visit));
    visit.terminal = true;
    CHECK_STR(visit_shell(&visit, "tty; echo x > /dev/tty; exit 5"), "/dev/pts/0\r\nx\r\n");
    CHECK_INT(visit.code, 5);
    stop_box(&world, &visit);
}

TEST(a_command_that_is_not_there)
{
    struct world world;
    struct visit visit;
    const char *const args[] = { "nosuch", NULL };
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(start_box(&world, &visit));
    CHECK_INT(oci_args_set(visit.process, args), 0);
    run_visit(&visit);
    CHECK_INT(visit.result, -ENOENT);
    CHECK_INT(visit.err.kind, CL_KIND_NO_COMMAND);
    CHECK_STR(visit.err.text, "exec: \"nosuch\": executable file not found in $PATH");
    stop_box(&world, &visit);
}

TEST(a_directory_that_is_not_there)
{
    struct world world;
    struct visit visit;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(start_box(&world, &visit));
    (void)oci_string_set(&visit.process->cwd, "/not/there");
    run_visit(&visit);
    CHECK_INT(visit.result, -ENOENT);
    CHECK_CONTAINS(visit.err.text, "working directory: open /not/there");
    stop_box(&world, &visit);
}

TEST(a_number_that_another_process_has_now_is_refused)
{
    struct world world;
    struct visit visit;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(start_box(&world, &visit));
    visit.target.start_ticks++;
    run_visit(&visit);
    CHECK_INT(visit.result, -ESRCH);
    CHECK_STR(visit.err.text, "the container is not running");
    stop_box(&world, &visit);
}

TEST(a_container_that_has_ended_is_refused)
{
    struct world world;
    struct visit visit;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(start_box(&world, &visit));
    CHECK_INT(k_pidfd_send_signal(world.process.pidfd, SIGKILL), 0);
    struct pollfd end = { .fd = world.process.pidfd, .events = POLLIN };
    CHECK_INT(poll(&end, 1, 60000), 1); /* a zombie now: its number is still taken */
    run_visit(&visit);
    CHECK(visit.result < 0);
    CHECK_CONTAINS(visit.err.text, "not running");
    stop_box(&world, &visit);
}

static size_t row_of(const char *name)
{
    for (size_t i = 0; i < exec_step_count; i++)
        if (strcmp(exec_steps[i].name, name) == 0)
            return i;
    return exec_step_count;
}

/* A process of the container could ptrace one that comes in, and take over what it still holds of
   the host: unless it is not dumpable before it is in. */
TEST(cve_2016_9962_the_joining_process_is_not_dumpable_before_it_is_in)
{
    CHECK_INT(row_of("begin"), 0);
    CHECK(exec_steps[0].run == child_begin);
    CHECK(row_of("join namespaces") < exec_step_count);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct child child = { .parent_end = -EBADF };
        struct cl_error err = { 0 };
        _exit(child_begin(&child, &err) == 0 && prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
}

TEST_MAIN
