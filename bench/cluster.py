#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cluster.py --build FOLDER: from the detection at A to the rule at C.

Three nodes in network namespaces share one local ledger, on the disk, with
every commit synchronous. What A sees by HEP is reported, signed, committed,
read and verified by the others, decided and put into their kernels.
"""
import random
import time

import stage  # first: it says where the others are
import attack

ROUNDS = 60
LIMIT_MS = 20.0


def measure(hep, sources, watches, disk):
    """(third failure, rule at A, at B, at C) in nanoseconds, each round."""
    taken = []
    for _ in range(ROUNDS):
        address = sources.fresh()
        begun = attack.third_failure(hep, address, random.uniform(0.03, 0.08))
        taken.append([begun] + [w.element("sipchain", address) for w in watches])
        time.sleep(random.uniform(0.02, 0.12))
        disk.commit()
    return taken


def main(build):
    ledger = stage.new_ledger(build)
    nodes = [stage.start_node(build, letter, ledger) for letter in "abc"]
    watches = [stage.Watch(build, n.namespace) for n in nodes]
    hep, sources = attack.Hep(nodes[0]), attack.Sources()
    disk = stage.Disk()
    taken = measure(hep, sources, watches, disk)
    stage.head("one node's detection, all nodes' rule (%d)" % ROUNDS)
    stage.rows("third failure -> rule at A", [a - t for t, a, _, _ in taken])
    stage.rows("rule at A -> rule at B", [b - a for _, a, b, _ in taken])
    stage.rows("rule at A -> rule at C", [c - a for _, a, _, c in taken])
    stage.rows("third failure -> rule at C", [c - t for t, _, _, c in taken], LIMIT_MS)
    stage.rows("third failure -> rule at all", [max(r[1:]) - r[0] for r in taken])
    stage.rows("yardstick: 8 KB written and synced on that disk", disk.taken)


if __name__ == "__main__":
    stage.play(main)
