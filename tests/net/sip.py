# SPDX-License-Identifier: Apache-2.0
"""A small SIP client (RFC 3261 over UDP, digest of RFC 2617) for the harness.

What sipp does not do: forged source addresses, hand-made hostile packets, and
a customer whose every single call is timed and judged.
"""
import hashlib
import re
import secrets
import socket
import threading
import time

import topology

IP_TRANSPARENT = 19  # <linux/in.h>: bind to an address that is not ours
T1 = 0.5             # RFC 3261, 17.1.1.1: first retransmission

SDP = ("v=0\r\no=- 1 1 IN IP4 %(a)s\r\ns=-\r\nc=IN IP4 %(a)s\r\nt=0 0\r\n"
       "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")


class NoAnswer(Exception):
    """Nothing came back in time."""


def udp(namespace, address, port=0, spoofed=False):
    """A UDP socket in a namespace; spoofed: address belongs to another host."""
    with topology.inside(namespace):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if spoofed:
            s.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
        s.bind((address, port))
    return s


def _md5(text):
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def digest(user, password, method, uri, challenge):
    """The value of an Authorization header that answers a challenge."""
    given = dict(re.findall(r'(\w+)="?([^",\r\n]+)"?', challenge))
    cnonce = secrets.token_hex(4)
    ha1 = _md5("%s:%s:%s" % (user, given["realm"], password))
    ha2 = _md5("%s:%s" % (method, uri))
    value = ('Digest username="%s", realm="%s", nonce="%s", uri="%s", algorithm=MD5'
             % (user, given["realm"], given["nonce"], uri))
    if "opaque" in given:
        value += ', opaque="%s"' % given["opaque"]
    if "qop" in given:
        response = _md5(":".join((ha1, given["nonce"], "00000001", cnonce, "auth", ha2)))
        return value + (', qop=auth, nc=00000001, cnonce="%s", response="%s"'
                        % (cnonce, response))
    return value + ', response="%s"' % _md5(":".join((ha1, given["nonce"], ha2)))


def header(message, name):
    """A header's value, or None."""
    found = re.search(r"(?im)^%s\s*:[ \t]*(.*?)\r?$" % re.escape(name), message)
    return found.group(1) if found else None


def status(message):
    """The status code of a response; 0 for anything else."""
    found = re.match(r"SIP/2\.0 (\d{3}) ", message)
    return int(found.group(1)) if found else 0


