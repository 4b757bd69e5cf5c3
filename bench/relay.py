#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""relay.py HOST:PORT FILE [PORT]: pass TCP connections on, and note when large replies end.

Listens on PORT of the loopback (or any, which it prints); ends with its standard
input, of which each line makes it write FILE and say so. Of each connection a reply is what comes back between two
requests. FILE is JSON: `last`, the CLOCK_MONOTONIC nanosecond of the last byte of
the last reply of LARGE bytes or more; `bytes`, those of all such replies; `waits`,
of every exchange when it was asked and when the last byte of its answer came.

The bytes never come up into this process (splice), so that it takes little of
the processor that the measured ones need.
"""
import json
import os
import socket
import subprocess
import sys
import threading
import time

LARGE = 200_000
PIECE = 1 << 18


class Tally:
    """When the last large reply ended, how much there was of them, all exchanges."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.last = self.bytes = 0
        self.waits = []

    def asked(self):
        """A new exchange: [when it was asked, when the last byte came]."""
        wait = [time.monotonic_ns(), 0]
        with self.lock:
            self.waits.append(wait)
        return wait

    def large(self, when, count):
        with self.lock:
            self.last = max(self.last, when)
            self.bytes += count

    def write(self):
        with self.lock:
            text = json.dumps({"last": self.last, "bytes": self.bytes,
                               "waits": [w for w in self.waits if w[1]]})
            self.last = self.bytes = 0
            self.waits = []
        with open(self.path, "w", encoding="ascii") as f:
            f.write(text)


class Connection:
    """One client's, passed on by two threads."""

    def __init__(self, client, server, tally):
        self.client, self.server, self.tally = client, server, tally
        self.reply = 0  # bytes since the client has asked
        self.wait = [0, 0]
        for run in (self.requests, self.replies):
            threading.Thread(target=run, daemon=True).start()

    def requests(self):
        try:
            while piece := self.client.recv(1 << 16):
                if self.reply or not self.wait[0]:
                    self.wait = self.tally.asked()
                self.reply = 0
                self.server.sendall(piece)
            self.server.shutdown(socket.SHUT_WR)
        except OSError:
            self.server.close()

    def replies(self):
        out, into = os.pipe()
        try:
            while count := os.splice(self.server.fileno(), into, PIECE):
                left = count
                while left:
                    left -= os.splice(out, self.client.fileno(), left)
                self.wait[1] = time.monotonic_ns()
                before, self.reply = self.reply, self.reply + count
                if self.reply >= LARGE:
                    self.tally.large(self.wait[1],
                                     count if before >= LARGE else self.reply)
            self.client.shutdown(socket.SHUT_WR)
        except OSError:
            self.client.close()
        finally:
            os.close(out)
            os.close(into)


class Gate:
    """This program before an endpoint, HOST:PORT; a context manager."""

    def __init__(self, target, path, port=0):
        self.path = path
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), target, path, str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.http = "http://127.0.0.1:%d" % int(self.process.stdout.readline())

    def noted(self):
        """What has passed since the last time it was asked, as it stands in FILE."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.process.stdout.readline()
        with open(self.path, encoding="ascii") as f:
            return json.load(f)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    tally = Tally(sys.argv[2])
    own = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    listener = socket.create_server(("127.0.0.1", own), backlog=64)
    print(listener.getsockname()[1], flush=True)

    def accept():
        while True:
            client, _ = listener.accept()
            server = socket.create_connection((host, int(port)))
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Connection(client, server, tally)
    threading.Thread(target=accept, daemon=True).start()
    for _ in sys.stdin:
        tally.write()
        print("noted", flush=True)


if __name__ == "__main__":
    main()
