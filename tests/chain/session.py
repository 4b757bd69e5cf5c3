# SPDX-License-Identifier: Apache-2.0
"""One client's connection to the proxy: HTTP requests, a tunnel, or a WebSocket."""
import asyncio
import base64
import contextlib
import gzip
import json

import faults
import httpwire
import websocket

ENDED = (asyncio.IncompleteReadError, ConnectionError, httpwire.Malformed, ValueError)


def basic(user, password):
    return "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()


def error_reply(ident, code, message, data=None):
    error = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": ident, "error": error}


def too_fast(ident):
    """What providers answer beside or instead of a 429."""
    return error_reply(ident, -32005, "daily request count exceeded, request rate limited",
                       {"rate": {"allowed_rps": 1, "backoff_seconds": 1, "current_rps": 2}})


def dump(message):
    return json.dumps(message, separators=(",", ":")).encode()


class Session:
    """Serves one connection until it ends."""

    def __init__(self, proxy, reader, writer):
        self.proxy = proxy
        self.rules = proxy.rules
        self.reader = reader
        self.writer = writer

    async def serve(self):
        try:
            while True:
                if self.rules.use("half_open"):
                    await self.reader.read(-1)  # until the client gives up
                    return
                head = await httpwire.read_head(self.reader)
                if head is None:
                    return
                method, target = head.start.split()[:2]
                if method == "CONNECT":
                    await self.tunnel(head, target)
                    return
                if self.proxy.connect and target.startswith("http://"):
                    if not await self.admitted_as_proxy(head):
                        return
                    self.proxy.tunnels.append(target.split("/")[2])
                elif not await self.admitted(head, target):
                    return
                if head.get("Upgrade").lower() == "websocket":
                    await self.upgrade(head)
                    return
                if not await self.request(head, target):
                    return
        except ENDED as error:
            self.proxy.complaints.append(repr(error))
        finally:
            self.writer.close()

    # --- before any JSON-RPC ---

    async def plain(self, status, fields=(), text=""):
        """A reply of our own, the last one."""
        body = text.encode() or b"%d\n" % status
        self.writer.write(httpwire.head_bytes(status, [
            ("Content-Type", "text/plain"), ("Content-Length", len(body)),
            ("Connection", "close"), *fields]) + body)
        await self.writer.drain()

    async def admitted(self, head, target):
        """The path key and the credentials."""
        self.proxy.heads.append(head)
        rule = self.rules.stands("path") and self.rules.use("path")
        if rule and target.split("?")[0].rstrip("/") != rule.get("path").rstrip("/"):
            await self.plain(404, text="no such project\n")
            return False
        rule = self.rules.stands("auth") and self.rules.use("auth")
        if not rule:
            return True
        if rule.get("header"):
            good = head.get(rule.get("header")) == rule.get("value")
        elif rule.get("token"):
            good = head.get("Authorization") == "Bearer " + rule.get("token")
        else:
            good = head.get("Authorization") == basic(rule.get("user"), rule.get("password"))
        if not good:
            scheme = "Bearer" if rule.get("token") else "Basic"
            await self.plain(401, [("WWW-Authenticate", scheme + ' realm="rpc"')])
        return good

    async def admitted_as_proxy(self, head):
        self.proxy.heads.append(head)
        rule = self.rules.use("proxy_auth")
        if rule and head.get("Proxy-Authorization") != basic(
                rule.get("user"), rule.get("password")):
            await self.plain(407, [("Proxy-Authenticate", 'Basic realm="proxy"')])
            return False
        return True

    async def tunnel(self, head, target):
        """CONNECT: bytes in both directions."""
        if not self.proxy.connect:
            await self.plain(405)
            return
        if not await self.admitted_as_proxy(head):
            return
        self.proxy.tunnels.append(target)
        host, _, port = target.rpartition(":")
        try:
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError:
            await self.plain(502)
            return
        self.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source, sink):
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            sink.close()
        await asyncio.gather(pump(self.reader, writer), pump(reader, self.writer))

    # --- HTTP ---

    async def request(self, head, target):
        """One request and its reply; whether the connection stays open."""
        if head.get("Expect").lower() == "100-continue":
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await httpwire.read_body(self.reader, head)
        upstream = target if target.startswith("http://") else self.proxy.upstream[0]
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        batch = asked if isinstance(asked, list) else [asked]
        calls = [faults.Call("http", item.get("method"), item.get("params"),
                             ident=item.get("id"))
                 for item in batch if isinstance(item, dict)]
        for call in calls:
            self.proxy.count(call)
        if self.rules.stands("half_open"):
            await self.reader.read(-1)
            return False
        if any(self.rules.use("mute", call) for call in calls):
            await self.reader.read(-1)
            return False
        if await self.refused(calls):
            return False
        if len(calls) != len(batch) or not calls:
            status, kind, reply = await httpwire.post(upstream, body)
            return await self.reply(head, status, kind, reply, calls)
        try:
            status, kind, reply = await self.ask(upstream, asked, batch, calls, body)
        except (OSError, *ENDED) as error:
            self.proxy.complaints.append(repr(error))
            await self.plain(502, text="the node behind this does not answer\n")
            return False
        return await self.reply(head, status, kind, reply, calls)

    async def refused(self, calls):
        """An HTTP status instead of an answer."""
        rule = self.rules.use("status", *calls)
        code = rule.get("code", 429) if rule else None
        fields = list(dict(rule.get("headers") or {}).items()) if rule else []
        retry = rule.get("retry_after") if rule else None
        text = rule.get("body") or "" if rule else ""
        limited = self.proxy.over_rate(calls)
        if limited:
            code, retry = 429, limited.get("seconds", 1)
            if limited.get("rpc"):
                text = dump(too_fast(calls[0].ident)).decode()
        if code is None:
            return False
        if retry is not None:
            fields.append(("Retry-After", retry))
        await self.plain(code, fields, text)
        return True

    async def ask(self, upstream, asked, batch, calls, body):
        """The upstream's reply, with what the rules answer or change."""
        ready = {}
        forward = []
        for i, (call, item) in enumerate(zip(calls, batch)):
            answer = await self.proxy.answer(call)
            if answer is not None:
                ready[i] = answer
            else:
                forward.append((i, self.proxy.asked(call, item)))
        untouched = not ready and all(item is batch[i] for i, item in forward)
        if forward:
            sent = body if untouched else dump(
                [item for _, item in forward] if isinstance(asked, list) else forward[0][1])
            status, kind, reply = await httpwire.post(upstream, sent)
        else:
            status, kind, reply = 200, "application/json", b"[]"
        if untouched and not self.proxy.rewrites(calls):
            return status, kind, reply  # the upstream's own bytes
        told = json.loads(reply)
        answers = dict(zip([i for i, _ in forward], told if isinstance(told, list)
                           else [told]))
        answers.update(ready)
        answers = [self.proxy.told(call, answers[i]) for i, call in enumerate(calls)
                   if i in answers]
        answers = [answer for answer in answers if answer is not None]
        if isinstance(asked, list) and self.rules.use("swap", *calls):
            answers = answers[::-1]
        if isinstance(asked, list) and self.rules.use("duplicate", *calls):
            answers = [answer for answer in answers for _ in range(2)]
        whole = answers if isinstance(asked, list) else answers[0] if answers else None
        if self.rules.use("indent", *calls):
            return status, kind, faults.indented(whole).encode()
        return status, kind, b"" if whole is None else dump(whole)

    async def reply(self, head, status, kind, body, calls):
        """Write it, right or wrong; whether the connection stays open."""
        rule = self.rules.use("garbage", *calls)
        if rule:
            body = rule.get("body", "<html>\x00\xff not JSON {[")
            body = body.encode("latin-1") if isinstance(body, str) else body
        fields = [("Content-Type", kind or "application/json")]
        zipped = self.rules.use("gzip", *calls)
        if zipped and (zipped.get("always") or "gzip" in head.get("Accept-Encoding")):
            body = gzip.compress(body)
            fields.append(("Content-Encoding", "gzip"))
        chunked = self.rules.use("chunked", *calls)
        length = self.rules.use("length", *calls)
        cut = self.rules.use("cut", *calls)
        keeps = head.keeps() and not (length or cut or rule)
        if chunked:
            fields.append(("Transfer-Encoding", "chunked"))
            body = httpwire.chunks(body, chunked.get("piece", 7))
        else:
            fields.append(("Content-Length", len(body) + (length.get("by", 5) if length
                                                          else 0)))
        if not keeps:
            fields.append(("Connection", "close"))
        start = httpwire.head_bytes(status, fields)
        wire = body if rule and rule.get("raw") else start + body
        if cut:
            wire = wire[:cut.get("at", 0) + (len(start) if cut.get("of") == "body" else 0)]
        await self.send(wire, calls)
        if cut and cut.get("rst"):
            await self.flushed()
            httpwire.reset(self.writer)
        return keeps

    async def send(self, wire, calls):
        """Bytes to the client, late and slowly if the rules say so."""
        rule = self.rules.use("delay", *calls)
        if rule:
            await asyncio.sleep(rule.get("seconds", 1))
        rule = self.rules.use("drip", *calls)
        piece = rule.get("piece", 1) if rule else max(1, len(wire))
        for at in range(0, len(wire), piece):
            self.writer.write(wire[at:at + piece])
            await self.writer.drain()
            if rule:
                await asyncio.sleep(rule.get("seconds", 0.01))

    async def flushed(self):
        """Until the kernel has taken what was written (a reset would drop it)."""
        while self.writer.transport.get_write_buffer_size():
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)  # loopback: let the client's kernel have it

    # --- the way to a WebSocket ---

    async def upgrade(self, head):
        rule = self.rules.use("no_upgrade")
        if rule or not self.proxy.upstream[1]:
            await self.plain(rule.get("code", 404) if rule else 404)
            return
        rule = self.rules.use("status")
        if rule:
            fields = [("Retry-After", rule.get("retry_after"))] \
                if rule.get("retry_after") is not None else []
            await self.plain(rule.get("code", 429), fields)
            return
        key = head.get("Sec-WebSocket-Key")
        if not key or head.get("Sec-WebSocket-Version") != "13":
            await self.plain(400, text="not RFC 6455\n")
            return
        try:
            upstream = await websocket.connect(self.proxy.upstream[1])
        except (OSError, *ENDED):
            await self.plain(502)
            return
        accept = websocket.accept_key("wrong" if self.rules.use("accept") else key)
        self.writer.write(httpwire.head_bytes(101, [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", accept)]))
        await self.writer.drain()
        client = websocket.Socket(self.reader, self.writer, client=False)
        await self.proxy.bridge(client, upstream)
