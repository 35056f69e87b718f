"""Two observation replicas: the partitions of a killed one are served by the other within seconds."""

import time

import pytest
from aiocoap import ACK
from aiocoap.numbers.codes import CREATED
from api_client import Api, eventually, observation_pb2
from kafka_reader import Topic
from platform_stack import Stack
from raw_device import RawDevice

DEVICES = 24  # over the partitions of both replicas
TAKEOVER_SECONDS = 45  # usually under 10; generous, because a busy machine is no fault


@pytest.fixture(scope="module")
def stack():
    with Stack(observations=2) as running:
        yield running


@pytest.fixture(scope="module")
def fleet(stack):
    devices = [RawDevice(stack.coap_ports[0], f"takeover-{i}") for i in range(DEVICES)]
    for device in devices:
        assert device.register().code is CREATED
    tokens = [device.accept_observation() for device in devices]
    yield list(zip(devices, tokens))
    for device in devices:
        device.close()


def report(fleet, sequence, value):
    for device, token in fleet:
        assert device.acknowledged(device.notify(token, sequence, b"%.1f" % value)) is ACK


def wait_for_all(topic, fleet, value):
    """Seconds until the value of every device was there."""
    began = time.monotonic()
    for device, _ in fleet:
        topic.wait(lambda r, d=device: r["endpoint"] == d.endpoint and r["value"] == value,
                   f"{value} of {device.endpoint}", TAKEOVER_SECONDS)
    return time.monotonic() - began


@pytest.mark.parametrize("victim", [0, 1])
def test_values_go_on_after_a_kill(stack, fleet, victim):
    topic = Topic(stack.kafka.bootstrap, "lwm2m.telemetry.v1")
    report(fleet, 10 * victim + 2, 100.0 + victim)
    wait_for_all(topic, fleet, 100.0 + victim)
    stack.service("observation", victim).kill()
    killed = time.monotonic()
    report(fleet, 10 * victim + 3, 200.0 + victim)
    wait_for_all(topic, fleet, 200.0 + victim)
    assert time.monotonic() - killed < TAKEOVER_SECONDS
    stack.service("observation", victim).start()
    stack.wait_ready()
    topic.close()


def test_a_device_that_registers_after_a_kill_is_observed(stack, fleet):
    stack.service("observation", 0).kill()
    for device, _ in fleet:
        assert device.register().code is CREATED
        device.accept_observation()
    api = Api(stack.api_address)

    def active():
        states = []
        for device, _ in fleet:
            request = observation_pb2.ListObservationsRequest(parent=api.name(device.endpoint))
            states += [o.state for o in api.observations.ListObservations(request, timeout=10).observations]
        return states == [observation_pb2.Observation.STATE_ACTIVE] * DEVICES
    eventually(active, "all observations ACTIVE", TAKEOVER_SECONDS)
    stack.service("observation", 0).start()
    stack.wait_ready()
