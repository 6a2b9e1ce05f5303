/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clang's analyzer can't see from one file, told to it by `./dev lint tidy` (-include); never part of a build. A failure returns a negative
 * number, in which case outputs are not written: without this it follows paths on which cl_fail returned 0, and finds outputs that were never set.
 */
#pragma once

#include "base/error.h"

#define cl_fail(...)         (cl_fail(__VA_ARGS__), -1)
#define cl_fail_kind(...)    (cl_fail_kind(__VA_ARGS__), -1)
#define cl_error_prefix(...) (cl_error_prefix(__VA_ARGS__), -1)
#define cl_error_hint(...)   (cl_error_hint(__VA_ARGS__), -1)
