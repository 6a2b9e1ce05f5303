/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes the process small: user and groups, capabilities, no_new_privs, the system-call
 * filter, the session keyring, LSM labels.
 */
#include "runtime/child.h"
#include "runtime/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* IN_CONTAINER. A session keyring of its own, or the container would hold the keys of whoever
   started it. */
int sec_join_keyring(struct child *child, struct cl_error *err)
{
    const char *name = child->process->keyring;
    int result = k_keyring_join_session(name[0] != '\0' ? name : NULL);
    /* No keyrings in this kernel, or a sandbox around us that forbids them: then there are no keys
       to be seen either. */
    if (result >= 0 || result == -ENOSYS || result == -EPERM)
        return 0;
    return cl_fail(err, result, "join a session keyring of its own");
}

/* IN_CONTAINER. Each write of loginuid opens a new audit session, which all descendants inherit and every record of the kernel names:
   so a denial can be told to be this container's when its process is long gone (audit.rules(7), proc_pid_loginuid(5)). Whoever is said to have logged in
   remains; where nobody has, it is root. */
int sec_open_session(struct child *child, struct cl_error *err)
{
    char text[24];
    int proc = child_proc(child, err);
    if (proc < 0)
        return proc;
    ssize_t length = cl_read_small(proc, "self/loginuid", text, sizeof text);
    bool is_nobody = length > 0 && strncmp(text, "4294967295", 10) == 0;
    int result =
        length < 0 ? (int)length : procfs_write(proc, "self/loginuid", is_nobody ? "0" : text);
    if (result >= 0)
        return 0;
    (void)cl_fail(err, result, "record denials: open an audit session for the container");
    return cl_error_hint(err, "it needs CAP_AUDIT_CONTROL and a kernel with audit; leave out "
                              "--record-denials");
}

/* IN_HOST, in exec: born in the container's pid namespace, so it is that one's processes that it shows; and no more than those, as the last program of ours has it in
   there. An ordinary user gets none yet: then it is the container's /proc, and the trampoline looks twice. */
int sec_open_procfs(struct child *child, struct cl_error *err)
{
    (void)err;
    if (child->proc < 0)
        child->proc = procfs_open_own(true);
    return 0;
}

/* IN_CONTAINER. The label itself is written just before the user's program is executed
   (trampoline.c), as it takes effect at the next exec, whichever that is; here only the procfs that
   it is written through is opened, one that the container could not have prepared (CVE-2019-16884,
   CVE-2025-52881). */
int sec_prepare_label(struct child *child, struct cl_error *err)
{
    int proc = child_proc(child, err);
    return proc < 0 ? proc : 0;
}

int sec_no_new_privs(struct child *child, struct cl_error *err)
{
    (void)child;
    int result = k_no_new_privs();
    return result < 0 ? cl_fail(err, result, "set no_new_privs") : 0;
}

int sec_load_filter(struct child *child, struct cl_error *err)
{
    const struct seccomp_filter *filter = &child->process->filter;
    if (filter->has_notify)
        return notify_load_filter(child, err);
    int result = k_seccomp_filter(filter->code, filter->count, filter->flags);
    return result < 0 ? cl_fail(err, result, "load the seccomp filter") : 0;
}

/* IN_CONTAINER. Also tells the kernel to keep the permitted set over the change of user: what of it
   stays is said by sec_set_capabilities. */
int sec_drop_bounding(struct child *child, struct cl_error *err)
{
    const struct plan_process *process = child->process;
    for (unsigned i = 0; i <= process->last_capability && i < 64; i++) {
        if ((process->bounding & UINT64_C(1) << i) != 0)
            continue;
        int result = k_cap_bounding_drop(i);
        if (result < 0)
            return cl_fail(err, result, "drop %s from the bounding set", oci_cap_name((int)i));
    }
    int result = process->spec->user.uid != 0 ? k_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) : 0;
    return result < 0 ? cl_fail(err, result, "keep capabilities over the change of user") : 0;
}

/* A user namespace whose maps an ordinary user wrote has given setgroups(2) up for good. */
static bool has_given_up_groups(struct child *child)
{
    char text[16];
    int proc = child_proc(child, NULL);
    return proc >= 0 && cl_read_small(proc, "self/setgroups", text, sizeof text) > 0 &&
           cl_starts_with(text, "deny");
}

static int set_groups(struct child *child, struct cl_error *err)
{
    const struct oci_user *user = &child->process->spec->user;
    int result = k_setgroups(user->additional_gid_count, user->additional_gids);
    if (result >= 0)
        return 0;
    bool is_given_up = result == -EPERM && has_given_up_groups(child);
    if (is_given_up && user->additional_gid_count == 0)
        return 0; /* the groups of the user stay, and mean nothing in there */
    (void)cl_fail(err, result, "process.user.additionalGids: set the groups");
    return is_given_up ? cl_error_hint(err, "where only the own id is mapped, a process has no "
                                            "others; map more (newgidmap)")
                       : result;
}

bool sec_filters_early(const struct plan_process *process)
{
    return process->filter.code != NULL && !process->spec->no_new_privileges;
}

/* With the change of user the effective set went; what was kept is needed once more, for the filter. */
static int raise_for_filter(const struct plan_process *process)
{
    uint64_t effective, permitted, inheritable;
    if (!sec_filters_early(process) || process->spec->user.uid == 0)
        return 0;
    int result = k_capget(0, &effective, &permitted, &inheritable);
    return result < 0 ? result : k_capset(permitted, permitted, inheritable);
}

/* IN_CONTAINER → AS_USER. Groups always, even for root: the caller's supplementary groups are the
   host's business, unless the caller wants them kept (annotation run.oci.keep_original_groups). */
int sec_become_user(struct child *child, struct cl_error *err)
{
    const struct oci_user *user = &child->process->spec->user;
    int result = child->process->keeps_groups ? 0 : set_groups(child, err);
    if (result < 0)
        return result;
    result = k_setresgid(user->gid);
    if (result < 0)
        return cl_fail(err, result, "process.user.gid: become group %u", user->gid);
    result = k_setresuid(user->uid);
    if (result < 0)
        return cl_fail(err, result, "process.user.uid: become user %u", user->uid);
    result = raise_for_filter(child->process);
    return result < 0 ? cl_fail(err, result, "keep the capabilities for the seccomp filter") : 0;
}

/* AS_USER. The sets exactly as planned, the inheritable one included (CVE-2022-29162: nothing is
   added to it). */
int sec_set_capabilities(struct child *child, struct cl_error *err)
{
    const struct plan_process *process = child->process;
    int result = k_capset(process->effective, process->permitted, process->inheritable);
    if (result < 0)
        return cl_fail(err, result, "process.capabilities: set them");
    result = k_cap_ambient_clear();
    for (unsigned i = 0; result >= 0 && i < 64; i++)
        if ((process->ambient & UINT64_C(1) << i) != 0)
            result = k_cap_ambient_raise(i);
    return result < 0 ? cl_fail(err, result, "process.capabilities.ambient: set them") : 0;
}
