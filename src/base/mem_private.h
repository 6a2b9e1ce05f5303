/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room base only: lets code whose allocations happen inside a library (json-c) take part in the allocation faults.
 */
#pragma once

#include <stdbool.h>

/* Counts one allocation; true when the fault tests want this one to fail. */
bool cl_alloc_fails(void);
