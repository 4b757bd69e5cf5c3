#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A faulty JSON-RPC endpoint, HTTP and WebSocket, in front of a real node.

    with Proxy(chain.http, chain.ws) as proxy:
        rule = proxy.add("lie", methods="eth_getLogs", path="result.0.data", flip=True)
        proxy.http, proxy.ws    what the client is told
        proxy.counts()          {"eth_getLogs": 3, ...}; rule.fired
        proxy.clear()

The faults and their options: faults.py. They change at run time, by this object
or over the control port: POST /add {"kind": "delay", "seconds": 2}, /remove
{"rule": 1}, /clear, /down, /up, /drop, /close {"code": 1011}, /release, /forget,
/invent {"kind": "logs", "result": {...}}; GET /counts, /requests, /rules.
"""
import argparse
import asyncio
import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import certificates
import faults
import httpwire
import ports
from bridge import Bridge
from session import ENDED, Session, error_reply

REMEMBERED = 100000  # requests; a test asks far fewer


class Proxy:
    """The endpoint. Its loop runs in a thread of its own.

    http, ws      of the node behind it; ws None: it has no WebSocket
    certificate   a certificates.Certificate: TLS
    connect       it is an HTTP proxy as well: CONNECT, and http:// targets
    control       also listen for control requests
    """

    def __init__(self, http, ws=None, host="127.0.0.1", port=None, certificate=None,
                 connect=False, control=False, control_port=None):
        self.upstream = (http, ws)
        self.host = host
        self.port = port
        self.control_port = control_port
        self.certificate = certificate
        self.connect = connect
        self.rules = faults.Rules()
        self.complaints = []  # what clients did that broke a connection
        self.heads = []       # of every HTTP request and upgrade
        self.tunnels = []     # "host:port" of every CONNECT or http:// target
        self._control = control or control_port is not None
        self._asked = []
        self._window = (0, 0)
        self._sessions = {}
        self._bridges = set()
        self._ports = []
        self._server = self._control_server = None
        self._thread = None
        self._loop = asyncio.new_event_loop()

    # --- what a session asks ---

    def count(self, call):
        if len(self._asked) < REMEMBERED:
            self._asked.append(call)

    def over_rate(self, calls):
        """The rule that says these are too many for its window, or None."""
        rule = self.rules.use("rate", *calls) if calls else None
        if not rule:
            return None
        window = int(self._loop.time() / rule.get("seconds", 1))
        seen = self._window[1] if self._window[0] == window else 0
        self._window = (window, seen + len(calls))
        if seen + len(calls) > rule.get("requests", 1):
            return rule
        rule.fired -= 1
        return None

    async def answer(self, call):
        """The reply to a request that the node never sees, or None."""
        if self.rules.use("missing", call):
            return error_reply(call.ident, -32601,
                               "the method %s does not exist/is not available" % call.method)
        rule = self.rules.use("error", call)
        if rule:
            return error_reply(call.ident, rule.get("code", -32005),
                               rule.get("message", "limit exceeded"), rule.get("data"))
        if call.method == "eth_getLogs" and self.rules.stands("range", call):
            call.span = await self._span(call)
            for rule in self.rules.rules:
                if rule.kind == "range" and rule.meets(call) and call.span:
                    error = faults.too_many_blocks(rule, *call.span)
                    if error and rule.take():
                        return {"jsonrpc": "2.0", "id": call.ident, "error": error}
        return None

    async def _span(self, call):
        """(first, last) of a query in numbers; None when it names a block hash."""
        query = call.params[0] if call.params and isinstance(call.params[0], dict) else {}
        if "blockHash" in query:
            return None
        ends = [query.get("fromBlock") or "latest", query.get("toBlock") or "latest"]
        head = None
        if any(end in faults.TAGS for end in ends):
            _, _, body = await httpwire.post(
                self.upstream[0],
                b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}')
            head = int(json.loads(body)["result"], 16)
        return tuple(head if end in faults.TAGS else 0 if end == "earliest" else int(end, 16)
                     for end in ends)

    def asked(self, call, item):
        """The request as the node gets it; the same object when unchanged."""
        lag = self._lag(call)
        if lag is None or not call.params:
            return item
        return dict(item, params=faults.lag_request(lag, call.params))

    def told(self, call, message):
        """A reply or notification as the client gets it; None: not at all."""
        for rule in self.rules.rules:
            span = getattr(call, "span", None)
            if rule.kind == "range" and span and rule.meets(call) and "result" in message:
                error = faults.too_many_results(rule, *span, message["result"])
                if error and rule.take():
                    message = {"jsonrpc": "2.0", "id": call.ident, "error": error}
        lag = self._lag(call)
        if lag is not None:
            message = faults.lag_reply(lag, call, message)
        return message and self.rules.lie(call, message)[0]

    def _lag(self, call):
        for rule in self.rules.rules:
            if rule.kind == "lag" and rule.meets(call):
                return rule.get("at", 0)
        return None

    def rewrites(self, calls):
        """Whether the node's own bytes may have to change."""
        return any(self.rules.stands(kind, call) for call in calls
                   for kind in ("lie", "lag", "range", "indent", "swap", "duplicate"))

    async def bridge(self, client, upstream):
        bridge = Bridge(self, client, upstream)
        self._bridges.add(bridge)
        try:
            await bridge.run()
        finally:
            self._bridges.discard(bridge)

    # --- life ---

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._take_ports()
        self._loop.set_exception_handler(
            lambda _, context: self.complaints.append(str(context.get("exception"))))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._do(self._listen())
            if self._control:
                self._do(self._listen_control())
        except BaseException:
            self.stop()
            raise
        return self

    def _take_ports(self):
        if self.port is None:
            self._ports.append(ports.take())
            self.port = self._ports[-1].first
        if self._control and self.control_port is None:
            self._ports.append(ports.take())
            self.control_port = self._ports[-1].first

    def stop(self):
        if not self._thread:
            return
        self._do(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._thread = None
        self._loop.close()
        for port in self._ports:
            port.release()

    def _do(self, coroutine):
        """Run it in the loop's thread; its result."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(30)
        except concurrent.futures.TimeoutError as error:
            raise RuntimeError("the proxy's loop hangs") from error

    async def _listen(self):
        if self._server:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        self._server = await asyncio.start_server(
            self._serve, sock=listener, limit=httpwire.MAX_HEAD, backlog=1024,
            ssl=self.certificate.context() if self.certificate else None)

    async def _serve(self, reader, writer):
        self._sessions[writer] = asyncio.current_task()
        try:
            await Session(self, reader, writer).serve()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client went away, or drop() threw it out
        finally:
            self._sessions.pop(writer, None)

    async def _drop(self, rst):
        """Cut every connection."""
        tasks = list(self._sessions.items())
        for writer, task in tasks:
            if rst:
                httpwire.reset(writer)
            else:
                writer.close()
            task.cancel()
        await asyncio.gather(*[task for _, task in tasks], return_exceptions=True)

    async def _unlisten(self):
        if self._server:
            self._server.close()
            self._server = None

    async def _shut(self):
        await self._unlisten()
        if self._control_server:
            self._control_server.close()
        await self._drop(True)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- what tests tell it ---

    @property
    def url_scheme(self):
        return "s" if self.certificate else ""

    @property
    def http(self):
        return "http%s://%s:%d" % (self.url_scheme, self.host, self.port)

    @property
    def ws(self):
        return "ws%s://%s:%d" % (self.url_scheme, self.host, self.port)

    def add(self, kind, **options):
        """A fault from now on; returns its Rule (`fired`: how often it struck)."""
        rule = faults.Rule(kind, options)
        self._do(self._now(self.rules.rules.append, rule))
        return rule

    def remove(self, rule):
        self._do(self._now(self.rules.rules.remove, rule))

    def clear(self):
        """No fault any more; reachable again."""
        self._do(self._now(self.rules.rules.clear))
        self.up()

    @staticmethod
    async def _now(function, *arguments):
        return function(*arguments)

    @contextlib.contextmanager
    def fault(self, kind, **options):
        """A fault for the length of a block."""
        rule = self.add(kind, **options)
        try:
            yield rule
        finally:
            self.remove(rule)

    def down(self, rst=True):
        """Refuse connections and cut those that stand."""
        self._do(self._unlisten())
        self._do(self._drop(rst))

    def up(self):
        self._do(self._listen())

    def drop(self, rst=False):
        """Cut all connections; new ones are welcome."""
        self._do(self._drop(rst))

    def show(self, certificate):
        """Show another certificate from now on (None: plain text)."""
        self.down()
        self.certificate = certificate
        self.up()

    def close(self, code=1000, reason=""):
        """Close every WebSocket with this code (1006: without a close frame)."""
        async def each():
            for bridge in list(self._bridges):
                with contextlib.suppress(Exception):
                    await bridge.close(code, reason)
        self._do(each())

    def release(self, backwards=False):
        """Let go what the fault "hold" kept, in order or backwards."""
        async def each():
            for bridge in list(self._bridges):
                await bridge.release(backwards)
        self._do(each())

    def held(self):
        """How many messages are kept by "hold"."""
        return sum(len(bridge.held) for bridge in list(self._bridges))

    def invent(self, kind, result):
        """Send a notification that no node sent to all subscribers of this kind."""
        async def each():
            for bridge in list(self._bridges):
                await bridge.invent(kind, result)
        self._do(each())

    def counts(self, transport=None):
        """{method: how often it was asked}."""
        found = {}
        for call in list(self._asked):
            if transport in (None, call.transport):
                found[call.method] = found.get(call.method, 0) + 1
        return found

    def requests(self, method=None):
        """[(transport, method, params)] in order."""
        return [(call.transport, call.method, call.params) for call in list(self._asked)
                if method in (None, call.method)]

    def forget(self):
        """Count from zero."""
        self._asked.clear()
        self.heads.clear()
        self.tunnels.clear()
        self.complaints.clear()

    def sockets(self):
        """How many WebSockets are open."""
        return len(self._bridges)

    # --- the same over HTTP ---

    async def _listen_control(self):
        self._control_server = await asyncio.start_server(
            self._serve_control, self.host, self.control_port, limit=httpwire.MAX_HEAD)

    async def _serve_control(self, reader, writer):
        try:
            head = await httpwire.read_head(reader)
            if head:
                body = await httpwire.read_body(reader, head)
                path = head.start.split()[1]
                # The methods wait for the loop: they must not run in it.
                status, answer = await asyncio.to_thread(self._obey, path, body)
                reply = json.dumps(answer).encode() + b"\n"
                writer.write(httpwire.head_bytes(status, [
                    ("Content-Type", "application/json"), ("Content-Length", len(reply)),
                    ("Connection", "close")]) + reply)
                await writer.drain()
        except ENDED:
            pass
        finally:
            writer.close()

    def _obey(self, path, body):
        """(status, answer) of one control request."""
        name = path.strip("/")
        try:
            options = json.loads(body) if body else {}
            if name == "add":
                return 200, {"rule": self.add(options.pop("kind"), **options).ident}
            if name == "remove":
                self.remove(next(rule for rule in self.rules.rules
                                 if rule.ident == options["rule"]))
            elif name in ("clear", "down", "up", "drop", "close", "release", "forget",
                          "invent"):
                getattr(self, name)(**options)
            elif name == "rules":
                return 200, [{"rule": rule.ident, "kind": rule.kind, "fired": rule.fired}
                             for rule in self.rules.rules]
            elif name in ("counts", "requests"):
                return 200, getattr(self, name)(**options)
            else:
                return 404, {"error": "no such control: " + name}
        except (ValueError, TypeError, KeyError, StopIteration) as error:
            return 400, {"error": "%s: %s" % (type(error).__name__, error)}
        return 200, {}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--http", required=True, help="the node's URL")
    parser.add_argument("--ws", help="its WebSocket's")
    parser.add_argument("--port", type=int, help="to listen on (default: a free one)")
    parser.add_argument("--control", type=int, help="control port (default: a free one)")
    parser.add_argument("--certificate", nargs=2, metavar=("PEM", "KEY"))
    parser.add_argument("--connect", action="store_true", help="be an HTTP proxy as well")
    options = parser.parse_args()
    certificate = certificates.Certificate(*options.certificate) \
        if options.certificate else None
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Proxy(options.http, options.ws, port=options.port, certificate=certificate,
               connect=options.connect, control=True,
               control_port=options.control) as proxy:
        print(json.dumps({"http": proxy.http, "ws": proxy.ws, "control":
                          "http://%s:%d" % (proxy.host, proxy.control_port)}), flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
