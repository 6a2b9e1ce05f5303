/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche-transfer: the program that touches bytes from outside. Started by cloche for each archive, with the descriptors of wire/transfer.h, never by a
 * person. All work is room transfer's.
 */
#include "transfer/transfer.h"

int main(int argc, char **argv)
{
    return transfer_main(argc, argv);
}
