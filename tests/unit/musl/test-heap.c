/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of programs linked with musl: blocks that never overlap, and an end for whoever gives back what is none. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "musl/ends.h"
#include "test.h"

#define BLOCKS 5000

static unsigned char *blocks[BLOCKS];
static size_t block_sizes[BLOCKS];
static unsigned seed = 1;

static unsigned next_random(void)
{
    seed = seed * 1103515245u + 12345u;
    return seed >> 8;
}

static size_t random_size(void)
{
    static const size_t most[] = { 16, 64, 300, 600, 3000, 20000, 70000, 200000 };
    unsigned kind = next_random() % 100;
    return 1 + next_random() % most[kind < 92 ? kind % 5 : kind < 99 ? 5 : 6 + next_random() % 2];
}

static unsigned char mark(size_t i)
{
    return (unsigned char)(i * 31 + 7);
}

static bool is_whole(size_t i)
{
    for (size_t at = 0; at < block_sizes[i]; at++)
        if (blocks[i][at] != mark(i))
            return false;
    return true;
}

static void fill(size_t i, size_t size)
{
    block_sizes[i] = size;
    memset(blocks[i], mark(i), size);
}

/* The volatile pointers: or the compiler leaves out what is freed without having been read. */
static void *(*volatile take)(size_t) = malloc;
static void *(*volatile change)(void *, size_t) = realloc;
static void (*volatile give)(void *) = free;

TEST(blocks_keep_what_is_written_in_them)
{
    bool are_whole = true;
    for (unsigned turn = 0; turn < 60000; turn++) {
        size_t i = next_random() % BLOCKS;
        if (blocks[i] == NULL) {
            size_t size = random_size();
            blocks[i] = take(size);
            CHECK(blocks[i] != NULL);
            CHECK_INT((uintptr_t)blocks[i] % 16, 0);
            fill(i, size);
        } else if (next_random() % 4 == 0) {
            size_t size = random_size(), kept = size < block_sizes[i] ? size : block_sizes[i];
            blocks[i] = change(blocks[i], size);
            CHECK(blocks[i] != NULL);
            block_sizes[i] = kept;
            are_whole = are_whole && is_whole(i);
            fill(i, size);
        } else {
            are_whole = are_whole && is_whole(i);
            give(blocks[i]);
            blocks[i] = NULL;
        }
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        are_whole = are_whole && (blocks[i] == NULL || is_whole(i));
        give(blocks[i]);
    }
    CHECK(are_whole);
}

TEST(calloc_clears_what_was_used_before)
{
    static const size_t some[] = { 5, 200, 500, 3000, 60000, 100000 };
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        for (unsigned turn = 0; turn < 70; turn++) { /* more than a unit has slots */
            unsigned char *at = calloc(1, some[i]);
            CHECK(at != NULL);
            for (size_t byte = 0; byte < some[i]; byte++)
                CHECK_INT(at[byte], 0);
            memset(at, 0xff, some[i]);
            give(at);
        }
}

TEST(memory_that_was_freed_is_used_again)
{
    uintptr_t lowest = UINTPTR_MAX, highest = 0;
    for (unsigned turn = 0; turn < 100000; turn++) {
        char *one = take(1 + turn % 512), *other = take(600 + turn % 9000);
        CHECK(one != NULL && other != NULL);
        lowest = (uintptr_t)one < lowest ? (uintptr_t)one : lowest;
        highest = (uintptr_t)one > highest ? (uintptr_t)one : highest;
        give(one);
        give(other);
    }
    CHECK(highest - lowest < 8u << 20);
}

TEST(what_can_not_be_had_is_an_error)
{
    volatile size_t huge = SIZE_MAX / 2 + 1;
    errno = 0;
    CHECK(take(huge) == NULL);
    CHECK_INT(errno, ENOMEM);
    errno = 0;
    CHECK(calloc(huge, 4) == NULL);
    CHECK_INT(errno, ENOMEM);
    char *at = take(10);
    CHECK(change(at, huge) == NULL); /* and `at` stays what it was */
    give(at);
    give(NULL);
}

TEST(blocks_are_aligned_as_asked)
{
    void *one = aligned_alloc(64, 100), *other = NULL;
    CHECK(one != NULL);
    CHECK_INT((uintptr_t)one % 64, 0);
    CHECK_INT(posix_memalign(&other, 1024, 5000), 0);
    CHECK_INT((uintptr_t)other % 1024, 0);
    give(one);
    give(other);
}

/* ---- what ends the program ---- */

static void twice(void)
{
    char *at = take(40);
    give(at);
    give(at);
}

static void twice_large(void)
{
    char *at = take(4000);
    give(at);
    give(at);
}

static void twice_mapped(void)
{
    char *at = take(100000);
    give(at);
    give(at);
}

static void inside(void)
{
    char *at = take(40);
    give(at + 16);
}

static void inside_large(void)
{
    char *at = take(4000);
    give(at + 1024);
}

static void of_the_stack(void)
{
    char here[64];
    give(here);
}

static void once(void)
{
    give(take(40));
}

TEST(only_a_block_in_use_is_freed)
{
    CHECK_INT(ends_with(once), 0);
    CHECK(ends_with(twice) != 0);
    CHECK(ends_with(twice_large) != 0);
    CHECK(ends_with(twice_mapped) != 0);
    CHECK(ends_with(inside) != 0);
    CHECK(ends_with(inside_large) != 0);
    CHECK(ends_with(of_the_stack) != 0);
}

/* Sizes that fill a place to its last byte but one, and so all of it. */
static const size_t full[] = { 15, 31, 511, 1023, 4095, 65535 };
static volatile size_t full_index;

static void behind(void)
{
    volatile char *at = take(full[full_index]);
    at[full[full_index]] = 0; /* the end of a string that is one longer */
    give((void *)(uintptr_t)at);
}

static void behind_and_more(void)
{
    volatile char *at = take(full[full_index]);
    at[full[full_index]] = 0;
    give(change((void *)(uintptr_t)at, full[full_index] * 3));
}

static void all_of_it(void)
{
    char *at = take(full[full_index]);
    memset(at, 0, full[full_index]);
    at = change(at, full[full_index] / 2); /* stays where it is */
    at = change(at, full[full_index]);
    memset(at, 0xff, full[full_index]);
    give(at);
}

TEST(what_was_written_behind_a_block_ends_the_program)
{
    for (full_index = 0; full_index < sizeof full / sizeof full[0]; full_index++) {
        CHECK_INT(ends_with(all_of_it), 0);
        CHECK(ends_with(behind) != 0);
        CHECK(ends_with(behind_and_more) != 0);
    }
}

TEST_MAIN
