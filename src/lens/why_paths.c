/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about files: is there a mask over it, is its mount read-only or without exec, suid or devices, does the device cgroup let it be opened,
 * and do the permissions. The path is resolved below the target's root by descriptor; the mount that it lies on is the descriptor's own
 * (mnt_id), so links and covered mounts can't mislead.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/inroot.h"
#include "lens/idmap.h"
#include "lens/mounts.h"
#include "lens/why.h"
#include "oci/names.h"

struct place {
    struct why *why;
    const char *path;
    const char *
        missing; /* the last component, where it does not exist: then the rest is about its directory */
    struct stat info;
    unsigned mount_id;
    bool has_mount, is_masked;
    bool is_ro, is_noexec, is_nosuid, is_nodev, is_root_mount;
    char type[32];
    char point[512];
};

/* ---- where it lies ---- */

static bool has_option(const char *list, const char *option)
{
    size_t length = strlen(option);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, option, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

static int take_mount(void *context, const struct lens_mount *mount)
{
    struct place *place = context;
    if (mount->id != place->mount_id)
        return 0;
    bool is_kernel_file =
        cl_starts_with(mount->point, "/proc/") || cl_starts_with(mount->point, "/sys/");
    place->has_mount = true;
    place->is_ro = has_option(mount->options, "ro") || has_option(mount->super_options, "ro");
    place->is_noexec = has_option(mount->options, "noexec");
    place->is_nosuid = has_option(mount->options, "nosuid");
    place->is_nodev = has_option(mount->options, "nodev");
    place->is_root_mount = strcmp(mount->point, "/") == 0;
    place->is_masked = is_kernel_file && !cl_starts_with(mount->point, "/sys/fs/cgroup") &&
                       (strcmp(mount->type, "tmpfs") == 0 || cl_ends_with(mount->root, "/null"));
    (void)CL_PRINT(place->type, "%s", mount->type); /* cut: only compared and shown */
    (void)CL_PRINT(place->point, "%s", mount->point);
    return 1;
}

static int read_mount_id(struct place *place, int fd)
{
    char path[48], text[512];
    uint64_t value;
    (void)CL_PRINT(path, "self/fdinfo/%d", fd); /* fits */
    ssize_t length = cl_read_small(place->why->proc_fd, path, text, sizeof text);
    char *at = length <= 0 ? NULL : strstr(text, "mnt_id:");
    if (at == NULL)
        return -ENOENT;
    at += strlen("mnt_id:");
    at += strspn(at, " \t");
    at[strcspn(at, "\n")] = '\0';
    if (cl_parse_u64(at, 0, UINT32_MAX, &value) < 0)
        return -EINVAL;
    place->mount_id = (unsigned)value;
    return lens_mounts_walk(place->why->pid_fd, take_mount, place) < 0 ? -ENOENT : 0;
}

static int find_place(struct place *place, char name[static 256])
{
    const struct why *why = place->why;
    cl_auto_fd fd = inroot_open(why->root_fd, place->path, O_PATH, 0, INROOT_FOLLOW, NULL);
    if (fd == -ENOENT) {
        fd = inroot_parent(why->root_fd, place->path, false, name, NULL);
        place->missing = name;
    }
    if (fd < 0)
        return fd;
    if (fstat(fd, &place->info) < 0)
        return -errno;
    (void)read_mount_id(place, fd); /* without it the mount's flags are not known, which is said */
    return 0;
}

/* ---- the layers ---- */

static int add(const struct place *place, const char *verb, enum why_answer answer,
               const char *layer, char *take_because, const char *allow)
{
    return why_add(place->why, &(struct why_finding){ .answer = answer,
                                                      .layer = layer,
                                                      .what = cl_format("%s %s", verb, place->path),
                                                      .because = take_because,
                                                      .allow = cl_strdup(allow) });
}

static bool is_device(const struct place *place)
{
    return place->missing == NULL && (S_ISCHR(place->info.st_mode) || S_ISBLK(place->info.st_mode));
}

static const char *read_only_flag(const struct place *place, char buffer[static 700])
{
    if (place->is_root_mount)
        return "run it without --read-only, or a --tmpfs or -v on a directory of it";
    if (cl_starts_with(place->point, "/proc/sys"))
        return "--sysctl KEY=VALUE sets one at the start";
    if (cl_starts_with(place->point, "/proc") || cl_starts_with(place->point, "/sys"))
        return "no flag: it is read-only in every container";
    (void)cl_print(buffer, 700, "mount it without ro: -v SOURCE:%s", place->point);
    return buffer;
}

/* 1: refused and said, 0: not, negative: no memory. */
static int ask_mount(const struct place *place, char access)
{
    char buffer[700];
    const char *verb = access == 'w' ? "write" : access == 'x' ? "execute" : "read";
    int code = 0;
    if (place->is_masked && place->missing == NULL)
        code = add(place, verb, WHY_REFUSED, "masked path",
                   cl_format("what is there is hidden below an empty %s",
                             S_ISDIR(place->info.st_mode) ? "directory" : "device"),
                   "no flag: it is masked in every container");
    else if (access == 'w' && place->is_ro && !is_device(place))
        code = add(place, verb, WHY_REFUSED,
                   cl_starts_with(place->point, "/proc/") ? "read-only path" : "read-only mount",
                   cl_format("%s is mounted read-only (%s)", place->point, place->type),
                   read_only_flag(place, buffer));
    else if (access == 'x' && place->is_noexec) {
        (void)CL_PRINT(buffer,
                       strcmp(place->type, "tmpfs") == 0 ? "--tmpfs %s:exec" : "-v SOURCE:%s:exec",
                       place->point);
        code = add(place, verb, WHY_REFUSED, "noexec mount",
                   cl_format("%s is mounted noexec (%s)", place->point, place->type), buffer);
    } else if (access != 'x' && is_device(place) && place->is_nodev)
        code = add(place, verb, WHY_REFUSED, "nodev mount",
                   cl_format("%s is mounted nodev (%s), so devices there can't be opened",
                             place->point, place->type),
                   "--device puts it into /dev, where devices work");
    else
        return 0;
    return code < 0 ? code : 1;
}

static bool is_number(const char *text, size_t length, unsigned number)
{
    char expected[16];
    (void)CL_PRINT(expected, "%u", number); /* fits */
    return (length == 1 && text[0] == '*') ||
           (strlen(expected) == length && strncmp(text, expected, length) == 0);
}

/* One line of devices.list: "c 1:3 rwm", "a *:* rwm". */
static bool rule_allows(const char *line, const struct stat *info, char access)
{
    if (line[0] == '\0' || line[1] != ' ')
        return false;
    const char *number = line + 2;
    size_t major_length = strcspn(number, ":");
    if (number[major_length] != ':')
        return false;
    const char *after = number + major_length + 1;
    size_t minor_length = strcspn(after, " ");
    bool is_type = line[0] == 'a' || line[0] == (S_ISBLK(info->st_mode) ? 'b' : 'c');
    return is_type && is_number(number, major_length, major(info->st_rdev)) &&
           is_number(after, minor_length, minor(info->st_rdev)) &&
           strchr(after + minor_length, access) != NULL;
}

/* 1 allowed, 0 refused, -ENOENT: the rules are a BPF program (version 2), which can't be read. */
static int ask_rules(const struct place *place, char access)
{
    char text[8192];
    const struct lens_why_policy *policy = place->why->policy;
    if (why_cgroup_file(place->why, "devices", "devices.list", "", text, sizeof text)) {
        for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
            next = strchr(line, '\n');
            if (next != NULL)
                *next++ = '\0';
            if (rule_allows(line, &place->info, access))
                return 1;
        }
        return 0;
    }
    const struct lens_why_device device = { .is_block = S_ISBLK(place->info.st_mode),
                                            .major = major(place->info.st_rdev),
                                            .minor = minor(place->info.st_rdev),
                                            .access = access };
    return policy == NULL || policy->device == NULL || !place->why->target.is_container
               ? -ENOENT
               : policy->device(policy->context, &place->why->target.container, place->why->config,
                                &device);
}

