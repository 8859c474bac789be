"""The measurements: each takes a running cluster of either kind and returns numbers.

Both kinds are measured from outside with the same client and the same packets. One difference, in ctdbd's favour: its
recovery is taken from the leader's log, between "Set recovery mode to ACTIVE" and "... NORMAL", because the daemon
looks only once a second whether a recovery is wanted. floe's is all that a client sees, from the control that asks for
it to the answer that says NORMAL.
"""
import contextlib
import datetime
import json
import os
import pathlib
import re
import struct
import subprocess
import time
import types

import cluster
import floe_cli
import tdb_records
from wait import until

CLIENT = os.environ.get("BENCH_CLIENT", "")
GETVNNMAP, GET_RECMODE, SET_RECMODE = 5, 15, 16
NORMAL, ACTIVE = 0, 1


def kind_of(group):
    return "floe" if isinstance(group, cluster.FloeCluster) else "ctdbd"


def client(*arguments, timeout=300):
    done = subprocess.run([CLIENT, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"bench_ctdb_client {' '.join(map(str, arguments))}: {done.stderr}")
    return json.loads(done.stdout)


def per_second(answer):
    return answer["operations"] / answer["seconds"]


def updates(group, seconds, clients, whose, way=None):
    """Lock, store, unlock on node 0: all clients together per second, and the longest that one of them took once, in ms.
    whose: "own" record each, or the "same"."""
    answer = client(way or kind_of(group), "update", seconds, clients, whose, "update.tdb", group[0].socket)
    return per_second(answer), answer["longest_ms"]


def reads(group, seconds, clients, whose):
    """The same with reads that take no lock; per second."""
    return per_second(client(kind_of(group), "read", seconds, clients, whose, "update.tdb", group[0].socket))


def everywhere(group, what, seconds, clients, way=None):
    """So many clients on each node fetch one record ("fetch", "fetch-copies") or update it ("contend"): (per second, the
    longest that one of them took once, in ms)."""
    answer = client(way or kind_of(group), what, seconds, clients, f"{what}.tdb", *(node.socket for node in group))
    return per_second(answer), answer["longest_ms"]


def contended(group, seconds, clients):
    """So many clients on each node update one record: (per second, the longest that one of them took once in ms; of those
    updates that found the record elsewhere: the mean in ms, the longest over it)."""
    answer = client(kind_of(group), "contend", seconds, clients, "contend.tdb", *(node.socket for node in group))
    return per_second(answer), answer["longest_ms"], answer["asked_mean_ms"], unevenness(answer)


def unevenness(answer):
    return answer["asked_longest_ms"] / max(answer["asked_mean_ms"], 1e-6)


def contended_sticky(group, seconds, clients, pindowns_ms=(5, 20, 200)):
    """contended() with the setting of a sticky database by which most updates are done. Of ctdbd; floe needs no setting."""
    for node in group:
        for command in (("setvar", "HopcountMakeSticky", 0), ("setdbsticky", "contend.tdb")):
            if node.ctdb(*command).returncode != 0:
                raise RuntimeError(f"ctdb {command}")
    tried = []
    for pindown in pindowns_ms:
        for node in group:
            node.ctdb("setvar", "StickyPindown", pindown)
        tried.append(contended(group, seconds, clients))
    return max(tried)


def migrations(group, seconds):
    """One record that each node wants in turn, per second."""
    return per_second(client(kind_of(group), "migrate", seconds, "migrate.tdb", *(node.socket for node in group)))


def wandering(group, seconds, clients=4, records=64):
    """Records that clients on all nodes update at random: per second, and the longest that one update took, in ms."""
    answer = client(kind_of(group), "wander", seconds, clients, records, "migrate.tdb", *(node.socket for node in group))
    return per_second(answer), answer["longest_ms"]


def stream(group, seconds):
    """One record that a client on each node updates without a pause: per second; of all but the first client the longest time of
    an update in ms and the mean in µs; of those updates that found it elsewhere the mean in ms and the longest over it."""
    answer = client(kind_of(group), "stream", seconds, "migrate.tdb", *(node.socket for node in group))
    return per_second(answer), answer["longest_ms"], answer["mean_ms"] * 1000, answer["asked_mean_ms"], unevenness(answer)


def transactions(group, seconds, kind):
    """A client on each node commits transactions to one "persistent" or "replicated" database; per second."""
    return per_second(client(kind_of(group), "transact", seconds, kind, f"{kind}.tdb", *(node.socket for node in group)))


def messages(group, seconds, at_once):
    """So many messages that go round clients of all nodes: deliveries per second."""
    return per_second(client(kind_of(group), "messages", seconds, at_once, *(node.socket for node in group)))


def leader(group):
    return group[until(lambda: group.leader(), "a leader") if group.leader() is None else group.leader()]


def recovery(group, node):
    """Milliseconds of a recovery that is asked for now. `node` leads."""
    log = node.base / "log.ctdb"
    skip = log.stat().st_size if log.exists() else 0
    with node.connect() as connection:
        def generation():
            return connection.request(GETVNNMAP)[1][:4]

        def is_over():
            return connection.request(GET_RECMODE, seconds=120)[0] == NORMAL and generation() != before

        before = generation()
        start = time.monotonic()
        connection.request(SET_RECMODE, struct.pack("=I", ACTIVE))
        while not is_over():
            time.sleep(0.001 if kind_of(group) == "floe" else 0.05)  # asking more often would slow down what we measure
            if time.monotonic() > start + 300:
                raise RuntimeError("the recovery did not end")
        seen = (time.monotonic() - start) * 1000
    return seen if kind_of(group) == "floe" else logged_recovery(log, skip)


def logged_recovery(log, skip):
    """Of the last recovery in the log behind this offset."""
    def finished():
        with open(log, encoding="utf-8", errors="replace") as text:
            text.seek(skip)
            lines = text.read().splitlines()
        return lines if any("Set recovery mode to NORMAL" in line for line in lines) else None

    lines = until(finished, "the recovery's end in the log")
    moments = [[when(line) for line in lines if f"Set recovery mode to {mode}" in line][-1]
               for mode in ("ACTIVE", "NORMAL")]
    return (moments[1] - moments[0]).total_seconds() * 1000


def when(line):
    return datetime.datetime.fromisoformat(re.match(r"\S+", line).group())


@contextlib.contextmanager
def watching(group, node, database):
    """A client on `node` updates a record of the database meanwhile; afterwards `longest_ms` of what is yielded is the longest
    that one update took."""
    watch = subprocess.Popen([CLIENT, kind_of(group), "pause", database, str(node.socket)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    seen = types.SimpleNamespace(longest_ms=None)
    try:
        if watch.stdout.readline() != "ready\n":
            raise RuntimeError("the watching client failed")
        yield seen
        answer, _ = watch.communicate(timeout=120)
        seen.longest_ms = json.loads(answer)["longest_pause_ms"]
    finally:
        watch.kill()
        watch.wait()


def pause(group, node, database):
    """(longest time in ms that an update in this database took during a recovery, the recovery's ms). `node` leads."""
    with watching(group, node, database) as seen:
        spent = recovery(group, node)
    return seen.longest_ms, spent


def is_normal_without(node, pnn):
    """Whether the node's map has not this one, and its recovery is over."""
    with node.connect() as connection:
        data = connection.request(GETVNNMAP)[1]
        numbers = struct.unpack(f"={len(data) // 4}I", data)
        return pnn not in numbers[2:2 + numbers[1]] and connection.request(GET_RECMODE)[0] == NORMAL


def touch(group, count, step, database, node=None):
    """`count` of the records that filling.py has made are updated on this node, or node 0: every `step`-th."""
    client(kind_of(group), "touch", count, step, database, (node or group[0]).socket)


def deletions(group, count, database, cap_s=180):
    """Of `count` records that filling.py has made each node deletes its share, at once. (seconds from the last deletion until
    no node has anything left of them, at most `cap_s`; the longest time in ms that an update of another record took once
    meanwhile, on whatever node)."""
    kind, nodes, left = kind_of(group), list(group), Left(group, database)
    watches = [subprocess.Popen([CLIENT, kind, "pause", f"watched{node.pnn}.tdb", str(node.socket)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True) for node in nodes]
    try:
        for watch in watches:
            if watch.stdout.readline() != "ready\n":
                raise RuntimeError("a watching client failed")
        each = count // len(nodes)
        shares = [each] * (len(nodes) - 1) + [count - each * (len(nodes) - 1)]
        work = [subprocess.Popen([CLIENT, kind, "delete", str(share), "1", str(each * n), database, str(node.socket)],
                                 stdout=subprocess.PIPE) for n, (node, share) in enumerate(zip(nodes, shares))]
        for one in work:
            if one.wait(600) != 0:
                raise RuntimeError("a deleting client failed")
        start, gone = time.monotonic(), None
        while gone is None and time.monotonic() - start < cap_s:
            if all(left.on(node) == 0 for node in nodes):
                gone = time.monotonic() - start
            time.sleep(0.2)
        for watch in watches:
            watch.stdin.close()
        longest = max(json.loads(watch.stdout.read())["longest_pause_ms"] for watch in watches)
        return cap_s if gone is None else gone, longest
    finally:
        left.close()
        for process in watches:
            process.kill()
            process.wait()


class Left:
    """How many records each node has of a database, deleted ones included."""

    def __init__(self, group, database):
        self.kind, self.database, self.opened = kind_of(group), database, {}
        if self.kind == "ctdbd":
            for node in group:
                connection = node.connect()
                self.opened[node.pnn] = connection, tdb_records.Database(connection, database)

    def on(self, node):
        if self.kind == "floe":
            return floe_cli.run(node, "getdbstatus", self.database)["records"]
        return self.opened[node.pnn][1].count()

    def close(self):
        for connection, database in self.opened.values():
            database.close()
            connection.close()


def resident_mib(node):
    """The daemon's resident memory, with what its helper processes have for themselves."""
    def of(pid, *fields):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return sum(int(re.search(rf"^{field}: +(\d+) kB", text, re.M).group(1)) for field in fields)

    def descendants(pid):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield child
            yield from descendants(child)

    total = of(node.pid, "Rss")
    for child in descendants(node.pid):
        with contextlib.suppress(OSError, AttributeError):  # it has ended meanwhile
            total += of(child, "Private_Clean", "Private_Dirty")
    return total / 1024
