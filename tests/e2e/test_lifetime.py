"""Lifetimes: a silent device goes offline after its lifetime, a talking one never does."""

import time

import pytest
from aiocoap.numbers.codes import CHANGED, CREATED, POST
from api_client import Api, eventually
from platform_stack import Stack
from raw_device import RawDevice


@pytest.fixture(scope="module")
def stack():
    with Stack(settings={"ingress": {"lifetime.grace": "1s"}}) as running:
        yield running


@pytest.fixture(scope="module")
def api(stack):
    return Api(stack.api_address)


def test_a_silent_device_expires_and_its_location_is_gone(stack, api):
    from kafka_reader import Topic
    lifecycle = Topic(stack.kafka.bootstrap, "lwm2m.lifecycle.v1")
    device = RawDevice(stack.coap_ports[0], "lifetime-silent")
    began = time.monotonic()
    assert device.register(lifetime=3).code is CREATED
    eventually(lambda: api.state(device.endpoint) == "OFFLINE", "OFFLINE after the lifetime", seconds=20)
    assert time.monotonic() - began >= 3, "expired before its lifetime"
    lifecycle.wait(lambda r: r["endpoint"] == device.endpoint and r["event"] == "expired", "the event")
    assert str(device.request(POST, device.location, b"\x44").code).startswith("4.04")
    lifecycle.close()
    device.close()


def test_a_device_that_updates_stays_also_across_a_crash_of_the_registry(stack, api):
    device = RawDevice(stack.coap_ports[0], "lifetime-talking")
    assert device.register(lifetime=4).code is CREATED
    for round_number in range(4):
        if round_number == 1:
            stack.service("registry").kill()
        if round_number == 2:
            stack.service("registry").start()
        assert device.update(seconds=20).code is CHANGED
        time.sleep(2)  # half a lifetime
    eventually(lambda: stack.service("registry").ready(), "the registry is back")
    assert api.state(device.endpoint) == "ONLINE"
    device.close()
