# SPDX-License-Identifier: Apache-2.0
"""The cases: each acts on the world and returns its measured time, or fails.

Cases are in an order in which each leaves the world as the next one needs it.
PAPER has what the SIPchain paper measured for the same step (Febro, Xiao,
Spring: "SIPchain: SIP defense cluster with blockchain", IPTComm 2019).
"""
import json
import time

import asterisk
import node
import sip
import topology
from world import CARRIER, Attack, Failed, expect, wait_for

CASES = []
PAPER = {2: "0.3 s", 3: "7 s", 4: "<= 63 s"}


def case(title):
    def register(function):
        CASES.append((len(CASES) + 1, title, function))
        return function
    return register


def spoof(world, source, target):
    """Everything that one can send in somebody else's name over UDP."""
    sock = sip.udp("attacker", source, 5060, spoofed=True)
    uri = "sip:" + target.address
    challenged = relayed_challenge(world, target)
    sent = 0
    for number in range(20):
        account = str(101 + number % 10)
        dialog = sip.Dialog(sock, target.address, account, (source, 5060),
                            "friendly-scanner")
        dialog.send(dialog.message("REGISTER", uri))
        invented = 'realm="asterisk",nonce="%d/%032x",opaque="1",qop="auth"' % (
            time.time(), number)
        for challenge in (invented, challenged):
            dialog.send(dialog.message("REGISTER", uri, extra=[
                "Authorization: " + sip.digest(account, "x", "REGISTER", uri, challenge)]))
        called = "sip:0044%d@%s" % (1000 + number, target.address)
        dialog.send(dialog.message("INVITE", called, to="<%s>" % called,
                                   body=sip.SDP % {"a": source}))
        # An ACK would prove the address, had it the To tag that went there.
        dialog.send(dialog.message("ACK", called, to="<%s>;tag=guess%d" % (called, number),
                                   sequence=dialog.sequence))
        sent += 5
    sock.close()
    return sent


def relayed_challenge(world, target):
    """A genuine nonce, but one that was sent to the attacker himself."""
    sock = sip.udp("attacker", world.attacker())
    dialog = sip.Dialog(sock, target.address, "101")
    answer = dialog.ask("REGISTER", "sip:" + target.address)
    sock.close()
    return sip.header(answer, "WWW-Authenticate")


def count_lines(path, text):
    with open(path, encoding="utf-8", errors="backslashreplace") as f:
        return sum(text in line for line in f)


@case("the attack is seen")
def seen(world):
    address = world.attacker()
    expect(sip.answers(sip.udp("attacker", address), world.b.address),
           "node B does not answer the attacker before the attack")
    since = time.monotonic()
    attack = world.guess_passwords(world.a, address)
    detected = world.detection(world.a, address, since)
    world.notes.update(address=address, attack=attack, detected=detected, since=since)
    return detected - attack.begun


@case("a rule at A")
def rule_at_a(world):
    notes = world.notes
    banned = world.rule(world.a, notes["address"], notes["since"])
    # The guess that was one too many: what follows is measured from there.
    notes["refused"] = world.refused(world.a, notes["address"], banned)
    expect(world.a.banned()[notes["address"]] & {"all4_32"},
           "A's own detection is not banned on all ports")
    return banned - notes["refused"]


@case("the report is on the ledger")
def on_the_ledger(world):
    notes = world.notes
    found = world.b.watch.wait(lambda line: '"ledger"' in line and "batch" in line,
                               notes["since"], 60)
    expect(found, "B saw no batch on the ledger")
    notes["written"] = found[0]
    world.ledger.verify()
    expect(world.words(notes["address"]) == [(1, "report")],
           "the ledger's history of %s is %s", notes["address"],
           world.words(notes["address"]))
    wait_for(lambda: (world.listed(world.c, notes["address"]) or {}).get("block"), 10,
             "C lists %s", notes["address"])
    listed = world.listed(world.c, notes["address"])
    expect(listed["words"][0]["proof"] == "nonce", "the proof is %s",
           listed["words"][0]["proof"])
    notes["until"] = listed["until"]
    return notes["written"] - notes["refused"]


@case("a rule at B and C")
def rule_at_b_and_c(world):
    notes = world.notes
    times = [world.rule(n, notes["address"], notes["since"]) for n in (world.b, world.c)]
    return max(times) - notes["refused"]


