/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: the least C program that makes what a container of ours is, so that "how much slower
 * than possible" has a number.
 *
 *   floor [-o LOWER,UPPER,WORK] [-c CGROUP] ROOTFS COMMAND...    run COMMAND in a new container
 *   floor -e PID COMMAND...    run it in the namespaces of PID: setns + fork + exec
 *
 * The same world as src/runtime makes with its default spec: seven namespaces (mnt pid net ipc uts
 * cgroup time), overlay or directory as root, the same mounts (proc, /dev with devpts shm mqueue,
 * sysfs, every cgroup hierarchy), the same devices and links, masks and read-only paths, 11
 * capabilities, the same cgroup in every hierarchy with the same device rules (a program where there
 * is no v1; the child joins v1 by `tasks`, is born in v2), lo up, host name, session keyring, private
 * propagation, pivot_root.
 * What it leaves out is what makes a container engine: no specification, no checks, no paths
 * resolved with suspicion, no error texts, no seccomp filter, no record of anything, one file. On
 * an error it says the line and dies. Not a tool: it trusts its arguments and the image.
 *
 *   cc -O2 -static -o floor bench/floor.c        (any libc with the mount API: glibc 2.36)
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(call)                                                                                 \
    __extension__({                                                                                \
        long result_ = (long)(call);                                                               \
        if (result_ < 0)                                                                           \
            die(__LINE__, #call);                                                                  \
        result_;                                                                                   \
    })
static void die(int line, const char *call)
{
    fprintf(stderr, "floor.c:%d: %s: %s\n", line, call, strerror(errno));
    _exit(125);
}

#define HIERARCHIES 16
static int groups[HIERARCHIES];     /* the group's directory */
static char names[HIERARCHIES][64]; /* "memory"; "" is v2 */
static int group_count, v2 = -1;

/* ---- cgroup ---- */

static void write_at(int dir, const char *file, const char *const *texts)
{
    int fd = (int)MUST(openat(dir, file, O_WRONLY | O_CLOEXEC));
    for (; *texts != NULL; texts++)
        MUST(write(fd, *texts, strlen(*texts)));
    close(fd);
}

static void copy_file(int from, int to, const char *file)
{
    char text[4096];
    int in = (int)MUST(openat(from, file, O_RDONLY | O_CLOEXEC));
    ssize_t size = MUST(read(in, text, sizeof text));
    close(in);
    int out = (int)MUST(openat(to, file, O_WRONLY | O_CLOEXEC));
    MUST(write(out, text, (size_t)size));
    close(out);
}

static void device_rules(int dir)
{
    static const char *const deny[] = { "a", NULL };
    static const char *const allow[] = { "c *:* m",   "b *:* m",     "c 1:3 rwm", "c 1:5 rwm",
                                         "c 1:7 rwm", "c 1:8 rwm",   "c 1:9 rwm", "c 5:0 rwm",
                                         "c 5:2 rwm", "c 136:* rwm", NULL };
    write_at(dir, "devices.deny", deny);
    write_at(dir, "devices.allow", allow);
}

/* v2. Of a character device: type << 32 | major << 20 | minor, and what is asked of it. */
static void device_filter(int dir)
{
#define INSN(op, dst, src, offset, value)                                                          \
    {                                                                                              \
        (op), (dst), (src), (offset), (value)                                                      \
    }
#define DEVICE(major, minor, jump)                                                                 \
    INSN(BPF_JMP32 | BPF_JEQ | BPF_K, 2, 0, (jump), (major) << 20 | (minor))
    const struct bpf_insn code[] = {
        INSN(BPF_LDX | BPF_MEM | BPF_W, 3, 1, 0, 0),
        INSN(BPF_JMP | BPF_JSET | BPF_K, 3, 0, 1, 6 << 16), /* mknod alone: anything */
        INSN(BPF_JMP | BPF_JA, 0, 0, 16, 0),
        INSN(BPF_ALU64 | BPF_AND | BPF_K, 3, 0, 0, 0xffff),
        INSN(BPF_JMP | BPF_JNE | BPF_K, 3, 0, 12, BPF_DEVCG_DEV_CHAR),
        INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 4, 0),
        INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 12, 136),
        INSN(BPF_ALU64 | BPF_LSH | BPF_K, 2, 0, 0, 20),
        INSN(BPF_LDX | BPF_MEM | BPF_W, 4, 1, 8, 0),
        INSN(BPF_ALU64 | BPF_OR | BPF_X, 2, 4, 0, 0),
        DEVICE(1, 3, 8),
        DEVICE(1, 5, 7),
        DEVICE(1, 7, 6),
        DEVICE(1, 8, 5),
        DEVICE(1, 9, 4),
        DEVICE(5, 0, 3),
        DEVICE(5, 2, 2),
        INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
        INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
        INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
        INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
    union bpf_attr load, attach;
    memset(&load, 0, sizeof load);
    memset(&attach, 0, sizeof attach);
    load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    load.insn_cnt = sizeof code / sizeof code[0];
    load.insns = (unsigned long)code;
    load.license = (unsigned long)"Apache-2.0";
    int fd = (int)MUST(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load));
    attach.target_fd = (unsigned)dir;
    attach.attach_bpf_fd = (unsigned)fd;
    attach.attach_type = BPF_CGROUP_DEVICE;
    attach.attach_flags = BPF_F_ALLOW_MULTI;
    MUST(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach));
    close(fd);
}

