#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""filters.py --build FOLDER [--results FILE]: logs that fail2ban's own filters read.

One node whose sources are of type log, with Debian's filters for Asterisk and
FreeSWITCH: from files, which are rotated, replaced and taken away, from a journal, and
as syslog of another host. Leaves with 1 when a check failed, 2 when the stage could
not be set.
"""
import os
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import checks
import node
import run
import sip
import topology
from bare import BareNode, Sources, expect_never_reported
from world import FOLDER, expect, wait_for

STOCK = "/etc/fail2ban/filter.d"
WRITER = "/lib/systemd/systemd-journal-remote"
JOURNAL = FOLDER + "/journal"
VICTIM = topology.NEIGHBOUR
GATEWAY = topology.NODES["b"]  # the other host, which sends its syslog here

WRONG = ("NOTICE[1234][C-0000002a]: chan_sip.c:28790 handle_request_register: Registration "
         "from '\"100\" <sip:100@192.0.2.11>' failed for '%s:5071' - Wrong password")
UNKNOWN = ("NOTICE[1234]: res_pjsip/pjsip_distributor.c:676 log_failed_request: Request "
           "'REGISTER' from '<sip:9@192.0.2.11>' failed for '%s:5060' (callid: 1-2@x) - "
           "No matching endpoint found")
SECURITY = ("SECURITY[99]: res_security_log.c:114 security_event_stasis_cb: SecurityEvent="
            "\"InvalidPassword\",EventTV=\"2026-11-22T08:00:00.000+0000\",Severity=\"Error\","
            "Service=\"PJSIP\",EventVersion=\"2\",AccountID=\"100\",SessionID=\"0x1\","
            "LocalAddress=\"IPV4/UDP/192.0.2.11/5060\",RemoteAddress=\"IPV4/UDP/%s/5060\","
            "Challenge=\"1\"")
SHAPES = (WRONG, UNKNOWN, SECURITY)

# Each further letter doubles the steps; no literal text tells its lines from others.
CATASTROPHE = "[Definition]\nfailregex = ^.*spin (?:x+x+)+[^z] from <HOST>$\n"


def stamp(seconds=0):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + seconds))


def lines(address, ago=0):
    """What Asterisk writes of three failures, one of each shape."""
    return "".join("[%s] %s\n" % (stamp(-ago), shape % address) for shape in SHAPES)


def switch_lines(address):
    """The same of FreeSWITCH."""
    return ("%s.123456 [WARNING] sofia_reg.c:1793 SIP auth failure (REGISTER) on sofia "
            "profile 'internal' for [100@192.0.2.11] from ip %s\n" % (stamp(), address)) * 3


class Stage:
    """Node a, its logs; nothing else listens."""

    def __init__(self, build):
        if not os.access(STOCK + "/asterisk.conf", os.R_OK):
            raise FileNotFoundError("there is no %s/asterisk.conf: install fail2ban" % STOCK)
        os.makedirs(FOLDER + "/shared")
        os.makedirs(JOURNAL)
        topology.build()
        self.ledger = node.Ledger(node.find(build, "sipchain"), FOLDER + "/shared", 3600)
        self.a = BareNode(build, "a", self.ledger)
        self.logs = self.a.folder + "/logs"
        self.asterisk = self.logs + "/asterisk/messages"
        self.switch = self.logs + "/freeswitch/freeswitch.log"
        for path in (self.asterisk, self.switch):
            os.makedirs(os.path.dirname(path))
            write(path, "")
        self.filter = self.a.folder + "/catastrophe.conf"
        write(self.filter, CATASTROPHE)
        for name, values in {
                "asterisk": {"filter": "asterisk", "path": self.asterisk},
                "switch": {"filter": "freeswitch", "path": self.switch},
                "slow": {"filter": self.filter, "path": self.asterisk},
                "journal": {"filter": "asterisk", "journal": "asterisk.service",
                            "journal_path": JOURNAL},
                "udp": {"filter": "asterisk", "from": GATEWAY,
                        "syslog": "udp:%s:5515" % self.a.address},
                "tcp": {"filter": "freeswitch", "from": GATEWAY,
                        "syslog": "tcp:%s:5514" % self.a.address}}.items():
            for key, value in dict(values, type="log").items():
                self.a.settings['source "%s".%s' % (name, key)] = value
        self.a.configure({})
        self.a.start()
        self.a.wait_ready()
        self.wait_reading()

    def wait_reading(self):
        """Until it follows the logs: what stood in them before counts for nothing."""
        wait_for(lambda: self.a.source("asterisk").get("state") == "reading", 10, "it reads")

    def reload(self):
        starts = self.a.role("sense")["starts"]
        self.a.hangup()
        wait_for(lambda: self.a.runs_again("sense", starts), 20, "sense runs again")

    def banned(self, address):
        """Wait until it is, here; a log's word goes to nobody else."""
        self.a.wait_banned(address, "all4_32")
        expect_never_reported(self.ledger, address)

    def attack(self, path=None):
        """Three fresh failures in a log, Asterisk's unless told, until they count."""
        address = Sources.fresh()
        if path == self.switch:
            append(path, switch_lines(address))
        else:
            append(path or self.asterisk, lines(address))
        self.banned(address)
        return address

    def trouble(self, name, text, seconds=10):
        wait_for(lambda: text in self.a.source(name).get("trouble", ""), seconds,
                 "the status of %s says \"%s\"", name, text)

    def well(self, name, seconds=10):
        wait_for(lambda: self.a.source(name).get("trouble") == "", seconds,
                 "the status of %s says nothing", name)

    def journal(self, text, unit="asterisk.service"):
        """Append one entry to the journal."""
        message = text.encode("latin-1")
        entry = ("__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n"
                 "_MACHINE_ID=%s\n_SYSTEMD_UNIT=%s\n_PID=7\n_HOSTNAME=pbx\n"
                 "SYSLOG_IDENTIFIER=asterisk\nMESSAGE\n" % (
                     time.time() * 1e6, time.monotonic() * 1e6, "0" * 31 + "1",
                     "0" * 31 + "2", unit)).encode("ascii")
        entry += struct.pack("<Q", len(message)) + message + b"\n\n"
        subprocess.run([WRITER, "-o", JOURNAL + "/system.journal", "-"], input=entry,
                       capture_output=True, check=True)

    def stop(self):
        status = self.a.stop()
        complaints = ["sipchaind left with status %d" % status] if status else []
        return complaints + [text for text in self.a.log().splitlines()
                             if "Sanitizer" in text or "runtime error:" in text][:5]


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def append(path, text):
    with open(path, "ab") as f:
        f.write(text if isinstance(text, bytes) else text.encode("utf-8"))


