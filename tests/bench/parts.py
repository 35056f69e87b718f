"""The parts of `make bench`: each gives the rows it has measured."""

import time

import downlink
import peer
from measure import Echo, Loader, Round, fact, median, row
from platform_stack import free_udp_port
from redis_memory import settled

SMALL_FLEET = 1_000
SMALL_FIRST = 900_000_001
NOTIFY_WINDOW = 2048
# What is behind an acknowledged notification gets that long to come to rest.
SETTLE_SECONDS = 2
TOPICS = {"lwm2m.uplink.v1": "uplink", "lwm2m.telemetry.v1": "telemetry"}
IP_AND_UDP_BYTES = 28


def loader_itself(options):
    """The load generator against a server that does next to nothing: it must not be what is measured."""
    server = Echo("--coap")
    loader = Loader(server.address, options.devices)
    try:
        loader.wait_registered()
        each = []
        for number in range(options.rounds):
            done = Round(loader, {"server": server.pid}, "updates", options.round_seconds)
            each.append(done.result["loader_cpu_us_each"])
            print(f"  loader {number + 1}: {each[-1]:.2f} us an Update, {done.per_second:.0f}/s", flush=True)
    finally:
        loader.stop()
        server.stop()
    rate = 1e6 / median(each)
    return [row("loader_updates_per_core", rate, "1/s", "> 200000 per core", rate > 200_000, cpu_us=median(each))]


def small_fleet(bed):
    """What an Update costs the ingress with a thousand devices, in echoes: everything fits into the caches."""
    loader = bed.loader(SMALL_FLEET, first=SMALL_FIRST)
    try:
        loader.wait_registered()
        bed.say(f"{SMALL_FLEET} devices registered")
        return median(t["ours"].us["ingress-0"] / t["echo"].us["echo"]
                      for t in bed.rounds(loader, "updates", window=256))
    finally:
        loader.stop()


def peer_us(turns):
    """The mean, not the median: a collection of garbage comes every few rounds and is part of the cost."""
    return sum(t["peer"].us["peer"] * t["peer"].count for t in turns) / sum(t["peer"].count for t in turns)


def ingress_us(load):
    return load.us["ingress-0"]


def all_us(load):
    return load.total_us()


def wire_bytes(result):
    """Of one exchange, both ways, with the headers of IPv4 and UDP."""
    return (result["sent_bytes"] + result["received_bytes"]) / result["acknowledged"] + 2 * IP_AND_UDP_BYTES


