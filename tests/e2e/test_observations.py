"""ObservationService as an integrator uses it: observations, templates, latest values, streams."""

import contextlib
import json
import queue
import signal
import subprocess
import threading
import time

import grpc
import pytest
from aiocoap.numbers.codes import CHANGED, CREATED, GET, PUT
from api_client import TENANT, eventually, observation_pb2
from platform_stack import BIN
from raw_device import RawDevice

State = observation_pb2.Observation


@pytest.fixture
def device(stack, request):
    made = RawDevice(stack.coap_ports[0], request.node.name.removeprefix("test_").replace("_", "-")[:60])
    yield made
    made.close()


def refused(call, request):
    """The error of a call that must fail."""
    with pytest.raises(grpc.RpcError) as error:
        call(request, timeout=10)
    return error.value


def chunks(message, number):
    """The length-delimited fields of that number in a protobuf message: google.rpc is not installed with grpcio."""
    at, out = 0, []

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
            if byte < 0x80:
                return value

    while at < len(message):
        tag, value = varint(), varint()
        if tag & 7 == 2:
            if tag >> 3 == number:
                out.append(message[at:at + value])
            at += value
    return out


def field_of(error):
    """The first field that an INVALID_ARGUMENT names in its google.rpc.BadRequest."""
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
    status = dict(error.trailing_metadata())["grpc-status-details-bin"]
    for detail in chunks(status, 3):
        if chunks(detail, 1)[0].endswith(b"google.rpc.BadRequest"):
            violations = chunks(chunks(detail, 2)[0], 1)
            return chunks(violations[0], 1)[0].decode()
    raise AssertionError("no BadRequest")


def listed(api, endpoint):
    request = observation_pb2.ListObservationsRequest(parent=api.name(endpoint))
    return {o.path: o for o in api.observations.ListObservations(request, timeout=10).observations}


def active(api, endpoint, path):
    return eventually(lambda: (o := listed(api, endpoint).get(path)) and o.state == State.STATE_ACTIVE and o,
                      f"{path} ACTIVE")


def observed(device, flag, path):
    """Waits for the Observe (0) or its cancellation (1)."""
    parts = tuple(path.strip("/").split("/"))
    return device.expect(lambda m: m.code is GET and m.opt.observe == flag and m.opt.uri_path == parts,
                         f"Observe={flag} of {path}", 15)


def new_template(name, *paths, **fields):
    return observation_pb2.CreateObservationTemplateRequest(
        parent=TENANT, template_id=name, template=observation_pb2.ObservationTemplate(paths=paths, **fields))


def test_an_observation_of_one_device_lives_and_dies(device, api):
    assert device.register().code is CREATED
    device.accept_observation()
    made = api.observe(device.endpoint, "/3/0/9", pmin=2)
    assert made.name == f"{api.name(device.endpoint)}/observations/3.0.9"
    written = device.expect(lambda m: m.code is PUT, "the attributes", 15)
    assert (written.opt.uri_path, written.opt.uri_query) == (("3", "0", "9"), ("pmin=2",))
    device.reply(written, b"", code=CHANGED)
    request = observed(device, 0, "/3/0/9")
    device.reply(request, b"87", observe=5)
    found = active(api, device.endpoint, "/3/0/9")
    assert dict(found.attributes) == {"pmin": "2"}
    one = api.observations.GetObservation(observation_pb2.GetObservationRequest(name=made.name), timeout=10)
    assert one.path == "/3/0/9"

    again = observation_pb2.CreateObservationRequest(parent=api.name(device.endpoint),
                                                     observation=observation_pb2.Observation(path="/3/0/9"))
    assert refused(api.observations.CreateObservation, again).code() == grpc.StatusCode.ALREADY_EXISTS
    remove = observation_pb2.DeleteObservationRequest(name=made.name)
    api.observations.DeleteObservation(remove, timeout=10)
    cancelled = observed(device, 1, "/3/0/9")
    assert cancelled.token == request.token, "RFC 7641 section 3.6: the token of the observation"
    device.reply(cancelled, b"87")
    assert refused(api.observations.DeleteObservation, remove).code() == grpc.StatusCode.NOT_FOUND
    missing = observation_pb2.GetObservationRequest(name=made.name)
    assert refused(api.observations.GetObservation, missing).code() == grpc.StatusCode.NOT_FOUND


