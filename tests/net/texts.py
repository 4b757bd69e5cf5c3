#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""texts.py --build FOLDER [--results FILE]: lines of Kamailio, journal, syslog; fail2ban.

Node a reads the log that a real Kamailio writes by a real rsyslog, and a journal;
node b gets the same lines from a's rsyslog over TCP, and others over UDP. Debian's
fail2ban speaks to a. Leaves with 1 when a check failed, 2 when the stage could not
be set.
"""
import os
import re
import secrets
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
# pylint: disable=wrong-import-position
import checks
import fail2ban
import kamailio
import node
import run
import sip
import topology
import world
from bare import BareNode, Sources, expect_never_reported, expect_reported_once, \
    wait_reported, words
from world import FOLDER, Failed, expect, wait_for

WRITER = "/lib/systemd/systemd-journal-remote"
VICTIM = topology.NEIGHBOUR
JOURNAL = FOLDER + "/journal"

LINE = ("NOTICE: <script>: SIPCHAIN ev=auth_fail t=%.6f src=%s:5060 proto=udp "
        "method=REGISTER rc=-2 verified=1 authuser=100 from=100 to=100 ruser= "
        "callid=%s resp=%s ua=MyDialer%%2f1.0")


def line(address):
    """What Kamailio's include writes of a wrong password."""
    return LINE % (time.time(), address, secrets.token_hex(8), secrets.token_hex(16))


def settled(n):
    """(what all sensors saw, each source) once that changes no more; it comes once a second."""
    last = None
    while True:
        status = n.ask("status")
        now = status["sense"], {s["name"]: s for s in status["sources"]}
        if now == last:
            return now
        last = now
        time.sleep(1.5)


class Stage:
    """Nodes a and b on one ledger, Kamailio on a."""

    def __init__(self, build):
        tree = kamailio.fetch()
        self.sources = list(topology.ATTACKERS)
        self.build = build
        os.makedirs(FOLDER + "/shared")
        os.makedirs(JOURNAL)
        topology.build()
        self.program = node.find(build, "sipchain")
        self.ledger = node.Ledger(self.program, FOLDER + "/shared", 3600)
        self.a = BareNode(build, "a", self.ledger)
        self.b = BareNode(build, "b", self.ledger)
        self.pbx = kamailio.Kamailio(tree, "a", FOLDER + "/kamailio",
                                     [(self.b.address, 5514)])
        self.a.settings.update({
            "report.unproved": "ignore", "hep.listen": "udp:127.0.0.1:9060",
            'source "kamailio".type': "kamailio",
            'source "kamailio".path': self.pbx.log,
            'source "journal".type': "kamailio",
            'source "journal".journal': "kamailio.service",
            'source "journal".journal_path': JOURNAL})
        self.b.settings.update({
            "report.unproved": "ban",
            'source "tcp".type': "kamailio", 'source "tcp".from': self.a.address,
            'source "tcp".syslog': "tcp:%s:5514" % self.b.address,
            'source "udp".type': "kamailio", 'source "udp".from': self.a.address,
            'source "udp".syslog': "udp:%s:5515" % self.b.address})
        self.fail2ban = None
        for n in (self.a, self.b):
            n.configure({})
            n.start()
        for n in (self.a, self.b):
            n.wait_ready()
        self.pbx.start()

    def source(self):
        return self.sources.pop(0)

    def guess(self, source, calls=6):
        """sipp guesses passwords at Kamailio."""
        with open(os.path.join(world.SCENARIOS, "password.xml"), encoding="ascii") as f:
            text = f.read()
        text = text.replace("friendly-scanner", "MyDialer/1.0")
        head, tail = text.rsplit('response="401"', 1)
        with open(FOLDER + "/guess.xml", "w", encoding="ascii") as f:
            f.write(head + 'response="403"' + tail)
        values = ["%s;[authentication username=%s password=wrong-%d]" % (user, user, i)
                  for i, user in enumerate(sorted(kamailio.ACCOUNTS)[:calls])]
        return world.Attack(FOLDER + "/guess", self.pbx, source, calls, 10, values, 8000)

    def journal(self, text, unit="kamailio.service"):
        """Append one entry to the journal."""
        message = text.encode("latin-1")
        entry = ("__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n"
                 "_MACHINE_ID=%s\n_SYSTEMD_UNIT=%s\n_PID=7\nSYSLOG_IDENTIFIER=kamailio\n"
                 "MESSAGE\n" % (time.time() * 1e6, time.monotonic() * 1e6, "0" * 31 + "1",
                                "0" * 31 + "2", unit)).encode("ascii")
        entry += struct.pack("<Q", len(message)) + message + b"\n\n"
        subprocess.run([WRITER, "-o", JOURNAL + "/system.journal", "-"], input=entry,
                       capture_output=True, check=True)

    def stop(self):
        complaints = []
        if self.fail2ban:
            self.fail2ban.stop()
        self.pbx.stop()
        for n in (self.a, self.b):
            status = n.stop()
            if status:
                complaints.append("sipchaind of %s left with status %d" % (n.letter, status))
            complaints += ["node %s: %s" % (n.letter, text) for text in n.log().splitlines()
                           if "Sanitizer" in text or "runtime error:" in text][:5]
        return complaints


