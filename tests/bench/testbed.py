"""What all parts of `make bench` share: the platform as separate processes, the echo peer, loaders and rounds."""

import socket
import threading
import time

from expiry import Lifecycle
from measure import Echo, Loader, LoaderEnded, Round, on_cpu, pings, rss_bytes
from platform_stack import Stack
from servers import JVM_QUICK_START

SERVICES = ("registry-0", "ingress-0", "observation-0", "api-0")
REGISTER_WINDOW = 512
PACED_WINDOW = 8192  # more than are ever under way at a rate far from the limit
# Memory is at rest when it has not fallen for so long (jemalloc keeps what was freed for 10 s); at most half a minute.
REST_SECONDS = 10
REST_SAMPLES_MAX = 30
SETTLE_SECONDS = 3  # latest values are written every other second


class Testbed:
    """The ingress and the echo peer live on one CPU, the loaders on another; the rest goes where it likes."""

    def __init__(self, rounds, round_seconds, settings=None, fsync="everysec", kafka_jvm=JVM_QUICK_START):
        self.rounds_wanted = rounds
        self.round_seconds = round_seconds
        self.began = time.monotonic()
        self.count = 0
        self.echo = Echo()
        self.stack = Stack(settings=settings or {}, fsync=fsync, kafka_jvm=kafka_jvm)
        self.stack.prefixes["ingress"] = on_cpu(0, [])
        self.stack.counts.update(observation=0, api=0)  # started when they are needed

    def say(self, text):
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    def __enter__(self):
        self.stack.__enter__()
        self.say("started: " + ", ".join(["echo", "Redis", "Kafka", *self.stack.services]))
        return self

    def __exit__(self, *error):
        self.stack.__exit__(*error)
        self.echo.stop()

    def start_observation(self):
        self.stack.counts.update(observation=1, api=1)
        self.stack.start_services("observation", "api")
        self.say("started: observation-0, api-0")

    def empty(self):
        """(RSS of each service, memory of Redis) while there is no device; observation and api run for this only."""
        self.start_observation()
        rss = self.rss_at_rest()
        for name in ("api-0", "observation-0"):
            self.stack.services.pop(name).stop()
        return rss, self.redis_memory()

    def settled(self, devices):
        """Until the `registered` events are out of Redis."""
        Lifecycle(self.stack.kafka.bootstrap).wait(devices, 120, "lifecycle events")
        time.sleep(SETTLE_SECONDS)

    def pid(self, name):
        return self.stack.services[name].process.pid

    def watched(self):
        return {name: self.pid(name) for name in SERVICES if name in self.stack.services}

    def rss(self):
        return {name: rss_bytes(pid) for name, pid in self.watched().items()}

    def rss_at_rest(self):
        """When no process gives memory back any more: an allocator keeps for some seconds what a burst has left."""
        samples = [self.rss()]
        while len(samples) < REST_SAMPLES_MAX:
            time.sleep(1)
            samples.append(self.rss())
            if len(samples) > REST_SECONDS:
                total, before = sum(samples[-1].values()), sum(samples[-1 - REST_SECONDS].values())
                if total > 0.99 * before:
                    break
        return samples[-1]

    def loader(self, count, first=1, port=None):
        return Loader(f"127.0.0.1:{port or self.stack.coap_ports[0]}", count, "--register-window", str(REGISTER_WINDOW),
                      first=first, log=self.stack.directory / "loader.log")

    def echo_round(self, loader, window):
        return Round(loader, {"echo": self.echo.pid}, "echo", self.round_seconds, window=window,
                     target=self.echo.address)

    def echo_latency(self, loader, rate):
        """What kernel and scheduler take by themselves: pings through the raw echo while the loader sends it `rate`
        datagrams a second."""
        load = threading.Thread(target=loader.phase, args=("echo", self.round_seconds, rate, PACED_WINDOW,
                                                           self.echo.address))
        load.start()
        try:
            return pings(self.echo.address, self.round_seconds)
        finally:
            load.join()

    def paced(self, name, measure, loader, rate):
        """Takes turns: echo at a rate, `measure()`, which gives latencies, also in microseconds; the first turn is
        thrown away. Gives a list of (echo, measured)."""
        turns = []
        for number in range(self.rounds_wanted + 1):
            echo, found = self.echo_latency(loader, rate), measure()
            if number == 0:
                continue
            turns.append((echo, found))
            self.say(f"  {name} {number}: p50 {found['p50'] / 1000:.2f} ms, p99 {found['p99'] / 1000:.2f}; "
                     f"echo {echo['p50'] / 1000:.2f} and {echo['p99'] / 1000:.2f}")
        return turns

    def rounds(self, loader, kind, peer=None, **phase):
        """Takes turns: echo, ours, the peer when there is one; the first turn is a warm-up and thrown away.

        `peer` is (pid, loader). Gives a list of {"echo": Round, "ours": Round, "peer": Round}, without "peer" from the
        round on in which it gave up; `count` is then what all of ours have acknowledged, the first turn included.
        """
        turns = []
        self.count = 0
        for number in range(self.rounds_wanted + 1):
            turn = {"echo": self.echo_round(loader, phase.get("window", 512)),
                    "ours": Round(loader, self.watched(), kind, self.round_seconds, **phase)}
            if peer is not None:
                try:
                    turn["peer"] = Round(peer[1], {"peer": peer[0]}, kind, self.round_seconds, **phase)
                except LoaderEnded as ended:
                    self.say(f"  Leshan, {kind}: {ended}")
                    peer = None
            self.count += turn["ours"].count
            if number == 0:
                continue
            turns.append(turn)
            self.say(f"  {kind} {number}: " + self._line(turn))
        return turns

    @staticmethod
    def _line(turn):
        ours = turn["ours"]
        text = (f"echo {turn['echo'].us['echo']:.2f} us, ingress {ours.us['ingress-0']:.2f}, "
                f"all {ours.total_us():.2f}, {ours.per_second:.0f}/s, {ours.failed} failed")
        if "peer" in turn:
            text += f"; Leshan {turn['peer'].us['peer']:.1f} us, {turn['peer'].per_second:.0f}/s"
        return text

    def redis_info(self, section):
        with socket.create_connection(("127.0.0.1", self.stack.redis.port), timeout=5) as connection:
            connection.sendall(f"INFO {section}\r\n".encode())
            answer = connection.makefile("rb")
            body = answer.read(int(answer.readline()[1:])).decode()
        return dict(line.split(":", 1) for line in body.splitlines() if ":" in line)

    def topic_bytes(self, topic):
        """What Kafka has written of a topic, replication and indexes left out."""
        logs = self.stack.kafka.directory.rglob(f"{topic}-*/*.log")
        return sum(log.stat().st_size for log in logs)

    def redis_memory(self):
        return int(self.redis_info("memory")["used_memory"])

    def redis_commands(self):
        return int(self.redis_info("stats")["total_commands_processed"])
