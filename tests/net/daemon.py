#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""daemon.py --build FOLDER [--results FILE]: how sipchaind lives and dies.

Nodes in network namespaces of their own, made by root or by a plain user. They
have no PBX: attacks are written into the security logs that they follow. Each
check is a line. Leaves with 1 when one failed, 2 when the stage could not be
set.
"""
import os
import random
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import checks
import node
import run
import topology
from bare import (LONGEST, PROTECTED, Sources, Stage, expect_each_once,
                  expect_never_reported, expect_reported_once, wait_reported, words)
from world import Failed, expect, wait_for

STREAM = 60                    # detections while roles are killed
BURST = 200                    # detections in the midst of which node is killed


# --- one ledger, nodes a and b ---

def proofs(s):
    """Proved by TCP: banned and shared. By UDP: banned here, never shared."""
    udp = s.a.attack(s.source(), count=6, transport="UDP")
    s.a.wait_banned(udp, "all4_32")
    tcp = s.a.attack(s.source())
    s.a.wait_banned(tcp, "all4_32")
    s.b.wait_banned(tcp, "sip4_32")
    expect_reported_once(s.ledger, s.a, tcp)
    word = words(s.ledger, tcp)[0]
    expect(word["proof"] == "tcp" and word["category"] == "password",
           "it is reported as %s, proof %s", word["category"], word["proof"])
    expect_never_reported(s.ledger, udp)
    expect(udp not in s.b.banned(), "b bans what only UDP told a")
    expect(not s.a.passes(tcp) and not s.b.passes(tcp), "its packets pass")
    expect(s.b.passes(udp), "an innocent address does not reach b")


def resume(s):
    """What the PBX writes while sipchaind is down is read once, afterwards."""
    s.a.fence()
    expect(s.a.stop() == 0, "it does not end in order")
    proved = s.a.attack(Sources.fresh())
    spoofed = s.a.attack(Sources.fresh(), transport="UDP")
    s.a.attack(PROTECTED)
    s.a.restart()
    s.a.wait_banned(proved, "all4_32")
    s.a.wait_banned(spoofed, "all4_32")
    s.b.wait_banned(proved, "sip4_32")
    wait_for(lambda: s.a.ask("status")["sense"]["log_lines"] >= 9, 10, "9 lines are read")
    s.a.stop()
    s.a.restart()
    last = s.a.fence()
    wait_reported(s.ledger, last)
    wait_for(lambda: s.a.ask("status")["sense"]["log_lines"] >= 3, 10, "3 lines are read")
    lines = s.a.ask("status")["sense"]["log_lines"]
    expect(lines == 3, "after the second start %d lines were read, not the 3 new ones", lines)
    expect_reported_once(s.ledger, s.a, proved)
    expect_never_reported(s.ledger, spoofed)
    expect_never_reported(s.ledger, PROTECTED)
    expect(PROTECTED not in s.a.banned(), "the protected address is banned")


def wrong_reload(s):
    """SIGHUP with an error in the file: told by its line, nothing changes."""
    where = s.a.configure({"detect.auth_failed": "2/10m", "detect.forget": "soon"})
    s.a.hangup()
    told = "%s:%d:" % (s.a.configuration, where["detect.forget"])
    wait_for(lambda: "the old one stays in force" in s.a.log(), 10, "it refuses the file")
    expect(told in s.a.log(), "the log does not name %s", told)
    twice = s.a.attack(Sources.fresh(), count=2)
    s.a.fence()
    expect(twice not in s.a.banned(), "the new threshold counts all the same")


def right_reload(s):
    """SIGHUP: a new allow entry lifts bans of both kinds, a threshold counts."""
    own = s.a.attack(s.source())
    s.a.wait_banned(own, "all4_32")
    learnt = s.source()
    s.b.cli("report", learnt, "--category", "password")
    s.a.wait_banned(learnt, "sip4_32")
    # own is learnt as well by now: both of its bans are to go.
    s.a.wait_banned(own, "sip4_32")
    s.a.configure({"detect.auth_failed": "2/10m", "allow.entry": own + "/32 customer"})
    s.a.hangup()
    wait_for(lambda: own not in s.a.banned(), 10, "the own ban is lifted")
    expect(s.a.passes(own), "it is not listed, yet its packets are dropped")
    expect(learnt in s.a.banned(), "another ban went with it")
    twice = s.a.attack(Sources.fresh(), count=2)
    s.a.wait_banned(twice, "all4_32")
    s.a.configure({"allow.entry": learnt})
    s.a.hangup()
    wait_for(lambda: learnt not in s.a.banned(), 10, "the learnt ban is lifted")
    # What the entry held back comes back: the others still report it.
    s.a.wait_banned(own, "sip4_32")
    s.a.configure({})
    s.a.hangup()
    s.a.wait_banned(learnt, "sip4_32")


def stopped(s):
    """SIGTERM leaves the bans; what was revoked meanwhile goes at the start."""
    own = s.a.attack(s.source())
    stays, goes = s.source(), s.source()
    for address in (stays, goes):
        s.b.cli("report", address, "--category", "scan")
    s.a.wait_banned(own, "all4_32")
    for address in (own, stays, goes):
        s.a.wait_banned(address, "sip4_32")
    before = s.a.ends()
    expect(s.a.stop() == 0, "it does not end in order")
    dropped = s.a.dropped()
    for address in (own, stays, goes):
        expect(not s.a.passes(address), "while it is down packets of %s pass", address)
    expect(s.a.dropped() > dropped, "the rules' counters do not count")
    s.b.cli("revoke", goes)
    s.a.restart()
    s.a.wait_not_banned(goes, "sip4_32")
    expect(s.a.passes(goes), "%s was revoked, its packets are dropped", goes)
    after = s.a.ends()
    for name in ((own, "all4_32"), (own, "sip4_32"), (stays, "sip4_32")):
        expect(name in after, "after the restart %s is not in %s", *name)
        # nft shows whole seconds.
        expect(abs(after[name] - before[name]) < 3, "the end of %s in %s moved by %.1f s",
               *name, after[name] - before[name])


def clock_set(s):
    """What the kernel was told in lengths of time is told anew, or taken out."""
    early, late = s.source(), s.source()
    with s.a.clocked(s.build) as clock:
        s.b.cli("report", early, "--category", "scan", "--ttl", "20m")
        s.b.cli("report", late, "--category", "scan", "--ttl", "55m")
        for address in (early, late):
            s.a.wait_banned(address, "sip4_32")
        before = s.a.ends()
        clock.set_wall(1800)
        s.a.wait_not_banned(early, "sip4_32")
        expect(s.a.passes(early), "its report has ended, its packets are dropped")
        s.a.wait_end(late, "sip4_32", before[late, "sip4_32"] - 1800)
        clock.set_wall(0)
        for address in (early, late):
            s.a.wait_end(address, "sip4_32", before[address, "sip4_32"])


def flushed(s):
    """`nft flush ruleset`: the bans stand, or stand again at once."""
    own = s.a.attack(s.source())
    s.a.wait_banned(own, "all4_32")
    s.a.wait_banned(own, "sip4_32")
    before = s.a.banned()
    begun = time.monotonic()
    topology.run("nft", "flush", "ruleset", namespace=s.a.namespace)
    wait_for(lambda: s.a.banned() == before, 10, "all %d bans stand again", len(before))
    expect(not s.a.passes(own), "it is listed, yet its packets pass")
    return time.monotonic() - begun


def protected_later(s):
    """Extending the protected table lifts own and learnt bans everywhere."""
    address = s.a.attack(s.source())
    s.a.wait_banned(address, "all4_32")
    s.b.wait_banned(address, "sip4_32")
    s.b.attack(address)
    s.b.wait_banned(address, "all4_32")
    s.ledger.administer("protect", "add", address)
    for n in (s.a, s.b):
        wait_for(lambda n=n: address not in n.banned(), 10, "%s lifts its bans", n.letter)
        expect(n.passes(address), "%s drops its packets", n.letter)
    s.a.attack(address, count=6)
    s.a.fence()
    expect(address not in s.a.banned(), "a new attack has it banned again")


def paused(s):
    """A pause: reports are refused for good, revocations pass, own bans wait."""
    revoked, told, surprised = (Sources.fresh() for _ in range(3))
    s.b.cli("report", revoked)
    s.a.wait_banned(revoked, "sip4_32")
    # a learns of the pause only when the ledger refuses what it submits.
    s.a.signal("ledger", signal.SIGSTOP)
    asking = threading.Thread(target=lambda: answers.append(
        s.a.cli("report", surprised, check=False)))
    answers = []
    asking.start()
    s.a.wait_outbox("submitted", 1)
    s.ledger.administer("ledger", "pause")
    s.a.signal("ledger", signal.SIGCONT)
    asking.join(20)
    expect(answers and "final" not in answers[0], "the report in the pause: %s", answers)
    wait_for(lambda: s.a.ask("status")["ledger"]["paused"], 10, "a knows of the pause")
    try:
        s.a.cli("report", told)
        raise Failed("a report is accepted in the pause")
    except node.CommandFailed as refusal:
        expect("paused" in refusal.text, "it is refused with: %s", refusal.text)
    s.b.cli("revoke", revoked)
    s.a.wait_not_banned(revoked, "sip4_32")
    own = s.a.attack(Sources.fresh())
    s.a.wait_banned(own, "all4_32")
    expect_never_reported(s.ledger, own)
    s.ledger.administer("ledger", "unpause")
    wait_reported(s.ledger, own)
    wait_reported(s.ledger, s.a.fence())
    expect_reported_once(s.ledger, s.a, own)
    for address in (told, surprised):
        expect_never_reported(s.ledger, address)


def longest(s):
    """The longest batch there can be reaches the nodes, and what follows it."""
    uris = s.append_longest()
    expect(len(set(uris)) == LONGEST and {len(uri) for uri in uris} == {255}, "the helper")
    many = ["sip:" + ("%d" % i).zfill(235) + "@203.0.113.201" for i in range(12)]
    # While its ledger role stands still they gather into one batch.
    s.a.signal("ledger", signal.SIGSTOP)
    asking = [threading.Thread(target=s.a.cli, args=("report", uri)) for uri in many]
    for thread in asking:
        thread.start()
    wait_for(lambda: s.a.ask("status")["outbox"]["waiting"] >= len(many) - 1, 20,
             "its outbox holds them")
    s.a.signal("ledger", signal.SIGCONT)
    for thread in asking:
        thread.join(20)
    for n in (s.a, s.b):
        def texts(n=n):
            return {i.get("source") for i in n.ask("list", "--kind", "uri")["indicators"]}
        wait_for(lambda: set(uris + many) <= texts(), 20, "node %s lists all %d texts",
                 n.letter, len(uris + many))
    s.b.wait_banned(s.a.attack(Sources.fresh()), "sip4_32")
    s.ledger.verify()


def node_dies_unanswered(s):
    """node dies when its batch stands on the ledger and it has not heard so."""
    s.b.signal("ledger", signal.SIGSTOP)
    address = s.b.attack(Sources.fresh())
    s.b.wait_outbox("submitted", 1)
    ledger, doomed = s.b.role("ledger")["pid"], s.b.role("node")["pid"]
    os.kill(doomed, signal.SIGSTOP)
    os.kill(ledger, signal.SIGCONT)
    wait_reported(s.ledger, address)
    os.kill(doomed, signal.SIGKILL)
    s.b.wait_settled()
    wait_reported(s.ledger, s.b.fence())
    expect_reported_once(s.ledger, s.b, address)
    s.b.wait_banned(address, "all4_32")


def ledger_dies_unanswered(s):
    """ledger dies between its commit and the answer to the node.

    The node stands still and its socket is full: the answer never leaves.
    """
    s.b.signal("ledger", signal.SIGSTOP)
    address = s.b.attack(Sources.fresh())
    s.b.wait_outbox("submitted", 1)
    doomed, waiting = s.b.role("ledger")["pid"], s.b.role("node")["pid"]
    os.kill(waiting, signal.SIGSTOP)
    for _ in range(4):
        s.append_longest()
    os.kill(doomed, signal.SIGCONT)
    wait_reported(s.ledger, address)
    os.kill(doomed, signal.SIGKILL)
    os.kill(waiting, signal.SIGCONT)
    s.b.wait_settled()
    expect("were on their way when something died" in s.b.log(), "the answer arrived")
    wait_reported(s.ledger, s.b.fence())
    expect_reported_once(s.ledger, s.b, address)


def burst(s):
    """Many detections at once: the outbox's largest batches go through."""
    s.b.signal("ledger", signal.SIGSTOP)
    addresses = [s.b.attack(Sources.fresh()) for _ in range(BURST)]
    try:
        # The first ones are on their way; the others wait for their fate.
        wait_for(lambda: sum(s.b.ask("status")["outbox"][state] for state in
                             ("waiting", "submitted")) == BURST, 20,
                 "its outbox holds all %d", BURST)
    finally:
        s.b.signal("ledger", signal.SIGCONT)
    s.b.wait_settled(20)
    expect_each_once(s.ledger, s.b, addresses)


