/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers of other engines, recognised without asking any daemon: the cgroup path says engine and id (or name), the engine's state
 * directory says the name.
 *
 *   engine      cgroup path holds                                     name from
 *   docker      docker-ID.scope, docker/ID                            DATA-ROOT/containers/ID/config.v2.json
 *   podman      libpod-ID.scope, libpod-ID                            …/containers/storage/DRIVER-containers/containers.json
 *   kubernetes  cri-containerd-ID.scope, crio-ID.scope, kubepods…/ID  containerd's or CRI-O's config.json: NAMESPACE/POD/CONTAINER
 *   containerd  nerdctl-ID.scope, default/ID                          …/runtime.v2.task/default/ID/config.json, as nerdctl notes it
 *   lxc         lxc.payload.NAME, lxc.payload/NAME, lxc/NAME          the path
 *   nspawn      systemd-nspawn@NAME.service, machine-NAME.scope       the path
 *
 * ID is 64 hexadecimal digits. Where no name is found, it is the first twelve of them. Docker's and containerd's containers may be anywhere (--cgroup-parent)
 * and, with ctr, be called anything: a component of the path that is the name of a directory in their state is one, too.
 */
#pragma once

#include "lens/lens.h"

/* root_fd: of the host's file system (AT_FDCWD: ours). cgroup: text of /proc/PID/cgroup. True and *ret (no init pid) when it is a container's. */
bool lens_engine_recognise(int root_fd, const char *cgroup, struct lens_container *ret);
/*
 * What the container's engine gave to its OCI runtime (config.json), of a container that was recognised by that cgroup text; NULL: none is kept, or
 * it may not be read. The caller's to free. Of rootless engines it lies in their user's hands.
 */
struct cl_json *lens_engine_config(int root_fd, const char *cgroup,
                                   const struct lens_container *container);
