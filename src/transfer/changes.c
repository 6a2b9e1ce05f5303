/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row per instruction; what the rows share is the splitting and expanding of words (words.h).
 */
#include "transfer/changes.h"

#include "transfer/words.h"

struct change {
    struct oci_image_run *run;
    const char *line; /* for error texts */
    const char *rest; /* behind the instruction's word, white space cut on both ends */
    struct cl_error *err;
};

static int refuse(const struct change *change, const char *why)
{
    return cl_fail_kind(change->err, CL_KIND_INVALID, EINVAL, "change \"%.200s\": %s", change->line,
                        why);
}

static int no_memory(const struct change *change)
{
    return cl_fail(change->err, ENOMEM, "change \"%.200s\"", change->line);
}

static int expand(const struct change *change, const char *raw, char **ret)
{
    const char *why = "";
    int result = words_expand(raw, (const char *const *)change->run->env, ret, &why);
    if (result == -ENOMEM)
        return no_memory(change);
    return result < 0 ? refuse(change, why) : 0;
}

/* ["a","b"] → 1 and the strings; 0 when it is no such array. */
static int json_form(const struct change *change, char ***ret)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    size_t size = strlen(change->rest);
    if (change->rest[0] != '[' || cl_json_parse(change->rest, size, 1u << 20, &json, NULL) < 0)
        return 0;
    if (cl_json_type(json) != CL_JSON_ARRAY || cl_json_strv(json, ret) < 0)
        return 0;
    return 1;
}

static int expanded_words(const struct change *change, char ***ret)
{
    CL_AUTO(cl_strv_free) char **raw = NULL;
    CL_AUTO(cl_strv_free) char **words = NULL;
    if (words_split(change->rest, &raw) < 0)
        return no_memory(change);
    for (char **each = raw; each != NULL && *each != NULL; each++) {
        char *word = NULL;
        int result = expand(change, *each, &word);
        if (result < 0)
            return result;
        if (cl_strv_append_take(&words, word) < 0)
            return no_memory(change);
    }
    *ret = cl_take(words);
    return 0;
}

static int one_text(const struct change *change, char **text)
{
    char *expanded = NULL;
    int result = expand(change, change->rest, &expanded);
    if (result < 0)
        return result;
    free(*text);
    *text = expanded;
    return 0;
}

/* ---- CMD, ENTRYPOINT ---- */

static int set_command(const struct change *change, char ***vector)
{
    CL_AUTO(cl_strv_free) char **words = NULL;
    static const char *const shell[] = { "/bin/sh", "-c", NULL };
    if (json_form(change, &words) == 0 &&
        (cl_strv_copy(&words, shell) < 0 || cl_strv_append(&words, change->rest) < 0))
        return no_memory(change);
    cl_strv_free(*vector);
    *vector = cl_take(words);
    return 0;
}

static int change_cmd(const struct change *change)
{
    return set_command(change, &change->run->cmd);
}

static int change_entrypoint(const struct change *change)
{
    return set_command(change, &change->run->entrypoint);
}

/* ---- ENV, LABEL: "k=v k2=v2", or the old form "k the rest" ---- */

typedef int set_pair(const struct change *change, const char *key, const char *value);

static int set_env(const struct change *change, const char *key, const char *value)
{
    cl_auto_free char *pair = cl_format("%s=%s", key, value);
    return pair == NULL ? -ENOMEM : cl_env_set(&change->run->env, pair);
}

static int set_label(const struct change *change, const char *key, const char *value)
{
    return oci_map_set(&change->run->labels, key, value);
}

static int add_pair(const struct change *change, const char *raw_key, const char *raw_value,
                    set_pair *set)
{
    cl_auto_free char *key = NULL, *value = NULL;
    int result = expand(change, raw_key, &key);
    if (result >= 0)
        result = expand(change, raw_value, &value);
    if (result < 0)
        return result;
    if (key[0] == '\0')
        return refuse(change, "a name is empty");
    return set(change, key, value) < 0 ? no_memory(change) : 0;
}

static int old_form(const struct change *change, set_pair *set)
{
    size_t length = strcspn(change->rest, " \t");
    const char *value = change->rest + length;
    cl_auto_free char *key = cl_strndup(change->rest, length);
    if (key == NULL)
        return no_memory(change);
    value += strspn(value, " \t");
    if (value[0] == '\0')
        return refuse(change, "it must have a name and a value");
    return add_pair(change, key, value, set);
}

static int change_pairs(const struct change *change, set_pair *set)
{
    CL_AUTO(cl_strv_free) char **words = NULL;
    if (words_split(change->rest, &words) < 0)
        return no_memory(change);
    if (words == NULL || strchr(words[0], '=') == NULL)
        return old_form(change, set);
    int result = 0;
    for (char **word = words; result >= 0 && *word != NULL; word++) {
        char *equals = strchr(*word, '=');
        if (equals == NULL)
            return refuse(change, "expected NAME=VALUE in each place");
        *equals = '\0';
        result = add_pair(change, *word, equals + 1, set);
    }
    return result;
}

static int change_env(const struct change *change)
{
    return change_pairs(change, set_env);
}

static int change_label(const struct change *change)
{
    return change_pairs(change, set_label);
}

/* ---- EXPOSE ---- */

