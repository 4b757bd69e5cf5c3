#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""blocked.py --build FOLDER [--results FILE]: calls to blocked numbers on a real Asterisk.

One node and an Asterisk 22 that it reaches by AMI: [connector] type = asterisk, with the
shipped dialplan include. A customer's phone calls. Each check is a line. Leaves with 1
when one failed, 2 when the stage could not be set. With --measure it prints figures
instead, each with its ratio to its limit.
"""
import argparse
import json
import os
import signal
import socket
import sqlite3
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import asterisk
import checking
import node
import run
import sip
import topology
from checking import USER
from world import FOLDER, Failed, expect, wait_for

FRAUD = "+972590000101"
RANGE = "+97259*"
MANY = 20000
FULL = 22000

CONFIGURATION = """\
[node]
name = node-a
user =
state = {folder}/state
run = {folder}/run
log_level = info
observe = {observe}

[member]
key = {folder}/member.key

[ledger]
{ledger}
[connector "pbx"]
type = asterisk
user = {user}
secret_file = {secret_file}

[policy]
quorum.manual = 1

[enforce]
type = nftables
"""


class BlockingNode(node.Node):
    """A node whose only work is that Asterisk."""

    def __init__(self, build, folder, ledger, pbx):
        self.folder = folder
        self.ledger = ledger
        self.secret_file = folder + "/ami.secret"
        super().__init__(build, "a", folder, ledger, pbx, 60)
        self.write_secret(pbx.secret)
        self.configure()

    def write_secret(self, secret):
        with open(self.secret_file, "w", encoding="ascii") as f:
            f.write(secret + "\n")
        os.chmod(self.secret_file, 0o600)

    def configure(self, user=USER, observe="no"):
        with open(self.configuration, "w", encoding="ascii") as f:
            f.write(CONFIGURATION.format(
                folder=self.folder, ledger=self.ledger.section("a", self.folder), user=user,
                secret_file=self.secret_file, observe=observe))

    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def connector(self):
        """The status of the one connector; {} while nobody answers."""
        try:
            return self.ask("connector", "status")["connectors"][0]
        except node.CommandFailed:
            return {}

    def wait_connector(self, what, seconds, text):
        wait_for(lambda: what(self.connector()), seconds, "%s (%s)", text, self.connector())

    def wait_step(self, seconds=20, standing=None):
        """Until all stands there that should."""
        self.wait_connector(
            lambda c: c.get("state") == "ready" and not c["queued"]
            and (standing is None or c["standing"] == standing), seconds, "it is in step")

    def store_bans(self, numbers, until):
        """Bans as a run before would have left them; the node does not run."""
        db = sqlite3.connect(self.folder + "/state/node.db")
        with db:
            db.executemany(
                "INSERT OR REPLACE INTO ban VALUES (?, 1, 3, 4, 0, ?, ?, '')",
                ((exact(n), until, int(time.time())) for n in numbers))
        db.close()

    def forget_bans(self):
        db = sqlite3.connect(self.folder + "/state/node.db")
        with db:
            db.execute("DELETE FROM ban")
        db.close()


def exact(digits):
    """An exact number as the store has it: kind, length, BCD padded with F."""
    return bytes([3, 128]) + bytes.fromhex(digits.ljust(32, "f"))


class Client:
    """One connection to control.sock: what is timed must not start programs."""

    def __init__(self, a):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(a.folder + "/run/control.sock")
        self.file = self.sock.makefile("rwb")

    def ask(self, command, **arguments):
        self.file.write(json.dumps(
            {"command": command, "arguments": arguments}).encode() + b"\n")
        self.file.flush()
        answer = json.loads(self.file.readline())
        expect(answer["ok"], "%s: %s", command, answer)
        return answer["result"]


class Stage:
    """Asterisk, the node beside it, and the customer's phone."""

    def __init__(self, build, tree):
        topology.build()
        os.makedirs(FOLDER + "/a")
        self.pbx = checking.Asterisk(tree, "sip-a", 0, FOLDER + "/a/asterisk")
        self.ledger = node.Ledger(node.find(build, "sipchain"), FOLDER, 86400)
        self.a = BlockingNode(build, FOLDER + "/a", self.ledger, self.pbx)
        self.pbx.start()
        self.pbx.wait_booted()
        self.a.start()
        self.a.wait_ready()
        self.phone = sip.udp("customer", topology.CUSTOMER)
        self.user = asterisk.EXTENSIONS[0]

    def call(self, number):
        """(status, Reason) of a call by the registered phone."""
        reasons = []
        code = sip.call(self.phone, self.a.address, self.user, self.pbx.passwords[self.user],
                        number, reasons=reasons)
        return code, (reasons or [""])[-1]

    def passes(self, number):
        code, _ = self.call(number)
        expect(code == 200, "the call to %s ends with %s", number, code)

    def refused(self, number):
        code, reason = self.call(number)
        expect(code == 403 and "Q.850;cause=21" in reason, "the call to %s ends with %s (%s)",
               number, code, reason)

    def stop(self):
        status = self.a.stop()
        complaints = ["sipchaind left with status %d" % status] if status else []
        complaints += [line for line in self.a.log().splitlines()
                       if "Sanitizer" in line or "runtime error:" in line][:5]
        self.pbx.stop()
        return complaints


