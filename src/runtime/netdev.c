/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.netDevices: interfaces of the host move into the container's network namespace.
 *
 * The parent does it while init waits: a socket in either namespace, the addresses read before, the
 * move under a name of ours that nobody else has (so that the device is found again whatever index
 * it gets there), then its own name, the addresses, up. Of the addresses those go along that the
 * specification says: permanent, of global scope. Whatever fails until the program runs, every
 * device goes back with name, addresses and state; afterwards it belongs to the namespace, and at
 * its end the kernel moves or removes it (config-linux.md "Network Devices").
 */
#include "runtime/parent.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "kernel/netlink.h"

struct moved {
    const struct oci_net_device *device;
    struct k_link before;
    struct k_address *addresses; /* all permanent ones, for the way back */
    size_t address_count;
    char transit[IFNAMSIZ];
    int index;    /* inside */
    bool is_away; /* or may be: the kernel's answer can be lost */
};

struct netdev_set {
    int own, inside;          /* sockets */
    int own_ns, container_ns; /* namespaces */
    size_t count;
    struct moved devices[];
};

static const char *inside_name(const struct oci_net_device *device)
{
    return device->name != NULL && device->name[0] != '\0' ? device->name : device->host_name;
}

static int fail_device(const struct oci_net_device *device, int code, const char *what,
                       struct cl_error *err)
{
    return cl_fail(err, code, "linux.netDevices[\"%s\"]: %s", device->host_name, what);
}

/* ---- the way there ---- */

/* A socket keeps its namespace, so we are in the container's for two system calls. The way out gets
   a second try: whoever called us must not be left in there. */
static int open_inside(struct netdev_set *set)
{
    int result = k_setns(set->container_ns, CLONE_NEWNET);
    if (result < 0)
        return result;
    set->inside = k_netlink_open();
    result = k_setns(set->own_ns, CLONE_NEWNET);
    if (result < 0 && k_setns(set->own_ns, CLONE_NEWNET) < 0)
        cl_debug("netdev", "in the container's network namespace for good");
    return set->inside < 0 ? set->inside : result;
}

static int open_sockets(struct netdev_set *set, int proc, pid_t pid, int joined_ns,
                        struct cl_error *err)
{
    char path[40];
    uint64_t own = 0, theirs = 0;
    dev_t device;
    (void)CL_PRINT(path, "%d/ns/net", (int)pid);
    int result = set->own_ns = k_openat(proc, "self/ns/net", O_RDONLY, 0);
    if (result >= 0)
        result = set->container_ns =
            joined_ns >= 0 ? k_dup(joined_ns) : k_openat(proc, path, O_RDONLY, 0);
    if (result < 0)
        return cl_fail(err, result, "linux.netDevices: open the network namespaces");
    result = k_ns_fd_inode(set->own_ns, &own, &device);
    if (result >= 0)
        result = k_ns_fd_inode(set->container_ns, &theirs, &device);
    if (result >= 0 && own == theirs)
        return plan_fail(err, CL_KIND_INVALID, "linux.netDevices",
                         "the container's network namespace is the one that we are in");
    if (result >= 0)
        result = set->own = k_netlink_open();
    if (result >= 0)
        result = open_inside(set);
    return result < 0 ? cl_fail(err, result, "linux.netDevices: reach the network namespaces") : 0;
}

static int keep_permanent(struct moved *moved)
{
    size_t count = 0;
    for (size_t i = 0; i < moved->address_count; i++)
        if ((moved->addresses[i].flags & IFA_F_PERMANENT) != 0)
            moved->addresses[count++] = moved->addresses[i];
    moved->address_count = count;
    return 0;
}

static int check_device(struct netdev_set *set, struct moved *moved, struct cl_error *err)
{
    struct k_link taken;
    const char *name = inside_name(moved->device);
    int result = k_link_find(set->own, moved->device->host_name, &moved->before);
    if (result == -ENODEV)
        return fail_device(moved->device, result, "there is no such interface", err);
    if (result < 0)
        return fail_device(moved->device, result, "look for it", err);
    if ((moved->before.flags & IFF_LOOPBACK) != 0)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "linux.netDevices[\"%s\"]: a loopback interface stays in its namespace",
                            moved->device->host_name);
    /* A pattern such as eth%d finds itself a free name. */
    if (strchr(name, '%') == NULL && k_link_find(set->inside, name, &taken) >= 0)
        return cl_fail(err, EEXIST,
                       "linux.netDevices[\"%s\"]: the container's network namespace has a %s",
                       moved->device->host_name, name);
    result =
        k_address_list(set->own, moved->before.index, &moved->addresses, &moved->address_count);
    return result < 0 ? fail_device(moved->device, result, "read its addresses", err)
                      : keep_permanent(moved);
}

