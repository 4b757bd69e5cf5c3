#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""api.py --build FOLDER [--results FILE]: the HTTP API of a running node.

Each operation that docs/openapi.json describes, each answer that it documents, and
what is no proper request. Leaves with 1 when a check failed, 2 when the stage could
not be set.
"""
import os
import resource
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from stage import Stage, Stream
import checks
from checks import want

TEXT = {"Accept": "text/plain"}


# --- the checks, in order; each is told to the reader by its first line ---

def examples(s):
    """docs/openapi.json: its own examples fit its schemas"""
    s.description.examples()


def nothing_listed(s):
    """check: what nobody reported passes, as JSON and in a word"""
    for query in ("number=%2B97259123", "number=+97259123", "number=%2097259123",
                  "ip=198.51.100.1", "ip=2001:db8::1", "uri=sip:bob@example.com"):
        want(s.blocked(query) == {"block": False, "why": "not-listed"}, "%s", query)
    answer = s.call("GET", "/v1/check?ip=192.0.2.1", headers=TEXT)
    want(answer.text == "pass\n" and answer.headers["Content-Type"].startswith("text/plain"),
         "%r", answer.text)
    want(s.call("HEAD", "/v1/check?ip=192.0.2.1").text == "", "HEAD has a body")


def wrong_questions(s):
    """check: a wrong question is answered with what is wrong"""
    for query, field, text in (
            ("", None, "one of number, ip, uri"), ("?ip=1.2.3.4&number=%2B123456", None, "one of"),
            ("?ip=1.2.3", "ip", ""), ("?ip=%2B97259123", "ip", "is no address"),
            ("?number=192.0.2.1", "number", "is no number"), ("?number=%2B", "number", ""),
            ("?number=" + 60 * "1", "number", "15 digits"), ("?uri=192.0.2.1", "uri", "no SIP URI"),
            ("?ipp=1.2.3.4", "ipp", "no such parameter: ipp"), ("?ip=%zz", None, "bad escape"),
            ("?ip=1.2.3.4&ip=1.2.3.4", None, "given twice"), ("?ip=%00", None, "bad escape"),
            ("?%C3%A9=1&%C3%A9=2", None, "given twice"),
            ("?" + "&".join("a%d=1" % i for i in range(9)), None, "more than 8")):
        answer = s.call("GET", "/v1/check" + query, status=400).json
        want(answer.get("field") == field and text in answer["error"], "%s: %r", query, answer)
    answer = s.call("GET", "/v1/check?ip=x", headers=TEXT, status=400)
    want(answer.text.startswith("error: ") and answer.text.count("\n") == 1, "%r", answer.text)


def reported(s):
    """reports: a report blocks here and is final on the ledger; the longest prefix counts"""
    answer = s.report({"number": "+97259*", "category": "fraud", "ttl": 600, "note": "range"})
    one = answer.json["results"][0]
    want(answer.json["accepted"] == 1 and one["indicator"] == "+97259*" and
         abs(one["until"] - time.time() - 600) < 5, "%r", answer.json)
    found = s.until(lambda: s.blocked("number=%2B972591234567")["block"] and
                    s.blocked("number=%2B972591234567"), "the number is not blocked")
    want(found == {"block": True, "indicator": "+97259*", "until": one["until"], "why": "quorum"},
         "%r", found)
    want(s.call("GET", "/v1/check?number=+972591234567", headers=TEXT).text == "block\n",
         "not in a word")
    s.report({"indicator": "+972591234567", "ttl": 1200}, {"ip": "198.51.100.0/24"},
             {"uri": "sip:eve@evil.example"}, {"domain": "bad.example"},
             {"agent": "friendly-scanner"})
    s.until(lambda: s.blocked("uri=sip:x@bad.example")["block"], "the domain is not blocked")
    # As a phone dials it: by the international prefix; what may be no number, passes.
    want(s.blocked("number=00972591234567")["block"], "what was dialled is not read")
    for dialled in ("600", "%2A97", "00972581234567"):
        want(s.blocked("number=" + dialled) == {"block": False, "why": "not-listed"},
             "%s is blocked" % dialled)
    want(s.blocked("number=%2B972591234567")["indicator"] == "+972591234567", "not the longest")
    want(s.blocked("number=%2B972591234568")["indicator"] == "+97259*", "not the prefix")
    want(s.blocked("ip=198.51.100.77")["indicator"] == "198.51.100.0/24", "not the prefix")
    want(s.blocked("uri=sip:eve@evil.example")["block"], "the URI is not blocked")
    want(not s.blocked("uri=sip:adam@evil.example")["block"], "another URI is blocked")
    state = s.until(lambda: (lambda a: a["state"] == "final" and a)(
        s.call("GET", "/v1/reports/%d" % one["id"], status=200).json), "it is not final")
    want(state["want"] == "report" and state["category"] == "fraud", "%r", state)
    s.call("GET", "/v1/reports/999999", status=404)
    s.call("GET", "/v1/reports/x", status=404)


def refusals(s):
    """reports: each entry of a batch has its own answer: protected, allowed, wrong"""
    answer = s.report({"ip": "198.51.100.200"}, {"ip": "203.0.113.7"}, {"ip": "192.0.2.0/24"},
                      {"number": "+442079460000"}, {"ip": "198.51.100.9", "ttl": 31622400},
                      {"ip": "0.0.0.0/0"}, {"ip": "x"}, {"categry": "scan", "ip": "192.0.2.1"},
                      {"category": "scan"}, {"ip": "192.0.2.1", "number": "+1202555"},
                      {"ip": "+97259123"}, {"ip": "192.0.2.1", "ttl": 0},
                      {"ip": "192.0.2.1", "note": "a\nb"}, {"ip": "192.0.2.1", "category": "x"},
                      {"ip": 7}, [], status=207)
    got = [(r["status"], r.get("reason"), r.get("field")) for r in answer.json["results"]]
    wrong = "refused", "malformed"
    want(got == [("accepted", None, None), ("refused", "protected", None),
                 ("refused", "allowlisted", None), ("refused", "allowlisted", None),
                 ("refused", "ttl", None), ("refused", "not-reportable", None), wrong + ("ip",),
                 wrong + ("categry",), wrong + ("indicator",), wrong + ("number",), wrong + ("ip",),
                 wrong + ("ttl",), wrong + ("note",), wrong + ("category",), wrong + ("ip",),
                 wrong + ("",)], "%r", got)
    want(answer.json["accepted"] == 1 and answer.json["refused"] == 15, "%r", answer.json)
    answer = s.report({"ip": "203.0.113.7"}, status=422).json["results"][0]
    want("the consortium protects 203.0.113.0/24" in answer["error"], "%r", answer)


def classes(s):
    """reports: the token's class is the report's, and log is for addresses alone"""
    answer = s.report({"ip": "198.51.100.77"}, {"number": "+33123456789"}, token="script",
                      status=207).json["results"]
    want(answer[1]["reason"] == "class", "%r", answer)
    s.until(lambda: s.call("GET", "/v1/reports/%d" % answer[0]["id"]).json["state"] == "final",
            "not final")
    listed = s.call("GET", "/v1/indicators?kind=ip4").json["indicators"]
    want([i["proof"] for i in listed if i["indicator"] == "198.51.100.77"] == ["log"], "%r", listed)
    # A person has said it of this one.
    answer = s.report({"ip": "198.51.100.0/24"}, token="script", status=422).json["results"]
    want(answer[0]["reason"] == "better-known", "%r", answer)


def rights(s):
    """tokens: who may ask and who may report, over TCP, TLS and the Unix socket"""
    check = "/v1/check?ip=192.0.2.1"
    body = {"ip": "198.51.100.210"}
    for how in ("tcp", "unix"):
        s.call("GET", check, how=how, status=200)
    s.call("GET", check, how="tls", status=401)
    s.call("GET", check, how="tls", token="reader", status=200)
    answer = s.call("POST", "/v1/reports", body=body, status=401)
    want(answer.headers["WWW-Authenticate"] == 'Bearer realm="sipchain"', "%r", answer.headers)
    s.call("POST", "/v1/reports", body=body, token="reader", status=403)
    s.call("POST", "/v1/reports", body=body, how="unix", status=202)  # as root
    for header in ("Bearer " + s.token("honeypot") + "x", "Bearer " + s.token("honeypot")[:-1],
                   "Basic " + s.token("honeypot"), "Bearer", "Bearer ", "x", "",
                   "Bearer " + 5000 * "a"):
        answer = s.call("GET", check, headers={"Authorization": header}, status=401)
        want("invalid_token" in answer.headers["WWW-Authenticate"], "%r", answer.headers)
    s.call("GET", check, headers={"Authorization": "bearer " + s.token("reader")}, status=200)
    # A page of another site in a browser of this machine.
    s.call("GET", check, headers={"Host": "rebound.example"}, status=401)
    s.call("GET", check, headers={"Origin": "https://evil.example"}, status=401)
    s.call("GET", check, headers={"Host": "localhost:80"}, status=200)
    for name in ("honeypot", "reader", "slow", "script"):
        want(s.token(name) not in s.log(), "a token is in the log")


def idempotent(s):
    """reports: an Idempotency-Key is honoured, also after a restart"""
    key = {"Idempotency-Key": "delivery 1"}
    first = s.report({"ip": "198.51.100.211"}, headers=key)
    again = s.report({"ip": "198.51.100.211"}, headers=key)
    want(again.text == first.text and again.headers.get("Idempotency-Replayed") == "true" and
         "Idempotency-Replayed" not in first.headers, "%r", again.headers)
    s.report({"ip": "198.51.100.212"}, headers=key, status=409)
    other = s.report({"ip": "198.51.100.214"}, headers=key, token="script")
    want(other.text != first.text, "another's key")
    s.stop()
    s.start()
    again = s.report({"ip": "198.51.100.211"}, headers=key)
    want(again.text == first.text and again.headers["Idempotency-Replayed"] == "true", "%r",
         again.text)
    for wrong in ("", 129 * "k", "a\tb"):
        s.report({"ip": "198.51.100.213"}, headers={"Idempotency-Key": wrong}, status=400)


def limited(s):
    """reports: a token's rate is kept, and says when to come again"""
    for _ in range(6):
        s.report({"ip": "198.51.100.220"}, token="slow")
    answer = s.report({"ip": "198.51.100.221"}, token="slow", status=429)
    want(1 <= int(answer.headers["Retry-After"]) <= 11, "%r", answer.headers)
    answer = s.report(*[{"ip": "198.51.100.%d" % i} for i in range(7)], token="slow", status=429)
    want("smaller batches" in answer.json["error"], "%r", answer.json)


