"""Commands that look into a cluster, on a real one: they find what is there, what was planted, and
nothing where there is nothing. `MESHCTL` names the binary, else it is the one on the path."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile
import time

from cluster import Failed, answers, apply, get, kubectl, wait_for
from drills import CONTROLLER, SYSTEM, controller_pods, drill, pods, ready
from shop import HOST, NAMESPACE, gateway, meta, route

MESHCTL = os.environ.get("MESHCTL", "meshctl")
EXPIRED = pathlib.Path(__file__).resolve().parents[1] / "cases/check/mc0114-certificate-expired/in/mesh.yaml"
ROLES = f"clusterrole/{CONTROLLER}"


def meshctl(*arguments, env=None):
    """Runs a command away from any mesh directory."""
    return subprocess.run(
        [MESHCTL, *arguments], cwd="/", text=True, capture_output=True, check=False,
        env={**os.environ, **(env or {})},
    )


def told(*arguments, code=0):
    done = meshctl(*arguments, "-o", "json")
    if done.returncode != code:
        raise Failed(f"meshctl {' '.join(arguments)}: exit code {done.returncode}, {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def proxies():
    return pods(NAMESPACE, "gateway.networking.k8s.io/gateway-name=front")


def found(expected, *arguments):
    """What `check` says of the first that begins so, once it does."""

    def seen():
        lines = meshctl("check", "-q", *arguments).stdout.splitlines()
        return next((line for line in lines if line.startswith(expected)), None)

    return wait_for(f"check says `{expected}`", seen, 60, every=0.5)


def lines_are(what, lines, parts):
    for part in parts:
        if part not in lines:
            raise Failed(f"{what} does not say `{part}`: {lines}")


@drill
def check_is_silent(_address, _options):
    """A healthy cluster has nothing to be told about."""

    def silent():
        done = meshctl("check", "-q")
        if done.returncode != 0 or done.stdout:
            raise Failed(f"exit code {done.returncode}: {done.stdout}{done.stderr}")
        return True

    # What drills before this one did is still on its way.
    wait_for("check finds nothing", silent, 90, every=1)
    rows = {row["what"]: row for row in told("check")["needs"]}
    bad = [row for row in rows.values() if row["state"] != "good"]
    missing = {"version", "permissions", "leader", "certificates", "proxies"} - rows.keys()
    if bad or missing:
        raise Failed(f"bad: {bad}, missing: {missing}")
    version = told("version")
    if version["cluster"]["controller"] != version["version"] or version["cluster"]["skew"]:
        raise Failed(f"version: {version}")
    return f"{len(rows)} things are good: {', '.join(rows)}"


@drill
def status_lists_proxies(address, _options):
    """Every pod of a Gateway is listed, those that serve as synced."""
    for _ in range(20):
        answers(address, HOST)

    def synced():
        seen = {one["name"]: one for one in told("proxy", "status", "-n", NAMESPACE)["proxies"]}
        wanted = {f"{NAMESPACE}/{pod['metadata']['name']}" for pod in proxies() if ready(pod)}
        ours = {name for name, one in seen.items() if one["gateway"] == f"{NAMESPACE}/front"}
        bad = [one for one in seen.values() if one["state"] != "synced"]
        asked = sum(one.get("report", {}).get("requests", 0) for one in seen.values())
        return ours == wanted and not bad and asked >= 20 and (seen, asked)

    seen, asked = wait_for("all proxies are synced, and tell their requests", synced, 60)
    names = meshctl("proxy", "status", "-n", NAMESPACE, "-o", "name").stdout.split()
    if sorted(seen) != names:
        raise Failed(f"{names} are not {sorted(seen)}")
    # Of this machine nothing runs, so that the cluster is what is asked.
    unasked = meshctl("proxy", "status")
    if unasked.returncode != 0 or any(name not in unasked.stdout for name in names):
        raise Failed(f"without -n: {unasked}")
    return f"{len(seen)} proxies are synced, with {asked} requests"


@drill
def config_of_a_pod(_address, _options):
    """The configuration of a pod has its route, and no secret."""
    with tempfile.TemporaryDirectory() as directory:
        key, certificate = f"{directory}/key.pem", f"{directory}/cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", certificate, "-days", "365", "-subj", "/CN=shop.example"],
            check=True, capture_output=True,
        )
        kubectl("create", "secret", "tls", "shop-tls", "-n", NAMESPACE, "--cert", certificate, "--key", key)
        lines = [line for line in pathlib.Path(key).read_text(encoding="utf-8").splitlines() if "--" not in line]
    secure = gateway("secure")
    secure["spec"]["listeners"] = [
        {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "shop-tls"}]}}
    ]
    apply(secure, route("secure", "secure.example", "secure"))
    try:
        wanted = {f"HTTPRoute {NAMESPACE}/secure#0", f"Secret {NAMESPACE}/shop-tls"}

        def configured():
            pod = pods(NAMESPACE, "gateway.networking.k8s.io/gateway-name=secure")[0]["metadata"]["name"]
            config = told("proxy", "config", f"{NAMESPACE}/{pod}")
            return wanted <= {part["key"] for part in config["parts"]} and (pod, config)

        pod, config = wait_for("the pod has its route and certificate", configured, 60)
        text = json.dumps(config)
        if any(line in text for line in lines) or "(masked)" not in text:
            raise Failed("the configuration shows the private key")
        if told("proxy", "config", pod, "-n", NAMESPACE) != config:
            raise Failed("-n names another pod than NAMESPACE/POD")
    finally:
        kubectl("delete", "-n", NAMESPACE, "gateway/secure", "httproute/secure", "secret/shop-tls", "--wait=false")
    absent = meshctl("proxy", "config", f"{NAMESPACE}/absent")
    if absent.returncode != 4 or "there is no pod" not in absent.stderr:
        raise Failed(f"a pod that isn't there: {absent}")
    return f"{len(config['parts'])} parts, keys masked"


@contextlib.contextmanager
def somebody(*resources, verbs=("get", "list"), roles=()):
    """A kubeconfig of one who may do this to these, what the roles allow, and no more."""
    rights = {"apiGroups": ["*"], "resources": resources, "verbs": verbs}
    account = {"kind": "ServiceAccount", "name": "looker", "namespace": NAMESPACE}
    group = "rbac.authorization.k8s.io"
    own = "meshctl-drill-looker"
    bindings = [
        {"apiVersion": f"{group}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": f"{own}-{role}"},
         "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role}, "subjects": [account]}
        for role in (own, *roles)
    ]
    apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("looker")},
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": own}, "rules": [rights]},
        *bindings,
    )
    try:
        config = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        token = kubectl("create", "token", "looker", "-n", NAMESPACE).strip()
        config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(config, file)
            file.flush()
            yield {"KUBECONFIG": file.name}
    finally:
        kubectl("delete", "clusterrolebinding", *(one["metadata"]["name"] for one in bindings))
        kubectl("delete", "clusterrole", own)


@drill
def leader_knows_all_proxies(_address, _options):
    """Wherever proxies are connected, the replica that leads knows them, and so does the next."""
    fleet = gateway("told")
    fleet["spec"]["infrastructure"] = {"parametersRef": {"group": "meshctl.dev", "kind": "MeshConfig", "name": "told"}}
    config = {"deployment": {"replicas": 3, "serviceType": "ClusterIP"}}
    apply({"apiVersion": "meshctl.dev/v1alpha1", "kind": "MeshConfig", "metadata": meta("told"), "spec": config}, fleet)
    try:
        wait_for("3 proxies are ready", lambda: len(ready_of("told")) == 3, 60)
        # Which replica a proxy comes to is kube-proxy's choice.
        for _ in range(10):
            own, others = wait_for("the leader knows all proxies", known, 30)
            if others:
                break
            kubectl("delete", "pod", min(ready_of("told")), "-n", NAMESPACE)
            wait_for("3 proxies are ready", lambda: len(ready_of("told")) == 3, 60)
        else:
            raise Failed("no proxy came to the replica that doesn't lead")
        leader = lease_holder()
        kubectl("delete", "pod", leader, "-n", SYSTEM, "--grace-period=0", "--force")
        started = time.monotonic()
        wait_for("another leads", lambda: lease_holder() not in ("", leader), 60)
        wait_for("it knows all proxies", known, 60)
        took = time.monotonic() - started
        wait_for("the controllers are back", lambda: len([pod for pod in controller_pods() if ready(pod)]) == 2, 120)
    finally:
        kubectl("delete", "gateway/told", "meshconfig/told", "-n", NAMESPACE, "--wait=false")
    return f"{len(own)} of its own and {len(others)} of another's; the next knew all of them after {took:.1f} s"


def ready_of(name):
    found = pods(NAMESPACE, f"gateway.networking.k8s.io/gateway-name={name}")
    return [pod["metadata"]["name"] for pod in found if ready(pod) and "deletionTimestamp" not in pod["metadata"]]


def lease_holder():
    return get("lease", CONTROLLER, "-n", SYSTEM)["spec"].get("holderIdentity", "")


def known():
    """The proxies that talk to the leader, and those of which another tells it that they serve what
    was told last; nothing before these are all of the Gateway's."""
    text = kubectl("exec", lease_holder(), "-n", SYSTEM, "--", "/meshctl", "controller", "status", "-o", "json")
    picture = json.loads(text)
    own = {one["name"] for one in picture["proxies"] if one["acknowledged"] == one["generation"]}
    others = {one["name"] for one in picture["others"] if one["heard"] and one["synced"]}
    wanted = {f"{NAMESPACE}/{name}" for name in ready_of("told")}
    if not picture["leading"] or len(wanted) < 3 or not wanted <= own | others or own & others:
        raise Failed(f"of {sorted(wanted)} the leader knows {sorted(own)} and {sorted(others)}")
    return own & wanted, others & wanted


