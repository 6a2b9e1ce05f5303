/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the view that says where the root of a process lies on the host, and how any mount is found there.
 *
 * It comes out of texts that the kernel writes for us, the reader: mount roots in mountinfo are relative to their file system, so a
 * host mount of the same file system (major:minor) tells the path on the host.
 */
#include <errno.h>
#include <fcntl.h>

#include "lens/mounts.h"
#include "lens/view.h"

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
    return view_add_pair(view, "files", "root", host, cl_strdup("/"));
}