def not_http(s):
    """what is no request of ours is refused with its own status"""
    s.call("GET", "/", status=404)
    s.call("GET", "/v1/check/", status=404)
    s.call("GET", "/v1/%63heck?ip=192.0.2.1", status=404)
    for method, path, allow in (("POST", "/v1/check", "GET, HEAD"), ("PUT", "/v1/reports", "POST"),
                                ("GET", "/v1/reports", "POST"), ("DELETE", "/metrics", "GET, HEAD"),
                                ("OPTIONS", "/v1/events", "GET, HEAD"),
                                ("POST", "/v1/reports/1", "GET, HEAD"),
                                ("POST", "/v1/status", "GET, HEAD"),
                                ("POST", "/v1/indicators", "GET, HEAD")):
        answer = s.call(method, path, body="", status=405)
        want(answer.headers["Allow"] == allow, "%s %s: %r", method, path, answer.headers)
    for path in ("/v1/check?ip=192.0.2.1", "/v1/status", "/v1/indicators", "/v1/events",
                 "/v1/reports/1"):
        s.call("GET", path, headers={"Accept": "image/png"}, status=406)
    s.call("GET", "/metrics", headers={"Accept": "application/json"}, status=406)
    s.call("GET", "/v1/check?ip=192.0.2.1", status=200, headers={
        "Accept": "text/html, text/*;q=0, application/json;q=0.1"})
    for path in ("/v1/check", "/v1/reports/1", "/v1/indicators", "/v1/events", "/v1/status",
                 "/metrics"):
        s.call("GET", path + "?a=" + 2100 * "b", status=414)
        s.call("GET", path + "?nothing=1", status=400)
        s.call("GET", path, headers={"Authorization": "Bearer x"}, status=401)
    s.call("POST", "/v1/reports?a=" + 2100 * "b", body={}, status=414)
    s.call("POST", "/v1/reports", token="honeypot", body={},
           headers={"Accept": "text/event-stream"}, status=406)
    for kind in ("text/plain", "application/x-www-form-urlencoded",
                 "application/json; charset=latin1", ""):
        s.call("POST", "/v1/reports", token="honeypot", body="{}",
               headers={"Content-Type": kind}, status=415)
    s.call("POST", "/v1/reports", token="honeypot", body={"ip": "192.0.2.1"},
           headers={"Content-Encoding": "gzip"}, status=415)
    for body in ("", "{", "[]", "null", '{"reports":[]}', '{"reports":7}', '{"a":1,"a":2}',
                 '{"reports":[{}],"more":1}', 9000 * "[", '{"ip":"\\ud800"}', '{"ip":"\xff"}'):
        s.call("POST", "/v1/reports", token="honeypot", body=body.encode("latin1"),
               headers={"Content-Type": "application/json"}, status=400)
    s.report(*[{} for _ in range(1001)], status=400)
    for target in ("kind=x", "category=x", "after=x", "limit=0", "limit=5001", "limit=-1"):
        answer = s.call("GET", "/v1/indicators?" + target, status=400)
        want(answer.json["field"] == target.split("=")[0], "%r", answer.json)