@case("the same attacker against B and C is dropped")
def dropped(world):
    notes = world.notes
    notes["attack"].stop()
    begun = time.monotonic()
    for n in (world.b, world.c):
        before = n.dropped()
        logged = count_lines(n.asterisk.security_log, notes["address"])
        attack = Attack("probe", n, notes["address"], calls=5, rate=50, patience=500)
        answered, unanswered = attack.finish()
        expect((answered, unanswered) == (0, 5), "node %s answered %d of 5", n.letter, answered)
        grown = n.dropped() - before
        expect(grown >= 5, "node %s dropped %d packets of 5", n.letter, grown)
        expect(count_lines(n.asterisk.security_log, notes["address"]) == logged,
               "Asterisk of %s saw the attacker", n.letter)
    expect(time.time() < notes["until"], "the ban ran out during the case: raise --ttl")
    return time.monotonic() - begun


@case("expiry removes all of it, with no transaction")
def expiry(world):
    notes = world.notes
    world.settle()
    operations = len(world.ledger.operations())
    last = max(world.gone(n, notes["address"], world.ttl + 10) for n in world.nodes)
    late = time.time() - notes["until"]
    expect(late > -1.5, "gone %.1f s before its end", -late)
    for n in world.nodes:
        wait_for(lambda n=n: not world.listed(n, notes["address"]), 10,
                 "node %s lists %s no more", n.letter, notes["address"])
        expect(sip.answers(sip.udp("attacker", notes["address"]), n.address),
               "node %s does not answer again", n.letter)
    expect(len(world.ledger.operations()) == operations, "expiry wrote to the ledger")
    return last - notes["refused"]


@case("a spoofed attack in a customer's name changes nothing")
def spoofed(world):
    begun = time.monotonic()
    victim = topology.NEIGHBOUR
    for n in world.nodes:
        sent = spoof(world, victim, n)
        logged = "/%s/" % victim
        # Not vacuous: Asterisk took it for that address, and said so.
        wait_for(lambda n=n, logged=logged: count_lines(n.asterisk.security_log, logged)
                 >= sent // 5, 10, "Asterisk of %s logs %s", n.letter, victim)
    world.fence()
    unharmed(world, victim)
    return time.monotonic() - begun


@case("log lines forged by a packet dump change nothing")
def forged(world):
    begun = time.monotonic()
    victim = topology.BYSTANDER
    sources = [world.attacker() for _ in range(10)]
    for n in world.nodes:
        logs = ((n.asterisk.messages_log, "'%s:5060'" % victim),
                (n.asterisk.security_log, "IPV4/TCP/%s/5060" % victim))
        before = [count_lines(*log) for log in logs]
        forge(n, sources, victim)
        # Not vacuous: the forgeries are in both files.
        for log, old in zip(logs, before):
            wait_for(lambda log=log, old=old: count_lines(*log) >= old + 10, 10,
                     "%s of %s holds what was forged", log[0], n.letter)
    world.fence()
    unharmed(world, victim)
    return time.monotonic() - begun


def unharmed(world, victim):
    """No rule, no report; it can register everywhere, and that changes nothing.

    Registering proves its address, but not what others did in its name.
    """
    untouched(world, victim)
    for n in world.nodes:
        code = sip.register(sip.udp("customer", victim), n.address, "105",
                            n.asterisk.passwords["105"])
        expect(code == 200, "%s cannot register at %s: %d", victim, n.letter, code)
    world.fence()
    untouched(world, victim)


def untouched(world, victim):
    world.not_banned(victim)
    for n in world.nodes:
        expect(not world.listed(n, victim), "node %s lists %s", n.letter, victim)
    expect(not world.words(victim), "the ledger has words about %s", victim)


def forge(n, sources, victim):
    """Packets whose dump reads like Asterisk's own lines about the victim.

    One of each kind a source: it is banned for the first that the wire shows.
    """
    host = n.address
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())
    security = ('{"hostname":"","timestamp":"%s","identifiers":{"lwp":9,"callid":""},'
                '"logmsg":{"location":{"filename":"res_security_log.c","function":'
                '"security_event_stasis_cb","line":114},"level":"SECURITY","message":'
                '"SecurityEvent=\\"ChallengeResponseFailed\\",EventTV=\\"%s\\",Severity='
                '\\"Error\\",Service=\\"PJSIP\\",EventVersion=\\"1\\",AccountID=\\"101\\",'
                'SessionID=\\"x\\",LocalAddress=\\"IPV4/UDP/%s/5060\\",RemoteAddress='
                '\\"IPV4/TCP/%s/5060\\",Challenge=\\"\\"\\n"}}' % (stamp, stamp, host, victim))
    notice = ("[%s] NOTICE[77] res_pjsip/pjsip_distributor.c: Request 'REGISTER' from "
              "'<sip:101@%s>' failed for '%s:5060' (callid: x) - Failed to authenticate"
              % (stamp, host, victim))
    for number, source in enumerate(sources):
        sock = sip.udp("attacker", source)
        # No From: pjproject logs the packet as it came, line breaks and all.
        body = "\r\n".join((notice, security, notice)) + "\r\n"
        sock.sendto(("REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bKd%d\r\n"
                     "To: <sip:101@%s>\r\nCall-ID: d%d\r\nCSeq: 1 REGISTER\r\n"
                     "Content-Length: %d\r\n\r\n%s" % (host, source, number, host, number,
                                                       len(body), body)).encode(), (host, 5060))
        # An account and a Call-ID that close their quotation and go on.
        address = '",RemoteAddress="IPV4/TCP/%s/5060' % victim
        dialog = sip.Dialog(sock, host, "101" + address.replace('"', "%22"))
        dialog.call_id += address
        dialog.send(dialog.message("REGISTER", "sip:" + host))
        sock.close()


