/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete --force of a container whose state.json can't be read: cut short, overwritten, emptied.
 *
 * What is left of the file is a guess, and guesses kill nobody. Its members before the damage are read; they count when they name a process that is there with that very
 * start time since that very boot: that is its init, which is killed. A control group is its own, and killed with it, when that init is a member itself (not of a group
 * below: a parent would do), or when its config.json, or our way of naming them, says so. Without such an init a group that is named is removed when it is empty; when
 * there are processes in it nothing is done, and who asks decides. Only a container that can't run any more (another boot; an ended init that took its pid namespace
 * along) leaves such a group to whoever has it now. A unit of systemd's goes with its processes.
 *
 * An init that was not started yet can be asked: it listens on the container's own socket, and the kernel says who answers there. Of one that runs its program nothing
 * of ours is left that could tell it from others: each descriptor, lock and socket went with the exec, and a root directory or a keyring's name is not one
 * container's alone.
 */
#include "ocicli/private.h"

#include <poll.h>
#include <sys/socket.h>

#include "wire/init.h"

#define STATE_MAX (1 << 20)
#define SPEC_MAX  (16 << 20)
#define PROCS_MAX (1 << 20)
#define CUTS      64
#define SHOWN     8
#define ANSWER_MS 2000 /* one that is frozen gives none */

struct scene {
    struct container container;
    struct cgroup_host host;
    bool has_host;
    char *names[2];           /* of its group, by config.json or by us */
    bool is_alive;            /* proven */
    bool is_over;             /* likewise: none of its processes is left */
    bool has_stopper;         /* hooks.poststop is not empty */
    bool has_rdt;             /* linux.intelRdt */
    bool keeps_rdt;           /* of which something is left */
    struct oci_intel_rdt rdt; /* of that what names groups; owned */
};

static void scene_done(struct scene *scene)
{
    if (scene->has_host)
        cgroup_host_done(&scene->host);
    for (size_t i = 0; i < CL_COUNT(scene->names); i++)
        free(scene->names[i]);
    free(scene->rdt.clos_id);
    container_done(&scene->container);
}

/* ---- what is left of the file ---- */

/* Its whole members before the damage. Annotations come last, and are others' words. */
static struct cl_json *parse_remains(char *text, size_t size)
{
    struct cl_json *json = NULL;
    if (cl_json_parse(text, size, STATE_MAX, &json, NULL) >= 0)
        return json;
    char *end = strstr(text, ",\"annotations\":");
    if (end == NULL)
        end = strrchr(text, ',');
    for (int i = 0; end != NULL && i < CUTS; i++) {
        end[0] = '}';
        if (cl_json_parse(text, (size_t)(end + 1 - text), STATE_MAX, &json, NULL) >= 0)
            return json;
        end[0] = '\0';
        end = strrchr(text, ',');
    }
    return NULL;
}

static int read_remains(struct container *container)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    int result = cl_read_file(container->dir, "state.json", STATE_MAX, &text, &size, NULL);
    CL_AUTO(cl_json_unref) struct cl_json *json = result < 0 ? NULL : parse_remains(text, size);
    bool is_ours = cl_streq(cl_json_string(cl_json_get(json, "id")), container->id);
    result = container_decode(is_ours ? json : NULL, container);
    return result == -ENOMEM ? result : 0;
}

/* ---- what its group is called ---- */

static int name_by_default(struct scene *scene)
{
    const char *id = scene->container.id;
    const struct cgroup_hierarchy *first = &scene->host.hierarchies[0];
    scene->names[0] = cl_format("cloche-runtime/%s", id);
    if (scene->has_host && scene->host.layout == CGROUP_V2 && first->own_path[0] == '/')
        scene->names[1] = cl_format("%s%scloche-runtime-%s", first->own_path + 1,
                                    first->own_path[1] != '\0' ? "/" : "", id);
    return scene->names[0] == NULL ? -ENOMEM : 0;
}

