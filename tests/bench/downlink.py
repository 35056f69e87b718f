"""Latency of a gRPC Read through the API to the device and back while Updates come in."""

import json
import subprocess

from measure import BIN, latency_row, median
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


def rows(bed, loader, devices):
    loads, errors, reads = [], 0, 0

    def round_of_reads():
        nonlocal errors, reads
        found, load = reads_under_load(bed.stack, loader, devices)
        loads.append(load["per_second"])
        errors, reads = errors + found["errors"], reads + found["reads"]
        return found

    turns = bed.paced("reads", round_of_reads, loader, UPDATES_PER_S)
    clean = errors == 0 and min(loads) > 0.95 * UPDATES_PER_S
    extra = {"reads": reads, "errors": errors, "per_second": median(loads)}
    return [latency_row("downlink_read_p50", turns, "p50", 1, "<= 1 ms under 20k updates/s", clean, **extra),
            latency_row("downlink_read_p99", turns, "p99", 10, "<= 10 ms under 20k updates/s", clean, **extra)]
