# SPDX-License-Identifier: Apache-2.0
"""Nodes under test on a chain, and what must hold after every fault.

A node is a real sipchaind in all its roles. It observes: it decides all and
orders no firewall, and `sipchain banned` lists what would stand there. What it
says is held against the contract itself (contract.py), asked directly.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "net"))
# pylint: disable=wrong-import-position
import contract
from ledger import ChainLedger, LedgerFailed

GRACE = 3       # seconds that a ban may outlive its report: the clocks' seconds
MAX_TTL = 3600
TTL = 1800      # of reports that must not run out during a test

CONFIGURATION = """\
[node]
name = {name}
user =
state = {folder}/state
run = {folder}/run
observe = yes

[member]
key = {folder}/member.key

[ledger]
{ledger}
[enforce]
type = none
"""


assert LedgerFailed  # whoever sets a stage may meet it


class Failed(Exception):
    """What must hold after a fault does not."""


def expect(condition, text, *values):
    if not condition:
        raise Failed(text % values if values else text)


PATIENCE = 4
"""So much slower a busy machine may be before a fault counts as not survived."""


def until(condition, seconds, text, *values):
    """Poll until condition() is true; its value. condition may return a text that says
    what is amiss by raising Failed. seconds are a quiet machine's."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        why = ""
        try:
            value = condition()
            if value:
                return value
        except Failed as error:
            why = ": %s" % error
        except Refused as error:
            why = ": %s" % error
        if time.monotonic() > deadline:
            raise Failed("not within %g s: %s%s" % (seconds, text % values if values
                                                    else text, why))
        time.sleep(0.03)


class Refused(Exception):
    """The daemon refused a request, or is not there."""


class Addresses:
    """Addresses that nobody has reported (RFC 2544)."""
    lock = threading.Lock()
    used = 0

    @classmethod
    def fresh(cls):
        with cls.lock:
            cls.used += 1
            return "198.18.%d.%d" % divmod(cls.used, 250)


def program(build, name):
    for folder in ("src/daemon", "src/cli", "tests/chain"):
        path = os.path.abspath(os.path.join(build, folder, name))
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError("%s is not built in %s" % (name, build))


