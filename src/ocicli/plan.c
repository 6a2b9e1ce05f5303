/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a creation begins with: the bundle is read, the host looked at, a control group chosen, and the plan made of it all. Nothing is there yet that would have to be
 * undone. The verb plan ends here.
 */
#include "ocicli/creation.h"

#include <fcntl.h>
#include <unistd.h>

#define SPEC_MAX (16 << 20)

/* ---- the bundle ---- */

/* The spec is kept with the container as it is meant. */
static int rewrite_text(struct creation *creation)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    char *text =
        oci_spec_encode(creation->spec, &json) < 0 ? NULL : cl_json_text(json, CL_JSON_COMPACT);
    if (text == NULL)
        return -ENOMEM;
    free(creation->text);
    creation->text = text;
    creation->size = strlen(text);
    return 0;
}

/* An ordinary user who says nothing of ids has one to give. */
static int read_spec_of_user(struct creation *creation, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    int result = cl_json_parse(creation->text, creation->size, SPEC_MAX, &json, err);
    if (result < 0)
        return cl_error_prefix(err, "config.json");
    result = oci_spec_decode(json, &creation->spec, err);
    if (result < 0)
        return result;
    struct oci_linux *linux_ = &creation->spec->linux_;
    const struct oci_namespace *ns = oci_namespace_find(creation->spec, OCI_NS_USER);
    if (ns != NULL && ns->path == NULL && linux_->uid_mappings.count == 0 &&
        linux_->gid_mappings.count == 0) {
        result = oci_id_mapping_add(&linux_->uid_mappings, 0, geteuid(), 1);
        if (result >= 0)
            result = oci_id_mapping_add(&linux_->gid_mappings, 0, getegid(), 1);
        if (result >= 0)
            result = rewrite_text(creation);
        if (result < 0)
            return cl_fail(err, result, "map the own ids");
    }
    return oci_spec_validate(creation->spec, err);
}

static int read_bundle(struct creation *creation, struct cl_error *err)
{
    const char *bundle = creation->flags->bundle != NULL ? creation->flags->bundle : ".";
    if (realpath(bundle, creation->bundle) == NULL)
        return cl_fail(err, errno, "open bundle %s", bundle);
    const char *config = creation->flags->config != NULL ? creation->flags->config : "config.json";
    cl_auto_free char *path =
        config[0] == '/' ? cl_strdup(config) : cl_format("%s/%s", creation->bundle, config);
    if (path == NULL)
        return cl_fail(err, ENOMEM, "open bundle %s", bundle);
    cl_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cl_fail(err, errno, "open %s", path);
    int result = cl_read_fd(fd, SPEC_MAX, &creation->text, &creation->size, err);
    if (result < 0)
        return cl_error_prefix(err, "read %s", path);
    return geteuid() == 0 ? oci_spec_read_keep(creation->text, creation->size, &creation->spec,
                                               &creation->document, err)
                          : read_spec_of_user(creation, err);
}

int allow_default_devices(struct oci_spec *spec, struct cl_error *err)
{
    if (spec->linux_.resources.device_count == 0)
        return 0;
    int result = oci_default_devices_allow(spec);
    return result < 0 ? cl_fail(err, result, "allow the default devices") : 0;
}

/* ---- its control group ---- */

/* systemd makes the group; the container may have one below it (crun's annotation). */
static int choose_scope(struct creation *creation, struct cl_error *err)
{
    const char *subgroup = oci_map_get(&creation->spec->annotations, "run.oci.systemd.subgroup");
    struct runtime_scope *scope = &creation->scope;
    bool is_user = runtime_scope_is_user(creation->cli->rootless, &creation->facts);
    int result = runtime_scope_parse(creation->spec->linux_.cgroups_path, creation->options.id,
                                     is_user, scope, err);
    if (result >= 0)
        result = runtime_scope_place(scope, err);
    if (result < 0)
        return result;
    bool has_subgroup = subgroup != NULL && subgroup[0] != '\0';
    if (has_subgroup && (strchr(subgroup, '/') != NULL || subgroup[0] == '.'))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "annotations[\"run.oci.systemd.subgroup\"]: \"%.80s\" is no name of a "
                            "control group",
                            subgroup);
    if (CL_PRINT(creation->cgroup, "%s%s%s", scope->path, has_subgroup ? "/" : "",
                 has_subgroup ? subgroup : "") < 0)
        return cl_fail(err, ENAMETOOLONG, "linux.cgroupsPath");
    creation->options.cgroup_path = creation->cgroup;
    creation->options.scope = scope;
    return 0;
}

