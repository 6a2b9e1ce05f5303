/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of a container that are slaves of the host's (mount_namespaces(7)), in the images. CRIU puts those of one master into a group, and gives a restored group its master again
 * from the source of one of them, which works where that mount of the host's has the sources of all. Binds that are brought to a place of their own (criu_place.c) have none
 * such: each has no more than itself. So in the images each gets a master's number of its own, and is given its master by its own source. Nothing is lost by it: slaves
 * of one master do not know of one another. What the container has bound from such a one stays with it.
 *
 * mountpoints-N.img: eight bytes, then messages (mnt_entry of CRIU's images/mnt.proto), each behind its size in four bytes.
 */
#include "runtime/criu.h"

#include <dirent.h>
#include <fcntl.h>

#define HEAD       8
#define IMAGE_MAX  (16 << 20)
#define ENTRY_ROOM 16 /* what a new number may make an entry longer by */

enum { ROOT_DEV = 3, ROOT = 6, SHARED_ID = 10, MASTER_ID = 11, EXT_KEY = 18 }; /* of mnt_entry */

struct entry {
    struct criu_reader bytes, root;
    uint64_t device, shared, master;
    bool is_external;
    uint64_t own_master; /* 0: as it is */
};

static bool read_entry(struct criu_reader bytes, struct entry *ret)
{
    struct criu_member member;
    *ret = (struct entry){ .bytes = bytes };
    while (bytes.at < bytes.end) {
        if (!criu_take_member(&bytes, &member))
            return false;
        if (member.field == ROOT_DEV)
            ret->device = member.number;
        else if (member.field == ROOT)
            ret->root = member.bytes;
        else if (member.field == SHARED_ID)
            ret->shared = member.number;
        else if (member.field == MASTER_ID)
            ret->master = member.number;
        else if (member.field == EXT_KEY)
            ret->is_external = member.bytes.at != NULL && member.bytes.at < member.bytes.end;
    }
    return true;
}

static bool take_size(struct criu_reader *reader, struct criu_reader *ret)
{
    uint32_t size; /* in this machine's order, as CRIU has it */
    if ((size_t)(reader->end - reader->at) < sizeof size)
        return false;
    memcpy(&size, reader->at, sizeof size);
    reader->at += sizeof size;
    if (size > (size_t)(reader->end - reader->at))
        return false;
    *ret = (struct criu_reader){ reader->at, reader->at + size };
    reader->at += size;
    return true;
}

struct entries {
    struct entry *items;
    size_t count;
};

static int read_entries(struct criu_reader image, struct entries *ret)
{
    size_t room = (size_t)(image.end - image.at) / sizeof(uint32_t) + 1;
    struct criu_reader bytes;
    ret->items = cl_calloc(room, sizeof *ret->items);
    if (ret->items == NULL)
        return -ENOMEM;
    while (image.at < image.end)
        if (!take_size(&image, &bytes) || !read_entry(bytes, &ret->items[ret->count++]))
            return -EBADMSG;
    return 0;
}

/* A slave of a mount that is none of the container's. */
static bool is_slave(const struct entries *entries, const struct entry *entry)
{
    if (entry->master == 0 || entry->shared != 0)
        return false;
    for (size_t i = 0; i < entries->count; i++)
        if (entries->items[i].shared == entry->master)
            return false;
    return true;
}

static bool is_below(struct criu_reader path, struct criu_reader top)
{
    size_t length = (size_t)(top.end - top.at);
    if (length == 1) /* "/" */
        return true;
    return length > 0 && length <= (size_t)(path.end - path.at) &&
           memcmp(path.at, top.at, length) == 0 &&
           (path.at + length == path.end || path.at[length] == '/');
}

/* From outside, and has all of what `entry` shows: the narrowest. */
static const struct entry *find_origin(const struct entries *entries, const struct entry *entry)
{
    const struct entry *found = NULL;
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *other = &entries->items[i];
        if (other->is_external && other->own_master != 0 && other->device == entry->device &&
            other->master == entry->master && is_below(entry->root, other->root) &&
            (found == NULL || is_below(other->root, found->root)))
            found = other;
    }
    return found;
}

