#!/usr/bin/env python3
"""Prints the catalog of systemd's journal from what the program says of its events (`floe explain --json`): `journalctl -x` shows
below a line what is so, why, and what to do.

usage: catalog.py PROGRAM
"""
import json
import subprocess
import sys
import textwrap

WIDTH = 78


def entry(event):
    def paragraph(text):
        return textwrap.fill(text[0].upper() + text[1:] + ".", WIDTH, break_on_hyphens=False)
    return "\n".join([f"-- {event['message_id']}", f"Subject: {event['name']}: {event['meaning']}", "Defined-By: floe",
                      "Documentation: man:floe(1)", "",
                      *(paragraph(f"{title}: {event[key]}") + "\n" for title, key in
                        (("Cause", "cause"), ("What shows more", "evidence"), ("What to do", "next")))])


def main():
    told = subprocess.run([sys.argv[1], "explain", "--json"], capture_output=True, text=True, check=True)
    events = json.loads(told.stdout)["found"]
    print("# What the lines of a floe node's log mean.\n")
    print("\n".join(map(entry, events)))


if __name__ == "__main__":
    main()
