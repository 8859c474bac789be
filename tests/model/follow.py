#!/usr/bin/env python3
"""Follows the traces of simulated runs through the model's steps: what a node or a leader did must be a step that the model
(recovery.pml, silence.pml) allows where everybody stood.

    FLOE=build/cli/floe tests/model/follow.py                       # the drills below, some seeds each
    FLOE=build/cli/floe tests/model/follow.py --seeds 20 chaos      # more seeds of one drill
    tests/model/follow.py --trace FILE...                           # traces that are there

Each step is told with the place in the model that says when it may be taken. Steps of databases are those of the model, one
cluster each. What a trace does not say is not looked at: README.md, "Traces".
"""
import argparse
import collections
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DRILLS = {"chaos": 4, "chaos-long": 3, "operators": 2, "halves-go-on": 2, "flapping-link": 2, "leader-cut-off-in-recovery": 2,
          "new-map-before-recovery": 2, "stores-under-way-when-left-out": 3, "late-thaw": 1, "cut-off-for-one-side": 1, "recovery-by-difference": 1}

LINE = re.compile(r"^ *([0-9.]+) (?:node (\d+) [A-Z]+: ([a-z-]+)(?: (.*))?|(drill|check): (.*))$")
FIELD = re.compile(r'([a-z_]+)=("[^"]*"|\S+)')
CHANGE = re.compile(r"(?:db=\S+ )?(\S+)->(\S+)")

A_MOMENT, GAP = 0.05, 0.1  # seconds: until a message within a node has arrived; between two leaders that follow each other
NO_CONTENT = 1  # a node that was stopped, banned or is being filled has none that counts
ORDERED, NAME_BITS, COUNT_MASK, REPLACED = 0x80000000, 12, 0x7FFFF, 63 << 6

# The course of a recovery (protocol/rules/cluster_recovery.hpp) and of that of a database (db_recovery.hpp). Each try may end in
# `failed`, or begin again at `names`.
CLUSTER_COURSE = ["idle", "survey", "recmode_active", "dbmaps", "start_recovery", "set_vnn_map", "databases", "recmode_normal",
                  "end_recovery", "done"]
DATABASE_COURSE = {
    "idle": {"names"}, "names": {"attach"}, "attach": {"freeze"}, "freeze": {"begin", "held"}, "held": {"begin"},
    "begin": {"pull", "seqnum", "changes"}, "seqnum": {"pull", "commit", "changes"}, "changes": {"fill", "pull"},
    "fill": {"compare", "pull"}, "compare": {"copies", "pull"}, "copies": {"merge", "pull"}, "pull": {"merge"},
    "merge": {"wipe", "commit"}, "wipe": {"push_start"}, "push_start": {"push"}, "push": {"push_confirm"},
    "push_confirm": {"commit"}, "commit": {"verify", "thaw"}, "verify": {"thaw"}, "thaw": {"done"}, "done": {"names"},
    "failed": {"names"}}
FREEZE_COURSE = {"thawed": {"freezing", "frozen"}, "freezing": {"frozen", "thawed"}, "frozen": {"in_transaction", "thawed"},
                 "in_transaction": {"frozen"}}


def count_of(generation):
    return (generation >> NAME_BITS) & COUNT_MASK


def is_ordered(generation):
    return bool(generation & ORDERED)


def is_replaced(generation):
    return is_ordered(generation) and generation & REPLACED == REPLACED


def later(a, b):
    """LATER in state.pml: by the number; of two alike by the name."""
    if not (is_ordered(a) and is_ordered(b)):
        return False
    ahead = (count_of(a) - count_of(b)) & COUNT_MASK
    return a > b if ahead == 0 else ahead <= COUNT_MASK // 2


@dataclasses.dataclass
class Database:
    freeze: str = ""        # "": not seen in this life of the node
    content: int = 0        # 0: not known
    own_freeze: bool = False


@dataclasses.dataclass
class DatabaseRecovery:
    phase: str = "idle"
    asked: set = dataclasses.field(default_factory=set)  # the phases that it has been in
    done: set = dataclasses.field(default_factory=set)   # who has taken the step of this phase


