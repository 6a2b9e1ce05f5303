#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each property of config.json, one after the other, with values that are of another type or out of range: cloche-runtime has to refuse them.

    bad-values.py BUNDLE ROOT CGROUP        (`cloche-runtime` in PATH; BUNDLE has a rootfs and a config.json that runs)

FRAGMENTS has every property of the specification in a value that is right; what is wrong is derived from it, so the type of a property is written down once. A
refusal is: exit status 1, one line that names the property's path, nothing in ROOT. What may be right all the same is a row of LEGAL. Prints what was not refused as it
should be, then the number of cases; the exit status is 1 if there was any.
"""
import copy
import json
import os
import re
import subprocess
import sys

HOOK = [{"path": "/bin/true", "args": ["true"], "env": ["A=1"], "timeout": 5}]
RATE = [{"major": 7, "minor": 0, "rate": 1000}]
MAP = [{"containerID": 0, "hostID": 100000, "size": 1000}]

# (what has to be there beside it, the fragment)
FRAGMENTS = [
    {"ociVersion": "1.2.0", "hostname": "name", "domainname": "name", "annotations": {"a": "b"}, "root": {"path": "rootfs", "readonly": False}},
    {"process": {"terminal": False, "consoleSize": {"height": 1, "width": 1}, "cwd": "/", "env": ["A=1"], "args": ["true"],
                 "user": {"uid": 0, "gid": 0, "umask": 18, "additionalGids": [1]}, "noNewPrivileges": True, "oomScoreAdj": 100,
                 "rlimits": [{"type": "RLIMIT_CORE", "hard": 1, "soft": 0}]}},
    {"process": {"capabilities": {kind: ["CAP_CHOWN"] for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")}}},
    {"process": {"scheduler": {"policy": "SCHED_OTHER", "nice": 1, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}}},
    {"process": {"scheduler": {"policy": "SCHED_FIFO", "priority": 1}}},
    {"process": {"scheduler": {"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 20000000, "period": 30000000}}},
    {"process": {"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4}, "execCPUAffinity": {"initial": "0", "final": "0"}}},
    {"process": {"apparmorProfile": "x"}}, {"process": {"selinuxLabel": "x"}},
    {"mounts": [{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]}]},
    {"mounts": [{"destination": "/mnt", "type": "bind", "source": "/tmp", "options": ["bind"], "uidMappings": MAP, "gidMappings": MAP}]},
    {"hooks": {"createContainer": HOOK, "prestart": [], "createRuntime": [], "startContainer": [], "poststart": [], "poststop": []}},
    {"linux": {"maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"], "rootfsPropagation": "rprivate", "sysctl": {"net.ipv4.ip_forward": "1"},
               "personality": {"domain": "LINUX", "flags": []}}},
    {"linux": {"mountLabel": "x"}},
    {"linux": {"namespaces": [{"type": "mount"}, {"type": "network", "path": "/proc/self/ns/net"}]}, "hostname": None},
    {"linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network", "user")], "uidMappings": MAP, "gidMappings": MAP}},
    {"linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network", "time")],
               "timeOffsets": {"monotonic": {"secs": 5, "nanosecs": 5}, "boottime": {"secs": 5, "nanosecs": 5}}}},
    {"linux": {"devices": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 0, "gid": 0}]}},
    {"linux": {"netDevices": {"eth9": {"name": "eth8"}}}},
    {"linux": {"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}}},
    {"linux": {"intelRdt": {"closID": "x", "schemata": ["L3:0=1"], "l3CacheSchema": "L3:0=1", "memBwSchema": "MB:0=10", "enableMonitoring": False}}},
    {"linux": {"resources": {"devices": [{"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"}]}}},
    {"linux": {"resources": {"memory": {"limit": 64 << 20, "reservation": 32 << 20, "swap": 128 << 20, "swappiness": 10, "disableOOMKiller": False,
                                        "useHierarchy": True, "checkBeforeUpdate": False}}}},
    {"linux": {"resources": {"memory": {"kernel": 64 << 20, "kernelTCP": 64 << 20}}}},
    {"linux": {"resources": {"cpu": {"shares": 100, "quota": 10000, "burst": 0, "period": 100000, "cpus": "0", "mems": "0", "idle": 0}}}},
    {"linux": {"resources": {"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 100000}}}},
    {"linux": {"resources": {"pids": {"limit": 100}, "network": {"classID": 1, "priorities": [{"name": "lo", "priority": 1}]}}}},
    {"linux": {"resources": {"blockIO": {"weight": 100, "leafWeight": 100, "weightDevice": [{"major": 7, "minor": 0, "weight": 100, "leafWeight": 100}],
                                         "throttleReadBpsDevice": RATE, "throttleWriteBpsDevice": RATE, "throttleReadIOPSDevice": RATE,
                                         "throttleWriteIOPSDevice": RATE}}}},
    {"linux": {"resources": {"hugepageLimits": [{"pageSize": "2MB", "limit": 0}], "unified": {"pids.max": "100"},
                             "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 100}}}}},
    {"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "flags": ["SECCOMP_FILTER_FLAG_LOG"], "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": [{"index": 0, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]}]}}},
    {"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "syscalls": []}}},
    {"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such/socket", "listenerMetadata": "x",
                           "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}}},
]

INTEGERS = [-1, 2**63, 2**64, -2**63 - 1, 1.5, "1", [], {}]
WRONG = {int: INTEGERS, str: [7, True, [], {}, 1.5], bool: [0, 1, "true", [], {}], list: [7, "x", True, {}], dict: [7, "x", True, []]}

# Values that some property takes: (path, values).
LEGAL = [
    (r"linux\.resources\.memory\.(limit|swap|reservation|kernel|kernelTCP)", [-1]), (r"linux\.resources\.pids\.limit", [-1]),
    (r"linux\.resources\.cpu\.(quota|realtimeRuntime)", [-1]), (r"linux\.resources\.cpu\.shares", [2**63]), # the kernel takes its highest for more
    (r"process\.scheduler\.(runtime|deadline|period)", [2**63]), # the kernel refuses: it names the scheduler alone
    (r"process\.(oomScoreAdj|scheduler\.nice)", [-1]), (r"linux\.timeOffsets\.\w+\.secs", [-1]),
    (r"linux\.resources\.(devices\[0\]|blockIO.*)\.(major|minor)", [-1]), (r"process\.rlimits\[0\]\.(hard|soft)", [2**63]),
    (r"linux\.seccomp\.syscalls\[0\]\.args\[0\]\.value(Two)?", [2**63]), (r"linux\.resources\.blockIO\.throttle.*\.rate", [2**63]),
    (r"linux\.resources\.hugepageLimits\[0\]\.limit", [2**63]),
]


def walk(value, path=()):
    """Every property below: its path, as keys, and the value that is right."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if item is not None:
            yield path + (key,), item
        if isinstance(item, (dict, list)):
            yield from walk(item, path + (key,))


