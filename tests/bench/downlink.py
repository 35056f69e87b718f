"""Latency of a gRPC Read through the API to the device and back while Updates come in."""

import json
import subprocess

from measure import BIN, awake, fact, latency_row, median, placed
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
    # As on two machines: ingress and registry on one, devices and the front door on the other, callers on either. Left
    # alone, the scheduler puts the whole chain on the CPU of the load, one process in the way of the next.
    with awake(), placed({bed.pid("registry-0"): 0, bed.pid("api-0"): 1}):
        reads = Reads(bed, loader, devices, "reads")
    free = Reads(bed, loader, devices, "reads, processes where they like, idle CPUs halted")
    return [reads.row("downlink_read_p50", "p50", 1, "<= 1 ms under 20k updates/s"),
            reads.row("downlink_read_p99", "p99", 10, "<= 10 ms under 20k updates/s"),
            free.fact("downlink_read_p50_free", "p50"), free.fact("downlink_read_p99_free", "p99")]
