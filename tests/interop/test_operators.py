#!/usr/bin/env python3
"""Plays cli/service/operators.md: every situation on three nodes of its own; what the commands print is what the page shows.

played_page.py says how a page is read. Comments: `play: COMMAND` is run, `until: COMMAND` again and again until it succeeds,
`at: N` the rest on node N. Commands that only look are run until they print what the page shows: a cluster that has just lost or
won a node passes through states that no page has room for."""
import os
import pathlib
import re
import shutil
import subprocess
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402
import tap  # noqa: E402
from played_page import matches, steps  # noqa: E402
from wait import until  # noqa: E402

PAGE = pathlib.Path(__file__).resolve().parents[2] / "cli" / "service" / "operators.md"
LOOKS = re.compile(r"floe (-n \S+ )?(nodestatus|health|doctor|recovery status|locks|check-config|timeline|status|leader|pfetch|ping)\b")
LOOK_S = 60
FUNCTIONS = r"""
floe() { "$FLOE" "$@"; }
address() { sed -n "$(($1 + 1))p" "$C/node.0/nodes" | tr -d '#'; }
cut() {  # nothing goes from or to this node any more
  ip rule add pref 100 lookup local && ip rule del pref 0 &&
    ip rule add pref 10 from "$(address "$1")" prohibit && ip rule add pref 11 to "$(address "$1")" prohibit
}
heal() { ip rule del pref 10; ip rule del pref 11; }
"""


def sections():
    """{heading: its text}"""
    parts = re.split(r"^## (.*)$", PAGE.read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


class Situations(unittest.TestCase):
    def play(self, text):
        if "play: cut" in text and not self.can_cut():
            self.skipTest("networks cannot be cut here (iproute2, and namespaces)")
        with cluster.running(cluster.FloeCluster(3)) as nodes:
            at = {"FLOE": cluster.FLOE, "C": str(nodes.directory), "CTDB_BASE": str(nodes[0].base)}

            def run(command):
                return subprocess.run(["bash", "-c", FUNCTIONS + command], env={**os.environ, **at}, capture_output=True, text=True,
                                      stdin=subprocess.DEVNULL, timeout=120)
            run("floe attach locking.tdb && floe attach config.tdb persistent")
            for kind, what, output in steps(text):
                if kind == "at":
                    at["CTDB_BASE"] = str(nodes[int(what)].base)
                elif kind == "until":
                    until(lambda what=what: run(what).returncode == 0, what, 60)
                elif kind == "play":
                    played = subprocess.run(["bash", "-c", FUNCTIONS + what], env={**os.environ, **at}, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, timeout=120)
                    self.assertEqual(played.returncode, 0, what)
                else:
                    self.compare(run, what, output)

    def compare(self, run, what, output):
        deadline = time.monotonic() + (LOOK_S if LOOKS.match(what) else 0)
        while True:
            told = run(what)
            printed = (told.stdout + told.stderr).rstrip("\n").splitlines()
            if matches(output, printed):
                return
            self.assertLess(time.monotonic(), deadline,
                            f"$ {what}\n" + "\n".join(printed) + "\n--- the page has\n" + "\n".join(output))
            time.sleep(0.2)

    @staticmethod
    def can_cut():
        return os.environ.get(sandbox.INSIDE) == "namespaces" and shutil.which("ip") is not None

    def test_the_page_is_whole(self):
        self.assertEqual(len(sections()), 10)
        for heading, text in sections().items():
            self.assertTrue(any(kind == "command" for kind, _, _ in steps(text)), heading)


def add_tests():
    for heading, text in sections().items():
        name = "test_" + re.sub(r"\W+", "_", heading.lower()).strip("_")
        setattr(Situations, name, lambda self, text=text: self.play(text))


add_tests()

if __name__ == "__main__":
    if why := cluster.FLOE is None and "the environment variable FLOE names no program":
        tap.skip_all(why)
    tap.main()
