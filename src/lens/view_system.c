/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the view that a process has in common with others of its namespaces: network, IPC, clocks. Where the namespace
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

/* Interface by interface, side by side: the host's beside ours. A comparison of two views needs no host. */
static int add_links(struct view *view, const struct lens_net *host, const struct lens_net *inside)
{
    unsigned host_count = view->is_full ? 0 : host->link_count, code = 0;
    unsigned count = host_count > inside->link_count ? host_count : inside->link_count;
    for (unsigned i = 0; code == 0 && i < count; i++) {
        char *left = i < host_count ? lens_link_text(host, &host->links[i]) : NULL;
        char *right = i < inside->link_count ? lens_link_text(inside, &inside->links[i]) : NULL;
        code = view_add_item(view, "network", "interface", left, right) < 0;
    }
    return code == 0 ? 0 : -ENOMEM;
}

int view_network(struct view *view)
{
    const char *capability = "";
    cl_auto_free struct lens_net *net = cl_calloc(2, sizeof *net);
    if (net == NULL)
        return -ENOMEM;
    struct lens_net *host = &net[0], *inside = &net[1];
    char *names = host_names(host);
    int code = read_inside_net(view, inside, &capability);
    if (code < 0)
        return view_add_pair(view, "network", "interfaces", names, view_hidden(code, capability));
    code = view_add_pair(view, "network", "interfaces", names, names_of(inside));
    return code < 0 ? code : add_links(view, host, inside);
}

/* ---- IPC ---- */

static char *ipc_text(int code, const struct lens_ipc *ipc, const char *capability)
{
    return code < 0 ? view_hidden(code, capability)
                    : cl_format("%d segments, %d queues, %d semaphore sets", ipc->segments,
                                ipc->queues, ipc->semaphore_sets);
}

static char *queues_text(int code, const struct lens_ipc *ipc)
{
    if (code < 0 || ipc->posix_queues < 0)
        return view_hidden(-EPERM, "CAP_SYS_ADMIN");
    return cl_format("%d", ipc->posix_queues);
}

static int add_objects(struct view *view, const struct lens_ipc *ipc)
{
    int code = 0;
    for (unsigned i = 0; code >= 0 && i < ipc->object_count; i++)
        code = view_add_item(view, "ipc", "object", NULL, lens_ipc_text(&ipc->objects[i]));
    return code;
}

static int read_inside_ipc(const struct view *view, struct lens_ipc *ret, const char **capability)
{
    cl_auto_fd fd = -EBADF;
    int code = k_ns_open(view->pid_fd, K_NS_IPC, &fd, NULL);
    *capability = code < 0 ? "CAP_SYS_PTRACE" : "CAP_SYS_ADMIN";
    return code < 0 ? code : lens_peek_ipc(fd, ret);
}

int view_ipc(struct view *view)
{
    const char *capability = "";
    cl_auto_free struct lens_ipc *both = cl_calloc(2, sizeof *both);
    if (both == NULL)
        return -ENOMEM;
    int host_code = lens_ipc_read(&both[0]);
    bool is_shared = view_shares(view, K_NS_IPC);
    const struct lens_ipc *inside = is_shared ? &both[0] : &both[1];
    int code = is_shared ? host_code : read_inside_ipc(view, &both[1], &capability);
    int added = view_add_pair(view, "ipc", "shared memory", ipc_text(host_code, &both[0], ""),
                              ipc_text(code, inside, capability));
    if (added >= 0)
        added = view_add_pair(view, "ipc", "POSIX queues", queues_text(host_code, &both[0]),
                              queues_text(code, inside));
    if (added < 0 || code < 0)
        return added < 0 ? added : 0;
    return add_objects(view, inside);
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
static bool offset_of(const char *text, const char *clock, int64_t *ret)
{
    char number[32];
    const char *at = strstr(text, clock);
    if (at == NULL)
        return false;
    at += strlen(clock);
    at += strspn(at, " ");
    return CL_PRINT(number, "%.*s", (int)strcspn(at, " \n"), at) >= 0 &&
           cl_parse_i64(number, INT64_MIN / 2, INT64_MAX / 2, ret) >= 0;
}

struct clocks {
    int code; /* or why they can't be read */
    bool is_childrens;
    int64_t monotonic, boot;
};

/* The offsets file speaks of the namespace that children get: it must be the process's own. */
static struct clocks read_clocks(const struct view *view)
{
    char text[256];
    uint64_t children = 0;
    struct clocks clocks = { .code = k_ns_children_inode(view->pid_fd, false, &children) };
    clocks.is_childrens = clocks.code >= 0 && children != view->inside_ns[K_NS_TIME];
    if (clocks.code < 0 || clocks.is_childrens)
        return clocks;
    ssize_t length = cl_read_small(view->pid_fd, "timens_offsets", text, sizeof text);
    clocks.code = length < 0 ? (int)length : 0;
    if (length >= 0 && (!offset_of(text, "monotonic", &clocks.monotonic) ||
                        !offset_of(text, "boottime", &clocks.boot)))
        clocks.code = -EINVAL;
    return clocks;
}

static char *unknown_clocks(const struct clocks *clocks)
{
    return clocks->is_childrens ? cl_strdup("unknown (it has unshared the clocks of its children)")
                                : view_hidden(clocks->code, "CAP_SYS_PTRACE");
}

int view_clocks(struct view *view)
{
    struct timespec boot;
    if (view->inside_ns[K_NS_TIME] == 0 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return 0; /* hidden, as the namespace's row says, or a kernel without time namespaces */
    struct clocks clocks = read_clocks(view);
    bool is_known = clocks.code >= 0 && !clocks.is_childrens;
    bool is_shared = view_shares(view, K_NS_TIME);
    /* In a comparison both are read at almost, yet not quite, the same second: what differs is the offset. */
    int code = view->is_full ? 0
                             : view_add_pair(view, "clock", "uptime", uptime_text(boot.tv_sec),
                                             is_shared  ? cl_strdup("the host's")
                                             : is_known ? uptime_text(boot.tv_sec + clocks.boot)
                                                        : unknown_clocks(&clocks));
    if (code < 0 || (is_shared && !view->is_full))
        return code;
    return view_add_pair(view, "clock", "offsets", cl_strdup("0"),
                         is_known ? cl_format("monotonic %+lld s, boottime %+lld s",
                                              (long long)clocks.monotonic, (long long)clocks.boot)
                                  : unknown_clocks(&clocks));
}
