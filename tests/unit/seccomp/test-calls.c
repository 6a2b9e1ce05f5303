/* SPDX-License-Identifier: Apache-2.0 */
/* The table of system calls: sorted, unique, and true where this machine's own headers can tell. */
#include <sys/syscall.h>

#include "seccomp/calls.h"
#include "seccomp/program.h"
#include "seccomp/seccomp.h"
#include "test.h"

TEST(names_are_sorted_and_found)
{
    for (int i = 0; i < CALL_COUNT; i++) {
        const char *name = seccomp_call_string((enum seccomp_call)i);
        CHECK_INT(seccomp_call_find(name), i);
        CHECK(i == 0 || strcmp(seccomp_call_string((enum seccomp_call)(i - 1)), name) < 0);
    }
    CHECK_INT(seccomp_call_find(""), -1);
    CHECK_INT(seccomp_call_find("open_"), -1);
    CHECK_INT(seccomp_call_find("zzz"), -1);
}

TEST(numbers_fit_the_slots)
{
    for (int i = 0; i < CALL_COUNT; i++) {
        for (int arch = 0; arch < SECCOMP_ARCH_COUNT; arch++) {
            int number = seccomp_call_number((enum seccomp_call)i, (enum seccomp_arch)arch);
            bool is_private = arch == SECCOMP_ARM && number > 0xf0000 && number < 0xf0040;
            CHECK(number == SECCOMP_NO_NUMBER || (number >= 0 && number < SECCOMP_NUMBERS) ||
                  is_private);
        }
    }
}

TEST(one_number_has_one_name)
{
    for (int arch = 0; arch < SECCOMP_ARCH_COUNT; arch++) {
        const char *seen[SECCOMP_NUMBERS] = { 0 };
        for (int i = 0; i < CALL_COUNT; i++) {
            int number = seccomp_call_number((enum seccomp_call)i, (enum seccomp_arch)arch);
            if (number < 0 || number >= SECCOMP_NUMBERS)
                continue;
            const char *name = seccomp_call_string((enum seccomp_call)i);
            /* one call of arm has two names */
            CHECK(seen[number] == NULL || strcmp(name, "sync_file_range2") == 0);
            seen[number] = name;
        }
    }
}

TEST(known_numbers)
{
    static const struct {
        enum seccomp_call call;
        int numbers[SECCOMP_ARCH_COUNT];
    } known[] = {
        { CALL_read, { 0, 3, 0, 63, 3 } },
        { CALL_execve, { 59, 11, 520, 221, 11 } },
        { CALL_socketcall, { -1, 102, -1, -1, -1 } },
        { CALL_socket, { 41, 359, 41, 198, 281 } },
        { CALL_clone, { 56, 120, 56, 220, 120 } },
        { CALL_openat2, { 437, 437, 437, 437, 437 } },
        { CALL_file_setattr, { 469, 469, 469, 469, 469 } },
        { CALL_set_tls, { -1, -1, -1, -1, 0xf0005 } },
        { CALL_uretprobe, { 335, -1, 335, -1, -1 } },
    };
    for (size_t i = 0; i < CL_COUNT(known); i++) {
        for (int arch = 0; arch < SECCOMP_ARCH_COUNT; arch++)
            CHECK_INT(seccomp_call_number(known[i].call, (enum seccomp_arch)arch),
                      known[i].numbers[arch]);
    }
}

TEST(native_names)
{
    CHECK_STR(seccomp_call_name(SYS_read), "read");
    CHECK_STR(seccomp_call_name(SYS_execve), "execve");
    CHECK_STR(seccomp_call_name(SYS_pidfd_open), "pidfd_open");
    CHECK(seccomp_call_name(9999) == NULL);
    CHECK(seccomp_call_name((1UL << 32) + SYS_read) == NULL);
    CHECK(seccomp_call_name(UINT32_MAX) == NULL);
}

TEST_MAIN
