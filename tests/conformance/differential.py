#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Differential test: random valid configurations, each run by another OCI runtime and by ours, and what the program saw is compared.

    differential.py WORK PEER OURS CGROUP_PARENT

WORK holds `busybox`, `rootfs` (all of it but that, with /probe) and `src`, and becomes the place of everything else. Prints TAP, one line for each configuration. From the environment:
DIFFERENTIAL_SEED (1; a number, or random), DIFFERENTIAL_COUNT (40), DIFFERENTIAL_ONLY (the number of one case, to look into it; its config.json and both outputs stay in WORK).

A configuration is the base plus a few of the functions in FEATURES; what is no property of it but says how it is run, is in its "how", and what the peer is too old for is taken
out by LATER. The outputs are the lines of the probe, made comparable by `normalise`, and then the lines of DELIBERATE are dropped: each row there says why ours is meant to differ.
What both refuse is the same, too, if ours leaves nothing behind.
"""
import copy
import fcntl
import glob
import json
import os
import pty
import random
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time

DISK = next((name for name in sorted(os.listdir("/sys/block")) if os.path.exists("/dev/" + name)), None)
CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP",
        "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE", "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_IPC_LOCK",
        "CAP_SYS_PTRACE", "CAP_SYS_NICE", "CAP_SYS_TIME", "CAP_LEASE", "CAP_DAC_READ_SEARCH", "CAP_LINUX_IMMUTABLE", "CAP_SYS_TTY_CONFIG",
        "CAP_BLOCK_SUSPEND", "CAP_MAC_ADMIN", "CAP_SYSLOG"]

# (line pattern, reason): lines that differ on purpose, dropped from both outputs.
DELIBERATE = [
    (r"^/dev/core -> |^made /dev/core ", "a way to the kernel's memory that no specification asks for"),
    (r"^c 5:1 rwm$", "a default rule of crun's alone: the console is a terminal of 136:*"),
    (r"^c 10:200 rwm$", "net/tun: ours, runc's and crun's, but not of crun 1.5 to 1.19"),
    (r"^touch: /etc/one: Read-only file system$", "what is hidden is read-only; with runc it is the machine's /dev/null"),
    (r"^cloche-runtime: warning: ", "crun says nothing where a capability can't be granted"),
    (r"^leads its (group|session)$", "a process of crun's exec stays in the caller's session, unless it has a terminal; with runc and ours it has its own"),
    (r"^(mount )?/dev/console ", "a mount; a link with newer crun"),
    (r"^poststop hook failed with|^time=\S+ level=(warning|error) msg=\"?error running hook|^time=\S+ level=warning msg=", "what crun since 1.27 and runc say instead"),
]

# (pattern, replacement, reason): differences within a line.
ALIKE = [
    (r"^mount (\S+) root=\S*/null .*", r"mount \1 hidden", "crun binds the host's /dev/null, ours a node of its own that is read-only and of no device's file system"),
    (r"^mount (\S+) root=(/empty \S+ (shared )?tmpfs \S+|/ \S+ (shared )?tmpfs (gid=\d+,)?rw,size=0k(,uid=\d+)?)$", r"mount \1 hidden", "ours binds one empty directory over all that are hidden"),
    (r"^mount (\S+) root=\S*/state-peer/\.empty-directory .*", r"mount \1 hidden", "crun's since 1.25: a directory of its state, on the disk"),
    (r"^mount (/proc/\S+|/secret\S*|/sys/firmware|/etc|/tmp) root=/ \S+,ro (shared )?tmpfs (gid=\d+,)?(nr_inodes=[12],)?r[ow](,size=4k)?(,uid=\d+)?$", r"mount \1 hidden", "runc's, a file system for each"),
    (r"^(/(secret|secret-dir|proc/\S+|etc/one|etc|tmp)) (43ff|416d|8124) 0:\d+$", r"\1 hidden", "an empty directory is 0555 here, so that nobody takes it for a place to write to"),
    (r"^(/\S+) (21b6|2180) [0-9]+:[0-9]+$", r"\1 hidden", "the owner is that of the host's /dev/null with crun; with runc owner and mode are those of the container's"),
    (r"^made (\S+) 41755 ", r"made \1 40755 ", "crun makes mount points sticky"),
    (r"^made (\S+) 100(600|700|644|755) ", r"made \1 file ", "mount points that are files: neither mode matters, all is hidden by the mount"),
    (r"^(mount .* tmpfs .*)mode=755,", r"\1", "a tmpfs without a mode keeps that of the directory below it, as with runc; with crun it is 1777"),
    (r"^mount (/etc|/tmp|/secret-dir|/to-\S+) root=/ relatime,ro tmpfs (gid=\d+,)?ro(,uid=\d+)?$", r"mount \1 hidden", "runc's of an older version"),
    (r"^(/\S+) (43ff|43ed|41ed) ", r"\1 dir ", "as above, and for mount points within"),
    (r"^(mount /sys/fs/cgroup root=/ \S+,)(rw|ro) (.*tmpfs).*", r"\1 \3", "read-only was asked for; crun leaves the directory of the hierarchies writable"),
    (r"^(mount /dev/\S+ root=\S+ )noexec,nosuid,(.* devtmpfs .*)", r"\1\2", "a device that is bound can't be executed anyhow"),
    (r"^(mount (/bin|/secret-dir|/etc/closed|/tmp|/up) root=@/rootfs\S+ \S+,ro )shared ", r"\1", "with rshared, a read-only path becomes shared with crun: of use to nobody"),
    (r"^(mount /proc/(\S+) root=/\2 )(nodev,noexec,nosuid,)?", r"\1", "crun's read-only paths lose the other flags of the mount"),
    (r"^(mount \S+ root=\S+ \S*)nosymfollow,", r"\1", "crun 1.27 and 1.28 hand flags of mount(2) to mount_setattr, where MS_RELATIME is this bit"),
    (r"^(mount \S+ root=\S+ \S*)nodiratime,(\S+ (shared )?tmpfs dirsync)", r"\1\2", "and MS_DIRSYNC this one"),
    (r"^(PWD=)?@/rootfs$", r"\1@", "where runc's hooks are before it has entered the root; crun's and ours are always where the bundle is"),
    (r" -onlcr ", " onlcr ", "of the terminal that runc hands on itself"),
    (r"^(mount /(sys|proc|fs-sysfs|fs-proc)\S* root=/\S* \S+,ro (shared )?(sysfs|proc)) ro", r"\1 rw", "runc's is read-only twice, as a mount and as a file system"),
    (r"^((PWD=)?/proc/)[0-9]+$", r"\1self", "as many processes of the runtime came before"),
    (r'^"status":"creat(ing|ed)$', '"status": creating', "crun's hooks before the program are told that the container is created, as it is by then for `start`; runc and ours say creating, as the specification"),
    (r"can't kill pid [0-9]+", "can't kill pid", "numbers of the host, where there is no PID namespace"),
]

def without(path):
    """What takes this property out of a configuration."""
    *way, last = path.split(".")

    def take_out(config):
        place = config
        for step in way:
            place = place.get(step, {})
        place.pop(last, None)
    return take_out


def without_clocks(config):
    config["linux"].pop("timeOffsets", None)
    config["linux"]["namespaces"] = [ns for ns in config["linux"]["namespaces"] if ns["type"] != "time"]


def without_hook_timeouts(config):
    for hook in [hook for rows in config.get("hooks", {}).values() for hook in rows]:
        hook.pop("timeout", None)


def without_poststart(config):
    config.get("hooks", {}).pop("poststart", None)


def without_uid_alone(config):
    if isinstance(config.get("exec"), list):
        config["exec"] = [word + ":0" if word == "1000" else word for word in config["exec"]]


def without_null(config):
    if "devices" in config["linux"]:
        config["linux"]["devices"] = [device for device in config["linux"]["devices"] if device["path"] != "/dev/null"]


def without_idmap(config):
    config["mounts"] = [mount for mount in config["mounts"] if "uidMappings" not in mount]


def without_tmpfs_modes(config):
    for mount in config["mounts"]:
        if mount.get("type") == "tmpfs" and not mount["destination"].startswith("/dev"):
            mount["options"] = [option for option in mount["options"] if not option.startswith("mode=")] + ["mode=755"]


def without_shared_root(config):
    if "shared" in config["linux"].get("rootfsPropagation", ""):
        del config["linux"]["rootfsPropagation"]


# (what makes a configuration such as an older peer can run it as it is meant, the first versions that need no such help)
LATER = [
    (without("process.scheduler"), {"crun": (1, 8, 2), "runc": (1, 2)}),
    (without("process.ioPriority"), {"crun": (1, 8, 6), "runc": (1, 2)}),
    (without("process.execCPUAffinity"), {"crun": (1, 19), "runc": (1, 2, 7)}),
    (without("linux.memoryPolicy"), {"crun": (1, 24), "runc": (1, 4)}),
    (without("linux.personality"), {"runc": (1, 2)}),
    (without("domainname"), {"runc": (1, 2)}),
    (without("linux.resources.cpu.idle"), {"crun": (1, 5), "runc": (1, 2)}),
    (without("linux.resources.cpu.burst"), {"crun": (1, 11), "runc": (1, 2)}),
    (without("linux.resources.memory.kernelTCP"), {"runc": (99,)}), # passes over it
    (without_clocks, {"crun": (1, 8, 4), "runc": (1, 2)}),
    (without_hook_timeouts, {"crun": (99,)}), # it misses the end of a hook when the program ends at that moment, and waits for the whole timeout
    (without_poststart, {"runc": (99,)}), # they are told that the container is created, where crun and ours say running
    (without("process.user.umask"), {"runc": (1, 2)}), # exec's
    (without_uid_alone, {"crun": (1, 27)}), # exec's --user UID became root
    (without_null, {"runc": (99,)}), # its rule for /dev/null goes with the default device
    (without_idmap, {"runc": (1, 2)}),
    (without_tmpfs_modes, {"runc": (1, 2)}), # it kept those of the directories below
    (without_shared_root, {"runc": (1, 2)}),
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
    # Not what is masked, or has something in it that is: which of the two lies on the other can't be told.
    paths = [path for path in paths if not any((hidden + "/").startswith(path + "/") for hidden in config["linux"].get("maskedPaths", []))]
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
    wrong = ["net.ipv4.tcp_no_such", "kernel.pid_max", "net.ipv4.ip_default_ttl"]
    names = [name for name in sorted(rows) if name not in wrong]
    chosen = {name: rows[name] for name in rnd.sample(names, rnd.randint(1, 4)) + ([rnd.choice(wrong)] if rnd.random() < 0.15 else [])}
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
    if rnd.random() < 0.3:
        memory = resources.setdefault("memory", {})
        memory["limit"] = 200 << 20
        memory["swap"] = rnd.choice([-1, 300 << 20, 200 << 20])
    if rnd.random() < 0.2:
        resources.setdefault("memory", {})["kernelTCP"] = 10 << 20
    if rnd.random() < 0.2:
        resources["cpu"] = {"quota": 50000, "period": 100000, "burst": rnd.choice([0, 10000])}
    if rnd.random() < 0.1:
        resources["cpu"] = {"idle": 1}
    if rnd.random() < 0.4:
        number = os.stat("/dev/" + DISK).st_rdev if DISK else 0
        if number:
            kind = rnd.choice(["throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice", "throttleWriteIOPSDevice"])
            resources["blockIO"] = {kind: [{"major": os.major(number), "minor": os.minor(number), "rate": rnd.choice([1000, 1 << 20])}]}
    if not any(mount["destination"] == "/cg" for mount in config["mounts"]):
        config["mounts"].append({"destination": "/cg", "type": "bind", "source": "/sys/fs/cgroup", "options": ["rbind", "ro"]})


def behind_links(rnd, config):
    """What is hidden, kept from changing, covered or made, named by way of links of the image."""
    config["linux"]["maskedPaths"] = rnd.sample(["/to-etc/one", "/link", "/to-etc", "/to-nothing", "/to-proc/keys", "/to-etc/../secret", "//secret//", "/./secret-dir/."], rnd.randint(1, 3))
    paths = rnd.sample(["/to-etc/closed", "/link", "/to-nothing/x", "/to-proc/sys", "/bin/../up", "//bin"], rnd.randint(1, 2))
    config["linux"]["readonlyPaths"] = [path for path in paths if not any(path.startswith(hidden) for hidden in config["linux"]["maskedPaths"])]
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
        rules = config["linux"]["seccomp"]["syscalls"]
        rules.append({"names": ["sync" if not any("sync" in rule["names"] for rule in rules) else "syncfs"], "action": "SCMP_ACT_" + rnd.choice(["KILL_PROCESS", "KILL_THREAD", "TRAP", "TRACE", "LOG"])})
    if rnd.random() < 0.2:
        config["linux"]["seccomp"]["defaultAction"] = "SCMP_ACT_LOG"
    if rnd.random() < 0.3:
        config["linux"]["seccomp"]["flags"] = rnd.sample(["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"], rnd.randint(1, 2))
    if os.uname().machine != "x86_64":
        del config["linux"]["seccomp"]["architectures"]


def hooks(rnd, config):
    note = 'state=$(cat); case $state in *"\\"id\\""*) has=state;; *) has=nothing;; esac; echo "$0 $* $X $has" >>@/hooks; \
        ls -l /proc/self/ns | sed -n "s/.* \\([a-z_]*\\) -> /NS \\1 /p" >>@/hooks; pwd >>@/hooks; id -u >>@/hooks; \
        echo "$state" | grep -o "\\"\\(status\\|bundle\\)\\" *: *\\"[^\\"]*" | tr -d "\\\\\\\\ " | sort >>@/hooks; env | grep -v -e ^_= -e SHLVL -e ^OLDPWD | sort >>@/hooks'
    kinds = rnd.sample(["prestart", "createRuntime", "createContainer", "poststart", "poststop"], rnd.randint(2, 4))
    config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", note, kind + str(i), "a b"], "env": ["X=" + kind], "timeout": 60}
                              for i in range(rnd.randint(1, 2))] for kind in kinds}
    if rnd.random() < 0.5:
        config["hooks"]["startContainer"] = [{"path": "/bin/sh", "args": ["sh", "-c", 'echo "in $* $(id -u)" 2>/dev/null >>/tmp/hook; exit 0', "start", name]}
                                             for name in rnd.choice([["one"], ["one", "two"]])]
    if rnd.random() < 0.15:
        # Not poststart: crun passes over its failure, as the specification said before 1.1.
        one = config["hooks"][rnd.choice([kind for kind in kinds if kind != "poststart"] or kinds)]
        one[-1]["args"][2] += "; exit 3" # the last: runc leaves out what comes behind a poststop hook that fails


def how(config):
    return config.setdefault("how", {})


def scheduling(rnd, config):
    process = config["process"]
    if rnd.random() < 0.7:
        process["scheduler"] = rnd.choice([{"policy": "SCHED_BATCH", "nice": 3}, {"policy": "SCHED_OTHER", "nice": 7}, {"policy": "SCHED_IDLE"},
                                           {"policy": "SCHED_OTHER", "nice": 19, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}, {"policy": "SCHED_BATCH"}])
    if rnd.random() < 0.7:
        process["ioPriority"] = {"class": "IOPRIO_CLASS_" + rnd.choice(["BE", "IDLE", "RT"]), "priority": rnd.randint(0, 7)}
    if rnd.random() < 0.5:
        process["execCPUAffinity"] = {"initial": rnd.choice(["0", "0-1", "1"]), "final": rnd.choice(["0", "1", "0-1"])}
    if rnd.random() < 0.3:
        config["linux"]["memoryPolicy"] = rnd.choice([{"mode": "MPOL_BIND", "nodes": "0"}, {"mode": "MPOL_INTERLEAVE", "nodes": "0"}, {"mode": "MPOL_PREFERRED", "nodes": "0"},
                                                      {"mode": "MPOL_LOCAL"}, {"mode": "MPOL_DEFAULT"}])


def clocks(rnd, config):
    config["linux"]["namespaces"] = [ns for ns in config["linux"]["namespaces"] if ns["type"] != "pid"] + [{"type": "time"}, {"type": "pid"}] # without one crun makes one
    config["linux"]["timeOffsets"] = {name: {"secs": rnd.choice([0, 1000, 100000]), "nanosecs": rnd.choice([0, 5, 999999999])}
                                      for name in rnd.sample(["monotonic", "boottime"], rnd.randint(1, 2))}


def idmapped(rnd, config):
    """Files of one user are another's at the mount."""
    host, size = rnd.choice([(1000, 1), (0, 10), (100000, 65536), (5, 1)])
    rows = [{"containerID": rnd.choice([0, 7]), "hostID": host, "size": size}]
    config["mounts"].append({"destination": "/mapped", "type": "bind", "source": "@/src", "options": ["bind", "idmap"] + rnd.choice([[], ["ro"]]), # crun 1.8 loses other flags
                             "uidMappings": rows, "gidMappings": rows})


