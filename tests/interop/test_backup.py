#!/usr/bin/env python3
"""Backups travel between floe and CTDB's tool; wipe, restore, detach and vacuuming in a cluster of both."""
import json
import os
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

RECORD_READ, READ_LOCAL = 0x464C0002, 1
KINDS = {"volatile": 0, "persistent": 1, "replicated": 8}


def backup_file(path, name, flags, pairs, *, db_id=0):
    """A backup as CTDB's tool writes it; headers with rsn 1 and dmaster 0."""
    records = [wire.record(key, value, 1) for key, value in pairs.items()]
    buffers = [records[i:i + 100] for i in range(0, len(records), 100)]
    with open(path, "wb") as f:
        f.write(struct.pack("=QqQQQ", 3, 1_700_000_000, flags, len(buffers), len(records)))
        f.write(name.encode().ljust(64, b"\0"))
        for buffer in buffers:
            data = b"".join(buffer)
            f.write(struct.pack("=IIQ", db_id, len(buffer), len(data)) + data)
    return path


def pairs_of(count, word):
    return {f"key-{i:04}".encode(): f"{word} {i}".encode().ljust(150, b".") for i in range(count)}


def floe_contents(node, db):
    """{key: value}, of a floe node."""
    records = cli.run(node, "catdb", db, timeout=60)["records"]
    return {r["key"].encode(): r["value"].encode() for r in records if not r["key"].startswith("__db_")
            and not r["key"].startswith("0x5f5f64625f")}


def ctdb_contents(node, db):
    """{key: value}, as CTDB's tool reads the node's own file; without deleted records."""
    output = node.ctdb("cattdb", db)
    output.check_returncode()
    found, key = {}, None
    for line in output.stdout.splitlines():
        name, _, value = line.partition(" = ")
        if name.startswith("key("):
            key = value.strip('"').encode()
        elif name.startswith("data("):
            data = value.strip('"').encode()
            if data and not key.startswith(b"__db_sequence"):
                found[key] = data
    return found


