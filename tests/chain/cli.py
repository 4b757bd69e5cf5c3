#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cli.py --build FOLDER [--results FILE]: the command line on a real chain.

Every command that works on a ledger on a chain, without a daemon, against anvil:
output, JSON, exit codes, and each fault with its own code. Leaves with 1 when a
check failed, 2 when the stage could not be set.
"""
import json
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from chain_stage import (CERTIFICATE, CONFIG, FAILED, FEE, LIED, NO_CODE, NO_ENDPOINT, NO_FUNDS,
                         NOT_MINED, NOT_RPC, OK, PERMISSION, PROXY, REFUSED, UNAUTHORISED,
                         UNREACHABLE, USAGE, WRONG_CHAIN, WRONG_CODE, ChainStage, want)
import certificates
import checks
from evidence import evidence
import ports
from network import Anvil, ChainError
from proxy import Proxy

NOBODY = "0x" + 40 * "0"
# A contract whose every function returns 2: PUSH1 2, MSTORE, RETURN 32 bytes.
VERSION_2 = "0x600260005260206000f3"


# --- the checks, in order; each is told to the reader by its first line ---

def deploy(s):
    """contract deploy: cost first, then address, block, code and what pins it"""
    arguments = ["contract", "deploy", "--endpoint", s.chain.http, "--key",
                 s.path("owner.key"), "--max-ttl", "1d", "--threshold", "1"]
    s.expect(USAGE, *arguments, err=["--yes"])
    out = s.expect(OK, *arguments, "--dry-run", out=["nothing was written", "gas at"])
    want(s.chain.node().height() == 0, "a dry run made a block")
    s.expect(USAGE, *arguments, "--yes", "--max-ttl", "2d", err=["given twice"])
    s.expect(USAGE, *arguments[:-2], "--threshold", "0", "--yes", err=["--threshold 0"])
    made = s.parse(OK, *arguments, "--yes", "--allow-unroutable", "--config-out",
                   s.path("section.conf"))
    s.contract = made["contract"]
    want(made["block"] == 1 and made["chain_id"] == 31337 and made["gas_used"] > 10**6, "%r",
         made)
    code = s.chain.rpc("eth_getCode", s.contract, "latest")
    want(len(code) > 1000 and made["genesis"] == s.chain.node().hash(0), "%r", made)
    with open(s.path("section.conf"), encoding="utf-8") as f:
        section = f.read()
    for text in ("type = ethereum", "contract = " + s.contract, "chain_id = 31337",
                 "code_hash = " + made["code_hash"], "genesis = " + made["genesis"],
                 "deployed = 1", "\n# Gwei a gas that are offered at most", "\nmax_fee = "):
        want(text in section, "no %r in %s", text, section)
    s.expect(FAILED, *arguments, "--yes", "--config-out", s.path("section.conf"),
             err=["exists already"])
    text = s.expect(OK, *arguments, "--yes", "--tx", out=["transaction     0x", "[ledger]"])
    want(s.contract not in text, "the same contract again")


def init(s):
    """init --endpoint: a node's configuration, pinned, that the daemon takes"""
    os.mkdir(s.path("node"))
    made = s.parse(OK, "init", "--yes", *s.at(), "--name", "bank-a", "--member-key",
                   s.path("a.key"), "--config-out", s.config, "--hep", "none")
    want(made["deployed"] == 1 and made["chain_id"] == 31337 and made["node"]["key_made"],
         "%r", made)
    s.a = made["node"]["address"]
    with open(s.config, encoding="utf-8") as f:
        text = f.read()
    # Not root's places: everything of this stage stays in its folder.
    for there, here in (("/var/lib/sipchain", s.path("state")), ("/run/sipchain", s.path("run")),
                        ("type = nftables", "type = none")):
        text = text.replace(there, here)
    s.write("sipchain.conf", text)
    s.expect(OK, "config", "test", "--config", s.config)
    s.expect(FAILED, "init", "--yes", *s.at(), "--config-out", s.config, "--member-key",
             s.path("a.key"), err=["exists already"])
    s.expect(USAGE, "init", "--yes", "--endpoint", s.chain.http, err=["belong together"])
    s.expect(USAGE, "init", "--yes", *s.at(), "--owner-key", s.path("o"), err=["local ledger"])
    s.expect(NO_CODE, "init", "--yes", *s.at(contract=NOBODY[:-1] + "9"), "--config-out",
             s.path("other.conf"), "--member-key", s.path("b9.key"))
    want(not os.path.exists(s.path("b9.key")), "a key was made for no ledger")


