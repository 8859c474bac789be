#!/usr/bin/env python3
"""floe drill, as a user and a script call it: exit statuses, one-line errors, JSON, traces that repeat, sweeps."""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
import tap  # noqa: E402

FLOE = os.environ.get("FLOE")
TOP = pathlib.Path(__file__).resolve().parents[2]
GOOD = "# A small one.\nattach a.tdb\nclient c on 0\nc write a.tdb k v\nkill 2\nwithin 10s: not active\nc read a.tdb k is v\n"
BAD = "# It cannot hold.\nattach a.tdb\nkill 2\nwait 100ms\nwithin 100ms: node 2 connected\n"
BIG = """# Much happens, one thing matters.
attach a.tdb b.tdb
workload db=a.tdb,b.tdb clients=3 keys=4 mix=write,read,move
client smbd on 0
smbd lock a.tdb k
repeat 2
  one of
    pause 1
    wait 50ms
    resume 1
  or
    wait 100ms
  end
end
smbd unlock a.tdb k
isolate 1
wait 100ms
heal
within 5s: normal
kill 2
wait 200ms
smbd dies
expect node 2 connected
"""
LONG = ("# A long one.\nattach a.tdb b.tdb\nworkload db=a.tdb,b.tdb clients=12 pause=5ms mix=write,read,move\n"
        "repeat {}\n  pause any\n  wait 500ms\n  resume it\n  wait 1s\nend\n")


