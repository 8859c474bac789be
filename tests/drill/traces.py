#!/usr/bin/env python3
"""Whether two programs play the same: the traces of twenty drills, fifty seeds each, byte by byte. What changes no behaviour, or
makes simulations faster, must not change them.

    tests/drill/traces.py BEFORE AFTER [SEEDS]     # a line for each drill; exit 1 if a trace differs
"""
import concurrent.futures
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

DRILLS = """chaos chaos-long hot-records wandering recovery-by-difference halves-go-on vacuum-in-trouble read-only operators
joiners-in-chaos one-comes-back-first stopped-in-recovery disk-full bans-and-commits clients-die-with-locks flapping-link
undecided-when-killed wiped-in-one-part cut-off-with-its-leader deadlock-of-2015""".split()


def trace_of(program, drill, seed):
    with tempfile.NamedTemporaryFile() as file:
        done = subprocess.run([program, "drill", "run", drill, "--seed", str(seed), "--trace", file.name],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode not in (0, 4):
            sys.exit(f"{drill}, seed {seed}: exit status {done.returncode}: {done.stderr}")
        return hashlib.sha256(pathlib.Path(file.name).read_bytes()).digest()


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    before, after, seeds = sys.argv[1], sys.argv[2], range(1, int((sys.argv + ["50"])[3]) + 1)
    differ = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for drill in DRILLS:
            pairs = zip(pool.map(lambda seed: trace_of(before, drill, seed), seeds),
                        pool.map(lambda seed: trace_of(after, drill, seed), seeds))
            other = [seed for seed, (one, two) in zip(seeds, pairs) if one != two]
            print(f"{drill}: {len(seeds) - len(other)} of {len(seeds)} equal" + (f", not {other}" if other else ""), flush=True)
            differ += len(other)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
