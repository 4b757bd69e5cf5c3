# SPDX-License-Identifier: Apache-2.0
"""`sipchain explain`: one line or event of every kind, good and hostile."""
import os

from checks import want
from cli_stage import CONFIG, FAILED, OK

MESSAGE = ("OPTIONS sip:1@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9;"
           "branch=z9hG4bK1\r\nFrom: %s <sip:1@x>;tag=1\r\nTo: <sip:1@x>\r\nCall-ID: a\r\n"
           "CSeq: 1 OPTIONS\r\n\r\n")
SECURITY = ('[2026-11-21 20:03:18.244] SECURITY[26900] res_security_log.c: '
            'SecurityEvent="InvalidAccountID",EventTV="2026-11-21T20:03:18.244+0000",'
            'Severity="Error",Service="PJSIP",EventVersion="1",AccountID="%s",'
            'SessionID="a",LocalAddress="IPV4/TCP/192.0.2.10/5060",'
            'RemoteAddress="IPV4/TCP/198.51.100.9/5071"%s')
AMI = ("Event: InvalidAccountID\r\nPrivilege: security,all\r\n"
       "EventTV: 2026-11-21T20:03:18.240+0000\r\nSeverity: Error\r\nService: PJSIP\r\n"
       "EventVersion: 1\r\nAccountID: %s\r\nSessionID: a\r\n"
       "LocalAddress: IPV4/UDP/192.0.2.10/5060\r\n"
       "RemoteAddress: IPV4/UDP/198.51.100.9/5071\r\n\r\n")
KAMAILIO = ("NOTICE: <script>: SIPCHAIN ev=auth_fail t=1700000000.000000 "
            "src=198.51.100.9:5060 proto=udp method=REGISTER rc=-2 verified=1 "
            "authuser=%s callid=a")
JOURNAL = ("__CURSOR=1\n__REALTIME_TIMESTAMP=1700000000000000\n_HOSTNAME=pbx\n"
           "SYSLOG_IDENTIFIER=kamailio\nMESSAGE=%s\n\n")
DOOR = "2026-11-21 20:03:18 door[7]: shut for %s from %s"
ASTERISK = "[2026-11-21 20:03:18] NOTICE[7] chan_sip.c: %s failed for '%s'"
HOSTILE = "\x1b[31mred"

FILTERS = {
    "door": "prefregex = ^\\s*door\\[\\d+\\]: <F-CONTENT>.+</F-CONTENT>$\n"
            "failregex = ^shut for <F-USER>\\S+</F-USER> from <HOST>$\n"
            "ignoreregex = ^shut for guest\n",
    "asterisk": "failregex = NOTICE\\[\\d+\\] .* failed for '<HOST>'\n",
    "wrong": "failregex = ^(<HOST>$\n",
}

# What is fed, what must be printed, how many observations come of it.
CASES = (
    ("SIP", MESSAGE % '"x"', ["request           OPTIONS", "no observation: "], 0),
    ("SIP, hostile", MESSAGE % '"%0aSecurityEvent="', ["injection_in      From"], 1),
    ("security event", SECURITY % ("9", ""), ["a security event: ", "proof tcp"], 1),
    ("security event, hostile", SECURITY % (HOSTILE, ',Evil="1"'),
     ["discarded and counted as injected: behind RemoteAddress stands Evil"], 0),
    ("AMI", AMI % "9", ["AccountID         9", "proof none, account \"9\" (ami)"], 1),
    ("AMI, two keys", AMI % "9\r\nAccountID: 8", ["counted as forged: a key stands in it "
                                                 "twice", "AccountID (2)     8"], 0),
    ("AMI, bare LF", AMI % "9\nX: 8", ["forged: a bare CR, LF or NUL", "9\\x0aX: 8"], 0),
    ("AMI, order", AMI % "9\r\nX: 8", ["forged: X stands where SessionID belongs"], 0),
    ("Kamailio", KAMAILIO % "9", ["rc                -2", "proof nonce"], 1),
    ("Kamailio, hostile", KAMAILIO % "9 src=203.0.113.7:1",
     ["counted as forged: the key src stands there twice"], 0),
    ("syslog, 5424", "<29>1 2026-11-21T20:03:18Z pbx kamailio 7 - - " + KAMAILIO % "9",
     ["a syslog message", "program           kamailio", "proof nonce"], 1),
    ("syslog, 3164", "<29>Nov 21 20:03:18 pbx kamailio[7]: " + KAMAILIO % HOSTILE,
     ["pid               7", "never writes bare: \\x1b[31mred"], 0),
    ("journal", JOURNAL % (KAMAILIO % "9"), ["host              pbx", "proof nonce"], 1),
    ("journal, other", JOURNAL % HOSTILE, ["left alone: ", "\\x1b[31mred"], 0),
    ("stock filter", ASTERISK % ("x", "198.51.100.9"),
     ["looks like a log for the filter asterisk", "failregex         1: NOTICE"], 1),
    ("stock filter, name", ASTERISK % (HOSTILE, "evil.example"),
     ["missed: it names a host and no address", "\\x1b[31mred"], 0),
)