def killed(s):
    """kill -9 of node and ledger at random moments of a stream of attacks."""
    seed = int(time.time())
    chance = random.Random(seed)
    kills = {moment: role for role in ("node", "ledger")
             for moment in chance.sample(range(2, STREAM - 2), 4)}
    addresses, made = [Sources.fresh() for _ in range(STREAM)], 0
    for number, address in enumerate(addresses):
        s.a.attack(address)
        time.sleep(chance.uniform(0.0, 0.1))
        if number in kills:
            made += s.a.kill_role(kills[number])
    expect(made >= 3, "only %d kills (seed %d)", made, seed)
    s.a.wait_settled()
    s.a.fence()
    s.a.wait_settled()
    expect_each_once(s.ledger, s.a, addresses, "seed %d" % seed)
    s.b.wait_banned(addresses[-1], "sip4_32")
    missing = set(addresses) - set(s.b.banned())
    expect(not missing, "b does not ban %s (seed %d)", sorted(missing), seed)


def killed_in_burst(s):
    """node killed in the midst of many detections: what it read twice counts once.

    Its lines are read again, for it had not come to note how far it was.
    """
    addresses = [Sources.fresh() for _ in range(BURST)]
    before = s.b.role("node")["pid"]
    os.kill(before, signal.SIGSTOP)
    for address in addresses:
        s.b.attack(address)
    read = len(s.b.log())
    os.kill(before, signal.SIGCONT)
    wait_for(lambda: s.b.log().count("offence 1", read) >= BURST // 4, 20,
             "b detects a quarter of them")
    os.kill(before, signal.SIGKILL)
    s.b.wait_settled()
    wait_reported(s.ledger, s.b.fence())
    s.b.wait_settled()
    expect_each_once(s.ledger, s.b, addresses)
    latest = time.time() + 600 + 1
    for ban in s.b.ask("banned")["bans"]:
        expect(ban["indicator"] not in addresses or ban["origin"] != "own"
               or ban["until"] <= latest, "%s is banned as for a second offence, until %d",
               ban["indicator"], ban["until"])


