/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the view that are about files: where the root comes from, which mounts are masked, read-only or the host's, and which open
 * descriptors lead outside.
 *
 * All of it comes out of texts that the kernel writes for us, the reader: mount roots in mountinfo are relative to their file system, so a
 * host mount of the same file system (major:minor) tells the path on the host.
 */
#include <errno.h>
#include <fcntl.h>

#include "lens/mounts.h"
#include "lens/view.h"

enum { ITEMS_MAX = 256, MOUNTS_MAX = 4096, DESCRIPTORS_MAX = 4096 };

/* ---- host paths ---- */

struct host_path {
    unsigned major, minor;
    const char *root;
    char *path;
    size_t best; /* length of the longest mount root that fits */
};

static int match_host_mount(void *context, const struct lens_mount *mount)
{
    struct host_path *wanted = context;
    size_t length = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);
    bool is_below = strncmp(wanted->root, mount->root, length) == 0 &&
                    (wanted->root[length] == '/' || wanted->root[length] == '\0');
    if (mount->major != wanted->major || mount->minor != wanted->minor || !is_below ||
        (wanted->path != NULL && length <= wanted->best))
        return 0;
    const char *rest = wanted->root + length;
    bool is_root = strcmp(mount->point, "/") == 0;
    char *path = cl_format("%s%s", is_root && strlen(rest) > 1 ? "" : mount->point,
                           strcmp(rest, "/") == 0 ? "" : rest);
    if (path == NULL)
        return -ENOMEM;
    free(wanted->path);
    wanted->path = path;
    wanted->best = length;
    return 0;
}

char *view_host_path(const struct view *view, unsigned major, unsigned minor, const char *root,
                     int *code)
{
    struct host_path wanted = { .major = major, .minor = minor, .root = root };
    int walked = lens_mounts_walk(view->host_fd, match_host_mount, &wanted);
    if (walked != -ENOMEM)
        return wanted.path;
    free(wanted.path);
    *code = -ENOMEM;
    return NULL;
}

/* ---- root ---- */

struct root_mount {
    unsigned major, minor;
    char *root, *type, *source, *upper;
};

static void root_done(struct root_mount *root)
{
    free(root->root);
    free(root->type);
    free(root->source);
    free(root->upper);
}

/* The value of KEY= in comma-separated options, owned, or NULL. Commas inside are escaped by the kernel. */
static char *option_of(const char *options, const char *key)
{
    size_t length = strlen(key);
    for (const char *at = options; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, key, length) == 0)
            return cl_strndup(at + length, strcspn(at + length, ","));
    }
    return NULL;
}

static int take_root(void *context, const struct lens_mount *mount)
{
    struct root_mount *root = context;
    if (strcmp(mount->point, "/") != 0)
        return 0;
    root_done(root); /* a later mount on / lies over an earlier one */
    *root = (struct root_mount){ .major = mount->major,
                                 .minor = mount->minor,
                                 .root = cl_strdup(mount->root),
                                 .type = cl_strdup(mount->type),
                                 .source = cl_strdup(mount->source),
                                 .upper = option_of(mount->super_options, "upperdir=") };
    return root->root == NULL || root->type == NULL || root->source == NULL ? -ENOMEM : 0;
}

static char *root_text(const struct view *view, const struct root_mount *root)
{
    int code = 0;
    char *path = view_host_path(view, root->major, root->minor, root->root, &code);
    if (path != NULL || code < 0)
        return path;
    if (root->upper != NULL)
        return cl_format("%s on %s", root->type, root->upper);
    bool is_whole = strcmp(root->root, "/") == 0;
    return cl_format("%s (%s)%s%s", root->type, root->source, is_whole ? "" : " at ",
                     is_whole ? "" : root->root);
}

int view_root(struct view *view)
{
    struct root_mount root = { 0 };
    char *host = NULL;
    int code = lens_mounts_walk(view->pid_fd, take_root, &root);
    if (code >= 0 && root.root == NULL) {
        /* chroot: its root is no mount point, and the kernel names it from our own root. */
        char text[4096];
        ssize_t length = readlinkat(view->pid_fd, "root", text, sizeof text);
        host =
            length < 0 ? view_hidden(-errno, "CAP_SYS_PTRACE") : cl_strndup(text, (size_t)length);
    } else if (code >= 0) {
        host = root_text(view, &root);
    } else if (code != -ENOMEM) {
        host = view_hidden(code, "CAP_SYS_PTRACE");
    }
    root_done(&root);
    return view_add_pair(view, "process", "root", host, cl_strdup("/"));
}

/* ---- mounts ---- */

