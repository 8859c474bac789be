"""smbd on nodes of a cluster: its configuration, the account, the programs, and smbtorture's verdicts.

    smb = smb_servers.Servers(nodes, bridge={0, 1})     # the nodes whose smbd has floe's library before libtdb
    smb.start()
    smb.client(0, "put /etc/hostname x; ls")

Each node has an smbd of its own, which listens on the node's address, with private, lock, state, cache and pid directories of
its own; all share one directory of files. Needs a network namespace of its own (port 445).
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

from wait import until

FLOE = os.environ.get("FLOE")
SMBD = shutil.which("smbd", path="/usr/sbin:/usr/bin")
PROGRAMS = ("smbclient", "smbtorture", "pdbedit", "net", "smbstatus")
PASSWORD = "pw"

CONFIGURATION = """
[global]
	clustering = yes
	ctdbd socket = {socket}
	netbios name = FLOETEST
	workgroup = FLOE
	server role = standalone server
	security = user
	map to guest = Bad User
	guest account = root
	interfaces = {address}/8
	bind interfaces only = yes
	smb ports = 445
	server min protocol = NT1
	private dir = {own}/private
	lock directory = {own}/lock
	state directory = {own}/state
	cache directory = {own}/cache
	pid directory = {own}/pid
	ncalrpc dir = {own}/ncalrpc
	binddns dir = {own}/private
	log file = {own}/log/log.%m
	log level = 1
	logging = file
	max log size = 0
	disable netbios = yes
	load printers = no
	printing = bsd
	printcap name = /dev/null
	disable spoolss = yes
	kernel oplocks = no
	kernel share modes = no
	posix locking = no
	passdb backend = tdbsam
	{more}
[share]
	path = {files}
	guest ok = yes
	read only = no
	force user = root
