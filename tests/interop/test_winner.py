#!/usr/bin/env python3
"""Which copy of a record wins when a node that hung comes back: two losses of CTDB, and floe without them.

The same happens to a cluster of floe nodes and to one of Debian's ctdbd: a node is stopped by signal, the others go on
without it, it wakes. With ctdbd the old content wins; that this is so is tested too, because it is why floe does it
otherwise (the difference is described in the README).
"""
import re
import signal
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import records  # noqa: E402
import tap  # noqa: E402
import tdb_records  # noqa: E402
from wait import until  # noqa: E402

DATABASE = "winner.tdb"
TUNABLES = {"KeepaliveInterval": 1, "KeepaliveLimit": 2, "RerecoveryTimeout": 1, "RecoverTimeout": 5}
ACTIVE = b"\1\0\0\0"
SET_RECMODE = 16


class FloeClient:
    def __init__(self, node):
        self.connection = node.connect()
        self.database = records.attach(self.connection, DATABASE)

    def lock(self, key):
        return records.Lock(self.connection, self.database, key)

    def call(self, key):
        tdb_records.call(self.connection, self.database, key)


class CtdbdClient:
    def __init__(self, node):
        self.connection = node.connect()
        self.database = tdb_records.Database(self.connection, DATABASE)

    def lock(self, key):
        return tdb_records.Lock(self.database, key)

    def call(self, key):
        self.database.call_here(key)


class HungNode:
    """A node wakes after the others have gone on; what is then in the records?"""

    kind = client = None

    def setUp(self):
        self.nodes = self.enterContext(cluster.of(self.kind, tunables=TUNABLES))
        self.clients = [self.client(node) for node in self.nodes]

    def write(self, pnn, key, data):
        with self.clients[pnn].lock(key) as held:
            held.store(data)

    def read(self, pnn, key):
        with self.clients[pnn].lock(key) as held:
            return held.data

    def normal(self, nodes, size):
        return all("Recovery mode:NORMAL" in told and f"Size:{size}\n" in told
                   for told in (node.ctdb("-t", "5", "status").stdout for node in nodes))

    def recover(self, nodes):
        """A recovery that begins after the call, and its end."""
        before = nodes[0].ctdb("status").stdout
        generation = [line for line in before.splitlines() if line.startswith("Generation")]
        self.assertEqual(0, self.clients[nodes[0].pnn].connection.request(SET_RECMODE, ACTIVE)[0])
        until(lambda: self.normal(nodes, len(nodes)) and generation[0] not in nodes[0].ctdb("status").stdout,
              "a recovery asked for has ended")

    def test_hung_node(self):
        leader = int(until(lambda: re.match(r"\d+", self.nodes[0].ctdb("leader").stdout), "somebody leads")[0])
        hung = self.nodes[2 if leader != 2 else 1]
        survivors = [node for node in self.nodes if node is not hung]
        writer = survivors[0].pnn
        for _ in range(3):  # it has the latest copies; a recovery gives everybody one
            self.write(writer, b"value", b"older")
            self.write(hung.pnn, b"value", b"old")
            self.write(hung.pnn, b"deleted", b"was here")
        self.recover(list(self.nodes))
        for _ in range(4):  # and now it is the only one with the latest
            self.write(writer, b"value", b"older")
            self.write(hung.pnn, b"value", b"old")
        for _ in range(10):  # calls of its own clients count as well
            self.clients[hung.pnn].call(b"value")

        hung.signal(signal.SIGSTOP)
        until(lambda: self.normal(survivors, 2), "the others go on without it")
        self.write(writer, b"value", b"new")
        self.write(writer, b"deleted", b"")
        self.recover(survivors)  # empty records go
        hung.signal(signal.SIGCONT)
        until(lambda: self.normal(self.nodes, 3), "all are together again")
        for node in (self.nodes[writer], hung):
            self.verdict([self.read(node.pnn, b"value"), self.read(node.pnn, b"deleted")])


class Floe(HungNode, unittest.TestCase):
    kind, client = "floe", FloeClient

    def verdict(self, seen):
        self.assertEqual([b"new", b""], seen)


class Ctdbd(HungNode, unittest.TestCase):
    """Not a wish: what the original does."""

    kind, client = "ctdbd", CtdbdClient

    def verdict(self, seen):
        self.assertEqual([b"old", b"was here"], seen)


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
