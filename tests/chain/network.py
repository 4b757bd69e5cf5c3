# SPDX-License-Identifier: Apache-2.0
"""Chains to test against: Anvil, Ibft, Clique.

    with Ibft(nodes=4) as chain:
        chain.node(1).http, chain.node(1).ws
        chain.rpc("eth_blockNumber"); chain.kill(2); chain.start(2)

Each is a context manager; whatever way it is left (SIGTERM too; after kill -9 of
the program only anvil ends), what was started ends, by its process id. Logs stay in `folder` until the program that made it ends (a
folder of one's own is kept). Everything listens on loopback, on free ports.
"""
import atexit
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import ports
from rpc import Endpoint, WaitedTooLong, wait

HERE = os.path.dirname(os.path.abspath(__file__))
DEV_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""The first account of Foundry's and Hardhat's published test mnemonic."""

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


class ChainError(Exception):
    """A chain that does not start or does not do what it is told."""


def tool(name):
    """The path of anvil, ibft or geth; fetched or built when it is not there."""
    found = subprocess.run([os.path.join(HERE, "fetch-tools.sh"), name], text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if found.returncode:
        raise ChainError("fetch-tools.sh cannot provide %s (above)" % name)
    return found.stdout.rstrip("\n").split("\t")[1]


def _end_in_order():
    """SIGTERM ends the program as Ctrl-C does: what it started is taken down."""
    if threading.current_thread() is threading.main_thread() and \
            signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _die_with_parent():
    """In the child: end when the thread that started it ends, even by kill -9."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Network:
    """What the three have in common. Nodes count from 1."""

    def __init__(self, folder=None):
        self._own_folder = folder is None
        self.folder = os.path.abspath(folder) if folder else tempfile.mkdtemp(
            prefix="sipchain-chain.")
        os.makedirs(self.folder, exist_ok=True)
        self.nodes = []
        self._ports = None
        self._up = False

    def __enter__(self):
        atexit.register(self.down)
        _end_in_order()
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    def node(self, i=1):
        """The Endpoint of node i."""
        return self.nodes[i - 1]

    @property
    def http(self):
        return self.node(1).http

    @property
    def ws(self):
        return self.node(1).ws

    def endpoints(self):
        """[(http, ws)] of all nodes."""
        return [(node.http, node.ws) for node in self.nodes]

    def rpc(self, method, *params, node=1):
        return self.node(node).rpc(method, *params)

    def up(self):
        raise NotImplementedError

    def logs(self):
        """{name: path} of what the nodes say."""
        raise NotImplementedError

    def _end(self):
        raise NotImplementedError

    def down(self):
        """End every node; may be called twice."""
        atexit.unregister(self.down)
        try:
            self._end()
        finally:
            if self._ports:
                self._ports.release()
                self._ports = None
            if self._own_folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    def fund(self, address, wei=10**21):
        """Only anvil can; the others name who has money at their start."""
        raise ChainError("%s: name %s at the start" % (type(self).__name__, address))

    def wait_blocks(self, count=1, node=1, seconds=60):
        """Until `count` more blocks than now are there; returns the height."""
        node = self.node(node)
        return node.wait_height(node.height() + count, seconds)

    def wait_agree(self, nodes=None, seconds=60):
        """Until these nodes (all) have the same block at the lowest head's height.

        Returns that height and hash. One block may still change on clique.
        """
        chosen = [self.node(i) for i in nodes] if nodes else self.nodes

        def agree():
            low = min(node.height() for node in chosen)
            hashes = {node.hash(low) for node in chosen}
            return (low, hashes.pop()) if len(hashes) == 1 and None not in hashes else None
        return wait(agree, "agreement of %s" % chosen, seconds)


