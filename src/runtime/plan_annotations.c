/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations that ask something of the runtime: crun's run.oci.*, which Podman, CRI-O and people set, and their relatives. One table says of each whether it is
 * carried out or refused, and why. One of crun's that is not in it is a warning: refusing it would break an engine that sets what a later crun takes, and a wrong
 * spelling is not passed over in silence either.
 *
 * What the values mean is crun(1)'s, of 1.8 and of now (run.oci.timens_offset is gone there since linux.timeOffsets came). Pure, as all of the plan.
 */
#include "runtime/plan.h"

#include <sched.h>

#define PATH_OF(name) "annotations[\"" name "\"]"
#define TIMENS        "run.oci.timens_offset"
#define PIDFD         "run.oci.pidfd_receiver"
#define CONTEXT       "run.oci.mount_context_type"
#define RECEIVER      "run.oci.seccomp.receiver"
#define STRICT        "run.oci.seccomp_fail_unknown_syscall"
#define KEEP_GROUPS   "run.oci.keep_original_groups"
#define WASM          "module.wasm.image/variant"

const struct runtime_annotation runtime_annotations[] = {
    { "run.oci.hooks.stdout", "" },
    { "run.oci.hooks.stderr", "" },
    { "run.oci.systemd.subgroup", "" },
    { "run.oci.delegate-cgroup", "" },
    { KEEP_GROUPS, "" },
    { PIDFD, "" },
    { TIMENS, "" },
    { CONTEXT, "" },
    { RECEIVER, "" },
    { STRICT, "" },
    { "org.systemd.property.", "" },
    { "org.criu.config", "" }, /* criu_options.c */
    { "run.oci.seccomp.plugins", "a plugin would be foreign code in the runtime, which loads none: "
                                 "give an agent's socket, linux.seccomp.listenerPath" },
    { "run.oci.seccomp_bpf_data", "a filter that comes as bytes can't be checked, nor changed by "
                                  "linux.seccomp.flags: write its "
                                  "rules to linux.seccomp" },
    { "run.oci.systemd.force_cgroup_v1",
      "no hierarchy of cgroup v1 is made for a container: bind-mount the host's by an entry of "
      "mounts[], or use an image whose systemd knows cgroup v2" },
    { "run.oci.handler", "programs are executed by the kernel alone, not by krun or wasm: use a "
                         "runtime that has this handler" },
    { WASM, "this runtime has no WebAssembly handler: use one that has, or the value "
            "\"compat-smart\" for an image that is none" },
};
const size_t runtime_annotation_count = CL_COUNT(runtime_annotations);

static const struct runtime_annotation *find(const char *name)
{
    for (size_t i = 0; i < runtime_annotation_count; i++) {
        const char *known = runtime_annotations[i].name;
        if (cl_streq(name, known) || (cl_ends_with(known, ".") && cl_starts_with(name, known)))
            return &runtime_annotations[i];
    }
    return NULL;
}