def info(s):
    """contract info and verify: code, owner, rules, tips, proof"""
    answer = s.ask("contract", "info", out=["owner", "threshold 1", "paused          no"])
    want(answer["version"] == 1 and answer["rules"]["max_ttl"] == 86400 and answer["proved"],
         "%r", answer)
    want(answer["admin_tip"]["seq"] == 1 and answer["members_tip"]["seq"] == 0, "%r", answer)
    want(answer["owner"].lower() == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "%r", answer)
    s.ask("contract", "verify", out=["byte for byte", "not pinned", "proved"])
    s.expect(OK, "contract", "verify", "--config", s.config, out=["configuration pins"])
    s.expect(USAGE, "contract", "info", "--ledger", s.path("x"), err=["no option --ledger"])


def members(s):
    """member add, set, signer-add, suspend, resume, remove, list"""
    s.by("owner", "member", "add", "--name", "bank-a", "--signer", s.a, "--tx",
         out=["member 1 (bank-a) is admitted (administrative operation 1)",
              "transaction     0x", "block           ", "gas             "])
    s.b = s.new_key("b")
    made = s.parse(OK, "member", "add", *s.at(), "--key", s.path("owner.key"), "--name",
                   "bank-b", "--signer", s.b)
    want(made["seq"] == 2 and made["member"] == 2 and made["block"]
         and len(made["transaction"]) == 66, "%r", made)
    spare = s.new_key("spare", wei=0)
    s.by("owner", "member", "signer-add", "bank-b", spare, out=["is added to member 2"])
    s.by("owner", "member", "signer-remove", "2", spare, out=["is removed from member 2"])
    s.by("owner", "member", "set", "bank-b", "--cap", "70", "--weight", "2", out=["cap of 70"])
    s.by("owner", "member", "suspend", "bank-b", out=["is suspended"])
    s.by("owner", "member", "resume", "bank-b", out=["is resumed"])
    listing = s.ask("member", "list", out=["bank-a", "bank-b"])
    want([(m["name"], m["cap"], m["weight"], m["status"]) for m in listing] ==
         [("bank-a", 1000, 1, "active"), ("bank-b", 70, 2, "active")], "%r", listing)
    s.expect(FAILED, "member", "remove", "9", *s.at(), "--key", s.path("owner.key"),
             err=["no member 9"])


def permission(s):
    """4: an owner's command by a member, a report by a stranger"""
    s.by("b", "member", "remove", "1", status=PERMISSION, err=["refused", "NotOwner"])
    s.by("b", "ledger", "pause", status=PERMISSION, err=["NotGuardian"])
    s.by("owner", "ledger", "owner-accept", status=PERMISSION, err=["NotProposedOwner"])
    s.by("owner", "report", "198.51.100.7", status=PERMISSION, err=["no member's"])
    answer = s.parse(PERMISSION, "member", "remove", "1", *s.at(), "--key", s.path("b.key"))
    want("NotOwner" in answer["error"], "%r", answer)
    want(s.chain.rpc("eth_getTransactionCount", s.b, "latest") == "0x0",
         "what was refused was sent")


def purse(s):
    """14, 15: an empty purse, a fee cap that is too low; key balance"""
    s.expect(OK, "key", "balance", s.a, "--endpoint", s.chain.http, out=["holds 0 coins"])
    s.by("a", "report", "198.51.100.7", status=NO_FUNDS, err=[s.a, "0 coins", "send it"])
    s.chain.fund(s.a, 5 * 10**17)
    s.chain.mine()
    answer = s.parse(OK, "key", "balance", s.path("a.key"), "--endpoint", s.chain.http)
    want(answer["balance"] == "0.5" and answer["address"] == s.a, "%r", answer)
    s.expect(OK, "key", "balance", "--config", s.config, out=["0.5 coins"])
    s.by("a", "report", "198.51.100.7", "--max-fee", "0.1", status=FEE, err=["gwei"])
    s.by("a", "report", "198.51.100.7", "--zero-fee", status=FEE, err=["--zero-fee"])
    s.expect(USAGE, "report", "198.51.100.7", *s.at(), "--key", s.path("a.key"), "--max-fee",
             "lots", err=["gwei"])
    want(s.chain.rpc("eth_getTransactionCount", s.a, "latest") == "0x0", "something was sent")


