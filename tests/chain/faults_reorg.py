# SPDX-License-Identifier: Apache-2.0
"""A chain that takes blocks back, and a key that another program uses as well.

On an anvil of their own: what these do to the chain all its users feel.
"""
from fault_stage import Addresses, expect, until
import contract

DEPTH = 12  # blocks until final


def mine(s, blocks):
    s.chain.mine(blocks, 1)


def reorganised(s, depth):
    """Blocks with reports of both nodes go, silently; the reports come back."""
    mine(s, 1)
    told = [s.a.report(), s.b.report(), s.a.report()]
    until(lambda: set(told) <= set(s.a.listed()) & set(s.b.listed()), 15,
          "both list all three")
    mine(s, depth - 3)
    s.chain.reorg(depth)
    gone = [address for address in told if not s.contract.told(address)]
    expect(gone, "no report was dropped")
    back(s, told)


def back(s, told):
    """Blocks go on until all is final again."""
    def settled():
        mine(s, 1)
        return all(s.contract.told(address) for address in told)
    until(settled, 60, "what was dropped is there again")
    mine(s, DEPTH + 2)
    s.agree(30)


def rolled_back(s):
    """Back to a snapshot with nothing in its place: the chain is shorter than known."""
    mine(s, 1)
    snapshot = s.chain.snapshot()
    told = [s.a.report(), s.b.report()]
    until(lambda: set(told) <= set(s.a.listed()) & set(s.b.listed()), 15, "both list both")
    mine(s, 5)
    s.chain.revert(snapshot)
    expect(not any(s.contract.told(address) for address in told), "nothing was dropped")
    mine(s, 1)
    back(s, told)


def removed_is_told(s):
    """A ban whose report a reorganisation took away for good ends."""
    thief = s.b.key()
    mine(s, 1)
    snapshot = s.chain.snapshot()
    nonce = s.contract.endpoint.nonce(thief.address)
    s.b.stop()
    expiry = s.contract.endpoint.block()["timestamp"]
    member = s.contract.members()[s.b.member - 1]
    address = Addresses.fresh()
    word = contract.Word(contract.ip4(address), int(expiry, 16) + 1200, member.index,
                         member.generation, 900, contract.PASSWORD, contract.MANUAL, 0)
    receipt = s.contract.send(thief, contract.submit_data(member.index, [word]), nonce=nonce)
    expect(receipt["status"] == "0x1", "the report did not pass")
    until(lambda: address in s.a.banned(), 15, "a bans %s", address)
    s.chain.revert(snapshot)
    mine(s, 3)
    until(lambda: address not in s.a.banned(), 15, "a lifts the ban of what never was")
    s.b.start()
    mine(s, DEPTH + 2)
    s.agree(30)


def nonce_taken(s):
    """Another program spends the next nonce of a's key, before a and while a waits."""
    key, chain_id = s.a.key(), s.contract.endpoint.chain_id()
    node = s.contract.endpoint
    stranger = Addresses.fresh
    nonce = node.nonce(key.address)
    node.wait_receipt(node.send_raw(key.sign(chain_id, nonce, "0x" + "11" * 20, gas=21000)))
    told = s.a.report(stranger())
    until(lambda: told in s.b.listed(), 20, "b lists %s", told)
    # In the pool, not yet in a block: the other one pays and takes its place.
    s.chain.fund(key.address)
    s.chain.automine(False)
    try:
        late = s.a.report(stranger())
        nonce = node.nonce(key.address, "latest")
        until(lambda: node.nonce(key.address) == nonce + 1, 15, "a's transaction waits")
        theft = node.send_raw(key.sign(chain_id, nonce, "0x" + "11" * 20, gas=21000,
                                       price=10**10))
        mine(s, 1)
        expect(node.receipt(theft), "the other program's transaction was not taken")
        expect(not s.contract.told(late), "both were mined")
    finally:
        s.chain.automine(True)

    def again():
        mine(s, 1)
        return s.contract.told(late)
    until(again, 60, "a signs anew what the other one displaced")
    mine(s, DEPTH + 2)
    s.agree(30)


def prepare(s):
    """Final after a depth, as on chains that fork."""
    s.ledger.pins = s.ledger.pins.replace("final = 0", "final = %d" % DEPTH)
    one = s.chain.endpoints()[:1]
    s.a = s.node("reorg-a", one)
    s.b = s.node("reorg-b", one)


def play(s, table):
    table.play("a reorganisation of 10 blocks that drops reports", reorganised, s, 10)
    table.play("a reorganisation of 30 blocks, past what was final", reorganised, s, 30)
    table.play("a chain set back, silently", rolled_back, s)
    table.play("a ban ends whose report a reorganisation removed", removed_is_told, s)
    table.play("nonces taken by another program with the same key", nonce_taken, s)
