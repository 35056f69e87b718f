#!/usr/bin/env python3
"""register_redis_all: registrations per second, the whole platform and the loader on this machine.

    tests/bench/registrations.py [--devices N] [--rounds R] [--round-seconds S] [--window W] [--no-commands]
                                 [--fsync always]

All services run, observation too, without a template that would make it observe the devices: what is measured is the
registration alone. A round ends when Kafka has the lifecycle events of all its registrations, so nothing is put off:
the rate is registrations answered 2.01, divided by the time until then. CPU is told for each process, Redis and Kafka
included.
Two more rows come of the same fleet: redis_commands_idle and redis_commands_per_update, measured when all is quiet.
"""

import argparse
import json
import sys
import time

from expiry import Lifecycle
from measure import Round, cpu_seconds, fact, median, row
from testbed import Testbed

GOAL = 37_800  # three times Leshan
WINDOW = 4096  # a storm: this many devices wait for their answer at a time
UPDATES_PER_S = 20_000
LOOK_SECONDS = 0.02  # the rest of the events comes within a quarter of a second
IDLE_SECONDS = 10
STEADY_SECONDS = 60  # the sweeps that tell of Updates come every 30 seconds
QUIET_PER_S = 300


def script_calls(bed):
    """Script calls that Redis has had: how well registrations travel together."""
    return int(bed.redis_info("commandstats")["cmdstat_evalsha"].split(",")[0].split("=")[1])


class RegistrationRound:
    """One phase of registrations and what follows it until Kafka has their events."""

    def __init__(self, bed, loader, topic, pids, window):
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        events, calls = topic.count(), script_calls(bed)
        began = time.monotonic()
        self.result = loader.phase("registrations", bed.round_seconds, window=window)
        self.answered = time.monotonic() - began
        self.count = self.result["acknowledged"]
        topic.wait(events + self.count, 30, "lifecycle events of the registrations", LOOK_SECONDS)
        self.seconds = time.monotonic() - began
        self.us = {name: (cpu_seconds(pid) - before[name]) * 1e6 / self.count for name, pid in pids.items()}
        self.rate = self.count / self.seconds
        self.calls = (script_calls(bed) - calls) / self.count

    @property
    def failed(self):
        return sum(self.result["errors"].values()) + self.result["unanswered"]

    def text(self):
        costs = ", ".join(f"{name.split('-')[0]} {us:.1f}" for name, us in self.us.items())
        troubles = f"{self.failed} failed, {self.result['retransmitted']} sent again, {self.calls:.2f} script calls"
        return (f"{self.rate:.0f}/s, all events in Kafka {1000 * (self.seconds - self.answered):.0f} ms after the last "
                f"answer, {troubles}; us each: {costs}, in all {sum(self.us.values()):.1f}")


def register(bed, loader, window):
    pids = {"loader": loader.pid, **bed.watched(), "redis": bed.stack.redis.process.pid,
            "kafka": bed.stack.kafka.process.pid}
    topic = Lifecycle(bed.stack.kafka.bootstrap)
    turns = []
    for number in range(bed.rounds_wanted + 1):
        echo = bed.echo_round(loader, 512)
        done = RegistrationRound(bed, loader, topic, pids, window)
        bed.say(f"  registrations {number}: {done.text()}")
        if number > 0:
            turns.append((echo, done))
    rate = median(done.rate for _, done in turns)
    echoes = median(sum(done.us.values()) / echo.us["echo"] for echo, done in turns)
    each = {f"{name.split('-')[0]}_us": median(done.us[name] for _, done in turns) for name in pids}
    return row("register_redis_all", rate, "1/s", f">= {GOAL} (3 x Leshan)", rate >= GOAL, 1 / echoes, echoes=echoes,
               cpu_us=sum(each.values()), script_calls=median(done.calls for _, done in turns), **each)


def commands_per_second(bed, seconds):
    before = bed.redis_commands()
    time.sleep(seconds)
    return (bed.redis_commands() - before) / seconds


def wait_quiet(bed):
    """Until nothing of the registrations is worked on any more."""
    until = time.monotonic() + 90
    while (rate := commands_per_second(bed, 2)) > QUIET_PER_S:
        if time.monotonic() > until:
            raise RuntimeError(f"Redis still gets {rate:.0f} commands a second")


def commands(bed, loader):
    """What steady Updates cost Redis: in all, and what of it comes with the Updates."""
    wait_quiet(bed)
    idle = commands_per_second(bed, IDLE_SECONDS)
    before = bed.redis_commands()
    began = time.monotonic()
    count = Round(loader, {}, "updates", STEADY_SECONDS, rate=UPDATES_PER_S, window=4096).count
    seconds = time.monotonic() - began
    spent = bed.redis_commands() - before
    return [fact("redis_commands_idle", idle, "1/s"),
            row("redis_commands_per_update", spent / count, "commands", "<= 0.1", spent / count <= 0.1,
                updates_per_s=count / seconds, of_updates=(spent - idle * seconds) / count)]


def rows(devices=100_000, rounds=5, round_seconds=8, window=WINDOW, with_commands=True, fsync="everysec"):
    with Testbed(rounds, round_seconds, {"observation": {"templates": "[]"}}, fsync) as bed:
        bed.start_observation()
        loader = bed.loader(devices)
        try:
            loader.wait_registered()
            bed.say(f"{devices} devices registered")
            found = [register(bed, loader, window)]
            return found + commands(bed, loader) if with_commands else found
        finally:
            loader.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--round-seconds", type=float, default=8)
    parser.add_argument("--window", type=int, default=WINDOW)
    parser.add_argument("--no-commands", action="store_true", help="without the rows about commands")
    parser.add_argument("--fsync", choices=("always", "everysec"), default="everysec", help="appendfsync of Redis")
    options = parser.parse_args()
    for item in rows(options.devices, options.rounds, options.round_seconds, options.window, not options.no_commands,
                     options.fsync):
        print(json.dumps(item))
    return 0


if __name__ == "__main__":
    sys.exit(main())
