#!/usr/bin/env python3
"""A cluster of ctdbd moves to floe node by node, as cli/service/moving.md says, and back again: in the meantime it is a cluster of
both, and Samba serves clients on all nodes but the one that is being exchanged. No client sees an error; the configuration in the registry,
which is in a persistent database, is there all the time and can be changed at every step.
"""
import sys
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox)
import samba_verdicts  # noqa: E402
import smb_servers as samba  # noqa: E402
import tap  # noqa: E402
from smb_clients import Clients, one_holder  # noqa: E402
from wait import until  # noqa: E402


class NodeByNode(unittest.TestCase):
    def test_there_and_back_under_load(self):
        group = cluster.MixedCluster(("ctdbd",) * 3, lock=True)
        with samba_verdicts.serving(group, ()) as self.servers:
            self.group, self.settings = group, {}
            self.clients = [self.client_of(pnn) for pnn in range(3)]
            self.change("begun on", "ctdbd")
            for kind, order in (("floe", (1, 0, 2)), ("ctdbd", (2, 1, 0))):
                for pnn in order:
                    self.exchange(pnn, kind)
            for c in self.clients:
                c.end()
            self.assertEqual([], [e for c in self.clients for e in c.errors])

    def client_of(self, pnn):
        return Clients(self.servers, pnn, f"{pnn}.{time.monotonic_ns()}", 0)

    def exchange(self, pnn, kind):
        begun, others = time.monotonic(), [c for c in self.clients if c.pnn != pnn]
        for c in others:
            c.waits_since_last_asked()
        mine = next(c for c in self.clients if c.pnn == pnn)
        mine.end()  # its user goes to another node
        self.assertEqual([], mine.errors)
        self.servers.stop_one(pnn)
        self.group.exchange(self.group[pnn], kind)
        self.group.wait_healthy()
        (self.servers.bridge.add if kind == "floe" else self.servers.bridge.discard)(pnn)
        self.servers.start_one(pnn)
        until(lambda: self.servers.client(pnn, "ls").returncode == 0, f"smbd of node {pnn} serves by {kind}", 60)
        self.clients = [*others, self.client_of(pnn)]
        self.change(f"node {pnn}", kind)
        with one_holder(self.servers, pnn):
            pass
        before = [c.done_so_far for c in self.clients]
        until(lambda: all(c.done_so_far > b + 10 for c, b in zip(self.clients, before)), "clients of all nodes go on", 60)
        print(f"# node {pnn} is {kind} after {time.monotonic() - begun:.1f} s; longest wait of the clients of the others "
              f"{max(w for c in others for w in c.waits_since_last_asked()) * 1000:.0f} ms", file=sys.stderr)

    def change(self, name, kind):
        """Of the registry, by a node's own programs; all of it is seen on all nodes."""
        pnn = int(name[-1]) if name[-1].isdigit() else 0
        key = name.replace(" ", "_")
        r = self.servers.run(pnn, "net", "conf", "setparm", key, "comment", f"{kind} {len(self.settings)}")
        self.assertEqual(0, r.returncode, r.stdout + r.stderr)
        self.settings[key] = f"{kind} {len(self.settings)}"
        for node in self.servers.nodes:
            listed = self.servers.run(node.pnn, "net", "conf", "list").stdout
            for key, comment in self.settings.items():
                self.assertRegex(listed, rf"\[{key}\]\n\s*comment = {comment}\n", f"on {node}")


if __name__ == "__main__":
    for kind in "floe", "ctdbd":
        if reason := cluster.why_not(kind):
            tap.skip_all(reason)
    if reason := samba.why_not():
        tap.skip_all(reason)
    tap.main()
