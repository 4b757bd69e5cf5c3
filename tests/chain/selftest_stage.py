# SPDX-License-Identifier: Apache-2.0
"""What the checks of the harness share."""
import contextlib
import socket

import network
import proxy as faulty
import rpc
import transaction


def want(condition, text, *values):
    if not condition:
        raise AssertionError(text % values if values else text)


@contextlib.contextmanager
def raises(kind, **expected):
    """The block must raise this, with these attributes."""
    try:
        yield
    except kind as error:
        for name, value in expected.items():
            want(getattr(error, name) == value, "%s is %r, not %r: %s", name,
                 getattr(error, name), value, error)
        return
    raise AssertionError("no %s" % kind.__name__)


class Stage:
    """An anvil with a contract and three logs, and a proxy before it."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.chain = stack.enter_context(network.Anvil())
            self.proxy = stack.enter_context(
                faulty.Proxy(self.chain.http, self.chain.ws, connect=True, control=True))
            self.direct = self.chain.node()
            self.client = rpc.Endpoint(self.proxy.http, self.proxy.ws, timeout=2)
            self.key = transaction.Key()
            self.contract = self.direct.deploy(self.key, rpc.LOGGER)
            for text in (b"one", b"two", b"three"):
                self.direct.execute(self.key, self.contract, text)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def reset(self):
        self.proxy.clear()
        self.proxy.forget()

    def direct_count(self, first, last):
        """How many logs the node itself has there."""
        return len(self.direct.logs(first=first, last=last))

    def raw(self, body=b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
            head="POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", seconds=2):
        """Every byte that comes back until the end or the time is over."""
        with socket.create_connection((self.proxy.host, self.proxy.port), seconds) as s:
            s.sendall((head % len(body) if "%d" in head else head).encode() + body)
            got = b""
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while data := s.recv(65536):
                    got += data
            return got
