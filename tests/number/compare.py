#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py --lines PROGRAM [--numbers N]: e164.c against the package it was made from.
compare.py --vectors FILE: write some of the package's answers, for test_e164.c.

Every example number of every region and type, all numbers one digit longer, shorter or
different from them, numbers that patterns were unrolled to at random, and random digits
behind every country code: validity, types and form must be those that `phonenumbers`
finds with its own patterns. The same for short codes. And the committed file must be
what scripts/number-plan.py writes. Left out, saying so, where the
package of the version that scripts/number-plan.py names cannot be had.
"""
import argparse
import importlib.util
import os
import random
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEED = 20261122


def load_plan():
    spec = importlib.util.spec_from_file_location(
        "number_plan", os.path.join(TOP, "scripts/number-plan.py"))
    plan = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plan)
    return plan


def made_of(tree, rng):
    """A text that a pattern's tree fits."""
    kind = tree[0]
    if kind == "set":
        return str(rng.choice([d for d in range(10) if tree[1] >> d & 1]))
    if kind == "cat":
        return "".join(made_of(part, rng) for part in tree[1])
    if kind == "alt":
        return made_of(rng.choice(tree[1]), rng)
    return "".join(made_of(tree[1], rng) for _ in range(rng.randint(tree[2], tree[3])))


def mutations(digits, rng):
    yield digits
    yield digits[:-1]
    yield digits + str(rng.randrange(10))
    for _ in range(3):
        at = rng.randrange(len(digits))
        yield digits[:at] + str(rng.randrange(10)) + digits[at + 1:]


class Judge:
    """What the package says, by its own matching."""

    def __init__(self, plan, package):
        from phonenumbers import phonenumberutil
        from phonenumbers.phonemetadata import PhoneMetadata
        self.plan, self.p, self.util = plan, package, phonenumberutil
        self.regions, self.short = {}, {}
        for country, names in package.COUNTRY_CODE_TO_REGION_CODE.items():
            self.regions[str(country)] = [
                PhoneMetadata.metadata_for_region_or_calling_code(country, n)
                for n in names]
            self.short[str(country)] = [
                (n, PhoneMetadata.short_metadata_for_region(n)) for n in names]

    def split(self, digits):
        for n in (1, 2, 3):
            if digits[:n] in self.regions and len(digits) >= n:
                return digits[:n], digits[n:]
        return "", digits

    def number(self, country, national):
        zeros = len(national) - len(national.lstrip("0"))
        return self.p.PhoneNumber(
            country_code=int(country), national_number=int(national),
            italian_leading_zero=zeros > 0 or None,
            number_of_leading_zeros=zeros if zeros > 1 else None)

    def matches(self, national, desc, general=True):
        return (desc is not None and (general or desc.national_number_pattern is not None)
                and self.util._is_number_matching_desc(national, desc))

    def says(self, digits):
        country, national = self.split(digits)
        if not country:
            return "0 0 0 0 "
        name = self.p.COUNTRY_CODE_TO_REGION_CODE[int(country)][0]
        tail = " %d %s" % (len(country), name)
        if not national or set(national) == {"0"} or len(digits) > 15:
            # The package keeps a number as an integer: all zeros it cannot hold.
            return None if national and len(digits) <= 15 else "0 0 0" + tail
        number = self.number(country, national)
        assert self.p.national_significant_number(number) == national
        possible = any(self.matches(national, m.general_desc)
                       for m in self.regions[country])
        types = 0
        if self.p.is_valid_number(number):
            region = self.p.region_code_for_number(number)
            meta = [m for m in self.regions[country] if m.id == region] or \
                self.regions[country]
            for bit, field in enumerate(self.plan.TYPES):
                types |= self.matches(national, getattr(meta[0], field)) << bit
            assert types, digits
            self.check_type(number, types)
        return "%d %d %d%s" % (types, possible, self.apart(number, country), tail)

    def apart(self, number, country):
        """Whether its leading digits choose another region than the first."""
        regions = self.regions[country]
        name = self.p.region_code_for_number(number)
        return len(regions) > 1 and any(
            m.id == name and m.leading_digits is not None for m in regions[1:])

    def check_type(self, number, types):
        """The one type that the package names is the first of ours in its order."""
        kind = self.p.PhoneNumberType
        have = {f for bit, f in enumerate(self.plan.TYPES) if types >> bit & 1}
        order = (("premium_rate", kind.PREMIUM_RATE), ("toll_free", kind.TOLL_FREE),
                 ("shared_cost", kind.SHARED_COST), ("voip", kind.VOIP),
                 ("personal_number", kind.PERSONAL_NUMBER), ("pager", kind.PAGER),
                 ("uan", kind.UAN), ("voicemail", kind.VOICEMAIL))
        want = next((t for f, t in order if f in have), None)
        if want is None:
            want = (kind.FIXED_LINE_OR_MOBILE if have == {"fixed_line", "mobile"} else
                    kind.FIXED_LINE if "fixed_line" in have else kind.MOBILE)
        assert self.p.number_type(number) == want, (number, types)

    def codes(self, country, digits):
        """Short and emergency alone, in the country's regions."""
        bits = 0
        for _, meta in self.short[country]:
            if meta is None:
                continue
            for bit, desc in ((1, meta.short_code), (3, meta.emergency)):
                if desc is not None and desc.national_number_pattern and \
                        (not desc.possible_length or
                         len(digits) in desc.possible_length) and \
                        re.fullmatch(desc.national_number_pattern, digits):
                    bits |= bit
        return str(bits)


