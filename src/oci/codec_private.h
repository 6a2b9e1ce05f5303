/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of the field-table engine only.
 */
#pragma once

#include "oci/fields.h"

int oci_object_decode(struct oci_reader *reader, const struct oci_shape *shape,
                      const struct cl_json *json, void *object);
/* A copy of the JSON string, or NULL with the reader's error set. */
char *oci_read_string(struct oci_reader *reader, const struct cl_json *value);
int oci_read_digest(struct oci_reader *reader, const char *text);
/* value == NULL (a constructor failed): -ENOMEM. */
int oci_write(struct cl_json *value, struct cl_json **ret);
