# SPDX-License-Identifier: Apache-2.0
"""An Asterisk 22 that a connector writes into, with the shipped check of numbers."""
import os
import secrets

import asterisk

INCLUDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packaging",
                       "asterisk", "sipchain.conf")
USER = "sipchain"  # of its manager

MANAGER_CONF = """\
[general]
enabled = yes
port = 5038
bindaddr = 127.0.0.1
displayconnects = no
[%s]
secret = %s
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.1/255.255.255.255
read = user,system
write = system
[reader]
secret = %s
read = user,system
write =
"""

# What stands behind the check answers: that is how far a call came.
DIALPLAN = """\
[globals]
SIPCHAIN_CC=44
SIPCHAIN_NATIONAL=10
[internal]
exten => _1XX,1,Dial(PJSIP/${EXTEN},20)
exten => %s,1,Answer()
 same => n,Echo()
exten => _9.,1,Gosub(sipchain-check,s,1(${EXTEN:1}))
 same => n,Answer()
 same => n,Echo()
; measured: with the check and without
exten => _555X.,1,Gosub(sipchain-check,s,1(${EXTEN:3}))
 same => n,Hangup(17)
exten => _556X.,1,Hangup(17)
#include "sipchain.conf"
""" % asterisk.ECHO


class Asterisk(asterisk.Asterisk):
    """An Asterisk with a manager, and the check before each call that goes out."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.secret = secrets.token_urlsafe(18)

    def _configure(self):
        super()._configure()
        with open(INCLUDE, encoding="ascii") as f:
            include = f.read()
        for name, text in (("manager.conf", MANAGER_CONF % (USER, self.secret, self.secret)),
                           ("extensions.conf", DIALPLAN), ("sipchain.conf", include)):
            with open(self.run + "/etc/" + name, "w", encoding="ascii") as f:
                f.write(text)

    def entries(self):
        """{digits: value} of what stands in AstDB."""
        text = self.console("database show sipchain")
        return {key.split("/")[-1].strip(): value.strip() for key, value in (
            line.split(":", 1) for line in text.splitlines() if "/sipchain/num/" in line)}

    def lose(self):
        """Its database goes, as with the disk it stood on."""
        for name in os.listdir(self.run + "/lib"):
            if name.startswith("astdb"):
                os.remove(self.run + "/lib/" + name)
