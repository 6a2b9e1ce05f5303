/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the view that are about files: where the root comes from, and which cgroup it is.
 *
 * Both sides come out of mountinfo and cgroup texts that the kernel writes for us, the reader: mount roots there are relative to
 * their file system, cgroup paths to our own cgroup namespace.
 */
#include <errno.h>
#include <fcntl.h>

#include "lens/mounts.h"
#include "lens/view.h"

#define CGROUP_MAX 65536

/* ---- root ---- */

struct root_mount {
    unsigned major, minor;
    char *root, *type, *source, *upper, *host_path;
    size_t best; /* length of the longest mount root that fits */
    int failed;
};

static void root_done(struct root_mount *root)
{
    free(root->root);
    free(root->type);
    free(root->source);
    free(root->upper);
    free(root->host_path);
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

/* A host mount of the same file system through which the target's root can be reached gives the path on the host. */
static int match_root(void *context, const struct lens_mount *mount)
{
    struct root_mount *root = context;
    size_t length = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);
    bool is_below = strncmp(root->root, mount->root, length) == 0 &&
                    (root->root[length] == '/' || root->root[length] == '\0');
    if (mount->major != root->major || mount->minor != root->minor || !is_below ||
        (root->host_path != NULL && length < root->best))
        return 0;
    const char *rest = root->root + length;
    const char *point = strcmp(mount->point, "/") == 0 && rest[0] == '/' ? "" : mount->point;
    char *path = cl_format("%s%s", point, strcmp(rest, "/") == 0 ? "" : rest);
    if (path == NULL)
        return -ENOMEM;
    if (path[0] == '\0') {
        free(path);
        path = cl_strdup("/");
    }
    free(root->host_path);
    root->host_path = path;
    root->best = length;
    return path == NULL ? -ENOMEM : 0;
}

static char *root_text(const struct root_mount *root)
{
    if (root->host_path != NULL)
        return cl_strdup(root->host_path);
    if (root->upper != NULL)
        return cl_format("%s on %s", root->type, root->upper);
    return cl_format("%s (%s)%s%s", root->type, root->source,
                     strcmp(root->root, "/") == 0 ? "" : " at ",
                     strcmp(root->root, "/") == 0 ? "" : root->root);
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
        code = lens_mounts_walk(view->host_fd, match_root, &root);
        host = code == -ENOMEM ? NULL : root_text(&root);
    } else {
        host = view_hidden(code, "CAP_SYS_PTRACE");
    }
    root_done(&root);
    if (host == NULL)
        return -ENOMEM;
    struct view_row row = {
        .section = "process", .name = "root", .host = host, .inside = cl_strdup("/")
    };
    return view_add(view, &row);
}

/* ---- cgroup ---- */

/* Which hierarchy speaks for the process: the deepest path; in a hybrid most controllers may be at the root. */
static char *deepest_cgroup(char *text, char **ret_controllers)
{
    char *best = NULL;
    *ret_controllers = NULL;
    for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (path == NULL)
            continue;
        *path++ = '\0';
        if (best == NULL || strlen(path) > strlen(best)) {
            best = path;
            *ret_controllers = controllers + 1;
        }
    }
    return best;
}

struct cgroup_root {
    const char *controllers; /* "memory", "name=systemd", "" for version 2 */
    char *root;              /* of the mount that the target sees */
};

static int take_cgroup_root(void *context, const struct lens_mount *mount)
{
    struct cgroup_root *wanted = context;
    bool is_v2 = strcmp(mount->type, "cgroup2") == 0;
    bool is_v1 = strcmp(mount->type, "cgroup") == 0;
    if ((wanted->controllers[0] == '\0') != is_v2 || (!is_v1 && !is_v2))
        return 0;
    const char *found = is_v1 ? strstr(mount->super_options, wanted->controllers) : "";
    if (found == NULL || wanted->root != NULL)
        return 0;
    wanted->root = cl_strdup(mount->root);
    return wanted->root == NULL ? -ENOMEM : 0;
}

/*
 * A cgroup namespace's root is told by the cgroup mounts made in it. Where there is none, the container's first process was at the root when the
 * namespace was made: engines do it in that order.
 */
static char *inside_cgroup(const struct view *view, const char *path, const char *controllers)
{
    struct cgroup_root wanted = { .controllers = controllers };
    if (view_shares(view, K_NS_CGROUP))
        return cl_strdup(path);
    int code = lens_mounts_walk(view->pid_fd, take_cgroup_root, &wanted);
    cl_auto_free char *root = wanted.root;
    if (code == -ENOMEM)
        return NULL;
    size_t length = root == NULL || strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (length > 0 && strncmp(path, root, length) == 0 &&
        (path[length] == '/' || path[length] == '\0'))
        return cl_strdup(path[length] == '\0' ? "/" : path + length);
    pid_t last = view->status.levels > 0 ? view->status.ns_pid[view->status.levels - 1] : 0;
    return cl_strdup(last == 1 ? "/" : "unknown (no cgroup mount inside)");
}

int view_cgroup(struct view *view)
{
    cl_auto_free char *text = NULL;
    char *controllers;
    int code = cl_read_file(view->pid_fd, "cgroup", CGROUP_MAX, &text, NULL, NULL);
    const char *path = code < 0 ? NULL : deepest_cgroup(text, &controllers);
    struct view_row row = { .section = "process", .name = "cgroup" };
    if (path == NULL) {
        row.host = view_hidden(code < 0 ? code : -ENOENT, "CAP_SYS_PTRACE");
        row.inside = view_hidden(code < 0 ? code : -ENOENT, "CAP_SYS_PTRACE");
    } else {
        row.host = cl_strdup(path);
        row.inside = inside_cgroup(view, path, controllers);
    }
    int added = view_add(view, &row);
    const struct view_row *last = &view->rows[view->count - 1];
    return added < 0 || last->host == NULL || last->inside == NULL ? -ENOMEM : 0;
}
