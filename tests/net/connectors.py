#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""connectors.py --build FOLDER [--results FILE]: bans in a real Kamailio, and in a program.

First one connector at a time, without a node around it (connector_driver): what it
does to a Kamailio that restarts, is flushed, refuses or is not there, and to programs
that are slow, die, write without end or never read. Then a node with both, which also
reads that Kamailio's log. Leaves with 1 when a check failed, 2 when
the stage could not be set.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
# pylint: disable=wrong-import-position
import checks
import kamailio
import node
import sip
import topology
from bare import BareNode
from world import FOLDER, Failed, expect, wait_for  # Failed: for bench/connectors.py

REASON = 'Q.850;cause=21;text="Call Rejected"'
# One that another user may run.
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
MODPARAM = 'modparam("htable", "htable", "%s=>size=14;autoexpire=86400;updateexpire=0;")'
PROGRAMS = {
    # Each line it reads stands in a file.
    "keeper": """\
import sys
with open("{folder}/seen", "a") as f:
    f.write("start\\n")
    for line in sys.stdin:
        f.write(line)
        f.flush()
""",
    "slow": """\
import sys, time
with open("{folder}/seen", "a") as f:
    f.write("start\\n")
    for line in sys.stdin:
        f.write(line)
        f.flush()
        time.sleep(0.002)
""",
    # It ends in the middle of its work, four times.
    "dying": """\
import os, sys
with open("{folder}/seen", "a+") as f:
    f.seek(0)
    starts = f.read().count("start\\n")
    f.write("start\\n")
    f.flush()
    for n, line in enumerate(sys.stdin):
        f.write(line)
        f.flush()
        if n == 20 and starts < 4:
            os._exit(1)
""",
    "deaf": "import time\nwhile True:\n    time.sleep(60)\n",
    # It goes on when its input has ended, and when it is asked not to.
    "stubborn": """\
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open("{folder}/seen", "a") as f:
    f.write("start\\n")
    for line in sys.stdin:
        f.write(line)
        f.flush()
while True:
    time.sleep(60)
""",
    # It reads, and writes without end.
    "loud": """\
import os, sys, threading
def pour(fd, text):
    while True:
        os.write(fd, text * 1000)
threading.Thread(target=pour, args=(1, b'{{"hit":{{"number":"1"}}}}\\n'), daemon=True).start()
threading.Thread(target=pour, args=(2, b"\\x1b[31mno\\n"), daemon=True).start()
with open("{folder}/seen", "a") as f:
    f.write("start\\n")
    for line in sys.stdin:
        f.write(line)
        f.flush()
""",
    "telling": """\
import json, sys
for line in sys.stdin:
    order = json.loads(line)
    if order["op"] != "add":
        continue
    print(json.dumps({{"hit": {{"number": order["digits"], "account": "101",
                      "source": "198.51.100.7:5060", "indicator": order["indicator"]}}}}))
    print(json.dumps({{"failed": order["id"], "why": "as an example"}}), flush=True)
    print("a line for\\x1b[1m the log", file=sys.stderr, flush=True)
""",
}


