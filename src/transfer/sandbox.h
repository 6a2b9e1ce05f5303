/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How cloche-transfer locks itself in before it reads the first byte from outside.
 *
 * What is left afterwards to whoever takes over the process through a bug in a decompressor or in the tar reader:
 *
 *   files          below the layers directory, below the blobs directory, and the input. The two directories are swapped for detached
 *                  mounts of just themselves, so that ".." ends there; the root is an empty read-only tmpfs. Where mounts can't be made, Landlock says the same.
 *   programs       none: no execve, no executable memory, no new processes or threads
 *   network, IPC   none: namespaces of its own, and no call that makes a socket
 *   privileges     CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD, SETFCAP: what unpacking as root takes. And SYS_ADMIN, because the kernel lets nobody
 *                  else set trusted.overlay.opaque; every other thing that SYS_ADMIN allows is a system call that the filter does not know
 *   resources      no core dumps, 1 GiB of memory, 1 TiB a file, 256 descriptors
 *
 * Each layer is applied where it can be: an unprivileged process can't make mounts, an old kernel has no Landlock. What is missing is told by
 * CLOCHE_DEBUG=transfer only. no_new_privs and the filter are never missing: without them it is an error.
 */
#pragma once

#include "base/base.h"

/*
 * Closes every descriptor from `first_free` on; replaces those of `directories` by descriptors of the same directories (O_PATH). After it, only calls of
 * sandbox_calls.c's list work; the process must have one thread.
 */
int sandbox_enter(const int *directories, size_t count, int first_free, struct cl_error *err);

/* Inside of the room: the filter (sandbox_calls.c), and Landlock (sandbox_files.c: 0, or -errno where there is none). */
int sandbox_filter(struct cl_error *err);
int sandbox_restrict_files(const int *directories, size_t count);
