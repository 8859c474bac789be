#!/usr/bin/env python3
"""A rolling upgrade: the nodes of the previous release are replaced one after the other while a client writes; what was stored
is there, nothing is lost, and the same the other way round.

The previous release's program is the one that FLOE_PREVIOUS names, or that tests/interop/previous_release has built; without it
the tests are skipped, visibly."""
import json
import os
import pathlib
import signal
import subprocess
import threading
import unittest

import sandbox

HERE = pathlib.Path(__file__).resolve().parent


def previous():
    if named := os.environ.get("FLOE_PREVIOUS"):
        return named
    kept = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "floe"
    return next((str(p) for p in sorted(kept.glob("release-*/build/cli/floe")) if os.access(p, os.X_OK)), None)


PREVIOUS = previous()
sandbox.enter()

import cluster  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402

NOW = os.environ.get("FLOE")


class Writer(threading.Thread):
    """Counts up a record of its own on a node, by transactions, until it is told to stop; remembers what was acknowledged."""

    def __init__(self, node):
        super().__init__()
        self.node, self.done, self.acknowledged = node, threading.Event(), 0

    def run(self):
        while not self.done.is_set():
            number = self.acknowledged + 1
            stored = subprocess.run([NOW, "--base", self.node.base, "-t", "30", "pstore", "config.tdb", "count", str(number)],
                                    capture_output=True, stdin=subprocess.DEVNULL, timeout=90)
            if stored.returncode == 0:
                self.acknowledged = number

    def stop(self):
        self.done.set()
        self.join()


@unittest.skipUnless(PREVIOUS, "no program of the previous release: tests/interop/previous_release builds it")
class Upgrade(unittest.TestCase):
    def floe(self, node, *arguments):
        return subprocess.run([NOW, "--base", node.base, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)

    def replace(self, nodes, node, program):
        """Ends it in an orderly way, starts it with the other program, waits for the cluster."""
        node.signal(signal.SIGTERM)
        until(lambda: node.pid is None, f"{node} ends", 30)
        with open(node.base / "log.started", "ab") as log:
            subprocess.Popen([program, "node", "--base", node.base], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        nodes.wait_healthy()

    def roll(self, before, after):
        class Old(cluster.FloeCluster):
            @staticmethod
            def floe(*arguments, timeout=120):
                subprocess.run([before, *map(str, arguments)], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout)
        with cluster.running(Old(3)) as nodes:
            self.floe(nodes[0], "attach", "config.tdb", "persistent").check_returncode()
            self.floe(nodes[0], "attach", "locking.tdb").check_returncode()
            self.floe(nodes[0], "pstore", "config.tdb", "key", "kept").check_returncode()
            for node in nodes:
                writer = Writer(nodes[(node.pnn + 1) % 3])
                writer.start()
                self.replace(nodes, node, after)
                writer.stop()
                self.assertGreater(writer.acknowledged, 0)
                self.floe(node, "writekey", "locking.tdb", f"by{node.pnn}", "here").check_returncode()
                for other in nodes:  # old and new nodes see the same
                    self.assertEqual(self.floe(other, "pfetch", "config.tdb", "key").stdout, "kept\n")
                    self.assertGreaterEqual(int(self.floe(other, "pfetch", "config.tdb", "count").stdout), writer.acknowledged)
                    self.assertEqual(self.floe(other, "readkey", "locking.tdb", f"by{node.pnn}").stdout, "here\n")
            return json.loads(self.floe(nodes[0], "cluster", "version", "--json").stdout)

    def test_up(self):
        told = self.roll(PREVIOUS, NOW)
        self.assertTrue(told["same"])
        self.assertEqual(len(told["nodes"]), 3)

    def test_down(self):
        self.roll(NOW, PREVIOUS)


if __name__ == "__main__":
    tap.main()
