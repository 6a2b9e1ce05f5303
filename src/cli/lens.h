/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge from the engine's names to the lens, for the verbs lsns, view and pid.
 */
#pragma once

#include "cli/cli_private.h"
#include "lens/lens.h"

struct lens_names cli_lens_names(struct cli *cli);
/* --type: names → bits 1 << enum k_ns; USAGE with "did you mean". */
int cli_lens_types(const char **names, unsigned *ret, struct cl_error *err);
