# SPDX-License-Identifier: Apache-2.0
"""Captures of HEP3 packets, read without the programs that are measured."""
import ipaddress
import struct

ETHERNET, RAW, COOKED = 1, 101, 113
SOURCE4, SOURCE6, TARGET4, TARGET6, PAYLOAD = 3, 5, 4, 6, 15


class Broken(Exception):
    """What is wrong with a file, its name left out."""


def packets(data):
    """(header, frame) of each packet of a classic pcap file, little-endian."""
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        if at + 16 + size > len(data):
            return
        yield data[at:at + 16], data[at + 16:at + 16 + size]
        at += 16 + size


def payload_at(data, frame):
    """Where the UDP payload of an IPv4 or IPv6 frame begins, or None."""
    link = struct.unpack_from("<I", data, 20)[0] & 0xffff
    at = {ETHERNET: 14, RAW: 0, COOKED: 16}.get(link)
    if at is None:
        raise Broken(f"link type {link}")
    if frame[at] >> 4 == 4:
        at += (frame[at] & 15) * 4
    elif frame[at] >> 4 == 6:
        at += 40
    else:
        return None
    return at + 8


def chunks(hep):
    """[(type, offset of the value, its length)] of a HEP3 packet."""
    found, at = [], 6
    if hep[:4] != b"HEP3":
        return found
    while at + 6 <= len(hep):
        vendor, kind, size = struct.unpack_from(">HHH", hep, at)
        if size < 6 or at + size > len(hep):
            break
        if not vendor:
            found.append((kind, at + 6, size - 6))
        at += size
    return found


def invited(path):
    """{(source, user part of an INVITE's target)} that the packets of a file show."""
    with open(path, "rb") as f:
        data = f.read()
    found = set()
    for _, frame in packets(data):
        at = payload_at(data, frame)
        if at is None:
            continue
        hep = frame[at:]
        part = {kind: hep[o:o + n] for kind, o, n in chunks(hep)}
        line = part.get(PAYLOAD, b"").split(b"\r\n", 1)[0]
        source = part.get(SOURCE4) or part.get(SOURCE6)
        if not source or not line.startswith(b"INVITE ") or b"@" not in line:
            continue
        user = line.split(b" ")[1].split(b":", 1)[-1].split(b"@")[0].split(b";")[0]
        found.add((ipaddress.ip_address(source), user.decode("utf-8", "replace")))
    return found
