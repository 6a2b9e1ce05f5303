/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room base only: what a JSON value is made of.
 *
 * Values that were built lie each in memory of their own. Values that were parsed lie, with their texts, keys and lists, in
 * the few chunks of their document, which go when the last of them goes; each has its own count all the same, so that nobody
 * needs to know which kind a value is. A list that has to grow moves to memory of its own first.
 */
#pragma once

#include <stddef.h>

#include "base/json.h"

#define CL_JSON_DEPTH_MAX 64

/* Of one parsed text: chunks, and how many values live in them (the parser counts as one). */
struct json_document;

struct json_member {
    const char *key;
    struct cl_json *value; /* NULL: JSON null */
    uint32_t hash;
    bool owns_key; /* in memory of its own */
};

/* An object's members in their order. Objects that are not small have an index: open addressing, by hash, of position + 1. */
struct json_members {
    uint32_t count, room;
    uint32_t *index, index_room; /* room: a power of 2, or 0 */
    struct json_member list[];
};

struct json_items {
    size_t count, room;
    struct cl_json *list[];
};

struct cl_json {
    struct json_document *document; /* NULL: memory of its own */
    uint32_t refs;
    uint8_t type;      /* enum cl_json_type */
    bool is_natural;   /* CL_JSON_INT beyond INT64_MAX */
    bool owns_storage; /* members or items are in memory of their own */
    union {
        bool truth;
        int64_t integer;
        uint64_t natural;
        double real;
        char *text;
        struct json_items *items;     /* NULL: none */
        struct json_members *members; /* NULL: none */
    };
};

/* ---- json_memory.c ---- */

/* NULL on allocation failure. `text_size` is a guess at how much memory it is about. */
struct json_document *json_document_new(size_t text_size);
void json_document_unref(struct json_document *document);
/* Whatever lives in it; NULL is fine. */
void json_document_free(struct json_document *document);
/* Memory that lives as long as the document; NULL on failure. */
void *json_document_get(struct json_document *document, size_t size);
char *json_document_text(struct json_document *document, const char *text, size_t size);

/* A value of this type with one ref and nothing in it, behind which are `more` bytes; document NULL: memory of its own. */
struct cl_json *json_new(struct json_document *document, enum cl_json_type type, size_t more);

/* ---- json_members.c ---- */

uint32_t json_hash(const char *key, size_t size);
/* Position of the key, or -1. */
ssize_t json_members_find(const struct json_members *members, const char *key);
ssize_t json_members_find_hashed(const struct json_members *members, const char *key,
                                 uint32_t hash);
/* Room for one more: in memory of the value's own, or as long as it is no more than JSON_FEW in the document's (NULL: none). 0 or -ENOMEM. */
#define JSON_FEW 64
int json_members_reserve(struct cl_json *object, struct json_document *document);
int json_items_reserve(struct cl_json *array, struct json_document *document);
/* There must be room. The key is kept as it is. */
void json_members_append(struct json_members *members, struct json_member member);
void json_members_drop(struct json_members *members, size_t at);
/* What a list of `room` members needs, index included, and making one of such memory, which is zeroed. */
size_t json_members_size(uint32_t room);
void json_members_init(struct json_members *members, uint32_t room);

/* ---- json_text.c ---- */

/* What cl_json_text writes, appended to a buffer. !is_html_safe leaves <, > and & alone (json.Encoder with
   SetEscapeHTML(false), as Docker's {{json}} does). */
void cl_json_write(struct cl_buf *buf, const struct cl_json *value, int indent, bool is_html_safe);

/* The fewest digits that read back as the same double, as [-]d[.ddd]e±xx; finite values only. */
void cl_print_shortest(double value, char text[static 40]);

/* A double as Go's encoding/json writes it (the shortest text that reads back the same). */
void cl_buf_double(struct cl_buf *buf, double value);

/* ---- buf.c ---- */

/* A JSON string of `size` bytes with its quotes. */
void cl_buf_json_bytes(struct cl_buf *buf, const char *text, size_t size, bool is_html_safe);
