/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: from the stage into the catalog, found by every spelling, sharing layers, deleted without taking what others need.
 */
#include "support.h"

static struct cl_error err;
static const char *const base_only[] = { "base", NULL };
static const char *const base_and_app[] = { "base", "app", NULL };

static bool finds(struct world *world, const char *reference, const char *id)
{
    struct store_image *image = NULL;
    err = (struct cl_error){ 0 };
    if (store_image_find(world->store, reference, &image, &err) < 0)
        return false;
    bool same = id == NULL || cl_streq(image->id, id);
    store_image_free(image);
    return same;
}

TEST(a_committed_image_is_all_there)
{
    struct world world;
    struct store_image *image = NULL;
    char id[CL_DIGEST_MAX], path[160];
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", base_and_app, "alpine", id, &err), 0);
    REQUIRE(store_image_find(world.store, "alpine", &image, &err) == 0);
    CHECK_STR(image->id, id);
    CHECK_INT(image->layer_count, 2);
    CHECK_INT(image->size, 1000);
    CHECK_INT(image->created_ns, INT64_C(1704164645000000000));
    CHECK_STR(image->names[0], "alpine:latest");
    CHECK_CONTAINS(image->config, "\"label\":\"one\"");
    for (size_t i = 0; i < image->layer_count; i++) {
        (void)CL_PRINT(path, "layers/%lld/file", (long long)image->layers[i].number);
        CHECK(world_has(&world, path));
        (void)CL_PRINT(path, "blobs/sha256/%s", image->layers[i].digest + 7);
        CHECK(world_has(&world, path));
    }
    CHECK_INT(world_count(&world, "blobs/sha256"), 4);
    CHECK_INT(world_count(&world, "layers"), 2);
    CHECK_INT(world_count(&world, "stage"), 0);
    store_image_free(image);
    world_done(&world);
}

TEST(found_by_every_spelling)
{
    struct world world;
    char id[CL_DIGEST_MAX], prefix[32], pinned[300];
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", base_only, "docker.io/library/alpine:3", id, &err), 0);
    CHECK(finds(&world, "alpine:3", id) && finds(&world, "docker.io/library/alpine:3", id));
    CHECK(finds(&world, "library/alpine:3", id) &&
          finds(&world, "index.docker.io/library/alpine:3", id));
    CHECK(finds(&world, id, id) && finds(&world, id + 7, id));
    (void)CL_PRINT(prefix, "%.12s", id + 7);
    CHECK(finds(&world, prefix, id));
    (void)CL_PRINT(prefix, "%.19s", id);
    CHECK(finds(&world, prefix, id));
    struct store_image *image = NULL;
    REQUIRE(store_image_find(world.store, id, &image, &err) == 0);
    (void)CL_PRINT(pinned, "alpine@%s", image->manifest);
    CHECK(finds(&world, pinned, id));
    store_image_free(image);
    CHECK(!finds(&world, "alpine", NULL));
    CHECK_INT(err.kind, CL_KIND_NOT_FOUND);
    CHECK_CONTAINS(err.text, "no such image: alpine:latest");
    CHECK(!finds(&world, "No/Such", NULL));
    CHECK_INT(err.kind, CL_KIND_INVALID);
    world_done(&world);
}

TEST(an_ambiguous_prefix_names_two)
{
    struct world world;
    char label[16];
    REQUIRE(world_make(&world) && world_open(&world));
    for (int i = 0; i < 17; i++) { /* two of 17 ids share their first digit */
        (void)CL_PRINT(label, "image%d", i);
        CHECK_INT(add_image(world.store, label, base_only, label, NULL, &err), 0);
    }
    int ambiguous = 0;
    for (const char *digit = "0123456789abcdef"; *digit != '\0'; digit++) {
        char prefix[2] = { *digit, '\0' };
        if (finds(&world, prefix, NULL) || err.kind != CL_KIND_CONFLICT)
            continue;
        ambiguous++;
        CHECK_CONTAINS(err.text, "is ambiguous: both ");
        CHECK_CONTAINS(err.text, "give more digits");
    }
    CHECK(ambiguous > 0);
    world_done(&world);
}

TEST(names_move_and_go)
{
    struct world world;
    char one[CL_DIGEST_MAX], two[CL_DIGEST_MAX];
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", base_only, "app", one, &err), 0);
    CHECK_INT(add_image(world.store, "two", base_only, "app", two, &err), 0);
    CHECK(finds(&world, "app", two) && finds(&world, one, one));
    REQUIRE(store_begin(world.store, &err) == 0);
    CHECK_INT(store_image_tag(world.store, one, "app:v1", &err), 0);
    CHECK_INT(store_image_untag(world.store, "app", &err), 0);
    CHECK_INT(store_image_untag(world.store, "app", &err), -ENOENT);
    CHECK_INT(store_commit(world.store, &err), 0);
    CHECK(finds(&world, "app:v1", one) && !finds(&world, "app", NULL));
    struct store_image **list = NULL;
    size_t count = 0;
    CHECK_INT(store_image_list(world.store, &list, &count, &err), 0);
    CHECK_INT(count, 2);
    store_image_list_free(list, count);
    world_done(&world);
}

