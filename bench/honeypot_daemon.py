#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""honeypot_daemon.py --build FOLDER: the honeypot's messages a second, and its memory.

The first rows are bench_honeypot_daemon's. Then sipchaind with a honeypot on every transport:
what its role sense holds when nothing comes, and after 10,000,000 datagrams of noise.
Leaves with 1 when a row is beyond its limit.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

IDLE_KIB = 6 * 1024
GROWTH_KIB = 512               # what a page here and there may come to
NOISE = 10000000
PATIENCE = 30


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def status(build, folder):
    found = subprocess.run([os.path.join(build, "src/cli/sipchain"), "status", "--json",
                            "--socket", os.path.join(folder, "run/control.sock")],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return json.loads(found.stdout) if found.returncode == 0 else None


def wait_status(build, folder, good):
    end = time.monotonic() + PATIENCE
    while True:
        s = status(build, folder)
        if s and good(s):
            return s
        if time.monotonic() > end:
            sys.exit("bench: sipchaind does not get there: %s" % s)
        time.sleep(0.2)


def resident(s):
    """RSS and its anonymous part, KiB: the rest are pages of programs and libraries."""
    pid = [r["pid"] for r in s["roles"] if r["role"] == "sense"][0]
    fields = {}
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        for line in f:
            name, _, value = line.partition(":")
            fields[name] = value
    return int(fields["VmRSS"].split()[0]), int(fields["RssAnon"].split()[0])


def settled(build, folder):
    """The status once nothing has come for some seconds: buffers are empty again."""
    last, since = None, time.monotonic()
    while time.monotonic() - since < 4:
        s = wait_status(build, folder, lambda s: s["honeypot"])
        now = (s["honeypot"]["received"], s["sense"]["observations"])
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.5)
    return s


def memory(build, folder, noise):
    port = free_port()
    lines = "".join("listen = %s:127.0.0.1:%d\n" % one for one in (
        ("udp", port), ("tcp", port), ("tls", free_port()), ("ws", free_port()),
        ("wss", free_port())))
    config = os.path.join(folder, "sipchain.conf")
    with open(config, "w", encoding="ascii") as f:
        f.write("[node]\nname = bench\nuser =\nstate = %s/state\nrun = %s/run\n[ledger]\n"
                "path = %s/none.db\n[enforce]\ntype = none\n[honeypot]\n%srecord_max = 256M\n"
                % (folder, folder, folder, lines))
    with open(os.path.join(folder, "log"), "wb") as log:
        daemon = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.path.join(build, "src/daemon/sipchaind"), "-c", config], stdout=log, stderr=log)
    try:
        wait_status(build, folder, lambda s: s["honeypot"] and s["honeypot"]["listeners"])
        idle = resident(settled(build, folder))
        print("honeypot idle     %6d KiB resident, %d of them its own; limit %d KiB, ratio %.2f"
              % (idle[0], idle[1], IDLE_KIB, idle[0] / IDLE_KIB), flush=True)
        flood = [os.path.join(build, "bench/bench_honeypot_daemon"), "flood", str(port)]
        before = status(build, folder)["honeypot"]["received"]
        started, taken, held = time.monotonic(), 0, []
        # What has a bound comes and goes: what is held rises and falls by a peak's
        # buffers, so that two moments say nothing. The highest of a half's five do.
        for tenth in range(1, 11):
            while taken < tenth * noise // 10:  # what the kernel drops, never came
                subprocess.run(flood + [str(tenth * noise // 10 - taken)], check=True)
                taken = settled(build, folder)["honeypot"]["received"] - before
            held.append(resident(status(build, folder)))
        took = time.monotonic() - started
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"last", ("127.0.0.1", port))  # the kernel tells its drops with it
        s = settled(build, folder)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
    h = s["honeypot"]
    first, second = max(held[:5]), max(held[5:])
    print("honeypot noise    %d datagrams taken in %.0f s, %d more dropped by the kernel; highest "
          "resident %d KiB in the first half, %d in the second (limit +%d); own %d, %d"
          % (taken, took, h["dropped"], first[0], second[0], GROWTH_KIB,
             max(own for _, own in held[:5]), max(own for _, own in held[5:])), flush=True)
    return idle[0] <= IDLE_KIB and second[0] - first[0] <= GROWTH_KIB


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="a Meson build folder")
    parser.add_argument("--noise", type=int, default=NOISE)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    # On the disk of the build folder: /tmp may be memory.
    folder = tempfile.mkdtemp(prefix="bench-honeypot-", dir=build)
    try:
        rows = subprocess.run([os.path.join(build, "bench/bench_honeypot_daemon"),
                               os.path.join(folder, "record")], check=False)
        good = memory(build, folder, options.noise)
    finally:
        shutil.rmtree(folder)
    sys.exit(0 if good and rows.returncode == 0 else 1)


if __name__ == "__main__":
    main()
