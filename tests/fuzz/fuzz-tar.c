/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of room transfer: the input is a tar archive (compressed or not), applied to a directory "in" on /dev/shm. Whatever it says, the
 * directory's neighbours stay as they are, and an error has a text.
 *
 * Device nodes of an input are made if the fuzzer runs as root; nobody opens them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "transfer/layer.h"
#include "transfer/stream.h"

static char top[64];
static int top_fd = -EBADF;

static void leave(void)
{
    (void)cl_remove_tree(AT_FDCWD, top, NULL);
}

static void must(bool what, const char *text)
{
    if (what)
        return;
    fprintf(stderr, "fuzz-tar: %s\n", text);
    leave();
    abort();
}

static void prepare(void)
{
    if (top_fd >= 0)
        return;
    (void)CL_PRINT(top, "/dev/shm/cloche-fuzz-tar.XXXXXX");
    must(mkdtemp(top) != NULL, "no directory on /dev/shm");
    (void)atexit(leave);
    top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(top_fd >= 0 && mkdirat(top_fd, "out", 0755) == 0, "no directory beside");
    must(cl_write_atomic(top_fd, "out/secret", "untouched", 9, 0600, CL_WRITE_PLAIN, NULL) == 0,
         "no file beside");
    (void)umask(0);
}

static void check_neighbour(void)
{
    struct stat status;
    char text[16] = "";
    must(fstat(top_fd, &status) == 0 && status.st_nlink == 4, "something appeared beside");
    must(fstatat(top_fd, "out", &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) &&
             status.st_nlink == 2,
         "the neighbour changed");
    must(fstatat(top_fd, "out/secret", &status, AT_SYMLINK_NOFOLLOW) == 0 &&
             S_ISREG(status.st_mode) && status.st_nlink == 1 && (status.st_mode & 07777) == 0600,
         "the neighbour's file changed");
    must(cl_read_small(top_fd, "out/secret", text, sizeof text) == 9 && cl_streq(text, "untouched"),
         "the neighbour's file was written");
}

static int apply(int input, int dir, struct cl_error *err)
{
    CL_AUTO(stream_free) struct stream *stream = NULL;
    CL_AUTO(tar_free) struct tar *tar = NULL;
    CL_AUTO(layer_free) struct layer *layer = NULL;
    const struct stream_options options = { .blobs_fd = -EBADF, .max_plain = 16 << 20 };
    const struct layer_limits limits = { .entries = 1000, .bytes = 64 << 20 };
    struct stream_result found;
    struct tar_entry entry;
    int more = 0, result = stream_open(input, &options, &stream, err);
    if (result >= 0)
        result = tar_open(stream_read, stream, &tar, err);
    if (result >= 0)
        result = layer_open(dir, &limits, &layer, err);
    while (result >= 0 && (more = tar_next(tar, &entry, err)) > 0)
        result = layer_apply(layer, tar, &entry, err);
    if (result >= 0)
        result = more;
    if (result >= 0)
        result = layer_finish(layer, err);
    if (result >= 0)
        result = stream_finish(stream, &found, err);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_error err = { 0 };
    prepare();
    cl_auto_fd input = memfd_create("input", MFD_CLOEXEC);
    must(cl_write_full(input, data, size) == (ssize_t)size, "no memory file");
    must(mkdirat(top_fd, "in", 0755) == 0, "no directory to unpack into");
    cl_auto_fd dir = openat(top_fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)lseek(input, 0, SEEK_SET);
    int result = apply(input, dir, &err);
    must(result >= 0 || (err.code < 0 && err.text[0] != '\0'), "a failure without words");
    check_neighbour();
    dir = cl_close(dir);
    must(cl_remove_tree(top_fd, "in", &err) >= 0, err.text);
    return 0;
}
