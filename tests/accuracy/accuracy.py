#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who of a corpus is published and banned, beside the truth about every source.

  accuracy.py --replay PROGRAM [--corpus DIR] [--check] [--learn] [--without-fail2ban]

PROGRAM (replay.c) runs every case through the sensors, each alone and all
together, and says what a node would do; truth.jsonl of the case says what is
right. The last line is one JSON object with the totals of every sensor set.
--check compares with known.json: what is missed today stands there with its
reason; anything else is a failure, and so is an entry that holds no longer.
--learn writes known.json anew (reasons of entries that stay are kept).
"""
import argparse
import ipaddress
import json
import os
import subprocess
import sys

import fail2ban

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "..", "data", "corpora")
KNOWN = os.path.join(HERE, "known.json")
COUNTS = ("cases", "sources", "published_right", "published_wrong", "published_missed",
          "banned_right", "banned_wrong", "banned_missed", "banned_either",
          "innocents_published", "innocents_banned", "dialled_seen", "dialled_all",
          "numbers_right", "numbers_withheld", "numbers_wrong", "injections")
HEAD = ("case", "attackers", "published", "banned", "missed", "innocents",
        "published", "banned", "dialled seen", "injections")


def read_truth(corpus, pbx, case):
    with open(os.path.join(corpus, pbx, case, "truth.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def is_innocent(row):
    return row["role"] != "attacker" and row["should_ban"] is not True


def is_excusable(deviation):
    return "an innocent" not in deviation and "nobody was there" not in deviation


class Tally:
    """One case by one sensor set: counts, and every deviation by name."""

    def __init__(self, run, rows):
        self.counts = dict.fromkeys(COUNTS, 0)
        self.deviations = []
        self.case = run["case"]
        self.shows_dialled = "hep.pcap" in run["files"]
        self.counts["cases"] = 1
        self.counts["injections"] = run["injections"]
        nets = {ipaddress.ip_network(a): s for a, s in run["sources"].items()}
        told = set()
        for row in rows:
            address = ipaddress.ip_address(row["src"])
            mine = [n for n in nets if address in n]
            told.update(mine)
            self.row(row, [nets[n] for n in mine])
        for net in set(nets) - told:  # an address that the truth does not know
            self.stranger(str(net), nets[net])

    def add(self, name, src, what=None):
        self.counts[name] += 1
        if what:
            self.deviations.append(f"{self.case} {src} {what}")

    def row(self, row, sources):
        src, innocent = row["src"], is_innocent(row)
        published = any(s["published"] for s in sources)
        banned = published or any(s["banned"] for s in sources)
        self.add("sources", src)
        self.counts["attackers"] = self.counts.get("attackers", 0) + (not innocent)
        if published and row["share_globally"]:
            self.add("published_right", src)
        elif published:
            self.add("published_wrong", src, "published, though not to be shared")
        elif row["share_globally"]:
            self.add("published_missed", src, "not published")
        if innocent and published and row["should_ban"] is False:
            self.add("innocents_published", src, "an innocent published")
        if innocent and banned and row["should_ban"] is False:
            self.add("innocents_banned", src, "an innocent banned")
            self.add("banned_wrong", src)
        elif banned and row["should_ban"] is True:
            self.add("banned_right", src)
        elif banned:  # attackers below every threshold; "either is fine"
            self.add("banned_either", src)
        elif row["should_ban"] is True:
            self.add("banned_missed", src, "not banned")
        self.dialled(src, row.get("dialed") or [], sources)

    def dialled(self, src, strings, sources):
        seen = {d for s in sources for d in s["dialled"]}
        missing = [s for s in strings if s not in seen]
        self.counts["dialled_all"] += len(strings)
        self.counts["dialled_seen"] += len(strings) - len(missing)
        # Nothing normalises numbers yet: none is published, right or wrong.
        self.counts["numbers_withheld"] += len(strings)
        # What logs lack (they name dialled strings by chance only) is no news.
        if missing and self.shows_dialled:
            self.deviations.append(f"{self.case} {src} dialled and not seen: "
                                   + " ".join(missing))

    def stranger(self, src, source):
        if source["published"]:
            self.add("published_wrong", src, "published, though nobody was there")
            self.add("innocents_published", src)
        if source["banned"]:
            self.add("banned_wrong", src, "banned, though nobody was there")
            self.add("innocents_banned", src)


def replay(program, corpus):
    """{set: [(run, tally), ...]}, in the program's order."""
    done = subprocess.run([program, corpus], stdout=subprocess.PIPE, check=True)
    sets = {}
    for line in done.stdout.splitlines():
        run = json.loads(line)
        try:
            rows = read_truth(corpus, run["pbx"], run["case"])
        except FileNotFoundError:
            print(f"{run['pbx']}/{run['case']}: no truth.jsonl, left out", file=sys.stderr)
            continue
        sets.setdefault(run["set"], []).append((run, Tally(run, rows)))
    return sets


