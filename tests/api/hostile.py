#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostile.py --build FOLDER [--results FILE]: what is done to the HTTP API, not asked of it.

Clients that are slow, many, silent or lie about their lengths: none keeps a good one
from its answer. Leaves with 1 when a check failed, 2 when the stage could not be set.
"""
import os
import resource
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from stage import Stage, Stream, enter
import checks
import topology
from checks import want

CHECK = b"GET /v1/check?ip=192.0.2.1 HTTP/1.1\r\nHost: localhost\r\n"


class Small(Stage):
    """One that takes few connections."""

    CONNECTIONS = 64


def post(s, headers, host=b"localhost"):
    """The head of a report's request, by who may report."""
    return (b"POST /v1/reports HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/json\r\n%s\r\n" %
            (host, s.token("honeypot").encode(), headers))


class Talk:
    """A connection whose bytes are given one piece after another."""

    def __init__(self, s):
        self.socket = socket.create_connection(("127.0.0.1", s.port))
        self.socket.settimeout(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, data):
        self.socket.sendall(data)

    def heard(self, end=b"\r\n\r\n"):
        """What comes up to this, or to the other's end."""
        got = b""
        while end not in got:
            more = self.socket.recv(65536)
            if not more:
                break
            got += more
        return got

    def quiet(self):
        """Whether nothing comes for a moment."""
        self.socket.settimeout(0.3)
        try:
            return not self.socket.recv(1)
        except socket.timeout:
            return True
        finally:
            self.socket.settimeout(60)


# --- the checks, in order; each is told to the reader by its first line ---

def too_long(s):
    """a length far beyond the limit: 413 before a byte of the body, and the connection ends"""
    for length in (b"2097153", b"99999999999", b"18446744073709551615"):
        with Talk(s) as talk:
            talk.say(post(s, b"Content-Length: %s\r\n" % length))
            got = talk.heard(b"}\n")
            want(got.startswith(b"HTTP/1.1 413 ") and b"at most 524288 bytes" in got and
                 b"Connection: close" in got, "%s: %r", length, got)
            want(talk.heard() == b"", "it stays open")
    with Talk(s) as talk:  # one that it hears to its end
        talk.say(post(s, b"Content-Length: 524289\r\n"))
        want(talk.quiet(), "an answer before the body")
        talk.say(524289 * b" ")
        want(talk.heard(b"}\n").startswith(b"HTTP/1.1 413 "), "not 413")


def expected(s):
    """Expect: 100-continue is followed, but not for what is refused beforehand"""
    body = b'{"ip":"198.51.100.7"}'
    expect = b"Expect: 100-continue\r\nContent-Length: %d\r\n"
    with Talk(s) as talk:
        talk.say(post(s, expect % len(body)))
        want(talk.heard().startswith(b"HTTP/1.1 100 Continue\r\n"), "no 100")
        talk.say(body)
        want(talk.heard(b"}\n").startswith(b"HTTP/1.1 202 "), "not 202")
    for head, status in ((post(s, expect % 99999999), b"413"),
                         (post(s, expect % 5).replace(b"Bearer ", b"Bearer x"), b"401"),
                         (post(s, expect % 5 + b"Content-Encoding: gzip\r\n"), b"415")):
        with Talk(s) as talk:
            talk.say(head)
            got = talk.heard(b"}\n")
            want(got.startswith(b"HTTP/1.1 " + status + b" "), "not %s: %r", status, got)


def wrong_bytes(s):
    """a body that is no UTF-8 or compressed: 400 with the field, 415"""
    for body, field in ((b'{"ip":"\xff"}', "ip"), (b'{"ip":"192.0.2.1","note":"a\xc3("}', "note"),
                        (b'{"reports":[{"number":"\xed\xa0\x80"}]}', "number"),
                        (b'{"a\xff":1}', None), (b"\xff\xfe{\0", None)):
        answer = s.call("POST", "/v1/reports", token="honeypot", body=body,
                        headers={"Content-Type": "application/json"}, status=400)
        want(answer.json.get("field") == field and "UTF-8" in answer.json["error"] or
             field is None and "no JSON" in answer.json["error"], "%r: %r", body, answer.text)
    for coding in ("gzip", "deflate", "br", "identity, gzip"):
        answer = s.call("POST", "/v1/reports", token="honeypot", body=b"\x1f\x8b",
                        headers={"Content-Type": "application/json",
                                 "Content-Encoding": coding}, status=415)
        want("not compressed" in answer.json["error"], "%r", answer.text)


