# SPDX-License-Identifier: Apache-2.0
"""One sipchaind with the HTTP API, and clients of it whose answers are all checked."""
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "net"))
# pylint: disable=wrong-import-position
import node
import topology
from checks import Mismatch, want
from openapi import Description

CONFIGURATION = """\
[node]
name = edge1
user =
state = {0}/state
run = {0}/run

[member]
key = {0}/member.key

[ledger]
path = {0}/ledger.db

[allow]
auto = no
entry = +442079460000 our own number
entry = 192.0.2.99 our gateway

[numbers]
country = 44
own = +442071830000-0099, +447700900900-0999
domains = own.example

[policy]
; a program's word alone has no effect
quorum.log = 2

[enforce]
type = none

[api]
listen = unix:{0}/run/api.sock
listen = tcp:127.0.0.1:{1}
listen = tcp:0.0.0.0:{2}
tls_certificate = {0}/api.pem
tls_key = {0}/api.key
connections = {3}

[token "honeypot"]
secret_file = {0}/honeypot.token
rights = report
rate = 0

[token "reader"]
secret_file = {0}/reader.token

[token "slow"]
secret_file = {0}/slow.token
rights = report
rate = 6

[token "script"]
secret_file = {0}/script.token
rights = report
class = log
"""


def enter():
    """Private namespaces: ports and mounts of our own, gone at the end."""
    topology.enter()
    topology.run("ip", "link", "set", "lo", "up")


GIVEN = set()  # ports; the next one of each is given to nobody


def free_port():
    """One that nobody has, and that no connection of others is given meanwhile."""
    while True:
        port = secrets.choice(range(12000, 22000, 2))  # below what the kernel gives by itself
        if port in GIVEN:
            continue
        GIVEN.add(port)
        with socket.socket() as s:
            try:
                s.bind(("0.0.0.0", port))
                return port
            except OSError:
                pass


class Answer:
    """What came back."""

    def __init__(self, response):
        self.status = response.status
        self.headers = dict(response.getheaders())
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


