# SPDX-License-Identifier: Apache-2.0
"""The ledger's contract as it is asked directly, without a line of SIPchain's client.

What tests hold the nodes against: live words by the cells' own storage, and the
history by the events; and what a thief or a stranger can send without our client.
"""
import collections
import ipaddress
import json
import os
import time

import rpc
from transaction import keccak256

HERE = os.path.dirname(os.path.abspath(__file__))
ACTIVE = 1
REPORT, REPLACE, SPEND = range(3)
PASSWORD, OBJECTION = 3, 255
NONCE, MANUAL = 1, 6
CELLS = 300  # a page of a member's cells; the tests' members use the first ones
OPERATION = "0x" + keccak256(b"Operation(uint8,uint64,bytes32,uint64,bytes)").hex()
BATCH = 0x01

Word = collections.namedtuple("Word", "indicator expiry member generation cell category "
                              "proof action")
Member = collections.namedtuple("Member", "index status generation weight cap")
Tips = collections.namedtuple("Tips", "members members_seq members_block admin admin_seq "
                              "admin_block")


def selector(signature):
    return keccak256(signature.encode())[:4]


SUBMIT = selector("submit(uint16,bytes32,uint256[],bytes)")
VIEWS = {name: selector(name + arguments) for name, arguments in {
    "memberCount": "()", "member": "(uint16)", "tips": "()",
    "snapshot": "(uint16,uint24,uint24)", "config": "()", "paused": "()"}.items()}


def word32(value):
    return value.to_bytes(32, "big")


def ip4(text):
    """An address or prefix as the 144 bits of an indicator."""
    network = ipaddress.ip_network(text)
    return 1 << 136 | network.prefixlen << 128 | int(network.network_address) << 96


def ip4_text(indicator):
    """As the command line prints it; other kinds as hex."""
    if indicator >> 136 != 1:
        return "%036x" % indicator
    length = indicator >> 128 & 0xff
    address = str(ipaddress.ip_address(indicator >> 96 & 0xffffffff))
    return address if length == 32 else "%s/%d" % (address, length)


def encode_word(word):
    return (word.indicator << 112 | word.expiry << 80 | word.member << 64
            | word.generation << 48 | word.cell << 24 | word.category << 16
            | word.proof << 8 | word.action)


def decode_word(value):
    return Word(value >> 112, value >> 80 & 0xffffffff, value >> 64 & 0xffff,
                value >> 48 & 0xffff, value >> 24 & 0xffffff, value >> 16 & 0xff,
                value >> 8 & 0xff, value & 0xff)


def submit_data(member, words, texts=b"", commitment=bytes(32)):
    """The call data of submit()."""
    data = SUBMIT + word32(member) + commitment + word32(128)
    data += word32(128 + 32 + 32 * len(words)) + word32(len(words))
    data += b"".join(word32(encode_word(w)) for w in words)
    return data + word32(len(texts)) + texts + bytes(-len(texts) % 32)


def calls_of_everybody():
    """{name: call data} of every function that changes something, arguments of zeros."""
    with open(os.path.join(HERE, "..", "..", "contracts", "artifact", "SIPchain.abi.json"),
              encoding="ascii") as f:
        abi = json.load(f)
    found = {}
    for item in abi:
        if item["type"] == "function" and item["stateMutability"] == "nonpayable":
            signature = "%s(%s)" % (item["name"], ",".join(i["type"] for i in item["inputs"]))
            # Every dynamic argument points at a length of zero behind them all.
            heads = len(item["inputs"])
            found[item["name"]] = selector(signature) + b"".join(
                word32(32 * heads) if i["type"].endswith(("[]", "bytes", "string"))
                else word32(1) for i in item["inputs"]) + bytes(32)
    return found


class Contract:
    """The ledger at an address, seen through one endpoint."""

    def __init__(self, endpoint, address):
        self.endpoint = endpoint
        self.address = address

    def ask(self, name, *arguments, block="latest"):
        """The view's result in words of 32 bytes, as integers."""
        data = VIEWS[name] + b"".join(word32(a) for a in arguments)
        result = bytes.fromhex(self.endpoint.call(self.address, "0x" + data.hex(),
                                                  block)[2:])
        return [int.from_bytes(result[i:i + 32], "big") for i in range(0, len(result), 32)]

    def tips(self):
        answer = self.ask("tips")
        return Tips("%064x" % answer[0], answer[1], answer[2], "%064x" % answer[3], answer[4],
                    answer[5])

    def members(self):
        count = self.ask("memberCount")[0]
        return [Member(i, *self.ask("member", i)[:4]) for i in range(1, count + 1)]

    def threshold(self):
        return self.ask("config")[0] >> 160 & 0xffffffff  # the last 4 of bytes12

    def words(self, member):
        """The words in a member's cells, dead ones too."""
        answer = self.ask("snapshot", member.index, 0, min(member.cap, CELLS))
        return [decode_word(w) for w in answer[2:] if w]

    def live(self, now=None):
        """[(member, word)] of every report that counts."""
        now = time.time() if now is None else now
        return [(m, w) for m in self.members() if m.status == ACTIVE for w in self.words(m)
                if w.expiry > now and w.generation == m.generation]

    def active(self, now=None):
        """{indicator: the latest expiry of its reports} of what has its quorum.

        Objections to the very indicator alone: the tests make no other ones.
        """
        sums, until, threshold = {}, {}, self.threshold()
        for member, word in self.live(now):
            sign = -1 if word.category == OBJECTION else 1
            sums[word.indicator] = sums.get(word.indicator, 0) + sign * member.weight
            if sign > 0:
                until[word.indicator] = max(until.get(word.indicator, 0), word.expiry)
        return {ip4_text(i): until[i] for i, total in sums.items() if total >= threshold}

    def history(self):
        """[(member, Word)] of every batch, in order, as the events have them."""
        found = []
        for log in self.endpoint.logs(self.address, topics=[OPERATION]):
            data = bytes.fromhex(log["data"][2:])
            operation = data[128:128 + int.from_bytes(data[96:128], "big")]
            if operation[0] != BATCH:
                continue
            member = int.from_bytes(operation[33:35], "big")
            count = int.from_bytes(operation[67:69], "big")
            for i in range(count):
                at = 69 + 32 * i
                found.append((member, decode_word(int.from_bytes(operation[at:at + 32],
                                                                 "big"))))
        return found

    def told(self, address):
        """[(member, action)] of all that the history says about an address."""
        return [(member, word.action) for member, word in self.history()
                if word.indicator == ip4(address)]

    def send(self, key, data, nonce=None, gas=5000000, chain_id=None):
        """A transaction of anybody's; its receipt."""
        chain_id = chain_id or self.endpoint.chain_id()
        nonce = self.endpoint.nonce(key.address) if nonce is None else nonce
        raw = key.sign(chain_id, nonce, self.address, data, gas=gas)
        return self.endpoint.wait_receipt(self.endpoint.send_raw(raw))

    def would(self, sender, data):
        """The error's data with which a call is refused; None: it passes."""
        try:
            self.endpoint.rpc("eth_call", {"from": sender, "to": self.address,
                                           "data": "0x" + data.hex()}, "latest")
        except rpc.RpcError as error:
            text = error.data if isinstance(error.data, str) else str(error)
            return text
        return None