class Dialog:
    """One Call-ID at one server, from one socket."""

    def __init__(self, sock, server, user, source=None, agent="phone"):
        self.sock = sock
        self.server = server
        self.user = user
        self.source = source or sock.getsockname()
        self.agent = agent
        self.call_id = secrets.token_hex(10)
        self.tag = secrets.token_hex(4)
        self.sequence = 0

    def message(self, method, uri, to=None, extra=(), body="", branch=None, sequence=None):
        """The text of a request; a new CSeq unless one is given."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        branch = branch or "z9hG4bK" + secrets.token_hex(8)
        lines = ["%s %s SIP/2.0" % (method, uri),
                 "Via: SIP/2.0/UDP %s:%d;branch=%s;rport" % (*self.source, branch),
                 "Max-Forwards: 70",
                 "From: <sip:%s@%s>;tag=%s" % (self.user, self.server, self.tag),
                 "To: " + (to or "<sip:%s@%s>" % (self.user, self.server)),
                 "Call-ID: " + self.call_id,
                 "CSeq: %d %s" % (sequence, method),
                 "Contact: <sip:%s@%s:%d>" % (self.user, *self.source),
                 "User-Agent: " + self.agent, *extra]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append("Content-Length: %d" % len(body))
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def send(self, text):
        """Send and do not wait: what a forger does, who never sees answers."""
        self.sock.sendto(text.encode("latin-1"), (self.server, 5060))

    def ask(self, method, uri, seconds=12.0, **options):
        """Send with retransmissions until a final answer; returns it."""
        text = self.message(method, uri, **options)
        wanted = "%d %s" % (self.sequence, method)
        deadline = time.monotonic() + seconds
        pause = T1
        while True:
            self.send(text)
            until = min(deadline, time.monotonic() + pause)
            pause *= 2
            answer = self._final(wanted, until)
            if answer:
                return answer
            if time.monotonic() >= deadline:
                raise NoAnswer("%s of %s at %s: no answer in %.1f s"
                               % (method, self.user, self.server, seconds))

    def _final(self, wanted, until):
        """The final answer to CSeq `wanted`, or None when `until` has come."""
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return None
            self.sock.settimeout(left)
            try:
                answer = self.sock.recv(65535).decode("latin-1")
            except socket.timeout:
                return None
            except ConnectionError:  # ICMP port unreachable of an earlier packet
                continue
            if (header(answer, "Call-ID") == self.call_id
                    and header(answer, "CSeq") == wanted and status(answer) >= 200):
                return answer

    def authorized(self, answer, password, method, uri):
        """The header that answers a 401 or 407."""
        challenge = header(answer, "WWW-Authenticate") or header(answer, "Proxy-Authenticate")
        if not challenge:
            raise NoAnswer("%s: no challenge in %r" % (method, answer[:60]))
        return "Authorization: " + digest(self.user, password, method, uri, challenge)


def register(sock, server, user, password, seconds=12.0):
    """Register; returns the last status code (200 when it worked)."""
    dialog = Dialog(sock, server, user)
    uri = "sip:" + server
    answer = dialog.ask("REGISTER", uri, seconds, extra=["Expires: 120"])
    if status(answer) not in (401, 407):
        return status(answer)
    credentials = dialog.authorized(answer, password, "REGISTER", uri)
    return status(dialog.ask("REGISTER", uri, seconds, extra=["Expires: 120", credentials]))


def call(sock, server, user, password, number, seconds=12.0, reasons=None):
    """Call a number, hang up when it is answered; returns the last status.

    reasons: a list that the Reason header of a refusal is added to.
    """
    dialog = Dialog(sock, server, user)
    uri = "sip:%s@%s" % (number, server)
    options = {"to": "<%s>" % uri, "body": SDP % {"a": dialog.source[0]}}
    branch = "z9hG4bK" + secrets.token_hex(8)
    answer = dialog.ask("INVITE", uri, seconds, branch=branch, **options)
    if status(answer) in (401, 407):
        # The ACK of a refusal belongs to the INVITE's own transaction.
        dialog.send(dialog.message("ACK", uri, to=header(answer, "To"), branch=branch,
                                   sequence=dialog.sequence))
        branch = "z9hG4bK" + secrets.token_hex(8)
        credentials = dialog.authorized(answer, password, "INVITE", uri)
        answer = dialog.ask("INVITE", uri, seconds, branch=branch, extra=[credentials],
                            **options)
    to, code = header(answer, "To"), status(answer)
    if code != 200:
        if reasons is not None:
            reasons.append(header(answer, "Reason") or "")
        dialog.send(dialog.message("ACK", uri, to=to, branch=branch,
                                   sequence=dialog.sequence))
        return code
    target = re.search(r"<([^>]+)>", header(answer, "Contact")).group(1)
    dialog.send(dialog.message("ACK", target, to=to, sequence=dialog.sequence))
    return status(dialog.ask("BYE", target, seconds, to=to))


def answers(sock, server, seconds=12.0):
    """Whether one OPTIONS is answered at all (no retransmission)."""
    dialog = Dialog(sock, server, "100", agent="friendly-scanner")
    dialog.send(dialog.message("OPTIONS", "sip:100@" + server))
    return dialog._final("1 OPTIONS", time.monotonic() + seconds) is not None


class Carrier(threading.Thread):
    """Answers every call: what lies behind a trunk. numbers: what was called."""

    def __init__(self, namespace, address):
        super().__init__(daemon=True)
        self.address = address
        self.numbers = []
        self.sock = udp(namespace, address, 5060)
        self.start()

    def run(self):
        while True:
            try:
                text, peer = self.sock.recvfrom(65535)
            except OSError:
                return  # stopped
            request = text.decode("latin-1")
            method = request.split(" ", 1)[0]
            if method in ("INVITE", "BYE", "OPTIONS"):
                self.sock.sendto(self._answer(request, method).encode("latin-1"), peer)

    def _answer(self, request, method):
        lines = [line for line in request.split("\r\n\r\n")[0].split("\r\n")[1:]
                 if line.split(":")[0].lower() in ("via", "from", "call-id", "cseq",
                                                   "record-route")]
        body = ""
        if method == "INVITE":
            self.numbers.append(re.match(r"INVITE sip:([^@ ]+)@", request).group(1))
            body = SDP % {"a": self.address}
            lines.append("Contact: <sip:%s:5060>" % self.address)
            lines.append("Content-Type: application/sdp")
        to = header(request, "To")
        lines.append("To: " + (to if ";tag=" in to else to + ";tag=carrier"))
        return "\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: %d" % len(body)]) \
            + "\r\n\r\n" + body

    def stop(self):
        self.sock.close()
