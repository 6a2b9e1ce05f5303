/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts that CRIU can't make again by itself, since their source is not in the container.
 *
 * Which ones these are is read from the container's own mount table and not from its spec alone: so what came along with a recursive bind is found, and a destination that
 * leads over a link. Each gets a name in the images that says what it is, and not where it was; restore says what stands for the name by then.
 *
 *   in the table                                            called
 *   the destination of a bind of the spec                   its destination, as the spec has it
 *   below that                                              the same, and the rest of the path
 *   a part of a file system of which no more is there:
 *     an empty file or directory that hides something       CRIU_NULL, CRIU_EMPTY
 *     a node of the host's /dev (user namespaces)           CRIU_DEVICE
 *     a control group, without a cgroup namespace           CRIU_CGROUP
 *   /dev, where such nodes lie on it (user namespaces)      CRIU_DEV; what else is on it, checkpoint.c copies
 */
#include "runtime/criu.h"

#include <fcntl.h>

#include "base/libc.h"

#define TABLE_MAX (8 << 20)

/* ---- the mount table ---- */

struct row {
    uint64_t id, parent;
    const char *device, *root, *point, *type;
};
struct table {
    char *text; /* owned; the rows point into it */
    struct row *rows;
    size_t count;
};

static void table_done(struct table *table)
{
    free(table->text);
    free(table->rows);
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static bool parse_row(char *line, struct row *ret)
{
    char *words[5];
    char *type = strstr(line, " - ");
    if (type == NULL)
        return false;
    *type = '\0';
    type += 3;
    type[strcspn(type, " ")] = '\0';
    for (size_t i = 0; i < CL_COUNT(words); i++) {
        words[i] = criu_cut(&line, " ");
        if (words[i] == NULL)
            return false;
    }
    procfs_unescape(words[3]);
    procfs_unescape(words[4]);
    *ret = (struct row){ .device = words[2], .root = words[3], .point = words[4], .type = type };
    return cl_parse_u64(words[0], 0, UINT64_MAX, &ret->id) >= 0 &&
           cl_parse_u64(words[1], 0, UINT64_MAX, &ret->parent) >= 0;
}

static int table_read(int pid_fd, struct table *ret, struct cl_error *err)
{
    struct table table = { 0 };
    size_t lines = 1;
    int result = cl_read_file(pid_fd, "mountinfo", TABLE_MAX, &table.text, NULL, err);
    if (result < 0)
        return cl_error_prefix(err, "read a mount table");
    for (const char *at = table.text; *at != '\0'; at++)
        lines += *at == '\n';
    table.rows = cl_calloc(lines, sizeof *table.rows);
    if (table.rows == NULL) {
        table_done(&table);
        return cl_fail(err, ENOMEM, "read a mount table");
    }
    char *at = table.text, *line;
    while ((line = criu_cut(&at, "\n")) != NULL)
        if (parse_row(line, &table.rows[table.count]))
            table.count++;
    *ret = table;
    return 0;
}

static const struct row *find_id(const struct table *table, uint64_t id)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].id == id)
            return &table->rows[i];
    return NULL;
}

static bool is_whole(const struct row *row)
{
    return cl_streq(row->root, "/");
}

const char *criu_rest_below(const char *path, const char *top)
{
    size_t length = cl_streq(top, "/") ? 0 : strlen(top);
    bool is_below =
        strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == '\0');
    return is_below ? path + length : NULL;
}

/* CRIU makes a part of a file system out of all of it, or out of the root file system. */
static bool has_origin(const struct table *table, const struct row *part)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        if (row == part || !cl_streq(row->device, part->device))
            continue;
        if (is_whole(row) ||
            (cl_streq(row->point, "/") && criu_rest_below(part->root, row->root) != NULL))
            return true;
    }
    return false;
}

static void put_external(struct cl_buf *out, const char *key, const char *value)
{
    cl_auto_buf text = CL_BUF_INIT(3 * PATH_MAX);
    cl_buf_printf(&text, "mnt[%s]:%s", key, value);
    if (text.failed < 0 && out->failed == 0)
        out->failed = text.failed;
    criu_put_text(out, CRIU_EXTERNAL, text.data != NULL ? text.data : "");
}

