# SPDX-License-Identifier: Apache-2.0
"""Five hosts and a router, each in its own network namespace.

    attacker  198.51.100.10-59 --+
                                 |           +-- sip-a  192.0.2.11, honeypot .21
    customer  203.0.113.10, 20 --+-- router -+-- sip-b  192.0.2.12
              203.0.113.21       |  (bridge) +-- sip-c  192.0.2.13, proxy .23

The addresses are documentation ranges (RFC 5737). The router forwards
whatever source address it is given, as networks without BCP 38 do: that is
what makes SIP over UDP spoofable.

Everything is made inside one private set of namespaces (mount, pid, uts, net
and, without root, user) that enter() moves the program into. The kernel takes
it all down when the last process in it ends, however it ends, and several runs
know nothing of each other.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

ATTACKERS = ["198.51.100.%d" % n for n in range(10, 60)]
CUSTOMER = "203.0.113.10"
NEIGHBOUR = "203.0.113.20"  # a customer in whose name others send
BYSTANDER = "203.0.113.21"  # a customer about whom others forge log lines
TRUNK = "203.0.113.70"      # of the customers' carrier
NODES = {"a": "192.0.2.11", "b": "192.0.2.12", "c": "192.0.2.13"}
HONEYPOT = "192.0.2.21"  # of host a as well
PROXY = "192.0.2.23"     # of host c as well
VALIDATORS = ["198.18.0.%d" % n for n in range(11, 15)]

CLONE_NEWNET = 0x40000000
INSIDE = "SIPCHAIN_TOPOLOGY"

libc = ctypes.CDLL(None, use_errno=True)


class TopologyError(Exception):
    """The namespaces cannot be made; the text says what is missing."""


def enter():
    """Run this program again inside private namespaces; return there.

    The outer process waits and leaves with the inner one's exit status; when
    it is ended, the inner ones end with it.
    """
    if os.environ.get(INSIDE):
        _follow(int(os.environ[INSIDE]))
        _private_mounts()
        return
    for tool in ("unshare", "nsenter", "ip", "nft"):
        if not shutil.which(tool, path=_path()):
            raise TopologyError("%s is not installed" % tool)
    command = ["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork",
               "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command.append("--map-root-user")
    environment = dict(os.environ, PATH=_path())
    probe = subprocess.run(command + ["true"], env=environment, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, check=False)
    if probe.returncode:
        raise TopologyError("cannot make namespaces: %s; as a plain user this needs "
                            "user namespaces (sysctl kernel.unprivileged_userns_clone, "
                            "user.max_user_namespaces), or run as root"
                            % probe.stderr.strip())
    lifeline, held = os.pipe()
    environment[INSIDE] = str(lifeline)
    child = subprocess.Popen(command + [sys.executable] + sys.argv, env=environment,
                             pass_fds=[lifeline])
    os.close(lifeline)
    # Ctrl-C reaches the inner program by the terminal; a SIGTERM comes only
    # here, and `held` is closed by the end of this process, whatever its cause.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    status = child.wait()
    os.close(held)
    sys.exit(status if status >= 0 else 128 - status)


def _follow(lifeline):
    """End with the outer process: the first process's end is the namespaces'."""
    def wait():
        os.read(lifeline, 1)
        os._exit(143)
    os.set_inheritable(lifeline, False)
    threading.Thread(target=wait, daemon=True).start()


def _path():
    """PATH with the system folders: ip and nft are not on a plain user's."""
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"


def _mount(*arguments):
    run("mount", *arguments)


def _private_mounts():
    """A /run of our own (`ip netns` keeps its names there), no DNS."""
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    os.makedirs("/run/netns")
    # Asterisk looks its own host name up at start: a resolver that cannot
    # answer would hold it up for seconds.
    for name, text in (("hosts", "127.0.0.1 localhost\n"), ("resolv.conf", "")):
        path = "/run/" + name
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        if os.path.exists("/etc/" + name):
            _mount("--bind", path, os.path.realpath("/etc/" + name))
    run("hostname", "localhost")


def run(*command, namespace=None, check=True, **options):
    """Run a command, in a namespace of the topology when one is named."""
    if namespace:
        command = ("nsenter", "--net=/run/netns/" + namespace, "--") + command
    result = subprocess.run(command, capture_output=True, text=True, check=False,
                            stdin=subprocess.DEVNULL, **options)
    if check and result.returncode:
        raise TopologyError("%s: %s" % (" ".join(command), result.stderr.strip()
                                        or "exit status %d" % result.returncode))
    return result


