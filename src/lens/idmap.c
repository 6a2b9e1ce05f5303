/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id maps and names. Both texts may come from a container: the map through the kernel, which writes it well-formed; passwd from the
 * image, which may hold anything, so it is read through inroot (no links out, no FIFO, at most 1 MiB) and lines that are none are passed over.
 */
#include "lens/idmap.h"

#include <errno.h>

#include "kernel/inroot.h"

#define PASSWD_MAX  (1U << 20)
#define NAME_LENGTH 64

static bool parse_id(char **at, uint32_t *ret)
{
    char *text = *at + strspn(*at, " \t");
    size_t length = strcspn(text, " \t");
    *at = text + length;
    if (text[length] != '\0')
        *(*at)++ = '\0';
    uint64_t value;
    if (cl_parse_u64(text, 0, UINT32_MAX, &value) < 0)
        return false;
    *ret = (uint32_t)value;
    return true;
}

int lens_idmap_parse(const char *text, struct lens_idmap *ret)
{
    *ret = (struct lens_idmap){ 0 };
    cl_auto_free char *copy = cl_strdup(text);
    if (copy == NULL)
        return -ENOMEM;
    for (char *line = copy, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        struct lens_id_range range;
        if (ret->count == CL_COUNT(ret->ranges) || !parse_id(&line, &range.inside) ||
            !parse_id(&line, &range.outside) || !parse_id(&line, &range.count))
            return -EINVAL;
        ret->ranges[ret->count++] = range;
    }
    return 0;
}

int lens_idmap_read(int pid_fd, const char *file, struct lens_idmap *ret)
{
    cl_auto_free char *text = NULL;
    int code = cl_read_file(pid_fd, file, 65536, &text, NULL, NULL);
    return code < 0 ? code : lens_idmap_parse(text, ret);
}

bool lens_idmap_inside(const struct lens_idmap *map, uint32_t outside, uint32_t *ret)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct lens_id_range *range = &map->ranges[i];
        if (outside >= range->outside && outside - range->outside < range->count) {
            *ret = range->inside + (outside - range->outside);
            return true;
        }
    }
    *ret = LENS_OVERFLOW_ID;
    return false;
}

bool lens_idmap_is_identity(const struct lens_idmap *map)
{
    return map->count == 1 && map->ranges[0].inside == 0 && map->ranges[0].outside == 0 &&
           map->ranges[0].count == UINT32_MAX;
}

/* ---- names ---- */

struct id_name {
    uint32_t id;
    char name[NAME_LENGTH];
};
struct lens_id_names {
    size_t count, room;
    struct id_name *entries;
};

void lens_id_names_free(struct lens_id_names *names)
{
    if (names == NULL)
        return;
    free(names->entries);
    free(names);
}

static int add_name(struct lens_id_names *names, uint32_t id, const char *name)
{
    if (names->count == names->room) {
        size_t room = names->room == 0 ? 64 : names->room * 2, bytes;
        struct id_name *bigger = NULL;
        if (cl_mul_size(room, sizeof *bigger, &bytes))
            bigger = cl_realloc(names->entries, bytes);
        if (bigger == NULL)
            return -ENOMEM;
        names->entries = bigger;
        names->room = room;
    }
    struct id_name *entry = &names->entries[names->count];
    entry->id = id;
    if (CL_PRINT(entry->name, "%s", name) >= 0) /* a name that does not fit is none */
        names->count++;
    return 0;
}

/* NAME:PASSWORD:ID:… in passwd(5) and group(5) alike */
static int add_line(struct lens_id_names *names, char *line)
{
    char *fields[3] = { line, NULL, NULL };
    for (int i = 1; i < 3; i++) {
        fields[i] = strchr(fields[i - 1], ':');
        if (fields[i] == NULL)
            return 0;
        *fields[i]++ = '\0';
    }
    fields[2][strcspn(fields[2], ":")] = '\0';
    uint64_t id;
    if (line[0] == '\0' || cl_parse_u64(fields[2], 0, UINT32_MAX, &id) < 0)
        return 0;
    return add_name(names, (uint32_t)id, line);
}

struct lens_id_names *lens_id_names_parse(const char *text)
{
    CL_AUTO(lens_id_names_free) struct lens_id_names *names = cl_calloc(1, sizeof *names);
    cl_auto_free char *copy = cl_strdup(text);
    if (names == NULL || copy == NULL)
        return NULL;
    for (char *line = copy, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (add_line(names, line) < 0)
            return NULL;
    }
    return cl_take(names);
}

struct lens_id_names *lens_id_names_read(int root_fd, const char *path)
{
    cl_auto_free char *text = NULL;
    if (root_fd < 0 || inroot_read_file(root_fd, path, PASSWD_MAX, &text, NULL, NULL) < 0)
        return lens_id_names_parse("");
    return lens_id_names_parse(text);
}

const char *lens_id_names_find(const struct lens_id_names *names, uint32_t id)
{
    for (size_t i = 0; names != NULL && i < names->count; i++)
        if (names->entries[i].id == id)
            return names->entries[i].name;
    return NULL;
}