static int name_rdt(struct scene *scene, const struct cl_json *linux_)
{
    const struct cl_json *rdt = cl_json_get(linux_, "intelRdt");
    const char *closid = cl_json_string(cl_json_get(rdt, "closID"));
    scene->has_rdt = rdt != NULL;
    scene->rdt.enable_monitoring = cl_json_bool(cl_json_get(rdt, "enableMonitoring"));
    scene->rdt.clos_id = closid == NULL ? NULL : cl_strdup(closid);
    return closid != NULL && scene->rdt.clos_id == NULL ? -ENOMEM : 0;
}

/* By config.json as it was at creation, which may be damaged, too. One for systemd names no path. */
static int name_groups(struct scene *scene)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    if (cl_read_file(scene->container.dir, "config.json", SPEC_MAX, &text, &size, NULL) >= 0)
        (void)cl_json_parse(text, size, SPEC_MAX, &json, NULL); /* then there is none */
    scene->has_stopper = cl_json_count(cl_json_get(cl_json_get(json, "hooks"), "poststop")) > 0;
    const struct cl_json *linux_ = cl_json_get(json, "linux");
    const char *path = cl_json_string(cl_json_get(linux_, "cgroupsPath"));
    if (name_rdt(scene, linux_) < 0)
        return -ENOMEM;
    if (path == NULL || path[strspn(path, "/")] == '\0')
        return name_by_default(scene);
    if (strchr(path, '/') == NULL && strchr(path, ':') != NULL)
        return 0;
    scene->names[0] = cl_strdup(path + strspn(path, "/"));
    return scene->names[0] == NULL ? -ENOMEM : 0;
}

/* ---- who waits for its start ---- */

/* The kernel adds to the answer who sent it. 0: nobody did. */
static pid_t hear_pid(int socket)
{
    struct wire_init answer;
    struct ucred sender = { 0 };
    char control[CMSG_SPACE(sizeof sender)];
    struct iovec part = { &answer, sizeof answer };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    struct pollfd poller = { .fd = socket, .events = POLLIN };
    if (poll(&poller, 1, ANSWER_MS) <= 0 ||
        recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof answer ||
        answer.type != WIRE_INIT_READY)
        return 0;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS)
        return 0;
    memcpy(&sender, CMSG_DATA(header), sizeof sender);
    return sender.pid;
}

/* A connection that is still open is one with a process that has not ended: the pid is its own. */
static bool is_open(int socket)
{
    struct pollfd poller = { .fd = socket, .events = POLLIN };
    return poll(&poller, 1, 0) == 0;
}

static bool is_first_in_pid_ns(int proc, pid_t pid)
{
    struct procfs_status status;
    cl_auto_fd dir = procfs_open_pid(proc, pid);
    return dir >= 0 && procfs_read_status(dir, &status) >= 0 && status.levels > 1 &&
           status.ns_pid[status.levels - 1] == 1;
}

/* Then what the record says of it is of no interest. */
static bool ask_who_waits(struct container *container, int proc)
{
    static const int on = 1;
    const struct wire_init question = { .type = WIRE_INIT_WHO };
    uint64_t start = 0;
    cl_auto_fd socket = container_connect(container->dir);
    if (socket < 0 || setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
        send(socket, &question, sizeof question, MSG_NOSIGNAL) != (ssize_t)sizeof question)
        return false;
    pid_t pid = hear_pid(socket);
    if (pid <= 0 || procfs_start_ticks(proc, pid, &start) < 0)
        return false;
    bool owns_pid_ns = is_first_in_pid_ns(proc, pid);
    char *boot_id = is_open(socket) ? cl_strdup(k_boot_id()) : NULL;
    if (boot_id == NULL)
        return false;
    free(container->boot_id);
    container->boot_id = boot_id;
    container->pid = pid;
    container->start_ticks = start;
    container->owns_pid_ns = owns_pid_ns;
    return true;
}

