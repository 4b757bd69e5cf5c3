# SPDX-License-Identifier: Apache-2.0
"""Where commands are tried: keys, a ledger with three members, one daemon."""
import json
import os
import shutil
import subprocess
import tempfile
import time

import node
import topology
from checks import Mismatch, want

OK, FAILED, USAGE, UNREACHABLE, PERMISSION, REFUSED, CONFIG = 0, 1, 2, 3, 4, 5, 78

CONFIGURATION = """\
[node]
name = desk
user =
state = {0}/state
run = {0}/run

[member]
key = {0}/a.key

[ledger]
path = {0}/ledger.db

[allow]
entry = 192.0.2.99 our gateway

[enforce]
table = sipchain_cli

[honeypot]
listen = udp:127.0.0.1:15060
listen = tcp:127.0.0.1:15060
"""


class Stage:
    """The programs, the ledger with three members, and one running daemon."""

    def __init__(self, build):
        self.folder = tempfile.mkdtemp(prefix="sipchain-cli-")
        os.chmod(self.folder, 0o755)
        self.daemon = node.find(build, "sipchaind")
        # Where every user can run it.
        self.program = shutil.copy(node.find(build, "sipchain"), self.folder)
        self.config = self.path("sipchain.conf")
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *arguments, **options):
        """A bare command line: the finished process."""
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([self.program, *arguments], capture_output=True, text=True,
                              check=False, timeout=120, cwd=self.folder, **options)

    def expect(self, status, *arguments, out=(), err=(), **options):
        """Run it, compare the exit code and look for texts; returns stdout."""
        result = self.run(*arguments, **options)
        shown = "sipchain " + " ".join(arguments)
        want(result.returncode == status, "%s: status %d, not %d: %s", shown,
             result.returncode, status, (result.stderr or result.stdout).strip()[-300:])
        for text in out:
            want(text in result.stdout, "%s: no %r in %r", shown, text, result.stdout)
        for text in err:
            want(text in result.stderr, "%s: no %r in %r", shown, text, result.stderr)
        for stream in (result.stdout, result.stderr):
            want("\x1b" not in stream, "%s: an escape character comes through", shown)
        return result.stdout

    def ask(self, *arguments, status=OK, **options):
        """A daemon's command as text and as JSON; returns what the JSON says."""
        self.expect(status, *arguments, "--config", self.config, **options)
        return self.parse(status, *arguments, "--config", self.config)

    def once(self, *arguments, status=OK, **options):
        """A command that changes something: once, as text."""
        return self.expect(status, *arguments, "--config", self.config, **options)

    def parse(self, status, *arguments, **options):
        text = self.expect(status, *arguments, "--json", **options)
        try:
            return json.loads(text)
        except ValueError as error:
            raise Mismatch("sipchain %s --json: %s in %r"
                           % (" ".join(arguments), error, text[:200])) from error

    def owner(self, *arguments, status=OK, **options):
        return self.expect(status, *arguments, "--ledger", self.path("ledger.db"), "--key",
                           self.path("owner.key"), **options)

    def start(self):
        topology.run("ip", "link", "set", "lo", "up")
        self.run("init", "--yes", "--ledger", self.path("ledger.db"), "--owner-key",
                 self.path("owner.key"), "--max-ttl", "1d", "--allow-unroutable")
        for letter in "abc":
            address = self.run("key", "new", self.path(letter + ".key")).stdout.strip()
            self.owner("member", "add", "--name", "bank-" + letter, "--signer", address)
        for name in ("state", "run"):
            os.mkdir(self.path(name), 0o755)
        with open(self.config, "w", encoding="ascii") as f:
            f.write(CONFIGURATION.format(self.folder))
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen([self.daemon, "-c", self.config], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            result = self.run("status", "--config", self.config, "--json")
            if result.returncode == 0:
                status = json.loads(result.stdout)
                if status["ledger"]["caught_up"] and status["enforcer"]["active"]:
                    return
            time.sleep(0.1)
        with open(self.path("log"), encoding="utf-8") as log:
            raise topology.TopologyError("sipchaind is not ready after 120 s:\n"
                                         + log.read()[-2000:])

    def eventually(self, condition, what):
        """Until a condition holds; what the ledger tells reaches the node soon."""
        deadline = time.monotonic() + 60
        while not condition():
            if time.monotonic() > deadline:
                raise Mismatch("not within 60 s: " + what)
            time.sleep(0.1)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
