#!/usr/bin/env python3
"""What becomes of a cluster when a node's files are overwritten or cut off under it, and of a node that gets no more memory: what is
damaged is put out of use or ends its node with a word, and the rest goes on.
"""
import os
import resource
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import records  # noqa: E402
import tap  # noqa: E402
import wire  # noqa: E402
from node_status import status  # noqa: E402
from wait import until  # noqa: E402

META_PAGES = 2 * 4096  # without which LMDB does not find anything


def recover(node):
    return subprocess.run([cluster.FLOE, "--base", node.base, "-t", "40", "recover"], capture_output=True, text=True)


class Files(unittest.TestCase):
    def setUp(self):
        self.nodes = self.enterContext(cluster.of("floe"))

    def file_of(self, node, name, folder="volatile"):
        return next((node.base / "db" / folder).glob(f"{name}.?"))

    def test_a_damaged_volatile_file_is_made_anew(self):
        """By the recovery that meets it; records that another node owns are all there."""
        with self.nodes[0].connect() as client:
            db = records.attach(client, "damaged.tdb")
            for i in range(200):
                records.write(client, db, b"key%d" % i, b"%d" % i * 100)
        recover(self.nodes[0])
        with self.nodes[0].connect() as client:  # now its copies are the latest
            for i in range(200):
                records.write(client, db, b"key%d" % i, b"%d" % i * 100)
        victim = self.nodes[1]
        file = self.file_of(victim, "damaged.tdb")
        with open(file, "r+b") as content:
            size = content.seek(0, os.SEEK_END)
            content.seek(META_PAGES)
            content.write(bytes(size - META_PAGES))  # noise may look like a page, and end the node
        pid = victim.pid
        told = recover(victim)
        self.assertEqual(0, told.returncode, told.stderr)
        self.assertEqual(pid, victim.pid)
        self.assertIn("storage-failed", (victim.base / "log.ctdb").read_text())
        for node in self.nodes:
            until(lambda n=node: status(n)["recovery_mode"] == "NORMAL", "all is well", 30)
            with node.connect() as client:
                for i in range(200):
                    self.assertEqual(b"%d" % i * 100, records.read(client, db, b"key%d" % i))
        until(lambda: not any("damaged.tdb" in w for w in status(victim)["warnings"]), "it works again", 30)

    def test_a_damaged_persistent_file_is_not_an_empty_one(self):
        """A read fails, and says why; the node leaves when a recovery cannot be stored, and the others go on."""
        self.nodes.floe("--base", self.nodes[0].base, "attach", "kept.tdb", "persistent")
        self.nodes.floe("--base", self.nodes[0].base, "pstore", "kept.tdb", "key", "value")
        victim = self.nodes[1]
        with open(self.file_of(victim, "kept.tdb", "persistent"), "r+b") as content:
            size = content.seek(0, os.SEEK_END)
            content.seek(META_PAGES)
            content.write(bytes(size - META_PAGES))
        told = subprocess.run([cluster.FLOE, "--base", victim.base, "-t", "10", "pfetch", "kept.tdb", "key"], capture_output=True, text=True)
        self.assertEqual(1, told.returncode, told)
        self.assertIn("cannot read", told.stderr)
        self.assertEqual("value\n", self.nodes.floe("--base", self.nodes[0].base, "pfetch", "kept.tdb", "key"))

    def test_a_file_that_is_cut_off_ends_its_node_with_its_name(self):
        """... and the node starts again without it."""
        self.nodes.floe("--base", self.nodes[0].base, "attach", "kept.tdb", "persistent")
        self.nodes.floe("--base", self.nodes[0].base, "pstore", "kept.tdb", "key", "value")
        victim = self.nodes[1]
        file = self.file_of(victim, "kept.tdb", "persistent")
        os.truncate(file, META_PAGES)
        subprocess.run([cluster.FLOE, "--base", victim.base, "-t", "5", "pfetch", "kept.tdb", "key"], capture_output=True)
        until(lambda: victim.pid is None, "it has ended", 30)
        last = (victim.base / "log.ctdb").read_text().splitlines()[-1]
        self.assertIn("SIGBUS", last)
        self.assertIn(str(file), last)
        self.nodes.start_node(victim)
        until(victim.healthy, "it is back", 60)
        self.assertIn("the file was damaged", (victim.base / "log.ctdb").read_text())
        self.assertEqual("value\n", self.nodes.floe("--base", victim.base, "pfetch", "kept.tdb", "key"))


class Memory(unittest.TestCase):
    def test_what_a_packet_wants_costs_its_connection(self):
        with cluster.of("floe", nodes=1) as nodes:
            node = nodes[0]
            pid = node.pid
            with node.connect() as bystander:
                bystander.request(wire.PING)
                in_use = int((open(f"/proc/{pid}/statm").read().split())[0]) * os.sysconf("SC_PAGE_SIZE")
                resource.prlimit(pid, resource.RLIMIT_AS, (in_use + (48 << 20),) * 2)
                with node.connect() as greedy:
                    greedy.send(wire.packet(wire.REQ_CONTROL, bytes(63 << 20)))
                    with self.assertRaises(wire.Closed):
                        while greedy.receive(20):
                            pass
                self.assertGreaterEqual(bystander.request(wire.PING)[0], 0)
            self.assertEqual(pid, node.pid)
            with node.connect() as client:
                db = records.attach(client, "goes_on.tdb")
                records.write(client, db, b"key", b"value")
                self.assertEqual(b"value", records.read(client, db, b"key"))


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
