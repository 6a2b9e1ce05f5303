/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room transfer: what cloche-transfer does with bytes that strangers made: archives of root file systems and images are read, kept as blobs, and unpacked
 * below a descriptor. Knows no store, no names on the host, no paths: only the descriptors of wire/transfer.h.
 */
#pragma once

#include "base/base.h"
#include "oci/oci.h"
#include "wire/transfer.h"

/* One job's descriptors, all borrowed. */
struct transfer_job {
    int input_fd;  /* the archive; a pipe or a file, read to its end */
    int layers_fd; /* an empty directory: "0", "1", … are made in it */
    int blobs_fd;  /* a directory: blobs are put there under their hex digits */
    const struct cl_json *request;
};

/*
 * The verbs: *ret_answer is the answer's object as wire/transfer.h draws it. On failure the directories hold debris, which belongs to the stage and goes
 * with it.
 */
int transfer_import(const struct transfer_job *job, struct cl_json **ret_answer,
                    struct cl_error *err);
int transfer_load(const struct transfer_job *job, struct cl_json **ret_answer,
                  struct cl_error *err);

/* The program: takes the descriptors by their numbers, locks itself in (sandbox.h), does the verb argv[1], answers. Returns the exit status. */
int transfer_main(int argc, char **argv);
