/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header. Expansion is one pass over the raw word with a depth bound for nested ${…}.
 */
#include "transfer/words.h"

#define MAX_WORD  (64u << 10)
#define MAX_DEPTH 16

struct expansion {
    const char *at;
    const char *const *environment;
    const char *why;
    unsigned depth;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The end of the raw word that begins at `text`. */
static const char *word_end(const char *text)
{
    char quote = '\0';
    for (; *text != '\0' && (quote != '\0' || !is_space(*text)); text++) {
        if (*text == '\\' && quote != '\'' && text[1] != '\0')
            text++;
        else if (quote != '\0')
            quote = *text == quote ? '\0' : quote;
        else if (*text == '"' || *text == '\'')
            quote = *text;
    }
    return text;
}

int words_split(const char *text, char ***ret)
{
    CL_AUTO(cl_strv_free) char **words = NULL;
    for (;;) {
        while (is_space(*text))
            text++;
        if (*text == '\0')
            break;
        const char *end = word_end(text);
        if (cl_strv_append_take(&words, cl_strndup(text, (size_t)(end - text))) < 0)
            return -ENOMEM;
        text = end;
    }
    *ret = cl_take(words);
    return 0;
}

static bool is_name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static size_t name_length(const char *text)
{
    size_t length = 0;
    while (is_name_char(text[length], length == 0))
        length++;
    return length;
}

static const char *look_up(const struct expansion *expansion, const char *name, size_t length)
{
    const char *const *each = expansion->environment;
    for (; each != NULL && *each != NULL; each++)
        if (strncmp(*each, name, length) == 0 && (*each)[length] == '=')
            return *each + length + 1;
    return NULL;
}

static int expand_until(struct expansion *expansion, char end, struct cl_buf *out);

/* Behind "${". */
static int expand_braced(struct expansion *expansion, struct cl_buf *out)
{
    const char *name = expansion->at;
    size_t length = name_length(name);
    const char *value = look_up(expansion, name, length);
    bool has_value = value != NULL && value[0] != '\0';
    expansion->at += length;
    expansion->why = "a ${...} in it can't be understood";
    if (length == 0)
        return -EINVAL;
    char operation = '\0';
    if (expansion->at[0] == ':' && (expansion->at[1] == '-' || expansion->at[1] == '+')) {
        operation = expansion->at[1];
        expansion->at += 2;
    }
    cl_auto_buf word = CL_BUF_INIT(MAX_WORD);
    if (operation != '\0') {
        int result = expand_until(expansion, '}', &word);
        if (result < 0)
            return result;
    }
    if (*expansion->at != '}')
        return -EINVAL;
    expansion->at++;
    if ((operation == '-' && !has_value) || (operation == '+' && has_value))
        cl_buf_add(out, word.data, word.size);
    else if (operation != '+' && has_value)
        cl_buf_str(out, value);
    return word.failed;
}

/* At the "$". */
static int expand_variable(struct expansion *expansion, struct cl_buf *out)
{
    expansion->at++;
    if (*expansion->at == '{') {
        expansion->at++;
        return expand_braced(expansion, out);
    }
    size_t length = name_length(expansion->at);
    const char *value = look_up(expansion, expansion->at, length);
    if (length == 0)
        cl_buf_char(out, '$');
    else if (value != NULL)
        cl_buf_str(out, value);
    expansion->at += length;
    return 0;
}

static int expand_single_quoted(struct expansion *expansion, struct cl_buf *out)
{
    const char *end = strchr(expansion->at + 1, '\'');
    expansion->why = "a single quote has no end";
    if (end == NULL)
        return -EINVAL;
    cl_buf_add(out, expansion->at + 1, (size_t)(end - expansion->at - 1));
    expansion->at = end + 1;
    return 0;
}

static int expand_double_quoted(struct expansion *expansion, struct cl_buf *out)
{
    expansion->at++;
    while (*expansion->at != '"') {
        int result = 0;
        if (*expansion->at == '\0') {
            expansion->why = "a double quote has no end";
            return -EINVAL;
        }
        if (*expansion->at == '$') {
            result = expand_variable(expansion, out);
        } else {
            if (*expansion->at == '\\' && expansion->at[1] != '\0' &&
                strchr("\"$\\", expansion->at[1]) != NULL)
                expansion->at++;
            cl_buf_char(out, *expansion->at++);
        }
        if (result < 0)
            return result;
    }
    expansion->at++;
    return 0;
}

static int expand_until(struct expansion *expansion, char end, struct cl_buf *out)
{
    int result = 0;
    expansion->why = "its ${...} are nested too deeply";
    if (++expansion->depth > MAX_DEPTH)
        return -EINVAL;
    while (result >= 0 && *expansion->at != '\0' && *expansion->at != end) {
        if (*expansion->at == '\'') {
            result = expand_single_quoted(expansion, out);
        } else if (*expansion->at == '"') {
            result = expand_double_quoted(expansion, out);
        } else if (*expansion->at == '$') {
            result = expand_variable(expansion, out);
        } else {
            if (*expansion->at == '\\' && expansion->at[1] != '\0')
                expansion->at++;
            cl_buf_char(out, *expansion->at++);
        }
    }
    expansion->depth--;
    return result;
}

int words_expand(const char *raw, const char *const *environment, char **ret, const char **ret_why)
{
    struct expansion expansion = { .at = raw, .environment = environment };
    cl_auto_buf out = CL_BUF_INIT(MAX_WORD);
    int result = expand_until(&expansion, '\0', &out);
    *ret_why = expansion.why;
    if (result >= 0 && out.failed < 0) {
        *ret_why = "it is too long";
        result = out.failed == -ENOMEM ? -ENOMEM : -EINVAL;
    }
    if (result < 0)
        return result;
    *ret = cl_buf_take(&out);
    return *ret == NULL ? -ENOMEM : 0;
}
