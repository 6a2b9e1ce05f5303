/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of containers, for the tests that make every call fail once and kill at every step: a plain one, and one for each part of the start that only some have.
 */
#pragma once

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kernel/userns.h"
#include "support.h"

#define SETUP_FIRST_ID 210000 /* of the host: nobody's */

struct setup {
    const char *(*missing)(void); /* why it can't be tried, or NULL */
    bool (*prepare)(struct world *world);
    bool (*before_run)(
        struct world *world); /* each time, in the process that is the parent; or NULL */
    /* After each run: is there anything that should not be? NULL: nothing more than always. */
    const char *(*after_run)(struct world *world, bool has_run);
    void (*done)(void); /* or NULL */
    bool is_slow;       /* the kernel's clean-up is: not every call of init's */
};

/* ---- plain, hooks ---- */

static inline bool setup_plain(struct world *world)
{
    return oci_mount_add(world->spec, "/data", NULL, world->dir, "rbind", "ro", NULL) >= 0;
}
static const struct setup plain = { cannot_run, setup_plain, NULL, NULL, NULL };

/* Their output goes to files, too. */
static inline bool setup_hooks(struct world *world)
{
    static char output[96];
    world_hooks(world);
    snprintf(output, sizeof output, "%s/hooks.out", world->dir);
    return setup_plain(world) &&
           oci_map_set(&world->spec->annotations, "run.oci.hooks.stdout", output) >= 0 &&
           oci_map_set(&world->spec->annotations, "run.oci.hooks.stderr", output) >= 0;
}
static const struct setup hooks = { cannot_run, setup_hooks, NULL, NULL, NULL };

/* ---- user namespaces ---- */

static inline const char *cannot_map(void)
{
    if (cannot_run() != NULL)
        return cannot_run();
    return access("/proc/self/ns/user", F_OK) != 0 ? "needs user namespaces" : NULL;
}

static inline bool setup_maps(struct world *world)
{
    return chmod(world->dir, 0711) == 0 && /* the container's root has to reach its files */
           oci_id_mapping_add(&world->spec->linux_.uid_mappings, 0, SETUP_FIRST_ID, 1000) >= 0 &&
           oci_id_mapping_add(&world->spec->linux_.gid_mappings, 0, SETUP_FIRST_ID, 1000) >= 0;
}

/* With hooks and a terminal, which lead through more of what is done in one (locks of mounts, most of all). */
static inline bool setup_user_ns(struct world *world)
{
    world_hooks(world);
    world->io.terminal = true;
    return setup_maps(world) && oci_namespace_add(world->spec, OCI_NS_USER, NULL) >= 0;
}
static const struct setup user_ns = { cannot_map, setup_user_ns, NULL, NULL, NULL };

/* Also joins a namespace, so that there is a process between parent and init. */
static inline bool setup_between(struct world *world)
{
    return setup_maps(world) && oci_namespace_add(world->spec, OCI_NS_USER, NULL) >= 0 &&
           oci_namespace_remove(world->spec, OCI_NS_UTS) &&
           oci_string_set(&world->spec->hostname, NULL) >= 0 &&
           oci_namespace_add(world->spec, OCI_NS_UTS, "/proc/self/ns/uts") >= 0;
}
static const struct setup between = { cannot_map, setup_between, NULL, NULL, NULL };

static int setup_namespace = -EBADF;

static inline bool setup_joined(struct world *world)
{
    static const struct k_id_range range = { 0, SETUP_FIRST_ID, 1000 };
    const struct k_id_maps maps = {
        .uids = &range, .gids = &range, .uid_count = 1, .gid_count = 1
    };
    char path[64];
    if (!setup_maps(world) ||
        k_userns_make(world->facts.proc_fd, &maps, &setup_namespace, NULL) < 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), setup_namespace);
    return oci_namespace_add(world->spec, OCI_NS_USER, path) >= 0;
}
static inline void setup_joined_done(void)
{
    setup_namespace = cl_close(setup_namespace);
}
static const struct setup joined = { cannot_map, setup_joined, NULL, NULL, setup_joined_done };

static inline const char *cannot_set_clocks(void)
{
    if (cannot_map() != NULL)
        return cannot_map();
    return access("/proc/self/ns/time", F_OK) != 0 ? "needs time namespaces" : NULL;
}
static inline bool setup_clocks(struct world *world)
{
    return setup_maps(world) && oci_namespace_add(world->spec, OCI_NS_USER, NULL) >= 0 &&
           oci_time_offset_set(world->spec, "boottime", 1000, 0) >= 0;
}
static const struct setup clocks = { cannot_set_clocks, setup_clocks, NULL, NULL, NULL };

/* ---- id-mapped mounts: two with the same map, one with another ---- */

