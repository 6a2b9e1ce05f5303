/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows are made anew from 20,000 processes in a few milliseconds, so that nothing has to be kept in step: parents by binary search, children
 * chained in order, then one walk without recursion.
 */
#include "glass/rows.h"

#include <errno.h>

const char *const glass_sort_names[GLASS_SORT_COUNT] = {
    [GLASS_SORT_PID] = "pid",
    [GLASS_SORT_NAME] = "name",
    [GLASS_SORT_USER] = "user",
    [GLASS_SORT_CONTAINER] = "container",
};

#define NONE UINT32_MAX

/* ---- filter ---- */

static bool contains(const char *text, const char *word, size_t length)
{
    char needle[128];
    return CL_PRINT(needle, "%.*s", (int)length, word) >= 0 && strcasestr(text, needle) != NULL;
}

static bool has_word(const struct glass_process *process, const char *word, size_t length)
{
    char pid[16], inner[16];
    const char *user = cl_user_name(process->uid);
    const struct glass_group *group = process->group;
    (void)CL_PRINT(pid, "%d", (int)process->pid);         /* fits */
    (void)CL_PRINT(inner, "%d", (int)process->inner_pid); /* fits */
    return contains(pid, word, length) || contains(process->name, word, length) ||
           contains(process->command, word, length) ||
           (user != NULL && contains(user, word, length)) ||
           (group != NULL &&
            (contains(inner, word, length) || contains(group->container.name, word, length) ||
             contains(group->container.engine, word, length)));
}

bool glass_matches(const struct glass_process *process, const char *filter)
{
    for (const char *word = filter;;) {
        word += strspn(word, " ");
        size_t length = strcspn(word, " ");
        if (length == 0)
            return true;
        if (!has_word(process, word, length))
            return false;
        word += length;
    }
}

/* ---- order ---- */

static const char *user_of(const struct glass_process *process)
{
    const char *name = cl_user_name(process->uid);
    return name == NULL ? "\x7f" : name; /* numbers behind names */
}

static int compare(const struct glass_process *a, const struct glass_process *b,
                   enum glass_sort sort)
{
    int order = 0;
    if (sort == GLASS_SORT_NAME)
        order = strcasecmp(a->name, b->name);
    else if (sort == GLASS_SORT_USER)
        order = strcmp(user_of(a), user_of(b));
    else if (sort == GLASS_SORT_CONTAINER && a->group != b->group)
        order = a->group == NULL   ? 1
                : b->group == NULL ? -1
                                   : strcmp(a->group->container.name, b->group->container.name);
    return order != 0 ? order : (a->pid > b->pid) - (a->pid < b->pid);
}

struct order {
    const struct glass_world *world;
    enum glass_sort sort;
};

static int compare_indexes(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    return compare(order->world->processes[*(const uint32_t *)a],
                   order->world->processes[*(const uint32_t *)b], order->sort);
}

/* ---- building ---- */

struct builder {
    struct glass_rows *rows;
    const struct glass_world *world;
    const struct glass_choice *choice;
    uint32_t *order;                           /* indexes of processes as they are sorted */
    uint32_t *parent;                          /* by process: the one it hangs below, or NONE */
    uint32_t *first_child, *last_child, *next; /* by process; index count stands for no process */
    bool *is_shown, *is_match;
};

static uint32_t index_of(const struct glass_world *world, pid_t pid)
{
    size_t low = 0, high = world->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (world->processes[middle]->pid == pid)
            return (uint32_t)middle;
        if (world->processes[middle]->pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return NONE;
}

static bool is_eligible(const struct glass_choice *choice, const struct glass_process *process)
{
    return (choice->with_kernel || !process->is_kernel) &&
           (!choice->only_containers || process->group != NULL);
}

/* The nearest ancestor that may be shown. */
static uint32_t eligible_parent(const struct builder *builder, uint32_t index)
{
    const struct glass_world *world = builder->world;
    for (unsigned steps = 0; steps < 4096; steps++) { /* parents of different instants may circle */
        index = index_of(world, world->processes[index]->parent);
        if (index == NONE || is_eligible(builder->choice, world->processes[index]))
            return index;
    }
    return NONE;
}

static void mark(struct builder *builder)
{
    const struct glass_world *world = builder->world;
    const struct glass_choice *choice = builder->choice;
    for (uint32_t i = 0; i < world->count; i++) {
        const struct glass_process *process = world->processes[i];
        bool is_in = is_eligible(choice, process) && !process->is_gone;
        builder->is_match[i] = is_in && glass_matches(process, choice->filter);
        builder->parent[i] = is_in && !choice->is_list ? eligible_parent(builder, i) : NONE;
    }
    for (uint32_t i = 0; i < world->count; i++)
        for (uint32_t at = builder->is_match[i] ? i : NONE; at != NONE && !builder->is_shown[at];
             at = builder->parent[at])
            builder->is_shown[at] = true;
}

static void link_children(struct builder *builder)
{
    uint32_t count = (uint32_t)builder->world->count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = builder->order[i];
        if (!builder->is_shown[index])
            continue;
        uint32_t parent = builder->parent[index] == NONE ? count : builder->parent[index];
        if (builder->last_child[parent] == NONE)
            builder->first_child[parent] = index;
        else
            builder->next[builder->last_child[parent]] = index;
        builder->last_child[parent] = index;
    }
}

