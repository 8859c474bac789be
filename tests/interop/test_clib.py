#!/usr/bin/env python3
"""The C client library: its examples as a stranger would run them, and what its header promises about errors, threads,
forks, lost nodes, recoveries and time limits.
"""
import concurrent.futures
import ctypes
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import sandbox

sandbox.enter()

import clib  # noqa: E402  (after the sandbox)
import cluster  # noqa: E402
import floe_cli as cli  # noqa: E402
import tap  # noqa: E402
from clib import Connection  # noqa: E402
from wait import until  # noqa: E402

EXAMPLES = pathlib.Path(os.environ.get("FLOE_CLIENT_EXAMPLES", "."))
CPP_INTERFACE = os.environ.get("FLOE_CPP_INTERFACE", "cpp_interface")
TORTURE = os.environ.get("FLOE_TORTURE", "torture")
SEED = os.environ.get("FLOE_SEED") or str(os.getpid())
COUNTER_PY = pathlib.Path(__file__).parents[2] / "actors/clib/examples/counter.py"


class OneCluster(unittest.TestCase):
    """Records are locked in shared memory where they can be; subclasses say `BySocket` to have all go by the node."""
    size = 3
    table = 1

    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe", nodes=cls.size, tunables={"RecordTable": cls.table}))

    def connect(self, pnn=0, flags=0):
        c = Connection(self.nodes[pnn].base, flags)
        self.addCleanup(c.close)
        return c

    def refused(self, code, call, *arguments, **options):
        with self.assertRaises(clib.Error) as caught:
            call(*arguments, **options)
        self.assertEqual(code, caught.exception.code, caught.exception.text)
        return caught.exception.text


