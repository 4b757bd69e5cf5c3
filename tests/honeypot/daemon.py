#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""daemon.py --build FOLDER: sipchaind with a honeypot, from start to end.

Real sockets on loopback, nothing else: no firewall, no root, no other machine. Each
check is a line. Leaves with 1 when one failed.
"""
import argparse
import base64
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = 60
GIVEN = set()  # ports


class Failed(Exception):
    pass


def expect(condition, text, *args):
    if not condition:
        raise Failed(text % args if args else text)


def wait_for(what, text, patience=PATIENCE):
    """The first true value of what(), or Failed."""
    end = time.monotonic() + patience
    while True:
        try:
            value = what()
        except Failed:  # nobody answers for a moment
            value = None
        if value:
            return value
        expect(time.monotonic() < end, "%s within %d s", text, patience)
        time.sleep(0.05)


def free_port():
    """One that nobody has, for UDP and TCP, nor is given by the kernel meanwhile."""
    while True:
        port = random.randrange(12000, 22000)
        if port in GIVEN:
            continue
        GIVEN.add(port)
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind(("0.0.0.0", port))
            return port
        except OSError:
            pass


class Daemon:
    """One sipchaind in a folder of its own."""

    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        self.config = os.path.join(folder, "sipchain.conf")
        self.log_path = os.path.join(folder, "log")
        self.process = None

    def write(self, honeypot, node=""):
        with open(self.config, "w", encoding="ascii") as f:
            f.write("[node]\nname = honeypot.example.net\nuser =\nstate = %s/state\n"
                    "run = %s/run\n%s[ledger]\npath = %s/ledger.db\n[enforce]\ntype = none\n"
                    "[honeypot]\n%s" % (self.folder, self.folder, node, self.folder, honeypot))

    def start(self, inherit=None):
        log = open(self.log_path, "ab")  # pylint: disable=consider-using-with
        command = [os.path.join(self.build, "src/daemon/sipchaind"), "-c", self.config]
        options = {}
        if inherit:
            sockets, names = inherit
            # The child knows its own number; sh keeps it.
            command = ["sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=%d LISTEN_FDNAMES=%s exec \"$@\""
                       % (len(sockets), names), "sh"] + command

            def place():
                kept = [os.dup(s.fileno()) for s in sockets]
                high = [os.dup2(fd, 100 + i) for i, fd in enumerate(kept)]
                for i, fd in enumerate(high):
                    os.dup2(fd, 3 + i)
            options = {"preexec_fn": place, "close_fds": False}
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
        log.close()
        wait_for(lambda: self.status(quiet=True) is not None or self.process.poll() is not None,
                 "sipchaind does not start")
        expect(self.process.poll() is None, "sipchaind ended: %s", self.log()[-600:])

    def stop(self):
        if not self.process:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed("sipchaind does not stop") from None
        self.process = None
        return code

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def status(self, quiet=False):
        found = subprocess.run(
            [os.path.join(self.build, "src/cli/sipchain"), "status", "--json", "--socket",
             os.path.join(self.folder, "run/control.sock")],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if found.returncode:
            expect(quiet, "status leaves with %d", found.returncode)
            return None
        return json.loads(found.stdout)

    def honeypot(self):
        return self.status()["honeypot"] or {}

    def listening(self):
        return [one["listen"] for one in self.honeypot().get("listeners", [])]

    def sense(self):
        """The process of the role."""
        return [r for r in self.status()["roles"] if r["role"] == "sense"][0]

    def reload(self):
        before = self.sense()["pid"]
        self.process.send_signal(signal.SIGHUP)
        return before


# --- SIP ---

def request(method, transport, user="100", more="", call=None, tag=None, cseq=1, body=""):
    call = call or "%x@test" % random.getrandbits(64)
    lines = ["%s sip:%s@127.0.0.1 SIP/2.0" % (method, user),
             "Via: SIP/2.0/%s 127.0.0.1:5999;branch=z9hG4bK%x;rport"
             % (transport, random.getrandbits(48)),
             "From: <sip:%s@127.0.0.1>;tag=%x" % (user, random.getrandbits(32)),
             "To: <sip:%s@127.0.0.1>%s" % (user, ";tag=" + tag if tag else ""),
             "Call-ID: %s" % call, "CSeq: %d %s" % (cseq, method), "Max-Forwards: 70",
             "Contact: <sip:%s@127.0.0.1:5999>" % user, "User-Agent: Phone/1.0",
             "Supported: path, gruu, outbound, replaces, timer, norefersub",
             "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, MESSAGE, INFO"]
    # Longer than what it is answered, or it would not be.
    lines.append("X-Padding: " + "p" * 300)
    text = "\r\n".join(lines) + "\r\n" + more
    return (text + "Content-Length: %d\r\n\r\n%s" % (len(body), body)).encode()


def status_of(answer):
    expect(answer.startswith(b"SIP/2.0 "), "no answer but %r", answer[:60])
    return int(answer[8:11])


def udp_socket(port, family=socket.AF_INET, to="127.0.0.1", bind=None):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(PATIENCE)
    if bind:
        s.bind((bind, 0))
    s.connect((to, port))
    return s


def ask(s, message):
    """Its answer; sent again, as RFC 3261 has it, for what is lost in a full buffer."""
    call = re.search(rb"Call-ID: [^\r]*\r\n", message).group(0)
    s.settimeout(2)
    for _ in range(PATIENCE // 2):
        s.sendall(message)
        try:
            answer = s.recv(65536)
            while call not in answer:  # the second one to an earlier message
                answer = s.recv(65536)
            return answer
        except socket.timeout:
            pass
    raise Failed("no answer within %d s" % PATIENCE)


def exactly(s, n):
    got = b""
    while len(got) < n:
        piece = s.recv(n - len(got))
        expect(piece, "the connection ended")
        got += piece
    return got


def read_message(s):
    """One message of a stream, and no byte more."""
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        got += exactly(s, 1)
    length = int(re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", got).group(1))
    return got + exactly(s, length)


def tls_socket(port, to="127.0.0.1"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    s = context.wrap_socket(socket.create_connection((to, port), timeout=PATIENCE))
    expect(s.version() in ("TLSv1.2", "TLSv1.3"), "it speaks %s", s.version())
    return s


class WebSocket:
    """RFC 6455 and 7118, the client's side, by hand."""

    def __init__(self, s):
        self.s = s
        key = base64.b64encode(os.urandom(16)).decode()
        s.sendall(("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
                   % key).encode())
        got = b""
        while not got.endswith(b"\r\n\r\n"):
            got += s.recv(1)
        accept = base64.b64encode(hashlib.sha1(
            (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        expect(got.startswith(b"HTTP/1.1 101 "), "upgrade: %r", got[:40])
        expect(b"Sec-WebSocket-Accept: " + accept + b"\r\n" in got, "upgrade: %r", got)
        expect(b"Sec-WebSocket-Protocol: sip\r\n" in got, "upgrade: %r", got)

    def send(self, payload, opcode=1):
        mask = os.urandom(4)
        n = len(payload)
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n)
        self.s.sendall(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload)))

    def receive(self):
        first, n = exactly(self.s, 2)
        if n == 126:
            n = struct.unpack(">H", exactly(self.s, 2))[0]
        return first & 15, exactly(self.s, n)


