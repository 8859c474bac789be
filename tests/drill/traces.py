#!/usr/bin/env python3
"""Sums of the traces of ten drills with ten seeds each: what makes simulations faster must not change them.

    tests/drill/traces.py BEFORE > before    # the program as it was
    tests/drill/traces.py AFTER | diff before -
"""
import hashlib
import pathlib
import subprocess
import sys
import tempfile

DRILLS = ["chaos", "chaos-long", "hot-records", "wandering", "recovery-by-difference", "halves-go-on", "vacuum-in-trouble",
          "read-only", "operators", "joiners-in-chaos"]


def trace_of(program, drill, seed, file):
    done = subprocess.run([program, "drill", "run", drill, "--seed", str(seed), "--trace", str(file)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 4):
        sys.exit(f"{drill}, seed {seed}: exit status {done.returncode}: {done.stderr}")
    return file.read_bytes()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as place:
        for drill in DRILLS:
            for seed in range(1, 11):
                trace = trace_of(sys.argv[1], drill, seed, pathlib.Path(place) / "trace")
                print(drill, seed, hashlib.sha256(trace).hexdigest(), flush=True)


if __name__ == "__main__":
    main()
