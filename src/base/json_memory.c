/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of JSON values: one piece each, or chunks of a document.
 *
 * A config.json of 3 KB has some 500 values, keys and lists. Taking each from malloc and giving it back costs more than
 * reading the text does, so a document takes its memory by the chunk and nothing in it is given back before all of it is.
 *
 * Who reads many small documents one after the other (`list`: a state.json for each container) would map and unmap pages for
 * each: the last one's memory is kept for the next.
 */
#include "base/json_private.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_EACH_ALONE 1 /* so that the sanitizer sees the borders between them */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_EACH_ALONE 1
#endif
#endif
#ifndef IS_EACH_ALONE
#define IS_EACH_ALONE 0
#endif

enum { LISTS = 1024, CHUNK_MAX = 128 << 10, KEPT_MAX = 32 << 10, ALIGNMENT = 8 };

struct chunk {
    struct chunk *next;
    _Alignas(ALIGNMENT) char bytes[];
};

/* Its own piece of memory holds the first chunk, too. */
struct json_document {
    size_t live;
    struct chunk *chunks; /* the further ones, the newest first */
    char *at;
    size_t left, chunk_size;
    size_t room; /* of bytes */
    _Alignas(ALIGNMENT) char bytes[];
};

/* Of a document that is gone; whoever takes it has it alone, in whichever thread. */
static struct json_document *kept;

static struct json_document *get_kept(size_t room)
{
    struct json_document *document = __atomic_exchange_n(&kept, NULL, __ATOMIC_ACQ_REL);
    if (document == NULL || document->room >= room)
        return document;
    free(document);
    return NULL;
}

static bool keep(struct json_document *document)
{
    struct json_document *none = NULL;
    return !IS_EACH_ALONE && document->room <= KEPT_MAX &&
           __atomic_compare_exchange_n(&kept, &none, document, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

struct json_document *json_document_new(size_t text_size)
{
    size_t room = text_size < CHUNK_MAX / 4 ? text_size * 4 + 2 * LISTS : CHUNK_MAX;
    room -= room % LISTS; /* so that what was kept fits a text that is little longer, too */
    struct json_document *document = get_kept(room);
    if (document == NULL) {
        document = cl_malloc(sizeof *document + (IS_EACH_ALONE ? 0 : room));
        if (document == NULL)
            return NULL;
        document->room = room;
    }
    document->live = 1;
    document->chunks = NULL;
    document->chunk_size = document->room;
    document->at = document->bytes;
    document->left = IS_EACH_ALONE ? 0 : document->room;
    return document;
}

void json_document_free(struct json_document *document)
{
    if (document == NULL)
        return;
    while (document->chunks != NULL) {
        struct chunk *next = document->chunks->next;
        free(document->chunks);
        document->chunks = next;
    }
    if (!keep(document))
        free(document);
}

void json_document_unref(struct json_document *document)
{
    if (--document->live == 0)
        json_document_free(document);
}

void *json_document_get(struct json_document *document, size_t size)
{
    size_t rounded;
    if (!cl_add_size(size, ALIGNMENT - 1, &rounded))
        return NULL;
    rounded &= ~(size_t)(ALIGNMENT - 1);
    if (rounded > document->left) {
        size_t room =
            IS_EACH_ALONE || rounded > document->chunk_size ? rounded : document->chunk_size;
        struct chunk *chunk = cl_malloc(sizeof *chunk + room);
        if (chunk == NULL)
            return NULL;
        chunk->next = document->chunks;
        document->chunks = chunk;
        document->at = chunk->bytes;
        document->left = room;
    }
    void *memory = document->at;
    document->at += rounded;
    document->left -= rounded;
    return memory;
}

char *json_document_text(struct json_document *document, const char *text, size_t size)
{
    char *copy = json_document_get(document, size + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

struct cl_json *json_new(struct json_document *document, enum cl_json_type type, size_t more)
{
    size_t size;
    if (!cl_add_size(sizeof(struct cl_json), more, &size))
        return NULL;
    struct cl_json *value = document != NULL ? json_document_get(document, size) : cl_malloc(size);
    if (value == NULL)
        return NULL;
    *value = (struct cl_json){ .document = document, .refs = 1, .type = (uint8_t)type };
    if (document != NULL)
        document->live++;
    return value;
}
