/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan in words. What is told are the rows of the very tables that are carried out (parent_steps of create.c, init_steps of init.c), each if it is needed, in the order in
 * which each side does them; below each, what it does in this container. So no step can run that is not told, and none is told that does not run. Two forms: lines
 * ("parent …" for what is done from outside, "init …" for the container's first process), and JSON (docs/runtime-cli.md).
 *
 * What a plan can't know: whether a control group that nobody asked for can be made, and whether root of somebody's user namespace may clone the host's mounts.
 */
#include "runtime/child.h"
#include "runtime/parent.h"

#include <inttypes.h>

struct teller {
    const struct runtime_plan *plan;
    struct cl_buf *out;    /* lines */
    struct cl_json *steps; /* or JSON: those that are told, */
    struct cl_json *step;  /* the one that is being told, */
    struct cl_json *what;  /* and what it does */
    const char *side;
    bool has_said;
    int result;
};

static void say_as(struct teller *teller, const char *side, const char *fmt, ...) CL_PRINTF(3, 4);
static void say_as(struct teller *teller, const char *side, const char *fmt, ...)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    va_list arguments;
    va_start(arguments, fmt);
    cl_buf_vprintf(&text, fmt, arguments);
    va_end(arguments);
    teller->has_said = true;
    if (text.failed < 0 || text.data == NULL)
        teller->result = -ENOMEM;
    else if (teller->out != NULL)
        cl_buf_printf(teller->out, "%s  %s\n", side, text.data);
    else if (teller->result >= 0 && cl_json_add(teller->what, cl_json_from_string(text.data)) < 0)
        teller->result = -ENOMEM;
}
#define say(teller, ...) say_as(teller, (teller)->side, __VA_ARGS__)

/* ---- details ---- */

static void add_caps(struct cl_buf *out, const char *name, uint64_t mask)
{
    cl_buf_printf(out, " %s=", name);
    if (mask == 0)
        cl_buf_char(out, '-');
    for (unsigned i = 0, count = 0; i < 64; i++) {
        if ((mask & UINT64_C(1) << i) == 0)
            continue;
        const char *cap = oci_cap_name((int)i);
        if (count++ > 0)
            cl_buf_char(out, ',');
        cl_buf_str(out, cap == NULL ? "?" : cl_starts_with(cap, "CAP_") ? cap + 4 : cap);
    }
}

static const char *text_of(struct teller *teller, struct cl_buf *buf)
{
    if (buf->failed >= 0 && buf->data != NULL)
        return buf->data;
    teller->result = -ENOMEM;
    return "";
}

static void tell_hooks(struct teller *teller, enum runtime_hooks kind, const char *side)
{
    const struct oci_hook_list *list = runtime_hooks_list(teller->plan->spec, kind);
    for (size_t i = 0; i < list->count; i++)
        say_as(teller, side, "run %s hook %s", runtime_hooks_name(kind), list->items[i].path);
}

static void tell_binds(struct teller *teller)
{
    const struct runtime_plan *plan = teller->plan;
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].kind == PLAN_MOUNT_BIND)
            say(teller, "open bind source %s%s", plan->mounts[i].source,
                plan->mounts[i].is_idmapped ? " and id-map it" : "");
}

static bool opens_itself(const struct runtime_plan *plan)
{
    return !plan->facts->is_root && plan->options->root_mount <= 0;
}

static void tell_root(struct teller *teller)
{
    const struct runtime_plan *plan = teller->plan;
    const struct runtime_rootfs *rootfs = &plan->options->rootfs;
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    if (rootfs->is_overlay) {
        cl_buf_str(&text, "overlay");
        for (const char *const *lower = rootfs->lowers; lower != NULL && *lower != NULL; lower++)
            cl_buf_printf(&text, " %s", *lower);
        cl_buf_printf(&text, " upper %s", rootfs->upper != NULL ? rootfs->upper : "none");
    } else {
        cl_buf_str(&text, plan->rootfs_path != NULL ? plan->rootfs_path : "");
    }
    say(teller, "open root file system %s", text_of(teller, &text));
    if (opens_itself(plan))
        tell_binds(teller);
}

