#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wire.py FOLDER PORT NODES: the net between the nodes of clique.sh.

Node I dials node J at 127.66.I.J, port PORT + 4; from here it goes on to J's own
devp2p port. When FOLDER/groups parts the two, nothing passes any more and nothing
is closed: a cut line, which a healed one resumes. After some 30 s without a word
the nodes hang up by themselves, as they do on a real net.

SIGHUP: read FOLDER/groups again ("one", or lists such as "1,2 3,4"; who is in none
forms a last group) and write what holds now to FOLDER/wire.state.
"""
import asyncio
import contextlib
import os
import signal
import sys

sys.dont_write_bytecode = True


class Wire:
    """Which pairs of nodes are joined, and the connections between them."""

    def __init__(self, folder, port, nodes):
        self.folder = folder
        self.port = port
        self.nodes = nodes
        self.groups = []
        self.changed = asyncio.Condition()

    def joined(self, i, j):
        return self._group(i) == self._group(j)

    def _group(self, node):
        for number, group in enumerate(self.groups):
            if node in group:
                return number
        return -1

    async def read(self):
        with open(self.folder + "/groups", encoding="ascii") as f:
            text = f.read().strip()
        async with self.changed:
            self.groups = [] if text == "one" else [
                {int(node) for node in group.split(",")} for group in text.split()]
            self.changed.notify_all()
        with open(self.folder + "/wire.tmp", "w", encoding="ascii") as f:
            f.write(text + "\n")
        os.rename(self.folder + "/wire.tmp", self.folder + "/wire.state")

    async def passes(self, i, j):
        """Until the two are joined."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.joined(i, j))

    def serve(self, i, j):
        """What to do with a connection of i to j."""
        async def accept(reader, writer):
            await self.passes(i, j)
            try:
                there = await asyncio.open_connection(
                    "127.0.0.1", self.port + 10 * (j - 1) + 2)
            except OSError:
                writer.close()
                return
            ways = [asyncio.ensure_future(self.pump(i, j, reader, there[1])),
                    asyncio.ensure_future(self.pump(i, j, there[0], writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await self.passes(i, j)  # an end, too, is told only over a joined line
            writer.close()
            there[1].close()
        return accept

    async def pump(self, i, j, reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await self.passes(i, j)
                writer.write(data)
                await writer.drain()

    async def listen(self):
        await self.read()
        for i in range(1, self.nodes + 1):
            for j in range(1, self.nodes + 1):
                if i != j:
                    await asyncio.start_server(self.serve(i, j), "127.66.%d.%d" % (i, j),
                                               self.port + 4)


async def main():
    wire = Wire(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: asyncio.ensure_future(wire.read()))
    await wire.listen()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
