"""A domain controller for tests: Samba's own, provisioned and run on one address of loopback; and nodes of a cluster as members.

    with Domain() as domain:                        # it takes some seconds until it serves
        servers = Servers(nodes, bridge, settings=domain.member_settings())
        for node in nodes: domain.set_up(servers, node.pnn)   # its programs see the domain's DNS, and a /run/samba of their own

Needs namespaces (a DNS server listens on port 53), and Debian's packages samba-ad-dc and samba-ad-provision.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess

import sandbox

REALM, NAME, ADDRESS, PASSWORD = "FLOE.TEST", "FLOEDOM", "127.0.0.77", "Passw0rd."
ENVIRONMENT = {**os.environ, "TDB_NO_FSYNC": "1"}  # nothing of it need outlive a crash of the machine
SAMBA = shutil.which("samba", path="/usr/sbin:/usr/bin")
WINBINDD = shutil.which("winbindd", path="/usr/sbin:/usr/bin")
SETUP = pathlib.Path("/usr/share/samba/setup")
NSS_WINBIND = list(pathlib.Path("/usr/lib").glob("*/libnss_winbind.so.2"))


def why_not():
    """Why there can be no domain here, or None."""
    if os.environ.get(sandbox.INSIDE) != "namespaces":
        return "namespaces are not permitted"
    for there, package in ((SAMBA, "samba-ad-dc"), (shutil.which("samba-tool"), "samba-common-bin"), (SETUP.exists(), "samba-ad-provision"),
                           (WINBINDD, "winbind"), (NSS_WINBIND, "libnss-winbind")):
        if not there:
            return f"Debian's package {package} is not installed"
    return None


class Domain:
    def __init__(self):
        self.directory = sandbox.directory("dc")
        self._process, self._rooms = None, []
        for folder in (self.directory, self.directory.parent):  # the controller's smbd acts for users of the domain
            folder.chmod(0o711)

    def __enter__(self):
        self.tool("domain", "provision", "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", f"--realm={REALM}", f"--domain={NAME}",
                  f"--adminpass={PASSWORD}", f"--targetdir={self.directory}", f"--host-ip={ADDRESS}", "--host-name=dc",
                  *(f"--option={setting}" for setting in (
                      f"interfaces={ADDRESS}/8", "bind interfaces only=yes", "logging=file", f"log file={self.directory}/log.samba",
                      f"pid directory={self.directory}", f"ncalrpc dir={self.directory}/ncalrpc",
                      "tls enabled=no", "prefork children=1",
                      "server services=-nbt, -wrepl, -ntp_signd, -kcc, -dnsupdate")), configuration=None)
        self.write("resolv.conf", f"search {REALM.lower()}\nnameserver {ADDRESS}\noptions timeout:2 attempts:5\n")
        self.write("nsswitch.conf", "passwd: files winbind\ngroup: files winbind\nhosts: files dns\n")
        self.write("krb5.conf", f"[libdefaults]\n\tdefault_realm = {REALM}\n\tdns_lookup_realm = false\n\tdns_lookup_kdc = true\n")
        inside = self._room("dc")
        self._log = open(self.directory / "log.dc", "wb")  # pylint: disable=consider-using-with
        self._process = subprocess.Popen(
            [*inside, SAMBA, "-F", "--no-process-group", "-s", self.configuration],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=ENVIRONMENT)
        return self

    def __exit__(self, *_):
        for process in (self._process, *self._rooms):
            if process:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()

    @property
    def configuration(self):
        return self.directory / "etc" / "smb.conf"

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def tool(self, *words, configuration="own"):
        """samba-tool, as the controller's administrator."""
        options = [f"--configfile={self.configuration}"] if configuration else []
        subprocess.run(["samba-tool", *words, *options], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=300,
                       env=ENVIRONMENT)

    def _room(self, name):
        """The command that runs another in a mount namespace that has a /run/samba of its own, and the domain's DNS."""
        own = self.directory / f"run.{name}"
        own.mkdir()
        script = (f"mount --bind {own} /run/samba && mount --bind {self.directory}/resolv.conf /etc/resolv.conf && "
                  f"mount --bind {self.directory}/nsswitch.conf /etc/nsswitch.conf && echo ready && exec sleep 100000")
        holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self._rooms.append(holder)
        if holder.stdout.readline() != "ready\n":
            raise RuntimeError("no mount namespace with a /run/samba of its own")
        return ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", "--", "env", f"KRB5_CONFIG={self.directory}/krb5.conf"]

    def set_up(self, servers, pnn):
        servers.inside[pnn] = self._room(str(pnn))

    @staticmethod
    def member_settings():
        return ("server role = member server", "security = ads", f"realm = {REALM}", f"workgroup = {NAME}",
                "kerberos method = secrets only", "idmap config * : backend = autorid", "idmap config * : range = 100000-9999999",
                "winbind enum users = yes", "winbind enum groups = yes", "winbind use default domain = no",
                "template shell = /bin/sh")
