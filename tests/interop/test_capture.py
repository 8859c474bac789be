#!/usr/bin/env python3
"""floe capture between Debian's unmodified `ctdb` tool and a ctdbd: nobody notices, and what was recorded is true.

Each run records a fresh session, so the codec is compared with what the installed ctdbd says, not only with captures.
"""
import json
import signal
import socket
import subprocess
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import tap  # noqa: E402
from wait import until  # noqa: E402
from wire import GET_PID, PING, Closed, Connection, control  # noqa: E402

COMMANDS = (
    ["status"], ["nodestatus", "all"], ["pnn"], ["ping"], ["uptime"], ["listnodes"], ["runstate"], ["getcapabilities"],
    ["getdbmap"], ["attach", "recorded.tdb"], ["attach", "kept.tdb", "persistent"],
    ["writekey", "recorded.tdb", "a-key", "a value"], ["readkey", "recorded.tdb", "a-key"],
    ["pstore", "kept.tdb", "another", __file__], ["pfetch", "kept.tdb", "another"],
    ["catdb", "recorded.tdb"], ["cattdb", "kept.tdb"], ["getdbstatus", "recorded.tdb"], ["dbstatistics", "recorded.tdb"],
    ["statistics"], ["stats", "2"], ["listvars"], ["getvar", "ControlTimeout"], ["getdebug"], ["getpid"], ["leader"],
    ["ip"], ["ifaces"], ["recover"], ["wipedb", "recorded.tdb"],
)


class Capture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("ctdbd", nodes=2))

    def setUp(self):
        self.directory = sandbox.directory("capture")
        self.listen, self.out = self.directory / "socket", self.directory / "session.jsonl"
        self.process = subprocess.Popen(
            [cluster.FLOE, "capture", "--listen", self.listen, "--connect", self.nodes[0].socket, "--out", self.out],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.kill)
        until(self.accepts, "floe capture listens", 10)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def accepts(self):
        self.assertIsNone(self.process.poll(), "floe capture has ended")
        with socket.socket(socket.AF_UNIX) as trial:
            return trial.connect_ex(str(self.listen)) == 0

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        self.assertEqual(0, self.process.returncode, errors)
        self.assertFalse(self.listen.exists())
        return [json.loads(line) for line in self.out.read_text().splitlines()]

    def check(self):
        result = subprocess.run([cluster.FLOE, "decode", "--check", self.out], capture_output=True, text=True, timeout=60)
        self.assertEqual(0, result.returncode, result.stdout[-4000:] + result.stderr)

    def ctdb(self, *arguments):
        return subprocess.run([cluster.CTDB, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                              env={**self.nodes[0].environment, "CTDB_SOCKET": str(self.listen)})

    def test_the_tool_through_it(self):
        for command in COMMANDS:
            with self.subTest(command=" ".join(command)):
                through = self.ctdb(*command)
                direct = self.nodes[0].ctdb(*command)
                self.assertEqual(direct.returncode, through.returncode, through.stderr)
                if command[0] in ("pnn", "listnodes", "getdbmap", "readkey", "pfetch", "listvars", "getpid", "catdb"):
                    self.assertEqual(direct.stdout, through.stdout)
        lines = self.end()
        self.check()
        said = {line["control_name"] for line in lines if line["control_name"]}
        self.assertLessEqual({"GET_PNN", "GET_NODEMAP", "GET_DBMAP", "DB_ATTACH", "STATISTICS", "TRANS3_COMMIT", "GETVNNMAP",
                              "GET_DB_STATISTICS", "GET_STAT_HISTORY", "TRAVERSE_START_EXT", "LIST_TUNABLES"}, said)
        print(f"# {len(lines)} packets, {len(said)} different controls")
        self.assertLessEqual({"REQ_CONTROL", "REPLY_CONTROL", "REQ_CALL", "REPLY_CALL", "REQ_MESSAGE"},
                             {line["op"] for line in lines})
        ids = {line["id"]: line for line in lines}
        self.assertEqual(len(lines), len(ids))
        for line in lines:
            if line["op"] == "REPLY_CONTROL":
                request = ids[line["reply_to"]]
                self.assertEqual((request["control"], request["channel"], request["fields"]["reqid"]),
                                 (line["control"], line["channel"], line["fields"]["reqid"]))
            self.assertEqual("daemon->client" if line["op"].startswith("REPLY") else line["dir"], line["dir"])
        self.assertEqual(sorted(line["t"] for line in lines), [line["t"] for line in lines])

    def test_several_clients_at_once(self):
        connections = [Connection.to_socket(self.listen) for _ in range(20)]
        for connection in connections:  # the same reqids, all open
            connection.send(control(PING, reqid=7) + control(GET_PID, reqid=8))
        for connection in connections:
            self.assertEqual({7, 8}, {connection.receive(10).reqid for _ in range(2)})
            connection.close()
        lines = self.end(signal.SIGINT)
        self.check()
        answered = [line for line in lines if line["op"] == "REPLY_CONTROL"]
        self.assertEqual(40, len(answered))
        self.assertEqual(20, len({line["channel"] for line in answered}))
        self.assertEqual(20, sum(line["control_name"] == "PING" for line in answered))

    def test_garbage_is_passed_on_and_recorded_as_broken(self):
        with Connection.to_socket(self.listen) as connection:
            connection.send(control(PING, magic=0x11111111) + control(PING, reqid=2))
            self.assertEqual(2, connection.receive(10).reqid)  # ctdbd skips the first
            connection.send(bytes(4))  # a length that ends the connection
            with self.assertRaises(Closed):
                connection.receive(10)
        lines = self.end()
        self.check()
        self.assertEqual([None, "REQ_CONTROL", "REPLY_CONTROL", None], [line["op"] for line in lines])
        self.assertEqual([line["fields"] is None for line in lines], [True, False, False, True])

    def test_a_path_that_is_taken(self):
        result = subprocess.run([cluster.FLOE, "capture", "--listen", self.listen, "--connect", self.nodes[0].socket],
                                capture_output=True, text=True, timeout=20)
        self.assertEqual(1, result.returncode)
        self.assertIn("listens", result.stderr)
        self.assertEqual([], [line for line in self.end() if line["op"]])


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
