#!/usr/bin/env python3
"""Prints the manual page floe-protocol(7) from the tables of controls and messages, the ones that the program is built from.

usage: protocol.py protocol/controls.def protocol/messages.def
"""
import re
import sys

from roff import escaped, page_text, sentence, title

SENDERS = {"local": "clients of this node", "any": "clients, also through other nodes", "daemon": "nodes"}
TRAITS = {"late": "may answer after a while", "by_srvid": "its argument is the srvid of the packet", "later": "since after CTDB 4.17",
          "own": "floe's own, unknown to ctdbd", "of_db": "carried out by the owner of the database that it names"}


def calls(table, macro):
    """The arguments of every use of the macro; strings that stand beside each other are one."""
    code = "\n".join(line for line in table.splitlines() if not line.lstrip().startswith("//"))
    for start in re.finditer(rf"^{macro}\(", code, re.M):
        arguments, depth, text, word, i = [], 0, None, "", start.end()
        while depth >= 0:
            c = code[i]
            if text is not None:
                if c == "\\":
                    text += code[i + 1]
                    i += 1
                elif c == '"':
                    word, text = word + text, None
                else:
                    text += c
            elif c == '"':
                text = ""
            elif c == "," and depth == 0:
                arguments.append(word)
                word = ""
            elif not c.isspace() or (word and c == " " and word[-1] == "|"):
                depth += {"(": 1, ")": -1}.get(c, 0)
                word += c if depth >= 0 else ""
            i += 1
        yield [*arguments, word]


def traits(text):
    return [TRAITS[t] for t in re.split(r"\W+", text) if t in TRAITS]


def type_name(text):
    return text.removeprefix("wire::")


def control(row):
    opcode, _, name, request, reply, _, sender, row_traits, does, answers = row
    request, reply = type_name(request), type_name(reply)
    facts = [f"Request: {request}; reply: {reply}; from {SENDERS.get(sender, sender)}." if (request, reply) != ("nothing", "nothing")
             else f"From {SENDERS.get(sender, sender)}."]
    facts += [sentence(t) for t in traits(row_traits)]
    if answers:
        facts.append(sentence("answer: " + answers))
    return [".TP", f"\\fB{name}\\fR ({opcode})", escaped(" ".join([sentence(does), *facts]))]


def message(row):
    srvid, mask, _, name, payload, row_traits, meaning = row
    facts = [sentence(meaning or "obsolete"), f"Payload: {type_name(payload)}."] + [sentence(t) for t in traits(row_traits)]
    if mask != "all":
        facts.append("A range: only some bits of the srvid count.")
    return [".TP", f"\\fB{name}\\fR ({srvid})", escaped(" ".join(facts))]


def page(controls, messages):
    out = [title("floe-protocol", 7), ".SH NAME", "floe\\-protocol \\- what nodes and clients say to each other",
           ".SH DESCRIPTION",
           "Nodes talk over TCP, clients with their node over a Unix socket, in the packets of CTDB 4.17: a header (length, magic CTDB, "
           "version, generation, operation, destination, source, request number) and the body of one of ten operations. Numbers are those "
           "of the machine, least significant octet first. \\fBfloe decode\\fR prints packets field by field, \\fBfloe capture\\fR writes "
           "those of a node down, \\fBfloe explain\\fR \\fINAME\\fR shows the layout of a type.",
           ".SH CONTROLS", "A REQ_CONTROL carries an opcode and a request; its REPLY_CONTROL a status, a reply and a text. Where nothing "
           "else is said, status 0 is good and \\-1 is not."]
    for row in calls(controls, "FLOE_CONTROL"):
        out += control(row)
    out += [".SH MESSAGES", "A REQ_MESSAGE goes to whoever has registered its srvid, and is not answered."]
    for row in calls(messages, "FLOE_MESSAGE"):
        out += message(row)
    obsolete = [f"{row[2]} ({row[0]})" for row in calls(controls, "FLOE_OBSOLETE_CONTROL")]
    out += [".SH OBSOLETE CONTROLS", escaped("Answered with status -1: " + ", ".join(obsolete) + "."), ".SH SEE ALSO",
            "floe(1), floe\\-tunables(7)"]
    return page_text(out)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as one, open(sys.argv[2], encoding="utf-8") as other:
        sys.stdout.write(page(one.read(), other.read()))
