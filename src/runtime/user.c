/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "user:group" against the container's own /etc/passwd and /etc/group.
 *
 * These files belong to the image: they are read below the root's descriptor, at most 1 MiB of
 * them, and only if they are regular files (CVE-2024-9676). Digits are an id and nothing else: a
 * name that consists of digits is never looked up, and a number that does not fit is an error, not
 * a wrapped one (CVE-2024-40635, CVE-2026-30892).
 */
#include "runtime/runtime.h"

#include <errno.h>

#define FILE_MAX   (1024 * 1024)
#define GROUPS_MAX 65536       /* NGROUPS_MAX of the kernel */
#define ID_MAX     4294967294u /* -1 means "no change" to the kernel */

/* One line, its fields cut by colons. passwd has 7, group 4. */
struct line {
    char *field[7];
    size_t count;
};

static bool next_line(char **at, struct line *line)
{
    if (**at == '\0')
        return false;
    char *text = *at, *end = text + strcspn(text, "\n");
    *at = *end == '\n' ? end + 1 : end;
    *end = '\0';
    line->count = 0;
    while (text != NULL && line->count < CL_COUNT(line->field)) {
        line->field[line->count++] = text;
        text = strchr(text, ':');
        if (text != NULL)
            *text++ = '\0';
    }
    return true;
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static int parse_id(const char *text, uint32_t *ret)
{
    uint64_t value;
    int result = is_number(text) ? cl_parse_u64(text, 0, ID_MAX, &value) : -EINVAL;
    if (result >= 0)
        *ret = (uint32_t)value;
    return result;
}

/* A missing file is an empty one: an image may have no users at all. */
static int read_names(int root_fd, const char *path, char **ret, struct cl_error *err)
{
    struct cl_error failure = { 0 };
    int result = inroot_read_file(root_fd, path, FILE_MAX, ret, NULL, &failure);
    if (result >= 0)
        return 0;
    if (result == -ENOENT || result == -ENOTDIR) {
        *ret = cl_strdup("");
        return *ret == NULL ? cl_fail(err, ENOMEM, "read %s", path) : 0;
    }
    if (err != NULL)
        *err = failure;
    return result;
}

static int add_group(struct runtime_user *user, gid_t gid)
{
    if (gid == user->gid)
        return 0;
    for (size_t i = 0; i < user->group_count; i++)
        if (user->groups[i] == gid)
            return 0;
    if (user->group_count == GROUPS_MAX)
        return -E2BIG;
    gid_t *groups = cl_realloc(user->groups, (user->group_count + 1) * sizeof *groups);
    if (groups == NULL)
        return -ENOMEM;
    user->groups = groups;
    user->groups[user->group_count++] = gid;
    return 0;
}

/* What /etc/passwd says about the user; *ret_name is the login name, for /etc/group, or NULL. */
static int find_user(char *passwd, const char *wanted, struct runtime_user *user, char **ret_name)
{
    struct line line;
    uint32_t id = 0;
    bool is_id = is_number(wanted);
    int result = is_id ? parse_id(wanted, &id) : -ENOENT;
    if (is_id && result < 0)
        return result;
    user->uid = id;
    while (next_line(&passwd, &line)) {
        uint32_t uid, gid;
        if (line.count < 6 || parse_id(line.field[2], &uid) < 0 ||
            parse_id(line.field[3], &gid) < 0)
            continue;
        if (is_id ? uid != id : strcmp(line.field[0], wanted) != 0)
            continue;
        user->uid = uid;
        user->gid = gid;
        if (line.field[5][0] == '/')
            (void)CL_PRINT(user->home, "%s", line.field[5]); /* longer ones are nobody's home */
        *ret_name = line.field[0];
        return 0;
    }
    return result;
}

void runtime_user_home(int root_fd, uid_t uid, char ret[static 256])
{
    struct runtime_user user = { .home = "/" };
    cl_auto_free char *passwd = NULL;
    char *name, digits[16];
    if (CL_PRINT(digits, "%u", uid) >= 0 && read_names(root_fd, "/etc/passwd", &passwd, NULL) >= 0)
        (void)find_user(passwd, digits, &user, &name); /* the home stays what it was */
    (void)cl_print(ret, 256, "%s", user.home);         /* as long as its source */
}

static int find_group(const char *file, const char *wanted, gid_t *ret)
{
    if (is_number(wanted))
        return parse_id(wanted, ret);
    cl_auto_free char *copy = cl_strdup(file);
    if (copy == NULL)
        return -ENOMEM;
    struct line line;
    for (char *at = copy; next_line(&at, &line);)
        if (line.count >= 3 && strcmp(line.field[0], wanted) == 0 &&
            parse_id(line.field[2], ret) >= 0)
            return 0;
    return -ENOENT;
}

static bool list_names(const char *list, const char *name)
{
    size_t length = strlen(name);
    while (*list != '\0') {
        size_t word = strcspn(list, ",");
        if (word == length && memcmp(list, name, word) == 0)
            return true;
        list += word + (list[word] == ',');
    }
    return false;
}

static int add_memberships(struct runtime_user *user, const char *file, const char *name)
{
    cl_auto_free char *copy = cl_strdup(file);
    if (copy == NULL)
        return -ENOMEM;
    struct line line;
    int result = 0;
    for (char *at = copy; result >= 0 && next_line(&at, &line);) {
        gid_t gid;
        if (line.count >= 4 && list_names(line.field[3], name) &&
            parse_id(line.field[2], &gid) >= 0)
            result = add_group(user, gid);
    }
    return result;
}

static int fail_lookup(struct cl_error *err, int code, const char *what, const char *name,
                       const char *file)
{
    if (code == -ENOENT)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT,
                            "unable to find %s %s: no matching entries in %s", what, name, file);
    if (code == -ERANGE || code == -EINVAL)
        return cl_fail_kind(err, CL_KIND_INVALID, ERANGE, "%s %s: ids go from 0 to 4294967294",
                            what, name);
    return cl_fail(err, code, "find %s %s", what, name);
}

