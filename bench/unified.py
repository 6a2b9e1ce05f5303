# SPDX-License-Identifier: Apache-2.0
"""
./dev bench --cgroup v2: a host that has nothing but control groups v2, for everything that is measured, on a machine that has more than that.

A private mount namespace, in which the machine's v2 hierarchy lies where it lies on a pure v2 host, and a control group namespace in a group of our
own, whose inside looks like the hierarchy's root: so whatever is made or let down to children stays below that group, which is gone afterwards. Only
the controllers that the machine has not given to v1 are there. On a host that is pure already nothing is changed.

Older peers raise the limit of locked memory before they load a device filter, which the kernel has not needed since Linux 5.11, and which a machine may
not allow. Where it does not, a filter in front of all contenders says that it was done: it costs each the same for a call.
"""
import ctypes
import os
import platform
import struct

TOP = '/sys/fs/cgroup'
CLONE_NEWNS, CLONE_NEWCGROUP = 0x00020000, 0x02000000
MS_REC_PRIVATE = 0x4000 | 0x40000
MNT_DETACH = 2
CAP_SYS_RESOURCE = 24
RLIMIT_MEMLOCK = 8
PRLIMIT64 = {'x86_64': (0xc000003e, 302), 'aarch64': (0xc00000b7, 261)}  # what audit calls the machine, and the call's number there
libc = ctypes.CDLL(None, use_errno=True)


def must(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f'{what}: {os.strerror(ctypes.get_errno())}')


def mounts():
    with open('/proc/self/mounts') as file:
        return [line.split()[1:3] for line in file]


def write(place, name, text):
    file = os.open(name, os.O_WRONLY, dir_fd=place)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def own_path():
    with open('/proc/self/cgroup') as file:
        return next(line[len('0::/'):].strip() for line in file if line.startswith('0::')) or '.'


class Unified:
    """All that this process starts from now on is on a pure v2 host; close() ends that for the groups' part."""

    def __init__(self):
        self.own = None
        if [TOP, 'cgroup2'] in mounts():
            return
        must(libc.unshare(CLONE_NEWNS), 'unshare')
        must(libc.mount(b'none', b'/', None, ctypes.c_ulong(MS_REC_PRIVATE), None), 'mount')
        must(libc.umount2(TOP.encode(), MNT_DETACH), f'umount {TOP}')
        self._mount()
        self.root = os.open(TOP, os.O_RDONLY | os.O_DIRECTORY)
        self.own = os.open(own_path(), os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.root)
        self.name = f'cloche-bench-v2-{os.getpid()}'
        # We are below what is to be the root, which could not let controllers down otherwise.
        os.mkdir(self.name, dir_fd=self.root)
        self.group = os.open(self.name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.root)
        write(self.group, 'cgroup.procs', '0')
        must(libc.unshare(CLONE_NEWCGROUP), 'unshare')
        os.mkdir('bench', dir_fd=self.group)
        write(self.group, 'bench/cgroup.procs', '0')
        must(libc.umount2(TOP.encode(), MNT_DETACH), f'umount {TOP}')
        self._mount()
        allow_locked_memory()

    @staticmethod
    def _mount():
        must(libc.mount(b'none', TOP.encode(), b'cgroup2', ctypes.c_ulong(0), None), f'mount cgroup2 on {TOP}')

    def close(self):
        if self.own is None:
            return
        write(self.own, 'cgroup.procs', '0')
        for place, _, _, _ in os.fwalk(self.name, topdown=False, dir_fd=self.root):
            os.rmdir(place, dir_fd=self.root)


def may_raise_limits():
    with open('/proc/self/status') as file:
        mask = next(int(line.split()[1], 16) for line in file if line.startswith('CapEff:'))
    return mask >> CAP_SYS_RESOURCE & 1 == 1


def allow_locked_memory():
    if may_raise_limits() or platform.machine() not in PRLIMIT64:
        return
    load, equal, give = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, JMP|JEQ|K, RET|K
    allow, nothing = 0x7fff0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO with no error
    machine, number = PRLIMIT64[platform.machine()]
    program = [(load, 0, 0, 4), (equal, 0, 7, machine), (load, 0, 0, 0), (equal, 0, 5, number),
               (load, 0, 0, 24), (equal, 0, 3, RLIMIT_MEMLOCK),  # the second argument, and that the third is no NULL
               (load, 0, 0, 32), (equal, 1, 0, 0), (give, 0, 0, nothing), (give, 0, 0, allow)]
    code = ctypes.create_string_buffer(b''.join(struct.pack('=HBBI', *one) for one in program))
    filter_ = ctypes.create_string_buffer(struct.pack('@HP', len(program), ctypes.addressof(code)))
    must(libc.prctl(22, 2, ctypes.c_ulong(ctypes.addressof(filter_)), 0, 0), 'prctl(PR_SET_SECCOMP)')
