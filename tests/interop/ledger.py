"""What clients were promised while a cluster is attacked, and whether it still holds.

A writer for each node writes, on its own node, records that no other writer touches, and counts up records that all share
(each under its lock). One more writes to a persistent database. Whoever gets a number acknowledged notes it; a request
that ends without an answer may have been carried out or not. check() then reads:

* a record of one writer: what was acknowledged last, or something later that was not answered. It is read at the node
  that wrote it, so that it stays there;
* a shared record: at least the highest number acknowledged, whoever got it;
* the persistent records, at every node: as those of one writer.

Of a node that is killed only what others have is left: what is acknowledged while losing(node) goes on counts for nothing, nor
does what that node had. Of a node that is left out and comes back, what nobody else has touched stays: losing() without a node
forgets the shared records only. What a transaction has acknowledged is never forgotten.
"""
import contextlib
import struct
import threading
import time

import records
import transactions
import wire

DB, LASTING = "ledger.tdb", "ledger-lasting.tdb"
DB_ATTACH_PERSISTENT, RECORD_READ = 61, 0x464C0002
OWN_KEYS, SHARED_KEYS, LASTING_KEYS = 40, 10, 10
PAUSE_S = 0.01
PATIENCE_S = 20


class Promise:
    """The last number that was acknowledged, and the last that was tried."""

    def __init__(self):
        self.acknowledged, self.tried = 0, 0


class Writer(threading.Thread):
    """Writes until stopped, whatever happens to its connection."""

    def __init__(self, ledger, node):
        super().__init__(daemon=True)
        self.ledger, self.node, self.count = ledger, node, 0
        self.written, self.failed = 0, 0

    def run(self):
        while not self.ledger.ended.is_set():
            try:
                with self.node.connect() as connection:
                    self.use(connection)
            except (OSError, TimeoutError, records.Refused, wire.Closed):
                self.failed += 1
                self.ledger.ended.wait(0.2)

    def use(self, connection):
        db = records.attach(connection, DB, PATIENCE_S)
        while not self.ledger.ended.is_set():
            with self.ledger.at_work():
                self.write(connection, db)
            self.written += 1
            time.sleep(PAUSE_S)

    def write(self, connection, db):
        self.count += 1
        if self.count % 5:
            name = self.count % OWN_KEYS
            promise = self.ledger.own[self.node.pnn, name]
            with records.Lock(connection, db, b"own-%d-%d" % (self.node.pnn, name), PATIENCE_S) as lock:
                promise.tried = self.count
                lock.store(b"%d" % self.count)
                promise.acknowledged = self.count
        else:
            name = self.count // 5 % SHARED_KEYS
            with records.Lock(connection, db, b"shared-%d" % name, PATIENCE_S) as lock:
                number = int(lock.data or b"0") + 1
                self.ledger.granted(name, number - 1)
                lock.store(b"%d" % number)
                self.ledger.stored(name, number)


class LastingWriter(Writer):
    """Transactions, one record in each."""

    def use(self, connection):
        answer = connection.request(DB_ATTACH_PERSISTENT, LASTING.encode() + b"\0", seconds=PATIENCE_S)
        if answer[0] != 0:
            raise records.Refused(f"attach: {answer}")
        (db,) = struct.unpack("=I", answer[1])
        while not self.ledger.ended.is_set():
            with self.ledger.at_work():
                self.write(connection, db)
            time.sleep(5 * PAUSE_S)

    def write(self, connection, db):
        number = transactions.seqnum(connection, db)
        if number is None:
            raise records.Refused("no sequence number")
        self.count += 1
        promise = self.ledger.lasting[self.count % LASTING_KEYS]
        promise.tried = self.count
        status = transactions.commit(
            connection, db, transactions.record(b"lasting-%d" % (self.count % LASTING_KEYS), b"%d" % self.count, number + 1),
            transactions.seqnum_record(number + 1), seconds=PATIENCE_S)
        if status != 0:
            raise records.Refused(f"commit: {status}")
        promise.acknowledged = self.count
        self.written += 1


