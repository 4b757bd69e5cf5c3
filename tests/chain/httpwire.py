# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as bytes, for a proxy that must also be able to speak it wrongly."""
import asyncio
import socket
import struct
import urllib.parse

MAX_HEAD = 65536
MAX_BODY = 1 << 30

REASONS = {101: "Switching Protocols", 200: "OK", 400: "Bad Request", 401: "Unauthorized",
           403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
           407: "Proxy Authentication Required", 413: "Content Too Large",
           426: "Upgrade Required", 429: "Too Many Requests",
           500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}


class Malformed(Exception):
    """The other side does not speak HTTP or WebSocket."""


class Head:
    """A start line and its header fields; names are compared without case."""

    def __init__(self, start, fields):
        self.start = start
        self.fields = fields

    def get(self, name, default=""):
        for field, value in self.fields:
            if field.lower() == name.lower():
                return value
        return default

    def keeps(self):
        """Whether the connection stays open after this message."""
        return self.get("Connection").lower() != "close" and "HTTP/1.0" not in self.start


async def read_head(reader):
    """The next Head, or None at the end of the stream."""
    try:
        text = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Malformed("cut within a head") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise Malformed("a head of more than %d bytes" % MAX_HEAD) from error
    lines = text.decode("latin-1").split("\r\n")
    fields = []
    for line in lines[1:-2]:
        name, colon, value = line.partition(":")
        if not colon:
            raise Malformed("header without a colon: %r" % line)
        fields.append((name, value.strip()))
    return Head(lines[0], fields)


async def read_body(reader, head, response=False):
    """The body that goes with a head."""
    if "chunked" in head.get("Transfer-Encoding").lower():
        body = bytearray()
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            if len(body) + size > MAX_BODY:
                raise Malformed("body too large")
            body += await reader.readexactly(size)
            if size == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass  # trailers
                return bytes(body)
            await reader.readexactly(2)
    length = head.get("Content-Length")
    if length:
        if int(length) > MAX_BODY:
            raise Malformed("body too large")
        return await reader.readexactly(int(length))
    return await reader.read(-1) if response else b""


def head_bytes(status, fields, reason=None):
    lines = ["HTTP/1.1 %d %s" % (status, reason or REASONS.get(status, "Status"))]
    lines += ["%s: %s" % field for field in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunks(body, size):
    """A chunked body of tiny chunks, with an extension that means nothing."""
    parts = [b"%x;x=y\r\n%s\r\n" % (len(body[at:at + size]), body[at:at + size])
             for at in range(0, len(body), size)]
    return b"".join(parts) + b"0\r\n\r\n"


async def post(url, body, content_type="application/json"):
    """POST to an upstream, one connection each; (status, content type, body)."""
    parts = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80,
                                                   limit=MAX_HEAD)
    try:
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        writer.write(("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n"
                      "Content-Length: %d\r\nConnection: close\r\n\r\n" % (
                          target, parts.netloc, content_type, len(body))).encode("latin-1"))
        writer.write(body)
        await writer.drain()
        head = await read_head(reader)
        if head is None:
            raise Malformed("%s closed without a reply" % url)
        reply = await read_body(reader, head, response=True)
        return int(head.start.split()[1]), head.get("Content-Type"), reply
    finally:
        writer.close()


def reset(writer):
    """End a connection with RST instead of FIN."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        try:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass  # it is gone already
    writer.transport.abort()
