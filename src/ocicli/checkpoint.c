/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint, by criu. As with runc and crun the container is gone afterwards (its processes are in the images), unless --leave-running or --pre-dump; so restore can
 * give its name again.
 */
#include "ocicli/private.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

struct checkpoint_options {
    struct criu_flags criu;
    const char *parent_path, *status_fd, *page_server;
    bool leave_running, tcp_skip_in_flight, link_remap, pre_dump;
};
#define CHECKPOINT_OPTION(name, kind, placeholder, text, member)                                   \
    OPTION(name, 0, kind, placeholder, text, struct checkpoint_options, member)

static const struct option_row checkpoint_table[] = {
    CRIU_ROWS,
    CHECKPOINT_OPTION("leave-running", OPTION_FLAG, "", "Let the container go on afterwards",
                      leave_running),
    CHECKPOINT_OPTION("pre-dump", OPTION_FLAG, "",
                      "Write memory only, and let the container go on: for --parent-path",
                      pre_dump),
    CHECKPOINT_OPTION("parent-path", OPTION_STRING, "DIR",
                      "Images of a pre-dump, relative to --image-path: what has not changed since "
                      "is left there",
                      parent_path),
    CHECKPOINT_OPTION("tcp-skip-in-flight", OPTION_FLAG, "",
                      "Leave out TCP connections that are not accepted yet", tcp_skip_in_flight),
    CHECKPOINT_OPTION("link-remap", OPTION_FLAG, "",
                      "Allow open files that were deleted, by linking them again", link_remap),
    CHECKPOINT_OPTION("page-server", OPTION_STRING, "ADDRESS:PORT",
                      "Send memory pages there (criu page-server); with --lazy-pages: listen there",
                      page_server),
    CHECKPOINT_OPTION("status-fd", OPTION_STRING, "N",
                      "Write a zero byte to descriptor N once --lazy-pages listens", status_fd),
};

/* ---- what both verbs share ---- */

int criu_check_caller(const char *verb, struct cl_error *err)
{
    return geteuid() == 0
               ? 0
               : cl_fail_kind(err, CL_KIND_DENIED, EPERM, "%s: needs root, as criu does", verb);
}

int criu_take_flags(const struct ocicli *cli, const struct criu_flags *flags,
                    struct runtime_criu *ret, struct cl_error *err)
{
    for (size_t i = 0; flags->empty_ns != NULL && flags->empty_ns[i] != NULL; i++)
        if (!cl_streq(flags->empty_ns[i], "network"))
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "--empty-ns %s: criu can leave out network only",
                                flags->empty_ns[i]);
    *ret = (struct runtime_criu){
        .program = cli->criu,
        .images = flags->image_path != NULL ? flags->image_path : CHECKPOINT_IMAGES,
        .work = flags->work_path,
        .cgroups_mode = flags->cgroups_mode,
        .network_lock = flags->network_lock,
        .tcp_established = flags->tcp_established,
        .tcp_close = flags->tcp_close,
        .ext_unix_sk = flags->ext_unix_sk,
        .shell_job = flags->shell_job,
        .file_locks = flags->file_locks,
        .auto_dedup = flags->auto_dedup,
        .lazy_pages = flags->lazy_pages,
    };
    return 0;
}

/* ---- flags ---- */