class Ledger:
    def __init__(self, nodes):
        self.nodes = nodes
        self.ended = threading.Event()
        self.gate, self.working = threading.Condition(), 0
        self.closed, self.loses = False, False
        self.own = {(node.pnn, name): Promise() for node in nodes for name in range(OWN_KEYS)}
        self.shared = {name: 0 for name in range(SHARED_KEYS)}
        self.lasting = {name: Promise() for name in range(LASTING_KEYS)}
        self.broken = []
        self.writers = [*(Writer(self, node) for node in nodes), LastingWriter(self, nodes[0])]
        for writer in self.writers:
            writer.start()

    @contextlib.contextmanager
    def at_work(self):
        with self.gate:
            self.gate.wait_for(lambda: not self.closed)
            self.working += 1
        try:
            yield
        finally:
            with self.gate:
                self.working -= 1
                self.gate.notify_all()

    @contextlib.contextmanager
    def at_rest(self):
        """Nobody writes meanwhile."""
        with self.gate:
            self.closed = True
            self.gate.wait_for(lambda: self.working == 0, 3 * PATIENCE_S)
        try:
            yield
        finally:
            with self.gate:
                self.closed = False
                self.gate.notify_all()

    def granted(self, name, number):
        if number < self.shared[name] and not self.loses:
            self.broken.append(f"shared-{name}: {number} was seen under the lock after {self.shared[name]} was stored")
            self.shared[name] = number

    def stored(self, name, number):
        self.shared[name] = max(self.shared[name], number)

    @contextlib.contextmanager
    def losing(self, node=None):
        """Until all are together again."""
        self.loses = True
        try:
            yield
        finally:
            for (pnn, _), promise in self.own.items():
                if node and pnn == node.pnn:
                    promise.acknowledged = 0
            self.shared = {name: 0 for name in self.shared}
            self.loses = False

    @property
    def written(self):
        return sum(writer.written for writer in self.writers)

    def stop(self):
        self.ended.set()
        with self.gate:
            self.closed = False
            self.gate.notify_all()
        for writer in self.writers:
            writer.join(3 * PATIENCE_S)

    def check(self):
        """What does not hold, as sentences."""
        wrong, self.broken = self.broken, []
        with self.at_rest():
            for node in self.nodes:
                with node.connect() as connection:
                    db = records.attach(connection, DB, 60)
                    for (pnn, name), promise in self.own.items():
                        if pnn == node.pnn:
                            key = b"own-%d-%d" % (pnn, name)
                            wrong += judged(key.decode(), read(connection, db, key), promise)
                    answer = connection.request(DB_ATTACH_PERSISTENT, LASTING.encode() + b"\0", seconds=60)
                    (db,) = struct.unpack("=I", answer[1])
                    for name, promise in self.lasting.items():
                        key = b"lasting-%d" % name
                        wrong += judged(f"{key.decode()} at {node}", read(connection, db, key), promise)
            with self.nodes[0].connect() as connection:
                db = records.attach(connection, DB, 60)
                for name, highest in self.shared.items():
                    number = read(connection, db, b"shared-%d" % name)
                    if number < highest:
                        wrong.append(f"shared-{name}: {number} is there, {highest} was acknowledged")
        return wrong


def judged(name, number, promise):
    """A write that was never answered may be found later than one that was."""
    if promise.acknowledged <= number <= max(promise.tried, promise.acknowledged):
        return []
    return [f"{name}: {number} is there, {promise.acknowledged} was acknowledged, {promise.tried} tried"]


def read(connection, db, key):
    """The number in the record, without its lock; 0 if there is none."""
    status, answer, error = connection.request(RECORD_READ, struct.pack("=III", db, 0, len(key)) + key, seconds=60)
    if status != 0:
        raise records.Refused(f"read {key}: {status} {error}")
    return int(answer[32:] or b"0")
