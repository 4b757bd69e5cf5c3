# SPDX-License-Identifier: Apache-2.0
"""The validators of the demonstration: four of them, one for each node and one more.

They live in the namespace `chain`, each on an address of its own. Its doors let
every node through to its own validator and to no other: what a node knows of the
ledger it knows from there. The owner works on the host of the validators.
"""
import os
import sys

import topology

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chain"))
# pylint: disable=wrong-import-position
import contract
import ledger
import network
import rpc

DOORS = """\
table inet doors {
  chain input {
    type filter hook input priority filter; policy accept;
    iif lo accept
%s    tcp dport %d-%d counter reject with tcp reset
  }
}
"""
DOOR = "    ip saddr %s ip daddr %s tcp dport %d counter accept\n"


class Inside(rpc.Endpoint):
    """A validator as it is reached from its own host."""

    def post(self, body):
        with topology.inside("chain"):
            return super().post(body)


class Consortium:
    """Four validators, their doors, and what is done to them."""

    def __init__(self, folder):
        self.folder = folder
        with topology.inside("chain"):
            self.chain = network.Ibft(folder + "/chain", host="0.0.0.0")
            self.chain.up()
        self.ports = [int(n.http.rsplit(":", 1)[1]) for n in self.chain.nodes]
        self.inside = [Inside("http://%s:%d" % (topology.VALIDATORS[i], port))
                       for i, port in enumerate(self.ports)]
        doors = "".join(DOOR % (address, topology.VALIDATORS[i], self.ports[i])
                        for i, address in enumerate(topology.NODES.values()))
        topology.run("sh", "-c", "printf '%s' \"$1\" | nft -f -", "nft",
                     DOORS % (doors, min(self.ports), max(self.ports)), namespace="chain")
        self.contract = None

    def endpoint(self, letter):
        """A node's own, or with an index any validator's: (http, ws)."""
        i = list(topology.NODES).index(letter) if isinstance(letter, str) else letter
        return ("http://%s:%d" % (topology.VALIDATORS[i], self.ports[i]),
                "ws://%s:%d/ws" % (topology.VALIDATORS[i], self.ports[i]))

    def ledger(self, program, max_ttl):
        """A new contract, governed from the validators' host."""
        made = Ledger(self, program, max_ttl)
        self.contract = contract.Contract(self.inside[2], made.contract)
        return made

    def settle(self):
        """Until all that live have the height of the highest."""
        heights = {}
        for validator in self.inside:
            try:
                heights[validator] = validator.height()
            except rpc.Unreachable:
                pass  # it was killed
        for validator in heights:
            validator.wait_height(max(heights.values()))

    def kill(self, number):
        with topology.inside("chain"):
            self.chain.kill(number)

    def start(self, number):
        with topology.inside("chain"):
            self.chain.start(number)

    def stop(self):
        with topology.inside("chain"):
            self.chain.down()


class Ledger(ledger.ChainLedger):
    """The contract, for nodes that each have one endpoint."""

    def __init__(self, consortium, program, max_ttl):
        self.consortium = consortium
        super().__init__(program, consortium.folder, max_ttl,
                         [consortium.endpoint(i) for i in range(4)],
                         prefix=["nsenter", "--net=/run/netns/chain", "--"],
                         settle=consortium.settle)

    def section(self, letter, folder, **_):
        self.prepare(folder)
        return super().section(folder, [self.consortium.endpoint(letter)])
