#!/usr/bin/env python3
"""The manual page of the tunables says what the program says: `floe explain` and the page come from one table."""
import json
import pathlib
import re
import sys
import unittest

import floe
import tap

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "cli/man"))
import tunables  # noqa: E402

TABLE = (TOP / "protocol/tunables.def").read_text(encoding="utf-8")
EFFECTS = (TOP / "protocol/tunable_effects.def").read_text(encoding="utf-8")


class TunablesPage(unittest.TestCase):
    def test_every_row_of_the_table_is_read(self):
        lines = [line for line in TABLE.splitlines() if line.startswith(("FLOE_TUNABLE(", "FLOE_OWN_TUNABLE(", "FLOE_OBSOLETE_TUNABLE("))]
        self.assertGreater(len(lines), 60)
        self.assertEqual(len(list(tunables.rows(TABLE))), len(lines))

    def test_every_tunable_is_on_the_page(self):
        page = tunables.page(TABLE, EFFECTS)
        for row in tunables.rows(TABLE):
            self.assertIn(row["name"], page)
            if row["meaning"]:
                self.assertIn(f'\\fB{row["name"]}\\fR = {row["value"]}', page)

    def test_what_does_nothing_says_why(self):
        lines = [line for line in EFFECTS.splitlines() if line.startswith("FLOE_NO_EFFECT(")]
        dead = tunables.without_effect(EFFECTS)
        self.assertGreater(len(dead), 10)
        self.assertEqual(len(dead), len(lines))
        page = tunables.page(TABLE, EFFECTS)
        names = {row["name"] for row in tunables.rows(TABLE)}
        for name, why in dead.items():
            self.assertIn(name, names)
            self.assertIn("It has no effect: " + tunables.escaped(why), page)

    def test_each_is_looked_at_or_says_why_not(self):
        """What a value changes is somewhere in the source; what nothing looks at has a reason in tunable_effects.def."""
        source = "".join(path.read_text(encoding="utf-8") for folder in ("actors", "protocol")
                         for path in (TOP / folder).rglob("*.[ch]pp") if path.name != "tunable_effects.cpp")
        looked_at = set(re.findall(r"\btunable::(\w+)", source))
        dead = tunables.without_effect(EFFECTS)
        for line in re.findall(r"^FLOE_(?:OWN_)?TUNABLE\(\d+, (\w+), (\w+),", TABLE, re.M):
            field, name = line
            self.assertNotEqual(field in looked_at, name in dead, f"{name}: it is used, or has no effect for a reason")
            self.assertTrue(name not in dead or f"FLOE_NO_EFFECT({field}, {name}," in EFFECTS, name)

    def test_the_program_says_the_same(self):
        for row in tunables.rows(TABLE):
            status, out, errors = floe.run("explain", row["name"], "--json")
            self.assertEqual(0, status, errors)
            found = json.loads(out)["found"]
            self.assertTrue(any(row["value"] in json.dumps(f) and row["name"] in json.dumps(f) for f in found), row["name"])


if __name__ == "__main__":
    tap.main()
