#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""number-plan.py [--check | --fetch]: the world's numbering plans as two automata.

Writes src/indicator/e164_plan.c from the metadata of libphonenumber in the Python
package `phonenumbers` of the version below (installed by name into build/number-plan
when it is not there). --check writes nothing and says whether the committed file is
what would be written; --fetch only installs the package.

The patterns of every country (digits, classes, groups, |, ?, {n}, {n,m}: finite
languages all) become one minimal deterministic automaton over digits whose root is the
first digit of the country code, a second one does the same for what is dialled within
a country. The product of a country's patterns is made state by state; states of equal
future are one (bottom-up, as no pattern loops).
"""
import argparse
import os
import subprocess
import sys

VERSION = "9.0.43"
DIGITS = 15  # E.164
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLAN = os.path.join(TOP, "src/indicator/e164_plan.c")
VENV = os.path.join(TOP, "build/number-plan")

# The order of enum e164_type.
TYPES = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip",
         "personal_number", "pager", "uan", "voicemail")
POSSIBLE, COUNTRY, APART = 1 << 10, 1 << 11, 1 << 12
SHORT, EMERGENCY, INTERNATIONAL, TRUNK = 1, 2, 4, 8


def source():
    """The package of the pinned version, fetched when it is not there."""
    for attempt in ("here", "venv", "install"):
        if attempt == "install":
            try:
                subprocess.run([sys.executable, "-m", "venv", VENV], check=True,
                               stdout=subprocess.DEVNULL)
                subprocess.run([os.path.join(VENV, "bin/pip"), "install", "--quiet",
                                "--disable-pip-version-check",
                                "phonenumbers==" + VERSION], check=True,
                               stdin=subprocess.DEVNULL)
            except (OSError, subprocess.CalledProcessError) as e:
                raise ImportError("phonenumbers %s cannot be installed: %s"
                                  % (VERSION, e)) from e
        if attempt != "here":
            lib = os.path.join(VENV, "lib", "python%d.%d" % sys.version_info[:2],
                               "site-packages")
            if not os.path.isdir(lib):
                continue
            sys.path.insert(0, lib)
        try:
            import phonenumbers
        except ImportError:
            continue
        if phonenumbers.__version__ == VERSION:
            return phonenumbers
        for name in [m for m in sys.modules if m.split(".")[0] == "phonenumbers"]:
            del sys.modules[name]
    raise ImportError("phonenumbers %s is not there" % VERSION)


class Pattern:
    """A reader of one pattern. It yields ("set", bits), ("cat", [..]), ("alt", [..])
    and ("rep", node, least, most); anything unknown ends the program."""

    def __init__(self, text):
        self.text, self.at = text, 0
        self.tree = self.alternatives()
        if self.at != len(text):
            self.fail()

    def fail(self):
        sys.exit("pattern %r: not understood at %d" % (self.text, self.at))

    def peek(self):
        return self.text[self.at:self.at + 1]

    def alternatives(self):
        parts = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else ("alt", parts)

    def sequence(self):
        parts = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated(self.atom()))
        return ("cat", parts)

    def atom(self):
        c = self.peek()
        if c.isdigit():
            self.at += 1
            return ("set", 1 << int(c))
        if self.text.startswith("\\d", self.at):
            self.at += 2
            return ("set", 1023)
        if c == "[":
            return ("set", self.digit_class())
        if c == "(":
            self.at += 3 if self.text.startswith("(?:", self.at) else 1
            inner = self.alternatives()
            if self.peek() != ")":
                self.fail()
            self.at += 1
            return inner
        return self.fail()

    def digit_class(self):
        end = self.text.index("]", self.at)
        inner, bits, i = self.text[self.at + 1:end], 0, 0
        while i < len(inner):
            last = inner[i + 2] if inner[i + 1:i + 2] == "-" else inner[i]
            if not (inner[i].isdigit() and last.isdigit()):
                self.fail()
            for digit in range(int(inner[i]), int(last) + 1):
                bits |= 1 << digit
            i += 3 if inner[i + 1:i + 2] == "-" else 1
        self.at = end + 1
        return bits

    def repeated(self, node):
        if self.peek() == "?":
            self.at += 1
            return ("rep", node, 0, 1)
        if self.peek() == "{":
            end = self.text.index("}", self.at)
            least, _, most = self.text[self.at + 1:end].partition(",")
            self.at = end + 1
            return ("rep", node, int(least), int(most or least))
        return node


class Positions:
    """Patterns as sets of positions: (digits that fit, positions to go on with), and
    ends: ("end", what, lengths). Equal positions are one."""

    def __init__(self):
        self.known, self.list = {}, []

    def make(self, position):
        if position not in self.known:
            self.known[position] = len(self.list)
            self.list.append(position)
        return self.known[position]

    def add(self, pattern, what, lengths):
        """lengths: how many digits fit, () any; what is found at the end."""
        end = frozenset([self.make(("end", what, tuple(lengths)))])
        return self.enter(Pattern(pattern).tree, end)

    def enter(self, node, then):
        if node[0] == "set":
            return frozenset([self.make((node[1], then))])
        if node[0] == "cat":
            for part in reversed(node[1]):
                then = self.enter(part, then)
            return then
        if node[0] == "alt":
            return frozenset().union(*(self.enter(part, then) for part in node[1]))
        _, part, least, most = node
        rest = then
        for _ in range(most - least):
            rest = self.enter(part, rest) | then
        for _ in range(least):
            rest = self.enter(part, rest)
        return rest

    def step(self, state, digit):
        out = set()
        for p in state:
            position = self.list[p]
            if position[0] == "end":
                if position[1][0] == "leads":
                    out.add(p)  # digits may follow
            elif position[0] >> digit & 1:
                out |= position[1]
        return frozenset(out)

    def found(self, state, length):
        ends = [self.list[p] for p in state if self.list[p][0] == "end"]
        return {what for _, what, lengths in ends if not lengths or length in lengths}


class Automaton:
    """Nodes (value, children), each once; node 0 has nothing and leads to nothing."""

    def __init__(self):
        self.nodes = [(0, (0,) * 10)]
        self.known = {self.nodes[0]: 0}

    def node(self, value, children):
        key = (value, tuple(children))
        if key not in self.known:
            self.known[key] = len(self.nodes)
            self.nodes.append(key)
        return self.known[key]

    def product(self, positions, start, value, room):
        """The node of a set of positions; value(found) is what an end is worth."""
        seen = {}

        def visit(state, length):
            if not state:
                return 0
            key = (state, length)
            if key not in seen:
                children = [visit(positions.step(state, d), length + 1)
                            if length < room else 0 for d in range(10)]
                seen[key] = self.node(value(positions.found(state, length)), children)
            return seen[key]

        return visit(start, 0)

    def root(self, branches):
        """The node above {digits: node}: the country codes' tree."""
        def visit(prefix):
            if prefix in branches:
                value, children = self.nodes[branches[prefix]]
                return self.node(value | COUNTRY, children)
            if not any(b.startswith(prefix) for b in branches):
                return 0
            return self.node(0, [visit(prefix + str(d)) for d in range(10)])

        return visit("")


