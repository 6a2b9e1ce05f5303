/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche run --explain, --step: a start as it happens, step by step, on standard error.
 *
 *   cloche                      watcher (a fork of ours)          parent and init
 *   ------                      ------------------------          ---------------
 *   forks the watcher
 *   starts the container        prints each step         <-----  wire/trace.h
 *                               --step: asks             ----->  one byte: go on, or stop
 *   waits for the watcher       ends at the end of file
 *   relays the output
 *
 * A process of its own, because the command waits for the start meanwhile. It has no part in the container: without it, a start that does not ask goes
 * on, and one that asks is stopped.
 */
#include "cli/explain.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "wire/trace.h"

#define TIME_CELLS 10
#define STEP_CELLS 29
#define TEXT_CELLS 38 /* with the blanks between: 79 */

struct watcher {
    int fd;
    bool is_step, is_chinese, has_unheard;
    pid_t init;
    struct wire_trace early[64]; /* of init, before its parent has told its pid */
    size_t early_count;
    unsigned count;
    double total_ms;
};

static bool wants_chinese(void)
{
    static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    for (size_t i = 0; i < CL_COUNT(variables); i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && value[0] != '\0')
            return cl_starts_with(value, "zh_TW") || cl_starts_with(value, "zh_Hant");
    }
    return false;
}

/* ---- cells ---- */

/* One character of our own texts: its bytes, and how many cells it takes. */
static size_t character(const char *text, unsigned *ret_cells)
{
    unsigned char first = (unsigned char)text[0];
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    *ret_cells = size >= 3 ? 2 : 1; /* of what is here, all of three bytes is wide */
    return size;
}

/* Closing marks do not begin a line. */
static bool may_begin_line(const char *text)
{
    static const char *const marks[] = { "。", ",", "、", ":", ";", ")" };
    for (size_t i = 0; i < CL_COUNT(marks); i++)
        if (cl_starts_with(text, marks[i]))
            return false;
    return true;
}

/* How much of text goes into a line; *ret_next: where the next one begins. Breaks at blanks, and beside wide characters. */
static size_t take_line(const char *text, unsigned room, size_t *ret_next, unsigned *ret_cells)
{
    unsigned used = 0, cells = 0, best_cells = 0;
    size_t at = 0, best = 0;
    while (text[at] != '\0') {
        size_t size = character(text + at, &cells);
        if (text[at] == ' ' || (cells == 2 && may_begin_line(text + at))) {
            best = at;
            best_cells = used;
        }
        if (used + cells > room)
            break;
        at += size;
        used += cells;
    }
    if (text[at] == '\0' || best == 0) {
        best = at;
        best_cells = used;
    }
    *ret_next = best + strspn(text + best, " ");
    *ret_cells = best_cells;
    return best;
}

static void print_cell(const char **text, unsigned room)
{
    size_t next;
    unsigned cells;
    size_t size = take_line(*text, room, &next, &cells);
    (void)fprintf(stderr, "%.*s%*s", (int)size, *text, (int)(room - cells), "");
    *text += next;
}

/* Step and, below it, its calls on the left, the sentence on the right. */
static void print_row(const char *time, const char *step, const char *calls, const char *text)
{
    bool is_first = true;
    while (is_first || *step != '\0' || *calls != '\0' || *text != '\0') {
        unsigned cells;
        (void)character(time, &cells);
        int pad = TIME_CELLS -
                  (cells == 2 && time[0] != '\0' ? (int)strlen(time) / 3 * 2 : (int)strlen(time));
        (void)fprintf(stderr, "%*s%s ", pad, "", time);
        print_cell(*step != '\0' ? &step : &calls, STEP_CELLS);
        (void)fputc(' ', stderr);
        size_t next;
        size_t size = take_line(text, TEXT_CELLS, &next, &cells);
        (void)fprintf(stderr, "%.*s\n", (int)size, text);
        text += next;
        time = "";
        is_first = false;
    }
}

/* ---- steps ---- */

static void show(const struct watcher *watcher, const struct wire_trace *packet)
{
    char time[32];
    const struct runtime_step *step = runtime_step_find(packet->name);
    (void)CL_PRINT(time, "%.3f ms", (double)packet->ns / 1e6); /* fits */
    if (packet->type != WIRE_TRACE_END)                        /* one that has no end to be told */
        time[0] = '\0';
    const char *text = step == NULL ? "" : watcher->is_chinese ? step->chinese : step->english;
    print_row(time, packet->name, step == NULL ? "" : step->calls, text);
}

/* Not more than the line: what follows is the program's. */
static char read_word(void)
{
    char first = '\n', byte;
    bool is_first = true;
    for (;;) {
        if (read(STDIN_FILENO, &byte, 1) != 1)
            return 'q'; /* the terminal is gone */
        if (is_first)
            first = byte;
        is_first = false;
        if (byte == '\n')
            return first == 'Q' ? 'q' : first;
    }
}

