/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche-transfer's life: check the descriptors, read the request (which the engine wrote), lock itself in, then touch the first byte from outside.
 */
#include "transfer/transfer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "transfer/sandbox.h"

static const struct {
    const char *name;
    int (*run)(const struct transfer_job *job, struct cl_json **ret_answer, struct cl_error *err);
} verbs[] = {
    { "import", transfer_import },
    { "load", transfer_load },
};

static int find_verb(const char *name, struct cl_error *err)
{
    for (size_t i = 0; i < CL_COUNT(verbs); i++)
        if (cl_streq(verbs[i].name, name))
            return (int)i;
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "\"%s\" is no verb of cloche-transfer", name);
}

static int check_directory(int fd, const char *what, struct cl_error *err)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return cl_fail(err, errno, "look at descriptor %d (%s)", fd, what);
    if (!S_ISDIR(status.st_mode))
        return cl_fail_kind(err, CL_KIND_INVALID, ENOTDIR, "descriptor %d (%s) is no directory", fd,
                            what);
    return 0;
}

static int read_request(struct cl_json **ret, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    int result = cl_read_fd(WIRE_TRANSFER_REQUEST, WIRE_TRANSFER_REQUEST_MAX, &text, &size, err);
    if (result >= 0)
        result = cl_json_parse(text, size, WIRE_TRANSFER_REQUEST_MAX, ret, err);
    return result < 0 ? cl_error_prefix(err, "read the request") : 0;
}

static int work(const char *verb, struct cl_json **ret_answer, struct cl_error *err)
{
    static const int directories[] = { WIRE_TRANSFER_LAYERS, WIRE_TRANSFER_BLOBS };
    CL_AUTO(cl_json_unref) struct cl_json *request = NULL;
    int index = find_verb(verb, err);
    int result = index < 0 ? index : check_directory(WIRE_TRANSFER_LAYERS, "layers", err);
    if (result >= 0)
        result = check_directory(WIRE_TRANSFER_BLOBS, "blobs", err);
    if (result >= 0)
        result = read_request(&request, err);
    if (result >= 0)
        result = sandbox_enter(directories, CL_COUNT(directories), WIRE_TRANSFER_BLOBS + 1, err);
    if (result < 0)
        return result;
    (void)umask(0); /* modes are the archive's */
    const struct transfer_job job = { .input_fd = WIRE_TRANSFER_INPUT,
                                      .layers_fd = WIRE_TRANSFER_LAYERS,
                                      .blobs_fd = WIRE_TRANSFER_BLOBS,
                                      .request = request };
    cl_test_point("transfer.locked-in");
    return verbs[index].run(&job, ret_answer, err);
}

/* {"error": …}. NULL: no memory. */
static struct cl_json *failure(const struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *inner = cl_json_object();
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    if (cl_json_set_int(inner, "code", err->code) < 0 ||
        cl_json_set_int(inner, "kind", err->kind) < 0 ||
        cl_json_set_string(inner, "text", err->text) < 0 ||
        cl_json_set(json, "error", cl_take(inner)) < 0)
        return NULL;
    return cl_take(json);
}

int transfer_main(int argc, char **argv)
{
    static const char no_memory[] =
        "{\"error\":{\"code\":-12,\"kind\":1,\"text\":\"out of memory\"}}";
    struct cl_error err = { 0 };
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
    cl_test_role("transfer");
    if (argc != 2 || fcntl(WIRE_TRANSFER_ANSWER, F_GETFD) < 0) {
        static const char text[] =
            "cloche-transfer: started by cloche for each archive, not by hand; see cloche(1)\n";
        (void)cl_write_full(STDERR_FILENO, text, sizeof text - 1);
        return 125;
    }
    int result = work(argv[1], &answer, &err);
    if (result < 0)
        answer = failure(&err);
    cl_auto_free char *text = answer == NULL ? NULL : cl_json_text(answer, CL_JSON_COMPACT);
    const char *said = text == NULL ? no_memory : text;
    cl_test_point("transfer.answer");
    if (cl_write_full(WIRE_TRANSFER_ANSWER, said, strlen(said)) < 0)
        return 1; /* nobody listens any more */
    return result < 0 || text == NULL ? 1 : 0;
}