# --- a file ---

def stock(s):
    """Debian's filters find what they should; it is banned here and reported never."""
    s.attack()
    s.attack(s.switch)
    for name, found in (("asterisk", 3), ("switch", 3), ("slow", 0)):
        wait_for(lambda name=name, found=found: s.a.source(name).get("lines") == 3
                 and s.a.source(name)["failures"] == found, 10, "%s has read 3 lines, %d are "
                 "failures", name, found)
    text = s.a.cli("status")
    expect("source    asterisk (log) reading; 3 observations, 3 lines, 3 failures" in text,
           "status: %s", text)


def partial(s):
    """A line counts when it is whole."""
    address = Sources.fresh()
    text = lines(address)
    append(s.asterisk, text[:-20])
    s.attack(s.switch)
    time.sleep(1.5)
    expect(address not in s.a.banned(), "a line without its end counts")
    append(s.asterisk, text[-20:])
    s.banned(address)


def rotated(s):
    """logrotate: renamed, written to under the old name still, made anew; cut in place."""
    address = Sources.fresh()
    first, rest = lines(address).split("\n", 1)
    append(s.asterisk, first + "\n")
    os.rename(s.asterisk, s.asterisk + ".1")
    write(s.asterisk, "")
    append(s.asterisk + ".1", rest)
    s.banned(address)
    s.attack()
    os.truncate(s.asterisk, 0)
    s.attack()
    down = Sources.fresh()
    expect(s.a.stop() == 0, "it does not end in order")
    append(s.asterisk, lines(down))
    os.rename(s.asterisk, s.asterisk + ".2")
    write(s.asterisk, "")
    s.a.restart()
    s.banned(down)
    s.attack()