# --- node c, whose ledger is not there at first ---

def no_ledger(s):
    """No ledger: this site is defended, the trouble is told, nothing is lost."""
    address = s.c.first

    def goes_on():
        """A log that was never read before is read from its end on."""
        s.c.attack(address)
        time.sleep(0.3)
        return "all4_32" in s.c.banned().get(address, ())
    wait_for(goes_on, 30, "c bans %s", address)
    ledger = s.c.ask("status")["ledger"]
    expect(not ledger["healthy"] and not ledger["caught_up"], "status: %s", ledger)
    expect(s.other_ledger.path in ledger["text"], "status says of the ledger: %s",
           ledger["text"])
    expect(s.other_ledger.path in s.c.cli("status"), "the table of `status` does not say it")
    s.hide_ledger(False)
    wait_reported(s.other_ledger, address, 40)
    s.c.wait_ready()
    expect_reported_once(s.other_ledger, s.c, address)
    expect(s.c.ask("status")["ledger"]["text"] == "healthy", "it stays in trouble")


def ruleset(n):
    return topology.run("nft", "list", "ruleset", namespace=n.namespace).stdout


def observe_start(s):
    """Restarted to observe: the table goes; bans are decided and only listed."""
    expect("sipchain" in ruleset(s.c), "there is nothing to remove")
    s.c.stop()
    expect("sipchain" in ruleset(s.c), "the table went with the stop")
    s.c.configure({"node.observe": "yes"})
    s.c.start()
    wait_for(lambda: "sipchain" not in ruleset(s.c), 20, "the table is removed")
    s.c.attack(s.c.observed)
    wait_for(lambda: s.c.would_ban() >= {s.c.first, s.c.observed}, 20,
             "`banned` lists what would be")
    expect(not ruleset(s.c).strip(), "there are rules: %s", ruleset(s.c)[:300])
    expect_never_reported(s.other_ledger, s.c.observed)


