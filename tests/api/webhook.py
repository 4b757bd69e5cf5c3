#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""webhook.py --build FOLDER [--results FILE]: the webhooks of a running node.

A receiver over TLS that checks every signature, goes away, comes back, says no, or
nothing at all; the role that sends killed; the daemon killed. Leaves with 1 when a
check failed, 2 when the stage could not be set.
"""
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from webhook_stage import WebhookStage, complete, events_of
import checks
from checks import want

HERE = os.path.dirname(os.path.abspath(__file__))


# --- the checks, in order; each is told to the reader by its first line ---

def without(s):
    """without a webhook there is no role deliver, and nothing to show"""
    want(s.role() is None, "%r", s.role())
    answer = s.call_cli("webhook", "status")
    want(answer.returncode == 0 and "there is no [webhook" in answer.stdout, "%r", answer)
    answer = s.call_cli("webhook", "test", "siem")
    want(answer.returncode == 2 and 'there is no [webhook "siem"]' in answer.stderr, "%r", answer)


def from_now_on(s):
    """a new webhook comes with a reload, and gets what happens from then on, not the past"""
    s.bans(3)
    before = s.newest()
    s.follow_with(s.siem())
    s.reload()
    s.bans(2, 10)
    s.await_all()
    complete(s, before)
    first = s.posts()[0]
    body = json.loads(first["body"])
    want(sorted(body) == ["events", "lost", "node", "webhook"] and body["webhook"] == "siem" and
         body["node"] == "edge1" and body["lost"] == 0, "%r", body)
    want(body["events"][0]["type"] == "reload", "%r", body["events"][0])
    want(first["type"].startswith("application/json"), "%r", first["type"])
    want(len(first["signatures"].split()) == 1, "%r", first["signatures"])


def in_order(s):
    """400 events: in order, each once, in batches of a hundred at most"""
    before = s.newest()
    s.forget()
    s.bans(400)
    s.await_all()
    complete(s, before)
    sizes = [len(json.loads(r["body"])["events"]) for r in s.posts()]
    want(sum(sizes) == 400 and max(sizes) <= 100, "%r", sizes)
    hook = s.hook()
    want(hook["state"] == "ready" and hook["position"] == s.newest() and hook["status"] == 200 and
         not hook["trouble"] and hook["failures"] == 0 and hook["lost"] == 0, "%r", hook)


def table(s):
    """webhook status: a table, one by its name, JSON; status has its line"""
    text = s.call_cli("webhook", "status").stdout
    want("WEBHOOK" in text and "siem" in text and "ready" in text, "%r", text)
    out = json.loads(s.call_cli("webhook", "status", "siem", "--json").stdout)["webhooks"][0]
    want(out["url"] == "https://127.0.0.1:%d" % s.receiver.port, "%r", out)
    want(s.call_cli("webhook", "status", "chat").returncode == 2, "another one is known")
    text = s.call_cli("status").stdout
    want("webhook   siem ready" in text and "deliver" in text, "%r", text)


def sealed(s):
    """the role is sealed: no capability, a filter, nothing listened on, no database, no key"""
    role = s.role()
    want(role["capabilities"] == "none" and role["seccomp"] == "filter" and
         role["no_new_privs"], "%r", role)
    want(role["landlock"].startswith("ABI") or s.role("sense")["landlock"] == "none", "%r", role)
    listening = set()
    for table_name in ("tcp", "tcp6"):
        with open("/proc/net/" + table_name, encoding="ascii") as f:
            listening |= {line.split()[9] for line in f if line.split()[3] == "0A"}
    folder = "/proc/%d/fd" % role["pid"]
    for name in os.listdir(folder):
        try:
            target = os.readlink(os.path.join(folder, name))
        except FileNotFoundError:
            continue
        want(target.strip("socket:[]") not in listening, "it listens: %s", target)
        want(not target.startswith(s.folder) or target == s.path("log"), "it has %s open", target)


def tested(s):
    """webhook test: the receiver's answer, and an exit code that says it"""
    answer = s.call_cli("webhook", "test", "siem")
    want(answer.returncode == 0 and "its receiver answered 200" in answer.stdout, "%r", answer)
    last = json.loads(s.posts()[-1]["body"])["events"][-1]
    want(last["type"] == "test" and last["webhook"] == "siem", "%r", last)
    s.answer = "hostile"
    answer = s.call_cli("webhook", "test", "siem")
    want(answer.returncode == 1 and "not delivered" in answer.stderr and "500" in answer.stderr,
         "%r", answer)
    want("\x1b" not in answer.stderr and "t0ken" not in answer.stderr, "%r", answer.stderr)
    hook = s.hook()
    want(hook["state"] == "failing" and hook["status"] == 500 and hook["failures"] > 0, "%r", hook)
    s.answer = "ok"
    want(s.call_cli("webhook", "test", "siem").returncode == 0, "it does not come back")
    want(s.await_all()["state"] == "ready", "%r", s.hook())


