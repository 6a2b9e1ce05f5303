/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms: "os/architecture/variant" in Go's names (image-spec config.md, image-index.md).
 * Spellings are normalised on parsing: x86_64 → amd64, aarch64 → arm64, i386/i686 → 386, armhf → arm/v7, armel → arm/v6. When
 * platforms are compared, arm64 and arm64/v8, amd64 and amd64/v1, arm and arm/v7 are the same.
 */
#pragma once

#include "base/str.h"

struct oci_platform { /* owned strings, NULL when absent; zero-initialised is empty */
    char *os;
    char *architecture;
    char *variant;
    char *os_version;   /* os.version */
    char **os_features; /* os.features */
};
void oci_platform_done(struct oci_platform *platform);
static inline void oci_platform_done_auto(struct oci_platform *platform)
{
    oci_platform_done(platform);
}
#define oci_auto_platform __attribute__((cleanup(oci_platform_done_auto))) struct oci_platform

/* "linux/amd64", "linux/arm64/v8", "arm64" and "linux" (the rest is the host's, by `machine`). *ret zeroed before. 0, -EINVAL or -ENOMEM. */
int oci_platform_parse(const char *text, const char *machine, struct oci_platform *ret,
                       struct cl_error *err);
/* The host's platform from uname(2)'s `machine` ("x86_64"). */
int oci_platform_host(const char *machine, struct oci_platform *ret);
/* "linux/arm64/v8"; newly allocated, NULL without memory. */
char *oci_platform_format(const struct oci_platform *platform);
int oci_platform_copy(const struct oci_platform *platform, struct oci_platform *ret);

/*
 * How well an image for `candidate` runs on a host of platform `wanted`: 0 is exact, larger is worse, negative is not at all. arm hosts take
 * lower variants (v7 takes v6 and v5), arm64 takes arm, amd64 takes lower levels (v3 takes v2 and v1) and 386.
 */
int oci_platform_rank(const struct oci_platform *wanted, const struct oci_platform *candidate);
