/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.intelRdt: the container's processes in a group of resctrl (Documentation/filesystems/
 * resctrl.rst): shares of caches and memory bandwidth, and counters of its own.
 *
 * The rules are config-linux.md's "IntelRdt". A group of the container's name is ours: made here,
 * removed at the end. One that closID names may be somebody's: made when schemata are given and it is
 * not there, compared when it is, and never removed. The monitoring group is always ours. The file
 * system is looked for, in mountinfo, only when there is an intelRdt.
 */
#include "runtime/child.h"
#include "runtime/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMATA_MAX  65536
#define MOUNTINFO_MAX (16 << 20)

/* ---- where it is ---- */

/* The fifth word of a line whose type, after " - ", is resctrl. */
static char *mount_point_of(char *line)
{
    char *type = strstr(line, " - ");
    if (type == NULL || !cl_starts_with(type + 3, "resctrl "))
        return NULL;
    for (int i = 0; i < 4 && line != NULL; i++) {
        line = strchr(line, ' ');
        line = line != NULL ? line + 1 : NULL;
    }
    if (line == NULL)
        return NULL;
    line[strcspn(line, " ")] = '\0';
    procfs_unescape(line);
    return line;
}

static int find_root(int proc, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    cl_auto_fd file = openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
    int result = file < 0 ? cl_fail(err, errno, "open mountinfo")
                          : cl_read_fd(file, MOUNTINFO_MAX, &text, NULL, err);
    if (result < 0)
        return cl_error_prefix(err, "linux.intelRdt");
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        const char *path = mount_point_of(line);
        int fd = path != NULL ? openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
        if (fd >= 0)
            return fd;
    }
    (void)plan_fail(err, CL_KIND_UNSUPPORTED, "linux.intelRdt",
                    "no resctrl file system is mounted");
    return cl_error_hint(err,
                         "where the processor has it: mount -t resctrl resctrl /sys/fs/resctrl");
}

int rdt_open(int proc, struct cl_error *err)
{
    cl_auto_fd own = -EBADF;
    if (proc <= 0) /* made-up facts */
        proc = own = procfs_open_host(err);
    return proc < 0 ? proc : find_root(proc, err);
}

/* ---- schemata ---- */

static bool has_schemata(const struct oci_intel_rdt *rdt)
{
    return rdt->l3_cache_schema != NULL || rdt->mem_bw_schema != NULL || rdt->schemata != NULL;
}

/* "last command status" is where the kernel says why. */
static int fail_write(int root, const char *property, const char *line, int code,
                      struct cl_error *err)
{
    char status[160] = "";
    ssize_t size = cl_read_small(root, "info/last_cmd_status", status, sizeof status);
    status[strcspn(status, "\n")] = '\0';
    (void)cl_fail(err, code, "linux.intelRdt.%s: write \"%.100s\"", property, line);
    return size > 0 && status[0] != '\0' && !cl_streq(status, "ok")
               ? cl_error_hint(err, "%s", status)
               : code;
}

static int write_line(int root, int file, const char *property, const char *line,
                      struct cl_error *err)
{
    cl_auto_free char *text = cl_format("%s\n", line);
    ssize_t size = text == NULL ? -ENOMEM : cl_write_full(file, text, strlen(text));
    return size < 0 ? fail_write(root, property, line, (int)size, err) : 0;
}

/* In this order (config-linux.md): l3CacheSchema, memBwSchema, schemata. */
static int write_schemata(int root, int group, const struct oci_intel_rdt *rdt, bool only_list,
                          struct cl_error *err)
{
    if (!has_schemata(rdt) || (only_list && rdt->schemata == NULL))
        return 0;
    cl_auto_fd file = openat(group, "schemata", O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
    int result = file < 0 ? cl_fail(err, errno, "linux.intelRdt: open schemata") : 0;
    if (result >= 0 && !only_list && rdt->l3_cache_schema != NULL)
        result = write_line(root, file, "l3CacheSchema", rdt->l3_cache_schema, err);
    if (result >= 0 && !only_list && rdt->mem_bw_schema != NULL)
        result = write_line(root, file, "memBwSchema", rdt->mem_bw_schema, err);
    for (char **line = rdt->schemata; result >= 0 && line != NULL && *line != NULL; line++)
        result = write_line(root, file, "schemata", *line, err);
    return result;
}

/* The digits at *text in base 10 or 16, without overflow: what is longer compares as its end. */
static uint64_t take_number(const char **text, unsigned base)
{
    uint64_t value = 0;
    for (;; (*text)++) {
        char c = **text;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit >= base)
            return value;
        value = value * base + digit;
    }
}

