/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the plan needs to know of this machine. Runs at every start, so only what is cheap and
 * always needed: about 25 system calls, most of them the cgroup layout's.
 */
#include "runtime/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t bounding_set(unsigned last)
{
    uint64_t set = 0;
    for (unsigned i = 0; i <= last && i < 64; i++)
        if (k_prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
            set |= UINT64_C(1) << i;
    return set;
}

/* Root's permitted set is what can be passed on; it is within the bounding set except after odd
   histories. */
static uint64_t grantable(unsigned last)
{
    uint64_t effective, permitted, inheritable;
    uint64_t bounding = bounding_set(last);
    return k_capget(0, &effective, &permitted, &inheritable) < 0 ? bounding : bounding & permitted;
}

/* Directories that tell how often each CPU was too hot; all CPUs have them or none. */
static unsigned count_thermal_cpus(void)
{
    if (faccessat(AT_FDCWD, "/sys/devices/system/cpu/cpu0/thermal_throttle", F_OK, 0) < 0)
        return 0;
    long count = sysconf(_SC_NPROCESSORS_CONF);
    return count > 0 ? (unsigned)count : 0;
}

int runtime_facts_init(struct runtime_facts *facts, struct cl_error *err)
{
    struct runtime_facts found = { 0 };
    found.proc_fd = procfs_open_host(err);
    if (found.proc_fd < 0)
        return found.proc_fd;
    int result = cgroup_host_init(&found.cgroups, found.proc_fd, err);
    if (result < 0) {
        (void)cl_close(found.proc_fd);
        return result;
    }
    found.last_capability = k_cap_last();
    found.bounding = grantable(found.last_capability);
    found.has_time_ns = faccessat(found.proc_fd, "self/ns/time", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    found.has_cgroup_ns =
        faccessat(found.proc_fd, "self/ns/cgroup", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    found.has_user_ns = faccessat(found.proc_fd, "self/ns/user", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    found.has_mount_setattr = found.has_fsmount = found.has_lowerdir_append = true;
    found.thermal_cpus = count_thermal_cpus();
    found.euid = geteuid();
    found.is_root = found.euid == 0;
    *facts = found;
    return 0;
}

/* The first user namespace maps every id to itself. One that somebody made to do the same is as good
   as it for whoever asks. */
bool runtime_in_user_ns(const struct runtime_facts *facts)
{
    char text[128];
    const char *at = text;
    uint64_t inside, outside, size;
    if (cl_read_small(facts->proc_fd, "self/uid_map", text, sizeof text) <= 0 ||
        !plan_next_number(&at, &inside) || !plan_next_number(&at, &outside) ||
        !plan_next_number(&at, &size))
        return false;
    return inside != 0 || outside != 0 || size != UINT32_MAX;
}

void runtime_facts_see_user_ns(struct runtime_facts *facts, const struct oci_spec *spec)
{
    const struct oci_namespace *ns = oci_namespace_find(spec, OCI_NS_USER);
    struct stat theirs, own;
    facts->is_user_ns_own = ns != NULL && ns->path != NULL &&
                            fstatat(AT_FDCWD, ns->path, &theirs, 0) == 0 &&
                            fstatat(facts->proc_fd, "self/ns/user", &own, 0) == 0 &&
                            theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino;
}

void runtime_facts_done(struct runtime_facts *facts)
{
    cgroup_host_done(&facts->cgroups);
    facts->proc_fd = cl_close(facts->proc_fd);
}
