/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room oci: the OCI runtime-spec and image-spec, image references and platforms as pure data. No system calls, no files, no
 * network. May use base only.
 *
 * Every document is a plain C tree of structs: decoded from JSON and encoded back by the same field tables
 * (fields.h), freed by one call. An absent optional property is NULL, a zero count, or `.set == false`.
 */
#pragma once

#include "oci/image_spec.h"
#include "oci/names.h"
#include "oci/platform.h"
#include "oci/reference.h"
#include "oci/runtime_spec.h"
#include "oci/types.h"