# --- the checks, one story ---

def login(s):
    """It logs in, and nothing stands there: every call goes through."""
    s.a.wait_step()
    expect(s.pbx.entries() == {}, "AstDB holds %s", s.pbx.entries())
    expect(sip.register(s.phone, s.a.address, s.user, s.pbx.passwords[s.user]) == 200,
           "the phone cannot register")
    s.passes("900972590000101")
    text = s.a.cli("connector", "status")
    expect("pbx" in text and "ready" in text, "`connector status` shows %s", text)
    expect("connector pbx (asterisk) ready" in s.a.cli("status"), "`status` lacks it")


def reported(s):
    """A number on the ledger: calls to it end in 403, cause 21; others go through."""
    s.a.follow()
    since = time.monotonic()
    s.a.cli("report", FRAUD, "--category", "fraud", "--ttl", "1h")
    wait_for(lambda: "972590000101" in s.pbx.entries(), 10, "it stands in AstDB")
    value = s.pbx.entries()["972590000101"].split("|")
    expect(value[1:] == ["E", FRAUD] and abs(int(value[0]) - time.time() - 3600) < 60,
           "its value is %s", value)
    s.refused("900972590000101")
    s.refused("9+972590000101")
    s.passes("900972590000102")
    s.passes("902079460000")
    hit = s.a.watch.wait(lambda line: '"hit"' in line, since, 40)
    expect(hit, "no hit was told")
    told = json.loads(hit[1])
    told = dict(told, **told.get("body", {}))
    expect(told["indicator"] == FRAUD and told["account"] == s.user
           and told["source"] == topology.CUSTOMER and told["dialled"] == "00972590000101"
           and told["number"] == "972590000101" and told["connector"] == "pbx",
           "the hit is %s", told)
    s.a.wait_connector(lambda c: c["hits"] == 2, 5, "two hits are counted")
    told = s.a.cli("check", FRAUD, check=False)
    expect("calls to it are refused here" in told and "refused by pbx (ready)" in told,
           "`check` does not say so: %s", told)


def prefix(s):
    """A range: every number in it, however it is dialled; national numbers too."""
    s.a.cli("ban", RANGE, "--ttl", "1h")
    s.a.cli("ban", "+442079460000", "--ttl", "1h")
    wait_for(lambda: {"97259", "442079460000"} <= set(s.pbx.entries()), 10, "both stand")
    s.refused("900972599999999")
    s.refused("902079460000")
    s.refused("92079460000")
    s.refused("900442079460000")
    s.passes("902079460001")
    s.passes("900972580000101")


