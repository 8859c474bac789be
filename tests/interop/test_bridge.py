#!/usr/bin/env python3
"""The library before libtdb, function by function: what a chain lock, a read, a store, a walk mean for a database of a node,
what is refused, and what happens at forks, with changed users, in recoveries, and when the node is lost, banned or stopped.
"""
import concurrent.futures
import ctypes
import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox)
import floe_cli as cli  # noqa: E402
import tap  # noqa: E402
import tdb_face as tdb  # noqa: E402
import tdb_records  # noqa: E402
from wait import until  # noqa: E402

NOBODY = 65534
NO_LIBTDB = None
try:
    tdb.Library()
except OSError as problem:
    NO_LIBTDB = str(problem)


class OnNodes(unittest.TestCase):
    size = 1

    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe", nodes=cls.size))
        cls.bridge = tdb.Library(tdb.bridge_path())

    def path(self, db, pnn=0, kind=()):
        node = self.nodes[pnn]
        cli.run(node, "attach", db, *kind)
        return next(node.base.glob(f"**/{db}.{pnn}"))

    def open(self, db, pnn=0, kind=(), log=None):
        f = self.bridge.open(self.path(db, pnn, kind), log=log)
        self.addCleanup(f.close)
        return f

    def fails(self, error, call, *arguments):
        with self.assertRaises(tdb.Failed) as caught:
            call(*arguments)
        self.assertEqual(error, caught.exception.error)

    def child(self, body):
        pid = os.fork()
        if pid == 0:
            status = 99
            signal.alarm(500)
            try:
                status = body() or 0
            except BaseException as e:  # pylint: disable=broad-except
                print(f"child: {e!r}", file=sys.stderr)
            finally:
                os._exit(status)  # pylint: disable=protected-access
        return pid

    def result(self, pid):
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Functions(OnNodes):
    def test_files_of_others_are_the_real_librarys(self):
        place = sandbox.directory("local") / "some.tdb.0"
        f = self.bridge.open(place, open_flags=os.O_RDWR | os.O_CREAT)
        f.call("store", b"k", b"no header needed", tdb.REPLACE)
        f.close()
        real = tdb.Library().open(place)
        self.assertEqual(b"no header needed", real.fetch(b"k"))
        self.assertTrue(place.read_bytes().startswith(b"TDB file\n"))
        beside = self.path("beside.tdb").parent / "notes.tdb"  # no database's name
        self.bridge.open(beside, open_flags=os.O_RDWR | os.O_CREAT).close()
        self.assertTrue(beside.read_bytes().startswith(b"TDB file\n"))

    @staticmethod
    def at_rest(path):
        """What the file has once its node has committed what it was given, some milliseconds after it said so."""
        seen = []

        def same_for_a_while():
            seen.append(hashlib.sha256(path.read_bytes()).digest())
            return len(seen) > 25 and len(set(seen[-25:])) == 1
        until(same_for_a_while, "the file stays as it is")
        return seen[-1]

    def test_without_the_bridge_nothing_opens_and_nothing_changes(self):
        path = self.path("untouched.tdb")
        cli.write(self.nodes[0], "untouched.tdb", "k", "v")
        before = self.at_rest(path)
        flags = int(self.bridge_flags("untouched.tdb"))
        self.assertFalse(flags & 1, "DB_OPEN_FLAGS says CLEAR_IF_FIRST")
        for open_flags in (0, flags):
            with self.assertRaises(OSError) as caught:
                tdb.Library().open(path, flags=open_flags)
            self.assertEqual(errno.EIO, caught.exception.errno)
        self.assertEqual(before, hashlib.sha256(path.read_bytes()).digest())
        self.assertEqual("v", cli.read(self.nodes[0], "untouched.tdb", "k"))

    def bridge_flags(self, db):
        import clib  # pylint: disable=import-outside-toplevel
        c = clib.Connection(self.nodes[0].base)
        self.addCleanup(c.close)
        value, status = clib.Value(), clib.ctypes.c_int32()
        number = clib.ctypes.c_uint32(c.attach(db))
        clib.check(clib._lib.floe_control(c.handle, 0xF0000001, 149, clib.ctypes.c_uint64(0), clib.ctypes.byref(number),
                                          clib.ctypes.c_size_t(4), 5000, clib.ctypes.byref(status),
                                          clib.ctypes.byref(value)))
        return clib.ctypes.cast(value.data, clib.ctypes.POINTER(clib.ctypes.c_uint32))[0]

    def test_a_database_that_is_not_attached(self):
        with self.assertRaises(OSError) as caught:
            self.bridge.open(self.path("known.tdb").with_name("unknown.tdb.0"))
        self.assertEqual(errno.ENOENT, caught.exception.errno)

    def test_lock_fetch_store_unlock(self):
        a, b = self.open("cycle.tdb"), self.open("cycle.tdb")
        self.assertIsNone(a.fetch(b"k"))
        self.assertEqual(tdb.NOEXIST, a.error)
        a.lock(b"k")
        rsn, dmaster, _, flags, _ = tdb.HEADER.unpack(a.fetch(b"k"))
        self.assertEqual((0, 0, 0), (rsn, dmaster, flags))
        a.store(b"k", b"one")
        self.assertEqual(b"one", a.value(b"k"))
        self.fails(tdb.LOCK, b.call, "chainlock_nonblock", b"k")
        a.lock(b"k")  # nests, as in libtdb
        a.unlock(b"k")
        self.fails(tdb.LOCK, b.call, "chainlock_nonblock", b"k")
        a.unlock(b"k")
        self.fails(tdb.LOCK, a.unlock, b"k")
        self.assertEqual(b"one", b.value(b"k"))
        self.assertEqual((7, b"one"), (b.parse(b"k")[0], b.parse(b"k")[1][tdb.HEADER.size:]))
        b.call("chainlock_read", b"k")
        b.call("chainunlock_read", b"k")
        self.assertEqual(1, b.call("exists", b"k"))
        self.assertEqual("one", cli.read(self.nodes[0], "cycle.tdb", "k"))

    def test_stores_without_a_lock_and_their_flags(self):
        f = self.open("flags.tdb")
        self.fails(tdb.NOEXIST, f.store, b"k", b"v", tdb.MODIFY)
        f.store(b"k", b"v", tdb.INSERT)
        self.fails(tdb.EXISTS, f.store, b"k", b"w", tdb.INSERT)
        f.store(b"k", b"w", tdb.MODIFY)
        f.call("append", b"k", b"+more")
        self.assertEqual(b"w+more", f.value(b"k"))
        self.fails(tdb.EINVAL, f.call, "store", b"k", b"too short", tdb.REPLACE)
        f.call("delete", b"k")
        self.assertEqual(b"", f.value(b"k"))  # an empty record, which is how a cluster deletes
        self.fails(tdb.NOEXIST, f.call, "delete", b"k")
        big = os.urandom(2_000_000)
        f.store(b"big", big)
        self.assertEqual(big, f.value(b"big"))

    def test_walks(self):
        f = self.open("walks.tdb")
        wanted = {b"key %d" % i: b"value %d" % i for i in range(300)}
        for key, value in wanted.items():
            f.store(key, value)
        self.assertEqual((wanted, 300), f.records())
        self.assertEqual(300, f.records("traverse")[1])
        self.assertEqual(5, f.records(most=5)[1])
        self.assertEqual(set(wanted), set(f.keys()))
        chain, _ = f.records("traverse_key_chain", b"key 7")
        self.assertIn(b"key 7", chain)
        self.assertLess(len(chain), 50)
        self.assertIn(b"records: 300", f.call("summary"))
        self.assertEqual(0, f.call("check", None, None))

    def test_what_a_cluster_has_not_is_refused_and_said_once(self):
        log = []
        f = self.open("refused.tdb", log=log)
        for _ in range(3):
            self.fails(tdb.LOCK, f.call, "lockall")
            self.fails(tdb.RDONLY, f.call, "wipe_all")
            self.fails(tdb.EINVAL, f.call, "transaction_start")
        self.assertEqual(3, len(log), log)
        self.assertTrue(all("refused.tdb" in text for _, text in log), log)

    WITHOUT_CONTEXT = {"tdb_jenkins_hash", "tdb_runtime_check_for_robust_mutexes"}

    @staticmethod
    def names(library):
        shown = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
        found = {line.split()[-1].split("@")[0] for line in shown.stdout.splitlines() if " T " in line}
        return {n for n in found if n.startswith("tdb_")}

    @staticmethod
    def real_path():
        linked = subprocess.run(["ldd", shutil.which("ctdb")], capture_output=True, text=True, check=True).stdout
        return next(line.split()[2] for line in linked.splitlines() if "libtdb.so.1" in line)

    def test_no_function_is_left_out(self):
        self.assertEqual(set(), self.names(self.real_path()) - self.names(tdb.bridge_path()) - self.WITHOUT_CONTEXT)

    def test_every_function_is_called(self):
        """With what it may be called with, on a file of each kind: it answers, or fails with an error of libtdb's and one line
        of log, however often. All that the real library has, so that what a later one brings has to be added here."""
        k, v, big = tdb._data(b"k"), tdb._data(tdb.header() + b"v"), tdb.Data(None, 5)
        visit = tdb.VISITOR(lambda *_: 0)
        parse = tdb.PARSER(lambda *_: 0)
        alarm, log = ctypes.c_int(0), tdb.Logging(None, None)
        volatile_only, persistent_only = (0, -1), (-1, 0)
        calls = [  # in this order; what comes back: a number, any number (None), or one for each kind
            ("store", (k, v, tdb.REPLACE), 0), ("storev", (k, ctypes.byref(v), 1, tdb.REPLACE), 0), ("exists", (k,), 1),
            ("append", (k, tdb._data(b"w")), 0), ("parse_record", (k, parse, None), 0), ("fetch", (k,), None),
            ("store", (k, big, tdb.REPLACE), -1), ("store", (big, v, tdb.REPLACE), -1), ("delete", (tdb._data(b"no"),), -1),
            ("firstkey", (), None), ("nextkey", (k,), None), ("traverse", (visit, None), None), ("traverse_read", (visit, None), None),
            ("traverse_chain", (1, visit, None), None), ("traverse_key_chain", (k, visit, None), None),
            ("check", (parse, None), 0), ("rescue", (tdb.WALK(lambda *_: None), None), 0),
            ("dump_all", (), None), ("summary", (), None), ("wipe_all", (), -1),
            ("chainlock", (k,), volatile_only), ("chainunlock", (k,), volatile_only), ("chainunlock", (k,), -1),
            ("chainlock_nonblock", (k,), volatile_only), ("chainunlock", (k,), volatile_only),
            ("chainlock_read", (k,), volatile_only), ("chainunlock_read", (k,), volatile_only),
            ("chainlock_read_nonblock", (k,), volatile_only), ("chainunlock_read", (k,), volatile_only),
            *((name, (), -1) for name in ("lockall", "lockall_nonblock", "lockall_read", "lockall_read_nonblock", "lockall_mark",
                                          "lockall_unmark", "unlockall", "unlockall_read", "transaction_write_lock_mark",
                                          "transaction_write_lock_unmark")),
            ("chainlock_mark", (k,), -1), ("chainlock_unmark", (k,), -1), ("lock_nonblock", (1, 1), -1), ("unlock", (1, 1), -1),
            ("transaction_active", (), None), ("transaction_prepare_commit", (), -1), ("transaction_commit", (), -1),
            ("transaction_cancel", (), -1), ("transaction_start", (), persistent_only), ("transaction_start", (), -1),
            ("store", (k, v, tdb.REPLACE), 0), ("transaction_prepare_commit", (), persistent_only),
            ("transaction_commit", (), persistent_only), ("transaction_start_nonblock", (), persistent_only),
            ("transaction_cancel", (), persistent_only), ("delete", (k,), 0),
            ("error", (), None), ("errorstr", (), None), ("name", (), None), ("fd", (), None), ("get_seqnum", (), None),
            ("enable_seqnum", (), None), ("increment_seqnum_nonblock", (), None), ("hash_size", (), 131), ("map_size", (), None),
            ("get_flags", (), 0), ("add_flags", (64,), None), ("get_flags", (), 64), ("remove_flags", (64,), None),
            ("get_flags", (), 0), ("set_max_dead", (5,), None), ("setalarm_sigptr", (ctypes.byref(alarm),), None),
            ("freelist_size", (), 0), ("printfreelist", (), 0), ("validate_freelist", (ctypes.byref(alarm),), 0), ("repack", (), 0),
            ("reopen", (), 0), ("log_fn", (), None), ("get_logging_private", (), None), ("logging_function", (None,), None),
            ("set_logging_function", (ctypes.byref(log),), None), ("close", (), 0)]
        known = {"tdb_" + name for name, *_ in calls} | {"tdb_open", "tdb_open_ex", "tdb_reopen_all"}
        self.assertEqual(known, self.names(self.real_path()) - self.WITHOUT_CONTEXT)
        c = ctypes.CDLL(tdb.bridge_path())
        for kind, said in enumerate(([], [])):
            f = self.bridge.open(self.path(f"every{kind}.tdb", kind=[(), ("persistent",)][kind]), log=said)
            for name, arguments, expected in calls:
                function = getattr(c, "tdb_" + name)
                function.restype = {"fetch": tdb.Data, "firstkey": tdb.Data, "nextkey": tdb.Data}.get(name, ctypes.c_int)
                lines = len(said)
                for _ in range(3 if expected == -1 else 1):
                    result = function(ctypes.c_void_p(f.context), *arguments)
                    wanted = expected[kind] if isinstance(expected, tuple) else expected
                    if wanted is not None:
                        self.assertEqual(wanted, result, f"{name}, of a {['volatile', 'persistent'][kind]} database: {said}")
                    if wanted == -1:
                        self.assertIn(f.error, range(1, 12), name)
                self.assertLessEqual(len(said) - lines, 1, f"{name}: {said[lines:]}")

    def test_opened_to_be_read(self):
        self.open("readers.tdb").store(b"k", b"v")
        f = self.bridge.open(self.path("readers.tdb"), open_flags=os.O_RDONLY)
        self.assertEqual(b"v", f.value(b"k"))
        self.assertEqual(({b"k": b"v"}, 1), f.records())
        for call, *arguments in ((f.store, b"k", b"w"), (f.lock, b"k"), (f.call, "delete", b"k"), (f.call, "append", b"k", b"x"),
                                 (f.call, "chainlock_nonblock", b"k")):
            self.fails(tdb.RDONLY, call, *arguments)
        f.call("chainlock_read", b"k")
        f.call("chainunlock_read", b"k")
        self.assertEqual(b"v", f.value(b"k"))
        f.close()

    def test_larger_than_a_node_takes(self):
        """Which ends neither the process nor its connection."""
        log = []
        f = self.open("large.tdb", log=log)
        f.lock(b"k")
        self.fails(tdb.EINVAL, f.store, b"k", bytes(65 << 20))
        f.store(b"k", b"v")
        f.unlock(b"k")
        self.assertEqual(b"v", f.value(b"k"))
        self.assertEqual(1, len(log), log)

    def test_questions(self):
        path = self.path("questions.tdb")
        f = self.bridge.open(path, hash_size=10001, flags=0x1c40)
        self.assertEqual(str(path).encode(), f.call("name"))
        self.assertEqual((10001, 0x1c40, 0), (f.call("hash_size"), f.call("get_flags"), f.call("repack")))
        self.assertEqual(os.stat(path).st_ino, os.fstat(f.call("fd")).st_ino)
        self.assertEqual(os.stat(path).st_size, f.call("map_size"))
        self.assertFalse(os.get_inheritable(f.call("fd")))
        self.assertTrue(f.call("errorstr"))
        f.close()

    def test_the_number_of_a_volatile_one_changes_when_it_has(self):
        f, other = self.open("numbered.tdb"), self.open("numbered.tdb")

        def number():
            return f.call("get_seqnum")
        seen = [number()]
        self.assertEqual(seen[0], number())
        for change in (lambda: other.store(b"k", b"1"), lambda: f.store(b"k", b"2"), lambda: other.store(b"j", b"1"),
                       lambda: cli.run(self.nodes[0], "recover"), lambda: cli.run(self.nodes[0], "wipedb", "numbered.tdb")):
            change()
            f.value(b"k")  # as Samba's brl_get_locks_readonly: read, then keep it under the number
            seen.append(number())
            self.assertEqual([seen[-1]] * 3, [number() for _ in range(3)])
        self.assertEqual(len(seen), len(set(seen)))
        f.value(b"k")
        other.store(b"k", b"3")
        kept_under = number()
        self.assertNotEqual(kept_under, number(), "what was read before the change is not kept")

    def test_persistent_ones(self):
        f = self.open("settings.tdb", kind=("persistent",))
        before = f.call("get_seqnum")
        f.store(b"alone", b"1")  # a transaction of its own
        self.assertEqual(before + 1, f.call("get_seqnum"))
        f.call("transaction_start")
        self.assertTrue(f.call("transaction_active"))
        self.fails(tdb.NESTING, f.call, "transaction_start")
        f.store(b"a", b"2")
        f.store(b"alone", b"3")
        self.assertEqual(b"2", f.value(b"a"))
        other = self.open("settings.tdb", kind=("persistent",))
        self.assertIsNone(other.value(b"a"))
        self.fails(tdb.LOCK, other.call, "transaction_start_nonblock")
        f.call("transaction_commit")
        other.call("transaction_start_nonblock")
        other.call("transaction_cancel")
        self.assertEqual((b"2", b"3"), (other.value(b"a"), other.value(b"alone")))
        f.call("transaction_start")
        f.call("delete", b"a")
        f.call("transaction_cancel")
        self.assertEqual(b"2", other.value(b"a"))
        self.fails(tdb.LOCK, f.lock, b"a")
        self.assertEqual({b"a", b"alone"}, {k for k in f.records()[0] if not k.startswith(b"__")})

    def test_descriptors_do_not_outlive_exec(self):
        f = self.open("exec.tdb")
        f.store(b"k", b"v")
        shown = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True, check=True, close_fds=False)
        self.assertNotIn("exec.tdb", shown.stdout)
        self.assertNotIn("socket", shown.stdout)


