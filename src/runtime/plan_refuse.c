/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this build does not do yet, one row each. A property that is neither carried out nor listed
 * here would be a silent no.
 */
#include "runtime/plan.h"

static bool has_uid_mappings(const struct oci_spec *spec)
{
    return spec->linux_.uid_mappings.count > 0;
}
static bool has_gid_mappings(const struct oci_spec *spec)
{
    return spec->linux_.gid_mappings.count > 0;
}
static bool has_net_devices(const struct oci_spec *spec)
{
    return spec->linux_.net_device_count > 0;
}
static bool has_intel_rdt(const struct oci_spec *spec)
{
    return spec->linux_.intel_rdt != NULL;
}

static const struct {
    const char *path;
    bool (*is_asked)(const struct oci_spec *spec);
} unsupported[] = {
    { "linux.uidMappings", has_uid_mappings },
    { "linux.gidMappings", has_gid_mappings },
    { "linux.netDevices", has_net_devices },
    { "linux.intelRdt", has_intel_rdt },
};

int plan_refuse_unsupported(const struct oci_spec *spec, struct cl_error *err)
{
    for (size_t i = 0; i < CL_COUNT(unsupported); i++)
        if (unsupported[i].is_asked(spec))
            return plan_fail(err, CL_KIND_UNSUPPORTED, unsupported[i].path,
                             "not supported by this build of cloche-runtime");
    return 0;
}
