# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks of the Ethereum ledger share: chain, contract, peers, costs.

The peers are the JavaScript clients ethers, web3 and viem with the scripts of
peers/, installed once by npm into the cache (SIPCHAIN_CACHE, else .cache).
"""
import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile

import stage  # first: it says where the others are

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "chain"))
# pylint: disable=wrong-import-position
import network
import rpc

PEERS = ("ethers", "web3", "viem")
CONTRACT = os.path.join(HERE, "..", "contracts")

CONFIGURATION = """\
[node]
name = bench
user =
state = {folder}
run = {folder}

[member]
key = {key}

[ledger]
type = ethereum
path = {journal}
endpoint = {endpoint}
{pins}"""


def play(function, **numbers):
    """Run function(build, folder, options), then exit.

    0 when it measured, whatever the figures; 77 when the machine has not what
    it needs; 1 when something did not happen at all. numbers: further options
    with their defaults, such as rounds=9.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="a Meson build folder")
    for name, value in numbers.items():
        parser.add_argument("--" + name, type=int, default=value)
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    try:
        network.tool("anvil")
    except network.ChainError as error:
        print("skipped: no chain here: %s" % error)
        sys.exit(stage.SKIPPED)
    # Beside the build and not on /tmp, which may be memory: journals cost what
    # they cost on a disk.
    with tempfile.TemporaryDirectory(dir=options.build, prefix="bench-") as folder:
        try:
            function(options.build, folder, options)
        except (stage.Unmeasurable, network.ChainError, rpc.RpcError, rpc.Unreachable,
                rpc.WaitedTooLong, OSError, RuntimeError) as error:
            print("failed: %s" % str(error)[:1500])
            sys.exit(1)


# --- the peers ---

def peers():
    """The folder with the peers' scripts, or None (said) when npm cannot bring them."""
    cache = os.environ.get("SIPCHAIN_CACHE") or os.path.join(HERE, "..", ".cache")
    place = os.path.join(os.path.abspath(cache), "bench-peers")
    if not shutil.which("npm"):
        print("npm is not installed: nothing to compare with")
        return None
    os.makedirs(place, exist_ok=True)
    with open(place + "/.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _installed(place) and not _install(place):
            print("npm cannot fetch the peers: nothing to compare with")
            return None
        for name in os.listdir(os.path.join(HERE, "peers")):
            shutil.copy(os.path.join(HERE, "peers", name), place)
        for path in ("artifact/SIPchain.abi.json", "test/PaperContract.sol"):
            shutil.copy(os.path.join(CONTRACT, path), place)
    return place


def _installed(place):
    """Whether what package.json names is there, in these versions."""
    try:
        with open(os.path.join(HERE, "peers", "package.json"), encoding="ascii") as f:
            wanted = json.load(f)["dependencies"]
        for name, version in wanted.items():
            with open("%s/node_modules/%s/package.json" % (place, name),
                      encoding="utf-8") as f:
                if json.load(f)["version"] != version:
                    return False
    except (OSError, ValueError, KeyError):
        return False
    return True


def _install(place):
    print("installing ethers, web3 and viem (npm)", flush=True)
    shutil.copy(os.path.join(HERE, "peers", "package.json"), place)
    # No script of a package is run.
    done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund",
                           "--no-package-lock", "--loglevel=error"], cwd=place, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return done.returncode == 0


# --- processes ---

class Cost:
    """What a command took: seconds, of the processor, MB at most; what it printed."""

    def __init__(self, build, folder, command, timeout=300):
        path = folder + "/cost"
        done = subprocess.run([os.path.join(build, "bench", "cost"), path, *command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=timeout)
        if done.returncode:
            raise stage.Unmeasurable("%s: status %d: %s" % (
                " ".join(command[:2]), done.returncode,
                (done.stderr or done.stdout).strip()[-800:]))
        with open(path, encoding="ascii") as f:
            nanoseconds, microseconds, kilobytes = map(int, f.read().split())
        self.seconds = nanoseconds / 1e9
        self.processor = microseconds / 1e6  # seconds
        self.megabytes = kilobytes / 1024
        self.output = done.stdout


def javascript(place, script, *arguments):
    """A peer's command line."""
    return ["node", "--max-old-space-size=8192", os.path.join(place, script + ".mjs"),
            *map(str, arguments)]


# --- a ledger on a chain ---

def free_chain(*options, **more):
    """A development chain on which nothing costs anything; its blocks are large."""
    chain = network.Anvil(chain_id=4224, options=("--gas-limit", 2_000_000_000) + options,
                          **more)
    for endpoint in chain.nodes:
        endpoint.timeout = 300
    return chain


class Ledger:
    """A contract, its owner and members; all by sipchain(1).

    Unlike in the tests, unroutable addresses are refused, as they are in earnest.
    """

    def __init__(self, build, folder, endpoint, max_ttl="7d"):
        self.program = stage.node.find(build, "sipchain")
        self.folder = folder
        self.endpoint = endpoint
        self.owner = self.key("owner")
        self.members = 0
        made = json.loads(self.run(
            "contract", "deploy", "--endpoint", endpoint, "--key", self.owner, "--zero-fee",
            "--yes", "--max-ttl", max_ttl, "--config-out", folder + "/section.conf",
            "--json"))
        self.contract = made["contract"]
        with open(folder + "/section.conf", encoding="ascii") as f:
            self.pins = "".join(line for line in f if line.split()[0] not in (
                "[ledger]", "type", "endpoint"))

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, check=False, timeout=120)
        if done.returncode:
            raise stage.Unmeasurable("sipchain %s: status %d: %s" % (
                " ".join(arguments[:3]), done.returncode, done.stderr.strip()[-800:]))
        return done.stdout

    def key(self, name):
        path = "%s/%s.key" % (self.folder, name)
        self.run("key", "new", path)
        return path

    def on_chain(self, key):
        """The options of a command that writes to it."""
        return ["--endpoint", self.endpoint, "--contract", self.contract, "--key", key,
                "--zero-fee"]

    def administer(self, *arguments):
        self.run(*arguments, *self.on_chain(self.owner))

    def add_member(self, name, cap):
        """(its key's file, its address, its index)."""
        path = self.key(name)
        address = self.run("key", "address", path).split()[0]
        self.administer("member", "add", "--name", name, "--signer", address, "--cap",
                        str(cap))
        self.members += 1
        return path, address, self.members

    def protect(self, count):
        """That many entries into the protected table, all over the addresses."""
        for first in range(0, count, 50):
            self.administer("protect", "add", *[
                "%d.%d.0.0/24" % (24 + k * 3 // 5, k % 200)
                for k in range(first, min(count, first + 50))])

    def configuration(self, name, key, endpoint=None):
        """A file that a node of the ledger could run with; its journal is new."""
        path = "%s/%s.conf" % (self.folder, name)
        journal = "%s/%s.db" % (self.folder, name)
        for end in ("", "-wal", "-shm"):
            if os.path.exists(journal + end):
                os.unlink(journal + end)
        with open(path, "w", encoding="ascii") as f:
            f.write(CONFIGURATION.format(folder=self.folder, key=key, journal=journal,
                                         endpoint=endpoint or self.endpoint,
                                         pins=self.pins))
        return path
