/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: the text people read, the code and kind programs act on, and that no input breaks either. */
#include "base/error.h"

#include "test.h"

TEST(text_is_attempt_and_cause)
{
    struct cl_error err = { 0 };
    CHECK_INT(cl_fail(&err, ENOENT, "open %s", "/x"), -ENOENT);
    CHECK_STR(err.text, "open /x: No such file or directory");
    CHECK_INT(err.code, -ENOENT);
    CHECK_INT(err.kind, CL_KIND_NOT_FOUND);
    CHECK_INT(cl_fail(&err, -EPERM, "mount"), -EPERM);
    CHECK_STR(err.text, "mount: Operation not permitted");
}

TEST(kinds_follow_from_errno)
{
    static const struct {
        int errnum;
        enum cl_kind kind;
    } cases[] = {
        { EPERM, CL_KIND_DENIED },       { EACCES, CL_KIND_DENIED },
        { ENOENT, CL_KIND_NOT_FOUND },   { EEXIST, CL_KIND_CONFLICT },
        { ENOSYS, CL_KIND_UNSUPPORTED }, { EOPNOTSUPP, CL_KIND_UNSUPPORTED },
        { EIO, CL_KIND_SYSTEM },         { ENOMEM, CL_KIND_SYSTEM },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cl_error err = { 0 };
        (void)cl_fail(&err, cases[i].errnum, "x");
        CHECK_INT(err.kind, cases[i].kind);
    }
}

TEST(a_zero_errno_is_still_an_error)
{
    struct cl_error err = { 0 };
    CHECK_INT(cl_fail(&err, 0, "x"), -EIO);
    CHECK_STR(err.text, "x: Input/output error");
    CHECK_INT(cl_fail_kind(&err, CL_KIND_USAGE, 0, "y"), -EIO);
    CHECK_INT(cl_fail(NULL, 0, "x"), -EIO);
    CHECK_INT(cl_fail(NULL, ENOENT, "x"), -ENOENT);
}

TEST(a_given_kind_adds_nothing_to_the_text)
{
    struct cl_error err = { 0 };
    CHECK_INT(cl_fail_kind(&err, CL_KIND_USAGE, EINVAL, "unknown flag: %s", "--x"), -EINVAL);
    CHECK_STR(err.text, "unknown flag: --x");
    CHECK_INT(err.kind, CL_KIND_USAGE);
    CHECK_INT(cl_fail_kind(NULL, CL_KIND_USAGE, EINVAL, "x"), -EINVAL);
}

TEST(context_goes_before_and_hints_behind)
{
    struct cl_error err = { 0 };
    (void)cl_fail(&err, EACCES, "open state");
    CHECK_INT(cl_error_prefix(&err, "start container %s", "web"), -EACCES);
    CHECK_INT(cl_error_hint(&err, "run as %s", "root"), -EACCES);
    CHECK_STR(err.text, "start container web: open state: Permission denied; run as root");
}

TEST(unset_and_missing_errors_stay_so)
{
    struct cl_error err = { 0 };
    CHECK_INT(cl_error_prefix(&err, "x"), -EIO);
    CHECK_INT(cl_error_hint(&err, "x"), -EIO);
    CHECK_STR(err.text, "");
    CHECK_INT(cl_error_prefix(NULL, "x"), -EIO);
    CHECK_INT(cl_error_hint(NULL, "x"), -EIO);
}

TEST(hostile_names_become_one_line_of_utf8)
{
    struct cl_error err = { 0 };
    (void)cl_fail_kind(&err, CL_KIND_INVALID, EINVAL, "name a\nb\033[31m\xff\xc3\xa9");
    CHECK_STR(err.text, "name a b?[31m?\xc3\xa9");
}

TEST(long_texts_keep_their_cause_and_are_cut_between_characters)
{
    struct cl_error err = { 0 };
    char name[1000];
    for (size_t i = 0; i + 2 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa9", 3);
    (void)cl_fail(&err, ENOENT, "x%s", name);
    CHECK_CONTAINS(err.text, "\xc3\xa9: No such file or directory");
    CHECK(strlen(err.text) < sizeof err.text);
    CHECK(strlen(err.text) >= sizeof err.text - 3);
    (void)cl_error_prefix(&err, "%s", name);
    (void)cl_error_hint(&err, "%s", name);
    CHECK(strlen(err.text) < sizeof err.text);
    CHECK(strstr(err.text, "?") == NULL);
}

TEST(exit_codes_are_dockers)
{
    struct cl_error err = { .code = -EACCES, .kind = CL_KIND_NOT_EXECUTABLE };
    CHECK_INT(cl_error_exit_code(&err), 126);
    err.kind = CL_KIND_NO_COMMAND;
    CHECK_INT(cl_error_exit_code(&err), 127);
    err.kind = CL_KIND_NOT_FOUND;
    CHECK_INT(cl_error_exit_code(&err), 125);
    CHECK_INT(cl_error_exit_code(NULL), 125);
}

TEST_MAIN