def on_terminal(*arguments):
    """Exit status, standard output, and what came to the terminal that is standard error."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 90, 0, 0))
    with subprocess.Popen([FLOE, "drill", *map(str, arguments)], stdout=subprocess.PIPE, stderr=its, stdin=subprocess.DEVNULL,
                          text=True) as run:
        os.close(its)
        shown = b""
        with contextlib.suppress(OSError):  # Linux's way to say that the other side is closed
            while part := os.read(ours, 65536):
                shown += part
        said = run.stdout.read()
    os.close(ours)
    return run.returncode, said, shown.decode().replace("\r\n", "\n")


def drill(*arguments):
    return subprocess.run([FLOE, "drill", *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=60)


class Drill(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.dir = pathlib.Path(place.name)

    def file(self, name, text):
        path = self.dir / name
        path.write_text(text)
        return path

    def test_one_that_holds(self):
        result = drill("run", self.file("good.drill", GOOD))
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        self.assertIn("A small one.", result.stdout)
        self.assertIn("held  seed 1:", result.stdout)

    def test_one_that_fails_says_how_to_play_it_again(self):
        path = self.file("bad.drill", BAD)
        result = drill("run", path, "--seeds", 3)
        self.assertEqual(4, result.returncode)
        # they are told as they end, and they run side by side
        first = re.search(rf"again: floe drill run {re.escape(str(path))} --seed ([123]) ", result.stdout)
        self.assertTrue(first, result.stdout)
        self.assertEqual(1, result.stdout.count("again: "), "what fails alike is told once")
        self.assertRegex(result.stdout, rf"3 times  {re.escape(str(path))}:5: .*\(seeds 1 to 3\)\n")
        self.assertIn(f"{path}:5: within 100ms: node 2 connected: not within 100 ms:", result.stdout)

    def test_json(self):
        result = drill("run", self.file("bad.drill", BAD), self.file("good.drill", GOOD), "--seeds", 2, "--seed", 5, "--json")
        self.assertEqual(4, result.returncode)
        told = json.loads(result.stdout)
        self.assertEqual("failed", told["verdict"])
        self.assertEqual([5, 6, 5, 6], [run["seed"] for run in told["runs"]])
        self.assertEqual(["failed", "failed", "held", "held"], [run["verdict"] for run in told["runs"]])
        self.assertGreater(told["runs"][2]["virtual_ms"], 0)
        self.assertEqual([], [c for c in told["runs"][2]["checks"] if c["broken"]])

    def test_equal_seeds_leave_equal_traces(self):
        path = self.file("good.drill", GOOD)
        traces = []
        for name, seed in (("one", 7), ("two", 7), ("three", 8)):
            self.assertEqual(0, drill("run", path, "--seed", seed, "--trace", self.dir / name).returncode)
            traces.append((self.dir / name).read_bytes())
        self.assertEqual(traces[0], traces[1])
        self.assertNotEqual(traces[0], traces[2])

    def test_files(self):
        """Page, record and trace for Perfetto are of the first run that fails, JUnit's XML of all."""
        names = {kind: self.dir / f"out.{kind}" for kind in ("report", "record", "perfetto", "junit")}
        options = [part for kind, path in names.items() for part in (f"--{kind}", path)]
        result = drill("run", self.file("good.drill", GOOD), self.file("bad.drill", BAD), "--seed", 3, "--seeds", 2, *options)
        self.assertEqual(4, result.returncode, result.stderr)
        self.assertIn(f"bad.drill, seed 3\n", result.stdout)
        record = json.loads(names["record"].read_text())
        self.assertEqual(("bad", 3, "sim"), (record["verdict"], record["seed"], record["mode"]))
        self.assertEqual(["kill 2"], [fault["what"] for fault in record["faults"]])
        self.assertEqual([False], [c["good"] for c in record["checks"] if c["what"].startswith("5: within")])
        self.assertIn("a.tdb", [row["db"] for row in record["rows"]])
        self.assertTrue([s for row in record["rows"] for s in row["spans"] if s["state"] == "down"])
        self.assertTrue(names["report"].read_text().startswith("<!doctype html>"))
        self.assertTrue(json.loads(names["perfetto"].read_text())["traceEvents"])
        suites = xml.etree.ElementTree.parse(names["junit"]).getroot()
        self.assertEqual(("4", "2"), (suites.get("tests"), suites.get("failures")))
        self.assertIn("not within 100 ms", suites.find(".//failure").get("message"))
        drill("run", self.file("bad.drill", BAD), "--junit", names["junit"])
        one = xml.etree.ElementTree.parse(names["junit"]).getroot()
        failed = [case.get("name") for case in one.iter("testcase") if case.find("failure") is not None]
        self.assertEqual(["seed 1", "seed 1: 5: within 100ms: node 2 connected"], failed)
        self.assertEqual({"bad.drill", "good.drill", *(path.name for path in names.values())}, {p.name for p in self.dir.iterdir()})

    def test_files_that_cannot_be_written(self):
        for option in ("--report", "--record", "--perfetto", "--junit"):
            for path, why in ((self.dir / "none" / "x", "No such file or directory"), (self.dir, "Is a directory")):
                result = drill("run", self.file("good.drill", GOOD), option, path)
                self.assertEqual((1, f"floe: {path} cannot be written: {why}\n", ""), (result.returncode, result.stderr, result.stdout))

    def test_unavailability(self):
        result = drill("run", self.file("good.drill", GOOD))
        self.assertRegex(result.stdout, r"NOT AVAILABLE +WORST +ON NODE +IN ALL +LONGEST WAIT\n +a\.tdb +[0-9.]+ ms +[012] +[0-9.]+ ms +[0-9.]+ ms\n")
        self.assertRegex(result.stdout, r"FAULT +AT +UNTIL +A CLIENT WAITED +a\.tdb\n +kill 2 ")
        told = json.loads(drill("run", self.file("good.drill", GOOD), "--json").stdout)["runs"][0]
        self.assertEqual("a.tdb", told["unavailable"][0]["db"])
        self.assertEqual(["kill 2"], [fault["what"] for fault in told["faults"]])
        self.assertEqual([told["unavailable"][0]["total_ms"]], told["unavailable"][0]["by_fault_ms"])

    def test_compare(self):
        slow = GOOD.replace("kill 2\n", "c lock a.tdb other\nkill 2\nwait 700ms\nc unlock a.tdb other\n")
        for name, text in (("fast", GOOD), ("slow", slow), ("bad", BAD)):
            drill("run", self.file(f"{name}.drill", text), "--record", self.dir / f"{name}.json")
        fast, slow, bad = (self.dir / f"{name}.json" for name in ("fast", "slow", "bad"))
        result = drill("compare", fast, slow)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertRegex(result.stdout, r"A  .*fast\.drill \(sim, seed 1\), held\nB  .*slow\.drill \(sim, seed 1\), held\n")
        self.assertRegex(result.stdout, r"a\.tdb not available, longest +[0-9.]+ ms +[0-9.]+ ms +A x ")
        self.assertRegex(result.stdout, r"a\.tdb not available after kill 2 +[0-9.]+ ms +[0-9.]+ ms +A x ")
        self.assertEqual(4, drill("compare", fast, slow, "--fail-if-worse", 20).returncode)
        self.assertEqual(0, drill("compare", fast, fast, "--fail-if-worse", "0%").returncode)
        self.assertIn("the verdict", json.loads(drill("compare", fast, bad, "--fail-if-worse", 1000, "--json").stdout)["worse"])
        told = json.loads(drill("compare", slow, fast, "--json").stdout)
        self.assertGreater({f["what"]: f for f in told["figures"]}["a.tdb not available, longest"]["b_is_better_by"], 2)
        self.assertEqual(0, drill("compare", fast, slow, "--html", self.dir / "two.html").returncode)
        self.assertEqual(2, (self.dir / "two.html").read_text().count("<iframe"))
        missing = self.dir / "missing"
        self.assertEqual(f"floe: {missing} cannot be read: No such file or directory\n", drill("compare", fast, missing).stderr)
        self.assertEqual(2, drill("compare", fast, self.file("x", "{}")).returncode)
        self.assertEqual(2, drill("compare", fast, slow, "--fail-if-worse", "much").returncode)

    def test_shrink(self):
        """Of this drill two lines are needed: a node that is killed, and the expectation that it is there."""
        path, small = self.file("big.drill", BIG), self.dir / "small.drill"
        result = drill("shrink", path, "--seed", 5, "--out", small)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn("19 lines, 2 of them needed", result.stdout)
        lines = [line for line in small.read_text().splitlines() if not line.startswith(("#", "cluster"))]
        self.assertEqual(["kill 2", "expect node 2 connected"], lines)
        again = drill("run", small)
        self.assertEqual(4, again.returncode)
        self.assertIn("expect node 2 connected: node 2 is not connected", again.stdout)
        told = json.loads(drill("shrink", path, "--seed", 5, "--json").stdout)
        self.assertEqual((small.read_text(), "expect node 2 connected"), (told["text"], told["failed_at"]))
        result = drill("shrink", self.file("good.drill", GOOD))
        self.assertEqual((1, ""), (result.returncode, result.stdout))
        self.assertIn("good.drill holds with seed 1: there is nothing to shrink", result.stderr)

    def test_followed_line_by_line(self):
        path = self.file("good.drill", GOOD)
        self.assertEqual("", drill("run", path).stderr)
        said = drill("run", path, "-v").stderr
        for line in ("2: attach a.tdb", "5: kill 2", "node 2 is killed", "7: read", "the faults are over"):
            self.assertIn(line.replace("7: read", "7: c read a.tdb k is v"), said)
        self.assertNotIn("\x1b", said)
        self.assertEqual(2, drill("run", path, "-v", "--seeds", 2).returncode)

    def test_followed_on_a_terminal(self):
        """A picture, redrawn in place, at most ten times a second, gone at the end."""
        for times in (6, 30, 150):  # until it lasts long enough to be looked at
            path = self.file("long.drill", LONG.format(times))
            began = time.monotonic()
            status, said, shown = on_terminal("run", path)
            self.assertEqual(0, status, said)
            self.assertNotIn("\x1b", said)
            pictures = shown.split("\x1b[J")[:-3]  # it is cleared by its process and by ours
            # a slow machine shows the cluster starting: no line is played, and there are no databases yet
            pictures = [p for p in pictures if "DATABASE" in p]
            if pictures:
                break
        self.assertTrue(1 <= len(pictures) <= 10 * (time.monotonic() - began) + 1, len(pictures))
        for picture in pictures:
            plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", picture).replace("\r", "")
            lines = plain.splitlines()
            self.assertLessEqual(len(lines), 23)
            self.assertLessEqual(max(map(len, lines)), 90)
            self.assertRegex(plain, r"seed 1 .* operations/s  [0-9(]")
            self.assertIn("nodes: 0 ", plain)
            self.assertRegex(plain, r"DATABASE +NODE 0 +NODE 1 +NODE 2 +HELD +WAITING +MIGRATING")

    def test_a_sweep_on_a_terminal(self):
        status, _, shown = on_terminal("run", self.file("good.drill", GOOD), "--seeds", 8)
        self.assertEqual(0, status)
        self.assertIn("8/8", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"))

    def test_mistakes(self):
        for text, said in (("kil 0\n", ":1: no such verb: `kil`; did you mean kill?"),
                           ("\nwait soon\n", ":2: expected a duration such as 500ms or 2s after `wait`, found `soon`")):
            path = self.file("x.drill", text)
            for verb in ("run", "check"):
                result = drill(verb, path)
                self.assertEqual(2, result.returncode)
                self.assertEqual(f"floe: drill {verb}: {path}{said}\n", result.stderr)
        self.assertEqual(2, drill("run", "no-such-drill").returncode)
        self.assertEqual(2, drill("run").returncode)
        self.assertEqual(2, drill("run", self.file("g.drill", GOOD), "--seeds", 0).returncode)
        self.assertEqual(2, drill("run", self.file("g.drill", GOOD), "--seeds", 2, "--trace", self.dir / "t").returncode)

    def test_the_shipped_ones_and_the_language(self):
        names = [d["name"] for d in json.loads(drill("list", "--json").stdout)["drills"]]
        self.assertIn("deadlock-of-2015", names)
        self.assertEqual(0, drill("check", *names).returncode)
        self.assertTrue(drill("show", "deadlock-of-2015").stdout.startswith("# Two locks"))
        language = json.loads(drill("help", "--json").stdout)
        text = drill("help").stdout
        for part, name in (("verbs", "usage"), ("conditions", "form"), ("checks", "name")):
            for row in language[part]:
                self.assertIn(row[name], text)
        self.assertIn("SIGKILL", drill("help", "kill").stdout)
        self.assertEqual(2, drill("help", "fly").returncode)
        help_first = subprocess.run([FLOE, "help", "drill"], capture_output=True, text=True, check=True)
        self.assertEqual(text, help_first.stdout)
        self.assertEqual(drill("help", "kill").stdout, subprocess.run([FLOE, "help", "drill", "kill"], capture_output=True, text=True).stdout)
        self.assertEqual(subprocess.run([FLOE, "status", "--help"], capture_output=True, text=True).stdout,
                         subprocess.run([FLOE, "help", "status"], capture_output=True, text=True).stdout)

        wrong = subprocess.run([FLOE, "help", "statu"], capture_output=True, text=True)
        self.assertEqual((2, "floe: no such command: statu; did you mean status?\n"), (wrong.returncode, wrong.stderr))

    def test_the_reference_is_as_the_program(self):
        script = TOP / "cli" / "man" / "drill.py"
        made = subprocess.run([sys.executable, script, "--markdown", FLOE], capture_output=True, text=True, check=True)
        self.assertEqual((TOP / "cli" / "drills" / "reference.md").read_text(), made.stdout,
                         "make it anew: cli/man/drill.py --markdown build/cli/floe > cli/drills/reference.md")
        page = subprocess.run([sys.executable, script, FLOE], capture_output=True, text=True, check=True).stdout
        self.assertIn(".SH CONDITIONS\n", page)
        self.assertIn("within", page)


if __name__ == "__main__":
    tap.main()
