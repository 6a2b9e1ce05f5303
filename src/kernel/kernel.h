/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room kernel: one thin typed call per kernel feature that containers are made of, the only way to
 * a path inside a rootfs (inroot.h), checked access to /proc (procfs.h), cgroup files of either
 * version (cgroupfs.h), and what this kernel can do. Uses base. Knows no containers, no images and
 * no policy.
 */
#pragma once

#include "kernel/calls.h"
#include "kernel/cgroupfs.h"
#include "kernel/inroot.h"
#include "kernel/nsfs.h"
#include "kernel/procfs.h"
#include "kernel/terminal.h"
#include "kernel/userns.h"
