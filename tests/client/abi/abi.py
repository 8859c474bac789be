#!/usr/bin/env python3
"""The functions that libfloe-client.so.0 shows are those of floe_client_0.c, and those of its header.

    abi.py LIBRARY
"""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEADER = HERE.parents[2] / "actors" / "clib" / "include" / "floe" / "client.h"
# by the macro that names a function in floe_client_0.c
VERSIONS = {"": "FLOE_CLIENT_0", "_0_2": "FLOE_CLIENT_0.2"}


def promised(text):
    """Of floe_client_0.c: each name with the version that brought it."""
    return {f"{name}@@{version}" for suffix, version in VERSIONS.items()
            for name in re.findall(rf"^FUNCTION{suffix}\([^,]+, (floe_\w+),", text, re.M)}


def declared(text):
    """Of the header."""
    return set(re.findall(r"^FLOE_API [^;(]*?(floe_\w+)\(", text, re.M))


def shown(listing):
    """Of `nm`: names with their versions; a version itself is an absolute symbol."""
    return {line.split()[2] for line in listing.splitlines() if line.split()[1] != "A"}


def without_versions(names):
    return {name.split("@")[0] for name in names}


def differences(expected, found, where):
    return [f"{name} is missing in {where}" for name in sorted(expected - found)] + \
        [f"{name} is in {where} and not in floe_client_0.c" for name in sorted(found - expected)]


def main():
    listing = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], capture_output=True, text=True, check=True).stdout
    expected = promised((HERE / "floe_client_0.c").read_text())
    assert len(expected) > 20, "floe_client_0.c cannot be read"
    assert differences({"a", "b"}, {"b", "c"}, "x"), "a difference is not seen"
    wrong = differences(expected, shown(listing), "the library") + \
        differences(without_versions(expected), declared(HEADER.read_text()), "the header")
    print("\n".join(wrong) or f"{len(expected)} functions")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
