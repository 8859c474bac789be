"""A place where daemons of a test can be started and are certainly gone afterwards.

The test program runs itself again in network, process and mount namespaces of its own: loopback addresses and ports
clash with nobody's, and when the program ends, in whatever way, the kernel ends every process it has started. Where
namespaces are not permitted it goes on without; then addresses are picked free (see cluster.py) and daemons are
stopped by the tests' own clean-up.

What a test writes goes to one directory under TMPDIR, removed at the end; FLOE_KEEP=1 keeps it and says where it is.
"""
import atexit
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

INSIDE = "FLOE_SANDBOX"
NAMESPACES = ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # Linux's numbers for an interface's flags


def enter():
    """Returns inside the sandbox. Outside, runs the whole program again inside and exits with its status."""
    if os.environ.get(INSIDE):
        if os.environ[INSIDE] == "namespaces":
            _loopback_up()
        return
    os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="floe-")  # short: a Unix socket's path has 107 bytes
    atexit.register(_leave, os.environ["TMPDIR"])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for options in ([], ["--user", "--map-root-user"]):
        unshare = NAMESPACES[:1] + options + NAMESPACES[1:]
        if subprocess.run([*unshare, "true"], capture_output=True).returncode == 0:
            os.environ[INSIDE] = "namespaces"
            # The shell is the first process of the namespace: it collects the daemons that nobody else waits for.
            command = [*unshare, "sh", "-c", '"$@"; exit $?', "sh", sys.executable, *sys.argv]
            break
    else:
        os.environ[INSIDE] = "none"
        command = [sys.executable, *sys.argv]
    sys.exit(subprocess.run(command).returncode)


def directory(name):
    """A new directory for this purpose."""
    return pathlib.Path(tempfile.mkdtemp(prefix=name + "-"))


def _leave(path):
    if os.environ.get("FLOE_KEEP"):
        print(f"# kept: {path}", file=sys.stderr)
    else:
        shutil.rmtree(path, ignore_errors=True)


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
