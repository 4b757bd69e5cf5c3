#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""reload.py --build FOLDER [--results FILE]: tokens, ports and keys that change or fail.

What the HTTP API cannot have does not keep the node from its work; it says so, and
takes it when it is there. Leaves with 1 when a check failed, 2 when the stage could not
be set.
"""
import http.client
import os
import secrets
import shutil
import socket
import ssl
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from stage import Stage, Stream, enter
import checks
import topology
from checks import want

CHECK = "/v1/check?ip=192.0.2.1"
SLOW = '[token "slow"]\nsecret_file = {0}/slow.token\nrights = report\nrate = 6\n'


class Changing(Stage):
    """A daemon whose files change."""

    def trouble(self):
        return self.call("GET", "/v1/status", how="unix").json["api"]["trouble"]

    def starts(self):
        """How often the role was started."""
        roles = self.call("GET", "/v1/status", how="unix").json["roles"]
        return next(r["starts"] for r in roles if r["role"] == "node")

    def serves(self, how="tcp", **options):
        try:
            return self.call("GET", CHECK, how=how, **options).status
        except (OSError, http.client.HTTPException):
            return None

    def until_reachable(self):
        return self.until(lambda: self.serves("unix") == 200, "it does not come back")

    def make_certificate(self):
        """Another one, with its key."""
        shutil.copy(self.path("api.pem"), self.path("old.pem"))
        topology.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.path("api.key"),
                     "-out", self.path("api.pem"), "-days", "2", "-subj", "/CN=localhost",
                     "-addext", "subjectAltName=IP:127.0.0.1")
        os.chmod(self.path("api.key"), 0o600)


# --- the checks, in order; each is told to the reader by its first line ---

def revoked(s):
    """a token's file with another secret: after a reload the old one is out, its streams too"""
    old = {"Authorization": "Bearer " + s.token("reader")}
    stream, other = Stream(s, Authorization=old["Authorization"]), Stream(s)
    over = s.connection()
    s.call("GET", CHECK, headers=old, over=over, status=200)
    starts = s.starts()
    s.write("reader.token", secrets.token_hex(24) + "\n")
    s.call("GET", CHECK, headers=old, status=200)  # nobody has said anything yet
    s.reload()
    s.until(lambda: s.serves(headers=old) == 401, "the old secret is still good")
    s.call("GET", CHECK, headers=old, over=over, status=401)
    s.call("GET", CHECK, token="reader", status=200)
    over.close()
    stream.response.fp.raw._sock.settimeout(60)
    try:
        while stream.next():
            pass
    except (EOFError, ConnectionError, http.client.IncompleteRead):
        pass
    s.report({"ip": "198.51.100.20"})
    while other.next()["data"].get("indicator") != "198.51.100.20":
        pass  # no token, no end
    other.close()
    want(s.starts() == starts and not s.trouble(), "%r", s.trouble())


def removed(s):
    """a [token] that is gone, one that is new, and rights that are less: at a reload"""
    slow = {"Authorization": "Bearer " + s.token("slow")}
    body = {"ip": "198.51.100.21"}
    s.call("GET", CHECK, headers=slow, status=200)
    s.write("new.token", secrets.token_hex(24) + "\n")
    s.configure((SLOW.format(s.folder), '[token "new"]\nsecret_file = %s\n' % s.path("new.token")),
                ("honeypot.token\nrights = report", "honeypot.token\nrights = read"))
    s.reload()
    s.until(lambda: s.serves(token="new") == 200, "the new one is not known")
    s.call("GET", CHECK, headers=slow, status=401)
    s.call("POST", "/v1/reports", token="honeypot", body=body, status=403)
    s.configure()
    s.reload()
    s.until(lambda: s.serves(token="slow") == 200, "it is not back")
    s.call("GET", CHECK, token="new", status=401)
    s.report(body)


