#!/usr/bin/env python3
"""Nodes are added and deleted while the cluster runs: with floe's program and with Debian's."""
import json
import re
import signal
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import floe_cli as cli  # noqa: E402
import tap  # noqa: E402
from single_node import Node, floe  # noqa: E402
from wait import until  # noqa: E402

DB = "kept.tdb"


class Reload(unittest.TestCase):
    def setUp(self):
        self.nodes = self.enterContext(cluster.of("floe"))
        cli.attach(self.nodes[0], DB)
        for i in range(20):
            cli.write(self.nodes[i % 3], DB, f"key-{i}", f"value {i}")
        self.expected = {f"key-{i}": f"value {i}" for i in range(20)}

    def add_node(self):
        """A fourth node, laid out as the third one is, and not yet known to the others."""
        third = self.nodes[2]
        fourth = cluster.Node(3, self.nodes.directory / "node.3", f"{self.nodes.prefix}.4", self.nodes.port)
        fourth.base.mkdir()
        text = (third.base / "ctdb.conf").read_text()
        (fourth.base / "ctdb.conf").write_text(text.replace(third.address, fourth.address).replace("node.2", "node.3"))
        self.nodes.nodes.append(fourth)
        return fourth

    def write_nodes_files(self, lines, nodes=None):
        for node in nodes or self.nodes:
            (node.base / "nodes").write_text("".join(f"{line}\n" for line in lines))

    def lines(self, deleted=()):
        return [f"#{node.address}" if node.pnn in deleted else node.address for node in self.nodes]

    def map_is(self, pnns):
        nodes = [self.nodes[pnn] for pnn in pnns]
        return all(mode == "NORMAL" and sorted(vnn_map) == pnns for _, mode, _, vnn_map in map(cli.status, nodes))

    def grow(self, reload):
        fourth = self.add_node()
        self.write_nodes_files(self.lines())
        reload()
        self.nodes.start_node(fourth)
        until(lambda: fourth.pid and fourth.healthy(), "the fourth node is healthy")
        until(lambda: self.map_is([0, 1, 2, 3]), "all four are in the map")
        self.assertEqual(self.expected, cli.contents(fourth, DB))
        cli.write(fourth, DB, "key-1", "written there")
        self.expected["key-1"] = "written there"
        self.assertEqual("written there", cli.read(self.nodes[0], DB, "key-1"))
        return fourth

    def shrink(self, reload, away):
        away.signal(signal.SIGTERM)
        until(lambda: away.pid is None, "the node has stopped")
        rest = [node for node in self.nodes if node is not away]
        until(lambda: self.map_is([node.pnn for node in rest]), "the others go on")
        self.write_nodes_files(self.lines(deleted={away.pnn}), rest)
        reload()
        self.assertNotIn(away.address, self.nodes[0].ctdb("listnodes").stdout)
        self.assertEqual(self.expected, cli.contents(self.nodes[0], DB))

    def test_floes_program(self):
        reload = lambda: cli.run(self.nodes[0], "reloadnodes")  # noqa: E731
        fourth = self.grow(reload)
        told = self.nodes[0].ctdb("listnodes").stdout
        self.assertIn(fourth.address, told)
        # a node that runs is not deleted by mistake, and unequal files change nothing
        self.write_nodes_files(self.lines(deleted={3}))
        with self.assertRaisesRegex(cli.Failed, "still runs"):
            reload()
        self.write_nodes_files(self.lines())
        (self.nodes[1].base / "nodes").write_text("\n".join([*self.lines()[:2], "127.9.9.9"]) + "\n")
        with self.assertRaisesRegex(cli.Failed, r"node 2: .* on node 1"):
            reload()
        told = json.loads(floe("--base", self.nodes[0].base, "doctor", "--json").stdout)["troubles"]
        self.assertEqual([("nodes-file", 1, False)], [(t["kind"], t["node"], t["ill"]) for t in told], told)
        self.assertIn(f"node 2 is 127.9.9.9 there and {self.nodes[2].address} in the cluster", told[0]["text"])
        self.write_nodes_files(self.lines())
        self.assertEqual({"added": [], "deleted": []},
                         {k: v for k, v in reload().items() if k in ("added", "deleted")})
        self.shrink(reload, fourth)

    def test_ctdbs_tool(self):
        def reload():
            done = self.nodes[0].ctdb("reloadnodes")
            self.assertEqual((0, ""), (done.returncode, re.sub(r"(?m)^(No change|.*[Nn]o recoveries).*\n?", "", done.stderr)),
                             done.stdout)

        self.shrink(reload, self.grow(reload))


class Compared(unittest.TestCase):
    """check-config: what a node's files say beside what the other nodes say of themselves."""

    def test_files_of_a_node_that_runs(self):
        nodes = self.enterContext(cluster.of("floe"))
        base = nodes[0].base
        good = floe("check-config", base)
        self.assertEqual((0, ""), (good.returncode, good.stderr), good.stdout)
        self.assertIn("compared with 2 other nodes", good.stdout)
        self.assertNotIn("node 1", good.stdout)
        with open(base / "ctdb.tunables", "a") as tunables:
            tunables.write("RerecoveryTimeout=33\nFeatureLevel=1\n")
        warned = floe("check-config", base)
        self.assertEqual(0, warned.returncode, warned.stdout)
        for node in (1, 2):
            self.assertIn(f"node {node}: RerecoveryTimeout is 10 there and 33 here", warned.stdout)
            self.assertIn(f"node {node}: FeatureLevel is 0 there and 1 here", warned.stdout)
        settings = (base / "ctdb.conf").read_text()
        (base / "ctdb.conf").write_text(re.sub(r"(?m)^cluster lock = .*$", "cluster lock = /elsewhere", settings)
                                        + "\n[floe]\nquorum = majority\n")
        (base / "nodes").write_text("".join(f"{one.address}\n" for one in nodes) + f"{nodes.prefix}.99\n")
        wrong = floe("check-config", base)
        self.assertEqual(4, wrong.returncode, wrong.stdout)
        for node in (1, 2):
            self.assertRegex(wrong.stdout, rf"node {node}: the cluster lock is .* there and `/elsewhere` here")
            self.assertIn(f"node {node}: quorum is lock there and majority here", wrong.stdout)
            self.assertIn(f"node {node}: its nodes file has 3 nodes, ours 4", wrong.stdout)


class ByCommand(unittest.TestCase):
    """`nodes list = !COMMAND`, as later versions of Samba have it."""

    def test_what_it_prints_is_read_again(self):
        where = []

        def prepare(base):
            (base / "nodes").rename(base / "list")
            (base / "ctdb.conf").write_text(f"[cluster]\nnodes list = !cat {base}/list\n[floe]\nport = 4379\n")
            where.append(base)
        node = Node(self.addCleanup, prepare=prepare)
        shown = lambda: floe("--base", node.base, "listnodes").stdout.split()  # noqa: E731
        self.assertEqual(shown(), ["127.0.0.1"])
        (where[0] / "list").write_text("127.0.0.1\n127.0.0.2\n")
        self.assertEqual(floe("--base", node.base, "reloadnodes").returncode, 0)
        until(lambda: shown() == ["127.0.0.1", "127.0.0.2"], "the node that was added is known")
        (where[0] / "list").unlink()
        refused = floe("--base", node.base, "reloadnodes")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("exit status 1", refused.stderr)
        self.assertEqual(len(shown()), 2)


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
