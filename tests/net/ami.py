#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ami.py --build FOLDER [--results FILE]: Asterisk's manager interface as the only sensor.

One node beside a real Asterisk 22, which it hears by AMI and by nothing else: no HEP,
no log. Each check is a line. Leaves with 1 when one failed, 2 when the stage could not
be set.
"""
import argparse
import os
import secrets
import signal
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import asterisk
import node
import run
import sip
import topology
from bare import expect_never_reported, wait_reported, words
from world import FOLDER, Failed, expect, wait_for

TRUNK = "203.0.113.64/26"
TRUNK_HOST = "203.0.113.70"      # of the carrier's; nobody here has it
SECOND_TRUNK = "198.51.100.59"
STRANGER = "203.0.113.150"       # nobody's either
MANAGER = "sipchain"

TRUNKS = """
[carrier]
type=endpoint
context=internal
disallow=all
allow=ulaw
aors=carrier
[carrier]
type=aor
contact=sip:203.0.113.70:5060
[carrier-match]
type=identify
endpoint=carrier
match=203.0.113.64/26
match=198.51.100.59
[world-match]
type=identify
endpoint=carrier
match=0.0.0.0/1
"""

MANAGER_CONF = """\
[general]
enabled = yes
port = 5038
bindaddr = 127.0.0.1
displayconnects = no
[%s]
secret = %s
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.1/255.255.255.255
read = security,call
write = system
[reader]
secret = %s
read = security,call
write =
"""

CONFIGURATION = """\
[node]
name = node-a
user =
state = {folder}/state
run = {folder}/run
log_level = info

[member]
key = {folder}/member.key

[ledger]
{ledger}
[source "pbx"]
type = ami
user = {user}
secret_file = {secret_file}

[detect]
ban = 60s
forget = 1h

[report]
; what one forged packet can do is to be seen here
unproved = ban

[enforce]
type = nftables
"""


class ManagedAsterisk(asterisk.Asterisk):
    """An Asterisk with a manager and trunks."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.secret = secrets.token_urlsafe(18)

    def _configure(self):
        super()._configure()
        with open(self.run + "/etc/manager.conf", "w", encoding="ascii") as f:
            f.write(MANAGER_CONF % (MANAGER, self.secret, self.secret))
        with open(self.run + "/etc/pjsip.conf", "a", encoding="ascii") as f:
            f.write(TRUNKS)


class AmiNode(node.Node):
    """A node that hears its Asterisk by AMI alone."""

    def __init__(self, build, folder, ledger, pbx):
        self.folder = folder
        self.ledger = ledger
        self.secret_file = folder + "/ami.secret"
        super().__init__(build, "a", folder, ledger, pbx, 60)
        self.write_secret(pbx.secret)
        self.configure(MANAGER)

    def write_secret(self, secret):
        with open(self.secret_file, "w", encoding="ascii") as f:
            f.write(secret + "\n")
        os.chmod(self.secret_file, 0o600)

    def configure(self, user):
        with open(self.configuration, "w", encoding="ascii") as f:
            f.write(CONFIGURATION.format(
                folder=self.folder, ledger=self.ledger.section("a", self.folder), user=user,
                secret_file=self.secret_file))

    def source(self):
        """The status of the one source; {} while nobody answers."""
        try:
            return (self.ask("status")["sources"] or [{}])[0]
        except node.CommandFailed:
            return {}

    def wait_source(self, what, seconds, text):
        wait_for(lambda: what(self.source()), seconds, "%s (%s)", text, self.source())

    def wait_login(self, seconds=20):
        self.wait_source(lambda s: s.get("state") == "ready" and s["trunks"], seconds,
                         "it is logged in and knows the trunks")

    def allowed(self, origin=None):
        """{indicator: entry} of the allowlist."""
        return {e["indicator"]: e for e in self.ask("allow", "list")["entries"]
                if origin in (None, e["origin"])}

    def allow_sets(self):
        """What the kernel lets pass before all bans."""
        values = set()
        for item in self.rules() or []:
            described = item.get("set", {})
            if described.get("name", "").startswith("allow"):
                for element in described.get("elem", []):
                    prefix = element.get("prefix") if isinstance(element, dict) else None
                    values.add("%(addr)s/%(len)d" % prefix if prefix else str(element))
        return values

    def wait_banned(self, address, seconds=20):
        wait_for(lambda: "all4_32" in self.banned().get(address, ()), seconds,
                 "%s is banned", address)


