"""Drills on who may do what: proxies and controller to the machine and the API server, authors of
routes to each other. The last one compares the controller's rights with what it did."""

import base64
import collections
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import tempfile
import time

from cluster import Api, Failed, Load, answers, apply, asks, conditions, connect, get, kubectl, request, wait_for
from drills import CONTROLLER, SYSTEM, controller_pods, drill, pods, ready
from shop import GATEWAY_API, HOST, NAMESPACE, gateway, meta, route
from shop import address as address_of

# One for each drill that needs another namespace: none waits for the end of the last one's.
OTHER, RESTRICTED = "meshctl-drill-other", "meshctl-drill-restricted"
STATE = pathlib.Path(os.environ.get("MESHCTL_CLUSTER_DIR", "/run/meshctl-cluster"))
HTTPROUTES = f"/apis/{GATEWAY_API}/namespaces/{NAMESPACE}/httproutes"
GRANTS = "/apis/gateway.networking.k8s.io/v1beta1/namespaces/%s/referencegrants"
MERGE = "application/merge-patch+json"


def named(namespace, **labels):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}


def drop(namespace):
    """Its end is waited for when all drills are over."""
    kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


def within(namespace, made):
    made["metadata"]["namespace"] = namespace
    return made


def programmed(name, namespace, seconds=60):
    """The address of a Gateway of any namespace."""

    def look():
        status = get("gateway", name, "-n", namespace).get("status", {})
        if conditions(status).get("Programmed") != "True":
            raise Failed(json.dumps(conditions(status)))
        return status["addresses"][0]["value"]

    return wait_for(f"Gateway {namespace}/{name} is programmed", look, seconds)


# --- pods ---------------------------------------------------------------------------------------


@drill
def restricted_pods(address, options):
    """A namespace that enforces `restricted` takes a Gateway's pods, and the kernel says why."""
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    apply(named(RESTRICTED, **enforced), within(RESTRICTED, gateway("front")))
    try:
        programmed("front", RESTRICTED)
        proxies = pods(RESTRICTED, "gateway.networking.k8s.io/gateway-name=front")
        if not [pod for pod in proxies if ready(pod)]:
            raise Failed("the Gateway is programmed, and none of its pods is ready")
        looked = [looks_restricted(pod) for pod in [*proxies, *controller_pods()]]
    finally:
        drop(RESTRICTED)
    if not any(looked):
        return "admitted and ready; the containers are not on this machine"
    return f"admitted and ready; {sum(looked)} processes of proxies and controllers looked at"


def looks_restricted(pod):
    """Whether the container's process is there to be looked at; what it may not be, it isn't."""
    container = pod["status"]["containerStatuses"][0]["containerID"].split("//")[1]
    group = f"/{container}"
    for process in pathlib.Path("/proc").iterdir():
        try:
            if not process.name.isdigit() or group not in (process / "cgroup").read_text():
                continue
            status = dict(
                line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line
            )
            root = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
        except (OSError, ValueError):
            continue
        wrong = [f"{name} {status[name]}" for name in ("Uid", "Gid") if "0" in status[name].split()]
        wrong += [f"{name} {status[name]}" for name in status if name.startswith("Cap") and int(status[name], 16)]
        if status["NoNewPrivs"] != "1":
            wrong.append("it may gain privileges")
        if status["Seccomp"] != "2":
            wrong.append("no seccomp filter")
        if not any(mount[4] == "/" and "ro" in mount[5].split(",") for mount in root):
            wrong.append("its root can be written to")
        if wrong:
            raise Failed(f"{pod['metadata']['name']}: {', '.join(wrong)}")
        return True
    return False


# --- grants -------------------------------------------------------------------------------------


def grant(name, to, from_kind="HTTPRoute", from_namespace=NAMESPACE, from_group="gateway.networking.k8s.io"):
    group, kind, *only = to
    target = {"group": group, "kind": kind, **({"name": only[0]} if only else {})}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": name},
        "spec": {
            "from": [{"group": from_group, "kind": from_kind, "namespace": from_namespace}],
            "to": [target],
        },
    }