@drill
def who_may_not_enter_pods(_address, _options):
    """Without `pods/exec` the commands name what is missing."""
    pod = f"{NAMESPACE}/{proxies()[0]['metadata']['name']}"
    with somebody("pods") as env:
        for command in (["proxy", "status", "-A"], ["proxy", "config", pod]):
            done = meshctl(*command, env=env)
            if done.returncode != 4 or "pods/exec" not in done.stderr or "tip:" not in done.stderr:
                raise Failed(f"meshctl {' '.join(command)}: {done}")
    return "pods/exec is named"


@drill
def check_without_secrets(_address, _options):
    """What may not be asked for is said to be unknown, and nothing is taken for missing."""
    readable = [
        "backends", "backendtlspolicies", "customresourcedefinitions", "deployments", "endpointslices",
        "gatewayclasses", "gateways", "grpcroutes", "httproutes", "leases", "listenersets", "meshconfigs",
        "namespaces", "pods", "referencegrants", "services", "trafficpolicies",
        "trafficrollouts",
    ]
    secure = gateway("unread")
    secure["spec"]["listeners"] = [
        {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "unread"}]}}
    ]
    # To those who may read it, it is missing.
    apply(secure)
    try:
        found(f"Gateway {NAMESPACE}/unread: error[MC0110]")
        with somebody(*readable) as env:
            done = meshctl("check", "-q", env=env)
        lines_are("check", done.stdout, ["permissions: unknown", f"Secret {NAMESPACE}/unread"])
        if "MC0110" in done.stdout or done.stderr:
            raise Failed(f"{done}")
    finally:
        kubectl("delete", "-n", NAMESPACE, "gateway/unread", "--wait=false")
    return "permissions and secrets are unknown"


