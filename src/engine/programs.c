/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding and running our other programs: cloche-monitor, cloche-transfer, and the image archive that comes with them.
 *
 * They stand beside the running program (a build tree) or in the directories that the build was configured with (an installation); PATH is never asked.
 */
#include "engine/engine_private.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#ifndef CLOCHE_LIBEXEC_DIR
#define CLOCHE_LIBEXEC_DIR "/usr/local/libexec/cloche"
#endif
#ifndef CLOCHE_DATA_DIR
#define CLOCHE_DATA_DIR "/usr/local/share/cloche"
#endif

static int open_ours(const char *name, const char *installed, int flags, int *ret_fd,
                     struct cl_error *err)
{
    char own[PATH_MAX], path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    if (length < 0)
        return cl_fail(err, errno, "find our own program in /proc/self/exe");
    own[length] = '\0';
    char *slash = strrchr(own, '/');
    if (slash != NULL)
        *slash = '\0';
    const char *const directories[] = { own, installed };
    for (size_t i = 0; i < CL_COUNT(directories); i++) {
        if (CL_PRINT(path, "%s/%s", directories[i], name) < 0)
            continue;
        int fd = open(path, flags | O_CLOEXEC); /* allowed: our own directories */
        if (fd >= 0) {
            *ret_fd = fd;
            return 0;
        }
    }
    return cl_fail_kind(err, CL_KIND_SYSTEM, ENOENT,
                        "%s is neither in %s nor in %s; install cloche as a whole", name, own,
                        installed);
}

int engine_program_open(const char *name, int *ret_fd, struct cl_error *err)
{
    return open_ours(name, CLOCHE_LIBEXEC_DIR, O_PATH, ret_fd, err);
}

int engine_data_open(const char *name, int *ret_fd, struct cl_error *err)
{
    return open_ours(name, CLOCHE_DATA_DIR, O_RDONLY, ret_fd, err);
}

/* ---- cloche-transfer ---- */

struct transfer {
    int program, input, request, answer;
    const struct store_stage *stage;
};

/* In the child: put each descriptor at its fixed number (wire/transfer.h), then become cloche-transfer. Numbers are first moved out of the way of each other. */
static void become_transfer(const struct transfer *job, const char *verb)
{
    const int sources[] = { job->input,   job->request,          job->answer,
                            job->program, job->stage->layers_fd, job->stage->blobs_fd };
    int high[CL_COUNT(sources)];
    for (size_t i = 0; i < CL_COUNT(sources); i++)
        if ((high[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 20)) < 0)
            _exit(125);
    const struct {
        int from, to;
    } places[] = {
        { high[0], WIRE_TRANSFER_INPUT },  { high[1], WIRE_TRANSFER_REQUEST },
        { high[2], WIRE_TRANSFER_ANSWER }, { high[4], WIRE_TRANSFER_LAYERS },
        { high[5], WIRE_TRANSFER_BLOBS },
    };
    for (size_t i = 0; i < CL_COUNT(places); i++)
        if (dup2(places[i].from, places[i].to) < 0)
            _exit(125);
    (void)k_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0,
                  0); /* best effort: it also ends when its pipes break */
    char *const arguments[] = { (char *)(uintptr_t) "cloche-transfer", (char *)(uintptr_t)verb,
                                NULL };
    (void)k_execveat(high[3], "", arguments, environ, AT_EMPTY_PATH);
    _exit(125);
}

static int decode_failure(const struct cl_json *failure, struct cl_error *err)
{
    int64_t code = cl_json_int(cl_json_get(failure, "code"));
    int64_t kind = cl_json_int(cl_json_get(failure, "kind"));
    if (code >= 0 || code < -4095)
        code = -EIO;
    if (kind <= CL_KIND_NONE || kind > CL_KIND_NO_COMMAND)
        kind = CL_KIND_SYSTEM;
    return cl_fail_kind(err, (enum cl_kind)kind, (int)code, "%s",
                        cl_json_string_or(cl_json_get(failure, "text"), "unknown failure"));
}

static int read_answer(int fd, pid_t pid, struct cl_json **ret, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
    size_t size = 0;
    int status = 0;
    int result = cl_read_fd(fd, WIRE_TRANSFER_ANSWER_MAX, &text, &size, err);
    int waited = k_wait_pid(pid, 0, &status);
    if (result < 0)
        return cl_error_prefix(err, "read the answer of cloche-transfer");
    if (waited >= 0 && size == 0)
        return cl_fail_kind(err, CL_KIND_SYSTEM, EIO,
                            "cloche-transfer ended without an answer (%s %d)",
                            WIFSIGNALED(status) ? "signal" : "exit status",
                            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    result = cl_json_parse(text, size, WIRE_TRANSFER_ANSWER_MAX, &answer, err);
    if (result < 0)
        return cl_error_prefix(err, "read the answer of cloche-transfer");
    if (cl_json_get(answer, "error") != NULL)
        return decode_failure(cl_json_get(answer, "error"), err);
    *ret = cl_take(answer);
    return 0;
}

int engine_transfer(const char *verb, int input_fd, const struct store_stage *stage,
                    const struct cl_json *request, struct cl_json **ret_answer,
                    struct cl_error *err)
{
    cl_auto_fd program = -EBADF, request_read = -EBADF, request_write = -EBADF;
    cl_auto_fd answer_read = -EBADF, answer_write = -EBADF;
    cl_auto_free char *text = cl_json_text(request, CL_JSON_COMPACT);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "ask cloche-transfer");
    int result = engine_program_open("cloche-transfer", &program, err);
    if (result < 0)
        return result;
    result = cl_pipe(&request_read, &request_write);
    if (result >= 0)
        result = cl_pipe(&answer_read, &answer_write);
    if (result < 0)
        return cl_fail(err, result, "make a pipe to cloche-transfer");
    const struct transfer job = { .program = program,
                                  .input = input_fd,
                                  .request = request_read,
                                  .answer = answer_write,
                                  .stage = stage };
    pid_t pid = fork();
    if (pid < 0)
        return cl_fail(err, errno, "start cloche-transfer");
    if (pid == 0)
        become_transfer(&job, verb);
    request_read = cl_close(request_read);
    answer_write = cl_close(answer_write);
    (void)cl_write_full(request_write, text, strlen(text)); /* a dead reader shows in the answer */
    request_write = cl_close(request_write);
    return read_answer(answer_read, pid, ret_answer, err);
}
