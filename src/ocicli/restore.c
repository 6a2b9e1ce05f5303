/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore, by criu: what create and start are for a new container. The order is theirs (create.c), with CRIU in init's place: state.json is there with the control group
 * before there is a process, and with its pid before it runs.
 */
#include "ocicli/creation.h"

struct restore_options {
    struct criu_flags criu;
    const char *bundle, *console_socket, *pid_file, *lsm_profile, *lsm_mount_context;
    bool detach, no_subreaper;
};
#define RESTORE_OPTION(name, letter, kind, placeholder, text, member)                              \
    OPTION(name, letter, kind, placeholder, text, struct restore_options, member)

static const struct option_row restore_table[] = {
    CRIU_ROWS,
    RESTORE_OPTION("bundle", 'b', OPTION_STRING, "DIR",
                   "The bundle (default: the working directory)", bundle),
    RESTORE_OPTION("console-socket", 0, OPTION_STRING, "PATH",
                   "Send the terminal's master to this socket (SCM_RIGHTS)", console_socket),
    RESTORE_OPTION("pid-file", 0, OPTION_STRING, "FILE", "Write the first process's pid to FILE",
                   pid_file),
    RESTORE_OPTION("detach", 'd', OPTION_FLAG, "", "Return once the program runs", detach),
    RESTORE_OPTION("lsm-profile", 0, OPTION_STRING, "TYPE:NAME",
                   "Run it with this label: apparmor:NAME or selinux:CONTEXT", lsm_profile),
    RESTORE_OPTION("lsm-mount-context", 0, OPTION_STRING, "CONTEXT",
                   "Mount with this SELinux context what was mounted with another",
                   lsm_mount_context),
    RESTORE_OPTION("no-subreaper", 0, OPTION_FLAG, "",
                   "As it is anyway: cloche-runtime never makes itself one", no_subreaper),
    REFUSED("no-pivot", "", "criu changes the root in its own way, which is pivot_root"),
    REFUSED("preserve-fds", "N", "a restored process has the files of its images, and no other"),
};

/* The last word before it runs (runtime_options.while_init_works): from now on `delete` knows whom to end. */
static int keep_process(void *context, const struct runtime_process *process, struct cl_error *err)
{
    int result = creation_record_process(context, process, CONTAINER_STATE, err);
    cl_test_point("container recorded");
    return result;
}

static int announce(struct creation *creation, struct cl_error *err)
{
    const struct create_options *flags = creation->flags;
    int result = 0;
    if (flags->console_socket != NULL)
        result = send_console(flags->console_socket, creation->process.console, err);
    return result < 0 ? result : write_pid_file(flags->pid_file, creation->process.pid, err);
}

/* On failure nothing is left. */
static int make_container(struct creation *creation, const struct runtime_criu *criu,
                          struct cl_error *err)
{
    struct cl_error ignored;
    int result = container_claim(creation->cli, creation->options.id, &creation->container, err);
    if (result < 0)
        return result;
    result = creation_record(creation, err);
    if (result >= 0)
        result = creation_keep_spec(creation, NULL, err);
    creation->options.while_init_works = keep_process;
    creation->options.context = creation;
    if (result >= 0)
        result = runtime_restore(creation->plan, criu, &creation->io, &creation->process, err);
    if (result >= 0) {
        result = announce(creation, err);
        if (result < 0)
            (void)creation_end_process(creation, &ignored); /* the first error is the reason */
    }
    if (result < 0 && creation->process.has_run_hooks)
        hooks_poststop(creation->cli, &creation->container);
    if (result < 0)
        (void)container_forget(creation->cli, &creation->container, &ignored); /* as above */
    return result;
}

static int restore_container(struct creation *creation, const struct runtime_criu *criu,
                             const char *id, struct cl_error *err)
{
    bool is_detached = creation->flags->detach;
    int result = creation_plan(creation, id, is_detached, err);
    if (result >= 0 && !is_detached)
        result = relay_prepare(err);
    if (result >= 0)
        result = make_container(creation, criu, err);
    if (result < 0)
        return result;
    container_unlock(&creation->container);
    return is_detached ? 0 : creation_follow(creation, err);
}

static int restore(const struct ocicli *cli, const void *data, char **arguments,
                   struct cl_error *err)
{
    const struct restore_options *options = data;
    const struct create_options flags = {
        .bundle = options->bundle,
        .console_socket = options->console_socket,
        .pid_file = options->pid_file,
        .detach = options->detach,
    };
    struct runtime_criu criu;
    struct creation creation;
    int result = criu_take_flags(cli, &options->criu, &criu, err);
    if (result >= 0)
        result = criu_check_caller("restore", err);
    if (result < 0)
        return result;
    criu.lsm_profile = options->lsm_profile;
    criu.lsm_mount_context = options->lsm_mount_context;
    creation_init(&creation, cli, &flags);
    result = restore_container(&creation, &criu, arguments[0], err);
    creation_done(&creation);
    return result;
}

const struct verb verb_restore = {
    .name = "restore",
    .synopsis = "[OPTIONS] ID",
    .summary = "Make a container out of the files that checkpoint wrote, by criu",
    VERB_OPTIONS(restore_table, struct restore_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = restore,
};