def methods(s):
    """HEAD is GET without a body; OPTIONS, TRACE and CONNECT do nothing"""
    for path in ("/v1/check?ip=192.0.2.1", "/v1/indicators", "/v1/status", "/metrics",
                 "/v1/events", "/nothing"):
        got = s.raw(b"HEAD %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" %
                    path.encode())
        head, _, body = got.partition(b"\r\n\r\n")
        want(head.startswith(b"HTTP/1.1 404" if path == "/nothing" else b"HTTP/1.1 200") and
             not body, "%s: %r", path, got)
    for line, status, allow in ((b"OPTIONS /v1/check", b"405", b"Allow: GET, HEAD\r\n"),
                                (b"OPTIONS /v1/reports", b"405", b"Allow: POST\r\n"),
                                (b"TRACE /v1/status", b"405", b"Allow: GET, HEAD\r\n"),
                                (b"OPTIONS *", b"404", b""), (b"CONNECT 127.0.0.1:25", b"404", b""),
                                (b"get /v1/status", b"405", b"Allow: GET, HEAD\r\n")):
        got = s.raw(line + b" HTTP/1.1\r\nHost: localhost\r\nX-Secret: 7\r\n\r\n")
        want(got.startswith(b"HTTP/1.1 %s " % status) and allow in got and b"X-Secret" not in got,
             "%s: %r", line, got)


def refused_stay(s):
    """who is refused keeps the connection: 404, 401, 405, then an answer"""
    get = b" HTTP/1.1\r\nHost: localhost\r\n"
    with Talk(s) as talk:
        for line, headers, status in (
                (b"GET /nothing", b"", b"404"),
                (b"GET /v1/status", b"Authorization: Bearer no\r\n", b"401"),
                (b"PUT /v1/status", b"", b"405"), (b"GET /v1/check?a=1", b"", b"400"),
                (b"POST /v1/reports", b"Authorization: Bearer %s\r\n" %
                 s.token("honeypot").encode(), b"411"), (b"GET /v1/check?ip=192.0.2.1", b"", b"200")):
            talk.say(line + get + headers + b"\r\n")
            got = talk.heard(b"}\n")
            want(got.startswith(b"HTTP/1.1 %s " % status) and b"Connection: close" not in got,
                 "%s: %r", line, got)


def smuggled(s):
    """two lengths that differ, or agree, or a chunked one beside: refused, and no second request"""
    hidden = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n"
    n = len(hidden)
    for lengths in (b"Content-Length: 0\r\nContent-Length: %d\r\n" % n,
                    b"Content-Length: %d\r\nContent-Length: 0\r\n" % n,
                    b"Content-Length: %d\r\nContent-Length: %d\r\n" % (n, n),
                    b"Content-Length: %d\r\n" % n + chunked, chunked + b"Content-Length: 0\r\n",
                    chunked + chunked):
        for request in (CHECK + lengths + b"\r\n", post(s, lengths)):
            got = s.raw(request + hidden)
            want(got.startswith(b"HTTP/1.1 400 ") and got.count(b"HTTP/1.1 ") == 1 and
                 b"sipchain_" not in got, "%r: %r", lengths, got[:300])
    for length in (b"Content-Length: 5, 5\r\n", b"Content-Length: +5\r\n",
                   b"Content-Length: 0x5\r\n", b"Content-Length:\r\n",
                   b"Transfer-Encoding: xchunked\r\n"):
        got = s.raw(post(s, length) + hidden)
        want(b"sipchain_" not in got and b" 202 " not in got, "%r: %r", length, got[:300])