class Examples(OneCluster):
    def example(self, name, *arguments):
        return subprocess.run([EXAMPLES / f"floe-{name}", *map(str, arguments)], capture_output=True, text=True,
                              timeout=60, check=True).stdout

    def test_counter_on_every_node_and_in_python(self):
        times = 300

        def count(pnn):
            return int(self.example("counter", self.nodes[pnn].base, times))

        def in_python():
            return int(subprocess.run([sys.executable, COUNTER_PY, clib.LIBRARY, self.nodes[0].base, str(times)],
                                      capture_output=True, text=True, timeout=60, check=True).stdout)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(count, pnn) for pnn in range(3)] + [pool.submit(in_python)]
            self.assertEqual(4 * times, max(j.result() for j in jobs))

    def test_configuration(self):
        self.assertIn("number 1", self.example("configuration", self.nodes[0].base, "colour=blue", "size=7"))
        self.assertEqual("colour=blue\nsize=7\n", self.example("configuration", self.nodes[1].base))
        self.example("configuration", self.nodes[2].base, "colour=", "shape=round")
        for node in self.nodes:
            self.assertEqual({"shape=round", "size=7"}, set(self.example("configuration", node.base).split()))

    def test_messages(self):
        listener = subprocess.Popen([EXAMPLES / "floe-messages", self.nodes[0].base, "listen", "2"], text=True,
                                    stdout=subprocess.PIPE)
        self.assertEqual("listening on node 0\n", listener.stdout.readline())
        self.example("messages", self.nodes[2].base, "say", "one", "two")
        self.assertEqual("from node 2: one\nfrom node 2: two\n", listener.communicate(timeout=30)[0])

    def test_work_goes_on_when_a_helper_is_killed(self):
        def start(pnn, *arguments):
            process = subprocess.Popen([EXAMPLES / "floe-work", self.nodes[pnn].base, *arguments], text=True,
                                       stdout=subprocess.PIPE)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            return process

        count = 2000
        leader = start(0, "lead", str(count))
        helpers = [start(pnn, "help") for pnn in (0, 1, 2)]
        lost = start(1, "help")
        lost.kill()
        self.assertEqual(str(sum(n * n for n in range(1, count + 1))), leader.communicate(timeout=60)[0].strip())
        done = [int(h.communicate(timeout=30)[0]) for h in helpers]
        self.assertGreaterEqual(sum(done), count)

    def test_benchmark(self):
        lines = self.example("benchmark", self.nodes[0].base, "0.1").splitlines()
        self.assertEqual(2, len(lines))
        for line in lines:
            self.assertRegex(line, r" [1-9][0-9]* /s, longest [0-9.]+ ms$")

    def test_the_interface_for_cpp(self):
        done = subprocess.run([CPP_INTERFACE], env={**os.environ, "NODE": str(self.nodes[0].base)}, text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_it_brings_nothing_with_it(self):
        needed = subprocess.run(["ldd", clib.LIBRARY], capture_output=True, text=True, check=True).stdout
        for name in "libcaf", "liblmdb", "libspdlog", "libfmt":
            self.assertNotIn(name, needed)
        shown = subprocess.run(["nm", "-D", "--defined-only", clib.LIBRARY], capture_output=True, text=True, check=True)
        names = [line.split()[-1] for line in shown.stdout.splitlines()]
        self.assertGreater(len(names), 20)
        self.assertEqual([], [n for n in names if not n.startswith(("floe_", "FLOE_CLIENT_0"))])


class Records(OneCluster):
    def test_values_and_what_is_not_there(self):
        c = self.connect()
        db = c.attach("values.tdb")
        self.assertEqual((db, clib.VOLATILE), c.find("values.tdb"))
        self.refused(clib.ENOENT, c.find, "nothing.tdb")
        self.assertIsNone(c.read(db, b"k"))
        big = os.urandom(3_000_000)
        for data in b"v", b"\0" * 5, big:
            c.write(db, b"k\0y", data)
            self.assertEqual(data, c.read(db, b"k\0y"))
            self.assertEqual(data, c.read(db, b"k\0y", clib.SETTLED))
        lock = c.lock(db, b"k\0y")
        lock.delete()
        self.assertEqual(b"", lock.data)
        lock.unlock()
        self.assertIsNone(c.read(db, b"k\0y"))
        self.refused(clib.EINVAL, c.lock, db, b"")
        self.refused(clib.EREFUSED, c.lock, 0x12345678, b"k")

    def test_a_lock_that_somebody_has(self):
        a, b = self.connect(0), self.connect(1)
        db = a.attach("held.tdb")
        b.attach("held.tdb")
        lock = a.lock(db, b"k")
        begun = time.monotonic()
        self.refused(clib.ETIMEOUT, b.lock, db, b"k", 300)
        self.assertLess(time.monotonic() - begun, 3)
        other = self.connect(0)
        self.assertIn(str(os.getpid()), self.refused(clib.ETIMEOUT, other.lock, db, b"k", 0))
        lock.unlock()
        b.lock(db, b"k").unlock()

    def test_reading_beside_a_holder(self):
        a, b = self.connect(), self.connect()
        db = a.attach("readers.tdb")
        a.write(db, b"k", b"old")
        lock = a.lock(db, b"k")
        self.assertEqual(b"old", b.read(db, b"k", clib.COPY))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            settled = pool.submit(b.read, db, b"k", clib.SETTLED)
            time.sleep(0.1)
            self.assertFalse(settled.done())
            lock.store(b"new")
            lock.unlock()
            self.assertEqual(b"new", settled.result(10))

    def test_traverses(self):
        a, b = self.connect(0), self.connect(1)
        db = a.attach("many.tdb")
        b.attach("many.tdb")
        for i in range(1500):
            (a, b)[i % 2].write(db, b"key %d" % i, b"x" * 400)
        gone = a.lock(db, b"key 0")
        gone.delete()
        gone.unlock()
        found, count = a.records(db)
        self.assertEqual(1499, count)
        self.assertEqual({b"key %d" % i for i in range(1, 1500)}, set(found))
        here, _ = a.records(db, clib.LOCAL)
        self.assertTrue({b"key %d" % i for i in range(2, 1500, 2)} <= set(here))
        self.assertIn(b"key 0", a.records(db, clib.LOCAL | clib.WITH_EMPTY)[0])
        self.assertEqual(7, a.records(db, most=7)[1])
        self.assertEqual(7, a.records(db, clib.LOCAL, most=7)[1])
        self.assertEqual(1499, a.records(db)[1])  # what was left of the broken-off one disturbs nobody

    def test_transactions(self):
        a, b = self.connect(0), self.connect(1)
        db = a.attach("settings.tdb", clib.PERSISTENT)
        b.attach("settings.tdb", clib.PERSISTENT)
        a.transaction(db, {b"x": b"1", b"y": b"2"})
        self.assertEqual(1, b.sequence_number(db))
        t = a.begin(db)
        clib.transaction_store(t, b"x", b"3")
        self.assertEqual(b"3", clib.transaction_read(t, b"x"))
        self.refused(clib.ETIMEOUT, b.begin, db, 200)
        begun = time.monotonic()
        self.assertIn("held by process", self.refused(clib.ETIMEOUT, b.begin, db, 0))
        self.assertLess(time.monotonic() - begun, 3)
        clib.cancel(t)
        clib.cancel(b.begin(db, 0))
        self.assertEqual(b"1", b.read(db, b"x"))
        volatile = a.attach("volatile.tdb")
        self.refused(clib.EINVAL, a.begin, volatile)
        self.refused(clib.EREFUSED, a.lock, db, b"x")

        def many(c):
            for i in range(10):
                c.transaction(db, {b"n%d" % i: b"%d" % id(c)})

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(many, [a, b, self.connect(2)]))
        self.assertEqual({31}, {c.sequence_number(db) for c in (a, b)})


    def controls(self, pnn):
        """Of clients, that the node has taken so far."""
        text = self.nodes[pnn].ctdb("statistics").stdout
        return int(re.search(r"client\n.*?req_control +(\d+)", text, re.S).group(1))

    def test_what_transactions_have_written_is_read_without_the_node(self):
        writer, readers = self.connect(0), [self.connect(1), self.connect(2)]
        db = [c.attach("read.tdb", clib.PERSISTENT) for c in (writer, *readers)][0]
        for i in range(10):
            writer.transaction(db, {b"k": b"%d" % i, **({b"late": b"x" * i} if i > 5 else {})})
            for c in readers:
                for _ in range(3):
                    self.assertEqual(b"%d" % i, c.read(db, b"k", clib.SETTLED))
                    self.assertEqual(b"x" * i if i > 5 else None, c.read(db, b"late", clib.SETTLED))
                self.assertEqual(i + 1, c.sequence_number(db))
        before = self.controls(1)
        for _ in range(500):
            readers[0].read(db, b"k", clib.SETTLED)
            readers[0].read(db, b"nobody has written this", clib.SETTLED)
        asked = self.controls(1) - before
        # a record is looked at by the node again after it was not read for a second, or by us now
        (self.assertLess if self.table else self.assertGreaterEqual)(asked, 300 if self.table else 1000)
        cli.run(self.nodes[0], "wipedb", "read.tdb")
        self.assertEqual([None, None], [c.read(db, b"k", clib.SETTLED) for c in readers])

    def test_readers_of_transactions_never_see_what_was_before(self):
        writer = self.connect(0)
        db = writer.attach("steps.tdb", clib.PERSISTENT)
        written, over = [0], threading.Event()
        writer.transaction(db, {b"n": b"0"})

        def read(pnn):
            c, last = self.connect(pnn), 0
            c.attach("steps.tdb", clib.PERSISTENT)
            while not over.is_set():
                least = max(last, written[0])
                last = int(c.read(db, b"n", clib.SETTLED))
                if last < least:
                    return f"node {pnn}: {last} after {least}"
            return None

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            jobs = [pool.submit(read, pnn) for pnn in range(3)]
            try:
                for i in range(1, 31):
                    writer.transaction(db, {b"n": b"%d" % i})
                    written[0] = i
                    if i % 10 == 0:
                        self.nodes[1].ctdb("recover").check_returncode()
            finally:
                over.set()
            self.assertEqual([None] * 3, [j.result() for j in jobs])


