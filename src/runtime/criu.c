/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program criu as a child of ours that serves one request (`criu swrk 3`). It runs in our own namespaces, but for the mount namespace of a restore.
 *
 * Killed at any moment, we leave nothing undone: CRIU notices at its next message that nobody listens, and takes back what it has begun. So it never goes with us by a
 * signal, which would leave frozen processes behind.
 */
#include "runtime/criu.h"
#include "runtime/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define MINIMUM    31500 /* external pid namespaces, cgroup v2 */
#define SCRATCH_FD 64    /* from here on while descriptors are sorted */
#define LOG_MAX    (64 << 20)
#define LOG_LINES  3

char *criu_cut(char **at, const char *stop)
{
    char *word = *at;
    if (word == NULL || *word == '\0')
        return NULL;
    size_t length = strcspn(word, stop);
    *at = word[length] == '\0' ? NULL : word + length + 1;
    word[length] = '\0';
    return word;
}

/* ---- directories ---- */

static int open_place(const char *path, bool make, const char *flag, struct cl_error *err)
{
    int result = make ? cl_mkdir_p(AT_FDCWD, path, 0700, err) : 0;
    if (result < 0)
        return cl_error_prefix(err, "%s", flag);
    int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? cl_fail(err, errno, "%s %s", flag, path) : fd;
}

/* What criu writes by name in the directory that it works in, it opens through links (its log, and stats-dump or stats-restore): images are others' files at times. And an
   earlier log must not be quoted for what comes now. */
static int forget_earlier(int dir, const struct criu_places *places, struct cl_error *err)
{
    char stats[32];
    (void)CL_PRINT(stats, "stats-%.*s", (int)strcspn(places->log, "."), places->log);
    const char *const names[] = { places->log, stats };
    for (size_t i = 0; i < CL_COUNT(names); i++)
        if (unlinkat(dir, names[i], 0) < 0 && errno != ENOENT)
            return cl_fail(err, errno, "remove the old %s/%s", places->log_dir, names[i]);
    return 0;
}

int criu_places_open(struct criu_places *places, const struct runtime_criu *options,
                     const char *log, bool make_images, struct cl_error *err)
{
    *places = (struct criu_places)CRIU_PLACES_NONE;
    places->log = log;
    places->log_dir = options->work != NULL ? options->work : options->images;
    places->images = open_place(options->images, make_images, "--image-path", err);
    if (places->images >= 0 && options->work != NULL)
        places->work = open_place(options->work, true, "--work-path", err);
    int dir = options->work != NULL ? places->work : places->images;
    if (places->images < 0 || dir < 0)
        return places->images < 0 ? places->images : dir;
    if (log == NULL)
        return 0;
    int result = criu_images_check(places->images, err);
    if (result < 0)
        return cl_error_prefix(err, "--image-path %s", options->images);
    return forget_earlier(dir, places, err);
}

void criu_places_done(struct criu_places *places)
{
    places->images = cl_close(places->images);
    places->work = cl_close(places->work);
}

/* ---- start ---- */

/* Where a shell would find it. */
static int find_program(const char *wanted, char path[static PATH_MAX], struct cl_error *err)
{
    const char *list = cl_env_get((const char *const *)environ, "PATH");
    if (wanted != NULL) {
        int result = cl_print(path, PATH_MAX, "%s", wanted);
        return result < 0 || faccessat(AT_FDCWD, path, X_OK, 0) < 0
                   ? cl_fail(err, result < 0 ? result : errno, "--criu %s", wanted)
                   : 0;
    }
    if (list == NULL || list[0] == '\0')
        list = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ":");
        if (length > 0 && cl_print(path, PATH_MAX, "%.*s/criu", (int)length, at) >= 0 &&
            faccessat(AT_FDCWD, path, X_OK, 0) == 0)
            return 0;
        at += length + (at[length] == ':');
    }
    return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                        "the program criu is not installed (looked in %.200s): checkpoint and "
                        "restore are its work; install the package criu, or name it by --criu PATH",
                        list);
}

/* Sorted away from the places that they are to have, then into them. */
static int place_fds(const int *fds, size_t count)
{
    int scratch[CRIU_FIRST_FD + CRIU_FDS];
    for (size_t i = 0; i < count; i++) {
        scratch[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, SCRATCH_FD);
        if (scratch[i] < 0)
            return -errno;
    }
    for (size_t i = 0; i < count; i++)
        if (dup2(scratch[i], (int)i) < 0)
            return -errno;
    return 0; /* all others close themselves */
}

