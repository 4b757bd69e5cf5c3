#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""accuracy.py on a corpus of somebody else's: what is broken in it is named with
file and line, the rest is judged; and on a truth that does not hold it fails.

  broken.py --replay PROGRAM
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from accuracy import CORPUS, HERE

failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}")


def run(program, corpus, *more):
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, "accuracy.py"), "--replay", program,
         "--corpus", corpus, "--without-fail2ban", *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def copy(corpus, pbx, case, name, files=None):
    folder = os.path.join(corpus, pbx, name)
    shutil.copytree(os.path.join(CORPUS, pbx, case), folder)
    for file in os.listdir(folder) if files else ():
        if file not in files:
            os.remove(os.path.join(folder, file))
    return folder


def edit(path, change):
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(change(data))


def broken_parts(program, corpus):
    copy(corpus, "asterisk", "01_reg_wrongpw_udp", "a renamed one")
    copy(corpus, "asterisk", "08_svcrack", "wire alone", ["hep.pcap", "truth.jsonl"])
    copy(corpus, "asterisk", "11_legit_only", "log alone", ["security.log", "truth.jsonl"])
    copy(corpus, "asterisk", "20_multistage", "nothing", ["truth.jsonl"])
    copy(corpus, "asterisk", "21_nat_shared", "no truth", ["hep.pcap"])
    half = copy(corpus, "kamailio", "01_auth_fail", "half")
    edit(os.path.join(half, "hep.pcap"), lambda d: d[:len(d) // 2])
    odd = copy(corpus, "asterisk", "12_tollfraud_stolen", "odd truth")
    truth = os.path.join(odd, "truth.jsonl")
    edit(truth, lambda d: d.replace(b'"src": "198.51.100.37"', b'"src": "198.51.100.370"')
         + b"{\n" + b'{"src": "192.0.2.99", "role": "legit"}\n\xff\xfe\n')
    none = copy(corpus, "asterisk", "17_ipv6", "no capture")
    edit(os.path.join(none, "hep.pcap"), lambda d: b"nothing")
    code, out, err = run(program, corpus)
    total = json.loads(out[-1])
    told = "\n".join(total["errors"])
    print(told)
    expect(code == 0 and not err, f"ends with {code}: {err}")
    bad = [n for n, line in enumerate(open(truth, "rb"), 1)
           if b"198.51.100.370" in line or line[:1] in b"{\xff" and b"share_globally" not in line]
    expect(len(bad) == 4, f"{bad}")
    for line in bad:
        expect(f"{truth}:{line}: " in told, f"{truth}:{line} is not named")
    for what in ("half/hep.pcap: cut off: packet ", "no capture/hep.pcap: no pcap file",
                 "no truth/truth.jsonl: is not there"):
        expect(what in told, f"\"{what}\" is not named")
    expect(len(total["errors"]) == 7, f"{len(total['errors'])} errors")
    # The rest is judged: 3 of the renamed, 2 of svcrack, 1 at least before the cut.
    hep, log = total["sets"]["hep"], total["sets"]["log"]
    expect(hep["cases"] == 5 and log["cases"] == 5 and total["sets"]["all"]["cases"] == 7,
           f"cases: {hep['cases']}, {log['cases']}, {total['sets']['all']['cases']}")
    expect(hep["published_right"] >= 6, f"{hep['published_right']} published")
    # Who stood in the row that is lost is nobody's mistake.
    for name, counts in total["sets"].items():
        expect(not counts["published_wrong"] and not counts["innocents_banned"],
               f"{name}: {counts}")
    for name in ("published_right", "published_wrong", "published_missed", "banned_wrong",
                 "banned_missed", "dialled_seen", "dialled_all", "numbers_right",
                 "numbers_withheld", "numbers_wrong"):
        expect(all(name in counts for counts in total["sets"].values()), f"no {name}")


def nothing_there(program, corpus):
    code, out, err = run(program, corpus)
    expect(code == 1 and not out and "no case" in err, f"nothing there: {code} {out} {err}")
    code, out, err = run(program, os.path.join(corpus, "missing"))
    expect(code == 1 and "missing" in err, f"no such folder: {code} {err}")


def wrong_truth(program, corpus):
    """Attackers who are called innocents are found to be hit, and that fails."""
    folder = copy(corpus, "asterisk", "01_reg_wrongpw_udp", "01_reg_wrongpw_udp")
    edit(os.path.join(folder, "truth.jsonl"), lambda d: d.replace(
        b'"role": "attacker"', b'"role": "legit"').replace(
        b'"should_ban": true', b'"should_ban": false').replace(
        b'"share_globally": true', b'"share_globally": false'))
    code, out, _ = run(program, corpus, "--check")
    total = json.loads(out[-1])["sets"]["hep"]
    expect(code == 1, "innocents are hit, and it does not fail")
    expect(total["innocents_published"] == 3 and total["published_wrong"] == 3 and
           total["banned_wrong"] == 3, f"{total}")
    for what in ("FAILED: hep: 3 innocents_published", "cannot be excused"):
        expect(any(what in line for line in out), f"no \"{what}\"")


def numbers(program, corpus):
    """Without expectations nothing is called right; against wrong ones it fails."""
    copy(corpus, "asterisk", "05_invite_anonymous", "05_invite_anonymous")
    code, out, err = run(program, corpus)
    last = json.loads(out[-1])
    total = last["sets"]["hep"]
    expect(code == 0 and last["numbers_known"] is False, f"unknown: {code} {err}")
    expect(total["numbers_right"] is None and total["numbers_wrong"] is None and
           total["numbers_published"] == 4, f"unknown: {total}")
    expect(any("what they mean is not known" in line for line in out), "unknown is not said")
    path = os.path.join(corpus, "dialled.jsonl")
    shutil.copy(os.path.join(CORPUS, "..", "numbers", "dialled.jsonl"), path)
    code, out, err = run(program, corpus)
    total = json.loads(out[-1])["sets"]["hep"]
    expect(total["numbers_right"] == 4 and not total["numbers_wrong"], f"known: {total}")
    edit(path, lambda d: d.replace(b'"number": "972590000101"', b'"number": "972590000102"'))
    code, out, err = run(program, corpus, "--check")
    total = json.loads(out[-1])["sets"]["hep"]
    # Four strings, and the number that was told.
    expect(code == 1 and total["numbers_wrong"] == 5, f"wrong: {code} {total}")
    for what in ("FAILED: hep: 5 numbers_wrong",
                 "a wrong number: 011972590000101 counts for +972590000101: cannot be excused"):
        expect(any(what in line for line in out), f"no \"{what}\"")
    edit(path, lambda d: d + b'{"dialled": "1"}\n')
    code, out, err = run(program, corpus)
    expect(code == 1 and "dialled.jsonl:" in err and "is no expectation" in err, f"{err}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--replay", required=True)
    program = parser.parse_args().replay
    for test in (broken_parts, nothing_there, wrong_truth, numbers):
        with tempfile.TemporaryDirectory() as corpus:
            test(program, corpus)
    print(f"broken: {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
