"""What this machine is, and what its processes cost: cores, CPU time, memory."""

import os
import platform
import resource
import socket
import time
from pathlib import Path

# A core for the proxy alone, and one for what asks it and answers it.
PROXY_CORE, LOAD_CORE = sorted(os.sched_getaffinity(0))[:2] if len(os.sched_getaffinity(0)) > 1 else (0, 0)
TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


def facts():
    """Lines that describe the machine without naming it."""
    model = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    load = os.getloadavg()[0]
    return [
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()} {platform.machine()}",
        f"load average before the run: {load:.2f}",
    ]


def allow_many_files():
    """5,000 connections are 5,000 descriptors here and 10,000 in a proxy."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def family(pid):
    """A process and its descendants: nginx works in a child."""
    pids, open_ = [], [pid]
    while open_:
        pid = open_.pop()
        pids.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                open_.extend(map(int, children.read_text().split()))
            except OSError:
                pass
    return pids


def cpu_us(pid):
    """CPU microseconds, user and system, of all threads of a process and its descendants."""
    return sum(_thread_us(Path(task)) for p in family(pid) for task in Path(f"/proc/{p}/task").glob("*"))


def _thread_us(task):
    # The scheduler's nanoseconds are what user and system time are scaled to; ticks are the
    # coarse form of the same for kernels without them.
    try:
        return int((task / "schedstat").read_text().split()[0]) / 1_000
    except (OSError, IndexError):
        pass
    try:
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_US
    except OSError:
        return 0.0


def rss_kib(pid):
    """Resident memory of a process and its descendants. Pages that they share count once for
    each: nginx's master adds some 2 MiB of the worker's own."""
    return sum(_rss_kib(p) for p in family(pid))


def _rss_kib(pid):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)


def wait_until(done, seconds, what):
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
