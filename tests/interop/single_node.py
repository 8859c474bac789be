"""One node, started by hand as a service manager would, and the program beside it."""
import os
import shutil
import subprocess

import sandbox
from wait import until

FLOE = os.environ.get("FLOE")


def floe(*arguments):
    return subprocess.run([FLOE, *(a if isinstance(a, bytes) else str(a) for a in arguments)], capture_output=True, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, timeout=60)


def directory(settings=None):
    """A node's directory, of a cluster of one."""
    base = sandbox.directory("s")
    (base / "nodes").write_text("127.0.0.1\n")
    if settings is not None:
        (base / "ctdb.conf").write_text(settings)
    return base


class Node:
    """`at_end` is called with what ends it; `prepare` with its directory before it starts."""

    def __init__(self, at_end, settings="[floe]\nport = 4379\n", prepare=None, stderr=subprocess.PIPE, **environment):
        self.base = directory(settings)
        if prepare:
            prepare(self.base)
        self.process = subprocess.Popen([FLOE, "node", "--base", self.base], env={**os.environ, **environment},
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, text=True)
        at_end(self.end)
        until(lambda: floe("--base", self.base, "ping").returncode == 0, "the node answers", 30)

    def end(self):
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        shutil.rmtree(self.base, ignore_errors=True)

    @property
    def log(self):
        path = self.base / "log.ctdb"
        return path.read_text() if path.exists() else ""
