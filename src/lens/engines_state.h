/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room lens only: what the engines' state directories tell of a container. All paths are below root_fd, as in engines.h.
 */
#pragma once

#include "lens/engines.h"

enum { LENS_ENGINE_ID = 64 }; /* hexadecimal digits of an id */

bool lens_engine_is_id(const char *text, size_t length);
/* The component of a cgroup path, below `above`, is called as a container that Docker or containerd keeps. */
bool lens_engine_state_judge(int root_fd, const char *above, const char *component,
                             struct lens_container *ret);
/* A better name than the id, where there is one. */
void lens_engine_state_name(int root_fd, const char *cgroup, struct lens_container *container);
