#!/usr/bin/env python3
"""`make bench`: CPU and memory of the platform beside a raw UDP echo and the Leshan server, all in one run.

    tests/bench/run.py [--only PART ...] [--devices N] [--rounds R] [--round-seconds S] [--output FILE]
    tests/bench/run.py --growth [--sizes N ...]      the same costs at several fleet sizes: build/bench/growth.json

Parts: loader (the load generator itself), updates, notifications, registrations, downlink, expiry, and peer (Leshan
beside updates, notifications and registrations). Without --only all of them. `--only updates peer` runs the Updates
with the peer, `--only updates` without.

Starts Redis, Kafka and the services as separate processes (release build) and one loader that plays all devices from
one UDP socket. Rounds take turns (echo, ours, Leshan), so that a change of the machine's speed meets all of them;
what counts is the median of the rounds' ratios. CPU is that of all threads of a process, kernel included. Prints a
table and writes build/bench/results.json. Exit code 0 also when a goal is missed, the table says so; 1 when a part
could not be measured.
"""

import argparse
import json
import pathlib
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import expiry  # noqa: E402
import growth  # noqa: E402
import parts  # noqa: E402
import registrations  # noqa: E402
from measure import ROOT  # noqa: E402
from servers import JVM_LONG_RUN  # noqa: E402
from testbed import Testbed  # noqa: E402

PARTS = ("loader", "updates", "notifications", "registrations", "downlink", "expiry", "peer")
WITH_PLATFORM = {"updates", "notifications", "registrations", "downlink"}


class Bench:
    """Runs the parts that are wanted. One that fails is reported and does not keep the others from running."""

    def __init__(self, options):
        self.options = options
        self.rows = []
        self.failed = []

    def wants(self, part):
        return not self.options.only or part in self.options.only

    def guarded(self, name, run):
        try:
            return run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other parts go on
            traceback.print_exc()
            self.failed.append(f"{name}: {error}")
            return []

    def part(self, name, run, title=None):
        if not self.wants(name):
            return
        print(f"== {title or name}", flush=True)
        self.rows += self.guarded(name, run)

    def run(self):
        self.part("loader", lambda: parts.loader_itself(self.options))
        if any(self.wants(part) for part in WITH_PLATFORM):
            self.guarded("platform", self.with_platform)
        self.part("registrations", self.registrations)
        self.part("expiry", expiry.rows)

    def registrations(self):
        found = registrations.rows(self.options.devices, self.options.rounds)
        for item in self.rows:  # Leshan was asked beside the shared platform
            if item["id"] == "register_observed_all":
                found[0].update(peer=item["peer"], peer_unit=item["peer_unit"])
        return found

    def with_platform(self):
        settings = (self.options.rounds, self.options.round_seconds, json.loads(self.options.settings))
        small = parts.small_fleet(*settings) if self.wants("updates") else None
        with Testbed(*settings, kafka_jvm=JVM_LONG_RUN) as bed:
            with parts.LargeFleet(bed, self.options.devices) as fleet:
                if self.wants("peer"):  # without network or Java ours are measured all the same
                    self.guarded("peer", fleet.add_peer)
                self.rows += fleet.rows
                self.with_fleet(fleet, small)

    def with_fleet(self, fleet, small):
        self.part("updates", lambda: fleet.updates(small))
        self.part("notifications", fleet.notifications)
        self.part("downlink", fleet.downlink)
        self.part("registrations", fleet.registrations, "registrations of observed devices, beside Leshan's")


def peer_text(item):
    return "" if item.get("peer") is None else f"{item['peer']:.4g} {item['peer_unit']}"


def print_table(rows):
    print(f"\n{'row':28} {'value':>12} {'unit':9} {'of echo':>8} {'Leshan':>12}  {'goal':32} holds")
    for item in rows:
        ratio = "" if item["echo_ratio"] is None else f"{item['echo_ratio']:.2f}"
        holds = {None: "", True: "yes", False: "NO"}[item["holds"]]
        print(f"{item['id']:28} {item['value']:>12.3f} {item['unit']:9} {ratio:>8} {peer_text(item):>12}  "
              f"{item['goal'] or '':32} {holds}")


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--round-seconds", type=float, default=2)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=[])
    parser.add_argument("--settings", default="{}", help="JSON: {\"ingress\": {\"key\": value}, ...} for the services")
    parser.add_argument("--growth", action="store_true", help="cost at several fleet sizes instead of the rows")
    parser.add_argument("--sizes", type=int, nargs="*", default=growth.SIZES)
    parser.add_argument("--output", help="where to write the JSON")
    return parser.parse_args(arguments)


def write(name, options, content):
    output = pathlib.Path(options.output or ROOT / "build" / "bench" / name)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(content, indent=1) + "\n")
    print(f"\nwritten to {output}")


def main():
    options = options_of(sys.argv[1:])
    if options.growth:
        write("growth.json", options, growth.measure(options))
        return 0
    began = time.monotonic()
    bench = Bench(options)
    try:
        bench.run()
    finally:
        if bench.rows:
            print_table(bench.rows)
            write("results.json", options, bench.rows)
    print(f"took {time.monotonic() - began:.0f} s")
    for reason in bench.failed:
        print(f"could not be measured: {reason}")
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
