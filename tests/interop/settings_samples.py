"""Random files in the form of ctdb.conf, each from its seed: names and values that are right and wrong in all the ways people write
them, and now and then a line that is no setting at all."""
import random

NAMES = {
    "logging": ("location", "log level"),
    "cluster": ("transport", "cluster lock", "recovery lock", "node address", "leader capability", "leader timeout"),
    "database": ("volatile database directory", "persistent database directory", "state database directory", "lock debug script",
                 "tdb mutexes"),
    "event": ("debug script",),
    "failover": ("disabled",),
    "legacy": ("realtime scheduling", "lmaster capability", "start as stopped", "start as disabled", "script log level"),
}
YES_OR_NO = ("true", "Yes", "FALSE", "no", "1", "0", "on", "TRUE ", "t", "y", "yes yes", '"yes"')
FOLDERS = ("/tmp", "/no/such", "/etc/passwd", "/", "tmp", "/tmp/", "/tmp/../tmp", '"/tmp"')
LOCKS = ("/a/b", "!helper", "! helper x", "rel/path", "!", "  ", "/dev/null", '"/a"')
LEVELS = ("ERROR", "err", "5", "010", "012", "0x4", "11", "-0", "+3", "4 ", "4x", "WARNINGS", "Debug", "NOTICE ", "notice2")
SCRIPTS = ("script.sh", "/bin/true", "/no/such", "rel", "a b", "nodes")
VALUES = {
    "location": ("file:/tmp/x", "syslog", "syslog:udp", "SYSLOG", "file:", "syslog:x", "journal:", "file:rel",
                 "syslog:nonblocking ", "syslog:udp-rfc5424"),
    "log level": LEVELS, "script log level": LEVELS,
    "transport": ("tcp", "TCP", "ib", "tcp "),
    "cluster lock": LOCKS, "recovery lock": LOCKS,
    "node address": ("127.0.0.1", "::1", "127.1", "256.1.1.1", "127.0.0.1 ", "::ffff:127.0.0.1", "localhost", "127.0.0.1:4379",
                     "[::1]", "0x7f.0.0.1", "127.0.0.010"),
    "leader timeout": ("5", "0x10", "010", "5000", "5 x", "0", "-1", "x", "2147483647", "2147483648", "4294967301",
                       "18446744073709551616", "+5", "5.5", "1e3", "0x", "-5", "08", "- 5", "++5", "5\x0b6"),
    "lock debug script": SCRIPTS, "debug script": SCRIPTS,
    **{name: FOLDERS for name in NAMES["database"][:3]},
    **{name: YES_OR_NO for name in ("leader capability", "tdb mutexes", "disabled", "realtime scheduling", "lmaster capability",
                                    "start as stopped", "start as disabled")},
}
ODD_VALUES = ("", "x", "#c", ";", "\\", "\xe9", "=", "= x", "5#", "'5'", "a=b")


def head(chance, section):
    name = chance.choice((section, section, section, section.upper(), section.title()))
    if chance.random() < 0.9:
        return f"[{name}]"
    return chance.choice((f" [{name}]", f"\t[{name}] ", f"[ {name}]", f"[{name} ]", f"[{name}] # c", f"[{name}]x", f"[{name}",
                          f"{name}]", "[]", "[nosuch]", f"[[{name}]]"))


def setting(chance, section):
    name = chance.choice(NAMES[section if chance.random() < 0.95 else chance.choice(list(NAMES))])
    value = VALUES[name][0] if chance.random() < 0.5 else chance.choice(VALUES[name] if chance.random() < 0.9 else ODD_VALUES)
    if chance.random() < 0.1:
        name = chance.choice((name.replace(" ", "  "), name.replace(" ", "\t"), name.upper(), name.replace(" ", ""), name + "\x0b",
                              name.replace(" ", "_"), name.title()))
    line = name + chance.choice((" = ", " = ", " = ", "=", " =", "= ", "\t=\t", " = ", " = ", " : ", "  ", " == ")) + value
    if chance.random() < 0.06:
        at = chance.randrange(len(line) + 1)
        line = line[:at] + chance.choice(("\\\n", "\\ \n", "\\\n\n", "\\\n#", "\\\n   ")) + line[at:]
    if chance.random() < 0.04:
        line += chance.choice(("\r", "\\", "\\\\", " \\ ", "\x0c"))
    return chance.choice(("", "  ", "\t")) + line


def sample(seed):
    """The bytes of one file."""
    chance = random.Random(seed)
    lines = []
    for _ in range(chance.randint(1, 3)):
        section = chance.choice(list(NAMES))
        lines.append(head(chance, section))
        lines += [setting(chance, section) for _ in range(chance.randint(0, 3))]
        if chance.random() < 0.2:
            lines.append(chance.choice(("# c", "; c", "", "   ", "#", "x", "# c \\", "; d\\", "= 5", "\\")))
    return ("\n".join(lines) + chance.choice(("\n", "\n", "", "\n\n", "\\"))).encode("latin1")
