/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field tables: a struct and its JSON object described once, a row per property, from which decoding, encoding and freeing follow.
 * Private to documents that are made this way (this room's, and other rooms' documents of the same kind); not in the umbrella header.
 *
 *     static const struct oci_field root_fields[] = {
 *         FIELD(struct oci_root, "path",     path,     oci_string, REQUIRED),
 *         FIELD(struct oci_root, "readonly", readonly, oci_bool,   OPTIONAL),
 *     };
 *     static const struct oci_shape root_shape = OCI_SHAPE(struct oci_root, root_fields);
 *
 * Rules that hold for every table: unknown properties are ignored; JSON null is absent; a struct starts zeroed; absent optional values are
 * not written back (false, 0, NULL, empty); errors name the path ("linux.seccomp.syscalls[3].args[0].index").
 * Rows are small and words hold their names, since what a pointer lies in is copied at each start of a position-independent program
 * (docs/decisions/015-libc.md).
 * A row's codec must fit the type of its member: FIELD records the member's size and oci_shape_check (run by the unit tests) compares.
 */
#pragma once

#include "base/json.h"
#include "oci/types.h"

enum oci_presence {
    OPTIONAL = 0,
    REQUIRED = 1,
    ALWAYS = 2, /* may be absent, is always written */
};

/* Where a decoder stands; errors are made from it. */
struct oci_reader {
    const char *document; /* "config.json" */
    struct cl_error *err;
    size_t length; /* of path */
    char path[256];
};

struct oci_field;
struct oci_codec {
    const char *name;
    size_t size; /* of the member; 0: any (objects, lists) */
    /* `value` is never null. On failure the member stays freeable. 0 or negative, with reader->err set by oci_read_fail. */
    int (*decode)(struct oci_reader *reader, const struct oci_field *field,
                  const struct cl_json *value, void *member);
    /* *ret stays NULL for "nothing to write". 0, -ENOMEM, or -EINVAL for a value that no document can hold. */
    int (*encode)(const struct oci_field *field, const void *member, struct cl_json **ret);
    void (*done)(const struct oci_field *field, void *member); /* NULL: nothing to free */
};

struct oci_word { /* an enum's names; a value may have several names, the first is written */
    char name[40];
    uint32_t value;
};
#define OCI_WORDS_END                                                                              \
    {                                                                                              \
        "", UINT32_MAX                                                                             \
    }
static inline bool oci_word_is_end(const struct oci_word *word)
{
    return word->name[0] == '\0' && word->value == UINT32_MAX;
}

struct oci_shape;
struct oci_field {
    const char *name;
    const struct oci_codec *codec;
    union {
        const struct oci_shape *shape; /* objects and lists: of what */
        const struct oci_word *words;  /* words and flags; ended by OCI_WORDS_END */
    };
    uint32_t offset;
    uint16_t size;
    uint8_t presence; /* enum oci_presence */
    bool has_words;   /* which of the two it is */
};

struct oci_shape {
    size_t size;
    const struct oci_field *fields;
    size_t count;
    int (*finish)(struct oci_reader *reader,
                  void *object); /* after decoding; NULL: nothing more to check or to fill in */
};

#define OCI_MEMBER_SIZE(type, member) sizeof(((type *)0)->member)
#define FIELD(type, json_name, member, codec_, presence_)                                          \
    {                                                                                              \
        .name = (json_name), .codec = &codec_##_codec, .offset = offsetof(type, member),           \
        .size = OCI_MEMBER_SIZE(type, member), .presence = (presence_)                             \
    }
/* With a shape: oci_object (embedded), oci_pointer (struct T *). */
#define FIELD_OF(type, json_name, member, codec_, shape_, presence_)                               \
    {                                                                                              \
        .name = (json_name), .codec = &codec_##_codec, .offset = offsetof(type, member),           \
        .size = OCI_MEMBER_SIZE(type, member), .presence = (presence_), .shape = &(shape_)         \
    }
/* Arrays: `struct T *items` directly followed by `size_t count`, as oci_list (JSON array) or oci_keyed_list (JSON object whose keys become
   the first member, a char *, of each item). The array's size doubles as the check that the two members are neighbours. */
#define FIELD_LIST(type, json_name, items_, count_, codec_, shape_, presence_)                     \
    {                                                                                              \
        .name = (json_name), .codec = &codec_##_codec, .offset = offsetof(type, items_),           \
        .size = offsetof(type, count_) + sizeof(size_t) - offsetof(type, items_),                  \
        .presence = (presence_), .shape = &(shape_)                                                \
    }
/* With words: oci_enum (string ↔ enum), oci_flags (array of strings ↔ OR of values), oci_set (array of strings ↔ bits 1 << value). */
#define FIELD_WORDS(type, json_name, member, codec_, words_, presence_)                            \
    {                                                                                              \
        .name = (json_name), .codec = &codec_##_codec, .offset = offsetof(type, member),           \
        .size = OCI_MEMBER_SIZE(type, member), .presence = (presence_), .words = (words_),         \
        .has_words = true                                                                          \
    }