def below(rnd, config):
    """A source with other mounts in it: what is recursive reaches them, and what is not does not."""
    how(config)["below"] = True
    for mount in config["mounts"]: # which make crun's bind a recursive one
        mount["options"] = [option for option in mount.get("options", []) if option not in ("rslave", "rprivate")]
    options = [rnd.choice(["bind", "rbind"])] + rnd.sample(["ro", "rro", "nosuid", "rnosuid", "rnodev", "noexec", "rnoatime", "rnoexec"], rnd.randint(0, 3))
    config["mounts"].append({"destination": rnd.choice(["/below", "/mnt", "/link/below"]), "source": "@/src", "options": options})


def file_systems(rnd, config):
    rows = [{"destination": "/fs/overlay", "type": "overlay", "source": "overlay", "options": ["lowerdir=@/src/sub:@/src/second"] + rnd.choice([[], ["ro"], ["nosuid"]])},
            {"destination": "/fs/ramfs", "type": "ramfs", "source": "ramfs", "options": rnd.choice([["mode=711"], ["mode=700", "noexec", "nodev"]])},
            {"destination": "/fs-proc", "type": "proc", "source": "proc", "options": rnd.choice([["ro"], ["nosuid", "hidepid=invisible"], ["subset=pid", "nodev"]])},
            {"destination": "/fs-sysfs", "type": "sysfs", "source": "sysfs", "options": rnd.choice([["ro"], ["nosuid", "nodev", "noexec", "ro"]])},
            {"destination": "/fs-mqueue", "type": "mqueue", "source": "mqueue", "options": rnd.choice([["nosuid"], ["nosuid", "noexec", "nodev", "noatime"]])},
            {"destination": "/fs/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0600", "mode=0600", "max=10"]},
            {"destination": "/fs/tmpfs", "type": "tmpfs", "source": "tmpfs", "options": rnd.choice([["mode=755", "huge=never"], ["mode=755", "inode64"], ["mode=755", "nr_blocks=16"], ["mode=755", "noswap"]])}]
    config["mounts"] += rnd.sample(rows, rnd.randint(1, 4))


