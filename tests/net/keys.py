#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""keys.py --build FOLDER [--results FILE]: keys and keystores, by commands.

Files only: no daemon, no namespace, any user. `key import` and `key export` with
their passwords from a file and on a terminal, what they refuse, and key files in
every form. Leaves with 1 when a check failed.
"""
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import checks
from cli import FAILED, NOBODY, OK, PERMISSION, USAGE, Stage, want

PASSWORD = 18
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "keystore")
# tests/data/keystore/README.md names the sources.
DEFINITION = ("testpassword", "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b")
ETHERS = ("correct horse battery staple", "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F")
SECRET = 32 * "46"


class Keys(Stage):
    """A folder with password files."""

    def start(self):
        self.password("testpassword", DEFINITION[0] + "\n")
        self.password("horse", ETHERS[0])

    def password(self, name, text, mode=0o600):
        with open(self.path(name), "w", encoding="utf-8", newline="") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def data(self, name, **changes):
        """A keystore of tests/data, its kdfparams changed, in our folder."""
        with open(os.path.join(DATA, name), encoding="utf-8") as f:
            keystore = json.load(f)
        crypto = keystore.get("crypto") or keystore["Crypto"]
        crypto["kdfparams"].update(changes)
        with open(self.path(name), "w", encoding="utf-8") as f:
            json.dump(keystore, f)
        return self.path(name)

    def load(self, status, keystore, password, key, **options):
        """key import with the password from a file"""
        before = os.path.exists(self.path(key))
        text = self.expect(status, "key", "import", keystore, "--out", self.path(key),
                           "--password-file", self.path(password), **options)
        want(status == OK or os.path.exists(self.path(key)) == before,
             "%s: %s was made", keystore, key)
        return text

    def type_in(self, answers, *arguments):
        """Answer each question on a terminal; returns what it shows and the status."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.execv(self.program, [self.program, *arguments])
        shown = b""
        try:
            for question, answer in answers:
                shown += until(terminal, question)
                want(silent(terminal), "the terminal echoes")
                os.write(terminal, answer.encode())
            shown += until(terminal, None)
        finally:
            status = wait(child)
            os.close(terminal)
        return shown.decode().replace("\r\n", "\n"), status


def until(terminal, text):
    """What comes up to this text, or, None, to the end; two minutes at most."""
    shown, end = b"", time.monotonic() + 120
    while text is None or text.encode() not in shown:
        left = end - time.monotonic()
        want(left > 0 and select.select([terminal], [], [], left)[0], "%r: no %r", shown,
             text)
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # Linux says so when the last writer has closed
            chunk = b""
        if not chunk:
            want(text is None, "%r: ended without %r", shown, text)
            break
        shown += chunk
    return shown


def silent(terminal):
    """Whether echo goes off within 30 s: it does right after the question."""
    for _ in range(3000):
        if not termios.tcgetattr(terminal)[3] & termios.ECHO:
            return True
        time.sleep(0.01)
    return False


def wait(child):
    """Its wait status; killed when it does not end."""
    for _ in range(12000):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def vectors(s):
    """key import: the definition's own vectors and a file of ethers"""
    for name, (_, address), password in (("definition-scrypt.json", DEFINITION, "testpassword"),
                                         ("definition-pbkdf2.json", DEFINITION, "testpassword"),
                                         ("ethers.json", ETHERS, "horse")):
        out = name + ".key"
        made = s.load(OK, s.data(name), password, out)
        want(made.strip() == address, "%r is not %r", made, address)
        want(os.stat(s.path(out)).st_mode & 0o7777 == 0o600, "mode of %s", out)
        want(s.expect(OK, "key", "address", s.path(out)).strip() == address, "%s", out)
    with open(s.path("ethers.json.key"), encoding="ascii") as f:
        want(f.read() == SECRET + "\n", "another key")
    answer = s.parse(OK, "key", "import", s.path("ethers.json"), "--out",
                     s.path("again.key"), "--password-file", s.path("horse"))
    want(answer == {"address": ETHERS[1], "file": s.path("again.key")}, "%r", answer)


def wrong(s):
    """key import: a wrong password has its own exit code and makes nothing"""
    keystore = s.data("ethers.json")
    for text in ("", "Correct horse battery staple\n", ETHERS[0] + " \n"):
        s.password("wrong", text)
        s.load(PASSWORD, keystore, "wrong", "no.key",
               err=["ethers.json: the password is wrong"])
    s.password("dos", ETHERS[0] + "\r\n")
    s.load(OK, keystore, "dos", "dos.key")


