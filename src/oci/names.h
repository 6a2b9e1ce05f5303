/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's names as people and documents write them: capabilities, resource limits, signals, mount options, and their numbers.
 * Sources: capabilities(7), getrlimit(2), signal(7), mount(8), mount_setattr(2), runtime-spec config.md "Linux mount options".
 */
#pragma once

#include <sys/mount.h>

#include "base/error.h"
#include "base/mem.h"

/* ---- Capabilities ---- */

#define OCI_CAP_LAST 40 /* CAP_CHECKPOINT_RESTORE, Linux 5.9; no newer one as of 6.18 */
#define OCI_CAP_ALL  ((UINT64_C(1) << (OCI_CAP_LAST + 1)) - 1)
/* What a container of ours may do unless told otherwise (design.md "default isolation"): CHOWN, DAC_OVERRIDE, FSETID, FOWNER, SETGID,
   SETUID, SETPCAP, NET_BIND_SERVICE, SYS_CHROOT, KILL, SETFCAP. */
extern const uint64_t oci_cap_default;

/* "CAP_CHOWN", "chown", "Cap_Chown" → 0; -EINVAL for no capability. ("ALL" is the caller's word, not a capability.) */
int oci_cap_number(const char *name);
/* 0 → "CAP_CHOWN"; NULL for a number without a name. */
const char *oci_cap_name(int number);
/* The capability whose name is closest to `name` ("did you mean"), or NULL. */
const char *oci_cap_closest(const char *name);

/* ---- Resource limits ---- */

/* "RLIMIT_NOFILE", "nofile", "NOFILE" → RLIMIT_NOFILE (7); -EINVAL otherwise. */
int oci_rlimit_number(const char *name);
const char *oci_rlimit_name(int number); /* 7 → "RLIMIT_NOFILE"; NULL when unknown */

/* ---- Lists of CPUs and memory nodes ---- */

#define OCI_CPU_BITS  65536 /* what we take; kernels have at most 8192 CPUs as of 6.18 */
#define OCI_NODE_BITS 1024  /* the kernel's most, NODES_SHIFT 10 */
#define OCI_LONG_BITS (8 * sizeof(unsigned long))
/* "0-3,7" (cpuset(7) "List format") as bits. 0 and *ret_bits zeroed and filled, bit_count bits of it; -EINVAL for no such list (the empty one is
   one), -ERANGE for a number that has no bit. ret_bits NULL: only look. */
int oci_number_list(const char *text, unsigned long *ret_bits, size_t bit_count);

/* ---- Signals ---- */

#define OCI_SIGNAL_RTMIN 34 /* as glibc, musl and Docker count; 32 and 33 belong to the C library */
#define OCI_SIGNAL_RTMAX 64
/* "KILL", "SIGKILL", "sigkill", "9", "RTMIN", "SIGRTMIN+3", "RTMAX-2" → number 1…64; -EINVAL otherwise (0 too). */
int oci_signal_number(const char *name);
/* 9 → "SIGKILL", 37 → "SIGRTMIN+3"; a number without a name is written as digits. */
void oci_signal_name(int number, char buffer[static 16]);

/* ---- Mount options ---- */

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* Linux 5.10 */
#endif
#ifndef MOUNT_ATTR_RDONLY /* glibc before 2.36; Linux 5.2 unless said otherwise */
#define MOUNT_ATTR_RDONLY      0x00000001
#define MOUNT_ATTR_NOSUID      0x00000002
#define MOUNT_ATTR_NODEV       0x00000004
#define MOUNT_ATTR_NOEXEC      0x00000008
#define MOUNT_ATTR__ATIME      0x00000070
#define MOUNT_ATTR_RELATIME    0x00000000
#define MOUNT_ATTR_NOATIME     0x00000010
#define MOUNT_ATTR_STRICTATIME 0x00000020
#define MOUNT_ATTR_NODIRATIME  0x00000080
#define MOUNT_ATTR_IDMAP       0x00100000 /* 5.12 */
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000 /* 5.14 */
#endif

