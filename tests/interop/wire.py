"""As much of CTDB's wire protocol as a tester needs to talk, or babble, to a node.

Written apart from the C++ codec, so that the two check each other. All integers are in host order; header, control
and message layouts are those of Samba's ctdb/protocol/protocol_header.c and protocol_packet.c.
"""
import select
import socket
import struct
import time
from typing import NamedTuple

MAGIC, VERSION = 0x43544442, 1
REQ_CALL, REPLY_CALL, REQ_DMASTER, REPLY_DMASTER, REPLY_ERROR, REQ_MESSAGE = range(6)
REQ_CONTROL, REPLY_CONTROL, REQ_KEEPALIVE, REQ_TUNNEL = range(7, 11)
CURRENT_NODE = 0xF0000001
HEADER = struct.Struct("=8I")  # length magic version generation operation destnode srcnode reqid
PING, GET_PID, GET_DBMAP = 3, 30, 9


class Packet(NamedTuple):
    operation: int
    reqid: int
    body: bytes

    def control_reply(self):
        """(status, data, error text) of a REPLY_CONTROL"""
        status, data_size, error_size = struct.unpack_from("=iII", self.body)
        return status, self.body[12:12 + data_size], self.body[12 + data_size:12 + data_size + error_size]


def packet(operation, body=b"", *, length=None, magic=MAGIC, version=VERSION, generation=0,
           destnode=CURRENT_NODE, srcnode=0, reqid=1):
    """A packet, padded to 8 bytes as daemons and Samba's client library do; each header field may be a lie."""
    body += bytes(-len(body) % 8)
    if length is None:
        length = HEADER.size + len(body)
    return HEADER.pack(length, magic, version, generation, operation, destnode, srcnode, reqid) + body


def control(opcode, data=b"", *, data_size=None, flags=0, **header):
    size = len(data) if data_size is None else data_size
    return packet(REQ_CONTROL, struct.pack("=IIQIII", opcode, 0, 0, 0, flags, size) + data, **header)


def call(db_id, key, *, key_size=None, flags=1, callid=0xFF000001, **header):
    size = len(key) if key_size is None else key_size
    return packet(REQ_CALL, struct.pack("=6I", flags, db_id, callid, 0, size, 0) + key, **header)


class Closed(ConnectionError):
    """The other side has ended the connection."""


class Connection:
    """One connection, Unix or TCP; every receiving call has a deadline."""

    def __init__(self, stream):
        self.stream = stream
        self.pending = b""
        self.last_reqid = 0

    @classmethod
    def to_socket(cls, path):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(path))
        return cls(stream)

    @classmethod
    def to_node(cls, address, port, source_address):
        """As the node at source_address would connect."""
        stream = socket.socket(socket.AF_INET)
        stream.bind((source_address, 0))
        stream.settimeout(10)
        stream.connect((address, port))
        return cls(stream)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()

    def send(self, data):
        """Sends all; whether the other side hangs up meanwhile is for receive() to find."""
        try:
            self.stream.settimeout(10)
            self.stream.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def receive(self, seconds):
        """The next packet, or None if none comes in time. Raises Closed."""
        deadline = time.monotonic() + seconds
        while True:
            if len(self.pending) >= 4:
                (length,) = struct.unpack_from("=I", self.pending)
                if len(self.pending) >= length >= HEADER.size:
                    whole, self.pending = self.pending[:length], self.pending[length:]
                    fields = HEADER.unpack_from(whole)
                    return Packet(fields[4], fields[7], whole[HEADER.size:])
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.stream], [], [], left)[0]:
                return None
            try:
                data = self.stream.recv(65536)
            except ConnectionResetError as error:
                raise Closed from error
            if not data:
                raise Closed
            self.pending += data

    def request(self, opcode, data=b"", seconds=10, **header):
        """One control and its answer: (status, data, error text). Raises Closed, TimeoutError."""
        self.last_reqid += 1
        self.send(control(opcode, data, reqid=self.last_reqid, **header))
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            answer = self.receive(left)
            if answer and answer.operation == REPLY_CONTROL and answer.reqid == self.last_reqid:
                return answer.control_reply()
        raise TimeoutError(f"control {opcode}: no answer within {seconds} s")
