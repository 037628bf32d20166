"""Drills on what a Gateway's proxies can be like, and on getting from one state to another under load."""

import json
import os
import pathlib
import subprocess
import time

from cluster import Api, Failed, Load, answers, apply, asks, conditions, get, kubectl, wait_for
from drills import CONTROLLER, HARNESS, SYSTEM, controller_pods, drill, pods, ready
from shop import GATEWAY_API, HOST, NAMESPACE, deployment, gateway, meta, route, service
from shop import address as address_of

FLEET = "gateway.networking.k8s.io/gateway-name="


def remove(kind, *names, namespace=NAMESPACE):
    kubectl("delete", kind, *names, "-n", namespace, "--ignore-not-found", "--wait=false")


def patch(kind, name, change, namespace=NAMESPACE):
    kubectl("patch", kind, name, "-n", namespace, "--type=merge", "-p", json.dumps(change))


@drill
def shared_class(address, options):
    """Two Gateways in one deployment: each answers, and one goes without the other. A Gateway that
    is called like the shared fleet has proxies of its own."""
    alike = gateway("meshctl-shared", "meshctl", "alike.example")
    alike["metadata"]["namespace"] = SYSTEM
    for name in ("one", "two"):
        apply(gateway(name, "meshctl-shared", f"*.{name}.example"), route(name, f"a.{name}.example", name))
    apply(alike)
    try:
        first, second = address_of("one"), address_of("two")
        if first != second:
            raise Failed(f"two addresses: {first} and {second}")
        for name in ("one", "two"):
            wait_for(f"{name} answers", lambda name=name: answers(first, f"a.{name}.example"), 30)
        wait_for("the one that is called alike has its own", lambda: own_address(SYSTEM, "meshctl-shared", first[0]), 60)
        with Load(first, "a.two.example") as load:
            time.sleep(0.5)
            remove("gateway", "one")
            wait_for("the deleted one is gone", lambda: answers(first, "a.one.example", status=404), 20)
            remove("gateway", "meshctl-shared", namespace=SYSTEM)
            time.sleep(1)
        load.check(at_least=50)
    finally:
        remove("gateway", "one", "two")
        remove("httproute", "one", "two")
        remove("gateway", "meshctl-shared", namespace=SYSTEM)
    return f"one address for both; {load.asked} requests to the one that stays, 0 failed"


def own_address(namespace, name, other):
    status = get("gateway", name, "-n", namespace).get("status", {})
    if conditions(status).get("Programmed") != "True":
        return False
    found = [one["value"] for one in status["addresses"]]
    if other in found:
        raise Failed(f"Gateway {namespace}/{name} has the address of the shared fleet")
    return True


@drill
def class_changes(address, options):
    """A Gateway goes from proxies of its own to the shared ones and back: nothing of it is left
    where it was, and who shares the proxies notices nothing."""
    apply(
        gateway("moves", hostname="*.moves.example"), route("moves", "a.moves.example", "moves"),
        gateway("keeps", "meshctl-shared", "*.keeps.example"), route("keeps", "a.keeps.example", "keeps"),
    )  # fmt: skip
    try:
        old, keeps = address_of("moves"), address_of("keeps")
        wait_for("it answers", lambda: answers(old, "a.moves.example"), 30)
        wait_for("its neighbour answers", lambda: answers(keeps, "a.keeps.example"), 30)
        with Load(keeps, "a.keeps.example") as load:
            to_shared = moves("meshctl-shared", lambda now: now == keeps)
            kinds = "deployments,services,serviceaccounts,configmaps"
            gone = lambda: not get(kinds, "-n", NAMESPACE, "-l", f"{FLEET}moves")["items"]  # noqa: E731
            wait_for("what was its own is gone", gone, 30)
            to_own = moves("meshctl", lambda now: now != keeps)
            wait_for("the shared ones know it no more", lambda: answers(keeps, "a.moves.example", status=404), 10)
        load.check(at_least=100)
    finally:
        remove("gateway", "moves", "keeps")
        remove("httproute", "moves", "keeps")
    return (
        f"answers after {to_shared:.1f} s by the shared proxies, after {to_own:.1f} s by its own again; "
        f"{load.asked} requests to its neighbour, 0 failed"
    )


