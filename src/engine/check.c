/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be known to be wrong with a configuration before anything is claimed, and the small grammars of its values.
 */
#include "engine/engine_private.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MEMORY_MINIMUM (6 * 1024 * 1024) /* Docker's: less can't even start a process */

bool engine_is_host(const char *mode)
{
    return cl_streq(mode, "host");
}

static int check_mode(const char *flag, const char *mode, const char *private_word,
                      struct cl_error *err)
{
    if (mode[0] == '\0' || engine_is_host(mode) || cl_streq(mode, private_word))
        return 0;
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                        "--%s %s: only \"host\" and \"%s\" are possible here", flag, mode,
                        private_word);
}

static int check_modes(const struct engine_config *config, struct cl_error *err)
{
    int result = check_mode("network", config->network_mode, "none", err);
    if (result >= 0)
        result = check_mode("pid", config->pid_mode, "private", err);
    if (result >= 0)
        result = check_mode("ipc", config->ipc_mode, "private", err);
    if (result >= 0)
        result = check_mode("uts", config->uts_mode, "private", err);
    if (result >= 0)
        result = check_mode("cgroupns", config->cgroupns_mode, "private", err);
    if (result >= 0)
        result = check_mode("time", config->time_mode, "private", err);
    return result;
}

static int check_resources(const struct engine_config *config, struct cl_error *err)
{
    if (config->memory < 0 || (config->memory > 0 && config->memory < MEMORY_MINIMUM))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--memory %lld: the least possible limit is 6 MiB",
                            (long long)config->memory);
    if (config->memory_swap > 0 && config->memory == 0)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--memory-swap needs --memory: it is the sum of memory and swap");
    if (config->memory_swap > 0 && config->memory_swap < config->memory)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--memory-swap %lld is less than --memory %lld; it is the sum of "
                            "memory and swap",
                            (long long)config->memory_swap, (long long)config->memory);
    if (config->nano_cpus < 0 || (config->nano_cpus > 0 && config->nano_cpus < 10000000))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--cpus: the least possible share is 0.01 of a CPU");
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus > 0 && config->nano_cpus / 1000000000 >= cpus &&
        config->nano_cpus != cpus * 1000000000)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--cpus: this machine has %ld; the range is 0.01 to %ld", cpus, cpus);
    if (config->nano_cpus > 0 && (config->cpu_quota != 0 || config->cpu_period != 0))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--cpus and --cpu-quota/--cpu-period say the same thing twice; give "
                            "one of them");
    if (config->shm_size < 0)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "--shm-size must be more than 0");
    if (config->oom_score_adj < -1000 || config->oom_score_adj > 1000)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--oom-score-adj %lld is outside -1000 … 1000",
                            (long long)config->oom_score_adj);
    return 0;
}

static int check_security(const struct engine_config *config, struct cl_error *err)
{
    static const char *const known[] = { "no-new-privileges",       "no-new-privileges:true",
                                         "no-new-privileges=true",  "no-new-privileges:false",
                                         "no-new-privileges=false", "seccomp=unconfined",
                                         "seccomp:unconfined",      "seccomp=builtin",
                                         "apparmor=unconfined",     "label=disable",
                                         "label:disable",           "record-denials" };
    for (char **option = config->security_opt; option != NULL && *option != NULL; option++) {
        bool found = false;
        for (size_t i = 0; i < CL_COUNT(known); i++)
            found = found || cl_streq(*option, known[i]);
        if (!found)
            return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EINVAL,
                                "--security-opt %s: known are no-new-privileges, "
                                "seccomp=unconfined, apparmor=unconfined, label=disable and "
                                "record-denials",
                                *option);
    }
    return 0;
}

static int check_lists(const struct engine_config *config, struct cl_error *err)
{
    int result = 0;
    for (char **bind = config->binds; result >= 0 && bind != NULL && *bind != NULL; bind++) {
        struct engine_bind parsed = { 0 };
        result = engine_bind_parse(*bind, &parsed, err);
        engine_bind_done(&parsed);
    }
    for (char **limit = config->ulimits; result >= 0 && limit != NULL && *limit != NULL; limit++) {
        int type;
        uint64_t soft, hard;
        result = engine_ulimit_parse(*limit, &type, &soft, &hard, err);
    }
    for (char **path = config->tmpfs; result >= 0 && path != NULL && *path != NULL; path++)
        if ((*path)[0] != '/')
            result = cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                                  "--tmpfs %s: the path must be absolute", *path);
    for (char **host = config->extra_hosts; result >= 0 && host != NULL && *host != NULL; host++)
        if (strchr(*host, ':') == NULL && strchr(*host, '=') == NULL)
            result = cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                                  "--add-host %s: expected HOST:ADDRESS", *host);
    for (char **item = config->sysctls; result >= 0 && item != NULL && *item != NULL; item++)
        if (strchr(*item, '=') == NULL)
            result = cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "--sysctl %s: expected NAME=VALUE",
                                  *item);
    return result;
}

