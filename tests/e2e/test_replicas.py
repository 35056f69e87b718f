"""Two of every service side by side: any of them serves any device, and the death of one is made up for."""

import json
import subprocess
import time

import pytest
from aiocoap import ACK
from aiocoap.numbers.codes import CHANGED, CREATED
from api_client import Api, eventually
from kafka_reader import Topic
from platform_stack import BIN, Stack
from raw_device import RawDevice
from servers import spawn


@pytest.fixture(scope="module")
def stack():
    with Stack(ingresses=2, registries=2, observations=2) as running:
        yield running


@pytest.fixture(scope="module")
def api(stack):
    return Api(stack.api_address)


def answer_read(device, api, path, payload):
    """Reads through the API while the device answers."""
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(api.values, device.endpoint, path, 0)
        device.reply(device.next_request(), payload)
        return read.result(30)


@pytest.mark.parametrize("index", [0, 1])
def test_a_downlink_reaches_the_device_wherever_its_session_is(stack, api, index):
    device = RawDevice(stack.coap_ports[index], f"replica-{index}")
    assert device.register().code is CREATED
    device.accept_observation()
    assert api.device(device.endpoint).registration.ingress_instance == f"ingress-{index}"
    assert answer_read(device, api, "/3/0/0", b"here") == {"/3/0/0": "here"}
    device.close()


def test_a_device_that_moves_to_another_ingress_takes_its_session_along(stack, api):
    device = RawDevice(stack.coap_ports[0], "replica-mover")
    assert device.register().code is CREATED
    token = device.accept_observation()
    before = api.device(device.endpoint).registration
    device.server = ("127.0.0.1", stack.coap_ports[1])
    assert device.update().code is CHANGED
    after = api.device(device.endpoint).registration
    assert (after.ingress_instance, after.generation) == ("ingress-1", before.generation)
    assert after.epoch > before.epoch, "the former owner is fenced by the epoch"
    assert device.acknowledged(device.notify(token, 2, b"5.0")) is ACK
    assert answer_read(device, api, "/3/0/0", b"moved") == {"/3/0/0": "moved"}
    device.close()


def test_the_work_of_a_killed_registry_and_observation_is_taken_over(stack, api):
    device = RawDevice(stack.coap_ports[0], "replica-survivor")
    assert device.register().code is CREATED
    token = device.accept_observation()
    telemetry = Topic(stack.kafka.bootstrap, "lwm2m.telemetry.v1")
    lifecycle = Topic(stack.kafka.bootstrap, "lwm2m.lifecycle.v1")
    stack.service("registry", 0).kill()
    stack.service("observation", 0).kill()

    newcomers = [RawDevice(stack.coap_ports[i % 2], f"replica-late-{i}") for i in range(8)]
    for newcomer in newcomers:
        eventually(lambda n=newcomer: n.register(seconds=15).code is CREATED, "Register after the kill", seconds=30)
    assert device.acknowledged(device.notify(token, 2, b"91.0")) is ACK
    telemetry.wait(lambda r: r["endpoint"] == device.endpoint and r["value"] == 91.0, "the value after the kill", 60)
    for newcomer in newcomers:
        lifecycle.wait(lambda r, n=newcomer: r["endpoint"] == n.endpoint and r["event"] == "registered",
                       f"the event of {newcomer.endpoint}", 60)
    stack.service("registry", 0).start()
    stack.service("observation", 0).start()
    stack.wait_ready()
    for topic in (telemetry, lifecycle):
        topic.close()
    for one in (device, *newcomers):
        one.close()


def redis_calls(stack):
    """Commands that Redis has carried out, those inside scripts included."""
    import redis
    stats = redis.Redis(port=stack.redis.port).info("commandstats")
    return sum(s["calls"] for name, s in stats.items() if name not in {"cmdstat_info", "cmdstat_ping"})


def redis_rate(stack, seconds):
    before = redis_calls(stack)
    time.sleep(seconds)
    return (redis_calls(stack) - before) / seconds


def test_an_idle_platform_costs_redis_little(stack):
    eventually(lambda: redis_rate(stack, 2) < 200, "the work of former tests is done", seconds=60)
    # Two steps of expiry. About 70 for one registry, 25 for each further one.
    assert redis_rate(stack, 16) <= 120


def test_steady_updates_cost_redis_next_to_nothing(stack):
    idle = redis_rate(stack, 16)
    loader = spawn([str(BIN / "lanyard"), "simulate", "--phases", "--count", "500", "--first", "5001", "--target",
                    f"coap://127.0.0.1:{stack.coap_ports[0]}"],
                   text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert json.loads(loader.stdout.readline())["registered"]
    eventually(lambda: redis_rate(stack, 2) < idle * 1.5, "all devices are observed", seconds=60)
    began, before = time.monotonic(), redis_calls(stack)
    loader.stdin.write("updates 20 2000 256\n")
    loader.stdin.flush()
    updates = json.loads(loader.stdout.readline())["acknowledged"]
    # What the platform spends without any device is subtracted.
    spent = redis_calls(stack) - before - idle * (time.monotonic() - began)
    loader.stdin.close()
    loader.wait(30)
    assert updates > 10000
    assert spent / updates <= 0.1, f"{spent:.0f} commands for {updates} Updates"