class Stage:
    """Asterisk and the node beside it; hosts that call, attack and forge."""

    def __init__(self, build, tree):
        self.sources = list(topology.ATTACKERS)[:-1]
        topology.build()
        os.makedirs(FOLDER + "/a")
        self.pbx = ManagedAsterisk(tree, "sip-a", 0, FOLDER + "/a/asterisk")
        self.ledger = node.Ledger(node.find(build, "sipchain"), FOLDER, 3600)
        self.a = AmiNode(build, FOLDER + "/a", self.ledger, self.pbx)
        self.pbx.start()
        self.pbx.wait_booted()
        self.a.start()
        self.a.wait_ready()

    def stranger(self):
        return self.sources.pop(0)

    def guess(self, source, count=4):
        """So many wrong passwords over TCP."""
        with topology.inside("attacker"):
            s = socket.socket()
        with s:
            s.bind((source, 0))
            s.settimeout(8)
            s.connect((self.a.address, 5060))
            for i in range(count):
                try:
                    register_tcp(s, self.a.address, asterisk.EXTENSIONS[i + 1], "wrong")
                except (OSError, sip.NoAnswer):
                    return  # the ban has cut it off

    def forge(self, source, count=6):
        """Registrations with invented credentials over UDP, from a forged address."""
        s = sip.udp("attacker", source, 5060, spoofed=True)
        with s:
            for _ in range(count):
                dialog = sip.Dialog(s, self.a.address, asterisk.EXTENSIONS[2], source=(
                    source, 5060))
                uri = "sip:" + self.a.address
                challenge = 'Digest realm="asterisk", nonce="%d/%s", opaque="0"' % (
                    time.time(), secrets.token_hex(16))
                dialog.send(dialog.message("REGISTER", uri, extra=[
                    "Expires: 60", "Authorization: " + sip.digest(
                        asterisk.EXTENSIONS[2], "x", "REGISTER", uri, challenge)]))
                time.sleep(0.05)

    def stop(self):
        """End all in order; returns complaints."""
        status = self.a.stop()
        complaints = ["sipchaind left with status %d" % status] if status else []
        complaints += [line for line in self.a.log().splitlines()
                       if "Sanitizer" in line or "runtime error:" in line][:5]
        self.pbx.stop()
        return complaints


def register_tcp(s, server, user, password):
    """Register over a connected socket; returns the last status."""
    call_id, tag = secrets.token_hex(8), secrets.token_hex(4)
    uri, host, port = "sip:" + server, *s.getsockname()

    def ask(sequence, extra=""):
        s.sendall((
            "REGISTER %s SIP/2.0\r\nVia: SIP/2.0/TCP %s:%d;branch=z9hG4bK%s\r\n"
            "Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>\r\n"
            "Call-ID: %s\r\nCSeq: %d REGISTER\r\nContact: <sip:%s@%s:%d;transport=tcp>\r\n"
            "Expires: 60\r\n%sContent-Length: 0\r\n\r\n" % (
                uri, host, port, secrets.token_hex(8), user, server, tag, user, server,
                call_id, sequence, user, host, port, extra)).encode())
        data = b""
        while b"\r\n\r\n" not in data:
            more = s.recv(65535)
            if not more:
                raise sip.NoAnswer("closed")
            data += more
        return data.decode("latin-1")

    answer = ask(1)
    challenge = sip.header(answer, "WWW-Authenticate")
    if not challenge:
        return sip.status(answer)
    return sip.status(ask(2, "Authorization: %s\r\n" % sip.digest(
        user, password, "REGISTER", uri, challenge)))


