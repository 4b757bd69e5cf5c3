# SPDX-License-Identifier: Apache-2.0
"""Debian's fail2ban on Asterisk's security log, with its nftables action."""
import os
import re
import shutil
import subprocess
import time

import stage

TABLE = "f2b-table"

SERVER = """\
[Definition]
loglevel = INFO
logtarget = {folder}/fail2ban.log
syslogsocket = auto
socket = {folder}/fail2ban.sock
pidfile = {folder}/fail2ban.pid
dbfile = {folder}/fail2ban.sqlite3
dbpurgeage = 1d
"""

# Its own filter and action, unchanged. `auto` takes inotify where it can.
JAIL = """\
[asterisk]
enabled = true
backend = auto
filter = asterisk
logpath = {log} tail
usedns = no
ignoreself = false
maxretry = 3
findtime = 600
bantime = 600
action = nftables[name=asterisk, type=multiport, port="5060,5061", protocol="tcp,udp"]
"""


class Fail2ban:
    """The server, with configuration, socket and database of its own."""

    def __init__(self, namespace, log):
        self.folder = stage.FOLDER + "/fail2ban"
        os.makedirs(self.folder)
        for part in ("filter.d", "action.d"):
            os.symlink("/etc/fail2ban/" + part, self.folder + "/" + part)
        for name, text in (("fail2ban.conf", SERVER), ("jail.conf", JAIL)):
            with open("%s/%s" % (self.folder, name), "w", encoding="ascii") as f:
                f.write(text.format(folder=self.folder, log=log))
        with open(self.folder + "/output", "wb") as out:
            self.process = stage.start(namespace, [
                "fail2ban-server", "-f", "-c", self.folder, "-s",
                self.folder + "/fail2ban.sock", "-p", self.folder + "/fail2ban.pid", "start"],
                stdout=out, stderr=out)
        self._wait_started()

    def _wait_started(self, seconds=30):
        deadline = time.monotonic() + seconds
        while "Jail 'asterisk' started" not in self._log():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise stage.Unmeasurable("fail2ban does not start:\n" + self._log()[-2000:])
            time.sleep(0.1)

    def _log(self):
        text = ""
        for name in ("output", "fail2ban.log"):
            try:
                with open("%s/%s" % (self.folder, name), encoding="utf-8",
                          errors="replace") as f:
                    text += f.read()
            except FileNotFoundError:
                pass
        return text

    def name(self):
        """What it calls itself, and how it watches the log."""
        version = subprocess.run(["fail2ban-server", "--version"], capture_output=True,
                                 text=True, check=False).stdout
        number = re.search(r"[\d.]+\d", version)
        backend = re.search(r"uses (\w+)", self._log())
        return "fail2ban %s (%s)" % (number.group() if number else "?",
                                     backend.group(1) if backend else "?")


def installed():
    return bool(shutil.which("fail2ban-server"))
