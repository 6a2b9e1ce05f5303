/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of JSON arrays and objects: growing, looking up, taking out.
 *
 * Small objects are searched member by member, comparing hashes. Others have an index behind their list, so that an object of a
 * hundred thousand keys costs nobody a second. The hash is seeded by the kernel's AT_RANDOM bytes, so that a document can't be
 * built to make it slow.
 */
#include <errno.h>
#include <sys/auxv.h>

#include "base/json_private.h"

enum { SMALL = 16, ROOM_MIN = 8 };

static uint64_t hash_seed(void)
{
    static uint64_t seed; /* threads that race here all store the same value */
    uint64_t value = __atomic_load_n(&seed, __ATOMIC_RELAXED);
    if (value != 0)
        return value;
    uintptr_t bytes = getauxval(AT_RANDOM); /* 16 bytes of the kernel's; getauxval(3) */
    if (bytes != 0)
        memcpy(&value, (const char *)bytes + 8,
               sizeof value); /* the first are the stack's canary */
    value |= 1;
    __atomic_store_n(&seed, value, __ATOMIC_RELAXED);
    return value;
}

uint32_t json_hash(const char *key, size_t size)
{
    uint64_t hash = hash_seed();
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)key[i]) * 0x100000001b3U;
        hash ^= hash >> 29;
    }
    hash *= 0xbf58476d1ce4e5b9U;
    return (uint32_t)(hash >> 32);
}

/* ---- objects ---- */

static uint32_t index_room(uint32_t room)
{
    uint32_t slots = 4 * SMALL;
    if (room <= SMALL)
        return 0;
    while (slots / 2 < room)
        slots *= 2;
    return slots;
}

size_t json_members_size(uint32_t room)
{
    return sizeof(struct json_members) + room * sizeof(struct json_member) +
           index_room(room) * sizeof(uint32_t);
}

void json_members_init(struct json_members *members, uint32_t room)
{
    members->room = room;
    members->index_room = index_room(room);
    members->index = members->index_room > 0 ? (uint32_t *)(void *)(members->list + room) : NULL;
}

ssize_t json_members_find(const struct json_members *members, const char *key)
{
    return members == NULL ? -1
                           : json_members_find_hashed(members, key, json_hash(key, strlen(key)));
}

ssize_t json_members_find_hashed(const struct json_members *members, const char *key, uint32_t hash)
{
    if (members == NULL)
        return -1;
    if (members->index == NULL) {
        for (size_t i = 0; i < members->count; i++)
            if (members->list[i].hash == hash && cl_streq(members->list[i].key, key))
                return (ssize_t)i;
        return -1;
    }
    for (uint32_t slot = hash; members->index[slot & (members->index_room - 1)] != 0; slot++) {
        uint32_t at = members->index[slot & (members->index_room - 1)] - 1;
        if (members->list[at].hash == hash && cl_streq(members->list[at].key, key))
            return (ssize_t)at;
    }
    return -1;
}

static void index_add(struct json_members *members, uint32_t at)
{
    if (members->index == NULL)
        return;
    uint32_t slot = members->list[at].hash & (members->index_room - 1);
    while (members->index[slot] != 0)
        slot = (slot + 1) & (members->index_room - 1);
    members->index[slot] = at + 1;
}

void json_members_append(struct json_members *members, struct json_member member)
{
    members->list[members->count] = member;
    index_add(members, members->count++);
}

/* Zeroed. */
static void *get_memory(struct json_document *document, size_t room, size_t size)
{
    if (document == NULL || room > JSON_FEW)
        return cl_calloc(1, size);
    void *memory = json_document_get(document, size);
    return memory == NULL ? NULL : memset(memory, 0, size);
}

int json_members_reserve(struct cl_json *object, struct json_document *document)
{
    struct json_members *old = object->members;
    uint32_t count = old == NULL ? 0 : old->count;
    if (old != NULL && count < old->room)
        return 0;
    if (count > INT32_MAX / 4)
        return -ENOMEM;
    uint32_t room = count < ROOM_MIN ? ROOM_MIN : 2 * count;
    struct json_members *members = get_memory(document, room, json_members_size(room));
    if (members == NULL)
        return -ENOMEM;
    json_members_init(members, room);
    for (uint32_t i = 0; i < count; i++)
        json_members_append(members, old->list[i]);
    if (object->owns_storage)
        free(old);
    object->members = members;
    object->owns_storage = document == NULL || room > JSON_FEW;
    return 0;
}

void json_members_drop(struct json_members *members, size_t at)
{
    members->count--;
    memmove(members->list + at, members->list + at + 1,
            (members->count - at) * sizeof *members->list);
    if (members->index == NULL)
        return;
    memset(members->index, 0, members->index_room * sizeof *members->index);
    for (uint32_t i = 0; i < members->count; i++)
        index_add(members, i);
}

/* ---- arrays ---- */

int json_items_reserve(struct cl_json *array, struct json_document *document)
{
    struct json_items *old = array->items;
    size_t count = old == NULL ? 0 : old->count, size;
    if (old != NULL && count < old->room)
        return 0;
    size_t room = count < ROOM_MIN ? ROOM_MIN : 2 * count;
    if (!cl_mul_size(room, sizeof *old->list, &size) || !cl_add_size(size, sizeof *old, &size))
        return -ENOMEM;
    bool is_own = document == NULL || room > JSON_FEW;
    struct json_items *items = !is_own               ? json_document_get(document, size)
                               : array->owns_storage ? cl_realloc(old, size)
                                                     : cl_malloc(size);
    if (items == NULL)
        return -ENOMEM;
    if (!array->owns_storage && count > 0)
        memcpy(items->list, old->list, count * sizeof *items->list);
    items->count = count;
    items->room = room;
    array->items = items;
    array->owns_storage = is_own;
    return 0;
}
