#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http_check.py --build FOLDER [--runs N]: GET /v1/check with 500,000 numbers listed, by wrk.

The role `node` has one core and wrk another. What is held against the limit is what
the node answers in a second of its processor's time, so that what else runs on the
machine does not count; beside it what wrk saw by the clock, and its 99th percentile.

wrk counts every moment in which nothing moved as requests that waited, so a machine
that takes its cores away for more than a hundredth of the time sets the percentile
alone. Therefore each question is asked in several runs, their median is held against
the limit, and beside the slowest stands how much of the time the node and wrk stood
ready and had no core, and how much the hypervisor took. A request that is refused
without being looked at (404) is the yardstick: what it needs is the machine's and the
library's.

Last, where that is allowed, the node and a client that times each answer (http_ask) both
hold their cores by real-time priority for a second: what the node itself needs. So do
they while somebody pages through all that is listed, 5,000 on a page, and a check is
asked each few milliseconds: the slowest tells how long a page holds the node up. The
yardstick is the same without him.
"""
import argparse
import glob
import http.client
import json
import multiprocessing
import os
import re
import shutil
import statistics
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
MOST_PAGING_MS = 5
PAGE = 5000
SECONDS = 3
CONNECTIONS = 8
ADDRESS = "127.0.0.1:18732"
YARDSTICK = ("yardstick: nothing of that name", "/nothing")
QUERIES = (("a number that is listed", "/v1/check?number=%2B88351000012345"),
           ("a number that is not", "/v1/check?number=%2B972591234567"),
           ("an address that is not", "/v1/check?ip=203.0.114.1"))

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
    line = "%-64s %10.2f %-4s" % (what, value, unit)
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


def waited(pid):
    """Nanoseconds that a process's first thread was ready to run and had no core."""
    try:
        with open("/proc/%d/schedstat" % pid, encoding="ascii") as f:
            return int(f.read().split()[1])
    except (OSError, IndexError):
        return 0


def stolen():
    """Seconds that the hypervisor took, of all cores."""
    with open("/proc/stat", encoding="ascii") as f:
        return int(f.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


class Asked:  # pylint: disable=too-few-public-methods
    """One run of wrk."""

    def __init__(self, pid, path, core):
        used, wait, steal = processor(pid), waited(pid), stolen()
        with subprocess.Popen(
                ["taskset", "-c", str(core), "wrk", "-t1", "-c%d" % CONNECTIONS,
                 "-d%ds" % SECONDS, "--latency", "http://%s%s" % (ADDRESS, path)],
                stdout=subprocess.PIPE, text=True) as wrk:
            theirs = 0
            while wrk.poll() is None:
                for thread in glob.glob("/proc/%d/task/*" % wrk.pid):
                    theirs = max(theirs, waited(int(os.path.basename(thread))))
                time.sleep(0.1)
            text = wrk.stdout.read()
        used, wait, steal = processor(pid) - used, waited(pid) - wait, stolen() - steal
        if wrk.returncode or "Socket errors" in text or (
                "Non-2xx" in text) != (path == YARDSTICK[1]):
            raise RuntimeError(text)
        requests = int(re.search(r"(\d+) requests in", text).group(1))
        self.rate = float(re.search(r"Requests/sec: +([\d.]+)", text).group(1))
        self.per_core = requests / used
        value, unit = re.search(r"99% +([\d.]+)(us|ms|s)", text).groups()
        self.p99 = float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]
        self.waited = 100 * (wait + theirs) / 1e9 / SECONDS
        self.stolen = 100 * steal / SECONDS / os.cpu_count()


def measure(folder, build, runs):
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
            report(d, build, runs)
        finally:
            d.terminate()


def report(daemon, build, runs):
    deadline = time.monotonic() + 120
    while True:
        try:
            now = status()
            # They are decided in turns, between which the node answers.
            if now["bans"]["learnt"] == ENTRIES and not now["bans"]["queued"]:
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
    # Each question in its turn, so that a bad minute meets all of them.
    asked = [[Asked(pid, path, cores[-1]) for _, path in (YARDSTICK,) + QUERIES]
             for _ in range(runs)]
    for i, (what, _) in enumerate((YARDSTICK,) + QUERIES):
        tell(what, [one[i] for one in asked], i > 0)
    held_cores(build, pid, cores[-1], runs)


def page_all(told):
    """Page after page to the end of all, in a process of its own: entries, seconds, slowest."""
    real_time(0, 5)
    begun, after, entries, slowest = time.monotonic(), "", 0, 0.0
    connection = http.client.HTTPConnection(ADDRESS, timeout=60)
    while after is not None:
        asked = time.monotonic()
        connection.request("GET", "/v1/indicators?limit=%d%s" % (PAGE, after))
        text = connection.getresponse().read()
        slowest = max(slowest, time.monotonic() - asked)
        page = json.loads(text)
        entries += len(page["indicators"])
        after = page["next"] and "&after=" + page["next"]
    told.send((entries, time.monotonic() - begun, slowest))


