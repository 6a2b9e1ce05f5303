/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container was asked to be: Docker's Config and HostConfig as one flat C struct. A table in config.c (one row a field: JSON section, name,
 * type, offset) makes the JSON that the catalog keeps and that `inspect` shows, and reads it back. Strings and vectors are owned.
 */
#pragma once

#include "base/base.h"

struct store_image;

struct engine_config {
    /* Config */
    char *image; /* as typed */
    char *hostname, *domainname, *user, *working_dir, *stop_signal;
    char **env;     /* KEY=VALUE */
    char **command; /* Cmd */
    char **entrypoint;
    char **labels;       /* KEY=VALUE */
    bool has_entrypoint; /* given by the user, also when empty (--entrypoint "") */
    bool tty, open_stdin, stdin_once, attach_stdin, attach_stdout, attach_stderr;
    int64_t stop_timeout; /* seconds; -1: not given */
    /* HostConfig */
    char *network_mode;                                               /* "none", "host" */
    char *pid_mode, *ipc_mode, *uts_mode, *cgroupns_mode, *time_mode; /* "" (private) or "host" */
    bool auto_remove, privileged, readonly_rootfs, oom_kill_disable, init;
    char **binds; /* SOURCE:DESTINATION[:OPTIONS], absolute */
    char **tmpfs; /* PATH[:OPTIONS] */
    char **cap_add, **cap_drop, **security_opt, **group_add, **extra_hosts, **dns, **dns_search,
        **dns_options, **sysctls, **ulimits, **devices;
    char **masked_paths, **readonly_paths; /* NULL: the default ones */
    int64_t memory, memory_swap, memory_reservation, nano_cpus, cpu_shares, cpu_period, cpu_quota,
        pids_limit, shm_size, oom_score_adj; /* 0: not given */
    char *cpuset_cpus, *cpuset_mems, *cgroup_parent;
    char *log_driver; /* "json-file" or "none" */
};

struct engine_config *engine_config_new(void); /* all defaults */
void engine_config_free(struct engine_config *config);
CL_DEFINE_AUTO(struct engine_config, engine_config_free)
int engine_config_encode(const struct engine_config *config, struct cl_json **ret,
                         struct cl_error *err); /* {"Config":{…},"HostConfig":{…}} */
int engine_config_decode(const struct cl_json *json, struct engine_config **ret,
                         struct cl_error *err);
/* Fill in what the image says: entrypoint, command, env, user, working directory, labels, stop signal (Docker's merge rules: an --entrypoint drops the image's Cmd). */
int engine_config_merge(struct engine_config *config, const struct store_image *image,
                        struct cl_error *err);
/* Everything that can be known to be wrong without touching the machine: modes, capabilities' names, sizes, bind syntax, name syntax. */
int engine_config_check(const struct engine_config *config, struct cl_error *err);
