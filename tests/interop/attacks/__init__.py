"""Things that strangers, clients, peers and operators do to a running cluster, one function each.

    @attack(turn_ms=1000)              # how long one turn of a node's loop may work meanwhile; 200 if nothing is said
                                       # leaves_out=True: a node is expected to leave the others for a while
    def keys_of_megabytes(field):
        ...

A function does its worst to `field.nodes` for some seconds, undoes what it has set, and returns. Who plays it looks
whether the nodes stood it: `churn` plays all of them in turn, `test_attacks.py` some by themselves.
"""
from typing import Callable, NamedTuple

import wire
from node_status import status
from wait import until

TURN_MS = 200


class Attack(NamedTuple):
    name: str
    play: Callable
    turn_ms: int
    leaves_out: bool


ALL = {}


def attack(turn_ms=TURN_MS, leaves_out=False):
    def take(function):
        ALL[function.__name__] = Attack(function.__name__, function, turn_ms, leaves_out)
        return function
    return take


class Field:
    """A cluster, a source of chance, and who has to know when something may be lost."""

    def __init__(self, nodes, chance, ledger=None):
        self.nodes, self.chance, self.ledger = nodes, chance, ledger

    def node(self):
        return self.chance.choice(list(self.nodes))

    def together(self):
        """Waits until every node is in the map of every node, and nothing is being recovered."""
        for node in self.nodes:
            until(lambda n=node: self.well(n), f"{node} is well again", 90)

    def well(self, node):
        if node.pid is None:
            return False
        try:
            told = status(node)
        except (OSError, TimeoutError, RuntimeError, wire.Closed):
            return False
        return told["recovery_mode"] == "NORMAL" and sorted(told["vnn_map"]) == [n.pnn for n in self.nodes]
