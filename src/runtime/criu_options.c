/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU is told in every request, and what of a container can't be in a checkpoint.
 */
#include "runtime/criu.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#define LOG_LEVEL 4

/* ---- options ---- */

static const struct {
    enum criu_option field;
    size_t offset;
} flags[] = {
    { CRIU_LEAVE_RUNNING, offsetof(struct runtime_criu, leave_running) },
    { CRIU_EXT_UNIX_SK, offsetof(struct runtime_criu, ext_unix_sk) },
    { CRIU_TCP_ESTABLISHED, offsetof(struct runtime_criu, tcp_established) },
    { CRIU_SHELL_JOB, offsetof(struct runtime_criu, shell_job) },
    { CRIU_FILE_LOCKS, offsetof(struct runtime_criu, file_locks) },
    { CRIU_AUTO_DEDUP, offsetof(struct runtime_criu, auto_dedup) },
    { CRIU_LINK_REMAP, offsetof(struct runtime_criu, link_remap) },
    { CRIU_TCP_SKIP_IN_FLIGHT, offsetof(struct runtime_criu, tcp_skip_in_flight) },
    { CRIU_LAZY_PAGES, offsetof(struct runtime_criu, lazy_pages) },
    { CRIU_TCP_CLOSE, offsetof(struct runtime_criu, tcp_close) },
};

struct word {
    const char *text;
    int value;
};
static const struct word cgroups_modes[] = {
    { "soft", 3 }, { "full", 4 }, { "strict", 5 }, { "ignore", 0 }
};
static const struct word network_locks[] = { { "iptables", 1 }, { "nftables", 2 }, { "skip", 3 } };

static int find_word(const struct word *words, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (cl_streq(words[i].text, text))
            return words[i].value;
    return -EINVAL;
}

/* CRIU's own configuration file for containers: the annotation's, or runc's or crun's, which people have. CRIU passes over one that is not there. */
static void put_config_file(struct cl_buf *out, const struct oci_spec *spec)
{
    static const char runc[] = "/etc/criu/runc.conf", crun[] = "/etc/criu/crun.conf";
    const char *path = oci_map_get(&spec->annotations, "org.criu.config");
    if (path == NULL)
        path = faccessat(AT_FDCWD, runc, F_OK, 0) < 0 && faccessat(AT_FDCWD, crun, F_OK, 0) == 0
                   ? crun
                   : runc;
    if (path[0] != '\0')
        criu_put_text(out, CRIU_CONFIG_FILE, path);
}

static int put_words(struct cl_buf *out, const struct runtime_criu *options, struct cl_error *err)
{
    const char *mode = options->cgroups_mode != NULL ? options->cgroups_mode : "soft";
    int value = find_word(cgroups_modes, CL_COUNT(cgroups_modes), mode);
    if (value < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--manage-cgroups-mode %s: expected soft, full, strict or ignore",
                            mode);
    criu_put_number(out, CRIU_MANAGE_CGROUPS, true); /* versions that know no modes */
    criu_put_number(out, CRIU_MANAGE_CGROUPS_MODE, value);
    if (options->network_lock == NULL)
        return 0;
    value = find_word(network_locks, CL_COUNT(network_locks), options->network_lock);
    if (value < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--network-lock %s: expected iptables, nftables or skip",
                            options->network_lock);
    criu_put_number(out, CRIU_NETWORK_LOCK, value);
    return 0;
}

int criu_put_options(struct cl_buf *out, const struct runtime_criu *options,
                     const struct criu_places *places, const struct oci_spec *spec,
                     struct cl_error *err)
{
    criu_put_number(out, CRIU_IMAGES_DIR_FD, CRIU_IMAGES_FD);
    criu_put_number(out, CRIU_WORK_DIR_FD, CRIU_WORK_FD);
    criu_put_number(out, CRIU_LOG_LEVEL, LOG_LEVEL);
    criu_put_text(out, CRIU_LOG_FILE, places->log);
    criu_put_number(out, CRIU_NOTIFY_SCRIPTS, true);
    criu_put_number(out, CRIU_ORPHAN_PTS_MASTER, true);
    /* Interfaces and their addresses belong to who made them: an engine, or its hooks. */
    criu_put_number(out, CRIU_EMPTY_NS, CLONE_NEWNET);
    for (size_t i = 0; i < CL_COUNT(flags); i++)
        if (*(const bool *)((const char *)options + flags[i].offset))
            criu_put_number(out, flags[i].field, true);
    put_config_file(out, spec);
    return put_words(out, options, err);
}

