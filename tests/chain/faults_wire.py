# SPDX-License-Identifier: Apache-2.0
"""What goes wrong between a node and its endpoint: slow, silent, cut, limited.

Node a speaks through a faulty proxy, node b does not. Some faults a node has to
work under; others stop it, and it has to come back once they end.
"""
import time

from fault_stage import Refused, expect, until

# name, fault, options, and what else is done while it stands.
UNDER = [
    ("an endpoint that takes 0.3 s for each answer", "delay", {"seconds": 0.3}),
    ("answers that drip, 64 bytes at a time", "drip", {"piece": 64, "seconds": 0.004}),
    ("answers in chunks of 7 bytes", "chunked", {"piece": 7}),
    ("gzip, whether asked for or not", "gzip", {"always": True}),
    ("fields in another order, tabs and line breaks", "indent", {}),
    ("each notification twice", "duplicate",
     {"methods": "eth_subscription", "transport": "ws", "copies": 2}),
    ("notifications out of order", "swap",
     {"methods": "eth_subscription", "transport": "ws"}),
    ("fragmented messages with pings between", "fragment", {"piece": 9, "pings": True}),
    ("notifications that never come", "drop",
     {"methods": "eth_subscription", "transport": "ws"}),
    ("a subscription that is never confirmed", "mute",
     {"methods": "eth_subscribe", "transport": "ws"}),
    ("a provider without sockets", "no_upgrade", {}),
    ("a provider without eth_getProof", "missing", {"methods": "eth_getProof"}),
    ("429 with Retry-After after 6 requests a second", "rate",
     {"requests": 6, "seconds": 1}),
    ("-32005, rate limited, after 8 requests a second", "rate",
     {"requests": 8, "seconds": 1, "rpc": True}),
]
RECONNECT = ("no_upgrade", "mute")  # seen by whoever connects anew
STOPS = [
    ("garbage instead of answers", "garbage", {}, 1.0),
    ("HTTP 502 from a gateway", "status", {"code": 502, "body": "<html>bad gateway"}, 1.0),
    ("eth_getLogs fails with -32000", "error",
     {"methods": "eth_getLogs", "code": -32000, "message": "internal"}, 1.0),
    ("a Content-Length that is wrong", "length", {"by": 40}, 1.0),
    ("every reply cut, with a reset", "cut", {"at": 30, "of": "body", "rst": True}, 1.0),
    ("half-open: accepts, reads and says nothing", "half_open", {}, 3.0),
]
CUTS = ([("reply", at) for at in (0, 1, 16, 60)] +
        [("body", at) for at in (0, 1, 12, 40, 90, 200, 350, 600)])


def hold_bans(n, before):
    """What was banned is, and for as long: no fault ends or extends a ban."""
    try:
        now = n.banned()
    except Refused:
        return  # its role node is being started
    for indicator, end in before.items():
        expect(now.get(indicator) == end, "%s banned %s until %d, now it is %s", n.name,
               indicator, end, now.get(indicator))


def under(s, kind, options):
    before = s.a.banned()
    with s.proxy_a.fault(kind, **options) as rule:
        if kind in RECONNECT:
            s.proxy_a.drop()
        if kind == "missing":  # what an endpoint can is asked when it is met
            s.a.kill("ledger")
        told = [s.a.report(), s.b.report(), s.a.report()]
        until(lambda: set(told) <= set(s.a.listed()), 25, "a lists all under the fault")
        until(s.a.settled, 25, "a's reports are final under the fault")
        hold_bans(s.a, before)
        if kind in RECONNECT:
            until(lambda: rule.fired, 15, "the fault strikes")
        expect(rule.fired, "the fault never struck")
    s.agree(20)


def stops(s, kind, options, seconds):
    before = s.a.banned()
    with s.proxy_a.fault(kind, **options) as rule:
        missed = s.b.report()
        own = s.a.report()
        until(lambda: rule.fired >= 1, 15, "the fault strikes")
        until(lambda: missed in s.b.listed(), 15, "b goes on")
        time.sleep(seconds)
        hold_bans(s.a, before)
        expect(missed not in s.a.listed(), "a knows what it cannot have read")
    until(lambda: {missed, own} <= set(s.a.listed()), 40, "a makes up for it")
    s.agree(20)


def down(s):
    """Refused for long enough that the tries are far between."""
    before = s.a.banned()
    s.proxy_a.down()
    missed = [s.b.report() for _ in range(3)]
    own = [s.a.report() for _ in range(3)]
    until(lambda: not s.a.ledger_status()["healthy"], 15, "a says that it is cut off")
    time.sleep(5)
    hold_bans(s.a, before)
    s.proxy_a.up()
    until(lambda: set(missed + own) <= set(s.a.listed()), 40, "a makes up for it")
    s.agree(20)


