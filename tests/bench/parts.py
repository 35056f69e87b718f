"""The parts of `make bench`: each gives the rows it has measured."""

import time

import downlink
import peer
from measure import Echo, Loader, LoaderEnded, Round, fact, latency_row, median, row
from ports import reserve_port
from testbed import PACED_WINDOW, SETTLE_SECONDS, Testbed

SMALL_FLEET = 1_000
NOTIFY_WINDOW = 2048
PACED_RATE = 20_000
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


def small_fleet(*bed_arguments):
    """What an Update costs the ingress with a thousand devices, in echoes: everything fits into the caches."""
    with Testbed(*bed_arguments) as bed:
        loader = bed.loader(SMALL_FLEET)
        try:
            loader.wait_registered()
            bed.say(f"{SMALL_FLEET} devices registered")
            turns = bed.rounds(loader, "updates", window=256)
            return median(ingress_us(t["ours"]) / t["echo"].us["echo"] for t in turns)
        finally:
            loader.stop()


def peer_rounds(turns):
    return [turn["peer"] for turn in turns if "peer" in turn]


def peer_us(turns):
    """The mean, not the median: a collection of garbage comes every few rounds and is part of the cost."""
    rounds = peer_rounds(turns)
    return sum(r.us["peer"] * r.count for r in rounds) / sum(r.count for r in rounds)


def peer_column(turns):
    """That of a row about microseconds."""
    return {"peer": peer_us(turns), "peer_unit": "us"} if peer_rounds(turns) else {}


