#!/usr/bin/env python3
"""floe beside Debian's ctdbd: the same load on both, in turn, and a table of ratios.

Usually called as tests/bench/compare, which builds what is needed. Each round starts a fresh cluster of three of either
kind on loopback, in a network namespace of its own where that is permitted; which kind comes first changes from round
to round. The table has the median of all rounds, the lowest and the highest value in brackets, and how many times
better floe is (above 1: floe is better).
"""
import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "interop"))

import sandbox  # noqa: E402

KINDS = ("floe", "ctdbd")
TUNABLES = {"RerecoveryTimeout": 1}  # else ctdbd refuses a second recovery for ten seconds
# floe's other ways to the same records; beside them stands ctdbd's only one
ANOTHER_WAY = {"update_1_c": "floe-c", "update_1_socket": "floe-socket"}
# name, unit, whether more is better
ROWS = {
    "recovery": ("recovery, nothing changed since the last", "ms", False),
    "recovery_new": ("recovery, all records new", "ms", False),
    "pause": ("longest pause of a small database beside the big one", "ms", False),
    "recovery_big": ("recovery, one big database", "ms", False),
    "recovery_few": ("recovery, a few records of the big database changed", "ms", False),
    "recovery_part": ("recovery, 1 % of the big database changed", "ms", False),
    "migrations": ("migrations of one record around three nodes", "/s", True),
    "wander": ("64 records wander among 12 clients of three nodes", "/s", True),
    "wait_wander": ("longest wait of one of them", "ms", False),
    "stream": ("one record that a client of each node updates without a pause", "/s", True),
    "wait_stream": ("longest wait of the two on other nodes", "ms", False),
    "mean_stream": ("mean wait of these", "µs", False),
    "moved_stream": ("mean wait of those updates that found it elsewhere", "ms", False),
    "uneven_stream": ("the longest of these over their mean", "times", False),
    "persistent": ("transactions of three writers, persistent", "/s", True),
    "replicated": ("transactions of three writers, replicated", "/s", True),
    "messages_1": ("messages round three nodes, one at a time", "/s", True),
    "messages_64": ("messages round three nodes, 64 at once", "/s", True),
    "update_1": ("lock, store, unlock: 1 client", "/s", True),
    "update_8": ("lock, store, unlock: 8 clients, a record each", "/s", True),
    "update_8_same": ("lock, store, unlock: 8 clients, one record", "/s", True),
    "wait_8_same": ("longest wait of one of them", "ms", False),
    "read_1": ("read without a lock: 1 client", "/s", True),
    "fetch": ("3 nodes x 4 clients read one record, which moves", "/s", True),
    "fetch_copies": ("3 nodes x 4 clients read one record, with read-only copies", "/s", True),
    "contend": ("3 nodes x 4 clients lock, store, unlock one record", "/s", True),
    "contend_wait": ("longest wait of one of them", "ms", False),
    "contend_moved": ("mean wait of those updates that found it elsewhere", "ms", False),
    "contend_uneven": ("the longest of these over their mean", "times", False),
    "sticky": ("the same, ctdbd's database sticky with the best of three StickyPindowns", "/s", True),
    "sticky_moved": ("mean wait of those updates that found it elsewhere", "ms", False),
    "sticky_uneven": ("the longest of these over their mean", "times", False),
    "update_1_c": ("lock, store, unlock by the C library: 1 client", "/s", True),
    "update_1_socket": ("lock, store, unlock by the socket: 1 client", "/s", True),
    "forget": ("deleted records: seconds until none is left on any node", "s", False),
    "forget_wait": ("longest wait of another client from the first deletion to then", "ms", False),
    "forget_memory": ("resident memory of a node then, above that before there were records", "MiB", False),
    "memory_idle": ("resident memory of a node, no records", "MiB", False),
    "memory_full": ("resident memory of a node, with the databases", "MiB", False),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--seconds", type=float, default=2, help="length of each measurement of a rate", metavar="S")
    parser.add_argument("--databases", type=int, default=20, metavar="N")
    parser.add_argument("--records", type=int, default=10_000, help="in each database", metavar="N")
    parser.add_argument("--big", type=int, default=500_000, help="records of the big database", metavar="N")
    parser.add_argument("--deleted", type=int, default=200_000, help="records that are deleted", metavar="N")
    parser.add_argument("--few", type=int, default=1000, help="records of the big database that change", metavar="N")
    parser.add_argument("--quick", action="store_true", help="without recoveries and filled databases")
    parser.add_argument("--part", action="append", choices=STEPS, help="this part alone; may be given again: " + ", ".join(STEPS), metavar="NAME")
    parser.add_argument("--only", choices=KINDS, help="one side alone, without ratios")
    parser.add_argument("--json", action="store_true", help="all numbers, for programs")
    return parser.parse_args()


def updates(kind, group, options, result):
    import measure
    for row, clients, whose in (("update_1", 1, "own"), ("update_8", 8, "own"), ("update_8_same", 8, "same")):
        rate, longest = measure.updates(group, options.seconds, clients, whose)
        result[row].append(rate)
        if row == "update_8_same":
            result["wait_8_same"].append(longest)
    for row, way in ANOTHER_WAY.items():
        result[row].append(measure.updates(group, options.seconds, 1, "own", way)[0] if kind == "floe" else result["update_1"][-1])
    result["read_1"].append(measure.reads(group, options.seconds, 1, "own"))


def fetches(_, group, options, result):
    import measure
    result["fetch"].append(measure.everywhere(group, "fetch", options.seconds, 4)[0])
    result["fetch_copies"].append(measure.everywhere(group, "fetch-copies", options.seconds, 4)[0])


def contention(kind, group, options, result):
    import measure
    seen = measure.contended(group, options.seconds, 4)
    record(result, ("contend", "contend_wait", "contend_moved", "contend_uneven"), seen)
    if kind == "ctdbd":
        seen = measure.contended_sticky(group, options.seconds, 4)
    record(result, ("sticky", "sticky_moved", "sticky_uneven"), (seen[0], *seen[2:]))


def moves(_, group, options, result):
    import measure
    result["migrations"].append(measure.migrations(group, options.seconds))
    record(result, ("wander", "wait_wander"), measure.wandering(group, options.seconds))


def streams(_, group, options, result):
    import measure
    record(result, ("stream", "wait_stream", "mean_stream", "moved_stream", "uneven_stream"), measure.stream(group, options.seconds))


def transactions(_, group, options, result):
    import measure
    for what in ("persistent", "replicated"):
        result[what].append(measure.transactions(group, options.seconds, what))


def messages(_, group, options, result):
    import measure
    for at_once in (1, 64):
        result[f"messages_{at_once}"].append(measure.messages(group, options.seconds, at_once))


def recoveries(kind, group, options, result):
    """Of many databases; last of its cluster, since they stay."""
    import measure
    from filling import fill
    for i in range(options.databases):
        fill(group, f"db{i:02}.tdb", options.records)
    leader = measure.leader(group)
    with step(kind, "recoveries themselves"):
        result["recovery_new"].append(measure.recovery(group, leader))
        result["recovery"] += [measure.recovery(group, leader) for _ in range(3)]
    result["memory_full"] += [measure.resident_mib(node) for node in group]


def big_database(kind, group, options, result):
    import measure
    from filling import attach, fill
    fill(group, "big.tdb", options.big)
    attach(group[0], "small.tdb")
    leader = measure.leader(group)
    with step(kind, "pause"):
        measure.recovery(group, leader)
        for _ in range(2):
            pause, spent = measure.pause(group, leader, "small.tdb")
            result["pause"].append(pause)
            result["recovery_big"].append(spent)
    for row, count in (("recovery_few", options.few), ("recovery_part", options.big // 100)):
        with step(kind, row):
            for _ in range(2):
                measure.touch(group, count, max(1, options.big // count), "big.tdb")
                result[row].append(measure.recovery(group, leader))


def deletions(kind, group, options, result):
    import measure
    from filling import fill
    before = [measure.resident_mib(node) for node in group]
    with step(kind, "filling what is deleted"):
        fill(group, "deleted.tdb", options.deleted)
    gone, longest = measure.deletions(group, options.deleted, "deleted.tdb")
    result["forget"].append(gone)
    result["forget_wait"].append(longest)
    result["forget_memory"] += [measure.resident_mib(node) - was for node, was in zip(group, before)]


# what is measured in one cluster, one after the other; those behind `quick` fill databases
IN_ONE_CLUSTER = {"updates": updates, "fetches": fetches, "contention": contention, "moves": moves, "streams": streams,
                  "transactions": transactions, "messages": messages, "recoveries": recoveries}
IN_ITS_OWN = {"big": big_database, "deletions": deletions}
FILLING = {"recoveries", *IN_ITS_OWN}
STEPS = [*IN_ONE_CLUSTER, *IN_ITS_OWN]


def one_round(kind, options):
    """{row: [values]} of fresh clusters."""
    import cluster
    import measure

    result = {row: [] for row in ROWS}
    wanted = options.part or [name for name in STEPS if not (options.quick and name in FILLING)]
    together = [name for name in IN_ONE_CLUSTER if name in wanted]
    if together:
        with cluster.of(kind, tunables=TUNABLES) as group:
            result["memory_idle"] += [measure.resident_mib(node) for node in group]
            for name in together:
                with step(kind, name):
                    IN_ONE_CLUSTER[name](kind, group, options, result)
    for name, measured in IN_ITS_OWN.items():
        if name in wanted:
            with cluster.of(kind, tunables=TUNABLES) as group, step(kind, name):
                measured(kind, group, options, result)
    return result


def record(result, rows, values):
    for row, value in zip(rows, values):
        result[row].append(value)


@contextlib.contextmanager
def step(kind, what):
    start = time.monotonic()
    yield
    print(f"# {kind}: {what}, {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)


def figure(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def cell(values):
    return f"{figure(statistics.median(values))} [{figure(min(values))}..{figure(max(values))}]"


def ratio(row, values):
    floe, ctdbd = (statistics.median(values[kind][row]) for kind in KINDS)
    better, worse = (floe, ctdbd) if ROWS[row][2] else (ctdbd, floe)
    return better / worse if worse else float("inf")


def table(values, options):
    kinds = list(values)
    lines = [["", "unit", *kinds, *(["floe is better by"] if len(kinds) == 2 else [])]]
    for row, (name, unit, _) in ROWS.items():
        if not all(values[kind][row] for kind in kinds):
            continue
        factor = [f"x {ratio(row, values):.3g}"] if len(kinds) == 2 else []
        lines.append([name, unit, *(cell(values[kind][row]) for kind in kinds), *factor])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    yield (f"three nodes; {options.databases} databases x {options.records:,} records x 200 bytes; "
           f"the big one {options.big:,}, few are {options.few:,}, {options.deleted:,} are deleted; {options.rounds} rounds; median [lowest..highest]")
    for line in lines:
        yield "  ".join(text.ljust(width) if i < 1 else text.rjust(width)
                        for i, (text, width) in enumerate(zip(line, widths)))


def main():
    options = arguments()
    sandbox.enter()
    import cluster
    kinds = [options.only] if options.only else list(KINDS)
    for kind in kinds:
        if reason := cluster.why_not(kind):
            sys.exit(f"cannot measure {kind}: {reason}")
    values = {kind: {row: [] for row in ROWS} for kind in kinds}
    for number in range(options.rounds):
        print(f"# round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            for row, more in one_round(kind, options).items():
                values[kind][row] += more
    if options.json:
        rows = {row: {"name": name, "unit": unit, **{kind: values[kind][row] for kind in kinds},
                      **({"ratio": ratio(row, values)} if len(kinds) == 2 else {})}
                for row, (name, unit, _) in ROWS.items() if all(values[kind][row] for kind in kinds)}
        print(json.dumps({"options": vars(options), "rows": rows}, indent=1))
    else:
        print("\n".join(table(values, options)))


if __name__ == "__main__":
    main()
