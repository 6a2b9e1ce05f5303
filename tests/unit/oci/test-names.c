/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, limits and signals by every spelling that people use. */
#include "oci/names.h"

#include <signal.h>
#include <sys/resource.h>

#include "test.h"

TEST(capability_numbers_are_the_kernels)
{
    CHECK_INT(oci_cap_number("CAP_CHOWN"), 0);
    CHECK_INT(oci_cap_number("CAP_KILL"), 5);
    CHECK_INT(oci_cap_number("CAP_NET_ADMIN"), 12);
    CHECK_INT(oci_cap_number("CAP_SYS_ADMIN"), 21);
    CHECK_INT(oci_cap_number("CAP_MKNOD"), 27);
    CHECK_INT(oci_cap_number("CAP_SETFCAP"), 31);
    CHECK_INT(oci_cap_number("CAP_BPF"), 39);
    CHECK_INT(oci_cap_number("CAP_CHECKPOINT_RESTORE"), 40);
    for (int number = 0; number <= OCI_CAP_LAST; number++)
        CHECK_INT(oci_cap_number(oci_cap_name(number)), number);
    CHECK_STR(oci_cap_name(OCI_CAP_LAST + 1), NULL);
    CHECK_STR(oci_cap_name(-1), NULL);
}

TEST(capability_spellings)
{
    CHECK_INT(oci_cap_number("net_admin"), 12);
    CHECK_INT(oci_cap_number("NET_ADMIN"), 12);
    CHECK_INT(oci_cap_number("Cap_Net_Admin"), 12);
    CHECK_INT(oci_cap_number("CAP_"), -EINVAL);
    CHECK_INT(oci_cap_number(""), -EINVAL);
    CHECK_INT(oci_cap_number("ALL"), -EINVAL);
    CHECK_INT(oci_cap_number("CAP_CAP_CHOWN"), -EINVAL);
    CHECK_STR(oci_cap_closest("NET_ADMI"), "CAP_NET_ADMIN");
    CHECK_STR(oci_cap_closest("cap_chwon"), "CAP_CHOWN");
    CHECK_STR(oci_cap_closest("completely_different_and_long"), NULL);
}

TEST(default_capabilities_are_eleven_without_the_dangerous)
{
    int count = 0;
    for (uint64_t rest = oci_cap_default; rest != 0; rest &= rest - 1)
        count++;
    CHECK_INT(count, 11);
    static const char *const refused[] = { "MKNOD",      "NET_RAW",   "AUDIT_WRITE",    "SYS_ADMIN",
                                           "SYS_PTRACE", "NET_ADMIN", "DAC_READ_SEARCH" };
    for (size_t i = 0; i < CL_COUNT(refused); i++)
        CHECK((oci_cap_default & UINT64_C(1) << oci_cap_number(refused[i])) == 0);
    CHECK((oci_cap_default & UINT64_C(1) << oci_cap_number("SETFCAP")) != 0);
}

TEST(resource_limits)
{
    CHECK_INT(oci_rlimit_number("RLIMIT_NOFILE"), RLIMIT_NOFILE);
    CHECK_INT(oci_rlimit_number("nofile"), RLIMIT_NOFILE);
    CHECK_INT(oci_rlimit_number("rlimit_rttime"), RLIMIT_RTTIME);
    CHECK_INT(oci_rlimit_number("RLIMIT_"), -EINVAL);
    CHECK_INT(oci_rlimit_number("files"), -EINVAL);
    CHECK_INT(oci_rlimit_number(NULL), -EINVAL);
    CHECK_STR(oci_rlimit_name(RLIMIT_AS), "RLIMIT_AS");
    CHECK_STR(oci_rlimit_name(99), NULL);
    CHECK_STR(oci_rlimit_name(-1), NULL);
    for (int number = 0; number < (int)RLIM_NLIMITS; number++)
        CHECK_INT(oci_rlimit_number(oci_rlimit_name(number)), number);
}

TEST(signal_numbers)
{
    static const struct {
        const char *name;
        int number;
    } cases[] = {
        { "KILL", SIGKILL },
        { "SIGKILL", SIGKILL },
        { "sigkill", SIGKILL },
        { "9", 9 },
        { "64", 64 },
        { "term", SIGTERM },
        { "IOT", SIGABRT },
        { "SIGPOLL", SIGIO },
        { "RTMIN", 34 },
        { "SIGRTMIN+3", 37 },
        { "rtmin+30", 64 },
        { "SIGRTMAX", 64 },
        { "RTMAX-2", 62 },
        { "RTMAX-30", 34 },
        { "0", -EINVAL },
        { "65", -EINVAL },
        { "", -EINVAL },
        { "SIG", -EINVAL },
        { "SIGSIGKILL", -EINVAL },
        { "RTMIN+31", -EINVAL },
        { "RTMIN-1", -EINVAL },
        { "RTMIN+", -EINVAL },
        { "RTMIN++1", -EINVAL },
        { "9x", -EINVAL },
        { "-9", -EINVAL },
        { "RTMINX", -EINVAL },
        { "RTMAX+1", -EINVAL },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        int number = oci_signal_number(cases[i].name);
        if (number != cases[i].number)
            TEST_SAY("signal \"%s\" is %d, expected %d", cases[i].name, number, cases[i].number);
    }
    CHECK_INT(oci_signal_number(NULL), -EINVAL);
}

TEST(signal_names_read_back)
{
    char name[16];
    for (int number = 1; number <= OCI_SIGNAL_RTMAX; number++) {
        oci_signal_name(number, name);
        CHECK_INT(oci_signal_number(name), number);
    }
    oci_signal_name(SIGABRT, name);
    CHECK_STR(name, "SIGABRT");
    oci_signal_name(37, name);
    CHECK_STR(name, "SIGRTMIN+3");
    oci_signal_name(33, name);
    CHECK_STR(name, "33");
    oci_signal_name(-5, name);
    CHECK_STR(name, "-5");
}

TEST_MAIN
