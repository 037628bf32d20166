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
    failed = {}
    for case in UNARY + STREAMING:
        flags = ['-server_host', '127.0.0.1', '-server_port', str(mesh.ports['grpc'])]
        command = [client, f'-test_case={case}', *flags]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode:
            failed[case] = (done.stdout + done.stderr)[-500:]
    require(not failed, '\n'.join(f'{case}: {said}' for case, said in failed.items()))
    return f'{len(UNARY)} of {len(UNARY)} unary and {len(STREAMING)} of {len(STREAMING)} streaming cases'
