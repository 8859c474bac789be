#!/usr/bin/env python3
"""Prints the manual page floe-operators(7) from cli/service/operators.md: headings, paragraphs, lists, indented lines that are
typed and shown. What a test needs to play the page stands in comments and is left out.

usage: operators.py cli/service/operators.md
"""
import re
import sys

from roff import escaped, example, page_text, title


def inline(text):
    """Code and emphasis; links become their text."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(text.split("\n")))
    parts = re.split(r"`([^`]*)`", text)
    return "".join(f"\\fB{escaped(p)}\\fR" if i % 2 else re.sub(r"\*([^*]+)\*", r"\\fI\1\\fR", escaped(p)) for i, p in enumerate(parts))


def page(text):
    out = [title("floe-operators", 7), ".SH NAME", "floe\\-operators \\- what to do when a cluster is not well", ".SH DESCRIPTION"]
    text = re.sub(r"<!--.*?-->\n*", "", text, flags=re.S)
    for block in re.split(r"\n\n+", text.strip("\n")):
        if block.startswith("# "):
            continue
        if block.startswith("## "):
            out.append(f'.SH "{escaped(block[3:].upper())}"')
        elif block.startswith("    "):
            out += example("\n".join(line[4:] for line in block.split("\n")))
        elif block.startswith("* "):
            for item in re.split(r"\n?^\* ", block, flags=re.M)[1:]:
                out += [".IP \\(bu 3", inline(item)]
        else:
            out += [".PP", inline(block)]
    return page_text([*out, ".SH SEE ALSO", "floe(1), floe.conf(5), floe\\-tunables(7)"])


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source:
        sys.stdout.write(page(source.read()))
