"""What clients of one node can do on its socket."""
import contextlib
import pathlib
import re
import select
import socket
import struct
import time

import records
import wire
from attacks import attack

TRAVERSE_START, GET_LOCKS, GET_TIMELINE, GET_NODE_STATUS, SET_HOLD_PHASE = 20, *range(0x464C0010, 0x464C0014)
REGISTER_NOTIFY, TUNNEL_REGISTER, RECORD_TABLE = 114, 152, 0x464C0007
BROADCAST_CONNECTED = 0xF0000004
# Those that do as they are told: end the node, take it out, forget databases, set tunables and the log level.
MEANT = {8, 36, 48, 52, 74, 75, 98, 101, 104, 105, 109, 139, 157, SET_HOLD_PHASE}
# All that there are, and the gaps among CTDB's.
CONTROLS = pathlib.Path(__file__).parents[3] / "protocol" / "controls.def"
OPCODES = sorted({*range(0, 163), *(int(n, 0) for n in re.findall(r"^FLOE_CONTROL\(\s*(\w+),", CONTROLS.read_text(), re.M))})


def lock_request(db, key, timeout_ms=30_000, flags=0):
    return struct.pack("=IIII", db, flags, timeout_ms, len(key)) + key


def send_what_goes(connection, data, seconds, read=False):
    """Sends without ever waiting for an answer; what does not go in time stays unsent."""
    connection.stream.setblocking(False)
    left, end = memoryview(data), time.monotonic() + seconds
    while left and time.monotonic() < end:
        readable, writable, _ = select.select([connection.stream] if read else [], [connection.stream], [], 0.2)
        try:
            if readable and not connection.stream.recv(1 << 20):
                return
            if writable:
                left = left[connection.stream.send(left[:1 << 20]):]
        except BlockingIOError:
            pass
        except ConnectionError:
            return  # cut off


@attack()
def options_of_megabytes(field):
    """Texts that a control would parse."""
    with field.node().connect() as client:
        for opcode in (GET_LOCKS, GET_TIMELINE, GET_NODE_STATUS, SET_HOLD_PHASE):
            for text in (b"[" * (8 << 20), b'{"a":' * (1 << 20), b'"' + b"\xff" * (4 << 20)):
                status, _, error = client.request(opcode, text + b"\0", seconds=30)
                if status == 0:
                    raise AssertionError(f"control {opcode:#x} takes a text of {len(text)} bytes")
                if b"are the most" not in error:
                    raise AssertionError(f"control {opcode:#x} does not say why: {error}")


@attack()
def every_control_with_odd_sizes(field):
    """To the node and through it to another one; zeros, ones and noise of all small sizes."""
    node = field.node()
    with node.connect() as client:
        for dest in (wire.CURRENT_NODE, (node.pnn + 1) % len(field.nodes)):
            for opcode in OPCODES:
                if opcode in MEANT:
                    continue
                for size in (0, 1, 3, 4, 5, 8, 12, 15, 16, 17, 24, 40, 63, 140):
                    data = field.chance.choice((bytes(size), b"\xff" * size, field.chance.randbytes(size)))
                    client.send(wire.control(opcode, data, destnode=dest, flags=field.chance.choice((0, 0, 1, 8)),
                                             reqid=opcode & 0xFFFF))
                if not client.lives():
                    raise AssertionError(f"control {opcode:#x} costs the connection")


@attack()
def floods_that_nobody_reads(field):
    """Requests by the hundred thousand, each of which is answered."""
    node = field.node()
    for packet in (wire.control(wire.PING), wire.control(9999, b"x"), wire.call(0xDEADBEEF, b"key"), wire.packet(77, bytes(16)),
                   wire.packet(wire.REQ_MESSAGE, struct.pack("=QI", 77, 8) + bytes(8), destnode=BROADCAST_CONNECTED)):
        with node.connect() as client:
            send_what_goes(client, packet * 100_000, 1)


@attack()
def registrations_that_vanish(field):
    """Messages that are due when their client ends, for every node, and tunnels: as many as one may have."""
    with field.node().connect() as client:
        send_what_goes(client, b"".join(wire.control(REGISTER_NOTIFY, struct.pack("=QI", i, 8) + bytes(8), reqid=i)
                                        for i in range(50_000)), 4, read=True)
        send_what_goes(client, b"".join(wire.packet(wire.REQ_CONTROL, struct.pack("=IIQIII", TUNNEL_REGISTER, 0, i, 0, 0, 0),
                                                    reqid=i) for i in range(50_000)), 4, read=True)


@attack()
def traverses_that_nobody_reads(field):
    node = field.node()
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(node.connect())
            db = records.attach(client, "ledger.tdb")
            client.send(b"".join(wire.control(TRAVERSE_START, struct.pack("=IIQ", db, reqid, 0xBE00), reqid=reqid)
                                 for reqid in range(20)))
        time.sleep(1)


@attack()
def locks_whose_holder_vanishes(field):
    """Each client dies with locks, with requests in queues of its own locks, and with half a packet."""
    node = field.node()
    for _ in range(30):
        with node.connect() as client:
            db = records.attach(client, "attacked.tdb")
            for i in range(20):
                client.send(wire.control(0x464C0001, lock_request(db, b"k%d" % (i % 10)), reqid=i))
            client.send(wire.control(wire.PING)[:field.chance.randrange(64)])
            client.receive(0.05)


@attack(turn_ms=1000)
def keys_of_megabytes(field):
    """Each is copied and hashed in one turn."""
    with field.node().connect() as client:
        db = records.attach(client, "attacked.tdb")
        for i in range(10):
            send_what_goes(client, wire.control(0x464C0001, lock_request(db, b"%08d" % i + bytes(2 << 20)), reqid=i), 2, read=True)
        time.sleep(0.5)


@attack()
def half_packets(field):
    """Many connections that have begun a large packet and do not go on."""
    node = field.node()
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            client = stack.enter_context(node.connect())
            client.send(wire.packet(wire.REQ_CONTROL, bytes(1 << 16), length=60 << 20))
        time.sleep(1)


@attack()
def noise_in_shared_memory(field):
    """A client that may write to a record table writes anything anywhere, and wakes the node all the time. The table is of
    a database of its own: what a client writes into records that are in its hands is its right."""
    import mmap  # pylint: disable=import-outside-toplevel
    import os  # pylint: disable=import-outside-toplevel
    with field.node().connect() as client:
        db = records.attach(client, "attacked.tdb")
        client.stream.sendall(wire.control(RECORD_TABLE, struct.pack("=II", db, 0), reqid=1))
        _, descriptors, _, _ = socket.recv_fds(client.stream, 65536, 4)
        if len(descriptors) < 2:
            raise AssertionError("there is no record table")
        memory, wake = descriptors[:2]
        size = os.fstat(memory).st_size
        try:
            with mmap.mmap(memory, size) as table:
                end = time.monotonic() + 3
                while time.monotonic() < end:
                    at, length = field.chance.randrange(size - 4096), field.chance.choice((1, 8, 64, 4096))
                    table[at:at + length] = field.chance.choice((bytes(length), b"\xff" * length, field.chance.randbytes(length)))
                    os.write(wake, struct.pack("=Q", 1))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
