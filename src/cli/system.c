/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche version, cloche info, cloche top.
 */
#include "cli/cli_private.h"

#include <sys/utsname.h>

struct format_options {
    const char *format;
};

static const struct cli_option format_table[] = {
    CLI_ROW("format", 'f', CLI_STRING, "string", "Format output using a Go template, or 'json'",
            struct format_options, format),
};

static int print_with(struct cl_json *take_object, const char *format, struct cl_error *err)
{
    struct cli_format *renderer = NULL;
    int result = cli_format_new(format, "json", &renderer, err);
    if (result < 0)
        cl_json_unref(take_object);
    else
        result = cli_format_row(renderer, take_object, err);
    if (result >= 0)
        result = cli_format_finish(renderer, stdout, err);
    cli_format_free(renderer);
    return result;
}

/* ---- version ---- */

static struct cl_json *version_object(void)
{
    struct utsname host;
    CL_AUTO(cl_json_unref) struct cl_json *object = cl_json_object();
    struct cl_json *client = cl_json_object();
    (void)uname(&host); /* can't fail with a good pointer */
    if (cl_json_set_string(client, "Version", CLOCHE_VERSION) < 0 ||
        cl_json_set_string(client, "Os", "linux") < 0 ||
        cl_json_set_string(client, "Arch", host.machine) < 0 ||
        cl_json_set_string(client, "KernelVersion", host.release) < 0 ||
        cl_json_set_string(client, "OCIRuntimeSpec", OCI_SPEC_VERSION) < 0) {
        cl_json_unref(client);
        return NULL;
    }
    return cl_json_set(object, "Client", client) < 0 ? NULL : cl_take(object);
}

static int version(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct format_options *options = data;
    CL_AUTO(cl_json_unref) struct cl_json *object = version_object();
    if (object == NULL)
        return cl_fail(err, ENOMEM, "describe this version");
    if (options->format != NULL)
        return print_with(cl_take(object), options->format, err);
    const struct cl_json *client = cl_json_get(object, "Client");
    (void)printf(
        "Cloche:\n Version:           %s\n OCI runtime-spec:  %s\n OS/Arch:           %s/%s\n"
        " Kernel:            %s\n",
        CLOCHE_VERSION, OCI_SPEC_VERSION, cl_json_string(cl_json_get(client, "Os")),
        cl_json_string(cl_json_get(client, "Arch")),
        cl_json_string(cl_json_get(client, "KernelVersion")));
    return cli_flush(err);
}

/* ---- info ---- */

static void print_info(const struct cl_json *info)
{
    static const struct {
        const char *label, *key;
    } rows[] = {
        { "Containers", "Containers" },
        { " Running", "ContainersRunning" },
        { " Paused", "ContainersPaused" },
        { " Stopped", "ContainersStopped" },
        { "Images", "Images" },
        { "Version", "ServerVersion" },
        { "Storage Driver", "Driver" },
        { "Logging Driver", "LoggingDriver" },
        { "Cgroup Driver", "CgroupDriver" },
        { "Cgroup Version", "CgroupVersion" },
        { "Runtime", "DefaultRuntime" },
        { "Kernel Version", "KernelVersion" },
        { "OSType", "OSType" },
        { "Architecture", "Architecture" },
        { "CPUs", "NCPU" },
        { "Total Memory", "MemTotal" },
        { "Name", "Name" },
        { "Root Dir", "DockerRootDir" },
        { "State Dir", "StateDir" },
    };
    for (size_t i = 0; i < CL_COUNT(rows); i++) {
        const struct cl_json *value = cl_json_get(info, rows[i].key);
        char size[40];
        if (cl_streq(rows[i].key, "MemTotal")) {
            cl_human_bytes(cl_json_int(value), size);
            (void)printf("%s: %s\n", rows[i].label, size);
        } else if (cl_json_type(value) == CL_JSON_INT) {
            (void)printf("%s: %lld\n", rows[i].label, (long long)cl_json_int(value));
        } else {
            (void)printf("%s: %s\n", rows[i].label, cl_json_string_or(value, ""));
        }
    }
}

