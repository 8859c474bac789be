#!/usr/bin/env python3
"""The manual says what the program says, is read without a complaint, and bash completes what there is."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import sandbox

sandbox.enter()

import tap  # noqa: E402
from single_node import Node, floe  # noqa: E402
from wait import until  # noqa: E402

FLOE = os.environ.get("FLOE")
MANUAL = pathlib.Path(os.environ.get("FLOE_MANUAL") or pathlib.Path(FLOE).parent / "man")
PAGES = ("floe.1", "floe.conf.5", "floe-tunables.7", "floe-drill.7", "floe-protocol.7", "floe-operators.7")


def every_command(commands, path=""):
    for command in commands:
        name = f"{path}{command['name']}"
        yield name, command
        yield from every_command(command["subcommands"], name + " ")


class A1Pages(unittest.TestCase):
    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_no_complaint(self):
        for page in PAGES:
            read = subprocess.run(["man", "--warnings", "-l", MANUAL / page], capture_output=True, text=True,
                                  env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
            with self.subTest(page=page):
                self.assertEqual((read.returncode, read.stderr), (0, ""))
                self.assertGreater(len(read.stdout), 1000)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_the_other_reader_has_no_complaint_either(self):
        read = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *(MANUAL / page for page in PAGES)], capture_output=True, text=True)
        self.assertEqual((read.returncode, read.stdout), (0, ""))

    def test_every_command_and_option(self):
        text = (MANUAL / "floe.1").read_text().replace("\\-", "-")
        told = json.loads(floe("help", "--json").stdout)
        for name, command in every_command(told["commands"]):
            self.assertIn(f".SS {name}\n", text)
            for option in command["options"]:
                self.assertIn(option["name"].replace(",", ", "), text)

    def test_every_control_and_message(self):
        text = (MANUAL / "floe-protocol.7").read_text()
        tables = pathlib.Path(__file__).resolve().parents[2] / "protocol"
        for file, pattern in (("controls.def", r"^FLOE_CONTROL\(\s*(\w+),\s*\w+,\s*(\w+)"),
                              ("messages.def", r"^FLOE_MESSAGE\(\s*(\w+),\s*\w+,\s*\w+,\s*(\w+)")):
            rows = re.findall(pattern, (tables / file).read_text(), re.M)
            self.assertGreater(len(rows), 20)
            for number, name in rows:
                self.assertIn(f"\\fB{name}\\fR ({number})", text)

    def test_every_setting(self):
        text = (MANUAL / "floe.conf.5").read_text()
        for s in json.loads(floe("check-config", "--settings", "--json").stdout)["settings"]:
            self.assertIn(f"\\fB{s['name']}\\fR", text)

    @unittest.skipUnless(shutil.which("journalctl"), "systemd is not installed")
    def test_the_journal_explains_every_event(self):
        root = sandbox.directory("catalog")
        (root / "usr/lib/systemd/catalog").mkdir(parents=True)
        shutil.copy(MANUAL / "floe.catalog", root / "usr/lib/systemd/catalog")
        made = subprocess.run(["journalctl", f"--root={root}", "--update-catalog"], capture_output=True, text=True)
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        listed = subprocess.run(["journalctl", f"--root={root}", "--dump-catalog"], capture_output=True, text=True).stdout
        for event in json.loads(floe("explain", "--json").stdout)["found"]:
            self.assertIn(f"{event['message_id']}\nSubject: {event['name']}: ", listed)


class B1Completion(unittest.TestCase):
    def complete(self, line):
        """What bash offers for the last word of the line."""
        words = line.split(" ")
        script = f"""source {MANUAL / 'floe'}
COMP_WORDS=({' '.join(f"'{w}'" for w in words)}); COMP_CWORD={len(words) - 1}; _floe; printf '%s\\n' "${{COMPREPLY[@]}}" """
        told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env={**os.environ, "PATH": os.environ["PATH"]})
        self.assertEqual((told.returncode, told.stderr), (0, ""))
        return told.stdout.split()

    def test_commands_and_options(self):
        self.assertIn("status", self.complete(f"{FLOE} st"))
        self.assertEqual(self.complete(f"{FLOE} quickst"), ["quickstart"])
        self.assertIn("hold", self.complete(f"{FLOE} recovery "))
        self.assertIn("--db", self.complete(f"{FLOE} health --"))
        self.assertIn("--json", self.complete(f"{FLOE} health --"))

    def test_what_the_program_knows(self):
        self.assertIn("deadlock-of-2015", self.complete(f"{FLOE} drill run dead"))
        self.assertEqual(self.complete(f"{FLOE} getvar ControlTime"), ["ControlTimeout"])
        self.assertIn("GET_DBMAP", self.complete(f"{FLOE} explain GET_DB"))
        self.assertEqual(self.complete(f"{FLOE} explain node-do"), ["node-down"])

    def test_what_the_node_knows(self):
        node = Node(self.addCleanup)
        until(lambda: floe("--base", node.base, "health").returncode == 0, "ready", 30)
        floe("--base", node.base, "attach", "locking.tdb").check_returncode()
        self.assertEqual(self.complete(f"{FLOE} --base {node.base} getdbstatus lock"), ["locking.tdb"])
        self.assertEqual(self.complete(f"{FLOE} --base {node.base} health --db lock"), ["locking.tdb"])
        self.assertEqual(self.complete(f"{FLOE} --base {node.base} -n "), ["0", "all"])


if __name__ == "__main__":
    tap.main()
