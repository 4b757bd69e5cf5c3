#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""latency.py --build FOLDER: from an attacker's third failure to the rule.

From just before write() of the third line (or send() of the HEP packet that
shows the third refusal) to the kernel's notification of the committed rule:
for sipchaind, whose store is on the disk and then in memory, and then for it
and Debian's fail2ban on the same log.
"""
import os
import random
import time

import stage  # first: it says where the others are
import attack
import topology
import yardstick

ROUNDS = 60
ROUNDS_BESIDE = 10
LIMIT_MS = 2.0
LIMIT_TIMES = 50


def measure(sensor, sources, watch, rounds, disk=None):
    """Nanoseconds of each round for sipchaind alone."""
    taken = []
    for _ in range(rounds):
        address = sources.fresh()
        begun = attack.third_failure(sensor, address, random.uniform(0.03, 0.08))
        taken.append(watch.element("sipchain", address) - begun)
        time.sleep(0.02)
        if disk:
            disk.commit()
    return taken


def beside(log, sources, watch):
    """The same for both; they read the same third line."""
    ours, theirs = [], []
    for _ in range(ROUNDS_BESIDE):
        address = sources.fresh()
        # Longer than a turn of fail2ban's, at no fixed point of it.
        begun = attack.third_failure(log, address, random.uniform(1.0, 2.0))
        ours.append(watch.element("sipchain", address) - begun)
        theirs.append(watch.element(yardstick.TABLE, address, 30) - begun)
    return ours, theirs


def alone(n, log, sources, watch):
    """sipchaind by itself, through either sensor."""
    disk, hep = stage.Disk(), attack.Hep(n)
    first = measure(log, sources, watch, 1)
    stage.row("the very first (makes the set)", first[0] / 1e6, "ms")
    for what, sensor in (("security log", log), ("HEP", hep)):
        stage.rows("%s (%d)" % (what, ROUNDS), measure(sensor, sources, watch, ROUNDS, disk),
                   LIMIT_MS)
    stage.rows("yardstick: 8 KB written and synced on that disk", disk.taken)


def in_memory(n, log, sources, watch):
    """The same without the disk: what is left is sipchaind's own."""
    n.stop()
    topology.run("mount", "-t", "tmpfs", "tmpfs", os.path.dirname(n.configuration) + "/state")
    stage.run_node(n)
    for what, sensor in (("security log", log), ("HEP", attack.Hep(n))):
        stage.rows("%s (%d), store in memory" % (what, ROUNDS),
                   measure(sensor, sources, watch, ROUNDS), LIMIT_MS)


def main(build):
    n = stage.start_node(build, "a", stage.new_ledger(build))
    watch = stage.Watch(build, n.namespace)
    log, sources = attack.SecurityLog(n.asterisk.security_log), attack.Sources()
    stage.head("third failure -> rule in the kernel, sipchaind")
    alone(n, log, sources, watch)
    if not yardstick.installed():
        print("no fail2ban here (package fail2ban): nothing to compare with")
    else:
        peer = yardstick.Fail2ban(n.namespace, n.asterisk.security_log)
        ours, theirs = beside(log, sources, watch)
        stage.head("the same line read by both (%d)" % ROUNDS_BESIDE)
        stage.rows("sipchaind", ours, LIMIT_MS)
        stage.rows(peer.name(), theirs)
        stage.row("times faster, p50",
                  stage.quantile(theirs, 0.5) / stage.quantile(ours, 0.5), "x", LIMIT_TIMES,
                  least=True)
        stage.row("memory of fail2ban-server, RSS", stage.memory(peer.process.pid)[0], "MB")
        stage.end(peer.process)
    stage.head("third failure -> rule, sipchaind without the disk")
    in_memory(n, log, sources, watch)


if __name__ == "__main__":
    stage.play(main)
