#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Sweeps of the fault tests: one kind of fault, at its first chance, its second, and so on until a run is not touched by it any more. After each
fault the world must be as world.py demands, and empty once the containers are removed.

  sweep.py kill CASE ROLE     SIGKILL of each process of that role at each of its test points (cl_test_point in src/base/mem.h)
  sweep.py first ROLE         the same in the first run of all, which makes the catalog and loads the embedded image
  sweep.py alloc CASE         the Nth allocation fails, in each process
  sweep.py call CASE ERROR    the Nth system call through src/kernel fails with ERROR
  sweep.py storm              SIGKILL of the command, or of all our programs, at any moment of a start

One line on success; else what was left behind, by which fault, and exit status 1.
"""
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time

from world import Broken, World

IMAGE = 'cloche/busybox'
MOST_POINTS = 120
ANSWERLESS = 'cloche-transfer ended without an answer (signal 9)'
MOST_FAULTS = 3000
UNTOUCHED = 100  # so many runs in a row without a trace of the fault: there are no more chances
BATCH = 10  # so many faults between two looks at the world


class Case:
    """One verb: what is there before it, the command, and the containers afterwards when nothing was killed (name → state)."""

    def __init__(self, command, before=(), after=None, status=0, early=(), repeats=False):
        self.command, self.before, self.after, self.status = command, before, after, status
        self.repeats = repeats  # works again without anything in between
        self.early = early  # roles that are started by the commands before: those get the fault, too


SLEEPER = (('run', '-d', '--name', 'victim', IMAGE, 'sleep', '1000'),)
ENDED = (('run', '--name', 'victim', IMAGE, 'true'),)
CREATED = (('create', '--name', 'victim', IMAGE, 'sleep', '1000'),)
TAR = os.path.join(os.environ['WORLD'], 'small.tar')

CASES = {
    'run': Case(('run', IMAGE, 'true'), after=['exited']),
    'run-rm': Case(('run', '--rm', '--name', 'victim', IMAGE, 'true'), after=[], repeats=True),
    'run-d': Case(('run', '-d', '--name', 'victim', IMAGE, 'sleep', '1000'), after=['running']),
    'run-name': Case(('run', '--name', 'victim', IMAGE, 'sh', '-c', 'exit 3'), after=['exited'], status=3),
    'run-tty': Case(('run', '-t', '--name', 'victim', IMAGE, 'true'), after=['exited']),
    'create': Case(CREATED[0], after=['created']),
    'start': Case(('start', 'victim'), CREATED, ['running']),
    'restart': Case(('start', 'victim'), ENDED, ['exited']),
    'exec': Case(('exec', 'victim', 'true'), SLEEPER, ['running'], repeats=True),
    'stop': Case(('stop', '-t', '0', 'victim'), SLEEPER, ['exited'], early=('monitor',)),
    'kill': Case(('kill', 'victim'), SLEEPER, ['exited'], early=('monitor',)),
    'rm': Case(('rm', 'victim'), ENDED, []),
    'rm-created': Case(('rm', 'victim'), CREATED, []),
    'rm-f': Case(('rm', '-f', 'victim'), SLEEPER, [], early=('monitor',)),
    'rename': Case(('rename', 'victim', 'renamed'), SLEEPER, ['running']),
    'import': Case(('import', TAR, 'small:latest'), after=[]),
    'rmi': Case(('rmi', 'small:latest'), (('import', TAR, 'small:latest'),), []),
}
# Recovery itself is killed: what the first dead process left, the second was just repairing.
WRECKS = {
    'recover-monitor': ('cloche:engine.forked,monitor:ready', SLEEPER[0], ['exited']),
    'recover-start': ('cloche:engine.forked,parent:parent.created', SLEEPER[0], []),
    'recover-claim': ('cloche:engine.claimed', SLEEPER[0], []),
    'recover-restart': ('cloche:engine.forked,parent:parent.created', ('start', 'victim'), ['created']),
    'reap': ('cloche:engine.forked,monitor:reap', CASES['run-rm'].command, []),
}


class Sweep:
    def __init__(self):
        self.world = World()
        self.content = self.blobs_and_layers()

    def blobs_and_layers(self):
        places = ('blobs/sha256', 'layers')
        return {place: sorted(os.listdir(os.path.join(self.world.root, place))) for place in places}

    def judge(self):
        """After a fault: consistent; after removing everything: as at the beginning. Returns the states of the containers before that."""
        rows = self.world.settled()
        self.world.clear()
        if 'small' in self.world.must('images', '--format', '{{.Repository}}'):
            self.world.must('rmi', 'small:latest')
            self.world.rows()
        content = self.blobs_and_layers()
        if content != self.content:
            raise Broken(f'blobs and layers: {content}, but at the beginning: {self.content}')
        return sorted(row[0] for row in rows.values())

    def once(self, case, early=False, **faults):
        """The case with faults. Returns what judge says, the command's exit status and its messages."""
        for command in case.before:
            if early:
                self.world.run(*command, **faults)
            else:
                self.world.must(*command)
        code, _, text = self.world.run(*case.command, **faults)
        return self.judge(), code, text

    # --- kill ------------------------------------------------------------------------------------------------------------

    def kill(self, name, role):
        if name in WRECKS:
            return self.kill_recovery(name)
        case = CASES[name]
        points = []
        for number in range(1, MOST_POINTS):
            wish = f'{role}:{number}'
            self.world.clear_log()
            try:
                states, code, text = self.once(case, role in case.early, KILL=wish)
            except Broken as problem:
                raise Broken(f'{name}, {wish} ({", ".join(self.world.killed()) or "not noted"}): {problem}') from None
            killed = self.world.killed()
            if not killed and role == 'init' and (code != case.status or states != case.after):
                killed = ['init in the container']  # from its root it can't note anything, so what became of it tells
            if not killed and ANSWERLESS in text:
                killed = ['transfer in its sandbox']  # likewise
            if not killed:
                if code != case.status:
                    raise Broken(f'{name}, {wish}: exit status {code} without a kill: {text}')
                return self.survived(name, role, case, states, points)
            points += killed
        raise Broken(f'{name}: still killed at point {MOST_POINTS} of {role}: {points[-3:]}')

    def first(self, role):
        points = []
        for number in range(1, MOST_POINTS):
            for directory in (self.world.root, self.world.state):
                shutil.rmtree(directory)
            self.world.clear_log()
            code, _, text = self.world.run(*CASES['run-rm'].command, KILL=f'{role}:{number}')
            killed = self.world.killed() or (['transfer in its sandbox'] if ANSWERLESS in text else [])
            try:
                self.world.clear()
                self.world.must(*CASES['run-rm'].command)
                self.judge()
            except Broken as problem:
                raise Broken(f'first run, {role}:{number} ({", ".join(killed)}): {problem}') from None
            if not killed and code != 0:
                raise Broken(f'first run, {role}:{number}: exit status {code} without a kill: {text}')
            if not killed:
                return self.survived('first run', role, CASES['run-rm'], [], points)
            points += killed
        raise Broken(f'first run: still killed at point {MOST_POINTS} of {role}: {points[-3:]}')

    def survived(self, name, role, case, states, points):
        if not points:
            raise Broken(f'{name}: no process of role {role} passed a test point')
        if case.after is not None and states != case.after:
            raise Broken(f'{name}: unharmed, yet the containers are {states}, not {case.after}')
        return f'{name}: {role} killed at {len(points)} points'

    def kill_recovery(self, name):
        first, command, after = WRECKS[name]
        points = []
        for number in range(1, MOST_POINTS):
            if command[0] == 'start':
                self.world.must(*CREATED[0])
            self.world.run(*command, KILL=first)
            self.world.wait_until_dead()
            self.world.clear_log()
            repair = ('reap', 'victim') if name == 'reap' else ('ps', '-a')
            self.world.run(*repair, KILL=f'cloche:{number}')
            killed = self.world.killed()
            try:
                states = self.judge()
            except Broken as problem:
                raise Broken(f'{name}, cloche:{number} ({", ".join(killed)}): {problem}') from None
            if states != after:
                raise Broken(f'{name}, cloche:{number} ({", ".join(killed)}): the containers are {states}, not {after}')
            if not killed:
                return self.survived(name, 'cloche', Case(repair), states, points)
            points += killed
        raise Broken(f'{name}: still killed at point {MOST_POINTS}: {points[-3:]}')

    # --- failing allocations and calls ---------------------------------------------------------------------------------------

    def faults(self, name, fault, value):
        """`value` makes the variable's text from N."""
        case = CASES[name]
        size = BATCH
        untouched = failed = 0
        for first in range(1, MOST_FAULTS, size):
            texts = [value(number) for number in range(first, first + size)]
            try:
                traces = self.batch(case, fault, texts)
            except Broken as problem:
                raise Broken(f'{name}, {fault}: {self.culprit(case, fault, texts)}{problem}') from None
            failed += sum(traces)
            untouched = 0 if any(traces) else untouched + size
            if untouched >= UNTOUCHED:
                if failed == 0:
                    raise Broken(f'{name}: no {fault} up to {texts[-1]} did anything')
                return f'{name}: {fault} up to {texts[-1]}, {failed} of them seen'
        raise Broken(f'{name}: {fault} {MOST_FAULTS} still makes a difference')

    def batch(self, case, fault, texts):
        """The case with each of these faults, each on a container of its own, then one look at the world. Returns which left a trace."""
        traces = []
        for number, text in enumerate(texts):
            name = 'victim' if case.repeats else f'victim{number}'
            for command in case.before if number == 0 or not case.repeats else ():
                self.world.must(*renamed(command, name))
            code, _, said = self.world.run(*renamed(case.command, name), **{fault: text})
            try:
                self.check_failure(case, code, said)
            except Broken as problem:
                raise Broken(f'{text}: {problem}') from None
            traces.append(code != case.status or bool(said))
        self.judge()
        return traces

    def culprit(self, case, fault, texts):
        """Which of these faults it was, if it does it alone, too."""
        for text in texts:
            try:
                self.world.clear()
                self.batch(case, fault, [text])
            except Broken:
                return f'{text} of '
        return ''

    @staticmethod
    def check_failure(case, code, text):
        if code < 0:
            raise Broken(f'ended by {signal.Signals(-code).name}: {text}')
        lines = text.splitlines()
        if any(not line.startswith('cloche: ') for line in lines) or len(lines) > 1:
            raise Broken(f'exit status {code}, messages: {text}')
        if code != case.status and not lines:
            raise Broken(f'exit status {code} without a word')
        if 'ended before the container ran' in text:
            raise Broken(f'the parent process died: {text}')

    # --- any moment ------------------------------------------------------------------------------------------------------

    def storm(self):
        moments = 60
        for moment in range(moments):
            process = subprocess.Popen([self.world.cloche, *CASES['run-d'].command], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(moment * 0.0003)
            if moment % 2:
                process.kill()
            else:
                for pid in self.world.programs():
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
            process.wait()
            try:
                self.judge()
            except Broken as problem:
                who = 'the command' if moment % 2 else 'everything'
                raise Broken(f'{who} killed {moment * 0.3:.1f} ms after its start: {problem}') from None
        return f'killed at {moments} moments of a start'


def renamed(command, name):
    return [name if word == 'victim' else word for word in command]


def make_tar():
    note = os.path.join(os.environ['WORLD'], 'note')
    with open(note, 'w') as file:
        file.write('small\n')
    with tarfile.open(TAR, 'w') as tar:
        tar.add(note, 'etc/note')


def main(arguments):
    make_tar()
    sweep = Sweep()
    began = time.monotonic()
    try:
        match arguments:
            case ['kill', name, role]:
                said = sweep.kill(name, role)
            case ['first', role]:
                said = sweep.first(role)
            case ['alloc', name]:
                said = sweep.faults(name, 'FAIL_ALLOC', str)
            case ['call', name, error]:
                said = sweep.faults(name, 'FAIL_CALL', lambda number: f'{number}:{error}')
            case ['storm']:
                said = sweep.storm()
            case _:
                sys.exit(__doc__)
    except Broken as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f'{said}, {time.monotonic() - began:.1f} s')
    return 0


sys.exit(main(sys.argv[1:]))