def lifted(s):
    """Revoked, unbanned, ended: the calls go through again."""
    s.a.cli("unban", RANGE)
    s.a.cli("unban", "+442079460000")
    s.a.cli("revoke", FRAUD)
    wait_for(lambda: s.pbx.entries() == {}, 10, "AstDB is empty: %s", s.pbx.entries())
    s.passes("900972590000101")
    s.a.cli("ban", FRAUD, "--ttl", "12s")
    wait_for(lambda: s.pbx.entries(), 5, "it stands")
    s.refused("900972590000101")
    wait_for(lambda: s.pbx.entries() == {}, 20, "it has ended")
    s.passes("900972590000101")


def hostile(s):
    """Line breaks in what a phone dials forge no hit."""
    s.a.cli("ban", FRAUD, "--ttl", "1h")
    wait_for(lambda: s.pbx.entries(), 5, "it stands")
    before = s.a.connector()["hits"]
    for text in ("900972590000101%0d%0aNumber:1", "900972590000101%0d%0a%0d%0aEvent:%20x",
                 "900972590000101%0aDialed:2", "900972590000101,x)"):
        try:
            code, _ = s.call(text.replace("%20", "%20"))
            expect(code == 403, "%s ends with %s", text, code)
        except sip.NoAnswer:
            pass  # Asterisk would not read it
    time.sleep(0.5)
    c = s.a.connector()
    expect(c["state"] == "ready" and c["hits"] <= before + 4, "it is %s", c)
    s.a.cli("unban", FRAUD)


def restarted(s):
    """Asterisk comes back with an empty database: all stands there again."""
    s.a.stop()
    s.a.store_bans(["8832%08d" % i for i in range(MANY)], int(time.time()) + 3600)
    s.a.start()
    s.a.wait_ready()
    s.a.wait_step(60, MANY)
    expect(len(s.pbx.entries()) == MANY, "AstDB holds %d", len(s.pbx.entries()))
    s.pbx.stop()
    s.a.wait_connector(lambda c: c.get("state", "ready") != "ready"
                       and "connect" in c["trouble"], 10, "it is seen, and said why")
    s.pbx.lose()
    s.pbx.start()
    s.pbx.wait_booted()
    s.a.wait_step(60, MANY)
    expect(len(s.pbx.entries()) == MANY, "AstDB holds %d", len(s.pbx.entries()))
    s.refused("900883200000007")


def by_hand(s):
    """What somebody deletes or adds by hand is put right by a resync."""
    s.pbx.console("database del sipchain num/883200000007")
    s.pbx.console("database put sipchain num/4420 1")
    s.pbx.console("database put sipchain mine 1")
    text = s.a.cli("connector", "resync", "pbx")
    expect("compared" in text, "`connector resync` says %s", text)
    wait_for(lambda: "883200000007" in s.pbx.entries() and "4420" not in s.pbx.entries(), 10,
             "it is put right")
    expect("/sipchain/mine" in s.pbx.console("database show sipchain mine"),
           "what is none of its own is gone")
    s.a.wait_connector(lambda c: c.get("removed") == 1, 10, "it says so")


def cleared(s):
    """`connector clear` takes all away, whoever put it there; `connector resync` fills it."""
    s.pbx.console("database put sipchain num/4420 1")
    text = s.a.cli("connector", "clear", "pbx")
    expect("pbx: nothing of this node's stands there any more" in text, "it says %s", text)
    expect(s.pbx.entries() == {}, "AstDB holds %d", len(s.pbx.entries()))
    expect("/sipchain/mine" in s.pbx.console("database show sipchain mine"),
           "what is none of its own is gone")
    s.passes("900883200000007")
    s.a.cli("connector", "resync", "pbx")
    s.a.wait_step(20, MANY)
    s.refused("900883200000007")


def observed(s):
    """Into observe mode: nothing stands there any more, calls go through. And back."""
    s.a.configure(observe="yes")
    s.a.reload()
    wait_for(lambda: s.pbx.entries() == {}, 20, "AstDB is empty")
    s.a.wait_connector(lambda c: c.get("state") == "off", 10, "it touches nothing")
    s.passes("900883200000007")
    s.a.configure()
    s.a.reload()
    s.a.wait_step(20, MANY)
    s.refused("900883200000007")


