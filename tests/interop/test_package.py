#!/usr/bin/env python3
"""What Debian packages are made of (cli/package), without building them: every file that an installation writes belongs to one
package, every rule finds its files, names and versions agree, and the scripts are scripts. cli/package builds them."""
import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import tap

TOP = pathlib.Path(__file__).resolve().parents[2]
PACKAGING = TOP / "cli" / "package.d"
DEBIAN = PACKAGING / "debian"
BUILD = os.environ.get("FLOE_BUILD")


def paragraphs(text):
    """Of a control file: each a dict, names in lower case, folded lines joined."""
    for part in re.split(r"\n\s*\n", text.strip()):
        fields = {}
        for line in part.splitlines():
            if line.startswith("#"):
                continue
            if line[0] in " \t":
                fields[name] += "\n" + line.strip()
            else:
                name, _, value = line.partition(":")
                name = name.lower()
                fields[name] = value.strip()
        yield fields


def names(relations):
    """Package names in a list of relations, without versions, architectures and substitutions."""
    found = [re.match(r"\s*([a-z0-9][a-z0-9.+-]*)", one) for one in relations.replace("\n", " ").split(",")]
    return {one[1] for one in found if one}


CONTROL = list(paragraphs((DEBIAN / "control").read_text()))
SOURCE, BINARY = CONTROL[0], {p["package"]: p for p in CONTROL[1:]}


def installs():
    """(package, pattern) of every line of debian/PACKAGE.install; what is moved elsewhere comes by its first word."""
    for package in BINARY:
        rules = DEBIAN / f"{package}.install"
        for line in rules.read_text().splitlines() if rules.exists() else []:
            if line.strip():
                yield package, line.split()[0]


def covers(pattern, path):
    """As debhelper has it: a folder stands for what is in it."""
    parts = path.split("/")
    return any(fnmatch.fnmatchcase("/".join(parts[:n]), pattern) for n in range(1, len(parts) + 1))


