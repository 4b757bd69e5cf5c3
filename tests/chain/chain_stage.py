# SPDX-License-Identifier: Apache-2.0
"""Where commands are tried on a chain: anvil, keys, a contract, two members."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "net"))
# pylint: disable=wrong-import-position
import node
from checks import Mismatch, want
from network import DEV_KEY, Anvil
from transaction import Key

# enum control_code of src/api/control.h
OK, FAILED, USAGE, UNREACHABLE, PERMISSION, REFUSED = range(6)
(NO_ENDPOINT, UNAUTHORISED, CERTIFICATE, PROXY, NOT_RPC, WRONG_CHAIN, NO_CODE, WRONG_CODE,
 NO_FUNDS, FEE, NOT_MINED, LIED, PASSWORD) = range(6, 19)
CONFIG = 78

GWEI = 10**9


class ChainStage:
    """One anvil that asks for fees, and the command line's folder beside it."""

    def __init__(self, build):
        self.folder = tempfile.mkdtemp(prefix="sipchain-chain-cli-")
        self.program = node.find(build, "sipchain")
        self.chain = Anvil(base_fee=GWEI, gas_price=GWEI)
        self.contract = None
        self.config = self.path("sipchain.conf")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    # --- running ---

    def run(self, *arguments, **options):
        """A bare command line: the finished process."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([self.program, *arguments], capture_output=True, text=True,
                              check=False, timeout=120, cwd=self.folder, **options)

    def expect(self, status, *arguments, out=(), err=(), **options):
        """Run it, compare the exit code and look for texts; returns stdout."""
        result = self.run(*arguments, **options)
        shown = "sipchain " + " ".join(arguments)
        want(result.returncode == status, "%s: status %d, not %d: %s", shown,
             result.returncode, status, (result.stderr or result.stdout).strip()[-400:])
        for text in out:
            want(text in result.stdout, "%s: no %r in %r", shown, text, result.stdout)
        for text in err:
            want(text in result.stderr, "%s: no %r in %r", shown, text, result.stderr)
        if status not in (OK, FAILED, CONFIG):
            want(len(result.stderr.strip().splitlines()) == 1, "%s: not one line: %r", shown,
                 result.stderr)
        return result.stdout

    def parse(self, status, *arguments):
        """The same with --json: what it says; a failure says its code there too."""
        text = self.expect(status, *arguments, "--json")
        try:
            value = json.loads(text)
        except ValueError as error:
            raise Mismatch("sipchain %s --json: %s in %r" % (
                " ".join(arguments), error, text[:200])) from error
        if status > FAILED:
            want(value["code"] == status and value["error"], "%r", value)
        return value

    # --- on the ledger of this stage ---

    def at(self, endpoint=None, contract=None):
        """The options that name the ledger."""
        return ["--endpoint", endpoint or self.chain.http,
                "--contract", contract or self.contract]

    def by(self, key, *arguments, status=OK, **options):
        """A signed command."""
        return self.expect(status, *arguments, *self.at(), "--key", self.path(key + ".key"),
                           **options)

    def ask(self, *arguments, status=OK, **options):
        """A command that reads, as text and as JSON; returns what the JSON says."""
        self.expect(status, *arguments, *self.at(), **options)
        return self.parse(status, *arguments, *self.at())

    def new_key(self, name, wei=10**18):
        """A key file with a funded account; its address."""
        key = Key()
        self.write(name + ".key", key.hex() + "\n")
        if wei:
            self.chain.fund(key.address, wei)
            self.chain.mine()  # anvil changes the state but not the head's state root
        return self.expect(OK, "key", "address", self.path(name + ".key")).strip()

    def __enter__(self):
        self.chain.__enter__()
        self.write("owner.key", DEV_KEY + "\n")
        return self

    def __exit__(self, *_):
        self.chain.down()
        shutil.rmtree(self.folder, ignore_errors=True)
