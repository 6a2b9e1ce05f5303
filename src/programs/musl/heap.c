/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc for programs that live for some milliseconds, in place of musl's (docs/decisions/015-libc.md has the figures).
 *
 * musl's maps and unmaps memory for each size that is asked for, and most of those pages fault twice: in a run of cloche-runtime that
 * was more time than reading config.json. Here memory is a region of the program's own data that is taken from its beginning on, and
 * nothing goes back to the kernel but blocks beyond 64 KiB.
 *
 * A region is cut into units of 1 KiB. A unit holds slots of one size, or is part of a run of units that is one block. Nothing about
 * that lies between the blocks, where whoever writes behind one would find it: records are apart, and a pointer that is no block in
 * use ends the program when it is freed. A freed slot is not used again before every other slot of its unit was. The last byte of a
 * slot or run is nobody's: whoever has written to it by the time that the block is freed or grows has written behind the block, and the
 * program ends. Blocks beyond 64 KiB have pages of their own.
 *
 * One thread only: no program here has a second.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define UNIT         1024u
#define REGION_UNITS 1024u /* 1 MiB: less than a huge page, which would be cleared as a whole */
#define REGIONS      1024u
#define SMALLEST     16u
#define LARGEST_SLOT 512u
#define LARGEST_RUN  (64u << 10)
#define MAPPINGS     4096u
#define NONE         UINT32_MAX
#define GUARD        0x5a

enum unit_use { UNIT_FREE, UNIT_SLOTS, UNIT_RUN, UNIT_RUN_REST };

struct unit {
    uint8_t use, class_;
    bool is_listed; /* reachable by `next` */
    uint8_t count;  /* of a run */
    uint32_t next;  /* unit of the same size that may have room, NONE: the last */
    uint64_t fresh; /* slots to be given out next */
    uint64_t freed; /* that will be when no fresh one is left */
};

static const uint16_t sizes[] = { 16, 32, 48, 64, 96, 128, 192, 256, 336, 512 };
#define CLASSES (sizeof sizes / sizeof sizes[0])
_Static_assert(UNIT / SMALLEST == 64, "a bit for each slot of a unit");

static char first_region[REGION_UNITS * UNIT] __attribute__((aligned(4096)));
static struct unit first_units[REGION_UNITS];
static struct {
    char *at;
    struct unit *units; /* one record for each */
} further[REGIONS];     /* regions behind the first: a page that most programs never touch */
static unsigned region_count;
static unsigned used_units;     /* units from here on were never touched */
static unsigned free_units;     /* below used_units */
static unsigned first_free;     /* none below is free */
static uint32_t rooms[CLASSES]; /* the first unit of each size that may have room */
static struct {
    char *at;
    size_t size;
} mappings[MAPPINGS];

static char *region_at(unsigned region)
{
    return region == 0 ? first_region : further[region - 1].at;
}

static char *unit_address(unsigned unit)
{
    return region_at(unit / REGION_UNITS) + (size_t)(unit % REGION_UNITS) * UNIT;
}

static struct unit *record(unsigned unit)
{
    unsigned region = unit / REGION_UNITS;
    return &(region == 0 ? first_units : further[region - 1].units)[unit % REGION_UNITS];
}

/* The unit that an address lies in, or -1. */
static int unit_of(const void *at)
{
    for (unsigned i = 0; i < region_count; i++) {
        uintptr_t offset = (uintptr_t)at - (uintptr_t)region_at(i);
        if (offset < sizeof first_region)
            return (int)(i * REGION_UNITS + offset / UNIT);
    }
    return -1;
}

/* ---- units ---- */

