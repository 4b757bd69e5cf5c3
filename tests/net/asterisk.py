# SPDX-License-Identifier: Apache-2.0
"""One Asterisk 22, with its own configuration and run folder, in a namespace."""
import glob
import os
import secrets
import subprocess
import time

import topology

EXTENSIONS = [str(n) for n in range(101, 111)]
ECHO = "600"  # answers and echoes: a call that needs no second phone

# Order matters to Asterisk's loader only by dependency; chan_pjsip needs
# res_pjsip_pubsub although nothing here subscribes.
MODULES = """
res_timing_timerfd res_sorcery_config res_sorcery_memory res_sorcery_astdb
res_pjproject res_rtp_asterisk res_security_log res_pjsip res_pjsip_pubsub
res_pjsip_session res_pjsip_logger res_pjsip_acl res_pjsip_authenticator_digest
res_pjsip_endpoint_identifier_user res_pjsip_endpoint_identifier_ip
res_pjsip_registrar res_pjsip_sdp_rtp res_pjsip_caller_id res_pjsip_nat
res_pjsip_rfc3326 chan_pjsip pbx_config codec_ulaw codec_alaw format_pcm
bridge_simple bridge_native_rtp app_dial app_stack app_verbose app_echo app_exec
app_userevent app_db func_db func_cut func_callerid func_logic func_strings
func_channel func_timeout func_pjsip_endpoint res_hep res_hep_pjsip
""".split()

CONFIGURATION = {
    "asterisk.conf": """\
[directories]
astetcdir => {run}/etc
astmoddir => {modules}
astvarlibdir => {run}/lib
astdbdir => {run}/lib
astkeydir => {run}/lib
astdatadir => {tree}/usr/share/asterisk
astagidir => {tree}/usr/share/asterisk/agi-bin
astspooldir => {run}/spool
astrundir => {run}/run
astlogdir => {run}/log
astcachedir => {run}/cache
[options]
verbose = 3
documentation_language = en_US
""",
    "logger.conf": """\
[general]
dateformat=%FT%T.%3q%z
[logfiles]
; one JSON object a line, with line breaks in foreign text escaped
security.json => [json]security
; for people: holds lines that attackers wrote
messages.log => notice,warning,error
""",
    "hep.conf": """\
[general]
enabled = yes
capture_address = 127.0.0.1:9060
capture_password = {hep}
capture_id = {number}
uuid_type = call-id
""",
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=10200\n",
    "extensions.conf": """\
[internal]
exten => _1XX,1,Dial(PJSIP/${{EXTEN}},20)
exten => %s,1,Answer()
 same => n,Echo()
""" % ECHO,
    "pjsip.conf": """\
[global]
type=global
user_agent=Asterisk PBX

[udp]
type=transport
protocol=udp
bind={address}:5060

[tcp]
type=transport
protocol=tcp
bind={address}:5060
{extensions}""",
}

EXTENSION = """
[{name}]
type=endpoint
context=internal
disallow=all
allow=ulaw,alaw
direct_media=no
rtp_symmetric=yes
force_rport=yes
rewrite_contact=yes
auth={name}
aors={name}
[{name}]
type=auth
auth_type=userpass
username={name}
password={password}
[{name}]
type=aor
max_contacts=2
remove_existing=yes
"""


class Asterisk:
    """start() it, talk SIP to it, stop() it. Passwords are new in every run."""

    def __init__(self, tree, namespace, number, directory):
        self.tree = tree
        self.namespace = namespace
        self.number = number
        self.run = directory
        self.hep_password = secrets.token_hex(8)
        self.passwords = {name: secrets.token_urlsafe(12) for name in EXTENSIONS}
        self.security_log = self.run + "/log/security.json"
        self.messages_log = self.run + "/log/messages.log"
        self.process = None

    def _command(self, *arguments):
        """Through the tree's own loader: its C library is newer than ours."""
        loader = glob.glob(self.tree + "/usr/lib*/ld-linux*.so*")[0]
        library = glob.glob(self.tree + "/usr/lib/*-linux-gnu")[0]
        return [loader, "--library-path", library, self.tree + "/usr/sbin/asterisk",
                "-C", self.run + "/etc/asterisk.conf"] + list(arguments)

    def _configure(self):
        for folder in ("etc", "lib", "log", "run", "spool", "cache"):
            os.makedirs(self.run + "/" + folder, exist_ok=True)
        values = {
            "run": self.run, "tree": self.tree, "number": 2020 + self.number,
            # Not all addresses: a honeypot or a proxy has another one of this host's.
            "address": topology.NODES[self.namespace[-1]],
            "modules": glob.glob(self.tree + "/usr/lib/*-linux-gnu/asterisk/modules")[0],
            "hep": self.hep_password,
            "extensions": "".join(EXTENSION.format(name=name, password=password)
                                  for name, password in self.passwords.items()),
        }
        for name, text in CONFIGURATION.items():
            with open(self.run + "/etc/" + name, "w", encoding="ascii") as f:
                f.write(text.format(**values))
        with open(self.run + "/etc/modules.conf", "w", encoding="ascii") as f:
            f.write("[modules]\nautoload=no\n")
            f.writelines("load=%s.so\n" % module for module in MODULES)

    def start(self):
        """Start it; wait_booted() tells when it answers."""
        self._configure()
        with open(self.run + "/console", "wb") as console:
            self.process = topology.start(self.namespace, self._command("-f"),
                                          stdout=console, stderr=console)

    def console(self, command):
        """Run one command of its command line; returns the output."""
        return subprocess.run(self._command("-rx", command), capture_output=True,
                              text=True, check=False, stdin=subprocess.DEVNULL).stdout

    def wait_booted(self, seconds=120):
        deadline = time.monotonic() + seconds
        while "fully booted" not in self.console("core waitfullybooted"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.run + "/console", encoding="utf-8",
                          errors="backslashreplace") as f:
                    raise RuntimeError("Asterisk did not start:\n" + f.read()[-2000:])
            time.sleep(0.05)
        # A module that fails to load is only a line in a log to Asterisk.
        loaded = self.console("module show")
        missing = [m for m in MODULES if m + ".so" not in loaded]
        if missing:
            raise RuntimeError("Asterisk did not load " + ", ".join(missing))

    def stop(self):
        """End it, by its own pid."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
