"""Shared by the end-to-end and the interop tests: paths, and one running platform per test file."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))

from platform_stack import Stack  # noqa: E402


@pytest.fixture(scope="module")
def stack():
    """One of each service beside a real Redis and Kafka."""
    with Stack() as running:
        yield running
        codes = running.stop()
        assert all(code == 0 for code in codes.values()), f"not drained cleanly: {codes}"


@pytest.fixture(scope="module")
def api(stack):
    from api_client import Api
    return Api(stack.api_address)


@pytest.fixture
def telemetry(stack):
    from kafka_reader import Topic
    topic = Topic(stack.kafka.bootstrap, "lwm2m.telemetry.v1")
    yield topic
    topic.close()


@pytest.fixture
def lifecycle(stack):
    from kafka_reader import Topic
    topic = Topic(stack.kafka.bootstrap, "lwm2m.lifecycle.v1")
    yield topic
    topic.close()
