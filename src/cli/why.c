/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche why: what was refused, and by which layer. The lens looks at the process; what its filter and device rules are is known here, from the
 * container's configuration.
 */
#include <errno.h>
#include <linux/seccomp.h>

#include "cli/lens.h"
#include "seccomp/seccomp.h"

struct why_options {
    bool json;
    const char **syscalls, **paths, **capabilities;
    const char *access;
};

#define ROW(name, letter, type, argument, help, member)                                            \
    CLI_ROW(name, letter, type, argument, help, struct why_options, member)
static const struct cli_option options_table[] = {
    ROW("access", 0, CLI_STRING, "rwx", "Which access --path is about: of r, w and x", access),
    ROW("cap", 0, CLI_LIST, "capability", "Would something that needs this capability be let?",
        capabilities),
    ROW("json", 'J', CLI_FLAG, NULL, "Print JSON", json),
    ROW("path", 0, CLI_LIST, "path", "Would opening this file of the container be let?", paths),
    ROW("syscall", 0, CLI_LIST, "name[:arg,...]", "Would this system call be let?", syscalls),
};

static int find(struct cli *cli, const char *reference, struct engine_view **ret)
{
    struct engine *engine;
    int code = cli_engine(cli, false, &engine, NULL);
    return code < 0 ? code : engine_container_find(engine, reference, ret, NULL);
}

static int take_answer(const struct seccomp_filter *filter, const struct lens_why_call *call,
                       struct lens_why_verdict *ret)
{
    uint32_t action = 0;
    int code = seccomp_filter_ask(filter, call->name, call->arguments, &action);
    uint32_t kind = action & SECCOMP_RET_ACTION_FULL;
    if (kind == SECCOMP_RET_USER_NOTIF || kind == SECCOMP_RET_TRACE)
        code = code < 0 ? code : -ENOTSUP; /* another program decides */
    if (code < 0)
        return code;
    ret->is_allowed =
        !ret->is_by_arguments && (kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG);
    ret->error = kind == SECCOMP_RET_ERRNO ? (int)(action & SECCOMP_RET_DATA) : 0;
    return 0;
}

static bool is_about_arguments(const struct oci_seccomp *policy, const char *name)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        if (policy->rules[i].arg_count > 0 &&
            cl_strv_has((const char *const *)policy->rules[i].names, name))
            return true;
    return false;
}

/* What another engine asked its OCI runtime for. */
static int ask_foreign_filter(const struct cl_json *config, const struct lens_why_call *call,
                              struct lens_why_verdict *ret)
{
    CL_AUTO(oci_seccomp_free) struct oci_seccomp *policy = NULL;
    struct seccomp_filter filter = { 0 };
    const struct cl_json *profile = cl_json_get(cl_json_get(config, "linux"), "seccomp");
    int code = profile == NULL ? -ENOTSUP : oci_seccomp_decode(profile, &policy, NULL);
    if (code < 0)
        return code;
    ret->is_by_arguments = call->count == 0 && is_about_arguments(policy, call->name);
    code = seccomp_compile(policy, &filter, NULL);
    if (code >= 0)
        code = take_answer(&filter, call, ret);
    seccomp_filter_done(&filter);
    return code;
}

/* The filter is made anew from the same profile and capabilities as at the start, and run. */
static int ask_filter(void *context, const struct lens_container *container,
                      const struct cl_json *config, uint64_t capabilities,
                      const struct lens_why_call *call, struct lens_why_verdict *ret)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    struct seccomp_filter filter = { 0 };
    if (!cl_streq(container->engine, "cloche"))
        return ask_foreign_filter(config, call, ret);
    int code = find(context, container->id, &view);
    if (code < 0 || !engine_wants_default_seccomp(view->config))
        return code < 0 ? code : -ENOTSUP;
    enum seccomp_verdict verdict =
        seccomp_default_verdict(call->name, capabilities, &ret->capability);
    ret->is_by_arguments = verdict == SECCOMP_CONDITIONAL && call->count == 0;
    code = seccomp_default(capabilities, &filter, NULL);
    if (code >= 0)
        code = take_answer(&filter, call, ret);
    seccomp_filter_done(&filter);
    return code;
}

