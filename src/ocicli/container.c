/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of one container, ROOT/ID:
 *
 *   state.json    who it is; first written before anything is made, so that whatever dies later, `delete` knows what to undo
 *   state.next    what init of a container that runs through puts in its place when it is ready (create.c)
 *   config.json   the spec as it was at creation: exec needs it, and the bundle may change
 *   start         the socket on which its init waits for `start` (runtime_leave), which removes it
 *
 * The lock (flock on the directory) belongs to who changes something; who only looks takes none, since state.json is replaced atomically. What a container is doing is
 * never written down, it is looked up (status.c).
 */
#include "ocicli/private.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/regex.h"

#define SPEC_MAX (16 << 20)

#define STATE_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY)

#define END_PAUSE_MS 5
#define END_TRIES    2000

/* ---- ids and directories ---- */

static bool is_id_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '_' || character == '.' ||
           character == '+' || character == '-';
}

static int check_id(const char *id, struct cl_error *err)
{
    size_t length = strlen(id), allowed = 0;
    bool is_dots = cl_streq(id, ".") || cl_streq(id, "..");
    while (is_id_character(id[allowed]))
        allowed++;
    const char *reason = length == 0                   ? "must not be empty"
                         : length > NAME_MAX           ? "is longer than 255 bytes"
                         : is_dots || allowed < length ? "only letters, digits and _.+- are allowed"
                                                       : NULL;
    if (reason == NULL)
        return 0;
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "container id \"%.80s\": %s", id, reason);
}

static int missing(const char *id, struct cl_error *err)
{
    return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT, "container does not exist: %s", id);
}

