"""The drill that looks back: what the controller may do is what it did."""

import base64
import json
import os
import pathlib
import subprocess
import tempfile

from cluster import Failed, apply, conditions, get, kubectl, wait_for
from drills import CONTROLLER, SYSTEM, controller_pods, drill, ready
from shop import GATEWAY_API, NAMESPACE, gateway, meta, route

STATE = pathlib.Path(os.environ.get("MESHCTL_CLUSTER_DIR", "/run/meshctl-cluster"))
WHO = f"system:serviceaccount:{SYSTEM}:{CONTROLLER}"
AUTHORITY = "meshctl-controller-authority"


@drill
def least_privilege(address, options):
    """The API server's audit log shows each right used, and nothing tried that there is no right to."""
    log = STATE / "audit.log"
    if not log.is_file():
        return "LEFT OUT: the cluster's audit log is not on this machine"
    provoke()
    granted = {right for role in ("clusterrole", "role") for right in rights(role)}
    used, forbidden = look_back(log)
    if forbidden:
        raise Failed(f"tried without a right to it: {'; '.join(sorted(forbidden))}")
    unused = sorted(" ".join(right) for right in granted - used)
    if unused:
        raise Failed(f"granted and never used: {'; '.join(unused)}")
    return f"{len(granted)} rights, each used; nothing else tried"


