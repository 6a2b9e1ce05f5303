/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.json: what was written is read without the parser, and what is read without it is what the parser would read.
 */
#include "ocicli/private.h"
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct container sample(void)
{
    struct container container = {
        .dir = -EBADF,
        .id = cl_strdup("box"),
        .bundle = cl_strdup("/var/lib/bundles/a box"),
        .rootfs = cl_strdup("/var/lib/bundles/a box/rootfs"),
        .cgroup_path = cl_strdup("parent/box"),
        .boot_id = cl_strdup("11b41d6f-ca2c-4981-b442-6281653617e6"),
        .created = 1795788161321604480,
        .pid = 4194303,
        .start_ticks = 4156551,
        .owner = 65534,
        .owns_pid_ns = true,
        .has_poststop = true,
        .starts_at_once = true,
    };
    (void)CL_PRINT(container.scope.unit, "box.scope");
    return container;
}

/* state.json of it; the caller's. */
static char *written(struct container *container)
{
    char dir[] = "/tmp/cloche-record.XXXXXX";
    char *text = NULL;
    struct cl_error err = { 0 };
    if (mkdtemp(dir) == NULL)
        return NULL;
    container->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_INT(container_save(container, &err), 0);
    CHECK_INT(cl_read_file(container->dir, "state.json", 1 << 20, &text, NULL, &err), 0);
    (void)unlinkat(container->dir, "state.json", 0);
    (void)rmdir(dir);
    return text;
}

static void check_same(const struct container *one, const struct container *other)
{
    CHECK_STR(one->bundle, other->bundle);
    CHECK_STR(one->rootfs, other->rootfs);
    CHECK_STR(one->cgroup_path, other->cgroup_path);
    CHECK_STR(one->boot_id, other->boot_id);
    CHECK_STR(one->scope.unit, other->scope.unit);
    CHECK_INT(one->scope.is_user, other->scope.is_user);
    CHECK_INT(one->created, other->created);
    CHECK_INT(one->pid, other->pid);
    CHECK_INT(one->start_ticks, other->start_ticks);
    CHECK_INT(one->owner, other->owner);
    CHECK_INT(one->owns_pid_ns, other->owns_pid_ns);
    CHECK_INT(one->has_poststart, other->has_poststart);
    CHECK_INT(one->has_poststop, other->has_poststop);
    CHECK_INT(one->starts_at_once, other->starts_at_once);
}

static int scan(const char *text, bool wants_annotations, struct container *ret)
{
    *ret = (struct container)CONTAINER_NONE;
    return container_scan(text, strlen(text), wants_annotations, ret);
}

/* 1: the scan reads it, and as the parser does. */
static int scan_like_parser(const char *text)
{
    auto_container scanned = CONTAINER_NONE, parsed = CONTAINER_NONE;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    int result = scan(text, false, &scanned);
    if (result != 1)
        return result;
    if (cl_json_parse(text, strlen(text), 1 << 20, &json, NULL) < 0 ||
        container_decode(json, &parsed) < 0) {
        TEST_SAY("read, though it is damaged: %s", text);
        return -EINVAL;
    }
    check_same(&scanned, &parsed);
    return 1;
}

TEST(what_was_written_is_read_without_the_parser)
{
    auto_container container = sample(), read = CONTAINER_NONE;
    cl_auto_free char *text = written(&container);
    REQUIRE(text != NULL);
    CHECK_INT(scan(text, true, &read), 1);
    check_same(&read, &container);
}

TEST(annotations_are_passed_over_or_left_to_the_parser)
{
    auto_container container = sample();
    CHECK_INT(oci_map_set(&container.annotations, "a.b", "c"), 0);
    CHECK_INT(oci_map_set(&container.annotations, "quoted", "{\"k\":\"\\v\"}\n<&>"), 0);
    CHECK_INT(oci_map_set(&container.annotations, "", ""), 0);
    cl_auto_free char *text = written(&container);
    REQUIRE(text != NULL);
    CHECK_INT(scan_like_parser(text), 1);
    auto_container read = CONTAINER_NONE;
    CHECK_INT(scan(text, true, &read), 0);
    CHECK(read.bundle == NULL);
}

TEST(what_needs_the_parser_goes_there)
{
    auto_container container = sample();
    free(container.bundle);
    container.bundle = cl_strdup("/with \"quotes\"");
    cl_auto_free char *quoted = written(&container);
    REQUIRE(quoted != NULL);
    CHECK_INT(scan_like_parser(quoted), 0);
    container.dir = cl_close(container.dir);
    free(container.bundle);
    container.bundle = cl_strdup("/b\303\274ndel");
    cl_auto_free char *foreign = written(&container);
    CHECK_INT(scan_like_parser(foreign), 0);
    container.dir = cl_close(container.dir);
    container.rdt.group = cl_strdup("group");
    cl_auto_free char *with_rdt = written(&container);
    CHECK_INT(scan_like_parser(with_rdt), 0);
}

TEST(nothing_that_is_damaged_is_read)
{
    static const char bytes[] = {
        '\0', '\n', ' ', '"', '\\', '}', ',', '0', '9', '-', 'x', '\377'
    };
    auto_container container = sample();
    CHECK_INT(oci_map_set(&container.annotations, "key", "\"\\<\n"), 0);
    CHECK_INT(oci_map_set(&container.annotations, "k", "<"), 0);
    cl_auto_free char *text = written(&container);
    REQUIRE(text != NULL);
    size_t size = strlen(text);
    CHECK_INT(scan_like_parser(text), 1);
    for (size_t at = 0; at < size; at++) {
        char kept = text[at];
        for (size_t i = 0; i < sizeof bytes; i++) {
            text[at] = bytes[i]; /* NUL: cut there */
            (void)scan_like_parser(text);
        }
        text[at] = '\0';
        CHECK_INT(scan_like_parser(text), 0);
        text[at] = kept;
    }
    auto_container read = CONTAINER_NONE;
    CHECK_INT(container_scan(text, size + 1, false, &read), 0); /* its NUL is no part of it */
}

TEST(numbers_beyond_what_they_are_for)
{
    static const char before[] =
        "{\"id\":\"a\",\"bundle\":\"\",\"rootfs\":\"\",\"cgroupPath\":\"\","
        "\"scope\":\"\",\"userScope\":false,\"bootId\":\"\",\"created\":";
    static const char behind[] =
        ",\"owner\":0,\"pid\":1,\"startTicks\":1,\"ownsPidNamespace\":false,"
        "\"hasPoststart\":false,\"hasPoststop\":false,"
        "\"startsAtOnce\":false,\"annotations\":{}}";
    static const struct {
        const char *number;
        int expected;
    } cases[] = {
        { "0", 1 },
        { "9223372036854775807", 1 },
        { "9223372036854775808", 0 },
        { "99999999999999999999", 0 },
        { "18446744073709551617", 0 },
        { "-1", 0 },
        { "01", 0 },
        { "1.0", 0 },
        { "", 0 },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        cl_auto_free char *text = cl_format("%s%s%s", before, cases[i].number, behind);
        CHECK_INT(scan_like_parser(text), cases[i].expected);
    }
}

TEST_MAIN