/* "ADDRESS:PORT"; of an IPv6 address "[ADDRESS]:PORT". */
static int take_page_server(const char *text, char address[static 128], struct runtime_criu *criu,
                            struct cl_error *err)
{
    uint64_t port = 0;
    if (text == NULL)
        return 0;
    const char *colon = strrchr(text, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - text);
    bool is_bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';
    if (length == 0 || cl_parse_u64(colon + 1, 1, UINT16_MAX, &port) < 0 ||
        cl_print(address, 128, "%.*s", (int)length - (is_bracketed ? 2 : 0), text + is_bracketed) <
            0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--page-server %.80s: expected ADDRESS:PORT", text);
    criu->page_server = address;
    criu->page_port = (uint16_t)port;
    return 0;
}

/* All others are closed: CRIU is not to have what its caller left open. */
static int take_status_fd(const char *text, bool is_lazy, int *ret, struct cl_error *err)
{
    uint64_t number = 0;
    *ret = -EBADF;
    if (text == NULL || cl_streq(text, "-1"))
        return k_close_range(3, UINT_MAX, false);
    if (cl_parse_u64(text, 3, 65535, &number) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--status-fd %.40s: expected 3 or more",
                            text);
    if (!is_lazy)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--status-fd is for --lazy-pages");
    int mode = fcntl((int)number, F_GETFL);
    if (mode < 0 || (mode & O_ACCMODE) == O_RDONLY)
        return cl_fail_kind(err, CL_KIND_USAGE, EBADF, "--status-fd %s: %s", text,
                            mode < 0 ? "it is not open" : "it can't be written to");
    (void)fcntl((int)number, F_SETFD, FD_CLOEXEC); /* CRIU tells us, and we tell who waits */
    *ret = (int)number;
    int result = number > 3 ? k_close_range(3, (unsigned)number - 1, false) : 0;
    return result < 0 ? result : k_close_range((unsigned)number + 1, UINT_MAX, false);
}

static int take_flags(const struct ocicli *cli, const struct checkpoint_options *options,
                      char address[static 128], struct runtime_criu *ret, struct cl_error *err)
{
    int result = criu_take_flags(cli, &options->criu, ret, err);
    if (result < 0)
        return result;
    ret->parent = options->parent_path;
    ret->leave_running = options->leave_running;
    ret->pre_dump = options->pre_dump;
    ret->tcp_skip_in_flight = options->tcp_skip_in_flight;
    ret->link_remap = options->link_remap;
    result = take_page_server(options->page_server, address, ret, err);
    return result < 0
               ? result
               : take_status_fd(options->status_fd, options->criu.lazy_pages, &ret->status_fd, err);
}

/* ---- the verb ---- */

static int check_status(const struct container *container, struct cl_error *err)
{
    enum oci_status status;
    int result = container_status(container, &status, err);
    if (result < 0 || status == OCI_RUNNING || status == OCI_PAUSED)
        return result;
    return cl_fail_kind(err, CL_KIND_CONFLICT, EINVAL, "cannot checkpoint container %s: it is %s",
                        container->id, oci_status_name(status));
}

static int write_images(const struct container *container, const struct runtime_criu *criu,
                        struct cl_error *err)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    const struct runtime_target target = {
        .pid = container->pid,
        .start_ticks = container->start_ticks,
        .cgroup_path = container->cgroup_path[0] != '\0' ? container->cgroup_path : NULL,
    };
    int result = container_read_spec(container, &spec, err);
    return result < 0 ? result : runtime_checkpoint(&target, spec, criu, err);
}

static int checkpoint(const struct ocicli *cli, const void *data, char **arguments,
                      struct cl_error *err)
{
    struct runtime_criu criu;
    char address[128];
    auto_container container = CONTAINER_NONE;
    int result = take_flags(cli, data, address, &criu, err);
    if (result >= 0)
        result = criu_check_caller("checkpoint", err);
    if (result >= 0)
        result = container_open(cli, arguments[0], true, &container, err);
    if (result >= 0)
        result = check_status(&container, err);
    if (result >= 0)
        result = check_no_added_mounts(&container, "checkpoint", err);
    if (result >= 0)
        result = write_images(&container, &criu, err);
    if (result < 0 || criu.leave_running || criu.pre_dump)
        return result;
    cl_test_point("checkpointed");
    return container_destroy(cli, &container, err);
}

const struct verb verb_checkpoint = {
    .name = "checkpoint",
    .synopsis = "[OPTIONS] ID",
    .summary = "Write the processes of a container into files, by criu, and end it",
    VERB_OPTIONS(checkpoint_table, struct checkpoint_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = checkpoint,
};
