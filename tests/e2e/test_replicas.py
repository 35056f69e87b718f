"""Two of every service side by side: any of them serves any device, and the death of one is made up for."""

import json

import pytest
from aiocoap import ACK
from aiocoap.numbers.codes import CHANGED, CREATED
from api_client import Api, eventually
from kafka_reader import Topic
from platform_stack import Stack
from raw_device import RawDevice


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


def test_steady_updates_cost_redis_next_to_nothing(stack):
    import redis
    client = redis.Redis(port=stack.redis.port)

    def calls():
        stats = client.info("commandstats")
        idle = {"cmdstat_info", "cmdstat_ping"}
        return sum(s["calls"] for name, s in stats.items() if name not in idle)

    target = f"coap://127.0.0.1:{stack.coap_ports[0]}"
    stack.lanyard("simulate", "--count", "500", "--target", target, "--seconds", "5", timeout=60)
    before = calls()
    summary = json.loads(stack.lanyard("simulate", "--count", "500", "--target", target, "--load", "updates", "--rate",
                                       "2000", "--seconds", "20", "-o", "json", timeout=90).splitlines()[-1])
    spent = calls() - before
    updates = summary["load"]["acknowledged"]
    assert updates > 10000
    # Registrations of the 500 devices before the load are in `spent` as well, and the replicas' leases.
    assert spent / updates <= 0.5, f"{spent} commands for {updates} Updates"