/* "0=7f0" at the beginning of text. */
static bool take_domain(const char *text, unsigned base, uint64_t *ret_id, uint64_t *ret_value)
{
    text += strspn(text, " ");
    const char *at = text;
    *ret_id = take_number(&at, 10);
    if (at == text || *at++ != '=')
        return false;
    *ret_value = take_number(&at, base);
    return *at == '\0' || *at == ';' || *at == ' ';
}

/* The value of a domain in a line of the file; leading zeros don't count. */
static bool has_domain(const char *line, const char *domain, unsigned base)
{
    uint64_t id, value, found, found_value;
    if (!take_domain(domain, base, &id, &value))
        return false;
    for (const char *at = strchr(line, ':'); at != NULL; at = strchr(at, ';')) {
        at++;
        if (take_domain(at, base, &found, &found_value) && found == id)
            return found_value == value;
    }
    return false;
}

/* Is each domain of `schema` in the file what it says? The file pads its lines, and has all domains. */
static bool is_in_force(const char *file, const char *schema)
{
    size_t name = strcspn(schema, ":");
    unsigned base = strncmp(schema, "MB", 2) == 0 ? 10 : 16;
    const char *line = file;
    for (; line != NULL; line = strchr(line, '\n'), line = line != NULL ? line + 1 : NULL) {
        line += strspn(line, " \t");
        if (strncmp(line, schema, name) == 0 && line[name] == ':')
            break;
    }
    if (line == NULL || schema[name] != ':')
        return false;
    cl_auto_free char *own = cl_strndup(line, strcspn(line, "\n"));
    for (const char *at = schema + name; own != NULL && at != NULL; at = strchr(at, ';')) {
        at++;
        if (*at != '\0' && !has_domain(own, at, base))
            return false;
    }
    return own != NULL;
}

static int compare_schemata(int group, const struct oci_intel_rdt *rdt, struct cl_error *err)
{
    const struct {
        const char *property, *schema;
    } rows[] = { { "l3CacheSchema", rdt->l3_cache_schema }, { "memBwSchema", rdt->mem_bw_schema } };
    if (rdt->l3_cache_schema == NULL && rdt->mem_bw_schema == NULL)
        return 0;
    cl_auto_free char *file = NULL;
    int result = cl_read_file(group, "schemata", SCHEMATA_MAX, &file, NULL, err);
    if (result < 0)
        return cl_error_prefix(err, "linux.intelRdt");
    for (size_t i = 0; i < CL_COUNT(rows); i++)
        if (rows[i].schema != NULL && !is_in_force(file, rows[i].schema))
            return cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST,
                                "linux.intelRdt.%s: the group %s exists and has other schemata",
                                rows[i].property, rdt->clos_id);
    return 0;
}

/* ---- groups ---- */

const char *rdt_group_name(const struct oci_intel_rdt *rdt, const char *id)
{
    return rdt->clos_id == NULL || rdt->clos_id[0] == '\0' ? id
           : cl_streq(rdt->clos_id, "/")                   ? "."
                                                           : rdt->clos_id;
}

static int open_group(int root, const struct oci_intel_rdt *rdt, const char *id,
                      struct cl_error *err)
{
    const char *name = rdt_group_name(rdt, id);
    int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? cl_fail(err, errno, "linux.intelRdt: open the group %s", name) : fd;
}

/* 1: made; 0: it was there. */
static int make_group(int root, const struct oci_intel_rdt *rdt, const char *id,
                      struct cl_error *err)
{
    bool is_ours = rdt->clos_id == NULL || rdt->clos_id[0] == '\0';
    const char *name = rdt_group_name(rdt, id);
    struct stat info;
    if (!is_ours && !has_schemata(rdt))
        return fstatat(root, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode)
                   ? 0
                   : cl_fail_kind(err, CL_KIND_INVALID, ENOENT,
                                  "linux.intelRdt.closID: there is no group %s, and no schemata to "
                                  "make one",
                                  name);
    if (mkdirat(root, name, 0755) == 0)
        return 1;
    if (errno == EEXIST && !is_ours)
        return 0;
    int code = errno;
    (void)cl_fail(err, code, "linux.intelRdt: make the group %s", name);
    return code == ENOSPC ? cl_error_hint(err, "the processor has no class of service left")
                          : -code;
}

