/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot: finding, sorting, counting, pruning, and what happens when memory runs out is left to the fault runs.
 */
#include "lens/model.h"
#include "test.h"

static struct lens_process *add(struct lens_snapshot *snapshot, pid_t pid, uint64_t pid_ns,
                                uint64_t net_ns)
{
    struct lens_process *process = lens_snapshot_add_process(snapshot, pid);
    process->namespaces[K_NS_PID] = lens_snapshot_namespace(snapshot, K_NS_PID, pid_ns);
    process->namespaces[K_NS_NET] = lens_snapshot_namespace(snapshot, K_NS_NET, net_ns);
    return process;
}

TEST(sorts_by_inode_and_pid_and_counts)
{
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = lens_snapshot_new();
    add(snapshot, 30, 900, 100);
    add(snapshot, 10, 500, 100);
    add(snapshot, 20, 900, 700);
    CHECK_INT(lens_snapshot_finish(snapshot), 0);
    REQUIRE(snapshot->namespace_count == 4);
    CHECK_INT(snapshot->namespaces[0].inode, 100);
    CHECK_INT(snapshot->namespaces[3].inode, 900);
    CHECK_INT(snapshot->namespaces[0].process_count, 2);
    CHECK_INT(snapshot->processes[snapshot->namespaces[0].representative].pid, 10);
    CHECK_INT(snapshot->processes[snapshot->namespaces[3].representative].pid, 20);
    CHECK_INT(lens_snapshot_find(snapshot, 700), 2);
    CHECK_INT(lens_snapshot_find(snapshot, 701), LENS_NONE);
    CHECK_INT(snapshot->processes[lens_snapshot_find_pid(snapshot, 30)].namespaces[K_NS_PID], 3);
    CHECK_INT(lens_snapshot_find_pid(snapshot, 31), LENS_NONE);
}

TEST(a_successor_follows_a_representative_that_is_gone)
{
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = lens_snapshot_new();
    add(snapshot, 1, 500, 100);
    add(snapshot, 2, 500, 100);
    CHECK_INT(lens_snapshot_finish(snapshot), 0);
    snapshot->processes[0].is_gone = true;
    lens_snapshot_count(snapshot);
    CHECK_INT(snapshot->namespaces[0].process_count, 1);
    CHECK_INT(snapshot->namespaces[0].representative, 1);
    CHECK_INT(lens_snapshot_find_pid(snapshot, 1), LENS_NONE);
}

TEST(pruning_forgets_what_nobody_holds)
{
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = lens_snapshot_new();
    add(snapshot, 1, 500, 100)->is_gone = true;
    add(snapshot, 2, 600, 200);
    struct lens_holder holder = { .namespace = lens_snapshot_namespace(snapshot, K_NS_NET, 100),
                                  .kind = LENS_HELD_FD,
                                  .pid = 2 };
    CHECK_INT(lens_snapshot_add_holder(snapshot, &holder), 0);
    CHECK_INT(lens_snapshot_finish(snapshot), 0);
    CHECK_INT(lens_snapshot_prune(snapshot), 0);
    REQUIRE(snapshot->process_count == 1 && snapshot->namespace_count == 3);
    CHECK_INT(snapshot->namespaces[0].inode, 100);
    CHECK_INT(snapshot->namespaces[0].representative, LENS_NONE);
    CHECK_INT(snapshot->holders[0].namespace, 0);
    CHECK_INT(snapshot->namespaces[snapshot->processes[0].namespaces[K_NS_PID]].inode, 600);
    CHECK_INT(lens_snapshot_find(snapshot, 500), LENS_NONE);
}

TEST(thousands_of_namespaces_are_all_found_again)
{
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = lens_snapshot_new();
    for (int i = 0; i < 5000; i++)
        add(snapshot, i + 1, 1000000 + (uint64_t)i * 64, 4026531840U + (uint64_t)i);
    CHECK_INT(lens_snapshot_finish(snapshot), 0);
    CHECK_INT(snapshot->namespace_count, 10000);
    int missing = 0;
    for (int i = 0; i < 5000; i++) {
        const struct lens_process *process = &snapshot->processes[i];
        uint64_t inode = snapshot->namespaces[process->namespaces[K_NS_PID]].inode;
        missing += inode != 1000000 + (uint64_t)i * 64 ||
                   lens_snapshot_find(snapshot, 4026531840U + (uint64_t)i) == LENS_NONE;
    }
    CHECK_INT(missing, 0);
}

TEST(arena_texts_stay_where_they_are)
{
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = lens_snapshot_new();
    const char *first = lens_arena_text(snapshot, "first", 5);
    char *big = lens_arena_take(snapshot, 200000);
    REQUIRE(first != NULL && big != NULL);
    memset(big, 'x', 200000);
    for (int i = 0; i < 20000; i++)
        (void)lens_arena_text(snapshot, "another", 7);
    CHECK_STR(first, "first");
}

TEST_MAIN
