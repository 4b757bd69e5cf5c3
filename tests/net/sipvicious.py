#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sipvicious.py --build FOLDER [--results FILE]: svmap, svwar and svcrack at a honeypot.

Debian's sipvicious, each tool from an address of its own and to its own end, at node a;
node b follows the ledger. The tools differ in what they prove of their source over UDP,
and that is theirs, not the honeypot's: svcrack repeats a nonce that it was sent, svwar
with INVITE acknowledges with a To-tag that it was sent. svmap, and svwar with REGISTER,
send nothing that depends on an answer: whoever forges their datagrams sends the same. These
are banned at a and must never be published.

Both nodes enforce. A ban at a ends before the honeypot's own port, so that no tool is
cut off in the middle of its run: svwar and svcrack are banned long before their end.
"""
import binascii
import contextlib
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import checks
import node
import topology
from bare import BareNode, expect_never_reported, expect_reported_once, words
from world import FOLDER, Failed, expect, wait_for

BAITS = ("100", "101", "102", "200", "201")
ACCOUNTS = "98-103,198-202"  # the baits, and as many that are none
GUESSES = range(1000, 1041)
ASKED = 12                   # accounts: those, and one that svwar invents to begin with
LONGEST = 200                # seconds of a tool's run; all take less than five


class Tool:
    """One run, from its beginning to whatever end it takes by itself."""

    def __init__(self, stage, name, *arguments):
        # svwar and svcrack of 0.3.3 take -b and do not bind to it: the route says who they are.
        self.source = stage.sources.pop(0)
        topology.run("ip", "route", "replace", "default", "via", "198.51.100.1", "src",
                     self.source, namespace="attacker")
        process = topology.start(
            "attacker", [name, "-x", self.source, *arguments, stage.a.address], cwd=FOLDER,
            env=dict(os.environ, HOME=FOLDER), text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        try:
            text = process.communicate(timeout=LONGEST)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            text = process.communicate()[0]
            raise Failed("%s does not end: %s" % (name, text[-500:])) from None
        self.text = re.sub(r"\x1b\[[0-9;]*m", "", text)
        expect(process.returncode == 0, "%s leaves with %d: %s", name, process.returncode,
               self.text[-500:])

    def expect_rows(self, rows):
        """Compare the table that it printed, without its heading."""
        found = [[cell.strip() for cell in line.strip("| ").split("|")]
                 for line in self.text.splitlines() if line.startswith("|")][1:]
        # In the order in which it was answered.
        expect(sorted(found) == sorted(rows), "it printed %s, not %s: %s", found, rows, self.text[-500:])


class Stage(contextlib.AbstractContextManager):
    """a with the honeypot, b beside it."""

    def __init__(self, build):
        for tool in ("svmap", "svwar", "svcrack"):
            if not shutil.which(tool):
                raise topology.TopologyError(tool + " is not installed (package sipvicious)")
        self.sources = list(topology.ATTACKERS)
        self.tools = {}  # what ran: (name, whether it proves itself) by source
        os.makedirs(FOLDER + "/shared")
        topology.build()
        self.ledger = node.Ledger(node.find(build, "sipchain"), FOLDER + "/shared", 3600)
        self.a = BareNode(build, "a", self.ledger)
        self.b = BareNode(build, "b", self.ledger)
        self.a.settings.update({
            "honeypot.listen": "udp:0.0.0.0:5060", "honeypot.talk": "2s",
            "honeypot.ring": "0s", "honeypot.record_max": "16M"})
        self.a.configure({})
        for n in (self.a, self.b):
            n.start()
        for n in (self.a, self.b):
            n.wait_ready()

    def honeypot(self):
        return self.a.ask("status")["honeypot"] or {}

    def detected(self, source):
        """a's own ban of it."""
        return next((ban for ban in self.a.ask("banned")["bans"] if ban["indicator"] == source
                     and ban["origin"] == "own-detection"), None)

    def expect_unproved(self, tool, category):
        """a bans it for as long as the rule says, and that is all."""
        self.a.wait_banned(tool.source, "all4_32")
        ban = self.detected(tool.source)
        expect(ban["category"] == category and ban["until"] - ban["since"] in (299, 300, 301),
               "the ban: %s", ban)

    def expect_published(self, tool, category):
        """Proved by a nonce, on the ledger once, banned at b."""
        self.a.wait_banned(tool.source, "all4_32")
        self.b.wait_banned(tool.source, "sip4_32")
        expect(self.detected(tool.source)["category"] == category, "a's ban: %s",
               self.detected(tool.source))
        expect_reported_once(self.ledger, self.a, tool.source)
        word = words(self.ledger, tool.source)[0]
        expect((word["category"], word["proof"]) == (category, "nonce"),
               "it is reported as %s, proof %s", word["category"], word["proof"])

    def __exit__(self, *_):
        for n in (self.a, self.b):
            n.stop()

    def log(self):
        return self.a.log()


def svmap(s):
    """svmap finds the honeypot; it is banned at a, without a proof."""
    tool = Tool(s, "svmap")
    s.tools[tool.source] = ("svmap", False)
    tool.expect_rows([[s.a.address + ":5060", "Asterisk PBX 22.10.1"]])
    s.expect_unproved(tool, "scan")


def svwar_register(s):
    """svwar finds the accounts with REGISTER; it is banned at a, without a proof."""
    tool = Tool(s, "svwar", "-e", ACCOUNTS)
    s.tools[tool.source] = ("svwar", False)
    tool.expect_rows([[bait, "reqauth"] for bait in BAITS])
    s.expect_unproved(tool, "enumeration")


