"""Drills on rollouts that the controller runs: under load, with controllers that die, with a bad version
and with somebody who edits the same route."""

import contextlib
import json
import subprocess
import threading
import time

from cluster import Api, Failed, Load, answers, apply, get, kubectl, wait_for
from drills import CONTROLLER, HARNESS, SYSTEM, controller_pods, drill, pods, ready
from shop import GATEWAY_API, NAMESPACE, deployment, meta, route, service

HOST = "rollout.example"
ROUTES = f"/apis/{GATEWAY_API}/namespaces/{NAMESPACE}/httproutes"
ROLLOUTS = f"/apis/meshctl.dev/v1alpha1/namespaces/{NAMESPACE}/trafficrollouts"
MERGE = "application/merge-patch+json"


def rollout(name, kind="HTTPRoute", **more):
    stable, canary = ({"name": one, "port": 80} for one in ("echo", "echo-v2"))
    steps = [{"weight": weight} for weight in (10, 50)]
    gates = {"errorRate": {"max": "1%"}, "minRequests": 20}
    return {
        "apiVersion": "meshctl.dev/v1alpha1",
        "kind": "TrafficRollout",
        "metadata": meta(name),
        "spec": {
            "targetRef": {"group": "gateway.networking.k8s.io", "kind": kind, "name": name},
            "canary": {"stable": stable, "canary": canary, "steps": steps, "interval": "1s", "gates": gates},
            **more,
        },
    }


@contextlib.contextmanager
def two_versions(*others):
    """The second version beside the shop's own, and a route that leads to the first."""
    apply(deployment("echo-v2"), service("echo-v2"), route("rollout", HOST, "front"), *others)
    kubectl("rollout", "status", "deployment/echo-v2", "-n", NAMESPACE, "--timeout=120s")
    try:
        yield
    finally:
        kubectl("delete", "trafficrollouts.meshctl.dev", "--all", "-n", NAMESPACE)
        kubectl("delete", "httproute,grpcroute", "rollout", "-n", NAMESPACE, "--ignore-not-found")
        kubectl("delete", "deployment,service", "echo-v2", "-n", NAMESPACE, "--wait=false")


def weights(api, path=f"{ROUTES}/rollout"):
    backends = api.ask("GET", path)["spec"]["rules"][0]["backendRefs"]
    return {one["name"]: one.get("weight", 1) for one in backends}


def told(name="rollout"):
    return get("trafficrollouts.meshctl.dev", name, "-n", NAMESPACE).get("status", {})


def reaches(phase, seconds=60):
    def there():
        status = told()
        if status.get("phase") != phase:
            raise Failed(json.dumps({name: status.get(name) for name in ("phase", "weight", "message", "verdict")}))
        return status

    return wait_for(f"the rollout is {phase}", there, seconds)


class Walk:
    """What the route's weights were, in their order; each of them shares out the whole."""

    def __init__(self):
        self.seen, self.wrong = [], []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()

    def _look(self):
        api = Api()
        while not self.stopped.is_set():
            found = weights(api)
            canary = sum(weight for name, weight in found.items() if name != "echo")
            if len(found) > 1 and sum(found.values()) != 100:
                self.wrong.append(found)
            if not self.seen or self.seen[-1] != canary:
                self.seen.append(canary)
            time.sleep(0.02)

    def check(self, *expected):
        if self.wrong:
            raise Failed(f"weights that are not the whole: {self.wrong[:3]}")
        if self.seen != list(expected):
            raise Failed(f"the canary had {self.seen}, not {list(expected)}")


def reasons():
    events = get("events.events.k8s.io", "-n", NAMESPACE, "--field-selector", "reportingController=meshctl.dev/gateway-controller")
    return {one["reason"] for one in events["items"] if one["regarding"]["kind"] == "TrafficRollout"}