int engine_config_check(const struct engine_config *config, struct cl_error *err)
{
    uint64_t mask;
    int result = check_modes(config, err);
    if (result >= 0)
        result = check_resources(config, err);
    if (result >= 0)
        result = check_security(config, err);
    if (result >= 0)
        result = engine_capabilities(config, &mask, err);
    if (result >= 0)
        result = check_lists(config, err);
    if (result < 0)
        return result;
    if (config->hostname[0] != '\0' && engine_is_host(config->uts_mode))
        return cl_fail_kind(err, CL_KIND_CONFLICT, EINVAL,
                            "--hostname would rename the host: it can't be combined with --uts "
                            "host");
    if (strlen(config->hostname) > 64)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--hostname is longer than the 64 bytes that Linux allows");
    if (config->stop_signal[0] != '\0' && oci_signal_number(config->stop_signal) < 0)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "--stop-signal %s is no signal",
                            config->stop_signal);
    if (config->working_dir[0] != '\0' && config->working_dir[0] != '/')
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "the working directory '%s' is invalid, it needs to be an absolute "
                            "path",
                            config->working_dir);
    return 0;
}

/* ---- capabilities ---- */

static int change_mask(const char *flag, const char *const *names, bool add, uint64_t *mask,
                       struct cl_error *err)
{
    for (; names != NULL && *names != NULL; names++) {
        uint64_t change;
        int number = -1;
        if (strcasecmp(*names, "ALL") == 0) {
            change = OCI_CAP_ALL;
        } else if ((number = oci_cap_number(*names)) >= 0) {
            change = UINT64_C(1) << number;
        } else {
            const char *closest = oci_cap_closest(*names);
            return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "%s %s: no such capability%s%s%s",
                                flag, *names, closest == NULL ? "" : "; did you mean ",
                                closest == NULL ? "" : closest, closest == NULL ? "" : "?");
        }
        *mask = add ? *mask | change : *mask & ~change;
    }
    return 0;
}

static bool names_all(char **names)
{
    for (; names != NULL && *names != NULL; names++)
        if (strcasecmp(*names, "ALL") == 0)
            return true;
    return false;
}

/* As Docker: with --cap-drop ALL only what is added remains; with --cap-add ALL everything but what is dropped. */
int engine_capabilities(const struct engine_config *config, uint64_t *ret_mask,
                        struct cl_error *err)
{
    const char *const *add = (const char *const *)config->cap_add;
    const char *const *drop = (const char *const *)config->cap_drop;
    uint64_t mask = config->privileged ? OCI_CAP_ALL : oci_cap_default;
    int result;
    if (names_all(config->cap_drop) && !names_all(config->cap_add)) {
        result = change_mask("--cap-drop", drop, false, &mask, err);
        if (result >= 0)
            result = change_mask("--cap-add", add, true, &mask, err);
    } else {
        result = change_mask("--cap-add", add, true, &mask, err);
        if (result >= 0)
            result = change_mask("--cap-drop", drop, false, &mask, err);
    }
    if (result < 0)
        return result;
    *ret_mask = mask;
    return 0;
}

/* ---- small grammars ---- */

void engine_bind_done(struct engine_bind *bind)
{
    free(bind->source);
    free(bind->destination);
    free(bind->options);
    *bind = (struct engine_bind){ 0 };
}

static int check_bind_options(const char *text, const char *options, struct cl_error *err)
{
    static const char *const known[] = { "ro",     "rw",      "z",       "Z",      "rprivate",
                                         "rslave", "rshared", "private", "slave",  "shared",
                                         "nocopy", "bind",    "rbind",   "nosuid", "nodev",
                                         "noexec", "exec",    "suid",    "dev",    "rro" };
    CL_AUTO(cl_strv_free) char **words = NULL;
    for (const char *word = options; *word != '\0';) {
        size_t length = strcspn(word, ",");
        if (cl_strv_append_take(&words, cl_strndup(word, length)) < 0)
            return cl_fail(err, ENOMEM, "volume %s", text);
        word += length + (word[length] == ',');
    }
    for (char **word = words; word != NULL && *word != NULL; word++) {
        bool found = false;
        for (size_t i = 0; i < CL_COUNT(known); i++)
            found = found || cl_streq(*word, known[i]);
        if (!found)
            return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                                "volume %s: option \"%s\" is not known here (ro, rw, rro, nosuid, "
                                "nodev, noexec and propagation are)",
                                text, *word);
        if (strcasecmp(*word, "z") == 0 && access("/sys/fs/selinux/enforce", F_OK) == 0)
            return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EINVAL,
                                "volume %s: relabelling for SELinux (%s) is not built yet", text,
                                *word);
    }
    return 0;
}

