#!/usr/bin/env python3
"""A cluster of floe nodes as one member of an Active Directory domain, whose controller is Samba's own: joined on one node, a
member on all; winbindd on each node, with one mapping of users to numbers; users of the domain at the smbds of both nodes; and all that
when the machine's password is changed on another node, and when a node is lost.
"""
import contextlib
import os
import signal
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox)
import smb_domain  # noqa: E402
import smb_servers as samba  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402

USER, PASSWORD = f"{smb_domain.NAME}\\alice", "Alice-2026"


class Member(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.domain = cls.enterClassContext(smb_domain.Domain())
        cls.nodes = cls.enterClassContext(cluster.running(cluster.FloeCluster(2)))
        cls.servers = samba.Servers(cls.nodes, {0, 1}, settings=cls.domain.member_settings())
        for node in cls.nodes:
            cls.domain.set_up(cls.servers, node.pnn)
        cls.enterClassContext(contextlib.closing(cls))

    @classmethod
    def close(cls):
        for pid_file in cls.nodes.directory.glob("smb.*/pid/*.pid"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(pid_file.read_text()), signal.SIGTERM)

    def comes(self, pnn, *words, seconds=300):
        """What the program says when it succeeds, which it may not do at once: a controller and winbindds are starting, which
        takes minutes on a machine that has other things to do."""
        last = []

        def good():
            last[:] = [self.servers.run(pnn, *words, timeout=seconds)]
            return last[0] if last[0].returncode == 0 else None
        try:
            return until(good, " ".join(map(str, words)), seconds).stdout
        except AssertionError:
            self.fail(f"node {pnn}: {' '.join(map(str, words))}: {last[0].stdout}{last[0].stderr}")

    def test_member(self):
        self.joined_on_one_is_joined_on_all()
        self.winbindd_on_each()
        self.users_have_one_number_everywhere()
        self.users_of_the_domain_get_in()
        self.another_password_of_the_machine()
        self.without_a_node()

    def joined_on_one_is_joined_on_all(self):
        self.assertNotEqual(0, self.servers.run(1, "net", "ads", "testjoin").returncode)
        self.comes(0, "net", "ads", "join", "-U", f"Administrator%{smb_domain.PASSWORD}", "--no-dns-updates")
        self.assertIn("Join is OK", self.comes(1, "net", "ads", "testjoin"))
        self.domain.tool("user", "create", "alice", PASSWORD)

    def winbindd_on_each(self):
        for pnn in (0, 1):
            subprocess.run([*self.servers.inside[pnn], smb_domain.WINBINDD, "-D", "-s", self.servers.configuration(pnn)],
                           env=self.servers.environment(pnn), stdin=subprocess.DEVNULL, check=True, timeout=60)
        for pnn in (0, 1):
            self.comes(pnn, "wbinfo", "-p")
            self.assertIn("succeeded", self.comes(pnn, "wbinfo", "--ping-dc"))
            self.assertIn("succeeded", self.comes(pnn, "wbinfo", "-t"))
            self.assertIn(USER.lower(), self.comes(pnn, "wbinfo", "-u").lower())
            self.assertIn("domain users", self.comes(pnn, "wbinfo", "-g"))
            self.assertEqual(smb_domain.NAME, self.comes(pnn, "wbinfo", "--own-domain").strip())

    def users_have_one_number_everywhere(self):
        """Each node makes up the number of one; the other has the same."""
        for first, name in ((0, USER), (1, f"{smb_domain.NAME}\\krbtgt")):
            uids = {pnn: self.comes(pnn, "wbinfo", "-i", name).split(":")[2] for pnn in (first, 1 - first)}
            self.assertEqual(uids[0], uids[1])
            sid = self.comes(first, "wbinfo", "-n", name).split()[0]
            self.assertEqual(uids[0], self.comes(1 - first, "wbinfo", "-S", sid).strip())

    def users_of_the_domain_get_in(self):
        for pnn in (0, 1):
            self.servers.start_one(pnn)
            self.assertIn("succeeded", self.comes(pnn, "wbinfo", "-a", f"{USER}%{PASSWORD}"))
        for pnn in (0, 1):
            self.comes(pnn, *self.as_alice(pnn, f"put {self.servers.configuration(pnn)} from{pnn}; ls"))
        self.assertIn("from1", self.comes(0, *self.as_alice(0, "ls")))
        wrong = self.servers.run(0, "smbclient", self.servers.unc(0), "-U", f"{USER}%wrong", "-c", "ls")
        self.assertIn("LOGON_FAILURE", wrong.stdout + wrong.stderr)

    def as_alice(self, pnn, commands):
        return "smbclient", self.servers.unc(pnn), "-U", f"{USER}%{PASSWORD}", "-c", commands

    def another_password_of_the_machine(self):
        """Changed by node 1, in secrets.tdb, which is of the cluster."""
        self.comes(1, "net", "ads", "changetrustpw")
        self.assertIn("Join is OK", self.comes(0, "net", "ads", "testjoin"))
        self.assertIn("succeeded", self.comes(0, "wbinfo", "-t"))

    def without_a_node(self):
        self.nodes[1].signal(signal.SIGKILL)
        self.assertIn("succeeded", self.comes(0, "wbinfo", "--ping-dc"))
        self.assertIn("from1", self.comes(0, *self.as_alice(0, "ls")))


if __name__ == "__main__":
    if reason := cluster.why_not("floe") or samba.why_not() or smb_domain.why_not():
        tap.skip_all(reason)
    tap.main()
