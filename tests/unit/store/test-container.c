/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers in the catalog: claim, the ways to find one, conflicts, lists, updates.
 */
#include "support.h"

static struct cl_error err;

static const char *found_id(struct world *world, const char *reference)
{
    static char id[65];
    struct store_container *row = NULL;
    err = (struct cl_error){ 0 };
    if (store_container_find(world->store, reference, &row, &err) < 0)
        return NULL;
    (void)CL_PRINT(id, "%.6s", row->id);
    store_container_free(row);
    return id;
}

TEST(found_by_id_name_and_prefix)
{
    struct world world;
    char id[65];
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(claim(&world, "abc111", "bold_bell", NULL, NULL, &err), 0);
    CHECK_INT(claim(&world, "abc222", "calm_crow", NULL, NULL, &err), 0);
    CHECK_INT(claim(&world, "def333", "abc", NULL, NULL, &err),
              0); /* a name that is others' prefix */
    make_id("abc222", id);
    CHECK_STR(found_id(&world, id), "abc222");
    CHECK_STR(found_id(&world, "bold_bell"), "abc111");
    CHECK_STR(found_id(&world, "/bold_bell"), "abc111");
    CHECK_STR(found_id(&world, "abc1"), "abc111");
    CHECK_STR(found_id(&world, "abc2"), "abc222");
    CHECK_STR(found_id(&world, "abc"), "def333"); /* a name beats a prefix */
    CHECK_STR(found_id(&world, "d"), "def333");
    CHECK(found_id(&world, "") == NULL);
    CHECK(found_id(&world, "ABC1") == NULL);
    CHECK(found_id(&world, "abc1%") == NULL);
    world_done(&world);
}

TEST(an_ambiguous_prefix_names_two)
{
    struct world world;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(claim(&world, "ab1", "one", NULL, NULL, &err), 0);
    CHECK_INT(claim(&world, "ab2", "two", NULL, NULL, &err), 0);
    CHECK_INT(claim(&world, "ab3", "three", NULL, NULL, &err), 0);
    CHECK(found_id(&world, "ab") == NULL);
    CHECK_INT(err.kind, CL_KIND_CONFLICT);
    CHECK_CONTAINS(err.text, "prefix ab is ambiguous");
    CHECK_CONTAINS(err.text, "ab1000000000");
    CHECK_CONTAINS(err.text, "ab2000000000");
    CHECK_CONTAINS(err.text, "give more digits");
    world_done(&world);
}

TEST(ambiguous_far_in_shows_the_difference)
{
    struct world world;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(claim(&world, "0123456789abcdef1", "one", NULL, NULL, &err), 0);
    CHECK_INT(claim(&world, "0123456789abcdef2", "two", NULL, NULL, &err), 0);
    CHECK(found_id(&world, "0123456789abc") == NULL);
    CHECK_CONTAINS(err.text, "0123456789abcdef1");
    CHECK_CONTAINS(err.text, "0123456789abcdef2");
    world_done(&world);
}

TEST(no_such_container_names_it)
{
    struct world world;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK(found_id(&world, "nobody") == NULL);
    CHECK_INT(err.kind, CL_KIND_NOT_FOUND);
    CHECK_CONTAINS(err.text, "no such container: nobody");
    world_done(&world);
}

TEST(a_name_in_use_names_its_holder)
{
    struct world world;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(claim(&world, "aaa", "web", NULL, NULL, &err), 0);
    CHECK_INT(claim(&world, "bbb", "web", NULL, NULL, &err), -EEXIST);
    CHECK_INT(err.kind, CL_KIND_CONFLICT);
    CHECK_CONTAINS(err.text, "\"web\" is already in use by container aaa000000000");
    CHECK(found_id(&world, "bbb") == NULL);
    CHECK_INT(claim(&world, "bbb", "web2", NULL, NULL, &err), 0); /* nothing was left behind */
    world_done(&world);
}

