#!/usr/bin/env python3
"""What administrators of a Samba cluster type, on two floe nodes with floe's library before libtdb, and the same on two of ctdbd:
equal exit status, equal output, command by command, written on one node and read on the other. Commands are a shell's; of what
they print, numbers, times and directories are made equal.
"""
import concurrent.futures
import re
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox)
import samba_verdicts  # noqa: E402
import smb_servers as samba  # noqa: E402
import tap  # noqa: E402

ROOT = f"-U root%{samba.PASSWORD}"
# node, command
REMOTE = f"""
0 rpcclient $ADDRESS {ROOT} -c srvinfo
0 rpcclient $OTHER {ROOT} -c enumdomusers
0 rpcclient $OTHER {ROOT} -c 'lookupnames root'
0 rpcclient $OTHER {ROOT} -c 'lsaaddacctrights S-1-5-32-545 SeDiskOperatorPrivilege'
1 rpcclient $ADDRESS {ROOT} -c 'lsaenumacctrights S-1-5-32-545'
0 net rpc share list -S $OTHER {ROOT}
0 net rpc registry createkey 'HKLM\\Software\\rpcmade' -S $OTHER {ROOT}
0 net rpc registry enumerate 'HKLM\\Software' -S $ADDRESS {ROOT}
0 net rpc conf addshare rpcshare /tmp -S $OTHER {ROOT}
0 net rpc conf list -S $ADDRESS {ROOT}
0 smbclient //$OTHER/share {ROOT} -c 'mkdir d; put /etc/passwd d/x; rename d/x d/y; rm d/y; rmdir d' 2>/dev/null
"""
CONFIGURATION = r"""
0 net conf addshare s1 /tmp writeable=y guest_ok=y "a comment"
1 net conf setparm s1 "hosts allow" 127.
0 net conf getparm s1 "hosts allow"
0 net conf setincludes s1 /etc/a /etc/b
1 net conf getincludes s1
1 net conf delincludes s1
0 net conf delparm s1 "hosts allow"
1 printf '[imp]\n\tpath = /tmp\n\tcomment = imported\n' > import.conf && net conf import import.conf imp
0 net conf list
1 net conf delshare imp
0 net conf delshare nosuch
1 net registry createkey 'HKLM\Software\floe'
0 net registry setvalue 'HKLM\Software\floe' v1 sz text
0 net registry setvalue 'HKLM\Software\floe' v2 dword 5
1 net registry increment 'HKLM\Software\floe' v2 3
0 net registry getvalue 'HKLM\Software\floe' v2
0 net registry export 'HKLM\Software\floe' out.reg && cat out.reg
1 net registry deletevalue 'HKLM\Software\floe' v1
1 net registry enumerate_recursive 'HKLM\Software'
0 net registry deletekey 'HKLM\Software\floe'
1 net registry enumerate 'HKLM\Software\floe'
0 net registry check
"""
LOCKS_AND_MESSAGES = r"""
0 net g_lock do mylock 5 'echo inside'
0 (net g_lock do held 5 'until [ -e seen ]; do sleep 0.05; done' & until net g_lock locks | grep held; do sleep 0.05; done; touch seen; wait)
1 net g_lock locks
0 net serverid exists 1:$SMBD1
0 net serverid exists 1:1
0 smbcontrol 1:$SMBD1 ping | sed 's/ [0-9]*:[0-9]*//'
0 smbcontrol 1:$SMBD1 debug 2; smbcontrol 1:$SMBD1 debuglevel | sed 's/PID [0-9:]*//'
0 smbcontrol 1:$SMBD1 debug 1
0 smbcontrol all reload-config
0 smbcontrol smbd close-share share
0 smbcontrol nosuch ping
0 smbstatus -L
0 smbstatus -B
0 smbstatus -N
0 net tdb locking
"""
ACCOUNTS = r"""
0 net groupmap add rid=1500 ntgroup=floegrp unixgroup=daemon type=d
1 net groupmap list
0 net groupmap delete ntgroup=floegrp
0 printf 'x\nx\n' | pdbedit -a -t -u daemon
1 pdbedit -L
1 pdbedit -u daemon -f "full name" | grep -i 'full name'
0 pdbedit -u daemon -c '[D]' | grep Flags
1 smbpasswd -c $SMB_CONF_PATH -e daemon
0 pdbedit -P "min password length" -C 5
1 pdbedit -P "min password length"
1 pdbedit -x daemon
0 pdbedit -L
1 net sam policy show "maximum password age"
0 net setlocalsid S-1-5-21-1-2-3
1 net getlocalsid
0 sharesec share -a "S-1-5-21-1-2-3-501:DENIED/0/FULL"
1 sharesec share --view
"""
DATABASES = r"""
0 dbwrap_tool --persistent floetest.tdb store a int32 7
0 dbwrap_tool --persistent floetest.tdb store c string hello
0 dbwrap_tool --persistent floetest.tdb store d hex 010203ff
1 dbwrap_tool --persistent floetest.tdb listkeys
1 dbwrap_tool --persistent floetest.tdb fetch d hex
1 dbwrap_tool --persistent floetest.tdb exists nosuch
1 dbwrap_tool --persistent floetest.tdb delete d
0 dbwrap_tool --persistent floetest.tdb fetch d hex
0 dbwrap_tool --persistent floetest.tdb erase
1 dbwrap_tool --persistent floetest.tdb listkeys
0 dbwrap_tool --non-persistent scratch.tdb store a int32 7
1 dbwrap_tool --non-persistent scratch.tdb fetch a int32
1 dbwrap_tool --non-persistent scratch.tdb store a int32 9
0 dbwrap_tool --non-persistent scratch.tdb fetch a int32
1 dbwrap_tool --non-persistent scratch.tdb delete a
0 dbwrap_tool --non-persistent scratch.tdb fetch a int32
0 tdbdump $DB/persistent/share_info.tdb.0 | grep -c ^key
0 tdbtool $DB/persistent/share_info.tdb.0 keys
0 tdbtool $DB/persistent/share_info.tdb.0 check
0 tdbbackup $DB/persistent/share_info.tdb.0 && ls $DB/persistent | grep -c 'bak$'
"""