static int open_root(const struct ocicli *cli, bool make, int *ret, struct cl_error *err)
{
    *ret = open(cli->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret < 0 && errno == ENOENT && make) {
        int result = cl_mkdir_p(AT_FDCWD, cli->root, 0700, err);
        if (result < 0)
            return result;
        *ret = open(cli->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    return *ret < 0 ? cl_fail(err, errno, "open the state directory %s", cli->root) : 0;
}

/* Locked, and still the directory of that name: whoever held the lock before us may have removed it. */
static int lock(int root, const char *id, int dir, int operation)
{
    struct stat now, ours;
    int result;
    do
        result = flock(dir, operation);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return -errno;
    if (fstat(dir, &ours) < 0 || fstatat(root, id, &now, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    return ours.st_ino == now.st_ino && ours.st_dev == now.st_dev ? 0 : -ENOENT;
}

static int exists(const char *id, struct cl_error *err)
{
    return cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST, "container with id exists: %s", id);
}

static int take_over(int root, const char *id, int dir, struct cl_error *err)
{
    int result = lock(root, id, dir, LOCK_EX | LOCK_NB);
    if (result >= 0 && faccessat(dir, "state.json", F_OK, 0) < 0)
        return 0;
    return exists(id, err);
}

int container_check_unused(const struct ocicli *cli, const char *id, struct cl_error *err)
{
    struct lookout lookout = LOOKOUT_NONE;
    if (lookout_open(cli, &lookout, NULL) < 0)
        return 0; /* no state directory: nobody has it */
    bool is_there = container_is_there(&lookout, id);
    lookout_done(&lookout);
    return is_there ? exists(id, err) : 0;
}

int container_claim(const struct ocicli *cli, const char *id, struct container *ret,
                    struct cl_error *err)
{
    cl_auto_fd root = -EBADF, dir = -EBADF;
    int result = check_id(id, err);
    if (result >= 0)
        result = open_root(cli, true, &root, err);
    if (result < 0)
        return result;
    bool is_new = mkdirat(root, id, 0700) == 0;
    if (!is_new && errno != EEXIST)
        return cl_fail(err, errno, "make %s/%s", cli->root, id);
    dir = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return cl_fail(err, errno, "open %s/%s", cli->root, id);
    result = take_over(root, id, dir, err);
    if (result < 0)
        return result;
    struct container found = { .dir = -EBADF, .id = cl_strdup(id), .created = cl_now_ns() };
    found.has_lock = true;
    found.owner = getuid();
    found.boot_id = cl_strdup(k_boot_id());
    if (found.id == NULL || found.boot_id == NULL) {
        container_done(&found);
        return cl_fail(err, ENOMEM, "create container %s", id);
    }
    found.dir = cl_take_fd(&dir);
    *ret = found;
    return 0;
}

void container_done(struct container *container)
{
    container->dir = cl_close(container->dir);
    free(container->id);
    free(container->bundle);
    free(container->rootfs);
    free(container->cgroup_path);
    free(container->boot_id);
    oci_map_done(&container->annotations);
    runtime_rdt_done(&container->rdt);
    *container = (struct container)CONTAINER_NONE;
}

void container_unlock(struct container *container)
{
    (void)flock(container->dir, LOCK_UN); /* ours: nothing to fail */
    container->has_lock = false;
}

/* ---- opening ---- */

/* fd: of state.json, or why it could not be opened. */
static int load(struct container *container, int fd, bool wants_annotations, struct cl_error *err)
{
    if (fd == -ENOENT)
        return missing(container->id, err);
    return fd < 0
               ? cl_fail(err, fd, "read the state of container %s: open state.json", container->id)
               : container_load(container, fd, wants_annotations, err);
}

/* What is wished of the lock; at the last, whoever is at work with the container does not have to be waited for: its init is ended. */
enum lock_wish { LOCK_NOT, LOCK_WAIT, LOCK_END };

/* Init where it hangs, such as a start whose hook never ends, or who is making it; -EALREADY: that one is left alone. Where neither can be told, whoever has the lock is
   waited for. */
static int end_holder(const struct container *locked, bool ends_maker)
{
    auto_container container = CONTAINER_NONE;
    container.id = cl_strdup(locked->id);
    cl_auto_fd fd =
        inroot_open(locked->dir, "state.json", STATE_FLAGS, 0, INROOT_NO_SYMLINKS, NULL);
    if (container.id == NULL || load(&container, fd, false, NULL) < 0)
        return 0;
    cl_auto_fd maker = container_maker(&container, locked->dir);
    if (!ends_maker)
        return maker >= 0 ? -EALREADY : 0;
    cl_auto_fd init = container_pidfd(&container, NULL);
    if (maker >= 0)
        container_end_maker(maker);
    if (init >= 0)
        (void)k_pidfd_send_signal(init, SIGKILL); /* in vain: it has just ended */
    return 0;
}

/* Nobody waits for a creation: it may hang in a hook, and is over when its caller says so. */
static int take_lock(int root, const struct container *container, enum lock_wish wish)
{
    int result =
        wish == LOCK_NOT ? 0 : lock(root, container->id, container->dir, LOCK_EX | LOCK_NB);
    if (result != -EWOULDBLOCK)
        return result;
    result = end_holder(container, wish == LOCK_END);
    return result < 0 ? result : lock(root, container->id, container->dir, LOCK_EX);
}

static int open_dir(const struct ocicli *cli, enum lock_wish wish, struct container *container,
                    struct cl_error *err)
{
    cl_auto_fd root = -EBADF;
    int result = open_root(cli, false, &root, NULL);
    if (result >= 0) {
        container->dir =
            openat(root, container->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        result = container->dir < 0 ? -errno : 0;
    }
    if (result >= 0)
        result = take_lock(root, container, wish);
    container->has_lock = wish != LOCK_NOT && result >= 0;
    if (result == -ENOENT)
        return missing(container->id, err);
    if (result == -EALREADY)
        return cl_fail_kind(err, CL_KIND_CONFLICT, result,
                            "container %s is still being created; delete --force ends that",
                            container->id);
    return result < 0 ? cl_fail(err, result, "open the state of container %s", container->id) : 0;
}

static int open_as(const struct ocicli *cli, const char *id, enum lock_wish wish, bool wants_state,
                   struct container *ret, struct cl_error *err)
{
    struct container found = { .dir = -EBADF };
    int result = check_id(id, err);
    if (result < 0)
        return result;
    found.id = cl_strdup(id);
    result = found.id == NULL ? cl_fail(err, ENOMEM, "open container %s", id)
                              : open_dir(cli, wish, &found, err);
    if (result >= 0 && wants_state) {
        cl_auto_fd fd =
            inroot_open(found.dir, "state.json", STATE_FLAGS, 0, INROOT_NO_SYMLINKS, NULL);
        result = load(&found, fd, true, err);
    }
    if (result < 0) {
        container_done(&found);
        return result;
    }
    *ret = found;
    return 0;
}

int lookout_open(const struct ocicli *cli, struct lookout *ret, struct cl_error *err)
{
    struct lookout found = LOOKOUT_NONE;
    int result = open_root(cli, false, &found.root, err);
    if (result >= 0)
        *ret = found;
    return result;
}

void container_path(char path[static 300], const char *id, const char *name)
{
    size_t size = strlen(id);
    memcpy(path, id, size);
    path[size] = '/';
    memcpy(path + size + 1, name, strlen(name) + 1);
}

bool container_is_there(const struct lookout *lookout, const char *id)
{
    char path[300];
    if (check_id(id, NULL) < 0)
        return false;
    container_path(path, id, "state.json");
    return faccessat(lookout->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int container_look(const struct lookout *lookout, const char *id, struct container *ret,
                   struct cl_error *err)
{
    char path[300];
    struct container found = { .dir = -EBADF };
    int result = check_id(id, err);
    if (result < 0)
        return result;
    container_path(path, id, "state.json");
    cl_auto_fd fd = inroot_open(lookout->root, path, STATE_FLAGS, 0, INROOT_NO_SYMLINKS, NULL);
    found.id = cl_strdup(id);
    result = found.id == NULL ? cl_fail(err, ENOMEM, "open container %s", id)
                              : load(&found, fd, lookout->wants_annotations, err);
    if (result < 0) {
        container_done(&found);
        return result;
    }
    *ret = found;
    return 0;
}

int container_open(const struct ocicli *cli, const char *id, bool wants_lock, struct container *ret,
                   struct cl_error *err)
{
    return open_as(cli, id, wants_lock ? LOCK_WAIT : LOCK_NOT, true, ret, err);
}

int container_open_to_end(const struct ocicli *cli, const char *id, struct container *ret,
                          struct cl_error *err)
{
    return open_as(cli, id, LOCK_END, true, ret, err);
}

int container_open_unread(const struct ocicli *cli, const char *id, struct container *ret,
                          struct cl_error *err)
{
    return open_as(cli, id, LOCK_WAIT, false, ret, err);
}

int container_read_spec(const struct container *container, struct oci_spec **ret,
                        struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    int result = cl_read_file(container->dir, "config.json", SPEC_MAX, &text, &size, err);
    return result < 0 ? cl_error_prefix(err, "container %s", container->id)
                      : oci_spec_read(text, size, ret, err);
}

static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int container_list(const struct ocicli *cli, char ***ret, struct cl_error *err)
{
    struct dirent **entries = NULL;
    char **ids = NULL;
    int count = scandir(cli->root, &entries, NULL, compare), result = 0;
    if (count < 0)
        return errno == ENOENT ? 0 : cl_fail(err, errno, "list %s", cli->root);
    for (int i = 0; i < count; i++) {
        if (result >= 0 && check_id(entries[i]->d_name, NULL) >= 0)
            result = cl_strv_append(&ids, entries[i]->d_name);
        free(entries[i]);
    }
    free((void *)entries);
    if (result < 0) {
        cl_strv_free(ids);
        return cl_fail(err, result, "list %s", cli->root);
    }
    *ret = ids;
    return 0;
}

int container_match(const struct ocicli *cli, const char *pattern, char ***ret,
                    struct cl_error *err)
{
    regex_t regex;
    CL_AUTO(cl_strv_free) char **ids = NULL;
    char **matches = NULL;
    int result = cl_regex_compile(&regex, pattern);
    if (result < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, -result, "--regex: \"%.80s\" %s", pattern,
                            cl_regex_error(result));
    result = container_list(cli, &ids, err);
    for (char **id = ids; result >= 0 && id != NULL && *id != NULL; id++)
        if (regexec(&regex, *id, 0, NULL, 0) == 0 && cl_strv_append(&matches, *id) < 0)
            result = cl_fail(err, ENOMEM, "list %s", cli->root);
    regfree(&regex);
    if (result >= 0)
        *ret = matches;
    else
        cl_strv_free(matches);
    return result;
}

/* ---- the start socket ---- */

/* By way of our descriptor: the state directory may be deeper than an address is long. */
static struct sockaddr_un address_of(int dir)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)CL_PRINT(address.sun_path, "/proc/self/fd/%d/start", dir);
    return address;
}

int container_listen(const struct container *container, struct cl_error *err)
{
    struct sockaddr_un address = address_of(container->dir);
    cl_auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    (void)unlinkat(container->dir, "start", 0); /* of a creation that was killed */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, 64) < 0)
        return cl_fail(err, errno, "make the start socket of container %s", container->id);
    return cl_take_fd(&fd);
}

int container_connect(int dir)
{
    struct sockaddr_un address = address_of(dir);
    cl_auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
        return -errno;
    return cl_take_fd(&fd);
}

/* ---- its control group ---- */

int group_open(const char *path, struct group *ret, struct cl_error *err)
{
    *ret = (struct group){ 0 };
    cl_auto_fd proc = procfs_open_host(err);
    int result = proc < 0 ? proc : cgroup_host_init(&ret->host, proc, err);
    if (result < 0)
        return result;
    result = path[0] == '\0'
                 ? cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOENT, "the container has no cgroup")
                 : cgroup_open(&ret->host, path, &ret->cgroup, err);
    if (result < 0)
        cgroup_host_done(&ret->host);
    ret->is_open = result >= 0;
    return result;
}

void group_done(struct group *group)
{
    if (!group->is_open)
        return;
    cgroup_done(&group->cgroup);
    cgroup_host_done(&group->host);
    group->is_open = false;
}

/* ---- its end ---- */

static int wait_gone(const struct container *container, int pidfd, struct cl_error *err)
{
    struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
    int result;
    do
        result = poll(&poll_fd, 1, 10000);
    while (result < 0 && errno == EINTR);
    return result > 0 ? 0
                      : cl_fail(err, result < 0 ? errno : ETIMEDOUT,
                                "wait for the end of container %s", container->id);
}

/* Init first: with a pid namespace of its own the rest dies with it, and init ends last: after a frozen one in some group below, too. */
static int kill_all(const struct container *container, struct group *group, struct cl_error *err)
{
    cl_auto_fd pidfd = container_pidfd(container, NULL);
    int result = 0;
    if (pidfd >= 0)
        result = k_pidfd_send_signal(pidfd, SIGKILL);
    if (result < 0 && result != -ESRCH)
        return cl_fail(err, result, "kill container %s", container->id);
    if (group->is_open && pidfd >= 0)
        cgroup_thaw_to_die(&group->cgroup); /* the wait below tells */
    if (pidfd >= 0)
        result = wait_gone(container, pidfd, err);
    if (result < 0 || !group->is_open || cgroup_is_empty(&group->cgroup))
        return result < 0 ? result : 0;
    result = cgroup_kill(&group->cgroup);
    if (result < 0)
        return cl_fail(err, result, "kill the processes of cgroup %s", container->cgroup_path);
    /* They end soon, yet on a busy machine not at once; cgroup v1 tells nobody of it. */
    for (int i = 0; i < END_TRIES && !cgroup_is_empty(&group->cgroup); i++)
        (void)poll(NULL, 0, END_PAUSE_MS);
    return 0;
}

int container_forget(const struct ocicli *cli, const struct container *container,
                     struct cl_error *err)
{
    cl_auto_fd root = -EBADF;
    int result = open_root(cli, false, &root, err);
    /* state.json goes first: what is left if we are killed in between is nobody's, and `create` takes it over. */
    if (result >= 0 && unlinkat(container->dir, "state.json", 0) < 0 && errno != ENOENT)
        result = cl_fail(err, errno, "remove the state of container %s", container->id);
    if (result < 0)
        return result;
    /* As a rule that leaves one file, and nothing to look for. */
    if (unlinkat(container->dir, "config.json", 0) == 0 &&
        unlinkat(root, container->id, AT_REMOVEDIR) == 0)
        return 0;
    return cl_remove_tree(root, container->id, err);
}

int container_destroy(const struct ocicli *cli, const struct container *container,
                      struct cl_error *err)
{
    struct group group = { 0 };
    int result = 0;
    if (container->cgroup_path[0] != '\0') {
        result = group_open(container->cgroup_path, &group, err);
        if (result == -ENOENT)
            result = 0; /* gone with a reboot, or never made */
    }
    if (result >= 0)
        result = kill_all(container, &group, err);
    if (result >= 0)
        result = runtime_rdt_remove(&container->rdt, err);
    /* A scope without processes ends by itself; this is sooner, and clears what failed. Without
       systemd there is no scope either. */
    if (result >= 0 && container->scope.unit[0] != '\0')
        (void)runtime_scope_stop(&container->scope, NULL);
    if (result >= 0 && group.is_open) {
        result = cgroup_remove(&group.host, container->cgroup_path);
        if (result < 0)
            (void)cl_fail(err, result, "remove cgroup %s", container->cgroup_path);
    }
    group_done(&group);
    if (result < 0)
        return result;
    hooks_poststop(cli, container);
    return container_forget(cli, container, err);
}