class RecordsBySocket(Records):
    table = 0


class SequenceNumbers(OneCluster):
    """Of volatile databases: the number under which a program keeps what it has read (Samba: locks in brlock.tdb)."""
    size = 2

    def moves(self, what, change, number, still=True):
        """It does with `change`, and not without one."""
        before = number()
        if still:
            self.assertEqual(before, number(), f"before {what}")
        change()
        after = number()
        self.assertNotEqual(before, after, what)
        self.seen.add(before)
        self.assertNotIn(after, self.seen, what)

    def test_it_moves_with_every_change_and_never_comes_back(self):
        self.seen = set()
        here, beside, elsewhere = self.connect(0, clib.RECONNECT), self.connect(0), self.connect(1)
        db = [c.attach("counted.tdb") for c in (here, beside, elsewhere)][0]

        def number():
            return here.sequence_number(db)

        def changes(kind):
            self.moves(f"{kind}: a store", lambda: here.write(db, b"k", os.urandom(8)), number)
            self.moves(f"{kind}: one of another client", lambda: beside.write(db, b"k", os.urandom(8)), number)
            self.moves(f"{kind}: one of another record", lambda: here.write(db, b"new", b"same"), number)
            self.moves(f"{kind}: the record goes to another node", lambda: elsewhere.lock(db, b"k").unlock(), number)
            self.moves(f"{kind}: and comes back", lambda: here.lock(db, b"k").unlock(), number)
            self.moves(f"{kind}: a recovery", lambda: cli.run(self.nodes[0], "recover"), number)

        changes("at first")
        with tempfile.TemporaryDirectory() as folder:
            kept = os.path.join(folder, "kept")
            cli.run(self.nodes[0], "backupdb", "counted.tdb", kept)
            self.moves("a wipe", lambda: cli.run(self.nodes[0], "wipedb", "counted.tdb"), number)
            self.moves("a restore", lambda: cli.run(self.nodes[0], "restoredb", kept, "counted.tdb"), number)

        def made_anew():
            for node in self.nodes:
                cli.run(node, "setvar", "AllowClientDBAttach", "0")
            cli.run(self.nodes[0], "detach", "counted.tdb")
            for node in self.nodes:
                cli.run(node, "setvar", "AllowClientDBAttach", "1")
            for c in here, beside, elsewhere:
                c.attach("counted.tdb")
        self.moves("detached and attached again", made_anew, number)
        changes("made anew")

        def started_again():
            os.kill(self.nodes[0].pid, signal.SIGKILL)
            self.nodes.start_node(self.nodes[0])
            self.nodes.wait_healthy()
            here.attach("counted.tdb")
        self.moves("the node was started again", started_again, number)
        time.sleep(1.5)  # the node no longer answers for what nobody uses, until it is asked
        still = number()
        time.sleep(1.5)
        self.assertEqual(still, number())

    def test_a_node_that_hangs_does_not_vouch_for_it(self):
        c = self.connect(0)
        db = c.attach("hung.tdb")
        c.write(db, b"k", b"v")
        c.sequence_number(db)
        os.kill(self.nodes[0].pid, signal.SIGSTOP)
        try:
            time.sleep(1.2)
            self.refused(clib.ETIMEOUT, c.sequence_number, db, 300)
        finally:
            os.kill(self.nodes[0].pid, signal.SIGCONT)
        self.nodes.wait_healthy()

    def test_without_a_record_table_nobody_counts(self):
        for node in self.nodes:
            cli.run(node, "setvar", "RecordTable", "0")
        c = self.connect(0)
        db = c.attach("uncounted.tdb")
        self.assertIn("record table", self.refused(clib.EREFUSED, c.sequence_number, db))
        settings = c.attach("counted by transactions.tdb", clib.PERSISTENT)
        self.assertEqual(0, c.sequence_number(settings))
        for node in self.nodes:
            cli.run(node, "setvar", "RecordTable", "1")


