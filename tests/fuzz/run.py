#!/usr/bin/env python3
"""Runs a fuzzer on a corpus made from the captures of tests/golden, which ctdbd's packets are in, and of plain packets
and values for every control and type there is, floe's own among them.

usage: run.py FUZZER KIND GOLDEN_DIR [LIBFUZZER_OPTION...]

KIND is packet, payload, framing or table: how an input of this fuzzer looks (see the opening comments of fuzz_*.cpp). The seed is
printed by the fuzzer; an input that breaks something is written to the current directory, and named in the output:
`FUZZER FILE` runs it alone.
"""
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile


LARGEST = 4096  # bytes of an input: what is larger only takes longer


def captures(golden):
    for file in sorted(pathlib.Path(golden).rglob("*.jsonl")):
        for line in file.read_text().splitlines():
            yield json.loads(line)


SIZES = 0, 4, 8, 12, 16, 24, 32, 40, 64, 128  # of plain values: zeros decode as most types, at one size or another


def opcodes(golden):
    """Of all controls, from their table."""
    table = pathlib.Path(golden).parents[1] / "protocol" / "controls.def"
    found = re.findall(r"^FLOE_CONTROL\(\s*(0x[0-9a-fA-F]+|\d+)", table.read_text(), re.M)
    assert found, f"no controls in {table}"
    return [int(opcode, 0) for opcode in found]


def packet(operation, body):
    body += bytes(-len(body) % 8)
    return struct.pack("=8I", 32 + len(body), 0x43544442, 1, 1, operation, 0, 1, 1) + body


def packet_inputs(golden, _):
    for c in captures(golden):
        yield (c["control"] or 0).to_bytes(4, "little") + bytes.fromhex(c["hex"])
    for opcode in opcodes(golden):
        for size in SIZES:
            data = bytes(size)
            yield bytes(4) + packet(7, struct.pack("=IIQIII", opcode, 0, 0, 0, 0, size) + data)
            yield opcode.to_bytes(4, "little") + packet(8, struct.pack("=iII", 0, size, 0) + data)


def payload_inputs(golden, fuzzer):
    types = subprocess.run([fuzzer, "--types"], check=True, capture_output=True, text=True).stdout.split()
    for c in captures(golden):
        start = {"REQ_CONTROL": 60, "REPLY_CONTROL": 44, "REQ_MESSAGE": 44}.get(c["op"])
        if start is None:
            continue
        payload = bytes.fromhex(c["hex"])[start:start + c["fields"]["datalen"]]
        yield bytes([types.index(c["fields"]["data_type"])]) + payload
        yield b"\xff" + payload
    for number in range(len(types)):
        for size in SIZES:
            yield bytes([number]) + bytes(size)
            yield bytes([number]) + b"\1\0\0\0" * (size // 4)


def framing_inputs(golden, _):
    stream = b""
    for number, c in enumerate(captures(golden)):
        packet = bytes.fromhex(c["hex"])
        yield bytes([number % 16, number % 256]) + packet
        stream = (stream + packet)[-3000:] if number % 5 else packet
        yield bytes([number % 16, 255 - number % 256]) + stream


def table_inputs(_golden, _fuzzer):
    """Sentences of numbers, each with its length in front."""
    chance = random.Random(1)
    for count in range(4, 400, 4):
        yield b"".join(bytes([length]) + chance.randbytes(length) for length in chance.choices((1, 1, 1, 2, 8), k=count))


INPUTS = {"packet": packet_inputs, "payload": payload_inputs, "framing": framing_inputs, "table": table_inputs}


def main():
    fuzzer, kind, golden, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as corpus:
        count = 0
        for data in INPUTS[kind](golden, fuzzer):
            if len(data) > LARGEST:
                continue
            count += 1
            (pathlib.Path(corpus) / f"{count:06}").write_bytes(data)
        if count == 0:
            sys.exit(f"no captures in {golden}")
        print(f"corpus: {count} inputs", flush=True)
        command = [fuzzer, f"-max_len={LARGEST}", "-rss_limit_mb=2048", "-timeout=60", *options, corpus]
        # libFuzzer's 77 for a found fault would mean "skipped" to meson
        return 1 if subprocess.run(command, check=False).returncode else 0


if __name__ == "__main__":
    sys.exit(main())
