#!/usr/bin/env python3
"""A node's settings are taken as Samba's own validator takes them, or it says what ctdbd would do."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import unittest

import sandbox

sandbox.enter()

import tap  # noqa: E402
from settings_samples import sample  # noqa: E402
from single_node import FLOE, directory, floe  # noqa: E402

VALIDATOR = "/usr/libexec/ctdb/ctdb-config"
SAMPLES = int(os.environ.get("FLOE_SAMPLES", "50"))

# Settings that floe and ctdbd accept or refuse alike, each a whole file.
ALIKE = [
    "", "# nothing\n; nothing\n\n", "[logging]\n", "[LOGGING]\n\tlog   level = INFO\n",
    *(f"[logging]\nlog level = {level}\n" for level in ("ERROR", "err", "WARN", "warning", "Notice", "debug", "0", "4", "10", "11",
                                                        "-1", "LOUD", "")),
    *(f"[logging]\nlocation = {place}\n" for place in ("file:/tmp/x", "syslog", "syslog:nonblocking", "syslog:udp",
                                                       "syslog:udp-rfc5424", "syslog:", "")),
    *(f"[legacy]\nstart as stopped = {value}\n" for value in ("true", "Yes", "FALSE", "no", "1", "0", "on", "off", "maybe", "")),
    *(f"[cluster]\nleader timeout = {n}\n" for n in ("5", "0x10", "010", "5000", "5 x", "0", "-1", "x", "99999999999", "")),
    *(f"[cluster]\nnode address = {a}\n" for a in ("127.0.0.1", "127.0.0.01", "name", "1.2.3", "")),
    "[cluster]\ncluster lock = /shared/lock\n", "[cluster]\ncluster lock = !/usr/bin/helper a b\n", "[cluster]\ncluster lock =\n",
    "[cluster]\nrecovery lock =\n", "[cluster]\nrecovery lock = /a \\\n b\n", "[cluster]\nrecovery lock = /a\\\n#b\n",
    "[cluster]\ntransport = tcp\n", "[cluster]\ntransport = foo\n", "[cluster]\nleader timeout = 5\nleader timeout = 7\n",
    "[database]\nvolatile database directory = /no/such\n", "[database]\nvolatile database directory = /tmp\n",
    "[database]\ntdb mutexes = yes\n", "[database]\ntdb mutexes = 3\n",
    "[failover]\ndisabled = YES\n", "[legacy]\nrealtime scheduling = false\n", "[legacy]\nscript log level = LOUD\n",
    "[legacy]\nscript log level = WARN\n", "[legacy]\nctdb start as stopped = yes\n", "[Legacy]\nStart as stopped = true\n",
    "[legacy]\nstart  as stopped = true\n", "[legacy]\nstart\tas stopped = true\n", "[nosuch]\nx = 1\n", "[cluster]\nnosuch = 1\n",
    "x = 1\n", "[ cluster ]\nleader timeout = 5\n", "[cluster]\nleader timeout == 5\n",
]
# What ctdbd passes over in silence, and floe does not; and what only floe knows.
STRICTER = ["[cluster\nleader timeout = 5\n", "[cluster] x\nleader timeout = 5\n", "[cluster]\nno equals sign\n",
            "[cluster]\n= 5\n", "[cluster]\ncluster lock = relative/path\n", "[logging]\nlocation = file:\n"]


class A1Settings(unittest.TestCase):
    @unittest.skipUnless(os.access(VALIDATOR, os.X_OK), "Debian's package ctdb is not installed")
    def test_as_samba_has_them(self):
        for text in ALIKE:
            base = directory(text)
            theirs = subprocess.run([VALIDATOR, "validate"], capture_output=True, text=True,
                                    env={**os.environ, "CTDB_TEST_MODE": "yes", "CTDB_BASE": str(base)})
            errors = [line for line in floe("check-config", base).stdout.splitlines() if line.startswith("error")
                      and "is not in the nodes file" not in line]
            with self.subTest(settings=text):
                self.assertEqual(not errors, theirs.returncode == 0, (errors, theirs.stderr))

    @unittest.skipUnless(os.access(VALIDATOR, os.X_OK), "Debian's package ctdb is not installed")
    def test_random_files(self):
        """Of many files each is accepted, or refused, by both, or each of floe's reasons says what ctdbd does."""
        alike, base = {True: 0, False: 0}, directory("")
        (base / "script.sh").touch(0o755)
        for seed in range(SAMPLES):
            (base / "ctdb.conf").write_bytes(sample(seed))
            theirs = subprocess.run([VALIDATOR, "validate"], capture_output=True, encoding="latin1",
                                    env={**os.environ, "CTDB_TEST_MODE": "yes", "CTDB_BASE": str(base)})
            said = json.loads(floe("check-config", base, "--json").stdout)
            accepted = theirs.returncode == 0
            errors = [line for line in said["errors"] if "is not in the nodes file" not in line]
            if accepted == (not errors):
                alike[accepted] += 1
                continue
            reasons = errors if accepted else said["warnings"]
            with self.subTest(seed=seed, settings=sample(seed)):
                # behind what ctdbd reads no further at, anything may stand
                told = any if not errors or "what follows" in str(reasons) else all
                self.assertTrue(reasons and told("ctdbd would" in line for line in reasons), (reasons, theirs.stderr))
        self.assertGreater(min(alike.values()), SAMPLES // 25)

    def test_what_others_pass_over_is_an_error(self):
        for text in STRICTER:
            with self.subTest(settings=text):
                refused = floe("check-config", directory(text))
                self.assertEqual(refused.returncode, 4)
                self.assertIn("ctdbd would", refused.stdout)

    def test_all_mistakes_with_their_lines(self):
        base = directory("[cluster]\nrecovery lock =\n[logging]\nlog level = LOUD\n")
        found = floe("check-config", base).stdout
        self.assertIn("ctdb.conf: line 2: ", found)
        self.assertIn("ctdb.conf: line 4: ", found)

    def test_files_beside_it_count_too(self):
        base = directory("[cluster]\nleader timeout = 7\n[logging]\nlog level = DEBUG\n")
        (base / "ctdb.conf.d").mkdir()
        (base / "ctdb.conf.d" / "10-level.conf").write_text("[logging]\nlog level = LOUD\n")
        (base / "ctdb.conf.d" / "20-off.conf.bak").write_text("nonsense")
        (base / "ctdb.conf.d" / "20-lock.conf").write_text("[cluster]\nrecovery lock =\n")
        found = floe("check-config", base)
        self.assertEqual(found.returncode, 4)
        self.assertIn("10-level.conf: line 2: ", found.stdout)
        self.assertIn("20-lock.conf: line 2: ", found.stdout)
        (base / "ctdb.conf.d" / "20-lock.conf").unlink()
        (base / "ctdb.conf.d" / "10-level.conf").write_text("[legacy]\ntdb mutexes = yes\n")
        self.assertIn("it belongs into [database]", floe("check-config", base).stdout)
        (base / "ctdb.conf.d" / "10-level.conf").write_text("[database]\ntdb mutexes = yes\n")
        found = floe("check-config", base)
        self.assertEqual(found.returncode, 0)
        self.assertIn("10-level.conf: line 2: [database] tdb mutexes has no effect", found.stdout)

    @unittest.skipUnless(os.access(VALIDATOR, os.X_OK), "Debian's package ctdb is not installed")
    def test_every_setting_of_ctdbd_is_known(self):
        dumped = subprocess.run([VALIDATOR, "dump"], capture_output=True, text=True, check=True,
                                env={**os.environ, "CTDB_TEST_MODE": "yes", "CTDB_BASE": str(directory(""))}).stdout
        theirs, section = set(), None
        for line in dumped.splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif "=" in line:
                theirs.add((section, line.lstrip("# \t").partition("=")[0].strip()))
        ours = {(s["section"], s["name"]) for s in json.loads(floe("check-config", "--settings", "--json").stdout)["settings"]}
        self.assertGreater(len(theirs), 10)
        self.assertEqual(theirs - ours, set())

    @unittest.skipUnless(os.path.exists("/etc/ctdb/ctdb.conf"), "Debian's package ctdb is not installed")
    def test_debians_own_file(self):
        base = directory(pathlib.Path("/etc/ctdb/ctdb.conf").read_text())
        self.assertEqual(floe("check-config", base).returncode, 0)

    def test_a_file_that_cannot_be_read_is_no_default(self):
        base = directory("[cluster]\ncluster lock = /shared/lock\n")
        (base / "ctdb.conf").unlink()
        (base / "ctdb.conf").mkdir()
        started = floe("node", "--base", base)
        self.assertEqual(started.returncode, 2)
        self.assertIn("ctdb.conf: is a directory", started.stderr)

    def test_whatever_lies_where_a_file_should_is_told_at_once(self):
        def text(content):
            return lambda path: path.write_bytes(content)

        def listening(path):
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(str(path))
        oddities = {
            "a FIFO": os.mkfifo, "a device": lambda path: path.symlink_to("/dev/zero"), "a directory": pathlib.Path.mkdir,
            "cannot be read: No such device": listening, "Too many levels": lambda path: path.symlink_to(path),
            "byte order mark": text(b"\xef\xbb\xbf127.0.0.1\n"), "NUL": text(b"127.0.0.1\0\n"), "larger than": text(b"x" * 3_000_000),
            "line 1": text(b"x" * 1_000_000)}
        for name in ("ctdb.conf", "nodes", "ctdb.tunables"):
            for why, make in oddities.items():
                base = directory()
                (base / name).unlink(missing_ok=True)
                make(base / name)
                with self.subTest(file=name, why=why):
                    refused = floe("node", "--base", base)
                    self.assertEqual(refused.returncode, 2)
                    self.assertIn(why, refused.stderr)
                    self.assertLess(len(refused.stderr), 1000)
        base = directory()
        (base / "nodes").write_text("".join(f"10.0.{n // 250}.{n % 250 + 1}\n" for n in range(20_000)))
        self.assertIn("more than 4096 nodes", floe("node", "--base", base).stderr)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "not root, or no setpriv")
    def test_who_may_not_read_them_runs_no_node(self):
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        if subprocess.run([*nobody, FLOE, "--version"], capture_output=True).returncode != 0:
            self.skipTest("others cannot run the program where it is")
        for name in ("ctdb.conf", "ctdb.tunables", "ctdb.conf.d"):
            base = directory("[cluster]\ncluster lock = /shared/lock\n")
            if name == "ctdb.conf.d":
                (base / name).mkdir()
            else:
                (base / name).touch()
            base.parent.chmod(0o711)
            for path in (base, base / "nodes", base / "ctdb.conf"):
                os.chown(path, 65534, 65534)
            os.chown(base / name, 0, 0)
            (base / name).chmod(0)
            refused = subprocess.run([*nobody, FLOE, "node", "--base", base], capture_output=True, text=True,
                                     stdin=subprocess.DEVNULL, timeout=60)
            with self.subTest(unreadable=name):
                self.assertEqual(refused.returncode, 2, refused.stderr)
                self.assertIn(f"{name}: cannot be read: Permission denied", refused.stderr)


if __name__ == "__main__":
    tap.main()
