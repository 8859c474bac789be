#!/usr/bin/env python3
"""Prints the manual page floe.conf(5) from what the program says of its settings (`floe check-config --settings --json`).

usage: settings.py PROGRAM
"""
import json
import subprocess
import sys

from roff import escaped, example, page_text, sentence, title

SAMPLE = """[cluster]
    cluster lock = /shared/.ctdb/lock
[logging]
    location = journal
[floe]
    metrics = 127.0.0.1:9437"""


def page(settings):
    out = [title("floe.conf", 5), ".SH NAME", "floe.conf \\- settings of a node, as in CTDB's ctdb.conf", ".SH SYNOPSIS",
           "\\fI/etc/ctdb/ctdb.conf\\fR", ".br", "\\fIDIR/ctdb.conf\\fR of a node that is started with \\fB\\-\\-base\\fR \\fIDIR\\fR",
           ".SH DESCRIPTION",
           "The file is the one of ctdbd and is read as ctdbd reads it: sections in brackets, \\fIname\\fR = \\fIvalue\\fR, comment lines "
           "that begin with # or ;, a backslash at the end of a line joins the next one. A section's name ignores case, a setting's does not. A mistake in it is an error: a "
           "node never starts with defaults because it could not read its settings. An empty value is an error, too. \\fBfloe "
           "check\\-config\\fR says all that is wrong.",
           "Files that end in .conf in the folder ctdb.conf.d beside it are read after it, in the order of their names; what comes later counts."]
    for section in dict.fromkeys(s["section"] for s in settings):
        out.append(f'.SH "[{section}]"')
        for s in (s for s in settings if s["section"] == section):
            out += [".TP", f"\\fB{escaped(s['name'])}\\fR = \\fI{escaped(s['form'])}\\fR", escaped(sentence(s["meaning"]))]
            if s["no_effect"]:
                out.append(escaped(sentence("Accepted with a warning, without effect: " + s["no_effect"])))
            elif s["default"]:
                out.append(escaped(f"Default: {s['default']}."))
    out += [".SH EXAMPLE", *example(SAMPLE), ".SH SEE ALSO", "floe(1), floe\\-tunables(7), ctdb.conf(5)"]
    return page_text(out)


if __name__ == "__main__":
    told = subprocess.run([sys.argv[1], "check-config", "--settings", "--json"], check=True, capture_output=True, text=True).stdout
    sys.stdout.write(page(json.loads(told)["settings"]))
