/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot's containers: two growing arrays, one hash table by inode, and an arena for texts. Nothing here reads anything.
 *
 * The hash table holds indices. Sorting the namespaces moves them, so lens_snapshot_finish renumbers what refers to them
 * and fills the table again.
 */
#include "lens/model.h"

#include <errno.h>

#define ARENA_CHUNK    65536
#define FIRST_TABLE    256
#define FIRST_ELEMENTS 64

struct lens_arena_chunk {
    struct lens_arena_chunk *next;
    size_t used, size;
    _Alignas(8) char data[];
};

struct lens_snapshot *lens_snapshot_new(void)
{
    return cl_calloc(1, sizeof(struct lens_snapshot));
}

void lens_snapshot_free(struct lens_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (struct lens_arena_chunk *chunk = snapshot->arena, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(snapshot->processes);
    free(snapshot->namespaces);
    free(snapshot->holders);
    free(snapshot->descriptors);
    free(snapshot->table);
    free(snapshot);
}

/* Room for one more element of `size` bytes; the array stays valid on failure. */
static int grow(void **array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return 0;
    size_t wanted = *room == 0 ? FIRST_ELEMENTS : *room * 2, bytes;
    if (wanted >= LENS_NONE || !cl_mul_size(wanted, size, &bytes))
        return -ENOMEM;
    void *bigger = cl_realloc(*array, bytes);
    if (bigger == NULL)
        return -ENOMEM;
    *array = bigger;
    *room = wanted;
    return 0;
}

struct lens_process *lens_snapshot_add_process(struct lens_snapshot *snapshot, pid_t pid)
{
    void *array = snapshot->processes;
    int code =
        grow(&array, snapshot->process_count, &snapshot->process_room, sizeof(struct lens_process));
    snapshot->processes = array;
    if (code < 0)
        return NULL;
    struct lens_process *process = &snapshot->processes[snapshot->process_count++];
    *process = (struct lens_process){ .pid = pid, .host_pid = pid };
    for (int type = 0; type < K_NS_COUNT; type++)
        process->namespaces[type] = LENS_NONE;
    return process;
}

int lens_snapshot_add_holder(struct lens_snapshot *snapshot, const struct lens_holder *holder)
{
    void *array = snapshot->holders;
    int code =
        grow(&array, snapshot->holder_count, &snapshot->holder_room, sizeof(struct lens_holder));
    snapshot->holders = array;
    if (code < 0)
        return code;
    snapshot->holders[snapshot->holder_count++] = *holder;
    snapshot->namespaces[holder->namespace].holders |= (unsigned)holder->kind;
    return 0;
}

/* ---- inode → index ---- */

/* Namespace inodes are handed out in sequence, so the low bits spread well; the multiplication is for those that don't. */
static size_t slot_of(uint64_t inode, size_t table_size)
{
    return (size_t)((inode * 0x9E3779B97F4A7C15ULL) >> 32) & (table_size - 1);
}

static void table_put(struct lens_snapshot *snapshot, uint32_t index)
{
    size_t slot = slot_of(snapshot->namespaces[index].inode, snapshot->table_size);
    while (snapshot->table[slot] != LENS_NONE)
        slot = (slot + 1) & (snapshot->table_size - 1);
    snapshot->table[slot] = index;
}

static void table_fill(struct lens_snapshot *snapshot)
{
    memset(snapshot->table, 0xff, snapshot->table_size * sizeof *snapshot->table);
    for (size_t i = 0; i < snapshot->namespace_count; i++)
        table_put(snapshot, (uint32_t)i);
}

static int table_grow(struct lens_snapshot *snapshot)
{
    size_t size = snapshot->table_size == 0 ? FIRST_TABLE : snapshot->table_size * 2, bytes;
    if (!cl_mul_size(size, sizeof *snapshot->table, &bytes))
        return -ENOMEM;
    uint32_t *table = cl_realloc(snapshot->table, bytes);
    if (table == NULL)
        return -ENOMEM;
    snapshot->table = table;
    snapshot->table_size = size;
    table_fill(snapshot);
    return 0;
}

uint32_t lens_snapshot_find(const struct lens_snapshot *snapshot, uint64_t inode)
{
    if (snapshot->table_size == 0)
        return LENS_NONE;
    size_t slot = slot_of(inode, snapshot->table_size);
    while (snapshot->table[slot] != LENS_NONE) {
        if (snapshot->namespaces[snapshot->table[slot]].inode == inode)
            return snapshot->table[slot];
        slot = (slot + 1) & (snapshot->table_size - 1);
    }
    return LENS_NONE;
}

uint32_t lens_snapshot_namespace(struct lens_snapshot *snapshot, enum k_ns type, uint64_t inode)
{
    uint32_t index = lens_snapshot_find(snapshot, inode);
    if (index != LENS_NONE)
        return index;
    if (snapshot->namespace_count * 2 >= snapshot->table_size && table_grow(snapshot) < 0)
        return LENS_NONE;
    void *array = snapshot->namespaces;
    int code = grow(&array, snapshot->namespace_count, &snapshot->namespace_room,
                    sizeof(struct lens_namespace));
    snapshot->namespaces = array;
    if (code < 0)
        return LENS_NONE;
    index = (uint32_t)snapshot->namespace_count++;
    snapshot->namespaces[index] = (struct lens_namespace){
        .inode = inode, .type = type, .representative = LENS_NONE, .netnsid = LENS_NETNSID_UNKNOWN
    };
    table_put(snapshot, index);
    return index;
}

uint32_t lens_snapshot_find_pid(const struct lens_snapshot *snapshot, pid_t pid)
{
    size_t low = 0, high = snapshot->process_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->processes[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == snapshot->process_count || snapshot->processes[low].pid != pid ||
        snapshot->processes[low].is_gone)
        return LENS_NONE;
    return (uint32_t)low;
}

/* ---- arena ---- */

void *lens_arena_take(struct lens_snapshot *snapshot, size_t size)
{
    struct lens_arena_chunk *chunk = snapshot->arena;
    size_t rounded, bytes;
    if (!cl_add_size(size, 7, &rounded))
        return NULL;
    rounded &= ~(size_t)7;
    if (chunk == NULL || chunk->size - chunk->used < rounded) {
        size_t room = rounded > ARENA_CHUNK ? rounded : ARENA_CHUNK;
        if (!cl_add_size(room, sizeof *chunk, &bytes) || (chunk = cl_malloc(bytes)) == NULL)
            return NULL;
        chunk->next = snapshot->arena;
        chunk->used = 0;
        chunk->size = room;
        snapshot->arena = chunk;
    }
    void *taken = chunk->data + chunk->used;
    chunk->used += rounded;
    return taken;
}

const char *lens_arena_text(struct lens_snapshot *snapshot, const char *text, size_t length)
{
    char *copy = lens_arena_take(snapshot, length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* ---- order and counts ---- */

static int by_pid(const void *a, const void *b)
{
    const struct lens_process *left = a, *right = b;
    return (left->pid > right->pid) - (left->pid < right->pid);
}

static int by_inode(const void *a, const void *b)
{
    const struct lens_namespace *left = a, *right = b;
    return (left->inode > right->inode) - (left->inode < right->inode);
}

static bool is_sorted_by_pid(const struct lens_snapshot *snapshot)
{
    for (size_t i = 1; i < snapshot->process_count; i++)
        if (snapshot->processes[i - 1].pid > snapshot->processes[i].pid)
            return false;
    return true;
}

/* Where each namespace has moved, by its inode. */
static void renumber(struct lens_snapshot *snapshot, const uint64_t *old_inodes)
{
    for (size_t i = 0; i < snapshot->process_count; i++)
        for (int type = 0; type < K_NS_COUNT; type++) {
            uint32_t *index = &snapshot->processes[i].namespaces[type];
            if (*index != LENS_NONE)
                *index = lens_snapshot_find(snapshot, old_inodes[*index]);
        }
    for (size_t i = 0; i < snapshot->holder_count; i++)
        snapshot->holders[i].namespace =
            lens_snapshot_find(snapshot, old_inodes[snapshot->holders[i].namespace]);
}

void lens_snapshot_count(struct lens_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->namespace_count; i++) {
        struct lens_namespace *ns = &snapshot->namespaces[i];
        ns->process_count = 0;
        ns->representative = LENS_NONE;
        ns->holders &= ~(unsigned)LENS_HELD_PROCESS;
    }
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const struct lens_process *process = &snapshot->processes[i];
        for (int type = 0; type < K_NS_COUNT && !process->is_gone; type++) {
            if (process->namespaces[type] == LENS_NONE)
                continue;
            struct lens_namespace *ns = &snapshot->namespaces[process->namespaces[type]];
            if (ns->process_count++ == 0)
                ns->representative = (uint32_t)i; /* ascending by pid: the first is the lowest */
            ns->holders |= LENS_HELD_PROCESS;
        }
    }
}

int lens_snapshot_finish(struct lens_snapshot *snapshot)
{
    if (!is_sorted_by_pid(snapshot))
        qsort(snapshot->processes, snapshot->process_count, sizeof *snapshot->processes, by_pid);
    if (snapshot->namespace_count > 0) {
        cl_auto_free uint64_t *old = cl_calloc(snapshot->namespace_count, sizeof *old);
        if (old == NULL)
            return -ENOMEM;
        for (size_t i = 0; i < snapshot->namespace_count; i++)
            old[i] = snapshot->namespaces[i].inode;
        qsort(snapshot->namespaces, snapshot->namespace_count, sizeof *snapshot->namespaces,
              by_inode);
        table_fill(snapshot);
        renumber(snapshot, old);
    } else if (snapshot->table_size > 0) {
        table_fill(snapshot);
    }
    lens_snapshot_count(snapshot);
    return 0;
}

static void drop_gone(struct lens_snapshot *snapshot)
{
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->process_count; i++)
        if (!snapshot->processes[i].is_gone)
            snapshot->processes[kept++] = snapshot->processes[i];
    snapshot->process_count = kept;
}

int lens_snapshot_prune(struct lens_snapshot *snapshot)
{
    cl_auto_free uint32_t *moved = cl_calloc(snapshot->namespace_count + 1, sizeof *moved);
    if (moved == NULL)
        return -ENOMEM;
    drop_gone(snapshot);
    lens_snapshot_count(snapshot);
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->namespace_count; i++) {
        moved[i] = snapshot->namespaces[i].holders == 0 ? LENS_NONE : (uint32_t)kept;
        if (moved[i] != LENS_NONE)
            snapshot->namespaces[kept++] = snapshot->namespaces[i];
    }
    snapshot->namespace_count = kept;
    for (size_t i = 0; i < snapshot->process_count; i++)
        for (int type = 0; type < K_NS_COUNT; type++) {
            uint32_t *index = &snapshot->processes[i].namespaces[type];
            *index = *index == LENS_NONE ? LENS_NONE : moved[*index];
        }
    for (size_t i = 0; i < snapshot->holder_count; i++)
        snapshot->holders[i].namespace = moved[snapshot->holders[i].namespace];
    return lens_snapshot_finish(snapshot);
}