def away(s):
    """the receiver is away and comes back: nothing lost, nothing twice but by the same id"""
    before = s.newest()
    s.forget()
    port = s.silence()
    s.bans(150)
    hook = s.until(lambda: (lambda w: w["batch"] and w["batch"]["attempts"] > 1 and w)(s.hook()),
                   "it is not tried again")
    figures = dict(line.split() for line in s.call("GET", "/metrics").text.splitlines()
                   if line[0] != "#")
    want(figures["sipchain_webhooks_failing"] == "1" and
         int(figures["sipchain_webhook_behind"]) >= 150 and
         int(figures["sipchain_webhook_events_total"]) == hook["events"] and
         figures["sipchain_webhook_lost_total"] == "0", "%r", figures)
    want(hook["state"] == "failing" and hook["status"] == 0 and hook["trouble"] and
         hook["behind"] >= 150, "%r", hook)
    text = s.call_cli("status").stdout
    want("webhook   siem failing" in text and hook["trouble"][:20] in text, "%r", text)
    s.answer = "ok"
    s.listen(port)
    s.bans(20, 200)
    s.await_all()
    complete(s, before)
    want(s.hook()["state"] == "ready", "%r", s.hook())


def hang(s):
    """Let the receiver take a batch, and not answer; returns the request."""
    s.await_all()
    s.forget()
    s.answer = "hang"
    s.bans(30, 300)
    return s.await_post(text="no batch came")


def killed(s):
    """kill -9 of the role within a batch: the same batch again, id and bytes; nothing lost"""
    before = s.newest()
    first = hang(s)
    role = s.role()
    os.kill(role["pid"], signal.SIGKILL)
    again = s.until(lambda: len(s.posts()) > 1 and s.posts()[1], "it does not come again")
    want(again["id"] == first["id"] and again["body"] == first["body"], "%r is not %r",
         again["id"], first["id"])
    s.answer = "ok"
    want(s.until(lambda: (s.role() or {}).get("starts", 0) > role["starts"] and s.role(),
                 "it is not started again")["last_exit"] == -9, "%r", s.role())
    os.kill(s.role()["pid"], signal.SIGKILL)
    s.await_all()
    complete(s, before)


def restarted(s):
    """the daemon restarted, and killed, within a batch: the same batch again; nothing lost"""
    for number in (signal.SIGTERM, signal.SIGKILL):
        before = s.newest()
        first = hang(s)
        s.process.send_signal(number)
        s.process.wait(60)
        s.bans_before = len(s.posts())
        s.start()
        again = s.until(lambda: len(s.posts()) > s.bans_before and s.posts()[s.bans_before],
                        "it does not come again")
        want(again["id"] == first["id"] and again["body"] == first["body"], "%r is not %r",
             again["id"], first["id"])
        s.answer = "ok"
        os.kill(s.role()["pid"], signal.SIGKILL)
        s.await_all()
        complete(s, before)


def gone(s):
    """410: nothing more is sent, which is said; retry sends all of it, also after a restart"""
    before = s.newest()
    s.forget()
    s.answer = "gone"
    s.bans(5, 400)
    s.until(lambda: s.hook()["state"] == "gone", "it is not gone: %r" % s.hook())
    count = len(s.posts())
    s.bans(5, 410)
    answer = s.call_cli("webhook", "test", "siem")
    want(answer.returncode == 1 and "answered 410" in answer.stderr, "%r", answer)
    s.stop()
    s.start()
    hook = s.hook()
    want(hook["state"] == "gone" and "sipchain webhook retry siem" in hook["trouble"] and
         hook["status"] == 410, "%r", hook)
    want(any(e["type"] == "trouble" and "webhook siem" in e["text"] for e in s.journal(before)),
         "nobody is told")
    want(len(s.posts()) == count, "it was sent all the same")
    s.answer = "ok"
    answer = s.call_cli("webhook", "retry", "siem")
    want(answer.returncode == 0 and "sends again" in answer.stdout, "%r", answer)
    s.await_all()
    complete(s, before)


