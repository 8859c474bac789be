#!/usr/bin/env python3
"""Something else stands where a node looks for a file, or it may not have what every node needs: it says what is wrong and
ends at once, or sets it aside and goes on. Nothing is waited for: SIGTERM works from the first moment."""
import contextlib
import os
import resource
import signal
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import single_node  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402

AT_ONCE_S = 30  # of a busy machine


def refused(base, **options):
    """What a node says that does not start."""
    done = subprocess.run([single_node.FLOE, "node", "--base", base], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=AT_ONCE_S, **options)
    if done.returncode not in (1, 2):
        raise AssertionError(f"exit {done.returncode}: {done.stderr}")
    return done.stderr


def odd(path, kind):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")


class OddPlaces(unittest.TestCase):
    def test_settings(self):
        for name in ("nodes", "ctdb.conf", "ctdb.tunables"):
            for kind in ("FIFO", "directory", "device"):
                with self.subTest(name=name, kind=kind):
                    base = single_node.directory("")
                    odd(base / name, kind)
                    said = refused(base)
                    self.assertIn(f"{base / name}: ", said)
                    self.assertIn(f"is a {kind}", said)

    def test_log(self):
        base = single_node.directory("")
        (base / "ctdb.conf").write_text(f"[logging]\nlocation = file:{base}/odd\n")
        odd(base / "odd", "FIFO")
        self.assertIn("is a FIFO", refused(base))

    def test_databases(self):
        """What is no file is set aside; the database is there, and the node ends when it is told to."""
        for kind in ("FIFO", "directory", "device"):
            with self.subTest(kind=kind), contextlib.ExitStack() as stack:
                def prepare(base, kind=kind):
                    for name in ("volatile", "persistent", "state"):
                        (base / "db" / name).mkdir(parents=True, exist_ok=True)
                    odd(base / "db" / "persistent" / "odd.tdb.0", kind)
                node = single_node.Node(stack.callback, prepare=prepare)
                until(lambda n=node, k=kind: f"it is a {k}" in n.log, "the log says so", AT_ONCE_S)
                self.assertEqual(1, len(list((node.base / "db" / "persistent").glob("odd.tdb.0.corrupt.*"))))
                odd(node.base / "db" / "persistent" / "later.tdb.0", kind)
                said = single_node.floe("--base", node.base, "attach", "later.tdb", "persistent")
                self.assertEqual(0, said.returncode, said.stderr)
                self.assertEqual(1, len(list((node.base / "db" / "persistent").glob("later.tdb.0.corrupt.*"))))
                node.process.send_signal(signal.SIGTERM)
                self.assertEqual(0, node.process.wait(AT_ONCE_S))

    def test_the_log_becomes_one(self):
        """While the node runs: it goes on with what it has."""
        node = single_node.Node(self.addCleanup)
        (node.base / "log.ctdb").rename(node.base / "log.1")
        odd(node.base / "log.ctdb", "FIFO")
        node.process.send_signal(signal.SIGHUP)
        until(lambda: "is a FIFO" in (node.base / "log.1").read_text(), "the old log says why", 30)
        self.assertEqual(0, single_node.floe("--base", node.base, "ping").returncode)

    def test_few_descriptors(self):
        base = single_node.directory("")
        few = (64, 64)
        said = refused(base, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few))
        self.assertIn("64 open files are all that this process may have", said)

    def test_no_standard_streams(self):
        """What a node opens does not become one of them, into which the next message would be written."""
        base = single_node.directory("[floe]\nport = 4379\n")
        node = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", single_node.FLOE, "node", "--base", base])
        self.addCleanup(node.wait)
        self.addCleanup(node.kill)
        until(lambda: single_node.floe("--base", base, "attach", "first.tdb", "persistent").returncode == 0, "it serves", 30)
        for descriptor in range(3):
            self.assertEqual("/dev/null", os.readlink(f"/proc/{node.pid}/fd/{descriptor}"))

    def test_who_watches_ends_when_nobody_looks(self):
        node = single_node.Node(self.addCleanup)
        for flags in ([], ["--json"]):
            with subprocess.Popen([single_node.FLOE, "--base", node.base, "status", "--watch", *flags], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
                self.assertTrue(watch.stdout.read(1))
                watch.stdout.close()
                try:
                    watch.wait(AT_ONCE_S)
                finally:
                    watch.kill()
                self.assertEqual(b"", watch.stderr.read())


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
