#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""connectors.py --build FOLDER: a node's bans in a real Kamailio, and in a program.

20,000 numbers into Kamailio, and again after it was restarted; one ban until its call is
refused; what the check costs a call; 20,000 orders to a program.
"""
import json
import os
import socket
import sys
import time

import stage  # first: it says where the others are
import connectors
import kamailio
import node
import sip
import topology

MANY, FULL = 20000, 22000
LIMIT_S, LIMIT_REFUSED_MS, LIMIT_CHECK_MS = 3.0, 20.0, 2.0
CALLS, ROUNDS = 1000, 20
UNLIMITED = 1000000  # requests that are no flood


class Control:
    """One connection to control.sock: what is timed must not start programs."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.file = self.sock.makefile("rwb")

    def ask(self, command, **arguments):
        self.file.write(json.dumps(
            {"command": command, "arguments": arguments}).encode() + b"\n")
        self.file.flush()
        answer = json.loads(self.file.readline())
        if not answer["ok"]:
            raise stage.Unmeasurable("%s: %s" % (command, answer))
        return answer["result"]

    def settled(self, standing, seconds=60):
        """Monotonic seconds when the connector was seen in step with so many."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            c = self.ask("connector-status", name="proxy")["connectors"][0]
            now = time.monotonic()
            if c["state"] == "ready" and not c["queued"] and c["standing"] == standing:
                return now
            time.sleep(0.005)
        raise stage.Unmeasurable("the connector is not in step: %s" % c)


class Caller:
    """INVITEs of one phone."""

    def __init__(self, server):
        self.server = server
        self.sock = sip.udp("customer", topology.CUSTOMER)

    def call(self, uri):
        """(seconds, status) of one INVITE with credentials."""
        dialog = sip.Dialog(self.sock, self.server, "101")
        answer = dialog.ask("INVITE", uri, to="<%s>" % uri)
        given = dialog.authorized(answer, kamailio.ACCOUNTS["101"], "INVITE", uri)
        begun = time.monotonic()
        answer = dialog.ask("INVITE", uri, to="<%s>" % uri, extra=["Proxy-" + given])
        return time.monotonic() - begun, sip.status(answer)


def costs(*addresses):
    """Median milliseconds of calls to what is no ban, at each server, by turns."""
    callers = [(Caller(address), address, []) for address in addresses]
    for n in range(CALLS):
        for caller, address, taken in callers:
            seconds, status = caller.call("sip:+8832999%08d@%s" % (n, address))
            if status != 404:
                raise stage.Unmeasurable("a call got %d" % status)
            taken.append(seconds * 1e3)
    return [stage.quantile(taken, 0.5) for _, _, taken in callers]


def refused_after(control, s):
    """Nanoseconds from asking for a ban to the first call that it ends."""
    caller, taken = Caller(s.pbx.address), []
    for n in range(ROUNDS):
        number = "+9725900%06d" % n
        uri = "sip:%s@%s" % (number, s.pbx.address)
        begun = time.monotonic()
        control.ask("ban", indicator=number, ttl=600)
        while caller.call(uri)[1] != 603:
            if time.monotonic() - begun > 5:
                raise stage.Unmeasurable("%s is not refused" % number)
        taken.append(int((time.monotonic() - begun) * 1e9))
        time.sleep(0.05)
    return taken


def cpu(pid):
    """Seconds of processor time that it has used."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def many(s):
    """20,000 by the protocol alone, and to a program."""
    with s.kamailio() as d:
        d.await_line("ready")
        before = cpu(d.process.pid)
        d.tell("fill %d 3600" % MANY)
        took = float(d.await_line("settled %d refused 0" % MANY, 120).split()[0]) / 1000
        used = cpu(d.process.pid) - before
        again = d.figures()["resent"]
    stage.row("20,000 numbers into Kamailio (htable.setxs)", took, "s", LIMIT_S)
    stage.row("  of them a second", MANY / took, "")
    stage.row("  CPU time of ours meanwhile", used, "s")
    stage.row("  calls sent again (answers lost or late)", again, "")
    s.rpc("htable.flush", "sipchain_number")
    d, path = s.program("keeper")
    with d:
        d.await_line("ready")
        d.tell("fill %d 3600" % MANY)
        took = float(d.await_line("settled %d refused 0" % MANY, 120).split()[0]) / 1000
        connectors.wait_for(lambda: len(connectors.seen(path)) == MANY + 2, 60,
                            "all of them")
    stage.row("20,000 orders to a program (Python)", took, "s")


def restart(control, s):
    """Kamailio ends and starts; until all stands there again."""
    for how, end in (("ended in order", s.pbx.stop_server), ("was killed", s.pbx.kill_server)):
        end()
        time.sleep(2)
        begun = time.monotonic()
        s.pbx.start()
        up = time.monotonic()
        done = control.settled(MANY)
        stage.row("20,000 in step after Kamailio %s" % how, done - up, "s", LIMIT_S)
        stage.row("  with its own start", done - begun, "s")


def fill(control, first, count):
    for n in range(first, first + count):
        control.ask("ban", indicator="+88321%06d" % n, ttl=3600)


def main(build):
    s = connectors.Stage(build, density=UNLIMITED)
    bare = kamailio.Kamailio(s.tree, "b", connectors.FOLDER + "/bare", block=False,
                             density=UNLIMITED)
    try:
        stage.head("bans in Kamailio 5.6, and in a program")
        many(s)
        # It would ban a phone that calls a thousand numbers which nobody has.
        s.start_node(reads_log=False)
        s.wait_step("proxy")
        control = Control(s.node.folder + "/run/control.sock")
        stage.rows("a ban -> its call is refused (%d)" % ROUNDS, refused_after(control, s),
                   LIMIT_REFUSED_MS)
        for n in range(ROUNDS):
            control.ask("unban", indicator="+9725900%06d" % n)
        control.settled(0)
        bare.start()
        empty, _ = costs(s.pbx.address, bare.address)
        fill(control, 0, MANY)
        control.settled(MANY)
        restart(control, s)
        fill(control, MANY, FULL - MANY)
        control.settled(FULL)
        full, without = costs(s.pbx.address, bare.address)
        for what, taken in (("without the check", without), ("with it, no entries", empty),
                            ("with it, 22,000 entries", full)):
            stage.row("a call %s, p50" % what, taken, "ms")
        stage.row("what 22,000 entries cost a call", max(full - empty, 0), "ms",
                  LIMIT_CHECK_MS)
        stage.row("what the check and they cost it", max(full - without, 0), "ms",
                  LIMIT_CHECK_MS)
        stage.row("memory of the node, RSS", stage.memory(s.node.role("node")["pid"])[0], "MB")
    except connectors.Failed as error:
        raise stage.Unmeasurable(str(error)) from error
    finally:
        s.stop()
        bare.stop()


if __name__ == "__main__":
    if not os.environ.get(topology.INSIDE):
        try:
            node.find(os.path.abspath(sys.argv[sys.argv.index("--build") + 1]), "sipchaind")
            kamailio.fetch()  # outside: there is no network within
        except FileNotFoundError as problem:
            print("skipped: %s" % problem)
            sys.exit(stage.SKIPPED)
    stage.play(main)
