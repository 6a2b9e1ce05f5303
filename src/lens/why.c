/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cloche why`: opens the target once, asks, and prints the findings: one block each, its lines short enough for 80 columns.
 */
#include "lens/why.h"

#include <errno.h>
#include <fcntl.h>

#include "lens/engines.h"
#include "lens/names.h"
#include "lens/proc.h"

#define WIDTH 78

int why_add(struct why *why, const struct why_finding *take_finding)
{
    bool is_good = take_finding->what != NULL && take_finding->because != NULL;
    if (is_good && why->count == why->room) {
        size_t room = why->room == 0 ? 16 : why->room * 2;
        struct why_finding *more = cl_realloc(why->findings, room * sizeof *more);
        is_good = more != NULL;
        why->findings = is_good ? more : why->findings;
        why->room = is_good ? room : why->room;
    }
    if (is_good) {
        why->findings[why->count++] = *take_finding;
        return 0;
    }
    free(take_finding->what);
    free(take_finding->because);
    free(take_finding->allow);
    return -ENOMEM;
}

static void why_done(struct why *why)
{
    for (size_t i = 0; i < why->count; i++) {
        free(why->findings[i].what);
        free(why->findings[i].because);
        free(why->findings[i].allow);
    }
    free(why->findings);
    free(why->groups);
    cl_json_unref(why->config);
    (void)cl_close(why->root_fd);
    (void)cl_close(why->pid_fd);
}

/* ---- the target ---- */

static void read_groups(struct why *why)
{
    cl_auto_free char *text = NULL;
    if (cl_read_file(why->pid_fd, "status", 1 << 20, &text, NULL, NULL) < 0)
        return;
    char *at = strstr(text, "\nGroups:");
    if (at == NULL)
        return;
    at += strlen("\nGroups:");
    at[strcspn(at, "\n")] = '\0';
    why->groups = cl_strdup(at);
}

/* Whose container it is, also where it was called by pid, and what its engine wrote down of it. */
static void find_engine(struct why *why, const struct lens_names *names)
{
    struct lens_container *container = &why->target.container;
    cl_auto_free char *cgroup = NULL;
    struct lens_directory directory = { 0 };
    if (cl_read_file(why->pid_fd, "cgroup", 1 << 16, &cgroup, NULL, NULL) < 0)
        return;
    if (!why->target.is_container) {
        lens_directory_read(&directory, names);
        const struct lens_process process = { .host_pid = why->target.pid,
                                              .start_ticks = why->target.start_ticks,
                                              .cgroup = cgroup };
        const struct lens_container *found = lens_directory_find(&directory, &process);
        why->target.is_container = found != NULL;
        if (found != NULL)
            *container = *found;
        lens_directory_done(&directory);
    }
    if (why->target.is_container && !cl_streq(container->engine, "cloche"))
        why->config = lens_engine_config(AT_FDCWD, cgroup, container);
}

/* Where the whole machine lies below a filter (it is a container itself), so does everything here. */
static int count_host_filters(const struct why *why)
{
    struct procfs_status status;
    cl_auto_fd init = procfs_open_pid(why->proc_fd, 1);
    return init >= 0 && procfs_read_status(init, &status) >= 0 ? status.seccomp_filters : 0;
}

static int open_running(struct why *why, const struct lens_names *names, struct cl_error *err)
{
    struct procfs_stat stat;
    uint64_t own = 0, host = 0;
    why->pid_fd = procfs_open_pid(why->proc_fd, why->target.pid);
    int code = why->pid_fd < 0 ? why->pid_fd : procfs_read_stat(why->pid_fd, &stat);
    if (code >= 0 && stat.start_ticks != why->target.start_ticks)
        code = -ESRCH; /* another process has got the pid */
    if (code >= 0)
        code = procfs_read_status(why->pid_fd, &why->status);
    if (code < 0)
        return cl_fail(err, code, "look at process %d", (int)why->target.pid);
    why->is_running = true;
    why->root_fd = openat(why->pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd self = openat(why->proc_fd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    why->has_own_user_ns = self >= 0 && k_ns_inode(self, K_NS_USER, &host) >= 0 &&
                           k_ns_inode(why->pid_fd, K_NS_USER, &own) >= 0 && own != host;
    why->host_filters = count_host_filters(why);
    read_groups(why);
    find_engine(why, names);
    return 0;
}

static bool has_question(const struct lens_why_options *options)
{
    return options->syscalls != NULL || options->paths != NULL || options->capabilities != NULL ||
           options->command != NULL;
}

static int open_target(struct why *why, const struct lens_why_options *options,
                       const struct lens_names *names, struct cl_error *err)
{
    struct cl_error first = { 0 };
    bool is_oom = false;
    int code = lens_find_target(why->proc_fd, options->target, names, &why->target, &first);
    if (code >= 0)
        return open_running(why, names, err);
    bool has_ended = first.kind == CL_KIND_CONFLICT && !has_question(options) &&
                     why->policy != NULL && why->policy->ended != NULL &&
                     why->policy->ended(why->policy->context, options->target,
                                        &why->target.container, &is_oom) >= 0;
    if (!has_ended) {
        if (err != NULL)
            *err = first;
        return code;
    }
    why->target.is_container = true;
    return !is_oom ? 0
                   : why_add(why, &(struct why_finding){
                                      .answer = WHY_REFUSED,
                                      .is_past = true,
                                      .layer = "cgroup limit",
                                      .what = cl_strdup("use more memory than its limit"),
                                      .because = cl_strdup("the OOM killer ended the container"),
                                      .allow = cl_strdup("--memory SIZE") });
}

/* ---- questions ---- */

static int ask(struct why *why, const struct lens_why_options *options, struct cl_error *err)
{
    int code = 0;
    if (!has_question(options))
        code = why_past(why);
    for (const char *const *at = options->syscalls; code >= 0 && at != NULL && *at != NULL; at++)
        code = why_syscall(why, *at, err);
    for (const char *const *at = options->capabilities; code >= 0 && at != NULL && *at != NULL;
         at++)
        code = why_capability(why, *at, err);
    for (const char *const *at = options->paths; code >= 0 && at != NULL && *at != NULL; at++)
        code = why_path(why, *at, options->access, err);
    if (code >= 0 && options->command != NULL)
        code = why_command(why, options->command, err);
    if (code == -ENOMEM)
        return cl_fail(err, ENOMEM, "look at %s", options->target);
    return code;
}

/* ---- printing ---- */

static const char *const answer_words[] = { "allowed", "refused", "it depends", "unknown" };

static void print_wrapped(FILE *out, const char *label, const char *text)
{
    cl_auto_free char *escaped = cl_escape_terminal(text);
    int column = fprintf(out, "  %-8s", label);
    for (const char *word = escaped == NULL ? "" : escaped; *word != '\0';) {
        size_t length = strcspn(word, " ");
        if (column + 1 + (int)length > WIDTH && column > 10)
            column = fprintf(out, "\n%10s", "");
        column += fprintf(out, " %.*s", (int)length, word); /* checked with ferror */
        word += length + strspn(word + length, " ");
    }
    (void)fputc('\n', out);
}

static void print_finding(FILE *out, const struct why_finding *finding)
{
    cl_auto_free char *what = cl_escape_terminal(finding->what);
    bool was = finding->is_past && finding->answer == WHY_REFUSED;
    (void)fprintf(out, "%s: %s\n", what == NULL ? "" : what,
                  was ? "was refused" : answer_words[finding->answer]); /* checked with ferror */
    if (finding->layer != NULL)
        print_wrapped(out, "layer", finding->layer);
    print_wrapped(out, "because", finding->because);
    if (finding->allow != NULL && finding->answer != WHY_ALLOWED)
        print_wrapped(out, "allow by", finding->allow);
}

static void add_member(struct cl_buf *buf, const char *key, const char *text)
{
    cl_buf_printf(buf, ",\"%s\":", key);
    if (text == NULL)
        cl_buf_str(buf, "null");
    else
        cl_buf_json_string(buf, text);
}

static int print_json(const struct why *why, FILE *out)
{
    static const char *const words[] = { "allowed", "refused", "depends", "unknown" };
    cl_auto_buf buf = CL_BUF_INIT(16 << 20);
    cl_buf_printf(&buf, "{\"pid\":%d,\"findings\":[", (int)why->target.pid);
    for (size_t i = 0; i < why->count; i++) {
        const struct why_finding *finding = &why->findings[i];
        cl_buf_printf(&buf, "%s{\"answer\":\"%s\",\"past\":%s", i == 0 ? "" : ",",
                      words[finding->answer], finding->is_past ? "true" : "false");
        add_member(&buf, "what", finding->what);
        add_member(&buf, "layer", finding->layer);
        add_member(&buf, "because", finding->because);
        add_member(&buf, "allow", finding->allow);
        cl_buf_char(&buf, '}');
    }
    cl_buf_str(&buf, "]}\n");
    if (buf.failed < 0)
        return buf.failed;
    return fputs(buf.data, out) == EOF ? -errno : 0;
}

static int print(const struct why *why, const struct lens_why_options *options, FILE *out)
{
    if (options->json)
        return print_json(why, out);
    if (why->count == 0)
        (void)fputs("nothing that the kernel has kept; ask about a thing with --syscall, --path, "
                    "--cap or -- COMMAND\n",
                    out);
    for (size_t i = 0; i < why->count; i++)
        print_finding(out, &why->findings[i]);
    return ferror(out) ? -EIO : 0;
}

int lens_why(const struct lens_why_options *options, const struct lens_names *names,
             const struct lens_why_policy *policy, FILE *out, struct cl_error *err)
{
    cl_auto_fd own_fd = options->proc_fd > 0 ? -EBADF : lens_open_proc(err);
    struct why why = { .proc_fd = options->proc_fd > 0 ? options->proc_fd : own_fd,
                       .policy = policy,
                       .pid_fd = -EBADF,
                       .root_fd = -EBADF };
    struct procfs_stat stat;
    if (why.proc_fd < 0)
        return why.proc_fd;
    int code = open_target(&why, options, names, err);
    if (code >= 0)
        code = ask(&why, options, err);
    if (code >= 0 && why.is_running && procfs_read_stat(why.pid_fd, &stat) < 0)
        code = cl_fail_kind(err, CL_KIND_NOT_FOUND, ESRCH, "process %d ended while we looked",
                            (int)why.target.pid);
    if (code >= 0) {
        code = print(&why, options, out);
        if (code < 0)
            (void)cl_fail(err, code, "print the findings");
    }
    why_done(&why);
    return code < 0 ? code : 0;
}
