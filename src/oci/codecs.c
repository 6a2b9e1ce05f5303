/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codecs of single values: strings, booleans, integers (plain: 0 is absent; optional: with a flag), words of an enum.
 * Integers are exact: 1.0, 1e3 and "1" are no integers, as in Go's decoder, which all other runtimes use.
 */
#include "oci/codec_private.h"

#include "base/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

int oci_write(struct cl_json *value, struct cl_json **ret)
{
    if (value == NULL)
        return -ENOMEM;
    *ret = value;
    return 0;
}

/* ---- Strings ---- */

char *oci_read_string(struct oci_reader *reader, const struct cl_json *value)
{
    const char *text = cl_json_string(value);
    if (text == NULL) {
        (void)oci_read_type_fail(reader, "a string", value);
        return NULL;
    }
    char *copy = cl_strdup(text);
    if (copy == NULL)
        (void)oci_read_no_memory(reader);
    return copy;
}

static int string_decode(struct oci_reader *reader, const struct oci_field *field,
                         const struct cl_json *value, void *member)
{
    char **string = member;
    *string = oci_read_string(reader, value);
    if (*string != NULL)
        return 0;
    return cl_json_string(value) == NULL ? -EINVAL : -ENOMEM;
}

static int text_decode(struct oci_reader *reader, const struct oci_field *field,
                       const struct cl_json *value, void *member)
{
    char **string = member;
    int r = string_decode(reader, field, value, member);
    if (r == 0 && **string == '\0')
        return oci_read_fail(reader, EINVAL, "must not be empty");
    return r;
}

int oci_read_digest(struct oci_reader *reader, const char *text)
{
    if (cl_digest_is_valid(text))
        return 0;
    return oci_read_fail(reader, EINVAL,
                         "not a valid digest (sha256: and 64 lower-case hex digits)");
}

static int digest_decode(struct oci_reader *reader, const struct oci_field *field,
                         const struct cl_json *value, void *member)
{
    char **string = member;
    int r = string_decode(reader, field, value, member);
    return r < 0 ? r : oci_read_digest(reader, *string);
}

static int string_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const char *const *string = member;
    if (*string == NULL && field->presence == OPTIONAL)
        return 0;
    return oci_write(cl_json_from_string(*string), ret);
}

static void string_done(const struct oci_field *field, void *member)
{
    char **string = member;
    free(cl_take(*string));
}

const struct oci_codec oci_string_codec = { "string", sizeof(char *), string_decode, string_encode,
                                            string_done };
const struct oci_codec oci_text_codec = { "text", sizeof(char *), text_decode, string_encode,
                                          string_done };
const struct oci_codec oci_digest_codec = { "digest", sizeof(char *), digest_decode, string_encode,
                                            string_done };

/* ---- Booleans ---- */

static int read_bool(struct oci_reader *reader, const struct cl_json *value, bool *ret)
{
    if (cl_json_type(value) != CL_JSON_BOOL)
        return oci_read_type_fail(reader, "true or false", value);
    *ret = cl_json_bool(value);
    return 0;
}

static int bool_decode(struct oci_reader *reader, const struct oci_field *field,
                       const struct cl_json *value, void *member)
{
    return read_bool(reader, value, member);
}

static int bool_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const bool *value = member;
    if (!*value && field->presence == OPTIONAL)
        return 0;
    return oci_write(cl_json_from_bool(*value), ret);
}

static int opt_bool_decode(struct oci_reader *reader, const struct oci_field *field,
                           const struct cl_json *value, void *member)
{
    struct oci_opt_bool *option = member;
    int r = read_bool(reader, value, &option->value);
    option->set = r == 0;
    return r;
}

static int opt_bool_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const struct oci_opt_bool *option = member;
    return option->set ? oci_write(cl_json_from_bool(option->value), ret) : 0;
}

const struct oci_codec oci_bool_codec = { "bool", sizeof(bool), bool_decode, bool_encode, NULL };
const struct oci_codec oci_opt_bool_codec = { "opt_bool", sizeof(struct oci_opt_bool),
                                              opt_bool_decode, opt_bool_encode, NULL };

/* ---- Integers ---- */

static int read_signed(struct oci_reader *reader, const struct cl_json *value, int64_t min,
                       int64_t max, int64_t *ret)
{
    int64_t number = 0;
    int r = cl_json_type(value) == CL_JSON_INT ? cl_json_i64(value, &number) : -EINVAL;
    if (r == -EINVAL)
        return oci_read_type_fail(reader, "an integer", value);
    if (r < 0 || number < min || number > max)
        return oci_read_fail(reader, ERANGE, "out of range (%" PRId64 " to %" PRId64 ")", min, max);
    *ret = number;
    return 0;
}

