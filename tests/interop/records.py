"""Records through a client's own connection: lock, store, unlock.

floe keeps its database files to itself; what a client of ctdbd does by locking a TDB file, a client of floe asks its
node for with these controls. They exist on the Unix socket only.
"""
import struct

DB_ATTACH = 18
RECORD_LOCK, RECORD_STORE, RECORD_UNLOCK = 0x464C0001, 0x464C0003, 0x464C0005
HEADER_BYTES = 24  # rsn, dmaster, flags: CTDB's header in front of each record


class Refused(RuntimeError):
    """The node answered with an error."""


def _ask(connection, opcode, data, seconds):
    status, answer, error = connection.request(opcode, data, seconds=seconds)
    if status < 0:
        raise Refused(f"control {opcode:#x}: {status} {error.decode(errors='replace')}")
    return answer


def attach(connection, name, seconds=60):
    """The database's id; it is made if it is not there."""
    return struct.unpack("=I", _ask(connection, DB_ATTACH, name.encode() + b"\0", seconds))[0]


class Lock:
    """The lock of one record, with its data as they were when it was granted."""

    def __init__(self, connection, db_id, key, seconds=30):
        self.connection, self.seconds = connection, seconds
        answer = _ask(connection, RECORD_LOCK, struct.pack("=IIII", db_id, 0, int(seconds * 1000), len(key)) + key,
                      seconds + 5)
        (size,) = struct.unpack_from("=I", answer, HEADER_BYTES)
        begin = HEADER_BYTES + 4
        self.data = answer[begin:begin + size]
        (self.lock_id,) = struct.unpack_from("=Q", answer, begin + size)

    def store(self, data):
        _ask(self.connection, RECORD_STORE, struct.pack("=QII", self.lock_id, 0, len(data)) + data, self.seconds)
        self.data = data

    def unlock(self):
        _ask(self.connection, RECORD_UNLOCK, struct.pack("=Q", self.lock_id), self.seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unlock()


def write(connection, db_id, key, data):
    with Lock(connection, db_id, key) as lock:
        lock.store(data)


def read(connection, db_id, key):
    with Lock(connection, db_id, key) as lock:
        return lock.data
