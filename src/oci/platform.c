/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platform names: parsing with the spellings people use, and the order in which images of other variants are acceptable.
 * Variants are compared as levels: arm v5 … v8, amd64 v1 … v4, arm64 v8 (the only one in use; v9 needs a host that says so).
 */
#include "oci/platform.h"

#include <errno.h>

void oci_platform_done(struct oci_platform *platform)
{
    free(platform->os);
    free(platform->architecture);
    free(platform->variant);
    free(platform->os_version);
    cl_strv_free(platform->os_features);
    *platform = (struct oci_platform){ 0 };
}

/* ---- Spellings ---- */

static const struct {
    const char *spelling;
    const char *architecture;
    const char *variant;
} spellings[] = {
    { "x86_64", "amd64", NULL }, { "x86-64", "amd64", NULL },    { "aarch64", "arm64", NULL },
    { "armv8l", "arm", "v8" },   { "armv7l", "arm", "v7" },      { "armhf", "arm", "v7" },
    { "armv6l", "arm", "v6" },   { "armel", "arm", "v6" },       { "armv5tel", "arm", "v5" },
    { "i386", "386", NULL },     { "i486", "386", NULL },        { "i586", "386", NULL },
    { "i686", "386", NULL },     { "ppc64el", "ppc64le", NULL }, { "loongarch64", "loong64", NULL },
};

static const char *const known_systems[] = { "linux", "windows", "darwin", "freebsd" };
static const char *const known_architectures[] = {
    "amd64",   "arm64",   "arm",      "386",    "ppc64le", "ppc64", "s390x",
    "riscv64", "loong64", "mips64le", "mips64", "mipsle",  "mips",  "wasm",
};

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* Go's name of an architecture, and the variant that the spelling says. */
static const char *usual_architecture(const char *word, const char **ret_variant)
{
    for (size_t i = 0; i < CL_COUNT(spellings); i++) {
        if (strcmp(word, spellings[i].spelling) != 0)
            continue;
        *ret_variant = spellings[i].variant;
        return spellings[i].architecture;
    }
    return word;
}

static int fill(struct oci_platform *platform, const char *os, const char *architecture,
                const char *variant)
{
    platform->os = cl_strdup(os);
    platform->architecture = cl_strdup(architecture);
    platform->variant = cl_strdup(variant);
    bool is_missing = variant != NULL && platform->variant == NULL;
    if (platform->os != NULL && platform->architecture != NULL && !is_missing)
        return 0;
    oci_platform_done(platform);
    return -ENOMEM;
}

int oci_platform_host(const char *machine, struct oci_platform *ret)
{
    const char *variant = NULL;
    const char *architecture = usual_architecture(machine, &variant);
    return fill(ret, "linux", architecture, variant);
}

/* ---- Parsing ---- */

#define WORD_MAX 32

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* Splits "a/b/c", lower-cased, into at most three words; the number of words, or -EINVAL. */
static int split(const char *text, char words[3][WORD_MAX])
{
    int count = 0;
    size_t length = 0;
    for (;; text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (c == '/' || c == '\0') {
            if (length == 0)
                return -EINVAL;
            words[count++][length] = '\0';
            length = 0;
            if (c == '\0')
                return count;
            if (count == 3)
                return -EINVAL;
            continue;
        }
        if (!is_word_character(c) || length == WORD_MAX - 1)
            return -EINVAL;
        words[count][length++] = c;
    }
}

static int refuse(struct cl_error *err, const char *text, const char *why)
{
    cl_auto_free char *shown = cl_escape_terminal(text);
    return cl_fail_kind(
        err, CL_KIND_INVALID, EINVAL,
        "platform %.80s: %s; write os/architecture or os/architecture/variant, such as linux/arm64",
        shown != NULL ? shown : "", why);
}

/* One word alone is an operating system or an architecture; the rest is the host's. */
static int parse_one(const char *word, const char *machine, struct oci_platform *ret,
                     bool *is_known)
{
    const char *variant = NULL;
    const char *architecture = usual_architecture(word, &variant);
    *is_known = true;
    if (is_one_of(architecture, known_architectures, CL_COUNT(known_architectures)))
        return fill(ret, "linux", architecture, variant);
    *is_known = is_one_of(word, known_systems, CL_COUNT(known_systems));
    if (!*is_known)
        return -EINVAL;
    architecture = usual_architecture(machine, &variant);
    return fill(ret, word, architecture, variant);
}

