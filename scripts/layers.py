#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""layers.py [SRC]: each folder of src/ includes only folders above it.

The order is the design's; a folder may include itself. Prints every breach
as file:line and leaves with 1 when there is one.
"""
import pathlib
import re
import sys

ORDER = ["base", "indicator", "sip", "sense", "detect", "ledger", "decide",
         "enforce", "store", "api", "daemon", "cli"]
# Made by the build, so not there to be looked at.
GENERATED = {"detect/rules_builtin.h", "ledger/ethereum/contract_code.h",
             "sense/honeypot/profiles_builtin.h", "sense/honeypot/tools_builtin.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def breaches(src):
    """Yield (file, line number, text) for each include that looks down."""
    for path in sorted(src.rglob("*.[ch]")):
        here = path.relative_to(src).parts[0]
        if here not in ORDER:
            yield path, 1, "folder src/%s is not in the order" % here
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            quote, name = found.groups()
            folder, slash, _ = name.partition("/")
            if quote == '"' and name not in GENERATED and not (
                    slash and (src / name).is_file()):
                yield path, number, '"%s": name it from src/, as "folder/file.h"' % name
            elif folder in ORDER and slash and ORDER.index(folder) > ORDER.index(here):
                yield path, number, "%s includes %s, which stands below it" % (here, name)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    src = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "src"
    found = list(breaches(src))
    for path, number, text in found:
        print("%s:%d: %s" % (path, number, text))
    if not any(src.rglob("*.[ch]")):
        sys.exit("%s: no sources" % src)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