static int read_unsigned(struct oci_reader *reader, const struct cl_json *value, uint64_t max,
                         uint64_t *ret)
{
    uint64_t number = 0;
    int r = cl_json_type(value) == CL_JSON_INT ? cl_json_u64(value, &number) : -EINVAL;
    if (r == -EINVAL && cl_json_type(value) != CL_JSON_INT)
        return oci_read_type_fail(reader, "an unsigned integer", value);
    if (r < 0 || number > max)
        return oci_read_fail(reader, ERANGE, "out of range (0 to %" PRIu64 ")", max);
    *ret = number;
    return 0;
}

static int i64_decode(struct oci_reader *reader, const struct oci_field *field,
                      const struct cl_json *value, void *member)
{
    return read_signed(reader, value, INT64_MIN, INT64_MAX, member);
}

static int size_decode(struct oci_reader *reader, const struct oci_field *field,
                       const struct cl_json *value, void *member)
{
    return read_signed(reader, value, 0, INT64_MAX, member);
}

static int i32_decode(struct oci_reader *reader, const struct oci_field *field,
                      const struct cl_json *value, void *member)
{
    int64_t number = 0;
    int r = read_signed(reader, value, INT32_MIN, INT32_MAX, &number);
    if (r == 0)
        *(int32_t *)member = (int32_t)number;
    return r;
}

static int u64_decode(struct oci_reader *reader, const struct oci_field *field,
                      const struct cl_json *value, void *member)
{
    return read_unsigned(reader, value, UINT64_MAX, member);
}

static int u32_decode(struct oci_reader *reader, const struct oci_field *field,
                      const struct cl_json *value, void *member)
{
    uint64_t number = 0;
    int r = read_unsigned(reader, value, UINT32_MAX, &number);
    if (r == 0)
        *(uint32_t *)member = (uint32_t)number;
    return r;
}

static int write_signed(const struct oci_field *field, int64_t value, struct cl_json **ret)
{
    if (value == 0 && field->presence == OPTIONAL)
        return 0;
    return oci_write(cl_json_from_int(value), ret);
}

static int write_unsigned(const struct oci_field *field, uint64_t value, struct cl_json **ret)
{
    if (value == 0 && field->presence == OPTIONAL)
        return 0;
    return oci_write(cl_json_from_u64(value), ret);
}

static int i64_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    return write_signed(field, *(const int64_t *)member, ret);
}

static int i32_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    return write_signed(field, *(const int32_t *)member, ret);
}

static int u64_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    return write_unsigned(field, *(const uint64_t *)member, ret);
}

static int u32_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    return write_unsigned(field, *(const uint32_t *)member, ret);
}

const struct oci_codec oci_i64_codec = { "i64", sizeof(int64_t), i64_decode, i64_encode, NULL };
const struct oci_codec oci_size_codec = { "size", sizeof(int64_t), size_decode, i64_encode, NULL };
const struct oci_codec oci_i32_codec = { "i32", sizeof(int32_t), i32_decode, i32_encode, NULL };
const struct oci_codec oci_u64_codec = { "u64", sizeof(uint64_t), u64_decode, u64_encode, NULL };
const struct oci_codec oci_u32_codec = { "u32", sizeof(uint32_t), u32_decode, u32_encode, NULL };

/* ---- Optional integers: the flag, then the plain codec on the value ---- */

static int opt_i64_decode(struct oci_reader *reader, const struct oci_field *field,
                          const struct cl_json *value, void *member)
{
    struct oci_opt_i64 *option = member;
    int r = i64_decode(reader, field, value, &option->value);
    option->set = r == 0;
    return r;
}

static int opt_u64_decode(struct oci_reader *reader, const struct oci_field *field,
                          const struct cl_json *value, void *member)
{
    struct oci_opt_u64 *option = member;
    int r = u64_decode(reader, field, value, &option->value);
    option->set = r == 0;
    return r;
}

static int opt_i32_decode(struct oci_reader *reader, const struct oci_field *field,
                          const struct cl_json *value, void *member)
{
    struct oci_opt_i32 *option = member;
    int r = i32_decode(reader, field, value, &option->value);
    option->set = r == 0;
    return r;
}

static int opt_u32_decode(struct oci_reader *reader, const struct oci_field *field,
                          const struct cl_json *value, void *member)
{
    struct oci_opt_u32 *option = member;
    int r = u32_decode(reader, field, value, &option->value);
    option->set = r == 0;
    return r;
}

static int opt_i64_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const struct oci_opt_i64 *option = member;
    return option->set ? oci_write(cl_json_from_int(option->value), ret) : 0;
}

static int opt_u64_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const struct oci_opt_u64 *option = member;
    return option->set ? oci_write(cl_json_from_u64(option->value), ret) : 0;
}

static int opt_i32_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const struct oci_opt_i32 *option = member;
    return option->set ? oci_write(cl_json_from_int(option->value), ret) : 0;
}

static int opt_u32_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const struct oci_opt_u32 *option = member;
    return option->set ? oci_write(cl_json_from_u64(option->value), ret) : 0;
}

