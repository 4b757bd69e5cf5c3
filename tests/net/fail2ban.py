# SPDX-License-Identifier: Apache-2.0
"""Debian's fail2ban with the shipped action, in a namespace."""
import os
import stat
import time

import topology
from world import FOLDER, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
ACTION = os.path.join(HERE, "../../packaging/fail2ban/sipchain.conf")
OWNED = FOLDER + "/owned"

# What an attacker calls himself.
HOSTILE = ["$(touch {0})".format(OWNED), "`touch {0}`".format(OWNED),
           "'; touch {0}; '".format(OWNED), "\"; touch {0} #".format(OWNED),
           "--ledger=/etc/passwd", "x & touch {0}".format(OWNED),
           "<ip> <matches> %(sipchain)s $f2bV_F_USER"]

# What a filter may take for an address: fail2ban itself fails at a '/' in it.
NAMED = "$(reboot); `reboot`; '; reboot; ' \"; reboot # <ip> --ledger=x $f2bV_ip"

# What the action runs: it keeps the words that it is given, and goes on with them.
PROGRAM = """#!/bin/sh
for word; do printf '%s\\0' "$word"; done >>{folder}/commands
printf '\\n' >>{folder}/commands
exec {program} "$@"
"""

JAIL = """\
[DEFAULT]
backend = polling
bantime = 1200
findtime = 600
maxretry = 3
usedns = no
ignoreself = false
[pbx]
enabled = true
filter = pbx
logpath = {folder}/pbx.log
action = sipchain[sipchain="{command}", category=password]
[withdraw]
enabled = true
filter = pbx
logpath = {folder}/withdraw.log
bantime = -1
action = sipchain[sipchain="{command}", withdraw=yes]
[hostile]
enabled = true
filter = hostile
logpath = {folder}/hostile.log
action = sipchain[sipchain="{command}"]
[named]
enabled = true
filter = named
logpath = {folder}/named.log
action = sipchain[sipchain="{command}"]
"""


class Fail2ban:
    """Debian's own server, with the shipped action; its program speaks to a node."""

    def __init__(self, folder, program, control):
        self.folder = folder
        command = "%s/sipchain --socket %s" % (folder, control)
        self.process = None
        for name in ("action.d", "filter.d"):
            os.makedirs(folder + "/" + name)
        with open(ACTION, encoding="ascii") as f:
            text = f.read()
        self._write("action.d/sipchain.conf", text.replace("@bindir@", "/nonexistent"))
        self._write("filter.d/pbx.conf",
                    "[Definition]\nfailregex = ^ failed login of <HOST>$\n")
        self._write("filter.d/hostile.conf",
                    "[Definition]\nfailregex = ^ failed login of <HOST>"
                    " as <F-USER>.*</F-USER>$\n")
        self._write("filter.d/named.conf",
                    "[Definition]\nfailregex = ^ failed login of \\S+"
                    " as <F-ID>.*</F-ID>$\n")
        self._write("sipchain", PROGRAM.format(folder=folder, program=program))
        os.chmod(folder + "/sipchain", stat.S_IRWXU)
        self._write("commands", "")
        self._write("jail.conf", JAIL.format(folder=folder, command=command))
        self._write("fail2ban.conf",
                    "[Definition]\nloglevel = INFO\nlogtarget = {0}/log\nsyslogsocket = auto\n"
                    "socket = {0}/sock\npidfile = {0}/pid\ndbfile = {0}/db\n"
                    "dbpurgeage = 1d\ndbmaxmatches = 10\n".format(folder))
        for name in ("pbx.log", "withdraw.log", "hostile.log", "named.log"):
            self._write(name, "")

    def _write(self, name, text):
        with open(self.folder + "/" + name, "w", encoding="ascii") as f:
            f.write(text)

    def _options(self):
        return ["-c", self.folder, "-s", self.folder + "/sock", "-p", self.folder + "/pid"]

    def client(self, *arguments):
        return topology.run("fail2ban-client", *self._options(), *arguments,
                            namespace="sip-a", check=False)

    def start(self):
        with open(self.folder + "/out", "ab") as out:
            self.process = topology.start("sip-a", [
                "fail2ban-server", "-xf", *self._options(), "start"],
                stdout=out, stderr=out)
        wait_for(lambda: "pong" in self.client("ping").stdout, 30, "fail2ban answers")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.client("stop")
            self.process.wait(120)

    def fail(self, name, address, user=None):
        """Three failures of an address, as a user if there is one."""
        text = " failed login of %s%s\n" % (address, " as " + user if user else "")
        with open(self.folder + "/" + name, "a", encoding="ascii") as f:
            for _ in range(3):
                f.write(time.strftime("%Y-%m-%d %H:%M:%S") + text)

    def commands(self):
        """The words of each command that it ran."""
        with open(self.folder + "/commands", encoding="utf-8") as f:
            return [line.split("\0") for line in f.read().split("\0\n")[:-1]]

    def log(self):
        with open(self.folder + "/log", encoding="utf-8") as f:
            return f.read()
