#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""transcripts.py SIPCHAIN [--update]: docs/operators.md's `sipchain explain`, executed.

What stands between the markers is terminals, in the project's own folder: lines
after "$ " are run and must print what follows them. Each is run once more with
--json, which must be one object that tells of as many observations. The line that
says whose rules they are depends on the machine and is left out. --update writes
down what was printed. Leaves with 1 when something differs.
"""
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.join(HERE, "..", "..")
PAGE = os.path.join(PROJECT, "docs", "operators.md")
STOCK = "/etc/fail2ban/filter.d/asterisk.conf"
CACHE = os.path.join(PROJECT, ".cache", "fail2ban")
BEGIN, END = "<!-- explain: begin -->", "<!-- explain: end -->"
LEAST = 10  # terminals; fewer are a page that lost some


def steps(lines):
    """(first line, last line + 1, command, [printed]) of each terminal."""
    found, at = [], 0
    while at < len(lines):
        if lines[at].startswith("    $ "):
            end = at + 1
            while end < len(lines) and lines[end].startswith("    ") \
                    and not lines[end].startswith("    $ "):
                end += 1
            found.append((at, end, lines[at][6:], [line[4:] for line in lines[at + 1:end]]))
            at = end
        else:
            at += 1
    return found


def folder_of_filters():
    """Where fail2ban's filters are when they are not installed: as its package has them."""
    if os.path.exists(STOCK):
        return []
    fetch = os.path.join(PROJECT, "tests", "filter", "fetch.sh")
    subprocess.run([fetch, CACHE], check=True, stdout=subprocess.DEVNULL)
    return ["--filters", os.path.join(CACHE, "source", "config", "filter.d")]


def run(program, more, command):
    """(status, lines) of a command; more are arguments for every `sipchain explain`."""
    words = " ".join([os.path.abspath(program), "explain"] + more)
    result = subprocess.run(
        ["bash", "-c", command.replace("sipchain explain", words)], cwd=PROJECT,
        env=dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8"), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
    return result.returncode, result.stdout.splitlines()


def shape(lines):
    """Without whose rules they are."""
    return [re.sub(r" \(by the [^)]*\)$", "", line) for line in lines]


def check(program, filters, step):
    """What is wrong with one terminal, or None; and what it printed."""
    _, _, command, expected = step
    status, printed = run(program, filters, command)
    if status:
        return "status %d" % status, printed
    if shape(printed) != shape(expected):
        return "it differs", printed
    status, lines = run(program, filters + ["--json"],
                        re.sub(r"(sipchain explain tests/[^|]*)\|.*", r"\1", command))
    answer = json.loads("\n".join(lines))
    seen = sum(s["step"] == "observation" for s in answer["steps"])
    if status or seen != answer["observations"] or (
            "observation" in printed[-1].split("(")[0]
            and not printed[-1].startswith("%d observation" % seen)):
        return "its JSON tells another story", printed
    return None, printed


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    update = "--update" in sys.argv
    with open(PAGE, encoding="utf-8") as f:
        lines = f.read().split("\n")
    begin, end = lines.index(BEGIN), lines.index(END)
    found = [s for s in steps(lines) if begin < s[0] < end]
    filters = folder_of_filters()
    failed = 0
    for step in reversed(found):
        why, printed = check(sys.argv[1], filters, step)
        if update:
            lines[step[0] + 1:step[1]] = ["    " + line for line in printed]
            why = why if why and "differs" not in why else None
        if why:
            failed += 1
            print("FAILED: %s: %s; it prints\n%s" % (step[2], why, "\n".join(printed)))
    if update:
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))
    if len(found) < LEAST:
        failed += 1
        print("FAILED: %d terminals only" % len(found))
    print("%d of %d terminals are as docs/operators.md shows them" % (
        len(found) - failed, len(found)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
