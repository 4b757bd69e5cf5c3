# SPDX-License-Identifier: Apache-2.0
"""Free TCP ports that no other test takes at the same moment.

A port counts as free when it can be bound and nobody holds its name: each
taker holds an abstract Unix socket named after the port, which the kernel
drops when the taker ends, however it ends. Both are per network namespace.
"""
import errno
import os
import random
import socket

FIRST = 22000
LAST = 22999
NAME = "\0sipchain-test-port-%d"


class Port:
    """Some consecutive ports, ours until release() or the end of the program."""

    def __init__(self, first, holds):
        self.first = first
        self._holds = holds

    def release(self):
        for hold in self._holds:
            hold.close()
        self._holds = []


def _hold(port):
    """The socket that holds this port's name, or None when the port is taken."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(NAME % port)
        with socket.socket() as probe:
            # As servers do: connections of an earlier one may linger.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError as error:
        name.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        return None
    return name


def take(count=1):
    """`count` consecutive free ports; raises OSError when there are none."""
    starts = list(range(FIRST, LAST + 2 - count))
    random.SystemRandom().shuffle(starts)
    for first in starts:
        holds = []
        for port in range(first, first + count):
            hold = _hold(port)
            if hold is None:
                break
            holds.append(hold)
        if len(holds) == count:
            return Port(first, holds)
        for hold in holds:
            hold.close()
    raise OSError(errno.EADDRINUSE, "no %d free ports in a row in %d-%d" % (
        count, FIRST, LAST), os.getcwd())
