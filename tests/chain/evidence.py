# SPDX-License-Identifier: Apache-2.0
"""An evidence file made here, byte by byte as evidence_file.h says, and verified.

Nothing of the C code takes part in the making, so that both agree on the
form: leaf, tree, commitment, and what the file says of the batch.
"""
import json
import os
import time

import contract
from chain_stage import FAILED, OK, USAGE, want
from contract import Word
from transaction import Key, keccak256

ADDRESS = "198.51.100.77"
CELL = 900


def canonical(record):
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()


def leaf(salt, address, body):
    return keccak256(b"\x00" + salt + contract.ip4(address).to_bytes(18, "big") + body)


def node(left, right):
    return keccak256(b"\x01" + left + right)


def submit(s, record, salt):
    """A batch of A's that commits to the record among two others; what was found of it."""
    with open(s.path("a.key"), encoding="ascii") as f:
        key = Key(f.read().strip().removeprefix("0x"))
    ours, first, third = leaf(salt, ADDRESS, canonical(record)), b"\x11" * 32, b"\x33" * 32
    root = node(node(first, ours), third)
    endpoint = s.chain.node()
    ledger = contract.Contract(endpoint, s.contract)
    word = Word(contract.ip4(ADDRESS), int(time.time()) + 3600, 1,
                ledger.members()[0].generation, CELL, contract.PASSWORD, contract.NONCE,
                contract.REPORT)
    before = ledger.tips()
    raw = key.sign(endpoint.chain_id(), endpoint.nonce(key.address), ledger.address,
                   contract.submit_data(1, [word], commitment=root), gas=500000,
                   price=10 * 10**9)
    receipt = endpoint.wait_receipt(endpoint.send_raw(raw))
    want(receipt["status"] == "0x1", "the batch was refused: %r", receipt)
    block = endpoint.rpc("eth_getBlockByNumber", receipt["blockNumber"], False)
    return {"leaf": ours.hex(), "commitment": root.hex(),
            "path": {"index": 1, "count": 3, "siblings": [first.hex(), third.hex()]},
            "operation": {"seq": before.members_seq, "member": 1, "name": "bank-a",
                          "time": int(block["timestamp"], 16), "actor": key.address,
                          "block": int(receipt["blockNumber"], 16),
                          "tip_before": hexadecimal(before.members)}}


def hexadecimal(value):
    return value.hex() if isinstance(value, bytes) else str(value).removeprefix("0x")


def write(s, file):
    with open(s.path("evidence.json"), "w", encoding="ascii") as f:
        json.dump(file, f)
    return s.path("evidence.json")


def changed(file, path, value):
    """A copy in which one field is another."""
    copy = json.loads(json.dumps(file))
    *outer, last = path.split(".")
    inner = copy
    for name in outer:
        inner = inner[name]
    want(inner[last] != value, "%s is %r already", path, value)
    inner[last] = value
    return copy


def evidence(s):
    """evidence verify: a file made by the book, every field of it changed, a history"""
    salt, record = os.urandom(32), {"indicator": ADDRESS, "version": 1, "observations": []}
    shown = s.ask("ledger", "show")
    file = {"format": "sipchain evidence 1", "indicator": ADDRESS, "record": record,
            "salt": salt.hex(), **submit(s, record, salt),
            "ledger": {"id": shown["id"], "type": "ethereum", "chain_id": 31337,
                       "contract": s.contract}}
    path = write(s, file)
    s.expect(OK, "evidence", "verify", path, *s.at(),
             out=["unchanged: this is the record that member 1 (bank-a) committed to",
                  "reported as   password, proof nonce"])
    # The contract is the file's when the command line names only an endpoint.
    verdict = s.parse(OK, "evidence", "verify", path, "--endpoint", s.chain.http)
    want(verdict["verified"] and verdict["time"] == file["operation"]["time"]
         and verdict["block"] == file["operation"]["block"], "%r", verdict)
    history = s.path("history.jsonl")
    with open(history, "w", encoding="ascii") as f:
        f.write(s.expect(OK, "ledger", "export", *s.at()))
    s.expect(OK, "evidence", "verify", path, "--history", history, out=["unchanged"])
    s.expect(USAGE, "evidence", "verify", path, "--history", history, *s.at(),
             err=["give one or the other"])
    for field, value, why in (
            ("record.version", 2, "record: it was edited"),
            ("indicator", "198.51.100.78", "record: it was edited"),
            ("salt", 64 * "0", "record: it was edited"),
            ("path.index", 2, "path: it does not lead"),
            ("commitment", 64 * "a", "path: it does not lead"),
            ("operation.seq", 0, "operation.seq: the batch with this commitment"),
            ("operation.member", 2, "operation.member: the batch is of member 1"),
            ("operation.time", 1, "operation.time: the ledger says"),
            ("operation.block", 1, "operation.block: the ledger says"),
            ("operation.actor", 40 * "0", "operation.actor: another key"),
            ("operation.tip_before", 64 * "0", "operation.tip_before"),
            ("ledger.id", 64 * "b", "not on this ledger"),
            ("format", "sipchain evidence 2", "format: ")):
        s.expect(FAILED, "evidence", "verify", write(s, changed(file, field, value)), *s.at(),
                 err=["NOT verified: ", why])
    # A record that no batch commits to, true to itself in everything.
    lonely = leaf(salt, ADDRESS, canonical(record)).hex()
    s.expect(FAILED, "evidence", "verify", write(s, {
        **file, "commitment": lonely, "path": {"index": 0, "count": 1, "siblings": []}}),
             *s.at(), err=["another batch"])
    s.expect(FAILED, "evidence", "verify", s.path("nowhere.json"), *s.at(), err=["No such file"])
