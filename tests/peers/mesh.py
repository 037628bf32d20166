"""A proxy process, the origins behind it, and the configuration between them."""

import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from origin import EchoServer, UnixEchoServer

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CACHE = pathlib.Path(
    os.environ.get('MESHCTL_TESTS_CACHE')
    or pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'meshctl-tests'
)
# Long enough for a debug build on two busy cores.
START_SECONDS = 20


class Miss(Exception):
    """What was measured is not what was promised."""


class LeftOut(Exception):
    """A program that isn't on this machine."""


def require(condition, text):
    if not condition:
        raise Miss(text)


def program(name):
    found = shutil.which(name)
    if not found:
        raise LeftOut(f'{name} is not installed')
    return found


def built(module, version, packages):
    """Programs of a Go module, whose sources go.sum pins: built once, outside the checkout."""
    folder = CACHE / f'{module}-{version}'
    wanted = [folder / package.rsplit('/', 1)[1] for package in packages]
    if not all(path.exists() for path in wanted):
        go = program('go')
        folder.mkdir(parents=True, exist_ok=True)
        # Beside it first: a build that is cut off leaves nothing half.
        with tempfile.TemporaryDirectory(dir=folder) as half:
            build = [go, 'build', '-mod=readonly', '-o', f'{half}/', *packages]
            subprocess.run(build, cwd=HERE / module, check=True)
            for path in wanted:
                os.replace(f'{half}/{path.name}', path)
    return wanted


def free_ports(count):
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until(condition, what):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        require(time.monotonic() < deadline, f'{what} did not start within {START_SECONDS} s')
        time.sleep(0.02)


