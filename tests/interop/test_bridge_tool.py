#!/usr/bin/env python3
"""Debian's `ctdb` tool with floe's library before libtdb: what it does with the records of a floe node is what it does with
those of a ctdbd that runs beside it, command by command: exit status, output, and what is there afterwards.
"""
import os
import re
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox)
import tap  # noqa: E402
import tdb_face as tdb  # noqa: E402


def same_for_both(text, node):
    """Without what cannot be the same: directories, times, numbers of writes; records in the order of their keys."""
    text = text.replace(str(node.base), "BASE")
    text = re.sub(r"/volatile/|/persistent/", "/", text)
    text = re.sub(r"rsn: \S+|rsn=\S+", "rsn", text)
    text = re.sub(r"^hash: .*\n", "", text, flags=re.M)
    text = re.sub(r"^(\d{4}[-/]\S+ )?\[?.*?\]? ?(?=Database backed up)", "", text, flags=re.M)
    text = re.sub(r"\d+ seconds|\d\d:\d\d:\d\d\S*|\w{3} \w{3} +\d+ \S+ \d{4}", "TIME", text)
    blocks = text.split("\n\n")
    return "\n\n".join(sorted(blocks)) if any("key(" in b for b in blocks) else text


def ctdb_on(node, *command):
    r = subprocess.run([cluster.CTDB, *command], env=node.environment, capture_output=True, text=True, timeout=60,
                       stdin=subprocess.DEVNULL)
    assert r.returncode == 0, r.stderr
    return same_for_both(r.stdout, node)


def without_number(dumped):
    """A dumped database's records, in some order, but the one with the sequence number."""
    return sorted(r for r in dumped.split("\n\n") if "__db_sequence_number__" not in r and "Dumped" not in r)


