/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dying at every test point of the store, and failing at the last moment: the next one to come finds a store that is whole, sweeps what was left, and can
 * do what the dead one tried.
 *
 * The victim is this program started anew ("ACTION ROOT STATE"), because test points read their wish once in a process.
 */
#include "support.h"

#include <sqlite3.h>

static struct cl_error err;
static const char *const layers_one[] = { "base", "app", NULL };
static const char *const layers_two[] = { "base", "other", NULL };

static int act(const char *action, const char *root, const char *state)
{
    struct store *store = NULL;
    struct cl_error failure = { 0 };
    int result = store_open(root, state, &store, &failure);
    if (result >= 0 && cl_streq(action, "import"))
        result = add_image(store, "two", layers_two, "two", NULL, &failure);
    else if (result >= 0 && cl_streq(action, "delete")) {
        struct store_image *image = NULL;
        result = store_image_find(store, "one", &image, &failure);
        if (result >= 0)
            result = delete_image(store, image->id, &failure);
        store_image_free(image);
    }
    store_close(store);
    if (result < 0)
        fprintf(stderr, "# %s: %s\n", action, failure.text);
    return result < 0 ? 1 : 0;
}

/* 0: lived; 1: killed; -1: else. */
static int run_victim(struct world *world, const char *action, int point)
{
    char wish[32];
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        (void)CL_PRINT(wish, "cloche:%d", point);
        (void)setenv("CLOCHE_TEST_KILL", wish, 1);
        execl("/proc/self/exe", "test-crash", action, world->root, world->state, (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return 1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* Every image has its directories and blobs, and there is nothing else. */
static void check_whole(struct world *world, const char *when)
{
    struct store_image **list = NULL;
    size_t count = 0, expected_blobs = 0;
    int64_t numbers[64];
    size_t number_count = 0;
    char path[160];
    if (store_image_list(world->store, &list, &count, &err) < 0) {
        TEST_SAY("%s: %s", when, err.text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        expected_blobs += 2;
        for (size_t j = 0; j < list[i]->layer_count; j++) {
            size_t k = 0;
            while (k < number_count && numbers[k] != list[i]->layers[j].number)
                k++;
            if (k == number_count)
                numbers[number_count++] = list[i]->layers[j].number;
            (void)CL_PRINT(path, "layers/%lld/file", (long long)list[i]->layers[j].number);
            if (!world_has(world, path))
                TEST_SAY("%s: %s is missing", when, path);
            (void)CL_PRINT(path, "blobs/sha256/%s", list[i]->layers[j].digest + 7);
            if (!world_has(world, path))
                TEST_SAY("%s: %s is missing", when, path);
        }
        (void)CL_PRINT(path, "blobs/sha256/%s", list[i]->id + 7);
        if (!world_has(world, path))
            TEST_SAY("%s: config of %s is missing", when, list[i]->names[0]);
    }
    store_image_list_free(list, count);
    if (world_count(world, "layers") != (int)number_count)
        TEST_SAY("%s: %d layers, %zu known", when, world_count(world, "layers"), number_count);
    if (world_count(world, "blobs/sha256") != (int)(expected_blobs + number_count))
        TEST_SAY("%s: %d blobs, %zu known", when, world_count(world, "blobs/sha256"),
                 expected_blobs + number_count);
    if (world_count(world, "stage") != 0)
        TEST_SAY("%s: a stage is left", when);
}

static void walk(const char *action, bool sweep_before)
{
    int point = 1, fate = 1;
    for (; fate == 1 && point < 100; point++) {
        struct world world;
        char when[64];
        (void)CL_PRINT(when, "%s killed at point %d", action, point);
        REQUIRE(world_make(&world) && world_open(&world));
        if (add_image(world.store, "one", layers_one, "one", NULL, &err) < 0)
            TEST_SAY("%s: %s", when, err.text);
        fate = run_victim(&world, action, point);
        CHECK(fate >= 0);
        if (sweep_before) {
            CHECK(store_sweep(world.store, &err) >= 0);
            check_whole(&world, when);
        }
        struct store_image *image = NULL;
        if (fate == 1 && store_image_find(world.store, "two", &image, NULL) < 0)
            if (add_image(world.store, "two", layers_two, "two", NULL, &err) < 0)
                TEST_SAY("%s: again: %s", when, err.text);
        store_image_free(image);
        CHECK(store_sweep(world.store, &err) >= 0);
        check_whole(&world, when);
        world_done(&world);
    }
    CHECK(point > 5); /* else the points are not reached */
    CHECK_INT(fate, 0);
}

TEST(an_import_killed_anywhere_is_swept)
{
    walk("import", true);
}

TEST(an_import_killed_anywhere_does_not_stop_the_next)
{
    walk("import", false);
}

TEST(a_deletion_killed_anywhere_is_swept)
{
    walk("delete", true);
}

TEST(a_living_stage_is_not_swept)
{
    struct world world;
    struct store_stage stage;
    struct store *other = NULL;
    REQUIRE(world_make(&world) && world_open(&world));
    REQUIRE(store_stage_open(world.store, &stage, &err) == 0);
    CL_AUTO(cl_json_unref) struct cl_json *image = stage_image(&stage, "one", layers_one);
    REQUIRE(store_open(world.root, world.state, &other, &err) == 0);
    CHECK_INT(store_sweep(other, &err), 0);
    store_close(other);
    const char *const names[] = { "one", NULL };
    CHECK_INT(store_stage_commit(world.store, &stage, image, names, &err), 0);
    store_stage_done(world.store, &stage);
    check_whole(&world, "after a sweep by another");
    world_done(&world);
}

/* The commit itself fails (as on a full disk) after everything was moved: a trigger stands for the disk. */
TEST(a_commit_that_fails_is_undone)
{
    struct world world;
    sqlite3 *db = NULL;
    char path[128];
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", layers_one, "one", NULL, &err), 0);
    (void)CL_PRINT(path, "%s/catalog.db", world.root);
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(
              db, "CREATE TRIGGER no BEFORE INSERT ON names BEGIN SELECT RAISE(FAIL,'no'); END",
              NULL, NULL, NULL) == SQLITE_OK);
    CHECK(add_image(world.store, "two", layers_two, "two", NULL, &err) < 0);
    check_whole(&world, "after a commit that failed");
    CHECK(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    CHECK_INT(add_image(world.store, "two", layers_two, "two", NULL, &err), 0);
    check_whole(&world, "after the same again");
    world_done(&world);
}

TEST(foreign_debris_is_swept)
{
    struct world world;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", layers_one, "one", NULL, &err), 0);
    int root = store_root_fd(world.store);
    CHECK(mkdirat(root, "stage/dead", 0700) == 0 && mkdirat(root, "layers/77", 0700) == 0);
    CHECK(mkdirat(root, "layers/odd", 0700) == 0 && mkdirat(root, "layers/odd/in", 0000) == 0);
    CHECK_INT(cl_write_atomic(root, "blobs/sha256/abc", "x", 1, 0600, CL_WRITE_PLAIN, &err), 0);
    CHECK_INT(store_sweep(world.store, &err), 4);
    CHECK_INT(store_sweep(world.store, &err), 0);
    check_whole(&world, "after a sweep");
    world_done(&world);
}

int main(int argc, char **argv)
{
    return argc == 4 ? act(argv[1], argv[2], argv[3]) : test_run_all();
}