def slow(s):
    """An Asterisk that hangs slows nothing else down, and status says so."""
    os.kill(s.pbx.process.pid, signal.SIGSTOP)
    try:
        for i in range(20):  # each is answered, and done in the firewall
            s.a.cli("ban", "198.51.100.%d" % (100 + i), "--ttl", "1h")
            s.a.cli("ban", "+8833%07d" % i, "--ttl", "1h")
        wait_for(lambda: "198.51.100.119" in s.a.banned(), 10, "the firewall has them")
        s.a.wait_connector(lambda c: "does not answer" in c.get("trouble", ""), 30,
                           "the hang is noticed")
    finally:
        os.kill(s.pbx.process.pid, signal.SIGCONT)
    s.a.wait_step(60, MANY + 20)
    s.refused("90088330000007")


def refusing(s):
    """A wrong secret, an open file, missing rights: said so, and put right by a reload."""
    def reload(user, what, seconds, text):
        starts = s.a.role("node")["starts"]
        s.a.configure(user)
        s.a.reload()
        wait_for(lambda: s.a.runs_again("node", starts), 20, "the node is started anew")
        s.a.wait_connector(what, seconds, text)

    reload("nobody-known", lambda c: "refuses the login" in c.get("trouble", ""), 20,
           "the refusal is shown")
    os.chmod(s.a.secret_file, 0o644)
    reload(USER, lambda c: c.get("state") == "unused" and "chmod 600" in c["trouble"], 20,
           "the open file is shown")
    os.chmod(s.a.secret_file, 0o600)
    reload("reader", lambda c: "write = system" in c.get("trouble", ""), 20,
           "what it lacks is shown")
    reload(USER, lambda c: c.get("state") == "ready" and not c["trouble"], 20,
           "it is as before")
    s.a.wait_step(60)
    with open(s.a.log_path, "rb") as f:
        expect(s.pbx.secret.encode() not in f.read(), "the log has the secret")


CHECKS = [
    ("it logs in; with an empty AstDB calls go through", login),
    ("a reported number ends in 403, cause 21; a hit is told", reported),
    ("a range, and national numbers, however they are dialled", prefix),
    ("revoked, unbanned, ended: calls go through", lifted),
    ("line breaks in what is dialled forge nothing", hostile),
    ("Asterisk restarted empty: 20,000 stand there again", restarted),
    ("changes by hand are put right by `connector resync`", by_hand),
    ("`connector clear` empties AstDB; a resync fills it", cleared),
    ("observe mode takes all away; and back", observed),
    ("an Asterisk that hangs slows nothing else", slow),
    ("wrong secret, open file, missing rights: said so", refusing),
]


# --- figures ---

def row(what, value, unit, limit):
    print("  %-55s %9.2f %s   %5.2f of the limit (%g %s)" % (
        what, value, unit, value / limit, limit, unit), flush=True)


