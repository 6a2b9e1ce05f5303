/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `import --change`: one Dockerfile instruction applied to an image's run-time config. CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME,
 * WORKDIR, in Dockerfile syntax (docs.docker.com/reference/dockerfile): any case, exec form as a JSON array, else the shell form.
 */
#pragma once

#include "oci/oci.h"

/* 0, or -EINVAL (the text quotes the line) or -ENOMEM. */
int changes_apply(struct oci_image_run *run, const char *line, struct cl_error *err);
