/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What belongs to the new namespaces and is no file: the loopback interface, host and domain name,
 * kernel parameters.
 */
#include "runtime/child.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* IN_CONTAINER. A new network namespace has `lo`, down; programs take it for granted that it is up.
   */
int host_loopback_up(struct child *child, struct cl_error *err)
{
    (void)child;
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    cl_auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return cl_fail(err, errno, "bring up the loopback interface");
    return 0;
}

/* IN_CONTAINER */
int host_set_names(struct child *child, struct cl_error *err)
{
    const struct oci_spec *spec = child->plan->spec;
    int result = 0;
    if (spec->hostname != NULL)
        result = k_sethostname(spec->hostname);
    if (result < 0)
        return cl_fail(err, result, "set host name %s", spec->hostname);
    if (spec->domainname != NULL)
        result = k_setdomainname(spec->domainname);
    return result < 0 ? cl_fail(err, result, "set domain name %s", spec->domainname) : 0;
}

/* IN_NEW_MNT. Through a procfs of our own: a file that something is mounted over is refused
   (CVE-2025-52881). */
int host_set_sysctls(struct child *child, struct cl_error *err)
{
    int proc = child_proc(child, err);
    if (proc < 0)
        return proc;
    for (char **item = child->plan->sysctls; *item != NULL; item += 2) {
        int result = procfs_write(proc, item[0], item[1]);
        if (result < 0)
            return cl_fail(err, result, "linux.sysctl: write \"%s\" to /proc/%s", item[1], item[0]);
    }
    return 0;
}
