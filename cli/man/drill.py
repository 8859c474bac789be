#!/usr/bin/env python3
"""Prints the reference of the language of drills, from what the program says of itself: the manual page floe-drill(7),
or with --markdown the page cli/drills/reference.md.

usage: drill.py [--markdown] PROGRAM
"""
import json
import subprocess
import sys

from roff import page_text, title


def language(program):
    told = subprocess.run([program, "drill", "help", "--json"], check=True, capture_output=True, text=True)
    return json.loads(told.stdout)


def groups(verbs):
    """[(group, its verbs)] in the order of the program."""
    names = list(dict.fromkeys(verb["group"] for verb in verbs))
    return [(name, [verb for verb in verbs if verb["group"] == name]) for name in names]


def sentence(text):
    return text[0].upper() + text[1:] + "."


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def manual(told):
    out = [title("floe-drill", 7), ".SH NAME", "floe\\-drill \\- the language of drills",
           ".SH DESCRIPTION", escaped(told["grammar"].replace("\n", " ").strip())]

    def row(head, text, example=None):
        out.extend([".TP", f"\\fB{escaped(head)}\\fR", escaped(sentence(text))])
        if example:
            out.extend([".br", f"\\fI{escaped(example)}\\fR"])

    for group, verbs in groups(told["verbs"]):
        out.append(f".SH {group.upper()}")
        for verb in verbs:
            row(verb["usage"], verb["summary"], verb["example"])
    out.append(".SH CONDITIONS")
    for condition in told["conditions"]:
        row(condition["form"], condition["summary"], condition["example"])
    out.append('.SH "ALWAYS CHECKED"')
    for check in told["checks"]:
        row(check["name"], check["promise"])
    return page_text([*out, ".SH SEE ALSO", "floe drill \\-\\-help"])


def markdown(told):
    cell = lambda text: text.replace("|", "\\|")  # noqa: E731
    out = ["# The language of drills", "", "As `floe help drill` prints it; this page is made from the program by `cli/man/drill.py`.", "",
           told["grammar"].strip()]
    for group, verbs in groups(told["verbs"]):
        out += ["", f"## {group}", "", "| verb | | for example |", "|---|---|---|"]
        out += [f"| `{cell(v['usage'])}` | {cell(v['summary'])} | `{cell(v['example'])}` |" for v in verbs]
    out += ["", "## Conditions", "", "| condition | it holds if | for example |", "|---|---|---|"]
    out += [f"| `{cell(c['form'])}` | {cell(c['summary'])} | `{cell(c['example'])}` |" for c in told["conditions"]]
    out += ["", "## Always checked", "", "| check | promise |", "|---|---|"]
    out += [f"| {c['name']} | {cell(c['promise'])} |" for c in told["checks"]]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    options = sys.argv[1:]
    form = manual
    if options[0] == "--markdown":
        form = markdown
        options = options[1:]
    sys.stdout.write(form(language(options[0])))
