/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that runs → a directory of images. CRIU looks at the processes by itself; what it is told is what comes from outside of them: mounts, namespaces that were
 * joined, the standard streams, and the freezer of their control group.
 *
 * The streams: a pipe is known by its number, and CRIU asks for its successor at the restore. Any other file that is on no mount of the container's (a log file of the
 * host's, the host's /dev/null) is declared as external, by the number of its mount and its inode, and handled alike. The names go into descriptors.json.
 *
 * /dev of a container with a user namespace: CRIU takes the host's nodes that are bound there for files of the tmpfs, since our mounts are locked against being looked below, and
 * nobody in that namespace could make them again. So the tmpfs is external, too, and what the container has put there is copied while its processes are stopped.
 */
#include "runtime/child.h"
#include "runtime/criu.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define STREAMS 3

struct dump {
    const struct oci_spec *spec;
    const struct runtime_criu *options;
    const struct runtime_target *target;
    int pid_fd; /* /proc/PID of the first process */
    struct criu_places places;
    bool has_told; /* that lazy pages are ready */
    bool has_dev;  /* is to be copied */
};

/* ---- streams ---- */

/* "mnt_id:\t24" of /proc/PID/fdinfo/N */
static int read_mount_id(int pid_fd, unsigned fd, uint64_t *ret)
{
    char path[32], text[1024];
    (void)CL_PRINT(path, "fdinfo/%u", fd);
    ssize_t size = cl_read_small(pid_fd, path, text, sizeof text);
    char *at = size < 0 ? NULL : strstr(text, "mnt_id:\t");
    if (at == NULL)
        return size < 0 ? (int)size : -ENOENT;
    at += strlen("mnt_id:\t");
    at[strcspn(at, "\n")] = '\0';
    return cl_parse_u64(at, 0, UINT64_MAX, ret);
}

static bool has_mount(int pid_fd, uint64_t id)
{
    cl_auto_free char *text = NULL;
    char start[32];
    (void)CL_PRINT(start, "%llu ", (unsigned long long)id);
    if (cl_read_file(pid_fd, "mountinfo", 8 << 20, &text, NULL, NULL) < 0)
        return true; /* then CRIU is to say what is wrong */
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line != '\0')
        if (cl_starts_with(line, start))
            return true;
    return false;
}

/* Terminals of the host's are left to --shell-job. */
static bool is_plain_file(const struct stat *info, const char *link)
{
    bool is_terminal = S_ISCHR(info->st_mode) &&
                       (cl_starts_with(link, "/dev/pts/") || cl_starts_with(link, "/dev/tty") ||
                        cl_streq(link, "/dev/console"));
    return !is_terminal && link[0] == '/' && !S_ISSOCK(info->st_mode) && !S_ISFIFO(info->st_mode);
}

/* What it is in the images, also where CRIU handles it by itself; "" where there is none. */
static void name_stream(int pid_fd, unsigned fd, char *name, size_t size)
{
    char path[32];
    struct stat info;
    uint64_t id = 0;
    (void)CL_PRINT(path, "fd/%u", fd);
    ssize_t length = readlinkat(pid_fd, path, name, size - 1);
    name[length > 0 ? length : 0] = '\0';
    if (length <= 0 || fstatat(pid_fd, path, &info, 0) < 0 || !is_plain_file(&info, name) ||
        read_mount_id(pid_fd, fd, &id) < 0 || has_mount(pid_fd, id))
        return;
    (void)cl_print(name, size, "file[%llx:%llx]", (unsigned long long)id,
                   (unsigned long long)info.st_ino);
}

static int put_streams(struct dump *dump, struct cl_buf *out, struct cl_error *err)
{
    CL_AUTO(cl_strv_free) char **names = NULL;
    int result = 0;
    for (unsigned fd = 0; result >= 0 && fd < STREAMS; fd++) {
        char name[PATH_MAX];
        name_stream(dump->pid_fd, fd, name, sizeof name);
        result = cl_strv_append(&names, name);
        if (cl_starts_with(name, "file["))
            criu_put_text(out, CRIU_EXTERNAL, name);
    }
    CL_AUTO(cl_json_unref)
    struct cl_json *json = result < 0 ? NULL : cl_json_from_strv((const char *const *)names);
    cl_auto_free char *text = json == NULL ? NULL : cl_json_text(json, CL_JSON_COMPACT);
    return text == NULL ? cl_fail(err, ENOMEM, "describe the standard streams")
                        : cl_write_atomic(dump->places.images, "descriptors.json", text,
                                          strlen(text), 0600, CL_WRITE_PLAIN, err);
}