def observe_switched(s):
    """SIGHUP from observe to enforcing puts the bans in, and back removes them."""
    s.c.configure({})
    s.c.hangup()
    for address in (s.c.first, s.c.observed):
        s.c.wait_banned(address, "all4_32")
        expect(not s.c.passes(address), "%s is listed, yet its packets pass", address)
    s.c.configure({"node.observe": "yes"})
    s.c.hangup()
    wait_for(lambda: not ruleset(s.c).strip(), 10, "the table is removed again")
    expect(s.c.passes(s.c.first), "its packets are dropped")
    expect(s.c.would_ban() >= {s.c.first, s.c.observed}, "`banned` lists %s",
           s.c.would_ban())


SHARED = [
    ("what TCP proves is banned and reported, UDP never reported", proofs),
    ("lines written while it is down are read exactly once", resume),
    ("SIGHUP: a wrong file is told by its line and changes nothing", wrong_reload),
    ("SIGHUP: allow entries lift bans, thresholds change", right_reload),
    ("SIGTERM leaves the bans; a revocation is made up for", stopped),
    ("bans stand again after nft flush ruleset", flushed),
    ("the clock is set ahead and right: bans follow in the kernel", clock_set),
    ("protect add lifts own and learnt bans everywhere", protected_later),
    ("pause: reports refused for good, own ones wait, once", paused),
    ("the longest batch is told, and what comes after it", longest),
    ("node dies after the commit: one report", node_dies_unanswered),
    ("ledger dies between commit and answer: one report", ledger_dies_unanswered),
    ("node and ledger killed in a stream: one report each", killed),
    ("a burst of detections is reported whole, at once", burst),
    ("node killed in a burst: one offence each", killed_in_burst),
]
ALONE = [
    ("no ledger file: bans here, says so, reports later", no_ledger),
    ("restart into observe removes the table, lists bans", observe_start),
    ("SIGHUP out of observe and back", observe_switched),
]


