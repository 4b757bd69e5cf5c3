#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ethereum_read.py --build FOLDER [--reports N]: a fresh node reads a full ledger.

N live reports (1,000,000) of four members stand on a development chain. A node
with an empty journal reads, verifies and folds them; ethers and viem fetch the
same events from the same chain and put the words into a Map, verifying nothing.
All go through a relay that sees when the last byte of the last large reply has
passed.
"""
import json
import os
import subprocess
import time

import ethereum_stage as eth  # first: it says where the others are
import stage
from contract import SUBMIT, word32
from relay import Gate

MEMBERS = 4
WORDS = 256      # a batch
A_BLOCK = 40     # batches
PEER_BLOCKS = 10  # that a peer asks for at once: its replies are strings, of 512 MB at most
LIMIT_SECONDS = 1.5
LIMIT_BYTES = 64
TTL = 3 * 86400


# --- filling the chain ---

def batch(member, first, count, expiry):
    """The call data of count new reports, each of an address of its own."""
    tail = (expiry << 80 | member << 64 | 3 << 16 | 1 << 8).to_bytes(14, "big")
    words = bytearray()
    for cell in range(first, first + count):
        # kind, length, value: 64.0.0.0 and on by 2^22 for each member
        address = (64 << 24) + ((member - 1) << 22) + cell
        word = b"\x01\x20" + address.to_bytes(4, "big") + bytes(12) + tail
        words += word[:26] + cell.to_bytes(3, "big") + word[29:]
    return (SUBMIT + word32(member) + bytes(32) + word32(128)
            + word32(128 + 32 + 32 * count) + word32(count) + bytes(words) + word32(0))


def batches(addresses, reports, expiry):
    """Every transaction of the filling, as eth_sendTransaction takes it."""
    each = -(-reports // len(addresses))
    for member, address in enumerate(addresses, 1):
        mine = min(each, reports - (member - 1) * each)
        for first in range(0, mine, WORDS):
            count = min(WORDS, mine - first)
            yield {"from": address, "gas": hex(60_000 + 32_000 * count), "gasPrice": "0x0",
                   "data": "0x" + batch(member, first, count, expiry).hex()}


def fill(chain, ledger, reports):
    """That many live reports; the chain signs in the members' names. Seconds."""
    begun = time.monotonic()
    each = -(-reports // MEMBERS)
    addresses = [ledger.add_member("member-%d" % k, each)[1] for k in range(MEMBERS)]
    for address in addresses:
        chain.rpc("anvil_impersonateAccount", address)
    chain.automine(False)
    block = []

    def mine():
        calls = [{"jsonrpc": "2.0", "id": i, "method": "eth_sendTransaction",
                  "params": [dict(call, to=ledger.contract)]} for i, call in enumerate(block)]
        for answer in chain.node().exchange(calls):
            if "result" not in answer:
                raise stage.Unmeasurable("the chain takes no batch: %s" % answer)
        chain.rpc("evm_mine")
        block.clear()
    for call in batches(addresses, reports, int(time.time()) + TTL):
        block.append(call)
        if len(block) == A_BLOCK:
            mine()
    if block:
        mine()
    chain.automine(True)
    return time.monotonic() - begun


# --- reading it ---

def read(build, ledger, relay, reports):
    """What the program says, and what the relay has seen."""
    relay.noted()
    configuration = ledger.configuration("reader", ledger.owner, relay.http)
    done = subprocess.run([os.path.join(build, "bench", "ledger_read"), configuration],
                          capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise stage.Unmeasurable("ledger_read: " + done.stderr[-800:])
    figures = json.loads(done.stdout)
    figures.update(relay.noted())
    if figures["reports"] != reports:
        raise stage.Unmeasurable("%d live reports were read, not %d"
                                 % (figures["reports"], reports))
    return figures


def waited(figures):
    """(ns after the last event in which the chain owed an answer, the last one's end)."""
    total, until = 0, figures["last"]
    for asked, answered in sorted(figures["waits"]):
        if answered > until and asked < figures["committed"]:
            total += answered - max(asked, until)
            until = answered
    return total, until


def print_read(figures, journal):
    """What counts begins with the last byte of what is verified: tips and proofs too."""
    reports = figures["reports"]
    owed, last = waited(figures)
    stage.row("the chain's last byte -> all is verified and folded",
              (figures["done"] - last) / 1e9, "s", LIMIT_SECONDS)
    stage.row("the last event's last byte -> the same", (figures["done"] - figures["last"]) / 1e9,
              "s")
    stage.row("  of that the chain answers for tips and proofs", owed / 1e9, "s")
    stage.row("  of that it is in the journal and is folded",
              (figures["done"] - figures["committed"]) / 1e9, "s")
    stage.row("  the same in processor time", figures["cpu_folding"], "s")
    stage.row("heap a report, with the open journal", figures["heap"] / reports, "byte",
              LIMIT_BYTES)
    stage.row("  of that the registry", figures["registry"] / reports, "byte")
    stage.row("whole reading", (figures["done"] - figures["begun"]) / 1e9, "s")
    stage.row("  of that our processor time", figures["cpu"], "s")
    stage.row("most memory of the process", figures["peak"] / 2**20, "MB")
    stage.row("replies of the chain", figures["bytes"] / 2**20, "MB")
    stage.row("the journal on the disk", os.stat(journal).st_size / 2**20, "MB")


def read_by_peers(build, folder, ledger, relay, place, ours):
    """ethers and viem, on the same chain."""
    for name in ("ethers", "viem"):
        relay.noted()
        cost = eth.Cost(build, folder, eth.javascript(
            place, "read_" + name, relay.http, ledger.contract, 0, PEER_BLOCKS), 900)
        answer = json.loads(cost.output)
        if answer["reports"] != ours["reports"]:
            raise stage.Unmeasurable("%s has read %d reports" % (name, answer["reports"]))
        stage.row("%s, whole reading" % name, answer["seconds"], "s")
        stage.row("  to ours", answer["seconds"] * 1e9 / (ours["done"] - ours["begun"]), "x")
        stage.row("%s, the last byte has come -> all is in a Map" % name, answer["after"], "s")
        stage.row("%s, most memory of the process" % name, cost.megabytes, "MB")
        stage.row("  to ours", cost.megabytes * 2**20 / ours["peak"], "x")


def main(build, folder, options):
    place = eth.peers()
    with eth.free_chain("--prune-history", "--no-request-size-limit") as chain, \
            Gate(chain.http.split("//")[1], folder + "/relay") as relay:
        ledger = eth.Ledger(build, folder, chain.http)
        seconds = fill(chain, ledger, options.reports)
        stage.head("a fresh node, %d live reports" % options.reports)
        stage.row("the chain, filled in %d blocks" % chain.node().height(), seconds, "s")
        figures = read(build, ledger, relay, options.reports)
        print_read(figures, folder + "/reader.db")
        if place:
            read_by_peers(build, folder, ledger, relay, place, figures)


if __name__ == "__main__":
    eth.play(main, reports=1_000_000)
