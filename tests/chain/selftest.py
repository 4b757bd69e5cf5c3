#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""selftest.py [--networks[-only]] [--results FILE]: do the chains and the faults work?

Every fault of the proxy is met by a plain client as it is meant, on a real anvil;
with --networks the IBFT and the clique network die, halt, part and reorganise as
the tests that use them rely on. Leaves with 1 when a check failed, 2 when an engine
cannot be had.
"""
import argparse
import os
import sys
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import network
import selftest_chain
import selftest_http
import selftest_networks
import selftest_socket


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--networks", action="store_true",
                        help="also the IBFT and the clique network (three minutes)")
    parser.add_argument("--networks-only", action="store_true",
                        help="these networks alone, without anvil")
    parser.add_argument("--only", help="only checks whose name holds this text")
    parser.add_argument("--results", help="append 'pass|fail TAB name' lines to this file")
    return parser.parse_args()


class Table:
    """Runs checks, prints a line each, remembers what failed."""

    def __init__(self, options):
        self.options = options
        self.failed = 0
        self.passed = 0

    def check(self, stage, function):
        name = "chain harness: " + function.__doc__.split("\n", maxsplit=1)[0]
        if self.options.only and self.options.only not in name:
            return
        try:
            function(stage)
            verdict, self.passed = "pass", self.passed + 1
        except Exception:  # one check must not take the others with it
            verdict, self.failed = "fail", self.failed + 1
            traceback.print_exc()
        print("%s  %s" % (verdict, name), flush=True)
        if self.options.results:
            with open(self.options.results, "a", encoding="utf-8") as f:
                f.write("%s\t%s\n" % (verdict, name))


def main():
    options = arguments()
    table = Table(options)
    modules = (selftest_chain, selftest_http, selftest_socket)
    if options.networks_only:
        modules, options.networks = (), True
    try:
        for tool in ("anvil",) if modules else ("ibft", "geth"):
            network.tool(tool)
    except network.ChainError as error:
        print("selftest: %s" % error, file=sys.stderr)
        sys.exit(2)
    for module in modules:
        with module.Stage() as stage:
            for function in module.CHECKS:
                stage.reset()
                table.check(stage, function)
    if options.networks:
        for function in selftest_networks.CHECKS:
            table.check(None, function)
    print("%d passed, %d failed" % (table.passed, table.failed))
    sys.exit(1 if table.failed or not table.passed else 0)


if __name__ == "__main__":
    main()
