/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the engine and cloche-transfer, the program that touches untrusted bytes. One process per job: argv[1] is the verb; descriptors 0 and up are
 * fixed by number; the request is one JSON object on descriptor 3; the answer one JSON object on descriptor 4, then exit 0. On failure the answer is
 * {"error": {"code": -n, "kind": k, "text": "…"}} and exit 1. No answer (it died): the engine reports the wait status.
 *
 *   verb     fd 0        fd 5                     request                                           answer
 *   import   tar stream  new layer directory      {blobs?: fd 6, config: {…}, message, platform}    {image}
 *   load     tar stream  directory for layers     {}                                                {images: [{image, names: […]}]}
 *
 * fd 6: the blob directory (ROOT/blobs/sha256). fd 5: for import an empty directory that becomes the layer's content; for load a directory in which it makes one
 * numbered sub-directory ("0", "1", …) per layer.
 *
 *   image = {id: "sha256:…" (of the config), config: {image config JSON}, manifest: "sha256:…", size: bytes of all blobs,
 *            layers: [{diff_id, digest, size (compressed), dir: "." or "0", …}]}     bottom layer first
 *
 * The layer's blob is kept as it came (import: the tar, gzip'ed if it was; digest over those bytes), so that an image can be saved or pushed again bit for bit.
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
