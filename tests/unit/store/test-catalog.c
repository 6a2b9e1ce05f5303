/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the store: what is made, who may, and what people read when it can't be opened; transactions.
 */
#include "support.h"

#include <sqlite3.h>

static int open_error(const char *root, const char *state, struct cl_error *err)
{
    struct store *store = NULL;
    int result = store_open(root, state, &store, err);
    store_close(store);
    return result;
}

TEST(opening_makes_private_directories)
{
    struct world world;
    struct stat status;
    REQUIRE(world_make(&world));
    mode_t old = umask(0);
    CHECK(world_open(&world));
    umask(old);
    CHECK(stat(world.root, &status) == 0 && (status.st_mode & 0777) == 0700);
    CHECK(stat(world.state, &status) == 0 && (status.st_mode & 0777) == 0700);
    CHECK(world_has(&world, "blobs/sha256") && world_has(&world, "layers"));
    CHECK(world_has(&world, "containers") && world_has(&world, "stage"));
    world_close(&world);
    CHECK(world_open(&world)); /* and once more on what is there */
    world_done(&world);
}

TEST(paths_have_to_be_absolute)
{
    struct cl_error err = { 0 };
    CHECK_INT(open_error("relative", "/tmp", &err), -EINVAL);
    CHECK_INT(err.kind, CL_KIND_USAGE);
    CHECK_CONTAINS(err.text, "relative is not an absolute path");
}

TEST(a_newer_schema_is_left_alone)
{
    struct world world;
    struct cl_error err = { 0 };
    sqlite3 *db = NULL;
    char path[128];
    REQUIRE(world_make(&world) && world_open(&world));
    world_close(&world);
    (void)CL_PRINT(path, "%s/catalog.db", world.root);
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    CHECK(open_error(world.root, world.state, &err) < 0);
    CHECK_INT(err.kind, CL_KIND_UNSUPPORTED);
    CHECK_CONTAINS(err.text, "newer cloche");
    world_done(&world);
}

TEST(a_damaged_catalog_says_so)
{
    struct world world;
    struct cl_error err = { 0 };
    static char garbage[8192];
    REQUIRE(world_make(&world) && world_open(&world));
    int root = dup(store_root_fd(world.store));
    world_close(&world);
    memset(garbage, 'x', sizeof garbage);
    CHECK(unlinkat(root, "catalog.db-wal", 0) == 0 || errno == ENOENT);
    CHECK(cl_write_atomic(root, "catalog.db", garbage, sizeof garbage, 0600, CL_WRITE_PLAIN,
                          NULL) >= 0);
    close(root);
    CHECK(open_error(world.root, world.state, &err) < 0);
    CHECK_INT(err.kind, CL_KIND_CORRUPT);
    CHECK_CONTAINS(err.text, "catalog.db is damaged");
    world_done(&world);
}

/* Many first commands at once: one makes the schema, the others wait and find it. */
static void race_to_make(void)
{
    struct world world;
    pid_t pids[8];
    REQUIRE(world_make(&world));
    fflush(stdout);
    for (int i = 0; i < 8; i++)
        if ((pids[i] = fork()) == 0) {
            struct cl_error err = { 0 };
            char prefix[8];
            (void)CL_PRINT(prefix, "%d", i);
            int result = store_open(world.root, world.state, &world.store, &err);
            if (result >= 0)
                result = claim(&world, prefix, prefix, NULL, NULL, &err);
            if (result < 0)
                fprintf(stderr, "# %s\n", err.text);
            _exit(result < 0);
        }
    for (int i = 0; i < 8; i++) {
        int status = 0;
        CHECK(waitpid(pids[i], &status, 0) == pids[i]);
        CHECK_INT(status, 0);
    }
    struct store_container **list = NULL;
    size_t count = 0;
    REQUIRE(world_open(&world));
    CHECK_INT(store_container_list(world.store, false, &list, &count, NULL), 0);
    CHECK_INT(count, 8);
    store_container_list_free(list, count);
    world_done(&world);
}

TEST(eight_processes_make_one_store)
{
    for (int round = 0; round < 10; round++)
        race_to_make();
}

static int open_as_nobody(void *argument)
{
    const struct world *world = argument;
    struct cl_error err = { 0 };
    if (setgid(65534) < 0 || setuid(65534) < 0)
        return 99;
    if (open_error(world->root, world->state, &err) >= 0)
        return 1;
    return err.kind == CL_KIND_DENIED && strstr(err.text, "choose another directory") != NULL ? 0
                                                                                              : 2;
}

TEST(another_user_is_denied_and_told_a_way_out)
{
    struct world world;
    if (geteuid() != 0)
        SKIP("needs root to become another user");
    REQUIRE(world_make(&world) && world_open(&world));
    world_close(&world);
    CHECK_INT(in_child(open_as_nobody, &world), 0);
    world_done(&world);
}

