/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container uses: one look at its group's counters, of either cgroup version, and at the
 * interfaces of its network namespace. Times are nanoseconds, sizes bytes; 0 where this host does
 * not count a thing. Included by runtime.h.
 */
#pragma once

#include "kernel/kernel.h"

struct runtime_memory_use {
    uint64_t limit; /* UINT64_MAX: none */
    uint64_t usage, max, failures;
};

struct runtime_pressure { /* PSI, v2 only; averages are percent */
    bool is_known;
    struct {
        double avg10, avg60, avg300;
        uint64_t total_us;
    } some, full;
};

/* In the order of runc's names: ioServiceBytesRecursive, … */
enum runtime_io_kind {
    RUNTIME_IO_BYTES,
    RUNTIME_IO_OPERATIONS,
    RUNTIME_IO_QUEUED,
    RUNTIME_IO_SERVICE_TIME,
    RUNTIME_IO_WAIT_TIME,
    RUNTIME_IO_MERGED,
    RUNTIME_IO_TIME,
    RUNTIME_IO_SECTORS,
    RUNTIME_IO_COUNT
};
struct runtime_io_entry {
    uint64_t major, minor, value;
    char op[16]; /* "Read", "Write", …; "" */
};
struct runtime_io_list {
    struct runtime_io_entry *items;
    size_t count;
};

struct runtime_counter { /* a line of memory.stat */
    char name[48];
    uint64_t value;
};
struct runtime_hugetlb {
    char size[16]; /* "2MB" */
    uint64_t usage, max, failures;
};
struct runtime_interface {
    char name[32];
    uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
    uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

struct runtime_stats {
    struct {
        uint64_t total, user, kernel;
        uint64_t *per_cpu, *per_cpu_user, *per_cpu_kernel; /* v1; per_cpu_count each, or NULL */
        size_t per_cpu_count;
        uint64_t periods, throttled_periods, throttled_time;
        struct runtime_pressure pressure;
        char cpus[256], mems[256]; /* lists: what it may run on */
        /* v1: cpu_exclusive, mem_hardwall, mem_exclusive, memory_migrate, memory_spread_page,
           memory_spread_slab, memory_pressure, sched_load_balance, sched_relax_domain_level */
        int64_t cpuset_flags[9];
    } cpu;
    struct {
        uint64_t cache;
        struct runtime_memory_use usage, swap /* memory and swap together */, kernel, kernel_tcp;
        struct runtime_counter *counters;
        size_t counter_count;
        struct runtime_pressure pressure;
    } memory;
    struct {
        uint64_t current, limit; /* 0: no limit */
    } pids;
    struct runtime_io_list io[RUNTIME_IO_COUNT];
    struct runtime_pressure io_pressure;
    struct runtime_hugetlb hugetlb[8];
    size_t hugetlb_count;
    struct runtime_interface *interfaces; /* all but lo */
    size_t interface_count;
};

/* `pid`: a process whose network namespace is looked at; 0, or one in our own: no interfaces. A
   file that is not there is no error, a group that is gone is: -ENOENT. */
int runtime_stats_read(const struct cgroup *group, int proc_fd, pid_t pid,
                       struct runtime_stats *ret, struct cl_error *err);
void runtime_stats_done(struct runtime_stats *stats);

/* What resctrl says of the group that linux.intelRdt put the container in. */
struct runtime_rdt_domain { /* a cache, as the kernel names it: mon_L3_00 */
    char name[32];
    bool has_bytes, has_occupancy;
    uint64_t total_bytes, local_bytes, occupancy;
};
struct runtime_rdt_stats {
    bool is_known;                 /* the container has an intelRdt */
    bool has_cache, has_bandwidth; /* what this processor can divide */
    char cache_mask[32];
    uint64_t min_cache_bits, cache_groups;
    uint64_t bandwidth_step, delay_linear, min_bandwidth, bandwidth_groups;
    char *schemata, *root_schemata; /* of the group, and of those who are in none */
    struct runtime_rdt_domain *domains;
    size_t domain_count;
};
struct oci_intel_rdt;
/* `id`: of the container, whose groups are called so. Errors name linux.intelRdt. */
int runtime_rdt_stats_read(const struct oci_intel_rdt *rdt, const char *id,
                           struct runtime_rdt_stats *ret, struct cl_error *err);
void runtime_rdt_stats_done(struct runtime_rdt_stats *stats);
