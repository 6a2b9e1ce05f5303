/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speaking with systemd: org.freedesktop.systemd1(5), by sd-bus. Every wait has a deadline.
 */
#include "scope/private.h"

#include <sys/stat.h>

#define SERVICE    "org.freedesktop.systemd1"
#define OBJECT     "/org/freedesktop/systemd1"
#define INTERFACE  "org.freedesktop.systemd1.Manager"
#define TIMEOUT_US (30 * UINT64_C(1000000))

/* The manager's own socket, which is there before, and without, a message bus. A user's lies in
   XDG_RUNTIME_DIR; where the environment was not passed on, in the directory that logind makes. */
static int private_address(bool is_user, char *ret, size_t size)
{
    const char *own = secure_getenv("XDG_RUNTIME_DIR");
    if (!is_user)
        return cl_print(ret, size, "unix:path=/run/systemd/private");
    if (own == NULL || own[0] != '/')
        return cl_print(ret, size, "unix:path=/run/user/%u/systemd/private", geteuid());
    if (strpbrk(own, ";,%") != NULL) /* they mean something in an address */
        return -EINVAL;
    return cl_print(ret, size, "unix:path=%s/systemd/private", own);
}

static int open_private(bool is_user, sd_bus **ret)
{
    char address[256];
    sd_bus *bus = NULL;
    int result = private_address(is_user, address, sizeof address);
    if (result >= 0)
        result = sd_bus_new(&bus);
    if (result >= 0)
        result = sd_bus_set_address(bus, address);
    if (result >= 0)
        result = sd_bus_start(bus);
    if (result >= 0)
        *ret = bus;
    else
        sd_bus_unref(bus);
    return result;
}

static bool is_booted(void)
{
    struct stat info;
    return lstat("/run/systemd/system", &info) == 0 && S_ISDIR(info.st_mode);
}

int manager_open(bool is_user, struct manager *ret, struct cl_error *err)
{
    sd_bus *bus = NULL;
    int result = is_user ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);
    if (result < 0 && is_booted() && open_private(is_user, &bus) >= 0)
        result = 0; /* the first failure is the reason otherwise */
    if (result < 0 && !is_booted())
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "this host does not run systemd: control groups can be made in the "
                            "file system only (--cgroup-manager cgroupfs)");
    if (result < 0) {
        (void)cl_fail(err, result, "connect to %s", is_user ? "the user's systemd" : "systemd");
        if (is_user)
            (void)cl_error_hint(err, "it takes a login session, or loginctl enable-linger, and "
                                     "DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR");
        return result;
    }
    (void)sd_bus_set_method_call_timeout(bus, TIMEOUT_US); /* else its default, 25 s */
    *ret = (struct manager){ bus, is_user };
    return 0;
}

void manager_done(struct manager *manager)
{
    sd_bus_flush_close_unref(manager->bus);
    manager->bus = NULL;
}

static int report(struct cl_error *err, int code, const char *what, const char *unit,
                  const sd_bus_error *error)
{
    return cl_fail(err, code == 0 ? -EIO : code, "systemd can't %s %s: %s", what, unit,
                   error->message != NULL ? error->message : strerror(-code));
}

/* ---- jobs ---- */

struct job {
    const char *path;
    char result[32]; /* "" : it goes on */
};

static int job_removed(sd_bus_message *message, void *data, sd_bus_error *ignored)
{
    struct job *job = data;
    const char *path = NULL, *unit = NULL, *result = NULL;
    uint32_t id = 0;
    (void)ignored;
    if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0)
        return 0;
    if (job->path != NULL && cl_streq(path, job->path))
        (void)CL_PRINT(job->result, "%s", result);
    return 0;
}

static int wait_for_job(struct manager *manager, const struct job *job)
{
    int64_t deadline = cl_now_ns() + (int64_t)TIMEOUT_US * 1000;
    while (job->result[0] == '\0') {
        int result = sd_bus_process(manager->bus, NULL);
        if (result < 0)
            return result;
        int64_t left = deadline - cl_now_ns();
        if (left <= 0)
            return -ETIMEDOUT;
        if (result == 0)
            result = sd_bus_wait(manager->bus, (uint64_t)(left / 1000));
        if (result < 0 && result != -EINTR)
            return result;
    }
    return 0;
}

static int subscribe(struct manager *manager, struct job *job, sd_bus_slot **ret)
{
    int result = sd_bus_match_signal(manager->bus, ret, NULL, OBJECT, INTERFACE, "JobRemoved",
                                     job_removed, job);
    /* Signals are sent only to who asks. */
    return result < 0 ? result
                      : sd_bus_call_method(manager->bus, SERVICE, OBJECT, INTERFACE, "Subscribe",
                                           NULL, NULL, NULL);
}

