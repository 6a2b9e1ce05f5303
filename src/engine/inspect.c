/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's inspect document of a container, and `cloche info`.
 *
 * Built by small functions, one per object of the document, in Docker's order. Every one of them returns a new object or NULL (no memory); cl_json_set passes a NULL on as an
 * error, so one check at the end is enough.
 */
#include "engine/engine_private.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>

#define SHM_DEFAULT (64 * 1024 * 1024) /* oci_spec_new_default() says the same */

static struct cl_json *time_text(int64_t ns)
{
    char text[40];
    cl_format_time(ns, text);
    return cl_json_from_string(text);
}

/* Collects the -ENOMEM of a run of sets. */
struct builder {
    struct cl_json *object;
    int failed;
};

static void set(struct builder *builder, const char *key, struct cl_json *take_value)
{
    if (cl_json_set(builder->object, key, take_value) < 0)
        builder->failed = -ENOMEM;
}

static void set_text(struct builder *builder, const char *key, const char *text)
{
    set(builder, key, cl_json_from_string(text));
}

static void set_bool(struct builder *builder, const char *key, bool value)
{
    set(builder, key, cl_json_from_bool(value));
}

static void set_int(struct builder *builder, const char *key, int64_t value)
{
    set(builder, key, cl_json_from_int(value));
}

static struct cl_json *finish(struct builder *builder)
{
    if (builder->failed < 0) {
        cl_json_unref(builder->object);
        return NULL;
    }
    return builder->object;
}

static struct cl_json *state_object(const struct engine_view *view)
{
    const struct wire_state *state = &view->state;
    struct builder json = { .object = cl_json_object() };
    set_text(&json, "Status", wire_status_name(state->status));
    set_bool(&json, "Running", engine_view_is_running(view));
    set_bool(&json, "Paused", state->status == WIRE_PAUSED);
    set_bool(&json, "Restarting", false);
    set_bool(&json, "OOMKilled", state->oom_killed);
    set_bool(&json, "Dead", false);
    set_int(&json, "Pid", engine_view_is_running(view) ? state->pid : 0);
    set_int(&json, "ExitCode", state->exit_code);
    set_text(&json, "Error", state->error);
    set(&json, "StartedAt", time_text(state->started_ns));
    set(&json, "FinishedAt", time_text(state->finished_ns));
    return finish(&json);
}

/* What the kernel is asked to run: the first word, and the rest. */
static struct cl_json *words_of(const struct engine_config *config)
{
    CL_AUTO(cl_json_unref) struct cl_json *words = cl_json_array();
    for (char **word = config->entrypoint; word != NULL && *word != NULL; word++)
        if (cl_json_add(words, cl_json_from_string(*word)) < 0)
            return NULL;
    for (char **word = config->command; word != NULL && *word != NULL; word++)
        if (cl_json_add(words, cl_json_from_string(*word)) < 0)
            return NULL;
    return cl_take(words);
}

static void set_command(struct builder *json, const struct engine_config *config)
{
    CL_AUTO(cl_json_unref) struct cl_json *words = words_of(config);
    struct cl_json *rest = cl_json_array();
    set_text(json, "Path", cl_json_string_or(cl_json_at(words, 0), ""));
    for (size_t i = 1; i < cl_json_count(words); i++)
        if (cl_json_add(rest, cl_json_ref(cl_json_at(words, i))) < 0)
            json->failed = -ENOMEM;
    set(json, "Args", rest);
}

static bool has_option(const char *options, const char *wanted)
{
    size_t length;
    for (const char *word = options; *word != '\0'; word += length + (word[length] == ',')) {
        length = strcspn(word, ",");
        if (length == strlen(wanted) && strncmp(word, wanted, length) == 0)
            return true;
    }
    return false;
}

static struct cl_json *mounts_array(const struct engine_config *config)
{
    CL_AUTO(cl_json_unref) struct cl_json *mounts = cl_json_array();
    for (char **text = config->binds; text != NULL && *text != NULL; text++) {
        struct engine_bind bind = { 0 };
        if (engine_bind_parse(*text, &bind, NULL) < 0)
            continue;
        struct builder json = { .object = cl_json_object() };
        set_text(&json, "Type", "bind");
        set_text(&json, "Source", bind.source);
        set_text(&json, "Destination", bind.destination);
        set_text(&json, "Mode", bind.options);
        set_bool(&json, "RW", !has_option(bind.options, "ro") && !has_option(bind.options, "rro"));
        set_text(&json, "Propagation", "rprivate");
        engine_bind_done(&bind);
        if (cl_json_add(mounts, finish(&json)) < 0)
            return NULL;
    }
    return cl_take(mounts);
}

