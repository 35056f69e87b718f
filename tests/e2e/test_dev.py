"""`lanyard dev`, the program people meet first, and the commands that it tells them to try."""

import json
import re
import signal
import subprocess
import time
import urllib.request

import pytest
from api_client import eventually
from kafka_reader import Topic
from platform_stack import BIN


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    """The platform in one process with 20 sensors that measure every half second, on free ports."""
    directory = tmp_path_factory.mktemp("dev")
    endpoints = directory / "endpoints.json"
    began = time.monotonic()
    process = subprocess.Popen(
        [BIN / "lanyard", "dev", "--fleet", "20", "--interval", "0.5", "--coap", "127.0.0.1:0", "--grpc", "127.0.0.1:0",
         "--kafka", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--endpoints-file", endpoints],
        stdout=open(directory / "out.txt", "w"), stderr=subprocess.STDOUT)
    eventually(lambda: endpoints.exists() or process.poll() is not None, "the endpoints file", seconds=30)
    assert process.poll() is None, (directory / "out.txt").read_text()
    found = json.loads(endpoints.read_text())
    found["ready_s"] = time.monotonic() - began
    found["out"] = directory / "out.txt"
    yield found
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0, found["out"].read_text()
    assert "Ended: 20 devices were registered" in found["out"].read_text()


def lanyard(dev, *arguments, code=0):
    command = [BIN / "lanyard", "--api", dev["grpc"], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_it_tells_how_to_reach_everything(dev):
    text = dev["out"].read_text()
    assert "Lanyard is ready" in text
    for key in ("coap", "grpc", "kafka", "metrics"):
        assert dev[key] in text
    assert "kcat -b" in text
    # The goal is 2 s on a quiet machine; here it is told, not judged.
    own = re.search(r"ready after ([0-9.]+) s", text).group(1)
    print(f"lanyard dev: ready after {own} s by its own word, endpoints file after {dev['ready_s']:.1f} s")


def test_the_metrics_of_all_services_are_at_one_address(dev):
    with urllib.request.urlopen(dev["metrics"], timeout=10) as answer:
        text = answer.read().decode()
    for family in ("lanyard_ingress_sessions", "lanyard_registrations", "lanyard_telemetry_values_total"):
        assert f"# TYPE {family} " in text


def test_a_live_line_tells_each_second_what_goes_on(dev):
    line = re.compile(r"^ *\d+s  devices \d+  values/s \d+  records in Kafka \d+  last (.*)$", re.MULTILINE)
    eventually(lambda: any(v.startswith("sensor-") for v in line.findall(dev["out"].read_text())), "a last value")


def test_it_ends_by_itself_with_a_summary(tmp_path):
    endpoints = tmp_path / "endpoints.json"
    done = subprocess.run(
        [BIN / "lanyard", "dev", "--fleet", "3", "--interval", "0.2", "--seconds", "3", "--coap", "127.0.0.1:0",
         "--grpc", "127.0.0.1:0", "--kafka", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--endpoints-file", endpoints],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(endpoints.read_text())) == ["coap", "grpc", "kafka", "metrics"]
    assert re.search(r"^Ended: 3 devices were registered, \d+ values were read back from Kafka\.$", done.stdout,
                     re.MULTILINE)


def test_devices_are_listed_and_shown(dev):
    eventually(lambda: lanyard(dev, "devices", "list", "--limit", "50").count("ONLINE") == 20, "20 devices online")
    found = json.loads(lanyard(dev, "devices", "get", "sensor-0000001", "-o", "json"))
    assert found["state"] == "STATE_ONLINE"
    wanted = 'endpoint = "sensor-000000*" AND state = ONLINE'
    assert "sensor-0000002" in lanyard(dev, "devices", "list", "--filter", wanted)


def test_reads_writes_executes_and_discovers(dev):
    assert "Cel" in lanyard(dev, "read", "sensor-0000001", "/3303/0")
    assert "2.04" in lanyard(dev, "write", "sensor-0000001", "/1/0/1", "600")
    assert "600" in lanyard(dev, "read", "sensor-0000001", "/1/0/1")
    assert "2.04" in lanyard(dev, "exec", "sensor-0000001", "/3303/0/5605")
    assert "/3303/0/5700" in lanyard(dev, "discover", "sensor-0000001", "/3303")


def test_errors_have_their_exit_codes(dev):
    lanyard(dev, "read", "nobody", "/3303/0", code=3)
    lanyard(dev, "read", "sensor-0000001", "/3303/9", code=3)
    lanyard(dev, "exec", "sensor-0000001", "/3303/0/5700", code=7)
    lanyard(dev, "write", "sensor-0000001", "/1/0/1", "soon", code=2)
    lanyard(dev, "no-such-command", code=2)


def test_values_are_in_kafka_and_are_tailed(dev):
    topic = Topic(dev["kafka"], "lwm2m.telemetry.v1")
    topic.wait(lambda r: r["path"] == "/3303/0/5700", "a temperature")
    topic.close()
    assert len(lanyard(dev, "tail", "telemetry", "--count", "5").splitlines()) == 5
    lines = lanyard(dev, "observe", "sensor-0000003", "/3303/0/5700", "--count", "2").splitlines()
    assert all("sensor-0000003" in line for line in lines)
    eventually(lambda: "/3303/0/5700" in lanyard(dev, "latest", "sensor-0000003", code=None), "the latest value")
    assert "ACTIVE" in lanyard(dev, "observations", "sensor-0000003")
