# SPDX-License-Identifier: Apache-2.0
"""Several endpoints, of which one lies, lags or dies; and none at all.

Node a has three, each a proxy before the same chain; node b looks on.
"""
import json
import re
import time

import faults_lies
from fault_stage import GRACE, Failed, expect, until
from faults_wire import hold_bans

NAMES = ("first", "second", "third")


def fresh_start(s):
    """Forget quarantines: each fault meets all three in good standing."""
    for proxy in s.proxies:
        proxy.clear()
    s.a.stop()
    s.a.start()


def one_lies(s, follows, options):
    """It is named and set aside; a has everything meanwhile, and no ban moves."""
    fresh_start(s)
    number = NAMES.index(followed(s))
    number = number if follows else (number + 1) % 3
    before, mark = s.a.banned(), s.a.mark()
    with s.proxies[number].fault("lie", **options) as rule:
        told = [s.b.report(), s.a.report()]
        until(lambda: set(told) <= set(s.a.listed()), 20, "a lists all beside the liar")
        until(lambda: rule.fired, 15, "the lie is told")
        until(lambda: NAMES[number] in accused(s, mark), 20, "the log names %s",
              NAMES[number])
        hold_bans(s.a, before)
        wrong = accused(s, mark) - {NAMES[number]}
        expect(not wrong, "%s told the truth and is not believed", wrong)
        s.b.report()  # `status` is content again with the next block that verifies
        s.agree(20)


def accused(s, mark):
    """Whom the log says not to believe."""
    return {name for name in NAMES for line in s.a.log(mark).splitlines()
            if "endpoint %s " % name in line and "not believed" in line}


def one_lags(s):
    """A followed endpoint whose head stands still: told of, and left for another."""
    fresh_start(s)
    before, mark = s.a.banned(), s.a.mark()
    number = NAMES.index(followed(s))
    with s.proxies[number].fault("lag", at=s.contract.endpoint.height()):
        told = [s.b.report(), s.b.report()]
        until(lambda: told[1] in s.b.listed(), 10, "b lists %s", told[1])
        s.chain.mine(5, 4)  # far behind, by blocks and by their time
        until(lambda: set(told) <= set(s.a.listed()), 45, "a reads on with another")
        until(lambda: NAMES[number] in s.a.log(mark), 20, "the log names the laggard")
        hold_bans(s.a, before)
        s.agree(30)


def followed(s):
    """What `status` says that it follows; said a moment after it was read."""
    def named():
        where = s.a.ledger_status()["where"]
        return [name for name, proxy in zip(NAMES, s.proxies)
                if name in where or proxy.http in where]
    return until(named, 10, "status says which of the three is followed")[0]


def two_die(s):
    fresh_start(s)
    before = s.a.banned()
    for proxy in (s.proxies[0], s.proxies[1]):
        proxy.down()
        told = [s.b.report(), s.a.report()]
        until(lambda told=told: set(told) <= set(s.a.listed()), 30, "a goes on")
        until(s.a.settled, 20, "its reports are final")
    hold_bans(s.a, before)
    s.agree(20)


def none_left(s):
    """With no endpoint, over a restart too: what was verified stands until its end."""
    fresh_start(s)
    # Blocks made in a hurry put the chain's clock ahead, where 7 s are over at once.
    until(lambda: int(s.contract.endpoint.block()["timestamp"], 16) <= time.time(), 60,
          "the chain's newest block is no longer ahead")
    s.chain.on_time()
    short = s.b.report(ttl=7)
    s.b.reported.remove(short)  # it will not live when all are counted
    ends = time.time() + 7
    until(lambda: short in s.a.banned(), 10, "a bans %s", short)
    kept = {k: v for k, v in s.a.banned().items() if k != short}
    for proxy in s.proxies:
        proxy.down()
    missed = s.b.report()
    s.a.stop()
    s.a.start(ready=False)
    until(lambda: set(kept) <= set(s.a.banned()), 15, "a enforces from what it keeps")
    until(lambda: not s.a.ledger_status()["healthy"], 15, "a says that it has no endpoint")
    hold_bans(s.a, kept)
    expect(missed not in s.a.listed(), "a knows what nobody told it")
    own = s.a.report()
    until(lambda: short not in s.a.banned(), 15, "the short ban ends")
    late = time.time() - ends
    expect(-2 < late < GRACE, "it ended %.1f s after its report", late)
    for proxy in s.proxies:
        proxy.up()
    until(lambda: {missed, own} <= set(s.a.listed()), 40, "a makes up for it")
    s.agree(20)


def chain_of(node):
    return node.ask("status")["ledger"]["chain"]


def finalized(s):
    """The chain's own word, by no proxy."""
    return int(s.contract.endpoint.rpc("eth_getBlockByNumber", "finalized",
                                       False)["number"], 16)


def with_final(s, name, final, endpoints, extra):
    """A node whose [ledger] final is this one."""
    node = s.node(name, endpoints, start=False)
    node.configure(endpoints, extra, re.sub(r"(?m)^final = .*$", "final = " + final,
                                            s.ledger.pins))
    return node