def report(s):
    """report, object, revoke: one word each; refresh, dry run, wait, texts"""
    s.by("a", "report", "198.51.100.7", "--category", "password", "--ttl", "1h",
         out=["sent to the chain", "member 1 (bank-a)"])
    first = s.parse(OK, "report", "sip:bob@evil.example", *s.at(), "--key", s.path("a.key"),
                    "--wait")
    want(first["state"] == "final" and first["cell"] == 1 and first["block"]
         and first["gas_used"] < 150000, "%r", first)
    again = s.parse(OK, "report", "sip:bob@evil.example", *s.at(), "--key", s.path("a.key"),
                    "--wait", "--ttl", "2h")
    want(again["cell"] == 1 and again["until"] > first["until"], "%r %r", first, again)
    s.by("b", "object", "198.51.100.7", "--wait", out=["objected to by member 2", "block"])
    height = s.chain.node().height()
    answer = s.parse(OK, "report", "+97259*", *s.at(), "--key", s.path("a.key"), "--dry-run")
    want(answer["accepted"] and answer["gas"] > 50000 and s.chain.node().height() == height,
         "%r", answer)
    s.by("a", "report", "+97259*", "--tx", out=["transaction     0x", "not waited for"])
    s.by("b", "revoke", "198.51.100.7", "--wait", "--tx", out=["revoked by member 2"])
    s.by("b", "revoke", "198.51.100.7", status=FAILED, err=["no live report of 198.51.100.7"])
    spent = s.parse(OK, "report", "203.0.113.9", *s.at(), "--key", s.path("b.key"), "--wait")
    want(spent["cell"] == 0, "the spent cell is not used again: %r", spent)
    s.expect(OK, "report", "203.0.113.10", "--direct", "--config", s.config, "--wait",
             out=["member 1 (bank-a)"])
    result = s.run("report", "203.0.113.11", "--config", s.config)
    want(result.returncode == OK and "no daemon answers" in result.stderr, "%r", result)


def refused(s):
    """5 and 2: protected, malformed, too long, unknown"""
    s.by("owner", "protect", "add", "192.0.2.0/24", out=["1 entry"])
    want(s.ask("protect", "list", out=["192.0.2.0/24"]) == ["192.0.2.0/24"], "protect list")
    s.by("a", "report", "192.0.2.9", status=REFUSED, err=["192.0.2.0/24", "Protected"])
    s.by("a", "report", "192.0.0.0/16", status=REFUSED, err=["Protected"])
    s.by("a", "report", "192.0.2.9", "--dry-run", status=REFUSED, err=["Protected"])
    s.by("a", "report", "198.51.0.0/9", status=USAGE, err=["198.0.0.0/9"])
    s.by("a", "report", "198.0.0.0/9", status=REFUSED, err=["refused"])
    s.by("a", "report", "198.51.100.300", status=USAGE, err=["no IP address"])
    s.by("a", "report", "198.51.100.9", "--ttl", "2d", status=USAGE, err=["at most 86400"])
    s.by("a", "report", "198.51.100.9", "--category", "evil", status=USAGE, err=["scan, "])
    s.by("owner", "member", "suspend", "2")
    s.by("b", "report", "198.51.100.9", status=REFUSED, err=["suspended", "member resume"])
    s.by("owner", "member", "resume", "2")
    s.by("owner", "member", "signer-add", "2", s.a, status=REFUSED, err=["SignerTaken"])
    s.by("owner", "protect", "remove", "192.0.2.0/24", out=["0 entries"])


def full(s):
    """a full member: pages of cells, and the report that ends first gives way"""
    s.by("owner", "member", "set", "bank-b", "--cap", "3")
    for i, ttl in ((1, "3h"), (2, "1h"), (3, "2h")):
        s.by("b", "report", "203.0.113.%d" % (20 + i), "--ttl", ttl, "--wait")
    answer = s.parse(OK, "report", "203.0.113.30", *s.at(), "--key", s.path("b.key"), "--wait")
    listed = {i["indicator"] for i in s.ask("list")["indicators"]}
    want("203.0.113.30" in listed and answer["cell"] < 3, "%r", answer)
    want(len(listed & {"203.0.113.9", "203.0.113.21", "203.0.113.22", "203.0.113.23"}) == 2,
         "%r", listed)
    s.by("owner", "member", "set", "bank-b", "--cap", "1000")