enum oci_mount_special {
    OCI_MOUNT_PLAIN = 0,
    OCI_MOUNT_BIND,      /* bind, rbind */
    OCI_MOUNT_REMOUNT,   /* remount */
    OCI_MOUNT_IDMAP,     /* idmap, ridmap (is_recursive) */
    OCI_MOUNT_TMPCOPYUP, /* copy what is below the destination into the new tmpfs */
    OCI_MOUNT_NO_FOLLOW, /* dest-nofollow: a destination that is a link is covered itself (crun's extension) */
    OCI_MOUNT_SRC_NO_FOLLOW, /* src-nofollow (crun's extension) */
    OCI_MOUNT_COPY_SYMLINK, /* copy-symlink: a source that is a link is made again, not mounted (crun's extension) */
};

/*
 * One option. mount(2) wants `set` and `clear` (MS_*), mount_setattr(2) wants attr_set and attr_clear (MOUNT_ATTR_*), fsconfig(2) wants
 * the name as a flag on the superblock ("ro", "sync", …) where is_super.
 * is_recursive: AT_RECURSIVE with mount_setattr, or MS_REC for rbind and the propagation types.
 * propagation: MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE (without MS_REC), or 0.
 */
struct oci_mount_option {
    char name[16];
    unsigned long set;
    unsigned long clear;
    uint64_t attr_set;
    uint64_t
        attr_clear; /* changing the atime mode clears the whole MOUNT_ATTR__ATIME field, as the kernel demands */
    unsigned long propagation;
    enum oci_mount_special special;
    bool is_super;
    bool is_recursive;
};
extern const struct oci_mount_option
    oci_mount_options[]; /* sorted by name, ended by an empty one */
const struct oci_mount_option *
oci_mount_option_find(const char *name); /* NULL: file-system specific, goes to `data` */

/* All options of one mount folded together, later ones winning. */
struct oci_mount_flags {
    unsigned long
        flags; /* MS_* for mount(2), with MS_BIND, MS_REC (rbind), MS_REMOUNT; without propagation */
    unsigned long
        clear; /* MS_* that were switched off by name: what a bind remount must not inherit */
    uint64_t attr_set; /* for mount_setattr on this mount alone */
    uint64_t attr_clear;
    uint64_t rec_attr_set; /* with AT_RECURSIVE; all zero when no r* option was given */
    uint64_t rec_attr_clear;
    unsigned long *
        propagation; /* each with MS_REC where recursive, in order; one mount(2) each (shared after slave is legal) */
    size_t propagation_count;
    char *data;   /* the file system's own options, comma-joined; NULL when none */
    char **super; /* flags for fsconfig(FSCONFIG_SET_FLAG): "ro", "sync", … */
    bool idmap;   /* idmap or ridmap was named */
    bool idmap_recursive;
    char *idmap_maps; /* what "idmap=" says (oci_idmap_parse); NULL when it says nothing */
    bool tmpcopyup;
    bool no_follow;
    bool source_no_follow;
    bool copy_symlink;
};
/* 0, or -ENOMEM with *ret untouched. oci_mount_flags_done frees what the struct holds. */
int oci_mount_flags_fold(const char *const *options, struct oci_mount_flags *ret);
void oci_mount_flags_done(struct oci_mount_flags *flags);
/* The value of "idmap=…" in terms of mounts[].uidMappings; linux_ for what is relative to the container's own mappings. 0; -EINVAL: not understood, or one of uids and
   gids is missing; -ENOENT: relative to an id that the container does not have; -ENOMEM. What is in the lists then is the caller's. */
struct oci_linux;
struct oci_id_mappings;
int oci_idmap_parse(const char *text, const struct oci_linux *linux_,
                    struct oci_id_mappings *ret_uids, struct oci_id_mappings *ret_gids);