class Driver:
    """connector_driver, and what it says."""

    def __init__(self, build, arguments, prefix=(), namespace="sip-a"):
        command = [node.find(build, "connector_driver"), *arguments]
        self.process = topology.start(namespace, [*prefix, *command],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.mark = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for text in self.process.stdout:
            self.lines.append(text.rstrip("\n"))

    def tell(self, *commands):
        self.mark = len(self.lines)
        self.process.stdin.write("".join(c + "\n" for c in commands))
        self.process.stdin.flush()

    def said(self, pattern, since=None):
        """The first line since the last command that matches, or None."""
        since = self.mark if since is None else since
        return next((t for t in self.lines[since:] if re.search(pattern, t)), None)

    def await_line(self, pattern, seconds=30, since=None):
        wait_for(lambda: self.said(pattern, since), seconds, "the driver says /%s/; it said "
                 "%s", pattern, self.lines[-8:])
        return self.said(pattern, since)

    def await_ready(self):
        """Until it has come into step; what is settled from then on was told later."""
        self.await_line("ready")
        self.await_line("settled")

    def do(self, *commands):
        """Commands whose orders are carried out."""
        self.tell(*commands, "figures")
        self.await_line(" figures ")
        heard = next(n for n in range(self.mark, len(self.lines))
                     if " figures " in self.lines[n])
        return self.await_line("settled", since=heard)  # what was before is of others

    def figures(self):
        self.tell("figures")
        words = self.await_line("figures").split()[2:]
        return {k: int(v) for k, v in zip(words[::2], words[1::2])}

    def memory(self):
        """Of the driver itself, in KiB: nsenter has become it."""
        with open("/proc/%d/statm" % self.process.pid, encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024

    def stop(self):
        try:
            self.tell("quit")
        except BrokenPipeError:
            pass
        return self.process.wait(120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        status = self.stop()
        text = "\n".join(self.lines)
        expect(status == 0 and "Sanitizer" not in text and "runtime error" not in text,
               "the driver left with %d: %s", status, text[-1500:])


class Stage:
    """A Kamailio on host a; drivers come and go."""

    def __init__(self, build, **options):
        self.build = build
        self.tree = kamailio.fetch()
        os.makedirs(FOLDER + "/programs")
        os.chmod(FOLDER, 0o755)
        self.pbx = kamailio.Kamailio(self.tree, "a", FOLDER + "/kamailio", **options)
        self.pbx.start()
        self.reply = FOLDER + "/reply.sock"
        self.number = 0
        self.node = self.seen = None

    def kamailio(self, numbers="sipchain_number", addresses="sipchain_address", **options):
        return Driver(self.build, ["kamailio", self.pbx.rpc, self.reply, numbers, addresses],
                      **options)

    def write_program(self, name):
        """(path of one of our programs, of its file of what it saw)"""
        self.number += 1
        folder = "%s/programs/%d" % (FOLDER, self.number)
        os.makedirs(folder)
        os.chmod(folder, 0o777)
        path = folder + "/" + name
        with open(path, "w", encoding="ascii") as f:
            f.write("#!%s\n" % PYTHON + PROGRAMS[name].format(folder=folder))
        os.chmod(path, 0o755)
        return path, folder + "/seen"

    def program(self, name):
        """A driver whose program is one of ours, and its file of what it saw."""
        path, seen_path = self.write_program(name)
        return Driver(self.build, ["hook", path, "", "nobody"]), seen_path

    def start_node(self, reads_log=True):
        """A node with a Kamailio and a program as connectors, and Kamailio's log."""
        os.makedirs(FOLDER + "/shared")
        ledger = node.Ledger(node.find(self.build, "sipchain"), FOLDER + "/shared", 3600)
        self.node = BareNode(self.build, "a", ledger)
        path, self.seen = self.write_program("stubborn")
        self.node.settings.update({
            'connector "proxy".type': "kamailio", 'connector "proxy".socket': self.pbx.rpc,
            'connector "proxy".addresses': "sipchain_address",
            'connector "billing".type': "hook", 'connector "billing".program': path,
            'connector "billing".arguments': "--verbose x,y"})
        if reads_log:
            self.node.settings.update({'source "kamailio".type': "kamailio",
                                       'source "kamailio".path': self.pbx.log})
        self.node.configure({})
        self.node.start()
        self.node.wait_ready()

    def connector(self, name):
        """Its status; {} while the node does not answer."""
        try:
            found = self.node.ask("connector", "status", name)["connectors"]
        except node.CommandFailed:
            return {}
        return found[0]

    def wait_step(self, name, standing=None, seconds=20):
        """Until it is in step with what should stand."""
        def stands():
            c = self.connector(name)
            return (c.get("state") == "ready" and not c["queued"]
                    and standing in (None, c["standing"]))
        wait_for(stands, seconds, "%s is in step: %s", name, self.connector(name))

    def programs_run(self):
        """The pids of our hook's processes."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    if b"/stubborn\0" in f.read():
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def call(self, dialled, user="101", address=topology.CUSTOMER, host="customer"):
        """(status, Reason) of a call; it authenticates as the phone does."""
        server = self.pbx.address
        sock = sip.udp(host, address)
        try:
            dialog = sip.Dialog(sock, server, user)
            uri = "sip:%s@%s" % (dialled, server)
            answer = dialog.ask("INVITE", uri, to="<%s>" % uri)
            if sip.status(answer) == 407:
                given = dialog.authorized(answer, kamailio.ACCOUNTS[user], "INVITE", uri)
                answer = dialog.ask("INVITE", uri, to="<%s>" % uri, extra=["Proxy-" + given])
            return sip.status(answer), sip.header(answer, "Reason")
        finally:
            sock.close()

    def rpc(self, method, *parameters):
        """Ask Kamailio by ourselves."""
        path = FOLDER + "/asking.sock"
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            sock.bind(path)
            sock.settimeout(30)
            sock.sendto(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                                    "params": parameters}).encode(), self.pbx.rpc)
            return json.loads(sock.recv(65536))
        finally:
            sock.close()
            os.unlink(path)

    def stop(self):
        self.pbx.stop()
        if self.node:
            self.node.stop()


def expect_calls(stage, blocked=(), passed=()):
    for dialled in blocked:
        got = stage.call(dialled)
        expect(got == (603, REASON), "a call to %s gets %s", dialled, got)
    for dialled in passed:
        got = stage.call(dialled)
        expect(got == (404, None), "a call to %s gets %s", dialled, got)


def await_passed(stage, dialled):
    """Call, less often than a flood, until a call goes through."""
    def passes():
        time.sleep(0.2)
        return stage.call(dialled) == (404, None)
    wait_for(passes, 20, "calls to %s go through", dialled)


# --- Kamailio ---

def kamailio_calls(s):
    """Kamailio refuses exact numbers and prefixes, however dialled, and nothing else"""
    with s.kamailio() as d:
        d.await_ready()
        d.do("add +97259* 3600", "add +442079460000 3600", "add +9725 3600")
        expect_calls(s, ["+97259000123", "0097259000123", "01197259000123",
                         "90097259000123", "+972590", "0%30972%35900%3012",
                         "02079460000", "902079460000", "+442079460000",
                         "442079460000", "+44-207-946(0000)", "+97259000123;npdi",
                         "+97259000123000000", "0097259000123" + 20 * "7"],
                     ["+97258000123", "+442079460001", "+44207946000", "+97250",
                      "100", "bob", "+97258000123000000", "+972%0a59000123"])
        d.do("del +97259*")
        expect_calls(s, ["+442079460000"], ["+97259000123", "0097259000123"])
        d.do("del +442079460000", "del +9725", "del +442079460000")
        expect_calls(s, [], ["+442079460000"])
        expect(not d.said("trouble|failed|closed", 0), "%s", d.lines)


def kamailio_log(s):
    """the line of a blocked call is one that is read back, with account and indicator"""
    with s.kamailio() as d:
        d.await_ready()
        d.do("add +97259* 3600")
        s.call("0097259000123", user="102")
        s.call("+97259;x='%20SIPCHAIN", user="103")
        wait_for(lambda: sum("ev=blocked_num" in t for t in s.pbx.lines()) >= 2, 10,
                 "two lines of ev=blocked_num")
        d.do("del +97259*")
    texts = [t for t in s.pbx.lines() if "ev=blocked_num" in t][-2:]
    expect(" authuser=102 " in texts[0] and " ruser=0097259000123 " in texts[0]
           and texts[0].endswith(" num=97259000123 id=+97259*"), "%s", texts[0])
    for text in texts:
        result = subprocess.run([node.find(s.build, "sipchain"), "explain", "-", "--json"],
                                input=text + "\n", capture_output=True, text=True, check=False)
        expect("call-blocked" in result.stdout, "%s: %s%s", text, result.stdout,
               result.stderr)


def kamailio_expiry(s):
    """an entry ends by itself; ordered again with another end it stands until that"""
    with s.kamailio() as d:
        d.await_ready()
        d.do("add +97259000001 8", "add +97259000002 8")
        d.do("add +97259000002 3600")
        expect_calls(s, ["+97259000001", "+97259000002"])
        await_passed(s, "+97259000001")
        expect_calls(s, ["+97259000002"], ["+97259000001"])
        d.do("add +97259000002 1")
        await_passed(s, "+97259000002")


def kamailio_addresses(s):
    """a blocked address gets no answer, one beside it does; prefixes of 24 and 16 bits"""
    address, beside = topology.ATTACKERS[0], topology.CUSTOMER

    def answered(source, host, seconds=12.0):
        sock = sip.udp(host, source)
        try:
            dialog = sip.Dialog(sock, s.pbx.address, "101")
            return sip.status(dialog.ask("OPTIONS", "sip:" + s.pbx.address, seconds))
        except sip.NoAnswer:
            return 0
        finally:
            sock.close()
    with s.kamailio() as d:
        d.await_ready()
        for indicator in (address, "198.51.100.0/24", "198.51.0.0/16"):
            expect(answered(address, "attacker"), "%s is not answered", address)
            d.do("add %s 3600" % indicator)
            expect(not answered(address, "attacker", 1.5), "%s: answered", indicator)
            expect(answered(beside, "customer"), "%s: %s is not", indicator, beside)
            d.do("del " + indicator)
        d.do("add 2001:db8::7 3600")
        got = s.rpc("htable.get", "sipchain_address", "2001:db8::7")
        expect(got["result"]["item"]["value"][9:] == "2001:db8::7", "%s", got)


def kamailio_generations(s):
    """what stands there that nobody knows ends at the next resync, and nothing else for a moment"""
    seen = []

    def mark():
        got = s.rpc("htable.get", "sipchain_number", "sipchain")
        return got.get("result", {}).get("item", {}).get("value")

    def call_on(done):
        while not done.is_set():
            seen.append(s.call("+97259000123"))
            time.sleep(0.03)  # fewer than a flood
    with s.kamailio() as d:
        d.await_ready()
        d.do("add +97259000123 3600", "add +442079460000 3600", "fill 10000 3600")
        expect_calls(s, ["+97259000123", "+442079460000"])
        first = mark()
    # Its driver is gone. What it knew is lifted meanwhile, but for one and the 10,000.
    done = threading.Event()
    caller = threading.Thread(target=call_on, args=(done,), daemon=True)
    caller.start()
    with s.kamailio() as d:
        d.tell("add +97259000123 3600", "fill 10000 3600")
        d.await_line("ready")
        d.await_line("settled 10001 refused 0", 60)
        wait_for(lambda: mark()[:9] == mark()[9:] > first[9:], 10, "the mark is raised: %s, "
                 "it was %s", mark(), first)
        done.set()
        caller.join()
        expect(len(seen) > 3 and all(got == (603, REASON) for got in seen),
               "%d calls meanwhile: %s", len(seen), set(seen))
        got = s.rpc("htable.get", "sipchain_number", "442079460000")
        expect(got["result"]["item"]["value"] == first[:9] + "+442079460000", "%s", got)
        expect_calls(s, ["+97259000123", "+88321000007"], ["+442079460000"])
        # Without the mark nothing counts; a second later all does again.
        since = len(d.lines)
        s.rpc("htable.delete", "sipchain_number", "sipchain")
        expect_calls(s, [], ["+97259000123"])
        d.await_line("settled 10001 refused 0", 60, since=since)
        expect_calls(s, ["+97259000123"], ["+442079460000"])
        d.tell("clear")
        d.await_line("cleared")
        expect(mark() is None, "the mark is still there: %s", mark())
        expect_calls(s, [], ["+97259000123", "+88321000007"])
        time.sleep(2.5)
        expect(mark() is None, "the mark has come back: %s", mark())
    s.rpc("htable.flush", "sipchain_number")


def kamailio_many(s):
    """20,000 numbers, and again after it crashed, was started anew, was flushed"""
    count = 20000
    with s.kamailio() as d:
        d.await_ready()
        d.tell("fill %d 3600" % count)
        d.await_line("settled %d refused 0" % count, 120)
        some = ["+883210%05d" % n for n in (0, 1, 9999, 19999)]
        expect_calls(s, some, ["+88321020000"])

        since = len(d.lines)
        s.pbx.kill_server()  # its socket is left behind
        d.await_line("closed Connection refused", since=since)
        d.await_line("connection .*rpc.sock: Kamailio has left it and does not run", since=since)
        s.pbx.start()
        d.await_line("settled %d refused 0" % count, 120, since=since)
        expect_calls(s, some, ["+88321020000"])

        since = len(d.lines)
        s.pbx.stop_server()
        d.await_line("connection there is no .*rpc.sock: start Kamailio, with modparam",
                     since=since)
        s.pbx.start()
        d.await_line("settled %d refused 0" % count, 120, since=since)
        expect_calls(s, some, ["+88321020000"])

        since = len(d.lines)
        s.rpc("htable.flush", "sipchain_number")
        d.await_line("settled %d refused 0" % count, 120, since=since)
        expect_calls(s, some, ["+88321020000"])
        expect(not d.said("closed", since), "a flush ended the connection: %s",
               d.lines[since:])
        figures = d.figures()
        expect(figures["resyncs"] == 4 and figures["orders"] == 4 * count
               and figures["bans"] == count, "%s", figures)
    s.rpc("htable.flush", "sipchain_number")


def kamailio_wrong(s):
    """what is missing in Kamailio is said with its remedy: table, expiry, permission"""
    with s.kamailio(numbers="nosuch") as d:
        text = d.await_line(r"^[0-9.]+ refused ")
        expect("no htable nosuch: kamailio.cfg needs " + MODPARAM % "nosuch" + " and a restart"
               in text, "%s", text)
    with s.kamailio(numbers="forever") as d:
        text = d.await_line(r"^[0-9.]+ refused ")
        expect("htable forever never forgets: write autoexpire into its modparam" in text,
               "%s", text)
    with s.kamailio(prefix=("setpriv", "--reuid", "65534", "--clear-groups")) as d:
        text = d.await_line("connection |setpriv")
        # Where it may not even make a socket of its own.
        expect("Permission denied" in text or "no permission" in text, "%s", text)
    s.pbx.stop_server()
    bare = kamailio.Kamailio(s.tree, "b", FOLDER + "/bare", block=False)
    bare.start()
    try:
        with Driver(s.build, ["kamailio", bare.rpc, s.reply, "sipchain_number", ""],
                    namespace="sip-b") as d:
            text = d.await_line(r"^[0-9.]+ refused ")
            expect("Kamailio has no module htable" in text, "%s", text)
    finally:
        bare.stop()
        s.pbx.start()


def kamailio_hangs(s):
    """a Kamailio that hangs is waited for, said so, and brought into step when it goes on"""
    with s.kamailio() as d:
        d.await_ready()
        s.pbx.signal(signal.SIGSTOP)
        try:
            d.tell(*("add +9725900%04d 3600" % n for n in range(200)))
            d.await_line("failed Kamailio has not answered for 5 s", 20)
        finally:
            s.pbx.signal(signal.SIGCONT)
        d.await_line("settled", 20)
        expect_calls(s, ["+97259000000", "+97259000199"], ["+97259000200"])
    s.rpc("htable.flush", "sipchain_number")


# --- programs ---

def seen(path):
    """What the program read since its last start."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as f:
        text = f.read().rsplit("start\n", 1)[-1]
    return [json.loads(t) for t in text.split("\n")[:-1]]


def hook_keeper(s):
    """a program is told of all that should stand, then of each change"""
    d, path = s.program("keeper")
    with d:
        d.await_ready()
        wait_for(lambda: {"op": "resync-end"} in seen(path), 10, "resync-end")
        d.do("add +97259* 3600", "add 198.51.100.7 3600")
        d.do("del +97259*")
        wait_for(lambda: seen(path)[-1]["op"] == "delete", 10, "the deletion")
        orders = seen(path)
        expect([o["op"] for o in orders]
               == ["resync-begin", "resync-end", "add", "add", "delete"], "%s", orders)
        first = orders[2]
        expect(first["indicator"] == "+97259*" and first["digits"] == "97259"
               and first["prefix"] is True and first["kind"] == "number"
               and first["category"] == "fraud" and first["origin"] == "ledger"
               and abs(first["until"] - time.time() - 3600) < 30, "%s", first)
        # The end of a comparison comes behind its last order, before what comes later.
        d.tell("fill 3000 3600", "compare", "add +97258* 3600")
        wait_for(lambda: seen(path)[-1].get("indicator") == "+97258*"
                 or seen(path)[-1]["op"] == "resync-end", 30, "all of it: %s", seen(path)[-1])
        d.await_line("settled")
        wait_for(lambda: seen(path)[-1]["op"] == "resync-end"
                 or seen(path)[-2]["op"] == "resync-end", 10, "the end: %s", seen(path)[-2:])
        orders = [o for o in seen(path) if o.get("indicator") != "+97258*"]
        begins = [n for n, o in enumerate(orders) if o["op"] == "resync-begin"]
        expect(len(begins) == 2 and orders[-1]["op"] == "resync-end", "%s", begins)
        whole = orders[begins[1] + 1:-1]
        expect(len(whole) == 3001 and {o["op"] for o in whole} == {"add"}
               and len({o["indicator"] for o in whole}) == 3001, "%d orders", len(whole))


def hook_dying(s):
    """one that dies is started again and told all from the beginning"""
    d, path = s.program("dying")
    with d:
        d.await_ready()
        d.tell("fill 1000 3600")
        wait_for(lambda: seen(path)[-1:] == [{"op": "resync-end"}] and len(seen(path)) > 2, 60,
                 "resync-end at last")
        orders = seen(path)
        expect(len({o["indicator"] for o in orders if o["op"] == "add"}) == 1000,
               "%d orders", len(orders))
        with open(path, encoding="ascii") as f:
            expect(f.read().count("start\n") == 5, "it was not started five times")


def hook_slow(s):
    """one that is slow gets all of it in the end, each as it is then"""
    d, path = s.program("slow")
    with d:
        d.await_ready()
        d.tell("fill 3000 3600")
        for n in range(2000):
            d.tell("add +97259000123 %d" % (3600 + n))
        d.tell("del +97259000123")

        def about():
            return [o["op"] for o in seen(path) if o.get("indicator") == "+97259000123"]

        def others():
            return {o["indicator"] for o in seen(path) if o["op"] == "add"} - {"+97259000123"}
        wait_for(lambda: about()[-1:] == ["delete"] and len(others()) == 3000, 90,
                 "all of it: %d, %s", len(others()), about()[-1:])
        expect(len(about()) < 1000, "%d orders about one number", len(about()))


def hook_deaf(s):
    """one that never reads costs no memory, and no time of anybody"""
    d, _ = s.program("deaf")
    with d:
        d.await_ready()
        d.tell("fill 5000 3600")
        d.figures()
        before = d.memory()
        for n in range(6):
            d.tell("fill 5000 %d" % (3600 + n))
        figures = d.figures()
        grown = d.memory() - before
        expect(figures["bans"] == 5000, "%s", figures)
        expect(figures["orders"] < 5000, "it read after all: %s", figures)
        expect(grown < 4096, "%d KiB more after 30,000 changes", grown)


def hook_loud(s):
    """one that writes without end is read no faster than counts, and its log is short"""
    d, path = s.program("loud")
    with d:
        d.await_ready()
        d.do("fill 1000 3600")
        wait_for(lambda: d.figures()["discarded"] > 100000, 60, "100,000 lines discarded")
        before = d.memory()
        time.sleep(3)
        expect(d.memory() - before < 4096, "%d KiB more", d.memory() - before)
        d.do("add +97259000123 3600")
        wait_for(lambda: seen(path)[-1].get("indicator") in ("+97259000123", None)
                 and any(o.get("indicator") == "+97259000123" for o in seen(path)), 20,
                 "it is still told of changes")
        errors = [t for t in d.lines if " stderr " in t]
        hits = sum(" hit " in t for t in d.lines)
        expect(0 < len(errors) < 400 and "\\x1b[31mno" in errors[0], "%d lines of its "
               "standard error, such as %s", len(errors), errors[:2])
        expect(0 < hits <= 100 * 100, "%d hits", hits)


def hook_telling(s):
    """what it says of hits, failures and for the log arrives"""
    d, _ = s.program("telling")
    with d:
        d.await_ready()
        d.do("add +97259000123 3600")
        d.await_line(r"hit 97259000123 101 198\.51\.100\.7 \+97259000123", since=0)
        d.await_line(r"trouble the program could not do \+97259000123: as an example", since=0)
        d.await_line(r"stderr a line for\\x1b\[1m the log", since=0)


def hook_example(s):
    """the example of docs/operators.md keeps its file, whole at any time"""
    with open(os.path.join(HERE, "../../docs/operators.md"), encoding="utf-8") as f:
        text = re.search(r"```python\n(#!/usr/bin/python3\n\"\"\"Keeps .*?)```", f.read(),
                         re.DOTALL).group(1)
    path, seen_path = s.write_program("keeper")
    with open(path, "w", encoding="ascii") as f:
        f.write(text.replace("/usr/bin/python3", PYTHON, 1))
    numbers = os.path.dirname(seen_path) + "/numbers"

    def kept():
        if not os.path.exists(numbers):
            return None
        with open(numbers, encoding="ascii") as f:
            return f.read().split()
    with Driver(s.build, ["hook", path, numbers, "nobody"]) as d:
        d.await_ready()
        d.do("add +97259* 3600", "add +442079460000 3600", "add 198.51.100.7 3600")
        wait_for(lambda: kept() == ["442079460000", "97259*"], 10, "the file: %s", kept())
        d.do("del +97259*", "add +97258* 3600")
        wait_for(lambda: kept() == ["442079460000", "97258*"], 10, "the file: %s", kept())
        d.tell("compare")
        d.await_line("settled")
        time.sleep(1)
        expect(kept() == ["442079460000", "97258*"], "the file after a resync: %s", kept())
        d.do("del +442079460000")
        wait_for(lambda: kept() == ["97258*"], 10, "the file: %s", kept())


# --- a node with both ---

def node_calls(s):
    """a node's ban reaches Kamailio and the program; its end, too"""
    s.start_node()
    for name in ("proxy", "billing"):
        s.wait_step(name)
    s.node.cli("ban", "+97259*", "--ttl", "1h")
    s.node.cli("ban", "198.51.100.77", "--ttl", "1h")
    s.wait_step("proxy", 2)
    s.wait_step("billing", 2)
    expect_calls(s, ["+97259000123", "0097259000123"], ["+97258000123"])
    wait_for(lambda: {o.get("indicator"): o for o in seen(s.seen)}.keys()
             >= {"+97259*", "198.51.100.77"}, 10, "the program was told: %s", seen(s.seen))
    told = next(o for o in seen(s.seen) if o.get("indicator") == "+97259*")
    expect(told["origin"] == "operator", "%s", told)
    s.node.cli("unban", "+97259*")
    wait_for(lambda: seen(s.seen)[-1]["op"] == "delete", 10, "the deletion")
    s.wait_step("proxy", 1)
    expect_calls(s, [], ["+97259000123"])
    s.node.cli("ban", "+97259*", "--ttl", "1h")
    s.wait_step("proxy", 2)


def node_hits(s):
    """a blocked call that Kamailio's log tells is an event with account and source"""
    s.node.follow()
    since = time.monotonic()
    s.call("0097259000123", user="104")
    hit = s.node.watch.wait(lambda line: '"hit"' in line, since, 40)
    expect(hit, "no hit was told")
    told = json.loads(hit[1])
    told = dict(told, **told.get("body", {}))
    expect(told["indicator"] == "+97259*" and told["account"] == "104"
           and told["source"] == topology.CUSTOMER and told["number"] == "97259000123"
           and told["dialled"] == "0097259000123" and told["sensor"] == "kamailio"
           and told["connector"] == "", "%s", told)
    wait_for(lambda: "kamailio: 104 at %s called 0097259000123: refused, +97259* is blocked"
             % topology.CUSTOMER in s.node.log(), 10, "the log says so")
    s.node.unfollow()


def node_restarts(s):
    """Kamailio restarts, the program dies, the role node dies: all come into step again"""
    s.pbx.kill_server()
    wait_for(lambda: "Kamailio has left it" in s.connector("proxy").get("trouble", ""), 20,
             "the status says so: %s", s.connector("proxy"))
    s.pbx.start()
    s.wait_step("proxy", None)
    expect_calls(s, ["+97259000123"])
    old = s.programs_run()
    expect(len(old) == 1, "programs %s", old)
    os.kill(old[0], signal.SIGKILL)
    wait_for(lambda: s.programs_run() and s.programs_run() != old, 20, "it is started again")
    s.wait_step("billing")
    wait_for(lambda: {"op": "resync-end"} in seen(s.seen), 10, "told all: %s", seen(s.seen))
    expect("+97259*" in {o.get("indicator") for o in seen(s.seen)}, "%s", seen(s.seen))
    expect("was ended by signal 9" in s.node.log(), "the log does not say so")
    old, starts = s.programs_run(), s.node.role("node")["starts"]
    s.node.kill_role("node")
    wait_for(lambda: s.node.runs_again("node", starts), 20, "the role node runs again")
    # The old one goes on without input: it is killed, and then there is a new one.
    wait_for(lambda: len(s.programs_run()) == 1 and s.programs_run() != old, 20,
             "one program, a new one: %s, not %s", s.programs_run(), old)
    for name in ("proxy", "billing"):
        s.wait_step(name)
    expect_calls(s, ["+97259000123"], ["+97258000123"])


def node_lifted(s):
    """lifted while Kamailio hangs, and the node dies before it goes on: not blocked for it"""
    number = "+442079460000"
    s.node.cli("ban", number, "--ttl", "1h")
    s.wait_step("proxy")
    expect_calls(s, [number])
    starts = s.node.role("node")["starts"]
    s.pbx.signal(signal.SIGSTOP)
    try:
        s.node.cli("unban", number)
        s.node.kill_role("node")
        wait_for(lambda: s.node.runs_again("node", starts), 20, "the role node runs again")
    finally:
        s.pbx.signal(signal.SIGCONT)
    # What its socket held of the old process is carried out now.
    s.rpc("htable.setxs", "sipchain_number", number[1:],
          s.rpc("htable.get", "sipchain_number", "sipchain")["result"]["item"]["value"][:9]
          + number, 3600)
    s.wait_step("proxy")
    s.node.cli("connector", "resync", "proxy")
    s.wait_step("proxy")
    await_passed(s, number)
    expect_calls(s, ["+97259000123"], [number])


def node_not_carried(s):
    """a prefix that the include cannot look up is counted, not ordered again and again"""
    before = s.connector("proxy")
    s.node.cli("ban", "198.51.96.0/20", "--ttl", "1h")
    s.node.cli("ban", "2001:db8::/48", "--ttl", "1h")
    s.wait_step("proxy")
    c = s.connector("proxy")
    expect(c["not_carried"] == 2 and c["refused"] == 0 and c["trouble"] == ""
           and c["standing"] == before["standing"] and c["refusals"] == before["refusals"],
           "%s", c)
    expect("2 more cannot be looked up there" in s.node.cli("connector", "status"), "%s",
           s.node.cli("connector", "status"))
    s.node.cli("unban", "198.51.96.0/20")
    s.node.cli("unban", "2001:db8::/48")
    expect(s.connector("proxy")["not_carried"] == 0, "%s", s.connector("proxy"))


def entries_left(s):
    """Whether Kamailio's table of numbers has our mark."""
    return "result" in s.rpc("htable.get", "sipchain_number", "sipchain")


def node_clear(s):
    """`connector clear` takes all away, `connector resync` brings it back"""
    text = s.node.cli("connector", "clear", "proxy")
    expect("proxy: nothing of this node's stands there any more" in text, "%s", text)
    expect(not entries_left(s), "the mark is still there")
    expect_calls(s, [], ["+97259000123"])
    c = s.connector("proxy")
    expect(c["state"] == "off" and c["cleared"] and not c["standing"], "%s", c)
    expect("proxy: emptied on demand" in s.node.cli("connector", "status"), "%s",
           s.node.cli("connector", "status"))
    s.node.cli("ban", "+97258*", "--ttl", "1h")
    time.sleep(1)
    expect_calls(s, [], ["+97258000123"])
    s.node.cli("connector", "resync", "proxy")
    s.wait_step("proxy")
    expect_calls(s, ["+97259000123", "+97258000123"])
    s.node.cli("unban", "+97258*")


def node_removed(s):
    """a section that is removed: what stood there is taken away while it can be"""
    mine = {k: v for k, v in s.node.settings.items() if k.startswith('connector "proxy"')}
    starts = s.node.role("node")["starts"]

    def configure(settings):
        for key in mine:
            s.node.settings.pop(key, None)
        s.node.settings.update(settings)
        s.node.configure({})
        s.node.hangup()
    configure({})
    wait_for(lambda: s.node.runs_again("node", starts), 20, "the node is started anew")
    expect(not entries_left(s), "the mark is still there")
    expect_calls(s, [], ["+97259000123"])
    expect('[connector "proxy"] is no longer configured: what stands there is taken away'
           in s.node.log(), "the log does not say so")
    configure(mine)
    wait_for(lambda: s.connector("proxy").get("state") == "ready", 20, "it is back")
    s.wait_step("proxy")
    expect_calls(s, ["+97259000123"])
    # It cannot be reached: nothing can be taken away, and the log says so.
    s.pbx.stop_server()
    wait_for(lambda: s.connector("proxy").get("state") == "waiting", 20, "it is away")
    starts = s.node.role("node")["starts"]
    configure({})
    wait_for(lambda: s.node.runs_again("node", starts), 20, "the node is started anew")
    expect("could not be taken away: it blocks until its own end" in s.node.log(),
           "the log does not say so")
    s.pbx.start()
    configure(mine)
    wait_for(lambda: s.connector("proxy").get("state") == "ready", 20, "it is back")
    s.wait_step("proxy")
    expect_calls(s, ["+97259000123"])


def node_removed_while_down(s):
    """a section that is removed while sipchaind is down: the next start says so"""
    mine = {k: v for k, v in s.node.settings.items() if k.startswith('connector "proxy"')}

    def restart(settings):
        expect(s.node.stop() == 0, "it ends well")
        for key in mine:
            s.node.settings.pop(key, None)
        s.node.settings.update(settings)
        s.node.configure({})
        s.node.start()
        s.node.wait_ready()
    s.wait_step("proxy")
    restart({})
    expect_calls(s, ["+97259000123"])  # nobody could take it away
    said = '[connector "proxy"] is no longer configured, and was not emptied before: what ' \
        'stands in Kamailio at %s, tables ' % s.pbx.rpc
    expect(said in s.node.log(), "the log does not say so")
    c = s.connector("proxy")
    expect(c["state"] == "removed" and "sipchain connector forget proxy" in c["trouble"], "%s", c)
    for words in (["status"], ["connector", "status"]):
        text = s.node.cli(*words)
        expect("removed" in text and c["trouble"] in text, "%s says %s", words, text)
    # Back: it is emptied as if nothing had been, and then nothing is left to say.
    restart(mine)
    s.wait_step("proxy")
    s.node.cli("connector", "clear", "proxy")
    expect(not entries_left(s), "the mark is still there")
    restart({})
    expect(s.connector("proxy") == {}, "it was empty: %s", s.connector("proxy"))
    # Or somebody did it by hand, and says so.
    restart(mine)
    s.wait_step("proxy")
    expect_calls(s, ["+97259000123"])
    restart({})
    expect(s.connector("proxy")["state"] == "removed", "%s", s.connector("proxy"))
    s.pbx.stop_server()
    s.pbx.start()
    text = s.node.cli("connector", "forget", "proxy")
    expect("proxy: what it left behind is forgotten" in text, "%s", text)
    expect(s.connector("proxy") == {}, "it is forgotten: %s", s.connector("proxy"))
    restart(mine)
    s.wait_step("proxy")
    expect_calls(s, ["+97259000123"])


def node_reload(s):
    """another program in the configuration takes the place of the first"""
    path, s.seen = s.write_program("stubborn")
    old = s.programs_run()
    s.node.settings['connector "billing".program'] = path
    s.node.configure({})
    s.node.hangup()
    wait_for(lambda: any(o.get("indicator") == "+97259*" for o in seen(s.seen)), 30,
             "the new one is told")
    wait_for(lambda: len(s.programs_run()) == 1 and s.programs_run() != old, 20,
             "the old one is gone: %s", s.programs_run())
    s.node.settings['connector "billing".program'] = FOLDER + "/nowhere"
    s.node.configure({})
    s.node.hangup()
    wait_for(lambda: "No such file" in s.connector("billing").get("trouble", ""), 20,
             "the status says so: %s", s.connector("billing"))
    wait_for(lambda: not s.programs_run(), 20, "no program runs")
    s.node.settings['connector "billing".program'] = path
    s.node.configure({})
    s.node.hangup()
    s.wait_step("billing")


def node_end(s):
    """at its end no program is left, however stubborn; sanitizers found nothing"""
    expect(len(s.programs_run()) == 1, "programs %s", s.programs_run())
    status = s.node.stop()
    expect(status == 0, "sipchaind left with %d", status)
    expect(not s.programs_run(), "programs %s are left", s.programs_run())
    found = [t for t in s.node.log().splitlines()
             if "Sanitizer" in t or "runtime error:" in t]
    expect(not found, "%s", found[:5])


CHECKS = [kamailio_calls, kamailio_log, kamailio_expiry, kamailio_addresses,
          kamailio_generations, kamailio_many,
          kamailio_hangs, kamailio_wrong, hook_keeper, hook_dying, hook_slow, hook_deaf,
          hook_loud, hook_telling, hook_example, node_calls, node_hits, node_restarts,
          node_lifted, node_not_carried, node_clear, node_removed,
          node_removed_while_down, node_reload, node_end]


def main():
    parser = checks.parser(__doc__)
    parser.add_argument("--only", metavar="TEXT",
                        help="only the checks whose functions' names match this")
    options = checks.options(parser)
    try:
        node.find(options.build, "sipchain")
        if not os.environ.get(topology.INSIDE):
            kamailio.fetch()  # outside: there is no network within
        topology.enter()
        topology.build()
        stage = Stage(options.build)
    except (topology.TopologyError, FileNotFoundError, RuntimeError) as error:
        print("connectors: %s" % error, file=sys.stderr)
        sys.exit(2)
    chosen = [c for c in CHECKS if not options.only or re.search(options.only, c.__name__)]
    failures = checks.perform(stage, options.results, chosen, "connectors")
    if failures:
        print(stage.pbx.said()[-2000:], file=sys.stderr)
        if stage.node:
            print(stage.node.log()[-4000:], file=sys.stderr)
    stage.stop()
    print("connectors: %d of %d checks failed" % (failures, len(chosen)))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