def ask(s):
    """list and check without a daemon: texts, words, tips"""
    answer = s.ask("list", out=["198.51.100.7", "sip:bob@evil.example", "+97259*", "block"])
    want(answer["direct"] is True and answer["count"] == len(answer["indicators"]), "%r", answer)
    numbers = s.ask("list", "--kind", "number")["indicators"]
    want([i["indicator"] for i in numbers] == ["+97259*"], "%r", numbers)
    answer = s.ask("check", "198.51.100.7", out=["to be blocked", "bank-a", "password"])
    words = answer["listed"][0]["words"]
    want(words[0]["name"] == "bank-a" and words[0]["proof"] == "manual"
         and words[0]["expiry"] > time.time(), "%r", words)
    s.ask("check", "972591234567", out=["+97259*"])
    s.ask("check", "203.0.113.200", status=FAILED, out=["not listed"])
    s.expect(OK, "list", "--direct", "--config", s.config, out=["198.51.100.7"])
    result = s.run("list", "--config", s.config)
    want(result.returncode == OK and "--direct" in result.stderr, "%r", result)
    s.expect(UNREACHABLE, "status", "--config", s.config, err=["is sipchaind running"])
    s.expect(USAGE, "list", "--direct", "--socket", s.path("s"), err=["one or the other"])


def history(s):
    """ledger show, verify, export, config, guardian, owner, pause"""
    answer = s.ask("ledger", "verify", out=["intact: ", "proved against", s.chain.http])
    lines = [json.loads(line) for line in s.expect(
        OK, "ledger", "export", *s.at()).splitlines()]
    want(answer["intact"] and answer["verified"] == len(lines) and answer["proved"], "%r",
         answer)
    want(answer["members"]["seq"] + answer["admin"]["seq"] == len(lines), "%r", answer)
    want(lines[0]["operation"] == "genesis" and lines[0]["block"] == 1, "%r", lines[0])
    shown = s.ask("ledger", "show", out=["contract        " + s.contract])
    want(shown["tips"]["members"] == answer["members"], "%r %r", shown["tips"], answer)
    s.by("owner", "ledger", "config", "--threshold", "2", out=["threshold 2"])
    want(s.ask("contract", "info")["rules"]["threshold"] == 2, "the threshold")
    s.by("owner", "ledger", "config", "--threshold", "1")
    s.by("owner", "ledger", "guardian", s.b, out=[s.b])
    s.by("b", "ledger", "pause", out=["paused"])
    s.by("a", "report", "198.51.100.99", status=REFUSED, err=["Paused"])
    s.by("b", "ledger", "unpause", status=PERMISSION, err=["NotOwner"])
    s.by("owner", "ledger", "unpause", out=["unpaused"])
    s.by("owner", "ledger", "owner-propose", s.b, out=["proposed owner"])
    s.by("owner", "ledger", "owner-propose", NOBODY, out=["taken back"])
    verdict = s.parse(OK, "ledger", "pause", *s.at(), "--key", s.path("owner.key"), "--dry-run")
    want("would be paused" in verdict["text"], "%r", verdict)
    want(s.ask("contract", "info")["paused"] is False, "a dry run paused the ledger")


def bench(s):
    """ledger bench: gas a report, blocks, reading speed"""
    arguments = ["ledger", "bench", *s.at(), "--key", s.path("b.key"), "--reports"]
    answer = s.parse(OK, *arguments, "150")
    want(answer["batches"] == 2 and answer["blocks"] == 2 and answer["read"] >= 150, "%r", answer)
    want(15000 < answer["gas_per_report"] < 30000, "%r", answer)
    s.expect(FAILED, *arguments, "2000", err=["lower --reports"])
    s.expect(USAGE, *arguments, "0", err=["--reports 0"])
    s.expect(USAGE, "ledger", "bench", "--endpoint", "https://rpc.example.net", "--contract",
             s.contract, "--key", s.path("b.key"), err=["not on this machine", "--yes"])
    s.expect(PERMISSION, "ledger", "bench", *s.at(), "--key", s.path("owner.key"))
    s.expect(OK, "ledger", "verify", *s.at(), out=["intact"])


