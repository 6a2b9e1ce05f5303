/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the glass's tests: a table of processes made by hand, and a screen as text.
 */
#pragma once

#include "glass/draw.h"
#include "test.h"

enum { FAKE_MAX = 64 };
struct fake {
    struct glass_world world;
    struct glass_process processes[FAKE_MAX];
    struct glass_process *table[FAKE_MAX];
    struct glass_group groups[4];
    struct glass_group *group_table[4];
};

static struct glass_group *fake_group(struct fake *fake, const char *engine, const char *name)
{
    size_t index = fake->world.group_count++;
    struct glass_group *group = &fake->groups[index];
    *group = (struct glass_group){ .hue = (unsigned)index };
    (void)CL_PRINT(group->container.name, "%s", name);
    (void)CL_PRINT(group->container.engine, "%s", engine);
    fake->group_table[index] = group;
    fake->world.groups = fake->group_table;
    return group;
}

/* In ascending order of pids. The text of the command is borrowed. */
static struct glass_process *fake_process(struct fake *fake, pid_t pid, pid_t parent,
                                          const char *command)
{
    size_t index = fake->world.count++;
    struct glass_process *process = &fake->processes[index];
    *process = (struct glass_process){ .pid = pid,
                                       .parent = parent,
                                       .start_ticks = (uint64_t)pid,
                                       .levels = 1,
                                       .inner_pid = pid,
                                       .state = 'S',
                                       .command = (char *)(uintptr_t)command };
    (void)CL_PRINT(process->name, "%.15s", command);
    fake->table[index] = process;
    fake->world.processes = fake->table;
    return process;
}

static struct glass_process *fake_member(struct fake *fake, pid_t pid, pid_t parent,
                                         const char *command, struct glass_group *group)
{
    static pid_t inner = 1;
    struct glass_process *process = fake_process(fake, pid, parent, command);
    inner = group->members == 0 ? 1 : inner + 1;
    process->group = group;
    process->levels = 2;
    process->inner_pid = inner;
    (void)CL_PRINT(process->inside_user, "root");
    group->members++;
    return process;
}

/* A small machine: a host with a shell and two containers. */
__attribute__((unused)) static void fake_machine(struct fake *fake)
{
    memset(fake, 0, sizeof *fake);
    struct glass_group *web = fake_group(fake, "cloche", "web");
    struct glass_group *db = fake_group(fake, "docker", "db");
    for (int type = 0; type < K_NS_COUNT; type++)
        fake->world.host_ns[type] = 100 + (uint64_t)type;
    fake_process(fake, 1, 0, "/sbin/init");
    struct glass_process *kernel = fake_process(fake, 2, 0, "[kthreadd]");
    kernel->is_kernel = true;
    fake->world.kernel_count = 1;
    fake_process(fake, 40, 1, "sshd: /usr/sbin/sshd -D");
    fake_process(fake, 41, 40, "-bash");
    fake_process(fake, 50, 1, "cloche-monitor 3");
    fake_member(fake, 51, 50, "nginx: master process", web);
    fake_member(fake, 52, 51, "nginx: worker process", web);
    fake_process(fake, 60, 1, "containerd-shim");
    fake_member(fake, 61, 60, "postgres -D /data", db);
}

/* All lines of the screen, each ended by a newline; owned. */
__attribute__((unused)) static char *screen_text(const struct glass_screen *screen)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    for (unsigned y = 0; y < screen->height; y++) {
        cl_auto_free char *line = glass_screen_line(screen, y);
        cl_buf_str(&text, line == NULL ? "?" : line);
        cl_buf_char(&text, '\n');
    }
    return cl_buf_take(&text);
}
