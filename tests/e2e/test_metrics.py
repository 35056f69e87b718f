"""/metrics of every service: Prometheus' format and naming rules, and the families that docs/metrics.md promises.

Run: .tools/venv/bin/python -m pytest tests/e2e/test_metrics.py (needs build/release/bin and tools/install-deps).
"""

import re

import pytest
from aiocoap import ACK
from aiocoap.numbers.codes import CHANGED, CREATED, POST
from api_client import eventually, path_of
from prometheus_client.parser import text_string_to_metric_families
from raw_device import RawDevice

BINARIES = {"ingress": "lanyard-coap-ingress", "registry": "lanyard-registry", "observation": "lanyard-observation",
            "api": "lanyard-api"}
# Labels whose values are as many as devices or callers: never on a metric.
FORBIDDEN = {"endpoint", "device", "path", "token", "address", "peer", "registration_id"}


def documented():
    """Families by section of docs/metrics.md: {section: {name: (type, labels, what it tells, rare)}}."""
    sections = {}
    for line in path_of("docs", "metrics.md").read_text().splitlines():
        if line.startswith("## "):
            section = sections.setdefault(line[3:], {})
        row = re.match(r"\| `(\w+)`( \*)? \| (\w+) \| ([\w, -]*) \| (.+) \|$", line)
        if row:
            name, rare, kind, labels, told = row.groups()
            section[name] = (kind, {label for label in labels.split(", ") if label != "-"}, told, bool(rare))
    return sections


def full_name(family):
    """The parser takes the _total off the names of counters."""
    return family.name + "_total" if family.type == "counter" else family.name


def labels_of(family):
    return {label for sample in family.samples for label in sample.labels} - {"le"}


@pytest.fixture(scope="module")
def scraped(stack, api):
    """What each service shows after one device has done one of each."""
    device = RawDevice(stack.coap_ports[0], "metrics")
    assert device.register().code is CREATED
    token = device.accept_observation()
    assert device.acknowledged(device.notify(token, 2, b"10.0")) is ACK
    sent = device.request(POST, ("dp",), b"\x61", payload=b'[{"n":"/3303/0/5700","v":1}]', content_format=110)
    assert sent.code is CHANGED
    api.device(device.endpoint)

    def read(kind):
        return list(text_string_to_metric_families(stack.service(kind).get("/metrics")[1]))

    eventually(lambda: any(f.name == "lanyard_kafka_consumer_lag" for f in read("observation")), "the consumer lag")
    yield {kind: read(kind) for kind in BINARIES}
    device.close()


@pytest.mark.parametrize("kind", BINARIES)
def test_names_follow_the_rules_of_prometheus(scraped, kind):
    assert scraped[kind], "nothing was scraped"
    for family in scraped[kind]:
        assert re.fullmatch(r"(lanyard|grpc_server|process)_[a-z0-9_]+", family.name), family.name
        assert family.documentation, f"{family.name} has no HELP"
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_bytes")), family.name
        assert not re.search(r"_(ms|millis|milliseconds|kb|kib|mb|percent)(_|$)", family.name), family.name
        assert not labels_of(family) & FORBIDDEN, family.name
        for sample in family.samples:
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for label in sample.labels), sample


@pytest.mark.parametrize("kind", BINARIES)
def test_what_is_documented_is_shown_and_the_other_way_round(scraped, kind):
    pages = documented()
    wanted = {**pages["Every process"], **pages[BINARIES[kind]]}
    shown = {full_name(f): f for f in scraped[kind]}
    assert sorted(set(shown) - set(wanted)) == [], "not in docs/metrics.md"
    rare = {name for name, row in wanted.items() if row[3]}
    assert sorted(set(wanted) - set(shown) - rare) == [], "promised in docs/metrics.md"
    for name, family in shown.items():
        assert (family.type, labels_of(family), family.documentation) == wanted[name][:3], name
