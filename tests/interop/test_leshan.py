"""Eclipse Leshan's client through the whole chain: gRPC on one side, Kafka on the other."""

import grpc
import pytest
from api_client import eventually
from leshan_device import LeshanDevice

ENDPOINT = "leshan-1"
TEXT, OPAQUE, SENML_JSON, SENML_CBOR, TLV = 0, 42, 110, 112, 11542


@pytest.fixture(scope="module")
def device(stack):
    with LeshanDevice(stack.coap_ports[0], ENDPOINT) as running:
        running.expect("registered")
        yield running


def test_it_registers(device, api):
    found = api.device(ENDPOINT)
    assert found.registration.lwm2m_version == "1.1"
    assert found.registration.lifetime_seconds == 300
    assert "</3303/0>" in found.registration.object_links
    assert api.state(ENDPOINT) == "ONLINE"


def test_its_notifications_reach_kafka(device, telemetry):
    # Californium does not notify of a change that falls between its reading of the first value and its answer.
    telemetry.wait(lambda r: r["endpoint"] == ENDPOINT and r["path"] == "/3303/0/5700", "the first value")
    for value in (21.5, 22.5, 23.5):
        device.tell(f"set {value}")
        record = telemetry.wait(lambda r, v=value: r["endpoint"] == ENDPOINT and r["value"] == v, f"value {value}")
        assert record["path"] == "/3303/0/5700"
        assert record["object_name"] == "Temperature"
        assert record["value_type"] == "float"
        assert record["origin"] == "notify"


@pytest.mark.parametrize("accept", [TLV, SENML_JSON, SENML_CBOR])
def test_an_instance_is_read_in_every_format(device, api, accept):
    device.tell("set 24.5")
    eventually(lambda: api.values(ENDPOINT, "/3303/0/5700").get("/3303/0/5700") == 24.5, "the new value")
    answer = api.read(ENDPOINT, "/3303/0", accept)
    assert answer.content_format == accept
    values = {n.path: n for n in answer.nodes}
    assert values["/3303/0/5700"].double_value == 24.5
    assert values["/3303/0/5701"].string_value == "Cel"


def test_a_resource_is_read_as_text(device, api):
    answer = api.read(ENDPOINT, "/3/0/0", TEXT)
    assert answer.content_format == TEXT
    assert answer.nodes[0].string_value == "Eclipse Leshan"


def test_a_large_resource_is_read_block_by_block(device, api):
    nodes = api.read(ENDPOINT, "/19/0/0").nodes
    assert nodes[0].path == "/19/0/0/0"
    assert nodes[0].bytes_value == bytes(i % 251 for i in range(5000))


def test_it_is_written(device, api):
    assert api.write(ENDPOINT, "/3303/0/5750", string_value="greenhouse").coap_code == "2.04"
    device.expect("written greenhouse")
    assert api.values(ENDPOINT, "/3303/0/5750") == {"/3303/0/5750": "greenhouse"}


def test_it_is_executed(device, api):
    assert api.execute(ENDPOINT, "/3303/0/5605").coap_code == "2.04"
    device.expect("reset")


def test_it_is_discovered(device, api):
    links = {link.path for link in api.discover(ENDPOINT, "/3303").links}
    assert {"/3303/0", "/3303/0/5700"} <= links


def test_errors_of_the_device_come_back_with_their_code(device, api):
    with pytest.raises(grpc.RpcError) as error:
        api.read(ENDPOINT, "/3303/7")
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.RpcError) as error:
        api.execute(ENDPOINT, "/3303/0/5700")
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION


def test_its_send_reaches_kafka(device, telemetry):
    device.tell("set 31.25")
    device.tell("send")
    device.expect("sent")
    telemetry.wait(lambda r: r["endpoint"] == ENDPOINT and r["origin"] == "send" and r["value"] == 31.25, "the Send")


def test_it_updates_and_deregisters(device, api, lifecycle):
    device.tell("update")
    device.expect("updated")
    device.tell("stop")
    device.expect("deregistered")
    eventually(lambda: api.state(ENDPOINT) == "OFFLINE", "OFFLINE after De-register")
    events = []
    lifecycle.wait(lambda r: r["endpoint"] == ENDPOINT and (events.append(r["event"]) or r["event"] == "deregistered"),
                   "deregistered")
    assert events[0] == "registered"
