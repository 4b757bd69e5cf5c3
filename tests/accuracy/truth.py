# SPDX-License-Identifier: Apache-2.0
"""truth.jsonl: one object a line about each source of a case."""
import ipaddress
import json
import os

NEEDED = (("src", str), ("role", str), ("should_ban", (bool, type(None))),
          ("share_globally", bool))


class Truth:
    """rows; whole: no line was left out; errors: "file:line: what" of each."""

    def __init__(self, path):
        self.rows, self.errors, self.there = [], [], os.path.exists(path)
        self.path = path
        if not self.there:
            self.errors.append(f"{path}: is not there, the case is left out")
            return
        with open(path, encoding="utf-8", errors="replace") as f:
            for number, line in enumerate(f, 1):
                if line.strip():
                    self.take(number, line)

    @property
    def whole(self):
        return not self.errors

    def take(self, number, line):
        try:
            row = json.loads(line)
            self.check(row)
        except ValueError as e:
            self.errors.append(f"{self.path}:{number}: {e}; the row is left out")
            return
        self.rows.append(row)

    @staticmethod
    def check(row):
        if not isinstance(row, dict):
            raise ValueError("is no JSON object")
        for name, kind in NEEDED:
            if name not in row or not isinstance(row[name], kind):
                raise ValueError(f"\"{name}\" is missing or of another type")
        ipaddress.ip_address(row["src"])
        dialled = row.get("dialed") or []
        if not isinstance(dialled, list) or not all(isinstance(s, str) for s in dialled):
            raise ValueError("\"dialed\" is no list of strings")


def is_innocent(row):
    return row["role"] != "attacker" and row["should_ban"] is not True


_read = {}


def read_truth(corpus, pbx, case):
    """The case's Truth, read once."""
    path = os.path.join(corpus, pbx, case, "truth.jsonl")
    if path not in _read:
        _read[path] = Truth(path)
    return _read[path]


def errors():
    return [e for t in _read.values() for e in t.errors]
