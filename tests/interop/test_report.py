#!/usr/bin/env python3
"""The pages that `floe timeline --html` writes of a recovery and `floe drill run --report` of a drill, looked at with a browser."""
import json
import signal
import subprocess
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


STORY = """# A holder, <b>a lost node</b>, and a node that hangs.
attach locking.tdb brlock.tdb
workload db=locking.tdb,brlock.tdb clients=6 keys=6 mix=write,read,move
client smbd on 0
smbd lock locking.tdb held
kill 1
wait 150ms
smbd unlock locking.tdb held
within 5s: normal
start 1
within 5s: normal
pause 2
wait 150ms
resume 2
within 5s: normal
wait 100ms
expect node 1 disconnected
"""


class DrillPage(unittest.TestCase):
    """Its last line cannot be true, so that there is a failure to be seen."""

    @classmethod
    def setUpClass(cls):
        place = sandbox.directory("drill")
        cls.file, script, record = place / "page.html", place / "x.drill", place / "record.json"
        script.write_text(STORY)
        done = subprocess.run([cli.FLOE, "drill", "run", script, "--report", cls.file, "--record", record], capture_output=True,
                              text=True, timeout=60)
        if done.returncode != 4:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr}{done.stdout}")
        cls.record = json.loads(record.read_text())
        cls.two = place / "two.html"
        subprocess.run([cli.FLOE, "drill", "compare", record, record, "--html", cls.two], check=True, capture_output=True, timeout=60)

    def test_page_stands_alone(self):
        page = self.file.read_text()
        self.assertNotRegex(page, r"""(src|href)=["']|@import|url\(""")
        self.assertNotIn("@include", page)

    @unittest.skipIf(browser.why_not(), browser.why_not())
    def test_in_a_browser(self):
        with browser.Page(self.file) as page:
            page.wait_for("return document.querySelectorAll('.span').length > 0", "the timeline is drawn")
            self.assertIn("failed", page.text("#verdict"))
            self.assertIn("is not disconnected", page.text("#about"))
            self.assertIn("<b>a lost node</b>", page.text("#story"))
            self.assertIn("17: expect node 1 disconnected", page.text("#checks .bad ~ td ~ td"))
            labels = page.run("return [...document.querySelectorAll('#chart text')].map(t => t.firstChild.textContent)")
            self.assertLessEqual({"locking.tdb", "brlock.tdb", "node 0", "node 1", "node 2", "leader", "kill 1", "pause 2", "operations",
                                  "waiting"}, set(labels))
            self.assertIn(": failed", page.run("return document.title"))
            for width in (1300, 600):
                page.resize(width)
                page.wait_for(f"return innerWidth <= {width}", "the window has its width")
                room = page.run("return document.getElementById('chart').clientWidth")
                boxes = page.run("return [...document.querySelectorAll('#chart .fault-name')].map(t => { const b = t.getBBox(); "
                                 "return [b.y, b.x, b.x + b.width]; })")
                self.assertTrue(boxes)
                self.assertTrue(all(0 <= begin and end <= room for _, begin, end in boxes), (room, boxes))
                boxes.sort()
                self.assertTrue(all(a[0] != b[0] or a[2] <= b[1] for a, b in zip(boxes, boxes[1:])), boxes)
                # neither do marks lie on the names of bars
                lying = page.run("const box = t => t.getBBox(); const names = [...document.querySelectorAll('#chart .span-name')].map(box);"
                                 "return [...document.querySelectorAll('#chart .mark')].map(box).filter(m => names.some(n => "
                                 "Math.abs(n.y - m.y) < 5 && m.x + 1 < n.x + n.width && n.x < m.x + m.width - 1)).length")
                self.assertEqual(0, lying)
            page.resize(1300)
            # the length is that of the command line: from the drill's beginning, not from that of the picture
            lasted = (self.record["to_us"] - self.record["zero_us"]) / 1e6
            self.assertIn(f" · {lasted:.1f} s", page.text("#about"))
            self.assertEqual(2, page.run("return document.querySelectorAll('#chart .window').length"))

            for pointed, said in ((".span.freezing", "locking.tdb, node 0: freezing for"), (".span.down", "node 1: down for"),
                                  (".span.paused", "node 2: paused for"), (".use.holds", "smbd holds the lock of locking.tdb/held on node 0"),
                                  (".fault-name", "Fault: ")):
                page.point_at(pointed)
                self.assertIn(said, page.text("#explain"))

            page.point_at("#about")  # what is pointed at is explained whenever the chart is drawn anew
            page.run("document.getElementById('chart').focus()")
            page.press("n")
            page.wait_for("return /for .* from /.test(document.getElementById('explain').textContent)", "the first part is explained")
            first = page.text("#explain")
            self.assertRegex(first, "for .* from ")
            page.press("n")
            self.assertNotEqual(first, page.text("#explain"))
            page.press("p")
            self.assertEqual(first, page.text("#explain"))
            page.press("+")
            page.press("0")

            self.assertRegex(page.text("#unavailable"), "locking.tdb.*kill 1")
            self.assertIn("smbd", page.text("#trace"))
            page.press("/")
            for letter in "freeze-state freezing":
                page.press(letter)
            found = page.run("return [...document.querySelectorAll('#trace tr')].map(r => r.textContent)")
            self.assertTrue(found)
            self.assertTrue(all("freeze-state" in line and "freezing" in line for line in found))
            page.run("document.querySelector('#chips button').click()")
            self.assertIn("kill 1", page.text("#trace"))
            self.assertEqual([], page.complaints())

    @unittest.skipIf(browser.why_not(), browser.why_not())
    def test_two_in_a_browser(self):
        with browser.Page(self.two) as page:
            drawn = "return [...document.querySelectorAll('iframe')].map(f => f.contentDocument.querySelectorAll('.span').length)"
            page.wait_for(f"{drawn.replace('return ', 'const all = ')}; return all.every(n => n > 0)", "both runs are drawn")
            self.assertEqual(1, len(set(page.run(drawn))))
            self.assertIn("locking.tdb not available, longest", page.text("#figures"))
            self.assertEqual([], page.complaints())

    def test_record(self):
        worst = {one["db"]: one["longest_us"] for one in self.record["unavailable"]}
        self.assertGreater(worst["locking.tdb"], 100_000)
        self.assertLess(worst["brlock.tdb"], worst["locking.tdb"] / 2)
        self.assertEqual(["kill 1", "pause 2"], [fault["what"] for fault in self.record["faults"]])
        self.assertTrue(sum(self.record["throughput"]["done"]) > 50)


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
