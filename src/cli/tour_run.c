/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tour's commands. Each is a child whose output comes through a pipe, so that it can be shown escaped (it names processes of others) and be
 * looked at by the stage. A signal to the tour reaches the child, too; the tour notes it, and cleans up.
 */
#include "cli/tour.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/wait.h>

enum { OUTPUT_MAX = 1 << 20, LINES_SHOWN = 30 };

/* ---- signals ---- */

static volatile sig_atomic_t is_interrupted;

static void note_signal(int signo)
{
    (void)signo;
    is_interrupted = 1;
}

bool tour_is_interrupted(void)
{
    return is_interrupted != 0;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

void tour_watch_signals(void)
{
    const struct sigaction note = { .sa_handler = note_signal }; /* no SA_RESTART: a read ends */
    struct sigaction before;
    for (size_t i = 0; i < CL_COUNT(signals); i++) {
        bool is_ignored = sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN;
        if (!is_ignored || signals[i] != SIGHUP) /* nohup stays in force */
            (void)sigaction(signals[i], &note, NULL);
    }
}

bool tour_wait_for_input(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    sigset_t held, before;
    int count = 0;
    (void)sigemptyset(&held);
    for (size_t i = 0; i < CL_COUNT(signals); i++)
        (void)sigaddset(&held, signals[i]);
    /* One that comes after the look at the flag would be slept over, were it not held until ppoll lets it in. */
    (void)sigprocmask(SIG_BLOCK, &held, &before);
    while (!tour_is_interrupted() && count <= 0)
        count = ppoll(&input, 1, NULL, &before);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return !tour_is_interrupted();
}

/* ---- showing ---- */

void tour_fact(const struct tour *tour, const char *fmt, ...)
{
    char fact[512];
    va_list arguments;
    va_start(arguments, fmt);
    (void)vsnprintf(fact, sizeof fact, fmt, arguments);
    va_end(arguments);
    cl_auto_free char *text = cl_escape_terminal(fact);
    (void)printf("%s%s%s %s\n", tour->is_colour ? "\033[32m" : "", tour->language->checked,
                 tour->is_colour ? "\033[0m" : "", text == NULL ? "" : text);
    (void)fflush(stdout);
}

/* As one would type it: what a shell would take apart is quoted. */
static void show_command(const struct tour *tour, const char *const *words)
{
    (void)printf("%s$", tour->is_colour ? "\033[1m" : "");
    for (size_t i = 0; words[i] != NULL; i++) {
        bool is_plain = words[i][0] != '\0' && strpbrk(words[i], " \t\n'\"&|;<>()$`\\*?#") == NULL;
        (void)printf(is_plain ? " %s" : " '%s'", words[i]);
    }
    (void)printf("%s\n", tour->is_colour ? "\033[0m" : "");
    (void)fflush(stdout);
}

static void show_output(const struct tour *tour, size_t most)
{
    size_t shown = 0, more = 0;
    for (const char *line = tour->output; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        cl_auto_free char *raw = cl_strndup(line, length);
        cl_auto_free char *text = cl_escape_terminal(raw);
        if (shown < most) {
            (void)printf("%s\n", text == NULL ? "" : text);
            shown++;
        } else {
            more++;
        }
        line += length + (line[length] == '\n');
    }
    if (more > 0) {
        (void)printf("%s %zu %s\n", tour->language->more[0], more, tour->language->more[1]);
    }
    (void)fflush(stdout);
}

/* ---- running ---- */

/* In the child; never returns. */
static void exec_program(const struct tour *tour, enum tour_how how, const char *const *words,
                         int output)
{
    const struct engine_options *engine = &tour->cli->engine_options;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(output, STDERR_FILENO);
    if ((how & TOUR_QUIET) != 0) { /* a second ^C does not stop the cleaning up */
        (void)signal(SIGINT, SIG_IGN);
        (void)signal(SIGHUP, SIG_IGN);
        (void)signal(SIGTERM, SIG_IGN);
    }
    (void)setenv("CLOCHE_ROOT", engine->root, 1);
    (void)setenv("CLOCHE_STATE", engine->state, 1);
    (void)setenv("CLOCHE_CGROUP_PARENT", engine->cgroup_parent, 1);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    char *const *vector = (char *const *)(uintptr_t)words;
    if (strcmp(words[0], "cloche") == 0)
        (void)execv("/proc/self/exe", vector);
    else
        (void)execvp(words[0], vector);
    _exit(127);
}

/* All of it, or the first OUTPUT_MAX bytes; a reader that stopped would let the child wait for ever. */
static int read_output(int fd, char **ret)
{
    cl_auto_free char *text = cl_malloc(OUTPUT_MAX + 1);
    char rest[4096];
    size_t size = 0;
    if (text == NULL)
        return -ENOMEM;
    for (;;) {
        bool is_full = size == OUTPUT_MAX;
        ssize_t got =
            is_full ? read(fd, rest, sizeof rest) : read(fd, text + size, OUTPUT_MAX - size);
        if (got < 0 && errno == EINTR)
            continue; /* the child has the signal, too, and ends */
        if (got <= 0)
            break;
        size += is_full ? 0 : (size_t)got;
    }
    text[size] = '\0';
    free(*ret);
    *ret = cl_take(text);
    return 0;
}

static int judge(const struct tour *tour, enum tour_how how, const char *const *words, int status,
                 struct cl_error *err)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (code == 0 || (how & TOUR_MAY_FAIL) != 0 || tour_is_interrupted())
        return code;
    return cl_fail_kind(err, CL_KIND_SYSTEM, EIO, "the command %s%s%s ended with exit status %d",
                        words[0], words[1] == NULL ? "" : " ", words[1] == NULL ? "" : words[1],
                        code);
}

int tour_command(struct tour *tour, enum tour_how how, const char *const *words,
                 struct cl_error *err)
{
    cl_auto_fd read_fd = -EBADF, write_fd = -EBADF;
    int status = 0;
    int code = cl_pipe(&read_fd, &write_fd);
    if (code < 0)
        return cl_fail(err, code, "run %s", words[0]);
    if ((how & TOUR_QUIET) == 0)
        show_command(tour, words);
    pid_t pid = fork();
    if (pid < 0)
        return cl_fail(err, errno, "run %s", words[0]);
    if (pid == 0)
        exec_program(tour, how, words, write_fd);
    write_fd = cl_close(write_fd);
    code = read_output(read_fd, &tour->output);
    int waited = k_wait_pid(pid, 0, &status);
    if (code < 0 || waited < 0)
        return cl_fail(err, code < 0 ? code : waited, "run %s", words[0]);
    if ((how & TOUR_QUIET) == 0)
        show_output(tour, (how & TOUR_LONG) != 0 ? SIZE_MAX : LINES_SHOWN);
    return judge(tour, how, words, status, err);
}