/* ---- all that is to be seen ---- */

static int look(const struct ocicli *cli, const char *id, struct scene *scene, struct cl_error *err)
{
    struct container *container = &scene->container;
    int result = container_open_unread(cli, id, container, err);
    if (result < 0)
        return result;
    cl_auto_fd proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    result = cgroup_host_init(&scene->host, proc, err);
    if (result < 0)
        return result;
    scene->has_host = true;
    if (read_remains(container) < 0 || name_groups(scene) < 0)
        return cl_fail(err, ENOMEM, "delete container %s", id);
    (void)ask_who_waits(container, proc);
    cl_auto_fd init = container_pidfd(container, NULL);
    scene->is_alive = init >= 0;
    bool has_boot = strlen(container->boot_id) == strlen(k_boot_id());
    bool is_of_now = cl_streq(container->boot_id, k_boot_id());
    bool had_init = container->pid > 0 && container->start_ticks > 0 && container->owns_pid_ns;
    scene->is_over = !scene->is_alive && has_boot && (!is_of_now || had_init);
    return 0;
}

/* ---- whose a group is ---- */

static bool is_named(const struct scene *scene, const char *path)
{
    return cl_streq(path, scene->names[0]) || cl_streq(path, scene->names[1]);
}

static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);
    for (; text != NULL && text[0] != '\0'; text = strchr(text, '\n'), text += text != NULL)
        if (strncmp(text, line, length) == 0 && (text[length] == '\n' || text[length] == '\0'))
            return true;
    return false;
}

/* In each hierarchy that has the group its init is a member itself. */
static bool holds_init(struct scene *scene, const char *path)
{
    struct cgroup group = { 0 };
    char number[16];
    (void)CL_PRINT(number, "%d", (int)scene->container.pid);
    if (cgroup_open(&scene->host, path, &group, NULL) < 0)
        return false;
    bool is_member = true;
    for (size_t i = 0; is_member && i < group.count; i++) {
        cl_auto_free char *text = NULL;
        is_member =
            cl_read_file(group.at[i].fd, "cgroup.procs", PROCS_MAX, &text, NULL, NULL) >= 0 &&
            has_line(text, number);
    }
    cgroup_done(&group);
    return is_member;
}

/* The unit is stopped as a whole: it has to be that of the group. */
static bool is_unit_of(const char *unit, const char *path)
{
    const char *at = strstr(path, unit);
    size_t length = strlen(unit);
    return length > 0 && at != NULL && (at == path || at[-1] == '/') &&
           (at[length] == '\0' || at[length] == '/');
}

/* What the record says, as far as that is proven; else what else it is called. */
static int prove_group(struct scene *scene)
{
    struct container *container = &scene->container;
    const char *path = container->cgroup_path, *proven = NULL;
    if (scene->is_alive && path[0] != '\0' && (is_named(scene, path) || holds_init(scene, path)))
        return 0;
    for (size_t i = 0; scene->is_alive && proven == NULL && i < CL_COUNT(scene->names); i++)
        if (scene->names[i] != NULL && holds_init(scene, scene->names[i]))
            proven = scene->names[i];
    char *copy = cl_strdup(proven != NULL ? proven : "");
    if (copy == NULL)
        return -ENOMEM;
    free(container->cgroup_path);
    container->cgroup_path = copy;
    return 0;
}

/* What was not proven to be its own goes out of the record that container_destroy is given. */
static int forget_unproven(struct scene *scene, struct cl_error *err)
{
    struct container *container = &scene->container;
    if (prove_group(scene) < 0)
        return cl_fail(err, ENOMEM, "delete container %s", container->id);
    if (!is_unit_of(container->scope.unit, container->cgroup_path))
        container->scope.unit[0] = '\0';
    runtime_rdt_done(&container->rdt);
    container->has_poststop = container->has_poststop && container->bundle[0] == '/';
    return 0;
}