class SameAsOnCtdbd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.floe = cls.enterClassContext(cluster.of("floe", nodes=1))[0]
        cls.ctdbd = cls.enterClassContext(cluster.of("ctdbd", nodes=1))[0]
        cls.floe.environment["LD_PRELOAD"] = tdb.bridge_path()
        cls.files = sandbox.directory("files")

    def path(self, node, db):
        return next(node.base.glob(f"db/**/{db}.0"))

    def both(self, *command, status=None):
        """Runs it on both; `{file}` is the database's file given as {db:NAME}, `{node}` names files apart."""
        told = {}
        for node, name in ((self.ctdbd, "ofctdbd"), (self.floe, "offloe")):
            words = [re.sub(r"\{db:(\S+)\}", lambda m, n=node: str(self.path(n, m[1])), str(w)).replace("{node}", name)
                     for w in command]
            r = subprocess.run([cluster.CTDB, *words], env=node.environment, capture_output=True, text=True, timeout=60,
                               stdin=subprocess.DEVNULL)
            told[name] = (r.returncode, same_for_both(r.stdout, node).replace(name, "NODE"))
            if os.environ.get("FLOE_SHOW"):
                print(name, words, r.returncode, r.stdout[:300], r.stderr[:300])
        self.assertEqual(told["ofctdbd"], told["offloe"], f"{' '.join(map(str, command))}: {r.stderr}")
        if status is not None:
            self.assertEqual(status, told["ofctdbd"][0], told)
        return told["ofctdbd"][1]

    def text_file(self, text):
        name = self.files / f"text.{len(list(self.files.iterdir()))}"
        name.write_text(text)
        return name

    def test_volatile_records(self):
        self.both("attach", "v.tdb", status=0)
        for key, value in (("a", "one"), ("b", "two"), ("c", ""), ("a", "three")):
            self.both("writekey", "v.tdb", key, value, status=0)
        self.assertIn("three", self.both("readkey", "v.tdb", "a", status=0))
        self.both("catdb", "v.tdb", status=0)
        self.both("cattdb", "v.tdb", status=0)
        self.both("deletekey", "v.tdb", "b", status=0)
        self.both("readkey", "v.tdb", "b", status=0)
        self.both("catdb", "v.tdb", status=0)
        self.both("readkey", "v.tdb", "none")
        self.both("deletekey", "v.tdb", "never there")

    def test_files_by_their_path(self):
        self.both("attach", "f.tdb", "persistent", status=0)
        self.both("pstore", "f.tdb", "k", "value", status=0)
        self.assertIn("value", self.both("tfetch", "{db:f.tdb}", "k", status=0))
        self.both("tfetch", "{db:f.tdb}", "none")
        self.both("tstore", "{db:f.tdb}", "k", "stored", status=0)
        self.assertIn("stored", self.both("tfetch", "{db:f.tdb}", "k", status=0))
        self.both("tfetch", "{db:f.tdb}", "k", self.files / "out.{node}", status=0)
        self.assertEqual((self.files / "out.ofctdbd").read_bytes()[24:], (self.files / "out.offloe").read_bytes()[24:])
        ours = subprocess.run([cluster.FLOE, "--base", self.floe.base, "tfetch", self.path(self.floe, "f.tdb"), "k",
                               self.files / "out.ours"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual((0, "", ""), (ours.returncode, ours.stdout, ours.stderr))
        self.assertEqual((self.files / "out.offloe").read_bytes(), (self.files / "out.ours").read_bytes())
        self.both("pfetch", "f.tdb", "k", status=0)
        self.both("tfetch", "/nowhere.tdb", "k")

    def test_volatile_files_by_their_path(self):
        """Which the tool cannot open on a ctdbd: it does not know that they are locked by mutexes."""
        def tool(*words):
            r = subprocess.run([cluster.CTDB, *map(str, words)], env=self.floe.environment, capture_output=True, text=True,
                               timeout=60, stdin=subprocess.DEVNULL)
            self.assertEqual(0, r.returncode, r.stderr)
            return r.stdout

        tool("attach", "t.tdb")
        tool("tstore", self.path(self.floe, "t.tdb"), "k", "stored")
        self.assertIn("stored", tool("tfetch", self.path(self.floe, "t.tdb"), "k"))
        self.assertIn("stored", tool("readkey", "t.tdb", "k"))

    def test_persistent_records(self):
        self.both("attach", "p.tdb", "persistent", status=0)
        self.both("pfetch", "p.tdb", "k")
        self.both("pstore", "p.tdb", "k", "a value", status=0)
        self.assertIn("a value", self.both("pfetch", "p.tdb", "k", status=0))
        self.both("ptrans", "p.tdb", self.text_file('"x" "1"\n"y" "2"\n"k" ""\n'), status=0)
        for key in "x", "y", "k":
            self.both("pfetch", "p.tdb", key)
        self.both("catdb", "p.tdb", status=0)
        self.both("cattdb", "p.tdb", status=0)
        self.both("pdelete", "p.tdb", "x", status=0)
        self.both("catdb", "p.tdb", status=0)
        self.both("tfetch", "{db:p.tdb}", "y", status=0)
        self.both("getdbseqnum", "p.tdb", status=0)

    def test_whole_databases(self):
        for db, kind in (("w.tdb", ()), ("q.tdb", ("persistent",))):
            self.both("attach", db, *kind, status=0)
            if kind:
                self.both("ptrans", db, self.text_file("".join(f'"key {i}" "value {i}"\n' for i in range(50))), status=0)
            else:
                for i in range(10):
                    self.both("writekey", db, f"key {i}", f"value {i}", status=0)
            backup = self.files / (db + ".{node}")
            self.both("backupdb", db, backup, status=0)
            self.both("wipedb", db, status=0)
            if kind:  # its number goes on rising, so it stays (protocol/rules/README.md)
                left = ctdb_on(self.floe, "catdb", db)
                self.assertIn("Dumped 1 records", left)
                self.assertIn("__db_sequence_number__", left)
            else:
                self.both("catdb", db, status=0)
            self.both("restoredb", backup, db, status=0)
            if kind:
                of_floe, of_ctdbd = (without_number(ctdb_on(n, "catdb", db)) for n in (self.floe, self.ctdbd))
                self.assertEqual(of_ctdbd, of_floe)
                self.assertIn("value 49", "".join(of_floe))
            else:
                self.both("catdb", db, status=0)


if __name__ == "__main__":
    for kind in "floe", "ctdbd":
        if reason := cluster.why_not(kind):
            tap.skip_all(reason)
    tap.main()
