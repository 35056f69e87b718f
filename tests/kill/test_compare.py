"""The comparer finds what is wrong, and nothing where nothing is wrong: with made-up files, no platform needed."""

import copy
import json
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import compare  # noqa: E402
import inject  # noqa: E402

NOW = 1_700_000_000_000
LIFETIME = 20


def ack(kind, endpoint, ms, **more):
    return {"ts": NOW + ms, "ep": endpoint, "kind": kind, "code": "", "latency_us": 2000, "transmissions": 1, **more}


def notified(endpoint, ms, seq, value):
    return ack("notify", endpoint, ms, path="/3303/0/5700", seq=seq, value=value)


def record(value, at=0):
    return {"p": 0, "o": 0, "at": NOW + at, "v": value}


def telemetry(endpoint, value, event_id, seq=None, at=0):
    made = {"endpoint": endpoint, "path": "/3303/0/5700", "value": value, "event_id": event_id,
            "origin": "send" if seq is None else "notify"}
    if seq is not None:
        made["sequence"] = f"1.{seq}"
    return record(made, at)


def event(kind, endpoint, number, counter, registration, ms=0, generation=1):
    return record({"endpoint": endpoint, "event": kind, "event_id": f"{number}-{counter}", "time_ms": NOW + ms,
                   "registration_id": registration, "generation": generation, "lifetime_s": LIFETIME}, ms)


def known(endpoint, registration, generation=1, ms=100):
    return {"ep": endpoint, "asked_ms": NOW + ms, "generation": generation, "registration_id": registration}


@pytest.fixture
def run():
    """A device that registered, told two values and sent one; everything is there."""
    return {"acks": [ack("register", "a", 0, location="rd/r1"), notified("a", 10, 2, 0.01), notified("a", 20, 3, 0.02),
                     ack("send", "a", 30, path="/3303/0/5700", value=0.03)],
            "telemetry": [telemetry("a", 0.01, "e1", 2), telemetry("a", 0.02, "e2", 3), telemetry("a", 0.03, "e3")],
            "lifecycle": [event("registered", "a", 7, 1, "r1")],
            "states": [event("registered", "a", 7, 1, "r1")],
            "devices": [known("a", "r1")]}


def judged(files, windows=()):
    report = compare.Report(copy.deepcopy(windows))
    compare.compare(**files, report=report)
    return report


def violations(files):
    return dict(judged(files).violations())


def test_nothing_is_wrong_with_a_run_in_which_all_is_there(run):
    report = judged(run)
    assert report.holds
    window = report.windows[0]
    assert (window.checked, window.found, window.duplicates, window.lost) == (4, 4, 0, 0)


def test_a_value_that_is_missing_is_lost(run):
    del run["telemetry"][1]
    report = judged(run)
    assert report.violations() == {"lost_value": 1}
    assert (report.windows[0].found, report.windows[0].lost) == (3, 1)


def test_the_same_value_under_another_number_does_not_count(run):
    run["telemetry"][0] = telemetry("a", 0.01, "e1", 9)
    assert violations(run) == {"lost_value": 1}


def test_a_send_that_is_missing_is_lost(run):
    del run["telemetry"][2]
    assert violations(run) == {"lost_value": 1}


def test_a_repeated_record_is_a_duplicate_and_no_more(run):
    run["telemetry"] += [copy.deepcopy(run["telemetry"][0])] * 2
    report = judged(run)
    assert report.holds
    assert report.windows[0].duplicates == 2


def test_a_duplicate_with_another_event_id_is_told(run):
    run["telemetry"].append(telemetry("a", 0.01, "e9", 2))
    assert violations(run) == {"other_event_id": 1}


def test_an_event_id_on_two_values_is_told(run):
    run["telemetry"].append(telemetry("a", 0.5, "e1", 8))
    assert violations(run) == {"reused_event_id": 1}


def test_what_was_not_acknowledged_may_be_there(run):
    run["telemetry"].append(telemetry("a", 0.04, "e4", 4))
    report = judged(run)
    assert report.holds and report.unacknowledged == 1


def test_a_registration_without_event_is_lost(run):
    run["acks"].append(ack("register", "b", 0, location="rd/r2"))
    assert violations(run) == {"lost_registration": 1}


def test_a_deregistration_without_event_is_lost(run):
    run["acks"].append(ack("deregister", "a", 50, location="rd/r1"))
    assert violations(run) == {"lost_deregistration": 1}


def test_a_gap_in_the_event_numbers_is_told(run):
    run["lifecycle"].append(event("updated", "a", 7, 4, "r1"))
    run["states"].append(event("updated", "a", 7, 4, "r1"))
    assert violations(run) == {"lifecycle_gap": 2}