# --- the checks ---

class Stage:
    def __init__(self, build):
        self.build = build
        self.folder = tempfile.mkdtemp(prefix="sipchain-honeypot-")
        self.daemon = Daemon(build, self.folder)
        self.udp, self.tls, self.ws, self.wss, self.more = (free_port() for _ in range(5))
        self.six = has_ipv6()
        self.lines = ("listen = udp:0.0.0.0:%d\nlisten = tcp:127.0.0.1:%d\n"
                      "listen = tls:127.0.0.1:%d\nlisten = ws:127.0.0.1:%d\n"
                      "listen = wss:127.0.0.1:%d\n"
                      % (self.udp, self.udp, self.tls, self.ws, self.wss))
        if self.six:
            self.lines += "listen = udp:[::1]:%d\nlisten = tcp:[::1]:%d\n" % (self.udp, self.udp)
        self.lines += "record_max = 8M\n"


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def starts(stage):
    stage.daemon.write(stage.lines)
    stage.daemon.start()
    listening = wait_for(stage.daemon.listening, "the honeypot is not in the status")
    expect("udp:0.0.0.0:%d" % stage.udp in listening and
           "wss:127.0.0.1:%d" % stage.wss in listening, "it listens on %s", listening)
    expect(len(listening) == (7 if stage.six else 5), "it listens on %s", listening)
    expect(stage.daemon.honeypot()["trouble"] == "", "trouble: %s",
           stage.daemon.honeypot()["trouble"])
    sense = stage.daemon.sense()
    expect(sense["seccomp"] == "filter" and sense["capabilities"] == "none", "sense: %s", sense)