def busy(s):
    """429 with Retry-After: not before; retry: now"""
    s.forget()
    s.answer = "busy"  # in 7 s
    s.bans(1, 420)
    hook = s.until(lambda: (lambda w: w["next"] and w)(s.hook()), "there is no next try")
    first = s.await_post()
    want(hook["state"] == "failing" and hook["status"] == 429 and
         hook["next"] - int(first["timestamp"]) >= 7, "%r, asked at %s", hook, first["timestamp"])
    s.answer = "ok"
    s.until(lambda: len(s.posts()) > 1, "it is not tried again")
    want(int(s.posts()[1]["timestamp"]) - int(first["timestamp"]) >= 7, "it came too early")
    s.await_all()
    s.answer = "much_later"  # later than anything waits for
    s.bans(1, 421)
    s.until(lambda: s.hook()["next"], "there is no next try")
    s.answer = "ok"
    want("is tried now" in s.call_cli("webhook", "retry", "siem").stdout, "retry")
    s.await_all()


def secrets_change(s):
    """a new secret by reload: with both, two signatures; then the new one alone"""
    before = s.newest()
    s.forget()
    old, new = s.secret, s.fresh_secret("next")
    s.follow_with(s.siem("secret_file_next = %s\n" % s.path("next.secret")))
    s.reload()
    for secret in (old, new):  # either kind of receiver takes it
        s.receiver.secrets = [secret]
        want(s.call_cli("webhook", "test", "siem").returncode == 0, "it is refused")
    want(len(s.posts()[-1]["signatures"].split()) == 2, "%r", s.posts()[-1]["signatures"])
    s.write("siem.secret", new + "\n")
    s.secret = new
    s.follow_with(s.siem())
    s.reload()
    want(s.call_cli("webhook", "test", "siem").returncode == 0, "the new one is refused")
    want(len(s.posts()[-1]["signatures"].split()) == 1, "%r", s.posts()[-1]["signatures"])
    s.await_all()
    complete(s, before)
    # A receiver that knows another: refused, and tried again until it does.
    s.receiver.secrets = [s.fresh_secret("other")]
    answer = s.call_cli("webhook", "test", "siem")
    want(answer.returncode == 1 and "401" in answer.stderr, "%r", answer)
    s.receiver.secrets = [new]
    s.call_cli("webhook", "retry", "siem")
    s.await_all()


def silent(s):
    """a receiver that never answers keeps nobody waiting: bans, HTTP, another webhook"""
    with socket.create_server(("127.0.0.1", 0)) as mute:  # it accepts, and says nothing
        s.write("chat.secret", s.secret + "\n")
        s.follow_with(s.siem(), '[webhook "mute"]\nurl = http://127.0.0.1:%d/\n'
                    "secret_file = %s\ntimeout = 60s\n" %
                    (mute.getsockname()[1], s.path("chat.secret")))
        s.reload()
        s.until(lambda: s.hook("mute")["state"] == "sending", "it is not asked")
        batch = s.hook("mute")["batch"]
        s.await_all("siem")
        before = s.newest()
        s.forget()
        s.bans(100)
        for _ in range(100):
            s.call("GET", "/v1/check?ip=192.0.2.1", status=200)
        s.await_all("siem")
        complete(s, before)
        hook = s.hook("mute")
        want(hook["state"] == "sending" and hook["batch"] == batch and hook["failures"] == 0 and
             hook["behind"] >= 100, "it was not silent for so long: %r", hook)
        s.follow_with(s.siem())
        s.reload()
    want("webhook mute is not configured any more" in s.whole_log(), "nothing is said of it")
    want([w["name"] for w in s.told("webhook-status")["webhooks"]] == ["siem"], "it is there")


