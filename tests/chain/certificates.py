# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of one's own, by openssl(1): good, expired, misnamed."""
import os
import ssl
import subprocess

CONFIGURATION = """\
[ca]
default_ca = default
[default]
new_certs_dir = {folder}
database = {folder}/index
serial = {folder}/serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


def _openssl(*arguments):
    result = subprocess.run(["openssl", *arguments], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, check=False)
    if result.returncode:
        raise RuntimeError("openssl %s: %s" % (arguments[0], result.stderr.strip()[-500:]))


class Certificate:
    """Paths of a certificate and its key."""

    def __init__(self, path, key):
        self.path = path
        self.key = key

    def context(self):
        """For a server that shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self.key)
        return context


class Authority:
    """Signs what it is asked to. `path` is what a client has to trust."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.path = folder + "/ca.pem"
        self._key = folder + "/ca.key"
        self._configuration = folder + "/ca.cnf"
        with open(self._configuration, "w", encoding="ascii") as f:
            f.write(CONFIGURATION.format(folder=folder))
        for name, text in (("index", ""), ("serial", "01\n")):
            with open(folder + "/" + name, "w", encoding="ascii") as f:
                f.write(text)
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-subj", "/CN=SIPchain test authority", "-days", "30",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                 "-keyout", self._key, "-out", self.path)

    def issue(self, name, names=("IP:127.0.0.1", "DNS:localhost"), start=None, end=None):
        """A certificate for these names.

        start, end   such as "20200101000000Z"; default: now, in 30 days
        """
        path, key, request = ("%s/%s.%s" % (self.folder, name, kind)
                              for kind in ("pem", "key", "csr"))
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-subj", "/CN=" + name, "-keyout", key, "-out", request,
                 "-addext", "subjectAltName=" + ",".join(names))
        span = ["-startdate", start] if start else []
        span += ["-enddate", end] if end else ["-days", "30"]
        _openssl("ca", "-batch", "-notext", "-config", self._configuration, "-cert",
                 self.path, "-keyfile", self._key, "-in", request, "-out", path, *span)
        return Certificate(path, key)

    def expired(self, name="expired"):
        return self.issue(name, start="20200101000000Z", end="20200201000000Z")

    def misnamed(self, name="misnamed"):
        return self.issue(name, names=("DNS:other.example",))

    def context(self):
        """For a client that trusts this authority alone."""
        return ssl.create_default_context(cafile=self.path)