def replaced(s):
    """The log a folder, a pipe, a link, gone: said so; the others are read on."""
    for make, text in ((os.mkdir, "is no regular file"), (os.mkfifo, "is no regular file"),
                       (lambda path: os.symlink("/etc/passwd", path), "is no regular file"),
                       (lambda path: None, "is not there")):
        os.rename(s.asterisk, s.asterisk + ".away")
        make(s.asterisk)
        s.trouble("asterisk", "%s %s" % (s.asterisk, text))
        s.attack(s.switch)
        expect(s.a.source("switch")["trouble"] == "", "%s", s.a.source("switch"))
        if os.path.isdir(s.asterisk):
            os.rmdir(s.asterisk)
        elif os.path.lexists(s.asterisk):
            os.unlink(s.asterisk)
        os.rename(s.asterisk + ".away", s.asterisk)
        s.well("asterisk")
        s.attack()
    expect(s.a.log().count("log messages: cannot read: it is no regular file") >= 3,
           "the log does not say it")
    expect(s.asterisk + " is not there" not in s.a.cli("status"), "status shows the old")


def forbidden(s):
    """The right to read lost: said so, with what helps; read on when it is back."""
    os.close(os.open(s.asterisk + ".new", os.O_CREAT | os.O_WRONLY, 0))
    os.rename(s.asterisk + ".new", s.asterisk)
    s.trouble("asterisk", "may not be read by this user; let its owner give the right")
    expect("let its owner give the right" in s.a.cli("status"), "status hides it")
    s.attack(s.switch)
    address = Sources.fresh()
    append(s.asterisk, lines(address))
    os.chmod(s.asterisk, 0o640)
    s.banned(address)
    s.well("asterisk")


def junk(s):
    """Binary junk, broken UTF-8, a line of 100 MB: no more memory, and nothing lost after."""
    before = s.a.role("sense")
    append(s.asterisk, b"\x00\xff\xfe" * 1000 + b"\n" + b"\xf0\x28\x8c\x28" * 5000 + b"\n")
    with open(s.asterisk, "ab") as f:
        for _ in range(100):
            f.write(b"[2026-11-22 08:00:00] NOTICE[1]: " * (1 << 15))
        f.write(b"\n")
    s.attack()
    after = s.a.role("sense")
    expect(after["pid"] == before["pid"], "the role was started again")
    expect(after["rss_kib"] - before["rss_kib"] < 32 * 1024, "it grew from %d to %d KiB",
           before["rss_kib"], after["rss_kib"])
    os.truncate(s.asterisk, 0)
    s.attack()


def clocks(s):
    """Dates from the future and the past do not keep the present from counting."""
    future = Sources.fresh()
    append(s.asterisk, lines(future, -86400))
    s.banned(future)
    append(s.asterisk, lines(Sources.fresh(), 86400))
    s.attack()


def catastrophe(s):
    """A filter that needs endless steps: cut off, and the others lose nothing."""
    for count in range(40):
        append(s.asterisk, "[%s] spin %sz from %s\n" % (stamp(), "x" * 40 + "z" * count, VICTIM))
    s.attack()
    s.attack(s.switch)
    wait_for(lambda: s.a.source("slow").get("off") == 1, 20, "the expression is off")
    expect(s.a.source("slow")["exhausted"] > 0, "%s", s.a.source("slow"))
    expect(VICTIM not in s.a.banned(), "the victim is banned")


