/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche-scope: asks systemd for a container's control group. Started by the runtime, where the systemd driver is asked for, never by a person. All work is
 * room scope's.
 */
#include "scope/scope.h"

int main(int argc, char **argv)
{
    return scope_main(argc, argv);
}
