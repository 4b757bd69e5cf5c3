# SPDX-License-Identifier: Apache-2.0
"""What a ledger on a chain has to stand beside: validators that die, strangers, thieves.

They come after the cases of every ledger, from which they take the world.
"""
import socket
import time

import topology
from cases import CASES, case, customer
from world import CARRIER, expect, wait_for

import contract
from contract import Word
from transaction import Key

THIEF, CAP = "bank-d", 16
MAX_TTL = 600  # while the thief is at work


def connects(namespace, address, port):
    with topology.inside(namespace):
        s = socket.socket()
    with s:
        s.settimeout(5)
        try:
            s.connect((address, port))
        except OSError:
            return False
    return True


@case("each node reaches its own validator and no other")
def own_endpoint(world):
    begun = time.monotonic()
    for n in world.nodes:
        own = world.consortium.endpoint(n.letter)[0]
        for i, port in enumerate(world.consortium.ports):
            there = "http://%s:%d" % (topology.VALIDATORS[i], port)
            expect(connects(n.namespace, topology.VALIDATORS[i], port) == (there == own),
                   "node %s and the validator %s, its own being %s", n.letter, there, own)
        where = n.ask("status")["ledger"]["where"]
        expect(own in where, "node %s follows %s, not %s", n.letter, where, own)
    for namespace in ("attacker", "customer"):
        expect(not connects(namespace, topology.VALIDATORS[0], world.consortium.ports[0]),
               "%s reaches a validator", namespace)
    return time.monotonic() - begun


@case("a validator dies during an attack: nothing changes")
def validator_dies(world):
    address = world.attacker()
    since = time.monotonic()
    attack = world.guess_passwords(world.a, address)
    world.detection(world.a, address, since)
    world.consortium.kill(4)
    last = max(world.rule(n, address, since) for n in world.nodes)
    attack.stop()
    expect(world.words(address) == [(1, "report")], "the ledger's history of %s is %s",
           address, world.words(address))
    world.ledger.verify()
    world.consortium.start(4)
    height = world.consortium.inside[0].height()
    world.consortium.inside[3].wait_height(height, 60)
    expect(not world.customer.failures, "calls failed: %s", world.customer.failures[:3])
    return last - since


@case("a stranger's transactions do nothing")
def stranger(world):
    begun = time.monotonic()
    consortium, ledger = world.consortium, world.consortium.contract
    key = Key()
    calls = contract.calls_of_everybody()
    expect(len(calls) >= 15, "only %s", sorted(calls))
    # The same as a member's, too: a report of his, in his name.
    member = ledger.members()[0]
    calls["a member's report"] = contract.submit_data(1, [words(member, [
        world.attacker()], world.ttl)[0]])
    before = (ledger.tips(), ledger.members(), ledger.threshold())
    chain_id = ledger.endpoint.chain_id()
    sent = {name: ledger.endpoint.send_raw(key.sign(chain_id, nonce, ledger.address, data,
                                                    gas=3000000))
            for nonce, (name, data) in enumerate(calls.items())}
    for name, digest in sent.items():
        receipt = ledger.endpoint.wait_receipt(digest)
        expect(receipt["status"] == "0x0", "a stranger's %s passes", name)
    expect((ledger.tips(), ledger.members(), ledger.threshold()) == before,
           "the ledger has changed")
    consortium.settle()
    for n in world.nodes:
        status = n.ask("status")["ledger"]
        expect(status["healthy"] and status["caught_up"], "node %s: %s", n.letter, status)
    return time.monotonic() - begun


def words(holder, addresses, ttl, first=0, **changes):
    """Reports as a stolen key can make them: with any proof that it likes."""
    expiry = int(time.time()) + ttl
    return [Word(contract.ip4(address), expiry, holder.index, holder.generation, first + i,
                 contract.PASSWORD, contract.NONCE, contract.REPORT)._replace(**changes)
            for i, address in enumerate(addresses)]


