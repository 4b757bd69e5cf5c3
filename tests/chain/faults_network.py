#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""faults_network.py --build FOLDER [--results FILE] [--only TEXT]

Nodes on real networks of four validators: IBFT, whose blocks are final and which
halts with two of them dead, and clique, which forks when parted and takes blocks
back when healed. After each fault every node has what the contract has, each
report stands once, and no ban outlives its report.

Both networks at once. Leaves with 1 when a fault was not stood, 2 when the stage
could not be set.
"""
import argparse
import os
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import fault_stage
import network
import rpc
from fault_stage import Refused, expect, until
from faults_wire import hold_bans

DEPTH = 10  # blocks that a reorganisation takes back at least


def all_report(s):
    """One report of every node, known everywhere."""
    told = [n.report() for n in s.nodes]
    until(lambda: all(set(told) <= set(n.listed()) for n in s.nodes), 60,
          "all nodes list all reports")


# --- IBFT: each node on the validator of its number ---

def prepare_ibft(s):
    s.a, s.b, s.c = (s.node("ibft-" + letter, [end]) for letter, end in
                     zip("abc", s.chain.endpoints()))
    all_report(s)


def one_dead(s):
    """The fourth, which no node uses: the network goes on, slower."""
    before = {n: n.banned() for n in s.nodes}
    s.chain.kill(4)
    all_report(s)
    for n in s.nodes:
        hold_bans(n, before[n])
    s.agree(60)
    s.chain.start(4)
    s.chain.wait_agree()


def two_dead(s):
    """No block any more: what stands stands, what is reported waits for the return."""
    before = {n: n.banned() for n in s.nodes}
    s.chain.kill(4)
    s.chain.kill(3)
    # What was on its way to a block is in one soon, or is not.
    time.sleep(3)
    height = s.chain.node(1).height()
    told = [n.report() for n in s.nodes]
    until(lambda: not s.c.ledger_status()["healthy"], 30, "c says that it is cut off")
    time.sleep(3)
    expect(s.chain.node(1).height() == height, "the network did not halt")
    for n in s.nodes:
        hold_bans(n, before[n])
        expect(not set(told) & set(n.listed()), "%s lists what is in no block", n.name)
    s.chain.start(3)
    until(lambda: all(set(told) <= set(n.listed()) for n in s.nodes), 90,
          "all is there once it goes on")
    s.agree(60)
    s.chain.start(4)
    s.chain.wait_agree()


def own_dies(s):
    """A node's own validator dies as it takes the node's report, and comes back."""
    before = s.a.banned()
    told = [s.a.report()]
    s.chain.kill(1)
    told += [s.a.report(), s.b.report()]
    until(lambda: told[2] in s.b.listed() and told[2] in s.c.listed(), 60, "b and c go on")
    hold_bans(s.a, before)
    s.chain.start(1)
    until(lambda: all(set(told) <= set(n.listed()) for n in s.nodes), 90,
          "a makes up for it")
    s.agree(60, nodes=s.nodes)


def own_freezes(s):
    """It accepts connections and answers nothing; then it goes on."""
    before = s.b.banned()
    s.chain.stop(2)
    try:
        told = [s.a.report(), s.b.report()]
        until(lambda: told[0] in s.a.listed() and told[0] in s.c.listed(), 60, "a and c go on")
        until(lambda: not s.b.ledger_status()["healthy"], 30, "b says that it is cut off")
        hold_bans(s.b, before)
    finally:
        s.chain.go_on(2)
    until(lambda: all(set(told) <= set(n.listed()) for n in s.nodes), 90, "b makes up for it")
    s.agree(60)


def play_ibft(s, table):
    table.play("ibft: one of four validators dead: goes on", one_dead, s)
    table.play("ibft: two of four dead: halts, resumes, nothing lost", two_dead, s)
    table.play("ibft: a node's own validator dies and returns", own_dies, s)
    table.play("ibft: a node's own validator freezes and goes on", own_freezes, s)


# --- clique: nodes a and b on the two sides of a partition ---

def prepare_clique(s):
    ends = s.chain.endpoints()
    # More than what a partition takes back.
    s.ledger.pins = s.ledger.pins.replace("final = 12", "final = 20")
    s.a, s.b = s.node("clique-a", [ends[0]]), s.node("clique-b", [ends[2]])
    all_report(s)


def healed(s, function):
    """Whatever came of it, the next one meets one net that goes on."""
    try:
        function(s)
    finally:
        s.chain.heal()
        s.chain.wait_blocks(1, seconds=90)


def parted(s, meanwhile=lambda: None):
    """Both sides seal and report; then one side's blocks go, and its reports return."""
    s.chain.part([1, 2], [3, 4])
    base = max(s.chain.node(i).height() for i in (1, 3))
    told = {s.a: s.a.report(), s.b: s.b.report()}
    for n, address in told.items():
        until(lambda n=n, address=address: address in n.listed(), 30, "%s lists its own",
              n.name)
    expect(told[s.a] not in s.b.listed() and told[s.b] not in s.a.listed(), "not parted")
    meanwhile()
    for i in (1, 3):
        s.chain.node(i).wait_height(base + DEPTH + 2, 90)
    heights = range(base + 1, base + DEPTH + 2)
    before = {i: [s.chain.node(i).hash(h) for h in heights] for i in (1, 3)}
    s.chain.heal()
    s.chain.wait_agree(seconds=90)
    after = [s.chain.node(1).hash(h) for h in heights]
    taken = max(sum(x != y for x, y in zip(before[i], after)) for i in (1, 3))
    expect(taken >= DEPTH, "only %d blocks were taken back", taken)
    until(lambda: all(set(told.values()) <= set(n.listed()) for n in s.nodes), 60,
          "what was dropped is there again, at both")
    s.agree(60)


