#!/usr/bin/env python3
"""Starting nodes whose persistent databases are damaged on disk, and nodes that are the first process of a container."""
import json
import os
import pathlib
import random
import signal
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import floe_cli as cli  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402

FLOE = os.environ.get("FLOE")
DATABASE = "secrets.tdb"
RECORDS = {f"key-{i:03}": f"value-{i}".ljust(300, ".") for i in range(200)}


def file_of(node):
    return node.base / "db" / "persistent" / f"{DATABASE}.{node.pnn}"


def damage(path):
    """A few pages in the middle of the file are overwritten, its first and last ones are as they were."""
    chance = random.Random(7)
    with open(path, "r+b") as file:
        size = path.stat().st_size
        for at in range(3 * 4096, size - 4096, 4096):
            file.seek(at)
            file.write(chance.randbytes(4096))


def health(node):
    return cli.run(node, "getdbstatus", DATABASE)["damage"]


def content(node, keys=RECORDS):
    return {key: cli.run(node, "pfetch", DATABASE, key)["value"] for key in keys}


class A1Damaged(unittest.TestCase):
    def setUp(self):
        self.nodes = self.enterContext(cluster.of("floe"))
        cli.run(self.nodes[0], "attach", DATABASE, "persistent")
        changes = "".join(f'"{key}" "{value}"\n' for key, value in RECORDS.items())
        subprocess.run([FLOE, "--base", self.nodes[0].base, "ptrans", DATABASE], input=changes, text=True, check=True,
                       timeout=30, stdout=subprocess.DEVNULL)

    def down(self):
        self.nodes.floe("cluster", "down", "--dir", self.nodes.directory)

    def test_healed_by_the_others(self):
        self.down()
        damage(file_of(self.nodes[0]))
        self.nodes.start()
        until(lambda: health(self.nodes[0]) is None, "node 0 is healed", 20)
        aside = list(file_of(self.nodes[0]).parent.glob(f"{DATABASE}.0.corrupt.*"))
        self.assertEqual(1, len(aside))
        self.assertIn("file-set-aside", (self.nodes[0].base / "log.ctdb").read_text())
        for node in self.nodes:
            self.assertEqual(RECORDS["key-123"], content(node, ["key-123"])["key-123"])
        self.assertIn("HEALTH: OK", self.nodes[0].ctdb("getdbstatus", DATABASE).stdout)

    def test_nobody_has_a_whole_copy(self):
        self.down()
        for node in self.nodes:
            damage(file_of(node))
        self.nodes.start()
        for node in self.nodes:
            self.assertIn("was damaged", health(node))
            self.assertTrue(any(DATABASE in warning for warning in cli.run(node, "status")["warnings"]))
        self.assertIn("was damaged", cli.run(self.nodes[1], "getdbmap")["databases"][0]["damage"])
        self.assertNotIn("HEALTH: OK", self.nodes[0].ctdb("getdbstatus", DATABASE).stdout)
        with self.assertRaisesRegex(cli.Failed, "not whole"):
            content(self.nodes[1], ["key-001"])
        # whoever gives it a new content says that it is whole
        cli.run(self.nodes[1], "wipedb", DATABASE)
        for node in self.nodes:
            self.assertIsNone(health(node))


class B1Container(unittest.TestCase):
    """A node that is process 1 has the duties of one."""

    UNSHARE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")

    def setUp(self):
        if subprocess.run([*self.UNSHARE, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no process namespace can be made here")
        self.base = sandbox.directory("p1")
        address = f"{cluster.free_prefix(1, cluster.default_port())}.1"
        (self.base / "nodes").write_text(f"{address}\n")
        (self.base / "ctdb.conf").write_text(f"[cluster]\ncluster lock = {self.base}/lock\n")
        self.node = subprocess.Popen([*self.UNSHARE, FLOE, "node", "--base", self.base], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end)

    def end(self):
        if self.node.poll() is None:
            self.node.kill()
        self.node.wait()

    @staticmethod
    def children(pid):
        try:
            text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        except OSError:
            return []
        return [int(child) for child in text.split()]

    def report(self):
        asked = subprocess.run([FLOE, "--base", self.base, "status", "--json"], capture_output=True, text=True, timeout=20)
        return json.loads(asked.stdout)["report"] if asked.returncode in (0, 4) else None

    def holds_the_lock(self):
        report = self.report()
        return report and report["runstate"] == "RUNNING" and report["cluster_lock"]["state"] == "held"

    def test_orphans_are_buried_and_nothing_is_left_at_the_end(self):
        until(self.holds_the_lock, "the node runs and holds the lock", 30)
        first, = self.children(self.node.pid)
        # orphans of the container: their parent ends at once
        subprocess.run(["nsenter", "--pid", "--mount", "--target", str(first), "sh", "-c",
                        "for i in 1 2 3 4 5; do (sleep 0.1 &) ; done"], check=True, timeout=20)

        def zombies():
            for child in self.children(first):
                try:
                    if pathlib.Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                        return True
                except OSError:
                    pass
            return False
        until(lambda: len(self.children(first)) == 1 and not zombies(), "only the node's own process is left", 10)
        os.kill(first, signal.SIGTERM)
        self.assertEqual(0, self.node.wait(timeout=15))
        left = [p for p in pathlib.Path("/proc").glob("[0-9]*") if self.mentions(p, f"{self.base}/lock")]
        self.assertEqual([], left)

    @staticmethod
    def mentions(process, text):
        try:
            return os.fsencode(text) in (process / "cmdline").read_bytes()
        except OSError:
            return False


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
