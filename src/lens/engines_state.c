/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engines' state directories tell: a container's name, that a control group is a container's at all, and the runtime's configuration.
 *
 * State files are the engines' own, owned by root (or by the user whose engine it is); they are read with a maximum, through no link in the last
 * component, only where they are regular files, and as data only.
 */
#include "lens/engines_state.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { STATE_MAX = 16 << 20, PATH_LENGTH = 768 };

#define DIGITS "0123456789abcdef"

bool lens_engine_is_id(const char *text, size_t length)
{
    return length == LENS_ENGINE_ID && strspn(text, DIGITS) >= length;
}

/* A JSON file of an engine, or NULL. */
static struct cl_json *read_state(int root_fd, const char *path)
{
    cl_auto_free char *text = NULL;
    struct cl_json *document = NULL;
    size_t size = 0;
    if (cl_read_file(root_fd, path, STATE_MAX, &text, &size, NULL) < 0 ||
        cl_json_parse(text, size, STATE_MAX, &document, NULL) < 0)
        return NULL;
    return document;
}

static const char *prefix_of(int root_fd)
{
    return root_fd == AT_FDCWD ? "/" : "";
}

/* Home of the user whose slice the cgroup is in ("user-1000.slice"), by the host's passwd. False: no user's, or unknown. */
static bool home_of(int root_fd, const char *cgroup, char *home, size_t size)
{
    char path[32];
    cl_auto_free char *passwd = NULL;
    const char *slice = strstr(cgroup, "/user-");
    if (slice == NULL)
        return false;
    const char *uid = slice + strlen("/user-");
    size_t digits = strspn(uid, "0123456789");
    (void)CL_PRINT(path, "%setc/passwd", prefix_of(root_fd)); /* fits */
    if (digits == 0 || cl_read_file(root_fd, path, STATE_MAX, &passwd, NULL, NULL) < 0)
        return false;
    for (const char *line = passwd; line != NULL; line = strchr(line, '\n')) {
        const char *fields[6];
        line += *line == '\n';
        fields[0] = line;
        for (int i = 1; i < 6; i++) {
            const char *before = fields[i - 1];
            size_t length = before == NULL ? 0 : strcspn(before, ":\n");
            fields[i] = before == NULL || before[length] != ':' ? NULL : before + length + 1;
        }
        if (fields[5] != NULL && strncmp(fields[2], uid, digits) == 0 && fields[2][digits] == ':')
            return cl_print(home, size, "%s%.*s", root_fd == AT_FDCWD ? "" : ".",
                            (int)strcspn(fields[5], ":\n"), fields[5]) >= 0;
    }
    return false;
}

/* The digits of "/user-1000.slice" into the path of its runtime directory; false: no user's. */
static bool runtime_of(int root_fd, const char *cgroup, char *runtime, size_t size)
{
    const char *slice = strstr(cgroup, "/user-");
    size_t digits = slice == NULL ? 0 : strspn(slice + strlen("/user-"), "0123456789");
    return digits > 0 && cl_print(runtime, size, "%srun/user/%.*s", prefix_of(root_fd), (int)digits,
                                  slice + strlen("/user-")) >= 0;
}

/* ---- docker ---- */

static bool docker_name_below(int root_fd, const char *data, struct lens_container *container)
{
    char path[PATH_LENGTH];
    if (CL_PRINT(path, "%s/containers/%s/config.v2.json", data, container->id) < 0)
        return false;
    CL_AUTO(cl_json_unref) struct cl_json *document = read_state(root_fd, path);
    const char *name = cl_json_string(cl_json_get(document, "Name"));
    if (name == NULL || name[0] == '\0')
        return document != NULL;
    (void)CL_PRINT(container->name, "%s", name[0] == '/' ? name + 1 : name); /* cut at worst */
    return true;
}

/* Where an administrator has put it. False: nowhere else. */
static bool docker_data_root(int root_fd, char *data, size_t size)
{
    char path[PATH_LENGTH];
    (void)CL_PRINT(path, "%setc/docker/daemon.json", prefix_of(root_fd)); /* fits */
    CL_AUTO(cl_json_unref) struct cl_json *document = read_state(root_fd, path);
    const char *root = cl_json_string(cl_json_get(document, "data-root"));
    return root != NULL && root[0] == '/' &&
           cl_print(data, size, "%s%s", root_fd == AT_FDCWD ? "" : ".", root) >= 0;
}

/* True: Docker keeps this container, called so or not. */
static bool docker_name(int root_fd, const char *cgroup, struct lens_container *container)
{
    char data[PATH_LENGTH - 128], home[PATH_LENGTH / 2];
    (void)CL_PRINT(data, "%svar/lib/docker", prefix_of(root_fd)); /* fits */
    if (docker_name_below(root_fd, data, container))
        return true;
    if (docker_data_root(root_fd, data, sizeof data) && docker_name_below(root_fd, data, container))
        return true;
    return home_of(root_fd, cgroup, home, sizeof home) &&
           CL_PRINT(data, "%s/.local/share/docker", home) >= 0 &&
           docker_name_below(root_fd, data, container);
}

