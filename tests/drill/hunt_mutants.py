#!/usr/bin/env python3
"""After how many drills the hunter finds each bug of the past (protocol/mutants.def): with the shipped drills among the
first, and without them.

    FLOE_MUTANTS=build/tests/drill/floe_mutants tests/drill/hunt_mutants.py [--drills N] [--seed N] [--readme] [MUTANT...]

A failing drill counts if the same drill holds without the bug. Prints a table of the bugs that were named (all);
--readme puts these rows into the table of README.md beside it. The exit status is 0 only if each was found both ways.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import mutants  # noqa: E402

README = pathlib.Path(__file__).resolve().parent / "README.md"
HEAD = "| bug | drills | who told | drills, without the shipped ones | who told |"
ROW = re.compile(r"^\| `(\w+)` \|")


@dataclasses.dataclass
class Find:
    drills: int
    told: str


def told(mutant, *arguments):
    done = subprocess.run([os.environ["FLOE_MUTANTS"], "drill", *arguments, "--json"], capture_output=True, text=True,
                          env=dict(os.environ, FLOE_MUTANT=mutant), stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 4):
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def holds_without_it(file):
    return told("", "run", file)["runs"][0]["verdict"] == "held"


def hunt_for(mutant, seed, most, anew):
    """The first find, or nothing. A hunt that goes on longer begins with the same drills and the same failures."""
    kinds, looked_at = 1, set()
    while True:
        with tempfile.TemporaryDirectory() as place:
            hunt = told(mutant, "hunt", "--seed", str(seed), "--drills", str(most), "--failures", str(kinds),
                        "--as-found", "--out", place, *(["--anew"] if anew else []))
            for failure in sorted(hunt["failures"], key=lambda f: f["drill"]):
                if failure["drill"] in looked_at:
                    continue
                looked_at.add(failure["drill"])
                if holds_without_it(failure["file"]):
                    return Find(failure["drill"] + 1, failure["failed_at"].removeprefix("check: "))
        if hunt["drills"] >= most:
            return None
        kinds = len(hunt["failures"]) + 1


def row(name, finds):
    cells = [f"{f.drills} | {f.told}" if f else "not found | " for f in finds]
    return f"| `{name}` | " + " | ".join(cells) + " |"


def put_into_readme(rows):
    lines = README.read_text().splitlines()
    begin = lines.index(HEAD) + 2
    end = next(i for i in range(begin, len(lines) + 1) if i == len(lines) or not lines[i].startswith("|"))
    known = {ROW.match(line).group(1): line for line in lines[begin:end] if ROW.match(line)}
    known.update(rows)
    order = [m.name for m in mutants.all_mutants()]
    lines[begin:end] = [known[name] for name in order if name in known]
    README.write_text("\n".join(lines) + "\n")


def main():
    line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    line.add_argument("--drills", type=int, default=2000)
    line.add_argument("--seed", type=int, default=1)
    line.add_argument("--readme", action="store_true")
    line.add_argument("mutant", nargs="*")
    wanted = line.parse_args()
    unknown = set(wanted.mutant) - {m.name for m in mutants.all_mutants()}
    if unknown:
        line.error("no such bug: " + ", ".join(sorted(unknown)))
    print(HEAD)
    print("|---|---|---|---|---|")
    rows, missing = {}, 0
    for one in mutants.all_mutants():
        if wanted.mutant and one.name not in wanted.mutant:
            continue
        finds = [hunt_for(one.name, wanted.seed, wanted.drills, anew) for anew in (False, True)]
        missing += finds.count(None)
        rows[one.name] = row(one.name, finds)
        print(rows[one.name], flush=True)
        if wanted.readme:
            put_into_readme(rows)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
