/* SPDX-License-Identifier: Apache-2.0 */
/* Programs linked with musl end rather than write behind a buffer, and have read-only what was relocated. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "musl/ends.h"
#include "test.h"

static volatile size_t nine = 9; /* that the compiler can't see through */
static const char text[] = "much longer than eight";
static const char *const relocated[] = { text, text };

static void copy(void)
{
    char buffer[8];
    memcpy(buffer, text, nine);
    (void)*(volatile char *)buffer;
}

static void move(void)
{
    char *buffer = malloc(8);
    memmove(buffer, text, nine);
    (void)*(volatile char *)buffer;
}

static void wipe(void)
{
    char buffer[8];
    memset(buffer, 0, nine);
    (void)*(volatile char *)buffer;
}

static void print(void)
{
    char buffer[8];
    (void)snprintf(buffer, nine, "%s", "x");
    (void)*(volatile char *)buffer;
}

static void load(void)
{
    char buffer[8];
    ssize_t size = read(0, buffer, nine);
    (void)*(volatile char *)buffer;
    (void)size;
}

static void follow(void)
{
    char buffer[8];
    ssize_t size = readlink("/proc/self", buffer, nine);
    (void)*(volatile char *)buffer;
    (void)size;
}

static void change_relocated(void)
{
    *(const char *volatile *)(uintptr_t)&relocated[nine - 8] = "changed";
}

static void within(void)
{
    char buffer[9];
    memcpy(buffer, text, nine);
    (void)snprintf(buffer, nine, "%s", "x");
}

TEST(what_fits_is_written)
{
    CHECK_INT(ends_with(within), 0);
}

TEST(nothing_is_written_behind_a_buffer)
{
    CHECK(ends_with(copy) != 0);
    CHECK(ends_with(move) != 0);
    CHECK(ends_with(wipe) != 0);
    CHECK(ends_with(print) != 0);
    CHECK(ends_with(load) != 0);
    CHECK(ends_with(follow) != 0);
}

TEST(tables_with_pointers_are_read_only)
{
    CHECK_INT(ends_with(change_relocated), SIGSEGV);
}

TEST_MAIN
