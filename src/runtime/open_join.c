/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The namespaces that a container joins instead of having new ones, opened by who makes it: each is what linux.namespaces says it is, and a parameter of the
 * kernel that is to be written in it does not turn out to be the host's, as the path may lead to the namespace that we are in ourselves.
 */
#include "runtime/parent.h"

#include <errno.h>
#include <fcntl.h>

static int open_one(const struct plan_join *join, struct cl_error *err)
{
    const char *name = k_ns_table[join->type].oci_name;
    cl_auto_fd fd = k_openat(AT_FDCWD, join->path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0)
        return cl_fail(err, fd, "linux.namespaces[%zu].path: open %s", join->index, join->path);
    if (k_ns_fd_type(fd) != (int)join->type)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "linux.namespaces[%zu].path: %s is no %s namespace", join->index,
                            join->path, name);
    return cl_take_fd(&fd);
}

/* A user namespace that is our own is none to be joined (plan_user_ns.c), and its parameters are ours, then. */
static int check_sysctl(const struct runtime_plan *plan, const struct plan_join *join, int fd,
                        struct cl_error *err)
{
    uint64_t own = 0, theirs = 0;
    dev_t device;
    const struct oci_namespace *ns = &plan->spec->linux_.namespaces[join->index];
    const char *key = oci_sysctl_of(plan->spec, ns->type);
    if (key == NULL)
        return 0;
    cl_auto_fd self = k_openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY, 0);
    int result = self < 0 ? self : k_ns_inode(self, join->type, &own);
    if (result >= 0)
        result = k_ns_fd_inode(fd, &theirs, &device);
    if (result < 0)
        return cl_fail(err, result, "linux.namespaces[%zu].path: look at %s", join->index,
                       join->path);
    return own != theirs ? 0
                         : cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                                        "linux.sysctl[\"%.80s\"]: the %s namespace that is joined "
                                        "is the host's: it would change the host",
                                        key, k_ns_table[join->type].oci_name);
}

int parent_open_joins(const struct runtime_plan *plan, int *fds, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < plan->join_count; i++) {
        result = fds[i] = open_one(&plan->joins[i], err);
        if (result >= 0)
            result = check_sysctl(plan, &plan->joins[i], fds[i], err);
    }
    return result < 0 ? result : 0;
}
