"""What whoever can send from the address of a node can do at the port of another, while both live."""
import contextlib
import socket
import struct
import time

import wire
from attacks import attack


def as_neighbour(field):
    """A node, and who connects to it with the address of another that lives."""
    node = field.node()
    neighbour = field.nodes[(node.pnn + 1) % len(field.nodes)]
    return node, lambda: wire.Connection.to_node(node.address, node.port, neighbour.address)


@attack()
def silent_connections(field):
    """One, then many at once, then many one after the other."""
    node, connect = as_neighbour(field)
    for count in (1, 100):
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                with contextlib.suppress(OSError):
                    stack.enter_context(connect())
            time.sleep(1)
    for _ in range(200):
        with contextlib.suppress(OSError):
            connect().close()
    with wire.Connection.to_node(node.address, node.port, node.address.rpartition(".")[0] + ".99") as stranger:
        with contextlib.suppress(wire.Closed):
            stranger.receive(1)


@attack()
def broken_packets(field):
    """Impossible lengths, half packets, noise."""
    _, connect = as_neighbour(field)
    chance = field.chance
    ping = wire.control(wire.PING)
    for length in (0, 1, 4, 7, 8, 31, 32, 33, 1 << 31, (1 << 32) - 1, (64 << 20) + 8):
        with contextlib.suppress(OSError), connect() as one:
            one.send(struct.pack("=I", length) + ping[4:])
            time.sleep(0.05)
    for _ in range(40):
        with contextlib.suppress(OSError), connect() as one:
            one.send(chance.choice((ping[:chance.randrange(1, len(ping))], chance.randbytes(chance.randrange(1, 300)),
                                    struct.pack("=I", 296) + chance.randbytes(292))))
        time.sleep(0.02)


@attack()
def whole_packets_on_a_second_connection(field):
    """Of all kinds, with numbers that lie: generations from the future, nodes that are not there, hops at their maximum."""
    node, connect = as_neighbour(field)
    chance, end = field.chance, time.monotonic() + 3
    neighbour = (node.pnn + 1) % len(field.nodes)
    while time.monotonic() < end:
        with contextlib.suppress(OSError), connect() as one:
            for _ in range(50):
                one.send(wire.packet(
                    chance.randrange(0, 12), chance.choice((chance.randbytes(chance.randrange(0, 200)), record_packet(chance))),
                    generation=chance.choice((0, 1, 1 << 31, (1 << 32) - 1)), srcnode=chance.choice((neighbour, 77, (1 << 32) - 1)),
                    destnode=chance.choice((node.pnn, 77, wire.CURRENT_NODE)), reqid=chance.randrange(1 << 32)))
            one.receive(0.02)


def record_packet(chance):
    """The body of a call or a migration: flags, a database, a call id, hops, a key."""
    return struct.pack("=6I", chance.choice((0, 1, (1 << 32) - 1)), 0x7A19D84D, chance.choice((0, 0xFF000001, (1 << 32) - 1)),
                       chance.choice((0, 999, (1 << 32) - 1)), 3, 0) + b"key"


@attack()
def nobody_listens(field):
    """Connections that are closed in the middle of being made."""
    node, _ = as_neighbour(field)
    for _ in range(200):
        with socket.socket() as one:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError, OSError):
                one.connect((node.address, node.port))
