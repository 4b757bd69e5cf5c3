# SPDX-License-Identifier: Apache-2.0
"""A program of checks: its options, its table of a line each, its end.

A check is a function of the stage; its first line tells what it looks at. It
raises when something is not so, and returns a reason when it cannot be done here.
"""
import argparse
import os
import sys


class Mismatch(Exception):
    """What was done is not what should be."""


def want(condition, text, *values):
    if not condition:
        raise Mismatch(text % values if values else text)


def parser(document):
    """For --build and --results, and whatever a program adds."""
    made = argparse.ArgumentParser(description=document.split("\n", maxsplit=1)[0])
    made.add_argument("--build", required=True, help="a Meson build folder")
    made.add_argument("--results", help="append 'pass|fail|skip TAB name' lines to this file")
    return made


def options(made):
    """What a parser() finds on the command line, its paths absolute."""
    found = made.parse_args()
    found.build = os.path.abspath(found.build)
    found.results = found.results and os.path.abspath(found.results)
    return found


def record(results, verdict, name):
    if results:
        with open(results, "a", encoding="utf-8") as f:
            f.write("%s\t%s\n" % (verdict, name))


def perform(stage, results, checks, title):
    """Run the checks; returns how many failed."""
    failures = 0
    for function in checks:
        name, reason = function.__doc__.split("\n", maxsplit=1)[0], None
        try:
            reason = function(stage)
            verdict = "skip" if reason else "pass"
        except Exception as error:  # one check must not take the others with it
            verdict, reason = "fail", "%s: %s" % (type(error).__name__, error)
            failures += 1
        print("%-4s  %s%s" % (verdict if verdict != "fail" else "FAIL", name,
                              "\n      " + reason if reason else ""), flush=True)
        record(results, verdict, "%s: %s%s" % (
            title, name, " (%s)" % reason if verdict == "skip" else ""))
    return failures


def main(found, make, checks, title, enter=lambda: None, broken=()):
    """The rest of a program. Leaves with 1 when a check failed, 2 without a stage.

    found    the options()
    make     make(build) gives the stage, a context manager; the end of its log(), if
             it has one, is shown with failures
    enter    comes before it
    broken   what else these raise when the stage cannot be set
    """
    try:
        enter()
        with make(found.build) as stage:
            failures = perform(stage, found.results, checks, title)
            if failures and hasattr(stage, "log"):
                print(stage.log()[-4000:], file=sys.stderr)
    except (FileNotFoundError, *broken) as problem:
        print("%s: %s" % (os.path.basename(sys.argv[0]), problem), file=sys.stderr)
        sys.exit(2)
    print("%s: %d of %d checks failed" % (title, failures, len(checks)))
    sys.exit(1 if failures else 0)