/* ---- podman ---- */

static bool podman_name_from(int root_fd, const char *path, struct lens_container *container)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = read_state(root_fd, path);
    for (size_t i = 0; i < cl_json_count(document); i++) {
        const struct cl_json *entry = cl_json_at(document, i);
        const char *name = cl_json_string(cl_json_at(cl_json_get(entry, "names"), 0));
        if (name != NULL && cl_streq(cl_json_string(cl_json_get(entry, "id")), container->id)) {
            (void)CL_PRINT(container->name, "%s", name); /* cut at worst */
            return true;
        }
    }
    return false;
}

/* Below one storage root, "…/storage/": the lists lie in a directory that is called after the storage driver. */
static bool podman_name_below(int root_fd, const char *storage, struct lens_container *container)
{
    static const char *const drivers[] = { "overlay", "vfs", "btrfs", "zfs" };
    static const char *const files[] = { "containers.json", "volatile-containers.json" };
    char path[PATH_LENGTH];
    for (size_t i = 0; i < CL_COUNT(drivers) * CL_COUNT(files); i++)
        if (CL_PRINT(path, "%s/%s-containers/%s", storage, drivers[i / CL_COUNT(files)],
                     files[i % CL_COUNT(files)]) >= 0 &&
            podman_name_from(root_fd, path, container))
            return true;
    return false;
}

static bool podman_name(int root_fd, const char *cgroup, struct lens_container *container)
{
    char storage[PATH_LENGTH - 128], home[PATH_LENGTH / 2];
    (void)CL_PRINT(storage, "%svar/lib/containers/storage", prefix_of(root_fd)); /* fits */
    return podman_name_below(root_fd, storage, container) ||
           (home_of(root_fd, cgroup, home, sizeof home) &&
            CL_PRINT(storage, "%s/.local/share/containers/storage", home) >= 0 &&
            podman_name_below(root_fd, storage, container));
}

/* ---- configurations of the runtime ---- */

/* Where an engine puts what it gives to its OCI runtime: BASE + before + ID + after. */
enum base { SYSTEM, HOME, RUNTIME };
#define TASKS "io.containerd.runtime.v2.task/"
static const struct place {
    const char *engine;
    enum base base;
    const char *before, *after;
} places[] = {
    { "docker", SYSTEM, "run/containerd/" TASKS "moby/", "" },
    { "docker", SYSTEM, "run/docker/containerd/daemon/" TASKS "moby/", "" },
    { "docker", RUNTIME, "/docker/containerd/daemon/" TASKS "moby/", "" },
    { "podman", SYSTEM, "var/lib/containers/storage/overlay-containers/", "/userdata" },
    { "podman", SYSTEM, "var/lib/containers/storage/vfs-containers/", "/userdata" },
    { "podman", SYSTEM, "var/lib/containers/storage/btrfs-containers/", "/userdata" },
    { "podman", SYSTEM, "var/lib/containers/storage/zfs-containers/", "/userdata" },
    { "podman", HOME, "/.local/share/containers/storage/overlay-containers/", "/userdata" },
    { "podman", HOME, "/.local/share/containers/storage/vfs-containers/", "/userdata" },
    { "kubernetes", SYSTEM, "run/containerd/" TASKS "k8s.io/", "" },
    { "kubernetes", SYSTEM, "run/k3s/containerd/" TASKS "k8s.io/", "" },
    { "kubernetes", SYSTEM, "run/containers/storage/overlay-containers/", "/userdata" },
    { "containerd", SYSTEM, "run/containerd/" TASKS "default/", "" },
};

static struct cl_json *read_config(int root_fd, const char *base, const char *before,
                                   const char *id, const char *after)
{
    char path[PATH_LENGTH];
    return CL_PRINT(path, "%s%s%s%s/config.json", base, before, id, after) < 0
               ? NULL
               : read_state(root_fd, path);
}

/* The component before `id` in the text of /proc/PID/cgroup: containerd's namespace, unless a parent was asked for. False: none. */
static bool space_of(const char *cgroup, const char *id, char *space, size_t size)
{
    const char *found = strstr(cgroup, id);
    if (found == NULL || found - cgroup < 2 || found[-1] != '/')
        return false;
    const char *end = found - 1, *begin = end;
    while (begin > cgroup && begin[-1] != '/' && begin[-1] != '\n')
        begin--;
    return cl_print(space, size, "%.*s", (int)(end - begin), begin) >= 0 && space[0] != '\0' &&
           space[0] != '.';
}