static void ask(const struct watcher *watcher, const struct wire_trace *packet)
{
    bool is_chinese = watcher->is_chinese;
    int init = (int)watcher->init;
    const struct runtime_step *step = runtime_step_find(packet->name);
    (void)fprintf(stderr, is_chinese ? "下一步:%s\n" : "next: %s\n", packet->name);
    if (step != NULL)
        print_row("", step->calls, "", is_chinese ? step->chinese : step->english);
    if (init <= 0)
        (void)fputs(is_chinese ? "容器還沒有任何行程。\n" : "The container has no process yet.\n",
                    stderr);
    else
        (void)fprintf(stderr,
                      is_chinese ? "它的第一個行程是 %d。可以在另一個終端機執行:\n"
                                   "  cloche view %d\n  ls -l /proc/%d/ns\n"
                                 : "Its first process is %d. In a second terminal:\n"
                                   "  cloche view %d\n  ls -l /proc/%d/ns\n",
                      init, init, init);
    (void)fputs(is_chinese ? "[Enter 繼續,q 停止] " : "[Enter goes on, q stops] ", stderr);
    (void)fflush(stderr);
    char word = read_word();
    (void)send(watcher->fd, &word, 1, MSG_NOSIGNAL); /* a start that is over hears nothing */
}

/* What its filter will not let it tell. */
static void show_unheard(struct watcher *watcher, const struct wire_trace *packet)
{
    if (!watcher->is_step) {
        show(watcher, packet);
        return;
    }
    if (!watcher->has_unheard)
        (void)fputs(watcher->is_chinese ? "系統呼叫過濾器不准它再回報,接下來的步驟不會停下來:\n"
                                        : "Its filter of system calls forbids it to tell more. It "
                                          "will not stop before:\n",
                    stderr);
    watcher->has_unheard = true;
    (void)fprintf(stderr, "  %s\n", packet->name);
}

static void take(struct watcher *watcher, const struct wire_trace *packet)
{
    if (packet->type == WIRE_TRACE_UNHEARD) {
        show_unheard(watcher, packet);
        return;
    }
    if (packet->type == WIRE_TRACE_BEGIN) {
        /* The last step's end is not told: the program has taken over by then. */
        if (!watcher->is_step && strcmp(packet->name, "execute") == 0)
            show(watcher, packet);
        if (watcher->is_step)
            ask(watcher, packet);
        return;
    }
    if (packet->pid > 0)
        watcher->init = packet->pid;
    watcher->count++;
    watcher->total_ms += (double)packet->ns / 1e6;
    if (watcher->is_step)
        (void)fprintf(stderr, watcher->is_chinese ? "完成,%.3f 毫秒\n\n" : "done in %.3f ms\n\n",
                      (double)packet->ns / 1e6);
    else
        show(watcher, packet);
}

/* Init runs while its parent still counts the making of its namespaces: that step comes first. */
static void take_early(struct watcher *watcher)
{
    for (size_t i = 0; i < watcher->early_count; i++)
        take(watcher, &watcher->early[i]);
    watcher->early_count = 0;
}

static _Noreturn void watch(int fd, bool is_step)
{
    struct watcher watcher = { .fd = fd, .is_step = is_step, .is_chinese = wants_chinese() };
    struct wire_trace packet;
    sigset_t none;
    /* What the command holds back for the container is ours to die of: then a start that asks is stopped. */
    (void)sigemptyset(&none);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (!is_step)
        print_row(watcher.is_chinese ? "時間" : "TIME", watcher.is_chinese ? "步驟" : "STEP", "",
                  watcher.is_chinese ? "做什麼" : "WHAT IT DOES");
    while (recv(fd, &packet, sizeof packet, 0) == (ssize_t)sizeof packet) {
        packet.name[sizeof packet.name - 1] = '\0';
        bool is_early = packet.is_init != 0 && watcher.init == 0 &&
                        watcher.early_count < CL_COUNT(watcher.early);
        if (is_early)
            watcher.early[watcher.early_count++] = packet;
        else
            take(&watcher, &packet);
        if (watcher.init != 0)
            take_early(&watcher);
    }
    take_early(&watcher);
    (void)fprintf(stderr, watcher.is_chinese ? "共 %u 步,%.1f 毫秒\n" : "%u steps, %.1f ms\n",
                  watcher.count, watcher.total_ms);
    (void)fflush(stderr);
    _exit(0);
}

int cli_explain_begin(bool is_step, struct cli_explain *ret, struct cl_error *err)
{
    cl_auto_fd ours = -EBADF, theirs = -EBADF;
    if (is_step && (!cli_is_terminal(STDIN_FILENO) || !cli_is_terminal(STDERR_FILENO)))
        return cl_fail_kind(err, CL_KIND_USAGE, ENOTTY,
                            "--step asks before each step, so it needs a terminal; --explain does "
                            "not");
    int result = cl_socketpair(SOCK_SEQPACKET, &ours, &theirs);
    if (result < 0)
        return cl_fail(err, result, "make a socket pair");
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return cl_fail(err, errno, "start what explains the steps");
    if (pid == 0) {
        (void)cl_close(ours); /* or its end of file would never come */
        watch(theirs, is_step);
    }
    ret->pid = pid;
    ret->fd = cl_take_fd(&ours);
    return 0;
}

void cli_explain_end(struct cli_explain *explain)
{
    int status;
    if (explain->pid <= 0)
        return;
    explain->fd = cl_close(explain->fd);
    (void)k_wait_pid(explain->pid, 0,
                     &status); /* however it ended: it has said what it had to say */
    explain->pid = 0;
}
