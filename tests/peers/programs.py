"""curl, a WebSocket client and senders of the PROXY protocol."""

import json
import os
import socket
import ssl
import subprocess

from http1 import read_answer, read_head
from mesh import program, require
from origin import frame, read_frame

UPLOAD_BYTES = 8 * 1024 * 1024
SECONDS = 30


def curl(mesh):
    """Each case: flags, then the version and status that curl has to see, then the body."""
    curl = program('curl')
    mesh.nghttpd()
    upload = mesh.folder / 'upload'
    body = os.urandom(UPLOAD_BYTES)
    upload.write_bytes(body)
    http, https = (f'{scheme}://127.0.0.1:{mesh.ports[scheme]}' for scheme in ('http', 'https'))
    h1, h2c = '--http1.1', '--http2-prior-knowledge'
    sent = ['--data-binary', f'@{upload}']
    chunked = ['-H', 'Transfer-Encoding: chunked']
    # Asked for even where curl would not wait.
    expect = ['-H', 'Expect: 100-continue', '--expect100-timeout', str(SECONDS)]
    small = ['-d', 'hello']
    cases = {
        'h1': ([h1, *small, http], '1.1 200', b'hello'),
        'h1.0': (['--http1.0', *small, http], '1.1 200', b'hello'),
        'h2c': ([h2c, *small, http], '2 200', b'hello'),
        'h2c to h2c': ([h2c, f'{http}/h2/hello'], '2 200', b'hello\n'),
        'TLS, ALPN h2': ([*small, https], '2 200', b'hello'),
        'TLS, ALPN h1': ([h1, *small, https], '1.1 200', b'hello'),
        'TLS, no ALPN': (['--no-alpn', *small, https], '1.1 200', b'hello'),
        'TLS 1.2': (['--tls-max', '1.2', *small, https], '2 200', b'hello'),
        'HEAD': ([h1, '-I', '-o', os.devnull, http], '1.1 200', b''),
        'HEAD h2': ([h2c, '-I', '-o', os.devnull, http], '2 200', b''),
        '204': ([h1, f'{http}/204'], '1.1 204', b''),
        'no route': ([h1, '-o', os.devnull, f'http://127.0.0.1:{mesh.ports["grpc"]}/none'], '1.1 404', b''),
        'IPv6 endpoint': ([h1, *small, f'{http}/ipv6'], '1.1 200', b'hello'),
        'Unix socket': ([h2c, *small, f'{http}/unix'], '2 200', b'hello'),
        'trailers, h1': ([h1, *small, f'{http}/trailers'], '1.1 200', b'hello'),
        'trailers, h2': ([*small, f'{https}/trailers'], '2 200', b'hello'),
        'sized upload': ([h1, '-H', 'Expect:', *sent, http], '1.1 200', body),
        'chunked upload': ([h1, *chunked, '-H', 'Expect:', *sent, http], '1.1 200', body),
        'expected upload': ([h1, *expect, *sent, http], '1.1 200', body),
        'expected chunked upload': ([h1, *expect, *chunked, *sent, https], '1.1 200', body),
        'h2 upload': ([h2c, *sent, http], '2 200', body),
        'h2 upload to h2c': ([h2c, *sent, f'{http}/h2/hello'], '2 200', body),
        'TLS upload to h2c': ([h1, *chunked, *sent, f'{https}/h2/hello'], '1.1 200', body),
        'TLS upload to a Unix socket': ([*sent, f'{https}/unix'], '2 200', body),
    }
    missed = []
    for name, (flags, status, answer) in cases.items():
        command = [curl, '-sSk', '--max-time', str(SECONDS), '-w', '%{stderr}%{http_version} %{response_code}\n']
        done = subprocess.run([*command, *flags], capture_output=True, timeout=2 * SECONDS)
        got = (done.returncode, done.stderr.decode().split(), done.stdout)
        if got != (0, status.split(), answer):
            missed.append(f'{name}: {got[0]} {" ".join(got[1])} {len(got[2])} bytes {got[2][:80]}')
    require(not missed, f'{len(missed)} of {len(cases)}\n' + '\n'.join(missed))
    return f'{len(cases)} of {len(cases)} requests, up to {UPLOAD_BYTES >> 20} MiB each'


