#!/usr/bin/env python3
"""Debian's smbd, its binary untouched, on floe nodes: the same suites of smbtorture, with the same verdicts by name, as on
Samba's own ctdbd in the same run; on one, two and three nodes and in a cluster of both kinds; and what its clients notice when
a node is killed, paused, banned or stopped, a recovery is asked for, an smbd dies with a file open.
"""
import concurrent.futures
import contextlib
import os
import signal
import subprocess
import sys
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox)
import floe_cli as cli  # noqa: E402
import samba_verdicts  # noqa: E402
import smb_servers as samba  # noqa: E402
import tap  # noqa: E402
from samba_verdicts import ctdbd, floe, serving  # noqa: E402
from smb_clients import Clients, one_holder  # noqa: E402
from wait import until  # noqa: E402

# about a minute in all; smb2.deny.deny2 and base.lock are Samba's own tests for clusters
FAST = ("smb2.lock", "smb2.sharemode", "smb2.deny", "smb2.create.multi", "smb2.create.brlocked", "smb2.durable-open",
        "smb2.durable-v2-open", "smb2.rename", "smb2.session", "smb2.oplock.exclusive2",
        "smb2.oplock.batch1")
OVER_NODES = ("smb2.lock", "smb2.sharemode", "smb2.deny", "smb2.create.multi", "base.lock")


