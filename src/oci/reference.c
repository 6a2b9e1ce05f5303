/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references. The grammar is github.com/distribution/reference's, read here by small scanners instead of regular expressions:
 *
 *     reference := [domain "/"] path [":" tag] ["@" digest]        path := component *("/" component)
 *     domain    := (name *("." name) | "[" IPv6 "]") [":" digits]   component := alnum+ *(("." | "_" | "__" | "-"+) alnum+)
 *     tag       := [A-Za-z0-9_] [A-Za-z0-9_.-]{0,127}               alnum is lower case: [a-z0-9]
 *
 * What comes before the first "/" is a domain when it holds "." or ":", is "localhost", or has an upper-case letter; else it belongs to
 * the path and the domain is docker.io. docker.io/NAME means docker.io/library/NAME.
 */
#include "oci/reference.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>

#define DEFAULT_DOMAIN "docker.io"
#define LEGACY_DOMAIN  "index.docker.io"
#define OFFICIAL       "library/"

/* ---- Characters and scanners: each returns how many bytes it accepts ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_path_character(char c)
{
    return is_lower(c) || is_digit(c);
}

static bool is_name_character(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c);
}

static bool is_tag_character(char c)
{
    return is_name_character(c) || c == '_' || c == '.' || c == '-';
}

static size_t scan_separator(const char *text)
{
    if (text[0] == '-')
        return strspn(text, "-");
    if (text[0] == '_' && text[1] == '_')
        return 2;
    return text[0] == '.' || text[0] == '_' ? 1 : 0;
}

static size_t scan_path_word(const char *text)
{
    size_t length = 0;
    while (is_path_character(text[length]))
        length++;
    return length;
}

static bool is_component(const char *text, size_t length)
{
    size_t at = scan_path_word(text);
    if (at == 0)
        return false;
    while (at < length) {
        size_t separator = scan_separator(text + at);
        size_t word = separator > 0 ? scan_path_word(text + at + separator) : 0;
        if (word == 0)
            return false;
        at += separator + word;
    }
    return at == length;
}

static bool is_path(const char *path)
{
    for (;;) {
        size_t length = strcspn(path, "/");
        if (!is_component(path, length))
            return false;
        if (path[length] == '\0')
            return true;
        path += length + 1;
    }
}

/* Letters, digits and inner dashes, in dot-separated words. */
static size_t scan_domain_name(const char *text)
{
    size_t at = 0;
    for (;;) {
        size_t start = at;
        while (is_name_character(text[at]) || text[at] == '-')
            at++;
        if (at == start || text[start] == '-' || text[at - 1] == '-')
            return 0;
        if (text[at] != '.')
            return at;
        at++;
    }
}

static size_t scan_ipv6(const char *text)
{
    size_t inner = strspn(text + 1, "0123456789abcdefABCDEF:");
    return inner > 0 && text[1 + inner] == ']' ? inner + 2 : 0;
}

static bool is_domain(const char *domain)
{
    size_t at = domain[0] == '[' ? scan_ipv6(domain) : scan_domain_name(domain);
    if (at == 0)
        return false;
    if (domain[at] == '\0')
        return true;
    if (domain[at++] != ':')
        return false;
    size_t digits = strspn(domain + at, "0123456789");
    return digits > 0 && domain[at + digits] == '\0';
}

bool oci_tag_is_valid(const char *tag)
{
    size_t length = strlen(tag);
    if (length == 0 || length >= OCI_TAG_MAX || tag[0] == '.' || tag[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_tag_character(tag[i]))
            return false;
    return true;
}

static bool is_hex(const char *text, size_t min, size_t max)
{
    size_t length = strspn(text, "0123456789abcdef");
    return text[length] == '\0' && length >= min && length <= max;
}

bool oci_id_is_full(const char *text)
{
    return is_hex(text, 64, 64);
}

bool oci_id_is_prefix(const char *text)
{
    return is_hex(cl_starts_with(text, "sha256:") ? text + strlen("sha256:") : text, 1, 64);
}

/* ---- Parsing ---- */

static int refuse(struct cl_error *err, const char *text, const char *why)
{
    cl_auto_free char *shown = cl_escape_terminal(text);
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "image reference %.160s: %s",
                        *text == '\0'   ? "\"\""
                        : shown != NULL ? shown
                                        : "",
                        why);
}

