#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who of a corpus is published and banned, beside the truth about every source.

  accuracy.py --replay PROGRAM [--corpus DIR] [--check] [--learn] [--without-fail2ban]
              [--readme README]

PROGRAM (replay.c) runs every case through the sensors, each alone and all
together, and says what a node would do; truth.jsonl of the case says what is
right. The last line is one JSON object with the totals of every sensor set.
What is broken in a corpus is named (file and line), and the rest goes on.
--check holds the figures to the bar, and what falls short to known.json: what
is missed today stands there with its reason; anything else is a failure, and so
is an entry that holds no longer. --learn writes known.json anew (reasons of
entries that stay are kept). --readme holds the table of a README to the figures.
"""
import argparse
import fnmatch
import ipaddress
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
import capture
import dialled
import fail2ban
import readme
from truth import errors as truth_errors, is_innocent, read_truth

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "..", "data", "corpora")
KNOWN = os.path.join(HERE, "known.json")
COUNTS = ("cases", "sources", "attackers", "published_right", "published_wrong",
          "published_missed", "banned_right", "banned_wrong", "banned_missed",
          "banned_either", "innocents_published", "innocents_banned", "dialled_seen",
          "dialled_shown", "dialled_all", "numbers_right", "numbers_withheld",
          "numbers_wrong", "numbers_missed", "numbers_published", "injections")
UNKNOWN = ("numbers_right", "numbers_wrong", "numbers_missed")  # without expectations
HEAD = ("case", "attackers", "published", "banned", "missed", "innocents",
        "published", "banned", "dialled seen", "numbers right", "withheld", "wrong",
        "injections", "fail2ban", "innocents")
TOLD = 4  # times at most of one: first, plausible, proved, worse
READ = 0.95  # of the dialled strings: the right number, or rightly none
RECALL = 0.98  # of those to be shared, where HEP is among the sensors


def is_excusable(deviation):
    return not any(never in deviation for never in
                   ("an innocent", "nobody was there", "a wrong number"))


class Tally:
    """One case by one sensor set: counts, and every deviation by name."""

    def __init__(self, run, truth, shown, known):
        self.counts = dict.fromkeys(COUNTS, 0)
        self.deviations, self.missed = [], set()
        self.case, self.told, self.shown = run["case"], run["told"], shown
        self.strings = dialled.Strings(run, known)
        self.counts["cases"] = 1
        self.counts["injections"] = run["injections"]
        nets = {ipaddress.ip_network(a): s for a, s in run["sources"].items()}
        told = set()
        for row in truth.rows:
            address = ipaddress.ip_address(row["src"])
            mine = [n for n in nets if address in n]
            told.update(mine)
            self.row(row, [nets[n] for n in mine])
        for number in self.strings.strange(truth.rows, is_innocent):
            self.add("numbers_wrong", number, "a wrong number: nobody dialled it")
        self.often = [f"{self.case} {a} told {s['detections']} times"
                      for a, s in run["sources"].items() if s["detections"] > TOLD]
        # An address that the truth does not know, unless it is in a row that is lost.
        for net in set(nets) - told if truth.whole else ():
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
        self.counts["attackers"] += not innocent
        if published and row["share_globally"]:
            self.add("published_right", src)
        elif published:
            self.add("published_wrong", src, "published, though not to be shared")
        elif row["share_globally"]:
            self.missed.add(f"{self.case} {src}")
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
            self.missed.add(f"{self.case} {src}")
            self.add("banned_missed", src, "not banned")
        self.dialled(src, row.get("dialed") or [], sources)
        self.numbers(row, innocent, sources)

    def dialled(self, src, strings, sources):
        seen = {d for s in sources for d in s["dialled"]}
        shown = [s for s in strings if (ipaddress.ip_address(src), s) in self.shown]
        missing = [s for s in shown if s not in seen]
        self.counts["dialled_all"] += len(strings)
        self.counts["dialled_shown"] += len(shown)
        self.counts["dialled_seen"] += len([s for s in strings if s in seen])
        if missing:
            self.deviations.append(f"{self.case} {src} dialled and not seen: "
                                   + " ".join(missing))

    def numbers(self, row, innocent, sources):
        told = row["share_globally"] and any(s["published"] for s in sources)
        seen = {d for s in sources for d in s["dialled"] if told}
        for string in row.get("dialed") or []:
            judged = [s["numbers"][string] for s in sources if string in s["numbers"]]
            one = judged[0] if judged else None
            verdict = self.strings.verdict(string, innocent, string in seen, one)
            listed = one and one["number"] and self.strings.is_told(one["number"])
            self.counts["numbers_published"] += bool(listed)
            if verdict == "wrong":
                self.add("numbers_wrong", row["src"],
                         f"a wrong number: {string} counts for {one['number']}")
            elif verdict == "missed":
                self.add("numbers_missed", row["src"], f"its number is not told: {string}")
            elif verdict == "unknown":
                self.add("numbers_wrong", row["src"],
                         f"a wrong number: of {string} it is not known what it means")
            elif verdict != "published":
                self.add("numbers_" + verdict, row["src"])

    def stranger(self, src, source):
        if source["published"]:
            self.add("published_wrong", src, "published, though nobody was there")
            self.add("innocents_published", src)
        if source["banned"]:
            self.add("banned_wrong", src, "banned, though nobody was there")
            self.add("innocents_banned", src)


def shown_by(corpus, run, cache):
    """What the packets of the case's capture dial, when the set reads it."""
    path = os.path.join(corpus, run["pbx"], run["case"], "hep.pcap")
    if "hep.pcap" not in run["files"]:
        return set()
    if path not in cache:
        try:
            cache[path] = capture.invited(path)
        except (capture.Broken, IndexError, ValueError):
            cache[path] = set()  # the replay has named what is wrong with it
    return cache[path]


