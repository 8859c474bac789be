#!/usr/bin/env python3
"""Ten situations, looked at by somebody who has nothing but the program: the first commands that come to mind name the cause, the
node and what to try within half a minute, with exit status 4; and whatever `status` has seen of it at once is not called healthy."""
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402
import floe_cli  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402

PATIENCE_S = 30
SAYS_NO = 4


class Situation(unittest.TestCase):
    lock = None

    def setUp(self):
        self.nodes = cluster.FloeCluster(3, lock=self.lock)
        self.addCleanup(self.nodes.stop)
        self.nodes.start()
        self.floe("attach", "locking.tdb")
        self.floe("attach", "config.tdb", "persistent")
        self.floe("pstore", "config.tdb", "registry", "settings")

    def tool(self, *arguments, at=0, timeout=60):
        return subprocess.run([cluster.FLOE, "--base", self.nodes[at].base, *map(str, arguments)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout)

    def floe(self, *arguments, at=0):
        done = self.tool(*arguments, at=at)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def background(self, *arguments, at=0):
        """A client of a node, ended with the test."""
        client = subprocess.Popen([cluster.FLOE, "--base", self.nodes[at].base, *map(str, arguments)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(client.communicate)
        self.addCleanup(client.kill)
        return client

    def tells(self, command, *texts, at=0, status=SAYS_NO):
        """The command's output matches all the texts within half a minute, with this exit status."""
        last = None

        def told():
            nonlocal last
            last = self.tool(*command.split(), at=at)
            said = re.sub(r"\s+", " ", last.stdout + last.stderr)
            return last.returncode == status and all(re.search(t, said) for t in texts)
        try:
            until(told, command, PATIENCE_S)
        except AssertionError:
            self.fail(f"{command} on node {at} tells\n{last.stdout}{last.stderr}(exit {last.returncode})\nand not {texts}")

    def is_never_called_healthy(self, seconds=3):
        """From the first moment on: as soon as anything is known to be wrong, it is said, and is not healthy."""
        seen, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            for at, node in enumerate(self.nodes):
                if node.pid is None:
                    continue
                told = self.tool("status", "--json", "-t", "2s", at=at)
                if told.returncode not in (0, SAYS_NO):
                    continue  # a node that hangs
                answer = floe_cli.json.loads(told.stdout)
                ill = [t for t in answer["troubles"] if t["ill"]]
                seen += len(ill)
                self.assertEqual(0 if answer["healthy"] else SAYS_NO, told.returncode)
                # in the middle of a recovery it is not healthy either, and nothing is wrong
                self.assertFalse(answer["healthy"] and ill, answer["troubles"])
        return seen

    def is_well_again(self):
        for at in range(3):
            self.tells("doctor", "nothing is wrong", at=at, status=0)
            self.tells("status", at=at, status=0)


class TenSituations(Situation):
    def test_killed(self):
        self.nodes[1].signal(signal.SIGKILL)
        self.assertGreater(self.is_never_called_healthy(), 0)
        for command in "status", "nodestatus -n all":
            self.tells(command, r"DISCONNECTED\|UNHEALTHY.* has no process any more, killed or crashed")
        self.tells("doctor", "node 1 has no process any more, killed or crashed", "try: start it; its log says why")

    def test_shut_down(self):
        self.nodes[1].signal(signal.SIGTERM)
        self.assertGreater(self.is_never_called_healthy(), 0)
        self.tells("doctor", r"node 1 was shut down by SIGTERM of \S+ \(pid \d+\)", "try: start it when it is wanted again")

    def test_hung(self):
        self.nodes[1].signal(signal.SIGSTOP)
        self.addCleanup(lambda: self.nodes[1].signal(signal.SIGCONT))
        self.assertGreater(self.is_never_called_healthy(), 0)
        for command in "status", "doctor":
            self.tells(command, r"1 .*does not answer: no sign of life for [\d.]+ s")
        self.tells("doctor", "try: is its process stopped, its machine starved, or the network cut")
        # asked itself, it is the tool that answers
        self.tells("status", f"its process {self.nodes[1].pid} is stopped: kill -CONT {self.nodes[1].pid}", at=1, status=5)

    def test_a_lock_held_for_ever(self):
        holder = self.background("lock", "locking.tdb", "file1", "--for", "10m", at=1)
        until(lambda: "holds" in self.tool("locks").stdout, "the lock is held")
        self.background("lock", "locking.tdb", "file1", at=2)
        self.tells("writekey locking.tdb file1 x -t 1s", f"timed out: held by floe .pid {holder.pid}, node 1.", "floe locks",
                   status=5)
        self.tells("locks", f"file1 1 holds floe .pid {holder.pid}, node 1.", rf"waits floe .*held by floe .pid {holder.pid}",
                   status=0)
        self.tells("locks", "file1 1 waits node 0, whose client has gone", status=0)  # it gave up, its node does not
        for command in "doctor", "status":
            self.tells(command, f"lock of file1; floe .pid {holder.pid}, node 1. holds it", f"kill {holder.pid} on node 1")

    def test_disk_full(self):
        folder = self.nodes[1].base / "db"
        self.nodes[1].signal(signal.SIGTERM)
        until(lambda: self.nodes[1].pid is None, "node 1 has ended")
        kept = folder.with_name("db.kept")
        folder.rename(kept)
        folder.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], check=False, capture_output=True).returncode:
            self.skipTest("no file system of its own can be mounted here")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", folder], check=True))
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        self.nodes.start_node(self.nodes[1])
        self.is_well_again()
        with open(folder / "filler", "wb") as filler, self.assertRaises(OSError):
            while True:
                os.write(filler.fileno(), b"x" * 65536)
        until(lambda: self.tool("pstore", "config.tdb", f"big{time.time_ns()}", "x" * 100000, "-t", "4s").returncode != 0 or
              self.tool("nodestatus", "-n", "1").returncode == SAYS_NO, "a write is refused, or node 1 has left", PATIENCE_S)
        self.assertGreater(self.is_never_called_healthy(), 0)
        for command in "status", "nodestatus -n all":
            self.tells(command, r"BANNED.* by node 1 \(cannot-store\): .*No space left on device")
        self.tells("doctor", r"node 1 is banned by node 1 \(cannot-store\).*No space left on device",
                   "try: make room there, and it comes back by itself; or floe -n 1 unban",
                   "storage of node 1 refuses: .*No space left on device")
        refused = re.search(r"([\w.]+\.tdb)[^:\n]*: the storage of node 1 refuses", self.tool("doctor").stdout)[1]
        self.tells(f"-n 1 getdbstatus {refused}", "storage refuses: .*No space left on device", status=0)
        self.tells("recover", "node 1 takes part in no recovery: .*No space left on device", at=1, status=1)
        (folder / "filler").unlink()
        self.tells("nodestatus -n all", "node 1: OK", status=0)
        self.is_well_again()

    def test_banned(self):
        self.floe("-n", 1, "ban", "5m")
        self.assertGreater(self.is_never_called_healthy(), 0)
        for at in range(3):
            self.tells("status", r"BANNED.* is banned by an operator: asked by node 0; \d+ s left", at=at)
        self.tells("doctor", "node 1 is banned by an operator", "try: it ends by itself; or floe -n 1 unban")
        self.tells("recover", "node 1 takes part in no recovery: it is banned by an operator", at=1, status=1)
        self.floe("-n", 1, "unban")
        self.is_well_again()

    def test_nodes_files_differ(self):
        nodes = self.nodes[1].base / "nodes"
        as_it_was = nodes.read_text()
        nodes.write_text(as_it_was + f"{self.nodes.prefix}.9\n")
        self.tells("doctor", f"the nodes file of node 1 has another list than is in use: node 3 is {self.nodes.prefix}.9 there",
                   "try: make the files of all nodes equal", status=0)
        self.tells("reloadnodes", rf"the nodes files differ: node 3: nothing here, {self.nodes.prefix}.9 on node 1", status=1)
        self.nodes[1].signal(signal.SIGTERM)
        until(lambda: self.nodes[1].pid is None, "node 1 has ended")
        self.nodes.start_node(self.nodes[1])
        for command in "status", "doctor":
            self.tells(command, rf"is kept out: its list of nodes differs: node 3: here nothing, there {self.nodes.prefix}.9")
        nodes.write_text(as_it_was)
        self.nodes[1].signal(signal.SIGTERM)
        until(lambda: self.nodes[1].pid is None, "node 1 has ended")
        self.nodes.start_node(self.nodes[1])
        self.is_well_again()

    def test_node_added_and_deleted(self):
        for node in self.nodes:
            with open(node.base / "nodes", "a", encoding="ascii") as nodes:
                nodes.write(f"{self.nodes.prefix}.4\n")
        self.tells("doctor", "the nodes file of nodes 0, 1, 2 has another list than is in use: node 3 is", "try: .*floe reloadnodes",
                   status=0)
        self.tells("reloadnodes", "added: 3", status=0)
        self.tells("doctor", "node 3 has not been seen since it is in the list of nodes, for [0-9.]+ (ms|s)", "try: start it")
        for node in self.nodes:
            nodes = node.base / "nodes"
            nodes.write_text(nodes.read_text().replace(f"{self.nodes.prefix}.4", f"#{self.nodes.prefix}.4"))
        self.tells("reloadnodes", "deleted: 3", status=0)
        self.is_well_again()
        self.tells("status", "3 - DISCONNECTED.DELETED", status=0)

    def test_restore(self):
        backup = self.nodes.directory / "backup"
        self.floe("backupdb", "config.tdb", backup)
        self.floe("pstore", "config.tdb", "registry", "overwritten")
        self.tells(f"restoredb {backup}", "config.tdb has the 1 record of .* on 3 nodes", status=0)
        self.assertEqual(self.floe("pfetch", "config.tdb", "registry", at=2), "settings\n")
        self.tells(f"restoredb {backup} other.tdb", "other.tdb, which was not there before, has the 1 record", status=0)
        self.tells("wipedb confg.tdb", "no database confg.tdb is attached; did you mean config.tdb", status=1)
        self.tells(f"restoredb {backup}.old", "No such file or directory", status=1)

    def test_who_waits_for_whom(self):
        self.floe("attach", "brlock.tdb")
        clients = [self.background("client", "--name", name, at=at) for name, at in (("smbd", 0), ("other", 2))]
        clients[0].stdin.write("lock locking.tdb A\n")
        clients[1].stdin.write("lock brlock.tdb B\n")
        for client in clients:
            client.stdin.flush()
            client.stdout.readline()
        clients[0].stdin.write("lock brlock.tdb B\n")
        clients[1].stdin.write("lock locking.tdb A\n")
        for client in clients:
            client.stdin.flush()
        smbd, other = rf"smbd \(pid {clients[0].pid}, node 0\)", rf"other \(pid {clients[1].pid}, node 2\)"
        self.tells("locks", "These wait for each other", rf"{smbd} waits for \"B\" of brlock.tdb, held by {other}",
                   rf"{other} waits for \"A\" of locking.tdb, held by {smbd}", status=0)
        for command in "doctor", "status":
            self.tells(command, "clients wait for each other: ", f"kill {clients[0].pid} on node 0, or kill {clients[1].pid} on node 2")


class ClusterLock(Situation):
    def setUp(self):
        self.folder = sandbox.directory("lock")
        self.lock = self.folder / "lock"
        super().setUp()

    def test_its_directory_is_gone(self):
        away = self.folder.with_name(self.folder.name + ".away")
        self.folder.rename(away)
        self.assertGreater(self.is_never_called_healthy(4), 0)
        cause = f"cannot use the cluster lock {self.lock}: No such file or directory"
        for at in range(3):
            self.tells("status", cause, "nobody leads the cluster", "try: make the lock's directory be there", at=at)
        self.tells("doctor", f"nodes 0, 1, 2 {cause}", "nobody leads the cluster")
        self.tells("nodestatus -n all", f"node 1: OK, {cause}", "cluster: nobody leads the cluster")
        self.tells("leader", "nobody leads the cluster: its lock .* cannot be had: No such file or directory")
        self.tells("health", "leader +NO +nobody leads", "cluster-lock +NO")
        # whoever waits for it says what for, also where no terminal is
        self.tells("recover -t 5s", "recover waits: nobody leads the cluster: its lock .* cannot be had", status=5)
        away.rename(self.folder)
        self.is_well_again()


if __name__ == "__main__":
    if why := cluster.FLOE is None and "the environment variable FLOE names no program":
        tap.skip_all(why)
    tap.main()
