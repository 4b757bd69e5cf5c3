# SPDX-License-Identifier: Apache-2.0
"""What Debian's own fail2ban does with the logs of a corpus.

Its stock asterisk filter (fail2ban-regex, which reads filter.d as the server
does) finds the failures; its jail's rule (jail.conf: so many within findtime, by
the log's own time, bans by address) makes them bans. The server itself cannot
be asked: it skips lines older than findtime by the clock of today.
"""
import ast
import configparser
import ipaddress
import os
import shutil
import subprocess

from truth import is_innocent, read_truth

LOGS = ("stock.log", "messages.log")
JAILS = "/etc/fail2ban/jail.conf"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def jail():
    """(maxretry, findtime in seconds) of the jail asterisk as it is shipped."""
    conf = configparser.ConfigParser(interpolation=None, strict=False)
    conf.read(JAILS)
    section = dict(conf["DEFAULT"]) | dict(conf["asterisk"])
    findtime = section["findtime"]
    return int(section["maxretry"]), (
        int(findtime[:-1]) * UNITS[findtime[-1]] if findtime[-1] in UNITS else int(findtime))


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


def bans(log, maxretry, findtime):
    times, banned = {}, set()
    for address, when in failures(log):
        recent = [t for t in times.get(address, []) if when - t < findtime] + [when]
        times[address] = recent
        if len(recent) >= maxretry:
            banned.add(address)
    return banned


class Verdict:
    """One log: attackers that were to be banned, innocents that were not."""

    def __init__(self, banned, truth):
        banned = set(banned)
        self.right, self.wrong, self.missed = [], [], []
        for row in truth.rows:
            address = ipaddress.ip_address(row["src"])
            if address in banned and row["should_ban"] is True:
                self.right.append(row["src"])
            elif address in banned and row["should_ban"] is False and is_innocent(row):
                self.wrong.append(f"{row['src']} ({row['role']})")
            elif row["should_ban"] is True and address not in banned:
                self.missed.append(row["src"])
            banned.discard(address)
        if truth.whole:
            self.wrong += [f"{a} (nobody)" for a in sorted(map(str, banned))]


def compare(corpus):
    """{log: {case: Verdict}}, or why there is none."""
    if not shutil.which("fail2ban-regex") or not os.path.exists(JAILS):
        return None, "fail2ban is not installed, nothing to compare with"
    rule = jail()
    found = {log: {} for log in LOGS}
    folder = os.path.join(corpus, "asterisk")
    for case in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        truth = read_truth(corpus, "asterisk", case)
        for log in LOGS:
            path = os.path.join(folder, case, log)
            if truth.there and os.path.exists(path):
                found[log][case] = Verdict(bans(path, *rule), truth)
    found = {log: cases for log, cases in found.items() if cases}
    return found, f"{rule[0]} failures in {rule[1]} s"


def totals(found):
    return {log: {"banned_" + name: sum(len(getattr(v, name)) for v in cases.values())
                  for name in ("right", "wrong", "missed")}
            for log, cases in found.items()}
