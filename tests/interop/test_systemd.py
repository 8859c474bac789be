#!/usr/bin/env python3
"""The unit under systemd itself: the tests of the packages that want a machine of their own (debian/tests) are played with what is
built, on a copy of this system whose process 1 is Debian's systemd (cli/package.d/with_systemd), and which is gone afterwards."""
import os
import pathlib
import shutil
import subprocess
import unittest

import sandbox

sandbox.enter()

import tap  # noqa: E402


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("meson"), "only root can, and with meson")
class Systemd(unittest.TestCase):
    PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "cli" / "package.d"
    ON_A_COPY = """
        set -eu
        copy=$1 build=$2 packaging=$3 test=$4
        mount -t tmpfs none "$copy" && mkdir "$copy/upper" "$copy/work" "$copy/root"
        mount -t overlay none -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work" "$copy/root" || exit 77
        meson install -C "$build" --no-rebuild --quiet --destdir "$copy/root" </dev/null >/dev/null
        rm -rf "$copy/root/var/lib/ctdb" "$copy/root/etc/ctdb/nodes"
        cp "$packaging/debian/tests/$test" "$copy/root/srv/$test"
        exec "$packaging/with_systemd" "$copy/root" "/srv/$test"
        """

    def played(self, test):
        done = subprocess.run(["unshare", "--mount", "sh", "-c", self.ON_A_COPY, "sh", sandbox.directory("copy"), os.environ["FLOE_BUILD"],
                               self.PACKAGING, test], capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL)
        if done.returncode == 77:
            self.skipTest(done.stderr.strip())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_unit(self):
        self.played("service")

    @unittest.skipUnless(shutil.which("ctdbd"), "Debian's package ctdb is not installed")
    def test_in_the_place_of_ctdb_and_back(self):
        self.played("instead")


if __name__ == "__main__":
    tap.main()