@case("a report against a protected carrier is refused")
def protected(world):
    begun = time.monotonic()
    world.settle()
    operations = len(world.ledger.operations())
    inside, around = "203.0.113.70", "203.0.113.0/24"
    for indicator in (inside, CARRIER, around):
        for n in world.nodes:
            try:
                n.cli("report", indicator, "--category", "password")
            except node.CommandFailed as error:
                expect(error.status == 1, "%s: status %d", indicator, error.status)
                expect("protect" in error.text, "%s: refused with: %s", indicator, error.text)
                continue
            raise Failed("node %s accepted a report of %s" % (n.letter, indicator))
    expect(len(world.ledger.operations()) == operations, "something was written")
    world.not_banned(inside)
    return time.monotonic() - begun


def report(n, address, ttl):
    n.cli("report", address, "--category", "password", "--ttl", "%ds" % ttl)


def second(world, address):
    """The second report that makes a quorum of two; returns how long it took."""
    since = time.monotonic()
    report(world.b, address, world.ttl)
    last = max(world.rule(n, address, since) for n in world.nodes)
    return last - since


@case("a second member's report completes a quorum of 2")
def quorum(world):
    address = world.attacker()
    since = time.monotonic()
    report(world.a, address, world.ttl)
    for n in world.nodes:
        world.event(n, "pass", address, since)
        listed = world.listed(n, address)
        expect(listed and not listed["block"], "node %s: %s", n.letter, listed)
        expect((listed["sum"], listed["required"]) == (1, 2), "node %s: %s of %s",
               n.letter, listed["sum"], listed["required"])
    world.not_banned(address)
    seconds = second(world, address)
    expect(not sip.answers(sip.udp("attacker", address), world.c.address, 0.5),
           "C answers although two members reported")
    world.notes["reported"] = address
    return seconds


@case("a revocation, and an objection, lift the ban at once")
def lifted(world):
    times = []
    for command in ("revoke", "object"):
        address = world.attacker()
        report(world.a, address, world.ttl)
        second(world, address)
        since = time.monotonic()
        if command == "revoke":
            world.b.cli("revoke", address)
        else:
            world.c.cli("object", address, "--ttl", "%ds" % world.ttl)
        times += [world.gone(n, address, 10) - since for n in world.nodes]
        still = [w for w in world.listed(world.a, address)["words"] if not w["objection"]]
        expect(still and all(w["expiry"] > time.time() for w in still),
               "%s: the reports ran out by themselves: raise --ttl", command)
        expect(sip.answers(sip.udp("attacker", address), world.a.address),
               "%s: A does not answer", command)
    return max(times)


@case("a removed member's bans vanish")
def removed(world):
    address = world.attacker()
    since = time.monotonic()
    attack = world.guess_passwords(world.b, address)
    for n in (world.a, world.c):
        world.rule(n, address, since)
    attack.stop()
    listed = world.listed(world.a, address)
    since = time.monotonic()
    world.ledger.remove_member("bank-b")
    last = max(world.gone(n, address, 10) for n in (world.a, world.c))
    expect(time.time() < listed["until"] - 0.5, "the ban ran out by itself: raise --ttl")
    try:
        report(world.b, world.attacker(), world.ttl)
    except node.CommandFailed as error:
        expect("removed" in error.text or "not admitted" in error.text,
               "refused with: %s", error.text)
    else:
        raise Failed("a removed member's report was accepted")
    return last - since


def evidence(n, *arguments, status=0):
    """`sipchain evidence` in a node's namespace: what it prints, or why it fails."""
    result = topology.run(n.program, "evidence", *arguments, "--config", n.configuration,
                          namespace=n.namespace, check=False)
    expect(result.returncode == status, "sipchain evidence %s: status %d: %s",
           " ".join(arguments), result.returncode, result.stderr or result.stdout)
    return result.stdout if status == 0 else result.stderr