SERVICE, BACKEND, SECRET = ("", "Service"), ("meshctl.dev", "Backend"), ("", "Secret")
GATEWAY = {"from_kind": "Gateway"}
# What is referred to, the grant and the namespace that it is in, and whether it is one.
GRANT_CASES = [
    ("service", None, OTHER, False),
    ("service", grant("one", SERVICE), OTHER, True),
    ("service", grant("one", (*SERVICE, "echo")), OTHER, True),
    ("service", grant("one", (*SERVICE, "another")), OTHER, False),
    ("service", grant("one", SECRET), OTHER, False),
    ("service", grant("one", ("meshctl.dev", "Service")), OTHER, False),
    ("service", grant("one", BACKEND), OTHER, False),
    ("service", grant("one", SERVICE, from_kind="GRPCRoute"), OTHER, False),
    ("service", grant("one", SERVICE, from_namespace=OTHER), OTHER, False),
    ("service", grant("one", SERVICE, from_group="meshctl.dev"), OTHER, False),
    ("service", grant("one", SERVICE), NAMESPACE, False),
    ("backend", None, OTHER, False),
    ("backend", grant("one", (*BACKEND, "outside")), OTHER, True),
    ("backend", grant("one", SERVICE), OTHER, False),
    ("backend", grant("one", (*BACKEND, "another")), OTHER, False),
    ("secret", None, OTHER, False),
    ("secret", grant("one", (*SECRET, "tls"), **GATEWAY), OTHER, True),
    ("secret", grant("one", (*SECRET, "another"), **GATEWAY), OTHER, False),
    ("secret", grant("one", ("", "ConfigMap"), **GATEWAY), OTHER, False),
    ("secret", grant("one", SECRET), OTHER, False),
    ("secret", grant("one", SECRET, from_namespace=OTHER, **GATEWAY), OTHER, False),
]


@drill
def grants(address, options):
    """Only a ReferenceGrant opens another namespace, and no longer than it is there."""
    api = Api()
    guarded = open_guarded()
    try:
        for kind, given, namespace, opens in GRANT_CASES:
            with_grant(api, given, namespace, lambda: is_open(guarded, kind, opens, given))
        for kind in ("service", "backend"):
            given = grant("one", SERVICE if kind == "service" else BACKEND)
            revoked(api, guarded, kind, given)
        selector_changed(api, guarded)
    finally:
        for name in ("service", "backend"):
            kubectl("delete", "httproute", f"guarded-{name}", "-n", NAMESPACE, "--ignore-not-found")
        kubectl("delete", "gateway", "guarded", "-n", NAMESPACE, "--ignore-not-found")
        drop(OTHER)
    return f"{len(GRANT_CASES)} grants, 2 revoked under an open connection, 1 selector"


def open_guarded():
    endpoints = [pod["status"]["podIP"] for pod in pods(NAMESPACE, "app=echo") if ready(pod)]
    made = gateway("guarded", hostname="*.guarded.example")
    selected = {"from": "Selector", "selector": {"matchLabels": {"drill": "welcome"}}}
    made["spec"]["listeners"] += [
        {
            "name": "https",
            "port": 443,
            "protocol": "HTTPS",
            "tls": {"certificateRefs": [{"name": "tls", "namespace": OTHER}]},
        },
        {
            "name": "selected",
            "port": 80,
            "protocol": "HTTP",
            "hostname": "*.selected.example",
            "allowedRoutes": {"namespaces": selected},
        },
    ]
    service = {"name": "echo", "namespace": OTHER, "port": 80}
    outside = {"group": "meshctl.dev", "kind": "Backend", "name": "outside", "namespace": OTHER}
    selected_route = within(OTHER, route("selected", "a.selected.example", "guarded"))
    selected_route["spec"]["parentRefs"][0]["namespace"] = NAMESPACE
    apply(named(OTHER), *elsewhere(endpoints), made, selected_route)
    for name, reference in (("service", service), ("backend", outside)):
        one = route(f"guarded-{name}", f"{name}.guarded.example", "guarded")
        one["spec"]["rules"][0]["backendRefs"] = [reference]
        apply(one)
    found = address_of("guarded")[0]
    wait_for("the Gateway answers", lambda: answers((found, 80), "service.guarded.example", status=500), 60)
    return found