def replay(program, corpus, known=None):
    """{set: [(run, tally), ...]} in the program's order, {set: why}, errors; known:
    what dialled strings mean (dialled.py)."""
    done = subprocess.run([program, corpus], stdout=subprocess.PIPE, check=False)
    sets, left_out, errors, cache = {}, {}, [], {}
    for line in done.stdout.splitlines():
        run = json.loads(line)
        if "left_out" in run:
            left_out[run["left_out"]] = run["why"]
            continue
        errors += [e for e in run["errors"] if e not in errors]
        truth = read_truth(corpus, run["pbx"], run["case"])
        if truth.there:
            sets.setdefault(run["set"], []).append(
                (run, Tally(run, truth, shown_by(corpus, run, cache), known)))
    if done.returncode:
        errors.append(f"{program}: ended with {done.returncode}; what it told is below")
    return sets, left_out, errors + truth_errors()


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


def number_cells(c, known):
    """Of the dialled strings: without expectations nobody knows what is right."""
    return (c["numbers_right"] if known else "-", c["numbers_withheld"],
            c["numbers_wrong"] if known else "-")


def line_of(name, c, verdicts, known):
    """A row; verdicts: what fail2ban does with the same cases' stock.log; known: what
    the dialled strings mean is."""
    beside = ("-", "-")
    if verdicts:
        beside = (sum(len(v.right) for v in verdicts), sum(len(v.wrong) for v in verdicts))
    return (name, c["attackers"], c["published_right"] + c["published_wrong"],
            c["banned_right"] + c["banned_either"], c["banned_missed"],
            c["sources"] - c["attackers"], c["innocents_published"], c["innocents_banned"],
            f"{c['dialled_seen']}/{c['dialled_all']}", *number_cells(c, known),
            c["injections"], *beside)


