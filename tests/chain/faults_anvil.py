#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""faults_anvil.py --build FOLDER [--results FILE] [--only TEXT] [--group NAME]

Nodes on a development chain, and all that can go wrong between them and it, or
with them: killed between any two steps, endpoints that are slow, silent, cut,
limited, that lie, that take blocks back. After each fault every node has what the
contract has, each report stands once, and no ban outlives its report.

Some groups run side by side. Leaves with 1 when a fault was not stood, 2 when the
stage could not be set.
"""
import argparse
import concurrent.futures
import contextlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import fault_stage
import faults_blocks
import faults_hour
import faults_kill
import faults_lies
import faults_many
import faults_reorg
import faults_successor
import faults_wire
import network

GROUPS = {  # those that take longest first
    "many": (faults_many.prepare, faults_many.play),
    "stop": (faults_wire.prepare, faults_wire.play_stops),
    "pins": (faults_lies.prepare, faults_lies.play_pins),
    "kill": (faults_kill.prepare, faults_kill.play),
    "hour": (faults_hour.prepare, faults_hour.play),
    "wire": (faults_wire.prepare, faults_wire.play),
    "read": (faults_lies.prepare, faults_lies.play_read),
    "written": (faults_lies.prepare, faults_lies.play_written),
    "proof": (faults_lies.prepare, faults_lies.play_proofs),
    "blocks": (faults_blocks.prepare, faults_blocks.play),
    "successor": (faults_successor.prepare, faults_successor.play),
    "reorg": (faults_reorg.prepare, faults_reorg.play),
}
OWN_CHAIN = ("blocks", "hour", "reorg", "successor")
MAX_TTL = {"hour": faults_hour.MAX_TTL}
AT_ONCE = 4  # groups; more only wait for each other on two cores


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="a Meson build folder")
    parser.add_argument("--results", help="append 'pass|fail TAB name' lines to this file")
    parser.add_argument("--only", metavar="TEXT", help="only faults whose name holds this")
    parser.add_argument("--group", choices=tuple(GROUPS), action="append",
                        help="only this group; may be repeated")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.results = options.results and os.path.abspath(options.results)
    return options


def play(name, stage, table):
    """One group, from its beginning to its end."""
    prepare, act = GROUPS[name]
    failed, complaints = table.failed, []
    try:
        prepare(stage)
        act(stage, table)
    except Exception as error:  # the others go on; the table shows it
        complaints.append("the stage of `%s`: %s: %s" % (name, type(error).__name__, error))
    complaints += stage.stop()
    if complaints:
        table.line("daemons of `%s` end in order, sanitizers found nothing" % name, 0,
                   "; ".join(complaints)[:2000])
    if complaints or table.failed > failed:
        print("      logs: %s" % stage.keep(table.build), flush=True)
    stage.remove()


def main():
    options = arguments()
    table = fault_stage.Table("chain faults", options.results, options.only)
    table.build = options.build
    groups = options.group or list(GROUPS)
    try:
        with contextlib.ExitStack() as chains:
            shared = chains.enter_context(network.Anvil())
            own = {name: chains.enter_context(network.Anvil()) for name in groups
                   if name in OWN_CHAIN}
            stages = {name: fault_stage.Stage(
                options.build, own.get(name, shared), name, options=("--zero-fee",),
                max_ttl=MAX_TTL.get(name, fault_stage.MAX_TTL)) for name in groups}
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda one: play(*one, table), stages.items()))
    except (network.ChainError, FileNotFoundError, fault_stage.LedgerFailed) as error:
        print("faults_anvil: %s" % error, file=sys.stderr)
        sys.exit(2)
    sys.exit(table.total())


if __name__ == "__main__":
    main()
