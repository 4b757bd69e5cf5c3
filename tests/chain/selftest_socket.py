# SPDX-License-Identifier: Apache-2.0
"""Checks of the proxy's faults over WebSocket."""
import asyncio
import json
import tempfile

import certificates
import httpwire
import network
import proxy
import rpc
import selftest_stage
import websocket
from selftest_stage import raises, want

SECONDS = 40  # for what must come
SILENCE = 0.4  # for what must not


class Stage(selftest_stage.Stage):
    """The same, with clients that speak WebSocket."""

    def play(self, story, **options):
        """Run story(socket) with an open WebSocket to the proxy."""
        async def run():
            client = await Client.open(self.proxy.ws, **options)
            try:
                await story(client)
            finally:
                client.socket.abort()
        asyncio.run(asyncio.wait_for(run(), 300))

    async def mine(self, blocks=1):
        """Without stopping the clients that wait."""
        return await asyncio.to_thread(self.chain.mine, blocks)

    async def log(self, text):
        return await asyncio.to_thread(self.direct.execute, self.key, self.contract, text)


class Client:
    """A WebSocket with JSON-RPC on it."""

    def __init__(self, socket):
        self.socket = socket
        self.next = 0

    @classmethod
    async def open(cls, url, **options):
        return cls(await websocket.connect(url, **options))

    async def ask(self, method, *params):
        """Send a request; its id."""
        self.next += 1
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": self.next,
                                           "method": method, "params": list(params)}))
        return self.next

    async def message(self, seconds=SECONDS):
        return json.loads(await asyncio.wait_for(self.socket.receive(), seconds))

    async def call(self, method, *params):
        ident = await self.ask(method, *params)
        answer = await self.message()
        want(answer["id"] == ident, "%r", answer)
        return answer["result"]

    async def head(self):
        """The height that the next newHeads shows."""
        return int((await self.message())["params"]["result"]["number"], 16)

    async def nothing(self):
        """Nothing may come for a moment."""
        with raises(TimeoutError):
            got = await self.message(SILENCE)
            raise AssertionError("came: %r" % got)

    async def closed(self):
        """The code with which it ends."""
        try:
            while True:
                await asyncio.wait_for(self.socket.receive(), SECONDS)
        except websocket.Closed as error:
            return error.code


def subscribes(s):
    """requests, newHeads and logs pass through unchanged"""
    async def story(c):
        want(await c.call("eth_chainId") == "0x7a69", "chain id")
        await c.call("eth_subscribe", "newHeads")
        height = await s.mine()
        want(await c.head() == height, "head")
        await c.call("eth_subscribe", "logs", {"address": s.contract})
        await s.log(b"seen")
        kinds = [sorted((await c.message())["params"]["result"])[0] for _ in range(2)]
        want("address" in kinds, "%r", kinds)
        want(s.proxy.counts("ws") == {"eth_chainId": 1, "eth_subscribe": 2}, "counts")
        want(s.proxy.sockets() == 1, "sockets")
    s.play(story)


def silent(s):
    """a silent socket: notifications vanish, or everything does"""
    async def story(c):
        await c.call("eth_subscribe", "newHeads")
        with s.proxy.fault("drop", methods="newHeads") as rule:
            await s.mine()
            await c.nothing()
            want(rule.fired == 1, "%d", rule.fired)
            await c.call("eth_chainId")
        height = await s.mine()
        want(await c.head() == height, "back")
        s.proxy.add("half_open")
        await c.ask("eth_chainId")
        await c.socket.write(websocket.frame(websocket.PING, b"?", masked=True))
        await c.nothing()
        want(c.socket.pongs == [], "a pong")
        s.proxy.clear()
        await c.socket.write(websocket.frame(websocket.PING, b"!", masked=True))
        await c.call("eth_chainId")
        want(c.socket.pongs == [b"!"], "%r", c.socket.pongs)
    s.play(story)