/* What is delegated to an ordinary user is the group that it is in, or nothing. */
static int name_cgroup(struct creation *creation)
{
    const struct cgroup_host *host = &creation->facts.cgroups;
    bool is_rootless = creation->cli->rootless == RUNTIME_ROOTLESS_YES || !creation->facts.is_root;
    if (is_rootless && host->layout == CGROUP_V2 && host->hierarchies[0].own_path[0] == '/')
        return CL_PRINT(creation->cgroup, "%s%scloche-runtime-%s",
                        host->hierarchies[0].own_path + 1,
                        host->hierarchies[0].own_path[1] != '\0' ? "/" : "", creation->options.id);
    return CL_PRINT(creation->cgroup, "cloche-runtime/%s", creation->options.id);
}

/* Whether the group of our own choice is there already and another user's: of a container of theirs
   that has the same id. */
static bool is_of_others(const struct creation *creation)
{
    const struct runtime_facts *facts = &creation->facts;
    struct cgroup group = { 0 };
    enum runtime_rootless rootless = creation->cli->rootless;
    if (rootless == RUNTIME_ROOTLESS_NO ||
        (rootless != RUNTIME_ROOTLESS_YES && facts->is_root && !runtime_in_user_ns(facts)))
        return false;
    struct cgroup_host *host = (struct cgroup_host *)(uintptr_t)&facts->cgroups;
    if (cgroup_open(host, creation->cgroup, &group, NULL) < 0)
        return false;
    bool is_writable = cgroup_is_writable(&group);
    cgroup_done(&group);
    return !is_writable;
}

/* The group of the spec, or one of ours. With --cgroup-manager disabled there is none, and limits are refused by the plan. */
static int choose_cgroup(struct creation *creation, struct cl_error *err)
{
    char **path = &creation->spec->linux_.cgroups_path;
    if (creation->cli->no_cgroup || creation->facts.cgroups.layout == CGROUP_NONE) {
        (void)oci_string_set(path, NULL); /* only clears */
        return 0;
    }
    if (creation->cli->use_systemd)
        return choose_scope(creation, err);
    if (*path != NULL && strchr(*path, '/') == NULL && strchr(*path, ':') != NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "linux.cgroupsPath: \"%s\" is meant for systemd: give a path, or use "
                            "--systemd-cgroup",
                            *path);
    const char *clean = *path == NULL ? "" : *path + strspn(*path, "/");
    int result = clean[0] != '\0' ? CL_PRINT(creation->cgroup, "%s", clean) : name_cgroup(creation);
    if (result < 0)
        return cl_fail(err, result, "linux.cgroupsPath");
    if (clean[0] != '\0')
        return 0;
    /* Then there is none, as where none can be made. */
    if (is_of_others(creation))
        creation->cgroup[0] = '\0';
    else
        creation->options.cgroup_path = creation->cgroup;
    return 0;
}

/* A group with processes of somebody else's in it would be killed with the container. */
static int check_cgroup(struct creation *creation, struct cl_error *err)
{
    struct group group = { 0 }; /* its host is the facts' */
    if (creation->cgroup[0] == '\0' ||
        cgroup_open(&creation->facts.cgroups, creation->cgroup, &group.cgroup, NULL) < 0)
        return 0;
    bool is_free = cgroup_is_empty(&group.cgroup) &&
                   !cgroup_is_frozen(&creation->facts.cgroups, creation->cgroup);
    cgroup_done(&group.cgroup);
    int result = is_free ? 0 : container_check_unused(creation->cli, creation->options.id, err);
    return is_free || result < 0
               ? result
               : cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                              "linux.cgroupsPath: cgroup %s is not empty, or frozen",
                              creation->cgroup);
}

/* ---- all of it ---- */

static void log_plan(const struct creation *creation)
{
    const struct ocicli *cli = creation->cli;
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    log_warnings(cli, runtime_plan_warnings(creation->plan));
    if (cli->log_most < LOG_LEVEL_DEBUG || runtime_plan_print(creation->plan, &text) < 0 ||
        text.data == NULL)
        return;
    for (char *line = text.data; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        bool is_last = *end == '\0';
        *end = '\0';
        log_write(cli, LOG_LEVEL_DEBUG, line);
        line = is_last ? end : end + 1;
    }
}

