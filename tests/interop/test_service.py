#!/usr/bin/env python3
"""A node as a service: signals do what is said of them, the service manager is told what it wants to know, and a fault leaves a
last line."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

import sandbox

sandbox.enter()

import tap  # noqa: E402
from single_node import FLOE, Node, floe  # noqa: E402
from wait import until  # noqa: E402


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
        manager, path = self.manager()
        node = Node(self.addCleanup, NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
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

    def manager(self):
        """A socket that is bound to a path, and the path."""
        path = sandbox.directory("n") / "notify"
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(str(path))
        manager.settimeout(20)
        return manager, str(path)

    def test_status_says_how_far_a_recovery_is(self):
        manager, path = self.manager()
        node = Node(self.addCleanup, NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
        base = ("--base", str(node.base))

        def hear(wanted):
            told = []
            while not any(wanted in text for text in told):
                told.append(manager.recv(4096).decode())
                self.assertLess(len(told), 600, (wanted, told[-3:]))
        hear("RUNNING, recovery mode NORMAL, node 0 leads")
        for name in "free.tdb", "held.tdb":
            floe(*base, "attach", name).check_returncode()
        holder = subprocess.Popen([FLOE, *base, "lock", "held.tdb", "key", "--for", "5s"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.addCleanup(holder.stdout.close)
        holder.stdout.readline()  # it has it
        recovering = subprocess.Popen([FLOE, *base, "recover"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        self.addCleanup(recovering.wait)
        self.addCleanup(recovering.kill)
        hear("1 of 2 databases recovered: held.tdb in phase freeze")
        holder.kill()
        hear("RUNNING, recovery mode NORMAL, node 0 leads")

    def test_a_manager_that_hangs_stops_nobody(self):
        """It takes nothing: the node works on, and says what counts when it takes something again."""
        manager, path = self.manager()
        node = Node(self.addCleanup, NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
        most = int(pathlib.Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
        time.sleep(min(0.1 * most + 1, 5))
        node.process.send_signal(signal.SIGHUP)
        until(lambda: "the log is reopened" in node.log, "a new log", 10)
        self.assertEqual(floe("--base", node.base, "ping").returncode, 0)
        told = []
        while told.count("READY=1") < 2:  # when it started, and after the reload that found nobody
            told.append(manager.recv(4096).decode())
            self.assertLess(len(told), most + 200)

    def test_a_manager_whose_socket_is_no_file(self):
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(f"\0floe-{os.getpid()}")
        manager.settimeout(20)
        Node(self.addCleanup, NOTIFY_SOCKET=f"@floe-{os.getpid()}")
        while "READY=1" not in manager.recv(4096).decode():
            pass

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

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_systemd_reads_it_without_a_complaint(self):
        text = (pathlib.Path(FLOE).parent / "service" / "floe.service").read_text()
        unit = sandbox.directory("u") / "floe.service"  # with a program that is there
        unit.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={FLOE}", text, flags=re.M))
        read = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60)
        self.assertEqual((read.returncode, read.stdout + read.stderr), (0, ""))


if __name__ == "__main__":
    tap.main()
