"""What every service says about its configuration: secrets stay hidden, bad Kafka properties are refused.

Run: .tools/venv/bin/python -m pytest tests/e2e/test_configuration.py (needs build/release/bin).
"""

import subprocess

import pytest
from platform_stack import BIN

KEY = "cluster.key=000102030405060708090a0b0c0d0e0f"
WITH_KAFKA = ["lanyard-coap-ingress", "lanyard-registry", "lanyard-observation"]


def run(binary, *arguments):
    sets = ["--set", KEY]
    return subprocess.run([BIN / binary, *sets, *arguments], capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("binary", WITH_KAFKA)
def test_secrets_are_not_printed(binary):
    done = run(binary, "--set", 'kafka.properties=["sasl.password=hunter2"]', "--print-effective-config")
    assert done.returncode == 0, done.stderr
    assert "sasl.password=(hidden)" in done.stdout
    assert "hunter2" not in done.stdout
    assert KEY.removeprefix("cluster.key=") not in done.stdout


@pytest.mark.parametrize("binary", WITH_KAFKA)
@pytest.mark.parametrize("value", ["bogus=hunter2", "hunter2", "security.protocol=hunter2", '["a=hunter2", "a=b"]'])
def test_bad_kafka_properties_are_refused_without_their_values(binary, value):
    done = run(binary, "--set", f"kafka.properties={value}", "--check-config")
    assert done.returncode == 2, done.stdout
    assert "kafka.properties" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("binary", WITH_KAFKA)
def test_kafka_with_authentication_can_be_configured(binary):
    properties = '["security.protocol=SASL_SSL", "sasl.mechanism=SCRAM-SHA-512", "sasl.username=u", "sasl.password=p"]'
    done = run(binary, "--set", f"kafka.properties={properties}", "--check-config")
    assert (done.returncode, done.stdout) == (0, "configuration ok\n"), done.stderr
