#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""production.py --build FOLDER [--results FILE]: as the package runs it.

Started by root with the unit's capabilities, the roles become the user
sipchain; /etc, /run, /var/lib and /var/log are copies or empty ones in a
private mount namespace, so that the machine itself stays untouched. Leaves
with 1 when a check failed, 2 when the stage could not be set.
"""
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
# pylint: disable=wrong-import-position
import checks
import node
import topology
from checks import Mismatch, want

UNIT = os.path.join(HERE, "../../packaging/systemd/sipchaind.service.in")
USERS = {"sipchain": 4100, "asterisk": 4200, "clerk": 4300, "second": 4400, "guest": 4500}
GROUPS = {"operators": 4600, "sharing": 4700}
MEMBERS = {"asterisk": ["sipchain"], "operators": ["clerk"], "sharing": ["sipchain", "second"]}
CONF = "/etc/sipchain/sipchain.conf"
LOG = "/var/log/asterisk/security.json"
LEDGER = "/var/lib/shared/ledger.db"
NET_ADMIN = 1 << 12

SECOND = """\
[node]
name = second
user =
state = /var/lib/second/state
run = /var/lib/second/run
[member]
key = /var/lib/second/member.key
[ledger]
path = %s
[enforce]
type = none
""" % LEDGER


def eventually(condition, what, seconds=60):
    """The condition's value as soon as it holds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Mismatch("not within %d s: %s" % (seconds, what))
        time.sleep(0.05)


def unit_capabilities():
    """The bounding set of the unit, as setpriv(1) takes it."""
    with open(UNIT, encoding="ascii") as f:
        lines = re.findall(r"^CapabilityBoundingSet=(.*)$", f.read(), re.MULTILINE)
    names = " ".join(lines).replace("CAP_", "").lower().split()
    want("net_admin" in names, "the unit's capabilities: %r", names)
    return "-all," + ",".join("+" + name for name in names)


def owner(path):
    """(user, group, mode) of a file."""
    s = os.lstat(path)
    names = {**{v: k for k, v in GROUPS.items()}, **{v: k for k, v in USERS.items()},
             0: "root"}
    return names.get(s.st_uid, s.st_uid), names.get(s.st_gid, s.st_gid), \
        stat.S_IMODE(s.st_mode)


class Manager:
    """What systemd hears: the datagrams of sd_notify(3)."""

    def __init__(self):
        self.path = "/run/notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(90)
        self.heard = []

    def wait(self, word):
        """Until a datagram holds this line."""
        while True:
            try:
                text = self.socket.recv(4096).decode()
            except socket.timeout as error:
                raise Mismatch("no %s within 90 s, only %r" % (word, self.heard)) from error
            self.heard.append(text)
            if word in text.splitlines():
                return


