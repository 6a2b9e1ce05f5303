/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the person sees and does: modes, cursor, filter, and what each key means. Pure: events go in, and what the caller has to do comes
 * out. keys.c has the table of keys, from which the help is made, too.
 */
#pragma once

#include "glass/layout.h"
#include "glass/rows.h"

enum glass_mode { GLASS_MODE_LIST, GLASS_MODE_FILTER, GLASS_MODE_VIEW, GLASS_MODE_HELP };

/* A character, or beyond Unicode: */
enum glass_key {
    GLASS_KEY_UP = 0x110000,
    GLASS_KEY_DOWN,
    GLASS_KEY_LEFT,
    GLASS_KEY_RIGHT,
    GLASS_KEY_PAGE_UP,
    GLASS_KEY_PAGE_DOWN,
    GLASS_KEY_HOME,
    GLASS_KEY_END,
    GLASS_KEY_ENTER,
    GLASS_KEY_ESCAPE,
    GLASS_KEY_BACKSPACE,
    GLASS_KEY_CLICK,
    GLASS_KEY_WHEEL_UP,
    GLASS_KEY_WHEEL_DOWN,
    GLASS_KEY_RESIZE, /* x, y: the new size */
};
struct glass_event {
    uint32_t key;
    unsigned x, y;   /* of the mouse */
    int64_t when_ms; /* any clock that does not go back */
};

/* What the caller has to do then. */
enum glass_effect {
    GLASS_NOTHING = 0,
    GLASS_QUIT = 1,
    GLASS_ROWS = 2,  /* the choice has changed: make the rows anew */
    GLASS_VIEW = 4,  /* fill the pager with the view of the selected process */
    GLASS_READ = 8,  /* bring the table up to date */
    GLASS_PAINT = 16 /* the terminal's content is spoilt: paint all of it */
};

/* Text to scroll in. */
struct glass_pager {
    char *text; /* owned; cut into lines in place */
    char **lines;
    size_t count, top;
    unsigned left;
    char title[300];
};

struct glass_state {
    enum glass_mode mode;
    struct glass_choice choice;
    struct glass_layout layout;
    struct glass_rows rows;
    size_t cursor, top; /* indexes of rows */
    unsigned left;      /* cells by which long command lines are shifted */
    bool is_frozen;
    pid_t selected_pid; /* what the cursor stays with */
    uint64_t selected_ticks;
    int64_t click_ms; /* of the last click, to tell a double click */
    pid_t click_pid;
    struct glass_pager pager;
    char message[480]; /* shown instead of the keys until the next key; "" */
};
void glass_state_done(struct glass_state *state);

unsigned glass_state_event(struct glass_state *state, const struct glass_event *event);
/* After every change of the table or the choice. The selected process stays under the cursor, and on the same line of the screen. */
int glass_state_rows(struct glass_state *state, const struct glass_world *world);
/* Put the cursor on this process; false: it is not shown. */
bool glass_state_select(struct glass_state *state, pid_t pid);
/* The row under the cursor, or NULL. */
const struct glass_row *glass_state_row(const struct glass_state *state);
void glass_state_resize(struct glass_state *state, unsigned width, unsigned height,
                        unsigned pid_digits);

/* Takes text; 0 or -ENOMEM. */
int glass_pager_set(struct glass_pager *pager, char *take_text);
void glass_pager_done(struct glass_pager *pager);

#define GLASS_SHIFT_MAX 8192
/* Lines of text that a pager shows. */
size_t glass_pager_height(const struct glass_layout *layout);

/* ---- inside the room: keys.c ---- */
/* What the list does at a key, or 0. */
unsigned glass_keys_list(struct glass_state *state, uint32_t key);
unsigned glass_keys_pager(struct glass_state *state, uint32_t key);
int glass_keys_help(struct glass_pager *pager);
void glass_state_move(struct glass_state *state, long by);
void glass_state_match(struct glass_state *state, bool is_forward);
