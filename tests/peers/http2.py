"""h2spec, strict, over TLS and without, before an HTTP/1 and an HTTP/2 origin."""

import re
import subprocess

from mesh import built, require

VERSION = '2.2.1'
# Without TLS the proxy can't tell a broken preface from another protocol's request: it answers
# 400 as HTTP/1, where h2spec waits for the connection to close.
EXPECTED = {'TLS': 146, 'h2c': 145}


def h2spec(mesh):
    (h2spec,) = built('h2spec', VERSION, ['github.com/summerwind/h2spec/cmd/h2spec'])
    results = []
    for over, flags in {
        'TLS': ['-p', str(mesh.ports['https']), '-t', '-k'],
        'h2c': ['-p', str(mesh.ports['http'])],
    }.items():
        for origin, path in {'h1': '/later', 'h2': '/again'}.items():
            command = [h2spec, '-S', '-h', '127.0.0.1', '-o', '2', '-P', path, *flags]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            found = re.search(r'(\d+) tests, (\d+) passed', done.stdout)
            require(found, f'h2spec over {over}: {done.stdout[-500:]}{done.stderr[-500:]}')
            tests, passed = map(int, found.groups())
            failed = '\n'.join(line for line in done.stdout.splitlines() if '×' in line)
            require(tests == 146 and passed >= EXPECTED[over], f'{passed} over {over} to {origin}\n{failed}')
            results.append(f'{over} to {origin} {passed} of {tests}')
    return ', '.join(results)
