/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of mountinfo. The kernel escapes blank, tab, newline, backslash and # in paths as three octal digits, so blanks and
 * newlines separate reliably. Everything is cut in place.
 */
#include "lens/mounts.h"

#include <errno.h>

#include "kernel/procfs.h"

static char *next_field(char **at)
{
    char *field = *at;
    if (field == NULL)
        return NULL;
    char *end = strchr(field, ' ');
    if (end != NULL)
        *end++ = '\0';
    *at = end;
    return field;
}

static bool parse_number(const char *text, unsigned *ret)
{
    uint64_t value;
    if (text == NULL || cl_parse_u64(text, 0, UINT32_MAX, &value) < 0)
        return false;
    *ret = (unsigned)value;
    return true;
}

static bool parse_device(char *text, struct lens_mount *mount)
{
    char *colon = text == NULL ? NULL : strchr(text, ':');
    if (colon == NULL)
        return false;
    *colon = '\0';
    return parse_number(text, &mount->major) && parse_number(colon + 1, &mount->minor);
}

/* id parent major:minor root point options [tag…] - type source super_options */
static bool parse_line(char *line, struct lens_mount *mount)
{
    char *at = line;
    if (!parse_number(next_field(&at), &mount->id) ||
        !parse_number(next_field(&at), &mount->parent) || !parse_device(next_field(&at), mount))
        return false;
    char *root = next_field(&at), *point = next_field(&at), *tag;
    mount->options = next_field(&at);
    while ((tag = next_field(&at)) != NULL && strcmp(tag, "-") != 0)
        ;
    char *type = next_field(&at), *source = next_field(&at);
    mount->super_options = at == NULL ? "" : at;
    if (source == NULL)
        return false;
    procfs_unescape(root);
    procfs_unescape(point);
    procfs_unescape(source);
    mount->root = root;
    mount->point = point;
    mount->type = type;
    mount->source = source;
    return true;
}

int lens_mounts_parse(char *text, lens_mount_fn *fn, void *context)
{
    for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        struct lens_mount mount = { 0 };
        if (!parse_line(line, &mount))
            continue;
        int code = fn(context, &mount);
        if (code != 0)
            return code;
    }
    return 0;
}

int lens_mounts_walk(int pid_fd, lens_mount_fn *fn, void *context)
{
    cl_auto_free char *text = NULL;
    int code = cl_read_file(pid_fd, "mountinfo", LENS_MOUNTINFO_MAX, &text, NULL, NULL);
    return code < 0 ? code : lens_mounts_parse(text, fn, context);
}
