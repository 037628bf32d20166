"""HTTP/1 conformance over raw sockets: the 33 situations that h1spec looks at, and the rules of
RFC 9112 that they stand for. The origin answers with the body that it was sent.
"""

import concurrent.futures
import re
import socket

from mesh import require

# A server that waits for more has answered nothing by then; one that is asked answers sooner.
PATIENCE_SECONDS = 0.5
ANSWER_SECONDS = 10

WHOLE = b'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n'
# Where a request may be cut off, as a segment's end: in the middle of every element of it.
CUTS = [
    b'G',
    b'GET ',
    b'GET /hello',
    b'GET /hello ',
    b'GET /hello HTTP',
    b'GET /hello HTTP/1.1',
    b'GET /hello HTTP/1.1\r',
    b'GET /hello HTTP/1.1\r\n',
    b'GET /hello HTTP/1.1\r\nHos',
    b'GET /hello HTTP/1.1\r\nHost:',
    b'GET /hello HTTP/1.1\r\nHost: ',
    b'GET /hello HTTP/1.1\r\nHost: localhost',
    b'GET /hello HTTP/1.1\r\nHost: localhost\r',
    b'GET /hello HTTP/1.1\r\nHost: localhost\r\n',
    b'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r',
]

GET = b'GET / HTTP/1.1\r\nHost: a.test\r\n'
POST = b'POST / HTTP/1.1\r\nHost: a.test\r\n'
# (what it is, the request, the answer's first digits, its body)
WHOLE_REQUESTS = [
    ('no version', b'GET / \r\n\r\n', '4', None),
    ('a version that is none', b'GET / HTTP/9.9\r\nHost: a.test\r\n\r\n', '[45]', None),
    ('text before the method', b'More textGET / HTTP/1.1\r\nHost: a.test\r\n\r\n', '[45]', None),
    ('a plain GET', GET + b'\r\n', '2', b''),
    ('an odd but right head', b'GET / HTTP/1.1\r\nhoSt:\ta.test\r\nnothing:\r\n\r\n', '2', b''),
    ('an empty value', GET + b'X-Nothing: \r\n\r\n', '2', b''),
    ('an expectation without a body', GET + b'Expect: 100-continue\r\n\r\n', '(1|2)', None),
    ('brackets in a name', GET + b'X-Name[]: a\r\n\r\n', '4', None),
    ('a control character in a value', GET + b'X-Bell: a\x07\r\n\r\n', '4', None),
    ('a lone CR in the head', GET + b'\rX-After: a\r\n\r\n', '4', None),
    ('no Host', b'GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n', '4', None),
    ('two Hosts', GET + b'Host: b.test\r\n\r\n', '4', None),
    ('a length below zero', GET + b'Content-Length: -1234\r\n\r\n', '4', None),
    ('a length below any number', GET + b'Content-Length: -123456789123456789123456789\r\n\r\n', '4', None),
    ('a length in letters', GET + b'Content-Length: abc\r\n\r\n', '4', None),
    ('a body with a length', POST + b'Content-Length: 5\r\n\r\nhello', '2', b'hello'),
    ('a body in chunks', POST + b'Transfer-Encoding: chunked\r\n\r\nc\r\nHellO world1\r\n0\r\n\r\n', '2', b'HellO world1'),
    (
        'a length and chunks',
        POST + b'content-LengtH: 5\r\nTransFer-Encoding: chunked\r\n\r\nc\r\nHellO world1\r\n0\r\n\r\n',
        '4',
        None,
    ),
]


def conformance(mesh):
    port = mesh.ports['http']
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waits = pool.map(lambda cut: waits_for_the_rest(port, cut), CUTS)
        answers = pool.map(lambda case: answers_as(port, *case), WHOLE_REQUESTS)
        missed = [miss for miss in [*waits, *answers] if miss]
    total = len(CUTS) + len(WHOLE_REQUESTS)
    require(not missed, f'{len(missed)} of {total}\n' + '\n'.join(missed))
    pipelining(port)
    return f'{total} of {total} situations, 50 pipelined requests in order'


def waits_for_the_rest(port, cut):
    """`None`, or what is wrong: nothing comes too soon, and the whole request is answered."""
    with socket.create_connection(('127.0.0.1', port), ANSWER_SECONDS) as sent:
        sent.sendall(cut)
        sent.settimeout(PATIENCE_SECONDS)
        try:
            return f'{cut}: answered {sent.recv(1000)}'
        except TimeoutError:
            pass
        sent.settimeout(ANSWER_SECONDS)
        sent.sendall(WHOLE[len(cut) :])
        status, _ = read_answer(sent.makefile('rb'))
        return None if status == '200' else f'{cut}, then the rest: {status}'


def answers_as(port, what, request, wanted, wanted_body):
    with socket.create_connection(('127.0.0.1', port), ANSWER_SECONDS) as sent:
        sent.sendall(request)
        status, body = read_answer(sent.makefile('rb'))
        right = re.match(wanted, status) and wanted_body in (None, body)
        return None if right else f'{what}: {status} {body[:80]}'


def pipelining(port):
    with socket.create_connection(('127.0.0.1', port), ANSWER_SECONDS) as sent:
        sent.sendall(b''.join(POST + b'Content-Length: 2\r\n\r\n%02d' % number for number in range(50)))
        stream = sent.makefile('rb')
        bodies = [read_answer(stream)[1] for _ in range(50)]
        require(bodies == [b'%02d' % number for number in range(50)], f'pipelined: {bodies}')


def read_answer(stream):
    """The status and the body of one answer, which has a length; `''` where nothing came."""
    status, fields = read_head(stream)
    return status, stream.read(int(fields.get('content-length', 0)))


def read_head(stream):
    first = stream.readline().decode('latin-1')
    fields = {}
    while line := stream.readline().strip().decode('latin-1'):
        name, _, value = line.partition(':')
        fields[name.lower()] = value.strip()
    return first[9:12], fields
