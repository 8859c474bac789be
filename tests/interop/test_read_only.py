#!/usr/bin/env python3
"""Read-only copies in a cluster of floe nodes and Debian's ctdbd: each kind gives copies to the other, calls them back
before a write, and ends them in a recovery. Clients of a ctdbd read and write its TDB file, as smbd does.
"""
import signal
import struct
import threading
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import tap  # noqa: E402
from either_client import FloeClient, client_of  # noqa: E402
from wait import until  # noqa: E402

SET_DB_READONLY, GET_DBMAP, GETVNNMAP, GET_RECMODE = 129, 9, 5, 15
DATABASE = "copies.tdb"
TUNABLES = {"RerecoveryTimeout": 1, "RecoverTimeout": 10, "KeepaliveInterval": 1, "KeepaliveLimit": 3}


class Story(unittest.TestCase):
    kinds = None

    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.running(cluster.MixedCluster(cls.kinds, tunables=TUNABLES)))
        cls.clients = []
        for node in cls.nodes:
            cls.clients.append(client_of(cls.nodes.kind(node), node, DATABASE))
        for node in cls.nodes:
            cls.allow(node)

    @classmethod
    def tearDownClass(cls):
        for client in cls.clients:
            client.close()

    @classmethod
    def allow(cls, node):
        db_id = next(c for c in cls.clients if isinstance(c, FloeClient)).database
        with node.connect() as connection:
            until(lambda: struct.pack("=I", db_id) in connection.request(GET_DBMAP)[1], f"{node} has the database")
            assert connection.request(SET_DB_READONLY, struct.pack("=I", db_id))[0] == 0

    def all_read(self, key, value):
        for n, client in enumerate(self.clients):
            self.assertEqual(value, client.read(key), f"read on node {n}")

    def test_1_everybody_reads_what_each_has_written(self):
        for n, writer in enumerate(self.clients):
            key = b"of-%d" % n
            for turn in range(2):
                value = b"%d, %d" % (n, turn)
                writer.write(key, value)  # the copies of the turn before are called back
                self.all_read(key, value)
                self.all_read(key, value)
                holders = [c.has_copy(key) for c in self.clients]
                self.assertEqual([m != n for m in range(len(holders))], holders)

    def test_2_everybody_writes_what_all_have_copies_of(self):
        self.clients[0].write(b"shared", b"first")
        for turn in range(2):
            for n, writer in enumerate(self.clients):
                self.all_read(b"shared", self.clients[0].read(b"shared"))
                value = b"node %d, %d" % (n, turn)
                writer.write(b"shared", value)
                self.all_read(b"shared", value)

    def test_3_a_recovery_ends_all_copies(self):
        self.clients[0].write(b"kept", b"before")
        self.all_read(b"kept", b"before")
        self.recover()
        for n, client in enumerate(self.clients):
            self.assertFalse(client.has_copy(b"kept"), f"node {n}")
        for n, writer in enumerate(self.clients):
            value = b"after, by %d" % n
            writer.write(b"kept", value)
            self.all_read(b"kept", value)

    def test_4_a_holder_hangs(self):
        """Whoever writes waits until the cluster has gone on without it, and no longer."""
        for hung in (self.nodes.kinds.index("floe"), self.nodes.kinds.index("ctdbd")):
            with self.subTest(hangs=self.nodes.kinds[hung]):
                writer = (hung + 1) % len(self.clients)
                self.clients[writer].write(b"held", b"old")
                self.all_read(b"held", b"old")
                before = self.told(writer)
                self.nodes[hung].signal(signal.SIGSTOP)
                try:
                    written = threading.Thread(target=self.clients[writer].write, args=(b"held", b"new"))
                    written.start()
                    written.join(60)
                    self.assertFalse(written.is_alive(), "the writer waits for ever")
                    self.assertNotEqual(before, self.told(writer))
                    for n, client in enumerate(self.clients):
                        if n != hung:
                            self.assertEqual(b"new", client.read(b"held"))
                finally:
                    self.nodes[hung].signal(signal.SIGCONT)
                self.nodes.wait_healthy()
                until(self.settled, "all are back")
                self.assertEqual(b"new", self.clients[hung].read(b"held"))

    def told(self, n):
        with self.nodes[n].connect() as connection:
            mode = connection.request(GET_RECMODE)[0]
            return None if mode else connection.request(GETVNNMAP)[1]

    def settled(self):
        seen = {self.told(n) for n in range(len(self.clients))}
        one = seen.pop()
        return not seen and one and struct.unpack_from("=I", one, 4)[0] == len(self.clients) and one

    def recover(self):
        before = self.settled()
        self.assertEqual(0, self.nodes[0].ctdb("recover").returncode)
        until(lambda: self.settled() not in (before, None, False), "a recovery has ended")


class OneFloe(Story):
    kinds = ("floe", "ctdbd", "ctdbd")


class TwoFloe(Story):
    kinds = ("floe", "ctdbd", "floe")


del Story

if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
