# SPDX-License-Identifier: Apache-2.0
"""What the honeypot of a running daemon recorded, as `sipchain honeypot` shows it."""
import json
import os
import socket
import subprocess
import time

from checks import want
from cli_stage import FAILED, OK, USAGE

PORT = 15060
MESSAGE = ("{method} sip:{to}@127.0.0.1 SIP/2.0\r\n"
           "Via: SIP/2.0/{via} 127.0.0.1:{port};branch=z9hG4bK{call}\r\n"
           "From: <sip:100@127.0.0.1>;tag={call}\r\nTo: <sip:{to}@127.0.0.1>\r\n"
           "Call-ID: {call}\r\nCSeq: 1 {method}\r\nContact: <sip:100@127.0.0.1:{port}>\r\n"
           "User-Agent: \x1b[31mred\r\n{more}Content-Length: 0\r\n\r\n")
SECRET = "6b0a5f1c9d3e4b7a8c2d1e0f9a8b7c6d"
DIGEST = ('Authorization: Digest username="100",realm="asterisk",nonce="n",'
          'uri="sip:127.0.0.1",response="%s"\r\n' % SECRET)


def attack():
    """A REGISTER with credentials over UDP, a call abroad over TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(30)
        s.sendto(MESSAGE.format(method="REGISTER", to="100", via="UDP", call="guess",
                                port=s.getsockname()[1], more=DIGEST).encode(),
                 ("127.0.0.1", PORT))
        s.recv(4096)
    with socket.create_connection(("127.0.0.1", PORT), timeout=30) as s:
        s.sendall(MESSAGE.format(method="INVITE", to="00972591234567", via="TCP",
                                 call="fraud", port=s.getsockname()[1], more="").encode())
        s.recv(4096)


def sessions(s, *options):
    return s.parse(OK, "honeypot", "sessions", "--config", s.config, *options)["sessions"]


def recorded(s):
    """sessions, show, tail and export of what was recorded; no password in any"""
    attack()
    s.eventually(lambda: len(sessions(s)) == 2, "two sessions on the disk")
    s.expect(OK, "honeypot", "sessions", "--config", s.config,
             out=["SESSION", "00972591234567", "\\x1b[31mred", "2 sessions"])
    call = sessions(s, "--number", "+97259*", "--proved")
    want(len(call) == 1 and call[0]["transport"] == "tcp" and call[0]["out"] >= 1, "%r", call)
    s.expect(OK, "honeypot", "show", call[0]["session"], "--config", s.config,
             out=["INVITE sip:00972591234567@127.0.0.1", "SIP/2.0 100 Trying", "Call-ID: fraud"])
    text = s.expect(OK, "honeypot", "export", "--config", s.config)
    lines = [json.loads(line) for line in text.splitlines()]
    want({m["direction"] for m in lines} == {"in", "out"}, "%r", lines)
    want(any('response="****' in m["message"] for m in lines), "%s", text)
    folder = os.path.join(s.folder, "state", "honeypot")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as f:
            want(SECRET.encode() not in f.read(), "a digest's response is in %s", name)
    s.expect(OK, "honeypot", "export", "--pcap", s.path("call.pcap"), "--config", s.config,
             "--number", "972591234567", out=["call.pcap: "])
    s.expect(OK, "explain", s.path("call.pcap"), "--config", s.config,
             out=["tcp, SIP: INVITE sip:00972591234567@127.0.0.1"])
    s.expect(FAILED, "honeypot", "export", "--pcap", s.path("call.pcap"), "--config",
             s.config, err=["File exists"])
    s.expect(USAGE, "honeypot", "show", "nobody", "--config", s.config, err=["16 hex digits"])
    s.expect(FAILED, "honeypot", "sessions", "--folder", s.path("none"),
             err=["nothing was recorded there"])
    live(s)


def live(s):
    """tail shows what comes while it runs"""
    with subprocess.Popen([s.program, "honeypot", "tail", "--json", "--limit", "2",
                           "--config", s.config], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        for _ in range(30):
            if process.poll() is not None:
                break
            attack()
            time.sleep(1)
        out, err = process.communicate(timeout=60)
    want(process.returncode == OK and len(out.splitlines()) == 2, "%r %r", out, err)
    want(json.loads(out.splitlines()[0])["remote"] == "127.0.0.1", "%r", out)
