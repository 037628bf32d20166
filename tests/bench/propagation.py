#!/usr/bin/env python3
"""How long a new route takes from the API server's answer to every replica of a Gateway, with few
and with many other routes. A route counts as there with the first of ten new connections in a row
that are answered 200, on the replica where that is last. Replicas are asked in turn.

    tests/bench/propagation.py [--changes 200] [--routes 10,2000] [--replicas 3] [--write FILE]
"""

import argparse
import datetime
import pathlib
import socket
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "drills"))

import machine  # noqa: E402
from cluster import Api, Failed, answers, apply, get, wait_for  # noqa: E402
from drills import ready  # noqa: E402
from shop import GATEWAY_API, NAMESPACE, close_shop, gateway, meta, open_shop, route  # noqa: E402

ROUTES = f"/apis/{GATEWAY_API}/namespaces/{NAMESPACE}/httproutes"
IN_A_ROW = 10
TOO_LONG = 30.0


def is_there(address, request):
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(64).startswith(b"HTTP/1.1 200")


def arrives(proxies, host, since):
    """Seconds from `since` to the first of ten good answers in a row of each of them."""
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    rows, firsts = dict.fromkeys(proxies, 0), {}
    while time.monotonic() - since < TOO_LONG:
        for proxy in [proxy for proxy in proxies if rows[proxy] < IN_A_ROW]:
            asked = time.monotonic()
            if not is_there(proxy, request):
                rows[proxy] = 0
            else:
                firsts[proxy] = firsts[proxy] if rows[proxy] else asked
                rows[proxy] += 1
        if min(rows.values()) == IN_A_ROW:
            return max(firsts.values()) - since
    raise Failed(f"{host} is not there after {TOO_LONG} s")


def replicas(wanted):
    """The addresses of so many proxies, and of no others."""
    config = {"apiVersion": "meshctl.dev/v1alpha1", "kind": "MeshConfig", "metadata": meta("front")}
    config["spec"] = {"deployment": {"replicas": wanted, "resources": {"requests": {"cpu": "20m"}}}}
    made = gateway("front")
    reference = {"group": "meshctl.dev", "kind": "MeshConfig", "name": "front"}
    made["spec"]["infrastructure"] = {"parametersRef": reference}
    apply(config, made)
    selector = "gateway.networking.k8s.io/gateway-name=front"

    def there():
        pods = get("pods", "-n", NAMESPACE, "-l", selector)["items"]
        requests = [pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] for pod in pods]
        return len(pods) == wanted and set(requests) == {"20m"} and all(map(ready, pods)) and pods

    pods = wait_for(f"{wanted} replicas", there, 120)
    return [(pod["status"]["podIP"], 80) for pod in pods]


def measure(api, proxies, changes, label):
    times = []
    for number in range(changes):
        name = f"change-{label}-{number}"
        api.ask("POST", ROUTES, route(name, f"{name}.example", "front"))
        answered = time.monotonic()
        times.append(arrives(proxies, f"{name}.example", answered))
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


def table(options):
    """Its lines, and the share of p50 with the most routes in p50 with the fewest."""
    open_shop()
    try:
        api, proxies, held, p50 = Api(), replicas(options.replicas), 0, []
        lines = [
            f"{options.changes} changes each, {len(proxies)} replicas; one program asks them all in turn,",
            "so a figure has the connections to the others in it.\n",
            "| other routes | p50 ms | p90 ms | p99 ms | max ms |",
            "|---:|---:|---:|---:|---:|",
        ]
        for wanted in map(int, options.routes.split(",")):
            fill(api, proxies, held, wanted)
            held = wanted
            times = sorted(1000 * one for one in measure(api, proxies, options.changes, wanted))
            at = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.9, 0.99)]
            p50.append(statistics.median(times))
            lines.append(f"| {wanted:,} | {p50[-1]:.1f} | {at[0]:.1f} | {at[1]:.1f} | {times[-1]:.1f} |")
        ratio = p50[-1] / p50[0]
        lines.append(f"\np50 with the most routes is {ratio:.2f} of p50 with the fewest (bound 1.3)")
        return lines, ratio
    finally:
        close_shop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--routes", default="10,2000", help="how many other routes there are")
    parser.add_argument("--replicas", type=int, default=3, help="proxies of the Gateway")
    parser.add_argument("--write", metavar="FILE", type=pathlib.Path, help="where the table goes as well")
    options = parser.parse_args()
    described = "".join(f"- {line}\n" for line in machine.facts())
    lines, ratio = table(options)
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.write:
        about = f"# From the API server's answer to every replica, {datetime.date.today()}\n\n"
        options.write.write_text(f"{about}{described}\n{text}", encoding="utf-8")
    return 0 if ratio <= 1.3 else 1


if __name__ == "__main__":
    sys.exit(main())
