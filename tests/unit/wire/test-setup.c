/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a monitor is handed: a good setup passes, and each single thing that could be wrong with it is named.
 */
#include "wire/wire.h"

#include "test.h"

static struct wire_setup good(void)
{
    struct wire_setup setup = { .magic = WIRE_SETUP_MAGIC,
                                .size = sizeof setup,
                                .id = "0123456789ab",
                                .init_pid = 1234,
                                .cgroup = "cloche/0123456789ab" };
    memset(&setup.fd, 0xff, sizeof setup.fd);
    setup.fd.lock = 3;
    setup.fd.dir = 4;
    setup.fd.state_dir = 5;
    setup.fd.init_pidfd = 6;
    setup.fd.out = 7;
    setup.fd.err = 8;
    return setup;
}

static struct wire_setup good_terminal(void)
{
    struct wire_setup setup = good();
    setup.fd.out = setup.fd.err = -1;
    setup.fd.console = 7;
    setup.flags = WIRE_SETUP_TERMINAL | WIRE_SETUP_STDIN | WIRE_SETUP_AUTO_REMOVE;
    setup.fd.reap_program = 12;
    (void)CL_PRINT(setup.reap_root, "/var/lib/cloche");
    (void)CL_PRINT(setup.reap_state, "/run/cloche");
    return setup;
}

TEST(good_setups_pass)
{
    struct wire_setup setup = good();
    const char *problem = NULL;
    CHECK_INT(wire_setup_check(&setup, sizeof setup, &problem), 0);
    CHECK(problem == NULL);
    setup = good_terminal();
    CHECK_INT(wire_setup_check(&setup, sizeof setup, &problem), 0);
    CHECK(problem == NULL);
    setup.log_max_files = WIRE_SETUP_LOG_FILES;
    CHECK_INT(wire_setup_check(&setup, sizeof setup, NULL), 0);
}

static void check_bad(const struct wire_setup *setup, const char *part)
{
    const char *problem = NULL;
    CHECK_INT(wire_setup_check(setup, sizeof *setup, &problem), -EPROTO);
    CHECK_CONTAINS(problem, part);
    CHECK_INT(wire_setup_check(setup, sizeof *setup, NULL), -EPROTO);
}

#define BAD(base, part, change)                                                                    \
    do {                                                                                           \
        struct wire_setup s = base();                                                              \
        change;                                                                                    \
        check_bad(&s, part);                                                                       \
    } while (0)

TEST(each_wrong_field_is_named)
{
    BAD(good, "version", s.magic++);
    BAD(good, "version", s.size--);
    BAD(good, "flags", s.flags = 32);
    BAD(good, "init_pid", s.init_pid = 0);
    BAD(good, "init_pid", s.init_pid = -1);
    BAD(good, "log_max_files", s.log_max_files = WIRE_SETUP_LOG_FILES + 1);
    BAD(good, "id", s.id[0] = '\0');
    BAD(good, "id", s.id[3] = '/');
    BAD(good, "id", s.id[0] = '.');
    BAD(good, "id", memset(s.id, 'a', sizeof s.id));
    BAD(good, "cgroup", memset(s.cgroup, 'a', sizeof s.cgroup));
    BAD(good, "reap", memset(s.reap_root, 'a', sizeof s.reap_root));
    BAD(good, "reap", memset(s.reap_state, 'a', sizeof s.reap_state));
    BAD(good, "boot_id", memset(s.boot_id, 'a', sizeof s.boot_id));
    BAD(good, "below 3", s.fd.client = 2);
    BAD(good, "below 3", s.fd.client = -9);
    BAD(good, "twice", s.fd.client = 3);
    BAD(good, "twice", s.fd.reap_program = 8);
    BAD(good, "missing", s.fd.lock = -1);
    BAD(good, "missing", s.fd.dir = -1);
    BAD(good, "missing", s.fd.state_dir = -1);
    BAD(good, "missing", s.fd.init_pidfd = -1);
    BAD(good, "terminal", s.flags = WIRE_SETUP_TERMINAL);
    BAD(good, "terminal", s.fd.console = 20);
    BAD(good_terminal, "streams", s.fd.out = 20);
    BAD(good, "stdin", s.fd.in = 20);
    BAD(good, "no_log", (s.fd.log = 20, s.flags = WIRE_SETUP_NO_LOG));
    BAD(good_terminal, "reap", s.fd.reap_program = -1);
    BAD(good_terminal, "reap", s.reap_root[0] = '\0');
    BAD(good_terminal, "reap", s.reap_state[0] = 'r');
}

TEST(another_size_is_another_version)
{
    struct wire_setup setup = good();
    CHECK_INT(wire_setup_check(&setup, sizeof setup - 1, NULL), -EPROTO);
    CHECK_INT(wire_setup_check(&setup, sizeof setup + 1, NULL), -EPROTO);
}

TEST_MAIN
