#!/usr/bin/env python3
"""`make bench`: CPU and memory of the platform beside a raw UDP echo of the same run.

    tests/bench/run.py [--devices N] [--rounds R] [--round-seconds S] [--only PART ...] [--output FILE]

Starts Redis, Kafka and the four services as separate processes (release build), and one loader that plays all
devices. Echo rounds and load rounds take turns, so that a change of the machine's speed meets both; what counts is
the median of the rounds' ratios. CPU is that of all threads of a process, kernel included (schedstat). Prints a table
and writes build/bench/results.json. Exit code 0 also when a goal is missed: the table says so.
"""

import argparse
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from measure import Echo, Loader, Round, median, pin, row, rss_bytes  # noqa: E402
from platform_stack import Stack  # noqa: E402
from servers import ROOT  # noqa: E402

SMALL_FLEET = 1_000
PARTS = ("loader", "updates", "notifications", "registrations", "downlink")
SERVICES = ("registry-0", "ingress-0", "observation-0", "api-0")


class Bench:
    def __init__(self, options):
        self.options = options
        self.rows = []
        self.stack = None
        self.echo = None

    def say(self, text):
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    def run(self):
        self.began = time.monotonic()
        self.echo = Echo()
        if self.wants("loader"):
            self.loader_itself()
            if self.options.only == ["loader"]:
                self.echo.stop()
                return self.rows
        settings = json.loads(self.options.settings)
        self.stack = Stack(settings=settings)
        if self.options.only and not set(self.options.only) & {"notifications", "downlink"}:
            self.stack.counts.update(observation=0, api=0)  # nobody needs them, so their start is not waited for
        with self.stack:
            self.say("platform started: " + ", ".join(["Redis", "Kafka", *self.stack.services]))
            pin(self.echo.pid, {0})
            pin(self.pid("ingress-0"), {0})
            try:
                self.small_fleet()
                self.large_fleet()
            finally:
                self.echo.stop()
        return self.rows

    def pid(self, name):
        return self.stack.services[name].process.pid

    def watched(self, *names):
        return {name: self.pid(name) for name in names or SERVICES if name in self.stack.services}

    def loader(self, count, first):
        loader = Loader(f"127.0.0.1:{self.stack.coap_ports[0]}", count, "--register-window", "512", first=first,
                        log=self.stack.directory / "loader.log")
        if len(os.sched_getaffinity(0)) > 1:
            pin(loader.pid, {1})
        return loader

    def wants(self, part):
        return not self.options.only or part in self.options.only

    def rounds(self, loader, kind, **phase):
        """Interleaved pairs (echo, load), the first pair thrown away as warm-up."""
        pairs = []
        for number in range(self.options.rounds + 1):
            echo = Round(loader, {"echo": self.echo.pid}, "echo", self.options.round_seconds,
                         window=phase.get("window", 512), target=self.echo.address)
            load = Round(loader, self.watched(), kind, self.options.round_seconds, **phase)
            if number == 0:
                continue
            pairs.append((echo, load))
            self.say(f"  {kind} {number}: echo {echo.us['echo']:.2f} us, ingress {load.us['ingress-0']:.2f} us, all "
                     f"{load.total_us():.2f} us, {load.per_second:.0f}/s, {load.failed} failed")
        return pairs

    # The load generator against a server that does next to nothing: it must not be what is measured.
    def loader_itself(self):
        server = Echo("--coap")
        loader = Loader(server.address, self.options.devices)
        try:
            pin(server.pid, {0})
            pin(loader.pid, {1})
            loader.wait_registered()
            each = []
            for number in range(self.options.rounds):
                done = Round(loader, {"server": server.pid}, "updates", self.options.round_seconds)
                each.append(done.result["loader_cpu_us_each"])
                self.say(f"  loader {number + 1}: {each[-1]:.2f} us of loader CPU an Update, {done.per_second:.0f}/s")
        finally:
            loader.stop()
            server.stop()
        rate = 1e6 / median(each)
        self.rows.append(row("loader_updates_per_core", rate, "1/s", "> 200000 per core", rate > 200_000,
                             cpu_us=median(each)))

    # A thousand devices: what an Update costs while everything fits into the caches.
    def small_fleet(self):
        self.small_ratio = None
        if not self.wants("updates"):
            return
        loader = self.loader(SMALL_FLEET, first=900_000_001)
        try:
            loader.wait_registered()
            self.say(f"{SMALL_FLEET} devices registered")
            pairs = self.rounds(loader, "updates", window=256)
            self.small_ratio = median(load.us["ingress-0"] / echo.us["echo"] for echo, load in pairs)
        finally:
            loader.stop()

    def large_fleet(self):
        rss_before = {name: rss_bytes(self.pid(name)) for name in ("ingress-0", "registry-0")}
        redis_before = self.redis_memory()
        began = time.monotonic()
        loader = self.loader(self.options.devices, first=1)
        try:
            loader.wait_registered()
            seconds = time.monotonic() - began
            self.say(f"{self.options.devices} devices registered in {seconds:.1f} s")
            self.memory(rss_before, redis_before)
            if self.wants("updates"):
                self.updates(loader)
            if self.wants("notifications"):
                self.notifications(loader)
            if self.wants("downlink"):
                self.downlink(loader)
            if self.wants("registrations"):
                self.registrations(loader)
        finally:
            loader.stop()

    def memory(self, rss_before, redis_before):
        grown = sum(rss_bytes(self.pid(name)) - before for name, before in rss_before.items())
        each = grown / self.options.devices
        self.rows.append(row("bytes_per_device_ram", each, "B", "<= 512", each <= 512))
        each = (self.redis_memory() - redis_before) / self.options.devices
        self.rows.append(row("bytes_per_device_redis", each, "B", "<= 256", each <= 256))

    def updates(self, loader):
        commands = self.redis_commands()
        pairs = self.rounds(loader, "updates")
        commands = self.redis_commands() - commands
        ratio = median(echo.us["echo"] / load.us["ingress-0"] for echo, load in pairs)
        cost = median(load.us["ingress-0"] for _, load in pairs)
        echo = median(echo.us["echo"] for echo, _ in pairs)
        self.rows.append(row("update_plain_100k", ratio, "of echo", ">= 0.65 (floor 0.4)", ratio >= 0.65, ratio,
                             cpu_us=cost, echo_us=echo, per_second=median(load.per_second for _, load in pairs)))
        every = median(echo.us["echo"] / load.total_us() for echo, load in pairs)
        self.rows.append(row("update_plain_100k_all", every, "of echo", ">= 0.50", every >= 0.50, every,
                             cpu_us=median(load.total_us() for _, load in pairs), echo_us=echo))
        if self.small_ratio:
            growth = median(load.us["ingress-0"] / echo.us["echo"] for echo, load in pairs) / self.small_ratio
            self.rows.append(row("update_plain_growth", growth, "x", "<= 1.4", growth <= 1.4))
        each = commands / sum(load.count for _, load in pairs)
        self.rows.append(row("redis_commands_per_update", each, "commands", "<= 0.1", each <= 0.1))

    def notifications(self, loader):
        pairs = self.rounds(loader, "notifications", window=2048)
        cost = median(load.us["ingress-0"] for _, load in pairs)
        echoes = median(load.us["ingress-0"] / echo.us["echo"] for echo, load in pairs)
        self.rows.append(row("notify_plain_ingress", cost, "us", "<= 9 us or <= 2.4 echoes", cost <= 9 or echoes <= 2.4,
                             1 / echoes, echoes=echoes, per_second=median(load.per_second for _, load in pairs)))
        cost = median(load.total_us() for _, load in pairs)
        echoes = median(load.total_us() / echo.us["echo"] for echo, load in pairs)
        self.rows.append(row("notify_plain_telemetry_all", cost, "us", "<= 20 us or <= 5 echoes",
                             cost <= 20 or echoes <= 5, 1 / echoes, echoes=echoes))
        paced = loader.phase("notifications", 5, rate=20_000, window=8192)
        p99 = paced["latency_us"]["p99"] / 1000
        held = p99 <= 25 and paced["per_second"] >= 19_000
        self.rows.append(row("notify_ack_p99_20k", p99, "ms", "<= 25 ms at 20k/s", held,
                             per_second=paced["per_second"]))

    def registrations(self, loader):
        pairs = self.rounds(loader, "registrations")
        rate = median(load.per_second for _, load in pairs)
        cost = median(load.total_us() for _, load in pairs)
        echoes = median(load.total_us() / echo.us["echo"] for echo, load in pairs)
        self.rows.append(row("register_redis_all", rate, "1/s", ">= 37800 (3 x Leshan)", rate >= 37_800, 1 / echoes,
                             cpu_us=cost, echoes=echoes))

    def downlink(self, loader):
        import downlink  # needs grpc, which the other parts do not

        p50, p99, rate = downlink.reads_under_load(self.stack, loader, self.options.devices)
        self.rows.append(row("downlink_read_p50", p50, "ms", "<= 1 ms under 20k updates/s", p50 <= 1, per_second=rate))
        self.rows.append(row("downlink_read_p99", p99, "ms", "<= 10 ms under 20k updates/s", p99 <= 10))

    def redis_info(self, section):
        import socket

        with socket.create_connection(("127.0.0.1", self.stack.redis.port), timeout=5) as connection:
            connection.sendall(f"INFO {section}\r\n".encode())
            text = b""
            while not text.endswith(b"\r\n\r\n") and b"\r\n\r\n" not in text[-4:]:
                text += connection.recv(65536)
                header, _, body = text.partition(b"\r\n")
                if len(body) >= int(header[1:]) + 2:
                    break
        pairs = (line.split(":", 1) for line in text.decode().splitlines() if ":" in line)
        return dict(pairs)

    def redis_memory(self):
        return int(self.redis_info("memory")["used_memory"])

    def redis_commands(self):
        return int(self.redis_info("stats")["total_commands_processed"])


def print_table(rows):
    print(f"\n{'row':28} {'value':>12} {'unit':9} {'of echo':>8}  {'goal':32} holds")
    for item in rows:
        ratio = "" if item["echo_ratio"] is None else f"{item['echo_ratio']:.2f}"
        print(f"{item['id']:28} {item['value']:>12.3f} {item['unit']:9} {ratio:>8}  {item['goal']:32} "
              f"{'yes' if item['holds'] else 'NO'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--round-seconds", type=float, default=2)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=[])
    parser.add_argument("--settings", default="{}", help="JSON: {\"ingress\": {\"key\": value}, ...} for the services")
    parser.add_argument("--output", default=str(ROOT / "build" / "bench" / "results.json"))
    options = parser.parse_args()
    bench = Bench(options)
    try:
        bench.run()
    finally:
        if bench.rows:
            output = pathlib.Path(options.output)
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(json.dumps(bench.rows, indent=1) + "\n")
            print_table(bench.rows)
            print(f"\nwritten to {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