static int info(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct format_options *options = data;
    CL_AUTO(cl_json_unref) struct cl_json *object = NULL;
    struct engine *engine;
    int result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = engine_info(engine, &object, err);
    if (result < 0)
        return result;
    if (options->format != NULL)
        return print_with(cl_take(object), options->format, err);
    print_info(object);
    return cli_flush(err);
}

/* ---- top ---- */

static int top_row(struct cl_table *table, int proc, pid_t pid)
{
    struct procfs_stat stat;
    struct procfs_status status;
    char command[4096], number[24];
    cl_auto_fd pid_fd = procfs_open_pid(proc, pid);
    if (pid_fd < 0 || procfs_read_stat(pid_fd, &stat) < 0 ||
        procfs_read_status(pid_fd, &status) < 0 ||
        procfs_read_command(pid_fd, command, sizeof command) < 0)
        return 0; /* it has ended */
    const char *user = cl_user_name(status.uid[0]);
    (void)CL_PRINT(number, "%u", (unsigned)status.uid[0]);
    int result = cl_table_row(table);
    if (result >= 0)
        result = cl_table_cell(table, user == NULL ? number : user);
    if (result >= 0)
        result = cl_table_cellf(table, "%d", (int)pid);
    if (result >= 0)
        result = cl_table_cellf(table, "%d", (int)stat.parent);
    if (result >= 0)
        result = cl_table_cellf(table, "%d",
                                status.levels > 0 ? (int)status.ns_pid[status.levels - 1] : 0);
    return result < 0 ? result : cl_table_cell(table, command);
}

static int compare_pids(const void *a, const void *b)
{
    return *(const pid_t *)a < *(const pid_t *)b ? -1 : *(const pid_t *)a > *(const pid_t *)b;
}

static int top(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    static const char *const columns[] = { "UID", "PID", "PPID", "PID INSIDE", "CMD" };
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_DOCKER);
    struct engine *engine;
    cl_auto_free pid_t *pids = NULL;
    size_t count = 0;
    cl_auto_fd proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    int result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = engine_container_pids(engine, arguments[0], &pids, &count, err);
    if (result < 0)
        return result;
    qsort(pids, count, sizeof *pids, compare_pids);
    for (size_t i = 0; result >= 0 && i < CL_COUNT(columns); i++)
        result = cl_table_column(table, columns[i], CL_COLUMN_LEFT);
    for (size_t i = 0; result >= 0 && i < count; i++)
        result = top_row(table, proc, pids[i]);
    if (result >= 0)
        result = cl_table_print(table, stdout, CL_TABLE_PLAIN, 0);
    return result < 0 ? cl_fail(err, result, "list the processes") : cli_flush(err);
}

const struct cli_verb cli_verb_version = {
    .name = "version",
    .synopsis = "[OPTIONS]",
    .summary = "Show the Cloche version information",
    .examples = "$ cloche version --format '{{.Client.Version}}'\n",
    CLI_OPTIONS(format_table),
    .options_size = sizeof(struct format_options),
    .max_arguments = 0,
    .run = version,
};

const struct cli_verb cli_verb_info = {
    .name = "info",
    .synopsis = "[OPTIONS]",
    .summary = "Display system-wide information",
    .examples = "$ cloche info --format '{{.CgroupVersion}} {{.KernelVersion}}'\n",
    CLI_OPTIONS(format_table),
    .options_size = sizeof(struct format_options),
    .max_arguments = 0,
    .run = info,
};

const struct cli_verb cli_verb_top = {
    .name = "top",
    .synopsis = "CONTAINER",
    .summary = "Display the running processes of a container, with their PIDs on both sides",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche top web\n"
                "$ cloche rm -f web\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = top,
};
