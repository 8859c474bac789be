#!/usr/bin/env python3
"""Transactions on persistent databases: through floe's program, through the wire, and in a cluster of floe and ctdbd."""
import concurrent.futures
import signal
import struct
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import floe_cli as cli  # noqa: E402
import tap  # noqa: E402
import transactions as wire  # noqa: E402
from wait import until  # noqa: E402

DB = "pairs.tdb"
DB_ATTACH_PERSISTENT = 61


def ptrans(node, pairs, db=DB):
    """One transaction of floe's program; pairs of text."""
    text = "".join(f'"{key}" "{value}"\n' for key, value in pairs.items())
    done = subprocess.run([cluster.FLOE, "--base", node.base, "ptrans", db], input=text, capture_output=True, text=True,
                          timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"ptrans: exit {done.returncode}: {done.stderr}")


def pfetch(node, key, db=DB):
    """The value, or None."""
    done = subprocess.run([cluster.FLOE, "--base", node.base, "pfetch", db, key, "-"], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    if done.returncode == 4:
        return None
    if done.returncode != 0:
        raise RuntimeError(f"pfetch: exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def seqnum(node, db=DB):
    """As Debian's tool prints it."""
    return int(node.ctdb("getdbseqnum", db).stdout, 16)


def attach(node, db=DB):
    with node.connect() as connection:
        status, data, error = connection.request(DB_ATTACH_PERSISTENT, db.encode() + b"\0", seconds=60)
    if status != 0:
        raise RuntimeError(f"attach: {status} {error}")
    return struct.unpack("=I", data)[0]


class FloeAlone(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe"))
        cls.db_id = attach(cls.nodes[0])

    def test_1_pairs(self):
        before = seqnum(self.nodes[0])
        ptrans(self.nodes[1], {"one": "1", "two": "2 blanks", "0x7468726565": "0x00ff"})
        ptrans(self.nodes[2], {"one": ""})
        for node in self.nodes:
            self.assertEqual((None, b"2 blanks", b"\0\xff"), tuple(pfetch(node, k) for k in ("one", "two", "three")))
            self.assertEqual(before + 2, seqnum(node))

    def test_2_values_are_files(self):
        value = bytes(range(256)) * 4000
        path = self.nodes.directory / "value"
        path.write_bytes(value)
        told = cli.run(self.nodes[0], "pstore", DB, "big", "--file", path)
        self.assertEqual(1, told["changed"])
        for node in self.nodes:
            self.assertEqual(value, pfetch(node, "big"))
        self.assertEqual(0, cli.run(self.nodes[1], "pstore", DB, "big", "--file", path)["changed"])
        cli.run(self.nodes[2], "pdelete", DB, "big")
        self.assertIsNone(pfetch(self.nodes[0], "big"))

    def test_3_the_wire(self):
        with self.nodes[1].connect() as connection:
            n = wire.seqnum(connection, self.db_id)
            changes = [wire.record(b"w", b"value", 1, 1), wire.seqnum_record(n + 1)]
            self.assertEqual(0, wire.commit(connection, self.db_id, *changes))
            self.assertEqual(0, wire.commit(connection, self.db_id, *changes), "the same once more is no conflict")
            self.assertEqual(n + 1, wire.seqnum(connection, self.db_id))
            self.assertEqual(b"value", pfetch(self.nodes[2], "w"))
            # as old as what is there, and different: no node stores it, and the client is told so
            self.assertEqual(-1, wire.commit(connection, self.db_id, wire.record(b"w", b"other", 1, 1),
                                            wire.seqnum_record(n + 2)))
            self.assertEqual(n + 1, wire.seqnum(connection, self.db_id))
            self.assertEqual(b"value", pfetch(self.nodes[0], "w"))
            # CTDB's own client sends what it has read, too, before what it has made of it
            self.assertEqual(0, wire.commit(connection, self.db_id, wire.record(b"w", b"value", 1, 1),
                                            wire.record(b"w", b"changed", 2, 1), wire.seqnum_record(n + 2)))
            self.assertEqual(0, wire.commit(connection, self.db_id, wire.record(b"w", b"changed", 2, 1),
                                            wire.seqnum_record(n + 3)))
            self.assertEqual(b"changed", pfetch(self.nodes[2], "w"))
            n = wire.seqnum(connection, self.db_id) - 1
            # a frozen database is not read, and nothing hangs
            frozen = struct.pack("=I", self.db_id)
            self.assertEqual(0, connection.request(wire.DB_FREEZE, frozen)[0])
            self.assertIsNone(wire.seqnum(connection, self.db_id))
            self.assertEqual(0, connection.request(wire.DB_THAW, frozen)[0])
            self.assertEqual(n + 1, wire.seqnum(connection, self.db_id))

    def test_4_ctdbs_tool_cannot_open_the_files_and_does_no_harm(self):
        node = self.nodes[0]
        ptrans(node, {"safe": "kept"})
        cli.attach(node, "loose.tdb")
        cli.write(node, "loose.tdb", "key", "value")
        pid = node.pid
        for db in (DB, "loose.tdb"):
            for command in ("catdb", "cattdb"):
                self.assertNotEqual(0, node.ctdb(command, db).returncode)
        self.assertEqual(pid, node.pid)
        self.assertEqual(b"kept", pfetch(node, "safe"))
        self.assertEqual("value", cli.read(node, "loose.tdb", "key"))

    def test_5_all_nodes_are_killed(self):
        ptrans(self.nodes[0], {"kept": "over a crash"})
        before = seqnum(self.nodes[0])
        for node in self.nodes:
            node.signal(signal.SIGKILL)
        for node in self.nodes:
            self.nodes.start_node(node)
        try:
            self.nodes.wait_healthy(seconds=40)
        except AssertionError:
            self.nodes.show_logs()
            raise
        for node in self.nodes:
            self.assertEqual(b"over a crash", pfetch(node, "kept"))
            self.assertEqual(before, seqnum(node))


class WithCtdbd(unittest.TestCase):
    """Node 0 is floe, 1 and 2 are ctdbd."""

    @classmethod
    def setUpClass(cls):
        group = cluster.MixedCluster(("floe", "ctdbd", "ctdbd"))
        cls.nodes = group
        cls.addClassCleanup(group.stop)
        try:
            group.start()
        except BaseException:
            group.show_logs()
            raise
        attach(group[0])

    def store_by_ctdb(self, node, key, value):
        return node.ctdb("pstore", DB, key, value.decode())

    def fetch(self, node, key):
        """What a user of this node reads."""
        if node.pnn == 0:
            try:
                return pfetch(node, key)
            except RuntimeError as error:  # it is coming up
                return str(error)
        return node.ctdb("pfetch", DB, key).stdout.encode().removesuffix(b"\n")

    def assert_everywhere(self, expected):
        for node in self.nodes:
            self.assertEqual(expected, {key: self.fetch(node, key) for key in expected}, node)
        self.assertEqual(1, len({seqnum(node) for node in self.nodes}))

    def test_1_from_both_sides(self):
        ptrans(self.nodes[0], {"f1": "from floe", "both": "floe"})
        self.assert_everywhere({"f1": b"from floe", "both": b"floe"})
        for node in (self.nodes[1], self.nodes[2]):
            self.store_by_ctdb(node, "both", b"ctdbd %d" % node.pnn).check_returncode()
            self.assert_everywhere({"f1": b"from floe", "both": b"ctdbd %d" % node.pnn})
        ptrans(self.nodes[0], {"both": "floe again"})
        self.assert_everywhere({"f1": b"from floe", "both": b"floe again"})

    def test_2_they_exclude_each_other(self):
        before = seqnum(self.nodes[0])
        keys = {f"x{i}": b"value %d" % i for i in range(18)}

        def store(i):
            node = self.nodes[i % 3]
            if node.pnn == 0:
                ptrans(node, {f"x{i}": f"value {i}"})
            else:
                self.store_by_ctdb(node, f"x{i}", b"value %d" % i).check_returncode()

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            list(pool.map(store, range(len(keys))))
        self.assert_everywhere(keys)
        self.assertEqual(before + len(keys), seqnum(self.nodes[0]))

    def test_3_the_floe_node_was_away(self):
        self.nodes[0].signal(signal.SIGKILL)
        until(lambda: self.store_by_ctdb(self.nodes[1], "meanwhile", b"without it").returncode == 0,
              "ctdb pstore without the floe node")
        self.nodes.start_node(self.nodes[0])
        until(lambda: self.fetch(self.nodes[0], "meanwhile") == b"without it", "content on the floe node", 40)
        self.assert_everywhere({"meanwhile": b"without it"})


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
