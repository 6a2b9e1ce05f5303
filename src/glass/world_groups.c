/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which container a process belongs to: by the engine's list and the cgroup path (lens/names.h). Asked once for each text of /proc/PID/cgroup.
 * A process that is in no engine's container, yet in a pid or user namespace that is not the host's, belongs to a group of that
 * namespace's: it sees another world, too, whoever made it.
 */
#include "glass/world_private.h"

#include <errno.h>

static size_t slot_of(const char *text)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return (size_t)(hash % GLASS_CGROUP_SLOTS);
}

static struct glass_cgroup *cgroup_of(struct glass_world *world, const char *text)
{
    struct glass_cgroup **slot = &world->cgroups[slot_of(text)];
    for (struct glass_cgroup *cgroup = *slot; cgroup != NULL; cgroup = cgroup->next)
        if (strcmp(cgroup->text, text) == 0)
            return cgroup;
    size_t length = strlen(text), size;
    struct glass_cgroup *cgroup = NULL;
    if (cl_add_size(sizeof *cgroup, length + 1, &size))
        cgroup = cl_calloc(1, size);
    if (cgroup == NULL)
        return NULL;
    memcpy(cgroup->text, text, length + 1);
    cgroup->next = *slot;
    *slot = cgroup;
    return cgroup;
}

/* ---- groups ---- */

static unsigned free_hue(const struct glass_world *world)
{
    for (unsigned hue = 0;; hue++) {
        bool is_taken = false;
        for (size_t i = 0; i < world->group_count && !is_taken; i++)
            is_taken = world->groups[i]->hue == hue;
        if (!is_taken)
            return hue;
    }
}

static struct glass_group *new_group(struct glass_world *world,
                                     const struct lens_container *container, uint64_t ns)
{
    struct glass_group **bigger =
        cl_realloc(world->groups, (world->group_count + 1) * sizeof *bigger);
    struct glass_group *group = bigger == NULL ? NULL : cl_calloc(1, sizeof *group);
    world->groups = bigger == NULL ? world->groups : bigger;
    if (group == NULL)
        return NULL;
    group->hue = free_hue(world);
    group->container = *container;
    group->ns = ns;
    world->groups[world->group_count++] = group;
    return group;
}

static bool is_same(const struct lens_container *a, const struct lens_container *b)
{
    bool by_id = a->id[0] != '\0' || b->id[0] != '\0';
    return cl_streq(a->engine, b->engine) &&
           (by_id ? cl_streq(a->id, b->id) : cl_streq(a->name, b->name));
}

static struct glass_group *named_group(struct glass_world *world,
                                       const struct lens_container *container)
{
    for (size_t i = 0; i < world->group_count; i++)
        if (is_same(&world->groups[i]->container, container))
            return world->groups[i];
    return new_group(world, container, 0);
}

static struct glass_group *find_ns(const struct glass_world *world, uint64_t ns)
{
    for (size_t i = 0; i < world->group_count; i++)
        if (ns != 0 && world->groups[i]->ns == ns)
            return world->groups[i];
    return NULL;
}

static struct glass_group *group_of_ns(struct glass_world *world, uint64_t ns)
{
    struct lens_container container = { 0 };
    struct glass_group *group = find_ns(world, ns);
    if (group != NULL)
        return group;
    if (ns == GLASS_HIDDEN_NS)
        (void)CL_PRINT(container.name, "hidden"); /* fits */
    else
        (void)CL_PRINT(container.name, "ns:%llu", (unsigned long long)ns); /* fits */
    return new_group(world, &container, ns);
}

/* ---- placing ---- */

static bool is_init(const struct glass_world *world, const struct glass_process *process)
{
    for (size_t i = 0; i < world->directory.count; i++)
        if (world->directory.containers[i].init_pid == process->pid)
            return true;
    return false;
}

/* The engine's answer; looked for once for each control group, and for each first process of a container. */
static struct glass_group *engine_group(struct glass_world *world, struct glass_process *process)
{
    struct glass_cgroup *cgroup = process->cgroup;
    bool is_first = is_init(world, process);
    if (cgroup->is_resolved && !is_first)
        return cgroup->group;
    struct lens_process seen = { .host_pid = process->pid,
                                 .start_ticks = process->start_ticks,
                                 .cgroup = cgroup->text };
    const struct lens_container *container = lens_directory_find(&world->directory, &seen);
    struct glass_group *group = container == NULL ? NULL : named_group(world, container);
    if (!is_first) {
        cgroup->is_resolved = true;
        cgroup->group = group;
    } else if (group != NULL && process->pid_ns != world->host_ns[K_NS_PID]) {
        group->ns = process->pid_ns; /* members whose control group tells nothing */
    }
    return group;
}

/* The namespace that makes it another world, or 0. */
static uint64_t own_ns(const struct glass_world *world, const struct glass_process *process)
{
    if (process->pid_ns != 0 && process->pid_ns != world->host_ns[K_NS_PID] &&
        world->host_ns[K_NS_PID] != 0)
        return process->pid_ns;
    if (process->user_ns != 0 && process->user_ns != world->host_ns[K_NS_USER] &&
        world->host_ns[K_NS_USER] != 0)
        return process->user_ns;
    /* Anybody may read in how many pid namespaces it is, if not in which. */
    return process->is_hidden && process->levels > 1 ? GLASS_HIDDEN_NS : 0;
}