/* ---- of a container that runs ---- */

bool criu_is_bind(const struct oci_mount *mount)
{
    return cl_streq(mount->type, "bind") ||
           cl_strv_has((const char *const *)mount->options, "bind") ||
           cl_strv_has((const char *const *)mount->options, "rbind");
}

/* Where the destination leads in the container: the id of the mount on it; 0: nothing is mounted there. */
static uint64_t find_mount(int root, const char *destination)
{
    struct statx info;
    cl_auto_fd fd = inroot_open(root, destination, O_PATH, 0, INROOT_FOLLOW, NULL);
    if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) < 0 ||
        (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
        return 0;
    return info.stx_mnt_id;
}

/* The mount of the spec that a row came with; NULL: none. `ids`: one per mount of the spec. */
static const struct oci_mount *find_owner(const struct table *table, const struct oci_spec *spec,
                                          const uint64_t *ids, const struct row *row,
                                          const char **ret_rest)
{
    const char *point = row->point;
    for (; row != NULL; row = find_id(table, row->parent)) {
        for (size_t i = spec->mount_count; i-- > 0;)
            if (ids[i] == row->id) {
                *ret_rest = criu_rest_below(point, row->point);
                return &spec->mounts[i];
            }
        if (row->parent == row->id)
            break;
    }
    return NULL;
}

static void put_bind(struct cl_buf *out, const struct row *row, const char *destination,
                     const char *rest)
{
    cl_auto_free char *name = cl_format("%s%s", destination, rest != NULL ? rest : "");
    if (name == NULL)
        out->failed = -ENOMEM;
    else
        put_external(out, row->point, name);
}

/* A part without the whole. */
static void put_part(struct cl_buf *out, const struct row *row, bool has_cgroup_ns)
{
    const char *last = strrchr(row->point, '/');
    cl_auto_free char *name = NULL;
    bool is_v1 = cl_streq(row->type, "cgroup"), is_v2 = cl_streq(row->type, "cgroup2");
    if ((is_v1 || is_v2) && has_cgroup_ns)
        return; /* CRIU mounts it in there, which shows the same */
    if (is_v1 || is_v2)
        name = cl_format(CRIU_CGROUP "%s", is_v2 || last == NULL ? "v2" : last + 1);
    else if (cl_streq(row->type, "tmpfs") && cl_streq(row->root, "/null"))
        name = cl_strdup(CRIU_NULL);
    else if (cl_streq(row->type, "tmpfs") && cl_streq(row->root, "/empty"))
        name = cl_strdup(CRIU_EMPTY);
    else
        name = cl_format(CRIU_DEVICE "%s", row->point);
    if (name == NULL)
        out->failed = -ENOMEM;
    else
        put_external(out, row->point, name);
}

/* What a container has mounted itself is in no table of the host's. */
static bool has_device(const struct table *table, const char *device)
{
    for (size_t i = 0; i < table->count; i++)
        if (cl_streq(table->rows[i].device, device))
            return true;
    return false;
}

/* A node of a device, bound to a file: CRIU would want to make it anew, which nobody may in a user namespace. */
static bool carries_device(const struct table *table, const struct row *tmpfs)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].parent == tmpfs->id && cl_streq(table->rows[i].type, "devtmpfs") &&
            !is_whole(&table->rows[i]))
            return true;
    return false;
}

struct dumped {
    const struct oci_spec *spec;
    const struct table *table, *host;
    const uint64_t *ids;
};

/* 1: it is done. */
static int put_dev(struct cl_buf *out, const struct dumped *dumped, const struct row *row,
                   bool *ret_has_dev, struct cl_error *err)
{
    if (oci_namespace_find(dumped->spec, OCI_NS_USER) == NULL || !cl_streq(row->type, "tmpfs") ||
        !is_whole(row) || !carries_device(dumped->table, row))
        return 0;
    if (!cl_streq(row->point, "/dev"))
        return cl_fail_kind(
            err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
            "%s: not in a checkpoint: in a user namespace, a device on a tmpfs that "
            "is not /dev",
            row->point);
    put_external(out, row->point, CRIU_DEV);
    *ret_has_dev = true;
    return 1;
}

