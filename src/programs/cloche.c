/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche: the command that people type. Everything is in src/cli.
 */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