def rights(role):
    """(role, verb, group, resource, name) of each that is granted."""
    for rule in read(role)["rules"]:
        for verb in rule["verbs"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for name in rule.get("resourceNames", [""]):
                        yield role, verb, group, resource, name


def read(role, *options):
    place = ["-n", SYSTEM] if role == "role" else []
    return get(role, CONTROLLER, *place, *options)


def changed(role):
    fields = read(role, "--show-managed-fields")["metadata"]["managedFields"]
    # In whole seconds: without the `Z`, what happened in the same one comes after it.
    return max(one["time"] for one in fields).removesuffix("Z")


def look_back(log):
    """What was allowed by which of our roles since they are there, and what was not since they are
    what they are: another drill takes a right away for a moment."""
    roles = ("clusterrole", "role")
    names = {right[4] for role in roles for right in rights(role) if right[4]}
    made = max(read(role)["metadata"]["creationTimestamp"] for role in roles).removesuffix("Z")
    since = max(map(changed, roles))
    used, forbidden = set(), set()
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            # Nearly all others are somebody else's.
            if WHO not in line:
                continue
            event = json.loads(line)
            if event["user"]["username"] != WHO or "objectRef" not in event:
                continue
            at = event["requestReceivedTimestamp"]
            if at < made:
                continue
            subject, notes = event["objectRef"], event.get("annotations", {})
            resource = "/".join(filter(None, [subject["resource"], subject.get("subresource")]))
            what = (event["verb"], subject.get("apiGroup", ""), resource)
            if notes.get("authorization.k8s.io/decision") == "forbid":
                if at > since:
                    forbidden.add(f"{' '.join(what)} in {subject.get('namespace', 'the cluster')}")
                continue
            reason = notes.get("authorization.k8s.io/reason", "")
            role = "clusterrole" if f'ClusterRole "{CONTROLLER}"' in reason else "role"
            name = subject.get("name", "")
            used.add((role, *what, name if name in names else ""))
            used.add((role, *what, ""))
            # To apply what isn't there yet is to create it, which is asked about without a line.
            if event["verb"] == "patch" and event.get("responseStatus", {}).get("code") == 201:
                used.add((role, "create", *what[1:], ""))
    return used, forbidden


def provoke():
    """What neither the suite nor other drills do every time."""
    apply(
        of_class("meshctl-drill"),
        gateway("rights", "meshctl-drill"),
        *statuses(),
    )
    try:
        wait_for("the class is accepted", lambda: is_accepted("gatewayclass", "meshctl-drill"), 30)
        for kind, name in (("gateway", "rights"), ("listenerset", "rights"), ("grpcroute", "rights"), ("httproute", "rights")):
            wait_for(f"{kind} {name} has a status", lambda kind=kind, name=name: has_status(kind, name), 30)
        for kind in ("backendtlspolicy", "trafficpolicies.meshctl.dev"):
            wait_for(f"{kind} has a status", lambda kind=kind: has_status(kind, "rights"), 30)
        # The Gateway has a budget with two replicas, none with one, and nothing with another class.
        fleet = ["-n", NAMESPACE, "-l", "gateway.networking.k8s.io/gateway-name=rights"]
        wait_for("there is a budget", lambda: get("poddisruptionbudgets", *fleet)["items"], 30)
        kubectl("patch", "meshconfig", "rights", "-n", NAMESPACE, "--type=merge", "-p", '{"spec":{"deployment":{"replicas":1}}}')
        wait_for("the budget is gone", lambda: not get("poddisruptionbudgets", *fleet)["items"], 30)
        kubectl("patch", "gateway", "rights", "-n", NAMESPACE, "--type=merge", "-p", '{"spec":{"gatewayClassName":"meshctl-shared"}}')
        kinds = "deployments,services,configmaps,serviceaccounts"
        wait_for("its own proxies are gone", lambda: not get(kinds, *fleet)["items"], 30)
        renew()
    finally:
        kubectl("delete", "gatewayclass", "meshctl-drill", "--ignore-not-found")
        kinds = "gateway,listenerset,grpcroute,httproute,backendtlspolicy,trafficpolicies.meshctl.dev,meshconfig"
        kubectl("delete", kinds, "rights", "-n", NAMESPACE, "--ignore-not-found", "--wait=false")
    # A new Lease and a new authority are made where there is none.
    kubectl("delete", "lease", CONTROLLER, "-n", SYSTEM)
    wait_for("there is a Lease again", lambda: get("lease", CONTROLLER, "-n", SYSTEM), 30)


def of_class(name):
    spec = {"controllerName": "meshctl.dev/gateway-controller"}
    return {"apiVersion": GATEWAY_API, "kind": "GatewayClass", "metadata": {"name": name}, "spec": spec}


def is_accepted(kind, name):
    return conditions(get(kind, name)["status"]).get("Accepted") == "True"


def has_status(kind, name):
    status = get(kind, name, "-n", NAMESPACE).get("status", {})
    entries = status.get("parents", status.get("ancestors", [status]))
    return any("Accepted" in conditions(one) for one in entries)


def statuses():
    """Of each kind that is told something, one object."""
    target = {"group": "", "kind": "Service", "name": "echo"}
    authority = {"validation": {"hostname": "echo.example", "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "rights"}]}}
    grpc = route("rights", "grpc.rights.example", "rights")
    grpc["kind"] = "GRPCRoute"
    parent = {"name": "rights"}
    listeners = [{"name": "more", "port": 8080, "protocol": "HTTP"}]
    infrastructure = {"parametersRef": {"group": "meshctl.dev", "kind": "MeshConfig", "name": "rights"}}
    allows = {"namespaces": {"from": "Same"}}
    front = gateway("rights", "meshctl-drill")
    front["spec"] |= {"infrastructure": infrastructure, "allowedListeners": allows}
    own = lambda kind, version, spec: {"apiVersion": version, "kind": kind, "metadata": meta("rights"), "spec": spec}  # noqa: E731
    return [
        own("MeshConfig", "meshctl.dev/v1alpha1", {"deployment": {"replicas": 2}}),
        front,
        own("ListenerSet", GATEWAY_API, {"parentRef": parent, "listeners": listeners}),
        grpc,
        route("rights", "rights.example", "rights"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("rights"), "data": {"ca.crt": "none"}},
        own("BackendTLSPolicy", GATEWAY_API, {"targetRefs": [target], **authority}),
        own("TrafficPolicy", "meshctl.dev/v1alpha1", {"targetRefs": [{**target, "name": "echo"}], "timeouts": {"connect": "1s"}}),
    ]


CONFIG = """
[ca]
default_ca = drill
[drill]
database = {0}/index
serial = {0}/serial
new_certs_dir = {0}
default_md = sha256
policy = names
x509_extensions = authority
[names]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
"""


def renew():
    """An authority whose time is nearly over is made anew, with the same key, as controllers start."""
    secret = get("secret", AUTHORITY, "-n", SYSTEM)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "key").write_bytes(base64.b64decode(secret["data"]["ca.key"]))
        (folder / "config").write_text(CONFIG.format(folder))
        (folder / "index").touch()
        (folder / "serial").write_text("01\n")
        openssl("req", "-new", "-key", folder / "key", "-subj", f"/CN={AUTHORITY}", "-out", folder / "asked")
        openssl(
            "ca", "-batch", "-notext", "-selfsign", "-config", folder / "config", "-keyfile", folder / "key",
            "-startdate", "20200101000000Z", "-enddate", "20300101000000Z",
            "-in", folder / "asked", "-out", folder / "old",
        )  # fmt: skip
        old = base64.b64encode((folder / "old").read_bytes()).decode()
    kubectl("patch", "secret", AUTHORITY, "-n", SYSTEM, "--type=merge", "-p", json.dumps({"data": {"ca.crt": old}}))
    before = {pod["metadata"]["uid"] for pod in controller_pods()}
    kubectl("rollout", "restart", f"deployment/{CONTROLLER}", "-n", SYSTEM)
    kubectl("rollout", "status", f"deployment/{CONTROLLER}", "-n", SYSTEM, "--timeout=120s")
    now = get("secret", AUTHORITY, "-n", SYSTEM)["data"]
    if now["ca.crt"] == old or now["ca.key"] != secret["data"]["ca.key"]:
        raise Failed("the authority is not renewed, or has another key")
    if not [pod for pod in controller_pods() if ready(pod) and pod["metadata"]["uid"] not in before]:
        raise Failed("no new controller is ready")


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"openssl {arguments[0]}: {done.stderr.strip()}")
