# SPDX-License-Identifier: Apache-2.0
"""Another contract in the configuration: the successor, and one that is none."""
import json
import os
import sqlite3

from fault_stage import Addresses, Stage, expect, until
import contract


def prepare(stage):
    stage.others = []
    stage.node("a", stage.chain.endpoints())
    stage.node("b", stage.chain.endpoints())


def ledger_id(stage):
    return json.loads(stage.ledger.sipchain(
        "ledger", "show", "--config", stage.ledger.configuration, "--json"))["id"]


def another(stage, name):
    """A further contract on the same chain, with the same members."""
    made = Stage(stage.build, stage.chain, stage.name + "-" + name, options=("--zero-fee",))
    for n in reversed(stage.nodes):  # other indices than on the first
        address = made.ledger.sipchain("key", "address", n.folder + "/member.key").split()[0]
        made.ledger.administer("member", "add", "--name", n.name, "--signer", address,
                               "--weight", "1", "--cap", "1000")
    stage.others.append(made)
    return made


def switch(stage, n, to, path):
    """As an operator does: stop, other [ledger] lines, start."""
    expect(n.stop() == 0, "%s ended in order", n.name)
    n.configure(stage.chain.endpoints(), pins=to.ledger.pins)
    if path:
        with open(n.configuration, encoding="ascii") as f:
            text = f.read()
        with open(n.configuration, "w", encoding="ascii") as f:
            f.write(text.replace("/ledger/ethereum.db", "/ledger/%s" % path))


def left_behind(stage, n):
    """A report that is handed over and reaches nobody; the node is stopped then."""
    stage.chain.stop()
    try:
        address = n.report()
        expect(n.stop() == 0, "%s ended in order", n.name)
    finally:
        stage.chain.go_on()
    return address


def live(stage):
    return {contract.ip4_text(word.indicator) for _, word in stage.contract.live()}


def shows(n, ledger):
    status = n.ledger_status()
    return status["id"] == ledger and status["caught_up"] and n.settled()


def successor(stage):
    """Reports that are live go on there, what waits too, nothing revoked comes back."""
    a, b = stage.nodes
    standing = a.report()
    revoked = a.report()
    theirs = b.report()
    stage.agree()
    a.cli("revoke", revoked)
    a.reported.remove(revoked)
    until(lambda: revoked not in live(stage), 20, "%s is revoked", revoked)
    stage.agree()
    second = another(stage, "second")
    new = ledger_id(second)
    waits = left_behind(stage, a)
    stage.ledger.administer("ledger", "supersede", new, "--yes")
    a.start()  # the old one takes no more
    until(lambda: a.ask("status")["outbox"]["waiting"] == 1, 20, "a report waits")
    # The journal is another ledger's: refused, and the remedy named; bans stand.
    switch(stage, a, second, None)
    mark = a.mark()
    a.start(ready=False)
    until(lambda: "name another file in [ledger] path" in a.log(mark), 20,
          "the journal of the first ledger is refused")
    until(lambda: theirs in a.banned(), 20, "bans stand meanwhile")
    switch(stage, a, second, "second.db")
    a.start()
    until(lambda: shows(a, new), 40, "a is on the successor")
    until(lambda: live(second) == {standing, waits}, 20, "its live reports are there anew")
    expect(theirs not in a.banned(), "%s, which nobody reports there, is still banned", theirs)
    expect(live(stage) == {standing, theirs}, "the first ledger has %s", live(stage))
    switch(stage, b, second, "second.db")
    b.start()
    until(lambda: live(second) == {standing, waits, theirs}, 20, "b's is there anew, too")
    until(lambda: set(a.listed()) == {standing, waits, theirs} == set(b.listed()), 20,
          "both block what the successor has")
    # What stands is each author's own, under the number that he has there.
    mine = {contract.ip4_text(w.indicator): m.index for m, w in second.contract.live()}
    expect(mine == {standing: 2, waits: 2, theirs: 1}, "the authors are %s", mine)
    # Started again it does nothing a second time.
    history = len(second.contract.history())
    for n in (a, b):
        expect(n.stop() == 0, "%s ended in order", n.name)
        n.start()
        until(lambda n=n: shows(n, new), 40, "%s is on the successor", n.name)
    expect(len(second.contract.history()) == history, "something was reported again")


def stranger(stage):
    """A ledger that the last one did not name: nothing crosses, and it is said."""
    a = stage.nodes[0]
    third = another(stage, "third")
    new = ledger_id(third)
    waits = left_behind(stage, a)
    switch(stage, a, third, "third.db")
    mark = a.mark()
    a.start()
    until(lambda: shows(a, new), 40, "a is on the third ledger")
    log = a.log(mark)
    expect("the report of " + waits in log and "did not name it as its successor" in log,
           "it is not said what was dropped: %s", log[-500:])
    expect(not a.listed() and not live(third), "something of another ledger is there: %s, %s",
           a.listed(), live(third))
    fresh = Addresses.fresh()
    a.report(fresh)
    until(lambda: live(third) == {fresh}, 20, "it reports there")
    until(a.settled, 20, "the report is final")
    expect(a.stop() == 0, "a ended in order")
    rows = sqlite3.connect("file:%s/state/node.db?mode=ro" % a.folder, uri=True).execute(
        "SELECT count(*) FROM outbox WHERE state < 4").fetchone()
    expect(rows == (0,), "%r rows are open", rows)
    expect(os.path.exists(a.folder + "/ledger/ethereum.db"), "the first journal is kept")


def play(stage, table):
    try:
        if table.play("moving to a successor contract", successor, stage):
            table.play("another ledger that is no successor", stranger, stage)
    finally:
        for other in stage.others:
            other.remove()
