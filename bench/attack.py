# SPDX-License-Identifier: Apache-2.0
"""Failures as Asterisk tells of them: lines of its security log, and HEP.

Sources are of 198.18.0.0/15, which RFC 2544 keeps for benchmarks.
"""
import os
import re
import secrets
import socket
import struct
import time

import stage  # first: it says where the next two are
import sip
import topology


class Sources:
    """Addresses that have done nothing yet."""

    def __init__(self):
        self.used = 0

    def fresh(self):
        self.used += 1
        return "198.18.%d.%d" % divmod(self.used, 256)


class SecurityLog:
    """Appends to Asterisk's security log, in its text form."""

    LINE = ('[%s] SECURITY[26897] res_security_log.c: SecurityEvent="ChallengeResponseFailed",'
            'EventTV="%s",Severity="Error",Service="PJSIP",EventVersion="1",AccountID="%d",'
            'SessionID="%s@%s",LocalAddress="IPV4/TCP/192.0.2.11/5060",'
            'RemoteAddress="IPV4/TCP/%s/5076",Challenge="%d/%s",Response="%s",'
            'ExpectedResponse=""\n')

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND)

    def line(self, address, account):
        now = time.time()
        local = time.localtime(now)
        fraction = ".%03d" % (now % 1 * 1000)
        return (self.LINE % (
            time.strftime("%Y-%m-%d %H:%M:%S", local) + fraction,
            time.strftime("%Y-%m-%dT%H:%M:%S", local) + fraction + time.strftime("%z", local),
            account, secrets.token_hex(8), address, address, now, secrets.token_hex(16),
            secrets.token_hex(16))).encode("ascii")

    def fail(self, address, account):
        """One wrong password; returns the nanoseconds just before the write."""
        text = self.line(address, account)
        begun = time.monotonic_ns()
        os.write(self.fd, text)
        return begun


class Hep:
    """An agent of HEP version 3 beside a PBX: shows a node both directions."""

    def __init__(self, n):
        self.server = n.address
        self.password = n.asterisk.hep_password.encode("ascii")
        with topology.inside(n.namespace):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", 9060))

    def packet(self, message, source, destination):
        """A SIP message over UDP between two (address, port), captured now."""
        now = time.time()
        chunks = [(1, b"\x02"), (2, b"\x11"),
                  (3, socket.inet_aton(source[0])), (4, socket.inet_aton(destination[0])),
                  (7, struct.pack(">H", source[1])), (8, struct.pack(">H", destination[1])),
                  (9, struct.pack(">I", int(now))),
                  (10, struct.pack(">I", int(now % 1 * 1e6))), (11, b"\x01"),
                  (12, struct.pack(">I", 1)), (14, self.password),
                  (15, message.encode("latin-1"))]
        body = b"".join(struct.pack(">HHH", 0, kind, 6 + len(value)) + value
                        for kind, value in chunks)
        return b"HEP3" + struct.pack(">H", 6 + len(body)) + body

    def _refusal(self, request, nonce):
        kept = [line for line in request.split("\r\n")
                if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
        kept = [line + ";tag=" + secrets.token_hex(8) if line.startswith("To:") else line
                for line in kept]
        return "\r\n".join(["SIP/2.0 401 Unauthorized", *kept,
                            'WWW-Authenticate: Digest realm="asterisk",nonce="%s",'
                            'opaque="4f2c8a",algorithm=MD5,qop="auth"' % nonce,
                            "Server: Asterisk PBX", "Content-Length: 0"]) + "\r\n\r\n"

    def fail(self, address, account):
        """Challenge, wrong answer, refusal; the nanoseconds before the last."""
        client, server = (address, 5076), (self.server, 5060)
        uri = "sip:" + self.server
        dialog = sip.Dialog(None, self.server, str(account), client, "friendly-scanner")
        nonces = ["%d/%s" % (time.time(), secrets.token_hex(16)) for _ in range(2)]
        first = dialog.message("REGISTER", uri)
        challenge = self._refusal(first, nonces[0])
        answer = sip.digest(str(account), secrets.token_hex(4), "REGISTER", uri,
                            sip.header(challenge, "WWW-Authenticate"))
        second = dialog.message("REGISTER", uri, extra=["Authorization: " + answer])
        for text, way in ((first, (client, server)), (challenge, (server, client)),
                          (second, (client, server))):
            self.socket.send(self.packet(text, *way))
        last = self.packet(self._refusal(second, nonces[1]), server, client)
        begun = time.monotonic_ns()
        self.socket.send(last)
        return begun


def third_failure(sensor, address, pause):
    """Fail twice, wait, fail once more: the nanoseconds just before that."""
    for account in (101, 102):
        sensor.fail(address, account)
    time.sleep(pause)
    return sensor.fail(address, 103)


__all__ = ["Hep", "SecurityLog", "Sources", "stage", "third_failure"]
