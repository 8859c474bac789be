"""Clients of an smbd that a test drives: each a process of its own, smb_load.py, by Samba's own Python library.

    Clients(servers, 0, "a")    works all the time, until end(); counts, errors and the longest wait while it does
    Opened(servers, 1)          opens one file, shared with nobody, when it is told to, and keeps it
    one_holder(servers, 1)      such a client has the file, and the clients of all other nodes are refused it
"""
import contextlib
import pathlib
import subprocess
import sys
import threading

import smb_load

PROGRAM = pathlib.Path(__file__).with_name("smb_load.py")


class Clients(threading.Thread):
    """Opens, writes and reads files by way of one smbd, all the time; connects anew only when the connection itself is lost."""

    def __init__(self, servers, pnn, name, *pace):
        super().__init__(daemon=True)
        self.pnn, self.errors, self.slowest, self.done_so_far, self._waits = pnn, [], 0.0, 0, []
        self.process = subprocess.Popen([sys.executable, PROGRAM, servers.nodes[pnn].address,
                                         str(servers.configuration(pnn)), name, *map(str, pace)], text=True, stdout=subprocess.PIPE,
                                        stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.start()

    def run(self):
        for line in self.process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "error":
                self.errors.append(rest)
            elif word == "done":
                seconds = float(rest)
                self.slowest = max(self.slowest, seconds)
                self._waits.append(seconds)
                self.done_so_far += 1

    def waits_since_last_asked(self):
        """Seconds of each round."""
        waits, self._waits = self._waits, []
        return waits

    def end(self):
        self.process.stdin.close()
        self.join(60)
        self.process.wait(30)


class Opened:
    """A client that opens one file with no sharing, on demand, and keeps it."""

    def __init__(self, servers, pnn):
        self.servers, self.pnn = servers, pnn
        self.process = subprocess.Popen([sys.executable, PROGRAM, servers.nodes[pnn].address,
                                         str(servers.configuration(pnn)), "--hold", "stale.txt"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline().split()[1])

    def open(self):
        self.process.stdin.write("open\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def server(self):
        """The process that serves this client: the owner of the other end of its connection."""
        return smb_load.owner_of_port(self.servers.nodes[self.pnn].address, 445, self.port)

    def end(self):
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()


@contextlib.contextmanager
def one_holder(servers, pnn):
    """What an smbd of one node has open for itself alone, those of the others do not open. Gives that client and the others."""
    holder = Opened(servers, pnn)
    others = [Opened(servers, node.pnn) for node in servers.nodes if node.pnn != pnn]
    try:
        if (said := holder.open()) != "ok":
            raise AssertionError(f"node {pnn} does not open the file: {said}")
        for other in others:
            if "share access flags are incompatible" not in (said := other.open()):
                raise AssertionError(f"node {other.pnn} is not refused what node {pnn} has open: {said}")
        yield holder, others
    finally:
        for one in (holder, *others):
            one.end()
