/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities, resource limits and signals by name and number: tables and look-ups. Mount options are in mount_options.c.
 */
#include "oci/names.h"

#include "oci/spec_private.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>
#include <sys/resource.h>

/* "SIGkill", "SIG" → "kill"; the text itself when the prefix is not there. */
static const char *without_prefix(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncasecmp(text, prefix, length) == 0 ? text + length : text;
}

/* ---- Capabilities ---- */

static const char cap_names[OCI_CAP_LAST + 1][24] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

#define CAP(number) (UINT64_C(1) << (number))
const uint64_t oci_cap_default = CAP(0) | CAP(1) | CAP(3) | CAP(4) | CAP(5) | CAP(6) | CAP(7) |
                                 CAP(8) | CAP(10) | CAP(18) | CAP(31);

int oci_cap_number(const char *name)
{
    const char *word = name != NULL ? without_prefix(name, "CAP_") : "";
    for (int number = 0; number <= OCI_CAP_LAST; number++)
        if (strcasecmp(cap_names[number] + strlen("CAP_"), word) == 0)
            return number;
    return -EINVAL;
}

const char *oci_cap_name(int number)
{
    return number >= 0 && number <= OCI_CAP_LAST ? cap_names[number] : NULL;
}

const char *oci_cap_closest(const char *name)
{
    char upper[48];
    const char *names[CL_COUNT(cap_names)];
    bool has_prefix = strncasecmp(name, "CAP_", 4) == 0;
    if (CL_PRINT(upper, "%s%s", has_prefix ? "" : "CAP_", name) < 0)
        return NULL;
    for (char *c = upper; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    for (size_t i = 0; i < CL_COUNT(names); i++)
        names[i] = cap_names[i];
    return cl_closest(upper, names, CL_COUNT(names));
}

/* ---- Resource limits ---- */

const struct oci_word oci_rlimit_words[] = {
    { "RLIMIT_AS", RLIMIT_AS },
    { "RLIMIT_CORE", RLIMIT_CORE },
    { "RLIMIT_CPU", RLIMIT_CPU },
    { "RLIMIT_DATA", RLIMIT_DATA },
    { "RLIMIT_FSIZE", RLIMIT_FSIZE },
    { "RLIMIT_LOCKS", RLIMIT_LOCKS },
    { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
    { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
    { "RLIMIT_NICE", RLIMIT_NICE },
    { "RLIMIT_NOFILE", RLIMIT_NOFILE },
    { "RLIMIT_NPROC", RLIMIT_NPROC },
    { "RLIMIT_RSS", RLIMIT_RSS },
    { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
    { "RLIMIT_RTTIME", RLIMIT_RTTIME },
    { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
    { "RLIMIT_STACK", RLIMIT_STACK },
    OCI_WORDS_END,
};

int oci_rlimit_number(const char *name)
{
    const char *word = name != NULL ? without_prefix(name, "RLIMIT_") : "";
    for (const struct oci_word *row = oci_rlimit_words; !oci_word_is_end(row); row++)
        if (strcasecmp(row->name + strlen("RLIMIT_"), word) == 0)
            return (int)row->value;
    return -EINVAL;
}

const char *oci_rlimit_name(int number)
{
    return number < 0 ? NULL : oci_word_name(oci_rlimit_words, (uint32_t)number);
}

/* ---- Signals ---- */

static const struct oci_word signals[] = {
    { "HUP", SIGHUP },       { "INT", SIGINT },     { "QUIT", SIGQUIT },     { "ILL", SIGILL },
    { "TRAP", SIGTRAP },     { "ABRT", SIGABRT },   { "IOT", SIGABRT },      { "BUS", SIGBUS },
    { "FPE", SIGFPE },       { "KILL", SIGKILL },   { "USR1", SIGUSR1 },     { "SEGV", SIGSEGV },
    { "USR2", SIGUSR2 },     { "PIPE", SIGPIPE },   { "ALRM", SIGALRM },     { "TERM", SIGTERM },
    { "CHLD", SIGCHLD },     { "CLD", SIGCHLD },    { "CONT", SIGCONT },     { "STOP", SIGSTOP },
    { "TSTP", SIGTSTP },     { "TTIN", SIGTTIN },   { "TTOU", SIGTTOU },     { "URG", SIGURG },
    { "XCPU", SIGXCPU },     { "XFSZ", SIGXFSZ },   { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },
    { "IO", SIGIO },         { "WINCH", SIGWINCH }, { "POLL", SIGIO },       { "PWR", SIGPWR },
    { "SYS", SIGSYS },
#ifdef SIGSTKFLT
    { "STKFLT", SIGSTKFLT },
#endif
    OCI_WORDS_END,
};

/* "RTMIN", "RTMIN+3", "RTMAX-2"; -EINVAL for anything else. */
static int real_time_signal(const char *word)
{
    bool is_min = strncasecmp(word, "RTMIN", 5) == 0;
    if (!is_min && strncasecmp(word, "RTMAX", 5) != 0)
        return -EINVAL;
    const char *rest = word + 5;
    int base = is_min ? OCI_SIGNAL_RTMIN : OCI_SIGNAL_RTMAX;
    if (*rest == '\0')
        return base;
    if (*rest != (is_min ? '+' : '-') || !isdigit((unsigned char)rest[1]))
        return -EINVAL;
    uint64_t offset;
    if (cl_parse_u64(rest + 1, 0, OCI_SIGNAL_RTMAX - OCI_SIGNAL_RTMIN, &offset) < 0)
        return -EINVAL;
    return is_min ? base + (int)offset : base - (int)offset;
}

int oci_signal_number(const char *name)
{
    if (name == NULL)
        return -EINVAL;
    uint64_t number;
    if (isdigit((unsigned char)*name))
        return cl_parse_u64(name, 1, OCI_SIGNAL_RTMAX, &number) == 0 ? (int)number : -EINVAL;
    const char *word = without_prefix(name, "SIG");
    for (const struct oci_word *row = signals; !oci_word_is_end(row); row++)
        if (strcasecmp(row->name, word) == 0)
            return (int)row->value;
    return real_time_signal(word);
}

void oci_signal_name(int number, char buffer[static 16])
{
    const char *word = number > 0 ? oci_word_name(signals, (uint32_t)number) : NULL;
    if (word != NULL)
        (void)cl_print(buffer, 16, "SIG%s", word);
    else if (number == OCI_SIGNAL_RTMIN)
        (void)cl_print(buffer, 16, "SIGRTMIN");
    else if (number > OCI_SIGNAL_RTMIN && number <= OCI_SIGNAL_RTMAX)
        (void)cl_print(buffer, 16, "SIGRTMIN+%d", number - OCI_SIGNAL_RTMIN);
    else
        (void)cl_print(buffer, 16, "%d", number);
}