def show(name, tallies, beside):
    title = "all together" if name == "all" else name + " alone"
    print(f"\n{title}: attackers published / banned here / missed, innocents published / "
          "banned; numbers of the strings that they dialled: right, rightly withheld, "
          "wrong; fail2ban's bans of attackers and innocents by stock.log")
    rows, mine = [HEAD], []
    known = tallies[0][1].strings.known is not None
    for run, t in tallies:
        verdict = beside.get(run["case"]) if run["pbx"] == "asterisk" else None
        mine += [verdict] if verdict else []
        rows.append(line_of(run["case"], t.counts, [verdict] if verdict else [], known))
    total = totals(tallies)
    rows.append(line_of("together", total, mine, known))
    table(rows)
    print(f"  published: {total['published_right']} right, {total['published_wrong']} wrong, "
          f"{total['published_missed']} missed; to be banned: {total['banned_right']} of "
          f"{total['banned_right'] + total['banned_missed']}")
    show_numbers(tallies, total)
    for _, t in tallies:
        for deviation in t.deviations:
            print(f"  ! {deviation}")
    return total


def show_numbers(tallies, total):
    told = sorted({i for _, t in tallies for i in t.strings.told})
    if tallies[0][1].strings.known is None:
        print(f"  numbers: of {total['dialled_all']} dialled strings {total['numbers_published']} "
              f"published, {total['numbers_withheld']} withheld; what they mean is not known: "
              "neither is whether that is right", end="")
    else:
        print(f"  numbers: of {total['dialled_all']} dialled strings {total['numbers_right']} "
              f"right, {total['numbers_withheld']} rightly withheld, "
              f"{total['numbers_missed']} missed, {total['numbers_wrong']} wrong", end="")
    print(f"; published: {' '.join(told) if told else 'none'}")


def show_fail2ban(found, how):
    for log, cases in found.items():
        print(f"\nfail2ban ({log}, its filter and jail asterisk: {how}): bans")
        rows = [("case", "right", "wrong", "missed", "whom wrongly")]
        for case, v in cases.items():
            rows.append((case, len(v.right), len(v.wrong), len(v.missed),
                         f"{v.wrong[0]}{' ...' if v.wrong[1:] else ''}" if v.wrong else "-"))
        sums = fail2ban.totals({log: cases})[log]
        rows.append(("together", *sums.values(), "-"))
        table(rows)


def hold_to_bar(name, tallies, unseen):
    """What no known.json can excuse. Returns the failures."""
    total = totals(tallies)
    failed = [f"{total[count]} {count}" for count in
              ("published_wrong", "innocents_published", "innocents_banned", "banned_wrong")
              if total[count]]
    missed = {m for _, t in tallies for m in t.missed}
    for src in sorted(set(unseen) - missed):
        failed.append(f"known.json says that nothing shows {src}; it is seen: remove it")
    if name in ("hep", "all"):
        wanted = total["published_right"] + total["published_missed"] - len(
            [d for _, t in tallies for d in t.deviations
             if d.endswith(" not published") and d[:-len(" not published")] in unseen])
        if total["published_right"] < RECALL * wanted:
            failed.append(f"{total['published_right']} of {wanted} are published that the "
                          f"sensors see and that are to be shared: less than {RECALL}")
        if total["dialled_seen"] < total["dialled_shown"]:
            failed.append(f"{total['dialled_seen']} of {total['dialled_shown']} dialled "
                          "strings are seen that are in the packets")
        print(f"  {name}: published {total['published_right']} of {wanted} that it can see, "
              f"wrongly {total['published_wrong']}; innocents banned "
              f"{total['innocents_banned']}; dialled strings {total['dialled_seen']} of "
              f"{total['dialled_shown']} in packets")
    # Whatever the sensors, none is wrong; by the best some are told.
    if total["numbers_wrong"]:
        failed.append(f"{total['numbers_wrong']} numbers_wrong")
    good = total["numbers_right"] + total["numbers_withheld"]
    if good < READ * total["dialled_all"]:
        failed.append(f"{good} of {total['dialled_all']} dialled strings give the right "
                      f"number or are rightly withheld: less than {READ}")
    if name in ("hep", "all") and not total["numbers_right"]:
        failed.append("no number is told")
    failed += [often for _, t in tallies for often in t.often]
    # A campaign is told where the captures hold one and nowhere else.
    for run, t in tallies if name in ("hep", "all") else ():
        if bool(t.told.get("campaign")) != ("distributed" in run["case"]):
            failed.append(f"{run['case']}: campaigns told: {t.told.get('campaign', 0)}")
    return [f"{name}: {f}" for f in failed]