/* ---- namespaces, groups ---- */

/* Joined ones: restore finds them by the same paths, and CRIU is not to look into them. */
static int put_namespaces(const struct oci_spec *spec, struct cl_buf *out, struct cl_error *err)
{
    for (size_t i = 0; i < spec->linux_.namespace_count; i++) {
        const struct oci_namespace *ns = &spec->linux_.namespaces[i];
        const char *key = criu_external_ns(ns->type);
        struct stat info;
        char text[128];
        if (ns->path == NULL || key == NULL)
            continue;
        if (fstatat(AT_FDCWD, ns->path, &info, 0) < 0)
            return cl_fail(err, errno, "linux.namespaces[%zu].path: %s", i, ns->path);
        (void)CL_PRINT(text, "%s[%llu]:%s", ns->type == OCI_NS_NETWORK ? "net" : "pid",
                       (unsigned long long)info.st_ino, key);
        criu_put_text(out, CRIU_EXTERNAL, text);
    }
    return 0;
}

/* So that nobody forks away while CRIU looks for all of them. */
static int put_freezer(const char *cgroup_path, struct cl_buf *out, struct cl_error *err)
{
    struct cgroup_host host;
    cl_auto_fd proc = procfs_open_host(err);
    int result = proc < 0 ? proc : cgroup_host_init(&host, proc, err);
    if (result < 0)
        return result;
    for (size_t i = 0; i < host.count; i++) {
        const struct cgroup_hierarchy *at = &host.hierarchies[i];
        bool is_it = host.layout == CGROUP_V2 ? at->is_v2 : cl_streq(at->controllers, "freezer");
        cl_auto_free char *path = is_it ? cl_format("%s/%s", at->mount_point, cgroup_path) : NULL;
        if (path != NULL && faccessat(AT_FDCWD, path, F_OK, 0) == 0)
            criu_put_text(out, CRIU_FREEZE_CGROUP, path);
    }
    cgroup_host_done(&host);
    return 0;
}

static void put_page_server(const struct runtime_criu *options, struct cl_buf *out)
{
    cl_auto_buf message = CL_BUF_INIT(1024);
    if (options->page_server == NULL)
        return;
    criu_put_text(&message, 1, options->page_server);
    criu_put_number(&message, 2, options->page_port);
    criu_put_message(out, CRIU_PAGE_SERVER, &message);
}

/* ---- the request ---- */

static int put_all(struct dump *dump, struct cl_buf *out, struct cl_error *err)
{
    const struct runtime_criu *options = dump->options;
    int result = criu_put_options(out, options, &dump->places, dump->spec, err);
    if (result < 0)
        return result;
    criu_put_number(out, CRIU_PID, dump->target->pid);
    cl_auto_free char *root = cl_format("/proc/%d/root", (int)dump->target->pid);
    if (root != NULL)
        criu_put_text(out, CRIU_ROOT, root);
    if (options->parent != NULL)
        criu_put_text(out, CRIU_PARENT_IMG, options->parent);
    if (options->parent != NULL || options->pre_dump)
        criu_put_number(out, CRIU_TRACK_MEM, true);
    put_page_server(options, out);
    result = put_namespaces(dump->spec, out, err);
    if (result >= 0 && dump->target->cgroup_path != NULL)
        result = put_freezer(dump->target->cgroup_path, out, err);
    if (result < 0 || options->pre_dump)
        return result; /* it looks at memory only */
    result = put_streams(dump, out, err);
    return result < 0 ? result
                      : criu_put_dumped_mounts(out, dump->spec, dump->pid_fd, &dump->has_dev, err);
}

