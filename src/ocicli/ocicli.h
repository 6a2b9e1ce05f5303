/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room ocicli: the command line of an OCI runtime (runc's and crun's) over room runtime. It is what another engine calls: containerd's shim, conmon, CRI-O, or a
 * person with a bundle. It knows no images and keeps no process: what lasts between two commands lies in one directory per container below --root.
 * Uses base, kernel, oci, wire, seccomp, runtime. Sources: runtime-spec runtime.md ("Operations", "State") and the manual pages of runc(8) and crun(1).
 */
#pragma once

int ocicli_main(int argc, char **argv);