static void *map(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static bool map_region(unsigned number)
{
    struct unit *units = map(sizeof first_units);
    char *at = units == NULL ? NULL : map(sizeof first_region);
    if (at == NULL && units != NULL)
        (void)munmap(units, sizeof first_units);
    further[number].at = at;
    further[number].units = units;
    return at != NULL;
}

static bool add_region(void)
{
    if (region_count == 0)
        memset(rooms, 0xff, sizeof rooms); /* NONE */
    if (region_count == REGIONS + 1)
        return false;
    if (region_count > 0 && !map_region(region_count - 1))
        return false;
    /* A run does not reach from one region into the next: what is left of the last one is free. */
    free_units += region_count * REGION_UNITS - used_units;
    used_units = region_count * REGION_UNITS;
    region_count++;
    return true;
}

static bool are_free(unsigned unit, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (record(unit + i)->use != UNIT_FREE)
            return false;
    return true;
}

/* So many units in a row among those that were in use before, or -1. */
static int reuse_units(unsigned count)
{
    while (first_free < used_units && record(first_free)->use != UNIT_FREE)
        first_free++;
    for (unsigned unit = first_free; free_units >= count && unit + count <= used_units; unit++)
        if (unit % REGION_UNITS + count <= REGION_UNITS && are_free(unit, count)) {
            free_units -= count;
            return (int)unit;
        }
    return -1;
}

static int take_units(unsigned count, bool *ret_is_zero)
{
    int unit = free_units >= count ? reuse_units(count) : -1;
    *ret_is_zero = unit < 0;
    if (unit >= 0)
        return unit;
    if (used_units + count > region_count * REGION_UNITS && !add_region())
        return -1;
    unit = (int)used_units;
    used_units += count;
    return unit;
}

/* The last byte of a run that begins at this unit. */
static unsigned char *guard_of_run(unsigned unit)
{
    return (unsigned char *)unit_address(unit) + (size_t)record(unit)->count * UNIT - 1;
}

static void *take_run(size_t size, bool *ret_is_zero)
{
    unsigned count = (unsigned)(size / UNIT + 1); /* at least a byte more */
    int unit = take_units(count, ret_is_zero);
    if (unit < 0)
        return NULL;
    for (unsigned i = 0; i < count; i++)
        record((unsigned)unit + i)->use = i == 0 ? UNIT_RUN : UNIT_RUN_REST;
    record((unsigned)unit)->count = (uint8_t)count;
    *guard_of_run((unsigned)unit) = GUARD;
    return unit_address((unsigned)unit);
}

static void give_run(unsigned unit)
{
    unsigned count = record(unit)->count;
    if (*guard_of_run(unit) != GUARD)
        __builtin_trap();
    for (unsigned i = 0; i < count; i++)
        record(unit + i)->use = UNIT_FREE;
    free_units += count;
    if (unit < first_free)
        first_free = unit;
}

/* ---- slots ---- */

/* Larger than what is asked for: the last byte is the guard's. */
static unsigned class_of(size_t size)
{
    unsigned class_ = 0;
    while (sizes[class_] <= size)
        class_++;
    return class_;
}

static int new_slots(unsigned class_)
{
    bool is_zero;
    int at = take_units(1, &is_zero);
    if (at < 0)
        return -1;
    *record((unsigned)at) = (struct unit){ .use = UNIT_SLOTS,
                                           .class_ = (uint8_t)class_,
                                           .is_listed = true,
                                           .next = rooms[class_],
                                           .fresh = UINT64_MAX >> (64 - UNIT / sizes[class_]) };
    rooms[class_] = (uint32_t)at;
    return at;
}

/* -1: the unit is full. */
static int pick_slot(struct unit *unit)
{
    if (unit->fresh == 0) {
        unit->fresh = unit->freed;
        unit->freed = 0;
    }
    if (unit->fresh == 0)
        return -1;
    int slot = __builtin_ctzll(unit->fresh);
    unit->fresh &= unit->fresh - 1;
    return slot;
}

static unsigned char *guard_of(const struct unit *unit, const void *at)
{
    return (unsigned char *)(uintptr_t)at + sizes[unit->class_] - 1;
}

static void *take_slot(size_t size)
{
    unsigned class_ = class_of(size);
    if (region_count == 0 && !add_region())
        return NULL;
    for (;;) {
        int at = rooms[class_] != NONE ? (int)rooms[class_] : new_slots(class_);
        int slot = at < 0 ? -1 : pick_slot(record((unsigned)at));
        if (slot >= 0) {
            char *block = unit_address((unsigned)at) + (size_t)slot * sizes[class_];
            block[sizes[class_] - 1] = GUARD;
            return block;
        }
        if (at < 0)
            return NULL;
        /* Full: back on the list when a slot of it is freed. */
        record((unsigned)at)->is_listed = false;
        rooms[class_] = record((unsigned)at)->next;
    }
}

/* Which slot of its unit, as a bit; ends the program if it is none that is in use, or somebody has written behind it. */
static uint64_t slot_of(const struct unit *unit, const void *at)
{
    unsigned offset = (unsigned)((uintptr_t)at % UNIT), slot = offset / sizes[unit->class_];
    uint64_t bit = UINT64_C(1) << slot;
    if (offset % sizes[unit->class_] != 0 || slot >= UNIT / sizes[unit->class_] ||
        ((unit->fresh | unit->freed) & bit) != 0 || *guard_of(unit, at) != GUARD)
        __builtin_trap();
    return bit;
}

/* A unit stays with its size: what was asked for once is asked for again. */
static void give_slot(unsigned at, const void *block)
{
    struct unit *unit = record(at);
    unit->freed |= slot_of(unit, block);
    if (unit->is_listed)
        return;
    unit->is_listed = true;
    unit->next = rooms[unit->class_];
    rooms[unit->class_] = at;
}

/* ---- mappings of their own ---- */

static void *take_mapping(size_t size)
{
    unsigned i = 0;
    while (i < MAPPINGS && mappings[i].at != NULL)
        i++;
    if (i == MAPPINGS || size > PTRDIFF_MAX - UNIT)
        return NULL;
    void *at = map(size);
    if (at == NULL)
        return NULL;
    mappings[i].at = at;
    mappings[i].size = size;
    return at;
}

static unsigned mapping_of(const void *at)
{
    for (unsigned i = 0; i < MAPPINGS; i++)
        if (mappings[i].at == at)
            return i;
    __builtin_trap();
}

/* ---- what the C library calls so ---- */

static void *take(size_t size, bool *ret_is_zero)
{
    void *at;
    *ret_is_zero = false;
    if (size < LARGEST_SLOT) {
        at = take_slot(size);
    } else if (size <= LARGEST_RUN) {
        at = take_run(size, ret_is_zero);
    } else {
        at = take_mapping(size);
        *ret_is_zero = true;
    }
    if (at == NULL)
        errno = ENOMEM;
    return at;
}

/* allowed: this is it */
void *malloc(size_t size)
{
    bool is_zero;
    return take(size, &is_zero);
}

/* allowed: this is it */
void *calloc(size_t nmemb, size_t size)
{
    size_t whole;
    bool is_zero;
    if (__builtin_mul_overflow(nmemb, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    void *at = take(whole, &is_zero);
    return at == NULL || is_zero ? at : memset(at, 0, whole);
}

void free(void *ptr)
{
    int unit = ptr == NULL ? -1 : unit_of(ptr);
    if (ptr == NULL)
        return;
    if (unit < 0) {
        unsigned i = mapping_of(ptr);
        int code = errno; /* free leaves it alone */
        (void)munmap(ptr, mappings[i].size);
        errno = code;
        mappings[i].at = NULL;
    } else if (record((unsigned)unit)->use == UNIT_SLOTS) {
        give_slot((unsigned)unit, ptr);
    } else if (record((unsigned)unit)->use == UNIT_RUN && (uintptr_t)ptr % UNIT == 0) {
        give_run((unsigned)unit);
    } else {
        __builtin_trap();
    }
}

/* How much there is at a block; ends the program if it is none. */
static size_t room_of(const void *at)
{
    int unit = unit_of(at);
    if (unit < 0)
        return mappings[mapping_of(at)].size;
    if (record((unsigned)unit)->use == UNIT_SLOTS) {
        (void)slot_of(record((unsigned)unit), at);
        return sizes[record((unsigned)unit)->class_] - 1u;
    }
    if (record((unsigned)unit)->use != UNIT_RUN || (uintptr_t)at % UNIT != 0)
        __builtin_trap();
    return (size_t)record((unsigned)unit)->count * UNIT - 1;
}

/* allowed: this is it */
void *realloc(void *ptr, size_t size)
{
    size_t room = ptr == NULL ? 0 : room_of(ptr);
    if (ptr != NULL && size <= room && size > room / 4) /* it may well grow again */
        return ptr;
    bool is_zero;
    void *other = take(size, &is_zero);
    if (other == NULL || ptr == NULL)
        return other;
    memcpy(other, ptr, size < room ? size : room);
    free(ptr);
    return other;
}

/* allowed: this is it. The C library has others of this family, and they come here. */
void *aligned_alloc(size_t alignment, size_t size)
{
    bool is_zero;
    if (alignment <= SMALLEST)
        return take(size, &is_zero);
    if (alignment > UNIT || (alignment & (alignment - 1)) != 0 || size > LARGEST_RUN) {
        errno = alignment > UNIT || size > LARGEST_RUN ? ENOMEM : EINVAL;
        return NULL;
    }
    if (region_count == 0 && !add_region())
        return NULL;
    void *at = take_run(size, &is_zero);
    if (at == NULL)
        errno = ENOMEM;
    return at;
}