def numbers_of(judge, rng, count):
    """The candidates, each once."""
    out = set()
    for country, regions in judge.regions.items():
        trees = []
        for m in regions:
            for field in judge.plan.TYPES + ("general_desc",):
                desc = getattr(m, field)
                if desc is None or not desc.national_number_pattern:
                    continue
                trees.append(judge.plan.Pattern(desc.national_number_pattern).tree)
                if desc.example_number:
                    for _ in range(8):
                        out.update(country + x for x in mutations(desc.example_number, rng))
        for _ in range(count):
            made = made_of(rng.choice(trees), rng)
            out.update(country + x for x in mutations(made, rng))
            out.add(country + "".join(rng.choices("0123456789", k=rng.randint(3, 12))))
    for _ in range(1000):
        out.add("".join(rng.choices("0123456789", k=rng.randint(1, 17))))
    return sorted(x for x in out if x)


def codes_of(judge, rng):
    out = set()
    for country, regions in judge.short.items():
        for _, meta in regions:
            for desc in (meta.short_code, meta.emergency) if meta else ():
                if desc is None or not desc.national_number_pattern:
                    continue
                tree = judge.plan.Pattern(desc.national_number_pattern).tree
                for _ in range(20):
                    out.update((country, x) for x in mutations(made_of(tree, rng), rng))
        out.update((country, x) for x in ("112", "911", "999", "000", "100", "1"))
    return sorted(x for x in out if x[1])


def write_vectors(path, judge, version, rng):
    numbers = rng.sample(numbers_of(judge, rng, 4), 3000)
    for regions in judge.regions.values():  # and every example there is
        for m in regions:
            descs = [getattr(m, f) for f in judge.plan.TYPES]
            numbers += ["%d%s" % (m.country_code, d.example_number) for d in descs
                        if d is not None and d.example_number]
    with open(path, "w", encoding="ascii") as f:
        f.write("# Written by tests/number/compare.py --vectors of phonenumbers %s.\n"
                "# DIGITS TYPES POSSIBLE APART COUNTRY-DIGITS REGION; COUNTRY/DIGITS CODES\n"
                % version)
        for digits in sorted(set(numbers)):
            want = judge.says(digits)
            if want is not None:
                f.write(("%s %s" % (digits, want)).rstrip() + "\n")
        for country, digits in sorted(rng.sample(codes_of(judge, rng), 1000)):
            f.write("%s/%s %s\n" % (country, digits, judge.codes(country, digits)))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines")
    parser.add_argument("--vectors")
    parser.add_argument("--numbers", type=int, default=15, help="made, a country code")
    args = parser.parse_args()
    plan = load_plan()
    try:
        package = plan.source()
    except ImportError as e:
        print("left out: %s" % e)
        return 77
    rng, judge = random.Random(SEED), Judge(plan, package)
    if args.vectors:
        return write_vectors(args.vectors, judge, package.__version__, rng)
    numbers, codes = numbers_of(judge, rng, args.numbers), codes_of(judge, rng)
    lines = numbers + ["%s/%s" % c for c in codes]
    told = subprocess.run([args.lines], input="\n".join(lines) + "\n", text=True,
                          capture_output=True, check=True).stdout.split("\n")[:-1]
    if len(told) != len(lines):
        print("%d lines went in, %d came out" % (len(lines), len(told)))
        return 1
    wrong = valid = unknown = short = 0
    for digits, got in zip(numbers, told):
        want = judge.says(digits)
        unknown += want is None
        valid += not got.startswith("0 ")
        if want is not None and got != want:
            wrong += 1
            print("%s: e164.c %r, phonenumbers %r" % (digits, got, want))
    for (country, digits), got in zip(codes, told[len(numbers):]):
        want = judge.codes(country, digits)
        short += want != "0"
        if str(int(got) & 3) != want:
            wrong += 1
            print("+%s dials %s: e164.c %s, phonenumbers %s" % (country, digits, got, want))
    print("%d numbers, %d of them valid, %d beyond the package; %d codes, %d of them "
          "short; %d differ" % (len(numbers), valid, unknown, len(codes), short, wrong))
    same = plan.committed(package)
    return 1 if wrong or not valid or not short or not same else 0


if __name__ == "__main__":
    sys.exit(main())