def reloaded(s):
    """A filter that is broken meanwhile: named with file and line; the others go on."""
    write(s.filter, "[Definition]\nfailregex = ^fail (unclosed <HOST>$\n")
    s.reload()
    wait_for(lambda: s.a.source("slow").get("state") == "unused", 10, "it is not used")
    expect(s.filter + ":2: failregex 1: " in s.a.source("slow")["trouble"], "%s",
           s.a.source("slow"))
    s.attack()
    write(s.filter, "[Definition]\nfailregex = ^ other <HOST>$\n")
    s.reload()
    wait_for(lambda: s.a.source("slow").get("state") == "reading", 10, "it is read again")
    address = Sources.fresh()
    append(s.asterisk, ("%s other %s\n" % (stamp(), address)) * 3)
    s.banned(address)


# --- the journal ---

def journal(s):
    """Entries of the unit, with and without a time of Asterisk's own; none twice."""
    if not os.access(WRITER, os.X_OK):
        return "no " + WRITER
    first, down, other = (Sources.fresh() for _ in range(3))
    for shape in SHAPES:
        s.journal(shape % first)
        s.journal(shape % other, "other.service")
    s.banned(first)
    expect(s.a.stop() == 0, "it does not end in order")
    for shape in SHAPES:
        s.journal("[%s] %s" % (stamp(), shape % down))
    s.a.restart()
    s.banned(down)
    wait_for(lambda: s.a.source("journal").get("lines", 0) >= 3, 10, "its figures come")
    expect(s.a.source("journal")["lines"] == 3, "it reads %d entries after the restart",
           s.a.source("journal")["lines"])
    # A line break of a sender's begins no line of its own.
    for _ in range(3):
        s.journal("NOTICE[1]: x.c:1 y: hm\n[%s] %s" % (stamp(), WRONG % VICTIM))
    wait_for(lambda: s.a.source("journal")["lines"] == 6, 10, "it reads them")
    s.attack()
    expect(other not in s.a.banned(), "another unit's entries count")
    expect(VICTIM not in s.a.banned(), "what stands behind a line break counts")
    return None


# --- syslog ---

def send(source, texts, port=5515, spoofed=False):
    """Datagrams from that host's address; spoofed: from the attacker's."""
    if spoofed:
        sock = sip.udp("attacker", source, 514, spoofed=True)
    else:
        sock = sip.udp("sip-b" if source == GATEWAY else "attacker", source, 514)
    for text in texts:
        sock.sendto(text.encode("utf-8"), (topology.NODES["a"], port))
    sock.close()


def syslog_udp(s):
    """Another host's syslog by UDP, RFC 3164 and 5424; a stranger's is refused."""
    old, new, stranger = (Sources.fresh() for _ in range(3))
    begun = s.a.source("udp")
    head = "<133>" + time.strftime("%b %d %H:%M:%S") + " pbx asterisk[77]: "
    send(GATEWAY, [head + shape % old for shape in SHAPES])
    s.banned(old)
    head = "<133>1 %s pbx asterisk 77 - - " % time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    send(GATEWAY, [head + shape % new for shape in SHAPES])
    s.banned(new)
    send(topology.ATTACKERS[0], [head + shape % stranger for shape in SHAPES])
    send(GATEWAY, ["no syslog", "<999>x", "<133>" + "\x00" * 3000])
    wait_for(lambda: s.a.source("udp")["refused"] == begun["refused"] + 3
             and s.a.source("udp")["bad"] >= begun["bad"] + 2, 10,
             "it counts the refused and the bad")
    expect(stranger not in s.a.banned(), "a stranger's line counts")
    forged = Sources.fresh()
    send(GATEWAY, [head + shape % forged for shape in SHAPES], spoofed=True)
    s.banned(forged)  # as unproved = ban says, and only here


def syslog_tcp(s):
    """The same by TCP, for FreeSWITCH: what a filter reads is never proved."""
    address = Sources.fresh()
    with topology.inside("sip-b"):
        sock = socket.create_connection((s.a.address, 5514), 5)
    for text in switch_lines(address).splitlines():
        sock.sendall(("<132>%s pbx freeswitch[5]: %s\n" % (
            time.strftime("%b %d %H:%M:%S"), text)).encode())
    s.banned(address)
    sock.close()


