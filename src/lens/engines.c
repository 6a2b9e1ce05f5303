/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of patterns over the components of a cgroup path, and one reader of names for each engine.
 *
 * State files are the engines' own, owned by root; they are still read with a maximum, through no link in the last component, and as data only.
 */
#include "lens/engines.h"

#include <fcntl.h>

enum { ID_LENGTH = 64, STATE_MAX = 16 << 20, PATH_LENGTH = 512 };

typedef void name_reader(int root_fd, const char *cgroup, struct lens_container *container);

static name_reader docker_name, podman_name, kubernetes_name, containerd_name;

/* A component "BEFORE id AFTER" ("*BEFORE": with anything before it), below a component that begins with `above` (NULL: any). */
static const struct pattern {
    const char *engine, *above, *before, *after;
    bool is_id; /* 64 hexadecimal digits between them; else a name */
    name_reader *read_name;
} patterns[] = {
    { "docker", NULL, "docker-", ".scope", true, docker_name },
    { "docker", "docker", "", "", true, docker_name },
    { "podman", NULL, "libpod-", ".scope", true, podman_name },
    { "podman", NULL, "libpod-", "", true, podman_name },
    { "kubernetes", NULL, "cri-containerd-", ".scope", true, kubernetes_name },
    { "kubernetes", NULL, "crio-", ".scope", true, kubernetes_name },
    { "kubernetes", NULL, "crio-", "", true, kubernetes_name },
    /* A runtime that does not speak to systemd takes the systemd driver's SLICE:PREFIX:ID for a name. */
    { "kubernetes", NULL, "*:cri-containerd:", "", true, kubernetes_name },
    { "kubernetes", NULL, "*:crio:", "", true, kubernetes_name },
    { "kubernetes", "pod", "", "", true, kubernetes_name }, /* kubepods/burstable/podUID/ID */
    { "kubernetes", "kubepods", "", "", true, kubernetes_name },
    { "containerd", NULL, "nerdctl-", ".scope", true, containerd_name },
    { "containerd", NULL, "*:nerdctl:", "", true, containerd_name },
    { "containerd", "default", "", "", true, containerd_name }, /* containerd's own namespace */
    { "lxc", NULL, "lxc.payload.", "", false, NULL },
    { "lxc", "lxc.payload", "", "", false, NULL },
    { "lxc", "lxc", "", "", false, NULL },
    { "nspawn", NULL, "systemd-nspawn@", ".service", false, NULL },
    { "nspawn", "machine.slice", "machine-", ".scope", false, NULL },
};

