# SPDX-License-Identifier: Apache-2.0
"""sipchaind in its namespace, the command line beside it, and the ledger."""
import json
import os
import signal
import subprocess
import threading
import time

import topology

KNOWN = "198.51.100.250"  # banned by hand to see that followers follow
ROLES = ("sense", "node", "ledger", "enforce")

CONFIGURATION = """\
[node]
name = node-{letter}
user =
state = {folder}/state
run = {folder}/run
log_level = info

[member]
key = {folder}/member.key

[ledger]
{ledger}
[hep]
listen = udp:127.0.0.1:9060
password = {hep}

[security_log]
path = {security_log}

[detect]
ban = {ttl}s
forget = 1h

[policy]
; a person's word alone moves nobody; what the wire proved does
quorum.manual = 2

[enforce]
type = nftables
"""


class CommandFailed(Exception):
    """A command of the CLI left with another status than 0."""

    def __init__(self, arguments, result):
        super().__init__("sipchain %s: status %d: %s" % (" ".join(arguments),
                         result.returncode, (result.stderr or result.stdout).strip()))
        self.status = result.returncode
        self.text = result.stderr + result.stdout


def find(build, name):
    """A program in a Meson build folder."""
    for folder in (".", "src", "src/daemon", "src/cli", "tests/net"):
        path = os.path.abspath(os.path.join(build, folder, name))
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError("%s is not built in %s" % (name, build))


def sipchain(program, *arguments, as_json=False, check=True):
    """Run the CLI; returns its output, or the JSON it printed."""
    command = [program, *arguments] + (["--json"] if as_json else [])
    result = subprocess.run(command, capture_output=True, text=True, check=False,
                            stdin=subprocess.DEVNULL, timeout=120)
    if check and result.returncode:
        raise CommandFailed(arguments, result)
    return json.loads(result.stdout) if as_json else result.stdout


class Lines:
    """What a process prints, each line with the time of its arrival."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append((time.monotonic(), line))
                self.changed.notify_all()

    def wait(self, matches, since, seconds):
        """(time, line) of the first line after `since` that matches, or None."""
        deadline = time.monotonic() + seconds
        seen = 0
        with self.changed:
            while True:
                for arrived, line in self.lines[seen:]:
                    if arrived >= since and matches(line):
                        return arrived, line
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self.changed.wait(left)


class Ledger:
    """One local ledger file, its owner, and the members' keys."""

    def __init__(self, program, folder, max_ttl):
        self.program = program
        self.path = folder + "/ledger.db"
        self.owner = folder + "/owner.key"
        self.indices = {}
        sipchain(program, "init", "--yes", "--ledger", self.path, "--owner-key",
                 self.owner, "--max-ttl", "%ds" % max_ttl, "--allow-unroutable")

    def section(self, _letter, _folder):
        """A node's [ledger] section, without its first line."""
        return "type = local\npath = %s\n" % self.path

    def add_member(self, name, key):
        """Make a key, admit its holder; indices count from 1."""
        address = sipchain(self.program, "key", "new", key).split()[0]
        self.administer("member", "add", "--name", name, "--signer", address,
                        "--weight", "1", "--cap", "1000")
        self.indices[name] = len(self.indices) + 1

    def remove_member(self, name):
        self.administer("member", "remove", str(self.indices[name]))

    def administer(self, *arguments):
        sipchain(self.program, *arguments, "--ledger", self.path, "--key", self.owner)

    def verify(self):
        """The verified tips; raises when the file does not hold."""
        return sipchain(self.program, "ledger", "verify", "--ledger", self.path,
                        as_json=True)

    def operations(self):
        """Every operation, in order."""
        text = sipchain(self.program, "ledger", "export", "--ledger", self.path)
        return [json.loads(line) for line in text.splitlines()]


