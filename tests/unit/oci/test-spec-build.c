/* SPDX-License-Identifier: Apache-2.0 */
/* Specs made by hand: adders add, setters replace, and the result is what a document would have been. */
#include "oci/runtime_spec.h"

#include <sys/resource.h>

#include "test.h"

TEST(mounts)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new();
    REQUIRE(spec != NULL);
    CHECK_INT(oci_mount_add(spec, "/data", NULL, "/srv", "rbind", "ro", NULL), 0);
    CHECK_INT(oci_mount_add(spec, "/tmp", "tmpfs", "tmpfs", NULL), 0);
    CHECK_INT(oci_mount_add(spec, "/data", "tmpfs", "tmpfs", NULL), 0);
    CHECK_INT(spec->mount_count, 3);
    CHECK_STR(spec->mounts[0].options[1], "ro");
    CHECK(spec->mounts[1].options == NULL);
    CHECK(oci_mount_find(spec, "/data") == &spec->mounts[2]);
    CHECK(oci_mount_remove(spec, "/data"));
    CHECK(!oci_mount_remove(spec, "/data"));
    CHECK_INT(spec->mount_count, 1);
    CHECK_STR(spec->mounts[0].destination, "/tmp");
    CHECK_INT(oci_mount_add(spec, "/x", "tmpfs", NULL, NULL), 0);
    CHECK_STR(spec->mounts[1].destination, "/x");
}

TEST(namespaces)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new();
    REQUIRE(spec != NULL);
    CHECK_INT(oci_namespace_add(spec, OCI_NS_PID, NULL), 0);
    CHECK_INT(oci_namespace_add(spec, OCI_NS_NETWORK, "/proc/1/ns/net"), 0);
    CHECK_INT(oci_namespace_add(spec, OCI_NS_PID, "/proc/2/ns/pid"), 0);
    CHECK_INT(spec->linux_.namespace_count, 2);
    CHECK_STR(oci_namespace_find(spec, OCI_NS_PID)->path, "/proc/2/ns/pid");
    CHECK(oci_namespace_remove(spec, OCI_NS_PID));
    CHECK(!oci_namespace_remove(spec, OCI_NS_PID));
    CHECK(oci_namespace_find(spec, OCI_NS_PID) == NULL);
    CHECK_STR(oci_namespace_find(spec, OCI_NS_NETWORK)->path, "/proc/1/ns/net");
}

TEST(process_parts)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new();
    REQUIRE(spec != NULL);
    struct oci_process *process = spec->process;
    static const char *const args[] = { "echo", "hi", NULL };
    CHECK_INT(oci_args_set(process, args), 0);
    CHECK_STR(process->args[1], "hi");
    CHECK_INT(oci_args_set(process, NULL), 0);
    CHECK(process->args == NULL);
    CHECK_INT(oci_env_set(process, "A=1"), 0);
    CHECK_INT(oci_env_set(process, "A=2"), 0);
    CHECK_STR(cl_env_get((const char *const *)process->env, "A"), "2");
    CHECK_INT(oci_rlimit_set(process, RLIMIT_NOFILE, 1, 2), 0);
    CHECK_INT(oci_rlimit_set(process, RLIMIT_NOFILE, 3, 4), 0);
    CHECK_INT(process->rlimit_count, 1);
    CHECK_INT(process->rlimits[0].soft, 3);
    CHECK_INT(oci_capabilities_set(process, 5), 0);
    CHECK_INT(oci_capabilities_set(process, 7), 0);
    CHECK_INT(process->capabilities->permitted.mask, 7);
    CHECK_INT(oci_gid_add(&process->user, 10), 0);
    CHECK_INT(oci_gid_add(&process->user, 10), 0);
    CHECK_INT(oci_gid_add(&process->user, 11), 0);
    CHECK_INT(process->user.additional_gid_count, 2);
}

TEST(lists)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new();
    REQUIRE(spec != NULL);
    CHECK_INT(oci_id_mapping_add(&spec->linux_.uid_mappings, 0, 100000, 65536), 0);
    CHECK_INT(spec->linux_.uid_mappings.items[0].host_id, 100000);
    CHECK_INT(oci_time_offset_set(spec, "monotonic", 5, 0), 0);
    CHECK_INT(oci_time_offset_set(spec, "monotonic", 6, 1), 0);
    CHECK_INT(spec->linux_.time_offset_count, 1);
    CHECK_INT(spec->linux_.time_offsets[0].secs, 6);
    char path[] = "/dev/fuse", access[] = "rw";
    const struct oci_device device = {
        .type = OCI_DEVICE_CHAR, .path = path, .major = 10, .minor = 229
    };
    const struct oci_device_rule rule = { .allow = true,
                                          .type = OCI_DEVICE_CHAR,
                                          .access = access };
    CHECK_INT(oci_device_add(spec, &device), 0);
    CHECK_INT(oci_device_rule_add(spec, &rule), 0);
    CHECK(spec->linux_.devices[0].path != path);
    CHECK_STR(spec->linux_.resources.devices[0].access, "rw");
    char program[] = "/bin/hook";
    char *args[] = { program, NULL };
    const struct oci_hook hook = { .path = program, .args = args };
    CHECK_INT(oci_hook_add(&spec->hooks.poststop, &hook), 0);
    CHECK_STR(spec->hooks.poststop.items[0].args[0], "/bin/hook");
}

TEST(string_set)
{
    char *text = NULL;
    CHECK_INT(oci_string_set(&text, "a"), 0);
    CHECK_INT(oci_string_set(&text, "b"), 0);
    CHECK_STR(text, "b");
    CHECK_INT(oci_string_set(&text, NULL), 0);
    CHECK(text == NULL);
}

TEST(hand_made_specs_can_be_copied)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new();
    CL_AUTO(oci_spec_free) struct oci_spec *copy = NULL;
    REQUIRE(spec != NULL);
    REQUIRE(oci_map_set(&spec->annotations, "k", "v") == 0);
    REQUIRE(oci_mount_add(spec, "/x", "tmpfs", NULL, "size=1k", NULL) == 0);
    spec->linux_.resources.memory.limit = (struct oci_opt_i64)OCI_SOME(5);
    REQUIRE(oci_spec_copy(spec, &copy) == 0);
    CHECK_STR(oci_map_get(&copy->annotations, "k"), "v");
    CHECK_STR(copy->mounts[0].options[0], "size=1k");
    CHECK_INT(copy->linux_.resources.memory.limit.value, 5);
    CHECK_STR(copy->process->cwd, "/");
}

TEST_MAIN
