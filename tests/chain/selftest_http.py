# SPDX-License-Identifier: Apache-2.0
"""Checks of the proxy and of its faults over HTTP."""
import base64
import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile

import certificates
import network
import rpc
from selftest_stage import Stage, raises, want

__all__ = ["CHECKS", "Stage"]
SECRET = "4f0e8e1c7d"


# --- the proxy without faults ---

def transparent(s):
    """without a fault the proxy hands the node's own bytes on and counts"""
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "eth_getBlockByNumber",
                       "params": ["0x1", True]}).encode()
    want(s.client.post(body)[2] == s.direct.post(body)[2], "other bytes")
    s.client.exchange([{"jsonrpc": "2.0", "id": n, "method": "eth_chainId", "params": []}
                       for n in (1, 2)])
    want(s.proxy.counts() == {"eth_getBlockByNumber": 1, "eth_chainId": 2}, "%r",
         s.proxy.counts())
    want(s.proxy.requests("eth_getBlockByNumber") ==
         [("http", "eth_getBlockByNumber", ["0x1", True])], "%r", s.proxy.requests())
    connection = http.client.HTTPConnection(s.proxy.host, s.proxy.port, timeout=60)
    for _ in range(3):  # kept alive
        connection.request("POST", "/", body)
        want(connection.getresponse().read() == s.direct.post(body)[2], "other bytes")
    connection.close()


def control(s):
    """the control port adds, lists, counts and removes; it refuses nonsense"""
    port = rpc.Endpoint("http://%s:%d/" % (s.proxy.host, s.proxy.control_port))

    def ask(path, **options):
        port.http = "http://%s:%d/%s" % (s.proxy.host, s.proxy.control_port, path)
        status, _, body = port.post(json.dumps(options).encode())
        return status, json.loads(body)
    status, answer = ask("add", kind="missing", methods="eth_getProof")
    want(status == 200, "%r", answer)
    with raises(rpc.RpcError, code=-32601):
        s.client.rpc("eth_getProof", s.contract, [], "latest")
    want(ask("rules") == (200, [{"rule": answer["rule"], "kind": "missing", "fired": 1}]),
         "rules")
    want(ask("counts") == (200, {"eth_getProof": 1}), "counts")
    want(ask("remove", rule=answer["rule"])[0] == 200, "remove")
    s.client.rpc("eth_getProof", s.contract, [], "latest")
    want(ask("add", kind="mystery")[0] == 400, "an unknown fault")
    want(ask("add", kind="delay", secs=1)[0] == 400, "an unknown option")
    want(ask("mystery")[0] == 404, "an unknown control")
    ask("down")
    with raises(rpc.Unreachable):
        s.client.height()
    ask("up")
    s.client.height()


def program(s):
    """proxy.py runs as a program and ends by SIGTERM"""
    with subprocess.Popen([sys.executable, os.path.join(network.HERE, "proxy.py"), "--http",
                           s.chain.http], stdout=subprocess.PIPE, text=True) as process:
        try:
            told = json.loads(process.stdout.readline())
            want(rpc.Endpoint(told["http"]).chain_id() == 31337, "no answer")
        finally:
            process.terminate()
        want(process.wait(60) == 0, "status %d", process.returncode)


# --- connections ---

def down(s):
    """down: connections are refused, standing ones cut, and it comes back"""
    with socket.create_connection((s.proxy.host, s.proxy.port), 30) as standing:
        rpc.wait(lambda: s.proxy._sessions, "session")
        s.proxy.down()
        with raises(ConnectionResetError):
            standing.recv(1)
        with raises(ConnectionRefusedError):
            socket.create_connection((s.proxy.host, s.proxy.port), 30).close()
    s.proxy.up()
    want(s.client.chain_id() == 31337, "not back")


def half_open(s):
    """half open: the connection stands and nothing is ever said"""
    s.proxy.add("half_open")
    want(s.raw(seconds=0.5) == b"", "it spoke")
    with raises(rpc.Unreachable):
        rpc.Endpoint(s.proxy.http, timeout=0.5).height()
    s.proxy.clear()
    s.client.height()


def mute(s):
    """mute: one method is never answered, the others are"""
    s.proxy.add("mute", methods="eth_getLogs")
    with raises(rpc.Unreachable):
        rpc.Endpoint(s.proxy.http, timeout=0.5).logs()
    s.client.height()
    rpc.wait(lambda: s.proxy.counts().get("eth_getLogs") == 1, "request")


