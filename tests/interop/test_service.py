#!/usr/bin/env python3
"""A node as a service: its settings are taken as Samba's own validator takes them, signals do what is said of them,
the service manager is told what it wants to know, and a fault leaves a last line."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import unittest

import sandbox

sandbox.enter()

import tap  # noqa: E402
from single_node import FLOE, Node, directory, floe  # noqa: E402
from wait import until  # noqa: E402

VALIDATOR = "/usr/libexec/ctdb/ctdb-config"

# Settings that floe and ctdbd accept or refuse alike, each a whole file.
ALIKE = [
    "", "# nothing\n; nothing\n\n", "[logging]\n", "[LOGGING]\n\tlog   level = INFO\n",
    *(f"[logging]\nlog level = {level}\n" for level in ("ERROR", "err", "WARN", "warning", "Notice", "debug", "0", "4", "10", "11",
                                                        "-1", "LOUD", "")),
    *(f"[logging]\nlocation = {place}\n" for place in ("file:/tmp/x", "syslog", "syslog:nonblocking", "syslog:udp",
                                                       "syslog:udp-rfc5424", "")),
    *(f"[legacy]\nstart as stopped = {value}\n" for value in ("true", "Yes", "FALSE", "no", "1", "0", "on", "off", "maybe", "")),
    *(f"[cluster]\nleader timeout = {n}\n" for n in ("5", "0x10", "010", "5000", "5 x", "0", "-1", "x", "99999999999", "")),
    *(f"[cluster]\nnode address = {a}\n" for a in ("127.0.0.1", "127.0.0.01", "name", "1.2.3", "")),
    "[cluster]\ncluster lock = /shared/lock\n", "[cluster]\ncluster lock = !/usr/bin/helper a b\n", "[cluster]\ncluster lock =\n",
    "[cluster]\nrecovery lock =\n", "[cluster]\nrecovery lock = /a \\\n b\n", "[cluster]\nrecovery lock = /a\\\n#b\n",
    "[cluster]\ntransport = tcp\n", "[cluster]\ntransport = foo\n", "[cluster]\nleader timeout = 5\nleader timeout = 7\n",
    "[database]\nvolatile database directory = /no/such\n", "[database]\nvolatile database directory = /tmp\n",
    "[database]\ntdb mutexes = yes\n", "[database]\ntdb mutexes = 3\n",
    "[failover]\ndisabled = YES\n", "[legacy]\nrealtime scheduling = false\n", "[legacy]\nscript log level = LOUD\n",
    "[legacy]\nscript log level = WARN\n", "[legacy]\nctdb start as stopped = yes\n", "[Legacy]\nStart as stopped = true\n",
    "[legacy]\nstart  as stopped = true\n", "[legacy]\nstart\tas stopped = true\n", "[nosuch]\nx = 1\n", "[cluster]\nnosuch = 1\n",
    "x = 1\n", "[ cluster ]\nleader timeout = 5\n", "[cluster]\nleader timeout == 5\n",
]
# What ctdbd passes over in silence, and floe does not; and what only floe knows.
STRICTER = ["[cluster\nleader timeout = 5\n", "[cluster] x\nleader timeout = 5\n", "[cluster]\nno equals sign\n",
            "[logging]\nlocation = file:\n", "[logging]\nlocation = syslog:\n"]


class A1Settings(unittest.TestCase):
    @unittest.skipUnless(os.access(VALIDATOR, os.X_OK), "Debian's package ctdb is not installed")
    def test_as_samba_has_them(self):
        for text in ALIKE:
            base = directory(text)
            theirs = subprocess.run([VALIDATOR, "validate"], capture_output=True, text=True,
                                    env={**os.environ, "CTDB_TEST_MODE": "yes", "CTDB_BASE": str(base)})
            errors = [line for line in floe("check-config", base).stdout.splitlines() if line.startswith("error")
                      and "is not in the nodes file" not in line]
            with self.subTest(settings=text):
                self.assertEqual(not errors, theirs.returncode == 0, (errors, theirs.stderr))

    def test_what_others_pass_over_is_an_error(self):
        for text in STRICTER:
            with self.subTest(settings=text):
                self.assertEqual(floe("check-config", directory(text)).returncode, 4)

    def test_all_mistakes_with_their_lines(self):
        base = directory("[cluster]\nrecovery lock =\n[logging]\nlog level = LOUD\n")
        found = floe("check-config", base).stdout
        self.assertIn("ctdb.conf: line 2: ", found)
        self.assertIn("ctdb.conf: line 4: ", found)

    def test_files_beside_it_count_too(self):
        base = directory("[cluster]\nleader timeout = 7\n[logging]\nlog level = DEBUG\n")
        (base / "ctdb.conf.d").mkdir()
        (base / "ctdb.conf.d" / "10-level.conf").write_text("[logging]\nlog level = LOUD\n")
        (base / "ctdb.conf.d" / "20-off.conf.bak").write_text("nonsense")
        (base / "ctdb.conf.d" / "20-lock.conf").write_text("[cluster]\nrecovery lock =\n")
        found = floe("check-config", base)
        self.assertEqual(found.returncode, 4)
        self.assertIn("10-level.conf: line 2: ", found.stdout)
        self.assertIn("20-lock.conf: line 2: ", found.stdout)
        (base / "ctdb.conf.d" / "20-lock.conf").unlink()
        (base / "ctdb.conf.d" / "10-level.conf").write_text("[legacy]\ntdb mutexes = yes\n")
        self.assertIn("it belongs into [database]", floe("check-config", base).stdout)
        (base / "ctdb.conf.d" / "10-level.conf").write_text("[database]\ntdb mutexes = yes\n")
        found = floe("check-config", base)
        self.assertEqual(found.returncode, 0)
        self.assertIn("10-level.conf: line 2: [database] tdb mutexes has no effect", found.stdout)

    @unittest.skipUnless(os.access(VALIDATOR, os.X_OK), "Debian's package ctdb is not installed")
    def test_every_setting_of_ctdbd_is_known(self):
        dumped = subprocess.run([VALIDATOR, "dump"], capture_output=True, text=True, check=True,
                                env={**os.environ, "CTDB_TEST_MODE": "yes", "CTDB_BASE": str(directory(""))}).stdout
        theirs, section = set(), None
        for line in dumped.splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif "=" in line:
                theirs.add((section, line.lstrip("# \t").partition("=")[0].strip()))
        ours = {(s["section"], s["name"]) for s in json.loads(floe("check-config", "--settings", "--json").stdout)["settings"]}
        self.assertGreater(len(theirs), 10)
        self.assertEqual(theirs - ours, set())

    @unittest.skipUnless(os.path.exists("/etc/ctdb/ctdb.conf"), "Debian's package ctdb is not installed")
    def test_debians_own_file(self):
        base = directory(pathlib.Path("/etc/ctdb/ctdb.conf").read_text())
        self.assertEqual(floe("check-config", base).returncode, 0)

    def test_a_file_that_cannot_be_read_is_no_default(self):
        base = directory("[cluster]\ncluster lock = /shared/lock\n")
        (base / "ctdb.conf").unlink()
        (base / "ctdb.conf").mkdir()
        started = floe("node", "--base", base)
        self.assertEqual(started.returncode, 2)
        self.assertIn("ctdb.conf: is a directory", started.stderr)


class B1Signals(unittest.TestCase):
    def test_nothing_sent_by_accident_ends_a_node(self):
        node = Node(self.addCleanup)
        accidents = [signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPWR, signal.SIGRTMIN,
                     signal.SIGPIPE, signal.SIGXFSZ]
        for number in accidents:
            node.process.send_signal(number)
        until(lambda: "name=PWR" in node.log, "signals are noted", 10)
        self.assertEqual(floe("--base", node.base, "ping").returncode, 0)

    def test_hup_reopens_the_log_and_takes_its_level(self):
        node = Node(self.addCleanup)
        (node.base / "log.ctdb").rename(node.base / "log.old")
        (node.base / "ctdb.conf").write_text("[floe]\nport = 4379\n[logging]\nlog level = INFO\n")
        node.process.send_signal(signal.SIGHUP)
        until(lambda: "the log is reopened" in node.log, "a new log", 10)
        self.assertIn("INFO", floe("--base", node.base, "getdebug").stdout)

    def test_usr1_reports(self):
        node = Node(self.addCleanup)
        node.process.send_signal(signal.SIGUSR1)
        until(lambda: "state-report what=runstate" in node.log, "a report in the log", 10)

    def test_term_ends_it_and_leaves_nothing(self):
        node = Node(self.addCleanup)
        node.process.send_signal(signal.SIGTERM)
        self.assertEqual(node.process.wait(10), 0)
        self.assertEqual(list((node.base / "run").iterdir()), [])

    def test_a_fault_leaves_a_last_line(self):
        node = Node(self.addCleanup)
        node.process.send_signal(signal.SIGBUS)
        self.assertEqual(node.process.wait(10), -signal.SIGBUS)
        self.assertIn("fatal-signal number=7", node.log.splitlines()[-1])
        self.assertIn(f"process {os.getpid()} has sent it", node.log.splitlines()[-1])


class C1ServiceManager(unittest.TestCase):
    def test_ready_status_watchdog_reload_stop(self):
        path = sandbox.directory("n") / "notify"
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(str(path))
        manager.settimeout(20)
        node = Node(self.addCleanup, NOTIFY_SOCKET=str(path), WATCHDOG_USEC="200000")
        told = []

        def hear(wanted):
            while not any(wanted in text for text in told):
                told.append(manager.recv(4096).decode())
            return next(text for text in told if wanted in text)

        hear("READY=1")
        self.assertIn("recovery mode", hear("STATUS="))
        for _ in range(3):
            told.clear()
            hear("WATCHDOG=1")
        node.process.send_signal(signal.SIGHUP)
        self.assertIn("MONOTONIC_USEC=", hear("RELOADING=1"))
        told.clear()
        hear("READY=1")
        node.process.send_signal(signal.SIGTERM)
        hear("STOPPING=1")

    def test_no_food_for_the_watchdog_from_a_node_that_hangs(self):
        path = sandbox.directory("n") / "notify"
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(str(path))
        manager.settimeout(20)
        node = Node(self.addCleanup, NOTIFY_SOCKET=str(path), WATCHDOG_USEC="200000")
        while "READY=1" not in manager.recv(4096).decode():
            pass
        node.process.send_signal(signal.SIGSTOP)
        manager.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            while True:
                manager.recv(4096)
        node.process.send_signal(signal.SIGCONT)


class D1Unit(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_the_unit_is_hardened(self):
        unit = pathlib.Path(FLOE).parent / "service" / "floe.service"
        judged = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=50", unit], capture_output=True, text=True,
                                timeout=60)
        self.assertEqual(judged.returncode, 0, judged.stdout[-300:] + judged.stderr)


if __name__ == "__main__":
    tap.main()