def spent(s):
    """a reload gives no new rate to who has spent it"""
    begun = time.monotonic()
    spend(s)
    s.reload()
    # One comes back in ten seconds.
    more, seconds = spend(s), time.monotonic() - begun
    want(more <= seconds / 10 + 1, "%d more are taken after %.1f s", more, seconds)


def spend(s):
    """Report until the rate is spent; returns how many were taken."""
    for taken in range(50):
        answer = s.call("POST", "/v1/reports", token="slow", body={"ip": "198.51.100.22"})
        if answer.status == 429:
            return taken
        want(answer.status == 202, "%d: %s", answer.status, answer.text)
    return 50


def unreadable(s):
    """a token's file that cannot be taken: out, named in status and log, in again when mended"""
    secret = s.token("script")
    headers = {"Authorization": "Bearer " + secret}
    for break_it, mend, text in (
            (lambda p: os.chmod(p, 0o644), lambda p: os.chmod(p, 0o600), "others can read"),
            (os.unlink, lambda p: None, "No such file or directory"),
            (lambda p: s.write("script.token", "short\n"), lambda p: None, "at least 16"),
            (lambda p: shutil.copy(s.path("reader.token"), p), lambda p: None,
             "its secret is that of [token \"reader\"]")):
        path = s.path("script.token")
        break_it(path)
        s.reload()
        s.until(lambda: s.serves(headers=headers) == 401, "it is still let in: %s" % text)
        said = s.trouble()
        want(len(said) == 1 and '[token "script"]' in said[0] and text in said[0] and
             secret not in said[0], "%r", said)
        want(said[0] in s.whole_log(), "the log does not say %r", said)
        s.call("GET", CHECK, token="reader", status=200)
        mend(path)
        s.write("script.token", secret + "\n")
        s.reload()
        s.until(lambda: s.serves(headers=headers) == 200, "it is not let in again")
        want(not s.trouble(), "%r", s.trouble())


def broken_start(s):
    """a start with a taken port, no token's file and an open key: the node works, says it, mends"""
    s.stop()
    taken = socket.create_server(("127.0.0.1", s.port))
    os.rename(s.path("reader.token"), s.path("away.token"))
    os.chmod(s.path("api.key"), 0o644)
    s.start(lambda: s.serves("unix") == 200)
    said = s.trouble()
    want(len(said) == 3 and "api.key: others can read the key" in said[0] and
         "tcp:127.0.0.1:%d: Address already in use; tried again every 30 seconds" % s.port in said[1]
         and '[token "reader"]' in said[2], "%r", said)
    shown = s.run("status", "--socket", s.path("run/control.sock"))
    want([line for line in shown.splitlines() if line.startswith("http")] ==
         ["http      " + text for text in said], "%s", shown)
    s.until(lambda: s.call("GET", "/v1/status", how="unix").json["ledger"]["caught_up"],
            "the ledger is not read")
    s.report({"ip": "198.51.100.30"}, how="unix")
    s.until(lambda: s.blocked("ip=198.51.100.30", how="unix")["block"], "nothing is enforced")
    want(s.serves("tls", token="honeypot") is None, "TLS without a key")
    taken.close()
    s.until(lambda: s.serves() == 200, "the port is free, and not taken", 120)
    want(len(s.trouble()) == 2 and s.starts() == 1, "%r", s.trouble())
    # A reload tries all: the key needs a new process.
    os.rename(s.path("away.token"), s.path("reader.token"))
    os.chmod(s.path("api.key"), 0o600)
    s.reload()
    s.until(lambda: s.serves("tls", token="reader") == 200, "no TLS")
    want(not s.trouble() and s.starts() == 2, "%r", s.trouble())


