"""Drills on the commands that a person types: the demo's story told to a cluster, from a dark launch to
a promotion, under load. `MESHCTL` names the binary, else it is the one on the path."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from cluster import Api, Failed, Load, answers, apply, get, kubectl, wait_for
from drills import CONTROLLER, SYSTEM, drill
from looking import MESHCTL, meshctl
from rollouts import HOST, Walk, reasons, rollout, told, two_versions, weights
from shop import NAMESPACE, deployment, meta
from shop import address as address_of

YES, NO, WRONG, NOT_YET, COULD_NOT_ASK = 0, 1, 2, 3, 4
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
IMAGE = "registry.k8s.io/gateway-api/echo-basic:v1.5.1"


def asked(line, code=YES, *says):
    """Types a command; what it says, on both outputs."""
    done = meshctl(*line.split(), "-n", NAMESPACE)
    said = done.stdout + done.stderr
    if done.returncode != code:
        raise Failed(f"meshctl {line}: exit code {done.returncode}, not {code}: {said}")
    missing = [part for part in says if part not in said]
    if missing:
        raise Failed(f"meshctl {line} doesn't say {missing}: {said}")
    return said


def seen(line, code):
    """The answer of a command as JSON."""
    done = meshctl(*line.split(), "-n", NAMESPACE, "-o", "json")
    if done.returncode != code:
        raise Failed(f"meshctl {line}: exit code {done.returncode}, not {code}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def bad_version():
    """A version that is ready and answers every request with a 500: a gateway whose route leads nowhere."""
    image = get("deployment", CONTROLLER, "-n", SYSTEM)["spec"]["template"]["spec"]["containers"][0]["image"]
    mesh = [
        {
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "bad"},
            "spec": {"gatewayClassName": "meshctl", "listeners": [{"name": "http", "port": 3000, "protocol": "HTTP"}]},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "bad"},
            "spec": {"parentRefs": [{"name": "bad"}], "rules": [{}]},
        },
    ]  # fmt: skip
    config = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("bad"),
        "data": {f"{at}.yaml": json.dumps(one) for at, one in enumerate(mesh)},
    }  # fmt: skip
    bad = deployment("echo-v2", replicas=1)
    bad["spec"]["template"]["spec"] = {
        "containers": [{
            "name": "echo",
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "args": ["proxy", "run", "-f", "/mesh"],
            "ports": [{"containerPort": 3000}],
            "readinessProbe": {"tcpSocket": {"port": 3000}, "periodSeconds": 1},
            "volumeMounts": [{"name": "mesh", "mountPath": "/mesh"}, {"name": "run", "mountPath": "/tmp"}],
        }],
        "volumes": [{"name": "mesh", "configMap": {"name": "bad"}}, {"name": "run", "emptyDir": {}}],
    }  # fmt: skip
    return config, bad


def rolled_out(*objects):
    apply(*objects)
    kubectl("rollout", "status", "deployment/echo-v2", "-n", NAMESPACE, "--timeout=120s")


class Chat(http.server.ThreadingHTTPServer):
    """What a chat is to the controller. The first post is refused, as chats do when they are busy."""

    def __init__(self):
        super().__init__(("", 0), _Posts)
        self.posts, self.refused = [], 0

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        url = f"http://{reachable()}:{self.server_port}/hook"
        _webhook({"webhook": {"url": url}})
        return self

    def __exit__(self, *_):
        _webhook(None)
        self.shutdown()
        self.server_close()

    def phases(self):
        return [(one["rollout"], one["previousPhase"], one["phase"]) for one in self.posts]


class _Posts(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        busy = not self.server.refused
        if busy:
            self.server.refused += 1
        else:
            self.server.posts.append(body)
        self.send_response(503 if busy else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def _webhook(rollouts):
    kubectl(
        "patch", "meshconfigs.meshctl.dev", "default", "-n", SYSTEM, "--type=merge",
        "-p", json.dumps({"spec": {"rollouts": rollouts}}),
    )  # fmt: skip


def reachable():
    """This machine's address, as the cluster's nodes see it."""
    with socket.create_connection(Api().address) as connection:
        return connection.getsockname()[0]


def unlike(load, *allowed):
    """The failed requests that aren't the bad version's answers."""
    return [why for why in load.failures if not any(one in why for one in allowed)]


@drill
def story(address, _options):
    """The demo's story by the user's verbs: copies for a version that turns out bad, a canary of it that
    goes back by itself, and a good one that gets everything. Whoever asks loses nothing."""
    with two_versions(), Chat() as chat:
        config, bad = bad_version()
        rolled_out(config, bad)
        before = get("httproute", "rollout", "-n", NAMESPACE)["spec"]
        with Load(address, HOST) as load:
            copies = _dark_launch(load, before)
            failed = _bad_canary(load, before)
            rolled_out(deployment("echo-v2"))
            _good_canary()
            time.sleep(1)
        if len(load.failures) != failed:
            raise Failed(f"{len(load.failures) - failed} requests failed after the way back: {load.failures[failed:][:5]}")
        expected = [
            ("rollout-dark", "Pending", "Progressing"),
            ("rollout-dark", "Progressing", "Aborted"),
            ("rollout", "Pending", "Progressing"),
            ("rollout", "Progressing", "RolledBack"),
            ("rollout", "Pending", "Progressing"),
            ("rollout", "Progressing", "Promoted"),
        ]
        wait_for(f"the chat is told {expected}, not {chat.phases()}", lambda: chat.phases() == expected, 15)
        text = chat.posts[3]["text"]
        if "Progressing → RolledBack" not in text or "requests failed, more than 1%" not in text:
            raise Failed(f"the chat shows: {text}")
    return (
        f"{copies} copies failed and nobody saw it; {failed} of {load.asked} requests met the bad version "
        f"before the way back, none was lost; {len(chat.posts)} posts, the first one twice"
    )


def _dark_launch(load, before):
    asked("dark-launch start --route rollout --to echo-v2 --percent 50%", YES, "0% → 50%")
    asked("dark-launch start --route rollout --to echo-v2", NO, "rollout-dark goes on")

    def copied():
        [status] = seen("dark-launch status", NOT_YET)
        arm = status["seen"]["canary"]
        return arm["requests"] >= 50 and arm["errors"] == arm["requests"] and arm["requests"]

    copies = wait_for("copies are counted, and fail", copied, 20)
    asked("dark-launch stop", YES, "50% → 0%", "back: meshctl dark-launch start")
    asked("dark-launch stop", COULD_NOT_ASK, "begin one")
    if load.failures:
        raise Failed(f"copies cost requests: {load.failures[:5]}")
    if get("httproute", "rollout", "-n", NAMESPACE)["spec"] != before:
        raise Failed("the route isn't what it was before the copies")
    return copies


START = "canary start --route rollout --canary echo-v2 --steps 10,50 --interval 1s --min-requests 50"


def _bad_canary(load, before):
    """How many requests it answered."""
    asked(f"{START} --dry-run", YES, "+kind: TrafficRollout", "weight: 10")
    if get("trafficrollouts.meshctl.dev", "-n", NAMESPACE)["items"][1:]:
        raise Failed("a dry run writes a rollout")
    # It may be over before anybody looks.
    done = meshctl(*START.split(), "-n", NAMESPACE)
    if done.returncode not in (YES, NO):
        raise Failed(f"start of a bad version: exit code {done.returncode}: {done.stderr}")
    asked("canary status rollout -w", NO, "requests failed, more than 1%", "10% → 0%, RolledBack")
    time.sleep(1)
    failed = len(load.failures)
    others = unlike(load, "status 500")
    if not failed or others:
        raise Failed(f"{failed} requests met the bad version, and {len(others)} were lost: {others[:5]}")
    if get("httproute", "rollout", "-n", NAMESPACE)["spec"] != before:
        raise Failed("the route isn't what it was before the canary")
    status = seen("canary status rollout", NO)
    if (status["phase"], status["weight"]) != ("RolledBack", 0):
        raise Failed(f"status: {status}")
    return failed


def _good_canary():
    api = Api()
    with Walk() as walk:
        wait_for("the walk is watched", lambda: walk.seen == [0], 5)
        asked(START, YES, "back: meshctl canary abort rollout")
        asked("canary status rollout -w", YES, "every step has passed")
    walk.check(0, 10, 50, 100)
    if weights(api) != {"echo": 0, "echo-v2": 100}:
        raise Failed(f"weights of a promoted version: {weights(api)}")
    status = seen("canary status rollout", YES)
    if status["phase"] != "Promoted" or status["seen"]["canary"]["errors"]:
        raise Failed(f"status: {status}")
    history = seen("canary history rollout", YES)
    told_of = [(one["from"], one["to"]) for one in history]
    if told_of[-1] != ("50%", "100%, Promoted"):
        raise Failed(f"history: {told_of}")
    if "Promoted" not in reasons():
        raise Failed("no event tells of it")


@drill
def by_hand(address, _options):
    """Every verb, as a person uses them one after the other: each is served when it returns, each can be
    taken back, and no request is lost."""
    api = Api()
    with two_versions():
        wait_for("the route answers", lambda: answers(address, HOST), 30)
        before = get("httproute", "rollout", "-n", NAMESPACE)["spec"]
        with Load(address, HOST) as load:
            asked("canary shift 10%", COULD_NOT_ASK, "begin one: meshctl canary start")
            asked("canary start --route rolout --canary echo-v2", NO, "there are:")
            asked("canary start --route rollout --canary echo-v9", NO, "no Service or Backend echo-v9")
            asked("canary start --route rollout --canary echo-v2 --interval 1s", YES, "begins at 0%")
            asked("canary status rollout", NOT_YET, "Paused", "asked 0%")
            for line, percent, says in (
                ("shift 10%", 10, ["0% → 10%", "back: meshctl canary undo"]),
                ("shift 40", 40, ["10% → 40%"]),
                ("undo", 10, ["40% → 10%"]),
                ("shift 30% --for 4s", 30, ["10% → 30% for 4s"]),
            ):
                asked(f"canary {line}", YES, *says)
                at(api, percent)
            # Nobody has to run for the way back, and the command is long gone.
            wait_for("its time is over", lambda: weights(api) == {"echo": 90, "echo-v2": 10}, 15)
            wait_for("it is said", lambda: "its time is over" in told()["message"], 5)
            annotations = get("httproute", "rollout", "-n", NAMESPACE)["metadata"].get("annotations", {})
            if [name for name in annotations if name.startswith("meshctl.dev/")]:
                raise Failed(f"the route keeps an annotation: {annotations}")
            asked("canary run", WRONG, "in a cluster the controller advances rollouts", "status -w")
            asked("canary promote", WRONG, "would skip the steps 25%, 50%", "--yes")
            asked("canary promote --dry-run", YES, "+  state: Promoted")
            at(api, 10)
            asked("canary resume", YES)
            asked("canary pause", YES, "→ paused")
            resting = told()
            if resting["phase"] != "Paused" or resting["weight"] < 25:
                raise Failed(f"after resume and pause: {resting}")
            asked("canary promote --yes", YES, "→ 100%")
            at(api, 100)
            asked("canary status", YES, "Promoted")
            asked("canary undo", YES, f"100% → {resting['weight']}%")
            at(api, resting["weight"])
            asked("canary abort", YES, "→ 0%")
            if get("httproute", "rollout", "-n", NAMESPACE)["spec"] != before:
                raise Failed("after an abort the route isn't what it was")
            asked("canary status", NO, "Aborted")
            whats = [one["what"] for one in seen("canary history", YES)]
            for what in ("set to 40% by hand", "its time is over: back to 10%", "promoted by hand", "aborted"):
                if not any(one.startswith(what) for one in whats):
                    raise Failed(f"the history has no `{what}`: {whats}")
        load.check(at_least=100)
    return f"{load.asked} requests, 0 failed"


def at(api, percent):
    if weights(api) != {"echo": 100 - percent, "echo-v2": percent}:
        raise Failed(f"{percent}% was asked, and the command has returned: {weights(api)}")


@drill
def others_have_a_say(address, _options):
    """A route that Argo Rollouts, Flagger, or another rollout, has is refused by name; one that a repository
    writes is warned of."""
    api = Api()
    start = "canary start --route rollout --canary echo-v2"
    repository = f"shop:gateway.networking.k8s.io/HTTPRoute:{NAMESPACE}/rollout"
    with two_versions():
        rollouts = "argo-rollouts.argoproj.io/managed-by-rollouts"
        kubectl("annotate", "service", "echo-v2", "-n", NAMESPACE, f"{rollouts}=shop")
        asked(start, NO, "Argo Rollouts (Rollout shop) drives the weights of HTTPRoute")
        # Written past the command, it is the controller that refuses.
        apply(rollout("rollout"))
        obstructed("rollout", "DrivenByAnother", "Argo Rollouts (Rollout shop) drives the weights of HTTPRoute")
        kubectl("delete", "trafficrollouts.meshctl.dev", "rollout", "-n", NAMESPACE)
        kubectl("annotate", "service", "echo-v2", "-n", NAMESPACE, f"{rollouts}-")
        with flagger("web") as owner:
            owners = {"metadata": {"ownerReferences": [owner]}}
            kubectl("patch", "httproute", "rollout", "-n", NAMESPACE, "--type=merge", "-p", json.dumps(owners))
            asked(start, NO, "Flagger (Canary web) drives the weights of HTTPRoute")
            kubectl(
                "patch", "httproute", "rollout", "-n", NAMESPACE, "--type=merge",
                "-p", json.dumps({"metadata": {"ownerReferences": None}}),
            )  # fmt: skip
        flux = "kustomize.toolkit.fluxcd.io"
        kubectl("label", "httproute", "rollout", "-n", NAMESPACE, f"{flux}/name=web", f"{flux}/namespace=flux-system")
        asked(f"{start} --dry-run", YES, "warning: Flux (Kustomization flux-system/web)", "paths: [/spec/rules]")
        kubectl("label", "httproute", "rollout", "-n", NAMESPACE, f"{flux}/name-", f"{flux}/namespace-")
        kubectl("annotate", "httproute", "rollout", "-n", NAMESPACE, f"argocd.argoproj.io/tracking-id={repository}")
        warned = asked(start, YES, "warning: Argo CD (Application shop)", "ignoreDifferences:", "begins at 0%")
        contended = [one for one in told()["conditions"] if one["type"] == "Contended"]
        if not contended or contended[0]["message"] not in warned:
            raise Failed(f"the command says {warned}, the status {contended}")
        asked("canary shift 20%", YES)
        asked(f"{start} --name second", NO, "has a canary already: rollout goes on (Paused, 20%)")
        second = rollout("a-second")
        second["spec"]["targetRef"]["name"] = "rollout"
        apply(second)
        has = f"HTTPRoute {NAMESPACE}/rollout has a canary already, rollout: `meshctl canary abort rollout` ends it"
        obstructed("a-second", "RouteTaken", has)
        time.sleep(2)
        if told()["phase"] != "Paused" or weights(api) != {"echo": 80, "echo-v2": 20}:
            raise Failed(f"the second disturbs the first: {told()}, {weights(api)}")
        asked("canary abort rollout", YES)
        wait_for("the second has the route", lambda: told("a-second")["phase"] == "Progressing", 15)
    return "refused by name by the command and by the controller; the second waited for the first"


@contextlib.contextmanager
def flagger(name):
    """A Canary of Flagger, as the owner of something."""
    group = "flagger.app"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"canaries.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Canary", "plural": "canaries"},
            "versions": [{"name": "v1beta1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    apply(definition)
    try:
        kubectl("wait", f"crd/canaries.{group}", "--for=condition=Established", "--timeout=30s")
        apply({"apiVersion": f"{group}/v1beta1", "kind": "Canary", "metadata": meta(name)})
        uid = get("canaries.flagger.app", name, "-n", NAMESPACE)["metadata"]["uid"]
        yield {"apiVersion": f"{group}/v1beta1", "kind": "Canary", "name": name, "uid": uid, "controller": True}
    finally:
        kubectl("delete", "crd", f"canaries.{group}")


def obstructed(name, reason, message):
    def said():
        status = told(name)
        conditions = {one["type"]: one for one in status.get("conditions", [])}
        progressing = conditions.get("Progressing", {"reason": None, "message": "nothing"})
        if progressing["reason"] != reason or not progressing["message"].startswith(message):
            raise Failed(f"{progressing['reason']}: {progressing['message']}")
        return True

    wait_for(f"{name} is kept from the route: {reason}", said, 15)


@drill
def what_is_printed(_address, _options):
    """An API server accepts every object that `generate` and `convert` print."""
    lines = [
        "generate gateway edge --listen 8080 --hostname *.shop.example",
        "generate route shop --gateway front --hostname shop.example --to echo:80=90 --to echo-v2:80=10",
        "generate backend outside --endpoint legacy.example.com:443 --tls",
        "generate ambassador outside --to legacy.example.com:443 --local-port 9000",
        "generate canary --route front --stable echo:80 --canary echo-v2:80 --steps 5,50 --p99 500ms",
        "generate dark-launch --route front --to echo-v2:80 --percent 20%",
        f"generate canary --from {REPOSITORY}/templates/cluster/shop.yaml --image {IMAGE} --steps 10,50",
        *(f"convert -f {file}" for file in sorted(REPOSITORY.glob("tests/cases/convert/i*/in/in.yaml"))),
    ]
    objects = []
    for line in lines:
        # What could not be carried over is a `no`.
        printed = meshctl(*line.split(), "-o", "json")
        if printed.returncode not in (YES, NO) or not printed.stdout:
            raise Failed(f"meshctl {line}: exit code {printed.returncode}: {printed.stderr}")
        answer = json.loads(printed.stdout)
        objects.append((line, answer["items"] if answer["kind"] == "List" else [answer]))
    if len(objects) < 15:
        raise Failed(f"there are only {len(objects)} commands: {lines}")
    for line, of_one in objects:
        try:
            accepted(of_one)
        except Failed as refused:
            raise Failed(f"what `meshctl {line}` prints is refused: {refused}") from None
    return f"{sum(len(of_one) for _, of_one in objects)} objects of {len(objects)} commands"


def accepted(objects):
    """By an API server that has these kinds, in a namespace that is there."""
    for one in objects:
        one["metadata"].pop("namespace", None)
    kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-n", NAMESPACE, "-f", "-",
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}),
    )  # fmt: skip


@drill
def as_readme_says(_address, _options):
    """The lines of the README on a canary in a cluster, as they stand there, under load."""
    section = (REPOSITORY / "README.md").read_text(encoding="utf-8").split("## In a cluster")[1].split("\n## ")[0]
    lines = [line.strip() for line in section.replace("\\\n", " ").splitlines() if line.startswith("    ")]
    setup = [line for line in lines if line.startswith("kubectl apply")]
    verbs = [line for line in lines if re.search(r"shop-canary|meshctl (generate|canary|dark-launch) ", line)]
    if len(setup) != 1 or len(verbs) < 6:
        raise Failed(f"the README shows {setup} and {verbs}")
    with tempfile.TemporaryDirectory() as path:
        pathlib.Path(path, "meshctl").symlink_to(shutil.which(MESHCTL))
        with contextlib.ExitStack() as undo:
            undo.callback(kubectl, "delete", "namespace", "shop", "--wait=false")
            typed(setup[0], path)
            shop = address_of("front", namespace="shop")
            wait_for("the shop answers", lambda: answers(shop, "shop.example"), 60)
            with Load(shop, "shop.example") as load:
                for line in verbs:
                    typed(line, path)
                time.sleep(1)
            load.check(at_least=100)
    return f"{len(verbs)} lines; {load.asked} requests, 0 failed"


def typed(line, path):
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line], cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL,
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    # A status tells what goes on by its exit code.
    goes_on = "dark-launch status" in line
    if done.returncode != (NOT_YET if goes_on else YES):
        raise Failed(f"{line}: exit code {done.returncode}: {done.stdout}{done.stderr}")
