#!/usr/bin/env python3
"""Every place that `[logging] location` can name gets the lines of a real node, in the form that its readers expect; Debian's own
ctdb.conf, unchanged, is one of the files that a node starts with.

The test is the daemon at the other end: it listens where syslog and the journal do. For that /dev and /run of this program's own
mount namespace are replaced; where that is not permitted the tests are skipped, visibly."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import unittest

import sandbox

sandbox.enter()

import tap  # noqa: E402
from single_node import Node, floe  # noqa: E402
from wait import until  # noqa: E402

DEBIANS_OWN = pathlib.Path("/etc/ctdb")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def own_places():
    """Empty /dev (but for what programs need) and /run; whether that could be done."""
    if os.environ.get(sandbox.INSIDE) != "namespaces":
        return False
    dev = sandbox.directory("dev")

    def mount(*arguments):
        return subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode == 0
    if not mount("-t", "tmpfs", "none", dev):
        return False
    for name in DEVICES:
        (dev / name).touch()
        if not mount("--bind", f"/dev/{name}", dev / name):
            return False
    (dev / "shm").mkdir()
    return mount("-t", "tmpfs", "none", dev / "shm") and mount("--rbind", dev, "/dev") and mount("-t", "tmpfs", "none", "/run")


OWN_PLACES = own_places()


def datagrams(family, address):
    if family == socket.AF_UNIX:
        pathlib.Path(address).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(address).unlink(missing_ok=True)
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind(address)
    s.settimeout(20)
    return s


def heard(daemon, pattern):
    """The first datagram that has this in it."""
    while True:
        text = daemon.recv(65536).decode()
        if found := re.search(pattern, text):
            return found


def fields_of(daemon):
    """The fields of the next line that the journal gets: a line each, as its protocol has them."""
    return dict(line.split("=", 1) for line in daemon.recv(1 << 18).decode().splitlines())


@unittest.skipUnless(OWN_PLACES, "no /dev and /run of one's own can be had here")
class Places(unittest.TestCase):
    def node(self, location, **more):
        return Node(self.addCleanup, f"[logging]\nlocation = {location}\n", **more)

    def listen(self, family, address):
        daemon = datagrams(family, address)
        self.addCleanup(daemon.close)
        return daemon

    def test_syslog(self):
        for location in ("syslog", "syslog:nonblocking"):
            with self.subTest(location=location):
                daemon = self.listen(socket.AF_UNIX, "/dev/log")
                node = self.node(location)
                # facility daemon, priority notice; the time as syslog has had it for forty years
                heard(daemon, rf"^<29>\w{{3}} [ \d]\d \d\d:\d\d:\d\d ctdbd\[{node.process.pid}\]: .*node-started")
                daemon.close()
                daemon = self.listen(socket.AF_UNIX, "/dev/log")  # the daemon was started anew
                node.process.send_signal(signal.SIGUSR1)
                heard(daemon, r"ctdbd\[\d+\]: .*state-report")
                node.end()

    def test_syslog_by_udp(self):
        for location, form in (("syslog:udp", r"^<29>\w{3} [ \d]\d \d\d:\d\d:\d\d ctdbd\[\d+\]: .*node-started"),
                               ("syslog:udp-rfc5424",
                                r"^<29>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d \S+ ctdbd \d+ - - .*node-started")):
            with self.subTest(location=location):
                daemon = self.listen(socket.AF_INET, ("127.0.0.1", 514))
                node = self.node(location)
                heard(daemon, form)
                daemon.close()
                node.process.send_signal(signal.SIGUSR1)  # into the void, and the node lives
                daemon = self.listen(socket.AF_INET, ("127.0.0.1", 514))
                node.process.send_signal(signal.SIGUSR1)
                heard(daemon, "state-report")
                node.end()
                daemon.close()

    def test_journal(self):
        daemon = self.listen(socket.AF_UNIX, "/run/systemd/journal/socket")
        node = self.node("journal\nlog level = DEBUG")
        fields = next(f for f in iter(lambda: fields_of(daemon), None) if f.get("FLOE_EVENT") == "node-started")
        self.assertEqual((fields["PRIORITY"], fields["SYSLOG_IDENTIFIER"], fields["FLOE_NODE"]), ("5", "ctdbd", "node 0"))
        self.assertEqual(fields["FLOE_SOCKET"], str(node.base / "run" / "ctdbd.socket"))
        self.assertIn(f"MESSAGE_ID={fields['MESSAGE_ID']}", floe("explain", "node-started").stdout)
        # database, generation, recovery: what one searches by
        seen = {}

        def listen():
            with contextlib.suppress(OSError):
                while True:
                    seen.update(fields_of(daemon))
        threading.Thread(target=listen, daemon=True).start()
        floe("--base", node.base, "attach", "locking.tdb").check_returncode()
        floe("--base", node.base, "recover").check_returncode()
        until(lambda: {"FLOE_DB", "FLOE_GENERATION", "FLOE_RUN", "FLOE_PNN"} <= seen.keys(), "fields of a recovery", 20)
        self.assertEqual(seen["FLOE_DB"], "locking.tdb")

    def test_a_journal_that_hangs_stops_nobody(self):
        daemon = self.listen(socket.AF_UNIX, "/run/systemd/journal/socket")
        node = self.node("journal\nlog level = DEBUG")
        for _ in range(3):  # more lines than wait in a socket
            floe("--base", node.base, "recover").check_returncode()
        text = ""
        while "lines were lost" not in text:
            floe("--base", node.base, "recover").check_returncode()
            text = fields_of(daemon)["MESSAGE"]

    def test_file(self):
        place = sandbox.directory("log") / "a log of its own"
        node = self.node(f"file:{place}")
        self.assertIn("node-started", place.read_text())
        place.rename(f"{place}.1")
        node.process.send_signal(signal.SIGHUP)
        until(lambda: place.exists() and "the log is reopened" in place.read_text(), "a new file", 20)

    def test_standard_error(self):
        base = sandbox.directory("e")
        with open(base / "err", "w") as err:
            node = self.node("stderr", stderr=err)
        self.assertIn("node-started", (base / "err").read_text())
        self.assertEqual(node.log, "")

    def test_a_log_that_cannot_be_opened_is_an_error(self):
        for location in ("file:/no/such/folder/log", "syslog:nonblocking", "journal"):  # nobody listens there
            for place in ("/dev/log", "/run/systemd/journal/socket"):
                pathlib.Path(place).unlink(missing_ok=True)
            base = sandbox.directory("x")
            (base / "nodes").write_text("127.0.0.1\n")
            (base / "ctdb.conf").write_text(f"[logging]\nlocation = {location}\n")
            refused = floe("node", "--base", base)
            self.assertEqual((refused.returncode, f"the log {location} cannot be opened" in refused.stderr), (1, True), refused.stderr)

    @unittest.skipUnless((DEBIANS_OWN / "ctdb.conf").exists(), "Debian's package ctdb is not installed")
    def test_debians_own_files(self):
        daemon = self.listen(socket.AF_UNIX, "/dev/log")

        def unchanged(base):
            for name in ("ctdb.conf", "ctdb.tunables"):
                if (DEBIANS_OWN / name).exists():
                    shutil.copy(DEBIANS_OWN / name, base)
        node = Node(self.addCleanup, None, prepare=unchanged)
        heard(daemon, "node-started")
        until(lambda: floe("--base", node.base, "health").returncode == 0, "it serves", 30)


if __name__ == "__main__":
    tap.main()
