#!/usr/bin/env python3
"""The symbols that libfloe-async.so.0 shows are those of floe_async_0.txt: floe::async and nothing of anybody else's.

    async_abi.py LIBRARY [--rewrite]     --rewrite adds new ones to the list; none may go
"""
import pathlib
import re
import subprocess
import sys

LIST = pathlib.Path(__file__).resolve().parent / "floe_async_0.txt"
OURS = re.compile(r"((typeinfo|typeinfo name|vtable) for )?floe::async::")
INSIDE = re.compile(r"floe::async::inside::(?!core\b|held_lock\b|open_transaction\b)|floe::async_inside|^floe::async::inside::")


def shown(listing):
    """Of `nm -C`: each symbol in words with the version that brought it; a version itself is an absolute symbol."""
    found = set()
    for line in listing.splitlines():
        _, kind, name = line.split(" ", 2)
        if kind != "A":
            found.add(name.strip())
    return found


def not_ours(names):
    return sorted(n for n in names if not OURS.match(n) or INSIDE.search(n))


def main():
    assert not_ours({"floe::client::close()@@FLOE_ASYNC_0", "floe::async::inside::core::stop()@@X"}), "a leak is not seen"
    listing = subprocess.run(["nm", "-D", "-C", "--defined-only", sys.argv[1]], capture_output=True, text=True, check=True).stdout
    there = shown(listing)
    listed = set(LIST.read_text().splitlines()) if LIST.exists() else set()
    if "--rewrite" in sys.argv[2:]:
        listed |= there
        LIST.write_text("".join(f"{name}\n" for name in sorted(listed)))
    wrong = [f"{n} is shown and is no part of the interface" for n in not_ours(there)] + \
        [f"{n} is in {LIST.name} and not in the library" for n in sorted(listed - there)] + \
        [f"{n} is in the library and not in {LIST.name}" for n in sorted(there - listed)]
    print("\n".join(wrong) or f"{len(there)} symbols")
    return 1 if wrong or len(there) < 60 else 0


if __name__ == "__main__":
    sys.exit(main())
