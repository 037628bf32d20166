"""A drill on what the author of a route can do to others by objects that the API server takes."""

import contextlib
import json
import statistics
import time

from cluster import Api, Failed, Load, answers, apply, asks, conditions, get, kubectl, wait_for
from drills import SYSTEM, controller_pods, drill, pods
from shop import GATEWAY_API, HOST, NAMESPACE, gateway, meta, route

GROUP = GATEWAY_API.split("/", maxsplit=1)[0]
ROUTES = f"/apis/{GATEWAY_API}/namespaces/{NAMESPACE}/httproutes"
MINE = {"drill": "hostile"}
API_SERVER = "kubernetes.default"


def hostile(name, rules, host=None, parent="front"):
    made = route(name, host or f"{name[:50]}.hostile.example", parent)
    made["metadata"]["labels"] = MINE
    made["spec"]["rules"] = rules
    return made


def rule(matches=None, filters=None, backends=None):
    made = {"backendRefs": backends if backends is not None else [{"name": "echo", "port": 80}]}
    if matches:
        made["matches"] = matches
    if filters:
        made["filters"] = filters
    return made


def header(value, kind="RegularExpression", name="x-drill"):
    return {"headers": [{"type": kind, "name": name, "value": value}]}


def regex(pattern):
    return {"path": {"type": "RegularExpression", "value": pattern}}


def setting(value):
    return {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "x-drill", "value": value}]}}


def enormous(name):
    """As large as the API server takes: matches, each with long values."""
    long = [header("v" * 4000, "Exact", f"x-{n}")["headers"][0] for n in range(11)]
    matches = [{"path": {"type": "Exact", "value": f"/{n}"}, "headers": long} for n in range(8)]
    return hostile(name, [rule(matches) for _ in range(4)])


PATTERNS = [
    "/(a*)*b", "/(x+x+)+y", "/(.*)(.*)(.*)(.*)(.*)(.*)c", "/" + "(" * 200 + "a" + ")" * 200,
    "/a{1000}{1000}", "/(a{0,900}){0,900}", "/\\pL{900}\\w{900}", "/(", "/[", "/(?<!a)b", "/a**", "/\\8",
]  # fmt: skip
VALUES = ["a\r\nset-cookie: drill=1", "a\nb", "a\u0000b", "\u007f", "a\tb", "\u2028", "€" * 1000]


def objects():
    """Each with a name, and the condition that its author finds; None where it may be good."""
    yield enormous("enormous"), None
    for n in range(5):
        matches = [{"path": {"type": "Exact", "value": f"/{n}/{m}"}, **header(str(m), "Exact")} for m in range(8)]
        yield hostile(f"many-{n}", [rule([{**one, "method": "GET"} for one in matches])] * 16), None
    for n, pattern in enumerate(PATTERNS):
        yield hostile(f"path-{n}", [rule([regex(pattern)])]), None
        yield hostile(f"header-{n}", [rule([header(pattern)])]), None
    for n, value in enumerate(VALUES):
        yield hostile(f"value-{n}", [rule(filters=[setting(value)])]), None
    # What is somebody else's: the host of the neighbour, whose route is older; a host that the
    # listener is not for.
    yield hostile("taken", [rule(backends=[])], host=HOST), None
    yield hostile("forbidden", [rule()], host="other.example", parent="narrow"), ("Accepted", "NoMatchingListenerHostname")
    yield hostile("n" * 253, [rule()]), None
    yield hostile("h", [rule()], host=".".join(["h" * 63] * 3 + ["h" * 61])), None
    weights = [{"name": "echo", "port": 80, "weight": weight} for weight in (1_000_000, 1_000_000, 0)]
    yield hostile("heavy", [rule(backends=weights * 5)]), None
    yield hostile("heavier", [rule(backends=[{**weights[0], "weight": 2**31 - 1}])]), None


def leading(api):
    """Backends and Services that lead where no route may, each with whether it is known as it is
    written."""
    address = api.address[0]
    for n, endpoint in enumerate(
        ["127.0.0.1:15020", "[::1]:15020", "[::ffff:127.0.0.1]:80", "0.0.0.0:15020", "169.254.169.254:80",
         "localhost:15020", "unix:/run/meshctl/proxy/control.sock", f"{address}:{api.address[1]}",
         "kubernetes.default.svc.cluster.local:443", f"{cluster_ip()}:443"]
    ):  # fmt: skip
        yield backend(f"written-{n}", endpoint), "meshctl.dev", "Backend", True
    # Kubernetes writes these names of loopback into the hosts file of each pod.
    yield backend("named-loopback", "ip6-loopback:15020"), "meshctl.dev", "Backend", False
    # And whoever may write an EndpointSlice has a name for any address.
    yield backend("named-api-server", f"trap.{NAMESPACE}.svc.cluster.local:6443"), "meshctl.dev", "Backend", False
    for n, host in enumerate(["127.0.0.1", "169.254.169.254", "kubernetes.default.svc.cluster.local", "localhost"]):
        external = {"type": "ExternalName", "externalName": host, "ports": [{"port": 80}]}
        made = {"apiVersion": "v1", "kind": "Service", "metadata": meta(f"external-{n}", labels=MINE), "spec": external}
        yield made, "", "Service", True


