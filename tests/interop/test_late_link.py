#!/usr/bin/env python3
"""A ctdbd's link to a node that has taken another's place, at its worst: the map has both before they reach each other, and the
ctdbd drops the answers to the node's first questions because it does not know yet that its own connection is up. What its
clients have asked over the link in the meantime is lost, and asked again by a recovery only.

The ctdbd is played by the test, so that it happens every time.
"""
import struct
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import tap  # noqa: E402
import wire  # noqa: E402
from node_status import status  # noqa: E402
from peer import GET_CAPABILITIES, GET_NODEMAP, Peer  # noqa: E402
from wait import until  # noqa: E402

GET_RECMODE, SET_RECMODE, SET_VNNMAP = 15, 16, 6
NORMAL, ACTIVE = 0, 1


class DeafAtFirst(Peer):
    """Drops the answers to the first questions of each kind."""

    def __init__(self, *arguments, dropped):
        super().__init__(*arguments)
        self.left = {GET_CAPABILITIES: dropped, GET_NODEMAP: dropped}

    def greeted(self, packet):
        if packet.operation == wire.REQ_CONTROL:
            (opcode,) = struct.unpack_from("=I", packet.body)
            if self.left.get(opcode, 0) > 0:
                self.left[opcode] -= 1
                return True
        return super().greeted(packet)


class LateLink(unittest.TestCase):
    def setUp(self):
        group = cluster.MixedCluster(("floe", "ctdbd"), leaders=())
        self.node, self.absent = group
        self.addCleanup(group.stop)
        group.start_node(self.node)
        until(lambda: self.node.pid and self.node.ctdb("ping").returncode == 0, "the node answers", 30)
        self.client = self.enterContext(self.node.connect())

    def mode(self):
        return self.client.request(GET_RECMODE)[0]

    def recovered_with(self, slots):
        """As a leader would who reaches both."""
        self.assertEqual(0, self.client.request(SET_RECMODE, struct.pack("=I", ACTIVE))[0])
        packed = struct.pack(f"=II{len(slots)}I", 77, len(slots), *slots)
        self.assertEqual(0, self.client.request(SET_VNNMAP, packed)[0])

    def normal(self):
        return self.client.request(SET_RECMODE, struct.pack("=I", NORMAL))[0]

    def connected(self, peer):
        """Answers the greeting until it is over; how long that took since the node's first question."""
        begun = None
        def over():
            nonlocal begun
            peer.turn(0.05)
            if begun is None and peer.back and peer.out:
                begun = time.monotonic()
            return "DISCONNECTED" not in self.node.ctdb("nodestatus", "1").stdout
        until(over, "the node says that node 1 is connected", 30)
        return time.monotonic() - begun

    def test_answers_that_were_dropped_are_asked_for_again_at_once(self):
        with DeafAtFirst(self.node, self.absent, dropped=2) as peer:
            self.assertLess(self.connected(peer), 4, "it was given up first")

    def test_who_is_in_the_map_before_its_link_is_up_is_recovered_for(self):
        self.recovered_with([0, 1])
        self.assertEqual(0, self.normal())
        self.assertEqual(NORMAL, self.mode())
        with DeafAtFirst(self.node, self.absent, dropped=1) as peer:
            self.connected(peer)
            until(lambda: self.mode() == ACTIVE, "a recovery is asked for", 10)
            self.assertIn("node 1 was in the map before it was connected", " ".join(status(self.node)["warnings"]))

    def test_also_if_it_comes_while_the_recovery_is_on_that_has_set_the_map(self):
        self.recovered_with([0, 1])
        with Peer(self.node, self.absent) as peer:
            self.connected(peer)
            self.assertEqual(ACTIVE, self.mode())
            self.assertEqual(0, self.normal(), "that recovery is good")
            until(lambda: self.mode() == ACTIVE, "another one is asked for", 10)
            self.recovered_with([0, 1])
            self.assertEqual(0, self.normal())
            self.assertEqual(NORMAL, self.mode(), "and that is enough")

    def test_who_was_not_in_the_map_is_not(self):
        self.recovered_with([0])
        self.assertEqual(0, self.normal())
        with Peer(self.node, self.absent) as peer:
            self.connected(peer)
            self.assertEqual(NORMAL, self.mode())


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
