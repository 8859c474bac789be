#!/usr/bin/env python3
"""A node that lacks much is filled before it joins: what tools show meanwhile, Debian's among them, what its clients meet, and
that the others are served."""
import json
import os
import re
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
        self.old, self.late = self.nodes[0], self.nodes[2]
        connection = self.old.connect()
        database = records.attach(connection, DATABASE)
        for i in range(COUNT):
            records.write(connection, database, b"key%d" % i, struct.pack("=I", i) * (SIZE // 4))
        self.start_again()

    def start_again(self):
        """The node is killed, the others go on without it, it comes back with nothing."""
        self.late.signal(signal.SIGKILL)
        until(lambda: flags_of(self.late, self.old) & 1 and status(self.old)["recovery_mode"] == "NORMAL",
              "the others go on without it", 60)
        self.nodes.start_node(self.late)

    def meanwhile(self, look, what):
        """What `look` returns while the node is catching up. On a busy machine it may be full before somebody looks."""
        def seen():
            if flags_of(self.late, self.old) & CATCHING_UP:
                return look()
            if status(self.old)["healthy"]:
                self.start_again()
            return None
        return until(seen, what, 120)

    def test_what_tools_show(self):
        old, late = self.old, self.late

        def trouble():
            return next((t for t in status(old)["troubles"] if t["kind"] == "catching-up"), None)
        seen = self.meanwhile(trouble, "who is asked knows that it is catching up")
        self.assertEqual((2, True), (seen["node"], seen["ill"]))
        self.meanwhile(lambda: "CATCHING_UP" in floe(old, "status").stdout, "so it says to people")
        self.meanwhile(lambda: floe(late, "nodestatus").returncode == 4, "the node is not well")
        self.meanwhile(lambda: sorted(status(old)["vnn_map"]) == [0, 1] and status(old)["recovery_mode"] == "NORMAL",
                       "the others go on without it")
        own = self.meanwhile(lambda: (status(late)["report"] or {}).get("joining"), "it says how far it is")
        self.assertLessEqual(own["records"], own["of_records"])
        # Debian's tool: a node that is there and is not healthy, and a map without it
        self.meanwhile(lambda: all(re.search(p, old.ctdb("status").stdout)
                                   for p in (rf"pnn:2 {late.address}\s+UNHEALTHY", r"\bSize:2\b")), "Debian's tool shows it")

    def test_what_changes_meanwhile(self):
        connection = self.old.connect()
        database = records.attach(connection, DATABASE)

        def change():
            records.write(connection, database, b"key7", b"changed meanwhile")
            records.write(connection, database, b"new", b"born meanwhile")
            return True
        self.meanwhile(change, "the others are served")
        until(lambda: status(self.late)["healthy"], "it has joined", 60)
        self.assertEqual([0, 1, 2], sorted(status(self.old)["vnn_map"]))
        own = self.late.connect()
        database = records.attach(own, DATABASE)
        self.assertEqual([b"changed meanwhile", b"born meanwhile", struct.pack("=I", 9) * (SIZE // 4)],
                         [records.read(own, database, key) for key in (b"key7", b"new", b"key9")])


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