# --- the checks, one story ---

def login(s):
    """It logs in by itself; the PBX's trunks are on the allowlist and in the kernel."""
    s.a.wait_login()
    source = s.a.source()
    expect(source["trunks"] == 2 and source["trunks_unused"] == 1,
           "two trunks fit and 0.0.0.0/1 does not: %s", source)
    wait_for(lambda: set(s.a.allowed("trunk")) == {TRUNK, SECOND_TRUNK}, 5,
             "the allowlist has the trunks: %s", s.a.allowed())
    entry = s.a.allowed("trunk")[TRUNK]
    expect(entry["note"] == "trunk carrier of pbx", "its note is %s", entry["note"])
    expect(entry["expiry"] > time.time() + 6 * 86400, "it lives for days: %s", entry)
    wait_for(lambda: {TRUNK, SECOND_TRUNK} <= s.a.allow_sets(), 5,
             "the kernel has them: %s", s.a.allow_sets())
    text = s.a.cli("status")
    expect("source    pbx (ami) ready" in text and " 2 trunks" in text,
           "`status` shows it: %s", text)


def unseen_secret(s):
    """The secret is in no log, command line or environment; no role dumps core."""
    places = [s.a.log_path]
    for role in node.ROLES:
        pid = s.a.role(role)["pid"]
        places += ["/proc/%d/cmdline" % pid, "/proc/%d/environ" % pid]
    for place in places:
        try:
            with open(place, "rb") as f:
                text = f.read()
        except PermissionError:  # not dumpable: also not to be read
            continue
        expect(s.pbx.secret.encode() not in text, "%s has the secret", place)
    with open("/proc/%d/limits" % s.a.role("sense")["pid"], encoding="ascii") as f:
        core = next(line for line in f if line.startswith("Max core file size"))
    expect(core.split()[4:6] == ["0", "0"], "sense may dump core: %s", core)
    expect(s.pbx.secret not in s.a.cli("config", "show"), "`config show` has it")


def phone(s):
    """A phone that registers is on the allowlist, for a while."""
    sock = sip.udp("customer", topology.CUSTOMER)
    user = asterisk.EXTENSIONS[0]
    expect(sip.register(sock, s.a.address, user, s.pbx.passwords[user]) == 200,
           "it cannot register")
    wait_for(lambda: topology.CUSTOMER in s.a.allowed("registered"), 10,
             "it is on the allowlist")
    entry = s.a.allowed("registered")[topology.CUSTOMER]
    expect(entry["note"] == "account " + user, "its note is %s", entry["note"])
    expect(time.time() + 6000 < entry["expiry"] <= time.time() + 7201,
           "it expires in two hours: %s", entry)
    wait_for(lambda: topology.CUSTOMER in s.a.allow_sets(), 5, "the kernel lets it pass")


def call(s):
    """The number that an authenticated account dials is seen."""
    sock = sip.udp("customer", topology.CUSTOMER)
    user = asterisk.EXTENSIONS[0]
    before = s.a.source()["calls"]
    expect(sip.call(sock, s.a.address, user, s.pbx.passwords[user], asterisk.ECHO) == 200,
           "it cannot call")
    s.a.wait_source(lambda source: source.get("calls") == before + 1, 10, "one call")


def attacker(s):
    """Wrong passwords over TCP: banned here and reported, by AMI alone."""
    source = s.stranger()
    s.guess(source)
    s.a.wait_banned(source)
    wait_reported(s.ledger, source)
    word = words(s.ledger, source)[0]
    expect(word["proof"] == "tcp" and word["category"] == "password",
           "it is reported as %s, proof %s", word["category"], word["proof"])