class Checks:  # pylint: disable=too-few-public-methods
    """A check each few milliseconds while `going` says so; milliseconds of each."""

    def __init__(self, going):
        self.times = []
        connection = http.client.HTTPConnection(ADDRESS, timeout=60)
        deadline = time.monotonic() + 120
        while going() and time.monotonic() < deadline:
            asked = time.monotonic()
            connection.request("GET", QUERIES[0][1])
            connection.getresponse().read()
            self.times.append((time.monotonic() - asked) * 1000)
            time.sleep(0.003)
        self.times.sort()

    def within(self, part):
        return self.times[min(int(len(self.times) * part), len(self.times) - 1)]


def paging(core):
    """The rows of checks while somebody pages through everything."""
    os.sched_setaffinity(0, {core})
    real_time(0)
    until = time.monotonic() + SECONDS
    alone = Checks(lambda: time.monotonic() < until)
    read, write = multiprocessing.Pipe(False)
    pager = multiprocessing.Process(target=page_all, args=(write,))
    pager.start()
    beside = Checks(pager.is_alive)
    pager.join()
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    if pager.exitcode or not read.poll():
        raise RuntimeError("paging failed")
    entries, seconds, slowest = read.recv()
    if entries != ENTRIES:
        raise RuntimeError("%d entries were paged" % entries)
    row("a check while nobody pages: 99 of 100 within", alone.within(0.99), "ms")
    row("  .. the slowest of %d" % len(alone.times), alone.times[-1], "ms")
    row("while %d entries are paged: 99 of 100 within" % ENTRIES, beside.within(0.99), "ms",
        MOST_PAGING_MS)
    row("  .. the slowest of %d" % len(beside.times), beside.times[-1], "ms")
    row("  .. a page of %d, the slowest" % PAGE, slowest * 1000, "ms")
    row("  .. entries a second", entries / seconds, "")


def real_time(process, priority=10):
    os.sched_setscheduler(process, os.SCHED_FIFO, os.sched_param(priority))


def held_cores(build, pid, core, runs):
    """The rows of answers timed one by one while nobody else gets the cores."""
    try:
        real_time(pid)
    except PermissionError:
        print("answers timed one by one: left out, real-time priority is not allowed here")
        return
    port = ADDRESS.rsplit(":", maxsplit=1)[1]
    found = {what: [] for what, _ in (YARDSTICK,) + QUERIES}
    for _ in range(runs):
        for what, path in (YARDSTICK,) + QUERIES:
            text = subprocess.run(
                ["taskset", "-c", str(core), "chrt", "-f", "10",
                 os.path.join(build, "bench", "http_ask"), port, path, "1", str(CONNECTIONS)],
                stdout=subprocess.PIPE, text=True, check=True).stdout
            found[what].append([float(x) / 1000 for x in text.split()[1:]])
            time.sleep(0.2)
    paging(core)
    os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
    for what, times in found.items():
        row("%s, cores held: 99 of 100 within" % what, statistics.median(t[1] for t in times),
            "ms", MOST_P99_MS if what != YARDSTICK[0] else None)
        row("  .. the slowest of %d runs" % runs, max(t[1] for t in times), "ms",
            MOST_P99_MS if what != YARDSTICK[0] else None)
        row("  999 of 1,000 within, the slowest run", max(t[2] for t in times), "ms")


def tell(what, runs, held):
    """The rows of one question."""
    slowest = max(runs, key=lambda r: r.p99)
    row("%s: requests a second of one core" % what, statistics.median(r.per_core for r in runs),
        "", LEAST_PER_SECOND if held else None, True)
    row("  the fewest of %d runs" % len(runs), min(r.per_core for r in runs), "")
    row("  as wrk saw it, on a machine with %d cores" % os.cpu_count(),
        statistics.median(r.rate for r in runs), "")
    row("  99 of 100 within, median of %d runs" % len(runs),
        statistics.median(r.p99 for r in runs), "ms", MOST_P99_MS if held else None)
    row("  .. the slowest run", slowest.p99, "ms")
    row("  .. in it the node and wrk had no core", slowest.waited, "%")
    row("  .. .. and the hypervisor took of each", slowest.stolen, "%")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="a Meson build folder")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    if not shutil.which("wrk"):
        print("skipped: there is no wrk")
        sys.exit(77)
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-") as folder:
        measure(folder, build, options.runs)


if __name__ == "__main__":
    main()