def wrong(s):
    """11, 12, 13: another chain, no contract, not ours, another version"""
    s.expect(NO_CODE, "member", "list", *s.at(contract=s.b), err=["no contract at", "chain 31337"])
    s.expect(NO_CODE, "report", "198.51.100.7", *s.at(contract=s.b), "--key", s.path("a.key"))
    other = "0x" + 36 * "0" + "c0de"
    s.chain.rpc("anvil_setCode", other, VERSION_2)
    s.expect(WRONG_CODE, "member", "list", *s.at(contract=other), err=["version 2", "speaks"])
    s.expect(WRONG_CODE, "report", "198.51.100.7", *s.at(contract=other), "--key",
             s.path("a.key"), err=["version 2"])
    s.chain.rpc("anvil_setCode", other, "0x00")
    s.expect(WRONG_CODE, "member", "list", *s.at(contract=other), err=["no SIPchain"])
    code = s.chain.rpc("eth_getCode", s.contract, "latest")
    s.chain.rpc("anvil_setCode", other, code + "00")
    s.expect(WRONG_CODE, "member", "list", *s.at(contract=other), err=["other code"])
    s.expect(WRONG_CODE, "contract", "verify", *s.at(contract=other))
    with Anvil(chain_id=31338) as foreign:
        s.expect(WRONG_CHAIN, "member", "list", "--config", s.config, "--endpoint", foreign.http,
                 err=["is chain 31338", "on chain 31337"])
        s.expect(WRONG_CHAIN, "report", "198.51.100.7", "--direct", "--config", s.config,
                 "--endpoint", foreign.http)
    with Anvil(chain_id=31337, options=["--timestamp", "1700000000"]) as twin:
        s.expect(WRONG_CHAIN, "member", "list", "--config", s.config, "--endpoint", twin.http,
                 err=["another chain of the same id"])


def unreachable(s):
    """6 to 10: nobody there, certificates, credentials, proxies, web pages"""
    port = ports.take()
    nowhere = "http://127.0.0.1:%d" % port.first
    port.release()
    s.expect(NO_ENDPOINT, "member", "list", *s.at(nowhere), err=[nowhere])
    s.expect(NO_ENDPOINT, "report", "198.51.100.7", *s.at(nowhere), "--key", s.path("a.key"))
    authority = certificates.Authority(s.path("ca"))
    for certificate, text in ((authority.expired(), "has expired"),
                              (authority.misnamed(), "another host's name")):
        with Proxy(s.chain.http, certificate=certificate) as proxy:
            line = "%s ca_file=%s" % (proxy.http, authority.path)
            s.expect(CERTIFICATE, "member", "list", *s.at(line), err=[text])
    with Proxy(s.chain.http, certificate=authority.issue("good")) as proxy:
        s.expect(OK, "member", "list", *s.at("%s ca_file=%s" % (proxy.http, authority.path)),
                 out=["bank-a"])
        s.expect(CERTIFICATE, "member", "list", *s.at(proxy.http), err=["unknown here"])
    with Proxy(s.chain.http, connect=True) as proxy:
        proxy.add("status", code=401)
        s.expect(UNAUTHORISED, "member", "list", *s.at(proxy.http))
        proxy.clear()
        proxy.add("garbage", body="<html>Please sign in</html>")
        s.expect(NOT_RPC, "member", "list", *s.at(proxy.http), err=["portal"])
        proxy.clear()
        proxy.add("error", code=-32005, message="rate limit", times=2)
        s.expect(OK, "member", "list", *s.at(proxy.http), out=["bank-a"])
    behind_a_proxy(s, authority)


def behind_a_proxy(s, authority):
    """An HTTP proxy that wants credentials, in front of an https endpoint."""
    with Proxy(s.chain.http, certificate=authority.issue("far")) as far, \
            Proxy(s.chain.http, connect=True) as proxy:
        line = "%s ca_file=%s proxy=%s" % (far.http, authority.path, proxy.http)
        s.expect(OK, "member", "list", *s.at(line), out=["bank-a"])
        proxy.add("proxy_auth", user="u", password="p")
        s.expect(PROXY, "member", "list", *s.at(line), err=["407"])