/* Processes of which nobody can say whose they are. */
static int check_free(const struct ocicli *cli, struct scene *scene, const char *path,
                      struct cl_error *err)
{
    struct cgroup group = { 0 };
    cl_auto_free pid_t *pids = NULL;
    size_t count = 0;
    char list[160] = "";
    if (path == NULL || path[0] == '\0' || cgroup_open(&scene->host, path, &group, NULL) < 0)
        return 0;
    int result = cgroup_pids(&group, &pids, &count);
    cgroup_done(&group);
    for (size_t i = 0, used = 0; i < count && i < SHOWN; i++) /* a number has 10 digits at most */
        used += (size_t)snprintf(list + used, sizeof list - used, " %d", (int)pids[i]);
    if (result < 0)
        return cl_fail(err, result, "list the processes of cgroup %s", path);
    return count == 0 ? 0
                      : cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                                     "container %s: its state.json is damaged, and whether the "
                                     "processes in cgroup %.120s are its can't be told:%s%s; end "
                                     "them, or if they are not, remove %.120s/%s",
                                     scene->container.id, path, list, count > SHOWN ? " …" : "",
                                     cli->root, scene->container.id);
}

static int check_groups(const struct ocicli *cli, struct scene *scene, struct cl_error *err)
{
    if (scene->is_alive || scene->is_over)
        return 0;
    int result = check_free(cli, scene, scene->container.cgroup_path, err);
    for (size_t i = 0; result >= 0 && i < CL_COUNT(scene->names); i++)
        result = check_free(cli, scene, scene->names[i], err);
    return result;
}

/* ---- the end ---- */

/* Empty ones only, as the kernel sees to. */
static void remove_named(struct scene *scene)
{
    struct cgroup group = { 0 };
    for (size_t i = 0; i < CL_COUNT(scene->names); i++) {
        if (scene->names[i] == NULL || cgroup_open(&scene->host, scene->names[i], &group, NULL) < 0)
            continue;
        bool is_empty = cgroup_is_empty(&group);
        cgroup_done(&group);
        if (is_empty)
            (void)cgroup_remove(&scene->host,
                                scene->names[i]); /* somebody came: then it is theirs */
    }
}

static void tell(const struct ocicli *cli, const struct scene *scene)
{
    const struct container *container = &scene->container;
    bool lacks_init = !scene->is_alive && !scene->is_over;
    bool lacks_group = scene->is_alive && container->cgroup_path[0] == '\0';
    bool lacks_hooks = scene->has_stopper && !container->has_poststop;
    bool lacks = lacks_init || lacks_group || lacks_hooks || scene->keeps_rdt;
    cl_auto_free char *text = cl_format(
        "container %s: its state.json was damaged; removed %s%s%s%s%s", container->id,
        lacks ? "without" : "all the same",
        lacks_init ? " knowing its first process, nor more of it than its directory and what is "
                     "empty and has its name;"
                   : "",
        lacks_group ? " knowing its cgroup;" : "",
        lacks_hooks ? " running its poststop hooks;" : "",
        scene->keeps_rdt ? " its groups in resctrl;" : "");
    if (text != NULL && lacks)
        text[strlen(text) - 1] = '\0';
    log_write(cli, LOG_LEVEL_WARNING, text != NULL ? text : "out of memory");
}

int delete_damaged(const struct ocicli *cli, const char *id, struct cl_error *err)
{
    struct scene scene = { .container = CONTAINER_NONE };
    int result = look(cli, id, &scene, err);
    if (result >= 0)
        result = check_groups(cli, &scene, err);
    if (result >= 0)
        result = forget_unproven(&scene, err);
    if (result >= 0)
        result = container_destroy(cli, &scene.container, err);
    if (result >= 0) {
        remove_named(&scene);
        scene.keeps_rdt = scene.has_rdt && !runtime_rdt_remove_empty(&scene.rdt, id);
        tell(cli, &scene);
    }
    scene_done(&scene);
    return result;
}