def start(namespace, command, **options):
    """Start a process in a namespace; the caller waits for it."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(["nsenter", "--net=/run/netns/" + namespace, "--"]
                            + list(command), **options)


@contextlib.contextmanager
def inside(namespace):
    """Sockets made in this block belong to the namespace, for good.

    setns(2) moves the calling thread only, so threads do not disturb each
    other.
    """
    with open("/proc/thread-self/ns/net", "rb") as home, \
            open("/run/netns/" + namespace, "rb") as there:
        _setns(there.fileno())
        try:
            yield
        finally:
            _setns(home.fileno())


def _setns(fd):
    if libc.setns(fd, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise TopologyError("setns: " + os.strerror(number))


def _sysctl(namespace, name, value):
    """Set what can be set: a container may show /proc/sys read-only."""
    run("sh", "-c", "echo %s > /proc/sys/net/%s" % (value, name.replace(".", "/")),
        namespace=namespace, check=False)


def _host(name, addresses, gateway, port):
    """Make a host with eth0, joined to `port` of the router."""
    run("ip", "netns", "add", name)
    run("ip", "link", "add", port, "netns", "router", "type", "veth",
        "peer", "name", "eth0", "netns", name)
    for address in addresses:
        run("ip", "address", "add", address + "/24", "dev", "eth0", namespace=name)
    for link in ("lo", "eth0"):
        run("ip", "link", "set", link, "up", namespace=name)
    run("ip", "route", "add", "default", "via", gateway, namespace=name)
    run("ip", "link", "set", port, "up", namespace="router")
    for kind in ("all", "default", "eth0"):
        _sysctl(name, "ipv4.conf.%s.rp_filter" % kind, 0)


def build(chain=False):
    """Make the namespaces, links, addresses and routes; prove the paths.

    chain: also the host of the validators.
    """
    run("ip", "netns", "add", "router")
    _sysctl("router", "ipv4.ip_forward", 1)
    for kind in ("all", "default"):
        _sysctl("router", "ipv4.conf.%s.rp_filter" % kind, 0)
    run("ip", "link", "set", "lo", "up", namespace="router")
    run("ip", "link", "add", "sip", "type", "bridge", "forward_delay", "0",
        namespace="router")
    run("ip", "address", "add", "192.0.2.1/24", "dev", "sip", namespace="router")
    run("ip", "link", "set", "sip", "up", namespace="router")
    _host("attacker", ATTACKERS, "198.51.100.1", "attacker")
    _host("customer", [CUSTOMER, NEIGHBOUR, BYSTANDER, TRUNK], "203.0.113.1", "customer")
    for port, address in (("attacker", "198.51.100.1"), ("customer", "203.0.113.1")):
        run("ip", "address", "add", address + "/24", "dev", port, namespace="router")
        _sysctl("router", "ipv4.conf.%s.rp_filter" % port, 0)
    more = {"a": [HONEYPOT], "c": [PROXY]}
    for letter, address in NODES.items():
        _host("sip-" + letter, [address, *more.get(letter, [])], "192.0.2.1", "sip-" + letter)
        run("ip", "link", "set", "sip-" + letter, "master", "sip", namespace="router")
    for host in ("attacker", "customer"):
        for address in NODES.values():
            _reachable(host, address)
    if chain:
        _host("chain", VALIDATORS, "198.18.0.1", "chain")
        run("ip", "address", "add", "198.18.0.1/24", "dev", "chain", namespace="router")
        _sysctl("router", "ipv4.conf.chain.rp_filter", 0)
        for letter in NODES:
            for address in VALIDATORS:
                _reachable("sip-" + letter, address)


def _reachable(host, address):
    """A TCP connection refused is an answer; anything else is a broken path."""
    with inside(host):
        s = socket.socket()
    s.settimeout(20)
    try:
        s.connect((address, 9))
    except ConnectionRefusedError:
        return
    except OSError as error:
        raise TopologyError("%s cannot reach %s: %s" % (host, address, error)) from error
    finally:
        s.close()


def main():
    """topology.py [command...]: build it, run a command (or a shell) inside."""
    enter()
    build()
    command = sys.argv[1:] or [os.environ.get("SHELL", "/bin/sh")]
    sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    try:
        main()
    except TopologyError as error:
        sys.exit("topology: %s" % error)