static const char *value_of(const struct oci_map *map, const char *name)
{
    const char *value = map == NULL ? NULL : oci_map_get(map, name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* As crun reads it: there, and not "0". */
static bool is_on(const struct oci_map *map, const char *name)
{
    const char *value = map == NULL ? NULL : oci_map_get(map, name);
    return value != NULL && !cl_streq(value, "0");
}

/* A smart handler takes WebAssembly, and leaves everything else to the kernel: so do we, with nothing to take. */
static bool is_harmless(const struct runtime_plan *plan, const char *name, const char *value)
{
    const struct oci_process *process = plan->spec->process;
    const char *program = process == NULL || process->args == NULL ? NULL : process->args[0];
    return cl_streq(name, WASM) && cl_streq(value, "compat-smart") && program != NULL &&
           !cl_ends_with(program, ".wasm") && !cl_ends_with(program, ".wat");
}

static int check_known(struct runtime_plan *plan, struct cl_error *err)
{
    const struct oci_map *map = &plan->spec->annotations;
    for (size_t i = 0; i < map->count; i++) {
        const char *name = map->pairs[i].key;
        const struct runtime_annotation *known = find(name);
        char path[120];
        (void)CL_PRINT(path, "annotations[\"%.80s\"]", name); /* cut off is good enough */
        if (known != NULL && known->refusal[0] != '\0' &&
            !is_harmless(plan, name, map->pairs[i].value))
            return plan_fail(err, CL_KIND_UNSUPPORTED, path, "%s", known->refusal);
        if (known == NULL && cl_starts_with(name, "run.oci.") &&
            plan_warn(&plan->warnings, "%s: unknown, and without effect", path) < 0)
            return cl_fail(err, ENOMEM, "plan annotations");
    }
    return 0;
}

static int absolute(const char *path, const char *property, struct cl_error *err)
{
    return path == NULL || path[0] == '/'
               ? 0
               : plan_fail(err, CL_KIND_INVALID, property, "\"%.80s\" is no absolute path", path);
}

/* ---- clocks: "monotonic 3600 0", a clock a line, as /proc/PID/timens_offsets takes them ---- */

static bool next_word(const char **at, char word[static 24])
{
    *at += strspn(*at, " \t");
    size_t length = strcspn(*at, " \t\n");
    bool fits = length > 0 && length < 24;
    (void)cl_print(word, 24, "%.*s", fits ? (int)length : 0, *at);
    *at += length;
    return fits;
}

static bool add_clock(struct runtime_plan *plan, const char **at)
{
    static const char *const clocks[] = { "monotonic", "boottime", "1", "7", NULL };
    char clock[24], secs[24], nanosecs[24];
    int64_t seconds;
    uint64_t rest;
    size_t used = strlen(plan->time_offsets);
    bool is_line = next_word(at, clock) && next_word(at, secs) && next_word(at, nanosecs) &&
                   cl_strv_has(clocks, clock) &&
                   cl_parse_i64(secs, INT64_MIN, INT64_MAX, &seconds) >= 0 &&
                   cl_parse_u64(nanosecs, 0, 999999999, &rest) >= 0;
    *at += strspn(*at, " \t");
    return is_line && (**at == '\n' || **at == '\0') &&
           cl_print(plan->time_offsets + used, sizeof plan->time_offsets - used, "%s %lld %u\n",
                    clock, (long long)seconds, (unsigned)rest) >= 0;
}

static int plan_clocks(struct runtime_plan *plan, struct cl_error *err)
{
    const char *text = value_of(&plan->spec->annotations, TIMENS);
    if (text == NULL)
        return 0;
    if (plan->spec->linux_.time_offset_count > 0)
        return plan_fail(err, CL_KIND_INVALID, PATH_OF(TIMENS),
                         "linux.timeOffsets says it, too: drop the annotation");
    if ((plan->clone_flags & CLONE_NEWTIME) == 0)
        return plan_fail(err, CL_KIND_INVALID, PATH_OF(TIMENS),
                         "needs a new time namespace: add one to linux.namespaces");
    for (const char *at = text; *at != '\0'; at += *at == '\n')
        if (!add_clock(plan, &at))
            return plan_fail(err, CL_KIND_INVALID, PATH_OF(TIMENS),
                             "\"%.80s\": a line is \"monotonic SECONDS NANOSECONDS\", or boottime",
                             text);
    return 0;
}

/* ---- all ---- */

static int plan_context(struct runtime_plan *plan, struct cl_error *err)
{
    static const char *const types[] = { "context", "fscontext", "defcontext", "rootcontext",
                                         NULL };
    const char *type = value_of(&plan->spec->annotations, CONTEXT);
    plan->label_option = type == NULL ? types[0] : type;
    return cl_strv_has(types, plan->label_option)
               ? 0
               : plan_fail(err, CL_KIND_INVALID, PATH_OF(CONTEXT),
                           "\"%.80s\" is none of context, fscontext, defcontext, rootcontext",
                           type);
}

int plan_annotations(struct runtime_plan *plan, struct cl_error *err)
{
    const struct oci_map *map = &plan->spec->annotations;
    plan->pidfd_receiver = value_of(map, PIDFD);
    int result = check_known(plan, err);
    if (result >= 0)
        result = absolute(plan->pidfd_receiver, PATH_OF(PIDFD), err);
    if (result >= 0)
        result = plan_context(plan, err);
    return result < 0 ? result : plan_clocks(plan, err);
}

int plan_process_annotations(struct plan_process *process, const struct oci_map *map,
                             const struct oci_seccomp *policy, struct cl_error *err)
{
    const char *receiver = value_of(map, RECEIVER);
    process->keeps_groups = is_on(map, KEEP_GROUPS);
    process->listener_path = policy == NULL ? NULL : policy->listener_path;
    process->listener_property = "linux.seccomp.listenerPath";
    if (policy == NULL)
        return 0;
    if (receiver != NULL && (process->listener_path == NULL || process->listener_path[0] == '\0')) {
        process->listener_path = receiver;
        process->listener_property = PATH_OF(RECEIVER);
    }
    int result = absolute(receiver, PATH_OF(RECEIVER), err);
    if (result < 0 || !is_on(map, STRICT))
        return result;
    result = seccomp_check_names(policy, err);
    return result < 0 ? cl_error_hint(err, "without the annotation " STRICT
                                           " what no machine knows is passed over")
                      : 0;
}
