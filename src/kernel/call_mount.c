/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about files and mounts: openat2, the descriptor-based mount API (5.2, mount_setattr 5.12),
 * the older mount, umount2 and pivot_root. Mounts are made detached and attached last, so that a
 * half-made one is never seen.
 */
#include <errno.h>
#include <fcntl.h>

#include "kernel/calls.h"
#include "kernel/hook.h"

int k_openat2(int dirfd, const char *path, const struct open_how *how)
{
    struct open_how copy = *how;
    copy.flags |= O_CLOEXEC;
    return (int)K_CALL("openat2", SYS_openat2, dirfd, (long)path, (long)&copy, sizeof copy);
}

int k_open_tree(int dirfd, const char *path, unsigned flags)
{
    if (path[0] == '\0')
        flags |= AT_EMPTY_PATH;
    return (int)K_CALL("open_tree", SYS_open_tree, dirfd, (long)path, flags | OPEN_TREE_CLOEXEC);
}

int k_move_mount(int from_fd, int to_dirfd, const char *to_path, unsigned flags)
{
    flags |= MOVE_MOUNT_F_EMPTY_PATH;
    if (to_path[0] == '\0')
        flags |= MOVE_MOUNT_T_EMPTY_PATH;
    return (int)K_CALL("move_mount", SYS_move_mount, from_fd, (long)"", to_dirfd, (long)to_path,
                       flags);
}

int k_fsopen(const char *type)
{
    return (int)K_CALL("fsopen", SYS_fsopen, (long)type, FSOPEN_CLOEXEC);
}

int k_fsconfig_string(int fs_fd, const char *key, const char *value)
{
    return (int)K_CALL("fsconfig", SYS_fsconfig, fs_fd, FSCONFIG_SET_STRING, (long)key, (long)value,
                       0);
}

int k_fsconfig_flag(int fs_fd, const char *key)
{
    return (int)K_CALL("fsconfig", SYS_fsconfig, fs_fd, FSCONFIG_SET_FLAG, (long)key, 0, 0);
}

int k_fsconfig_fd(int fs_fd, const char *key, int fd)
{
    return (int)K_CALL("fsconfig", SYS_fsconfig, fs_fd, FSCONFIG_SET_FD, (long)key, 0, fd);
}

int k_fsconfig_create(int fs_fd)
{
    return (int)K_CALL("fsconfig", SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, 0, 0, 0);
}

int k_fsconfig_reconfigure(int fs_fd)
{
    return (int)K_CALL("fsconfig", SYS_fsconfig, fs_fd, FSCONFIG_CMD_RECONFIGURE, 0, 0, 0);
}

int k_fsmount(int fs_fd, unsigned mount_attributes)
{
    return (int)K_CALL("fsmount", SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, mount_attributes);
}

int k_fspick(int dirfd, const char *path, unsigned flags)
{
    if (path[0] == '\0')
        flags |= FSPICK_EMPTY_PATH;
    return (int)K_CALL("fspick", SYS_fspick, dirfd, (long)path, flags | FSPICK_CLOEXEC);
}

int k_mount_setattr(int fd, const struct k_mount_change *change)
{
    /* struct mount_attr, MOUNT_ATTR_SIZE_VER0; spelled out because libcs before glibc 2.36 lack
       it. */
    const struct {
        uint64_t set, clear, propagation, userns_fd;
    } raw = { change->set, change->clear, change->propagation,
              change->userns_fd >= 0 ? (uint64_t)change->userns_fd : 0 };
    _Static_assert(sizeof raw == 32, "MOUNT_ATTR_SIZE_VER0");
    unsigned flags = AT_EMPTY_PATH | (change->recursive ? AT_RECURSIVE : 0);
    return (int)K_CALL("mount_setattr", SYS_mount_setattr, fd, (long)"", flags, (long)&raw,
                       sizeof raw);
}

int k_mount(const char *source, const char *target, const char *type, unsigned long flags,
            const char *data)
{
    return (int)K_CALL("mount", SYS_mount, (long)source, (long)target, (long)type, (long)flags,
                       (long)data);
}

int k_umount(const char *target, int flags)
{
    return (int)K_CALL("umount2", SYS_umount2, (long)target, flags);
}

#ifndef SYS_statmount
#define SYS_statmount 457
#endif
#define STATMOUNT_BASIC 0x2 /* STATMOUNT_MNT_BASIC */

int k_mount_is_there(uint64_t unique_id)
{
    char answer[512];
    const struct {
        uint32_t size, spare;
        uint64_t id, mask;
    } request = { .size = sizeof request, .id = unique_id, .mask = STATMOUNT_BASIC };
    int result =
        (int)K_CALL("statmount", SYS_statmount, (long)&request, (long)answer, sizeof answer, 0);
    return result == -ENOENT ? 0 : result < 0 ? result : 1;
}

int k_pivot_root(const char *new_root, const char *put_old)
{
    return (int)K_CALL("pivot_root", SYS_pivot_root, (long)new_root, (long)put_old);
}

static void copy_message(char *text, size_t size, const char *line, size_t length)
{
    size_t used = length < size - 1 ? length : size - 1;
    for (size_t i = 0; i < used; i++) /* mount options of a spec may be quoted in it */
        text[i] = (unsigned char)line[i] < ' ' || line[i] == 0x7f ? '?' : line[i];
    text[used] = '\0';
}

void k_fs_message(int fs_fd, char *text, size_t size)
{
    if (size == 0)
        return;
    text[0] = '\0';
    bool found = false;
    /* One message a read ("e text\n", w and i likewise) until ENODATA; bounded, the kernel keeps
       8. */
    for (int i = 0; i < 16; i++) {
        char line[1024];
        long length = K_CALL("read", SYS_read, fs_fd, (long)line, sizeof line);
        if (length == -EMSGSIZE || length == -EINTR)
            continue;
        if (length <= 0)
            return;
        while (length > 0 && line[length - 1] == '\n')
            length--;
        if (found || length < 2 || line[0] != 'e')
            continue;
        copy_message(text, size, line + 2, (size_t)length - 2);
        found = true;
    }
}
