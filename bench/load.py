#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""load.py --build FOLDER: a node's memory, idle and with 100,000 reports.

And the time from its start until all 100,000 bans that it learns from the
ledger stand in the kernel; beside it nft(8), which loads the same 100,000
addresses from a file without asking who reported them. And how long `sipchain status`
has to wait for the busy node, beside the same when it has nothing to do.
"""
import os
import subprocess
import threading
import time

import stage  # first: it says where the others are
import node
import topology

REPORTS = 100000
MEMBERS = 4
LIMIT_MB = 16.0


def print_processes(title, n):
    """A line for each process; returns the sums of RSS, PSS and own pages."""
    pids = {"parent": n.process.pid}
    pids.update((role["role"], role["pid"]) for role in n.ask("status")["roles"])
    figures = {name: stage.memory(pid) + (stage.processor(pid),)
               for name, pid in pids.items()}
    print("\n%-36s %8s %8s %8s %8s    %6s" % (title, "RSS", "PSS", "own", "highest", "CPU"))
    for name, five in figures.items():
        print("%-36s %8.2f %8.2f %8.2f %8.2f MB %6.2f s" % ((name,) + five))
    return [sum(five[i] for five in figures.values()) for i in range(3)]


def idle(n):
    """The daemon with nothing to do."""
    stage.settle()
    rss, pss, own = print_processes("sipchaind, idle", n)
    stage.head("sum of five processes")
    stage.row("RSS, the libraries' pages counted five times", rss, "MB", LIMIT_MB)
    stage.row("PSS, shared pages divided among their users", pss, "MB", LIMIT_MB)
    stage.row("own pages, without those of files", own, "MB")


def fill(build, ledger):
    """100,000 live reports by four members; how long that took."""
    each = REPORTS // MEMBERS
    begun = time.monotonic()
    for number in range(MEMBERS):
        key = "%s/reporter-%d.key" % (stage.FOLDER, number)
        address = node.sipchain(ledger.program, "key", "new", key).split()[0]
        # Cells go by the number of the address: the cap is all of them.
        ledger.administer("member", "add", "--name", "reporter-%d" % number, "--signer",
                          address, "--weight", "1", "--cap", str(REPORTS))
        index = len(ledger.indices) + number + 1
        subprocess.run([os.path.join(build, "bench", "reports"), ledger.path, key,
                        str(index), str(number * each), str(each), "3000"], check=True)
    return time.monotonic() - begun


class Asking:
    """`sipchain status` again and again, until it is told to end."""

    def __init__(self, n):
        self.longest = 0.0
        self.count = 0
        self._node = n
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self):
        while not self._over.wait(0.02):
            begun = time.monotonic()
            try:
                self._node.ask("status")
            except node.CommandFailed:  # it is not there yet
                continue
            self.longest = max(self.longest, time.monotonic() - begun)
            self.count += 1

    def end(self):
        self._over.set()
        self._thread.join()
        if not self.count:
            raise stage.Unmeasurable("the node gave no answer while it learnt")
        return self.longest


def load(build, n):
    """Start it on the full ledger; seconds until all bans stand, and the longest answer."""
    counted = stage.count_elements(build, n.namespace, "sipchain", "sip4_32", REPORTS)
    begun = time.monotonic_ns()
    asking = Asking(n)
    stage.run_node(n)
    at = counted(120)
    if at is None:  # by the daemon's own word, then
        bans = n.ask("status")["bans"]
        while bans["queued"] or bans["learnt"] < REPORTS:
            time.sleep(0.02)
            bans = n.ask("status")["bans"]
        at = time.monotonic_ns()
    return (at - begun) / 1e9, asking.end()


def verify(n):
    """That what was counted is what stands there."""
    standing = sum("sip4_32" in sets for sets in n.banned().values())
    if standing != REPORTS:
        raise stage.Unmeasurable("%d bans stand in the kernel, not %d" % (standing, REPORTS))


def load_by_nft():
    """Seconds in which nft(8) loads as many addresses from a file, or None.

    It sends a file as one transaction, which a plain user's socket cannot hold.
    """
    path = stage.FOLDER + "/peer.nft"
    with open(path, "w", encoding="ascii") as f:
        f.write("add table inet peer\n"
                "add set inet peer bans { type ipv4_addr; flags timeout; }\n")
        for first in range(0, REPORTS, 1000):
            f.write("add element inet peer bans { %s }\n" % ", ".join(
                "198.%d.%d.%d timeout 3000s" % (18 + (i >> 16), i >> 8 & 255, i & 255)
                for i in range(first, first + 1000)))
    begun = time.monotonic()
    result = topology.run("nft", "-f", path, namespace="customer", check=False)
    return time.monotonic() - begun if result.returncode == 0 else None


def main(build):
    ledger = stage.new_ledger(build)
    n = stage.start_node(build, "a", ledger)
    idle(n)
    n.stop()
    filled = fill(build, ledger)
    seconds, longest = load(build, n)
    stage.settle()
    asking = Asking(n)
    time.sleep(3)
    longest_after = asking.end()
    verify(n)
    rss, pss, own = print_processes("sipchaind, %d bans learnt" % REPORTS, n)
    stage.head("%d live reports on the local ledger" % REPORTS)
    stage.row("made by %d members, each batch signed, on disk" % MEMBERS, filled, "s")
    stage.row("start of sipchaind -> all bans in the kernel", seconds, "s")
    peer = load_by_nft()
    if peer is None:
        print("nft -f cannot load as many addresses as a plain user: no yardstick")
    else:
        stage.row("nft -f of as many addresses", peer, "s")
        stage.row("sipchaind's time to nft's", seconds / peer, "x")
    stage.row("the longest answer of `sipchain status` meanwhile", longest * 1000, "ms")
    stage.row("the longest when nothing happens", longest_after * 1000, "ms")
    stage.row("RSS of five processes", rss, "MB")
    stage.row("PSS of five processes", pss, "MB")
    stage.row("own pages of five processes", own, "MB")
    ledger_bytes = os.stat(ledger.path).st_size
    stage.row("the ledger's file, a report", ledger_bytes / REPORTS, "byte")


if __name__ == "__main__":
    stage.play(main)