def write_known(known, sets):
    fresh = {"unseen": known["unseen"], "sets": {}}
    for name, tallies in sets.items():
        old = known["sets"].get(name, {})
        fresh["sets"][name] = {expected_as(d, old) or d: old.get(expected_as(d, old), "")
                               for _, t in tallies for d in t.deviations
                               if not is_unseen(d, known["unseen"].get(name, {}))}
    with open(KNOWN, "w", encoding="utf-8") as f:
        json.dump(fresh, f, indent=1, ensure_ascii=True)
        f.write("\n")
    return fresh


def expected_as(deviation, expected):
    """The entry of known.json that stands for it, or None; * stands for any text."""
    if deviation in expected:
        return deviation
    return next((e for e in expected if "*" in e and fnmatch.fnmatch(deviation, e)), None)


def is_unseen(deviation, unseen):
    """Whether it only says that one of whom nothing is shown goes free."""
    return any(deviation in (f"{who} not published", f"{who} not banned") for who in unseen)


def check(sets, left_out, learn):
    """Hold all to the bar and to known.json. Returns the number of failures."""
    with open(KNOWN, encoding="utf-8") as f:
        known = json.load(f)
    failures = []
    if learn:
        known = write_known(known, sets)
    for name, tallies in sets.items():
        unseen = known["unseen"].get(name, {})
        failures += hold_to_bar(name, tallies, unseen)
        failures += [f"{name}: {who}: no reason is given" for who in unseen
                     if not unseen[who]]
        found = {d for _, t in tallies for d in t.deviations if not is_unseen(d, unseen)}
        expected = known["sets"].get(name, {})
        stands = {d: expected_as(d, expected) for d in found}
        failures += [f"{name}: known.json still says: {d}; it is better now: remove it"
                     for d in sorted(set(expected) - set(stands.values()))]
        for d, entry in sorted(stands.items()):
            if not is_excusable(d):
                failures.append(f"{name}: {d}: cannot be excused")
            elif not entry or not expected[entry]:
                failures.append(f"{name}: {d}: known.json gives no reason for it")
    failures += [f"the sensor set {name} was not replayed"
                 for name in sorted(set(known["sets"]) - set(sets) - set(left_out))]
    for failure in failures:
        print(f"FAILED: {failure}")
    return len(failures)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--replay", required=True)
    parser.add_argument("--corpus", default=CORPUS)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--without-fail2ban", action="store_true")
    parser.add_argument("--readme")
    a = parser.parse_args()
    try:
        known = dialled.expectations(a.corpus, CORPUS)
    except (OSError, dialled.Broken) as e:
        sys.exit(str(e))
    sets, left_out, errors = replay(a.replay, a.corpus, known)
    if not sets:
        sys.exit("\n".join(errors + [f"{a.corpus}: no case with a truth.jsonl in asterisk/ "
                                     "or kamailio/"]))
    beside, how = ({}, "") if a.without_fail2ban else fail2ban.compare(a.corpus)
    sums = {name: show(name, t, (beside or {}).get("stock.log", {}))
            for name, t in sets.items()}
    if beside:
        show_fail2ban(beside, how)
    elif how:
        print("\n" + how)
    for name, why in left_out.items():
        print(f"LEFT OUT: the sensor {name}: {why}")
    for error in errors:
        print(f"error: {error}")
    failures = 0
    if a.check or a.learn:
        failures = check(sets, left_out, a.learn) + len(errors)
        for wrong in readme.check(a.readme, sums) if a.readme else ():
            print(f"FAILED: {wrong}")
            failures += 1
        print(f"accuracy: {failures} failures")
    if known is None:
        for total in sums.values():
            total.update(dict.fromkeys(UNKNOWN))
    print(json.dumps({"sets": sums, "numbers_known": known is not None, "fail2ban": fail2ban.totals(beside) if beside else None,
                      "left_out": left_out, "errors": errors}, sort_keys=True))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