class Stage:
    """The private system, and the daemon in it."""

    def __init__(self, build):
        for name in ("/var/lib", "/var/log", "/run/etc"):
            os.makedirs(name, exist_ok=True)
            topology.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", name)
        topology.run("cp", "-a", "/etc/.", "/run/etc/")
        topology.run("mount", "--bind", "/run/etc", "/etc")
        self.accounts()
        # Where every user can run them.
        os.makedirs("/run/bin")
        self.daemon = shutil.copy(node.find(build, "sipchaind"), "/run/bin")
        self.program = shutil.copy(node.find(build, "sipchain"), "/run/bin")
        os.makedirs("/var/log/asterisk", mode=0o750)
        os.makedirs(os.path.dirname(LEDGER))
        shutil.chown(os.path.dirname(LEDGER), USERS["sipchain"], GROUPS["sharing"])
        os.chmod(os.path.dirname(LEDGER), 0o2770)
        open(LOG, "w", encoding="ascii").close()
        self.give_log()
        topology.run("ip", "link", "set", "lo", "up")
        self.manager = Manager()
        self.process = self.other = None

    @staticmethod
    def accounts():
        with open("/etc/passwd", "a", encoding="ascii") as passwd, \
                open("/etc/group", "a", encoding="ascii") as group:
            for name, number in USERS.items():
                passwd.write("%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n"
                             % (name, number, number))
            for name, number in {**USERS, **GROUPS}.items():
                group.write("%s:x:%d:%s\n" % (name, number,
                                              ",".join(MEMBERS.get(name, []))))
        with open("/etc/nsswitch.conf", "w", encoding="ascii") as f:
            f.write("passwd: files\ngroup: files\n")

    @staticmethod
    def give_log():
        shutil.chown("/var/log/asterisk", USERS["asterisk"], USERS["asterisk"])
        shutil.chown(LOG, USERS["asterisk"], USERS["asterisk"])
        os.chmod(LOG, 0o640)

    def start(self):
        """As the unit starts it: root, few capabilities, a notify socket."""
        self.manager.heard.clear()
        environment = dict(os.environ, NOTIFY_SOCKET=self.manager.path,
                           WATCHDOG_USEC="4000000")
        with open("/run/log", "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--bounding-set", unit_capabilities(), "--inh-caps", "-all",
                 "--no-new-privs", self.daemon, "-c", CONF], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env=environment)
        try:
            self.manager.wait("READY=1")
        except Mismatch as error:
            raise Mismatch("%s\n%s" % (error, self.log()[-2000:])) from error

    def stop(self):
        """SIGTERM, as systemctl stop sends; returns the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.process, self.other):
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    @staticmethod
    def log():
        with open("/run/log", encoding="utf-8", errors="backslashreplace") as f:
            return f.read()

    def cli(self, *arguments, status=0, user=None):
        """A command of sipchain(1), by root or another user."""
        options = {}
        if user:
            groups = [g for g, names in MEMBERS.items() if user in names]
            options = {"user": USERS[user], "group": USERS[user], "extra_groups":
                       [GROUPS.get(g, USERS.get(g)) for g in groups]}
        result = subprocess.run([self.program, *arguments], capture_output=True, text=True,
                                check=False, stdin=subprocess.DEVNULL, timeout=60, **options)
        want(result.returncode == status, "sipchain %s: status %d, not %d: %s",
             " ".join(arguments), result.returncode, status,
             (result.stderr or result.stdout).strip()[-400:])
        return result.stdout

    def ask(self, *arguments, **options):
        return json.loads(self.cli(*arguments, "--json", **options))

    def role(self, name):
        return [r for r in self.ask("status")["roles"] if r["role"] == name][0]

    def ready(self):
        """Read and armed: the ledger caught up, the firewall's table there."""
        def so():
            result = subprocess.run([self.program, "status", "--json"], check=False,
                                    capture_output=True, text=True)
            if result.returncode:
                return False
            status = json.loads(result.stdout)
            return (status["ledger"]["caught_up"] and status["ledger"]["healthy"]
                    and status["enforcer"]["active"])
        eventually(so, "the daemon is ready; its log: " + self.log()[-1500:])


def kernel():
    """What stands in the firewall, as text."""
    return topology.run("nft", "list", "table", "inet", "sipchain", check=False).stdout


