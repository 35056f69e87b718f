#!/usr/bin/env python3
"""`make soak`: half of the measured capacity for a long time, with a random kill each minute.

    tests/kill/soak.py [--minutes 30] [--devices N] [--rate N] [--seed N] [--output FILE]

Two of each service. Kills hit the second of each, Redis and Kafka, in a new random order each time round; the first
of each lives through and must not grow: its median memory in the last whole round of kills is at most 2 % above that in
the second round; the first one is the warm-up. Under 15 minutes that is told but not judged; under 10 kills come
faster. Besides, nothing acknowledged is lost, and after each kill the consumers catch up before the next one. Exit
code 1 when that is not so.
"""

import argparse
import itertools
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from chain import VALUES, Chain  # noqa: E402
from crash import total  # noqa: E402
from fleet import Fleet, mixed  # noqa: E402
from memory import mib  # noqa: E402
from scenario import Context, table  # noqa: E402
from servers import ROOT  # noqa: E402

VICTIMS = ("ingress-1", "observation-1", "registry-1", "redis", "kafka")
SURVIVORS = ("ingress-0", "observation-0", "registry-0", "api-0")
GROWTH_MAX = 0.02
LONG_MINUTES = 10
ROUNDS_JUDGED = 3
CAPACITY_SECONDS = 12
# Unacknowledged at a time. With some hundreds the time of one answer, and not the chain, would be the limit.
CAPACITY_WINDOW = 2048
# What compare.py looks at; whole records of half an hour would not be worth their disk.
FIELDS = ("endpoint", "path", "value", "sequence", "event_id", "event", "time_ms", "registration_id", "generation",
          "lifetime_s")
# Caught up: what the consumers have not committed is less than what comes in so many seconds (they commit twice a
# second, and a record waits for its batch).
CAUGHT_UP_SECONDS = 3


def measured_capacity(chain, context):
    """Notifications a second that are acknowledged with nothing held back, everything of this test running."""
    fleet = Fleet(chain.directory, f"127.0.0.1:{chain.stack.coap_ports[0]}", "capacity", 2 * CAPACITY_WINDOW,
                  9_000_001, ["--load", "notifications", "--rate", "max", "--window", CAPACITY_WINDOW,
                              "--seconds", CAPACITY_SECONDS])
    chain.fleets.append(fleet)
    chain.wait(lambda: fleet.process.poll() is not None, "capacity measured", 60)
    rate = fleet.summary()["load"]["per_second"]
    chain.fleets.remove(fleet)
    context.say(f"capacity: {rate:,.0f} confirmable notifications a second")
    return rate


class Soak:
    def __init__(self, chain, context, rate, seconds, period):
        self.chain, self.context, self.rate = chain, context, rate
        self.until = time.monotonic() + seconds
        self.period = period
        self.random = context.random("soak")
        self.kills = []
        self.slowest_catch_up = 0.0
        self.wrong = []
        self.rounds = [time.monotonic()]  # when each round of kills was over, and the first one began

    def run(self):
        """Kills until the time is over."""
        while True:
            for victim in self.random.sample(VICTIMS, len(VICTIMS)):
                if time.monotonic() >= self.until:
                    return
                self.kill(victim)
            self.rounds.append(time.monotonic())

    def kill(self, victim):
        """One period: a kill somewhere in its first half, a restart, and time to catch up."""
        began = time.monotonic()
        self.chain.run_for(self.random.uniform(0, self.period * 0.4))
        self.chain.kill(victim)
        self.kills.append(victim)
        self.chain.run_for(self.random.uniform(0.5, max(1, self.period * 0.1)))
        self.chain.restart(victim)
        caught_up = self.catch_up(began + max(self.period, 30))
        self.context.say(f"{len(self.kills)} kills; consumers caught up {caught_up:.1f} s after {victim} came back")
        self.chain.run_for(began + self.period - time.monotonic())

    def catch_up(self, until):
        began = time.monotonic()
        while True:
            lag = self.chain.lag(VALUES)
            if lag is not None and lag < max(100, self.rate * CAUGHT_UP_SECONDS):
                break
            if time.monotonic() > until:
                self.wrong.append(f"{lag} records behind after the kill of {self.kills[-1]}")
                break
            self.chain.run_for(0.5)
        seconds = time.monotonic() - began
        self.slowest_catch_up = max(self.slowest_catch_up, seconds)
        return seconds

    def memory(self):
        """Of those never killed: the median in each whole round, so that each part has been dead for a while in it."""
        medians = [self.chain.memory.median(began, over) for began, over in itertools.pairwise(self.rounds)]
        judged = len(medians) >= ROUNDS_JUDGED
        told = []
        for name, pid in sorted(medians[0] if medians else []):
            if name not in SURVIVORS:
                continue
            sizes = [median[name, pid] for median in medians]
            text = f"{name} {', '.join(mib(size) for size in sizes)}"
            if judged:
                growth = sizes[-1] / sizes[1] - 1
                text += f" ({growth:+.1%})"
                if growth > GROWTH_MAX:
                    self.wrong.append(f"{name} grew by {growth:.1%}")
            told.append(text)
        return "; ".join(told if judged else [*told, "not judged: too short"])


def soak(context, minutes, rate):
    period = 60 if minutes >= LONG_MINUTES else max(8, minutes * 60 / (len(VICTIMS) + 1))
    with Chain(context, "soak", FIELDS, ingresses=2, registries=2, observations=2) as chain:
        rate = rate or int(measured_capacity(chain, context) / 2)
        context.say(f"load: {rate:,} values a second, a kill every {period:.0f} s for {minutes:g} min")
        chain.load(mixed(context.devices, rate, ingresses=2))
        course = Soak(chain, context, rate, minutes * 60, period)
        course.run()
        memory = course.memory()
        report = chain.settle_and_compare()
        events = ", ".join(f"{n:,} {event}" for event, n in report.events.items())
        counts = ", ".join(f"{course.kills.count(v)} x {v}" for v in VICTIMS)
        row = total("soak", report, f"{len(course.kills)} kills ({counts}), seed {context.seed}", {
            "load": f"{rate:,} values/s, {context.devices:,} devices, {minutes:g} min",
            "lifecycle": events, "slowest catch-up": f"{course.slowest_catch_up:.1f} s after a restart",
            "memory in each round of kills": memory})
        violations = report.violations()
        if course.wrong or violations:
            row.holds = False
            row.detail["wrong"] = course.wrong + [f"{n} {kind}" for kind, n in violations.items()]
        return [row]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--devices", type=int, default=0, help="10,000; below 10 minutes 1,000")
    parser.add_argument("--rate", type=int, default=0, help="values a second; half of the measured capacity")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "kill" / "soak.json")
    options = parser.parse_args()
    devices = options.devices or (10_000 if options.minutes >= LONG_MINUTES else 1_000)
    context = Context(options.output.parent, options.seed, devices)
    context.say(f"seed {options.seed}, {devices:,} devices")
    rows = soak(context, options.minutes, options.rate)
    options.output.write_text(json.dumps([row.as_json() for row in rows], indent=1) + "\n")
    print(f"\n{table(rows)}\n\nwritten to {options.output}")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
