/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate of hook.h: reads its two variables once before main (no lock and no lazy state on the
 * path of the calls), then answers which call is to fail. It allocates nothing: the child of a
 * clone3 goes through here.
 */
#include "kernel/hook.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "kernel/calls.h"

bool k_hook_is_on;
static char hook_no[256]; /* ",openat2,clone3," */
static uint64_t hook_fail_at;
static int hook_fail_errno;
static atomic_uint_fast64_t hook_count;
static const char *hook_missing; /* the latest call that answered -ENOSYS */

static const struct {
    char name[12];
    int number;
} hook_errors[] = {
    { "EPERM", EPERM },   { "ENOENT", ENOENT }, { "ESRCH", ESRCH },   { "EINTR", EINTR },
    { "EIO", EIO },       { "EAGAIN", EAGAIN }, { "ENOMEM", ENOMEM }, { "EACCES", EACCES },
    { "EBUSY", EBUSY },   { "EEXIST", EEXIST }, { "EINVAL", EINVAL }, { "EMFILE", EMFILE },
    { "ENOSPC", ENOSPC }, { "EROFS", EROFS },   { "ENOSYS", ENOSYS }, { "EOPNOTSUPP", EOPNOTSUPP },
};

static int hook_errno_by_name(const char *name)
{
    for (size_t i = 0; i < CL_COUNT(hook_errors); i++)
        if (strcmp(hook_errors[i].name, name) == 0)
            return hook_errors[i].number;
    uint64_t number = 0;
    return cl_parse_u64(name, 1, 4095, &number) < 0 ? EIO : (int)number;
}

void k_hook_set(const char *no, const char *fail_call)
{
    hook_no[0] = '\0';
    hook_fail_at = 0;
    atomic_store(&hook_count, 0);
    if (no != NULL && no[0] != '\0')
        (void)CL_PRINT(hook_no, ",%s,",
                       no); /* too long a list is cut: a test then sees the call work */
    if (fail_call != NULL) {
        char number[24] = "";
        const char *colon = strchr(fail_call, ':');
        size_t length = colon != NULL ? (size_t)(colon - fail_call) : strlen(fail_call);
        if (length < sizeof number)
            memcpy(number, fail_call, length);
        (void)cl_parse_u64(number, 1, UINT64_MAX, &hook_fail_at);
        hook_fail_errno = colon != NULL ? hook_errno_by_name(colon + 1) : EIO;
    }
    k_hook_is_on = hook_no[0] != '\0' || hook_fail_at != 0;
}

__attribute__((constructor)) static void hook_read_environment(void)
{
    const char *no = cl_env_own("CLOCHE_TEST_NO"), *fail_call = cl_env_own("CLOCHE_TEST_FAIL_CALL");
    if (no != NULL || fail_call != NULL)
        k_hook_set(no, fail_call);
}

int k_hook_slow(const char *name)
{
    size_t length = strlen(name);
    for (const char *at = hook_no; (at = strstr(at, name)) != NULL; at++)
        if (at[-1] == ',' && at[length] == ',')
            return -ENOSYS;
    if (hook_fail_at != 0 && atomic_fetch_add(&hook_count, 1) + 1 == hook_fail_at)
        return -hook_fail_errno;
    return 0;
}

long k_call(const char *name, long number, const long arguments[static 6])
{
    int refused = k_hook(name);
    if (refused == -ENOSYS)
        hook_missing = name;
    if (refused < 0)
        return refused;
    int saved = errno;
    long answer = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4], arguments[5]);
    if (answer < 0)
        answer = -errno;
    errno = saved;
    if (answer == -ENOSYS)
        hook_missing = name;
    return answer;
}

int k_explain_missing(struct cl_error *err)
{
    if (err == NULL || err->code != -ENOSYS || hook_missing == NULL)
        return err == NULL ? -ENOSYS : err->code;
    return cl_error_hint(
        err, "%s(2) is missing: the kernel is too old, or a filter around us forbids the call",
        hook_missing);
}
