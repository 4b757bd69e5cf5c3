# SPDX-License-Identifier: Apache-2.0
"""RFC 6455 for both sides of a proxy that must also be able to break it."""
import asyncio
import base64
import hashlib
import os
import struct
import urllib.parse

import httpwire

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MAX_MESSAGE = 256 << 20
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Closed(Exception):
    """The socket has ended; `code` as in RFC 6455, 1006 without a close frame."""

    def __init__(self, code, reason=""):
        super().__init__("closed with %d %s" % (code, reason))
        self.code = code
        self.reason = reason


def accept_key(key):
    """Sec-WebSocket-Accept for this Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def mask(payload, key):
    """XOR with a repeated 4-byte key."""
    if not payload:
        return b""
    repeated = (key * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(
        len(payload), "big")


def frame(opcode, payload, final=True, masked=False):
    """One frame as bytes."""
    first = opcode | (0x80 if final else 0)
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = struct.pack(">BB", first, len(payload) | bit)
    elif len(payload) < 65536:
        head = struct.pack(">BBH", first, 126 | bit, len(payload))
    else:
        head = struct.pack(">BBQ", first, 127 | bit, len(payload))
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + mask(payload, key)


def frames(opcode, payload, piece=None, pings=False, masked=False):
    """A message as bytes, in fragments of `piece` bytes, a ping after each."""
    if not piece or len(payload) <= piece:
        return frame(opcode, payload, masked=masked)
    wire = b""
    for at in range(0, len(payload), piece):
        final = at + piece >= len(payload)
        wire += frame(CONTINUATION if at else opcode, payload[at:at + piece], final, masked)
        if pings and not final:
            wire += frame(PING, b"%d" % at, masked=masked)
    return wire


class Socket:
    """One side of an open WebSocket."""

    def __init__(self, reader, writer, client):
        self.reader = reader
        self.writer = writer
        self.client = client
        self.answers = lambda: True  # whether pings and closes are answered
        self.pings = 0
        self.pongs = []
        self._lock = asyncio.Lock()
        self._closing = False

    async def write(self, wire):
        async with self._lock:
            self.writer.write(wire)
            await self.writer.drain()

    async def send(self, payload, opcode=TEXT, piece=None, pings=False):
        if isinstance(payload, str):
            payload = payload.encode()
        await self.write(frames(opcode, payload, piece, pings, self.client))

    async def receive(self):
        """The next whole message; answers pings; raises Closed."""
        message = bytearray()
        while True:
            try:
                final, opcode, payload = await self._frame()
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise Closed(1006) from error
            if opcode == PING:
                self.pings += 1
                if self.answers():
                    await self.write(frame(PONG, payload, masked=self.client))
            elif opcode == PONG:
                self.pongs.append(payload)
            elif opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) > 1 else 1005
                if self.answers():
                    await self.close(1000 if code == 1005 else code)
                raise Closed(code, payload[2:].decode("utf-8", "replace"))
            else:
                message += payload
                if len(message) > MAX_MESSAGE:
                    raise httpwire.Malformed("message too large")
                if final:
                    return bytes(message)

    async def _frame(self):
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack(">H", await self.reader.readexactly(2))
        elif length == 127:
            length, = struct.unpack(">Q", await self.reader.readexactly(8))
        if length > MAX_MESSAGE:
            raise httpwire.Malformed("frame too large")
        # A client masks, a server does not (section 5.1): here it is checked.
        if bool(second & 0x80) == self.client:
            raise httpwire.Malformed("masked by a server" if self.client
                                     else "a client's frame without a mask")
        key = await self.reader.readexactly(4) if second & 0x80 else None
        payload = await self.reader.readexactly(length)
        return bool(first & 0x80), first & 0x0F, mask(payload, key) if key else payload

    async def close(self, code=1000, reason=""):
        """Send a close frame, once."""
        if self._closing:
            return
        self._closing = True
        try:
            await self.write(frame(CLOSE, struct.pack(">H", code) + reason.encode(),
                                   masked=self.client))
        except ConnectionError:
            pass

    def abort(self, rst=False):
        """End the connection without a close frame."""
        if rst:
            httpwire.reset(self.writer)
        else:
            self.writer.close()


async def connect(url, context=None, headers=()):
    """Open a WebSocket as a client."""
    parts = urllib.parse.urlsplit(url)
    tls = parts.scheme == "wss"
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or (443 if tls else 80), ssl=context if tls else None,
        limit=httpwire.MAX_HEAD)
    try:
        key = base64.b64encode(os.urandom(16)).decode()
        fields = [("Host", parts.netloc.rpartition("@")[2]), ("Upgrade", "websocket"),
                  ("Connection", "Upgrade"), ("Sec-WebSocket-Key", key),
                  ("Sec-WebSocket-Version", "13"), *headers]
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        writer.write(("GET %s HTTP/1.1\r\n%s\r\n\r\n" % (
            target, "\r\n".join("%s: %s" % field for field in fields))).encode("latin-1"))
        await writer.drain()
        head = await httpwire.read_head(reader)
        if head is None or " 101 " not in head.start + " ":
            raise httpwire.Malformed("no upgrade: %s" % (head.start if head else "closed"))
        if head.get("Sec-WebSocket-Accept") != accept_key(key):
            raise httpwire.Malformed("wrong Sec-WebSocket-Accept")
    except BaseException:
        writer.close()
        raise
    return Socket(reader, writer, client=True)