def versus(name, turns, ours, goal=7):
    """How many times Leshan's CPU for one message is ours."""
    if not peer_rounds(turns):
        return []
    cost = median(ours(t["ours"]) for t in turns)
    times = peer_us(turns) / cost
    return [row(name, times, "x", f">= {goal}", times >= goal, ours_us=cost, per_core=1e6 / cost,
                peer_per_core=1e6 / peer_us(turns), **peer_column(turns))]


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
        self.has_peer = False
        self.bytes_each = 0  # of all our processes, devices observed

    def __enter__(self):
        bed = self.bed
        self.empty, self.redis_empty = bed.empty()
        began = time.monotonic()
        self.loader = bed.loader(self.devices)
        try:
            self.loader.wait_registered()
            bed.say(f"{self.devices} devices registered in {time.monotonic() - began:.1f} s")
            bed.settled(self.devices)
            self._memory_row("bytes_per_device_ram", self._ram_each(), 512)
            self._memory_row("bytes_per_device_redis", self._redis_each(), 256)
            self._observe()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.loader.stop()
        self._stop_leshan()

    def _memory_row(self, name, each, goal):
        self.rows.append(row(name, each, "B", f"<= {goal}", each <= goal))

    def _ram_each(self):
        """Bytes of all services that run, for each device."""
        now = self.bed.rss_at_rest()
        return sum(now[name] - self.empty[name] for name in now) / self.devices

    def _redis_each(self):
        return (self.bed.redis_memory() - self.redis_empty) / self.devices

    def _observe(self):
        """Observation joins: every device gets its Observe."""
        bed = self.bed
        began = time.monotonic()
        bed.start_observation()
        self._await_observed(self.loader)
        bed.say(f"all of them observed after {time.monotonic() - began:.1f} s")
        self.bytes_each = self._ram_each()
        self.rows += [fact("bytes_per_device_all", self.bytes_each, "B"),
                      fact("bytes_per_device_redis_observed", self._redis_each(), "B")]

    @staticmethod
    def _await_observed(loader):
        loader.phase("notifications", 0.1, rate=10)  # begins when the last one is observed

    def add_peer(self):
        """Leshan with the same devices, registered and observed: this life is for its memory."""
        peer.build()
        self._start_leshan()
        theirs, heap = ((now - then) / self.devices for now, then in zip(self.leshan.memory(), self.leshan_empty))
        self.rows_of_peer_memory(theirs, heap)
        self._stop_leshan()
        self.has_peer = True

    def _start_leshan(self, *java_options):
        began = time.monotonic()
        self.leshan = peer.Leshan(reserve_port(), *java_options)
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
        self.leshan_loader = self.leshan = None

    def _start_warm(self, kind, **phase):
        """(pid, loader) of a Leshan that has seen nothing but this kind of load, so that it does not still collect what
        another one left. None when it cannot carry the load."""
        try:
            self._start_leshan(*peer.ROOMY)
            self.leshan.warm_up(self.leshan_loader, kind, 2 * self.bed.round_seconds, self.bed.say, **phase)
        except LoaderEnded as ended:
            self.bed.say(f"  Leshan, {kind}: {ended}")
            return None
        return self.leshan.pid, self.leshan_loader

    def _rounds(self, kind, **phase):
        try:
            leshan = self._start_warm(kind, **phase) if self.has_peer else None
            return self.bed.rounds(self.loader, kind, leshan, **phase)
        finally:
            self._stop_leshan()

    def rows_of_peer_memory(self, theirs, heap):
        share = self.bytes_each / theirs
        for item in self.rows:
            if item["id"] == "bytes_per_device_ram":
                item.update(peer=round(theirs, 1), peer_unit="B")
        self.rows.append(row("peer_leshan_rss", share, "of Leshan", "<= 0.025 (1/40)", share <= 0.025, peer=theirs,
                             peer_unit="B", ours_bytes=self.bytes_each, peer_heap_bytes=heap))

    def updates(self, small_ratio):
        turns = self._rounds("updates")
        echo = median(t["echo"].us["echo"] for t in turns)
        ratio = median(t["echo"].us["echo"] / ingress_us(t["ours"]) for t in turns)
        every = median(t["echo"].us["echo"] / all_us(t["ours"]) for t in turns)
        growth = median(ingress_us(t["ours"]) / t["echo"].us["echo"] for t in turns) / small_ratio
        return [row("update_plain_100k", ratio, "of echo", ">= 0.65 (floor 0.4)", ratio >= 0.65, ratio, echo_us=echo,
                    cpu_us=median(ingress_us(t["ours"]) for t in turns),
                    per_second=median(t["ours"].per_second for t in turns), **peer_column(turns)),
                row("update_plain_100k_all", every, "of echo", ">= 0.50", every >= 0.50, every, echo_us=echo,
                    cpu_us=median(all_us(t["ours"]) for t in turns), **peer_column(turns)),
                row("update_plain_growth", growth, "x", "<= 1.4", growth <= 1.4),
                fact("wire_bytes_update", median(wire_bytes(t["ours"].result) for t in turns), "B"),
                *versus("peer_leshan_update", turns, all_us)]

    def notifications(self):
        turns = self._rounds("notifications", window=NOTIFY_WINDOW)
        rows = [self._notify_row("notify_plain_ingress", turns, ingress_us, 9, 2.4),
                self._notify_row("notify_plain_telemetry_all", turns, all_us, 20, 5)]
        return [*rows, *versus("peer_leshan_notify", turns, ingress_us),
                *versus("peer_leshan_notify_all", turns, all_us), *self._paced_notifications()]

    def _paced_notifications(self):
        """At a rate far from the limit: how late the ACK comes, and what a record is on disk and on the wire."""
        time.sleep(SETTLE_SECONDS)
        before = {topic: self.bed.topic_bytes(topic) for topic in TOPICS}
        loads = []

        def round_of_notifications():
            loads.append(self.loader.phase("notifications", self.bed.round_seconds, rate=PACED_RATE,
                                           window=PACED_WINDOW))
            return loads[-1]["latency_us"]

        turns = self.bed.paced("ACKs", round_of_notifications, self.loader, PACED_RATE)
        time.sleep(SETTLE_SECONDS)
        count = sum(load["acknowledged"] for load in loads)
        sizes = {name: (self.bed.topic_bytes(topic) - before[topic]) / count for topic, name in TOPICS.items()}
        kept_up = min(load["per_second"] for load in loads) >= 0.95 * PACED_RATE
        return [latency_row("notify_ack_p99_20k", turns, "p99", 25, "<= 25 ms at 20k/s", kept_up,
                            per_second=median(load["per_second"] for load in loads),
                            p50=median(found["p50"] for _, found in turns) / 1000),
                *(fact(f"kafka_bytes_{name}", size, "B") for name, size in sizes.items()),
                fact("wire_bytes_notification", median(wire_bytes(load) for load in loads), "B"),
                fact("bytes_per_device_redis_valued", self._redis_each(), "B")]

    def _notify_row(self, name, turns, ours, goal_us, goal_echoes):
        cost = median(ours(t["ours"]) for t in turns)
        echoes = median(ours(t["ours"]) / t["echo"].us["echo"] for t in turns)
        return row(name, cost, "us", f"<= {goal_us} us or <= {goal_echoes} echoes",
                   cost <= goal_us or echoes <= goal_echoes, 1 / echoes, echoes=echoes,
                   per_second=median(t["ours"].per_second for t in turns), **peer_column(turns))

    def registrations(self):
        """Beside the peer, with every device observed anew after each; registrations.py has them alone."""
        turns = self._rounds("registrations")
        rates = [round_.per_second for round_ in peer_rounds(turns)]
        theirs = {"peer": median(rates), "peer_unit": "1/s"} if rates else {}
        return [{**fact("register_observed_all", median(t["ours"].per_second for t in turns), "1/s"), **theirs}]

    def downlink(self):
        return downlink.rows(self.bed, self.loader, self.devices)