class WholeCluster(OneCluster):
    """Many nodes at once, tunnels, processes, recoveries."""

    def test_many_nodes(self):
        c = self.connect(1)
        self.assertEqual(([0, 1, 2], 3), c.nodes())
        self.assertEqual(([0, 1], 3), c.nodes(clib.ACTIVE, room=2))
        get_pnn, get_dbname = 35, 25
        answers = c.control_many([2, 7, 0], get_pnn)
        self.assertEqual([(2, clib.OK, 2), (0, clib.OK, 0)], [a[:3] for a in (answers[0], answers[2])])
        self.assertEqual((7, clib.EREFUSED), answers[1][:2])
        self.refused(clib.EINVAL, c.control_many, [clib.ALL], get_pnn)
        db = c.attach("named.tdb")
        self.assertEqual([b"named.tdb"] * 2,
                         [a[3].rstrip(b"\0") for a in c.control_many([1, 1], get_dbname, db.to_bytes(4, sys.byteorder))])
        heard = [0, 0, 0]
        listeners = [self.connect(n) for n in range(3)]
        for n, one in enumerate(listeners):
            one.listen(99, lambda _pnn, _data, n=n: heard.__setitem__(n, heard[n] + 1))
        c.send_many([0, 2], 99, b"x")
        until(lambda: [one.process(10) for one in listeners] and heard == [1, 0, 1], "both have heard", 10)

    def test_tunnels(self):
        a, b, other = self.connect(0), self.connect(1), self.connect(0)
        got = {"a": [], "b": []}
        a.open_tunnel(5, lambda flags, data: got["a"].append((flags, data)))
        b.open_tunnel(5, lambda flags, data: (got["b"].append((flags, data)), b.send_tunnel(0, 5, 2, b"back")))
        self.refused(clib.EREFUSED, other.open_tunnel, 5, print)
        self.refused(clib.EINVAL, a.send_tunnel, clib.ALL, 5, 1, b"x")
        a.send_tunnel(1, 5, 1, b"there")
        until(lambda: (b.process(10), a.process(10)) and got["a"], "an answer", 10)
        self.assertEqual({"a": [(2, b"back")], "b": [(1, b"there")]}, got)
        a.open_tunnel(5, None)
        other.open_tunnel(5, print)

    def test_processes(self):
        a, b = self.connect(0), self.connect(1)
        self.assertTrue(a.process_exists(1, os.getpid()))
        self.assertFalse(a.process_exists(1, 1))
        b.listen(4711, print)
        self.assertTrue(a.process_exists(1, os.getpid(), 4711))
        self.assertFalse(a.process_exists(1, os.getpid(), 4712))

    def test_detach(self):
        c = self.connect(0)
        db = c.attach("gone.tdb")
        self.assertIn("node 0", self.refused(clib.EREFUSED, c.detach, db))
        for node in self.nodes:
            cli.run(node, "setvar", "AllowClientDBAttach", "0")
        try:
            c.detach(db)
            self.refused(clib.ENOENT, c.find, "gone.tdb")
        finally:
            for node in self.nodes:
                cli.run(node, "setvar", "AllowClientDBAttach", "1")

    def test_a_program_says_why_it_waits(self):
        c, holder = self.connect(0), self.connect(1)
        db = c.attach("watched.tdb")
        holder.attach("watched.tdb")
        told = []
        c.watch_recoveries(lambda *what: told.append(what))
        until(lambda: c.process(10) and told, "what is so now", 10)
        self.assertEqual([(0, clib.SERVING, False)], told)
        held = c.lock(db, b"k")
        recovery = subprocess.Popen([os.environ["FLOE"], "--base", self.nodes[1].base, "recover"], stdout=subprocess.DEVNULL)
        until(lambda: c.process(10) >= 0 and (db, clib.FREEZING, True) in told, "freezing, for us", 20)
        late = self.connect(0)
        told_late = []
        late.watch_recoveries(lambda *what: told_late.append(what))
        until(lambda: late.process(10) >= 0 and (db, clib.FREEZING, True) in told_late, "told what is so", 10)
        held.unlock()
        self.assertEqual(0, recovery.wait(30))
        until(lambda: c.process(10) >= 0 and told[-1][2] is False and (db, clib.SERVING) in [t[:2] for t in told], "over", 20)
        phases = [t[1] for t in told if t[0] == db]
        self.assertEqual([clib.FREEZING, clib.FROZEN, clib.EXCHANGING], phases[:3])
        self.assertEqual(clib.SERVING, phases[-1])


