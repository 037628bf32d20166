"""What the observation door shows, as Prometheus's own tool judges it."""

import subprocess
import urllib.request

from mesh import program, require


def promtool(mesh):
    promtool = program('promtool')
    url = f'http://127.0.0.1:{mesh.ports["observe"]}/metrics'
    with urllib.request.urlopen(url, timeout=10) as answer:
        scrape = answer.read()
    done = subprocess.run([promtool, 'check', 'metrics'], input=scrape, capture_output=True, timeout=60)
    said = (done.stdout + done.stderr).decode()
    require(done.returncode == 0 and not said, f'promtool: {said}')
    families = sum(line.startswith(b'# TYPE') for line in scrape.splitlines())
    samples = sum(not line.startswith(b'#') for line in scrape.splitlines())
    require(families >= 10, f'{families} families only')
    panics = [line for line in scrape.decode().splitlines() if 'panics_total' in line and line[0] != '#']
    require(panics and all(line.endswith(' 0') for line in panics), f'panics: {panics}')
    return f'{families} families, {samples} samples, no finding, no panic'
