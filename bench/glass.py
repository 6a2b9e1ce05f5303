# SPDX-License-Identifier: Apache-2.0
"""
The part of ./dev bench about cloche glass: what a screen costs on a machine with so many processes (glass-cost.c makes them), without the terminal.
"""
import subprocess

SIZES = (200, 2000, 20000)
CHANGES = 100
WORDS = {'full': 'all read and drawn', 'idle': 'listing, nothing happened', 'changes': f'listing, {CHANGES} ended and {CHANGES} born',
         'events': f'by events, {CHANGES} ended and {CHANGES} born', 'filter': 'a letter of a filter'}


def cost(world, rounds, verdict):
    subprocess.run(['ninja', '-C', world.build, '--quiet', 'bench/glass-cost'], check=True)
    print('\ncloche glass: an update of the screen, by listing /proc or by events (ms, least / median)')
    print(f'  {"processes":>9}  ' + '  '.join(f'{word:>34}' for word in WORDS.values()))
    full = {}
    for size in SIZES:
        words = subprocess.run([world.build + '/bench/glass-cost', str(size), str(CHANGES), str(min(rounds, 20))], check=True,
                               stdout=subprocess.PIPE, text=True).stdout.split()
        times = {words[i]: (float(words[i + 1]), float(words[i + 2])) for i in range(1, len(words), 3)}
        print(f'  {words[0]:>9}  ' + '  '.join(f'{times[key][0]:>25.1f} / {times[key][1]:6.1f}' for key in WORDS))
        full[size] = times['full'][0] / int(words[0])
        if size == SIZES[-1]:
            verdict(f'glass: an update among {size} processes', times['idle'][1], 100, 'ms')
            verdict(f'glass: the same with {CHANGES} changes, by listing', times['changes'][1], 100, 'ms')
            verdict('glass: the same by events', times['events'][1], 100, 'ms')
    verdict(f'glass: all of {SIZES[-1]} processes, each against one of {SIZES[0]}', full[SIZES[-1]] / full[SIZES[0]], 1.5, 'times')


PARTS = {'glass': cost}
