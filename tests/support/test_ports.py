"""Ports of tests: outside the kernel's range, and never the same in two processes."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import ports  # noqa: E402

RESERVE_MANY = "import ports; print(*(ports.reserve_port() for _ in range(300))); input()"


def test_a_port_lies_outside_the_range_of_outgoing_connections():
    low, high = map(int, ports.EPHEMERAL.read_text().split())
    assert not low <= ports.reserve_port() <= high


def test_two_processes_never_get_the_same_port():
    # 300 of some 23,000 each: they would meet nearly surely if they did not see each other.
    with subprocess.Popen([sys.executable, "-c", RESERVE_MANY], cwd=pathlib.Path(ports.__file__).parent, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        theirs = set(map(int, other.stdout.readline().split()))
        mine = {ports.reserve_port() for _ in range(300)}
        other.communicate("\n")
    assert len(theirs) == len(mine) == 300
    assert not theirs & mine
