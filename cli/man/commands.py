#!/usr/bin/env python3
"""Prints the manual page floe(1) from what the program says of its commands (`floe help --json`).

usage: commands.py PROGRAM
"""
import json
import subprocess
import sys

from roff import escaped, example, page_text, sentence, title

FILES = [("/etc/ctdb/ctdb.conf", "settings, floe.conf(5); DIR/ctdb.conf with --base"),
         ("/etc/ctdb/nodes", "addresses of all nodes, one a line"),
         ("/etc/ctdb/ctdb.tunables", "tunables, floe-tunables(7)"),
         ("/etc/ctdb/events/notification/*.script", "run with init, setup, startup, healthy or unhealthy as argument"),
         ("/run/ctdb/ctdbd.socket", "where clients and this tool talk to the node"),
         ("/var/lib/ctdb", "databases"),
         ("/var/log/ctdb/log.ctdb", "the log, unless ctdb.conf names another place")]
ENVIRONMENT = [("CTDB_BASE", "the directory of the node to talk to, as --base"),
               ("NO_COLOR", "no colours and no progress bars, also on a terminal")]
SEE_ALSO = "floe.conf(5), floe-operators(7), floe-tunables(7), floe-drill(7), floe-protocol(7), ctdb(1)"


def tree(program):
    return json.loads(subprocess.run([program, "help", "--json"], check=True, capture_output=True, text=True).stdout)


def usage(path, command):
    words = [f"\\fB{escaped(path)}\\fR"]
    for p in command["positionals"]:
        word = f"\\fI{escaped(p['name'])}\\fR" + (" ..." if p["many"] else "")
        words.append(word if p["required"] else f"[{word}]")
    words += ["[options]"] if command["options"] else []
    return " ".join(words)


def options(rows):
    for o in rows:
        value = f" \\fI{escaped(o['value'])}\\fR" if o["value"] else ""
        yield from (".TP", f"\\fB{escaped(o['name'].replace(',', ', '))}\\fR{value}", escaped(sentence(o["help"])))


def described(path, command):
    yield from (f".SS {escaped(path)}", usage(f"floe {path}", command), ".PP", escaped(sentence(command["summary"])))
    for p in command["positionals"]:
        yield from (".TP", f"\\fI{escaped(p['name'])}\\fR", escaped(sentence(p["help"])))
    yield from options(command["options"])
    if command["example"]:
        yield from example("\n".join(line.strip() for line in command["example"].split("\n")))
    for sub in command["subcommands"]:
        yield from described(f"{path} {sub['name']}", sub)


def page(told):
    out = [title("floe", 1), ".SH NAME", "floe \\- cluster node runtime that speaks CTDB's protocol: node, tool and rehearsals",
           ".SH SYNOPSIS", "\\fBfloe\\fR [options] \\fICOMMAND\\fR [arguments]", ".SH DESCRIPTION",
           escaped(told["summary"]),
           "\\fBfloe node\\fR is a node; the other commands talk to one over its socket, to others through it, or need none. Keys and "
           "values are text, or octets as 0x and hex digits.",
           ".SH OPTIONS", "Every command takes them, before or behind its name.", *options(told["global_options"])]
    for group in dict.fromkeys(c["group"] for c in told["commands"]):
        out.append(f'.SH "{escaped((group or "other").upper())}"')
        for command in told["commands"]:
            if command["group"] == group:
                out += described(command["name"], command)
    out += [".SH EXIT STATUS", escaped(told["exit_status"].removeprefix("Exit status: ").capitalize())]
    for heading, rows in (("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT)):
        out.append(f".SH {heading}")
        for name, meaning in rows:
            out += [".TP", f"\\fI{escaped(name)}\\fR", escaped(sentence(meaning))]
    return page_text([*out, ".SH SEE ALSO", escaped(SEE_ALSO)])


if __name__ == "__main__":
    sys.stdout.write(page(tree(sys.argv[1])))
