#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""transcript.py SIPCHAIN [--update]: docs/operators.md's `sipchain number`, executed.

Lines after "$ " between the markers must print what follows them. Each is run once
more with --json, which must tell of the same verdicts. --update writes down what was
printed. Leaves with 1 when something differs.
"""
import importlib.util
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
PROJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PAGE = os.path.join(PROJECT, "docs", "operators.md")
BEGIN, END = "<!-- number: begin -->", "<!-- number: end -->"
LEAST = 5  # terminals; fewer are a page that lost some


def explain_transcripts():
    spec = importlib.util.spec_from_file_location(
        "transcripts", os.path.join(PROJECT, "tests/explain/transcripts.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(program, command):
    result = subprocess.run(
        ["bash", "-c", "set -o pipefail; " + command.replace(
            "sipchain", os.path.abspath(program))], cwd=PROJECT,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, timeout=120)
    return result.returncode, result.stdout.splitlines()


def same_in_json(program, command):
    """The verdicts of all strings and clusters, in both forms."""
    command = re.sub(r" \|.*", "", command)
    _, printed = run(program, command)
    status, lines = run(program, command + " --json")
    answer = json.loads("\n".join(lines))
    told = answer["strings"] + answer["clusters"]
    shown = [line.split()[1].rstrip(":") for line in printed if line[2:9] == "verdict"]
    return not status and shown == [t["reading"] for t in told] and all(
        t["publish"] == (t["reading"] in ("rule", "cluster") and "listed" not in t)
        for t in told)


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    update = "--update" in sys.argv
    with open(PAGE, encoding="utf-8") as f:
        lines = f.read().split("\n")
    begin, end = lines.index(BEGIN), lines.index(END)
    found = [s for s in explain_transcripts().steps(lines) if begin < s[0] < end]
    failed = len(found) < LEAST
    for first, last, command, expected in reversed(found):
        status, printed = run(sys.argv[1], command)
        if update:
            lines[first + 1:last] = ["    " + line for line in printed]
        elif status or printed != expected or not same_in_json(sys.argv[1], command):
            failed += 1
            print("FAILED: %s; it prints (status %d)\n%s"
                  % (command, status, "\n".join(printed)))
    if update:
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))
    print("%d terminals, %d are not as docs/operators.md shows them" % (len(found), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