static void tell_sources(struct teller *teller)
{
    if (!opens_itself(teller->plan))
        tell_binds(teller);
}

static void tell_limits(struct teller *teller)
{
    const struct runtime_plan *plan = teller->plan;
    for (size_t i = 0; i < plan->setting_count; i++)
        say(teller, "write %s to %s", plan->settings[i].value, plan->settings[i].file);
    if (plan->use_device_rules)
        say(teller, "apply %zu device rules", plan->spec->linux_.resources.device_count);
}

static void tell_group(struct teller *teller)
{
    if (teller->plan->cgroup_path[0] != '\0')
        say(teller, "make cgroup %s", teller->plan->cgroup_path);
    tell_limits(teller);
    if (teller->plan->gives_group)
        say(teller, "give the cgroup to user %u", teller->plan->cgroup_owner);
}

static void tell_rdt(struct teller *teller)
{
    const struct oci_intel_rdt *rdt = teller->plan->process.rdt;
    say(teller, "make or check the resctrl group %s",
        rdt->clos_id != NULL ? rdt->clos_id : teller->plan->options->id);
}

static void tell_joins(struct teller *teller, const char *side)
{
    const struct runtime_plan *plan = teller->plan;
    for (size_t i = 0; i < plan->join_count; i++)
        say_as(teller, side, "join %s namespace %s", k_ns_table[plan->joins[i].type].name,
               plan->joins[i].path);
}

static void tell_first_group(struct teller *teller)
{
    const struct runtime_plan *plan = teller->plan;
    if (parent_groups_follow(plan))
        say(teller, "make cgroup %s%s", plan->cgroup_path,
            plan->facts->cgroups.layout == CGROUP_V2 ? "" : " of version 2");
    else
        tell_group(teller);
}

static void list_namespaces(int flags, struct cl_buf *text)
{
    for (int i = 0; i < K_NS_COUNT; i++)
        if ((flags & k_ns_table[i].clone_flag) != 0)
            cl_buf_printf(text, " %s", k_ns_table[i].name);
}

static void tell_own_namespaces(struct teller *teller)
{
    cl_auto_buf text = CL_BUF_INIT(1024);
    list_namespaces(teller->plan->clone_flags & JOIN_OWN_NAMESPACES, &text);
    say(teller, "make new namespaces%s", text.data != NULL ? text.data : "");
}

static void tell_namespaces(struct teller *teller)
{
    const struct runtime_plan *plan = teller->plan;
    cl_auto_buf text = CL_BUF_INIT(1024);
    if (plan->process.has_user_ns)
        tell_joins(teller, "between");
    int left = parent_groups_follow(plan) ? JOIN_OWN_NAMESPACES : 0;
    list_namespaces(plan->clone_flags & ~left, &text);
    say(teller, "clone with new namespaces%s", text.data != NULL ? text.data : "");
    if (plan->time_offsets[0] != '\0' && !plan->process.has_user_ns)
        say(teller, "set clock offsets");
}

static void tell_map(struct teller *teller, const char *name, const struct oci_id_mappings *maps)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    for (size_t i = 0; i < maps->count; i++)
        cl_buf_printf(&text, "%s %u to %u (%u)", i > 0 ? "," : "", maps->items[i].container_id,
                      maps->items[i].host_id, maps->items[i].size);
    say(teller, "map %s%s", name, text_of(teller, &text));
}

static void tell_outside(struct teller *teller)
{
    const struct runtime_plan *plan = teller->plan;
    if (plan->new_user_ns) {
        tell_map(teller, "users", &plan->spec->linux_.uid_mappings);
        tell_map(teller, "groups", &plan->spec->linux_.gid_mappings);
    }
    if (plan->options->scope != NULL) {
        say(teller, "have systemd make %s in %s", plan->options->scope->unit,
            plan->options->scope->slice);
        tell_group(teller);
    }
    for (size_t i = 0; i < plan->spec->linux_.net_device_count; i++) {
        const struct oci_net_device *device = &plan->spec->linux_.net_devices[i];
        bool is_renamed = device->name != NULL && device->name[0] != '\0';
        say(teller, "move network device %s in as %s", device->host_name,
            is_renamed ? device->name : device->host_name);
    }
}

