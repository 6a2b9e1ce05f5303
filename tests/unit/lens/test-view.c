/* SPDX-License-Identifier: Apache-2.0 */
/*
 * View and diff on processes that were made for it: nested namespaces with id maps, IPC objects, descriptors that lead outside, covered mounts, and names
 * meant to harm whoever shows them. The rows are looked at in JSON; the same rows go into the table and the page.
 */
#include "support.h"

#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>

enum form { TABLE, JSON, HTML };

static struct printed print_view(pid_t pid, enum form form, const struct lens_names *names)
{
    char target[16];
    (void)CL_PRINT(target, "%d", (int)pid);
    struct lens_view_options options = { .target = target,
                                         .json = form == JSON,
                                         .html = form == HTML };
    struct printed printed = { 0 };
    FILE *out = open_memstream(&printed.text, &printed.size);
    printed.code = lens_view(&options, names, out, &printed.err);
    (void)fclose(out);
    CHECK_STR(printed.err.text, "");
    return printed;
}

static struct cl_json *view_of(pid_t pid, const struct lens_names *names)
{
    struct cl_json *document = NULL;
    struct printed printed = print_view(pid, JSON, names);
    CHECK_INT(cl_json_parse(printed.text, printed.size, 1 << 22, &document, NULL), 0);
    printed_done(&printed);
    return document;
}

static const char *field(const struct cl_json *document, const char *section, const char *name,
                         const char *side)
{
    const struct cl_json *row = cl_json_get(cl_json_get(document, section), name);
    return cl_json_string_or(cl_json_get(row, side), "(none)");
}

/* Does the list have an item with these sides? NULL: whatever it is. */
static bool has_item(const struct cl_json *document, const char *section, const char *name,
                     const char *host, const char *inside)
{
    const struct cl_json *items = cl_json_get(cl_json_get(document, section), name);
    for (size_t i = 0; i < cl_json_count(items); i++) {
        const struct cl_json *item = cl_json_at(items, i);
        const char *left = cl_json_string_or(cl_json_get(item, "host"), "");
        const char *right = cl_json_string_or(cl_json_get(item, "inside"), "");
        if ((host == NULL || strstr(left, host) != NULL) &&
            (inside == NULL || strstr(right, inside) != NULL))
            return true;
    }
    return false;
}

/* ---- three deep ---- */

static bool write_map(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    (void)close(fd);
    return is_written;
}

/* Each level maps its 7 to its parent's user and starts the next. */
struct nest {
    int depth;
    unsigned uid; /* of the parent, in its own namespace */
};
#define NEST_FLAGS                                                                                 \
    (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |     \
     CLONE_NEWCGROUP)

static int nest_setup(void *context)
{
    struct nest *nest = context;
    char name[16], map[32];
    struct sleeper below = { 0 };
    (void)CL_PRINT(name, "level-%d", 3 - nest->depth);
    (void)CL_PRINT(map, "7 %u 1", nest->uid);
    nest->uid = 7;
    if (!write_map("/proc/self/setgroups", "deny") || !write_map("/proc/self/uid_map", map) ||
        !write_map("/proc/self/gid_map", map) || sethostname(name, strlen(name)) < 0)
        return -1;
    if (--nest->depth == 0)
        return 0;
    return sleeper_start(&below, NEST_FLAGS, nest_setup, nest) ? 0 : -1;
}

