/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar by libarchive's pull interface.
 *
 * Names: pax headers are UTF-8, and libarchive converts them to the locale's character set; with a UTF-8 locale it normalises them on the way (NFD
 * becomes NFC), so that files would be found under other names than they were stored. In the C locale, which this program never leaves, a name that is
 * not ASCII "can't be converted": libarchive then warns and hands out the bytes as they are. That is what we want, so that one warning is no error; all
 * others are, as they speak of something that the archive has and we would lose.
 */
#include "transfer/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <iconv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MAX_XATTRS 256

struct tar {
    struct archive *archive;
    struct archive_entry *entry;
    tar_source *source;
    void *context;
    struct cl_error failure; /* of the source; code 0: none */
    struct tar_xattr xattrs[MAX_XATTRS];
    size_t xattr_count;
    bool began;
};

void tar_quote(const char *name, char buffer[static TAR_QUOTE_MAX])
{
    cl_auto_free char *escaped = cl_escape_terminal(name);
    if (escaped == NULL) {
        (void)cl_print(buffer, TAR_QUOTE_MAX, "?");
        return;
    }
    size_t length = strlen(escaped), half = (TAR_QUOTE_MAX - 8) / 2;
    if (length < TAR_QUOTE_MAX)
        (void)cl_print(buffer, TAR_QUOTE_MAX, "%s", escaped);
    else
        (void)cl_print(buffer, TAR_QUOTE_MAX, "%.*s...%s", (int)half, escaped,
                       escaped + length - half);
}

static la_ssize_t read_source(struct archive *archive, void *context, const void **ret_data)
{
    struct tar *tar = context;
    ssize_t size = tar->source(tar->context, ret_data, &tar->failure);
    if (size < 0)
        archive_set_error(archive, EIO, "source"); /* ours is in tar->failure */
    return size;
}

int tar_open(tar_source *source, void *context, struct tar **ret, struct cl_error *err)
{
    CL_AUTO(tar_free) struct tar *tar = cl_calloc(1, sizeof *tar);
    if (tar == NULL)
        return cl_fail(err, ENOMEM, "read a tar archive");
    tar->source = source;
    tar->context = context;
    tar->archive = archive_read_new();
    if (tar->archive == NULL || archive_read_support_format_tar(tar->archive) != ARCHIVE_OK)
        return cl_fail(err, ENOMEM, "read a tar archive");
    *ret = cl_take(tar);
    return 0;
}

static void forget_xattrs(struct tar *tar)
{
    for (size_t i = 0; i < tar->xattr_count; i++) {
        free(tar->xattrs[i].name);
        free(tar->xattrs[i].value);
    }
    tar->xattr_count = 0;
}

void tar_free(struct tar *tar)
{
    if (tar == NULL)
        return;
    forget_xattrs(tar);
    if (tar->archive != NULL)
        (void)archive_read_free(tar->archive); /* nothing is written, nothing can be lost */
    free(tar);
}

static int fail(struct tar *tar, struct cl_error *err)
{
    if (tar->failure.code < 0) {
        if (err != NULL)
            *err = tar->failure;
        return tar->failure.code;
    }
    const char *text = archive_error_string(tar->archive);
    if (archive_errno(tar->archive) == ENOMEM)
        return cl_fail(err, ENOMEM, "read a tar archive");
    if (text != NULL && strstr(text, "Unrecognized archive format") != NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "corrupt tar: this is no tar archive, nor one that was compressed with "
                            "gzip, zstd, bzip2 or xz");
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "corrupt tar: %s",
                        text == NULL ? "unknown failure" : text);
}

/* libarchive reads the first block on opening, and what is wrong then is a fault of the archive like any other. */
static int begin(struct tar *tar, struct cl_error *err)
{
    if (tar->began)
        return 0;
    if (archive_read_open(tar->archive, tar, NULL, read_source, NULL) != ARCHIVE_OK)
        return fail(tar, err);
    tar->began = true;
    return 0;
}

/* Is the warning only about a name's character set? See the top of the file. */
static bool is_about_charset(struct archive *archive)
{
    const char *text = archive_error_string(archive);
    return text != NULL && strstr(text, "be converted from") != NULL;
}

