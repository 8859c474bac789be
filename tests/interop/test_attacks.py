#!/usr/bin/env python3
"""A node goes on serving others whatever one client, one peer or one disk does to it, and says what it has refused.

Each test plays one attack for a few seconds: traverses that nobody reads, records that no packet would carry, locks by
the hundred thousand, a full disk, packets that no node asked for. Meanwhile somebody else's requests are answered, no
turn of a node's loop works for longer than TURN_MS, and afterwards what the attack took is given back.

Those in the folder attacks are played by `churn` as well, in turn, for as long as one likes.
"""
import contextlib
import os
import random
import select
import signal
import struct
import subprocess
import time
import unittest

import sandbox

sandbox.enter()

import attacks  # noqa: E402
import attacks.by_clients  # noqa: E402,F401
import attacks.by_peers  # noqa: E402,F401
import attacks.by_strangers  # noqa: E402,F401
import attacks.on_nodes  # noqa: E402,F401
import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import records  # noqa: E402
import tap  # noqa: E402
import wire  # noqa: E402
from node_status import status  # noqa: E402
from peer import Peer  # noqa: E402
from wait import until  # noqa: E402

TURN_MS = 200  # of work, in one turn of a node's loop
RECORD_SIZE_MAX = (64 << 20) - 4096  # key and data together
TRAVERSE_START, STATISTICS_RESET, TUNNEL_REGISTER = 20, 17, 152
NEVER = 0  # a lock request without a deadline


def lock_request(db, key, timeout_ms=NEVER):
    return struct.pack("=IIII", db, 0, timeout_ms, len(key)) + key


def pipelined(connection, packets, batch):
    """Sends controls `batch` at a time and yields their answers' (status, data, error) by reqid."""
    packets = list(packets)
    for first in range(0, len(packets), batch):
        part = packets[first:first + batch]
        connection.send(b"".join(part))
        for _ in part:
            answer = connection.receive(30)
            yield answer.reqid, answer.control_reply()


def fill(node, db, count, data):
    """That many records, written at this node; quickly."""
    with node.connect() as connection:
        locks = {}
        wanted = (wire.control(records.RECORD_LOCK, lock_request(db, b"k%06d" % i, 30000), reqid=i)
                  for i in range(count))
        for reqid, (code, answer, error) in pipelined(connection, wanted, 500):
            if code:
                raise RuntimeError(error)
            (size,) = struct.unpack_from("=I", answer, records.HEADER_BYTES)
            (locks[reqid],) = struct.unpack_from("=Q", answer, records.HEADER_BYTES + 4 + size)
        stores = (wire.control(records.RECORD_STORE, struct.pack("=QII", lock, 1, len(data)) + data, reqid=reqid)
                  for reqid, lock in locks.items())
        for _, (code, _, error) in pipelined(connection, stores, 500):
            if code:
                raise RuntimeError(error)


def stop(node):
    node.signal(signal.SIGTERM)
    until(lambda: node.pid is None, f"{node} stopped", 15)


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of that size on the folder, which a test may fill."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def on_small_disk(nodes, pnn, size):
    """The node starts again with its databases on such a file system."""
    folder = nodes[pnn].base / "db"
    stop(nodes[pnn])
    with small_disk(folder, size):
        for name in ("volatile", "persistent", "state"):
            (folder / name).mkdir()
        nodes.start_node(nodes[pnn])
        nodes.wait_healthy()
        yield folder


def fill_disk(folder):
    """To the last byte: in large pieces, then in small ones."""
    for piece in (1 << 16, 512, 1):
        with contextlib.suppress(OSError), open(f"{folder}/fill.{piece}", "wb", buffering=0) as file:
            while True:
                file.write(bytes(piece))


