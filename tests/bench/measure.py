"""What `make bench` measures with: CPU and memory of processes, the echo peer and the loader as child processes."""

import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from servers import ROOT, spawn  # noqa: E402

BIN = ROOT / "build" / "release" / "bin"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid):
    """CPU time of all threads of a process, those that have ended too, kernel included, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid(3) gives for a process


def rss_bytes(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def on_cpu(cpu, command):
    """The command line that runs a program on one CPU; it sees no other."""
    return ["taskset", "-c", str(cpu), *command] if len(os.sched_getaffinity(0)) > 1 else command


class Echo:
    """The raw UDP echo peer: what the kernel alone costs for one datagram in and one out."""

    def __init__(self, *arguments):
        self.process = spawn(on_cpu(0, [str(BIN / "lanyard-udp-echo"), "127.0.0.1:0", *arguments]), text=True,
                             stdout=subprocess.PIPE)
        self.address = self.process.stdout.readline().strip()

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def awake():
    """Idle CPUs poll instead of being halted (PM QoS: no wake-up latency is allowed), as hosts for low latency are set
    up. How soon a halted virtual CPU is woken is the host's affair, which changes by the minute."""
    with open("/dev/cpu_dma_latency", "wb", buffering=0) as allowed:
        allowed.write((0).to_bytes(4, sys.byteorder))
        yield


@contextlib.contextmanager
def placed(cpus):
    """Processes stay on one CPU each ({pid: CPU}), then go where they like again."""
    everywhere = os.sched_getaffinity(0)

    def place(pid, allowed):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread), allowed)

    for pid, cpu in cpus.items():
        place(pid, {cpu} & everywhere or everywhere)
    try:
        yield
    finally:
        for pid in cpus:
            place(pid, everywhere)


def pings(address, seconds, per_second=200):
    """Round trips through a UDP echo, one at a time, in microseconds."""
    host, port = address.rsplit(":", 1)
    took = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(1)
        connection.connect((host, int(port)))
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            connection.send(b"ping")
            connection.recv(64)
            took.append((time.perf_counter() - began) * 1e6)
            time.sleep(1 / per_second)
    cuts = statistics.quantiles(took, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}


class LoaderEnded(RuntimeError):
    """It could not go on; the text says why."""


class Loader:
    """`simulate --phases`: registers its devices once, then runs one load phase at a time when told to."""

    def __init__(self, target, count, *arguments, first=1, log=None):
        command = [str(BIN / "lanyard-loader"), "simulate", "--phases", "--target", f"coap://{target}", "--count",
                   str(count), "--first", str(first), "--register-rate", "0", *arguments]
        self._log_path = log or os.devnull
        self._log = open(self._log_path, "ab")
        self.process = spawn(on_cpu(1, command), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=self._log)
        self.count = count

    @property
    def pid(self):
        return self.process.pid

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            said = pathlib.Path(self._log_path).read_text(errors="replace").split("\n")[-2:]
            raise LoaderEnded(f"the loader has ended with {self.process.wait()}: {said[0]}")
        return line

    def wait_registered(self):
        """Until every device has a registration; gives the seconds that took on the loader's side."""
        line = json.loads(self._line())
        if not line.get("registered"):
            raise RuntimeError(f"unexpected: {line}")

    def phase(self, kind, seconds, rate="max", window=512, target=""):
        """Runs one phase and gives its figures (load_json of simulator/report.hpp)."""
        try:
            self.process.stdin.write(f"{kind} {seconds} {rate} {window} {target}".strip() + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended meanwhile: the missing line says so
        return json.loads(self._line())

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()


class Round:
    """One load phase with the CPU that the watched processes spent meanwhile."""

    def __init__(self, loader, watched, kind, seconds, **phase):
        before = {name: cpu_seconds(pid) for name, pid in watched.items()}
        self.result = loader.phase(kind, seconds, **phase)
        spent = {name: cpu_seconds(pid) - before[name] for name, pid in watched.items()}
        self.count = max(self.result["acknowledged"], 1)
        self.per_second = self.result["per_second"]
        # Microseconds of CPU for each acknowledged message.
        self.us = {name: seconds * 1e6 / self.count for name, seconds in spent.items()}

    def total_us(self):
        return sum(self.us.values())

    @property
    def failed(self):
        return sum(self.result["errors"].values()) + self.result["unanswered"]


def echo_alone(seconds=2):
    """Microseconds of the raw echo for one datagram, for a row that has no loader of its own."""
    server, echo = Echo("--coap"), Echo()
    loader = Loader(server.address, 1000)
    try:
        loader.wait_registered()
        return Round(loader, {"echo": echo.pid}, "echo", seconds, target=echo.address).us["echo"]
    finally:
        loader.stop()
        echo.stop()
        server.stop()


def median(values):
    return statistics.median(values)


def row(row_id, value, unit, goal, holds, echo_ratio=None, peer=None, peer_unit=None, **extra):
    """One line of build/bench/results.json. `peer` is what Leshan needs for the same, in `peer_unit`."""
    rounded = {key: round(item, 4) if isinstance(item, float) else item for key, item in extra.items()}
    return {"id": row_id, "value": round(value, 4), "unit": unit,
            "echo_ratio": None if echo_ratio is None else round(echo_ratio, 4),
            "peer": None if peer is None else round(peer, 4), "peer_unit": peer_unit, "goal": goal,
            "holds": None if holds is None else bool(holds), **rounded}


def latency_row(row_id, turns, quantile, goal_ms, goal, clean, **extra):
    """Of turns of Testbed.paced: the median of the rounds, beside the same quantile of the echo."""
    value = median(found[quantile] for _, found in turns) / 1000
    ratio = median(echo[quantile] / found[quantile] for echo, found in turns)
    return row(row_id, value, "ms", goal, clean and value <= goal_ms, ratio,
               echo_ms=median(echo[quantile] for echo, _ in turns) / 1000, **extra)


def fact(row_id, value, unit):
    """A row without a goal: docs/scaling.md reckons with it."""
    return row(row_id, value, unit, None, None)
