/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said between us and `criu swrk`: protocol buffers (version 2) over a SOCK_SEQPACKET socket, one message a packet. Pure data.
 *
 *   we                                       criu
 *   VERSION (keep_open)                  ->
 *                                        <-  VERSION: major, minor, sublevel
 *   FEATURE_CHECK (keep_open)            ->                                      only where something rare is asked for
 *                                        <-  FEATURE_CHECK: which it has
 *   DUMP, PRE_DUMP or RESTORE, options   ->
 *                                        <-  NOTIFY: script, perhaps a pid, perhaps a descriptor (SCM_RIGHTS)
 *   NOTIFY: success or not               ->                                      any number of times
 *                                        <-  the same type: success, or errno and a message; of RESTORE the pid
 *
 * Source: images/rpc.proto of CRIU, which promises that numbers keep their meaning. Only varints and length-delimited fields occur in it; others are passed over when
 * read, as the encoding wants it.
 */
#pragma once

#include "base/base.h"

#define CRIU_MESSAGE_MAX (128 << 10) /* of what we send: a packet has to fit a socket's buffer */

enum criu_type {
    CRIU_DUMP = 1,
    CRIU_RESTORE = 2,
    CRIU_PRE_DUMP = 4,
    CRIU_NOTIFY = 6,
    CRIU_FEATURE_CHECK = 9,
    CRIU_VERSION = 10,
};

/* Members of criu_opts, by their numbers. */
enum criu_option {
    CRIU_IMAGES_DIR_FD = 1,
    CRIU_PID = 2,
    CRIU_LEAVE_RUNNING = 3,
    CRIU_EXT_UNIX_SK = 4,
    CRIU_TCP_ESTABLISHED = 5,
    CRIU_EVASIVE_DEVICES = 6,
    CRIU_SHELL_JOB = 7,
    CRIU_FILE_LOCKS = 8,
    CRIU_LOG_LEVEL = 9,
    CRIU_LOG_FILE = 10,
    CRIU_PAGE_SERVER = 11,
    CRIU_NOTIFY_SCRIPTS = 12,
    CRIU_ROOT = 13,
    CRIU_PARENT_IMG = 14,
    CRIU_TRACK_MEM = 15,
    CRIU_AUTO_DEDUP = 16,
    CRIU_WORK_DIR_FD = 17,
    CRIU_LINK_REMAP = 18,
    CRIU_MANAGE_CGROUPS = 24,
    CRIU_CG_ROOT = 25,
    CRIU_RST_SIBLING = 26,
    CRIU_INHERIT_FD = 27,
    CRIU_MANAGE_CGROUPS_MODE = 34,
    CRIU_EXTERNAL = 37,
    CRIU_EMPTY_NS = 38,
    CRIU_JOIN_NS = 39,
    CRIU_FREEZE_CGROUP = 44,
    CRIU_TCP_SKIP_IN_FLIGHT = 46,
    CRIU_LAZY_PAGES = 48,
    CRIU_ORPHAN_PTS_MASTER = 50,
    CRIU_CONFIG_FILE = 51,
    CRIU_TCP_CLOSE = 52,
    CRIU_LSM_PROFILE = 53,
    CRIU_LSM_MOUNT_CONTEXT = 63,
    CRIU_NETWORK_LOCK = 64,
};

/* ---- writing: failures stick in the buffer (cl_buf) ---- */

void criu_put_number(struct cl_buf *out, unsigned field, int64_t value);
void criu_put_text(struct cl_buf *out, unsigned field, const char *text);
void criu_put_message(struct cl_buf *out, unsigned field, const struct cl_buf *message);
/* Messages of two members, the first at 1: cgroup_root, inherit_fd, join_namespace. */
void criu_put_pair(struct cl_buf *out, unsigned field, const char *first, const char *second);
void criu_put_inherit_fd(struct cl_buf *out, const char *key, int fd);

/* ---- reading ---- */

struct criu_answer {
    uint64_t type; /* enum criu_type, or one that we never ask for */
    bool success;
    int restored_pid; /* RESTORE */
    int notify_pid;   /* NOTIFY; 0: none was given */
    int error;        /* an errno; 0: none was given */
    bool mem_track, lazy_pages;
    int major, minor, sublevel;
    char script[40];   /* NOTIFY: "post-restore" */
    char message[240]; /* the first error of the log */
};
/* -EBADMSG: cut off, or a number that is none. Longer texts are cut. */
int criu_answer_parse(const void *data, size_t size, struct criu_answer *ret);

/* Any message, member by member: what criu_answer_parse and criu_sharing.c are made of. */
struct criu_reader {
    const uint8_t *at, *end;
};
struct criu_member {
    uint64_t field, number;   /* the value of a varint */
    struct criu_reader bytes; /* the value of what has a length; else at NULL */
};
/* False: cut off, or no member. */
bool criu_take_member(struct criu_reader *reader, struct criu_member *ret);
