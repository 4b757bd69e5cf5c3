#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""transcript.py --build FOLDER [--results FILE] [--update]: README.md, executed.

What stands between the markers of README.md is a terminal: lines after "$ " are
run one after the other, on an anvil of this test's own, and must print what
follows them there. Hashes, addresses, gas and times differ with each run: they
are compared by their places, and an address that is printed stands for the
README's in the commands after it. --update writes down what was printed.
Leaves with 1 when something differs, 2 when no chain could be started.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from chain_stage import node
from network import Anvil, ChainError

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
BEGIN, END = "<!-- transcript: begin -->", "<!-- transcript: end -->"
URL = "http://127.0.0.1:8545"
HEX = re.compile(r"\b(?:0x)?[0-9a-fA-F]{40,64}\b")


def read():
    """[(command, [lines])] of the README, and what stands around them."""
    with open(README, encoding="utf-8") as f:
        text = f.read()
    before, rest = text.split(BEGIN)
    middle, after = rest.split(END)
    steps = []
    for line in middle.splitlines():
        if line.startswith("    $ "):
            steps.append((line[6:], []))
        elif steps and line.startswith("    "):
            steps[-1][1].append(line[4:])
        elif steps and steps[-1][1] and not line:
            steps[-1][1].append("")
    for _, lines in steps:
        while lines and not lines[-1]:
            lines.pop()
    if len(steps) < 6:
        raise ValueError("README.md has no transcript of six commands or more")
    return before, steps, after


def shape(line):
    """A line without what no two runs have in common."""
    line = HEX.sub(lambda match: "HEX%d" % len(match.group(0)), line)
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(in [^)]*\)", "TIME", line)
    return re.sub(r"\b\d+ gas\b", "GAS", re.sub(r"\s+", " ", line)).strip()


class Terminal:
    """A shell in a folder of its own; values set in one line hold in the next."""

    def __init__(self, program, chain):
        self.folder = tempfile.mkdtemp(prefix="sipchain-transcript-")
        self.chain = chain
        self.set = []
        self.names = {}  # the README's address or hash: this run's
        self.environment = dict(os.environ, PATH="%s:%s" % (
            os.path.dirname(os.path.abspath(program)), os.environ["PATH"]), LC_ALL="C.UTF-8")

    def here(self, text):
        text = text.replace(URL, self.chain.http)
        return HEX.sub(lambda match: self.names.get(match.group(0), match.group(0)), text)

    def there(self, text):
        return text.replace(self.chain.http, URL)

    def run(self, command):
        """(status, lines) of a command of the README."""
        command = self.here(command)
        if re.match(r"\w+=", command):
            self.set.append(command)
        result = subprocess.run(
            ["bash", "-c", "\n".join(self.set + [command])], cwd=self.folder,
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
        return result.returncode, self.there(result.stdout).splitlines()

    def learn(self, expected, printed):
        for old, new in zip(expected, printed):
            self.names.update(zip(HEX.findall(old), HEX.findall(new)))

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def play(terminal, steps):
    """Run them; the first difference as a text, and what was printed."""
    printed = []
    for command, expected in steps:
        status, lines = terminal.run(command)
        printed.append((command, lines))
        if status:
            return "%s: status %d: %s" % (command, status, lines), printed
        if [shape(line) for line in lines] != [shape(line) for line in expected]:
            return "%s prints\n%s\nand README.md says\n%s" % (
                command, "\n".join(lines), "\n".join(expected)), printed
        terminal.learn(expected, lines)
    return None, printed


def update(terminal, before, steps, after):
    """Write this run into the README, whatever stood there."""
    out = []
    for command, expected in steps:
        status, lines = terminal.run(command)
        if status:
            sys.exit("%s: status %d: %s" % (command, status, lines))
        terminal.learn(expected, lines)
        # What was learnt was the old text's: from here on it is the new one's.
        shown = HEX.sub(lambda match: terminal.names.get(match.group(0), match.group(0)),
                        command)
        out.append("    $ " + shown)
        out += ["    " + line if line else "" for line in lines]
    with open(README, "w", encoding="utf-8") as f:
        f.write("%s%s\n\n%s\n\n%s%s" % (before, BEGIN, "\n".join(out), END, after))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="a Meson build folder")
    parser.add_argument("--results", help="append 'pass|fail|skip TAB name' lines")
    parser.add_argument("--update", action="store_true", help="write README.md anew")
    options = parser.parse_args()
    before, steps, after = read()
    with Anvil(base_fee=0, gas_price=0) as chain:
        terminal = Terminal(node.find(options.build, "sipchain"), chain)
        try:
            if options.update:
                update(terminal, before, steps, after)
                return
            difference, _ = play(terminal, steps)
        finally:
            terminal.close()
    print("%s  README.md's transcript, executed%s" % (
        "FAIL" if difference else "pass", "\n      " + difference if difference else ""))
    if options.results:
        with open(options.results, "a", encoding="utf-8") as f:
            f.write("%s\tREADME.md's transcript, executed\n" % (
                "fail" if difference else "pass"))
    sys.exit(1 if difference else 0)


if __name__ == "__main__":
    try:
        main()
    except (ChainError, FileNotFoundError, ValueError) as problem:
        print("transcript: %s" % problem, file=sys.stderr)
        sys.exit(2)
