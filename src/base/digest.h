/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content digests (OCI image-spec, descriptor.md#digests) by OpenSSL's EVP. Only programs that call these link libcrypto.
 * A digest is always handled as a checked string "sha256:HEX64" or "sha512:HEX128": the strict check is what keeps an
 * unvalidated digest out of paths (CVE-2024-3727).
 */
#pragma once

#include "base/mem.h"

#define CL_DIGEST_MAX 137 /* "sha512:" + 128 + NUL, rounded */

struct cl_hash;
int cl_hash_new(const char *algorithm, struct cl_hash **ret); /* "sha256", "sha512"; 0 or -errno */
void cl_hash_add(struct cl_hash *hash, const void *data, size_t size);
/* Writes "ALGORITHM:HEX" and resets for reuse. */
int cl_hash_finish(struct cl_hash *hash, char digest[static CL_DIGEST_MAX]);
void cl_hash_free(struct cl_hash *hash);
CL_DEFINE_AUTO(struct cl_hash, cl_hash_free)
int cl_digest_of(const void *data, size_t size, char digest[static CL_DIGEST_MAX]); /* sha256 */
/* True for a registered algorithm with exactly its number of lower-case hex digits. No libcrypto needed (digest_check.c). */
bool cl_digest_is_valid(const char *digest);
