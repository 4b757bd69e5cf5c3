# SPDX-License-Identifier: Apache-2.0
"""What a proxy is told to do wrong: rules, lies, limits.

A rule is a fault and whom it meets:

    methods     names such as "eth_getLogs"; for notifications "eth_subscription",
                "newHeads", "logs"; none named: everything
    transport   "http" or "ws"
    contains    a text that the parameters, as JSON, must hold
    skip        so many first ones pass
    times       so many are met, then the rule is spent
"""
import copy
import itertools
import json

# fault: its options. What each does stands at where it is used.
KINDS = {
    "half_open": (),        # accept, read, say nothing (open sockets fall silent too)
    "no_upgrade": ("code",),  # no WebSocket here: this status (default 404)
    "accept": (),           # an upgrade with a wrong Sec-WebSocket-Accept
    "path": ("path",),      # only under this path, such as /v3/<secret>; else 404
    "auth": ("user", "password", "token", "header", "value"),  # else 401
    "proxy_auth": ("user", "password"),  # of the CONNECT proxy; else 407
    "status": ("code", "retry_after", "body", "headers"),  # this HTTP status (429)
    "rate": ("requests", "seconds", "rpc"),  # more in a window: 429, or -32005 with rpc
    "error": ("code", "message", "data"),  # a JSON-RPC error (default -32005)
    "missing": (),          # -32601
    "mute": (),             # a request that is never answered, the others are
    "delay": ("seconds",),  # before a reply or notification
    "drip": ("piece", "seconds"),  # so many bytes at a time, a pause after each
    "cut": ("at", "of", "rst"),  # end after byte `at` of the "reply" or of its "body"
    "garbage": ("body", "raw"),  # these bytes as the body, or with raw as the reply
    "length": ("by",),      # a Content-Length wrong by so much
    "chunked": ("piece",),  # tiny chunks
    "gzip": ("always",),    # Content-Encoding, where the client accepts it or always
    "indent": (),           # tabs, line breaks, fields in the opposite order
    "duplicate": ("copies",),  # WebSocket: so many times (2); HTTP: in a batch, twice
    "swap": (),             # WebSocket: after the one that follows it; HTTP: batch turned
    "hold": (),             # WebSocket: kept until release()
    "drop": (),             # never delivered, without a word
    "close": ("code", "reason"),  # WebSocket: this close code instead; 1006: none
    "fragment": ("piece", "pings"),  # WebSocket messages in fragments
    "lie": ("path", "set", "add", "flip", "append", "remove", "reverse", "rewrite"),
    "range": ("blocks", "results", "style"),  # eth_getLogs is limited
    "lag": ("at",),         # this block is the head for ever
}
FILTERS = ("methods", "transport", "contains", "skip", "times")


class Call:
    """A request or a notification that a rule may meet."""

    def __init__(self, transport, method, params=None, kind=None, ident=None):
        self.transport = transport
        self.method = method
        self.params = params
        self.kind = kind  # of a notification: newHeads, logs
        self.ident = ident


class Rule:
    """One fault; see KINDS for its options."""

    _idents = itertools.count(1)

    def __init__(self, kind, options):
        if kind not in KINDS:
            raise ValueError("no fault %r; there are %s" % (kind, ", ".join(KINDS)))
        for name in options:
            if name not in KINDS[kind] + FILTERS:
                raise ValueError("%s has no option %r; it has %s" % (
                    kind, name, ", ".join(KINDS[kind] + FILTERS)))
        if kind == "lie" and not set(options) & {
                "set", "add", "flip", "append", "remove", "reverse", "rewrite"}:
            raise ValueError("a lie needs what to say: set, add, flip, append, ...")
        if kind == "range" and options.get("style", "infura") not in STYLES:
            raise ValueError("no style %r; there are %s" % (
                options["style"], ", ".join(STYLES)))
        self.ident = next(self._idents)
        self.kind = kind
        self.options = options
        methods = options.get("methods")
        self.methods = {methods} if isinstance(methods, str) else set(methods or ())
        self.skip = options.get("skip", 0)
        self.times = options.get("times")
        self.fired = 0

    def get(self, name, default=None):
        return self.options.get(name, default)

    def meets(self, call):
        if self.times is not None and self.fired >= self.times:
            return False
        if call is None:
            return not self.methods and not self.get("transport")
        if self.methods and not self.methods & {call.method, call.kind}:
            return False
        if self.get("transport", call.transport) != call.transport:
            return False
        return self.get("contains", "") in json.dumps(call.params)

    def take(self):
        """Count it; whether it strikes."""
        if self.skip > 0:
            self.skip -= 1
            return False
        self.fired += 1
        return True


