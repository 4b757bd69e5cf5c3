# SPDX-License-Identifier: Apache-2.0
"""The cases about numbers: dialled at A's honeypot, refused by B's and C's PBXs."""
import secrets
import time

import asterisk
import kamailio
import node
import sip
import topology
from cases import case
from world import CARRIER_NUMBER, Failed, expect, wait_for

# As it is dialled where a 9 gets an outside line and where none is needed.
PREMIUM = "+972590000101"
DIALLED = ("00972590000101", "900972590000101", "011972590000101", "9011972590000101",
           "+972590000101")
OTHER = "900972590000199"
FORBIDDEN = 'Q.850;cause=21'


def probe(world, source):
    """Dial until the number is told, as who looks for the prefix that leads out does."""
    sock = sip.udp("attacker", source)
    try:
        for string in DIALLED:
            try:
                sip.call(sock, topology.HONEYPOT, "1000", "1000", string, seconds=5)
            except sip.NoAnswer:
                return  # banned
    finally:
        sock.close()


def at_asterisk(world, number):
    """(status, Reason) of a call from the customer's phone at B."""
    user, reasons = asterisk.EXTENSIONS[0], []
    sock = sip.udp("customer", topology.CUSTOMER)
    code = sip.call(sock, world.b.address, user, world.b.asterisk.passwords[user], number,
                    reasons=reasons)
    sock.close()
    return code, "".join(reasons)


def at_proxy(number):
    """The same through C's Kamailio, which sends what it lets through to the carrier."""
    user = sorted(kamailio.ACCOUNTS)[1]
    sock = sip.udp("customer", topology.CUSTOMER)
    dialog = sip.Dialog(sock, topology.PROXY, user)
    uri = "sip:%s@%s" % (number, topology.PROXY)
    options = {"to": "<%s>" % uri, "body": sip.SDP % {"a": dialog.source[0]}}
    try:
        answer, extra = None, ()
        for challenged in (False, True):
            branch = "z9hG4bK" + secrets.token_hex(8)
            if challenged:
                extra = ["Proxy-" + dialog.authorized(
                    answer, kamailio.ACCOUNTS[user], "INVITE", uri)]
            answer = dialog.ask("INVITE", uri, branch=branch, extra=extra, **options)
            dialog.send(dialog.message("ACK", uri, to=sip.header(answer, "To"), branch=branch,
                                       sequence=dialog.sequence))
        return sip.status(answer), sip.header(answer, "Reason") or ""
    finally:
        sock.close()


def calls_end(world, asterisk_code, proxy_code, number=DIALLED[1]):
    """Both PBXs answer a call so, the refusals with their cause."""
    for where, (code, reason), wanted in (("B's Asterisk", at_asterisk(world, number),
                                           asterisk_code),
                                          ("C's Kamailio", at_proxy(number), proxy_code)):
        expect(code == wanted, "%s answers a call to %s with %d", where, number, code)
        expect(code == 200 or FORBIDDEN in reason, "%s gives no cause but %s", where, reason)


@case("premium numbers dialled at A's honeypot are on the ledger")
def dialled(world):
    calls_end(world, 200, 200)
    begun = time.monotonic()
    sources = [world.attacker() for _ in range(3)]
    for source in sources:
        probe(world, source)
        if world.listed(world.c, PREMIUM):
            break
    for indicator in (PREMIUM, sources[0]):
        wait_for(lambda i=indicator: world.listed(world.c, i), 20, "C lists %s", indicator)
    word = world.listed(world.c, PREMIUM)["words"][0]
    expect(word["category"] == "fraud" and word["proof"] in ("rule", "cluster"),
           "%s is reported as %s, proof %s", PREMIUM, word["category"], word["proof"])
    expect(world.listed(world.c, sources[0])["words"][0]["proof"] == "nonce",
           "the source's proof is %s", world.listed(world.c, sources[0])["words"][0])
    expect(PREMIUM in evidence_of(world.a), "A keeps no record of the number")
    world.ledger.verify()
    return time.monotonic() - begun


def evidence_of(n):
    return n.cli("evidence", "list", PREMIUM, check=False)


@case("a call to it ends in 403 at B's Asterisk, in 603 at C's Kamailio")
def refused(world):
    begun = time.monotonic()
    keep(world)
    for n, name in ((world.b, "pbx"), (world.c, "proxy")):
        wait_for(lambda n=n, name=name: standing(n, name) >= 1, 10,
                 "%s's connector has it", n.letter)
    calls_end(world, 403, 603)
    calls_end(world, 200, 200, OTHER)
    expect(world.carrier.numbers[-1] == OTHER, "the carrier was called %s",
           world.carrier.numbers[-1:])
    return time.monotonic() - begun


def keep(world):
    """It lives as long as the network's reports do: told again by hand if it has ended."""
    listed = world.listed(world.b, PREMIUM)
    if not listed or listed["until"] < time.time() + world.ttl / 2:
        for n in (world.a, world.c):
            n.cli("report", PREMIUM, "--category", "fraud", "--ttl", "%ds" % world.ttl)


def standing(n, name):
    answer = n.ask("connector", "status", name)["connectors"][0]
    return answer["standing"] if not answer["queued"] else 0


@case("a hit tells who called: account and source")
def hit(world):
    keep(world)
    wait_for(lambda: standing(world.b, "pbx") >= 1, 10, "B's connector has it")
    since = time.monotonic()
    at_asterisk(world, DIALLED[1])
    told = world.b.watch.wait(lambda line: '"hit"' in line, since, 30)
    expect(told and '"%s"' % asterisk.EXTENSIONS[0] in told[1] and topology.CUSTOMER in told[1]
           and PREMIUM in told[1], "the hit tells %s", told and told[1])
    return told[0] - since


@case("a revocation lets the call through")
def revoked(world):
    keep(world)
    for n in (world.a, world.c):
        n.cli("revoke", PREMIUM, check=False)
    since = time.monotonic()
    for n, name in ((world.b, "pbx"), (world.c, "proxy")):
        wait_for(lambda n=n, name=name: not n.ask("connector", "status", name)[
            "connectors"][0]["standing"], 10, "%s's connector lost it", n.letter)
    took = time.monotonic() - since
    calls_end(world, 200, 200)
    return took


@case("the carrier's own number is refused as an indicator")
def own_carrier(world):
    begun = time.monotonic()
    world.settle()
    operations = len(world.ledger.operations())
    for indicator in (CARRIER_NUMBER, "+442079460*"):
        try:
            world.c.cli("report", indicator, "--category", "fraud")
        except node.CommandFailed as error:
            expect("carrier" in error.text, "refused with: %s", error.text)
            continue
        raise Failed("node c reported %s" % indicator)
    expect(len(world.ledger.operations()) == operations, "something was written")
    # Nor does the others' word count there.
    world.a.cli("report", CARRIER_NUMBER, "--category", "fraud", "--ttl", "%ds" % world.ttl)
    wait_for(lambda: world.listed(world.c, CARRIER_NUMBER), 20, "C lists it")
    listed = world.listed(world.c, CARRIER_NUMBER)
    expect(not listed["block"] and listed["why"] == "allowed", "C says of it: %s", listed)
    code, _ = at_proxy("902079460999")
    expect(code == 200, "the call to the carrier ends with %d", code)
    return time.monotonic() - begun
