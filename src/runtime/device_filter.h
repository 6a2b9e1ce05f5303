/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules (linux.resources.devices[]) for cgroup v2, as a program that the kernel loads (device_filter.c). Pure: no system calls.
 */
#pragma once

#include "runtime/plan.h"

#define DEVICE_ALL_ACCESS 7u /* BPF_DEVCG_ACC_MKNOD | _READ | _WRITE */

/* Of "rwm"; NULL and "" are all three. */
unsigned device_access(const char *access);
bool device_is_any(const struct oci_opt_i64 *number);

/* struct bpf_insn without its bit fields, as little-endian machines lay it out. */
struct device_instruction {
    uint8_t opcode, registers; /* dst in the low nibble, src in the high one */
    int16_t offset;
    int32_t value;
};
/* *ret is the caller's to free. Only -ENOMEM. A jump-free rule for everything hides those before it, as no device can pass it. */
int device_filter_compile(const struct oci_device_rule *rules, size_t count,
                          struct device_instruction **ret, size_t *ret_count);