def guessed(s):
    """Who fails and then succeeds does not come onto the allowlist."""
    source, user = s.stranger(), asterisk.EXTENSIONS[3]
    sock = sip.udp("attacker", source)
    expect(sip.register(sock, s.a.address, user, "wrong") in (401, 403), "a wrong one counts")
    before = s.a.source()["observations"]
    expect(sip.register(sock, s.a.address, user, s.pbx.passwords[user]) == 200,
           "the right one does not")
    s.a.wait_source(lambda x: x.get("observations", 0) >= before + 2, 10, "it was seen")
    time.sleep(1.5)  # longer than anything waits on the way
    expect(source not in s.a.allowed(), "it is on the allowlist")


def forged(s):
    """Forged packets: a stranger is banned here alone; trunk and phone are not."""
    phone(s)
    for victim in (TRUNK_HOST, topology.CUSTOMER, STRANGER):
        s.forge(victim)
    s.a.wait_banned(STRANGER)
    expect(not {TRUNK_HOST, topology.CUSTOMER} & set(s.a.banned()),
           "an innocent one is banned: %s", s.a.banned())
    expect_never_reported(s.ledger, STRANGER)


def injected(s):
    """Line breaks in a user's name forge no event; they are counted."""
    source, victim = s.stranger(), "192.0.2.77"
    before = s.a.source()["injected"]
    sock = sip.udp("attacker", source)
    for text in ("a%0d%0aRemoteAddress%3a IPV4/TCP/192.0.2.77/5060",
                 "a%0aRemoteAddress%3a IPV4/TCP/192.0.2.77/5060",
                 "a%0d%0a%0d%0aEvent%3a X%0d%0aPrivilege%3a security"):
        for _ in range(4):
            dialog = sip.Dialog(sock, s.a.address, text.replace(" ", "%20"))
            dialog.send(dialog.message("REGISTER", "sip:" + s.a.address,
                                       extra=["Expires: 60"]))
            time.sleep(0.05)
    s.a.wait_source(lambda x: x.get("injected", 0) >= before + 12, 10,
                    "12 attempts are counted")
    expect(victim not in s.a.banned() and victim not in s.a.allowed(),
           "somebody took the forger's word")
    expect(s.a.source()["state"] == "ready", "the connection broke")


def restarted(s):
    """Asterisk restarted: logged in again within seconds, the gap counted."""
    gaps = s.a.source()["gaps"]
    s.pbx.stop()
    s.a.wait_source(lambda x: x.get("state") in ("waiting", "connecting"), 10, "it is seen")
    expect(topology.CUSTOMER in s.a.allowed("registered") and TRUNK in s.a.allowed("trunk"),
           "what was learnt goes with it")
    s.pbx.start()
    s.pbx.wait_booted()
    s.a.wait_source(lambda x: x.get("state") == "ready", 40, "it is logged in again")
    expect(s.a.source()["gaps"] > gaps, "the gap is not counted: %s", s.a.source())
    source = s.stranger()
    s.guess(source)
    s.a.wait_banned(source)


def hangs(s):
    """An Asterisk that hangs is noticed in seconds, and is back when it goes on."""
    os.kill(s.pbx.process.pid, signal.SIGSTOP)
    try:
        s.a.wait_source(lambda x: x.get("state") != "ready", 30, "the hang is noticed")
        expect("does not answer" in s.a.source()["trouble"], "it says why: %s",
               s.a.source())
    finally:
        os.kill(s.pbx.process.pid, signal.SIGCONT)
    s.a.wait_source(lambda x: x.get("state") == "ready", 40, "it is logged in again")


def kept(s):
    """A sipchaind restarted without Asterisk still knows phone and trunks."""
    s.pbx.stop()
    s.a.stop()
    s.a.start()
    s.a.wait_ready()
    expect(topology.CUSTOMER in s.a.allowed("registered"), "the phone is gone")
    expect(set(s.a.allowed("trunk")) == {TRUNK, SECOND_TRUNK}, "the trunks are gone")
    wait_for(lambda: "no connection" in s.a.source().get("trouble", "")
             or "refused" in s.a.source().get("trouble", ""), 10,
             "`status` says what is missing: %s", s.a.source())
    s.pbx.start()
    s.pbx.wait_booted()
    s.a.wait_login(40)


