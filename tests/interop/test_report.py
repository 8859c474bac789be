#!/usr/bin/env python3
"""The page that `floe timeline --html` writes of a recovery, looked at with a browser."""
import json
import signal
import unittest

import sandbox

sandbox.enter()

import browser  # noqa: E402
import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import floe_cli as cli  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe"))
        for db in ("locking.tdb", "brlock.tdb"):
            cli.attach(cls.nodes[0], db)
            cli.write(cls.nodes[0], db, "key", "value")
        held = cli.HeldLock(cls.nodes[0], "locking.tdb", "key")
        until(lambda: held.granted, "the lock is granted")
        cls.nodes[1].signal(signal.SIGKILL)
        until(lambda: cli.freeze_state(cls.nodes[0], "locking.tdb") == "freezing", "locking.tdb waits for its holder")
        until(lambda: cli.freeze_state(cls.nodes[0], "brlock.tdb") == "thawed", "brlock.tdb is back")
        held.release()
        until(lambda: cli.status(cls.nodes[0])[1] == "NORMAL", "the recovery has ended")
        cls.file = sandbox.directory("page") / "page.html"
        cls.perfetto = cls.file.with_name("trace.json")
        told = cli.run(cls.nodes[0], "timeline", "--html", cls.file, "--perfetto", cls.perfetto)
        cls.rows = told["rows"]

    def test_perfetto(self):
        events = json.loads(self.perfetto.read_text())["traceEvents"]
        spans = [(event["name"], event["dur"]) for event in events if event["ph"] == "X"]
        self.assertIn("freezing", dict(spans))
        self.assertTrue(all(duration >= 0 for _, duration in spans))

    def test_page_stands_alone(self):
        page = self.file.read_text()
        self.assertNotRegex(page, r"""(src|href)=["']""")
        self.assertEqual(1, page.count('<script type="application/json"'))

    @unittest.skipIf(browser.why_not(), browser.why_not())
    def test_in_a_browser(self):
        with browser.Page(self.file) as page:
            page.wait_for("return document.querySelectorAll('.span').length > 0", "the timeline is drawn")
            databases = {row["db"] for row in self.rows if row["db"]}
            labels = page.run("return [...document.querySelectorAll('#chart text')].map(t => t.textContent)")
            self.assertLessEqual(databases, set(labels))

            page.point_at(".span.freezing")
            self.assertIn("locking.tdb, node 0: freezing for", page.text("#explain"))
            self.assertIn("waits for clients that hold record locks", page.text("#explain"))

            page.run("document.getElementById('chart').focus()")
            page.press("n")
            self.assertIn("span", page.run("return document.activeElement.getAttribute('class')"))
            first = page.text("#explain")
            page.press("n")
            self.assertNotEqual(first, page.text("#explain"))
            ticks = "return [...document.querySelectorAll('.tick')].map(t => t.textContent).join()"
            whole = page.run(ticks)
            page.press("+")
            self.assertNotEqual(whole, page.run(ticks))
            page.press("0")
            self.assertEqual(whole, page.run(ticks))

            lines = page.run("return document.querySelectorAll('#trace tr').length")
            page.press("/")
            for letter in "freeze-state":
                page.press(letter)
            found = page.run("return [...document.querySelectorAll('#trace tr')].map(r => r.textContent)")
            self.assertTrue(0 < len(found) < lines)
            self.assertTrue(all("freeze-state" in line for line in found))
            self.assertIn("locking.tdb", page.text("#unavailable"))
            self.assertEqual([], page.complaints())


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
