#!/usr/bin/env python3
"""How long a new route takes from the API server's answer to every replica of a Gateway, with few
and with many other routes. A route counts as there with the first of ten new connections in a row
that are answered 200, on the replica where that is last.

    tests/bench/propagation.py [--changes 200] [--routes 10,2000]
"""

import argparse
import pathlib
import socket
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "drills"))

from cluster import Api, Failed, answers, get, wait_for  # noqa: E402
from shop import GATEWAY_API, NAMESPACE, close_shop, open_shop, route  # noqa: E402

ROUTES = f"/apis/{GATEWAY_API}/namespaces/{NAMESPACE}/httproutes"
IN_A_ROW = 10
TOO_LONG = 30.0


def is_there(address, request):
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(64).startswith(b"HTTP/1.1 200")


def arrives(address, host, since):
    """Seconds from `since` to the first of ten good answers in a row."""
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    row, first = 0, None
    while time.monotonic() - since < TOO_LONG:
        asked = time.monotonic()
        if is_there(address, request):
            first = first if row else asked
            row += 1
            if row == IN_A_ROW:
                return first - since
        else:
            row = 0
    raise Failed(f"{host} is not there after {TOO_LONG} s")


def replicas():
    selector = "gateway.networking.k8s.io/gateway-name=front"
    pods = get("pods", "-n", NAMESPACE, "-l", selector)["items"]
    return [(pod["status"]["podIP"], 80) for pod in pods if pod["status"]["phase"] == "Running"]


def measure(api, proxies, changes, label):
    times = []
    for number in range(changes):
        name = f"change-{label}-{number}"
        api.ask("POST", ROUTES, route(name, f"{name}.example", "front"))
        answered = time.monotonic()
        times.append(max(arrives(proxy, f"{name}.example", answered) for proxy in proxies))
        api.ask("DELETE", f"{ROUTES}/{name}")
    return times


def fill(api, proxies, held, wanted):
    for number in range(held, wanted):
        name = f"other-{number}"
        api.ask("POST", ROUTES, route(name, f"{name}.example", "front"))
    last = f"other-{wanted - 1}.example"
    for proxy in proxies:
        wait_for(f"{last} answers", lambda proxy=proxy: answers(proxy, last), 120)
    # Statuses of the last ones may still be written.
    time.sleep(2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--routes", default="10,2000", help="how many other routes there are")
    options = parser.parse_args()
    open_shop()
    try:
        api, proxies, held, p50 = Api(), replicas(), 0, []
        print(f"{options.changes} changes each, {len(proxies)} replicas\n")
        print("| other routes | p50 ms | p90 ms | p99 ms | max ms |\n|---:|---:|---:|---:|---:|")
        for wanted in map(int, options.routes.split(",")):
            fill(api, proxies, held, wanted)
            held = wanted
            times = sorted(1000 * one for one in measure(api, proxies, options.changes, wanted))
            at = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.9, 0.99)]
            p50.append(statistics.median(times))
            print(f"| {wanted:,} | {p50[-1]:.1f} | {at[0]:.1f} | {at[1]:.1f} | {times[-1]:.1f} |", flush=True)
        print(f"\np50 with the most routes is {p50[-1] / p50[0]:.2f} of p50 with the fewest (bound 1.3)")
        return 0 if p50[-1] <= 1.3 * p50[0] else 1
    finally:
        close_shop()


if __name__ == "__main__":
    sys.exit(main())
