#!/usr/bin/env python3
"""Bugs of the past (protocol/mutants.def), and what it takes to find each: the drill, the seeds, who told.

    FLOE_MUTANTS=build/tests/drill/floe_mutants tests/drill/mutants.py           # prints the table of README.md beside it
    FLOE_MUTANTS=build/tests/drill/floe_mutants tests/drill/mutants.py NAME...   # the rows of these mutants
"""
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r'^MUTANT\((\w+), "([^"]*)", "([^"]*)", "([^"]*)", (\d+)\)$')


@dataclasses.dataclass
class Mutant:
    name: str
    bug: str
    wrong: str
    drill: str
    seeds: int  # so many are enough


def all_mutants():
    lines = (ROOT / "protocol" / "mutants.def").read_text().splitlines()
    rows = [line for line in lines if line and not line.startswith("//")]
    found = [ROW.match(line) for line in rows]
    bad = [line for line, match in zip(rows, found) if not match]
    if bad:
        raise ValueError("not a row of protocol/mutants.def: " + bad[0])
    every = [Mutant(*match.groups()[:4], int(match.group(5))) for match in found]
    return [m for m in every if m.drill != "table-steps"]  # those are played by tests/table


def play(drill, first, seeds, mutant=""):
    """The runs, as floe tells them."""
    program = os.environ["FLOE_MUTANTS"]
    done = subprocess.run([program, "drill", "run", drill, "--seed", str(first), "--seeds", str(seeds), "--json"],
                          env=dict(os.environ, FLOE_MUTANT=mutant), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 4):
        raise RuntimeError(f"{drill}: exit status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)["runs"]


def who_told(run):
    if run["reason"].startswith("at every moment"):
        return "at every moment"
    broken = [check["name"] for check in run["checks"] if check["broken"]]
    return ", ".join(broken) if broken else "the drill's own lines"


def find(mutant):
    """The first run that shows the mutant, or nothing."""
    first, step = 1, 1
    while first <= mutant.seeds:
        count = min(step, mutant.seeds - first + 1)
        for run in play(mutant.drill, first, count, mutant.name):
            if run["verdict"] != "held":
                return run
        first += count
        step = min(step * 2, 8)
    return None


if __name__ == "__main__":
    wanted = sys.argv[1:]
    if not wanted:
        print("| bug | what was wrong | drill | seeds | who told |")
        print("|---|---|---|---|---|")
    for m in all_mutants():
        if wanted and m.name not in wanted:
            continue
        run = find(m)
        told = (run["seed"], who_told(run)) if run else ("not found", "")
        print(f"| {m.bug} | {m.wrong} | `{m.drill}` | {told[0]} | {told[1]} |", flush=True)