static void add_group(const char *top, const char *controllers, const char *name)
{
    char path[256];
    int is_v2 = controllers[0] == '\0';
    const char *directory = is_v2 ? "unified" : controllers;
    if (strncmp(directory, "name=", 5) == 0)
        directory += 5;
    snprintf(path, sizeof path, "%s/%s", top, directory);
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), is_alone = root < 0 && is_v2;
    if (is_alone) /* a pure v2 host, or v2 not mounted */
        root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs;
    if (root < 0 || fstatfs(root, &fs) < 0)
        return;
    if (fs.f_type != CGROUP_SUPER_MAGIC &&
        fs.f_type != CGROUP2_SUPER_MAGIC) { /* a bare mount point */
        close(root);
        return;
    }
    if (mkdirat(root, name, 0755) < 0 && errno != EEXIST)
        die(__LINE__, "mkdirat");
    int fd = (int)MUST(openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (strcmp(controllers, "cpuset") == 0) {
        copy_file(root, fd, "cpuset.cpus");
        copy_file(root, fd, "cpuset.mems");
    }
    if (strcmp(controllers, "devices") == 0)
        device_rules(fd);
    if (is_alone)
        device_filter(fd);
    close(root);
    snprintf(names[group_count], sizeof names[0], "%s", is_v2 ? "" : directory);
    if (is_v2)
        v2 = fd;
    groups[group_count++] = fd;
}

static void make_groups(const char *name)
{
    char text[4096];
    int fd = (int)MUST(open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC));
    ssize_t size = MUST(read(fd, text, sizeof text - 1));
    close(fd);
    text[size] = '\0';
    for (char *line = text; *line != '\0' && group_count < HIERARCHIES;) {
        char *controllers = strchr(line, ':') + 1, *path = strchr(controllers, ':');
        char *end = strchr(path, '\n');
        *path = '\0';
        add_group("/sys/fs/cgroup", controllers, name);
        line = end + 1;
    }
}

static void remove_groups(const char *name)
{
    for (int i = 0; i < group_count; i++) {
        char path[256];
        const char *slash = strrchr(name, '/');
        snprintf(path, sizeof path, "../%s", slash != NULL ? slash + 1 : name);
        MUST(unlinkat(groups[i], path, AT_REMOVEDIR));
    }
}

/* ---- the child ---- */

static int new_fs(const char *type, const char *const *options, unsigned attributes)
{
    int fs = (int)MUST(fsopen(type, FSOPEN_CLOEXEC));
    for (; options != NULL && options[0] != NULL; options += 2)
        MUST(fsconfig(fs, options[1] != NULL ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, options[0],
                      options[1], 0));
    MUST(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    int fd = (int)MUST(fsmount(fs, FSMOUNT_CLOEXEC, attributes));
    close(fs);
    return fd;
}

static void attach(int tree, int root, const char *path)
{
    MUST(move_mount(tree, "", root, path, MOVE_MOUNT_F_EMPTY_PATH));
}

static void readonly(int fd)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
    MUST(mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof attr));
}

static void mount_cgroups(int root, const int *trees)
{
    static const char *const options[] = { "mode", "755", NULL, NULL };
    const unsigned flags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    struct mount_attr attr = { .attr_set = flags | MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE };
    if (group_count == 1 && names[0][0] == '\0') {
        MUST(mount_setattr(trees[0], "", AT_EMPTY_PATH, &attr, sizeof attr));
        attach(trees[0], root, "sys/fs/cgroup");
        return;
    }
    int top = new_fs("tmpfs", options, flags);
    attach(top, root, "sys/fs/cgroup");
    for (int i = 0; i < group_count; i++) {
        const char *name = names[i][0] == '\0' ? "unified" : names[i];
        MUST(mkdirat(top, name, 0755));
        MUST(mount_setattr(trees[i], "", AT_EMPTY_PATH, &attr, sizeof attr));
        attach(trees[i], top, name);
    }
    readonly(top);
    close(top);
}