def svwar_invite(s):
    """svwar finds the accounts with INVITE; its ACKs prove it, and b bans it.

    An account answers its call, which svwar prints as one without a password; its BYE then
    has two From-tags, the second one of an account "None" that it takes the 481 for. It
    prints the same two lines of an Asterisk 22.
    """
    tool = Tool(s, "svwar", "-m", "INVITE", "-e", ACCOUNTS)
    s.tools[tool.source] = ("svwar", True)
    tool.expect_rows([[bait, "noauth"] for bait in BAITS] + [["None", "weird"]])
    s.expect_published(tool, "enumeration")


def svcrack(s):
    """svcrack finds a password after eight guesses; the nonce proves it, and b bans it."""
    before = s.honeypot()
    tool = Tool(s, "svcrack", "-u", BAITS[0], "-r", "%d-%d" % (GUESSES[0], GUESSES[-1]))
    s.tools[tool.source] = ("svcrack", True)
    found = re.findall(r"^\| %s +\| (\d+) +\|$" % BAITS[0], tool.text, re.M)
    expect(len(found) == 1 and int(found[0]) in GUESSES, "it printed %s", tool.text[-500:])
    s.expect_published(tool, "password")
    # The figures come once a second.
    wait_for(lambda: s.honeypot()["accepted"] == before["accepted"] + 1
             and s.honeypot()["proofs"] > before["proofs"], 10, "one guess is let in")


def unproved_is_unpublished(s):
    """What svmap and svwar with REGISTER cannot prove is not on the ledger, nor at b."""
    banned = s.b.banned()
    for source, (name, proved) in s.tools.items():
        # svcrack came last and is there: what came before it would be.
        if not proved:
            expect_never_reported(s.ledger, source)
            expect(source not in banned, "b bans %s of %s", source, name)
    expect(len(s.tools) == 4 and len(banned) == 2, "b bans %s", banned)


def sessions(s):
    """The recorded sessions name each tool, its accounts and its proof."""
    def listed():
        found = s.a.ask("honeypot", "sessions", "--by", "source")["sessions"]
        return {x["source"]: x for x in found}
    wait_for(lambda: len(listed()) == 4, 20, "four sources are recorded")
    text = s.a.cli("honeypot", "sessions", "--by", "source")
    for source, (name, proved) in s.tools.items():
        x = listed()[source]
        expect(x["tool"] == name and x["proved"] is proved and
               x["proof"] == ("nonce" if proved else "none"), "%s is recorded as %s", name, x)
        if name == "svwar":
            expect(x["accounts_count"] == ASKED and x["sessions"] >= ASKED,
                   "svwar asked for %d accounts: %s", ASKED, x)
        expect(re.search(r" %s +udp +%s +%s " % (re.escape(source), x["proof"], name), text),
               "the table does not say so of %s: %s", source, text)


def capture(s):
    """The exported capture is read back by `sipchain explain`, and has no password."""
    path = FOLDER + "/sipvicious.pcap"
    text = s.a.cli("honeypot", "export", "--pcap", path)
    count = int(re.search(r": (\d+) messages", text).group(1))
    text = s.a.cli("explain", path)
    found = re.findall(r"^(\S+):\d+ -> (\S+):\d+ udp, SIP: (\S+)", text, re.M)
    # The BYEs of svwar, which has two From-tags in them, and what they were answered.
    broken = re.findall(r"^\S+ -> \S+ udp, malformed, From: (\S+ \S+)", text, re.M)
    expect(set(broken) <= {"BYE sip:" + s.a.address, "SIP/2.0 400"},
           "malformed: %s", broken)
    expect(len(found) + len(broken) == count, "%d and %d of %d messages are read", len(found),
           len(broken), count)
    for source, (name, proved) in s.tools.items():
        sent = {method for a, b, method in found if (a, b) == (source, s.a.address)}
        answers = sum((a, b, m) == (s.a.address, source, "SIP/2.0") for a, b, m in found)
        expected = {"svmap": {"OPTIONS"}, "svcrack": {"REGISTER"}}.get(
            name, {"INVITE", "ACK"} if proved else {"REGISTER"})
        expect(expected <= sent and answers, "%s sent %s and had %d answers", name, sent,
               answers)
    with open(path, "rb") as f:
        raw = f.read()
    expect(b'response="****' in raw and not re.search(b'response="[0-9a-f]', raw),
           "responses of a digest are recorded")
    # svcrack's From-tags are hex of user:password.
    for guess in GUESSES:
        tag = binascii.hexlify(b"%s:%d" % (BAITS[0].encode(), guess))
        expect(tag not in raw, "the guess %d is in the capture", guess)


def ends_in_order(s):
    """Both daemons end in order, and sanitizers found nothing."""
    for n in (s.a, s.b):
        expect(n.stop() == 0, "sipchaind of %s leaves with an error", n.letter)
        found = [line for line in n.log().splitlines()
                 if "Sanitizer" in line or "runtime error:" in line]
        expect(not found, "node %s: %s", n.letter, found[:3])


CHECKS = (svmap, svwar_register, svwar_invite, svcrack, unproved_is_unpublished, sessions,
          capture, ends_in_order)


if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), Stage, CHECKS, "sipvicious",
                enter=topology.enter, broken=(topology.TopologyError,))
