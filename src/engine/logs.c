/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a container's log: the json-file lines that its monitor writes, through rotations, and on while it runs.
 *
 * Following waits for inotify on the container's directory and for the monitor's socket; it does not poll. A rotation is noticed by the name's inode: the old
 * file is read to its end before the new one is opened, so no line is lost or doubled.
 */
#include "engine/engine_private.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES                                                                             \
    (256 * 1024) /* a 16 KiB piece of output, every byte escaped, is about 100 KiB */
#define ROTATED_MAX 9

struct log_reader {
    const struct engine_logs *request;
    int dir, fd;
    int64_t skip;          /* lines still to be left out, for tail */
    struct cl_buf pending; /* the beginning of a line whose end is not written yet */
    bool stopped;
};

typedef int line_function(struct log_reader *reader, const char *line, size_t size);

/* Hand every complete line to `each`. The rest stays in pending. */
static int split_lines(struct log_reader *reader, const char *data, size_t size,
                       line_function *each)
{
    int result = 0;
    while (size > 0 && result >= 0 && !reader->stopped) {
        const char *end = memchr(data, '\n', size);
        size_t length = end == NULL ? size : (size_t)(end - data) + 1;
        cl_buf_add(&reader->pending, data, length);
        if (reader->pending.failed < 0)
            return reader->pending.failed;
        if (end != NULL) {
            result = each(reader, reader->pending.data, reader->pending.size);
            reader->pending.size = 0;
        }
        data += length;
        size -= length;
    }
    return result;
}

static int read_to_end(struct log_reader *reader, int fd, line_function *each)
{
    char chunk[32768];
    for (;;) {
        ssize_t size = read(fd, chunk, sizeof chunk);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0 || reader->stopped)
            return size < 0 ? -errno : 0;
        int result = split_lines(reader, chunk, (size_t)size, each);
        if (result < 0)
            return result;
    }
}

static int count_line(struct log_reader *reader, const char *line, size_t size)
{
    reader->skip++;
    return 0;
}

/* A line that can't be parsed was cut by a crash: left out. */
static int show_line(struct log_reader *reader, const char *line, size_t size)
{
    const struct engine_logs *request = reader->request;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    int64_t time_ns = 0;
    if (reader->skip > 0) {
        reader->skip--;
        return 0;
    }
    if (cl_json_parse(line, size, LINE_MAX_BYTES, &json, NULL) < 0)
        return 0;
    const char *text = cl_json_string_or(cl_json_get(json, "log"), "");
    bool is_stderr = cl_streq(cl_json_string(cl_json_get(json, "stream")), "stderr");
    (void)cl_parse_time(cl_json_string_or(cl_json_get(json, "time"), ""), &time_ns);
    if ((is_stderr ? !request->want_stderr : !request->want_stdout) ||
        (request->since_ns != 0 && time_ns < request->since_ns))
        return 0;
    if (request->until_ns != 0 && time_ns > request->until_ns) {
        reader->stopped = true;
        return 0;
    }
    if (request->line(request->context, is_stderr, time_ns, text, strlen(text)) != 0)
        reader->stopped = true;
    return 0;
}

