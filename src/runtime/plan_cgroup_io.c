/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources → writes: block devices, huge pages, network classes and priorities, RDMA. The
 * rest, and how a write is recorded, is plan_cgroup.c's.
 */
#include "runtime/plan_cgroup.h"

#include <inttypes.h>

/* ---- block devices ---- */

static void throttle(struct plan_builder *builder, const char *property,
                     const struct oci_throttle_list *list, const char *v1_file, const char *v2_key)
{
    bool v2 = plan_is_v2(builder, "io") && plan_is_v2(builder, "blkio");
    for (size_t i = 0; i < list->count; i++) {
        const struct oci_throttle_device *device = &list->items[i];
        char text[128];
        if (v2 && device->rate == 0) /* v1's word for no limit */
            (void)CL_PRINT(text, "%" PRId64 ":%" PRId64 " %s=max", device->major, device->minor,
                           v2_key);
        else if (v2)
            (void)CL_PRINT(text, "%" PRId64 ":%" PRId64 " %s=%" PRIu64, device->major,
                           device->minor, v2_key, device->rate);
        else
            (void)CL_PRINT(text, "%" PRId64 ":%" PRId64 " %" PRIu64, device->major, device->minor,
                           device->rate);
        plan_put(builder, property, v2 ? "io" : "blkio", v2 ? "io.max" : v1_file, text);
    }
}

/* BFQ's file where that scheduler is in the kernel, else what the io controller itself (v2: the
   cost model) or CFQ (v1, before 5.0) calls it. Weight 0 removes what was set for the device. */
static void weight_device(struct plan_builder *builder, const struct oci_weight_device *device,
                          bool v2)
{
    static const char *const property = "linux.resources.blockIO.weightDevice";
    char value[96], other[96];
    uint64_t weight = device->weight.value;
    (void)CL_PRINT(value, "%" PRId64 ":%" PRId64 " %" PRIu64, device->major, device->minor, weight);
    if (v2 && weight == 0)
        (void)CL_PRINT(other, "%" PRId64 ":%" PRId64 " default", device->major, device->minor);
    else
        (void)CL_PRINT(other, "%" PRId64 ":%" PRId64 " %" PRIu64, device->major, device->minor,
                       v2 ? plan_io_weight(weight) : weight);
    plan_put(builder, property, v2 ? "io" : "blkio",
             v2 ? "io.bfq.weight" : "blkio.bfq.weight_device", v2 && weight == 0 ? other : value);
    plan_alternative(builder, v2 ? "io.weight" : "blkio.weight_device", other);
}

static void weight_devices(struct plan_builder *builder, const struct oci_block_io *io, bool v2)
{
    for (size_t i = 0; i < io->weight_device_count; i++) {
        const struct oci_weight_device *device = &io->weight_devices[i];
        if (device->leaf_weight.set && device->leaf_weight.value != 0)
            plan_refuse(builder, "linux.resources.blockIO.weightDevice",
                        "no kernel of today has leaf weights");
        if (device->weight.set)
            weight_device(builder, device, v2);
    }
}

void plan_block_io(struct plan_builder *builder)
{
    const struct oci_block_io *io = &builder->resources->block_io;
    bool v2 = plan_is_v2(builder, "io") && plan_is_v2(builder, "blkio");
    if (io->leaf_weight.set && io->leaf_weight.value != 0)
        plan_refuse(builder, "linux.resources.blockIO.leafWeight",
                    "no kernel of today has leaf weights");
    if (io->weight.set && io->weight.value != 0) {
        static const char *const property = "linux.resources.blockIO.weight";
        plan_put_u64(builder, property, v2 ? "io" : "blkio",
                     v2 ? "io.bfq.weight" : "blkio.bfq.weight", io->weight.value);
        char other[32];
        (void)CL_PRINT(other, "%" PRIu64,
                       v2 ? plan_io_weight(io->weight.value) : (uint64_t)io->weight.value);
        plan_alternative(builder, v2 ? "io.weight" : "blkio.weight", other);
    }
    weight_devices(builder, io, v2);
    throttle(builder, "linux.resources.blockIO.throttleReadBpsDevice", &io->throttle_read_bps,
             "blkio.throttle.read_bps_device", "rbps");
    throttle(builder, "linux.resources.blockIO.throttleWriteBpsDevice", &io->throttle_write_bps,
             "blkio.throttle.write_bps_device", "wbps");
    throttle(builder, "linux.resources.blockIO.throttleReadIOPSDevice", &io->throttle_read_iops,
             "blkio.throttle.read_iops_device", "riops");
    throttle(builder, "linux.resources.blockIO.throttleWriteIOPSDevice", &io->throttle_write_iops,
             "blkio.throttle.write_iops_device", "wiops");
}

/* ---- the smaller ones ---- */

void plan_hugetlb(struct plan_builder *builder)
{
    bool v2 = plan_is_v2(builder, "hugetlb");
    for (size_t i = 0; i < builder->resources->hugepage_limit_count; i++) {
        const struct oci_hugepage_limit *limit = &builder->resources->hugepage_limits[i];
        static const char *const property = "linux.resources.hugepageLimits";
        const char *word = v2 ? "max" : "limit_in_bytes";
        char file[64], reserved[64];
        if (strchr(limit->page_size, '/') != NULL ||
            CL_PRINT(file, "hugetlb.%s.%s", limit->page_size, word) < 0 ||
            CL_PRINT(reserved, "hugetlb.%s.rsvd.%s", limit->page_size, word) < 0) {
            plan_refuse(builder, property, "no such page size");
            return;
        }
        plan_put_u64(builder, property, "hugetlb", file, limit->limit);
        /* Since 5.7 also what was reserved and not touched yet: a program is then told by mmap,
           not killed by SIGBUS. */
        plan_put_u64(builder, property, "hugetlb", reserved, limit->limit);
        plan_optional(builder);
    }
}

void plan_network(struct plan_builder *builder)
{
    const struct oci_network_resources *network = &builder->resources->network;
    if (network->class_id.set) {
        if (plan_is_v2(builder, "net_cls"))
            plan_refuse(builder, "linux.resources.network.classID",
                        "cgroup v2 has no such setting");
        plan_put_u64(builder, "linux.resources.network.classID", "net_cls", "net_cls.classid",
                     network->class_id.value);
    }
    for (size_t i = 0; i < network->priority_count; i++) {
        char text[128];
        if (plan_is_v2(builder, "net_prio"))
            plan_refuse(builder, "linux.resources.network.priorities",
                        "cgroup v2 has no such setting");
        (void)CL_PRINT(text, "%s %u", network->priorities[i].name, network->priorities[i].priority);
        plan_put(builder, "linux.resources.network.priorities", "net_prio", "net_prio.ifpriomap",
                 text);
    }
}

void plan_rdma(struct plan_builder *builder)
{
    for (size_t i = 0; i < builder->resources->rdma_count; i++) {
        const struct oci_rdma *rdma = &builder->resources->rdma[i];
        char handles[40] = "", objects[40] = "", text[200];
        if (rdma->hca_handles.set)
            (void)CL_PRINT(handles, " hca_handle=%u", rdma->hca_handles.value);
        if (rdma->hca_objects.set)
            (void)CL_PRINT(objects, " hca_object=%u", rdma->hca_objects.value);
        (void)CL_PRINT(text, "%s%s%s", rdma->device, handles, objects);
        plan_put(builder, "linux.resources.rdma", "rdma", "rdma.max", text);
    }
}
