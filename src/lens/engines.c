/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of patterns over the components of a cgroup path. Where none fits (docker run --cgroup-parent, ctr --cgroup), the engines' state directories
 * decide (engines_state.c).
 */
#include "lens/engines_state.h"

/* A component "BEFORE id AFTER" ("*BEFORE": with anything before it), below the component `above` ("ABOVE*": one that begins so; NULL: any). */
static const struct pattern {
    const char *engine, *above, *before, *after;
    bool is_id; /* 64 hexadecimal digits between them; else a name */
} patterns[] = {
    { "docker", NULL, "docker-", ".scope", true },
    { "docker", "docker", "", "", true },
    { "podman", NULL, "libpod-", ".scope", true },
    { "podman", NULL, "libpod-", "", true },
    { "kubernetes", NULL, "cri-containerd-", ".scope", true },
    { "kubernetes", NULL, "crio-", ".scope", true },
    { "kubernetes", NULL, "crio-", "", true },
    /* A runtime that does not speak to systemd takes the systemd driver's SLICE:PREFIX:ID for a name. */
    { "kubernetes", NULL, "*:cri-containerd:", "", true },
    { "kubernetes", NULL, "*:crio:", "", true },
    { "kubernetes", "pod*", "", "", true }, /* kubepods/burstable/podUID/ID */
    { "kubernetes", "kubepods*", "", "", true },
    { "containerd", NULL, "nerdctl-", ".scope", true },
    { "containerd", NULL, "*:nerdctl:", "", true },
    { "containerd", "default", "", "", true }, /* containerd's own namespace */
    { "lxc", NULL, "lxc.payload.", "", false },
    { "lxc", "lxc.payload", "", "", false },
    { "lxc", "lxc", "", "", false },
    { "nspawn", NULL, "systemd-nspawn@", ".service", false },
    { "nspawn", "machine.slice", "machine-", ".scope", false },
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

static bool is_below(const char *wanted, const char *above)
{
    size_t length = wanted == NULL ? 0 : strlen(wanted);
    if (length == 0)
        return true;
    return wanted[length - 1] == '*' ? strncmp(above, wanted, length - 1) == 0
                                     : cl_streq(above, wanted);
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
    if (!is_below(pattern->above, above) || !cl_starts_with(component, begin) ||
        !cl_ends_with(component, pattern->after) || length <= before + strlen(pattern->after))
        return false;
    size_t middle = length - before - strlen(pattern->after);
    const char *text = component + before;
    struct lens_container container = { 0 };
    if (pattern->is_id) {
        if (middle != LENS_ENGINE_ID || !lens_engine_is_id(text, middle))
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

static bool judge(int root_fd, const char *above, const char *component, struct lens_container *ret)
{
    for (size_t i = 0; i < CL_COUNT(patterns); i++)
        if (match(&patterns[i], above, component, ret))
            return true;
    return lens_engine_state_judge(root_fd, above, component, ret);
}

/*
 * The components of one path from the top, so that a container that may make groups below its own can't pass for another one.
 * Changes the text.
 */
static bool judge_path(int root_fd, char *path, struct lens_container *ret)
{
    const char *above = "";
    for (char *component = path, *next; component != NULL; above = component, component = next) {
        next = strchr(component, '/');
        if (next != NULL)
            *next++ = '\0';
        if (judge(root_fd, above, component, ret))
            return true;
    }
    return false;
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
        if (path == NULL || !judge_path(root_fd, path + 1, ret))
            continue;
        lens_engine_state_name(root_fd, cgroup, ret);
        return true;
    }
    return false;
}