/* Call a method that answers with a job, and wait for the job's end. Signals that come before the
   answer stay in sd-bus's queue meanwhile. */
static int run_job(struct manager *manager, sd_bus_message *message, struct job *job,
                   sd_bus_error *error)
{
    sd_bus_message *reply = NULL;
    sd_bus_slot *slot = NULL;
    int result = subscribe(manager, job, &slot);
    if (result >= 0)
        result = sd_bus_call(manager->bus, message, TIMEOUT_US, error, &reply);
    if (result >= 0)
        result = sd_bus_message_read(reply, "o", &job->path);
    if (result >= 0)
        result = wait_for_job(manager, job);
    sd_bus_slot_unref(slot);
    sd_bus_message_unref(reply);
    return result;
}

static void reset_failed(struct manager *manager, const char *unit)
{
    /* No unit of that name, or none that failed: as wanted. */
    (void)sd_bus_call_method(manager->bus, SERVICE, OBJECT, INTERFACE, "ResetFailedUnit", NULL,
                             NULL, "s", unit);
}

/* ---- the verbs ---- */

static int try_start(struct manager *manager, const char *unit, const struct properties *properties,
                     struct job *job, sd_bus_error *error)
{
    sd_bus_message *message = NULL;
    int result = sd_bus_message_new_method_call(manager->bus, &message, SERVICE, OBJECT, INTERFACE,
                                                "StartTransientUnit");
    if (result >= 0)
        result = sd_bus_message_append(message, "ss", unit, "fail");
    if (result >= 0)
        result = properties_append(properties, message);
    if (result >= 0)
        result = sd_bus_message_append(message, "a(sa(sv))", 0);
    if (result >= 0)
        result = run_job(manager, message, job, error);
    sd_bus_message_unref(message);
    return result;
}

int manager_start(struct manager *manager, const char *unit, struct properties *properties,
                  struct cl_error *err)
{
    bool is_reset = false, is_again = true;
    int result = 0;
    while (is_again) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        struct job job = { .path = NULL };
        result = try_start(manager, unit, properties, &job, &error);
        bool exists = sd_bus_error_has_name(&error, "org.freedesktop.systemd1.UnitExists") > 0;
        is_again = result < 0 && ((exists && !is_reset) ||
                                  (!exists && properties_drop(properties, error.message)));
        if (exists && !is_reset) { /* perhaps what is left of one that failed */
            reset_failed(manager, unit);
            is_reset = true;
        } else if (result < 0 && !is_again) {
            (void)report(err, result, "start", unit, &error);
        } else if (result >= 0 && !cl_streq(job.result, "done")) {
            result =
                cl_fail(err, EIO, "systemd can't start %s: its job ended as %s", unit, job.result);
        }
        sd_bus_error_free(&error);
    }
    if (result < 0)
        reset_failed(manager, unit);
    return result;
}

int manager_set(struct manager *manager, const char *unit, struct properties *properties,
                struct cl_error *err)
{
    int result = 0;
    for (bool is_again = true; is_again;) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *message = NULL;
        result = sd_bus_message_new_method_call(manager->bus, &message, SERVICE, OBJECT, INTERFACE,
                                                "SetUnitProperties");
        if (result >= 0)
            result = sd_bus_message_append(message, "sb", unit, true); /* gone with the unit */
        if (result >= 0)
            result = properties_append(properties, message);
        if (result >= 0)
            result = sd_bus_call(manager->bus, message, TIMEOUT_US, &error, NULL);
        is_again = result < 0 && properties_drop(properties, error.message);
        if (result < 0 && !is_again)
            (void)report(err, result, "set properties of", unit, &error);
        sd_bus_message_unref(message);
        sd_bus_error_free(&error);
    }
    return result;
}

int manager_stop(struct manager *manager, const char *unit, struct cl_error *err)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *message = NULL;
    struct job job = { .path = NULL };
    int result = sd_bus_message_new_method_call(manager->bus, &message, SERVICE, OBJECT, INTERFACE,
                                                "StopUnit");
    if (result >= 0)
        result = sd_bus_message_append(message, "ss", unit, "replace");
    if (result >= 0)
        result = run_job(manager, message, &job, &error);
    if (sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit") > 0)
        result = 0;
    if (result < 0)
        (void)report(err, result, "stop", unit, &error);
    reset_failed(manager, unit);
    sd_bus_message_unref(message);
    sd_bus_error_free(&error);
    return result;
}

int manager_where(struct manager *manager, char **ret, struct cl_error *err)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int result = sd_bus_get_property_string(manager->bus, SERVICE, OBJECT, INTERFACE,
                                            "ControlGroup", &error, ret);
    if (result < 0)
        (void)report(err, result, "tell", "its control group", &error);
    sd_bus_error_free(&error);
    return result;
}
