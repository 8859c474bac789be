#!/usr/bin/env python3
"""The program floe as its users and their scripts see it: exit statuses, one-line errors, JSON on everything, locks that
can be watched, clusters that come up and go down, nodes that end when told to.
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import tap  # noqa: E402
from wait import until  # noqa: E402

FLOE = os.environ.get("FLOE")
DONE, FAILED, WRONG_USE, NO_NODE, SAYS_NO, TIMED_OUT = range(6)


def floe(*arguments, text=None, timeout=60):
    """The finished command; `text` goes to its standard input."""
    environment = {k: v for k, v in os.environ.items() if k != "CTDB_BASE"}
    source = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    return subprocess.run([FLOE, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          env=environment, **source)


def on_terminal(columns, *arguments):
    """What the command writes on a terminal that is so wide, without colours."""
    terminal, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen([FLOE, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=its_end, stderr=its_end,
                          env={**os.environ, "NO_COLOR": "1"}):
        os.close(its_end)
        shown = b""
        try:
            while some := os.read(terminal, 4096):
                shown += some
        except OSError:  # nobody has its other end any more
            pass
    os.close(terminal)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def processes():
    """Process ids of the nodes that this test has started, in whatever way."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[:3] == [FLOE, "node", "--base"] and words[3].startswith(os.environ["TMPDIR"]):
            found.append(int(path.parent.name))
    return found


def end(process):
    if process.poll() is None:
        process.kill()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
    process.wait()


class Checks(unittest.TestCase):
    maxDiff = None

    def assert_exit(self, status, result):
        self.assertEqual(status, result.returncode, f"{result.args}\n{result.stdout}{result.stderr}")
        return result

    def assert_complains(self, status, words, *arguments):
        """Fails with this status and one line on standard error that has these words in it."""
        result = self.assert_exit(status, floe(*arguments))
        self.assertEqual("", result.stdout)
        self.assertRegex(result.stderr, r"\Afloe: [^\n]+\n\Z")
        self.assertIn(words, result.stderr)

    def good(self, node, *arguments):
        return self.assert_exit(DONE, floe("--base", node.base, *arguments)).stdout

    def told(self, node, *arguments, status=DONE):
        """The JSON answer; one object on one line. The exit status of `status` says what `healthy` says."""
        result = floe("--base", node.base, *arguments, "--json")
        if arguments[0] == "status" and status == DONE and result.returncode == SAYS_NO:
            status = SAYS_NO
            self.assertFalse(json.loads(result.stdout)["healthy"])
        text = self.assert_exit(status, result).stdout
        self.assertEqual(1, text.count("\n"))
        answer = json.loads(text)
        self.assertEqual(1, answer["schema"])
        self.assertIsInstance(answer["command"], str)
        return answer