static int sort_fds(const struct criu_start *start, int socket, const struct criu_places *places)
{
    const struct runtime_io *io = start->io;
    bool has_streams = io != NULL && !io->terminal;
    cl_auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return -errno;
    int fds[CRIU_FIRST_FD + CRIU_FDS] = {
        has_streams ? io->in : null,       has_streams ? io->out : null,
        has_streams ? io->err : null,      [CRIU_SOCKET_FD] = socket,
        [CRIU_IMAGES_FD] = places->images, [CRIU_WORK_FD] = places->work,
    };
    for (size_t i = 0; i < start->fd_count; i++)
        fds[CRIU_FIRST_FD + i] = start->fds[i];
    return place_fds(fds, CRIU_FIRST_FD + start->fd_count);
}

struct birth {
    const struct criu_start *start;
    const char *program;
    int report; /* the child's end: our socket, or an error */
    bool is_in_group;
};

/* What CRIU writes beside the images (log, statistics) goes there, wherever it reads them. */
static int open_places(const struct criu_start *start, struct criu_places *places,
                       struct cl_error *err)
{
    int result = criu_places_open(places, start->options, NULL, false, err);
    if (result < 0)
        return result;
    if (places->work < 0)
        places->work = k_dup(places->images);
    if (places->work < 0)
        return cl_fail(err, places->work, "--image-path %s", start->options->images);
    if (start->images == NULL)
        return 0;
    (void)cl_close(places->images);
    places->images = open_place(start->images, false, "--image-path", err);
    return places->images;
}

/* CRIU looks for the directories at the descriptors of whoever made its socket; and they have to be of its own mount namespace, since it mounts in there. So the socket and
   they are made here, and our end of the socket is handed back. */
static int open_for_criu(const struct birth *birth, struct criu_places *places, int *ret_socket,
                         struct cl_error *err)
{
    static const struct cl_error none;
    cl_auto_fd ours = -EBADF;
    int result = open_places(birth->start, places, err);
    if (result < 0)
        return result;
    result = cl_socketpair(SOCK_SEQPACKET, &ours, ret_socket);
    if (result >= 0)
        result = (int)cl_send_fds(birth->report, &none, sizeof none, &ours, 1);
    return result < 0 ? cl_fail(err, result, "make a socket for criu") : 0;
}

static int become_criu(struct birth *birth, struct cl_error *err)
{
    const struct criu_start *start = birth->start;
    char *const words[] = { (char[]){ "criu" }, (char[]){ "swrk" }, (char[]){ "3" }, NULL };
    struct criu_places places = CRIU_PLACES_NONE;
    int socket = -EBADF;
    child_reset_signals();
    int result = start->group != NULL && start->group->count > 0
                     ? cgroup_join_self(start->group, !birth->is_in_group)
                     : 0;
    if (result < 0)
        return cl_fail(err, result, "move criu to cgroup %s", start->group->path);
    result = start->prepare != NULL ? start->prepare(start->context, err) : 0;
    if (result >= 0)
        result = open_for_criu(birth, &places, &socket, err);
    if (result < 0)
        return result;
    birth->report = fcntl(birth->report, F_DUPFD_CLOEXEC, SCRATCH_FD); /* out of the way */
    result = birth->report < 0 ? -errno : sort_fds(start, socket, &places);
    if (result < 0)
        return cl_fail(err, result, "start %s", birth->program);
    (void)execve(birth->program, words, environ);
    return cl_fail(err, errno, "execute %s", birth->program);
}

static _Noreturn void criu_main(struct birth *birth)
{
    struct cl_error err = { 0 };
    cl_test_role("criu");
    (void)become_criu(birth, &err); /* comes back with an error only */
    (void)cl_write_full(birth->report, &err, sizeof err);
    for (;;)
        _exit(125);
}

static pid_t clone_criu(struct birth *birth, int *ret_pidfd)
{
    const struct cgroup *group = birth->start->group;
    int v2 = group != NULL && group->count > 0 ? cgroup_v2_fd(group) : -EBADF;
    struct k_clone arguments = { .cgroup_fd = v2, .exit_signal = SIGCHLD };
    birth->is_in_group = v2 >= 0;
    pid_t pid = k_clone3(&arguments, ret_pidfd);
    if (pid == -ENOSYS || pid == -EBUSY || pid == -EOPNOTSUPP) {
        arguments.cgroup_fd = -EBADF;
        birth->is_in_group = false;
        pid = k_clone3(&arguments, ret_pidfd);
    }
    if (pid == 0)
        criu_main(birth);
    return pid;
}

