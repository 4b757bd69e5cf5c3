#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""differential.py --build FOLDER [--results FILE] [--histories N] [--operations N] [--seed N]

Random histories through the contract on anvil, the local ledger and the
registry's fold; see tests/differential. A failure prints its seed, which
repeats it. Leaves with 1 when they differ, 2 when the chain does not start.
"""
import argparse
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from network import Anvil, ChainError

START = 1_700_000_000
"""Before the histories' first second: a chain's clock goes forward only."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="a Meson build folder")
    parser.add_argument("--results", help="append 'pass|fail TAB name' lines")
    parser.add_argument("--histories", type=int, default=16)
    parser.add_argument("--operations", type=int, default=320)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program = os.path.join(options.build, "tests/differential/differential")
    shared_memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with Anvil(chain_id=4224, options=("--timestamp", START, "--gas-limit", 100_000_000,
                                       "--prune-history")) as chain, \
            tempfile.TemporaryDirectory(dir=shared_memory) as folder:
        status = subprocess.run(
            [program, chain.node(1).http, folder, str(options.histories),
             str(options.operations), str(options.seed)], check=False).returncode
    if options.results:
        with open(options.results, "a", encoding="utf-8") as f:
            f.write("%s\tdifferential: contract, local ledger and fold are equal\n"
                    % ("fail" if status else "pass"))
    sys.exit(1 if status else 0)


if __name__ == "__main__":
    try:
        main()
    except (ChainError, FileNotFoundError) as problem:
        print("differential: %s" % problem, file=sys.stderr)
        sys.exit(2)
