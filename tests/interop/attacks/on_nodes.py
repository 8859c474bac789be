"""What happens to nodes: they are killed, stopped, told nonsense by an operator."""
import contextlib
import os
import signal
import struct
import time

from attacks import attack

SET_TUNABLE, GET_TUNABLE = 48, 49
STRAY = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH,
         signal.SIGVTALRM, signal.SIGPROF, signal.SIGURG, signal.SIGIO, signal.SIGXFSZ, signal.SIGXCPU)
SETTINGS = ("KeepaliveInterval", "KeepaliveLimit", "FloeKeepaliveMs", "FloeKeepaliveLimitMs", "ControlTimeout", "RecoverTimeout",
            "RecoverInterval", "ElectionTimeout", "VacuumInterval", "VacuumMaxRunTime", "RecBufferSizeLimit", "RecordTableStayMs",
            "StickyPindown", "SeqnumInterval", "LockHolderPatience", "TraverseTimeout", "StatHistoryInterval", "RepackLimit")


@attack(leaves_out=True)
def killed(field):
    """One node, and it comes back."""
    node = field.node()
    with field.ledger.losing(node):
        node.signal(signal.SIGKILL)
        time.sleep(field.chance.random() * 2)
        field.nodes.start_node(node)
        field.together()


@attack(turn_ms=1000, leaves_out=True)
def stopped(field):
    """A node hangs: for less than others notice, and for so long that they leave it out."""
    node = field.node()
    for seconds in (0.5, 4):
        with field.ledger.losing():
            os.kill(node.pid, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(node.pid, signal.SIGCONT)
            time.sleep(0.5)
            field.together()


@attack()
def stray_signals(field):
    for node in field.nodes:
        for number in STRAY:
            os.kill(node.pid, number)
            time.sleep(0.01)


@attack()
def recoveries_one_after_the_other(field):
    for _ in range(8):
        field.nodes.floe("--base", field.node().base, "-t", 30, "recover")


@attack()
def settings_beyond_all_sense(field):
    """Each setting at its largest, on all nodes; set back at the end."""
    before = {}
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(node.connect()) for node in field.nodes]
        try:
            for name in SETTINGS:
                text = name.encode() + b"\0"
                status, data, _ = clients[0].request(GET_TUNABLE, struct.pack("=I", len(text)) + text)
                if status != 0:
                    raise AssertionError(f"{name} is no setting")
                (before[name],) = struct.unpack("=I", data)
                set_everywhere(clients, name, field.chance.choice((1, (1 << 31) - 1, (1 << 32) - 1)))
            time.sleep(1)
        finally:
            for name, value in before.items():
                set_everywhere(clients, name, value)


def set_everywhere(clients, name, value):
    text = name.encode() + b"\0"
    for client in clients:
        status, _, error = client.request(SET_TUNABLE, struct.pack("=II", value, len(text)) + text)
        if status != 0:
            raise AssertionError(f"{name} = {value}: {error}")


@attack(leaves_out=True)
def left_and_back(field):
    """A node is taken out by an operator, and comes back. As in CTDB what it alone had counts no more from then on."""
    node = field.node()
    with field.ledger.losing(node):
        field.nodes.floe("--base", node.base, "-t", 30, "stop")
        time.sleep(field.chance.random())
        field.nodes.floe("--base", node.base, "-t", 30, "continue")
        field.together()
