#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ledger_cli.py --build FOLDER [--results FILE]: who governs a ledger, by commands.

Files only: no daemon, no namespace, any user. Each command's exit code, output
and effect, the refusal of a wrong signer, and several of them at the same time;
at the end the history verifies. Leaves with 1 when a check failed.
"""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import checks
from cli import NOBODY
from cli_stage import FAILED, OK, PERMISSION, REFUSED, USAGE, Stage, want

ZERO = "0x" + 40 * "0"
ROUNDS = 12


class Files(Stage):
    """A ledger with two members and the keys of everybody; no daemon."""

    def __init__(self, build):
        super().__init__(build)
        self.addresses = {}

    def start(self):
        for name in ("guardian", "heir", "a", "b", "new"):
            made = self.expect(OK, "key", "new", self.path(name + ".key"))
            self.addresses[name] = made.strip()
        self.expect(OK, "init", "--yes", "--ledger", self.path("ledger.db"), "--owner-key",
                    self.path("owner.key"), "--max-ttl", "1d")
        self.addresses["owner"] = self.expect(
            OK, "key", "address", self.path("owner.key")).strip()
        for letter in "ab":
            self.owner("member", "add", "--name", "bank-" + letter, "--signer",
                       self.addresses[letter])

    def by(self, key, *arguments, status=OK, **options):
        """A command signed with this key."""
        return self.expect(status, *arguments, "--ledger", self.path("ledger.db"), "--key",
                           self.path(key + ".key"), **options)

    def show(self):
        return self.parse(OK, "ledger", "show", "--ledger", self.path("ledger.db"))

    def member(self, index):
        listing = self.parse(OK, "member", "list", "--ledger", self.path("ledger.db"))
        return next(m for m in listing if m["index"] == index)

    def only(self, before, **changes):
        """Nothing but these differs from what `ledger show` said before."""
        now = self.show()
        for key, value in before.items():
            if key != "tips":
                want(now[key] == changes.get(key, value), "%s is %r, not %r", key, now[key],
                     changes.get(key, value))
        return now


def show(s):
    """ledger show, as a table and as JSON"""
    state = s.show()
    want(state["owner"] == state["guardian"] == s.addresses["owner"], "%r", state)
    want(state["proposed_owner"] is None and state["successor"] is None, "%r", state)
    want(state["paused"] is False and state["live"] == state["protected"] == 0, "%r", state)
    want(state["rules"] == {"threshold": 1, "max_ttl": 86400, "min_v4": 16, "min_v6": 32,
                            "min_e164": 5, "allow_unroutable": False}, "%r", state)
    want(state["members"] == {"count": 2, "active": 2, "active_weight": 2}, "%r", state)
    want(state["tips"]["admin"]["seq"] == 3 and state["tips"]["members"]["seq"] == 0,
         "%r", state)
    verified = s.parse(OK, "ledger", "verify", "--ledger", s.path("ledger.db"))
    want(state["tips"]["admin"] == verified["admin"] and state["id"] == verified["id"],
         "%r is not %r", state, verified)
    table = s.expect(OK, "ledger", "show", "--ledger", s.path("ledger.db"))
    lines = dict(line.split(None, 1) for line in table.splitlines())
    want(lines["id"] == state["id"] and lines["owner"] == state["owner"], "%r", table)
    want(lines["max-ttl"] == "1d" and lines["paused"] == "no", "%r", table)
    want(lines["members"] == "2, 2 active of weight 2 together", "%r", table)
    want("proposed owner  none\n" in table and "min-e164        5 digits\n" in table,
         "%r", table)
    want("admin tip       %s after 3" % state["tips"]["admin"]["hash"] in table, "%r", table)


def config(s):
    """ledger config changes what is given, and nothing else"""
    before = s.show()
    s.owner("ledger", "config", "--threshold", "2",
            out=["the configuration is threshold 2, max-ttl 1d, min-v4 16"])
    rules = dict(before["rules"], threshold=2)
    s.only(before, rules=rules)
    answer = json.loads(s.owner("ledger", "config", "--max-ttl", "12h", "--min-v4", "24",
                                "--min-v6", "48", "--min-e164", "7", "--json"))
    want(answer["operation"] == "config", "%r", answer)
    want(answer["seq"] == before["tips"]["admin"]["seq"] + 1, "%r", answer)
    rules.update(max_ttl=43200, min_v4=24, min_v6=48, min_e164=7)
    s.only(before, rules=rules)
    s.owner("ledger", "config", status=USAGE, err=["what is to be changed?", "--threshold"])
    for slip in (("--threshold", "0"), ("--max-ttl", "367d"), ("--min-v4", "7"),
                 ("--min-v6", "129"), ("--min-e164", "16"), ("--min-e164", "many")):
        s.owner("ledger", "config", *slip, status=USAGE, err=[slip[0]])
    s.by("a", "ledger", "config", "--threshold", "1", status=PERMISSION, err=["NotOwner"])
    s.only(before, rules=rules)


def guardian(s):
    """ledger guardian: may suspend and pause, and nothing else"""
    before = s.show()
    s.by("guardian", "ledger", "pause", status=PERMISSION, err=["NotGuardian"])
    s.owner("ledger", "guardian", s.addresses["guardian"],
            out=["the guardian is " + s.addresses["guardian"]])
    s.only(before, guardian=s.addresses["guardian"])
    s.by("guardian", "ledger", "pause", out=["the ledger is paused"])
    want(s.show()["paused"] is True, "not paused")
    s.by("guardian", "ledger", "unpause", status=PERMISSION, err=["NotOwner"])
    s.owner("ledger", "unpause")
    s.by("guardian", "ledger", "guardian", s.addresses["a"], status=PERMISSION,
         err=["NotOwner"])
    s.owner("ledger", "guardian", "0x12", status=USAGE, err=["0x"])
    s.owner("ledger", "guardian", ZERO, out=["the guardian is nobody"])
    s.only(before, guardian=None)
    s.by("guardian", "ledger", "pause", status=PERMISSION, err=["NotGuardian"])
    s.owner("ledger", "pause")  # the owner needs no guardian
    s.owner("ledger", "unpause")
    s.only(before, guardian=None)


def member_set(s):
    """member set: weight, cap or both, by index or name"""
    s.owner("member", "set", "1", "--weight", "3",
            out=["member 1 (bank-a) is of weight 3 with a cap of 1000"])
    s.owner("member", "set", "bank-a", "--cap", "50", out=["weight 3 with a cap of 50"])
    answer = json.loads(s.owner("member", "set", "2", "--weight", "5", "--cap", "7", "--json"))
    want(answer["operation"] == "member-set" and answer["member"] == 2, "%r", answer)
    for index, weight, cap in ((1, 3, 50), (2, 5, 7)):
        m = s.member(index)
        want((m["weight"], m["cap"], m["generation"]) == (weight, cap, 0), "%r", m)
    want(s.show()["members"]["active_weight"] == 8, "%r", s.show())
    s.owner("member", "set", "1", status=USAGE, err=["--weight or --cap"])
    s.owner("member", "set", "1", "--weight", "0", status=USAGE, err=["1 to 65535"])
    s.owner("member", "set", "1", "--cap", "16777217", status=USAGE, err=["16777216"])
    s.owner("member", "set", "bank-z", "--cap", "1", status=FAILED, err=["no member bank-z"])
    s.by("a", "member", "set", "1", "--weight", "9", status=PERMISSION, err=["NotOwner"])
    want(s.member(1)["weight"] == 3, "%r", s.member(1))


def rotation(s):
    """member signer-add, signer-remove: a key changes, the member stays"""
    before = s.member(1)
    old, new = s.addresses["a"], s.addresses["new"]
    s.by("a", "member", "signer-add", "1", new, status=PERMISSION, err=["NotOwner"])
    s.owner("member", "signer-add", "bank-a", new,
            out=["signer %s is added to member 1 (bank-a)" % new])
    want(s.member(1)["signers"] == [old, new], "%r", s.member(1))
    s.owner("member", "signer-add", "2", new, status=REFUSED, err=["SignerTaken"])
    s.owner("member", "signer-add", "2", ZERO, status=REFUSED, err=["Zero"])
    s.owner("member", "signer-add", "2", old.lower()[:-1], status=USAGE)
    swapped = old[:2] + old[2:].swapcase()
    s.owner("member", "signer-add", "2", swapped, status=USAGE, err=["hecksum"])
    answer = json.loads(s.owner("member", "signer-remove", "1", old, "--json"))
    want(answer["operation"] == "signer-remove" and answer["member"] == 1, "%r", answer)
    want(s.member(1) == dict(before, signers=[new]), "%r", s.member(1))
    s.owner("member", "signer-remove", "1", old, status=REFUSED, err=["SignerUnknown"])
    s.owner("member", "signer-remove", "1", new, out=["no key left", "member signer-add"])
    want(s.member(1)["signers"] == [], "%r", s.member(1))
    s.owner("member", "signer-add", "1", old.lower())
    want(s.member(1) == before, "%r", s.member(1))
    s.owner("member", "signer-remove", "1", status=USAGE, err=["0xADDRESS"])


def ownership(s):
    """ledger owner-propose, owner-accept: only the proposed key takes over"""
    before = s.show()
    heir = s.addresses["heir"]
    s.by("heir", "ledger", "owner-accept", status=PERMISSION, err=["NotProposedOwner"])
    s.by("heir", "ledger", "owner-propose", heir, status=PERMISSION, err=["NotOwner"])
    s.owner("ledger", "owner-propose", heir, out=["the proposed owner is " + heir])
    s.only(before, proposed_owner=heir)
    s.owner("ledger", "owner-propose", ZERO, out=["taken back"])
    s.only(before)
    s.by("heir", "ledger", "owner-accept", status=PERMISSION)
    s.owner("ledger", "owner-propose", heir)
    s.by("a", "ledger", "owner-accept", status=PERMISSION, err=["NotProposedOwner"])
    s.owner("ledger", "owner-accept", status=PERMISSION)
    s.by("heir", "ledger", "owner-accept", out=["the owner is " + heir])
    s.only(before, owner=heir)
    s.owner("ledger", "config", "--threshold", "1", status=PERMISSION, err=["NotOwner"])
    s.by("heir", "ledger", "owner-propose", s.addresses["owner"])
    s.owner("ledger", "owner-accept")
    s.only(before)


def together(s):
    """several `sipchain` at the same time: none takes back what another did"""
    entries = ["192.0.3.%d" % i for i in range(ROUNDS)]
    lines = [["protect", "add", entry] for entry in entries]
    lines += [["member", "set", "1", "--weight", "21"], ["member", "set", "1", "--cap", "22"],
              ["ledger", "config", "--threshold", "4"],
              ["ledger", "config", "--min-e164", "9"]]
    where = ["--ledger", s.path("ledger.db"), "--key", s.path("owner.key")]
    before = s.show()
    running = []
    for line in lines:
        # pylint: disable-next=consider-using-with
        running.append(subprocess.Popen([s.program, *line, *where], stderr=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, text=True,
                                        stdin=subprocess.DEVNULL))
    texts = [process.communicate(timeout=120)[1] for process in running]
    for line, process, text in zip(lines, running, texts):
        want(process.returncode == OK, "%s: %d %s", line, process.returncode, text)
    table = s.parse(OK, "protect", "list", "--ledger", s.path("ledger.db"))
    want(sorted(table) == sorted(entries), "%r", table)
    m = s.member(1)
    want((m["weight"], m["cap"]) == (21, 22), "%r", m)
    after = s.only(before, protected=ROUNDS, rules=dict(before["rules"], threshold=4,
                                                         min_e164=9),
                   members=dict(before["members"], active_weight=26))
    want(after["tips"]["admin"]["seq"] == before["tips"]["admin"]["seq"] + len(lines),
         "%r", after)


def files(s):
    """4: the key or the ledger may not be read; 1: it is not there; no key: 2"""
    s.expect(USAGE, "ledger", "config", "--threshold", "1", "--ledger", s.path("ledger.db"),
             err=["--key FILE"])
    s.by("none", "ledger", "pause", status=FAILED, err=["none.key", "No such"])
    s.expect(FAILED, "ledger", "show", "--ledger", s.path("none.db"), err=["No such"])
    other = {}
    if os.geteuid() == 0:
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        try:
            subprocess.run(["true"], check=True, **other)
        except (OSError, subprocess.SubprocessError):
            return "only one uid is mapped here"
    else:
        os.chmod(s.path("guardian.key"), 0)
    s.expect(PERMISSION, "key", "address", s.path("guardian.key"), err=["ermission denied"],
             **other)
    for name in ("ledger.db", "ledger.db-bell"):
        modes = {f: os.stat(s.path(f)).st_mode for f in os.listdir(s.folder)
                 if f.startswith("ledger.db")}
        for each in modes:
            os.chmod(s.path(each), 0o666)
        os.chmod(s.path(name), 0)
        for line in (("ledger", "show"), ("member", "list"), ("ledger", "verify")):
            s.expect(PERMISSION, *line, "--ledger", s.path("ledger.db"),
                     err=[name, "ermission denied"], **other)
        for each, mode in modes.items():
            os.chmod(s.path(each), mode)
    os.chmod(s.path("guardian.key"), 0o600)
    return None


def supersede(s):
    """ledger supersede: asks for --yes, ends reporting, happens once"""
    made = s.parse(OK, "init", "--yes", "--ledger", s.path("next.db"), "--owner-key",
                   s.path("owner.key"))
    successor = s.parse(OK, "ledger", "show", "--ledger", s.path("next.db"))["id"]
    before = s.show()
    want(made and successor != before["id"], "two ledgers with one id")
    s.owner("ledger", "supersede", successor, status=USAGE, err=["--yes", "for ever"])
    s.owner("ledger", "supersede", successor[:-1], "--yes", status=USAGE, err=["64 hex"])
    s.owner("ledger", "supersede", before["id"], "--yes", status=FAILED, err=["own id"])
    s.owner("ledger", "supersede", 64 * "0", "--yes", status=REFUSED, err=["Zero"])
    s.by("heir", "ledger", "supersede", successor, "--yes", status=PERMISSION,
         err=["NotOwner"])
    s.only(before)
    s.owner("ledger", "supersede", "0x" + successor, "--yes",
            out=["superseded by " + successor])
    s.only(before, successor=successor)
    s.owner("ledger", "supersede", successor, "--yes", status=REFUSED, err=["Superseded"])
    s.expect(OK, "ledger", "show", "--ledger", s.path("ledger.db"),
             out=["successor       " + successor])


def history(s):
    """ledger verify and export: all of it is there, and nothing that was refused"""
    verified = s.parse(OK, "ledger", "verify", "--ledger", s.path("ledger.db"))
    seq = s.show()["tips"]["admin"]["seq"]
    want(verified["intact"] is True and verified["verified"] == seq, "%r", verified)
    lines = s.expect(OK, "ledger", "export", "--ledger", s.path("ledger.db")).splitlines()
    names = [json.loads(line)["operation"] for line in lines]
    counts = {name: names.count(name) for name in names}
    want(counts == {"genesis": 1, "member-add": 2, "config": 4, "guardian": 2, "pause": 2,
                    "unpause": 2, "member-set": 5, "signer-add": 2, "signer-remove": 2,
                    "owner-propose": 4, "owner-accept": 2, "protect": ROUNDS,
                    "supersede": 1}, "%r", counts)


CHECKS = (show, config, guardian, member_set, rotation, ownership, together, files,
          supersede, history)


if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), Files, CHECKS, "governing a ledger")
