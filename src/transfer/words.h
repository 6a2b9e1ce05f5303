/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of a Dockerfile instruction: splitting at white space outside of quotes, then quotes, backslashes and variables. Variables: $NAME, ${NAME},
 * ${NAME:-word}, ${NAME:+word}, not within single quotes; unknown ones are empty.
 */
#pragma once

#include "base/base.h"

/* The raw words, quotes and all. 0 or -ENOMEM. */
int words_split(const char *text, char ***ret);
/* One raw word as it is meant. `environment`: KEY=VALUE strings. 0, -EINVAL (quote or brace without end; *ret_why says which) or -ENOMEM. */
int words_expand(const char *raw, const char *const *environment, char **ret, const char **ret_why);
