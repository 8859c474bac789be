#!/usr/bin/env python3
"""Prints the manual page floe-tunables(7) from the table of tunables, the one that the program is built from.

usage: tunables.py protocol/tunables.def protocol/tunable_effects.def
"""
import re
import sys

from roff import page_text, title

ROW = re.compile(
    r'FLOE_(?P<kind>TUNABLE|OWN_TUNABLE|OBSOLETE_TUNABLE)\(\s*\d+,\s*\w+,\s*(?P<name>\w+),\s*(?P<value>\d+)'
    r'(?:,\s*"(?P<unit>[^"]*)",\s*(?P<meaning>(?:"[^"]*"\s*)+))?\)')


def rows(table):
    """Every row of the table: kind, name, value and, unless it is obsolete, unit and meaning."""
    code = "\n".join(line for line in table.splitlines() if not line.lstrip().startswith("//"))
    for match in ROW.finditer(code):
        row = match.groupdict()
        if row["meaning"] is not None:
            row["meaning"] = "".join(re.findall(r'"([^"]*)"', row["meaning"]))
        yield row


EFFECT = re.compile(r'^FLOE_NO_EFFECT\(\w+, (\w+), "([^"]*)"\)$', re.M)


def without_effect(effects):
    """The tunables that do nothing, each with the reason."""
    return dict(EFFECT.findall(effects))


def escaped(text):
    return text.replace("\\", "\\e").replace("-", "\\-")


def page(table, effects):
    out = [title("floe-tunables", 7), ".SH NAME",
           "floe\\-tunables \\- numbers of a node that an operator can turn", ".SH DESCRIPTION",
           "Read with \\fBfloe getvar\\fR or \\fBfloe listvars\\fR, set with \\fBfloe setvar\\fR until the node ends, or in "
           "the file \\fIctdb.tunables\\fR of a node for good. Names ignore case. Every node has its own values.",
           ".SH TUNABLES"]
    obsolete = []
    dead = without_effect(effects)
    for row in rows(table):
        if row["kind"] == "OBSOLETE_TUNABLE":
            obsolete.append(f'{row["name"]} ({row["value"]})')
            continue
        out += [".TP", f'\\fB{row["name"]}\\fR = {row["value"]} {escaped(row["unit"])}'.rstrip(),
                escaped(row["meaning"][0].upper() + row["meaning"][1:]) + "."]
        if row["name"] in dead:
            out[-1] += escaped(f' It has no effect: {dead[row["name"]]}.')
    out += [".SH OBSOLETE", "Can be set and read, and have no effect: " + ", ".join(obsolete) + ".", ".SH SEE ALSO",
            "floe explain \\fINAME\\fR"]
    return page_text(out)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source, open(sys.argv[2], encoding="utf-8") as reasons:
        sys.stdout.write(page(source.read(), reasons.read()))
