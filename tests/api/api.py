#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""api.py --build FOLDER [--results FILE]: the HTTP API of a running node.

Each operation that docs/openapi.json describes, each answer that it documents, and
what is no proper request. Leaves with 1 when a check failed, 2 when the stage could
not be set.
"""
import errno
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from stage import Stage, Stream, enter
import checks
import node
import topology
from checks import Mismatch, want

TEXT = {"Accept": "text/plain"}

CONNECTOR = """
[connector "proxy"]
type = kamailio
socket = %s
uris = sipchain_uri
domains = sipchain_domain
"""


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
         abs(one["until"] - time.time() - 600) < 60, "%r", answer.json)
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
    # Digits behind the number reach the same phone, and do not help past the prefix.
    for dialled in ("009725912345678", "9009725912345678901234567", "%2B97259123456789012"):
        want(s.blocked("number=" + dialled)["indicator"] == "+97259*", "%s passes", dialled)
    for dialled in ("600", "%2A97", "00972581234567", "009725812345678", "97259123456789012",
                    "%2B97258123456789012"):
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


def uris(s):
    """check: a URI is blocked by its domain and its number; what is allowed or own is not"""
    nothing = {"block": False, "until": 0}
    s.report({"uri": "sip:mallory@carrier.example"}, {"domain": "carrier.example"},
             {"number": "+447700900123"})
    s.run("report", "domain:pbx.own.example", "--ledger", s.path("ledger.db"), "--key",
          s.path("other.key"))
    s.until(lambda: s.blocked("uri=sip:mallory@carrier.example")["block"], "the URI passes")
    want(s.blocked("uri=sip:x@carrier.example:5070;transport=tcp")["why"] == "quorum", "the domain")
    for uri in ("sip:%2B972591234599@any.example", "sips:%2B972-59-1234599@192.0.2.1;user=phone"):
        want(s.blocked("uri=" + uri)["indicator"] == "+97259*", "the number in %s", uri)
    # Digits alone are what somebody dialled, and a prefix is nobody's number.
    for uri in ("sip:972591234599@any.example", "sip:%2B97259*@any.example", "sip:any.example"):
        want(s.blocked("uri=" + uri) == {"block": False, "why": "not-listed"}, "%s", uri)
    for query in ("number=%2B447700900123", "uri=sip:%2B447700900123@any.example"):
        want(s.blocked(query) == dict(nothing, indicator="+447700900123", why="domestic"),
             "%s: %r", query, s.blocked(query))
    answer = s.blocked("uri=sip:x@pbx.own.example")
    want((answer["block"], answer["why"]) == (False, "own"), "%r", answer)
    control = ("--socket", s.path("run/control.sock"))
    s.run("allow", "add", "domain:carrier.example", *control)
    for uri in ("sip:mallory@carrier.example", "sip:x@carrier.example"):
        answer = s.blocked("uri=" + uri)
        want((answer["block"], answer["why"]) == (False, "allowed"), "%s: %r", uri, answer)
    answer = s.blocked("uri=sip:%2B972591234599@carrier.example")
    want((answer["block"], answer["indicator"]) == (True, "+97259*"), "%r", answer)
    s.report({"uri": "sip:new@carrier.example"}, status=422)
    s.run("allow", "add", "+97259*", *control)
    answer = s.blocked("uri=sip:%2B972591234599@carrier.example")
    want((answer["block"], answer["why"]) == (False, "allowed"), "%r", answer)
    s.run("allow", "remove", "domain:carrier.example", *control)
    # An allowed number frees no domain: whom the call reaches is for that to say.
    answer = s.blocked("uri=sip:%2B972591234599@carrier.example")
    want(answer["block"] and answer["indicator"].startswith("domain#"), "%r", answer)
    s.run("allow", "remove", "+97259*", *control)
    want(s.blocked("uri=sip:mallory@carrier.example")["block"], "it is allowed for ever")
    s.run("revoke", "sip:mallory@carrier.example", *control)
    banned_own(s, control)


def banned_own(s, control):
    """What is the site's own stands against others' word, not against its operator's."""
    both = ("number=%2B447700900950", "uri=sip:%2B447700900950@any.example")

    def told(thing):
        answer = json.loads(s.run("check", thing, "--json", *control))
        return "refused" in answer["text"], ["spared" in b for b in answer["bans"]]

    # A node whose bans of calls are for a PBX, which need not be there.
    with open(s.path("sipchain.conf"), encoding="utf-8") as f:
        plain = f.read()
    s.write("sipchain.conf", plain + CONNECTOR % s.path("run/none.sock"))
    s.stop()
    s.start()
    for ban, queries in (("+447700900950", both), ("+44770090*", both),
                         ("domain:own.example", ("uri=sip:x@own.example",)),
                         ("sip:x@own.example", ("uri=sip:x@own.example",))):
        before = [s.blocked(query) for query in queries]
        want(not any(b["block"] for b in before), "%s: %r", ban, before)
        s.run("ban", ban, "--ttl", "10m", *control)
        for query in queries:
            answer = s.blocked(query)
            want((answer["block"], answer["why"]) == (True, "operator"), "%s: %s: %r", ban, query,
                 answer)
            thing = query.split("=")[1].replace("%2B", "+")
            want(told(thing) == (True, [False]), "%s: check %s: %r", ban, thing, told(thing))
        s.run("unban", ban, *control)
        want([s.blocked(query) for query in queries] == before, "%s: it stays", ban)
    s.write("sipchain.conf", plain)
    s.stop()
    s.start()


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
    own = ({"number": "+442071830042"}, {"number": "+4420718300*"}, {"domain": "own.example"},
           {"domain": "pbx.own.example"}, {"uri": "sip:bob@pbx.own.example"},
           {"uri": "sip:+442071830042@any.example"})
    got = s.report(*own, status=422).json["results"]
    want([r["reason"] for r in got] == ["own"] * len(own), "%r", got)
    want("[numbers] own" in got[0]["error"] and "[numbers] domains" in got[2]["error"], "%r", got)
    for text in ("+442071830042", "sip:bob@pbx.own.example"):
        try:
            s.run("report", text, "--socket", s.path("run/control.sock"))
        except node.CommandFailed as error:
            want(error.status == 1 and "it is your own" in error.text, "%s", error)
        else:
            raise Mismatch("%s is reported" % text)


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
    # Who may report may not take a person's objection back.
    s.run("object", "198.51.100.98", "--socket", s.path("run/control.sock"))
    answer = s.report({"ip": "198.51.100.98", "ttl": 1}, status=422).json["results"]
    want(answer[0]["reason"] == "better-known" and "objects" in answer[0]["error"], "%r", answer)
    s.run("revoke", "198.51.100.98", "--socket", s.path("run/control.sock"))


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
    for _ in range(20):  # one comes back in ten seconds
        answer = s.call("POST", "/v1/reports", token="slow", body={"ip": "198.51.100.221"})
        if answer.status != 202:
            break
    want(answer.status == 429, "%d: %s", answer.status, answer.text)
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
        if rounds == 2:  # two that come, one that goes
            s.report({"ip": "100.63.0.1"}, {"ip": "100.65.0.1"})
            s.until(lambda: s.blocked("ip=100.65.0.1")["block"], "not listed")
            s.run("revoke", "100.64.0.39", "--socket", s.path("run/control.sock"))
            s.until(lambda: not s.blocked("ip=100.64.0.39")["block"], "not revoked")
    want(len(seen) == len(set(seen)), "twice: %r", seen)
    want({"100.64.0.%d" % i for i in range(39)} <= set(seen), "%r", seen)
    answer = s.call("GET", "/v1/indicators?after=" + 44 * "0", status=400)
    want(answer.json == {"error": "after: the node was started again since; begin anew, "
                                  "without it", "field": "after"}, "%r", answer.text)
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
    """events: 64 may follow, one more is turned away with 503, and others are answered"""
    s.report({"ip": "100.66.2.0"})  # who is gone is noticed when there is something to say
    s.until(lambda: s.call("GET", "/v1/status").json["api"]["streams"] == 0, "streams stay")
    streams = [Stream(s) for _ in range(64)]
    answer = s.call("GET", "/v1/events", status=503)
    want(answer.headers["Retry-After"] == "10" and
         answer.json["error"] == "64 clients follow already", "%r", answer.text)
    s.report({"ip": "100.66.2.1"})
    for stream in streams:
        while stream.next()["data"].get("indicator") != "100.66.2.1":
            pass  # it may be told of the report before
    streams.pop().close()
    s.report({"ip": "100.66.2.2"})
    s.until(lambda: s.call("GET", "/v1/status").json["api"]["streams"] == 63, "one is not gone")
    streams.append(Stream(s))
    for stream in streams:
        stream.close()
    s.report({"ip": "100.66.2.3"})
    s.until(lambda: s.call("GET", "/v1/status").json["api"]["streams"] == 0, "streams stay")


