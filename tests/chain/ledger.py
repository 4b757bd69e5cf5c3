# SPDX-License-Identifier: Apache-2.0
"""A ledger on a chain, made and governed by sipchain(1), as operators do it.

The same interface as node.Ledger of tests/net, which is one local file.
"""
import json
import os
import subprocess

OWNER = """\
[node]
name = owner
user =
state = {folder}
run = {folder}

[ledger]
type = ethereum
path = {folder}/owner.db
{endpoints}{pins}"""


class LedgerFailed(Exception):
    """A command of sipchain(1) on the ledger left with another status than 0."""


def endpoint_line(endpoint, name=None):
    """A configuration's line of one endpoint: a (http, ws) pair; ws None: none."""
    http, ws = endpoint
    return "endpoint = %s ws=%s%s\n" % (http, ws or "none", " name=" + name if name else "")


class ChainLedger:
    """A contract, its owner, and the members' keys.

    endpoints   [(http, ws)] by which the owner's commands reach the chain
    prefix      what stands before each command line, such as nsenter and its options
    settle      called before the ledger is read: until all endpoints have all of it
    options     more for `contract deploy`
    """

    def __init__(self, program, folder, max_ttl, endpoints, prefix=(), settle=None,
                 options=()):
        self.program = program
        self.folder = folder
        self.prefix = list(prefix)
        self.settle = settle or (lambda: None)
        self.owner = folder + "/owner.key"
        self.configuration = folder + "/owner.conf"
        self.indices = {}
        self.sipchain("key", "new", self.owner)
        made = json.loads(self.sipchain(
            "contract", "deploy", "--endpoint", endpoints[0][0], "--key", self.owner,
            "--yes", "--allow-unroutable", "--max-ttl", "%ds" % max_ttl, "--config-out",
            folder + "/section.conf", "--json", *options))
        self.contract = made["contract"]
        with open(folder + "/section.conf", encoding="ascii") as f:
            self.pins = "".join(line for line in f if line.split()[0] not in (
                "[ledger]", "type", "endpoint"))
        with open(self.configuration, "w", encoding="ascii") as f:
            f.write(OWNER.format(folder=folder, pins=self.pins, endpoints="".join(
                endpoint_line(e) for e in endpoints)))

    def sipchain(self, *arguments, check=True):
        """Run the CLI; returns what it printed."""
        result = subprocess.run(self.prefix + [self.program, *arguments], text=True,
                                capture_output=True, check=False, timeout=120,
                                stdin=subprocess.DEVNULL)
        if check and result.returncode:
            raise LedgerFailed("sipchain %s: status %d: %s" % (
                " ".join(arguments), result.returncode,
                (result.stderr or result.stdout).strip()[-1000:]))
        return result.stdout

    def section(self, folder, endpoints=(), pins=None):
        """A node's [ledger] section, without its first line."""
        return "type = ethereum\npath = %s/ledger/ethereum.db\n%s%s" % (
            folder, "".join(endpoint_line(e) for e in endpoints), pins or self.pins)

    @staticmethod
    def prepare(folder):
        """What a node needs in its folder: the ledger's file stands alone there."""
        os.makedirs(folder + "/ledger", mode=0o750, exist_ok=True)

    def add_member(self, name, key, cap=1000):
        """Make a key, admit its holder; indices count from 1."""
        address = self.sipchain("key", "new", key).split()[0]
        self.administer("member", "add", "--name", name, "--signer", address,
                        "--weight", "1", "--cap", str(cap))
        self.indices[name] = len(self.indices) + 1
        return self.indices[name]

    def remove_member(self, name):
        self.administer("member", "remove", str(self.indices[name]))

    def administer(self, *arguments):
        self.sipchain(*arguments, "--config", self.configuration, "--key", self.owner)

    def verify(self):
        """The verified tips; raises when the endpoints' events do not hold."""
        self.settle()
        return json.loads(self.sipchain("ledger", "verify", "--config", self.configuration,
                                        "--json"))

    def operations(self):
        """Every operation, in order."""
        self.settle()
        text = self.sipchain("ledger", "export", "--config", self.configuration)
        return [json.loads(line) for line in text.splitlines()]
