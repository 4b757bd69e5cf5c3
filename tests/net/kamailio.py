# SPDX-License-Identifier: Apache-2.0
"""Kamailio 5.6 and rsyslog, as Debian packages them, in a namespace."""
import os
import shutil
import signal
import subprocess
import time

import topology

HERE = os.path.dirname(os.path.abspath(__file__))
PBX = os.path.join(HERE, "../pbx")
INCLUDE = os.path.join(HERE, "../../packaging/kamailio/sipchain.cfg")
ACCOUNTS = {str(n): "S3cret-%d" % n for n in range(100, 111)}

# Its own /dev: syslog(3) knows no other socket than /dev/log.
OWN_DEV = """
d={run}/dev; mkdir -p $d; mount -t tmpfs tmpfs $d
for n in null zero urandom random full; do touch $d/$n; mount --bind /dev/$n $d/$n; done
mkdir $d/shm; mount -t tmpfs tmpfs $d/shm
ln -s {run}/log-socket $d/log
mount --move $d /dev || mount --rbind $d /dev
exec "$@"
"""

RSYSLOG = """\
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{run}/log-socket" RateLimit.Interval="0")
action(type="omfile" file="{log}" template="RSYSLOG_TraditionalFileFormat")
"""
FORWARD = """\
action(type="omfwd" target="{target}" port="{port}" protocol="tcp"
       TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
       queue.type="linkedList" action.resumeRetryCount="-1" action.resumeInterval="1")
"""


def fetch():
    """The folder of the unpacked packages."""
    result = subprocess.run([PBX + "/fetch-kamailio.sh"], capture_output=True, text=True,
                            check=False, stdin=subprocess.DEVNULL)
    if result.returncode:
        raise FileNotFoundError(result.stderr.strip())
    return result.stdout.strip()


class Kamailio:
    """start() it, stop() it; its log is where `log` says."""

    def __init__(self, tree, letter, run, forward=(), block=True, density=200, address=None,
                 carrier=None):
        self.tree = tree
        self.namespace = "sip-" + letter
        self.address = address or topology.NODES[letter]
        self.run = run
        self.log = run + "/log/kamailio.log"
        self.rpc = run + "/rpc.sock"  # of its JSON-RPC
        self.process = self.syslog = None
        for folder in (run + "/log", run + "/db"):
            os.makedirs(folder)
        with open(PBX + "/kamailio/kamailio.cfg", encoding="ascii") as f:
            text = f.read()
        for name, value in (("address", self.address), ("tree", tree), ("run", run),
                            ("include", os.path.abspath(INCLUDE)),
                            ("block", "#!define SIPCHAIN_BLOCK" if block else ""),
                            ("density", str(density)),
                            ("carrier", '#!define CARRIER "sip:%s:5060"' % carrier
                             if carrier else "")):
            text = text.replace("{%s}" % name, value)
        self._write("kamailio.cfg", text)
        self._write("db/version", "table_name(string) table_version(int)\nsubscriber:7\n")
        rows = ["%d:%s:%s:%s::" % (i + 1, user, self.address, password)
                for i, (user, password) in enumerate(sorted(ACCOUNTS.items()))]
        self._write("db/subscriber", "id(int,auto) username(string) domain(string,null) "
                    "password(string) ha1(string,null) ha1b(string,null)\n"
                    + "\n".join(rows) + "\n")
        self._write("rsyslog.conf", RSYSLOG.format(run=run, log=self.log)
                    + "".join(FORWARD.format(target=t, port=p) for t, p in forward))
        self._write("own-dev.sh", OWN_DEV.replace("{run}", run))
        self.libraries = ":".join(tree + "/usr/lib/x86_64-linux-gnu" + end
                                  for end in ("/kamailio", ""))

    def _write(self, name, text):
        with open(self.run + "/" + name, "w", encoding="ascii") as f:
            f.write(text)

    def _launch(self, command, out):
        with open(self.run + "/" + out, "ab") as f:
            return topology.start(self.namespace, command, stdout=f, stderr=f, env=dict(
                os.environ, LD_LIBRARY_PATH=self.libraries))

    def start(self):
        if not self.syslog:
            self.syslog = self._launch([
                self.tree + "/usr/sbin/rsyslogd", "-n", "-C", "-iNONE",
                "-f", self.run + "/rsyslog.conf",
                "-M", self.tree + "/usr/lib/x86_64-linux-gnu/rsyslog"], "rsyslog.out")
            self._until(lambda: os.path.exists(self.run + "/log-socket"), self.syslog)
        self.process = self._launch([
            "unshare", "--mount", "sh", self.run + "/own-dev.sh",
            self.tree + "/usr/sbin/kamailio", "-DD", "-m", "32", "-M", "8",
            "-f", self.run + "/kamailio.cfg", "-Y", self.run], "kamailio.out")
        self._until(self._listens, self.process)

    def _listens(self):
        result = topology.run("ss", "-Huln", "sport", "=", ":5060",
                              namespace=self.namespace)
        return self.address in result.stdout

    def _until(self, condition, process, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("it does not start: " + self.said())
            time.sleep(0.05)

    def said(self):
        """What both wrote, for whoever looks for a failure."""
        text = ""
        for name in ("rsyslog.out", "kamailio.out", "log/kamailio.log"):
            path = self.run + "/" + name
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    text += f.read()[-1500:]
        return text

    def lines(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read().splitlines()

    def stop_server(self):
        self._end(self.process)

    def kill_server(self):
        """As when it crashes: all of its processes, and its socket stays."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def signal(self, number):
        """To all of its processes."""
        for pid in self._processes():
            os.kill(pid, number)

    def _processes(self):
        """It and its children, which nsenter and unshare are no parents of."""
        found = [self.process.pid]
        for pid in found:
            with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
                found += [int(child) for child in f.read().split()]
        return found

    def stop(self):
        self._end(self.process)
        self._end(self.syslog)
        shutil.rmtree(self.run + "/db", ignore_errors=True)

    @staticmethod
    def _end(process):
        if process and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