def moves(class_name, is_there):
    """Seconds until the Gateway answers at the address that the class gives it."""
    started = time.monotonic()
    patch("gateway", "moves", {"spec": {"gatewayClassName": class_name}})

    def arrived():
        now = address_of("moves", seconds=1)
        return is_there(now) and answers(now, "a.moves.example")

    wait_for(f"it answers as one of {class_name}", arrived, 60)
    return time.monotonic() - started


@drill
def infrastructure(address, options):
    """What a Gateway and its MeshConfig ask for is what there is."""
    made = gateway("shaped")
    made["spec"]["infrastructure"] = {
        "labels": {"team": "drill"},
        "annotations": {"drill.example/note": "shaped"},
        "parametersRef": {"group": "meshctl.dev", "kind": "MeshConfig", "name": "shaped"},
    }
    spec = {"replicas": 2, "serviceType": "ClusterIP", "resources": {"requests": {"cpu": "11m", "memory": "33Mi"}}}
    config = {"apiVersion": "meshctl.dev/v1alpha1", "kind": "MeshConfig", "metadata": meta("shaped"), "spec": {"deployment": spec}}
    apply(config, made, route("shaped", "shaped.example", "shaped"))
    try:
        found = address_of("shaped")
        wait_for("it answers", lambda: answers(found, "shaped.example"), 30)
        fleet = get("deployments,services,serviceaccounts,poddisruptionbudgets,pods", "-n", NAMESPACE, "-l", f"{FLEET}shaped")
        by_kind = {}
        for one in fleet["items"]:
            by_kind.setdefault(one["kind"], []).append(one)
            if one["metadata"]["labels"].get("team") != "drill":
                raise Failed(f"{one['kind']} has not the Gateway's label")
            if one["metadata"].get("annotations", {}).get("drill.example/note") != "shaped":
                raise Failed(f"{one['kind']} has not the Gateway's annotation")
        count = {kind: len(those) for kind, those in by_kind.items()}
        if count != {"Deployment": 1, "Service": 1, "ServiceAccount": 1, "PodDisruptionBudget": 1, "Pod": 2}:
            raise Failed(f"there is {count}")
        if by_kind["Service"][0]["spec"]["type"] != "ClusterIP" or found[0] != by_kind["Service"][0]["spec"]["clusterIP"]:
            raise Failed("the Service is of another type, or its address is not the Gateway's")
        if by_kind["Pod"][0]["spec"]["containers"][0]["resources"]["requests"] != spec["resources"]["requests"]:
            raise Failed("the pods ask for other resources")
        with Load(found, "shaped.example") as load:
            patch("meshconfig", "shaped", {"spec": {"deployment": {"replicas": 1}}})
            one = lambda: len(pods(NAMESPACE, f"{FLEET}shaped")) == 1  # noqa: E731
            wait_for("one replica is left", one, 60)
        load.check(at_least=100)
        if get("poddisruptionbudgets", "-n", NAMESPACE, "-l", f"{FLEET}shaped")["items"]:
            raise Failed("a single pod has a budget: its node can never be emptied")
        static_address()
    finally:
        remove("gateway", "shaped", "asks")
        remove("httproute", "shaped")
        remove("meshconfig", "shaped")
    return f"labels, annotations, 2 replicas, resources, ClusterIP, budget; 2 → 1 replicas: {load.asked} requests, 0 failed"


def static_address():
    """An address that is asked for is had, or its absence is said."""
    current = get("service", "-n", NAMESPACE, "-l", f"{FLEET}front")["items"][0]["status"]["loadBalancer"]["ingress"][0]["ip"]
    wanted = current.rsplit(".", 1)[0] + ".200"
    made = gateway("asks")
    made["spec"]["addresses"] = [{"type": "IPAddress", "value": wanted}]
    apply(made)
    found = address_of("asks")[0]
    if found != wanted:
        raise Failed(f"asked for {wanted}, and got {found}")