class ThreadsAndForks(OneCluster):
    size = 1

    def test_threads_share_a_connection(self):
        c = self.connect()
        db = c.attach("threads.tdb")
        blocked = c.lock(db, b"blocked")
        with concurrent.futures.ThreadPoolExecutor(9) as pool:
            waits = pool.submit(c.lock, db, b"blocked")

            def add(_):
                for _ in range(100):
                    lock = c.lock(db, b"sum")
                    lock.store(b"%d" % (int(lock.data or b"0") + 1))
                    lock.unlock()

            list(pool.map(add, range(8)))
            self.assertEqual(b"800", c.read(db, b"sum"))
            self.assertFalse(waits.done())
            blocked.unlock()
            waits.result(10).unlock()

    def test_messages_and_calls_by_turns(self):
        c, other = self.connect(), self.connect()
        db = c.attach("turns.tdb")
        got = []
        c.listen(77, lambda pnn, data: got.append((pnn, data)))
        self.assertEqual(0, c.process(0))
        for i in range(50):
            other.send(0, 77, b"%d" % i)
            c.write(db, b"k", b"v")  # reads the socket, and with it messages
        poll = select.poll()
        poll.register(c.fd(), select.POLLIN)
        while len(got) < 50:
            self.assertTrue(poll.poll(10000), f"{len(got)} of 50 messages")
            c.process(0)
        self.assertEqual([(0, b"%d" % i) for i in range(50)], got)
        self.assertFalse(poll.poll(0))

    def in_child(self, body):
        """Its exit status: 0 if `body` returned true."""
        child = os.fork()
        if child == 0:
            status = 9
            try:
                status = 0 if body() else 1
            finally:
                os._exit(status)  # pylint: disable=protected-access
        return child

    def wait_for(self, child):
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_a_child_has_nothing_of_its_parent(self):
        c = self.connect()
        db = c.attach("fork.tdb")
        lock = c.lock(db, b"k")
        lock.store(b"parent")

        def code(call, *arguments):
            try:
                call(*arguments)
            except clib.Error as e:
                return e.code
            return clib.OK

        def child():
            mine = c.lock(db, b"child's own")
            mine.store(b"x")
            return (code(lock.store, b"child") == clib.ENOLOCK and code(lock.unlock) == clib.ENOLOCK and
                    code(c.lock, db, b"k", 50) == clib.ETIMEOUT and c.read(db, b"k", clib.COPY) == b"parent")

        self.assertEqual(0, self.wait_for(self.in_child(child)))
        lock.store(b"parent again")
        lock.unlock()
        self.assertEqual(b"parent again", c.read(db, b"k"))
        c.lock(db, b"child's own", 5000).unlock()

    def test_a_dead_parent_lets_go_though_its_child_lives(self):
        ready, go = os.pipe(), os.pipe()

        def parent():
            c = Connection(self.nodes[0].base)
            db = c.attach("orphan.tdb")
            c.lock(db, b"k")
            if os.fork() == 0:
                os.write(ready[1], b"%d\n" % os.getpid())
                os.close(go[1])
                os.read(go[0], 1)  # lives until the test lets it go
                os._exit(0)  # pylint: disable=protected-access
            signal.pause()

        pid = self.in_child(parent)
        self.assertTrue(os.read(ready[0], 20))
        mine = self.connect()
        db = mine.attach("orphan.tdb")
        self.refused(clib.ETIMEOUT, mine.lock, db, b"k", 50)
        os.kill(pid, signal.SIGKILL)
        self.wait_for(pid)
        mine.lock(db, b"k", 5000).unlock()
        os.close(go[1])

    def test_fork_while_threads_are_at_work(self):
        c = self.connect()
        db = c.attach("storm.tdb")
        over = threading.Event()

        def work(n):
            while not over.is_set():
                c.write(db, b"key %d" % n, b"v")

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            jobs = [pool.submit(work, n) for n in range(3)]
            try:
                children = [self.in_child(lambda: c.write(db, b"from a child", b"v") is None) for _ in range(20)]
                self.assertEqual([0] * 20, [self.wait_for(child) for child in children])
            finally:
                over.set()
            for job in jobs:
                job.result()


