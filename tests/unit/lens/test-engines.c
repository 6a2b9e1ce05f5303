/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recognising other engines' containers by cgroup path, and their names from made-up state directories.
 */
#include "lens/engines.h"

#include <fcntl.h>

#include "test.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static int empty_root(char template[])
{
    return mkdtemp(template) == NULL ? -1 : open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void put(int root, const char *directory, const char *file, const char *text)
{
    CHECK_INT(cl_mkdir_p(root, directory, 0755, NULL), 0);
    int dir = openat(root, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_INT(cl_write_atomic(dir, file, text, strlen(text), 0644, CL_WRITE_PLAIN, NULL), 0);
    (void)close(dir);
}

TEST(paths_tell_engine_and_id)
{
    static const struct {
        const char *cgroup, *engine, *name;
    } cases[] = {
        { "0::/system.slice/docker-" ID ".scope\n", "docker", "0123456789ab" },
        { "5:cpu:/\n4:memory:/docker/" ID "\n", "docker", "0123456789ab" },
        { "0::/machine.slice/libpod-" ID ".scope/container\n", "podman", "0123456789ab" },
        { "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
          "podman", "0123456789ab" },
        { "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice/"
          "cri-containerd-" ID ".scope",
          "kubernetes", "0123456789ab" },
        { "1:name=systemd:/kubepods/besteffort/pod1234/" ID "\n", "kubernetes", "0123456789ab" },
        { "0::/kubepods.slice/crio-" ID ".scope", "kubernetes", "0123456789ab" },
        /* Nested below the group of a login, of a node, of another engine's parent; hybrid: v2's line is empty. */
        { "0::/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_" OTHER
          ".slice/libpod-" ID ".scope/container",
          "podman", "0123456789ab" },
        { "4:memory:/user.slice/libpod-" ID "\n0::/\n", "podman", "0123456789ab" },
        { "0::/libpod_parent/libpod-" ID "\n", "podman", "0123456789ab" },
        { "0::/../../docker/" ID "\n", "docker", "0123456789ab" },
        { "0::/system.slice/containerd.service/kubepods-burstable-pod12_34.slice:cri-containerd:" ID
          "\n",
          "kubernetes", "0123456789ab" },
        { "0::/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope/container\n", "kubernetes",
          "0123456789ab" },
        { "5:cpu:/kubepods/burstable/pod1/crio-" ID "\n", "kubernetes", "0123456789ab" },
        { "0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice/cri-containerd-" ID
          ".scope\n",
          "kubernetes", "0123456789ab" },
        { "0::/system.slice/nerdctl-" ID ".scope\n", "containerd", "0123456789ab" },
        { "7:memory:/default/" ID "\n", "containerd", "0123456789ab" },
        { "0::/lxc.payload.web/init.scope\n", "lxc", "web" },
        { "0::/user.slice/user-1000.slice/user@1000.service/lxc.payload.mine\n", "lxc", "mine" },
        { "0::/machine.slice/machine-my\\x2dbox.scope/payload/system.slice/ssh.service\n", "nspawn",
          "my-box" },
        { "3:pids:/lxc/web\n", "lxc", "web" },
        { "0::/machine.slice/systemd-nspawn@deb.service/payload\n", "nspawn", "deb" },
        { "0::/machine.slice/machine-my\\x2dbox.scope\n", "nspawn", "my-box" },
        /* A group made inside a container does not make it another one. */
        { "0::/system.slice/docker-" ID ".scope/lxc/fake\n", "docker", "0123456789ab" },
    };
    char template[] = "/tmp/lens-engines-XXXXXX";
    int root = empty_root(template);
    REQUIRE(root >= 0);
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        struct lens_container container = { 0 };
        CHECK(lens_engine_recognise(root, cases[i].cgroup, &container));
        CHECK_STR(container.engine, cases[i].engine);
        CHECK_STR(container.name, cases[i].name);
    }
    (void)close(root);
    cl_remove_tree(AT_FDCWD, template, NULL);
}

TEST(other_paths_are_no_containers)
{
    static const char *const cases[] = {
        "",
        "0::/",
        "0::/system.slice/docker.service\n",
        "0::/user.slice/session-1.scope\n",
        "0::/machine.slice/libpod-conmon-" ID ".scope\n",
        "0::/docker-0123.scope\n",
        "0::/docker/buildkit\n",
        "no colons",
        "0:",
        "0::/lxc.payload.\n",
        "0::/machine.slice/machine-.scope\n",
        "0::/system.slice/crio-conmon-" ID ".scope",
        "0::/system.slice/lxc.service/web",
        "0::/system.slice/" ID "\n",
        "0::/../../../etc/passwd",
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        struct lens_container container = { 0 };
        if (lens_engine_recognise(AT_FDCWD, cases[i], &container))
            TEST_SAY("'%s' was taken for a container of %s", cases[i], container.engine);
    }
}

TEST(names_come_from_state_directories)
{
    char template[] = "/tmp/lens-engines-XXXXXX";
    int root = empty_root(template);
    struct lens_container container;
    REQUIRE(root >= 0);
    put(root, "var/lib/docker/containers/" ID, "config.v2.json",
        "{\"ID\":\"x\",\"Name\":\"/web\"}");
    CHECK(lens_engine_recognise(root, "0::/docker/" ID, &container));
    CHECK_STR(container.name, "web");
    CHECK_STR(container.id, ID);
    put(root, "var/lib/containers/storage/overlay-containers", "containers.json",
        "[{\"id\":\"" OTHER "\",\"names\":[\"no\"]},{\"id\":\"" ID "\",\"names\":[\"jolly\"]}]");
    CHECK(lens_engine_recognise(root, "0::/libpod-" ID ".scope", &container));
    CHECK_STR(container.name, "jolly");
    put(root, "etc", "passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
    put(root, "home/ann/.local/share/containers/storage/overlay-containers", "containers.json",
        "[{\"id\":\"" OTHER "\",\"names\":[\"anns\"]}]");
    CHECK(lens_engine_recognise(root, "0::/user.slice/user-100.slice/libpod-" OTHER ".scope",
                                &container));
    CHECK_STR(container.name, "no");
    put(root, "var/lib/containers/storage/overlay-containers", "containers.json", "[]");
    CHECK(lens_engine_recognise(root, "0::/user.slice/user-1000.slice/libpod-" OTHER ".scope",
                                &container));
    CHECK_STR(container.name, "anns");
    put(root, "run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID, "config.json",
        "{\"annotations\":{\"io.kubernetes.cri.sandbox-namespace\":\"prod\","
        "\"io.kubernetes.cri.sandbox-name\":\"web-7\",\"io.kubernetes.cri.container-name\":\"app\"}"
        "}");
    CHECK(
        lens_engine_recognise(root, "0::/kubepods.slice/cri-containerd-" ID ".scope", &container));
    CHECK_STR(container.name, "prod/web-7/app");
    put(root, "run/containers/storage/overlay-containers/" OTHER "/userdata", "config.json",
        "{\"annotations\":{\"io.kubernetes.pod.namespace\":\"dev\","
        "\"io.kubernetes.pod.name\":\"db-0\",\"io.kubernetes.container.name\":\"pg\"}}");
    CHECK(lens_engine_recognise(root, "0::/kubepods.slice/crio-" OTHER ".scope", &container));
    CHECK_STR(container.name, "dev/db-0/pg");
    put(root, "run/containerd/io.containerd.runtime.v2.task/default/" ID, "config.json",
        "{\"annotations\":{\"nerdctl/name\":\"cache\"}}");
    CHECK(lens_engine_recognise(root, "0::/system.slice/nerdctl-" ID ".scope", &container));
    CHECK_STR(container.name, "cache");
    (void)close(root);
    cl_remove_tree(AT_FDCWD, template, NULL);
}

TEST(broken_state_only_costs_the_name)
{
    char template[] = "/tmp/lens-engines-XXXXXX";
    int root = empty_root(template);
    struct lens_container container;
    REQUIRE(root >= 0);
    put(root, "var/lib/docker/containers/" ID, "config.v2.json", "{\"Name\":");
    CHECK(lens_engine_recognise(root, "0::/docker/" ID, &container));
    CHECK_STR(container.name, "0123456789ab");
    put(root, "var/lib/docker/containers/" ID, "config.v2.json", "[]");
    CHECK(lens_engine_recognise(root, "0::/docker/" ID, &container));
    CHECK_STR(container.name, "0123456789ab");
    (void)close(root);
    cl_remove_tree(AT_FDCWD, template, NULL);
}

/* docker run --cgroup-parent, another data-root, ctr's names. */
TEST(state_directories_tell_what_paths_do_not)
{
    char template[] = "/tmp/lens-engines-XXXXXX";
    int root = empty_root(template);
    struct lens_container container;
    REQUIRE(root >= 0);
    CHECK(!lens_engine_recognise(root, "0::/mine/" ID "\n", &container));
    put(root, "data/containers/" ID, "config.v2.json", "{\"Name\":\"/moved\"}");
    CHECK(!lens_engine_recognise(root, "0::/mine/" ID "\n", &container));
    put(root, "etc/docker", "daemon.json", "{\"data-root\":\"/data\"}");
    CHECK(lens_engine_recognise(root, "0::/mine/" ID "\n", &container));
    CHECK_STR(container.engine, "docker");
    CHECK_STR(container.name, "moved");
    /* From the top: a group that it makes below its own does not make it another. */
    CHECK(lens_engine_recognise(root, "0::/mine/" ID "/docker/" OTHER "\n", &container));
    CHECK_STR(container.name, "moved");
    CHECK_INT(cl_mkdir_p(root, "run/containerd/io.containerd.runtime.v2.task/team/box", 0755, NULL),
              0);
    CHECK(lens_engine_recognise(root, "0::/team/box\n", &container));
    CHECK_STR(container.engine, "containerd");
    CHECK_STR(container.name, "box");
    CHECK(!lens_engine_recognise(root, "0::/team/..\n", &container));
    CHECK(!lens_engine_recognise(root, "0::/../team\n", &container));
    CHECK(!lens_engine_recognise(root, "0::/other/box\n", &container));
    (void)close(root);
    cl_remove_tree(AT_FDCWD, template, NULL);
}

TEST(the_runtimes_configuration_is_found)
{
    static const struct {
        const char *engine, *cgroup, *directory;
    } cases[] = {
        { "docker", "0::/docker/" ID "\n",
          "run/containerd/io.containerd.runtime.v2.task/moby/" ID },
        { "podman", "0::/libpod-" ID "\n",
          "var/lib/containers/storage/vfs-containers/" ID "/userdata" },
        { "podman", "0::/user.slice/user-7.slice/libpod-" ID ".scope\n",
          "home/ann/.local/share/containers/storage/overlay-containers/" ID "/userdata" },
        { "docker", "0::/user.slice/user-7.slice/docker-" ID ".scope\n",
          "run/user/7/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/" ID },
        { "containerd", "0::/team/" ID "\n",
          "run/containerd/io.containerd.runtime.v2.task/team/" ID },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        char template[] = "/tmp/lens-engines-XXXXXX";
        int root = empty_root(template);
        struct lens_container container = { .id = ID };
        REQUIRE(root >= 0);
        (void)CL_PRINT(container.engine, "%s", cases[i].engine);
        put(root, "etc", "passwd", "ann:x:7:7::/home/ann:/bin/sh\n");
        CHECK(lens_engine_config(root, cases[i].cgroup, &container) == NULL);
        put(root, cases[i].directory, "config.json", "{\"linux\":{}}");
        struct cl_json *config = lens_engine_config(root, cases[i].cgroup, &container);
        CHECK(cl_json_get(config, "linux") != NULL);
        cl_json_unref(config);
        (void)close(root);
        cl_remove_tree(AT_FDCWD, template, NULL);
    }
}

TEST_MAIN
