/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a process say (proc(5)): stat, status, cmdline, comm. The lens reads these for
 * every process of a host, so each is open + read + close into the stack and parsed by hand,
 * without stdio and without allocation.
 *
 * Names and command lines are text that the process chose: they may hold anything but NUL.
 */
#include <errno.h>

#include "kernel/hook.h"
#include "kernel/lines.h"
#include "kernel/procfs.h"

/* A process that ends between open and read answers ESRCH to the read, ENOENT to the open. */
static int open_file(int dir_fd, const char *name)
{
    int fd = (int)K_CALL("openat", SYS_openat, dir_fd, (long)name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd == -ENOENT ? -ESRCH : fd;
}

static ssize_t read_some(int fd, char *buffer, size_t size)
{
    long got;
    do
        got = K_CALL("read", SYS_read, fd, (long)buffer, (long)size);
    while (got == -EINTR);
    return got;
}

static ssize_t read_once(int dir_fd, const char *name, char *buffer, size_t size)
{
    cl_auto_fd fd = open_file(dir_fd, name);
    if (fd < 0)
        return fd;
    ssize_t got = read_some(fd, buffer, size - 1);
    if (got >= 0)
        buffer[got] = '\0';
    return got;
}

/* Numbers of one line, blanks between; -1 style negatives only in stat's tty and process group
   fields. */
static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static const char *parse_number(const char *at, int64_t *ret)
{
    at = skip_blanks(at);
    bool negative = *at == '-';
    uint64_t value = 0;
    for (at += negative; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return at;
}

static uint64_t parse_hex(const char *at)
{
    uint64_t value = 0;
    for (at = skip_blanks(at);; at++) {
        unsigned digit;
        if (*at >= '0' && *at <= '9')
            digit = (unsigned)(*at - '0');
        else if (*at >= 'a' && *at <= 'f')
            digit = (unsigned)(*at - 'a') + 10;
        else
            return value;
        value = value << 4 | digit;
    }
}

static void copy_name(char name[static 64], const char *text, size_t length)
{
    size_t used = length < 63 ? length : 63;
    memcpy(name, text, used);
    name[used] = '\0';
}

/* ---- stat ---- */

/* Parentheses included; the kernel writes 63 bytes at most (of a kernel thread's; others have 15). */
#define STAT_NAME_MAX 80

/* Fields by their number in proc(5). */
enum {
    STAT_PARENT = 4,
    STAT_GROUP,
    STAT_SESSION,
    STAT_TERMINAL,
    STAT_FLAGS = 9,
    STAT_USER = 14,
    STAT_SYSTEM,
    STAT_THREADS = 20,
    STAT_START = 22
};

static int parse_stat(const char *text, size_t size, struct procfs_stat *ret)
{
    /* The name is in parentheses and may hold some itself: all fields after its last one, which is
       not far, are numbers. */
    const char *open = memchr(text, '(', size), *close = NULL;
    if (open != NULL) {
        size_t rest = size - (size_t)(open - text);
        close = memrchr(open, ')', rest < STAT_NAME_MAX ? rest : STAT_NAME_MAX);
    }
    if (close == NULL || close + 2 >= text + size)
        return -EINVAL;
    int64_t fields[STAT_START + 1] = { 0 };
    (void)parse_number(text, &fields[1]);
    const char *at = close + 3;
    for (int i = STAT_PARENT; i <= STAT_START; i++) {
        if (*at != ' ')
            return -EINVAL; /* cut short */
        at = parse_number(at, &fields[i]);
    }
    copy_name(ret->name, open + 1, (size_t)(close - open - 1));
    ret->state = close[2];
    ret->pid = (pid_t)fields[1];
    ret->parent = (pid_t)fields[STAT_PARENT];
    ret->group = (pid_t)fields[STAT_GROUP];
    ret->session = (pid_t)fields[STAT_SESSION];
    ret->terminal = (int)fields[STAT_TERMINAL];
    ret->flags = (unsigned)fields[STAT_FLAGS];
    ret->user_ticks = (uint64_t)fields[STAT_USER];
    ret->system_ticks = (uint64_t)fields[STAT_SYSTEM];
    ret->threads = (long)fields[STAT_THREADS];
    ret->start_ticks = (uint64_t)fields[STAT_START];
    return 0;
}

static int read_stat(int dir_fd, const char *name, struct procfs_stat *ret)
{
    char text[1024];
    ssize_t size = read_once(dir_fd, name, text, sizeof text);
    return size < 0 ? (int)size : parse_stat(text, (size_t)size, ret);
}

int procfs_read_stat(int pid_fd, struct procfs_stat *ret)
{
    return read_stat(pid_fd, "stat", ret);
}

int procfs_read_stat_of(int proc_fd, pid_t pid, struct procfs_stat *ret)
{
    char name[32];
    if (pid <= 0)
        return -ESRCH;
    memcpy(name + cl_print_u64((uint64_t)pid, name), "/stat", sizeof "/stat");
    return read_stat(proc_fd, name, ret);
}

int procfs_start_ticks(int proc_fd, pid_t pid, uint64_t *ret_ticks)
{
    struct procfs_stat stat;
    int code = procfs_read_stat_of(proc_fd, pid, &stat);
    if (code >= 0)
        *ret_ticks = stat.start_ticks;
    return code;
}

/* ---- status ---- */

typedef void status_parser(struct procfs_status *status, const char *at, size_t length);

/* The kernel writes a newline as \n and a backslash as two here (and neither in stat). */
static void status_name(struct procfs_status *status, const char *at, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used < sizeof status->name - 1; i++) {
        char character = at[i];
        if (character == '\\' && i + 1 < length)
            character = at[++i] == 'n' ? '\n' : at[i];
        status->name[used++] = character;
    }
    status->name[used] = '\0';
}

static void four_ids(unsigned ids[static 4], const char *at)
{
    for (int i = 0; i < 4; i++) {
        int64_t id = 0;
        at = parse_number(at, &id);
        ids[i] = (unsigned)id;
    }
}

static void status_uid(struct procfs_status *status, const char *at, size_t length)
{
    (void)length;
    four_ids(status->uid, at);
}

static void status_gid(struct procfs_status *status, const char *at, size_t length)
{
    (void)length;
    four_ids(status->gid, at);
}

static void status_ns_pid(struct procfs_status *status, const char *at, size_t length)
{
    const char *end = at + length;
    for (at = skip_blanks(at); at < end && status->levels < PROCFS_LEVELS; at = skip_blanks(at)) {
        int64_t pid = 0;
        const char *next = parse_number(at, &pid);
        if (next == at)
            break;
        status->ns_pid[status->levels++] = (pid_t)pid;
        at = next;
    }
}

static int64_t one_number(const char *at)
{
    int64_t value = 0;
    (void)parse_number(at, &value);
    return value;
}

enum status_kind { STATUS_SPECIAL, STATUS_HEX64, STATUS_INT, STATUS_U64 };

/* In the kernel's order: each line is compared with what may still come. */
static const struct status_field {
    const char *key;
    size_t length;
    enum status_kind kind;
    size_t offset;
    status_parser *parse;
} status_fields[] = {
#define KEY(text) (text), sizeof(text) - 1
#define AT(field) offsetof(struct procfs_status, field)
    { KEY("Name:"), STATUS_SPECIAL, 0, status_name },
    { KEY("Uid:"), STATUS_SPECIAL, 0, status_uid },
    { KEY("Gid:"), STATUS_SPECIAL, 0, status_gid },
    { KEY("NSpid:"), STATUS_SPECIAL, 0, status_ns_pid },
    { KEY("VmRSS:"), STATUS_U64, AT(vm_rss_kb), NULL },
    { KEY("CapInh:"), STATUS_HEX64, AT(cap_inheritable), NULL },
    { KEY("CapPrm:"), STATUS_HEX64, AT(cap_permitted), NULL },
    { KEY("CapEff:"), STATUS_HEX64, AT(cap_effective), NULL },
    { KEY("CapBnd:"), STATUS_HEX64, AT(cap_bounding), NULL },
    { KEY("CapAmb:"), STATUS_HEX64, AT(cap_ambient), NULL },
    { KEY("NoNewPrivs:"), STATUS_INT, AT(no_new_privs), NULL },
    { KEY("Seccomp:"), STATUS_INT, AT(seccomp_mode), NULL },
    { KEY("Seccomp_filters:"), STATUS_INT, AT(seccomp_filters), NULL },
#undef KEY
#undef AT
};

static void store_number(struct procfs_status *status, const struct status_field *field,
                         const char *value)
{
    void *target = (char *)status + field->offset;
    if (field->kind == STATUS_INT)
        *(int *)target = (int)one_number(value);
    else
        *(uint64_t *)target =
            field->kind == STATUS_HEX64 ? parse_hex(value) : (uint64_t)one_number(value);
}

/* One line; *next: the first field that may still come. */
static void status_line(struct procfs_status *status, size_t *next, const char *line, size_t length)
{
    for (size_t i = *next; i < CL_COUNT(status_fields); i++) {
        const struct status_field *field = &status_fields[i];
        if (line[0] != field->key[0] || length < field->length ||
            memcmp(line, field->key, field->length) != 0)
            continue;
        const char *value = skip_blanks(line + field->length);
        if (field->parse != NULL)
            field->parse(status, value, length - (size_t)(value - line));
        else
            store_number(status, field, value);
        *next = i + 1;
        return;
    }
}

int procfs_read_status(int pid_fd, struct procfs_status *ret)
{
    cl_auto_fd fd = open_file(pid_fd, "status");
    if (fd < 0)
        return fd;
    struct procfs_status status = { 0 };
    char buffer[4096], *line = NULL;
    struct k_lines lines = { .fd = fd, .buffer = buffer, .size = sizeof buffer };
    size_t next = 0, length = 0;
    /* Ends at the last field, without the read that would find the end of the file; kernels
       without seccomp have it not. */
    while (next < CL_COUNT(status_fields)) {
        int code = k_lines_next(&lines, &line, &length);
        if (code < 0)
            return code;
        if (code == 0 || strncmp(line, "Cpus_allowed:", 13) == 0)
            break;
        status_line(&status, &next, line, length);
    }
    if (next == 0)
        return -EINVAL;
    *ret = status;
    return 0;
}

/* ---- cmdline ---- */

static ssize_t read_bracketed_name(int pid_fd, char *buffer, size_t size)
{
    char name[64];
    ssize_t length = read_once(pid_fd, "comm", name, sizeof name);
    if (length < 0)
        return length;
    if (length > 0 && name[length - 1] == '\n')
        name[length - 1] = '\0';
    (void)cl_print(buffer, size, "[%s]", name); /* cut where the buffer ends, as promised */
    return (ssize_t)strlen(buffer);
}

ssize_t procfs_read_command(int pid_fd, char *buffer, size_t size)
{
    if (size == 0)
        return -EINVAL;
    ssize_t length = read_once(pid_fd, "cmdline", buffer, size);
    if (length < 0)
        return length;
    while (length > 0 && buffer[length - 1] == '\0')
        length--;
    if (length == 0)
        return read_bracketed_name(pid_fd, buffer, size);
    for (ssize_t i = 0; i < length; i++)
        if (buffer[i] == '\0')
            buffer[i] = ' ';
    buffer[length] = '\0';
    return length;
}

void procfs_unescape(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; out++) {
        bool is_octal = in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' &&
                        in[2] <= '7' && in[3] >= '0' && in[3] <= '7';
        *out = is_octal ? (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0')) : *in;
        in += is_octal ? 4 : 1;
    }
    *out = '\0';
}
