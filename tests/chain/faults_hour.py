# SPDX-License-Identifier: Apache-2.0
"""An hour without the chain, and clocks that are set.

The daemons' clocks are the machine's and what this adds to them
(injected_clock.c), so that an hour passes in seconds; the chain's clock goes on
beside them. On an anvil of their own: its time does not come back.
"""
import time

from fault_stage import GRACE, expect, until
from injected_clock import Clock

HOUR = 3600
MAX_TTL = 12 * HOUR
LONG = 8 * HOUR  # longer than all of this takes
STEP = 20  # seconds that pass at once: no role is silent for too long by that
CALM = 2   # ... and no answer is late that is on its way
PAUSE = 30 + 10
"""Seconds after which an endpoint that was away is tried again: the longest pause, and
the time that is left to the last one's answer."""
WRITER_PAUSE = 60 + 60 // 4


def with_clock(s, name, endpoints):
    n = s.node(name, endpoints, start=False, daemon="sipchaind_steps")
    n.clock = Clock(n.folder + "/clock")
    n.environment.update(n.clock.environment)
    n.start()
    return n


def pass_time(s, seconds, look=lambda: None, step=STEP):
    """Let the time pass for the nodes and for the chain; look() after each step."""
    end = s.now() + seconds
    while s.now() < end:
        for n in s.nodes:
            n.clock.advance(step)
        s.chain.advance(step)
        s.chain.mine()
        time.sleep(0.1)  # for the roles to notice
        look()


def returned(s, condition, text):
    """The endpoint is back: until that shows, in the time that is promised. On a busy
    machine a step of the clock may cut a call short, which then is made again."""
    end = s.now() + 3 * PAUSE
    while not condition():
        expect(s.now() < end, "not within %d s: %s", 3 * PAUSE, text)
        pass_time(s, CALM, step=CALM)


def held(s, n, bans):
    """Of these bans those that still live stand unchanged, the others are gone."""
    def over():
        now, stand = s.now(), n.banned()
        late = {i: now - end for i, end in stand.items() if now > end + GRACE}
        expect(not late, "%s: bans outlive their reports, by seconds: %s", n.name, late)
        return stand
    stand = until(over, 1, "bans end with their reports")
    for indicator, end in bans.items():
        expect(end <= s.now() or stand.get(indicator) == end,
               "%s banned %s until %d, now it is %s", n.name, indicator, end,
               stand.get(indicator))


def brief(n, ttl):
    """A report that will not live when all are counted."""
    address = n.report(ttl=ttl)
    n.reported.remove(address)
    return address


def listed_by(nodes, addresses):
    until(lambda: all(set(addresses) <= set(n.banned()) for n in nodes), 20,
          "%s ban %s", [n.name for n in nodes], addresses)


