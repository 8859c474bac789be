#!/usr/bin/env python3
"""From a fault to recovery mode NORMAL on the survivors: three nodes of floe, three of Debian's ctdbd, in one run.

Usually called as tests/bench/detect, which builds what is needed. Faults: a node is killed (SIGKILL) or hangs (SIGSTOP),
and it is a follower or the leader. Over means: every survivor says NORMAL, with a new generation and a map without the
lost node. Between two faults the cluster is whole again. Both kinds have their default settings, but for
RerecoveryTimeout of 1 s (ctdbd would else refuse a recovery for ten seconds after the last).

With --status, Debian's `ctdb status` is called again and again on a survivor during each fault, and the longest call
is shown; it includes the start of the program. --load N runs N busy loops beside everything. --watch S starts floe
alone, breaks nothing for S seconds and fails if a node or the cluster lock was lost.
"""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import statistics
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "interop"))

import sandbox  # noqa: E402

KINDS = ("floe", "ctdbd")
CASES = {  # name: what is done to whom, and what floe is to stay below, in seconds
    "follower killed": (signal.SIGKILL, False, 0.3),
    "leader killed": (signal.SIGKILL, True, 1.5),
    "follower hung": (signal.SIGSTOP, False, 4),
    "leader hung": (signal.SIGSTOP, True, 6),
}
GETVNNMAP, GET_RECMODE = 5, 15
POLL_S = 0.005


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="faults of each sort", metavar="N")
    parser.add_argument("--ctdbd-rounds", type=int, help="the same for ctdbd alone (default: as many)", metavar="N")
    parser.add_argument("--cap", type=float, default=90, help="no fault is waited for longer", metavar="S")
    parser.add_argument("--only", choices=KINDS, help="one side alone, without ratios")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--status", action="store_true", help="the longest `ctdb status` during each fault, too")
    parser.add_argument("--load", type=int, default=0, help="busy loops beside it", metavar="N")
    parser.add_argument("--watch", type=float, default=0, help="no faults: look for false alarms", metavar="S")
    parser.add_argument("--json", action="store_true", help="all numbers, for programs")
    return parser.parse_args()


class Survivors:
    """Open connections, so that asking costs little."""

    def __init__(self, nodes):
        self.connections = [node.connect() for node in nodes]
        self.before = [self.map_of(c)[0] for c in self.connections]

    @staticmethod
    def map_of(connection):
        """(generation, pnns)"""
        data = connection.request(GETVNNMAP)[1]
        numbers = struct.unpack(f"={len(data) // 4}I", data)
        return numbers[0], numbers[2:2 + numbers[1]]

    def recovered_without(self, pnn):
        for connection, before in zip(self.connections, self.before):
            generation, pnns = self.map_of(connection)
            if generation == before or pnn in pnns or connection.request(GET_RECMODE)[0] != 0:
                return False
        return True

    def close(self):
        for connection in self.connections:
            connection.close()


class StatusCalls:
    """Calls `ctdb status` on a node until told to stop."""

    def __init__(self, node):
        self.node, self.longest_ms, self.over = node, 0, threading.Event()
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.over.is_set():
            start = time.monotonic()
            self.node.ctdb("-t", "30", "status")
            self.longest_ms = max(self.longest_ms, (time.monotonic() - start) * 1000)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def one_fault(group, case, options):
    """(seconds or None, longest status in ms or None)"""
    from cluster import kill_all, processes_of
    from wait import until

    what, leads, _ = CASES[case]
    until(lambda: group.leader() is not None, "a leader is known")
    leader = group[group.leader()]
    victim = leader if leads else next(node for node in group if node is not leader)
    others = [node for node in group if node is not victim]
    survivors = Survivors(others)
    pid = victim.pid
    calls = StatusCalls(others[0]) if options.status else contextlib.nullcontext()
    with contextlib.closing(survivors), calls:
        start = time.monotonic()
        os.kill(pid, what)
        while not survivors.recovered_without(victim.pnn):
            if time.monotonic() - start > options.cap:
                start = None
                break
            time.sleep(POLL_S)
        spent = time.monotonic() - start if start else None
    if what == signal.SIGSTOP:
        os.kill(pid, signal.SIGCONT)
    else:
        until(lambda: victim.pid != pid, f"{victim} gone", 10)
        kill_all(processes_of(victim.base))  # a ctdbd's event daemon lives on for seconds, and no other one can start
        group.start_node(victim)
    group.wait_healthy()
    until(lambda: whole(group), "all nodes are in the map again", 120)
    return spent, calls.longest_ms if options.status else None


