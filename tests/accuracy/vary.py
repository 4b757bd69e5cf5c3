#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The corpora as they might have been: other addresses and times, packets lost or
doubled, one direction only, several customers behind one address, victims of
forgery who are customers. Each variation is a corpus of its own; of none of them
may an innocent be published or banned, and what changes no fact changes no verdict.

  vary.py --replay PROGRAM [--corpus DIR] [--show]
"""
import argparse
import datetime
import ipaddress
import json
import os
import random
import re
import struct
import sys
import tempfile

sys.dont_write_bytecode = True
import accuracy
import capture

LOGS = ("security.json", "security.log", "stock.log", "ami.log", "kamailio.log")
STAMP = re.compile(rb"(\d{4})-(\d\d)-(\d\d)([ T])(\d\d):(\d\d):(\d\d)")
SYSLOG = re.compile(rb"(?m)^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d")
VERDICTS = ("published_right", "banned_right", "published_missed", "banned_missed")


class Case:
    """Its packets [(time in us, {chunk: bytes})], logs {name: bytes} and truth rows."""

    def __init__(self, folder=None):
        self.packets, self.logs, self.rows = [], {}, []
        if not folder:
            return
        for name in LOGS:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path, "rb") as f:
                    self.logs[name] = f.read()
        with open(os.path.join(folder, "truth.jsonl"), encoding="utf-8") as f:
            self.rows = [json.loads(line) for line in f if line.strip()]
        if os.path.exists(os.path.join(folder, "hep.pcap")):
            with open(os.path.join(folder, "hep.pcap"), "rb") as f:
                self.read(f.read())

    def read(self, data):
        for head, frame in capture.packets(data):
            at = capture.payload_at(data, frame)
            sec, usec = struct.unpack_from("<II", head)
            hep = frame[at:]
            self.packets.append((sec * 1000000 + usec, [
                (kind, hep[o:o + n]) for kind, o, n in capture.chunks(hep)]))

    def write(self, folder):
        os.makedirs(folder)
        for name, text in self.logs.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(text)
        with open(os.path.join(folder, "truth.jsonl"), "w", encoding="utf-8") as f:
            f.writelines(json.dumps(row) + "\n" for row in self.rows)
        if not self.packets:
            return
        with open(os.path.join(folder, "hep.pcap"), "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, capture.RAW))
            for time, chunks in self.packets:
                f.write(frame(time, chunks))

    def copy(self):
        c = Case()
        c.packets, c.logs = list(self.packets), dict(self.logs)
        c.rows = [dict(row) for row in self.rows]
        return c

    def source(self, i):
        """Who sent packet i, as an address."""
        part = dict(self.packets[i][1])
        return ipaddress.ip_address(part.get(capture.SOURCE4) or part[capture.SOURCE6])


def frame(time, chunks):
    """A packet of a raw IP capture: IPv4, UDP, HEP3."""
    body = b"".join(struct.pack(">HHH", 0, kind, len(v) + 6) + v for kind, v in chunks)
    hep = b"HEP3" + struct.pack(">H", len(body) + 6) + body
    udp = struct.pack(">HHHH", 9060, 9060, len(hep) + 8, 0) + hep
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, len(udp) + 20, 0, 0, 64, 17, 0,
                     bytes([127, 0, 0, 1]), bytes([127, 0, 0, 1])) + udp
    return struct.pack("<IIII", time // 1000000, time % 1000000, len(ip), len(ip)) + ip


# --- changes of a case

def rename(case, names):
    """Addresses by other ones ({text: text}), wherever they stand."""
    names = {a: b for a, b in names.items() if a != b}
    texts = {a.encode(): b.encode() for a, b in names.items()}
    raw = {ipaddress.ip_address(a).packed: ipaddress.ip_address(b).packed
           for a, b in names.items()}
    if not names:
        return case
    find = re.compile(rb"(?<![0-9a-fA-F.:])(?:" + b"|".join(
        re.escape(t) for t in sorted(texts, key=len, reverse=True)) +
        rb")(?![0-9a-fA-F]|\.\d|:[0-9a-fA-F]*:)")

    def text(t):
        return find.sub(lambda m: texts[m.group()], t)

    def payload(p):
        head, gap, body = p.partition(b"\r\n\r\n")
        new = text(body)
        if len(new) != len(body):
            head = re.sub(rb"(?i)(\r\nContent-Length: *)%d(?=\r\n|$)" % len(body),
                          rb"\g<1>%d" % len(new), head)
        return text(head) + gap + new

    address = (capture.SOURCE4, capture.SOURCE6, capture.TARGET4, capture.TARGET6)
    case.packets = [(t, [(k, raw.get(v, v) if k in address else
                          payload(v) if k == capture.PAYLOAD else v) for k, v in chunks])
                    for t, chunks in case.packets]
    case.logs = {n: text(t) for n, t in case.logs.items()}
    for row in case.rows:
        row["src"] = names.get(row["src"], row["src"])
    return case


def shift(case, seconds):
    def later(m):
        y, mo, d, gap, h, mi, s = m.groups()
        t = datetime.datetime(*map(int, (y, mo, d, h, mi, s)))
        t += datetime.timedelta(seconds=seconds)
        return t.strftime("%Y-%m-%d{}%H:%M:%S".format(gap.decode())).encode()

    def later_syslog(m):  # which names no year
        t = datetime.datetime.strptime("2000 " + m.group().decode(), "%Y %b %d %H:%M:%S")
        t += datetime.timedelta(seconds=seconds)
        return t.strftime("%b %e %H:%M:%S").encode()

    case.packets = [(t + seconds * 1000000, c) for t, c in case.packets]
    case.logs = {n: SYSLOG.sub(later_syslog, STAMP.sub(later, t))
                 for n, t in case.logs.items()}
    return case


def begin(case):
    """The first second of its attack."""
    return case.packets[0][0] // 1000000


def units(name, text):
    """A log's entries: messages of AMI's stream, lines of others."""
    end = b"\r\n\r\n" if name == "ami.log" else b"\n"
    return [u + end for u in text.split(end)[:-1]]


def merged(a, b):
    """Both at once: b's first packet comes when a's does."""
    b = shift(b, begin(a) - begin(b))
    both = Case()
    both.packets = sorted(a.packets + b.packets, key=lambda p: p[0])
    both.rows = a.rows + [r for r in b.rows if r["src"] not in {x["src"] for x in a.rows}]
    for name in sorted(set(a.logs) | set(b.logs)):
        entries, last = [], b""
        for text in (a.logs.get(name, b""), b.logs.get(name, b"")):
            for unit in units(name, text):
                stamp = STAMP.search(unit)
                last = stamp.group().replace(b"T", b" ") if stamp else last
                entries.append((last, len(entries), unit))
        both.logs[name] = b"".join(u for _, _, u in sorted(entries))
    return both


def part(case, keep):
    """Those packets, and the same part of each log, by place: keep(i, n)."""
    n = len(case.packets)
    case.packets = [p for i, p in enumerate(case.packets) if keep(i, n)]
    for name, text in case.logs.items():
        all_units = units(name, text)
        case.logs[name] = b"".join(
            u for i, u in enumerate(all_units) if keep(i, len(all_units)))
    return case


def one_address(case, address):
    """All its innocents behind one address (NAT)."""
    inside = [r for r in case.rows if r["role"] == "legit" and r["should_ban"] is False
              and ":" not in r["src"]]
    row = dict(inside[0], src=address, kind="nat", dialed=sum(
        (r.get("dialed") or [] for r in inside), []))
    case = rename(case, {r["src"]: address for r in inside})
    case.rows = [r for r in case.rows if r["src"] != address] + [row]
    return case


# --- variations

def others(case):
    """Addresses of other lengths for everybody."""
    names, n = {}, 0
    found = {r["src"] for r in case.rows}
    for i in range(len(case.packets)):
        found.add(str(case.source(i)))
    for src in sorted(found):
        n += 1
        names[src] = f"2001:db8:77:{n:x}::9" if ":" in src else f"203.0.113.{n}"
    return rename(case, names)


def whole(change):
    """A variation that changes each case by itself."""
    return lambda cases, seed: {key: change(c.copy(), random.Random(f"{seed}{key}"))
                                for key, c in cases.items()}


def doubled(case, _):
    case.packets = [p for t, c in case.packets for p in ((t, c), (t + 700, c))]
    return case


def jumbled(case, rng):
    case.packets = sorted(((t + rng.randrange(1000), c) for t, c in case.packets),
                          key=lambda p: p[0])
    return case


def one_way(answers):
    def change(case, _):
        # The PBX is who answers.
        case.packets = [p for p in case.packets
                        if dict(p[1])[capture.PAYLOAD].startswith(b"SIP/2.0 ") == answers]
        return case
    return change


def interleaved(cases, _):
    """Each case at the same time as the next one, which has other addresses."""
    found = {}
    for pbx in ("asterisk", "kamailio"):
        keys = [k for k in sorted(cases) if k[0] == pbx and cases[k].packets]
        for i, key in enumerate(keys):
            other = cases[keys[(i + 1) % len(keys)]].copy()
            found[pbx, f"{key[1]}+distributed" if "distributed" in keys[(i + 1) % len(keys)][1]
                  else key[1]] = merged(cases[key].copy(), rename(other, {
                      r["src"]: r["src"].replace("198.51.100.", "198.18.7.").replace(
                          "192.0.2.", "198.19.7.").replace("2001:db8:a:", "2001:db8:c:")
                      for r in other.rows}))
    return found


def nat(cases, _):
    return {key: one_address(c.copy(), "192.0.2.200") for key, c in cases.items()
            if sum(r["role"] == "legit" and r["should_ban"] is False and ":" not in r["src"]
                   for r in c.rows) > 1}


def customers_forged(cases, _):
    """Those whose addresses are forged are customers, who register meanwhile."""
    found = {}
    for attack, legit in ((("asterisk", "13_spoofed_udp"), ("asterisk", "11_legit_only")),
                          (("asterisk", "19_mixed"), ("asterisk", "11_legit_only")),
                          (("kamailio", "05_spoof"), ("kamailio", "06_legit"))):
        if attack not in cases or legit not in cases:
            continue
        victims = [r["src"] for r in cases[attack].rows if r["role"] == "spoofed_victim"]
        for turn in range(2):
            customers = [r["src"] for r in cases[legit].rows if r["should_ban"] is False]
            names = dict(zip(customers[turn:] + customers[:turn], victims))
            both = merged(cases[attack].copy(), rename(cases[legit].copy(), names))
            found[attack[0], f"{attack[1]}_{turn}"] = both
    return found


# name, the variation, whether no verdict may change.
VARIATIONS = (
    ("other addresses", whole(lambda c, _: others(c)), True),
    ("seven hours later", whole(lambda c, _: shift(c, 7 * 3600)), True),
    ("every packet twice", whole(doubled), True),
    ("packets out of order", whole(jumbled), False),
    ("a fifth is lost", whole(lambda c, rng: part(c, lambda i, n: rng.random() > .2)), False),
    ("the first half", whole(lambda c, _: part(c, lambda i, n: i < n // 2)), False),
    ("the second half", whole(lambda c, _: part(c, lambda i, n: i >= n // 2)), False),
    ("requests only", whole(one_way(False)), False),
    ("answers only", whole(one_way(True)), False),
    ("two cases at once", interleaved, False),
    ("customers behind one address", nat, False),
    ("forged customers", customers_forged, False),
)


def read(corpus):
    return {(pbx, name): Case(os.path.join(corpus, pbx, name))
            for pbx in ("asterisk", "kamailio")
            for name in sorted(os.listdir(os.path.join(corpus, pbx)))}


def replayed(program, cases):
    with tempfile.TemporaryDirectory() as folder:
        for (pbx, name), case in cases.items():
            case.write(os.path.join(folder, pbx, name))
        sets, _, errors = accuracy.replay(program, folder)
    if errors:
        raise SystemExit("\n".join(errors))
    return sets


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--replay", required=True)
    parser.add_argument("--corpus", default=accuracy.CORPUS)
    parser.add_argument("--show", action="store_true")
    a = parser.parse_args()
    cases, failures = read(a.corpus), []
    plain = {name: accuracy.totals(t)
             for name, t in replayed(a.replay, {k: c.copy() for k, c in cases.items()}).items()}
    rows = [("variation", "set", "published", "wrong", "missed", "banned", "wrong", "missed")]
    for title, vary, same in VARIATIONS:
        for name, tallies in replayed(a.replay, vary(cases, title)).items():
            total = accuracy.totals(tallies)
            rows.append((title, name, total["published_right"], total["published_wrong"],
                         total["published_missed"], total["banned_right"],
                         total["banned_wrong"], total["banned_missed"]))
            found = [d for _, t in tallies for d in t.deviations
                     if not accuracy.is_excusable(d) or "not to be shared" in d]
            failures += [f"{title}: {name}: {d}" for d in found]
            failures += [f"{title}: {name}: {v} {total[v]}, not {plain[name][v]}"
                         for v in VERDICTS if same and total[v] != plain[name][v]]
            if a.show:
                rows += [(f"  {d}", *[""] * 7) for _, t in tallies for d in t.deviations]
    accuracy.table(rows)
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"varied: {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