class Files(unittest.TestCase):
    def test_source(self):
        self.assertEqual(SOURCE["source"], "floe")
        project = re.search(r"project\('floe'.*?version: '([^']+)'", (TOP / "meson.build").read_text())[1]
        top_entry = re.match(r"floe \(([^)]+)\) \S+; urgency=", (DEBIAN / "changelog").read_text())
        self.assertEqual(top_entry[1], project, "debian/changelog and meson.build have one version")
        licence = re.sub(r"\s+", " ", (TOP / "LICENSE").read_text()).strip()
        copied = re.sub(r"^ \.?", "", (DEBIAN / "copyright").read_text().split("License: Expat\n")[-1], flags=re.M)
        self.assertEqual(re.sub(r"\s+", " ", copied).strip(), licence)

    def test_what_is_needed_to_build_is_what_the_project_installs(self):
        kinds = [line.split()[:2] for line in (TOP / "tests" / "packages.txt").read_text().splitlines() if re.match(r"[a-z]", line)]
        project = {name for kind, name in kinds if kind == "build"} - {"ccache", "ninja-build"}  # the cache; it comes with meson
        package = names(SOURCE["build-depends"]) - {"debhelper-compat", "python3"}
        as_called_there = {"pkg-config": "pkgconf"}
        self.assertEqual({as_called_there.get(n, n) for n in project}, package)

    def test_every_file_speaks_of_a_package_that_there_is(self):
        self.assertEqual(set(BINARY), {"floe", "libfloe-async0", "libfloe-client0", "libfloe-client-dev", "floe-samba", "floe-doc"})
        for one in DEBIAN.iterdir():
            if one.is_file() and "." in one.name:
                with self.subTest(file=one.name):
                    self.assertTrue(any(one.name.startswith(package + ".") for package in BINARY))
        for package, fields in BINARY.items():
            with self.subTest(package=package):
                self.assertTrue(fields["description"].partition("\n")[0])
                self.assertIn("${misc:Depends}", fields["depends"])
                ours = {n for n in names(fields["depends"]) if n.startswith(("floe", "libfloe"))}
                self.assertLessEqual(ours, set(BINARY))
        for folder, library in ("clib", "client"), ("async", "async"):
            # the version of the library in its name is that of its soname
            version = re.search(r"soversion: '?(\d+)", (TOP / "actors" / folder / "meson.build").read_text())[1]
            self.assertIn(f"libfloe-{library}{version}", BINARY)

    def test_nothing_keeps_ctdb_from_being_there_too(self):
        for package, fields in BINARY.items():
            self.assertFalse({"conflicts", "breaks", "replaces"} & set(fields), package)

    def test_the_log_is_rotated_by_the_rule_that_is_read_first(self):
        name = next(DEBIAN.glob("floe.*.logrotate")).name.split(".")[1]
        self.assertLess(name, "ctdb")
        self.assertIn(f"dh_installlogrotate --name={name}", (DEBIAN / "rules").read_text())

    def test_tests_of_the_packages(self):
        listed = [p["tests"] for p in paragraphs((DEBIAN / "tests" / "control").read_text())]
        there = {p.name for p in (DEBIAN / "tests").iterdir()} - {"control"}
        self.assertEqual(set(listed), there)

    def test_scripts_are_scripts(self):
        scripts = [TOP / "cli" / "package", PACKAGING / "play", PACKAGING / "with_systemd", PACKAGING / "play_containers", PACKAGING / "three-nodes",
                   *(p for p in (DEBIAN / "tests").iterdir() if p.name != "control")]
        for script in scripts:
            with self.subTest(script=script.name):
                self.assertTrue(os.access(script, os.X_OK))
                shell = script.read_text().splitlines()[0].split("/")[-1].split()[-1]
                read = subprocess.run([shell, "-n", script], capture_output=True, text=True, timeout=20)
                self.assertEqual((read.returncode, read.stderr), (0, ""))
        self.assertTrue(os.access(DEBIAN / "rules", os.X_OK))
        told = subprocess.run([TOP / "cli" / "package", "--help"], capture_output=True, text=True, timeout=20)
        self.assertEqual(told.returncode, 0)
        self.assertIn("--twice", told.stdout)
        wrong = subprocess.run([TOP / "cli" / "package", "--nosuch"], capture_output=True, text=True, timeout=20)
        self.assertNotEqual(wrong.returncode, 0)


@unittest.skipUnless(BUILD and shutil.which("meson"), "FLOE_BUILD names no build directory, or there is no meson")
class Installed(unittest.TestCase):
    """A build directory installed into a folder, as dh_auto_install does it."""

    @classmethod
    def setUpClass(cls):
        place = tempfile.TemporaryDirectory(prefix="floe-install.")
        cls.addClassCleanup(place.cleanup)
        cls.root = pathlib.Path(place.name)
        made = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.root],
                              capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL)
        if made.returncode != 0:
            raise AssertionError(made.stdout + made.stderr)
        there = [str(p.relative_to(cls.root)) for p in cls.root.rglob("*") if not p.is_dir() or p.is_symlink()]
        # the packages have the prefix /usr, a build directory usually /usr/local
        cls.there = sorted(re.sub(r"^usr/local/", "usr/", path) for path in there)

    def test_every_rule_finds_something(self):
        for package, pattern in installs():
            with self.subTest(package=package, pattern=pattern):
                found = any(covers(pattern, path) for path in self.there) or any(TOP.glob(pattern))
                self.assertTrue(found, "\n".join(self.there))

    def test_every_file_belongs_to_one_package(self):
        owners = {path: [package for package, pattern in installs() if covers(pattern, path)] for path in self.there}
        self.assertEqual({path: who for path, who in owners.items() if len(who) != 1}, {})
        self.assertEqual(owners["usr/bin/floe"], ["floe"])
        self.assertEqual(owners["usr/share/man/man1/floe.1"], ["floe"])

    def test_the_unit_starts_the_program_that_is_installed(self):
        unit = next(self.root.rglob("floe.service")).read_text()
        program = re.search(r"^ExecStart=(\S+)", unit, re.M)[1]
        self.assertTrue((self.root / program.lstrip("/")).exists())
        self.assertIn("Conflicts=ctdb.service", unit)


if __name__ == "__main__":
    tap.main()
