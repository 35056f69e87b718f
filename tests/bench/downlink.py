"""Latency of a gRPC Read through the API to the device and back while Updates come in."""

import json
import subprocess

from measure import BIN, row
from servers import spawn

READS_PER_S = 200
UPDATES_PER_S = 20_000
SECONDS = 10
WARM_UP_SECONDS = 1  # of the probe: connections are made


def reads_under_load(stack, loader, devices, seconds=SECONDS, updates_per_s=UPDATES_PER_S):
    """The probe's findings, in microseconds, and the Updates a second meanwhile."""
    probe = spawn([str(BIN / "lanyard-downlink-probe"), stack.api_address, str(devices), str(READS_PER_S),
                   str(seconds)], stdout=subprocess.PIPE, text=True)
    load = loader.phase("updates", seconds + WARM_UP_SECONDS, rate=updates_per_s, window=4096)
    output, _ = probe.communicate(timeout=seconds + 60)
    return json.loads(output), load


def rows(stack, loader, devices):
    found, load = reads_under_load(stack, loader, devices)
    p50, p99 = found["p50"] / 1000, found["p99"] / 1000
    extra = {"reads": found["reads"], "errors": found["errors"], "per_second": load["per_second"]}
    clean = found["errors"] == 0 and load["per_second"] > 0.95 * UPDATES_PER_S
    return [row("downlink_read_p50", p50, "ms", "<= 1 ms under 20k updates/s", clean and p50 <= 1, **extra),
            row("downlink_read_p99", p99, "ms", "<= 10 ms under 20k updates/s", clean and p99 <= 10, **extra)]