enum mount_list_kind { LIST_FROM_HOST, LIST_READ_ONLY, LIST_MASKED };

struct mount_list {
    struct view *view;
    enum mount_list_kind kind;
    unsigned items;
    char **points; /* LIST_READ_ONLY: what is to be listed */
};

/* A file or directory of /proc or /sys with nothing, or the null device, over it. */
static bool is_masked(const struct lens_mount *mount)
{
    bool is_below = cl_starts_with(mount->point, "/proc/") || cl_starts_with(mount->point, "/sys/");
    bool is_empty = strcmp(mount->type, "tmpfs") == 0 || cl_ends_with(mount->root, "/null");
    return is_below && is_empty && !cl_starts_with(mount->point, "/sys/fs/cgroup");
}

static bool is_read_only(const struct lens_mount *mount)
{
    return strcmp(mount->options, "ro") == 0 || cl_starts_with(mount->options, "ro,");
}

/* File systems that every container gets anew; a part of them is no directory of the host's. */
static bool is_of_kernel(const struct lens_mount *mount)
{
    static const char *const types[] = { "proc",    "sysfs",   "cgroup", "cgroup2",
                                         "devpts",  "mqueue",  "nsfs",   "securityfs",
                                         "debugfs", "tracefs", "bpf",    "devtmpfs" };
    for (size_t i = 0; i < CL_COUNT(types); i++)
        if (strcmp(mount->type, types[i]) == 0)
            return true;
    return false;
}

static int list_from_host(struct mount_list *list, const struct lens_mount *mount)
{
    int code = 0;
    if (is_of_kernel(mount) || is_masked(mount))
        return 0;
    char *host = view_host_path(list->view, mount->major, mount->minor, mount->root, &code);
    if (host == NULL)
        return code;
    list->items++;
    char *inside = cl_format("%s%s", mount->point, is_read_only(mount) ? " (read-only)" : "");
    if (inside != NULL)
        return view_add_item(list->view, "files", "from the host", host, inside);
    free(host);
    return -ENOMEM;
}

static int list_mount(void *context, const struct lens_mount *mount)
{
    struct mount_list *list = context;
    if (strcmp(mount->point, "/") == 0 || list->items >= ITEMS_MAX)
        return 0;
    if (list->kind == LIST_FROM_HOST)
        return list_from_host(list, mount);
    if (list->kind == LIST_MASKED && is_masked(mount)) {
        list->items++;
        return view_add_item(list->view, "files", "masked", NULL, cl_strdup(mount->point));
    }
    if (list->kind == LIST_READ_ONLY && is_read_only(mount) && !is_masked(mount)) {
        list->items++;
        return cl_strv_append(&list->points, mount->point);
    }
    return 0;
}

/* What is below another read-only mount goes without saying. */
static bool is_below_any(char *const *points, const char *point)
{
    for (size_t i = 0; points[i] != NULL; i++) {
        size_t length = strlen(points[i]);
        if (strncmp(points[i], point, length) == 0 && point[length] == '/')
            return true;
    }
    return false;
}

static int list_read_only(struct mount_list *list)
{
    list->kind = LIST_READ_ONLY;
    list->items = 0;
    int code = lens_mounts_walk(list->view->pid_fd, list_mount, list);
    for (size_t i = 0; code >= 0 && list->points != NULL && list->points[i] != NULL; i++)
        if (!is_below_any(list->points, list->points[i]))
            code =
                view_add_item(list->view, "files", "read-only", NULL, cl_strdup(list->points[i]));
    cl_strv_free(list->points);
    list->points = NULL;
    return code;
}

static int list_mounts(struct view *view)
{
    struct mount_list list = { .view = view, .kind = LIST_FROM_HOST };
    int code = lens_mounts_walk(view->pid_fd, list_mount, &list);
    if (code >= 0)
        code = list_read_only(&list);
    list.kind = LIST_MASKED;
    list.items = 0;
    return code < 0 ? code : lens_mounts_walk(view->pid_fd, list_mount, &list);
}

/* For a comparison: each mount as one line. */
static int list_any_mount(void *context, const struct lens_mount *mount)
{
    struct mount_list *list = context;
    if (list->items++ >= MOUNTS_MAX)
        return 0;
    bool is_whole = strcmp(mount->root, "/") == 0 || is_of_kernel(mount);
    return view_add_item(list->view, "files", "mount", NULL,
                         cl_format("%s: %s%s%s%s", mount->point, mount->type,
                                   is_whole ? "" : " at ", is_whole ? "" : mount->root,
                                   is_read_only(mount) ? " (read-only)" : ""));
}

