#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py OUT NAME=FILE ...: C arrays of the bytes that hex files spell;
embed.py OUT NAME@FILE ...: of the bytes of the files themselves.

The contract's code, which contracts/build.sh made, and the rules of the detector
become part of the programs: they need no other file.
"""
import sys


def array(argument):
    if "@" in argument:
        name, path = argument.split("@", 1)
        with open(path, "rb") as f:
            code = f.read()
    else:
        name, path = argument.split("=", 1)
        with open(path, encoding="ascii") as f:
            text = f.read().strip()
        code = bytes.fromhex(text[2:] if text.startswith("0x") else text)
    if not code:
        sys.exit("%s: empty" % path)
    lines = ["\t" + ", ".join("0x%02x" % b for b in code[i:i + 12]) + ","
             for i in range(0, len(code), 12)]
    return "static const unsigned char %s[%d] = {\n%s\n};\n" % (
        name, len(code), "\n".join(lines))


def main():
    out, arrays = sys.argv[1], sys.argv[2:]
    parts = [array(a) for a in arrays]
    with open(out, "w", encoding="ascii") as f:
        f.write("/* Made by scripts/embed.py. */\n" + "\n".join(parts))


main()