def wanted(s):
    """events = ...: those alone; a test all the same, and to that webhook alone"""
    s.write("bans.secret", s.secret + "\n")
    s.follow_with(s.siem(), '[webhook "bans"]\nurl = https://127.0.0.1:%d/\nsecret_file = %s\n'
                "ca_file = %s\nevents = ban unban\n" %
                (s.receiver.port, s.path("bans.secret"), s.path("api.pem")))
    s.reload()
    s.await_all("siem")
    s.forget()
    before = s.newest()
    s.told("ban", indicator="198.51.100.250")
    s.told("allow-add", indicator="198.51.100.251", note="x")
    s.told("report", indicator="198.51.100.252")
    s.told("unban", indicator="198.51.100.250")
    want(s.call_cli("webhook", "test", "bans").returncode == 0, "the test fails")
    s.await_all("siem")
    s.await_all("bans")
    by = {name: [r for r in s.posts() if json.loads(r["body"])["webhook"] == name]
          for name in ("siem", "bans")}
    types = [e["type"] for e in events_of(by["bans"])]
    want(types.count("unban") == 1 and types[-1] == "test" and
         set(types) == {"ban", "unban", "test"}, "%r", types)
    due = [e["id"] for e in s.journal(before) if e["type"] != "test"]
    want([e["id"] for e in events_of(by["siem"])] == due, "%r",
         [e["type"] for e in events_of(by["siem"])])
    s.follow_with(s.siem())
    s.reload()


def trouble(s):
    """a secret that others can read: that webhook stands, with why and what to do; no other"""
    s.write("open.secret", s.secret + "\n")
    os.chmod(s.path("open.secret"), 0o644)
    broken = '[webhook "open"]\nurl = https://127.0.0.1:%d/\nsecret_file = %s\nca_file = %s\n' % (
        s.receiver.port, s.path("open.secret"), s.path("sipchain.conf"))
    s.follow_with(s.siem(), broken)
    answer = subprocess.run([s.program, "config", "test", "--config", s.path("sipchain.conf")],
                            capture_output=True, text=True, check=False)
    want(answer.returncode == 78 and "open.secret: others can read the secret (mode 0644): "
         "run chmod 600" in answer.stderr and '[webhook "open"] secret_file: ' in answer.stderr and
         "ca_file: %s: holds no certificate" % s.path("sipchain.conf") in answer.stderr,
         "%r", answer)
    s.reload()
    s.until(lambda: s.hook("open")["state"] == "trouble", "%r" % s.hook("open"))
    want("chmod 600" in s.hook("open")["trouble"], "%r", s.hook("open"))
    want("chmod 600" in s.call_cli("status").stdout, "status does not say so")
    answer = s.call_cli("webhook", "test", "open")
    want(answer.returncode == 1 and "chmod 600" in answer.stderr, "%r", answer)
    want(s.call_cli("webhook", "test", "siem").returncode == 0, "the other one does not work")
    os.chmod(s.path("open.secret"), 0o600)
    s.follow_with(s.siem(), broken.replace(s.path("sipchain.conf"), s.path("api.pem")))
    s.reload()
    want(s.call_cli("webhook", "test", "open").returncode == 0, "%r", s.hook("open"))
    # Another certificate than that of its authority.
    s.follow_with(s.siem(), broken.replace("ca_file = " + s.path("sipchain.conf"), ""))
    s.reload()
    answer = s.call_cli("webhook", "test", "open")
    want(answer.returncode == 1 and "certificate" in answer.stderr, "%r", answer)
    s.follow_with(s.siem())
    s.reload()


def lost(s):
    """what the journal forgot before it was delivered is counted, told and logged"""
    s.await_all()
    s.forget()
    s.answer = "gone"
    s.bans(40)
    s.until(lambda: s.hook()["state"] == "gone", "it is not gone")
    s.stop()
    base = sqlite3.connect(s.path("state/node.db"))
    newest = base.execute("SELECT max(id) FROM event").fetchone()[0]
    position = base.execute("SELECT position FROM webhook").fetchone()[0]
    base.execute("DELETE FROM event WHERE id <= ?", (newest - 10,))
    base.commit()
    base.close()
    s.forget()
    s.answer = "ok"
    s.start()
    s.told("webhook-retry", name="siem")
    s.await_all()
    body = json.loads(s.posts()[0]["body"])
    due = newest - 10 - position
    want(body["lost"] == due and body["events"][0]["id"] == newest - 9, "%r of %d", body, due)
    want(all(json.loads(r["body"])["lost"] == 0 for r in s.posts()[1:]), "told twice")
    want(s.hook()["lost"] == due, "%r", s.hook())
    want("%d events were forgotten before they could be delivered" % due in s.whole_log(), "log")


