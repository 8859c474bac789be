#!/usr/bin/env python3
"""The shell script in cli/drills/README.md does what it says, the commands of the CI example are right, and the cluster by hand of
cli/README.md and of README.md is one run, as printed."""
import os
import pathlib
import re
import subprocess
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import tap  # noqa: E402
from played_page import matches, steps  # noqa: E402

FLOE = os.environ.get("FLOE")
TOP = pathlib.Path(__file__).resolve().parents[2]
DRILLS = TOP / "cli" / "drills"
LOOK_S = 60


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


class Sample(unittest.TestCase):
    """Every command is accepted; what does not depend on which node leads is printed as the page has it, after a while: a person
    types more slowly than a test."""

    SAME = re.compile(r"floe (--base \S+ )?(locks|readkey|attach|cluster down)\b")

    def play(self, page, heading):
        text = re.split(r"^## ", page.read_text().split(f"## {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
        place = sandbox.directory("sample")
        (place / "floe").symlink_to(FLOE)
        environment = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}"}
        shell = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 cwd=place, env=environment)
        self.addCleanup(shell.wait)
        self.addCleanup(shell.stdin.close)
        self.addCleanup(lambda: subprocess.run([FLOE, "cluster", "down", "--dir", place / "c"], capture_output=True, check=False))

        def run(command):
            """What it prints, and its exit status."""
            shell.stdin.write(command.replace("/tmp/floe", f"{place}/c") + "\necho \"::$?\"\n")
            shell.stdin.flush()
            lines = []
            for line in shell.stdout:
                if line.startswith("::"):
                    return [one.replace(f"{place}/c", "/tmp/floe") for one in lines], int(line[2:])
                lines.append(line.rstrip("\n"))
            self.fail("the shell has ended")
        played = 0
        for kind, command, output in steps(text):
            if kind != "command" or not command.startswith(("floe ", "export ", "kill ", "CTDB_TEST_MODE=")):
                continue
            shown = [line for line in output if line and not line.startswith("granted after")]
            deadline = time.monotonic() + (LOOK_S if self.SAME.match(command) else 0)
            while True:
                lines, status = run(command)
                # what a command in the background says comes at any time
                printed = [line for line in lines if line and not line.startswith("granted after")]
                if not shown or not self.SAME.match(command) or matches(shown, printed):
                    break
                self.assertLess(time.monotonic(), deadline, f"$ {command}\n" + "\n".join(lines))
                time.sleep(0.1)
            self.assertIn(status, (0, 4), command)
            deadline = time.monotonic() + LOOK_S
            while command.endswith("&") and not any("granted" in line for line in lines):
                self.assertLess(time.monotonic(), deadline, command)
                lines += run("sleep 0.1")[0]
            played += 1
        self.assertGreater(played, 6)

    def test_of_the_program(self):
        self.play(TOP / "cli" / "README.md", "What it looks like")

    def test_of_the_first_page(self):
        self.play(TOP / "README.md", "A cluster by hand")


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
