#!/usr/bin/env python3
"""Three floe processes: two locks and one recovery, and a node killed at each phase of a recovery.

What is checked is what a user can see: answers of the program, and every record on every node.
"""
import signal
import unittest

import sandbox

sandbox.enter()

import cluster  # noqa: E402  (after the sandbox: it looks for free addresses)
import floe_cli as cli  # noqa: E402
import records  # noqa: E402
import tap  # noqa: E402
from wait import until  # noqa: E402

DATABASES = ("locking.tdb", "brlock.tdb")
RECORDS = 300  # of each database
# The phases of a recovery in which the leader waits for nodes: of the recovery of one database, and of the cluster's,
# which has all of those in its middle. (A database cannot be held by name while its name is still asked for.)
DATABASE_PHASES = ("freeze", "begin", "changes", "commit", "thaw")  # by difference, and nothing has changed
CLUSTER_PHASES = ("survey", "recmode_active", "dbmaps", "start_recovery", "set_vnn_map", "recmode_normal", "end_recovery")


class FloeTest(unittest.TestCase):
    """A cluster of three with two databases, filled from all nodes and recovered once, so that all have all."""

    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.nodes = cls.enterClassContext(cluster.of("floe"))
        cls.expected = {db: {} for db in DATABASES}
        for db in DATABASES:
            cli.attach(cls.nodes[0], db)
        cls.fill("first")
        cls.recover(cls.nodes[0])

    @classmethod
    def fill(cls, word, nodes=None):
        """Every record new, written through each of the nodes in turn."""
        nodes = list(nodes or cls.nodes)
        connections = [node.connect() for node in nodes]
        for db in DATABASES:
            ids = [records.attach(connection, db) for connection in connections]
            for i in range(RECORDS):
                key, value = f"key-{i:04}", f"{word}-{db}-{i}".ljust(200, ".")
                writer = i % len(nodes)
                records.write(connections[writer], ids[writer], key.encode(), value.encode())
                cls.expected[db][key] = value
        for connection in connections:
            connection.close()

    @classmethod
    def recover(cls, node):
        before = cli.status(node)[0]
        cli.run(node, "recover")
        until(lambda: cls.settled(node, before), "a recovery asked for has ended")

    @classmethod
    def settled(cls, node, old_generation=None, size=None):
        """Recovery mode is NORMAL, in another generation, with as many nodes in the map."""
        generation, mode, _, vnn_map = cli.status(node)
        return mode == "NORMAL" and generation != old_generation and size in (None, len(vnn_map))

    def assert_all_there(self, nodes=None):
        """Every record as it was last written, by traverse and by single reads on each node."""
        for node in nodes or self.nodes:
            for db in DATABASES:
                self.assertEqual(self.expected[db], cli.contents(node, db), f"{db} on {node}")
            with node.connect() as connection:
                for db in DATABASES:
                    db_id = records.attach(connection, db)
                    for key in list(self.expected[db])[::17]:
                        self.assertEqual(self.expected[db][key], records.read(connection, db_id, key.encode()).decode())

    def restart(self, node):
        self.nodes.start_node(node)
        self.nodes.wait_healthy()
        until(lambda: self.settled(self.nodes[0], size=len(self.nodes)), f"{node} is in the map again")


class TwoLocksOneRecovery(FloeTest):
    """The deadlock of all databases frozen together, which recovery by database avoids."""

    def test_steps(self):
        smbd, lost, other = self.nodes
        generation = cli.status(smbd)[0]
        cli.write(other, "brlock.tdb", "key-0001", "lives on node 2")
        self.expected["brlock.tdb"]["key-0001"] = "lives on node 2"

        first = cli.HeldLock(smbd, "locking.tdb", "key-0000")
        until(lambda: first.granted, "the first lock is granted")
        self.assertIn((first.pid, "key-0000"), cli.holders(smbd, "locking.tdb"))

        lost.signal(signal.SIGKILL)
        until(lambda: cli.freeze_state(smbd, "locking.tdb") == "freezing", "locking.tdb waits for its holder")

        second = cli.HeldLock(smbd, "brlock.tdb", "key-0001")
        until(lambda: second.granted, "the lock in the other database is granted during the recovery")
        self.assertEqual("freezing", cli.freeze_state(smbd, "locking.tdb"))
        self.assertEqual("thawed", cli.freeze_state(smbd, "brlock.tdb"))
        self.assertEqual("ACTIVE", cli.status(smbd)[1])

        second.release()
        first.release()
        until(lambda: self.settled(smbd, generation, size=2), "the recovery has ended")
        for db, key in (("locking.tdb", "key-0000"), ("brlock.tdb", "key-0001")):
            cli.write(smbd, db, key, "written by smbd")
            self.expected[db][key] = "written by smbd"

        self.restart(lost)
        self.assert_all_there()


