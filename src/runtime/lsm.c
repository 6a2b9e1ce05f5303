/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security modules that a label or a profile needs. Without the module a label would be a promise
 * that nobody keeps, so it is an error before anything is made. Looked at only when there is one.
 */
#include "runtime/parent.h"

#include <errno.h>
#include <linux/magic.h>
#include <unistd.h>

/* selinux(8): the file system is there when the module is enabled. */
bool lsm_has_selinux(int sys_fd)
{
    long magic = 0;
    cl_auto_fd fd = openat(sys_fd, "fs/selinux", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && k_fs_type(fd, &magic) >= 0 && magic == SELINUX_MAGIC;
}

bool lsm_has_apparmor(int sys_fd)
{
    char text[8];
    return cl_read_small(sys_fd, "module/apparmor/parameters/enabled", text, sizeof text) > 0 &&
           text[0] == 'Y';
}

static bool is_given(const char *label)
{
    return label != NULL && label[0] != '\0';
}

int lsm_check(int sys_fd, const struct oci_process *process, const char *mount_label,
              struct cl_error *err)
{
    bool wants_selinux = is_given(process->selinux_label) || is_given(mount_label);
    if (is_given(process->apparmor_profile) && !lsm_has_apparmor(sys_fd))
        return plan_fail(err, CL_KIND_UNSUPPORTED, "process.apparmorProfile",
                         "AppArmor is not enabled on this host");
    if (wants_selinux && !lsm_has_selinux(sys_fd))
        return plan_fail(err, CL_KIND_UNSUPPORTED,
                         is_given(process->selinux_label) ? "process.selinuxLabel"
                                                          : "linux.mountLabel",
                         "SELinux is not enabled on this host");
    return 0;
}

bool parent_has_labels(const struct oci_process *process, const char *mount_label)
{
    return is_given(process->apparmor_profile) || is_given(process->selinux_label) ||
           is_given(mount_label);
}

int parent_check_labels(const struct oci_process *process, const char *mount_label,
                        struct cl_error *err)
{
    cl_auto_fd sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return lsm_check(sys, process, mount_label, err);
}