def settle(client, standing, seconds=60):
    """Poll until so many stand; returns when (monotonic)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        c = client.ask("connector-status")["connectors"][0]
        if c["state"] == "ready" and not c["queued"] and c["standing"] == standing:
            return time.monotonic()
        time.sleep(0.002)
    raise Failed("not in step: %s" % c)


def cost(s, number, rounds=300):
    """Seconds that one refused call takes, the median."""
    times = []
    for _ in range(rounds):
        begun = time.monotonic()
        code, _ = s.call(number)
        times.append(time.monotonic() - begun)
        expect(code == 486, "the call to %s ends with %s", number, code)
    return sorted(times)[rounds // 2]


def measure(s):
    """The issue's limits, on this machine."""
    s.a.wait_step()
    empty, bare = cost(s, "555441865000000"), cost(s, "556441865000000")
    client = Client(s.a)
    latencies = []
    for i in range(20):
        number = "97259000%04d" % i
        begun = time.monotonic()
        client.ask("ban", indicator="+" + number, ttl=600)
        while s.call("900" + number)[0] != 403:
            expect(time.monotonic() - begun < 5, "%s is not refused", number)
        latencies.append(time.monotonic() - begun)
    s.a.stop()
    s.a.forget_bans()
    numbers = ["8832%08d" % i for i in range(MANY)]
    s.a.store_bans(numbers, int(time.time()) + 3600)
    s.pbx.stop()
    s.pbx.lose()
    s.a.start()
    s.a.wait_ready()
    s.pbx.start()
    client = Client(s.a)
    s.pbx.wait_booted()
    settle(client, MANY)
    s.pbx.console("database deltree sipchain num")
    begun = time.monotonic()
    client.ask("connector-resync")
    row("20,000 numbers into Asterisk (DBPut)", settle(client, MANY) - begun, "s", 1)
    expect(len(s.pbx.entries()) == MANY, "AstDB holds %d", len(s.pbx.entries()))
    for lost, what in ((True, "empty"), (False, "as it was")):
        s.pbx.stop()
        if lost:
            s.pbx.lose()
        s.pbx.start()
        s.pbx.wait_booted()
        begun = time.monotonic()
        row("20,000 in step after a restart, AstDB %s" % what,
            max(settle(client, MANY) - begun, 0), "s", 3)
    c = client.ask("connector-status")["connectors"][0]
    row(".. of it listing and comparing", c["resync_ms"] / 1000, "s", 3)
    latencies.sort()
    row("a ban -> the call is refused, median of 20", latencies[10] * 1000, "ms", 20)
    row(".. the slowest", latencies[-1] * 1000, "ms", 20)
    s.a.stop()
    s.a.store_bans(["8833%08d" % i for i in range(FULL - MANY)], int(time.time()) + 3600)
    s.a.start()
    s.a.wait_ready()
    s.a.wait_step(30, FULL)
    full = cost(s, "555441865000000")
    row("the check with 22,000 entries, against none", max(full - empty, 0) * 1000, "ms", 2)
    print("  %-55s %9.2f ms" % ("(a call without the check)", bare * 1000))
    print("  %-55s %9.2f ms" % ("(with it, no entries)", empty * 1000))
    print("  %-55s %9.2f ms" % ("(with it, 22,000 entries)", full * 1000))


def perform(options, tree, table):
    """Set the stage, play the story, take it down."""
    stage = Stage(options.build, tree)
    for title, function in CHECKS:
        if options.only and options.only not in function.__name__ and function is not login:
            continue
        begun, error = time.monotonic(), None
        try:
            function(stage)
        except Failed as failure:
            error = str(failure)
        except Exception as failure:  # a check must not take the others with it
            error = "%s: %s" % (type(failure).__name__, failure)
        table.line("", title, time.monotonic() - begun, error, "")
    complaints = stage.stop()
    table.line("", "sipchaind ends in order, sanitizers found nothing", None,
               "; ".join(complaints)[:2000] or None, "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="a Meson build folder")
    parser.add_argument("--results", help="append 'pass|fail TAB name' lines to this file")
    parser.add_argument("--measure", action="store_true", help="print figures instead")
    parser.add_argument("--only", metavar="TEXT",
                        help="only the checks whose functions' names have this in them")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    if options.results:
        options.results = os.path.abspath(options.results)
    try:
        for name in ("sipchaind", "sipchain"):
            node.find(options.build, name)
        tree = run.fetch_asterisk()
        topology.enter()
    except (topology.TopologyError, FileNotFoundError) as error:
        print("blocked: %s" % error, file=sys.stderr)
        sys.exit(2)
    begun = time.monotonic()
    table = run.Table(options.results, "blocked")
    table.lock = threading.Lock()
    try:
        if options.measure:
            stage = Stage(options.build, tree)
            measure(stage)
            stage.stop()
            return
        perform(options, tree, table)
    except Exception as error:
        print("blocked: the stage: %s: %s" % (type(error).__name__, error), file=sys.stderr)
        run.keep_logs(options.build, "blocked-logs")
        sys.exit(2)
    if table.failed:
        run.keep_logs(options.build, "blocked-logs")
    print("      %d of %d, %.0f s" % (table.passed, table.passed + len(table.failed),
                                      time.monotonic() - begun))
    sys.exit(1 if table.failed else 0)


if __name__ == "__main__":
    main()
