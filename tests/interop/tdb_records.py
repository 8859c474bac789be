"""Records of a ctdbd node, the way smbd gets at them: the record is called to this node over the socket, and read and
written in the daemon's TDB file under the lock of its hash chain (Samba's source3/lib/dbwrap/dbwrap_ctdb.c does the
same). Needs libtdb, which Samba's daemon brings with it. The face is that of records.py, which does it with floe.
"""
import ctypes
import ctypes.util
import os
import struct

import wire
from records import DB_ATTACH

GETDBPATH, GET_PNN, DB_OPEN_FLAGS = 4, 35, 149
HEADER = struct.Struct("=QIIII")  # rsn, dmaster, reserved, flags, padding
IMMEDIATE_MIGRATION, WANT_READONLY = 1, 4
RO_HAVE_DELEGATIONS, RO_HAVE_READONLY = 0x01000000, 0x02000000


class _Data(ctypes.Structure):
    _fields_ = [("pointer", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def _library(path):
    tdb = ctypes.CDLL(path or ctypes.util.find_library("tdb") or "libtdb.so.1", use_errno=True)
    tdb.tdb_open_ex.restype = ctypes.c_void_p
    tdb.tdb_open_ex.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p,
                                ctypes.c_void_p]
    for name in ("tdb_chainlock", "tdb_chainunlock"):
        getattr(tdb, name).argtypes = [ctypes.c_void_p, _Data]
    tdb.tdb_fetch.restype = _Data
    tdb.tdb_fetch.argtypes = [ctypes.c_void_p, _Data]
    tdb.tdb_store.argtypes = [ctypes.c_void_p, _Data, _Data, ctypes.c_int]
    tdb.tdb_close.argtypes = [ctypes.c_void_p]
    tdb.tdb_traverse_read.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    return tdb


class Database:
    """One database of one ctdbd node, opened; or of a floe node, with its library before libtdb."""

    def __init__(self, connection, name, library=None):
        self.connection, self.tdb = connection, _library(library)
        self.pnn = connection.request(GET_PNN)[0]
        self.db_id = self._ask(DB_ATTACH, name.encode() + b"\0", "=I")
        path = self._ask(GETDBPATH, struct.pack("=I", self.db_id))
        flags = self._ask(DB_OPEN_FLAGS, struct.pack("=I", self.db_id), "=i")
        hash_function = ctypes.cast(_library(None).tdb_jenkins_hash, ctypes.c_void_p)
        self.file = self.tdb.tdb_open_ex(path.rstrip(b"\0"), 0, flags, os.O_RDWR, 0o600, None, hash_function)
        if not self.file:
            raise OSError(ctypes.get_errno(), f"tdb_open {path}")

    def _ask(self, opcode, data, form=None):
        status, answer, error = self.connection.request(opcode, data, seconds=60)
        if status < 0:
            raise RuntimeError(f"control {opcode}: {status} {error}")
        return struct.unpack_from(form, answer)[0] if form else answer

    def close(self):
        self.tdb.tdb_close(self.file)

    def local(self, key):
        """This node's copy: (rsn, dmaster, flags, data), or None. Taken without a lock."""
        found = self.tdb.tdb_fetch(self.file, _data(key))
        if not found.pointer:
            return None
        record = ctypes.string_at(found.pointer, found.size)
        ctypes.CDLL(None).free(ctypes.c_void_p(found.pointer))
        rsn, dmaster, _, flags, _ = HEADER.unpack_from(record)
        return rsn, dmaster, flags, record[HEADER.size:]

    def count(self):
        """The records of this node's file, deleted ones included."""
        return self.tdb.tdb_traverse_read(self.file, None, None)

    def call_here(self, key, flags=IMMEDIATE_MIGRATION):
        """The record moves to this node, or a copy of it comes; returns when it says so."""
        call(self.connection, self.db_id, key, flags)

    def read(self, key):
        """As smbd reads: what is here if it may be read from, else a read-only copy comes."""
        while True:
            here = self.local(key)
            if here and (here[1] == self.pnn or here[2] & RO_HAVE_READONLY):
                return here[3]
            self.call_here(key, IMMEDIATE_MIGRATION | WANT_READONLY)


def call(connection, db_id, key, flags=IMMEDIATE_MIGRATION):
    """A REQ_CALL that brings the record here, or a copy, and its answer."""
    connection.last_reqid += 1
    connection.send(wire.call(db_id, key, flags=flags, reqid=connection.last_reqid))
    while (answer := connection.receive(60)) is not None:
        if answer.operation == wire.REPLY_CALL and answer.reqid == connection.last_reqid:
            return
    raise TimeoutError(f"{key} did not come")


class Lock:
    """The lock of one record, with its data as they were when it was granted."""

    def __init__(self, database, key):
        self.database, self.key = database, key
        while True:
            if database.tdb.tdb_chainlock(database.file, _data(key)) != 0:
                raise RuntimeError("chain lock refused")
            held = database.local(key)
            if held and held[1] == database.pnn and not held[2] & RO_HAVE_DELEGATIONS:
                break
            self.unlock()
            database.call_here(key)
        self.rsn, _, self.flags, self.data = held

    def store(self, data):
        record = HEADER.pack(self.rsn, self.database.pnn, 0, self.flags, 0) + data
        if self.database.tdb.tdb_store(self.database.file, _data(self.key), _data(record), 0) != 0:
            raise RuntimeError("store refused")
        self.data = data

    def unlock(self):
        self.database.tdb.tdb_chainunlock(self.database.file, _data(self.key))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unlock()


def _data(value):
    held = ctypes.create_string_buffer(value, max(1, len(value)))
    data = _Data(ctypes.cast(held, ctypes.c_void_p), len(value))
    data.held = held  # as long as the structure that points to it
    return data