@drill
def check_finds_what_is_planted(_address, _options):
    """A route without a parent, an old certificate, an image that nobody has, a Gateway without an
    address, a right that was taken away."""
    old = [one for one in read(EXPIRED) if one["kind"] == "Secret"][0]
    old["metadata"] = meta("old")
    shown = gateway("old")
    shown["spec"]["listeners"] = [
        {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "old"}]}}
    ]
    nowhere = gateway("nowhere")
    # An address for examples, which no cluster gives.
    nowhere["spec"]["addresses"] = [{"type": "IPAddress", "value": "192.0.2.77"}]
    apply(old, shown, nowhere, route("orphan", "orphan.example", "absent"))
    said = []
    try:
        orphan = found(f"HTTPRoute {NAMESPACE}/orphan: error[MC0120]")
        lines_are("the orphan", orphan, [f"Gateway {NAMESPACE}/absent does not exist"])
        said.append("orphan")
        expired = found(f"certificate {NAMESPACE}/old: wrong")
        lines_are("the certificate", expired, ["expired on", "renew it"])
        said.append("expired certificate")
        lost = found(f"Gateway {NAMESPACE}/nowhere: wrong")
        lines_are("the Gateway", lost, ["192.0.2.77"])
        said.append("no address")
        if meshctl("check", "-q").returncode != 1:
            raise Failed("errors are no exit code 1")
        unpullable()
        said.append("image")
        right_taken()
        said.append("right")
    finally:
        kubectl(
            "delete", "-n", NAMESPACE, "gateway/old", "gateway/nowhere", "httproute/orphan", "secret/old",
            "--wait=false",
        )
    return "found: " + ", ".join(said)