def answers_over_udp(stage):
    places = [("127.0.0.1", None), ("127.0.0.2", "127.0.0.9"), ("127.9.9.9", "127.1.2.3")]
    for to, bind in places:
        s = udp_socket(stage.udp, to=to, bind=bind)
        expect(status_of(ask(s, request("OPTIONS", "UDP"))) == 200, "OPTIONS to %s", to)
        s.close()
    if stage.six:
        s = udp_socket(stage.udp, socket.AF_INET6, "::1")
        expect(status_of(ask(s, request("OPTIONS", "UDP"))) == 200, "OPTIONS over IPv6")
        s.close()
    s = udp_socket(stage.udp)
    expect(status_of(ask(s, request("REGISTER", "UDP", user="100"))) == 401, "bait")
    expect(status_of(ask(s, request("REGISTER", "UDP", user="8086453"))) == 404, "unknown")
    s.close()


def answers_over_tcp(stage):
    message = request("OPTIONS", "TCP")
    for family in ("127.0.0.1", "::1") if stage.six else ("127.0.0.1",):
        s = socket.create_connection((family, stage.udp), timeout=PATIENCE)
        for at in range(1, len(message), 37):
            s.sendall(message[:at])
            time.sleep(0.002)
            s.sendall(message[at:])
            expect(status_of(read_message(s)) == 200, "OPTIONS cut at %d", at)
        s.sendall(message * 3)
        for _ in range(3):
            expect(status_of(read_message(s)) == 200, "three at once")
        s.sendall(b"\r\n\r\n")
        expect(s.recv(10) == b"\r\n", "no answer to the keepalive")
        s.close()


def answers_over_tls_and_websocket(stage):
    s = tls_socket(stage.tls)
    s.sendall(request("OPTIONS", "TLS"))
    expect(status_of(read_message(s)) == 200, "OPTIONS over TLS")
    s.close()
    for s in (socket.create_connection(("127.0.0.1", stage.ws), timeout=PATIENCE),
              tls_socket(stage.wss)):
        w = WebSocket(s)
        w.send(request("OPTIONS", "WS"))
        opcode, answer = w.receive()
        expect(opcode == 1 and status_of(answer) == 200, "OPTIONS over WebSocket")
        w.send(b"alive?", 9)
        expect(w.receive() == (10, b"alive?"), "no pong")
        s.close()
    own = os.path.join(stage.folder, "state/honeypot.pem")
    expect(os.stat(own).st_mode & 0o777 == 0o600, "%s is of mode %o", own,
           os.stat(own).st_mode & 0o777)


def noise(stage):
    """Of any kind, bounded in count: it goes on, and nothing is kept."""
    rng = random.Random(7)
    s = udp_socket(stage.udp)
    for i in range(20000):
        s.send(rng.randbytes(rng.randrange(0, 200)) if i % 100 else rng.randbytes(60000))
    for port in (stage.udp, stage.tls, stage.ws, stage.wss):
        for i in range(30):
            c = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            try:
                c.sendall(rng.randbytes(rng.randrange(1, 3000)))
                if i % 3 == 0:
                    c.sendall(b"GET / HTTP/1.1\r\n\r\n")
            except OSError:
                pass
            c.close()
    expect(status_of(ask(udp_socket(stage.udp), request("OPTIONS", "UDP"))) == 200, "afterwards")
    f = wait_for(lambda: quiet(stage.daemon, 20000), "noise is not counted, or stays")
    expect(f["broken"] >= 40, "noise over streams was not counted: %s", f)


def quiet(daemon, received):
    """The figures, once all has come and every connection is gone."""
    f = daemon.honeypot()
    return f if (f["connections"] == 0 and f["connections_accepted"] >= 120 and
                 f["received"] + f["dropped"] >= received) else None