class Processes(OnNodes):
    def test_a_child_has_its_own_connection_and_none_of_the_locks(self):
        f = self.open("fork.tdb")
        f.lock(b"k")
        f.store(b"k", b"parent's")

        def child():
            self.fails(tdb.LOCK, f.unlock, b"k")
            self.bridge.c.tdb_reopen_all(1)
            self.fails(tdb.LOCK, f.call, "chainlock_nonblock", b"k")
            f.lock(b"mine")
            f.store(b"mine", b"child's")
            f.unlock(b"mine")

        self.assertEqual(0, self.result(self.child(child)))
        f.store(b"k", b"still the parent's")
        f.unlock(b"k")
        self.assertEqual((b"still the parent's", b"child's"), (f.value(b"k"), f.value(b"mine")))

    def test_a_dead_holder_lets_go_though_its_child_lives(self):
        f = self.open("orphans.tdb")
        ready, go = os.pipe(), os.pipe()

        def parent():
            mine = self.bridge.open(self.path("orphans.tdb"))
            mine.lock(b"k")
            if os.fork() == 0:
                os.write(ready[1], b"x")
                os.close(go[1])
                os.read(go[0], 1)
                os._exit(0)  # pylint: disable=protected-access
            signal.pause()

        pid = self.child(parent)
        os.read(ready[0], 1)
        self.fails(tdb.LOCK, f.call, "chainlock_nonblock", b"k")
        os.kill(pid, signal.SIGKILL)
        self.result(pid)
        f.lock(b"k")
        f.unlock(b"k")
        os.close(go[1])

    def test_another_user_may_have_to_connect(self):
        f = self.open("users.tdb")
        f.store(b"k", b"v")

        def child():
            os.setresuid(-1, NOBODY, -1)  # as smbd acts for a user; the connection of the parent is no use here
            self.assertEqual(b"v", f.value(b"k"))
            self.assertEqual(NOBODY, os.geteuid())
            f.store(b"k", b"w")

        if os.geteuid() != 0:
            self.skipTest("only root can be another user")
        self.assertEqual(0, self.result(self.child(child)))
        self.assertEqual(b"w", f.value(b"k"))

    def test_threads_with_a_context_each(self):
        def add(_):
            f = self.bridge.open(path)
            for _ in range(50):
                f.lock(b"sum")
                f.store(b"sum", b"%d" % (int(f.value(b"sum") or b"0") + 1))
                f.unlock(b"sum")
            f.close()

        path = self.path("threads.tdb")
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            list(pool.map(add, range(6)))
        self.assertEqual(b"300", self.open("threads.tdb").value(b"sum"))

    def test_alone_it_is_no_sign_of_life(self):
        f = self.open("signs.tdb")
        f.store(b"k", b"v")
        self.assertIn("does not exist", self.nodes[0].ctdb("process-exists", os.getpid()).stdout)


