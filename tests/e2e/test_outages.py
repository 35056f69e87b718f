"""Acknowledged means stored: what devices are told while Kafka or Redis is down, and that it recovers by itself."""

import pytest
from aiocoap import ACK, CON, RST, Message
from aiocoap.numbers.codes import CHANGED, CREATED, EMPTY, POST
from api_client import eventually
from raw_device import RawDevice

SENML = b'[{"n":"/3303/0/5700","v":%.1f}]'


@pytest.fixture
def device(stack, request):
    made = RawDevice(stack.coap_ports[0], f"outage-{request.node.name.removeprefix('test_')}"[:60])
    assert made.register().code is CREATED
    yield made
    made.close()


def send(device, value, token, seconds=30):
    return device.request(POST, ("dp",), token, payload=SENML % value, content_format=110, seconds=seconds)


def says(stack, service, dependency, state):
    """Whether a line of /readyz?verbose tells this state of a dependency."""
    lines = stack.service(service).get("/readyz?verbose")[1].splitlines()
    return any(dependency in line and state in line for line in lines)


def test_with_kafka_down_nothing_is_acknowledged_and_nothing_is_lost(stack, device, telemetry):
    token = device.accept_observation()
    assert device.acknowledged(device.notify(token, 2, b"10.0")) is ACK
    stack.kafka.kill()

    mid = device.notify(token, 3, b"11.0")
    answer = send(device, 12.0, b"\x61")
    assert str(answer.code).startswith("5.03")
    assert answer.opt.max_age >= 1
    silence = device.receive(1)
    assert silence is None or silence.mid != mid, "a notification was acknowledged without Kafka"
    for service in ("ingress", "registry", "observation"):
        eventually(lambda s=service: says(stack, s, "kafka", "degraded"), f"{service} says that Kafka is away", 30)
        assert stack.service(service).ready(), f"{service} is not ready without Kafka"
    newcomer = RawDevice(stack.coap_ports[0], "outage-without-kafka")
    assert newcomer.register().code is CREATED, "a Register needs no Kafka: its event waits in the outbox"
    newcomer.close()

    stack.kafka.start()
    stack.wait_ready()

    def acknowledged():
        device.notify(token, 3, b"11.0", mid=mid)
        message = device.receive(2)
        return message is not None and message.mid == mid and message.mtype is ACK

    eventually(acknowledged, "the retransmission acknowledged after Kafka came back", seconds=60)
    eventually(lambda: send(device, 12.0, b"\x62").code is CHANGED, "Send answered 2.04 again", seconds=60)
    for value in (10.0, 11.0, 12.0):
        telemetry.wait(lambda r, v=value: r["endpoint"] == device.endpoint and r["value"] == v, f"{value}", 60)


def test_with_redis_down_registers_get_5_03_and_observations_go_on(stack, device, telemetry, api):
    token = device.accept_observation()
    stack.redis.kill()

    eventually(lambda: not stack.service("registry").ready(), "the registry is not ready without Redis", 30)
    for service in ("ingress", "observation"):
        assert stack.service(service).ready(), f"{service} goes on without Redis"
    newcomer = RawDevice(stack.coap_ports[0], "outage-newcomer")
    answer = newcomer.register(seconds=30)
    assert str(answer.code).startswith("5.03")
    assert answer.opt.max_age >= 1
    assert device.update().code is CHANGED, "an Update that the pledge covers needs no Redis"
    assert device.acknowledged(device.notify(token, 2, b"71.0")) is ACK
    telemetry.wait(lambda r: r["endpoint"] == device.endpoint and r["value"] == 71.0, "the value while Redis is down")

    stack.redis.start()
    stack.wait_ready()
    eventually(lambda: newcomer.register(token=b"\x77").code is CREATED, "Register works again", seconds=30)
    assert api.state(device.endpoint) == "ONLINE", "what was stored before the kill is still there"
    newcomer.close()


def test_an_ingress_killed_and_restarted_knows_its_devices(stack, device, telemetry):
    token = device.accept_observation()
    stack.service("ingress").kill()
    stack.service("ingress").start()
    assert device.update(seconds=30).code is CHANGED, "the location survives the process"
    mid = device.notify(token, 2, b"81.0")
    assert device.acknowledged(mid) is ACK
    telemetry.wait(lambda r: r["endpoint"] == device.endpoint and r["value"] == 81.0, "the value after the restart")
    # The new process has never seen the Observe request, so the registry has to tell it what to fetch.
    values = [82 + i / 2 for i in range(8)]
    device.notify_in_blocks(token, 3, values)
    for value in values:
        telemetry.wait(lambda r, v=value: r["endpoint"] == device.endpoint and r["value"] == v, f"{value}")


def test_a_ping_during_all_this_is_still_answered(device):
    device.send(Message(code=EMPTY, mtype=CON, mid=99, token=b""))
    assert device.acknowledged(99) is RST
