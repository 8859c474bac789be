#!/usr/bin/env python3
"""Debian's `ctdb` tool, unmodified, cannot tell a floe node from a ctdbd.

Two clusters of three run side by side, the subject and the oracle (ctdbd). Every command is given to both, and what
comes back (output, errors, exit status) must be the same once numbers that have to differ are masked: process ids,
times, generations, addresses, counters. FLOE_SUBJECT=ctdbd puts a second ctdbd cluster in the subject's place: then
the test shows that it demands nothing that a ctdbd does not do.
"""
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import tap  # noqa: E402
from wait import until  # noqa: E402

SUBJECT = os.environ.get("FLOE_SUBJECT", "floe")
DB_ATTACH, DB_ATTACH_PERSISTENT, DB_ATTACH_REPLICATED = 18, 61, 150
subject = oracle = None

MASKS = [
    (r"(NET\.\d+) +", r"\1 "),  # the tool pads addresses to a column, and they differ in length
    (r"Generation:\d+", "Generation:G"),
    (r"Leader:\d+", "Leader:L"),
    (r"time=\d\.\d+ sec  \(\d+ clients\)", "time=T sec  (C clients)"),
    (r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}", "DATE"),
    (r"\(\d{3} \d\d:\d\d:\d\d\)", "(AGE)"),
    (r"Duration of last recovery/failover: \d+\.\d+ seconds", "Duration of last recovery/failover: D seconds"),
    (r"path:\S+", "path:P"),
    (r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d\.\d+(\+\d\d:\d\d)? (\S+ )?", "STAMP "),
    (r"\bctdb\[\d+\]", "ctdb[PID]"),
]

# floe lists a few more, behind all of ctdbd's
OWN_VARIABLES = [(r"(?m)^(FeatureLevel|Floe|LockHolder|RecordTable)\w* +=.*\n", "")]


def setUpModule():
    global subject, oracle
    oracle = unittest.enterModuleContext(cluster.of("ctdbd"))
    subject = unittest.enterModuleContext(cluster.of(SUBJECT))


def masked(group, text, extra=()):
    text = text.replace(f"{group.prefix}.", "NET.").replace(str(group.directory), "DIR")
    for pattern, replacement in [*MASKS, *extra]:
        text = re.sub(pattern, replacement, text)
    return text


def answer(group, pnn, arguments, extra=()):
    """What a user sees: exit status, output and errors of the tool, masked."""
    result = group[pnn].ctdb(*arguments)
    return {"exit": result.returncode, "out": masked(group, result.stdout, extra).splitlines(),
            "err": masked(group, result.stderr, extra).splitlines()}


class Side(unittest.TestCase):
    """Base of the tests below: the same on both sides."""

    maxDiff = None

    def assert_same(self, *arguments, pnn=0, extra=()):
        with self.subTest(command=" ".join(map(str, arguments)), node=pnn):
            expected = answer(oracle, pnn, arguments, extra)
            self.assertEqual(expected, answer(subject, pnn, arguments, extra))
            return expected

    def assert_good(self, *arguments, **options):
        """The same, and the oracle does not just refuse."""
        expected = self.assert_same(*arguments, **options)
        if expected is not None:
            self.assertEqual(0, expected["exit"], arguments)

    def everywhere(self, *arguments, **options):
        """Asked directly, asked on another node, and asked about another node."""
        self.assert_good(*arguments, **options)
        self.assert_good(*arguments, pnn=2, **options)
        self.assert_good("-n", 1, *arguments, **options)


class A1Queries(Side):
    def test_ping(self):
        self.everywhere("ping")

    def test_pnn(self):
        self.assert_good("pnn")
        self.assert_good("pnn", pnn=2)

    def test_status(self):
        self.everywhere("status")
        self.everywhere("-X", "status")

    def test_nodestatus(self):
        self.everywhere("nodestatus")
        self.everywhere("nodestatus", "all")
        self.everywhere("nodestatus", "1,2")
        self.everywhere("-X", "nodestatus", "all")

    def test_listnodes(self):
        self.assert_good("listnodes")
        self.assert_good("-X", "listnodes")

    def test_uptime(self):
        self.everywhere("uptime")

    def test_uptime_is_true(self):
        for group in (oracle, subject):
            since = re.search(r"Ctdbd start time\s+: \((\d+) (\d+):(\d+):(\d+)\)", group[0].ctdb("uptime").stdout)
            days, hours, minutes, seconds = map(int, since.groups())
            told = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
            started = (group[0].base / "run" / "ctdbd.pid").stat().st_mtime
            self.assertAlmostEqual(time.time() - started, told, delta=3)

    def test_capabilities(self):
        self.everywhere("getcapabilities")
        self.everywhere("-X", "getcapabilities")

    def test_leader(self):
        for group in (oracle, subject):
            told = {node.ctdb("leader").stdout for node in group}
            self.assertEqual(1, len(told), "all nodes know the same leader")
            self.assertIn(told.pop(), {"0\n", "1\n", "2\n"})
        self.assert_good("leader", extra=[(r"\d+", "L")])

    def test_runstate(self):
        self.everywhere("runstate")
        self.everywhere("runstate", "running")
        self.everywhere("runstate", "startup", "running")
        self.assert_same("runstate", "setup")

    def test_getpid(self):
        for group in (oracle, subject):
            self.assertEqual(f"{group[0].pid}\n", group[0].ctdb("getpid").stdout)
            self.assertEqual(f"{group[2].pid}\n", group[0].ctdb("-n", 2, "getpid").stdout)

    def test_statistics(self):
        numbers = [(r"\b\d+(\.\d+)?\b", "N"), (r" +N", " N"), (r"MIN/AVG/MAX +", "MIN/AVG/MAX ")]
        self.everywhere("statistics", extra=numbers)
        self.everywhere("-X", "statistics", extra=[(r"\b\d+(\.\d+)?\b", "N")])

    def test_statistics_count(self):
        for group in (oracle, subject):
            def counted():
                text = group[1].ctdb("statistics").stdout  # pylint: disable=cell-var-from-loop
                return int(re.search(r"client\n.*?req_control +(\d+)", text, re.S).group(1))

            before = counted()
            for _ in range(5):
                group[1].ctdb("ping")
            self.assertGreaterEqual(counted() - before, 10)  # the tool asks for the pnn before it pings


class A2Databases(Side):
    def test_getdbmap(self):
        self.everywhere("getdbmap")
        for group in (oracle, subject):
            with group[0].connect() as client:
                for opcode, name in ((DB_ATTACH, b"locking.tdb"), (DB_ATTACH_PERSISTENT, b"secrets.tdb"),
                                     (DB_ATTACH_REPLICATED, b"shared.tdb")):
                    status, db_id, _ = client.request(opcode, name + b"\0")
                    self.assertEqual((0, 4), (status, len(db_id)), name)
        for pnn in range(3):
            for group in (oracle, subject):
                until(lambda g=group, n=pnn: "Number of databases:3" in g[n].ctdb("getdbmap").stdout,
                      f"three databases on node {pnn} of {group}", 20)
        lines = {"out": sorted(answer(oracle, 0, ["getdbmap"])["out"])}
        self.assertIn("dbid:0x7a19d84d name:locking.tdb path:P", lines["out"])
        for pnn in range(3):  # their order is of no meaning
            self.assertEqual(lines["out"], sorted(answer(subject, pnn, ["getdbmap"])["out"]))
            self.assertEqual(lines["out"], sorted(answer(subject, 0, ["-n", pnn, "getdbmap"])["out"]))
        table = [(r"\|[^|]*/[^|]*\|", "|PATH|")]
        self.assertEqual(sorted(answer(oracle, 0, ["-X", "getdbmap"], table)["out"]),
                         sorted(answer(subject, 0, ["-X", "getdbmap"], table)["out"]))

    def test_properties(self):
        for command in ("setdbreadonly", "setdbsticky"):
            self.assert_good(command, "locking.tdb")
            self.assert_good(command, "0x7a19d84d")
            self.assert_good("-n", 1, command, "locking.tdb")
            self.assert_same(command, "secrets.tdb")
            self.assert_same(command, "nosuch.tdb")
        for pnn in (0, 2):  # the third node was not asked to
            self.assert_good("getdbstatus", "locking.tdb", pnn=pnn)
            listed = [sorted(answer(group, pnn, ["getdbmap"])["out"]) for group in (oracle, subject)]
            self.assertEqual(*listed)

    def test_getdbstatus(self):
        self.assert_same("getdbstatus", "locking.tdb")
        self.assert_same("getdbstatus", "0x7a19d84d")
        self.assert_same("getdbstatus", "nosuch.tdb")


class A3Settings(Side):
    def test_listvars(self):
        self.everywhere("listvars", extra=OWN_VARIABLES)

    def test_getvar(self):
        self.everywhere("getvar", "RecoverTimeout")
        self.everywhere("getvar", "recovertimeout")

    def test_setvar(self):
        self.assert_good("setvar", "TraverseTimeout", 21)
        self.assert_good("getvar", "TraverseTimeout")
        self.assert_good("-n", 1, "getvar", "TraverseTimeout")
        self.assert_good("-n", 1, "setvar", "TraverseTimeout", 22)
        self.assert_good("getvar", "TraverseTimeout", pnn=1)
        self.everywhere("listvars", extra=OWN_VARIABLES)
        for pnn in (0, 1):
            self.assert_good("setvar", "TraverseTimeout", 20, pnn=pnn)

    def test_unknown_variables(self):
        self.assert_same("getvar", "NoSuchVariable")
        self.assert_same("setvar", "NoSuchVariable", 1)
        self.assert_same("getvar", "VerifyRecoveryLock")
        self.assert_same("setvar", "VerifyRecoveryLock", 0)

    def test_debug_level(self):
        self.everywhere("getdebug")
        for level in ("ERROR", "WARNING", "NOTICE", "INFO", "DEBUG", "NOTICE"):
            self.assert_good("setdebug", level)
            self.assert_good("getdebug")
        self.assert_good("-n", 1, "setdebug", "ERROR")
        self.assert_good("getdebug", pnn=1)
        self.assert_good("getdebug")
        self.assert_good("setdebug", "NOTICE", pnn=1)
        self.assert_same("setdebug", "LOUD")


class A4WrongUse(Side):
    def test_wrong_arguments(self):
        for arguments in (["ping", "now"], ["getvar"], ["setvar", "RecoverTimeout"], ["setvar", "RecoverTimeout", "x"],
                          ["nosuchcommand"], ["setdebug"], ["nodestatus", "nonsense"],
                          ["-n", "all", "ping"], ["-n", "0,1", "ping"]):
            self.assert_same(*arguments)

    def test_no_such_node(self):
        for arguments in (["-n", 7, "ping"], ["-n", 7, "status"], ["nodestatus", 7], ["-n", 3, "getpid"]):
            self.assert_same(*arguments)


class A5Rows(unittest.TestCase):
    """floe's own tool writes the rows that Debian's does."""

    def test_rows(self):
        if SUBJECT != "floe":
            self.skipTest("the subject is no floe")
        node = subject[1]
        for verb in (["status"], ["nodestatus"], ["nodestatus", "all"], ["nodestatus", "0,2"], ["listnodes"], ["getdbmap"],
                     ["getcapabilities"], ["leader"], ["pnn"], ["runstate"], ["runstate", "setup", "running"]):
            for flags in (["-X"], ["-Y"], ["-X", "-x", ";"], ["-Y", "-x:"]):
                with self.subTest(command=" ".join(flags + verb)):
                    theirs = node.ctdb(*flags, *verb)
                    ours = subprocess.run([cluster.FLOE, "--base", node.base, *flags, *verb], capture_output=True, text=True,
                                          stdin=subprocess.DEVNULL, timeout=60)
                    self.assertEqual((theirs.returncode, theirs.stdout, ""), (ours.returncode, ours.stdout, ours.stderr))

    def test_rows_of_counters(self):
        if SUBJECT != "floe":
            self.skipTest("the subject is no floe")
        node = subject[1]
        until(lambda: node.ctdb("-X", "stats", 1).stdout.count("\n") > 1, "an interval has ended", 20)
        for verb in (["statistics"], ["stats", "1"]):
            for flags in (["-X"], ["-Y"], ["-X", "-x;"]):
                with self.subTest(command=" ".join(flags + verb)):
                    theirs = node.ctdb(*flags, *verb).stdout
                    ours = subprocess.run([cluster.FLOE, "--base", node.base, *flags, *verb], capture_output=True, text=True,
                                          stdin=subprocess.DEVNULL, timeout=60).stdout
                    numbers = re.compile(r"(?<![\w.])\d+(\.\d{6})?\b")
                    # Debian's tool prints one interval more than it is asked for
                    self.assertEqual(numbers.sub("N", theirs).splitlines()[:2], numbers.sub("N", ours).splitlines())

    def test_rows_of_a_node_that_is_not_well(self):
        if SUBJECT != "floe":
            self.skipTest("the subject is no floe")
        for change, back, row in (("disable", "enable", "|0|0|0|1|0|0|0|0|N|"), ("stop", "continue", "|0|0|0|0|0|1|1|0|N|")):
            self.assertEqual(0, subject[2].ctdb(change).returncode)
            try:
                for node in subject[0], subject[1]:
                    until(lambda n=node: row in n.ctdb("-X", "status").stdout, f"{node} knows of {change} on node 2", 20)
                self.test_rows()
            finally:
                self.assertEqual(0, subject[2].ctdb(back).returncode)
            subject.wait_healthy()


class A6EveryVerb(Side):
    """Each verb that the tool knows is given to both sides, here or by another test."""

    NUMBERS = [(r"\b\d+(\.\d+)?\b", "N"), (r" +N", " N"), (r"MIN/AVG/MAX +", "MIN/AVG/MAX ")]
    # the verb, and what is said of it above, or in test_bridge_tool.py; the rest of this file shuts nodes down
    ELSEWHERE = {
        **dict.fromkeys(("status", "uptime", "ping", "runstate", "getvar", "setvar", "listvars", "statistics", "getdbmap",
                         "getdbstatus", "getcapabilities", "pnn", "setdebug", "getdebug", "getpid", "recover", "listnodes",
                         "leader", "setdbreadonly", "setdbsticky", "nodestatus", "shutdown"), "test_tool.py"),
        **dict.fromkeys(("catdb", "cattdb", "attach", "backupdb", "restoredb", "wipedb", "pfetch", "pstore", "pdelete", "ptrans",
                         "tfetch", "tstore", "readkey", "writekey", "deletekey", "getdbseqnum"), "test_bridge_tool.py"),
        "dumpdbbackup": "test_backup.py",
        "detach": "test_backup.py",
        "reloadnodes": "test_reload.py",
    }
    # addresses and event scripts are not floe's: it knows of no address that was added, and runs no event daemon (moveip tries for
    # a quarter of a minute)
    NOT_FLOES = {"addip", "delip", "moveip", "scriptstatus"}
    SAME = {
        "version": [["version"]],
        "stats": [["stats", "1"], ["-X", "stats", "1"], ["-n", "1", "stats", "2"]],
        "statisticsreset": [["statisticsreset"], ["-n", "2", "statisticsreset"]],
        "process-exists": [["process-exists", "1"], ["process-exists", str(os.getpid())],
                           ["process-exists", str(os.getpid()), "0x17"], ["process-exists", "x"]],
        "dbstatistics": [["dbstatistics", "locking.tdb"], ["dbstatistics", "0x7a19d84d"], ["dbstatistics", "secrets.tdb"],
                         ["dbstatistics", "nosuch.tdb"]],
        "getreclock": [["getreclock"], ["-n", "1", "getreclock"]],
        "setlmasterrole": [["setlmasterrole", "off"], ["getcapabilities"], ["setlmasterrole", "on"], ["getcapabilities"],
                           ["setlmasterrole", "maybe"]],
        "setleaderrole": [["-n", "1", "setleaderrole", "off"], ["-n", "1", "-X", "getcapabilities"],
                          ["-n", "1", "setleaderrole", "on"], ["-n", "1", "-X", "getcapabilities"]],
        "checktcpport": [["checktcpport", "1"]],
        "sync": [["sync"]],
        # where there are no addresses and no scripts
        "ip": [["ip"], ["ip", "all"], ["-X", "ip"]],
        "ipinfo": [["ipinfo", "10.0.0.1"], ["ipinfo"]],
        "ifaces": [["ifaces"], ["-X", "ifaces"]],
        "setifacelink": [["setifacelink", "lo", "up"], ["setifacelink", "nosuch", "down"]],
        "gratarp": [["gratarp", "127.0.0.1", "lo"], ["gratarp", "nonsense", "lo"]],
        "tickle": [["tickle"], ["tickle", "nonsense", "nonsense"]],
        "gettickles": [["gettickles", "10.0.0.1"], ["-X", "gettickles", "10.0.0.1"]],
        "addtickle": [["addtickle", "10.0.0.1:445", "10.0.0.2:1000"]],
        "deltickle": [["deltickle", "10.0.0.1:445", "10.0.0.2:1000"]],
        "reloadips": [["reloadips"]],
        "event": [["event"], ["event", "script", "list", "legacy"]],
        "lvs": [["lvs", "leader"], ["lvs", "list"], ["lvs"]],
        "natgw": [["natgw", "leader"], ["natgw", "status"], ["natgw"]],
        "ipreallocate": [["ipreallocate"]],
    }
    STATES = {"disable", "enable", "stop", "continue", "ban", "unban"}
    # of SAME those whose numbers are times and counts
    COUNTS = {"stats", "dbstatistics"}

    def test_no_verb_is_left_out(self):
        listed = subprocess.run([cluster.CTDB], capture_output=True, text=True, check=False)
        verbs = set(re.findall(r"^  ([a-z][a-z-]+)  ", listed.stdout + listed.stderr, re.M))
        self.assertEqual(verbs, set(self.ELSEWHERE) | self.NOT_FLOES | set(self.SAME) | self.STATES | {"dumpmemory", "rddumpmemory"})
        for verb, file in self.ELSEWHERE.items():
            text = (pathlib.Path(__file__).parent / file).read_text(encoding="utf-8")
            self.assertIn(f'"{verb}"', re.sub(r"class A6EveryVerb(.*\n)*?(?=class )", "", text), file)

    def test_floe_has_it_or_says_what_it_has_instead(self):
        """floe's own tool: a user of ctdb's meets no verb that it has never heard of."""
        listed = subprocess.run([cluster.CTDB], capture_output=True, text=True, check=False)
        for verb in sorted(set(re.findall(r"^  ([a-z][a-z-]+)  ", listed.stdout + listed.stderr, re.M))):
            with self.subTest(verb=verb):
                told = subprocess.run([cluster.FLOE, verb, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
                if told.returncode != 0:
                    self.assertRegex(told.stderr, rf"no such command: {verb} is ctdb's; ")

    def test_same(self):
        with oracle[0].connect(), subject[0].connect():  # of this process, for process-exists
            for verb, commands in self.SAME.items():
                for command in commands:
                    self.assert_same(*command, extra=self.NUMBERS if verb in self.COUNTS else ())

    def test_states_of_nodes(self):
        for change in (["disable"], ["enable"], ["-n", "2", "stop"], ["-n", "2", "continue"], ["-n", "2", "ban", "300"],
                       ["-n", "2", "unban"]):
            self.assert_same(*change)
            for look in (["-X", "status"], ["-X", "nodestatus", "all"], ["nodestatus", "2"], ["nodestatus"]):
                self.same_in_the_end(*look)
        for group in (oracle, subject):
            group.wait_healthy()

    def same_in_the_end(self, *command):
        """What nodes tell each other takes its time."""
        last = [None, None]

        def same():
            last[:] = answer(oracle, 0, command), answer(subject, 0, command)
            return last[0] == last[1]

        with self.subTest(command=" ".join(command)):
            try:
                until(same, "the same on both", 20)
            except AssertionError:
                self.assertEqual(*last)

    def test_memory(self):
        for verb in ("dumpmemory", "rddumpmemory"):
            for group in (oracle, subject):
                self.assertEqual(0, group[0].ctdb(verb).returncode, verb)


class B1Recovery(Side):
    def test_recover(self):
        for group in (oracle, subject):
            before = self.recoveries(group), self.generation(group)
            result = group[1].ctdb("-t", 60, "recover")
            self.assertEqual((0, "", ""), (result.returncode, result.stdout, result.stderr))
            self.assertNotEqual(before[1], self.generation(group))
            self.assertGreater(self.recoveries(group), before[0])
            self.assertIn("Recovery mode:NORMAL (0)", group[0].ctdb("status").stdout)
        self.everywhere("status")

    @staticmethod
    def generation(group):
        return re.search(r"Generation:(\d+)", group[0].ctdb("status").stdout).group(1)

    @staticmethod
    def recoveries(group):
        return int(re.search(r"num_recoveries +(\d+)", group[0].ctdb("statistics").stdout).group(1))


class C1LostNode(Side):
    """Last: what the tool says when node 2 is gone."""

    def test_lost_node(self):
        for group in (oracle, subject):
            group[2].signal(signal.SIGKILL)
        for group in (oracle, subject):
            until(lambda g=group: re.search(r"Size:2\n(.*\n)+Recovery mode:NORMAL", g[0].ctdb("status").stdout),
                  f"{type(group).__name__} recovered without node 2", 60)
        self.assert_good("status")
        self.assert_good("-X", "status")
        self.assert_same("nodestatus", "all")
        self.assert_same("-X", "nodestatus", "all")
        self.assert_same("nodestatus", 2)
        self.assert_same("-n", 2, "ping")
        self.assert_same("-n", 2, "status")

    def test_shutdown(self):
        self.assert_good("shutdown", pnn=1)
        for group in (oracle, subject):
            until(lambda g=group: not g[1].socket.exists() or g[1].ctdb("pnn").returncode != 0, "node 1 has ended", 30)


if __name__ == "__main__":
    for kind in ("ctdbd", SUBJECT):
        if reason := cluster.why_not(kind):
            tap.skip_all(reason)
    tap.main()
