/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths inside a rootfs. Every case runs twice, by openat2 and by the hand-walk: both have to give
 * the same answer, and neither may ever show what lies beside the root, also while another thread
 * exchanges directories for links.
 */
#include "kernel/inroot.h"

#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/procfs.h"
#include "support.h"

struct tree {
    struct scratch scratch; /* holds root/ and outside/ */
    int root;
    char outside[80];
};

static bool put_file(int dir_fd, const char *path, const char *text)
{
    cl_auto_fd fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static const char *const tree_dirs[] = { "outside",      "root",      "root/dir",
                                         "root/dir/sub", "root/swap", "root/other" };
static const struct {
    const char *target, *path;
} tree_links[] = {
    { "/dir/file", "root/abs" },
    { "dir/file", "root/rel" },
    { "../../../../dir/file", "root/up" },
    { "/etc/passwd", "root/out" },
    { "../outside/secret", "root/escape" },
    { "/", "root/rootlink" },
    { "loop2", "root/loop1" },
    { "loop1", "root/loop2" },
    { "nowhere", "root/dangling" },
    { "missing/deep/", "root/dangling-dir" },
    { "dir", "root/dirlink" },
    { "dir/", "root/dirlink-slash" },
    { "dir/file/", "root/file-slash" },
    { "..", "root/dir/sub/back" },
    { "/abs", "root/second" },
};

static bool tree_make(struct tree *tree)
{
    char target[16], path[32];
    if (!scratch_make(&tree->scratch))
        return false;
    int top = tree->scratch.fd;
    snprintf(tree->outside, sizeof tree->outside, "%s/outside", tree->scratch.path);
    for (size_t i = 0; i < CL_COUNT(tree_dirs); i++)
        if (mkdirat(top, tree_dirs[i], 0755) < 0)
            return false;
    for (size_t i = 0; i < CL_COUNT(tree_links); i++)
        if (symlinkat(tree_links[i].target, top, tree_links[i].path) < 0)
            return false;
    for (int i = 0; i <= 41;
         i++) { /* chain0 leads to dir/file by 1 link, chain39 by 40, chain40 by 41 */
        snprintf(target, sizeof target, i == 0 ? "dir/file" : "chain%d", i - 1);
        snprintf(path, sizeof path, "root/chain%d", i);
        if (symlinkat(target, top, path) < 0)
            return false;
    }
    tree->root = openat(top, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return put_file(top, "outside/secret", "outside") && put_file(top, "root/dir/file", "inside") &&
           put_file(top, "root/swap/secret", "inside") && tree->root >= 0;
}

static void tree_remove(struct tree *tree)
{
    tree->root = cl_close(tree->root);
    scratch_remove(&tree->scratch);
}

/* Whatever a case did, the outside has its one file and nothing else. */
static void check_outside(const struct tree *tree)
{
    char text[32] = "";
    CHECK(cl_read_small(tree->scratch.fd, "outside/secret", text, sizeof text) == 7);
    CHECK_STR(text, "outside");
    CHECK_INT(unlinkat(tree->scratch.fd, "outside/secret", 0), 0);
    CHECK_INT(unlinkat(tree->scratch.fd, "outside", AT_REMOVEDIR), 0);
    CHECK_INT(mkdirat(tree->scratch.fd, "outside", 0755), 0);
    CHECK(put_file(tree->scratch.fd, "outside/secret", "outside"));
}

static const char *const masks[] = { NULL, "openat2" }; /* by openat2; by hand */

enum { TEXT = 1, DIRECTORY, LINK, EMPTY };

struct open_case {
    const char *path;
    int open_flags;
    enum inroot_flags flags;
    int expected; /* TEXT: the file that says "inside"; …; or -errno */
};

static const struct open_case open_cases[] = {
    { "dir/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "/dir/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "//dir///.//file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "dir/../dir/sub/../file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "../../../dir/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "/../dir/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "abs", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "rel", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "up", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "second", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "rootlink/dir/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "rootlink/../dir/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "dirlink/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "dirlink/../dir/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "dirlink-slash/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "dir/sub/back/file", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "chain39", O_RDONLY, INROOT_FOLLOW, TEXT },
    { "chain40", O_RDONLY, INROOT_FOLLOW, -ELOOP },
    { "loop1", O_RDONLY, INROOT_FOLLOW, -ELOOP },
    { "loop1/x", O_RDONLY, INROOT_FOLLOW, -ELOOP },
    { "out", O_RDONLY, INROOT_FOLLOW, -ENOENT },
    { "escape", O_RDONLY, INROOT_FOLLOW, -ENOENT },
    { "../outside/secret", O_RDONLY, INROOT_FOLLOW, -ENOENT },
    { "rootlink/../outside/secret", O_RDONLY, INROOT_FOLLOW, -ENOENT },
    { "dangling", O_RDONLY, INROOT_FOLLOW, -ENOENT },
    { "missing/../dir/file", O_RDONLY, INROOT_FOLLOW, -ENOENT },
    { "", O_RDONLY, INROOT_FOLLOW, -ENOENT },
    { "dir/file/", O_RDONLY, INROOT_FOLLOW, -ENOTDIR },
    { "dir/file/.", O_RDONLY, INROOT_FOLLOW, -ENOTDIR },
    { "dir/file/..", O_RDONLY, INROOT_FOLLOW, -ENOTDIR },
    { "dir/file/x", O_RDONLY, INROOT_FOLLOW, -ENOTDIR },
    { "file-slash", O_RDONLY, INROOT_FOLLOW, -ENOTDIR },
    { "rel/", O_RDONLY, INROOT_FOLLOW, -ENOTDIR },
    { "/", O_RDONLY, INROOT_FOLLOW, DIRECTORY },
    { ".", O_PATH, INROOT_FOLLOW, DIRECTORY },
    { "dir/..", O_RDONLY | O_DIRECTORY, INROOT_FOLLOW, DIRECTORY },
    { "dirlink", O_RDONLY | O_DIRECTORY, INROOT_FOLLOW, DIRECTORY },
    { "dirlink/", O_PATH, INROOT_FOLLOW, DIRECTORY },
    { "rootlink", O_PATH, INROOT_FOLLOW, DIRECTORY },
    { "dir/file", O_RDONLY | O_DIRECTORY, INROOT_FOLLOW, -ENOTDIR },
    { "rel", O_PATH | O_DIRECTORY, INROOT_FOLLOW, -ENOTDIR },
    { "rel", O_RDONLY | O_NOFOLLOW, INROOT_FOLLOW, -ELOOP },
    { "rel", O_PATH | O_NOFOLLOW, INROOT_FOLLOW, LINK },
    { "dirlink", O_PATH | O_NOFOLLOW | O_DIRECTORY, INROOT_FOLLOW, -ENOTDIR },
    { "dirlink/file", O_RDONLY | O_NOFOLLOW, INROOT_FOLLOW, TEXT },
    { "dirlink/", O_PATH | O_NOFOLLOW, INROOT_FOLLOW, DIRECTORY },
    { "dir/file", O_RDONLY, INROOT_NO_SYMLINKS, TEXT },
    { "dirlink/file", O_RDONLY, INROOT_NO_SYMLINKS, -ELOOP },
    { "rel", O_RDONLY, INROOT_NO_SYMLINKS, -ELOOP },
    { "rel", O_RDONLY | O_NOFOLLOW, INROOT_NO_SYMLINKS, -ELOOP },
    { "rel", O_PATH | O_NOFOLLOW, INROOT_NO_SYMLINKS, LINK },
    { "dangling", O_RDONLY, INROOT_NO_SYMLINKS, -ELOOP },
    { "abs", O_RDONLY, INROOT_NO_XDEV, TEXT },
    { "dir/new", O_WRONLY | O_CREAT | O_EXCL, INROOT_FOLLOW, EMPTY },
    { "dir/new", O_WRONLY | O_CREAT | O_EXCL, INROOT_FOLLOW, -EEXIST },
    { "dir/new", O_WRONLY | O_CREAT, INROOT_FOLLOW, EMPTY },
    { "rel", O_WRONLY | O_CREAT | O_EXCL, INROOT_FOLLOW, -EEXIST },
    { "dangling", O_WRONLY | O_CREAT | O_EXCL, INROOT_FOLLOW, -EEXIST },
    { "dangling", O_WRONLY | O_CREAT | O_NOFOLLOW, INROOT_FOLLOW, -ELOOP },
    { "dangling", O_WRONLY | O_CREAT, INROOT_FOLLOW, EMPTY },
    { "nowhere", O_RDONLY, INROOT_FOLLOW, EMPTY },
    { "escape", O_WRONLY | O_CREAT, INROOT_FOLLOW, -ENOENT },
    { "dir/", O_WRONLY | O_CREAT, INROOT_FOLLOW, -EISDIR },
    { "newdir/", O_WRONLY | O_CREAT, INROOT_FOLLOW, -EISDIR },
    { ".", O_WRONLY | O_CREAT, INROOT_FOLLOW, -EISDIR },
    { "dir", O_WRONLY, INROOT_FOLLOW, -EISDIR },
    { "dir", O_RDWR | O_TMPFILE, INROOT_FOLLOW, EMPTY },
};

static int kind_of(int fd)
{
    struct stat info;
    char text[16] = "";
    if (fd < 0)
        return fd;
    if (fstat(fd, &info) < 0)
        return -errno;
    if (S_ISLNK(info.st_mode))
        return LINK;
    if (S_ISDIR(info.st_mode))
        return DIRECTORY;
    if (info.st_size == 0)
        return EMPTY;
    return pread(fd, text, sizeof text - 1, 0) == 6 && strcmp(text, "inside") == 0 ? TEXT : 0;
}

TEST(both_ways_resolve_alike)
{
    for (size_t m = 0; m < CL_COUNT(masks); m++) {
        struct tree tree;
        REQUIRE(tree_make(&tree));
        k_hook_set(masks[m], NULL);
        for (size_t i = 0; i < CL_COUNT(open_cases); i++) {
            const struct open_case *c = &open_cases[i];
            struct cl_error err = { 0 };
            cl_auto_fd fd = inroot_open(tree.root, c->path, c->open_flags, 0644, c->flags, &err);
            int kind = kind_of(fd);
            if (kind != c->expected)
                TEST_SAY("%s \"%s\" flags 0%o/%d: %d, expected %d (%s)",
                         masks[m] ? "by hand" : "openat2", c->path, (unsigned)c->open_flags,
                         (int)c->flags, kind, c->expected, err.text);
            CHECK(fd < 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
            CHECK((fd < 0) == (err.code < 0));
        }
        k_hook_set(NULL, NULL);
        check_outside(&tree);
        tree_remove(&tree);
    }
}

TEST(long_paths)
{
    struct tree tree;
    char name[NAME_MAX + 2], path[PATH_MAX + 10];
    memset(name, 'n', NAME_MAX + 1);
    name[NAME_MAX + 1] = '\0';
    REQUIRE(tree_make(&tree));
    for (size_t m = 0; m < CL_COUNT(masks); m++) {
        k_hook_set(masks[m], NULL);
        CHECK_INT(inroot_open(tree.root, name, O_RDONLY, 0, INROOT_FOLLOW, NULL), -ENAMETOOLONG);
        for (size_t i = 0; i < sizeof path - 1; i += 2)
            memcpy(path + i, "./", 2);
        path[PATH_MAX + 8] = '\0';
        CHECK_INT(inroot_open(tree.root, path, O_RDONLY, 0, INROOT_FOLLOW, NULL), -ENAMETOOLONG);
        path[PATH_MAX - 2] = '\0'; /* the longest that open(2) takes too */
        cl_auto_fd fd = inroot_open(tree.root, path, O_RDONLY, 0, INROOT_FOLLOW, NULL);
        CHECK(k_is_same_file(fd, tree.root));
    }
    k_hook_set(NULL, NULL);
    tree_remove(&tree);
}

TEST(magic_links_are_refused)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err);
    REQUIRE(proc >= 0);
    for (size_t m = 0; m < CL_COUNT(masks); m++) {
        k_hook_set(masks[m], NULL);
        CHECK_INT(inroot_open(proc, "self/root", O_PATH, 0, INROOT_FOLLOW, &err), -ELOOP);
        CHECK_INT(inroot_open(proc, "self/root/etc/passwd", O_PATH, 0, INROOT_FOLLOW, NULL),
                  -ELOOP);
        CHECK_INT(inroot_open(proc, "self/exe", O_PATH, 0, INROOT_FOLLOW, NULL), -ELOOP);
        CHECK_INT(inroot_open(proc, "thread-self/fd/0", O_PATH, 0, INROOT_FOLLOW, NULL), -ELOOP);
        cl_auto_fd status = inroot_open(proc, "self/status", O_RDONLY, 0, INROOT_FOLLOW, NULL);
        CHECK(status >= 0);
        cl_auto_fd mounts = inroot_open(proc, "mounts", O_RDONLY, 0, INROOT_FOLLOW, NULL);
        CHECK(mounts >= 0);
    }
    k_hook_set(NULL, NULL);
    CHECK_CONTAINS(err.text, "self/root");
}

TEST(mounts_are_not_crossed_when_told)
{
    cl_auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t m = 0; m < CL_COUNT(masks); m++) {
        k_hook_set(masks[m], NULL);
        CHECK_INT(inroot_open(root, "proc/version", O_RDONLY, 0, INROOT_NO_XDEV, NULL), -EXDEV);
        CHECK_INT(inroot_open(root, "proc", O_RDONLY, 0, INROOT_NO_XDEV, NULL), -EXDEV);
        CHECK_INT(inroot_open(root, "proc/..", O_RDONLY, 0, INROOT_NO_XDEV, NULL), -EXDEV);
        cl_auto_fd across = inroot_open(root, "proc/version", O_RDONLY, 0, INROOT_FOLLOW, NULL);
        CHECK(across >= 0);
    }
    k_hook_set(NULL, NULL);
}

TEST(making_directories)
{
    mode_t old = umask(0);
    for (size_t m = 0; m < CL_COUNT(masks); m++) {
        struct tree tree;
        struct cl_error err = { 0 };
        struct stat info;
        REQUIRE(tree_make(&tree));
        k_hook_set(masks[m], NULL);
        cl_auto_fd made = inroot_mkdir_p(tree.root, "/a/b/c/", 0750, &err);
        CHECK(made >= 0);
        CHECK(fstatat(tree.root, "a/b/c", &info, AT_SYMLINK_NOFOLLOW) == 0 &&
              info.st_mode == (S_IFDIR | 0750));
        cl_auto_fd again = inroot_mkdir_p(tree.root, "a/b/c", 0700, &err);
        CHECK(k_is_same_file(made, again));
        CHECK(fstat(again, &info) == 0 && (info.st_mode & 0777) == 0750); /* what is there stays */
        /* /var/run -> /run with no /run: made where the link says, inside */
        cl_auto_fd dangling = inroot_mkdir_p(tree.root, "dangling-dir/x", 0755, &err);
        CHECK(dangling >= 0);
        CHECK(fstatat(tree.root, "missing/deep/x", &info, 0) == 0 && S_ISDIR(info.st_mode));
        cl_auto_fd up = inroot_mkdir_p(tree.root, "new/../beside", 0755, &err);
        CHECK(up >= 0 && fstatat(tree.root, "beside", &info, 0) == 0);
        cl_auto_fd escape = inroot_mkdir_p(tree.root, "escape/x", 0755, &err);
        CHECK(escape >= 0 && fstatat(tree.root, "outside/secret/x", &info, 0) == 0);
        cl_auto_fd root = inroot_mkdir_p(tree.root, "/", 0755, &err);
        CHECK(k_is_same_file(root, tree.root));
        CHECK_INT(inroot_mkdir_p(tree.root, "dir/file", 0755, &err), -ENOTDIR);
        CHECK_INT(inroot_mkdir_p(tree.root, "dir/file/x", 0755, &err), -ENOTDIR);
        CHECK_INT(inroot_mkdir_p(tree.root, "loop1/x", 0755, &err), -ELOOP);
        k_hook_set(NULL, NULL);
        check_outside(&tree);
        tree_remove(&tree);
    }
    umask(old);
}

TEST(making_files)
{
    for (size_t m = 0; m < CL_COUNT(masks); m++) {
        struct tree tree;
        struct cl_error err = { 0 };
        struct stat info;
        REQUIRE(tree_make(&tree));
        k_hook_set(masks[m], NULL);
        cl_auto_fd made = inroot_make_file(tree.root, "etc/conf/resolv.conf", 0644, &err);
        CHECK(made >= 0 && fstat(made, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 0);
        cl_auto_fd there = inroot_make_file(tree.root, "rel", 0644, &err);
        CHECK(there >= 0 && fstat(there, &info) == 0 && info.st_size == 6); /* untouched */
        cl_auto_fd linked = inroot_make_file(tree.root, "dangling", 0644, &err);
        CHECK(linked >= 0 && fstatat(tree.root, "nowhere", &info, AT_SYMLINK_NOFOLLOW) == 0);
        cl_auto_fd escape = inroot_make_file(tree.root, "escape", 0644, &err);
        CHECK(escape >= 0 && fstatat(tree.root, "outside/secret", &info, 0) == 0);
        cl_auto_fd directory = inroot_make_file(tree.root, "dir", 0644, &err);
        CHECK_INT(kind_of(directory), DIRECTORY);
        CHECK_INT(inroot_make_file(tree.root, "missing/", 0644, &err), -EISDIR);
        k_hook_set(NULL, NULL);
        check_outside(&tree);
        tree_remove(&tree);
    }
}

TEST(parents)
{
    static const struct {
        const char *path, *name, *parent;
        int expected;
    } cases[] = {
        { "dir/file", "file", "dir", 0 },
        { "/dir/sub/", "sub", "dir", 0 },
        { "dir/sub/./.", "sub", "dir", 0 },
        { "dirlink/missing", "missing", "dir", 0 },
        { "name", "name", ".", 0 },
        { "/", ".", ".", 0 },
        { ".", ".", ".", 0 },
        { "dir/.hidden", ".hidden", "dir", 0 },
        { "dir/a..", "a..", "dir", 0 },
        { "rootlink/../../x", "x", ".", 0 },
        { "dir/..", "", "", -EINVAL },
        { "..", "", "", -EINVAL },
        { "dir/../", "", "", -EINVAL },
        { "", "", "", -ENOENT },
        { "missing/x", "", "", -ENOENT },
        { "dir/file/x", "", "", -ENOTDIR },
    };
    struct tree tree;
    REQUIRE(tree_make(&tree));
    for (size_t i = 0; i < CL_COUNT(cases) * 2; i++) {
        size_t c = i / 2;
        char name[256] = "";
        k_hook_set(masks[i % 2], NULL);
        cl_auto_fd fd = inroot_parent(tree.root, cases[c].path, false, name, NULL);
        CHECK_INT(fd < 0 ? fd : 0, cases[c].expected);
        CHECK_STR(name, cases[c].name);
        cl_auto_fd parent = openat(tree.root, cases[c].parent, O_PATH | O_CLOEXEC);
        CHECK(fd < 0 || k_is_same_file(fd, parent));
    }
    k_hook_set(NULL, NULL);
    char name[256] = "";
    cl_auto_fd made = inroot_parent(tree.root, "missing/y/x", true, name, NULL);
    CHECK(made >= 0);
    CHECK_STR(name, "x");
    tree_remove(&tree);
}

TEST(nodes_and_links)
{
    struct tree tree;
    struct stat info;
    struct cl_error err = { 0 };
    REQUIRE(tree_make(&tree));
    CHECK_INT(inroot_symlink(tree.root, "/proc/self/fd", "dev/fd", &err), 0);
    char target[32] = "";
    CHECK_INT(readlinkat(tree.root, "dev/fd", target, sizeof target), 13);
    CHECK_INT(inroot_symlink(tree.root, "x", "dev/fd", &err), -EEXIST);
    CHECK_CONTAINS(err.text, "dev/fd");
    CHECK_INT(inroot_symlink(tree.root, "x", "/", &err), -EEXIST);
    CHECK_INT(inroot_mknod(tree.root, "dev/pipe", S_IFIFO | 0600, 0, &err), 0);
    CHECK_INT(inroot_mknod(tree.root, "dangling", S_IFIFO | 0600, 0, &err), -EEXIST);
    if (geteuid() == 0 &&
        inroot_mknod(tree.root, "dev/null", S_IFCHR | 0666, makedev(1, 3), &err) == 0)
        CHECK(fstatat(tree.root, "dev/null", &info, 0) == 0 && info.st_rdev == makedev(1, 3));
    check_outside(&tree);
    tree_remove(&tree);
}

TEST(reading_files_of_the_image)
{
    struct tree tree;
    struct cl_error err = { 0 };
    REQUIRE(tree_make(&tree));
    cl_auto_free char *text = NULL;
    size_t size = 0;
    CHECK_INT(inroot_read_file(tree.root, "abs", 100, &text, &size, &err), 0);
    CHECK_STR(text, "inside");
    CHECK_INT(size, 6);
    char *none = NULL;
    CHECK_INT(inroot_read_file(tree.root, "abs", 5, &none, &size, &err), -EFBIG);
    /* a FIFO in the place of /etc/passwd must not hang us, a directory not pass */
    CHECK_INT(mkfifoat(tree.root, "fifo", 0600), 0);
    CHECK_INT(inroot_read_file(tree.root, "fifo", 100, &none, &size, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "not a regular file");
    CHECK_INT(inroot_read_file(tree.root, "dir", 100, &none, &size, &err), -EINVAL);
    CHECK_INT(inroot_read_file(tree.root, "escape", 100, &none, &size, &err), -ENOENT);
    CHECK(none == NULL);
    tree_remove(&tree);
}

/* ---- with an enemy ---- */

struct enemy {
    struct tree *tree;
    atomic_bool stop;
    pthread_t thread;
};

/* swap is a directory (last a file), then a link to the outside, then a directory …; other moves
   in and out of dir, which makes openat2 say EAGAIN. */
static void *exchange(void *argument)
{
    struct enemy *enemy = argument;
    int root = enemy->tree->root;
    while (!atomic_load(&enemy->stop)) {
        (void)renameat2(root, "swap", root, "trap", RENAME_EXCHANGE);
        (void)renameat2(root, "swap", root, "climb", RENAME_EXCHANGE);
        (void)renameat2(root, "last", root, "last-trap", RENAME_EXCHANGE);
        (void)renameat2(root, "other", root, "dir/other", 0);
        (void)renameat2(root, "dir/other", root, "other", 0);
    }
    return NULL;
}

static void race_once(const struct tree *tree, int i)
{
    static const char *const paths[] = {
        "swap/secret", "dir/other/../../swap/secret", "swap/../dir/file", "rootlink/swap/secret",
        "last",        "other/../../outside/secret"
    };
    char text[16] = "", path[64];
    cl_auto_fd fd = inroot_open(tree->root, paths[(size_t)i % CL_COUNT(paths)], O_RDONLY, 0,
                                INROOT_FOLLOW, NULL);
    /* "" is what inroot_make_file below made inside, where the link's text leads there. */
    if (fd >= 0 && (read(fd, text, sizeof text - 1) < 0 || strcmp(text, "outside") == 0))
        TEST_SAY("round %d read \"%s\"", i, text);
    snprintf(path, sizeof path, "swap/new-%d/deep", i % 8);
    cl_auto_fd made = inroot_mkdir_p(tree->root, path, 0755, NULL);
    cl_auto_fd file = inroot_make_file(tree->root, i % 2 ? "swap/secret" : "swap/made", 0644, NULL);
    cl_auto_fd strict =
        inroot_open(tree->root, "swap/created", O_WRONLY | O_CREAT, 0644, INROOT_NO_SYMLINKS, NULL);
}

static void race(const char *mask)
{
    struct tree tree;
    struct enemy enemy = { .tree = &tree };
    REQUIRE(tree_make(&tree));
    char secret[96];
    snprintf(secret, sizeof secret, "%s/secret", tree.outside);
    REQUIRE(put_file(tree.root, "last", "inside") &&
            symlinkat(secret, tree.root, "last-trap") == 0);
    REQUIRE(symlinkat(tree.outside, tree.root, "trap") == 0 &&
            symlinkat("../outside", tree.root, "climb") == 0);
    REQUIRE(pthread_create(&enemy.thread, NULL, exchange, &enemy) == 0);
    k_hook_set(mask, NULL);
    for (int i = 0; i < 6000; i++)
        race_once(&tree, i);
    k_hook_set(NULL, NULL);
    atomic_store(&enemy.stop, true);
    (void)pthread_join(enemy.thread, NULL);
    check_outside(&tree);
    tree_remove(&tree);
}

TEST(an_exchanging_thread_gets_nothing_out_of_openat2)
{
    race(NULL);
}

TEST(an_exchanging_thread_gets_nothing_out_of_the_hand_walk)
{
    race("openat2");
}

TEST(the_hand_walk_leaves_no_descriptor_open)
{
    struct tree tree;
    REQUIRE(tree_make(&tree));
    int before = dup(0);
    close(before);
    k_hook_set("openat2", NULL);
    for (size_t i = 0; i < CL_COUNT(open_cases); i++)
        (void)cl_close(inroot_open(tree.root, open_cases[i].path, open_cases[i].open_flags, 0644,
                                   open_cases[i].flags, NULL));
    k_hook_set(NULL, NULL);
    int after = dup(0);
    close(after);
    CHECK_INT(after, before);
    tree_remove(&tree);
}

TEST(every_failing_call_is_an_error_and_no_leak)
{
    struct tree tree;
    REQUIRE(tree_make(&tree));
    int before = dup(0), n = 1;
    close(before);
    for (bool more = true; more && n < 500; n++) {
        char fail[32];
        snprintf(fail, sizeof fail, "%d:EIO", n);
        k_hook_set("openat2", fail);
        cl_auto_fd made = inroot_mkdir_p(tree.root, "dirlink/sub/../p/q/r", 0755, NULL);
        more = made < 0;
        CHECK(made >= 0 || made == -EIO);
    }
    k_hook_set(NULL, NULL);
    CHECK(n > 10 && n < 500);
    int after = dup(0);
    close(after);
    CHECK_INT(after, before);
    tree_remove(&tree);
}

TEST_MAIN
