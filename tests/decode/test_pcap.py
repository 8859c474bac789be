#!/usr/bin/env python3
"""floe capture --pcap: conversations of the captures, packed into pcap files in all the ways that occur, come out again."""
import ipaddress
import pathlib
import random
import struct
import tempfile
import unittest

import floe
import tap

PORT = 4379
ETHERNET, NULL, RAW, SLL = 1, 0, 101, 113


def ip_packet(source, target, source_port, target_port, sequence, flags, data):
    tcp = struct.pack(">HHIIBBHHH", source_port, target_port, sequence & 0xFFFFFFFF, 0, 5 << 4, flags, 65535, 0, 0) + data
    a, b = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if a.version == 4:
        return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + a.packed + b.packed + tcp
    return struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + a.packed + b.packed + tcp


def with_link(link, ip):
    version = ip[0] >> 4
    ethertype = struct.pack(">H", 0x0800 if version == 4 else 0x86DD)
    if link == ETHERNET:  # short frames are filled up
        return (bytes(12) + b"\x81\x00\x00\x07" + ethertype + ip).ljust(64, b"\xee")
    if link == SLL:
        return bytes(14) + ethertype + ip
    if link == NULL:
        return struct.pack("=I", 2 if version == 4 else 24) + ip
    return ip


def pcap(link, frames, order="<", magic=0xA1B2C3D4):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for number, ip in enumerate(frames):
        frame = with_link(link, ip)
        out += struct.pack(order + "IIII", 1700000000, number, len(frame), len(frame)) + frame
    return out


class Stream:
    """One direction of a connection: segments of a certain size."""

    def __init__(self, source, target, source_port, target_port, start):
        self.ends, self.sequence = (source, target, source_port, target_port), start

    def begin(self):
        frame = ip_packet(*self.ends, self.sequence, 2, b"")
        self.sequence += 1
        return frame

    def send(self, data):
        frame = ip_packet(*self.ends, self.sequence, 0x18, data)
        self.sequence += len(data)
        return frame


class Pcap(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        everything = [line for line in floe.good_lines() if line["dir"] == "node->node" and "channel" in line]
        cls.lines = everything[:200]
        assert len(cls.lines) > 20

    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def record(self, content, *arguments):
        file = self.directory / "x.pcap"
        file.write_bytes(content)
        status, out, errors = floe.run("capture", "--pcap", file, *arguments)
        self.assertEqual(0, status, errors)
        (self.directory / "out.jsonl").write_text(out)
        checked = floe.run("decode", "--check", self.directory / "out.jsonl")
        self.assertEqual(0, checked[0], checked[1])
        return floe.objects(out), errors

    def stream(self, start=1000, addresses=("10.0.0.1", "10.0.0.2"), ports=(40000, PORT)):
        return Stream(*addresses, *ports, start)

    def packets(self):
        return [bytes.fromhex(line["hex"]) for line in self.lines]

    def frames(self, stream, size=500):
        everything = b"".join(self.packets())
        return [stream.begin(), *(stream.send(everything[i:i + size]) for i in range(0, len(everything), size))]

    def assert_all(self, recorded):
        self.assertEqual([line["hex"] for line in self.lines], [line["hex"] for line in recorded])
        self.assertTrue(all(line["dir"] == "node->node" for line in recorded))

    def test_link_types_orders_and_clocks(self):
        for link in (ETHERNET, NULL, RAW, SLL):
            for order, magic in (("<", 0xA1B2C3D4), (">", 0xA1B2C3D4), ("<", 0xA1B23C4D)):
                with self.subTest(link=link, order=order, magic=hex(magic)):
                    self.assert_all(self.record(pcap(link, self.frames(self.stream()), order, magic))[0])

    def test_ipv6(self):
        frames = self.frames(self.stream(addresses=("fd00::1", "fd00::2")))
        recorded, _ = self.record(pcap(ETHERNET, frames))
        self.assert_all(recorded)
        self.assertEqual("[fd00::1]:40000 -> [fd00::2]:4379", recorded[0]["channel"])

    def test_replies_find_their_requests(self):
        recorded, _ = self.record(pcap(RAW, self.frames(self.stream())))
        ids = {line["id"]: line for line in recorded}
        replies = [line for line in recorded if "reply_to" in line]
        self.assertGreater(len(replies), 5)
        for line in replies:
            self.assertEqual(ids[line["reply_to"]]["fields"]["reqid"], line["fields"]["reqid"])
            self.assertEqual(ids[line["reply_to"]]["control"], line["control"])

    def test_out_of_order_twice_and_across_the_wrap_of_sequence_numbers(self):
        chance = random.Random(3)
        frames = self.frames(self.stream(start=0xFFFFFFFF - 2000), size=97)
        shuffled = []
        for i in range(1, len(frames), 8):
            window = frames[i:i + 8] + frames[i:i + 3]
            chance.shuffle(window)
            shuffled += window
        self.assert_all(self.record(pcap(RAW, frames[:1] + shuffled))[0])

    def test_begins_in_the_middle(self):
        stream = self.stream()
        packets = self.packets()
        frames = [stream.send(packets[0][20:] + packets[1]), *(stream.send(p) for p in packets[2:])]
        recorded, _ = self.record(pcap(RAW, frames))
        self.assertEqual([line["hex"] for line in self.lines[1:]], [line["hex"] for line in recorded])

    def test_a_lost_segment_costs_what_was_in_it(self):
        stream = self.stream()
        frames = [stream.begin(), *map(stream.send, self.packets())]
        del frames[5]
        recorded, errors = self.record(pcap(RAW, frames))
        self.assertEqual([line["hex"] for line in self.lines[:4] + self.lines[5:]], [line["hex"] for line in recorded])
        self.assertIn(f"{len(self.lines[4]['hex']) // 2} bytes are not in the file", errors)

    def test_other_ports(self):
        frames = self.frames(self.stream(ports=(40000, 5000)))
        self.assertEqual([], self.record(pcap(RAW, frames))[0])
        self.assert_all(self.record(pcap(RAW, frames), "--port", 5000)[0])

    def test_what_is_no_pcap_file(self):
        for content in (b"", b"x" * 100, struct.pack("<I", 0x0A0D0D0A) + bytes(40), pcap(147, [])):
            file = self.directory / "bad"
            file.write_bytes(content)
            self.assertEqual(2, floe.run("capture", "--pcap", file)[0])

    def test_cut_anywhere_it_does_not_crash(self):
        whole = pcap(ETHERNET, self.frames(self.stream())[:6])
        file = self.directory / "cut"
        for size in range(0, len(whole), 37):
            file.write_bytes(whole[:size])
            self.assertIn(floe.run("capture", "--pcap", file)[0], (0, 2))


if __name__ == "__main__":
    tap.main()
