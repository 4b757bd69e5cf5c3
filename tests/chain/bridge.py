# SPDX-License-Identifier: Apache-2.0
"""A client's WebSocket and the upstream's behind it, with what goes wrong between."""
import asyncio
import contextlib
import json

import faults
import websocket
from session import dump, too_fast


class Bridge:
    """run() until one side ends."""

    def __init__(self, proxy, client, upstream):
        self.proxy = proxy
        self.rules = proxy.rules
        self.client = client
        self.upstream = upstream
        self.waiting = {}        # id -> Call
        self.subscriptions = {}  # id -> newHeads, logs
        self.held = []           # (call, text) until release()
        self.swapped = []
        client.answers = lambda: not self.rules.stands("half_open")

    async def run(self):
        ways = [asyncio.ensure_future(self.asks()), asyncio.ensure_future(self.answers())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for error in await asyncio.gather(*ways, return_exceptions=True):
                if isinstance(error, Exception) and not isinstance(
                        error, (websocket.Closed, ConnectionError)):
                    self.proxy.complaints.append(repr(error))
            self.upstream.abort()
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(self.client.writer.drain(), 1)
            self.client.abort()

    # --- from the client ---

    async def asks(self):
        while True:
            text = await self.client.receive()
            try:
                asked = json.loads(text)
            except ValueError:
                asked = None
            if not isinstance(asked, dict):
                # A batch: counted, its answers are met one by one.
                for item in asked if isinstance(asked, list) else []:
                    self.call_of(item)
                await self.upstream.send(text)
                continue
            call = self.call_of(asked)
            if self.rules.stands("half_open") or self.rules.use("mute", call):
                continue
            answer = await self.proxy.answer(call)
            if self.proxy.over_rate([call]):
                answer = too_fast(call.ident)
            if answer is not None:
                self.waiting.pop(str(call.ident), None)
                await self.deliver(call, dump(answer).decode())
                continue
            sent = self.proxy.asked(call, asked)
            await self.upstream.send(text if sent is asked else dump(sent))

    def call_of(self, item):
        item = item if isinstance(item, dict) else {}
        call = faults.Call("ws", item.get("method"), item.get("params"),
                           ident=item.get("id"))
        self.proxy.count(call)
        self.waiting[str(call.ident)] = call
        return call

    # --- from the upstream ---

    async def answers(self):
        while True:
            text = (await self.upstream.receive()).decode()
            message = json.loads(text)
            if isinstance(message, list):
                call = faults.Call("ws", "batch")
                told = [self.proxy.told(self.call_for(item), item) for item in message]
                told = [item for item in told if item is not None]
                await self.deliver(call, text if told == message else dump(told).decode())
                continue
            call = self.call_for(message)
            if not self.proxy.rewrites([call]):
                await self.deliver(call, text)
                continue
            told = self.proxy.told(call, message)
            if told is None:
                continue
            if self.rules.use("indent", call):
                text = faults.indented(told)
            elif told != message:
                text = dump(told).decode()
            await self.deliver(call, text)

    def call_for(self, message):
        """Which request this answers, or which subscription it comes from."""
        if "method" in message:
            ident = message.get("params", {}).get("subscription")
            return faults.Call("ws", message["method"], message.get("params"),
                               kind=self.subscriptions.get(ident))
        call = self.waiting.pop(str(message.get("id")), None)
        call = call or faults.Call("ws", None)
        if call.method == "eth_subscribe" and "result" in message and call.params:
            self.subscriptions[message["result"]] = call.params[0]
        return call

    # --- to the client ---

    async def deliver(self, call, text):
        """One message, unless the rules have it otherwise."""
        if self.rules.stands("half_open") or self.rules.use("drop", call):
            return
        if self.rules.use("hold", call):
            self.held.append((call, text))
            return
        if not self.swapped and self.rules.use("swap", call):
            self.swapped.append((call, text))
            return
        rule = self.rules.use("duplicate", call)
        for _ in range(rule.get("copies", 2) if rule else 1):
            await self.send(call, text)
        while self.swapped:
            await self.send(*self.swapped.pop(0))

    async def send(self, call, text):
        rule = self.rules.use("delay", call)
        if rule:
            await asyncio.sleep(rule.get("seconds", 1))
        rule = self.rules.use("close", call)
        if rule:
            await self.close(rule.get("code", 1011), rule.get("reason", ""))
        rule = self.rules.use("garbage", call)
        if rule:
            text = rule.get("body", "\x00 not JSON {[")
        raw = rule is not None and rule.get("raw")
        rule = self.rules.use("fragment", call)
        payload = text if isinstance(text, bytes) else text.encode()
        wire = payload if raw else websocket.frames(
            websocket.TEXT, payload, rule.get("piece", 10) if rule else None,
            rule is not None and rule.get("pings", True))
        rule = self.rules.use("cut", call)
        if rule:
            await self.client.write(wire[:rule.get("at", 0)])
            self.client.abort(rule.get("rst", False))
            raise websocket.Closed(1006)
        rule = self.rules.use("drip", call)
        piece = rule.get("piece", 1) if rule else len(wire)
        for at in range(0, len(wire), piece):
            await self.client.write(wire[at:at + piece])
            if rule:
                await asyncio.sleep(rule.get("seconds", 0.01))

    async def close(self, code, reason=""):
        """End the client's socket with this code; 1006 ends the connection alone."""
        if code != 1006:
            await self.client.close(code, reason)
        self.client.abort()
        raise websocket.Closed(code)

    async def release(self, backwards):
        held, self.held = self.held, []
        for call, text in reversed(held) if backwards else held:
            await self.send(call, text)

    async def invent(self, kind, result):
        """A notification of this kind that no node ever sent."""
        for ident, subscribed in self.subscriptions.items():
            if subscribed == kind:
                await self.send(faults.Call("ws", "invented", kind="invented"), dump({
                    "jsonrpc": "2.0", "method": "eth_subscription",
                    "params": {"subscription": ident, "result": result}}).decode())
