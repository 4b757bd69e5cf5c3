#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py SIPCHAIN CORPORA GENERATOR: `sipchain filter test` beside fail2ban-regex.

Both read the same logs with the same stock filters: every log of the corpora
with asterisk, a generated one, and for each filter of /etc/fail2ban/filter.d a
made-up log of its own. Lines, ignored, matched, missed, hits of every expression
and of every date template must be equal. Prints what differs and leaves with 1
if anything does; with 77 where fail2ban is not installed.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

FILTERS = "/etc/fail2ban/filter.d"
COUNTS = re.compile(r"^Lines: (\d+) lines, (\d+) ignored, (\d+) matched, (\d+) missed", re.M)


def ours(sipchain, spec, log):
    """Counts as {lines, fail, ignore, dates}."""
    out = subprocess.run([sipchain, "filter", "test", "--json", "--raw", "--filters", FILTERS,
                          spec, log], capture_output=True, check=False)
    if out.returncode:
        return {"error": out.stderr.decode("utf-8", "replace").strip()}
    said = json.loads(out.stdout)
    lines = said["lines"]
    hits = lambda key: {i + 1: one["hits"] for i, one in enumerate(said[key]) if one["hits"]}
    return {"lines": [lines[k] for k in ("tested", "ignored", "matched", "missed")],
            "fail": hits("failregex"), "ignore": hits("ignoreregex"),
            "dates": {one["name"]: one["hits"] for one in said["dates"] if one["hits"]}}


def block(text, title):
    """The lines of one of fail2ban-regex's lists."""
    found = re.search(r"^%s.*?\n(.*?)^`-" % title, text, re.M | re.S)
    return found.group(1) if found else ""


def numbered(text, title):
    total = re.search(r"^%s: (\d+) total" % title, text, re.M)
    if not total or total.group(1) == "0":
        return {}
    return {int(n): int(hits) for n, hits in
            re.findall(r"^\|\s+(\d+)\) \[(\d+)\]", block(text, title), re.M)}


def theirs(spec, log):
    # Lines are printed as they are: none here, for one could look like a count.
    out = subprocess.run(["fail2ban-regex", "--raw", "--print-no-missed", "--print-no-ignored",
                          "-e", "UTF-8", log, spec], capture_output=True, check=False)
    text = out.stdout.decode("utf-8", "replace")
    lines = COUNTS.findall(text)
    if out.returncode or not lines:
        return {"error": text[-300:]}
    dates = block(text, "Date template hits")
    return {"lines": [int(n) for n in lines[-1]], "fail": numbered(text, "Failregex"),
            "ignore": numbered(text, "Ignoreregex"),
            "dates": {name: int(hits) for hits, name in
                      re.findall(r"^\|\s+\[(\d+)\] (.*)$", dates, re.M)}}


def samples_of(name, folder):
    """fail2ban's annotated lines for this filter, where its tests are installed."""
    found = glob.glob("/usr/lib/python3/dist-packages/fail2ban/tests/files/logs/" + name)
    if not found:
        return None
    # Bytes of every kind at the end of some lines: both must take them alike.
    target = os.path.join(folder, name + ".log")
    with open(found[0], "rb") as src, open(target, "wb") as dst:
        for number, line in enumerate(src):
            if line.startswith(b"#") or not line.strip():
                continue
            dst.write(line)
            if number % 3 == 0:
                dst.write(line.rstrip(b"\n") + b" \xff\xc3\x28 \xe2\x82 tail\n")
            if number % 5 == 0:
                dst.write(line.replace(b" ", b"\xc2\xa0", 1))
                dst.write(line.replace(b"a", b"\xc3\xa4"))
            if number % 7 == 0:
                dst.write(line.upper())
                dst.write(b"\x1c" + line)
    return target


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sipchain, corpora, generator = sys.argv[1:]
    if not shutil.which("fail2ban-regex"):
        print("fail2ban is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        cases = [("asterisk", log) for log in
                 sorted(glob.glob(corpora + "/asterisk/*/*.log"))
                 if os.path.basename(log) != "ami.log"]
        made = os.path.join(folder, "generated.log")
        with open(made, "wb") as out:
            subprocess.run([generator, "5000", "7", "1795305600"], stdout=out, check=True)
        cases.append(("asterisk", made))
        for path in sorted(glob.glob(FILTERS + "/*.conf")):
            name = os.path.basename(path)[:-5]
            log = samples_of(name, folder)
            if log:
                cases.append((name, log))
        differ = lines = 0
        for spec, log in cases:
            mine, other = ours(sipchain, spec, log), theirs(spec, log)
            lines += mine.get("lines", [0])[0]
            if mine == other:
                continue
            differ += 1
            print("%s on %s:\n  sipchain       %s\n  fail2ban-regex %s" %
                  (spec, os.path.basename(log), mine, other))
        print("%d logs, %d lines, %d differ" % (len(cases), lines, differ))
        sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
