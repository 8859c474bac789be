#!/usr/bin/env python3
"""The shell script in cli/drills/README.md does what it says, and the commands of the CI example are right."""
import os
import pathlib
import re
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import tap  # noqa: E402

FLOE = os.environ.get("FLOE")
DRILLS = pathlib.Path(__file__).resolve().parents[2] / "cli" / "drills"


def example():
    return re.search(r"^```sh\n(.*?)^```$", (DRILLS / "README.md").read_text(), re.DOTALL | re.MULTILINE)[1]


class ByHand(unittest.TestCase):
    def play(self, script):
        place = sandbox.directory("hand")
        (place / "floe").symlink_to(FLOE)
        environment = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}", "TMPDIR": str(place)}
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=110,
                              env=environment), place

    def test_it_holds(self):
        result, place = self.play(example())
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"locking\.tdb +file7 +0 +holds")
        pages = list(place.glob("tmp.*/timeline.html"))
        self.assertEqual(1, len(pages))
        self.assertIn("locking.tdb", pages[0].read_text())
        self.assertIn("3 of 3 nodes were running", result.stdout)

    def test_it_does_not_hold(self):
        """Nobody releases the recovery of brlock.tdb."""
        script = re.sub(r"^node .* recovery release.*\n", "", example(), flags=re.MULTILINE)
        result, _ = self.play(script.replace("within 10 state brlock.tdb", "within 1 state brlock.tdb"))
        self.assertEqual(4, result.returncode, result.stdout + result.stderr)
        self.assertIn("failed: not in time: state brlock.tdb thawed", result.stdout)


class Ci(unittest.TestCase):
    def test_its_commands(self):
        lines = re.findall(r"^ +floe (drill \w+) (.*)$", (DRILLS / "ci-example.yml").read_text(), re.MULTILINE)
        self.assertEqual({"drill run", "drill check", "drill compare"}, {command for command, _ in lines})
        for command, arguments in lines:
            known = subprocess.run([FLOE, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
            for option in re.findall(r"--[a-z-]+", arguments):
                self.assertRegex(known, rf"{option}\b")


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
