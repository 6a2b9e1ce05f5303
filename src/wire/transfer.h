/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the engine and cloche-transfer, the program that touches untrusted bytes. One process per job: argv[1] is the verb; descriptors 0 and up are
 * fixed by number; the request is one JSON object on descriptor 3; the answer one JSON object on descriptor 4, then exit 0. On failure the answer is
 * {"error": {"code": -n, "kind": k, "text": "…"}} and exit 1. No answer (it died): the engine reports the wait status.
 *
 *   verb     fd 0        request                                   answer
 *   import   tar stream  {created, message, platform, changes}     {image}
 *   load     tar stream  {platform}                                {images: [{image, names: [...]}]}
 *
 * fd 5: an empty directory (a stage's "layers"), in which one sub-directory ("0", "1", ...) is made per layer; import makes one. fd 6: the directory
 * for blobs (a stage's "blobs"): each is a file named by its 64 hex digits.
 *
 * request: created: RFC 3339, empty or absent: now; message: the history's comment; platform: "linux/arm64", empty or absent: this machine's;
 * changes: Dockerfile instructions, each one string. names: familiar references with a tag ("alpine:latest"); none is an empty list.
 *
 *   image = {id: "sha256:..." (of the config), config: {image config JSON}, manifest: "sha256:...", size: sum of its files' sizes, as `images` shows it,
 *            layers: [{diff_id, digest, size (of the blob), unpacked (sum of its files' sizes), dir: "0"}, ...]}     bottom layer first
 *
 * The layer's blob is kept as it came (import: the tar, with its gzip or zstd; digest over those bytes), so that an image can be saved or pushed again bit for
 * bit. Compressions that images don't know (xz, bzip2) are undone: then the blob is the plain tar. Two images of one load may name the same dir.
 */
#pragma once

#include "base/base.h"

enum wire_transfer_fd {
    WIRE_TRANSFER_INPUT = 0,
    WIRE_TRANSFER_REQUEST = 3,
    WIRE_TRANSFER_ANSWER = 4,
    WIRE_TRANSFER_LAYERS = 5,
    WIRE_TRANSFER_BLOBS = 6,
};

#define WIRE_TRANSFER_ANSWER_MAX  (16u << 20)
#define WIRE_TRANSFER_REQUEST_MAX (1u << 20)
