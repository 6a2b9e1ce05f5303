/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.json, written and read.
 *
 * `list` reads hundreds, and making JSON values only to copy what is in them was most of its own work. So a text that looks exactly as
 * container_save writes it is taken apart where it lies, in one pass. Whatever looks otherwise in any way (another's order, an escape
 * where it matters, damage) goes through the JSON parser, which alone decides what is wrong with it.
 */
#include "ocicli/private.h"

#include <fcntl.h>
#include <unistd.h>

#define STATE_MAX (1 << 20)

/* ---- as JSON ---- */

static struct cl_json *annotations_json(const struct oci_map *map)
{
    struct cl_json *json = cl_json_object();
    for (size_t i = 0; json != NULL && i < map->count; i++)
        if (cl_json_set_string(json, map->pairs[i].key, map->pairs[i].value) < 0) {
            cl_json_unref(json);
            return NULL;
        }
    return json;
}

int container_save(const struct container *container, struct cl_error *err)
{
    return container_save_as(container, CONTAINER_STATE, err);
}

int container_save_as(const struct container *container, const char *name, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    int result = json == NULL ? -ENOMEM : 0;
    const struct {
        const char *key;
        struct cl_json *value;
    } rows[] = {
        { "id", cl_json_from_string(container->id) },
        { "bundle", cl_json_from_string(container->bundle) },
        { "rootfs", cl_json_from_string(container->rootfs) },
        { "cgroupPath", cl_json_from_string(container->cgroup_path) },
        { "scope", cl_json_from_string(container->scope.unit) },
        { "userScope", cl_json_from_bool(container->scope.is_user) },
        { "bootId", cl_json_from_string(container->boot_id) },
        { "created", cl_json_from_int(container->created) },
        { "owner", cl_json_from_int(container->owner) },
        { "pid", cl_json_from_int(container->pid) },
        { "startTicks", cl_json_from_u64(container->start_ticks) },
        { "ownsPidNamespace", cl_json_from_bool(container->owns_pid_ns) },
        { "hasPoststart", cl_json_from_bool(container->has_poststart) },
        { "hasPoststop", cl_json_from_bool(container->has_poststop) },
        { "startsAtOnce", cl_json_from_bool(container->starts_at_once) },
        { "annotations", annotations_json(&container->annotations) },
    };
    for (size_t i = 0; i < CL_COUNT(rows); i++)
        if (result < 0)
            cl_json_unref(rows[i].value);
        else
            result = cl_json_set(json, rows[i].key, rows[i].value);
    if (result >= 0 && container->rdt.group != NULL)
        result = cl_json_set(json, "rdtGroup", cl_json_from_string(container->rdt.group));
    if (result >= 0 && container->rdt.monitor != NULL)
        result = cl_json_set(json, "rdtMonitor", cl_json_from_string(container->rdt.monitor));
    if (result >= 0 && container->pid == 0 && container->maker > 0)
        result = cl_json_set(json, "maker", cl_json_from_int(container->maker));
    cl_auto_free char *text = result < 0 ? NULL : cl_json_text(json, CL_JSON_COMPACT);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "write the state of container %s", container->id);
    /* Or nobody could read it again, and so delete the container. Nothing else in it can be that long. */
    if (strlen(text) > STATE_MAX)
        return cl_fail_kind(
            err, CL_KIND_INVALID, E2BIG,
            "annotations: with them the state of container %s is longer than %d bytes",
            container->id, STATE_MAX);
    result = cl_write_atomic(container->dir, name, text, strlen(text), 0600, CL_WRITE_PLAIN, err);
    return result < 0 ? cl_error_prefix(err, "write the state of container %s", container->id) : 0;
}

static int read_annotations(const struct cl_json *json, struct oci_map *ret)
{
    void *walk = NULL;
    const char *key;
    const struct cl_json *value;
    int result = 0;
    while (result >= 0 && cl_json_next(json, &walk, &key, &value))
        result = oci_map_set(ret, key, cl_json_string_or(value, ""));
    return result;
}

static int copy_optional(const struct cl_json *json, const char *key, char **ret)
{
    const char *text = cl_json_string_or(cl_json_get(json, key), NULL);
    if (text != NULL)
        *ret = cl_strdup(text);
    return text != NULL && *ret == NULL ? -ENOMEM : 0;
}

