"""Pages that show commands and what they print, and a comparison that forgives what differs from run to run.

An indented line `$ ...` is a command and what follows is its output; `...` stands for any lines, or for the rest of a line. Comments
`<!-- KIND: TEXT -->` say what the page leaves to a machine. Numbers, times and units may differ, except which node a line
`node N: ...` is about."""
import re


def steps(text):
    """(kind, text, output) in the order of the page: a comment's kind and text, or "command", which alone has output."""
    for comment, block in re.findall(r"<!-- (.*?) -->|((?:^    [^\n]*\n|^\n(?=    ))+)", text, flags=re.M | re.S):
        if comment:
            kind, _, what = comment.partition(": ")
            yield kind, what, []
            continue
        lines = [line[4:] for line in block.rstrip("\n").split("\n")]
        for i, line in enumerate(lines):
            if line.startswith("$ "):
                end = next((j for j in range(i + 1, len(lines)) if lines[j].startswith("$ ")), len(lines))
                yield "command", line[2:], lines[i + 1:end]


def plain(line):
    if about := re.match(r"node \d+:", line):
        return about[0] + plain(line[about.end():])
    line = re.sub(r"\d+(\.\d+)?", "#", line).replace("held by another", "held")
    return re.sub(r"\s+", " ", re.sub(r"# (us|ms|s|min|h)\b", "# s", line)).strip()


def matches(shown, printed):
    """Whether the printed lines are those of the page."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(matches(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    if not printed:
        return False
    one, other = plain(shown[0]), plain(printed[0])
    same = other.startswith(one[:-3].rstrip()) if one.endswith("...") else one == other
    return same and matches(shown[1:], printed[1:])
