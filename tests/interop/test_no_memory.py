#!/usr/bin/env python3
"""A node that gets no memory for more refuses what needs it and goes on: what it has can be read and recovered, and the others
go on, too. And two processes that would be one node: the second says why it ends, and the first does not notice."""
import os
import re
import resource
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import records  # noqa: E402
import tap  # noqa: E402

MORE_BYTES = 48 << 20  # than the node has at first
VALUE = b"v" * (1 << 20)


def address_space(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return int(re.search(r"^VmSize:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) * 1024


def second_process(base):
    return subprocess.run([os.environ["FLOE"], "node", "--base", base], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)


class NoMemory(unittest.TestCase):
    def test_no_memory_for_a_larger_map(self):
        with cluster.of("floe") as group:
            poor, rich = group[1], group[0]
            pid = poor.pid
            limit = address_space(pid) + MORE_BYTES
            resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
            connection = poor.connect()
            db = records.attach(connection, "large.tdb")
            stored = 0
            with self.assertRaisesRegex(records.Refused, "Cannot allocate memory"):
                for stored in range(1000):
                    lock = records.Lock(connection, db, b"key %d" % stored, 10)
                    lock.store(VALUE)
                    lock.unlock()
            self.assertGreater(stored, 3)
            self.assertEqual(pid, poor.pid)
            connection = poor.connect()
            self.assertEqual(VALUE, records.read(connection, db, b"key 1"))
            self.assertEqual(0, rich.ctdb("-t", "30", "recover").returncode)
            self.assertEqual(VALUE, records.read(connection, db, b"key 2"))
            other = rich.connect()
            db = records.attach(other, "small.tdb")
            records.write(other, db, b"key", b"value")
            self.assertEqual(b"value", records.read(other, db, b"key"))
            self.assertEqual(pid, poor.pid)

    def test_a_second_process_of_one_node(self):
        with cluster.of("floe") as group:
            first = group[1]
            pid = first.pid
            again = second_process(first.base)
            self.assertEqual(1, again.returncode)
            self.assertIn("another node runs in this directory, process ", again.stderr)
            # elsewhere, with the same list of nodes
            other = group.directory / "other"
            other.mkdir()
            for name in ("nodes", "ctdb.conf"):
                (other / name).write_text((first.base / name).read_text().replace(str(first.base), str(other)))
            again = second_process(other)
            self.assertEqual(1, again.returncode)
            self.assertIn("the reason is in its log", again.stderr)
            self.assertRegex((other / "log.ctdb").read_text(), r"cannot-listen why=.*in use")
            self.assertEqual(pid, first.pid)
            self.assertTrue(first.healthy())


if __name__ == "__main__":
    tap.main()
