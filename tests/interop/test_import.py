#!/usr/bin/env python3
"""Adopting a cluster that exists: persistent databases of a stopped ctdbd into floe nodes and back, records and sequence numbers
kept; a floe node that is started where a ctdbd was says so and touches nothing; and the demonstration of Samba.
"""
import hashlib
import json
import os
import shutil
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox)
import smb_servers  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402

FLOE = os.environ.get("FLOE")


def floe(*words):
    return subprocess.run([FLOE, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)


def digests(folder):
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


class ThereAndBack(unittest.TestCase):
    values = {f"key {i}": f"value {i}" for i in range(200)}

    def fetched(self, node, key):
        return node.ctdb("pfetch", "settings.tdb", key).stdout.strip()

    def test_there_and_back(self):
        kept = sandbox.directory("kept")
        with cluster.of("ctdbd", nodes=1) as theirs:
            node = theirs[0]
            node.ctdb("attach", "settings.tdb", "persistent").check_returncode()
            for key, value in self.values.items():
                if int(key[4:]) < 5:
                    node.ctdb("pstore", "settings.tdb", key, value).check_returncode()
            changes = sandbox.directory("t") / "changes"
            changes.write_text("".join(f'"{k}" "{v}"\n' for k, v in self.values.items()))
            node.ctdb("ptrans", "settings.tdb", changes).check_returncode()
            number = node.ctdb("getdbseqnum", "settings.tdb").stdout
            node.ctdb("shutdown")
            until(lambda: node.pid is None, "ctdbd ended", 30)
            self.refuses_their_folder(node)
            shutil.copytree(node.base / "db" / "persistent", kept / "persistent")
        with cluster.of("floe", nodes=2) as ours:
            said = floe("--base", ours[0].base, "import", kept / "persistent", "--json")
            self.assertEqual(0, said.returncode, said.stderr)
            told = {d["db"]: d for d in json.loads(said.stdout)["databases"]}
            self.assertEqual(f"0x{told['settings.tdb']['seqnum']:x}", number.split()[-1])
            self.assertEqual(2, told["settings.tdb"]["nodes"])
            for node in ours:
                self.assertEqual(number, node.ctdb("getdbseqnum", "settings.tdb").stdout)
            read = floe("--base", ours[1].base, "catdb", "settings.tdb", "--json")
            found = {r["key"]: r["value"] for r in json.loads(read.stdout)["records"]}
            self.assertEqual(self.values, {k: v for k, v in found.items() if not k.startswith("0x5f5f")})  # its number
            again = floe("--base", ours[0].base, "import", kept / "persistent")
            self.assertNotEqual(0, again.returncode)
            self.assertIn("--replace", again.stderr)
            self.assertEqual(0, floe("--base", ours[0].base, "import", "--replace", kept / "persistent").returncode)
            back = sandbox.directory("back")
            said = floe("--base", ours[0].base, "export", back, "settings.tdb")
            self.assertEqual(0, said.returncode, said.stderr)
            self.assertNotEqual(0, floe("--base", ours[0].base, "export", back).returncode)  # replaces nothing
        group = cluster.CtdbdCluster(1)
        shutil.copy(back / "settings.tdb.0", group[0].base / "db" / "persistent")
        with cluster.running(group):
            group[0].ctdb("attach", "settings.tdb", "persistent").check_returncode()
            self.assertEqual("value 7", self.fetched(group[0], "key 7"))
            # what is replaced has another number than before: clients that keep what they have read look at nothing else
            self.assertEqual(int(number, 16) + 1, int(group[0].ctdb("getdbseqnum", "settings.tdb").stdout, 16))

    def refuses_their_folder(self, node):
        before = digests(node.base / "db")
        said = floe("node", "--base", node.base)
        self.assertNotEqual(0, said.returncode)
        self.assertIn("floe import", said.stderr)
        self.assertEqual(before, digests(node.base / "db"))

    def test_what_is_no_database(self):
        folder = sandbox.directory("bad")
        with cluster.of("floe", nodes=1) as nodes:
            def refused(*words):
                said = floe("--base", nodes[0].base, "import", *words)
                self.assertNotEqual(0, said.returncode)
                return said.stderr

            self.assertIn("no database", refused(folder))
            (folder / "bad.tdb.0").write_bytes(b"TDB file\n" + os.urandom(5000))
            self.assertIn("bad.tdb.0", refused(folder))
            self.assertIn("NAME.PNN", refused("/etc/hostname"))


class Demonstration(unittest.TestCase):
    @unittest.skipIf(smb_servers.why_not(), smb_servers.why_not() or "")
    def test_it_tells_its_story_and_leaves_nothing(self):
        said = floe("samba", "demo")
        self.assertEqual(0, said.returncode, said.stdout + said.stderr)
        for words in ("smbd on each node", "node 0 is killed", "node 2 is killed", "nothing is left"):
            self.assertIn(words, said.stdout)
        left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("floe-samba-", left)


if __name__ == "__main__":
    for kind in "floe", "ctdbd":
        if reason := cluster.why_not(kind):
            tap.skip_all(reason)
    tap.main()
