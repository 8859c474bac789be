"""Clusters on loopback: of floe nodes, of Samba's ctdbd, or of both, behind one face.

    with cluster.of("floe", nodes=3) as nodes:      # or "ctdbd"; healthy when the block begins
        nodes[0].ctdb("status")                     # Debian's tool, its output and exit status

Both kinds keep a node in a directory of its own laid out as ctdbd has it under CTDB_TEST_MODE (Samba's
ctdb/common/path.c): ctdb.conf, nodes, run/ctdbd.socket, run/ctdbd.pid. Addresses and ports are looked for, not fixed.
"""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

import sandbox
from wait import until
from wire import Connection

CTDB, CTDBD = shutil.which("ctdb"), shutil.which("ctdbd", path="/usr/sbin:/usr/bin:/sbin")
FLOE = os.environ.get("FLOE")
HEALTHY_S = 90  # ctdbd: election, recovery, the pause before start-up, first monitoring


def why_not(kind):
    """Why no cluster of this kind can be started here, or None."""
    if CTDB is None or CTDBD is None:
        return "Debian's package ctdb is not installed"
    if kind == "floe" and not (FLOE and os.access(FLOE, os.X_OK)):
        return "the environment variable FLOE names no program"
    return None


def of(kind, nodes=3, **options):
    """A running, healthy cluster of this kind; stopped at the end, its logs shown if the block failed."""
    return running({"floe": FloeCluster, "ctdbd": CtdbdCluster}[kind](nodes, **options))


@contextlib.contextmanager
def running(group):
    try:
        group.start()
        yield group
    except BaseException:
        group.show_logs()
        raise
    finally:
        group.stop()


class Node:
    def __init__(self, pnn, base, address, port):
        self.pnn, self.base, self.address, self.port = pnn, pathlib.Path(base), address, port
        self.environment = {**os.environ, "CTDB_TEST_MODE": "yes", "CTDB_BASE": str(base)}

    def __repr__(self):
        return f"node {self.pnn}"

    @property
    def socket(self):
        return self.base / "run" / "ctdbd.socket"

    def connect(self):
        return Connection.to_socket(self.socket)

    @property
    def pid(self):
        """The daemon's process, or None if none is running."""
        try:
            pid = int((self.base / "run" / "ctdbd.pid").read_text())
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            threads = len(os.listdir(f"/proc/{pid}/task"))
        except (OSError, ValueError):
            return None
        # the first thread is a zombie while others still end, and the sockets are open until the last has ended
        return pid if state != "Z" or threads > 1 else None

    def resident_bytes(self):
        return int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def ctdb(self, *arguments, timeout=60):
        """Debian's tool, told to talk to this node."""
        return subprocess.run([CTDB, *map(str, arguments)], env=self.environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout)

    def signal(self, number):
        """Sends the signal; for SIGKILL returns when the process is gone, and with it a ctdbd's helpers: its event
        daemon notices after seconds, and until then another one cannot start."""
        pid = self.pid
        os.kill(pid, number)
        if number == signal.SIGKILL:
            until(lambda: self.pid != pid, f"{self} killed", 10)
            kill_all(processes_of(self.base))

    def healthy(self):
        """In the eyes of Debian's tool: the node answers, is running, and every node is OK."""
        return self.pid is not None and self.ctdb("-t", "2", "nodestatus", "all").returncode == 0 and \
            "RUNNING" in self.ctdb("-t", "2", "runstate").stdout

    def log_tail(self, lines=15):
        for log in sorted([*self.base.glob("log*"), *self.base.glob("*.log")]):
            for line in log.read_text(errors="replace").splitlines()[-lines:]:
                yield f"{log.name}: {line}"


class Cluster:
    """Nodes in directories node.0, node.1 ... of one directory."""

    def __init__(self, count, port=None):
        self.directory = sandbox.directory("c")
        self.port = port or default_port()
        self.prefix = free_prefix(count, self.port)
        self.nodes = [Node(pnn, self.directory / f"node.{pnn}", f"{self.prefix}.{pnn + 1}", self.port)
                      for pnn in range(count)]

    def __getitem__(self, pnn):
        return self.nodes[pnn]

    def __iter__(self):
        return iter(self.nodes)

    def __len__(self):
        return len(self.nodes)

    def wait_healthy(self, nodes=None, seconds=HEALTHY_S):
        for node in nodes or self.nodes:
            until(node.healthy, f"{node} of {type(self).__name__} healthy", seconds)

    def leader(self):
        """The leader's pnn as node 0's tool sees it, or None."""
        answer = self[0].ctdb("leader").stdout.strip()
        return int(answer) if answer.isdigit() else None

    def stop(self):
        for node in self.nodes:
            if pid := node.pid:
                os.kill(pid, signal.SIGTERM)
        for node in self.nodes:
            with contextlib.suppress(AssertionError):
                until(lambda: node.pid is None, f"{node} stopped", 15)  # pylint: disable=cell-var-from-loop
        kill_all(self.processes())  # helpers of a daemon that was killed live on for a while
        if not os.environ.get("FLOE_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)

    def processes(self):
        """Every process that was started for a directory of this cluster."""
        return processes_of(f"{self.directory}/node.")

    def show_logs(self):
        for node in self.nodes:
            for line in node.log_tail():
                print(f"{type(self).__name__} {node}: {line}", file=sys.stderr)


class CtdbdCluster(Cluster):
    """Debian's ctdbd. No public addresses; the cluster lock is a file that all nodes share; no event scripts."""

    def __init__(self, count, tunables=None, lock=True):
        super().__init__(count)
        for node in self.nodes:
            write_ctdbd_node(self, node, tunables or {}, lock)

    def start(self):
        for node in self.nodes:
            self.start_node(node)
        self.wait_healthy()

    def start_node(self, node):
        """It becomes a daemon by itself; the call returns when it has."""
        start_ctdbd(node)


def processes_of(directory):
    """Every process that was started for a path that begins so."""
    mark = os.fsencode(directory)
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "cmdline").read_bytes() or mark in (process / "environ").read_bytes():
                yield int(process.name)


