#!/usr/bin/env python3
"""A node that gets no memory for more refuses what needs it, or ends with a last line that says so; the others go on. And two
processes that would be one node: the second says why it ends, and the first does not notice."""
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
import wire  # noqa: E402
from wait import until  # noqa: E402

MORE_BYTES = 48 << 20  # than the node has at first
VALUE = b"v" * (1 << 20)


def address_space(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return int(re.search(r"^VmSize:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) * 1024


def second_process(base):
    return subprocess.run([os.environ["FLOE"], "node", "--base", base], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)


def log_of(node):
    return (node.base / "log.ctdb").read_text()


def attached(connection, name):
    """The database's id, or nothing yet."""
    try:
        return records.attach(connection, name, 10)
    except (records.Refused, TimeoutError):
        return None


class NoMemory(unittest.TestCase):
    def test_no_memory_for_a_larger_map(self):
        with cluster.of("floe") as group:
            poor, rich = group[1], group[0]
            pid = poor.pid
            limit = address_space(pid) + MORE_BYTES
            resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
            connection = poor.connect()
            with self.assertRaises((records.Refused, wire.Closed, OSError)):
                db = records.attach(connection, "large.tdb")
                for number in range(1000):
                    records.write(connection, db, b"key %d" % number, VALUE)
            if poor.pid == pid:  # it may end at any later moment
                self.assertIn("Cannot allocate memory", log_of(poor))
            other = rich.connect()
            small = until(lambda: attached(other, "small.tdb"), "the others attach a database", 60)
            records.write(other, small, b"key", b"value")
            self.assertEqual(b"value", records.read(other, small, b"key"))
            if poor.pid is None:
                self.assertRegex(log_of(poor), r"fatal-signal number=6 .*no memory")

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
            self.assertRegex(again.stderr, "the node did not start: cannot listen on .*: Address already in use; its log is ")
            self.assertRegex((other / "log.ctdb").read_text(), r"cannot-listen why=.*in use")
            self.assertEqual(pid, first.pid)
            self.assertTrue(first.healthy())


if __name__ == "__main__":
    tap.main()