/* ---- what can't be done ---- */

static bool has_listener(const struct oci_spec *spec)
{
    return spec->linux_.seccomp != NULL && spec->linux_.seccomp->listener_path != NULL;
}

/* In a user namespace create locks what it mounts (mnt_lock.c), CRIU does not: so nobody with CAP_SYS_ADMIN in there may have anything that hides something of the host's.
   The property of it; NULL: nothing does. The flags of binds are locked by criu_place.c. */
static const char *find_hiding(const struct oci_spec *spec)
{
    const struct oci_linux *linux_ = &spec->linux_;
    if (linux_->masked_paths != NULL && linux_->masked_paths[0] != NULL)
        return "linux.maskedPaths";
    if (linux_->readonly_paths != NULL && linux_->readonly_paths[0] != NULL)
        return "linux.readonlyPaths";
    if (spec->root.readonly) /* CRIU's helper makes that mount, from outside of the namespace */
        return "root.readonly";
    for (size_t i = 0; i < spec->mount_count; i++) {
        const struct oci_mount *below = &spec->mounts[i];
        bool is_host = criu_is_bind(below) || cl_streq(below->type, "proc");
        for (size_t over = i + 1; is_host && over < spec->mount_count; over++)
            if (criu_rest_below(spec->mounts[over].destination, below->destination) != NULL)
                return "mounts, one over another";
    }
    return NULL;
}

bool criu_is_mighty(const struct oci_spec *spec)
{
    return oci_namespace_find(spec, OCI_NS_USER) != NULL && spec->process != NULL &&
           spec->process->capabilities != NULL &&
           (spec->process->capabilities->bounding.mask & (1ULL << CAP_SYS_ADMIN)) != 0;
}

static int refuse(struct cl_error *err, const char *path, const char *why)
{
    return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP, "%s: not in a checkpoint: %s", path,
                        why);
}

static int refuse_mighty(struct cl_error *err, const char *hiding)
{
    return cl_fail_kind(
        err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
        "process.capabilities.bounding: not in a checkpoint: CAP_SYS_ADMIN in a user "
        "namespace and something to hide (%s): the mounts that criu makes are not "
        "locked, so it could take that away",
        hiding);
}

int criu_check_sources(const struct oci_spec *spec, const struct criu_sources *sources,
                       struct cl_error *err)
{
    for (size_t i = 0; criu_is_mighty(spec) && i < sources->count; i++) {
        const struct criu_source *source = &sources->items[i];
        if (source->mount->kind == PLAN_MOUNT_BIND &&
            !cl_streq(source->path, source->mount->source))
            return refuse_mighty(err, source->path);
    }
    return 0;
}

const char *criu_external_ns(enum oci_namespace_type type)
{
    return type == OCI_NS_NETWORK ? "extRootNetNS" : type == OCI_NS_PID ? "extRootPidNS" : NULL;
}

int criu_check_spec(const struct oci_spec *spec, struct cl_error *err)
{
    for (size_t i = 0; i < spec->linux_.namespace_count; i++) {
        const struct oci_namespace *ns = &spec->linux_.namespaces[i];
        char path[64];
        bool is_hard =
            ns->type == OCI_NS_MOUNT || ns->type == OCI_NS_CGROUP || ns->type == OCI_NS_USER;
        (void)CL_PRINT(path, "linux.namespaces[%zu].path", i);
        if (is_hard && ns->path != NULL)
            return refuse(err, path, "criu can't restore into a namespace of this type");
    }
    if (oci_namespace_find(spec, OCI_NS_USER) != NULL &&
        (!plan_maps_id(&spec->linux_.uid_mappings, 0) ||
         !plan_maps_id(&spec->linux_.gid_mappings, 0)))
        return refuse(err, "linux.uidMappings", "criu has to be root in there: map id 0");
    const char *hiding = criu_is_mighty(spec) ? find_hiding(spec) : NULL;
    if (hiding != NULL)
        return refuse_mighty(err, hiding);
    if (has_listener(spec))
        return refuse(err, "linux.seccomp.listenerPath", "its agent could not be connected again");
    return 0;
}
