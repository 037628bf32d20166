"""The Gateway API files that meshctl serves: a Gateway, HTTPRoutes or a GRPCRoute, a Service with
its EndpointSlice, and for TLS a Secret."""

import base64
import urllib.request

import routes

# So many routes share a file, as people group them.
ROUTES_IN_A_FILE = 100

GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: bench
spec:
  gatewayClassName: meshctl
  addresses:
  - type: IPAddress
    value: 127.0.0.1
  listeners:
  - name: in
    port: {port}
    protocol: {protocol}
{tls}---
apiVersion: v1
kind: Service
metadata:
  name: app
spec:
  ports:
  - name: main
    port: 80
    appProtocol: {app_protocol}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: app-1
  labels:
    kubernetes.io/service-name: app
addressType: IPv4
ports:
- name: main
  port: {backend}
endpoints:
- addresses:
  - 127.0.0.1
"""
TLS = """\
    tls:
      certificateRefs:
      - name: bench
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: bench
type: kubernetes.io/tls
data:
  tls.crt: {certificate}
  tls.key: {key}
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata:
  name: {name}
spec:
  parentRefs:
  - name: bench
  hostnames:
  - "{host}"
  rules:
  - matches:
    - {match}
    backendRefs:
    - name: app
      port: 80
"""


def write(mesh, setup):
    mesh.mkdir()
    scenario = setup.scenario
    (mesh / "gateway.yaml").write_text(GATEWAY.format(
        port=setup.port,
        protocol="HTTPS" if scenario.tls else "HTTP",
        tls=TLS if scenario.tls else "",
        app_protocol="kubernetes.io/h2c" if scenario.protocol == "h2" else "http",
        backend=setup.backend_port,
    ))
    if scenario.tls:
        encoded = {
            "certificate": base64.b64encode(setup.certificate.read_bytes()).decode(),
            "key": base64.b64encode(setup.key.read_bytes()).decode(),
        }
        (mesh / "secret.yaml").write_text(SECRET.format(**encoded))
    if scenario.grpc:
        match = '{method: {service: "bench.Echo", method: "Unary"}}'
        documents = [ROUTE.format(kind="GRPCRoute", name="echo", host=routes.HOST, match=match)]
    elif scenario.table is None:
        match = '{path: {type: PathPrefix, value: "/"}}'
        documents = [ROUTE.format(kind="HTTPRoute", name="all", host=routes.HOST, match=match)]
    else:
        documents = [document(route) for route in scenario.table.routes]
    for number in range(0, len(documents), ROUTES_IN_A_FILE):
        write_file(mesh, number // ROUTES_IN_A_FILE, documents[number : number + ROUTES_IN_A_FILE])


def write_file(mesh, number, documents):
    """Whole or not at all, as an editor saves."""
    new = mesh / ".new"
    new.write_text("---\n".join(documents))
    new.rename(mesh / f"routes-{number:03}.yaml")


def counters(admin_port, families):
    """The sums of counters over all their label sets."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/metrics", timeout=10) as answer:
        samples = [line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[:1] != "#"]
    sums = dict.fromkeys(families)
    for series, value in samples:
        family = series.split("{", 1)[0]
        if family in sums:
            sums[family] = (sums[family] or 0) + int(float(value))
    missing = [family for family, value in sums.items() if value is None]
    if missing:
        raise RuntimeError(f"/metrics has no {', '.join(missing)}")
    return list(sums.values())


def document(route):
    host = f"*.{route.value}" if route.kind == "wildcard" else routes.HOST
    return ROUTE.format(kind="HTTPRoute", name=f"route-{route.number}", host=host, match=_match(route))


def _match(route):
    path = {
        "exact": ("Exact", route.value),
        "prefix": ("PathPrefix", route.value),
        "regex": ("RegularExpression", route.value),
        "header": ("Exact", routes.HEADER_PATH),
        "wildcard": ("PathPrefix", "/"),
    }[route.kind]
    match = f'path: {{type: {path[0]}, value: "{path[1]}"}}'
    if route.kind == "header":
        match += f', headers: [{{name: {routes.HEADER}, value: "{route.value}"}}]'
    return f"{{{match}}}"
