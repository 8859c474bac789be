"""libtdb as Python calls it, through any library that has its functions: the real one, or floe's bridge, which hands on what
is not for it."""
import ctypes
import ctypes.util
import errno
import os
import struct
import subprocess

FLOE = os.environ.get("FLOE")
IO, LOCK, EXISTS, NOLOCK, NOEXIST, EINVAL, RDONLY, NESTING = 2, 3, 5, 6, 8, 9, 10, 11
REPLACE, INSERT, MODIFY = 1, 2, 3
HEADER = struct.Struct("<QIIII")


def header(rsn=0, dmaster=0, flags=0):
    return HEADER.pack(rsn, dmaster, 0, flags, 0)


class Data(ctypes.Structure):
    _fields_ = [("dptr", ctypes.c_void_p), ("dsize", ctypes.c_size_t)]

    @property
    def octets(self):
        return ctypes.string_at(self.dptr, self.dsize) if self.dptr else None


class Logging(ctypes.Structure):
    _fields_ = [("log_fn", ctypes.c_void_p), ("private", ctypes.c_void_p)]


# the format alone: what follows it is not looked at
LOG = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p)
PARSER = ctypes.CFUNCTYPE(ctypes.c_int, Data, Data, ctypes.c_void_p)
VISITOR = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, Data, Data, ctypes.c_void_p)
WALK = ctypes.CFUNCTYPE(None, Data, Data, ctypes.c_void_p)
_P, _I = ctypes.c_void_p, ctypes.c_int


def bridge_path():
    return subprocess.run([FLOE, "bridge", "--library"], capture_output=True, text=True, check=True).stdout.strip()


class Library:
    def __init__(self, path="libtdb.so.1"):
        self.c = ctypes.CDLL(path, use_errno=True)
        for name, result, arguments in (
                ("open_ex", _P, [ctypes.c_char_p, _I, _I, _I, ctypes.c_uint, _P, _P]), ("close", _I, [_P]),
                ("open", _P, [ctypes.c_char_p, _I, _I, _I, ctypes.c_uint]),
                ("fetch", Data, [_P, Data]), ("exists", _I, [_P, Data]), ("delete", _I, [_P, Data]),
                ("parse_record", _I, [_P, Data, PARSER, _P]), ("store", _I, [_P, Data, Data, _I]),
                ("storev", _I, [_P, Data, _P, _I, _I]), ("append", _I, [_P, Data, Data]),
                ("chainlock", _I, [_P, Data]), ("chainlock_nonblock", _I, [_P, Data]), ("chainunlock", _I, [_P, Data]),
                ("chainlock_read", _I, [_P, Data]), ("chainunlock_read", _I, [_P, Data]),
                ("firstkey", Data, [_P]), ("nextkey", Data, [_P, Data]), ("traverse_read", _I, [_P, VISITOR, _P]),
                ("traverse", _I, [_P, VISITOR, _P]), ("traverse_key_chain", _I, [_P, Data, VISITOR, _P]),
                ("get_seqnum", _I, [_P]), ("error", _I, [_P]), ("errorstr", ctypes.c_char_p, [_P]),
                ("name", ctypes.c_char_p, [_P]), ("fd", _I, [_P]), ("hash_size", _I, [_P]), ("get_flags", _I, [_P]),
                ("lockall", _I, [_P]), ("wipe_all", _I, [_P]), ("transaction_start", _I, [_P]), ("transaction_start_nonblock", _I, [_P]),
                ("transaction_commit", _I, [_P]), ("transaction_cancel", _I, [_P]), ("reopen_all", _I, [_I]),
                ("summary", ctypes.c_char_p, [_P]), ("check", _I, [_P, _P, _P]), ("repack", _I, [_P]),
                ("map_size", ctypes.c_size_t, [_P]), ("transaction_active", ctypes.c_bool, [_P])):
            f = getattr(self.c, "tdb_" + name)
            f.restype, f.argtypes = result, arguments

    def open(self, path, hash_size=0, flags=0, open_flags=os.O_RDWR, log=None):
        return File(self, path, hash_size, flags, open_flags, log)


class Failed(RuntimeError):
    def __init__(self, function, error):
        super().__init__(f"tdb_{function}: error {error}")
        self.error = error


def _data(octets):
    return Data(ctypes.cast(ctypes.create_string_buffer(octets, max(1, len(octets))), ctypes.c_void_p), len(octets))


class File:
    def __init__(self, library, path, hash_size, flags, open_flags, log):
        self.c, self._keep = library.c, None
        logging = None
        if log is not None:
            self._keep = LOG(lambda _t, level, _format, text: log.append((level, text.decode())))
            logging = ctypes.byref(Logging(ctypes.cast(self._keep, ctypes.c_void_p), None))
        self.context = self.c.tdb_open_ex(str(path).encode(), hash_size, flags, open_flags, 0o600, logging, None)
        if not self.context:
            number = ctypes.get_errno()
            raise OSError(number, errno.errorcode.get(number, "?"), str(path))

    def call(self, function, *arguments):
        """The result; a negative one raises what tdb_error says."""
        result = getattr(self.c, "tdb_" + function)(self.context, *[_data(a) if isinstance(a, bytes) else a
                                                                   for a in arguments])
        if isinstance(result, int) and result < 0:
            raise Failed(function, self.c.tdb_error(self.context))
        return result

    def lock(self, key):
        self.call("chainlock", key)

    def unlock(self, key):
        self.call("chainunlock", key)

    def fetch(self, key):
        return self.call("fetch", key).octets

    def store(self, key, data, flag=REPLACE):
        parts = (Data * 2)(_data(header()), _data(data))
        self.call("storev", key, ctypes.cast(parts, ctypes.c_void_p), 2, flag)

    def value(self, key):
        """Without the header; None: there is no record."""
        octets = self.fetch(key)
        return None if octets is None else octets[HEADER.size:]

    def parse(self, key):
        seen = []

        @PARSER
        def run(_key, data, _private):
            seen.append(data.octets)
            return 7

        result = self.c.tdb_parse_record(self.context, _data(key), run, None)
        return (result, seen[0]) if seen else (result, None)

    def records(self, function="traverse_read", *arguments, most=None):
        found = {}

        @VISITOR
        def visit(_context, key, data, _private):
            found[key.octets] = data.octets[HEADER.size:]
            return int(most is not None and len(found) >= most)

        count = self.call(function, *arguments, visit, None)
        return found, count

    def keys(self):
        key = self.c.tdb_firstkey(self.context)
        while key.octets is not None:
            yield key.octets
            key = self.c.tdb_nextkey(self.context, key)

    @property
    def error(self):
        return self.c.tdb_error(self.context)

    def close(self):
        self.c.tdb_close(self.context)