def slow(s):
    """delay and drip: a client's time limit strikes, a patient one is served"""
    rule = s.proxy.add("delay", seconds=1, times=1)
    with raises(rpc.Unreachable):
        rpc.Endpoint(s.proxy.http, timeout=0.3).height()
    rpc.wait(lambda: rule.fired == 1, "delay")
    want(s.client.height() > 0, "the second is prompt")
    s.proxy.clear()
    s.proxy.add("drip", piece=5, seconds=0.001)
    want(s.client.chain_id() == 31337, "dripped")
    s.proxy.clear()
    s.proxy.add("drip", piece=1, seconds=0.3)
    with raises(rpc.Unreachable):
        rpc.Endpoint(s.proxy.http, timeout=0.2).height()


def limits(s):
    """rate limits: 429 with Retry-After, -32005, a window of requests"""
    s.proxy.add("status", code=429, retry_after=3, times=2)
    for _ in range(2):
        with raises(rpc.Unreachable, status=429):
            s.client.height()
    status, headers, _ = s.client.post(b"{}")
    want(status == 200, "%d", status)
    s.proxy.clear()
    s.proxy.add("status", code=429, retry_after=3)
    status, headers, _ = s.client.post(b'{"method":"x"}')
    want(status == 429 and headers["Retry-After"] == "3", "%r", headers)
    s.proxy.clear()
    s.proxy.add("error", code=-32005, message="limit exceeded", data={"see": 1}, times=1)
    with raises(rpc.RpcError, code=-32005, message="limit exceeded", data={"see": 1}):
        s.client.height()
    s.client.height()
    s.proxy.add("rate", requests=3, seconds=3600)
    for _ in range(3):
        s.client.height()
    with raises(rpc.Unreachable, status=429):
        s.client.height()
    s.proxy.clear()
    s.proxy.add("rate", requests=0, seconds=1, rpc=True)
    status, headers, body = s.client.post(b'{"id":5,"method":"eth_chainId"}')
    want(status == 429 and json.loads(body)["error"]["code"] == -32005, "%r", body)


# --- bytes ---

def cut(s):
    """cut: the reply ends at every byte that is asked for, by FIN or RST"""
    whole = s.raw(head="POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n")
    want(b"0x7a69" in whole, "%r", whole)
    for at in (0, 1, 20, len(whole) - 1):
        s.proxy.add("cut", at=at, times=1)
        got = s.raw()
        want(len(got) == at and got[:15] == whole[:min(at, 15)], "%d: %r", at, got)
    s.proxy.add("cut", at=4, of="body", times=1)
    want(s.raw().partition(b"\r\n\r\n")[2] == b'{"js', "of the body")
    s.proxy.add("cut", at=20, times=1, rst=True)
    with raises(rpc.Unreachable):
        s.client.height()


def garbage(s):
    """garbage, a wrong length: no client takes them for a reply"""
    for body in ("<html>", "", "[" * 10000, "{\"id\":1", "\xff\xfe\x00"):
        s.proxy.add("garbage", body=body, times=1)
        with raises(rpc.Unreachable):
            s.client.height()
    s.proxy.add("garbage", body="SMTP ready\r\n\r\n", raw=True, times=1)
    with raises(rpc.Unreachable):
        s.client.height()
    s.proxy.add("length", by=5, times=1)
    with raises(rpc.Unreachable):
        s.client.height()
    s.proxy.add("length", by=-3, times=1)
    with raises(rpc.Unreachable):
        s.client.height()
    s.client.height()


def shapes(s):
    """gzip, chunks and indents: another shape, the same content"""
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "eth_getLogs",
                       "params": [{"fromBlock": "0x0"}]}).encode()
    plain = s.direct.post(body)[2]
    s.proxy.add("gzip")
    want(s.client.post(body)[2] == plain, "not asked for, not packed")
    s.client.headers["Accept-Encoding"] = "gzip"
    _, headers, packed = s.client.post(body)
    s.client.headers.clear()
    want(headers["Content-Encoding"] == "gzip" and gzip.decompress(packed) == plain, "gzip")
    s.proxy.clear()
    s.proxy.add("chunked", piece=3)
    _, headers, got = s.client.post(body)
    want(got == plain and headers["Transfer-Encoding"] == "chunked", "chunked")
    want(b"\r\n3;x=y\r\n" in s.raw(), "chunks of three")
    s.proxy.clear()
    s.proxy.add("indent")
    got = s.client.post(body)[2]
    want(json.loads(got) == json.loads(plain), "indent")
    want(b"\n\t" in got and got.index(b'"result"') < got.index(b'"jsonrpc"'), "%r", got[:80])


