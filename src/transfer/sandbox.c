/* SPDX-License-Identifier: Apache-2.0 */
/* Locking in. */
#include "transfer/sandbox.h"

#include "kernel/calls.h"
#include "transfer/tar.h"

int sandbox_enter(struct cl_error *err)
{
    tar_warm_up();
    int result = k_no_new_privs();
    return result < 0 ? cl_fail(err, result, "set no_new_privs") : 0;
}