def disorder(s):
    """notifications come twice, swapped, backwards; replies out of order"""
    async def story(c):
        await c.call("eth_subscribe", "newHeads")
        first = s.direct.height() + 1
        with s.proxy.fault("duplicate", methods="newHeads", copies=3):
            await s.mine()
            want([await c.head() for _ in range(3)] == [first] * 3, "three times")
        with s.proxy.fault("swap", methods="newHeads", times=1):
            await s.mine(2)
            want([await c.head() for _ in range(2)] == [first + 2, first + 1], "swapped")
        with s.proxy.fault("hold", methods="newHeads"):
            await s.mine(3)
            await asyncio.to_thread(rpc.wait, lambda: s.proxy.held() == 3, "three held")
        await asyncio.to_thread(s.proxy.release, True)
        want([await c.head() for _ in range(3)] == [first + 5, first + 4, first + 3],
             "backwards")
        with s.proxy.fault("swap", methods="eth_chainId", times=1) as rule:
            idents = [await c.ask("eth_chainId")]
            await asyncio.to_thread(rpc.wait, lambda: rule.fired, "kept reply")
            idents.append(await c.ask("eth_gasPrice"))
            want([(await c.message())["id"] for _ in idents] == idents[::-1], "replies")
    s.play(story)


def fragments(s):
    """messages in fragments with pings between, byte by byte, indented"""
    async def story(c):
        with s.proxy.fault("fragment", piece=7):
            block = await c.call("eth_getBlockByNumber", "0x1", True)
        want(block == s.direct.block(1, True) and c.socket.pings > 10, "%d pings",
             c.socket.pings)
        with s.proxy.fault("drip", piece=9, seconds=0.001):
            want(await c.call("eth_getBlockByNumber", "0x1", True) == block, "drip")
        with s.proxy.fault("indent"):
            await c.ask("eth_getBlockByNumber", "0x1", True)
            text = (await c.socket.receive()).decode()
        want("\n\t" in text and json.loads(text)["result"] == block, "%s", text[:80])
    s.play(story)


