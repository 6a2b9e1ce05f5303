/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"
#include "test.h"

#include "engine/engine_private.h"

static struct engine_config *fresh(void)
{
    struct engine_config *config = engine_config_new();
    if (config == NULL)
        abort();
    return config;
}

static void add(char ***vector, const char *text)
{
    if (cl_strv_append(vector, text) < 0)
        abort();
}

static uint64_t mask_of(const char *added, const char *dropped)
{
    CL_AUTO(engine_config_free) struct engine_config *config = fresh();
    uint64_t mask = 0;
    if (added != NULL)
        add(&config->cap_add, added);
    if (dropped != NULL)
        add(&config->cap_drop, dropped);
    return engine_capabilities(config, &mask, NULL) < 0 ? UINT64_MAX : mask;
}

TEST(capabilities_follow_dockers_rules)
{
    CHECK_INT(mask_of(NULL, NULL), oci_cap_default);
    CHECK_INT(__builtin_popcountll(oci_cap_default), 11);
    CHECK_INT(mask_of("NET_RAW", NULL), oci_cap_default | UINT64_C(1) << 13);
    CHECK_INT(mask_of("cap_net_raw", NULL), oci_cap_default | UINT64_C(1) << 13);
    CHECK_INT(mask_of(NULL, "CHOWN"), oci_cap_default & ~UINT64_C(1));
    CHECK_INT(mask_of(NULL, "ALL"), 0);
    CHECK_INT(mask_of("CHOWN", "ALL"), 1);
    CHECK_INT(mask_of("ALL", NULL), OCI_CAP_ALL);
    CHECK_INT(mask_of("ALL", "CHOWN"), OCI_CAP_ALL & ~UINT64_C(1));
}

TEST(an_unknown_capability_gets_a_suggestion)
{
    CL_AUTO(engine_config_free) struct engine_config *config = fresh();
    struct cl_error err = { 0 };
    uint64_t mask;
    add(&config->cap_add, "NET_ROW");
    CHECK(engine_capabilities(config, &mask, &err) < 0);
    CHECK_CONTAINS(err.text, "NET_RAW");
}

TEST(binds_are_taken_apart)
{
    struct engine_bind bind = { 0 };
    struct cl_error err = { 0 };
    CHECK_INT(engine_bind_parse("/a:/b:ro,nosuid", &bind, &err), 0);
    CHECK_STR(bind.source, "/a");
    CHECK_STR(bind.destination, "/b");
    CHECK_STR(bind.options, "ro,nosuid");
    engine_bind_done(&bind);
    CHECK_INT(engine_bind_parse("/a:/b", &bind, &err), 0);
    CHECK_STR(bind.options, "");
    engine_bind_done(&bind);
    static const char *const bad[] = { "data:/b",  "/a",     "/a:b",         "/a:/",
                                       "/a:/b:no", "/a::ro", "/a:/b:ro,what" };
    for (size_t i = 0; i < CL_COUNT(bad); i++) {
        CHECK(engine_bind_parse(bad[i], &bind, &err) < 0);
        CHECK(bind.source == NULL);
        CHECK_CONTAINS(err.text, bad[i]);
    }
}

TEST(ulimits_are_taken_apart)
{
    int type;
    uint64_t soft, hard;
    struct cl_error err = { 0 };
    CHECK_INT(engine_ulimit_parse("nofile=10:20", &type, &soft, &hard, &err), 0);
    CHECK_INT(type, RLIMIT_NOFILE);
    CHECK_INT(soft, 10);
    CHECK_INT(hard, 20);
    CHECK_INT(engine_ulimit_parse("core=-1", &type, &soft, &hard, &err), 0);
    CHECK(soft == UINT64_MAX && hard == UINT64_MAX);
    static const char *const bad[] = { "nofile", "nofile=",    "nofile=5:4",
                                       "what=1", "nofile=1:x", "=1" };
    for (size_t i = 0; i < CL_COUNT(bad); i++)
        CHECK(engine_ulimit_parse(bad[i], &type, &soft, &hard, &err) < 0);
}

static bool is_refused(void (*change)(struct engine_config *), const char *word)
{
    CL_AUTO(engine_config_free) struct engine_config *config = fresh();
    struct cl_error err = { 0 };
    change(config);
    return engine_config_check(config, &err) < 0 && strstr(err.text, word) != NULL;
}

static void too_little_memory(struct engine_config *config)
{
    config->memory = 1024;
}

static void swap_without_memory(struct engine_config *config)
{
    config->memory_swap = 1 << 30;
}

static void two_cpu_limits(struct engine_config *config)
{
    config->nano_cpus = 1000000000;
    config->cpu_quota = 1000;
}

static void unknown_security_option(struct engine_config *config)
{
    add(&config->security_opt, "seccomp=/some/file");
}

static void relative_tmpfs(struct engine_config *config)
{
    add(&config->tmpfs, "tmp");
}

static void sysctl_without_value(struct engine_config *config)
{
    add(&config->sysctls, "net.core.somaxconn");
}

TEST(impossible_values_are_refused_by_name)
{
    CHECK(is_refused(too_little_memory, "--memory"));
    CHECK(is_refused(swap_without_memory, "--memory-swap"));
    CHECK(is_refused(two_cpu_limits, "--cpus"));
    CHECK(is_refused(unknown_security_option, "--security-opt"));
    CHECK(is_refused(relative_tmpfs, "--tmpfs"));
    CHECK(is_refused(sysctl_without_value, "--sysctl"));
}

TEST(the_default_configuration_is_fine)
{
    CL_AUTO(engine_config_free) struct engine_config *config = fresh();
    struct cl_error err = { 0 };
    CHECK_INT(engine_config_check(config, &err), 0);
}

TEST_MAIN
