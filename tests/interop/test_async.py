#!/usr/bin/env python3
"""The asynchronous client library: what its headers promise, in programs against a cluster (tests/client/async_*_test.cpp), and
its examples, compiled out of an installation as a stranger would."""
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox)
import floe_cli as cli  # noqa: E402
import tap  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("FLOE_BUILD", "build")
LIBRARY = os.environ.get("FLOE_ASYNC_LIBRARY", "")
PROGRAM = os.environ.get("FLOE_ASYNC_TESTS", "")


class OneCluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe", nodes=3))
        # under other names: who kills a node kills every process that names its directory
        names = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="floe-async.")))
        cls.where = [names / str(n.pnn) for n in cls.nodes]
        for name, node in zip(cls.where, cls.nodes):
            name.symlink_to(node.base)


class Promises(OneCluster):
    def play(self, source):
        """All cases of one file; does to nodes what they ask for."""
        environment = {**os.environ, "NODES": ":".join(map(str, self.where))}
        with subprocess.Popen([PROGRAM, f"--source-file=*{source}"], env=environment, text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as program:
            said = []
            for line in program.stdout:
                said.append(line)
                if wish := re.match(r"please: (\w+) node (\d)", line):
                    self.do(wish[1], self.nodes[int(wish[2])])
                    program.stdin.write("done\n")
                    program.stdin.flush()
        text = "".join(said)
        self.assertEqual(0, program.returncode, text)
        cases = re.search(r"test cases: +(\d+) \|", text)
        self.assertGreater(int(cases[1]), 5, text)

    def do(self, what, node):
        if what == "start":
            self.nodes.start_node(node)
            self.nodes.wait_healthy()
        elif what == "kill":
            node.signal(signal.SIGKILL)
        else:
            os.kill(node.pid, {"stop": signal.SIGSTOP, "continue": signal.SIGCONT}[what])

    def test_records(self):
        self.play("async_records_test.cpp")

    def test_cluster(self):
        self.play("async_cluster_test.cpp")

    def test_life(self):
        self.play("async_life_test.cpp")


class Library(unittest.TestCase):
    def test_it_brings_nothing_with_it(self):
        listed = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True).stdout
        needed = set(re.findall(r"\(NEEDED\).*\[(.*?)\.so", listed))
        self.assertLessEqual(needed, {"libstdc++", "libgcc_s", "libc", "libm", "ld-linux-x86-64", "libasan", "libubsan"})
        self.assertIn("libfloe-async.so.0", re.search(r"\(SONAME\).*\[(.*)\]", listed)[1])
        self.assertIn("NODELETE", listed)


@unittest.skipUnless(shutil.which("pkg-config") and shutil.which("meson"), "needs pkg-config and meson")
class Examples(OneCluster):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="floe-async.")))
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--tags", "devel,runtime", "--destdir",
                        cls.root], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        found = next(cls.root.rglob("floe-async.pc"))
        cls.library = found.parent.parent
        prefix = next(p for p in found.parents if (p / "include").exists())
        flags = subprocess.run(["pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", found],
                               capture_output=True, text=True, check=True, env={**os.environ, "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1",
                                                                               "PKG_CONFIG_ALLOW_SYSTEM_LIBS": "1"}).stdout
        for source in (TOP / "actors/async/examples").glob("*.cpp"):
            subprocess.run([os.environ.get("CXX", "c++"), "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o",
                            cls.root / source.stem, source, *shlex.split(flags), *os.environ.get("FLOE_ASYNC_FLAGS", "").split()],
                           check=True)

    def start(self, example, *arguments):
        process = subprocess.Popen([self.root / example, *map(str, arguments)], text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={**os.environ, "LD_LIBRARY_PATH": str(self.library)})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_counters_on_every_node(self):
        programs = [self.start("async_counter", where, 2000) for where in self.where]
        sums = []
        for program in programs:
            out, err = program.communicate(timeout=100)
            self.assertEqual(0, program.returncode, err)
            self.assertRegex(err, r"longest step [0-9.]+ ms")
            sums.append(int(out))
        # who is last adds up what all have done
        self.assertEqual(6000, max(sums))

    def test_a_program_says_why_it_waits(self):
        program = self.start("watch_recovery", self.where[0], "example.tdb", 5)
        said = []
        while "recovery mode normal\n" not in said:
            said.append(program.stdout.readline())
            self.assertTrue(said[-1], said)
        cli.run(self.nodes[1], "recover")
        out, err = program.communicate(timeout=60)
        self.assertEqual(0, program.returncode, err)
        for expected in ("recovery mode active", "example.tdb frozen", "example.tdb serving", "recovery mode normal"):
            self.assertIn(expected + "\n", out)
        self.assertGreater(int(re.search(r"^(\d+) stores$", out, re.M)[1]), 3)

    def test_it_says_who_is_missing(self):
        program = self.start("watch_recovery", self.where[0], "example.tdb", 8)
        self.assertEqual("connected to node 0\n", program.stdout.readline())
        self.nodes[0].signal(signal.SIGKILL)
        self.nodes.start_node(self.nodes[0])
        self.nodes.wait_healthy()
        out, err = program.communicate(timeout=60)
        self.assertEqual(0, program.returncode, err)
        self.assertIn("connection lost", out)
        self.assertIn("connected to node 0\n", out)


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    if not LIBRARY or not PROGRAM:
        tap.skip_all("FLOE_ASYNC_LIBRARY and FLOE_ASYNC_TESTS name no library and no program")
    tap.main()
