#!/usr/bin/env python3
"""What a recovery costs, by how much the databases hold: floe beside Debian's ctdbd in one run.

Usually called as tests/bench/recoveries, which builds what is needed. For each size a fresh cluster of three nodes of either
kind, in turn: one database of so many records of 200 bytes, and a small one beside it. With --alone floe has further
sizes, which ctdbd would need many minutes for. The goals are those of floe's design; a goal that is a share (0.05x) is
one of what ctdbd needs.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "interop"))

import sandbox  # noqa: E402
from compare import KINDS, TUNABLES, cell, figure  # noqa: E402

BIG, SMALL, HOT = "big.tdb", "small.tdb", 100
SETTLED_S = 10  # floe's nodes give memory back some seconds after a recovery
# name, unit, goal
ROWS = {
    "unchanged": ("recovery, nothing changed since the last", "ms", "30, the same for each size"),
    "part": ("recovery, 1 % of the records changed", "ms", "0.05x"),
    "new": ("recovery, all records changed", "ms", "0.25x"),
    "pause": ("longest pause of the small database in a recovery", "ms", "10"),
    "join": ("longest pause of it while a node comes back and joins", "ms", "20"),
    "migrations": (f"migrations after a recovery, of {HOT} records in use on a node that is alive", "", "0"),
    "memory": ("resident memory of the largest node, ten seconds after all that", "MiB", "0.5x"),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 100_000, 500_000], help="records, both kinds", metavar="N")
    parser.add_argument("--alone", type=int, nargs="*", default=[], help="records, floe alone", metavar="N")
    parser.add_argument("--rounds", type=int, default=1, metavar="N")
    parser.add_argument("--only", choices=KINDS, help="one kind alone")
    parser.add_argument("--json", action="store_true", help="all numbers, for programs")
    return parser.parse_args()


def one_round(kind, count):
    """{row: [values]} of a fresh cluster."""
    import cluster
    import measure
    from filling import attach, fill

    result = {row: [] for row in ROWS}
    with cluster.of(kind, tunables=TUNABLES) as group:
        fill(group, BIG, count)
        attach(group[0], SMALL)
        leader = measure.leader(group)
        measure.recovery(group, leader)
        measure.touch(group, count, 1, BIG)
        result["new"].append(measure.recovery(group, leader))
        result["unchanged"] += [measure.recovery(group, leader) for _ in range(3)]
        changed = max(1, count // 100)
        for _ in range(2):
            measure.touch(group, changed, count // changed, BIG)
            result["part"].append(measure.recovery(group, leader))
        result["pause"] += [measure.pause(group, leader, SMALL)[0] for _ in range(2)]
        result["migrations"].append(migrations(group, leader, count))
        result["join"].append(join(group, leader))
        time.sleep(SETTLED_S)
        result["memory"].append(max(measure.resident_mib(node) for node in group))
    return result


def migrations(group, leader, count):
    """Records that a client of a node that does not lead uses, again after a recovery: how many move for that."""
    import measure
    user = next(node for node in group if node is not leader)
    hot = min(HOT, count)
    measure.touch(group, hot, 1, BIG, user)
    measure.recovery(group, leader)
    before = moves(group)
    measure.touch(group, hot, 1, BIG, user)
    return moves(group) - before


def moves(group):
    """Requests for records of other nodes that all nodes have served so far: both kinds count them by their hops."""
    total = 0
    for node in group:
        line = re.search(r"hop_count_buckets:([ 0-9]*)", node.ctdb("statistics").stdout)
        total += sum(int(n) for n in line.group(1).split())
    return total


def join(group, leader):
    """ms: a follower is killed, and a client updates a record of the small database on the leader while it comes back."""
    import measure
    from wait import until
    lost = next(node for node in group if node is not leader)
    others = [node for node in group if node is not lost]
    lost.signal(signal.SIGKILL)
    until(lambda: all(measure.is_normal_without(node, lost.pnn) for node in others), "recovered without it", 120)
    with measure.watching(group, leader, SMALL) as seen:
        group.start_node(lost)
        group.wait_healthy(seconds=300)
    return seen.longest_ms


def table(values, kinds):
    for count, rows in values.items():
        has = [kind for kind in kinds if rows.get(kind)]
        lines = [[f"{count:,} records", "unit", *has, "share of ctdbd's", "goal"]]
        for row, (name, unit, goal) in ROWS.items():
            share = "-"
            if len(has) == 2:
                floe, ctdbd = (statistics.median(rows[kind][row]) for kind in has)
                share = figure(floe / ctdbd) if ctdbd else "-"
            lines.append([name, unit, *(cell(rows[kind][row]) for kind in has), share, goal])
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        for line in lines:
            yield "  ".join(text.ljust(w) if i < 1 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths)))
        yield ""


def main():
    options = arguments()
    sandbox.enter()
    import cluster
    kinds = [options.only] if options.only else list(KINDS)
    for kind in kinds:
        if reason := cluster.why_not(kind):
            sys.exit(f"cannot measure {kind}: {reason}")
    values = {}
    for number in range(options.rounds):
        for count in [*options.sizes, *options.alone]:
            of = [kind for kind in kinds if count not in options.alone or kind == "floe"]
            for kind in of if number % 2 == 0 else reversed(of):
                begun = time.monotonic()
                into = values.setdefault(count, {}).setdefault(kind, {row: [] for row in ROWS})
                for row, more in one_round(kind, count).items():
                    into[row] += more
                print(f"# {kind}: {count:,} records, {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)
    load = os.getloadavg()[0]
    if options.json:
        print(json.dumps({"options": vars(options), "load": load, "values": values}, indent=1))
        return
    print(f"three nodes, one database of so many records x 200 bytes; {options.rounds} rounds; median [lowest..highest]; load average {load:.1f}\n")
    print("\n".join(table(values, kinds)))


if __name__ == "__main__":
    main()
