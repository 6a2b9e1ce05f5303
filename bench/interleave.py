# SPDX-License-Identifier: Apache-2.0
"""
Timing of commands against one another on a machine that does other things, too.

Contenders run round by round, one after the other, so that whatever disturbs a round disturbs all of them; what is compared is the median of the
ratios within each round ("ratio"). Beside it stand the ratio of the best of either ("least") and that of the CPU time ("CPU"), which others on the
machine disturb less. A command is started by posix_spawn and awaited by wait4: no shell, no pipe, no thread in between.

A contender may have a place of its own (a mount namespace that it needs): then a child process that lives there starts and times it.
"""
import ctypes
import json
import os
import statistics
import subprocess
import time

CLONE_NEWNS = 0x00020000
MS_REC_PRIVATE = 0x4000 | 0x40000


def time_command(arguments, environment):
    """Milliseconds of wall time and of CPU (of the process and what it reaped), and the wait status."""
    null = os.open('/dev/null', os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
    began = time.perf_counter_ns()
    pid = os.posix_spawn(arguments[0], arguments, environment, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter_ns() - began
    os.close(null)
    return wall / 1e6, (usage.ru_utime + usage.ru_stime) * 1e3, status


class Place:
    """A private mount namespace in which `prepare` (commands) was run, with a process that times commands there."""

    def __init__(self, prepare):
        request, self.request = os.pipe()
        self.answer, answer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.request)
            self._serve(prepare, os.fdopen(request), os.fdopen(answer, 'w'))
        os.close(request)
        os.close(answer)
        self.requests, self.answers = os.fdopen(self.request, 'w'), os.fdopen(self.answer)
        if self.answers.readline() != 'ready\n':
            raise OSError('no mount namespace for a peer: needs root')

    @staticmethod
    def _serve(prepare, requests, answers):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) == 0 and libc.mount(b'none', b'/', None, ctypes.c_ulong(MS_REC_PRIVATE), None) == 0:
            for command in prepare:
                subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            print('ready', file=answers, flush=True)
            for line in requests:
                print(json.dumps(time_command(*json.loads(line))), file=answers, flush=True)
        os._exit(0)

    def time(self, arguments, environment):
        print(json.dumps([arguments, environment]), file=self.requests, flush=True)
        return json.loads(self.answers.readline())

    def close(self):
        self.requests.close()
        self.answers.close()
        os.waitpid(self.pid, 0)


class Contender:
    def __init__(self, name, arguments, environment=None, place=None, before=None, after=None):
        """before and after: called around each run, outside the measured time."""
        self.name, self.arguments, self.place = name, arguments, place
        self.environment = dict(os.environ if environment is None else environment)
        self.before, self.after = before or (lambda: None), after or (lambda: None)
        self.wall, self.cpu, self.failed = [], [], 0

    def run(self):
        self.before()
        take = self.place.time if self.place else time_command
        wall, cpu, status = take(self.arguments, self.environment)
        self.after()
        return wall, cpu, status

    def ratio_to(self, base):
        """Median of the ratios of each round."""
        return statistics.median(own / other for own, other in zip(self.wall, base.wall))

    def more_than(self, base):
        return statistics.median(own - other for own, other in zip(self.wall, base.wall))

    def least_ratio_to(self, base):
        """Of the best of either: what is left when nobody disturbed."""
        return min(self.wall) / min(base.wall)

    def cpu_ratio_to(self, base):
        """Of the CPU time, which others on the machine lengthen least; what a contender waits for is not in it."""
        return statistics.median(self.cpu) / statistics.median(base.cpu)

    def more_cpu_than(self, base):
        return statistics.median(self.cpu) - statistics.median(base.cpu)


def interleave(contenders, rounds, warm_up=3, pause=0.0):
    for number in range(rounds + warm_up):
        # Who comes first changes, so that nobody always follows the same one.
        shift = number % len(contenders)
        for contender in contenders[shift:] + contenders[:shift]:
            time.sleep(pause)
            wall, cpu, status = contender.run()
            if number >= warm_up:
                contender.wall.append(wall)
                contender.cpu.append(cpu)
                contender.failed += status != 0
    return contenders


def table(title, contenders):
    base = contenders[0]
    width = max(len(contender.name) for contender in contenders)
    print(f'\n{title} ({len(base.wall)} rounds)')
    print(f'  {"":{width}}  min ms  median  max ms  CPU ms  failed   ratio   least     CPU')
    for one in contenders:
        print(f'  {one.name:{width}}  {min(one.wall):6.2f}  {statistics.median(one.wall):6.2f}  {max(one.wall):6.2f}  '
              f'{statistics.median(one.cpu):6.2f}  {one.failed:6d}  {one.ratio_to(base):6.2f}  {one.least_ratio_to(base):6.2f}  {one.cpu_ratio_to(base):6.2f}')