static int make_monitor(int group, const char *id, struct cl_error *err)
{
    cl_auto_free char *path = cl_format("mon_groups/%s", id);
    if (path == NULL || mkdirat(group, path, 0755) < 0)
        return cl_fail(err, path == NULL ? ENOMEM : errno,
                       "linux.intelRdt.enableMonitoring: make the monitoring group %s", id);
    return 0;
}

static int fill_group(int root, const struct oci_intel_rdt *rdt, const char *id, bool is_new,
                      struct runtime_rdt *ret, struct cl_error *err)
{
    cl_auto_fd group = open_group(root, rdt, id, err);
    int result = group < 0 || is_new ? group : compare_schemata(group, rdt, err);
    if (result >= 0)
        result = write_schemata(root, group, rdt, !is_new, err);
    if (result < 0 || !rdt->enable_monitoring)
        return result;
    const char *name = rdt_group_name(rdt, id);
    ret->monitor = cl_streq(name, ".") ? cl_format("mon_groups/%s", id)
                                       : cl_format("%s/mon_groups/%s", name, id);
    result = ret->monitor == NULL ? cl_fail(err, ENOMEM, "linux.intelRdt")
                                  : make_monitor(group, id, err);
    if (result < 0) { /* not ours */
        free(ret->monitor);
        ret->monitor = NULL;
    }
    return result;
}

int rdt_make(int root, const struct oci_intel_rdt *rdt, const char *id, struct runtime_rdt *ret,
             struct cl_error *err)
{
    bool has_own_name = rdt->clos_id == NULL || rdt->clos_id[0] == '\0';
    int is_new = make_group(root, rdt, id, err);
    if (is_new < 0)
        return is_new;
    int result = fill_group(root, rdt, id, is_new > 0, ret, err);
    /* A group that closID names stays at the end, but not after a failed beginning. */
    if (result < 0 && is_new > 0)
        (void)unlinkat(root, rdt_group_name(rdt, id), AT_REMOVEDIR);
    if (result < 0 || !has_own_name)
        return result;
    ret->group = cl_strdup(id);
    if (ret->group != NULL)
        return 0;
    (void)rdt_remove(root, ret, NULL); /* the lack of memory is the reason */
    (void)unlinkat(root, id, AT_REMOVEDIR);
    return cl_fail(err, ENOMEM, "linux.intelRdt");
}

/* ---- another share ---- */

