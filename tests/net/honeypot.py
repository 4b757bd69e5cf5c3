#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""honeypot.py --build FOLDER [--results FILE]: sipp at a honeypot, and what follows.

Two nodes on one ledger in network namespaces, made by root or by a plain user: a has a
honeypot and nothing else, b nothing at all. Each check is a line. Leaves with 1 when one
failed, 2 when the stage could not be set.
"""
import contextlib
import os
import shutil
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import checks
import node
import topology
from bare import BareNode, expect_reported_once, wait_reported, words
from world import FOLDER, Attack, expect, wait_for

CALLER = topology.ATTACKERS[-1]
BAITS = ("100", "101", "102", "200", "201")


class Stage(contextlib.AbstractContextManager):
    """a with the honeypot, b beside it."""

    def __init__(self, build):
        if not shutil.which("sipp"):
            raise topology.TopologyError("sipp is not installed (package sip-tester)")
        self.sources = list(topology.ATTACKERS)
        os.makedirs(FOLDER + "/shared")
        topology.build()
        self.ledger = node.Ledger(node.find(build, "sipchain"), FOLDER + "/shared", 3600)
        self.a = BareNode(build, "a", self.ledger)
        self.b = BareNode(build, "b", self.ledger)
        self.a.settings.update({
            "honeypot.listen": "udp:0.0.0.0:5060\nlisten = tcp:%s:5060" % self.a.address,
            "honeypot.talk": "2s", "honeypot.ring": "0s", "honeypot.record_max": "16M",
            # One call is enough for a ban, which would cut it short.
            "allow.entry": CALLER + " is let ring out"})
        self.a.configure({})
        for n in (self.a, self.b):
            n.start()
        for n in (self.a, self.b):
            n.wait_ready()

    def source(self):
        return self.sources.pop(0)

    def honeypot(self):
        return self.a.ask("status")["honeypot"] or {}

    def __exit__(self, *_):
        for n in (self.a, self.b):
            n.stop()

    def log(self):
        return self.a.log()


def listens(s):
    """It is there, and says so."""
    wait_for(lambda: len(s.honeypot().get("listeners", ())) == 2, 20, "a listens")
    expect(s.honeypot()["trouble"] == "", "trouble: %s", s.honeypot()["trouble"])
    expect(s.b.ask("status")["honeypot"] is None, "b has a honeypot")


def guesses(s):
    """Passwords guessed over UDP: the nonce proves it, both nodes ban, one reports."""
    source = s.source()
    attack = Attack("password", s.a, source, calls=len(BAITS), rate=20, values=[
        "%s;[authentication username=%s password=wrong]" % (bait, bait) for bait in BAITS])
    s.a.wait_banned(source, "all4_32")
    s.b.wait_banned(source, "sip4_32")
    attack.stop()
    expect_reported_once(s.ledger, s.a, source)
    word = words(s.ledger, source)[0]
    expect(word["proof"] == "nonce" and word["category"] == "password",
           "it is reported as %s, proof %s", word["category"], word["proof"])
    wait_for(lambda: s.honeypot()["proofs"] >= 1, 20, "the proof is counted")
    expect(not s.a.passes(source, 5061) and not s.b.passes(source), "its packets pass")
    # The honeypot's own ports stay open to it, and it is heard there.
    with topology.inside("attacker"):
        banned = socket.create_connection((s.a.address, 5060), 5, (source, 0))
    with banned:
        banned.sendall(("OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bKo\r\n"
                        "From: <sip:x@x>;tag=o\r\nTo: <sip:x@x>\r\nCall-ID: o@x\r\n"
                        "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
                        % (s.a.address, source)).encode())
        answer = banned.recv(4096)
    expect(answer.startswith(b"SIP/2.0 200 "), "the honeypot answers a banned source %r", answer)


def calls(s):
    """Calls are answered, acknowledged and ended: sipp is content to the last message.

    Over TCP, which proves the caller: of others half are refused, see who acknowledges that.
    """
    before = s.honeypot()["calls"]
    attack = Attack("honeypot-call", s.a, CALLER, calls=2, rate=10, patience=15000,
                    values=["00972590000101", "900972590000101"], more=("-t", "t1"))
    good, bad = attack.finish(40)
    expect((good, bad) == (2, 0), "%d calls went through, %d did not", good, bad)
    wait_for(lambda: s.honeypot()["calls"] == before + 2, 20, "two calls are counted")


def spares_the_innocent(s):
    """Registrations in the name of another address: he answers nothing, and is not reported."""
    victim = s.source()
    with topology.inside("attacker"):
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with out:
        out.bind((victim, 5060))
        for i in range(40):
            out.sendto(("REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK%d\r\n"
                        "From: <sip:100@x>;tag=%d\r\nTo: <sip:100@x>\r\nCall-ID: %d@x\r\n"
                        "CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nAuthorization: Digest "
                        "username=\"100\", realm=\"asterisk\", nonce=\"invented%d\", "
                        "uri=\"sip:x\", response=\"0123456789abcdef0123456789abcdef\"\r\n"
                        "Content-Length: 0\r\n\r\n"
                        % (s.a.address, victim, i, i, i, i)).encode(), (s.a.address, 5060))
        time.sleep(0.5)
    # What comes later is on the ledger: what came before would be.
    other = s.source()
    attack = Attack("password", s.a, other, calls=len(BAITS), rate=20, values=[
        "%s;[authentication username=%s password=wrong]" % (bait, bait) for bait in BAITS])
    wait_reported(s.ledger, other)
    attack.stop()
    expect(not words(s.ledger, victim), "the victim is on the ledger: %s",
           words(s.ledger, victim))


def ends_in_order(s):
    """Both daemons end in order, and sanitizers found nothing."""
    for n in (s.a, s.b):
        expect(n.stop() == 0, "sipchaind of %s leaves with an error", n.letter)
        found = [line for line in n.log().splitlines()
                 if "Sanitizer" in line or "runtime error:" in line]
        expect(not found, "node %s: %s", n.letter, found[:3])


CHECKS = (listens, guesses, calls, spares_the_innocent, ends_in_order)


if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), Stage, CHECKS, "honeypot",
                enter=topology.enter, broken=(topology.TopologyError,))
