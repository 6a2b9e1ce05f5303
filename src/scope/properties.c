/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of standard input → D-Bus properties.
 */
#include "scope/private.h"

#define INPUT_MAX (4 << 20)
#define BYTES_MAX 4096

/* ---- reading ---- */

static int split(struct property *property)
{
    char *text = property->line + (property->line[0] == '?');
    size_t words = 1;
    property->is_optional = property->line[0] == '?';
    for (const char *at = text; *at != '\0'; at++)
        words += *at == '\t';
    property->words = cl_calloc(words + 1, sizeof *property->words);
    if (property->words == NULL)
        return -ENOMEM;
    for (char *end; text != NULL; text = end) {
        end = strchr(text, '\t');
        if (end != NULL)
            *end++ = '\0';
        property->words[property->count++] = text;
    }
    return property->count < 2 ? -EINVAL : 0;
}

static int add_line(struct properties *properties, const char *line, size_t length)
{
    struct property *items = cl_realloc(properties->items, (properties->count + 1) * sizeof *items);
    if (items == NULL)
        return -ENOMEM;
    properties->items = items;
    struct property *property = &items[properties->count];
    *property = (struct property){ .line = cl_strndup(line, length) };
    if (property->line == NULL)
        return -ENOMEM;
    properties->count++;
    return split(property);
}

int properties_read(int fd, struct properties *ret, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    int result = cl_read_fd(fd, INPUT_MAX, &text, &size, err);
    if (result < 0)
        return cl_error_prefix(err, "read properties");
    for (const char *line = text; result >= 0 && *line != '\0';) {
        size_t length = strcspn(line, "\n");
        result = length > 0 ? add_line(ret, line, length) : 0;
        line += length + (line[length] == '\n');
    }
    return result < 0 ? cl_fail(err, result, "read properties") : 0;
}

void properties_done(struct properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        free(properties->items[i].line);
        free((void *)properties->items[i].words);
    }
    free(properties->items);
}

bool properties_drop(struct properties *properties, const char *complaint)
{
    for (size_t i = 0; complaint != NULL && i < properties->count; i++) {
        struct property *property = &properties->items[i];
        if (!property->is_optional || property->is_dropped ||
            strstr(complaint, property->words[1]) == NULL)
            continue;
        property->is_dropped = true;
        return true;
    }
    return false;
}

/* ---- D-Bus ---- */

/* Signed numbers travel as their two's complement. */
static int parse_number(const char *text, uint64_t *ret)
{
    int64_t number = 0;
    if (text[0] != '-')
        return cl_parse_u64(text, 0, UINT64_MAX, ret);
    int result = cl_parse_i64(text, INT64_MIN, -1, &number);
    *ret = (uint64_t)number;
    return result;
}

static int append_number(sd_bus_message *message, char type, const char *text)
{
    uint64_t number = 0;
    int result = parse_number(text, &number);
    if (result < 0)
        return result;
    switch (type) {
    case 'u':
        return sd_bus_message_append(message, "u", (uint32_t)number);
    case 'i':
        return sd_bus_message_append(message, "i", (int32_t)(int64_t)number);
    case 'x':
        return sd_bus_message_append(message, "x", (int64_t)number);
    default:
        return sd_bus_message_append(message, "t", number);
    }
}

static int append_basic(sd_bus_message *message, char type, const char *text)
{
    if (type == 's')
        return sd_bus_message_append(message, "s", text);
    if (type == 'b')
        return sd_bus_message_append(message, "b", cl_streq(text, "true"));
    return append_number(message, type, text);
}

static int hex_digit(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = digit == '\0' ? NULL : strchr(digits, digit);
    return at == NULL ? -EINVAL : (int)(at - digits);
}

static int append_bytes(sd_bus_message *message, const char *text)
{
    uint8_t bytes[BYTES_MAX];
    size_t count = strlen(text) / 2;
    if (count > sizeof bytes || strlen(text) % 2 != 0)
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return -EINVAL;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return sd_bus_message_append_array(message, 'y', bytes, count);
}

static int append_array(sd_bus_message *message, const struct property *property)
{
    const char *signature = property->words[0] + 1;
    bool is_pair = signature[0] == '(';
    char types[3] = { 0 }, inner[8];
    (void)CL_PRINT(types, "%.2s", signature + is_pair);
    types[is_pair ? 2 : 1] = '\0';
    (void)CL_PRINT(inner, "%s", signature);
    int result = sd_bus_message_open_container(message, 'a', inner);
    for (size_t i = 2; result >= 0 && i < property->count; i += is_pair ? 2 : 1) {
        if (is_pair)
            result = sd_bus_message_open_container(message, 'r', types);
        if (result >= 0)
            result = append_basic(message, types[0], property->words[i]);
        if (result >= 0 && is_pair)
            result = i + 1 < property->count
                         ? append_basic(message, types[1], property->words[i + 1])
                         : -EINVAL;
        if (result >= 0 && is_pair)
            result = sd_bus_message_close_container(message);
    }
    return result < 0 ? result : sd_bus_message_close_container(message);
}

static int append_value(sd_bus_message *message, const struct property *property)
{
    const char *signature = property->words[0];
    const char *value = property->count > 2 ? property->words[2] : "";
    if (cl_streq(signature, "ay"))
        return append_bytes(message, value);
    if (signature[0] == 'a')
        return append_array(message, property);
    return append_basic(message, signature[0], value);
}

static bool is_known(const char *signature)
{
    static const char *const known[] = { "s",  "b",  "t",  "u",     "x",     "i",
                                         "as", "au", "ay", "a(ss)", "a(st)", NULL };
    return cl_strv_has(known, signature);
}

static int append_property(sd_bus_message *message, const struct property *property)
{
    if (!is_known(property->words[0]))
        return -EINVAL;
    int result = sd_bus_message_open_container(message, 'r', "sv");
    if (result >= 0)
        result = sd_bus_message_append(message, "s", property->words[1]);
    if (result >= 0)
        result = sd_bus_message_open_container(message, 'v', property->words[0]);
    if (result >= 0)
        result = append_value(message, property);
    if (result >= 0)
        result = sd_bus_message_close_container(message);
    return result < 0 ? result : sd_bus_message_close_container(message);
}

int properties_append(const struct properties *properties, sd_bus_message *message)
{
    int result = sd_bus_message_open_container(message, 'a', "(sv)");
    for (size_t i = 0; result >= 0 && i < properties->count; i++)
        if (!properties->items[i].is_dropped)
            result = append_property(message, &properties->items[i]);
    return result < 0 ? result : sd_bus_message_close_container(message);
}