def batches(s):
    """batches: swapped, doubled, answered one by one"""
    ask = [{"jsonrpc": "2.0", "id": n, "method": m, "params": []} for n, m in
           ((1, "eth_chainId"), (2, "eth_blockNumber"), (3, "eth_gasPrice"))]
    want([a["id"] for a in s.client.exchange(ask)] == [1, 2, 3], "plain")
    s.proxy.add("swap", times=1)
    want([a["id"] for a in s.client.exchange(ask)] == [3, 2, 1], "swapped")
    s.proxy.add("duplicate", times=1)
    want([a["id"] for a in s.client.exchange(ask)] == [1, 1, 2, 2, 3, 3], "doubled")
    s.proxy.add("missing", methods="eth_blockNumber")
    got = s.client.exchange(ask)
    want([a.get("error", {}).get("code") for a in got] == [None, -32601, None], "%r", got)


# --- lies ---

def lies(s):
    """lies: any field of any reply set, added to, flipped, removed, invented"""
    block, honest = s.direct.block(2), s.direct.logs(s.contract)
    for field in ("hash", "parentHash", "stateRoot"):
        with s.proxy.fault("lie", methods="eth_getBlockByNumber", path="result." + field,
                           flip=True) as rule:
            told = s.client.block(2)
            want(rule.fired == 1 and told[field] != block[field]
                 and dict(told, **{field: block[field]}) == block, "%s", field)
    with s.proxy.fault("lie", methods="eth_blockNumber", path="result", add=1000):
        want(s.client.height() == s.direct.height() + 1000, "height")
    with s.proxy.fault("lie", methods="eth_chainId", path="result", set="0x1"):
        want(s.client.chain_id() == 1, "chain id")
    with s.proxy.fault("lie", methods="eth_getCode", path="result", flip=0):
        want(s.client.code(s.contract)[:4] == "0x26", "code")
    with s.proxy.fault("lie", methods="eth_getLogs", path="result.1", remove=True):
        want(s.client.logs(s.contract) == honest[:1] + honest[2:], "a log left out")
    with s.proxy.fault("lie", methods="eth_getLogs", path="result.*.data", flip=True):
        want([log["data"][-1] for log in s.client.logs(s.contract)] !=
             [log["data"][-1] for log in honest], "altered")
    with s.proxy.fault("lie", methods="eth_getLogs", path="result", append=honest[0]):
        want(s.client.logs(s.contract) == honest + honest[:1], "invented")
    with s.proxy.fault("lie", methods="eth_getLogs", path="result", reverse=True):
        want(s.client.logs(s.contract) == honest[::-1], "order")
    proof = s.direct.rpc("eth_getProof", s.contract, ["0x" + "00" * 32], "latest")
    with s.proxy.fault("lie", methods="eth_getProof", path="result.accountProof.0", flip=9):
        told = s.client.rpc("eth_getProof", s.contract, ["0x" + "00" * 32], "latest")
        want(told != proof and told["accountProof"][1:] == proof["accountProof"][1:], "proof")
    with s.proxy.fault("lie", path="id", set=99):
        want(s.client.exchange({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId",
                                "params": []})["id"] == 99, "id")


def aimed(s):
    """rules meet only what they name: parameters, a count, a function's own words"""
    with s.proxy.fault("lie", methods="eth_getBlockByNumber", contains='"0x2"',
                       path="result", set=None):
        want(s.client.block(2) is None and s.client.block(1) is not None, "contains")
    with s.proxy.fault("lie", methods="eth_chainId", path="result", set="0x9", skip=1,
                       times=1) as rule:
        want([s.client.chain_id() for _ in range(3)] == [31337, 9, 31337], "skip, times")
        want(rule.fired == 1, "%d", rule.fired)
    with s.proxy.fault("lie", methods="eth_gasPrice", rewrite=lambda call, message: dict(
            message, result=hex(len(call.method)))):
        want(s.client.rpc("eth_gasPrice") == "0xc", "rewrite")
    with s.proxy.fault("missing", transport="ws"):
        s.client.height()
    with raises(ValueError):
        s.proxy.add("lie", path="result")


def ranges(s):
    """range limits in the words of eleven providers, and their suggestions hold"""
    head = s.direct.height()
    for style in ("infura", "alchemy", "alchemy-free", "quicknode", "geth", "publicnode",
                  "besu", "polygon-edge", "ankr", "drpc", "tenderly"):
        with s.proxy.fault("range", blocks=3, style=style) as rule:
            with raises(rpc.RpcError):
                s.client.logs()
            want(len(s.client.logs(first=1, last=3)) == s.direct_count(1, 3), "three pass")
            with raises(rpc.RpcError):
                s.client.logs(first=1, last=4)
            want(rule.fired == 2, "%d", rule.fired)
        with s.proxy.fault("range", results=2, style=style):
            try:
                s.client.logs()
                raise AssertionError("three logs passed")
            except rpc.RpcError as error:
                text = error.message
            if "[0x" in text:
                low, high = (int(end, 16) for end in
                             text[text.index("[") + 1:text.index("]")].split(", "))
                want(0 < len(s.client.logs(first=low, last=high)) <= 2, "%s", text)
            want(len(s.client.logs(first=head, last=head)) == s.direct_count(head, head),
                 "one block always passes")
    with s.proxy.fault("range", results=2, style="infura"):
        with raises(rpc.RpcError, code=-32005):
            s.client.logs()


