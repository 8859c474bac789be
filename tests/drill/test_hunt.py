#!/usr/bin/env python3
"""floe drill hunt: a fixed hunt finds nothing, one for a bug that is switched on finds it, what was found is played by
another build, and nothing is left behind by what is killed."""
import glob
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
import hunt_mutants  # noqa: E402
import tap  # noqa: E402

FLOE = os.environ["FLOE"]
MUTANTS = os.environ["FLOE_MUTANTS"]
# About ten seconds of one core. If a change of a rule lets it fail, the drill that is printed is a fault to be understood.
SEED, DRILLS = 4, 96
EASY = {"granted_while_frozen": 2, "change_not_noted": 2}  # found within a few drills of this seed


def floe(*arguments):
    return subprocess.run([FLOE, "drill", *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


class Hunt(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)

    def test_a_fixed_one_finds_nothing(self):
        done = floe("hunt", "--seed", SEED, "--drills", DRILLS, "--out", self.dir, "--json")
        self.assertIn(done.returncode, (0, 4), done.stderr)
        found = [f"{f['reason']}\n{pathlib.Path(f['file']).read_text()}" for f in json.loads(done.stdout)["failures"]]
        self.assertEqual("", "\n".join(found))

    def test_one_for_a_bug_finds_it(self):
        for name, seed in EASY.items():
            with self.subTest(name):
                self.assertIsNotNone(hunt_mutants.hunt_for(name, seed, 64, True))

    def test_another_build_plays_what_was_found(self):
        there = dict(os.environ, FLOE_MUTANT="retries_spin")
        (self.dir / "good.drill").write_text("# It holds.\nattach a.tdb\nwait 100ms\n")
        (self.dir / "bad.drill").write_text("# It cannot.\nattach a.tdb\nwithin 10ms: node 2 disconnected\n")
        same = floe("hunt", "--out", self.dir, "--against", FLOE, "--json")
        self.assertEqual(0, same.returncode, same.stderr + same.stdout)
        drills = {pathlib.Path(d["drill"]).name: (d["here"], d["there"]) for d in json.loads(same.stdout)["drills"]}
        self.assertEqual({"good.drill": ("held", "held"), "bad.drill": ("failed", "failed")}, drills)
        shipped = pathlib.Path(__file__).resolve().parents[2] / "cli" / "drills" / "disk-full.drill"
        # of this bug some seeds know nothing
        (self.dir / "disk-full.drill").write_text("cluster seed=2\n" + shipped.read_text())
        other = subprocess.run([FLOE, "drill", "hunt", "--out", str(self.dir), "--against", MUTANTS], capture_output=True,
                               text=True, env=there, stdin=subprocess.DEVNULL)
        self.assertEqual(4, other.returncode, other.stderr)
        self.assertRegex(other.stdout, r"disk-full.drill +held +no spinning")
        self.assertEqual(1, floe("hunt", "--out", self.dir, "--against", "/no/such/program").returncode)
        self.assertEqual(1, floe("hunt", "--out", self.dir / "none", "--against", FLOE).returncode)

    def test_a_signal_ends_it_within_a_second_and_leaves_nothing(self):
        for name in (signal.SIGTERM, signal.SIGINT):
            with subprocess.Popen([FLOE, "drill", "run", "thousand-databases"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as run:
                child = self.child_of(run.pid)
                self.assertTrue(self.wait_for(lambda: glob.glob(f"/dev/shm/floe-sim-{child}-*")))
                run.send_signal(name)
                began = time.monotonic()
                self.assertEqual(128 + name, run.wait(60))
                took = time.monotonic() - began
            self.assertEqual([], glob.glob(f"/dev/shm/floe-sim-{child}-*"))
            self.assertLess(took, 1 if os.getloadavg()[0] < 2 else 20)

    def test_what_a_killed_one_leaves_is_removed_by_the_next(self):
        with subprocess.Popen([FLOE, "drill", "run", "thousand-databases"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as run:
            child = self.child_of(run.pid)
            self.assertTrue(self.wait_for(lambda: glob.glob(f"/dev/shm/floe-sim-{child}-*")))
            run.kill()
            run.wait(60)
        # its child has ended with it, and could not say goodbye
        self.assertTrue(self.wait_for(lambda: not pathlib.Path(f"/proc/{child}").exists()))
        (self.dir / "good.drill").write_text("# It holds.\nattach a.tdb\n")
        self.assertEqual(0, floe("run", self.dir / "good.drill").returncode)
        self.assertEqual([], glob.glob(f"/dev/shm/floe-sim-{child}-*"))

    def child_of(self, pid):
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        self.assertTrue(self.wait_for(lambda: children.read_text().split()))
        return children.read_text().split()[0]

    @staticmethod
    def wait_for(condition, limit=60):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.01)
        return False


if __name__ == "__main__":
    tap.main()