class ChainNode:
    """sipchaind on the stage's ledger by its own endpoints, [(http, ws)]."""

    def __init__(self, stage, name, endpoints, daemon="sipchaind", extra=""):
        self.stage = stage
        self.name = name
        self.folder = stage.folder + "/" + name
        self.daemon = program(stage.build, daemon)
        self.cli_program = program(stage.build, "sipchain")
        self.configuration = self.folder + "/sipchain.conf"
        self.log_path = self.folder + "/log"
        self.environment = {}  # beside the test's own
        self.process = None
        self.reported = []
        self.again = {}
        for part in ("state", "run"):
            os.makedirs("%s/%s" % (self.folder, part), mode=0o750)
        stage.ledger.prepare(self.folder)
        self.member = stage.ledger.add_member(name, self.folder + "/member.key")
        self.configure(endpoints, extra)

    def configure(self, endpoints, extra="", pins=None):
        self.endpoints = endpoints
        with open(self.configuration, "w", encoding="ascii") as f:
            f.write(CONFIGURATION.format(
                name=self.name, folder=self.folder,
                ledger=self.stage.ledger.section(self.folder, endpoints, pins) + extra))

    def key(self):
        """Its member's key as contract.py's transactions take it."""
        from transaction import Key
        with open(self.folder + "/member.key", encoding="ascii") as f:
            return Key(f.read().strip().removeprefix("0x"))

    # --- life ---

    def start(self, ready=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.daemon, "-c", self.configuration],
                                            stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL,
                                            env=dict(os.environ, **self.environment))
        if ready:
            self.wait_ready()

    def wait_ready(self, seconds=40):
        def ready():
            if self.process.poll() is not None:
                raise RuntimeError("sipchaind %s left with %d:\n%s" % (
                    self.name, self.process.returncode, self.log()[-2000:]))
            status = self.ask("status")
            return status["ledger"]["caught_up"] and status["member"] is not None
        until(ready, seconds, "%s has read the ledger", self.name)

    def log(self, since=0):
        with open(self.log_path, encoding="utf-8", errors="backslashreplace") as f:
            f.seek(since)
            return f.read()

    def mark(self):
        """Where its log ends now, for log(since)."""
        return os.path.getsize(self.log_path)

    def role(self, name):
        for role in self.ask("status")["roles"]:
            if role["role"] == name:
                return role
        raise LookupError(name)

    def kill(self, name, then=lambda: None):
        """kill -9 of a role, or of "parent", then something, until it runs again."""
        if name == "parent":
            self.process.kill()
            self.process.wait()
            then()
            self.start(ready=False)
            return
        role = self.role(name)
        os.kill(role["pid"], signal.SIGKILL)
        then()

        def runs():
            now = self.role(name)
            return now["state"] == "running" and now["starts"] > role["starts"]
        until(runs, 20, "%s of %s runs again", name, self.name)

    def stop(self):
        """End it in order; its exit status."""
        if not self.process:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = -1
        self.process = None
        return status

    # --- asking ---

    def ask(self, command, seconds=20, **arguments):
        """A request on the control socket, as sipchain(1) makes them."""
        line = json.dumps({"command": command, "arguments": arguments}) + "\n"
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(seconds)
                s.connect(self.folder + "/run/control.sock")
                s.sendall(line.encode())
                answer = s.makefile("rb").readline()
        except OSError as error:
            raise Refused("%s: %s" % (self.name, error)) from error
        if not answer:
            raise Refused("%s: no answer" % self.name)
        answer = json.loads(answer)
        if not answer["ok"]:
            raise Refused("%s: %s" % (self.name, answer["error"]))
        return answer["result"]

    def cli(self, *arguments, status=0):
        """A command of sipchain(1) to this daemon; what it printed."""
        result = subprocess.run(
            [self.cli_program, *arguments, "--config", self.configuration],
            capture_output=True, text=True, check=False, timeout=60,
            stdin=subprocess.DEVNULL)
        expect(result.returncode == status, "sipchain %s: status %d: %s",
               " ".join(arguments), result.returncode, result.stderr or result.stdout)
        return result.stdout + result.stderr

    def report(self, address=None, ttl=TTL, again=0):
        """`sipchain report`, without waiting for its fate; the address.

        again: how often it may be refreshed, in its cell, for a lie about its fate.
        """
        address = address or Addresses.fresh()
        line = json.dumps({"command": "report", "arguments": {
            "indicator": address, "category": "password", "ttl": ttl}}) + "\n"

        def taken():
            # Kept open: the daemon answers when the ledger has it.
            s = socket.socket(socket.AF_UNIX)
            try:
                s.settimeout(20)
                s.connect(self.folder + "/run/control.sock")
                s.sendall(line.encode())
                s.settimeout(0.15)
                try:
                    answer = s.recv(65536)
                except socket.timeout:
                    return True
                if not answer or not json.loads(answer)["ok"]:
                    raise Refused("%s: %r" % (self.name, answer))
                return True
            except (OSError, ValueError) as error:
                raise Refused("%s: %s" % (self.name, error)) from error
            finally:
                s.close()
        until(taken, 20, "%s takes a report of %s", self.name, address)
        self.reported.append(address)
        if again:
            self.again[address] = again
        return address

    def ledger_status(self):
        return self.ask("status")["ledger"]

    def listed(self):
        """{indicator: its bans' end} of what it decided to block by the ledger."""
        return {i["indicator"]: i["until"] for i in self.ask("list")["indicators"]
                if i["block"]}

    def banned(self):
        """{indicator: the end} of what would stand in its firewall."""
        return {b["indicator"]: b["until"] for b in self.ask("banned")["bans"]}

    def settled(self):
        """Nothing of its own is on its way."""
        outbox = self.ask("status")["outbox"]
        return not outbox["waiting"] and not outbox["submitted"]


