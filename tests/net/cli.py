#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cli.py --build FOLDER [--results FILE]: every command against a real daemon.

One sipchaind in a private network namespace, made by root or by a plain user.
Each command's output, JSON and exit code are checked. Leaves with 1 when a
check failed, 2 when the stage could not be set.
"""
import json
import os
import pty
import shutil
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import checks
import node
import topology
from cli_explain import explain
from cli_honeypot import recorded
from cli_stage import CONFIG, FAILED, OK, PERMISSION, UNREACHABLE, USAGE, Stage, want

NOBODY = 65534
HOSTILE = "agent:\x1b[31mred"


# --- the checks, in order; each is told to the reader by its first line ---

def status(s):
    """status names the member, the ledger and every role"""
    answer = s.ask("status", out=["desk", "bank-a (active)", "healthy", "net_admin"])
    want(answer["member"]["index"] == 1 and answer["name"] == "desk", "%r", answer)
    want([r["role"] for r in answer["roles"]] == ["sense", "node", "ledger", "enforce"],
         "%r", answer["roles"])


def report(s):
    """report, refused report, objection and revocation"""
    s.once("report", "198.51.100.7", "--category", "password", "--ttl", "1h",
           out=["198.51.100.7: on the ledger"])
    for text in ("+97259*", "sip:bob@evil.example", "domain:evil.example",
                 "agent:friendly-scanner"):
        s.once("report", text, "--category", "fraud", "--note", "seen in the CDRs")
    answer = s.parse(OK, "report", "2001:db8:1:2:3:4:5:6789", "--config", s.config)
    want(answer["state"] == "final" and answer["indicator"] == "2001:db8:1:2:3:4:5:6789",
         "%r", answer)
    s.once("report", "10.1.2.3/8", status=USAGE, err=["write 10.0.0.0/8"])
    s.once("report", "198.51.100.8", "--ttl", "2d", status=USAGE, err=["at most"])
    s.once("report", "198.51.100.8", "--ttl", "soon", status=USAGE, err=["--ttl"])
    s.once("report", "198.51.100.8", "--category", "evil", status=USAGE, err=["scan, "])
    s.once("report", "198.51.100.8", "--note", "a\x1bb", status=USAGE, err=["--note"])
    s.once("report", HOSTILE, status=USAGE, err=["\\x1b"])
    s.once("object", "203.0.113.5", "--note", "our customer", out=["on the ledger"])
    s.once("revoke", "203.0.113.5", out=["on the ledger"])
    s.once("revoke", "203.0.113.5", status=FAILED, err=["no live report of 203.0.113.5"])


def check(s):
    """check explains: who, proof, category, expiry, tip"""
    answer = s.ask("check", "198.51.100.7", out=[
        "banned here", "bank-a", "password", "manual", "members' operation", "tip "])
    words = answer["listed"][0]["words"]
    want(words[0]["name"] == "bank-a" and words[0]["proof"] == "manual"
         and words[0]["category"] == "password", "%r", words)
    want(words[0]["expiry"] > time.time() + 3000, "%r", words)
    want(len(answer["tip"]["members"]["hash"]) == 64, "%r", answer["tip"])
    want(answer["bans"][0]["origin"] == "ledger", "%r", answer["bans"])
    answer = s.ask("check", "203.0.113.9", status=FAILED, out=["not listed"])
    want(answer["listed"] == [] and answer["bans"] == [], "%r", answer)


def bare(s):
    """check takes numbers, URIs, domains and agents as they come"""
    for text, read_as in (("+972591234567", "+972591234567"),
                          ("972591234567", "+972591234567"),
                          ("00972 59 1234567", "+972 59 1234567"),
                          ("sip:bob@evil.example", "sip:bob@evil.example"),
                          ("bob@evil.example", "sip:bob@evil.example"),
                          ("evil.example", "domain:evil.example"),
                          ("friendly-scanner", "agent:friendly-scanner")):
        answer = s.ask("check", text, out=["listed"])
        want(answer["listed"] and answer["read_as"] == read_as, "%s: %r", text, answer)
        want(answer["query"] == text, "%r", answer)
    of_domain = s.ask("check", "sip:alice@evil.example", out=["listed     evil.example"])
    want([i["kind"] for i in of_domain["listed"]] == ["domain"], "%r", of_domain)
    of_number = s.ask("check", "sip:+972591234567@other.example", out=["listed", "+97259*"])
    want([i["kind"] for i in of_number["listed"]] == ["number"], "%r", of_number)
    s.once("check", "198.51.100.300", status=USAGE, err=["no IP address"])
    s.once("check", "", status=USAGE, err=["empty"])
    s.once("check", "\x1b[31mred", status=USAGE, err=["\\x1b"])


def lists(s):
    """list filters, limits and is never cut"""
    answer = s.ask("list", out=["2001:db8:1:2:3:4:5:6789", "6 listed", "+97259*"])
    want(len(answer["indicators"]) == 6 and answer["count"] == 6, "%r", answer)
    numbers = s.ask("list", "--kind", "number")["indicators"]
    want([i["indicator"] for i in numbers] == ["+97259*"], "%r", numbers)
    few = s.ask("list", "--limit", "2", out=["2 of 6 listed shown"])
    want(len(few["indicators"]) == 2 and few["count"] == 6, "%r", few)
    blocked = s.ask("list", "--blocked")["indicators"]
    want(all(i["block"] for i in blocked) and blocked, "%r", blocked)
    for line in s.once("list").splitlines()[1:-1]:
        want(line.split()[1] in ("block", "pass"), "columns run together: %r", line)
    s.once("list", "--kind", "ship", status=USAGE, err=["ip4, ip6"])
    s.once("list", "--limit", "0", status=USAGE, err=["--limit"])


def bans(s):
    """ban, banned, unban"""
    s.once("ban", "203.0.113.0/24", "--ttl", "2h", out=["banned on every port"])
    answer = s.ask("banned", out=["203.0.113.0/24", "operator", "PACKETS"])
    want({b["indicator"] for b in answer["bans"]} >= {"203.0.113.0/24", "198.51.100.7"},
         "%r", answer)
    listing = topology.run("nft", "list", "table", "inet", "sipchain_cli").stdout
    want("203.0.113.0" in listing, "not in the kernel: %s", listing[-400:])
    s.once("unban", "203.0.113.0/24", out=["no longer banned"])
    s.once("unban", "203.0.113.0/24", status=FAILED, err=["not banned by this node"])
    s.once("unban", "198.51.100.7", status=FAILED, err=["sipchain allow add"])
    s.once("ban", "+4420", status=USAGE, err=["sipchain report"])
    s.once("ban", "203.0.113.1/24", status=USAGE, err=["write 203.0.113.0/24"])
    s.once("ban", "192.0.2.99", status=FAILED, err=["not banned"])


def allow(s):
    """allow add, list, remove"""
    s.once("allow", "add", "198.51.100.7", "--note", "our customer", "--ttl", "1d")
    answer = s.ask("check", "198.51.100.7", out=["allowlist", "our customer"])
    want(answer["bans"] == [] and answer["allowed"]["note"] == "our customer", "%r", answer)
    entries = s.ask("allow", "list", out=["our customer", "our gateway"])["entries"]
    want(any(e["indicator"] == "198.51.100.7" and e["origin"] == "operator"
             and e["expiry"] for e in entries), "%r", entries)
    s.once("allow", "remove", "198.51.100.7", out=["no longer"])
    s.once("allow", "remove", "198.51.100.7", status=FAILED, err=["not on the allowlist"])
    s.once("allow", "remove", "192.0.2.99", status=FAILED, err=["not added by an operator"])


def watch(s):
    """watch shows events to people and as JSON lines"""
    for arguments in ([], ["--json"]):
        with subprocess.Popen([s.program, "watch", "--config", s.config] + arguments,
                              stdout=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL) as process:
            lines = node.Lines(process)
            seen = None
            for _ in range(40):  # it is subscribed a moment after its start
                since = time.monotonic()
                s.once("ban", "203.0.113.77", "--ttl", "1m")
                seen = lines.wait(lambda line: "203.0.113.77" in line, since, 1)
                if seen:
                    break
            process.terminate()
        want(seen, "watch %s shows no ban", arguments)
        if arguments:
            event = json.loads(seen[1])
            want(event["type"] in ("ban", "expired") and event["time"] > 0, "%r", event)
        else:
            want("T" in seen[1].split()[0] and "ban" in seen[1], "%r", seen)
    s.once("unban", "203.0.113.77")


def protect(s):
    """protect add, list, remove"""
    s.owner("protect", "add", "192.0.2.0/24", "+4420*", out=["2 entries"])
    s.expect(OK, "protect", "list", "--config", s.config, out=["192.0.2.0/24\n+4420*"])
    want(s.parse(OK, "protect", "list", "--config", s.config) == ["192.0.2.0/24", "+4420*"],
         "protect list --json")
    s.eventually(lambda: s.run("check", "192.0.2.4", "--config",
                               s.config).stdout.count("protected"), "protection")
    s.once("report", "192.0.2.4", status=FAILED, err=["protects 192.0.2.0/24"])
    s.owner("protect", "remove", "198.51.100.1", status=FAILED, err=["protect list"])
    s.owner("protect", "add", "198.51.100.1/8", status=USAGE, err=["host bits"])
    s.owner("protect", "remove", "192.0.2.0/24", "+4420*", out=["0 entries"])
    s.expect(OK, "protect", "list", "--config", s.config, out=["nothing is protected"])


def members(s):
    """member add, list, suspend, resume, remove, by index and name"""
    out = s.expect(OK, "member", "list", "--config", s.config)
    want(out.splitlines()[1].split()[:3] == ["1", "bank-a", "active"], "%r", out)
    listing = s.parse(OK, "member", "list", "--config", s.config)
    want([m["name"] for m in listing] == ["bank-a", "bank-b", "bank-c"], "%r", listing)
    s.owner("member", "suspend", "bank-c", out=["member 3 (bank-c) is suspended"])
    s.owner("member", "resume", "3", out=["member 3 (bank-c) is resumed"])
    s.owner("member", "remove", "9", status=FAILED, err=["no member 9", "member list"])
    s.owner("member", "add", "--name", "x", status=USAGE, err=["--signer"])
    s.expect(USAGE, "member", "remove", "3", "--config", s.config, err=["--key FILE"])
    s.expect(PERMISSION, "member", "remove", "3", "--config", s.config, "--key",
             s.path("b.key"), err=["refused"])


def own_membership(s):
    """a suspended or removed member is told so"""
    s.owner("member", "suspend", "bank-a")
    s.eventually(lambda: "bank-a (suspended)" in s.once("status"), "suspension")
    s.once("report", "198.51.100.9", status=FAILED, err=["suspended", "member resume"])
    s.owner("member", "resume", "bank-a")
    s.owner("member", "remove", "bank-a", out=["all its reports have ended"])
    s.eventually(lambda: s.parse(OK, "status", "--config", s.config)["member"] is None,
                 "removal")
    s.once("status", out=["was removed", "member add"])
    s.once("report", "198.51.100.9", status=FAILED, err=["was removed", "member add"])
    address = s.expect(OK, "key", "address", s.path("a.key")).strip()
    s.owner("member", "add", "--name", "bank-a", "--signer", address, out=["member 1 (bank-a)"])
    s.eventually(lambda: "bank-a (active)" in s.once("status"), "re-admission")


def ledger(s):
    """ledger verify, export, pause, unpause"""
    s.expect(OK, "ledger", "verify", "--config", s.config, out=["intact: "])
    tips = s.parse(OK, "ledger", "verify", "--config", s.config)
    want(tips["intact"] is True and tips["verified"] > 10, "%r", tips)
    lines = s.expect(OK, "ledger", "export", "--config", s.config).splitlines()
    want(len(lines) == tips["verified"], "%d lines, %d operations", len(lines),
         tips["verified"])
    want(all("operation" in json.loads(line) for line in lines), "a line of the export")
    s.owner("ledger", "pause", out=["paused"])
    s.eventually(lambda: "PAUSED" in s.once("status"), "the pause")
    s.once("report", "198.51.100.10", status=FAILED)
    s.owner("ledger", "unpause", out=["unpaused"])
    s.eventually(lambda: "PAUSED" not in s.once("status"), "the end of the pause")
    copy = shutil.copy(s.path("ledger.db"), s.path("torn.db"))
    with open(copy, "r+b") as f:
        f.truncate(5000)
    s.expect(FAILED, "ledger", "verify", "--ledger", copy, err=["torn.db"])
    s.expect(FAILED, "ledger", "verify", "--ledger", s.path("nothing.db"), err=["No such"])


def keys(s):
    """key new, key address"""
    new = s.parse(OK, "key", "new", s.path("new.key"))
    want(s.parse(OK, "key", "address", s.path("new.key")) == new, "%r", new)
    s.expect(FAILED, "key", "new", s.path("new.key"), err=["not overwritten"])
    s.expect(FAILED, "key", "address", s.path("none.key"), err=["No such file"])
    os.chmod(s.path("new.key"), 0o644)
    s.expect(FAILED, "key", "address", s.path("new.key"), err=["chmod 600"])


def texts(s):
    """version, help, manual, completion, config"""
    s.expect(OK, "version", out=["sipchain "])
    want("version" in s.parse(OK, "version"), "version --json")
    s.expect(OK, "--help", out=["member suspend", "78  configuration"])
    s.expect(OK, "help", "member", out=["member suspend"])
    s.expect(OK, "member", "--help", out=["member suspend"])
    s.expect(OK, "help", "check", out=["ANYTHING", "example"])
    s.expect(OK, "manual", out=[".TH SIPCHAIN 1", "member suspend"])
    s.expect(OK, "completion", out=["complete -F"])
    for command in ("manual", "completion"):
        want(len(s.parse(OK, command)[command]) > 1000, "%s --json", command)
    sample = s.expect(OK, "config", "sample", out=["[node]"])
    want(s.parse(OK, "config", "sample")["configuration"] == sample, "config sample --json")
    s.expect(OK, "config", "show", "--config", s.config, out=["name = desk"])
    s.expect(OK, "config", "test", "--config", s.config, out=["is right"])
    want(s.parse(OK, "config", "test", "--config", s.config)["ok"] is True, "config test")
    bash = shutil.which("bash")
    script = s.path("completion")
    with open(script, "w", encoding="ascii") as f:
        f.write(s.expect(OK, "completion"))
    words = subprocess.run([bash, "-c", ". %s; COMP_WORDS=(sipchain member s) COMP_CWORD=2; "
                            "_sipchain; echo ${COMPREPLY[*]}" % script], check=True,
                           capture_output=True, text=True, cwd="/").stdout
    want("suspend" in words.split(), "completion of `member s`: %r", words)


def usage(s):
    """2: slips are named, with what was meant"""
    s.expect(USAGE, err=["which command?"])
    s.expect(USAGE, "stauts", err=["did you mean `sipchain status`?"])
    s.expect(USAGE, "member", "lst", err=["did you mean `member list`?"])
    s.expect(USAGE, "member", err=["add, remove, suspend"])
    s.expect(USAGE, "status", "--jsn", err=["did you mean --json?"])
    s.expect(USAGE, "check", err=["missing ANYTHING", "198.51.100.7"])
    s.expect(USAGE, "status", "\x1b[2J", err=["\\x1b"])
    error = s.parse(USAGE, "frobnicate")
    want(error["code"] == USAGE and "frobnicate" in error["error"], "%r", error)
    want("roles" in json.loads(s.expect(OK, "--json", "status", "-c", s.config)),
         "options before the command")


def unreachable(s):
    """3: no daemon, and one that hangs up"""
    s.expect(UNREACHABLE, "status", "--socket", s.path("none.sock"),
             err=["is sipchaind running"])
    error = s.parse(UNREACHABLE, "banned", "--socket", s.path("none.sock"))
    want(error["code"] == UNREACHABLE, "%r", error)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(s.path("dead.sock"))
        listener.listen(1)
        with subprocess.Popen([s.program, "status", "--socket", s.path("dead.sock")],
                              stderr=subprocess.PIPE, text=True) as process:
            connection = listener.accept()[0]
            with connection.makefile() as request:
                request.readline()
            connection.close()
            text = process.communicate(timeout=60)[1]
        want(process.returncode == UNREACHABLE and "closed" in text, "%d %r",
             process.returncode, text)


def permission(s):
    """4: another user may neither use the socket nor read the ledger or a key"""
    other = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        subprocess.run(["true"], check=True, **other)
    except (OSError, subprocess.SubprocessError):
        return "only one uid is mapped here"
    for arguments in (("status",), ("ban", "203.0.113.1"), ("member", "list"),
                      ("ledger", "verify")):
        s.expect(PERMISSION, *arguments, "--config", s.config,
                 err=["ermission denied", "root"], **other)
    s.expect(PERMISSION, "key", "address", s.path("a.key"), err=["ermission"], **other)
    os.chmod(s.path("run/control.sock"), 0o666)  # connects, may only ask
    s.expect(OK, "status", "--config", s.config, **other)
    s.expect(PERMISSION, "ban", "203.0.113.1", "--config", s.config,
             err=["control_group"], **other)
    os.chmod(s.path("run/control.sock"), 0o660)
    os.chmod(s.config, 0o600)
    s.expect(PERMISSION, "status", "--config", s.config, err=["ermission"], **other)
    os.chmod(s.config, 0o644)
    return None


def configuration(s):
    """78: a broken or missing configuration, with file and line"""
    broken = s.path("broken.conf")
    with open(broken, "w", encoding="ascii") as f:
        f.write("[node]\nname = x\nobserv = yes\n[legder]\n")
    s.expect(CONFIG, "config", "test", "--config", broken,
             err=["broken.conf:3", "did you mean observe", "broken.conf:4"])
    answer = s.parse(CONFIG, "config", "test", "--config", broken)
    want(answer["ok"] is False and len(answer["errors"]) == 2, "%r", answer)
    for arguments in (("status",), ("config", "show"), ("member", "list")):
        s.expect(CONFIG, *arguments, "--config", broken, err=["broken.conf:3"])
    s.expect(CONFIG, "status", "--config", s.path("none.conf"), err=["No such file"])


def init_bare(s):
    """init --yes --ledger --owner-key makes just those two"""
    os.mkdir(s.path("bare"))
    made = s.parse(OK, "init", "--yes", "--ledger", s.path("bare/l.db"), "--owner-key",
                   s.path("bare/o.key"), "--threshold", "3", "--max-ttl", "2d")
    want(made["threshold"] == 3 and made["max_ttl"] == 172800 and "node" not in made,
         "%r", made)
    want(sorted(f.split("-")[0] for f in set(os.listdir(s.path("bare"))))[-1] == "o.key",
         "%r", os.listdir(s.path("bare")))
    want(s.parse(OK, "member", "list", "--ledger", s.path("bare/l.db")) == [], "a member")
    s.expect(FAILED, "init", "--yes", "--ledger", s.path("bare/l.db"), "--owner-key",
             s.path("bare/p.key"), err=["exists already"])
    want(not os.path.exists(s.path("bare/p.key")), "a key is left behind")
    s.expect(USAGE, "init", "--ledger", s.path("bare/x.db"), err=["--yes"])
    s.expect(USAGE, "init", "--yes", "--ledger", s.path("bare/x.db"), "--max-ttl", "soon",
             err=["--max-ttl"])


def init_node(s):
    """init makes a whole node; a failure leaves nothing behind"""
    places = ["--ledger", s.path("whole/l.db"), "--owner-key", s.path("whole/o.key"),
              "--member-key", s.path("whole/m.key"), "--config-out", s.path("whole/c.conf")]
    made = s.parse(OK, "init", "--yes", "--name", "edge1", "--hep", "udp:127.0.0.1:9999",
                   "--security-log", "none", *places)
    want(made["node"]["name"] == "edge1" and made["node"]["key_made"], "%r", made)
    listing = s.parse(OK, "member", "list", "--config", s.path("whole/c.conf"))
    want([(m["name"], m["signers"]) for m in listing]
         == [("edge1", [made["node"]["address"]])], "%r", listing)
    s.expect(OK, "config", "show", "--config", s.path("whole/c.conf"),
             out=["listen = udp:127.0.0.1:9999", "name = edge1"])
    shutil.rmtree(s.path("whole"))
    s.expect(FAILED, "init", "--yes", "--hep", "nonsense", *places, err=["listen"])
    want(os.listdir(s.path("whole")) == [], "left behind: %r", os.listdir(s.path("whole")))


def init_guided(s):
    """init asks on a terminal and takes the answers"""
    os.mkdir(s.path("asked"))
    answers = ["yes", s.path("asked/l.db"), s.path("asked/o.key"), "many", "2", "1d",
               "edge \u00fc", s.path("asked/m.key"), "none", "none", s.path("asked/c.conf")]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(s.folder)
        os.execv(s.program, [s.program, "init"])
    shown = b""
    for answer in answers:
        while not shown.endswith(b"]: "):
            shown += os.read(terminal, 1000)
        shown += b"\n"
        os.write(terminal, answer.encode() + b"\n")
    try:
        while True:
            more = os.read(terminal, 1000)
            if not more:
                break
            shown += more
    except OSError:  # the terminal's other end is closed
        pass
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    want(code == OK, "status %d: %s", code, shown.decode(errors="replace")[-500:])
    want(b"whole number" in shown, "the slip `many` was not told")
    listing = s.parse(OK, "member", "list", "--config", s.path("asked/c.conf"))
    want([m["name"] for m in listing] == ["edge \u00fc"], "%r", listing)


def gone(s):
    """3: after the daemon's end; watch says that it ended"""
    with subprocess.Popen([s.program, "watch", "--config", s.config], text=True,
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        s.eventually(lambda: os.path.exists("/proc/%d" % process.pid), "watch")
        time.sleep(0.5)
        s.stop()
        text = process.communicate(timeout=60)[1]
    want(process.returncode == UNREACHABLE and text, "%d %r", process.returncode, text)
    s.once("status", status=UNREACHABLE, err=["is sipchaind running"])


CHECKS = (status, report, check, bare, lists, bans, allow, watch, protect, members,
          own_membership, ledger, keys, texts, usage, unreachable, permission,
          configuration, explain, recorded, init_bare, init_node, init_guided, gone)



if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), Stage, CHECKS, "command line",
                enter=topology.enter, broken=(topology.TopologyError,))