class Attacks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe"))
        cls.victim = cls.nodes[0]
        cls.pids = [node.pid for node in cls.nodes]

    def setUp(self):
        self.turn_ms = TURN_MS
        for node in self.nodes:
            with node.connect() as connection:
                connection.request(STATISTICS_RESET)

    def tearDown(self):
        self.assertEqual(self.pids, [node.pid for node in self.nodes], "a daemon is another one than before")
        for node in self.nodes:
            told = status(node)
            self.assertLess(told["turns"]["most_work_ms"], self.turn_ms, told["turns"])
            self.assertEqual([0, 1, 2], told["vnn_map"])

    def attach(self, name, node=None):
        with (node or self.victim).connect() as connection:
            return records.attach(connection, name)

    def served(self, seconds=2):
        """Somebody else is: a record of another database is written."""
        begin = time.monotonic()
        with self.victim.connect() as connection:
            records.write(connection, records.attach(connection, "healthy.tdb"), b"key", b"value")
        self.assertLess(time.monotonic() - begin, seconds)

    def test_traverses_that_nobody_reads(self):
        db = self.attach("traversed.tdb")
        fill(self.victim, db, 20000, b"v" * 200)
        before = self.victim.resident_bytes()
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.victim.connect()) for _ in range(16)]
            for client in clients:
                for reqid in range(4):
                    client.send(wire.control(TRAVERSE_START, struct.pack("=IIQ", db, reqid, 0xBE00), reqid=reqid))
            for _ in range(5):
                self.served()
            self.assertEqual(64, status(self.victim)["held"]["traverses"])
            self.assertLess(self.victim.resident_bytes() - before, 64 << 20)
        until(lambda: status(self.victim)["held"]["traverses"] == 0, "no traverse is left", 10)

    def test_traverses_have_a_limit(self):
        db = self.attach("few.tdb")
        fill(self.victim, db, 5000, b"v" * 200)
        with self.victim.connect() as client:
            client.send(b"".join(wire.control(TRAVERSE_START, struct.pack("=IIQ", db, reqid, 0xBE00), reqid=reqid)
                                 for reqid in range(20)))
            answers = []
            while len(answers) < 20:
                packet = client.receive(10)
                if packet.operation == wire.REPLY_CONTROL:
                    answers.append(packet.control_reply())
        self.assertEqual(16, sum(answer[0] == 0 for answer in answers))
        self.assertIn(b"traverses", answers[-1][2])

    def test_a_record_that_no_packet_would_carry(self):
        """It is refused where it is written; nothing else is lost by it, and a recovery goes on as ever."""
        db = self.attach("poison.tdb")
        with self.victim.connect() as client:
            lock = records.Lock(client, db, b"k" * 20, seconds=60)
            with self.assertRaisesRegex(records.Refused, "too large for a record"):
                lock.store(bytes(RECORD_SIZE_MAX - 19))
            lock.store(bytes(1 << 20))
            lock.unlock()
        self.nodes.floe("--base", self.nodes[1].base, "-t", 30, "recover")
        with self.nodes[1].connect() as other:
            self.assertEqual(1 << 20, len(records.read(other, db, b"k" * 20)))
        for node in self.nodes:
            self.assertEqual(0, status(node)["dropped"]["too_large"])

    def test_waiters_without_end(self):
        """Of locks that nobody gives back: refused at the limit, and the memory of the rest is free afterwards."""
        db = self.attach("waiters.tdb")
        before = self.victim.resident_bytes()
        with self.victim.connect() as holder, self.victim.connect() as client:
            keys = [b"held%d" % i for i in range(20)]
            held = [records.Lock(holder, db, key) for key in keys]
            client.stream.setblocking(False)
            client.ahead = b"".join(wire.control(records.RECORD_LOCK, lock_request(db, keys[i % 20]), reqid=i)
                                    for i in range(1, 120_001))
            refused = self.send_and_count(client)
            self.assertGreaterEqual(refused, 20_000)
            told = status(self.victim)
            self.assertGreaterEqual(told["refused"]["requests"], 20_000)
            self.assertGreaterEqual(told["held"]["client_requests"], 99_000)
            self.served()
            self.assertEqual(20, len(held))
        until(lambda: status(self.victim)["held"]["client_requests"] < 10, "the requests are gone", 20)
        until(lambda: self.victim.resident_bytes() - before < 64 << 20, "their memory is free", 20)
        self.served()

    def send_and_count(self, client):
        """Sends what is to be sent while it reads; how many requests were refused."""
        left, seen, refused = memoryview(client.ahead), b"", 0
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            readable, writable, _ = select.select([client.stream], [client.stream] if left else [], [], 1)
            if writable:
                left = left[client.stream.send(left[:1 << 20]):]
            if readable:
                seen += client.stream.recv(1 << 20)
            while len(seen) >= 4 and len(seen) >= (length := struct.unpack_from("=I", seen)[0]):
                refused += struct.unpack_from("=i", seen, 32)[0] < 0
                seen = seen[length:]
            if not readable and not writable:  # a second without an answer
                return refused
        self.fail("the node does not take what is sent")

    def test_keys_of_megabytes(self):
        """They are kept a few times while a lock is held, and their memory is free afterwards."""
        self.turn_ms = 5 * TURN_MS  # each of these keys is copied and hashed in one turn
        db = self.attach("keys.tdb")
        before = self.victim.resident_bytes()
        with self.victim.connect() as client:
            for i in range(20):
                client.send(wire.control(records.RECORD_LOCK, lock_request(db, b"%08d" % i + bytes(2 << 20)), reqid=i))
            until(lambda: status(self.victim)["held"]["client_locks"] >= 20, "all are granted", 30)
            self.assertLess(self.victim.resident_bytes() - before, 320 << 20)
        # vacuuming takes memory once more for the keys that it asks about, which is given back half a minute later
        until(lambda: self.victim.resident_bytes() - before < 96 << 20, "their memory is free", 60)

    def test_floods_of_small_requests(self):
        for packet in (wire.control(wire.PING), wire.packet(wire.REQ_MESSAGE, struct.pack("=QI", 12345, 8) + bytes(8),
                                                            destnode=0xF0000004)):
            with self.victim.connect() as client:
                client.send(packet * 50_000)
                self.served()

    def test_tunnels_have_a_limit(self):
        """As other registrations, and they end with their client."""
        most, beyond = 100_000, 10
        with self.victim.connect() as client:
            wanted = (wire.packet(wire.REQ_CONTROL, struct.pack("=IIQIII", TUNNEL_REGISTER, 0, i, 0, 0, 0), reqid=i)
                      for i in range(most + beyond))
            refused = [answer for _, answer in pipelined(client, wanted, 5000) if answer[0] != 0]
            self.assertEqual(beyond, len(refused))
            self.assertIn(b"which is the limit", refused[0][2])
            self.assertGreaterEqual(status(self.victim)["held"]["registrations"], most)
        until(lambda: status(self.victim)["held"]["registrations"] < most // 100, "they are gone", 30)

    def test_a_stay_has_an_end(self):
        """Also that of a record which came while the setting was beyond all sense."""
        def stay(milliseconds):
            clients = [self.enterContext(node.connect()) for node in self.nodes]
            attacks.on_nodes.set_everywhere(clients, "RecordTableStayMs", milliseconds)
            for client in clients:
                client.close()

        def stream(node):
            with node.connect() as client:
                db = records.attach(client, "stays.tdb")
                for i in range(40):
                    records.write(client, db, b"key", b"%d" % i)
        for _ in range(3):  # it is known as one that is wanted in streams
            stream(self.nodes[1])
            stream(self.nodes[2])
        stay((1 << 32) - 1)
        self.addCleanup(stay, 3)
        for node in (self.nodes[1], self.nodes[2], self.nodes[1]):
            stream(node)
        stay(3)
        with self.victim.connect() as client:
            self.assertEqual(b"39", records.read(client, records.attach(client, "stays.tdb"), b"key"))

    def test_of_the_folder(self):
        """Those that a node of an earlier day did not stand."""
        field = attacks.Field(self.nodes, random.Random(7))
        for name in ("options_of_megabytes", "settings_beyond_all_sense", "registrations_that_vanish", "broken_packets",
                     "whole_packets_on_a_second_connection"):
            with self.subTest(attack=name):
                attacks.ALL[name].play(field)
                field.together()
                self.served()

    def test_of_strangers(self):
        """Who know the protocol and nothing else; what was written before is there."""
        field = attacks.Field(self.nodes, random.Random(7))
        with self.victim.connect() as client:
            db = self.attach("strangers.tdb")
            for i in range(100):
                records.write(client, db, b"key%d" % i, b"%d" % i)
        for one in [a for a in attacks.ALL.values() if a.play.__module__ == "attacks.by_strangers"]:
            with self.subTest(attack=one.name):
                one.play(field)
                field.together()
                self.served()
        with self.nodes[1].connect() as client:
            for i in range(100):
                self.assertEqual(b"%d" % i, records.read(client, db, b"key%d" % i))

    def test_an_unknown_operation_of_a_peer_and_records_that_nobody_asked_for(self):
        """Dropped and counted, and the peer stays."""
        with contextlib.ExitStack() as stack:
            group = stack.enter_context(cluster.of("floe", nodes=2))
            victim, absent = group[0], group[1]
            absent.signal(9)
            until(lambda: status(victim)["nodes"][1]["flags"] & 1, "node 1 noticed missing", 20)
            with victim.connect() as client:
                db = records.attach(client, "asked.tdb")
                records.write(client, db, b"key", b"value")
            with Peer(victim, absent) as peer:
                until(lambda: peer.ask(wire.PING, 77), "the victim takes us for a node", 20)
                generation = until(lambda: status(victim)["generation"], "a generation")
                peer.send(wire.packet(77, bytes(16), srcnode=1, destnode=0))
                key, data = b"key", b"forged"
                body = struct.pack("=IIQII", db, 0, 1 << 40, len(key), len(data)) + key + data + struct.pack("=I", 0)
                peer.send(wire.packet(wire.REPLY_DMASTER, body, generation=generation, srcnode=1, destnode=0,
                                      reqid=0x70000000))
                until(lambda: peer.ask(wire.PING, 78), "the peer is still one", 20)
            self.assertEqual(1, status(victim)["dropped"]["unknown_operations"])
            log = (victim.base / "log.ctdb").read_text()
            self.assertIn("operation-unknown", log)
            self.assertNotIn("forged", log)


class FullDisks(unittest.TestCase):
    def setUp(self):
        if os.environ.get(sandbox.INSIDE) != "namespaces" or os.geteuid() != 0:
            self.skipTest("no file system can be mounted here")

    def test_attach(self):
        """Refused, by the node that lives on; so is a transaction's lock, and a lock of a record that is elsewhere."""
        with cluster.of("floe", nodes=1) as nodes:
            with on_small_disk(nodes, 0, "8m") as folder:
                pid = nodes[0].pid
                fill_disk(folder)
                with self.assertRaisesRegex(RuntimeError, "No space left"):
                    nodes.floe("--base", nodes[0].base, "attach", "new.tdb")
                with self.assertRaises(RuntimeError):
                    nodes.floe("--base", nodes[0].base, "pstore", "p.tdb", "key", "value")
                self.assertEqual(pid, nodes[0].pid)
                for file in folder.glob("fill.*"):
                    file.unlink()
                nodes.floe("--base", nodes[0].base, "attach", "new.tdb")

    def test_recovery(self):
        """A node without room for what a recovery brings leaves, says why, and the others go on."""
        with cluster.of("floe") as nodes:
            with on_small_disk(nodes, 1, "12m") as folder:
                with nodes[0].connect() as client:
                    db = records.attach(client, "big.tdb")
                    for i in range(20):
                        records.write(client, db, b"key%d" % i, bytes(1_000_000))
                nodes.floe("--base", nodes[0].base, "-t", 40, "recover")
                told = until(lambda: status(nodes[1])["ban"], "it has left", 30)
                self.assertEqual("cannot-store", told["cause"])
                self.assertIn("big.tdb", told["why"])
                until(lambda: status(nodes[0])["vnn_map"] == [0, 2] and status(nodes[0])["recovery_mode"] == "NORMAL",
                      "the others go on", 30)
                with nodes[2].connect() as client:
                    for i in range(20):
                        self.assertEqual(1_000_000, len(records.read(client, db, b"key%d" % i)))


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
