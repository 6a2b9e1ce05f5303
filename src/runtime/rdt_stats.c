/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What resctrl says of a container's group: its shares of caches and memory bandwidth, and the
 * counters of its own group for monitoring or, without one, of the group it shares
 * (Documentation/filesystems/resctrl.rst). What a processor does not have is left out.
 */
#include "runtime/parent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define SCHEMATA_MAX 65536
#define DOMAINS_MAX  1024

static bool read_number(int dir, const char *file, uint64_t *ret)
{
    char text[64];
    ssize_t length = cl_read_small(dir, file, text, sizeof text);
    if (length <= 0)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return cl_parse_u64(text, 0, UINT64_MAX, ret) >= 0; /* a counter may be "Unavailable" */
}

static void read_info(int root, struct runtime_rdt_stats *stats)
{
    char *mask = stats->cache_mask;
    ssize_t length = cl_read_small(root, "info/L3/cbm_mask", mask, sizeof stats->cache_mask);
    stats->has_cache = length > 0;
    mask[length > 0 ? strcspn(mask, "\n") : 0] = '\0';
    (void)read_number(root, "info/L3/min_cbm_bits", &stats->min_cache_bits); /* stays 0 */
    (void)read_number(root, "info/L3/num_closids", &stats->cache_groups);
    stats->has_bandwidth = read_number(root, "info/MB/bandwidth_gran", &stats->bandwidth_step);
    (void)read_number(root, "info/MB/delay_linear", &stats->delay_linear);
    (void)read_number(root, "info/MB/min_bandwidth", &stats->min_bandwidth);
    (void)read_number(root, "info/MB/num_closids", &stats->bandwidth_groups);
}

static int read_schemata(int dir, char **ret, struct cl_error *err)
{
    int result = cl_read_file(dir, "schemata", SCHEMATA_MAX, ret, NULL, err);
    return result < 0 ? cl_error_prefix(err, "linux.intelRdt") : 0;
}

static int by_name(const void *left, const void *right)
{
    const struct runtime_rdt_domain *one = left, *other = right;
    return strcmp(one->name, other->name);
}

static int add_domain(int data, const char *name, struct runtime_rdt_stats *stats)
{
    struct runtime_rdt_domain domain = { 0 };
    cl_auto_fd dir = openat(data, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || CL_PRINT(domain.name, "%s", name) < 0)
        return 0; /* a file, or none of the kernel's names */
    domain.has_bytes = read_number(dir, "mbm_total_bytes", &domain.total_bytes);
    domain.has_bytes |= read_number(dir, "mbm_local_bytes", &domain.local_bytes);
    domain.has_occupancy = read_number(dir, "llc_occupancy", &domain.occupancy);
    struct runtime_rdt_domain *domains =
        cl_realloc(stats->domains, (stats->domain_count + 1) * sizeof *domains);
    if (domains == NULL)
        return -ENOMEM;
    stats->domains = domains;
    domains[stats->domain_count++] = domain;
    return 0;
}

static int read_domains(int group, struct runtime_rdt_stats *stats)
{
    cl_auto_fd data = openat(group, "mon_data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int own = data < 0 ? -1 : fcntl(data, F_DUPFD_CLOEXEC, 0), result = 0;
    DIR *list = own < 0 ? NULL : fdopendir(own);
    if (list == NULL) { /* this processor counts nothing */
        if (own >= 0)
            (void)close(own);
        return 0;
    }
    for (const struct dirent *entry;
         result >= 0 && stats->domain_count < DOMAINS_MAX && (entry = readdir(list)) != NULL;)
        if (entry->d_name[0] != '.')
            result = add_domain(data, entry->d_name, stats);
    (void)closedir(list);
    if (stats->domain_count > 0)
        qsort(stats->domains, stats->domain_count, sizeof *stats->domains, by_name);
    return result;
}

int rdt_stats(int root, const struct oci_intel_rdt *rdt, const char *id,
              struct runtime_rdt_stats *ret, struct cl_error *err)
{
    struct runtime_rdt_stats stats = { .is_known = true };
    char monitor[300];
    const char *name = rdt_group_name(rdt, id);
    cl_auto_fd group = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group < 0)
        return cl_fail(err, errno, "linux.intelRdt: open group %s of resctrl", name);
    read_info(root, &stats);
    int result = read_schemata(root, &stats.root_schemata, err);
    if (result >= 0)
        result = read_schemata(group, &stats.schemata, err);
    cl_auto_fd own = CL_PRINT(monitor, "mon_groups/%s", id) < 0
                         ? -EBADF
                         : openat(group, monitor, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (result >= 0 && read_domains(own >= 0 ? own : group, &stats) < 0)
        result = cl_fail(err, ENOMEM, "linux.intelRdt");
    if (result < 0) {
        runtime_rdt_stats_done(&stats);
        return result;
    }
    *ret = stats;
    return 0;
}

int runtime_rdt_stats_read(const struct oci_intel_rdt *rdt, const char *id,
                           struct runtime_rdt_stats *ret, struct cl_error *err)
{
    cl_auto_fd root = rdt_open(-EBADF, err);
    return root < 0 ? root : rdt_stats(root, rdt, id, ret, err);
}

void runtime_rdt_stats_done(struct runtime_rdt_stats *stats)
{
    free(stats->schemata);
    free(stats->root_schemata);
    free(stats->domains);
    *stats = (struct runtime_rdt_stats){ 0 };
}
