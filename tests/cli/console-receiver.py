#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The other end of --console-socket: takes one terminal over a unix socket, prints what comes out of it until its end.

usage: console-receiver.py SOCKET [TEXT]     TEXT is typed into the terminal first

Creates SOCKET and prints "listening" on standard error once it may be connected to. Gives up after 60 s.
"""

import array
import os
import signal
import socket
import sys

signal.alarm(60)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
print("listening", file=sys.stderr, flush=True)
connection = listener.accept()[0]
_, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(16))
terminal = array.array("i", ancillary[0][2][:4])[0]
if len(sys.argv) > 2:
    os.write(terminal, sys.argv[2].encode())
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:  # EIO: nobody has the other side open any more
        break
    if not data:
        break
    os.write(1, data)