def lies(s):
    """lies in notifications, invented ones, errors, a missing method"""
    async def story(c):
        await c.call("eth_subscribe", "newHeads")
        await c.call("eth_subscribe", "logs", {"address": s.contract})
        with s.proxy.fault("lie", methods="newHeads", path="params.result.parentHash",
                           flip=True) as rule:
            await s.mine()
            told = (await c.message())["params"]["result"]
        honest = s.direct.block()
        want(rule.fired == 1 and told["hash"] == honest["hash"]
             and told["parentHash"] != honest["parentHash"], "%r", told)
        await asyncio.to_thread(s.proxy.invent, "logs", {"data": "0xf00d", "removed": False})
        want((await c.message())["params"]["result"]["data"] == "0xf00d", "invented")
        with s.proxy.fault("missing", methods="eth_getProof"):
            await c.ask("eth_getProof", s.contract, [], "latest")
            want((await c.message())["error"]["code"] == -32601, "missing")
        with s.proxy.fault("mute", methods="eth_gasPrice"):
            await c.ask("eth_gasPrice")
            await c.nothing()
        with s.proxy.fault("range", blocks=2, style="alchemy"):
            await c.ask("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
            want("[0x0, 0x1]" in (await c.message())["error"]["message"], "range")
        with s.proxy.fault("rate", requests=0, rpc=True):
            await c.ask("eth_chainId")
            want((await c.message())["error"]["code"] == -32005, "rate")
        with s.proxy.fault("lag", at=1):
            want(await c.call("eth_blockNumber") == "0x1", "lag")
            await s.mine()
            await c.nothing()
    s.play(story)


def batch(s):
    """a batch over the socket is counted and answered"""
    async def story(c):
        await c.socket.send(json.dumps([{"jsonrpc": "2.0", "id": n, "method": "eth_chainId",
                                         "params": []} for n in (8, 9)]))
        with_lie = await c.message()
        want([a["id"] for a in with_lie] == [8, 9], "%r", with_lie)
        want(s.proxy.counts() == {"eth_chainId": 2}, "counts")
        s.proxy.add("lie", path="result", set="0x1")
        await c.socket.send('[{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}]')
        want((await c.message())[0]["result"] == "0x1", "lie in a batch")
    s.play(story)


def closes(s):
    """close codes, a cut without one, a cut within a frame, garbage"""
    for code in (1000, 1001, 1008, 1011, 1012, 1013):
        async def story(c, code=code):
            await c.call("eth_chainId")
            await asyncio.to_thread(s.proxy.close, code, "so")
            want(await c.closed() == code, "%d", code)
        s.play(story)
    for kind, options in (("close", {"code": 1006}), ("cut", {"at": 1}), ("cut", {"at": 0}),
                          ("cut", {"at": 9, "rst": True}), ("close", {"code": 1011})):
        async def story(c, kind=kind, options=options):
            with s.proxy.fault(kind, times=1, **options):
                await c.ask("eth_chainId")
                want(await c.closed() == options.get("code", 1006), "%s", kind)
        s.play(story)

    async def story(c):
        with s.proxy.fault("garbage", body="{\"id\":"):
            await c.ask("eth_chainId")
            with raises(ValueError):
                await c.message()
        with s.proxy.fault("garbage", body="\xc1\xc2\xc3\xc4", raw=True):
            await c.ask("eth_chainId")
            with raises(httpwire.Malformed):  # reads as a masked frame
                await c.message()
    s.play(story)
    rpc.wait(lambda: s.proxy.sockets() == 0, "end of all sockets")


def falls(s):
    """down, drop: standing sockets end; the node's death ends them too"""
    async def story(c):
        await c.call("eth_chainId")
        await asyncio.to_thread(s.proxy.down)
        want(await c.closed() == 1006, "down")
        with raises(ConnectionRefusedError):
            await Client.open(s.proxy.ws)
        await asyncio.to_thread(s.proxy.up)
        again = await Client.open(s.proxy.ws)
        await again.call("eth_chainId")
        await asyncio.to_thread(s.proxy.drop)
        want(await again.closed() == 1006, "drop")
    s.play(story)

    async def bereaved():
        with network.Anvil() as chain, proxy.Proxy(chain.http, chain.ws) as before:
            c = await Client.open(before.ws)
            await c.call("eth_chainId")
            chain.kill()
            want(await c.closed() == 1006, "the node is dead")
            with raises(httpwire.Malformed):  # 502
                await Client.open(before.ws)
            want(rpc.Endpoint(before.http).post(b'{"id":1,"method":"x"}')[0] == 502, "502")
    asyncio.run(bereaved())


def refusals(s):
    """no socket here: 404, 403, 429, a wrong accept key, a door"""
    for rule, options, text in (
            ("no_upgrade", {}, "404"), ("no_upgrade", {"code": 403}, "403"),
            ("no_upgrade", {"code": 200}, "200"), ("status", {"code": 429}, "429"),
            ("accept", {}, "Accept"), ("path", {"path": "/ws/secret"}, "404"),
            ("auth", {"token": "secret"}, "401")):
        with s.proxy.fault(rule, **options):
            try:
                asyncio.run(Client.open(s.proxy.ws))
                raise AssertionError("%s opened" % rule)
            except httpwire.Malformed as error:
                want(text in str(error), "%s: %s", rule, error)

    async def story(c):
        await c.call("eth_chainId")
    s.proxy.add("auth", token="secret")
    s.play(story, headers=[("Authorization", "Bearer secret")])


def tls(s):
    """wss with the authority's certificate"""

    with tempfile.TemporaryDirectory() as folder:
        authority = certificates.Authority(folder)
        s.proxy.show(authority.issue("good"))
        try:
            async def story(c):
                await c.call("eth_chainId")
            s.play(story, context=authority.context())
        finally:
            s.proxy.show(None)


def large(s):
    """a message of five megabytes, both ways"""
    async def story(c):
        want(await c.call("web3_sha3", "0x" + "61" * 200000), "up")
        rule = s.proxy.add("lie", methods="eth_chainId", path="result",
                           set="0x" + "7" * 5000000)
        want(len(await c.call("eth_chainId")) == 5000002 and rule.fired, "down")
    s.play(story)


CHECKS = [subscribes, silent, disorder, fragments, lies, batch, closes, falls, refusals, tls,
          large]
