/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes of the runtime-spec that more than one file of this room needs. The tables: spec_tables.c (the part common to all POSIX
 * platforms), linux_tables.c (config-linux.md).
 */
#pragma once

#include "oci/fields.h"
#include "oci/runtime_spec.h"

extern const struct oci_shape oci_spec_shape;
extern const struct oci_shape oci_process_shape;
extern const struct oci_shape oci_linux_shape;
extern const struct oci_shape oci_resources_shape;
extern const struct oci_shape oci_seccomp_shape;
extern const struct oci_shape oci_id_mapping_shape;
extern const struct oci_shape oci_state_shape;
extern const struct oci_shape oci_process_state_shape;
extern const struct oci_word oci_rlimit_words[]; /* names.c */

/* A validator's state: what the document is called and where it stands. */
struct oci_check {
    const char *document;
    const char
        *process_path; /* "process." when the process is part of a spec, "" in a process.json */
    const char *resources_path;
    struct cl_error *err;
    char path[160];
};
/* `return oci_refuse(oci_at(check, "mounts[%zu].source", i), "must …");` → "DOCUMENT: PATH: MESSAGE", -EINVAL, kind INVALID.
   oci_at knows %s and %zu only. */
struct oci_check *oci_at(struct oci_check *check, const char *fmt, ...) CL_PRINTF(2, 3);
int oci_refuse(struct oci_check *check, const char *fmt, ...) CL_PRINTF(2, 3);

int oci_check_process(struct oci_check *check, const struct oci_process *process);
int oci_check_linux(struct oci_check *check, const struct oci_spec *spec);
int oci_check_resources(struct oci_check *check, const struct oci_resources *resources);
/* has_receiver: an annotation names the agent. */
int oci_check_seccomp(struct oci_check *check, const struct oci_seccomp *seccomp,
                      bool has_receiver);
int oci_check_mappings(struct oci_check *check, const char *path,
                       const struct oci_id_mappings *mappings);
bool oci_is_cpu_list(const char *text); /* "0-3,7", or empty */
bool oci_is_absolute(const char *path); /* false for NULL, too */
bool oci_has_dot_dot(const char *path); /* a ".." component */
const char *oci_shown(const char *text,
                      char buffer[static 64]); /* for messages: printable, short */
