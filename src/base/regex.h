/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX extended regular expressions of strangers and of people. regcomp(3) writes a repeated part out as often as it is repeated, so that a few
 * dozen bytes ("a++++++++…", "((a{99}){99}){99}") can take all memory; what would grow so is refused here before it is tried.
 */
#pragma once

#include <regex.h>

/* Only to be asked whether it matches: REG_EXTENDED | REG_NOSUB; the caller frees it by regfree(). 0, -EINVAL: no extended regular expression, -E2BIG: its
   repetitions come to too much, -ENOMEM. */
int cl_regex_compile(regex_t *ret, const char *pattern);
/* What a message says of an expression after each of these: "is no …". */
const char *cl_regex_error(int result);
