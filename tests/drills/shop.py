"""What the drills send requests to: a namespace with an echo service, a Gateway and a route."""

from cluster import Failed, answers, apply, get, kubectl, wait_for

NAMESPACE = "meshctl-drill"
GATEWAY_API = "gateway.networking.k8s.io/v1"
HOST = "shop.example"
IMAGE = "registry.k8s.io/gateway-api/echo-basic:v1.5.1"


def namespace():
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def meta(name, **more):
    return {"name": name, "namespace": NAMESPACE, **more}


def deployment(name, replicas=2, generation="1"):
    labels = {"app": name}
    container = {
        "name": "echo",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "GENERATION", "value": generation},
        ],
        "ports": [{"containerPort": 3000}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 3000}, "periodSeconds": 1},
        "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(name),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def service(name):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(name),
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 3000}]},
    }


def gateway(name, class_name="meshctl", hostname=None):
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    if hostname:
        listener["hostname"] = hostname
    return {
        "apiVersion": GATEWAY_API,
        "kind": "Gateway",
        "metadata": meta(name),
        "spec": {"gatewayClassName": class_name, "listeners": [listener]},
    }


def route(name, host, parent, backend="echo"):
    return {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": meta(name),
        "spec": {
            "parentRefs": [{"name": parent}],
            "hostnames": [host],
            "rules": [{"backendRefs": [{"name": backend, "port": 80}]}],
        },
    }


def address(name, seconds=120, namespace=NAMESPACE):
    """The Gateway's own address, once it is programmed."""

    def programmed():
        status = get("gateway", name, "-n", namespace).get("status", {})
        conditions = {one["type"]: one for one in status.get("conditions", [])}
        if conditions.get("Programmed", {}).get("status") != "True":
            raise Failed(conditions.get("Programmed", {}).get("message", "no condition yet"))
        return status["addresses"][0]["value"], 80

    return wait_for(f"Gateway {name} is programmed", programmed, seconds)


def open_shop():
    apply(namespace())
    apply(
        deployment("echo"),
        service("echo"),
        gateway("front"),
        route("front", HOST, "front"),
    )
    kubectl("rollout", "status", "deployment/echo", "-n", NAMESPACE, "--timeout=120s")
    found = address("front")
    # The address is given before every node leads it anywhere.
    wait_for("the shop answers", lambda: answers(found, HOST), 60)
    return found


def close_shop():
    """And the namespaces that drills had beside it, which are called like it."""
    there = [one["metadata"]["name"] for one in get("namespaces")["items"]]
    ours = [name for name in there if name == NAMESPACE or name.startswith(f"{NAMESPACE}-")]
    kubectl("delete", "namespace", *ours, "--ignore-not-found", "--timeout=120s")
