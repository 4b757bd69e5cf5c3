# SPDX-License-Identifier: Apache-2.0
"""The README's table of how often it is wrong, held to what the replay counts."""
ROWS = {"HEP alone": "hep", "HEP and all others": "all",
        "Asterisk's and Kamailio's logs alone": "log", "AMI alone": "ami"}
COLUMNS = {
    "published: right, wrong, missed":
        ("published_right", "published_wrong", "published_missed"),
    "to be banned: here, missed": ("banned_right", "banned_missed"),
    "innocents banned": ("innocents_banned",),
    "numbers: right, withheld, wrong":
        ("numbers_right", "numbers_withheld", "numbers_wrong"),
}


def cells(line):
    return [c.strip() for c in line.strip().strip("|").split("|")]


def check(path, totals):
    """What the table says that is not so; totals: {set: counts}, of the sets replayed."""
    with open(path, encoding="utf-8") as f:
        lines = [line for line in f if line.startswith("|")]
    heads = [n for n, line in enumerate(lines) if cells(line)[0] == "sensors"]
    if len(heads) != 1:
        return [f"{path}: there is no table of sensors"]
    head = cells(lines[heads[0]])
    wrong = [f"{path}: the table has no column \"{c}\"" for c in COLUMNS if c not in head]
    found = {}
    for line in lines[heads[0] + 2:]:
        row = dict(zip(head, cells(line)))
        found.setdefault(row.get("sensors"), row)
    for name, kind in ROWS.items():
        if kind not in totals:
            continue
        if name not in found:
            wrong.append(f"{path}: the table has no row \"{name}\"")
            continue
        for column, counts in COLUMNS.items():
            right = ", ".join(str(totals[kind][c]) for c in counts)
            said = found[name].get(column, "nothing")
            if column in head and said != right:
                wrong.append(f"{path}: {name}, {column}: it says {said}, it is {right}")
    return wrong