class Node:
    """sipchaind of one host. start() it, wait_ready(), stop() it."""

    def __init__(self, build, letter, folder, ledger, asterisk, ttl, more=""):
        self.letter = letter
        self.namespace = "sip-" + letter
        self.address = topology.NODES[letter]
        self.asterisk = asterisk
        self.daemon = find(build, "sipchaind")
        self.program = find(build, "sipchain")
        self.configuration = folder + "/sipchain.conf"
        self.log_path = folder + "/sipchaind.log"
        self.process = self.watch = self.monitor = None
        for name in ("state", "run"):
            os.makedirs(folder + "/" + name, mode=0o750, exist_ok=True)
        ledger.add_member("bank-" + letter, folder + "/member.key")
        with open(self.configuration, "w", encoding="ascii") as f:
            f.write(CONFIGURATION.format(
                letter=letter, folder=folder, ledger=ledger.section(letter, folder), ttl=ttl,
                hep=asterisk.hep_password, security_log=asterisk.security_log) + more)

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = topology.start(self.namespace, [
                self.daemon, "-c", self.configuration], stdout=log, stderr=log)

    def wait_ready(self, seconds=120):
        """Until it has read the ledger and set the firewall up."""
        deadline = time.monotonic() + seconds
        while not self._ready():
            if self.process.poll() is not None:
                raise RuntimeError("sipchaind of %s left with status %d:\n%s" % (
                    self.letter, self.process.returncode, self.log()[-3000:]))
            if time.monotonic() > deadline:
                raise RuntimeError("sipchaind of %s is not ready after %d s:\n%s" % (
                    self.letter, seconds, self.log()[-3000:]))
            time.sleep(0.05)

    def _ready(self):
        try:
            status = self.ask("status")
        except CommandFailed:
            return False
        return (status["ledger"]["caught_up"] and status["enforcer"]["active"]
                and status["member"] is not None and self.rules() is not None)

    def follow(self):
        """Collect the daemon's events and the kernel's, with their times.

        Both followers are subscribed only a moment after their start: repeat a
        known event until both showed it.
        """
        self.unfollow()
        self.watch = Lines(topology.start(
            self.namespace, [self.program, "watch", "--json", "--config",
                             self.configuration],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        self.monitor = Lines(topology.start(
            self.namespace, ["nft", "-n", "monitor", "new", "elements"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        since = time.monotonic()
        for _ in range(40):
            self.cli("ban", KNOWN, "--ttl", "1s")
            if all(lines.wait(lambda line: KNOWN in line, since, 1)
                   for lines in (self.watch, self.monitor)):
                return
        raise RuntimeError("node %s: `sipchain watch` or `nft monitor` shows no event"
                           % self.letter)

    def unfollow(self):
        for lines in (self.watch, self.monitor):
            if lines:
                lines.process.terminate()
                lines.process.wait()
        self.watch = self.monitor = None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="backslashreplace") as f:
            return f.read()

    def cli(self, *arguments, **options):
        """A command of sipchain(1) to this daemon."""
        return sipchain(self.program, *arguments, "--config", self.configuration,
                        **options)

    def ask(self, *arguments, **options):
        """The same, answered in JSON."""
        return self.cli(*arguments, as_json=True, **options)

    def runs_again(self, name, starts):
        """Whether a role was started again since `starts` and is ready."""
        try:
            role = self.role(name)
        except CommandFailed:  # the role node itself answers
            return False
        return role["state"] == "running" and role["starts"] > starts

    def role(self, name):
        """The status of one role: pid, state, starts."""
        for role in self.ask("status")["roles"]:
            if role["role"] == name:
                return role
        raise LookupError("status of %s knows no role %s" % (self.letter, name))

    @staticmethod
    def kill(pid):
        """End one role as a crash would."""
        os.kill(pid, signal.SIGKILL)

    # --- the kernel's view, which is the one that counts ---

    def rules(self):
        """The table as nft lists it, or None when it is not there."""
        result = topology.run("nft", "-n", "-j", "list", "table", "inet", "sipchain",
                              namespace=self.namespace, check=False)
        return json.loads(result.stdout)["nftables"] if result.returncode == 0 else None

    def banned(self):
        """{address or prefix: set of nft set names} of all bans in the kernel."""
        bans = {}
        for item in self.rules() or []:
            elements = item.get("set", {}).get("elem", [])
            name = item.get("set", {}).get("name", "")
            if not name.startswith(("all4_", "all6_", "sip4_", "sip6_")):
                continue
            for element in elements:
                value = element["elem"]["val"] if isinstance(element, dict) else element
                bans.setdefault(value, set()).add(name)
        return bans

    def dropped(self):
        """Packets dropped so far, over all rules."""
        packets = 0
        for item in self.rules() or []:
            expressions = item.get("rule", {}).get("expr", [])
            if any("drop" in e for e in expressions):
                packets += sum(e["counter"]["packets"] for e in expressions
                               if isinstance(e.get("counter"), dict))
        return packets

    def stop(self):
        """End it as an operator would; returns its exit status."""
        self.unfollow()
        if not self.process:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -1
