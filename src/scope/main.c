/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche-scope: its command line (scope.h).
 */
#include "scope/private.h"

static int usage(struct cl_error *err)
{
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                        "usage: cloche-scope [--user] start|set|stop UNIT, or where");
}

static int run(struct manager *manager, const char *verb, const char *unit, struct cl_error *err)
{
    struct properties properties = { 0 };
    cl_auto_free char *path = NULL;
    int result;
    if (cl_streq(verb, "where")) {
        result = manager_where(manager, &path, err);
        if (result >= 0)
            (void)puts(path);
        return result;
    }
    if (cl_streq(verb, "stop"))
        return manager_stop(manager, unit, err);
    result = properties_read(STDIN_FILENO, &properties, err);
    if (result >= 0)
        result = (cl_streq(verb, "start") ? manager_start : manager_set)(manager, unit, &properties,
                                                                         err);
    properties_done(&properties);
    return result;
}

int scope_main(int argc, char **argv)
{
    static const char *const verbs[] = { "start", "set", "stop", NULL };
    struct cl_error err = { 0 };
    struct manager manager = { 0 };
    bool is_user = argc > 1 && cl_streq(argv[1], "--user");
    char **words = argv + 1 + is_user;
    int count = argc - 1 - is_user;
    bool is_where = count == 1 && cl_streq(words[0], "where");
    int result = is_where || (count == 2 && cl_strv_has(verbs, words[0])) ? 0 : usage(&err);
    if (result >= 0)
        result = manager_open(is_user, &manager, &err);
    if (result >= 0) {
        result = run(&manager, words[0], words[1], &err);
        manager_done(&manager);
    }
    if (result >= 0)
        return 0;
    (void)fprintf(stderr, "%s\n", err.text);
    return 1;
}