/* The socket first, then the end of file that exec makes; an error in the place of either. */
static int hear_of_start(struct criu *criu, int report, struct cl_error *err)
{
    struct cl_error failure = { 0 };
    size_t count = 0;
    ssize_t size = cl_recv_fds(report, &failure, sizeof failure, &criu->socket, 1, &count);
    if (size == (ssize_t)sizeof failure && failure.code == 0 && count == 1)
        size = cl_recv_fds(report, &failure, sizeof failure, NULL, 0, &count);
    else if (size == 0)
        size = -EPIPE;
    if (size == 0)
        return 0;
    criu_close(criu);
    if (size != (ssize_t)sizeof failure || failure.code >= 0)
        return cl_fail(err, size < 0 ? (int)size : EPROTO, "start criu");
    if (err != NULL)
        *err = failure;
    return failure.code;
}

static int start_criu(const struct criu_start *start, struct criu *ret, struct cl_error *err)
{
    char path[PATH_MAX];
    cl_auto_fd report = -EBADF, told = -EBADF;
    int result = find_program(start->options->program, path, err);
    if (result < 0)
        return result;
    result = cl_socketpair(SOCK_SEQPACKET, &report, &told);
    struct birth birth = { .start = start, .program = path, .report = told };
    struct criu criu = CRIU_NONE;
    criu.pid = result < 0 ? result : clone_criu(&birth, &criu.pidfd);
    if (criu.pid < 0)
        return cl_fail(err, criu.pid, "start %s", path);
    told = cl_close(told);
    result = hear_of_start(&criu, report, err);
    if (result >= 0)
        *ret = criu;
    return result;
}

void criu_close(struct criu *criu)
{
    int status;
    criu->socket = cl_close(criu->socket);
    if (criu->pid > 0)
        (void)k_wait_pid(criu->pid, 0, &status); /* what it did, it has said */
    criu->pidfd = cl_close(criu->pidfd);
    criu->pid = 0;
}

/* ---- its log ---- */

/* "(00.123456) Error (criu/mount.c:12): text" → where the text about the error begins; NULL: another line. */
static char *find_error(char *line)
{
    char *at = strstr(line, "Error (");
    char *end = at == NULL ? NULL : strstr(at, "): ");
    return at != NULL && end != NULL && strstr(end, " FAILED.") == NULL ? end + 3 : NULL;
}

/* The last lines that say what went wrong, the oldest first. */
static void collect_errors(char *text, char *ret_lines[static LOG_LINES])
{
    for (char *line = text; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        char *error = find_error(line);
        if (error != NULL && !cl_streq(error, ret_lines[LOG_LINES - 1])) {
            for (size_t i = 0; i + 1 < LOG_LINES; i++)
                ret_lines[i] = ret_lines[i + 1];
            ret_lines[LOG_LINES - 1] = error;
        }
        line = end != NULL ? end + 1 : NULL;
    }
}

static int fail_by_log(const struct criu *criu, const struct criu_answer *answer, const char *what,
                       struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    char *lines[LOG_LINES] = { NULL }, said[300] = "";
    const struct criu_places *places = criu->places;
    int code = answer->error > 0 && answer->error < 4096 ? answer->error : EIO;
    if (places != NULL && cl_read_file(places->work >= 0 ? places->work : places->images,
                                       places->log, LOG_MAX, &text, NULL, NULL) >= 0)
        collect_errors(text, lines);
    /* The latest have the room; what is cut is the beginning's end. */
    for (size_t i = 0; i < LOG_LINES; i++) {
        size_t used = strlen(said), share = (sizeof said - used) / (LOG_LINES - i);
        if (lines[i] != NULL)
            (void)cl_print(said + used, i + 1 < LOG_LINES ? share : sizeof said - used, "%s%s",
                           used > 0 ? "; " : "", lines[i]);
    }
    if (said[0] == '\0')
        (void)CL_PRINT(said, "%s", answer->message[0] != '\0' ? answer->message : strerror(code));
    if (text == NULL)
        return cl_fail_kind(err, CL_KIND_SYSTEM, code, "criu %s: %s", what, said);
    return cl_fail_kind(err, CL_KIND_SYSTEM, code, "criu %s: %s; all of it: %s/%s", what, said,
                        places->log_dir, places->log);
}

/* ---- requests ---- */

static const char *type_name(enum criu_type type)
{
    switch (type) {
    case CRIU_DUMP:
        return "dump";
    case CRIU_PRE_DUMP:
        return "pre-dump";
    case CRIU_RESTORE:
        return "restore";
    case CRIU_FEATURE_CHECK:
        return "feature check";
    case CRIU_VERSION:
        return "version";
    case CRIU_NOTIFY:
    default:
        return "notify";
    }
}

static int send_message(const struct criu *criu, const struct cl_buf *message)
{
    if (message->failed < 0)
        return message->failed;
    ssize_t size = send(criu->socket, message->data, message->size, MSG_NOSIGNAL);
    return size < 0 ? -errno : 0;
}

