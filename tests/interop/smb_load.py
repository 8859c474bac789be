#!/usr/bin/env python3
"""A client of an smbd, by Samba's own Python library (Debian's package python3-samba, for /usr/bin/python3).

    smb_load.py ADDRESS SMB.CONF NAME [PACE]     until standard input ends: opens, writes, reads and closes a file of its own and
                                                 one that all share; a line `done SECONDS` for each round, `error WHY` for each
                                                 that failed; with PACE seconds between them it also makes and deletes
                                                 a new file each time, and comes back with a new session after 40 rounds
    smb_load.py ADDRESS SMB.CONF --hold FILE     for each line of standard input: opens FILE, shared with nobody, and keeps it;
                                                 answers `ok` or why not
    smb_load.py ADDRESS SMB.CONF --sessions N    N sessions with a tree connect, one after the other; `done SECONDS` for all
"""
import os
import select
import subprocess
import sys
import time

DEBIAN_PYTHON = "/usr/bin/python3"


def owner_of_port(address, port, peer_port):
    """The process that has this end of a connection."""
    shown = subprocess.run(["ss", "-Htnp"], capture_output=True, text=True, check=True).stdout
    for line in shown.splitlines():
        words = line.split()
        if words[3] == f"{address}:{port}" and words[4].endswith(f":{peer_port}"):
            return int(line.partition("pid=")[2].partition(",")[0])
    raise LookupError(f"nobody has {address}:{port} to {peer_port}")


def main():
    if "samba" not in sys.modules and sys.executable != DEBIAN_PYTHON:
        os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])
    from samba import credentials, param  # pylint: disable=import-outside-toplevel
    from samba.samba3 import libsmb_samba_internal as libsmb  # pylint: disable=import-outside-toplevel
    from samba.samba3 import param as s3param  # pylint: disable=import-outside-toplevel

    address, conf = sys.argv[1:3]
    settings = s3param.get_context()
    settings.load(conf)
    others = param.LoadParm()
    others.load(conf)
    who = credentials.Credentials()
    who.guess(others)
    who.set_username("root")
    who.set_password("pw")
    who.set_kerberos_state(credentials.DONT_USE_KERBEROS)

    def session():
        made = libsmb.Conn(address, "share", lp=settings, creds=who)  # ends as soon as nobody has it
        made.settimeout(PATIENCE_MS)
        return made

    if sys.argv[3] == "--sessions":
        begun = time.monotonic()
        for _ in range(int(sys.argv[4])):
            session()
        print(f"done {time.monotonic() - begun:.4f}", flush=True)
        return
    if len(sys.argv) > 4 and sys.argv[3] != "--hold":
        while load(session(), sys.argv[3], 40, float(sys.argv[4])):
            pass
        return
    before = ports()
    share = session()
    if sys.argv[3] == "--hold":
        print(f"port {(ports() - before).pop()}", flush=True)
        hold(share, sys.argv[4])
    else:
        load(share, sys.argv[3])


def ports():
    """Local ports of this process's connections."""
    shown = subprocess.run(["ss", "-Htnp"], capture_output=True, text=True, check=True).stdout
    return {int(line.split()[3].rpartition(":")[2]) for line in shown.splitlines() if f"pid={os.getpid()}," in line}


PATIENCE_MS = 90_000  # how long a client waits is measured, not a reason to fail
READ_WRITE, OPEN_OR_CREATE, ALL_MAY = 0x3, 3, 7


def hold(share, name):
    for _ in sys.stdin:
        try:
            share.create(name, DesiredAccess=READ_WRITE, ShareAccess=0, CreateDisposition=OPEN_OR_CREATE)
            print("ok", flush=True)
        except Exception as e:  # pylint: disable=broad-except
            print(str(e).replace("\n", " "), flush=True)


def load(share, name, rounds=None, pace=0):
    """False: standard input has ended."""
    content = name.encode() * 100
    while not select.select([sys.stdin], [], [], pace)[0]:
        begun = time.monotonic()
        try:
            if pace:
                new = f"new.{name}.{begun}"
                share.close(share.create(new, DesiredAccess=READ_WRITE, ShareAccess=ALL_MAY, CreateDisposition=OPEN_OR_CREATE))
                share.unlink(new)
            for file in f"own.{name}", "of all":
                f = share.create(file, DesiredAccess=READ_WRITE, ShareAccess=ALL_MAY, CreateDisposition=OPEN_OR_CREATE)
                share.write(f, content, 0)
                got = share.read(f, 0, len(content))
                share.close(f)
                if file != "of all" and got != content:
                    print("error read something else than was written", flush=True)
        except Exception as e:  # pylint: disable=broad-except
            print(f"error {e!r}".replace("\n", " "), flush=True)
            time.sleep(0.2)
            continue
        print(f"done {time.monotonic() - begun:.4f}", flush=True)
        if rounds is not None and (rounds := rounds - 1) == 0:
            return True
    return False


if __name__ == "__main__":
    main()