def large(s):
    """a body that is too large is refused, said beforehand or not, and nothing is left of it"""
    body = {"ip": "192.0.2.1", "note": 600000 * "x"}
    s.call("POST", "/v1/reports", token="honeypot", body=body, status=413)
    head = ("POST /v1/reports HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" %
            s.token("honeypot")).encode()
    chunk = b"10000\r\n" + 65536 * b" " + b"\r\n"
    s.description.seen |= {("/v1/reports", "post", "411"), ("/v1/reports", "post", "413")}
    want(s.raw(head + 9 * chunk + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 "), "nine chunks")
    # So much more that nobody listens to its end.
    want(b" 202 " not in s.raw(head + 100 * chunk), "a hundred chunks")
    good = b'{"ip":"198.51.100.230"}'
    want(s.raw(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(good), good)).startswith(b"HTTP/1.1 202 "),
         "a chunked body")
    want(s.raw(head.replace(b"Transfer-Encoding: chunked\r\n", b"") + b"{}")
         .startswith(b"HTTP/1.1 411 "), "no length")


def pages(s):
    """indicators: pages that survive changes, filters, and 304 while nothing changes"""
    s.report(*[{"ip": "100.64.0.%d" % i, "category": "scan"} for i in range(40)])
    s.until(lambda: s.blocked("ip=100.64.0.39")["block"], "not listed")
    seen, after, rounds = [], "", 0
    while after is not None:
        page = s.call("GET", "/v1/indicators?kind=ip4&limit=7" + after, status=200).json
        seen += [i["indicator"] for i in page["indicators"]]
        after = page["next"] and "&after=" + page["next"]
        rounds += 1
        if rounds == 2:  # one that is before the cursor, one behind, one that goes
            s.report({"ip": "100.63.0.1"}, {"ip": "100.65.0.1"})
            s.until(lambda: s.blocked("ip=100.65.0.1")["block"], "not listed")
            s.run("revoke", "100.64.0.39", "--socket", s.path("run/control.sock"))
            s.until(lambda: not s.blocked("ip=100.64.0.39")["block"], "not revoked")
    want(len(seen) == len(set(seen)), "twice: %r", seen)
    want([i for i in seen if i.startswith("100.64.0.")] == ["100.64.0.%d" % i for i in range(39)],
         "%r", seen)
    want("100.65.0.1" in seen and "100.63.0.1" not in seen, "%r", seen)
    page = s.call("GET", "/v1/indicators?category=scan", status=200)
    want(all(i["category"] == "scan" for i in page.json["indicators"]) and
         len(page.json["indicators"]) == 39 and page.json["next"] is None, "%r", page.json)
    kinds = {i["kind"] for i in s.call("GET", "/v1/indicators").json["indicators"]}
    want(kinds == {"ip4", "number", "uri", "domain", "agent"}, "%r", kinds)
    sources = {i.get("source") for i in s.call("GET", "/v1/indicators?kind=uri").json["indicators"]}
    want(sources == {"sip:eve@evil.example"}, "%r", sources)
    tag = s.call("GET", "/v1/indicators").headers["ETag"]
    for header in (tag, "W/" + tag, '"x", ' + tag, "*"):
        s.call("GET", "/v1/indicators", headers={"If-None-Match": header}, status=304)
    s.call("GET", "/v1/indicators", headers={"If-None-Match": '"x"'}, status=200)
    s.report({"ip": "100.65.0.2"})
    s.until(lambda: s.call("GET", "/v1/indicators", headers={"If-None-Match": tag}).status == 200,
            "the ETag stays")


def events(s):
    """events: they come as they happen, and whoever was away gets what he missed"""
    stream = Stream(s)
    s.report({"ip": "100.66.0.1", "category": "scan"})
    got = []
    while not got or got[-1]["event"] != "ban":
        got.append(stream.next())
    want([e["data"]["indicator"] for e in got if e["event"] == "report"] == ["100.66.0.1"], "%r",
         got)
    stream.close()
    last = got[0]["id"]
    s.report({"ip": "100.66.0.2"})
    s.until(lambda: s.blocked("ip=100.66.0.2")["block"], "not listed")
    for target, headers in (("/v1/events", {"Last_Event_ID": last}),
                            ("/v1/events?since=" + last, {})):
        stream = Stream(s, target, **headers)
        again = [stream.next() for _ in got[1:]]
        want(again == got[1:], "%r is not %r", again, got[1:])
        stream.close()
    stream = Stream(s, "/v1/events?since=0&type=ban,unban")
    want([stream.next()["event"] for _ in range(5)] == 5 * ["ban"], "not the types asked for")
    stream.close()
    stream = Stream(s, Last_Event_ID="999999999")
    gap = stream.next()
    want(gap["event"] == "gap" and gap["data"]["after"] == 999999999, "%r", gap)
    stream.close()
    s.call("GET", "/v1/events?since=x", status=400)
    want(s.call("HEAD", "/v1/events").text == "", "HEAD")


def restart(s):
    """events: ids go on after a restart, and nothing is lost between"""
    stream = Stream(s, "/v1/events?since=0")
    first = stream.next()
    stream.close()
    s.stop()
    s.start()
    stream = Stream(s, "/v1/events?since=0")
    want(stream.next() == first, "the journal is another")
    before, ids = None, []
    s.report({"ip": "100.66.1.1"})
    while before is None or before["data"].get("indicator") != "100.66.1.1":
        before = stream.next()
        ids.append(int(before["id"]))
    want(ids == list(range(ids[0], ids[0] + len(ids))), "ids have holes: %r", ids)
    stream.close()


def watched(s):
    """watch --since: the same journal by the control socket"""
    command = [s.program, "watch", "--since", "0", "--json", "--socket",
               s.path("run/control.sock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
        lines = [watch.stdout.readline() for _ in range(3)]
        want(['"id":%d,' % (i + 1) in line for i, line in enumerate(lines)] == 3 * [True], "%r",
             lines)
        watch.terminate()


def many_streams(s):
    """events: 64 may follow, one more is turned away, and others are answered"""
    s.report({"ip": "100.66.2.0"})  # who is gone is noticed when there is something to say
    s.until(lambda: s.call("GET", "/v1/status").json["api"]["streams"] == 0, "streams stay")
    # The stage allows 64 connections: newcomers push out those that only wait.
    streams = [Stream(s) for _ in range(60)]
    s.report({"ip": "100.66.2.1"})
    for stream in streams:
        want(stream.next()["data"]["indicator"] == "100.66.2.1", "another event")
    for stream in streams:
        stream.close()
    s.report({"ip": "100.66.2.2"})
    s.until(lambda: s.call("GET", "/v1/status").json["api"]["streams"] == 0, "streams stay")


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
                "the slow one is not dropped", 40)
    quick = Stream(s, "/v1/events?since=1000")
    want(quick.next()["id"] == "1001", "no resuming")
    quick.close()


def garbage(s):
    """hostile bytes: none stops it, none is taken for a request"""
    get = b"GET /v1/check?ip=192.0.2.1 HTTP/1.1\r\nHost: localhost\r\n"
    for data in (b"\0" * 5000, b"\xff" * 20000, b"GET", b"GET / HTTP/9.9\r\n\r\n",
                 b"\r\n" * 3000, b"GET /v1/check?ip=\0 HTTP/1.1\r\n\r\n", b"A" * 100000,
                 b"GET http://x/v1/check?ip=1.2.3.4 HTTP/1.1\r\nHost: x\r\n\r\n",
                 get + b"X: " + 60000 * b"y" + b"\r\n\r\n", get + 5000 * b"a:b\r\n" + b"\r\n",
                 get + b"Content-Length: -1\r\n\r\n", get + b"Content-Length: 9e9\r\n\r\n",
                 get + b"Content-Length: 99999999999999999999999\r\n\r\n",
                 get.replace(b"Host: localhost", b"Host:") + b"\r\n",
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500),
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        got = s.raw(data, wait=3)
        want(b"200 OK" not in got and b"202 " not in got, "%r: %r", data[:40], got[:200])
    # Two lengths: one request or an error, never a second one hidden in the body.
    hidden = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for lengths in (b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(hidden),
                    b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(hidden)):
        got = s.raw(get + lengths + b"\r\n" + hidden, wait=3)
        want(got.count(b"HTTP/1.1 ") == 1 and got.startswith(b"HTTP/1.1 400 "), "%r", got[:500])
    s.call("GET", "/v1/check?ip=192.0.2.1", status=200)


def pipelined(s):
    """pipelining and one connection for many requests: each is answered, in order"""
    requests = b"".join(b"GET /v1/check?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" %
                        (b"ip=100.66.2.1" if i % 2 else b"ip=198.18.0.1") for i in range(200))
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
                "slow connections stay", 40)
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


def tls(s):
    """TLS: the same API on an address that others can reach; what is no TLS is no request"""
    want(s.call("GET", "/v1/check?ip=100.66.2.1", how="tls", token="reader").json["block"],
         "not blocked over TLS")
    s.report({"ip": "100.66.3.1"}, how="tls")
    with socket.create_connection(("127.0.0.1", s.tls_port)) as plain:
        plain.settimeout(20)
        plain.sendall(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            want(b"HTTP" not in plain.recv(1000), "plain HTTP on a TLS port")
        except ConnectionError:
            pass


def figures(s):
    """status and metrics: what was answered is counted"""
    before = s.call("GET", "/v1/status").json["api"]["requests"]
    metrics = s.call("GET", "/metrics", status=200)
    want(metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", "%r",
         metrics.headers)
    found = dict(line.split() for line in metrics.text.splitlines() if line[0] != "#")
    want(int(found["sipchain_http_requests_total"]) == before + 1, "%r after %d", found, before)
    want(int(found["sipchain_reports_live"]) > 40 and found["sipchain_ledger_healthy"] == "1",
         "%r", found)


def described(s):
    """docs/openapi.json: every answer that it documents was had in these checks"""
    never = {  # a disk that fails, a ledger that cannot be read, 64 who follow
        ("/v1/reports", "post", "503"), ("/v1/indicators", "get", "503"),
        ("/v1/events", "get", "503")}
    missing = s.description.unseen(never)
    want(not missing, "never had: %r", missing)


CHECKS = (examples, nothing_listed, wrong_questions, reported, refusals, classes, rights,
          idempotent, limited, not_http, large, pages, events, restart, watched, many_streams,
          slow_reader, garbage, pipelined, crowded, no_descriptors, tls, figures, described)


if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), Stage, CHECKS, "api")
