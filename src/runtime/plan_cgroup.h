/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that turn linux.resources into writes share. Private to plan_cgroup*.c.
 */
#pragma once

#include "runtime/plan.h"

struct plan_builder {
    const struct oci_resources *resources;
    const struct cgroup_host *host;
    const struct plan_limits_now *now; /* NULL: a group that is made, so the kernel's defaults */
    struct plan_setting *settings;
    size_t count;
    struct cl_error *err;
    int result; /* the first failure sticks; all functions here do nothing after it */
};

/* Which version has the controller: on a hybrid host v1 where it is mounted there. */
bool plan_is_v2(const struct plan_builder *builder, const char *controller);
void plan_refuse(struct plan_builder *builder, const char *property, const char *text);
/* A new setting; too long a value is refused. */
void plan_put(struct plan_builder *builder, const char *property, const char *controller,
              const char *file, const char *value);
void plan_put_u64(struct plan_builder *builder, const char *property, const char *controller,
                  const char *file, uint64_t value);
/* -1: unlimited, which v1 writes as -1 and v2 as max. */
void plan_put_limit(struct plan_builder *builder, const char *property, const char *controller,
                    const char *file, int64_t value);
/* Of the last setting: what to try where its file is not there; that it may be missing. */
void plan_alternative(struct plan_builder *builder, const char *file, const char *value);
void plan_optional(struct plan_builder *builder);

/* ---- plan_cgroup_io.c ---- */
void plan_block_io(struct plan_builder *builder);
void plan_hugetlb(struct plan_builder *builder);
void plan_network(struct plan_builder *builder);
void plan_rdma(struct plan_builder *builder);
