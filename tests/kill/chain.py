"""The platform under load, as the scenarios attack it: services, load programs, recorder, comparison at the end.

    with Chain(context, "crash") as chain:
        chain.load(mixed(context.devices))
        chain.kill("registry-0"); chain.restart("registry-0")
        report = chain.settle_and_compare()
"""

import collections
import json
import subprocess
import sys
import time

import api_client
import compare
from confluent_kafka import Consumer, KafkaException, TopicPartition
from fleet import Fleet
from memory import Memory
from platform_stack import Stack
from servers import ROOT, spawn

TOPICS = ("lwm2m.telemetry.v1", "lwm2m.lifecycle.v1", "lwm2m.device-state.v1", "lwm2m.dead-letter.v1")
# (consumer group, topic) that have to be caught up with before anything can be called lost.
VALUES = ("lanyard-observation.uplink", "lwm2m.uplink.v1")
EVENTS = ("lanyard-observation.lifecycle", "lwm2m.lifecycle.v1")
READY_SECONDS = 90
SETTLE_SECONDS = 180


class Chain:
    def __init__(self, context, name, fields=(), **stack):
        """`fields`: only these of each record are written down, for long runs. `stack`: replicas and settings."""
        self.context = context
        self.fields = fields
        self.directory = context.own_directory(name)
        # `always`: Redis answers when the change is on disk. With `everysec` a crash may take two seconds along.
        self.stack = Stack(directory=self.directory / "stack", fsync="always", **stack)
        self.fleets = []
        self.windows = []
        self.recorder = None
        self.memory = None
        self._killed_at = {}
        self._counts = {}

    def __enter__(self):
        began = time.monotonic()
        self.stack.__enter__()
        self.memory = Memory(lambda: {s.name: s.process.pid for s in self.stack.services.values() if s.running()})
        self.recorder = spawn([sys.executable, str(ROOT / "tests" / "kill" / "record.py"), "--bootstrap",
                               self.stack.kafka.bootstrap, "--directory", str(self.directory),
                               "--fields", ",".join(self.fields), *TOPICS],
                              stdin=subprocess.PIPE, stdout=open(self.directory / "recorder.out", "wb"),
                              stderr=open(self.directory / "recorder.err", "wb"), text=True)
        self.window("start", "nothing")
        self.context.say(f"platform of {len(self.stack.services)} services ready after "
                         f"{time.monotonic() - began:.1f} s, files in {self.directory}")
        return self

    def __exit__(self, *_):
        for fleet in self.fleets:
            fleet.kill()
        self.memory.stop()
        if self.recorder.poll() is None:
            self.recorder.kill()
            self.recorder.wait()
        self.stack.__exit__()

    # Load.

    def load(self, fleets, seconds=120):
        """Starts load programs and waits until every device is registered."""
        for options in fleets:
            made = Fleet(self.directory, f"127.0.0.1:{self.stack.coap_ports[options.pop('ingress', 0)]}", **options)
            self.fleets.append(made)
        wanted = sum(fleet.count for fleet in self.fleets)
        self.wait(lambda: sum(f.registered() for f in self.fleets) >= wanted, f"{wanted} devices registered", seconds)
        self.context.say(f"{wanted:,} devices registered: " + ", ".join(f"{f.name} {f.count:,}" for f in self.fleets))

    def progress(self):
        """One line of what is going on."""
        registered = sum(fleet.registered() for fleet in self.fleets)
        rate = sum(fleet.rate() for fleet in self.fleets)
        counts = self.recorded()
        down = [s.name for s in self._everything().values() if not s.running()]
        return (f"{registered:,} registered, {rate:,.0f} acknowledged/s, recorded {counts.get(TOPICS[0], 0):,} values "
                f"{counts.get(TOPICS[1], 0):,} events" + (f", down: {' '.join(down)}" if down else ""))

    def recorded(self):
        """How many records of each topic are written down so far."""
        try:
            lines = (self.directory / "recorder.out").read_bytes()[-2000:].splitlines()
            self._counts = json.loads(lines[-1])
        except (OSError, IndexError, ValueError):
            pass
        return self._counts

    def run_for(self, seconds):
        """Lets time pass under load."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.context.live(self.progress())
            time.sleep(min(left, 0.25))

    def wait(self, question, what, seconds):
        """Until the answer is true; gives the seconds it took."""
        began = time.monotonic()
        while not question():
            if time.monotonic() - began > seconds:
                raise RuntimeError(f"not within {seconds} s: {what}; {self.progress()}")
            self.context.live(f"waiting: {what}; {self.progress()}")
            time.sleep(0.2)
        return time.monotonic() - began

    # Killing.

    def _everything(self):
        return {**self.stack.services, "redis": self.stack.redis, "kafka": self.stack.kafka}

    def process(self, name):
        """A service by its name ("registry-0"), or "redis" or "kafka"."""
        return self._everything()[name]

    def window(self, window_id, killed):
        """From now on acknowledgements count for this row."""
        self.windows.append({"id": window_id, "killed": killed, "from_ms": int(time.time() * 1000)})

    def kill(self, name):
        """SIGKILL."""
        self.process(name).kill()
        self._killed_at[name] = time.monotonic()
        self.context.say(f"kill -9 {name}")

    def restart(self, *names):
        """Starts them again, and nothing else; gives the seconds that the first was down, and those from the start of
        the first until every service was ready by itself."""
        others = self._pids(but=names)
        began = time.monotonic()
        for name in names:
            self.process(name).launch()
        for name in names:
            self.process(name).wait_for_answer()
        self.wait(self.all_ready, "all services ready", READY_SECONDS)
        down = began - self._killed_at[names[0]]
        ready = time.monotonic() - began
        killed = " and ".join(names)
        self._expect_alive(others, f"only {killed} was killed")
        self.context.say(f"{killed} down for {down:.1f} s, all services ready {ready:.1f} s after the start")
        return down, ready

    def hang(self, name, seconds, meanwhile=lambda: None):
        """Stops its clock for a while: connections stay, answers do not come. Gives what `meanwhile` gave, and the
        seconds until every service was ready by itself."""
        everybody = self._pids()
        began = time.monotonic()
        self.process(name).freeze()
        self.context.say(f"{name} hangs")
        try:
            seen = meanwhile()
            self.run_for(seconds - (time.monotonic() - began))
        finally:
            self.process(name).thaw()
        ready = self.wait(self.all_ready, "all services ready", READY_SECONDS)
        self._expect_alive(everybody, f"{name} only hung")
        self.context.say(f"{name} goes on, all services ready {ready:.1f} s later")
        return seen, ready

    def _pids(self, but=()):
        return {s.name: s.process.pid for s in self.stack.services.values() if s.name not in but and s.running()}

    def _expect_alive(self, pids, although):
        """Nobody may end, or be started again, but those that a test killed."""
        dead = [name for name, pid in pids.items()
                if not self.process(name).running() or self.process(name).process.pid != pid]
        if dead:
            raise RuntimeError(f"{dead} ended although {although}")

    def all_ready(self):
        return all(s.running() and s.ready() for s in self.stack.services.values())

    # The end.

    def lag(self, of):
        """Records that a consumer group of the platform has not yet committed; None while Kafka does not tell."""
        group, topic = of
        consumer = Consumer({"bootstrap.servers": self.stack.kafka.bootstrap, "group.id": group})
        try:
            partitions = [TopicPartition(topic, p) for p in consumer.list_topics(topic, 10).topics[topic].partitions]
            return sum(consumer.get_watermark_offsets(place, 10)[1] - max(place.offset, 0)
                       for place in consumer.committed(partitions, 10))
        except KafkaException:
            return None
        finally:
            consumer.close()

    def unpublished(self):
        """Lifecycle events that the registry has yet to publish: a reason to wait, not part of the judgement."""
        import redis
        client = redis.Redis(port=self.stack.redis.port)
        return sum(client.llen(f"reg:{{p{partition}}}:out") for partition in range(64))

    def terminate(self, name):
        """Ends the load programs of this name; their devices fall silent."""
        for fleet in self.fleets:
            if fleet.name == name:
                fleet.terminate()

    def stop_load(self):
        """Ends the load programs and gives their summaries by name."""
        for fleet in self.fleets:
            fleet.terminate()
        return {fleet.name: fleet.summary() for fleet in self.fleets}

    def settle(self):
        """Ends the load, waits until everything is passed on, and completes the files. Gives the seconds it took."""
        began = time.monotonic()
        self.wait(self.all_ready, "all services ready", READY_SECONDS)
        self.terminate("churn")
        published = self.wait(lambda: self.unpublished() == 0, "lifecycle events published", SETTLE_SECONDS)
        # An event is done when its device is under observation, so this needs living devices.
        self.wait(lambda: self.lag(EVENTS) == 0, "every registered device observed", SETTLE_SECONDS)
        self.summaries = self.stop_load()
        self.dump_devices()
        caught_up = self.wait(lambda: self.lag(VALUES) == 0, "consumers caught up", SETTLE_SECONDS)
        self.context.say(f"events published after {published:.1f} s, consumers caught up after {caught_up:.1f} s")
        self.recorder.stdin.write("finish\n")
        self.recorder.stdin.flush()
        if self.recorder.wait(SETTLE_SECONDS) != 0:
            raise RuntimeError(f"recorder: {(self.directory / 'recorder.err').read_text()}")
        return time.monotonic() - began

    def dump_devices(self):
        """What the API tells of every device, into devices.jsonl."""
        api = api_client.Api(self.stack.api_address)
        page = ""
        with open(self.directory / "devices.jsonl", "w", encoding="utf-8") as file:
            while True:
                asked_ms = int(time.time() * 1000)
                request = api_client.device_pb2.ListDevicesRequest(parent=api_client.TENANT, page_size=1000,
                                                                   page_token=page)
                answer = api.devices.ListDevices(request, timeout=30)
                for device in answer.devices:
                    held = device.registration
                    file.write(json.dumps({"ep": device.endpoint, "asked_ms": asked_ms, "generation": held.generation,
                                           "registration_id": held.registration_id}) + "\n")
                page = answer.next_page_token
                if not page:
                    break
        api.channel.close()

    def acknowledged_between(self, from_ms, to_ms):
        """Acknowledgements of the fleets by kind in a stretch of time; after settle()."""
        found = collections.Counter()
        for path in self.directory.glob("acks-*.jsonl"):
            found.update(a["kind"] for a in compare.read_lines(path) if from_ms <= a["ts"] <= to_ms)
        return found

    def settle_and_compare(self):
        seconds = self.settle()
        self.context.say(f"settled after {seconds:.1f} s, comparing")
        (self.directory / "windows.json").write_text(json.dumps(self.windows))
        report = compare.compare_files(self.directory, self.windows)
        (self.directory / "report.json").write_text(json.dumps(report.as_json(), indent=1))
        return report
