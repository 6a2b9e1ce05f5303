/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How cloche-transfer locks itself in before it reads the first byte from outside. See docs/SECURITY.md for what each layer is for.
 */
#pragma once

#include "base/base.h"

int sandbox_enter(struct cl_error *err);