def slow_reader(s):
    """events: who does not read is dropped, and may resume; others do not notice"""
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        lazy.connect(("127.0.0.1", s.port))
        lazy.sendall(b"GET /v1/events?since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        quick = Stream(s)
        cut = s.call("GET", "/v1/status").json["api"]["cut"]
        # Much more than any socket holds.
        for i in range(30):
            s.report(*[{"ip": "100.%d.%d.%d" % (70 + i // 10, i, j), "ttl": 60 + i}
                       for j in range(250)])
        for _ in range(5000):
            quick.next()
        quick.close()
        s.until(lambda: s.call("GET", "/v1/status").json["api"]["cut"] > cut,
                "the slow one is not dropped", 120)
    quick = Stream(s, "/v1/events?since=1000")
    want(quick.next()["id"] == "1001", "no resuming")
    quick.close()


def garbage(s):
    """hostile bytes: none stops it, none is taken for a request"""
    get = CHECK
    for data in (b"\0" * 5000, b"\xff" * 20000, b"GET", b"GET / HTTP/9.9\r\n\r\n",
                 b"\r\n" * 3000, b"GET /v1/check?ip=\0 HTTP/1.1\r\n\r\n", b"A" * 100000,
                 b"GET http://x/v1/check?ip=1.2.3.4 HTTP/1.1\r\nHost: x\r\n\r\n",
                 get + b"X: " + 60000 * b"y" + b"\r\n\r\n", get + 5000 * b"a:b\r\n" + b"\r\n",
                 get + b"Content-Length: -1\r\n\r\n", get + b"Content-Length: 9e9\r\n\r\n",
                 get + b"Content-Length: 99999999999999999999999\r\n\r\n",
                 get.replace(b"Host: localhost", b"Host:") + b"\r\n",
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500),
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        got = s.raw(data)
        want(b"200 OK" not in got and b"202 " not in got, "%r: %r", data[:40], got[:200])
    s.call("GET", "/v1/check?ip=192.0.2.1", status=200)


def pipelined(s):
    """pipelining and one connection for many requests: each is answered, in order"""
    requests = b"".join(b"GET /v1/check?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" %
                        (b"ip=198.51.100.7" if i % 2 else b"ip=198.18.0.1") for i in range(200))
    got = s.raw(requests)
    answers = got.split(b"HTTP/1.1 200 OK")[1:]
    want([b'"block":true' in a for a in answers] == 100 * [False, True], "%d answers",
         len(answers))
    over = s.connection()
    for _ in range(50):
        s.call("GET", "/v1/check?ip=192.0.2.1", over=over, status=200)
    s.call("GET", "/nothing", over=over, status=404)
    s.call("GET", "/v1/check?ip=192.0.2.1", over=over, status=200)
    over.close()
    got = s.raw(b"GET /v1/check?ip=192.0.2.1 HTTP/1.0\r\nHost: localhost\r\n\r\n")
    want(got.startswith(b"HTTP/1.") and b'{"block":false' in got, "HTTP/1.0: %r", got)


def crowded(s):
    """slow clients: ten times as many connections as it takes, each a byte a second"""
    slow = []
    try:
        for _ in range(640):
            c = socket.create_connection(("127.0.0.1", s.port))
            c.sendall(b"GET /v1/check?ip=192.0.2.1 HTTP/1.1\r\nHo")
            slow.append(c)
        for _ in range(5):
            for c in slow:
                try:
                    c.sendall(b"s")
                except OSError:
                    pass  # it was shown the door
            s.call("GET", "/v1/check?ip=192.0.2.1", status=200)
        api = s.call("GET", "/v1/status").json["api"]
        want(api["connections"] <= 64 and api["evicted"] >= 500, "%r", api)
        # What stays is ended for its slowness.
        s.until(lambda: s.call("GET", "/v1/status").json["api"]["connections"] <= 2,
                "slow connections stay", 120)
    finally:
        for c in slow:
            c.close()


def no_descriptors(s):
    """no descriptor left: newcomers wait, nothing turns in a circle, and it goes on after"""
    pid = next(r["pid"] for r in s.call("GET", "/v1/status").json["roles"] if r["role"] == "node")
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    count = len(os.listdir("/proc/%d/fd" % pid))
    waiting = []
    try:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, before[1]))
        for _ in range(8):
            waiting.append(socket.create_connection(("127.0.0.1", s.port)))
        s.until(lambda: "Too many open files" in s.log(), "nothing is said of it")
        time.sleep(3)
        want(s.log().count("Too many open files") <= 8, "it turns in a circle: %s", s.log())
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        for c in waiting:
            c.close()
    s.call("GET", "/v1/check?ip=192.0.2.1", status=200)


def dripping(s):
    """hundreds whose headers come a byte a second, each new: others are answered at once"""
    slow, answered = [], 0
    try:
        for turn in range(6):
            for _ in range(60):
                c = socket.create_connection(("127.0.0.1", s.port))
                c.sendall(CHECK)
                slow.append(c)
            for c in slow:
                try:
                    c.sendall(b"X")
                except OSError:
                    pass  # it had to make room
            time.sleep(1)
            over = s.connection()
            for _ in range(20):
                s.call("GET", "/v1/check?ip=192.0.2.1", over=over, status=200)
                answered += 1
            over.close()
            want(turn < 5 or answered == 120, "%d", answered)
        want(s.call("GET", "/v1/status").json["api"]["connections"] <= 64, "too many")
    finally:
        for c in slow:
            c.close()


def idle(s):
    """10,000 connections that ask once and stay: bounded, others answered, ended in time"""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    want(most > 10100, "only %d descriptors are allowed here", most)
    kept = []
    before = s.call("GET", "/v1/status").json["api"]["evicted"]
    try:
        for i in range(10000):
            c = socket.create_connection(("127.0.0.1", s.port))
            c.sendall(CHECK + b"\r\n")
            kept.append(c)
            if i % 500 == 0:
                s.call("GET", "/v1/check?ip=192.0.2.1", status=200)
        api = s.call("GET", "/v1/status").json["api"]
        want(api["connections"] <= 64 and api["evicted"] - before >= 9900, "%r", api)
        kept[-1].settimeout(60)
        want(kept[-1].recv(4096).startswith(b"HTTP/1.1 200 OK"), "the last has no answer")
        s.until(lambda: s.call("GET", "/v1/status").json["api"]["connections"] <= 1,
                "idle connections stay", 120)
        want(kept[-1].recv(4096) == b"", "the last one is still open")
    finally:
        for c in kept:
            c.close()


CHECKS = (too_long, expected, wrong_bytes, methods, refused_stay, smuggled, garbage, pipelined,
          slow_reader, crowded, dripping, idle, no_descriptors)


if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), Small, CHECKS, "hostile", enter=enter,
                broken=(topology.TopologyError,))
