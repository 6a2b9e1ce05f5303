/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config.h"
#include "store/store.h"
#include "test.h"

static char *dup_or_die(const char *text)
{
    char *copy = cl_strdup(text);
    if (copy == NULL)
        abort();
    return copy;
}

static void replace(char **member, const char *text)
{
    free(*member);
    *member = dup_or_die(text);
}

TEST(every_kind_of_field_survives_the_catalog)
{
    CL_AUTO(engine_config_free) struct engine_config *config = engine_config_new();
    CL_AUTO(engine_config_free) struct engine_config *back = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    struct cl_error err = { 0 };
    REQUIRE(config != NULL);
    replace(&config->image, "alpine");
    replace(&config->user, "1000:1000");
    REQUIRE(cl_strv_append(&config->env, "A=1=2") == 0);
    REQUIRE(cl_strv_append(&config->env, "B=") == 0);
    REQUIRE(cl_strv_append(&config->command, "sh") == 0);
    REQUIRE(cl_strv_append(&config->labels, "com.example=x y") == 0);
    config->tty = true;
    config->memory = INT64_C(1) << 40;
    config->stop_timeout = -1;
    CHECK_INT(engine_config_encode(config, &json, &err), 0);
    CHECK_STR(cl_json_string(cl_json_get(cl_json_get(json, "Config"), "Image")), "alpine");
    CHECK_STR(cl_json_string(
                  cl_json_get(cl_json_get(cl_json_get(json, "Config"), "Labels"), "com.example")),
              "x y");
    CHECK_INT(engine_config_decode(json, &back, &err), 0);
    REQUIRE(back != NULL);
    CHECK_STR(back->image, "alpine");
    CHECK_STR(back->user, "1000:1000");
    CHECK_STR(back->hostname, "");
    REQUIRE(cl_strv_count((const char *const *)back->env) == 2);
    CHECK_STR(back->env[0], "A=1=2");
    CHECK_STR(back->env[1], "B=");
    CHECK_STR(back->labels[0], "com.example=x y");
    CHECK(back->tty);
    CHECK(!back->open_stdin);
    CHECK(back->entrypoint == NULL);
    CHECK_INT(back->memory, INT64_C(1) << 40);
    CHECK_INT(back->stop_timeout, -1);
}

TEST(a_malformed_catalog_entry_is_named)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    CL_AUTO(engine_config_free) struct engine_config *config = NULL;
    struct cl_error err = { 0 };
    const char text[] = "{\"Config\":{\"Env\":[1]}}";
    REQUIRE(cl_json_parse(text, strlen(text), 1000, &json, &err) == 0);
    CHECK(engine_config_decode(json, &config, &err) < 0);
    CHECK(config == NULL);
    CHECK_CONTAINS(err.text, "Config.Env");
}

static struct store_image image_with(const char *config)
{
    struct store_image image = { .id = "sha256:"
                                       "00000000000000000000000000000000"
                                       "00000000000000000000000000000000" };
    image.config = dup_or_die(config);
    return image;
}

static const char image_config[] =
    "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
    "\"config\":{\"Env\":[\"PATH=/bin\",\"X=image\"],\"Entrypoint\":[\"/entry\"],\"Cmd\":[\"arg\"],"
    "\"User\":\"daemon\",\"WorkingDir\":\"/srv\",\"Labels\":{\"a\":\"1\",\"b\":\"2\"},"
    "\"StopSignal\":\"SIGINT\"}}";

TEST(what_the_image_says_is_the_default)
{
    CL_AUTO(engine_config_free) struct engine_config *config = engine_config_new();
    struct store_image image = image_with(image_config);
    struct cl_error err = { 0 };
    REQUIRE(config != NULL);
    REQUIRE(cl_strv_append(&config->env, "X=mine") == 0);
    REQUIRE(cl_strv_append(&config->labels, "b=mine") == 0);
    CHECK_INT(engine_config_merge(config, &image, &err), 0);
    CHECK_STR(config->entrypoint[0], "/entry");
    CHECK_STR(config->command[0], "arg");
    CHECK_STR(config->user, "daemon");
    CHECK_STR(config->working_dir, "/srv");
    CHECK_STR(config->stop_signal, "SIGINT");
    CHECK_STR(cl_env_get((const char *const *)config->env, "X"), "mine");
    CHECK_STR(cl_env_get((const char *const *)config->env, "PATH"), "/bin");
    CHECK_STR(cl_env_get((const char *const *)config->labels, "a"), "1");
    CHECK_STR(cl_env_get((const char *const *)config->labels, "b"), "mine");
    free(image.config);
}

TEST(an_entrypoint_of_the_users_drops_the_images_command)
{
    CL_AUTO(engine_config_free) struct engine_config *config = engine_config_new();
    struct store_image image = image_with(image_config);
    struct cl_error err = { 0 };
    REQUIRE(config != NULL);
    config->has_entrypoint = true;
    REQUIRE(cl_strv_append(&config->entrypoint, "/mine") == 0);
    CHECK_INT(engine_config_merge(config, &image, &err), 0);
    CHECK_STR(config->entrypoint[0], "/mine");
    CHECK(config->command == NULL);
    free(image.config);
}

TEST(no_command_anywhere_is_an_error_that_says_what_to_do)
{
    CL_AUTO(engine_config_free) struct engine_config *config = engine_config_new();
    struct store_image image = image_with("{\"architecture\":\"amd64\",\"os\":\"linux\","
                                          "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
    struct cl_error err = { 0 };
    REQUIRE(config != NULL);
    CHECK(engine_config_merge(config, &image, &err) < 0);
    CHECK_CONTAINS(err.text, "no command specified");
    free(image.config);
}

TEST_MAIN