static int add_once(const struct change *change, char ***vector, const char *text)
{
    if (cl_strv_has((const char *const *)*vector, text))
        return 0;
    return cl_strv_append(vector, text) < 0 ? no_memory(change) : 0;
}

static int expose(const struct change *change, char *text)
{
    uint64_t first = 0, last = 0;
    char *slash = strchr(text, '/'), port[32];
    const char *protocol = slash == NULL ? "tcp" : slash + 1;
    static const char *const protocols[] = { "tcp", "udp", "sctp", NULL };
    if (slash != NULL)
        *slash = '\0';
    char *dash = strchr(text, '-');
    if (dash != NULL)
        *dash = '\0';
    if (cl_parse_u64(text, 1, 65535, &first) < 0 ||
        cl_parse_u64(dash == NULL ? text : dash + 1, first, 65535, &last) < 0 ||
        !cl_strv_has(protocols, protocol))
        return refuse(change, "expected PORT, PORT-PORT or PORT/tcp|udp|sctp");
    int result = 0;
    for (; result >= 0 && first <= last; first++) {
        (void)CL_PRINT(port, "%llu/%s", (unsigned long long)first, protocol);
        result = add_once(change, &change->run->exposed_ports, port);
    }
    return result;
}

static int change_expose(const struct change *change)
{
    CL_AUTO(cl_strv_free) char **words = NULL;
    int result = expanded_words(change, &words);
    for (char **word = words; result >= 0 && word != NULL && *word != NULL; word++)
        result = expose(change, *word);
    return result;
}

/* ---- the rest ---- */

static int change_onbuild(const struct change *change)
{
    return cl_strv_append(&change->run->on_build, change->rest) < 0 ? no_memory(change) : 0;
}

static int change_stopsignal(const struct change *change)
{
    cl_auto_free char *signal = NULL;
    int result = expand(change, change->rest, &signal);
    if (result < 0)
        return result;
    if (oci_signal_number(signal) < 0)
        return refuse(change, "that is no signal");
    free(change->run->stop_signal);
    change->run->stop_signal = cl_take(signal);
    return 0;
}

static int change_user(const struct change *change)
{
    return one_text(change, &change->run->user);
}

static int change_volume(const struct change *change)
{
    CL_AUTO(cl_strv_free) char **words = NULL;
    int result = json_form(change, &words);
    if (result == 0)
        result = expanded_words(change, &words);
    for (char **word = words; result >= 0 && word != NULL && *word != NULL; word++)
        result = (*word)[0] == '\0' ? refuse(change, "a volume's path is empty")
                                    : add_once(change, &change->run->volumes, *word);
    return result < 0 ? result : 0;
}

/* "/a//b/../c/." → "/a/c". In place; the text must be absolute. */
static void clean_path(char *path)
{
    size_t used = 0;
    for (const char *at = path; *at != '\0';) {
        size_t length = strcspn(at, "/");
        if (length == 2 && memcmp(at, "..", 2) == 0) {
            while (used > 0 && path[--used] != '/')
                continue;
        } else if (length > 0 && !(length == 1 && *at == '.')) {
            path[used++] = '/';
            memmove(path + used, at, length);
            used += length;
        }
        at += length + (at[length] == '/');
    }
    if (used == 0)
        path[used++] = '/';
    path[used] = '\0';
}

static int change_workdir(const struct change *change)
{
    cl_auto_free char *expanded = NULL;
    const char *old = change->run->working_dir;
    int result = expand(change, change->rest, &expanded);
    if (result < 0)
        return result;
    char *path = expanded[0] == '/' ? cl_strdup(expanded)
                                    : cl_format("%s/%s", old == NULL ? "" : old, expanded);
    if (path == NULL)
        return no_memory(change);
    clean_path(path);
    free(change->run->working_dir);
    change->run->working_dir = path;
    return 0;
}

static const struct {
    const char *word;
    int (*apply)(const struct change *change);
} instructions[] = {
    { "CMD", change_cmd },
    { "ENTRYPOINT", change_entrypoint },
    { "ENV", change_env },
    { "EXPOSE", change_expose },
    { "LABEL", change_label },
    { "ONBUILD", change_onbuild },
    { "STOPSIGNAL", change_stopsignal },
    { "USER", change_user },
    { "VOLUME", change_volume },
    { "WORKDIR", change_workdir },
};

int changes_apply(struct oci_image_run *run, const char *line, struct cl_error *err)
{
    const char *start = line + strspn(line, " \t\r\n");
    size_t length = strcspn(start, " \t\r\n");
    const char *rest = start + length + strspn(start + length, " \t\r\n");
    size_t size = strlen(rest);
    while (size > 0 && strchr(" \t\r\n", rest[size - 1]) != NULL)
        size--;
    cl_auto_free char *trimmed = cl_strndup(rest, size);
    struct change change = { .run = run, .line = line, .rest = trimmed, .err = err };
    if (trimmed == NULL)
        return no_memory(&change);
    for (size_t i = 0; i < CL_COUNT(instructions); i++) {
        if (strlen(instructions[i].word) != length ||
            strncasecmp(instructions[i].word, start, length) != 0)
            continue;
        return size == 0 ? refuse(&change, "there is nothing behind the instruction")
                         : instructions[i].apply(&change);
    }
    return refuse(&change, "the instruction must be CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, "
                           "STOPSIGNAL, USER, VOLUME or WORKDIR");
}
