#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""webhook_receiver.py [--certificate FILE --key FILE] [--port N] SECRET...

A receiver of webhooks on loopback, which checks the signatures by itself ("Standard
Webhooks" 1.0.0) and answers as the path says: /ok, /slow?seconds=3, /gone, ... (see
ANSWERS). Prints "port N", then one line of JSON for each request. As a module: Receiver.
"""
import argparse
import base64
import email.utils
import hashlib
import hmac
import http.server
import json
import ssl
import sys
import threading
import time
import urllib.parse

TOLERANCE = 300  # seconds that a timestamp may be off


def key_of(secret):
    """The bytes of "whsec_BASE64"."""
    if not secret.startswith("whsec_"):
        raise ValueError("no whsec_")
    return base64.b64decode(secret[len("whsec_"):], validate=True)


def signature(secret, message_id, timestamp, body):
    """One entry of webhook-signature."""
    signed = b"%s.%s.%s" % (message_id.encode(), str(timestamp).encode(), body)
    mac = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


def verify(headers, body, secrets, now=None):
    """What is wrong with a request; "" when one of the secrets signed it."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")
    if not message_id or "." in message_id:
        return "webhook-id: %r" % message_id
    if not timestamp.isdigit():
        return "webhook-timestamp: %r" % timestamp
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE:
        return "webhook-timestamp %s is too far from now" % timestamp
    if headers.get("Idempotency-Key") != message_id:
        return "Idempotency-Key is not the id"
    for secret in secrets:
        due = signature(secret, message_id, timestamp, body)
        if any(hmac.compare_digest(due, one) for one in given):
            return ""
    return "no signature of %d is by a secret of %d" % (len(given), len(secrets))


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; self.server.receiver is the Receiver."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.receiver.note({"method": "GET", "path": self.path})
        self.reply(405)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        receiver = self.server.receiver
        wrong = verify(self.headers, body, receiver.secrets)
        if len(body) != length:
            wrong = wrong or "%d bytes of %d" % (len(body), length)
        seen = receiver.note({"method": "POST", "path": self.path, "wrong": wrong,
                              "id": self.headers.get("webhook-id", ""),
                              "timestamp": self.headers.get("webhook-timestamp", ""),
                              "signatures": self.headers.get("webhook-signature", ""),
                              "agent": self.headers.get("User-Agent", ""),
                              "type": self.headers.get("Content-Type", ""),
                              "authorization": self.headers.get("Authorization", ""),
                              "bytes": len(body), "body": body})
        name = receiver.behaviour(seen) if receiver.behaviour else url.path.split("/")[1]
        if wrong:
            self.reply(401, ("refused: %s\n" % wrong).encode())
            return
        try:
            ANSWERS.get(name, Handler.unknown)(self)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    # --- what the first part of the path asks for ---

    def ok(self):
        self.reply(200, b"thank you\n")

    def no_content(self):
        self.send_response(204)
        self.end_headers()

    def slow(self):
        time.sleep(float(self.query.get("seconds", "3")))
        self.ok()

    def drip(self):
        """A head, then a byte every tenth of a second, without end."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        for _ in range(600):
            self.wfile.write(b".")
            self.wfile.flush()
            time.sleep(0.1)

    def cut(self):
        """Half of what was promised."""
        self.send_response(int(self.query.get("status", "200")))
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def drop(self):
        self.close_connection = True

    def garbage(self):
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
        self.close_connection = True

    def huge(self):
        """As much as the other side takes."""
        self.send_response(int(self.query.get("status", "200")))
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(1 << 30))
        self.end_headers()
        self.close_connection = True
        for _ in range(1 << 14):
            self.wfile.write(b"x" * (1 << 16))

    def redirect(self):
        self.reply(int(self.query.get("status", "307")), b"elsewhere\n",
                   [("Location", self.query.get("to", "/ok"))])

    def gone(self):
        self.reply(410, b"no more, please\n")

    def busy(self):
        self.reply(int(self.query.get("status", "429")), b"slow down\n",
                   [("Retry-After", self.query.get("after", "7"))])

    def busy_until(self):
        """Retry-After as a date, so many seconds from now."""
        date = email.utils.formatdate(time.time() + float(self.query["after"]),
                                      usegmt=True)
        self.reply(503, b"back soon\n", [("Retry-After", date)])

    def status(self):
        self.reply(int(self.query["status"]), self.query.get("text", "").encode())

    def hostile(self):
        """A text that would like to be in somebody's terminal, and tells the URL."""
        self.reply(500, b"\x1b[2J\x07evil \"quoted\" \xff\xfe Cannot POST " +
                   self.path.encode() + b" " + b"A" * 5000 + b"\nsecond line")

    def unknown(self):
        self.reply(404, b"no such path\n")


ANSWERS = {name: getattr(Handler, name) for name in (
    "ok", "no_content", "slow", "drip", "cut", "drop", "garbage", "huge", "redirect",
    "gone", "busy", "busy_until", "status", "hostile")}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that refuses the certificate is what is tested."""


class Receiver:
    """
    A receiver in a thread. secrets: any one of them must have signed. behaviour: given
    each request (a dict; see do_POST), it names the answer; None: the path does.
    """

    def __init__(self, secrets, certificate=None, key=None, port=0, behaviour=None,
                 tell=None):
        self.secrets = list(secrets)
        self.behaviour = behaviour
        self.tell = tell
        self.lock = threading.Lock()
        self.requests = []  # as they came
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.receiver = self
        self.port = self.server.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def note(self, request):
        with self.lock:
            self.requests.append(request)
            if self.tell:
                self.tell(request)
        return request

    def bodies(self, path=None):
        """The decoded bodies of the requests that were signed well, in order."""
        with self.lock:
            return [json.loads(r["body"]) for r in self.requests
                    if r["method"] == "POST" and not r["wrong"]
                    and (path is None or r["path"] == path)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def print_request(request):
    line = {k: v for k, v in request.items() if k != "body"}
    if "body" in request:
        line["sha256"] = hashlib.sha256(request["body"]).hexdigest()
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("secret", nargs="+")
    given = parser.parse_args()
    receiver = Receiver(given.secret, given.certificate, given.key, given.port,
                        tell=print_request)
    print("port %d" % receiver.port, flush=True)
    sys.stdin.read()  # until whoever started this is gone
    receiver.close()


if __name__ == "__main__":
    main()
