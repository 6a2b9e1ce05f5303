/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps: the processes of a container. Without more we read /proc ourselves. What follows the id is for the machine's ps(1), as with runc: it is run with just that, and
 * of what it prints the heading is kept and each line whose PID is one of the container's.
 *
 * ps sees the host, and is never run inside. A line's PID is the number right below the heading's; where columns have run over, the word of the same place in the line.
 */
#include "ocicli/private.h"

#include <ctype.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define OUTPUT_MAX    (256 << 20)
#define COMPLAINT_MAX 65536

struct ps_options {
    const char *format;
};
static const struct option_row ps_table[] = {
    OPTION("format", 'f', OPTION_STRING, "FORMAT", "table (default) or json", struct ps_options,
           format),
};

/* ---- by ourselves ---- */

static int add_process(struct cl_table *table, int proc, pid_t pid)
{
    struct procfs_stat stat;
    struct procfs_status status;
    char command[4096];
    cl_auto_fd pid_fd = procfs_open_pid(proc, pid);
    if (pid_fd < 0 || procfs_read_stat(pid_fd, &stat) < 0 ||
        procfs_read_status(pid_fd, &status) < 0 ||
        procfs_read_command(pid_fd, command, sizeof command) < 0)
        return 0; /* it has ended */
    uint64_t seconds = (stat.user_ticks + stat.system_ticks) / (uint64_t)k_clock_ticks();
    const char *user = cl_user_name(status.uid[1]);
    int result = cl_table_row(table);
    if (result >= 0)
        result =
            user != NULL ? cl_table_cell(table, user) : cl_table_cellf(table, "%u", status.uid[1]);
    if (result >= 0)
        result = cl_table_cellf(table, "%d", (int)pid);
    if (result >= 0)
        result = cl_table_cellf(table, "%d", (int)stat.parent);
    if (result >= 0)
        result = cl_table_cellf(table, "%02u:%02u:%02u", (unsigned)(seconds / 3600),
                                (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    return result < 0 ? result : cl_table_cell(table, command);
}

static int print_pids(const pid_t *pids, size_t count, struct cl_error *err)
{
    struct cl_json *json = cl_json_array();
    int result = json == NULL ? -ENOMEM : 0;
    for (size_t i = 0; result >= 0 && i < count; i++)
        result = cl_json_add(json, cl_json_from_int(pids[i]));
    if (result >= 0)
        return print_json(json, err);
    cl_json_unref(json);
    return cl_fail(err, ENOMEM, "list processes");
}

static int print_processes(const pid_t *pids, size_t count, struct cl_error *err)
{
    static const char *const headings[] = { "UID", "PID", "PPID", "TIME", "CMD", NULL };
    CL_AUTO(cl_table_free) struct cl_table *table = NULL;
    cl_auto_fd proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    int result = list_table_new(headings, &table);
    for (size_t i = 0; result >= 0 && i < count; i++)
        result = add_process(table, proc, pids[i]);
    if (result >= 0)
        result = cl_table_print(table, stdout, CL_TABLE_PLAIN, 0);
    return result < 0 ? cl_fail(err, result, "list processes") : flush_output(err);
}

/* ---- by ps(1) ---- */

static _Noreturn void become_ps(char *const *arguments, int output, int complaints)
{
    if (dup2(output, STDOUT_FILENO) >= 0 && dup2(complaints, STDERR_FILENO) >= 0)
        (void)execvp(arguments[0], arguments);
    _exit(errno == ENOENT ? 127 : 126);
}

static int ps_failed(int status, const char *complaint, struct cl_error *err)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (complaint[0] == '\0' && (code == 127 || code == 126))
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, code == 127 ? ENOENT : EACCES,
                            "options after the id are for ps(1), and %s; install it (package "
                            "procps), or use --format json and look at these pids",
                            code == 127 ? "there is no program ps in PATH" : "it can't be run");
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "ps ended with status %d%s%.200s", code,
                        complaint[0] != '\0' ? ": " : "", complaint);
}

/* What it complained about: its first line for our error, or all of it handed on. */
static int judge(int complaints, int status, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    if (lseek(complaints, 0, SEEK_SET) < 0 ||
        cl_read_fd(complaints, COMPLAINT_MAX, &text, &size, NULL) < 0)
        text = NULL; /* more than anyone reads */
    if (status == 0) {
        (void)fputs(text != NULL ? text : "", stderr); /* warnings */
        return 0;
    }
    char *line = text;
    while (line != NULL && *line == '\n')
        line++;
    if (line != NULL)
        line[strcspn(line, "\n")] = '\0';
    return ps_failed(status, line != NULL ? line : "", err);
}

