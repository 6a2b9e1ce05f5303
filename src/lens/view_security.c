/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the view that say what a process may do: capabilities, seccomp, no_new_privs, the label of the security module. HOST is what the
 * process that stands for the host has.
 */
#include <errno.h>
#include <stddef.h>

#include "lens/view.h"
#include "oci/names.h"

static int add_security_row(struct view *view, const char *name, char *take_host, char *take_inside)
{
    return view_add_pair(view, "security", name, take_host, take_inside);
}

static void add_names(struct cl_buf *buf, uint64_t set)
{
    const char *separator = " ";
    for (int number = 0; number <= (int)k_cap_last(); number++) {
        const char *name = oci_cap_name(number);
        if ((set & 1ULL << number) == 0)
            continue;
        if (name == NULL)
            cl_buf_printf(buf, "%s%d", separator, number);
        else
            cl_buf_str(buf, separator);
        for (const char *at = name == NULL ? "" : name + strlen("CAP_"); *at != '\0'; at++)
            cl_buf_char(buf, *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at);
        separator = ", ";
    }
}

/* "none", "all 41", "all but sys_resource", or "11: chown, dac_override, …"; what Cloche would not give is said again behind it. */
static char *capability_text(uint64_t set)
{
    unsigned last = k_cap_last();
    uint64_t all = last >= 63 ? UINT64_MAX : (1ULL << (last + 1)) - 1;
    uint64_t beyond = set & all & ~oci_cap_default;
    unsigned count = (unsigned)__builtin_popcountll(set & all);
    cl_auto_buf buf = CL_BUF_INIT(8192);
    if (count == 0)
        return cl_strdup("none");
    if (count == last + 1)
        cl_buf_printf(&buf, "all %u", count);
    else
        cl_buf_printf(&buf, count > last / 2 ? "all but" : "%u:", count);
    if (count <= last)
        add_names(&buf, count > last / 2 ? all & ~set : set & all);
    if (beyond != 0 && count > last / 2)
        cl_buf_printf(&buf, " (%d beyond the default)", __builtin_popcountll(beyond));
    else if (beyond != 0)
        cl_buf_str(&buf, "; beyond the default:");
    if (beyond != 0 && count <= last / 2)
        add_names(&buf, beyond);
    return cl_buf_take(&buf);
}

/* Where each of the five sets lies in struct procfs_status. The effective one goes by the plain name. */
static const struct {
    const char *name;
    size_t offset;
} capability_sets[] = {
    { "capabilities", offsetof(struct procfs_status, cap_effective) },
    { "permitted set", offsetof(struct procfs_status, cap_permitted) },
    { "inheritable set", offsetof(struct procfs_status, cap_inheritable) },
    { "ambient set", offsetof(struct procfs_status, cap_ambient) },
    { "bounding set", offsetof(struct procfs_status, cap_bounding) },
};

static uint64_t set_at(const struct procfs_status *status, size_t offset)
{
    uint64_t set;
    memcpy(&set, (const char *)status + offset, sizeof set);
    return set;
}

static char *seccomp_text(const struct procfs_status *status)
{
    if (status->seccomp_mode == 0)
        return cl_strdup("off");
    if (status->seccomp_mode == 1)
        return cl_strdup("strict");
    return cl_format("%d filter%s", status->seccomp_filters,
                     status->seccomp_filters == 1 ? "" : "s");
}

/* The label of whichever module is there: AppArmor, SELinux, Smack. */
static char *label_text(int pid_fd)
{
    char text[512];
    ssize_t length = cl_read_small(pid_fd, "attr/current", text, sizeof text);
    if (length == -EACCES || length == -EPERM)
        return view_hidden((int)length, "CAP_SYS_PTRACE");
    if (length <= 0)
        return cl_strdup("none"); /* no module keeps labels */
    text[strcspn(text, "\n")] = '\0';
    return cl_strdup(text);
}

int view_security(struct view *view)
{
    const struct procfs_status *host = &view->host_status, *inside = &view->status;
    int code = 0;
    for (size_t i = 0; code >= 0 && i < CL_COUNT(capability_sets); i++) {
        size_t offset = capability_sets[i].offset;
        code =
            add_security_row(view, capability_sets[i].name, capability_text(set_at(host, offset)),
                             capability_text(set_at(inside, offset)));
    }
    if (code >= 0)
        code = add_security_row(view, "seccomp", seccomp_text(host), seccomp_text(inside));
    if (code >= 0)
        code = add_security_row(view, "no_new_privs", cl_strdup(host->no_new_privs ? "on" : "off"),
                                cl_strdup(inside->no_new_privs ? "on" : "off"));
    if (code >= 0)
        code = add_security_row(view, "label", label_text(view->host_fd), label_text(view->pid_fd));
    return code;
}
