"""Fills databases of a running cluster, floe's or ctdbd's, in the way `ctdb restoredb` does: on every active node
freeze, begin a recovery transaction, wipe, push the records, commit, thaw (Samba ctdb/tools/ctdb.c, control_restoredb).
"""
import random
import struct

from wait import until
from wire import REQ_MESSAGE, packet

DB_ATTACH, GETVNNMAP, WIPE_DATABASE, DB_FREEZE, DB_THAW = 18, 5, 67, 141, 142
TRANSACTION_START, TRANSACTION_COMMIT, PUSH_START, PUSH_CONFIRM = 143, 144, 147, 148
PUSH_SRVID = 0xCE02_0000_0000_0000  # the range of `ctdb restoredb`; the low bits number the fillings of this program
BUFFER_BYTES = 500_000
ANY_LMASTER = 0xFFFFFFFF
fillings = 0


def buffers(db_id, count, value_bytes):
    """The records, as CTDB marshals them: (how many, bytes) of each buffer."""
    source = random.Random(1)
    header = struct.pack("=QIIII", 1, 0, 0, 0, 0)  # rsn, dmaster, reserved, flags, nothing
    records, size = [], 0
    for i in range(count):
        key, data = b"record-%08d" % i, header + source.randbytes(value_bytes)
        records.append(struct.pack("=IIII", 16 + len(key) + len(data), 0, len(key), len(data)) + key + data)
        size += len(records[-1])
        if size > BUFFER_BYTES or i == count - 1:
            yield struct.pack("=II", db_id, len(records)) + b"".join(records)
            records, size = [], 0


def attach(node, name):
    with node.connect() as client:
        status, answer, error = client.request(DB_ATTACH, name.encode() + b"\0", seconds=60)
        if status != 0:
            raise RuntimeError(f"attach {name}: {status} {error}")
        return struct.unpack("=I", answer)[0]


def fill(group, name, count, value_bytes=200):
    """Makes the database and gives it `count` records with keys of 15 bytes."""
    global fillings
    fillings += 1
    db_id, srvid = attach(group[0], name), PUSH_SRVID + fillings
    for node in group:
        until(lambda n=node: f"name:{name} " in n.ctdb("getdbmap").stdout, f"{name} on {node}")
    with group[0].connect() as client:
        def everywhere(opcode, data):
            answers = []
            for node in group:
                status, answer, error = client.request(opcode, data, seconds=120, destnode=node.pnn)
                if status != 0:
                    raise RuntimeError(f"control {opcode} on {node}: {status} {error}")
                answers.append(answer)
            return answers

        generation = client.request(GETVNNMAP)[1][:4]
        one = struct.pack("=I", db_id)
        everywhere(DB_FREEZE, one)
        everywhere(TRANSACTION_START, one + generation)
        everywhere(WIPE_DATABASE, one + generation)
        everywhere(PUSH_START, struct.pack("=IIQ", db_id, ANY_LMASTER, srvid))
        for data in buffers(db_id, count, value_bytes):
            for node in group:
                client.send(packet(REQ_MESSAGE, struct.pack("=QI", srvid, len(data)) + data, destnode=node.pnn))
        for answer in everywhere(PUSH_CONFIRM, one):
            if struct.unpack("=I", answer)[0] != count:
                raise RuntimeError(f"{name}: {answer} records stored instead of {count}")
        everywhere(TRANSACTION_COMMIT, one + generation)
        everywhere(DB_THAW, one)
