#!/usr/bin/env python3
"""floe drill run --real: shipped drills on processes, floe's and ctdbd's; what cannot be done is said before anything is
played; nothing is left of a run, however it ends."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import cluster
import sandbox
import tap
from wait import until

FIRST_TEN = ["deadlock-of-2015", "follower-killed", "leader-killed", "follower-paused", "leader-paused", "two-nodes-lost",
             "killed-in-recovery", "minority-cut-off", "one-way-partition", "flapping-link"]
PAUSED = "# Somebody ends it.\nattach a.tdb\nkill 2\npause 1\nwait 60s\n"
WRONG = "# It cannot hold.\nattach a.tdb\nkill 2\nwithin 30s: node 2 disconnected\nwithin 10ms: node 2 connected\n"
CLOCK = "# Clocks.\nattach a.tdb\nclock 1 ahead 10s\nwithin 5s: normal\ndisk 1 fails write 3\n"
LOADED = 10  # limits in drills are those of a machine that does nothing else


def start(*arguments, **options):
    return subprocess.Popen([cluster.FLOE, "drill", "run", *map(str, arguments)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def end(process, seconds=110):
    out, err = process.communicate(timeout=seconds)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def drill(*arguments, **options):
    return end(start(*arguments, **options))


def network_namespaces():
    found = set()
    for process in pathlib.Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(os.readlink(process))
        except OSError:
            continue
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = sandbox.directory("r")
        self.environment = {**os.environ, "TMPDIR": str(self.dir)}

    def file(self, name, text):
        path = self.dir / name
        path.write_text(text)
        return path

    def left(self):
        """Directories of runs, and processes that were started for them."""
        return [*self.dir.glob("floe-drill-*"), *cluster.processes_of(self.dir / "floe-drill-")]


class FirstTen(Case):
    def test_they_hold_with_floe_nodes(self):
        result = drill(*FIRST_TEN, "--real", "--skip-impossible", "--jobs", 5, "--patience", LOADED, "--json", env=self.environment)
        told = json.loads(result.stdout)
        impossible = {line["drill"] for line in told.get("left_out", [])}
        for run in told["runs"]:
            with self.subTest(run["drill"]):
                self.assertEqual("held", run["verdict"], run["reason"])
                self.assertGreater(run["writes"], 0)
        print(f"# {len(FIRST_TEN) - len(impossible)} of {len(FIRST_TEN)} as a whole; lines left out of: {sorted(impossible)}")
        self.assertEqual([], self.left())


class WithCtdbd(Case):
    def setUp(self):
        super().setUp()
        if reason := cluster.why_not("ctdbd"):
            self.skipTest(reason)

    def test_one_of_three_and_all(self):
        runs = [start(name, "--real", "--ctdbd", which, "--patience", 20, "--json", env=self.environment)
                for name, which in (("follower-killed", "1"), ("leader-killed", "all"))]
        for result in map(end, runs):
            run = json.loads(result.stdout)["runs"][0]
            with self.subTest(run["drill"]):
                self.assertEqual("held", run["verdict"], run["reason"])
                self.assertGreater(run["writes"], 20)
        self.assertEqual([], self.left())

    def test_what_a_ctdbd_cannot_do_is_said_before(self):
        result = drill("deadlock-of-2015", "--real", "--ctdbd", "2", env=self.environment)
        self.assertEqual(2, result.returncode)
        self.assertIn("ctdbd does not say whether a database is frozen", result.stderr)
        self.assertEqual([], self.left())


class Care(Case):
    def interrupted(self, number):
        """Ends a run in which a node has been killed and another one is stopped."""
        before = network_namespaces()
        run = start(self.file("paused.drill", PAUSED), "--real", "--verbose", env=self.environment)
        for line in run.stderr:
            if "node 1 is paused" in line:
                break
        nodes = [n for n in cluster.processes_of(self.dir / "floe-drill-") if n != run.pid]
        self.assertGreaterEqual(len(nodes), 2)
        run.send_signal(number)
        self.assertEqual(128 + number, end(run, 20).returncode)
        self.assertEqual([], self.left())
        self.assertLessEqual(network_namespaces(), before)

    def test_nothing_is_left_after_sigint(self):
        self.interrupted(signal.SIGINT)

    def test_nothing_is_left_after_sigterm(self):
        self.interrupted(signal.SIGTERM)

    def test_nodes_end_with_the_program_that_is_killed(self):
        run = start(self.file("paused.drill", PAUSED), "--real", "--verbose", env=self.environment)
        for line in run.stderr:
            if "node 1 is paused" in line:
                break
        run.kill()
        run.communicate()
        until(lambda: not self.left(), "all gone", 20)

    def test_files_of_a_failed_run_are_kept_and_named(self):
        result = drill(self.file("wrong.drill", WRONG), "--real", "--json", env=self.environment)
        self.assertEqual(4, result.returncode)
        kept = pathlib.Path(json.loads(result.stdout)["runs"][0]["kept"])
        self.assertEqual([kept], self.left())
        self.assertIn("node-started", (kept / "node.0" / "log.ctdb").read_text())

    def test_what_cannot_be_done_is_said_before(self):
        path = self.file("clock.drill", CLOCK)
        result = drill(path, "--real", env=self.environment)
        self.assertEqual(2, result.returncode)
        self.assertEqual(1, result.stderr.count("\n"), result.stderr)
        for words in (f"{path}:3: clock 1 ahead 10s: ", f"{path}:5: disk 1 fails write 3: ", "--skip-impossible"):
            self.assertIn(words, result.stderr)
        self.assertEqual([], self.left())
        result = drill(path, "--real", "--skip-impossible", "--json", env=self.environment)
        self.assertEqual(0, result.returncode, result.stdout)
        told = json.loads(result.stdout)
        self.assertEqual([3, 5], [line["line"] for line in told["left_out"]])
        self.assertEqual("held", told["verdict"])

    def test_options_that_make_no_sense(self):
        for options, words in ((["--ctdbd", "1"], "--ctdbd goes with --real"), (["--real", "--sim"], "contradict"),
                               (["--real", "--patience", "0"], "--patience takes"), (["--real", "--ctdbd", "x"], "--ctdbd takes")):
            result = drill("follower-killed", *options, env=self.environment)
            self.assertEqual(2, result.returncode, options)
            self.assertIn(words, result.stderr)

    def test_the_page_says_that_it_was_real(self):
        with tempfile.TemporaryDirectory() as place:
            record = pathlib.Path(place) / "record.json"
            drill(self.file("small.drill", "# Small.\nattach a.tdb\nwait 10ms\n"), "--real", "--record", record, env=self.environment)
            told = json.loads(record.read_text())
        self.assertEqual("real", told["mode"])
        self.assertEqual({"floe"}, {node["kind"] for node in told["nodes"]})


if __name__ == "__main__":
    if not (cluster.FLOE and os.access(cluster.FLOE, os.X_OK)):
        tap.skip_all("the environment variable FLOE names no program")
    sandbox.enter()
    tap.main()
