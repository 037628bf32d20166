"""How each proxy is told to do the same: one worker, no access log, and the header work that
meshctl does: X-Forwarded-For, -Proto, -Host and -Port, Via and a new X-Request-Id to the backend, Via
to the client."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import meshctl
import routes


@dataclass(frozen=True)
class Setup:
    """One start of one proxy."""

    scenario: object
    directory: Path
    port: int
    admin_port: int
    backend_port: int
    certificate: Path
    key: Path

    @property
    def table(self):
        return self.scenario.table

    @property
    def scheme(self):
        return "https" if self.scenario.tls else "http"


class Meshctl:
    name = "meshctl"

    def __init__(self, binary):
        self.binary = binary

    def version(self):
        return _first_line([self.binary, "version"])

    def command(self, setup):
        mesh = setup.directory / "mesh"
        meshctl.write(mesh, setup)
        return [
            self.binary, "proxy", "run", "-f", str(mesh), "--workers", "1",
            "--access-log", "off", "--observe", f"127.0.0.1:{setup.admin_port}",
            "--control", str(setup.directory / "control.sock"),
        ]


class Nginx:
    name = "nginx"

    def version(self):
        return _first_line(["nginx", "-v"])

    def command(self, setup):
        config = setup.directory / "nginx.conf"
        config.write_text(NGINX.format(
            directory=setup.directory,
            port=setup.port,
            backend=setup.backend_port,
            listen=_nginx_listen(setup),
            names=_nginx_servers(setup),
            maps=_nginx_maps(setup.table),
        ))
        return ["nginx", "-p", str(setup.directory), "-c", str(config)]


NGINX = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.log crit;
events {{ worker_connections 16000; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s;
    client_body_temp_path {directory}/n1; proxy_temp_path {directory}/n2; fastcgi_temp_path {directory}/n3;
    uwsgi_temp_path {directory}/n4; scgi_temp_path {directory}/n5;
    server_names_hash_max_size 65536; map_hash_max_size 65536; map_hash_bucket_size 128;
    server_names_hash_bucket_size 128;
    upstream app {{ server 127.0.0.1:{backend}; keepalive 256; keepalive_requests 1000000000; }}
    {maps}
    {names}
}}
"""
NGINX_FIELDS = {
    "Host": "$host",
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Host": "$http_host",
    "X-Forwarded-Port": "$server_port",
    "Via": '"1.1 nginx"',
    "X-Request-Id": "$request_id",
}


def _nginx_listen(setup):
    if setup.scenario.tls:
        return (f"listen 127.0.0.1:{setup.port} ssl backlog=8192; ssl_certificate {setup.certificate}; "
                f"ssl_certificate_key {setup.key}; ssl_protocols TLSv1.3;")
    return f"listen 127.0.0.1:{setup.port}{' http2' if setup.scenario.protocol == 'h2' else ''} backlog=8192;"


def _nginx_servers(setup):
    if setup.scenario.protocol == "h2":
        # Its only way to speak HTTP/2 to a backend.
        fields = "".join(f"grpc_set_header {k} {v}; " for k, v in NGINX_FIELDS.items())
        go = "grpc_pass grpc://app;"
    else:
        fields = 'proxy_http_version 1.1; proxy_set_header Connection ""; '
        fields += "".join(f"proxy_set_header {k} {v}; " for k, v in NGINX_FIELDS.items())
        go = "proxy_pass http://app;"
    fields += 'add_header Via "1.1 nginx"; '
    listen = f"{_nginx_listen(setup)} {fields}"
    if setup.table is None:
        return f"server {{ {listen} server_name _; location / {{ {go} }} }}"
    plain = f"listen 127.0.0.1:{setup.port}; {fields}"
    paths = [f"location = {r.value} {{ {go} }}" for r in setup.table.of("exact")]
    paths += [f"location {r.value} {{ {go} }}" for r in setup.table.of("prefix")]
    paths += [f"location ~ ^{r.value}$ {{ {go} }}" for r in setup.table.of("regex")]
    by_header = "if ($variant = '') { return 404; } proxy_pass http://$variant;"
    paths.append(f"location = {routes.HEADER_PATH} {{ {by_header} }}")
    paths.append("location / { return 404; }")
    servers = [f"server {{ {listen} server_name {routes.HOST}; {' '.join(paths)} }}"]
    servers += [
        f"server {{ {plain} server_name *.{r.value}; location / {{ {go} }} }}" for r in setup.table.of("wildcard")
    ]
    return "\n".join(servers)


def _nginx_maps(table):
    if table is None:
        return ""
    values = " ".join(f"{r.value} app;" for r in table.of("header"))
    return f"map $http_{routes.HEADER.replace('-', '_')} $variant {{ default ''; {values} }}"


class Haproxy:
    name = "haproxy"

    def version(self):
        return _first_line(["haproxy", "-v"])

    def command(self, setup):
        h2 = " proto h2" if setup.scenario.protocol == "h2" else ""
        bind = f"127.0.0.1:{setup.port}{h2}"
        if setup.scenario.tls:
            both = setup.directory / "both.pem"
            both.write_bytes(setup.certificate.read_bytes() + setup.key.read_bytes())
            bind += f" ssl crt {both} alpn http/1.1 ssl-min-ver TLSv1.3"
        config = setup.directory / "haproxy.cfg"
        config.write_text(HAPROXY.format(
            bind=bind,
            scheme=setup.scheme,
            use=_haproxy_use(setup),
            backend=f"127.0.0.1:{setup.backend_port}{h2}",
        ))
        return ["haproxy", "-db", "-f", str(config)]