def password_files(s):
    """--password-file: mode, form, a pipe"""
    keystore = s.data("ethers.json")
    s.password("open", ETHERS[0], 0o644)
    s.load(PERMISSION, keystore, "open", "no.key", err=["others can read", "chmod 600"])
    s.password("two", ETHERS[0] + "\nmore\n")
    s.load(FAILED, keystore, "two", "no.key", err=["one line of at most 1024 bytes"])
    s.password("long", 1025 * "x")
    s.load(FAILED, keystore, "long", "no.key", err=["one line of at most 1024 bytes"])
    s.load(FAILED, keystore, "none", "no.key", err=["none: No such"])
    reading, writing = os.pipe()
    os.write(writing, ETHERS[0].encode() + b"\n")
    os.close(writing)
    s.expect(OK, "key", "import", keystore, "--out", s.path("pipe.key"), "--password-file",
             "/dev/fd/%d" % reading, pass_fds=[reading])
    os.close(reading)


def keystores(s):
    """key import: what is no keystore, or wants too much memory"""
    for name, text, due in (("empty", "", "not JSON"), ("list", "[]", "version 3"),
                            ("old", "{\"version\": 1}", "version 3"),
                            ("bare", "{\"version\": 3}", "crypto is missing")):
        s.load(FAILED, s.password(name, text), "horse", "no.key", err=[name, due])
    s.load(FAILED, s.data("ethers.json", n=1 << 30), "horse", "no.key",
           err=["more than 512 MiB"])
    s.load(FAILED, s.data("ethers.json", p=1024), "horse", "no.key", err=["more time"])
    s.load(FAILED, s.data("definition-pbkdf2.json", c=1 << 30), "testpassword", "no.key",
           err=["c is missing or not a number of 1 to 10000000"])
    s.load(FAILED, s.path("nothing.json"), "horse", "no.key", err=["No such"])
    keystore = s.data("ethers.json")
    os.chmod(keystore, 0o600)
    s.expect(FAILED, "key", "address", keystore, err=["sipchain key import"])


def arguments(s):
    """4: a file may not be used; 1: --out is there; 2: something is not said"""
    keystore = s.data("ethers.json")
    s.expect(USAGE, "key", "import", keystore, err=["--out FILE"])
    s.expect(USAGE, "key", "export", "--out", s.path("x.json"), err=["--key FILE"])
    s.expect(USAGE, "key", "export", "--key", s.path("again.key"), err=["--out FILE"])
    s.load(FAILED, keystore, "horse", "again.key", err=["again.key", "not overwritten"])
    s.load(FAILED, keystore, "horse", "none/new.key", err=["No such"])
    for line in (("import", keystore, "--out", s.path("no.key")),
                 ("export", "--key", s.path("again.key"), "--out", s.path("no.json"))):
        s.expect(USAGE, "key", *line, err=["--password-file FILE"], start_new_session=True)
    want(not os.path.exists(s.path("no.key")), "no.key was made")
    if os.geteuid() != 0:
        return None
    other = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        subprocess.run(["true"], check=True, **other)
    except (OSError, subprocess.SubprocessError):
        return "only one uid is mapped here"
    os.chmod(keystore, 0o600)
    s.load(PERMISSION, keystore, "horse", "no.key", err=["ermission denied"], **other)
    os.chmod(keystore, 0o644)
    s.load(PERMISSION, keystore, "horse", "no.key", err=["horse", "ermission denied"],
           **other)
    return None


def export(s):
    """key export: a keystore that imports again, and holds no open secret"""
    s.expect(OK, "key", "export", "--key", s.path("again.key"), "--out", s.path("out.json"),
             "--password-file", s.path("horse"), out=[ETHERS[1]])
    want(os.stat(s.path("out.json")).st_mode & 0o7777 == 0o600, "mode of out.json")
    with open(s.path("out.json"), encoding="ascii") as f:
        text = f.read()
    made = json.loads(text)
    params = made["crypto"]["kdfparams"]
    want(made["version"] == 3 and made["address"] == ETHERS[1][2:].lower(), "%r", made)
    want((params["n"], params["r"], params["p"]) == (262144, 8, 1), "%r", params)
    want(SECRET not in text and ETHERS[0] not in text, "a secret is open")
    s.load(OK, s.path("out.json"), "horse", "back.key", out=[ETHERS[1]])
    with open(s.path("back.key"), encoding="ascii") as f:
        want(f.read() == SECRET + "\n", "another key came back")
    s.load(PASSWORD, s.path("out.json"), "testpassword", "no.key")
    s.expect(FAILED, "key", "export", "--key", s.path("again.key"), "--out",
             s.path("out.json"), "--password-file", s.path("horse"), err=["not overwritten"])
    s.expect(OK, "key", "export", "--key", s.path("again.key"), "--out",
             s.path("second.json"), "--password-file", s.path("horse"))
    with open(s.path("second.json"), encoding="ascii") as f:
        second = json.load(f)
    want(second["crypto"]["ciphertext"] != made["crypto"]["ciphertext"]
         and second["id"] != made["id"], "two exports with one salt")
    s.password("empty", "\n")
    s.expect(USAGE, "key", "export", "--key", s.path("again.key"), "--out",
             s.path("no.json"), "--password-file", s.path("empty"), err=["empty password"])
    want(not os.path.exists(s.path("no.json")), "no.json was made")


