#!/usr/bin/env python3
"""Runs a fuzzer on a corpus made from the captures of tests/golden.

usage: run.py FUZZER KIND GOLDEN_DIR [LIBFUZZER_OPTION...]

KIND is packet, payload or framing: how an input of this fuzzer looks (see the opening comments of fuzz_*.cpp). The seed is
printed by the fuzzer; an input that breaks something is written to the current directory, and named in the output:
`FUZZER FILE` runs it alone.
"""
import json
import pathlib
import subprocess
import sys
import tempfile


LARGEST = 4096  # bytes of an input: what is larger only takes longer


def captures(golden):
    for file in sorted(pathlib.Path(golden).rglob("*.jsonl")):
        for line in file.read_text().splitlines():
            yield json.loads(line)


def packet_inputs(golden, _):
    for c in captures(golden):
        yield (c["control"] or 0).to_bytes(4, "little") + bytes.fromhex(c["hex"])


def payload_inputs(golden, fuzzer):
    types = subprocess.run([fuzzer, "--types"], check=True, capture_output=True, text=True).stdout.split()
    for c in captures(golden):
        start = {"REQ_CONTROL": 60, "REPLY_CONTROL": 44, "REQ_MESSAGE": 44}.get(c["op"])
        if start is None:
            continue
        payload = bytes.fromhex(c["hex"])[start:start + c["fields"]["datalen"]]
        yield bytes([types.index(c["fields"]["data_type"])]) + payload
        yield b"\xff" + payload


def framing_inputs(golden, _):
    stream = b""
    for number, c in enumerate(captures(golden)):
        packet = bytes.fromhex(c["hex"])
        yield bytes([number % 16, number % 256]) + packet
        stream = (stream + packet)[-3000:] if number % 5 else packet
        yield bytes([number % 16, 255 - number % 256]) + stream


INPUTS = {"packet": packet_inputs, "payload": payload_inputs, "framing": framing_inputs}


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
