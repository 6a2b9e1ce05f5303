#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A seccomp agent (runtime-spec config-linux.md, listenerPath) for tests.

seccomp-agent.py SOCKET DIR [SYSCALL=ERRNO...]: listens at SOCKET; each container process state that comes is written to DIR/state-N, the names of its
descriptors' files to DIR/fds-N. Then it answers notifications: a system call with a number that is named fails with that errno, any other one goes on. As long as
there is a FIFO DIR/hold, each answer waits until somebody has opened that for writing.
"""
import array, fcntl, json, os, select, socket, struct, sys

RECV, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, _SEND
CONTINUE = 1

path, directory = sys.argv[1:3]
verdicts = dict(map(int, word.split("=")) for word in sys.argv[3:])


def receive(connection):
    size = array.array("i").itemsize
    text, fds = b"", array.array("i")
    while True:
        part, controls, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4 * size))
        for level, kind, data in controls:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data[: len(data) - len(data) % size])
        if not part:
            break
        text += part
    return text, list(fds)


def answer(listener):
    request = bytearray(80)
    try:
        fcntl.ioctl(listener, RECV, request)
    except OSError:
        return
    number = struct.unpack_from("=QIIi", request)
    error = verdicts.get(number[3])
    with open(os.path.join(directory, "calls"), "a") as log:
        log.write("%d\n" % number[3])
    hold = os.path.join(directory, "hold")
    if os.path.exists(hold):
        with open(hold) as fifo:
            fifo.read()
    reply = struct.pack("=QqiI", number[0], 0, -(error or 0), 0 if error else CONTINUE)
    try:
        fcntl.ioctl(listener, SEND, reply)
    except OSError:
        pass  # it has ended


server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen(8)
poll = select.poll()
poll.register(server, select.POLLIN)
connections, listeners, count = {}, set(), 0
print("listening", file=sys.stderr, flush=True)
while True:
    for fd, event in poll.poll():
        if fd == server.fileno():
            connection = server.accept()[0]
            connections[connection.fileno()] = connection
            poll.register(connection, select.POLLIN)
        elif fd in connections:
            text, fds = receive(connections[fd])
            poll.unregister(fd)
            connections.pop(fd).close()
            with open(os.path.join(directory, "fds-%d" % count), "w") as file:
                file.write("".join(os.readlink("/proc/self/fd/%d" % one) + "\n" for one in fds))
            with open(os.path.join(directory, "state-%d" % count), "wb") as file:
                file.write(text)
            count += 1
            for one in fds:
                listeners.add(one)
                poll.register(one, select.POLLIN)
        elif event & select.POLLIN:
            answer(fd)
        else:
            poll.unregister(fd)
            os.close(fd)