static void tell_agent(struct teller *teller)
{
    say(teller, "send the seccomp listener to %s", teller->plan->process.listener_path);
}

static void tell_pidfd(struct teller *teller)
{
    const char *const paths[] = { teller->plan->options->pidfd_socket,
                                  teller->plan->pidfd_receiver };
    for (size_t i = 0; i < CL_COUNT(paths); i++)
        if (paths[i] != NULL)
            say(teller, "send the pidfd to %s", paths[i]);
}

static void tell_join_group(struct teller *teller)
{
    if (teller->plan->cgroup_path[0] != '\0')
        say(teller, "join cgroup %s", teller->plan->cgroup_path);
    if (teller->plan->new_cgroup_ns)
        say(teller, "make cgroup namespace");
}

static void tell_delegate(struct teller *teller)
{
    say(teller, "join cgroup %s/%s", teller->plan->cgroup_path, teller->plan->delegate);
}

static void tell_own_joins(struct teller *teller)
{
    tell_joins(teller, teller->side);
}

static void tell_clocks(struct teller *teller)
{
    say(teller, "set clock offsets");
}

static void tell_mounts(struct teller *teller)
{
    const struct runtime_plan *plan = teller->plan;
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct plan_mount *mount = &plan->mounts[i];
        char **options = plan->spec->mounts[mount->index].options;
        cl_auto_buf text = CL_BUF_INIT(1 << 20);
        const char *place = NULL;
        enum mnt_source source = mnt_source_of(plan, mount, &place);
        if (mount->kind == PLAN_MOUNT_CHANGE)
            cl_buf_printf(&text, "change the mount at %s", mount->target);
        else if (source == MNT_BORROWED)
            cl_buf_printf(&text, "mount the host's %s, and all below it, at %s", place,
                          mount->target);
        else
            cl_buf_printf(&text, "mount %s at %s",
                          mount->kind == PLAN_MOUNT_BIND ? mount->source : mount->type,
                          mount->target);
        for (size_t j = 0; options != NULL && options[j] != NULL; j++)
            cl_buf_printf(&text, "%s%s", j == 0 ? " (" : ",", options[j]);
        if (options != NULL && options[0] != NULL)
            cl_buf_char(&text, ')');
        if (source == MNT_BORROWED_IF_REFUSED)
            cl_buf_printf(&text, ", or, if the kernel refuses, the host's %s and all below it",
                          place);
        say(teller, "%s", text_of(teller, &text));
    }
}

static void tell_devices(struct teller *teller)
{
    const struct oci_linux *linux_ = &teller->plan->spec->linux_;
    if (teller->plan->make_devices)
        say(teller, "make default devices");
    for (size_t i = 0; i < linux_->device_count; i++)
        say(teller, "make device %s", linux_->devices[i].path);
}

static void tell_make_cwd(struct teller *teller)
{
    say(teller, "make %s where it is missing", teller->plan->process.spec->cwd);
}

static void tell_parent_hooks(struct teller *teller)
{
    tell_hooks(teller, RUNTIME_PRESTART, "parent");
    tell_hooks(teller, RUNTIME_CREATE_RUNTIME, "parent");
}

static void tell_inner_hooks(struct teller *teller)
{
    tell_hooks(teller, RUNTIME_CREATE_CONTAINER, teller->side);
}

static void tell_start_hooks(struct teller *teller)
{
    tell_hooks(teller, RUNTIME_START_CONTAINER, teller->side);
}

static void tell_sysctls(struct teller *teller)
{
    for (char **item = teller->plan->sysctls; item != NULL && *item != NULL; item += 2)
        say(teller, "write %s to /proc/%s", item[1], item[0]);
}

