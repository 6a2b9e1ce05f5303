/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room base: memory, strings, errors, descriptors, files, JSON facade, digests, templates, tables, debug output.
 * Knows no containers and makes no system call beyond files, pipes and clocks. Used by every room; uses none.
 */
#pragma once

#include "base/digest.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/table.h"
#include "base/template.h"
