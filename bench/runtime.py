# SPDX-License-Identifier: Apache-2.0
"""
The parts of ./dev bench about cloche-runtime: the same bundle through ours, crun and runc, and the floor beside them.

All contenders live in one private mount namespace without the host's v2 hierarchy, since crun refuses a hybrid host: so all of them make the
same groups. A bundle's group is one of the world's own.
"""
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import time

from interleave import Contender, Place, interleave, table

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def tree(world):
    """A root file system that is nobody's layer: the image's, and the mount points."""
    path = world.path + '/tree'
    if not os.path.isdir(path):
        shutil.copytree(world.rootfs(), path, symlinks=True)
        for name in ('proc', 'dev', 'sys'):
            os.makedirs(f'{path}/{name}', exist_ok=True)
    return path


def installed(world, program):
    """A copy. A linker writes a program in small pieces, which the kernel keeps in small pages, and those are slower to map than what was written at once."""
    path = f'{world.path}/{os.path.basename(program)}'
    return path if os.path.exists(path) else shutil.copy(program, path)


class Bundle:
    """A root file system of the image's, and config.json as `cloche-runtime spec` writes it."""

    def __init__(self, world, name, change=lambda spec: None):
        self.path = f'{world.path}/bundle-{name}'
        os.mkdir(self.path)
        subprocess.run([world.runtime, 'spec', '--bundle', self.path], check=True)
        with open(self.path + '/config.json') as file:
            self.spec = json.load(file)
        self.spec['ociVersion'] = '1.0.2'  # Debian's peers know nothing newer, nor (runc 1.1) time namespaces
        self.spec['linux']['namespaces'] = [one for one in self.spec['linux']['namespaces'] if one['type'] != 'time']
        self.spec['process']['args'] = ['/bin/true']
        self.spec['root']['path'] = tree(world)
        self.spec['linux']['cgroupsPath'] = f'/{world.cgroup_parent}/{name}'
        change(self.spec)
        with open(self.path + '/config.json', 'w') as file:
            json.dump(self.spec, file)


class Peer:
    def __init__(self, world, name, program, place):
        self.name, self.program, self.place, self.environment = name, program, place, world.environment
        self.root = f'/dev/shm/{os.path.basename(world.path)}/{name}'  # a tmpfs, as /run is on a machine with systemd

    def contender(self, title, *arguments, **more):
        return Contender(f'{self.name} {title}', [self.program, '--root', self.root, *arguments], self.environment,
                         place=self.place, **more)

    def call(self, *arguments):
        return self.place.time([self.program, '--root', self.root, *arguments], self.environment)[2]


class Runtimes:
    def __init__(self, world):
        self.place = Place([['umount', '/sys/fs/cgroup/unified']])
        found = [('cloche-runtime', installed(world, world.runtime))]
        found += [(name, shutil.which(name)) for name in ('crun', 'runc') if shutil.which(name)]
        newer = os.environ.get('CLOCHE_BENCH_CRUN')  # a crun that was built by hand
        if newer:
            found.append(('crun (newer)', newer))
        self.peers = [Peer(world, name.split()[0] + ('-newer' if '(' in name else ''), program, self.place) for name, program in found]

    def close(self):
        self.place.close()
        for peer in self.peers:
            shutil.rmtree(peer.root, ignore_errors=True)
        if os.path.isdir(os.path.dirname(self.peers[0].root)):
            os.rmdir(os.path.dirname(self.peers[0].root))


def opened(part):
    """Part of the bench with the runtimes at hand."""
    def run(world, rounds, verdict):
        runtimes = Runtimes(world)
        try:
            part(world, rounds, verdict, runtimes)
        finally:
            runtimes.close()
    return run


def judge(verdict, title, contenders, first, target):
    """How many times faster ours (at `first`) is than each peer behind it."""
    for peer in contenders[first + 1:]:
        factor = statistics.median(other / own for own, other in zip(contenders[first].wall, peer.wall))
        name = peer.name.split()[0]
        verdict(f'{title}, against {name}', factor, target if name.startswith('crun') else 0, 'times', at_least=True)


def floor_contender(world, runtimes):
    return Contender('floor', [world.floor, '-c', world.cgroup_parent + '/floor', tree(world), '/bin/true'], place=runtimes.place)