def terminal(s):
    """on a terminal: asked without echo, twice for export"""
    keystore = s.data("ethers.json")
    shown, status = s.type_in([("password: ", ETHERS[0] + "\n")], "key", "import", keystore,
                              "--out", "typed.key")
    want(os.WEXITSTATUS(status) == OK and ETHERS[1] in shown, "%r", shown)
    want(ETHERS[0] not in shown, "the password is shown: %r", shown)
    shown, status = s.type_in([("password: ", "horse\n")], "key", "import", keystore,
                              "--out", "no.key")
    want(os.WEXITSTATUS(status) == PASSWORD and "password is wrong" in shown, "%r", shown)
    line = ("key", "export", "--key", "again.key", "--out", "typed.json")
    shown, status = s.type_in([("keystore: ", "one\n"), ("again: ", "two\n")], *line)
    want(os.WEXITSTATUS(status) == FAILED and "differ" in shown, "%r", shown)
    want(not os.path.exists(s.path("typed.json")), "typed.json was made")
    shown, status = s.type_in([("keystore: ", "one\n"), ("again: ", "one\n")], *line)
    want(os.WEXITSTATUS(status) == OK and "one\n" not in shown, "%r", shown)
    s.password("one", "one\n")
    s.load(OK, s.path("typed.json"), "one", "typed-back.key", out=[ETHERS[1]])


def interrupted(s):
    """^C at the question ends it, and the terminal echoes again"""
    child, master = pty.fork()
    if child == 0:
        # A shell between them: it holds the terminal when sipchain is gone.
        os.chdir(s.folder)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job begins without it
        os.execv("/bin/sh", ["sh", "-c", "trap : INT; %s key import ethers.json --out "
                             "no.key; echo left with $?; read line" % s.program])
    try:
        until(master, "password: ")
        want(silent(master), "the terminal echoes")
        os.write(master, b"\x03")
        until(master, "left with 130")
        want(termios.tcgetattr(master)[3] & termios.ECHO, "the terminal stays silent")
        os.write(master, b"\n")
        until(master, None)
    finally:
        wait(child)
        os.close(master)
    want(not os.path.exists(s.path("no.key")), "no.key was made")


def forms(s):
    """a key file: 32 bytes, 64 digits, a systemd credential"""
    credentials = s.path("credentials")
    os.mkdir(credentials, 0o700)
    for name, content in (("raw.key", bytes.fromhex(SECRET)), ("hex.key", SECRET.encode()),
                          ("line.key", SECRET.encode() + b"\n")):
        for folder, mode in ((s.folder, 0o600), (credentials, 0o440)):
            path = os.path.join(folder, name)
            with open(path, "wb") as f:
                f.write(content)
            os.chmod(path, mode)
        s.expect(OK, "key", "address", s.path(name), out=[ETHERS[1]])
        s.expect(OK, "key", "address", "credential:" + name, out=[ETHERS[1]],
                 env={"CREDENTIALS_DIRECTORY": credentials})
    os.chmod(s.path("raw.key"), 0o440)
    s.expect(FAILED, "key", "address", s.path("raw.key"), err=["others can read"])
    os.chmod(os.path.join(credentials, "raw.key"), 0o444)
    s.expect(FAILED, "key", "address", "credential:raw.key", err=["others can read"],
             env={"CREDENTIALS_DIRECTORY": credentials})
    for name in ("", "../raw.key", ".", "a/b"):
        s.expect(FAILED, "key", "address", "credential:" + name,
                 err=["a credential's name is a file name"],
                 env={"CREDENTIALS_DIRECTORY": credentials})
    s.expect(FAILED, "key", "address", "credential:raw.key", err=["LoadCredential"], env={})
    s.expect(FAILED, "key", "address", "credential:none.key", err=["none.key: No such"],
             env={"CREDENTIALS_DIRECTORY": credentials})


CHECKS = (vectors, wrong, password_files, keystores, arguments, export, terminal,
          interrupted, forms)


if __name__ == "__main__":
    checks.main(checks.options(checks.parser(__doc__)), Keys, CHECKS, "keys")
