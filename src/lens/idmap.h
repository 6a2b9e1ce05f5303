/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/uid_map and gid_map (user_namespaces(7)) and the passwd and group files of a rootfs: who a host uid is inside.
 */
#pragma once

#include "base/base.h"

#define LENS_OVERFLOW_ID                                                                           \
    65534 /* what the kernel shows for an id without mapping (/proc/sys/kernel/overflowuid) */

struct lens_id_range {
    uint32_t inside, outside, count;
};
struct lens_idmap {
    struct lens_id_range ranges[340]; /* the kernel's maximum */
    size_t count;
};
/* The map as seen from our own user namespace. 0 or -errno. An unset map is empty. */
int lens_idmap_read(int pid_fd, const char *file, struct lens_idmap *ret);
int lens_idmap_parse(const char *text, struct lens_idmap *ret); /* 0 or -EINVAL */
/* false: not mapped (*ret is the overflow id) */
bool lens_idmap_inside(const struct lens_idmap *map, uint32_t outside, uint32_t *ret);
bool lens_idmap_is_identity(const struct lens_idmap *map);

/* Names out of a rootfs's own /etc/passwd or /etc/group. An absent or unreadable file has no names. */
struct lens_id_names;
struct lens_id_names *lens_id_names_read(int root_fd, const char *path); /* NULL: out of memory */
struct lens_id_names *lens_id_names_parse(const char *text);
void lens_id_names_free(struct lens_id_names *names);
CL_DEFINE_AUTO(struct lens_id_names, lens_id_names_free)
const char *lens_id_names_find(const struct lens_id_names *names, uint32_t id); /* or NULL */
