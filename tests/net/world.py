# SPDX-License-Identifier: Apache-2.0
"""The whole stage: topology, three nodes with Asterisk, a customer, sipp."""
import csv
import datetime
import os
import re
import secrets
import subprocess
import threading
import time

import asterisk
import checking
import kamailio
import node
import sip
import topology

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = os.path.join(HERE, "..", "pbx", "sipp")
FOLDER = "/run/sipchain-tests"  # in the private /run: gone with the namespaces
CARRIER = "203.0.113.64/26"     # on the consortium's protected table


# What each node does about numbers; the carrier's own number stands on C's allowlist.
CARRIER_NUMBER = "+442079460999"
NUMBERS = {
    "a": """
[honeypot]
listen = udp:{honeypot}:5060
listen = tcp:{honeypot}:5060
ring = 0s
talk = 1s
record_max = 16M

[numbers]
country = 44
outside = 9
""",
    "b": """
[connector "pbx"]
type = asterisk
secret_file = {secret}
""",
    "c": """
[allow]
entry = {carrier} our carrier's own number

[connector "proxy"]
type = kamailio
socket = {socket}
""",
}


class Failed(Exception):
    """A case's expectation that did not hold."""


def expect(condition, text, *arguments):
    if not condition:
        raise Failed(text % arguments)


# What comes late on a machine that has much else to do comes all the same: limits are
# for what never comes.
PATIENCE = 4


