/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least program: what starting one costs, before it does anything. Linked statically at a fixed address with cloche-runtime's own C library: nothing of
 * that library starts sooner (docs/decisions/015-libc.md).
 */
int main(void)
{
    return 0;
}