@case("a stolen key at its cap does no more than it may")
def stolen(world):
    begun = time.monotonic()
    ledger, folder = world.consortium.contract, world.ledger.folder
    world.ledger.administer("ledger", "config", "--threshold", "2", "--max-ttl",
                            "%ds" % MAX_TTL)
    index = world.ledger.add_member(THIEF, folder + "/stolen.key", CAP)
    with open(folder + "/stolen.key", encoding="ascii") as f:
        key = Key(f.read().strip().removeprefix("0x"))
    member = ledger.members()[index - 1]
    victims = ["198.51.100.%d" % (100 + i) for i in range(CAP)]

    def pays(data):
        return ledger.send(key, data)["status"] == "0x1"
    expect(pays(contract.submit_data(index, words(member, victims, MAX_TTL - 30))),
           "the thief cannot report at all")
    bounded(world, key, member, victims)
    # Alone under a threshold of 2 it moves nobody.
    for n in world.nodes:
        wait_for(lambda n=n: world.listed(n, victims[-1]), 10, "%s lists it", n.letter)
        expect(not set(victims) & set(n.banned()), "node %s follows the thief", n.letter)
    # Under a threshold of 1 it does what its cap allows, no more.
    world.ledger.administer("ledger", "config", "--threshold", "1")
    for n in world.nodes:
        wait_for(lambda n=n: set(victims) <= set(n.banned()), 10, "%s follows", n.letter)
    bounded(world, key, member, victims)
    stopped(world, "suspend", victims)
    expect(not pays(contract.submit_data(index, words(member, victims, 60))),
           "a suspended member's report passes")
    world.ledger.administer("member", "resume", THIEF)
    for n in world.nodes:
        wait_for(lambda n=n: set(victims) <= set(n.banned()), 10, "%s follows", n.letter)
    stopped(world, "remove", victims)
    expect(not pays(contract.submit_data(index, words(member, victims, 60))),
           "a removed member's report passes")
    world.ledger.administer("ledger", "config", "--max-ttl", "%ds" % world.ttl)
    world.ledger.verify()
    return time.monotonic() - begun


def bounded(world, key, member, victims):
    """The cap holds, the protected stay, others' cells are others'."""
    ledger = world.consortium.contract
    one, sent = victims[0], {}
    chain_id, nonce = ledger.endpoint.chain_id(), ledger.endpoint.nonce(key.address)
    for what, word in (
            ("a cell past the cap", words(member, [one], 60, first=CAP)[0]),
            ("the protected carrier", words(member, [CARRIER], 60, action=1)[0]),
            ("a prefix around it", words(member, ["203.0.113.0/24"], 60, action=1)[0]),
            ("another's cell", words(member, [one], 60, member=1, action=1)[0]),
            ("spending another's report", words(member, [one], 60, member=1, action=2)[0]),
            ("a life without end", words(member, [one], 2 * MAX_TTL)[0])):
        data = contract.submit_data(member.index, [word])
        expect(ledger.would(key.address, data), "the thief may: %s", what)
        sent[what] = ledger.endpoint.send_raw(key.sign(
            chain_id, nonce + len(sent), ledger.address, data, gas=3000000))
    for what, digest in sent.items():
        expect(ledger.endpoint.wait_receipt(digest)["status"] == "0x0",
               "the thief did: %s", what)
    live = [w for m, w in ledger.live() if m.index == member.index]
    expect(len(live) == CAP, "it holds %d cells, its cap is %d", len(live), CAP)
    for n in world.nodes:
        more = [b for b in n.banned() if b.startswith("203.0.113.")]
        expect(not more, "node %s bans %s", n.letter, more)


def stopped(world, order, victims):
    """One operation of the owner's, and its bans are gone everywhere."""
    world.ledger.administer("member", order, THIEF)
    for n in world.nodes:
        wait_for(lambda n=n: not set(victims) & set(n.banned()), 10, "node %s lifts all "
                 "bans after the member's %s", n.letter, order)


def reorder():
    """The customer's case looks at the whole time: it stays the last."""
    CASES.sort(key=lambda c: c[2] is customer)
    CASES[:] = [(number + 1, *c[1:]) for number, c in enumerate(CASES)]


reorder()
