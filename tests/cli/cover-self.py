#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cover-self.py PID LINK: as root of the container whose first process is PID, mount the symbolic link LINK (a path in there) over /proc/self.

What a container with CAP_SYS_ADMIN in its user namespace can do by itself; busybox has no program for it (open_tree(2), move_mount(2))."""

import ctypes
import os
import sys

OPEN_TREE, MOVE_MOUNT, AT_FDCWD = 428, 429, -100
OPEN_TREE_CLONE, AT_SYMLINK_NOFOLLOW, MOVE_MOUNT_F_EMPTY_PATH = 1, 0x100, 4
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
LIBC = ctypes.CDLL(None, use_errno=True)


def checked(name: str, result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return result


def main() -> None:
    container = os.pidfd_open(int(sys.argv[1]))
    checked("setns", LIBC.setns(container, CLONE_NEWUSER))
    os.setgid(0)
    os.setuid(0)
    checked("setns", LIBC.setns(container, CLONE_NEWNS))
    link = os.fsencode(sys.argv[2])
    tree = checked("open_tree", LIBC.syscall(OPEN_TREE, AT_FDCWD, link, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW))
    checked("move_mount", LIBC.syscall(MOVE_MOUNT, tree, b"", AT_FDCWD, b"/proc/self", MOVE_MOUNT_F_EMPTY_PATH))
    print(os.readlink("/proc/self"))


main()
