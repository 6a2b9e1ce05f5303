/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The throwaway child. Parent and child share a pipe; the child's exit status carries its errno. k_clone3 without flags is a plain fork, so
 * the child of a single-threaded program may call anything; it calls little.
 */
#include "lens/peek.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#include "lens/netnsid.h"

/* In the child: our namespaces and identity, then one namespace of the target's; never returns. */
static void run_child(const struct lens_peek *peek, int write_fd)
{
    const uint64_t needed = 1ULL << CAP_SYS_ADMIN;
    uint64_t permitted = 0, unused;
    (void)k_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* fails never */
    (void)k_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);        /* nor this */
    (void)k_no_new_privs();                            /* nothing is executed anyway */
    if (k_capget(0, &unused, &permitted, &unused) >= 0)
        (void)k_capset(permitted & needed, permitted & needed, 0);
    int code = k_setns(peek->ns_fd, k_ns_table[peek->type].clone_flag);
    if (code >= 0 && peek->prepare != NULL)
        (void)peek->prepare(peek->context); /* its reader says what is missing */
    (void)k_capset(0, 0, 0);                /* dropping is always allowed */
    if (code >= 0)
        code = peek->read(peek->context, peek->answer);
    if (code >= 0) {
        ssize_t written = cl_write_full(write_fd, peek->answer, peek->size);
        code = written < 0 ? (int)written : 0;
    }
    _exit(code < 0 ? (-code < 255 ? -code : 255) : 0);
}

int lens_peek(const struct lens_peek *peek)
{
    cl_auto_fd read_fd = -EBADF, write_fd = -EBADF, pidfd = -EBADF;
    int type = k_ns_fd_type(peek->ns_fd), status = 0;
    if (type != (int)peek->type) /* what is entered is exactly what was meant */
        return type < 0 ? type : -EINVAL;
    int code = cl_pipe(&read_fd, &write_fd);
    if (code < 0)
        return code;
    struct k_clone arguments = { .cgroup_fd = -EBADF, .exit_signal = SIGCHLD };
    pid_t pid = k_clone3(&arguments, &pidfd);
    if (pid < 0)
        return (int)pid;
    if (pid == 0)
        run_child(peek, write_fd);
    write_fd = cl_close(write_fd);
    ssize_t got = cl_read_full(read_fd, peek->answer, peek->size);
    code = k_wait_pidfd(pidfd, 0, &status);
    if (code < 0)
        return code;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return -WEXITSTATUS(status);
    return got == (ssize_t)peek->size && WIFEXITED(status) ? 0 : -EIO;
}

int lens_uts_read(struct lens_uts *ret)
{
    struct utsname names;
    if (uname(&names) < 0)
        return -errno;
    (void)CL_PRINT(ret->host_name, "%s", names.nodename); /* fits: the kernel's maximum is 64 */
    (void)CL_PRINT(ret->domain_name, "%s", names.domainname);
    return 0;
}

static int read_uts(void *context, void *answer)
{
    (void)context;
    return lens_uts_read(answer);
}

int lens_peek_uts(int ns_fd, struct lens_uts *ret)
{
    struct lens_uts uts = { 0 };
    struct lens_peek peek = {
        .ns_fd = ns_fd, .type = K_NS_UTS, .read = read_uts, .answer = &uts, .size = sizeof uts
    };
    int code = lens_peek(&peek);
    if (code < 0)
        return code;
    uts.host_name[sizeof uts.host_name - 1] = uts.domain_name[sizeof uts.domain_name - 1] = '\0';
    *ret = uts;
    return 0;
}

struct netnsid_question {
    const int *others;
    size_t count;
};

static int read_netnsid(void *context, void *answer)
{
    const struct netnsid_question *question = context;
    int32_t *ids = answer;
    cl_auto_fd netlink = lens_netnsid_open();
    if (netlink < 0)
        return netlink;
    for (size_t i = 0; i < question->count; i++)
        ids[i] = lens_netnsid_ask(netlink, question->others[i]);
    return 0;
}

int lens_peek_netnsid(int ns_fd, const int *others, size_t count, int32_t *ret_ids)
{
    struct netnsid_question question = { others, count };
    struct lens_peek peek = { .ns_fd = ns_fd,
                              .type = K_NS_NET,
                              .read = read_netnsid,
                              .context = &question,
                              .answer = ret_ids,
                              .size = count * sizeof *ret_ids };
    return count == 0 ? 0 : lens_peek(&peek);
}