class Rules:
    """All faults of a proxy, asked in the order in which they were added."""

    def __init__(self):
        self.rules = []

    def use(self, kind, *calls):
        """The first rule of this kind that strikes one of these calls, or None."""
        for rule in list(self.rules):
            if rule.kind == kind and any(rule.meets(call) for call in calls or (None,)) \
                    and rule.take():
                return rule
        return None

    def stands(self, kind, call=None):
        """Whether a rule of this kind is there, without using it up."""
        return any(rule.kind == kind and rule.meets(call) for rule in self.rules)

    def lie(self, call, message):
        """The message as the rules rewrite it, and whether any did."""
        changed = False
        for rule in list(self.rules):
            if rule.kind != "lie" or not rule.meets(call):
                continue
            told = falsify(rule, call, message)
            if told is not None and told != message and rule.take():
                message = told
                changed = True
        return message, changed


# --- lies ---

def falsify(rule, call, message):
    """A changed copy of a JSON-RPC message."""
    if rule.get("rewrite"):
        return rule.get("rewrite")(call, copy.deepcopy(message))
    return _at(copy.deepcopy(message), rule.get("path", "result").split("."), rule)


def _at(value, path, rule):
    if not path:
        return _changed(value, rule)
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        wanted = range(len(value)) if step == "*" else [int(step)]
        for i in wanted:
            if -len(value) <= i < len(value):
                if not rest and rule.get("remove"):
                    value[i] = REMOVED
                else:
                    value[i] = _at(value[i], rest, rule)
        return [item for item in value if item is not REMOVED]
    if isinstance(value, dict):
        for name in (list(value) if step == "*" else [step]):
            if not rest and rule.get("remove"):
                value.pop(name, None)
            elif name in value or (not rest and "set" in rule.options):
                value[name] = _at(value.get(name), rest, rule)
    return value


REMOVED = object()


def _changed(value, rule):
    """The value itself, changed as the rule says; kept where that has no sense."""
    options = rule.options
    if "set" in options:
        return copy.deepcopy(options["set"])
    if "add" in options and isinstance(value, str):
        return hex(max(0, int(value, 16) + options["add"]))
    if "flip" in options and isinstance(value, str) and len(value) > 2:
        # The lowest bit of one hex digit; `flip` counts digits, True is the last.
        at = len(value) - 1 if options["flip"] is True else 2 + options["flip"]
        if at < len(value):
            return value[:at] + "%x" % (int(value[at], 16) ^ 1) + value[at + 1:]
    if "append" in options and isinstance(value, list):
        return value + [copy.deepcopy(options["append"])]
    if options.get("reverse") and isinstance(value, list):
        return value[::-1]
    return value


# --- limits of eth_getLogs, in the words of real providers and engines ---

def _suggest(first, last):
    return "[0x%x, 0x%x]" % (first, last)


