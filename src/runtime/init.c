/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container's first process does between clone3 and execve, as a table. The order is the
 * security argument; each row says where it runs, and its comment why there. The functions are in
 * the files named after their prefix.
 */
#include "runtime/child.h"
#include "runtime/parent.h"

static bool groups_follow(const struct child *child)
{
    return parent_groups_follow(child->plan);
}
static bool has_scope(const struct child *child)
{
    return child->plan->options->scope != NULL;
}
static bool has_delegate(const struct child *child)
{
    return child->plan->delegate != NULL;
}
static bool has_cgroup(const struct child *child)
{
    return child->cgroup != NULL || child->plan->new_cgroup_ns || groups_follow(child);
}
static bool has_joins(const struct child *child)
{
    return child->plan->join_count > 0 && !child->has_joined;
}
static bool has_user_ns(const struct child *child)
{
    return child->process->has_user_ns;
}
static bool has_clocks_of_its_own(const struct child *child)
{
    return child->process->has_user_ns && child->plan->time_offsets[0] != '\0';
}
static bool opens_itself(const struct child *child)
{
    return child->opens_itself;
}
static bool has_create_hooks(const struct child *child)
{
    return hooks_at_create(child->plan->spec);
}
static bool has_create_container(const struct child *child)
{
    return child->plan->spec->hooks.create_container.count > 0;
}
static bool has_start_container(const struct child *child)
{
    return child->plan->spec->hooks.start_container.count > 0;
}
static bool has_sysctls(const struct child *child)
{
    return child->plan->sysctls != NULL;
}
static bool has_masks(const struct child *child)
{
    return child->plan->masked != NULL;
}
static bool has_readonly_paths(const struct child *child)
{
    return child->plan->spec->linux_.readonly_paths != NULL;
}
/* Elsewhere CAP_SYS_ADMIN is the host's, or the mounts are somebody else's. */
static bool locks_mounts(const struct child *child)
{
    return child->process->has_user_ns && !child->plan->joins_mount_ns &&
           (child->plan->clone_flags & CLONE_NEWNS) != 0;
}
static bool has_propagation(const struct child *child)
{
    return child->plan->root_propagation != 0;
}
static bool has_new_net_ns(const struct child *child)
{
    return child->plan->new_net_ns;
}
static bool has_names(const struct child *child)
{
    return child->plan->spec->hostname != NULL || child->plan->spec->domainname != NULL;
}
static bool has_terminal(const struct child *child)
{
    return child->io->terminal;
}
static bool wants_keyring(const struct child *child)
{
    return child->process->new_keyring;
}
static bool wants_records(const struct child *child)
{
    return child->plan->options->record_denials;
}
static bool has_label(const struct child *child)
{
    return child->process->spec->apparmor_profile != NULL ||
           child->process->spec->selinux_label != NULL;
}
static bool has_memory_policy(const struct child *child)
{
    return child->process->memory_policy != NULL;
}
static bool has_affinity(const struct child *child)
{
    const char *cpus = child->process->spec->exec_cpu_affinity.final;
    return cpus != NULL && cpus[0] != '\0';
}
static bool has_rdt(const struct child *child)
{
    return child->process->rdt != NULL;
}
static bool has_oom_score(const struct child *child)
{
    return child->process->spec->oom_score_adj.set;
}
static bool has_early_filter(const struct child *child)
{
    return sec_filters_early(child->process);
}
static bool has_no_early_filter(const struct child *child)
{
    return !sec_filters_early(child->process);
}
static bool has_late_filter(const struct child *child)
{
    return child->process->filter.code != NULL && child->process->spec->no_new_privileges;
}
static bool has_no_new_privs(const struct child *child)
{
    return child->process->spec->no_new_privileges;
}

static bool has_no_home(const struct child *child)
{
    return cl_env_get((const char *const *)child->process->spec->env, "HOME") == NULL;
}

static bool is_started_later(const struct child *child)
{
    return child->plan->options->start_listener > 0 || child->plan->options->is_started_later;
}

