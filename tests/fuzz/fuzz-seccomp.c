/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.seccomp as JSON: decoded, compiled for both families of machines, judged by the kernel's rules for programs, and run over numbers and
 * arguments that lie at edges. A program that the kernel would refuse, that leaves its bounds, or that is not a pure function is a crash.
 */
#include "../unit/seccomp/bpf.h"
#include "base/base.h"
#include "oci/oci.h"
#include "seccomp/program.h"
#include "seccomp/seccomp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct seccomp_filter *filter)
{
    static const uint32_t archs[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
                                      AUDIT_ARCH_ARM, 0 };
    static const uint32_t numbers[] = { 0,          1,          41,         56,         59,
                                        102,        117,        198,        220,        281,
                                        359,        435,        469,        470,        0xf0005,
                                        0xf0040,    9999,       0x3fffffff, 0x40000000, 0x40000029,
                                        0x400003e8, 0x7fffffff, 0xffffffff };
    static const uint64_t values[] = { 0, 1, 38, 0x7e020000, 0xffffffff, 0x100000001, UINT64_MAX };
    if (bpf_problem(filter->code, filter->count) != NULL)
        abort();
    for (size_t i = 0; i < CL_COUNT(archs) * CL_COUNT(numbers) * CL_COUNT(values); i++) {
        struct seccomp_data call = { .nr = (int)numbers[i % CL_COUNT(numbers)],
                                     .arch = archs[i / CL_COUNT(numbers) % CL_COUNT(archs)] };
        for (size_t j = 0; j < CL_COUNT(call.args); j++)
            call.args[j] = values[(i + j * (i % 3)) % CL_COUNT(values)];
        unsigned steps = 0;
        uint32_t answer = bpf_run(filter->code, &call, &steps, NULL);
        if (steps > filter->count || answer != bpf_run(filter->code, &call, NULL, NULL))
            abort();
        bool is_foreign = call.arch == 0;
        if (is_foreign && answer != SECCOMP_RET_KILL_PROCESS)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    CL_AUTO(oci_seccomp_free) struct oci_seccomp *policy = NULL;
    struct cl_error err;
    if (cl_json_parse((const char *)data, size, 1 << 20, &json, &err) < 0 ||
        oci_seccomp_decode(json, &policy, &err) < 0)
        return 0;
    static const enum seccomp_arch natives[] = { SECCOMP_X86_64, SECCOMP_AARCH64 };
    for (size_t i = 0; i < CL_COUNT(natives); i++) {
        struct seccomp_filter filter = { 0 };
        if (seccomp_compile_for(natives[i], policy, &filter, &err) == 0)
            judge(&filter);
        else if (filter.code != NULL)
            abort(); /* outputs are written on success only */
        seccomp_filter_done(&filter);
    }
    return 0;
}