static int ask_device(const struct place *place, char access)
{
    const char *verb = access == 'w' ? "write" : "read";
    if (!is_device(place) || access == 'x')
        return 0;
    int answer = ask_rules(place, access);
    if (answer != 0)
        return 0;
    int code = add(place, verb, WHY_REFUSED, "device cgroup",
                   cl_format("the rules of its group do not let it open %s %u:%u",
                             S_ISBLK(place->info.st_mode) ? "block device" : "character device",
                             major(place->info.st_rdev), minor(place->info.st_rdev)),
                   "--device PATH, which adds node and rule");
    return code < 0 ? code : 1;
}

/* ---- permissions ---- */

static bool is_in_groups(const struct why *why, gid_t gid)
{
    char *end;
    if (why->status.gid[3] == gid)
        return true;
    for (const char *at = why->groups; at != NULL && *at != '\0'; at = end) {
        unsigned long group = strtoul(at, &end, 10); /* allowed: the kernel's own list */
        if (end == at)
            return false;
        if (group == gid)
            return true;
    }
    return false;
}

static bool bits_allow(const struct place *place, char access)
{
    const struct why *why = place->why;
    mode_t mode = place->info.st_mode;
    unsigned shift = place->info.st_uid == why->status.uid[3] ? 6
                     : is_in_groups(why, place->info.st_gid)  ? 3
                                                              : 0;
    unsigned bit = access == 'r' ? 4 : access == 'w' ? 2 : 1;
    return (mode >> shift & bit) != 0;
}

