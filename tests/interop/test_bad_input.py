#!/usr/bin/env python3
"""A node survives whatever arrives on its sockets.

Broken packets come from a client (Unix socket) and from a peer (TCP, from the address of a node that is down). The
sender gets an error or loses its connection; other clients are served meanwhile, without delay; neither memory nor
file descriptors grow.

FLOE_SUBJECT=ctdbd turns the same probes on Samba's daemon, which proves the harness. It ignores some packets in
silence, which is accepted of it, and what ends a daemon of version 4.17 is left out.
"""
import os
import random
import signal
import struct
import sys
import threading
import time
import unittest
from typing import NamedTuple

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import tap  # noqa: E402
import wire  # noqa: E402
from peer import Peer  # noqa: E402
from wait import until  # noqa: E402

SUBJECT = os.environ.get("FLOE_SUBJECT", "floe")
SEED = int(os.environ.get("FLOE_SEED", random.SystemRandom().randrange(1 << 32)))
MEMORY_GROWTH_MAX = 4 << 20
SERVED_WITHIN_S = 2
BELIEVES = "ctdbd 4.17 believes the lengths inside of a packet, and dies of a lie"
BROKEN_LINK = "ctdbd 4.17 dies of a packet of impossible length from a peer: it uses the link after freeing it"
PATIENCE_S = 5 if SUBJECT == "floe" else 0.1  # how long an answer may take before it counts as silence

# Active controls whose request is never empty (Samba ctdb/protocol/protocol_control.c), so that these must be refused
# with any data that is too short or too long for them. Those without data would do what they are asked to.
CONTROLS_WITH_DATA = [0, 4, 6, 8, 16, 20, 21, 25, 26, 27, 44, 45, 46, 48, 49, 52, 55, 56, 63, 64, 67, 74, 77, 78, 88, 89,
                      97, 98, 104, 105, 109, 114, 115, 119, 120, 121, 122, 123, 125, 126, 128, 129, 131, 132, 133, 135,
                      139, 141, 142, 143, 144, 145, 146, 147, 148, 149, 151, 154, 155, 156]
DB_ATTACH = 18


class Probe(NamedTuple):
    name: str
    data: bytes
    ends_there: bool = True     # the node has all it needs to refuse; else it may wait for more until we hang up


def framing():
    """What is wrong before the body begins."""
    ping = wire.control(wire.PING)
    for length in (0, 1, 7, 31, 1 << 31, (1 << 32) - 1):
        yield Probe(f"length {length}", wire.packet(wire.REQ_CONTROL, ping[32:], length=length))
    yield Probe("length 2 GiB and data", wire.packet(wire.REQ_CONTROL, bytes(1 << 20), length=1 << 31))
    for magic in (0, wire.MAGIC + 1, 0x42445443, 0xFFFFFFFF):
        yield Probe(f"magic {magic:#x}", wire.control(wire.PING, magic=magic))
    for version in (0, 2, 0xFFFFFFFF):
        yield Probe(f"version {version}", wire.control(wire.PING, version=version))
    for cut in (1, 3, 4, 31, 32, 40, len(ping) - 1):
        yield Probe(f"truncated to {cut}", ping[:cut], ends_there=False)
    for operation in (6, 11, 99, 0xFFFFFFFF):
        yield Probe(f"operation {operation}", wire.packet(operation, bytes(32)))


def bodies():
    """Inner lengths that lie, in packets whose header is good."""
    for size in (9, 1000, 1 << 31, (1 << 32) - 1):  # less might still be padding
        yield Probe(f"control that claims {size} bytes", wire.control(wire.GET_DBMAP, data_size=size))
        yield Probe(f"call with a key of {size} bytes", wire.call(0x7A19D84D, b"", key_size=size))
        yield Probe(f"message of {size} bytes", wire.packet(wire.REQ_MESSAGE, struct.pack("=QI", 1, size)))
        yield Probe(f"tunnel packet of {size} bytes",
                    wire.packet(wire.REQ_TUNNEL, struct.pack("=QII", 1, 1, size)))
    for operation in (wire.REQ_CALL, wire.REPLY_CALL, wire.REQ_DMASTER, wire.REPLY_DMASTER, wire.REPLY_ERROR,
                      wire.REQ_MESSAGE, wire.REQ_CONTROL, wire.REPLY_CONTROL, wire.REQ_TUNNEL):
        yield Probe(f"operation {operation} without a body", wire.packet(operation))


