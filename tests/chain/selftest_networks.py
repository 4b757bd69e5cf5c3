# SPDX-License-Identifier: Apache-2.0
"""Checks of the IBFT and the clique network: what the tests on them rely on."""
import os

import network
import rpc
import transaction
from selftest_stage import raises, want


def ibft_lives(_):
    """IBFT: four validators agree, take free legacy transactions, show a log at once"""
    key = transaction.Key()
    rich = transaction.Key()
    with network.Ibft(premine=[rich.address]) as chain:
        node = chain.node(1)
        want(node.chain_id() == 4224 and node.balance(rich.address) > 0, "genesis")
        want(node.balance(key.address) == 0, "the sender has nothing")
        address = node.deploy(key, rpc.LOGGER)
        chain.node(3).execute(key, address, b"report")
        chain.wait_agree()
        for other in chain.nodes:
            want([log["data"] for log in rpc.wait(lambda o=other: o.logs(address), "log")] ==
                 ["0x" + b"report".hex()], "%r", other)
        want("baseFeePerGas" not in node.block(), "a base fee")
        with raises(rpc.RpcError, code=-32601):
            node.rpc("eth_getProof", address, [], "latest")
        folder = chain.folder
        want(len(running(folder)) == 4, "%r", running(folder))
    want(not running(folder), "still running: %r", running(folder))
    want(not os.path.exists(folder), "the folder stays")


def ibft_faults(_):
    """IBFT: goes on with one of four dead, halts with two, goes on when one is back"""
    with network.Ibft() as chain:
        chain.kill(2)
        with raises(rpc.Unreachable):
            chain.node(2).height()
        chain.wait_blocks(2, node=1, seconds=90)
        chain.kill(3)
        rpc.wait(lambda: steady(chain.node(1)), "halt", 60, pause=3)
        stands = chain.node(1).height()
        chain.start(3)
        chain.node(1).wait_height(stands + 1, 120)
        chain.start(2)
        chain.wait_agree(seconds=120)


def steady(node):
    """Whether the height stands for longer than a block takes, a dead proposer's too."""
    height = node.height()
    try:
        node.wait_height(height + 1, 25)
    except rpc.WaitedTooLong:
        return True
    return False


def two_networks(_):
    """two networks beside each other, and an up that fails leaves nothing behind"""
    with network.Ibft(nodes=1, chain_id=1) as one, network.Clique(nodes=1, chain_id=2) as two:
        want(one.node().chain_id() == 1 and two.node().chain_id() == 2, "mixed up")
        one.wait_blocks(1)
        two.wait_blocks(1)
    for kind in (network.Ibft, network.Clique):
        chain = kind(options="--no-such-flag")
        pids = []
        try:
            with chain:
                raise AssertionError("started with a wrong flag")
        except network.ChainError as error:
            want("no-such-flag" in str(error), "%s", error)
            pids = running(chain.folder)
        want(not pids, "still running: %r", pids)


def running(text):
    """Processes whose command line holds this."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, encoding="utf-8", errors="replace") as f:
                if text in f.read():
                    found.append(int(pid))
        except OSError:
            pass  # it ended meanwhile
    return found


def clique_reorg(_):
    """clique: a partition with a twin, heal: ten blocks and a log reorganised away"""
    key = transaction.Key()
    with network.Clique(twin={4: 2}) as chain:
        address = chain.node(1).deploy(key, rpc.LOGGER)
        chain.part([1, 2], [3, 4])
        # Each side gets its own words under the same nonce; one of the two loses.
        digests = {i: chain.node(i).send_raw(key.sign(4224, 1, address, word))
                   for i, word in ((1, b"left"), (3, b"right"))}
        receipts = {i: chain.node(i).wait_receipt(d) for i, d in digests.items()}
        base = min(rpc.number(r["blockNumber"]) for r in receipts.values())
        for i in (1, 3):
            chain.node(i).wait_height(base + 12, 120)
        before = {i: [chain.node(i).hash(base + n) for n in range(12)] for i in (1, 3)}
        want(not set(before[1]) & set(before[3]), "not parted")
        chain.heal()
        chain.wait_agree(seconds=120)
        after = [chain.node(1).hash(base + n) for n in range(12)]
        lost = [i for i in (1, 3) if before[i] != after]
        want(len(lost) == 1, "%r", lost)
        depth = sum(a != b for a, b in zip(before[lost[0]], after))
        want(depth >= 10, "only %d blocks", depth)
        rpc.wait(lambda: chain.node(lost[0]).receipt(digests[lost[0]]) is None, "loss")
        words = [log["data"] for log in chain.node(lost[0]).logs(address)]
        want(words == ["0x" + (b"right" if lost == [1] else b"left").hex()], "%r", words)
        # And again: a second partition is as good as the first.
        chain.part([1, 2], [3, 4])
        for i in (1, 3):
            chain.node(i).wait_height(chain.node(i).height() + 3, 60)
        chain.heal()
        chain.wait_agree(seconds=120)


def clique_faults(_):
    """clique: a node dies and returns, a silent reorganisation by setHead"""
    with network.Clique(alloc=["0x" + "11" * 20]) as chain:
        want(chain.node(2).balance("0x" + "11" * 20) > 0, "alloc")
        chain.kill(1)
        with raises(rpc.Unreachable):
            chain.node(1).height()
        chain.wait_blocks(3, node=2)
        chain.start(1)
        chain.wait_agree(seconds=90)
        chain.kill(4)
        chain.kill(3)
        height = chain.wait_blocks(0, node=2)
        chain.set_head(2, height - 2)
        want(chain.node(2).height() <= height, "set back")
        chain.start(3)
        chain.start(4)
        chain.node(2).wait_height(height + 1, 90)
        chain.stop(1)
        impatient = rpc.Endpoint(chain.node(1).http, timeout=0.5)
        with raises(rpc.Unreachable):
            impatient.height()
        chain.go_on(1)
        chain.wait_agree(seconds=90)


CHECKS = [two_networks, ibft_lives, ibft_faults, clique_reorg, clique_faults]