/* The copy is a directory that only root may enter: nothing in it can be used by anybody, whoever it belongs to. */
static int copy_dev(const struct dump *dump, struct cl_error *err)
{
    cl_auto_fd root = openat(dump->pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return cl_fail(err, errno, "open the container's root file system");
    cl_auto_fd from = inroot_open(root, "/dev", O_RDONLY | O_DIRECTORY, 0, INROOT_NO_SYMLINKS, err);
    if (from < 0)
        return from;
    /* An earlier one's, as all other images are written over. */
    if (cl_remove_tree(dump->places.images, CRIU_DEV_DIR, err) < 0)
        return cl_error_prefix(err, "%s", dump->options->images);
    if (mkdirat(dump->places.images, CRIU_DEV_DIR, 0700) < 0)
        return cl_fail(err, errno, "make %s/" CRIU_DEV_DIR, dump->options->images);
    cl_auto_fd to =
        openat(dump->places.images, CRIU_DEV_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int result = to < 0 ? cl_fail(err, errno, "open %s/" CRIU_DEV_DIR, dump->options->images)
                        : copyup_fill(from, to, COPYUP_NO_DEVICES, err);
    return result < 0 ? cl_error_prefix(err, "copy /dev") : 0;
}

/* All images are written, and the processes are stopped. */
static int finish_images(const struct dump *dump, struct cl_error *err)
{
    int result = dump->has_dev ? copy_dev(dump, err) : 0;
    return result < 0 ? result : criu_split_images(dump->places.images, err);
}

static int take_notice(void *context, const struct criu_answer *notice, int fd,
                       struct cl_error *err)
{
    struct dump *dump = context;
    (void)cl_close(fd);
    if (cl_streq(notice->script, "post-dump"))
        return finish_images(dump, err);
    /* Whoever waits for it may have gone, which is no matter of ours. */
    if (cl_streq(notice->script, "status-ready") && dump->options->status_fd > 0 && !dump->has_told)
        dump->has_told = write(dump->options->status_fd, "", 1) == 1;
    return 0;
}

static int ask(struct dump *dump, struct cl_error *err)
{
    const struct criu_start start = { .options = dump->options };
    cl_auto_buf out = CL_BUF_INIT(CRIU_MESSAGE_MAX);
    struct criu_answer answer;
    struct criu criu = CRIU_NONE;
    int result = criu_open(&start, &criu, err);
    if (result < 0)
        return result;
    criu.places = &dump->places;
    result = criu_check_features(&criu, dump->options, err);
    if (result >= 0)
        result = put_all(dump, &out, err);
    if (result >= 0)
        result = criu_ask(&criu, dump->options->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP, &out,
                          take_notice, dump, &answer, err);
    criu_close(&criu);
    return result;
}

/* "../earlier", as CRIU follows it from the images. */
static int check_parent(const struct dump *dump, struct cl_error *err)
{
    const char *parent = dump->options->parent;
    if (parent == NULL)
        return 0;
    if (parent[0] == '/')
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--parent-path %s: has to be relative to --image-path", parent);
    cl_auto_fd dir = openat(dump->places.images, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? cl_fail(err, errno, "--parent-path %s", parent) : 0;
}

static int open_target(struct dump *dump, struct cl_error *err)
{
    struct procfs_stat stat;
    const struct runtime_target *target = dump->target;
    cl_auto_fd proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    dump->pid_fd = procfs_open_pid(proc, target->pid);
    int result = dump->pid_fd < 0 ? dump->pid_fd : procfs_read_stat(dump->pid_fd, &stat);
    if (result >= 0 && stat.start_ticks != target->start_ticks)
        result = -ESRCH;
    return result < 0 ? cl_fail(err, result, "look at process %d", (int)target->pid) : 0;
}

int runtime_checkpoint(const struct runtime_target *target, const struct oci_spec *spec,
                       const struct runtime_criu *criu, struct cl_error *err)
{
    struct dump dump = { .spec = spec,
                         .options = criu,
                         .target = target,
                         .pid_fd = -EBADF,
                         .places = CRIU_PLACES_NONE };
    int result = criu_check_spec(spec, err);
    if (result >= 0)
        result = open_target(&dump, err);
    if (result >= 0)
        result = criu_places_open(&dump.places, criu, "dump.log", true, err);
    if (result >= 0)
        result = check_parent(&dump, err);
    if (result >= 0)
        result = ask(&dump, err);
    criu_places_done(&dump.places);
    (void)cl_close(dump.pid_fd);
    return result < 0 ? result : 0;
}
