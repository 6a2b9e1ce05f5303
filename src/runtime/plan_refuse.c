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

static const struct {
    const char *path;
    bool (*is_asked)(const struct oci_spec *spec);
} unsupported[] = {
    { "linux.uidMappings", has_uid_mappings },
    { "linux.gidMappings", has_gid_mappings },
};

int plan_refuse_unsupported(const struct oci_spec *spec, struct cl_error *err)
{
    for (size_t i = 0; i < CL_COUNT(unsupported); i++)
        if (unsupported[i].is_asked(spec))
            return plan_fail(err, CL_KIND_UNSUPPORTED, unsupported[i].path,
                             "not supported by this build of cloche-runtime");
    return 0;
}
