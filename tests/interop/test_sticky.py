#!/usr/bin/env python3
"""Sticky records in a cluster of a floe node and Debian's ctdbd: whichever kind a sticky record comes to, it stays there for
StickyPindown although a node of the other kind wants it, and goes then. Clients of a ctdbd lock records in its TDB file.
"""
import struct
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import tap  # noqa: E402
from either_client import client_of  # noqa: E402
from wait import until  # noqa: E402

GET_DBMAP = 9
DATABASE = "pinned.tdb"
PINDOWN_MS = 1500
TUNABLES = {"StickyPindown": PINDOWN_MS, "HopcountMakeSticky": 0}


class Pins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(
            cluster.running(cluster.MixedCluster(("floe", "ctdbd", "ctdbd"), tunables=TUNABLES)))
        cls.clients = [client_of(cls.nodes.kind(node), node, DATABASE) for node in cls.nodes]
        db_id = struct.pack("=I", cls.clients[0].database)
        for node in cls.nodes:
            with node.connect() as connection:
                until(lambda: db_id in connection.request(GET_DBMAP)[1], f"{node} has the database")

    @classmethod
    def tearDownClass(cls):
        for client in cls.clients:
            client.close()

    def flags(self, node):
        """What getdbmap says of the database: "STICKY" is among it, or not."""
        return next(line for line in node.ctdb("getdbmap").stdout.splitlines() if DATABASE in line).split(DATABASE)[-1]

    def seconds_until_it_comes(self, pinned, other, key):
        """It comes to `pinned`, leaves it once, comes back, and is wanted by `other` at once."""
        self.clients[pinned].write(key, b"first")
        self.clients[other].write(key, b"wanted elsewhere")
        self.clients[pinned].write(key, b"back")
        began = time.monotonic()
        self.clients[pinned].write(key, b"whoever is here goes on")
        self.clients[other].write(key, b"in the end")
        took = time.monotonic() - began
        self.assertEqual(b"in the end", self.clients[other].read(key))
        return took

    def test_1_nothing_is_pinned_in_a_database_that_is_not_sticky(self):
        self.assertTrue(all("STICKY" not in self.flags(node) for node in self.nodes))
        for pinned, other in ((0, 1), (1, 0)):
            # one of several: others may keep this machine busy
            tries = (self.seconds_until_it_comes(pinned, other, b"free %d %d" % (pinned, n)) for n in range(20))
            self.assertTrue(any(took < PINDOWN_MS / 1000 * 0.8 for took in tries), self.nodes.kinds[pinned])

    def test_2_a_sticky_record_stays_and_goes(self):
        for node in self.nodes:
            self.assertEqual(0, node.ctdb("setdbsticky", DATABASE).returncode)
            self.assertIn("STICKY", self.flags(node))
        for pinned, other in ((0, 1), (1, 0), (0, 2), (2, 0)):
            with self.subTest(pinned_on=self.nodes.kinds[pinned], wanted_by=self.nodes.kinds[other]):
                took = self.seconds_until_it_comes(pinned, other, b"pinned %d %d" % (pinned, other))
                # the clock of the pin began a moment before ours
                self.assertGreater(took, PINDOWN_MS / 1000 * 0.5)
                self.assertLess(took, 30)


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