def four(s):
    """Reports of both: those that end within the hour, and those that do not."""
    end = [brief(s.a, HOUR // 2), brief(s.b, HOUR // 3)]
    last = [s.a.report(ttl=LONG), s.b.report(ttl=LONG)]
    listed_by((s.a, s.b), end + last)
    return end, last


def meanwhile(s):
    """What is reported while a is cut off: (never to be sent, to be sent, b's)."""
    never, later = [], []
    for _ in range(3):
        never.append(brief(s.a, HOUR // 2))
        later.append(s.a.report(ttl=LONG))
    brief(s.b, HOUR // 2)
    theirs = [s.b.report(ttl=LONG) for _ in range(3)]
    listed_by((s.b,), theirs)
    return never, later, theirs


def waiting(n, count):
    outbox = n.ask("status")["outbox"]
    expect(outbox["waiting"] + outbox["submitted"] == count,
           "%s: %d reports were to wait: %s", n.name, count, outbox)
    return True


def untold(s, addresses):
    for address in addresses:
        told = s.contract.told(address)
        expect(not told, "%s is on the chain: %s", address, told)


def made_up(s, never, later, theirs, bans):
    """After its return a has all, and the chain what of a's reports still lives."""
    until(lambda: set(later + theirs) <= set(s.a.listed()) & set(s.b.listed()), 10,
          "a makes up for the hour")
    pass_time(s, WRITER_PAUSE, step=CALM)
    s.agree(20)
    untold(s, never)
    held(s, s.a, bans)


def endpoint_away(s, go, come):
    """The only endpoint is away for an hour, which passes for all."""
    end, last = four(s)
    # In the pool when the endpoint goes, mined in the hour.
    s.chain.automine(False)
    key = s.a.key().address
    nonce = s.contract.endpoint.nonce(key, "latest")
    sent = s.a.report(ttl=LONG)
    until(lambda: s.contract.endpoint.nonce(key) > nonce, 15, "a's transaction is in the pool")
    go()
    s.chain.automine(True)
    s.chain.mine()
    until(lambda: s.contract.told(sent), 10, "it is mined without a's knowledge")
    # b's clock and a's are the same: both must see the ends.
    bans = s.a.banned()
    until(lambda: not s.a.ledger_status()["healthy"], 15, "a says that it has no endpoint")
    never, later, theirs = meanwhile(s)
    waiting(s.a, 7)
    pass_time(s, HOUR, lambda: held(s, s.a, bans))
    stand = s.a.banned()
    expect(not set(end) & set(stand) and set(last) <= set(stand), "it bans %s", stand)
    expect(not set(theirs) & set(stand), "a knows what nobody told it")
    expect(not s.a.ledger_status()["healthy"], "a says that all is well")
    untold(s, never + later)
    come()
    returned(s, lambda: s.a.ledger_status()["healthy"], "the endpoint is followed again")
    made_up(s, never, later, theirs, bans)


def goes_down(s):
    endpoint_away(s, s.way.down, s.way.up)


def goes_silent(s):
    """It accepts what comes and says nothing: every question ends by its time."""
    def go():
        s.way.add("half_open")
        s.way.drop()
    endpoint_away(s, go, s.way.clear)


def daemon_away(s):
    """sipchaind is stopped for an hour, and starts without an endpoint."""
    end, last = four(s)
    bans = s.a.banned()
    s.way.down()
    until(lambda: not s.a.ledger_status()["healthy"], 15, "a says that it has no endpoint")
    never, later, theirs = meanwhile(s)
    expect(s.a.stop() == 0, "it does not end in order")
    pass_time(s, HOUR)
    s.a.start(ready=False)
    until(s.a.banned, 15, "a enforces from what it keeps")
    held(s, s.a, bans)
    stand = s.a.banned()
    expect(not set(end) & set(stand) and set(last) <= set(stand), "it bans %s", stand)
    untold(s, never + later)
    until(lambda: not s.a.ledger_status()["healthy"], 15, "a says that it has no endpoint")
    s.way.up()
    returned(s, lambda: s.a.ledger_status()["healthy"], "the endpoint is followed again")
    s.a.wait_ready(10)
    made_up(s, never, later, theirs, bans)


def set_ahead(s):
    """a's clock is set an hour ahead, and right again: nothing else happened."""
    end, last = four(s)
    bans = s.a.banned()
    own = s.a.mark()
    s.a.clock.set_wall(HOUR)
    until(lambda: not set(end) & set(s.a.banned()), 2, "by a's clock they have ended")
    stand = s.a.banned()
    for address in last:
        expect(stand.get(address) == bans[address], "%s: %s, not %d", address,
               stand.get(address), bans[address])
    expect("the machine's clock was set" in s.a.log(own), "the log does not tell")
    s.a.report(ttl=HOUR)  # it may want a cell that is free by a's clock alone, and waits
    s.a.clock.set_wall(0)
    until(lambda: all(s.a.banned().get(i) == bans[i] for i in bans), 5,
          "what lives by the right clock is banned again")
    pass_time(s, WRITER_PAUSE, step=CALM)
    s.agree(20)


def set_back(s):
    """a's clock is an hour behind for forty minutes, and right again."""
    end, last = four(s)
    bans = s.a.banned()
    s.a.clock.set_wall(-HOUR)
    never = brief(s.a, HOUR // 2)  # the chain says that its end has passed
    later = s.a.report(ttl=LONG)
    theirs = s.b.report(ttl=LONG)
    listed_by((s.a, s.b), [theirs])
    until(lambda: later in s.b.listed(), 10, "what the chain takes is not held up")
    pass_time(s, 2 * HOUR // 3)
    stand = s.a.banned()
    for address in end + last:
        expect(stand.get(address) == bans[address], "%s: %s, not %d", address,
               stand.get(address), bans[address])
    s.a.clock.set_wall(0)
    held(s, s.a, bans)
    expect(not set(end) & set(s.a.banned()), "what ended is still banned")
    pass_time(s, WRITER_PAUSE, step=CALM)
    s.agree(20)
    untold(s, [never])


def prepare(s):
    s.way = s.proxy()
    s.a = with_clock(s, "hour-a", [(s.way.http, s.way.ws)])
    s.b = with_clock(s, "hour-b", s.chain.endpoints()[:1])
    s.now = s.b.clock.now
    first = [s.a.report(ttl=LONG), s.b.report(ttl=LONG)]
    listed_by((s.a, s.b), first)


def guarded(s, function):
    try:
        function(s)
    finally:
        s.way.clear()
        s.chain.automine(True)
        for n in s.nodes:
            n.clock.set_wall(0)
            if n.process is None:
                n.start()


def play(s, table):
    for name, function in (
            ("the only endpoint is down for an hour", goes_down),
            ("the only endpoint is silent for an hour", goes_silent),
            ("sipchaind is stopped for an hour, its endpoint down", daemon_away),
            ("the clock is set an hour ahead and right again", set_ahead),
            ("the clock is an hour behind and set right", set_back)):
        table.play(name, guarded, s, function)