class UnixConnection(http.client.HTTPConnection):
    """HTTP through a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=90)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(90)
        self.sock.connect(self.path)


class Stage:
    """The ledger, its member's node, and what is known of its API."""

    CONNECTIONS = 80  # room for all streams, and a few more

    def __init__(self, build):
        self.folder = tempfile.mkdtemp(prefix="sipchain-api-")
        self.daemon = node.find(build, "sipchaind")
        self.program = node.find(build, "sipchain")
        self.port, self.tls_port = free_port(), free_port()
        self.description = Description()
        self.process = None

    def __enter__(self):
        try:
            self.make()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments):
        return node.sipchain(self.program, *arguments)

    def make(self):
        self.run("init", "--yes", "--ledger", self.path("ledger.db"), "--owner-key",
                 self.path("owner.key"), "--allow-unroutable", "--threshold", "1")
        for name in ("member", "other"):
            address = self.run("key", "new", self.path(name + ".key")).split()[0]
            self.administer("member", "add", "--name", name, "--signer", address, "--cap", "20000")
        self.administer("protect", "add", "203.0.113.0/24")
        for name in ("state", "run"):
            os.mkdir(self.path(name))
        for name in ("honeypot", "reader", "slow", "script"):
            self.write(name + ".token", secrets.token_hex(24) + "\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.path("api.key"),
                        "-out", self.path("api.pem"), "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True)
        os.chmod(self.path("api.key"), 0o600)
        self.configure()

    def configure(self, *changes):
        """The configuration, with (old, new) texts in it replaced."""
        text = CONFIGURATION.format(self.folder, self.port, self.tls_port, self.CONNECTIONS)
        for old, new in changes:
            want(old in text, "%r is not there", old)
            text = text.replace(old, new)
        self.write("sipchain.conf", text)

    def administer(self, *arguments):
        self.run(*arguments, "--ledger", self.path("ledger.db"), "--key", self.path("owner.key"))

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), 0o600)

    def token(self, name):
        with open(self.path(name + ".token"), encoding="utf-8") as f:
            return f.read().strip()

    # --- the daemon ---

    def start(self, ready=None):
        """Until ready(); without it, until the ledger was read."""
        ready = ready or (lambda: self.call("GET", "/v1/status").json["ledger"]["caught_up"])
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [self.daemon, "-c", self.path("sipchain.conf")], stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            want(self.process.poll() is None, "sipchaind ended: %s", self.log())
            try:
                if ready():
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)
        raise Mismatch("sipchaind does not come up: %s" % self.log())

    def stop(self):
        if self.process:
            self.process.terminate()
            want(self.process.wait(90) == 0, "sipchaind ended with %s: %s",
                 self.process.returncode, self.log())
            self.process = None

    def reload(self):
        """SIGHUP, and until it is said to be done."""
        before = self.whole_log().count("configuration reloaded")
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: self.whole_log().count("configuration reloaded") > before,
                   "it does not reload")

    def whole_log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def log(self):
        return self.whole_log()[-3000:]

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- clients ---

    def connection(self, how="tcp"):
        if how == "unix":
            return UnixConnection(self.path("run/api.sock"))
        if how == "tls":
            context = ssl.create_default_context(cafile=self.path("api.pem"))
            return http.client.HTTPSConnection("127.0.0.1", self.tls_port, context=context,
                                               timeout=90)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)

    def call(self, method, target, token=None, body=None, how="tcp", headers=None, status=None,
             over=None):
        """One request; its answer, which is as the description says."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = "Bearer " + self.token(token)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = over or self.connection(how)
        try:
            connection.request(method, target, body=body, headers=headers)
            answer = Answer(connection.getresponse())
        finally:
            if not over:
                connection.close()
        self.description.answer(method, target.split("?")[0], answer.status, answer.headers,
                                answer.text)
        want(status is None or answer.status == status, "%s %s: %d, not %s: %s", method,
             target[:60], answer.status, status, answer.text[:300])
        return answer

    def report(self, *reports, token="honeypot", status=202, **options):
        body = {"reports": list(reports)} if len(reports) != 1 else reports[0]
        return self.call("POST", "/v1/reports", token=token, body=body, status=status, **options)

    def raw(self, data, wait=30):
        """Bytes as they are; all that comes back until the other side closes."""
        got = b""
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.settimeout(wait)
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has heard enough; what it says to that comes all the same
            try:
                while True:
                    more = s.recv(65536)
                    if not more:
                        return got
                    got += more
            except OSError:  # reset, or silent for so long
                return got

    def until(self, condition, text, seconds=90):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        raise Mismatch(text)

    def blocked(self, query, **options):
        return self.call("GET", "/v1/check?" + query, status=200, **options).json


class Stream:
    """A client of /v1/events."""

    def __init__(self, stage, target="/v1/events", **headers):
        self.connection = stage.connection()
        self.connection.request("GET", target, headers={
            name.replace("_", "-"): value for name, value in headers.items()})
        self.response = self.connection.getresponse()
        want(self.response.status == 200, "%d: %s", self.response.status,
             self.response.read() if self.response.status != 200 else "")
        want(self.response.headers["Content-Type"] == "text/event-stream", "%s",
             self.response.headers)
        stage.description.seen.add(("/v1/events", "get", "200"))
        self.schema = stage.description

    def next(self):
        """The next event: {"id", "event", "data"}; comments are passed over."""
        event = {}
        while True:
            line = self.response.readline()
            if not line:
                raise EOFError
            line = line.decode().rstrip("\n")
            if not line and event.get("data"):
                break
            name, colon, value = line.partition(":")
            if colon and name in ("id", "event", "data"):
                event[name] = value.strip()
        event["data"] = json.loads(event["data"])
        if event["event"] != "gap":
            self.schema.valid(event["data"], {"$ref": "#/components/schemas/Event"}, "event")
            want(int(event["id"]) == event["data"]["id"], "%r", event)
            want(event["event"] == event["data"]["type"], "%r", event)
        return event

    def close(self):
        self.connection.close()
