"""Programs that run beside the benchmark: pinned, quiet, and ended by their id."""

import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
NICE = -15
# Past its time a program is given this long to end.
GRACE = 15
LIBC = ctypes.CDLL(None)


class Program:
    """A running program. Its output goes to a file, which is read when it fails."""

    def __init__(self, command, core, directory):
        self.name = Path(command[0]).name
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            cwd=directory,
            env={**os.environ, "TMPDIR": str(directory)},
            preexec_fn=lambda: settle(core),
        )
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def running(self):
        return self.process.poll() is None

    def said(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace")[-4_000:]

    def stop(self):
        if self.running():
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()


def settle(core):
    """Runs in the child: one core, ahead of whatever else the machine does, and an end when the
    benchmark ends, however that happens."""
    os.sched_setaffinity(0, {core})
    # Where sessions share the CPU first, and then the processes in each, both need to be told.
    os.setsid()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        Path("/proc/self/autogroup").write_text(str(NICE))
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run(command, core, directory, seconds, halfway=None):
    """Runs a program that takes `seconds` to its end and returns what it printed; `halfway` is
    called while it runs."""
    with Program(command, core, directory) as program:
        if halfway:
            time.sleep(seconds / 2)
            halfway()
        code = program.process.wait(seconds + GRACE)
        said = program.said()
        if code != 0:
            raise RuntimeError(f"{program.name} ended with {code}: {said}")
        return said