/* The process of this name's level: the one whose NSpid has so many entries and that is below `top`. */
static pid_t deepest_below(pid_t top)
{
    char path[64], text[64];
    for (pid_t pid = top; pid > 0;) {
        (void)CL_PRINT(path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        (void)close(fd);
        text[length < 0 ? 0 : length] = '\0';
        text[strcspn(text, " ")] = '\0';
        pid_t child;
        if (cl_parse_pid(text, &child) < 0)
            return pid;
        pid = child;
    }
    return 0;
}

TEST(three_levels_of_every_namespace)
{
    struct nest nest = { .depth = 3, .uid = geteuid() };
    struct sleeper top = { 0 };
    if (!sleeper_start(&top, NEST_FLAGS, nest_setup, &nest))
        SKIP("no user namespaces with maps for us");
    pid_t deepest = deepest_below(top.pid);
    CL_AUTO(cl_json_unref) struct cl_json *document = view_of(deepest, NULL);
    sleeper_end(&top);
    CHECK_STR(field(document, "process", "pid", "inside"), "1");
    CHECK_STR(field(document, "process", "hostname", "inside"), "level-2");
    const struct cl_json *between = cl_json_get(cl_json_get(document, "process"), "pid between");
    CHECK_INT(cl_json_count(between), 2);
    CHECK(has_item(document, "process", "pid between", "level 1 of 3", NULL));
    CHECK_STR(field(document, "process", "pid", "verdict"), "own");
    CHECK_STR(field(document, "process", "user", "verdict"), "own");
    CHECK_STR(field(document, "clock", "uptime", "verdict"), "shared");
    CHECK(has_item(document, "process", "user map", "0 \u2192", "7"));
    CHECK(cl_starts_with(field(document, "process", "user", "inside"), "7"));
    const char *const own[] = { "user", "pid", "mnt", "uts", "ipc", "net", "cgroup" };
    for (size_t i = 0; i < CL_COUNT(own); i++)
        CHECK_STR(field(document, "namespaces", own[i], "verdict"), "own");
    CHECK_INT(cl_json_count(cl_json_get(document, "shared")), 1);
    const struct cl_json *time = cl_json_at(cl_json_get(document, "sharing"), 0);
    CHECK_STR(cl_json_string_or(cl_json_get(time, "namespace"), ""), "time");
    CHECK_STR(cl_json_string_or(cl_json_get(time, "flag"), ""), "--time private");
}

/* ---- IPC ---- */

static int ipc_setup(void *context)
{
    (void)context;
    struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 16 };
    return shmget(0x1234, 8192, IPC_CREAT | 0600) < 0 || msgget(0x55, IPC_CREAT | 0600) < 0 ||
                   mq_open("/jobs", O_CREAT | O_RDWR, 0600, &attributes) == (mqd_t)-1
               ? -1
               : 0;
}

TEST(ipc_objects_of_the_namespace_are_listed)
{
    struct sleeper sleeper = { 0 };
    if (!sleeper_start(&sleeper, CLONE_NEWIPC, ipc_setup, NULL))
        SKIP("needs CAP_SYS_ADMIN, and POSIX message queues");
    CL_AUTO(cl_json_unref) struct cl_json *document = view_of(sleeper.pid, NULL);
    sleeper_end(&sleeper);
    CHECK_STR(field(document, "ipc", "shared memory", "inside"),
              "1 segments, 1 queues, 0 semaphore sets");
    CHECK_STR(field(document, "ipc", "shared memory", "verdict"), "own");
    CHECK_STR(field(document, "ipc", "POSIX queues", "inside"), "1");
    CHECK(has_item(document, "ipc", "object", NULL, "8192 bytes, key 0x1234, uid 0"));
    CHECK(has_item(document, "ipc", "object", NULL, "0 messages, key 0x55, uid 0"));
    CHECK(has_item(document, "ipc", "object", NULL, "POSIX queue /jobs"));
}

/* ---- descriptors ---- */

static int descriptors_setup(void *context)
{
    (void)context;
    int file = open("/etc", O_RDONLY | O_DIRECTORY), net = open("/proc/self/ns/net", O_RDONLY);
    int socket_fd = socket(AF_INET, SOCK_DGRAM, 0), ours = open("/proc/self/ns/uts", O_RDONLY);
    int parent = k_pidfd_open(getppid());
    return file < 0 || net < 0 || socket_fd < 0 || ours < 0 || parent < 0 ||
                   unshare(CLONE_NEWNS | CLONE_NEWNET) < 0
               ? -1
               : 0;
}

TEST(CVE_2024_21626_descriptors_that_lead_outside_are_listed)
{
    struct sleeper sleeper = { 0 };
    if (!sleeper_start(&sleeper, 0, descriptors_setup, NULL))
        SKIP("needs CAP_SYS_ADMIN");
    CL_AUTO(cl_json_unref) struct cl_json *document = view_of(sleeper.pid, NULL);
    sleeper_end(&sleeper);
    CHECK(has_item(document, "files", "descriptor outside", "/etc", NULL));
    CHECK(has_item(document, "files", "descriptor outside", "net namespace ", NULL));
    CHECK(has_item(document, "files", "descriptor outside", "socket:[", NULL));
    CHECK(!has_item(document, "files", "descriptor outside", "uts namespace", NULL));
    /* The pidfd of a process in its own pid namespace is not outside. */
    CHECK(!has_item(document, "files", "descriptor outside", "process ", NULL));
}

