"""What integrators have at hand: kcat on the topics, grpcurl on the API, Prometheus text on the admin ports."""

import json
import shutil
import subprocess

import pytest
from aiocoap.numbers.codes import CREATED
from api_client import path_of
from raw_device import RawDevice

GRPCURL = path_of(".tools", "bin", "grpcurl")


@pytest.fixture(scope="module")
def device(stack):
    made = RawDevice(stack.coap_ports[0], "tools-1")
    assert made.register().code is CREATED
    made.accept_observation(b"19.5")
    yield made
    made.close()


def run(*command, timeout=30):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_kcat_reads_telemetry_with_key_and_cloudevents_headers(stack, device, telemetry):
    telemetry.wait(lambda r: r["endpoint"] == device.endpoint, "a record")
    assert shutil.which("kcat")
    topic = ("-t", "lwm2m.telemetry.v1", "-o", "beginning", "-e", "-q", "-J")
    lines = run("kcat", "-b", stack.kafka.bootstrap, "-C", *topic)
    record = next(r for r in map(json.loads, lines.splitlines()) if r["key"] == "default/tools-1")
    value = json.loads(record["payload"])
    assert value["value"] == 19.5
    assert isinstance(value["time_ms"], int)
    headers = dict(zip(record["headers"][::2], record["headers"][1::2], strict=True))
    assert headers["content-type"] == "application/json"
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_id"] == value["event_id"]
    assert headers["ce_source"] == "/tenants/default/devices/tools-1"


def test_grpcurl_lists_and_calls_by_reflection(stack, device):
    services = run(str(GRPCURL), "-plaintext", stack.api_address, "list").split()
    assert "lanyard.registry.v1.DeviceService" in services
    answer = run(str(GRPCURL), "-plaintext", "-d", '{"name":"tenants/default/devices/tools-1"}', stack.api_address,
                 "lanyard.registry.v1.DeviceService/GetDevice")
    found = json.loads(answer)
    assert found["state"] == "STATE_ONLINE"
    assert found["registration"]["lwm2mVersion"] == "1.1"


def test_every_service_has_metrics_and_health(stack, device):
    for name, service in stack.services.items():
        assert service.get("/livez")[0] == 200, name
        status, body = service.get("/readyz?verbose")
        assert status == 200 and body.strip(), name
        status, body = service.get("/metrics")
        assert status == 200 and "lanyard_build_info" in body, name
    assert stack.service("ingress").metric("lanyard_ingress_sessions") >= 1