# --- Kamailio ---

def published(s):
    """sipp guesses passwords: a proves it by the log, b hears of it and sees it itself."""
    source = s.source()
    attack = s.guess(source)
    s.a.wait_banned(source, "all4_32")
    attack.stop()
    wait_reported(s.ledger, source)
    word = words(s.ledger, source)[0]
    expect(word["proof"] == "nonce" and word["category"] == "password",
           "it is reported as %s, proof %s", word["category"], word["proof"])
    s.b.wait_banned(source, "sip4_32")
    # a's rsyslog sends b the same lines, RFC 5424 in counted frames.
    s.b.wait_banned(source, "all4_32")
    wait_for(lambda: s.b.source("tcp")["lines"] >= 6, 10, "b counts them")
    figures = settled(s.b)[1]["tcp"]
    expect(not figures["bad"], "b: %s", figures)
    figures = settled(s.a)[1]["kamailio"]
    expect(figures["injected"] == 0, "a counts its own lines as forged: %s", figures)


def relayed(s):
    """A nonce that its owner relays in another's name: nobody is banned or reported."""
    server, before = s.pbx.address, len(s.pbx.lines())
    own = sip.udp("attacker", s.source())
    challenge = sip.Dialog(own, server, "100").ask("REGISTER", "sip:" + server)
    forger = sip.udp("attacker", VICTIM, 5070, spoofed=True)
    for number in range(8):
        dialog = sip.Dialog(forger, server, "100", source=(VICTIM, 5070))
        credentials = dialog.authorized(challenge, "guess-%d" % number, "REGISTER",
                                        "sip:" + server)
        dialog.send(dialog.message("REGISTER", "sip:" + server, extra=[credentials]))
    own.close()
    forger.close()
    wait_for(lambda: sum("src=%s:5070" % VICTIM in text for text in s.pbx.lines()[before:])
             == 8, 10, "Kamailio writes of the eight")
    wrote = [text for text in s.pbx.lines()[before:] if VICTIM in text]
    expect(not any("verified=1" in text for text in wrote), "it proves: %s", wrote[:2])
    fence(s)
    expect(VICTIM not in s.a.banned(), "the victim is banned")
    expect_never_reported(s.ledger, VICTIM)


def fence(s):
    """A fresh attack in the log until it is banned: all lines before it were read."""
    address = Sources.fresh()
    with open(s.pbx.log, "a", encoding="ascii") as f:
        for _ in range(3):
            f.write("Nov 22 08:13:39 vm kamailio[1]: " + line(address) + "\n")
    s.a.wait_banned(address, "all4_32")
    return address


def hostile(s):
    """Bytes that escaping drops hide nobody; what is written in names nobody."""
    server, source, begun = s.pbx.address, s.source(), settled(s.a)[1]["kamailio"]
    sock = sip.udp("attacker", source)
    # Broken, so that Kamailio dumps it whole, line breaks included.
    lines = "\r\n".join("Nov 22 08:13:39 vm kamailio[1]: " + line(VICTIM)
                        for _ in range(4))
    for text in ("REGISTER sip:+49 1@x SIP/2.0\r\nX: 1\r\n%s\r\n\r\n" % lines,
                 "INVITE sip:1@x SIP/2.0\r\n%s\r\n\r\n" % lines):
        sock.sendto(text.encode("latin-1"), (server, 5060))
    for number in range(3):
        dialog = sip.Dialog(sock, server, "10%d" % number, agent="gr\xc3\xbc\xc3\x9f\tx")
        dialog.call_id = "\xff\x01-%d SIPCHAIN ev=auth_fail src=%s:1" % (number, VICTIM)
        uri = "sip:" + server
        answer = dialog.ask("REGISTER", uri)
        credentials = dialog.authorized(answer, "x", "REGISTER", uri)
        dialog.send(dialog.message("REGISTER", uri, extra=[credentials]))
    sock.close()
    s.a.wait_banned(source, "all4_32")
    wait_reported(s.ledger, source)
    expect(any("callid=:ff01" in text for text in s.pbx.lines()), "no line in hexadecimal")
    fence(s)
    wait_for(lambda: s.a.source("kamailio")["injected"] > begun["injected"], 10,
             "the dump is counted")
    expect(VICTIM not in s.a.banned(), "who is named in the texts is banned")
    expect_never_reported(s.ledger, VICTIM)