def cut_anywhere(s):
    """One reply after another cut at another place."""
    for of, at in CUTS:
        rules = [s.proxy_a.add("cut", at=at, of=of, times=1, methods=method)
                 for method in ("eth_getLogs", "eth_getBlockByNumber", "eth_call",
                                "eth_sendRawTransaction")]
        told = {s.a.report(), s.b.report()}
        until(lambda told=told: told <= set(s.a.listed()), 25,
              "a lists both although replies are cut at %s %d", of, at)
        struck = sum(rule.fired for rule in rules)
        expect(struck, "no reply was cut at %s %d", of, at)
        s.proxy_a.clear()
    s.agree(20)


def limited(s, blocks, results):
    """What 12 blocks hold, read in the pieces that the provider allows."""
    s.proxy_a.down()
    for _ in range(12):  # a block each
        address = s.b.report()
        until(lambda address=address: address in s.b.listed(), 10, "b lists %s", address)
    options = {k: v for k, v in (("blocks", blocks), ("results", results)) if v}
    rule = s.proxy_a.add("range", **options)
    s.proxy_a.up()
    s.agree(40)
    expect(rule.fired, "no range was too large")
    s.proxy_a.clear()


def sockets_close(s):
    """Closed by the provider, politely or not, again and again."""
    for code in (1001, 1006, 1011, 1013):
        until(s.proxy_a.sockets, 45, "a has a socket")
        s.proxy_a.close(code)
        told = s.b.report()
        until(lambda told=told: told in s.a.listed(), 10, "a lists it after %d", code)
        s.proxy_a.drop(rst=True)
    s.agree(20)


def socket_refused_first(s):
    """A gateway that refuses sockets while a starts is asked again within seconds."""
    with s.proxy_a.fault("no_upgrade") as rule:
        s.a.kill("ledger")
        until(lambda: rule.fired, 15, "the socket is refused")
    until(s.proxy_a.sockets, 15, "a has a socket")
    s.agree(20)


def invented_notifications(s):
    """A socket that tells of blocks and logs that no node has."""
    until(s.proxy_a.sockets, 45, "a has a socket")
    before, seen = s.a.banned(), s.a.ledger_status()["members"]
    head = s.contract.endpoint.block()
    for change in ({"number": "0xffffff"}, {"hash": "0x" + "11" * 32},
                   {"parentHash": "0x" + "22" * 32}, {"number": "0x0"},
                   {"timestamp": "0xffffffffff"}):
        s.proxy_a.invent("newHeads", dict(head, **change))
    for result in ("0x1", None, [], {"number": {}}, "x" * 5000):
        s.proxy_a.invent("newHeads", result)
        s.proxy_a.invent("logs", result)
    time.sleep(0.5)
    hold_bans(s.a, before)
    expect(s.a.ledger_status()["members"] == seen, "a moved on")
    told = s.b.report()
    until(lambda: told in s.a.listed(), 15, "a goes on")
    s.agree(20)


def prepare(s):
    s.proxy_a = s.proxy()
    s.a = s.node("wire-a", [(s.proxy_a.http, s.proxy_a.ws)])
    s.b = s.node("wire-b", s.chain.endpoints()[:1])


def guarded(s, function, *arguments):
    try:
        function(s, *arguments)
    finally:
        s.proxy_a.clear()


def play(s, table):
    first = [s.a.report(), s.b.report()]
    until(lambda: set(first) <= set(s.a.banned()), 15, "the first reports")
    for name, kind, options in UNDER:
        table.play("goes on with " + name, guarded, s, under, kind, options)
    for name, blocks, results in (("5 blocks", 5, None), ("10 results", None, 10)):
        table.play("a provider that gives at most %s at a time" % name, guarded, s, limited,
                   blocks, results)
    table.play("a socket that is refused at first", guarded, s, socket_refused_first)
    table.play("sockets closed with 1001, 1006, 1011, 1013 and resets", guarded, s,
               sockets_close)
    table.play("notifications that are invented", guarded, s, invented_notifications)
    table.play("replies cut anywhere", guarded, s, cut_anywhere)


def play_stops(s, table):
    first = [s.a.report(), s.b.report()]
    until(lambda: set(first) <= set(s.a.banned()), 15, "the first reports")
    table.play("replies cut anywhere", guarded, s, cut_anywhere)
    for name, kind, options, seconds in STOPS:
        table.play("comes back after " + name, guarded, s, stops, kind, options, seconds)
    table.play("comes back after the endpoint was down", guarded, s, down)
