/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The procfs that everything in this room is read from.
 */
#pragma once

#include "kernel/procfs.h"

/*
 * The host's /proc, checked to be one, and with nothing mounted over a process in it: who may mount there (a container with a shared mount of the host's
 * /proc) could make any process look like another. Where something is, a procfs of our own that nobody else can reach (it costs twice the time, as
 * nothing of it is in the kernel's caches); where that is not ours to make, an error that names the mount. A descriptor, or -errno with err.
 */
int lens_open_proc(struct cl_error *err);
