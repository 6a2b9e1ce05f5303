/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content digests by OpenSSL's EVP (EVP_DigestInit(3)), which picks SHA-NI or AVX2 code by itself. A failure inside
 * cl_hash_add sticks and is reported by cl_hash_finish.
 */
#include "base/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/str.h"

struct cl_hash {
    EVP_MD_CTX *context;
    const EVP_MD *algorithm;
    const char *name;
    bool has_failed;
};

int cl_hash_new(const char *algorithm, struct cl_hash **ret)
{
    const EVP_MD *md = NULL;
    const char *name = NULL;
    if (cl_streq(algorithm, "sha256")) {
        md = EVP_sha256();
        name = "sha256";
    } else if (cl_streq(algorithm, "sha512")) {
        md = EVP_sha512();
        name = "sha512";
    } else {
        return -EOPNOTSUPP;
    }
    CL_AUTO(cl_hash_free) struct cl_hash *hash = cl_calloc(1, sizeof *hash);
    if (hash == NULL)
        return -ENOMEM;
    hash->algorithm = md;
    hash->name = name;
    hash->context = EVP_MD_CTX_new();
    if (hash->context == NULL)
        return -ENOMEM;
    if (EVP_DigestInit_ex(hash->context, md, NULL) != 1)
        return -EIO;
    *ret = cl_take(hash);
    return 0;
}

void cl_hash_add(struct cl_hash *hash, const void *data, size_t size)
{
    if (EVP_DigestUpdate(hash->context, data, size) != 1)
        hash->has_failed = true;
}

int cl_hash_finish(struct cl_hash *hash, char digest[static CL_DIGEST_MAX])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool is_good = EVP_DigestFinal_ex(hash->context, bytes, &size) == 1 && !hash->has_failed;
    hash->has_failed = EVP_DigestInit_ex(hash->context, hash->algorithm, NULL) != 1;
    if (!is_good)
        return -EIO;
    size_t used = (size_t)snprintf(digest, CL_DIGEST_MAX, "%s:", hash->name);
    for (unsigned i = 0; i < size && used + 2 < CL_DIGEST_MAX; i++) {
        digest[used++] = "0123456789abcdef"[bytes[i] >> 4];
        digest[used++] = "0123456789abcdef"[bytes[i] & 15];
    }
    digest[used] = '\0';
    return 0;
}

void cl_hash_free(struct cl_hash *hash)
{
    if (hash == NULL)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

int cl_digest_of(const void *data, size_t size, char digest[static CL_DIGEST_MAX])
{
    CL_AUTO(cl_hash_free) struct cl_hash *hash = NULL;
    int r = cl_hash_new("sha256", &hash);
    if (r < 0)
        return r;
    cl_hash_add(hash, data, size);
    return cl_hash_finish(hash, digest);
}
