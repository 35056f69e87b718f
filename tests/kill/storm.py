"""A reconnect storm: many devices register at the same moment while others update in the last seconds of their time."""

import json
import time

from confluent_kafka import Consumer, TopicPartition
from fleet import Fleet
from memory import Memory, mib
from platform_stack import Stack
from scenario import Row

TITLE = "a reconnect storm: surplus Registers get an appointment, no Update is late, all are registered in the end"
IN_SHORT = False

# Ten storming devices for each hundred of --devices, so that its default of 10,000 makes the 100,000 of the goal.
STORM_FACTOR, STEADY_FACTOR = 10, 2
# The Updates of the steady devices are due when 92 to 96 % of a minute have passed: 2.4 to 4.8 s before its end.
LIFETIME, UPDATE_AFTER, GRACE = 60, "92:96", 10
CALM_SECONDS = 20
DRAIN_SECONDS = 300
# What a service may grow by during a storm: its queues at their bounds, and its state of each new device.
QUEUES_MIB, DEVICE_KIB = 128, 4
REGISTERED = ("lwm2m.lifecycle.v1", "registered")


class Lifecycle:
    """Counts the events of the lifecycle topic by kind and keeps who registered and who expired."""

    def __init__(self, bootstrap):
        self.registered, self.ended = set(), []
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "storm", "enable.auto.commit": False})
        partitions = self._consumer.list_topics(REGISTERED[0], 10).topics[REGISTERED[0]].partitions
        self._consumer.assign([TopicPartition(REGISTERED[0], p, 0) for p in partitions])

    def poll(self, seconds=0.2):
        for message in self._consumer.consume(20_000, seconds):
            if message.error():
                continue
            event = json.loads(message.value())
            if event["event"] == REGISTERED[1]:
                self.registered.add(event["endpoint"])
            elif event["event"] in ("expired", "deregistered", "deleted"):
                self.ended.append((event["endpoint"], event["event"]))

    def close(self):
        self._consumer.close()


def update_gaps(path):
    """(acknowledgements, longest time between two of one device in seconds) of an ack log."""
    last, count, longest = {}, 0, 0
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["kind"] not in ("register", "update"):
                continue
            count += entry["kind"] == "update"
            longest = max(longest, entry["ts"] - last.get(entry["ep"], entry["ts"]))
            last[entry["ep"]] = entry["ts"]
    return count, longest / 1000


def metric_sum(stack, name, **labels):
    return int(sum(s.metric(name, **labels) for n, s in stack.services.items() if n.startswith("ingress")))


