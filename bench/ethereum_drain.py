#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ethereum_drain.py --build FOLDER [--reports N]: N (10,000) reports after an outage.

The chain makes a block a second of at most 100,000,000 gas. Its endpoint is away
while the daemon's writer gets the reports; then it is back. How many blocks it
takes until all are in, beside the fewest that have room for so much gas.
"""
import os
import subprocess
import time

import ethereum_stage as eth  # first: it says where the others are
import ports
import stage
from relay import Gate

GAS_LIMIT = 100_000_000
BLOCK_TIME = 1
OUTAGE = 5.0  # seconds
BATCH = 100
FIRST = 64 << 24


class Writer:
    """ledger_write, and what it prints."""

    def __init__(self, build, configuration, member, reports):
        self.process = subprocess.Popen([
            os.path.join(build, "bench", "ledger_write"), configuration, str(member), "0",
            str(FIRST), "0", str(reports), "86400", "report"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()
        if line[:1] != ["queued"]:
            raise stage.Unmeasurable("ledger_write: " + self.process.stderr.read()[-800:])
        self.queued = int(line[2])

    def finals(self, seconds):
        """The nanosecond at which each batch was final; all of them."""
        try:
            out, errors = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise stage.Unmeasurable("not all is on the chain after %d s" % seconds) from None
        if self.process.returncode:
            raise stage.Unmeasurable("ledger_write: " + errors[-800:])
        return [int(line.split()[1]) for line in out.splitlines()
                if line.startswith("final ")]


def blocks_of(endpoint, contract, first):
    """[(number, gas used)] of the blocks from the first to the last with a batch."""
    found, held = [], 0
    for number in range(first, endpoint.height() + 1):
        block = endpoint.block(number, full=True)
        mine = [t for t in block["transactions"] if t["to"] == contract.lower()]
        found.append((number, eth.rpc.number(block["gasUsed"]), len(mine)))
    while found and not found[0][2]:
        found.pop(0)
    while found and not found[-1][2]:
        found.pop()
    held = sum(count for _, _, count in found)
    return [(number, gas) for number, gas, _ in found], held


def drain(build, folder, ledger, endpoint, reports):
    """(queued while it was away, ns of the return, first height, finals)."""
    key, _, member = ledger.add_member("writer", reports)
    port = ports.take()
    configuration = ledger.configuration("writer", key, "http://127.0.0.1:%d" % port.first)
    writer = Writer(build, configuration, member, reports)
    time.sleep(OUTAGE)
    first = endpoint.height() + 1
    back = time.monotonic_ns()
    with Gate(endpoint.http.split("//")[1], folder + "/relay", port.first):
        finals = writer.finals(300)
    port.release()
    return writer.queued, back, first, finals


def main(build, folder, options):
    with eth.network.Anvil(chain_id=4224, block_time=BLOCK_TIME, options=(
            "--gas-limit", GAS_LIMIT,)) as chain:
        ledger = eth.Ledger(build, folder, chain.http)
        queued, back, first, finals = drain(build, folder, ledger, chain.node(),
                                            options.reports)
        blocks, held = blocks_of(chain.node(), ledger.contract, first)
    batches = -(-options.reports // BATCH)
    if held != batches or len(finals) != batches:
        raise stage.Unmeasurable("%d batches in blocks, %d final, not %d"
                                 % (held, len(finals), batches))
    gas = sum(used for _, used in blocks)
    stage.head("%d reports after an outage, %dM gas a block" % (
        options.reports, GAS_LIMIT // 10**6))
    stage.row("waiting in the writer when it ended", queued * BATCH, "")
    stage.row("gas of all", gas / 1e6, "M")
    stage.row("blocks, beside the fewest that hold so much",
              blocks[-1][0] - blocks[0][0] + 1, "", -(-gas // GAS_LIMIT))
    for number, used in blocks:
        stage.row("  block %d, of its gas limit" % number, 100 * used / GAS_LIMIT, "%")
    stage.row("the endpoint is back -> first final", (finals[0] - back) / 1e9, "s")
    stage.row("the endpoint is back -> all final", (finals[-1] - back) / 1e9, "s")


if __name__ == "__main__":
    eth.play(main, reports=10_000)
