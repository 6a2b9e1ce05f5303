/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been refused already, from what the kernel keeps: counters of the control group, resource limits that are used up, and its log.
 *
 * The log tells of seccomp when a filter was loaded to be logged (`run --record-denials`): each denial then carries the session that init has
 * opened for the container, so it is known whose it was also when the process is long gone. Security modules and the OOM killer log by themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "kernel/cgroupfs.h"
#include "kernel/inroot.h"
#include "lens/why.h"
#include "oci/names.h"

/* ---- the control group ---- */

static char *path_in(char *text, const struct cgroup_hierarchy *hierarchy, const char *controller)
{
    for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *list = strchr(line, ':');
        char *path = list == NULL ? NULL : strchr(list + 1, ':');
        if (path == NULL)
            continue;
        *path++ = '\0';
        for (char *word = list + 1, *end; word != NULL; word = end) {
            end = strchr(word, ',');
            if (end != NULL)
                *end++ = '\0';
            if (hierarchy->is_v2 ? list[1] == '\0' : strcmp(word, controller) == 0)
                return path;
        }
    }
    return NULL;
}

bool why_cgroup_file(const struct why *why, const char *controller, const char *v1, const char *v2,
                     char *value, size_t size)
{
    struct cgroup_host host;
    cl_auto_free char *text = NULL;
    ssize_t length = -ENOENT;
    if (!why->is_running || cl_read_file(why->pid_fd, "cgroup", 65536, &text, NULL, NULL) < 0 ||
        cgroup_host_init(&host, why->proc_fd, NULL) < 0)
        return false;
    const struct cgroup_hierarchy *hierarchy = cgroup_host_find(&host, controller);
    const char *path = hierarchy == NULL ? NULL : path_in(text, hierarchy, controller);
    const char *file = hierarchy != NULL && hierarchy->is_v2 ? v2 : v1;
    if (path != NULL && file[0] != '\0') {
        cl_auto_fd group = inroot_open(hierarchy->root_fd, path, O_PATH | O_DIRECTORY, 0,
                                       INROOT_NO_SYMLINKS, NULL);
        length = group < 0 ? group : cl_read_small(group, file, value, size);
    }
    cgroup_host_done(&host);
    return length > 0;
}

/* "key N" in a text of lines; 0 where it is not. */
static uint64_t value_of(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length + 1, NULL, 10); /* allowed: the kernel's own number */
    }
    return 0;
}

static const struct counter {
    const char *controller, *v1, *v2, *key_v1, *key_v2;
    const char *what, *because, *allow;
} counters[] = {
    { "memory", "memory.oom_control", "memory.events", "oom_kill", "oom_kill",
      "use more memory than its limit",
      "the OOM killer has ended a process of the group, times:", "--memory SIZE" },
    { "pids", "pids.events", "pids.events", "max", "max", "fork past the limit of processes",
      "fork was refused with EAGAIN, times:", "--pids-limit N (-1: none)" },
    { "cpu", "cpu.stat", "cpu.stat", "nr_throttled", "nr_throttled", "use more CPU than its quota",
      "it had to wait for the next period, times:", "--cpus N" },
};

static int ask_counters(struct why *why)
{
    for (size_t i = 0; i < CL_COUNT(counters); i++) {
        char text[4096];
        const struct counter *counter = &counters[i];
        if (!why_cgroup_file(why, counter->controller, counter->v1, counter->v2, text, sizeof text))
            continue;
        uint64_t count = value_of(text, counter->key_v2);
        if (count == 0)
            count = value_of(text, counter->key_v1);
        if (count == 0)
            continue;
        int code =
            why_add(why, &(struct why_finding){ .answer = WHY_REFUSED,
                                                .is_past = true,
                                                .layer = "cgroup limit",
                                                .what = cl_strdup(counter->what),
                                                .because = cl_format("%s %llu", counter->because,
                                                                     (unsigned long long)count),
                                                .allow = cl_strdup(counter->allow) });
        if (code < 0)
            return code;
    }
    return 0;
}

/* ---- resource limits ---- */