static bool cap_allows(const struct place *place, char access)
{
    uint64_t caps = place->why->status.cap_effective;
    bool is_dir = S_ISDIR(place->info.st_mode);
    bool can_override = (caps & UINT64_C(1) << CAP_DAC_OVERRIDE) != 0;
    bool can_search = (caps & UINT64_C(1) << CAP_DAC_READ_SEARCH) != 0;
    if (access == 'x' && !is_dir)
        return can_override && (place->info.st_mode & 0111) != 0;
    return can_override || (can_search && (access == 'r' || access == 'x'));
}

static bool is_mapped(const struct why *why, const char *file, uint32_t id)
{
    struct lens_idmap map;
    if (lens_idmap_read(why->pid_fd, file, &map) < 0)
        return true; /* not known: then it is not what we name */
    for (size_t i = 0; i < map.count; i++)
        if (id >= map.ranges[i].outside && id - map.ranges[i].outside < map.ranges[i].count)
            return true;
    return false;
}

static int ask_permissions(const struct place *place, char access)
{
    const char *verb = access == 'w' ? "write" : access == 'x' ? "execute" : "read";
    const struct why *why = place->why;
    int code;
    if (bits_allow(place, access))
        return 0;
    bool is_foreign = !is_mapped(why, "uid_map", place->info.st_uid) ||
                      !is_mapped(why, "gid_map", place->info.st_gid);
    if (cap_allows(place, access) && !is_foreign)
        return 0;
    if (is_foreign)
        code = add(place, verb, WHY_REFUSED, "user namespace",
                   cl_format("its owner %u:%u is not mapped into the process's user namespace, so "
                             "no capability there helps",
                             place->info.st_uid, place->info.st_gid),
                   "give it to an id that the container has, or map its owner");
    else
        code = add(
            place, verb, WHY_REFUSED, "permissions",
            cl_format(
                "mode %04o of owner %u:%u, for user %u without %s", place->info.st_mode & 07777,
                place->info.st_uid, place->info.st_gid, why->status.uid[3],
                access == 'x' && !S_ISDIR(place->info.st_mode) ? "an x bit" : "CAP_DAC_OVERRIDE"),
            access == 'x' ? "chmod +x it" : "--cap-add DAC_OVERRIDE, or --user with its owner");
    return code < 0 ? code : 1;
}

/* Files of the kernel that ask for a capability when they are opened, whatever their mode. */
static int ask_kernel(const struct place *place, char access)
{
    static const struct {
        const char *path;
        int capability;
    } known[] = {
        { "/proc/kcore", CAP_SYS_RAWIO }, { "/dev/mem", CAP_SYS_RAWIO },
        { "/dev/port", CAP_SYS_RAWIO },   { "/dev/kmsg", CAP_SYSLOG },
        { "/proc/kmsg", CAP_SYSLOG },
    };
    const char *verb = access == 'w' ? "write" : "read";
    for (size_t i = 0; i < CL_COUNT(known); i++) {
        if (strcmp(known[i].path, place->path) != 0 || access == 'x' || place->missing != NULL ||
            (place->why->status.cap_effective & UINT64_C(1) << known[i].capability) != 0)
            continue;
        cl_auto_free char *flag = why_cap_flag(known[i].capability);
        int code = add(place, verb, WHY_REFUSED, "capability",
                       cl_format("the kernel asks for %s when it is opened",
                                 oci_cap_name(known[i].capability)),
                       flag);
        return code < 0 ? code : 1;
    }
    return 0;
}