int container_decode(const struct cl_json *json, struct container *container)
{
    const struct {
        const char *key;
        char **member;
    } texts[] = {
        { "bundle", &container->bundle },
        { "rootfs", &container->rootfs },
        { "cgroupPath", &container->cgroup_path },
        { "bootId", &container->boot_id },
    };
    bool is_whole = cl_json_has(json, "pid");
    for (size_t i = 0; i < CL_COUNT(texts); i++) {
        const char *text = cl_json_string(cl_json_get(json, texts[i].key));
        is_whole = is_whole && text != NULL;
        *texts[i].member = cl_strdup(text != NULL ? text : "");
        if (*texts[i].member == NULL)
            return -ENOMEM;
    }
    if (copy_optional(json, "rdtGroup", &container->rdt.group) < 0 ||
        copy_optional(json, "rdtMonitor", &container->rdt.monitor) < 0)
        return -ENOMEM;
    container->scope.is_user = cl_json_bool(cl_json_get(json, "userScope"));
    if (CL_PRINT(container->scope.unit, "%s", cl_json_string_or(cl_json_get(json, "scope"), "")) <
        0)
        return -EINVAL;
    container->created = cl_json_int(cl_json_get(json, "created"));
    container->owner = (uid_t)cl_json_int(cl_json_get(json, "owner"));
    container->pid = (pid_t)cl_json_int(cl_json_get(json, "pid"));
    container->maker = (pid_t)cl_json_int(cl_json_get(json, "maker"));
    container->owns_pid_ns = cl_json_bool(cl_json_get(json, "ownsPidNamespace"));
    container->has_poststart = cl_json_bool(cl_json_get(json, "hasPoststart"));
    container->has_poststop = cl_json_bool(cl_json_get(json, "hasPoststop"));
    container->starts_at_once = cl_json_bool(cl_json_get(json, "startsAtOnce"));
    int result = cl_json_u64(cl_json_get(json, "startTicks"), &container->start_ticks);
    if (result >= 0)
        result = read_annotations(cl_json_get(json, "annotations"), &container->annotations);
    return result < 0 || is_whole ? result : -EINVAL;
}

/* ---- as text ---- */

/* A look through a text; once something is not as expected, nothing is any more. */
struct scan {
    const char *at, *end;
};

/* What a text says, in its own memory. */
struct found {
    struct text {
        const char *at;
        size_t size;
    } id, bundle, rootfs, cgroup_path, scope, boot_id;
    uint64_t created, owner, pid, start_ticks;
    bool is_user_scope, owns_pid_ns, has_poststart, has_poststop, starts_at_once, has_annotations;
};

static inline bool scan_word(struct scan *scan, const char *word, size_t size)
{
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
        return false;
    scan->at += size;
    return true;
}
#define WORD(literal) (literal), sizeof(literal) - 1

/* To the quote at its end; one without escapes. */
static bool scan_text(struct scan *scan, const char *before, size_t size, struct text *ret)
{
    if (!scan_word(scan, before, size))
        return false;
    ret->at = scan->at;
    ret->size = cl_json_plain(scan->at, (size_t)(scan->end - scan->at));
    scan->at += ret->size;
    return scan_word(scan, WORD("\""));
}

/* A natural number of 63 bits. */
static bool scan_number(struct scan *scan, const char *before, size_t size, uint64_t *ret)
{
    if (!scan_word(scan, before, size))
        return false;
    const char *start = scan->at;
    uint64_t value = 0;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++)
        value = value * 10 + (uint64_t)(*scan->at - '0');
    *ret = value;
    ptrdiff_t digits = scan->at - start; /* 19 can't be more than 64 bits */
    return digits > 0 && digits <= 19 && value <= INT64_MAX && (start[0] != '0' || digits == 1);
}

static bool scan_bool(struct scan *scan, const char *before, size_t size, bool *ret)
{
    if (!scan_word(scan, before, size))
        return false;
    *ret = scan_word(scan, WORD("true"));
    return *ret || scan_word(scan, WORD("false"));
}

/* Of four hexadecimal digits; half of a pair is for the parser. */
static bool scan_unicode(struct scan *scan)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    if (scan->end - scan->at < 4 || scan->at[0] == 'd' || scan->at[0] == 'D')
        return false;
    for (int i = 0; i < 4; i++)
        if (scan->at[i] == '\0' || strchr(digits, scan->at[i]) == NULL)
            return false;
    bool is_nul = memcmp(scan->at, "0000", 4) == 0;
    scan->at += 4;
    return !is_nul;
}

/* Behind its first quote, to behind its last one: for text that nobody wants. */
static bool skip_text(struct scan *scan)
{
    for (;;) {
        scan->at += cl_json_plain(scan->at, (size_t)(scan->end - scan->at));
        if (scan_word(scan, WORD("\"")))
            return true;
        if (!scan_word(scan, WORD("\\")) || scan->at == scan->end)
            return false;
        char escaped = *scan->at++;
        if (escaped == '\0' || strchr("\"\\/bfnrtu", escaped) == NULL ||
            (escaped == 'u' && !scan_unicode(scan)))
            return false;
    }
}

/* Others' words, perhaps many. */
static bool skip_map(struct scan *scan, bool *ret_has_any)
{
    *ret_has_any = false;
    if (scan_word(scan, WORD("{}")))
        return true;
    *ret_has_any = true;
    for (bool is_first = true; !scan_word(scan, WORD("}")); is_first = false) {
        bool is_pair = (is_first ? scan_word(scan, WORD("{\"")) : scan_word(scan, WORD(",\""))) &&
                       skip_text(scan) && scan_word(scan, WORD(":\"")) && skip_text(scan);
        if (!is_pair)
            return false;
    }
    return true;
}