def elsewhere(endpoints):
    """A Service, a Backend and a certificate in the other namespace."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-subj", "/CN=guarded.example", "-days", "2", "-keyout", f"{folder}/key", "-out", f"{folder}/crt"],
            check=True, capture_output=True,
        )  # fmt: skip
        data = {f"tls.{part}": base64.b64encode(pathlib.Path(folder, part).read_bytes()).decode() for part in ("crt", "key")}
    there = {"namespace": OTHER}
    service = {"kubernetes.io/service-name": "echo"}
    return [
        {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "tls", **there}, "data": data},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "echo", **there}, "spec": {"ports": [{"port": 80}]}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "echo", **there, "labels": service},
            "addressType": "IPv4",
            "ports": [{"port": 3000}],
            "endpoints": [{"addresses": [ip]} for ip in endpoints],
        },
        {
            "apiVersion": "meshctl.dev/v1alpha1",
            "kind": "Backend",
            "metadata": {"name": "outside", **there},
            "spec": {"endpoints": [f"{ip}:3000" for ip in endpoints]},
        },
    ]


def with_grant(api, given, namespace, check):
    if given:
        api.ask("POST", GRANTS % namespace, given)
    try:
        check()
    finally:
        if given:
            api.ask("DELETE", f"{GRANTS % namespace}/one")


def is_open(guarded, kind, opens, given):
    what = f"{kind} with {json.dumps(given['spec']) if given else 'no grant'}"
    wait_for(f"{what} is {'open' if opens else 'closed'}", lambda: told(guarded, kind) == opens, 10, every=0.02)
    if not opens:
        # It was closed before as well: it is to stay so after the grant was read.
        time.sleep(0.3)
        if told(guarded, kind):
            raise Failed(f"{what} opened later")


def told(guarded, kind):
    """Whether what is referred to can be reached; the status has to say the same."""
    if kind == "secret":
        listeners = get("gateway", "guarded", "-n", NAMESPACE)["status"]["listeners"]
        entry = next(one for one in listeners if one["name"] == "https")
        opened = shakes_hands(guarded)
    else:
        entry = get("httproute", f"guarded-{kind}", "-n", NAMESPACE)["status"]["parents"][0]
        status = asks((guarded, 80), f"{kind}.guarded.example")
        if status not in (200, 500):
            raise Failed(f"{kind}: {status}")
        opened = status == 200
    said = conditions(entry)["ResolvedRefs"]
    if said != ("True" if opened else "False RefNotPermitted"):
        raise Failed(f"{kind}: it is {'open' if opened else 'closed'}, and ResolvedRefs is {said}")
    return opened


def shakes_hands(guarded):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(guarded, 443, context=context, timeout=2)
    try:
        connection.connect()
        return True
    except OSError:
        return False
    finally:
        connection.close()


def revoked(api, guarded, kind, given):
    """A connection that was let in is refused with its next request."""
    host = f"{kind}.guarded.example"
    with_grant(api, given, OTHER, lambda: is_open(guarded, kind, True, given))
    # Until its removal has arrived, what answers is the grant of before.
    wait_for("it is closed", lambda: answers((guarded, 80), host, status=500), 10, every=0.02)
    api.ask("POST", GRANTS % OTHER, given)
    wait_for("it is open again", lambda: answers((guarded, 80), host), 10, every=0.02)
    connection = connect((guarded, 80))
    try:
        if request(connection, host) != 200:
            raise Failed("the open connection is not let in")
        api.ask("DELETE", f"{GRANTS % OTHER}/one")
        wait_for("the open connection is refused", lambda: request(connection, host) == 500, 5, every=0.02)
    finally:
        connection.close()


def selector_changed(api, guarded):
    """A namespace that a listener no longer selects loses its routes."""
    path, host = f"/api/v1/namespaces/{OTHER}", "a.selected.example"

    def attached(status, said):
        entry = get("httproute", "selected", "-n", OTHER)["status"]["parents"][0]
        return asks((guarded, 80), host) == status and conditions(entry)["Accepted"] == said

    no = "False NotAllowedByListeners"
    wait_for("the route is kept out", lambda: attached(404, no), 10)
    api.ask("PATCH", path, {"metadata": {"labels": {"drill": "welcome"}}}, MERGE)
    wait_for("the route is let in", lambda: attached(200, "True"), 10)
    connection = connect((guarded, 80))
    try:
        request(connection, host)
        api.ask("PATCH", path, {"metadata": {"labels": {"drill": None}}}, MERGE)
        wait_for("the open connection finds no route", lambda: request(connection, host) == 404, 5, every=0.02)
    finally:
        connection.close()
    wait_for("the route is kept out again", lambda: attached(404, no), 10)