def test_a_template_reaches_its_devices_and_leaves_them(device, api):
    links = b'</>;rt="oma.lwm2m",</1/0>,</3/0>,</3315/0>,</3315/7>'
    assert device.register(payload=links).code is CREATED
    made = api.observations.CreateObservationTemplate(
        new_template("pressure", "/3315/*/5700", object_id=3315, filter=f'endpoint = "{device.endpoint}"'), timeout=10)
    assert made.name == f"{TENANT}/observationTemplates/pressure"
    tokens = {}
    for instance in ("0", "7"):
        request = observed(device, 0, f"/3315/{instance}/5700")
        tokens[instance] = request.token
        device.reply(request, b"1013", observe=1)
    for instance in ("0", "7"):
        assert active(api, device.endpoint, f"/3315/{instance}/5700").template == made.name
    own = observation_pb2.DeleteObservationRequest(
        name=f"{api.name(device.endpoint)}/observations/pressure.3315.0.5700")
    assert refused(api.observations.DeleteObservation, own).code() == grpc.StatusCode.FAILED_PRECONDITION

    api.observations.DeleteObservationTemplate(
        observation_pb2.DeleteObservationTemplateRequest(name=made.name), timeout=10)
    for instance in ("0", "7"):
        cancelled = observed(device, 1, f"/3315/{instance}/5700")
        assert cancelled.token == tokens[instance]
        device.reply(cancelled, b"1013")
    eventually(lambda: not listed(api, device.endpoint), "no observation is left")


def test_templates_are_listed_and_exist_once(api):
    api.observations.CreateObservationTemplate(new_template("battery", "/3/0/9", object_id=3), timeout=10)
    assert refused(api.observations.CreateObservationTemplate,
                   new_template("battery", "/3/0/9")).code() == grpc.StatusCode.ALREADY_EXISTS
    request = observation_pb2.ListObservationTemplatesRequest(parent=TENANT)
    names = {t.name for t in api.observations.ListObservationTemplates(request, timeout=10).templates}
    assert f"{TENANT}/observationTemplates/battery" in names
    name = f"{TENANT}/observationTemplates/battery"
    get = observation_pb2.GetObservationTemplateRequest(name=name)
    assert list(api.observations.GetObservationTemplate(get, timeout=10).paths) == ["/3/0/9"]
    remove = observation_pb2.DeleteObservationTemplateRequest(name=name)
    api.observations.DeleteObservationTemplate(remove, timeout=10)
    assert refused(api.observations.DeleteObservationTemplate, remove).code() == grpc.StatusCode.NOT_FOUND
    assert refused(api.observations.GetObservationTemplate, get).code() == grpc.StatusCode.NOT_FOUND


