/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the component tests share: a root file system made out of the machine's static busybox, a
 * container with an engine-like spec in it, and what it printed. Everything lies in one temporary
 * directory and one cgroup of the test's own.
 */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/hook.h"
#include "runtime/runtime.h"
#include "test.h"

#define BUSYBOX "/bin/busybox"

struct world {
    char dir[64];    /* the test's own */
    char rootfs[80]; /* DIR/rootfs */
    char cgroup[64];
    struct oci_spec *spec;
    struct runtime_options options;
    struct runtime_facts facts;
    struct runtime_plan *plan;
    struct runtime_io io;
    int out_read;
    struct runtime_process process;
    struct cl_error err;
    bool has_facts;
};

static inline const char *cannot_run(void)
{
    if (geteuid() != 0)
        return "needs root";
    if (access(BUSYBOX, X_OK) != 0)
        return "needs /bin/busybox (busybox-static)";
    return NULL;
}

static inline bool copy_file(const char *from, const char *to)
{
    cl_auto_fd in = open(from, O_RDONLY | O_CLOEXEC);
    cl_auto_fd out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    char buffer[65536];
    ssize_t size;
    if (in < 0 || out < 0)
        return false;
    while ((size = read(in, buffer, sizeof buffer)) > 0)
        if (cl_write_full(out, buffer, (size_t)size) != size)
            return false;
    return size == 0;
}

static inline bool write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    cl_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd >= 0 && cl_write_full(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
           fchmod(fd, mode) == 0;
}

static inline bool make_rootfs(const char *path)
{
    static const char *const dirs[] = { "bin", "etc", "proc", "sys", "dev", "tmp", "root", "mnt" };
    static const char *const applets[] = {
        "sh",    "cat",      "ls",   "true",     "false", "sleep",  "id",   "env",
        "ps",    "mount",    "stat", "echo",     "pwd",   "test",   "grep", "dd",
        "tty",   "hostname", "head", "readlink", "kill",  "chroot", "wc",   "touch",
        "mkdir", "mknod",    "sort", "stty",     "ip",    "seq",    "umask"
    };
    char text[256];
    if (mkdir(path, 0755) < 0)
        return false;
    for (size_t i = 0; i < CL_COUNT(dirs); i++) {
        snprintf(text, sizeof text, "%s/%s", path, dirs[i]);
        if (mkdir(text, 0755) < 0)
            return false;
    }
    snprintf(text, sizeof text, "%s/bin/busybox", path);
    if (!copy_file(BUSYBOX, text))
        return false;
    for (size_t i = 0; i < CL_COUNT(applets); i++) {
        snprintf(text, sizeof text, "%s/bin/%s", path, applets[i]);
        if (symlink("busybox", text) < 0)
            return false;
    }
    return write_file(path, "etc/passwd",
                      "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n",
                      0644) &&
           write_file(path, "etc/group", "root:x:0:\nalice:x:1000:\nwheel:x:10:root,alice\n", 0644);
}

static inline bool world_open(struct world *world)
{
    *world = (struct world){
        .out_read = -EBADF,
        .io = { .in = -EBADF, .out = -EBADF, .err = -EBADF },
        .process = { .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .root_mount = -EBADF }
    };
    snprintf(world->dir, sizeof world->dir, "/tmp/cloche-test-XXXXXX");
    if (mkdtemp(world->dir) == NULL)
        return false;
    snprintf(world->rootfs, sizeof world->rootfs, "%s/rootfs", world->dir);
    snprintf(world->cgroup, sizeof world->cgroup, "cloche-test-%d/box", (int)getpid());
    world->spec = oci_spec_new_default();
    world->has_facts = runtime_facts_init(&world->facts, &world->err) >= 0;
    if (!world->has_facts)
        TEST_SAY("facts: %s", world->err.text);
    if (world->spec == NULL || !world->has_facts || !make_rootfs(world->rootfs))
        return false;
    world->options = (struct runtime_options){ .id = "box",
                                               .rootfs = { .path = world->rootfs },
                                               .root_mount = -EBADF,
                                               .cgroup_path = world->cgroup,
                                               .state_dir = world->dir,
                                               .use_default_seccomp = true,
                                               .die_with_parent = true };
    (void)oci_string_set(&world->spec->hostname, "box");
    return true;
}

static inline void world_shell(struct world *world, const char *script)
{
    const char *const args[] = { "sh", "-c", script, NULL };
    (void)oci_args_set(world->spec->process, args);
}