struct cl_json *lens_engine_config(int root_fd, const char *cgroup,
                                   const struct lens_container *container)
{
    char home[PATH_LENGTH / 2], runtime[PATH_LENGTH / 2], space[128], before[192];
    const char *id = container->id[0] != '\0' ? container->id : container->name;
    const char *system = prefix_of(root_fd);
    struct cl_json *config = NULL;
    if (id[0] == '\0' || id[0] == '.' || strchr(id, '/') != NULL)
        return NULL;
    const char *const bases[] = {
        [SYSTEM] = system,
        [HOME] = home_of(root_fd, cgroup, home, sizeof home) ? home : NULL,
        [RUNTIME] = runtime_of(root_fd, cgroup, runtime, sizeof runtime) ? runtime : NULL,
    };
    if (cl_streq(container->engine, "containerd") && space_of(cgroup, id, space, sizeof space) &&
        CL_PRINT(before, "run/containerd/" TASKS "%s/", space) >= 0)
        config = read_config(root_fd, system, before, id, "");
    for (size_t i = 0; config == NULL && i < CL_COUNT(places); i++)
        if (bases[places[i].base] != NULL && cl_streq(places[i].engine, container->engine))
            config =
                read_config(root_fd, bases[places[i].base], places[i].before, id, places[i].after);
    return config;
}

/* ---- names that only the runtime's configuration has ---- */

/* The annotations that containerd's CRI plugin and CRI-O write; a sandbox has no container name. */
static const struct {
    const char *space, *pod, *container;
} annotations[] = {
    { "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name",
      "io.kubernetes.cri.container-name" },
    { "io.kubernetes.pod.namespace", "io.kubernetes.pod.name", "io.kubernetes.container.name" },
};

/* nerdctl writes its names into the annotations, too. */
static bool annotated_name(int root_fd, const char *cgroup, struct lens_container *container)
{
    CL_AUTO(cl_json_unref)
    struct cl_json *document = lens_engine_config(root_fd, cgroup, container);
    const struct cl_json *notes = cl_json_get(document, "annotations");
    const char *nerdctl = cl_json_string(cl_json_get(notes, "nerdctl/name"));
    for (size_t i = 0; i < CL_COUNT(annotations); i++) {
        const char *space = cl_json_string(cl_json_get(notes, annotations[i].space));
        const char *pod = cl_json_string(cl_json_get(notes, annotations[i].pod));
        const char *name = cl_json_string(cl_json_get(notes, annotations[i].container));
        if (space == NULL || pod == NULL)
            continue;
        (void)CL_PRINT(container->name, "%s/%s%s%s", space, pod, name == NULL ? "" : "/",
                       name == NULL ? "" : name); /* cut at worst */
        return true;
    }
    if (nerdctl != NULL && nerdctl[0] != '\0')
        (void)CL_PRINT(container->name, "%s", nerdctl); /* cut at worst */
    return document != NULL;
}

void lens_engine_state_name(int root_fd, const char *cgroup, struct lens_container *container)
{
    static const struct {
        const char *engine;
        bool (*read)(int root_fd, const char *cgroup, struct lens_container *container);
    } readers[] = {
        { "docker", docker_name },
        { "podman", podman_name },
        { "kubernetes", annotated_name },
        { "containerd", annotated_name },
    };
    for (size_t i = 0; i < CL_COUNT(readers); i++)
        if (cl_streq(container->engine, readers[i].engine))
            (void)readers[i].read(root_fd, cgroup, container);
}

/* ---- control groups whose path says nothing ---- */

static bool has_task(int root_fd, const char *space, const char *id)
{
    char path[PATH_LENGTH];
    struct stat info;
    return space[0] != '\0' && space[0] != '.' &&
           CL_PRINT(path, "%srun/containerd/" TASKS "%s/%s", prefix_of(root_fd), space, id) >= 0 &&
           fstatat(root_fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

bool lens_engine_state_judge(int root_fd, const char *above, const char *component,
                             struct lens_container *ret)
{
    struct lens_container container = { 0 };
    if (component[0] == '\0' || component[0] == '.' ||
        CL_PRINT(container.name, "%s", component) < 0)
        return false;
    if (lens_engine_is_id(component, strlen(component))) {
        (void)CL_PRINT(container.id, "%s", component);      /* fits */
        (void)CL_PRINT(container.name, "%.12s", component); /* until a better is found */
    }
    const struct {
        const char *space, *engine;
    } spaces[] = {
        { "moby", "docker" },
        { "k8s.io", "kubernetes" },
        { "default", "containerd" },
        { above, "containerd" },
    };
    const char *engine = NULL;
    if (container.id[0] != '\0' && docker_name(root_fd, "", &container))
        engine = "docker";
    for (size_t i = 0; i < CL_COUNT(spaces) && engine == NULL; i++)
        if (has_task(root_fd, spaces[i].space, component))
            engine = spaces[i].engine;
    if (engine == NULL)
        return false;
    (void)CL_PRINT(container.engine, "%s", engine); /* fits */
    *ret = container;
    return true;
}
