"""A device that does everything the specifications allow and few stacks expect."""

import threading

import pytest
from aiocoap import ACK, CON, NON, RST, Message
from aiocoap.numbers.codes import CHANGED, CONTENT, CREATED, DELETE, DELETED, EMPTY, POST
from api_client import eventually
from raw_device import LINKS, RawDevice


@pytest.fixture
def device(stack, request):
    made = RawDevice(stack.coap_ports[0], f"odd-{request.node.name.removeprefix('test_')}"[:60])
    yield made
    made.close()


def in_background(call, *arguments):
    """Runs a blocking API call while the test plays the device; join() gives its result."""
    box = {}

    def run():
        try:
            box["result"] = call(*arguments)
        except Exception as error:  # handed to the test, which re-raises it
            box["error"] = error

    thread = threading.Thread(target=run)
    thread.start()

    def join():
        thread.join(30)
        if "error" in box:
            raise box["error"]
        return box["result"]

    return join


@pytest.mark.parametrize("token", [b"", b"12345678"])
def test_tokens_of_zero_and_eight_bytes(stack, token):
    device = RawDevice(stack.coap_ports[0], f"odd-token-{len(token)}")
    answer = device.register(token=token)
    assert answer.code is CREATED
    assert answer.token == token
    assert device.location[0] == "rd"
    device.close()


def test_versions_one_zero_to_one_two(stack, api):
    for version in ("1.0", "1.1", "1.2"):
        device = RawDevice(stack.coap_ports[0], f"odd-version-{version}")
        assert device.register(version=version).code is CREATED
        assert api.device(device.endpoint).registration.lwm2m_version == version
        device.close()


def test_block1_register(device, api):
    links = LINKS + b"".join(b",</3303/%d>" % i for i in range(1, 40))
    size = 64
    blocks = [links[i:i + size] for i in range(0, len(links), size)]
    for number, block in enumerate(blocks):
        more = number + 1 < len(blocks)
        answer = device.register(payload=block, block1=(number, more, 2))
        assert str(answer.code).startswith("2.31" if more else "2.01"), answer
    assert api.device(device.endpoint).registration.object_links.encode() == links


def test_separate_response(device, api):
    device.register()
    device.accept_observation()
    read = in_background(api.values, device.endpoint, "/3/0/0", 0)
    request = device.next_request()
    device.acknowledge(request)
    device.send(Message(code=CONTENT, mtype=CON, mid=7001, token=request.token, payload=b"slow but sure",
                        content_format=0))
    assert device.acknowledged(7001) is ACK
    assert read() == {"/3/0/0": "slow but sure"}


def test_separate_response_as_non_without_ack(device, api):
    device.register()
    device.accept_observation()
    read = in_background(api.values, device.endpoint, "/3/0/0", 0)
    request = device.next_request()
    device.send(Message(code=CONTENT, mtype=NON, mid=7002, token=request.token, payload=b"just so", content_format=0))
    assert read() == {"/3/0/0": "just so"}


def test_con_and_non_notifications_reach_kafka_once(device, telemetry):
    device.register()
    token = device.accept_observation(b"20.5")
    mid = device.notify(token, 2, b"21.0")
    assert device.acknowledged(mid) is ACK
    device.notify(token, 3, b"22.0", mtype=NON)
    device.notify(token, 4, b"23.0")
    for value in (20.5, 21.0, 22.0, 23.0):
        telemetry.wait(lambda r, v=value: r["endpoint"] == device.endpoint and r.get("value") == v, f"{value}")


def test_a_retransmitted_notification_makes_one_record(device, telemetry):
    device.register()
    token = device.accept_observation()
    for _ in range(3):
        device.notify(token, 2, b"33.0", mid=500)
        assert device.acknowledged(500) is ACK
    mid = device.notify(token, 3, b"34.0")
    assert device.acknowledged(mid) is ACK
    telemetry.wait(lambda r: r["endpoint"] == device.endpoint and r["value"] == 34.0, "the last value")
    records = [r for r in telemetry.values() if r["endpoint"] == device.endpoint and r["value"] == 33.0]
    assert len(records) == 1


def test_reordered_notifications_are_both_kept_and_told(device, telemetry):
    device.register()
    token = device.accept_observation()
    for sequence, payload in ((10, b"40.0"), (9, b"39.0")):
        mid = device.notify(token, sequence, payload)
        assert device.acknowledged(mid) is ACK
    newer = telemetry.wait(lambda r: r["endpoint"] == device.endpoint and r["value"] == 40.0, "the newer")
    older = telemetry.wait(lambda r: r["endpoint"] == device.endpoint and r["value"] == 39.0, "the older")
    assert newer["fresh"] is True
    assert older["fresh"] is False