def number_value(regions):
    """What a national number's ends are worth: its types in the first region that it
    belongs to, in the source's order; that it has a form in any; that its leading
    digits are those of another country than the code's main one."""
    def value(found):
        bits = POSSIBLE if any((i, "general") in found for i in range(len(regions))) else 0
        for i, m in enumerate(regions):
            types = 0
            if (i, "general") in found:
                for bit, name in enumerate(TYPES):
                    types |= ((i, name) in found) << bit
            # One that has leading digits is chosen by them alone.
            led = m.leading_digits and len(regions) > 1
            if ("leads", i) in found if led else types:
                return bits | types | (APART if led and i > 0 else 0)
        return bits

    return value


def numbers(automaton, country, regions):
    positions, start = Positions(), frozenset()
    for i, m in enumerate(regions):
        general = m.general_desc
        start |= positions.add(general.national_number_pattern, (i, "general"),
                               general.possible_length)
        for name in TYPES:
            desc = getattr(m, name)
            if desc is not None and desc.national_number_pattern:
                start |= positions.add(desc.national_number_pattern, (i, name),
                                       desc.possible_length)
        if m.leading_digits:
            start |= positions.add(m.leading_digits, ("leads", i), ())
    return automaton.product(positions, start, number_value(regions),
                             DIGITS - len(country))


def code_positions(positions, m, short):
    """What is dialled in one region: short codes, prefixes of calls abroad and home."""
    start = frozenset()
    if short is not None:
        for bit, desc in ((SHORT, short.short_code), (EMERGENCY, short.emergency)):
            if desc is not None and desc.national_number_pattern:
                start |= positions.add(desc.national_number_pattern, ("code", bit),
                                       desc.possible_length)
    if m.international_prefix:
        start |= positions.add(m.international_prefix, ("code", INTERNATIONAL), ())
    if m.national_prefix:
        start |= positions.add(m.national_prefix, ("code", TRUNK), ())
    return start


def code_value(found):
    bits = sum(bit for _, bit in found)
    return bits | SHORT if bits & EMERGENCY else bits


