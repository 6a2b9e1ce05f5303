/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd's cgroup driver, private to the room: what it is told (scope_lines.c, pure), and telling
 * it (scope.c).
 */
#pragma once

#include "runtime/parent.h"

/* Lines for cloche-scope. */
void scope_put_settings(struct cl_buf *out, const struct plan_setting *settings, size_t count);
void scope_put_devices(struct cl_buf *out, const struct oci_device_rule *rules, size_t count);
int scope_put_annotations(struct cl_buf *out, const struct oci_map *annotations,
                          struct cl_error *err);