static void put_row(struct cl_buf *out, const struct dumped *dumped, const struct row *row)
{
    const char *rest = NULL;
    const struct oci_mount *owner =
        find_owner(dumped->table, dumped->spec, dumped->ids, row, &rest);
    bool is_itself = rest == NULL || rest[0] == '\0';
    if (owner != NULL && criu_is_bind(owner) &&
        (is_itself || has_device(dumped->host, row->device)))
        put_bind(out, row, owner->destination, rest);
    else if (!is_whole(row) && !has_origin(dumped->table, row))
        put_part(out, row, oci_namespace_find(dumped->spec, OCI_NS_CGROUP) != NULL);
}

/* By our own /proc: its mounts are those that binds were made of. */
static int read_tables(int pid_fd, struct table *ret, struct table *ret_host, struct cl_error *err)
{
    cl_auto_fd proc = procfs_open_host(err);
    cl_auto_fd self = proc < 0 ? proc : procfs_open_pid(proc, getpid());
    if (self < 0)
        return proc < 0 ? proc : cl_fail(err, self, "open our own directory in /proc");
    int result = table_read(pid_fd, ret, err);
    return result < 0 ? result : table_read(self, ret_host, err);
}

int criu_put_dumped_mounts(struct cl_buf *out, const struct oci_spec *spec, int pid_fd,
                           bool *ret_has_dev, struct cl_error *err)
{
    struct table table = { 0 }, host = { 0 };
    cl_auto_fd root = openat(pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    cl_auto_free uint64_t *ids = cl_calloc(spec->mount_count + 1, sizeof *ids);
    if (root < 0 || ids == NULL)
        return cl_fail(err, root < 0 ? errno : ENOMEM, "open the container's root file system");
    int result = read_tables(pid_fd, &table, &host, err);
    for (size_t i = 0; result >= 0 && i < spec->mount_count; i++)
        ids[i] = find_mount(root, spec->mounts[i].destination);
    const struct dumped dumped = { spec, &table, &host, ids };
    for (size_t i = 0; result >= 0 && i < table.count; i++) {
        if (cl_streq(table.rows[i].point, "/"))
            continue;
        result = put_dev(out, &dumped, &table.rows[i], ret_has_dev, err);
        if (result == 0)
            put_row(out, &dumped, &table.rows[i]);
    }
    table_done(&table);
    table_done(&host);
    return result < 0 ? result : 0;
}

/* ---- of one that comes back ---- */

void criu_sources_done(struct criu_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->items[i].name);
        free(sources->items[i].path);
    }
    free(sources->items);
    *sources = (struct criu_sources){ 0 };
}

static int add_source(struct criu_sources *sources, const struct plan_mount *mount,
                      const char *name, const char *path)
{
    struct criu_source source = { .name = cl_strdup(name),
                                  .path = cl_strdup(path),
                                  .mount = mount };
    struct criu_source *items =
        cl_realloc(sources->items, (sources->count + 1) * sizeof *sources->items);
    if (items != NULL) {
        sources->items = items;
        sources->items[sources->count++] = source;
    } else {
        free(source.name);
        free(source.path);
    }
    return items == NULL || source.name == NULL || source.path == NULL ? -ENOMEM : 0;
}

/* And what a recursive bind brings along from our own mount table. */
static int add_bind(struct criu_sources *sources, const struct plan_mount *mount,
                    const char *destination, const struct table *table)
{
    int result = add_source(sources, mount, destination, mount->source);
    for (size_t i = 0; result >= 0 && mount->is_recursive_bind && i < table->count; i++) {
        const char *rest = criu_rest_below(table->rows[i].point, mount->source);
        if (rest == NULL || rest[0] == '\0')
            continue;
        cl_auto_free char *name = cl_format("%s%s", destination, rest);
        result = name == NULL ? -ENOMEM : add_source(sources, mount, name, table->rows[i].point);
    }
    return result;
}

