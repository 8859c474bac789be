#!/usr/bin/env python3
"""An hour of Samba on floe, and beside it on Debian's ctdbd: does anything grow?

Usually called as `tests/bench/samba --hour`, which builds what is needed. Three nodes of each kind with an smbd on each; clients
of every node open, write, read and close files of their own and one of all, make and delete new files, and come back
with new sessions, at a pace that leaves the processors idle. Each minute it is written down what the nodes and the smbds have in memory and in
descriptors, how many records the databases of the cluster hold, and how long the clients waited. The table at the end sets the
first tenth beside the last. Ends with 1 if an SMB operation failed, or if floe has grown more than GROWTH allows.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import statistics
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / "interop"), str(pathlib.Path(__file__).resolve().parents[1] / "ctdb")]

import sandbox  # noqa: E402

KINDS = ("floe", "ctdbd")
# name, unit, how much of the beginning it may be at the end, and more than that by
ROWS = {
    "memory": ("resident memory of the biggest node", "MiB", 1.2, 8),
    "descriptors": ("descriptors of the node that has most", "", 1.0, 8),
    "smbd_memory": ("what one smbd process has for itself, mean", "MiB", 1.2, 2),
    "smbd_descriptors": ("descriptors of an smbd process, mean", "", 1.1, 2),
    "smbds": ("smbd processes of all nodes", "", 1.1, 6),
    # they go up and down with vacuuming
    "records": ("records of volatile databases, all nodes", "", 2.0, 1000),
    "disk": ("disk space of the databases of a node", "MiB", 1.5, 8),
    "wait": ("median of a client's round", "ms", None, None),
    "wait_99": ("99 of 100 rounds are shorter than", "ms", None, None),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, metavar="N")
    parser.add_argument("--clients", type=int, default=3, help="of each node", metavar="N")
    parser.add_argument("--pace", type=float, default=0.2, help="seconds between two rounds of a client", metavar="S")
    parser.add_argument("--every", type=float, default=60, help="seconds between two lines", metavar="S")
    parser.add_argument("--only", choices=KINDS, help="one side alone")
    parser.add_argument("--json", action="store_true", help="all numbers, for programs")
    return parser.parse_args()


def own_memory_mib(pid):
    """What a process has that it shares with no other: an smbd shares most with its parent."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_")) / 1024


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Side:
    """One kind: its cluster, its smbds, its clients, and what was seen of them."""

    def __init__(self, kind, stack, options):
        import measure
        import samba_verdicts
        import smb_clients
        self.kind, self._left, self._measure = kind, {}, measure
        self.servers = stack.enter_context({"floe": samba_verdicts.floe, "ctdbd": samba_verdicts.ctdbd}[kind](3))
        self.clients = [smb_clients.Clients(self.servers, pnn, f"{pnn}.{i}", options.pace)
                        for pnn in range(3) for i in range(options.clients)]
        self.seen = collections.defaultdict(list)

    def look(self):
        waits = sorted(w for c in self.clients for w in c.waits_since_last_asked())
        nodes, smbds = list(self.servers.nodes), self._smbds()
        row = {"memory": max(map(self._measure.resident_mib, nodes)),
               "descriptors": max(descriptors(node.pid) for node in nodes),
               "smbd_memory": statistics.mean(m for m, _ in smbds), "smbd_descriptors": statistics.mean(d for _, d in smbds),
               "smbds": len(smbds), "records": sum(map(self._records, nodes)), "disk": max(map(self._disk, nodes)),
               "wait": statistics.median(waits) * 1000, "wait_99": waits[len(waits) * 99 // 100] * 1000}
        for name, value in row.items():
            self.seen[name].append(value)
        return row

    def _smbds(self):
        """(MiB, descriptors) of each that does not end just now."""
        import cluster
        found = []
        for pid in cluster.processes_of(self.servers.directory / "smb."):
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("smbd"):
                    found.append((own_memory_mib(pid), descriptors(pid)))
        return found

    def _databases(self, node):
        """Names of volatile ones."""
        shown = node.ctdb("-X", "getdbmap").stdout.splitlines()
        rows = [dict(zip(shown[0].split("|"), line.split("|"))) for line in shown[1:] if line]
        return [r["Name"] for r in rows if r["Persistent"] == "0" and r["Replicated"] == "0"]

    def _records(self, node):
        count = 0
        for name in self._databases(node):
            if name not in self._left:
                self._left[name] = self._measure.Left(self.servers.cluster, name)
            count += self._left[name].on(node)
        return count

    @staticmethod
    def _disk(node):
        return sum(f.stat().st_blocks * 512 for f in (node.base / "db").rglob("*") if f.is_file()) / 1048576

    def end(self):
        for left in self._left.values():
            left.close()
        for c in self.clients:
            c.end()
        return [e for c in self.clients for e in c.errors]


def tenths(values):
    """Medians of the first tenth, without the very first, in which caches fill, and of the last."""
    part = max(1, len(values) // 10)
    return statistics.median(values[1:1 + part] or values), statistics.median(values[-part:])


def grown(seen):
    for name, (_, _, times, more) in ROWS.items():
        first, last = tenths(seen[name])
        if times is not None and last > first * times + more:
            yield f"{name}: {first:.1f} at the beginning, {last:.1f} at the end"


def table(sides):
    lines = [["", "unit", *(f"{s.kind}: begin, end" for s in sides)]]
    for name, (text, unit, _, _) in ROWS.items():
        lines.append([text, unit, *("{:,.1f}, {:,.1f}".format(*tenths(s.seen[name])) for s in sides)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        yield "  ".join(text.ljust(w) if i < 1 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths)))


def main():
    options = arguments()
    sandbox.enter()
    import cluster
    import smb_servers
    kinds = [options.only] if options.only else KINDS
    for reason in (*map(cluster.why_not, kinds), smb_servers.why_not()):
        if reason:
            sys.exit(f"cannot run: {reason}")
    with contextlib.ExitStack() as stack:
        sides = [Side(kind, stack, options) for kind in kinds]
        begun = time.monotonic()
        while (minutes := (time.monotonic() - begun) / 60) < options.minutes:
            time.sleep(options.every)
            for side in sides:
                row = side.look()
                print(f"# {minutes:5.1f} min, {side.kind:5}: " + ", ".join(f"{n} {v:.1f}" for n, v in row.items()),
                      file=sys.stderr, flush=True)
        rounds = {s.kind: sum(c.done_so_far for c in s.clients) for s in sides}
        errors = {s.kind: s.end() for s in sides}
    if options.json:
        print(json.dumps({"options": vars(options), "rounds": rounds, "errors": errors, "seen": {s.kind: s.seen for s in sides}}))
    else:
        print("\n".join(table(sides)))
        print(f"{options.minutes:.0f} minutes; " + ", ".join(
            f"{kind}: {rounds[kind]:,} rounds, {len(errors[kind])} errors{': ' + errors[kind][0] if errors[kind] else ''}" for kind in kinds))
    faults = [f"{s.kind}: {g}" for s in sides if s.kind == "floe" for g in grown(s.seen)]
    print("\n".join(faults))
    sys.exit(1 if faults or errors.get("floe") else 0)


if __name__ == "__main__":
    main()