def test_invalid_arguments_name_their_field(device, api):
    assert device.register().code is CREATED
    service = api.observations
    parent = api.name(device.endpoint)

    def create(path, parent=parent, **fields):
        wanted = observation_pb2.Observation(path=path, **fields)
        return observation_pb2.CreateObservationRequest(parent=parent, observation=wanted)

    cases = [
        (service.CreateObservation, create("/3/0/9", parent="devices/x"), "parent"),
        (service.CreateObservation, create("/3/*/9"), "observation.path"),
        (service.CreateObservation, create("/"), "observation.path"),
        (service.CreateObservation, create("/3/0/9", accept=70000), "observation.accept"),
        (service.ListObservations, observation_pb2.ListObservationsRequest(parent="x"), "parent"),
        (service.GetObservation, observation_pb2.GetObservationRequest(name=parent), "name"),
        (service.DeleteObservation, observation_pb2.DeleteObservationRequest(name=parent), "name"),
        (service.CreateObservationTemplate, new_template("Bad Id", "/3/0/9"), "template_id"),
        (service.CreateObservationTemplate, new_template("a", "/x"), "template.paths[0]"),
        (service.CreateObservationTemplate, new_template("a"), "template.paths"),
        (service.CreateObservationTemplate, new_template("a", "/3/0/9", filter="=="), "template.filter"),
        (service.CreateObservationTemplate, new_template("a", "/3/0/9", object_id=65535), "template.object_id"),
        (service.ListObservationTemplates, observation_pb2.ListObservationTemplatesRequest(parent="x"), "parent"),
        (service.GetObservationTemplate, observation_pb2.GetObservationTemplateRequest(name="x"), "name"),
        (service.DeleteObservationTemplate, observation_pb2.DeleteObservationTemplateRequest(name="x"), "name"),
        (service.GetLatestValues, observation_pb2.GetLatestValuesRequest(device="x"), "device"),
        (service.GetLatestValues, observation_pb2.GetLatestValuesRequest(device=parent, path_prefixes=["/3", "y"]),
         "path_prefixes[1]"),
    ]
    for call, request, field in cases:
        assert field_of(refused(call, request)) == field, request
    bad = create("/3/0/9")
    bad.observation.attributes["nonsense"] = "1"
    assert field_of(refused(service.CreateObservation, bad)).startswith("observation.attributes")
    for request, field in ((observation_pb2.StreamValuesRequest(parent="x"), "parent"),
                           (observation_pb2.StreamValuesRequest(parent=parent, resume_token="00"), "resume_token")):
        with pytest.raises(grpc.RpcError) as error:
            next(service.StreamValues(request, timeout=10))
        assert field_of(error.value) == field
    nobody = create("/3/0/9", parent=api.name("nobody"))
    assert refused(service.CreateObservation, nobody).code() == grpc.StatusCode.NOT_FOUND


def test_latest_values_and_a_stream_that_is_resumed(device, api):
    assert device.register().code is CREATED
    latest = observation_pb2.GetLatestValuesRequest(device=api.name(device.endpoint), path_prefixes=["/3303"])
    assert refused(api.observations.GetLatestValues, latest).code() == grpc.StatusCode.NOT_FOUND
    token = device.accept_observation(b"1.0")
    active(api, device.endpoint, "/3303/0/5700")
    request = observation_pb2.StreamValuesRequest(parent=api.name(device.endpoint), path_prefixes=["/3303"])
    stream = api.observations.StreamValues(request, timeout=60)
    assert next(stream).resume_token, "the first message says where the stream begins"

    def take(stream, count):
        out = []
        while len(out) < count:
            message = next(stream)
            if message.device:
                out.append(message)
        return out

    for sequence in range(2, 6):
        device.acknowledged(device.notify(token, sequence, b"%d.5" % sequence))
    first = take(stream, 2)
    stream.cancel()
    device.acknowledged(device.notify(token, 6, b"6.5"))
    request.resume_token = first[-1].resume_token
    stream = api.observations.StreamValues(request, timeout=60)
    rest = take(stream, 3)
    stream.cancel()
    assert [m.value.node.double_value for m in first + rest] == [2.5, 3.5, 4.5, 5.5, 6.5]

    def newest():
        try:
            values = api.observations.GetLatestValues(latest, timeout=10).values
        except grpc.RpcError:
            return False
        return values and values[0].node.double_value == 6.5
    eventually(newest, "the newest value")