def failures(address, count):
    """Asterisk's own lines about wrong passwords that come over TCP."""
    now = time.time()
    lines = []
    for n in range(count):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".%03d+0000" % n
        message = ('SecurityEvent="ChallengeResponseFailed",EventTV="%s",Severity="Error",'
                   'Service="PJSIP",EventVersion="1",AccountID="101",SessionID="%d@x",'
                   'LocalAddress="IPV4/TCP/192.0.2.1/5060",RemoteAddress="IPV4/TCP/%s/%d",'
                   'Challenge=""\n' % (stamp, n, address, 5000 + n))
        lines.append(json.dumps({
            "hostname": "", "timestamp": stamp.replace("T", " ")[:23],
            "identifiers": {"lwp": 9, "callid": ""},
            "logmsg": {"location": {"filename": "res_security_log.c",
                                    "function": "security_event_stasis_cb", "line": 114},
                       "level": "SECURITY", "message": message}}, separators=(",", ":")))
    with open(LOG, "a", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")


# --- the checks, in order ---

def made_by_init(s):
    """init as root makes folders, keys and files with the right owners"""
    s.cli("init", "--yes", "--name", "edge1", "--ledger", LEDGER, "--allow-unroutable",
          "--security-log", LOG, "--hep", "udp:127.0.0.1:9060")
    want(owner("/etc/sipchain/member.key") == ("root", "root", 0o600), "member.key: %r",
         owner("/etc/sipchain/member.key"))
    want(owner("/etc/sipchain/owner.key") == ("root", "root", 0o600), "owner.key")
    want(owner(CONF) == ("root", "root", 0o644), "%s: %r", CONF, owner(CONF))
    for suffix in ("", "-wal", "-shm", "-bell"):
        want(owner(LEDGER + suffix) == ("sipchain", "sharing", 0o660), "%s%s: %r", LEDGER,
             suffix, owner(LEDGER + suffix))
    with open(CONF, "a", encoding="ascii") as f:
        f.write("\n[node]\ncontrol_group = operators\n")


def starts(s):
    """it starts with the unit's capabilities and tells the manager"""
    s.start()
    s.ready()
    s.manager.wait("WATCHDOG=1")
    want(owner("/run/sipchain") == ("sipchain", "sipchain", 0o755), "%r",
         owner("/run/sipchain"))
    want(owner("/var/lib/sipchain") == ("sipchain", "sipchain", 0o750), "%r",
         owner("/var/lib/sipchain"))
    want(owner("/var/lib/sipchain/node.db")[:2] == ("sipchain", "sipchain"), "%r",
         owner("/var/lib/sipchain/node.db"))
    want(not owner("/var/lib/sipchain/node.db")[2] & 0o007, "node.db is open to others")
    want(owner("/run/sipchain/control.sock")[1:] == ("operators", 0o660), "%r",
         owner("/run/sipchain/control.sock"))


def roles_are_nobody(s):
    """each role is the user sipchain, with its groups and no capability too many"""
    for role in s.ask("status")["roles"]:
        with open("/proc/%d/status" % role["pid"], encoding="ascii") as f:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        want(set(fields["Uid"].split()) == {"4100"}, "%s: uid %s", role["role"],
             fields["Uid"])
        want(set(fields["Gid"].split()) == {"4100"}, "%s: gid %s", role["role"],
             fields["Gid"])
        want({"4200", "4700"} <= set(fields["Groups"].split()), "%s: groups %s",
             role["role"], fields["Groups"])
        keeps = NET_ADMIN if role["role"] == "enforce" else 0
        for which in ("CapEff", "CapPrm", "CapBnd"):
            want(int(fields[which], 16) == keeps, "%s: %s %s", role["role"], which,
                 fields[which])
        want(fields["NoNewPrivs"].strip() == "1" and fields["Seccomp"].strip() == "2",
             "%s: not sealed", role["role"])


def who_may(s):
    """operators change things, guests do not get in"""
    s.cli("status", user="clerk")
    s.cli("ban", "203.0.113.40", "--ttl", "1h", user="clerk")
    s.cli("unban", "203.0.113.40", user="clerk")
    s.cli("status", status=4, user="guest")
    s.cli("ban", "203.0.113.40", status=4, user="guest")
    s.cli("key", "address", "/etc/sipchain/member.key", status=4, user="sipchain")


def reports(s):
    """a report goes onto the ledger and comes back as a ban in the kernel"""
    s.cli("report", "198.51.100.7", "--category", "scan", "--ttl", "2h")
    eventually(lambda: "198.51.100.7" in kernel(), "the ban of 198.51.100.7")
    s.cli("check", "198.51.100.7", user="clerk")
    s.cli("ledger", "verify")
    want(owner(LEDGER + "-wal") == ("sipchain", "sharing", 0o660), "root's command left "
         "%r", owner(LEDGER + "-wal"))


def log_by_group(s):
    """security.json is read by its group, also after a rotation"""
    failures("198.51.100.77", 20)
    eventually(lambda: "198.51.100.77" in kernel(), "a ban by the log")
    os.rename(LOG, LOG + ".1")
    open(LOG, "w", encoding="ascii").close()
    s.give_log()
    failures("198.51.100.78", 20)
    eventually(lambda: "198.51.100.78" in kernel(), "a ban by the log after its rotation")


def other_user(s):
    """another user's daemon shares the ledger by the group"""
    os.makedirs("/var/lib/second/state")
    os.makedirs("/var/lib/second/run")
    with open("/var/lib/second/conf", "w", encoding="ascii") as f:
        f.write(SECOND)
    for name in ("", "/state", "/run"):
        shutil.chown("/var/lib/second" + name, USERS["second"], USERS["second"])
    address = s.cli("key", "new", "/var/lib/second/member.key", user="second").strip()
    s.cli("member", "add", "--name", "second", "--signer", address, "--key",
          "/etc/sipchain/owner.key")
    with open("/run/log", "ab") as log:
        s.other = subprocess.Popen([s.daemon, "-c", "/var/lib/second/conf"], stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL,
                                   user=USERS["second"], group=USERS["second"],
                                   extra_groups=[GROUPS["sharing"]])
    config = ("--config", "/var/lib/second/conf")

    def sees():
        result = subprocess.run([s.program, "check", "198.51.100.7", *config], check=False,
                                capture_output=True, text=True)
        return result.returncode == 0 and "edge1" in result.stdout
    # `check` would also read the ledger without the daemon.
    eventually(lambda: '"caught_up": true' in subprocess.run(
        [s.program, "status", "--json", *config], check=False, capture_output=True,
        text=True).stdout, "the second daemon has read the ledger")
    eventually(sees, "the second daemon knows the report")
    s.cli("report", "198.51.100.8", "--ttl", "1h", *config, user="second")
    eventually(lambda: "198.51.100.8" in kernel(), "the second's report is a ban here")


def survives(s):
    """every role that is killed comes back as the same user and works on"""
    for number, name in enumerate(("sense", "ledger", "enforce", "node")):
        before = s.role(name)
        os.kill(before["pid"], signal.SIGKILL)

        def again(name=name, before=before):
            try:
                role = s.role(name)
            except Mismatch:  # the role node itself answers
                return False
            # A new node counts anew what it was told; the pid tells.
            return role["pid"] not in (0, before["pid"]) and role["state"] == "running"
        eventually(again, "%s runs again" % name)
        s.ready()
        want(s.role(name)["uid"] == 4100, "%s came back as %d", name, s.role(name)["uid"])
        address = "198.51.100.%d" % (90 + number)
        s.cli("report", address, "--ttl", "1h")
        eventually(lambda address=address: address in kernel(), "a ban after %s" % name)
        want("198.51.100.7" in kernel(), "a ban is gone after %s", name)


def reloads(s):
    """SIGHUP reads the configuration anew and tells the manager"""
    with open(CONF, encoding="ascii") as f:
        text = f.read()
    with open(CONF, "w", encoding="ascii") as f:
        f.write(text + "\n[allow]\nentry = 198.51.100.7 a partner\n")
    s.process.send_signal(signal.SIGHUP)
    s.manager.wait("READY=1")
    want(any("RELOADING=1" in t for t in s.manager.heard), "no RELOADING=1: %r",
         s.manager.heard)
    eventually(lambda: "a partner" in s.cli("allow", "list"), "the new entry")
    eventually(lambda: not s.ask("check", "198.51.100.7")["bans"], "the ban's end")
    with open(CONF, "w", encoding="ascii") as f:
        f.write(text + "\n[nonsense]\n")
    s.process.send_signal(signal.SIGHUP)
    eventually(lambda: "unknown section [nonsense]" in s.log(), "the error in the log")
    s.cli("allow", "list", status=78)
    want("a partner" in s.cli("allow", "list", "--socket", "/run/sipchain/control.sock"),
         "a wrong configuration took effect")
    with open(CONF, "w", encoding="ascii") as f:
        f.write(text)
    s.process.send_signal(signal.SIGHUP)
    eventually(lambda: "198.51.100.7" in kernel(), "the ban comes back")


def restarts(s):
    """stop leaves the bans in the kernel, start takes them over"""
    s.cli("ban", "203.0.113.50", "--ttl", "3h", "--note", "by hand")
    before = {(b["indicator"], b["scope"]) for b in s.ask("banned")["bans"]}
    code = s.stop()
    want(code == 0, "exit status %d\n%s", code, s.log()[-1500:])
    want("203.0.113.50" in kernel() and "198.51.100.7" in kernel(), "bans left the kernel")
    s.cli("status", status=3)
    s.start()
    s.ready()
    after = {(b["indicator"], b["scope"]) for b in s.ask("banned")["bans"]}
    want(before <= after, "lost: %r", before - after)
    want("203.0.113.50" in kernel(), "the ban by hand is not in the kernel")


def refuses(s):
    """a missing user and an open key are told, with the remedy"""
    want(s.stop() == 0, "exit status")
    with open(CONF, encoding="ascii") as f:
        text = f.read()
    for change, told in (("user = nobodyhere", "there is no user"),
                         ("control_group = nogrouphere", "there is no group")):
        key = change.split(" = ", maxsplit=1)[0]
        with open(CONF + ".d.tmp", "w", encoding="ascii") as f:
            f.write("\n".join(line for line in text.splitlines()
                              if not line.startswith(key)) + "\n[node]\n" + change + "\n")
        refused(s, CONF + ".d.tmp", told)
    os.chmod("/etc/sipchain/member.key", 0o640)
    refused(s, CONF, "chmod 600")
    os.chmod("/etc/sipchain/member.key", 0o600)


def refused(s, config, told):
    """Start it: it tells why it does not run, and ends."""
    before = len(s.log())
    with open("/run/log", "ab") as log, subprocess.Popen(
            [s.daemon, "-c", config], stdout=log, stderr=log,
            stdin=subprocess.DEVNULL) as process:
        try:
            code = process.wait(60)
        finally:
            process.kill()
    want(told in s.log()[before:], "no %r in the log", told)
    want(code == 78, "%s: exit status %d, not 78", told, code)


CHECKS = (made_by_init, starts, roles_are_nobody, who_may, reports, log_by_group, other_user,
          survives, reloads, restarts, refuses)


def unfit():
    """Why it cannot be played here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    with open("/proc/self/uid_map", encoding="ascii") as f:
        if sum(int(line.split()[2]) for line in f) < 65536:
            return "needs the uids of a whole system, not of a user namespace"
    return None if shutil.which("setpriv") else "needs setpriv (util-linux)"


def main():
    found = checks.options(checks.parser(__doc__))
    reason = unfit()
    if reason:
        print("production: skipped: " + reason)
        checks.record(found.results, "skip", "production: all of it (%s)" % reason)
        return
    checks.main(found, Stage, CHECKS, "production", enter=topology.enter,
                broken=(topology.TopologyError,))


if __name__ == "__main__":
    main()
