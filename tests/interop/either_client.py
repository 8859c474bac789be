"""A client of a node of either kind that writes and reads records: floe's over the socket, ctdbd's in its TDB file."""
import struct

import floe_cli as cli
import records
import tdb_records

RECORD_READ = 0x464C0002


def client_of(kind, node, database):
    """Attaches the database."""
    return {"floe": FloeClient, "ctdbd": CtdbdClient}[kind](node, database)


class FloeClient:
    def __init__(self, node, database):
        self.node, self.name, self.connection = node, database, node.connect()
        self.database = records.attach(self.connection, database)

    def write(self, key, value, seconds=60):
        with records.Lock(self.connection, self.database, key, seconds) as lock:
            lock.store(value)

    def read(self, key):
        request = struct.pack("=III", self.database, 0, len(key)) + key
        status, answer, error = self.connection.request(RECORD_READ, request, seconds=60)
        if status != 0:
            raise RuntimeError(f"RECORD_READ: {status} {error}")
        (size,) = struct.unpack_from("=I", answer, 4 + records.HEADER_BYTES)
        return answer[4 + records.HEADER_BYTES + 4:][:size]

    def has_copy(self, key):
        here = cli.run(self.node, "readkey", self.name, key.decode(), "--local")
        return here["dmaster"] != self.node.pnn and bool(here["flags"] & tdb_records.RO_HAVE_READONLY)

    def close(self):
        self.connection.close()


class CtdbdClient:
    def __init__(self, node, database):
        self.connection = node.connect()
        self.database = tdb_records.Database(self.connection, database)

    def write(self, key, value):
        with tdb_records.Lock(self.database, key) as lock:
            lock.store(value)

    def read(self, key):
        return self.database.read(key)

    def has_copy(self, key):
        here = self.database.local(key)
        return bool(here and here[1] != self.database.pnn and here[2] & tdb_records.RO_HAVE_READONLY)

    def close(self):
        self.database.close()
        self.connection.close()