def special_places(rnd, config):
    """Below /proc, /sys and /dev, and without a /dev of its own."""
    rows = [{"destination": "/proc/meminfo", "type": "bind", "source": "@/src/file", "options": ["bind", "ro"]},
            {"destination": "/proc/loadavg", "type": "bind", "source": "@/src/sub/other", "options": ["bind"]},
            {"destination": "/dev/bound", "type": "bind", "source": "@/src/file", "options": ["bind", "nosuid"]},
            {"destination": "/dev/zero-too", "type": "bind", "source": "/dev/zero", "options": ["bind"]},
            {"destination": "/dev/tree", "type": "bind", "source": "@/src", "options": ["rbind", "ro"]},
            {"destination": "/dev/shm", "type": "bind", "source": "@/src/sub", "options": ["bind"]},
            {"destination": "/sys", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755", "ro"]},
            {"destination": "/bin/sh", "type": "bind", "source": "@/rootfs/bin/busybox", "options": ["bind"]}]
    rows = [row for row in rnd.sample(rows, rnd.randint(1, 4)) if not any(mount["destination"] == row["destination"] for mount in config["mounts"])]
    config["mounts"] += rows
    if rnd.random() < 0.15:
        config["mounts"] = [mount for mount in config["mounts"] if not mount["destination"].startswith("/dev")]


def root_path(rnd, config):
    config["root"]["path"] = rnd.choice(["@/rootfs", "./rootfs", "rootfs/", "@/rootfs/../rootfs/."])


def run_options(rnd, config):
    how(config)["options"] = [word for words in ([["--no-new-keyring"], ["--no-pivot"], ["--preserve-fds", "2"], ["--pid-file", "@/pid"]]) if rnd.random() < 0.5 for word in words]


def terminal(rnd, config):
    for hook in [hook for rows in config.get("hooks", {}).values() for hook in rows]: # after one that fails crun hands on as its own error what the program said
        hook["args"][2] = hook["args"][2].replace("; exit 3", "")
    if not any(mount["destination"] == "/dev/pts" for mount in config["mounts"]):
        config["mounts"].append({"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]})
    config["process"]["terminal"] = True
    # Always with its size: without, crun gives it that of its own terminal, yet only after the program began.
    config["process"]["consoleSize"] = {"width": rnd.choice([80, 132, 65535]), "height": rnd.choice([24, 1])}


def steps(rnd, config):
    """create, start, state, kill and delete, each by itself."""
    config["process"].pop("terminal", None) # its master would go to a socket
    how(config)["steps"] = True


def update(rnd, config):
    """What is seen after another change of the limits, by a process of exec."""
    changes = {"memory": {"limit": rnd.choice([64, 99]) << 20}, "cpu": rnd.choice([{"shares": 77}, {"quota": 30000, "period": 50000}, {"cpus": "1", "mems": "0"}]), "pids": {"limit": 55}}
    how(config)["update"] = {name: changes[name] for name in rnd.sample(sorted(changes), rnd.randint(1, 3))}
    config.setdefault("exec", True)
    more_limits(rnd, config)
    config["linux"]["resources"].get("cpu", {}).pop("idle", None) # excludes shares


def pause(rnd, config):
    how(config)["pause"] = True
    config.setdefault("exec", True)


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
    if size > 1 and rnd.random() < 0.3: # in two parts, and those who do not change places
        config["linux"]["gidMappings"] = [{"containerID": 1, "hostID": host + 1, "size": size - 1}, {"containerID": 0, "hostID": host + 70000, "size": 1}]
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
    if any(ns["type"] == "ipc" and "path" in ns for ns in config["linux"]["namespaces"]):
        config["mounts"] = [mount for mount in config["mounts"] if mount.get("type") != "mqueue"] # ours refuses it, crun shows the host's, which is not what is joined
    if not any(ns["type"] == "network" and "path" not in ns for ns in config["linux"]["namespaces"]):
        config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] != "/sys"] # both take the host's, crun with all below
    for mount in config["mounts"]:
        if mount.get("type") == "bind" or "bind" in mount.get("options", []) or "rbind" in mount.get("options", []):
            mount["options"] = ["bind"]


def for_exec(config):
    """What crun's exec can't do, or does otherwise."""
    process = config["process"]
    if any(ns["type"] == "user" for ns in config["linux"]["namespaces"]) and process["cwd"] == "/etc/closed":
        process["cwd"] = "/" # crun's enters it as the host's root
    process.pop("oomScoreAdj", None) # crun's passes over these two
    config["linux"].pop("memoryPolicy", None)


def exec_in(_, config):
    """The program is not the container's first, but comes later: what `run` would do is done by exec."""
    config["exec"] = True


def exec_options(rnd, config):
    """As exec_in, but what is another's than the container's is said by options of the command line. Not --env: crun 1.8's drops the container's own variables."""
    options = []
    users = [["--user", "7:8"], ["--user", "0:5"]]
    if config["process"]["user"]["gid"] == 0: # who names no group has the container's with runc and ours, and 0 with crun
        users.append(["--user", "1000"])
    for rows in ([["--cwd", "/tmp"], ["--cwd", "/mnt"], ["--cwd", "/bin"], ["--cwd", "/made/by/exec"]], [["--no-new-privs"]], users, [["--cap", "CAP_SYS_TIME"], ["--cap", "CAP_CHOWN", "--cap", "CAP_NET_RAW"]]):
        if rnd.random() < 0.5:
            options += rnd.choice(rows)
    config["exec"] = options
    if "--user" not in options and any(config["process"]["user"][name] for name in ("uid", "gid")): # with crun 1.8 it is root then; with newer, runc and ours the container's
        options += ["--user", "7:8"]
    config["process"]["user"].pop("umask", None) # with crun it is 022 for who is named by --user; with runc and ours the container's
    # crun's exec passes over the container's; runc's and ours do not.
    for name in ("oomScoreAdj", "rlimits", "noNewPrivileges", "scheduler", "ioPriority", "execCPUAffinity"):
        config["process"].pop(name, None)
    config["process"]["capabilities"] = {}
    config["process"]["user"].pop("additionalGids", None)


FEATURES = [namespaces, usual_mounts, tmpfs, bind, stacked, propagation, masked, readonly_paths, rlimits, capabilities, user, hostname, cwd, env, sysctl, oom_score,
            no_new_privileges, readonly_root, devices, device_rules, limits, seccomp, hooks, annotations, program, personality, more_limits, behind_links, scheduling, clocks,
            idmapped, below, file_systems, special_places, root_path, run_options, terminal, steps, update, pause, user_namespace, exec_in, exec_options]


def generate(rnd, cgroup):
    config = base(cgroup)
    chosen = rnd.sample(FEATURES, rnd.randint(2, 9))
    for feature in sorted(chosen, key=FEATURES.index):
        feature(rnd, config)
    if "exec" in config:
        for_exec(config)
    return config, [feature.__name__ for feature in sorted(chosen, key=FEATURES.index)]


def name_and_version(runtime):
    words = subprocess.run(runtime + ["--version"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    return words[0], tuple(int(part) for part in re.match(r"[0-9]+(\.[0-9]+)*", words[2]).group().split("."))


def leave_out_later(config, peer):
    """Without what the peer, a name and a version, is too old for."""
    name, version = peer
    for leave_out, first in LATER:
        if version < first.get(name, ()):
            leave_out(config)


# --- running and comparing ------------------------------------------------------------------------------------------------------

def host_namespaces():
    return {os.readlink("/proc/self/ns/" + name) for name in os.listdir("/proc/self/ns")}


def mount_line(words, work):
    """What a process can tell of a mount, but not numbers of mounts and devices, which differ from start to start."""
    dash = words.index("-")
    shared = sorted(word.split(":")[0] for word in words[6:dash])
    return " ".join(["mount", words[4], "root=" + words[3].replace(work, "@"), ",".join(sorted(words[5].split(","))), *shared,
                     words[dash + 1], ",".join(sorted(words[dash + 3].replace(work, "@").split(",")))])


alike = [(re.compile(pattern), replacement) for pattern, replacement, _ in ALIKE]
deliberate = [re.compile(pattern) for pattern, _ in DELIBERATE]


def normalise(text, work, host):
    lines = []
    for line in text.splitlines():
        words = line.split(" ")
        if words[0] == "MOUNT" and "-" in words:
            line = mount_line(words[1:], work)
        elif words[0] == "NS" and len(words) == 3:
            line = "ns %s %s" % (words[1], "host's" if words[2] in host else "new")
        for pattern, replacement in alike:
            line = pattern.sub(replacement, line)
        if not any(pattern.search(line) for pattern in deliberate):
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
    os.link(os.path.join(work, "busybox"), os.path.join(bundle, "rootfs", "bin", "busybox")) # which nobody writes to
    return bundle


def say(command):
    # With a pipe for its input: crun gives that to the container's user, and the machine's /dev/null is not to be given away. The output into a file: whoever is left
    # behind would hold a pipe open.
    with tempfile.TemporaryFile() as out:
        try:
            code = subprocess.run(command, input=b"", stdout=out, stderr=subprocess.STDOUT, timeout=60, check=False).returncode
        except subprocess.TimeoutExpired:
            code = "timeout"
        out.seek(0)
        return code, out.read().decode("utf-8", "replace")


def say_on_terminal(command, size):
    """As say, with a terminal as input and output. It has the size that the container's is to have: else crun takes the configuration's, runc and ours this one's."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size.get("height", 50), size.get("width", 100), 0, 0))
    child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    out, end = b"", time.monotonic() + 60
    while time.monotonic() < end and select.select([master], [], [], end - time.monotonic())[0]:
        try:
            some = os.read(master, 65536)
        except OSError: # EIO: nobody has it open any more
            break
        if not some:
            break
        out += some
    try:
        code = child.wait(max(0.1, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        code = "timeout"
    os.close(master)
    return code, out.decode("utf-8", "replace").replace("\r\n", "\n")


def hold_namespaces():
    """A process whose namespaces can be joined; it ends with its input."""
    holder = subprocess.Popen(["unshare", "--net", "--ipc", "--uts", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    return holder


def left_behind(state, bundle, group):
    # What begins with a dot is no container's: crun's cache of filters, and since 1.25 its empty directory.
    rows = sorted(name for name in os.listdir(state) if not name.startswith(".")) if os.path.isdir(state) else []
    # In hierarchies only: crun makes directories where none is mounted any more.
    rows += [top + group for top in ["/sys/fs/cgroup"] + sorted(glob.glob("/sys/fs/cgroup/*")) if os.path.ismount(top) and os.path.exists(top + group)]
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        rows += [line.split(" ")[4] for line in file if bundle in line]
    return ["left behind: " + row for row in rows]


def state_line(call):
    code, out = say(call + ["state", "differential"])
    if code != 0:
        return "state: none"
    state = json.loads(out)
    return "state: %s, pid %s, annotations %s" % (state["status"], "none" if state.get("pid", 0) == 0 else "given", json.dumps(state.get("annotations") or {}, sort_keys=True))


def run_by_steps(call, options):
    """The program's output, and what each verb made of it."""
    notes = []
    with tempfile.TemporaryFile() as out:
        def verb(*words):
            code = subprocess.run(call + list(words), input=b"", stdout=out, stderr=subprocess.STDOUT, timeout=60, check=False).returncode
            notes.append("%s: %s" % (words[0], "done" if code == 0 else "refused"))
            return code
        code = verb("create", *options, "differential")
        if code == 0:
            notes.append(state_line(call))
            if verb("start", "differential") == 0:
                end = time.monotonic() + 60
                while "stopped" not in state_line(call) and time.monotonic() < end:
                    time.sleep(0.01)
            notes.append(state_line(call))
            out.seek(0, os.SEEK_END)
            told = out.tell()
            for word in ("start", "kill", "pause", "delete", "delete", "state"):
                verb(word, "differential")
            out.truncate(told)
        out.seek(0)
        return code, out.read().decode("utf-8", "replace"), notes


def run_later(call, how, later, bundle):
    lines = []
    if "update" in how:
        with open(os.path.join(bundle, "resources.json"), "w", encoding="utf-8") as file:
            json.dump(how["update"], file)
        code, out = say(call + ["update", "--resources", os.path.join(bundle, "resources.json"), "differential"])
        lines.append("update: %s%s" % (code, "" if code == 0 else " " + out.strip()))
    if how.get("pause"):
        lines += [state_line(call), "pause: %s" % say(call + ["pause", "differential"])[0], state_line(call), "resume: %s" % say(call + ["resume", "differential"])[0], state_line(call)]
        code, out = say(call + ["ps", "--format", "json", "differential"])
        lines.append("ps: %s" % (len(json.loads(out)) if code == 0 else code))
        code, out = say(call + ["list", "--format", "json"])
        lines.append("list: %s" % ([(row["id"], row["status"]) for row in json.loads(out)] if code == 0 else code))
    words = ["--process", os.path.join(bundle, "process.json"), "differential"] if how["exec"] is True else how["exec"] + ["differential"] + later["args"]
    if how["exec"] is not True and later.get("terminal"):
        words.insert(0, "--tty")
    code, out = say_on_terminal(call + ["exec"] + words, later.get("consoleSize", {})) if later.get("terminal") else say(call + ["exec"] + words)
    return code, out, lines


def write_bundle(bundle, config, later, work):
    """Returns the process whose namespaces are joined, or None."""
    if later is not None:
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
    return holder


def mount_below(source):
    inner = os.path.join(source, "sub")
    for place, kind in ((inner, "inner"), (os.path.join(inner, "dir"), "innermost")):
        os.makedirs(place, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,size=64k", kind, place], check=True)


def hook_lines(bundle):
    if not os.path.exists(os.path.join(bundle, "hooks")):
        return []
    with open(os.path.join(bundle, "hooks"), encoding="utf-8") as file:
        return ["hook " + line for line in normalise(file.read().replace(bundle, "@"), bundle, host_namespaces())]


def run(runtime, bundle, config, work):
    how = config.pop("how", {})
    how["exec"] = config.pop("exec", None)
    later = copy.deepcopy(config["process"]) if how["exec"] is not None else None
    if later is not None:
        config["process"].update({"args": ["/bin/sleep", "1000"], "cwd": "/"})
        config["process"].pop("terminal", None)
        config["process"].pop("consoleSize", None)
    holder = write_bundle(bundle, config, later, work)
    if how.get("below"):
        mount_below(os.path.join(bundle, "src"))
    before = set(tree(os.path.join(bundle, "rootfs")))
    os.chdir(bundle) # where runc's poststart and poststop hooks stay
    state = os.path.join(work, "state-" + os.path.basename(bundle))
    group = config["linux"]["cgroupsPath"]
    others = left_behind(state, bundle, group) # of the peer, which may not be able to clean up
    call = ["sh", "-c", 'exec "$@" 3</dev/zero 4</dev/zero', "with-descriptors"] * ("--preserve-fds" in how.get("options", [])) + runtime + ["--root", state]
    options = ["--bundle", bundle] + [word.replace("@", bundle) for word in how.get("options", [])]
    notes = []
    if later is not None:
        code, out = say(call + ["run", "--detach"] + options + ["differential"])
        if code == 0:
            code, out, notes = run_later(call, how, later, bundle)
    elif how.get("steps"):
        code, out, notes = run_by_steps(call, options)
    else:
        command = call + ["run"] + options + ["differential"]
        code, out = say_on_terminal(command, config["process"].get("consoleSize", {})) if config["process"].get("terminal") else say(command)
    if later is not None or code == "timeout":
        say(call + ["delete", "--force", "differential"])
    if holder is not None:
        holder.communicate()
    if how.get("below"):
        subprocess.run(["umount", "-R", "-l", os.path.join(bundle, "src", "sub")], check=True)
    lines = normalise(out, bundle, host_namespaces()) + notes + [row for row in left_behind(state, bundle, group) if row not in others]
    lines.append("exit %s" % code)
    lines += sorted(normalise("\n".join(set(tree(os.path.join(bundle, "rootfs"))) - before), bundle, set()))
    if os.path.exists(os.path.join(bundle, "pid")):
        lines.append("a pid file")
    return lines + hook_lines(bundle)


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
    version = name_and_version(peer.split())
    bad = refused = neither = 0
    print("1..%d" % count)
    print("# DIFFERENTIAL_SEED=%d" % seed)
    for number in range(1, count + 1):
        config, features = generate(random.Random("%d %d" % (seed, number)), parent + "/differential")
        leave_out_later(config, version)
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