int creation_plan(struct creation *creation, const char *id, bool is_detached, struct cl_error *err)
{
    const struct create_options *flags = creation->flags;
    unsigned preserve = 0;
    int result = take_descriptors(flags->preserve_fds, &preserve, err);
    if (result >= 0)
        result = creation->trace = open_trace(flags->trace, &creation->trace_since, err);
    if (result >= 0)
        result = read_bundle(creation, err);
    if (result >= 0)
        result = runtime_facts_init(&creation->facts, err);
    if (result < 0)
        return result;
    creation->has_facts = true;
    runtime_facts_see_user_ns(&creation->facts, creation->spec);
    creation->options = (struct runtime_options){
        .id = id,
        .bundle = creation->bundle,
        .rootfs = { .is_read_only = creation->spec->root.readonly },
        .root_mount = -EBADF,
        .state_dir = creation->state_dir,
        .no_new_keyring = flags->no_new_keyring,
        .no_pivot = flags->no_pivot,
        .rootless = creation->cli->rootless,
        .preserve_fds = preserve,
        .pidfd_socket = flags->pidfd_socket,
        .is_started_later = creation->is_started_later,
        .trace_fd = creation->trace,
        .trace_since = creation->trace > 0 ? &creation->trace_since : NULL,
    };
    if (CL_PRINT(creation->state_dir, "%s/%s", creation->cli->root, id) < 0)
        return cl_fail(err, ENAMETOOLONG, "container id %.40s", id);
    bool terminal = creation->spec->process != NULL && creation->spec->process->terminal;
    result = choose_io(terminal, is_detached, flags->console_socket, &creation->io, err);
    if (result >= 0)
        result = allow_default_devices(creation->spec, err);
    if (result >= 0)
        result = choose_cgroup(creation, err);
    if (result >= 0)
        result = runtime_plan_new(creation->spec, &creation->options, &creation->facts,
                                  &creation->plan, err);
    if (result >= 0)
        result = check_cgroup(creation, err);
    if (result >= 0)
        log_plan(creation);
    return result;
}

/* ---- the verb ---- */

static int print_plan(const struct runtime_plan *plan, bool wants_json, struct cl_error *err)
{
    struct cl_json *json = NULL;
    cl_auto_buf text = CL_BUF_INIT(1 << 24);
    int result = wants_json ? runtime_plan_json(plan, &json) : runtime_plan_print(plan, &text);
    if (result < 0)
        return cl_fail(err, result, "print the plan");
    if (wants_json)
        return print_json(json, err);
    (void)fputs(text.data, stdout);
    return flush_output(err);
}

static int plan(const struct ocicli *cli, const void *options, char **arguments,
                struct cl_error *err)
{
    const struct create_options *flags = options;
    struct creation creation;
    bool wants_json = cl_streq(flags->format, "json");
    if (flags->format != NULL && !wants_json && !cl_streq(flags->format, "text"))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--format %s: expected text or json",
                            flags->format);
    creation_init(&creation, cli, options);
    creation.is_started_later = true;
    int result = creation_plan(&creation, arguments[0] != NULL ? arguments[0] : "plan", false, err);
    if (result >= 0)
        result = print_plan(creation.plan, wants_json, err);
    creation_done(&creation);
    return result;
}

static const struct option_row plan_table[] = {
    OPTION("bundle", 'b', OPTION_STRING, "DIR", "The bundle (default: the working directory)",
           struct create_options, bundle),
    OPTION("config", 'f', OPTION_STRING, "FILE", "As create --config", struct create_options,
           config),
    OPTION("format", 0, OPTION_STRING, "FORMAT", "text (default) or json", struct create_options,
           format),
    OPTION("no-pivot", 0, OPTION_FLAG, "", "As create --no-pivot would do it",
           struct create_options, no_pivot),
};

const struct verb verb_plan = {
    .name = "plan",
    .synopsis = "[OPTIONS] [ID]",
    .summary = "Print what create and start would do, step by step; nothing is done",
    VERB_OPTIONS(plan_table, struct create_options),
    .max_arguments = 1,
    .run = plan,
};
