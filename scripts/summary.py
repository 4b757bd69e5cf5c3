#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""summary.py TESTLOG RESULTS: add up all tests; the last line is the sum.

TESTLOG is Meson's testlog.json: one object a line; a program that speaks TAP
counts as its own test points, any other as one test. RESULTS has lines
"pass|fail|skip TAB name". Leaves with 1 when one failed or none ran.
"""
import json
import re
import sys

POINT = re.compile(r"^(not )?ok\b(?:[^#]*)(#\s*skip\b)?", re.IGNORECASE)


class Sum:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.names = []

    def fail(self, name):
        self.failed += 1
        self.names.append(name)


def meson_test(total, entry):
    """Count one program of Meson's log."""
    failed = 0
    points = 0
    for line in (entry.get("stdout") or "").splitlines():
        point = POINT.match(line)
        if not point:
            continue
        points += 1
        if point.group(1):
            failed += 1
            total.fail("%s: %s" % (entry["name"], line))
        elif point.group(2):
            total.skipped += 1
        else:
            total.passed += 1
    result = entry["result"]
    if result in ("OK", "EXPECTEDFAIL"):
        total.passed += 0 if points else 1
    elif result == "SKIP":
        total.skipped += 0 if points else 1
    elif not failed:
        # It crashed, leaked or ran out of time, whatever it had printed.
        total.fail("%s: %s" % (entry["name"], result))


def main():
    testlog, results = sys.argv[1:]
    total = Sum()
    try:
        with open(testlog, encoding="utf-8") as log:
            for line in log:
                meson_test(total, json.loads(line))
    except FileNotFoundError:
        total.fail("%s is not there: no unit test ran" % testlog)
    with open(results, encoding="utf-8") as lines:
        for line in lines:
            verdict, name = line.rstrip("\n").split("\t", 1)
            if verdict == "pass":
                total.passed += 1
            elif verdict == "skip":
                total.skipped += 1
            else:
                total.fail(name)
    for name in total.names:
        print("failed: " + name)
    print("%d passed, %d failed%s" % (total.passed, total.failed, ", %d skipped"
                                      % total.skipped if total.skipped else ""))
    sys.exit(1 if total.failed or not total.passed else 0)


if __name__ == "__main__":
    main()
