/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of runtime.h: checkpoint and restore, by the program criu (docs/decisions/016-criu.md). It needs root of the host. Nothing else of the room knows of it.
 *
 * Beside CRIU's own files a directory of images holds descriptors.json, as with runc and crun: where 0, 1 and 2 of the first process went that are not the container's,
 * so that those of restore's caller take their place.
 */
#pragma once

#include "base/base.h"
#include "oci/oci.h"

/* Names as in criu(8). NULL, false and 0: not asked for. Everything is borrowed. */
struct runtime_criu {
    const char *program; /* path; NULL: the first criu in PATH */
    const char *images;  /* directory of the image files; checkpoint makes it */
    const char *work;    /* of logs and statistics; made if missing; NULL: as images */
    const char *parent;  /* of an earlier pre-dump, relative to images */
    bool leave_running, pre_dump;
    bool tcp_established, tcp_skip_in_flight, tcp_close;
    bool link_remap, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
    const char *cgroups_mode; /* soft (also NULL), full, strict, ignore */
    const char *network_lock; /* iptables, nftables, skip; NULL: CRIU's own choice */
    const char *page_server;  /* checkpoint: its address; with page_port */
    uint16_t page_port;
    int status_fd; /* checkpoint, borrowed: gets a zero byte once the server of lazy pages is ready; 0 or negative: none */
    const char *lsm_profile, *lsm_mount_context; /* restore */
};

struct runtime_target;
struct runtime_plan;
struct runtime_io;
struct runtime_process;

/*
 * Write the images of a container that runs or is paused. Its processes have ended afterwards, unless leave_running or pre_dump; after a failure they go on as before.
 * Errors of CRIU end with the last lines of its log and the log's path.
 */
int runtime_checkpoint(const struct runtime_target *target, const struct oci_spec *spec,
                       const struct runtime_criu *criu, struct cl_error *err);

/*
 * runtime_create for a container that comes out of images: control group, mount points, CRIU; prestart and createRuntime hooks run once its namespaces are there. When this
 * returns 0 its program runs, as our child (sync is -EBADF: runtime_start has nothing to do). plan's options.while_init_works is called when all of it is there and
 * nothing has run yet. On failure nothing is left.
 */
int runtime_restore(const struct runtime_plan *plan, const struct runtime_criu *criu,
                    const struct runtime_io *io, struct runtime_process *ret, struct cl_error *err);