TEST(layers_are_shared)
{
    struct world world;
    char one[CL_DIGEST_MAX], two[CL_DIGEST_MAX];
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", base_only, "one", one, &err), 0);
    CHECK_INT(add_image(world.store, "two", base_and_app, "two", two, &err), 0);
    CHECK_INT(world_count(&world, "layers"), 2);
    CHECK_INT(world_count(&world, "blobs/sha256"), 6); /* 2 configs, 2 manifests, 2 layers */
    CHECK_INT(delete_image(world.store, one, &err), 0);
    CHECK_INT(world_count(&world, "layers"), 2);
    CHECK_INT(world_count(&world, "blobs/sha256"), 4);
    CHECK(finds(&world, "two", two) && !finds(&world, "one", NULL));
    CHECK_INT(delete_image(world.store, two, &err), 0);
    CHECK_INT(world_count(&world, "layers"), 0);
    CHECK_INT(world_count(&world, "blobs/sha256"), 0);
    CHECK_INT(world_count(&world, "stage"), 0);
    CHECK_INT(add_image(world.store, "one", base_only, "one", one, &err), 0);
    CHECK_INT(world_count(&world, "layers"), 1);
    world_done(&world);
}

TEST(the_same_image_again_only_gets_a_name)
{
    struct world world;
    char one[CL_DIGEST_MAX], again[CL_DIGEST_MAX];
    struct store_image *image = NULL;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", base_only, "b", one, &err), 0);
    CHECK_INT(add_image(world.store, "one", base_only, "a", again, &err), 0);
    CHECK_STR(again, one);
    REQUIRE(store_image_find(world.store, one, &image, &err) == 0);
    CHECK_INT(cl_strv_count((const char *const *)image->names), 2);
    CHECK_STR(image->names[0], "a:latest");
    store_image_free(image);
    CHECK_INT(world_count(&world, "layers"), 1);
    world_done(&world);
}

/* WORKDIR and the like make empty layers, so images have the same one several times. */
TEST(an_image_may_have_a_layer_twice)
{
    struct world world;
    static const char *const twice[] = { "empty", "app", "empty", NULL };
    struct store_image *image = NULL;
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", twice, "one", NULL, &err), 0);
    REQUIRE(store_image_find(world.store, "one", &image, &err) == 0);
    CHECK_INT(image->layer_count, 3);
    CHECK(image->layers[0].number == image->layers[2].number);
    CHECK_INT(world_count(&world, "layers"), 2);
    store_image_free(image);
    world_done(&world);
}

TEST(an_image_in_use_stays)
{
    struct world world;
    char id[CL_DIGEST_MAX];
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", base_only, "one", id, &err), 0);
    char name[] = "web", nothing[] = "";
    struct store_container row = {
        .phase = STORE_READY, .name = name, .image_id = id, .image_name = nothing, .config = nothing
    };
    make_id("feed", row.id);
    cl_auto_fd lock = store_lock_open(world.store, &err);
    REQUIRE(store_begin(world.store, &err) == 0);
    CHECK_INT(store_container_claim(world.store, &row, lock, &err), 0);
    CHECK_INT(store_commit(world.store, &err), 0);
    CHECK_INT(delete_image(world.store, id, &err), -EBUSY);
    CHECK_INT(err.kind, CL_KIND_CONFLICT);
    CHECK_CONTAINS(err.text, "is used by container feed00000000");
    CHECK(finds(&world, "one", id));
    CHECK_INT(world_count(&world, "layers"), 1);
    world_done(&world);
}

TEST(a_deletion_that_is_rolled_back_deletes_nothing)
{
    struct world world;
    char id[CL_DIGEST_MAX];
    REQUIRE(world_make(&world) && world_open(&world));
    CHECK_INT(add_image(world.store, "one", base_only, "one", id, &err), 0);
    REQUIRE(store_begin(world.store, &err) == 0);
    CHECK_INT(store_image_delete(world.store, id, &err), 0);
    store_rollback(world.store);
    CHECK(finds(&world, "one", id));
    CHECK_INT(world_count(&world, "layers"), 1);
    CHECK_INT(world_count(&world, "blobs/sha256"), 3);
    CHECK_INT(world_count(&world, "stage"), 0);
    world_done(&world);
}

/* What cloche-transfer says is not believed: it has touched bytes from outside. */
static int commit_changed(struct world *world, const char *layer_key, const char *value)
{
    struct store_stage stage;
    if (store_stage_open(world->store, &stage, &err) < 0)
        return 1;
    CL_AUTO(cl_json_unref) struct cl_json *image = stage_image(&stage, "bad", base_only);
    struct cl_json *layer =
        (struct cl_json *)(uintptr_t)cl_json_at(cl_json_get(image, "layers"), 0);
    if (cl_streq(layer_key, "id") || cl_streq(layer_key, "manifest"))
        (void)cl_json_set_string(image, layer_key, value);
    else
        (void)cl_json_set_string(layer, layer_key, value);
    int result = store_stage_commit(world->store, &stage, image, NULL, &err);
    store_stage_done(world->store, &stage);
    return result;
}

TEST(lies_of_the_answer_are_refused_and_leave_nothing)
{
    struct world world;
    static const struct {
        const char *key, *value;
    } lies[] = {
        { "dir", ".." },
        { "dir", "." },
        { "dir", "" },
        { "dir", "../blobs" },
        { "dir", "missing" },
        { "digest", "sha256:../../catalog.db" },
        { "digest", "" },
        { "digest", "md5:00" },
        { "diff_id", "nothing" },
        { "id", "sha256:.." },
        { "manifest", "catalog.db" },
        { "digest", "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" },
    };
    REQUIRE(world_make(&world) && world_open(&world));
    for (size_t i = 0; i < CL_COUNT(lies); i++)
        if (commit_changed(&world, lies[i].key, lies[i].value) >= 0)
            TEST_SAY("accepted %s = \"%s\"", lies[i].key, lies[i].value);
    CHECK(world_has(&world, "catalog.db"));
    CHECK_INT(world_count(&world, "layers"), 0);
    CHECK_INT(world_count(&world, "blobs/sha256"), 0);
    CHECK_INT(world_count(&world, "stage"), 0);
    CHECK_INT(add_image(world.store, "good", base_only, "good", NULL, &err), 0);
    world_done(&world);
}

TEST_MAIN
