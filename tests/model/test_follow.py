#!/usr/bin/env python3
"""Simulated runs take only steps that the model allows (follow.py); bugs that can be switched on take others."""
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
import follow  # noqa: E402
import tap  # noqa: E402

# Of protocol/mutants.def: those whose steps the model has, with the drill that shows them.
BUGS = {"thaw_of_any_leader": "late-thaw", "silent_member_left_out": "cut-off-for-one-side", "leaver_goes_on": "left-in-good-order",
        "generation_without_life": "same-generation-after-restart", "half_is_enough": "majority-of-the-nodes",
        "served_generation_recovered": "attached-before-all-are-normal", "hung_leader_goes_on": "leader-hangs-for-moments",
        "frozen_leader_goes_on": "leader-cut-off-in-recovery"}
SEEDS = 3


class Follow(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)

    def wrong_step(self, program, drill, seed):
        return follow.follow_file(follow.trace_of(os.environ[program], drill, seed, self.place), follow.script_of(drill))[0]

    def test_a_step_out_of_order(self):
        lines = ["    1.000000 node 1 INFO: freeze-state db=a.tdb thawed->frozen holders=0",
                 "    1.000100 node 1 INFO: generation db=a.tdb 1->2147491331"]
        self.assertIn("which no leader has asked for", follow.Model().follow(lines))
        lines.insert(1, "    1.000050 node 1 INFO: freeze-state db=a.tdb in_transaction->frozen holders=0")
        self.assertIn("was frozen and goes from in_transaction", follow.Model().follow(lines))


def allowed(drill, seeds):
    def test(self):
        for seed in range(1, seeds + 1):
            self.assertIsNone(self.wrong_step("FLOE", drill, seed), f"{drill}, seed {seed}")
    return test


def not_allowed(bug, drill):
    def test(self):
        os.environ["FLOE_MUTANT"] = bug
        self.addCleanup(os.environ.pop, "FLOE_MUTANT")
        self.assertTrue(any(self.wrong_step("FLOE_MUTANTS", drill, seed) for seed in range(1, SEEDS + 1)))
    return test


for name, count in follow.DRILLS.items():
    setattr(Follow, "test_" + name.replace("-", "_"), allowed(name, count))
for name, played in BUGS.items():
    setattr(Follow, "test_bug_" + name, not_allowed(name, played))

if __name__ == "__main__":
    tap.main()