class Storm:
    """The course of the scenario: calm, storm, drained, calm."""

    def __init__(self, context, stack, directory):
        self.context, self.stack = context, stack
        self.target = f"127.0.0.1:{stack.coap_ports[0]}"
        self.steady_count = context.devices * STEADY_FACTOR
        self.storm_count = context.devices * STORM_FACTOR
        self.lifecycle = Lifecycle(stack.kafka.bootstrap)
        self.memory = Memory(lambda: {s.name: s.process.pid for s in stack.services.values() if s.running()})
        self.directory = directory
        self.steady = self.herd = None
        self.pending_max = 0

    def wait(self, question, what, seconds):
        began = time.monotonic()
        while not question():
            if time.monotonic() - began > seconds:
                self.context.say(f"not within {seconds} s: {what}")
                return None
            self.lifecycle.poll()
            self.pending_max = max(self.pending_max,
                                   metric_sum(self.stack, "lanyard_ingress_registers_pending"))
            herd = self.herd.registered() if self.herd else 0
            self.context.live(f"{what}: {self.steady.registered():,} + {herd:,} registered")
        return time.monotonic() - began

    def calm(self, seconds):
        until = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() >= until, "calm", seconds + 60)

    def run(self):
        steady_options = ["--interval", 0, "--lifetime", LIFETIME, "--update-after", UPDATE_AFTER, "--register-rate",
                          max(self.steady_count // 20, 100)]
        self.steady = Fleet(self.directory, self.target, "steady", self.steady_count, 1, steady_options)
        if self.wait(lambda: self.steady.registered() >= self.steady_count, "steady devices", 120) is None:
            raise RuntimeError("the steady devices did not register")
        self.context.say(f"{self.steady_count:,} devices with a lifetime of {LIFETIME} s are registered")
        self.calm(LIFETIME / 2)
        before = time.monotonic()
        self.herd = Fleet(self.directory, self.target, "storm", self.storm_count, 10_000_001,
                          ["--interval", 0, "--lifetime", 86_400, "--register-rate", 0, "--register-window",
                           self.storm_count])
        drained = self.wait(lambda: self.herd.registered() >= self.storm_count, "storm", DRAIN_SECONDS)
        after = time.monotonic()
        self.context.say(f"{self.storm_count:,} devices registered at once: " +
                         ("never all of them" if drained is None else f"all are after {drained:.1f} s"))
        self.calm(LIFETIME + GRACE + CALM_SECONDS)
        wanted = self.steady_count + self.storm_count
        self.wait(lambda: len(self.lifecycle.registered) >= wanted, "lifecycle events", 120)
        self.lifecycle.poll(2)
        return drained, self.memory.growth(before, after)

    def stop(self):
        summaries = {}
        for fleet in (self.steady, self.herd):
            if fleet:
                fleet.terminate()
        for fleet in (self.steady, self.herd):
            if fleet:
                summaries[fleet.name] = fleet.summary()
        return summaries

    def close(self):
        for fleet in (self.steady, self.herd):
            if fleet:
                fleet.kill()
        self.memory.stop()
        self.lifecycle.close()


def rows_of(storm, drained, growth, summaries):
    stack = storm.stack
    wanted = storm.steady_count + storm.storm_count
    registered = sum(summary["registered"] for summary in summaries.values())
    found = len(storm.lifecycle.registered)
    updates, longest = update_gaps(storm.directory / "acks-steady.jsonl")
    errors = {name: totals["errors"] for name, totals in summaries["steady"]["exchanges"].items() if totals["errors"]}
    owned = metric_sum(stack, "lanyard_ingress_sessions")
    admitted = metric_sum(stack, "lanyard_ingress_registers_total", admission="admitted")
    deferred = metric_sum(stack, "lanyard_ingress_registers_total", admission="deferred")
    allowed = QUEUES_MIB * 2**20 + DEVICE_KIB * 1024 * storm.storm_count
    grown = {name: peak - first for name, (first, peak) in growth.items()}
    memory_holds = len(grown) == len(stack.services) and all(size <= allowed for size in grown.values())
    register = summaries["storm"]["exchanges"]["register"]
    return [
        Row("storm.registered", f"{storm.storm_count:,} devices register at once", registered, found, 0,
            wanted - min(registered, found), drained is not None and registered == found == owned == wanted,
            {"drained after": "never" if drained is None else f"{drained:.1f} s",
             "Registers": f"{admitted:,} admitted, {deferred:,} deferred, at most {storm.pending_max:,} seen waiting",
             "storming devices": f"errors {register['errors']}, 2.01 {register['latency_us']['p99'] / 1e6:.1f} s "
                                 "after its Register (p99)"}),
        Row("storm.updates", f"{storm.steady_count:,} devices in their last seconds meanwhile", updates, updates, 0,
            len(storm.lifecycle.ended), not storm.lifecycle.ended and not errors and longest <= LIFETIME + GRACE,
            {"expired": len(storm.lifecycle.ended), "errors": errors,
             "longest time between two acknowledgements": f"{longest:.1f} s of {LIFETIME} s"}),
        Row("storm.memory", "memory of each service meanwhile", 0, 0, 0, 0, memory_holds,
            {"allowed": f"{mib(allowed)} for each ({QUEUES_MIB} MiB of queues, {DEVICE_KIB} KiB for each new device)",
             "grown": ", ".join(f"{name} {mib(size)}" for name, size in sorted(grown.items()))}),
    ]


def run(context):
    directory = context.own_directory("storm")
    with Stack(directory=directory / "stack", fsync="always",
               settings={"ingress": {"lifetime.grace": f"{GRACE}s"}}) as stack:
        storm = Storm(context, stack, directory)
        try:
            drained, growth = storm.run()
            return rows_of(storm, drained, growth, storm.stop())
        finally:
            storm.close()
