/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How this host's cgroups are laid out. Runs at every start of a container, so: /proc/self/cgroup
 * says which hierarchies there are, and each is looked for where every distribution mounts it
 * (file-hierarchy(7): /sys/fs/cgroup, /sys/fs/cgroup/CONTROLLERS, /sys/fs/cgroup/unified). Only
 * when one of them is not there, or our own group can't be seen in it (a bind of a part of the
 * tree), /proc/self/mountinfo is read: with thousands of mounts the kernel takes milliseconds to
 * write that.
 */
#include <errno.h>
#include <linux/magic.h>

#include "kernel/cgroup_private.h"
#include "kernel/hook.h"
#include "kernel/lines.h"
#include "kernel/procfs.h"

#define CGROUP_TOP "/sys/fs/cgroup"

/* One line of /proc/self/cgroup; points into the text. */
struct own_line {
    const char *controllers; /* "" for v2 */
    const char *path;
};
struct own_lines {
    size_t count;
    bool first_is_enough; /* v2 comes last in that file */
    struct own_line line[CGROUP_MAX_HIERARCHIES];
};

static void parse_own_line(struct own_lines *own, char *text)
{
    /* "4:memory:/a:b": only the path may hold colons. */
    char *controllers = strchr(text, ':');
    char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL || own->count == CL_COUNT(own->line))
        return;
    *path = '\0';
    own->line[own->count++] = (struct own_line){ controllers + 1, path + 1 };
}

static int read_own_lines(int proc_fd, struct own_lines *own, char *buffer, size_t size)
{
    ssize_t length = cgroup_file_read(proc_fd, "self/cgroup", buffer, size);
    if (length < 0)
        return (int)length;
    for (char *line = buffer, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        parse_own_line(own, line);
    }
    return 0;
}

