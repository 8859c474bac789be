#!/usr/bin/env python3
"""Any suites of smbtorture, on smbds of floe nodes and on smbds of Samba's own ctdbd in the same run, name by name.

    samba_verdicts.py --long                       the long list, on one node of each kind (an hour and a half)
    samba_verdicts.py --nodes 3 smb2.lock raw.mux  these, with their connections spread over three nodes

Says for each suite what both said, and which names differ; a suite that differs is run again, since some fail now and then
on ctdbd alone, too, and only names that differ each time count. Ends with 1 if there are any. FLOE names the program.
"""
import argparse
import concurrent.futures
import contextlib
import sys
import time

import sandbox

if __name__ == "__main__":
    sandbox.enter()

import cluster  # noqa: E402  (after the sandbox)
import smb_servers as samba  # noqa: E402

# smb2.hold-*, *.bench* and *scan* never end by themselves or measure; base.deny2 takes nine minutes on ctdbd
LONG = ("smb2.oplock", "smb2.lease", "smb2.notify", "smb2.streams", "smb2.dir", "smb2.read", "smb2.rw", "smb2.getinfo",
        "smb2.create", "smb2.connect", "smb2.delete-on-close-perms", "smb2.maxfid", "smb2.acls", "smb2.compound",
        "smb2.compound_find", "smb2.compound_async", "smb2.credits", "smb2.ioctl", "smb2.replay", "smb2.setinfo",
        "smb2.timestamps", "smb2.fileid", "smb2.tcon", "smb2.session-id", "smb2.mkdir", "smb2.openattr", "smb2.winattr",
        "smb2.multichannel", "smb2.durable-v2-delay", "smb2.durable-open-disconnect", "smb2.samba3misc", "smb2.charset",
        "base.delete", "base.rename", "base.deny1", "base.deny3", "base.denydos", "base.ntdeny1", "base.ntdeny2",
        "base.tcon", "base.vuid", "base.rw1", "base.open", "base.unlink", "base.xcopy", "base.disconnect",
        "base.createx_access", "base.createx_sharemodes_file", "base.createx_sharemodes_dir", "base.delaywrite",
        "raw.lock", "raw.open", "raw.oplock", "raw.notify", "raw.mux", "raw.close", "raw.unlink", "raw.rename", "raw.read",
        "raw.write", "raw.search", "raw.context", "raw.streams", "raw.sfileinfo", "raw.samba3checkfsp",
        "raw.samba3oplocklogoff", "raw.samba3posixtimedlock")
UNSTEADY = {"valid-req", "alloc-size"}  # fail now and then on ctdbd alone, too: said, not counted
ATTEMPTS = 3


@contextlib.contextmanager
def serving(nodes, bridge, **options):
    """An smbd on each node of a cluster that is about to start."""
    with cluster.running(nodes):
        servers = samba.Servers(nodes, bridge, **options)
        try:
            servers.start()
            yield servers
        except BaseException:
            servers.log_tail()
            raise
        finally:
            servers.stop()


def floe(count, **options):
    return serving(cluster.FloeCluster(count, **options), range(count))


def ctdbd(count, **options):
    return serving(cluster.CtdbdCluster(count, **options), ())


def differing(theirs, ours):
    """Names that one of them has under another outcome, or not at all."""
    outcomes = [{**dict.fromkeys(v.good, "good"), **dict.fromkeys(v.bad, "failing"), **dict.fromkeys(v.skipped, "skipped")}
                for v in (theirs, ours)]
    return {name: tuple(o.get(name, "absent") for o in outcomes) for name in (outcomes[0].keys() | outcomes[1].keys()) - UNSTEADY
            if outcomes[0].get(name) != outcomes[1].get(name)}


def compare(suite, on_ctdbd, on_floe, timeout=120):
    """What differs each time, and the verdicts of the last time."""
    always = None
    for attempt in range(ATTEMPTS):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            running = [pool.submit(s.torture, suite, [n.pnn for n in s.nodes], timeout=timeout) for s in (on_ctdbd, on_floe)]
            theirs, ours = (r.result() for r in running)
        found = differing(theirs, ours)
        always = found if always is None else {n: found[n] for n in always if n in found}
        if found and attempt + 1 < ATTEMPTS:
            print(f"# {suite}: differs, and is run again: "
                  + ", ".join(f"{n} (ctdbd {a}, floe {b})" for n, (a, b) in sorted(found.items())), file=sys.stderr, flush=True)
        if not always:
            break
    return theirs, ours, always


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("suites", nargs="*")
    options.add_argument("--long", action="store_true", help="the long list")
    options.add_argument("--nodes", type=int, default=1)
    options.add_argument("--timeout", type=int, default=600, help="seconds for a suite (600)")
    wanted = options.parse_args()
    suites = [*(LONG if wanted.long else ()), *wanted.suites]
    for reason in (cluster.why_not("floe"), cluster.why_not("ctdbd"), samba.why_not()):
        if reason:
            sys.exit(reason)
    differ, equal = [], 0
    with ctdbd(wanted.nodes) as on_ctdbd, floe(wanted.nodes) as on_floe:
        for suite in suites:
            begun = time.monotonic()
            theirs, ours, always = compare(suite, on_ctdbd, on_floe, wanted.timeout)
            seconds = time.monotonic() - begun
            if always:
                differ.append(suite)
                print(f"DIFFERENT {suite} ({seconds:.0f} s)\n  on ctdbd {theirs}\n  on floe  {ours}", flush=True)
                for name, (a, b) in sorted(always.items()):
                    print(f"  {name}: {a} on ctdbd, {b} on floe", flush=True)
            else:
                equal += 1
                print(f"equal     {ours} ({seconds:.0f} s)", flush=True)
    print(f"{equal} of {len(suites)} suites equal" + (f"; different: {' '.join(differ)}" if differ else ""))
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