def kill_all(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def write_ctdbd_node(group, node, tunables, lock, leader=True):
    for folder in ("run", "var", "db/volatile", "db/persistent", "db/state", "events/legacy", "events/notification"):
        (node.base / folder).mkdir(parents=True)
    database = node.base / "db"
    (node.base / "nodes").write_text("".join(f"{n.address}\n" for n in group.nodes))
    (node.base / "public_addresses").touch()
    (node.base / "ctdb.tunables").write_text("".join(f"{k}={v}\n" for k, v in tunables.items()))
    (node.base / "ctdb.conf").write_text("\n".join([
        "[logging]", f"location = file:{node.base}/log.ctdb", "log level = NOTICE",
        "[cluster]", f"node address = {node.address}", "leader timeout = 2",
        f"leader capability = {'true' if leader else 'false'}",
        *([f"cluster lock = {group.directory}/cluster.lock"] if lock else []),
        "[database]", f"volatile database directory = {database}/volatile",
        f"persistent database directory = {database}/persistent",
        f"state database directory = {database}/state",
        "[failover]", "disabled = true", ""]))


def start_ctdbd(node):
    """In a session of its own, as floe's nodes are and as any init system starts a daemon: a kernel with
    sched_autogroup_enabled shares the processors out among sessions, and daemons in one session with their clients were
    measured up to five times as fast beside other load."""
    subprocess.run([CTDBD], env=node.environment, check=True, stdin=subprocess.DEVNULL, timeout=60, start_new_session=True)


def start_floe(node):
    with open(node.base / "log.started", "ab") as log:
        subprocess.Popen([FLOE, "node", "--base", node.base], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


class MixedCluster(Cluster):
    """One cluster of floe nodes and ctdbd nodes, by pnn: ("floe", "ctdbd", "ctdbd"). The settings of all are ctdbd's."""

    def __init__(self, kinds, leaders=("floe", "ctdbd"), tunables=None, lock=False):
        super().__init__(len(kinds))
        self.kinds = list(kinds)
        for node, kind in zip(self.nodes, self.kinds):
            write_ctdbd_node(self, node, tunables or {}, lock, leader=kind in leaders)

    def kind(self, node):
        return self.kinds[node.pnn]

    def of_kind(self, kind):
        return [node for node in self.nodes if self.kind(node) == kind]

    def start(self):
        for node in self.nodes:
            self.start_node(node)
        self.wait_healthy()

    def start_node(self, node):
        {"floe": start_floe, "ctdbd": start_ctdbd}[self.kind(node)](node)

    def exchange(self, node, kind):
        """As cli/service/moving.md has it: ends the daemon, moves the folders of its databases away, starts the other kind's
        on the same settings."""
        node.ctdb("shutdown")
        until(lambda: node.pid is None, f"{node} ended", 60)
        database = node.base / "db"
        database.rename(node.base / f"db.{self.kind(node)}.{time.time_ns()}")
        for folder in ("volatile", "persistent", "state"):
            (database / folder).mkdir(parents=True)
        self.kinds[node.pnn] = kind
        self.start_node(node)


class FloeCluster(Cluster):
    """floe nodes, made and started by `floe cluster up`."""

    def __init__(self, count, tunables=None, lock=None):
        super().__init__(count)
        self.tunables = tunables or {}
        self.lock = lock or self.directory / "cluster.lock"  # as in ctdb.conf, or "none"

    def start(self):
        self.floe("cluster", "up", "--nodes", len(self), "--dir", self.directory, "--address-prefix", self.prefix,
                  "--port", self.port, "--cluster-lock", self.lock)
        self.wait_healthy()
        for node in self.nodes:
            for name, value in self.tunables.items():
                node.ctdb("setvar", name, value).check_returncode()

    def start_node(self, node):
        """One node again, after it was killed."""
        start_floe(node)

    @staticmethod
    def floe(*arguments, timeout=120):
        result = subprocess.run([FLOE, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                                stdin=subprocess.DEVNULL)
        if result.returncode != 0:
            raise RuntimeError(f"floe {' '.join(map(str, arguments))}: exit {result.returncode}\n{result.stderr}")
        return result.stdout


def default_port():
    """Nodes find each other at the service `ctdb`'s port; 4379 if the machine does not name it."""
    try:
        return socket.getservbyname("ctdb", "tcp")
    except OSError:
        return 4379


def free_prefix(count, port):
    """127.a.b such that addresses .1 to .count can be bound at this port."""
    for _ in range(1000):
        prefix = f"127.{random.randint(1, 254)}.{random.randint(0, 254)}"
        try:
            for last in range(1, count + 1):
                with socket.socket() as trial:
                    trial.bind((f"{prefix}.{last}", port))
        except OSError:
            continue
        return prefix
    raise RuntimeError(f"no free loopback addresses at port {port}")