class Anvil(Network):
    """One development node; every transaction a block unless block_time is set.

    block_time   seconds between blocks; 0: mine() alone makes them
    hardfork     "berlin": headers without baseFeePerGas, legacy transactions only
    base_fee, gas_price   of the first block and the pool (0: free)
    host         the address to listen on
    """

    def __init__(self, folder=None, chain_id=31337, block_time=None, hardfork=None,
                 base_fee=0, gas_price=0, host="127.0.0.1", port=None, options=()):
        super().__init__(folder)
        if port is None:
            self._ports = ports.take()
            port = self._ports.first
        self._command = ["--host", host, "--port", str(port), "--chain-id", str(chain_id),
                         "--gas-price", str(gas_price)]
        legacy = (hardfork or "london").lower() in (
            "frontier", "homestead", "tangerine", "spuriousdragon", "byzantium",
            "constantinople", "petersburg", "istanbul", "muirglacier", "berlin")
        if not legacy:
            self._command += ["--base-fee", str(base_fee)]
        if hardfork:
            self._command += ["--hardfork", hardfork]
        if block_time == 0:
            self._command += ["--no-mining"]
        elif block_time:
            self._command += ["--block-time", str(block_time)]
        self._command += [str(option) for option in options]
        self.process = None
        self.log_path = self.folder + "/anvil.log"
        self.nodes = [Endpoint("http://%s:%d" % (host, port), "ws://%s:%d" % (host, port))]

    def up(self):
        self.start()

    def start(self, _i=1):
        """Start it, after kill() with an empty chain."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [tool("anvil")] + self._command, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder, preexec_fn=_die_with_parent)
        try:
            wait(self._ready, "anvil at %s" % self.http)
        except WaitedTooLong as error:
            raise ChainError("%s:\n%s" % (error, self.log())) from error

    def _ready(self):
        if self.process.poll() is not None:
            raise ChainError("anvil left with status %d:\n%s" % (
                self.process.returncode, self.log()))
        return self.node().chain_id()

    def logs(self):
        return {"anvil": self.log_path}

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="backslashreplace") as f:
            return f.read()[-3000:]

    def kill(self, _i=1):
        """kill -9; start() begins a new chain."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self, _i=1):
        """Freeze it: it accepts connections and answers nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self, _i=1):
        os.kill(self.process.pid, signal.SIGCONT)

    def _end(self):
        self.kill()  # it has nothing to save

    # --- what only anvil can do ---

    def fund(self, address, wei=10**21):
        self.rpc("anvil_setBalance", address, hex(wei))

    def mine(self, blocks=1, interval=None):
        """Make blocks at once, `interval` seconds apart in their timestamps."""
        extra = [] if interval is None else [hex(interval)]
        self.rpc("anvil_mine", hex(blocks), *extra)
        return self.node().height()

    def automine(self, on):
        self.rpc("evm_setAutomine", on)

    def next_timestamp(self, seconds):
        """The timestamp of the next block, Unix time."""
        self.rpc("evm_setNextBlockTimestamp", hex(seconds))

    def advance(self, seconds):
        """Let the chain's clock run ahead; the next block shows it."""
        self.rpc("evm_increaseTime", hex(seconds))

    def on_time(self):
        """New blocks bear the time of day again: what mine() and advance() put the clock
        ahead by stays, else, once the newest block is no longer ahead. For then."""
        self.rpc("evm_setTime", hex(int(time.time())))

    def snapshot(self):
        return self.rpc("evm_snapshot")

    def revert(self, snapshot):
        """Back to a snapshot, silently: no subscriber is told. It is used up."""
        if not self.rpc("evm_revert", snapshot):
            raise ChainError("anvil has no snapshot %s" % snapshot)

    def rollback(self, blocks=1):
        """Drop the last blocks, with nothing in their place."""
        self.rpc("anvil_rollback", blocks)

    def reorg(self, depth, transactions=()):
        """Replace the last `depth` blocks by as many others.

        What they held is gone, except `transactions`: [(raw, n)] puts a signed
        transaction into the n-th new block.
        """
        # Anvil makes the new blocks with the old ones' times: without another
        # beneficiary they would be the old ones again.
        before = self.node().hash()
        self.rpc("anvil_setCoinbase", "0x" + secrets.token_hex(20))
        self.rpc("anvil_reorg", depth, [[raw, n] for raw, n in transactions])
        if self.node().hash() == before:
            raise ChainError("anvil_reorg gave the same blocks again")