const struct child_step init_steps[] = {
    /* Signals as a fresh process has them; not dumpable, so that nobody in a pid namespace that we
       share can ptrace us. */
    { "begin", IN_HOST, child_begin, NULL },
    /* The parent makes the groups meanwhile. */
    { "make own namespaces", IN_HOST, join_own_namespaces, groups_follow },
    { "wait for the parent", IN_HOST, child_wait_go, NULL },
    /* By descriptors of the host's hierarchies, so before they are out of reach; the cgroup
       namespace's root is wherever we are when it is made. */
    { "find the scope's group", IN_HOST, join_scope, has_scope },
    { "find control group", IN_HOST, join_find_group, groups_follow },
    { "join cgroup", IN_HOST, join_cgroup, has_cgroup },
    { "join delegated cgroup", IN_HOST, join_delegate, has_delegate },
    { "join resctrl group", IN_HOST, rdt_join, has_rdt },
    { "join namespaces", IN_HOST, join_namespaces, has_joins },
    { "make time namespace", IN_HOST, join_own_time, has_clocks_of_its_own },
    /* Nothing that we mount may show up on the host. */
    { "make mounts private", IN_HOST, mnt_make_private, NULL },
    /* Still as the user who started us, to whom the files belong. */
    { "open root file system", IN_NEW_MNT, mnt_open_sources, opens_itself },
    /* After the last thing that takes an id of the host; before the first file is made, which has
       to be somebody's. */
    { "become root of the user namespace", IN_NEW_MNT, join_as_root, has_user_ns },
    { "attach root file system", IN_NEW_MNT, mnt_attach_root, NULL },
    /* Before the pivot: the targets are resolved below a descriptor, so nothing is gained by going
       in first, and a failure can still name host paths. */
    { "apply mounts", IN_NEW_MNT, mnt_apply_plan, NULL },
    { "make devices", IN_NEW_MNT, dev_make, NULL },
    { "open terminal", IN_NEW_MNT, dev_open_terminal, has_terminal },
    { "make working directory", IN_NEW_MNT, program_make_cwd, NULL },
    /* Everything that a hook may change is there, the way back to the host is, too. */
    { "call the parent's hooks", IN_NEW_MNT, hooks_call_parent, has_create_hooks },
    { "run createContainer hooks", IN_NEW_MNT, hooks_create_container, has_create_container },
    /* Before /proc/sys becomes read-only. */
    { "set sysctls", IN_NEW_MNT, host_set_sysctls, has_sysctls },
    { "prepare the locks", IN_NEW_MNT, mnt_prepare_lock, locks_mounts },
    /* After everything that still makes a mount point or a device in it, and before a read-only path
       becomes a clone of what has one below it. */
    { "make file systems read-only", IN_NEW_MNT, mnt_make_readonly, NULL },
    /* Over the host's /proc, which no hook needs any more. */
    { "prepare masks", IN_NEW_MNT, mask_prepare, has_masks },
    { "mask paths", IN_NEW_MNT, mask_hide_paths, has_masks },
    { "make paths read-only", IN_NEW_MNT, mask_readonly_paths, has_readonly_paths },
    { "enter root file system", IN_NEW_MNT, mnt_pivot, NULL },
    /* After the last mount, before anything of the container's runs; what is done below must take no
       mount away. */
    { "lock mounts", IN_CONTAINER, mnt_lock, locks_mounts },
    /* pivot_root takes no shared mount, and what is attached below one becomes shared itself. */
    { "set propagation", IN_CONTAINER, mnt_set_propagation, has_propagation },
    { "bring up loopback", IN_CONTAINER, host_loopback_up, has_new_net_ns },
    { "set host name", IN_CONTAINER, host_set_names, has_names },
    { "join session keyring", IN_CONTAINER, sec_join_keyring, wants_keyring },
    /* Needs CAP_AUDIT_CONTROL, and what is logged from here on is the container's. */
    { "open audit session", IN_CONTAINER, sec_open_session, wants_records },
    /* A lower score and some policies need capabilities: before they go. */
    { "set oom score", IN_CONTAINER, limits_set_oom_score, has_oom_score },
    { "set scheduling", IN_CONTAINER, limits_set_scheduling, NULL },
    { "set memory policy", IN_CONTAINER, limits_set_memory_policy, has_memory_policy },
    { "enter working directory", IN_CONTAINER, program_enter_cwd, NULL },
    { "find the home directory", IN_CONTAINER, program_find_home, has_no_home },
    { "find the program", IN_CONTAINER, program_find, is_started_later },
    { "set umask", IN_CONTAINER, program_set_umask, NULL },
    { "connect streams", IN_CONTAINER, program_connect_streams, NULL },
    { "wait for the start", IN_CONTAINER, child_ready, NULL },
    { "prepare security label", IN_CONTAINER, sec_prepare_label, has_label },
    { "prepare trampoline", IN_CONTAINER, program_prepare_trampoline, NULL },
    { "prepare startContainer hooks", IN_CONTAINER, hooks_prepare_start, has_start_container },
    /* CVE-2024-21626: whatever is open from 3 on closes at exec. */
    { "close other files", IN_CONTAINER, program_close_others, NULL },
    /* After the last file was opened, as there may be fewer than we have; before the capability to
       raise limits goes. */
    { "set resource limits", IN_CONTAINER, limits_set_resources, NULL },
    /* Needs CAP_SETPCAP. */
    { "bound capabilities", IN_CONTAINER, sec_drop_bounding, NULL },
    { "become user", IN_CONTAINER, sec_become_user, NULL },
    /* After the ids: changing them clears the wish. */
    { "die with the parent", AS_USER, program_die_with_parent, NULL },
    { "prepare the program", AS_USER, program_prepare, has_early_filter },
    /* Without no_new_privs only CAP_SYS_ADMIN may load a filter, so before the capabilities go:
       capset and prctl must then be allowed by it. */
    { "load seccomp filter", AS_USER, sec_load_filter, has_early_filter },
    { "set capabilities", AS_USER, sec_set_capabilities, NULL },
    { "prepare the program", AS_USER, program_prepare, has_no_early_filter },
    { "set no_new_privs", AS_USER, sec_no_new_privs, has_no_new_privs },
    /* As late as can be: it may forbid all of the above. */
    { "load seccomp filter", AS_USER, sec_load_filter, has_late_filter },
    /* The trampoline, which runs the startContainer hooks before the program. */
    { "execute", AS_USER, program_exec, NULL },
};
const size_t init_step_count = CL_COUNT(init_steps);