/* Rotated files, oldest first, then the current one, whose fd stays open in the reader. */
static int read_files(struct log_reader *reader, line_function *each)
{
    int result = 0;
    for (int number = ROTATED_MAX; result >= 0 && number > 0; number--) {
        char name[96];
        (void)CL_PRINT(name, "%s.%d", WIRE_SETUP_LOG_NAME, number);
        cl_auto_fd fd = openat(reader->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0)
            result = read_to_end(reader, fd, each);
    }
    cl_close(reader->fd);
    reader->fd = openat(reader->dir, WIRE_SETUP_LOG_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (result < 0 || reader->fd < 0)
        return result; /* no log yet: nothing to show */
    return read_to_end(reader, reader->fd, each);
}

static bool was_rotated(const struct log_reader *reader)
{
    struct stat ours, named;
    if (fstatat(reader->dir, WIRE_SETUP_LOG_NAME, &named, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    return reader->fd < 0 || fstat(reader->fd, &ours) < 0 || ours.st_ino != named.st_ino;
}

/* What came since: the rest of the open file, and after a rotation the new one from its start. */
static int read_news(struct log_reader *reader)
{
    bool rotated = was_rotated(reader);
    int result = reader->fd < 0 ? 0 : read_to_end(reader, reader->fd, show_line);
    if (result < 0 || !rotated)
        return result;
    cl_close(reader->fd);
    reader->fd = openat(reader->dir, WIRE_SETUP_LOG_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return reader->fd < 0 ? 0 : read_to_end(reader, reader->fd, show_line);
}

static void drain(int fd)
{
    char events[4096];
    while (read(fd, events, sizeof events) > 0)
        ;
}

/* True when the monitor has gone (its log is complete then). */
static bool monitor_ended(int client)
{
    struct {
        struct wire_attach header;
        char payload[WIRE_PAYLOAD_MAX];
    } packet;
    ssize_t size = recv(client, &packet, sizeof packet, MSG_DONTWAIT);
    if (size < 0)
        return errno != EAGAIN && errno != EINTR;
    return size == 0 || packet.header.type == WIRE_EXIT;
}

static int follow(struct log_reader *reader, int client, int watch)
{
    bool ended = false;
    while (!ended && !reader->stopped) {
        struct pollfd ready[] = { { .fd = watch, .events = POLLIN },
                                  { .fd = client, .events = POLLIN } };
        if (poll(ready, CL_COUNT(ready), -1) < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        drain(watch);
        ended = ready[1].revents != 0 && monitor_ended(client);
        int result = read_news(reader);
        if (result < 0)
            return result;
    }
    return 0;
}

static int open_watch(const struct log_reader *reader)
{
    char path[64];
    cl_auto_fd watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    (void)CL_PRINT(path, "/proc/self/fd/%d", reader->dir);
    if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
        return -errno;
    return cl_take_fd(&watch);
}

static int run_reader(struct engine *engine, const struct engine_view *view,
                      struct log_reader *reader)
{
    cl_auto_fd client = -EBADF, watch = -EBADF;
    int result = 0;
    /* Connect and watch before the first read, so that nothing falls between reading and waiting. */
    if (reader->request->follow && engine_view_is_running(view)) {
        watch = open_watch(reader);
        if (watch < 0)
            return watch;
        (void)engine_connect(engine, view->row->id, 0, &client); /* ended just now: no following */
    }
    if (reader->request->tail >= 0) {
        result = read_files(reader, count_line);
        reader->pending.size = 0;
        reader->skip -= reader->request->tail;
    }
    if (result >= 0)
        result = read_files(reader, show_line);
    return result >= 0 && client >= 0 ? follow(reader, client, watch) : result;
}

int engine_container_logs(struct engine *engine, const char *reference,
                          const struct engine_logs *request, struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    char path[96];
    int result = engine_container_find(engine, reference, &view, err);
    if (result < 0)
        return result;
    if (cl_streq(view->config->log_driver, "none"))
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "container %s keeps no log: it was made with --log-driver none",
                            view->row->name);
    (void)CL_PRINT(path, "containers/%s", view->row->id);
    cl_auto_fd dir =
        openat(store_root_fd(engine->store), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0)
        return errno == ENOENT ? 0 : cl_fail(err, errno, "open %s", path); /* never started */
    struct log_reader reader = {
        .request = request, .dir = dir, .fd = -EBADF, .pending = CL_BUF_INIT(LINE_MAX_BYTES)
    };
    result = run_reader(engine, view, &reader);
    cl_close(reader.fd);
    cl_buf_done(&reader.pending);
    return result < 0 ? cl_fail(err, result, "read the log of container %s", view->row->name) : 0;
}
