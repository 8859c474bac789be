#!/usr/bin/env python3
"""What watches a node: its metrics as Prometheus has them, probes, `floe health`, scripts that are told, and the dashboard
and alert rules that name only what there is."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import unittest
import urllib.parse
import urllib.request

import sandbox

sandbox.enter()

import tap  # noqa: E402
from single_node import Node, floe  # noqa: E402
from wait import until  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SERVICE = HERE.parents[1] / "cli" / "service"
PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
FLOE, LAUNCHER = os.environ.get("FLOE"), os.environ.get("FLOE_LAUNCHER")
PORT = "[floe]\nport = 4379\n"


def promtool(*arguments, text=None, cwd=None):
    return subprocess.run([PROMTOOL, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=60, cwd=cwd)


class Page:
    """What a node serves over HTTP; where, it says in its log."""

    def __init__(self, node):
        found = until(lambda: re.search(r"metrics.* listen=(\S+)", node.log), "the node says where its metrics are", 30)
        self.host, _, port = found[1].rpartition(":")
        self.port = int(port)

    def ask(self, path, method="GET", body=None):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def table():
    return json.loads(floe("metrics", "--json").stdout)["metrics"]


class A1Endpoint(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node(cls.addClassCleanup, PORT + "metrics = 127.0.0.1:0\n")
        cls.page = Page(cls.node)
        until(lambda: cls.page.ask("/readyz")[0] == 200, "the node is ready", 30)
        floe("--base", cls.node.base, "attach", "some \"odd\" name\n.tdb")
        floe("--base", cls.node.base, "attach", b"not \xff utf8.tdb")
        floe("--base", cls.node.base, "attach", "locking.tdb").check_returncode()

    def test_every_row_of_the_table_and_nothing_else(self):
        status, text = self.page.ask("/metrics")
        self.assertEqual(status, 200)
        shown = set(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        self.assertEqual(shown, {(row["name"], row["kind"]) for row in table()})
        self.assertIn('floe_db_records{db="locking.tdb"} 0', text)
        self.assertIn("floe_ready 1", text)

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_as_prometheus_wants_them(self):
        judged = promtool("check", "metrics", text=self.page.ask("/metrics")[1])
        self.assertEqual((judged.returncode, judged.stderr), (0, ""))

    def test_what_was_done_is_counted(self):
        def granted():
            return float(re.search(r"^floe_lock_wait_seconds_count (\S+)$", self.page.ask("/metrics")[1], re.M)[1])
        before = granted()
        floe("--base", self.node.base, "writekey", "locking.tdb", "a", "b").check_returncode()
        self.assertGreater(granted(), before)

    def test_probes(self):
        self.assertEqual(self.page.ask("/livez"), (200, "alive\n"))
        status, text = self.page.ask("/readyz?verbose")
        self.assertEqual(status, 200)
        self.assertIn("[+] leader: node 0", text)
        self.assertEqual(self.page.ask("/readyz"), (200, "ready\n"))

    def test_other_questions(self):
        self.assertEqual(self.page.ask("/nosuch")[0], 404)
        self.assertEqual(self.page.ask("/metrics", "DELETE")[0], 405)
        with self.assertRaises((http.client.HTTPException, OSError)):
            self.page.ask("/metrics", "POST", "a body")

    def test_nobody_keeps_it_from_others(self):
        """Those who say nothing, half of something, or nonsense get no more than their share of connections."""
        silent = []
        self.addCleanup(lambda: [s.close() for s in silent])
        for said in (b"", b"GET /metr", b"\x00\xff" * 100, b"GET / HTTP/1.1\r\n" + b"x" * 50_000) * 2:
            s = socket.create_connection((self.page.host, self.page.port))
            silent.append(s)
            with contextlib.suppress(OSError):
                s.sendall(said)
        self.assertEqual(self.page.ask("/livez")[0], 200)
        self.assertEqual(floe("--base", self.node.base, "ping").returncode, 0)


class B1Health(unittest.TestCase):
    def test_ready_and_not(self):
        node = Node(self.addCleanup, PORT + "metrics = 127.0.0.1:0\n")
        page = Page(node)
        health = lambda *more: floe("--base", node.base, "health", *more)  # noqa: E731
        until(lambda: health().returncode == 0, "healthy", 30)
        floe("--base", node.base, "attach", "a.tdb").check_returncode()
        until(lambda: health("--db", "a.tdb").returncode == 0, "its database, too", 10)
        self.assertEqual(health("--db", "nosuch.tdb").returncode, 1)
        floe("--base", node.base, "stop")
        self.assertEqual(health().returncode, 4)
        told = json.loads(health("--json").stdout)
        self.assertFalse(told["ready"])
        self.assertIn("flags", [check["name"] for check in told["checks"] if not check["good"]])
        status, text = page.ask("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("[-] flags: node 0 was stopped by an operator", text)
        self.assertEqual(page.ask("/livez")[0], 200)
        floe("--base", node.base, "continue")
        until(lambda: page.ask("/readyz")[0] == 200, "ready again", 30)

    @unittest.skipUnless(LAUNCHER, "FLOE_LAUNCHER names no program")
    def test_what_is_installed_says_the_same(self):
        """It answers simple questions by itself and leaves the others to the program; nobody can tell which."""
        node = Node(self.addCleanup, PORT)
        base = ("--base", node.base)
        until(lambda: floe(*base, "health").returncode == 0, "healthy", 30)
        floe(*base, "attach", "a.tdb").check_returncode()

        def told(program, *words):
            done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
            without_ages = [re.sub(r"[\d.]+ (ms|s|min)\b", "AGE", text) for text in (done.stdout, done.stderr)]
            return done.returncode, re.sub("  +", "  ", without_ages[0]), without_ages[1]

        def same(*words):
            self.assertEqual(told(FLOE, *words), told(LAUNCHER, *words), words)
        for more in ((), ("--json",), ("--db", "a.tdb"), ("--db", "a.tdb", "--json"), ("--db", "atdb"), ("--nonsense",), ("--help",)):
            same(*base, "health", *more)
        floe(*base, "disable")
        same(*base, "health")
        for words in ((*base, "pnn"), ("--version",), ("helth",), ("--base", "/nonexistent", "health"), (*base, "-t", "5s", "health")):
            same(*words)

    def test_little_is_loaded_at_a_start(self):
        """Commands are started often, by scripts and probes; what each of them loads costs more than what it does."""
        for program, most in ((FLOE, 12), (LAUNCHER, 0)):
            if program:
                loaded = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=20).stdout.splitlines()
                self.assertLessEqual(len([line for line in loaded if "san.so" not in line]), most + 1, loaded)

    def test_a_unix_socket(self):
        place = sandbox.directory("m") / "metrics"
        place.touch()
        place.unlink()
        left_over = socket.socket(socket.AF_UNIX)
        left_over.bind(str(place))
        left_over.close()
        node = Node(self.addCleanup, PORT + f"metrics = unix:{place}\n")
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(str(place))
            s.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: s.recv(4096), b""))
        self.assertTrue(answer.endswith(b"alive\n"), answer)
        node.process.terminate()
        self.assertEqual(node.process.wait(20), 0)
        self.assertFalse(place.exists())

    def test_only_this_machine(self):
        for place in ("0.0.0.0:9437", "192.0.2.1:9437", "9437", "unix:relative", "127.0.0.1:99999", "[::]:1"):
            base = sandbox.directory("s")
            (base / "nodes").write_text("127.0.0.1\n")
            (base / "ctdb.conf").write_text(f"[floe]\nmetrics = {place}\n")
            with self.subTest(place=place):
                self.assertEqual(floe("check-config", base).returncode, 4)

    def test_a_place_that_is_taken_ends_the_node(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        base = sandbox.directory("s")
        (base / "nodes").write_text("127.0.0.1\n")
        (base / "ctdb.conf").write_text(PORT + f"metrics = 127.0.0.1:{taken.getsockname()[1]}\n")
        self.assertEqual(floe("node", "--base", base).returncode, 1)
        self.assertIn("Address already in use", (base / "log.ctdb").read_text())


class C1Notify(unittest.TestCase):
    def test_scripts_are_told(self):
        def prepare(base):
            scripts = base / "events" / "notification"
            scripts.mkdir(parents=True)
            for name, mode in (("10.tell.script", 0o755), ("20.off.script", 0o644), ("30.readme", 0o755)):
                (scripts / name).write_text(f'#!/bin/sh\necho "$1" >> {base}/told.{name[:2]}\n')
                (scripts / name).chmod(mode)
        node = Node(self.addCleanup, PORT, prepare=prepare)
        told = lambda: (node.base / "told.10").read_text().split() if (node.base / "told.10").exists() else []  # noqa: E731
        until(lambda: told() == ["init", "setup", "startup", "healthy"], "told of its start", 30)
        floe("--base", node.base, "disable")
        until(lambda: told()[4:] == ["unhealthy"], "told that it is disabled", 20)
        floe("--base", node.base, "enable")
        until(lambda: told()[4:] == ["unhealthy", "healthy"], "told that it is well again", 20)
        self.assertFalse((node.base / "told.20").exists() or (node.base / "told.30").exists())


class D1Files(unittest.TestCase):
    @staticmethod
    def names_in(text):
        return {re.sub(r"_(bucket|sum|count)$", "", name) if "lock_wait" in name else name for name in re.findall(r"\bfloe_\w+", text)}

    def test_dashboard_and_alerts_name_what_there_is(self):
        there = {row["name"] for row in table()}
        dashboard = json.loads((SERVICE / "grafana.json").read_text())
        asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
        for name, text in (("grafana.json", asked), ("alerts.yml", (SERVICE / "alerts.yml").read_text())):
            with self.subTest(file=name):
                self.assertTrue(self.names_in(text))
                self.assertEqual(self.names_in(text) - there, set())

    def test_the_page_has_the_table(self):
        self.assertIn(floe("metrics", "--markdown").stdout, (SERVICE / "metrics.md").read_text(),
                      "floe metrics --markdown, into cli/service/metrics.md")

    def test_the_dashboard_is_one(self):
        dashboard = json.loads((SERVICE / "grafana.json").read_text())
        panels = dashboard["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = [(x, y) for panel in panels for place in [panel["gridPos"]]
                 for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
        self.assertEqual(len(set(taken)), len(taken), "no panel lies on another")
        self.assertLess(max(x for x, _ in taken), 24)
        variables = {one["name"] for one in dashboard["templating"]["list"]}
        self.assertEqual(set(re.findall(r"\$\{?(\w+)", json.dumps(panels))), variables)

    @unittest.skipUnless(PROMETHEUS, "prometheus is not installed")
    def test_prometheus_itself(self):
        """It scrapes a node, evaluates the rules, and answers every question of the dashboard."""
        node = Node(self.addCleanup, PORT + "metrics = 127.0.0.1:0\n")
        page = Page(node)
        until(lambda: page.ask("/readyz")[0] == 200, "the node is ready", 30)
        floe("--base", node.base, "attach", "locking.tdb").check_returncode()
        place = sandbox.directory("p")
        (place / "prometheus.yml").write_text(
            f"global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}\nrule_files: [{SERVICE}/alerts.yml]\n"
            f"scrape_configs:\n- {{job_name: floe, static_configs: [{{targets: ['{page.host}:{page.port}']}}]}}\n")
        server = subprocess.Popen([PROMETHEUS, f"--config.file={place}/prometheus.yml", f"--storage.tsdb.path={place}/data",
                                   "--web.listen-address=127.0.0.1:9090"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)

        def ask(what, **more):
            asked = f"http://127.0.0.1:9090/api/v1/{what}?{urllib.parse.urlencode(more)}"
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return json.load(answer)["data"]

        def value(expression):
            with contextlib.suppress(OSError):
                result = ask("query", query=expression)["result"]
                return float(result[0]["value"][1]) if result else None
        until(lambda: value("count_over_time(floe_ready[1m])") and value("count_over_time(floe_ready[1m])") > 5, "it has scraped", 40)
        self.assertEqual(value('max_over_time(up{job="floe"}[1m])'), 1)
        dashboard = json.loads((SERVICE / "grafana.json").read_text())
        empty = []
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                with self.subTest(panel=panel["title"]):
                    found = ask("query", query=target["expr"].replace("$instance", ".+"))["result"]
                    if not found:
                        empty.append(panel["title"])
        # where all is well nothing fails; and nobody has waited, lost a node, recovered for a second time
        self.assertNotIn("Ready", empty)
        self.assertIn("Checks that fail", empty)
        self.assertLess(len(empty), len(dashboard["panels"]) // 2, empty)
        rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
        self.assertGreater(len(rules), 10)
        self.assertEqual([rule["name"] for rule in rules if rule["health"] != "ok" or rule["state"] == "firing"], [])

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_alert_rules(self):
        judged = promtool("check", "rules", SERVICE / "alerts.yml")
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)
        stories = sandbox.directory("a") / "stories.yml"
        stories.write_text((HERE / "alerts_test.yml").read_text().replace("ALERTS", str(SERVICE / "alerts.yml")))
        judged = promtool("test", "rules", stories)
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)


if __name__ == "__main__":
    tap.main()