@dataclasses.dataclass
class Plan:
    """A leader's recovery: plan_gen and plan_nodes in state.pml."""
    leader: int
    nodes: list
    run: int = 0
    generation: int = 0
    members: tuple = ()
    phase: str = "idle"
    given_up: str = ""      # it must not go on: why
    frozen_at: float = 0
    follows: int = 0        # the latest map of its nodes when it began
    databases: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(DatabaseRecovery))


@dataclasses.dataclass
class Node:
    number: int
    runs: bool = False
    paused: bool = False
    map: int = 0
    out: bool = False       # stopped or banned
    leaves: bool = False    # gives all it has to the others, and serves nobody any more
    cut_off: bool = False
    leader: int = -1        # leader_of
    leaderless: float = 0   # since when, if there is none
    up: set = dataclasses.field(default_factory=set)  # whom it is connected with, as it says
    down: dict = dataclasses.field(default_factory=dict)  # why it was not last
    plan: Plan = None
    databases: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(Database))


class NotAllowed(Exception):
    pass


def demand(holds, where, what):
    if not holds:
        raise NotAllowed(f"{what} ({where})")


class Model:
    def __init__(self, script=""):
        """`script`: the drill, for what the cluster is like."""
        nodes = re.search(r"^cluster .*\bnodes=(\d+)", script, re.MULTILINE)
        self.size = int(nodes[1]) if nodes else 3
        self.majority = bool(re.search(r"^cluster .*\bquorum=majority", script, re.MULTILINE)) and "add node" not in script
        self.now = 0.0
        self.nodes = collections.defaultdict(lambda: Node(-1))
        self.members = {}                # of each generation
        self.plans = []                  # of all leaders, also those that are over
        self.steps = collections.Counter()

    def node(self, number):
        node = self.nodes[number]
        node.number = number
        return node

    def follow(self, lines):
        """Nothing, or the first step that the model does not allow."""
        for number, line in enumerate(lines, 1):
            found = LINE.match(line)
            if not found:
                continue
            at, node, event, rest, who, text = found.groups()
            self.now = float(at)
            try:
                self.ended_in_time()
                if who == "drill":
                    self.script(text)
                elif node is not None:
                    self.event(self.node(int(node)), event, rest or "")
            except NotAllowed as wrong:
                return f"line {number}, {at} s, node {node}: {wrong}"
        return None

    def ended_in_time(self):
        """freeze_by_itself in silence.pml, rule R17."""
        for node in self.nodes.values():
            demand(not (node.plan and node.plan.frozen_at and node.runs and not node.paused) or
                   self.now < node.plan.frozen_at + A_MOMENT, "freeze_by_itself, silence.pml, rule R17",
                   f"node {node.number} has frozen by itself and goes on with its recovery")

    # ---- what the script does to processes: kill() in silence.pml ----
    def script(self, text):
        found = re.match(r"node (\d+) (.*)", text)
        if not found:
            return
        node, what = self.node(int(found[1])), found[2]
        if what == "starts":
            self.nodes[node.number] = Node(node.number)
        elif what in ("is killed", "is shut down"):
            # who is shut down still takes part in a recovery that gives what it has to the others
            node.runs = what == "is shut down"
            if not node.runs and node.plan:
                node.plan.given_up = "its leader's process has ended"
        elif what == "is paused":
            node.paused = True
        elif what == "goes on":
            node.paused = False

    def event(self, node, event, rest):
        fields = {name: value.strip('"') for name, value in FIELD.findall(rest)}
        change = CHANGE.match(rest)
        step = getattr(self, event.replace("-", "_"), None)
        if step is None:
            return
        self.steps[event] += 1
        step(node, fields, change.groups() if change else None)

    # ---- a node ----
    def node_started(self, node, fields, change):
        node.runs = True

    def own_flags(self, node, fields, change):
        node.out = bool({"STOPPED", "BANNED"} & set(re.split(r"[|,]", change[1])))
        node.leaves &= node.out

    def node_leaves(self, node, fields, change):
        node.leaves = True

    def node_left(self, node, fields, change):
        node.leaves &= fields.get("handed_over") == "true"  # else it may stay after all

    def node_up(self, node, fields, change):
        node.up.add(int(fields["pnn"]))

    def node_down(self, node, fields, change):
        node.up.discard(int(fields["pnn"]))
        node.down[int(fields["pnn"])] = fields.get("how", "")

    def leader(self, node, fields, change):
        node.leader = -1 if change[1] == "none" else int(change[1])
        node.leaderless = self.now

    def cut_off(self, node, fields, change):
        """freeze_by_itself in silence.pml; rule R17: it leads no recovery any more."""
        node.cut_off = True
        for database in node.databases.values():
            database.own_freeze = True
        if node.plan:
            node.plan.given_up = "its leader has frozen by itself (rule R17)"
            node.plan.frozen_at = self.now

    def vnn_map(self, node, fields, change):
        generation = int(fields["gen"])
        members = tuple(sorted(int(n) for part in ("map", "beside") for n in fields.get(part, "").split(",") if n))
        demand(not later(node.map, generation), "set_map, recovery.pml", f"goes back from map {node.map} to {generation}")
        plan = self.plan_of(generation) or self.plan_that_sets(node.number, generation)
        demand(plan, "set_map, recovery.pml", f"sets map {generation}, which no leader sets here")
        plan.generation = plan.generation or generation
        plan.members = plan.members or members
        demand(plan.members == members, "set_map, recovery.pml", f"map {generation} has members {members}, elsewhere {plan.members}")
        demand(node.number in plan.nodes, "set_map, recovery.pml", f"sets map {generation} without a part in it")
        self.members[generation] = members
        node.map = generation

    def plan_of(self, generation):
        return next((p for p in reversed(self.plans) if p.generation == generation), None)

    def plan_that_sets(self, number, generation):
        """The name of a generation ends with its leader."""
        return next((p for p in reversed(self.plans)
                     if p.generation == 0 and generation % 64 == p.leader and p.phase == "set_vnn_map" and number in p.nodes), None)

    # ---- a leader: start() and the phases of recovery.pml ----
    def recovery_started(self, node, fields, change):
        node.plan = Plan(node.number, [int(n) for n in fields["nodes"].split(",")], int(fields["run"]))
        maps = {self.node(n).map for n in node.plan.nodes} - {0}
        if maps:
            node.plan.follows = next(m for m in maps if not any(later(other, m) for other in maps))
        self.plans.append(node.plan)

    def left_out(self, plan, name):
        """MAY_BE_LEFT_OUT in silence.pml, rule R11: a member of the map that is not heard has ended, has frozen by itself, or is
        not cut off by its own rule, and goes on with others. The model asks before it begins; a node that is told while the
        recovery is under way has frozen before there is a content without it."""
        for number in self.members.get(plan.follows, ()):
            other = self.node(number)
            if number in plan.nodes or not other.runs or other.paused or other.map != plan.follows:
                continue
            database = other.databases[name]
            serves = database.freeze == "thawed" and database.content == other.map and not (other.out or other.leaves)
            # of who knows no leader for a moment the model says that it has frozen, the program that it will have within its limit
            waited = other.leader == -1 and self.node(plan.leader).down.get(number) == "silent"
            demand(not serves or waited or not self.is_cut_off(other, plan.leader), "MAY_BE_LEFT_OUT, silence.pml, rule R11",
                   f"commits {name} without node {number}, which still serves")

    def linked(self, a, b):
        return a == b or (b in self.node(a).up and a in self.node(b).up and self.node(b).runs and not self.node(b).paused)

    def is_cut_off(self, node, leaves_it_out):
        """CUT_OFF_BY_RULE in silence.pml."""
        if node.leader == -1:
            return self.now > node.leaderless + GAP
        if node.leader != node.number:
            return node.leader == leaves_it_out or not self.linked(node.number, node.leader)
        members = self.members.get(node.map, ())
        here = [n for n in members if self.linked(node.number, n)]
        return len(members) - len(here) > len(here)

    def recovery_ended(self, node, fields, change):
        node.plan = None

    def recovery_phase(self, node, fields, change):
        plan = node.plan
        came, goes = fields["from"], fields["to"]
        if not plan:
            demand(goes in ("failed", "idle"), "GIVE_UP, recovery.pml", f"goes to {goes} in a recovery that has ended")
            return
        if goes != "failed":
            demand(not plan.given_up, "GIVE_UP, recovery.pml", f"goes on to {goes} although {plan.given_up}")
        if "db" not in fields and goes in DATABASE_COURSE and goes not in CLUSTER_COURSE:
            return  # its name is not known yet
        if "db" in fields:
            return self.database_phase(plan, fields["db"], came, goes)
        demand(goes == "failed" or (came in CLUSTER_COURSE and goes in CLUSTER_COURSE and
                                    CLUSTER_COURSE.index(goes) == CLUSTER_COURSE.index(came) + 1),
               "steps, recovery.pml", f"a recovery goes from {came} to {goes}")
        if goes == "databases":  # who is stopped, banned or being filled is spoken to, and gets no map
            plan.nodes = [n for n in plan.nodes if self.node(n).map == plan.generation]
        plan.phase = goes

    def database_phase(self, plan, name, came, goes):
        recovery = plan.databases[name]
        demand(goes in DATABASE_COURSE.get(came, ()) or goes in ("failed", "names"), "steps, recovery.pml",
               f"the recovery of {name} goes from {came} to {goes}")
        if goes not in ("failed", "names") and came in ("freeze", "begin", "commit", "thaw"):
            missing = [n for n in plan.nodes if n not in recovery.done and not self.node(n).out and
                       not (came in ("commit", "thaw") and self.node(n).leaves) and  # it need not store what the others get
                       not (came == "thaw" and n not in plan.members)]
            demand(not missing, "step_done, recovery.pml", f"the recovery of {name} leaves {came} without nodes {missing}")
        if goes == "commit":
            demand(not self.majority or len(plan.nodes) * 2 > self.size, "ENOUGH, silence.pml", f"commits {name} with nodes {plan.nodes}")
            self.left_out(plan, name)
        recovery.phase = goes
        recovery.asked.add(goes)
        recovery.done = {n for n in plan.nodes if self.node(n).runs and self.has_done(goes, plan, self.node(n).databases[name])}

    @staticmethod
    def has_done(phase, plan, database):
        return {"freeze": database.freeze in ("frozen", "in_transaction"), "begin": database.freeze == "in_transaction",
                "commit": database.content == plan.generation and database.freeze == "frozen",
                "thaw": database.freeze == "thawed" and database.content == plan.generation}.get(phase, False)

    def note_done(self, node, name):
        for plan in self.plans[-8:]:
            if node.number in plan.nodes and name in plan.databases:
                recovery = plan.databases[name]
                if self.has_done(recovery.phase, plan, node.databases[name]):
                    recovery.done.add(node.number)

    def asked(self, node, name, phase, generation=None):
        """Some leader has asked the node for this step; its packet may have been under way for long."""
        return any(node.number in p.nodes and name in p.databases and phase in p.databases[name].asked and
                   generation in (None, p.generation) for p in reversed(self.plans))

    # ---- the steps of a database on a node ----
    def freeze_state(self, node, fields, change):
        name, (came, goes) = fields["db"], change
        database = node.databases[name]
        demand(database.freeze in ("", came), "freeze_node, recovery.pml", f"{name} was {database.freeze} and goes from {came} to {goes}")
        demand(goes in FREEZE_COURSE.get(came, ()), "freeze_node, recovery.pml", f"{name} goes from {came} to {goes}")
        if goes == "in_transaction":
            demand(came == "frozen", "begin, recovery.pml", f"{name} begins while {came}")
        if goes == "thawed" and came == "frozen":
            self.thaw(node, name, database)
        database.freeze = goes
        self.note_done(node, name)

    def thaw(self, node, name, database):
        """thaw in recovery.pml, rules R3 and R10."""
        demand(not node.leaves, "SERVES, state.pml", f"{name} is thawed on a node that leaves")
        demand(not database.own_freeze, "thaw, recovery.pml, rule R10", f"{name} is thawed although it has frozen by itself")
        if database.content == 0 or is_replaced(database.content) or not is_ordered(database.content):
            return
        demand(database.content == node.map, "thaw, recovery.pml, rule R3",
               f"{name} has content {database.content} and is thawed under map {node.map}")

    def generation(self, node, fields, change):
        """commit in recovery.pml."""
        name, before, after = fields["db"], int(change[0]), int(change[1])
        database = node.databases[name]
        demand(database.freeze == "frozen", "commit, recovery.pml", f"{name} is committed while {database.freeze}")
        demand(before in (database.content, NO_CONTENT) or not database.content, "commit, recovery.pml", f"{name} had content {database.content}, and now {before}")
        demand(not later(before, after), "begin, recovery.pml", f"{name} goes back from generation {before} to {after}")
        if not is_replaced(after):
            demand(self.asked(node, name, "commit", after), "commit, recovery.pml",
                   f"{name} is committed to {after}, which no leader has asked for")
        database.content = after
        database.own_freeze = False
        node.cut_off &= any(d.own_freeze for d in node.databases.values())
        self.note_done(node, name)

    # ---- who serves: SERVES in state.pml, rule R2 ----
    def serves(self, node, name, what):
        database = node.databases[name]
        demand(database.freeze in ("", "thawed"), "SERVES, state.pml", f"{what} in {name}, which is {database.freeze}")
        if database.content and is_ordered(database.content) and not is_replaced(database.content):
            demand(database.content == node.map, "SERVES, state.pml, rule R2",
                   f"{what} in {name} with content {database.content} under map {node.map}")

    def lock_grant(self, node, fields, change):
        self.serves(node, fields["db"], "a lock is granted")

    def commit_begin(self, node, fields, change):
        self.serves(node, fields["db"], "a transaction begins")


