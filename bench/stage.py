# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks of whole nodes share: hosts, nodes, watchers, tables.

The hosts and the handling of sipchaind are those of the network tests.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time
import types

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "net"))
# pylint: disable=wrong-import-position
import node
import topology

FOLDER = "/run/sipchain-bench"  # short, as socket paths must be; its files are on the disk
SKIPPED = 77                    # Meson's exit status for it
BAN = 600                       # seconds
SETTLE = 2.0                    # seconds that a node is left alone before it is looked at


class Unmeasurable(Exception):
    """What was to be measured did not happen; the text says what."""


def play(function, chain=False):
    """Run a benchmark's function(build) inside private namespaces, then exit.

    chain: with the validators' host. 0 when it measured, whatever the figures; 77 when the machine has not what
    it needs; 1 when something did not happen at all.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="a Meson build folder")
    build = os.path.abspath(parser.parse_args().build)
    try:
        if chain:
            fetch_engine()
        topology.enter()
    except topology.TopologyError as error:
        print("skipped: %s" % error)
        sys.exit(SKIPPED)
    # The outermost file system, not the tmpfs of /run: commits are to cost
    # what they cost on a disk.
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-") as disk:
        os.chmod(disk, 0o755)
        os.makedirs(FOLDER)
        topology.run("mount", "--bind", disk, FOLDER)
        try:
            topology.build(chain)
            function(build)
        except (Unmeasurable, topology.TopologyError, node.CommandFailed, OSError,
                RuntimeError) as error:
            print("failed: %s" % str(error)[:1000])
            sys.exit(1)
        finally:
            _end_children()
            topology.run("umount", "--recursive", FOLDER, check=False)


def fetch_engine():
    """The validators' program: within the namespaces there is no way out to get it."""
    fetch = os.path.join(HERE, "..", "tests", "chain", "fetch-tools.sh")
    found = subprocess.run([fetch, "ibft"], stdout=subprocess.PIPE, text=True, check=False,
                           stdin=subprocess.DEVNULL)
    if found.returncode:
        raise topology.TopologyError("no engine for the validators (above)")
    os.environ["SIPCHAIN_IBFT"] = found.stdout.rstrip("\n").split("\t")[1]


# --- processes ---

_children = []


def _end_children():
    for process in reversed(_children):
        if process.poll() is None:
            process.terminate()
    for process in reversed(_children):
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end(process):
    process.terminate()
    process.wait(20)


def start(namespace, command, **options):
    """topology.start(), ended when the benchmark ends."""
    process = topology.start(namespace, command, **options)
    _children.append(process)
    return process


def start_node(build, letter, ledger):
    """A node without a PBX: what it hears comes from attack.py."""
    folder = "%s/%s" % (FOLDER, letter)
    os.makedirs(folder + "/asterisk")  # nothing else is written to where it listens
    log = folder + "/asterisk/security.log"
    with open(log, "wb"):
        pass
    pbx = types.SimpleNamespace(hep_password="bench", security_log=log)
    n = node.Node(build, letter, folder, ledger, pbx, BAN)
    run_node(n)
    return n


def run_node(n):
    """Start it (again) and wait until it is at work."""
    n.start()
    _children.append(n.process)
    n.wait_ready()


def new_ledger(build):
    return node.Ledger(node.find(build, "sipchain"), FOLDER, 3600)


# --- the kernel's own word ---

def _program(build, name):
    return os.path.join(build, "bench", name)


class Watch:
    """rulewatch in a namespace: when the kernel committed which element."""

    def __init__(self, build, namespace):
        self.lines = node.Lines(start(namespace, [_program(build, "rulewatch")],
                                      stdout=subprocess.PIPE, text=True))
        if not self.lines.wait(lambda line: line == "ready\n", 0, 10):
            raise Unmeasurable("rulewatch does not start")

    def element(self, table, address, seconds=10):
        """Nanoseconds at which the address stood in a set of the table."""
        key = "".join("%02x" % int(part) for part in address.split("."))
        found = self.lines.wait(lambda line: line.split()[1::2] == [table, key], 0, seconds)
        if not found:
            raise Unmeasurable("no rule for %s in table %s within %g s"
                               % (address, table, seconds))
        return int(found[1].split()[0])


def count_elements(build, namespace, table, name, count):
    """Count a set's elements from now; returns a function that waits for the count-th.

    That gives its nanoseconds, or None when the kernel had to drop
    notifications (as it may without SO_RCVBUFFORCE).
    """
    command = [_program(build, "rulewatch"), table, name, str(count)]
    counter = node.Lines(start(namespace, command, stdout=subprocess.PIPE, text=True))
    if not counter.wait(lambda line: line == "ready\n", 0, 10):
        raise Unmeasurable("rulewatch does not start")

    def wait(seconds):
        found = counter.wait(lambda line: line != "ready\n", 0, seconds)
        if not found:
            raise Unmeasurable("not %d elements in %s %s within %g s"
                               % (count, table, name, seconds))
        return None if found[1] == "lost\n" else int(found[1])
    return wait


class Disk:
    """What it costs to commit something to the disk below, whoever does it."""

    SIZE = 8192  # two pages of a write-ahead log
    PLACES = 128

    def __init__(self):
        self.fd = os.open(FOLDER + "/disk", os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(self.fd, bytes(self.SIZE * self.PLACES), 0)
        os.fsync(self.fd)
        self.taken = []

    def commit(self):
        """Once; also remembered in taken."""
        place = len(self.taken) % self.PLACES
        text = os.urandom(self.SIZE)
        begun = time.monotonic_ns()
        os.pwrite(self.fd, text, place * self.SIZE)
        os.fdatasync(self.fd)
        self.taken.append(time.monotonic_ns() - begun)


# --- figures ---

def quantile(values, part):
    """The nearest-rank quantile: one of the values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def head(title):
    print("\n%-50s %10s %-4s %9s %7s" % (title, "measured", "", "limit", "ratio"))


def row(what, value, unit, limit=None, least=False):
    """A figure, and beside it its limit (the most, or the least)."""
    line = "%-50s %10.2f %-4s" % (what, value, unit)
    if limit is not None:
        met = value >= limit if least else value <= limit
        line += " %9s %7.2f %s" % ((">= " if least else "") + "%g" % limit, value / limit,
                                   "ok" if met else "MISSED")
    print(line, flush=True)


def rows(what, nanoseconds, limit=None):
    """p50 and p99 in milliseconds; the limit is on p50."""
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        row("%s, %s" % (what, name), quantile(nanoseconds, part) / 1e6, "ms",
            limit if name == "p50" else None)


def memory(pid):
    """(RSS, PSS, its own pages, highest RSS) of a process in MB."""
    figures = {}
    for name in ("status", "smaps_rollup"):
        with open("/proc/%d/%s" % (pid, name), encoding="ascii", errors="replace") as f:
            for line in f:
                key, _, value = line.partition(":")
                if key in ("VmRSS", "VmHWM", "RssAnon", "Pss"):
                    figures[key] = int(value.split()[0]) / 1024
    return figures["VmRSS"], figures["Pss"], figures["RssAnon"], figures["VmHWM"]


def processor(pid):
    """Seconds of processor time that a process has used."""
    with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settle():
    time.sleep(SETTLE)