def no_library(s):
    """no libmicrohttpd: the node works without the API, says so, and has it after a reload"""
    def status():
        return s.run("status", "--socket", s.path("run/control.sock"))

    s.stop()
    with open("/proc/self/maps", encoding="ascii") as maps:
        folder = next(os.path.dirname(line.split()[5]) for line in maps if "/libc.so.6" in line)
    library = os.path.realpath(os.path.join(folder, "libmicrohttpd.so.12"))
    before = s.whole_log().count("all roles run")
    topology.run("mount", "--bind", "/dev/null", library)
    try:
        s.start(lambda: s.whole_log().count("all roles run") > before)
        want("http      libmicrohttpd.so.12 cannot be loaded" in status() and
             "install libmicrohttpd12" in status() and s.serves() is None, "%s", status())
    finally:
        topology.run("umount", library)
    time.sleep(1)
    s.reload()
    s.until_reachable()
    want(not s.trouble(), "%r", s.trouble())


def taken_at_reload(s):
    """a port that is taken, free at a reload: taken then, without a new process"""
    s.stop()
    with socket.create_server(("127.0.0.1", s.port)):
        s.start(lambda: s.serves("unix") == 200)
        want(len(s.trouble()) == 1, "%r", s.trouble())
    s.reload()
    s.until(lambda: s.serves() == 200, "it is not listened on")
    want(not s.trouble() and s.starts() == 1, "%r", s.trouble())


def renewed(s):
    """another certificate and key: taken at a reload, and said"""
    s.make_certificate()
    s.reload()
    s.until(lambda: s.serves("tls", token="reader") == 200, "not the new certificate")
    old = ssl.create_default_context(cafile=s.path("old.pem"))
    over = http.client.HTTPSConnection("127.0.0.1", s.tls_port, context=old, timeout=90)
    try:
        over.request("GET", CHECK)
        want(False, "the old certificate")
    except ssl.SSLCertVerificationError:
        pass
    finally:
        over.close()
    want("api.pem is another: this role begins anew" in s.whole_log(), "it is not said")
    want(s.starts() == 2, "%d", s.starts())
    # One that is away for a moment costs nothing.
    os.rename(s.path("api.pem"), s.path("away.pem"))
    s.reload()
    s.until(lambda: "api.pem: No such file or directory; the one that was read stays in use"
            in s.whole_log(), "it is not said")
    os.rename(s.path("away.pem"), s.path("api.pem"))
    want(s.serves("tls", token="reader") == 200 and s.starts() == 2, "TLS is gone")


def another_section(s):
    """[api] itself changed: the role begins anew with it, says so, and forgets nothing"""
    time.sleep(1)  # a role that asks for that within a second is held back
    port = s.port
    s.configure(("tcp:127.0.0.1:%d" % port, "tcp:127.0.0.1:%d\nanonymous = no" % (port + 1)))
    s.reload()
    s.port = port + 1
    s.until(lambda: s.serves() == 401, "it is not as [api] says")
    want("[api] is another: this role begins anew, streams of events with it" in s.whole_log(),
         "it is not said")
    s.until(lambda: s.blocked("ip=198.51.100.30", token="reader")["block"], "it has forgotten")
    s.port = port
    want(s.serves() is None, "the old port is open")
    time.sleep(1)
    s.configure()
    s.reload()
    s.until(lambda: s.serves() == 200, "it is not as before")


def proxied(s):
    """behind_proxy: nobody asks or reports without a token, also not through the Unix socket"""
    time.sleep(1)
    s.call("GET", CHECK, how="unix", status=200)
    s.configure(("[api]\n", "[api]\nbehind_proxy = yes\nanonymous = yes\n"))
    s.reload()
    s.until(lambda: s.serves("unix") == 401, "the Unix socket needs no token")
    s.call("GET", CHECK, status=401)
    s.call("POST", "/v1/reports", body="", how="unix", status=401)
    s.call("GET", CHECK, how="unix", token="reader", status=200)
    s.until(lambda: s.call("GET", "/v1/status", token="reader").json["ledger"]["caught_up"],
            "the ledger is not read")
    s.report({"ip": "198.51.100.40"}, how="unix")


CHECKS = (revoked, removed, spent, unreadable, broken_start, no_library, taken_at_reload, renewed,
          another_section, proxied)


if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), Changing, CHECKS, "reload", enter=enter,
                broken=(topology.TopologyError,))
