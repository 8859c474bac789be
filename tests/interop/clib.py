"""The C client library as Python calls it: a thin face over ctypes, which lets other threads run during a call."""
import ctypes
import os

LIBRARY = os.environ.get("FLOE_CLIENT_LIBRARY")
OK, ENOTCONN, ETIMEOUT, EREFUSED, ELOST, ENOENT, ENOLOCK = 0, -2, -3, -4, -5, -7, -8
EINVAL, ECHANGED, FOREVER = -1, -11, -1
RECONNECT, PRIVILEGED, COMPANION = 1, 2, 4
VOLATILE, PERSISTENT, REPLICATED = 0, 1, 2
OWNER, SETTLED, COPY = 0, 1, 2
WITH_EMPTY, LOCAL = 1, 2
ALL, ACTIVE, CONNECTED = 0xF0000002, 0xF0000003, 0xF0000004
SERVING, FREEZING, FROZEN, EXCHANGING = range(4)


class Header(ctypes.Structure):
    _fields_ = [("rsn", ctypes.c_uint64), ("dmaster", ctypes.c_uint32), ("flags", ctypes.c_uint32)]


class Value(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("header", Header), ("exists", ctypes.c_int)]


class NodeResult(ctypes.Structure):
    _fields_ = [("pnn", ctypes.c_uint32), ("error", ctypes.c_int), ("status", ctypes.c_int32), ("value", Value)]


VISITOR = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t,
                           ctypes.POINTER(Header), ctypes.c_void_p)
HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
TUNNEL_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
RECOVERY_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_P, _S, _I = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_lib = ctypes.CDLL(LIBRARY) if LIBRARY else None


def _declare():
    for name, arguments in {
            "connect": [ctypes.c_char_p, ctypes.c_uint, _I, _P], "disconnect": [_P], "fd": [_P],
            "attach": [_P, ctypes.c_char_p, _I, _I, _P], "find": [_P, ctypes.c_char_p, _I, _P, _P],
            "sequence_number": [_P, ctypes.c_uint32, _I, _P],
            "lock_record": [_P, ctypes.c_uint32, ctypes.c_char_p, _S, _I, _P], "lock_data": [_P, _P],
            "store": [_P, ctypes.c_char_p, _S], "delete": [_P], "unlock": [_P],
            "read": [_P, ctypes.c_uint32, ctypes.c_char_p, _S, _I, _I, _P], "free": [_P],
            "traverse": [_P, ctypes.c_uint32, ctypes.c_uint, _I, VISITOR, _P, _P],
            "transaction_start": [_P, ctypes.c_uint32, _I, _P], "transaction_commit": [_P, _I],
            "transaction_store": [_P, ctypes.c_char_p, _S, ctypes.c_char_p, _S], "transaction_cancel": [_P],
            "transaction_read": [_P, ctypes.c_char_p, _S, _P],
            "listen": [_P, ctypes.c_uint64, HANDLER, _P], "process": [_P, _I],
            "tunnel_open": [_P, ctypes.c_uint64, TUNNEL_HANDLER, _P],
            "tunnel_send": [_P, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_char_p, _S],
            "nodes": [_P, ctypes.c_uint32, _I, _P, _S, _P],
            "control_many": [_P, _P, _S, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_char_p, _S, _I, _P],
            "send_many": [_P, _P, _S, ctypes.c_uint64, ctypes.c_char_p, _S],
            "process_exists": [_P, ctypes.c_uint32, ctypes.c_int32, ctypes.c_uint64, _I],
            "detach": [_P, ctypes.c_uint32, _I], "watch_recoveries": [_P, RECOVERY_HANDLER, _P],
            "send": [_P, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_char_p, _S],
            "set_patience": [_P, _I]}.items():
        getattr(_lib, "floe_" + name).argtypes = arguments
    _lib.floe_error_text.restype = ctypes.c_char_p
    _lib.floe_lock_data.restype = _P


if _lib:
    _declare()


class Error(RuntimeError):
    def __init__(self, code):
        super().__init__(f"{code}: {_lib.floe_error_text().decode()}")
        self.code, self.text = code, _lib.floe_error_text().decode()


def check(code):
    if code < 0:
        raise Error(code)
    return code


class Lock:
    def __init__(self, handle):
        self.handle = handle

    @property
    def data(self):
        size = _S()
        at = _lib.floe_lock_data(self.handle, ctypes.byref(size))
        return ctypes.string_at(at, size.value)

    def store(self, data):
        check(_lib.floe_store(self.handle, data, len(data)))

    def delete(self):
        check(_lib.floe_delete(self.handle))

    def unlock(self):
        check(_lib.floe_unlock(self.handle))