def floe(*arguments):
    return subprocess.run([cluster.FLOE, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)


class FilesBothWays(unittest.TestCase):
    """A cluster of each kind, side by side."""

    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.ctdbd = cls.enterClassContext(cluster.of("ctdbd", nodes=1))
        cls.floe = cls.enterClassContext(cluster.of("floe", nodes=2))
        cls.directory = cls.floe.directory

    def test_1_from_ctdb_to_floe(self):
        node = self.ctdbd[0]
        for kind, flags in KINDS.items():
            with self.subTest(kind=kind):
                name, pairs = f"{kind}.from.ctdb.tdb", pairs_of(700, kind)
                made = backup_file(self.directory / "made", name, flags, pairs)
                node.ctdb("restoredb", made).check_returncode()
                saved = self.directory / f"{kind}.ctdb"
                node.ctdb("backupdb", name, saved).check_returncode()
                dumped = json.loads(floe("dumpdbbackup", saved, "--json").stdout)
                self.assertEqual((name, kind), (dumped["db"], dumped["kind"]))
                told = cli.run(self.floe[0], "restoredb", saved)
                self.assertEqual(2, told["nodes"])
                for reader in self.floe:
                    self.assertEqual(pairs, floe_contents(reader, name))

    def test_2_from_floe_to_ctdb(self):
        for kind, flags in KINDS.items():
            with self.subTest(kind=kind):
                name, pairs = f"{kind}.from.floe.tdb", pairs_of(700, kind)
                made = backup_file(self.directory / "made", name, flags, pairs)
                cli.run(self.floe[1], "restoredb", made)
                saved = self.directory / f"{kind}.floe"
                self.assertEqual(len(pairs), cli.run(self.floe[0], "backupdb", name, saved)["records"])
                self.assertEqual(0o600, saved.stat().st_mode & 0o777)
                node = self.ctdbd[0]
                dumped = node.ctdb("dumpdbbackup", saved).stdout
                self.assertEqual(f"Dumped {len(pairs)} record(s)", dumped.splitlines()[-1])
                node.ctdb("restoredb", saved).check_returncode()
                self.assertEqual(pairs, ctdb_contents(node, name))

    def test_3_transactions_go_on_after_a_restore(self):
        name = "going.on.tdb"
        node = self.floe[0]
        cli.run(node, "attach", name, "persistent")
        for i in range(3):
            cli.run(node, "pstore", name, "key", f"value {i}")
        saved = self.directory / "going.on"
        cli.run(node, "backupdb", name, saved)
        cli.run(node, "pstore", name, "key", "after the backup")
        cli.run(self.floe[1], "restoredb", saved)
        for reader in self.floe:
            self.assertEqual("value 2", cli.run(reader, "pfetch", name, "key")["value"])
        # four transactions, the restore, this one: the backup's number is lower, and a copy of before would win by that
        self.assertEqual(6, cli.run(self.floe[1], "pstore", name, "key", "later")["seqnum"])
        cli.run(node, "restoredb", saved, "copy.tdb")
        self.assertEqual("value 2", cli.run(self.floe[1], "pfetch", "copy.tdb", "key")["value"])
        self.assertEqual("later", cli.run(self.floe[1], "pfetch", name, "key")["value"])

    def test_4_bad_files_change_nothing(self):
        node, name = self.floe[0], "untouched.tdb"
        good = backup_file(self.directory / "good", name, 0, pairs_of(250, "old"))
        cli.run(node, "restoredb", good)
        whole = good.read_bytes()
        bad = self.directory / "bad"
        for damaged in (whole[:-1], whole[:5000], whole + b"x", b"\4" + whole[1:], whole[:120] + b"\xff" + whole[121:],
                        b"", b"not a backup at all"):
            bad.write_bytes(damaged)
            refused = floe("--base", node.base, "restoredb", bad)
            self.assertEqual(1, refused.returncode)
            self.assertIn(str(bad), refused.stderr)
            self.assertEqual(1, len(refused.stderr.splitlines()))
        self.assertEqual(1, floe("--base", node.base, "restoredb", self.directory / "none").returncode)
        self.assertEqual(1, floe("--base", node.base, "backupdb", name, "/no/such/place").returncode)
        persistent = backup_file(self.directory / "other.kind", name, 1, pairs_of(2, "new"))
        self.assertEqual(1, floe("--base", node.base, "restoredb", persistent).returncode)
        self.assertEqual(pairs_of(250, "old"), floe_contents(node, name))
        self.assertEqual("thawed", cli.freeze_state(node, name))

    def test_5_a_tool_that_is_killed_half_way(self):
        node, name = self.floe[0], "half.way.tdb"
        cli.run(node, "restoredb", backup_file(self.directory / "half", name, 1, pairs_of(250, "old")))
        with node.connect() as connection:  # the steps of CTDB's tool, up to the wipe
            (db_id,) = struct.unpack("=I", connection.request(61, name.encode() + b"\0")[1])
            generation = cli.status(node)[0]
            for other in self.floe:
                self.assertEqual(0, connection.request(wire.DB_FREEZE, struct.pack("=I", db_id),
                                                       destnode=other.pnn)[0])
                for opcode in (143, 67):  # DB_TRANSACTION_START, WIPE_DATABASE
                    self.assertEqual(0, connection.request(opcode, struct.pack("=II", db_id, generation),
                                                           destnode=other.pnn)[0])
            self.assertEqual("in_transaction", cli.freeze_state(self.floe[1], name))
        for other in self.floe:
            until(lambda n=other: cli.freeze_state(n, name) == "thawed" and cli.status(n)[1] == "NORMAL",
                  f"{name} thawed on {other}", 5)
            self.assertEqual(pairs_of(250, "old"), floe_contents(other, name))


class OneClusterOfBoth(unittest.TestCase):
    """Node 0 is floe, 1 and 2 are ctdbd, which vacuum each second."""

    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.nodes = cluster.MixedCluster(("floe", "ctdbd", "ctdbd"), tunables={"VacuumInterval": 1})
        cls.addClassCleanup(cls.nodes.stop)
        try:
            cls.nodes.start()
        except BaseException:
            cls.nodes.show_logs()
            raise
        cls.directory = cls.nodes.directory

    def assert_everywhere(self, db, expected):
        for node in self.nodes:
            found = floe_contents(node, db) if node.pnn == 0 else ctdb_contents(node, db)
            self.assertEqual(expected, found, node)

    def test_1_restore_and_wipe_from_both_sides(self):
        for kind, flags in KINDS.items():
            for by in (0, 1):
                with self.subTest(kind=kind, by=by):
                    db, pairs = f"{kind}.{by}.tdb", pairs_of(400, f"{kind} by {by}")
                    made = backup_file(self.directory / f"{kind}.{by}", db, flags, pairs)
                    if by == 0:
                        self.assertEqual(3, cli.run(self.nodes[0], "restoredb", made)["nodes"])
                    else:
                        self.nodes[by].ctdb("restoredb", made).check_returncode()
                    self.assert_everywhere(db, pairs)
                    if by == 0:
                        cli.run(self.nodes[0], "wipedb", db)
                    else:
                        self.nodes[by].ctdb("wipedb", db).check_returncode()
                    self.assert_everywhere(db, {})

    def test_2_a_deleted_record_is_forgotten_and_stays_deleted(self):
        db, pairs = "vacuumed.tdb", pairs_of(30, "short lived")
        with self.nodes[0].connect() as connection:
            (db_id,) = struct.unpack("=I", connection.request(18, db.encode() + b"\0", seconds=60)[1])

            def copies():
                """Keys of which the floe node has a copy, deleted or not."""
                kept = set()
                for key in pairs:
                    _, answer, _ = connection.request(RECORD_READ, struct.pack("=III", db_id, READ_LOCAL, len(key)) + key)
                    if struct.unpack_from("=Q", answer, 4)[0]:
                        kept.add(key)
                return kept

            until(lambda: db in self.nodes[1].ctdb("getdbmap").stdout, f"{db} on node 1")
            for key, value in pairs.items():
                self.nodes[1].ctdb("writekey", db, key.decode(), value.decode()).check_returncode()
            self.nodes[1].ctdb("recover").check_returncode()
            self.assertEqual(set(pairs), copies())
            for key in pairs:
                self.nodes[1].ctdb("deletekey", db, key.decode()).check_returncode()
            # those whose lmaster is a ctdbd are forgotten by all; the floe node keeps the others, deleted, as lmaster
            until(lambda: len(copies()) < 20, "old copies gone from the floe node", 40)
            left = copies()
            self.assertLess(0, len(left))
            self.assertEqual({}, floe_contents(self.nodes[0], db))
            self.nodes[2].ctdb("recover").check_returncode()
            self.assert_everywhere(db, {})
            self.assertEqual(set(), copies())

    def test_3_detach_from_both_sides(self):
        for by in (0, 1):
            with self.subTest(by=by):
                db = f"detached.by.{by}.tdb"
                cli.run(self.nodes[0], "attach", db)
                until(lambda name=db: all(name in n.ctdb("getdbmap").stdout for n in self.nodes), f"{db} everywhere")
                refused = floe("--base", self.nodes[0].base, "detach", db)
                self.assertEqual(1, refused.returncode)
                self.assertIn("AllowClientDBAttach", refused.stderr)
                try:
                    for node in self.nodes:
                        node.ctdb("setvar", "AllowClientDBAttach", 0).check_returncode()
                    if by == 0:
                        cli.run(self.nodes[0], "detach", db)
                    else:
                        self.nodes[by].ctdb("detach", db).check_returncode()
                    until(lambda name=db: not any(name in n.ctdb("getdbmap").stdout for n in self.nodes),
                          f"{db} nowhere", 10)
                finally:
                    for node in self.nodes:
                        node.ctdb("setvar", "AllowClientDBAttach", 1).check_returncode()

    def test_4_a_killed_restore_by_ctdbs_tool(self):
        db, pairs = "killed.tdb", pairs_of(300, "old")
        cli.run(self.nodes[0], "restoredb", backup_file(self.directory / "killed", db, 1, pairs))
        self.nodes[0].ctdb("setvar", "RecoverTimeout", 2).check_returncode()
        new = backup_file(self.directory / "killed.new", db, 1, pairs_of(60_000, "new"))
        tool = subprocess.Popen([cluster.CTDB, "restoredb", str(new)], env=self.nodes[1].environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: cli.freeze_state(self.nodes[0], db) == "in_transaction" or tool.poll() is not None, "frozen", 20)
        os.kill(tool.pid, signal.SIGKILL)
        tool.wait()
        # ctdbd leaves it frozen; the floe node notices
        until(lambda: cli.freeze_state(self.nodes[0], db) == "thawed" and cli.status(self.nodes[0])[1] == "NORMAL",
              f"{db} is thawed", 30)
        self.assertIn(len(floe_contents(self.nodes[0], db)), (300, 60_000))


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
