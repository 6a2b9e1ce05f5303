/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for trees and for the results of functions: taken piece by piece, given back all at once.
 */
#include "base/template_private.h"

enum { CHUNK_SIZE = 4096 };

struct tpl_chunk {
    struct tpl_chunk *next;
    _Alignas(max_align_t) char bytes[];
};

void *tpl_arena_get(struct tpl_arena *arena, size_t size)
{
    const size_t alignment = _Alignof(max_align_t);
    if (size > arena->max - arena->total) {
        arena->is_full = true;
        return NULL;
    }
    size_t rounded = (size + alignment - 1) / alignment * alignment;
    if (rounded > arena->left || arena->chunks == NULL) {
        size_t room = rounded > CHUNK_SIZE ? rounded : CHUNK_SIZE;
        struct tpl_chunk *chunk = cl_calloc(1, sizeof *chunk + room);
        if (chunk == NULL)
            return NULL;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        arena->left = room;
        arena->total += room > arena->max - arena->total ? arena->max - arena->total : room;
        /* The newest chunk serves from its end downwards, so only what is left need be kept. */
    }
    arena->left -= rounded;
    return arena->chunks->bytes + arena->left;
}

void tpl_arena_done(struct tpl_arena *arena)
{
    while (arena->chunks != NULL) {
        struct tpl_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
    arena->left = 0;
}

bool tpl_is(struct tpl_string string, const char *text)
{
    return strlen(text) == string.size && memcmp(string.text, text, string.size) == 0;
}