class ThreadsAndForksBySocket(ThreadsAndForks):
    table = 0


class Mistakes(OneCluster):
    size = 1
    NONE = ctypes.c_void_p()

    def test_every_function_without_a_connection(self):
        """All that the library has, so that a new function has to be added here."""
        nothing, key, room = self.NONE, b"k", ctypes.create_string_buffer(4096)
        einval = {
            "floe_connect": (nothing, 0, 10, room), "floe_fd": (nothing,), "floe_process": (nothing, 0),
            "floe_attach": (nothing, b"x.tdb", 0, 10, room), "floe_find": (nothing, b"x.tdb", 10, room, room),
            "floe_allow_copies": (nothing, 1, 10), "floe_sequence_number": (nothing, 1, 10, room),
            "floe_lock_record": (nothing, 1, key, ctypes.c_size_t(1), 10, room), "floe_store": (nothing, b"v", ctypes.c_size_t(1)),
            "floe_delete": (nothing,), "floe_unlock": (nothing,),
            "floe_read": (nothing, 1, key, ctypes.c_size_t(1), 0, 10, room),
            "floe_traverse": (nothing, 1, 0, 10, clib.VISITOR(), nothing, room),
            "floe_transaction_start": (nothing, 1, 10, room),
            "floe_transaction_read": (nothing, key, ctypes.c_size_t(1), room),
            "floe_transaction_store": (nothing, key, ctypes.c_size_t(1), b"v", ctypes.c_size_t(1)),
            "floe_transaction_commit": (nothing, 10), "floe_listen": (nothing, ctypes.c_uint64(5), clib.HANDLER(), nothing),
            "floe_send": (nothing, 0, ctypes.c_uint64(5), b"x", ctypes.c_size_t(1)),
            "floe_tunnel_open": (nothing, ctypes.c_uint64(5), clib.TUNNEL_HANDLER(), nothing),
            "floe_tunnel_send": (nothing, 0, ctypes.c_uint64(5), 0, b"x", ctypes.c_size_t(1)),
            "floe_nodes": (nothing, clib.ALL, 10, room, ctypes.c_size_t(4), room),
            "floe_control_many": (nothing, room, ctypes.c_size_t(1), 35, ctypes.c_uint64(0), nothing, ctypes.c_size_t(0), 10, room),
            "floe_send_many": (nothing, room, ctypes.c_size_t(1), ctypes.c_uint64(5), b"x", ctypes.c_size_t(1)),
            "floe_process_exists": (nothing, 0, 1, ctypes.c_uint64(0), 10), "floe_detach": (nothing, 1, 10),
            "floe_watch_recoveries": (nothing, clib.RECOVERY_HANDLER(), nothing),
            "floe_control": (nothing, 0, 35, ctypes.c_uint64(0), nothing, ctypes.c_size_t(0), 10, nothing, nothing)}
        harmless = {
            "floe_error_text": (), "floe_error_name": (-99,), "floe_version": (), "floe_disconnect": (nothing,),
            "floe_pnn": (nothing,), "floe_set_patience": (nothing, 5), "floe_free": (nothing,),
            "floe_lock_data": (nothing, room), "floe_lock_header": (nothing, room), "floe_transaction_cancel": (nothing,)}
        shown = subprocess.run(["nm", "-D", "--defined-only", clib.LIBRARY], capture_output=True, text=True, check=True)
        names = {line.split()[-1].split("@")[0] for line in shown.stdout.splitlines() if " T " in line}
        self.assertEqual(names, set(einval) | set(harmless))
        library = ctypes.CDLL(clib.LIBRARY)  # with the types of these calls, not of clib.py
        library.floe_error_text.restype = ctypes.c_char_p
        for name, arguments in einval.items():
            self.assertEqual(clib.EINVAL, getattr(library, name)(*arguments), name)
            self.assertTrue(library.floe_error_text(), name)
        for name, arguments in harmless.items():
            getattr(library, name)(*arguments)

    def test_what_failed_can_be_freed(self):
        """A program that does not initialise what it frees whatever happened."""
        c = self.connect()
        db = c.attach("frees.tdb", clib.PERSISTENT)
        t, dirt, lib = c.begin(db), bytes([0xA5]) * ctypes.sizeof(clib.NodeResult), clib._lib
        for call in (lambda v: lib.floe_read(c.handle, db, None, 1, 0, 10, v), lambda v: lib.floe_read(c.handle, db, b"k", 1, 9, 10, v),
                     lambda v: lib.floe_read(None, db, b"k", 1, 0, 10, v), lambda v: lib.floe_transaction_read(t, None, 1, v),
                     lambda v: lib.floe_transaction_read(None, b"k", 1, v),
                     lambda v: lib.floe_control(None, 0, 35, ctypes.c_uint64(0), None, ctypes.c_size_t(0), 10, None, v)):
            value = clib.Value.from_buffer_copy(dirt)
            self.assertEqual(clib.EINVAL, call(ctypes.byref(value)))
            self.assertIsNone(value.data)
            lib.floe_free(ctypes.byref(value))
        results = (clib.NodeResult * 2).from_buffer_copy(dirt * 2)
        self.assertEqual(clib.EINVAL, lib.floe_control_many(None, (ctypes.c_uint32 * 2)(0, 7), 2, 35, 0, b"", 0, 10, results))
        self.assertEqual([(0, clib.EINVAL, None), (7, clib.EINVAL, None)], [(r.pnn, r.error, r.value.data) for r in results])
        clib.cancel(t)

    def test_sizes_without_data_and_beyond_all_bounds(self):
        """Which leave the connection as it was, and the lock."""
        c = self.connect()
        db, p = c.attach("sizes.tdb"), c.attach("sizes-p.tdb", clib.PERSISTENT)
        c.write(db, b"k", b"v")
        lock, large = c.lock(db, b"k"), bytes(65 << 20)
        self.assertEqual(clib.EINVAL, clib._lib.floe_store(lock.handle, None, 5))
        for call, *arguments in ((lock.store, large), (c.lock, db, large), (c.send, 0, 5, large), (c.read, db, large),
                                 (c.control_many, [0], 35, large)):
            self.assertIn("larger than what a node takes", self.refused(clib.EINVAL, call, *arguments))
        lock.store(b"w")
        lock.unlock()
        self.assertEqual(b"w", c.read(db, b"k"))
        t = c.begin(p)
        for key in b"a", b"b", b"c":  # too much together
            clib.transaction_store(t, key, bytes(25 << 20))
        self.assertIn("nothing is stored", self.refused(clib.EINVAL, clib.commit, t))
        c.transaction(p, {b"a": b"1"})
        self.assertIsNone(c.read(p, b"b", clib.SETTLED))

    def test_the_sequence_number_is_not_for_transactions(self):
        c = self.connect()
        db = c.attach("numbered.tdb", clib.PERSISTENT)
        c.transaction(db, {b"k": b"v"})
        t = c.begin(db)
        self.refused(clib.EINVAL, clib.transaction_store, t, b"__db_sequence_number__\0", b"12345678")
        clib.transaction_store(t, b"k", b"w")
        clib.commit(t)
        self.assertEqual(2, c.sequence_number(db))


