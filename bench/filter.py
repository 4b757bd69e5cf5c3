#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""filter.py --build FOLDER: Asterisk's log through fail2ban's asterisk.conf, unmodified.

The same generated log (2M lines: 90 % ordinary, 10 % attacks from 20,000
addresses) through our filter and detector, and a part of it through Debian's
fail2ban-server with the same filter, in the same run. What counts is the
processor time of each process, so that what else runs on the machine does not.
`wc -l` and `pcre2grep` for what the attacks have in common show what reading the
file costs by itself.
"""
import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

LINES = 2_000_000
PART = 40_000          # of them, for fail2ban
LEAST_PER_SECOND = 3e6
LEAST_TIMES = 60
MOST_MIB = 12
ROUNDS = 3
FILTER = "/etc/fail2ban/filter.d/asterisk.conf"
COMMON = "failed for '|hacking attempt|No registration for|Rejecting unknown|rejected because|" \
         "failed (to auth|MD5)|InvalidA|InvalidP|ChallengeResponseFailed"

SERVER = """\
[Definition]
loglevel = ERROR
logtarget = {folder}/fail2ban.log
syslogsocket = auto
socket = {folder}/sock
pidfile = {folder}/pid
dbfile = None
dbpurgeage = 1d
"""
# The whole log is within findtime, so that no line is passed over as too old;
# nothing is done about a ban, so that only reading costs.
JAIL = """\
[asterisk]
enabled = true
backend = polling
filter = asterisk
logpath = {log}
usedns = no
ignoreself = false
maxretry = 3
findtime = 7200
bantime = 600
action =
"""


def row(what, value, unit, limit=None, least=False):
    line = "%-58s %12.2f %-8s" % (what, value, unit)
    if limit is not None:
        met = value >= limit if least else value <= limit
        line += " %s %-10g %s" % (">=" if least else "<=", limit, "ok" if met else "MISSED")
    print(line, flush=True)


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cost(command):
    """The least processor time of a command over a few rounds."""
    best = None
    for _ in range(ROUNDS):
        begun = children_cpu()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        taken = children_cpu() - begun
        best = taken if best is None else min(best, taken)
    return best


def read(build, log, now, *more):
    """The best of a few rounds of filter_read."""
    best = None
    for _ in range(ROUNDS):
        out = subprocess.run([build + "/bench/filter_read", "asterisk", log, str(now), *more],
                             capture_output=True, check=True, env=dict(os.environ, TZ="UTC"))
        said = json.loads(out.stdout)
        if best is None or said["seconds"] < best["seconds"]:
            best = said
    return best


def processor(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024


def failed(folder):
    """What fail2ban has found so far; None while it starts."""
    out = subprocess.run(["fail2ban-client", "-c", folder, "-s", folder + "/sock", "status",
                          "asterisk"], capture_output=True, check=False)
    found = re.search(rb"Total failed:\s+(\d+)", out.stdout)
    return int(found.group(1)) if found else None


def serve(folder, log, expected):
    """fail2ban-server on a log: processor seconds and resident MiB, when all was found."""
    os.makedirs(folder)
    for part in ("filter.d", "action.d"):
        os.symlink("/etc/fail2ban/" + part, folder + "/" + part)
    for name, text in (("fail2ban.conf", SERVER), ("jail.conf", JAIL)):
        with open(folder + "/" + name, "w", encoding="ascii") as f:
            f.write(text.format(folder=folder, log=log))
    server = subprocess.Popen(["fail2ban-server", "-f", "-c", folder, "-s", folder + "/sock",
                               "-p", folder + "/pid", "start"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=dict(os.environ, TZ="UTC"))
    try:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            found = failed(folder)
            if found is not None and found >= expected:
                return processor(server.pid), resident(server.pid)
            time.sleep(0.05)
        raise RuntimeError("fail2ban found %s of %d failures in 240 s" % (found, expected))
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="a Meson build folder")
    build = os.path.abspath(parser.parse_args().build)
    if not os.path.exists(FILTER) or not shutil.which("fail2ban-server"):
        print("skipped: fail2ban is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-filter-") as folder:
        log, part, empty = folder + "/messages", folder + "/part", folder + "/empty"
        start = int(time.time()) - 1200
        with open(log, "wb") as out:
            subprocess.run([build + "/tests/filter/asterisk_log", str(LINES), "1", str(start)],
                           stdout=out, check=True)
        with open(part, "wb") as out:
            subprocess.run(["head", "-n", str(PART), log], stdout=out, check=True)
        open(empty, "wb").close()
        now = int(time.time())
        print("asterisk.conf on %d lines, %.0f MB" % (LINES, os.stat(log).st_size / 1e6))
        mine, alone = read(build, log, now), read(build, log, now, "alone")
        small = read(build, part, now, "alone")
        row("sipchain: filter and detector, lines a second", mine["lines_per_second"] / 1e6, "M/s",
            LEAST_PER_SECOND / 1e6, True)
        row("sipchain: the filter alone, lines a second", alone["lines_per_second"] / 1e6, "M/s",
            LEAST_PER_SECOND / 1e6, True)
        row("sources tracked", mine["sources"], "")
        row("highest RSS with these", mine["rss_kib"] / 1024, "MiB", MOST_MIB)
        row("highest RSS of the filter alone", alone["rss_kib"] / 1024, "MiB", MOST_MIB)
        wc = cost(["wc", "-l", log])
        grep = cost(["pcre2grep", "-c", COMMON, log])
        row("wc -l, lines a second", LINES / wc / 1e6, "M/s")
        row("pcre2grep -c of what attacks have in common", LINES / grep / 1e6, "M/s")
        row("our time to wc -l's", mine["seconds"] / wc, "x")
        row("our time to pcre2grep's", mine["seconds"] / grep, "x")
        idle, _ = serve(folder + "/idle", empty, 0)
        busy, rss = serve(folder + "/busy", part, small["failures"])
        theirs = PART / (busy - idle)
        row("fail2ban-server on the first %d lines" % PART, theirs / 1e6, "M/s")
        row("failures that both found there", small["failures"], "")
        row("fail2ban-server, highest RSS", rss, "MiB")
        row("sipchain's lines a second to fail2ban's",
            mine["lines_per_second"] / theirs, "x", LEAST_TIMES, True)


if __name__ == "__main__":
    main()