def off(s):
    """enabled = no: nothing is sent, what happens waits; without a webhook the role ends"""
    before = s.newest()
    s.await_all()
    s.forget()
    s.follow_with(s.siem("enabled = no\n"))
    s.reload()
    s.until(lambda: s.role() is None, "the role goes on: %r" % s.role())
    s.bans(5, 430)
    want(s.hook()["state"] == "off" and not s.posts(), "%r", s.hook())
    s.follow_with(s.siem())
    s.reload()
    s.await_all()
    complete(s, before)
    s.follow_with()
    s.reload()
    s.until(lambda: s.role() is None, "the role goes on: %r" % s.role())


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except ConnectionRefusedError:
        return False


def documented(s):
    """docs/operators.md: the receiver that it shows takes what comes, and nothing forged"""
    with open(os.path.join(HERE, "..", "..", "docs", "operators.md"), encoding="utf-8") as f:
        text = f.read()
    begin = text.index("    #!/usr/bin/python3\n    # receiver.py")
    lines = text[begin:text.index("\n\n**What an answer means", begin)].split("\n")
    s.write("receiver.py", "\n".join(line[4:] for line in lines) + "\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, "-u", s.path("receiver.py"), s.path("siem.secret"),
                           str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as shown:
        try:
            s.until(lambda: answers(port), "it does not listen")
            s.follow_with('[webhook "shown"]\nurl = http://127.0.0.1:%d/\nsecret_file = %s\n' %
                        (port, s.path("siem.secret")))
            s.reload()
            s.told("ban", indicator="198.51.100.7")
            want(s.call_cli("webhook", "test", "shown").returncode == 0, "%r", s.hook("shown"))
            # With another secret, and as it is without one.
            s.fresh_secret("wrong")
            s.follow_with('[webhook "forger"]\nurl = http://127.0.0.1:%d/\nsecret_file = %s\n' %
                        (port, s.path("wrong.secret")))
            s.reload()
            answer = s.call_cli("webhook", "test", "forger")
            want(answer.returncode == 1 and "401" in answer.stderr, "%r", answer)
        finally:
            shown.terminate()
        lines = shown.stdout.read().splitlines()
    want(any(line.endswith(" ban 198.51.100.7") for line in lines) and
         lines[-1].split()[1:] == ["test"], "%r", lines)
    s.follow_with()
    s.reload()


def nothing_told(s):
    """secrets, and what may be one in the URL, are in no log, no status, no command line"""
    s.follow_with(s.siem())
    s.reload()
    s.until(lambda: s.hook()["state"] == "ready", "%r" % s.hook())
    shown = subprocess.run([s.program, "config", "show", "--config", s.path("sipchain.conf")],
                           capture_output=True, text=True, check=True).stdout
    want("url = https://127.0.0.1:%d/***" % s.receiver.port in shown, "%r", shown[-600:])
    texts = [shown, s.whole_log(), json.dumps(s.told("status")), json.dumps(s.journal())]
    for role in s.told("status")["roles"]:
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (role["pid"], name), "rb") as f:
                texts.append(f.read().decode(errors="replace"))
    for text in texts:
        for secret in (s.secret, s.secret[6:], "t0ken-of-the-path"):
            want(secret not in text, "%s... is told: %s", secret[:8],
                 text[max(0, text.find(secret) - 200):][:260])


CHECKS = [without, from_now_on, in_order, table, sealed, tested, away, killed, restarted, gone, busy,
          secrets_change, silent, wanted, trouble, lost, off, documented, nothing_told]


def main():
    found = checks.options(checks.parser(__doc__))
    checks.main(found, WebhookStage, CHECKS, "webhooks", broken=(subprocess.CalledProcessError,))


if __name__ == "__main__":
    main()
