"""How much work one edit among 10,000 routes is, by the proxy's own counters."""

import socket
import tempfile
import time

import load
import machine
import meshctl
import routes
import scenarios

COUNTERS = ("meshctl_parts_lowered_total", "meshctl_documents_parsed_total")
LIVE_SECONDS = 30


def lowered(bench, peer):
    """Edits one route and returns (parts lowered, documents parsed, milliseconds until live)."""
    scenario = next(s for s in scenarios.ALL if s.name == f"routes-{max(scenarios.ROUTE_COUNTS)}")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=bench.directory) as directory:
        with bench.proxy(scenario, peer, directory) as (_, setup):
            machine.wait_until(lambda: _counters(setup) == _after(setup, 1), LIVE_SECONDS, "rest")
            before = _counters(setup)
            path, edited = _edited(scenario.table.routes)
            started = time.monotonic()
            meshctl.write_file(setup.directory / "mesh", 0, edited)
            machine.wait_until(lambda: _status(setup.port, path) == 200, LIVE_SECONDS, "the edit")
            took = (time.monotonic() - started) * 1_000
            parts, documents = (after - was for after, was in zip(_counters(setup), before))
            return parts, documents, took


def _edited(all_routes):
    """The documents of the first file, one exact path in it changed, and that path."""
    first = all_routes[: meshctl.ROUTES_IN_A_FILE]
    at = next(i for i, route in enumerate(first) if route.kind == "exact")
    documents = [meshctl.document(route) for route in first]
    path = "/edited/just/now"
    documents[at] = documents[at].replace(first[at].value, path)
    return path, documents


def _after(setup, seconds):
    time.sleep(seconds)
    return _counters(setup)


def _counters(setup):
    return meshctl.counters(setup.admin_port, COUNTERS)


def _status(port, path):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {routes.HOST}\r\n\r\n".encode())
        return int(load.read_answer(connection).split()[1])
