# SPDX-License-Identifier: Apache-2.0
"""Blocks that hold no full batch: smaller ones leave, and everything arrives."""
from fault_stage import Addresses, expect, until

REPORTS = 300
GAS_LIMIT = 1000000  # a full batch of 100 new reports needs 2.5 million


def prepare(stage):
    # The contract itself was made while blocks were large.
    stage.chain.rpc("evm_setBlockGasLimit", hex(GAS_LIMIT))
    stage.first = stage.chain.mine()
    stage.node("a", stage.chain.endpoints())


def small_blocks(stage):
    a = stage.nodes[0]
    waiting = [Addresses.fresh() for _ in range(REPORTS)]
    # While it stands still some leave one by one, and then nothing more does: so the
    # others wait together, enough for full batches.
    stage.chain.stop()
    try:
        for address in waiting:
            a.report(address)
    finally:
        stage.chain.go_on()
    # Anvil makes a block when a transaction comes; what is left over by a full one would
    # wait for the next.
    until(lambda: stage.chain.mine() and a.settled(), 120, "%d reports in blocks of %d gas",
          REPORTS, GAS_LIMIT)
    stage.agree()
    # As measured: none of them wasted a block, and a refusal is not repeated for each.
    most = max(int(block["gasUsed"], 16) for block in blocks(stage))
    expect(0 < most <= GAS_LIMIT, "a block used %d gas", most)
    told = a.log().count("too little for a batch")
    expect(1 <= told <= 10, "said %d times that a batch does not fit", told)


def blocks(stage):
    top = stage.chain.node().height()
    return [stage.chain.rpc("eth_getBlockByNumber", hex(n), False)
            for n in range(stage.first, top + 1)]


def play(stage, table):
    table.play("blocks of %d gas, %d reports at once" % (GAS_LIMIT, REPORTS), small_blocks,
               stage)
