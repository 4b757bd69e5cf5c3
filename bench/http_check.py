#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http_check.py --build FOLDER: GET /v1/check with 500,000 live reports of numbers, asked by wrk.

The role `node` has one core and wrk another. What is held against the limit is what
the node answers in a second of its processor's time, so that what else runs on the
machine does not count; beside it what wrk saw by the clock, and its 99th percentile.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "net"))
# pylint: disable=wrong-import-position
import node

ENTRIES = 500_000
LEAST_PER_SECOND = 50_000
MOST_P99_MS = 0.5
SECONDS = 5
CONNECTIONS = 8
ADDRESS = "127.0.0.1:18732"
QUERIES = (("a number that is listed", "number=%2B88351000012345"),
           ("a number that is not", "number=%2B972591234567"),
           ("an address that is not", "ip=203.0.114.1"))

CONFIGURATION = """\
[node]
name = bench
user =
state = {0}/state
run = {0}/run
log_level = warning

[ledger]
path = {0}/ledger.db

[enforce]
type = none

[api]
listen = tcp:{1}
"""


def row(what, value, unit, limit=None, least=False):
    line = "%-50s %10.2f %-4s" % (what, value, unit)
    if limit is not None:
        met = value >= limit if least else value <= limit
        line += " %9s %7.2f %s" % ((">= " if least else "") + "%g" % limit, value / limit,
                                   "ok" if met else "MISSED")
    print(line, flush=True)


def status():
    with urllib.request.urlopen("http://%s/v1/status" % ADDRESS, timeout=60) as answer:
        return json.load(answer)


def processor(pid):
    """Seconds of processor time that a process has used."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(pid, query, core):
    """(requests a second by the clock, by the node's processor time, p99 in ms)"""
    before = processor(pid)
    text = subprocess.run(
        ["taskset", "-c", str(core), "wrk", "-t1", "-c%d" % CONNECTIONS, "-d%ds" % SECONDS,
         "--latency", "http://%s/v1/check?%s" % (ADDRESS, query)],
        stdout=subprocess.PIPE, text=True, check=True).stdout
    used = processor(pid) - before
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    rate = float(re.search(r"Requests/sec: +([\d.]+)", text).group(1))
    value, unit = re.search(r"99% +([\d.]+)(us|ms|s)", text).groups()
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(text)
    return rate, requests / used, float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def measure(folder, build):
    program = node.find(build, "sipchain")
    path = folder + "/ledger.db"
    node.sipchain(program, "init", "--yes", "--ledger", path, "--owner-key", folder + "/owner.key",
                  "--allow-unroutable", "--threshold", "1")
    address = node.sipchain(program, "key", "new", folder + "/member.key").split()[0]
    node.sipchain(program, "member", "add", "--ledger", path, "--key", folder + "/owner.key",
                  "--name", "bench", "--signer", address, "--cap", str(ENTRIES))
    subprocess.run([os.path.join(build, "bench", "reports"), path, folder + "/member.key", "1",
                    "0", str(ENTRIES), "3000", "numbers"], check=True)
    for name in ("state", "run"):
        os.mkdir("%s/%s" % (folder, name))
    with open(folder + "/sipchain.conf", "w", encoding="ascii") as f:
        f.write(CONFIGURATION.format(folder, ADDRESS))
    with subprocess.Popen([node.find(build, "sipchaind"), "-c", folder + "/sipchain.conf"]) as d:
        try:
            report(d)
        finally:
            d.terminate()


def report(daemon):
    deadline = time.monotonic() + 120
    while True:
        try:
            now = status()
            if now["ledger"]["live"] == ENTRIES and not now["bans"]["queued"]:
                break
        except OSError:
            pass
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("sipchaind does not read its ledger")
        time.sleep(0.2)
    pid = next(role["pid"] for role in now["roles"] if role["role"] == "node")
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(pid, {cores[0]})
    print("\n%-50s %10s %-4s %9s %7s" % (
        "GET /v1/check, %d live reports, %d connections" % (ENTRIES, CONNECTIONS), "measured", "",
        "limit", "ratio"))
    for what, query in QUERIES:
        rate, per_core, p99 = ask(pid, query, cores[-1])
        row("%s: requests a second of one core" % what, per_core, "", LEAST_PER_SECOND, True)
        row("  as wrk saw it, on a machine with %d cores" % os.cpu_count(), rate, "")
        row("  99 of 100 within", p99, "ms", MOST_P99_MS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="a Meson build folder")
    build = os.path.abspath(parser.parse_args().build)
    if not shutil.which("wrk"):
        print("skipped: there is no wrk")
        sys.exit(77)
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-") as folder:
        measure(folder, build)


if __name__ == "__main__":
    main()
