"""What the network does to notifications: repeats them, reorders them."""

import time

import pytest
from aiocoap.numbers.codes import CREATED
from api_client import eventually, observation_pb2
from raw_device import ACK, RawDevice

PATH = "/3303/0/5700"


@pytest.fixture
def device(stack, request):
    made = RawDevice(stack.coap_ports[0], f"network-{request.node.name[5:25]}")
    assert made.register().code is CREATED
    yield made
    made.close()


def records(topic, device, value):
    return [v for v in topic.values() if v["endpoint"] == device.endpoint and v.get("value") == value]


def test_a_notification_that_comes_again_is_one_record_also_across_a_restart(stack, telemetry, device):
    token = device.accept_observation()
    mid = device.notify(token, 5, b"15.5")
    assert device.acknowledged(mid) is ACK
    for _ in range(3):
        device.notify(token, 5, b"15.5", mid=mid)
        assert device.acknowledged(mid) is ACK, "the answer is repeated"
    assert device.acknowledged(device.notify(token, 6, b"16.5")) is ACK
    telemetry.wait(lambda v: v["endpoint"] == device.endpoint and v.get("value") == 16.5, "the next value")
    assert len(records(telemetry, device, 15.5)) == 1

    # An ingress that has forgotten everything stores it again, as the same event.
    stack.service("ingress").kill()
    stack.service("ingress").start()

    def acknowledged_again():
        device.notify(token, 6, b"16.5", mid=mid + 1)
        try:
            return device.acknowledged(mid + 1, seconds=2) is ACK
        except AssertionError:
            return False

    eventually(acknowledged_again, "the ACK of the new ingress", seconds=60)
    assert device.acknowledged(device.notify(token, 7, b"17.5")) is ACK
    telemetry.wait(lambda v: v["endpoint"] == device.endpoint and v.get("value") == 17.5, "the value after the restart")
    assert len({v["event_id"] for v in records(telemetry, device, 16.5)}) == 1


def test_reordered_notifications_are_both_kept_and_their_order_is_told(api, telemetry, device):
    token = device.accept_observation()
    for sequence in (5, 7, 6):
        assert device.acknowledged(device.notify(token, sequence, b"%d.0" % sequence)) is ACK
        time.sleep(0.05)  # in this order also for clocks of milliseconds
    telemetry.wait(lambda v: v["endpoint"] == device.endpoint and v.get("value") == 6.0, "the late one")
    told = {value: (records(telemetry, device, value)[0]["sequence"], records(telemetry, device, value)[0]["fresh"])
            for value in (5.0, 6.0, 7.0)}
    assert told == {5.0: ("1.5", True), 7.0: ("1.7", True), 6.0: ("1.6", False)}

    def latest():
        request = observation_pb2.GetLatestValuesRequest(device=api.name(device.endpoint))
        return {v.node.path: v.node.double_value for v in api.observations.GetLatestValues(request, timeout=10).values}

    eventually(lambda: latest().get(PATH) == 7.0, "the latest value is the fresh one")
