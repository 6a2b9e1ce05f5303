#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Differential test: random valid configurations, each run by another OCI runtime and by ours, and what the program saw is compared.

    differential.py WORK PEER OURS CGROUP_PARENT

WORK holds `rootfs` (a busybox with /probe) and becomes the place of everything else. Prints TAP, one line for each configuration. From the environment:
DIFFERENTIAL_SEED (1; a number, or random), DIFFERENTIAL_COUNT (40), DIFFERENTIAL_ONLY (the number of one case, to look into it; its config.json and both outputs stay in WORK).

A configuration is the base plus a few of the functions in FEATURES. The outputs are the lines of the probe, made comparable by `normalise`, and then the lines of
DELIBERATE are dropped: each row there says why ours is meant to differ. What both refuse is the same, too, if both leave the root file system alone.
"""
import copy
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP",
        "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE", "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_IPC_LOCK",
        "CAP_SYS_PTRACE", "CAP_SYS_NICE", "CAP_SYS_TIME", "CAP_LEASE", "CAP_DAC_READ_SEARCH", "CAP_LINUX_IMMUTABLE", "CAP_SYS_TTY_CONFIG",
        "CAP_BLOCK_SUSPEND", "CAP_MAC_ADMIN", "CAP_SYSLOG"]

# (line pattern, reason): lines that differ on purpose, dropped from both outputs.
DELIBERATE = [
    (r"^/dev/core -> ", "a way to the kernel's memory that no specification asks for"),
    (r"^c 5:1 rwm$", "a default rule of crun's alone: the console is a terminal of 136:*"),
    (r"^c 10:200 rwm$", "net/tun: ours, runc's and crun's, but not of crun 1.5 to 1.19"),
    (r"^touch: /etc/one: Read-only file system$", "what is hidden is read-only; with runc it is the machine's /dev/null"),
    (r"^cloche-runtime: warning: ", "crun says nothing where a capability can't be granted"),
    (r"^poststop hook failed with|^time=\S+ level=warning msg=", "what crun since 1.27 and runc say instead"),
]

# (pattern, replacement, reason): differences within a line.
ALIKE = [
    (r"^mount (\S+) root=\S*/null .*", r"mount \1 hidden", "crun binds the host's /dev/null, ours a node of its own that is read-only and of no device's file system"),
    (r"^mount (\S+) root=(/empty \S+ (shared )?tmpfs \S+|/ \S+ (shared )?tmpfs (gid=\d+,)?rw,size=0k(,uid=\d+)?)$", r"mount \1 hidden", "ours binds one empty directory over all that are hidden"),
    (r"^mount (\S+) root=\S*/state-peer/\.empty-directory .*", r"mount \1 hidden", "crun's since 1.25: a directory of its state, on the disk"),
    (r"^mount (/proc/\S+|/secret\S*|/sys/firmware) root=/ \S+,ro (shared )?tmpfs (gid=\d+,)?(nr_inodes=[12],)?r[ow](,size=4k)?(,uid=\d+)?$", r"mount \1 hidden", "runc's, a file system for each"),
    (r"^(/(secret|secret-dir|proc/\S+|etc/one|etc|tmp)) (43ff|416d|8124) 0:0$", r"\1 hidden", "an empty directory is 0555 here, so that nobody takes it for a place to write to"),
    (r"^(/\S+) (21b6|2180) [0-9]+:[0-9]+$", r"\1 hidden", "the owner is that of the host's /dev/null with crun; with runc owner and mode are those of the container's"),
    (r"^made (\S+) 41755 ", r"made \1 40755 ", "crun makes mount points sticky"),
    (r"^made (\S+) 100(700|644) ", r"made \1 file ", "mount points that are files: neither mode matters, all is hidden by the mount"),
    (r"^(mount .* tmpfs .*)mode=755,", r"\1", "a tmpfs without a mode keeps that of the directory below it, as with runc; with crun it is 1777"),
    (r"^(/\S+) (43ff|43ed|41ed) ", r"\1 dir ", "as above, and for mount points within"),
    (r"^(mount /sys/fs/cgroup root=/ \S+,)(rw|ro) (.*tmpfs).*", r"\1 \3", "read-only was asked for; crun leaves the directory of the hierarchies writable"),
    (r"^(mount /dev/\S+ root=\S+ )noexec,nosuid,(.* devtmpfs .*)", r"\1\2", "a device that is bound can't be executed anyhow"),
    (r"^(mount (/bin|/secret-dir|/etc/closed|/tmp|/up) root=@/rootfs\S+ \S+,ro )shared ", r"\1", "with rshared, a read-only path becomes shared with crun: of use to nobody"),
    (r"^(mount /proc/(\S+) root=/\2 )(nodev,noexec,nosuid,)?", r"\1", "crun's read-only paths lose the other flags of the mount"),
    (r"^(mount \S+ root=\S+ \S*)nosymfollow,", r"\1", "crun 1.27 and 1.28 hand flags of mount(2) to mount_setattr, where MS_RELATIME is this bit"),
    (r"^(mount \S+ root=\S+ \S*)nodiratime,(\S+ (shared )?tmpfs dirsync)", r"\1\2", "and MS_DIRSYNC this one"),
    (r"^(mount /(sys|proc)\S* root=/\S* \S+,ro (shared )?(sysfs|proc)) ro", r"\1 rw", "runc's is read-only twice, as a mount and as a file system"),
    (r"^((PWD=)?/proc/)[0-9]+$", r"\1self", "as many processes of the runtime came before"),
    (r"can't kill pid [0-9]+", "can't kill pid", "numbers of the host, where there is no PID namespace"),
]


def base(cgroup):
    return {
        "ociVersion": "1.0.2",
        # Without capabilities runc keeps the caller's, crun and ours give none; without rules for devices runc makes those of the default, crun and ours make none.
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/sh", "/probe"], "env": ["PATH=/bin"], "cwd": "/", "capabilities": {}},
        "root": {"path": "rootfs"},
        "hostname": "differs",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        ],
        "linux": {"cgroupsPath": "/" + cgroup, "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network")],
                  "resources": {"devices": [{"allow": False, "access": "rwm"}]}},
    }


# --- features: each changes a configuration ------------------------------------------------------------------------------------

def namespaces(rnd, config):
    kept = [ns for ns in config["linux"]["namespaces"] if ns["type"] == "mount" or rnd.random() < 0.7]
    if rnd.random() < 0.5:
        kept.append({"type": "cgroup"})
    for ns in kept:
        if ns["type"] in ("network", "ipc", "uts") and rnd.random() < 0.15:
            ns["path"] = "@@NAMESPACES/" + {"network": "net"}.get(ns["type"], ns["type"])
    if not any(ns["type"] == "uts" and "path" not in ns for ns in kept):
        del config["hostname"] # the host's is not to be changed
    rnd.shuffle(kept)
    config["linux"]["namespaces"] = kept


def tmpfs(rnd, config):
    options = rnd.sample(["nosuid", "nodev", "noexec", "ro", rnd.choice(["noatime", "relatime"]), "nodiratime"], rnd.randint(0, 4))
    options += rnd.choice([[], ["size=1m"], ["size=64k", "mode=1777"], ["mode=700"], ["nr_inodes=100"], ["uid=5", "gid=7", "mode=755"], ["size=50%"], ["mode=0"]])
    options += rnd.choice([[], [], ["tmpcopyup"], ["strictatime"], ["sync"], ["dirsync"]])
    if not any(option.startswith("mode=") for option in options):
        options.append("mode=755") # else that of the directory below it, as with runc; with crun 1777
    # Without "..": ours refuses it.
    mount = {"destination": rnd.choice(["/data", "/data/", "/made/deep/here", "/tmp/t", "/link/t", "/data/./sub//tmp", "/etc", "/up"]), "type": "tmpfs", "options": options}
    if rnd.random() < 0.8:
        mount["source"] = rnd.choice(["tmpfs", "named"])
    config["mounts"].append(mount)


def stacked(rnd, config):
    """Mounts within, and over, each other."""
    for mount in config["mounts"]: # crun sets the propagation of what covers it
        if mount["destination"] == "/mnt":
            mount["options"] = [option for option in mount["options"] if option not in ("rslave", "rprivate")]
    rows = [{"destination": "/mnt", "type": "tmpfs", "source": "outer", "options": ["mode=755", rnd.choice(["nosuid", "nodev"])]},
            {"destination": "/mnt/in", "type": "tmpfs", "source": "inner", "options": ["mode=711"]},
            {"destination": "/mnt/bound", "type": "bind", "source": "@/src", "options": [rnd.choice(["bind", "rbind"]), rnd.choice(["ro", "rw", "noexec"])]},
            {"destination": "/mnt/bound/sub", "type": "tmpfs", "source": "deep", "options": ["mode=700"]},
            {"destination": "/mnt/bound/file", "type": "bind", "source": "@/src/sub/other", "options": ["bind"]}]
    rows = rows[:1] + [row for row in rows[1:] if rnd.random() < 0.6]
    if rnd.random() < 0.3:
        rows.append({"destination": "/mnt", "type": "tmpfs", "source": "over", "options": ["mode=750"]})
    config["mounts"] += rows


def propagation(rnd, config):
    config["linux"]["rootfsPropagation"] = rnd.choice(["private", "slave", "shared", "rprivate", "rslave", "rshared"])
    if config["linux"]["rootfsPropagation"] == "rshared": # runc and crun since 1.27 give it to mounts that ask for another; with crun 1.8 and ours these have theirs
        for mount in config["mounts"]:
            mount["options"] = [option for option in mount.get("options", []) if option not in ("rslave", "rprivate")]


def bind(rnd, config):
    kind = rnd.choice(["bind", "rbind"])
    options = [kind] + rnd.sample(["ro", "nosuid", "nodev", "noexec", "noatime", "rro", "rnosuid", "rnoexec", "nodiratime"], rnd.randint(0, 3))
    # Not those of one mount alone: crun passes over some of them.
    options += rnd.choice([[], [], ["rprivate"], ["rslave"]])
    source, target = rnd.choice([("@/src", "/mnt"), ("@/src/file", "/new-file"), ("@/src/sub", "/data/sub"), ("@/src", "/made/by/bind"), ("src", "/mnt"),
                                 ("@/src/link", "/mnt"), ("@/src/file", "/etc/file"), ("@/src", "/link/bound"), ("@/src/pipe", "/tmp/pipe"), ("@/src/file", "/link/f")])
    mount = {"destination": target, "source": source, "options": options}
    if rnd.random() < 0.5:
        mount["type"] = "bind"
    config["mounts"].append(mount)


def usual_mounts(rnd, config):
    rows = [
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] + rnd.choice([[], ["gid=5"]])},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]},
    ]
    if rnd.random() < 0.3:
        config["mounts"][0]["options"] = rnd.choice([["nosuid", "noexec", "nodev"], ["hidepid=2"], ["ro"]])
    config["mounts"] += [row for row in rows if rnd.random() < 0.7]


def masked(rnd, config):
    paths = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/proc/missing", "/secret", "/secret-dir", "/none/at/all", "/etc/one",
             "/secret-dir/file", "/sys/firmware", "/proc/acpi", "/proc/interrupts"]
    config["linux"]["maskedPaths"] = rnd.sample(paths, rnd.randint(1, 5))


def readonly_paths(rnd, config):
    paths = ["/proc/sys", "/proc/sysrq-trigger", "/proc/fs", "/proc/irq", "/bin", "/not/there", "/secret-dir", "/proc/bus"]
    paths = [path for path in paths if path not in config["linux"].get("maskedPaths", [])] # which of the two lies on the other can't be told
    config["linux"]["readonlyPaths"] = rnd.sample(paths, rnd.randint(1, 4))


def rlimits(rnd, config):
    rows = []
    for kind, top in (("NOFILE", 1024), ("CORE", 4096), ("NPROC", 500), ("STACK", 8 << 20), ("FSIZE", 1 << 30), ("CPU", 1000),
                      ("DATA", 1 << 30), ("SIGPENDING", 100), ("MSGQUEUE", 1000), ("NICE", 0), ("RTPRIO", 0), ("LOCKS", 77)):
        if rnd.random() < 0.4:
            hard = rnd.randint(top // 2, top)
            rows.append({"type": "RLIMIT_" + kind, "hard": hard, "soft": rnd.randint(hard // 2, hard)})
    for kind in ("AS", "RSS", "FSIZE", "CPU", "LOCKS"):
        if rnd.random() < 0.2 and not any(row["type"] == "RLIMIT_" + kind for row in rows):
            rows.append({"type": "RLIMIT_" + kind, "hard": 2**64 - 1, "soft": rnd.choice([2**64 - 1, 1 << 33])})
    rnd.shuffle(rows)
    config["process"]["rlimits"] = rows


def capabilities(rnd, config):
    some = rnd.sample(CAPS, rnd.randint(0, len(CAPS)))
    sets = {"bounding": some, "permitted": some, "effective": some}
    if rnd.random() < 0.4:
        sets["permitted"] = sorted(rnd.sample(some, rnd.randint(0, len(some))))
        sets["effective"] = sorted(rnd.sample(sets["permitted"], rnd.randint(0, len(sets["permitted"]))))
    elif rnd.random() < 0.5:
        sets["inheritable"] = sorted(rnd.sample(some, len(some) // 2))
        sets["ambient"] = sorted(rnd.sample(sets["inheritable"], len(sets["inheritable"]) // 2))
    config["process"]["capabilities"] = sets


def user(rnd, config):
    config["process"]["user"] = {"uid": rnd.choice([0, 1, 1000, 65534, 2**31, 2**32 - 2]), "gid": rnd.choice([0, 5, 1000, 65534])}
    if rnd.random() < 0.6:
        config["process"]["user"]["additionalGids"] = rnd.sample([0, 1, 5, 10, 1000, 2000, 70000, 2**31 + 7], rnd.randint(1, 4))
    if rnd.random() < 0.6:
        config["process"]["user"]["umask"] = rnd.choice([0, 0o22, 0o27, 0o77, 0o777])


def hostname(rnd, config):
    config["hostname"] = rnd.choice(["a", "host.example", "x" * 63, "under_score"])
    if rnd.random() < 0.4:
        config["domainname"] = rnd.choice(["example.org", "d" * 63])


def cwd(rnd, config):
    config["process"]["cwd"] = rnd.choice(["/", "/bin", "/tmp", "/made/for/cwd", "/link/..", "/link", "//tmp//", "/tmp/./new/../other", "/secret", "/etc/closed", "/proc/self", "/dev/made"])


def env(rnd, config):
    config["process"]["env"] += rnd.sample(["A=1", "EMPTY=", "SPACE=a b", "EQ=a=b", "A=2", "HOME=/tmp", "TERM=xterm", "LONG=" + "y" * 5000, "UTF=ä", "NOTHING", "PATH=/nowhere:/bin", "LINE=a\nb",
                                            "=x"], rnd.randint(1, 5))
    rnd.shuffle(config["process"]["env"])


def sysctl(rnd, config):
    rows = {"net.ipv4.ip_forward": "1", "net.core.somaxconn": "77", "net.ipv4.ping_group_range": "0 1000", "kernel.msgmax": "4096",
            "kernel.shm_rmid_forced": "1", "fs.mqueue.msg_max": "5", "net/ipv4/ip_forward": "0", "kernel.sem": "100 3200 20 50",
            "kernel.domainname": "by.sysctl", "net.ipv4.tcp_no_such": "1", "kernel.pid_max": "1000", "net.ipv4.ip_default_ttl": "many"}
    if "domainname" in config:
        del rows["kernel.domainname"] # which of the two is written last is nobody's promise
    chosen = {name: rows[name] for name in rnd.sample(sorted(rows), rnd.randint(1, 4))}
    if "net.ipv4.ip_forward" in chosen:
        chosen.pop("net/ipv4/ip_forward", None) # the same one
    config["linux"]["sysctl"] = chosen


def oom_score(rnd, config):
    config["process"]["oomScoreAdj"] = rnd.choice([0, 1, 100, 500, 1000])


def no_new_privileges(rnd, config):
    config["process"]["noNewPrivileges"] = rnd.random() < 0.8


def readonly_root(rnd, config):
    config["root"]["readonly"] = True


def devices(rnd, config):
    rows = [{"path": "/dev/extra", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 5, "gid": 7},
            {"path": "/dev/sub/dir/zero", "type": "c", "major": 1, "minor": 5},
            {"path": "/dev/pipe", "type": "p", "fileMode": 0o600},
            {"path": "/dev/disk", "type": "b", "major": 7, "minor": 9, "fileMode": 0o660, "gid": 6},
            {"path": "/etc/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666},
            {"path": "/link/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 0o4755, "uid": 70000},
            {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600, "uid": 3},
            {"path": "/dev/unbuffered", "type": "u", "major": 1, "minor": 9, "fileMode": 0o666}]
    config["linux"]["devices"] = rnd.sample(rows, rnd.randint(1, 4))


def device_rules(rnd, config):
    rows = [{"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"}, {"allow": True, "type": "b", "major": 7, "access": "rwm"},
            {"allow": True, "type": "c", "access": "m"}, {"allow": False, "type": "c", "major": 1, "minor": 5, "access": "w"},
            {"allow": True, "type": "a", "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "r"}]
    # What no rule names is denied first: without that rule runc denies it all the same, crun and ours with cgroup v1 leave it as it is with the group above.
    config["linux"].setdefault("resources", {})["devices"] = [{"allow": False, "access": "rwm"}] + rnd.sample(rows, rnd.randint(0, 3))


def limits(rnd, config):
    resources = config["linux"].setdefault("resources", {})
    if rnd.random() < 0.7:
        resources["memory"] = {"limit": rnd.choice([64, 100, 300]) << 20}
        if rnd.random() < 0.5:
            resources["memory"]["reservation"] = 32 << 20
        if rnd.random() < 0.3:
            resources["memory"]["swappiness"] = 10
        if rnd.random() < 0.2:
            resources["memory"]["limit"] = -1
    if rnd.random() < 0.7:
        resources["cpu"] = {"shares": rnd.choice([2, 512, 2048])}
        if rnd.random() < 0.5:
            resources["cpu"].update({"quota": rnd.choice([20000, 150000]), "period": 100000})
        if rnd.random() < 0.3:
            resources["cpu"]["cpus"] = rnd.choice(["0", "0-1", "1,0"])
            resources["cpu"]["mems"] = "0"
    if rnd.random() < 0.7:
        resources["pids"] = {"limit": rnd.choice([20, 100, 1000])}
    config["mounts"].append({"destination": "/cg", "type": "bind", "source": "/sys/fs/cgroup", "options": ["rbind", "ro"]})


def more_limits(rnd, config):
    resources = config["linux"].setdefault("resources", {})
    if rnd.random() < 0.5:
        resources.setdefault("memory", {})["disableOOMKiller"] = rnd.random() < 0.5
    if rnd.random() < 0.5:
        resources.setdefault("pids", {})["limit"] = rnd.choice([30, 77])
    if rnd.random() < 0.3:
        resources.setdefault("cpu", {})["shares"] = rnd.choice([3, 2**18])
    if not any(mount["destination"] == "/cg" for mount in config["mounts"]):
        config["mounts"].append({"destination": "/cg", "type": "bind", "source": "/sys/fs/cgroup", "options": ["rbind", "ro"]})


def behind_links(rnd, config):
    """What is hidden, kept from changing, covered or made, named by way of links of the image."""
    config["linux"]["maskedPaths"] = rnd.sample(["/to-etc/one", "/link", "/to-etc", "/to-nothing", "/to-proc/keys", "/to-etc/../secret", "//secret//", "/./secret-dir/."], rnd.randint(1, 3))
    config["linux"]["readonlyPaths"] = rnd.sample(["/to-etc/closed", "/link", "/to-nothing/x", "/to-proc/sys", "/bin/../up", "//bin"], rnd.randint(1, 2))
    if rnd.random() < 0.5:
        config["mounts"].append({"destination": rnd.choice(["/to-etc/sub", "/link/deep/er", "/to-etc/closed", "/up/link"]), "type": "tmpfs", "source": "tmpfs", "options": ["mode=755", "size=8k"]})
    if rnd.random() < 0.3:
        config["process"]["cwd"] = rnd.choice(["/to-etc", "/to-etc/closed/..", "/link/made-by-cwd", "/up/link/.."])


def seccomp(rnd, config):
    rules = [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"},
             {"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
             {"names": ["sethostname"], "action": "SCMP_ACT_LOG"},
             {"names": ["no_such_call_at_all", "mknod", "mknodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 71},
             {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]},
             {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4, "args": [{"index": 1, "value": 12, "op": "SCMP_CMP_GE"}]},
             {"names": ["umask"], "action": "SCMP_ACT_TRAP", "args": [{"index": 0, "value": 0o7, "valueTwo": 0o5, "op": "SCMP_CMP_MASKED_EQ"}]},
             {"names": ["sync"], "action": "SCMP_ACT_KILL"}]
    compare = lambda op, value: {"index": 1, "value": value, "op": "SCMP_CMP_" + op}
    if rnd.random() < 0.6: # not together with the other two: which of two that fit counts, is libseccomp's secret (src/seccomp/compile.c)
        rules = [rule for rule in rules if rule["names"] != ["kill"]]
        rules.append({"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": rnd.randint(1, 30), "args": rnd.choice([
            [compare(rnd.choice(["NE", "LT", "LE", "GT", "GE", "EQ"]), 11)], [compare("GE", 10), {"index": 0, "value": 1, "op": "SCMP_CMP_GT"}]])})
    rules += [{"names": [rnd.choice(["chown", "fchownat", "symlink", "link", "sethostname", "unlink"])], "action": "SCMP_ACT_ERRNO", "errnoRet": rnd.randint(1, 90)}]
    config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
                                  "syscalls": rnd.sample(rules, rnd.randint(1, len(rules)))}
    if rnd.random() < 0.3:
        config["linux"]["seccomp"]["flags"] = rnd.sample(["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"], rnd.randint(1, 2))
    if os.uname().machine != "x86_64":
        del config["linux"]["seccomp"]["architectures"]


def hooks(rnd, config):
    note = 'state=$(cat); case $state in *"\\"id\\""*) has=state;; *) has=nothing;; esac; echo "$0 $* $X $has" >>@/hooks'
    kinds = rnd.sample(["prestart", "createRuntime", "createContainer", "poststart", "poststop"], rnd.randint(2, 4))
    config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", note, kind + str(i), "a b"], "env": ["X=" + kind], "timeout": 100}
                              for i in range(rnd.randint(1, 2))] for kind in kinds}
    if rnd.random() < 0.5:
        config["hooks"]["startContainer"] = [{"path": "/bin/sh", "args": ["sh", "-c", 'echo "in $* $(id -u)" 2>/dev/null >>/tmp/hook; exit 0', "start", name]}
                                             for name in rnd.choice([["one"], ["one", "two"]])]
    if rnd.random() < 0.15:
        # Not poststart: crun passes over its failure, as the specification said before 1.1.
        one = config["hooks"][rnd.choice([kind for kind in kinds if kind != "poststart"] or kinds)]
        one[-1]["args"][2] += "; exit 3" # the last: runc leaves out what comes behind a poststop hook that fails


def annotations(rnd, config):
    config["annotations"] = {"org.example.a": "1", "empty": ""}


def program(rnd, config):
    config["process"]["args"] = rnd.choice([["/bin/sh", "/probe", "a b", ""], ["sh", "/probe"], ["/bin/sh", "-c", ". /probe; exit 7"],
                                            ["/bin/sh", "-c", ". /probe; kill -9 $$"], ["/bin/busybox", "sh", "/probe"], ["bin/sh", "/probe"], ["./sh", "/probe"],
                                            ["/link/../bin/sh", "/probe"], ["no-such-program"], ["/no/such/program"], ["/etc/one"], ["/bin"], ["/etc/script"],
                                            ["/etc/lost-script"]])


def personality(rnd, config):
    config["linux"]["personality"] = {"domain": rnd.choice(["LINUX", "LINUX32"])}


def user_namespace(rnd, config):
    config["linux"]["namespaces"].append({"type": "user"})
    host, size = rnd.choice([(0, 65536), (100000, 65536), (100000, 1)])
    config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [{"containerID": 0, "hostID": host, "size": size}]
    if rnd.random() < 0.8: # most ids have to be there
        user = config["process"]["user"]
        user.update({name: user[name] % size for name in ("uid", "gid")})
        if "additionalGids" in user:
            user["additionalGids"] = sorted({gid % size for gid in user["additionalGids"]})
    if config["linux"].get("rootfsPropagation") == "shared":
        del config["linux"]["rootfsPropagation"] # with newer crun binds become shared, too, there and only there
    config.get("hooks", {}).pop("createContainer", None) # newer crun runs them as the host's root, before it becomes that of the container
    # crun loses options of binds there, and what lies below one that is recursive.
    config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] != "/cg"]
    config["linux"].pop("devices", None) # crun makes any device on the host for it, ours binds those that the host has
    if not any(ns["type"] == "network" and "path" not in ns for ns in config["linux"]["namespaces"]):
        config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] != "/sys"] # both take the host's, crun with all below
    for mount in config["mounts"]:
        if mount.get("type") == "bind" or "bind" in mount.get("options", []) or "rbind" in mount.get("options", []):
            mount["options"] = ["bind"]


def exec_in(rnd, config):
    """The program is not the container's first, but comes later: what `run` would do is done by exec."""
    config["exec"] = True
    if any(ns["type"] == "user" for ns in config["linux"]["namespaces"]) and config["process"]["cwd"] == "/etc/closed":
        config["process"]["cwd"] = "/" # crun's exec enters it as the host's root
    config["process"].pop("oomScoreAdj", None) # crun's exec passes over it