def websocket(mesh):
    """Handshake, then frames of all sizes both ways, then the close."""
    counts = []
    for scheme in ('http', 'https'):
        plain = socket.create_connection(('127.0.0.1', mesh.ports[scheme]), SECONDS)
        with secured(plain) if scheme == 'https' else plain as sent:
            sent.sendall(WEBSOCKET)
            stream = sent.makefile('rb')
            status, fields = read_head(stream)
            require(status == '101', f'{scheme}: {status} {fields}')
            require(fields.get('sec-websocket-accept') == WEBSOCKET_ACCEPT, f'{scheme}: {fields}')
            require(fields.get('upgrade', '').lower() == 'websocket', f'{scheme}: {fields}')
            for size in WEBSOCKET_SIZES:
                payload = os.urandom(size)
                sent.sendall(frame(2, payload, mask=os.urandom(4)))
                require(read_frame(stream) == (2, payload), f'{scheme}: a frame of {size} bytes')
            sent.sendall(frame(8, b'\x03\xe8', mask=os.urandom(4)))
            require(read_frame(stream) == (8, b'\x03\xe8'), f'{scheme}: the close')
            require(stream.read() == b'', f'{scheme}: more after the close')
            counts.append(f'{scheme} {len(WEBSOCKET_SIZES)} of {len(WEBSOCKET_SIZES)} messages')
    return ', '.join(counts)


WEBSOCKET = (
    b'GET /chat HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    b'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
)
# RFC 6455 §1.3 works this one out.
WEBSOCKET_ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
WEBSOCKET_SIZES = [0, 1, 125, 126, 65535, 65536, 1_000_000]


def secured(plain):
    context = ssl.create_default_context()
    # Certificates are another test's matter.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname='localhost')


def proxy_protocol(mesh):
    """The client's address as the origin hears of it, from each spelling of the header."""
    port = mesh.ports['proxied']
    get = b'GET /saw HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'
    # RFC 5737 and RFC 3849 addresses: nobody's.
    v2_ipv4 = socket.inet_aton('203.0.113.9') + socket.inet_aton('127.0.0.1') + b'\x30\x39\x00\x50'
    nobody = socket.inet_pton(socket.AF_INET6, '2001:db8::9')
    v2_ipv6 = nobody + nobody + b'\x30\x39\x00\x50'
    cases = {
        'v1': (b'PROXY TCP4 203.0.113.9 127.0.0.1 12345 80\r\n', '203.0.113.9'),
        'v1 IPv6': (b'PROXY TCP6 2001:db8::9 2001:db8::1 12345 80\r\n', '2001:db8::9'),
        'v1 unknown': (b'PROXY UNKNOWN\r\n', '127.0.0.1'),
        'v2': (v2(0x21, 0x11, v2_ipv4), '203.0.113.9'),
        'v2 IPv6': (v2(0x21, 0x21, v2_ipv6), '2001:db8::9'),
        'v2 with a TLV': (v2(0x21, 0x11, v2_ipv4 + b'\x04\x00\x03abc'), '203.0.113.9'),
        'v2 local': (v2(0x20, 0x00, b''), '127.0.0.1'),
        'none': (b'', None),
        'none that is right': (b'PROXY TCP4 203.0.113.9\r\n', None),
        'v2 cut short': (v2(0x21, 0x11, v2_ipv4[:6]), None),
    }
    missed = []
    for name, (header, wanted) in cases.items():
        seen = forwarded_for(port, header + get)
        if seen != wanted:
            missed.append(f'{name}: the origin heard of {seen}')
    require(not missed, '\n'.join(missed))
    command = [program('curl'), '-sS', '--haproxy-protocol', '--max-time', str(SECONDS)]
    done = subprocess.run([*command, f'http://127.0.0.1:{port}/saw'], capture_output=True)
    require(done.returncode == 0, f'curl: {done.stderr}')
    return f'{len(cases) + 1} of {len(cases) + 1} connections'


def v2(command, family, rest):
    signature = b'\r\n\r\n\x00\r\nQUIT\n'
    return signature + bytes([command, family]) + len(rest).to_bytes(2, 'big') + rest


def forwarded_for(port, data):
    """`None` where the connection ends without an answer."""
    with socket.create_connection(('127.0.0.1', port), SECONDS) as sent:
        try:
            sent.sendall(data)
            status, body = read_answer(sent.makefile('rb'))
        except ConnectionError:
            return None
        return dict(json.loads(body)['fields'])['x-forwarded-for'] if status == '200' else None
