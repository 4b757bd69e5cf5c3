# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each role between any two steps of a write and of a read.

sipchaind_steps stops in its role `ledger` where it is told; there the role is
killed, or another one, or the parent. Each role has a node of its own, all on
one ledger, so that the roles' turns run side by side.
"""
import os
import threading

from fault_stage import expect, until

READ = ("head", "logs", "staged", "verified", "committed")
WRITE = ("preflighted", "signed", "journalled", "sent", "answered", "mined", "final", "told")
ROLES = ("ledger", "node", "sense", "enforce", "parent")


def stop_at(n, step):
    path = n.folder + "/ledger/stop-at"
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(step)
    os.rename(path + ".new", path)


def stopped(n):
    return os.path.exists(n.folder + "/ledger/stopped")


def go_on(n):
    for name in ("stopped", "stop-at"):
        try:
            os.unlink("%s/ledger/%s" % (n.folder, name))
        except FileNotFoundError:
            pass


def in_pieces(n, other):
    """Blocks with reports that n reads one at a time: after a while without them."""
    n.proxy.down()
    for _ in range(3):
        address = other.report()
        until(lambda address=address: address in other.listed(), 15, "%s lists %s",
              other.name, address)
    n.proxy.add("range", blocks=1)
    n.proxy.up()
    return address


def kill_between(stage, n, role, kind, step, other):
    """One kill at one step; afterwards the report is there, at both nodes."""
    stop_at(n, "%s %s" % (kind, step))
    if step == "staged":
        address = in_pieces(n, other)
    else:
        # A read needs something to read: another member's report.
        address = (n if kind == "write" else other).report()
    author = n if kind == "write" else other
    until(lambda: stopped(n), 15, "%s comes to the step `%s %s`", n.name, kind, step)
    n.kill(role, then=lambda: go_on(n))
    until(lambda: address in n.listed(), 20, "%s lists %s", n.name, address)
    until(n.settled, 20, "%s has nothing on its way", n.name)
    told = stage.contract.told(address)
    expect(told == [(author.member, 0)], "the history of %s is %s", address, told)
    until(lambda: address in other.listed(), 10, "%s lists %s", other.name, address)
    n.proxy.clear()


def turns(stage, n, role, table, other):
    """All steps for one role; its restarts' backoff starts anew with each parent."""
    for kind, steps in (("write", WRITE), ("read", READ)):
        for number, step in enumerate(steps):
            if number % 3 == 2 and role != "parent":
                n.kill("parent")
                n.wait_ready()
            table.play("kill -9 of %s at the step `%s %s`" % (role, kind, step),
                       kill_between, stage, n, role, kind, step, other)
            if n.process.poll() is not None:
                n.start()


def prepare(stage):
    """A node for each role, and one that only looks on and reports."""
    one = stage.chain.endpoints()[0]
    stage.other = stage.node("onlooker", [one])
    for role in ROLES:
        proxy = stage.proxy()
        n = stage.node("kills-" + role, [(proxy.http, proxy.ws)], start=False,
                       daemon="sipchaind_steps")
        n.proxy = proxy


def play(stage, table):
    for n in stage.nodes[1:]:
        n.start()
    threads = [threading.Thread(target=turns, args=(stage, n, role, table, stage.other))
               for n, role in zip(stage.nodes[1:], ROLES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    table.play("after all kills each report stands once, everywhere", stage.agree, 30)