static int resolve_groups(struct runtime_user *user, char *group_file, const char *group,
                          const char *name, const char *const *extra, struct cl_error *err)
{
    int result = 0;
    if (group != NULL) {
        result = find_group(group_file, group, &user->gid);
        if (result < 0)
            return fail_lookup(err, result, "group", group, "/etc/group");
    } else if (name != NULL) { /* a group that was named stands alone, as with Docker */
        result = add_memberships(user, group_file, name);
    }
    for (; result >= 0 && extra != NULL && *extra != NULL; extra++) {
        gid_t gid;
        result = find_group(group_file, *extra, &gid);
        if (result < 0)
            return fail_lookup(err, result, "group", *extra, "/etc/group");
        result = add_group(user, gid);
    }
    return result < 0 ? cl_fail(err, result, "collect the groups of user %u", user->uid) : 0;
}

int runtime_user_resolve(int root_fd, const char *text, const char *const *extra_groups,
                         struct runtime_user *ret, struct cl_error *err)
{
    struct runtime_user user = { .home = "/" };
    cl_auto_free char *wanted = cl_strdup(text == NULL || text[0] == '\0' ? "0" : text);
    cl_auto_free char *passwd = NULL, *groups = NULL;
    char *name = NULL;
    if (wanted == NULL)
        return cl_fail(err, ENOMEM, "find user %s", text);
    char *group = strchr(wanted, ':');
    if (group != NULL)
        *group++ = '\0';
    if (group != NULL && group[0] == '\0')
        group = NULL;
    int result = read_names(root_fd, "/etc/passwd", &passwd, err);
    if (result >= 0)
        result = read_names(root_fd, "/etc/group", &groups, err);
    if (result < 0)
        return result;
    result = find_user(passwd, wanted[0] == '\0' ? "0" : wanted, &user, &name);
    if (result < 0)
        return fail_lookup(err, result, "user", wanted, "/etc/passwd");
    result = resolve_groups(&user, groups, group, name, extra_groups, err);
    if (result < 0) {
        runtime_user_done(&user);
        return result;
    }
    *ret = user;
    return 0;
}

void runtime_user_done(struct runtime_user *user)
{
    free(user->groups);
    user->groups = NULL;
    user->group_count = 0;
}
