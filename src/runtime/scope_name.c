/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.cgroupsPath as systemd's drivers read it, "slice:prefix:name" → the unit and where its
 * control group will be. Pure.
 *
 * A slice's name says where it is: "a-b.slice" is a.slice/a-b.slice, "-.slice" the root
 * (systemd.slice(5)).
 */
#include "runtime/plan.h"

static int refuse(struct cl_error *err, const char *text, const char *why)
{
    return plan_fail(err, CL_KIND_INVALID, "linux.cgroupsPath", "\"%.100s\": %s", text, why);
}

static bool is_unit_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
    return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

/* "a-b.slice" → "a.slice/a-b.slice" */
static int expand_slice(const char *slice, char *path, size_t size)
{
    size_t length = strlen(slice), used = 0;
    if (!cl_ends_with(slice, ".slice") || !is_unit_name(slice))
        return -EINVAL;
    length -= strlen(".slice");
    path[0] = '\0';
    if (length == 1 && slice[0] == '-')
        return 0;
    if (length == 0 || slice[0] == '-' || slice[length - 1] == '-')
        return -EINVAL;
    for (size_t i = 1; i <= length; i++) {
        if (i < length && slice[i] != '-')
            continue;
        if (i < length && slice[i - 1] == '-')
            return -EINVAL;
        if (cl_print(path + used, size - used, "%.*s.slice/", (int)i, slice) < 0)
            return -ENAMETOOLONG;
        used += strlen(path + used);
    }
    return 0;
}

static int name_unit(const char *prefix, const char *name, const char *text,
                     struct runtime_scope *ret, struct cl_error *err)
{
    if (cl_ends_with(name, ".slice"))
        return refuse(err, text,
                      "a container's processes can't be in a slice itself: its last "
                      "part has to be the name of a scope");
    int result = prefix[0] != '\0' ? CL_PRINT(ret->unit, "%s-%s.scope", prefix, name)
                                   : CL_PRINT(ret->unit, "%s.scope", name);
    if (result < 0 || !is_unit_name(ret->unit) || name[0] == '\0')
        return refuse(err, text, "makes no name of a systemd unit");
    return 0;
}

int runtime_scope_parse(const char *text, const char *id, bool is_user, struct runtime_scope *ret,
                        struct cl_error *err)
{
    char copy[512], path[256];
    struct runtime_scope scope = { .is_user = is_user };
    const char *given = text == NULL || text[0] == '\0' ? "::" : text;
    if (CL_PRINT(copy, "%s", given) < 0)
        return refuse(err, text, "is too long");
    char *prefix = strchr(copy, ':'), *name = prefix == NULL ? NULL : strchr(prefix + 1, ':');
    if (name == NULL || strchr(name + 1, ':') != NULL)
        return refuse(err, given, "with systemd it has the form slice:prefix:name");
    *prefix++ = *name++ = '\0';
    bool is_default = text == NULL || text[0] == '\0';
    const char *slice = copy[0] != '\0' ? copy : is_user ? "user.slice" : "system.slice";
    int result =
        name_unit(is_default ? "cloche" : prefix, is_default ? id : name, given, &scope, err);
    if (result < 0)
        return result;
    if (CL_PRINT(scope.slice, "%s", slice) < 0 || expand_slice(slice, path, sizeof path) < 0)
        return refuse(err, given,
                      "its first part has to be the name of a slice, such as "
                      "machine-web.slice");
    if (CL_PRINT(scope.path, "%s%s", path, scope.unit) < 0)
        return refuse(err, given, "is too deep: its control group's path is longer than 255 bytes");
    *ret = scope;
    return 0;
}