def accepts(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
    except OSError:
        return False
    return True


class Mesh:
    """Everything that the parts share. Ports are free ones, files are in a temporary folder."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='meshctl-peers-'))
        self.children = []
        self.echo = EchoServer()
        self.unix_echo = UnixEchoServer(str(self.folder / 'echo.sock'))
        for server in (self.echo, self.unix_echo):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        names = 'http https proxied grpc grpcs observe nginx nghttpd interop'
        self.ports = dict(zip(names.split(), free_ports(9)))
        try:
            self.make_certificate()
            self.start_proxy()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, command, port, what):
        """A program that serves `port` until everything ends."""
        with open(self.folder / f'{what}.log', 'wb') as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.children.append(child)
        wait_until(lambda: child.poll() is not None or accepts(port), what)
        require(child.poll() is None, f'{what} ended: {self.log(what)}')
        return child

    def start_proxy(self):
        (self.folder / 'mesh').mkdir()
        documents = '\n---\n'.join(json.dumps(each, indent=1) for each in self.resources())
        (self.folder / 'mesh' / 'mesh.yaml').write_text(documents)
        target = os.environ.get('CARGO_TARGET_DIR') or REPOSITORY / 'target'
        binary = os.environ.get('MESHCTL') or f'{target}/debug/meshctl'
        observe = f'127.0.0.1:{self.ports["observe"]}'
        command = [binary, 'proxy', 'run', '-f', str(self.folder / 'mesh'), '--workers', '2']
        command += ['--observe', observe, '--control', str(self.folder / 'control')]
        self.proxy = self.start(command, self.ports['observe'], 'meshctl')
        wait_until(self.is_ready, 'meshctl')

    def is_ready(self):
        require(self.proxy.poll() is None, f'meshctl ended: {self.said()}')
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{self.ports["observe"]}/ready', timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def is_alive(self):
        return self.proxy.poll() is None

    def log(self, what):
        return (self.folder / f'{what}.log').read_text(errors='replace')[-4000:]

    def said(self):
        return self.log('meshctl')

    def nginx(self):
        """HTTP/1 origin for load, started when first asked for."""
        if not (self.folder / 'nginx.log').exists():
            configuration = self.folder / 'nginx.conf'
            configuration.write_text(NGINX.format(folder=self.folder, port=self.ports['nginx']))
            command = [program('nginx'), '-c', str(configuration), '-e', str(self.folder / 'nginx.err')]
            self.start(command, self.ports['nginx'], 'nginx')

    def nghttpd(self):
        """HTTP/2 origin, started when first asked for; says back what it is sent."""
        if not (self.folder / 'nghttpd.log').exists():
            documents = self.folder / 'documents'
            (documents / 'h2').mkdir(parents=True)
            (documents / 'h2' / 'hello').write_text('hello\n')
            command = [program('nghttpd'), '--no-tls', '--echo-upload', '-d', str(documents)]
            self.start([*command, str(self.ports['nghttpd'])], self.ports['nghttpd'], 'nghttpd')

    def make_certificate(self):
        self.certificate = self.folder / 'certificate.pem'
        self.key = self.folder / 'key.pem'
        command = [program('openssl'), 'req', '-x509', '-newkey', 'ec', '-nodes', '-days', '2']
        command += ['-pkeyopt', 'ec_paramgen_curve:prime256v1', '-subj', '/CN=localhost']
        command += ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
        # Its own authority: gRPC's client checks that it may be one.
        command += ['-addext', 'keyUsage=digitalSignature,keyCertSign']
        command += ['-keyout', str(self.key), '-out', str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)

    def resources(self):
        ports = self.ports
        tls = {'certificateRefs': [{'name': 'certificate'}]}
        yield gateway('edge', [
            {'name': 'http', 'port': ports['http'], 'protocol': 'HTTP'},
            {'name': 'https', 'port': ports['https'], 'protocol': 'HTTPS', 'tls': tls},
            {'name': 'grpc', 'port': ports['grpc'], 'protocol': 'HTTP'},
            {'name': 'grpcs', 'port': ports['grpcs'], 'protocol': 'HTTPS', 'tls': tls},
        ])
        yield gateway('proxied', [{'name': 'http', 'port': ports['proxied'], 'protocol': 'HTTP'}])
        yield settings('edge', {'accessLog': 'off'})
        yield settings('proxied', {'accessLog': 'off', 'proxyProtocol': {'from': ['127.0.0.1']}})
        yield resource('v1', 'Secret', 'certificate', type='kubernetes.io/tls', data={
            'tls.crt': base64.b64encode(self.certificate.read_bytes()).decode(),
            'tls.key': base64.b64encode(self.key.read_bytes()).decode(),
        })
        yield route('HTTPRoute', 'web', [('edge', 'http'), ('edge', 'https'), ('proxied', 'http')], [
            rule('/', 'echo'),
            rule('/nginx', 'nginx'),
            rule('/h2', 'nghttpd'),
            rule('/unix', 'unix'),
            rule('/ipv6', 'ipv6'),
            # The proxy as its own HTTP/2 origin.
            rule('/again', 'self', 'later'),
        ])
        yield route('GRPCRoute', 'interop', [('edge', 'grpc'), ('edge', 'grpcs')], [
            {
                'matches': [{'method': {'service': 'grpc.testing.TestService'}}],
                'backendRefs': [backend_ref('interop')],
            },
            {
                'matches': [{'method': {'service': 'grpc.testing.UnimplementedService'}}],
                'backendRefs': [backend_ref('interop')],
            },
        ])
        yield backend('echo', f'127.0.0.1:{self.echo.port}')
        yield backend('ipv6', f'[::1]:{self.echo.port}')
        yield backend('unix', f'unix:{self.unix_echo.server_address}')
        yield backend('self', f'127.0.0.1:{ports["http"]}', 'H2C')
        yield backend('nginx', f'127.0.0.1:{ports["nginx"]}')
        yield backend('nghttpd', f'127.0.0.1:{ports["nghttpd"]}', 'H2C')
        yield backend('interop', f'127.0.0.1:{ports["interop"]}', 'H2C')


NGINX = """\
daemon off;
pid {folder}/nginx.pid;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "hello\\n"; }}
    }}
}}
"""


def resource(version, kind, name, **fields):
    return {'apiVersion': version, 'kind': kind, 'metadata': {'name': name}, **fields}


def gateway(name, listeners):
    """With the settings of the same name."""
    parameters = {'group': 'meshctl.dev', 'kind': 'MeshConfig', 'name': name}
    spec = {
        'gatewayClassName': 'meshctl',
        'listeners': listeners,
        'infrastructure': {'parametersRef': parameters},
    }
    return resource('gateway.networking.k8s.io/v1', 'Gateway', name, spec=spec)


def settings(name, spec):
    return resource('meshctl.dev/v1alpha1', 'MeshConfig', name, spec=spec)


def route(kind, name, parents, rules):
    parents = [{'name': gateway, 'sectionName': listener} for gateway, listener in parents]
    spec = {'parentRefs': parents, 'rules': rules}
    return resource('gateway.networking.k8s.io/v1', kind, name, spec=spec)


def rule(prefix, backend, rewritten=None):
    matches = [{'path': {'type': 'PathPrefix', 'value': prefix}}]
    rule = {'matches': matches, 'backendRefs': [backend_ref(backend)]}
    if rewritten:
        path = {'type': 'ReplacePrefixMatch', 'replacePrefixMatch': f'/{rewritten}'}
        rule['filters'] = [{'type': 'URLRewrite', 'urlRewrite': {'path': path}}]
    return rule


def backend_ref(name):
    return {'group': 'meshctl.dev', 'kind': 'Backend', 'name': name}


def backend(name, endpoint, protocol='HTTP'):
    spec = {'endpoints': [endpoint], 'protocol': protocol}
    return resource('meshctl.dev/v1alpha1', 'Backend', name, spec=spec)