static inline bool world_streams(struct world *world)
{
    world->io.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return world->io.in >= 0 && cl_pipe(&world->out_read, &world->io.out) >= 0 &&
           (world->io.err = fcntl(world->io.out, F_DUPFD_CLOEXEC, 3)) >= 0;
}

static inline void world_close_streams(struct world *world)
{
    world->io.in = cl_close(world->io.in);
    world->io.out = cl_close(world->io.out);
    world->io.err = cl_close(world->io.err);
}

static inline void world_hook(struct oci_hook_list *list, const char *path)
{
    const struct oci_hook hook = { .path = (char *)(uintptr_t)path }; /* copied */
    (void)oci_hook_add(list, &hook);
}

/* One hook of each kind that runtime_create and runtime_start run. */
static inline void world_hooks(struct world *world)
{
    struct oci_hooks *hooks = &world->spec->hooks;
    world->options.bundle = world->dir;
    world_hook(&hooks->prestart, "/bin/true");
    world_hook(&hooks->create_runtime, "/bin/true");
    world_hook(&hooks->create_container, "/bin/true");
    world_hook(&hooks->start_container, "/bin/true");
}

/* Plan and create; nothing printed on failure (tests look at world->err). */
static inline int world_create(struct world *world)
{
    if (!world->io.terminal && !world_streams(world))
        return -EIO;
    int result =
        runtime_plan_new(world->spec, &world->options, &world->facts, &world->plan, &world->err);
    if (result >= 0)
        result = runtime_create(world->plan, &world->io, &world->process, &world->err);
    world_close_streams(world);
    return result;
}

static inline int world_start(struct world *world)
{
    int result = world_create(world);
    return result < 0 ? result : runtime_start(&world->process, &world->err);
}

static inline int world_wait(struct world *world)
{
    int status = -1;
    if (k_wait_pidfd(world->process.pidfd, 0, &status) < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Until end of file; the text is static. */
static inline const char *read_all(int fd)
{
    static char text[65536];
    ssize_t size = fd < 0 ? 0 : cl_read_full(fd, text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

/* Run a shell script in a new container; what it printed (both streams), exit code in *ret_code. */
static inline const char *world_run(struct world *world, const char *script, int *ret_code)
{
    world_shell(world, script);
    int result = world_start(world);
    if (result < 0) {
        TEST_SAY("start: %s", world->err.text);
        if (ret_code != NULL)
            *ret_code = result;
        return "";
    }
    const char *text = read_all(world->out_read);
    int code = world_wait(world);
    if (ret_code != NULL)
        *ret_code = code;
    return text;
}

static inline bool cgroup_is_left(const struct world *world)
{
    for (size_t i = 0; i < world->facts.cgroups.count; i++) {
        int root = world->facts.cgroups.hierarchies[i].root_fd;
        if (faccessat(root, world->cgroup, F_OK, 0) == 0)
            return true;
    }
    return false;
}

/* Everything away, and a look at what is left. */
static inline void world_close(struct world *world)
{
    char parent[64];
    struct cl_error err = { 0 };
    if (world->process.pidfd >= 0 && runtime_destroy(&world->process, &err) < 0)
        TEST_SAY("destroy: %s", err.text);
    runtime_process_done(&world->process);
    runtime_plan_free(world->plan);
    oci_spec_free(world->spec);
    world_close_streams(world);
    world->out_read = cl_close(world->out_read);
    if (world->has_facts) {
        CHECK(!cgroup_is_left(world));
        snprintf(parent, sizeof parent, "cloche-test-%d", (int)getpid());
        (void)cgroup_remove(&world->facts.cgroups, parent);
        runtime_facts_done(&world->facts);
    }
    if (cl_remove_tree(AT_FDCWD, world->dir, &err) < 0)
        TEST_SAY("leftovers in %s: %s", world->dir, err.text);
}

/* Another run with the same directory: the plan and the process of the last one go. */
static inline void world_again(struct world *world)
{
    struct cl_error err = { 0 };
    if (world->process.pidfd >= 0 && runtime_destroy(&world->process, &err) < 0)
        TEST_SAY("destroy: %s", err.text);
    runtime_process_done(&world->process);
    runtime_plan_free(world->plan);
    world->plan = NULL;
    world->out_read = cl_close(world->out_read);
    world->err = (struct cl_error){ 0 };
}
