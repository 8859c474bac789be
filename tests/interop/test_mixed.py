#!/usr/bin/env python3
"""floe and Debian's ctdbd in one cluster, with either as leader.

Clients of each kind work as they do at home: at a ctdbd they lock its TDB file, at a floe node they use its record
controls. After each step every node must tell the same contents, and they must be what was written.
"""
import re
import signal
import struct
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import floe_cli as cli  # noqa: E402
import records  # noqa: E402
import tap  # noqa: E402
import tdb_records  # noqa: E402
from wait import until  # noqa: E402

GETVNNMAP, GET_RECMODE, DB_ATTACH = 5, 15, 18
DATABASE = "mixed.tdb"
RECORDS = 2000
IN_TRANSACTIONS = {"pairs.tdb": 61, "replica.tdb": 150}  # persistent and replicated, with the control that attaches it
PAIRS = 1000
COUNTERS, ROUNDS = 20, 10
TUNABLES = {"RerecoveryTimeout": 1, "RecoverTimeout": 10, "KeepaliveInterval": 1, "KeepaliveLimit": 3}


class FloeClient:
    """A client of a floe node with one database."""

    def __init__(self, node):
        self.connection = node.connect()
        self.database = records.attach(self.connection, DATABASE)

    def lock(self, key):
        return records.Lock(self.connection, self.database, key.encode())

    def close(self):
        self.connection.close()


class CtdbdClient:
    """A client of a ctdbd node with one database."""

    def __init__(self, node):
        self.connection = node.connect()
        self.database = tdb_records.Database(self.connection, DATABASE)

    def lock(self, key):
        return tdb_records.Lock(self.database, key.encode())

    def close(self):
        self.database.close()
        self.connection.close()


def told(node):
    """(generation, vnn map) of a node that is NORMAL, else None. Asked without ctdb's tool, which takes a second."""
    with node.connect() as connection:
        mode, _, _ = connection.request(GET_RECMODE)
        status, data, _ = connection.request(GETVNNMAP)
    if mode != 0 or status != 0:
        return None
    generation, size = struct.unpack_from("=II", data)
    return generation, struct.unpack_from(f"={size}I", data, 8)