static void add(struct builder *builder, uint32_t index, unsigned depth, uint64_t more)
{
    struct glass_rows *rows = builder->rows;
    if (rows->count == rows->room)
        return;
    builder->is_shown[index] = false; /* it has its row */
    rows->match_count += builder->is_match[index];
    rows->rows[rows->count++] = (struct glass_row){ .process = builder->world->processes[index],
                                                    .depth = depth,
                                                    .more = more,
                                                    .is_match = builder->is_match[index] };
}

/* Depth first; `more` holds for each level above whether a sibling follows. */
static void walk(struct builder *builder)
{
    uint32_t count = (uint32_t)builder->world->count, at = builder->first_child[count];
    unsigned depth = 0;
    uint64_t more = 0;
    while (at != NONE && builder->rows->count < builder->rows->room) {
        uint64_t bit = (uint64_t)1 << (depth < GLASS_DEPTH_MAX ? depth : GLASS_DEPTH_MAX - 1);
        more = builder->next[at] != NONE ? more | bit : more & ~bit;
        add(builder, at, depth, more);
        if (builder->first_child[at] != NONE) {
            at = builder->first_child[at];
            depth++;
            continue;
        }
        while (at != NONE && builder->next[at] == NONE) {
            at = builder->parent[at];
            depth -= depth > 0;
        }
        at = at == NONE ? NONE : builder->next[at];
    }
}

/* What the walk did not reach is in a circle of parents: rows at the end. */
static void add_rest(struct builder *builder)
{
    for (uint32_t i = 0; i < builder->world->count; i++)
        if (builder->is_shown[i])
            add(builder, i, 0, 0);
}

static int reserve(struct glass_rows *rows, size_t count)
{
    rows->count = rows->match_count = 0;
    if (rows->room >= count)
        return 0;
    size_t bytes;
    struct glass_row *bigger = NULL;
    if (cl_mul_size(count + count / 4 + 64, sizeof *bigger, &bytes))
        bigger = cl_realloc(rows->rows, bytes);
    if (bigger == NULL)
        return -ENOMEM;
    rows->rows = bigger;
    rows->room = count + count / 4 + 64;
    return 0;
}

static void build(struct builder *builder)
{
    struct order order = { builder->world, builder->choice->sort };
    uint32_t count = (uint32_t)builder->world->count;
    for (uint32_t i = 0; i < count; i++)
        builder->order[i] = i;
    if (builder->choice->sort != GLASS_SORT_PID) /* the table ascends by pid */
        qsort_r(builder->order, count, sizeof *builder->order, compare_indexes, &order);
    mark(builder);
    link_children(builder);
    walk(builder);
    add_rest(builder);
}

int glass_rows_build(struct glass_rows *rows, const struct glass_world *world,
                     const struct glass_choice *choice)
{
    size_t count = world->count + 1;
    cl_auto_free uint32_t *numbers = cl_malloc(5 * count * sizeof *numbers);
    cl_auto_free bool *flags = cl_calloc(2 * count, sizeof *flags);
    if (numbers == NULL || flags == NULL || reserve(rows, count) < 0)
        return -ENOMEM;
    memset(numbers, 0xff, 5 * count * sizeof *numbers);
    struct builder builder = { .rows = rows,
                               .world = world,
                               .choice = choice,
                               .order = numbers,
                               .parent = numbers + count,
                               .first_child = numbers + 2 * count,
                               .last_child = numbers + 3 * count,
                               .next = numbers + 4 * count,
                               .is_shown = flags,
                               .is_match = flags + count };
    build(&builder);
    return 0;
}

void glass_rows_done(struct glass_rows *rows)
{
    free(rows->rows);
    *rows = (struct glass_rows){ 0 };
}