class LargeFleet:
    """The fleet that most rows are about, with the platform it is registered at; Leshan's copy of it on request."""

    def __init__(self, bed, devices):
        self.bed = bed
        self.devices = devices
        self.rows = []
        self.leshan = None
        self.leshan_loader = None
        self.peer = None
        self.bytes_each = 0  # of all our processes, devices observed

    def __enter__(self):
        bed = self.bed
        rss, redis = bed.rss(), bed.redis_memory()
        self.redis_empty = redis
        began = time.monotonic()
        self.loader = bed.loader(self.devices)
        try:
            self.loader.wait_registered()
            bed.say(f"{self.devices} devices registered in {time.monotonic() - began:.1f} s")
            settled(bed, self.devices)
            grown = sum(bed.rss_at_rest().values()) - sum(rss.values())
            self._memory_row("bytes_per_device_ram", grown / self.devices, 512)
            self._memory_row("bytes_per_device_redis", (bed.redis_memory() - redis) / self.devices, 256)
            self._observe(sum(rss.values()), redis)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.loader.stop()
        self._stop_leshan()

    def _memory_row(self, name, each, goal):
        self.rows.append(row(name, each, "B", f"<= {goal}", each <= goal))

    def _observe(self, rss, redis):
        """Observation joins: every device gets its Observe."""
        bed = self.bed
        began = time.monotonic()
        bed.start_observation()
        rss += bed.rss()["observation-0"]
        self._await_observed(self.loader)
        bed.say(f"all of them observed after {time.monotonic() - began:.1f} s")
        grown = bed.rss_at_rest()
        self.bytes_each = (sum(grown.values()) - grown["api-0"] - rss) / self.devices
        self.rows += [fact("bytes_per_device_all", self.bytes_each, "B"),
                      fact("bytes_per_device_redis_observed", (bed.redis_memory() - redis) / self.devices, "B")]

    @staticmethod
    def _await_observed(loader):
        loader.phase("notifications", 0.1, rate=10)  # begins when the last one is observed

    def add_peer(self):
        """Leshan with the same devices, registered and observed: one life for its memory, one with room for speed."""
        peer.build()
        self._start_leshan()
        theirs, heap = ((now - then) / self.devices for now, then in zip(self.leshan.memory(), self.leshan_empty))
        self.rows_of_peer_memory(theirs, heap)
        self._stop_leshan()
        self._start_leshan(*peer.ROOMY)
        self.peer = (peer.Leshan.name, self.leshan.pid, self.leshan_loader)

    def _start_leshan(self, *java_options):
        began = time.monotonic()
        self.leshan = peer.Leshan(free_udp_port(), *java_options)
        self.leshan_empty = self.leshan.memory()
        self.leshan_loader = self.bed.loader(self.devices, port=self.leshan.port)
        self.leshan_loader.wait_registered()
        self._await_observed(self.leshan_loader)
        seconds = time.monotonic() - began
        self.bed.say(f"{peer.Leshan.name}: {self.devices} devices registered and observed in {seconds:.1f} s")

    def _stop_leshan(self):
        if self.leshan_loader:
            self.leshan_loader.stop()
        if self.leshan:
            self.leshan.stop()

    def rows_of_peer_memory(self, theirs, heap):
        share = self.bytes_each / theirs
        for item in self.rows:
            if item["id"] == "bytes_per_device_ram":
                item.update(peer=round(theirs, 1), peer_unit="B")
        self.rows.append(row("peer_leshan_rss", share, "of Leshan", "<= 0.025 (1/40)", share <= 0.025, peer=theirs,
                             peer_unit="B", ours_bytes=self.bytes_each, peer_heap_bytes=heap))

    def _warm_peer(self, kind, **phase):
        if self.peer:
            self.leshan.warm_up(self.leshan_loader, kind, 2 * self.bed.round_seconds, self.bed.say, **phase)

    def _peer_us(self, turns):
        """The peer column of a row about microseconds."""
        return {"peer": peer_us(turns), "peer_unit": "us"} if self.peer else {}

    def _versus(self, name, turns, ours, goal=7, **extra):
        """How many times Leshan's CPU for one message is ours."""
        if not self.peer:
            return []
        times = peer_us(turns) / median(ours(t["ours"]) for t in turns)
        return [row(name, times, "x", f">= {goal}", times >= goal, ours_us=median(ours(t["ours"]) for t in turns),
                    per_core=1e6 / median(ours(t["ours"]) for t in turns),
                    peer_per_core=1e6 / self._peer_us(turns)["peer"], **self._peer_us(turns), **extra)]

    def updates(self, small_ratio):
        bed = self.bed
        self._warm_peer("updates")
        turns = bed.rounds(self.loader, "updates", self.peer)
        echo = median(t["echo"].us["echo"] for t in turns)
        ratio = median(t["echo"].us["echo"] / ingress_us(t["ours"]) for t in turns)
        every = median(t["echo"].us["echo"] / all_us(t["ours"]) for t in turns)
        growth = median(ingress_us(t["ours"]) / t["echo"].us["echo"] for t in turns) / small_ratio
        return [row("update_plain_100k", ratio, "of echo", ">= 0.65 (floor 0.4)", ratio >= 0.65, ratio, echo_us=echo,
                    cpu_us=median(ingress_us(t["ours"]) for t in turns),
                    per_second=median(t["ours"].per_second for t in turns), **self._peer_us(turns)),
                row("update_plain_100k_all", every, "of echo", ">= 0.50", every >= 0.50, every, echo_us=echo,
                    cpu_us=median(all_us(t["ours"]) for t in turns), **self._peer_us(turns)),
                row("update_plain_growth", growth, "x", "<= 1.4", growth <= 1.4),
                fact("wire_bytes_update", median(wire_bytes(t["ours"].result) for t in turns), "B"),
                *self._versus("peer_leshan_update", turns, all_us)]

    def notifications(self):
        bed = self.bed
        self._warm_peer("notifications", window=NOTIFY_WINDOW)
        turns = bed.rounds(self.loader, "notifications", self.peer, window=NOTIFY_WINDOW)
        rows = [self._notify_row("notify_plain_ingress", turns, ingress_us, 9, 2.4),
                self._notify_row("notify_plain_telemetry_all", turns, all_us, 20, 5)]
        return [*rows, *self._versus("peer_leshan_notify", turns, ingress_us),
                *self._versus("peer_leshan_notify_all", turns, all_us), *self._paced_notifications()]

    def _paced_notifications(self):
        """At a rate far from the limit: how late the ACK comes, and what a record is on disk and on the wire."""
        time.sleep(SETTLE_SECONDS)
        before = {topic: self.bed.topic_bytes(topic) for topic in TOPICS}
        paced = self.loader.phase("notifications", 5, rate=20_000, window=8192)
        time.sleep(SETTLE_SECONDS)
        sizes = {name: (self.bed.topic_bytes(topic) - before[topic]) / paced["acknowledged"]
                 for topic, name in TOPICS.items()}
        p99 = paced["latency_us"]["p99"] / 1000
        held = p99 <= 25 and paced["per_second"] >= 19_000
        return [row("notify_ack_p99_20k", p99, "ms", "<= 25 ms at 20k/s", held, per_second=paced["per_second"],
                    p50=paced["latency_us"]["p50"] / 1000),
                *(fact(f"kafka_bytes_{name}", size, "B") for name, size in sizes.items()),
                fact("wire_bytes_notification", wire_bytes(paced), "B"),
                fact("bytes_per_device_redis_valued", (self.bed.redis_memory() - self.redis_empty) / self.devices, "B")]

    def _notify_row(self, name, turns, ours, goal_us, goal_echoes):
        cost = median(ours(t["ours"]) for t in turns)
        echoes = median(ours(t["ours"]) / t["echo"].us["echo"] for t in turns)
        return row(name, cost, "us", f"<= {goal_us} us or <= {goal_echoes} echoes",
                   cost <= goal_us or echoes <= goal_echoes, 1 / echoes, echoes=echoes,
                   per_second=median(t["ours"].per_second for t in turns), **self._peer_us(turns))

    def registrations(self):
        """Beside the peer, with every device observed anew after each; registrations.py has them alone."""
        self._warm_peer("registrations")
        turns = self.bed.rounds(self.loader, "registrations", self.peer)
        theirs = {"peer": median(t["peer"].per_second for t in turns), "peer_unit": "1/s"} if self.peer else {}
        return [{**fact("register_observed_all", median(t["ours"].per_second for t in turns), "1/s"), **theirs}]

    def downlink(self):
        return downlink.rows(self.bed.stack, self.loader, self.devices)
