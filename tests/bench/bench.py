"""Measures meshctl beside nginx, haproxy and Envoy and prints a table."""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import backends
import edit
import machine
import measure
import peers
import scenarios
import table

REPOSITORY = Path(__file__).resolve().parents[2]
PEERS = ("meshctl", "nginx", "haproxy", "envoy")
EDIT = "edit"


def arguments():
    names = [s.name for s in scenarios.ALL] + [EDIT]
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--rounds", type=positive, default=10, help="rounds of each scenario [10]")
    parser.add_argument("--seconds", type=positive, default=3, help="of load in each measurement [3]")
    parser.add_argument("--only", type=listed(names), default=names, metavar="A,B",
                        help=f"scenarios: {', '.join(names)} [all]")
    parser.add_argument("--peers", type=listed(PEERS), default=list(PEERS), metavar="A,B",
                        help=f"of {', '.join(PEERS)} [all]")
    parser.add_argument("--meshctl", type=Path, metavar="PATH", help="this binary; else the release is built")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there too")
    return parser.parse_args()


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def listed(known):
    def parse(text):
        asked = text.split(",")
        # A family by its first word: `routes` is every number of routes.
        found = [name for name in known if name in asked or name.split("-")[0] in asked]
        unknown = [a for a in asked if not any(a in (name, name.split("-")[0]) for name in known)]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return found

    return parse


def build():
    """The static release, with the flags of install.sh, which know best."""
    prefix = tempfile.mkdtemp(prefix="bench-")
    subprocess.run([REPOSITORY / "install.sh", "--prefix", prefix], check=True, stdout=sys.stderr)
    return Path(prefix)


def chosen(names, binary):
    envoy = os.environ.get("ENVOY", "envoy")
    made = {
        "meshctl": lambda: peers.Meshctl(str(binary)),
        "nginx": peers.Nginx,
        "haproxy": peers.Haproxy,
        "envoy": lambda: peers.Envoy(envoy),
    }
    program = {"meshctl": str(binary), "envoy": envoy}
    here = [name for name in names if shutil.which(program.get(name, name))]
    for name in set(names) - set(here):
        print(f"{name} is not here and left out", file=sys.stderr)
    return [made[name]() for name in here]


def main():
    args = arguments()
    # A kill must end what was started too; SystemExit runs every `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if machine.PROXY_CORE == machine.LOAD_CORE:
        print("there is one core: proxy and load share it, and only CPU per request means something", file=sys.stderr)
    machine.allow_many_files()
    prefix = build() if args.meshctl is None and "meshctl" in args.peers else None
    try:
        binary = prefix / "bin" / "meshctl" if prefix else (args.meshctl or Path("meshctl")).resolve()
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            text, failed = rounds(args, chosen(args.peers, binary), directory)
    finally:
        if prefix:
            shutil.rmtree(prefix)
    print(text)
    if args.markdown:
        args.markdown.write_text(text)
    return 1 if failed else 0


def rounds(args, proxies, directory):
    versions = {proxy.name: proxy.version() for proxy in proxies}
    running = backends.start(directory)
    results, failures, edited = {}, [], None
    try:
        bench = measure.Bench(directory, running, args.seconds)
        for scenario in scenarios.ALL:
            if scenario.name in args.only:
                results[scenario.name] = one_scenario(bench, scenario, proxies, args.rounds, failures)
        for proxy in proxies:
            if proxy.name == "meshctl" and EDIT in args.only:
                edited = attempt(failures, "the edit", lambda: edit.lowered(bench, proxy))
    finally:
        running.stop()
    page = table.page(results, scenarios.ALL, [p.name for p in proxies], versions, args.rounds, args.seconds,
                      edited, failures)
    return page, failures


def one_scenario(bench, scenario, proxies, count, failures):
    found = []
    for number in range(count):
        measured = {}
        for proxy in random.sample(proxies, len(proxies)):
            what = f"{scenario.name}, round {number + 1}, {proxy.name}"
            figures = attempt(failures, what, lambda: bench.measure(scenario, proxy))
            if figures:
                measured[proxy.name] = figures
                cost = f"{figures.idle_kib:.2f} KiB/connection" if scenario.idle else f"{figures.cpu_us:.2f} us/request"
                print(f"{what}: {cost}", file=sys.stderr)
        found.append(measured)
    return found


def attempt(failures, what, measured):
    """A proxy that fails leaves a hole in the table, and its words below it."""
    try:
        return measured()
    except (RuntimeError, OSError, TimeoutError, subprocess.TimeoutExpired) as error:
        failures.append(f"{what}: {error}")
        print(failures[-1], file=sys.stderr)
        return None


if __name__ == "__main__":
    sys.exit(main())
