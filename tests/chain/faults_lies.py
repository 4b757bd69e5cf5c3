# SPDX-License-Identifier: Apache-2.0
"""An only endpoint that lies, field by field.

Whatever it says, node a never lists what the contract does not have, and never
ends or extends a ban; once the lies end it has all that the contract has.
"""
import copy
import time

from fault_stage import Refused, expect, until

STRANGE = "0x" + "ab" * 32
LOGS = {"methods": "eth_getLogs"}


def rewrite_logs(change):
    """A rule that gives the list of logs to `change`; empty ones stay."""
    def rewrite(_, message):
        logs = message.get("result")
        if isinstance(logs, list) and logs:
            message["result"] = change(logs)
        return message
    return dict(LOGS, rewrite=rewrite)


def invented(logs):
    """One more operation, well formed, after the last."""
    more = copy.deepcopy(logs[-1])
    more["topics"][2] = "0x%064x" % (int(more["topics"][2], 16) + 1)
    more["logIndex"] = hex(int(more["logIndex"], 16) + 1)
    return logs + [more]


def field(name, **change):
    return dict(LOGS, path="result.*." + name, **change)


def block(name, **change):
    return dict(methods={"eth_getBlockByNumber", "eth_getBlockByHash"},
                path="result." + name, **change)


def tip_digit(at):
    """In a reply of the view tips() or what else is called."""
    return {"methods": "eth_call", "path": "result", "flip": at}


# Lies about what is read: b reports meanwhile, and a must not take it as it is told.
READ = [
    ("a log left out", rewrite_logs(lambda logs: logs[:-1])),
    ("every log left out", rewrite_logs(lambda logs: [])),
    ("a log invented", rewrite_logs(invented)),
    ("a log told twice", rewrite_logs(lambda logs: logs + logs[-1:])),
    ("logs of another contract", field("address", flip=True)),
    ("the operation's bytes altered", field("data", flip=300)),
    ("the operation's type altered", field("data", flip=257)),
    ("the tip before it altered", field("data", flip=10)),
    ("a log's sequence number", field("topics.2", add=1)),
    ("a log's chain", field("topics.1", add=1)),
    ("a log's block number", field("blockNumber", add=1)),
    ("a log's block hash", field("blockHash", set=STRANGE)),
    ("logs without data", field("data", set="0x")),
    ("data that are no text", field("data", set=17)),
    ("topics that are missing", field("topics", set=[])),
    ("a tip in the contract's answer", tip_digit(5)),
    ("a sequence number in the contract's answer", tip_digit(127)),
    ("a head of long ago", {"methods": "eth_getBlockByNumber", "contains": "latest",
                            "path": "result.number", "set": "0x1"}),
    ("a block's hash", block("hash", set=STRANGE)),
    ("a block's number", block("number", add=3)),
    ("a block's time, an hour ahead", block("timestamp", add=3600)),
    ("a block's parent", block("parentHash", set=STRANGE)),
    ("a block's state root", block("stateRoot", set=STRANGE)),
    ("a block's log bloom", block("logsBloom", set="0x" + "00" * 256)),
    ("a value in eth_getProof", {"methods": "eth_getProof",
                                 "path": "result.storageProof.*.value", "add": 1}),
    ("a node of a proof", {"methods": "eth_getProof",
                           "path": "result.storageProof.*.proof.0", "flip": 20}),
    ("a node of the account's proof", {"methods": "eth_getProof",
                                       "path": "result.accountProof.0", "flip": 20}),
    ("proofs that are left out", {"methods": "eth_getProof",
                                  "path": "result.storageProof", "set": []}),
]

PROOFS = 15  # from here on about heads, blocks and proofs

# Lies about what is written: a reports meanwhile.
WRITTEN = [
    ("a receipt that says `reverted`", {"methods": "eth_getTransactionReceipt",
                                        "path": "result.status", "set": "0x0"}),
    ("a receipt of another block", {"methods": "eth_getTransactionReceipt",
                                    "path": "result.blockHash", "set": STRANGE}),
    ("a receipt of a block far ahead", {"methods": "eth_getTransactionReceipt",
                                        "path": "result.blockNumber", "add": 100}),
    ("no receipt", {"methods": "eth_getTransactionReceipt", "path": "result", "set": None}),
    ("a nonce ahead", {"methods": "eth_getTransactionCount", "path": "result", "add": 1}),
    ("a nonce of zero", {"methods": "eth_getTransactionCount", "path": "result",
                         "set": "0x0"}),
    ("another hash of the transaction", {"methods": "eth_sendRawTransaction",
                                         "path": "result", "set": STRANGE}),
    ("`already known` of what it never had", None),
    ("an estimate that is too low", {"methods": "eth_estimateGas", "path": "result",
                                     "set": "0x5300"}),
    ("an estimate beyond all blocks", {"methods": "eth_estimateGas", "path": "result",
                                       "set": "0xffffffffffff"}),
]


