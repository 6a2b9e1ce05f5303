/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock (landlock(7), kernel 5.13): files may be used below the given directories and nowhere else, also without any privilege. Its first version
 * forbids links and renames between directories, which hard links need, so only version 2 (5.19) and later are used.
 */
#include <sys/syscall.h>

#include "transfer/sandbox.h"

/* Of linux/landlock.h, which may be older than the kernel. The structures are the kernel's: packed, in this order. */
#define LANDLOCK_VERSION      1u      /* flag: tell the version only */
#define LANDLOCK_PATH_BENEATH 1       /* rule type */
#define ACCESS_EXECUTE        1u      /* bit 0 */
#define ACCESS_VERSION_2      0x3fffu /* bits 0 (execute) to 13 (refer: link and rename across) */
#define ACCESS_TRUNCATE       (1u << 14) /* version 3, 6.2 */
#define ACCESS_IOCTL_DEVICE   (1u << 15) /* version 5, 6.10 */

struct ruleset {
    uint64_t handled_fs;
};
struct path_beneath {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

static long call(long number, long a, long b, long c, long d)
{
    long result = syscall(number, a, b, c, d);
    return result < 0 ? -errno : result;
}

int sandbox_restrict_files(const int *directories, size_t count)
{
    long version = call(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_VERSION, 0);
    if (version < 2)
        return version < 0 ? (int)version : -EOPNOTSUPP;
    uint64_t known = ACCESS_VERSION_2 | (version >= 3 ? ACCESS_TRUNCATE : 0) |
                     (version >= 5 ? ACCESS_IOCTL_DEVICE : 0);
    const struct ruleset attributes = { .handled_fs = known };
    cl_auto_fd rules =
        (int)call(SYS_landlock_create_ruleset, (long)&attributes, sizeof attributes, 0, 0);
    if (rules < 0)
        return rules;
    for (size_t i = 0; i < count; i++) {
        const struct path_beneath rule = { .allowed = known & ~(uint64_t)(ACCESS_EXECUTE |
                                                                          ACCESS_IOCTL_DEVICE),
                                           .parent_fd = directories[i] };
        long result = call(SYS_landlock_add_rule, rules, LANDLOCK_PATH_BENEATH, (long)&rule, 0);
        if (result < 0)
            return (int)result;
    }
    return (int)call(SYS_landlock_restrict_self, rules, 0, 0, 0);
}
