# SPDX-License-Identifier: Apache-2.0
"""What Debian's own fail2ban does with the logs of a corpus.

Its stock asterisk filter (fail2ban-regex, which reads filter.d as the server
does) finds the failures; its jail's rule (maxretry 5 within findtime 600 s, by
the log's own time, bans by address) makes them bans. The server itself cannot
be asked: it skips lines older than findtime by the clock of today.
"""
import ast
import ipaddress
import os
import shutil
import subprocess

MAXRETRY, FINDTIME = 5, 600
LOGS = ("stock.log", "messages.log")


def failures(log):
    """(address, time) of every line that the filter takes for a failure."""
    done = subprocess.run(["fail2ban-regex", "-o", "row", log, "asterisk"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          errors="replace", check=False)
    for line in done.stdout.splitlines():
        if not line.startswith("["):
            continue
        try:
            row = ast.literal_eval(line.rstrip(","))
            yield ipaddress.ip_address(row[0]), row[1]
        except (ValueError, SyntaxError, IndexError):
            continue


def bans(log):
    times, banned = {}, set()
    for address, when in failures(log):
        recent = [t for t in times.get(address, []) if when - t < FINDTIME] + [when]
        times[address] = recent
        if len(recent) >= MAXRETRY:
            banned.add(address)
    return banned


def count(corpus, log, read_truth):
    """Rows of a table and the totals for one of the logs."""
    rows = [("case", "bans right", "bans wrong", "missed", "whom wrongly")]
    total = {"banned_right": 0, "banned_wrong": 0, "banned_missed": 0}
    folder = os.path.join(corpus, "asterisk")
    for case in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, case, log)
        if not os.path.exists(path):
            continue
        banned = bans(path)
        right, wrong, missed = [], [], []
        for row in read_truth(corpus, "asterisk", case):
            address = ipaddress.ip_address(row["src"])
            if address in banned and row["should_ban"] is True:
                right.append(row["src"])
            elif address in banned and row["should_ban"] is False and row["role"] != "attacker":
                wrong.append(f"{row['src']} ({row['role']})")
            elif row["should_ban"] is True and address not in banned:
                missed.append(row["src"])
            banned.discard(address)
        wrong += [f"{a} (nobody)" for a in sorted(map(str, banned))]
        for name, these in zip(total, (right, wrong, missed)):
            total[name] += len(these)
        rows.append((case, len(right), len(wrong), len(missed),
                     f"{wrong[0]}{' ...' if wrong[1:] else ''}" if wrong else "-"))
    rows.append(("together", *total.values(), "-"))
    return rows, total


def compare(corpus, read_truth, table):
    if not shutil.which("fail2ban-regex"):
        print("\nfail2ban: not installed, nothing to compare with")
        return None
    totals = {}
    for log in LOGS:
        rows, total = count(corpus, log, read_truth)
        if len(rows) == 2:
            continue
        print(f"\nfail2ban ({log}, filter asterisk, {MAXRETRY} in {FINDTIME} s): bans")
        table(rows)
        totals[log] = total
    return totals
