/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locking in, layer by layer. The order: first what opens files (libraries that load things when first used), then what needs privileges (mounts,
 * namespaces, root), then the privileges themselves, and the filter last, because it forbids all the calls above.
 */
#include "transfer/sandbox.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include "kernel/kernel.h"
#include "oci/oci.h"
#include "transfer/tar.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false /* a sanitizer maps terabytes, and looks around at the end */
#endif

#define CAP(number) (UINT64_C(1) << (number))

static const char *const kept_capabilities[] = { "CHOWN", "DAC_OVERRIDE", "FOWNER",   "FSETID",
                                                 "MKNOD", "SETFCAP",      "SYS_ADMIN" };

/* Libraries that read configuration when they are first used do it now. */
static int warm_up(struct cl_error *err)
{
    char digest[CL_DIGEST_MAX], name[40];
    int result = cl_digest_of("", 0, digest);
    if (result < 0)
        return cl_fail(err, result, "prepare sha256");
    cl_format_time(cl_now_ns(), name);
    tar_warm_up();
    return 0;
}

static void limit(int resource, rlim_t value)
{
    struct rlimit old, new;
    if (getrlimit(resource, &old) < 0)
        return;
    new.rlim_max = old.rlim_max < value ? old.rlim_max : value;
    new.rlim_cur = new.rlim_max;
    (void)setrlimit(resource, &new); /* lowering is always allowed */
}

static void limit_resources(void)
{
    (void)signal(SIGXFSZ, SIG_IGN); /* a file past the limit is EFBIG, with a text, and no death */
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 256); /* the walk below a root holds one for each level */
    limit(RLIMIT_FSIZE, (rlim_t)1 << 40);
    if (!IS_SANITIZED)
        limit(RLIMIT_DATA, (rlim_t)1 << 30); /* zstd windows may be 128 MiB */
}

/* ---- what can be seen of the file system ---- */

/* A mount of just this directory that hangs nowhere: its ".." is itself. Nothing in it can be executed or opened as a device. */
static int detach_directory(int fd)
{
    const struct k_mount_change change = {
        .set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, .userns_fd = -EBADF
    };
    cl_auto_fd mount = k_open_tree(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
    if (mount < 0)
        return mount;
    int result = k_mount_setattr(mount, &change);
    if (result < 0)
        return result;
    return dup3(mount, fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static int enter_empty_root(void)
{
    cl_auto_fd context = k_fsopen("tmpfs");
    int result = context < 0 ? context : k_fsconfig_string(context, "size", "4096");
    if (result >= 0)
        result = k_fsconfig_create(context);
    if (result < 0)
        return result;
    cl_auto_fd root = k_fsmount(context, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                             MOUNT_ATTR_NOEXEC);
    if (root < 0)
        return root;
    if (fchdir(root) < 0 || chroot(".") < 0)
        return -errno;
    return 0;
}

static void hide_files(const int *directories, size_t count)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < count; i++)
        result = detach_directory(directories[i]);
    if (result < 0)
        cl_debug("transfer", "sandbox: no detached mounts: %s", strerror(-result));
    result = k_unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
    if (result < 0)
        cl_debug("transfer", "sandbox: no namespaces of its own: %s", strerror(-result));
    result = enter_empty_root();
    if (result < 0)
        cl_debug("transfer", "sandbox: no empty root: %s", strerror(-result));
    result = sandbox_restrict_files(directories, count);
    if (result < 0)
        cl_debug("transfer", "sandbox: no Landlock: %s", strerror(-result));
}

/* ---- privileges ---- */

static int drop_capabilities(struct cl_error *err)
{
    uint64_t kept = 0, effective, permitted, inheritable;
    for (size_t i = 0; i < CL_COUNT(kept_capabilities); i++)
        kept |= CAP(oci_cap_number(kept_capabilities[i]));
    int result = k_capget(0, &effective, &permitted, &inheritable);
    if (result < 0)
        return cl_fail(err, result, "read our capabilities");
    for (unsigned i = 0; i <= k_cap_last(); i++)
        if ((kept & CAP(i)) == 0)
            (void)k_cap_bounding_drop(
                i);              /* not ours to drop without SETPCAP; no_new_privs stands for it */
    (void)k_cap_ambient_clear(); /* gone with the permitted ones anyway */
    result = k_capset(permitted & kept, permitted & kept, 0);
    return result < 0 ? cl_fail(err, result, "give up capabilities") : 0;
}

int sandbox_enter(const int *directories, size_t count, int first_free, struct cl_error *err)
{
    int result = warm_up(err);
    if (result < 0)
        return result;
    (void)k_close_range((unsigned)first_free, ~0u, false); /* the engine's are close-on-exec */
    result = k_no_new_privs();
    if (result < 0)
        return cl_fail(err, result, "set no_new_privs");
    limit_resources();
    hide_files(directories, count);
    result = drop_capabilities(err);
    if (result < 0)
        return result;
    (void)k_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* nobody of our user may trace us */
    return IS_SANITIZED ? 0 : sandbox_filter(err);
}
