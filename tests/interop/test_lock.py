#!/usr/bin/env python3
"""The cluster lock with real processes: floe's guard beside Samba's helper on one file, helpers that misbehave, leaders that
are killed or hang with the lock in their hands, and a floe node beside a ctdbd that share nothing but the lock.
"""
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import floe_cli as cli  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402

FLOE = os.environ.get("FLOE")
HELPER = "/usr/libexec/ctdb/ctdb_mutex_fcntl_helper"
NO_HELPER = None if os.access(HELPER, os.X_OK) else "Debian's package ctdb is not installed"


def lives(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Guard:
    """The guard as a node runs it; the node's end of its pipes."""

    def __init__(self, *words, lease_ms=20000):
        self.process = subprocess.Popen([FLOE, "cluster-lock-guard", str(lease_ms), *map(str, words)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def says(self):
        return self.process.stdout.readline().decode().rstrip("\n")

    def let_go(self):
        self.process.stdin.close()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()


def samba_helper(path):
    process = subprocess.Popen([HELPER, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return process, process.stdout.read(1).decode()


class A1Guard(unittest.TestCase):
    def setUp(self):
        self.directory = sandbox.directory("lock")
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.path = pathlib.Path(self.directory) / "lock"

    def guard(self, *words, **options):
        guard = Guard(*words, **options)
        self.addCleanup(guard.end)
        return guard

    def file_guard(self, check_ms=50, **options):
        return self.guard("file", check_ms, 5000, self.path, **options)

    def script(self, text):
        path = pathlib.Path(self.directory) / "helper"
        path.write_text("#!/bin/bash\n" + text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def test_one_at_a_time(self):
        first, second = self.file_guard(), None
        self.assertEqual("0", first.says())
        second = self.file_guard()
        self.assertEqual("1", second.says())
        first.let_go()
        first.process.wait(10)
        self.assertEqual("0", self.file_guard().says())

    @unittest.skipIf(NO_HELPER, NO_HELPER)
    def test_it_and_sambas_helper_exclude_each_other(self):
        process, said = samba_helper(self.path)
        self.assertEqual("0", said)
        self.assertEqual("1", self.file_guard().says())
        process.terminate()
        process.wait(10)
        process.stdout.close()
        held = self.file_guard()
        self.assertEqual("0", held.says())
        process, said = samba_helper(self.path)
        self.assertEqual("1", said)
        process.wait(10)
        process.stdout.close()

    def test_a_file_that_is_removed_or_replaced_is_a_lock_lost(self):
        guard = self.file_guard()
        self.assertEqual("0", guard.says())
        self.path.unlink()
        self.assertEqual("Lthe file was removed", guard.says())
        guard.process.wait(10)
        guard = self.file_guard()
        self.assertEqual("0", guard.says())
        other = self.path.with_name("other")
        other.touch()
        other.rename(self.path)
        self.assertEqual("Lthe file was replaced", guard.says())
        guard.process.wait(10)

    def test_errors_say_what_is_wrong(self):
        self.assertEqual("3/no/such/folder/lock: No such file or directory",
                         self.guard("file", 50, 5000, "/no/such/folder/lock").says())
        self.assertEqual("3the command cannot be run", self.guard("run", "/no/such/helper").says())
        self.assertEqual("3the command says: error", self.guard("run", self.script("printf 3")).says())
        self.assertEqual("3the command says: timed out", self.guard("run", self.script("printf 2; sleep 60")).says())
        self.assertEqual("3the command ended without an answer", self.guard("run", self.script("exit 0")).says())

    def test_a_node_that_is_not_heard_loses_the_lock(self):
        guard = self.file_guard(lease_ms=2000)
        self.assertEqual("0", guard.says())
        for _ in range(10):  # heard, it keeps it
            guard.process.stdin.write(b".")
            guard.process.stdin.flush()
            time.sleep(0.1)
        self.assertIsNone(guard.process.poll())
        self.assertEqual("Lthe node was not heard of", guard.says())
        guard.process.wait(10)
        self.assertEqual("0", self.file_guard().says())

    @unittest.skipIf(NO_HELPER, NO_HELPER)
    def test_sambas_helper_as_command(self):
        first = self.guard("run", HELPER, self.path)
        self.assertEqual("0", first.says())
        self.assertEqual("1", self.guard("run", HELPER, self.path).says())
        self.assertEqual("1", self.file_guard().says())
        first.let_go()
        first.process.wait(10)
        self.assertEqual("0", self.file_guard().says())
        self.assertEqual("1", self.guard("run", HELPER, self.path).says())

    def test_a_command_that_ends_is_a_lock_lost(self):
        guard = self.guard("run", self.script("printf 0; sleep 0.2"))
        self.assertEqual("0", guard.says())
        self.assertEqual("Lthe command ended", guard.says())

    def test_nothing_is_left_of_a_stubborn_command(self):
        pids = self.path.with_name("pids")
        script = self.script(f"trap '' TERM; echo $$ >> {pids}; setsid sleep 1000 & echo $! >> {pids}\n"
                             f"sleep 1000 & echo $! >> {pids}; printf 0; while true; do sleep 1; done")
        for how in ("let go", "node gone", "killed"):
            with self.subTest(how):
                pids.unlink(missing_ok=True)
                guard = self.guard("run", script)
                self.assertEqual("0", guard.says())
                all_pids = [int(pid) for pid in pids.read_text().split()]
                self.assertEqual(3, len(all_pids))
                if how == "killed":  # what the node does when letting go takes too long
                    os.killpg(guard.process.pid, signal.SIGKILL)
                    all_pids = [all_pids[0], all_pids[2]]
                else:
                    guard.let_go()
                guard.process.wait(10)
                until(lambda: not any(map(lives, all_pids)), f"the processes {all_pids} are gone", 5)  # pylint: disable=cell-var-from-loop


def lock_report(node):
    return cli.run(node, "status")["report"]["cluster_lock"]


def leader(node):
    return cli.run(node, "status")["leader"]


class B1Nodes(unittest.TestCase):
    """Three floe nodes whose lock is Samba's helper, or floe's own guard."""

    def check_a_killed_and_a_hung_leader(self, nodes):
        old = leader(nodes[0])
        self.assertEqual("held", lock_report(nodes[old])["state"])
        self.assertEqual([], cli.run(nodes[0], "status")["warnings"])
        started = time.monotonic()
        nodes[old].signal(signal.SIGKILL)
        others = [node for node in nodes if node.pnn != old]
        new = self.until_agreed(others, 20)
        print(f"# leader killed: the next one after {time.monotonic() - started:.1f} s")
        self.assertNotEqual(old, new)
        self.assertEqual("held", lock_report(nodes[new])["state"])
        nodes.start_node(nodes[old])
        nodes.wait_healthy()

        started = time.monotonic()
        nodes[new].signal(signal.SIGSTOP)
        others = [node for node in nodes if node.pnn != new]
        next_one = self.until_agreed(others, 40)
        print(f"# leader hung: the next one after {time.monotonic() - started:.1f} s")
        self.assertNotEqual(new, next_one)
        nodes[new].signal(signal.SIGCONT)
        until(lambda: self.agreed(nodes) == next_one, "the one that hung follows", 30)
        nodes.wait_healthy()
        banned = [n for n in cli.run(nodes[0], "status")["nodes"] if "BANNED" in n["state"]]
        self.assertEqual([], banned)

    @staticmethod
    def agreed(nodes):
        """The leader that all of them know, if it is one of them."""
        try:
            known = {leader(node) for node in nodes}
        except (cli.Failed, subprocess.TimeoutExpired):
            return None
        one = known.pop()
        return one if not known and any(node.pnn == one for node in nodes) else None

    def until_agreed(self, nodes, seconds):
        until(lambda: self.agreed(nodes) is not None, f"{nodes} agree on a leader", seconds)
        return self.agreed(nodes)

    def check_ctdb_tool(self, nodes, setting):
        self.assertEqual(setting, nodes[0].ctdb("getreclock").stdout.strip())

    @unittest.skipIf(NO_HELPER, NO_HELPER)
    def test_sambas_helper(self):
        directory = sandbox.directory("h")
        self.addCleanup(shutil.rmtree, directory, True)
        setting = f"!{HELPER} {directory}/lock"
        with cluster.of("floe", lock=setting) as nodes:
            self.check_ctdb_tool(nodes, setting)
            self.check_a_killed_and_a_hung_leader(nodes)
        left = [p for p in pathlib.Path("/proc").glob("[0-9]*")
                if os.fsencode(f"{directory}/lock") in self.command_line(p)]
        self.assertEqual([], left)

    def test_a_file(self):
        with cluster.of("floe") as nodes:
            self.check_ctdb_tool(nodes, str(nodes.lock))
            self.check_a_killed_and_a_hung_leader(nodes)
            # the file is removed: the lock is lost, and somebody leads again
            holder = leader(nodes[0])
            since = lock_report(nodes[holder])["age_ms"]
            nodes.lock.unlink()
            until(lambda: lock_report(nodes[holder])["state"] != "held" or lock_report(nodes[holder])["age_ms"] < since,
                  "the leader has lost the lock", 10)
            self.until_agreed(nodes, 20)
            nodes.wait_healthy()
        self.assertEqual([], [p for p in pathlib.Path("/proc").glob("[0-9]*")
                              if os.fsencode(str(nodes.lock)) in self.command_line(p)])

    @staticmethod
    def command_line(process):
        try:
            return (process / "cmdline").read_bytes()
        except OSError:
            return b""


@unittest.skipIf(cluster.why_not("ctdbd"), cluster.why_not("ctdbd"))
class C1TwoKinds(unittest.TestCase):
    """A floe node and a ctdbd that do not know each other, as the two halves of a cluster that was cut: one leads."""

    def test_only_one_leads(self):
        other = cluster.CtdbdCluster(1)
        self.addCleanup(other.stop)
        with cluster.of("floe", nodes=1, lock=other.directory / "cluster.lock") as nodes:
            other.start_node(other[0])
            log = other[0].base / "log.ctdb"
            until(lambda: "Attempting to take cluster lock" in log.read_text(), "ctdbd has tried to take the lock", 30)
            self.assertIsNone(other.leader())
            self.assertEqual(0, leader(nodes[0]))
            nodes[0].signal(signal.SIGKILL)
            until(lambda: other.leader() == 0, "ctdbd leads when the lock is free", 30)
            nodes.start_node(nodes[0])
            until(lambda: nodes[0].socket.exists() and self.answers(nodes[0]), "the floe node answers", 20)
            until(lambda: lock_report(nodes[0])["state"] == "held by another", "floe sees who has the lock", 20)
            self.assertIsNone(leader(nodes[0]))

    @staticmethod
    def answers(node):
        try:
            return cli.run(node, "status")
        except cli.Failed:
            return None


@unittest.skipIf(cluster.why_not("ctdbd"), cluster.why_not("ctdbd"))
class C2Mixed(unittest.TestCase):
    """Nodes of both kinds in one cluster with one lock: whoever holds it leads, and all believe it."""

    @staticmethod
    def agreed(nodes):
        """The node that all of these take for the leader, if it is one of them."""
        said = {node.ctdb("leader").stdout.strip() for node in nodes}
        one = said.pop()
        return next((node for node in nodes if str(node.pnn) == one), None) if not said else None

    def leader_of(self, nodes, seconds=40):
        return until(lambda: self.agreed(nodes), f"{nodes} agree on a leader", seconds)

    def test_the_leader_is_killed_and_stopped(self):
        group = cluster.MixedCluster(("floe", "ctdbd", "floe"), lock=True,
                                     tunables={"KeepaliveInterval": 1, "KeepaliveLimit": 3, "RerecoveryTimeout": 1})
        with cluster.running(group) as nodes:
            first = self.leader_of(nodes)
            first.signal(signal.SIGKILL)
            others = [node for node in nodes if node is not first]
            second = self.leader_of(others)
            nodes.start_node(first)
            nodes.wait_healthy()
            self.assertIs(second, self.leader_of(nodes))
            self.assertEqual(0, second.ctdb("stop").returncode)
            others = [node for node in nodes if node is not second]
            third = self.leader_of(others)
            self.assertEqual(0, second.ctdb("continue").returncode)
            nodes.wait_healthy()
            self.assertIs(third, self.leader_of(nodes))
            print("# led: " + ", ".join(f"{nodes.kind(node)} {node.pnn}" for node in (first, second, third)))


if __name__ == "__main__":
    tap.main()