const struct oci_codec oci_opt_i64_codec = { "opt_i64", sizeof(struct oci_opt_i64), opt_i64_decode,
                                             opt_i64_encode, NULL };
const struct oci_codec oci_opt_u64_codec = { "opt_u64", sizeof(struct oci_opt_u64), opt_u64_decode,
                                             opt_u64_encode, NULL };
const struct oci_codec oci_opt_i32_codec = { "opt_i32", sizeof(struct oci_opt_i32), opt_i32_decode,
                                             opt_i32_encode, NULL };
const struct oci_codec oci_opt_u32_codec = { "opt_u32", sizeof(struct oci_opt_u32), opt_u32_decode,
                                             opt_u32_encode, NULL };

/* ---- Words ---- */

static int read_word(struct oci_reader *reader, const struct oci_word *words,
                     const struct cl_json *value, uint32_t *ret)
{
    const char *text = cl_json_string(value);
    if (text == NULL)
        return oci_read_type_fail(reader, "a string", value);
    const struct oci_word *word = oci_word_find(words, text);
    if (word != NULL) {
        *ret = word->value;
        return 0;
    }
    char shown[48];
    size_t i = 0;
    for (; i < sizeof shown - 1 && text[i] != '\0'; i++)
        shown[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
    shown[i] = '\0';
    char known[120] = "";
    size_t used = 0;
    for (; !oci_word_is_end(words) && used + strlen(words->name) + 6 < sizeof known; words++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used > 0 ? ", " : "",
                                 words->name);
    return oci_read_fail(reader, EINVAL, "unknown value \"%s\" (known: %s%s)", shown, known,
                         oci_word_is_end(words) ? "" : ", …");
}

static int enum_decode(struct oci_reader *reader, const struct oci_field *field,
                       const struct cl_json *value, void *member)
{
    return read_word(reader, field->words, value, member);
}

static int enum_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const char *name = oci_word_name(field->words, *(const uint32_t *)member);
    bool is_absent =
        name == NULL || *name == '\0'; /* "" is a word that some write for "not given" */
    if (is_absent)
        return field->presence == OPTIONAL ? 0 : -EINVAL;
    return oci_write(cl_json_from_string(name), ret);
}

typedef uint32_t word_bits(uint32_t value);

static uint32_t bits_as_they_are(uint32_t value)
{
    return value;
}

static uint32_t bits_by_number(uint32_t value)
{
    return UINT32_C(1) << value;
}

static int read_bits(struct oci_reader *reader, const struct oci_field *field,
                     const struct cl_json *value, word_bits *bits, uint32_t *ret)
{
    if (cl_json_type(value) != CL_JSON_ARRAY)
        return oci_read_type_fail(reader, "an array of strings", value);
    uint32_t result = 0;
    for (size_t i = 0; i < cl_json_count(value); i++) {
        uint32_t word = 0;
        size_t before = oci_read_into_index(reader, i);
        int r = read_word(reader, field->words, cl_json_at(value, i), &word);
        if (r < 0)
            return r;
        oci_read_up(reader, before);
        result |= bits(word);
    }
    *ret = result;
    return 0;
}

static int write_bits(const struct oci_field *field, uint32_t value, word_bits *bits,
                      struct cl_json **ret)
{
    if (value == 0 && field->presence == OPTIONAL)
        return 0;
    CL_AUTO(cl_json_unref) struct cl_json *array = cl_json_array();
    if (array == NULL)
        return -ENOMEM;
    for (const struct oci_word *word = field->words; !oci_word_is_end(word); word++) {
        uint32_t bit = bits(word->value);
        if ((value & bit) == 0)
            continue;
        int r = cl_json_add(array, cl_json_from_string(word->name));
        if (r < 0)
            return r;
        value &= ~bit; /* a second name of the same value is not written */
    }
    *ret = cl_take(array);
    return 0;
}

static int flags_decode(struct oci_reader *reader, const struct oci_field *field,
                        const struct cl_json *value, void *member)
{
    return read_bits(reader, field, value, bits_as_they_are, member);
}

static int flags_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    return write_bits(field, *(const uint32_t *)member, bits_as_they_are, ret);
}

static int set_decode(struct oci_reader *reader, const struct oci_field *field,
                      const struct cl_json *value, void *member)
{
    return read_bits(reader, field, value, bits_by_number, member);
}

static int set_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    return write_bits(field, *(const uint32_t *)member, bits_by_number, ret);
}

const struct oci_codec oci_enum_codec = { "enum", sizeof(uint32_t), enum_decode, enum_encode,
                                          NULL };
const struct oci_codec oci_flags_codec = { "flags", sizeof(uint32_t), flags_decode, flags_encode,
                                           NULL };
const struct oci_codec oci_set_codec = { "set", sizeof(uint32_t), set_decode, set_encode, NULL };
