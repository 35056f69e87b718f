"""How the cost of a message and of a device grows with the number of devices (`tests/bench/run.py --growth`).

Each size gets a fresh platform, so that its memory is only its own. Gives a list with one entry for each size.
"""

import time

from measure import median, rss_bytes
from testbed import SERVICES, Testbed

SIZES = [1_000, 10_000, 100_000, 1_000_000]
ROUNDS = 3


def measure(options):
    found = []
    for size in options.sizes:
        print(f"== {size} devices", flush=True)
        with Testbed(min(options.rounds, ROUNDS), options.round_seconds) as bed:
            found.append(at_size(bed, size))
    return found


def at_size(bed, size):
    empty, redis = bed.empty()
    began = time.monotonic()
    loader = bed.loader(size)
    try:
        loader.wait_registered()
        entry = {"devices": size, "register_seconds": time.monotonic() - began}
        bed.say(f"registered in {entry['register_seconds']:.1f} s")
        bed.settled(size)
        rss = bed.rss_at_rest()
        entry["bytes_per_device"] = {name: (rss[name] - empty[name]) / size for name in rss}
        entry["bytes_per_device"]["redis"] = (bed.redis_memory() - redis) / size
        entry["updates"] = costs(bed.rounds(loader, "updates"))
        began = time.monotonic()
        bed.start_observation()
        loader.phase("notifications", 0.1, rate=10)  # begins when the last one is observed
        entry["observe_seconds"] = time.monotonic() - began
        bed.say(f"observed after {entry['observe_seconds']:.1f} s")
        grown = bed.rss_at_rest()["observation-0"] - empty["observation-0"]
        entry["bytes_per_device"]["observation-0"] = grown / size
        entry["bytes_per_device"]["redis_observed"] = (bed.redis_memory() - redis) / size
        entry["notifications"] = costs(bed.rounds(loader, "notifications", window=2048))
        entry["rss"] = bed.rss()
        entry["rss"]["loader"] = rss_bytes(loader.pid)
    finally:
        loader.stop()
    return entry


def costs(turns):
    """CPU of one message in microseconds, of each process and beside the echo."""
    cost = {name: median(t["ours"].us[name] for t in turns) for name in SERVICES if name in turns[0]["ours"].us}
    cost["all"] = median(t["ours"].total_us() for t in turns)
    cost["echo"] = median(t["echo"].us["echo"] for t in turns)
    cost["ingress_echoes"] = median(t["ours"].us["ingress-0"] / t["echo"].us["echo"] for t in turns)
    cost["all_echoes"] = median(t["ours"].total_us() / t["echo"].us["echo"] for t in turns)
    cost["per_second"] = median(t["ours"].per_second for t in turns)
    return cost