def test_notification_with_block2_remainder(device, telemetry):
    device.register()
    token = device.accept_observation()
    values = [50 + i / 2 for i in range(8)]
    device.notify_in_blocks(token, 2, values)
    for value in values:
        telemetry.wait(lambda r, v=value: r["endpoint"] == device.endpoint and r["value"] == v, f"{value}")


def test_a_notification_from_a_new_port_is_the_same_device(device, api, telemetry):
    device.register()
    token = device.accept_observation()
    device.open()
    mid = device.notify(token, 2, b"61.0")
    assert device.acknowledged(mid) is ACK
    telemetry.wait(lambda r: r["endpoint"] == device.endpoint and r["value"] == 61.0, "the value from the new port")
    read = in_background(api.values, device.endpoint, "/3/0/0", 0)
    device.reply(device.next_request(), b"found again")
    assert read() == {"/3/0/0": "found again"}


def test_an_update_from_a_new_port_moves_the_device(device, api):
    device.register()
    device.accept_observation()
    device.open()
    assert device.update().code is CHANGED
    read = in_background(api.values, device.endpoint, "/3/0/0", 0)
    device.reply(device.next_request(), b"moved")
    assert read() == {"/3/0/0": "moved"}


def test_an_unknown_token_is_answered_with_reset(device):
    device.register()
    device.accept_observation()
    mid = device.notify(b"who-ami?", 2, b"1.0")
    assert device.acknowledged(mid) is RST


def test_the_token_of_a_former_registration_is_void(device):
    device.register()
    former = device.accept_observation()
    device.register()
    current = device.accept_observation()
    assert former != current
    assert device.acknowledged(device.notify(former, 5, b"1.0")) is RST
    assert device.acknowledged(device.notify(current, 5, b"1.0")) is ACK


def test_an_error_notification_ends_the_observation(device, api):
    from api_client import observation_pb2
    device.register()
    token = device.accept_observation()
    device.send(Message(code=132, mtype=CON, mid=900, token=token))  # 4.04
    assert device.acknowledged(900) is ACK

    def failed():
        request = observation_pb2.ListObservationsRequest(parent=api.name(device.endpoint))
        found = api.observations.ListObservations(request, timeout=10).observations
        return [o for o in found if o.state == observation_pb2.Observation.STATE_FAILED and "4.04" in o.state_reason]

    eventually(failed, "the observation FAILED with 4.04")


def test_ping_is_answered_with_reset(device):
    device.send(Message(code=EMPTY, mtype=CON, mid=77, token=b""))
    assert device.acknowledged(77) is RST


def test_the_location_of_a_former_registration_is_gone(device):
    device.register()
    former = device.location
    device.register()
    answer = device.request(POST, former, b"\x55")
    assert str(answer.code).startswith("4.04")
    assert device.request(DELETE, device.location, b"\x56").code is DELETED


@pytest.mark.parametrize("query, payload, content_format, code", [
    (("lt=60", "lwm2m=1.1"), LINKS, 40, "4.00"),
    (("ep=odd-bad", "lt=abc", "lwm2m=1.1"), LINKS, 40, "4.00"),
    (("ep=odd-bad", "ep=odd-worse", "lwm2m=1.1"), LINKS, 40, "4.00"),
    (("ep=" + "x" * 253,), LINKS, 40, "4.02"),  # a Uri-Query over 255 bytes, RFC 7252 section 5.4.3
    (("ep=odd-bad", "lt=60", "lwm2m=9.0"), LINKS, 40, "4.12"),
    (("ep=odd-bad", "lt=60", "lwm2m=1.1"), b"</1/0></3/0>", 40, "4.00"),
    (("ep=odd-bad", "lt=60", "lwm2m=1.1"), b"{}", 50, "4.15"),
])
def test_bad_registrations_get_the_code_of_the_specification(device, query, payload, content_format, code):
    answer = device.request(POST, ("rd",), query=query, payload=payload, content_format=content_format)
    assert str(answer.code).startswith(code), (answer.code, answer.payload)
    assert answer.payload, "a diagnostic payload says what is wrong"


def test_unknown_paths_and_methods(device):
    assert str(device.request(POST, ("nowhere",)).code).startswith("4.04")
    assert str(device.request(DELETE, ("rd",)).code).startswith("4.05")