static bool has_group(const struct child *child)
{
    return child->cgroup != NULL;
}

/* A process that comes later (runtime_exec): the container is there, so it only has to get in and
   become small. */
const struct child_step exec_steps[] = {
    /* CVE-2016-9962: not dumpable before anything in there can see us. */
    { "begin", IN_HOST, child_begin, NULL },
    { "join cgroup", IN_HOST, join_cgroup, has_group },
    { "join resctrl group", IN_HOST, rdt_join, has_rdt },
    /* In a user namespace that hides parts of /proc the kernel gives us none of our own any more. */
    { "open procfs", IN_HOST, sec_open_procfs, has_label },
    { "join namespaces", IN_HOST, join_target, NULL },
    { "become root of the user namespace", IN_CONTAINER, join_as_root, has_user_ns },
    { "set CPU affinity", IN_CONTAINER, limits_set_final_affinity, has_affinity },
    { "open terminal", IN_CONTAINER, dev_open_exec_terminal, has_terminal },
    { "join session keyring", IN_CONTAINER, sec_join_keyring, wants_keyring },
    { "set oom score", IN_CONTAINER, limits_set_oom_score, has_oom_score },
    { "set scheduling", IN_CONTAINER, limits_set_scheduling, NULL },
    { "set memory policy", IN_CONTAINER, limits_set_memory_policy, has_memory_policy },
    { "enter working directory", IN_CONTAINER, program_enter_cwd, NULL },
    { "find the home directory", IN_CONTAINER, program_find_home, has_no_home },
    { "set umask", IN_CONTAINER, program_set_umask, NULL },
    { "connect streams", IN_CONTAINER, program_connect_streams, NULL },
    { "prepare security label", IN_CONTAINER, sec_prepare_label, has_label },
    { "prepare trampoline", IN_CONTAINER, program_prepare_trampoline, NULL },
    { "close other files", IN_CONTAINER, program_close_others, NULL },
    { "set resource limits", IN_CONTAINER, limits_set_resources, NULL },
    { "bound capabilities", IN_CONTAINER, sec_drop_bounding, NULL },
    { "become user", IN_CONTAINER, sec_become_user, NULL },
    { "die with the parent", AS_USER, program_die_with_parent, NULL },
    { "prepare the program", AS_USER, program_prepare, has_early_filter },
    { "load seccomp filter", AS_USER, sec_load_filter, has_early_filter },
    { "set capabilities", AS_USER, sec_set_capabilities, NULL },
    { "prepare the program", AS_USER, program_prepare, has_no_early_filter },
    { "set no_new_privs", AS_USER, sec_no_new_privs, has_no_new_privs },
    { "load seccomp filter", AS_USER, sec_load_filter, has_late_filter },
    { "execute", AS_USER, program_exec, NULL },
};
const size_t exec_step_count = CL_COUNT(exec_steps);
