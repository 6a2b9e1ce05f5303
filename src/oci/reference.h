/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references by the grammar of github.com/distribution/reference and the rules by which Docker normalises them:
 * "alpine" is docker.io/library/alpine, "me/app" is docker.io/me/app, "localhost/app", "host.example/app" and "host:5000/app" carry their
 * registry. A value type: fixed arrays, nothing to free, nothing to fail later.
 */
#pragma once

#include "base/digest.h"

#define OCI_DOMAIN_MAX    256 /* with NUL; host name, IPv4 or [IPv6], and port */
#define OCI_PATH_MAX      256 /* with NUL: 255, as distribution has it */
#define OCI_TAG_MAX       129 /* with NUL: 128 */
#define OCI_REFERENCE_MAX (OCI_DOMAIN_MAX + OCI_PATH_MAX + OCI_TAG_MAX + CL_DIGEST_MAX + 4)

struct oci_reference {
    char domain[OCI_DOMAIN_MAX]; /* "docker.io"; index.docker.io becomes this */
    char path[OCI_PATH_MAX];     /* "library/alpine" */
    char tag[OCI_TAG_MAX];       /* "" when none was given */
    char digest[CL_DIGEST_MAX];  /* "" or strictly valid */
};

/* 0 or -EINVAL with *ret untouched. 64 lower-case hex digits alone are refused: they could be an ID. */
int oci_reference_parse(const char *text, struct oci_reference *ret, struct cl_error *err);
/* Gives it the tag "latest" when it has neither tag nor digest. */
void oci_reference_default_tag(struct oci_reference *reference);
int oci_reference_set_tag(struct oci_reference *reference, const char *tag, struct cl_error *err);
int oci_reference_set_digest(struct oci_reference *reference, const char *digest,
                             struct cl_error *err);

/* "docker.io/library/alpine:latest@sha256:…" */
void oci_reference_string(const struct oci_reference *reference,
                          char buffer[static OCI_REFERENCE_MAX]);
/* "alpine:latest", "me/app@sha256:…", "quay.io/x/y:1": the shortest text that parses back to the same. */
void oci_reference_familiar(const struct oci_reference *reference,
                            char buffer[static OCI_REFERENCE_MAX]);
/* The repository alone: "docker.io/library/alpine" and "alpine". */
void oci_reference_repository(const struct oci_reference *reference,
                              char buffer[static OCI_REFERENCE_MAX]);
void oci_reference_familiar_repository(const struct oci_reference *reference,
                                       char buffer[static OCI_REFERENCE_MAX]);

bool oci_reference_same_repository(const struct oci_reference *a, const struct oci_reference *b);
bool oci_reference_equal(const struct oci_reference *a, const struct oci_reference *b);
bool oci_tag_is_valid(const char *tag);
/* 64 lower-case hex digits: an ID, never a name. */
bool oci_id_is_full(const char *text);
/* 1…64 lower-case hex digits, optionally after "sha256:": could be the beginning of an ID. */
bool oci_id_is_prefix(const char *text);
