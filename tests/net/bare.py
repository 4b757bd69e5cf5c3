# SPDX-License-Identifier: Apache-2.0
"""Nodes without a PBX: what they hear is written into their security log."""
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import types

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chain"))
# pylint: disable=wrong-import-position
import injected_clock
import node
import topology
from world import FOLDER, expect, wait_for

PROTECTED = "198.51.100.59"  # on the protected table from the beginning
LONGEST = 256                # words of the longest batch

BASE = {
    "node.user": "",
    "node.log_level": "info",
    "detect.auth_failed": "3/10m",
    "detect.ban": "10m",
    # Unproved sources are banned here and still never reported.
    "report.unproved": "ban",
    "report.unproved_ban": "5m",
}


class Sources:
    """Addresses that have done nothing yet (RFC 2544)."""
    used = 0

    @classmethod
    def fresh(cls):
        cls.used += 1
        return "198.18.%d.%d" % divmod(cls.used, 250)


def failures(address, count, transport):
    """Lines of Asterisk 22's security.json: wrong passwords of one source."""
    text = ""
    for account in range(101, 101 + count):
        now = time.time()
        fraction = ".%03d" % (now % 1 * 1000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + fraction + "+0000"
        message = (
            'SecurityEvent="ChallengeResponseFailed",EventTV="%s",Severity="Error",'
            'Service="PJSIP",EventVersion="1",AccountID="%d",SessionID="%s@%s",'
            'LocalAddress="IPV4/%s/192.0.2.11/5060",RemoteAddress="IPV4/%s/%s/5071",'
            'Challenge="%d/%s",Response="%s",ExpectedResponse=""\n' % (
                stamp, account, secrets.token_hex(8), address, transport, transport, address,
                now, secrets.token_hex(16), secrets.token_hex(16)))
        text += json.dumps({
            "hostname": "",
            "timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)) + fraction,
            "identifiers": {"lwp": 26897, "callid": ""},
            "logmsg": {"location": {"filename": "res_security_log.c",
                                    "function": "security_event_stasis_cb", "line": 114},
                       "level": "SECURITY", "message": message}},
            separators=(",", ":")) + "\n"
    return text.encode("ascii")


class BareNode(node.Node):
    """A node whose sensor is one security log; settings are "section.key"."""

    def __init__(self, build, letter, ledger):
        self.folder = "%s/%s" % (FOLDER, letter)
        os.makedirs(self.folder + "/pbx")  # nothing else is written to where it listens
        self.security_log = self.folder + "/pbx/security.json"
        with open(self.security_log, "wb"):
            pass
        super().__init__(build, letter, self.folder, ledger, types.SimpleNamespace(
            hep_password="", security_log=self.security_log), 600)
        self.member = ledger.indices["bank-" + letter]
        self.settings = dict(BASE, **{
            "node.name": "node-" + letter, "node.state": self.folder + "/state",
            "node.run": self.folder + "/run", "member.key": self.folder + "/member.key",
            "ledger.path": ledger.path, "security_log.path": self.security_log})
        self.configure({})

    def configure(self, changes):
        """Write the configuration; returns {setting: its line}."""
        settings = dict(self.settings, **changes)
        lines, where = [], {}
        for section in sorted({name.split(".")[0] for name in settings}):
            lines.append("[%s]" % section)
            for name, value in settings.items():
                if name.split(".")[0] == section and value is not None:
                    lines.append("%s = %s" % (name.split(".", 1)[1], value))
                    where[name] = len(lines)
        with open(self.configuration, "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
        return where

    def hangup(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def restart(self):
        self.start()
        self.wait_ready()

    @contextlib.contextmanager
    def clocked(self, build):
        """Restarted with a clock that can be set, for the length of a block."""
        clock, usual = injected_clock.Clock(self.folder + "/clock"), self.daemon
        self.stop()
        self.daemon = node.find(build, "tests/chain/sipchaind_steps")
        os.environ.update(clock.environment)
        try:
            self.restart()
            yield clock
        finally:
            for name in clock.environment:
                del os.environ[name]
            self.daemon = usual
            self.stop()
            self.restart()

    # --- what attackers leave ---

    def attack(self, address, count=3, transport="TCP"):
        """So many wrong passwords, in one write."""
        log = os.open(self.security_log, os.O_WRONLY | os.O_APPEND)
        os.write(log, failures(address, count, transport))
        os.close(log)
        return address

    def fence(self, seconds=20):
        """A fresh attack until it is banned: all lines before it were read."""
        address = self.attack(Sources.fresh())
        self.wait_banned(address, "all4_32", seconds)
        return address

    # --- what stands ---

    def wait_banned(self, address, name, seconds=20):
        wait_for(lambda: name in self.banned().get(address, ()), seconds,
                 "node %s: %s is in %s", self.letter, address, name)

    def wait_not_banned(self, address, name, seconds=20):
        wait_for(lambda: name not in self.banned().get(address, ()), seconds,
                 "node %s: %s leaves %s", self.letter, address, name)

    def ends(self):
        """{(address, set): wall second at which the kernel ends it}."""
        for _ in range(10):
            ends, now = {}, time.time()
            rules = self.rules() or []
            if time.time() - now < 0.5:
                break  # what is told is as old as that
        for item in rules:
            described = item.get("set", {})
            for element in described.get("elem", []):
                element = element.get("elem", {}) if isinstance(element, dict) else {}
                if "expires" in element:
                    ends[element["val"], described["name"]] = now + element["expires"]
        return ends

    def wait_end(self, address, name, end, seconds=20):
        """Until the kernel is to end a ban then; it shows whole seconds."""
        wait_for(lambda: abs(self.ends().get((address, name), 0) - end) < 4, seconds,
                 "node %s: the ban of %s in %s ends at %d", self.letter, address, name, end)

    def passes(self, source, port=5060):
        """Whether a TCP handshake of that source gets through to this host.

        Nobody listens: the refusal is the answer.
        """
        with topology.inside("attacker"):
            s = socket.socket()
        with s:
            s.bind((source, 0))
            s.settimeout(0.7)
            try:
                s.connect((self.address, port))
            except ConnectionRefusedError:
                return True
            except socket.timeout:
                return False
        raise AssertionError("somebody listens on port %d of %s" % (port, self.letter))

    def would_ban(self):
        """The addresses that `sipchain banned` lists; nothing before it answers."""
        try:
            return {ban["indicator"] for ban in self.ask("banned")["bans"]}
        except node.CommandFailed:
            return set()

    def source(self, name):
        """The status of one [source]; {} while nobody answers, or it is not told yet."""
        try:
            sources = self.ask("status")["sources"]
        except node.CommandFailed:
            return {}
        return next((s for s in sources if s["name"] == name), {})

    def wait_outbox(self, state, least, seconds=20):
        wait_for(lambda: self.ask("status")["outbox"][state] >= least, seconds,
                 "node %s: %d reports %s in the outbox", self.letter, least, state)

    def wait_settled(self, seconds=40):
        """Until it answers and nothing is on its way to the ledger."""
        def settled():
            try:
                status = self.ask("status")
            except node.CommandFailed:
                return False
            outbox = status["outbox"]
            return (status["ledger"]["caught_up"] and status["ledger"]["healthy"]
                    and not outbox["waiting"] and not outbox["submitted"])
        wait_for(settled, seconds, "node %s: its outbox is empty", self.letter)

    def signal(self, role, number):
        os.kill(self.role(role)["pid"], number)

    def kill_role(self, role):
        """kill -9; whether there was somebody to kill."""
        try:
            pid = self.role(role)["pid"]
        except node.CommandFailed:  # the role node is dead from the last time
            return False
        if pid <= 0:
            return False
        os.kill(pid, signal.SIGKILL)
        return True


class Stage:
    """Nodes a and b on one ledger; c on a ledger that is not there at first."""

    def __init__(self, build):
        self.build = build
        self.sources = list(topology.ATTACKERS)
        program = node.find(build, "sipchain")
        for folder in ("/shared", "/alone"):
            os.makedirs(FOLDER + folder)
        topology.build()
        self.ledger = node.Ledger(program, FOLDER + "/shared", 3600)
        self.other_ledger = node.Ledger(program, FOLDER + "/alone", 3600)
        self.c = BareNode(build, "c", self.other_ledger)
        self.hide_ledger(True)
        self.c.start()
        self.a = BareNode(build, "a", self.ledger)
        self.b = BareNode(build, "b", self.ledger)
        self.ledger.administer("protect", "add", PROTECTED)
        self.author_key = FOLDER + "/author.key"
        address = node.sipchain(program, "key", "new", self.author_key).split()[0]
        self.ledger.administer("member", "add", "--name", "author", "--signer", address,
                               "--cap", "4096")
        self.ledger.indices["author"] = self.author = len(self.ledger.indices) + 1
        self.appended = 0
        for n in (self.a, self.b):
            n.start()
        for n in (self.a, self.b):
            n.wait_ready()

    def hide_ledger(self, hide):
        """Take c's ledger away, or give it back."""
        path = self.other_ledger.path
        for end in ("", "-wal", "-shm", "-bell"):
            there, away = path + end, path + ".away" + end
            if os.path.exists(there if hide else away):
                os.rename(*((there, away) if hide else (away, there)))

    def source(self):
        """A fresh address that packets can really come from."""
        return self.sources.pop(0)

    def append_longest(self):
        """The longest operation there is; returns its URIs."""
        result = subprocess.run(
            [node.find(self.build, "tests/net/longest_batch"), self.ledger.path,
             self.author_key, str(self.author), str(self.appended)],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        expect(result.returncode == 0, "%s", result.stderr)
        self.appended += LONGEST
        return result.stdout.split()

    def stop(self):
        """End all in order; returns complaints."""
        complaints = []
        for n in (self.a, self.b, self.c):
            status = n.stop()
            if status:
                complaints.append("sipchaind of %s left with status %d" % (n.letter, status))
            complaints += ["node %s: %s" % (n.letter, line) for line in n.log().splitlines()
                           if "Sanitizer" in line or "runtime error:" in line][:5]
        return complaints


# --- what the ledger's history says ---

def words(ledger, address):
    """Every word of the ledger's history about an address."""
    return [dict(word, member=operation["member"])
            for operation in ledger.operations() for word in operation.get("words", [])
            if word["indicator"] == address]


def expect_reported_once(ledger, n, address):
    """One operation and no other speaks of the address, and it is n's."""
    found = [(word["member"], word["action"]) for word in words(ledger, address)]
    expect(found == [(n.member, "report")], "the ledger's history of %s is %s, not one "
           "report of member %d", address, found, n.member)


def expect_never_reported(ledger, address):
    found = words(ledger, address)
    expect(not found, "%s is on the ledger: %s", address, found)


def wait_reported(ledger, address, seconds=20):
    wait_for(lambda: words(ledger, address), seconds, "%s is on the ledger", address)


def expect_each_once(ledger, n, addresses, remark=""):
    """All are banned by n itself, and one report of each is on the ledger."""
    banned, history = n.banned(), {}
    for operation in ledger.operations():
        for word in operation.get("words", []):
            history.setdefault(word["indicator"], []).append(word["action"])
    loose = [address for address in addresses if "all4_32" not in banned.get(address, ())]
    expect(not loose, "%d are not banned: %s %s", len(loose), loose[:3], remark)
    wrong = [(address, history.get(address)) for address in addresses
             if history.get(address) != ["report"]]
    expect(not wrong, "%d are not reported once: %s %s", len(wrong), wrong[:3], remark)
