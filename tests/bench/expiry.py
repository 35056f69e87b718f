#!/usr/bin/env python3
"""expiry_1m: a million devices fall due at one second; how long until all are reported offline in Kafka.

    tests/bench/expiry.py [--devices N] [--lead SECONDS]

The whole platform runs: Redis with its append-only file, Kafka, registry, ingress, observation, api. The devices get
into Redis through the registry's own store (lanyard-registry-seed), with pledges that all end at the same second, as
after the death of the ingress that owned them: registering them over CoAP would spread their deadlines over the time
that takes. Their `registered` events are published first, and observation has read them: it has no template that would
make it ask devices which do not exist. The clock runs from the due second to the moment when the
lifecycle topic holds all `expired` records, so the wait for the registry's next look is part of it. Records are counted
by the topic's end offsets meanwhile, so that counting costs nothing, and read one by one afterwards. The raw echo is
measured before and after; the row tells what a device costs all processes in echoes.
"""

import argparse
import json
import socket
import subprocess
import sys
import time

from confluent_kafka import Consumer, TopicPartition
from measure import BIN, cpu_seconds, echo_alone, row
from platform_stack import Stack

TOPIC = "lwm2m.lifecycle.v1"
GOAL_SECONDS = 10
LEAD_MIN_SECONDS = 62  # the shortest pledge of a Register: the registry looks no sooner where it has found nothing
LOOK_SECONDS = 0.1  # counting asks each partition of the broker that is measured
SLOW_US = 500  # calls of Redis that are looked at for the longest


class Lifecycle:
    """The lifecycle topic as a whole."""

    def __init__(self, bootstrap):
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-expiry",
                                  "enable.auto.commit": False, "auto.offset.reset": "earliest",
                                  "enable.partition.eof": True})
        partitions = self.consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
        self.partitions = [TopicPartition(TOPIC, number) for number in partitions]

    def ends(self):
        return [self.consumer.get_watermark_offsets(p, timeout=10, cached=False)[1] for p in self.partitions]

    def count(self):
        return sum(self.ends())

    def wait(self, count, seconds, what, look_seconds=LOOK_SECONDS):
        until = time.monotonic() + seconds
        while (found := self.count()) < count:
            if time.monotonic() > until:
                raise RuntimeError(f"{what}: {found} of {count} records after {seconds} s")
            time.sleep(look_seconds)

    def events_from(self, offsets):
        """Keys of the records from these offsets on, by event."""
        self.consumer.assign([TopicPartition(p.topic, p.partition, o) for p, o in zip(self.partitions, offsets)])
        left = sum(self.ends()) - sum(offsets)
        keys = {}
        while left > 0:
            for message in self.consumer.consume(20000, 5):
                if message.error():
                    continue
                left -= 1
                headers = dict(message.headers())
                keys.setdefault(headers["ce_type"].decode().split(".")[-2], set()).add(message.key())
        return {event: len(found) for event, found in keys.items()}


def redis_command(port, *words):
    """One command; gives the raw answer."""
    encoded = f"*{len(words)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in words)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(encoded.encode() + b"*1\r\n$4\r\nQUIT\r\n")
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer.removesuffix(b"+OK\r\n")


def longest_call_ms(port):
    """The longest command since slowlog was reset: the third element of each entry is its time in microseconds."""
    answer = redis_command(port, "SLOWLOG", "GET", "1000").split(b"\r\n")
    times = [int(answer[i + 3][1:]) for i, line in enumerate(answer[:-3]) if line == b"*6"]
    return max(times, default=0) / 1000


def seed(stack, devices, due):
    command = [str(BIN / "lanyard-registry-seed"), "--redis-port", str(stack.redis.port), "--count", str(devices),
               "--due", str(due)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measure(stack, devices, lead):
    """Gives the row."""
    pids = {"redis": stack.redis.process.pid, "kafka": stack.kafka.process.pid,
            **{name: service.process.pid for name, service in stack.services.items()}}
    due = int(time.time() + lead)
    seeded = seed(stack, devices, due)
    topic = Lifecycle(stack.kafka.bootstrap)
    topic.wait(devices, lead, "registered events")
    if time.time() > due - 5:
        raise RuntimeError("the devices were due before all was published: a longer --lead is needed")
    print(f"{devices} devices seeded in {seeded['seconds']:.1f} s and their events published; due in "
          f"{due - time.time():.0f} s", flush=True)
    offsets = topic.ends()
    redis_command(stack.redis.port, "CONFIG", "SET", "slowlog-log-slower-than", str(SLOW_US))
    redis_command(stack.redis.port, "CONFIG", "SET", "slowlog-max-len", "1000")
    redis_command(stack.redis.port, "SLOWLOG", "RESET")
    time.sleep(max(0.0, due - time.time()))
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    topic.wait(devices + 1, 60, "the first expired event")
    first = time.time() - due
    topic.wait(2 * devices, 120, "expired events")
    seconds = time.time() - due
    cpu = {f"{name}_us": (cpu_seconds(pid) - before[name]) * 1e6 / devices for name, pid in pids.items()}
    longest = longest_call_ms(stack.redis.port)
    events = topic.events_from(offsets)
    if events != {"expired": devices}:
        raise RuntimeError(f"found {events} instead of {devices} expired devices")
    holds = seconds <= GOAL_SECONDS and devices >= 1_000_000
    return row("expiry_1m", seconds, "s", f"<= {GOAL_SECONDS} s for a million", holds, cpu_us=sum(cpu.values()),
               devices=devices, first_after_s=first, redis_longest_call_ms=longest, **cpu)


def rows(devices=1_000_000, lead=None):
    before = echo_alone()
    with Stack(settings={"observation": {"templates": "[]"}}) as stack:
        item = measure(stack, devices, lead or max(LEAD_MIN_SECONDS, 20 + devices / 15_000))
    echo = (before + echo_alone()) / 2
    return [{**item, "echo_us": round(echo, 4), "echo_ratio": round(echo / item["cpu_us"], 4)}]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1_000_000)
    parser.add_argument("--lead", type=float, help="seconds from the start of seeding until they are due")
    options = parser.parse_args()
    if options.lead and options.lead < LEAD_MIN_SECONDS:
        parser.error(f"--lead: at least {LEAD_MIN_SECONDS} seconds")
    for item in rows(options.devices, options.lead):
        print(json.dumps(item, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
