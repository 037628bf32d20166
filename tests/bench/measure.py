"""One measurement: a fresh proxy, a short warm-up, then load while its CPU time is counted."""

import contextlib
import dataclasses
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import backends
import load
import machine
import meshctl
import peers
import process
import routes

LOOKUPS = ("meshctl_route_lookup_nodes_total", "meshctl_requests_total")
START_SECONDS = 60
WARM_UP_SECONDS = 1
# Longer than buffers are kept after an answer.
IDLE_REST_SECONDS = 2


@dataclass(frozen=True)
class Figures:
    """What one round found. A figure that the scenario doesn't have is None."""

    cpu_us: float = None  # per request
    rate: float = None  # requests/s
    p50_us: float = None
    p99_us: float = None
    rss_mib: float = None
    busy: float = None  # share of its core that the proxy used
    idle_kib: float = None  # per idle connection
    visited: float = None  # nodes of meshctl's route table per lookup


FIELDS = [field.name for field in dataclasses.fields(Figures)]


class Bench:
    """What all measurements share: the backends and a certificate."""

    def __init__(self, directory, running, seconds):
        self.directory = Path(directory)
        self.running = running
        self.seconds = seconds
        self.certificate, self.key = _certificate(self.directory)

    @contextlib.contextmanager
    def proxy(self, scenario, peer, directory):
        """A proxy that answers, with how it was set up."""
        setup = peers.Setup(
            scenario=scenario,
            directory=Path(directory),
            port=machine.free_port(),
            admin_port=machine.free_port(),
            backend_port=self._backend(scenario),
            certificate=self.certificate,
            key=self.key,
        )
        command = peer.command(setup)
        with process.Program(command, machine.PROXY_CORE, directory) as program:
            try:
                self._wait(program, setup)
                yield program, setup
            except Exception as error:
                raise RuntimeError(f"{error}; it said: {program.said()}") from error

    def _backend(self, scenario):
        if scenario.grpc:
            return self.running.grpc
        return self.running.h2 if scenario.protocol == "h2" else self.running.h1

    def _wait(self, program, setup):
        def answers():
            if not program.running():
                raise RuntimeError(f"{program.name} ended")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", setup.port), timeout=1).close()
                return True
            return False

        machine.wait_until(answers, START_SECONDS, f"{program.name} on port {setup.port}")
        # A socket that accepts is not yet a configuration that routes.
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._ask(setup, 1)
                return
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise

    def _ask(self, setup, seconds, halfway=None):
        scenario = setup.scenario
        if scenario.protocol == "h2":
            body = self.directory / "files" / backends.GRPC_PATH[1:] if scenario.grpc else None
            path = backends.GRPC_PATH if scenario.grpc else "/index.html"
            return load.h2(setup.port, setup.directory, seconds, path, body, halfway)
        asked = scenario.table.asked() if scenario.table else [(routes.HOST, "/", {})]
        return load.h1(setup.port, setup.directory, seconds, scenario.tls, asked, halfway)

    def measure(self, scenario, peer):
        with tempfile.TemporaryDirectory(prefix="bench-", dir=self.directory) as directory:
            with self.proxy(scenario, peer, directory) as (program, setup):
                if scenario.idle:
                    return _idle(program, setup)
                self._ask(setup, WARM_UP_SECONDS)
                found = self._loaded(program, setup)
                if scenario.table and peer.name == "meshctl":
                    nodes, requests = meshctl.counters(setup.admin_port, LOOKUPS)
                    found = dataclasses.replace(found, visited=nodes / requests)
                return found

    def _loaded(self, program, setup):
        before, started = machine.cpu_us(program.pid), time.monotonic()
        rss_kib = []
        result = self._ask(setup, self.seconds, lambda: rss_kib.append(machine.rss_kib(program.pid)))
        used, wall = machine.cpu_us(program.pid) - before, time.monotonic() - started
        return Figures(
            cpu_us=used / result.requests,
            rate=result.requests / result.seconds,
            p50_us=result.p50_us,
            p99_us=result.p99_us,
            rss_mib=rss_kib[0] / 1024,
            busy=used / wall / 1e6,
        )


def _idle(program, setup):
    before = machine.rss_kib(program.pid)
    held = load.idle(setup.port, setup.scenario.idle)
    time.sleep(IDLE_REST_SECONDS)
    after = machine.rss_kib(program.pid)
    for connection in held:
        connection.close()
    return Figures(rss_mib=after / 1024, idle_kib=(after - before) / setup.scenario.idle)


def _certificate(directory):
    certificate, key = directory / "bench.crt", directory / "bench.key"
    process.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={routes.HOST}", "-addext", f"subjectAltName=DNS:{routes.HOST}", "-days", "2",
            "-keyout", str(key), "-out", str(certificate),
        ],
        machine.LOAD_CORE, directory, 30,
    )
    return certificate, key