class A1WithoutNodes(Checks):
    def commands(self, *prefix):
        text = self.assert_exit(DONE, floe(*prefix, "--help")).stdout
        return [line.split()[0] for line in text.splitlines() if line.startswith("  ") and not line.startswith("   ")
                and line[2].isalpha()]

    def test_every_command_has_an_example(self):
        names = self.commands()
        self.assertGreater(len(names), 35)
        for name in names:
            with self.subTest(command=name):
                text = self.assert_exit(DONE, floe(name, "--help")).stdout
                self.assertIn("floe", text[text.index("xample"):])

    def test_every_command_is_in_the_readme(self):
        tables = (pathlib.Path(__file__).parents[2] / "cli/README.md").read_text()
        for name in self.commands():
            with self.subTest(command=name):
                self.assertRegex(tables, rf"`[^`\n]*(?<![\w-]){name}(?![\w-])", "the table of commands has no row for it")

    def test_wrong_use(self):
        self.assert_complains(WRONG_USE, "did you mean status?", "staus")
        self.assert_complains(WRONG_USE, "`floe --help` lists them", "frobnicate")
        self.assert_complains(WRONG_USE, "--base DIR", "status")
        self.assert_complains(WRONG_USE, "it is `floe leader`", "recmaster")
        self.assert_complains(WRONG_USE, "it is `floe leader`", "recmaster", "--help")
        self.assert_complains(WRONG_USE, "no public addresses", "ip")
        self.assert_complains(WRONG_USE, "--help", "lock", "only-a-database")
        self.assert_complains(WRONG_USE, "--help", "cluster")
        self.assert_complains(WRONG_USE, "did you mean drill run?", "drill", "rum")
        self.assert_complains(WRONG_USE, "--freeze", "quickstart", "--freeze", "some")
        self.assert_complains(WRONG_USE, "--dir", "cluster", "up")
        self.assertEqual(WRONG_USE, floe().returncode)

    def test_every_event_is_explained(self):
        told = json.loads(floe("explain", "--json").stdout)["found"]
        self.assertGreater(len(told), 90)
        commands = set(re.findall(r"^  (\w[\w-]*)", floe("--help").stdout, re.M))
        for event in told:
            for text in ("meaning", "cause", "evidence", "next"):
                self.assertTrue(event[text], event)
                for word in re.findall(r"`floe (?:-n \w+ )?([a-z-]+)", event[text]):
                    self.assertIn(word, commands, event)
            self.assertIn(event["level"], ("ERROR", "WARNING", "NOTICE", "INFO"))
        page = self.assert_exit(DONE, floe("explain", "node-down")).stdout
        for label in ("says", "cause", "evidence", "next", "level", "fields"):
            self.assertRegex(page, rf"(?m)^  {label} ")
        listed = [line.split()[0] for line in floe("explain").stdout.splitlines()[1:]]
        self.assertEqual([e["name"] for e in told], listed)
        self.assertLessEqual(set(listed), set(floe("explain", "--names").stdout.split()))
        self.assert_complains(WRONG_USE, "did you mean node-down?", "explain", "node-dwn")

    def test_each_command_by_itself(self):
        """Each says what it takes, and refuses what it does not take with one line that leads on, in JSON where JSON was
        asked for."""
        def all_of(commands, *before):
            for command in commands:
                words = (*before, command["name"])
                yield words
                yield from all_of(command["subcommands"], *words)

        found = list(all_of(json.loads(floe("help", "--json").stdout)["commands"]))
        self.assertGreater(len(found), 80)
        for words in found:
            with self.subTest(command=" ".join(words)):
                helps = self.assert_exit(DONE, floe(*words, "--help"))
                self.assertEqual("", helps.stderr)
                self.assertIn(f"Usage: floe {' '.join(words)}", helps.stdout)
                own = f"`floe {' '.join(words)} --help`"
                self.assert_complains(WRONG_USE, f"no such option: --nonsense; {own}", *words, "--nonsense")
                self.assert_complains(WRONG_USE, "no such option: --hepl; did you mean --help?", *words, "--hepl")
                refused = self.assert_exit(WRONG_USE, floe(*words, "--nonsense", "--json"))
                self.assertEqual(("", {"schema", "error"}), (refused.stdout, set(json.loads(refused.stderr))))

    def test_version(self):
        self.assertRegex(self.assert_exit(DONE, floe("--version")).stdout, r"\Afloe \d+\.\d+\.\d+, for the protocol of CTDB 4.17\n\Z")

    def test_help_of_parts(self):
        for words in (("help", "drill", "run"), ("drill", "run", "--help"), ("--base", "elsewhere", "--json", "help", "drill", "run")):
            self.assertIn("Usage: floe drill run", self.assert_exit(DONE, floe(*words)).stdout)
        self.assertIn("within", self.assert_exit(DONE, floe("help", "drill", "within")).stdout)
        self.assert_complains(WRONG_USE, "did you mean status?", "-n", "1", "help", "staus")

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_a_folder_of_somebody_else(self):
        """Who may not look is told so, and not asked whether the node runs."""
        folder = pathlib.Path(os.environ["TMPDIR"]) / "closed"
        folder.mkdir(mode=0o700)
        self.addCleanup(folder.rmdir)
        try:
            result = subprocess.run([FLOE, "--base", folder, "ping"], capture_output=True, text=True, timeout=60,
                                    stdin=subprocess.DEVNULL, user=65534, group=65534, extra_groups=[])
        except PermissionError:
            self.skipTest("nobody may not run the program where it lies")
        self.assert_exit(NO_NODE, result)
        self.assertIn("this user may not use the socket", result.stderr)

    def test_errors_for_programs(self):
        for words, status in ((("--base", "/nonexistent", "ping"), NO_NODE), (("lock", "a"), WRONG_USE), (("staus",), WRONG_USE)):
            result = self.assert_exit(status, floe(*words, "--json"))
            self.assertEqual({"schema", "error"}, set(json.loads(result.stderr)))
        self.assert_complains(WRONG_USE, "comes after --", "readkey", "a.tdb", "-key")

    def test_a_reader_that_has_enough(self):
        with subprocess.Popen([FLOE, "explain", "--names"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as told:
            told.stdout.close()
            self.assertEqual((0, b""), (told.wait(timeout=10), told.stderr.read()))

    def test_every_verb_of_ctdb_is_told(self):
        readme = (pathlib.Path(__file__).resolve().parents[2] / "cli" / "README.md").read_text()
        table = readme[readme.index("| `ctdb` | here |"):].split("\n\n")[0]
        for verb in re.findall(r"`([a-z-]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:])):
            with self.subTest(verb=verb):
                self.assert_complains(WRONG_USE, f"no such command: {verb} is ctdb's; ", verb)

    def test_no_node(self):
        self.assert_complains(NO_NODE, "No such file", "--base", "/nonexistent", "ping")
        self.assert_complains(NO_NODE, "No such file", "--socket", "/nonexistent/socket", "status")

    def test_mistakes_in_a_nodes_files(self):
        base = sandbox.directory("n")
        (base / "nodes").write_text("127.0.0.1\nnonsense\n")
        (base / "ctdb.conf").write_text("[cluster]\nleader timeot = 3\n")
        result = self.assert_exit(WRONG_USE, floe("node", "--base", base))
        self.assertEqual(2, len(result.stderr.splitlines()))
        self.assertIn("did you mean `leader timeout`?", result.stderr)
        self.assertIn("line 2: not an address: nonsense", result.stderr)


class A2StandardStreams(unittest.TestCase):
    """What a command has to say cannot be written, or nobody reads it."""
    SHORT, LONG = ["explain", "node-down"], ["help", "--json"]  # the long one does not fit into what is kept before it is written

    @staticmethod
    def with_streams(streams, *arguments):
        """Exit status and what reaches standard error, by way of a shell's redirections."""
        done = subprocess.run(["sh", "-c", f'exec "$@" {streams}', "sh", FLOE, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60)
        return done.returncode, done.stderr

    def test_nothing_can_be_written(self):
        for command in (self.SHORT, self.LONG, ["drill", "list"], ["--help"], ["--version"], ["help", "--names"]):
            for streams, why in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
                with self.subTest(command=command, streams=streams):
                    status, said = self.with_streams(streams, *command)
                    told = json.loads(said)["error"] if "--json" in command else said.removeprefix("floe: ").rstrip("\n")
                    self.assertEqual((FAILED, f"standard output: {why}"), (status, told))

    def test_nobody_reads(self):
        for command in (self.SHORT, self.LONG, ["--help"]):
            with self.subTest(command=command):
                reads, writes = os.pipe()
                os.close(reads)
                done = subprocess.run([FLOE, *command], stdin=subprocess.DEVNULL, stdout=writes, stderr=subprocess.PIPE, timeout=60)
                os.close(writes)
                self.assertEqual((DONE, b""), (done.returncode, done.stderr))

    def test_errors_that_cannot_be_said(self):
        for streams in ("2>/dev/full", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(streams=streams):
                self.assertEqual((WRONG_USE, ""), self.with_streams(streams, "explain", "nobody-knows-this"))


class B1Queries(Checks):
    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe"))

    def test_json_of_every_query(self):
        node = self.nodes[0]
        self.told(node, "attach", "q.tdb")
        for words in ("status", "nodestatus", "listnodes", "leader", "recovery status", "timeline", "getdbmap",
                      "getdbstatus q.tdb", "catdb q.tdb", "locks", "pnn", "ping", "uptime", "runstate",
                      "getcapabilities", "getpid", "statistics", "getvar RecoverTimeout", "listvars", "getdebug",
                      "attach p.tdb persistent", "writekey q.tdb k v", "readkey q.tdb k", "deletekey q.tdb k",
                      "setvar TraverseTimeout 20", "setdebug NOTICE", "recover", "statistics --reset"):
            with self.subTest(command=words):
                answer = self.told(node, *words.split())
                self.assertEqual(words.split()[0], answer["command"].split()[0])

    def test_every_node_at_once(self):
        for words in ("ping", "uptime", "runstate", "getpid", "statistics", "listvars", "getdebug"):
            answer = self.told(self.nodes[1], *words.split(), "-n", "all")
            self.assertEqual([0, 1, 2], [one["node"] for one in answer["nodes"]])
        self.assertEqual([0, 2], [one["node"] for one in self.told(self.nodes[1], "ping", "-n", "0,2")["nodes"]])
        self.assert_complains(WRONG_USE, "there is no node 7", "--base", self.nodes[0].base, "ping", "-n", "7")
        self.assert_complains(WRONG_USE, "-n takes", "--base", self.nodes[0].base, "ping", "-n", "x")

    def test_counters_and_roles(self):
        node, other = self.nodes[0], self.nodes[1]
        self.told(node, "attach", "counted.v", "volatile")
        self.told(node, "attach", "counted.p", "persistent")
        self.told(node, "pstore", "counted.p", "key", "value")
        seqnums = [n["seqnum"] for n in self.told(node, "getdbseqnum", "counted.p", "-n", "all")["nodes"]]
        self.assertEqual([1, 1, 1], seqnums)
        for turn in range(20):  # a record that travels
            self.told((node, other)[turn % 2], "writekey", "counted.v", "hot", str(turn))
        here = {r["key"]: r for r in self.told(other, "cattdb", "counted.v")["records"]}
        self.assertEqual(("19", 1), (here["hot"]["value"], here["hot"]["dmaster"]))
        statistics = self.told(node, "dbstatistics", "counted.v")["nodes"][0]["statistics"]
        self.assertLess(0, statistics["locks"]["num_calls"])
        self.assertIn(("counted.v", "hot"), [(k["db"], k["key"]) for k in self.told(node, "hotkeys", "-n", "all")["keys"]])
        self.assertEqual({"hot"}, {k["key"] for k in self.told(node, "hotkeys", "counted.v", "-n", "all")["keys"]})
        self.told(node, "statisticsreset", "-n", "all")
        self.assertEqual(0, self.told(node, "statistics")["nodes"][0]["statistics"]["num_recoveries"])
        self.told(node, "stats", "3")
        self.assertIn("cluster.lock", self.told(node, "getreclock")["nodes"][0]["cluster_lock"])
        self.told(node, "setleaderrole", "off", "-n", "2")
        self.told(node, "setlmasterrole", "off", "-n", "2")
        may = self.told(node, "getcapabilities", "-n", "2")["nodes"][0]
        self.assertEqual((False, False), (may["leader"], may["lmaster"]))
        for role in ("setleaderrole", "setlmasterrole"):
            self.told(node, role, "on", "-n", "2")
        self.assert_complains(WRONG_USE, "neither on nor off", "--base", node.base, "setleaderrole", "perhaps")
        self.assertFalse(self.told(node, "process-exists", "1", status=SAYS_NO)["exists"])

    def test_answers_are_no(self):
        node = self.nodes[0]
        self.told(node, "attach", "no.tdb")
        self.assertFalse(self.told(node, "readkey", "no.tdb", "nothing", status=SAYS_NO)["found"])
        self.told(node, "runstate", "init", status=SAYS_NO)
        self.told(node, "runstate", "running")

    def test_refused(self):
        base = self.nodes[0].base
        self.assert_complains(FAILED, "no database nosuch.tdb", "--base", base, "catdb", "nosuch.tdb")
        self.told(self.nodes[0], "attach", "similar.tdb")
        self.told(self.nodes[0], "attach", "similar.p", "persistent")
        for words in ("catdb simlar.tdb", "cattdb simlar.tdb", "readkey simlar.tdb k", "writekey simlar.tdb k v", "deletekey simlar.tdb k",
                      "lock simlar.tdb k", "tfetch simlar.tdb k", "getdbstatus simlar.tdb", "wipedb simlar.tdb", "detach simlar.tdb",
                      "vacuum simlar.tdb", "backupdb simlar.tdb /dev/null", "dbstatistics simlar.tdb", "hotkeys simlar.tdb",
                      "setdbreadonly simlar.tdb", "setdbsticky simlar.tdb", "recovery hold freeze@simlar.tdb", "health --db simlar.tdb"):
            self.assert_complains(FAILED, "no database simlar.tdb is attached; did you mean similar.tdb?", "--base", base, *words.split())
        for words in ("pfetch simlar.p k", "pstore simlar.p k v", "pdelete simlar.p k", "ptrans simlar.p", "getdbseqnum simlar.p"):
            self.assert_complains(FAILED, "no database simlar.p is attached; did you mean similar.p?", "--base", base, *words.split())
        self.assert_complains(WRONG_USE, "did you mean RecoverTimeout?", "--base", base, "getvar", "recovertimeot")
        self.assert_complains(WRONG_USE, "hex", "--base", base, "readkey", "q.tdb", "0x123")

    def test_records_of_any_bytes(self):
        first, last = self.nodes[0], self.nodes[2]
        self.told(first, "attach", "bytes.tdb")
        content = {"text": "value", "0x00ff00": "0x0102", "größe": "ü", "0x30783431": "0x3078"}
        for key, value in content.items():
            self.told(first, "writekey", "bytes.tdb", key, value)
        for key, value in content.items():
            self.assertEqual(value, self.told(last, "readkey", "bytes.tdb", key)["value"])
        records = self.told(first, "catdb", "bytes.tdb")["records"]
        self.assertEqual(content, {record["key"]: record["value"] for record in records})
        self.told(last, "deletekey", "bytes.tdb", "text")
        self.told(first, "readkey", "bytes.tdb", "text", status=SAYS_NO)
        self.assertNotIn("text", [r["key"] for r in self.told(first, "catdb", "bytes.tdb")["records"]])

    def test_the_sequence_number_is_no_data(self):
        node, file = self.nodes[0], sandbox.directory("b") / "file"
        self.told(node, "attach", "counted.tdb", "persistent")
        for value in ("one", "two"):
            self.told(node, "pstore", "counted.tdb", "key", value)
        for text in (self.good(node, "catdb", "counted.tdb"),
                     self.good(node, "backupdb", "counted.tdb", file) + floe("dumpdbbackup", file).stdout):
            self.assertRegex(text, r"(?m)^\(sequence number\) .* 2$")
            self.assertRegex(text, r"(?m)^1 record$")
        self.assertEqual(1, self.told(node, "backupdb", "counted.tdb", file)["records"])

    def test_variables_and_their_drift(self):
        node = self.nodes[0]
        self.told(node, "setvar", "MonitorInterval", "16", "-n", "1")
        values = [n["values"]["MonitorInterval"] for n in self.told(node, "listvars", "-n", "all")["nodes"]]
        self.assertEqual([15, 16, 15], values)
        self.assertEqual([15, 16, 15],
                         [n["value"] for n in self.told(node, "getvar", "monitorinterval", "-n", "all")["nodes"]])

    def every_command(self):
        """Each with the arguments with which it is run here, or `--help` and why not; none for those that print what somebody else
        has written."""
        there = sandbox.directory("w")
        names = {"V": "a_database_with_a_long_name_for_a_narrow_terminal.tdb", "P": "persistent_" + "with_a_long_name_" * 3 + ".tdb",
                 "K": "a_key_of_many_words_with_no_blank_between_them_at_all_in_it", "THERE": there, "DIR": self.nodes.directory}
        played = {
            "status": [""], "doctor": [""], "nodestatus": ["-n all", "0,7"], "listnodes": [""], "leader": [""], "recovery status": [""],
            "recovery hold": ["foo"], "recovery release": [""], "timeline": [""], "attach": ["V", "P persistent", "x persistant"],
            "writekey": ["V K value"], "pstore": ["P K value"], "ptrans": ["P /dev/null"], "getdbmap": [""], "getdbstatus": ["V", "P", "nosuch"],
            "dbstatistics": ["V -n all"], "hotkeys": ["-n all"], "locks": [""], "uptime": ["-n all"], "ping": ["-n all"],
            "health": ["", "--db V", "--db nosuch"], "metrics": [""], "getcapabilities": ["-n all"], "cluster version": [""],
            "cluster status": ["--dir DIR"], "cluster add": ["--help"], "cluster up": ["--help"], "cluster down": ["--help"],
            "check-config": [""], "explain": ["node-down", "GETVNNMAP", ""], "drill list": [""], "drill check": ["chaos"],
            "drill run": ["deadlock-of-2015", "deadlock-of-2015 --narrate"], "drill help": ["", "within", "wihtin"], "stats": ["-n all"],
            "statistics": ["-n all"], "statisticsreset": [""], "listvars": ["-n all"], "getvar": ["RecoverTimeout -n all", "nosuch"],
            "setvar": ["VerifyRecoveryLock 1"], "getdebug": ["-n all"], "setdebug": ["NOTICE"], "pnn": [""], "getpid": ["-n all"],
            "runstate": ["-n all", "FOO"], "getreclock": ["-n all"], "getdbseqnum": ["P -n all"], "catdb": ["V", "P"], "cattdb": ["V"],
            "tfetch": ["V K"], "lock": ["V K --for 1ms", "x"], "backupdb": ["P THERE/backup"], "dumpdbbackup": ["THERE/backup"],
            "restoredb": ["THERE/backup"], "vacuum": ["V"], "wipedb": ["V"], "deletekey": ["V K"], "pdelete": ["P K"],
            "setdbreadonly": ["V"], "setdbsticky": ["V"], "export": ["THERE P"], "import": ["/nonexistent"], "recover": ["", "--verify"],
            "reloadnodes": [""], "process-exists": ["1"], "disable": ["-n 1"], "enable": ["-n 1"], "setlmasterrole": ["on"],
            "setleaderrole": ["on"], "detach": ["V"],
            # what only shows something in another state, or runs a while: how they are written is the same code as above
            **{words: ["--help"] for words in ("stop", "continue", "ban", "unban", "shutdown", "node", "quickstart", "samba demo", "capture",
                                               "client", "drill compare", "drill shrink", "drill hunt")},
            # for somebody to copy, or into a file: values, files as they are, commands
            **dict.fromkeys(("readkey", "pfetch", "drill show", "decode", "bridge"), []),
        }

        def all_of(commands, *before):
            for command in commands:
                words = (*before, command["name"])
                yield from all_of(command["subcommands"], *words) if command["subcommands"] else [" ".join(words)]
        there_are = set(all_of(json.loads(floe("help", "--json").stdout)["commands"]))
        self.assertEqual(there_are, set(played), "every command has its arguments in `played`")

        def exact(words):
            return [re.sub(r"\b(V|P|K|THERE|DIR)\b", lambda m: str(names[m[0]]), word) for word in words.split()]
        return {name: [exact(f"{name} {more}") for more in all_more] for name, all_more in played.items()}

    def test_on_a_narrow_terminal(self):
        """Nothing is longer than the terminal is wide; there the terminal would break it, anywhere."""
        commands = self.every_command()
        for words in commands:
            with self.subTest(help=words):
                shown = on_terminal(60, *words.split(), "--help")
                self.assertEqual([], [line for line in re.split("[\r\n]+", shown) if len(line) > 60])
        for words in [*sum(commands.values(), []), ["--help"], ["staus"], ["recmaster"]]:
            with self.subTest(command=words):
                shown = on_terminal(60, "--base", self.nodes[0].base, *words)
                self.assertEqual([], [line for line in re.split("[\r\n]+", shown) if len(line) > 60])

    def test_json_of_every_command(self):
        """One object on one line, of an answer as of an error."""
        for words in sum(self.every_command().values(), []):
            if "--help" in words:
                continue
            with self.subTest(command=words):
                result = floe("--base", self.nodes[0].base, *words, "--json")
                for line in [*result.stdout.splitlines(), *result.stderr.splitlines()]:
                    self.assertEqual(1, json.loads(line)["schema"], line)
                self.assertLessEqual(result.stdout.count("\n"), 1)
                self.assertTrue(result.stdout or result.stderr, "nothing is said")
                if result.stdout:
                    self.assertEqual(words[0], json.loads(result.stdout)["command"].split()[0])

    def test_plain_in_a_pipe(self):
        for words in ("status", "timeline", "locks", "getdbmap"):
            self.assertNotIn("\033", self.good(self.nodes[0], words))


class B2Operators(Checks):
    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe"))

    def states(self):
        answer = floe("--base", self.nodes[0].base, "nodestatus", "-n", "all", "--json")
        return answer.returncode, [n["state"] for n in json.loads(answer.stdout)["nodes"]]

    def test_out_and_back_in(self):
        node = self.nodes[0]
        for out, state, back in ((["stop"], "STOPPED", ["continue"]), (["ban", "60"], "BANNED", ["unban"]),
                                 (["disable"], "DISABLED", ["enable"])):
            with self.subTest(command=out[0]):
                self.told(node, *out, "-n", "2")
                status, states = self.states()
                self.assertEqual((SAYS_NO, ["OK", "OK"]), (status, states[:2]))
                self.assertIn(state, states[2])
                self.told(node, *back, "-n", "2")
                # a recovery takes it in again
                until(lambda: self.states() == (DONE, ["OK", "OK", "OK"]), "all are well again", 20)
        self.nodes.wait_healthy()

    def test_recovery_is_held_and_released(self):
        node = self.nodes[0]
        self.told(node, "attach", "held.tdb")
        before = self.told(node, "status")["generation"]
        self.told(node, "recovery", "hold", "freeze@held.tdb")
        with subprocess.Popen([FLOE, "--base", node.base, "recover"], stdout=subprocess.DEVNULL) as recover:
            until(lambda: {"db": "held.tdb", "phase": "freeze"} in self.told(node, "recovery", "status")["held"],
                  "the recovery is held")
            self.assertEqual("ACTIVE", self.told(node, "status")["recovery_mode"])
            self.assertIsNone(recover.poll())
            self.told(node, "recovery", "release")
            self.assertEqual(0, recover.wait(timeout=30))
        after = self.told(node, "status")
        self.assertEqual("NORMAL", after["recovery_mode"])
        self.assertNotEqual(before, after["generation"])
        rows = [row["db"] for row in self.told(node, "timeline")["rows"]]
        self.assertEqual(3, rows.count("held.tdb"))

    def test_a_node_that_hangs_and_one_that_is_lost(self):
        # so long it is not taken for lost
        self.told(self.nodes[0], "setvar", "FloeKeepaliveLimitMs", "60000", "-n", "all")
        self.addCleanup(floe, "--base", self.nodes[0].base, "setvar", "FloeKeepaliveLimitMs", "2500", "-n", "all")
        self.nodes[1].signal(signal.SIGSTOP)
        try:
            self.assert_complains(TIMED_OUT, "timed out", "--base", self.nodes[0].base, "-t", "0.5", "ping", "-n", "1")
            self.assert_complains(TIMED_OUT, "timed out", "--base", self.nodes[1].base, "-t", "0.5", "ping")
            told = self.told(self.nodes[0], "locks", "-t", "0.5")
            self.assertEqual([1], [one["node"] for one in told["unreachable"]])
            # at a terminal whoever asks it is told from the first second on for whom it waits
            self.assertIn("uptime: waits for node 1, ", on_terminal(100, "--base", self.nodes[0].base, "-t", "4", "uptime", "-n", "all"))
        finally:
            self.nodes[1].signal(signal.SIGCONT)
        self.nodes.wait_healthy()
        self.nodes[2].signal(signal.SIGKILL)
        until(lambda: self.states()[1][2] != "OK", "node 0 has noticed")
        self.assert_complains(NO_NODE, "node 2: not connected", "--base", self.nodes[0].base, "getpid", "-n", "2")
        self.nodes.start_node(self.nodes[2])
        self.nodes.wait_healthy()


class B3Locks(Checks):
    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe"))
        floe("--base", cls.nodes[0].base, "attach", "l.tdb")

    def background(self, node, *words):
        process = subprocess.Popen([FLOE, "--base", node.base, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, bufsize=1)
        self.addCleanup(end, process)
        return process

    def locks_where(self, condition, what):
        def look():
            told = self.told(self.nodes[1], "locks")
            return told if condition(told) else None

        return until(look, what)

    def test_held_until_input_ends(self):
        holder = self.background(self.nodes[0], "lock", "l.tdb", "a")
        self.assertIn("granted", holder.stdout.readline())
        waiter = self.background(self.nodes[2], "lock", "l.tdb", "a", "--for", "10ms")
        told = self.locks_where(lambda t: len(t["waiting"]) == 2, "somebody waits, here and there")
        self.assertEqual([("l.tdb", "a", 0, holder.pid)],
                         [(h["db"], h["key"], h["node"], h["pid"]) for h in told["held"]])
        by_queue = {w["queue"]: w for w in told["waiting"]}
        self.assertEqual((2, waiter.pid), (by_queue[2]["node"], by_queue[2]["pid"]))
        self.assertRegex(by_queue[2]["why"], "migrating-from-node-[01]")
        self.assertRegex(by_queue[2]["waits_for"], rf"^held by .*pid {holder.pid}, node 0")
        self.assertIn(f"pid-{holder.pid}", by_queue[0]["why"])
        self.assertGreater(told["held"][0]["age_ms"], 0)
        self.assertIsNone(waiter.poll())
        holder.stdin.close()
        self.assertEqual(0, holder.wait(timeout=10))
        self.assertEqual(0, waiter.wait(timeout=10))
        self.assertEqual([], self.told(self.nodes[1], "locks")["held"])

    def test_a_lock_goes_with_its_process(self):
        holder = self.background(self.nodes[0], "lock", "l.tdb", "b")
        holder.stdout.readline()
        holder.kill()
        self.good(self.nodes[0], "writekey", "l.tdb", "b", "v", "-t", "5")

    def test_a_lock_that_does_not_come(self):
        holder = self.background(self.nodes[0], "lock", "l.tdb", "c")
        holder.stdout.readline()
        self.assert_complains(TIMED_OUT, f"held by floe (pid {holder.pid}, node 0)", "--base", self.nodes[0].base, "lock", "l.tdb", "c", "-t",
                              "0.3", "--for", "1s")

    def test_who_waits_at_a_terminal_is_told_so(self):
        holder = self.background(self.nodes[0], "lock", "l.tdb", "d")
        self.assertIn("granted", holder.stdout.readline())
        terminal, its_end = pty.openpty()
        self.addCleanup(os.close, terminal)
        waiter = subprocess.Popen([FLOE, "--base", self.nodes[0].base, "lock", "l.tdb", "d", "--for", "10ms"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=its_end, text=True)
        os.close(its_end)
        self.addCleanup(end, waiter)
        shown = b""

        def read():
            nonlocal shown
            while select.select([terminal], [], [], 0.1)[0]:
                try:
                    some = os.read(terminal, 4096)
                except OSError:  # nobody has its other end any more
                    break
                if not some:
                    break
                shown += some
            return shown
        until(lambda: b"lock l.tdb d: waits for " in read(), "it says that it waits")
        holder.stdin.close()
        self.assertEqual(0, waiter.wait(timeout=20))
        self.assertTrue(read().endswith(b"\r\033[K"), shown)  # and takes it back
        self.assertIn("granted", waiter.stdout.read())

    def test_clients_by_name_and_a_circle(self):
        one = self.background(self.nodes[0], "client", "--name", "smbd-one")
        two = self.background(self.nodes[0], "client", "--name", "smbd-two")
        for client, key in ((one, "x"), (two, "y")):
            client.stdin.write(f"lock l.tdb {key} as first\n")
            self.assertIn("granted", client.stdout.readline())
        for client, key in ((one, "y"), (two, "x")):
            client.stdin.write(f"& lock l.tdb {key} as second\n")
        told = self.locks_where(lambda t: t["cycle"], "a circle is seen")
        self.assertEqual({"smbd-one", "smbd-two"}, {h["name"] for h in told["held"]})
        self.assertEqual(2, len(told["cycle"]))
        text = self.good(self.nodes[2], "locks")
        self.assertIn("These wait for each other", text)
        self.assertIn("waits itself for", text)
        circle = [t for t in self.told(self.nodes[2], "doctor", status=SAYS_NO)["troubles"]
                  if t["kind"] in ("deadlock", "lock-held")]
        self.assertEqual(["deadlock"], [t["kind"] for t in circle])
        for client in (one, two):
            self.assertIn(f"kill {client.pid} on node 0", circle[0]["next"])
        one.stdin.write("unlock first\n")
        self.assertIn("unlocked", one.stdout.readline())
        self.assertIn("second", two.stdout.readline())

    def test_a_script(self):
        script = "\n".join(["# nothing", "lock l.tdb s as L", "store L 'some words'", "unlock L", "read l.tdb s",
                            "store L again", "lock nosuch.tdb x", "dance", "lock l.tdb 'unclosed"])
        begin = time.monotonic()
        result = self.assert_exit(FAILED, floe("--base", self.nodes[1].base, "client", "--json", text=script))
        self.assertLess(time.monotonic() - begin, 5)  # it ends with its last line, not with some deadline
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([True] * 4 + [False] * 4, [a["ok"] for a in answers])
        self.assertEqual("some words", answers[3]["value"])
        self.assertEqual(["L is not held", "one of"], [answers[4]["error"], answers[6]["error"][:6]])


class B4Health(Checks):
    """What is wrong is said where a user looks: with cause and age, by every command that waits for it."""

    @classmethod
    def setUpClass(cls):
        folder = sandbox.directory("lock")
        cls.folder = folder / "shared"
        cls.folder.mkdir()
        cls.nodes = cls.enterClassContext(cluster.of("floe", lock=cls.folder / "cluster.lock"))

    def doctor(self, node, status):
        return self.assert_exit(status, floe("--base", node.base, "doctor")).stdout

    def kinds(self, node):
        return {t["kind"]: t for t in self.told(node, "status")["troubles"]}

    def test_nothing_is_wrong(self):
        self.nodes.wait_healthy()
        self.assertIn("3 nodes were asked: nothing is wrong", self.doctor(self.nodes[0], DONE))
        told = self.told(self.nodes[1], "status")
        self.assertEqual((True, [], []), (told["healthy"], told["warnings"], told["troubles"]))
        version = floe("--version").stdout.split(",")[0]
        self.assertEqual([version] * 3, [node["version"] for node in told["nodes"]])
        self.assertIn(f"all run {version}\n", self.good(self.nodes[1], "status"))

    def test_the_lock_cannot_be_had(self):
        node, gone = self.nodes[0], self.folder.with_suffix(".gone")
        self.folder.rename(gone)
        try:
            until(lambda: "no-leader" in self.kinds(node), "nobody leads")
            until(lambda: floe("--base", node.base, "nodestatus").returncode == SAYS_NO, "the node says so")
            # who had the lock says at first that its file was removed
            until(lambda: "No such file" in self.kinds(node).get("no-leader", {}).get("text", ""), "what the system says of the file")
            trouble = self.kinds(node)["no-leader"]
            self.assertIn(f"{self.folder}/cluster.lock cannot be had: ", trouble["text"])
            self.assertIn("No such file", trouble["text"])
            self.assertFalse(self.told(node, "status")["healthy"])
            self.assertRegex(self.doctor(self.nodes[2], SAYS_NO), r"cannot be had: .*No such file.*\n +try: ")
            self.assert_complains(SAYS_NO, "cannot be had", "--base", node.base, "leader")
            self.assert_complains(TIMED_OUT, "cannot be had", "--base", node.base, "-t", "2", "recover")
            self.assert_exit(SAYS_NO, floe("cluster", "status", "--dir", self.nodes.directory))
            self.assert_complains(TIMED_OUT, "cannot be had", "cluster", "up", "--dir", self.nodes.directory, "-t", "1")
        finally:
            gone.rename(self.folder)
        self.nodes.wait_healthy()
        until(lambda: self.told(node, "status")["healthy"], "well again")

    def test_killed_hung_and_banned(self):
        node = self.nodes[0]
        self.told(node, "ban", "60", "-n", "1")
        row = self.told(node, "status")["nodes"][1]
        self.assertRegex(row["reason"], r"^is banned by an operator: asked by .*; \d+ s left")
        text = self.assert_exit(SAYS_NO, floe("--base", node.base, "status")).stdout
        self.assertRegex(text, r"BANNED.* is banned by an operator")
        self.assertIn("floe -n 1 unban", self.doctor(node, SAYS_NO))
        for asked in (("--base", node.base, "recover", "-n", "1"), ("--base", self.nodes[1].base, "recover")):
            begin = time.monotonic()
            self.assert_complains(FAILED, "node 1 takes part in no recovery: it is banned by an operator: ", *asked)
            self.assertLess(time.monotonic() - begin, 20)  # it does not wait for the end of the ban
        self.told(node, "unban", "-n", "1")
        self.nodes.wait_healthy()
        self.nodes[1].signal(signal.SIGSTOP)
        try:
            until(lambda: "silent" in self.kinds(node), "node 0 has noticed")
            self.assertIn("does not answer: ", self.told(node, "status")["nodes"][1]["reason"])
            self.assert_complains(TIMED_OUT, f"its process {self.nodes[1].pid} is stopped: kill -CONT", "--base",
                                  self.nodes[1].base, "-t", "0.5", "ping")
            # and it is not waited for, since no patience helps
            self.assert_complains(TIMED_OUT, "is stopped: kill -CONT", "--base", self.nodes[1].base, "-t", "10m", "ping")
        finally:
            self.nodes[1].signal(signal.SIGCONT)
        self.nodes.wait_healthy()
        self.nodes[2].signal(signal.SIGKILL)
        until(lambda: "ended" in self.kinds(node), "node 0 has noticed")
        self.assertIn("has no process any more, killed or crashed: ", self.told(node, "status")["nodes"][2]["reason"])
        self.nodes.start_node(self.nodes[2])
        self.nodes.wait_healthy()

    def test_shut_down_and_stopped(self):
        """Who was ended in good order is not taken for killed: every node knows by whom, and since when."""
        node = self.nodes[0]
        self.nodes.wait_healthy()
        os.kill(self.nodes[2].pid, signal.SIGTERM)
        until(lambda: "shut-down" in self.kinds(node), "node 0 has noticed")
        by = rf"was shut down by SIGTERM of \S+ \(pid {os.getpid()}\), for "
        for one in self.nodes[:2]:
            self.assertRegex(self.told(one, "status")["nodes"][2]["reason"], f"^{by}")
            self.assertRegex(self.doctor(one, SAYS_NO), rf"node 2 {by}.*\n +try: start it")
        self.assertRegex(self.assert_exit(SAYS_NO, floe("--base", node.base, "nodestatus", "2")).stdout, by)
        self.assertGreaterEqual(self.kinds(node)["shut-down"]["age_ms"], 0)
        # who has started since then has never seen it, and hears of it from the other
        self.nodes[1].signal(signal.SIGKILL)
        until(lambda: "ended" in self.kinds(node), "node 0 has noticed")
        self.nodes.start_node(self.nodes[1])
        until(lambda: floe("--base", self.nodes[1].base, "runstate", "running").returncode == DONE, "node 1 runs")
        self.assertRegex(self.told(self.nodes[1], "status")["nodes"][2]["reason"], f"^{by}")
        until(lambda: self.nodes[2].pid is None, "node 2 has ended")
        self.nodes.start_node(self.nodes[2])
        self.nodes.wait_healthy()
        self.assert_exit(DONE, floe("--base", node.base, "shutdown", "-n", "2"))
        until(lambda: "shut-down" in self.kinds(node), "node 0 has noticed")
        self.assertIn("was shut down by an operator at node 0", self.told(node, "status")["nodes"][2]["reason"])
        until(lambda: self.nodes[2].pid is None, "node 2 has ended")
        self.nodes.start_node(self.nodes[2])
        self.nodes.wait_healthy()
        self.told(node, "stop", "-n", "2")
        self.assertRegex(self.told(node, "status")["nodes"][2]["reason"], "^was stopped by an operator, for ")
        self.told(node, "continue", "-n", "2")
        self.nodes.wait_healthy()

    def test_a_lock_that_is_not_given_back(self):
        """Every node names who holds it, and so does whoever has waited in vain."""
        self.nodes.wait_healthy()
        for node in self.nodes:
            self.told(node, "attach", "l.tdb")
        with subprocess.Popen([FLOE, "--base", self.nodes[1].base, "lock", "l.tdb", "k1"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as holder:
            self.assertIn("granted", holder.stdout.readline())
            holds = f"held by floe (pid {holder.pid}, node 1)"
            self.assert_complains(TIMED_OUT, holds, "--base", self.nodes[0].base, "-t", "1", "readkey", "l.tdb", "k1")
            with subprocess.Popen([FLOE, "--base", self.nodes[2].base, "lock", "l.tdb", "k1", "--for", "1ms"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as waiter:
                until(lambda: "lock-held" in self.kinds(self.nodes[0]), "it is a trouble", 40)
                for node in self.nodes:
                    trouble = self.kinds(node)["lock-held"]
                    self.assertRegex(trouble["text"], rf"l\.tdb: .* for the lock of k1; floe \(pid {holder.pid}, node 1\)")
                    self.assertIn(f"kill {holder.pid} on node 1", self.doctor(node, SAYS_NO))
                holder.stdin.close()
                self.assertEqual(0, waiter.wait(timeout=30))
        until(lambda: "lock-held" not in self.kinds(self.nodes[0]), "nothing is left of it")

    def test_a_node_that_hangs_before_anybody_has_noticed(self):
        self.nodes.wait_healthy()
        self.nodes[2].signal(signal.SIGSTOP)
        try:
            # first it does not answer, then the others take it for lost
            until(lambda: {"no-answer", "silent"} & set(self.kinds(self.nodes[0])), "it is said at once")
            self.assertFalse(self.told(self.nodes[1], "status")["healthy"])
        finally:
            self.nodes[2].signal(signal.SIGCONT)
        self.nodes.wait_healthy()

    def test_status_is_watched(self):
        with subprocess.Popen([FLOE, "--base", self.nodes[0].base, "status", "--watch", "--json"],
                              stdout=subprocess.PIPE, text=True) as watch:
            self.assertEqual([0, 0], [json.loads(watch.stdout.readline())["node"] for _ in range(2)])
            watch.terminate()

    def test_a_recovery_that_is_held(self):
        node = self.nodes[1]
        self.told(node, "attach", "h.tdb")
        leader = self.told(node, "leader")["leader"]
        self.told(node, "recovery", "hold", "freeze@h.tdb")
        with subprocess.Popen([FLOE, "--base", node.base, "recover"], stdout=subprocess.DEVNULL):
            until(lambda: "is held at freeze by an operator" in self.kinds(self.nodes[leader]).get("recovery", {})
                  .get("text", ""), "the leader says so")
            until(lambda: "is held at freeze by an operator" in self.kinds(node).get("recovery", {}).get("text", ""),
                  "every node says so")
            self.assertIn("try: floe recovery release", self.doctor(node, SAYS_NO))
            self.told(node, "recovery", "release")
        self.nodes.wait_healthy()

    def test_nonsense_is_refused(self):
        base = self.nodes[0].base
        self.assert_complains(WRONG_USE, "no such phase: psh; did you mean push?", "--base", base, "recovery", "hold", "psh")
        self.assert_complains(WRONG_USE, "and of each database", "--base", base, "recovery", "hold", "nosuchphase")
        self.assert_complains(FAILED, "no database nosuch.tdb", "--base", base, "recovery", "hold", "freeze@nosuch.tdb")
        self.assert_complains(WRONG_USE, "no phase of a single database", "--base", base, "recovery", "hold",
                              "set_vnn_map@nosuch.tdb")
        self.assert_complains(WRONG_USE, "FIRST_RECOVERY", "--base", base, "runstate", "FOO")
        self.assert_complains(WRONG_USE, "no such option: --bas; did you mean --base?", "--bas", base, "status")
        self.assert_complains(WRONG_USE, "did you mean --json?", "--base", base, "status", "--jsn")


class C1Clusters(Checks):
    def setUp(self):
        self.dir = sandbox.directory("k")
        self.addCleanup(floe, "cluster", "down", "--dir", self.dir)

    def up(self, *options):
        return json.loads(self.assert_exit(DONE, floe("cluster", "up", "--dir", self.dir, "--json", *options)).stdout)

    def test_up_and_down_and_up(self):
        first = self.up("--nodes", "2")
        self.assertEqual(2, len(first["nodes"]))
        again = self.up()
        self.assertEqual([n["pid"] for n in first["nodes"]], [n["pid"] for n in again["nodes"]])
        self.assert_complains(FAILED, "has 2 nodes", "cluster", "up", "--dir", self.dir, "--nodes", "1")
        self.assert_exit(DONE, floe("cluster", "status", "--dir", self.dir))

        os.kill(first["nodes"][1]["pid"], signal.SIGKILL)
        until(lambda: floe("cluster", "status", "--dir", self.dir).returncode == SAYS_NO, "it is not healthy any more")
        third = self.up()
        self.assertEqual(first["nodes"][0]["pid"], third["nodes"][0]["pid"])
        self.assertNotEqual(first["nodes"][1]["pid"], third["nodes"][1]["pid"])

        os.kill(third["nodes"][1]["pid"], signal.SIGSTOP)  # that one has to be killed, which is told while it is waited for
        told = on_terminal(100, "cluster", "down", "--dir", self.dir, "-t", "2")
        self.assertIn("cluster down: waits for node 1, ", told)
        self.assertIn("node 1 did not end by itself and was killed", told)
        self.assertEqual([], processes())
        self.assert_exit(NO_NODE, floe("cluster", "status", "--dir", self.dir))
        self.assert_exit(DONE, floe("cluster", "down", "--dir", self.dir))
        self.assert_complains(FAILED, "no cluster is there", "cluster", "status", "--dir", self.dir / "x")

    def test_two_at_once(self):
        words = [FLOE, "cluster", "up", "--dir", self.dir, "--nodes", "2", "--json"]
        both = [subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                for _ in range(2)]
        told = [p.communicate(timeout=100) for p in both]
        self.assertEqual([0, 0], [p.returncode for p in both], told)
        first, second = (json.loads(out)["nodes"] for out, _ in told)
        self.assertEqual(first, second)

    def test_it_grows_while_it_runs(self):
        before = self.up("--nodes", "2")
        base = before["nodes"][0]["base"]
        self.assert_exit(DONE, floe("--base", base, "attach", "g.tdb"))
        self.assert_exit(DONE, floe("--base", base, "writekey", "g.tdb", "key", "value"))
        self.assertIn("3 nodes are healthy", self.assert_exit(DONE, floe("cluster", "add", "--dir", self.dir)).stdout)
        after = self.up("--nodes", "4")
        self.assertEqual([n["pid"] for n in before["nodes"]], [n["pid"] for n in after["nodes"][:2]])
        self.assertEqual("value\n", floe("--base", after["nodes"][3]["base"], "readkey", "g.tdb", "key").stdout)
        told = json.loads(self.assert_exit(DONE, floe("cluster", "status", "--dir", self.dir, "--json")).stdout)
        self.assertEqual([0, 1, 2, 3], [n["node"] for n in told["nodes"]])
        self.assertTrue(told["healthy"])

    def list_nodes(self, prefix, nodes, count):
        for node in range(nodes):
            (self.dir / f"node.{node}/nodes").write_text("".join(f"{prefix}.{i + 1}\n" for i in range(count)))

    def test_a_node_added_by_hand_belongs_to_it(self):
        before = self.up("--nodes", "2")
        first, third = self.dir / "node.0", self.dir / "node.2"
        third.mkdir()
        conf = (first / "ctdb.conf").read_text().replace(f"{first}/", f"{third}/")
        (third / "ctdb.conf").write_text(re.sub(r"(?m)^node address = .*", f"node address = {before['address_prefix']}.3", conf))
        self.list_nodes(before["address_prefix"], 3, 3)
        told = self.assert_exit(SAYS_NO, floe("cluster", "status", "--dir", self.dir)).stdout
        self.assertRegex(told, r"2 +\S+ +- +not running")
        self.assert_exit(DONE, floe("--base", first, "reloadnodes"))
        self.assertEqual([0, 1, 2], [n["node"] for n in self.up()["nodes"]])
        self.assert_exit(DONE, floe("--base", third, "ping", "-n", "all"))

    def test_a_wait_that_nobody_watches_says_why(self):
        prefix = self.up("--nodes", "2")["address_prefix"]
        self.list_nodes(prefix, 2, 3)
        self.assert_exit(DONE, floe("--base", self.dir / "node.0", "reloadnodes"))
        waited = self.assert_exit(TIMED_OUT, floe("cluster", "up", "--dir", self.dir, "-t", "6"))
        first, last = waited.stderr.splitlines()
        self.assertRegex(first, "^floe: cluster up waits: .*node 2 ")
        self.assertIn("not healthy in time: ", last)
        self.assertIn("3 nodes are healthy", self.assert_exit(DONE, floe("cluster", "add", "--dir", self.dir)).stdout)
        self.assertEqual(3, len((self.dir / "node.0/nodes").read_text().splitlines()))

    def test_a_node_that_cannot_start_is_named(self):
        self.up("--nodes", "1")
        floe("cluster", "down", "--dir", self.dir)
        (self.dir / "node.0" / "nodes").write_text("nonsense\n")
        self.assert_complains(FAILED, "node 0 has ended", "cluster", "up", "--dir", self.dir)


class C2Nodes(Checks):
    def setUp(self):
        self.base = sandbox.directory("n")
        self.address = f"{cluster.free_prefix(1, cluster.default_port())}.1"
        (self.base / "nodes").write_text(f"{self.address}\n")

    def start(self, *prefix):
        process = subprocess.Popen([*prefix, FLOE, "node", "--base", self.base], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(end, process)
        until(lambda: floe("--base", self.base, "ping").returncode == DONE, "the node answers", 20)
        return process

    def test_one_node_in_a_directory(self):
        node = self.start()
        self.assert_complains(FAILED, f"process {node.pid}", "node", "--base", self.base)
        self.assert_exit(DONE, floe("--base", self.base, "ping"))
        self.assertEqual(f"{node.pid}\n", (self.base / "run/ctdbd.pid").read_text())
        self.assertEqual(0o700, (self.base / "run/ctdbd.socket").stat().st_mode & 0o777)

    def test_signals_end_it_in_order(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            node = self.start()
            node.send_signal(number)
            self.assertEqual(0, node.wait(timeout=10))
            self.assertFalse((self.base / "run/ctdbd.socket").exists())
            self.assertFalse((self.base / "run/ctdbd.pid").exists())

    def test_shutdown_returns_when_it_is_gone(self):
        node = self.start()
        self.assert_exit(DONE, floe("--base", self.base, "shutdown"))
        self.assertEqual(0, node.wait(timeout=5))

    def test_what_a_killed_node_leaves_is_no_obstacle(self):
        end(self.start())
        self.start()

    def test_first_process_of_a_container(self):
        unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no process namespace can be made here")
        node = self.start(*unshare)
        first = until(lambda: [pid for pid in processes() if self.parent(pid) == node.pid], "process 1 is seen")[0]
        os.kill(first, signal.SIGTERM)
        self.assertEqual(0, node.wait(timeout=10))

    @staticmethod
    def parent(pid):
        try:
            return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return None

    def test_an_address_that_is_taken(self):
        self.start()
        other = sandbox.directory("n")
        (other / "nodes").write_text(f"{self.address}\n")
        result = self.assert_exit(FAILED, floe("node", "--base", other))
        self.assertRegex(result.stderr, "the node did not start: cannot listen on .*: Address already in use")
        self.assertIn("Address already in use", (other / "log.ctdb").read_text())


class D1Quickstart(Checks):
    def assert_nothing_is_left(self):
        self.assertEqual(([], []), (processes(), list(pathlib.Path(os.environ["TMPDIR"]).glob("floe-*"))))

    def test_it_holds(self):
        answer = json.loads(self.assert_exit(DONE, floe("quickstart", "--json")).stdout)
        self.assertEqual([], [step for step in answer["steps"] if not step["held"]])
        self.assertEqual({1, 2, 3, 4, 5}, {step["part"] for step in answer["steps"]})
        self.assertIn("within 500ms: smbd has brlock.tdb file7", [step["line"] for step in answer["steps"]])
        rows = {row["db"]: row for row in answer["timeline"]["rows"] if row["node"] == 0}
        self.assertIn("freezing", [span["state"] for span in rows["locking.tdb"]["spans"]])
        self.assertEqual([], answer["circle"])
        self.assert_nothing_is_left()

    def test_all_frozen_together_ends_in_a_circle(self):
        answer = json.loads(self.assert_exit(SAYS_NO, floe("quickstart", "--freeze=all", "--json")).stdout)
        self.assertEqual(3, len(answer["circle"]))
        self.assertIn("brlock.tdb", answer["steps"][-1]["line"])
        self.assertFalse(answer["steps"][-1]["held"])
        self.assert_nothing_is_left()

    def test_text(self):
        text = self.assert_exit(DONE, floe("quickstart")).stdout
        self.assertIn("Everything held.", text)
        self.assertIn("\n2 a node is lost\n", text)
        self.assertNotIn("FAIL", text)
        self.assertNotIn("\033", text)

    def test_interrupted(self):
        process = subprocess.Popen([FLOE, "quickstart"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(end, process)
        for line in process.stdout:
            if "attach" in line:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        self.assertEqual(128 + signal.SIGINT, process.wait(timeout=20))
        self.assert_nothing_is_left()


if __name__ == "__main__":
    if not (FLOE and os.access(FLOE, os.X_OK)):
        tap.skip_all("the environment variable FLOE names no program")
    tap.main()