static void tell_masks(struct teller *teller)
{
    for (char **path = teller->plan->masked; path != NULL && *path != NULL; path++)
        say(teller, "mask %s", *path);
}

static void tell_read_only_paths(struct teller *teller)
{
    char **paths = teller->plan->spec->linux_.readonly_paths;
    for (char **path = paths; path != NULL && *path != NULL; path++)
        say(teller, "make %s read-only", *path);
}

static void tell_read_only(struct teller *teller)
{
    const struct runtime_plan *plan = teller->plan;
    if (plan->spec->root.readonly || plan->options->rootfs.is_read_only)
        say(teller, "make the root file system read-only");
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].is_late_ro)
            say(teller, "make the mount at %s read-only", plan->mounts[i].target);
}

static void tell_pivot(struct teller *teller)
{
    say(teller, teller->plan->moves_root ? "change into the root file system"
                                         : "pivot into the root file system");
}

static void tell_names(struct teller *teller)
{
    const struct oci_spec *spec = teller->plan->spec;
    if (spec->hostname != NULL)
        say(teller, "set host name %s", spec->hostname);
    if (spec->domainname != NULL)
        say(teller, "set domain name %s", spec->domainname);
}

static void tell_keyring(struct teller *teller)
{
    say(teller, "join session keyring %s", teller->plan->process.keyring);
}

static void tell_oom_score(struct teller *teller)
{
    say(teller, "set oom score %d", (int)teller->plan->process.spec->oom_score_adj.value);
}

static void tell_scheduling(struct teller *teller)
{
    const struct oci_process *spec = teller->plan->process.spec;
    if (spec->scheduler != NULL)
        say(teller, "set scheduler policy %d nice %d priority %d", (int)spec->scheduler->policy,
            spec->scheduler->nice, spec->scheduler->priority);
    if (spec->io_priority != NULL)
        say(teller, "set I/O priority class %d priority %d", (int)spec->io_priority->class_,
            (int)spec->io_priority->priority);
    if (teller->plan->process.personality != NULL)
        say(teller, "set personality %#lx",
            (unsigned long)teller->plan->process.personality->domain);
}

static void tell_cwd(struct teller *teller)
{
    say(teller, "enter %s", teller->plan->process.spec->cwd);
}

static void tell_umask(struct teller *teller)
{
    const struct oci_user *user = &teller->plan->process.spec->user;
    say(teller, "set umask %04o", user->umask.set ? user->umask.value : 022);
}

static void tell_label(struct teller *teller)
{
    const struct oci_process *spec = teller->plan->process.spec;
    if (spec->apparmor_profile != NULL && spec->apparmor_profile[0] != '\0')
        say(teller, "set AppArmor profile %s", spec->apparmor_profile);
    if (spec->selinux_label != NULL && spec->selinux_label[0] != '\0')
        say(teller, "set SELinux label %s", spec->selinux_label);
}

static void tell_resources(struct teller *teller)
{
    const struct oci_process *spec = teller->plan->process.spec;
    for (size_t i = 0; i < spec->rlimit_count; i++)
        say(teller, "limit %s to %" PRIu64 ":%" PRIu64, oci_rlimit_name(spec->rlimits[i].type),
            spec->rlimits[i].soft, spec->rlimits[i].hard);
}

static void tell_filter(struct teller *teller)
{
    say(teller, "load seccomp filter (%zu instructions)", teller->plan->process.filter.count);
}

static void tell_bounding(struct teller *teller)
{
    cl_auto_buf text = CL_BUF_INIT(4096);
    add_caps(&text, "bounding", teller->plan->process.bounding);
    say(teller, "keep capabilities%s", text_of(teller, &text));
}

