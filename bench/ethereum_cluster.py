#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ethereum_cluster.py --build FOLDER: from A's detection to C's rule, over four validators.

Three nodes in network namespaces, each at its own validator of an IBFT network
with a block a second. What A sees by HEP becomes a transaction; the chain puts
it into a block, which takes what it takes; from there on, when C's validator has
that block, it is C's to verify, decide and put into the kernel.
"""
import http.client
import json
import random
import threading
import time

import stage  # first: it says where the others are
import attack
import consortium
import topology
from contract import BATCH, OPERATION, decode_word, ip4_text

ROUNDS = 100
LIMIT_MS = 50.0
MAX_TTL = 3600
SOURCES = 16 << 8  # from 198.18.16.0 on: the first of the range are the validators'


class Blocks:
    """When C's validator has a block: it is asked for its height all the time."""

    PAUSE = 0.004
    ASK = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []})

    def __init__(self, url):
        host, port = url.split("//")[1].rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=10)
        with topology.inside("chain"):
            self.connection.connect()
        self.arrived = {}  # height: (ns when it was not yet there, ns when it was)
        self.ended = False
        self.failure = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _height(self):
        self.connection.request("POST", "/", self.ASK, {"Content-Type": "application/json"})
        return int(json.loads(self.connection.getresponse().read())["result"], 16)

    def _run(self):
        try:
            height, before = self._height(), time.monotonic_ns()
            while not self.ended:
                time.sleep(self.PAUSE)
                asked = time.monotonic_ns()
                now = self._height()
                for number in range(height + 1, now + 1):
                    self.arrived[number] = (before, time.monotonic_ns())
                height, before = now, asked
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            self.failure = error

    def end(self):
        self.ended = True
        self.thread.join()
        self.connection.close()
        if self.failure:
            raise stage.Unmeasurable("C's validator: %r" % self.failure)


def measure(hep, sources, watches):
    """{address: (third failure, rule at A, at B, at C)} in nanoseconds."""
    taken = {}
    for _ in range(ROUNDS):
        address = sources.fresh()
        begun = attack.third_failure(hep, address, random.uniform(0.03, 0.08))
        taken[address] = [begun] + [w.element("sipchain", address, 30) for w in watches]
        time.sleep(random.uniform(0.1, 1.1))  # at any moment of a block
    return taken


def blocks_of(contract):
    """{address: the block with its report}, of the events."""
    found = {}
    for log in contract.endpoint.logs(contract.address, topics=[OPERATION]):
        data = bytes.fromhex(log["data"][2:])
        operation = data[128:128 + int.from_bytes(data[96:128], "big")]
        if operation[0] != BATCH:
            continue
        for k in range(int.from_bytes(operation[67:69], "big")):
            word = decode_word(int.from_bytes(operation[69 + 32 * k:101 + 32 * k], "big"))
            found[ip4_text(word.indicator)] = int(log["blockNumber"], 16)
    return found


def print_rounds(taken, held, arrived):
    rounds = [(*times, *arrived[held[address]]) for address, times in taken.items()]
    stage.head("A's detection, C's rule, a block a second (%d)" % ROUNDS)
    stage.rows("third failure -> rule at A", [a - t for t, a, _, _, _, _ in rounds])
    stage.rows("third failure -> its block at C's validator",
               [there - t for t, _, _, _, _, there in rounds])
    both = [c - absent for _, _, _, c, absent, _ in rounds]
    for part in (0.5, 0.9, 0.99):
        stage.row("its block at C's validator -> rule at C, p%d" % (100 * part),
                  stage.quantile(both, part) / 1e6, "ms", LIMIT_MS)
    stage.row("  the same, longest", max(both) / 1e6, "ms", LIMIT_MS)
    stage.rows("  of that it was perhaps not there yet",
               [there - absent for _, _, _, _, absent, there in rounds])
    stage.rows("first answer that shows it -> rule at C",
               [c - there for _, _, _, c, _, there in rounds])
    stage.rows("third failure -> rule at C", [c - t for t, _, _, c, _, _ in rounds])
    stage.rows("rule at B -> rule at C", [abs(c - b) for _, _, b, c, _, _ in rounds])


def main(build):
    validators = consortium.Consortium(stage.FOLDER)
    try:
        ledger = validators.ledger(stage.node.find(build, "sipchain"), MAX_TTL)
        nodes = [stage.start_node(build, letter, ledger) for letter in "abc"]
        watches = [stage.Watch(build, n.namespace) for n in nodes]
        hep, sources = attack.Hep(nodes[0]), attack.Sources()
        sources.used = SOURCES
        blocks = Blocks(validators.endpoint("c")[0])
        taken = measure(hep, sources, watches)
        blocks.end()
        print_rounds(taken, blocks_of(validators.contract), blocks.arrived)
    finally:
        validators.stop()


if __name__ == "__main__":
    stage.play(main, chain=True)
