/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks what a monitor is handed. The sender is our own code, yet a wrong descriptor number here would make the monitor close or
 * write something else for the rest of a container's life, so nothing is believed.
 */
#include "wire/setup.h"

#include <errno.h>
#include <string.h>

#include "wire/state.h"

static bool ends(const char *text, size_t room)
{
    return memchr(text, '\0', room) != NULL;
}

static bool id_is_valid(const char *id, size_t room)
{
    if (!ends(id, room) || id[0] == '\0' || id[0] == '.')
        return false;
    return id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")] ==
           '\0';
}

static const char *fds_problem(const struct wire_setup *setup)
{
    int32_t fds[sizeof setup->fd / sizeof(int32_t)];
    memcpy(fds, &setup->fd, sizeof fds);
    for (size_t i = 0; i < CL_COUNT(fds); i++) {
        if (fds[i] != -1 && fds[i] < 3)
            return "a descriptor is below 3";
        for (size_t j = 0; j < i; j++) {
            if (fds[i] != -1 && fds[i] == fds[j])
                return "a descriptor is named twice";
        }
    }
    if (setup->fd.lock < 0 || setup->fd.dir < 0 || setup->fd.state_dir < 0 ||
        setup->fd.init_pidfd < 0)
        return "lock, dir, state_dir or init_pidfd is missing";
    bool is_terminal = (setup->flags & WIRE_SETUP_TERMINAL) != 0;
    if (is_terminal != (setup->fd.console >= 0))
        return "console does not fit the terminal flag";
    if (is_terminal && (setup->fd.in >= 0 || setup->fd.out >= 0 || setup->fd.err >= 0))
        return "a terminal and standard streams";
    if (setup->fd.in >= 0 && (setup->flags & WIRE_SETUP_STDIN) == 0)
        return "in without the stdin flag";
    if (setup->fd.log >= 0 && (setup->flags & WIRE_SETUP_NO_LOG) != 0)
        return "log in spite of no_log";
    return NULL;
}

static const char *strings_problem(const struct wire_setup *setup)
{
    if (!id_is_valid(setup->id, sizeof setup->id))
        return "id";
    if (!ends(setup->reap_root, sizeof setup->reap_root) ||
        !ends(setup->reap_state, sizeof setup->reap_state))
        return "reap_root or reap_state has no end";
    if (!ends(setup->cgroup, sizeof setup->cgroup))
        return "cgroup has no end";
    if (!ends(setup->boot_id, sizeof setup->boot_id))
        return "boot_id has no end";
    return NULL;
}

static const char *problem_of(const struct wire_setup *setup, size_t size)
{
    const uint32_t known = WIRE_SETUP_TERMINAL | WIRE_SETUP_STDIN | WIRE_SETUP_STDIN_ONCE |
                           WIRE_SETUP_AUTO_REMOVE | WIRE_SETUP_NO_LOG;
    if (size != sizeof *setup || setup->magic != WIRE_SETUP_MAGIC || setup->size != sizeof *setup)
        return "not a setup of this version";
    if ((setup->flags & ~known) != 0)
        return "unknown flags";
    if (setup->init_pid <= 0)
        return "init_pid";
    if (setup->log_max_files > WIRE_SETUP_LOG_FILES)
        return "log_max_files";
    const char *problem = strings_problem(setup);
    if (problem == NULL)
        problem = fds_problem(setup);
    if (problem == NULL && (setup->flags & WIRE_SETUP_AUTO_REMOVE) != 0 &&
        (setup->fd.reap_program < 0 || setup->reap_root[0] != '/' || setup->reap_state[0] != '/'))
        return "auto_remove without reap_program and absolute reap paths";
    return problem;
}

int wire_setup_check(const struct wire_setup *setup, size_t size, const char **ret_problem)
{
    const char *problem = problem_of(setup, size);
    if (problem == NULL)
        return 0;
    if (ret_problem != NULL)
        *ret_problem = problem;
    return -EPROTO;
}
