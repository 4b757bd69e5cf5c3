#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""transcript.py --build FOLDER [--results FILE] [--update]: the API in README.md, executed.

What stands between the markers is a terminal in the folder of a node that was just
set up: lines after "$ " are run one after the other and must print what follows them
there. Times differ with each run and are compared by their places; a question about
what the ledger has to confirm first is asked again for a while. --update writes down
what was printed. Leaves with 1 when something differs, 2 when no node could be started.
"""
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from stage import Stage
import checks

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
BEGIN, END = "<!-- api transcript: begin -->", "<!-- api transcript: end -->"
PORT = "127.0.0.1:8731"
STREAM_OVER = 28  # curl's status after -m


def read():
    """[(command, [lines])] of the README, and what stands around them."""
    with open(README, encoding="utf-8") as f:
        before, rest = f.read().split(BEGIN)
    middle, after = rest.split(END)
    steps = []
    for line in middle.splitlines():
        if line.startswith("    $ "):
            steps.append((line[6:], []))
        elif steps and (line.startswith("    ") or not line):
            steps[-1][1].append(line[4:])
    for _, lines in steps:
        while lines and not lines[-1]:
            lines.pop()
    if len(steps) < 6:
        raise ValueError("README.md has no transcript of six commands or more")
    return before, steps, after


def shape(line):
    """A line without what no two runs have in common."""
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ( \(in [^)]*\))?", "TIME", line)
    line = re.sub(r"\b[0-9a-f]{64}\b", "HASH", line)
    # What else happened meanwhile has a number, too.
    line = re.sub(r'^id: \d+$|^(data: \{"id":)\d+', r"\1N", line)
    return re.sub(r"\b1\d{9}\b", "TIME", line).strip()


class Terminal:
    """A shell in the node's folder; values set in one line hold in the next."""

    def __init__(self, stage):
        self.stage = stage
        self.here = "127.0.0.1:%d" % stage.port
        self.set = []
        self.environment = dict(os.environ, LC_ALL="C.UTF-8", PATH="%s:%s" % (
            os.path.dirname(os.path.abspath(stage.program)), os.environ["PATH"]))

    def run(self, command):
        """(status, lines)"""
        command = command.replace(PORT, self.here)
        if re.match(r"\w+=", command):
            self.set.append(command)
        result = subprocess.run(
            ["bash", "-c", "\n".join(self.set + [command])], cwd=self.stage.folder,
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
        status = 0 if result.returncode == STREAM_OVER else result.returncode
        lines = result.stdout.replace(self.here, PORT).splitlines()
        while lines and not lines[-1]:
            lines.pop()
        return status, lines

    def expect(self, command, expected):
        """The lines that it prints, asked again while a check may still change."""
        deadline = time.monotonic() + 90
        while True:
            status, lines = self.run(command)
            same = [shape(line) for line in lines] == [shape(line) for line in expected]
            if status or same or "/v1/check" not in command or time.monotonic() > deadline:
                return status, same, lines
            time.sleep(0.1)


def play(terminal, steps):
    """The first difference as a text, or None."""
    for command, expected in steps:
        status, same, lines = terminal.expect(command, expected)
        if status:
            return "%s: status %d: %s" % (command, status, lines)
        if not same:
            return "%s prints\n%s\nand README.md says\n%s" % (
                command, "\n".join(lines), "\n".join(expected))
    return None


def update(terminal, before, steps, after):
    """Write this run into the README, whatever stood there."""
    out = []
    for command, _ in steps:
        if "/v1/check" in command:
            time.sleep(3)  # for what the ledger has to confirm
        status, lines = terminal.run(command)
        if status:
            sys.exit("%s: status %d: %s" % (command, status, lines))
        out.append("    $ " + command)
        out += ["    " + line if line else "" for line in lines]
    with open(README, "w", encoding="utf-8") as f:
        f.write("%s%s\n\n%s\n\n%s%s" % (before, BEGIN, "\n".join(out).rstrip(), END, after))


def main():
    parser = checks.parser(__doc__)
    parser.add_argument("--update", action="store_true", help="write README.md anew")
    options = checks.options(parser)
    before, steps, after = read()
    with Stage(options.build) as stage:
        if options.update:
            update(Terminal(stage), before, steps, after)
            return
        difference = play(Terminal(stage), steps)
    name = "README.md's transcript of the API, executed"
    print("%s  %s%s" % ("FAIL" if difference else "pass", name,
                        "\n      " + difference if difference else ""))
    checks.record(options.results, "fail" if difference else "pass", name)
    sys.exit(1 if difference else 0)


if __name__ == "__main__":
    try:
        main()
    except (FileNotFoundError, ValueError, checks.Mismatch) as problem:
        print("transcript: %s" % problem, file=sys.stderr)
        sys.exit(2)