class Connection:
    def __init__(self, where, flags=0, timeout_ms=10000):
        self.handle = _P()
        check(_lib.floe_connect(str(where).encode(), flags, timeout_ms, ctypes.byref(self.handle)))
        self._kept = {}

    def close(self):
        _lib.floe_disconnect(self.handle)

    def attach(self, name, kind=VOLATILE, timeout_ms=20000):
        db = ctypes.c_uint32()
        check(_lib.floe_attach(self.handle, name.encode(), kind, timeout_ms, ctypes.byref(db)))
        return db.value

    def find(self, name):
        db, kind = ctypes.c_uint32(), _I()
        check(_lib.floe_find(self.handle, name.encode(), 10000, ctypes.byref(db), ctypes.byref(kind)))
        return db.value, kind.value

    def lock(self, db, key, timeout_ms=20000):
        handle = _P()
        check(_lib.floe_lock_record(self.handle, db, key, len(key), timeout_ms, ctypes.byref(handle)))
        return Lock(handle)

    def write(self, db, key, data):
        lock = self.lock(db, key)
        lock.store(data)
        lock.unlock()

    def read(self, db, key, how=OWNER, timeout_ms=20000):
        """The record's data, or None."""
        value = Value()
        code = _lib.floe_read(self.handle, db, key, len(key), how, timeout_ms, ctypes.byref(value))
        if code not in (OK, ENOENT):
            raise Error(code)
        data = ctypes.string_at(value.data, value.size) if code == OK else None
        _lib.floe_free(ctypes.byref(value))
        return data

    def records(self, db, flags=0, most=None, timeout_ms=20000):
        found, count = {}, ctypes.c_uint64()

        @VISITOR
        def visit(key, key_size, data, data_size, _header, _context):
            found[ctypes.string_at(key, key_size)] = ctypes.string_at(data, data_size) if data_size else b""
            return int(most is not None and len(found) >= most)

        check(_lib.floe_traverse(self.handle, db, flags, timeout_ms, visit, None, ctypes.byref(count)))
        return found, count.value

    def transaction(self, db, changes, timeout_ms=60000):
        t = _P()
        check(_lib.floe_transaction_start(self.handle, db, timeout_ms, ctypes.byref(t)))
        for key, data in changes.items():
            check(_lib.floe_transaction_store(t, key, len(key), data, len(data)))
        check(_lib.floe_transaction_commit(t, timeout_ms))

    def begin(self, db, timeout_ms=10000):
        t = _P()
        check(_lib.floe_transaction_start(self.handle, db, timeout_ms, ctypes.byref(t)))
        return t

    def sequence_number(self, db, timeout_ms=10000):
        n = ctypes.c_uint64()
        check(_lib.floe_sequence_number(self.handle, db, timeout_ms, ctypes.byref(n)))
        return n.value

    def listen(self, srvid, handler):
        @HANDLER
        def run(_srvid, pnn, data, size, _context):
            handler(pnn, ctypes.string_at(data, size))

        self._kept[srvid] = run
        check(_lib.floe_listen(self.handle, srvid, run, None))

    def send(self, pnn, srvid, data):
        check(_lib.floe_send(self.handle, pnn, srvid, data, len(data)))

    def open_tunnel(self, tunnel, handler):
        @TUNNEL_HANDLER
        def run(_tunnel, flags, data, size, _context):
            handler(flags, ctypes.string_at(data, size))

        check(_lib.floe_tunnel_open(self.handle, tunnel, run if handler else TUNNEL_HANDLER(), None))
        self._kept["tunnel", tunnel] = run

    def send_tunnel(self, pnn, tunnel, flags, data):
        check(_lib.floe_tunnel_send(self.handle, pnn, tunnel, flags, data, len(data)))

    def nodes(self, kind=ALL, room=16):
        found, count = (ctypes.c_uint32 * room)(), _S()
        check(_lib.floe_nodes(self.handle, kind, 10000, found, room, ctypes.byref(count)))
        return list(found[:min(room, count.value)]), count.value

    def control_many(self, pnns, opcode, data=b"", timeout_ms=10000):
        """(pnn, error, status, data) of each."""
        out = (NodeResult * len(pnns))()
        check(_lib.floe_control_many(self.handle, (ctypes.c_uint32 * len(pnns))(*pnns), len(pnns), opcode, 0, data, len(data),
                                     timeout_ms, out))
        results = [(r.pnn, r.error, r.status, ctypes.string_at(r.value.data, r.value.size) if r.value.size else b"")
                   for r in out]
        for r in out:
            _lib.floe_free(ctypes.byref(r.value))
        return results

    def send_many(self, pnns, srvid, data):
        check(_lib.floe_send_many(self.handle, (ctypes.c_uint32 * len(pnns))(*pnns), len(pnns), srvid, data, len(data)))

    def process_exists(self, pnn, pid, srvid=0):
        code = _lib.floe_process_exists(self.handle, pnn, pid, srvid, 10000)
        return False if code == ENOENT else check(code) == OK

    def detach(self, db):
        check(_lib.floe_detach(self.handle, db, 30000))

    def watch_recoveries(self, handler):
        @RECOVERY_HANDLER
        def run(db, phase, recovering, _context):
            handler(db, phase, bool(recovering))

        check(_lib.floe_watch_recoveries(self.handle, run if handler else RECOVERY_HANDLER(), None))
        self._kept["recoveries"] = run

    def process(self, timeout_ms):
        return check(_lib.floe_process(self.handle, timeout_ms))

    def fd(self):
        return check(_lib.floe_fd(self.handle))


def commit(t, timeout_ms=60000):
    check(_lib.floe_transaction_commit(t, timeout_ms))


def cancel(t):
    _lib.floe_transaction_cancel(t)


def transaction_read(t, key):
    value = Value()
    code = _lib.floe_transaction_read(t, key, len(key), ctypes.byref(value))
    if code == ENOENT:
        return None
    check(code)
    data = ctypes.string_at(value.data, value.size)
    _lib.floe_free(ctypes.byref(value))
    return data


def transaction_store(t, key, data):
    check(_lib.floe_transaction_store(t, key, len(key), data, len(data)))