def backend(name, endpoint):
    return {
        "apiVersion": "meshctl.dev/v1alpha1",
        "kind": "Backend",
        "metadata": meta(name, labels=MINE),
        "spec": {"endpoints": [endpoint]},
    }


def trap(address):
    """A name of the cluster for an address: a headless Service and its slice."""
    service = {"clusterIP": "None", "ports": [{"port": 6443}]}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": meta("trap", labels=MINE), "spec": service},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": meta("trap", labels={**MINE, "kubernetes.io/service-name": "trap"}),
            "addressType": "IPv4",
            "ports": [{"port": 6443}],
            "endpoints": [{"addresses": [address]}],
        },
    ]


def cluster_ip():
    return get("service", "kubernetes", "-n", "default")["spec"]["clusterIP"]


@drill
def hostile_objects(address, options):
    """What the API server takes from the author of a route harms no neighbour."""
    api = Api()
    restarts = restarted()
    with Load(address, HOST) as before:
        time.sleep(3)
    before.check(at_least=100)
    try:
        with Load(address, HOST) as load:
            apply(gateway("narrow", "meshctl-shared", "*.narrow.example"), *trap(api.address[0]))
            taken, refused = give(api)
            led = lead(api, address)
            time.sleep(2)
        load.check(at_least=100)
    finally:
        kinds = "httproutes,backends.meshctl.dev,services,endpointslices"
        kubectl("delete", kinds, "-n", NAMESPACE, "-l", "drill=hostile", "--wait=false")
        kubectl("delete", "gateway", "narrow", "-n", NAMESPACE, "--ignore-not-found", "--wait=false")
    if restarted() != restarts:
        raise Failed(f"restarted: {restarted()}, were {restarts}")
    was, now = (1000 * statistics.quantiles(one.times, n=100)[98] for one in (before, load))
    # Controller, API server and this program have the same two CPUs as the proxies.
    if now > 3 * was + 50:
        raise Failed(f"the neighbour's p99 went from {was:.1f} to {now:.1f} ms")
    return (
        f"{taken} routes taken, {refused} refused by the API server, {led} ways to forbidden addresses closed; "
        f"the neighbour: {load.asked} requests, 0 failed, p99 {was:.1f} → {now:.1f} ms"
    )


def restarted():
    """Of everything that is meshctl's, by pod."""
    ours = [*controller_pods(), *pods(NAMESPACE, "app.kubernetes.io/component=proxy")]
    ours += pods(SYSTEM, "app.kubernetes.io/component=proxy")
    return {
        pod["metadata"]["name"]: status["restartCount"]
        for pod in ours
        if pod["metadata"]["name"] and "narrow" not in pod["metadata"]["name"]
        for status in pod["status"].get("containerStatuses", [])
        if status["restartCount"]
    }


def give(api):
    taken, refused, wanted = [], 0, {}
    for made, condition in objects():
        name = made["metadata"]["name"]
        try:
            api.ask("POST", ROUTES, made)
        except Failed as error:
            # A connection that the API server has ended in the middle of a request too large is new.
            if not any(f": {status} " in str(error) for status in (400, 413, 422, 500)):
                raise
            refused += 1
            continue
        taken.append(name)
        wanted[name] = condition
    for name in taken:
        wait_for(f"the author of {name} is told", lambda name=name: told(api, name, wanted[name]), 30)
    return len(taken), refused


def told(api, name, condition):
    parents = api.ask("GET", f"{ROUTES}/{name}").get("status", {}).get("parents", [])
    found = conditions(parents[0]) if parents else {}
    if condition is None:
        return {"Accepted", "ResolvedRefs"} <= set(found)
    kind, reason = condition
    return found.get(kind) == f"False {reason}"


def lead(api, address):
    ways = list(leading(api))
    apply(*(made for made, *_ in ways))
    for made, group, kind, _ in ways:
        name = made["metadata"]["name"]
        reference = {"group": group, "kind": kind, "name": name, **({} if group else {"port": 80})}
        api.ask("POST", ROUTES, hostile(f"to-{name}", [rule(backends=[reference])]))
    for made, _, _, written in ways:
        name = made["metadata"]["name"]
        host = f"to-{name}.hostile.example"
        wait_for(f"{name} is refused", lambda host=host: asks(address, host) == 500, 15)
        if written:
            refused = ("ResolvedRefs", "BackendNotAllowed")
            wait_for(f"the author of {name} is told", lambda: told(api, f"to-{name}", refused), 15)
    return len(ways)
