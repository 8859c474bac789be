"""Transactions by the wire, as CTDB's client library sends them."""
import struct

TRANS3_COMMIT, UPDATE_RECORD, GET_DB_SEQNUM, DB_FREEZE, DB_THAW = 119, 63, 120, 141, 142
SEQNUM_KEY = b"__db_sequence_number__\0"


def record(key, data, rsn, dmaster=0):
    """One record with its header, marshalled."""
    whole = struct.pack("=QIIII", rsn, dmaster, 0, 0, 0) + data
    return struct.pack("=IIII", 16 + len(key) + len(whole), 0, len(key), len(whole)) + key + whole


def records(db_id, *many):
    return struct.pack("=II", db_id, len(many)) + b"".join(many)


def seqnum_record(number, rsn=None):
    return record(SEQNUM_KEY, struct.pack("=Q", number), number if rsn is None else rsn)


def seqnum(connection, db_id):
    """The sequence number, or None where the node refuses to say."""
    status, data, _ = connection.request(GET_DB_SEQNUM, struct.pack("=II", db_id, 0))
    return struct.unpack("=Q", data)[0] if status == 0 else None


def commit(connection, db_id, *many, seconds=60):
    """The status of TRANS3_COMMIT."""
    return connection.request(TRANS3_COMMIT, records(db_id, *many), seconds=seconds)[0]