static bool split(const struct entries *entries)
{
    uint64_t next = 1;
    bool has_changed = false;
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->items[i];
        next = entry->shared >= next ? entry->shared + 1 : next;
        next = entry->master >= next ? entry->master + 1 : next;
    }
    for (size_t i = 0; i < entries->count; i++)
        if (entries->items[i].is_external && is_slave(entries, &entries->items[i])) {
            entries->items[i].own_master = next++;
            has_changed = true;
        }
    for (size_t i = 0; has_changed && i < entries->count; i++) {
        struct entry *entry = &entries->items[i];
        const struct entry *origin =
            !entry->is_external && is_slave(entries, entry) ? find_origin(entries, entry) : NULL;
        entry->own_master = origin != NULL ? origin->own_master : entry->own_master;
    }
    return has_changed;
}

static void put_entry(struct cl_buf *out, const struct entry *entry)
{
    cl_auto_buf message = CL_BUF_INIT((size_t)(entry->bytes.end - entry->bytes.at) + ENTRY_ROOM);
    struct criu_reader reader = entry->bytes;
    struct criu_member member;
    while (reader.at < reader.end) {
        const uint8_t *start = reader.at;
        if (!criu_take_member(&reader, &member))
            break; /* it was read before */
        if (entry->own_master == 0 || member.field != MASTER_ID)
            cl_buf_add(&message, start, (size_t)(reader.at - start));
    }
    if (entry->own_master != 0)
        criu_put_number(&message, MASTER_ID, (int64_t)entry->own_master);
    uint32_t size = (uint32_t)message.size;
    cl_buf_add(out, &size, sizeof size);
    cl_buf_add(out, message.data, message.size);
    if (message.failed < 0)
        out->failed = message.failed;
}

int criu_split_masters(const void *data, size_t size, struct cl_buf *out)
{
    const uint8_t *bytes = data;
    struct entries entries = { 0 };
    int result = size < HEAD
                     ? -EBADMSG
                     : read_entries((struct criu_reader){ bytes + HEAD, bytes + size }, &entries);
    bool has_changed = result >= 0 && split(&entries);
    if (has_changed)
        cl_buf_add(out, data, HEAD);
    for (size_t i = 0; has_changed && i < entries.count; i++)
        put_entry(out, &entries.items[i]);
    free(entries.items);
    return result < 0 ? result : out->failed < 0 ? out->failed : has_changed;
}

static int split_image(int images, const char *name, struct cl_error *err)
{
    cl_auto_free char *data = NULL;
    size_t size = 0;
    cl_auto_buf out = CL_BUF_INIT(2 * (size_t)IMAGE_MAX);
    int result = cl_read_file(images, name, IMAGE_MAX, &data, &size, err);
    if (result < 0)
        return result;
    result = criu_split_masters(data, size, &out);
    if (result < 0)
        return cl_fail(err, result, "%s of the images", name);
    return result == 0
               ? 0 /* as criu makes it: images are 0644 */
               : cl_write_atomic(images, name, out.data, out.size, 0644, CL_WRITE_PLAIN, err);
}

int criu_split_images(int images, struct cl_error *err)
{
    int own = openat(images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
    DIR *list = own < 0 ? NULL : fdopendir(own);
    if (list == NULL) {
        result = cl_fail(err, errno, "list the images");
        (void)cl_close(own);
        return result;
    }
    const struct dirent *entry;
    while (result >= 0 && (entry = readdir(list)) != NULL)
        if (cl_starts_with(entry->d_name, "mountpoints-") && cl_ends_with(entry->d_name, ".img"))
            result = split_image(images, entry->d_name, err);
    (void)closedir(list);
    return result;
}