@drill
def endpoints(address, options):
    """Headless Services are sent to, ExternalName is refused, and pods that end are left before
    they are gone."""
    headless = service("headless")
    headless["spec"] |= {"clusterIP": "None", "selector": {"app": "echo"}, "ports": [{"port": 3000}]}
    external = {"type": "ExternalName", "externalName": "echo.meshctl-drill.svc.cluster.local", "ports": [{"port": 80}]}
    to_headless = route("headless", "headless.example", "front", "headless")
    to_headless["spec"]["rules"][0]["backendRefs"][0]["port"] = 3000
    apply(
        headless, to_headless,
        {"apiVersion": "v1", "kind": "Service", "metadata": meta("external"), "spec": external},
        route("external", "external.example", "front", "external"),
    )  # fmt: skip
    try:
        wait_for("a headless Service answers", lambda: answers(address, "headless.example"), 15)
        wait_for("ExternalName is refused", lambda: asks(address, "external.example") == 500, 15)
        with Load(address, "headless.example") as load:
            for pod in pods(NAMESPACE, "app=echo"):
                kubectl("delete", "pod", pod["metadata"]["name"], "-n", NAMESPACE, "--wait=false")
                time.sleep(0.2)
                enough = lambda: len([p for p in pods(NAMESPACE, "app=echo") if ready(p) and "deletionTimestamp" not in p["metadata"]]) == 2  # noqa: E731
                wait_for("two are ready again", enough, 60)
        load.check(at_least=100)
    finally:
        remove("httproute", "headless", "external")
        remove("service", "headless", "external")
    return f"headless answers, ExternalName doesn't; both pods ended one after the other: {load.asked} requests, 0 failed"


@drill
def upgrade(address, options):
    """To another image, under load: controllers and proxies are exchanged, and nothing is lost."""
    meshctl = os.environ.get("MESHCTL")
    if not meshctl or not (HARNESS / "load").exists():
        return "LEFT OUT: MESHCTL names no binary to upgrade with"
    before = get("deployment", CONTROLLER, "-n", SYSTEM)["spec"]["template"]["spec"]["containers"][0]["image"]
    image = before.split(":")[0] + ":drill" if not before.endswith(":drill") else before + "-again"
    archive = pathlib.Path(os.environ.get("TMPDIR", "/tmp"), f"meshctl-drill-{os.getpid()}.tar")
    run(meshctl, "image", "save", "--tag", image, "--output", str(archive))
    try:
        run(str(HARNESS / "load"), str(archive))
    finally:
        archive.unlink()
    planned = run(meshctl, "upgrade", "--plan", "--image", image)
    if "the image changes" not in planned:
        raise Failed(f"the plan says nothing of the image: {planned}")
    try:
        with Load(address, HOST) as load:
            time.sleep(0.5)
            run(meshctl, "upgrade", "--image", image, "--wait")
            wait_for("controllers and proxies are exchanged", lambda: all_run(image), 120)
            time.sleep(2)
        load.check(at_least=100)
    finally:
        run(meshctl, "upgrade", "--image", before, "--wait")
        wait_for("they are as before", lambda: all_run(before), 120)
    return f"to another image and back; {load.asked} requests, 0 failed"


def all_run(image):
    """All that are not about to end, and one at the least of each."""
    for found in (controller_pods(), pods(NAMESPACE, f"{FLEET}front")):
        images = {pod["spec"]["containers"][0]["image"] for pod in found if "deletionTimestamp" not in pod["metadata"]}
        if images != {image} or not all(map(ready, found)):
            return False
    return True


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{pathlib.Path(command[0]).name} {' '.join(command[1:])}: {(done.stderr or done.stdout).strip()}")
    return done.stdout + done.stderr