static int take_xattrs(struct tar *tar, struct cl_error *err)
{
    const char *name;
    const void *value;
    size_t size;
    (void)archive_entry_xattr_reset(tar->entry);
    while (archive_entry_xattr_next(tar->entry, &name, &value, &size) == ARCHIVE_OK) {
        if (tar->xattr_count == MAX_XATTRS)
            return cl_fail_kind(err, CL_KIND_INVALID, E2BIG,
                                "corrupt tar: an entry has more than %d extended attributes",
                                MAX_XATTRS);
        struct tar_xattr *xattr = &tar->xattrs[tar->xattr_count++];
        *xattr = (struct tar_xattr){ .name = cl_strdup(name), .size = size };
        xattr->value = cl_malloc(size > 0 ? size : 1);
        if (xattr->name == NULL || xattr->value == NULL)
            return cl_fail(err, ENOMEM, "read a tar archive");
        if (size > 0)
            memcpy(xattr->value, value, size);
    }
    return 0;
}

static int type_of(struct archive_entry *entry, enum tar_type *ret)
{
    static const struct {
        mode_t format;
        enum tar_type type;
    } types[] = { { S_IFREG, TAR_FILE },      { S_IFDIR, TAR_DIRECTORY }, { S_IFLNK, TAR_SYMLINK },
                  { S_IFCHR, TAR_CHARACTER }, { S_IFBLK, TAR_BLOCK },     { S_IFIFO, TAR_FIFO } };
    if (archive_entry_hardlink(entry) != NULL) {
        *ret = TAR_HARDLINK;
        return 0;
    }
    for (size_t i = 0; i < CL_COUNT(types); i++)
        if (archive_entry_filetype(entry) == types[i].format) {
            *ret = types[i].type;
            return 0;
        }
    return -EINVAL;
}

static void copy_times(struct archive_entry *entry, struct tar_entry *ret)
{
    ret->has_mtime = archive_entry_mtime_is_set(entry) != 0;
    ret->mtime = (struct timespec){ .tv_sec = archive_entry_mtime(entry),
                                    .tv_nsec = archive_entry_mtime_nsec(entry) };
    ret->has_atime = archive_entry_atime_is_set(entry) != 0;
    ret->atime = (struct timespec){ .tv_sec = archive_entry_atime(entry),
                                    .tv_nsec = archive_entry_atime_nsec(entry) };
}

static int describe(struct tar *tar, struct tar_entry *ret, struct cl_error *err)
{
    struct archive_entry *entry = tar->entry;
    struct tar_entry found = { .path = archive_entry_pathname(entry) };
    char quoted[TAR_QUOTE_MAX];
    if (found.path == NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "corrupt tar: an entry has no name");
    tar_quote(found.path, quoted);
    if (type_of(entry, &found.type) < 0)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "corrupt tar: entry \"%s\" is of an unknown type", quoted);
    if (found.type == TAR_HARDLINK)
        found.link = archive_entry_hardlink(entry);
    else if (found.type == TAR_SYMLINK)
        found.link = archive_entry_symlink(entry);
    if (found.link == NULL && (found.type == TAR_HARDLINK || found.type == TAR_SYMLINK))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "corrupt tar: entry \"%s\" is a link to nothing", quoted);
    found.mode = archive_entry_mode(entry) & 07777;
    found.uid = archive_entry_uid(entry);
    found.gid = archive_entry_gid(entry);
    found.size = found.type == TAR_FILE ? archive_entry_size(entry) : 0;
    if (found.type == TAR_CHARACTER || found.type == TAR_BLOCK)
        found.device = archive_entry_rdev(entry);
    copy_times(entry, &found);
    int result = take_xattrs(tar, err);
    if (result < 0)
        return result;
    found.xattrs = tar->xattrs;
    found.xattr_count = tar->xattr_count;
    *ret = found;
    return 1;
}

int tar_next(struct tar *tar, struct tar_entry *ret, struct cl_error *err)
{
    forget_xattrs(tar);
    int result = begin(tar, err);
    if (result < 0)
        return result;
    int answer = archive_read_next_header(tar->archive, &tar->entry);
    if (answer == ARCHIVE_EOF)
        return 0;
    if (answer != ARCHIVE_OK && !(answer == ARCHIVE_WARN && is_about_charset(tar->archive)))
        return fail(tar, err);
    return describe(tar, ret, err);
}

int tar_data(struct tar *tar, const void **ret_data, size_t *ret_size, int64_t *ret_offset,
             struct cl_error *err)
{
    la_int64_t offset = 0;
    int answer = archive_read_data_block(tar->archive, ret_data, ret_size, &offset);
    if (answer == ARCHIVE_EOF)
        return 0;
    if (answer != ARCHIVE_OK)
        return fail(tar, err);
    *ret_offset = offset;
    return 1;
}

void tar_warm_up(void)
{
    iconv_t converter = iconv_open("ANSI_X3.4-1968", "UTF-8"); /* the C locale's name, and pax's */
    if (converter != (iconv_t)-1)
        (void)iconv_close(converter); /* the C library keeps what it has loaded */
}
