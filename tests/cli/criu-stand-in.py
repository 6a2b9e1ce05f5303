#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A criu that is played: `criu swrk 3` for the tests of checkpoint and restore (runtime-checkpoint.bats).

usage: criu-stand-in.py swrk FD

Speaks CRIU's protocol (images/rpc.proto) on FD. Where $STAND_IN is a directory, each request is written there as JSON (dump.json, pre-dump.json, restore.json: members
by their numbers, texts as lists), restore's mount table and groups as they are seen from here (mounts, group), and a file `pid` with the number of this process.

A dump kills the process it was told of, unless it is to be left running, and leaves inventory.img. A restore makes a process that sleeps, a child of its parent's as
CRIU's are, in a network namespace of its own, and asks as CRIU does. In $STAND_IN these files change that:
  version     "3.14.0"                        fail       its text is an error of the log, and the request fails
  silent      the request is never answered   late       restore fails after post-restore
  terminal    restore hands a terminal over   features   "no": nothing is supported
"""

import array
import ctypes
import fcntl
import json
import os
import signal
import socket
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_PARENT, CLONE_NEWNET = 0x8000, 0x40000000
SYS_CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
TYPES = {1: "dump", 2: "restore", 4: "pre-dump", 6: "notify", 9: "features", 10: "version"}
NESTED = {11, 25, 27, 39}  # of criu_opts
PLACE = os.environ.get("STAND_IN", "")


def put_varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def put(field, value):
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return put_varint(field << 3 | 2) + put_varint(len(value)) + value
    return put_varint(field << 3) + put_varint(int(value))


def take_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def members(data):
    at = 0
    while at < len(data):
        key, at = take_varint(data, at)
        if key & 7 == 0:
            value, at = take_varint(data, at)
        elif key & 7 == 2:
            size, at = take_varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"wire type {key & 7}")
        yield key >> 3, value


def decode(data, nested=frozenset()):
    """Numbers as numbers, texts as lists of texts, nested messages as lists of objects."""
    result = {}
    for field, value in members(data):
        if isinstance(value, int):
            result[str(field)] = value
        else:
            result.setdefault(str(field), []).append(decode(value) if field in nested else value.decode())
    return result


def read(name):
    try:
        with open(os.path.join(PLACE, name), encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return None


def write(name, text):
    if PLACE:
        with open(os.path.join(PLACE, name), "w", encoding="utf-8") as file:
            file.write(text)


class Talk:
    def __init__(self, fd):
        self.socket = socket.socket(fileno=fd)

    def receive(self):
        data = self.socket.recv(1 << 20)
        if not data:
            sys.exit(1)
        return dict(members(data))

    def answer(self, kind, success, rest=b""):
        self.socket.send(put(1, kind) + put(2, success) + rest)

    def notify(self, script, pid=None, fd=None):
        notice = put(1, script) + (put(2, pid) if pid is not None else b"")
        fds = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.socket.sendmsg([put(1, 6) + put(2, 1) + put(5, notice)], fds)
        reply = self.receive()
        return reply.get(1) == 6 and reply.get(3) == 1


def log(options, lines):
    """Through links, as criu does; and its statistics."""
    directory = f"/proc/self/fd/{options.get('17', options['1'])}"
    with open(os.path.join(directory, "stats-" + options["10"][0].split(".")[0]), "w", encoding="utf-8") as file:
        file.write("played\n")
    with open(os.path.join(directory, options["10"][0]), "w", encoding="utf-8") as file:
        file.write("(00.000001) Version: 4.1.1\n" + "".join(f"(00.000002) Error (criu/played.c:1): {line}\n" for line in lines))


def dump(talk, kind, options):
    images = f"/proc/self/fd/{options['1']}"
    pid = options["2"]
    os.kill(pid, 0)
    failure = read("fail")
    ok = talk.notify("pre-dump") and talk.notify("network-lock")
    if options.get("48"):
        ok = ok and talk.notify("status-ready")
    if failure is not None or not ok:
        log(options, ["something came first", failure or "refused", "Dumping FAILED."])
        talk.answer(kind, False, put(7, 22))
        return 1
    log(options, [])
    with open(os.path.join(images, "inventory.img"), "w", encoding="utf-8") as file:
        file.write("played\n")
    talk.notify("post-dump")
    if kind == 1 and not options.get("3"):
        os.kill(pid, signal.SIGKILL)
    talk.answer(kind, True)
    return 0


def clone():
    """A process beside this one that waits for a byte, then sleeps: its pid, and where the byte goes."""
    wait, go = os.pipe()
    pid = LIBC.syscall(SYS_CLONE, CLONE_PARENT | CLONE_NEWNET | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os.close(go)
        if os.read(wait, 1) == b"":
            os._exit(1)
        os.closerange(3, 64)
        os.execv("/bin/sleep", ["sleep", "1000"])
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone")
    os.close(wait)
    return pid, go


def restore(talk, kind, options):
    images = f"/proc/self/fd/{options['1']}"
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        write("mounts", file.read())
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        write("group", file.read())
    write("entries", "\n".join(sorted(os.listdir(options["13"][0]))) + "\n")
    streams = [os.readlink(f"/proc/self/fd/{fd}") for fd in range(3)]
    write("streams", "\n".join(streams) + "\n")
    for inherited in options.get("27", []):
        os.fstat(inherited["2"])
    os.stat(os.path.join(images, "inventory.img"))
    pid, go = clone()
    failure = read("fail")
    ok = talk.notify("pre-restore") and talk.notify("setup-namespaces", pid)
    if ok and read("terminal") is not None:
        ok = talk.notify("orphan-pts-master", fd=os.openpty()[0])
    ok = ok and failure is None and talk.notify("post-restore", pid)
    if not ok or read("late") is not None:
        os.kill(pid, signal.SIGKILL)
        log(options, [failure or "refused", "Restoring FAILED."])
        talk.answer(kind, False, put(7, 22) + put(9, failure or "refused"))
        return 1
    os.write(go, b"x")
    log(options, [])
    talk.answer(kind, True, put(4, put(1, pid)))
    return 0


def main():
    if sys.argv[1] != "swrk":
        sys.exit(f"usage: {sys.argv[0]} swrk FD")
    write("pid", f"{os.getpid()}\n")
    talk = Talk(int(sys.argv[2]))
    for fd in range(64):
        if fd > 3:
            try:
                fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
            except OSError:
                pass
    while True:
        request = talk.receive()
        kind = request[1]
        if kind == 10:
            numbers = [int(word) for word in (read("version") or "4.1.1").split(".")]
            talk.answer(kind, True, put(10, put(1, numbers[0]) + put(2, numbers[1]) + put(4, numbers[2])))
        elif kind == 9:
            has = read("features") != "no"
            talk.answer(kind, True, put(8, put(1, has) + put(2, has)))
        else:
            break
    options = decode(request[2], NESTED)
    write(f"{TYPES[kind]}.json", json.dumps(options))
    if read("silent") is not None:
        sys.exit(1)
    sys.exit(restore(talk, kind, options) if kind == 2 else dump(talk, kind, options))


main()