def noise(source):
    for size in (5, 32, 100, 5000, 100_000):
        yield Probe(f"{size} random bytes", source.randbytes(size), ends_there=False)
        body = source.randbytes(size + -size % 8)
        yield Probe(f"{size} random bytes behind a length", struct.pack("=I", len(body) + 4) + body,
                    ends_there=size >= 32)


def flipped(source, count):
    """A good packet with one bit turned. GET_DBMAP's neighbours at a distance of one bit do no harm."""
    good = wire.control(wire.GET_DBMAP)
    for _ in range(count):
        bit = source.randrange(len(good) * 8)
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        yield Probe(f"bit {bit} flipped", bytes(data), ends_there=False)


def outcome(connection, seconds=PATIENCE_S):
    """What the sender sees of it: "closed", "refused", "answered" or "silence"."""
    try:
        packet = connection.receive(seconds)
    except wire.Closed:
        return "closed"
    if packet is None:
        return "silence"
    if packet.operation == wire.REPLY_ERROR:
        return "refused"
    if packet.operation in (wire.REPLY_CONTROL, wire.REPLY_CALL):
        (status,) = struct.unpack_from("=i", packet.body)
        return "refused" if status < 0 else "answered"
    return "answered"


class Bystander(threading.Thread):
    """A well-behaved client that pings on one connection, all the time."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.connection = node.connect()
        self.done = threading.Event()
        self.trouble = None

    def ping(self):
        status, _, _ = self.connection.request(wire.PING, seconds=SERVED_WITHIN_S)
        if status < 0:
            raise RuntimeError(f"ping answered with {status}")

    def run(self):
        try:
            self.ping()
            while not self.done.wait(0.005):
                self.ping()
        except Exception as error:  # whatever it is, the test has to hear of it  # pylint: disable=broad-except
            self.trouble = error

    def stop(self):
        self.done.set()
        self.join()
        self.connection.close()


class BadInput(unittest.TestCase):
    """Node 0 is the victim; node 2 is down and its address ours."""

    @classmethod
    def setUpClass(cls):
        print(f"# FLOE_SEED={SEED}", file=sys.stderr)
        cls.source = random.Random(SEED)
        cls.nodes = cls.enterClassContext(cluster.of(SUBJECT))
        cls.victim, cls.absent = cls.nodes[0], cls.nodes[2]
        cls.pid = cls.victim.pid
        cls.absent.signal(signal.SIGKILL)
        until(lambda: "DISCONNECTED" in cls.victim.ctdb("nodestatus", "2").stdout, "node 2 noticed missing")

    def setUp(self):
        self.bystander = Bystander(self.victim)
        self.bystander.start()

    def tearDown(self):
        self.bystander.stop()
        self.assertIsNone(self.bystander.trouble, "somebody else was not served")
        self.assertEqual(self.pid, self.victim.pid, "the daemon is another one than before")
        self.assertIn("response from 0", self.victim.ctdb("ping").stdout)

    def as_peer(self):
        """A connection that the victim takes for node 2's. One at a time: a second one is closed at once."""

        def stays_open():
            connection = wire.Connection.to_node(self.victim.address, self.victim.port, self.absent.address)
            if outcome(connection, 0.05) == "silence":
                return connection
            connection.close()
            return None

        return until(stays_open, "a connection from node 2 is accepted", 10)

    def assert_refused(self, probe, connect):
        with self.subTest(probe=probe.name), connect() as connection:
            connection.send(probe.data)
            if not probe.ends_there:
                connection.end()
            seen = outcome(connection)
            if SUBJECT == "floe":
                self.assertIn(seen, ("closed", "refused"))
            else:
                self.assertIn(seen, ("closed", "refused", "silence"))

    def test_clients_framing(self):
        for probe in framing():
            self.assert_refused(probe, self.victim.connect)

    @unittest.skipIf(SUBJECT == "ctdbd", BELIEVES)
    def test_clients_bodies(self):
        for probe in bodies():
            self.assert_refused(probe, self.victim.connect)

    def test_clients_noise(self):
        for probe in noise(self.source):
            self.assert_refused(probe, self.victim.connect)

    @unittest.skipIf(SUBJECT == "ctdbd", BROKEN_LINK)
    def test_peers_framing(self):
        for probe in framing():
            if not probe.name.startswith("operation"):
                self.assert_refused(probe, self.as_peer)

    @unittest.skipIf(SUBJECT == "ctdbd", BELIEVES)
    def test_peers_bodies(self):
        for probe in bodies():
            self.assert_refused(probe, self.as_peer)

    @unittest.skipIf(SUBJECT == "ctdbd", BROKEN_LINK)
    def test_peers_noise(self):
        for probe in noise(self.source):
            self.assert_refused(probe, self.as_peer)

    def test_stranger(self):
        """An address that is not in the nodes file is not even listened to."""
        stranger = self.victim.address.rpartition(".")[0] + ".99"
        with wire.Connection.to_node(self.victim.address, self.victim.port, stranger) as connection:
            self.assertEqual("closed", outcome(connection, 5))

    def test_unknown_controls(self):
        """Refused with an answer, and the connection lives on."""
        with self.victim.connect() as connection:
            for opcode in (2, 13, 34, 62, 159, 9999, 0x464CFFFF, 0xFFFFFFFF):
                with self.subTest(opcode=opcode):
                    self.assertLess(connection.request(opcode)[0], 0)
            self.assertGreaterEqual(connection.request(wire.PING)[0], 0)

    @unittest.skipIf(SUBJECT == "ctdbd", BELIEVES)
    def test_control_data(self):
        """Data that is no request of this control: too short, or counts that exceed it."""
        for opcode in [*CONTROLS_WITH_DATA, DB_ATTACH]:
            for data in (b"", b"\xff", b"\xff" * 3, b"\xff" * 67):
                if opcode == DB_ATTACH and len(data) < 2:  # a name may be short
                    continue
                with self.subTest(opcode=opcode, size=len(data)), self.victim.connect() as connection:
                    connection.send(wire.control(opcode, data))
                    self.assertIn(outcome(connection), ("closed", "refused"))

    @unittest.skipIf(SUBJECT == "ctdbd", BELIEVES)
    def test_flipped_bits(self):
        for probe in flipped(self.source, 300):
            with self.victim.connect() as connection:
                connection.send(probe.data)
        for probe in flipped(self.source, 30):
            with self.as_peer() as connection:
                connection.send(probe.data)

    def test_many_promises(self):
        """Connections that announce a lot and send little: memory follows what has come, not what was announced."""
        before = self.victim.resident_bytes()
        connections = [self.victim.connect() for _ in range(100)]
        for connection in connections:
            connection.send(wire.packet(wire.REQ_CONTROL, bytes(100), length=60 << 20))
        self.assertIn("response from 0", self.victim.ctdb("ping").stdout)
        self.assertLess(self.victim.resident_bytes() - before, 32 << 20)
        for connection in connections:
            connection.close()

    def test_nothing_grows(self):
        def rounds(count):
            for _ in range(count):
                lies = [*bodies(), *flipped(self.source, 20)] if SUBJECT == "floe" else []
                for probe in [*framing(), *noise(self.source), *lies]:
                    with self.victim.connect() as connection:
                        connection.send(probe.data)
                for probe in noise(self.source) if SUBJECT == "floe" else []:
                    with self.as_peer() as connection:
                        connection.send(probe.data)

        def descriptors():
            return len(os.listdir(f"/proc/{self.pid}/fd"))

        rounds(3)
        memory, files = self.victim.resident_bytes(), descriptors()
        rounds(100)
        self.assertLess(self.victim.resident_bytes() - memory, MEMORY_GROWTH_MAX)
        until(lambda: descriptors() <= files, "no more open files than before", 10)

    def test_zz_unknown_controls_of_a_peer(self):
        """Answered over the victim's own connection to that peer. Last, because the victim now sees a node 2 again,
        and one that answers nothing but the greeting."""
        with Peer(self.victim, self.absent, self.as_peer) as peer:
            for reqid, opcode in enumerate((2, 9999, 0xFFFFFFFF), 1000):
                with self.subTest(opcode=opcode):
                    packet = until(lambda o=opcode, r=reqid: peer.ask(o, r), "an answer", 20)
                    self.assertLess(packet.control_reply()[0], 0)


if __name__ == "__main__":
    if reason := cluster.why_not(SUBJECT):
        tap.skip_all(reason)
    tap.main()
