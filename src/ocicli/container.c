/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of one container, ROOT/ID:
 *
 *   state.json    who it is; first written before anything is made, so that whatever dies later, `delete` knows what to undo
 *   state.next    what init of a container that runs through puts in its place when it is ready (create.c)
 *   config.json   the spec as it was at creation: exec needs it, and the bundle may change
 *   start         the socket on which its init waits for `start` (runtime_leave)
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

#define STATE_MAX (1 << 20)
#define SPEC_MAX  (16 << 20)

#define STATE_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY)

#define END_PAUSE_MS 5
#define END_TRIES    2000

/* ---- ids and directories ---- */

static int check_id(const char *id, struct cl_error *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
    bool is_dots = cl_streq(id, ".") || cl_streq(id, "..");
    size_t length = strlen(id);
    const char *reason = length == 0                               ? "must not be empty"
                         : length > NAME_MAX                       ? "is longer than 255 bytes"
                         : is_dots || id[strspn(id, allowed)] != 0 ? "only letters, digits and "
                                                                     "_.+- are allowed"
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
    int result = make ? cl_mkdir_p(AT_FDCWD, cli->root, 0700, err) : 0;
    if (result < 0)
        return result;
    *ret = open(cli->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

/* ---- state.json ---- */

static struct cl_json *annotations_json(const struct oci_map *map)
{
    struct cl_json *json = cl_json_object();
    for (size_t i = 0; json != NULL && i < map->count; i++)
        if (cl_json_set_string(json, map->pairs[i].key, map->pairs[i].value) < 0) {
            cl_json_unref(json);
            return NULL;
        }
    return json;
}

int container_save(const struct container *container, struct cl_error *err)
{
    return container_save_as(container, CONTAINER_STATE, err);
}

int container_save_as(const struct container *container, const char *name, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    int result = json == NULL ? -ENOMEM : 0;
    const struct {
        const char *key;
        struct cl_json *value;
    } rows[] = {
        { "id", cl_json_from_string(container->id) },
        { "bundle", cl_json_from_string(container->bundle) },
        { "rootfs", cl_json_from_string(container->rootfs) },
        { "cgroupPath", cl_json_from_string(container->cgroup_path) },
        { "scope", cl_json_from_string(container->scope.unit) },
        { "userScope", cl_json_from_bool(container->scope.is_user) },
        { "bootId", cl_json_from_string(container->boot_id) },
        { "created", cl_json_from_int(container->created) },
        { "owner", cl_json_from_int(container->owner) },
        { "pid", cl_json_from_int(container->pid) },
        { "startTicks", cl_json_from_u64(container->start_ticks) },
        { "ownsPidNamespace", cl_json_from_bool(container->owns_pid_ns) },
        { "hasPoststart", cl_json_from_bool(container->has_poststart) },
        { "hasPoststop", cl_json_from_bool(container->has_poststop) },
        { "annotations", annotations_json(&container->annotations) },
    };
    for (size_t i = 0; i < CL_COUNT(rows); i++)
        if (result < 0)
            cl_json_unref(rows[i].value);
        else
            result = cl_json_set(json, rows[i].key, rows[i].value);
    if (result >= 0 && container->rdt.group != NULL)
        result = cl_json_set(json, "rdtGroup", cl_json_from_string(container->rdt.group));
    if (result >= 0 && container->rdt.monitor != NULL)
        result = cl_json_set(json, "rdtMonitor", cl_json_from_string(container->rdt.monitor));
    cl_auto_free char *text = result < 0 ? NULL : cl_json_text(json, CL_JSON_COMPACT);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "write the state of container %s", container->id);
    result = cl_write_atomic(container->dir, name, text, strlen(text), 0600, CL_WRITE_PLAIN, err);
    return result < 0 ? cl_error_prefix(err, "write the state of container %s", container->id) : 0;
}

static int read_annotations(const struct cl_json *json, struct oci_map *ret)
{
    void *walk = NULL;
    const char *key;
    const struct cl_json *value;
    int result = 0;
    while (result >= 0 && cl_json_next(json, &walk, &key, &value))
        result = oci_map_set(ret, key, cl_json_string_or(value, ""));
    return result;
}

static int copy_optional(const struct cl_json *json, const char *key, char **ret)
{
    const char *text = cl_json_string_or(cl_json_get(json, key), NULL);
    if (text != NULL)
        *ret = cl_strdup(text);
    return text != NULL && *ret == NULL ? -ENOMEM : 0;
}

int container_decode(const struct cl_json *json, struct container *container)
{
    const struct {
        const char *key;
        char **member;
    } texts[] = {
        { "bundle", &container->bundle },
        { "rootfs", &container->rootfs },
        { "cgroupPath", &container->cgroup_path },
        { "bootId", &container->boot_id },
    };
    bool is_whole = cl_json_has(json, "pid");
    for (size_t i = 0; i < CL_COUNT(texts); i++) {
        const char *text = cl_json_string(cl_json_get(json, texts[i].key));
        is_whole = is_whole && text != NULL;
        *texts[i].member = cl_strdup(text != NULL ? text : "");
        if (*texts[i].member == NULL)
            return -ENOMEM;
    }
    if (copy_optional(json, "rdtGroup", &container->rdt.group) < 0 ||
        copy_optional(json, "rdtMonitor", &container->rdt.monitor) < 0)
        return -ENOMEM;
    container->scope.is_user = cl_json_bool(cl_json_get(json, "userScope"));
    if (CL_PRINT(container->scope.unit, "%s", cl_json_string_or(cl_json_get(json, "scope"), "")) <
        0)
        return -EINVAL;
    container->created = cl_json_int(cl_json_get(json, "created"));
    container->owner = (uid_t)cl_json_int(cl_json_get(json, "owner"));
    container->pid = (pid_t)cl_json_int(cl_json_get(json, "pid"));
    container->owns_pid_ns = cl_json_bool(cl_json_get(json, "ownsPidNamespace"));
    container->has_poststart = cl_json_bool(cl_json_get(json, "hasPoststart"));
    container->has_poststop = cl_json_bool(cl_json_get(json, "hasPoststop"));
    int result = cl_json_u64(cl_json_get(json, "startTicks"), &container->start_ticks);
    if (result >= 0)
        result = read_annotations(cl_json_get(json, "annotations"), &container->annotations);
    return result < 0 || is_whole ? result : -EINVAL;
}

/* As most are small, into memory that is there. */
static int parse_state(int fd, struct cl_json **ret, struct cl_error *err)
{
    char small[4096];
    cl_auto_free char *text = NULL;
    ssize_t got = cl_read_full(fd, small, sizeof small);
    if (got < 0)
        return cl_fail(err, (int)got, "read state.json");
    size_t size = (size_t)got;
    if (size < sizeof small)
        return cl_json_parse(small, size, STATE_MAX, ret, err);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return cl_fail(err, errno, "read state.json");
    int result = cl_read_fd(fd, STATE_MAX, &text, &size, err);
    return result < 0 ? result : cl_json_parse(text, size, STATE_MAX, ret, err);
}

/* fd: of state.json, or why it could not be opened. */
static int load(struct container *container, int fd, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    if (fd == -ENOENT)
        return missing(container->id, err);
    int result = fd < 0 ? cl_fail(err, fd, "open state.json") : parse_state(fd, &json, err);
    if (result < 0) {
        (void)cl_error_prefix(err, "read the state of container %s", container->id);
        return cl_error_hint(err, "delete --force removes what can be told to be its");
    }
    result = container_decode(json, container);
    if (result >= 0)
        return 0;
    (void)cl_fail_kind(err, CL_KIND_CORRUPT, result, "state.json of container %s is damaged",
                       container->id);
    return cl_error_hint(err, "delete --force removes what can be told to be its");
}

/* What is wished of the lock; at the last, whoever is at work with the container does not have to be waited for: its init is ended. */
enum lock_wish { LOCK_NOT, LOCK_WAIT, LOCK_END };

/* Such as a start whose hook never ends. Without a pid there is nothing yet that could be ended: then the wait goes on. */
static void end_init(const struct container *locked)
{
    auto_container container = CONTAINER_NONE;
    container.id = cl_strdup(locked->id);
    cl_auto_fd fd =
        inroot_open(locked->dir, "state.json", STATE_FLAGS, 0, INROOT_NO_SYMLINKS, NULL);
    if (container.id == NULL || load(&container, fd, NULL) < 0)
        return;
    cl_auto_fd pidfd = container_pidfd(&container, NULL);
    if (pidfd >= 0)
        (void)k_pidfd_send_signal(pidfd, SIGKILL); /* in vain: it has just ended */
}

static int take_lock(int root, const struct container *container, enum lock_wish wish)
{
    if (wish == LOCK_NOT)
        return 0;
    int result =
        lock(root, container->id, container->dir, wish == LOCK_END ? LOCK_EX | LOCK_NB : LOCK_EX);
    if (wish != LOCK_END || result != -EWOULDBLOCK)
        return result;
    end_init(container);
    return lock(root, container->id, container->dir, LOCK_EX);
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
        result = load(&found, fd, err);
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

bool container_is_there(const struct lookout *lookout, const char *id)
{
    char path[300];
    return check_id(id, NULL) >= 0 && CL_PRINT(path, "%s/state.json", id) >= 0 &&
           faccessat(lookout->root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int container_look(const struct lookout *lookout, const char *id, struct container *ret,
                   struct cl_error *err)
{
    char path[300];
    struct container found = { .dir = -EBADF };
    int result = check_id(id, err);
    if (result < 0)
        return result;
    (void)CL_PRINT(path, "%s/state.json", id); /* an id is shorter */
    cl_auto_fd fd = inroot_open(lookout->root, path, STATE_FLAGS, 0, INROOT_NO_SYMLINKS, NULL);
    found.id = cl_strdup(id);
    result =
        found.id == NULL ? cl_fail(err, ENOMEM, "open container %s", id) : load(&found, fd, err);
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
    return result < 0 ? result : cl_remove_tree(root, container->id, err);
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
