/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to know without a container: `features` (runtime-spec features.md) and `spec`. A feature is named only when the runtime room carries it out; what is
 * refused there (SCMP_ACT_NOTIFY) is not here.
 */
#include "ocicli/private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- features ---- */

static const char *const hooks[] = {
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL
};
static const char *const namespaces[] = { "cgroup", "ipc", "mount", "network", "pid", "uts", NULL };
static const char *const actions[] = { "SCMP_ACT_ALLOW",       "SCMP_ACT_ERRNO",
                                       "SCMP_ACT_KILL",        "SCMP_ACT_KILL_PROCESS",
                                       "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
                                       "SCMP_ACT_NOTIFY",      "SCMP_ACT_TRACE",
                                       "SCMP_ACT_TRAP",        NULL };
static const char *const operators[] = { "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
                                         "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ",
                                         "SCMP_CMP_NE", NULL };
#if defined(__x86_64__)
static const char *const archs[] = { "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", NULL };
#else
static const char *const archs[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", NULL };
#endif
static const char *const filter_flags[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                                            "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                            /* The last one: Linux 5.19. */
                                            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL };

static const char *const memory_modes[] = { "MPOL_DEFAULT",    "MPOL_BIND",
                                            "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
                                            "MPOL_PREFERRED",  "MPOL_PREFERRED_MANY",
                                            "MPOL_LOCAL",      NULL };
static const char *const memory_flags[] = { "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES",
                                            "MPOL_F_STATIC_NODES", NULL };

/* Each adder is one row; a failure sticks. */
struct builder {
    int result;
};

static void set(struct builder *builder, struct cl_json *object, const char *key,
                struct cl_json *take_value)
{
    if (builder->result < 0 || object == NULL) {
        cl_json_unref(take_value);
        builder->result = -ENOMEM;
        return;
    }
    builder->result = cl_json_set(object, key, take_value);
}

static void set_words(struct builder *builder, struct cl_json *object, const char *key,
                      const char *const *words)
{
    set(builder, object, key, cl_json_from_strv(words));
}

static void set_enabled(struct builder *builder, struct cl_json *object, const char *key, bool is)
{
    struct cl_json *feature = cl_json_object();
    set(builder, feature, "enabled", cl_json_from_bool(is));
    set(builder, object, key, feature);
}

static struct cl_json *mount_options(struct builder *builder)
{
    struct cl_json *list = cl_json_array();
    for (const struct oci_mount_option *option = oci_mount_options; option->name[0] != '\0';
         option++) {
        if (list != NULL && cl_json_add(list, cl_json_from_string(option->name)) < 0)
            builder->result = -ENOMEM;
    }
    return list;
}

static struct cl_json *capabilities(struct builder *builder, const struct runtime_facts *facts)
{
    struct cl_json *list = cl_json_array();
    for (unsigned i = 0; i <= facts->last_capability; i++) {
        const char *name = oci_cap_name((int)i);
        if (name != NULL && list != NULL && cl_json_add(list, cl_json_from_string(name)) < 0)
            builder->result = -ENOMEM;
    }
    return list;
}

static struct cl_json *cgroups(struct builder *builder)
{
    struct cl_json *cgroup = cl_json_object();
    set(builder, cgroup, "v1", cl_json_from_bool(true));
    set(builder, cgroup, "v2", cl_json_from_bool(true));
    set(builder, cgroup, "systemd", cl_json_from_bool(true));
    set(builder, cgroup, "systemdUser", cl_json_from_bool(true));
    set(builder, cgroup, "rdma", cl_json_from_bool(true));
    return cgroup;
}

static struct cl_json *filters(struct builder *builder)
{
    struct cl_json *seccomp = cl_json_object();
    set(builder, seccomp, "enabled", cl_json_from_bool(true));
    set_words(builder, seccomp, "actions", actions);
    set_words(builder, seccomp, "operators", operators);
    set_words(builder, seccomp, "archs", archs);
    set_words(builder, seccomp, "knownFlags", filter_flags);
    const char *supported[CL_COUNT(filter_flags)] = { NULL };
    for (size_t i = 0; i < CL_COUNT(filter_flags) - (k_seccomp_can_wait() ? 1 : 2); i++)
        supported[i] = filter_flags[i];
    set_words(builder, seccomp, "supportedFlags", supported);
    return seccomp;
}

static struct cl_json *linux_features(struct builder *builder, const struct runtime_facts *facts)
{
    CL_AUTO(cl_strv_free) char **names = NULL;
    struct cl_json *json = cl_json_object(), *extensions = cl_json_object();
    struct cl_json *memory = cl_json_object(), *rdt = cl_json_object();
    if (cl_strv_copy(&names, namespaces) < 0 ||
        (facts->has_time_ns && cl_strv_append(&names, "time") < 0) ||
        (facts->has_user_ns && cl_strv_append(&names, "user") < 0))
        builder->result = -ENOMEM;
    set_words(builder, json, "namespaces", (const char *const *)names);
    set(builder, json, "capabilities", capabilities(builder, facts));
    set(builder, json, "cgroup", cgroups(builder));
    set(builder, json, "seccomp", filters(builder));
    set_enabled(builder, json, "apparmor", true);
    set_enabled(builder, json, "selinux", true);
    set(builder, rdt, "enabled", cl_json_from_bool(true));
    set(builder, rdt, "schemata", cl_json_from_bool(true));
    set(builder, rdt, "monitoring", cl_json_from_bool(true));
    set(builder, json, "intelRdt", rdt);
    set_words(builder, memory, "modes", memory_modes);
    set_words(builder, memory, "flags", memory_flags);
    set(builder, json, "memoryPolicy", memory);
    set_enabled(builder, json, "netDevices", true);
    set_enabled(builder, extensions, "idmap", true);
    set(builder, json, "mountExtensions", extensions);
    return json;
}

/* What somebody could do harm with who may write annotations: all that we carry out. */
static struct cl_json *unsafe_annotations(struct builder *builder)
{
    struct cl_json *list = cl_json_array();
    for (size_t i = 0; i < runtime_annotation_count; i++)
        if (runtime_annotations[i].refusal[0] == '\0' && list != NULL &&
            cl_json_add(list, cl_json_from_string(runtime_annotations[i].name)) < 0)
            builder->result = -ENOMEM;
    return list;
}

static int features(const struct ocicli *cli, const void *options, char **arguments,
                    struct cl_error *err)
{
    struct runtime_facts facts;
    struct builder builder = { 0 };
    int result = runtime_facts_init(&facts, err);
    if (result < 0)
        return result;
    struct cl_json *json = cl_json_object(), *annotations = cl_json_object();
    set(&builder, json, "ociVersionMin", cl_json_from_string(OCI_SPEC_VERSION_MIN));
    set(&builder, json, "ociVersionMax", cl_json_from_string(OCI_SPEC_VERSION));
    set_words(&builder, json, "hooks", hooks);
    set(&builder, json, "mountOptions", mount_options(&builder));
    set(&builder, json, "linux", linux_features(&builder, &facts));
    set(&builder, annotations, "cloche.runtime.version", cl_json_from_string(CLOCHE_VERSION));
    /* By the name that callers look for, as crun has it too. */
    set(&builder, annotations, "org.opencontainers.runc.checkpoint.enabled",
        cl_json_from_string("true"));
    set(&builder, json, "annotations", annotations);
    set(&builder, json, "potentiallyUnsafeConfigAnnotations", unsafe_annotations(&builder));
    runtime_facts_done(&facts);
    if (builder.result >= 0)
        return print_json(json, err);
    cl_json_unref(json);
    return cl_fail(err, ENOMEM, "list features");
}

const struct verb verb_features = {
    .name = "features",
    .synopsis = "",
    .summary = "Print what this runtime can do, as JSON",
    .run = features,
};

/* ---- spec ---- */

struct spec_options {
    const char *bundle, *file;
    bool rootless;
};
static const struct option_row spec_table[] = {
    OPTION("bundle", 'b', OPTION_STRING, "DIR",
           "Where to write it (default: the working directory)", struct spec_options, bundle),
    OPTION("file", 'f', OPTION_STRING, "FILE", "Its name there (default \"config.json\")",
           struct spec_options, file),
    OPTION("rootless", 0, OPTION_FLAG, "",
           "For an ordinary user: a user namespace with your own ids", struct spec_options,
           rootless),
};

static int write_spec(const char *directory, const char *name, const char *text,
                      struct cl_error *err)
{
    cl_auto_fd dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return cl_fail(err, errno, "open %s", directory);
    cl_auto_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    const char *between = name[0] == '/' ? "" : "/";
    if (name[0] == '/')
        directory = "";
    if (fd < 0 && errno == EEXIST)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST, "%s%s%s exists; remove it first",
                            directory, between, name);
    if (fd < 0)
        return cl_fail(err, errno, "make %s%s%s", directory, between, name);
    ssize_t size = cl_write_full(fd, text, strlen(text));
    if (size >= 0)
        size = cl_write_full(fd, "\n", 1);
    return size < 0 ? cl_fail(err, (int)size, "write %s%s%s", directory, between, name) : 0;
}