def read(file):
    """The objects of a file, which needs no cluster to be valid there."""
    text = kubectl("create", "--dry-run=client", "--validate=false", "-f", str(file), "-o", "json")
    decoder, objects = json.JSONDecoder(), []
    while text.strip():
        one, end = decoder.raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        objects.extend(one.get("items", [one]))
    return objects


def unpullable():
    """A proxy's pod with an image that is nowhere, as after an `--image` with a slip in it."""
    labels = {
        "app.kubernetes.io/name": "meshctl",
        "app.kubernetes.io/component": "proxy",
        "gateway.networking.k8s.io/gateway-name": "front",
    }
    container = {"name": "proxy", "image": "meshctl.invalid/meshctl:none", "imagePullPolicy": "IfNotPresent"}
    apply({
        "apiVersion": "v1", "kind": "Pod", "metadata": meta("unpullable", labels=labels),
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    })
    try:
        line = found(f"Pod {NAMESPACE}/unpullable: wrong")
        lines_are(
            "the pod", line,
            ["ImagePull", "meshctl image save --tag meshctl.invalid/meshctl:none", "--image-pull-secret"],
        )
        seen = told("proxy", "status", "unpullable", "-n", NAMESPACE, code=1)["proxies"]
        if seen[0]["state"] != "starting" or "ImagePull" not in seen[0]["trouble"]:
            raise Failed(f"status says {seen}")
    finally:
        kubectl("delete", "pod", "unpullable", "-n", NAMESPACE, "--wait=true")


def right_taken():
    """The controller's last right, whatever it is, is missed and given back."""
    role = get(ROLES)
    rules = role["rules"]
    taken = rules[-1]
    change = [{"op": "remove", "path": f"/rules/{len(rules) - 1}"}]
    kubectl("patch", ROLES, "--type=json", "-p", json.dumps(change))
    try:
        line = found("permissions: wrong")
        name = f"{taken['verbs'][0]} {taken['resources'][0]}.{taken['apiGroups'][0]}"
        lines_are("the right", line, [name, "meshctl install"])
    finally:
        change = [{"op": "add", "path": "/rules/-", "value": taken}]
        kubectl("patch", ROLES, "--type=json", "-p", json.dumps(change))
