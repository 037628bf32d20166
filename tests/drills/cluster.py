"""A cluster as the drills use it: kubectl for what a person would do, the API for what has to be
quick, and a load that counts what fails."""

import base64
import errno
import http.client
import itertools
import json
import random
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse


class Failed(Exception):
    """What a drill found wrong."""


def kubectl(*arguments, stdin=None, check=True):
    done = subprocess.run(
        ["kubectl", *arguments], input=stdin, text=True, capture_output=True, check=False
    )
    if check and done.returncode != 0:
        raise Failed(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def get(*arguments):
    return json.loads(kubectl("get", *arguments, "-o", "json"))


def apply(*objects):
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def wait_for(what, condition, seconds=60, every=0.1):
    """Waits until `condition` answers with something true, which is returned."""
    end = time.monotonic() + seconds
    why = None
    while time.monotonic() < end:
        try:
            found = condition()
            if found:
                return found
        except (Failed, OSError, http.client.HTTPException, KeyError, IndexError) as error:
            why = error
        time.sleep(every)
    raise Failed(f"not within {seconds} s: {what}" + (f" ({why})" if why else ""))


def serves(address):
    """Whether an API server answers there, whatever its certificate."""
    connection = http.client.HTTPSConnection(
        address, timeout=1, context=ssl._create_unverified_context()
    )
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    finally:
        connection.close()


class Api:
    """One connection to the API server, kept open: its answer is where the clock starts."""

    def __init__(self):
        config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        cluster = config["clusters"][0]["cluster"]
        user = config["users"][0]["user"]
        server = urllib.parse.urlparse(cluster["server"])
        self.address = (server.hostname, server.port or 443)
        self.context = ssl.create_default_context()
        authority = _pem(cluster, "certificate-authority")
        if authority:
            self.context.load_verify_locations(cadata=authority)
        certificate, key = _pem(user, "client-certificate"), _pem(user, "client-key")
        if certificate and key:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:
                both.write(certificate + "\n" + key)
                both.flush()
                self.context.load_cert_chain(both.name)
        self.headers = {"Content-Type": "application/json"}
        if "token" in user:
            self.headers["Authorization"] = "Bearer " + user["token"]
        self.connection = None

    def ask(self, method, path, body=None, content_type="application/json"):
        if self.connection is None:
            # Deleting thousands of objects is one request.
            self.connection = http.client.HTTPSConnection(
                *self.address, context=self.context, timeout=180
            )
        headers = {**self.headers, "Content-Type": content_type}
        try:
            data = None if body is None else json.dumps(body)
            self.connection.request(method, path, data, headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)


def _pem(entry, name):
    if name + "-data" in entry:
        return base64.b64decode(entry[name + "-data"]).decode()
    if name in entry:
        with open(entry[name], encoding="utf-8") as file:
            return file.read()
    return None


# A port that was used before may still be mapped to a pod that is gone: the kernel remembers where
# connections of a Service went for two minutes after their end. So none is used twice.
_PORTS = itertools.cycle(random.sample(range(15000, 32000), 17000))


def connect(address, timeout=10):
    """A connection from a port that no other connection of this process had."""
    for port in _PORTS:
        connection = http.client.HTTPConnection(*address, timeout=timeout, source_address=("", port))
        try:
            connection.connect()
            return connection
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise Failed("no port is free")


def forget_mappings(address):
    """Has the kernel forget the connections of earlier drills to the address."""
    subprocess.run(
        ["conntrack", "--delete", "--orig-dst", address[0], "--state", "TIME_WAIT"],
        capture_output=True,
        check=False,
    )


class Load:
    """Requests to one host, one after another on each of a few connections; one in `fresh` opens a
    connection of its own. Anything but a whole 200 counts as failed."""

    def __init__(self, address, host, path="/", connections=4, fresh=10):
        self.address, self.host, self.path, self.fresh = address, host, path, fresh
        self.asked, self.failures, self.times = 0, [], []
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.threads = [
            threading.Thread(target=self._ask, daemon=True) for _ in range(connections)
        ]

    def __enter__(self):
        forget_mappings(self.address)
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def _ask(self):
        connection, count = None, 0
        while not self.stopped.is_set():
            count += 1
            if count % self.fresh == 0 and connection is not None:
                connection.close()
                connection = None
            started = time.monotonic()
            why = None
            try:
                if connection is None:
                    connection = connect(self.address)
                connection.request("GET", self.path, headers={"Host": self.host})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    why = f"status {answer.status}, cause {answer.getheader('meshctl-cause')}"
                if answer.getheader("connection", "").lower() == "close":
                    connection.close()
                    connection = None
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
                # A connection that was idle may end as the next request is written; a client that
                # has read nothing asks again, and so does this one: once, on a new connection.
                if connection is not None:
                    connection.close()
                connection = None
                why = self._again(error) if count % self.fresh != 0 else repr(error)
            except (OSError, http.client.HTTPException) as error:
                if connection is not None:
                    connection.close()
                connection = None
                why = repr(error)
            with self.lock:
                self.asked += 1
                self.times.append(time.monotonic() - started)
                if why:
                    self.failures.append(f"after {self.times[-1]:.3f} s: {why}")
            time.sleep(0.002)

    def _again(self, first):
        connection = connect(self.address)
        try:
            connection.request("GET", self.path, headers={"Host": self.host})
            answer = connection.getresponse()
            answer.read()
            return None if answer.status == 200 else f"status {answer.status} after {first!r}"
        except (OSError, http.client.HTTPException) as error:
            return f"{error!r} after {first!r}"
        finally:
            connection.close()

    def check(self, at_least):
        if self.failures:
            shown = "; ".join(self.failures[:5])
            raise Failed(f"{len(self.failures)} of {self.asked} requests failed: {shown}")
        if self.asked < at_least:
            raise Failed(f"only {self.asked} requests were made: that shows nothing")


def request(connection, host, path="/"):
    """The status of one request."""
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def asks(address, host, path="/"):
    """The same by a new connection."""
    connection = connect(address, timeout=5)
    try:
        return request(connection, host, path)
    finally:
        connection.close()


def answers(address, host, path="/", status=200):
    """Whether one new connection is answered with the status."""
    return asks(address, host, path) == status


def must_answer(address, host):
    """Says what comes instead of a 200."""
    connection = connect(address, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise Failed(f"status {answer.status}, cause {answer.getheader('meshctl-cause')}")
    return True


def conditions(entry):
    """`True` or `False REASON` of each condition of a status, a listener or a parent."""
    told = {}
    for one in entry.get("conditions", []):
        good = one["status"] == "True"
        told[one["type"]] = "True" if good else f"{one['status']} {one['reason']}"
    return told