def test_an_event_published_twice_is_a_duplicate_unless_it_differs(run):
    run["lifecycle"].append(copy.deepcopy(run["lifecycle"][0]))
    assert judged(run).holds
    run["lifecycle"].append(event("expired", "a", 7, 1, "r1"))
    assert violations(run) == {"lifecycle_conflict": 1}


@pytest.mark.parametrize("ms, early", [(5_000 - 3 + LIFETIME * 1000, True), (5_000 + LIFETIME * 1000, False)])
def test_a_registration_may_end_only_a_lifetime_after_the_last_acknowledged_update(run, ms, early):
    run["acks"].append(ack("update", "a", 5_000, location="rd/r1"))
    run["lifecycle"].append(event("expired", "a", 7, 2, "r1", ms))
    run["states"].append(event("expired", "a", 7, 2, "r1", ms))
    run["devices"] = [known("a", "r1", ms=ms + 60_000)]
    assert violations(run) == ({"early_expiry": 1} if early else {})


def test_an_update_acknowledged_after_the_end_is_told(run):
    run["lifecycle"].append(event("expired", "a", 7, 2, "r1", 30_000))
    run["states"].append(event("expired", "a", 7, 2, "r1", 30_000))
    run["acks"].append(ack("update", "a", 40_000, location="rd/r1"))
    run["devices"] = [known("a", "r1", ms=70_000)]
    assert violations(run) == {"early_expiry": 1}


def test_a_held_registration_that_the_api_does_not_know_is_told(run):
    run["devices"] = []
    assert violations(run) == {"not_registered": 1}
    run["devices"] = [known("a", "", generation=0)]
    assert violations(run) == {"not_registered": 1}
    run["devices"] = [known("a", "r9", generation=2)]
    assert violations(run) == {}, "the answer to a later Register was lost"


def test_a_state_that_is_behind_the_events_is_told(run):
    run["states"] = []
    assert violations(run) == {"stale_state": 1}


def test_each_acknowledgement_counts_for_the_window_it_fell_into(run):
    windows = [{"id": "first", "killed": "", "from_ms": NOW}, {"id": "second", "killed": "x", "from_ms": NOW + 15}]
    del run["telemetry"][1]
    first, second = judged(run, windows).windows
    assert (first.checked, first.found, first.lost) == (2, 2, 0)
    assert (second.checked, second.found, second.lost) == (2, 1, 1)
    assert second.examples[0]["ack"]["value"] == 0.02


def made_up(directory, devices):
    """Files of a run in which every device did everything, with some duplicates."""
    lines = {"acks-x.jsonl": [], compare.TELEMETRY: [], compare.LIFECYCLE: [], compare.STATE: [], "devices.jsonl": []}
    for number in range(1, devices + 1):
        ep, first, second = f"d{number}", f"r{number}a", f"r{number}b"
        lines["acks-x.jsonl"] += [ack("register", ep, 0, location=f"rd/{first}"),
                                  ack("register", ep, 5, location=f"rd/{second}")]
        for n in (1, 2):
            registered = event("registered", ep, number, n, (first, second)[n - 1], 5 * n, n)
            lines[compare.LIFECYCLE].append(registered)
            lines[compare.STATE].append({**registered, "o": number * 2 + n})
        for seq in range(2, 12):
            lines["acks-x.jsonl"].append(notified(ep, 10 * seq, seq, seq / 100))
            lines[compare.TELEMETRY] += [telemetry(ep, seq / 100, f"{ep}-{seq}", seq)] * (2 if seq == 3 else 1)
        lines["acks-x.jsonl"].append(ack("update", ep, 500, location=f"rd/{second}"))
        lines["devices.jsonl"].append(known(ep, second, 2, 600))
    for name, records in lines.items():
        (directory / name).write_text("".join(json.dumps(r) + "\n" for r in records))


@pytest.mark.parametrize("part_bytes", [1_000_000_000, 20_000])
def test_files_are_compared_whole_or_in_parts(tmp_path, part_bytes):
    made_up(tmp_path, 50)
    report = compare.compare_files(tmp_path, part_bytes=part_bytes)
    window = report.windows[0]
    assert report.holds, report.violations()
    assert (window.checked, window.found, window.duplicates) == (600, 600, 50)
    assert not list(tmp_path.glob("compare-*")), "the parts are gone"


@pytest.mark.parametrize("injection", inject.ALL, ids=lambda f: f.__name__)
def test_every_injected_loss_is_found(tmp_path, injection):
    made_up(tmp_path, 50)
    kind, count = injection(tmp_path, random.Random(4), 9)
    found = compare.compare_files(tmp_path, part_bytes=20_000).violations()
    assert found[kind] == count == 9


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path):
    made_up(tmp_path, 2)
    with open(tmp_path / compare.TELEMETRY, "a", encoding="utf-8") as file:
        file.write('{"p":0,"o":9,')
    assert compare.compare_files(tmp_path).holds