def rows(automaton, root, limit=1 << 16):
    """The nodes that root leads to as rows: a node's runs of digits with one target.
    The root is row 1, row 0 the dead one."""
    order, seen = [], {0: 0}

    def visit(node):
        if node in seen:
            return
        seen[node] = len(seen)
        order.append(node)
        for child in automaton.nodes[node][1]:
            visit(child)

    visit(root)
    values = sorted({automaton.nodes[n][0] for n in order} | {0})
    edges, known, out = [], {}, [(0, 0, 0)]
    for n in order:
        value, children = automaton.nodes[n]
        starts, run = 0, []
        for d, child in enumerate(children):
            if d == 0 or child != children[d - 1]:
                starts |= 1 << d
                run.append(seen[child])
        run = tuple(run)
        if run not in known:
            known[run] = len(edges)
            edges.extend(run)
        out.append((starts, values.index(value), known[run]))
    edges = edges or [0]
    if max(len(out), len(edges)) > limit or len(values) > 64:
        sys.exit("the automaton outgrew its 16 bits: %d nodes, %d edges, %d values"
                 % (len(out), len(edges), len(values)))
    return out, edges, values


def wrapped(cells, width=88):
    lines, line = [], "\t"
    for cell in cells:
        if len(line) + len(cell) + 8 > width:
            lines.append(line.rstrip())
            line = "\t"
        line += cell + ", "
    return "\n".join(lines + [line.rstrip()]) + "\n"


def tables(name, automaton, root):
    nodes, edges, values = rows(automaton, root)
    text = "static const struct e164_node %s_nodes[%d] = {\n" % (name, len(nodes))
    text += wrapped("{0x%04x, %d}" % (starts | value << 10, at)
                    for starts, value, at in nodes) + "};\n\n"
    text += "static const uint16_t %s_edges[%d] = {\n" % (name, len(edges))
    text += wrapped(str(e) for e in edges) + "};\n\n"
    text += "static const uint16_t %s_values[%d] = {\n" % (name, len(values))
    text += wrapped("0x%03x" % v for v in values) + "};\n\n"
    text += ("const struct e164_automaton e164_%s_plan = {\n\t%s_nodes, %s_edges, "
             "%s_values,\n};\n\n" % (name, name, name, name))
    return text, 4 * len(nodes) + 2 * len(edges) + 2 * len(values)


def generate(package):
    from phonenumbers.phonemetadata import PhoneMetadata
    plan, codes = Automaton(), Automaton()
    plan_roots, code_roots, countries = {}, {}, []
    anywhere, all_start = Positions(), frozenset()
    for country, names in sorted(package.COUNTRY_CODE_TO_REGION_CODE.items(),
                                 key=lambda item: str(item[0])):
        country = str(country)
        regions = [PhoneMetadata.metadata_for_region_or_calling_code(int(country), n)
                   for n in names]
        plan_roots[country] = numbers(plan, country, regions)
        positions, start = Positions(), frozenset()
        for n, m in zip(names, regions):
            short = PhoneMetadata.short_metadata_for_region(n)
            start |= code_positions(positions, m, short)
            all_start |= code_positions(anywhere, m, short)
        code_roots[country] = codes.product(positions, start, code_value, DIGITS)
        countries.append((country, names[0], regions[0].national_prefix or ""))
    # No country code begins with 0: there stands what counts in any country.
    code_roots["0"] = codes.product(anywhere, all_start, code_value, DIGITS)
    numbers_text, size = tables("numbers", plan, plan.root(plan_roots))
    codes_text, more = tables("codes", codes, codes.root(code_roots))
    text = HEADER % {"version": package.__version__, "size": size + more}
    text += numbers_text + codes_text
    text += "const struct e164_country_row e164_countries[%d] = {\n" % (len(countries) + 1)
    text += wrapped('{"%s", "%s", "%s"}' % row for row in countries)
    text += '\t{"", "", ""},\n};\n\n'
    text += 'const char e164_source[] = "libphonenumber %s";\n' % package.__version__
    return text


HEADER = """\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Made by scripts/number-plan.py; do not change it by hand.
 *
 * Source: the metadata of libphonenumber, Copyright The Libphonenumber Authors,
 * Apache License 2.0, as in the Python package phonenumbers %(version)s. Facts of the
 * numbering plans were taken from it, nothing of its code. %(size)d bytes.
 */
#include "indicator/e164_plan.h"

/* clang-format off */
"""


def committed(package):
    """Whether the file in the tree is what would be written. Says so."""
    with open(PLAN, encoding="ascii") as f:
        same = f.read() == generate(package)
    print("number-plan: %s %s what phonenumbers %s gives"
          % (os.path.relpath(PLAN, TOP), "is" if same else "is NOT", VERSION))
    return same


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--fetch", action="store_true")
    args = parser.parse_args()
    try:
        package = source()
    except ImportError as e:
        print("number-plan: left out: %s" % e)
        return 77
    if args.check:
        return 0 if committed(package) else 1
    if not args.fetch:
        with open(PLAN, "w", encoding="ascii") as f:
            f.write(generate(package))
    return 0


if __name__ == "__main__":
    sys.exit(main())