HAPROXY = """
global
    nbthread 1
    maxconn 6000
defaults
    mode http
    timeout connect 5s
    timeout client 3600s
    timeout server 60s
    timeout http-keep-alive 3600s
    option http-keep-alive
    http-reuse always
frontend in
    bind {bind} backlog 8192
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto {scheme}
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Port %[dst_port]
    http-request add-header Via "1.1 haproxy"
    http-request set-header X-Request-Id %[uuid()]
    http-response add-header Via "1.1 haproxy"
    {use}
backend app
    server one {backend} pool-max-conn 256
"""


def _haproxy_use(setup):
    if setup.table is None:
        return "default_backend app"

    def file(kind):
        path = setup.directory / f"{kind}.map"
        anchor = "^{}$" if kind == "regex" else "{}"
        path.write_text("".join(f"{anchor.format(r.value)} app\n" for r in setup.table.of(kind)))
        return path

    on_host = f"{{ req.hdr(host) -m str {routes.HOST} }}"
    unset = "!{ var(txn.route) -m found }"
    rules = [
        f"req.hdr({routes.HEADER}),map_str({file('header')}) if {on_host} {{ path {routes.HEADER_PATH} }}",
        f"path,map_str({file('exact')}) if {on_host} {unset}",
        f"path,map_reg({file('regex')}) if {on_host} {unset}",
        f"path,map_beg({file('prefix')}) if {on_host} {unset}",
        f"req.hdr(host),field(2,.,0),map_str({file('wildcard')}) if {unset}",
    ]
    lines = [f"http-request set-var(txn.route) {rule}" for rule in rules]
    return "\n    ".join([*lines, f"http-request deny deny_status 404 if {unset}", "use_backend %[var(txn.route)]"])


class Envoy:
    name = "envoy"

    def __init__(self, binary):
        self.binary = binary

    def version(self):
        return _first_line([self.binary, "--version"])

    def command(self, setup):
        config = setup.directory / "envoy.json"
        config.write_text(json.dumps(_envoy(setup)))
        return [
            self.binary, "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "--log-level", "error",
        ]


def _envoy(setup):
    h2 = setup.scenario.protocol == "h2"
    chain = {"filters": [{"name": "http", "typed_config": {
        "@type": _V3 + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "codec_type": "HTTP2" if h2 else "HTTP1",
        "use_remote_address": True,
        "via": "1.1 envoy",
        "normalize_path": True,
        "http_filters": [{"name": "router", "typed_config": {
            "@type": _V3 + "filters.http.router.v3.Router",
            "suppress_envoy_headers": True,
        }}],
        "route_config": {
            "virtual_hosts": _envoy_hosts(setup.table),
            "request_headers_to_add": [
                _envoy_field("X-Forwarded-Host", "%REQ(:authority)%"),
                _envoy_field("X-Forwarded-Port", "%DOWNSTREAM_LOCAL_PORT%"),
            ],
        },
    }}]}
    if setup.scenario.tls:
        chain["transport_socket"] = {"name": "tls", "typed_config": {
            "@type": _V3 + "transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3"},
                "tls_certificates": [{
                    "certificate_chain": {"filename": str(setup.certificate)},
                    "private_key": {"filename": str(setup.key)},
                }],
            },
        }}
    cluster = {
        "name": "app",
        "type": "STATIC",
        "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [
            {"max_connections": 20_000, "max_pending_requests": 20_000, "max_requests": 20_000},
        ]},
        "load_assignment": {"cluster_name": "app", "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": _address(setup.backend_port)}},
        ]}]},
    }
    if h2:
        cluster["typed_extension_protocol_options"] = {_HTTP_OPTIONS: {
            "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
            "explicit_http_config": {"http2_protocol_options": {}},
        }}
    listener = {"name": "in", "address": _address(setup.port), "filter_chains": [chain], "tcp_backlog_size": 8192}
    return {
        "admin": {"address": _address(setup.admin_port)},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }


_V3 = "type.googleapis.com/envoy.extensions."
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _envoy_field(name, value):
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _envoy_hosts(table):
    go = {"cluster": "app"}
    everything = {"match": {"prefix": "/"}, "route": go}
    if table is None:
        return [{"name": "all", "domains": ["*"], "routes": [everything]}]
    paths = [{"match": {"path": r.value}, "route": go} for r in table.of("exact")]
    paths += [
        {"match": {"path": routes.HEADER_PATH, "headers": [
            {"name": routes.HEADER, "string_match": {"exact": r.value}},
        ]}, "route": go}
        for r in table.of("header")
    ]
    paths += [{"match": {"safe_regex": {"regex": r.value}}, "route": go} for r in table.of("regex")]
    paths += [{"match": {"path_separated_prefix": r.value}, "route": go} for r in table.of("prefix")]
    hosts = [{"name": "host", "domains": [routes.HOST], "routes": paths}]
    hosts += [
        {"name": r.value, "domains": [f"*.{r.value}"], "routes": [everything]} for r in table.of("wildcard")
    ]
    return hosts


def _first_line(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    found = re.search(r"\d+\.\d+\.\d+[^\s/,]*", lines[0] if lines else "")
    return found[0] if found else "unknown"