/* 1: an answer; 0: CRIU is gone. */
static int receive(const struct criu *criu, struct criu_answer *ret, int *ret_fd)
{
    static char packet[64 << 10];
    size_t count = 0;
    ssize_t size;
    *ret_fd = -EBADF;
    do
        size = cl_recv_fds(criu->socket, packet, sizeof packet, ret_fd, 1, &count);
    while (size == -EINTR);
    if (count == 0)
        *ret_fd = -EBADF;
    if (size == 0 || size == -ECONNRESET)
        return 0;
    int result = size < 0 ? (int)size : criu_answer_parse(packet, (size_t)size, ret);
    return result < 0 ? result : 1;
}

static int reply(const struct criu *criu, bool success)
{
    cl_auto_buf message = CL_BUF_INIT(64);
    criu_put_number(&message, 1, CRIU_NOTIFY);
    criu_put_number(&message, 3, success);
    return send_message(criu, &message);
}

/* What is refused here is the reason for the failure that CRIU reports in the end. */
struct talk {
    criu_notify *notify;
    void *context;
    struct cl_error refused;
};

static int take_notice(struct criu *criu, struct talk *talk, const struct criu_answer *notice,
                       int fd)
{
    int result = 0;
    cl_debug("criu", "%s", notice->script);
    if (talk->notify != NULL)
        result = talk->notify(talk->context, notice, fd, &talk->refused);
    else
        (void)cl_close(fd);
    return reply(criu, result >= 0);
}

static int finish(const struct criu *criu, enum criu_type type, const struct talk *talk,
                  const struct criu_answer *answer, struct cl_error *err)
{
    if (talk->refused.code < 0) {
        if (err != NULL)
            *err = talk->refused;
        return talk->refused.code;
    }
    if (answer->success && answer->type == (uint64_t)type)
        return 0;
    return fail_by_log(criu, answer, type_name(type), err);
}

int criu_ask(struct criu *criu, enum criu_type type, const struct cl_buf *options,
             criu_notify *notify, void *context, struct criu_answer *ret, struct cl_error *err)
{
    struct talk talk = { .notify = notify, .context = context };
    cl_auto_buf message = CL_BUF_INIT(CRIU_MESSAGE_MAX);
    criu_put_number(&message, 1, type);
    if (options != NULL)
        criu_put_message(&message, 2, options);
    if (type == CRIU_VERSION || type == CRIU_FEATURE_CHECK)
        criu_put_number(&message, 4, true); /* keep_open */
    if (type == CRIU_FEATURE_CHECK) {
        cl_auto_buf features = CL_BUF_INIT(64);
        criu_put_number(&features, 1, true);
        criu_put_number(&features, 2, true);
        criu_put_message(&message, 5, &features);
    }
    int result = send_message(criu, &message), fd;
    while (result >= 0) {
        *ret = (struct criu_answer){ 0 };
        result = receive(criu, ret, &fd);
        if (result <= 0 || ret->type != CRIU_NOTIFY)
            break;
        result = take_notice(criu, &talk, ret, fd);
    }
    if (result < 0 && result != -EPIPE)
        return cl_fail(err, result, "criu %s: speak to it", type_name(type));
    if (result <= 0) /* it ended without an answer */
        (void)CL_PRINT(ret->message, "it ended without a word");
    return finish(criu, type, &talk, ret, err);
}

int criu_open(const struct criu_start *start, struct criu *ret, struct cl_error *err)
{
    struct criu_answer answer;
    int result = start_criu(start, ret, err);
    if (result < 0)
        return result;
    result = criu_ask(ret, CRIU_VERSION, NULL, NULL, NULL, &answer, err);
    if (result >= 0 && answer.major * 10000 + answer.minor * 100 + answer.sublevel < MINIMUM)
        result = cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                              "criu is of version %d.%d, and 3.15 is the oldest that will do",
                              answer.major, answer.minor);
    if (result < 0)
        criu_close(ret);
    return result;
}

int criu_check_features(struct criu *criu, const struct runtime_criu *options, struct cl_error *err)
{
    struct criu_answer answer;
    bool wants_memory = options->pre_dump || options->parent != NULL;
    if (!wants_memory && !options->lazy_pages)
        return 0;
    int result = criu_ask(criu, CRIU_FEATURE_CHECK, NULL, NULL, NULL, &answer, err);
    if (result < 0)
        return result;
    if (wants_memory && !answer.mem_track)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "%s: criu can't track changes of memory on this kernel (it needs "
                            "CONFIG_MEM_SOFT_DIRTY)",
                            options->pre_dump ? "--pre-dump" : "--parent-path");
    if (options->lazy_pages && !answer.lazy_pages)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "--lazy-pages: criu can't do it on this kernel (it needs userfaultfd)");
    return 0;
}
