/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed strings, string vectors and KEY=VALUE vectors.
 */
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool cl_starts_with(const char *text, const char *prefix)
{
    return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool cl_ends_with(const char *text, const char *suffix)
{
    if (text == NULL)
        return false;
    size_t length = strlen(text), suffix_length = strlen(suffix);
    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

int cl_print(char *buffer, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(buffer, size, fmt, args);
    va_end(args);
    return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

size_t cl_print_u64(uint64_t number, char buffer[static 21])
{
    char reversed[20];
    size_t digits = 0;
    do
        reversed[digits++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    for (size_t i = 0; i < digits; i++)
        buffer[i] = reversed[digits - 1 - i];
    buffer[digits] = '\0';
    return digits;
}

size_t cl_strv_count(const char *const *vector)
{
    size_t count = 0;
    while (vector != NULL && vector[count] != NULL)
        count++;
    return count;
}

/* Always through realloc, in powers of two: a vector that somebody allocated to its exact size can be appended to as well. */
static int make_room(char ***vector, size_t count)
{
    size_t slots = 4, bytes;
    while (slots < count + 2 && cl_mul_size(slots, 2, &slots))
        continue;
    if (!cl_mul_size(slots, sizeof(char *), &bytes))
        return -ENOMEM;
    char **larger = cl_realloc(*vector, bytes);
    if (larger == NULL)
        return -ENOMEM;
    *vector = larger;
    return 0;
}

int cl_strv_append_take(char ***vector, char *take_text)
{
    size_t count = cl_strv_count((const char *const *)*vector);
    if (take_text == NULL || make_room(vector, count) < 0) {
        free(take_text);
        return -ENOMEM;
    }
    (*vector)[count] = take_text;
    (*vector)[count + 1] = NULL;
    return 0;
}

int cl_strv_append(char ***vector, const char *text)
{
    return cl_strv_append_take(vector, cl_strdup(text));
}

int cl_strv_copy(char ***ret, const char *const *vector)
{
    CL_AUTO(cl_strv_free) char **copy = NULL;
    size_t count = cl_strv_count(vector);
    if (count > 0 && (copy = cl_calloc(count + 1, sizeof *copy)) == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if ((copy[i] = cl_strdup(vector[i])) == NULL)
            return -ENOMEM;
    *ret = cl_take(copy);
    return 0;
}

void cl_strv_free(char **vector)
{
    if (vector == NULL)
        return;
    for (char **text = vector; *text != NULL; text++)
        free(*text);
    free(vector);
}

bool cl_strv_has(const char *const *vector, const char *text)
{
    for (; vector != NULL && *vector != NULL; vector++) {
        if (cl_streq(*vector, text))
            return true;
    }
    return false;
}

static bool has_key(const char *key_value, const char *key, size_t key_length)
{
    return key_value[0] == key[0] && strncmp(key_value, key, key_length) == 0 &&
           (key_value[key_length] == '=' || key_value[key_length] == '\0');
}

int cl_env_set(char ***vector, const char *key_value)
{
    size_t key_length = strcspn(key_value, "=");
    if (key_length == 0)
        return -EINVAL;
    for (char **entry = *vector; entry != NULL && *entry != NULL; entry++) {
        if (!has_key(*entry, key_value, key_length))
            continue;
        char *copy = cl_strdup(key_value);
        if (copy == NULL)
            return -ENOMEM;
        free(*entry);
        *entry = copy;
        return 0;
    }
    return cl_strv_append(vector, key_value);
}

const char *cl_env_get(const char *const *vector, const char *key)
{
    size_t length = strlen(key);
    for (; vector != NULL && *vector != NULL; vector++) {
        if (has_key(*vector, key, length) && (*vector)[length] == '=')
            return *vector + length + 1;
    }
    return NULL;
}

const char *cl_env_own(const char *key)
{
    return cl_env_get((const char *const *)environ, key) == NULL ? NULL : secure_getenv(key);
}
