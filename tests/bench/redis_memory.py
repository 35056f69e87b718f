#!/usr/bin/env python3
"""bytes_per_device_redis and bytes_per_observed_device_redis, and RAM of ingress and registry, at several fleet sizes.

    tests/bench/redis_memory.py [--sizes N ...]

First the fleet registers with no template in the platform, then observation learns one, every device is observed and
reports a value. The second row is what the observation adds: state, last notification and latest value.
"""

import argparse
import json
import sys
import time

from expiry import Lifecycle
from measure import fact, row
from testbed import Testbed

SIZES = (100_000,)
SETTLE_SECONDS = 3  # latest values are written every other second


def settled(bed, devices):
    """Until the lifecycle events are out of Redis."""
    Lifecycle(bed.stack.kafka.bootstrap).wait(devices, 120, "lifecycle events")
    time.sleep(SETTLE_SECONDS)


def measure(devices):
    with Testbed(1, 1) as bed:
        rss, empty = sum(bed.rss().values()), bed.redis_memory()
        loader = bed.loader(devices)
        try:
            loader.wait_registered()
            settled(bed, devices)
            registered, grown = bed.redis_memory(), sum(bed.rss().values()) - rss
            bed.start_observation()
            loader.phase("notifications", 0.1, rate=10)  # begins when the last one is observed
            loader.phase("notifications", 1.2 * devices / 20_000, rate=20_000, window=8192)
            time.sleep(SETTLE_SECONDS)
            observed = bed.redis_memory()
        finally:
            loader.stop()
    each, more = (registered - empty) / devices, (observed - registered) / devices
    return [row("bytes_per_device_ram", grown / devices, "B", "<= 512", grown / devices <= 512, devices=devices),
            row("bytes_per_device_redis", each, "B", "<= 256", each <= 256, devices=devices),
            fact("bytes_per_observed_device_redis", more, "B")]


def rows(sizes=SIZES):
    return [item for devices in sizes for item in measure(devices)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    for item in rows(parser.parse_args().sizes):
        print(json.dumps(item), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
