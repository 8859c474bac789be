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
    built = subprocess.run([HERE / "previous_release", "--where"], capture_output=True, text=True, check=True).stdout.strip()
    return built if os.access(built, os.X_OK) else None


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


def floe(node, *arguments):
    return subprocess.run([NOW, "--base", node.base, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def number(program):
    """As `cluster version` has it; the first release tells none."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20)
    return told.stdout.split(",")[0] if told.returncode == 0 else "floe 0.1.0 or older"


def version_told(node):
    return json.loads(floe(node, "cluster", "version", "--json").stdout)


@unittest.skipUnless(PREVIOUS, "no program of the previous release: .ci/upgrade builds it, once")
class Upgrade(unittest.TestCase):
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
            floe(nodes[0], "attach", "config.tdb", "persistent").check_returncode()
            floe(nodes[0], "attach", "locking.tdb").check_returncode()
            floe(nodes[0], "pstore", "config.tdb", "key", "kept").check_returncode()
            levels, mixed = [], []
            for node in nodes:
                writer = Writer(nodes[(node.pnn + 1) % 3])
                writer.start()
                self.replace(nodes, node, after)
                writer.stop()
                self.assertGreater(writer.acknowledged, 0)
                floe(node, "writekey", "locking.tdb", f"by{node.pnn}", "here").check_returncode()
                for other in nodes:  # old and new nodes see the same
                    self.assertEqual(floe(other, "pfetch", "config.tdb", "key").stdout, "kept\n")
                    self.assertGreaterEqual(int(floe(other, "pfetch", "config.tdb", "count").stdout), writer.acknowledged)
                    self.assertEqual(floe(other, "readkey", "locking.tdb", f"by{node.pnn}").stdout, "here\n")
                levels.append(version_told(nodes[0])["level"])
                mixed.append({told["version"] for told in version_told(nodes[0])["nodes"]})
            # the releases have numbers of their own, and nodes tell them
            self.assertEqual([{number(before), number(after)}] * 2 + [{number(after)}], mixed)
            return levels, version_told(nodes[0])

    def test_up(self):
        levels, told = self.roll(PREVIOUS, NOW)
        self.assertTrue(told["same"])
        self.assertEqual([node["level"] for node in told["nodes"]], 3 * [told["newest_level"]])
        # what the previous release does not know is used when its last node has gone
        self.assertEqual(levels, [1, 1, told["newest_level"]])

    def test_down(self):
        levels, told = self.roll(NOW, PREVIOUS)
        self.assertEqual(levels, [1, 1, 1])
        self.assertGreater(told["newest_level"], 1)


class Level(unittest.TestCase):
    """An operator pins what a cluster uses before an upgrade, and raises it afterwards."""

    def test_pinned_and_raised(self):
        nodes = self.enterContext(cluster.of("floe"))

        def run(*arguments):
            done = floe(nodes[0], *arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
            return done.stdout

        def recovered():
            """How level.tdb was recovered in a recovery of now."""
            run("recover")

            def look():  # NORMAL comes a moment before the leader has ended it
                told = json.loads(floe(nodes[0], "status", "--json").stdout)
                last = told["last_recovery"]
                return last if last and last["generation"] == told["generation"] else None
            last = until(look, "the leader tells of its last recovery")
            return next(one for one in last["databases"] if one["name"] == "level.tdb")

        run("attach", "level.tdb")
        run("writekey", "level.tdb", "key", "value")
        told = version_told(nodes[0])
        self.assertEqual((told["level"], told["pinned_level"]), (told["newest_level"], 0))
        recovered()
        self.assertNotEqual(recovered()["way"], "whole")
        run("setvar", "FeatureLevel", "1", "-n", "all")
        told = version_told(nodes[0])
        self.assertEqual((told["level"], told["pinned_level"]), (1, 1))
        text = run("cluster", "version")
        self.assertIn("feature level 1 is used: the leader's FeatureLevel allows no more", text)
        self.assertIn("not used: recovery by difference (2)", text)
        pinned = recovered()
        self.assertEqual((pinned["way"], pinned["why"]), ("whole", "FeatureLevel is 1"))
        run("setvar", "FeatureLevel", "0", "-n", "all")
        self.assertEqual(version_told(nodes[0])["level"], told["newest_level"])
        recovered()  # of everything once more: nobody has noted what has changed before it
        self.assertNotEqual(recovered()["way"], "whole")


if __name__ == "__main__":
    tap.main()