# style: (of blocks, of results), each (code, text, has data); the text's fields are
# limit, range (the suggestion), first, last, span.
STYLES = {
    "infura": ((-32602, "range {span} exceeds limit of {limit}", False),
               (-32005, "query returned more than {limit} results. Try with this block "
                        "range {range}.", True)),
    "alchemy": ((-32600, "You can make eth_getLogs requests with up to a {limit} block "
                         "range. Based on your parameters, this block range should work: "
                         "{range}", False),
                (-32602, "Log response size exceeded. You can make eth_getLogs requests "
                         "with up to a 2K block range and no limit on the response size, "
                         "or you can request any block range with a cap of {limit} logs "
                         "in the response. Based on your parameters and the response size "
                         "limit, this block range should work: {range}", False)),
    "alchemy-free": ((-32600, "Under the Free tier plan, you can make eth_getLogs requests "
                              "with up to a {limit} block range. Based on your parameters, "
                              "this block range should work: {range}. Upgrade to PAYG for "
                              "expanded block range.", False),
                     (-32000, "Query timeout exceeded. Consider reducing your block range. "
                              "Based on your parameters and the response size limit, this "
                              "block range should work: {range}", False)),
    "quicknode": ((-32614, "eth_getLogs is limited to a {limit:,} range", False),
                  (-32614, "eth_getLogs response is limited to {limit:,} results", False)),
    "geth": ((-32602, "exceed maximum block range: {limit}", False),
             (-32000, "logs matched by query exceeds limit of {limit}", False)),
    "publicnode": ((-32701, "exceed maximum block range: {limit}", False),
                   (-32005, "query returned more than {limit} results", False)),
    "besu": ((-32005, "Requested range exceeds maximum RPC range limit", False),
             (-32005, "Requested range exceeds maximum RPC range limit", False)),
    "polygon-edge": ((-32603, "block range too high", False),
                     (-32603, "block range too high", False)),
    "ankr": ((-32600, "block range is too wide", False),
             (-32600, "too many results", False)),
    "drpc": ((35, "ranges over {limit} blocks are not supported on free plan", False),
             (35, "query returned more than {limit} results", False)),
    "tenderly": ((-32602, "range {span} is bigger than range limit {limit}", False),
                 (-32602, "Query returned more than {limit} results. Try with this block "
                          "range {range}.", False)),
}


def limit_error(rule, first, last, good, results):
    """The error of a range that is too large; `good`: the last block that fits."""
    code, text, has_data = STYLES[rule.get("style", "infura")][1 if results else 0]
    limit = rule.get("results") if results else rule.get("blocks")
    error = {"code": code, "message": text.format(
        limit=limit, range=_suggest(first, good), first=first, last=last,
        span=last - first + 1)}
    if has_data:
        error["data"] = {"from": hex(first), "limit": limit, "to": hex(good)}
    return error


def too_many_blocks(rule, first, last):
    blocks = rule.get("blocks")
    if not blocks or last - first + 1 <= blocks:
        return None
    return limit_error(rule, first, last, first + blocks - 1, False)


def too_many_results(rule, first, last, logs):
    """One block alone always passes, as with the providers."""
    most = rule.get("results")
    if not most or not isinstance(logs, list) or len(logs) <= most or first >= last:
        return None
    over = int(logs[most]["blockNumber"], 16)  # the block with the first one too many
    return limit_error(rule, first, last, max(first, over - 1), True)


# --- a laggard ---

TAGS = ("latest", "pending", "safe", "finalized")


def lag_request(at, params):
    """Parameters in which the head is block `at`."""
    if isinstance(params, list):
        return [lag_request(at, item) for item in params]
    if isinstance(params, dict):
        told = dict(params)
        if "toBlock" in told or "fromBlock" in told:
            last = told.get("toBlock", "latest")
            told["toBlock"] = hex(at) if last in TAGS or int(last, 16) > at else last
        return {name: lag_request(at, value) for name, value in told.items()}
    return hex(at) if params in TAGS else params


def lag_reply(at, call, message):
    """The reply as if nothing after block `at` were there; None: not sent."""
    if call.method == "eth_subscription":
        result = message.get("params", {}).get("result")
        height = isinstance(result, dict) and (
            result.get("number") or result.get("blockNumber"))
        return None if height and int(height, 16) > at else message
    result = message.get("result")
    if call.method == "eth_blockNumber" and result:
        return dict(message, result=hex(at))
    if isinstance(result, dict):
        height = result.get("blockNumber") or result.get("number")
        if height and int(height, 16) > at:
            return dict(message, result=None)
    return message


def indented(message):
    """Tabs, line breaks and the fields in the opposite order."""
    def turned(value):
        if isinstance(value, dict):
            return {name: turned(value[name]) for name in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value
    return json.dumps(turned(message), indent="\t", separators=(" ,\r\n", " :\t")) + "\r\n"
