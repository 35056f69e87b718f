"""Every service starts while Redis and Kafka are missing, says what it waits for, and becomes ready by itself.

Run: .tools/venv/bin/python -m pytest tests/e2e/test_start_alone.py (needs build/release/bin and tools/install-deps).
"""

import pytest
from aiocoap.numbers.codes import CREATED
from api_client import eventually
from platform_stack import Stack
from raw_device import RawDevice

KINDS = ("registry", "ingress", "observation", "api")


@pytest.fixture(scope="module")
def lonely():
    """All services running, and nothing that they need."""
    stack = Stack()
    try:
        for kind in KINDS:
            service = stack._make(kind, 0)
            service.wait_ready = False  # it lives; that is all that can be asked for
            stack.services[service.name] = service
            service.start()
        yield stack
    finally:
        stack.__exit__()


def lines(stack, kind):
    return stack.service(kind).get("/readyz?verbose")[1].splitlines()


def waits_for(stack, kind, *words):
    """Whether a line of the health page that says "down" has all these words."""
    return any("down" in line and all(word in line for word in words) for line in lines(stack, kind))


def test_services_live_without_redis_and_kafka_and_say_what_they_wait_for(lonely):
    for kind in ("registry", "ingress", "observation"):
        assert lonely.service(kind).get("/livez")[0] == 200
    redis, kafka = str(lonely.redis.port), lonely.kafka.bootstrap
    eventually(lambda: waits_for(lonely, "registry", "redis", "5.03"), f"the registry waits for Redis at {redis}")
    eventually(lambda: waits_for(lonely, "registry", "kafka", "outbox"), f"the registry waits for Kafka at {kafka}")
    eventually(lambda: waits_for(lonely, "ingress", "uplink-topic", "again"), "the ingress waits for its topic")
    eventually(lambda: waits_for(lonely, "observation", "kafka", "again"), "observation waits for its topics")
    eventually(lambda: waits_for(lonely, "observation", "redis"), "observation waits for its templates")
    for kind in ("registry", "ingress", "observation"):
        assert lonely.service(kind).get("/readyz")[0] == 503, kind


def test_a_device_is_told_to_come_later(lonely):
    device = RawDevice(lonely.coap_ports[0], "too-early")
    answer = device.register(seconds=30)
    assert str(answer.code).startswith("5.03")
    assert answer.opt.max_age >= 1
    device.close()


def test_they_become_ready_by_themselves(lonely):
    lonely.redis.start()
    eventually(lambda: not waits_for(lonely, "registry", "redis"), "the registry has found Redis", seconds=30)
    assert lonely.service("registry").get("/readyz")[0] == 503, "the topics are not there yet"
    lonely.kafka.start()
    lonely.wait_ready()
    device = RawDevice(lonely.coap_ports[0], "in-time")
    eventually(lambda: device.register().code is CREATED, "a Register", seconds=30)
    device.close()
    codes = lonely.stop()
    assert all(code == 0 for code in codes.values()), codes