static int add_addresses(struct netdev_set *set, const struct moved *moved, struct cl_error *err)
{
    for (size_t i = 0; i < moved->address_count; i++) {
        if (moved->addresses[i].scope != RT_SCOPE_UNIVERSE)
            continue;
        int result = k_address_add(set->inside, moved->index, &moved->addresses[i]);
        if (result < 0 && result != -EEXIST)
            return fail_device(moved->device, result, "give it its addresses", err);
    }
    return 0;
}

static int move_device(struct netdev_set *set, struct moved *moved, struct cl_error *err)
{
    struct k_link there;
    (void)CL_PRINT(moved->transit, "cl%x-%x", (unsigned)getpid() & 0xffffff,
                   (unsigned)(moved - set->devices) & 0xff);
    moved->is_away = true;
    int result = k_link_move(set->own, moved->before.index, set->container_ns, moved->transit);
    if (result < 0) {
        (void)fail_device(moved->device, result, "move it", err);
        return result == -EINVAL
                   ? cl_error_hint(err, "some kinds of interface can't leave their namespace")
                   : result;
    }
    result = k_link_find(set->inside, moved->transit, &there);
    if (result < 0)
        return fail_device(moved->device, result, "find it in the container", err);
    moved->index = there.index;
    result = k_link_rename(set->inside, moved->index, inside_name(moved->device));
    if (result < 0)
        return cl_fail(err, result, "linux.netDevices[\"%s\"]: name it %s",
                       moved->device->host_name, inside_name(moved->device));
    result = add_addresses(set, moved, err);
    if (result < 0)
        return result;
    result = k_link_up(set->inside, moved->index);
    return result < 0 ? fail_device(moved->device, result, "bring it up", err) : 0;
}

int netdev_move(const struct runtime_plan *plan, int proc, pid_t pid, int joined_ns,
                struct netdev_set **ret, struct cl_error *err)
{
    const struct oci_linux *linux_ = &plan->spec->linux_;
    size_t count = linux_->net_device_count;
    struct netdev_set *set = cl_calloc(1, sizeof *set + count * sizeof set->devices[0]);
    if (set == NULL)
        return cl_fail(err, ENOMEM, "linux.netDevices");
    set->own = set->inside = set->own_ns = set->container_ns = -EBADF;
    set->count = count;
    *ret = set; /* also after a failure: it knows what is to be taken back */
    int result = open_sockets(set, proc, pid, joined_ns, err);
    /* All of them are looked at before the first one moves. */
    for (size_t i = 0; result >= 0 && i < count; i++) {
        set->devices[i].device = &linux_->net_devices[i];
        result = check_device(set, &set->devices[i], err);
    }
    for (size_t i = 0; result >= 0 && i < count; i++)
        result = move_device(set, &set->devices[i], err);
    return result;
}

/* ---- the way back ---- */

/* With its old name again; from wherever an earlier try has left it. */
static int bring_home(struct netdev_set *set, struct moved *moved, struct k_link *ret)
{
    int index = moved->index;
    if (k_link_find(set->own, moved->before.name, ret) >= 0 && ret->index == moved->before.index)
        return 0;
    if (k_link_find(set->own, moved->transit, ret) < 0) {
        if (index == 0 && k_link_find(set->inside, moved->transit, ret) >= 0)
            index = ret->index;
        int result = k_link_move(set->inside, index, set->own_ns, moved->transit);
        if (result >= 0)
            result = k_link_find(set->own, moved->transit, ret);
        if (result < 0)
            return result;
    }
    return k_link_rename(set->own, ret->index, moved->before.name);
}

/* Nobody hears of what fails here: the error that people read is why it goes back at all. Hence a
   second try, for what was only in the way for a moment. */
static void take_back(struct netdev_set *set, struct moved *moved)
{
    struct k_link there;
    int result = bring_home(set, moved, &there);
    if (result < 0)
        result = bring_home(set, moved, &there);
    if (result < 0) {
        cl_debug("netdev", "%s does not come back: %s", moved->before.name, strerror(-result));
        return;
    }
    for (size_t i = 0; i < moved->address_count; i++)
        if (moved->addresses[i].scope != RT_SCOPE_LINK || moved->addresses[i].family == AF_INET)
            if (k_address_add(set->own, there.index, &moved->addresses[i]) < 0)
                (void)k_address_add(set->own, there.index, &moved->addresses[i]);
    if ((moved->before.flags & IFF_UP) != 0 && k_link_up(set->own, there.index) < 0)
        (void)k_link_up(set->own, there.index);
}

void netdev_take_back(struct netdev_set *set)
{
    for (size_t i = set == NULL ? 0 : set->count; i-- > 0;)
        if (set->devices[i].is_away)
            take_back(set, &set->devices[i]);
}

void netdev_free(struct netdev_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        free(set->devices[i].addresses);
    (void)cl_close(set->own);
    (void)cl_close(set->inside);
    (void)cl_close(set->own_ns);
    (void)cl_close(set->container_ns);
    free(set);
}
