"""Load generators: not how fast, but whether anything is lost."""

import re
import subprocess

from mesh import program, require

REQUESTS = 100_000


def h2load(mesh):
    h2load = program('h2load')
    mesh.nginx()
    mesh.nghttpd()
    plain, secure = (f'{scheme}://127.0.0.1:{mesh.ports[scheme]}' for scheme in ('http', 'https'))
    runs = {
        'h1': ['--h1', '-c', '32', f'{plain}/nginx'],
        'h2c': ['-c', '8', '-m', '32', f'{plain}/nginx'],
        'h2c to h2c': ['-c', '8', '-m', '32', f'{plain}/h2/hello'],
        'TLS h1': ['--h1', '-c', '32', f'{secure}/nginx'],
        'TLS h2': ['-c', '8', '-m', '32', f'{secure}/h2/hello'],
    }
    each = REQUESTS // len(runs)
    for name, flags in runs.items():
        done = subprocess.run([h2load, '-n', str(each), *flags], capture_output=True, text=True, timeout=120)
        wanted = f'{each} succeeded, 0 failed, 0 errored, 0 timeout'
        require(wanted in done.stdout, f'{name}: {requests_line(done.stdout) or done.stderr}')
        require(f'status codes: {each} 2xx' in done.stdout, f'{name}: {done.stdout}')
    return f'{REQUESTS} requests over {", ".join(runs)}: 0 failed'


def requests_line(output):
    return ''.join(line for line in output.splitlines() if line.startswith(('requests:', 'status codes:')))


def wrk(mesh):
    wrk = program('wrk')
    mesh.nginx()
    total = 0
    for scheme in ('http', 'https'):
        url = f'{scheme}://127.0.0.1:{mesh.ports[scheme]}/nginx'
        command = [wrk, '-t', '1', '-c', '64', '-d', '3', url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        found = re.search(r'(\d+) requests in', done.stdout)
        bad = re.search(r'Socket errors.*|Non-2xx.*', done.stdout)
        require(found and not bad, f'{scheme}: {bad[0] if bad else done.stdout}')
        total += int(found[1])
    require(total > 1000, f'{total} requests in 6 s')
    return f'{total} requests over h1 and TLS: 0 failed'
