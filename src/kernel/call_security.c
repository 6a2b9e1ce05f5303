/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that narrow what a process may do: ids, capabilities, no_new_privs, seccomp, the session
 * keyring.
 *
 * They are raw, so they change the calling thread alone (glibc's setuid & co. would signal every
 * thread and take locks); the callers are children with one thread.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#include "kernel/calls.h"
#include "kernel/hook.h"

int k_setgroups(size_t count, const gid_t *groups)
{
    return (int)K_CALL("setgroups", SYS_setgroups, (long)count, (long)groups);
}

int k_setresgid(gid_t gid)
{
    return (int)K_CALL("setresgid", SYS_setresgid, gid, gid, gid);
}

int k_setresuid(uid_t uid)
{
    return (int)K_CALL("setresuid", SYS_setresuid, uid, uid, uid);
}

static void split(uint64_t set, uint32_t *low, uint32_t *high)
{
    *low = (uint32_t)set;
    *high = (uint32_t)(set >> 32);
}

int k_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];
    split(effective, &data[0].effective, &data[1].effective);
    split(permitted, &data[0].permitted, &data[1].permitted);
    split(inheritable, &data[0].inheritable, &data[1].inheritable);
    return (int)K_CALL("capset", SYS_capset, (long)&header, (long)data);
}

int k_capget(pid_t pid, uint64_t *ret_effective, uint64_t *ret_permitted, uint64_t *ret_inheritable)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = pid };
    struct __user_cap_data_struct data[2] = { 0 };
    long answer = K_CALL("capget", SYS_capget, (long)&header, (long)data);
    if (answer < 0)
        return (int)answer;
    *ret_effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *ret_permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *ret_inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

int k_cap_bounding_drop(unsigned capability)
{
    return k_prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

int k_cap_ambient_raise(unsigned capability)
{
    return k_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

int k_cap_ambient_clear(void)
{
    return k_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

unsigned k_cap_last(void)
{
    static atomic_uint cached; /* 0: not yet asked (CAP_CHOWN is never the last) */
    unsigned last = atomic_load_explicit(&cached, memory_order_relaxed);
    if (last != 0)
        return last;
    /* From what the headers know, up or down: two calls on a kernel of the headers' age. */
    last = CAP_LAST_CAP;
    while (last > 0 && k_prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0)
        last--;
    while (last < 63 && k_prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
        last++;
    atomic_store_explicit(&cached, last, memory_order_relaxed);
    return last;
}

int k_no_new_privs(void)
{
    return k_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int k_seccomp_filter(const struct sock_filter *code, size_t count, unsigned flags)
{
    if (count == 0 || count > BPF_MAXINSNS)
        return -EINVAL;
    /* The kernel's struct wants a pointer to non-const; it copies the program and writes
       nothing. */
    const struct {
        unsigned short length;
        const struct sock_filter *filter;
    } program = { (unsigned short)count, code };
    _Static_assert(sizeof program == sizeof(struct sock_fprog), "same layout as sock_fprog");
    long answer = K_CALL("seccomp", SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, (long)&program);
    if (answer <= 0 || (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0)
        return (int)answer;
    return -ESRCH; /* TSYNC: the id of a thread that could not follow */
}

bool k_seccomp_can_wait(void)
{
    const unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | 1U << 5 /* WAIT_KILLABLE_RECV */;
    /* Flags are looked at before the program, of which there is none. */
    return K_CALL("seccomp", SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, 0) == -EFAULT;
}

int k_keyring_join_session(const char *name)
{
    long answer = K_CALL("keyctl", SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, (long)name);
    return answer < 0 ? (int)answer : 0; /* else the key's serial number, which nobody needs */
}
