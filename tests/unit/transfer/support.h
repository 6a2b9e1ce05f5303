/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the tests of room transfer: a writer of tar archives that can write any lie, a directory to unpack into with a neighbour that must stay
 * as it is, and questions to ask about what was made.
 */
#pragma once

#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "test.h"
#include "transfer/image.h"
#include "transfer/layer.h"
#include "transfer/load.h"
#include "transfer/transfer.h"

/* ---- writing tar ---- */

struct raw_header { /* ustar(5) */
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[8], user[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
_Static_assert(sizeof(struct raw_header) == 512, "a tar header is 512 bytes");

struct entry {
    const char *name, *link, *data;
    char
        type; /* '0' file, '1' hard link, '2' symbolic link, '3' char, '4' block, '5' directory, '6' FIFO, 'x' pax … */
    unsigned mode, uid, gid, major, minor;
    long long mtime;
    size_t size; /* of data; 0: its length as text */
};

static inline void archive_seal(struct raw_header *header)
{
    unsigned sum = 0;
    memset(header->checksum, ' ', sizeof header->checksum);
    for (size_t i = 0; i < sizeof *header; i++)
        sum += ((const unsigned char *)header)[i];
    (void)CL_PRINT(header->checksum, "%06o", sum);
}

static inline void archive_pad(struct cl_buf *archive)
{
    static const char zeros[512];
    if (archive->size % 512 != 0)
        cl_buf_add(archive, zeros, 512 - archive->size % 512);
}

static inline void archive_add_entry(struct cl_buf *archive, const struct entry *entry)
{
    struct raw_header header = { .type = entry->type };
    size_t size = entry->data == NULL ? entry->size
                  : entry->size > 0   ? entry->size
                                      : strlen(entry->data);
    memcpy(header.name, entry->name, strnlen(entry->name, sizeof header.name));
    if (entry->link != NULL)
        memcpy(header.link, entry->link, strnlen(entry->link, sizeof header.link));
    (void)CL_PRINT(header.mode, "%07o", entry->mode);
    (void)CL_PRINT(header.uid, "%07o", entry->uid);
    (void)CL_PRINT(header.gid, "%07o", entry->gid);
    (void)CL_PRINT(header.size, "%011llo", (unsigned long long)size);
    (void)CL_PRINT(header.mtime, "%011llo", (unsigned long long)entry->mtime);
    (void)CL_PRINT(header.major, "%07o", entry->major);
    (void)CL_PRINT(header.minor, "%07o", entry->minor);
    memcpy(header.magic, "ustar\00000", 8);
    archive_seal(&header);
    cl_buf_add(archive, &header, sizeof header);
    if (entry->data != NULL) {
        cl_buf_add(archive, entry->data, size);
        archive_pad(archive);
    }
}

#define archive_add(archive, ...) archive_add_entry((archive), &(const struct entry){ __VA_ARGS__ })
#define archive_file(archive, path, text)                                                          \
    archive_add(archive, .name = (path), .type = '0', .mode = 0644, .data = (text), .mtime = 1000)
#define archive_dir(archive, path)                                                                 \
    archive_add(archive, .name = (path), .type = '5', .mode = 0755, .mtime = 2000)
#define archive_symlink(archive, path, target)                                                     \
    archive_add(archive, .name = (path), .type = '2', .mode = 0777, .link = (target), .mtime = 3000)
#define archive_hardlink(archive, path, target)                                                    \
    archive_add(archive, .name = (path), .type = '1', .mode = 0644, .link = (target))

/* One pax record of any size: "LENGTH KEY=VALUE\n" where LENGTH counts itself. */
static inline void pax_record(struct cl_buf *records, const char *key, const void *value,
                              size_t size)
{
    size_t rest = strlen(key) + size + 3, length = rest + 1;
    char digits[24];
    for (;;) {
        (void)CL_PRINT(digits, "%zu", length);
        if (strlen(digits) + rest == length)
            break;
        length = strlen(digits) + rest;
    }
    cl_buf_printf(records, "%zu %s=", length, key);
    cl_buf_add(records, value, size);
    cl_buf_char(records, '\n');
}

/* The extended header of the next entry: pairs of texts, ended by NULL. */
static inline void archive_pax(struct cl_buf *archive, ...)
{
    cl_auto_buf records = CL_BUF_INIT(8u << 20);
    const char *key;
    va_list arguments;
    va_start(arguments, archive);
    while ((key = va_arg(arguments, const char *)) != NULL) {
        const char *value = va_arg(arguments, const char *);
        pax_record(&records, key, value, strlen(value));
    }
    va_end(arguments);
    archive_add(archive, .name = "PaxHeader", .type = 'x', .data = records.data,
                .size = records.size);
}

static inline void archive_end(struct cl_buf *archive)
{
    static const char zeros[1024];
    cl_buf_add(archive, zeros, sizeof zeros);
}

#define auto_archive cl_auto_buf
#define ARCHIVE_INIT CL_BUF_INIT(64u << 20)

/* The bytes as a file, at its beginning. */
static inline int archive_fd(const struct cl_buf *archive)
{
    int fd = memfd_create("archive", MFD_CLOEXEC);
    if (cl_write_full(fd, archive->data, archive->size) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -1;
    return fd;
}

/* ---- the place ---- */

/* DIR/in is unpacked into; DIR/out and everything else must stay as it is. Not in /dev/shm: a tmpfs has had user attributes since Linux 6.6 only. */
struct place {
    char dir[64];
    int dir_fd, in_fd, blobs_fd;
};

static inline bool place_make(struct place *place)
{
    (void)CL_PRINT(place->dir, "/tmp/cloche-test-transfer.XXXXXX");
    if (mkdtemp(place->dir) == NULL)
        return false;
    place->dir_fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)mkdirat(place->dir_fd, "in", 0755);
    (void)mkdirat(place->dir_fd, "blobs", 0755);
    (void)mkdirat(place->dir_fd, "out", 0755);
    (void)cl_write_atomic(place->dir_fd, "out/secret", "untouched", 9, 0600, CL_WRITE_PLAIN, NULL);
    place->in_fd = openat(place->dir_fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    place->blobs_fd = openat(place->dir_fd, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    umask(0);
    return place->in_fd >= 0 && place->blobs_fd >= 0;
}

static inline void place_done(struct place *place)
{
    close(place->in_fd);
    close(place->blobs_fd);
    close(place->dir_fd);
    (void)cl_remove_tree(AT_FDCWD, place->dir, NULL);
}

static inline void check_neighbour(const struct place *place)
{
    cl_auto_free char *text = NULL;
    struct stat status;
    CHECK_INT(cl_read_file(place->dir_fd, "out/secret", 100, &text, NULL, NULL), 0);
    CHECK_STR(text, "untouched");
    CHECK(fstatat(place->dir_fd, "out/secret", &status, AT_SYMLINK_NOFOLLOW) == 0 &&
          status.st_nlink == 1 && (status.st_mode & 07777) == 0600);
    CHECK(fstatat(place->dir_fd, "out", &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_nlink == 2);
    CHECK(fstatat(place->dir_fd, ".", &status, 0) == 0 && status.st_nlink == 5); /* 3 directories */
}

struct memory {
    const struct cl_buf *archive;
    bool given;
};
static inline ssize_t read_memory(void *context, const void **ret_data, struct cl_error *err)
{
    struct memory *memory = context;
    (void)err;
    if (memory->given)
        return 0;
    memory->given = true;
    *ret_data = memory->archive->data;
    return (ssize_t)memory->archive->size;
}

static inline int unpack(const struct place *place, const struct cl_buf *archive,
                         struct cl_error *err)
{
    struct memory memory = { .archive = archive };
    *err = (struct cl_error){ 0 };
    return layer_unpack(read_memory, &memory, place->in_fd, NULL, err);
}

static inline mode_t type_at(const struct place *place, const char *path)
{
    struct stat status;
    return fstatat(place->in_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0 ? 0
                                                                         : status.st_mode & S_IFMT;
}

static inline bool is_whiteout(const struct place *place, const char *path)
{
    struct stat status;
    return fstatat(place->in_fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

static inline bool is_opaque(const struct place *place, const char *path)
{
    char value[4] = "";
    cl_auto_fd fd = openat(place->in_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fgetxattr(fd, "trusted.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y';
}

/* The content of a file in "in", or NULL. Static. */
static inline const char *content_at(const struct place *place, const char *path)
{
    static char text[256];
    cl_auto_fd fd = openat(place->in_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : cl_read_full(fd, text, sizeof text - 1);
    if (size < 0)
        return NULL;
    text[size] = '\0';
    return text;
}

static inline bool may_make_nodes(void)
{
    return geteuid() == 0;
}
