/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of crun's mount option "idmap=uids=0-1000-10#20-2000-5;gids=@0-0-10" (crun(1), "idmap mount options"). A range is FROM-TO-COUNT: ids from FROM on in the
 * file system are those from TO on at the mount. "@" before it: TO is an id of the container's user namespace.
 */
#include "oci/names.h"

#include "base/str.h"
#include "oci/runtime_spec.h"

#include <errno.h>

/* What the container's id is outside. */
static int find_outside(const struct oci_id_mappings *container, uint32_t *id)
{
    for (size_t i = 0; i < container->count; i++) {
        const struct oci_id_mapping *range = &container->items[i];
        if (*id < range->container_id || *id - range->container_id >= range->size)
            continue;
        *id = range->host_id + (*id - range->container_id);
        return 0;
    }
    return -ENOENT;
}

static int add_range(const char *text, size_t length, const struct oci_id_mappings *container,
                     struct oci_id_mappings *ret)
{
    char copy[64];
    uint64_t numbers[3];
    bool is_relative = length > 0 && text[0] == '@';
    if (CL_PRINT(copy, "%.*s", (int)(length - is_relative), text + is_relative) < 0)
        return -EINVAL;
    char *at = copy;
    for (size_t i = 0; i < CL_COUNT(numbers); i++) {
        char *end = strchr(at, '-');
        if ((end == NULL) != (i == CL_COUNT(numbers) - 1))
            return -EINVAL;
        if (end != NULL)
            *end = '\0';
        if (cl_parse_u64(at, 0, UINT32_MAX, &numbers[i]) < 0)
            return -EINVAL;
        at = end != NULL ? end + 1 : at;
    }
    uint32_t outside = (uint32_t)numbers[1];
    if (is_relative && find_outside(container, &outside) < 0)
        return -ENOENT;
    return oci_id_mapping_add(ret, (uint32_t)numbers[0], outside, (uint32_t)numbers[2]);
}

static int add_ranges(const char *text, size_t length, const struct oci_id_mappings *container,
                      struct oci_id_mappings *ret)
{
    int result = 0;
    for (size_t at = 0; result >= 0 && at <= length;) {
        const char *end = memchr(text + at, '#', length - at);
        size_t size = end != NULL ? (size_t)(end - text) - at : length - at;
        result = add_range(text + at, size, container, ret);
        at += size + 1;
    }
    return result;
}

int oci_idmap_parse(const char *text, const struct oci_linux *linux_,
                    struct oci_id_mappings *ret_uids, struct oci_id_mappings *ret_gids)
{
    int result = 0;
    while (result >= 0 && *text != '\0') {
        size_t length = strcspn(text, ";");
        bool is_uids = cl_starts_with(text, "uids="), is_gids = cl_starts_with(text, "gids=");
        if (is_uids)
            result = add_ranges(text + 5, length - 5, &linux_->uid_mappings, ret_uids);
        else if (is_gids)
            result = add_ranges(text + 5, length - 5, &linux_->gid_mappings, ret_gids);
        else
            result = -EINVAL;
        text += length + (text[length] == ';');
    }
    return result < 0 ? result : ret_uids->count > 0 && ret_gids->count > 0 ? 0 : -EINVAL;
}