def wrong_secret(s):
    """A wrong secret, a secret that others can read, a user without rights: said so."""
    def reload(user, seconds, what, text):
        starts = s.a.role("sense")["starts"]
        s.a.configure(user)
        os.kill(s.a.process.pid, signal.SIGHUP)
        wait_for(lambda: s.a.runs_again("sense", starts), 20, "sense is started anew")
        s.a.wait_source(what, seconds, text)

    reload("nobody-known", 20, lambda x: "refuses the login" in x.get("trouble", ""),
           "the refusal is shown")
    os.chmod(s.a.secret_file, 0o644)
    reload(MANAGER, 20, lambda x: x.get("state") == "unused"
           and "chmod 600" in x.get("trouble", ""), "the open file is shown")
    os.chmod(s.a.secret_file, 0o600)
    reload("reader", 20, lambda x: x.get("state") == "ready"
           and "write = system" in x.get("trouble", ""), "what it lacks is shown")
    source = s.stranger()
    s.guess(source)
    s.a.wait_banned(source)
    reload(MANAGER, 40, lambda x: x.get("state") == "ready" and x.get("trunks") == 2,
           "it is as before")


CHECKS = [
    ("it logs in; trunks are on the allowlist and in the kernel", login),
    ("the secret is nowhere to be seen", unseen_secret),
    ("a registered phone is on the allowlist, for a while", phone),
    ("the number that an account dials is seen", call),
    ("wrong passwords over TCP: banned and reported by AMI alone", attacker),
    ("who failed before is not on the allowlist", guessed),
    ("forged UDP bans neither trunk nor phone", forged),
    ("line breaks in names forge nothing and are counted", injected),
    ("Asterisk restarted: logged in again, gap counted", restarted),
    ("Asterisk hangs: noticed in seconds", hangs),
    ("phones and trunks outlive a restart of sipchaind", kept),
    ("wrong secret, open file, missing rights: said so", wrong_secret),
]


def perform(options, tree, table):
    """Set the stage, play the story, take it down."""
    stage = Stage(options.build, tree)
    for title, function in CHECKS:
        if options.only and options.only not in function.__name__ and function is not login:
            continue
        begun, error = time.monotonic(), None
        try:
            function(stage)
        except Failed as failure:
            error = str(failure)
        except Exception as failure:  # a check must not take the others with it
            error = "%s: %s" % (type(failure).__name__, failure)
        table.line("", title, time.monotonic() - begun, error, "")
    complaints = stage.stop()
    table.line("", "sipchaind ends in order, sanitizers found nothing", None,
               "; ".join(complaints)[:2000] or None, "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="a Meson build folder")
    parser.add_argument("--results", help="append 'pass|fail TAB name' lines to this file")
    parser.add_argument("--only", metavar="TEXT",
                        help="only the checks whose functions' names have this in them")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    if options.results:
        options.results = os.path.abspath(options.results)
    try:
        for name in ("sipchaind", "sipchain"):
            node.find(options.build, name)
        tree = run.fetch_asterisk()
        topology.enter()
    except (topology.TopologyError, FileNotFoundError) as error:
        print("ami: %s" % error, file=sys.stderr)
        sys.exit(2)
    begun = time.monotonic()
    table = run.Table(options.results, "ami")
    table.lock = threading.Lock()
    try:
        perform(options, tree, table)
    except Exception as error:
        print("ami: the stage: %s: %s" % (type(error).__name__, error), file=sys.stderr)
        run.keep_logs(options.build, "ami-logs")
        sys.exit(2)
    if table.failed:
        run.keep_logs(options.build, "ami-logs")
    print("      %d of %d, %.0f s" % (table.passed, table.passed + len(table.failed),
                                      time.monotonic() - begun))
    sys.exit(1 if table.failed else 0)


if __name__ == "__main__":
    main()