class _Scripted(Network):
    """A network that a script of this folder runs."""

    script = None

    def __init__(self, folder, count, environment):
        super().__init__(folder)
        self.count = count
        self._ports = ports.take(10 * count)
        self._environment = dict(os.environ, **{
            name: str(value) for name, value in environment.items() if value is not None},
            PORT=str(self._ports.first))

    def _run(self, *arguments, check=True):
        with open(self.folder + "/script.log", "a+", encoding="utf-8") as log:
            result = subprocess.run(
                [os.path.join(HERE, self.script), *map(str, arguments)], check=False,
                env=dict(self._environment, DIR=self.folder + "/net"),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
            log.seek(0)
            if check and result.returncode:
                raise ChainError("%s %s: status %d: %s" % (
                    self.script, " ".join(map(str, arguments)), result.returncode,
                    log.read()[-3000:]))
        return result.stdout

    def up(self):
        self._up = True
        self._run("up", self.count)

    def kill(self, i):
        """kill -9 of node i."""
        self._run("kill", i)

    def start(self, i):
        """Node i again on its old data; returns once it answers."""
        self._run("start", i)

    def pid(self, i):
        with open("%s/net/n%d/pid" % (self.folder, i), encoding="ascii") as f:
            return int(f.read())

    def stop(self, i):
        """Freeze node i: it accepts connections and answers nothing."""
        os.kill(self.pid(i), signal.SIGSTOP)

    def go_on(self, i):
        os.kill(self.pid(i), signal.SIGCONT)

    def _log_path(self, i):
        return "%s/net/n%d/log" % (self.folder, i)

    def log(self, i):
        with open(self._log_path(i), encoding="utf-8", errors="backslashreplace") as f:
            return f.read()

    def logs(self):
        return {"chain-node-%d" % i: self._log_path(i) for i in range(1, self.count + 1)}

    def _end(self):
        if self._up:
            self._run("down", check=False)
            self._up = False


class Ibft(_Scripted):
    """Validators with immediate finality; legacy transactions, no fees.

    premine      addresses that hold money from the start
    block_time   such as "1s"
    options      further flags of the engine, such as --json-rpc-block-range-limit 5
    """

    script = "ibft.sh"

    def __init__(self, folder=None, nodes=4, chain_id=4224, block_time="1s", premine=(),
                 host="127.0.0.1", options=""):
        super().__init__(folder, nodes, {
            "CHAIN_ID": chain_id, "BLOCK_TIME": block_time, "PREMINE": " ".join(premine),
            "HOST": host, "OPTIONS": options})
        self.nodes = [Endpoint("http://%s:%d" % (host, port), "ws://%s:%d/ws" % (host, port))
                      for port in range(self._ports.first, self._ports.first + 10 * nodes, 10)]

    def up(self):
        self._environment["IBFT"] = tool("ibft")
        super().up()


class Clique(_Scripted):
    """Signers that fork when they are parted; the nodes are geth 1.13.15.

    twin         {4: 2}: node 4 holds node 2's key and seals only while the net
                 is parted, so that both sides go on: reorgs of any depth
    london       type 2 transactions as well (see clique.sh for the trap)
    alloc        addresses that hold money from the start
    """

    script = "clique.sh"

    def __init__(self, folder=None, nodes=4, chain_id=4224, period=1, twin=None,
                 london=False, alloc=(), host="127.0.0.1", options=""):
        super().__init__(folder, nodes, {
            "CHAIN_ID": chain_id, "PERIOD": period, "LONDON": int(london), "HOST": host,
            "ALLOC": " ".join(alloc), "OPTIONS": options,
            "TWIN": " ".join("%d=%d" % pair for pair in (twin or {}).items())})
        self.nodes = [Endpoint("http://%s:%d" % (host, port), "ws://%s:%d" % (host, port + 1))
                      for port in range(self._ports.first, self._ports.first + 10 * nodes, 10)]

    def up(self):
        self._environment["GETH"] = tool("geth")
        super().up()

    def partition(self, *groups):
        """Part the net: partition([1, 2], [3, 4])."""
        self._run("partition", *[",".join(map(str, group)) for group in groups])

    def part(self, *groups):
        """Part the net so that every group goes on: of each the first node has sealed.

        Which signers may seal the first block after a cut is chance: two of a group may
        both do so, equally heavy, and each then waits for the other for good. From the
        second block on they take turns. So: cut, look, and if it stands still once more.
        """
        for _ in range(4):
            self.wait_agree(seconds=120)
            self.partition(*groups)
            heights = {group[0]: self.node(group[0]).height() for group in groups}
            try:
                for i, height in heights.items():
                    self.node(i).wait_height(height + 2, 20)
                return
            except WaitedTooLong:
                self.heal()
                self.unstick()
                self.wait_blocks(2)
        raise ChainError("clique does not go on in parts %r" % (groups,))

    def heal(self):
        """One net again; wait_agree() tells when they agree."""
        self._run("heal")

    def unstick(self):
        """End a standstill of equally heavy forks."""
        self._run("unstick")

    def set_head(self, i, height):
        """Put node i back to a block, silently: no subscriber is told."""
        self.rpc("debug_setHead", hex(height), node=i)