class Torture(OneCluster):
    """Any call in any order from four threads and their children: tests/client/torture.c."""

    def endure(self, steps, hurt):
        # under another name: who kills a node kills every process that names its directory
        name = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="floe-torture."))) / "0"
        name.symlink_to(self.nodes[0].base)
        with subprocess.Popen([TORTURE, str(name), SEED, str(steps)], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as program:
            over = threading.Event()

            def hurt_again_and_again():
                while not over.is_set():
                    hurt(over)

            thread = threading.Thread(target=hurt_again_and_again)
            thread.start()
            try:
                out, err = program.communicate(timeout=100)
            finally:
                program.kill()
                over.set()
                thread.join()
        self.assertEqual(0, program.returncode, f"seed {SEED}: {err}")
        stored, perhaps, there = map(int, re.match(r"stored (\d+), perhaps (\d+) more, there (\d+)", out).groups())
        self.assertGreater(stored, steps // 20, out)
        return stored, perhaps, there, out

    def out_and_back(self, over):
        """Node 0, whose clients they are, in all ways in which nothing is lost; and another one."""
        for out, back in (("stop",), ("continue",)), (("ban", 300), ("unban",)), (("recover",), ()):
            self.nodes[0].ctdb(*out)
            over.wait(0.3)
            if back:
                self.nodes[0].ctdb(*back)
            over.wait(1)
        os.kill(self.nodes[0].pid, signal.SIGSTOP)
        over.wait(0.3)
        os.kill(self.nodes[0].pid, signal.SIGCONT)
        self.nodes[1].ctdb("recover")
        over.wait(1)

    def test_nothing_acknowledged_is_lost(self):
        stored, perhaps, there, out = self.endure(6000, self.out_and_back)
        self.assertTrue(stored <= there <= stored + perhaps, f"seed {SEED}: {out}")


class TortureBySocket(Torture):
    table = 0


class TortureWithoutANode(Torture):
    size = 1

    def out_and_back(self, over):
        over.wait(1)
        self.nodes[0].signal(signal.SIGKILL)
        over.wait(0.3)
        self.nodes.start_node(self.nodes[0])
        self.nodes.wait_healthy()

    def test_nothing_acknowledged_is_lost(self):
        """Records are, with the node that had them; what is asked of the library is that it lives and tells."""
        self.endure(3000, self.out_and_back)


class LostNodes(OneCluster):
    size = 1

    def test_lost_and_found(self):
        plain, steady = self.connect(), self.connect(flags=clib.RECONNECT)
        db = plain.attach("lost.tdb")
        steady.attach("lost.tdb")
        got = []
        steady.listen(5, lambda _pnn, data: got.append(data))
        lock = steady.lock(db, b"k")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waits = pool.submit(plain.lock, db, b"k", clib.FOREVER)
            until(lambda: not waits.done() and cli.run(self.nodes[0], "locks")["waiting"], "a waiter", 10)
            self.nodes[0].signal(signal.SIGKILL)
            with self.assertRaises(clib.Error) as caught:
                waits.result(10)
            self.assertEqual(clib.ELOST, caught.exception.code)
        self.refused(clib.ENOLOCK, lock.store, b"v")
        self.refused(clib.ENOTCONN, steady.read, db, b"k")
        self.nodes.start_node(self.nodes[0])
        self.nodes.wait_healthy()
        self.refused(clib.ELOST, plain.read, db, b"k")
        steady.write(db, b"k", b"again")  # connects, attaches, listens
        self.assertEqual(b"again", steady.read(db, b"k"))
        Connection(self.nodes[0].base).send(0, 5, b"hello")
        until(lambda: steady.process(100) and got == [b"hello"], "a message after the reconnect", 10)

    def test_nobody_there(self):
        self.refused(clib.ENOTCONN, Connection, "/nowhere/socket")
        self.refused(clib.EINVAL, Connection, "x" * 200)

    def test_a_node_that_hangs(self):
        c = self.connect()
        db = c.attach("hang.tdb")
        os.kill(self.nodes[0].pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            self.refused(clib.ETIMEOUT, c.read, db, b"k", clib.OWNER, 300)
            self.assertLess(time.monotonic() - begun, 3)
        finally:
            os.kill(self.nodes[0].pid, signal.SIGCONT)
        c.write(db, b"k", b"v")


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    if not clib.LIBRARY:
        tap.skip_all("the environment variable FLOE_CLIENT_LIBRARY names no library")
    tap.main()
