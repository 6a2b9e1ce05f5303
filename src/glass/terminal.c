/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ncurses draws the differences, knows the terminals, and turns byte sequences into keys; what is drawn comes from screen.c.
 *
 * A handler of a deadly signal can't call ncurses (it allocates and locks), so that the bytes that put the terminal right are made at the start
 * and only written there, before the signal does what it would have done anyway.
 */
#include "glass/terminal.h"

#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <term.h>
#include <termios.h>
#include <wchar.h>

enum { ESCAPE_DELAY_MS = 25, RESTORE_MAX = 256, STACK_SIZE = 1 << 16, MOUSE_MAX = 16 };

static struct {
    SCREEN *screen;
    bool is_utf8, has_colours;
    struct termios before;
    char restore
        [RESTORE_MAX]; /* leaves the alternate screen, shows the cursor, ends mouse reports */
    size_t restore_size;
    char *stack;
    struct glass_event mouse[MOUSE_MAX]; /* reports that came together, the latest first */
    size_t mouse_count;
} terminal;

/* ---- the way out of a signal ---- */

static const int deadly_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV,
                                      SIGBUS, SIGFPE,  SIGILL, SIGABRT };

static void on_deadly_signal(int number)
{
    (void)!write(STDOUT_FILENO, terminal.restore, terminal.restore_size);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
    (void)signal(number, SIG_DFL);
    (void)raise(
        number); /* blocked until the handler returns; then it ends us, with its own exit status */
}

static int put_restore(int byte)
{
    if (terminal.restore_size < RESTORE_MAX)
        terminal.restore[terminal.restore_size++] = (char)byte;
    return byte;
}

static void prepare_restore(void)
{
    static const char *const capabilities[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup" };
    terminal.restore_size = 0;
    const char *mouse = tigetstr("kmous");
    if (mouse != NULL && mouse != (char *)-1)
        for (const char *at = "\033[?1006l\033[?1000l"; *at != '\0'; at++)
            (void)put_restore(*at);
    for (size_t i = 0; i < CL_COUNT(capabilities); i++) {
        const char *text = tigetstr(capabilities[i]);
        if (text != NULL && text != (char *)-1)
            (void)tputs(text, 1, put_restore);
    }
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_deadly_signal, .sa_flags = SA_ONSTACK };
    struct sigaction now;
    terminal.stack = cl_malloc(STACK_SIZE); /* a crash may be one of the stack */
    const stack_t stack = { .ss_sp = terminal.stack, .ss_size = STACK_SIZE };
    if (terminal.stack != NULL)
        (void)sigaltstack(&stack, NULL);
    (void)sigfillset(&action.sa_mask);
    for (size_t i = 0; i < CL_COUNT(deadly_signals); i++)
        if (sigaction(deadly_signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            (void)sigaction(deadly_signals[i], &action, NULL);
}

static void release_signals(void)
{
    const stack_t none = { .ss_flags = SS_DISABLE };
    for (size_t i = 0; i < CL_COUNT(deadly_signals); i++) {
        struct sigaction now;
        if (sigaction(deadly_signals[i], NULL, &now) == 0 && now.sa_handler == on_deadly_signal)
            (void)signal(deadly_signals[i], SIG_DFL);
    }
    (void)sigaltstack(&none, NULL);
    free(terminal.stack);
    terminal.stack = NULL;
}

/* ---- opening ---- */

/* Colours by number of what the terminal has; 0 is its own foreground. Blue on black comes late: it is hard to read. */
static void make_colours(bool is_monochrome)
{
    static const short eight[GLASS_HUE_COUNT] = {
        0, COLOR_RED, COLOR_CYAN, COLOR_GREEN, COLOR_CYAN, COLOR_YELLOW, COLOR_MAGENTA, COLOR_BLUE
    };
    /* Mid-tones, which can be read on black and on white. */
    static const short many[GLASS_HUE_COUNT] = { 0,   167, 37,  71, 38, 172, 134, 68,
                                                 168, 107, 136, 73, 98, 131, 66 };
    terminal.has_colours = !is_monochrome && has_colors() && start_color() == OK;
    if (!terminal.has_colours)
        return;
    (void)use_default_colors();
    for (short hue = 1; hue < (short)GLASS_HUE_COUNT; hue++) {
        short few = hue < 8 ? eight[hue] : eight[GLASS_HUE_FIRST + (hue - 8) % 5];
        (void)init_pair(hue, COLORS >= 256 ? many[hue] : few, -1);
    }
}

static int start(const char *term, struct cl_error *err)
{
    int known = 0;
    if (setupterm(term, STDOUT_FILENO, &known) != OK)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOTTY,
                            "the terminal \"%s\" is unknown: set TERM to one that terminfo has, as "
                            "vt100 or xterm",
                            term);
    const char *move = tigetstr("cup");
    if (move == NULL || move == (char *)-1)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOTTY,
                            "the terminal \"%s\" can't move its cursor: use 'cloche lsns' and "
                            "'cloche view' there",
                            term);
    terminal.screen = newterm(term, stdout, stdin);
    return terminal.screen == NULL ? cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOTTY,
                                                  "can't use the terminal \"%s\"", term)
                                   : 0;
}

