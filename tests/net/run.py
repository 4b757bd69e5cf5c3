#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py --build FOLDER [--ledger ethereum]: the cases, with real Asterisk and sipp.

Three nodes, an attacker and a customer in network namespaces of their own,
made by root or by a plain user, gone when this ends. With --ledger ethereum the
list is a contract on four validators, of which each node reaches its own. Prints each case with
its time beside the paper's. Leaves with 1 when a case failed, 2 when the
stage could not be set.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import node
import topology

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = "SIPCHAIN_ASTERISK_TREE"
PROXY = "SIPCHAIN_KAMAILIO_TREE"
# What is looked at while a ban lives takes its time on a machine with much to do.
TTL = {"local": 24, "ethereum": 36}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="a Meson build folder")
    parser.add_argument("--ledger", choices=tuple(TTL), default="local",
                        help="where the list is (default: a file that the nodes share)")
    parser.add_argument("--cases", help="only these, such as 1,2,4 (1 to 6 are one story)")
    parser.add_argument("--kill", choices=node.ROLES + ("all",),
                        help="also kill -9 this role of A during an attack")
    parser.add_argument("--ttl", type=int,
                        help="seconds that a report and a ban live (default 24; with "
                             "--ledger ethereum, where a write takes a block, 36)")
    parser.add_argument("--results", help="append 'pass|fail TAB name' lines to this file")
    options = parser.parse_args()
    options.ttl = options.ttl or TTL[options.ledger]
    return options


def fetch_asterisk():
    """Before the namespaces: within them there is no way out."""
    if TREE not in os.environ:
        found = subprocess.run([os.path.join(HERE, "..", "pbx", "fetch-asterisk.sh")],
                               stdout=subprocess.PIPE, text=True, check=False,
                               stdin=subprocess.DEVNULL)
        if found.returncode:
            sys.exit(2)
        os.environ[TREE] = found.stdout.strip()
    return os.environ[TREE]


def fetch_proxy():
    """Kamailio, likewise."""
    import kamailio
    if PROXY not in os.environ:
        os.environ[PROXY] = kamailio.fetch()


def fetch_engine():
    """The same for the validators' program."""
    found = subprocess.run([os.path.join(HERE, "..", "chain", "fetch-tools.sh"), "ibft"],
                           stdout=subprocess.PIPE, text=True, check=False,
                           stdin=subprocess.DEVNULL)
    if found.returncode:
        sys.exit(2)
    os.environ["SIPCHAIN_IBFT"] = found.stdout.rstrip("\n").split("\t")[1]


class Table:
    """Prints a line a case and remembers the verdicts."""

    def __init__(self, results, label="network"):
        self.results = results
        self.label = label
        self.failed = []
        self.passed = 0
        self.terminal = sys.stdout.isatty()

    def head(self):
        print("%4s  %-55s %-6s %9s   %s" % ("case", "", "result", "time", "paper"), flush=True)

    def progress(self, text):
        if self.terminal:
            print("\r\033[K      %s ..." % text, end="", flush=True)
        else:
            print("      %s ..." % text, flush=True)

    def line(self, number, title, seconds, error, paper):
        verdict = "FAIL" if error else "pass"
        if self.terminal:
            verdict = "\033[%dm%s\033[0m  " % (31 if error else 32, verdict)
            print("\r\033[K", end="")
        took = "" if seconds is None else "%.0f ms" % (1000 * seconds) if seconds < 1 \
            else "%.2f s" % seconds
        print("%4s  %-55s %-6s %9s   %s" % (number, title, verdict, took, paper), flush=True)
        if error:
            print("      %s" % error, flush=True)
            self.failed.append(title)
        else:
            self.passed += 1
        if self.results:
            with open(self.results, "a", encoding="utf-8") as f:
                f.write("%s\t%s: %s\n" % ("fail" if error else "pass", self.label, title))


def play(world, table, number, title, function, *options):
    """Run one case into the table."""
    import cases
    from world import Failed
    table.progress(title)
    seconds = error = None
    try:
        seconds = function(world, *options)
    except Failed as failure:
        error = str(failure)
    except Exception as failure:  # a case must not take the others with it
        error = "%s: %s" % (type(failure).__name__, failure)
    table.line(number, title, seconds, error, cases.PAPER.get(number, ""))


def selected(options):
    import cases
    import cases_numbers  # adds to them
    assert cases_numbers
    if options.ledger == "ethereum":
        import cases_chain  # too
        assert cases_chain
    if not options.cases:
        return list(cases.CASES)
    wanted = {int(n) for n in options.cases.split(",")}
    if wanted & set(range(2, 7)):
        wanted |= {1, 2, 3}  # they look at what the first ones did
    return [c for c in cases.CASES if c[0] in wanted]


def perform(options, tree, table):
    """Set the stage, play, take it down."""
    import cases
    import world as stage
    world = stage.World(options.build, tree, os.environ[PROXY], options.ttl, table.progress,
                        options.ledger)
    chosen = selected(options)
    last = [c for c in chosen if c[2] is cases.customer]
    roles = node.ROLES if options.kill == "all" else [options.kill] if options.kill else []
    table.progress("ready")
    for number, title, function in chosen:
        if (number, title, function) not in last:
            play(world, table, number, title, function)
    for role in roles:
        play(world, table, "kill", "A's %s dies by kill -9 during the attack" % role,
             cases.killed, role)
    for number, title, function in last:
        play(world, table, number, title, function)
    complaints = world.stop()
    if complaints:
        table.line("", "every sipchaind ends in order, without complaint", None,
                   "; ".join(complaints)[:2000], "")
    elif options.results:
        table.line("", "every sipchaind ends in order, without complaint", None, None, "")


def keep_logs(build, name="network-logs"):
    """What one needs to find out why, from the private /run."""
    kept = os.path.join(build, name)
    shutil.rmtree(kept, ignore_errors=True)
    try:
        shutil.copytree("/run/sipchain-tests", kept, ignore=lambda folder, names: [
            n for n in names if n.endswith((".key", ".sock", ".ctl", ".reply", "-bell"))])
        print("      logs: %s" % kept)
    except (OSError, shutil.Error) as error:
        print("      the logs are lost: %s" % error)


def main():
    options = arguments()
    options.build = os.path.abspath(options.build)
    if options.results:
        options.results = os.path.abspath(options.results)
    try:
        for name in ("sipchaind", "sipchain"):
            node.find(options.build, name)
        tree = fetch_asterisk()
        fetch_proxy()
        if not shutil.which("sipp"):
            raise topology.TopologyError("sipp is not installed (package sip-tester)")
        if options.ledger == "ethereum" and topology.INSIDE not in os.environ:
            fetch_engine()
        topology.enter()
    except (topology.TopologyError, FileNotFoundError) as error:
        print("run: %s" % error, file=sys.stderr)
        sys.exit(2)
    begun = time.monotonic()
    table = Table(options.results, "network" if options.ledger == "local" else
                  "network, %s" % options.ledger)
    table.head()
    try:
        perform(options, tree, table)
    except Exception as error:
        print("\nrun: the stage could not be set: %s: %s" % (type(error).__name__, error),
              file=sys.stderr)
        keep_logs(options.build)
        sys.exit(2)
    if table.failed:
        keep_logs(options.build)
    print("      %d of %d, %.0f s" % (table.passed, table.passed + len(table.failed),
                                      time.monotonic() - begun))
    sys.exit(1 if table.failed else 0)


if __name__ == "__main__":
    main()