static int inherit_pidfd(void *context)
{
    int pidfd = *(int *)context;
    return fcntl(pidfd, F_SETFD, 0);
}

TEST(a_pidfd_of_a_process_outside_is_listed)
{
    struct sleeper sleeper = { 0 };
    char text[64];
    int self = k_pidfd_open(getpid());
    REQUIRE(self >= 0);
    if (!sleeper_start(&sleeper, CLONE_NEWPID, inherit_pidfd, &self)) {
        (void)close(self);
        SKIP("needs CAP_SYS_ADMIN");
    }
    (void)close(self);
    CL_AUTO(cl_json_unref) struct cl_json *document = view_of(sleeper.pid, NULL);
    sleeper_end(&sleeper);
    (void)CL_PRINT(text, "process %d (", (int)getpid());
    CHECK(has_item(document, "files", "descriptor outside", text, NULL));
}

/* ---- mounts ---- */

static int mounts_setup(void *context)
{
    (void)context;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                   mount("one", "/mnt", "tmpfs", 0, NULL) < 0 || mkdir("/mnt/a", 0700) < 0 ||
                   mkdir("/mnt/evil\n\tname", 0700) < 0 ||
                   mount("two", "/mnt/a", "tmpfs", 0, NULL) < 0 ||
                   mount("bad", "/mnt/evil\n\tname", "tmpfs", MS_RDONLY, NULL) < 0 ||
                   mount("three", "/mnt/a", "tmpfs", 0, NULL) < 0 ||
                   mount("tmpfs", "/proc/bus", "tmpfs", MS_RDONLY, NULL) < 0
               ? -1
               : 0;
}

TEST(covered_masked_and_odd_mounts)
{
    struct sleeper sleeper = { 0 };
    if (!sleeper_start(&sleeper, CLONE_NEWNS, mounts_setup, NULL))
        SKIP("needs CAP_SYS_ADMIN");
    CL_AUTO(cl_json_unref) struct cl_json *document = view_of(sleeper.pid, NULL);
    struct printed table = print_view(sleeper.pid, TABLE, NULL);
    sleeper_end(&sleeper);
    CHECK(has_item(document, "files", "hidden", NULL, "/mnt/a (tmpfs), below a tmpfs on /mnt/a"));
    CHECK(has_item(document, "files", "masked", "PCI and USB devices", "/proc/bus"));
    CHECK(has_item(document, "files", "read-only", NULL, "/mnt/evil\n\tname"));
    CHECK_CONTAINS(table.text, "/mnt/evil\\x0a\\x09name");
    printed_done(&table);
}

/* ---- shared with another container ---- */

static struct lens_container pod[2];
static int list_pod(void *context, struct lens_container **ret, size_t *ret_count,
                    struct cl_error *err)
{
    (void)context;
    (void)err;
    *ret = cl_calloc(2, sizeof **ret);
    memcpy(*ret, pod, sizeof pod);
    *ret_count = 2;
    return 0;
}

static int join_net(void *context)
{
    int pidfd = k_pidfd_open(*(pid_t *)context);
    return pidfd < 0 ? pidfd : k_setns(pidfd, CLONE_NEWNET);
}

TEST(a_namespace_of_another_container_is_named)
{
    struct sleeper web = { 0 }, helper = { 0 };
    const struct lens_names names = { NULL, list_pod, NULL };
    if (!sleeper_start(&web, CLONE_NEWNET, NULL, NULL) ||
        !sleeper_start(&helper, CLONE_NEWUTS, join_net, &web.pid))
        SKIP("needs CAP_SYS_ADMIN");
    pod[0] = (struct lens_container){ .name = "web", .engine = "cloche", .init_pid = web.pid };
    pod[1] = (struct lens_container){ .name = "aid", .engine = "cloche", .init_pid = helper.pid };
    CL_AUTO(cl_json_unref) struct cl_json *document = view_of(helper.pid, &names);
    CHECK_STR(cl_json_string_or(cl_json_get(document, "container"), ""), "aid");
    CHECK_STR(field(document, "namespaces", "net", "verdict"), "shared with");
    CHECK_STR(field(document, "namespaces", "net", "with"), "web");
    CHECK_STR(field(document, "network", "interfaces", "with"), "web");
    CHECK_STR(field(document, "namespaces", "uts", "verdict"), "own");
    struct printed table = print_view(helper.pid, TABLE, &names);
    CHECK_CONTAINS(table.text, "shared with web");
    printed_done(&table);
    sleeper_end(&helper);
    sleeper_end(&web);
}

