"""The program under test, and the captures of real daemons."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "interop"))  # tap.py

FLOE = os.environ["FLOE"]
GOLDEN = pathlib.Path(__file__).parent.parent / "golden"


def run(*arguments, stdin=b""):
    """Exit status, output and errors; input and output as bytes or text alike."""
    result = subprocess.run([FLOE, *map(str, arguments)], input=stdin.encode() if isinstance(stdin, str) else stdin,
                            capture_output=True, timeout=60)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def golden_files():
    return sorted(GOLDEN.rglob("*.jsonl"))


def golden_lines():
    """(file, number in it, object) of every line."""
    for file in golden_files():
        for number, text in enumerate(file.read_text().splitlines(), 1):
            yield file, number, json.loads(text)


def good_lines():
    return [line for _, _, line in golden_lines() if line["fields"] is not None]


def objects(text):
    return [json.loads(line) for line in text.splitlines()]