static struct cl_json *graph_driver(struct engine *engine, const struct store_container *row)
{
    struct builder json = { .object = cl_json_object() }, data = { .object = cl_json_object() };
    CL_AUTO(store_image_free) struct store_image *image = NULL;
    cl_auto_buf lowers = CL_BUF_INIT(1 << 20);
    cl_auto_free char *upper =
        cl_format("%s/containers/%s/upper", store_root(engine->store), row->id);
    cl_auto_free char *work =
        cl_format("%s/containers/%s/work", store_root(engine->store), row->id);
    if (store_image_find(engine->store, row->image_id, &image, NULL) >= 0)
        for (size_t i = image->layer_count; i-- > 0;)
            cl_buf_printf(&lowers, "%s%s/layers/%lld", lowers.size > 0 ? ":" : "",
                          store_root(engine->store), (long long)image->layers[i].number);
    set_text(&data, "LowerDir", lowers.data == NULL ? "" : lowers.data);
    set_text(&data, "UpperDir", upper);
    set_text(&data, "WorkDir", work);
    set(&json, "Data", finish(&data));
    set_text(&json, "Name", "overlay");
    return finish(&json);
}

static struct cl_json *network_settings(const struct engine_config *config)
{
    struct builder json = { .object = cl_json_object() }, networks = { .object = cl_json_object() };
    struct builder one = { .object = cl_json_object() };
    set_text(&one, "IPAddress", "");
    set_text(&one, "Gateway", "");
    set_text(&one, "MacAddress", "");
    set(&networks, config->network_mode, finish(&one));
    set(&json, "Ports", cl_json_object());
    set_text(&json, "IPAddress", "");
    set_text(&json, "Gateway", "");
    set(&json, "Networks", finish(&networks));
    return finish(&json);
}

/* "PATH[:OPTIONS]" → {"PATH": "OPTIONS"} */
static struct cl_json *tmpfs_map(const struct engine_config *config)
{
    struct builder map = { .object = cl_json_object() };
    for (char **entry = config->tmpfs; entry != NULL && *entry != NULL; entry++) {
        size_t length = strcspn(*entry, ":");
        cl_auto_free char *path = cl_strndup(*entry, length);
        if (path == NULL)
            map.failed = -ENOMEM;
        else
            set_text(&map, path, (*entry)[length] == ':' ? *entry + length + 1 : "");
    }
    return finish(&map);
}

static int64_t shown_limit(uint64_t limit)
{
    return limit > INT64_MAX ? -1 : (int64_t)limit;
}

static struct cl_json *ulimit_array(const struct engine_config *config)
{
    CL_AUTO(cl_json_unref) struct cl_json *array = cl_json_array();
    for (char **text = config->ulimits; text != NULL && *text != NULL; text++) {
        struct builder json = { .object = cl_json_object() };
        uint64_t soft = 0, hard = 0;
        int type;
        cl_auto_free char *name = cl_strndup(*text, strcspn(*text, "="));
        if (name == NULL || engine_ulimit_parse(*text, &type, &soft, &hard, NULL) < 0)
            json.failed = -ENOMEM; /* it was parsed before, so only memory can be missing */
        else
            set_text(&json, "Name", name);
        set_int(&json, "Hard", shown_limit(hard));
        set_int(&json, "Soft", shown_limit(soft));
        if (cl_json_add(array, finish(&json)) < 0)
            return NULL;
    }
    return cl_take(array);
}

/* "HOST[:CONTAINER[:rwm]]"; whether the node still is there does not matter here. */
static struct cl_json *device_array(const struct engine_config *config)
{
    CL_AUTO(cl_json_unref) struct cl_json *array = cl_json_array();
    for (char **text = config->devices; text != NULL && *text != NULL; text++) {
        struct builder json = { .object = cl_json_object() };
        const char *rest = strchr(*text, ':'), *last = rest == NULL ? NULL : strchr(rest + 1, ':');
        bool has_path = rest != NULL && rest[1] == '/';
        cl_auto_free char *host = cl_strndup(*text, strcspn(*text, ":"));
        cl_auto_free char *inside = has_path ? cl_strndup(rest + 1, strcspn(rest + 1, ":")) : NULL;
        const char *access = last != NULL ? last + 1 : rest != NULL && !has_path ? rest + 1 : "rwm";
        if (host == NULL || (has_path && inside == NULL))
            return NULL;
        set_text(&json, "PathOnHost", host);
        set_text(&json, "PathInContainer", has_path ? inside : host);
        set_text(&json, "CgroupPermissions", access);
        if (cl_json_add(array, finish(&json)) < 0)
            return NULL;
    }
    return cl_take(array);
}

