/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the host's users and groups straight from /etc/passwd and /etc/group (passwd(5), group(5)): no NSS, because that
 * loads libraries, may ask a network, and can't be linked statically. Each file is read once, on first use, and kept.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/str.h"

enum { FILE_MAX = 16 << 20 };

struct database {
    const char *path;
    bool was_read;
    char *text; /* fields cut apart in place */
    struct entry {
        const char *name;
        uint32_t id;
    } * entries;
    size_t count;
};

static struct database users = { .path = "/etc/passwd" };
static struct database groups = { .path = "/etc/group" };

/* NAME:PASSWORD:ID:… → name and id; both files begin like this. False for lines of other forms. */
static bool parse_line(char *line, struct entry *ret)
{
    char *name_end = strchr(line, ':');
    char *password_end = name_end == NULL ? NULL : strchr(name_end + 1, ':');
    char *id_end = password_end == NULL ? NULL : strchr(password_end + 1, ':');
    uint64_t id;
    if (id_end == NULL || name_end == line)
        return false;
    *name_end = '\0';
    *id_end = '\0';
    if (cl_parse_u64(password_end + 1, 0, UINT32_MAX, &id) < 0)
        return false;
    *ret = (struct entry){ .name = line, .id = (uint32_t)id };
    return true;
}

static void index_lines(struct database *database)
{
    size_t lines = 1;
    for (const char *at = database->text; *at != '\0'; at++)
        lines += *at == '\n';
    database->entries = cl_calloc(lines, sizeof *database->entries);
    if (database->entries == NULL)
        return;
    char *line = database->text;
    while (line != NULL && *line != '\0') {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        if (parse_line(line, &database->entries[database->count]))
            database->count++;
        line = end;
    }
}

static void read_once(struct database *database)
{
    if (database->was_read)
        return;
    database->was_read = true;
    /* A link is followed here: some distributions make these files links. */
    cl_auto_fd fd = open(database->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0 && cl_read_fd(fd, FILE_MAX, &database->text, NULL, NULL) == 0)
        index_lines(database);
}

static const char *name_of(struct database *database, uint32_t id)
{
    read_once(database);
    for (size_t i = 0; i < database->count; i++) {
        if (database->entries[i].id == id)
            return database->entries[i].name;
    }
    return NULL;
}

static int id_of(struct database *database, const char *name, uint32_t *ret)
{
    read_once(database);
    for (size_t i = 0; i < database->count; i++) {
        if (cl_streq(database->entries[i].name, name)) {
            *ret = database->entries[i].id;
            return 0;
        }
    }
    return -ENOENT;
}

const char *cl_user_name(uid_t uid)
{
    return name_of(&users, uid);
}

int cl_user_id(const char *name, uid_t *ret)
{
    return id_of(&users, name, ret);
}

const char *cl_group_name(gid_t gid)
{
    return name_of(&groups, gid);
}

int cl_group_id(const char *name, gid_t *ret)
{
    return id_of(&groups, name, ret);
}