static int run_ps(char *const *arguments, char **ret, struct cl_error *err)
{
    cl_auto_fd ours = -EBADF, output = -EBADF, complaints = memfd_create("ps", MFD_CLOEXEC);
    cl_auto_free char *text = NULL;
    int result = complaints < 0 ? -errno : cl_pipe(&ours, &output), status = 0;
    pid_t pid = result < 0 ? result : fork();
    if (pid == 0)
        become_ps(arguments, output, complaints);
    if (pid < 0)
        return cl_fail(err, result < 0 ? result : errno, "run ps");
    output = cl_close(output);
    result = cl_read_fd(ours, OUTPUT_MAX, &text, NULL, err);
    ours = cl_close(ours); /* with more than that it ends, too */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (result < 0)
        return cl_error_prefix(err, "read what ps prints");
    result = judge(complaints, status, err);
    if (result >= 0)
        *ret = cl_take(text);
    return result;
}

/* ---- its lines ---- */

struct column {
    size_t end;  /* of the word PID, in the heading */
    size_t word; /* that many words are before it */
};

static bool find_column(const char *heading, struct column *ret)
{
    size_t words = 0;
    for (const char *at = heading; *at != '\0'; words++) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        if (length == 3 && strncmp(at, "PID", 3) == 0) {
            *ret = (struct column){ .end = (size_t)(at - heading) + 3, .word = words };
            return true;
        }
        at += length;
    }
    return false;
}

static bool take_pid(const char *text, size_t length, pid_t *ret)
{
    char number[16];
    int64_t value = 0;
    if (length == 0 || length >= sizeof number)
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    if (cl_parse_i64(number, 1, INT32_MAX, &value) < 0)
        return false;
    *ret = (pid_t)value;
    return true;
}

/* The number that ends where the heading does; else the word of the same place, as runc takes it. */
static bool find_pid(const char *line, const struct column *column, pid_t *ret)
{
    size_t end = column->end, start = end;
    if (strlen(line) >= end && (line[end] == ' ' || line[end] == '\0'))
        while (start > 0 && isdigit((unsigned char)line[start - 1]))
            start--;
    if (start < end && (start == 0 || line[start - 1] == ' ') &&
        take_pid(line + start, end - start, ret))
        return true;
    line += strspn(line, " ");
    for (size_t i = 0; i < column->word; i++) {
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    return take_pid(line, strcspn(line, " "), ret);
}

static int print_lines(char *text, const pid_t *pids, size_t count, struct cl_error *err)
{
    struct column column = { 0 };
    pid_t pid = 0;
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        bool is_heading = line == text;
        if (is_heading && !find_column(line, &column))
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "what ps prints has no column PID, so the container's processes "
                                "can't be told; ask it for one (-o pid)");
        if (!is_heading && line[0] != '\0' && !find_pid(line, &column, &pid))
            return cl_fail(err, EINVAL, "no PID in this line of ps: %.200s", line);
        if (is_heading || (line[0] != '\0' && has_pid(pids, count, pid)))
            (void)puts(line); /* flush_output tells of a failure */
    }
    return flush_output(err);
}

static int print_by_ps(char **arguments, const pid_t *pids, size_t count, struct cl_error *err)
{
    static char name[] = "ps";
    cl_auto_free char *text = NULL;
    cl_auto_free char **words =
        cl_calloc(cl_strv_count((const char *const *)arguments) + 2, sizeof *words);
    if (words == NULL)
        return cl_fail(err, ENOMEM, "run ps");
    words[0] = name;
    for (size_t i = 0; arguments[i] != NULL; i++)
        words[i + 1] = arguments[i];
    int result = run_ps(words, &text, err);
    return result < 0 ? result : print_lines(text, pids, count, err);
}

/* ---- the verb ---- */

static int read_pids(const struct ocicli *cli, const char *id, pid_t **ret, size_t *ret_count,
                     struct cl_error *err)
{
    auto_container container = CONTAINER_NONE;
    struct group group;
    int result = container_open(cli, id, false, &container, err);
    if (result >= 0)
        result = group_open(container.cgroup_path, &group, err);
    if (result < 0)
        return result;
    result = cgroup_pids(&group.cgroup, ret, ret_count);
    group_done(&group);
    return result < 0 ? cl_fail(err, result, "list the processes of container %s", id) : 0;
}

static int ps(const struct ocicli *cli, const void *data, char **arguments, struct cl_error *err)
{
    const struct ps_options *options = data;
    cl_auto_free pid_t *pids = NULL;
    size_t count = 0;
    bool wants_json = false;
    int result = list_check_format(options->format, &wants_json, err);
    char **words = arguments + 1;
    if (*words != NULL && cl_streq(*words, "--")) /* ps has no use for it */
        words++;
    if (result >= 0 && wants_json && *words != NULL)
        result = cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                              "--format json has no use for the ps option \"%.80s\"", *words);
    if (result >= 0)
        result = read_pids(cli, arguments[0], &pids, &count, err);
    if (result < 0)
        return result;
    if (*words != NULL)
        return print_by_ps(words, pids, count, err);
    return wants_json ? print_pids(pids, count, err) : print_processes(pids, count, err);
}

const struct verb verb_ps = {
    .name = "ps",
    .synopsis = "[OPTIONS] ID [PS-OPTION...]",
    .summary = "List the processes of a container; options after ID are ps(1)'s",
    VERB_OPTIONS(ps_table, struct ps_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .options_end_at_argument = true,
    .run = ps,
};
