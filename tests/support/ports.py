"""Ports of 127.0.0.1 for servers that tests start, kill and start again.

    port = reserve_port()       # this process's until it ends, for TCP and for UDP

A port from the kernel's own range would not do: while its server is down, any outgoing connection may get it, and one
that tries to reach the server may even be connected to itself. Tests side by side, in C++ too (testing/ports.hpp), keep
clear of each other by an abstract UNIX socket for each port, which the kernel removes with its process.
"""

import functools
import pathlib
import random
import socket

FIRST = 10000  # below are ports that well-known services and the demo use
EPHEMERAL = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")

_reservations = []  # open as long as this process


@functools.cache
def _candidates():
    """Each port at most once in the life of this process."""
    low, high = map(int, EPHEMERAL.read_text().split())
    ports = [port for port in range(FIRST, 65536) if not low <= port <= high]
    if not ports:
        raise RuntimeError(f"no port left for tests: {EPHEMERAL} covers all from {FIRST} on")
    random.shuffle(ports)
    return iter(ports)


def _reserve(port):
    reservation = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        reservation.bind(f"\0lanyard-test-port-{port}")
    except OSError:
        reservation.close()
        return False
    _reservations.append(reservation)
    return True


def _unused(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def reserve_port():
    """A port that nobody uses now and that neither a test nor the kernel gives to anybody else."""
    for port in _candidates():
        if _reserve(port) and _unused(port):
            return port
    raise RuntimeError("no port left for tests: all are in use")
