/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd's driver as far as it is pure: names of units, where their groups are, and what systemd is
 * told of limits, devices and annotations.
 */
#include "runtime/scope_private.h"
#include "test.h"

static void check_name(const char *text, bool is_user, const char *unit, const char *slice,
                       const char *path)
{
    struct runtime_scope scope;
    struct cl_error err = { 0 };
    CHECK_INT(runtime_scope_parse(text, "box", is_user, &scope, &err), 0);
    if (err.code != 0)
        TEST_SAY("%s", err.text);
    CHECK_STR(scope.unit, unit);
    CHECK_STR(scope.slice, slice);
    CHECK_STR(scope.path, path);
}

TEST(names)
{
    check_name(NULL, false, "cloche-box.scope", "system.slice", "system.slice/cloche-box.scope");
    check_name("", true, "cloche-box.scope", "user.slice", "user.slice/cloche-box.scope");
    check_name("machine.slice:libpod:abc", false, "libpod-abc.scope", "machine.slice",
               "machine.slice/libpod-abc.scope");
    check_name(":crio:x", false, "crio-x.scope", "system.slice", "system.slice/crio-x.scope");
    /* rootless Podman, Docker, CRI-O and containerd under the kubelet */
    check_name("user.slice:libpod:abc", true, "libpod-abc.scope", "user.slice",
               "user.slice/libpod-abc.scope");
    check_name("system.slice:docker:abc", false, "docker-abc.scope", "system.slice",
               "system.slice/docker-abc.scope");
    check_name("kubepods-burstable-pod1_2.slice:crio:abc", false, "crio-abc.scope",
               "kubepods-burstable-pod1_2.slice",
               "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/"
               "crio-abc.scope");
    check_name("kubepods.slice:cri-containerd:abc", false, "cri-containerd-abc.scope",
               "kubepods.slice", "kubepods.slice/cri-containerd-abc.scope");
    check_name("a-b-c.slice::x", false, "x.scope", "a-b-c.slice",
               "a.slice/a-b.slice/a-b-c.slice/x.scope");
    check_name("-.slice:p:x", false, "p-x.scope", "-.slice", "p-x.scope");
}

TEST(names_that_are_none)
{
    static const char *const names[] = {
        "/a/b",          "a:b",          "a:b:c:d",         "none:p:n",
        ".slice:p:n",    "-a.slice:p:n", "a-.slice:p:n",    "a--b.slice:p:n",
        "a/b.slice:p:n", "a.slice:p:",   "a.slice:p:n/m",   "a.slice:p:x.slice",
        "a.slice:p:a b", "..slice/:p:n", "a.slice:..:../x",
    };
    for (size_t i = 0; i < CL_COUNT(names); i++) {
        struct runtime_scope scope;
        struct cl_error err = { 0 };
        CHECK_INT(runtime_scope_parse(names[i], "box", false, &scope, &err), -EINVAL);
        CHECK(cl_starts_with(err.text, "linux.cgroupsPath: "));
    }
}

#define SETTING(name, text)                                                                        \
    {                                                                                              \
        .file = (name), .value = (text)                                                            \
    }

static const char *lines_of(const struct plan_setting *settings, size_t count)
{
    static char text[2048];
    cl_auto_buf out = CL_BUF_INIT(sizeof text - 1);
    scope_put_settings(&out, settings, count);
    snprintf(text, sizeof text, "%s", out.data != NULL ? out.data : "");
    return text;
}

TEST(limits_of_v2)
{
    static const struct plan_setting settings[] = {
        SETTING("memory.max", "1000"),
        SETTING("memory.swap.max", "max"),
        SETTING("cpu.weight", "59"),
        SETTING("cpu.max", "33333 100000"),
        SETTING("cpuset.cpus", "0-2,9"),
        SETTING("pids.max", "0"),
        SETTING("io.max", "8:0 rbps=5"),
        SETTING("io.max", "8:16 wiops=max"),
        SETTING("hugetlb.2MB.max", "4"),
        SETTING("memory.max", "2000"), /* of the unified map: it wins */
    };
    CHECK_STR(lines_of(settings, CL_COUNT(settings)),
              "?t\tMemorySwapMax\t18446744073709551615\n"
              "?t\tCPUWeight\t59\n"
              "?t\tCPUQuotaPeriodUSec\t100000\n?t\tCPUQuotaPerSecUSec\t340000\n"
              "?ay\tAllowedCPUs\t0702\n"
              "?t\tTasksMax\t1\n"
              "?a(st)\tIOReadBandwidthMax\t/dev/block/8:0\t5\n"
              "?a(st)\tIOWriteIOPSMax\t/dev/block/8:16\t18446744073709551615\n"
              "?t\tMemoryMax\t2000\n");
}

