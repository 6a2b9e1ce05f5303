/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of the runtime-spec as a whole: decode, encode, read (parse + decode + validate), copy, free. What they hold is said by the
 * tables in spec_tables.c and linux_tables.c.
 */
#include "oci/spec_private.h"

#include <errno.h>

#define DOCUMENT_MAX (16U << 20) /* bytes of config.json: a hundred times the largest seen */

/* ---- What is refused before the tables are walked ---- */

/* SemVer; any 1.x is compatible (config.md "Specification version"). Versions before 1.0.0 had other names for things. */
static int check_version(const struct cl_json *json, struct cl_error *err)
{
    const char *version = cl_json_string(cl_json_get(json, "ociVersion"));
    if (version == NULL || *version == '\0')
        return 0; /* the table says it better */
    bool is_1 = cl_starts_with(version, "1.") && version[2] >= '0' && version[2] <= '9';
    if (is_1)
        return 0;
    cl_auto_free char *shown = cl_escape_terminal(version);
    return cl_fail_kind(
        err, CL_KIND_UNSUPPORTED, EINVAL,
        "config.json: ociVersion: %.60s is not supported; this runtime implements 1.0.0 to %s",
        shown != NULL ? shown : "this version", OCI_SPEC_VERSION);
}

static bool has_object(const struct cl_json *json, const char *key)
{
    return cl_json_type(cl_json_get(json, key)) == CL_JSON_OBJECT;
}

/* A container that asks for a virtual machine must not silently become an ordinary process. */
static int check_platform(const struct cl_json *json, struct cl_error *err)
{
    static const char *const foreign[] = { "windows", "solaris", "zos", "freebsd" };
    if (has_object(json, "vm"))
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EINVAL,
                            "config.json: vm: this runtime makes no virtual machines");
    for (size_t i = 0; i < CL_COUNT(foreign); i++)
        if (has_object(json, foreign[i]) && !has_object(json, "linux"))
            return cl_fail_kind(
                err, CL_KIND_UNSUPPORTED, EINVAL,
                "config.json: %s: this configuration is for another platform than Linux",
                foreign[i]);
    return 0;
}

/* ---- Documents ---- */

/* As nearly everybody who writes and reads config.json has it: an empty name is none. */
static void drop_empty(char **name)
{
    if (*name != NULL && (*name)[0] == '\0')
        (void)oci_string_set(name, NULL); /* only clears */
}

int oci_spec_decode(const struct cl_json *json, struct oci_spec **ret, struct cl_error *err)
{
    int r = check_version(json, err);
    if (r == 0)
        r = check_platform(json, err);
    if (r < 0)
        return r;
    void *spec;
    r = oci_shape_decode_new(&oci_spec_shape, "config.json", json, &spec, err);
    if (r < 0)
        return r;
    *ret = spec;
    drop_empty(&(*ret)->hostname);
    drop_empty(&(*ret)->domainname);
    return 0;
}

int oci_spec_encode(const struct oci_spec *spec, struct cl_json **ret)
{
    return oci_shape_encode(&oci_spec_shape, spec, ret);
}

void oci_spec_free(struct oci_spec *spec)
{
    oci_shape_free(&oci_spec_shape, spec);
}

int oci_process_decode(const struct cl_json *json, struct oci_process **ret, struct cl_error *err)
{
    void *process;
    int r = oci_shape_decode_new(&oci_process_shape, "process.json", json, &process, err);
    if (r == 0)
        *ret = process;
    return r;
}

int oci_process_encode(const struct oci_process *process, struct cl_json **ret)
{
    return oci_shape_encode(&oci_process_shape, process, ret);
}

void oci_process_free(struct oci_process *process)
{
    oci_shape_free(&oci_process_shape, process);
}

int oci_resources_decode(const struct cl_json *json, struct oci_resources *ret,
                         struct cl_error *err)
{
    return oci_shape_decode(&oci_resources_shape, "resources", json, ret, err);
}

int oci_resources_encode(const struct oci_resources *resources, struct cl_json **ret)
{
    return oci_shape_encode(&oci_resources_shape, resources, ret);
}

void oci_resources_done(struct oci_resources *resources)
{
    oci_shape_done(&oci_resources_shape, resources);
}

int oci_seccomp_decode(const struct cl_json *json, struct oci_seccomp **ret, struct cl_error *err)
{
    void *seccomp;
    int r = oci_shape_decode_new(&oci_seccomp_shape, "seccomp profile", json, &seccomp, err);
    if (r == 0)
        *ret = seccomp;
    return r;
}

int oci_seccomp_encode(const struct oci_seccomp *seccomp, struct cl_json **ret)
{
    return oci_shape_encode(&oci_seccomp_shape, seccomp, ret);
}

void oci_seccomp_free(struct oci_seccomp *seccomp)
{
    oci_shape_free(&oci_seccomp_shape, seccomp);
}

int oci_state_decode(const struct cl_json *json, struct oci_state *ret, struct cl_error *err)
{
    return oci_shape_decode(&oci_state_shape, "state", json, ret, err);
}

int oci_state_encode(const struct oci_state *state, struct cl_json **ret)
{
    return oci_shape_encode(&oci_state_shape, state, ret);
}

void oci_state_done(struct oci_state *state)
{
    oci_shape_done(&oci_state_shape, state);
}

int oci_process_state_decode(const struct cl_json *json, struct oci_process_state *ret,
                             struct cl_error *err)
{
    return oci_shape_decode(&oci_process_state_shape, "process state", json, ret, err);
}

int oci_process_state_encode(const struct oci_process_state *state, struct cl_json **ret)
{
    return oci_shape_encode(&oci_process_state_shape, state, ret);
}

void oci_process_state_done(struct oci_process_state *state)
{
    oci_shape_done(&oci_process_state_shape, state);
}

/* ---- Read: parse, decode, validate ---- */

int oci_spec_read(const char *text, size_t size, struct oci_spec **ret, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    return oci_spec_read_keep(text, size, ret, &json, err);
}

int oci_spec_read_keep(const char *text, size_t size, struct oci_spec **ret,
                       struct cl_json **ret_document, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    int r = cl_json_parse(text, size, DOCUMENT_MAX, &json, err);
    if (r < 0) {
        (void)cl_error_prefix(err, "config.json"); /* err may be NULL; r says it, too */
        return r;
    }
    r = oci_spec_decode(json, &spec, err);
    if (r == 0)
        r = oci_spec_validate(spec, err);
    if (r < 0)
        return r;
    *ret = cl_take(spec);
    *ret_document = cl_take(json);
    return 0;
}

int oci_process_read(const char *text, size_t size, struct oci_process **ret, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    CL_AUTO(oci_process_free) struct oci_process *process = NULL;
    int r = cl_json_parse(text, size, DOCUMENT_MAX, &json, err);
    if (r < 0) {
        (void)cl_error_prefix(err, "process.json");
        return r;
    }
    r = oci_process_decode(json, &process, err);
    if (r == 0)
        r = oci_process_validate(process, err);
    if (r == 0)
        *ret = cl_take(process);
    return r;
}

/* ---- Copies, through the tables: what can be written can be copied ---- */

int oci_spec_copy(const struct oci_spec *spec, struct oci_spec **ret)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    int r = oci_spec_encode(spec, &json);
    return r < 0 ? r : oci_spec_decode(json, ret, NULL);
}

int oci_process_copy(const struct oci_process *process, struct oci_process **ret)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    int r = oci_process_encode(process, &json);
    return r < 0 ? r : oci_process_decode(json, ret, NULL);
}