static void tell_user(struct teller *teller)
{
    const struct oci_user *user = &teller->plan->process.spec->user;
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    cl_buf_printf(&text, "become user %u group %u", user->uid, user->gid);
    if (teller->plan->process.keeps_groups)
        cl_buf_str(&text, ", with the caller's groups");
    for (size_t i = 0; !teller->plan->process.keeps_groups && i < user->additional_gid_count; i++)
        cl_buf_printf(&text, "%s%u", i == 0 ? " groups " : ",", user->additional_gids[i]);
    say(teller, "%s", text_of(teller, &text));
}

static void tell_capabilities(struct teller *teller)
{
    const struct plan_process *process = &teller->plan->process;
    cl_auto_buf text = CL_BUF_INIT(16384);
    add_caps(&text, "effective", process->effective);
    add_caps(&text, "permitted", process->permitted);
    add_caps(&text, "inheritable", process->inheritable);
    add_caps(&text, "ambient", process->ambient);
    say(teller, "keep capabilities%s", text_of(teller, &text));
}

static void tell_program(struct teller *teller)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    for (char **word = teller->plan->process.spec->args; *word != NULL; word++)
        cl_buf_printf(&text, " %s", *word);
    say(teller, "execute%s", text_of(teller, &text));
}

/* A step that is not here is told by its name. */
static const struct {
    const char *name;
    void (*tell)(struct teller *teller);
} details[] = {
    { "open root file system", tell_root },
    { "open bind sources", tell_sources },
    { "make control group", tell_first_group },
    { "make control groups", tell_group },
    { "set limits", tell_limits },
    { "make own namespaces", tell_own_namespaces },
    { "make resctrl group", tell_rdt },
    { "make namespaces", tell_namespaces },
    { "set up from outside", tell_outside },
    { "connect to the seccomp agent", tell_agent },
    { "hand over the pidfd", tell_pidfd },
    { "join cgroup", tell_join_group },
    { "join delegated cgroup", tell_delegate },
    { "join namespaces", tell_own_joins },
    { "make time namespace", tell_clocks },
    { "apply mounts", tell_mounts },
    { "make devices", tell_devices },
    { "make working directory", tell_make_cwd },
    { "call the parent's hooks", tell_parent_hooks },
    { "run createContainer hooks", tell_inner_hooks },
    { "set sysctls", tell_sysctls },
    { "make file systems read-only", tell_read_only },
    { "mask paths", tell_masks },
    { "make paths read-only", tell_read_only_paths },
    { "enter root file system", tell_pivot },
    { "set host name", tell_names },
    { "join session keyring", tell_keyring },
    { "set oom score", tell_oom_score },
    { "set scheduling", tell_scheduling },
    { "enter working directory", tell_cwd },
    { "set umask", tell_umask },
    { "prepare security label", tell_label },
    { "prepare startContainer hooks", tell_start_hooks },
    { "set resource limits", tell_resources },
    { "load seccomp filter", tell_filter },
    { "bound capabilities", tell_bounding },
    { "become user", tell_user },
    { "set capabilities", tell_capabilities },
    { "execute", tell_program },
};

/* ---- the walk ---- */

static struct cl_json *calls_of(const struct runtime_step *step)
{
    struct cl_json *calls = cl_json_array();
    for (const char *at = step->calls; calls != NULL && *at != '\0';) {
        size_t length = strcspn(at, ",");
        cl_auto_free char *name = cl_strndup(at, length);
        if (cl_json_add(calls, cl_json_from_string(name)) < 0) {
            cl_json_unref(calls);
            return NULL;
        }
        at += length;
        at += strspn(at, ", ");
    }
    return calls;
}

static int begin_json(struct teller *teller, const char *name, const char *place)
{
    const struct runtime_step *step = runtime_step_find(name);
    struct cl_json *json = teller->step = cl_json_object();
    teller->what = cl_json_array();
    int result = json == NULL || teller->what == NULL ? -ENOMEM : 0;
    if (result >= 0)
        result = cl_json_set_string(json, "side", teller->side);
    if (result >= 0)
        result = cl_json_set_string(json, "place", place);
    if (result >= 0)
        result = cl_json_set_string(json, "name", name);
    if (result >= 0 && step != NULL)
        result = cl_json_set_string(json, "purpose", step->english);
    return result < 0 || step == NULL ? result : cl_json_set(json, "calls", calls_of(step));
}