def test_the_simulator_honours_pmin(stack, api):
    from kafka_reader import Topic
    simulator = subprocess.Popen(
        [BIN / "lanyard", "simulate", "--count", "1", "--endpoint", "pmin-%07u", "--interval", "0.2", "--seconds", "60",
         "--target", f"coap://127.0.0.1:{stack.coap_ports[0]}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    topic = Topic(stack.kafka.bootstrap, "lwm2m.telemetry.v1")
    try:
        endpoint = eventually(lambda: next((r["endpoint"] for r in (topic.poll(), topic.values())[1]
                                            if r["endpoint"].startswith("pmin-")), None), "the simulated sensor")
        api.observe(endpoint, "/3303/0/5700", pmin=3)
        active(api, endpoint, "/3303/0/5700")
        time.sleep(10)
        topic.poll(1)
        times = [r["received_ms"] for r in topic.values() if r["endpoint"] == endpoint and r["path"] == "/3303/0/5700"]
        gaps = [b - a for a, b in zip(times[-3:], times[-2:])]
        assert len(gaps) == 2 and min(gaps) >= 2800, times
    finally:
        topic.close()
        simulator.terminate()
        simulator.wait(10)


@contextlib.contextmanager
def command_line(stack, *arguments):
    """A `lanyard` command that runs beside the test; a function that gives its next line, None when none came."""
    process = subprocess.Popen([BIN / "lanyard", "--api", stack.api_address, *arguments],
                               stdout=subprocess.PIPE, text=True)
    lines = queue.Queue()
    reader = threading.Thread(target=lambda: [lines.put(each) for each in process.stdout])
    reader.start()

    def line(seconds=60):
        try:
            return lines.get(timeout=seconds)
        except queue.Empty:
            return None
    try:
        yield process, line
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def value_of(line):
    """Of "TIME  DEVICE  PATH = 20.5"."""
    return float(line.rsplit("=", 1)[1].split()[0])


def test_the_command_line_follows_over_a_restart(stack, device, api):
    assert device.register().code is CREATED
    token = device.accept_observation(b"0.5")
    active(api, device.endpoint, "/3303/0/5700")
    with command_line(stack, "tail", "telemetry", "--endpoint", device.endpoint, "--count", "2") as (tail, line):
        sequence = 10
        until = time.monotonic() + 20
        while not (shown := line(0.3)):
            assert time.monotonic() < until, "nothing is followed"
            sequence += 1
            device.acknowledged(device.notify(token, sequence, b"%d.5" % sequence))
        first = value_of(shown)
        stack.service("observation").stop()
        device.acknowledged(device.notify(token, sequence + 1, b"%d.5" % (sequence + 1)))
        stack.service("observation").start()
        assert value_of(line()) == first + 1, "no gap, nothing twice"
        assert tail.wait(60) == 0


def test_observe_shows_every_value_from_the_first_on_over_a_kill(stack, device, api):
    def read_until(line, wanted):
        """Values and their resume tokens. A killed service may have stored a value and decode it again."""
        seen = []
        while not seen or seen[-1][0] != wanted:
            message = json.loads(line() or pytest.fail(f"{wanted} is not shown, only {seen}"))
            seen.append((int(message["value"]["node"]["int_value"]), message["resume_token"]))
        return seen

    assert device.register(payload=b"</1/0>,</3/0>").code is CREATED  # no template asks for /3/0/9
    with command_line(stack, "-o", "json", "observe", device.endpoint, "/3/0/9") as (observe, line):
        token = device.accept_observation(b"50")
        seen = read_until(line, 50)
        assert len(seen) == 1, "the value that came with the observation"
        active(api, device.endpoint, "/3/0/9")
        device.acknowledged(device.notify(token, 2, b"51"))
        seen += read_until(line, 51)
        stack.service("observation").kill()
        device.acknowledged(device.notify(token, 3, b"52"))
        stack.service("observation").start()
        device.acknowledged(device.notify(token, 4, b"53"))
        rest = read_until(line, 53)
        assert {value for value, _ in seen + rest} == {50, 51, 52, 53}, "no gap"
        observe.send_signal(signal.SIGINT)
        assert observe.wait(10) == 0
    with command_line(stack, "-o", "json", "tail", "telemetry", "--endpoint", device.endpoint, "--resume",
                      seen[-1][1]) as (_, line):
        assert [value for value, _ in read_until(line, 53)] == [value for value, _ in rest], "what came after the token"


def test_observe_of_nobody_is_refused(stack):
    result = subprocess.run([BIN / "lanyard", "--api", stack.api_address, "observe", "nobody", "/3303/0/5700"],
                            capture_output=True, text=True, timeout=30)
    assert result.returncode == 3, result
    assert "no such device" in result.stderr