class AsCtdbsOwnPrograms(OnNodes):
    """Programs that do by themselves what CTDB's client library does, as its test programs: what is not owned here is called
    over the socket (REQ_CALL), then looked at again under the chain's lock. Debian does not have those programs."""
    size = 3

    def database(self, pnn, name):
        connection = self.nodes[pnn].connect()
        made = tdb_records.Database(connection, name, tdb.bridge_path())
        self.addCleanup(connection.close)
        self.addCleanup(made.close)
        return made

    def test_a_record_goes_round(self):
        nodes = [self.database(pnn, "ring.tdb") for pnn in range(3)]
        for i in range(30):
            with tdb_records.Lock(nodes[i % 3], b"testkey") as lock:
                self.assertEqual(b"".join(b"%d " % (n % 3) for n in range(i)), lock.data)
                lock.store(lock.data + b"%d " % (i % 3))
            self.assertEqual(i % 3, nodes[i % 3].local(b"testkey")[1])
        nodes[1].call_here(b"testkey")
        self.assertEqual(1, nodes[1].local(b"testkey")[1])

    def test_all_want_it(self):
        def add(pnn):
            db = nodes[pnn]
            for _ in range(60):
                with tdb_records.Lock(db, b"sum") as lock:
                    lock.store(b"%d" % (int(lock.data or b"0") + 1))

        nodes = [self.database(pnn, "loop.tdb") for pnn in range(3)]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(add, range(3)))
        self.assertEqual(b"180", nodes[0].read(b"sum"))
        self.assertEqual("180", cli.read(self.nodes[2], "loop.tdb", "sum"))