/* Moves "@DIGEST" and ":TAG" off the end of *text (a copy) into the reference. */
static int take_digest(char *text, struct oci_reference *ret, const char **why)
{
    char *at = strchr(text, '@');
    if (at == NULL)
        return 0;
    if (!cl_digest_is_valid(at + 1) || CL_PRINT(ret->digest, "%s", at + 1) < 0) {
        *why = "the digest after @ is not valid; it must be sha256: and 64 lower-case hex digits";
        return -EINVAL;
    }
    *at = '\0';
    return 0;
}

static int take_tag(char *text, struct oci_reference *ret, const char **why)
{
    char *slash = strrchr(text, '/');
    char *colon = strchr(slash != NULL ? slash : text, ':');
    if (colon == NULL)
        return 0;
    if (!oci_tag_is_valid(colon + 1) || CL_PRINT(ret->tag, "%s", colon + 1) < 0) {
        *why = strlen(colon + 1) >= OCI_TAG_MAX
                   ? "the tag is longer than 128 characters"
                   : "the tag after : is not valid; it may hold letters, digits, _ . and -";
        return -EINVAL;
    }
    *colon = '\0';
    return 0;
}

/* Is the first component a registry? `length` is its length; a "/" follows. */
static bool is_registry(const char *text, size_t length)
{
    if (length == strlen("localhost") && strncmp(text, "localhost", length) == 0)
        return true;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '.' || text[i] == ':' || is_upper(text[i]))
            return true;
    return false;
}

static const char *split_domain(const char *text, struct oci_reference *ret, const char **path)
{
    size_t length = strcspn(text, "/");
    bool has_registry = text[length] == '/' && is_registry(text, length);
    *path = has_registry ? text + length + 1 : text;
    if (!has_registry)
        (void)CL_PRINT(ret->domain, "%s", DEFAULT_DOMAIN);
    else if (CL_PRINT(ret->domain, "%.*s", (int)length, text) < 0)
        return "the registry's name is too long";
    if (!is_domain(ret->domain))
        return "the part before the first / is not the name of a registry";
    if (strcmp(ret->domain, LEGACY_DOMAIN) == 0)
        (void)CL_PRINT(ret->domain, "%s", DEFAULT_DOMAIN);
    return NULL;
}

/* NULL, or what is wrong. */
static const char *parse_name(const char *text, struct oci_reference *ret)
{
    const char *path;
    const char *why = split_domain(text, ret, &path);
    if (why != NULL)
        return why;
    for (const char *c = path; *c != '\0'; c++)
        if (is_upper(*c))
            return "the repository's name must be lower case";
    bool is_official = strcmp(ret->domain, DEFAULT_DOMAIN) == 0 && strchr(path, '/') == NULL;
    if (CL_PRINT(ret->path, "%s%s", is_official ? OFFICIAL : "", path) < 0)
        return "the repository's name is longer than 255 characters";
    if (!is_path(path))
        return *path == '\0'
                   ? "the repository's name is missing"
                   : "the repository's name may hold a-z, 0-9 and single . _ - between them";
    return NULL;
}

#define TEXT_MAX 1024 /* longer than any valid reference */

int oci_reference_parse(const char *text, struct oci_reference *ret, struct cl_error *err)
{
    struct oci_reference reference = { 0 };
    char copy[TEXT_MAX];
    const char *why = NULL;
    if (oci_id_is_full(text))
        return refuse(err, text, "64 hex digits are an ID, not a name");
    if (*text == '\0')
        return refuse(err, text, "is empty");
    if (CL_PRINT(copy, "%s", text) < 0)
        return refuse(err, text, "is too long");
    if (take_digest(copy, &reference, &why) < 0 || take_tag(copy, &reference, &why) < 0)
        return refuse(err, text, why);
    why = parse_name(copy, &reference);
    if (why != NULL)
        return refuse(err, text, why);
    *ret = reference;
    return 0;
}

