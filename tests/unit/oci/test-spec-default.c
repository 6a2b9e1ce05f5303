/* SPDX-License-Identifier: Apache-2.0 */
/* The default isolation is what design.md promises, and a valid document. */
#include "oci/runtime_spec.h"

#include "oci/names.h"
#include "test.h"

TEST(is_valid)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    struct cl_error err = { 0 };
    REQUIRE(spec != NULL);
    if (oci_spec_validate(spec, &err) < 0)
        TEST_SAY("%s", err.text);
}

TEST(seven_private_namespaces)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    REQUIRE(spec != NULL);
    CHECK_INT(spec->linux_.namespace_count, 7);
    for (int type = 0; type < OCI_NS_COUNT; type++) {
        const struct oci_namespace *ns = oci_namespace_find(spec, (enum oci_namespace_type)type);
        CHECK((ns != NULL) == (type != OCI_NS_USER));
        CHECK(ns == NULL || ns->path == NULL);
    }
}

TEST(capabilities_cannot_be_inherited)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    REQUIRE(spec != NULL && spec->process->capabilities != NULL);
    const struct oci_capabilities *sets = spec->process->capabilities;
    CHECK(sets->bounding.mask == oci_cap_default && sets->effective.mask == oci_cap_default);
    CHECK(sets->permitted.mask == oci_cap_default);
    CHECK(sets->inheritable.mask == 0 && sets->ambient.mask == 0);
}

TEST(paths_and_devices)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    REQUIRE(spec != NULL);
    static const char *const masked[] = { "/proc/kcore",
                                          "/proc/keys",
                                          "/proc/asound",
                                          "/proc/interrupts",
                                          "/sys/firmware",
                                          "/sys/fs/selinux",
                                          "/sys/devices/virtual/powercap" };
    for (size_t i = 0; i < CL_COUNT(masked); i++)
        CHECK(cl_strv_has((const char *const *)spec->linux_.masked_paths, masked[i]));
    CHECK(cl_strv_has((const char *const *)spec->linux_.readonly_paths, "/proc/sys"));
    REQUIRE(spec->linux_.resources.device_count > 1);
    const struct oci_device_rule *first = &spec->linux_.resources.devices[0];
    CHECK(!first->allow && first->type == OCI_DEVICE_ALL && !first->major.set);
    CHECK_STR(spec->mounts[0].destination, "/proc");
    CHECK(oci_mount_find(spec, "/dev/mqueue") != NULL);
}

TEST(default_devices_are_allowed_once)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    REQUIRE(spec != NULL);
    size_t before = spec->linux_.resources.device_count;
    for (int i = 0; i < 2; i++) { /* net/tun alone is not in the default */
        CHECK(oci_default_devices_allow(spec) == 0);
        REQUIRE(spec->linux_.resources.device_count == before + 1);
    }
    const struct oci_device_rule *tun = &spec->linux_.resources.devices[before];
    CHECK(tun->allow && tun->type == OCI_DEVICE_CHAR && tun->major.value == 10 &&
          tun->minor.value == 200);
    /* Denied after all: then they have to be said again. */
    const struct oci_device_rule nothing = { .allow = false, .type = OCI_DEVICE_ALL };
    REQUIRE(oci_device_rule_add(spec, &nothing) == 0);
    CHECK(oci_default_devices_allow(spec) == 0);
    CHECK(spec->linux_.resources.device_count == before + 2 + before);
    CHECK(spec->linux_.resources.devices[before + 2].allow);
}

TEST(round_trip)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    CL_AUTO(oci_spec_free) struct oci_spec *copy = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL, *json_of_copy = NULL;
    REQUIRE(spec != NULL && oci_spec_copy(spec, &copy) == 0);
    REQUIRE(oci_spec_encode(spec, &json) == 0 && oci_spec_encode(copy, &json_of_copy) == 0);
    cl_auto_free char *text = cl_json_text(json, 4);
    cl_auto_free char *text_of_copy = cl_json_text(json_of_copy, 4);
    CHECK_STR(text_of_copy, text);
    CHECK_CONTAINS(text, "\"ociVersion\": \"1.3.0\"");
    CHECK_CONTAINS(text, "\"CAP_CHOWN\"");
}

TEST_MAIN