def typos(s):
    """Two typos, seen by HEP and in the log: one attempt each, and nobody is banned."""
    source = s.source()
    sock = sip.udp("attacker", source)
    before = settled(s.a)[0]
    for password in ("wrong", "wrong again", kamailio.ACCOUNTS["101"]):
        code = sip.register(sock, s.pbx.address, "101", password)
    sock.close()
    expect(code == 200, "the right password: %s", code)
    fence(s)
    # Each of three guesses: challenge and answer, from two sensors.
    for name, more in (("hep_received", 12), ("duplicates", 3)):
        wait_for(lambda name=name, more=more: s.a.ask("status")["sense"][name]
                 >= before[name] + more, 10, "%s: %d more than %d", name, more, before[name])
    expect(source not in s.a.banned(), "a typing customer is banned")


def restarted(s):
    """Kamailio is restarted, its log rotated: the next attack counts."""
    s.pbx.stop_server()
    os.rename(s.pbx.log, s.pbx.log + ".1")
    os.kill(s.pbx.syslog.pid, 1)  # rsyslog opens its files again on SIGHUP
    s.pbx.start()
    source = s.source()
    attack = s.guess(source)
    s.a.wait_banned(source, "all4_32")
    attack.stop()
    wait_reported(s.ledger, source)
    expect(os.path.getsize(s.pbx.log), "the new log is empty")


# --- syslog of others ---

def forged_sender(s):
    """A perfect line over UDP in the name of an allowed sender: never reported."""
    before = settled(s.b)[1]["udp"]
    forger = sip.udp("attacker", s.a.address, 514, spoofed=True)
    stranger = sip.udp("attacker", topology.ATTACKERS[-1], 514)
    for sock in (forger, stranger):
        for _ in range(4):
            sock.sendto(("<133>Nov 22 08:13:39 kamailio[1]: " + line(VICTIM)).encode(),
                        (s.b.address, 5515))
        sock.close()
    wait_for(lambda: s.b.source("udp")["lines"] >= before["lines"] + 4
             and s.b.source("udp")["refused"] >= before["refused"] + 4, 10,
             "b reads the four forged ones and refuses the stranger's")
    s.b.wait_banned(VICTIM, "all4_32")  # as unproved = ban says, and only here
    expect_never_reported(s.ledger, VICTIM)
    s.b.cli("unban", VICTIM)


def stranger_tcp(s):
    """Over TCP nobody else gets in; junk ends a connection and nothing else."""
    before = settled(s.b)[1]["tcp"]["refused"]
    with topology.inside("attacker"):
        sock = socket.create_connection((s.b.address, 5514), 5, (s.source(), 0))
    wait_for(lambda: s.b.source("tcp")["refused"] > before, 10, "b refuses it")
    sock.settimeout(30)
    expect(sock.recv(1) == b"", "the connection stays")
    sock.close()
    with topology.inside("sip-a"):
        sock = socket.create_connection((s.b.address, 5514), 5)
    sock.sendall(b"99x" + b"\x00\xff" * 10000)
    sock.close()
    source = Sources.fresh()
    with topology.inside("sip-a"):
        sock = socket.create_connection((s.b.address, 5514), 5)
    for _ in range(3):
        sock.sendall(("<133>kamailio: " + line(source) + "\n").encode())
    s.b.wait_banned(source, "all4_32")
    wait_reported(s.ledger, source)
    expect(words(s.ledger, source)[0]["proof"] == "nonce", "its proof is lost")
    sock.close()


# --- the journal ---

def journal(s):
    """Entries of the unit count, once, also those written while it is down."""
    if not os.access(WRITER, os.X_OK):
        return "no " + WRITER
    first, down, other = (Sources.fresh() for _ in range(3))
    for _ in range(3):
        s.journal(line(first))
        s.journal(line(other), "other.service")
    s.a.wait_banned(first, "all4_32")
    wait_reported(s.ledger, first)
    fence(s)
    expect(s.a.stop() == 0, "it does not end in order")
    for _ in range(3):
        s.journal(line(down))
    s.a.restart()
    s.a.wait_banned(down, "all4_32")
    wait_for(lambda: s.a.source("journal").get("lines", 0) >= 3, 10, "its figures come")
    expect(s.a.source("journal")["lines"] == 3, "it reads %d entries after the restart",
           s.a.source("journal")["lines"])
    wait_reported(s.ledger, down)
    expect_reported_once(s.ledger, s.a, first)
    expect(other not in s.a.banned(), "another unit's entries count")
    os.rename(JOURNAL + "/system.journal", JOURNAL + "/system@1.journal")
    rotated = Sources.fresh()
    for _ in range(3):
        s.journal(line(rotated))
    s.a.wait_banned(rotated, "all4_32")
    return None


