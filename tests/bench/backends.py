"""What the proxies ask: servers that do next to nothing, the same for all."""

from dataclasses import dataclass
from pathlib import Path

import machine
import process

ANSWER = b"x" * 128
GRPC_PATH = "/bench.Echo/Unary"
# A frame of gRPC: not compressed, five bytes.
GRPC_FRAME = b"\0\0\0\0\5hello"

NGINX = """
daemon off; worker_processes 1; pid {directory}/backend.pid; error_log {directory}/backend.log crit;
events {{ worker_connections 16000; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s;
    client_body_temp_path {directory}/b1; proxy_temp_path {directory}/b2; fastcgi_temp_path {directory}/b3;
    uwsgi_temp_path {directory}/b4; scgi_temp_path {directory}/b5;
    server {{ listen 127.0.0.1:{port} backlog=8192; location / {{ default_type text/plain; return 200 "{answer}"; }} }}
}}
"""


@dataclass(frozen=True)
class Backends:
    """Running servers by what they speak."""

    h1: int
    h2: int
    grpc: int
    programs: list

    def stop(self):
        for program in self.programs:
            program.stop()


def start(directory):
    directory = Path(directory)
    files = directory / "files"
    (files / "bench.Echo").mkdir(parents=True)
    (files / "index.html").write_bytes(ANSWER)
    (files / GRPC_PATH[1:]).write_bytes(GRPC_FRAME)
    ports = [machine.free_port() for _ in range(3)]
    config = directory / "backend.conf"
    config.write_text(NGINX.format(directory=directory, port=ports[0], answer=ANSWER.decode()))
    nghttpd = ["nghttpd", "--no-tls", "--address=127.0.0.1", "-d", str(files)]
    commands = [
        ["nginx", "-p", str(directory), "-c", str(config)],
        [*nghttpd, str(ports[1])],
        [*nghttpd, "--trailer=grpc-status: 0", str(ports[2])],
    ]
    programs = [process.Program(command, machine.LOAD_CORE, directory) for command in commands]
    return Backends(*ports, programs)