TEST(a_claim_that_is_rolled_back_never_was)
{
    struct world world;
    char nothing[] = "", name[] = "ghost";
    struct store_container row = { .phase = STORE_CREATING,
                                   .name = name,
                                   .image_id = nothing,
                                   .image_name = nothing,
                                   .config = nothing };
    REQUIRE(world_make(&world) && world_open(&world));
    make_id("9", row.id);
    cl_auto_fd lock = store_lock_open(world.store, &err);
    REQUIRE(store_begin(world.store, &err) == 0);
    CHECK_INT(store_container_claim(world.store, &row, lock, &err), 0);
    store_rollback(world.store);
    CHECK(found_id(&world, "ghost") == NULL);
    world_done(&world);
}

static int set_phase(struct world *world, const char *reference, enum store_phase phase,
                     bool no_name)
{
    struct store_container *row = NULL;
    int result = store_container_find(world->store, reference, &row, &err);
    if (result < 0)
        return result;
    row->phase = phase;
    if (no_name) {
        free(row->name);
        row->name = NULL;
    }
    row->last.exit_code = 7;
    row->last.status = WIRE_EXITED;
    result = store_begin(world->store, &err);
    if (result >= 0)
        result = store_container_update(world->store, row, &err);
    if (result >= 0)
        result = store_commit(world->store, &err);
    store_container_free(row);
    return result;
}

TEST(lists_are_newest_first_and_hide_what_is_going)
{
    struct world world;
    struct store_container **list = NULL;
    size_t count = 0;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(store_container_list(world.store, false, &list, &count, &err), 0);
    CHECK_INT(count, 0);
    CHECK_INT(claim(&world, "a1", "one", NULL, NULL, &err), 0);
    CHECK_INT(claim(&world, "a2", "two", NULL, NULL, &err), 0);
    CHECK_INT(claim(&world, "a3", "three", NULL, NULL, &err), 0);
    CHECK_INT(set_phase(&world, "two", STORE_REMOVING, true), 0);
    CHECK_INT(set_phase(&world, "one", STORE_RUNNING, false), 0);
    REQUIRE(store_container_list(world.store, false, &list, &count, &err) == 0);
    REQUIRE(count == 2);
    CHECK_STR(list[0]->name, "three");
    CHECK_STR(list[1]->name, "one");
    CHECK_INT(list[1]->last.exit_code, 7);
    CHECK_INT(list[1]->last.status, WIRE_EXITED);
    store_container_list_free(list, count);
    REQUIRE(store_container_list(world.store, true, &list, &count, &err) == 0);
    CHECK_INT(count, 3);
    CHECK(list[1]->name == NULL);
    store_container_list_free(list, count);
    cl_auto_free int64_t *numbers = NULL;
    REQUIRE(store_container_unsettled(world.store, &numbers, &count, &err) == 0);
    CHECK_INT(count, 2);
    CHECK(found_id(&world, "two") == NULL);
    CHECK(found_id(&world, "a2") == NULL);                      /* not by its id either */
    CHECK_INT(claim(&world, "a4", "two", NULL, NULL, &err), 0); /* its name is free */
    world_done(&world);
}

TEST(renaming_to_a_name_in_use_is_refused)
{
    struct world world;
    struct store_container *row = NULL;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(claim(&world, "a1", "one", NULL, NULL, &err), 0);
    CHECK_INT(claim(&world, "a2", "two", NULL, NULL, &err), 0);
    REQUIRE(store_container_find(world.store, "one", &row, &err) == 0);
    free(row->name);
    row->name = cl_strdup("two");
    REQUIRE(store_begin(world.store, &err) == 0);
    CHECK_INT(store_container_update(world.store, row, &err), -EEXIST);
    store_rollback(world.store);
    CHECK_CONTAINS(err.text, "\"two\" is already in use by container a20000000000");
    store_container_free(row);
    CHECK_STR(found_id(&world, "one"), "a10000");
    world_done(&world);
}