static inline bool setup_idmap(struct world *world)
{
    char data[96];
    snprintf(data, sizeof data, "%s/data", world->dir);
    if (mkdir(data, 0755) < 0)
        return false;
    for (unsigned i = 0; i < 3; i++) {
        char path[16];
        snprintf(path, sizeof path, "/data%u", i);
        if (oci_mount_add(world->spec, path, NULL, data, "bind", NULL) < 0)
            return false;
        struct oci_mount *mount = &world->spec->mounts[world->spec->mount_count - 1];
        if (oci_id_mapping_add(&mount->uid_mappings, 0, 100000 + i / 2, 10) < 0 ||
            oci_id_mapping_add(&mount->gid_mappings, 0, 100000, 10) < 0)
            return false;
    }
    return true;
}
static const struct setup idmap = { cannot_map, setup_idmap, NULL, NULL, NULL };

/* ---- a seccomp agent, which gets what it is to get and does nothing with it ---- */

static int setup_agent = -EBADF;

static inline bool setup_notify(struct world *world)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char text[300];
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/agent", world->dir);
    setup_agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (setup_agent < 0 ||
        bind(setup_agent, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(setup_agent, 100) < 0)
        return false;
    /* A call that nobody here makes. */
    snprintf(text, sizeof text,
             "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"%s\",\"listenerMetadata\":"
             "\"sweep\",\"syscalls\":[{\"names\":[\"swapoff\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",
             address.sun_path);
    world->options.use_default_seccomp = false;
    return cl_json_parse(text, strlen(text), sizeof text, &json, NULL) >= 0 &&
           oci_seccomp_decode(json, &world->spec->linux_.seccomp, NULL) >= 0;
}

/* Who runs has an agent that holds its listener. */
static inline const char *setup_notify_after(struct world *world, bool has_run)
{
    bool has_listener = false;
    (void)world;
    for (int fd; (fd = accept4(setup_agent, NULL, NULL, SOCK_CLOEXEC)) >= 0; (void)close(fd)) {
        char text[4096];
        int listener = -EBADF;
        size_t count = 0;
        ssize_t size = cl_recv_fds(fd, text, sizeof text - 1, &listener, 1, &count);
        has_listener = has_listener || (size > 0 && count == 1);
        if (count == 1)
            (void)close(listener);
    }
    return has_run && !has_listener ? "a program that is to be asked about, and nobody asked"
                                    : NULL;
}
static inline void setup_notify_done(void)
{
    setup_agent = cl_close(setup_agent);
}
static const struct setup notify = { cannot_run, setup_notify, NULL, setup_notify_after,
                                     setup_notify_done };

/* ---- network devices: a pair in a network namespace of this process's own, anew for each run ---- */

static inline const char *cannot_network(void)
{
    if (cannot_run() != NULL)
        return cannot_run();
    return access("/sbin/ip", X_OK) != 0 && access("/usr/sbin/ip", X_OK) != 0
               ? "needs ip (iproute2)"
               : NULL;
}

static inline bool setup_netdev(struct world *world)
{
    world->spec->linux_.net_devices = cl_calloc(1, sizeof *world->spec->linux_.net_devices);
    world->spec->linux_.net_device_count = 1;
    struct oci_net_device *device = world->spec->linux_.net_devices;
    return device != NULL && oci_string_set(&device->host_name, "hv0") >= 0 &&
           oci_string_set(&device->name, "eth0") >= 0;
}

static inline bool setup_netdev_before(struct world *world)
{
    (void)world;
    int status = -1;
    if (unshare(CLONE_NEWNET) < 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        (void)setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
        execlp("sh", "sh", "-c",
               "ip link add hv0 type veth peer name hv1 && ip addr add 10.9.0.2/24 dev hv0 && "
               "ip link set hv0 up",
               NULL);
        _exit(127);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* Up, with its address. */
static inline bool has_device(void)
{
    struct ifreq request = { .ifr_name = "hv0" };
    cl_auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && ioctl(fd, SIOCGIFADDR, &request) == 0 &&
           ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

static inline const char *setup_netdev_after(struct world *world, bool has_run)
{
    (void)world;
    return !has_run && !has_device() ? "the device is not back" : NULL;
}
static const struct setup netdev = { cannot_network,     setup_netdev, setup_netdev_before,
                                     setup_netdev_after, NULL,         true };

/* ---- what the tests do with one ---- */

static inline bool setup_open(const struct setup *setup, struct world *world)
{
    return world_open(world) && setup->prepare(world);
}

static inline void setup_close(const struct setup *setup, struct world *world)
{
    world_close(world);
    if (setup->done != NULL)
        setup->done();
}

static inline int setup_start(const struct setup *setup, struct world *world, const char *script)
{
    world_shell(world, script);
    return setup->before_run != NULL && !setup->before_run(world) ? -ECHILD : world_start(world);
}
