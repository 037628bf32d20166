"""The gRPC project's own client and server, with a GRPCRoute between them."""

import subprocess

from mesh import built, require

VERSION = '1.85.0'
PACKAGE = 'google.golang.org/grpc/interop'
UNARY = [
    'empty_unary',
    'large_unary',
    'status_code_and_message',
    'special_status_message',
    'custom_metadata',
    'unimplemented_method',
    'unimplemented_service',
]
STREAMING = [
    'client_streaming',
    'server_streaming',
    'ping_pong',
    'empty_stream',
    'timeout_on_sleeping_server',
    'cancel_after_begin',
    'cancel_after_first_response',
]


def interop(mesh):
    client, server = built('grpc', VERSION, [f'{PACKAGE}/client', f'{PACKAGE}/server'])
    port = mesh.ports['interop']
    mesh.start([server, '-port', str(port)], port, 'interop')
    over = {
        'h2c': ['-server_port', str(mesh.ports['grpc'])],
        'TLS': [
            *['-server_port', str(mesh.ports['grpcs']), '-use_tls'],
            *['-use_test_ca', '-ca_file', str(mesh.certificate), '-server_host_override', 'localhost'],
        ],
    }
    failed = []
    for name, flags in over.items():
        for case in UNARY + STREAMING:
            command = [client, f'-test_case={case}', '-server_host', '127.0.0.1', *flags]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            if done.returncode:
                failed.append(f'{case} over {name}: {(done.stdout + done.stderr)[-500:]}')
    require(not failed, '\n'.join(failed))
    unary, streaming = len(UNARY), len(STREAMING)
    counts = f'{unary} of {unary} unary and {streaming} of {streaming} streaming cases'
    return f'{counts} over {" and ".join(over)}'