/* As good as it goes: it was in force a moment ago. */
static void put_back(int group, const char *schemata)
{
    cl_auto_fd file = openat(group, "schemata", O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
    for (const char *line = schemata; file >= 0 && line[0] != '\0';) {
        size_t size = strcspn(line, "\n");
        size += line[size] == '\n' ? 1 : 0;
        (void)cl_write_full(file, line, size); /* the reason why it is put back is told */
        line += size;
    }
}

int rdt_update(int root, const struct oci_intel_rdt *rdt, const char *id,
               const struct oci_intel_rdt *change, char **ret_old, struct cl_error *err)
{
    cl_auto_free char *old = NULL;
    cl_auto_fd group = open_group(root, rdt, id, err);
    int result = group < 0 ? group : cl_read_file(group, "schemata", SCHEMATA_MAX, &old, NULL, err);
    if (result < 0)
        return group < 0 ? result : cl_error_prefix(err, "linux.intelRdt");
    result = write_schemata(root, group, change, false, err);
    if (result < 0)
        put_back(group, old);
    else
        *ret_old = cl_take(old);
    return result;
}

int runtime_rdt_update(const struct oci_intel_rdt *rdt, const char *id,
                       const struct oci_intel_rdt *change, char **ret_old, struct cl_error *err)
{
    cl_auto_fd root = rdt_open(-EBADF, err);
    return root < 0 ? root : rdt_update(root, rdt, id, change, ret_old, err);
}

void runtime_rdt_restore(const struct oci_intel_rdt *rdt, const char *id, const char *old)
{
    cl_auto_fd root = rdt_open(-EBADF, NULL);
    cl_auto_fd group = root < 0 ? -EBADF : open_group(root, rdt, id, NULL);
    if (group >= 0)
        put_back(group, old);
}

/* ---- its tasks ---- */

static int add_task(int root, const char *group, const char *monitor, const char *pid)
{
    const char *const directories[] = { group, monitor };
    for (size_t i = 0; i < CL_COUNT(directories) && directories[i] != NULL; i++) {
        cl_auto_free char *path = cl_format("%s/tasks", directories[i]);
        int result = path == NULL ? -ENOMEM : cl_write_small(root, path, pid);
        if (result < 0)
            return result;
    }
    return 0;
}

/* The group first: only what is in it can be in one of its monitoring groups. */
int rdt_add(int root, const struct oci_intel_rdt *rdt, const char *id, pid_t pid,
            struct cl_error *err)
{
    char number[16];
    const char *group = rdt_group_name(rdt, id);
    cl_auto_free char *monitor =
        rdt->enable_monitoring ? cl_format("%s/mon_groups/%s", group, id) : NULL;
    (void)CL_PRINT(number, "%d", (int)pid);
    if (rdt->enable_monitoring && monitor == NULL)
        return cl_fail(err, ENOMEM, "linux.intelRdt");
    int result = add_task(root, group, monitor, number);
    return result < 0 ? cl_fail(err, result, "linux.intelRdt: enter the group %s", group) : 0;
}

/* IN_HOST. By ourselves, so that nothing of us is ever outside; our pid is one of our own pid
   namespace, which is how the kernel takes it. */
int rdt_join(struct child *child, struct cl_error *err)
{
    return rdt_add(child->rdt_root, child->process->rdt, child->process->id, getpid(), err);
}

static int remove_directory(int root, const char *path, struct cl_error *err)
{
    if (path == NULL || unlinkat(root, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    return cl_fail(err, errno, "linux.intelRdt: remove the group %s", path);
}

int rdt_remove(int root, const struct runtime_rdt *made, struct cl_error *err)
{
    int result = remove_directory(root, made->monitor, err);
    return result < 0 ? result : remove_directory(root, made->group, err);
}

int runtime_rdt_remove(const struct runtime_rdt *made, struct cl_error *err)
{
    struct cl_error failure = { 0 };
    if (made->group == NULL && made->monitor == NULL)
        return 0;
    cl_auto_fd root = rdt_open(-EBADF, &failure);
    if (root == -EOPNOTSUPP) /* unmounted, and with that all groups are gone */
        return 0;
    if (root >= 0)
        return rdt_remove(root, made, err);
    if (err != NULL)
        *err = failure;
    return root;
}

/* "tasks" has been read to its end and is empty. A group that is not there has none either. */
static bool has_no_tasks(int root, const char *group)
{
    char text[8];
    cl_auto_free char *path = cl_format("%s/tasks", group);
    ssize_t size = path == NULL ? -ENOMEM : cl_read_small(root, path, text, sizeof text);
    return size == 0 || size == -ENOENT;
}

static bool remove_if_empty(int root, const char *group)
{
    return group == NULL || (has_no_tasks(root, group) && remove_directory(root, group, NULL) >= 0);
}

static bool is_component(const char *name)
{
    return strchr(name, '/') == NULL && !cl_streq(name, "..");
}

bool rdt_remove_empty(int root, const struct oci_intel_rdt *rdt, const char *id)
{
    const char *group = rdt_group_name(rdt, id);
    bool has_own_name = rdt->clos_id == NULL || rdt->clos_id[0] == '\0';
    cl_auto_free char *monitor =
        rdt->enable_monitoring ? cl_format("%s/mon_groups/%s", group, id) : NULL;
    if (!is_component(group) || (rdt->enable_monitoring && monitor == NULL))
        return false;
    return remove_if_empty(root, monitor) && remove_if_empty(root, has_own_name ? group : NULL);
}

bool runtime_rdt_remove_empty(const struct oci_intel_rdt *rdt, const char *id)
{
    cl_auto_fd root = rdt_open(-EBADF, NULL);
    return root == -EOPNOTSUPP || (root >= 0 && rdt_remove_empty(root, rdt, id));
}

void runtime_rdt_done(struct runtime_rdt *made)
{
    free(made->group);
    free(made->monitor);
    *made = (struct runtime_rdt){ 0 };
}
