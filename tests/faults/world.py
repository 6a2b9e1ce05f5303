# SPDX-License-Identifier: Apache-2.0
"""
What a world (tests/cli/helper.bash) holds, read fast enough to be looked at after every single fault: processes, control groups, mounts,
directories, and what `cloche ps -a` says; and whether these agree.

The rule that all fault tests rest on: once nothing of ours is at work any more except the monitors of running containers, ONE further
command repairs whatever was left half done. While something is still at work (a parent that outlived its killed command), it is waited for.
"""
import glob
import os
import re
import subprocess
import time

PATIENCE_S = 60


class Broken(Exception):
    """The world is not as it has to be; the text says what and since when."""


class World:
    def __init__(self):
        self.path = os.environ['WORLD']
        self.build = os.environ['CLOCHE_BUILD']
        self.root = os.environ['CLOCHE_ROOT']
        self.state = os.environ['CLOCHE_STATE']
        self.parent = os.environ['CLOCHE_CGROUP_PARENT']
        self.log = os.path.join(self.path, 'killed')
        self.cloche = os.path.join(self.build, 'cloche')
        self.marker = b'CLOCHE_ROOT=' + os.fsencode(self.root)

    # --- running commands -----------------------------------------------------------------------------------------------

    def run(self, *arguments, **faults):
        """Exit status (negative: a signal) and standard error of one command; faults are CLOCHE_TEST_… variables without that prefix."""
        environment = dict(os.environ, CLOCHE_TEST_KILL_LOG=self.log)
        environment.update({'CLOCHE_TEST_' + name: value for name, value in faults.items()})
        # Through files: a pipe would stay open in whatever the command leaves behind.
        with open(self.path + '/out', 'w+') as out, open(self.path + '/err', 'w+') as err:
            process = subprocess.Popen([self.cloche, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            try:
                code = process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                stuck = open(f'/proc/{process.pid}/wchan').read()
                process.kill()
                process.wait()
                raise Broken(f'cloche {" ".join(arguments)} hangs (in {stuck})') from None
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read()

    def must(self, *arguments, **faults):
        code, out, err = self.run(*arguments, **faults)
        if code != 0:
            raise Broken(f'cloche {" ".join(arguments)}: exit status {code}: {err.strip()}')
        return out

    def rows(self):
        """What ps -a lists: id → (state, name, status)."""
        text = self.must('ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.State}} {{.Names}} {{.Status}}')
        rows = (line.split(' ', 3) for line in text.splitlines())
        return {row[0]: tuple(row[1:]) for row in rows}

    def clear_log(self):
        with open(self.log, 'w'):
            pass

    def killed(self):
        """The points at which processes died since clear_log."""
        with open(self.log) as log:
            return [line.strip() for line in log]

    # --- looking ---------------------------------------------------------------------------------------------------------

    def programs(self):
        """Our programs at work for this world: pid → name of the program."""
        found = {}
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                exe = os.readlink(f'/proc/{pid}/exe')
                if not exe.startswith(self.build + '/'):
                    continue
                with open(f'/proc/{pid}/environ', 'rb') as environ:
                    text = environ.read()
                if self.marker in text.split(b'\0'):
                    found[int(pid)] = os.path.basename(exe)
                elif not text and is_dying(pid):  # since we read which program it is
                    found[int(pid)] = 'ending'
            except OSError:
                if is_dying(pid):
                    found[int(pid)] = 'ending'
        return found

    def wait_until_dead(self):
        deadline = time.monotonic() + PATIENCE_S
        while self.programs():
            if time.monotonic() > deadline:
                raise Broken(f'still alive: {self.programs()}')
            time.sleep(0.002)

    def groups(self):
        """Control groups of containers: path → pids."""
        found = {}
        places = glob.glob(f'/sys/fs/cgroup/*/{self.parent}') + glob.glob(f'/sys/fs/cgroup/{self.parent}')
        for place in places:
            for directory, _, _ in os.walk(place):
                if directory == place:
                    continue
                try:
                    with open(directory + '/cgroup.procs') as procs:
                        found[directory] = procs.read().split()
                except OSError:
                    continue
        return found

    def mounts(self):
        with open('/proc/self/mountinfo') as table:
            return [line.strip() for line in table if self.path + '/' in line or line.split()[4] == self.path]

    def problems(self, rows, programs):
        """All that should not be there when these containers, and nothing else, exist."""
        found = []
        alive = running(rows)
        for directory in (self.root + '/containers', self.state):
            for name in os.listdir(directory) if os.path.isdir(directory) else []:
                if name not in rows and name != 'locks':
                    found.append(f'directory {directory}/{name} of no container')
        for name in os.listdir(self.root + '/stage'):
            found.append(f'stage {name}')
        for path, pids in self.groups().items():
            owner = next((part for part in path.split('/') if len(part) == 64), None)
            if owner not in alive:
                found.append(f'cgroup {path}, processes: {" ".join(pids) or "none"}')
        found += ['mount ' + line for line in self.mounts()]
        found += [f'process {pid}: {name}' for pid, name in programs.items() if name != 'cloche-monitor']
        monitors = [pid for pid, name in programs.items() if name == 'cloche-monitor']
        if len(monitors) != len(alive):
            found.append(f'monitors {monitors} for {len(alive)} running containers')
        for key, (state, name, status) in rows.items():
            if state == 'exited' and not re.match(r'Exited \(\d+\)', status) or state not in ('created', 'exited', 'running'):
                found.append(f'container {name} is {state}: {status}')
        return found

    # --- judging ---------------------------------------------------------------------------------------------------------

    def settled(self):
        """Run the next command; wait for what is still at work; then one command must have repaired everything. Returns its rows."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            before = self.programs()
            rows = self.rows()
            after = self.programs()
            found = self.problems(rows, after)
            if not found:
                return rows
            if before == after == self.programs() and is_quiet(after, rows):
                raise Broken('left after the next command:' + shown(found, rows))
            if time.monotonic() > deadline:
                raise Broken(f'still at work after {PATIENCE_S} s:' + shown(found, rows))
            time.sleep(0.005)

    def clear(self):
        """Remove every container; afterwards nothing may be left of any."""
        rows = self.settled()
        if rows:
            self.must('rm', '-f', *rows)
            rows = self.settled()
        if rows:
            raise Broken(f'rm -f left containers: {rows}')


def is_dying(pid):
    """On its way out a process has no program any more, yet for a moment still its locks. Whose it was can't be told: better to wait."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            text = stat.read()
    except OSError:
        return False
    name, state = text[text.index('(') + 1:text.rindex(')')], text[text.rindex(')') + 2]
    return name.startswith('cloche') and state not in 'ZX'


def shown(found, rows):
    lines = found[:6] + ([f'and {len(found) - 6} more'] if len(found) > 6 else [])
    lines += [f'container {key[:12]}: {" ".join(row)}' for key, row in rows.items()]
    return ''.join('\n  ' + line for line in lines)


def running(rows):
    return {key for key, row in rows.items() if row[0] in ('running', 'paused')}


def is_quiet(programs, rows):
    """Nothing is at work but the monitors of running containers."""
    return all(name == 'cloche-monitor' for name in programs.values()) and len(programs) == len(running(rows))
