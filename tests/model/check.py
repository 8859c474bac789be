#!/usr/bin/env python3
"""Plays the model of ownership (README.md) with Spin: every run of runs.txt, or those that are named.

    tests/model/check.py               the small runs, as the tests do: some seconds
    tests/model/check.py --large       the large ones: an hour, and 4 GB of memory
    tests/model/check.py NAME...       these; a counterexample is told event by event
    tests/model/check.py -DBREAKS=2    bounds of your own (bounds.pml), or without a rule (-DR8=0); also told

Exit 0 if every run ended as runs.txt says, 77 (skipped) if Spin is not installed.
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


@dataclasses.dataclass
class Run:
    name: str
    size: str      # small, large
    promise: str   # that is broken; empty: all hold
    settings: list


@dataclasses.dataclass
class Outcome:
    promise: str = ""        # that was broken
    states: int = 0
    seconds: float = 0
    complete: bool = False   # everything within the bounds was looked at
    story: list = dataclasses.field(default_factory=list)
    trouble: str = ""        # why there is no outcome


def runs():
    """The lines of runs.txt: size, name, what is to come out, settings."""
    for line in (HERE / "runs.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            size, name, promise, settings = (part.strip() for part in line.split("|"))
            yield Run(name, size, "" if promise == "holds" else promise.removeprefix("open: "), settings.split())


def compile_model(place, optimised):
    """-> the program that searches, which reads the settings of a run from its environment; or why there is none."""
    for file in HERE.glob("*.pml"):
        shutil.copy(file, place)
    made = do(place, "spin", "-a", "ownership.pml")
    if made.returncode or not (place / "pan.c").exists():
        return None, f"spin: {made.stdout}{made.stderr}"
    # HC4: of each state a hash is kept; that two share one is possible, and very unlikely. Optimising takes longer than
    # all small runs together.
    made = do(place, "cc", "-O2" if optimised else "-O0", "-w", "-DHC4", "-DSAFETY", "-DNOFAIR", "-DNOREDUCE",
              "-DVECTORSZ=1024", "-DMEMLIM=4000", "-o", "pan", "pan.c")
    return (place / "pan", "") if made.returncode == 0 else (None, f"cc: {made.stderr}")


def do(place, *command, env=None, limit_s=3600):
    return subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=limit_s, stdin=subprocess.DEVNULL,
                          env=env)


def play(pan, run, limit_s):
    env = dict(os.environ, **dict(s.split("=") for s in run.settings))
    with tempfile.TemporaryDirectory(prefix="floe-model-") as place:
        try:
            searched = do(place, pan, "-E", "-m5000", env=env, limit_s=limit_s).stdout
        except subprocess.TimeoutExpired:
            return Outcome(trouble=f"not ended within {limit_s} s")
        found = Outcome(states=int(number(r"(\d+) states, stored", searched)), seconds=number(r"elapsed time ([\d.]+)", searched),
                        complete="errors: 0" in searched and not re.search(r"too small|not completed|memory limit", searched))
        if "errors: 1" in searched:
            tell(do(place, pan, "-r", env=env).stdout, found)
        elif not found.complete:
            found.trouble = searched
        return found


def number(pattern, text):
    found = re.search(pattern, text)
    return float(found[1]) if found else 0


def tell(trail, found):
    """The counterexample as a story, and the promise that is broken at its end."""
    found.story = [line.partition("EV ")[2].strip() for line in trail.splitlines() if "EV " in line]
    broken = re.findall(r"BROKEN (.*)", trail)
    found.promise = broken[-1].strip() if broken else ""
    if not broken:
        found.trouble = f"an error that is none of the promises: {trail[-2000:]}"


def as_expected(run, found):
    return not found.trouble and found.promise == run.promise and (found.promise or found.complete)


def one_line(run, found):
    verdict = "" if as_expected(run, found) else f"NOT AS EXPECTED ({run.promise or 'holds'}): "
    outcome = found.trouble or (f"breaks: {found.promise}" if found.promise else "holds")
    return f"{run.name:32} {found.states:>10} states {found.seconds:6.1f} s  {verdict}{outcome}"


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--large", action="store_true")
    asked.add_argument("-D", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    asked.add_argument("names", nargs="*")
    asked = asked.parse_args()
    if not shutil.which("spin"):
        print("spin is not installed: the model was not played")
        return SKIPPED
    if asked.settings:
        chosen = [Run("as asked", "small", "", asked.settings)]
    elif asked.names:
        chosen = [r for r in runs() if r.name in asked.names]
    else:
        chosen = [r for r in runs() if r.size == ("large" if asked.large else "small")]
    if not chosen:
        print("no such run in runs.txt")
        return 2
    large = bool(asked.large or asked.settings or asked.names)
    with tempfile.TemporaryDirectory(prefix="floe-model-") as place:
        pan, trouble = compile_model(pathlib.Path(place), optimised=large)
        if not pan:
            print(trouble)
            return 1
        wrong = play_all(pan, chosen, large, bool(asked.settings or asked.names))
    print(f"{len(chosen)} runs, {wrong} not as expected")
    return 1 if wrong else 0


def play_all(pan, chosen, large, told):
    wrong = 0
    workers = 1 if large else min(4, os.cpu_count() or 1)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for run, found in zip(chosen, pool.map(lambda r: play(pan, r, 3600 if large else 300), chosen)):
            print(one_line(run, found), flush=True)
            bad = not as_expected(run, found)
            wrong += bad
            if bad or told:
                print(*(f"  {i:3} {line}" for i, line in enumerate(found.story, 1)), sep="\n", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
