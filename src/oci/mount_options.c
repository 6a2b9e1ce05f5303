/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount options: the table of runtime-spec config.md "Linux mount options", a row per word, and the folding of a mount's list into what
 * mount(2), fsconfig(2) and mount_setattr(2) take. Whatever is not in the table belongs to the file system.
 */
#include "oci/names.h"

#include "base/str.h"

#include <errno.h>

/* The last columns are macros so that a row stays a line. `attr` names a MOUNT_ATTR_ bit that the option sets or clears. */
#define SETS(n, ms, attr)                                                                          \
    {                                                                                              \
        .name = n, .set = (ms), .attr_set = (attr)                                                 \
    }
#define CLEARS(n, ms, attr)                                                                        \
    {                                                                                              \
        .name = n, .clear = (ms), .attr_clear = (attr)                                             \
    }
#define R_SETS(n, attr)                                                                            \
    {                                                                                              \
        .name = n, .attr_set = (attr), .is_recursive = true                                        \
    }
#define R_CLEARS(n, attr)                                                                          \
    {                                                                                              \
        .name = n, .attr_clear = (attr), .is_recursive = true                                      \
    }
#define SUPER_SETS(n, ms)                                                                          \
    {                                                                                              \
        .name = n, .set = (ms), .is_super = true                                                   \
    }
#define SUPER_CLEARS(n, ms)                                                                        \
    {                                                                                              \
        .name = n, .clear = (ms), .is_super = true                                                 \
    }
#define PROPAGATES(n, ms, rec)                                                                     \
    {                                                                                              \
        .name = n, .propagation = (ms), .is_recursive = (rec)                                      \
    }
#define SPECIAL(n, kind, rec)                                                                      \
    {                                                                                              \
        .name = n, .special = (kind), .is_recursive = (rec)                                        \
    }
/* The atime modes are one field: whatever is chosen, all of it is cleared first (mount_setattr(2)). */
#define ATIME(n, ms, ms_off, value, rec)                                                           \
    {                                                                                              \
        .name = n, .set = (ms), .clear = (ms_off), .attr_set = (value),                            \
        .attr_clear = MOUNT_ATTR__ATIME, .is_recursive = (rec)                                     \
    }