static int count_descriptors(const struct why *why)
{
    struct procfs_walk *walk = cl_malloc(sizeof *walk);
    int count = 0;
    cl_auto_fd fd = openat(why->pid_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = walk == NULL ? -ENOMEM : fd < 0 ? -errno : procfs_walk_init(walk, fd);
    if (code >= 0) {
        count = 1; /* the walk passes over 0 */
        while (procfs_walk_next(walk) > 0)
            count++;
        procfs_walk_done(walk);
    }
    free(walk);
    return code < 0 ? code : count;
}

static int ask_limits(struct why *why)
{
    char text[4096], number[24];
    uint64_t soft;
    ssize_t length = cl_read_small(why->pid_fd, "limits", text, sizeof text);
    const char *line = length <= 0 ? NULL : strstr(text, "Max open files");
    int used = count_descriptors(why);
    if (line == NULL || used < 0)
        return 0;
    line += strlen("Max open files");
    line += strspn(line, " ");
    if (CL_PRINT(number, "%.*s", (int)strcspn(line, " \n"), line) < 0 ||
        cl_parse_u64(number, 0, UINT64_MAX, &soft) < 0 || (uint64_t)used < soft) /* "unlimited" */
        return 0;
    return why_add(why,
                   &(struct why_finding){
                       .answer = WHY_REFUSED,
                       .is_past = true,
                       .layer = "rlimit",
                       .what = cl_strdup("open one more file"),
                       .because = cl_format("RLIMIT_NOFILE is %llu, and %d descriptors are open "
                                            "in process %d",
                                            (unsigned long long)soft, used, (int)why->target.pid),
                       .allow = cl_strdup("--ulimit nofile=N") });
}

/* ---- the log ---- */

static bool field(const char *line, const char *key, char *value, size_t size)
{
    size_t length = strlen(key);
    for (const char *at = strstr(line, key); at != NULL; at = strstr(at + 1, key)) {
        if (at != line && at[-1] != ' ')
            continue;
        at += length;
        bool is_quoted = *at == '"';
        size_t end = is_quoted ? strcspn(at + 1, "\"") : strcspn(at, " \n");
        return cl_print(value, size, "%.*s", (int)end, at + is_quoted) == 0;
    }
    return false;
}

/* Its pid or its session is the container's. */
static bool is_ours(const struct why *why, const char *line)
{
    char text[32];
    uint64_t number;
    if (why->policy != NULL && why->policy->session != 0 &&
        field(line, "ses=", text, sizeof text) && cl_parse_u64(text, 0, UINT32_MAX, &number) >= 0 &&
        number == why->policy->session)
        return true;
    return why->is_running && field(line, "pid=", text, sizeof text) &&
           cl_parse_u64(text, 1, INT32_MAX, &number) >= 0 && (pid_t)number == why->target.pid;
}

static int take_seccomp(struct why *why, const char *line)
{
    char comm[64] = "?", number[24], code[24] = "";
    uint64_t call;
    if (!field(line, "syscall=", number, sizeof number) ||
        cl_parse_u64(number, 0, UINT32_MAX, &call) < 0)
        return 0;
    (void)field(line, "comm=", comm, sizeof comm); /* these only make it nicer */
    (void)field(line, "code=", code, sizeof code);
    const struct lens_why_policy *policy = why->policy;
    const char *name =
        policy == NULL || policy->call_name == NULL ? NULL : policy->call_name((unsigned)call);
    cl_auto_free char *what =
        name == NULL ? cl_format("system call %llu", (unsigned long long)call) : cl_strdup(name);
    if (what == NULL)
        return -ENOMEM;
    struct lens_why_verdict verdict = { .capability = -1 };
    const struct lens_why_call asked = { .name = what };
    bool is_known = name != NULL && policy->syscall != NULL && why->target.is_container &&
                    policy->syscall(policy->context, &why->target.container, why->config,
                                    why->status.cap_bounding, &asked, &verdict) >= 0;
    char *allow = is_known && verdict.capability >= 0
                      ? why_cap_flag(verdict.capability)
                      : cl_strdup("--security-opt seccomp=unconfined");
    for (size_t i = 0; i < why->count; i++) /* once for each call and program */
        if (why->findings[i].is_past && cl_streq(why->findings[i].layer, "seccomp") &&
            strcmp(why->findings[i].what, what) == 0 && strstr(why->findings[i].because, comm)) {
            free(allow);
            return 0;
        }
    return why_add(why, &(struct why_finding){
                            .answer = WHY_REFUSED,
                            .is_past = true,
                            .layer = "seccomp",
                            .what = cl_strdup(what),
                            .because = cl_format(
                                "the filter refused it to %s (kernel log, action %s)", comm, code),
                            .allow = allow });
}

static int take_module(struct why *why, const char *line)
{
    char profile[128] = "?", operation[64] = "?", name[256] = "";
    (void)field(line, "profile=", profile, sizeof profile);
    (void)field(line, "operation=", operation, sizeof operation);
    (void)field(line, "name=", name, sizeof name);
    return why_add(why, &(struct why_finding){
                            .answer = WHY_REFUSED,
                            .is_past = true,
                            .layer = "AppArmor",
                            .what = cl_format("%s %s", operation, name),
                            .because = cl_format("the profile %s denied it (kernel log)", profile),
                            .allow = cl_strdup("--security-opt apparmor=unconfined") });
}

static int take_oom(struct why *why, const char *line)
{
    char task[64] = "?";
    const char *id = why->target.container.id;
    if (id[0] == '\0' || strstr(line, id) == NULL)
        return 0;
    const char *at = strstr(line, "task=");
    if (at != NULL)
        (void)CL_PRINT(task, "%.*s", (int)strcspn(at + 5, ",\n"), at + 5);
    for (size_t i = 0; i < why->count; i++)
        if (why->findings[i].is_past && strstr(why->findings[i].because, "OOM killer") != NULL)
            return 0; /* the counters have told it */
    return why_add(why, &(struct why_finding){
                            .answer = WHY_REFUSED,
                            .is_past = true,
                            .layer = "cgroup limit",
                            .what = cl_strdup("use more memory than its limit"),
                            .because = cl_format("the OOM killer ended %s (kernel log)", task),
                            .allow = cl_strdup("--memory SIZE") });
}

int why_log_line(struct why *why, const char *line)
{
    if ((strstr(line, "type=1326") != NULL || strstr(line, "type=SECCOMP") != NULL) &&
        is_ours(why, line))
        return take_seccomp(why, line);
    if (strstr(line, "apparmor=\"DENIED\"") != NULL && is_ours(why, line))
        return take_module(why, line);
    if (strstr(line, "oom-kill:") != NULL)
        return take_oom(why, line);
    return 0;
}

#define LOG_RECORD_MAX 8192
#define AUDIT_TAIL_MAX (1 << 20)

/* A record each read; -EPIPE: some were overwritten, go on with what is there. */
static int read_kernel_log(struct why *why)
{
    char record[LOG_RECORD_MAX];
    int code = 0;
    cl_auto_fd fd = openat(AT_FDCWD, "/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    for (;;) {
        ssize_t size = read(fd, record, sizeof record - 1);
        if (size < 0 && (errno == EPIPE || errno == EINTR))
            continue;
        if (size <= 0)
            return 0;
        record[size] = '\0';
        code = why_log_line(why, record);
        if (code < 0)
            return code;
    }
}

/* Where auditd runs, it has the records instead of the kernel's log. */
static int read_audit_log(struct why *why)
{
    cl_auto_free char *text = NULL;
    struct stat info;
    cl_auto_fd fd = openat(AT_FDCWD, "/var/log/audit/audit.log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &info) < 0)
        return 0;
    if (info.st_size > AUDIT_TAIL_MAX && lseek(fd, info.st_size - AUDIT_TAIL_MAX, SEEK_SET) < 0)
        return 0;
    if (cl_read_fd(fd, 2 * AUDIT_TAIL_MAX, &text, NULL, NULL) < 0)
        return 0;
    int code = 0;
    for (char *line = text, *next; code >= 0 && line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        code = why_log_line(why, line);
    }
    return code;
}

int why_past(struct why *why)
{
    int code = why->is_running ? ask_counters(why) : 0;
    if (code >= 0 && why->is_running)
        code = ask_limits(why);
    if (code >= 0)
        code = read_kernel_log(why);
    if (code == -EPERM || code == -EACCES)
        code =
            why_add(why, &(struct why_finding){ .answer = WHY_UNKNOWN,
                                                .is_past = true,
                                                .layer = "kernel log",
                                                .what = cl_strdup("what the kernel has logged"),
                                                .because = cl_strdup("hidden: needs CAP_SYSLOG") });
    else if (code == -ENOENT || code == -ENXIO)
        code = 0;
    return code < 0 ? code : read_audit_log(why);
}
