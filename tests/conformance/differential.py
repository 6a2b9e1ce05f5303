#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Differential test: random valid configurations, each run by another OCI runtime and by ours, and what the program saw is compared.

    differential.py WORK PEER OURS CGROUP_PARENT

WORK holds `rootfs` (a busybox with /probe) and becomes the place of everything else. Prints TAP, one line for each configuration. From the environment:
DIFFERENTIAL_SEED (random), DIFFERENTIAL_COUNT (40), DIFFERENTIAL_ONLY (the number of one case, to look into it; its config.json and both outputs stay in WORK).

A configuration is the base plus a few of the functions in FEATURES. The outputs are the lines of the probe, made comparable by `normalise`, and then the lines of
DELIBERATE are dropped: each row there says why ours is meant to differ.
"""
import copy
import json
import os
import random
import re
import shutil
import subprocess
import sys

CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP",
        "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE", "CAP_SYS_ADMIN", "CAP_NET_ADMIN"]

# (line pattern, reason): lines that differ on purpose, dropped from both outputs.
DELIBERATE = [
    (r"^/dev/core -> ", "a way to the kernel's memory that no specification asks for"),
    (r"^c 5:1 rwm$", "a default rule of crun's alone: the console is a terminal of 136:*"),
    (r"^cloche-runtime: warning: ", "crun says nothing where a capability can't be granted"),
]

# (pattern, replacement, reason): differences within a line.
ALIKE = [
    (r"^mount (\S+) root=\S*/null .*", r"mount \1 hidden", "crun binds the host's /dev/null, ours a node of its own that is read-only and of no device's file system"),
    (r"^mount (\S+) root=(/empty \S+ tmpfs \S+|/ \S+ tmpfs rw,size=0k)$", r"mount \1 hidden", "ours binds one empty directory over all that are hidden"),
    (r"^(/(secret|secret-dir|proc/scsi)) (43ff|416d) 0:0$", r"\1 hidden", "an empty directory is 0555 here, so that nobody takes it for a place to write to"),
    (r"^(/\S+) 21b6 [0-9]+:[0-9]+$", r"\1 hidden", "the owner is that of the host's /dev/null with crun"),
    (r"^made (\S+) 41755 ", r"made \1 40755 ", "crun makes mount points sticky"),
    (r"^made (\S+) 100(700|644) ", r"made \1 file ", "mount points that are files: neither mode matters, all is hidden by the mount"),
    (r"^(mount .* tmpfs .*)mode=755,", r"\1", "a tmpfs without a mode keeps that of the directory below it, as with runc; with crun it is 1777"),
    (r"^/data (43ff|41ed) 0:0$", r"/data 0:0", "as above"),
    (r"can't kill pid [0-9]+", "can't kill pid", "numbers of the host, where there is no PID namespace"),
]


def base(cgroup):
    return {
        "ociVersion": "1.0.2",
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/sh", "/probe"], "env": ["PATH=/bin"], "cwd": "/"},
        "root": {"path": "rootfs"},
        "hostname": "differs",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        ],
        "linux": {"cgroupsPath": "/" + cgroup, "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network")]},
    }


# --- features: each changes a configuration ------------------------------------------------------------------------------------

def namespaces(rnd, config):
    kept = [ns for ns in config["linux"]["namespaces"] if ns["type"] in ("mount", "uts", "network", "ipc") or rnd.random() < 0.6]
    if rnd.random() < 0.5:
        kept.append({"type": "cgroup"})
    rnd.shuffle(kept)
    config["linux"]["namespaces"] = kept


def tmpfs(rnd, config):
    options = rnd.sample(["nosuid", "nodev", "noexec", "ro", rnd.choice(["noatime", "relatime"]), "nodiratime"], rnd.randint(0, 4))
    options += rnd.choice([[], ["size=1m"], ["size=64k", "mode=1777"], ["mode=700"], ["nr_inodes=100"]])
    config["mounts"].append({"destination": rnd.choice(["/data", "/made/deep/here", "/tmp/t"]), "type": "tmpfs", "source": "tmpfs", "options": options})


def bind(rnd, config):
    kind = rnd.choice(["bind", "rbind"])
    options = [kind] + rnd.sample(["ro", "nosuid", "nodev", "noexec", "rprivate", "rslave", "noatime"], rnd.randint(0, 3))
    source, target = rnd.choice([("@/src", "/mnt"), ("@/src/file", "/new-file"), ("@/src/sub", "/data/sub"), ("@/src", "/made/by/bind")])
    mount = {"destination": target, "source": source, "options": options}
    if rnd.random() < 0.5:
        mount["type"] = "bind"
    config["mounts"].append(mount)


def usual_mounts(rnd, config):
    rows = [
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    ]
    config["mounts"] += [row for row in rows if rnd.random() < 0.7]


def masked(rnd, config):
    paths = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/proc/missing", "/secret", "/secret-dir", "/none/at/all"]
    config["linux"]["maskedPaths"] = rnd.sample(paths, rnd.randint(1, 5))


def readonly_paths(rnd, config):
    paths = ["/proc/sys", "/proc/sysrq-trigger", "/proc/fs", "/proc/irq", "/bin", "/not/there"]
    config["linux"]["readonlyPaths"] = rnd.sample(paths, rnd.randint(1, 4))


def rlimits(rnd, config):
    rows = []
    for kind, top in (("NOFILE", 1024), ("CORE", 4096), ("NPROC", 500), ("STACK", 8 << 20), ("FSIZE", 1 << 30), ("CPU", 1000),
                      ("DATA", 1 << 30), ("SIGPENDING", 100), ("MSGQUEUE", 1000), ("NICE", 0), ("RTPRIO", 0), ("LOCKS", 77)):
        if rnd.random() < 0.4:
            hard = rnd.randint(top // 2, top)
            rows.append({"type": "RLIMIT_" + kind, "hard": hard, "soft": rnd.randint(hard // 2, hard)})
    config["process"]["rlimits"] = rows


def capabilities(rnd, config):
    some = rnd.sample(CAPS, rnd.randint(0, len(CAPS)))
    sets = {"bounding": some, "permitted": some, "effective": some}
    if rnd.random() < 0.5:
        sets["inheritable"] = sorted(rnd.sample(some, len(some) // 2))
        sets["ambient"] = sorted(rnd.sample(sets["inheritable"], len(sets["inheritable"]) // 2))
    config["process"]["capabilities"] = sets


def user(rnd, config):
    config["process"]["user"] = {"uid": rnd.choice([0, 1, 1000, 65534]), "gid": rnd.choice([0, 5, 1000])}
    if rnd.random() < 0.6:
        config["process"]["user"]["additionalGids"] = rnd.sample([1, 5, 10, 1000, 2000, 70000], rnd.randint(1, 4))
    if rnd.random() < 0.6:
        config["process"]["user"]["umask"] = rnd.choice([0, 0o22, 0o27, 0o77, 0o777])


def hostname(rnd, config):
    config["hostname"] = rnd.choice(["a", "host.example", "x" * 63, "under_score"])


def cwd(rnd, config):
    config["process"]["cwd"] = rnd.choice(["/", "/bin", "/tmp", "/made/for/cwd", "/link/.."])


def env(rnd, config):
    config["process"]["env"] += rnd.sample(["A=1", "EMPTY=", "SPACE=a b", "EQ=a=b", "A=2", "HOME=/tmp", "TERM=xterm", "LONG=" + "y" * 5000, "UTF=ä"],
                                           rnd.randint(1, 5))


def sysctl(rnd, config):
    rows = {"net.ipv4.ip_forward": "1", "net.core.somaxconn": "77", "net.ipv4.ping_group_range": "0 1000", "kernel.msgmax": "4096",
            "kernel.shm_rmid_forced": "1", "fs.mqueue.msg_max": "5"}
    config["linux"]["sysctl"] = {name: rows[name] for name in rnd.sample(sorted(rows), rnd.randint(1, 4))}


def oom_score(rnd, config):
    config["process"]["oomScoreAdj"] = rnd.choice([100, 500, 1000])


def no_new_privileges(rnd, config):
    config["process"]["noNewPrivileges"] = rnd.random() < 0.8


def readonly_root(rnd, config):
    config["root"]["readonly"] = True


def devices(rnd, config):
    rows = [{"path": "/dev/extra", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 5, "gid": 7},
            {"path": "/dev/sub/dir/zero", "type": "c", "major": 1, "minor": 5},
            {"path": "/dev/pipe", "type": "p", "fileMode": 0o600},
            {"path": "/dev/disk", "type": "b", "major": 7, "minor": 9, "fileMode": 0o660, "gid": 6},
            {"path": "/dev/unbuffered", "type": "u", "major": 1, "minor": 9, "fileMode": 0o666}]
    config["linux"]["devices"] = rnd.sample(rows, rnd.randint(1, 4))
    config["linux"].setdefault("resources", {})["devices"] = [{"allow": False, "access": "rwm"},
                                                              {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"}]


def limits(rnd, config):
    resources = config["linux"].setdefault("resources", {})
    if rnd.random() < 0.7:
        resources["memory"] = {"limit": rnd.choice([64, 100, 300]) << 20}
        if rnd.random() < 0.5:
            resources["memory"]["reservation"] = 32 << 20
        if rnd.random() < 0.3:
            resources["memory"]["swappiness"] = 10
    if rnd.random() < 0.7:
        resources["cpu"] = {"shares": rnd.choice([2, 512, 2048])}
        if rnd.random() < 0.5:
            resources["cpu"].update({"quota": rnd.choice([20000, 150000]), "period": 100000})
        if rnd.random() < 0.3:
            resources["cpu"]["cpus"] = "0"
    if rnd.random() < 0.7:
        resources["pids"] = {"limit": rnd.choice([20, 100, 0 or 1000])}
    config["mounts"].append({"destination": "/cg", "type": "bind", "source": "/sys/fs/cgroup", "options": ["rbind", "ro"]})


def seccomp(rnd, config):
    rules = [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"},
             {"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
             {"names": ["sethostname"], "action": "SCMP_ACT_LOG"},
             {"names": ["no_such_call_at_all", "mknod", "mknodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 71},
             {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]},
             {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4, "args": [{"index": 1, "value": 12, "op": "SCMP_CMP_GE"}]},
             {"names": ["umask"], "action": "SCMP_ACT_TRAP", "args": [{"index": 0, "value": 0o7, "valueTwo": 0o5, "op": "SCMP_CMP_MASKED_EQ"}]},
             {"names": ["sync"], "action": "SCMP_ACT_KILL"}]
    config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
                                  "syscalls": rnd.sample(rules, rnd.randint(1, len(rules)))}
    if os.uname().machine != "x86_64":
        del config["linux"]["seccomp"]["architectures"]


def hooks(rnd, config):
    note = 'read -r state; case $state in *"\\"id\\""*) has=state;; *) has=nothing;; esac; echo "$0 $* $X $has" >>@/hooks'
    kinds = rnd.sample(["prestart", "createRuntime", "createContainer", "poststart", "poststop"], rnd.randint(1, 4))
    config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", note, kind + str(i), "a b"], "env": ["X=" + kind], "timeout": 5}
                              for i in range(rnd.randint(1, 2))] for kind in kinds}
    if rnd.random() < 0.5:
        config["hooks"]["startContainer"] = [{"path": "/bin/sh", "args": ["sh", "-c", 'echo "in $* $(id -u)" 2>/dev/null >/tmp/hook; exit 0', "start", "one"]}]


def annotations(rnd, config):
    config["annotations"] = {"org.example.a": "1", "empty": ""}


def program(rnd, config):
    config["process"]["args"] = rnd.choice([["/bin/sh", "/probe", "a b", ""], ["sh", "/probe"], ["/bin/sh", "-c", ". /probe; exit 7"],
                                            ["/bin/sh", "-c", ". /probe; kill -9 $$"], ["/bin/busybox", "sh", "/probe"]])


FEATURES = [namespaces, tmpfs, bind, usual_mounts, masked, readonly_paths, rlimits, capabilities, user, hostname, cwd, env, sysctl, oom_score,
            no_new_privileges, readonly_root, devices, limits, seccomp, hooks, annotations, program]


def generate(rnd, cgroup):
    config = base(cgroup)
    chosen = rnd.sample(FEATURES, rnd.randint(2, 9))
    for feature in sorted(chosen, key=FEATURES.index):
        feature(rnd, config)
    return config, [feature.__name__ for feature in sorted(chosen, key=FEATURES.index)]


# --- running and comparing ------------------------------------------------------------------------------------------------------

def host_namespaces():
    return {os.readlink("/proc/self/ns/" + name) for name in os.listdir("/proc/self/ns")}


def mount_line(words, work):
    """What a process can tell of a mount, but not numbers of mounts and devices, which differ from start to start."""
    dash = words.index("-")
    shared = sorted(word.split(":")[0] for word in words[6:dash])
    return " ".join(["mount", words[4], "root=" + words[3].replace(work, "@"), ",".join(sorted(words[5].split(","))), *shared,
                     words[dash + 1], ",".join(sorted(words[dash + 3].split(",")))])


def normalise(text, work, host):
    lines = []
    for line in text.splitlines():
        words = line.split(" ")
        if words[0] == "MOUNT":
            line = mount_line(words[1:], work)
        elif words[0] == "NS" and len(words) == 3:
            line = "ns %s %s" % (words[1], "host's" if words[2] in host else "new")
        for pattern, replacement, _ in ALIKE:
            line = re.sub(pattern, replacement, line)
        if not any(re.search(pattern, line) for pattern, _ in DELIBERATE):
            lines.append(line)
    # Which of two mounts that do not lie on each other comes first is nobody's promise; what lies on what, the other lines tell.
    mounts = [line for line in lines if line.startswith("mount ")]
    return sorted(mounts) + [line for line in lines if not line.startswith("mount ")]


def tree(top):
    """What the runtime made in the root file system for mount points and the like."""
    rows = []
    for folder, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            rows.append("made %s %o %d:%d" % (path[len(top):], info.st_mode, info.st_uid, info.st_gid))
    return rows


def fresh(work, name):
    bundle = os.path.join(work, name)
    shutil.rmtree(bundle, ignore_errors=True)
    os.makedirs(bundle)
    subprocess.run(["cp", "-a", os.path.join(work, "rootfs"), bundle], check=True)
    return bundle


def run(runtime, bundle, config, work):
    text = json.dumps(config).replace("@/", bundle + "/")
    with open(os.path.join(bundle, "config.json"), "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run(["cp", "-a", os.path.join(work, "src"), bundle], check=True)
    before = set(tree(os.path.join(bundle, "rootfs")))
    command = runtime + ["--root", os.path.join(work, "state"), "run", "--bundle", bundle, "differential"]
    try: # with a pipe for its input: crun gives that to the container's user, and the machine's /dev/null is not to be given away
        done = subprocess.run(command, input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False)
        code, out = done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as failure:
        code, out = "timeout", (failure.stdout or b"").decode("utf-8", "replace")
        subprocess.run(runtime + ["--root", os.path.join(work, "state"), "delete", "--force", "differential"], check=False)
    lines = normalise(out, bundle, host_namespaces())
    lines.append("exit %s" % code)
    lines += sorted(normalise("\n".join(set(tree(os.path.join(bundle, "rootfs"))) - before), bundle, set()))
    hooks_file = os.path.join(bundle, "hooks")
    if os.path.exists(hooks_file):
        with open(hooks_file, encoding="utf-8") as file:
            lines += ["hook " + line.rstrip("\n") for line in file]
    return lines


def show(number, label, lines, other):
    for line in lines:
        if line not in other:
            print("#   %s %s: %s" % (number, label, line[:300]))


def compare(number, config, work, peer, ours):
    outputs = []
    for name, runtime in (("peer", peer), ("ours", ours)):
        bundle = fresh(work, name)
        outputs.append(run(runtime, bundle, copy.deepcopy(config), work))
        with open(os.path.join(work, name + ".out"), "w", encoding="utf-8") as file:
            file.write("\n".join(outputs[-1]) + "\n")
    if outputs[0] == outputs[1]:
        return "the same"
    if not any(line.startswith("args ") for line in outputs[0]):
        return "refused"
    if sorted(outputs[0]) == sorted(outputs[1]):
        print("#   %s: the same lines in another order: %s" % (number, next(pair for pair in zip(*outputs) if pair[0] != pair[1])))
    show(number, "peer", outputs[0], outputs[1])
    show(number, "ours", outputs[1], outputs[0])
    return "different"


def main():
    work, peer, ours, parent = sys.argv[1:]
    seed = int(os.environ.get("DIFFERENTIAL_SEED") or random.SystemRandom().randrange(10**6))
    count = int(os.environ.get("DIFFERENTIAL_COUNT") or 40)
    only = os.environ.get("DIFFERENTIAL_ONLY")
    bad = refused = 0
    print("1..%d" % count)
    print("# DIFFERENTIAL_SEED=%d" % seed)
    for number in range(1, count + 1):
        config, features = generate(random.Random("%d %d" % (seed, number)), parent + "/differential")
        if only and int(only) != number:
            continue
        found = compare(number, config, work, peer.split(), ours.split())
        bad += found == "different"
        refused += found == "refused"
        print("%s %d - %s%s" % ("not ok" if found == "different" else "ok", number, " ".join(features),
                                " # SKIP the peer can't run it" if found == "refused" else ""), flush=True)
    return 1 if bad or refused > count // 4 else 0 # a peer that refuses much proves nothing


if __name__ == "__main__":
    sys.exit(main())
