/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the tests of the store: a store in a directory of its own, containers and images to put into it, and children that must not disturb the test.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/store.h"
#include "test.h"

struct world {
    char dir[64], root[96], state[96];
    struct store *store;
};

static inline bool world_make(struct world *world)
{
    memset(world, 0, sizeof *world);
    (void)CL_PRINT(world->dir, "/tmp/cloche-test-store.XXXXXX");
    if (mkdtemp(world->dir) == NULL)
        return false;
    (void)CL_PRINT(world->root, "%s/root", world->dir);
    (void)CL_PRINT(world->state, "%s/state", world->dir);
    return true;
}

static inline bool world_open(struct world *world)
{
    struct cl_error err = { 0 };
    if (world->store == NULL && store_open(world->root, world->state, &world->store, &err) < 0)
        TEST_SAY("store_open: %s", err.text);
    return world->store != NULL;
}

static inline void world_close(struct world *world)
{
    store_close(world->store);
    world->store = NULL;
}

static inline void world_done(struct world *world)
{
    world_close(world);
    (void)cl_remove_tree(AT_FDCWD, world->dir, NULL);
}

static inline bool world_has(const struct world *world, const char *path)
{
    char full[512];
    (void)CL_PRINT(full, "%s/%s", world->root, path);
    return faccessat(AT_FDCWD, full, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Entries of a directory of ROOT; -1 when there is none. */
static inline int world_count(const struct world *world, const char *path)
{
    char full[512];
    int count = 0;
    (void)CL_PRINT(full, "%s/%s", world->root, path);
    DIR *directory = opendir(full);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    if (directory == NULL)
        return -1;
    (void)closedir(directory); /* only read */
    return count;
}

/* An id of 64 digits that begins with `prefix`. */
static inline void make_id(const char *prefix, char id[static 65])
{
    memset(id, '0', 64);
    memcpy(id, prefix, strlen(prefix));
    id[64] = '\0';
}

/* Claims in a transaction of its own; the lock is given back at once unless lock_fd is given. */
static inline int claim(struct world *world, const char *id_prefix, const char *name, int *lock_fd,
                        int64_t *number, struct cl_error *err)
{
    char nothing[] = "", config[] = "{}";
    struct store_container row = { .phase = STORE_READY,
                                   .name = (char *)(uintptr_t)name,
                                   .image_id = nothing,
                                   .image_name = nothing,
                                   .config = config,
                                   .created_ns = 1 };
    make_id(id_prefix, row.id);
    cl_auto_fd lock = store_lock_open(world->store, err);
    int result = lock < 0 ? lock : store_begin(world->store, err);
    if (result < 0)
        return result;
    result = store_container_claim(world->store, &row, lock, err);
    if (result < 0) {
        store_rollback(world->store);
        return result;
    }
    result = store_commit(world->store, err);
    if (lock_fd != NULL)
        *lock_fd = cl_take_fd(&lock);
    if (number != NULL)
        *number = row.number;
    return result;
}

/* ---- images ---- */

static inline bool put_blob(int dir_fd, const char *text, char digest[static CL_DIGEST_MAX])
{
    return cl_digest_of(text, strlen(text), digest) >= 0 &&
           cl_write_atomic(dir_fd, digest + 7, text, strlen(text), 0600, CL_WRITE_PLAIN, NULL) >= 0;
}

/* An image in the stage whose layers have these contents; what cloche-transfer would answer. NULL on failure. */
static inline struct cl_json *stage_image(struct store_stage *stage, const char *label,
                                          const char *const *layers)
{
    char digest[CL_DIGEST_MAX], text[256];
    CL_AUTO(cl_json_unref) struct cl_json *image = cl_json_object();
    CL_AUTO(cl_json_unref) struct cl_json *list = cl_json_array();
    CL_AUTO(cl_json_unref) struct cl_json *config = cl_json_object();
    (void)cl_json_set_string(config, "label", label);
    (void)cl_json_set_string(config, "created", "2024-01-02T03:04:05Z");
    cl_auto_free char *config_text = cl_json_text(config, CL_JSON_COMPACT);
    bool good = put_blob(stage->blobs_fd, config_text, digest);
    good &= cl_json_set_string(image, "id", digest) == 0;
    (void)CL_PRINT(text, "manifest of %s", label);
    good &= put_blob(stage->blobs_fd, text, digest);
    good &= cl_json_set_string(image, "manifest", digest) == 0;
    for (int i = 0; layers[i] != NULL; i++) {
        struct cl_json *layer = cl_json_object();
        char dir[16], path[64], diff_id[CL_DIGEST_MAX];
        (void)CL_PRINT(dir, "%d", i);
        (void)CL_PRINT(path, "%d/file", i);
        good &= mkdirat(stage->layers_fd, dir, 0755) == 0;
        cl_auto_fd file = openat(stage->layers_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        good &= cl_write_full(file, layers[i], strlen(layers[i])) >= 0;
        (void)CL_PRINT(text, "blob of %s", layers[i]);
        good &= put_blob(stage->blobs_fd, text, digest);
        good &= cl_digest_of(layers[i], strlen(layers[i]), diff_id) >= 0;
        good &= cl_json_set_string(layer, "digest", digest) == 0 &&
                cl_json_set_string(layer, "diff_id", diff_id) == 0 &&
                cl_json_set_string(layer, "dir", dir) == 0 &&
                cl_json_set_int(layer, "size", 100) == 0;
        good &= cl_json_add(list, layer) == 0;
    }
    good &= cl_json_set(image, "config", cl_take(config)) == 0;
    good &= cl_json_set(image, "layers", cl_take(list)) == 0;
    good &= cl_json_set_int(image, "size", 1000) == 0;
    return good ? cl_take(image) : NULL;
}

/* Stage and commit. id may be NULL. */
static inline int add_image(struct store *store, const char *label, const char *const *layers,
                            const char *name, char id[CL_DIGEST_MAX], struct cl_error *err)
{
    struct store_stage stage;
    const char *const names[] = { name, NULL };
    int result = store_stage_open(store, &stage, err);
    if (result < 0)
        return result;
    CL_AUTO(cl_json_unref) struct cl_json *image = stage_image(&stage, label, layers);
    result = image == NULL ? cl_fail_kind(err, CL_KIND_SYSTEM, EIO, "the test's own set-up failed")
                           : store_stage_commit(store, &stage, image, names, err);
    if (result >= 0 && id != NULL)
        (void)cl_print(id, CL_DIGEST_MAX, "%s", cl_json_string(cl_json_get(image, "id")));
    store_stage_done(store, &stage);
    return result;
}

static inline int delete_image(struct store *store, const char *id, struct cl_error *err)
{
    int result = store_begin(store, err);
    if (result < 0)
        return result;
    result = store_image_delete(store, id, err);
    if (result >= 0)
        return store_commit(store, err);
    store_rollback(store);
    return result;
}

/* Run in a child; its status: 0–255, or 128 + signal. The child's checks count by its status only: it must print nothing. */
static inline int in_child(int (*function)(void *), void *argument)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(function(argument));
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* In a child: a mount namespace of its own, in which nothing reaches the machine. */
static inline bool enter_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}