TEST(numbers_are_never_used_twice)
{
    struct world world;
    int64_t first = 0, second = 0;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(claim(&world, "a1", "one", NULL, &first, &err), 0);
    REQUIRE(store_begin(world.store, &err) == 0);
    CHECK_INT(store_container_delete(world.store, first, &err), 0);
    CHECK_INT(store_commit(world.store, &err), 0);
    CHECK_INT(claim(&world, "a2", "two", NULL, &second, &err), 0);
    CHECK(first > 0 && second > first);
    struct store_container *row = NULL;
    CHECK_INT(store_container_by_number(world.store, first, &row, &err), -ENOENT);
    CHECK_INT(store_container_by_number(world.store, second, &row, &err), 0);
    CHECK_STR(row == NULL ? NULL : row->name, "two");
    store_container_free(row);
    world_done(&world);
}

TEST(everything_of_a_row_is_kept)
{
    struct world world;
    struct store_container *row = NULL;
    char name[] = "n", image_id[] = "sha256:x", image_name[] = "alpine",
         config[] = "{\"a\":\"\\u0001\"}";
    struct store_container claimed = {
        .phase = STORE_CREATING,
        .auto_remove = true,
        .is_new = true,
        .name = name,
        .image_id = image_id,
        .image_name = image_name,
        .config = config,
        .created_ns = INT64_C(1700000000123456789),
        .last = { .status = WIRE_CREATED, .exit_code = 3, .error = "a\nb" }
    };
    REQUIRE(world_make(&world) && world_open(&world));
    make_id("77", claimed.id);
    cl_auto_fd lock = store_lock_open(world.store, &err);
    REQUIRE(store_begin(world.store, &err) == 0);
    CHECK_INT(store_container_claim(world.store, &claimed, lock, &err), 0);
    CHECK_INT(store_commit(world.store, &err), 0);
    REQUIRE(store_container_find(world.store, "n", &row, &err) == 0);
    CHECK_INT(row->number, claimed.number);
    CHECK_INT(row->phase, STORE_CREATING);
    CHECK(row->auto_remove && row->is_new);
    CHECK_STR(row->id, claimed.id);
    CHECK_STR(row->image_id, image_id);
    CHECK_STR(row->image_name, image_name);
    CHECK_STR(row->config, config);
    CHECK_INT(row->created_ns, claimed.created_ns);
    CHECK_INT(row->last.exit_code, 3);
    CHECK_STR(row->last.error, "a\nb");
    store_container_free(row);
    world_done(&world);
}

TEST(state_files)
{
    struct world world;
    struct wire_state state = { .status = WIRE_RUNNING, .pid = 42 }, read = { 0 };
    char text[WIRE_STATE_MAX], id[65];
    REQUIRE(world_make(&world) && world_open(&world));
    make_id("5", id);
    CHECK_INT(store_state_read(world.store, id, &read, &err), -ENOENT);
    int size = wire_state_format(&state, text);
    cl_auto_fd containers =
        openat(store_root_fd(world.store), "containers", O_RDONLY | O_DIRECTORY);
    REQUIRE(size > 0 && mkdirat(containers, id, 0700) == 0);
    cl_auto_fd dir = openat(containers, id, O_RDONLY | O_DIRECTORY);
    CHECK_INT(cl_write_atomic(dir, "state", text, (size_t)size, 0600, CL_WRITE_PLAIN, &err), 0);
    CHECK_INT(store_state_read(world.store, id, &read, &err), 0);
    CHECK_INT(read.pid, 42);
    CHECK_INT(cl_write_atomic(dir, "state", "junk", 4, 0600, CL_WRITE_PLAIN, &err), 0);
    CHECK(store_state_read(world.store, id, &read, &err) < 0);
    CHECK_CONTAINS(err.text, "/state");
    world_done(&world);
}

TEST_MAIN