# --- fail2ban ---

def jailed(s):
    """fail2ban's ban reaches the others as class log, and each node's policy decides."""
    s.fail2ban = fail2ban.Fail2ban(FOLDER + "/fail2ban", s.program,
                                   s.a.folder + "/run/control.sock")
    s.b.configure({"policy.quorum.log": "2"})
    told = s.b.log().count("configuration reloaded")
    s.b.hangup()
    wait_for(lambda: s.b.log().count("configuration reloaded") > told, 10, "b reloads")
    s.fail2ban.start()
    s.jailed = s.source()
    s.fail2ban.fail("pbx.log", s.jailed)
    wait_reported(s.ledger, s.jailed, 60)
    word = words(s.ledger, s.jailed)[0]
    expect(word["proof"] == "log" and word["category"] == "password", "it is reported as %s",
           word)
    left = word["expiry"] - time.time() if isinstance(word["expiry"], int) else 1200
    expect(1100 < left <= 1200, "it lives %d s", left)
    s.a.wait_banned(s.jailed, "sip4_32")
    expect(s.jailed not in s.b.banned(), "b, whose policy asks for two, bans it")
    s.b.configure({})
    s.b.hangup()
    s.b.wait_banned(s.jailed, "sip4_32")


def refail(s):
    """Restarting and stopping fail2ban neither withdraws a report nor repeats it."""
    s.fail2ban.stop()
    s.fail2ban.start()
    wait_for(lambda: "Restore Ban %s" % s.jailed in s.fail2ban.log(), 30, "it restores the ban")
    other = s.source()
    s.fail2ban.fail("pbx.log", other)
    wait_reported(s.ledger, other, 60)
    expect_reported_once(s.ledger, s.a, s.jailed)
    expect(s.fail2ban.log().count("Flush ticket(s) with sipchain") >= 1, "no flush")
    s.fail2ban.client("set", "pbx", "unbanip", other)
    wait_for(lambda: "Unban %s" % other in s.fail2ban.log(), 20, "it unbans")
    expect_reported_once(s.ledger, s.a, other)


def withdrawn(s):
    """withdraw = yes: an unban ends fail2ban's report, and no report of the node's own."""
    mine, proved = s.source(), s.source()
    s.a.attack(proved)
    wait_reported(s.ledger, proved)
    for address in (mine, proved):
        s.fail2ban.fail("withdraw.log", address)
    wait_reported(s.ledger, mine, 60)
    wait_for(lambda: "Ban %s" % proved in s.fail2ban.log(), 60, "it bans the proved one")
    for address in (mine, proved):
        s.fail2ban.client("set", "withdraw", "unbanip", address)
    wait_for(lambda: [word["action"] for word in words(s.ledger, mine)]
             == ["report", "spend"], 30, "its report is withdrawn")
    wait_for(lambda: "Unban %s" % proved in s.fail2ban.log(), 30, "it unbans the other")
    s.a.fence()
    expect_reported_once(s.ledger, s.a, proved)
    expect(words(s.ledger, proved)[0]["proof"] == "tcp", "the log's word took the proof away")


def stopped(s):
    """Even where an unban withdraws, stopping fail2ban does not, nor does a reload."""
    address = s.source()
    s.fail2ban.fail("withdraw.log", address)
    wait_reported(s.ledger, address, 60)
    s.fail2ban.client("reload")
    s.fail2ban.stop()
    s.a.fence()
    expect_reported_once(s.ledger, s.a, address)
    s.fail2ban.start()
    wait_for(lambda: s.fail2ban.log().count("Restore Ban %s" % address), 30,
             "it restores the ban")
    s.a.fence()
    expect_reported_once(s.ledger, s.a, address)