class ShutDownTogether(unittest.TestCase):
    """The leader is shut down, too, while a recovery that leaves the others out waits for its end."""

    def test_nobody_waits_for_who_has_gone(self):
        with cluster.of("floe") as nodes:
            cli.attach(nodes[0], DATABASES[0])
            leader = nodes[cli.status(nodes[0])[2]]
            others = [node for node in nodes if node is not leader]
            cli.run(leader, "recovery", "hold", "end_recovery")
            for node in others:
                node.signal(signal.SIGTERM)
            until(lambda: cli.status(leader)[3] == [leader.pnn], "the map is without those who leave")
            leader.signal(signal.SIGTERM)
            for node in [leader, *others]:  # a recovery is waited for 15 s
                until(lambda node=node: node.pid is None, f"{node} has ended", 10)


class RecoveryAsked(FloeTest):
    """`floe recover --whole` and `--verify`, and what is told of how each database was recovered."""

    def recovered(self, node):
        """How each database was recovered last. NORMAL comes a moment before the leader has ended it."""
        told = until(lambda: self.last_recovery(node), "the leader tells of its last recovery")
        return {d["name"]: d for d in told["databases"]}

    @staticmethod
    def last_recovery(node):
        told = cli.run(node, "status")
        last = told["last_recovery"]
        return last if last and last["generation"] == told["generation"] else None

    def test_by_difference_then_whole_then_verified(self):
        node = self.nodes[1]
        self.recover(node)
        nothing = self.recovered(node)
        for db in DATABASES:
            self.assertEqual(("difference", ""), (nothing[db]["way"], nothing[db]["why"]))
            self.assertEqual(0, nothing[db]["looked_at"])
            self.assertEqual(RECORDS, nothing[db]["records"])

        told = cli.run(node, "recover", "--whole")
        self.assertEqual([], told["differed"])
        whole = self.recovered(node)[DATABASES[0]]
        self.assertEqual(("whole", "asked for"), (whole["way"], whole["why"]))
        self.assertEqual(RECORDS * len(self.nodes), whole["looked_at"])

        told = cli.run(node, "recover", "--verify")
        self.assertEqual([], told["differed"])
        self.assertTrue(told["verified"])
        self.assertEqual("difference", self.recovered(node)[DATABASES[0]]["way"])
        self.assert_all_there()

    def test_what_has_changed_since_is_told(self):
        node = self.nodes[1]
        self.recover(node)
        cli.write(node, DATABASES[0], "key-0000", self.expected[DATABASES[0]]["key-0000"])
        told = cli.run(node, "getdbstatus", DATABASES[0])
        self.assertEqual("complete", told["changes"]["state"])
        self.assertEqual(cli.status(node)[0], told["changes"]["since"])
        self.assertGreater(told["changes"]["keys"], 0)
        self.recover(node)
        self.assertEqual(0, cli.run(node, "getdbstatus", DATABASES[0])["changes"]["keys"])
        self.assertGreater(self.recovered(node)[DATABASES[0]]["looked_at"], 0)
        self.assertEqual("difference", cli.run(node, "getdbstatus", DATABASES[0])["recovered"]["way"])


class KilledInRecovery(FloeTest):
    """The recovery is held at a phase, a node is killed there, the rest goes on without it, and it comes back."""

    def kill_at(self, phase, db, role):
        leader = self.nodes[cli.status(self.nodes[0])[2]]
        followers = [node for node in self.nodes if node is not leader]
        victim = leader if role == "leader" else followers[0]
        survivors = [node for node in self.nodes if node is not victim]
        generation = cli.status(survivors[0])[0]

        cli.hold_recovery(leader, phase, db)
        asked = cli.start_recovery(leader)
        until(lambda: (db or "", phase) in cli.held_at(leader), f"the recovery is held at {phase}")
        victim.signal(signal.SIGKILL)
        if victim is not leader:
            cli.release_recovery(leader)
        asked.wait(timeout=60)
        for node in survivors:
            until(lambda n=node: self.settled(n, generation, size=2), f"{node} has recovered without {victim}")

        self.assert_all_there(survivors)
        self.fill(f"after-{phase}-{role}", survivors)
        self.restart(victim)
        self.recover(self.nodes[0])
        self.assert_all_there()


class KilledInADatabase(KilledInRecovery):
    """While brlock.tdb is at each of its phases; locking.tdb goes through unhindered."""


class KilledAroundTheDatabases(KilledInRecovery):
    """At each phase of the whole cluster's recovery."""


def _add_scenarios(case, phases, db):
    for phase in phases:
        for role in ("follower", "leader"):
            def scenario(self, phase=phase, role=role):
                self.kill_at(phase, db, role)

            setattr(case, f"test_{role}_at_{phase}", scenario)


_add_scenarios(KilledInADatabase, DATABASE_PHASES, "brlock.tdb")
_add_scenarios(KilledAroundTheDatabases, CLUSTER_PHASES, None)


if __name__ == "__main__":
    if reason := cluster.why_not("floe"):
        tap.skip_all(reason)
    tap.main()