/* What was not asked for is shown as what holds. */
static void set_defaults(struct builder *json, const struct engine_config *config)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    if (spec == NULL) {
        json->failed = -ENOMEM;
        return;
    }
    if (config->masked_paths == NULL)
        set(json, "MaskedPaths", cl_json_from_strv((const char *const *)spec->linux_.masked_paths));
    if (config->readonly_paths == NULL)
        set(json, "ReadonlyPaths",
            cl_json_from_strv((const char *const *)spec->linux_.readonly_paths));
    if (config->shm_size == 0)
        set_int(json, "ShmSize", SHM_DEFAULT);
    if (config->ipc_mode[0] == '\0')
        set_text(json, "IpcMode", "private");
    if (config->cgroupns_mode[0] == '\0')
        set_text(json, "CgroupnsMode", "private");
}

/* Where Docker shows an object, an object is shown; the rest is our own table's. */
static struct cl_json *host_config(const struct cl_json *encoded,
                                   const struct engine_config *config)
{
    struct builder json = { .object = cl_json_copy(cl_json_get(encoded, "HostConfig")) };
    struct builder log = { .object = cl_json_object() }, restart = { .object = cl_json_object() };
    set_text(&log, "Type", config->log_driver);
    set(&log, "Config", cl_json_object());
    set_text(&restart, "Name", "no");
    set_int(&restart, "MaximumRetryCount", 0);
    (void)cl_json_remove(json.object, "LogDriver"); /* shown as LogConfig */
    set(&json, "LogConfig", finish(&log));
    set(&json, "RestartPolicy", finish(&restart));
    set(&json, "PortBindings", cl_json_object());
    set(&json, "Tmpfs", tmpfs_map(config));
    set(&json, "Ulimits", ulimit_array(config));
    set(&json, "Devices", device_array(config));
    set_defaults(&json, config);
    return finish(&json);
}

static void set_path(struct builder *json, const char *key, struct engine *engine, const char *id,
                     const char *name)
{
    cl_auto_free char *path = cl_format("%s/containers/%s/%s", store_root(engine->store), id, name);
    if (path == NULL)
        json->failed = -ENOMEM;
    else
        set_text(json, key, path);
}

static struct cl_json *container_document(struct engine *engine, const struct engine_view *view,
                                          const struct cl_json *encoded)
{
    const struct store_container *row = view->row;
    struct builder json = { .object = cl_json_object() };
    char text[160];
    set_text(&json, "Id", row->id);
    set(&json, "Created", time_text(row->created_ns));
    set_command(&json, view->config);
    set(&json, "State", state_object(view));
    set_text(&json, "Image", row->image_id);
    set_path(&json, "ResolvConfPath", engine, row->id, "resolv.conf");
    set_path(&json, "HostnamePath", engine, row->id, "hostname");
    set_path(&json, "HostsPath", engine, row->id, "hosts");
    set_path(&json, "LogPath", engine, row->id, WIRE_SETUP_LOG_NAME);
    (void)CL_PRINT(text, "/%s", row->name == NULL ? "" : row->name);
    set_text(&json, "Name", text);
    set_int(&json, "RestartCount", 0);
    set_text(&json, "Driver", "overlay");
    set_text(&json, "Platform", "linux");
    set_text(&json, "MountLabel", "");
    set_text(&json, "ProcessLabel", "");
    set_text(&json, "AppArmorProfile", "");
    set(&json, "ExecIDs", cl_json_null());
    set(&json, "HostConfig", host_config(encoded, view->config));
    set(&json, "GraphDriver", graph_driver(engine, row));
    set(&json, "Mounts", mounts_array(view->config));
    struct cl_json *config = cl_json_copy(cl_json_get(encoded, "Config"));
    (void)cl_json_remove(config, "EntrypointGiven"); /* our own note, not Docker's */
    if (view->config->stop_timeout < 0)
        (void)cl_json_remove(config, "StopTimeout");
    if (view->config->hostname[0] == '\0' && !engine_is_host(view->config->uts_mode)) {
        char short_id[16];
        (void)cl_json_set_string(config, "Hostname",
                                 engine_hostname(view->config, row->id, short_id));
    }
    set(&json, "Config", config);
    set(&json, "NetworkSettings", network_settings(view->config));
    return finish(&json);
}