def secrets(s):
    """an endpoint's secret is not taken from a command line, nor ever shown"""
    secret = "9aa3d95b3bc440fa88ea12eaa4456161"
    with Proxy(s.chain.http) as proxy:
        proxy.add("path", path="/v3/" + secret)
        url = "%s/v3/%s" % (proxy.http, secret)
        s.expect(USAGE, "member", "list", *s.at(url), err=["--endpoint @FILE"])
        s.write("endpoint", url + "\n")
        s.expect(OK, "member", "list", *s.at("@" + s.path("endpoint")), out=["bank-a"])
        proxy.clear()
        proxy.add("status", code=403)
        result = s.run("member", "list", *s.at("@" + s.path("endpoint")))
        want(result.returncode == UNAUTHORISED, "%r", result)
        want(secret not in result.stdout + result.stderr, "the key is shown: %r", result.stderr)
    s.write("endpoint", url + "\n", 0o644)
    s.expect(USAGE, "member", "list", *s.at("@" + s.path("endpoint")), err=["chmod 600"])


def lied(s):
    """17: left out events, other tips, false proofs"""
    with Proxy(s.chain.http) as proxy:
        proxy.add("lie", methods="eth_getLogs", path="result.2", remove=True)
        s.expect(LIED, "ledger", "verify", *s.at(proxy.http))
        proxy.clear()
        proxy.add("lie", methods="eth_getProof", path="result.accountProof.0", flip=True)
        s.expect(LIED, "contract", "info", *s.at(proxy.http), err=["proof"])
        proxy.clear()
        proxy.add("missing", methods="eth_getProof")
        answer = s.parse(OK, "ledger", "verify", *s.at(proxy.http))
        want(answer["proved"] is False and answer["intact"], "%r", answer)


def not_mined(s):
    """16: no block takes it; the transaction is named, and it comes later"""
    s.chain.automine(False)
    try:
        text = s.run("report", "198.51.100.55", *s.at(), "--key", s.path("a.key"), "--wait",
                     "--timeout", "1s")
        want(text.returncode == NOT_MINED and "look before" in text.stderr, "%r", text)
        second = s.parse(OK, "report", "198.51.100.56", *s.at(), "--key", s.path("a.key"))
        want(second["state"] == "sent" and second["block"] is None, "%r", second)
    finally:
        s.chain.automine(True)
        s.chain.mine()
    s.expect(USAGE, "report", "198.51.100.55", *s.at(), "--key", s.path("a.key"), "--timeout",
             "never", err=["--timeout"])
    listed = {i["indicator"] for i in s.ask("list")["indicators"]}
    want(listed >= {"198.51.100.55", "198.51.100.56"}, "%r", listed)


def elsewhere(s):
    """the configuration's faults; a local ledger still works directly"""
    s.expect(CONFIG, "member", "list", "--config", s.write("bad.conf", "[ledger]\nx = 1\n"))
    local = ["--ledger", s.path("l.db"), "--key", s.path("owner.key")]
    s.expect(OK, "init", "--yes", "--ledger", s.path("l.db"), "--owner-key", s.path("owner.key"))
    s.expect(OK, "member", "add", *local, "--name", "me", "--signer", s.a, "--tx",
             out=["this ledger is a file"])
    local[3] = s.path("a.key")
    answer = s.parse(OK, "report", "sip:eve@evil.example", *local)
    want(answer["state"] == "final" and "transaction" not in answer, "%r", answer)
    s.expect(OK, "list", *local[:2], out=["sip:eve@evil.example"])
    s.expect(OK, "check", "sip:eve@evil.example", *local[:2], out=["by this node's policy"])
    s.expect(OK, "revoke", "sip:eve@evil.example", *local, "--dry-run", out=["would be revoked"])
    s.expect(OK, "revoke", "sip:eve@evil.example", *local, out=["revoked by member 1"])
    s.expect(OK, "list", *local[:2], out=["0 listed"])
    s.expect(REFUSED, "report", "10.0.0.1", *local, err=["RFC"])


CHECKS = (deploy, init, info, members, permission, purse, report, refused, full, ask, evidence, history,
          bench, wrong, unreachable, secrets, lied, not_mined, elsewhere)


if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), ChainStage, CHECKS,
                "command line on a chain", broken=(ChainError,))
