/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way to a path inside a rootfs.
 *
 * A rootfs belongs to whoever made the image: any component may be a symbolic link to /, to
 * /proc/self/root, or may be swapped for one while we look. Therefore a path inside it is never
 * joined to a host path. These functions take a descriptor of the root and resolve every component
 * below it with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS) (kernel 5.6); where openat2 is
 * absent or forbidden they walk by hand, component by component, with O_PATH|O_NOFOLLOW and fstat,
 * never trusting a name twice. "/" and ".." mean the root's. This answers CVE-2019-19921,
 * CVE-2021-30465, CVE-2023-27561, CVE-2024-45310, CVE-2025-52881, CVE-2026-41579 and their kin.
 *
 * openat2 answers -EAGAIN when somebody renames around a "..": it is retried some times, then the
 * walk by hand decides. By hand, a path may be 200 directories deep. Modes are subject to the
 * umask, as in mkdir(2). "" is -ENOENT; "a/" has to be a directory.
 *
 * Paths may be absolute or relative (both are below the root), at most PATH_MAX. Thread-safe;
 * async-signal-safe but for `err` formatting (snprintf).
 */
#pragma once

#include "kernel/calls.h"

enum inroot_flags {
    INROOT_FOLLOW = 0,
    INROOT_NO_SYMLINKS = 1, /* any symbolic link on the way is -ELOOP */
    INROOT_NO_XDEV = 2,     /* crossing a mount is -EXDEV */
};

/* open below root_fd; open_flags as open(2) (O_CLOEXEC is added), mode for O_CREAT. Returns the
   fd or -errno with err. */
int inroot_open(int root_fd, const char *path, int open_flags, mode_t mode, enum inroot_flags flags,
                struct cl_error *err);

/* Open as directory (readable, not O_PATH), making what is missing with `mode` (owner: uid/gid
   of the caller). New components are made through the descriptor of their parent and opened
   O_NOFOLLOW, so a swapped link can't lead a mkdir outside. A dangling link on the way (/var/run
   -> /run without a /run) has its target made, below the root. */
int inroot_mkdir_p(int root_fd, const char *path, mode_t mode, struct cl_error *err);

/* Make an empty regular file (and its parents, 0755) if nothing is there: the target of a file
   bind. Returns an O_PATH fd of what is there, which may be anything but a link (a dangling link
   has its target made). */
int inroot_make_file(int root_fd, const char *path, mode_t mode, struct cl_error *err);

/* Open (O_PATH) the parent directory of path (made 0755 if missing when make_parents) and hand
   back the last component (in `name`, at most NAME_MAX+1 bytes; "." for the root itself). ".."
   as last component is -EINVAL. */
int inroot_parent(int root_fd, const char *path, bool make_parents, char name[static 256],
                  struct cl_error *err);

/* mknodat/symlinkat through a resolved parent, which is made if missing (0755). Existing file:
   -EEXIST. */
int inroot_mknod(int root_fd, const char *path, mode_t mode, dev_t device, struct cl_error *err);
int inroot_symlink(int root_fd, const char *target, const char *path, struct cl_error *err);

/* Read a regular file of the rootfs (its /etc/passwd …): O_NONBLOCK, must be a regular file, at
   most max bytes (CVE-2024-9676: a FIFO there must not hang us). */
int inroot_read_file(int root_fd, const char *path, size_t max, char **ret_text, size_t *ret_size,
                     struct cl_error *err);