static int add_dev(struct criu_sources *sources, const struct runtime_plan *plan)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].kind == PLAN_MOUNT_FS && cl_streq(plan->mounts[i].target, "/dev"))
            return add_source(sources, &plan->mounts[i], CRIU_DEV, "/dev");
    return 0; /* then CRIU will miss it, and says so */
}

int criu_find_sources(const struct runtime_plan *plan, struct criu_sources *ret,
                      struct cl_error *err)
{
    struct table table = { 0 };
    cl_auto_fd self = openat(plan->facts->proc_fd, "self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = self < 0 ? cl_fail(err, errno, "open /proc/self") : table_read(self, &table, err);
    if (result < 0)
        return result;
    for (size_t i = 0; result >= 0 && i < plan->mount_count; i++) {
        const struct plan_mount *mount = &plan->mounts[i];
        if (mount->kind == PLAN_MOUNT_BIND)
            result = add_bind(ret, mount, plan->spec->mounts[mount->index].destination, &table);
    }
    if (result >= 0 && plan->new_user_ns)
        result = add_dev(ret, plan);
    table_done(&table);
    return result < 0 ? cl_fail(err, result, "look for the sources of binds") : 0;
}

static void put_groups(struct cl_buf *out, const struct runtime_plan *plan)
{
    const struct cgroup_host *host = &plan->facts->cgroups;
    for (size_t i = 0; i < host->count; i++) {
        const struct cgroup_hierarchy *at = &host->hierarchies[i];
        const char *name = at->is_v2 ? "v2" : at->controllers;
        if (cl_starts_with(name, "name="))
            name += strlen("name=");
        cl_auto_free char *key = cl_format(CRIU_CGROUP "%s", name);
        cl_auto_free char *path = cl_format("%s/%s", at->mount_point, plan->cgroup_path);
        if (key != NULL && path != NULL)
            put_external(out, key, path);
        else
            out->failed = -ENOMEM;
    }
}

static void put_device(struct cl_buf *out, const char *path)
{
    cl_auto_free char *key = cl_format(CRIU_DEVICE "%s", path);
    if (key != NULL)
        put_external(out, key, path);
    else
        out->failed = -ENOMEM;
}

static void put_devices(struct cl_buf *out, const struct runtime_plan *plan)
{
    static const char *const defaults[] = { "/dev/null",   "/dev/zero",    "/dev/full",
                                            "/dev/random", "/dev/urandom", "/dev/tty" };
    const struct oci_linux *linux_ = &plan->spec->linux_;
    if (!plan->process.has_user_ns)
        return; /* then they are nodes of the container's own */
    for (size_t i = 0; i < CL_COUNT(defaults); i++)
        put_device(out, defaults[i]);
    for (size_t i = 0; i < linux_->device_count; i++)
        put_device(out, linux_->devices[i].path);
}

static void put_mask(struct cl_buf *out, const char *name, const char *mask, const char *entry)
{
    cl_auto_free char *path = cl_format("%s/%s", mask, entry);
    if (path != NULL)
        put_external(out, name, path);
    else
        out->failed = -ENOMEM;
}

void criu_put_restored_mounts(struct cl_buf *out, const struct criu_place *place)
{
    const struct runtime_plan *plan = place->plan;
    for (size_t i = 0; i < place->sources.count; i++) {
        const struct criu_source *source = &place->sources.items[i];
        cl_auto_free char *path = criu_place_has(plan, source) ? cl_format("%s/%zu", place->top, i)
                                                               : cl_strdup(source->path);
        if (path != NULL)
            put_external(out, source->name, path);
        else
            out->failed = -ENOMEM;
    }
    put_groups(out, plan);
    put_devices(out, plan);
    put_mask(out, CRIU_NULL, place->top, "null");
    put_mask(out, CRIU_EMPTY, place->top, "empty");
}