def command_line(s):
    """What an attacker writes is on no command line: the words and the address alone."""
    before, addresses = len(s.fail2ban.commands()), []
    s.fail2ban.fail("named.log", "192.0.2.1", fail2ban.NAMED)
    for text in fail2ban.HOSTILE:
        addresses.append(s.source() if s.sources else Sources.fresh())
        s.fail2ban.fail("hostile.log", addresses[-1], text)
    for address in addresses:
        wait_reported(s.ledger, address, 60)
    wait_for(lambda: "jail 'named' action" in s.fail2ban.log(), 60,
             "the report of what it was told to call an address is refused")
    s.a.fence()
    commands = s.fail2ban.commands()[before:]
    named = [c for c in commands if "fail2ban named" in c]
    for words_of in commands:
        expect(words_of[:2] == ["--socket", s.a.folder + "/run/control.sock"]
               and words_of[2:7] == ["report", "--class", "log", "--category", "password"]
               and words_of[7] == "--ttl" and words_of[8].isdigit()
               and words_of[9] == "--note" and words_of[11] == "--"
               and len(words_of) == 13, "the command line is %s", words_of)
        if words_of not in named:
            expect(words_of[10] == "fail2ban hostile" and words_of[12] in addresses,
                   "the command line is %s", words_of)
    expect(len(commands) - len(named) == len(addresses), "%d commands, not %d",
           len(commands) - len(named), len(addresses))
    # A filter that calls any text an address: it does not come through.
    expect(named and all(words_of[12] == "$f2bV_ip" for words_of in named),
           "the command lines are %s", named)
    expect(not os.path.exists(fail2ban.OWNED), "an attacker's command was run")


def fails_alone(s):
    """A daemon that is down costs fail2ban a line of its log; it goes on."""
    lost, later, failed = s.source(), s.source(), "Failed to execute ban"
    before = s.fail2ban.log().count(failed)
    expect(s.a.stop() == 0, "it does not end in order")
    s.fail2ban.fail("pbx.log", lost)
    wait_for(lambda: "Ban %s" % lost in s.fail2ban.log()
             and s.fail2ban.log().count(failed) > before, 60, "the command fails")
    s.a.restart()
    s.fail2ban.fail("pbx.log", later)
    wait_reported(s.ledger, later, 60)
    expect_never_reported(s.ledger, lost)


def commands(s):
    """Class log is for addresses, from whoever may change things."""
    for wrong in (["sip:x@y.example"], ["+4420794600"], ["a.example"], ["198.51.100.300"]):
        try:
            s.a.cli("report", "--class", "log", "--", *wrong)
            raise Failed("%s is reported" % wrong)
        except node.CommandFailed as refusal:
            expect(refusal.status == 2, "%s: %s", wrong, refusal.text)
    try:
        s.a.cli("report", "--class", "wire", s.sources[0])
        raise Failed("a class that is none is taken")
    except node.CommandFailed as refusal:
        expect("manual or log" in refusal.text, "%s", refusal.text)
    carrier = s.source()
    s.a.cli("allow", "add", carrier)
    text = s.a.cli("report", carrier, "--class", "log")
    expect("this node allows" in text, "%s", text)
    expect_never_reported(s.ledger, carrier)
    manual = s.source()
    s.a.cli("report", manual, "--category", "fraud")
    text = s.a.cli("report", manual, "--class", "log")
    expect("better proof" in text, "%s", text)
    try:
        s.a.cli("revoke", manual, "--class", "log")
        raise Failed("it is withdrawn")
    except node.CommandFailed as refusal:
        expect("not of class log" in refusal.text, "%s", refusal.text)
    expect_reported_once(s.ledger, s.a, manual)


CHECKS = [published, relayed, hostile, typos, restarted, forged_sender, stranger_tcp,
          journal, commands, jailed, refail, withdrawn, stopped,
          command_line, fails_alone]


def main():
    parser = checks.parser(__doc__)
    parser.add_argument("--only", metavar="TEXT",
                        help="only the checks whose functions' names match this")
    options = checks.options(parser)
    try:
        for name in ("sipchaind", "sipchain"):
            node.find(options.build, name)
        if not os.environ.get(topology.INSIDE):
            kamailio.fetch()  # outside: there is no network within
        topology.enter()
        stage = Stage(options.build)
    except (topology.TopologyError, FileNotFoundError, RuntimeError) as error:
        print("texts: %s" % error, file=sys.stderr)
        sys.exit(2)
    chosen = [c for c in CHECKS if not options.only
              or re.search(options.only, c.__name__)]
    failures = checks.perform(stage, options.results, chosen, "texts")

    def ended(_stage):
        """daemons end in order, sanitizers found nothing"""
        complaints = stage.stop()
        expect(not complaints, "%s", "; ".join(complaints)[:2000])
    failures += checks.perform(stage, options.results, [ended], "texts")
    if failures:
        run.keep_logs(options.build, "texts-logs")
    print("texts: %d of %d checks failed" % (failures, len(chosen) + 1))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