def safe(s, before):
    """Nothing is listed that the contract has not; no ban moved."""
    try:
        listed, now = s.a.listed(), s.a.banned()
    except Refused:
        return
    active = s.contract.active()
    expect(set(listed) <= set(active), "a lists %s, which nobody reports",
           sorted(set(listed) - set(active))[:3])
    for indicator, end in before.items():
        expect(now.get(indicator) == end, "a banned %s until %d, now it is %s", indicator,
               end, now.get(indicator))
    s.bounded(s.a, active)


def stands(s, rule, before, seconds):
    """The lie has struck, and for so long nothing wrong came of it."""
    until(lambda: rule.fired, 12, "the lie is told")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        safe(s, before)
        time.sleep(0.1)


def lie_read(s, options, itself=False):
    """With `itself` a comes back alone, after the time for which it asks no liar."""
    before = s.a.banned()
    with s.proxy_a.fault("lie", **options) as rule:
        told = s.b.report()
        stands(s, rule, before, 0.7)
    if not itself:
        s.a.stop()
        s.a.start()
    until(lambda: told in s.a.listed(), 60, "a lists it once the lie has ended")
    s.agree(20)


def lie_written(s, options):
    before = s.a.banned()
    if options:
        with s.proxy_a.fault("lie", **options) as rule:
            # Who is told that his transaction failed may refresh what stands,
            # as often as the writer tries it.
            told = s.a.report(again=5 if "Receipt" in options["methods"] else 0)
            stands(s, rule, before, 1.0)
    else:
        with s.proxy_a.fault("error", methods="eth_sendRawTransaction", code=-32000,
                             message="already known") as rule:
            told = s.a.report()
            stands(s, rule, before, 1.0)
            expect(not s.contract.told(told), "it got through")
    if options and "Count" in options["methods"]:
        # What was left out is the nonce of the next batch, once some blocks show
        # that nobody else's transaction has it.
        for _ in range(6):
            s.chain.mine()
            time.sleep(0.4)
        s.a.report()

    def final():
        s.chain.mine()  # a chain goes on by itself; this one only when it is asked
        time.sleep(0.3)
        return told in s.a.listed() and s.a.settled()
    until(final, 60, "a's own report is listed and final")
    s.agree(20)


PINS = [
    ("chain id", {"methods": "eth_chainId", "path": "result", "set": "0x1"}),
    ("genesis", {"methods": "eth_getBlockByNumber", "contains": "\"0x0\"",
                 "path": "result.hash", "set": STRANGE}),
    ("code", {"methods": "eth_getCode", "path": "result", "flip": 100}),
    ("code that is not there", {"methods": "eth_getCode", "path": "result", "set": "0x"}),
]


def pinned(s, options):
    """Another chain, another contract: not ours, told so, nothing is read there."""
    kept = dict(s.a.banned())
    s.a.stop()
    with s.proxy_a.fault("lie", **options) as rule:
        s.a.start(ready=False)
        until(lambda: rule.fired, 15, "the lie is told")
        until(lambda: not s.a.ledger_status()["healthy"], 15, "a says that it is wrong")
        missed = s.b.report()
        until(lambda: missed in s.b.listed(), 10, "b goes on")
        until(lambda: set(kept) <= set(s.a.banned()), 10, "a enforces what it had verified")
        time.sleep(0.5)
        expect(missed not in s.a.listed(), "a read it from another ledger")
        s.a.stop()
    s.a.start()
    s.agree(20)


def prepare(s):
    s.proxy_a = s.proxy()
    s.a = s.node("lied-to", [(s.proxy_a.http, s.proxy_a.ws)])
    s.b = s.node("onlooker", s.chain.endpoints()[:1])
    first = [s.a.report(), s.b.report()]
    until(lambda: set(first) <= set(s.a.banned()), 15, "the first reports")
    until(s.a.settled, 15, "a's first report is final")


def guarded(s, function, options):
    try:
        function(s, options)
    finally:
        s.proxy_a.clear()
        if s.a.process is None:
            s.a.start()


def proof_fails_once(s, options):
    """An answer for another state than asked, when an endpoint is met: it can be asked."""
    s.a.stop()
    rule = s.proxy_a.add("lie", times=1, **options)
    s.a.start()
    until(lambda: rule.fired, 15, "the lie is told")
    with s.proxy_a.fault("delay", methods="eth_getProof", seconds=0) as asked:
        told = s.b.report()
        until(lambda: told in s.a.listed(), 15, "a lists it")
        expect(asked.fired, "a asks for no proof any more")
    s.agree(20)


def play_read(s, table):
    for name, options in READ[:PROOFS]:
        table.play("lie: " + name, guarded, s, lie_read, options)


def play_proofs(s, table):
    table.play("a first proof that does not verify, then others that do", guarded, s,
               proof_fails_once, dict(READ)["a value in eth_getProof"])
    for name, options in READ[PROOFS:]:
        table.play("lie: " + name, guarded, s, lie_read, options)


def play_written(s, table):
    for name, options in WRITTEN:
        table.play("lie: " + name, guarded, s, lie_written, options)


def play_pins(s, table):
    for name, options in PINS:
        table.play("lie: another " + name, guarded, s, pinned, options)
    table.play("an only endpoint that lied is asked again after a while", guarded, s,
               lambda s, options: lie_read(s, options, itself=True), READ[0][1])
