"""A test that plays a node: the address of one that is down, both connections, and the answers to a greeting."""
import contextlib
import socket
import struct

import wire

GET_CAPABILITIES, GET_NODEMAP = 80, 91
CAPABILITIES = 0x30003  # of a ctdbd: leader, lmaster, and two that all have


class Peer:
    """Both connections that make a node: ours to the victim, and the victim's to us, which brings its answers. The
    victim may drop and renew either until it has both."""

    def __init__(self, victim, absent, connect=None):
        self.listener = socket.create_server((absent.address, absent.port))
        self.listener.settimeout(0.2)
        self.victim, self.absent = victim, absent
        self.connect = connect or (lambda: wire.Connection.to_node(victim.address, victim.port, absent.address))
        self.out, self.back, self.others = None, None, []
        with victim.connect() as client:
            self.node_map = client.request(GET_NODEMAP)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in (self.listener, self.out, self.back, *self.others):
            if one:
                one.close()

    def turn(self, seconds=0.2):
        """Keeps the connections up and answers the victim's greeting; what else it sends, or None."""
        with contextlib.suppress(TimeoutError):
            stream, (address, _) = self.listener.accept()
            if address == self.victim.address:
                self.back = wire.Connection(stream)
            else:
                self.others.append(stream)  # the third node wants us as well
        try:
            if self.out is None:
                self.out = self.connect()
            self.out.receive(0)  # has it been closed?
        except wire.Closed:
            self.out = None
            return None
        try:
            while packet := self.back and self.back.receive(seconds):
                if not self.greeted(packet):
                    return packet
        except wire.Closed:
            self.back = None
        return None

    def greeted(self, packet):
        if packet.operation != wire.REQ_CONTROL:
            return False
        answers = {GET_CAPABILITIES: struct.pack("=I", CAPABILITIES), GET_NODEMAP: self.node_map}
        data = answers.get(struct.unpack_from("=I", packet.body)[0])
        if data is None:
            return False
        self.send(wire.packet(wire.REPLY_CONTROL, struct.pack("=iII", 0, len(data), 0) + data, srcnode=self.absent.pnn,
                              destnode=self.victim.pnn, reqid=packet.reqid))
        return True

    def send(self, packet):
        if self.out:
            self.out.send(packet)

    def keepalive(self, version, uptime):
        self.send(wire.packet(wire.REQ_KEEPALIVE, struct.pack("=II", version, uptime), srcnode=self.absent.pnn,
                              destnode=self.victim.pnn))

    def ask(self, opcode, reqid):
        """The answer, or None if it did not come at once."""
        self.turn(0)
        self.send(wire.control(opcode, srcnode=self.absent.pnn, destnode=self.victim.pnn, reqid=reqid))
        while packet := self.turn():
            if packet.operation == wire.REPLY_CONTROL and packet.reqid == reqid:
                return packet
        return None
