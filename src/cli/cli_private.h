/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs share.
 */
#pragma once

#include "cli/cli.h"

/* One row of an option table. */
#define CLI_ROW(long_name, short_letter, kind, placeholder, text, options_type, member)            \
    {                                                                                              \
        .name = (long_name), .letter = (short_letter), .type = (kind), .argument = (placeholder),  \
        .help = (text), .offset = offsetof(options_type, member)                                   \
    }
#define CLI_REFUSE(long_name, short_letter, value, reason)                                         \
    {                                                                                              \
        .name = (long_name), .letter = (short_letter), .type = CLI_REFUSED, .help = (reason),      \
        .takes_value = (value)                                                                     \
    }
#define CLI_OPTIONS(table) .options = (table), .option_count = CL_COUNT(table)

/* ---- container_options.c: the options of run and create ---- */
struct container_options {
    bool interactive, tty, read_only, privileged, no_new_privileges, oom_kill_disable, host_time,
        record_denials;
    const char *name, *hostname, *domainname, *user, *workdir, *entrypoint, *network, *pid, *ipc,
        *uts, *cgroupns, *stop_signal, *cgroup_parent, *cpuset_cpus, *cpuset_mems, *log_driver,
        *cidfile, *pull, *time;
    const char **env, **env_file, **label, **label_file, **volume, **mount, **tmpfs, **cap_add,
        **cap_drop, **security_opt, **group_add, **add_host, **dns, **dns_search, **dns_option,
        **sysctl, **ulimit, **device, **attach;
    int64_t memory, memory_swap, memory_reservation, cpus, cpu_shares, cpu_period, cpu_quota,
        pids_limit, shm_size, oom_score_adj, stop_timeout;
    /* run only */
    bool detach, rm, sig_proxy, explain, step;
    const char *detach_keys;
};
/* `create` takes the first CLI_CREATE_OPTIONS rows, `run` all of them. */
#define CLI_RUN_OPTIONS    104
#define CLI_CREATE_OPTIONS (CLI_RUN_OPTIONS - 5)
extern const struct cli_option cli_container_options[CLI_RUN_OPTIONS];
/* Options and operands (IMAGE [COMMAND…]) → configuration, merged with the image's. */
int cli_container_config(struct engine *engine, const struct container_options *options,
                         char **arguments, struct engine_config **ret, struct cl_error *err);
/* -e and --env-file → KEY=VALUE vector, owned. */
int cli_environment(const char **entries, const char **files, char ***ret, struct cl_error *err);
/* Write the id into --cidfile, which must not exist. */
int cli_write_cidfile(const char *path, const char *id, struct cl_error *err);

/* ---- common.c ---- */
/* Do `act` for each reference; print the reference after each success; report each failure on standard error. 0, or 1 if any failed. */
int cli_for_each(struct cli *cli, char **references,
                 int (*act)(struct engine *engine, const char *reference, void *context,
                            struct cl_error *err),
                 void *context, struct cl_error *err);
void cli_print_error(const struct cl_error *err);
/* The id as people see it: 12 digits, or all with no_trunc. */
const char *cli_short_id(const char *id, bool no_trunc, char buffer[static 72]);
/* Is this fd a terminal? Its size, too. */
bool cli_is_terminal(int fd);
/* Output of a flushed stdout: write errors (a full disk, a closed pipe) are errors of the command. */
int cli_flush(struct cl_error *err);
/* --filter KEY=VALUE rows. */
int cli_split_filter(const char *text, char key[static 64], const char **ret_value,
                     struct cl_error *err);

/* ---- verbs.c ---- */
/* The second words of "container", "image", …; 0: there is no such group. */
size_t cli_verbs_of_group(const char *group, const char **ret_words, size_t size);

/* ---- lifecycle.c, shared with run.c ---- */
int cli_follow_container(struct engine *engine, struct engine_started *started,
                         const struct engine_config *config, const char *detach_keys,
                         bool sig_proxy, bool want_stdin, struct cl_error *err);