static int count_mount(void *context, const struct lens_mount *mount)
{
    (void)mount;
    ++*(unsigned *)context;
    return 0;
}

int view_mounts(struct view *view)
{
    unsigned host = 0, inside = 0;
    struct mount_list list = { .view = view };
    int code = lens_mounts_walk(view->host_fd, count_mount, &host);
    if (code >= 0)
        code = lens_mounts_walk(view->pid_fd, count_mount, &inside);
    if (code < 0)
        return code == -ENOMEM ? code
                               : view_add_pair(view, "files", "mounts", cl_strdup(""),
                                               view_hidden(code, "CAP_SYS_PTRACE"));
    code = view_add_pair(view, "files", "mounts", cl_format("%u", host), cl_format("%u", inside));
    if (code >= 0 && view->is_full)
        code = lens_mounts_walk(view->pid_fd, list_any_mount, &list);
    else if (code >= 0 && view->inside_ns[K_NS_MNT] != 0 && !view_shares(view, K_NS_MNT))
        code = list_mounts(view);
    return code == -ENOMEM ? code : 0;
}

/* ---- descriptors ---- */

struct mount_ids {
    unsigned *ids;
    size_t count, room;
};

static int take_id(void *context, const struct lens_mount *mount)
{
    struct mount_ids *ids = context;
    if (ids->count == ids->room) {
        size_t room = ids->room == 0 ? 64 : ids->room * 2, bytes;
        unsigned *bigger = NULL;
        if (cl_mul_size(room, sizeof *bigger, &bytes))
            bigger = cl_realloc(ids->ids, bytes);
        if (bigger == NULL)
            return -ENOMEM;
        ids->ids = bigger;
        ids->room = room;
    }
    ids->ids[ids->count++] = mount->id;
    return 0;
}

/* fdinfo names the mount that a file was opened through; one that the process's namespace does not have leads outside. */
static bool leads_outside(const struct mount_ids *ids, int pid_fd, int number)
{
    char path[32], text[1024];
    uint64_t id;
    (void)CL_PRINT(path, "fdinfo/%d", number); /* fits */
    if (cl_read_small(pid_fd, path, text, sizeof text) < 0)
        return false;
    char *at = strstr(text, "mnt_id:");
    if (at == NULL)
        return false;
    at += strlen("mnt_id:");
    at += strspn(at, " \t");
    at[strcspn(at, "\n")] = '\0';
    if (cl_parse_u64(at, 0, UINT32_MAX, &id) < 0)
        return false;
    for (size_t i = 0; i < ids->count; i++)
        if (ids->ids[i] == id)
            return false;
    return true;
}

static int add_descriptor(struct view *view, const struct mount_ids *ids, int number)
{
    char path[32], text[4096];
    (void)CL_PRINT(path, "fd/%d", number); /* fits */
    ssize_t length = readlinkat(view->pid_fd, path, text, sizeof text - 1);
    /* Pipes, sockets and anonymous files are no paths, and belong to no mount that anybody sees. */
    if (length <= 0 || text[0] != '/' || !leads_outside(ids, view->pid_fd, number))
        return 0;
    text[length] = '\0';
    return view_add_item(view, "files", "descriptor outside", cl_strdup(text),
                         cl_format("%d", number));
}

static int list_descriptors(struct view *view, int dir_fd, const struct mount_ids *ids)
{
    cl_auto_free struct procfs_walk *walk = cl_malloc(sizeof *walk);
    if (walk == NULL)
        return -ENOMEM;
    if (procfs_walk_init(walk, dir_fd) < 0)
        return 0;                                      /* gone: view_fill says so */
    int code = add_descriptor(view, ids, 0), seen = 0; /* the walk leaves out 0 */
    for (int number;
         code >= 0 && seen++ < DESCRIPTORS_MAX && (number = procfs_walk_next(walk)) > 0;)
        code = add_descriptor(view, ids, number);
    procfs_walk_done(walk);
    return code;
}

int view_descriptors(struct view *view)
{
    struct mount_ids ids = { 0 };
    if (view_shares(view, K_NS_MNT))
        return 0; /* the same mounts: nothing is outside */
    cl_auto_fd dir = openat(view->pid_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return view_add_item(view, "files", "descriptor outside", NULL,
                             view_hidden(-errno, "CAP_SYS_PTRACE"));
    int code = lens_mounts_walk(view->pid_fd, take_id, &ids);
    if (code >= 0)
        code = list_descriptors(view, dir, &ids);
    free(ids.ids);
    return code == -ENOMEM ? code : 0;
}