/* Docker, Podman, Kubernetes and Cloche name control groups by an id of 64 hexadecimal digits. */
static bool has_id(const char *text)
{
    while (*text != '\0') {
        text += strcspn(text, "0123456789abcdef");
        size_t length = strspn(text, "0123456789abcdef");
        if (length == 64)
            return true;
        text += length;
    }
    return false;
}

static void ask_again(struct glass_world *world)
{
    world->has_asked = true;
    lens_directory_done(&world->directory);
    lens_directory_read(&world->directory, world->names);
}

/* No engine's, although it looks like a container: the engine may not have listed it yet. */
static struct glass_group *late_group(struct glass_world *world, struct glass_process *process,
                                      uint64_t ns)
{
    struct glass_group *group = NULL;
    const struct glass_group *unnamed = find_ns(world, ns);
    unsigned tries = ns == 0 ? process->cgroup->tries : unnamed == NULL ? 0 : unnamed->tries;
    if (tries >= GLASS_NAME_TRIES || (unnamed != NULL && unnamed->container.engine[0] != '\0'))
        return NULL;
    if (!world->has_asked) {
        ask_again(world);
        process->cgroup->is_resolved = false;
        group = engine_group(world, process);
    }
    world->is_unsure = world->is_unsure || group == NULL;
    return group;
}

static void choose_group(struct glass_world *world, struct glass_process *process)
{
    struct glass_group *before = process->group, *group = engine_group(world, process);
    uint64_t ns = group == NULL ? own_ns(world, process) : 0;
    if (group == NULL && (ns != 0 || has_id(process->cgroup->text)))
        group = late_group(world, process, ns);
    if (group == NULL && ns != 0)
        group = group_of_ns(world, ns);
    if (before != NULL)
        before->members--;
    if (group != NULL)
        group->members++;
    process->group = group;
}

int glass_groups_place(struct glass_world *world, struct glass_process *process, char *take_cgroup)
{
    cl_auto_free char *text = take_cgroup;
    struct glass_cgroup *cgroup = cgroup_of(world, text);
    if (cgroup == NULL)
        return -ENOMEM;
    if (process->cgroup != NULL)
        process->cgroup->users--;
    cgroup->users++;
    process->cgroup = cgroup;
    choose_group(world, process);
    return 0;
}

void glass_groups_leave(struct glass_world *world, struct glass_process *process)
{
    (void)world;
    if (process->group != NULL)
        process->group->members--;
    if (process->cgroup != NULL)
        process->cgroup->users--;
    process->group = NULL;
    process->cgroup = NULL;
}

void glass_groups_retry(struct glass_world *world)
{
    world->has_asked = false;
    if (!world->is_unsure)
        return;
    world->is_unsure = false;
    ask_again(world);
    for (size_t i = 0; i < world->group_count; i++)
        world->groups[i]->tries++;
    for (size_t i = 0; i < GLASS_CGROUP_SLOTS; i++)
        for (struct glass_cgroup *cgroup = world->cgroups[i]; cgroup != NULL; cgroup = cgroup->next)
            if (cgroup->is_resolved && cgroup->group == NULL && cgroup->tries < GLASS_NAME_TRIES) {
                cgroup->tries++;
                cgroup->is_resolved = false;
            }
    for (size_t i = 0; i < world->count; i++) {
        struct glass_process *process = world->processes[i];
        bool is_unnamed = process->group != NULL && process->group->container.engine[0] == '\0';
        if (is_unnamed || !process->cgroup->is_resolved)
            choose_group(world, process);
    }
}

void glass_groups_sweep(struct glass_world *world)
{
    for (size_t i = 0; i < GLASS_CGROUP_SLOTS; i++)
        for (struct glass_cgroup **at = &world->cgroups[i]; *at != NULL;) {
            struct glass_cgroup *cgroup = *at;
            if (cgroup->users > 0) {
                at = &cgroup->next;
                continue;
            }
            *at = cgroup->next;
            free(cgroup);
        }
    size_t kept = 0;
    for (size_t i = 0; i < world->group_count; i++) {
        struct glass_group *group = world->groups[i];
        if (group->members > 0) {
            world->groups[kept++] = group;
            continue;
        }
        /* Its control group may still be there with a process that moved on: that one must ask again. */
        for (size_t slot = 0; slot < GLASS_CGROUP_SLOTS; slot++)
            for (struct glass_cgroup *cgroup = world->cgroups[slot]; cgroup != NULL;
                 cgroup = cgroup->next)
                if (cgroup->group == group) {
                    cgroup->group = NULL;
                    cgroup->is_resolved = false;
                }
        lens_id_names_free(group->users);
        free(group);
    }
    world->group_count = kept;
}

void glass_groups_done(struct glass_world *world)
{
    for (size_t i = 0; i < world->group_count; i++) {
        lens_id_names_free(world->groups[i]->users);
        free(world->groups[i]);
    }
    for (size_t i = 0; world->cgroups != NULL && i < GLASS_CGROUP_SLOTS; i++)
        for (struct glass_cgroup *cgroup = world->cgroups[i], *next; cgroup != NULL;
             cgroup = next) {
            next = cgroup->next;
            free(cgroup);
        }
    free(world->groups);
    free(world->cgroups);
    lens_directory_done(&world->directory);
}