class Story(unittest.TestCase):
    """What is done to a cluster; the classes below say of which nodes it consists."""

    maxDiff = 1000
    kinds = leaders = None
    lock = False  # a cluster lock that all share

    @classmethod
    def setUpClass(cls):
        group = cluster.MixedCluster(cls.kinds, cls.leaders, TUNABLES, cls.lock)
        cls.nodes = cls.enterClassContext(cluster.running(group))
        cls.expected = {}
        cls.pairs = {db: {} for db in IN_TRANSACTIONS}
        with cls.nodes[0].connect() as connection:
            for db, attach in IN_TRANSACTIONS.items():
                assert connection.request(attach, db.encode() + b"\0", seconds=60)[0] == 0
        cls.turn = 0
        cls.fill("first")

    def tearDown(self):
        if self.id() in {test.id() for test, _ in getattr(self._outcome.result, "failures", [])}:
            self.nodes.show_logs()

    @classmethod
    def client(cls, node):
        return {"floe": FloeClient, "ctdbd": CtdbdClient}[cls.nodes.kind(node)](node)

    @classmethod
    def fill(cls, word, nodes=None):
        """Every record new, written through each of the nodes in turn; transactions through one after the other."""
        nodes = list(nodes or cls.nodes)
        clients = [cls.client(node) for node in nodes]
        for i in range(RECORDS):
            key, value = f"key-{i:05}", f"{word}-{i}"
            with clients[i % len(clients)].lock(key) as held:
                held.store(value.encode())
            cls.expected[key] = value
        for client in clients:
            client.close()
        for db in IN_TRANSACTIONS:
            cls.turn += 1
            cls.transact(nodes[cls.turn % len(nodes)], db, {f"pair-{i:04}": f"{word}, {i}" for i in range(PAIRS)})

    @classmethod
    def transact(cls, node, db, pairs):
        """All of them at once, with the tool of that node."""
        text = "".join(f'"{key}" "{value}"\n' for key, value in pairs.items())
        file = cls.nodes.directory / "pairs"
        file.write_text(text)
        if cls.nodes.kind(node) == "floe":
            command = [cluster.FLOE, "--base", node.base, "ptrans", db, file]
        else:
            command = [cluster.CTDB, "ptrans", db, file]
        subprocess.run(command, env=node.environment, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        cls.pairs[db].update(pairs)

    def leader(self):
        return self.leader_of(self.up()[0])

    def leader_of(self, node):
        return self.nodes[int(until(lambda: re.match(r"\d+", node.ctdb("leader").stdout), f"{node} knows a leader")[0])]

    def up(self):
        return [node for node in self.nodes if node.pid]

    def settled(self, nodes=None, older_than=None):
        """These nodes (all that run) are NORMAL, and have one generation, which is returned, and are in its map."""
        nodes = nodes or self.up()
        seen = {told(node) for node in nodes}
        if len(seen) != 1 or None in seen:
            return None
        generation, lmasters = seen.pop()
        return generation if generation != older_than and set(lmasters) == {node.pnn for node in nodes} else None

    def recover(self):
        before = self.settled()
        self.assertEqual(0, self.up()[0].ctdb("recover").returncode)
        until(lambda: self.settled(older_than=before), "a recovery asked for has ended")

    def contents(self, node, db=DATABASE):
        if self.nodes.kind(node) == "floe":
            return cli.contents(node, db)
        def whole():
            """Not one that a recovery, which a ctdbd may well find due once more, has refused or cut short."""
            before = told(node)
            asked = node.ctdb("catdb", db)
            good = before and asked.returncode == 0 and "Dumped" in asked.stdout and told(node) == before
            return asked.stdout if good else None

        text = until(whole, f"catdb {db} on {node} comes to its end")
        return dict(zip(re.findall(r'^key\(\d+\) = "(.*)"$', text, re.M), re.findall(r'^data\(\d+\) = "(.*)"$', text, re.M)))

    def assert_all_there(self):
        """By traverse on every node, and by single reads there."""
        for node in self.up():
            self.assertEqual(self.expected, self.contents(node), f"traversed on {node}")
            for db, pairs in self.pairs.items():
                there = self.contents(node, db)
                self.assertEqual(pairs, {key: value for key, value in there.items() if key.startswith("pair-")},
                                 f"{db} on {node}")
            client = self.client(node)
            for key in list(self.expected)[::37]:
                with client.lock(key) as held:
                    self.assertEqual(self.expected[key], held.data.decode(), f"{key} on {node}")
            client.close()

    def leads_as_it_should(self):
        self.assertIn(self.nodes.kind(self.leader()), self.leaders)

    # the steps, in order

    def test_1_written_here_read_there(self):
        self.leads_as_it_should()
        self.assert_all_there()

    def test_2_counters_move_between_all(self):
        """Each client adds one to each counter, in turn: every step takes the record to another node."""
        clients = [self.client(node) for node in self.nodes]
        for _ in range(ROUNDS):
            for client in clients:
                for i in range(COUNTERS):
                    with client.lock(f"counter-{i}") as held:
                        held.store(b"%d" % (int(held.data or b"0") + 1))
        for client in clients:
            client.close()
        self.expected.update({f"counter-{i}": str(ROUNDS * len(clients)) for i in range(COUNTERS)})
        self.assert_all_there()

    def test_3_odd_names(self):
        """Whatever a ctdbd lets its clients call a database, the others have it as well: else no recovery would end."""
        names = [""]
        if "ctdbd" not in self.leaders:  # its own recoveries fail with a name that is a path
            names.append("../odd.tdb")
        with self.nodes.of_kind("ctdbd")[0].connect() as client:
            for name in names:
                self.assertEqual(0, client.request(DB_ATTACH, name.encode() + b"\0", seconds=60)[0])
        self.recover()
        for node in self.nodes:
            listed = node.ctdb("getdbmap").stdout
            for name in names:
                self.assertIn(f" name:{name} path:", listed)
        self.assert_all_there()

    def test_3_recovered(self):
        self.recover()
        self.leads_as_it_should()
        self.assert_all_there()

    def test_4_stopped_and_continued(self):
        for node in (self.nodes.of_kind("floe")[-1], self.nodes.of_kind("ctdbd")[-1]):
            with self.subTest(stopped=self.nodes.kind(node)):
                if [n for n in self.nodes if n is not node and self.nodes.kind(n) in self.leaders] == []:
                    continue  # nobody could lead without it
                self.assertEqual(0, node.ctdb("stop").returncode)
                others = [n for n in self.nodes if n is not node]
                until(lambda: self.settled(others), f"{node} is out of the map")
                self.fill(f"while {node} is stopped", others)
                self.assertEqual(0, node.ctdb("continue").returncode)
                until(self.settled, f"{node} is in the map again")
                self.assert_all_there()

    def test_5_banned_and_unbanned(self):
        for node in (self.nodes.of_kind("floe")[-1], self.nodes.of_kind("ctdbd")[-1]):
            with self.subTest(banned=self.nodes.kind(node)):
                if [n for n in self.nodes if n is not node and self.nodes.kind(n) in self.leaders] == []:
                    continue
                self.assertEqual(0, node.ctdb("ban", "600").returncode)
                others = [n for n in self.nodes if n is not node]
                until(lambda: self.settled(others), f"{node} is out of the map")
                self.fill(f"while {node} is banned", others)
                self.assertEqual(0, node.ctdb("unban").returncode)
                until(self.settled, f"{node} is in the map again")
                self.assert_all_there()

    def test_6_killed_and_started(self):
        for node in (self.nodes.of_kind("floe")[-1], self.nodes.of_kind("ctdbd")[-1]):
            with self.subTest(killed=self.nodes.kind(node)):
                if [n for n in self.nodes if n is not node and self.nodes.kind(n) in self.leaders] == []:
                    continue
                self.recover()  # now all have all
                node.signal(signal.SIGKILL)
                others = [n for n in self.nodes if n is not node]
                until(lambda: self.settled(others), f"{node} is out of the map")
                self.assert_all_there()
                self.fill(f"while {node} is dead", others)
                self.nodes.start_node(node)
                self.nodes.wait_healthy()
                until(self.settled, f"{node} is in the map again")
                self.assert_all_there()

    def test_7_shut_down_in_good_order(self):
        """A floe node that is told to end gives first what only it has: in a recovery of its own, whoever leads."""
        node = self.nodes.of_kind("floe")[-1]
        others = [n for n in self.nodes if n is not node]
        if not any(self.nodes.kind(n) in self.leaders for n in others):
            self.skipTest("nobody could lead without it")
        self.fill("last seen by all")
        node.signal(signal.SIGTERM)
        until(lambda: node.pid is None, f"{node} has ended")
        until(lambda: self.settled(others), f"{node} is out of the map")
        self.assert_all_there()
        self.nodes.start_node(node)
        self.nodes.wait_healthy()
        until(self.settled, f"{node} is in the map again")
        self.assert_all_there()


class OneFloeLeads(Story):
    kinds, leaders = ("floe", "ctdbd", "ctdbd"), ("floe",)


class OneFloeFollows(Story):
    kinds, leaders = ("floe", "ctdbd", "ctdbd"), ("ctdbd",)


class TwoFloeLead(Story):
    kinds, leaders = ("floe", "ctdbd", "floe"), ("floe",)


class TwoFloeFollow(Story):
    kinds, leaders = ("floe", "ctdbd", "floe"), ("ctdbd",)


class AnybodyLeads(Story):
    kinds, leaders = ("ctdbd", "floe", "ctdbd"), ("floe", "ctdbd")
    test_4_stopped_and_continued = test_5_banned_and_unbanned = None  # the others do it
    test_6_killed_and_started = test_7_shut_down_in_good_order = None

    def test_7_the_office_moves(self):
        """Whoever is left leads: each kind takes over from the other, and recovers what the other has written."""
        for kind in ("floe", "ctdbd", "floe"):
            with self.subTest(leads=kind):
                others = [node for node in self.nodes if self.nodes.kind(node) != kind]
                for node in others:
                    self.assertEqual(0, node.ctdb("stop").returncode)
                left = self.nodes.of_kind(kind)
                until(lambda: self.settled(left), f"only {kind} is left")
                self.assertEqual(kind, self.nodes.kind(self.leader_of(left[0])))
                self.fill(f"led by {kind}", left)
                for node in others:
                    self.assertEqual(0, node.ctdb("continue").returncode)
                until(self.settled, "all are back")
                self.assert_all_there()

    def test_8_the_leader_is_killed(self):
        """The others, of whatever kind, go on without it."""
        for _ in range(2):
            leader = self.leader()
            with self.subTest(killed=self.nodes.kind(leader)):
                self.recover()
                leader.signal(signal.SIGKILL)
                others = [node for node in self.nodes if node is not leader]
                until(lambda: self.settled(others), f"{leader} is out of the map")
                self.assert_all_there()
                self.nodes.start_node(leader)
                self.nodes.wait_healthy()
                until(self.settled, f"{leader} is in the map again")
                self.assert_all_there()


class OneLockForAll(AnybodyLeads):
    """The file of the cluster lock is one for both kinds, and each keeps the other from leading."""

    lock = True


del Story

if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