static int ask_foreign_device(const struct cl_json *config, const struct lens_why_device *device)
{
    struct oci_resources resources = { 0 };
    const struct cl_json *json = cl_json_get(cl_json_get(config, "linux"), "resources");
    int code = json == NULL ? -ENOTSUP : oci_resources_decode(json, &resources, NULL);
    if (code >= 0)
        code = oci_device_rules_ask(&resources, device->is_block, device->major, device->minor,
                                    device->access);
    oci_resources_done(&resources);
    return code;
}

static int ask_device(void *context, const struct lens_container *container,
                      const struct cl_json *config, const struct lens_why_device *device)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    if (!cl_streq(container->engine, "cloche"))
        return ask_foreign_device(config, device);
    int code = find(context, container->id, &view);
    return code < 0 ? code
                    : engine_device_allowed(view->config, device->is_block, device->major,
                                            device->minor, device->access);
}

static int ask_ended(void *context, const char *reference, struct lens_container *ret,
                     bool *ret_oom_killed)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int code = find(context, reference, &view);
    if (code < 0)
        return code;
    *ret = (struct lens_container){ .engine = "cloche" };
    (void)CL_PRINT(ret->name, "%s", view->row->name == NULL ? "" : view->row->name); /* cut */
    (void)CL_PRINT(ret->id, "%s", view->row->id);                                    /* fits */
    *ret_oom_killed = view->state.oom_killed || view->row->last.oom_killed;
    return 0;
}

static bool is_call(const char *name)
{
    return seccomp_call_exists(name);
}

static const char *call_name(unsigned number)
{
    return seccomp_call_name(number);
}

static int why(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct why_options *options = data;
    const struct lens_names names = cli_lens_names(cli);
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    struct engine *engine;
    struct lens_why_policy policy = { .context = cli,
                                      .is_call = is_call,
                                      .call_name = call_name,
                                      .syscall = ask_filter,
                                      .device = ask_device,
                                      .ended = ask_ended };
    if (options->access != NULL &&
        (options->access[0] == '\0' || strspn(options->access, "rwx") != strlen(options->access)))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--access %s: expected some of r, w and x",
                            options->access);
    if (find(cli, arguments[0], &view) >= 0 && cli_engine(cli, false, &engine, NULL) >= 0)
        policy.session = engine_container_session(engine, view->row->id);
    const struct lens_why_options lens = {
        .target = arguments[0],
        .syscalls = options->syscalls,
        .paths = options->paths,
        .capabilities = options->capabilities,
        .command = arguments[1] == NULL ? NULL : (const char *const *)arguments + 1,
        .access = options->access,
        .json = options->json,
    };
    int code = lens_why(&lens, &names, &policy, stdout, err);
    return code < 0 ? code : cli_flush(err);
}

const struct cli_verb cli_verb_why = {
    .name = "why",
    .synopsis = "[OPTIONS] CONTAINER|PID [-- COMMAND [ARG...]]",
    .summary = "Say which layer refused something, and which flag would allow it",
    .description =
        "Without a question, prints what was refused lately, from what the kernel keeps: the "
        "control group's counters (OOM kills, forks, CPU quota), descriptors that are used up, "
        "and its log (security modules; the OOM killer; seccomp, for containers that were run "
        "with --record-denials).\n"
        "\n"
        "--syscall, --path, --cap and COMMAND are questions: would it be let? Each goes through "
        "the layers in the order in which the kernel asks them (seccomp, capabilities, user "
        "namespace; for files masks, mounts, permissions, device rules). The first that "
        "refuses is named, with the flag of `cloche run` that would open it. Nothing is tried: "
        "COMMAND is not executed, it is looked up in a table of what commands are about.\n"
        "\n"
        "Arguments of a system call are numbers: --syscall unshare:0x10000000 asks for a user "
        "namespace.",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche why web -- mount -t tmpfs tmpfs /mnt\n"
                "$ cloche why web --syscall keyctl --cap NET_RAW --path /proc/kcore\n"
                "$ cloche rm -f web\n",
    CLI_OPTIONS(options_table),
    .options_size = sizeof(struct why_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .options_end_at_argument = false,
    .run = why,
};
