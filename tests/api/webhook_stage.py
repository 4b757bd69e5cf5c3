# SPDX-License-Identifier: Apache-2.0
"""A node with webhooks, its receiver, and what must hold of what came."""
import json
import os
import socket
import subprocess
import threading

from stage import Stage  # which says where checks is
# pylint: disable=wrong-import-order
from checks import want
from webhook_receiver import ANSWERS, Receiver

SIEM = """\
[webhook "siem"]
url = https://127.0.0.1:%d/in/t0ken-of-the-path
secret_file = %s
ca_file = %s
timeout = 30s
"""


# Whoever was asked takes the request, and says nothing.
NEVER = threading.Event()
ANSWERS["hang"] = lambda handler: NEVER.wait(300)
ANSWERS["much_later"] = lambda handler: handler.reply(429, b"slow down\n",
                                                      [("Retry-After", "600")])


class WebhookStage(Stage):
    """A node, and one receiver whose answer is `answer` (see webhook_receiver.py)."""

    def make(self):
        super().make()
        self.plain = self.read("sipchain.conf")
        self.secret = self.fresh_secret("siem")
        self.answer, self.receiver = "ok", None
        self.listen()

    def close(self):
        if getattr(self, "receiver", None):
            self.receiver.close()
        super().close()

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def fresh_secret(self, name):
        text = self.run("webhook", "secret").strip()
        self.write(name + ".secret", text + "\n")
        return text

    # --- the receiver ---

    def listen(self, port=0):
        self.receiver = Receiver([self.secret], self.path("api.pem"), self.path("api.key"), port,
                                 behaviour=lambda request: self.answer)

    def silence(self):
        """Nobody listens there any more, open connections end; returns where it was."""
        port = self.receiver.port
        self.answer = "drop"
        self.receiver.close()
        return port

    def posts(self):
        with self.receiver.lock:
            return [r for r in self.receiver.requests if r["method"] == "POST"]

    def forget(self):
        with self.receiver.lock:
            self.receiver.requests.clear()

    def await_post(self, condition=lambda r: True, text="nothing came"):
        return self.until(lambda: next((r for r in self.posts() if condition(r)), None),
                          "%s: %r" % (text, [(r["id"], r["wrong"]) for r in self.posts()]))

    # --- the node ---

    def follow_with(self, *sections):
        self.write("sipchain.conf", self.plain + "".join(sections))

    def siem(self, more=""):
        return SIEM % (self.receiver.port, self.path("siem.secret"), self.path("api.pem")) + more

    def ask(self, command, **arguments):
        """By the control socket; {"ok": ...}."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(120)
            s.connect(self.path("run/control.sock"))
            s.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
            return json.loads(s.makefile().readline())

    def told(self, command, **arguments):
        answer = self.ask(command, **arguments)
        want(answer["ok"], "%s %r: %r", command, arguments, answer)
        return answer["result"]

    def hook(self, name="siem"):
        return self.told("webhook-status", name=name)["webhooks"][0]

    def journal(self, since=0):
        """Every event after this one."""
        events = []
        while True:
            more = self.told("events", since=since)["events"]
            events += more
            if not more:
                return events
            since = more[-1]["id"]

    def newest(self):
        return self.told("events", since=1 << 40)["newest"]

    def role(self, name="deliver"):
        return next((r for r in self.told("status")["roles"] if r["role"] == name), None)

    def bans(self, count, first=1):
        """So many events, without a wait between them."""
        for i in range(first, first + count):
            self.told("ban", indicator="198.51.%d.%d" % (100 + i // 250, i % 250 + 1), ttl=600)

    def await_all(self, name="siem"):
        """Wait until nothing waits for it."""
        return self.until(lambda: (lambda w: not w["behind"] and w)(self.hook(name)),
                          "it stays behind: %r" % self.hook(name))

    def call_cli(self, *arguments):
        return subprocess.run([self.program, *arguments, "--socket",
                               self.path("run/control.sock")], capture_output=True, text=True,
                              timeout=120, check=False)


def events_of(posts):
    """
    The events that a receiver which knows an id again has taken, in order. A body
    under an id that it knows is the same, byte for byte.
    """
    seen, events = {}, []
    for post in posts:
        want(not post["wrong"], "%s: %s", post["id"], post["wrong"])
        if post["id"] in seen:
            want(seen[post["id"]] == post["body"], "another body for %s", post["id"])
            continue
        seen[post["id"]] = post["body"]
        events += json.loads(post["body"])["events"]
    return events


def complete(s, since, posts=None):
    """What came is what happened since then: in order, nothing lost, nothing twice."""
    got, due = events_of(s.posts() if posts is None else posts), s.journal(since)
    want([e["id"] for e in got] == [e["id"] for e in due], "%r instead of %r",
         [e["id"] for e in got], [e["id"] for e in due])
    want(got == due, "an event came otherwise than it stands in the journal")
