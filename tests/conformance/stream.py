#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The client's end of the stream by which Kubernetes executes a program in a container, as kubectl exec has it.

usage: stream.py [-i] [-t] URL      of a kubelet, or what the CRI's Exec answered; -i: with input, -t: with a terminal

A WebSocket, each message of which begins with the number of a channel. The exit status is the program's; 1, with a line on standard error, where there
is no such stream. Certificates are not checked: those of a test have nobody who signs them.
"""

import base64
import fcntl
import json
import os
import select
import socket
import ssl
import struct
import sys
import termios
import tty
import urllib.parse

STDIN, STDOUT, STDERR, RESULT, RESIZE = range(5)
BINARY, CLOSE = 2, 8


def fail(text):
    print("stream: %s" % text, file=sys.stderr)
    sys.exit(1)


class Stream:
    """Reads no byte more than a message has, so that select sees all that is left."""

    def __init__(self, url):
        parts = urllib.parse.urlparse(url)
        self.socket = socket.create_connection((parts.hostname, parts.port))
        if parts.scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket, server_hostname=parts.hostname)
        self.socket.sendall((
            "GET %s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"
            % (parts.path + ("?" + parts.query if parts.query else ""), parts.netloc, parts.netloc, base64.b64encode(os.urandom(16)).decode())).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.read(1) or fail("%s: %r" % (url, answer))
        if b" 101 " not in answer.splitlines()[0]:
            fail("%s: %r" % (url, answer))

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                return b""
            data += part
        return data

    def is_ahead(self):
        """Whether more was read than was asked for: TLS decrypts whole records, which select knows nothing of."""
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0

    def send(self, channel, data):
        data = bytes([channel]) + data
        length = struct.pack(">B", 0x80 | len(data)) if len(data) < 126 else struct.pack(">BH", 0x80 | 126, len(data))
        self.socket.sendall(bytes([0x80 | BINARY]) + length + bytes(4) + data)  # masked with zeros

    def receive(self):
        """(channel, data), or None at the end."""
        head = self.read(2)
        if not head or head[0] & 0x0F == CLOSE:
            return None
        length = head[1] & 0x7F
        if length >= 126:
            length = int.from_bytes(self.read(2 if length == 126 else 8), "big")
        data = self.read(length)
        return (data[0], data[1:]) if data else (STDOUT, b"")


def exec_status(text):
    answer = json.loads(text)
    if answer.get("status") == "Success":
        return 0
    for cause in answer.get("details", {}).get("causes", []):
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    fail(answer.get("message", text))


def exec_loop(stream, with_input):
    status = 1
    sources = [stream.socket] + ([0] if with_input else [])
    while True:
        ready = [stream.socket] if stream.is_ahead() else select.select(sources, [], [])[0]
        if 0 in ready:
            data = os.read(0, 4096)
            if data:
                stream.send(STDIN, data)
            else:
                sources.remove(0)
        if stream.socket not in ready:
            continue
        message = stream.receive()
        if message is None:
            return status
        channel, data = message
        if channel == RESULT and data:
            status = exec_status(data)
        elif data:
            os.write(2 if channel == STDERR else 1, data)


def run(url, flags):
    with_input, with_tty = "-i" in flags, "-t" in flags
    stream = Stream(url)
    if not (with_tty and os.isatty(0)):
        return exec_loop(stream, with_input)
    before = termios.tcgetattr(0)
    rows, columns = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))[:2]
    stream.send(RESIZE, json.dumps({"Width": columns, "Height": rows}).encode())
    tty.setraw(0)
    try:
        return exec_loop(stream, with_input)
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(run(sys.argv[-1], sys.argv[1:-1]))