const struct oci_mount_option oci_mount_options[] = {
    SUPER_CLEARS("async", MS_SYNCHRONOUS),
    ATIME("atime", 0, MS_NOATIME, MOUNT_ATTR_RELATIME, false),
    SPECIAL("bind", OCI_MOUNT_BIND, false),
    SPECIAL("copy-symlink", OCI_MOUNT_COPY_SYMLINK, false),
    { .name = "defaults" },
    SPECIAL("dest-nofollow", OCI_MOUNT_NO_FOLLOW, false),
    CLEARS("dev", MS_NODEV, MOUNT_ATTR_NODEV),
    CLEARS("diratime", MS_NODIRATIME, MOUNT_ATTR_NODIRATIME),
    SUPER_SETS("dirsync", MS_DIRSYNC),
    CLEARS("exec", MS_NOEXEC, MOUNT_ATTR_NOEXEC),
    SPECIAL("idmap", OCI_MOUNT_IDMAP, false),
    SETS("iversion", MS_I_VERSION, 0),
    SUPER_SETS("lazytime", MS_LAZYTIME),
    CLEARS("loud", MS_SILENT, 0),
    SUPER_SETS("mand", MS_MANDLOCK),
    ATIME("noatime", MS_NOATIME, MS_RELATIME | MS_STRICTATIME, MOUNT_ATTR_NOATIME, false),
    SETS("nodev", MS_NODEV, MOUNT_ATTR_NODEV),
    SETS("nodiratime", MS_NODIRATIME, MOUNT_ATTR_NODIRATIME),
    SETS("noexec", MS_NOEXEC, MOUNT_ATTR_NOEXEC),
    CLEARS("noiversion", MS_I_VERSION, 0),
    SUPER_CLEARS("nolazytime", MS_LAZYTIME),
    SUPER_CLEARS("nomand", MS_MANDLOCK),
    ATIME("norelatime", 0, MS_RELATIME, MOUNT_ATTR_RELATIME, false),
    ATIME("nostrictatime", 0, MS_STRICTATIME, MOUNT_ATTR_RELATIME, false),
    SETS("nosuid", MS_NOSUID, MOUNT_ATTR_NOSUID),
    SETS("nosymfollow", MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
    PROPAGATES("private", MS_PRIVATE, false),
    ATIME("ratime", 0, 0, MOUNT_ATTR_RELATIME, true),
    SPECIAL("rbind", OCI_MOUNT_BIND, true),
    R_CLEARS("rdev", MOUNT_ATTR_NODEV),
    R_CLEARS("rdiratime", MOUNT_ATTR_NODIRATIME),
    ATIME("relatime", MS_RELATIME, MS_NOATIME | MS_STRICTATIME, MOUNT_ATTR_RELATIME, false),
    SPECIAL("remount", OCI_MOUNT_REMOUNT, false),
    R_CLEARS("rexec", MOUNT_ATTR_NOEXEC),
    SPECIAL("ridmap", OCI_MOUNT_IDMAP, true),
    ATIME("rnoatime", 0, 0, MOUNT_ATTR_NOATIME, true),
    R_SETS("rnodev", MOUNT_ATTR_NODEV),
    R_SETS("rnodiratime", MOUNT_ATTR_NODIRATIME),
    R_SETS("rnoexec", MOUNT_ATTR_NOEXEC),
    ATIME("rnorelatime", 0, 0, MOUNT_ATTR_RELATIME, true),
    ATIME("rnostrictatime", 0, 0, MOUNT_ATTR_RELATIME, true),
    R_SETS("rnosuid", MOUNT_ATTR_NOSUID),
    R_SETS("rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW),
    { .name = "ro", .set = MS_RDONLY, .attr_set = MOUNT_ATTR_RDONLY, .is_super = true },
    PROPAGATES("rprivate", MS_PRIVATE, true),
    ATIME("rrelatime", 0, 0, MOUNT_ATTR_RELATIME, true),
    R_SETS("rro", MOUNT_ATTR_RDONLY),
    R_CLEARS("rrw", MOUNT_ATTR_RDONLY),
    PROPAGATES("rshared", MS_SHARED, true),
    PROPAGATES("rslave", MS_SLAVE, true),
    ATIME("rstrictatime", 0, 0, MOUNT_ATTR_STRICTATIME, true),
    R_CLEARS("rsuid", MOUNT_ATTR_NOSUID),
    R_CLEARS("rsymfollow", MOUNT_ATTR_NOSYMFOLLOW),
    PROPAGATES("runbindable", MS_UNBINDABLE, true),
    { .name = "rw", .clear = MS_RDONLY, .attr_clear = MOUNT_ATTR_RDONLY, .is_super = true },
    PROPAGATES("shared", MS_SHARED, false),
    SETS("silent", MS_SILENT, 0),
    PROPAGATES("slave", MS_SLAVE, false),
    SPECIAL("src-nofollow", OCI_MOUNT_SRC_NO_FOLLOW, false),
    ATIME("strictatime", MS_STRICTATIME, MS_NOATIME | MS_RELATIME, MOUNT_ATTR_STRICTATIME, false),
    CLEARS("suid", MS_NOSUID, MOUNT_ATTR_NOSUID),
    CLEARS("symfollow", MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
    SUPER_SETS("sync", MS_SYNCHRONOUS),
    SPECIAL("tmpcopyup", OCI_MOUNT_TMPCOPYUP, false),
    PROPAGATES("unbindable", MS_UNBINDABLE, false),
    { .name = "" },
};
#define OPTION_COUNT (CL_COUNT(oci_mount_options) - 1)

static int compare_name(const void *name, const void *option)
{
    return strcmp(name, ((const struct oci_mount_option *)option)->name);
}

const struct oci_mount_option *oci_mount_option_find(const char *name)
{
    return bsearch(name, oci_mount_options, OPTION_COUNT, sizeof oci_mount_options[0],
                   compare_name);
}

/* A later option undoes what an earlier one said about the same bits. */
static void fold_attributes(const struct oci_mount_option *option, uint64_t *set, uint64_t *clear)
{
    *set = (*set & ~option->attr_clear) | option->attr_set;
    *clear = (*clear & ~option->attr_set) | option->attr_clear;
}

static void fold_special(const struct oci_mount_option *option, struct oci_mount_flags *flags)
{
    switch (option->special) {
    case OCI_MOUNT_PLAIN:
        break;
    case OCI_MOUNT_BIND:
        flags->flags |= MS_BIND | (option->is_recursive ? MS_REC : 0UL);
        break;
    case OCI_MOUNT_REMOUNT:
        flags->flags |= MS_REMOUNT;
        break;
    case OCI_MOUNT_IDMAP:
        flags->idmap = true;
        flags->idmap_recursive = option->is_recursive;
        break;
    case OCI_MOUNT_TMPCOPYUP:
        flags->tmpcopyup = true;
        break;
    case OCI_MOUNT_NO_FOLLOW:
        flags->no_follow = true;
        break;
    case OCI_MOUNT_SRC_NO_FOLLOW:
        flags->source_no_follow = true;
        break;
    case OCI_MOUNT_COPY_SYMLINK:
        flags->copy_symlink = true;
        break;
    }
}

static int add_propagation(const struct oci_mount_option *option, struct oci_mount_flags *flags)
{
    size_t bytes = (flags->propagation_count + 1) * sizeof *flags->propagation;
    unsigned long *grown = cl_realloc(flags->propagation, bytes);
    if (grown == NULL)
        return -ENOMEM;
    flags->propagation = grown;
    grown[flags->propagation_count++] = option->propagation | (option->is_recursive ? MS_REC : 0UL);
    return 0;
}

/* "async" takes back "sync", and so on: an fsconfig flag whose mount(2) bit is the same is replaced. */
static int fold_super(const struct oci_mount_option *option, struct oci_mount_flags *flags)
{
    unsigned long bit = option->set | option->clear;
    for (size_t i = 0; flags->super != NULL && flags->super[i] != NULL; i++) {
        const struct oci_mount_option *earlier = oci_mount_option_find(flags->super[i]);
        bool is_same_bit = earlier != NULL && ((earlier->set | earlier->clear) & bit) != 0;
        if (!is_same_bit)
            continue;
        char *copy = cl_strdup(option->name);
        if (copy == NULL)
            return -ENOMEM;
        free(flags->super[i]);
        flags->super[i] = copy;
        return 0;
    }
    return cl_strv_append(&flags->super, option->name);
}

static int fold_option(const struct oci_mount_option *option, struct oci_mount_flags *flags)
{
    fold_special(option, flags);
    if (option->propagation != 0)
        return add_propagation(option, flags);
    flags->flags = (flags->flags & ~option->clear) | option->set;
    flags->clear = (flags->clear & ~option->set) | option->clear;
    if (option->is_recursive)
        fold_attributes(option, &flags->rec_attr_set, &flags->rec_attr_clear);
    else
        fold_attributes(option, &flags->attr_set, &flags->attr_clear);
    return option->is_super ? fold_super(option, flags) : 0;
}

static int add_data(const char *option, struct oci_mount_flags *flags)
{
    char *data = flags->data == NULL ? cl_strdup(option) : cl_format("%s,%s", flags->data, option);
    if (data == NULL)
        return -ENOMEM;
    free(flags->data);
    flags->data = data;
    return 0;
}

/* "idmap=…": the option with its own maps. */
static int fold_other(const char *text, struct oci_mount_flags *flags)
{
    bool is_recursive = cl_starts_with(text, "ridmap=");
    if (!is_recursive && !cl_starts_with(text, "idmap="))
        return add_data(text, flags);
    char *maps = cl_strdup(strchr(text, '=') + 1);
    if (maps == NULL)
        return -ENOMEM;
    free(flags->idmap_maps);
    flags->idmap_maps = maps;
    flags->idmap = true;
    flags->idmap_recursive = is_recursive;
    return 0;
}

int oci_mount_flags_fold(const char *const *options, struct oci_mount_flags *ret)
{
    struct oci_mount_flags flags = { 0 };
    for (size_t i = 0; options != NULL && options[i] != NULL; i++) {
        const struct oci_mount_option *option = oci_mount_option_find(options[i]);
        int r = option != NULL ? fold_option(option, &flags) : fold_other(options[i], &flags);
        if (r < 0) {
            oci_mount_flags_done(&flags);
            return r;
        }
    }
    *ret = flags;
    return 0;
}

void oci_mount_flags_done(struct oci_mount_flags *flags)
{
    free(flags->propagation);
    free(flags->data);
    free(flags->idmap_maps);
    cl_strv_free(flags->super);
    *flags = (struct oci_mount_flags){ 0 };
}