def full(s):
    """reports: a disk that is full is 503, nothing of it is done, and it works after"""
    s.stop()
    os.rename(s.path("state"), s.path("before"))
    os.mkdir(s.path("state"))
    topology.run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", s.path("state"))
    topology.run("cp", "-a", s.path("before") + "/.", s.path("state"))
    s.start()
    before = s.until(lambda: (lambda o: not o["waiting"] + o["assigned"] + o["submitted"] and o)(
        s.call("GET", "/v1/status").json["outbox"]), "something is still on its way")
    reports = [{"ip": "198.51.%d.1" % i, "note": 60 * "x"} for i in range(250)]
    with open(s.path("state/filler"), "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError as problem:
            want(problem.errno == errno.ENOSPC, "%s", problem)
    answer = s.report(*reports, status=503, headers={"Idempotency-Key": "full"})
    want(answer.headers["Retry-After"] == "10" and
         answer.json["error"] == "they could not be stored; nothing of it was done", "%r",
         answer.text)
    want(not s.blocked("ip=198.51.7.1")["block"], "it is blocked")
    now = s.call("GET", "/v1/status").json["outbox"]
    want({**now, "oldest": 0} == {**before, "oldest": 0}, "%r is not %r", now, before)
    os.unlink(s.path("state/filler"))
    answer = s.report(*reports, headers={"Idempotency-Key": "full"})
    want("Idempotency-Replayed" not in answer.headers, "what failed is replayed")
    s.until(lambda: s.blocked("ip=198.51.7.1")["block"], "it is not blocked")


def unreadable(s):
    """reports/ID: a store that cannot be read is 503, and works after"""
    one = "/v1/reports/%d" % s.report({"ip": "198.51.100.230"}).json["results"][0]["id"]

    def rename(column, to):
        """While nobody has the database: the daemon keeps it for itself."""
        s.stop()
        base = sqlite3.connect(s.path("state/node.db"))
        base.execute("ALTER TABLE outbox RENAME COLUMN %s TO %s" % (column, to))
        base.commit()
        base.close()
        s.start()

    s.until(lambda: s.call("GET", one).json["state"] == "final", "it is not final")
    rename("attempts", "away")
    answer = s.call("GET", one, status=503)
    want(answer.headers["Retry-After"] == "10" and
         answer.json == {"error": "the store cannot be read"}, "%r", answer.text)
    rename("away", "attempts")
    want(s.call("GET", one, status=200).json["indicator"] == "198.51.100.230", "it is another")


def unread(s):
    """indicators: 503 until the ledger was read, and a check lets through what is listed"""
    s.stop()
    os.rename(s.path("ledger.db"), s.path("ledger.away"))
    s.start(lambda: s.call("GET", "/v1/status").json["ledger"]["caught_up"] is False)
    answer = s.call("GET", "/v1/indicators", status=503)
    want(answer.headers["Retry-After"] == "5" and
         answer.json["error"] == "the ledger has not been read yet", "%r", answer.text)
    want(s.blocked("ip=192.0.2.1") == {"block": False, "why": "not-listed"}, "it blocks")
    s.stop()
    os.rename(s.path("ledger.away"), s.path("ledger.db"))
    s.start()
    s.call("GET", "/v1/indicators", status=200)


def tls(s):
    """TLS: the same API on an address that others can reach; what is no TLS is no request"""
    want(s.call("GET", "/v1/check?ip=100.66.2.1", how="tls", token="reader").json["block"],
         "not blocked over TLS")
    s.report({"ip": "100.66.3.1"}, how="tls")
    with socket.create_connection(("127.0.0.1", s.tls_port)) as plain:
        plain.settimeout(60)
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
    missing = s.description.unseen()
    want(not missing, "never had: %r", missing)


CHECKS = (examples, nothing_listed, wrong_questions, reported, uris, refusals, classes, rights,
          idempotent, limited, not_http, large, pages, events, restart, watched, many_streams,
          full, unreadable, unread, tls, figures, described)


if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), Stage, CHECKS, "api", enter=enter,
                broken=(topology.TopologyError,))