def spell(keys):
    return "".join("[%d]" % key if isinstance(key, int) else ("." if at else "") + key for at, key in enumerate(keys))


def merge(into, fragment):
    for key, value in fragment.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        elif key == "mounts":
            into[key] = into[key] + value
        else:
            into[key] = copy.deepcopy(value)
    return into


def replaced(config, keys, value):
    config = at = json.loads(json.dumps(config)) # what the table shares is a copy each
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = value
    return config


def is_named(text, keys):
    """By its whole path; or the object that it is in, and its name; or, of a value of an array or a map, that array or map."""
    text = re.sub(r'\["([^"\]]+)"\]', r".\1", text) # linux.timeOffsets["monotonic"].secs
    return spell(keys) in text or (spell(keys[:-1]) in text and (isinstance(keys[-1], int) or str(keys[-1]) in text))


class Judge:
    def __init__(self, bundle, root):
        self.bundle, self.root, self.count, self.bad = bundle, root, 0, 0
        self.call = ["cloche-runtime", "--root", root]

    def say(self, what, text):
        self.bad += 1
        print("%s: %s" % (what, text[:300].rstrip()))

    def refuses(self, config, keys, value, is_legal):
        what = "%s = %s" % (spell(keys), json.dumps(value))
        self.count += 1
        with open(os.path.join(self.bundle, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        with open(os.path.join(self.root + ".out"), "w+b") as out:
            code = subprocess.run(self.call + ["create", "--bundle", self.bundle, "bad"], stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False).returncode
            out.seek(0)
            text = out.read().decode("utf-8", "replace")
        if code == 0:
            subprocess.run(self.call + ["delete", "--force", "bad"], check=False)
            if not is_legal:
                self.say(what, "accepted")
        elif code != 1 or not 1 <= text.count("\n") <= 3:
            self.say(what, "exit status %d: %s" % (code, text))
        elif not is_named(text, keys) and not is_legal:
            self.say(what, "does not name it: " + text)
        if os.path.isdir(self.root) and os.listdir(self.root):
            self.say(what, "left in the state directory: %s" % os.listdir(self.root))
            subprocess.run(self.call + ["delete", "--force", "bad"], check=False)


def main():
    bundle, root, cgroup = sys.argv[1:]
    judge = Judge(bundle, root)
    with open(os.path.join(bundle, "config.json"), encoding="utf-8") as file:
        base = json.load(file)
    base["linux"]["cgroupsPath"] = cgroup
    base["linux"].pop("resources", None)
    for fragment in FRAGMENTS:
        config = merge(copy.deepcopy(base), fragment)
        first_mount = len(base["mounts"])
        for keys, right in walk(fragment):
            if keys[0] == "mounts" and len(keys) > 1:
                keys = ("mounts", keys[1] + first_mount) + keys[2:]
            if os.uname().machine != "x86_64" and right == "SCMP_ARCH_X86_64":
                continue
            for value in WRONG[type(right)] + [None]: # null: as if it were not there, where it need not be
                legal = value is None or any(re.fullmatch(pattern, spell(keys)) and value in values and not isinstance(value, bool) for pattern, values in LEGAL)
                judge.refuses(replaced(config, keys, value), keys, value, legal)
    print("%d cases" % judge.count)
    return 1 if judge.bad else 0


if __name__ == "__main__":
    sys.exit(main())