def exec_options(rnd, config):
    """As exec_in, but what is another's than the container's is said by options of the command line. Not --env: crun 1.8's drops the container's own variables."""
    options = []
    users = [["--user", "7:8"], ["--user", "0:5"]]
    if config["process"]["user"]["gid"] == 0: # who names no group has the container's with runc and ours, and 0 with crun
        users.append(["--user", "1000"])
    for rows in ([["--cwd", "/tmp"], ["--cwd", "/made/by/exec"]], [["--no-new-privs"]], users, [["--cap", "CAP_SYS_TIME"], ["--cap", "CAP_CHOWN", "--cap", "CAP_NET_RAW"]]):
        if rnd.random() < 0.5:
            options += rnd.choice(rows)
    config["exec"] = options
    if "--user" not in options and any(config["process"]["user"][name] for name in ("uid", "gid")): # with crun 1.8 it is root then; with newer, runc and ours the container's
        options += ["--user", "7:8"]
    config["process"]["user"].pop("umask", None) # with crun it is 022 for who is named by --user; with runc and ours the container's
    for name in ("oomScoreAdj", "rlimits", "capabilities", "noNewPrivileges"): # crun 1.8's exec passes over them, too; runc's does not
        config["process"].pop(name, None)
    config["process"]["user"].pop("additionalGids", None)