/* Presses; but reports that come together are joined to clicks all the same. */
#define CLICKS (BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED | BUTTON1_TRIPLE_CLICKED)

static void set_modes(void)
{
    (void)set_term(terminal.screen);
    (void)cbreak(); /* ^C and ^Z stay signals */
    (void)noecho();
    (void)nonl();
    (void)curs_set(0);
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)set_escdelay(ESCAPE_DELAY_MS);
    (void)mouseinterval(0); /* double clicks are told by state.c */
    (void)mousemask(CLICKS | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
}

int glass_terminal_open(const struct glass_terminal_options *options, struct cl_error *err)
{
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
        return cl_fail_kind(
            err, CL_KIND_USAGE, ENOTTY,
            "glass needs a terminal: use 'cloche lsns' or 'cloche view' in scripts");
    if (tcgetattr(STDIN_FILENO, &terminal.before) < 0)
        return cl_fail(err, errno, "read the settings of the terminal");
    terminal.is_utf8 = !options->is_ascii && setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    int code = start(options->name, err);
    if (code < 0)
        return code;
    prepare_restore();
    catch_signals();
    set_modes();
    make_colours(options->is_monochrome);
    return 0;
}

void glass_terminal_close(void)
{
    if (terminal.screen == NULL)
        return;
    (void)endwin();
    release_signals();
    delscreen(terminal.screen);
    terminal.screen = NULL;
}

bool glass_terminal_is_utf8(void)
{
    return terminal.is_utf8;
}

void glass_terminal_size(unsigned *ret_width, unsigned *ret_height)
{
    *ret_width = COLS > 0 ? (unsigned)COLS : 1;
    *ret_height = LINES > 0 ? (unsigned)LINES : 1;
}

/* ---- showing ---- */

static attr_t attributes_of(const struct glass_style *style)
{
    attr_t attributes = A_NORMAL;
    attributes |= (style->attributes & GLASS_BOLD) != 0 ? A_BOLD : 0;
    attributes |= (style->attributes & GLASS_DIM) != 0 ? A_DIM : 0;
    attributes |= (style->attributes & GLASS_REVERSE) != 0 ? A_REVERSE : 0;
    attributes |= (style->attributes & GLASS_UNDERLINE) != 0 ? A_UNDERLINE : 0;
    if (terminal.has_colours && COLORS < 256 && style->hue >= 8)
        attributes |= A_BOLD; /* the same colours once more */
    return attributes;
}

/* ncurses counts cells by wcwidth(3), which may know another Unicode than we do: then a question mark keeps the columns. */
static void to_curses(const struct glass_cell *cell, cchar_t *ret)
{
    wchar_t text[CL_COUNT(cell->points) + 1] = { 0 };
    size_t used = 0;
    bool is_agreed = terminal.is_utf8 ? wcwidth((wchar_t)cell->points[0]) == cell->cells
                                      : cell->points[0] < 0x80;
    text[used++] = is_agreed ? (wchar_t)cell->points[0] : L'?';
    for (size_t i = 1; is_agreed && i < CL_COUNT(cell->points); i++)
        if (cell->points[i] != 0 && wcwidth((wchar_t)cell->points[i]) == 0)
            text[used++] = (wchar_t)cell->points[i];
    short pair = terminal.has_colours ? (short)cell->style.hue : 0;
    (void)setcchar(ret, text, attributes_of(&cell->style), pair, NULL);
}