def wait_for(condition, seconds, text, *arguments):
    """Poll until condition() is true, PATIENCE times so long; returns when that was."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        if condition():
            return time.monotonic()
        expect(time.monotonic() < deadline, "not within %g s: %s", seconds, text % arguments)
        time.sleep(0.02)


class Customer(threading.Thread):
    """Registers and calls at every node, all the time; notes each failure."""

    def __init__(self, nodes):
        super().__init__(daemon=True)
        self.nodes = nodes
        self.stopping = threading.Event()
        self.done = {n.letter: 0 for n in nodes}
        self.slowest = 0.0
        self.failures = []
        self.begun = time.monotonic()
        self.sockets = {n.letter: sip.udp("customer", topology.CUSTOMER) for n in nodes}

    def run(self):
        while not self.stopping.is_set():
            for n in self.nodes:
                self._once(n)
            self.stopping.wait(0.2)

    def _once(self, n):
        user = asterisk.EXTENSIONS[0]
        password = n.asterisk.passwords[user]
        socket = self.sockets[n.letter]
        begun = time.monotonic()
        try:
            code = sip.register(socket, n.address, user, password)
            if code == 200:
                code = sip.call(socket, n.address, user, password, asterisk.ECHO)
            if code != 200:
                self._failed(n, begun, "answered %d" % code)
                return
        except (sip.NoAnswer, OSError) as error:
            self._failed(n, begun, str(error))
            return
        self.done[n.letter] += 1
        self.slowest = max(self.slowest, time.monotonic() - begun)

    def _failed(self, n, begun, text):
        self.failures.append("node %s after %.1f s: %s" % (n.letter, begun - self.begun, text))

    def finish(self):
        self.stopping.set()
        self.join(60)


class Attack:
    """One run of sipp from an attacker's address, in the background."""

    count = 0

    def __init__(self, scenario, target, source, calls, rate, values=None, patience=15000,
                 more=()):
        Attack.count += 1
        self.stem = "%s/sipp-%d" % (FOLDER, Attack.count)
        command = ["sipp", target.address + ":5060", "-i", source,
                   "-sf", os.path.join(SCENARIOS, scenario + ".xml"), "-nostdin",
                   "-m", str(calls), "-r", str(rate), "-l", str(calls),
                   "-recv_timeout", str(patience), "-default_behaviors", "none",
                   "-trace_stat", "-stf", self.stem + ".csv", "-fd", "1", *more]
        if values:
            with open(self.stem + ".values", "w", encoding="ascii") as f:
                f.write("SEQUENTIAL\n" + "".join(line + "\n" for line in values))
            command += ["-inf", self.stem + ".values"]
        with open(self.stem + ".out", "wb") as out:
            self.process = topology.start("attacker", command, stdout=out, stderr=out,
                                          cwd=FOLDER)
        self.begun = time.monotonic()

    def finish(self, seconds=20):
        """Wait for its end; returns (answered as the scenario expects, not)."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Failed("sipp does not end: see %s.out" % self.stem) from None
        try:
            with open(self.stem + ".csv", encoding="ascii", newline="") as f:
                last = list(csv.DictReader(f, delimiter=";"))[-1]
        except (FileNotFoundError, IndexError):
            with open(self.stem + ".out", encoding="utf-8", errors="replace") as f:
                raise Failed("sipp gave no figures: " + f.read()[-300:]) from None
        return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class World:
    """Everything up and running; cases act on it."""

    def __init__(self, build, tree, proxy, ttl, say, kind="local"):
        self.build = build
        self.ttl = ttl
        self.say = say
        self.attackers = list(topology.ATTACKERS)
        self.notes = {}  # what a case leaves to later ones
        os.makedirs(FOLDER, exist_ok=True)
        say("namespaces and routes")
        topology.build(chain=kind == "ethereum")
        self.consortium = None
        if kind == "ethereum":
            import consortium
            say("four validators, the contract")
            self.consortium = consortium.Consortium(FOLDER)
            self.ledger = self.consortium.ledger(node.find(build, "sipchain"), ttl)
        else:
            self.ledger = node.Ledger(node.find(build, "sipchain"), FOLDER, ttl)
        self.carrier = sip.Carrier("customer", topology.TRUNK)
        self.proxy = kamailio.Kamailio(proxy, "c", FOLDER + "/kamailio",
                                       address=topology.PROXY, carrier=topology.TRUNK)
        self.nodes = []
        for number, letter in enumerate(topology.NODES):
            folder = FOLDER + "/" + letter
            os.makedirs(folder)
            pbx = (checking if letter == "b" else asterisk).Asterisk(
                tree, "sip-" + letter, number, folder + "/asterisk")
            self.nodes.append(node.Node(build, letter, folder, self.ledger, pbx, ttl,
                                        self._numbers(letter, folder, pbx)))
        self.a, self.b, self.c = self.nodes
        self.ledger.administer("protect", "add", CARRIER)
        self._start()
        self.customer = Customer(self.nodes)
        self.customer.start()

    def _numbers(self, letter, folder, pbx):
        """What a node's configuration says of numbers."""
        secret = folder + "/ami.secret"
        if letter == "b":
            with open(secret, "w", encoding="ascii") as f:
                os.chmod(secret, 0o600)
                f.write(pbx.secret + "\n")
        return NUMBERS[letter].format(honeypot=topology.HONEYPOT, carrier=CARRIER_NUMBER,
                                      secret=secret, socket=self.proxy.rpc)

    def _start(self):
        self.say("three Asterisks, a Kamailio")
        self.proxy.start()
        for n in self.nodes:
            n.asterisk.start()
        for n in self.nodes:
            n.asterisk.wait_booted()
        self.say("three nodes")
        for n in self.nodes:
            n.start()
        for n in self.nodes:
            n.wait_ready()
        for n in self.nodes:
            n.follow()

    def attacker(self):
        """An address that has done nothing yet."""
        return self.attackers.pop(0)

    def guess_passwords(self, target, source, calls=30, rate=20, **options):
        """A password attack: accounts in turn, a fresh guess each."""
        values = ["%s;[authentication username=%s password=%s]" % (
            asterisk.EXTENSIONS[i % 10], asterisk.EXTENSIONS[i % 10],
            secrets.token_hex(4)) for i in range(calls)]
        return Attack("password", target, source, calls, rate, values, **options)

    # --- waiting for what should come ---

    def detection(self, n, address, since, seconds=60):
        """When the node said that it detected the address."""
        return self.event(n, "detection", address, since, seconds)

    def event(self, n, kind, address, since, seconds=60):
        found = n.watch.wait(
            lambda line: '"%s"' % kind in line and '"%s"' % address in line, since, seconds)
        expect(found, "node %s: no event %s of %s within %g s", n.letter, kind, address,
               seconds)
        return found[0]

    @staticmethod
    def refused(n, address, before):
        """When Asterisk refused the last guess before that time, by its own log."""
        offset = time.time() - time.monotonic()
        pattern = re.compile(r'ChallengeResponseFailed.*EventTV=\\"([^"\\]+)\\".*/%s/'
                             % re.escape(address))
        with open(n.asterisk.security_log, encoding="utf-8") as log:
            stamps = pattern.findall(log.read())
        times = [datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
                 - offset for stamp in stamps]
        # Its clock has milliseconds, cut off; a guess may still be on its way.
        times = [t for t in times if t <= before]
        expect(times, "Asterisk of %s logged no guess of %s", n.letter, address)
        return max(times)

    def rule(self, n, address, since, seconds=60):
        """When the kernel said that the address is in a set of the node."""
        pattern = re.compile(r"element inet sipchain (all|sip)\S* .*\b%s\b"
                             % re.escape(address))
        found = n.monitor.wait(pattern.search, since, seconds)
        expect(found, "node %s: no rule for %s within %g s", n.letter, address, seconds)
        expect(address in n.banned(), "node %s: nft lists no rule for %s", n.letter, address)
        return found[0]

    def gone(self, n, address, seconds):
        """Wait until the kernel has no rule for it; returns when that was."""
        return wait_for(lambda: address not in n.banned(), seconds,
                        "node %s: the rule for %s is gone", n.letter, address)

    def not_banned(self, address):
        for n in self.nodes:
            expect(address not in n.banned(), "node %s bans %s", n.letter, address)

    def listed(self, n, address):
        """What `check` knows of the address on the ledger, or None."""
        answer = n.ask("check", address, check=False)
        return answer["listed"][0] if answer["listed"] else None

    def words(self, address):
        """The (member, action) pairs of the ledger's history about an address."""
        return [(operation["member"], word["action"])
                for operation in self.ledger.operations() for word in operation.get("words", [])
                if word["indicator"] == address]

    def settle(self):
        """Until nothing of the nodes' is on its way to the ledger."""
        for n in self.nodes:
            def empty(n=n):
                outbox = n.ask("status")["outbox"]
                return not outbox["waiting"] and not outbox["submitted"]
            wait_for(empty, 20, "node %s: its outbox is empty", n.letter)

    def fence(self):
        """Attack every node with a fresh address until each has detected it.

        Sensors work in order: when this was seen, all before it was seen too.
        """
        for n in self.nodes:
            since, source = time.monotonic(), self.attacker()
            attack = self.guess_passwords(n, source, calls=12)
            self.detection(n, source, since)
            attack.stop()

    def stop(self):
        """End all in order; returns complaints."""
        self.customer.finish()
        complaints = []
        for n in self.nodes:
            status = n.stop()
            if status:
                complaints.append("sipchaind of %s left with status %d" % (n.letter, status))
            for pattern in ("Sanitizer", "runtime error:", "assert"):
                lines = [line for line in n.log().splitlines() if pattern in line]
                complaints += ["node %s: %s" % (n.letter, line) for line in lines[:5]]
            n.asterisk.stop()
        self.proxy.stop()
        self.carrier.stop()
        if self.consortium:
            self.consortium.stop()
        return complaints
