"""The program `floe` as a user calls it, with --json. The only place that knows its verbs and field names."""
import json
import os
import subprocess

FLOE = os.environ.get("FLOE")
SAYS_NO = 4


class Failed(RuntimeError):
    """The command's exit status was not 0."""

    def __init__(self, command, status, text):
        super().__init__(f"{' '.join(command)}: exit {status}: {text.strip()}")
        self.status = status


def _command(node, arguments):
    return [FLOE, "--base", str(node.base), *map(str, arguments), "--json"]


def run(node, *arguments, timeout=60):
    """The command's answer, decoded; of `status` also that of a cluster that is not well (exit status 4)."""
    command = _command(node, arguments)
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout)
    if result.returncode != 0 and not (arguments[0] == "status" and result.returncode == SAYS_NO):
        raise Failed(command, result.returncode, result.stderr + result.stdout)
    return json.loads(result.stdout) if result.stdout.strip() else None


def attach(node, db):
    run(node, "attach", db)


def write(node, db, key, value):
    run(node, "writekey", db, key, value)


def read(node, db, key):
    return run(node, "readkey", db, key)["value"]


def contents(node, db):
    """{key: value} of the whole database, traversed over all nodes."""
    return {record["key"]: record["value"] for record in run(node, "catdb", db)["records"]}


def status(node):
    """(generation, recovery mode, leader, pnns of the vnn map)"""
    told = run(node, "status")
    return told["generation"], told["recovery_mode"], told["leader"], told["vnn_map"]


def freeze_state(node, db):
    """"thawed", "freezing", "frozen" or "in_transaction" """
    return run(node, "getdbstatus", db)["freeze_state"]


def holders(node, db):
    """[(pid, key)] of those who hold a lock in this database."""
    return [(lock["pid"], lock["key"]) for lock in run(node, "locks")["held"] if lock["db"] == db]


class HeldLock:
    """`floe lock` in the background: holds the lock until its standard input ends."""

    def __init__(self, node, db, key):
        self.process = subprocess.Popen(_command(node, ["lock", db, key]), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self._said = b""

    @property
    def pid(self):
        return self.process.pid

    @property
    def granted(self):
        """The command prints one line when it has the lock."""
        self._said += self.process.stdout.read() or b""
        if self.process.poll():
            raise Failed(["floe lock"], self.process.returncode, self.process.stderr.read().decode())
        return b"\n" in self._said

    def release(self):
        _, errors = self.process.communicate(timeout=30)
        if self.process.returncode != 0:
            raise Failed(["floe lock"], self.process.returncode, errors.decode())


def hold_recovery(node, phase, db=None):
    """The next recovery that this node leads waits when it comes to this phase."""
    run(node, "recovery", "hold", f"{phase}@{db}" if db else phase)


def held_at(node):
    """[(database, phase)] of the recoveries that wait because they were told to."""
    return [(one["db"], one["phase"]) for one in run(node, "recovery", "status")["held"]]


def release_recovery(node):
    run(node, "recovery", "release")


def start_recovery(node):
    """Asks for one and does not wait for its end."""
    return subprocess.Popen(_command(node, ["recover"]), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
