#!/usr/bin/env python3
"""Names that strangers choose do nothing to who looks at them: whatever a client calls a database, nothing of it reaches a
terminal, a pipe, a log or a reader of JSON as more than text of one line. Every command that shows names is asked.
"""
import json
import os
import pty
import re
import subprocess
import unittest

import sandbox

sandbox.enter()

import tap  # noqa: E402  (after the sandbox: it looks for free addresses)
from single_node import FLOE, Node  # noqa: E402
from wait import until  # noqa: E402

# clears the screen, names the window, forges a line, colours, runs backwards; C0, C1 and no UTF-8 at all
NAME = b"odd \x1b[2J\x1b]0;mine\x07\nforged: all is well\r\x7f\xc2\x9b31m\x1b[31m\xe2\x80\xae\xff.tdb"
SHOWN = r"odd \x1b[2J\x1b]0;mine\x07\x0aforged: all is well\x0d\x7f\u009b31m\x1b[31m\u202e\xff.tdb"
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# DB: its id; it cannot be typed
COMMANDS = [["status"], ["doctor"], ["getdbmap"], ["getdbmap", "-X"], ["getdbstatus", "DB"], ["catdb", "DB"], ["cattdb", "DB"],
            ["locks"], ["timeline"], ["dbstatistics", "DB"], ["hotkeys", "DB"], ["statistics"], ["stats"], ["recover"],
            ["recovery", "status"], ["readkey", "DB", "none"], ["tfetch", "DB", "none"], ["backupdb", "DB", "FILE"],
            ["dumpdbbackup", "FILE"], ["restoredb", "FILE"], ["health"], ["wipedb", "DB"], ["attach", "NAME"],
            ["attach", "NAME", "persistent"], ["detach", "DB"], ["getdbmap", "NAME"], ["catdb", "NAME"]]


class StrangeNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node(cls.addClassCleanup, settings="[logging]\nlog level = INFO\n[floe]\nport = 4379\n")

    def run_floe(self, words):
        return subprocess.run([FLOE, "--base", self.node.base, *words], capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=60)

    def on_a_terminal(self, words):
        """What a terminal would get, on standard output and error."""
        here, there = pty.openpty()
        with subprocess.Popen([FLOE, "--base", self.node.base, *words], stdin=subprocess.DEVNULL, stdout=there, stderr=there,
                              env={**os.environ, "TERM": "xterm"}) as running:
            os.close(there)
            parts = []
            while True:
                try:
                    parts.append(os.read(here, 65536))
                except OSError:  # nobody has it open any more
                    break
            os.close(here)
            running.wait(timeout=60)
        return b"".join(parts)

    def assert_harmless(self, octets, what, coloured=False):
        text = octets.decode()  # strict: all of it is UTF-8
        if coloured:
            text = COLOURS.sub("", text.replace("\r\n", "\n").replace("\r\x1b[K", "\n"))
        self.assertIsNone(ACTS.search(text), f"{what}: {text!r}")
        self.assertNotRegex(text, r"(?m)^\s*forged", what)

    def test_every_command_that_shows_names(self):
        attached = self.run_floe(["attach", NAME])
        self.assertEqual((0, f"{SHOWN} is attached"), (attached.returncode, attached.stdout.decode().split(", id")[0]))
        number = attached.stdout.decode().split()[-1]
        self.assertEqual(0, self.run_floe(["writekey", number, "a", "b"]).returncode)
        place = {"DB": number, "NAME": NAME, "FILE": self.node.base / "backup"}
        holder = subprocess.Popen([FLOE, "--base", self.node.base, "lock", number, "a"], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.stdin.close)
        until(lambda: b"holds" in self.run_floe(["locks"]).stdout, "the lock is held")
        # in a report, which is JSON, U+FFFD stands for what is no UTF-8
        self.assertIn(SHOWN.replace(r"\xff", "\ufffd"), self.run_floe(["locks"]).stdout.decode())
        holder.stdin.close()
        until(lambda: b"holds" not in self.run_floe(["locks"]).stdout, "the lock is free")
        for command in COMMANDS:
            words = [place.get(w, w) for w in command]
            with self.subTest(command=command):
                for more in ([], ["--json"]):
                    told = self.run_floe(words + more)
                    self.assert_harmless(told.stdout, command + more)
                    self.assert_harmless(told.stderr, command + more)
                    if more and told.returncode == 0:
                        for line in told.stdout.decode().splitlines():
                            json.loads(line)
                if command[0] != "detach":
                    self.assert_harmless(self.on_a_terminal(words), command, coloured=True)
        self.assert_harmless(self.node.log.encode(), "the log")
        self.assertIn("forged", self.node.log)  # it was there to be shown


tap.main()
