"""What goes on in a cluster, seen by somebody who may view it and run commands in pods, and by somebody
who may only view it."""

import json

from cluster import Failed, Load, answers, wait_for
from drills import drill, ready
from looking import meshctl, proxies, somebody
from rollouts import rollout, told, two_versions
from shop import HOST, NAMESPACE

VIEWS = (
    ["status"], ["top", "routes", "--once"], ["top", "backends", "--once"], ["top", "endpoints", "--once"], ["why"],
)


def seen(env, *arguments, code=0):
    done = meshctl(*arguments, "-o", "json", env=env)
    if done.returncode != code:
        raise Failed(f"meshctl {' '.join(arguments)}: exit code {done.returncode}, {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def names(rows):
    return {row["name"] for row in rows}


@drill
def views_of_a_viewer(address, _options):
    """Every view tells a viewer with `pods/exec` what is there and what goes on."""
    paused = rollout("rollout", state="Paused")
    with somebody("pods/exec", verbs=["create", "get"], roles=["view"]) as env, two_versions(paused):
        wait_for("the rollout is seen by the controller", lambda: told().get("phase") == "Paused", 60)
        configured(env)
        with Load(address, HOST) as load:
            busy(env)
        load.check(at_least=10)
        # A failure of a route, and one that met none.
        answers(address, "nobody.example", status=404)
        causes = {one.get("cause") for one in seen(env, "why", "-n", NAMESPACE)["failures"]}
        if "route_not_found" not in causes or seen(env, "why", "-n", "default")["failures"]:
            raise Failed(f"why tells of {causes}, and of failures of another namespace")
        explained(env)
    return "status, get, top, why and explain request tell"


def configured(env):
    """What is configured, as the controller has it."""
    wanted = {
        "routes": {"front", "rollout"}, "gateways": {"front"}, "backends": {"echo"}, "policies": set(),
        "rollouts": {"rollout"},
    }
    for kind, expected in wanted.items():
        rows = seen(env, "get", kind, "-n", NAMESPACE)
        if not expected <= names(rows):
            raise Failed(f"get {kind} tells of {names(rows)}, without {expected}")
    row = seen(env, "get", "rollouts", f"{NAMESPACE}/rollout")[0]
    if (row["phase"], row["asked"], row["steps"]) != ("Paused", 0, 2):
        raise Failed(f"get rollouts: {row}")
    screen = seen(env, "status", "-n", NAMESPACE)
    pods = {one["name"] for one in screen["proxies"] if one["ready"]}
    ours = {f"{NAMESPACE}/{pod['metadata']['name']}" for pod in proxies() if ready(pod)}
    if not ours <= pods or screen["rollouts"][0]["phase"] != "Paused" or screen["silent"]:
        raise Failed(f"status: {screen}")


def busy(env):
    """Rates of requests that are sent meanwhile."""
    for kind, name, field in (
        ("routes", f"{NAMESPACE}/front", "requestsPerSecond"), ("backends", f"{NAMESPACE}/echo:80", "requestsPerSecond"),
        ("endpoints", f"{NAMESPACE}/echo:80", "triesPerSecond"),
    ):
        table = seen(env, "top", kind, "--once", "--interval", "500ms", "-n", NAMESPACE)
        rows = [row for row in table["rows"] if name in (row.get("name"), row.get("backend")) and row[field] > 0]
        if not rows:
            raise Failed(f"top {kind} shows nothing of {name}: {table}")


def explained(env):
    """By what the controller was given, and by what a proxy has of it."""
    request = ("explain", "request", "GET", f"http://{HOST}/")
    pod = f"{NAMESPACE}/{proxies()[0]['metadata']['name']}"
    by_objects = seen(env, *request, "--gateway", f"{NAMESPACE}/front")
    by_proxy = seen(env, *request, "--proxy", pod)
    if by_proxy["by"] != f"the proxy in pod {pod}" or by_objects["by"] == by_proxy["by"]:
        raise Failed(f"{by_objects['by']}, {by_proxy['by']}")
    for story in (by_objects, by_proxy):
        if story["outcome"]["is"] != "forwarded" or story["route"]["route"] != f"HTTPRoute {NAMESPACE}/front":
            raise Failed(f"{story}")
    if by_proxy["route"]["backends"] != by_objects["route"]["backends"]:
        raise Failed(f"{by_proxy['route']['backends']} is not {by_objects['route']['backends']}")


@drill
def views_without_exec(_address, _options):
    """Who may not run commands in pods is told which right that takes, and sees what is configured."""
    pod = f"{NAMESPACE}/{proxies()[0]['metadata']['name']}"
    with somebody("pods/log", roles=["view"]) as env:
        for command in (*VIEWS, ["explain", "request", "GET", f"http://{HOST}/", "--proxy", pod]):
            done = meshctl(*command, env=env)
            if done.returncode != 4 or "pods/exec" not in done.stdout + done.stderr:
                raise Failed(f"meshctl {' '.join(command)}: {done}")
        if "front" not in names(seen(env, "get", "routes", "-n", NAMESPACE)):
            raise Failed("get routes needs more than view")
        story = seen(env, "explain", "request", "GET", f"http://{HOST}/", "--gateway", f"{NAMESPACE}/front")
    if story["outcome"]["is"] != "forwarded":
        raise Failed(f"{story}")
    return "pods/exec is named, and what is configured is told"