class Verdicts(unittest.TestCase):
    def compare(self, count, suites, timeout=120):
        """Both at once, each at addresses of its own. A suite that differs is run again: only what differs each time counts."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool, contextlib.ExitStack() as stack:
            theirs = pool.submit(stack.enter_context, ctdbd(count))  # takes long, without work
            with floe(count) as ours:
                for suite in suites:
                    with self.subTest(suite):
                        self.compare_suite(suite, theirs.result(), ours, timeout)

    def compare_suite(self, suite, theirs, ours, timeout):
        on_ctdbd, on_floe, always = samba_verdicts.compare(suite, theirs, ours, timeout)
        print(f"# on ctdbd {on_ctdbd}\n# on floe  {on_floe}", file=sys.stderr)
        self.assertTrue(on_ctdbd.good or on_ctdbd.bad or on_ctdbd.skipped, f"nothing was run: {on_ctdbd.text[-500:]}")
        self.assertEqual({}, always)

    def test_one_node(self):
        self.compare(1, FAST)

    def test_three_nodes(self):
        self.compare(3, OVER_NODES)

    def test_mixed(self):
        """Plain smbd on ctdbd's node, bridged smbd on floe's, one share."""
        with serving(cluster.MixedCluster(("floe", "ctdbd")), {0}) as servers:
            for pnn, other in ((0, 1), (1, 0)):
                servers.client(pnn, f"put {servers.configuration(pnn)} from{pnn}").check_returncode()
                self.assertIn(f"from{pnn}", servers.client(other, "ls").stdout)
            for suite in ("smb2.lock", "smb2.sharemode", "smb2.deny", "smb2.create.multi"):
                there_and_back = servers.torture(suite, [0, 1]), servers.torture(suite, [1, 0])
                for verdict in there_and_back:
                    print(f"# floe and ctdbd: {verdict}", file=sys.stderr)
                    self.assertTrue(verdict.good)
                    self.assertEqual([], verdict.bad)

    @unittest.skipUnless(os.environ.get("FLOE_SAMBA_LONG"), "takes an hour and a half: FLOE_SAMBA_LONG=1")
    def test_the_long_list(self):
        self.compare(1, samba_verdicts.LONG, timeout=600)


class Programs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = cls.enterClassContext(floe(2))

    def run_on(self, pnn, *words, **options):
        r = self.servers.run(pnn, *words, **options)
        self.assertEqual(0, r.returncode, f"{words}: {r.stdout}{r.stderr}")
        return r.stdout

    def test_administration_is_seen_on_all_nodes(self):
        self.run_on(0, "net", "conf", "setparm", "global", "comment", "set on node 0")
        self.assertIn("set on node 0", self.run_on(1, "net", "conf", "list"))
        self.run_on(1, "net", "registry", "createkey", r"HKLM\Software\floe")
        self.assertIn("floe", self.run_on(0, "net", "registry", "enumerate", r"HKLM\Software"))
        self.servers.add_user(1, "daemon")
        self.assertIn("daemon", self.run_on(0, "pdbedit", "-L"))
        self.run_on(0, "smbpasswd", "-c", self.servers.configuration(0), "-x", "daemon")
        self.assertNotIn("daemon", self.run_on(1, "pdbedit", "-L"))

    def test_who_is_there(self):
        held = subprocess.Popen(["smbclient", self.servers.unc(1), "-s", self.servers.configuration(1), "-U",
                                 f"root%{samba.PASSWORD}"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        try:
            until(lambda: "share" in self.run_on(0, "smbstatus", "-S"), "a connection of node 1 is seen on node 0", 20)
            self.assertIn("share", self.run_on(1, "smbstatus", "-S"))
        finally:
            held.communicate(b"quit\n", timeout=20)
        self.run_on(0, "net", "serverid", "wipedbs")  # walks through the tables of sessions, connections and open files

    def test_messages_between_nodes(self):
        answer = self.run_on(0, "smbcontrol", f"1:{self.servers.pid(1)}", "ping")
        self.assertIn("PONG", answer.upper())

    def test_databases_by_name(self):
        self.servers.client(0, "put /etc/hostname x").check_returncode()
        node = self.servers.nodes[0]
        path = next(node.base.glob("db/**/share_info.tdb.0"))
        self.assertIn("INFO/version", self.run_on(0, "dbwrap_tool", "--persistent", path.name[:-2], "listkeys"))

    def test_winbindd_starts(self):
        if not os.access("/usr/sbin/winbindd", os.X_OK):
            self.skipTest("Debian's package winbind is not installed")
        daemon = subprocess.Popen(["/usr/sbin/winbindd", "-F", "--no-process-group", "--debug-stdout"],
                                  env=self.servers.environment(0), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: subprocess.run(["wbinfo", "-p"], capture_output=True).returncode == 0, "wbinfo -p", 20)
        finally:
            daemon.terminate()
            daemon.wait(20)


class WithoutTheBridge(unittest.TestCase):
    def test_smbd_does_not_start_and_destroys_nothing(self):
        with cluster.of("floe", nodes=1) as nodes:
            cli.attach(nodes[0], "locking.tdb")
            cli.write(nodes[0], "locking.tdb", "k", "v")
            servers = samba.Servers(nodes, ())
            servers.start_one(0)
            until(lambda: servers.pid(0) is None, "smbd gives up", 30)
            self.assertNotEqual(0, servers.client(0, "ls").returncode)
            said = (servers.own(0) / "log" / "log.smbd").read_text(errors="replace")
            self.assertRegex(said, r"(?i)tdb|ctdb")
            self.assertEqual("v", cli.read(nodes[0], "locking.tdb", "k"))


class UnderLoad(unittest.TestCase):
    """Two smbds serve clients on one file and on files of their own; node 2, which has none of those clients, gets hurt."""

    def suffer(self, make, hurt, heal=None):
        with make(3, tunables={}) as servers:
            clients = [Clients(servers, pnn, f"{pnn}.{i}") for pnn in (0, 1) for i in range(2)]
            until(lambda: all(c.done_so_far > 20 for c in clients), "clients at work", 60)
            for c in clients:
                c.slowest = 0.0
            hurt(servers)
            before = [c.done_so_far for c in clients]
            until(lambda: all(c.done_so_far > b + 50 for c, b in zip(clients, before)), "clients go on", 90)
            if heal:
                heal(servers)
                before = [c.done_so_far for c in clients]
                until(lambda: all(c.done_so_far > b + 50 for c, b in zip(clients, before)), "clients go on", 90)
            for c in clients:
                c.end()
            self.assertEqual([], [e for c in clients for e in c.errors])
            return max(c.slowest for c in clients), sum(c.done_so_far for c in clients)

    def compare(self, what, hurt, heal=None):
        def on(make):
            return self.suffer(make, hurt, heal)

        theirs, ours = on(ctdbd), on(floe)
        print(f"# {what}: longest wait of a client {ours[0] * 1000:.0f} ms on floe ({ours[1]} done), "
              f"{theirs[0] * 1000:.0f} ms on ctdbd ({theirs[1]} done)", file=sys.stderr)

    def test_node_killed(self):
        self.compare("node 2 killed", lambda s: s.nodes[2].signal(signal.SIGKILL))

    def floe_only(self, what, hurt, heal=None):
        slowest, done = self.suffer(floe, hurt, heal)
        print(f"# {what}: longest wait of a client {slowest * 1000:.0f} ms ({done} done)", file=sys.stderr)

    def test_recovery_asked_for(self):
        self.floe_only("a recovery asked for", lambda s: s.nodes[0].ctdb("recover").check_returncode())

    def test_node_banned_and_back(self):
        self.floe_only("node 2 banned and back", lambda s: s.nodes[2].ctdb("ban", 300).check_returncode(),
                       lambda s: s.nodes[2].ctdb("unban").check_returncode())

    def test_node_stopped_and_back(self):
        self.floe_only("node 2 stopped and back", lambda s: s.nodes[2].ctdb("stop").check_returncode(),
                       lambda s: s.nodes[2].ctdb("continue").check_returncode())

    def test_node_lost_and_joining(self):
        def join(servers):
            servers.cluster.start_node(servers.nodes[2])
            servers.cluster.wait_healthy()
        self.floe_only("node 2 lost, and joining again", lambda s: s.nodes[2].signal(signal.SIGKILL), join)

    def test_node_paused_and_back(self):
        self.floe_only("node 2 paused and back", lambda s: os.kill(s.nodes[2].pid, signal.SIGSTOP),
                       lambda s: os.kill(s.nodes[2].pid, signal.SIGCONT))


class StaleHolders(unittest.TestCase):
    def test_a_dead_smbd_lets_go_of_its_file(self):
        """One node's smbd has a file open for itself alone and is killed; another node's client gets it."""
        with floe(2) as servers, one_holder(servers, 0) as (holder, [other]):
            os.kill(holder.server(), signal.SIGKILL)
            begun = time.monotonic()
            until(lambda: other.open() == "ok", "the file of a dead smbd", 10)
            print(f"# the file was free after {(time.monotonic() - begun) * 1000:.0f} ms", file=sys.stderr)


if __name__ == "__main__":
    for kind in "floe", "ctdbd":
        if reason := cluster.why_not(kind):
            tap.skip_all(reason)
    if reason := samba.why_not():
        tap.skip_all(reason)
    tap.main()
