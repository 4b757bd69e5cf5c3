# SPDX-License-Identifier: Apache-2.0
"""Checks of anvil and of the plain client."""
import os
import signal
import subprocess
import sys
import time

import network
import rpc
import transaction
from selftest_stage import Stage, raises, want

__all__ = ["CHECKS", "Stage"]


def vectors(_):
    """keccak, EIP-155 and address vectors hold"""
    want(transaction.keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0"
         "e500b653ca82273b7bfad8045d85a470", "keccak of nothing")
    want(transaction.selector("transfer(address,uint256)").hex() == "a9059cbb", "selector")
    # The example of EIP-155.
    raw = transaction.Key("46" * 32).sign(1, 9, "0x" + "35" * 20, value=10**18, gas=21000,
                                          price=20 * 10**9)
    want(raw.endswith("8025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa"
                      "636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a"
                      "3b6d83"), "EIP-155: %s", raw)
    want(transaction.Key(network.DEV_KEY).address ==
         "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "address of the first account")


def contract(s):
    """a contract is deployed, its logs read back, both transaction types, no fee"""
    logs = s.direct.logs(s.contract)
    want([bytes.fromhex(log["data"][2:]) for log in logs] == [b"one", b"two", b"three"],
         "%r", logs)
    want(s.direct.balance(s.key.address) == 0, "paid by an empty account?")
    receipt = s.direct.execute(s.key, s.contract, b"x", tip=0)
    want(receipt["type"] == "0x2" and receipt["status"] == "0x1", "%r", receipt)


def legacy(_):
    """a legacy-only anvil has no base fee and refuses type 2"""
    with network.Anvil(hardfork="berlin", chain_id=77) as chain:
        node, key = chain.node(), transaction.Key()
        want(node.chain_id() == 77, "chain id")
        want("baseFeePerGas" not in node.block(), "%r", node.block())
        want(node.code(node.deploy(key, rpc.LOGGER)) == "0x" + rpc.LOGGER[-26:], "code")
        with raises(rpc.RpcError):
            node.execute(key, None, rpc.LOGGER, tip=0)


def clocks(_):
    """blocks come by the clock, by command, with the timestamp that was set"""
    with network.Anvil(block_time=1) as chain:
        chain.wait_blocks(1)
    with network.Anvil(block_time=0) as chain:
        node, key = chain.node(), transaction.Key()
        digest = node.send_raw(key.sign(31337, 0, data=rpc.LOGGER))
        want(node.receipt(digest) is None and node.height() == 0, "mined by itself")
        later = int(time.time()) + 86400
        chain.next_timestamp(later)
        chain.mine()
        want(node.wait_receipt(digest)["blockNumber"] == "0x1", "not in block 1")
        want(rpc.number(node.block()["timestamp"]) == later, "timestamp")
        chain.advance(1000)
        chain.mine()
        want(rpc.number(node.block()["timestamp"]) >= later + 1000, "advanced")


def reorg(_):
    """anvil reorganises twelve blocks, drops a log, rolls back, reverts"""
    with network.Anvil() as chain:
        node, key = chain.node(), transaction.Key()
        address = node.deploy(key, rpc.LOGGER)
        chain.mine(10)
        digest = node.execute(key, address, b"dropped")["transactionHash"]
        kept = key.sign(31337, 1, address, b"kept")
        chain.mine(3)
        before = [node.hash(n) for n in range(node.height() + 1)]
        chain.reorg(12, [(kept, 2)])
        after = [node.hash(n) for n in range(node.height() + 1)]
        same = sum(a == b for a, b in zip(before, after))
        want(len(after) == len(before) and len(before) - same == 12, "%d the same", same)
        want(node.receipt(digest) is None, "the dropped one is still there")
        want([log["data"] for log in node.logs(address)] == ["0x" + b"kept".hex()], "logs")
        height = node.height()
        chain.rollback(2)
        want(node.height() == height - 2, "rollback")
        mark = chain.snapshot()
        chain.mine(5)
        chain.revert(mark)
        want(node.height() == height - 2, "revert")


def ends(_):
    """what was started ends when the program that started it is killed"""
    code = ("import sys; sys.path.insert(0, %r); import network, time\n"
            "a = network.Anvil(); a.__enter__(); print(a.process.pid, a.folder, flush=True)\n"
            "time.sleep(60)" % network.HERE)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                          text=True) as process:
        pid, folder = process.stdout.readline().split()
        want(os.path.exists("/proc/" + pid), "anvil is not there")
        process.send_signal(signal.SIGKILL)
        process.wait()

    def gone():
        try:
            with open("/proc/%s/stat" % pid, encoding="ascii") as f:
                return f.read().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True
    rpc.wait(gone, "end of anvil")
    os.unlink(folder + "/anvil.log")
    os.rmdir(folder)


CHECKS = [vectors, contract, legacy, clocks, reorg, ends]