/* It runs, and yet not as its set-user-ID bit would have it. */
static int note_setuid(const struct place *place)
{
    if ((place->info.st_mode & (S_ISUID | S_ISGID)) == 0 || !S_ISREG(place->info.st_mode))
        return 0;
    if (place->why->status.no_new_privs == 1)
        return add(place, "become another user by", WHY_REFUSED, "no_new_privs",
                   cl_strdup("its set-user-ID bit is ignored: the process has no_new_privs"),
                   "run it without --security-opt no-new-privileges");
    if (place->is_nosuid)
        return add(place, "become another user by", WHY_REFUSED, "nosuid mount",
                   cl_format("its set-user-ID bit is ignored: %s is mounted nosuid", place->point),
                   "-v SOURCE:DESTINATION:suid, or have it in the image");
    return 0;
}

static int ask_one(const struct place *place, char access)
{
    static int (*const layers[])(const struct place *, char) = { ask_mount, ask_permissions,
                                                                 ask_device, ask_kernel };
    const char *verb = access == 'w' ? "write" : access == 'x' ? "execute" : "read";
    int code = 0;
    for (size_t i = 0; code == 0 && i < CL_COUNT(layers); i++)
        code = layers[i](place, access);
    if (code != 0)
        return code < 0 ? code : 0;
    if (access == 'x')
        code = note_setuid(place);
    if (code < 0)
        return code;
    return why_add(place->why,
                   &(struct why_finding){
                       .answer = place->has_mount ? WHY_ALLOWED : WHY_UNKNOWN,
                       .what = cl_format("%s %s", verb, place->path),
                       .because = cl_strdup(place->has_mount ? "mount, permissions and rules let it"
                                                             : "its mount could not be found") });
}

static int add_missing(struct why *why, const char *path, int code)
{
    bool is_device = cl_starts_with(path, "/dev/");
    const char *text = code != -ENOENT ? strerror(-code)
                       : is_device     ? "there is no such device node in the container"
                                       : "there is no such file in the container";
    return why_add(
        why, &(struct why_finding){ .answer = WHY_REFUSED,
                                    .layer = is_device ? "missing device" : "no such file",
                                    .what = cl_format("open %s", path),
                                    .because = cl_strdup(text),
                                    .allow = is_device ? cl_format("--device %s", path) : NULL });
}

/* Nobody makes files there. */
static bool is_of_kernel(const struct place *place)
{
    return strcmp(place->type, "proc") == 0 || strcmp(place->type, "sysfs") == 0 ||
           cl_starts_with(place->path, "/dev/");
}

int why_path(struct why *why, const char *path, const char *access, struct cl_error *err)
{
    char name[256];
    struct place place = { .why = why, .path = path };
    if (path[0] != '/')
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--path %s: expected an absolute path",
                            path);
    if (why->root_fd < 0)
        return why_add(why, &(struct why_finding){
                                .answer = WHY_UNKNOWN,
                                .what = cl_format("open %s", path),
                                .because = cl_strdup("hidden: its root needs CAP_SYS_PTRACE") });
    int code = find_place(&place, name);
    if (code < 0)
        return add_missing(why, path, code);
    bool is_program = S_ISREG(place.info.st_mode) && (place.info.st_mode & 0111) != 0;
    if (access == NULL)
        access = place.missing != NULL ? "w" : is_program ? "rwx" : "rw";
    if (place.missing != NULL && (strchr(access, 'w') == NULL || is_of_kernel(&place)))
        return add_missing(why, path, -ENOENT);
    for (code = 0; code >= 0 && *access != '\0'; access++)
        code = ask_one(&place, *access);
    return code;
}

char *why_find_program(const struct why *why, const char *name)
{
    static const char *const directories[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                               "/usr/bin",        "/sbin",          "/bin" };
    for (size_t i = 0; why->root_fd >= 0 && i < CL_COUNT(directories); i++) {
        char *path = cl_format("%s/%s", directories[i], name);
        cl_auto_fd fd = path == NULL
                            ? -ENOMEM
                            : inroot_open(why->root_fd, path, O_PATH, 0, INROOT_FOLLOW, NULL);
        if (fd >= 0)
            return path;
        free(path);
    }
    return NULL;
}
