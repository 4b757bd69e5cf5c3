#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ethereum_report.py --build FOLDER: one report as a process, and gas a report.

`sipchain report --direct` beside ethers, web3 and viem doing the same on the same
chain, in turns. Gas is of receipts: batches of 100 made by the daemon's writer,
with a protected table of 100 entries, beside the paper's two calls.
"""
import json
import os
import subprocess

import ethereum_stage as eth  # first: it says where the others are
import stage
from transaction import Key

LIMIT_MS = 20
LIMIT_MB = 12
LIMIT_NEW = 26000
LIMIT_REUSED = 8000
TABLE = 100
BATCHES = 3
PAPER_SIZES = (1, 10, 100)
FIRST = 64 << 24  # 64.0.0.0, of which nothing is protected


def commands(ledger, place, key, number):
    """{name: command line} of all who report, each an address of its own."""
    names = ("sipchain",) + (eth.PEERS if place else ())
    addresses = {name: "65.%d.%d.%d" % (number // 250, number % 250, 1 + i)
                 for i, name in enumerate(names)}
    lines = {name: eth.javascript(place, "report_" + name, ledger.endpoint, ledger.contract,
                                  key, addresses[name], 3600) for name in names[1:]}
    return {"sipchain": [ledger.program, "report", "--direct", addresses["sipchain"],
                         "--category", "password", "--ttl", "1h", *ledger.on_chain(key)],
            **lines}


def processes(build, folder, chain, ledger, place, rounds):
    """{name: [Cost]} of a report each, in turns."""
    key, address, _ = ledger.add_member("reporter", 10000)
    chain.fund(address)  # the peers offer a fee wherever they are
    costs = {}
    for number in range(rounds):
        for name, line in commands(ledger, place, key, number).items():
            costs.setdefault(name, []).append(eth.Cost(build, folder, line))
    shown = json.loads(ledger.run("list", "--direct", "--json", "--limit", "1000",
                                  "--endpoint", ledger.endpoint, "--contract",
                                  ledger.contract))
    if len(shown["indicators"]) != rounds * len(costs):
        raise stage.Unmeasurable("%d reports are on the ledger, not %d"
                                 % (len(shown["indicators"]), rounds * len(costs)))
    return costs


def print_processes(costs, rounds):
    stage.head("one report, a process from start to end (%d)" % rounds)
    median = {name: [stage.quantile(figures, 0.5) for figures in zip(*(
        (c.seconds, c.megabytes, c.processor) for c in all_))]
              for name, all_ in costs.items()}
    ours = median["sipchain"]
    for name, (seconds, megabytes, processor) in median.items():
        mine = name == "sipchain"
        stage.row("%s, p50" % name, 1000 * seconds, "ms", LIMIT_MS if mine else None)
        stage.row("%s, processor time, p50" % name, 1000 * processor, "ms")
        stage.row("%s, most memory, p50" % name, megabytes, "MB", LIMIT_MB if mine else None)
    for name in list(median)[1:]:
        stage.row("%s's time to ours" % name, median[name][0] / ours[0], "x")
        stage.row("%s's memory to ours" % name, median[name][1] / ours[1], "x")


def write(build, ledger, key, member, offset, action):
    """Batches of 100 in the first cells; gas a report, of their receipts."""
    endpoint = eth.rpc.Endpoint(ledger.endpoint)
    count = 100 * BATCHES
    first = endpoint.height() + 1
    done = subprocess.run([
        os.path.join(build, "bench", "ledger_write"), ledger.configuration("writer", key),
        str(member), "0", str(FIRST + offset), "0", str(count), "86400", action],
        capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise stage.Unmeasurable("ledger_write: " + done.stderr[-800:])
    used = batches = 0
    for number in range(first, endpoint.height() + 1):
        for digest in endpoint.block(number)["transactions"]:
            receipt = endpoint.receipt(digest)
            if receipt["status"] != "0x1":
                raise stage.Unmeasurable("a batch was reverted: " + digest)
            used += eth.rpc.number(receipt["gasUsed"])
            batches += 1
    if batches != BATCHES:
        raise stage.Unmeasurable("%d transactions, not %d" % (batches, BATCHES))
    return used / count


def text_call(selector, text):
    """A call with one string."""
    data = text.encode()
    return (bytes.fromhex(selector) + (32).to_bytes(32, "big")
            + len(data).to_bytes(32, "big") + data + bytes(-len(data) % 32))


def paper(place, endpoint):
    """[(entries, gas to add the last, gas to delete the middle one)]."""
    made = json.loads(subprocess.run(eth.javascript(place, "paper"), check=True, text=True,
                                     stdout=subprocess.PIPE).stdout)
    key = Key(eth.network.DEV_KEY)
    address = endpoint.deploy(key, bytes.fromhex(made["code"]), gas=3000000)

    def gas(selector, number):
        receipt = endpoint.execute(key, address,
                                   text_call(selector, "198.51.%d.%d" % divmod(number, 100)))
        return eth.rpc.number(receipt["gasUsed"])
    figures, entries = [], 0
    for size in PAPER_SIZES:
        while entries < size:
            added = gas(made["add"], entries)
            entries += 1
        figures.append((size, added, gas(made["del"], size // 2)))
        gas(made["add"], size // 2)
    return figures


def print_gas(build, ledger, place):
    key, _, member = ledger.add_member("writer", 1000)
    new = write(build, ledger, key, member, 0, "report")
    reused = write(build, ledger, key, member, 1000, "replace")
    stage.head("gas a report, batches of 100, %d protected" % TABLE)
    stage.row("new cells", new, "gas", LIMIT_NEW)
    stage.row("reused cells", reused, "gas", LIMIT_REUSED)
    stage.row("to end one: it expires by itself", 0, "gas")
    if not place:
        return
    for size, added, deleted in paper(place, eth.rpc.Endpoint(ledger.endpoint)):
        stage.row("the paper's contract, %d entries: addIp" % size, added, "gas")
        stage.row("the paper's contract, %d entries: delIp" % size, deleted, "gas")
        stage.row("  both, to a report in a reused cell", (added + deleted) / reused, "x")
    stage.row("the paper's own figures: 49.7k + 37.8k, to ours", (49700 + 37800) / reused,
              "x")


def main(build, folder, options):
    place = eth.peers()
    with eth.free_chain() as chain:
        ledger = eth.Ledger(build, folder, chain.http)
        ledger.protect(TABLE)
        costs = processes(build, folder, chain, ledger, place, options.rounds)
        print_processes(costs, options.rounds)
        print_gas(build, ledger, place)


if __name__ == "__main__":
    eth.play(main, rounds=9)
