/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the view that is about mounts: which come from the host, which are read-only, which only cover what lies below them (and what that is),
 * and which are themselves covered by later ones. Everything is mountinfo's text; no path is opened.
 */
#include <errno.h>

#include "lens/mounts.h"
#include "lens/view.h"

enum { ITEMS_MAX = 256, MOUNTS_MAX = 4096 };

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

/* What programs would find below the mask; NULL: nothing that we could name. */
static const char *below_mask(const char *point)
{
    static const struct {
        const char *point, *below;
    } known[] = {
        { "/proc/acpi", "power and hardware controls" },
        { "/proc/asound", "sound devices of the machine" },
        { "/proc/bus", "PCI and USB devices, writable registers" },
        { "/proc/interrupts", "interrupts of the machine (a side channel)" },
        { "/proc/kallsyms", "addresses of the kernel's symbols" },
        { "/proc/kcore", "the machine's memory" },
        { "/proc/keys", "keys in the kernel's keyrings" },
        { "/proc/key-users", "who has keys in the kernel" },
        { "/proc/latency_stats", "where processes of the machine wait" },
        { "/proc/sched_debug", "the scheduler's view of every process" },
        { "/proc/scsi", "SCSI devices, with a way to remove them" },
        { "/proc/sysrq-trigger", "reboot, crash and kill the machine" },
        { "/proc/timer_list", "timers of every process" },
        { "/proc/timer_stats", "timers of every process" },
        { "/sys/devices/virtual/powercap", "energy used (a side channel: PLATYPUS)" },
        { "/sys/devices/system/cpu", "processors, and switches for them" },
        { "/sys/firmware", "tables of the firmware, EFI variables" },
    };
    for (size_t i = 0; i < CL_COUNT(known); i++)
        if (strcmp(known[i].point, point) == 0)
            return known[i].below;
    return strstr(point, "/thermal_throttle") != NULL ? "throttling counters (a side channel)"
                                                      : NULL;
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
        const char *below = below_mask(mount->point);
        list->items++;
        return view_add_item(list->view, "files", "masked", below == NULL ? NULL : cl_strdup(below),
                             cl_strdup(mount->point));
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

/* ---- mounts under other mounts ---- */

struct placed {
    unsigned id, parent;
    char *point, *type;
};
struct placed_list {
    struct placed *mounts;
    size_t count, room;
};

static int place(void *context, const struct lens_mount *mount)
{
    struct placed_list *list = context;
    if (list->count == MOUNTS_MAX)
        return 0;
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 64 : list->room * 2;
        struct placed *bigger = cl_realloc(list->mounts, room * sizeof *bigger);
        if (bigger == NULL)
            return -ENOMEM;
        list->mounts = bigger;
        list->room = room;
    }
    struct placed *placed = &list->mounts[list->count++];
    *placed = (struct placed){ mount->id, mount->parent, cl_strdup(mount->point),
                               cl_strdup(mount->type) };
    return placed->point == NULL || placed->type == NULL ? -ENOMEM : 0;
}

static bool is_at_or_below(const char *point, const char *above)
{
    size_t length = strcmp(above, "/") == 0 ? 0 : strlen(above);
    return strncmp(point, above, length) == 0 && (point[length] == '/' || point[length] == '\0');
}

/*
 * The mount that lies over `index`, or NULL. One on the mount itself, at its very root; or a later one beside it, on the same mount, at a directory
 * on the way to it. mountinfo lists in the order of mounting.
 */
static const struct placed *cover_of(const struct placed_list *list, size_t index)
{
    const struct placed *mount = &list->mounts[index];
    for (size_t i = 0; i < list->count; i++) {
        const struct placed *other = &list->mounts[i];
        bool is_on_it = other->parent == mount->id && strcmp(other->point, mount->point) == 0;
        bool is_beside = i > index && other->parent == mount->parent &&
                         strcmp(other->point, "/") != 0 &&
                         is_at_or_below(mount->point, other->point);
        if (i != index && other->id != mount->id && (is_on_it || is_beside))
            return other;
    }
    return NULL;
}

static int list_hidden(struct view *view)
{
    struct placed_list list = { 0 };
    unsigned items = 0;
    int code = lens_mounts_walk(view->pid_fd, place, &list);
    for (size_t i = 0; code >= 0 && i < list.count && items < ITEMS_MAX; i++) {
        const struct placed *cover = cover_of(&list, i);
        if (cover == NULL)
            continue;
        items++;
        code = view_add_item(view, "files", "hidden", NULL,
                             cl_format("%s (%s), below a %s on %s", list.mounts[i].point,
                                       list.mounts[i].type, cover->type, cover->point));
    }
    for (size_t i = 0; i < list.count; i++) {
        free(list.mounts[i].point);
        free(list.mounts[i].type);
    }
    free(list.mounts);
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
    if (code >= 0)
        code = lens_mounts_walk(view->pid_fd, list_mount, &list);
    return code < 0 ? code : list_hidden(view);
}

/* For a comparison: each mount as one line. */
static int list_any_mount(void *context, const struct lens_mount *mount)
{
    struct mount_list *list = context;
    if (list->items++ >= MOUNTS_MAX)
        return 0;
    bool is_whole = strcmp(mount->root, "/") == 0 || is_of_kernel(mount);
    return view_add_item(list->view, "files", "mount", NULL,
                         cl_format("%s: %s%s%s (%s)", mount->point, mount->type,
                                   is_whole ? "" : " at ", is_whole ? "" : mount->root,
                                   mount->options));
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
