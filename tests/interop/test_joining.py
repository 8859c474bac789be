#!/usr/bin/env python3
"""A node that lacks much is filled before it joins: what tools show meanwhile, Debian's among them, what its clients meet, and
that the others are served."""
import json
import os
import signal
import struct
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import records  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402

FLOE = os.environ.get("FLOE")
DATABASE = "joining.tdb"
COUNT, SIZE = 2000, 4000  # eight megabytes, of which FloeJoinRate lets one pass a second
CATCHING_UP = 0x01000000


def floe(node, *arguments):
    return subprocess.run([FLOE, "--base", node.base, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=60)


def status(node):
    return json.loads(floe(node, "status", "--json").stdout)


def flags_of(node, seen_by):
    return status(seen_by)["nodes"][node.pnn]["flags"]


class Joining(unittest.TestCase):
    def setUp(self):
        self.nodes = self.enterContext(cluster.of("floe", tunables={"FloeJoinRecords": 100, "FloeJoinRate": 1}))
        connection = self.nodes[0].connect()
        database = records.attach(connection, DATABASE)
        for i in range(COUNT):
            records.write(connection, database, b"key%d" % i, struct.pack("=I", i) * (SIZE // 4))

    def test_filled_before_it_joins(self):
        old, late = self.nodes[0], self.nodes[2]
        late.signal(signal.SIGKILL)
        until(lambda: status(old)["healthy"] is False and status(old)["recovery_mode"] == "NORMAL" and
              flags_of(late, old) & 1, "the others go on without it", 60)
        generation = status(old)["generation"]
        self.nodes.start_node(late)
        until(lambda: flags_of(late, old) & CATCHING_UP, "it is catching up, and the others know", 30)

        seen = status(old)
        trouble = next(t for t in seen["troubles"] if t["kind"] == "catching-up")
        self.assertEqual((2, True), (trouble["node"], trouble["ill"]))
        self.assertEqual(("NORMAL", generation, [0, 1]), (seen["recovery_mode"], seen["generation"], seen["vnn_map"]))
        self.assertIn("CATCHING_UP", floe(old, "status").stdout)
        own = until(lambda: (status(late)["report"] or {}).get("joining"), "it says how far it is", 30)
        self.assertEqual(COUNT, own["of_records"])
        self.assertLess(own["records"], COUNT)
        self.assertEqual(4, floe(late, "nodestatus").returncode)

        # Debian's tool: a node that is there and is not healthy
        lines = old.ctdb("status").stdout
        self.assertRegex(lines, rf"pnn:2 {late.address}\s+UNHEALTHY")
        self.assertIn("Size:2", lines)

        # the others go on; its own clients wait, with a reason
        connection = old.connect()
        database = records.attach(connection, DATABASE)
        records.write(connection, database, b"key7", b"changed meanwhile")
        records.write(connection, database, b"new", b"born meanwhile")

        until(lambda: status(late)["healthy"], "it has joined", 60)
        self.assertEqual([0, 1, 2], sorted(status(old)["vnn_map"]))
        own = late.connect()
        database = records.attach(own, DATABASE)
        self.assertEqual([b"changed meanwhile", b"born meanwhile", struct.pack("=I", 9) * (SIZE // 4)],
                         [records.read(own, database, key) for key in (b"key7", b"new", b"key9")])
        recovered = next(d for d in status(old)["last_recovery"]["databases"] if d["name"] == DATABASE) \
            if status(old)["last_recovery"] else \
            next(d for d in status(self.nodes.leader())["last_recovery"]["databases"] if d["name"] == DATABASE)
        self.assertEqual("difference", recovered["way"])
        self.assertLess(recovered["looked_at"], COUNT // 2)


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
