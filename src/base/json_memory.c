/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of JSON values: one piece each, or chunks of a document.
 *
 * A config.json of 3 KB has some 500 values, keys and lists. Taking each from malloc and giving it back costs more than
 * reading the text does, so a document takes its memory by the chunk and nothing in it is given back before all of it is.
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

enum { CHUNK_MIN = 512, CHUNK_MAX = 128 << 10, ALIGNMENT = 8 };

struct chunk {
    struct chunk *next;
    _Alignas(ALIGNMENT) char bytes[];
};

struct json_document {
    size_t live;
    struct chunk *chunks; /* the newest first */
    char *at;
    size_t left, chunk_size;
};

struct json_document *json_document_new(size_t text_size)
{
    struct json_document *document = cl_calloc(1, sizeof *document);
    if (document == NULL)
        return NULL;
    size_t guess = text_size < CHUNK_MAX / 4 ? text_size * 4 : CHUNK_MAX;
    document->live = 1;
    document->chunk_size = guess < CHUNK_MIN ? CHUNK_MIN : guess;
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
