#!/usr/bin/env python3
"""When tests/packages.sh configures a build directory: quickstart, tests/run and compare come in any order, and what was optional
for one is wanted by the next. meson and dpkg-query are stood in for."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
MESON = """#!/bin/sh
echo "$*" >>"$LOG"
[ "$1" != setup ] || { for dir in "$@"; do case "$dir" in */build) mkdir -p "$dir"; : >"$dir/build.ninja";; esac; done; }
"""


class Configuring(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.place = pathlib.Path(temporary.name)
        self.top = self.place / "floe"
        (self.top / "tests").mkdir(parents=True)
        for name in ("packages.sh", "packages.txt"):
            shutil.copy(TESTS / name, self.top / "tests")
        self.bin = self.place / "bin"
        self.bin.mkdir()
        self.program("meson", MESON)
        self.installed("compiler=1")

    def program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def installed(self, *packages):
        self.program("dpkg-query", "#!/bin/sh\n" + "".join(f"printf '%s ' '{p}'\n" for p in packages))

    def configure(self, *options):
        """What meson was told to do."""
        log = self.place / "log"
        log.write_text("")
        script = f'set -eu; top={self.top}; . "$top/tests/packages.sh"; configure "$top/build" {" ".join(options)}'
        subprocess.run(["bash", "-c", script], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env=dict(os.environ, PATH=f"{self.bin}:{os.environ['PATH']}", LOG=str(log)))
        return log.read_text().replace(str(self.top), "TOP").splitlines()

    def test_once(self):
        self.assertEqual(["setup TOP/build TOP -Da=1"], self.configure("-Da=1"))
        self.assertEqual([], self.configure("-Da=1"))

    def test_again_when_packages_came(self):
        self.configure()
        self.installed("compiler=1", "benchmark=2")
        self.assertEqual(["configure --clearcache TOP/build", "setup --reconfigure TOP/build TOP"], self.configure())
        self.assertEqual([], self.configure())

    def test_anew_with_other_options(self):
        self.configure("-Da=1")
        self.assertEqual(["setup TOP/build TOP -Da=2"], self.configure("-Da=2"))

    def test_on_after_an_interruption(self):
        self.configure()
        (self.top / "build/.configured").unlink()
        self.assertEqual(["setup --reconfigure TOP/build TOP"], self.configure())
        self.assertEqual([], self.configure())


if __name__ == "__main__":
    unittest.main()
