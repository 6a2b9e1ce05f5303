/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where errors, warnings and debug output go: an error always to standard error, and all of it to --log, which is a file (runc's, crun's), or, as
 * crun has it, "syslog:NAME" or "journald:NAME".
 *
 * Nothing stays open between two entries: no descriptor of ours is then in the way of those that a container is to inherit.
 */
#include "ocicli/private.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#define ENTRY_MAX 16384

static const char *const level_names[] = { "error", "warning", "debug" };
static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_DEBUG }; /* syslog.h's */

static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
    return fd < 0 ? -errno : fd;
}

void log_target(struct ocicli *cli, const char *text)
{
    static const struct {
        const char *prefix;
        enum log_backend backend;
    } backends[] = {
        { "file:", LOG_TO_FILE },
        { "syslog:", LOG_TO_SYSLOG },
        { "journald:", LOG_TO_JOURNAL },
    };
    for (size_t i = 0; text != NULL && i < CL_COUNT(backends); i++)
        if (cl_starts_with(text, backends[i].prefix)) {
            cli->log_backend = backends[i].backend;
            text += strlen(backends[i].prefix);
        }
    cli->log_path = text != NULL && text[0] != '\0' ? text : NULL;
}

int log_check(struct ocicli *cli, struct cl_error *err)
{
    if (cli->log_path == NULL || cli->log_backend != LOG_TO_FILE)
        return 0;
    cl_auto_fd fd = open_file(cli->log_path);
    if (fd >= 0)
        return 0;
    int result = cl_fail(err, fd, "--log %s", cli->log_path);
    cli->log_path = NULL; /* once is enough */
    return result;
}

static void add_entry(struct cl_buf *line, bool is_json, const char *level, const char *text)
{
    char now[40];
    cl_format_time(cl_now_ns(), now);
    cl_buf_str(line, is_json ? "{\"level\":\"" : "time=\"");
    cl_buf_str(line, is_json ? level : now);
    cl_buf_printf(line, is_json ? "\",\"msg\":" : "\" level=%s msg=", level);
    cl_buf_json_string(line, text);
    if (is_json)
        cl_buf_printf(line, ",\"time\":\"%s\"}", now);
    cl_buf_char(line, '\n');
}

/* One datagram to whoever listens there. */
static int send_entry(const char *path, const struct cl_buf *entry)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (CL_PRINT(address.sun_path, "%s", path) < 0)
        return -ENAMETOOLONG;
    cl_auto_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || entry->failed < 0)
        return fd < 0 ? -errno : entry->failed;
    ssize_t size = sendto(fd, entry->data, entry->size, MSG_NOSIGNAL,
                          (const struct sockaddr *)&address, sizeof address);
    return size < 0 ? -errno : 0;
}

/* A value with a line feed would end there. */
static void add_line(struct cl_buf *entry, const char *text)
{
    for (; *text != '\0'; text++)
        cl_buf_char(entry, *text == '\n' ? ' ' : *text);
}

/* systemd-journald's own protocol: NAME=VALUE lines. */
static int to_journal(const struct ocicli *cli, int priority, const char *text)
{
    cl_auto_buf entry = CL_BUF_INIT(ENTRY_MAX);
    cl_buf_printf(&entry, "PRIORITY=%d\nSYSLOG_IDENTIFIER=", priority);
    add_line(&entry, cli->log_path);
    cl_buf_str(&entry, "\nMESSAGE=");
    add_line(&entry, text);
    cl_buf_char(&entry, '\n');
    return send_entry("/run/systemd/journal/socket", &entry);
}

static int to_syslog(const struct ocicli *cli, int priority, const char *text)
{
    cl_auto_buf entry = CL_BUF_INIT(ENTRY_MAX);
    cl_buf_printf(&entry, "<%d>", LOG_DAEMON | priority);
    add_line(&entry, cli->log_path);
    cl_buf_printf(&entry, "[%d]: ", (int)getpid());
    add_line(&entry, text);
    return send_entry("/dev/log", &entry);
}

static int to_file(const struct ocicli *cli, const char *level, const char *text)
{
    cl_auto_buf line = CL_BUF_INIT(ENTRY_MAX);
    cl_auto_fd fd = open_file(cli->log_path);
    add_entry(&line, cli->log_json, level, text);
    if (fd < 0)
        return fd;
    ssize_t size = line.failed < 0 ? line.failed : cl_write_full(fd, line.data, line.size);
    return size < 0 ? (int)size : 0;
}

void log_write(const struct ocicli *cli, enum log_level level, const char *text)
{
    if (level > cli->log_most)
        return;
    if (level == LOG_LEVEL_ERROR || cli->log_path == NULL) {
        cl_auto_free char *safe = cl_escape_terminal(text);
        (void)fprintf(stderr, "cloche-runtime: %s%s%s\n",
                      level == LOG_LEVEL_ERROR ? "" : level_names[level],
                      level == LOG_LEVEL_ERROR ? "" : ": ", safe == NULL ? "out of memory" : safe);
    }
    if (cli->log_path == NULL)
        return;
    int result = cli->log_backend == LOG_TO_JOURNAL  ? to_journal(cli, priorities[level], text)
                 : cli->log_backend == LOG_TO_SYSLOG ? to_syslog(cli, priorities[level], text)
                                                     : to_file(cli, level_names[level], text);
    if (result < 0)
        (void)fprintf(stderr, "cloche-runtime: --log: write to %s: %s\n", cli->log_path,
                      cl_errno_text(result));
}

void log_warnings(const struct ocicli *cli, const char *const *warnings)
{
    for (const char *const *warning = warnings; warning != NULL && *warning != NULL; warning++)
        log_write(cli, LOG_LEVEL_WARNING, *warning);
}