/* systemd writes bytes that a unit's name may not hold as \xHH ("\x2d" is the dash). */
static void unescape_unit(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        static const char digits[] = "0123456789abcdef";
        const char *high =
            from[0] == '\\' && from[1] == 'x' && from[2] != '\0' ? strchr(digits, from[2]) : NULL;
        const char *low = high != NULL && from[3] != '\0' ? strchr(digits, from[3]) : NULL;
        if (low != NULL) {
            *to++ = (char)((high - digits) * 16 + (low - digits));
            from += 3;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

static bool match(const struct pattern *pattern, const char *above, const char *component,
                  struct lens_container *ret)
{
    const char *begin = pattern->before;
    if (begin[0] == '*') { /* what is before it may be anything */
        component = strstr(component, ++begin);
        if (component == NULL)
            return false;
    }
    size_t before = strlen(begin), length = strlen(component);
    if ((pattern->above != NULL && !cl_starts_with(above, pattern->above)) ||
        !cl_starts_with(component, begin) || !cl_ends_with(component, pattern->after) ||
        length <= before + strlen(pattern->after))
        return false;
    size_t middle = length - before - strlen(pattern->after);
    const char *text = component + before;
    struct lens_container container = { 0 };
    if (pattern->is_id) {
        if (middle != ID_LENGTH || strspn(text, "0123456789abcdef") < ID_LENGTH)
            return false;
        (void)CL_PRINT(container.id, "%.*s", (int)middle, text); /* fits */
        (void)CL_PRINT(container.name, "%.12s", text);           /* until a better is found */
    } else {
        if (CL_PRINT(container.name, "%.*s", (int)middle, text) < 0)
            return false;
        unescape_unit(container.name);
    }
    (void)CL_PRINT(container.engine, "%s", pattern->engine); /* fits */
    *ret = container;
    return true;
}

/*
 * The components of one path from the top, so that a container that may make groups below its own can't pass for another one.
 * Changes the text.
 */
static const struct pattern *match_path(char *path, struct lens_container *ret)
{
    const char *above = "";
    for (char *component = path, *next; component != NULL; above = component, component = next) {
        next = strchr(component, '/');
        if (next != NULL)
            *next++ = '\0';
        for (size_t i = 0; i < CL_COUNT(patterns); i++)
            if (match(&patterns[i], above, component, ret))
                return &patterns[i];
    }
    return NULL;
}

bool lens_engine_recognise(int root_fd, const char *cgroup, struct lens_container *ret)
{
    cl_auto_free char *copy = cl_strdup(cgroup);
    for (char *line = copy, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *path = strchr(line, ':');
        path = path == NULL ? NULL : strchr(path + 1, ':');
        const struct pattern *pattern = path == NULL ? NULL : match_path(path + 1, ret);
        if (pattern == NULL)
            continue;
        if (pattern->read_name != NULL)
            pattern->read_name(root_fd, cgroup, ret);
        return true;
    }
    return false;
}

/* ---- names ---- */

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

static void docker_name(int root_fd, const char *cgroup, struct lens_container *container)
{
    (void)cgroup;
    char path[PATH_LENGTH];
    (void)CL_PRINT(path, "%svar/lib/docker/containers/%s/config.v2.json", prefix_of(root_fd),
                   container->id); /* fits */
    CL_AUTO(cl_json_unref) struct cl_json *document = read_state(root_fd, path);
    const char *name = cl_json_string(cl_json_get(document, "Name"));
    if (name != NULL && name[0] != '\0')
        (void)CL_PRINT(container->name, "%s", name[0] == '/' ? name + 1 : name); /* cut at worst */
}

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

static void podman_name(int root_fd, const char *cgroup, struct lens_container *container)
{
    char storage[PATH_LENGTH - 64], home[PATH_LENGTH / 2];
    (void)CL_PRINT(storage, "%svar/lib/containers/storage", prefix_of(root_fd)); /* fits */
    if (podman_name_below(root_fd, storage, container))
        return;
    if (home_of(root_fd, cgroup, home, sizeof home) &&
        CL_PRINT(storage, "%s/.local/share/containers/storage", home) >= 0)
        (void)podman_name_below(root_fd, storage, container);
}

/* The annotations that containerd's CRI plugin and CRI-O write; a sandbox has no container name. */
static const struct {
    const char *space, *pod, *container;
} annotations[] = {
    { "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name",
      "io.kubernetes.cri.container-name" },
    { "io.kubernetes.pod.namespace", "io.kubernetes.pod.name", "io.kubernetes.container.name" },
};

static bool kubernetes_name_from(int root_fd, const char *path, struct lens_container *container)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = read_state(root_fd, path);
    const struct cl_json *notes = cl_json_get(document, "annotations");
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
    return false;
}

static void kubernetes_name(int root_fd, const char *cgroup, struct lens_container *container)
{
    (void)cgroup;
    static const char *const places[] = {
        "run/containerd/io.containerd.runtime.v2.task/k8s.io/%s/config.json",
        "run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/%s/config.json",
        "run/containers/storage/overlay-containers/%s/userdata/config.json",
    };
    for (size_t i = 0; i < CL_COUNT(places); i++) {
        char path[PATH_LENGTH];
        const char *at = strstr(places[i], "%s");
        (void)CL_PRINT(path, "%s%.*s%s%s", prefix_of(root_fd), (int)(at - places[i]), places[i],
                       container->id, at + 2); /* fits */
        if (kubernetes_name_from(root_fd, path, container))
            return;
    }
}

/* nerdctl writes its names into the annotations of the runtime's config. */
static void containerd_name(int root_fd, const char *cgroup, struct lens_container *container)
{
    (void)cgroup;
    char path[PATH_LENGTH];
    (void)CL_PRINT(path, "%srun/containerd/io.containerd.runtime.v2.task/default/%s/config.json",
                   prefix_of(root_fd), container->id); /* fits */
    CL_AUTO(cl_json_unref) struct cl_json *document = read_state(root_fd, path);
    const char *name =
        cl_json_string(cl_json_get(cl_json_get(document, "annotations"), "nerdctl/name"));
    if (name != NULL && name[0] != '\0')
        (void)CL_PRINT(container->name, "%s", name); /* cut at worst */
}