/* ---- Changing and writing ---- */

void oci_reference_default_tag(struct oci_reference *reference)
{
    if (reference->tag[0] == '\0' && reference->digest[0] == '\0')
        (void)CL_PRINT(reference->tag, "latest");
}

int oci_reference_set_tag(struct oci_reference *reference, const char *tag, struct cl_error *err)
{
    if (!oci_tag_is_valid(tag))
        return refuse(err, tag, "not a valid tag");
    (void)CL_PRINT(reference->tag, "%s", tag);
    return 0;
}

int oci_reference_set_digest(struct oci_reference *reference, const char *digest,
                             struct cl_error *err)
{
    if (!cl_digest_is_valid(digest) || strlen(digest) >= sizeof reference->digest)
        return refuse(err, digest, "not a valid digest");
    (void)CL_PRINT(reference->digest, "%s", digest);
    return 0;
}

void oci_reference_repository(const struct oci_reference *reference,
                              char buffer[static OCI_REFERENCE_MAX])
{
    (void)cl_print(buffer, OCI_REFERENCE_MAX, "%s/%s", reference->domain, reference->path);
}

/* docker.io/a.example/b would be read back as b of the registry a.example, if docker.io were left out. */
static bool looks_like_registry(const char *path)
{
    size_t length = strcspn(path, "/");
    return path[length] == '/' && is_registry(path, length);
}

void oci_reference_familiar_repository(const struct oci_reference *reference,
                                       char buffer[static OCI_REFERENCE_MAX])
{
    const char *path = reference->path;
    if (strcmp(reference->domain, DEFAULT_DOMAIN) != 0 || looks_like_registry(path)) {
        oci_reference_repository(reference, buffer);
        return;
    }
    bool is_official =
        cl_starts_with(path, OFFICIAL) && strchr(path + strlen(OFFICIAL), '/') == NULL;
    const char *shortest = is_official ? path + strlen(OFFICIAL) : path;
    (void)cl_print(buffer, OCI_REFERENCE_MAX, "%s", shortest);
}

/* Behind the repository that `buffer` already holds. */
static void add_rest(const struct oci_reference *reference, char *buffer)
{
    size_t used = strlen(buffer);
    (void)cl_print(buffer + used, OCI_REFERENCE_MAX - used, "%s%s%s%s",
                   reference->tag[0] != '\0' ? ":" : "", reference->tag,
                   reference->digest[0] != '\0' ? "@" : "", reference->digest);
}

void oci_reference_string(const struct oci_reference *reference,
                          char buffer[static OCI_REFERENCE_MAX])
{
    oci_reference_repository(reference, buffer);
    add_rest(reference, buffer);
}

void oci_reference_familiar(const struct oci_reference *reference,
                            char buffer[static OCI_REFERENCE_MAX])
{
    oci_reference_familiar_repository(reference, buffer);
    bool is_bare_id =
        oci_id_is_full(buffer) && reference->tag[0] == '\0' && reference->digest[0] == '\0';
    if (is_bare_id) /* would be read back as an ID */
        oci_reference_repository(reference, buffer);
    add_rest(reference, buffer);
}

bool oci_reference_same_repository(const struct oci_reference *a, const struct oci_reference *b)
{
    return strcmp(a->domain, b->domain) == 0 && strcmp(a->path, b->path) == 0;
}

bool oci_reference_equal(const struct oci_reference *a, const struct oci_reference *b)
{
    return oci_reference_same_repository(a, b) && strcmp(a->tag, b->tag) == 0 &&
           strcmp(a->digest, b->digest) == 0;
}
