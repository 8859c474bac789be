"""What somebody does who has read the protocol's description and nothing else: packets that are cut at every byte, senders that never end
what they begin, readers that never read, and a neighbour that greets and then says nothing more."""
import contextlib
import struct
import time

import records
import wire
from attacks import attack
from attacks.by_clients import send_what_goes
from attacks.by_peers import as_neighbour

REGISTER_SRVID, GET_CAPABILITIES, GET_NODEMAP = 23, 80, 91
SOMEBODY = 0x5AFE000000000001
OPERATIONS = range(12)


def message(srvid, data, destnode):
    return wire.packet(wire.REQ_MESSAGE, struct.pack("=QI", srvid, len(data)) + data, destnode=destnode)


@attack()
def packets_cut_at_every_byte(field):
    """Each operation with a body of each length up to 72, whose own lengths say more, less, or nothing."""
    node = field.node()
    closed = 0
    client = node.connect()
    try:
        for operation in OPERATIONS:
            for size in range(73):
                for filling in (b"\0", b"\xff", struct.pack("=I", max(size, 1) - 1)):
                    body = (filling * 73)[:size]
                    for length in {wire.HEADER.size + size + -size % 8, wire.HEADER.size + size}:
                        client.send(wire.packet(operation, body, length=length)[:length])
                        if not client.lives():
                            closed += 1
                            client.close()
                            client = node.connect()
    finally:
        client.close()
    if not closed:
        raise AssertionError("not one of them costs its sender the connection")
    with node.connect() as client:
        client.request(wire.PING)


@attack()
def one_byte_at_a_time(field):
    """Many clients; each gets its answer in the end, however slowly it asks."""
    node, ask = field.node(), wire.control(wire.PING)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(node.connect()) for _ in range(60)]
        for at in range(len(ask)):
            for client in clients:
                client.send(ask[at:at + 1])
            time.sleep(0.01)
        for client in clients:
            packet = client.receive(10)
            if packet is None or packet.operation != wire.REPLY_CONTROL or packet.control_reply()[0] < 0:
                raise AssertionError(f"one who asks slowly is not answered: {packet}")


@attack()
def messages_for_one_who_does_not_read(field):
    """It has registered for them, and others of the same node and of another send as fast as they can."""
    node = field.node()
    other = field.nodes[(node.pnn + 1) % len(field.nodes)]
    with node.connect() as deaf, node.connect() as near, other.connect() as far:
        status, _, error = register(deaf, SOMEBODY)
        if status != 0:
            raise AssertionError(f"cannot register: {error}")
        flood = message(SOMEBODY, bytes(16 << 10), node.pnn) * 2000
        send_what_goes(near, flood, 1)
        send_what_goes(far, flood, 1)
    with node.connect() as client:
        client.request(wire.PING)


def register(client, srvid):
    client.last_reqid += 1
    client.send(wire.packet(wire.REQ_CONTROL, struct.pack("=IIQIII", REGISTER_SRVID, 0, srvid, 0, 0, 0), reqid=client.last_reqid))
    while packet := client.receive(10):
        if packet.operation == wire.REPLY_CONTROL and packet.reqid == client.last_reqid:
            return packet.control_reply()
    raise TimeoutError("no answer to a registration")


@attack()
def a_greeting_and_then_nothing(field):
    """From the address of a node that lives: the questions of a greeting a thousand times, whose answers nobody reads, in whole
    packets and in halves, on connections that stay."""
    _, connect = as_neighbour(field)
    questions = b"".join(wire.control(opcode, reqid=reqid) for reqid in range(500) for opcode in (GET_CAPABILITIES, GET_NODEMAP))
    with contextlib.ExitStack() as stack:
        for cut in (0, 1, 31, 33):
            with contextlib.suppress(OSError):
                one = stack.enter_context(connect())
                one.send(questions[:len(questions) - cut])
        time.sleep(1)


@attack()
def packets_of_generations_before(field):
    """What was said under the present map is said once more when there is another, by somebody with a node's address: a record that is
    given away, again."""
    node, connect = as_neighbour(field)
    with node.connect() as client:
        db = records.attach(client, "attacked.tdb")
        records.write(client, db, b"moved", b"now")
        _, told, _ = client.request(5)  # the map: its generation first
        generation = struct.unpack_from("=I", told)[0]
        neighbour = (node.pnn + 1) % len(field.nodes)
        key, data = b"moved", b"then"
        given = wire.packet(wire.REPLY_DMASTER, struct.pack("=IIQII", db, 0, 1 << 50, len(key), len(data)) + key + data + bytes(4),
                            generation=generation, srcnode=neighbour, destnode=node.pnn, reqid=7)
        asked = wire.packet(wire.REQ_DMASTER, struct.pack("=IIQIII", db, 0, 1 << 50, neighbour, len(key), len(data)) + key + data,
                            generation=generation, srcnode=neighbour, destnode=node.pnn, reqid=8)
        for number in range(20):
            with contextlib.suppress(OSError), connect() as one:
                one.send((given + asked) * 20)
                time.sleep(0.02)
            if number == 10:
                client.request(16, struct.pack("=I", 1))  # a recovery, after which the generation is another
                field.together()
        seen = records.read(client, db, b"moved")
        if seen != b"now":
            raise AssertionError(f"what was forged counts: {seen}")
