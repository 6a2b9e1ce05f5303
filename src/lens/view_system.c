/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the view that a process has in common with others of its namespaces: network, System V IPC, clocks. Where the namespace
 * is ours we read; where not, a throwaway child does (peek.h).
 */
#include <errno.h>
#include <time.h>

#include "lens/net.h"
#include "lens/peek.h"
#include "lens/view.h"

/* ---- network ---- */

static char *names_of(const struct lens_net *net)
{
    cl_auto_buf buf = CL_BUF_INIT(65536);
    for (unsigned i = 0; i < net->link_count; i++)
        cl_buf_printf(&buf, "%s%s", i == 0 ? "" : ", ", net->links[i].name);
    if (net->more_links > 0)
        cl_buf_printf(&buf, " and %u more", net->more_links);
    if (net->link_count == 0)
        cl_buf_str(&buf, "none");
    return cl_buf_take(&buf);
}

static int read_inside_net(const struct view *view, struct lens_net *ret, const char **capability)
{
    cl_auto_fd fd = -EBADF;
    if (view_shares(view, K_NS_NET))
        return lens_net_read(ret);
    int code = k_ns_open(view->pid_fd, K_NS_NET, &fd, NULL);
    *capability = code < 0 ? "CAP_SYS_PTRACE" : "CAP_SYS_ADMIN";
    return code < 0 ? code : lens_peek_net(fd, ret);
}

static char *host_names(struct lens_net *scratch)
{
    int code = lens_net_read(scratch);
    return code < 0 ? view_hidden(code, "a netlink socket") : names_of(scratch);
}

int view_network(struct view *view)
{
    const char *capability = "";
    cl_auto_free struct lens_net *net = cl_malloc(sizeof *net);
    if (net == NULL)
        return -ENOMEM;
    char *host = host_names(net);
    if (view_shares(view, K_NS_NET) && !view->is_full)
        return view_add_pair(view, "network", "interfaces", host, cl_strdup("the host's"));
    int code = read_inside_net(view, net, &capability);
    if (code < 0)
        return view_add_pair(view, "network", "interfaces", host, view_hidden(code, capability));
    code = view_add_pair(view, "network", "interfaces", host, names_of(net));
    for (unsigned i = 0; code >= 0 && i < net->link_count; i++)
        code =
            view_add_item(view, "network", "interface", NULL, lens_link_text(net, &net->links[i]));
    return code;
}

/* ---- System V IPC ---- */

static char *ipc_text(int code, const struct lens_ipc *ipc, const char *capability)
{
    return code < 0 ? view_hidden(code, capability)
                    : cl_format("%d segments, %d queues, %d semaphore sets", ipc->segments,
                                ipc->queues, ipc->semaphore_sets);
}

int view_ipc(struct view *view)
{
    struct lens_ipc ipc = { 0 };
    const char *capability = "CAP_SYS_PTRACE";
    char *host = ipc_text(lens_ipc_read(&ipc), &ipc, "");
    if (view_shares(view, K_NS_IPC))
        return view_add_pair(view, "ipc", "shared memory", host,
                             view->is_full && host != NULL ? cl_strdup(host)
                                                           : cl_strdup("the host's"));
    cl_auto_fd fd = -EBADF;
    int code = k_ns_open(view->pid_fd, K_NS_IPC, &fd, NULL);
    if (code >= 0) {
        capability = "CAP_SYS_ADMIN";
        code = lens_peek_ipc(fd, &ipc);
    }
    return view_add_pair(view, "ipc", "shared memory", host, ipc_text(code, &ipc, capability));
}

/* ---- clocks ---- */

static char *uptime_text(int64_t seconds)
{
    int64_t days = seconds / 86400, rest = seconds % 86400;
    char clock[32];
    (void)CL_PRINT(clock, "%02d:%02d:%02d", (int)(rest / 3600), (int)(rest / 60 % 60),
                   (int)(rest % 60)); /* fits */
    return days > 0 ? cl_format("%lld days %s", (long long)days, clock) : cl_strdup(clock);
}

/* "boottime   -3600   0" of /proc/PID/timens_offsets (time_namespaces(7)): seconds and nanoseconds. */
static bool boot_offset(const char *text, int64_t *ret)
{
    char number[32];
    const char *at = strstr(text, "boottime");
    if (at == NULL)
        return false;
    at += strlen("boottime");
    at += strspn(at, " ");
    return CL_PRINT(number, "%.*s", (int)strcspn(at, " \n"), at) >= 0 &&
           cl_parse_i64(number, INT64_MIN / 2, INT64_MAX / 2, ret) >= 0;
}

/* The offsets file speaks of the namespace that children get: it must be the process's own. */
static char *inside_uptime(const struct view *view, int64_t host)
{
    char text[256];
    uint64_t children = 0;
    int64_t offset = 0;
    int code = k_ns_children_inode(view->pid_fd, false, &children);
    if (code >= 0 && children != view->inside_ns[K_NS_TIME])
        return cl_strdup("unknown (it has unshared the clocks of its children)");
    ssize_t length =
        code < 0 ? code : cl_read_small(view->pid_fd, "timens_offsets", text, sizeof text);
    if (length < 0)
        return view_hidden((int)length, "CAP_SYS_PTRACE");
    return boot_offset(text, &offset) ? uptime_text(host + offset) : cl_strdup("unknown");
}

int view_clocks(struct view *view)
{
    struct timespec boot;
    if (view->inside_ns[K_NS_TIME] == 0 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return 0; /* hidden, as the namespace's row says, or a kernel without time namespaces */
    return view_add_pair(view, "clock", "uptime", uptime_text(boot.tv_sec),
                         view_shares(view, K_NS_TIME) && !view->is_full
                             ? cl_strdup("the host's")
                             : inside_uptime(view, boot.tv_sec));
}