def ignored(s):
    """With unproved = ignore nobody is banned by a log."""
    s.a.configure({"report.unproved": "ignore"})
    s.reload()
    wait_for(lambda: s.a.source("asterisk").get("failures") == 0, 10, "it begins anew")
    address = Sources.fresh()
    append(s.asterisk, lines(address))
    wait_for(lambda: s.a.source("asterisk")["failures"] == 3, 10, "it reads them")
    s.a.fence()
    expect(address not in s.a.banned(), "it is banned")
    expect_never_reported(s.ledger, address)


JAILS = """\
[DEFAULT]
backend = auto
[jail]
enabled = true
filter = asterisk
logpath = %s
[by-filter]
enabled = true
filter = asterisk
backend = systemd
[own.unit]
enabled = true
filter = freeswitch[mode=normal]
backend = systemd[journalflags=1]
journalmatch = _SYSTEMD_UNIT=freeswitch.service + _COMM=freeswitch
[unitless]
enabled = true
filter = freeswitch
backend = systemd
[off]
filter = asterisk
logpath = /var/log/off
"""


def imported(s):
    """What `sipchain filter import` makes of jails is a configuration that works."""
    jails = s.a.folder + "/jail.local"
    write(jails, JAILS % s.asterisk)
    text = node.sipchain(s.a.program, "filter", "import", jails)
    expect("# [unitless] reads the journal: it names no unit of the journal: left out" in text,
           "%s", text)
    os.mkdir(s.a.configuration + ".d")
    write(s.a.configuration + ".d/jails.conf", text)
    shown = s.a.cli("config", "show")
    for name, lines_of in (
            ("jail", "filter = asterisk\npath = %s\n" % s.asterisk),
            ("by-filter", "filter = asterisk\npath =\njournal = asterisk.service\n"),
            ("own.unit", "filter = freeswitch[mode=normal]\npath =\n"
             "journal = freeswitch.service\n")):
        expect('[source "%s"]\ntype = log\n%s' % (name, lines_of) in shown, "%s", shown)
    expect('"off"' not in shown, "%s", shown)
    s.reload()
    wait_for(lambda: s.a.source("jail").get("failures") == 0
             and s.a.source("jail").get("state") == "reading", 10, "it is read")
    append(s.asterisk, lines(Sources.fresh()))
    wait_for(lambda: s.a.source("jail")["failures"] == 3, 10, "it counts")
    os.unlink(s.a.configuration + ".d/jails.conf")
    s.reload()
    wait_for(lambda: not s.a.source("jail"), 10, "it is forgotten")


CHECKS = [stock, partial, rotated, replaced, forbidden, junk, clocks, catastrophe, reloaded,
          journal, syslog_udp, syslog_tcp, imported, ignored]


def main():
    parser = checks.parser(__doc__)
    parser.add_argument("--only", metavar="TEXT",
                        help="only the checks whose functions' names have this in them")
    options = checks.options(parser)
    try:
        for name in ("sipchaind", "sipchain"):
            node.find(options.build, name)
        topology.enter()
        stage = Stage(options.build)
    except (topology.TopologyError, FileNotFoundError, RuntimeError) as error:
        print("filters: %s" % error, file=sys.stderr)
        sys.exit(2)
    chosen = [c for c in CHECKS if not options.only or options.only in c.__name__]
    failures = checks.perform(stage, options.results, chosen, "filters")

    def ended(_stage):
        """the daemon ends in order, sanitizers found nothing"""
        complaints = stage.stop()
        expect(not complaints, "%s", "; ".join(complaints)[:2000])
    failures += checks.perform(stage, options.results, [ended], "filters")
    if failures:
        run.keep_logs(options.build, "filters-logs")
    print("filters: %d of %d checks failed" % (failures, len(chosen) + 1))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
