# SPDX-License-Identifier: Apache-2.0
"""What became of the strings that a case's sources dialled, beside what they mean.

Expectations are lines {"dialled", "number", "reading", ...}: the number that was
meant (null: none) and how the string is to be read by itself; only "rule" is to be
told for one string alone. A corpus brings its own dialled.jsonl, or has none: then
it is only counted how many strings led to a published number.
"""
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = os.path.join(HERE, "..", "data", "numbers", "dialled.jsonl")


class Broken(Exception):
    """The file is no list of expectations; says where."""


def expectations(corpus, default_corpus):
    """{string: {"number", "reading"}}, or None when nothing is known."""
    own = os.path.join(corpus, "dialled.jsonl")
    path = own if os.path.exists(own) else OURS
    if path == OURS and os.path.realpath(corpus) != os.path.realpath(default_corpus):
        return None
    known = {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            try:
                row = json.loads(line)
                known[row["dialled"]] = {"number": row["number"], "reading": row["reading"]}
            except (ValueError, TypeError, KeyError) as e:
                raise Broken(f"{path}:{number}: is no expectation: {e!r}") from e
    return known


def covers(told, number):
    """Whether a published indicator, +N or a prefix +N*, is of this number."""
    return told[:-1] == number[:len(told) - 1] if told.endswith("*") else told == number


class Strings:
    """One run's: {indicator: what} that were published, and each string's verdict."""

    def __init__(self, run, known):
        self.known = known
        self.told = {i for i, what in run["numbers"].items() if what["published"]}

    def is_told(self, number):
        return any(covers(i, number) for i in self.told)

    def verdict(self, string, innocent, attacker, judged):
        """"right", "wrong", "missed", "withheld", or with no expectations "published"
        and "withheld". attacker: these sensors saw it dialled by one whom they told of
        and who is to be told of. judged: {"fate", "number"} of the string, or None."""
        counted = judged["number"] if judged else ""
        told = bool(counted) and self.is_told(counted)
        if self.known is None:
            return "published" if told else "withheld"
        meant = self.known.get(string)
        if meant is None:
            return "unknown"
        number = "+" + meant["number"] if meant["number"] else ""
        if counted:
            if counted != number or innocent:
                return "wrong"
            # Called less often than [numbers] calls asks: withheld for now.
            return "right" if told else "withheld"
        if meant["reading"] != "rule" or not attacker:
            return "withheld"
        # A call that nothing proves; its number is known by others all the same.
        return "withheld" if self.is_told(number) else "missed"

    def strange(self, rows, is_innocent):
        """Published, and no string of an attacker means it."""
        if self.known is None:
            return []
        meant = {"+" + self.known[s]["number"] for row in rows if not is_innocent(row)
                 for s in row.get("dialed") or []
                 if s in self.known and self.known[s]["number"]}
        return sorted(i for i in self.told
                      if i.startswith("+") and not any(covers(i, m) for m in meant))
