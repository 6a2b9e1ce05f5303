/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying out what plan_cgroup.c planned, and taking it back.
 *
 * In a new group the order of the plan is right. In one that is in use it depends on what is there:
 * v1 wants memory never above memory and swap together, a burst never above its quota, whether
 * they grow or shrink. So a write that the kernel finds invalid is tried again after the others,
 * for as long as that gets one further.
 *
 * Taking back: most files hold one value, which is written again. Those with a line for each device
 * or interface get the line that was there, or the word for none.
 */
#include "runtime/parent.h"

#include <ctype.h>
#include <errno.h>

struct settings_undo {
    char controller[32];
    char file[96];
    char value[256];
};

static int write_setting(const struct cgroup *group, const struct plan_setting *setting,
                         struct cl_error *err)
{
    bool has_other = setting->other_file[0] != '\0';
    int result = cgroup_write(group, setting->controller, setting->file, setting->value, err);
    if (result == -ENOENT && has_other)
        result = cgroup_write(group, setting->controller, setting->other_file, setting->other_value,
                              err);
    if (result == -ENOENT && setting->is_optional)
        return 0;
    if (result < 0 && cl_streq(setting->property, PLAN_UNIFIED))
        return cl_error_prefix(err, "%s[\"%s\"]", PLAN_UNIFIED, setting->file);
    return result < 0 ? cl_error_prefix(err, "%s", setting->property) : 0;
}

int settings_apply(const struct cgroup *group, const struct plan_setting *settings, size_t count,
                   struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < count; i++)
        result = write_setting(group, &settings[i], err);
    return result;
}

/* ---- what was there ---- */

/* What a device's line is called that is not there, by the end of the file's name. */
static const struct {
    char suffix[16], none[40];
} no_lines[] = {
    { "io.max", "rbps=max wbps=max riops=max wiops=max" },
    { "weight_device", "0" },
    { "_bps_device", "0" },
    { "_iops_device", "0" },
    { "io.weight", "default" },
    { "io.bfq.weight", "default" },
    { "rdma.max", "hca_handle=max hca_object=max" },
};

static int none_for(const char *file, const char *key, char *value, size_t size)
{
    for (size_t i = 0; i < CL_COUNT(no_lines); i++)
        if (cl_ends_with(file, no_lines[i].suffix))
            return cl_print(value, size, "%s %s", key, no_lines[i].none);
    return -ENODATA;
}

/* The line of `text` that begins with the word `key`. */
static bool find_line(const char *text, const char *key, char *value, size_t size)
{
    size_t length = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0 || line[length] != ' ')
            continue;
        return cl_print(value, size, "%.*s", (int)strcspn(line, "\n"), line) >= 0;
    }
    return false;
}

/* What to write to `file` to have again what `text`, its content, says about what `wanted` changes.
   -ENODATA: can't be told. */
static int old_value(const char *file, const char *text, const char *wanted, char *value,
                     size_t size)
{
    char key[96];
    size_t length = strcspn(wanted, " ");
    bool is_keyed = wanted[length] == ' ' &&
                    (strchr(wanted, ':') != NULL || isalpha((unsigned char)wanted[0]) != 0);
    if (cl_streq(file, "memory.oom_control")) /* reads as "oom_kill_disable 0" and more */
        return find_line(text, "oom_kill_disable", key, sizeof key)
                   ? cl_print(value, size, "%s", strchr(key, ' ') + 1)
                   : -ENODATA;
    /* "max 100000" is cpu.max's value, no line of a device called max. */
    if (is_keyed && !cl_streq(file, "cpu.max")) {
        if (CL_PRINT(key, "%.*s", (int)length, wanted) < 0)
            return -ENODATA;
        return find_line(text, key, value, size) ? 0 : none_for(file, key, value, size);
    }
    if (find_line(text, "default", value, size)) /* "default 100" above the devices' lines */
        return 0;
    if (strchr(text, '\n') != NULL)
        return -ENODATA;
    return cl_print(value, size, "%s", text[0] == '\0' ? "\n" : text);
}

static void remember(const struct cgroup *group, const struct plan_setting *setting,
                     struct settings_undo *undo)
{
    char text[4096];
    const char *file = setting->file, *wanted = setting->value;
    ssize_t length = cgroup_read(group, setting->controller, file, text, sizeof text);
    if (length == -ENOENT && setting->other_file[0] != '\0') {
        file = setting->other_file;
        wanted = setting->other_value;
        length = cgroup_read(group, setting->controller, file, text, sizeof text);
    }
    undo->file[0] = '\0';
    if (length < 0 || old_value(file, text, wanted, undo->value, sizeof undo->value) < 0)
        return;
    (void)CL_PRINT(undo->file, "%s", file);
    (void)CL_PRINT(undo->controller, "%s", setting->controller);
}

/* ---- all or nothing ---- */

void settings_restore(const struct cgroup *group, struct settings_change *change)
{
    while (change->count > 0) {
        const struct settings_undo *undo = &change->undo[--change->count];
        /* Each step back is to a state that the kernel has accepted: nothing to fail. */
        if (undo->file[0] != '\0')
            (void)cgroup_write(group, undo->controller, undo->file, undo->value, NULL);
    }
}

void settings_change_done(struct settings_change *change)
{
    free(change->undo);
    change->undo = NULL;
    change->count = 0;
}

/* One round over those that are not done yet: how many got done. */
static int change_round(const struct cgroup *group, const struct plan_setting *settings,
                        size_t count, struct settings_change *change, bool *is_done,
                        struct cl_error *err)
{
    int progress = 0;
    for (size_t i = 0; i < count; i++) {
        struct cl_error failure = { 0 };
        if (is_done[i])
            continue;
        remember(group, &settings[i], &change->undo[change->count]);
        int result = write_setting(group, &settings[i], &failure);
        if (result >= 0) {
            change->count++;
            is_done[i] = true;
            progress++;
            continue;
        }
        if (err != NULL)
            *err = failure;
        if (result != -EINVAL)
            return result;
    }
    return progress;
}

int settings_change(const struct cgroup *group, const struct plan_setting *settings, size_t count,
                    struct settings_change *ret, struct cl_error *err)
{
    struct settings_change change = { 0 };
    cl_auto_free bool *is_done = cl_calloc(count + 1, sizeof *is_done);
    change.undo = cl_calloc(count + 1, sizeof *change.undo);
    if (is_done == NULL || change.undo == NULL) {
        free(change.undo);
        return cl_fail(err, ENOMEM, "change limits");
    }
    int result = 1;
    while (result > 0 && change.count < count)
        result = change_round(group, settings, count, &change, is_done, err);
    if (result >= 0 && change.count < count)
        result = -EINVAL; /* err is of the last one that was refused */
    if (result < 0) {
        settings_restore(group, &change);
        settings_change_done(&change);
        return result;
    }
    *ret = change;
    return 0;
}