def whole(group):
    for node in group:
        with node.connect() as connection:
            if len(Survivors.map_of(connection)[1]) != len(group) or connection.request(GET_RECMODE)[0] != 0:
                return False
    return True


def measure(kind, rounds, options):
    import cluster

    result = {case: {"seconds": [], "status_ms": []} for case in options.cases}
    settings = {"tunables": {"RerecoveryTimeout": 1}}
    if kind == "ctdbd":
        settings["lock"] = False  # as floe: elections, not a race for a lock file
    with cluster.of(kind, **settings) as group:
        for number in range(rounds):
            for case in options.cases:
                seconds, status_ms = one_fault(group, case, options)
                print(f"# {kind} {number + 1}/{rounds}: {case}: "
                      f"{'not within the cap' if seconds is None else f'{seconds:.2f} s'}", file=sys.stderr, flush=True)
                result[case]["seconds"].append(options.cap if seconds is None else seconds)
                if status_ms is not None:
                    result[case]["status_ms"].append(status_ms)
    return result


def watch(options):
    """Nothing is broken: whoever says that a node is lost is wrong."""
    import cluster

    with cluster.of("floe") as group:
        before = lost(group)
        time.sleep(options.watch)
        alarms = lost(group)[len(before):]
    print(f"{options.watch:.0f} s with {options.load} busy loops on {os.cpu_count()} processors: {len(alarms)} false alarms")
    for line in alarms:
        print(line)
    return 1 if alarms else 0


def lost(group):
    return [line for node in group for log in sorted(node.base.glob("log*"))
            for line in log.read_text(errors="replace").splitlines() if "node-down" in line or "cluster-lock-lost" in line]


def cell(values, cap):
    def text(value):
        return f"> {cap:.0f}" if value >= cap else f"{value:.2f}"
    return f"{text(statistics.median(values))} [{text(min(values))}..{text(max(values))}]"


def table(values, options):
    kinds = list(values)
    lines = [["from the fault to NORMAL, seconds", *kinds, *(["floe is better by"] if len(kinds) == 2 else []), "aim"]]
    if options.status:
        lines[0].append("longest ctdb status, ms: " + ", ".join(kinds))
    for case in options.cases:
        medians = [statistics.median(values[kind][case]["seconds"]) for kind in kinds]
        line = [case, *(cell(values[kind][case]["seconds"], options.cap) for kind in kinds)]
        if len(kinds) == 2:
            line.append(f"x {medians[1] / medians[0]:.3g}")
        line.append(f"< {CASES[case][2]:g}")
        if options.status:
            line.append(", ".join(f"{max(values[kind][case]['status_ms']):.0f}" for kind in kinds))
        lines.append(line)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    yield "three nodes; median [lowest..highest]"
    for line in lines:
        yield "  ".join(text.ljust(width) if i < 1 else text.rjust(width) for i, (text, width) in enumerate(zip(line, widths)))


def main():
    options = arguments()
    sandbox.enter()
    import cluster
    kinds = [options.only] if options.only else list(KINDS)
    for kind in ["floe"] if options.watch else kinds:
        if reason := cluster.why_not(kind):
            sys.exit(f"cannot measure {kind}: {reason}")
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.load)]
    try:
        if options.watch:
            sys.exit(watch(options))
        values = {kind: measure(kind, (options.ctdbd_rounds or options.rounds) if kind == "ctdbd" else options.rounds, options)
                  for kind in kinds}
    finally:
        for loop in loops:
            loop.kill()
    if options.json:
        print(json.dumps({"options": vars(options), "cases": values}, indent=1))
    else:
        print("\n".join(table(values, options)))


if __name__ == "__main__":
    main()
