# SPDX-License-Identifier: Apache-2.0
"""
The part of ./dev bench about the lens: how long it takes to look at 200, 2,000 and 20,000 processes, beside util-linux's lsns.
"""
import glob
import os
import shutil
import statistics
import subprocess
import time

from interleave import Contender, interleave, table


class Crowd:
    """So many sleeping processes in so many containers of sorts (bench/crowd.c)."""

    def __init__(self, world, groups, each):
        subprocess.run(['ninja', '-C', world.build, '--quiet', 'bench/crowd'], check=True)
        self.process = subprocess.Popen([world.build + '/bench/crowd', str(groups), str(each)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        if self.process.stdout.readline() != 'ready\n':
            raise OSError(f'no crowd of {groups} times {each} processes here')

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:  # the kernel ends them one by one
            if not any(self.is_ours(exe) for exe in glob.glob('/proc/[0-9]*/exe')):
                return
            time.sleep(0.1)

    def is_ours(self, exe):
        try:
            return os.readlink(exe) == self.process.args[0]
        except OSError:
            return False


def snapshot(world, rounds, verdict):
    lsns = shutil.which('lsns')
    used = {}
    for groups, each in ((20, 10), (200, 10), (200, 100)):
        count = groups * each
        crowd = Crowd(world, groups, each)
        try:
            contenders = [world.contender('cloche lsns', 'lsns'), world.contender('cloche lsns -t pid', 'lsns', '-t', 'pid'),
                          world.contender('cloche ns tree', 'ns', 'tree'), world.contender('cloche view PID', 'view', str(crowd.process.pid))]
            if lsns and count <= 2000:  # beyond, it takes half a minute: it compares each process with each
                contenders.append(Contender('lsns (util-linux)', [lsns]))
            interleave(contenders, max(rounds // (8 if count > 2000 else 2), 3))
            table(f'{count} processes in {groups} containers', contenders)
            used[count] = statistics.median(contenders[0].cpu)
            if lsns and count == 2000:
                verdict('lsns against util-linux, 2,000 processes', 1 / contenders[0].ratio_to(contenders[-1]), 5, 'times', at_least=True)
        finally:
            crowd.close()
    # By CPU: the machine's other work is no part of the question.
    verdict('CPU of lsns with 20,000 processes against 2,000', used[20000] / used[2000], 12, 'times')


PARTS = {'lens': snapshot}
