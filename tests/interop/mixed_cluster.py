"""One cluster of floe nodes and ctdbd nodes: directories and settings as for ctdbd, floe in some of them."""
import subprocess

import cluster


class MixedCluster(cluster.CtdbdCluster):
    """Nodes in `floe_pnns` run floe, the others Debian's ctdbd."""

    def __init__(self, count, floe_pnns=(0,), **options):
        super().__init__(count, lock=False, **options)
        self.floe_pnns = set(floe_pnns)

    def start_node(self, node):
        if node.pnn not in self.floe_pnns:
            return super().start_node(node)
        with open(node.base / "log.floe", "ab") as log:
            return subprocess.Popen([cluster.FLOE, "node", "--base", node.base], stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log)