def totals(tallies):
    total = dict.fromkeys(COUNTS, 0)
    for _, tally in tallies:
        for name in COUNTS:
            total[name] += tally.counts[name]
    return total


def table(rows):
    widths = [max(len(str(r[i])) for r in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(str(c).ljust(w) if i == 0 else str(c).rjust(w)
                               for i, (c, w) in enumerate(zip(row, widths))).rstrip())


def line_of(name, c, attackers):
    return (name, attackers, c["published_right"] + c["published_wrong"],
            c["banned_right"] + c["banned_either"], c["banned_missed"],
            c["sources"] - attackers, c["innocents_published"], c["innocents_banned"],
            f"{c['dialled_seen']}/{c['dialled_all']}", c["injections"])


def show(name, tallies):
    title = "all together" if name == "all" else name + " alone"
    print(f"\n{title}: attackers published / banned here / missed, innocents published / banned")
    attackers = [t.counts.get("attackers", 0) for _, t in tallies]
    rows = [HEAD]
    rows += [line_of(run["case"], t.counts, a) for (run, t), a in zip(tallies, attackers)]
    total = totals(tallies)
    rows.append(line_of("together", total, sum(attackers)))
    table(rows)
    print(f"  published: {total['published_right']} right, {total['published_wrong']} wrong, "
          f"{total['published_missed']} missed; to be banned: {total['banned_right']} of "
          f"{total['banned_right'] + total['banned_missed']}")
    for _, t in tallies:
        for deviation in t.deviations:
            print(f"  ! {deviation}")
    return total


def check(sets, learn):
    """Compare the deviations with known.json. Returns the number of failures."""
    with open(KNOWN, encoding="utf-8") as f:
        known = json.load(f)
    failures = 0
    if learn:
        fresh = {name: {d: known.get(name, {}).get(d, "") for _, t in tallies
                        for d in t.deviations} for name, tallies in sets.items()}
        with open(KNOWN, "w", encoding="utf-8") as f:
            json.dump(fresh, f, indent=1, ensure_ascii=True)
            f.write("\n")
        known = fresh
    for name, tallies in sets.items():
        found = {d for _, t in tallies for d in t.deviations}
        expected = known.get(name, {})
        for d in sorted(found - set(expected)):
            print(f"FAILED: {name}: {d}")
        for d in sorted(set(expected) - found):
            print(f"FAILED: {name}: known.json still says: {d}; it is better now: remove it")
        for d in sorted(found & set(expected)):
            if not expected[d] or not is_excusable(d):
                print(f"FAILED: {name}: {d}: "
                      + ("no reason is given" if is_excusable(d) else "cannot be excused"))
                failures += 1
        failures += len(found ^ set(expected))
    for name in sorted(set(known) - set(sets)):
        print(f"FAILED: the sensor set {name} was not replayed")
        failures += 1
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--replay", required=True)
    parser.add_argument("--corpus", default=CORPUS)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--without-fail2ban", action="store_true")
    a = parser.parse_args()
    sets = replay(a.replay, a.corpus)
    if not sets:
        sys.exit(f"{a.corpus}: no case with a truth.jsonl in asterisk/ or kamailio/")
    sums = {name: show(name, tallies) for name, tallies in sets.items()}
    beside = None if a.without_fail2ban else fail2ban.compare(a.corpus, read_truth, table)
    failures = check(sets, a.learn) if a.check or a.learn else 0
    if a.check:
        print(f"accuracy: {failures} failures")
    print("numbers: none is normalised yet, so every dialled string is withheld")
    print(json.dumps({"sets": sums, "fail2ban": beside}, sort_keys=True))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