int engine_bind_parse(const char *text, struct engine_bind *ret, struct cl_error *err)
{
    struct engine_bind bind = { 0 };
    const char *first = strchr(text, ':');
    const char *second = first == NULL ? NULL : strchr(first + 1, ':');
    if (first == NULL)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EINVAL,
                            "volume %s: anonymous volumes are not built yet; give "
                            "SOURCE:DESTINATION",
                            text);
    if (text[0] != '/')
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EINVAL,
                            "volume %s: named volumes are not built yet; give an absolute source "
                            "path",
                            text);
    size_t length = second == NULL ? strlen(first + 1) : (size_t)(second - first - 1);
    if (length == 0 || first[1] != '/')
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "volume %s: the destination must be an absolute path", text);
    if (length == 1)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "volume %s: the destination can't be \"/\"", text);
    int result = check_bind_options(text, second == NULL ? "" : second + 1, err);
    if (result < 0)
        return result;
    bind.source = cl_strndup(text, (size_t)(first - text));
    bind.destination = cl_strndup(first + 1, length);
    bind.options = cl_strdup(second == NULL ? "" : second + 1);
    if (bind.source == NULL || bind.destination == NULL || bind.options == NULL) {
        engine_bind_done(&bind);
        return cl_fail(err, ENOMEM, "volume %s", text);
    }
    *ret = bind;
    return 0;
}

static int parse_limit(const char *text, uint64_t *ret)
{
    if (cl_streq(text, "-1") || cl_streq(text, "unlimited")) {
        *ret = UINT64_MAX;
        return 0;
    }
    return cl_parse_u64(text, 0, UINT64_MAX, ret);
}

int engine_ulimit_parse(const char *text, int *ret_type, uint64_t *ret_soft, uint64_t *ret_hard,
                        struct cl_error *err)
{
    char name[32], soft_text[32];
    uint64_t soft = 0, hard = 0;
    const char *equals = strchr(text, '=');
    const char *colon = equals == NULL ? NULL : strchr(equals, ':');
    size_t soft_length = colon == NULL ? 0 : (size_t)(colon - equals - 1);
    bool good = equals != NULL && (size_t)(equals - text) < sizeof name;
    if (good && colon == NULL)
        soft_length = strlen(equals + 1);
    good = good && CL_PRINT(name, "%.*s", (int)(equals - text), text) == 0 &&
           CL_PRINT(soft_text, "%.*s", (int)soft_length, equals + 1) == 0 &&
           parse_limit(soft_text, &soft) == 0;
    hard = soft;
    good = good && (colon == NULL || parse_limit(colon + 1, &hard) == 0);
    if (!good)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "--ulimit %s: expected NAME=SOFT[:HARD]",
                            text);
    int type = oci_rlimit_number(name);
    if (type < 0)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "--ulimit %s: no such limit", text);
    if (soft > hard)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--ulimit %s: the soft limit is above the hard one", text);
    *ret_type = type;
    *ret_soft = soft;
    *ret_hard = hard;
    return 0;
}

static int device_node(const char *text, const char *path, struct oci_device *ret,
                       struct cl_error *err)
{
    struct stat status;
    if (stat(path, &status) < 0) /* allowed: a device of the host, named by its user */
        return cl_fail(err, errno, "--device %s", text);
    if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))
        return cl_fail_kind(err, CL_KIND_INVALID, ENODEV, "--device %s: %s is no device node", text,
                            path);
    ret->type = S_ISCHR(status.st_mode) ? OCI_DEVICE_CHAR : OCI_DEVICE_BLOCK;
    ret->major = major(status.st_rdev);
    ret->minor = minor(status.st_rdev);
    ret->file_mode = (struct oci_opt_u32)OCI_SOME(status.st_mode & 0777);
    ret->uid = (struct oci_opt_u32)OCI_SOME(status.st_uid);
    ret->gid = (struct oci_opt_u32)OCI_SOME(status.st_gid);
    return 0;
}

int engine_device_parse(const char *text, struct oci_device *ret, char ret_access[static 4],
                        struct cl_error *err)
{
    char host[PATH_MAX], inside[PATH_MAX] = "", access[4] = "rwm";
    struct oci_device device = { 0 };
    size_t length = strcspn(text, ":");
    const char *rest = text[length] == ':' ? text + length + 1 : "";
    if (CL_PRINT(host, "%.*s", (int)length, text) < 0 || host[0] != '/')
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "--device %s: expected an absolute path",
                            text);
    size_t second = strcspn(rest, ":");
    const char *last = rest[second] == ':' ? rest + second + 1 : "";
    if (rest[0] == '/' && CL_PRINT(inside, "%.*s", (int)second, rest) < 0)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "--device %s: the path is too long",
                            text);
    if (rest[0] != '/' && rest[0] != '\0')
        last = rest;
    if (last[0] != '\0' && (strspn(last, "rwm") != strlen(last) || CL_PRINT(access, "%s", last)))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "--device %s: permissions are made of r, w and m", text);
    int result = device_node(text, host, &device, err);
    if (result < 0)
        return result;
    device.path = cl_strdup(inside[0] == '\0' ? host : inside);
    if (device.path == NULL)
        return cl_fail(err, ENOMEM, "--device %s", text);
    *ret = device;
    memcpy(ret_access, access, sizeof access);
    return 0;
}
