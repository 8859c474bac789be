#!/usr/bin/env python3
"""What an SMB client sees of Debian's smbd on floe nodes, beside the same smbd on Debian's ctdbd.

Usually called as tests/bench/samba, which builds what is needed. Both kinds run on this machine, in a network namespace of
their own, and take turns: three nodes of each, an smbd on each node, one folder of files. The table has the median of all rounds, the lowest
and the highest value in brackets, and how many times better floe is (above 1: floe is better).
"""
import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "interop"))

import sandbox  # noqa: E402

KINDS = ("floe", "ctdbd")
# name, unit, whether more is better
ROWS = {
    "put": ("put of a small file (create, write, close)", "ms", False),
    "get": ("get of it (open, read, close)", "ms", False),
    "allinfo": ("allinfo of it", "ms", False),
    "put_cpu": ("processor time of smbd and node for a put", "ms", False),
    "get_cpu": ("processor time of smbd and node for a get", "ms", False),
    "allinfo_cpu": ("processor time of smbd and node for an allinfo", "ms", False),
    "session": ("session and tree connect, and their end", "ms", False),
    "same_one": ("opens of one file by 4 connections, one node", "/s", True),
    "same_two": ("opens of one file by 4 connections, over two nodes", "/s", True),
    "own_one": ("opens of a file each by 4 connections, one node", "/s", True),
    "own_two": ("opens of a file each by 4 connections, over two nodes", "/s", True),
    "oplock1": ("smb2.bench.oplock1: handles passed on by oplock breaks", "/s", True),
    "echo": ("smb2.bench.echo by 4 connections (no database)", "/s", True),
    "lost": ("longest wait of 4 clients of two nodes when the third is killed", "ms", False),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--seconds", type=int, default=3, help="length of each measurement of a rate", metavar="S")
    parser.add_argument("--count", type=int, default=200, help="puts, gets and so on that are timed together", metavar="N")
    parser.add_argument("--commands", action="store_true", help="puts, gets and allinfos alone, which say more with many rounds")
    parser.add_argument("--json", action="store_true", help="all numbers, for programs")
    return parser.parse_args()


def processor_seconds(servers):
    """Of node 0, and of the smbds of its clients that have ended."""
    children = pathlib.Path(f"/proc/{servers.pid(0)}/stat").read_text().rpartition(")")[2].split()[13:15]
    node = sum(int(task.read_text().split()[0]) for task in pathlib.Path(f"/proc/{servers.nodes[0].pid}/task").glob("*/schedstat"))
    return sum(map(int, children)) / os.sysconf("SC_CLK_TCK") + node / 1e9


def timed_commands(servers, command, count):
    """ms that one of these commands takes in a session of smbclient, and of processor time: so many, less a session without."""
    def seconds(times):
        spent, begun = processor_seconds(servers), time.monotonic()
        done = servers.client(0, ";".join(["lcd /", *[command] * times]), timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"smbclient: {command}: {done.stdout}{done.stderr}")
        took = time.monotonic() - begun
        time.sleep(0.3)  # until its smbd has ended, and the node has written
        return took, processor_seconds(servers) - spent

    return [(many - none) / count * 1000 for many, none in zip(seconds(count), seconds(0))]


def sessions(servers, count):
    """ms of each of so many sessions by one process, by Samba's own Python library."""
    import smb_clients
    said = subprocess.run([smb_clients.PROGRAM, servers.nodes[0].address, servers.configuration(0), "--sessions", str(count)],
                          capture_output=True, text=True, check=True, timeout=300)
    return float(said.stdout.split()[1]) * 1000 / count


def rate(text, what):
    """The mean that a bench suite says of all its seconds, of such lines: `2.00 second: open[num/s=2927,...`."""
    found = [float(n) for n in re.findall(rf"second:.*?\b{what}\[num/s=(\d+)", text)]
    if not found:
        raise RuntimeError(f"no rate of {what} in: {text[-500:]}")
    return statistics.mean(found)


def opens(servers, options, pnns, path, connections=4):
    said = servers.torture("smb2.bench.path-contention-shared", pnns, f"--num-progs={connections}",
                           f"--option=torture:timelimit={options.seconds}", f"--option=torture:nprocs={connections}",
                           f"--option=torture:bench_path={path}")
    return rate(said.text, "open")


def opens_of_own(servers, options, pnns):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return sum(pool.map(lambda i: opens(servers, options, [pnns[i % len(pnns)]], f"own.{i}", connections=1), range(4)))


def steady(servers, options, result):
    """All that needs no fault."""
    for name in ("small", "all.one", "all.two", *(f"own.{i}" for i in range(4))):
        (servers.files / name).write_bytes(b"x" * 1000)
        (servers.files / name).chmod(0o666)
    for row, command in (("put", f"put {servers.files}/small other"), ("get", "get small /dev/null"), ("allinfo", "allinfo small")):
        took, spent = timed_commands(servers, command, options.count)
        result[row].append(took)
        result[f"{row}_cpu"].append(spent)
    if options.commands:
        return
    result["session"].append(sessions(servers, max(10, options.count // 5)))
    result["same_one"].append(opens(servers, options, [0], "all.one"))
    result["same_two"].append(opens(servers, options, [0, 1], "all.two"))
    result["own_one"].append(opens_of_own(servers, options, [0]))
    result["own_two"].append(opens_of_own(servers, options, [0, 1]))
    said = servers.torture("smb2.bench.oplock1", [0], f"--option=torture:timelimit={options.seconds}", "--num-progs=4").text
    result["oplock1"].append(float(re.findall(r"([\d.]+) ops/second", said)[-1]))
    said = servers.torture("smb2.bench.echo", [0], f"--option=torture:timelimit={options.seconds}", "--num-progs=4",
                           "--option=torture:nprocs=4").text
    result["echo"].append(rate(said, "echo"))


def lost(servers):
    """ms: clients of nodes 0 and 1 open, write and read a file of their own and one of all; node 2 is killed."""
    from smb_clients import Clients
    from wait import until
    clients = [Clients(servers, pnn, f"{pnn}.{i}") for pnn in (0, 1) for i in range(2)]
    try:
        until(lambda: all(c.done_so_far > 50 for c in clients), "clients at work", 60)
        for c in clients:
            c.waits_since_last_asked()
        servers.nodes[2].signal(signal.SIGKILL)
        before = [c.done_so_far for c in clients]
        until(lambda: all(c.done_so_far > b + 200 for c, b in zip(clients, before)), "clients go on", 120)
    finally:
        for c in clients:
            c.end()
    if errors := [e for c in clients for e in c.errors]:
        raise RuntimeError(f"SMB errors: {errors[:3]}")
    return max(w for c in clients for w in c.waits_since_last_asked()) * 1000


def table(values, options):
    lines = [["", "unit", *KINDS, "floe is better by"]]
    for row, (name, unit, more) in ROWS.items():
        if not values["floe"][row]:
            continue
        floe, ctdbd = (statistics.median(values[kind][row]) for kind in KINDS)
        factor = floe / ctdbd if more else ctdbd / floe
        lines.append([name, unit, *(cell(values[kind][row]) for kind in KINDS), f"x {factor:.3g}"])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    yield f"three nodes of each kind, an smbd on each; {options.rounds} rounds; median [lowest..highest]"
    for line in lines:
        yield "  ".join(text.ljust(w) if i < 1 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths)))


def figure(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def cell(values):
    return f"{figure(statistics.median(values))} [{figure(min(values))}..{figure(max(values))}]"


def main():
    options = arguments()
    sandbox.enter()
    import cluster
    import samba_verdicts
    import smb_servers
    for reason in (cluster.why_not("floe"), cluster.why_not("ctdbd"), smb_servers.why_not()):
        if reason:
            sys.exit(f"cannot measure: {reason}")
    values = {kind: {row: [] for row in ROWS} for kind in KINDS}
    make = {"floe": samba_verdicts.floe, "ctdbd": samba_verdicts.ctdbd}
    for number in range(options.rounds):
        for kind in KINDS if number % 2 == 0 else reversed(KINDS):
            print(f"# round {number + 1} of {options.rounds}: {kind}", file=sys.stderr, flush=True)
            with contextlib.ExitStack() as stack:
                servers = stack.enter_context(make[kind](3))
                steady(servers, options, values[kind])
                if not options.commands:
                    values[kind]["lost"].append(lost(servers))
    if options.json:
        print(json.dumps({"options": vars(options), "values": values}, indent=1))
    else:
        print("\n".join(table(values, options)))


if __name__ == "__main__":
    main()