static int open_mount(int dir_fd, const char *path, bool is_v2)
{
    cl_auto_fd fd =
        (int)K_CALL("openat", SYS_openat, dir_fd, (long)path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fd;
    long magic = 0;
    int code = k_fs_type(fd, &magic);
    if (code < 0)
        return code;
    return magic == (is_v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC) ? cl_take_fd(&fd) : -ENOENT;
}

/* take_fd: directory of the mount point. A hierarchy whose names do not fit is an error: half a
   layout would be a silent no. */
static int add_hierarchy(struct cgroup_host *host, const struct own_line *own,
                         const char *mount_point, int take_fd)
{
    cl_auto_fd fd = take_fd;
    if (host->count == CGROUP_MAX_HIERARCHIES)
        return -E2BIG;
    struct cgroup_hierarchy *hierarchy = &host->hierarchies[host->count];
    int code = CL_PRINT(hierarchy->controllers, "%s", own->controllers);
    if (code >= 0)
        code = CL_PRINT(hierarchy->mount_point, "%s", mount_point);
    if (code < 0)
        return code;
    if (CL_PRINT(hierarchy->own_path, "%s", own->path) < 0)
        hierarchy->own_path[0] = '\0'; /* only told to people: "unknown" will do */
    hierarchy->is_v2 = own->controllers[0] == '\0';
    hierarchy->root_fd = cl_take_fd(&fd);
    host->count++;
    return 0;
}

static void set_layout(struct cgroup_host *host)
{
    bool v1 = false, v2 = false;
    for (size_t i = 0; i < host->count; i++)
        *(host->hierarchies[i].is_v2 ? &v2 : &v1) = true;
    host->layout = v1 && v2 ? CGROUP_HYBRID : v1 ? CGROUP_V1 : v2 ? CGROUP_V2 : CGROUP_NONE;
}

/* ---- the usual places ---- */

/* Our own group is visible at the path that /proc/self/cgroup names: then the mount shows the
   hierarchy from its root. */
static bool shows_own_group(int root_fd, const char *path)
{
    if (strcmp(path, "/") == 0)
        return true;
    return path[0] == '/' && path[1] != '.' &&
           K_CALL("faccessat", SYS_faccessat, root_fd, (long)(path + 1), F_OK) == 0;
}

static int add_usual(struct cgroup_host *host, int top_fd, const struct own_line *own)
{
    const char *name = own->controllers;
    bool is_v2 = name[0] == '\0';
    if (is_v2)
        name = "unified";
    else if (cl_starts_with(name, "name="))
        name += strlen("name=");
    char mount_point[sizeof host->hierarchies[0].mount_point];
    if (strchr(name, '/') != NULL || CL_PRINT(mount_point, CGROUP_TOP "/%s", name) < 0)
        return -ENOENT;
    cl_auto_fd fd = open_mount(top_fd, name, is_v2);
    /* The v2 line is there on every kernel that has it, mounted or not; nobody mounts it
       elsewhere beside v1. */
    if (fd == -ENOENT && is_v2)
        return 0;
    if (fd < 0)
        return fd;
    if (!shows_own_group(fd, own->path))
        return -ENOENT;
    return add_hierarchy(host, own, mount_point, cl_take_fd(&fd));
}

static int init_usual(struct cgroup_host *host, const struct own_lines *own)
{
    cl_auto_fd top = (int)K_CALL("openat", SYS_openat, AT_FDCWD, (long)CGROUP_TOP,
                                 O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return top;
    long magic = 0;
    int code = k_fs_type(top, &magic);
    for (size_t i = 0; code >= 0 && i < own->count; i++) {
        const struct own_line *line = &own->line[i];
        if (own->first_is_enough && host->count > 0)
            break;
        if (magic != CGROUP2_SUPER_MAGIC)
            code = add_usual(host, top, line);
        else if (line->controllers[0] == '\0')
            code = shows_own_group(top, line->path)
                       ? add_hierarchy(host, line, CGROUP_TOP, cl_take_fd(&top))
                       : -ENOENT;
    }
    return code < 0 || host->count > 0 ? code : -ENOENT;
}

/* ---- mountinfo ---- */

struct mount_line {
    char *root, *mount_point;
    const char *super_options;
    bool is_v2;
};

/* "33 31 0:30 /root /mount/point rw - cgroup2 source super,options", with any number of optional
   fields before the dash. */
static bool parse_mount_line(char *text, struct mount_line *ret)
{
    char *dash = strstr(text, " - cgroup");
    if (dash == NULL)
        return false;
    *dash = '\0';
    char *type = dash + strlen(" - "), *source = strchr(type, ' ');
    const char *options = source != NULL ? strchr(source + 1, ' ') : NULL;
    if (options == NULL)
        return false;
    *source = '\0';
    char *field = text;
    for (int i = 0; i < 3 && field != NULL; i++)
        field = (field = strchr(field, ' ')) != NULL ? field + 1 : NULL;
    char *mount_point = field != NULL ? strchr(field, ' ') : NULL;
    char *end = mount_point != NULL ? strchr(mount_point + 1, ' ') : NULL;
    if (end == NULL)
        return false;
    *mount_point++ = *end = '\0';
    *ret = (struct mount_line){ field, mount_point, options + 1, strcmp(type, "cgroup2") == 0 };
    procfs_unescape(ret->root);
    procfs_unescape(ret->mount_point);
    return ret->is_v2 || strcmp(type, "cgroup") == 0;
}

/* Every controller of the line is among the mount's options. */
static bool carries(const struct mount_line *mount, const struct own_line *own)
{
    if (mount->is_v2 || own->controllers[0] == '\0')
        return mount->is_v2 && own->controllers[0] == '\0';
    for (const char *at = own->controllers;; at++) {
        size_t length = strcspn(at, ",");
        if (!cgroup_list_has(mount->super_options, ',', at, length))
            return false;
        at += length;
        if (*at == '\0')
            return true;
    }
}

/* Our path as seen from the mount's root; "" when this mount does not show it. */
static const char *path_below(const char *root, const char *path)
{
    size_t length = strlen(root);
    if (strcmp(root, "/") == 0)
        return cl_starts_with(path, "/..") ? "" : path;
    if (!cl_starts_with(path, root) || (path[length] != '/' && path[length] != '\0'))
        return "";
    return path[length] == '\0' ? "/" : path + length;
}

static struct cgroup_hierarchy *find_added(struct cgroup_host *host, const struct own_line *own)
{
    for (size_t i = 0; i < host->count; i++)
        if (strcmp(host->hierarchies[i].controllers, own->controllers) == 0)
            return &host->hierarchies[i];
    return NULL;
}

static int add_mount(struct cgroup_host *host, const struct own_lines *own,
                     const struct mount_line *mount)
{
    const struct own_line *line = NULL;
    for (size_t i = 0; i < own->count && line == NULL; i++)
        if (carries(mount, &own->line[i]))
            line = &own->line[i];
    /* A hierarchy may be mounted many times (other containers' views): the first that shows our
       own group wins. */
    struct own_line seen = { line != NULL ? line->controllers : "", "" };
    if (line == NULL)
        return 0;
    seen.path = path_below(mount->root, line->path);
    struct cgroup_hierarchy *added = find_added(host, line);
    if (added != NULL && (added->own_path[0] != '\0' || seen.path[0] == '\0'))
        return 0;
    cl_auto_fd fd = open_mount(AT_FDCWD, mount->mount_point, mount->is_v2);
    if (fd < 0)
        return 0; /* hidden below another mount, or not ours to see */
    if (added == NULL)
        return add_hierarchy(host, &seen, mount->mount_point, cl_take_fd(&fd));
    if (CL_PRINT(added->mount_point, "%s", mount->mount_point) < 0)
        return -ENAMETOOLONG;
    (void)CL_PRINT(added->own_path, "%s", seen.path);
    (void)cl_close(added->root_fd);
    added->root_fd = cl_take_fd(&fd);
    return 0;
}

static int init_from_mountinfo(struct cgroup_host *host, int proc_fd, const struct own_lines *own)
{
    cl_auto_fd fd =
        (int)K_CALL("openat", SYS_openat, proc_fd, (long)"self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fd;
    char buffer[16384];
    struct k_lines lines = { .fd = fd, .buffer = buffer, .size = sizeof buffer };
    char *line = NULL;
    size_t length = 0;
    int code;
    while ((code = k_lines_next(&lines, &line, &length)) > 0) {
        struct mount_line mount;
        if (!parse_mount_line(line, &mount))
            continue;
        code = add_mount(host, own, &mount);
        if (code < 0)
            return code;
    }
    return code;
}

/* ---- the public part ---- */

void cgroup_host_done(struct cgroup_host *host)
{
    for (size_t i = 0; i < host->count; i++)
        (void)cl_close(host->hierarchies[i].root_fd);
    host->count = 0;
    host->layout = CGROUP_NONE;
}

/* Leaves v2 and the hierarchy of this controller. */
static void keep_lines_of(struct own_lines *own, const char *controller)
{
    size_t kept = 0;
    for (size_t i = 0; i < own->count; i++) {
        const char *controllers = own->line[i].controllers;
        if (controllers[0] == '\0' ||
            cgroup_list_has(controllers, ',', controller, strlen(controller)))
            own->line[kept++] = own->line[i];
    }
    own->count = kept;
    own->first_is_enough = true;
}

int cgroup_host_init(struct cgroup_host *host, int proc_fd, struct cl_error *err)
{
    return cgroup_host_init_for(host, proc_fd, NULL, err);
}

int cgroup_host_init_for(struct cgroup_host *host, int proc_fd, const char *controller,
                         struct cl_error *err)
{
    char buffer[8192];
    struct own_lines own = { 0 };
    host->count = 0;
    host->layout = CGROUP_NONE;
    int code = read_own_lines(proc_fd, &own, buffer, sizeof buffer);
    if (code == -ENOENT)
        return 0; /* a kernel without cgroups */
    if (code < 0)
        return cl_fail(err, code, "read /proc/self/cgroup");
    if (controller != NULL)
        keep_lines_of(&own, controller);
    code = init_usual(host, &own);
    if (code < 0) {
        cgroup_host_done(host);
        code = init_from_mountinfo(host, proc_fd, &own);
    }
    if (code < 0) {
        cgroup_host_done(host);
        return cl_fail(err, code, "find out where cgroups are mounted");
    }
    set_layout(host);
    return 0;
}

struct cgroup_hierarchy *cgroup_host_find(struct cgroup_host *host, const char *controller)
{
    for (size_t i = 0; i < host->count; i++) {
        struct cgroup_hierarchy *hierarchy = &host->hierarchies[i];
        if (!hierarchy->is_v2 &&
            cgroup_list_has(hierarchy->controllers, ',', controller, strlen(controller)))
            return hierarchy;
    }
    for (size_t i = 0; i < host->count; i++) {
        char text[512];
        struct cgroup_hierarchy *hierarchy = &host->hierarchies[i];
        if (hierarchy->is_v2 &&
            cgroup_file_read(hierarchy->root_fd, "cgroup.controllers", text, sizeof text) > 0 &&
            cgroup_list_has(text, ' ', controller, strlen(controller)))
            return hierarchy;
    }
    return NULL;
}

bool cgroup_host_has(struct cgroup_host *host, const char *controller)
{
    return cgroup_host_find(host, controller) != NULL;
}