def finality(s):
    """One of three calls blocks final that are not: it moves nothing, and is named."""
    for proxy in s.proxies:
        proxy.clear()
    c = with_final(s, "by-tag", "finalized", [], "".join(
        "endpoint = %s ws=%s name=%s\n" % (p.http, p.ws, name)
        for p, name in zip(s.proxies, NAMES)))
    try:
        c.start()
        told = c.report()
        # The chain's finality is two epochs behind its head (anvil: 64 blocks).
        s.chain.mine(70)
        until(lambda: told in c.listed(), 20, "it lists %s", told)
        until(lambda: c.settled(), 30, "its report is final")
        until(lambda: chain_of(c)["final_witnesses"] == 2, 15, "two others confirm it")
        head = chain_of(c)
        expect(head["finality"] == "finalized" and head["final"] <= finalized(s) and
               head["lag_blocks"] == head["head"] - head["final"] >= 60 and
               isinstance(head["lag_seconds"], int), "status says %s", head)
        expect("2 other endpoints confirm it" in c.cli("status"), "the table does not say so")
        mark = c.mark()
        # The first is the one that is followed, as it is in all of these.
        number = NAMES.index([name for name in NAMES
                              if name in c.ledger_status()["where"]][0])
        with s.proxies[number].fault("lie", methods="eth_getBlockByNumber",
                                     contains="finalized", path="result.number",
                                     add=100000) as rule:
            own = c.report()
            until(lambda: own in c.listed(), 20, "it lists %s", own)
            until(lambda: NAMES[number] in accused_by(c, mark), 20, "%s is named",
                  NAMES[number])
            expect(rule.fired, "the lie was not told")
            expect(chain_of(c)["final"] <= finalized(s), "final is %s, of %d",
                   chain_of(c), finalized(s))
            expect(not c.settled(), "its report counts as final")
        expect(accused_by(c, mark) == {NAMES[number]}, "named: %s", accused_by(c, mark))
        expect("final and stands alone with that" in c.log(mark), "the log says otherwise")
        waiting = c.ask("status")["outbox"]["oldest"]
        expect(isinstance(waiting, int), "the oldest is %r", waiting)
        s.chain.mine(70)
        until(c.settled, 30, "its report is final")
        expect(c.ask("status")["outbox"]["oldest"] is None, "nothing is left to wait")
    except Failed as failure:
        raise Failed("%s; its log: %s" % (failure, c.log()[-2000:])) from failure
    finally:
        c.stop()
        s.nodes.remove(c)


def accused_by(node, mark):
    return {name for name in NAMES for line in node.log(mark).splitlines()
            if "endpoint %s " % name in line and "not believed" in line}


def told_transaction(s):
    """What the daemon carried out: its transaction and block, as they are on the chain."""
    c = with_final(s, "shows-tx", "0", s.chain.endpoints()[:1],
                   "explorer = https://explorer.example/tx/{tx}?a=b\n")
    try:
        c.start()
        for order in (("report", "198.51.100.77"), ("revoke", "198.51.100.77")):
            said = c.cli(*order, "--tx").split("\n")
            fields = {line[:16].strip(): line[16:] for line in said[1:]}
            receipt = s.contract.endpoint.rpc("eth_getTransactionReceipt",
                                              fields["transaction"])
            expect(receipt and int(receipt["blockNumber"], 16) == int(fields["block"]) and
                   receipt["status"] == "0x1", "%s: %s", said, receipt)
            expect(fields["link"] == "https://explorer.example/tx/%s?a=b" %
                   fields["transaction"], "%s", said)
        answer = json.loads(c.cli("report", "198.51.100.78", "--json"))
        expect(answer["state"] == "final" and answer["block"] and
               answer["transaction"].startswith("0x") and
               answer["link"].endswith(answer["transaction"] + "?a=b"), "%s", answer)
        expect("transaction" not in c.cli("report", "198.51.100.79"), "it says so unasked")
        # `status` hears of it once a second.
        status = until(lambda: chain_of(c)["final"] and chain_of(c), 5, "a final block")
        expect(status["finality"] == 0 and status["lag_blocks"] == 0 and
               status["lag_seconds"] == 0 and status["final_witnesses"] == 0, "%s", status)
        expect("nobody else confirms it" in c.cli("status"), "the table")
    finally:
        c.stop()
        s.nodes.remove(c)


LIES = [
    ("leaves logs out", True, faults_lies.rewrite_logs(lambda logs: [])),
    ("alters an operation", True, faults_lies.field("data", flip=300)),
    ("tells another block hash, as a witness", False,
     faults_lies.block("hash", set=faults_lies.STRANGE)),
    ("tells another tip, as a witness", False, faults_lies.tip_digit(5)),
]


def prepare(s):
    s.proxies = [s.proxy() for _ in NAMES]
    s.a = s.node("three-ends", [], extra="".join(
        "endpoint = %s ws=%s name=%s\n" % (p.http, p.ws, name)
        for p, name in zip(s.proxies, NAMES)))
    s.b = s.node("onlooker", s.chain.endpoints()[:1])
    first = [s.a.report(), s.b.report()]
    until(lambda: set(first) <= set(s.a.banned()), 15, "the first reports")


def guarded(s, function, *arguments):
    try:
        function(s, *arguments)
    finally:
        for proxy in s.proxies:
            proxy.clear()
        if s.a.process is None:
            s.a.start()


def play(s, table):
    for name, follows, options in LIES:
        table.play("one of three " + name, guarded, s, one_lies, follows, options)
    table.play("one of three lags", guarded, s, one_lags)
    table.play("one of three calls too much final", guarded, s, finality)
    table.play("the daemon shows a report's transaction", guarded, s, told_transaction)
    table.play("two of three die", guarded, s, two_die)
    table.play("no endpoint: bans stand until their reports' ends", guarded, s, none_left)
