"""An HTTP/1 origin that says back what it got, speaks WebSocket, and counts."""

import base64
import hashlib
import http.server
import json
import socket
import socketserver
import time

# Streams have to be open still when the next frames of a test arrive.
LATER_SECONDS = 0.02
WEBSOCKET_KEY = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'


class Echo(http.server.BaseHTTPRequestHandler):
    """`…/saw` answers with the head as JSON, `…/later` with a greeting after a moment,
    everything else with the request's body.
    """

    protocol_version = 'HTTP/1.1'

    def answer(self):
        if self.headers.get('upgrade', '').lower() == 'websocket':
            self.websocket()
            return
        body, trailers = self.body()
        path = self.path.split('?')[0]
        if path.endswith('/later'):
            time.sleep(LATER_SECONDS)
            body = b'hello\n'
        if path.endswith('/saw'):
            fields = [[name.lower(), value] for name, value in self.headers.items()]
            saw = {'method': self.command, 'target': self.path, 'fields': fields, 'trailers': trailers}
            body = json.dumps(saw).encode()
        self.send_response(204 if path.endswith('/204') else 200)
        if path.endswith('/204'):
            self.end_headers()
            return
        if path.endswith('/trailers'):
            self.send_header('transfer-encoding', 'chunked')
            self.end_headers()
            self.wfile.write(b'%x\r\n%s\r\n0\r\nx-sum: 7\r\n\r\n' % (len(body), body))
            return
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer

    def body(self):
        if 'chunked' not in self.headers.get('transfer-encoding', ''):
            return self.rfile.read(int(self.headers.get('content-length', 0))), []
        body, trailers = b'', []
        while size := int(self.rfile.readline().split(b';')[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while (line := self.rfile.readline().strip()):
            trailers.append(line.decode())
        return body, trailers

    def websocket(self):
        """Says back each frame, unmasked, up to the one that closes."""
        key = self.headers['sec-websocket-key'].encode()
        accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_KEY).digest()).decode()
        self.send_response(101)
        self.send_header('upgrade', 'websocket')
        self.send_header('connection', 'upgrade')
        self.send_header('sec-websocket-accept', accept)
        self.end_headers()
        self.wfile.flush()
        opcode = 0
        while opcode != 8:
            opcode, payload = read_frame(self.rfile)
            self.wfile.write(frame(opcode, payload))
        self.close_connection = True

    def log_message(self, *_):
        """The tests look at answers."""


def frame(opcode, payload, mask=None):
    """RFC 6455 §5.2, complete messages alone."""
    masked = 0x80 if mask else 0
    if len(payload) < 126:
        head = bytes([0x80 | opcode, masked | len(payload)])
    elif len(payload) < 1 << 16:
        head = bytes([0x80 | opcode, masked | 126]) + len(payload).to_bytes(2, 'big')
    else:
        head = bytes([0x80 | opcode, masked | 127]) + len(payload).to_bytes(8, 'big')
    return head + (mask + apply_mask(payload, mask) if mask else payload)


def read_frame(stream):
    first, second = exactly(stream, 2)
    size = second & 0x7F
    if size >= 126:
        size = int.from_bytes(exactly(stream, 2 if size == 126 else 8), 'big')
    mask = exactly(stream, 4) if second & 0x80 else None
    payload = exactly(stream, size)
    return first & 0x0F, apply_mask(payload, mask) if mask else payload


def exactly(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise EOFError(f'{len(data)} of {size} bytes')
    return data


def apply_mask(payload, mask):
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, 'big') ^ int.from_bytes(repeated, 'big')
    return mixed.to_bytes(len(payload), 'big')


class EchoServer(http.server.ThreadingHTTPServer):
    """On every address of the machine, IPv6 ones included."""

    address_family = socket.AF_INET6
    request_queue_size = 128
    daemon_threads = True

    def __init__(self):
        super().__init__(('::', 0), Echo)
        self.port = self.server_address[1]

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request, client_address):
        """A client that went away is no news."""


class UnixEchoServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path):
        super().__init__(path, Echo)

    def handle_error(self, request, client_address):
        """A client that went away is no news."""