class Stage:
    """A ledger on a chain of network.py, with nodes and proxies.

    now   the time by which reports live or do not; of a stage whose clock runs ahead
    """

    def __init__(self, build, chain, name="stage", endpoints=None, options=(), at=1,
                 max_ttl=MAX_TTL):
        self.build = build
        self.chain = chain
        self.folder = tempfile.mkdtemp(prefix="sipchain-faults.")
        os.chmod(self.folder, 0o755)
        self.stack = contextlib.ExitStack()
        self.nodes = []
        self.name = name
        self.now = time.time
        self.ledger = ChainLedger(program(build, "sipchain"), self.folder, max_ttl,
                                  endpoints or chain.endpoints()[:1], options=options)
        self.contract = contract.Contract(chain.node(at), self.ledger.contract)

    def node(self, name, endpoints, start=True, **options):
        made = ChainNode(self, name, endpoints, **options)
        self.nodes.append(made)
        if start:
            made.start()
        return made

    def proxy(self, http=None, ws=None, **options):
        """A faulty endpoint before the chain."""
        import proxy as faulty
        one = self.chain.node(1)
        return self.stack.enter_context(faulty.Proxy(http or one.http, ws or one.ws,
                                                     **options))

    # --- what must hold ---

    def agreed(self, nodes=None):
        """One look: raises Failed when something does not hold (yet)."""
        tips = self.contract.tips()
        active = self.contract.active(self.now())
        for n in nodes or self.nodes:
            status = n.ledger_status()
            expect(status["caught_up"] and status["healthy"], "%s: %s", n.name,
                   status["text"])
            told = (status["members"]["hash"], status["members"]["seq"],
                    status["admin"]["hash"], status["admin"]["seq"])
            expect(told == (tips.members, tips.members_seq, tips.admin, tips.admin_seq),
                   "%s is at operation %d and %d, the contract at %d and %d", n.name,
                   told[1], told[3], tips.members_seq, tips.admin_seq)
            expect(n.settled(), "%s: its outbox is not empty", n.name)
            listed = n.listed()
            expect(set(listed) == set(active), "%s blocks %s beyond the contract's and "
                   "lacks %s", n.name, sorted(set(listed) - set(active))[:5],
                   sorted(set(active) - set(listed))[:5])
            self.bounded(n, active)
        return True

    def bounded(self, n, active):
        """No ban outlives its report."""
        for indicator, end in n.banned().items():
            expect(indicator in active or end <= self.now() + GRACE,
                   "%s bans %s until %d and nobody reports it", n.name, indicator, end)
            expect(indicator not in active or end <= active[indicator] + GRACE,
                   "%s bans %s for %d s longer than its report lives", n.name, indicator,
                   end - active.get(indicator, 0))

    def each_once(self, nodes=None):
        """Every report of the nodes is in the history once and in one live cell."""
        history, cells = {}, {}
        for member, word in self.contract.history():
            history.setdefault((member, contract.ip4_text(word.indicator)), []).append(
                word.action)
        for member, word in self.contract.live(self.now()):
            cells.setdefault((member.index, contract.ip4_text(word.indicator)), []).append(
                word.cell)
        for n in nodes or self.nodes:
            for address in n.reported:
                told = history.get((n.member, address), [])
                most = 1 + n.again.get(address, 0)
                expect(0 < len(told) <= most and set(told) == {contract.REPORT}, "%s reported %s once, the history says %s",
                       n.name, address, told)
                stands = cells.get((n.member, address), [])
                expect(len(stands) == 1, "%s's report of %s stands in cells %s", n.name,
                       address, stands)

    def agree(self, seconds=40, nodes=None):
        """Until all nodes have what the contract has; then each report once."""
        until(lambda: self.agreed(nodes), seconds, "the nodes agree with the contract")
        self.each_once(nodes)

    def stop(self):
        """End all; returns complaints."""
        complaints = []
        for n in self.nodes:
            status = n.stop()
            if status:
                complaints.append("sipchaind of %s left with status %d" % (n.name, status))
            complaints += ["%s: %s" % (n.name, line) for line in n.log().splitlines()
                           if "Sanitizer" in line or "runtime error:" in line][:5]
        self.stack.close()
        return complaints

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, build):
        """The logs, for whoever wants to find out why."""
        kept = os.path.join(build, "fault-logs", self.name)
        shutil.rmtree(kept, ignore_errors=True)
        os.makedirs(kept)
        for n in self.nodes:
            shutil.copy(n.log_path, "%s/%s.log" % (kept, n.name))
        for name, path in self.chain.logs().items():
            shutil.copy(path, "%s/%s.log" % (kept, name))
        return kept


class Table:
    """A line for each fault; several threads write to it."""

    def __init__(self, label, results, only=None):
        self.label = label
        self.results = results
        self.only = only
        self.lock = threading.Lock()
        self.passed = self.failed = 0
        self.begun = time.monotonic()

    def line(self, name, seconds, error):
        with self.lock:
            print("%s  %-66s %6.1f s" % ("FAIL" if error else "pass", name, seconds),
                  flush=True)
            if error:
                print("      %s" % error, flush=True)
                self.failed += 1
            else:
                self.passed += 1
            if self.results:
                with open(self.results, "a", encoding="utf-8") as f:
                    f.write("%s\t%s: %s\n" % ("fail" if error else "pass", self.label, name))

    def play(self, name, function, *arguments):
        """Run one fault into the table; whether it passed."""
        if self.only and self.only not in name:
            return True
        begun, error = time.monotonic(), None
        try:
            function(*arguments)
        except Failed as failure:
            error = str(failure)
        except Exception as failure:  # a fault must not take the others with it
            error = "%s: %s" % (type(failure).__name__, failure)
            trace = failure.__traceback__
            while trace and trace.tb_next:
                trace = trace.tb_next
            if trace:
                error += " (%s:%d)" % (os.path.basename(trace.tb_frame.f_code.co_filename),
                                       trace.tb_lineno)
        self.line(name, time.monotonic() - begun, error)
        return not error

    def total(self):
        print("      %d of %d, %.0f s" % (self.passed, self.passed + self.failed,
                                          time.monotonic() - self.begun))
        return 1 if self.failed or not self.passed else 0
