# SPDX-License-Identifier: Apache-2.0
"""Several endpoints, of which one lies, lags or dies; and none at all.

Node a has three, each a proxy before the same chain; node b looks on.
"""
import time

import faults_lies
from fault_stage import GRACE, expect, until
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
    table.play("two of three die", guarded, s, two_die)
    table.play("no endpoint: bans stand until their reports' ends", guarded, s, none_left)