#define TEXT(key, ret)   scan_text(scan, WORD(key "\":\""), (ret))
#define NUMBER(key, ret) scan_number(scan, WORD(key "\":"), (ret))
#define BOOL(key, ret)   scan_bool(scan, WORD(key "\":"), (ret))
/* In the order of container_save. */
static bool scan_record(struct scan *scan, struct found *found)
{
    return TEXT("{\"id", &found->id) && TEXT(",\"bundle", &found->bundle) &&
           TEXT(",\"rootfs", &found->rootfs) && TEXT(",\"cgroupPath", &found->cgroup_path) &&
           TEXT(",\"scope", &found->scope) && BOOL(",\"userScope", &found->is_user_scope) &&
           TEXT(",\"bootId", &found->boot_id) && NUMBER(",\"created", &found->created) &&
           NUMBER(",\"owner", &found->owner) && NUMBER(",\"pid", &found->pid) &&
           NUMBER(",\"startTicks", &found->start_ticks) &&
           BOOL(",\"ownsPidNamespace", &found->owns_pid_ns) &&
           BOOL(",\"hasPoststart", &found->has_poststart) &&
           BOOL(",\"hasPoststop", &found->has_poststop) &&
           BOOL(",\"startsAtOnce", &found->starts_at_once) &&
           scan_word(scan, WORD(",\"annotations\":")) && skip_map(scan, &found->has_annotations) &&
           scan_word(scan, WORD("}")) && scan->at == scan->end;
}
#undef TEXT
#undef NUMBER
#undef BOOL

static int take_found(const struct found *found, struct container *container)
{
    const struct {
        const struct text *text;
        char **member;
    } texts[] = {
        { &found->bundle, &container->bundle },
        { &found->rootfs, &container->rootfs },
        { &found->cgroup_path, &container->cgroup_path },
        { &found->boot_id, &container->boot_id },
    };
    for (size_t i = 0; i < CL_COUNT(texts); i++) {
        *texts[i].member = cl_strndup(texts[i].text->at, texts[i].text->size);
        if (*texts[i].member == NULL)
            return -ENOMEM;
    }
    memcpy(container->scope.unit, found->scope.at, found->scope.size);
    container->scope.unit[found->scope.size] = '\0';
    container->scope.is_user = found->is_user_scope;
    container->created = (int64_t)found->created;
    container->owner = (uid_t)found->owner;
    container->pid = (pid_t)found->pid;
    container->start_ticks = found->start_ticks;
    container->owns_pid_ns = found->owns_pid_ns;
    container->has_poststart = found->has_poststart;
    container->has_poststop = found->has_poststop;
    container->starts_at_once = found->starts_at_once;
    return 0;
}

int container_scan(const char *text, size_t size, bool wants_annotations,
                   struct container *container)
{
    struct scan scan = { text, text + size };
    struct found found = { 0 };
    if (!scan_record(&scan, &found) || (wants_annotations && found.has_annotations) ||
        found.scope.size >= sizeof container->scope.unit)
        return 0;
    int result = take_found(&found, container);
    return result < 0 ? result : 1;
}

/* ---- the file ---- */

/* Of which `size` bytes were read to `text`, a buffer of `room`. */
static int parse(int fd, char *text, size_t size, size_t room, struct cl_json **ret,
                 struct cl_error *err)
{
    cl_auto_free char *whole = NULL;
    ssize_t more = cl_read_full(fd, text + size, room - size);
    if (more < 0)
        return cl_fail(err, (int)more, "read state.json");
    if (size + (size_t)more < room)
        return cl_json_parse(text, size + (size_t)more, STATE_MAX, ret, err);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return cl_fail(err, errno, "read state.json");
    int result = cl_read_fd(fd, STATE_MAX, &whole, &size, err);
    return result < 0 ? result : cl_json_parse(whole, size, STATE_MAX, ret, err);
}

/* 1: what was read is all, as it was written; no second read has to find its end. 0: it has to be parsed into *ret_json, which is done. */
static int read_state(struct container *container, int fd, bool wants_annotations,
                      struct cl_json **ret_json, struct cl_error *err)
{
    static char text[16 << 10]; /* more than nearly all need; what is not read is not touched */
    ssize_t size = read(fd, text, sizeof text);
    size_t got = size > 0 ? (size_t)size : 0; /* a failure is the parser's, which reads on */
    int result = container_scan(text, got, wants_annotations, container);
    if (result < 0)
        return cl_fail(err, result, "read state.json");
    return result > 0 ? result : parse(fd, text, got, sizeof text, ret_json, err);
}

int container_load(struct container *container, int fd, bool wants_annotations,
                   struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    int result = read_state(container, fd, wants_annotations, &json, err);
    if (result > 0)
        return 0;
    if (result < 0) {
        (void)cl_error_prefix(err, "read the state of container %s", container->id);
        return cl_error_hint(err, "delete --force removes what can be told to be its");
    }
    result = container_decode(json, container);
    if (result >= 0)
        return 0;
    (void)cl_fail_kind(err, CL_KIND_CORRUPT, result, "state.json of container %s is damaged",
                       container->id);
    return cl_error_hint(err, "delete --force removes what can be told to be its");
}
