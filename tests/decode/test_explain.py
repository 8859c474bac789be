#!/usr/bin/env python3
"""floe explain: rows of the protocol's tables by number and by name."""
import json
import unittest

import floe
import tap


def found(name):
    status, out, errors = floe.run("explain", name, "--json")
    assert status == 0, errors
    return json.loads(out)["found"]


class Explain(unittest.TestCase):
    def test_a_control_by_opcode_and_by_name(self):
        for name in ("9", "0x9", "GET_DBMAP", "get_dbmap"):
            (row,) = found(name)
            self.assertEqual(("control", 9, "GET_DBMAP", "-", "dbid_map", "any"),
                             (row["kind"], row["opcode"], row["name"], row["request"]["type"], row["reply"]["type"], row["sender"]))
        self.assertIn({"field": "num", "kind": "u32", "offset": 0, "size": 4, "optional": False}, row["reply"]["fields"])
        text = floe.run("explain", "9")[1]
        for part in ("control 9", "attached databases", "dbid_map", "dbs[].db_id"):
            self.assertIn(part, text)

    def test_fields_of_fixed_types_fill_them(self):
        checked = 0
        for opcode in range(160):
            if floe.run("explain", opcode)[0] != 0:
                continue
            for row in found(opcode):
                for side in ("request", "reply"):
                    kind = row.get(side)
                    if not kind or not kind["fixed_size"] or any(f["offset"] is None or f["optional"] for f in kind["fields"]):
                        continue
                    self.assertEqual(kind["min_size"], sum(f["size"] for f in kind["fields"]), (row["name"], side))
                    checked += 1
        self.assertGreater(checked, 100)

    def test_every_control_of_the_captures(self):
        names = {(line["control"], line["control_name"]) for line in floe.good_lines() if line.get("control_name")}
        for opcode, name in names:
            if name != "UNKNOWN":
                self.assertEqual(name, found(opcode)[0]["name"])

    def test_other_tables(self):
        self.assertEqual("0xf101000000000000", found("LEADER")[0]["srvid"])
        self.assertEqual("LEADER", found("0xF101000000000000")[0]["name"])
        self.assertEqual("operation", found("req_call")[0]["kind"])
        self.assertEqual((0x20, "node flag"), (found("stopped")[0]["value"], found("stopped")[0]["group"]))
        tunable = found("controltimeout")[0]
        self.assertEqual(("tunable", "ControlTimeout", 60, "s"), tuple(tunable[k] for k in ("kind", "name", "default", "unit")))
        self.assertIn("GET_DBMAP (reply)", found("dbid_map")[0]["used_by"])
        self.assertIn("obsolete", found("57")[0]["traits"])

    def test_an_unknown_name(self):
        status, out, errors = floe.run("explain", "get_dbmpa")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("did you mean GET_DBMAP?", errors)
        self.assertEqual(2, floe.run("explain", "9999")[0])


if __name__ == "__main__":
    tap.main()
