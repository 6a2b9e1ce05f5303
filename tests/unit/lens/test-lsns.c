/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsns as people see it: against util-linux's on the same frozen processes, with hostile names, and its own options and refusals.
 */
#include "support.h"

#include <sys/socket.h>

/* ---- against util-linux ---- */

/*
 * A world of frozen processes in a pid namespace and a /proc of its own, so that both programs see the same. The process that
 * runs them is its init; where util-linux's lsns is itself a process of that world, a sleeper stands in for it when we look.
 */
struct world {
    struct sleeper plain, net, nested, user;
};

/* "lsns from util-linux 2.38.1" → 238; 0: not installed. */
static int version_of(const char *text)
{
    const char *at = text == NULL ? NULL : strstr(text, "util-linux 2.");
    int minor = 0;
    for (at = at == NULL ? "" : at + strlen("util-linux 2."); *at >= '0' && *at <= '9'; at++)
        minor = minor * 10 + (*at - '0');
    return minor == 0 ? 0 : 200 + minor;
}

/* Namespaces without a process, which 2.38 does not see: behind a descriptor, a socket, a bind mount. They go with the world. */
static int hold_setup(void *context)
{
    (void)context;
    return socket(AF_INET, SOCK_DGRAM, 0) < 0 || unshare(CLONE_NEWNET) < 0 ? -1 : 0;
}

