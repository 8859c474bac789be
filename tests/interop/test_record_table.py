#!/usr/bin/env python3
"""Records in shared memory with real processes: clients that are killed at any moment, nodes that want the records, a node
that dies with them, and what a person sees of all that.
"""
import collections
import os
import random
import select
import signal
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

DATABASE = "hot.tdb"


class Worker:
    """A process that counts records up and tells, in one write, what it has stored when the store has returned."""

    def __init__(self, base, keys):
        mine, its = os.pipe()
        self.told = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.close(mine)
            try:
                self.count(base, keys, its)
            finally:
                os._exit(1)  # pylint: disable=protected-access
        os.close(its)
        self.pipe = mine

    @staticmethod
    def count(base, keys, out):
        chance = random.Random(os.getpid())
        c = Connection(base)
        db = c.attach(DATABASE)
        while True:
            key = chance.choice(keys)
            lock = c.lock(db, key, 30000)
            value = int(lock.data or b"0") + 1
            lock.store(b"%d" % value)
            os.write(out, b"%s %d\n" % (key, value))
            lock.unlock()

    def read(self):
        if self.pipe is not None and select.select([self.pipe], [], [], 0)[0]:
            piece = os.read(self.pipe, 65536)
            self.told += piece
            return bool(piece)
        return False

    def end(self):
        """Killed: what it had told until then."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        while self.read():
            pass
        os.close(self.pipe)
        self.pipe = None
        return [line.split() for line in self.told.splitlines()]


class KilledClients(unittest.TestCase):
    def test_what_they_were_told_is_stored_and_their_locks_are_free(self):
        keys = [b"a", b"b", b"c"]
        stored = collections.defaultdict(list)
        killed = 0

        def ended(worker):
            for key, value in worker.end():
                stored[key].append(int(value))

        with cluster.of("floe", nodes=2, tunables={"RecordTable": 1}) as nodes:
            chance = random.Random(7)
            workers = [Worker(nodes[i % 2].base, keys) for i in range(6)]
            try:
                over = time.monotonic() + 6
                while time.monotonic() < over:
                    for w in workers:
                        w.read()
                    time.sleep(0.03)
                    i = chance.randrange(len(workers))
                    node = chance.randrange(2)
                    ended(workers[i])
                    killed += 1
                    workers[i] = Worker(nodes[node].base, keys)
                    if killed % 20 == 0:
                        nodes[0].ctdb("recover").check_returncode()
            finally:
                for w in workers:
                    ended(w)
            c = Connection(nodes[1].base)
            db = c.attach(DATABASE)
            for key in keys:
                lock = c.lock(db, key, 10000)  # nobody holds it any more
                last = int(lock.data or b"0")
                lock.unlock()
                told = stored[key]
                self.assertEqual(len(told), len(set(told)), "two processes have stored the same number")
                self.assertGreaterEqual(last, max(told, default=0), "a store that had returned is lost")
                # each that was killed may have stored one number more than it could tell
                self.assertLessEqual(last - len(told), killed + len(workers))
            self.assertGreater(sum(map(len, stored.values())), 500)
            c.close()


class Shown(unittest.TestCase):
    def test_holders_and_waiters_in_the_table(self):
        with cluster.of("floe", nodes=1, tunables={"RecordTable": 1}) as nodes:
            node = nodes[0]
            a, b = Connection(node.base), Connection(node.base)
            db = a.attach(DATABASE)
            b.attach(DATABASE)
            for c in a, b:
                c.write(db, b"k", b"v")
            lock = a.lock(db, b"k")
            self.assertEqual([os.getpid()], [h["pid"] for h in cli.run(node, "locks")["held"]])
            child = os.fork()
            if child == 0:
                c = Connection(node.base)
                c.lock(c.attach(DATABASE), b"k")
                os._exit(0)  # pylint: disable=protected-access
            until(lambda: [w["pid"] for w in cli.run(node, "locks")["waiting"]] == [child], "a waiter", 10)
            self.assertIn(f"process {os.getpid()} ", self.text_of_refusal(b, db))
            before = a.sequence_number(db)
            lock.store(b"w")
            self.assertGreater(b.sequence_number(db), before)
            lock.unlock()
            os.waitpid(child, 0)
            # switched off, all goes by the socket, and nothing is lost
            node.ctdb("setvar", "RecordTable", "0").check_returncode()
            self.assertEqual(b"w", a.read(db, b"k"))
            lock = b.lock(db, b"k")
            self.assertEqual(b"w", lock.data)
            lock.store(b"x")
            lock.unlock()
            self.assertEqual(b"x", a.read(db, b"k"))

    def text_of_refusal(self, c, db):
        with self.assertRaises(clib.Error) as caught:
            c.lock(db, b"k", 0)
        self.assertEqual(clib.ETIMEOUT, caught.exception.code)
        return caught.exception.text


class NodeKilled(unittest.TestCase):
    def test_its_clients_hear_of_it_and_the_others_go_on(self):
        with cluster.of("floe", nodes=3, tunables={"RecordTable": 1}) as nodes:
            hot, other = Connection(nodes[0].base), Connection(nodes[1].base)
            db = hot.attach(DATABASE)
            other.attach(DATABASE)
            other.write(db, b"k", b"before")
            hot.write(db, b"k", b"hot")
            hot.write(db, b"k", b"hotter")
            lock = hot.lock(db, b"k")
            nodes[0].signal(signal.SIGKILL)
            # a client that does not wait for its node looks for the end of the socket every ten milliseconds
            until(lambda: self.code_of_refusal(lock) in (clib.ENOLOCK, clib.ELOST), "a store refused", 10)
            lock = other.lock(db, b"k", 30000)
            self.assertIn(lock.data, (b"before", b"hot", b"hotter"))
            lock.unlock()

    @staticmethod
    def code_of_refusal(lock):
        try:
            lock.store(b"after the end")
        except clib.Error as refused:
            return refused.code
        return None


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    if not clib.LIBRARY:
        tap.skip_all("the environment variable FLOE_CLIENT_LIBRARY names no library")
    tap.main()
