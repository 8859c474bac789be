#!/usr/bin/env python3
"""Every bug of the past that can be switched on is found, by the drill and within the seeds that protocol/mutants.def
names; without it the same seeds hold."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
import mutants  # noqa: E402
import tap  # noqa: E402


class Mutants(unittest.TestCase):
    def test_enough_of_them_and_each_once(self):
        names = [m.name for m in mutants.all_mutants()]
        self.assertGreaterEqual(len(names), 10)
        self.assertEqual(len(names), len(set(names)))


def test_of(mutant):
    def test(self):
        run = mutants.find(mutant)
        self.assertIsNotNone(run, f"not found with {mutant.seeds} seeds of {mutant.drill}")
        sound = mutants.play(mutant.drill, 1, run["seed"])
        self.assertEqual([], [(r["seed"], r["reason"]) for r in sound if r["verdict"] != "held"])
    return test


for one in mutants.all_mutants():
    setattr(Mutants, "test_" + one.name, test_of(one))

if __name__ == "__main__":
    tap.main()