def parted_and_killed(s):
    """The same, and each node's role `ledger` dies while they are parted."""
    parted(s, lambda: [n.kill("ledger") for n in s.nodes])


def set_back(s):
    """A node's endpoint goes back some blocks, silently, and forward again."""
    height = s.chain.wait_blocks(1)
    before = s.a.banned()
    s.chain.set_head(1, height - 4)
    told = [s.a.report(), s.b.report()]
    until(lambda: all(set(told) <= set(n.listed()) for n in s.nodes), 90, "both list both")
    hold_bans(s.a, before)
    s.agree(60)


def play_clique(s, table):
    table.play("clique: parted and healed, a report dropped with ten blocks", healed, s,
               parted)
    table.play("clique: the same with kill -9 of both roles `ledger`", healed, s,
               parted_and_killed)
    table.play("clique: an endpoint set back, silently", set_back, s)


GROUPS = (("ibft", lambda: network.Ibft(), (), prepare_ibft, play_ibft),
          ("clique", lambda: network.Clique(twin={4: 2}), ("--zero-fee",), prepare_clique,
           play_clique))
TROUBLES = (network.ChainError, rpc.WaitedTooLong, fault_stage.LedgerFailed,
            fault_stage.Failed, Refused, RuntimeError)


def group(options, table, broken, name, make, more, prepare, play):
    """One network from its beginning to its end."""
    stage = None
    failed = table.failed
    try:
        with make() as chain:
            try:
                stage = fault_stage.Stage(options.build, chain, name, options=more)
                prepare(stage)
                play(stage, table)
                complaints = stage.stop()
                if complaints:
                    table.line("%s: daemons end in order, sanitizers found nothing" % name,
                               0, "; ".join(complaints)[:2000])
            finally:  # while the network still has its logs
                if stage and (sys.exc_info()[0] or table.failed > failed):
                    print("      logs: %s" % stage.keep(options.build), flush=True)
    except TROUBLES as error:
        broken.append("%s: %s" % (name, error))
    if stage:
        stage.stop()
        stage.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="a Meson build folder")
    parser.add_argument("--results", help="append 'pass|fail TAB name' lines to this file")
    parser.add_argument("--only", metavar="TEXT", help="only faults whose name holds this")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.results = options.results and os.path.abspath(options.results)
    table = fault_stage.Table("network faults", options.results, options.only)
    broken = []
    try:
        for name in ("ibft", "geth"):
            network.tool(name)
        for name in ("sipchaind", "sipchain"):
            fault_stage.program(options.build, name)
    except (network.ChainError, FileNotFoundError) as error:
        print("faults_network: %s" % error, file=sys.stderr)
        sys.exit(2)
    threads = [threading.Thread(target=group, args=(options, table, broken, *one))
               for one in GROUPS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for text in broken:
        print("faults_network: %s" % text, file=sys.stderr)
    sys.exit(2 if broken else table.total())


if __name__ == "__main__":
    main()