/* A spec to begin with has to run where it was written: without a time namespace on a kernel that has none. */
static void fit_to_host(struct oci_spec *spec)
{
    cl_auto_fd proc = procfs_open_host(NULL);
    if (proc >= 0 && faccessat(proc, "self/ns/time", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        (void)oci_namespace_remove(spec, OCI_NS_TIME);
}

static void drop_options(struct oci_mount *mount, const char *prefix)
{
    char **kept = mount->options;
    for (char **option = mount->options; option != NULL && *option != NULL; option++) {
        if (cl_starts_with(*option, prefix))
            free(*option);
        else
            *kept++ = *option;
    }
    if (kept != NULL)
        *kept = NULL;
}

/* A new sysfs takes a network namespace of one's own. Read-only all the way down: in the host's /sys
   lie the control groups of the user (CVE-2023-25809). */
static int bind_sysfs(struct oci_mount *mount)
{
    static const char *const options[] = {
        "rbind", "nosuid", "noexec", "nodev", "ro", "rro", NULL
    };
    cl_strv_free(mount->options);
    mount->options = NULL;
    int result = cl_strv_copy(&mount->options, options);
    if (result >= 0)
        result = oci_string_set(&mount->type, "none");
    return result < 0 ? result : oci_string_set(&mount->source, "/sys");
}

/* What takes root is left out: limits, a network namespace (whose interfaces nobody could set up),
   groups that are not mapped. */
static int make_rootless(struct oci_spec *spec)
{
    int result = oci_namespace_add(spec, OCI_NS_USER, NULL);
    if (result >= 0)
        result = oci_id_mapping_add(&spec->linux_.uid_mappings, 0, geteuid(), 1);
    if (result >= 0)
        result = oci_id_mapping_add(&spec->linux_.gid_mappings, 0, getegid(), 1);
    (void)oci_namespace_remove(spec, OCI_NS_NETWORK);
    for (size_t i = 0; result >= 0 && i < spec->mount_count; i++) {
        drop_options(&spec->mounts[i], "uid=");
        drop_options(&spec->mounts[i], "gid=");
        if (cl_streq(spec->mounts[i].destination, "/sys"))
            result = bind_sysfs(&spec->mounts[i]);
    }
    oci_resources_done(&spec->linux_.resources);
    spec->linux_.resources = (struct oci_resources){ 0 };
    return result;
}

static int spec_(const struct ocicli *cli, const void *data, char **arguments, struct cl_error *err)
{
    const struct spec_options *options = data;
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    cl_auto_free char *text = NULL;
    if (spec != NULL)
        fit_to_host(spec);
    if (spec != NULL && oci_string_set(&spec->hostname, "cloche") >= 0 &&
        (!options->rootless || make_rootless(spec) >= 0) && oci_spec_encode(spec, &json) >= 0)
        text = cl_json_text(json, 4);
    return text == NULL
               ? cl_fail(err, ENOMEM, "make a spec")
               : write_spec(options->bundle != NULL ? options->bundle : ".",
                            options->file != NULL ? options->file : "config.json", text, err);
}

const struct verb verb_spec = {
    .name = "spec",
    .synopsis = "[OPTIONS]",
    .summary = "Write a config.json with private defaults for a root file system in rootfs",
    VERB_OPTIONS(spec_table, struct spec_options),
    .run = spec_,
};