def slow_ones(stage):
    """Slow loris: each byte comes in time, the message does not; others are served."""
    slow = [socket.create_connection(("127.0.0.1", stage.udp), timeout=PATIENCE) for _ in range(20)]
    message = request("OPTIONS", "TCP")
    before = stage.daemon.honeypot()["timed_out"]
    end = time.monotonic() + 2 * PATIENCE
    at = 0
    while time.monotonic() < end:
        for s in slow:
            try:
                s.sendall(message[at:at + 1])
            except OSError:
                pass
        at += 1
        expect(status_of(ask(udp_socket(stage.udp), request("OPTIONS", "UDP"))) == 200, "UDP")
        if stage.daemon.honeypot()["timed_out"] - before == len(slow):
            break
        time.sleep(0.2)
    expect(stage.daemon.honeypot()["timed_out"] - before == len(slow), "%d of %d were ended",
           stage.daemon.honeypot()["timed_out"] - before, len(slow))
    for s in slow:
        s.close()


def digest(user, password, challenge, uri):
    field = lambda name: re.search(rb'%s="([^"]*)"' % name, challenge).group(1).decode()
    realm, nonce = field(b"realm"), field(b"nonce")
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
    a1, a2 = md5("%s:%s:%s" % (user, realm, password)), md5("REGISTER:" + uri)
    if b"qop=" in challenge:
        response = md5("%s:%s:00000001:abcd:auth:%s" % (a1, nonce, a2))
        more = ', qop=auth, nc=00000001, cnonce="abcd"'
    else:
        response, more = md5("%s:%s:%s" % (a1, nonce, a2)), ""
    return ('Authorization: Digest username="%s", realm="%s", nonce="%s", uri="%s", '
            'response="%s", algorithm=MD5%s\r\n' % (user, realm, nonce, uri, response, more))


def proofs_outlive_a_reload(stage):
    """A nonce that was given before proves afterwards: the key is the same."""
    s = udp_socket(stage.udp)
    challenge = ask(s, request("REGISTER", "UDP", user="100"))
    expect(status_of(challenge) == 401, "no challenge")
    stage.daemon.write(stage.lines + "listen = udp:127.0.0.1:%d\n" % stage.more)
    old = stage.daemon.reload()
    wait_for(lambda: stage.daemon.sense()["pid"] not in (0, old) and
             "udp:127.0.0.1:%d" % stage.more in stage.daemon.listening(),
             "the new address is not listened on")
    expect(stage.daemon.honeypot()["proofs"] == 0, "proofs before any")
    more = digest("100", "wrong", challenge, "sip:100@127.0.0.1")
    expect(status_of(ask(s, request("REGISTER", "UDP", user="100", more=more, cseq=2)))
           in (401, 403), "the guess is let in at once")
    wait_for(lambda: stage.daemon.honeypot()["proofs"] == 1, "the nonce proves nothing")
    expect(status_of(ask(udp_socket(stage.more), request("OPTIONS", "UDP"))) == 200,
           "the new address does not answer")
    s.close()


def port_in_use(stage):
    """The others go on, the status says what to do, and a reload mends it."""
    taken = free_port()
    pbx = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    pbx.bind(("127.0.0.1", taken))
    stage.daemon.write(stage.lines + "listen = udp:127.0.0.1:%d\n" % taken)
    stage.daemon.reload()
    trouble = wait_for(lambda: stage.daemon.honeypot().get("trouble"), "no trouble is told")
    expect(trouble == "[honeypot] listen: UDP 127.0.0.1 port %d: Address already in use; "
           "another program has it, the PBX itself perhaps: give the honeypot an address or a "
           "port of its own (ss -lunp shows who)" % taken, "trouble: %s", trouble)
    expect(trouble in stage.daemon.log(), "the log does not say so")
    expect(status_of(ask(udp_socket(stage.udp), request("OPTIONS", "UDP"))) == 200, "others")
    pbx.close()
    stage.daemon.reload()
    wait_for(lambda: stage.daemon.honeypot().get("trouble") == "" and
             "udp:127.0.0.1:%d" % taken in stage.daemon.listening(), "reload does not mend it")


def no_certificate(stage):
    stage.daemon.write(stage.lines + "certificate = /nonexistent.pem\nkey = /nonexistent.pem\n")
    stage.daemon.reload()
    trouble = wait_for(lambda: stage.daemon.honeypot().get("trouble"), "no trouble is told")
    expect(trouble.startswith("[honeypot] listen tls:127.0.0.1:%d: certificate /nonexistent.pem: "
                              "No such file or directory; it must be" % stage.tls),
           "trouble: %s", trouble)
    expect(status_of(ask(udp_socket(stage.udp), request("OPTIONS", "UDP"))) == 200, "others")