static void mounts(int root, const int *trees)
{
    static const char *const dev[] = { "mode", "755", "size", "65536k", NULL, NULL };
    static const char *const pts[] = { "newinstance", NULL,  "ptmxmode", "0666", "mode",
                                       "0620",        "gid", "5",        NULL,   NULL };
    static const char *const shm[] = { "mode", "1777", "size", "65536k", NULL, NULL };
    const unsigned all = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    attach(new_fs("proc", NULL, all), root, "proc");
    int fd = new_fs("tmpfs", dev, MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);
    attach(fd, root, "dev");
    MUST(mkdirat(fd, "pts", 0755) | mkdirat(fd, "shm", 0755) | mkdirat(fd, "mqueue", 0755));
    attach(new_fs("devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC), fd, "pts");
    attach(new_fs("sysfs", NULL, all | MOUNT_ATTR_RDONLY), root, "sys");
    mount_cgroups(root, trees);
    attach(new_fs("mqueue", NULL, all), fd, "mqueue");
    attach(new_fs("tmpfs", shm, all), fd, "shm");
    static const struct {
        const char *name;
        unsigned major, minor;
    } devices[] = { { "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
                    { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 } };
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        MUST(mknodat(fd, devices[i].name, S_IFCHR | 0666,
                     makedev(devices[i].major, devices[i].minor)));
    MUST(symlinkat("/proc/self/fd", fd, "fd") | symlinkat("/proc/self/fd/0", fd, "stdin") |
         symlinkat("/proc/self/fd/1", fd, "stdout") | symlinkat("/proc/self/fd/2", fd, "stderr") |
         symlinkat("pts/ptmx", fd, "ptmx"));
    close(fd);
}

static int make_mask(void)
{
    static const char *const options[] = { "mode", "755", NULL, NULL };
    int fd = new_fs("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    attach(fd, AT_FDCWD, "/proc");
    MUST(mknodat(fd, "null", S_IFCHR | 0666, makedev(1, 3)));
    MUST(mkdirat(fd, "empty", 0555));
    readonly(fd);
    return fd;
}

static void masks(int root, int mask)
{
    static const char *const masked[] = { "proc/acpi",
                                          "proc/asound",
                                          "proc/interrupts",
                                          "proc/kcore",
                                          "proc/keys",
                                          "proc/latency_stats",
                                          "proc/sched_debug",
                                          "proc/scsi",
                                          "proc/timer_list",
                                          "proc/timer_stats",
                                          "sys/devices/virtual/powercap",
                                          "sys/firmware",
                                          "sys/fs/selinux",
                                          NULL };
    static const char *const ro[] = { "proc/bus",           "proc/fs", "proc/irq", "proc/sys",
                                      "proc/sysrq-trigger", NULL };
    for (const char *const *path = masked; *path != NULL; path++) {
        struct stat info;
        if (fstatat(root, *path, &info, 0) < 0)
            continue;
        int tree = (int)MUST(open_tree(mask, S_ISDIR(info.st_mode) ? "empty" : "null",
                                       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
        attach(tree, root, *path);
        close(tree);
    }
    for (const char *const *path = ro; *path != NULL; path++) {
        int tree =
            open_tree(root, *path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (unsigned)AT_RECURSIVE);
        if (tree < 0)
            continue;
        readonly(tree);
        attach(tree, root, *path);
        close(tree);
    }
}

static void loopback_up(void)
{
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    MUST(ioctl(fd, SIOCSIFFLAGS, &request));
    close(fd);
}

static void drop_capabilities(void)
{
    const unsigned long long keep = 0x800405fb; /* the 11 of the default spec */
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = {
        { .effective = (unsigned)keep, .permitted = (unsigned)keep }, { 0 }
    };
    for (int i = 0; i <= 40; i++)
        if ((keep >> i & 1) == 0)
            MUST(prctl(PR_CAPBSET_DROP, i, 0, 0, 0));
    MUST(syscall(SYS_setgroups, 0, NULL));
    MUST(syscall(SYS_capset, &header, data));
}

static void child(int root, const int *trees, char **command)
{
    static const char *const zero[] = { "0", NULL };
    for (int i = 0; i < group_count; i++)
        if (groups[i] != v2)
            write_at(groups[i], "tasks", zero);
    MUST(unshare(CLONE_NEWCGROUP));
    MUST(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
    umask(0);
    int mask = make_mask();
    attach(root, AT_FDCWD, "/");
    mounts(root, trees);
    masks(root, mask);
    MUST(fchdir(root));
    MUST(syscall(SYS_pivot_root, ".", "."));
    MUST(umount2(".", MNT_DETACH));
    MUST(chdir("/"));
    loopback_up();
    MUST(sethostname("floor", 5));
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_ses.floor");
    umask(022);
    setsid();
    MUST(close_range(3, ~0u, CLOSE_RANGE_CLOEXEC));
    drop_capabilities();
    MUST(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    MUST(execvp(command[0], command));
}

/* ---- the parent ---- */

static int open_root(const char *overlay, const char *directory)
{
    if (overlay == NULL) {
        struct mount_attr attr = { .propagation = MS_PRIVATE };
        int fd = (int)MUST(open_tree(AT_FDCWD, directory,
                                     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (unsigned)AT_RECURSIVE));
        MUST(mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr));
        return fd;
    }
    char *text = strdup(overlay), *lower = text;
    char *upper = strchr(lower, ',');
    char *work = upper != NULL ? strchr(upper + 1, ',') : NULL;
    if (work == NULL) {
        errno = EINVAL;
        die(__LINE__, "-o LOWER,UPPER,WORK");
    }
    *upper++ = '\0';
    *work++ = '\0';
    /* What the last run with this directory left: a volatile overlay refuses to be mounted again. */
    char mark[512];
    snprintf(mark, sizeof mark, "%s/work/incompat/volatile/dirty", work);
    unlink(mark);
    snprintf(mark, sizeof mark, "%s/work/incompat/volatile", work);
    rmdir(mark);
    snprintf(mark, sizeof mark, "%s/work/incompat", work);
    rmdir(mark);
    const char *const options[] = { "source",  "overlay", "lowerdir", lower, "upperdir", upper,
                                    "workdir", work,      "volatile", NULL,  NULL,       NULL };
    return new_fs("overlay", options, 0);
}

static int wait_for(pid_t pid)
{
    int status = 0;
    MUST(waitpid(pid, &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(const char *overlay, const char *directory, const char *name, char **command)
{
    int trees[HIERARCHIES], root = open_root(overlay, directory);
    make_groups(name);
    for (int i = 0; i < group_count; i++)
        trees[i] = (int)MUST(
            open_tree(groups[i], "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
    struct clone_args arguments = { .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                             CLONE_NEWIPC | CLONE_NEWUTS | 0x80 /* CLONE_NEWTIME */,
                                    .exit_signal = SIGCHLD };
    if (v2 >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (unsigned)v2;
    }
    pid_t pid = (pid_t)MUST(syscall(SYS_clone3, &arguments, sizeof arguments));
    if (pid == 0)
        child(root, trees, command);
    int code = wait_for(pid);
    remove_groups(name);
    return code;
}

static int enter(const char *text, char **command)
{
    int pidfd = (int)MUST(syscall(SYS_pidfd_open, strtol(text, NULL, 10), 0));
    MUST(setns(pidfd, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                          CLONE_NEWCGROUP | 0x80));
    pid_t pid = (pid_t)MUST(fork());
    if (pid == 0) {
        drop_capabilities();
        MUST(execvp(command[0], command));
    }
    return wait_for(pid);
}

int main(int argc, char **argv)
{
    const char *overlay = NULL, *target = NULL;
    char name[64];
    int option;
    snprintf(name, sizeof name, "floor-%d", (int)getpid());
    while ((option = getopt(argc, argv, "+o:c:e:")) != -1) {
        if (option == 'o')
            overlay = optarg;
        else if (option == 'c')
            snprintf(name, sizeof name, "%s", optarg);
        else if (option == 'e')
            target = optarg;
        else
            return 125;
    }
    argv += optind;
    if (argc - optind < (target != NULL ? 1 : 2)) {
        fprintf(stderr, "usage: floor [-o LOWER,UPPER,WORK] [-c CGROUP] ROOTFS COMMAND...\n"
                        "       floor -e PID COMMAND...\n");
        return 125;
    }
    return target != NULL ? enter(target, argv) : run(overlay, argv[0], name, argv + 1);
}