int oci_platform_parse(const char *text, const char *machine, struct oci_platform *ret,
                       struct cl_error *err)
{
    char words[3][WORD_MAX] = { "", "", "" };
    int count = split(text, words);
    if (count < 0)
        return refuse(err, text, "not a platform");
    bool is_known = true;
    int r;
    if (count == 1) {
        r = parse_one(words[0], machine, ret, &is_known);
    } else {
        const char *variant = NULL;
        const char *architecture = usual_architecture(words[1], &variant);
        r = fill(ret, words[0], architecture, count == 3 ? words[2] : variant);
    }
    if (!is_known)
        return refuse(err, text, "unknown operating system or architecture");
    return r < 0 ? cl_fail(err, r, "read platform") : 0;
}

char *oci_platform_format(const struct oci_platform *platform)
{
    const char *os = platform->os != NULL ? platform->os : "unknown";
    const char *architecture = platform->architecture != NULL ? platform->architecture : "unknown";
    bool has_variant = platform->variant != NULL && *platform->variant != '\0';
    return cl_format("%s/%s%s%s", os, architecture, has_variant ? "/" : "",
                     has_variant ? platform->variant : "");
}

int oci_platform_copy(const struct oci_platform *platform, struct oci_platform *ret)
{
    oci_auto_platform copy = { 0 };
    copy.os = cl_strdup(platform->os);
    copy.architecture = cl_strdup(platform->architecture);
    copy.variant = cl_strdup(platform->variant);
    copy.os_version = cl_strdup(platform->os_version);
    bool is_whole = (copy.os != NULL) == (platform->os != NULL) &&
                    (copy.architecture != NULL) == (platform->architecture != NULL) &&
                    (copy.variant != NULL) == (platform->variant != NULL) &&
                    (copy.os_version != NULL) == (platform->os_version != NULL);
    if (!is_whole)
        return -ENOMEM;
    if (platform->os_features != NULL &&
        cl_strv_copy(&copy.os_features, (const char *const *)platform->os_features) < 0)
        return -ENOMEM;
    *ret = copy;
    copy = (struct oci_platform){ 0 };
    return 0;
}

/* ---- Matching ---- */

/* "v7", "7" → 7; absent → the architecture's usual level; -1 for a variant that is no level. */
static int variant_level(const char *architecture, const char *variant)
{
    if (variant == NULL || *variant == '\0') {
        if (strcmp(architecture, "arm") == 0)
            return 7;
        return strcmp(architecture, "arm64") == 0 ? 8 : 1;
    }
    const char *digit = *variant == 'v' ? variant + 1 : variant;
    bool is_level = digit[0] >= '1' && digit[0] <= '9' && digit[1] == '\0';
    return is_level ? digit[0] - '0' : -1;
}

static int rank_level(int host, int candidate)
{
    return candidate > host ? -1 : host - candidate;
}

/* Another architecture that the wanted one also executes: behind all of its own. */
static int rank_foreign(const char *wanted, const struct oci_platform *candidate)
{
    const char *architecture = candidate->architecture;
    if (strcmp(wanted, "arm64") == 0 && strcmp(architecture, "arm") == 0) {
        int level = variant_level("arm", candidate->variant);
        return level < 0 ? -1 : 10 + rank_level(8, level);
    }
    bool is_i386 = strcmp(wanted, "amd64") == 0 && strcmp(architecture, "386") == 0;
    return is_i386 ? 10 : -1;
}

int oci_platform_rank(const struct oci_platform *wanted, const struct oci_platform *candidate)
{
    if (wanted->architecture == NULL || candidate->architecture == NULL ||
        !cl_streq(wanted->os, candidate->os))
        return -1;
    const char *ignored = NULL;
    const char *own = usual_architecture(wanted->architecture, &ignored);
    if (!cl_streq(own, usual_architecture(candidate->architecture, &ignored)))
        return rank_foreign(own, candidate);
    int host = variant_level(own, wanted->variant);
    int level = variant_level(own, candidate->variant);
    if (host < 0 || level < 0)
        return cl_streq(wanted->variant, candidate->variant) ? 0 : -1;
    return rank_level(host, level);
}