class Recoveries(OnNodes):
    size = 3

    def in_background(self, call, *arguments):
        pool = concurrent.futures.ThreadPoolExecutor(1)
        self.addCleanup(pool.shutdown)
        return pool.submit(call, *arguments)

    def test_records_wander(self):
        files = [self.open("wander.tdb", pnn) for pnn in range(3)]
        for i in range(60):
            f = files[i % 3]
            f.lock(b"k")
            self.assertEqual(b"%d" % i if i else b"", f.value(b"k"))
            self.assertEqual(i % 3, tdb.HEADER.unpack_from(f.fetch(b"k"))[1])
            f.store(b"k", b"%d" % (i + 1))
            f.unlock(b"k")

    def test_reads_and_locks_wait_for_the_thaw(self):
        a, b, c = (self.open("frozen.tdb") for _ in range(3))
        a.store(b"k", b"v")
        a.lock(b"held")  # keeps the database from freezing, and with it the recovery from ending
        asked = cli.start_recovery(self.nodes[0])
        until(lambda: cli.freeze_state(self.nodes[0], "frozen.tdb") == "freezing", "a freeze that waits", 20)
        read = self.in_background(b.value, b"k")
        locked = self.in_background(c.lock, b"k")
        time.sleep(0.2)
        self.assertFalse(read.done() or locked.done())
        a.store(b"held", b"stored meanwhile")
        a.unlock(b"held")
        self.assertEqual(b"v", read.result(20))
        locked.result(20)
        self.assertEqual(b"stored meanwhile", b.value(b"held"))
        asked.wait(30)

    def wait_out(self, out, back):
        """What is asked while node 1 is out of the cluster waits, and goes on when it is back."""
        db = f"{out[0]}.tdb"
        f, g = self.open(db, 1), self.open(db, 1)
        f.store(b"k", b"before")
        self.nodes[1].ctdb(*out).check_returncode()
        until(lambda: cli.freeze_state(self.nodes[1], db) == "frozen", f"node 1 frozen by {out[0]}", 20)
        locked, read = self.in_background(f.lock, b"k"), self.in_background(g.value, b"k")
        time.sleep(0.3)
        self.assertFalse(locked.done() or read.done())
        self.nodes[1].ctdb(*back).check_returncode()
        locked.result(60)
        self.assertIn(read.result(60), (None, b"", b"before"))  # what only a lost node had may be gone
        f.store(b"k", b"after")
        f.unlock(b"k")
        self.assertEqual(b"after", f.value(b"k"))
        self.nodes.wait_healthy()

    def test_banned(self):
        self.wait_out(("ban", 300), ("unban",))

    def test_stopped(self):
        self.wait_out(("stop",), ("continue",))


