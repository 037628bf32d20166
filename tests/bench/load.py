"""Asks a proxy as fast as it answers, and says how that went."""

import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path

import machine
import process
import routes

H1_CONNECTIONS = 64
H2_CONNECTIONS, H2_STREAMS = 8, 16

WRK_REPORT = """
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format('\\n{"requests":%d,"us":%d,"failed":%d,"p50":%d,"p99":%d}\\n',
        summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(99)))
end
"""
WRK_CYCLE = """
local asked = { %s }
local at = 0
function request()
    at = at %% #asked + 1
    return asked[at]
end
"""


@dataclass(frozen=True)
class Result:
    requests: int
    seconds: float
    p50_us: float
    p99_us: float


def h1(port, directory, seconds, tls, asked, halfway=None):
    """wrk over keep-alive connections; `asked` are requests to send in turn."""
    script = Path(directory) / "wrk.lua"
    script.write_text(WRK_REPORT + (WRK_CYCLE % ",\n".join(map(_lua, asked)) if len(asked) > 1 else ""))
    host, path, _ = asked[0]
    scheme = "https" if tls else "http"
    command = ["wrk", "-t1", f"-c{H1_CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
    command += ["-H", f"Host: {host}", f"{scheme}://127.0.0.1:{port}{path}"]
    printed = process.run(command, machine.LOAD_CORE, directory, seconds, halfway)
    report = json.loads(printed.strip().splitlines()[-1])
    if report["failed"]:
        raise RuntimeError(f"wrk: {report['failed']} of {report['requests']} requests failed")
    return Result(report["requests"], report["us"] / 1e6, report["p50"], report["p99"])


def _lua(request):
    host, path, headers = request
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return '"' + "\\r\\n".join(lines) + '"'


def h2(port, directory, seconds, path, body, halfway=None):
    """h2load over h2c with prior knowledge; with a body it is a gRPC call."""
    log = Path(directory) / "h2load.log"
    log.unlink(missing_ok=True)
    command = ["h2load", "-t1", f"-c{H2_CONNECTIONS}", f"-m{H2_STREAMS}", f"-D{seconds}", f"--log-file={log}"]
    command += ["-H", f":authority: {routes.HOST}"]
    if body:
        command += ["-d", str(body), "-H", "content-type: application/grpc", "-H", "te: trailers"]
    command.append(f"http://127.0.0.1:{port}{path}")
    printed = process.run(command, machine.LOAD_CORE, directory, seconds, halfway)
    seconds_taken = float(re.search(r"finished in ([0-9.]+)s", printed)[1])
    counts = dict((word, int(n)) for n, word in re.findall(r"(\d+) (succeeded|failed|errored|timeout|2xx)", printed))
    # At the end some streams have their status and not yet their end.
    bad = counts["failed"] + counts["errored"] + counts["timeout"]
    if bad or not 0 <= counts["2xx"] - counts["succeeded"] <= H2_CONNECTIONS * H2_STREAMS:
        raise RuntimeError(f"h2load: {counts}")
    taken = sorted(int(line.rsplit("\t", 1)[1]) for line in log.open())
    log.unlink()
    return Result(counts["succeeded"], seconds_taken, taken[len(taken) // 2], taken[len(taken) * 99 // 100])


def idle(port, count):
    """Connections that each had one answer; whoever holds the list holds them open."""
    request = f"GET / HTTP/1.1\r\nHost: {routes.HOST}\r\n\r\n".encode()
    held = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        held.append(connection)
        connection.sendall(request)
        answer = read_answer(connection)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"an idle connection got {answer[:60]!r}")
    return held


def read_answer(connection):
    """One response with a Content-Length, head and body."""
    answer = b""
    while True:
        head, found, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        if found and len(body) >= (int(length[1]) if length else 0):
            return answer
        piece = connection.recv(65_536)
        if not piece:
            raise RuntimeError(f"the answer ended early: {answer[:200]!r}")
        answer += piece
