"""Latency of a gRPC Read through the API to the device and back while Updates come in."""

import json
import subprocess

from measure import BIN, awake, fact, latency_row, median
from servers import spawn

READS_PER_S = 200
UPDATES_PER_S = 20_000
SECONDS = 5
WARM_UP_SECONDS = 1  # of the probe: connections are made


def reads_under_load(stack, loader, devices, seconds=SECONDS, updates_per_s=UPDATES_PER_S):
    """The probe's findings, in microseconds, and the Updates a second meanwhile."""
    probe = spawn([str(BIN / "lanyard-downlink-probe"), stack.api_address, str(devices), str(READS_PER_S),
                   str(seconds)], stdout=subprocess.PIPE, text=True)
    load = loader.phase("updates", seconds + WARM_UP_SECONDS, rate=updates_per_s, window=4096)
    output, _ = probe.communicate(timeout=seconds + 60)
    return json.loads(output), load


class Reads:
    """Rounds of Reads in turn with rounds of the echo."""

    def __init__(self, bed, loader, devices, name):
        self.loads, self.errors, self.reads = [], 0, 0
        self.turns = bed.paced(name, lambda: self._round(bed, loader, devices), loader, UPDATES_PER_S)

    def _round(self, bed, loader, devices):
        found, load = reads_under_load(bed.stack, loader, devices)
        self.loads.append(load["per_second"])
        self.errors, self.reads = self.errors + found["errors"], self.reads + found["reads"]
        return found

    def row(self, row_id, quantile, goal_ms, goal):
        clean = self.errors == 0 and min(self.loads) > 0.95 * UPDATES_PER_S
        return latency_row(row_id, self.turns, quantile, goal_ms, goal, clean, reads=self.reads, errors=self.errors,
                           per_second=median(self.loads))

    def fact(self, row_id, quantile):
        return fact(row_id, median(found[quantile] for _, found in self.turns) / 1000, "ms")


def rows(bed, loader, devices):
    with awake():
        reads = Reads(bed, loader, devices, "reads, CPUs awake")
    halting = Reads(bed, loader, devices, "reads, idle CPUs halted")
    return [reads.row("downlink_read_p50", "p50", 1, "<= 1 ms under 20k updates/s"),
            reads.row("downlink_read_p99", "p99", 10, "<= 10 ms under 20k updates/s"),
            halting.fact("downlink_read_p50_halted", "p50"), halting.fact("downlink_read_p99_halted", "p99")]