#define OCI_SHAPE(type, fields_)                                                                   \
    {                                                                                              \
        .size = sizeof(type), .fields = (fields_), .count = CL_COUNT(fields_)                      \
    }
#define OCI_SHAPE_FINISH(type, fields_, finish_)                                                   \
    {                                                                                              \
        .size = sizeof(type), .fields = (fields_), .count = CL_COUNT(fields_), .finish = (finish_) \
    }

extern const struct oci_codec oci_string_codec;   /* char * */
extern const struct oci_codec oci_text_codec;     /* char *, not empty */
extern const struct oci_codec oci_digest_codec;   /* char *, cl_digest_is_valid */
extern const struct oci_codec oci_bool_codec;     /* bool */
extern const struct oci_codec oci_i32_codec;      /* int32_t */
extern const struct oci_codec oci_u32_codec;      /* uint32_t */
extern const struct oci_codec oci_i64_codec;      /* int64_t */
extern const struct oci_codec oci_u64_codec;      /* uint64_t */
extern const struct oci_codec oci_size_codec;     /* int64_t, not negative */
extern const struct oci_codec oci_opt_bool_codec; /* struct oci_opt_bool, and so on */
extern const struct oci_codec oci_opt_i32_codec;
extern const struct oci_codec oci_opt_u32_codec;
extern const struct oci_codec oci_opt_i64_codec;
extern const struct oci_codec oci_opt_u64_codec;
extern const struct oci_codec oci_strv_codec;    /* char **: array of strings */
extern const struct oci_codec oci_digests_codec; /* char **: array of valid digests */
extern const struct oci_codec
    oci_keys_codec; /* char **: the keys of an object whose values are {} */
extern const struct oci_codec oci_map_codec; /* struct oci_map: object of strings */
extern const struct oci_codec oci_enum_codec;
extern const struct oci_codec oci_flags_codec;
extern const struct oci_codec oci_set_codec;
extern const struct oci_codec oci_object_codec;
extern const struct oci_codec oci_pointer_codec;
extern const struct oci_codec oci_list_codec;
extern const struct oci_codec oci_keyed_list_codec;

/* Decode the whole document `json` (must be an object) into the zeroed `object`. On failure it is freed and zeroed. */
int oci_shape_decode(const struct oci_shape *shape, const char *document,
                     const struct cl_json *json, void *object, struct cl_error *err);
int oci_shape_encode(const struct oci_shape *shape, const void *object, struct cl_json **ret);
void oci_shape_done(const struct oci_shape *shape,
                    void *object); /* frees what it holds and zeroes it */
/* The same with an object on the heap. */
int oci_shape_decode_new(const struct oci_shape *shape, const char *document,
                         const struct cl_json *json, void **ret, struct cl_error *err);
void oci_shape_free(const struct oci_shape *shape, void *object);
/* NULL when every row fits, else the name of the first that does not. For tests. */
const char *oci_shape_check(const struct oci_shape *shape);

/* "DOCUMENT: PATH: MESSAGE", kind INVALID. Returns -errnum. */
int oci_read_fail(struct oci_reader *reader, int errnum, const char *fmt, ...) CL_PRINTF(3, 4);
int oci_read_type_fail(struct oci_reader *reader, const char *expected, const struct cl_json *got);
int oci_read_no_memory(struct oci_reader *reader);
/* Go down into ".name", "[index]", "[\"key\"]"; each returns the length to hand to oci_read_up. */
size_t oci_read_into(struct oci_reader *reader, const char *name);
size_t oci_read_into_index(struct oci_reader *reader, size_t index);
size_t oci_read_into_key(struct oci_reader *reader, const char *key);
void oci_read_up(struct oci_reader *reader, size_t length);

/* The name of a value, or NULL; and the row of a name, or NULL. */
const char *oci_word_name(const struct oci_word *words, uint32_t value);
const struct oci_word *oci_word_find(const struct oci_word *words, const char *name);

/* Makes the array one element of `size` longer and returns that, zeroed; NULL without memory. `items_member` is the address of the
   `T *items` member. For building by hand; decoders know the count and allocate once. */
void *oci_list_grow(void *items_member, size_t *count, size_t size);
/* A pointer member of any type, read and written without breaking the aliasing rules. */
void *oci_load_pointer(const void *member);
void oci_store_pointer(void *member, void *pointer);

/* `number` in decimal, without a NUL: how many digits. For paths in documents, which are made for each property and read after errors only. */
#define OCI_DIGITS 24
size_t oci_digits(size_t number, char buffer[static OCI_DIGITS]);