@drill
def rollout_promotes(address, options):
    """A good version goes up its steps, and not a request is lost."""
    with two_versions():
        wait_for("the route answers", lambda: answers(address, HOST), 30)
        with Load(address, HOST) as load, Walk() as walk:
            time.sleep(0.5)
            started = time.monotonic()
            apply(rollout("rollout"))
            status = reaches("Promoted")
            took = time.monotonic() - started
            time.sleep(options.seconds / 5)
        load.check(at_least=100)
        walk.check(0, 10, 50, 100)
        arms = {one["name"]: one for one in status["arms"]}
        if arms["canary"]["requests"] < 20 or arms["canary"]["errors"] or "p99" not in arms["canary"]:
            raise Failed(f"the last step's counts: {arms}")
        if not 30 < arms["canary"]["measured"] < 70:
            raise Failed(f"at 50 % the canary had {arms['canary']['measured']} %")
        wait_for("events tell of it", lambda: {"Progressing", "Promoted"} <= reasons(), 10)
        kubectl("wait", "trafficrollouts.meshctl.dev/rollout", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=5s")
    return f"promoted within {took:.0f} s; {load.asked} requests, 0 failed"


@drill
def rollout_rolls_back(address, options):
    """A version that fails loses what it had, and the route is what it was."""
    bad = route("rollout", HOST, "front")
    failing = {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/status/500"}}}
    bad["spec"]["rules"][0]["backendRefs"] = [
        {"name": "echo", "port": 80, "weight": 100},
        {"name": "echo-v2", "port": 80, "weight": 0, "filters": [failing]},
    ]
    with two_versions(bad):
        wait_for("the route answers", lambda: answers(address, HOST), 30)
        with Load(address, HOST) as load, Walk() as walk:
            time.sleep(0.5)
            apply(rollout("rollout"))
            status = reaches("RolledBack")
            time.sleep(1)
            failed = len(load.failures)
            time.sleep(options.seconds / 5)
        walk.check(0, 10, 0)
        if "requests failed, more than 1%" not in status["message"]:
            raise Failed(f"it says: {status['message']}")
        if [why for why in load.failures if "status 500" not in why]:
            raise Failed(f"others than the bad version's answers: {load.failures[:5]}")
        if not failed or len(load.failures) > failed:
            raise Failed(f"{failed} requests failed, and {len(load.failures) - failed} after the way back")
    return f"{failed} of {load.asked} requests reached the bad version, none after the way back"


@drill
def rollout_outlives_controllers(address, options):
    """All replicas of the controller die as soon as one has written anything of a rollout, each time anew: the
    next one goes on, and nothing is lost."""
    api = Api()

    def written():
        # Since when it is served is another process's own look: who dies of that never gets on.
        status = api.ask("GET", f"{ROLLOUTS}/rollout").get("status", {})
        return [status.get(field) for field in ("phase", "weight", "before")], weights(api)

    kills = 0
    with two_versions():
        wait_for("the route answers", lambda: answers(address, HOST), 30)
        with Load(address, HOST) as load, Walk() as walk:
            apply(rollout("rollout"))
            seen = ([None] * 3, weights(api))
            while kills < options.kills and seen[0][0] != "Promoted":
                seen = wait_for("more is written", lambda seen=seen: (written() != seen) and written(), 90, every=0.01)
                for pod in controller_pods():
                    kubectl(
                        "delete", "pod", pod["metadata"]["name"], "-n", SYSTEM,
                        "--grace-period=0", "--force", "--wait=false",
                    )  # fmt: skip
                kills += 1
            reaches("Promoted", 120)
            time.sleep(1)
        load.check(at_least=100)
        walk.check(0, 10, 50, 100)
    wait_for("the controllers are back", lambda: len([p for p in controller_pods() if ready(p)]) >= 2, 120)
    return f"{kills} kills of all replicas; {load.asked} requests, 0 failed"


@contextlib.contextmanager
def unheard():
    """The proxies get whatever the controllers say, and none of what they answer arrives."""
    proxies = pods(NAMESPACE, "gateway.networking.k8s.io/gateway-name=front")
    containers = [one["status"]["containerStatuses"][0]["containerID"].split("//")[1] for one in proxies]
    # Whether they ask a pod or the Service is their own matter.
    addresses = [pod["status"]["podIP"] for pod in controller_pods()]
    addresses.append(get("service", CONTROLLER, "-n", SYSTEM)["spec"]["clusterIP"])

    def silence(word):
        for container in containers:
            subprocess.run([HARNESS / "silence", word, container, *addresses], check=True)

    silence("on")
    try:
        yield
    finally:
        silence("off")


@drill
def rollout_waits_for_every_proxy(address, _options):
    """A proxy that never acknowledges holds a step where it is, and nothing is lost."""
    api = Api()
    with two_versions():
        wait_for("the route answers", lambda: answers(address, HOST), 30)
        with Load(address, HOST) as load, Walk() as walk:
            with unheard():
                apply(rollout("rollout"))
                wait_for("the canary has 10 %", lambda: weights(api).get("echo-v2") == 10, 30)
                time.sleep(4)
                status = told()
                if status.get("since") or status["message"] != "waits until all proxies serve it":
                    raise Failed(f"nobody has acknowledged it, and it says: {status}")
            reaches("Promoted", 90)
        load.check(at_least=100)
        walk.check(0, 10, 50, 100)
    return f"waited for what was not acknowledged, then went on; {load.asked} requests, 0 failed"


@drill
def rollout_is_no_fight(address, options):
    """Who edits the weights meanwhile is left alone, and told; an abort gives them back."""
    api = Api()
    patch = [
        {"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 70},
        {"op": "replace", "path": "/spec/rules/0/backendRefs/1/weight", "value": 30},
    ]
    slow = rollout("rollout")
    slow["spec"]["canary"]["interval"] = "1h"
    with two_versions():
        wait_for("the route answers", lambda: answers(address, HOST), 30)
        with Load(address, HOST) as load:
            apply(slow)
            wait_for("the canary has 10 %", lambda: weights(api).get("echo-v2") == 10, 30)
            busy = lambda: [one.get("requestsPerSecond", 0) > 1 for one in told().get("arms", [])] == [True, True]
            wait_for("it is told how busy both are", busy, 15)
            kubectl("patch", "httproute", "rollout", "-n", NAMESPACE, "--type=json", "-p", json.dumps(patch))
            status = reaches("Paused", 15)
            if not status["message"].startswith("somebody else edited the weights, from 10% to 30%"):
                raise Failed(f"it says: {status['message']}")
            time.sleep(options.seconds / 2)
            if weights(api) != {"echo": 70, "echo-v2": 30}:
                raise Failed(f"it is fought over: {weights(api)}")
            started = time.monotonic()
            api.ask("PATCH", f"{ROLLOUTS}/rollout", {"spec": {"state": "Aborted"}}, MERGE)
            wait_for("the weights are back", lambda: weights(api).get("echo-v2", 0) == 0, 15, every=0.02)
            took = time.monotonic() - started
            reaches("Aborted", 5)
            time.sleep(1)
        load.check(at_least=100)
    return f"left alone; aborted within {took:.2f} s; {load.asked} requests, 0 failed"


@drill
def rollout_follows_its_plan(address, _options):
    """A plan that names another version begins anew, and one that rests gives back what nobody serves."""
    api = Api()
    third = service("echo-v3")
    third["spec"]["selector"] = {"app": "echo-v2"}
    plan = rollout("rollout", weight=25)
    with two_versions(third):
        wait_for("the route answers", lambda: answers(address, HOST), 30)
        with Load(address, HOST) as load, Walk() as walk:
            apply(plan)
            wait_for("it has its weight", lambda: weights(api) == {"echo": 75, "echo-v2": 25}, 15)
            plan["spec"]["canary"]["canary"]["name"] = "echo-v3"
            apply(plan)
            wait_for("the other has it", lambda: weights(api) == {"echo": 75, "echo-v3": 25}, 15)
            time.sleep(1)
            kubectl("scale", "deployment", "echo-v2", "-n", NAMESPACE, "--replicas=0")
            status = reaches("RolledBack", 15)
            time.sleep(4)
        load.check(at_least=100)
        if status["message"] != "the canary has no endpoint that is ready":
            raise Failed(f"it says: {status['message']}")
        if list(weights(api)) != ["echo"]:
            raise Failed(f"it has a part still: {weights(api)}")
        walk.check(0, 25, 0, 25, 0)
        kubectl("delete", "service", "echo-v3", "-n", NAMESPACE)
    return f"begun anew with the other version, and given back without endpoints; {load.asked} requests, 0 failed"


@drill
def rollout_of_grpc(address, options):
    """A GRPCRoute's weights are set by hand, and waited with until the version is there."""
    path = f"/apis/{GATEWAY_API}/namespaces/{NAMESPACE}/grpcroutes/rollout"
    grpc = route("rollout", "grpc.rollout.example", "front")
    grpc["kind"] = "GRPCRoute"
    none = deployment("echo-v2", replicas=0)
    api = Api()
    with two_versions(grpc):
        apply(none)
        wait_for("no pod is left", lambda: not get("pods", "-n", NAMESPACE, "-l", "app=echo-v2")["items"], 60)
        apply(rollout("rollout", "GRPCRoute", weight=25))
        waits = "waits before 25%: Service echo-v2:80 has no endpoint that is ready"
        wait_for("it waits", lambda: told().get("message") == waits, 15)
        if weights(api, path).get("echo-v2", 0) != 0:
            raise Failed(f"weights before anybody is ready: {weights(api, path)}")
        apply(deployment("echo-v2"))
        wait_for("the weight is set", lambda: weights(api, path) == {"echo": 75, "echo-v2": 25}, 60)
        reaches("Paused", 10)
    return "waited for a ready pod; 75 and 25"