void glass_terminal_show(const struct glass_screen *screen, bool repaint)
{
    if (repaint)
        (void)clearok(curscr, TRUE);
    (void)erase();
    for (unsigned y = 0; y < screen->height; y++)
        for (unsigned x = 0; x < screen->width; x++) {
            const struct glass_cell *cell = &screen->cells[(size_t)y * screen->width + x];
            cchar_t character;
            if (cell->cells == 0)
                continue;
            to_curses(cell, &character);
            /* add_wchnstr moves no cursor, so that the last cell of the last line does not scroll. */
            (void)mvadd_wchnstr((int)y, (int)x, &character, 1);
        }
    (void)refresh();
}

/* ---- reading ---- */

static const struct {
    wint_t curses;
    uint32_t key;
} special_keys[] = {
    { KEY_UP, GLASS_KEY_UP },         { KEY_DOWN, GLASS_KEY_DOWN },
    { KEY_LEFT, GLASS_KEY_LEFT },     { KEY_RIGHT, GLASS_KEY_RIGHT },
    { KEY_PPAGE, GLASS_KEY_PAGE_UP }, { KEY_NPAGE, GLASS_KEY_PAGE_DOWN },
    { KEY_HOME, GLASS_KEY_HOME },     { KEY_END, GLASS_KEY_END },
    { KEY_ENTER, GLASS_KEY_ENTER },   { KEY_BACKSPACE, GLASS_KEY_BACKSPACE },
    { KEY_DC, GLASS_KEY_BACKSPACE },  { KEY_RESIZE, GLASS_KEY_RESIZE },
};

static void push_mouse(uint32_t key, const MEVENT *mouse)
{
    if (key == 0 || terminal.mouse_count == MOUSE_MAX)
        return;
    terminal.mouse[terminal.mouse_count++] =
        (struct glass_event){ .key = key,
                              .x = mouse->x < 0 ? 0 : (unsigned)mouse->x,
                              .y = mouse->y < 0 ? 0 : (unsigned)mouse->y };
}

/* For several reports there is one KEY_MOUSE, and getmouse() begins with the latest. */
static void take_mouse(void)
{
    MEVENT mouse;
    while (getmouse(&mouse) == OK) {
        bool is_double = (mouse.bstate & (BUTTON1_DOUBLE_CLICKED | BUTTON1_TRIPLE_CLICKED)) != 0;
        push_mouse((mouse.bstate & CLICKS) != 0            ? GLASS_KEY_CLICK
                   : (mouse.bstate & BUTTON4_PRESSED) != 0 ? GLASS_KEY_WHEEL_UP
                   : (mouse.bstate & BUTTON5_PRESSED) != 0 ? GLASS_KEY_WHEEL_DOWN
                                                           : 0,
                   &mouse);
        if (is_double)
            push_mouse(GLASS_KEY_CLICK, &mouse);
    }
}

static void take_special(wint_t key, struct glass_event *ret)
{
    for (size_t i = 0; i < CL_COUNT(special_keys); i++)
        if (special_keys[i].curses == key)
            ret->key = special_keys[i].key;
    if (key == KEY_RESIZE)
        glass_terminal_size(&ret->x, &ret->y);
}

static void take_character(wint_t key, struct glass_event *ret)
{
    ret->key = key == '\r' || key == '\n' ? GLASS_KEY_ENTER
               : key == 27                ? GLASS_KEY_ESCAPE
               : key == 8 || key == 127   ? GLASS_KEY_BACKSPACE
                                          : (uint32_t)key;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool glass_terminal_read(struct glass_event *ret)
{
    *ret = (struct glass_event){ 0 };
    while (ret->key == 0 && terminal.mouse_count == 0) {
        wint_t key = 0;
        int kind = get_wch(&key);
        if (kind == ERR)
            return false;
        if (kind == KEY_CODE_YES && key == KEY_MOUSE)
            take_mouse();
        else if (kind == KEY_CODE_YES)
            take_special(key, ret);
        else
            take_character(key, ret);
    }
    if (ret->key == 0)
        *ret = terminal.mouse[--terminal.mouse_count];
    ret->when_ms = now_ms();
    return true;
}