TEST(limits_of_v1)
{
    static const struct plan_setting settings[] = {
        SETTING("memory.limit_in_bytes", "-1"),
        SETTING("cpu.shares", "512"),
        SETTING("cpu.cfs_period_us", "200000"),
        SETTING("cpu.cfs_quota_us", "100000"),
        SETTING("blkio.throttle.read_bps_device", "8:0 5"),
        SETTING("blkio.throttle.read_bps_device", "8:16 0"),
        SETTING("blkio.throttle.read_iops_device", "8:0 5"),
    };
    CHECK_STR(lines_of(settings, CL_COUNT(settings)),
              "?t\tMemoryLimit\t18446744073709551615\n"
              "?t\tCPUShares\t512\n"
              "?t\tCPUQuotaPeriodUSec\t200000\n?t\tCPUQuotaPerSecUSec\t500000\n"
              "?a(st)\tBlockIOReadBandwidth\t/dev/block/8:0\t5\n"
              "?a(st)\tBlockIOReadBandwidth\t/dev/block/8:16\t18446744073709551615\n");
}

TEST(devices)
{
    const struct oci_device_rule rules[] = {
        { .allow = false, .type = OCI_DEVICE_ALL },
        { .allow = true, .type = OCI_DEVICE_CHAR, .major = OCI_SOME(1), .minor = OCI_SOME(3) },
        { .allow = true, .type = OCI_DEVICE_CHAR, .major = OCI_SOME(136) },
        { .allow = true, .type = OCI_DEVICE_BLOCK },
    };
    cl_auto_buf list = CL_BUF_INIT(4096), other = CL_BUF_INIT(4096);
    scope_put_devices(&list, rules, CL_COUNT(rules));
    CHECK_STR(
        list.data,
        "?s\tDevicePolicy\tstrict\n?a(ss)\tDeviceAllow\n?a(ss)\tDeviceAllow\t/dev/char/1:3\trwm"
        "\tchar-136\trwm\tblock-*\trwm\n");
    scope_put_devices(&other, rules + 1, 2); /* from "all allowed": no list of systemd's */
    CHECK_STR(other.data, "?s\tDevicePolicy\tauto\n?a(ss)\tDeviceAllow\n");
}

static int put(const char *key, const char *value, char *text, size_t size)
{
    char name[] = "org.systemd.property.";
    cl_auto_buf out = CL_BUF_INIT(4096);
    cl_auto_free char *full = cl_format("%s%s", name, key);
    struct oci_map map = { 0 };
    CHECK_INT(oci_map_set(&map, full, value), 0);
    int result = scope_put_annotations(&out, &map, NULL);
    snprintf(text, size, "%s", out.data != NULL ? out.data : "");
    oci_map_done(&map);
    return result;
}

TEST(annotations)
{
    static const struct {
        const char *key, *value, *line;
    } rows[] = {
        { "A", "true", "b\tA\ttrue\n" },
        { "A", "'one two'", "s\tA\tone two\n" },
        { "A", "\"x\"", "s\tA\tx\n" },
        { "A", "uint64 5", "t\tA\t5\n" },
        { "A", "uint32 5", "u\tA\t5\n" },
        { "A", "int64 -5", "x\tA\t-5\n" },
        { "A", "5", "i\tA\t5\n" },
        { "TimeoutStopSec", "uint64 7", "t\tTimeoutStopUSec\t7000000\n" },
        { "TimeoutStopUSec", "uint64 7", "t\tTimeoutStopUSec\t7\n" },
        { "A", "['a','b']", "as\tA\ta\tb\n" },
        { "A", "['a', 'b']", "as\tA\ta\tb\n" },
        { "A", "[]", "as\tA\n" },
    };
    static const char *const bad[] = { "word",   "'open",    "['a'",
                                       "[a]",    "uint64 x", "",
                                       "'a\tb'", "'a\nb'",   "uint64 99999999999999999999" };
    char text[256];
    for (size_t i = 0; i < CL_COUNT(rows); i++) {
        CHECK_INT(put(rows[i].key, rows[i].value, text, sizeof text), 0);
        CHECK_STR(text, rows[i].line);
    }
    for (size_t i = 0; i < CL_COUNT(bad); i++) {
        CHECK_INT(put("A", bad[i], text, sizeof text), -EINVAL);
        CHECK_STR(text, "");
    }
}

TEST_MAIN
