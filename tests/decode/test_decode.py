#!/usr/bin/env python3
"""floe decode: the captures of real daemons in every form that it takes, damaged ones, and broken packets."""
import json
import pathlib
import random
import re
import tempfile
import unittest

import floe
import tap


class Check(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def check(self, lines):
        file = self.directory / "lines.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return floe.run("decode", "--check", file)

    def test_every_golden_file_passes(self):
        for file in floe.golden_files():
            self.assertEqual((0, f"{len(file.read_text().splitlines())} packets, 0 differ from their lines\n", ""),
                             floe.run("decode", "--check", file), file)

    def test_a_changed_byte_is_found(self):
        """Anywhere in any packet, outside of what the sender left to chance: named with line, field and offset."""
        chance = random.Random(7)
        damaged, places = [], []
        for line in floe.good_lines():
            packet = bytearray.fromhex(line["hex"])
            free = {i for offset, size in line["uninit"] for i in range(offset, offset + size)}
            for at in chance.sample(range(len(packet)), 6):
                if at not in free:
                    changed = bytearray(packet)
                    changed[at] ^= 1 << chance.randrange(8)
                    damaged.append({**line, "hex": changed.hex()})
                    places.append((line["id"], at))
        status, out, _ = self.check(damaged)
        self.assertEqual(1, status)
        found = {int(number) for number in re.findall(r"line (\d+): \S+: field \S+ at offset \d+ ", out)}
        self.assertEqual([], [place for number, place in enumerate(places, 1) if number not in found])

    def test_a_changed_byte_is_named(self):
        line = next(line for line in floe.good_lines() if line["id"] == "attach-002")
        packet = bytearray.fromhex(line["hex"])
        packet[32] ^= 1  # status
        status, out, _ = self.check([line, {**line, "hex": packet.hex()}])
        self.assertEqual(1, status)
        self.assertIn("line 2: attach-002: field status at offset 32 is 1, should be 0", out)
        self.assertIn("2 packets, 1 differ", out)

    def test_what_the_line_says_is_compared(self):
        line = next(line for line in floe.good_lines() if line["id"] == "attach-001")
        for name, value in {"op": "REPLY_CONTROL", "control": 36, "control_name": "GET_PID",
                            "fields": {**line["fields"], "reqid": 1}, "hex": line["hex"][:-8]}.items():
            self.assertEqual(1, self.check([{**line, name: value}])[0], name)
        shorter = {k: v for k, v in line["fields"].items() if k != "flags"}
        self.assertIn("field flags at offset 52", self.check([{**line, "fields": shorter}])[1])

    def test_uninitialised_bytes_may_differ(self):
        line = next(line for line in floe.good_lines() if line["uninit"] and line["control_name"] == "TRAVERSE_ALL_EXT")
        packet = bytearray.fromhex(line["hex"])
        packet[line["uninit"][0][0]] ^= 0xFF
        self.assertEqual(0, self.check([{**line, "hex": packet.hex()}])[0])
        self.assertEqual(1, self.check([{**line, "hex": packet.hex(), "uninit": []}])[0])

    def test_a_packet_longer_than_its_contents(self):
        line = next(line for line in floe.good_lines() if line["id"] == "attach-001")
        packet = bytearray.fromhex(line["hex"]) + bytes(8)
        packet[0] += 8
        longer = {**line, "hex": packet.hex(), "fields": {**line["fields"], "length": len(packet)}}
        self.assertIn("field length at offset 0", self.check([longer])[1])
        self.assertEqual(0, self.check([{**longer, "about": "hand-made: " + line["about"]}])[0])

    def test_unreadable(self):
        file = self.directory / "x"
        self.assertEqual(2, floe.run("decode", "--check", file)[0])
        file.write_text('{"id": "a", \n')
        status, _, errors = floe.run("decode", "--check", file)
        self.assertEqual(2, status)
        self.assertIn("line 1", errors)


class Json(unittest.TestCase):
    def test_fields_of_the_captures(self):
        for file in floe.golden_files():
            status, out, _ = floe.run("--json", "decode", file)
            self.assertEqual(0, status, file)
            answers, lines = floe.objects(out), floe.objects(file.read_text())
            self.assertEqual(len(lines), len(answers))
            for answer, line in zip(answers, lines):
                self.assertEqual(line["id"], answer["id"])
                if line["fields"] is None:
                    continue
                self.assertEqual((line["op"], line["control"], line.get("control_name"), line["fields"]),
                                 (answer["op"], answer["control"], answer["control_name"], answer["fields"]), line["id"])
                self.assertEqual(len(line["hex"]), len(answer["reencoded"]))

    def test_a_stream_implies_whose_reply_it_is(self):
        lines = floe.objects((floe.GOLDEN / "conversations" / "status.jsonl").read_text())
        stream = bytes.fromhex("".join(line["hex"] for line in lines))
        for content in (stream, stream.hex(), "\n".join(line["hex"] for line in lines)):
            status, out, _ = floe.run("decode", "--json", stdin=content)
            self.assertEqual(0, status)
            self.assertEqual([line["fields"] for line in lines], [answer["fields"] for answer in floe.objects(out)])
        status, out, _ = floe.run("decode", "--json", *(line["hex"] for line in lines))
        self.assertEqual([line["fields"] for line in lines], [answer["fields"] for answer in floe.objects(out)])

    def test_the_opcode_of_a_lone_reply_can_be_told(self):
        line = next(line for line in floe.good_lines() if line["op"] == "REPLY_CONTROL" and
                    line["control_name"] == "GETVNNMAP" and line["fields"]["datalen"])
        plain = floe.objects(floe.run("decode", "--json", line["hex"])[1])[0]
        self.assertEqual("bytes", plain["fields"]["data_type"])
        for told in ("getvnnmap", "5"):
            answer = floe.objects(floe.run("decode", "--json", "--answers", told, line["hex"])[1])[0]
            self.assertEqual(line["fields"], answer["fields"])


class Broken(unittest.TestCase):
    def test_the_captured_ones(self):
        answers = floe.objects(floe.run("decode", "--json", floe.GOLDEN / "invalid.jsonl")[1])
        self.assertEqual({"invalid-1": ("magic", 4), "invalid-3": ("operation", 16), "invalid-4": ("", 0), "invalid-5": ("", 0)},
                         {a["id"]: (a["error"]["field"], a["error"]["offset"]) for a in answers})
        self.assertTrue(all("header" in a["error"]["text"] and a["error"]["type"] == "header" for a in answers))

    def test_truncated(self):
        line = next(line for line in floe.good_lines() if line["id"] == "attach-001")
        for size in (1, 4, 31, 32, 40, 63):
            status, out, _ = floe.run("decode", "--json", line["hex"][:2 * size])
            self.assertEqual(1, status, size)
            self.assertEqual(1, len(floe.objects(out)), size)
            self.assertEqual("header", floe.objects(out)[0]["error"]["type"])
            self.assertEqual(1, floe.run("decode", line["hex"][:2 * size])[0])

    def test_a_length_that_lies(self):
        line = next(line for line in floe.good_lines() if line["id"] == "attach-001")
        packet = bytearray.fromhex(line["hex"])
        packet[56:60] = b"\xff\xff\xff\xff"  # datalen
        status, out, _ = floe.run("decode", "--json", packet.hex())
        error = floe.objects(out)[0]["error"]
        self.assertEqual((1, "REQ_CONTROL"), (status, error["type"]))
        self.assertGreaterEqual(error["offset"], 56)
        text = floe.run("decode", packet.hex())[1]
        self.assertIn(f"wrong: {error['text']}", text)
        self.assertIn("destnode", text)  # what could be read is shown

    def test_a_payload_of_the_wrong_type(self):
        line = next(line for line in floe.good_lines() if line["op"] == "REPLY_CONTROL" and
                    line["control_name"] == "GETVNNMAP" and line["fields"]["datalen"])
        packet = bytearray.fromhex(line["hex"])
        packet[48] = 200  # size of the map
        told = floe.objects(floe.run("decode", "--json", "--answers", "GETVNNMAP", packet.hex())[1])[0]
        self.assertEqual("bytes", told["fields"]["data_type"])
        self.assertEqual("vnn_map", told["payload_error"]["type"])
        self.assertGreaterEqual(told["payload_error"]["offset"], 48)

    def test_unreadable(self):
        for given in ("no-such-file", "abc", "12 34 5x"):
            self.assertEqual(2, floe.run("decode", given)[0], given)
        self.assertEqual(2, floe.run("decode", stdin="")[0])
        self.assertEqual(2, floe.run("decode", "--format", "capture", stdin="00ff")[0])


class Listing(unittest.TestCase):
    def test_lines_have_offset_bytes_field_value_and_meaning(self):
        line = next(line for line in floe.good_lines() if line["id"] == "attach-001")
        out = floe.run("decode", line["hex"])[1]
        self.assertRegex(out, r"(?m)^20 +010000f0 +destnode +4026531841\(CURRENT_NODE\)$")
        self.assertRegex(out, r"(?m)^32 +23000000 +opcode +35\(GET_PNN\)$")
        self.assertRegex(out, r"(?m)^60 +00000000 +padding")

    def test_every_capture_has_one(self):
        for file in floe.golden_files():
            status, out, _ = floe.run("decode", file)
            self.assertEqual(0, status)
            self.assertEqual(len(file.read_text().splitlines()), out.count("offset bytes "), file)


if __name__ == "__main__":
    tap.main()