static int open_readonly(void *argument)
{
    const struct world *world = argument;
    struct cl_error err = { 0 };
    if (!enter_mounts() || mount(world->dir, world->dir, NULL, MS_BIND, NULL) < 0 ||
        mount(NULL, world->dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
        return 77;
    if (open_error(world->root, world->state, &err) >= 0)
        return 1;
    return strstr(err.text, "Read-only file system") != NULL && strstr(err.text, "--root") != NULL
               ? 0
               : 2;
}

TEST(a_read_only_directory_says_so)
{
    for (int made = 0; made < 2; made++) {
        struct world world;
        REQUIRE(world_make(&world));
        if (made == 1) {
            CHECK(world_open(&world));
            world_close(&world);
        }
        int status = in_child(open_readonly, &world);
        world_done(&world);
        if (status == 77)
            SKIP("needs the right to mount");
        CHECK_INT(status, 0);
    }
}

/* Fill the file system, then every step has to fail cleanly and say that it is full; with room again, all works. */
static int use_full(void *argument)
{
    struct world *world = argument;
    struct cl_error err = { 0 };
    static char block[65536];
    char path[256];
    if (!enter_mounts() || mount("test", world->dir, "tmpfs", 0, "size=2m,mode=700") < 0)
        return 77;
    if (store_open(world->root, world->state, &world->store, &err) < 0)
        return 1;
    (void)CL_PRINT(path, "%s/filler", world->dir);
    int filler = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(filler, block, sizeof block) > 0)
        continue;
    while (write(filler, block, 1) > 0)
        continue;
    int failed = 0;
    for (int i = 0; i < 20 && failed >= 0; i++) {
        char prefix[16];
        (void)CL_PRINT(prefix, "%d", i);
        failed = claim(world, prefix, prefix, NULL, NULL, &err);
    }
    if (failed >= 0 || err.code != -ENOSPC || strstr(err.text, "no space left") == NULL) {
        fprintf(stderr, "# claim: %d %s\n", failed, err.text);
        return 2;
    }
    struct store *second = NULL;
    int opened = store_open(world->root, world->state, &second, &err); /* reading needs no room */
    store_close(second);
    if (opened < 0 && strstr(err.text, "no space left") == NULL) {
        fprintf(stderr, "# open: %s\n", err.text);
        return 3;
    }
    if (ftruncate(filler, 0) < 0 || claim(world, "abc", "abc", NULL, NULL, &err) < 0) {
        fprintf(stderr, "# afterwards: %s\n", err.text);
        return 4;
    }
    store_close(world->store);
    return 0;
}

TEST(a_full_disk_says_so_and_does_no_harm)
{
    struct world world;
    REQUIRE(world_make(&world));
    int status = in_child(use_full, &world);
    world_done(&world);
    if (status == 77)
        SKIP("needs the right to mount");
    CHECK_INT(status, 0);
}

/* The first command on a disk that is already full. */
static int make_on_full(void *argument)
{
    struct world *world = argument;
    struct cl_error err = { 0 };
    static char block[4096];
    char path[256];
    if (!enter_mounts() || mount("test", world->dir, "tmpfs", 0, "size=256k,mode=700") < 0)
        return 77;
    (void)CL_PRINT(path, "%s/filler", world->dir);
    int filler = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(filler, block, sizeof block) > 0)
        continue;
    if (open_error(world->root, world->state, &err) >= 0)
        return 1;
    bool told =
        strstr(err.text, "no space left") != NULL || strstr(err.text, "No space left") != NULL;
    if (!told) {
        fprintf(stderr, "# %s\n", err.text);
        return 2;
    }
    if (ftruncate(filler, 0) < 0 || open_error(world->root, world->state, &err) < 0) {
        fprintf(stderr, "# afterwards: %s\n", err.text);
        return 3;
    }
    return 0;
}

TEST(a_store_that_can_not_be_made_can_be_made_later)
{
    struct world world;
    REQUIRE(world_make(&world));
    int status = in_child(make_on_full, &world);
    world_done(&world);
    if (status == 77)
        SKIP("needs the right to mount");
    CHECK_INT(status, 0);
}

TEST(writing_needs_a_transaction)
{
    struct world world;
    struct cl_error err = { 0 };
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK(store_container_delete(world.store, 1, &err) < 0);
    CHECK_CONTAINS(err.text, "outside a transaction");
    CHECK(store_image_tag(world.store, "sha256:", "a", &err) < 0);
    world_done(&world);
}

/* A second process begins while we hold the transaction: it comes back only when we are done, and sees what we wrote. */
static int find_first(const struct world *world, int go)
{
    char byte;
    struct store *store = NULL;
    struct store_container *row = NULL;
    struct cl_error err = { 0 };
    alarm(60);
    if (read(go, &byte, 1) != 1 || store_open(world->root, world->state, &store, &err) < 0)
        return 1;
    if (store_begin(store, &err) < 0)
        return 2;
    int found = store_container_find(store, "first", &row, &err);
    store_container_free(row);
    store_rollback(store);
    store_close(store);
    return found == 0 ? 0 : 3;
}

TEST(writers_wait_for_each_other_and_see_what_was_written)
{
    struct world world;
    struct cl_error err = { 0 };
    int go[2], status = 0;
    char nothing[] = "", name[] = "first";
    struct store_container row = { .phase = STORE_READY,
                                   .name = name,
                                   .image_id = nothing,
                                   .image_name = nothing,
                                   .config = nothing };
    REQUIRE(world_make(&world) && pipe2(go, O_CLOEXEC) == 0);
    fflush(stdout);
    pid_t pid = fork(); /* before the store is opened: SQLite's own state must not be inherited */
    if (pid == 0)
        _exit(find_first(&world, go[0]));
    REQUIRE(world_open(&world));
    make_id("1", row.id);
    cl_auto_fd lock = store_lock_open(world.store, &err);
    REQUIRE(store_begin(world.store, &err) == 0);
    CHECK(write(go[1], "x", 1) == 1);
    CHECK_INT(store_container_claim(world.store, &row, lock, &err), 0);
    CHECK_INT(store_commit(world.store, &err), 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
    close(go[0]);
    close(go[1]);
    world_done(&world);
}

TEST_MAIN