def laggard(s):
    """a laggard: one block is the head for ever, in every answer"""
    s.proxy.add("lag", at=2)
    want(s.client.height() == 2, "height")
    want(s.client.block()["number"] == "0x2" and s.client.block(3) is None, "blocks")
    want(s.client.hash(s.direct.hash(3)) is None, "by hash")
    want(len(s.client.logs()) == s.direct_count(0, 2), "logs")
    digest = s.direct.block(4)["transactions"][0]
    want(s.client.receipt(digest) is None, "receipt")
    want(s.client.nonce(s.key.address, "latest") < s.direct.nonce(s.key.address, "latest"),
         "nonce")


# --- doors ---

def doors(s):
    """a path key, basic, bearer and header credentials are asked for"""
    s.proxy.add("path", path="/v3/" + SECRET)
    for path, good in (("", False), ("/v3/wrong", False), ("/v3/" + SECRET, True),
                       ("/v3/" + SECRET + "?a=b", True)):
        status = rpc.Endpoint(s.proxy.http + path).post(
            b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}')[0]
        want((status == 200) == good, "%s: %d", path, status)
    s.proxy.clear()
    basic = "Basic " + base64.b64encode(b"user:" + SECRET.encode()).decode()
    for options, headers in (
            ({"user": "user", "password": SECRET}, {"Authorization": basic}),
            ({"token": SECRET}, {"Authorization": "Bearer " + SECRET}),
            ({"header": "x-api-key", "value": SECRET}, {"X-Api-Key": SECRET})):
        with s.proxy.fault("auth", **options):
            with raises(rpc.Unreachable, status=401):
                s.client.height()
            rpc.Endpoint(s.proxy.http, headers=headers).height()
    want(any(head.get("x-api-key") == SECRET for head in s.proxy.heads), "heads are kept")


def tls(s):
    """TLS: a good certificate, an expired one, another name's, another authority's"""
    with tempfile.TemporaryDirectory() as folder:
        authority = certificates.Authority(folder + "/ca")
        other = certificates.Authority(folder + "/other")
        try:
            s.proxy.show(authority.issue("good"))
            want(s.proxy.http.startswith("https:") and s.proxy.ws.startswith("wss:"), "URL")
            rpc.Endpoint(s.proxy.http, context=authority.context()).height()
            for certificate, reason in (
                    (authority.expired(), "expired"), (authority.misnamed(), "mismatch"),
                    (other.issue("other"), "unable to get local issuer")):
                s.proxy.show(certificate)
                try:
                    rpc.Endpoint(s.proxy.http, context=authority.context()).height()
                    raise AssertionError("%s was accepted" % reason)
                except rpc.Unreachable as error:
                    want(reason in str(error), "%s: %s", reason, error)
        finally:
            s.proxy.show(None)
    want(isinstance(s.client.height(), int), "plain again")


def connects(s):
    """an HTTP proxy: CONNECT, absolute targets, and its own password"""
    host, port = s.chain.http.removeprefix("http://").split(":")

    def ask(headers=None):
        connection = http.client.HTTPConnection(s.proxy.host, s.proxy.port, timeout=60)
        connection.set_tunnel(host, int(port), headers=headers or {})
        connection.request("POST", "/", b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId",'
                           b'"params":[]}', {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["result"]
    want(ask() == "0x7a69" and s.proxy.tunnels == [host + ":" + port], "%r", s.proxy.tunnels)
    want(s.proxy.counts() == {}, "a tunnel is not read")
    s.proxy.add("proxy_auth", user="u", password=SECRET)
    with raises(OSError):
        ask()
    ask({"Proxy-Authorization": "Basic " + base64.b64encode(
        b"u:" + SECRET.encode()).decode()})
    s.proxy.clear()
    got = s.raw(head="POST " + s.chain.http + "/ HTTP/1.1\r\nHost: x\r\nConnection: close"
                "\r\nContent-Length: %d\r\n\r\n")
    want(b"0x7a69" in got and s.proxy.counts() == {"eth_chainId": 1}, "%r", got)


CHECKS = [transparent, control, program, down, half_open, mute, slow, limits, cut, garbage,
          shapes, batches, lies, aimed, ranges, laggard, doors, tls, connects]