static bool world_hold(const char *dir)
{
    struct sleeper gone = { 0 };
    char path[64], point[96];
    if (!sleeper_start(&gone, CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWUSER, NULL, NULL))
        return false;
    (void)CL_PRINT(path, "/proc/%d/ns/uts", (int)gone.pid);
    bool is_open = open(path, O_RDONLY) >= 0; /* stays open: no CLOEXEC, the others have it, too */
    (void)CL_PRINT(path, "/proc/%d/ns/net", (int)gone.pid);
    (void)CL_PRINT(point, "%s/net", dir);
    int fd = open(point, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    (void)close(fd);
    bool is_bound = mount(path, point, NULL, MS_BIND, NULL) == 0;
    sleeper_end(&gone);
    struct sleeper holder = { 0 };
    return is_open && is_bound && sleeper_start(&holder, CLONE_NEWNET, hold_setup, NULL);
}

static int nested_setup(void *context)
{
    (void)context;
    struct sleeper below = { 0 };
    return sleeper_start(&below, CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWUSER, NULL, NULL) ? 0 : -1;
}

static bool world_start(struct world *world)
{
    return sleeper_start(&world->plain, 0, NULL, NULL) &&
           sleeper_start(&world->net, CLONE_NEWNET | CLONE_NEWUTS, NULL, NULL) &&
           sleeper_start(&world->nested, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC, nested_setup,
                         NULL) &&
           sleeper_start(&world->user, CLONE_NEWUSER | CLONE_NEWCGROUP, NULL, NULL);
}

struct comparison {
    const char *name;
    const char *arguments[8]; /* of util-linux's */
    struct lens_lsns_options options;
    int since; /* the version that has it; 0: all */
};

#define TYPE(ns) (1U << (ns))
#define ALL      "NS,TYPE,PATH,NPROCS,PID,PPID,UID,USER,NETNSID,NSFS,PNS,ONS,COMMAND"
static const struct comparison comparisons[] = {
    { "default", { "lsns" }, { 0 } },
    { "list", { "lsns", "-l" }, { .tree = LENS_TREE_NONE } },
    { "no headings", { "lsns", "-n" }, { .no_headings = true } },
    { "raw", { "lsns", "-l", "-r" }, { .tree = LENS_TREE_NONE, .raw = true } },
    { "pid", { "lsns", "-t", "pid" }, { .types = TYPE(K_NS_PID) } },
    { "net", { "lsns", "-t", "net" }, { .types = TYPE(K_NS_NET) } },
    { "two types",
      { "lsns", "-t", "user", "-t", "mnt" },
      { .types = TYPE(K_NS_USER) | TYPE(K_NS_MNT) } },
    { "owner tree", { "lsns", "-T" }, { .tree = LENS_TREE_OWNER } },
    { "parent tree", { "lsns", "--tree=parent" }, { .tree = LENS_TREE_PARENT } },
    { "process tree",
      { "lsns", "--tree=process", "-o", "NS,COMMAND" },
      { .tree = LENS_TREE_PROCESS, .columns = "NS,COMMAND" } },
    { "columns",
      { "lsns", "-o", "NS,TYPE,PATH,NPROCS,PID,PPID,UID,USER,NETNSID,NSFS,PNS,ONS,COMMAND" },
      { .columns = "NS,TYPE,PATH,NPROCS,PID,PPID,UID,USER,NETNSID,NSFS,PNS,ONS,COMMAND" } },
    { "added column", { "lsns", "-o", "+PPID" }, { .columns = "+ppid" } },
    { "task", { "lsns", "-p", "2" }, { .task = 2 } },
    { "json", { "lsns", "-J", "-l" }, { .tree = LENS_TREE_NONE, .json = true }, 241 },
    { "json tree", { "lsns", "-J", "-T" }, { .tree = LENS_TREE_OWNER, .json = true }, 241 },
    { "all columns",
      { "lsns", "-l", "-r", "-o", ALL },
      { .tree = LENS_TREE_NONE, .raw = true, .columns = ALL },
      241 },
    { "persistent", { "lsns", "-P", "-o", ALL }, { .persistent = true, .columns = ALL }, 241 },
    { "nowrap", { "lsns", "-W", "-t", "net" }, { .no_wrap = true, .types = TYPE(K_NS_NET) }, 241 },
    { "filter",
      { "lsns", "-l", "-Q", "TYPE == 'net' && NPROCS > 1" },
      { .tree = LENS_TREE_NONE, .filter = "TYPE == 'net' && NPROCS > 1" },
      241 },
    { "regular expression",
      { "lsns", "-l", "-Q", "TYPE =~ '^[mu]' || !(PID < 5)" },
      { .tree = LENS_TREE_NONE, .filter = "TYPE =~ '^[mu]' || !(PID < 5)" },
      241 },
    { "filter by user",
      { "lsns", "-l", "-Q", "USER eq 'root' and NS ne 1" },
      { .tree = LENS_TREE_NONE, .filter = "USER eq 'root' and NS ne 1" },
      241 },
};

/*
 * Newer ones choose other widths from release to release, and say "unassigned" of a network namespace without processes or leave that empty: what counts
 * is the rows. Runs of blanks become one.
 */
static void squeeze(char *text)
{
    static const char word[] = "unassigned";
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        if (strncmp(from, word, strlen(word)) == 0) {
            from += strlen(word);
        } else if (*from == ' ' && (to == text || to[-1] == ' ' || to[-1] == '\n')) {
            from++;
        } else if (*from == '\n' && to > text && to[-1] == ' ') {
            to--;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* The document, whatever its indentation. */
static void compact(char **text)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = NULL;
    CHECK_INT(cl_json_parse(*text, strlen(*text), 1 << 22, &document, NULL), 0);
    free(*text);
    *text = cl_json_text(document, 0);
}

static int compare_one(const struct comparison *comparison, int version)
{
    const char *arguments[9] = { 0 };
    struct sleeper stand_in = { 0 };
    memcpy(arguments, comparison->arguments, sizeof comparison->arguments);
    char *theirs = run_program(arguments);
    (void)sleeper_start(&stand_in, 0, NULL, NULL);
    struct printed ours = print_lsns(&comparison->options, NULL);
    sleeper_end(&stand_in);
    if (version >= 241 && theirs != NULL && ours.text != NULL) {
        if (comparison->options.json) {
            compact(&theirs);
            compact(&ours.text);
        }
        squeeze(theirs);
        squeeze(ours.text);
    }
    int differs =
        theirs == NULL || ours.code < 0 || ours.text == NULL || strcmp(theirs, ours.text) != 0;
    if (differs)
        printf("# %s\n# util-linux:\n%s# ours (%d %s):\n%s", comparison->name, theirs, ours.code,
               ours.err.text, ours.text);
    printed_done(&ours);
    free(theirs);
    return differs;
}

/* As init of the world: the number of differences, or 200: no world could be made. */
static int compare_all(int version, const char *dir)
{
    struct world world = { 0 };
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("proc", "/proc", "proc", 0, NULL) < 0 || !world_start(&world) ||
        (version >= 241 && !world_hold(dir)))
        return 200;
    int differences = 0;
    for (size_t i = 0; i < CL_COUNT(comparisons); i++)
        if (comparisons[i].since <= version)
            differences += compare_one(&comparisons[i], version);
    return differences;
}

TEST(prints_what_util_linux_prints)
{
    const char *const version[] = { "lsns", "--version", NULL };
    char dir[] = "/tmp/lens-lsns-XXXXXX", point[64];
    char *text = run_program(version);
    int version_number = version_of(text);
    free(text);
    if (version_number != 238 && version_number < 241)
        SKIP("util-linux's lsns is neither 2.38 nor 2.41 or later");
    REQUIRE(mkdtemp(dir) != NULL);
    (void)fflush(NULL);
    pid_t pid =
        (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        int differences = compare_all(version_number, dir);
        (void)fflush(NULL);
        _exit(differences);
    }
    if (pid < 0)
        SKIP("needs CAP_SYS_ADMIN");
    int status = 0;
    (void)waitpid(pid, &status, 0);
    (void)CL_PRINT(point, "%s/net", dir);
    (void)unlink(point);
    (void)rmdir(dir);
    if (WEXITSTATUS(status) == 200)
        SKIP("no namespaces of our own here");
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

/* ---- hostile names ---- */

static int exec_hostile(void *context)
{
    static const char name[] = "\033[31mevil\nrow \302\233x\377\"</script>";
    char *const arguments[] = { (char *)(uintptr_t)name, (char *)(uintptr_t) "1000", NULL };
    int executed[2];
    char byte;
    (void)context;
    if (pipe2(executed, O_CLOEXEC) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execv("/bin/sleep", arguments);
        _exit(1);
    }
    (void)close(executed[1]);
    return pid < 0 || read(executed[0], &byte, 1) != 0 ? -1 : 0; /* closed by the exec */
}

TEST(names_from_outside_are_escaped)
{
    struct sleeper sleeper = { 0 };
    if (!sleeper_start(&sleeper, CLONE_NEWPID | CLONE_NEWNET, exec_hostile, NULL))
        SKIP("needs CAP_SYS_ADMIN");
    struct stat info;
    char path[64];
    (void)CL_PRINT(path, "/proc/%d/ns/net", (int)sleeper.pid);
    CHECK_INT(stat(path, &info), 0);
    struct lens_lsns_options options = { .ns = info.st_ino };
    struct printed table = print_lsns(&options, NULL);
    CHECK_INT(table.code, 0);
    CHECK(strchr(table.text, '\033') == NULL);
    CHECK_INT(count_lines(table.text, ""), 3); /* heading and two processes: no line of its own */
    CHECK_CONTAINS(table.text, "\\x1b[31mevil\\x0arow \\xc2\\x9bx\\xff");
    options.json = true;
    struct printed json = print_lsns(&options, NULL);
    CL_AUTO(cl_json_unref) struct cl_json *document = NULL;
    struct cl_error err = { 0 };
    CHECK_INT(cl_json_parse(json.text, json.size, 1 << 20, &document, &err), 0);
    CHECK(strstr(json.text, "</script>") == NULL);
    printed_done(&table);
    printed_done(&json);
    sleeper_end(&sleeper);
}

/* ---- our own ---- */

static struct lens_container made_up[2];

static int list_made_up(void *context, struct lens_container **ret, size_t *ret_count,
                        struct cl_error *err)
{
    (void)context;
    (void)err;
    *ret = cl_calloc(2, sizeof **ret);
    memcpy(*ret, made_up, sizeof made_up);
    *ret_count = 2;
    return 0;
}

static int find_made_up(void *context, const char *reference, struct lens_container *ret,
                        struct cl_error *err)
{
    (void)context;
    for (size_t i = 0; i < 2; i++)
        if (strcmp(made_up[i].name, reference) == 0) {
            *ret = made_up[i];
            return 0;
        }
    return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT, "no such container: %s", reference);
}

static const struct lens_names made_up_names = { NULL, list_made_up, find_made_up };

TEST(containers_are_named)
{
    struct sleeper sleeper = { 0 };
    if (!sleeper_start(&sleeper, CLONE_NEWPID | CLONE_NEWUTS, NULL, NULL))
        SKIP("needs CAP_SYS_ADMIN");
    made_up[0] = (struct lens_container){ .name = "jolly_ritchie", .init_pid = sleeper.pid };
    made_up[1] = (struct lens_container){ .name = "stale", .init_pid = getpid(), .start_ticks = 1 };
    struct lens_lsns_options options = { 0 };
    struct printed all = print_lsns(&options, &made_up_names);
    CHECK_INT(all.code, 0);
    CHECK_INT(count_lines(all.text, "jolly_ritchie"), 2); /* its pid and its uts namespace */
    CHECK_CONTAINS(all.text, "CONTAINER");
    CHECK(strstr(all.text, "stale") == NULL); /* the pid is ours now */
    options.container = "jolly_ritchie";
    options.types = 1U << K_NS_PID;
    struct printed one = print_lsns(&options, &made_up_names);
    CHECK_INT(count_lines(one.text, ""), 2);
    CHECK_INT(count_lines(one.text, "jolly_ritchie"), 1);
    made_up[0].init_pid = 0;
    options.container = "stale";
    struct printed stale = print_lsns(&options, &made_up_names);
    CHECK(stale.code < 0);
    CHECK_CONTAINS(stale.err.text, "not running any more");
    CHECK_INT(stale.size, 0);
    printed_done(&all);
    printed_done(&one);
    printed_done(&stale);
    sleeper_end(&sleeper);
}

TEST(without_containers_the_table_is_util_linux_s)
{
    /* Our own namespaces: other engines may have containers on this machine. */
    struct lens_lsns_options options = { .tree = LENS_TREE_NONE, .task = getpid() };
    made_up[0] = made_up[1] = (struct lens_container){ .name = "none" };
    struct printed table = print_lsns(&options, &made_up_names);
    /* USER is as wide as the widest name of a user on this machine. */
    const char *user = strstr(table.text, "USER ");
    REQUIRE(user != NULL);
    user += strlen("USER");
    CHECK(cl_starts_with(user + strspn(user, " "), "COMMAND\n"));
    options.json = true;
    struct printed json = print_lsns(&options, &made_up_names);
    CHECK_CONTAINS(json.text, "\"container\": null");
    printed_done(&table);
    printed_done(&json);
}

TEST(persistent_namespaces_show_who_holds_them)
{
    struct sleeper sleeper = { 0 };
    char path[64], inode[32];
    struct stat info;
    if (!sleeper_start(&sleeper, CLONE_NEWNET, NULL, NULL))
        SKIP("needs CAP_SYS_ADMIN");
    (void)CL_PRINT(path, "/proc/%d/ns/net", (int)sleeper.pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    sleeper_end(&sleeper);
    REQUIRE(fd >= 0 && fstat(fd, &info) == 0);
    (void)CL_PRINT(inode, "%llu", (unsigned long long)info.st_ino);
    struct lens_lsns_options options = { .persistent = true, .columns = "NS,TYPE,NPROCS,PID,HELD" };
    struct printed held = print_lsns(&options, NULL);
    CHECK_INT(held.code, 0);
    CHECK_INT(count_lines(held.text, inode), 1);
    CHECK_CONTAINS(held.text, "fd");
    CHECK(strstr(held.text, "process") == NULL);
    printed_done(&held);
    (void)close(fd);
}

TEST(keep_alive_names_each_holder)
{
    struct sleeper sleeper = { 0 };
    char path[64], line[96];
    struct stat info;
    if (!sleeper_start(&sleeper, CLONE_NEWUTS, NULL, NULL))
        SKIP("needs CAP_SYS_ADMIN");
    (void)CL_PRINT(path, "/proc/%d/ns/uts", (int)sleeper.pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    sleeper_end(&sleeper);
    REQUIRE(fd >= 0 && fstat(fd, &info) == 0);
    struct lens_lsns_options options = { .keep_alive = true, .raw = true };
    struct printed held = print_lsns(&options, NULL);
    (void)CL_PRINT(line, "%llu uts fd %d %d ", (unsigned long long)info.st_ino, (int)getpid(), fd);
    CHECK_INT(held.code, 0);
    CHECK_INT(count_lines(held.text, line), 1);
    printed_done(&held);
    (void)close(fd);
}

TEST(maps_and_inner_pids_are_columns)
{
    struct sleeper sleeper = { 0 };
    if (!sleeper_start(&sleeper, CLONE_NEWUSER | CLONE_NEWPID, NULL, NULL))
        SKIP("no user namespaces for us");
    char path[64];
    (void)CL_PRINT(path, "/proc/%d/uid_map", (int)sleeper.pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    (void)CL_PRINT(path, "0 %u 1", geteuid());
    CHECK(write(fd, path, strlen(path)) == (ssize_t)strlen(path));
    (void)close(fd);
    struct lens_lsns_options options = { .task = sleeper.pid,
                                         .types = 1U << K_NS_USER,
                                         .columns = "NSPID,UIDMAP",
                                         .raw = true,
                                         .no_headings = true };
    struct printed maps = print_lsns(&options, NULL);
    (void)CL_PRINT(path, "1 0:%u:1\n", geteuid());
    CHECK_STR(maps.text, path);
    printed_done(&maps);
    sleeper_end(&sleeper);
}

TEST(the_tree_hangs_pid_namespaces_below_their_parents)
{
    struct sleeper sleeper = { 0 };
    struct printed printed = { 0 };
    char outer[64], inner[64];
    struct stat info;
    if (!sleeper_start(&sleeper, CLONE_NEWPID, nested_setup, NULL))
        SKIP("needs CAP_SYS_ADMIN");
    (void)CL_PRINT(outer, "/proc/%d/ns/pid", (int)sleeper.pid);
    CHECK_INT(stat(outer, &info), 0);
    (void)CL_PRINT(outer, "\u2500%llu", (unsigned long long)info.st_ino);
    struct lens_tree_options options = { 0 };
    FILE *out = open_memstream(&printed.text, &printed.size);
    CHECK_INT(lens_tree(&options, NULL, out, &printed.err), 0);
    (void)fclose(out);
    sleeper_end(&sleeper);
    /* The nested one is the next line, one level deeper; user namespaces are there, too. */
    const char *at = strstr(printed.text, outer);
    const char *next = at == NULL ? NULL : strchr(at, '\n');
    REQUIRE(next != NULL);
    (void)CL_PRINT(inner, "%.40s", next + 1);
    CHECK(strstr(inner, "\u2500") != NULL);
    CHECK(count_lines(printed.text, " user ") >= 2);
    CHECK(strstr(printed.text, " mnt ") == NULL);
    printed_done(&printed);
}

TEST(refusals_say_what_and_why)
{
    static const struct {
        struct lens_lsns_options options;
        enum cl_kind kind;
        const char *part;
    } refusals[] = {
        { { .columns = "NS,COMAND" },
          CL_KIND_USAGE,
          "unknown column: COMAND; did you mean COMMAND?" },
        { { .columns = "" }, CL_KIND_USAGE, "unknown column: " },
        { { .json = true, .raw = true }, CL_KIND_USAGE, "--json and --raw exclude each other" },
        { { .persistent = true, .task = 1 }, CL_KIND_USAGE, "exclude each other" },
        { { .ns = 5, .task = 1 }, CL_KIND_USAGE, "exclude each other" },
        { { .ns = 5 }, CL_KIND_NOT_FOUND, "no namespace 5" },
        { { .task = 4194303 }, CL_KIND_NOT_FOUND, "no process 4194303" },
        { { .filter = "PID ==" }, CL_KIND_USAGE, "filter: " },
        { { .inside = "nobody" }, CL_KIND_NOT_FOUND, "no process nobody" },
        { { .proc_fd = 0, .inside = "4194303" }, CL_KIND_NOT_FOUND, "no process 4194303" },
    };
    for (size_t i = 0; i < CL_COUNT(refusals); i++) {
        struct printed printed = print_lsns(&refusals[i].options, NULL);
        CHECK(printed.code < 0);
        CHECK_INT(printed.err.kind, refusals[i].kind);
        CHECK_CONTAINS(printed.err.text, refusals[i].part);
        CHECK_INT(printed.size, 0);
        printed_done(&printed);
    }
}

TEST(lists_columns)
{
    struct lens_lsns_options options = { .list_columns = true };
    struct printed columns = print_lsns(&options, NULL);
    CHECK_INT(count_lines(columns.text, "NETNSID <string>"), 1);
    printed_done(&columns);
    options.json = true;
    columns = print_lsns(&options, NULL);
    CHECK_CONTAINS(columns.text, "\"holder\": \"NPROCS\"");
    printed_done(&columns);
}

TEST(a_full_device_is_an_error)
{
    struct lens_lsns_options options = { 0 };
    struct cl_error err = { 0 };
    FILE *full = fopen("/dev/full", "w");
    REQUIRE(full != NULL);
    CHECK(lens_lsns(&options, NULL, full, &err) < 0);
    CHECK_CONTAINS(err.text, "print namespaces");
    (void)fclose(full);
}

TEST_MAIN
