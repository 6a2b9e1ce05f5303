/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche-runtime: an OCI runtime with runc's command line, for other engines. Everything is in src/ocicli.
 */
#include "ocicli/ocicli.h"

int main(int argc, char **argv)
{
    return ocicli_main(argc, argv);
}