class LostNodes(OnNodes):
    def test_lost(self):
        idle = self.open("lost.tdb")
        idle.store(b"k", b"v")
        ready = os.pipe()

        def holder():
            f = self.bridge.open(self.path("lost.tdb"))
            f.lock(b"k")
            os.write(ready[1], b"x")
            until(lambda: self.nodes[0].pid is None, "the node's end", 20)
            f.store(b"k", b"w")
            return 77  # not reached

        def waiter():
            f = self.bridge.open(self.path("lost.tdb"))
            f.lock(b"k")
            return 77

        def idler():
            f = self.bridge.open(self.path("lost.tdb"))
            self.assertEqual(b"v", f.value(b"k"))
            os.write(ready[1], b"x")
            until(lambda: self.nodes[0].pid is None, "the node's end", 20)
            self.fails(tdb.IO, f.store, b"other", b"x")
            self.fails(tdb.IO, f.lock, b"other")
            os.write(ready[1], b"y")
            until(lambda: self.answers(f), "the node again", 60)

        first = self.child(idler)
        os.read(ready[0], 1)
        others = [self.child(holder)]
        os.read(ready[0], 1)
        others.append(self.child(waiter))
        os.close(ready[1])  # a child that ends early is no reason to wait for its word
        until(lambda: cli.run(self.nodes[0], "locks")["waiting"], "a waiter", 20)
        self.nodes[0].signal(signal.SIGKILL)
        self.assertEqual([1, 1], [self.result(pid) for pid in others])
        os.read(ready[0], 1)
        self.nodes.start_node(self.nodes[0])
        self.nodes.wait_healthy()
        self.path("lost.tdb")  # attaches, as whoever starts Samba does
        self.assertEqual(0, self.result(first))

    @staticmethod
    def answers(f):
        try:
            f.store(b"again", b"v")
            return f.value(b"again") == b"v"
        except tdb.Failed:
            return False


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    if NO_LIBTDB:
        tap.skip_all(f"no libtdb: {NO_LIBTDB}")
    signal.alarm(600)  # children that are waited for may hang
    tap.main()