def play(stage, table, cases):
    """Run checks in their order, each into the table."""
    for title, function in cases:
        begun, error = time.monotonic(), None
        try:
            function(stage)
        except Failed as failure:
            error = str(failure)
        except Exception as failure:  # a check must not take the others with it
            error = "%s: %s" % (type(failure).__name__, failure)
        with table.lock:
            table.line("", title, time.monotonic() - begun, error, "")


def perform(options, table):
    """Set the stage, play the two groups side by side, take it down."""
    stage = Stage(options.build)
    # What both groups would take from one list.
    stage.c.first, stage.c.observed = stage.source(), stage.source()
    chosen = [[case for case in group if (options.only or "") in case[1].__name__]
              for group in (SHARED, ALONE)]
    if chosen[1]:  # one story: each looks at what those before it did
        chosen[1] = ALONE[:ALONE.index(chosen[1][-1]) + 1]
    alone = threading.Thread(target=play, args=(stage, table, chosen[1]))
    alone.start()
    play(stage, table, chosen[0])
    alone.join()
    complaints = stage.stop()
    table.line("", "daemons end in order, sanitizers found nothing", None,
               "; ".join(complaints)[:2000] or None, "")


def main():
    parser = checks.parser(__doc__)
    parser.add_argument("--only", metavar="TEXT",
                        help="only the checks whose functions' names have this in them")
    options = checks.options(parser)
    try:
        for name in ("sipchaind", "sipchain", "tests/net/longest_batch",
                     "tests/chain/sipchaind_steps"):
            node.find(options.build, name)
        topology.enter()
    except (topology.TopologyError, FileNotFoundError) as error:
        print("daemon: %s" % error, file=sys.stderr)
        sys.exit(2)
    begun = time.monotonic()
    table = run.Table(options.results)
    table.lock = threading.Lock()
    try:
        perform(options, table)
    except Exception as error:
        print("daemon: the stage: %s: %s" % (type(error).__name__, error), file=sys.stderr)
        run.keep_logs(options.build, "daemon-logs")
        sys.exit(2)
    if table.failed:
        run.keep_logs(options.build, "daemon-logs")
    print("      %d of %d, %.0f s" % (table.passed, table.passed + len(table.failed),
                                      time.monotonic() - begun))
    sys.exit(1 if table.failed else 0)


if __name__ == "__main__":
    main()