/* What is complete goes into the document. */
static void end(struct teller *teller)
{
    struct cl_json *step = teller->step, *what = teller->what;
    teller->step = teller->what = NULL;
    if (teller->result < 0) {
        cl_json_unref(step);
        cl_json_unref(what);
    } else if (step != NULL) {
        teller->result = cl_json_set(step, "what", what);
        if (teller->result >= 0)
            teller->result = cl_json_add(teller->steps, step);
        else
            cl_json_unref(step);
    }
}

static void begin(struct teller *teller, const char *side, const char *place, const char *name)
{
    teller->side = side;
    teller->has_said = false;
    int result = teller->steps == NULL ? 0 : begin_json(teller, name, place);
    if (result < 0)
        teller->result = result;
}

static void tell_step(struct teller *teller, const char *side, const char *place, const char *name)
{
    begin(teller, side, place, name);
    for (size_t i = 0; i < CL_COUNT(details); i++)
        if (cl_streq(details[i].name, name))
            details[i].tell(teller);
    if (!teller->has_said && teller->out != NULL)
        say(teller, "%s", name);
    end(teller);
}

static void tell_later_hooks(struct teller *teller, enum runtime_hooks kind, const char *side,
                             const char *name)
{
    if (runtime_hooks_list(teller->plan->spec, kind)->count == 0)
        return;
    begin(teller, "parent", "host", name);
    tell_hooks(teller, kind, side);
    end(teller);
}

static int walk(struct teller *teller)
{
    static const char *const places[] = {
        [IN_HOST] = "host",
        [IN_NEW_MNT] = "new mounts",
        [IN_CONTAINER] = "container",
        [AS_USER] = "user",
    };
    static const struct cgroup some_group;
    const struct runtime_plan *plan = teller->plan;
    const struct runtime_io io = { .terminal = plan->process.spec->terminal };
    /* What init will know; as far as a plan can. */
    const struct child child = {
        .process = &plan->process,
        .plan = plan,
        .io = &io,
        .cgroup = plan->cgroup_path[0] != '\0' ? &some_group : NULL,
        .opens_itself = opens_itself(plan),
        .has_joined = parent_clones_between(plan),
    };
    for (size_t i = 0; i < parent_step_count; i++)
        if (parent_steps[i].is_needed == NULL || parent_steps[i].is_needed(plan))
            tell_step(teller, "parent", "host", parent_steps[i].name);
    for (size_t i = 0; i < init_step_count; i++)
        if (init_steps[i].is_needed == NULL || init_steps[i].is_needed(&child)) {
            tell_step(teller, "init", places[init_steps[i].place], init_steps[i].name);
            if (init_steps[i].run == child_ready)
                tell_step(teller, "parent", "host", "start the program");
        }
    tell_later_hooks(teller, RUNTIME_POSTSTART, "parent", "run poststart hooks");
    tell_later_hooks(teller, RUNTIME_POSTSTOP, "at its end  parent", "run poststop hooks");
    return teller->result;
}

int runtime_plan_print(const struct runtime_plan *plan, struct cl_buf *out)
{
    struct teller teller = { .plan = plan, .out = out };
    int result = walk(&teller);
    return result < 0 ? result : out->failed;
}

int runtime_plan_json(const struct runtime_plan *plan, struct cl_json **ret)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    struct teller teller = { .plan = plan, .steps = cl_json_array() };
    int result = teller.steps == NULL ? -ENOMEM : walk(&teller);
    if (result >= 0)
        result = cl_json_set_string(json, "id", plan->options->id);
    if (result >= 0)
        result = cl_json_set(json, "steps", teller.steps);
    else
        cl_json_unref(teller.steps);
    if (result >= 0)
        *ret = cl_take(json);
    return result;
}