def trace_of(program, drill, seed, place):
    file = place / f"{pathlib.Path(drill).name}-{seed}"
    done = subprocess.run([program, "drill", "run", drill, "--seed", str(seed), "--trace", str(file)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 4):
        sys.exit(f"{drill}, seed {seed}: exit status {done.returncode}: {done.stderr}")
    return file


def follow_file(file, script=""):
    model = Model(script)
    with open(file, errors="replace") as lines:
        return model.follow(lines), model.steps


def script_of(drill):
    file = pathlib.Path(__file__).resolve().parents[2] / "cli" / "drills" / f"{drill}.drill"
    return (file if file.exists() else pathlib.Path(drill)).read_text()


def main():
    line = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    line.add_argument("--seed", type=int, default=1)
    line.add_argument("--seeds", type=int, default=0, help="of each drill; else as many as stand beside it above")
    line.add_argument("--trace", nargs="+", default=[], metavar="FILE")
    line.add_argument("drill", nargs="*")
    wanted = line.parse_args()
    steps, wrong, traces = collections.Counter(), 0, 0
    with tempfile.TemporaryDirectory() as place:
        files = [(f, pathlib.Path(f), "") for f in wanted.trace] or [
            (f"{drill}, seed {seed}", trace_of(os.environ["FLOE"], drill, seed, pathlib.Path(place)), script_of(drill))
            for drill in wanted.drill or DRILLS
            for seed in range(wanted.seed, wanted.seed + (wanted.seeds or DRILLS.get(drill, 1)))]
        for name, file, script in files:
            why, taken = follow_file(file, script)
            steps += taken
            traces += 1
            if why:
                wrong += 1
                print(f"{name}: {why}", flush=True)
    print(f"{traces} traces, {sum(steps.values())} steps, {wrong} with a step that the model does not allow")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
