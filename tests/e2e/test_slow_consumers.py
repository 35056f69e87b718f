"""Consumers that stop reading: they are cut and go on from their token without a gap, and nobody else notices."""

import json
import subprocess
import threading
import time

import grpc
import pytest
from api_client import TENANT, device_pb2, device_pb2_grpc, eventually, observation_pb2, observation_pb2_grpc
from kafka_reader import Topic
from platform_stack import BIN, Stack
from servers import spawn

DEVICES = 400
RATE = 1500
GROWTH_KIB = 96 * 1024
# A client that lets the window of its stream grow no further than it starts.
SMALL_WINDOW = [("grpc.http2.bdp_probe", 0), ("grpc.use_local_subchannel_pool", 1)]


@pytest.fixture(scope="module")
def stack():
    settings = {
        "observation": {"streams.queue_max": 128, "streams.slow_limit": "2s"},
        "registry": {"watch.write_deadline": "2s"},
        "api": {"streams.write_deadline": "30s"},
    }
    with Stack(settings=settings) as running:
        yield running
        codes = running.stop()
        assert all(code == 0 for code in codes.values()), f"not drained cleanly: {codes}"


def simulate(stack, *arguments):
    return spawn([str(BIN / "lanyard"), "simulate", "--phases", "--target", f"coap://127.0.0.1:{stack.coap_ports[0]}",
                  *map(str, arguments)],
                 text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def phase(loader, line):
    loader.stdin.write(line + "\n")
    loader.stdin.flush()
    return json.loads(loader.stdout.readline())


@pytest.fixture(scope="module")
def loader(stack):
    """A fleet under observation that does what phase() tells it."""
    process = simulate(stack, "--count", DEVICES)
    assert json.loads(process.stdout.readline())["registered"]
    assert phase(process, "notifications 1 100 64")["acknowledged"] > 0  # begins when all are observed
    yield process
    process.stdin.close()
    process.wait(30)


def rss_kib(service):
    with open(f"/proc/{service.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


class Reader:
    """Reads a stream in a thread of its own while it may."""

    def __init__(self, stack, method, request, options=()):
        self.channel = grpc.insecure_channel(stack.api_address, options=list(options))
        stub = {"StreamValues": observation_pb2_grpc.ObservationServiceStub,
                "WatchDevices": device_pb2_grpc.DeviceServiceStub}[method](self.channel)
        self.messages = []
        self.token = ""
        self.code = None
        self.may_read = threading.Event()
        self.may_read.set()
        self._call = getattr(stub, method)(request)
        self._take(next(self._call))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _take(self, message):
        self.messages.append(message)
        self.token = message.resume_token or self.token

    def _run(self):
        try:
            while True:
                self.may_read.wait()
                self._take(next(self._call))
        except StopIteration:
            self.code = grpc.StatusCode.OK
        except grpc.RpcError as error:
            self.code = error.code()

    def end(self, seconds=60):
        """Reads what is left and gives the status of the end."""
        self.may_read.set()
        self._thread.join(seconds)
        return self.code

    def close(self):
        self._call.cancel()
        self.may_read.set()
        self._thread.join(10)
        self.channel.close()


def values_request(token=""):
    return observation_pb2.StreamValuesRequest(parent=TENANT, resume_token=token)


def event_ids(messages):
    return [m.event_id for m in messages if m.event_id]


def settled(topic, seconds=3):
    """Everything that is in the topic; it has grown no further for a while."""
    quiet = time.monotonic()
    while time.monotonic() - quiet < seconds:
        if topic.poll(0.5):
            quiet = time.monotonic()
    return topic


def test_a_reader_of_values_that_stops_is_cut_and_resumes_without_a_gap(stack, loader):
    telemetry = settled(Topic(stack.kafka.bootstrap, "lwm2m.telemetry.v1"))
    known = {v["event_id"] for v in telemetry.values()}
    healthy = Reader(stack, "StreamValues", values_request())
    slow = [Reader(stack, "StreamValues", values_request(), SMALL_WINDOW) for _ in range(4)]
    before = {name: rss_kib(service) for name, service in stack.services.items()}
    for reader in slow:
        reader.may_read.clear()
    observation = stack.service("observation")
    cut = observation.metric("lanyard_value_streams_cut_total")
    result = phase(loader, f"notifications 8 {RATE} 512")
    assert result["acknowledged"] + result["unanswered"] == result["sent"], result
    eventually(lambda: observation.metric("lanyard_value_streams_cut_total") >= cut + len(slow), "all slow are cut")

    # Everybody else: each acknowledged value is in Kafka, and the reader that reads has them all.
    expected = {v["event_id"] for v in settled(telemetry).values()} - known
    assert len(expected) >= result["acknowledged"]
    eventually(lambda: set(event_ids(healthy.messages)) >= expected, "the other reader has every value", seconds=60)
    grown = {name: rss_kib(service) - before[name] for name, service in stack.services.items()}
    assert all(size < GROWTH_KIB for size in grown.values()), grown

    # The slow ones: what they got, and what they get after their token, is everything.
    for reader in slow:
        assert reader.end() is grpc.StatusCode.RESOURCE_EXHAUSTED
        first = event_ids(reader.messages)
        assert len(first) < len(expected)
        rest = Reader(stack, "StreamValues", values_request(reader.token))
        eventually(lambda r=rest, f=first: set(f) | set(event_ids(r.messages)) >= expected, "the rest", seconds=60)
        assert not set(first) & set(event_ids(rest.messages)), "nothing comes twice"
        rest.close()
        reader.close()
    healthy.close()
    telemetry.close()


def test_a_watcher_that_stops_is_cut_and_resumes_without_a_gap(stack, loader):
    states = settled(Topic(stack.kafka.bootstrap, "lwm2m.device-state.v1"))
    known = len(states.records)
    slow = Reader(stack, "WatchDevices", device_pb2.WatchDevicesRequest(parent=TENANT), SMALL_WINDOW)
    eventually(lambda: slow.token, "the snapshot is over")
    slow.may_read.clear()
    registry = stack.service("registry")
    cut = registry.metric("lanyard_registry_watch_cuts_total")
    result = phase(loader, "registrations 6 500 256")
    assert result["acknowledged"] > 500, result
    eventually(lambda: registry.metric("lanyard_registry_watch_cuts_total") > cut, "the watcher is cut")

    def changes(messages):
        kind = device_pb2.WatchDevicesResponse
        return [(m.device.endpoint, m.device.registration.generation) for m in messages
                if m.type in (kind.TYPE_MODIFIED, kind.TYPE_DELETED)]

    settled(states)
    expected = {(v["endpoint"], v["registration"]["generation"]) for v in states.values()[known:]}
    assert slow.end() is grpc.StatusCode.RESOURCE_EXHAUSTED
    first = changes(slow.messages)
    assert len(set(first)) < len(expected)
    rest = Reader(stack, "WatchDevices", device_pb2.WatchDevicesRequest(parent=TENANT, resume_token=slow.token))
    eventually(lambda: set(first) | set(changes(rest.messages)) >= expected, "the rest", seconds=60)
    rest.close()
    slow.close()
    states.close()


def test_tail_into_a_pipe_that_nobody_reads_goes_on_where_it_was(stack, loader):
    telemetry = settled(Topic(stack.kafka.bootstrap, "lwm2m.telemetry.v1"))
    # With what a pipe, a window and a queue hold it has to stop soon.
    tail = spawn([str(BIN / "lanyard"), "--api", stack.api_address, "-o", "json", "tail", "telemetry"], text=True,
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # The stream begins with what is stored from its start on: its first line tells that it has begun.
    lines = []
    began = threading.Event()

    def read_first():
        lines.append(json.loads(tail.stdout.readline()))
        began.set()

    threading.Thread(target=read_first, daemon=True).start()
    while not began.wait(0.2):
        phase(loader, "notifications 0.2 100 64")
    known = {v["event_id"] for v in settled(telemetry).values()}
    observation = stack.service("observation")
    cut = observation.metric("lanyard_value_streams_cut_total")
    for _ in range(10):  # until all that lies between is full, and the limit has passed
        phase(loader, f"notifications 4 {RATE} 512")
        if observation.metric("lanyard_value_streams_cut_total") > cut:
            break
    else:
        raise AssertionError("tail is not cut")
    expected = {v["event_id"] for v in settled(telemetry).values()} - known

    def read_rest():
        for line in tail.stdout:
            lines.append(json.loads(line))

    threading.Thread(target=read_rest, daemon=True).start()
    eventually(lambda: {line["event_id"] for line in list(lines)} >= expected, "every value is printed", seconds=60)
    assert tail.poll() is None
    tail.kill()
    tail.wait()
    telemetry.close()
