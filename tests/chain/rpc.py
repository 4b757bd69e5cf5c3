# SPDX-License-Identifier: Apache-2.0
"""A plain JSON-RPC client over HTTP, and what tests ask a chain for."""
import itertools
import json
import time
import urllib.error
import urllib.request

# Emits its calldata as the data of one log with topic 1, whatever it is called with:
# CALLDATASIZE 0 0 CALLDATACOPY, 1 CALLDATASIZE 0 LOG1, behind the usual constructor.
LOGGER = "0x" + "600d8060093d393df3" + "3660006000376001366000a100"


class RpcError(Exception):
    """The endpoint answered with a JSON-RPC error."""

    def __init__(self, method, error):
        super().__init__("%s: %s" % (method, error))
        error = error if isinstance(error, dict) else {}
        self.code = error.get("code")
        self.message = error.get("message", "")
        self.data = error.get("data")


class Unreachable(Exception):
    """No usable reply: refused, timed out, cut, not JSON, or an HTTP status."""

    def __init__(self, text, status=None, headers=None):
        super().__init__(text)
        self.status = status
        self.headers = headers or {}


class WaitedTooLong(Exception):
    """What was waited for did not come; the text names it."""


def wait(until, what, seconds=90, pause=0.02):
    """The first true value that until() gives.

    An endpoint that is not there yet gives none; `what` names the wait.
    """
    deadline = time.monotonic() + seconds
    trouble = None
    while True:
        try:
            value = until()
            if value:
                return value
        except (Unreachable, RpcError) as error:
            trouble = error
        if time.monotonic() > deadline:
            raise WaitedTooLong("no %s after %g s%s" % (
                what, seconds, " (%s)" % trouble if trouble else ""))
        time.sleep(pause)


def number(quantity):
    """A JSON-RPC quantity as an integer."""
    return int(quantity, 16)


class Endpoint:
    """One node: `http`, `ws`, rpc(), and the questions that tests ask."""

    def __init__(self, http, ws=None, timeout=10, headers=None, context=None):
        self.http = http
        self.ws = ws
        self.timeout = timeout
        self.headers = dict(headers or {})
        self._ids = itertools.count(1)
        handlers = [urllib.request.ProxyHandler({})]  # whatever the environment says
        if context:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def __repr__(self):
        return "Endpoint(%s)" % self.http

    def post(self, body):
        """Send a body as it is; (status, headers, body) of whatever answers."""
        request = urllib.request.Request(self.http, body, dict(
            {"Content-Type": "application/json"}, **self.headers))
        try:
            with self._opener.open(request, timeout=self.timeout) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()
        except Exception as error:  # http.client, ssl and socket have a class each
            raise Unreachable("%s: %s: %s" % (self.http, type(error).__name__, error)) \
                from error

    def exchange(self, request):
        """Send any JSON value; the reply's JSON value."""
        status, headers, body = self.post(json.dumps(request).encode())
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Unreachable("%s: status %d, not JSON: %r" % (self.http, status, body[:200]),
                              status, headers) from error
        if status != 200 and not (isinstance(answer, dict) and "error" in answer):
            raise Unreachable("%s: status %d" % (self.http, status), status, headers)
        return answer

    def rpc(self, method, *params):
        """The result of one call; raises RpcError or Unreachable."""
        answer = self.exchange({"jsonrpc": "2.0", "id": next(self._ids), "method": method,
                                "params": list(params)})
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise Unreachable("%s: no JSON-RPC reply: %r" % (self.http, answer))
        if answer.get("error") is not None:
            raise RpcError(method, answer["error"])
        return answer["result"]

    # --- what tests ask ---

    def height(self):
        return number(self.rpc("eth_blockNumber"))

    def chain_id(self):
        return number(self.rpc("eth_chainId"))

    def block(self, which="latest", full=False):
        """A block by number, tag or hash; None when there is none."""
        if isinstance(which, str) and len(which) == 66:
            return self.rpc("eth_getBlockByHash", which, full)
        return self.rpc("eth_getBlockByNumber",
                        hex(which) if isinstance(which, int) else which, full)

    def hash(self, which="latest"):
        block = self.block(which)
        return block and block["hash"]

    def nonce(self, address, which="pending"):
        return number(self.rpc("eth_getTransactionCount", address, which))

    def balance(self, address):
        return number(self.rpc("eth_getBalance", address, "latest"))

    def code(self, address):
        return self.rpc("eth_getCode", address, "latest")

    def call(self, to, data, which="latest"):
        return self.rpc("eth_call", {"to": to, "data": data}, which)

    def logs(self, address=None, first=0, last="latest", topics=None):
        query = {"fromBlock": hex(first),
                 "toBlock": hex(last) if isinstance(last, int) else last}
        if address:
            query["address"] = address
        if topics:
            query["topics"] = topics
        return self.rpc("eth_getLogs", query)

    def send_raw(self, raw):
        """Hand a signed transaction in; its hash."""
        return self.rpc("eth_sendRawTransaction", raw)

    def receipt(self, digest):
        return self.rpc("eth_getTransactionReceipt", digest)

    def wait_receipt(self, digest, seconds=30):
        """The receipt once it is in a block."""
        def mined():
            receipt = self.receipt(digest)
            return receipt if receipt and receipt.get("blockHash") else None
        return wait(mined, "receipt of %s at %s" % (digest, self.http), seconds)

    def wait_height(self, height, seconds=30):
        """Until this height is reached; returns the height it has."""
        return wait(lambda: self.height() >= height, "block %d at %s" % (height, self.http),
                    seconds) and self.height()

    def execute(self, key, to=None, data=b"", gas=1000000, price=0, tip=None, nonce=None,
                seconds=30):
        """Sign, send, wait; the receipt. `to` None deploys."""
        raw = key.sign(self.chain_id(), self.nonce(key.address) if nonce is None else nonce,
                       to, data, gas=gas, price=price, tip=tip)
        return self.wait_receipt(self.send_raw(raw), seconds)

    def deploy(self, key, code, **options):
        """Deploy this creation code; the contract's address."""
        receipt = self.execute(key, None, code, **options)
        if number(receipt["status"]) != 1:
            raise RpcError("deployment", {"message": "reverted: %s" % receipt})
        return receipt["contractAddress"]