NAMED = (
    (DOOR % ("x", "198.51.100.9"), ["matched by the filter", "user              x",
                                    "2026-11-21T20:03:18Z", "{^LN-BEG}"], 1),
    (DOOR % ("guest", "198.51.100.9"), ["ignored: an ignoreregex", "1: ^shut for guest"], 0),
    (DOOR % (HOSTILE + " x", "198.51.100.9"), ["missed: no failregex matches it"], 0),
    ("2026-11-21 20:03:18 gate: x", ["missed: prefregex does not match it"], 0),
    ("<29>Nov 21 20:03:18 pbx door[7]: shut for x from 198.51.100.9",
     ["a syslog message", "missed: prefregex"], 0),
)


def told(s, text, out, seen, *more):
    """One input, as text and as JSON."""
    arguments = ("explain", "-", "--filters", s.path("filter.d"), *more)
    s.expect(OK, *arguments, out=out, input=text)
    answer = s.parse(OK, *arguments, input=text)
    want(answer["observations"] == seen, "%r: %d observations", text, answer["observations"])
    if seen:
        kinds = [step["step"] for step in answer["steps"]]
        want("attempt" in kinds, "%r", kinds)


def explain(s):
    """explain: one line of every kind, good and hostile, and what is wrong"""
    os.mkdir(s.path("filter.d"))
    for name, text in FILTERS.items():
        with open(s.path("filter.d/%s.conf" % name), "w", encoding="ascii") as f:
            f.write("[Definition]\n" + text)
    for name, text, out, seen in CASES:
        told(s, text, out, seen)
    for text, out, seen in NAMED:
        told(s, text, out, seen, "--filter", "door")
    # The configuration's allowlist: what stands there is left alone.
    line = (SECURITY % ("9", "")).replace("198.51.100.9/", "192.0.2.99/") + "\n"
    s.expect(OK, "explain", "-", "--config", s.config, input=line * 3,
             out=["allowlist    192.0.2.99: on it (configured, our gateway)",
                  "by the configuration and its allowlist"])
    want("\"ban\": true" not in s.expect(OK, "explain", "-", "--config", s.config, "--json",
                                         input=line * 3), "a ban of our gateway")
    s.expect(OK, "explain", (SECURITY % ("9", "")), out=["proof tcp"])
    s.expect(FAILED, "explain", "no line of any kind", err=["--filter NAME"])
    s.expect(FAILED, "explain", "-", input="", err=["is empty"])
    s.expect(FAILED, "explain", s.folder, err=["no regular file"])
    s.expect(CONFIG, "explain", "--filter", "window", "x", err=["no window.conf in"])
    s.expect(CONFIG, "explain", "--filter", "wrong", "--filters", s.path("filter.d"), "x",
             err=["wrong.conf:2"])
    s.expect(CONFIG, "explain", "--filters", s.path("."), ASTERISK % ("x", "192.0.2.1"),
             err=["line 1: looks like a log for the filter asterisk", "--filters"])
    s.expect(FAILED, "explain", "-", "--filter", "door", input="HEP3",
             err=["--filter is for lines of a log"])