int engine_container_inspect(struct engine *engine, const char *reference, struct cl_json **ret,
                             struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *encoded = NULL;
    int result = engine_container_find(engine, reference, &view, err);
    if (result >= 0)
        result = engine_config_encode(view->config, &encoded, err);
    if (result < 0)
        return result;
    struct cl_json *document = container_document(engine, view, encoded);
    if (document == NULL)
        return cl_fail(err, ENOMEM, "describe container %s", reference);
    *ret = document;
    return 0;
}

/* ---- info ---- */

static const char *layout_name(enum cgroup_layout layout)
{
    static const char *const names[] = {
        [CGROUP_NONE] = "none", [CGROUP_V1] = "1", [CGROUP_HYBRID] = "1", [CGROUP_V2] = "2"
    };
    return names[layout];
}

static void set_counts(struct builder *json, struct engine *engine)
{
    struct engine_view **views = NULL;
    struct store_image **images = NULL;
    size_t count = 0, image_count = 0;
    int64_t running = 0, paused = 0;
    if (engine_container_list(engine, true, &views, &count, NULL) < 0 ||
        store_image_list(engine->store, &images, &image_count, NULL) < 0)
        json->failed = -EIO;
    for (size_t i = 0; i < count; i++) {
        running += views[i]->state.status == WIRE_RUNNING;
        paused += views[i]->state.status == WIRE_PAUSED;
    }
    set_int(json, "Containers", (int64_t)count);
    set_int(json, "ContainersRunning", running);
    set_int(json, "ContainersPaused", paused);
    set_int(json, "ContainersStopped", (int64_t)count - running - paused);
    set_int(json, "Images", (int64_t)image_count);
    engine_view_list_free(views, count);
    store_image_list_free(images, image_count);
}

static void set_host(struct builder *json)
{
    struct utsname host;
    struct sysinfo memory;
    struct cgroup_host cgroups = { 0 };
    cl_auto_fd proc = procfs_open_host(NULL);
    bool has_cgroups = proc >= 0 && cgroup_host_init(&cgroups, proc, NULL) >= 0;
    set_text(json, "CgroupDriver", "cgroupfs");
    set_text(json, "CgroupVersion", layout_name(has_cgroups ? cgroups.layout : CGROUP_NONE));
    set_bool(json, "MemoryLimit", has_cgroups && cgroup_host_has(&cgroups, "memory"));
    set_bool(json, "PidsLimit", has_cgroups && cgroup_host_has(&cgroups, "pids"));
    set_bool(json, "CpuCfsQuota", has_cgroups && cgroup_host_has(&cgroups, "cpu"));
    if (has_cgroups)
        cgroup_host_done(&cgroups);
    (void)uname(&host); /* can't fail with a good pointer; nor can sysinfo */
    (void)sysinfo(&memory);
    set_text(json, "KernelVersion", host.release);
    set_text(json, "OSType", "linux");
    set_text(json, "Architecture", host.machine);
    set_int(json, "NCPU", sysconf(_SC_NPROCESSORS_ONLN));
    set_int(json, "MemTotal", (int64_t)memory.totalram * memory.mem_unit);
    set_text(json, "Name", host.nodename);
}

int engine_info(struct engine *engine, struct cl_json **ret, struct cl_error *err)
{
    struct builder json = { .object = cl_json_object() };
    set_counts(&json, engine);
    set_text(&json, "Driver", "overlay");
    set_text(&json, "LoggingDriver", "json-file");
    set_host(&json);
    set_text(&json, "DockerRootDir", store_root(engine->store));
    set_text(&json, "StateDir", store_state(engine->store));
    set_text(&json, "DefaultRuntime", "cloche (in process)");
    set_text(&json, "ServerVersion", CLOCHE_VERSION);
    struct cl_json *document = finish(&json);
    if (document == NULL)
        return cl_fail(err, ENOMEM, "describe this engine");
    *ret = document;
    return 0;
}