"""


def why_not():
    """Why no smbd can be tested here, or None."""
    if SMBD is None:
        return "Debian's package samba is not installed"
    missing = [p for p in PROGRAMS if shutil.which(p) is None]
    return f"not installed: {', '.join(missing)} (packages smbclient, samba-testsuite, samba-common-bin)" if missing else None


def bridge_library():
    return subprocess.run([FLOE, "bridge", "--library"], capture_output=True, text=True, check=True).stdout.strip()


class Servers:
    def __init__(self, nodes, bridge, files=None, settings=()):
        self.cluster, self.nodes, self.bridge = nodes, list(nodes), set(bridge)
        self.directory = pathlib.Path(nodes.directory)
        self.files = pathlib.Path(files or self.directory / "files")
        self.files.mkdir(exist_ok=True)
        self.files.chmod(0o777)
        self.settings, self.inside = settings, {}  # pnn: the command that runs another one where its programs are to run
        self.library = bridge_library() if FLOE else None
        for node in self.nodes:
            self._configure(node)

    def own(self, pnn):
        return self.directory / f"smb.{pnn}"

    def configuration(self, pnn):
        return self.own(pnn) / "smb.conf"

    def _configure(self, node):
        own = self.own(node.pnn)
        for folder in ("private", "lock", "state", "cache", "pid", "ncalrpc", "log"):
            (own / folder).mkdir(parents=True, exist_ok=True)
        (own / "private").chmod(0o700)
        (own / "smb.conf").write_text(CONFIGURATION.format(socket=node.socket, address=node.address, own=own,
                                                           files=self.files, more="\n\t".join(self.settings)))

    def environment(self, pnn):
        return {**os.environ, "CTDB_BASE": str(self.nodes[pnn].base), "SMB_CONF_PATH": str(self.configuration(pnn)),
                **({"LD_PRELOAD": self.library} if pnn in self.bridge else {})}

    def run(self, pnn, program, *arguments, **options):
        """A program of Samba's as an administrator of that node runs it."""
        return subprocess.run([*self.inside.get(pnn, ()), program, *map(str, arguments)], text=True, env=self.environment(pnn), capture_output=True,
                              timeout=options.pop("timeout", 60), **options)

    def start(self):
        """The first alone, until it serves: it writes its version into the cluster, and of several that find none there smbd
        ends all but one."""
        for node in self.nodes:
            self.start_one(node.pnn)
            if node is self.nodes[0]:
                self.add_user(node.pnn, "root")
                until(lambda: self.client(node.pnn, "ls").returncode == 0, f"smbd of {node} serves", 60)
        for node in self.nodes:
            until(lambda: self.client(node.pnn, "ls").returncode == 0, f"smbd of {node} serves", 60)

    def add_user(self, pnn, name):
        self.run(pnn, "pdbedit", "-a", "-t", "-u", name, input=f"{PASSWORD}\n{PASSWORD}\n").check_returncode()

    def start_one(self, pnn):
        subprocess.run([*self.inside.get(pnn, ()), SMBD, "-D", "-s", self.configuration(pnn)], env=self.environment(pnn), check=True,
                       stdin=subprocess.DEVNULL, timeout=60)

    def pid(self, pnn):
        try:
            pid = int((self.own(pnn) / "pid" / "smbd.pid").read_text())
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError):
            return None

    def stop(self):
        for node in self.nodes:
            if pid := self.pid(node.pnn):
                os.kill(pid, signal.SIGTERM)
        for node in self.nodes:
            until(lambda: self.pid(node.pnn) is None, f"smbd of {node} ended", 30)

    def stop_one(self, pnn):
        """Its clients lose their connections."""
        os.kill(self.pid(pnn), signal.SIGTERM)
        until(lambda: self.pid(pnn) is None, f"smbd of node {pnn} ended", 30)

    def unc(self, pnn):
        return f"//{self.nodes[pnn].address}/share"

    def client(self, pnn, commands, timeout=60):
        """smbclient against the smbd of that node."""
        return subprocess.run(["smbclient", self.unc(pnn), "-s", self.configuration(pnn), "-U", f"root%{PASSWORD}", "-c",
                               commands], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              env={**os.environ, "LD_PRELOAD": ""})

    def torture(self, suite, pnns, *options, timeout=120):
        """A suite of smbtorture with its connections spread over the smbds of these nodes."""
        unc_list = self.directory / f"unc.{'.'.join(map(str, pnns))}"
        unc_list.write_text("".join(f"{self.unc(p)}\n" for p in pnns))
        command = ["smbtorture", self.unc(pnns[0]), "-U", f"root%{PASSWORD}", "--option=client min protocol=NT1",
                   "--option=torture:timelimit=10", f"--option=torture:host2={self.nodes[pnns[-1]].address}", *options]
        if len(pnns) > 1:
            command.append(f"--unclist={unc_list}")
        try:
            result = subprocess.run([*command, suite], capture_output=True, text=True, timeout=timeout,
                                    stdin=subprocess.DEVNULL, cwd=self.directory, errors="replace")
        except subprocess.TimeoutExpired as e:
            return Verdict(suite, (e.stdout or b"").decode(errors="replace"), timed_out=True)
        return Verdict(suite, result.stdout + result.stderr)

    def log_tail(self, lines=8):
        for node in self.nodes:
            for log in sorted((self.own(node.pnn) / "log").glob("log.*")):
                for line in log.read_text(errors="replace").splitlines()[-lines:]:
                    print(f"smbd of {node}: {log.name}: {line}", file=sys.stderr)


class Verdict:
    """What a suite of smbtorture said: names of tests by outcome."""

    def __init__(self, suite, text, timed_out=False):
        self.suite, self.text = suite, text
        self.good = sorted(re.findall(r"^success: (\S+)", text, re.M))
        self.bad = sorted(re.findall(r"^(?:failure|error): (\S+)", text, re.M))
        self.skipped = sorted(re.findall(r"^skip: (\S+)", text, re.M))
        if timed_out:
            self.bad.append("timed out")

    def __eq__(self, other):
        return (self.good, self.bad, self.skipped) == (other.good, other.bad, other.skipped)

    def __str__(self):
        failing = f", failing {' '.join(self.bad)}" if self.bad else ""
        return f"{self.suite}: {len(self.good)} good, {len(self.skipped)} skipped{failing}"
