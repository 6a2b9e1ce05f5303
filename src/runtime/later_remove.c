/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Away with mounts that were added (later.h): those very mounts, by their ids. What the container put there itself, what config.json says, and what lies over an
 * added mount stays.
 */
#include "runtime/later.h"

#include <errno.h>
#include <unistd.h>

#define MOUNTS_MAX (16 << 20)

static bool has_line(const char *text, uint64_t id)
{
    char start[32];
    (void)CL_PRINT(start, "%llu ", (unsigned long long)id);
    for (const char *line = text; line != NULL; line = strchr(line, '\n'), line += line != NULL)
        if (cl_starts_with(line, start))
            return true;
    return false;
}

/* IN_CONTAINER. Unmounted by the container itself, or gone with what it was on. The kernel gives a plain id to another mount again, so it tells only before
   Linux 6.8. */
static int find_gone(struct child *child, struct cl_error *err)
{
    const struct later *later = child->later;
    cl_auto_free char *text = NULL;
    int result = cl_read_file(later->proc, "mountinfo", MOUNTS_MAX, &text, NULL, err);
    if (result < 0)
        return result;
    for (size_t i = 0; i < later->count; i++) {
        const struct runtime_added *added = &later->added[i];
        later->ids[i].is_done = !has_line(text, added->id) ||
                                (added->unique_id > 0 && k_mount_is_there(added->unique_id) == 0);
    }
    return 0;
}

static bool is_same(const struct runtime_added *added, const struct later_id *found)
{
    return added->id == found->id &&
           (added->unique_id == 0 || added->unique_id == found->unique_id);
}

static int remove_one(struct child *child, size_t i, struct cl_error *err)
{
    const struct later *later = child->later;
    const struct runtime_added *added = &later->added[i];
    struct later_id found = { 0 };
    cl_auto_fd fd = inroot_open(child->root, added->destination, O_PATH, 0, INROOT_FOLLOW, err);
    if (fd < 0)
        return cl_error_prefix(err, "unmount %s", added->destination);
    int result = later_id_of(fd, &found);
    if (result >= 0 && !is_same(added, &found))
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "unmount %s: something else was mounted over it, or the container "
                            "has moved it",
                            added->destination);
    if (result >= 0)
        result = later_unmount(later, fd);
    if (result < 0)
        return cl_fail(err, result, "unmount %s", added->destination);
    later->ids[i].is_done = true;
    return 0;
}

/* IN_CONTAINER. The last one that came to a place is the first to go. */
static int remove_all(struct child *child, struct cl_error *err)
{
    int result = 0;
    for (size_t i = child->later->count; result >= 0 && i-- > 0;)
        if (!child->later->ids[i].is_done)
            result = remove_one(child, i, err);
    return result;
}

static const struct child_step remove_steps[] = {
    { "set up", IN_HOST, child_begin, NULL },
    { "join the user namespace", IN_HOST, later_join_user, later_is_foreign },
    { "join the mount namespace", IN_NEW_MNT, later_join_mounts, NULL },
    { "look for mounts", IN_CONTAINER, find_gone, NULL },
    { "unmount", IN_CONTAINER, remove_all, NULL },
    { "end", IN_CONTAINER, later_end, NULL },
};

static int remove_mounts(struct later *later, const struct oci_spec *spec, struct cl_error *err)
{
    const struct runtime_options none = { .id = "mounts" };
    int result = plan_mounts_alone(spec, &none, &later->facts, &later->plan, err);
    if (result < 0)
        return result;
    later->plan->process.has_user_ns = later->has_user_ns;
    result = later_start(later, remove_steps, CL_COUNT(remove_steps), err);
    return result < 0 ? result : later_finish(later, err);
}

int runtime_mounts_remove(const struct runtime_target *target, const struct oci_spec *spec,
                          struct runtime_added *added, size_t count, struct cl_error *err)
{
    struct later later;
    int result = later_find(&later, target, count, err);
    later.added = added;
    if (result >= 0 && count > 0)
        result = remove_mounts(&later, spec, err);
    for (size_t i = 0; later.ids != NULL && i < count; i++)
        added[i].is_removed = later.ids[i].is_done;
    later_done(&later);
    return result;
}
