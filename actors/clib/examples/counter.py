#!/usr/bin/env python3
"""The counter of counter.c in Python, by the C interface alone: counter.py LIBRARY NODE [TIMES]"""
import ctypes
import sys

lib = ctypes.CDLL(sys.argv[1])
lib.floe_error_text.restype = ctypes.c_char_p
lib.floe_lock_data.restype = ctypes.c_void_p
for name in "floe_lock_data", "floe_store", "floe_unlock", "floe_attach", "floe_disconnect":
    getattr(lib, name).argtypes = {
        "floe_lock_data": [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)],
        "floe_store": [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t],
        "floe_attach": [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p],
    }.get(name, [ctypes.c_void_p])


def check(result):
    if result < 0:
        sys.exit(f"counter: {lib.floe_error_text().decode()}")


node, lock, db, size, value = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_uint32(), ctypes.c_size_t(), 0
check(lib.floe_connect(sys.argv[2].encode(), 0, 10000, ctypes.byref(node)))
check(lib.floe_attach(node, b"counter.tdb", 0, 10000, ctypes.byref(db)))
for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):
    check(lib.floe_lock_record(node, db, b"visitors", ctypes.c_size_t(8), 30000, ctypes.byref(lock)))
    data = lib.floe_lock_data(lock, ctypes.byref(size))
    value = int.from_bytes(ctypes.string_at(data, size.value), "little") + 1
    check(lib.floe_store(lock, value.to_bytes(8, "little"), 8))
    check(lib.floe_unlock(lock))
print(value)
lib.floe_disconnect(node)
