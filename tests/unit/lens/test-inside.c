/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsns --inside, view and pid: what a container sees, told from outside. The first is compared with lsns(8) run in there (by the
 * test, which may enter), the rest with what the test knows of the processes it made.
 */
#include "support.h"

#include <signal.h>
#include <sys/utsname.h>

/* A container of sorts: init of pid, mount, uts, ipc and net namespaces, its own /proc, two children, one nested namespace. */
static int container_setup(void *context)
{
    (void)context;
    struct sleeper child = { 0 }, nested = { 0 };
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                   mount("proc", "/proc", "proc", 0, NULL) < 0 || sethostname("glass", 5) < 0 ||
                   mount("tmpfs", "/proc/bus", "tmpfs", MS_RDONLY, NULL) < 0 ||
                   mount("/etc/passwd", "/etc/group", NULL, MS_BIND, NULL) < 0 ||
                   mount(NULL, "/etc/group", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0 ||
                   !sleeper_start(&child, 0, NULL, NULL) ||
                   !sleeper_start(&nested, CLONE_NEWPID | CLONE_NEWUSER, NULL, NULL)
               ? -1
               : 0;
}
#define CONTAINER_FLAGS (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)

static bool container_start(struct sleeper *sleeper)
{
    return sleeper_start(sleeper, CONTAINER_FLAGS, container_setup, NULL);
}

/*
 * Where lsns runs inside, it is itself a process there: this one stands in for it when we look. It is our child, as lsns is nsenter's, so
 * that we can reap it: who is left to the container's init is not gone when its pidfd says so, and a zombie still has a pid and a user
 * namespace, which the next lsns counts.
 */
struct joining {
    pid_t init;
    int report[2]; /* the pid of the process inside */
};

static int join_setup(void *context)
{
    const struct joining *joining = context;
    struct sleeper inside = { 0 };
    int pidfd = k_pidfd_open(joining->init);
    return pidfd < 0 || k_setns(pidfd, CONTAINER_FLAGS) < 0 ||
                   !sleeper_start(&inside, CLONE_PARENT, NULL, NULL) ||
                   write(joining->report[1], &inside.pid, sizeof inside.pid) !=
                       (ssize_t)sizeof inside.pid
               ? -1
               : 0;
}

static struct sleeper join(pid_t init)
{
    struct joining joining = { .init = init };
    struct sleeper joiner = { 0 }, inside = { 0 };
    CHECK(pipe2(joining.report, O_CLOEXEC) == 0);
    CHECK(sleeper_start(&joiner, 0, join_setup, &joining));
    (void)close(joining.report[1]); /* so that a joiner that failed is no hang */
    CHECK_INT(read(joining.report[0], &inside.pid, sizeof inside.pid), sizeof inside.pid);
    (void)close(joining.report[0]);
    sleeper_end(&joiner);
    return inside;
}

static const char *target_of(pid_t pid)
{
    static char text[16];
    (void)CL_PRINT(text, "%d", (int)pid);
    return text;
}

struct comparison {
    const char *arguments[8];
    struct lens_lsns_options options;
};
static const struct comparison comparisons[] = {
    { { "lsns" }, { 0 } },
    { { "lsns", "-l", "-t", "pid" }, { .tree = LENS_TREE_NONE, .types = 1U << K_NS_PID } },
    { { "lsns", "-t", "net" }, { .types = 1U << K_NS_NET } },
    { { "lsns", "-T" }, { .tree = LENS_TREE_OWNER } },
    { { "lsns", "-o", "NS,TYPE,PATH,NPROCS,PID,PPID,UID,USER,NETNSID,NSFS,PNS,ONS,COMMAND" },
      { .columns = "NS,TYPE,PATH,NPROCS,PID,PPID,UID,USER,NETNSID,NSFS,PNS,ONS,COMMAND" } },
    { { "lsns", "-p", "1" }, { .task = 1 } },
};

static void compare(const struct comparison *comparison, pid_t init)
{
    const char *words[16] = { "nsenter", "-t", target_of(init), "-m", "-u", "-i", "-n", "-p" };
    memcpy(words + 8, comparison->arguments, sizeof comparison->arguments - sizeof words[0]);
    char *theirs = run_program(words);
    struct sleeper stand_in = join(init);
    struct lens_lsns_options options = comparison->options;
    options.inside = target_of(init);
    struct printed ours = print_lsns(&options, NULL);
    sleeper_end(&stand_in);
    CHECK_STR(ours.text, theirs == NULL ? "(lsns could not be run)" : theirs);
    CHECK_STR(ours.err.text, "");
    printed_done(&ours);
    free(theirs);
}

TEST(prints_what_lsns_prints_inside)
{
    const char *const version[] = { "lsns", "--version", NULL };
    struct sleeper container = { 0 };
    char *text = run_program(version);
    bool is_238 = text != NULL && strstr(text, "2.38") != NULL;
    free(text);
    if (!is_238)
        SKIP("util-linux 2.38's lsns is not installed");
    if (!container_start(&container))
        SKIP("needs CAP_SYS_ADMIN");
    for (size_t i = 0; i < CL_COUNT(comparisons); i++)
        compare(&comparisons[i], container.pid);
    sleeper_end(&container);
}

/* ---- users of the container's own ---- */

struct rootfs {
    char dir[64];
    int ready[2], go[2];
};

/* uid 0 inside; the parent writes the map and lets us go on. */
static int user_setup(void *context)
{
    struct rootfs *rootfs = context;
    char byte;
    if (write(rootfs->ready[1], "r", 1) != 1 || read(rootfs->go[0], &byte, 1) != 1 ||
        setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return -1;
    return chroot(rootfs->dir);
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

static void map_user(struct rootfs *rootfs, pid_t pid)
{
    char path[64], byte;
    CHECK(read(rootfs->ready[0], &byte, 1) == 1);
    (void)CL_PRINT(path, "/proc/%d/uid_map", (int)pid);
    write_text(path, "0 100000 1000");
    (void)CL_PRINT(path, "/proc/%d/gid_map", (int)pid);
    write_text(path, "0 100000 1000");
    CHECK(write(rootfs->go[1], "g", 1) == 1);
}

static void make_rootfs(struct rootfs *rootfs)
{
    char path[96];
    (void)CL_PRINT(rootfs->dir, "/tmp/lens-root-XXXXXX");
    CHECK(mkdtemp(rootfs->dir) != NULL && chmod(rootfs->dir, 0755) == 0);
    (void)CL_PRINT(path, "%s/etc", rootfs->dir);
    CHECK(mkdir(path, 0755) == 0);
    (void)CL_PRINT(path, "%s/etc/passwd", rootfs->dir);
    write_text(path, "queen:x:0:0::/:\n");
    CHECK(pipe2(rootfs->ready, O_CLOEXEC) == 0 && pipe2(rootfs->go, O_CLOEXEC) == 0);
}

TEST(users_are_named_by_the_container)
{
    struct rootfs rootfs;
    struct sleeper mapper = { 0 };
    if (geteuid() != 0)
        SKIP("needs root to map user ids");
    make_rootfs(&rootfs);
    /* The child waits for its map, so another child writes it while sleeper_start waits for the child. */
    (void)fflush(NULL);
    int told[2];
    CHECK(pipe2(told, O_CLOEXEC) == 0);
    mapper.pid = fork();
    if (mapper.pid == 0) {
        pid_t pid = 0;
        if (read(told[0], &pid, sizeof pid) == (ssize_t)sizeof pid)
            map_user(&rootfs, pid);
        _exit(0);
    }
    pid_t pid =
        (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (user_setup(&rootfs) < 0)
            _exit(1);
        (void)!write(told[1], "", 1);
        for (;;)
            (void)pause();
    }
    CHECK(write(told[1], &pid, sizeof pid) == (ssize_t)sizeof pid);
    (void)waitpid(mapper.pid, NULL, 0);
    char byte;
    CHECK(read(told[0], &byte, 1) == 1);
    struct sleeper user = { .pid = pid };
    struct lens_lsns_options options = { .inside = target_of(pid),
                                         .types = 1U << K_NS_PID,
                                         .columns = "PID,PPID,UID,USER",
                                         .no_headings = true };
    struct printed inside = print_lsns(&options, NULL);
    CHECK_STR(inside.err.text, "");
    CHECK_CONTAINS(inside.text, "queen");
    CHECK_INT(count_lines(inside.text, ""), 1);
    struct lens_view_options view = { .target = target_of(pid) };
    struct printed sides = { 0 };
    FILE *out = open_memstream(&sides.text, &sides.size);
    CHECK_INT(lens_view(&view, NULL, out, &sides.err), 0);
    (void)fclose(out);
    CHECK_CONTAINS(sides.text, "| 0 (queen)");
    CHECK_CONTAINS(sides.text, "100000");
    printed_done(&inside);
    printed_done(&sides);
    sleeper_end(&user);
    cl_remove_tree(AT_FDCWD, rootfs.dir, NULL);
}

/* ---- view ---- */

static struct cl_json *view_json(pid_t pid)
{
    struct lens_view_options options = { .target = target_of(pid), .json = true };
    struct printed printed = { 0 };
    struct cl_json *document = NULL;
    FILE *out = open_memstream(&printed.text, &printed.size);
    CHECK_INT(lens_view(&options, NULL, out, &printed.err), 0);
    (void)fclose(out);
    CHECK_STR(printed.err.text, "");
    CHECK_INT(cl_json_parse(printed.text, printed.size, 1 << 20, &document, NULL), 0);
    printed_done(&printed);
    return document;
}

static const char *field(const struct cl_json *document, const char *section, const char *name,
                         const char *side)
{
    const struct cl_json *row = cl_json_get(cl_json_get(document, section), name);
    return cl_json_string(cl_json_get(row, side));
}

TEST(view_shows_both_sides)
{
    struct sleeper container = { 0 };
    struct utsname ours;
    char pid[16];
    if (!container_start(&container))
        SKIP("needs CAP_SYS_ADMIN");
    (void)uname(&ours);
    (void)CL_PRINT(pid, "%d", (int)container.pid);
    CL_AUTO(cl_json_unref) struct cl_json *document = view_json(container.pid);
    sleeper_end(&container);
    CHECK_STR(field(document, "process", "pid", "host"), pid);
    CHECK_STR(field(document, "process", "pid", "inside"), "1");
    CHECK_STR(field(document, "process", "parent", "inside"), "0");
    CHECK_STR(field(document, "process", "hostname", "host"), ours.nodename);
    CHECK_STR(field(document, "process", "hostname", "inside"), "glass");
    CHECK_STR(field(document, "namespaces", "uts", "verdict"), "own");
    CHECK_STR(field(document, "namespaces", "pid", "verdict"), "own");
    CHECK_STR(field(document, "namespaces", "net", "verdict"), "own");
    CHECK_STR(field(document, "namespaces", "user", "verdict"), "shared");
    CHECK_STR(field(document, "namespaces", "time", "verdict"), "shared");
    CHECK_INT(cl_json_count(cl_json_get(document, "shared")), 3); /* time, cgroup, user */
}

TEST(view_shows_network_mounts_and_rights)
{
    struct sleeper container = { 0 };
    if (!container_start(&container))
        SKIP("needs CAP_SYS_ADMIN");
    CL_AUTO(cl_json_unref) struct cl_json *document = view_json(container.pid);
    sleeper_end(&container);
    CHECK_STR(field(document, "network", "interfaces", "inside"), "lo");
    const struct cl_json *links = cl_json_get(cl_json_get(document, "network"), "interface");
    CHECK_STR(cl_json_string(cl_json_get(cl_json_at(links, 0), "inside")),
              "lo: no address (down, mtu 65536)");
    CHECK_CONTAINS(field(document, "ipc", "shared memory", "inside"), "0 segments");
    CHECK_STR(field(document, "clock", "uptime", "inside"), "the host's");
    CHECK_STR(field(document, "security", "no_new_privs", "inside"), "off");
    const struct cl_json *masked = cl_json_get(cl_json_get(document, "files"), "masked");
    CHECK_INT(cl_json_count(masked), 1);
    CHECK_STR(cl_json_string(cl_json_get(cl_json_at(masked, 0), "inside")), "/proc/bus");
    const struct cl_json *binds = cl_json_get(cl_json_get(document, "files"), "from the host");
    bool is_found = false;
    for (size_t i = 0; i < cl_json_count(binds); i++)
        is_found =
            is_found ||
            (cl_streq(cl_json_string(cl_json_get(cl_json_at(binds, i), "host")), "/etc/passwd") &&
             cl_streq(cl_json_string(cl_json_get(cl_json_at(binds, i), "inside")),
                      "/etc/group (read-only)"));
    CHECK(is_found);
}

TEST(diff_says_only_what_differs)
{
    struct sleeper container = { 0 };
    struct printed printed = { 0 };
    struct cl_json *document = NULL;
    if (!container_start(&container))
        SKIP("needs CAP_SYS_ADMIN");
    struct lens_diff_options options = { .a = "host", .b = target_of(container.pid), .json = true };
    FILE *out = open_memstream(&printed.text, &printed.size);
    CHECK_INT(lens_diff(&options, NULL, out, &printed.err), 0);
    (void)fclose(out);
    sleeper_end(&container);
    CHECK_STR(printed.err.text, "");
    CHECK_INT(cl_json_parse(printed.text, printed.size, 1 << 20, &document, NULL), 0);
    const struct cl_json *rows = cl_json_get(document, "differences");
    bool has_user = false, has_host_name = false, has_mount = false;
    int namespaces = 0;
    for (size_t i = 0; i < cl_json_count(rows); i++) {
        const struct cl_json *row = cl_json_at(rows, i);
        const char *ns = cl_json_string(cl_json_get(row, "namespace"));
        const char *name = cl_json_string(cl_json_get(row, "name"));
        const char *b = cl_json_string(cl_json_get(row, "b"));
        namespaces += ns != NULL;
        has_user = has_user || cl_streq(ns, "user");
        has_host_name = has_host_name || (cl_streq(name, "hostname") && cl_streq(b, "glass"));
        has_mount =
            has_mount || (cl_streq(name, "mount") && b != NULL && strstr(b, "/etc/group: ") == b);
    }
    CHECK_INT(namespaces, 5);
    CHECK(!has_user);
    CHECK(has_host_name);
    CHECK(has_mount);
    cl_json_unref(document);
    printed_done(&printed);
}

TEST(diff_of_a_process_with_itself_is_empty)
{
    struct lens_diff_options options = { .a = target_of(getpid()), .b = "host" };
    struct printed printed = { 0 };
    char self[16];
    (void)CL_PRINT(self, "%s", options.a);
    options.a = options.b = self;
    FILE *out = open_memstream(&printed.text, &printed.size);
    CHECK_INT(lens_diff(&options, NULL, out, &printed.err), 0);
    (void)fclose(out);
    CHECK_STR(printed.text, "\nSame namespaces: time, uts, ipc, net, cgroup, mnt, pid, user\n");
    printed_done(&printed);
}

TEST(view_of_a_host_process_is_all_shared)
{
    struct sleeper sleeper = { 0 };
    struct lens_view_options options = { 0 };
    struct printed printed = { 0 };
    CHECK(sleeper_start(&sleeper, 0, NULL, NULL));
    options.target = target_of(sleeper.pid);
    FILE *out = open_memstream(&printed.text, &printed.size);
    CHECK_INT(lens_view(&options, NULL, out, &printed.err), 0);
    (void)fclose(out);
    sleeper_end(&sleeper);
    for (int type = 0; type < K_NS_COUNT; type++) {
        char label[32];
        (void)CL_PRINT(label, "\n%s namespace", k_ns_table[type].name);
        const char *line = strstr(printed.text, label);
        CHECK(line != NULL &&
              memmem(line, strcspn(line + 1, "\n") + 1, "shared with host", 16) != NULL);
    }
    CHECK_CONTAINS(printed.text, "| INSIDE");
    printed_done(&printed);
}

TEST(looking_changes_nothing)
{
    struct sleeper container = { 0 };
    char before[64] = { 0 }, after[64] = { 0 };
    if (!container_start(&container))
        SKIP("needs CAP_SYS_ADMIN");
    static const char *const links[] = { "/proc/self/ns/uts", "/proc/self/ns/mnt",
                                         "/proc/self/ns/net", "/proc/self/ns/pid" };
    for (size_t i = 0; i < CL_COUNT(links); i++) {
        CHECK(readlink(links[i], before, sizeof before - 1) > 0);
        CL_AUTO(cl_json_unref) struct cl_json *document = view_json(container.pid);
        CHECK(readlink(links[i], after, sizeof after - 1) > 0);
        CHECK_STR(after, before);
    }
    CHECK(waitpid(-1, NULL, WNOHANG) ==
          0); /* the container is our only child: no throwaway one is left */
    sleeper_end(&container);
}

TEST(view_refuses_what_is_not_there)
{
    struct lens_view_options options = { .target = "4194303" };
    struct cl_error err = { 0 };
    CHECK(lens_view(&options, NULL, stdout, &err) < 0);
    CHECK_CONTAINS(err.text, "no process 4194303");
    CHECK_INT(err.kind, CL_KIND_NOT_FOUND);
}

/* ---- pid ---- */

static struct printed print_pid(const char *process, const char *inside, bool json)
{
    struct lens_pid_options options = {
        .process = process, .inside = inside, .json = json, .no_headings = true
    };
    struct printed printed = { 0 };
    FILE *out = open_memstream(&printed.text, &printed.size);
    printed.code = lens_pid_map(&options, NULL, out, &printed.err);
    (void)fclose(out);
    return printed;
}

TEST(pid_is_found_from_both_sides)
{
    struct sleeper container = { 0 };
    char outside[16], host_pid[24];
    if (!container_start(&container))
        SKIP("needs CAP_SYS_ADMIN");
    (void)CL_PRINT(outside, "%d", (int)container.pid);
    struct printed from_here = print_pid(outside, NULL, false);
    struct printed from_there = print_pid("1", outside, false);
    CHECK_INT(from_here.code, 0);
    CHECK_STR(from_there.text, from_here.text);
    CHECK_INT(count_lines(from_here.text, ""), 2);
    CHECK_CONTAINS(from_here.text, "(host)");
    (void)CL_PRINT(host_pid, " %s\n", outside);
    CHECK_CONTAINS(from_here.text, host_pid);
    struct printed nested = print_pid("3", outside, true); /* the namespace in the container */
    CL_AUTO(cl_json_unref) struct cl_json *document = NULL;
    CHECK_INT(cl_json_parse(nested.text, nested.size, 65536, &document, NULL), 0);
    const struct cl_json *levels = cl_json_get(document, "levels");
    CHECK_INT(cl_json_count(levels), 3);
    CHECK_INT(cl_json_int(cl_json_get(cl_json_at(levels, 1), "pid")), 3);
    CHECK_INT(cl_json_int(cl_json_get(cl_json_at(levels, 2), "pid")), 1);
    struct printed none = print_pid("77", outside, false);
    CHECK(none.code < 0);
    CHECK_CONTAINS(none.err.text, "no process 77 inside");
    printed_done(&from_here);
    printed_done(&from_there);
    printed_done(&nested);
    printed_done(&none);
    sleeper_end(&container);
}

TEST(pid_refuses_words)
{
    struct printed word = print_pid("x", "1", false);
    CHECK(word.code < 0);
    CHECK_CONTAINS(word.err.text, "x is no pid");
    printed_done(&word);
}

TEST_MAIN