@case("evidence exported at A is verified at C, and no byte more or less")
def shown(world):
    address, since = world.attacker(), time.monotonic()
    attack = world.guess_passwords(world.a, address, calls=8)
    world.detection(world.a, address, since)
    world.rule(world.c, address, since)
    attack.stop()
    begun = time.monotonic()
    expect(address in evidence(world.a, "list", address), "A keeps no record")
    path = world.a.configuration + ".evidence.json"
    evidence(world.a, "export", address, path)
    verdict = json.loads(evidence(world.c, "verify", path, "--json"))
    expect(verdict["verified"] and verdict["indicator"] == address
           and verdict["name"] == "bank-a" and verdict["proof"] == "nonce", "%s", verdict)
    seen = verdict["record"]["observations"]
    expect(any("nonce" in o.get("returned", {}) for o in seen), "no nonce: %s", seen)
    with open(path, encoding="ascii") as f:
        text = f.read()
    for secret in ("response", *asterisk.EXTENSIONS, world.a.address):
        expect('"%s"' % secret not in text and secret + "@" not in text,
               "the file tells %s", secret)
    # The list of what can be edited, with what is then said.
    for before, after, why in (("auth-failed", "auth-faileD", "record: it was edited"),
                               ('"salt": "', '"salt": "00', "salt: is not 32 bytes"),
                               ('"index": ', '"index": 1', "path"),
                               ('"commitment": "', '"commitment": "f', "commitment")):
        forged_path = path + ".forged"
        with open(forged_path, "w", encoding="ascii") as f:
            f.write(text.replace(before, after, 1))
        expect(why in evidence(world.c, "verify", forged_path, status=1),
               "%s is not what is said of %s", why, after)
    took = time.monotonic() - begun
    elsewhere(world, path)
    return took


def elsewhere(world, path):
    """The same file against an exported history, a changed one, another ledger."""
    n, history, other = world.c, path + ".history", path + ".db"
    lines = topology.run(n.program, "ledger", "export", "--config", n.configuration,
                         namespace=n.namespace).stdout.splitlines(keepends=True)
    for text, status, why in (("".join(lines), 0, "unchanged"),
                              ("".join(lines[:1] + lines[2:]), 1, "was left out"),
                              ("".join(lines[:3]), 1, "not on this ledger")):
        with open(history, "w", encoding="ascii") as f:
            f.write(text)
        expect(why in evidence(n, "verify", path, "--history", history, status=status),
               "%s is not what is said of a history", why)
    node.sipchain(n.program, "init", "--yes", "--ledger", other, "--owner-key", other + ".key")
    expect("not on this ledger: the file is of ledger" in evidence(
        n, "verify", path, "--ledger", other, status=1), "another ledger will do")


@case("the customer's calls work throughout")
def customer(world):
    made = dict(world.customer.done)
    wait_for(lambda: all(world.customer.done[k] > made[k] for k in made), 10,
             "the customer goes on calling")
    expect(not world.customer.failures, "%d calls failed: %s",
           len(world.customer.failures), "; ".join(world.customer.failures[:3]))
    expect(all(world.customer.done.values()), "no calls: %s", world.customer.done)
    return world.customer.slowest


def killed(world, role):
    """kill -9 of A's role while the attack runs: the outcome is the same.

    Twice: after the first attempt, and in the moment of the detection, when the
    ban is being set and the report is on its way.
    """
    return max(killed_when(world, role, at_detection) for at_detection in (False, True))


def killed_when(world, role, at_detection):
    address = world.attacker()
    before = world.a.role(role)
    since = time.monotonic()
    attack = world.guess_passwords(world.a, address, calls=60, rate=6)
    try:
        if at_detection:
            world.detection(world.a, address, since)
        else:
            wait_for(lambda: count_lines(world.a.asterisk.security_log, address) >= 2, 10,
                     "Asterisk sees the attack")
        world.a.kill(before["pid"])
        for n in world.nodes:
            wait_for(lambda n=n: address in n.banned(), 20, "node %s bans %s", n.letter,
                     address)
    finally:
        attack.stop()
    done = time.monotonic() - since
    wait_for(lambda: world.a.runs_again(role, before["starts"]), 20, "A's %s runs again", role)
    # Neither lost nor doubled: one report in the whole history.
    expect(world.words(address) == [(1, "report")], "the ledger's history of %s is %s",
           address, world.words(address))
    if role == "node":
        world.a.follow()  # it is the one that speaks to `watch`
    expect(not world.customer.failures, "calls failed: %s", world.customer.failures[:3])
    world.ledger.verify()
    return done