FEATURES = [namespaces, usual_mounts, tmpfs, bind, stacked, propagation, masked, readonly_paths, rlimits, capabilities, user, hostname, cwd, env, sysctl, oom_score,
            no_new_privileges, readonly_root, devices, device_rules, limits, seccomp, hooks, annotations, program, personality, more_limits, behind_links, user_namespace,
            exec_in, exec_options]


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


def say(command):
    # With a pipe for its input: crun gives that to the container's user, and the machine's /dev/null is not to be given away. The output into a file: whoever is left
    # behind would hold a pipe open.
    with tempfile.TemporaryFile() as out:
        try:
            code = subprocess.run(command, input=b"", stdout=out, stderr=subprocess.STDOUT, timeout=120, check=False).returncode
        except subprocess.TimeoutExpired:
            code = "timeout"
        out.seek(0)
        return code, out.read().decode("utf-8", "replace")


def hold_namespaces():
    """A process whose namespaces can be joined; it ends with its input."""
    holder = subprocess.Popen(["unshare", "--net", "--ipc", "--uts", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    return holder


def run(runtime, bundle, config, work):
    how = config.pop("exec", None)
    later = copy.deepcopy(config["process"]) if how is not None else None
    if later is not None:
        config["process"]["args"] = ["/bin/sleep", "1000"]
        config["process"]["cwd"] = "/"
        with open(os.path.join(bundle, "process.json"), "w", encoding="utf-8") as file:
            json.dump(later, file)
    text = json.dumps(config).replace("@/", bundle + "/")
    holder = None
    if "@@NAMESPACES" in text:
        holder = hold_namespaces()
        text = text.replace("@@NAMESPACES", "/proc/%d/ns" % holder.pid)
    with open(os.path.join(bundle, "config.json"), "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run(["cp", "-a", os.path.join(work, "src"), bundle], check=True)
    before = set(tree(os.path.join(bundle, "rootfs")))
    state = os.path.join(work, "state-" + os.path.basename(bundle))
    call = runtime + ["--root", state]
    if later is None:
        code, out = say(call + ["run", "--bundle", bundle, "differential"])
    else:
        code, out = say(call + ["run", "--detach", "--bundle", bundle, "differential"])
        if code == 0:
            words = ["--process", os.path.join(bundle, "process.json"), "differential"] if how is True else how + ["differential"] + later["args"]
            code, out = say(call + ["exec"] + words)
    if later is not None or code == "timeout":
        say(call + ["delete", "--force", "differential"])
    if holder is not None:
        holder.communicate()
    # What begins with a dot is no container's: crun's cache of filters, and since 1.25 its empty directory.
    left = sorted(name for name in os.listdir(state) if not name.startswith(".")) if os.path.isdir(state) else []
    lines = normalise(out, bundle, host_namespaces()) + ["left in the state directory: " + name for name in left]
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
    ran = [any(line.startswith("args ") for line in output) for output in outputs]
    if not ran[0]:
        codes = [next(line for line in output if line.startswith("exit ")) for output in outputs]
        print("#   %s: peer %s: %s" % (number, codes[0], outputs[0][0][:200]))
        print("#   %s: ours %s: %s" % (number, codes[1], outputs[1][0][:200]))
        left = [line for line in outputs[1] if line.startswith("left ") or line == "exit timeout"]
        return "different" if left else "refused" if ran[1] else "both refuse"
    if sorted(outputs[0]) == sorted(outputs[1]): # runc hands the program's two outputs on by pipes of its own
        print("#   %s: the same lines in another order: %s" % (number, next(pair for pair in zip(*outputs) if pair[0] != pair[1])))
        return "the same"
    show(number, "peer", outputs[0], outputs[1])
    show(number, "ours", outputs[1], outputs[0])
    return "different"


def main():
    work, peer, ours, parent = sys.argv[1:]
    chosen = os.environ.get("DIFFERENTIAL_SEED") or "1"
    seed = random.SystemRandom().randrange(10**6) if chosen == "random" else int(chosen)
    count = int(os.environ.get("DIFFERENTIAL_COUNT") or 40)
    only = os.environ.get("DIFFERENTIAL_ONLY")
    bad = refused = neither = 0
    print("1..%d" % count)
    print("# DIFFERENTIAL_SEED=%d" % seed)
    for number in range(1, count + 1):
        config, features = generate(random.Random("%d %d" % (seed, number)), parent + "/differential")
        if only and int(only) != number:
            continue
        found = compare(number, config, work, peer.split(), ours.split())
        bad += found == "different"
        refused += found == "refused"
        neither += found == "both refuse"
        print("%s %d - %s%s" % ("not ok" if found == "different" else "ok", number, " ".join(features),
                                {"refused": " # SKIP the peer can't run it", "both refuse": " (neither runs it)"}.get(found, "")), flush=True)
    return 1 if bad or refused + neither > count // 2 else 0 # what is refused proves little


if __name__ == "__main__":
    sys.exit(main())