def no_profile(stage):
    stage.daemon.write(stage.lines + "profile = nosuch\n")
    stage.daemon.reload()
    trouble = wait_for(lambda: "nosuch" in stage.daemon.honeypot().get("trouble", "") and
                       stage.daemon.honeypot()["trouble"], "no trouble is told")
    expect(trouble.startswith('[honeypot] profile: there is no "nosuch"; there are asterisk'),
           "trouble: %s", trouble)
    expect(not stage.daemon.listening(), "it listens as something else")
    test = subprocess.run([os.path.join(stage.build, "src/cli/sipchain"), "config", "test",
                           "--config", stage.daemon.config], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    expect(test.returncode and 'there is no "nosuch"' in test.stdout, "config test: %s",
           test.stdout)


def off_again(stage):
    stage.daemon.write("")
    stage.daemon.reload()
    wait_for(lambda: stage.daemon.status()["honeypot"] is None, "it does not end")
    expect(stage.daemon.stop() == 0, "it does not end in order")


def inherited(stage):
    """Socket activation: by name, by address; across a reload; the rest is left."""
    udp, tls = free_port(), free_port()
    sockets = []
    for kind, port in ((socket.SOCK_DGRAM, udp), (socket.SOCK_STREAM, udp),
                       (socket.SOCK_STREAM, tls), (socket.SOCK_DGRAM, 0)):
        s = socket.socket(socket.AF_INET, kind)
        s.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            s.listen()
        sockets.append(s)
    stage.daemon.write("listen = tls:127.0.0.1:%d\nrecord_max = 8M\n" % tls)
    stage.daemon.start((sockets, "honeypot:honeypot:honeypot:somebody"))
    for s in sockets:
        s.close()
    for round_ in range(2):
        listeners = wait_for(lambda: stage.daemon.honeypot().get("listeners"), "no honeypot")
        expect(sorted(one["listen"] for one in listeners) ==
               ["tcp:127.0.0.1:%d" % udp, "tls:127.0.0.1:%d" % tls, "udp:127.0.0.1:%d" % udp] and
               all(one["inherited"] for one in listeners), "it listens on %s", listeners)
        expect(status_of(ask(udp_socket(udp), request("OPTIONS", "UDP"))) == 200, "UDP")
        s = socket.create_connection(("127.0.0.1", udp), timeout=PATIENCE)
        s.sendall(request("OPTIONS", "TCP"))
        expect(status_of(read_message(s)) == 200, "TCP")
        s = tls_socket(tls)
        s.sendall(request("OPTIONS", "TLS"))
        expect(status_of(read_message(s)) == 200, "TLS")
        stage.daemon.write("listen = tls:127.0.0.1:%d\nrecord_max = %dM\n" % (tls, 9 + round_))
        old = stage.daemon.reload()
        wait_for(lambda: stage.daemon.sense()["pid"] not in (0, old) and
                 stage.daemon.sense()["state"] == "running", "sense does not start anew")
    expect('socket "somebody" of the service manager is not used' in stage.daemon.log(),
           "a foreign socket is not told of")
    expect(stage.daemon.stop() == 0, "it does not end in order")


CHECKS = [
    ("starts, sealed, with every transport", starts),
    ("UDP: the answer comes from the address that was asked", answers_over_udp),
    ("TCP: cut anywhere, several at once, keepalive", answers_over_tcp),
    ("TLS, WebSocket, both", answers_over_tls_and_websocket),
    ("noise of every kind", noise),
    ("slow ones are ended, others served", slow_ones),
    ("a nonce proves after a reload", proofs_outlive_a_reload),
    ("a port that another has", port_in_use),
    ("no certificate", no_certificate),
    ("no such profile", no_profile),
    ("off, and the end", off_again),
    ("sockets of the service manager", inherited),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="a Meson build folder")
    options = parser.parse_args()
    stage = Stage(os.path.abspath(options.build))
    failed = 0
    try:
        for name, check in CHECKS:
            started = time.monotonic()
            try:
                check(stage)
                result = "ok"
            except (Failed, OSError, AttributeError, KeyError) as e:
                failed += 1
                result = "FAILED: %s: %s" % (type(e).__name__, e)
            print("%-55s %5.1f s  %s" % (name, time.monotonic() - started, result), flush=True)
        if not stage.six:
            print("left out: no IPv6 on this machine")
    finally:
        if stage.daemon.process:
            stage.daemon.stop()
        if failed:
            sys.stderr.write(stage.daemon.log()[-4000:])
        shutil.rmtree(stage.folder)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