@opened
def run_true(world, rounds, verdict, runtimes):
    bundle = Bundle(world, 'run')
    floor = floor_contender(world, runtimes)
    contenders = [floor] + [peer.contender('run true', 'run', '-b', bundle.path, 'bench') for peer in runtimes.peers]
    for pause, words, target in ((0.0, 'back to back', 2.5), (0.1, 'after 0.1 s of idling', 5)):
        for one in contenders:
            one.wall, one.cpu, one.failed = [], [], 0
        interleave(contenders, rounds if pause == 0 else max(rounds // 2, 5), pause=pause)
        table(f'runtime: run /bin/true, {words}', contenders)
        verdict(f'runtime run against the floor, {words}', contenders[1].ratio_to(floor), 1.5, 'times')
        judge(verdict, f'runtime run {words}', contenders, 1, target)
        # What nobody could be faster than: a target beyond this is out of reach on this machine.
        judge(verdict, f'the floor itself, {words}', [floor, *contenders[2:]], 0, 0)


def large_profile(spec):
    """A profile as large as Docker's default: three architectures, the calls of a process allowed, some by argument, errno for the rest."""
    denied = {'mount', 'umount2', 'pivot_root', 'setns', 'unshare', 'bpf', 'kexec_load', 'kexec_file_load', 'init_module', 'finit_module',
              'delete_module', 'reboot', 'swapon', 'swapoff', 'acct', 'add_key', 'request_key', 'keyctl', 'perf_event_open', 'ptrace'}
    with open(os.path.join(TOP, 'src/seccomp/call_list.h')) as file:
        names = re.findall(r'^[A-Z_]+\("?([a-z][a-z0-9_]+)', file.read(), re.MULTILINE)
    spec['linux']['seccomp'] = {
        'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 1,
        'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] if platform.machine() == 'x86_64' else [],
        'syscalls': [
            {'names': [name for name in names if name not in denied | {'personality', 'socket', 'clone'}], 'action': 'SCMP_ACT_ALLOW'},
            *({'names': ['personality'], 'action': 'SCMP_ACT_ALLOW', 'args': [{'index': 0, 'value': value, 'op': 'SCMP_CMP_EQ'}]}
              for value in (0, 8, 0x20000, 0x20008, 0xffffffff)),
            {'names': ['socket'], 'action': 'SCMP_ACT_ALLOW', 'args': [{'index': 0, 'value': 40, 'op': 'SCMP_CMP_NE'}]},
            {'names': ['clone'], 'action': 'SCMP_ACT_ALLOW',
             'args': [{'index': 0, 'value': 0x7e020000, 'valueTwo': 0, 'op': 'SCMP_CMP_MASKED_EQ'}]}]}


@opened
def seccomp(world, rounds, verdict, runtimes):
    plain, filtered = Bundle(world, 'plain'), Bundle(world, 'seccomp', large_profile)
    contenders = []
    for peer in runtimes.peers:
        contenders += [peer.contender('run', 'run', '-b', plain.path, 'bench'),
                       peer.contender('run, Docker-sized profile', 'run', '-b', filtered.path, 'bench')]
    interleave(contenders, rounds)
    table('runtime: with and without a seccomp profile', contenders)
    verdict('runtime: a profile costs', contenders[1].more_than(contenders[0]), 0.3, 'ms')
    verdict('runtime: a profile costs, CPU time', contenders[1].more_cpu_than(contenders[0]), 0.3, 'ms')


def start_all(runtimes, bundles):
    for peer, bundle in zip(runtimes.peers, bundles):
        if peer.call('run', '-d', '-b', bundle.path, 'idle') != 0:
            print(f'{peer.name} starts no container here')


@opened
def verbs(world, rounds, verdict, runtimes):
    def idle(spec):
        spec['process']['args'] = ['/bin/sleep', '100000']
    bundles = [Bundle(world, f'idle-{peer.name}', idle) for peer in runtimes.peers]
    start_all(runtimes, bundles)
    for title, arguments, target in (('exec true', ('exec', 'idle', '/bin/true'), 2.5), ('state', ('state', 'idle'), 3),
                                     ('kill CONT', ('kill', 'idle', 'CONT'), 3)):
        contenders = [peer.contender(title, *arguments) for peer in runtimes.peers]
        interleave(contenders, rounds)
        table(f'runtime: {title}', contenders)
        judge(verdict, f'runtime {title}', contenders, 0, target)
    least = Contender('the least program', [installed(world, world.least)], place=runtimes.place)
    contenders = [least] + [peer.contender('--version', '--version') for peer in runtimes.peers]
    interleave(contenders, rounds)
    table('runtime: --version', contenders)
    verdict('runtime start-up against the least program', contenders[1].ratio_to(least), 1.3, 'times')
    judge(verdict, 'runtime --version', contenders, 1, 0)
    for peer in runtimes.peers:
        peer.call('delete', '-f', 'idle')


@opened
def listing(world, rounds, verdict, runtimes):
    count = 100

    def idle(number):
        def change(spec):
            spec['process']['args'] = ['/bin/sleep', '100000']
            spec['linux']['cgroupsPath'] += f'-{number}'
        return change
    for peer in runtimes.peers:
        for number in range(count):
            bundle = Bundle(world, f'list-{peer.name}-{number}', idle(number))
            peer.call('run', '-d', '-b', bundle.path, f'idle{number}')
    contenders = [peer.contender('list of 100', 'list') for peer in runtimes.peers]
    interleave(contenders, rounds)
    table(f'runtime: list of {count}', contenders)
    judge(verdict, f'runtime list of {count}', contenders, 0, 3)
    for peer in runtimes.peers:
        for number in range(count):
            peer.call('delete', '-f', f'idle{number}')


def peak_kib(pid):
    with open(f'/proc/{pid}/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmHWM:'))


def memory(world, rounds, verdict):
    """The most that the foreground parent of a container ever had, read while its container runs (what wait4 says of it counts ours, too)."""
    sizes = {}
    runtimes = Runtimes(world)
    runtimes.close()
    for peer in runtimes.peers:
        ready = f'{world.path}/ready'

        def change(spec):
            spec['process']['args'] = ['/bin/sh', '-c', 'echo ready; exec /bin/sleep 100000']
        bundle = Bundle(world, f'rss-{peer.name}', change)
        with open(ready, 'w+') as output:
            child = subprocess.Popen(['unshare', '-m', '--propagation', 'private', 'sh', '-c', 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"',
                                      'sh', peer.program, '--root', peer.root, 'run', '-b', bundle.path, 'rss'], env=peer.environment,
                                     stdin=subprocess.DEVNULL, stdout=output)
            while os.path.getsize(ready) == 0 and child.poll() is None:
                time.sleep(0.01)
            sizes[peer.name] = peak_kib(child.pid) if child.poll() is None else 0
        subprocess.run([peer.program, '--root', peer.root, 'kill', 'rss', 'KILL'], check=False)
        child.wait()
        print(f'{peer.name}: peak RSS {sizes[peer.name]} KiB')
    if sizes.get('crun'):
        verdict('runtime peak RSS, part of crun\'s', sizes['cloche-runtime'] / sizes['crun'], 0.5, 'times')


@opened
def parallel(world, rounds, verdict, runtimes):
    """200 containers started 8 at a time: seconds, none failing."""
    count, rates = 200, {}
    for peer in runtimes.peers:
        bundles = []
        for number in range(count):
            def change(spec, number=number):
                spec['process']['args'] = ['/bin/sleep', '100000']
                spec['linux']['cgroupsPath'] += f'-p{number}'
            bundles.append(Bundle(world, f'par-{peer.name}-{number}', change))
        # No shell for each: its start would be a third of what is measured.
        script = ('i=0; for b in "$@"; do i=$((i+1)); echo "$b par$i"; done | '
                  f'xargs -P 8 -L 1 {peer.program} --root {peer.root} run -d -b >/dev/null 2>>{world.path}/par-errors')
        paths = [bundle.path for bundle in bundles]
        wall, _, status = runtimes.place.time(['/bin/sh', '-c', script, 'sh', *paths], peer.environment)
        listed = len(os.listdir(peer.root)) if os.path.isdir(peer.root) else 0
        rates[peer.name] = count / wall * 1e3
        print(f'{peer.name}: {count} started 8 at a time in {wall / 1e3:.2f} s, {wall / count:.1f} ms each, {listed} there, exit {status}')
        for number in range(count):
            peer.call('delete', '-f', f'par{number + 1}')
    if 'crun' in rates:
        verdict('runtime: 200 started 8 at a time, rate against crun', rates['cloche-runtime'] / rates['crun'], 2, 'times', at_least=True)


@opened
def flat(world, rounds, verdict, runtimes):
    """A start's cost with 1 to 1000 containers running: as a ratio to the floor's beside as many, for the machine is not the same minutes later."""
    ours, running, ratios = runtimes.peers[0], 0, {}
    bundle = Bundle(world, 'flat')
    for count in (1, 100, 1000):
        for number in range(running, count):
            def change(spec, number=number):
                spec['process']['args'] = ['/bin/sleep', '100000']
                spec['linux']['cgroupsPath'] += f'-f{number}'
            ours.call('run', '-d', '-b', Bundle(world, f'flat-{number}', change).path, f'flat{number}')
        running = count
        contenders = [floor_contender(world, runtimes), ours.contender('run true', 'run', '-b', bundle.path, 'bench')]
        interleave(contenders, min(rounds, 40))
        table(f'runtime: a start with {count} running', contenders)
        own, floor = contenders[1], contenders[0]
        ratios[count] = own.ratio_to(floor), own.least_ratio_to(floor), own.cpu_ratio_to(floor)
    for number in range(running):
        ours.call('delete', '-f', f'flat{number}')
    print('\nagainst the floor  ratio  least    CPU')
    for count, (ratio, least, cpu) in ratios.items():
        print(f'  {count:7d} running  {ratio:5.2f}  {least:5.2f}  {cpu:5.2f}')
    for word, index in (('', 0), (', CPU time', 2)):
        verdict(f'runtime: part of the floor with 1000 running, against with 1{word}', ratios[1000][index] / ratios[1][index], 1.25, 'times')


PARTS = {'runtime': run_true, 'runtime-seccomp': seccomp, 'runtime-verbs': verbs, 'runtime-list': listing, 'runtime-memory': memory,
         'runtime-parallel': parallel, 'runtime-flat': flat}
