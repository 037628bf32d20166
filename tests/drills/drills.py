"""The drills. Each takes the address of the shop's Gateway and the options, and says what it saw."""

import concurrent.futures
import pathlib
import subprocess
import time

from cluster import Api, Failed, Load, answers, apply, get, kubectl, must_answer, serves, wait_for
from shop import GATEWAY_API, HOST, NAMESPACE, deployment, gateway, open_shop, route

SYSTEM = "meshctl-system"
CONTROLLER = "meshctl-controller"
ROUTES = f"/apis/{GATEWAY_API}/namespaces/{NAMESPACE}/httproutes"
GATEWAYS = f"/apis/{GATEWAY_API}/namespaces/{NAMESPACE}/gateways"
HARNESS = pathlib.Path(__file__).resolve().parent.parent / "cluster"


def drill(function):
    function.drill = True
    return function


def pods(namespace, selector):
    return get("pods", "-n", namespace, "-l", selector)["items"]


def controller_pods():
    return pods(SYSTEM, "app.kubernetes.io/component=controller")


def ready(pod):
    conditions = {one["type"]: one["status"] for one in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"


@drill
def backend_rolls(address, options):
    """A rolling update of the backend loses nothing."""
    with Load(address, HOST) as load:
        time.sleep(1)
        apply(deployment("echo", generation=str(time.time())))
        kubectl("rollout", "status", "deployment/echo", "-n", NAMESPACE, "--timeout=120s")
        time.sleep(options.seconds / 2)
    load.check(at_least=100)
    return f"{load.asked} requests, 0 failed"


@drill
def gateway_rolls(address, options):
    """A rolling restart of the Gateway's own proxies loses nothing."""
    name = get("deployments", "-n", NAMESPACE, "-l", "gateway.networking.k8s.io/gateway-name=front")
    name = name["items"][0]["metadata"]["name"]
    with Load(address, HOST) as load:
        time.sleep(1)
        kubectl("rollout", "restart", f"deployment/{name}", "-n", NAMESPACE)
        kubectl("rollout", "status", f"deployment/{name}", "-n", NAMESPACE, "--timeout=120s")
        time.sleep(options.seconds / 2)
    load.check(at_least=100)
    return f"{load.asked} requests, 0 failed"


@drill
def controller_killed(address, options):
    """The controller dies while routes change: requests go on, and every change arrives."""
    api, names = Api(), [f"killed-{n}" for n in range(30)]
    with Load(address, HOST) as load:
        for position, name in enumerate(names):
            api.ask("POST", ROUTES, route(name, f"{name}.example", "front"))
            if position in (5, 15):
                for pod in controller_pods():
                    kubectl(
                        "delete", "pod", pod["metadata"]["name"], "-n", SYSTEM,
                        "--grace-period=0", "--force", "--wait=false",
                    )
        for name in names:
            wait_for(f"{name} answers", lambda host=name: answers(address, f"{host}.example"), 90)
        # One that is gone answers no more: deletions are not lost either.
        api.ask("DELETE", f"{ROUTES}/{names[0]}")
        wait_for("a deleted route is gone", lambda: answers(address, f"{names[0]}.example", status=404), 90)
    for name in names[1:]:
        api.ask("DELETE", f"{ROUTES}/{name}")
    wait_for("the controllers are back", lambda: len([p for p in controller_pods() if ready(p)]) >= 2, 120)
    load.check(at_least=100)
    return f"30 routes through 2 kills of all replicas, {load.asked} requests, 0 failed"


@drill
def api_server_stopped(address, options):
    """Without an API server requests go on, and changes are followed within 5 s of its return: that
    is when pods can reach it again, which waits for kube-proxy."""
    apiserver = HARNESS / "apiserver"
    service = get("service", "kubernetes", "-n", "default")["spec"]["clusterIP"]
    with Load(address, HOST) as load:
        time.sleep(1)
        subprocess.run([apiserver, "stop"], check=True)
        time.sleep(options.seconds)
        subprocess.run([apiserver, "start"], check=True)
        # Its watches come back the later, the longer nobody answered: half a minute and more.
        wait_for("pods reach the API server", lambda: serves(service), 90, every=0.02)
        back = time.monotonic()
        api = Api()
        api.ask("POST", ROUTES, route("resumed", "resumed.example", "front"))
        wait_for("the route answers", lambda: answers(address, "resumed.example"), 30, every=0.02)
        took = time.monotonic() - back
        api.ask("DELETE", f"{ROUTES}/resumed")
    load.check(at_least=100)
    if took > 5:
        raise Failed(f"a new route took {took:.1f} s after the API server's return")
    # Until the kubelet is heard again the node may still be given up, and with it every endpoint.
    renewed = lambda: get("leases", "-n", "kube-node-lease")["items"]  # noqa: E731
    before = {one["metadata"]["name"]: one["spec"]["renewTime"] for one in renewed()}
    wait_for(
        "every node is heard again",
        lambda: all(one["spec"]["renewTime"] > before.get(one["metadata"]["name"], "") for one in renewed()),
        90,
    )
    return f"{load.asked} requests, 0 failed; resumed within {took:.1f} s"


@drill
def restart_without_controller(address, options):
    """A proxy whose container restarts starts from what it has saved; a new pod stays unready."""
    kubectl("scale", f"deployment/{CONTROLLER}", "-n", SYSTEM, "--replicas=0")
    try:
        wait_for("no controller is left", lambda: not controller_pods(), 60)
        proxy = pods(NAMESPACE, "gateway.networking.k8s.io/gateway-name=front")[0]
        name = proxy["metadata"]["name"]
        before = proxy["status"]["containerStatuses"][0]["restartCount"]
        container = proxy["status"]["containerStatuses"][0]["containerID"].split("//")[1]
        subprocess.run([HARNESS / "kill-container", container], check=True)

        def restarted():
            pod = get("pod", name, "-n", NAMESPACE)
            status = pod["status"]["containerStatuses"][0]
            return status["restartCount"] > before and "running" in status["state"] and pod

        pod = wait_for("the container is restarted", restarted, 60)
        started = time.monotonic()
        wait_for("it is ready", lambda: ready(get("pod", name, "-n", NAMESPACE)), 10)
        took = time.monotonic() - started
        wait_for("it answers", lambda: must_answer((pod["status"]["podIP"], 80), HOST), 5, every=0.02)
    finally:
        kubectl("scale", f"deployment/{CONTROLLER}", "-n", SYSTEM, "--replicas=2")
        kubectl("rollout", "status", f"deployment/{CONTROLLER}", "-n", SYSTEM, "--timeout=120s")
    if took > 5:
        raise Failed(f"the restarted container was ready after {took:.1f} s")
    return f"ready {took:.1f} s after its restart"


@drill
def churn(address, options):
    """Many routes and Gateways come and go; the controller's memory and CPU are printed."""
    api = Api()
    before = wait_for("the controllers tell their memory", lambda: (lambda u: u[0] > 1 and u)(usage()))
    gateways = [f"churn-{n}" for n in range(options.gateways)]
    routes = [f"churn-{n}" for n in range(options.routes)]
    started = time.monotonic()
    for name in gateways:
        api.ask("POST", GATEWAYS, gateway(name, "meshctl-shared", f"*.{name}.example"))
    for position, name in enumerate(routes):
        parent = gateways[position % len(gateways)]
        api.ask("POST", ROUTES, route(name, f"{name}.{parent}.example", parent))
    last = f"{ROUTES}/{routes[-1]}"

    def accepted():
        parents = api.ask("GET", last).get("status", {}).get("parents", [])
        return any(c["type"] == "Accepted" and c["status"] == "True" for p in parents for c in p["conditions"])

    wait_for("the last route is accepted", accepted, 120)
    took = time.monotonic() - started
    during = usage()
    delete_all(api, ROUTES)
    delete_all(api, GATEWAYS)
    open_shop()
    after = usage()
    return (
        f"{len(routes)} routes and {len(gateways)} Gateways in {took:.1f} s; each controller's memory "
        f"{before[0]:.0f} → {during[0]:.0f} → {after[0]:.0f} MiB, CPU {after[1] - before[1]:.1f} s"
    )


def delete_all(api, path):
    """In portions that the API server is done with before it gives a request up."""
    while api.ask("GET", f"{path}?limit=1")["items"]:
        api.ask("DELETE", f"{path}?limit=250")


def usage():
    """The largest memory of a controller in MiB, and the CPU seconds of all of them."""
    memory, cpu = [], []
    for pod in controller_pods():
        text = kubectl("get", "--raw", f"/api/v1/namespaces/{SYSTEM}/pods/{pod['metadata']['name']}:15020/proxy/metrics")
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")
        memory.append(float(values["process_resident_memory_bytes"]) / 2**20)
        cpu.append(float(values["process_cpu_seconds_total"]))
    return max(memory, default=0), sum(cpu)


@drill
def broken_lease(address, options):
    """Two replicas that both believe to lead make no write that undoes another."""
    end = time.monotonic() + options.seconds
    api, versions = Api(), set()
    lease = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/{CONTROLLER}"
    path = f"{ROUTES}/front"
    api.ask("PATCH", path, {"metadata": {"annotations": {"drill": str(time.time())}}}, "application/merge-patch+json")
    while time.monotonic() < end:
        try:
            api.ask("DELETE", lease)
        except Failed:
            pass
        versions.add(api.ask("GET", path)["metadata"]["resourceVersion"])
        time.sleep(0.2)
    # One write of ours, at the most, follows one change of somebody else's.
    if len(versions) > 2:
        raise Failed(f"the route was written {len(versions)} times while nothing changed")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        if not all(pool.map(lambda _: answers(address, HOST), range(20))):
            raise Failed("requests fail")
    return f"{len(versions)} versions of a route in {options.seconds} s without a Lease"