class Side:
    """A cluster of one kind, and what its programs say, made equal where it cannot be."""

    def __init__(self, servers):
        self.servers = servers

    def says(self, pnn, command):
        node, other = self.servers.nodes[pnn], self.servers.nodes[1 - pnn]
        smbds = " ".join(f"SMBD{n.pnn}={self.servers.pid(n.pnn)}" for n in self.servers.nodes)
        r = self.servers.run(pnn, "sh", "-c", f"export ADDRESS={node.address} OTHER={other.address} DB={node.base}/db {smbds}; {command}",
                             cwd=self.servers.own(pnn))
        return r.returncode, self._equalled(r.stdout), r.stderr

    def _equalled(self, text):
        text = text.replace(str(self.servers.directory), "DIRECTORY").replace(self.servers.cluster.prefix, "PREFIX")
        text = re.sub(r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?", "TIME", text)
        return "\n".join(sorted(re.sub(r"\b\d{2,}\b", "NUMBER", text).splitlines()))  # some walk through unordered records


class SameOnBoth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            theirs = pool.submit(cls.enterClassContext, samba_verdicts.ctdbd(2))
            cls.floe = Side(cls.enterClassContext(samba_verdicts.floe(2)))
            cls.ctdbd = Side(theirs.result())

    def same(self, commands):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for line in commands.strip().splitlines():
                pnn, _, command = line.partition(" ")
                theirs, ours = pool.map(lambda side: side.says(int(pnn), command), (self.ctdbd, self.floe))  # pylint: disable=cell-var-from-loop
                with self.subTest(command):
                    self.assertEqual(theirs[:2], ours[:2], f"{theirs[2]}\n{ours[2]}")

    def test_1_by_remote_procedure_calls(self):
        self.same(REMOTE)

    def test_2_configuration(self):
        self.same(CONFIGURATION)

    def test_3_locks_and_messages(self):
        self.same(LOCKS_AND_MESSAGES)

    def test_4_databases(self):
        self.same(DATABASES)

    def test_5_accounts(self):
        self.same(ACCOUNTS)


if __name__ == "__main__":
    for kind in "floe", "ctdbd":
        if reason := cluster.why_not(kind):
            tap.skip_all(reason)
    if reason := samba.why_not():
        tap.skip_all(reason)
    tap.main()