/* ---- hostile texts in every form ---- */

#define EVIL "\033[31m<script>alert(1)</script>\n\"'&\342\200\256x"

static int hostile_setup(void *context)
{
    static char command[4096];
    int executed[2];
    char byte;
    (void)context;
    memset(command, '<', sizeof command - 1);
    memcpy(command, EVIL, strlen(EVIL));
    char *const arguments[] = { command, (char *)(uintptr_t) "1000", NULL };
    if (mounts_setup(NULL) < 0 || sethostname(EVIL, strlen(EVIL)) < 0 ||
        pipe2(executed, O_CLOEXEC) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execv("/bin/sleep", arguments);
        _exit(1);
    }
    (void)close(executed[1]);
    return pid < 0 || read(executed[0], &byte, 1) != 0 ? -1 : 0;
}

static bool has_control(const char *text, const char *but)
{
    for (const char *at = text; *at != '\0'; at++)
        if (((unsigned char)*at < 32 || *at == 127) && strchr(but, *at) == NULL)
            return true;
    return false;
}

TEST(hostile_texts_are_harmless_in_every_form)
{
    struct sleeper sleeper = { 0 };
    if (!sleeper_start(&sleeper, CLONE_NEWNS | CLONE_NEWUTS, hostile_setup, NULL))
        SKIP("needs CAP_SYS_ADMIN");
    pid_t pid = deepest_below(sleeper.pid);
    struct printed table = print_view(pid, TABLE, NULL), json = print_view(pid, JSON, NULL),
                   page = print_view(pid, HTML, NULL);
    sleeper_end(&sleeper);
    CHECK(!has_control(table.text, "\n"));
    CHECK(!has_control(json.text, "\n"));
    CHECK(!has_control(page.text, "\n"));
    CHECK_CONTAINS(table.text, "\\x1b[31m<script>");
    CHECK_CONTAINS(page.text,
                   "\\x1b[31m&lt;script&gt;alert(1)&lt;/script&gt;\\x0a&quot;&#39;&amp;");
    const char *const never[] = { "<script", "\342\200\256", "http:", "https:",
                                  "src=",    "@import",      "url(",  " onload" };
    for (size_t i = 0; i < CL_COUNT(never); i++)
        if (strstr(page.text, never[i]) != NULL)
            TEST_SAY("the page holds %s", never[i]);
    CHECK_CONTAINS(page.text, "default-src 'none'");
    CHECK(strstr(json.text, "<script") == NULL);
    CHECK(strstr(table.text, "\342\200\256") == NULL);
    printed_done(&table);
    printed_done(&json);
    printed_done(&page);
}

/* ---- processes that end under the reader ---- */

TEST(a_process_that_ends_is_an_error_or_was_whole)
{
    int whole = 0, gone = 0;
    for (int i = 0; i < 60; i++) {
        struct sleeper sleeper = { 0 };
        char target[16];
        CHECK(sleeper_start(&sleeper, 0, NULL, NULL));
        (void)CL_PRINT(target, "%d", (int)sleeper.pid);
        pid_t killer = fork();
        if (killer == 0) {
            for (volatile int spin = 0; spin < i * 20000; spin++)
                ;
            (void)kill(sleeper.pid, SIGKILL);
            _exit(0);
        }
        struct lens_view_options options = { .target = target, .json = true };
        struct printed printed = { 0 };
        FILE *out = open_memstream(&printed.text, &printed.size);
        printed.code = lens_view(&options, NULL, out, &printed.err);
        (void)fclose(out);
        whole += printed.code >= 0 && printed.size > 0;
        gone += printed.code < 0 && printed.size == 0 && printed.err.text[0] != '\0';
        printed_done(&printed);
        (void)waitpid(killer, NULL, 0);
        sleeper_end(&sleeper);
    }
    CHECK_INT(whole + gone, 60);
}

TEST_MAIN
