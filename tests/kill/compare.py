#!/usr/bin/env python3
"""Compares what devices were told with what is there, knowing nothing of the platform but its contracts.

    tests/kill/compare.py DIR [--windows FILE] [--json]

DIR holds acks*.jsonl (what the load programs wrote down), lwm2m.telemetry.v1.jsonl, lwm2m.lifecycle.v1.jsonl and
lwm2m.device-state.v1.jsonl (record.py) and devices.jsonl (what the API answered at the end). What is checked:

  lost_value          an acknowledged notification or Send has no telemetry record
  other_event_id      records of one value with different event ids
  reused_event_id     one event id on different values
  lost_registration   a 2.01 without its `registered` event
  lost_deregistration a 2.02 without its `deregistered` event
  lifecycle_gap       a number is missing in the event counters of a device
  lifecycle_conflict  one event id on different lifecycle events
  early_expiry        `expired` before the lifetime since the last acknowledged Register or Update was over
  not_registered      the API does not know the registration that a device holds at the end
  stale_state         the latest device state is not that of the latest lifecycle event

Windows are times, so that each acknowledgement counts for what was killed before it: [{"id", "killed", "from_ms"}].
Memory is bounded: the files are split by device into parts that are compared one after the other.
"""

import argparse
import bisect
import collections
import dataclasses
import json
import pathlib
import re
import sys
import tempfile
import zlib

TELEMETRY, LIFECYCLE, STATE = (f"lwm2m.{kind}.v1.jsonl" for kind in ("telemetry", "lifecycle", "device-state"))
LOSSES = ("lost_value", "lost_registration", "lost_deregistration", "lifecycle_gap", "not_registered")
PART_BYTES = 24_000_000
PARTS_MAX = 400  # files open at a time
EXAMPLES = 5


@dataclasses.dataclass
class Window:
    """The acknowledgements from one moment to the next, and what was found of them."""

    id: str = "all"
    killed: str = ""
    from_ms: int = 0
    acknowledged: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # by kind
    found: int = 0
    duplicates: int = 0
    slowest_ms: int = 0  # from an acknowledgement until its record was written down by the recorder
    violations: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    examples: list = dataclasses.field(default_factory=list)

    @property
    def lost(self):
        return sum(self.violations[kind] for kind in LOSSES)

    @property
    def checked(self):
        """Acknowledgements that must have left a record; an Update need not."""
        return sum(n for kind, n in self.acknowledged.items() if kind != "update")

    @property
    def holds(self):
        return not self.violations

    def as_json(self):
        return {"id": self.id, "killed": self.killed, "acknowledged": self.checked, "found": self.found,
                "duplicates": self.duplicates, "lost": self.lost, "holds": self.holds,
                "kinds": dict(self.acknowledged), "slowest_ms": self.slowest_ms,
                "violations": dict(self.violations), "examples": self.examples}


class Report:
    """All windows, and what was counted besides."""

    def __init__(self, windows=()):
        self.windows = sorted((Window(**w) for w in windows), key=lambda w: w.from_ms) or [Window()]
        self.windows[0].from_ms = 0
        self._starts = [w.from_ms for w in self.windows]
        self.records = 0  # of telemetry
        self.unacknowledged = 0  # values that are there although no acknowledgement has reached the device
        self.events = collections.Counter()

    def at(self, ms):
        return self.windows[bisect.bisect_right(self._starts, ms) - 1]

    def violation(self, kind, ms, **what):
        window = self.at(ms)
        window.violations[kind] += 1
        if window.violations[kind] <= EXAMPLES:
            window.examples.append({"violation": kind, "ms": ms, **what})

    def violations(self):
        return sum((w.violations for w in self.windows), collections.Counter())

    @property
    def holds(self):
        return all(w.holds for w in self.windows)

    def as_json(self):
        return {"holds": self.holds, "telemetry_records": self.records, "unacknowledged_values": self.unacknowledged,
                "lifecycle_events": dict(self.events), "windows": [w.as_json() for w in self.windows]}


def value_key(ack):
    """What identifies a value of a device: with a notification also its number, so that values may come again."""
    return (ack["path"], ack.get("seq"), ack["value"])


def telemetry_key(value):
    sequence = value.get("sequence")
    return (value["path"], None if sequence is None else int(sequence.rpartition(".")[2]), value.get("value"))


def check_values(acks, telemetry, report):
    """Telemetry lines and acknowledgements of the same devices."""
    there = {}
    owners = {}
    for record in telemetry:
        value = record["v"]
        key = (value["endpoint"], *telemetry_key(value))
        report.records += 1
        event_id = value["event_id"]
        if owners.setdefault(event_id, key) != key:
            report.violation("reused_event_id", record["at"], event_id=event_id, values=[owners[event_id], key])
        seen = there.get(key)
        if seen is None:
            there[key] = [event_id, record["at"], False]
        elif seen[0] == event_id:
            report.at(record["at"]).duplicates += 1
        else:
            report.violation("other_event_id", record["at"], value=key, event_ids=[seen[0], event_id])
    for ack in acks:
        if ack["kind"] not in ("notify", "send"):
            continue
        window = report.at(ack["ts"])
        window.acknowledged[ack["kind"]] += 1
        seen = there.get((ack["ep"], *value_key(ack)))
        if seen is None:
            report.violation("lost_value", ack["ts"], ack=ack)
            continue
        window.found += 1
        window.slowest_ms = max(window.slowest_ms, seen[1] - ack["ts"])
        seen[2] = True
    report.unacknowledged += sum(1 for seen in there.values() if not seen[2])


def registration_of(ack):
    return ack.get("location", "").rpartition("/")[2]


def check_events(lifecycle, report):
    """Each device's events are numbered without a gap; gives the events by (event, registration id)."""
    by_registration = {}
    counters = collections.defaultdict(dict)
    for record in lifecycle:
        value = record["v"]
        number, _, counter = value["event_id"].partition("-")
        known = counters[number].setdefault(int(counter), record)
        if known is not record:
            if known["v"] != value:
                report.violation("lifecycle_conflict", record["at"], events=[known["v"], value])
            else:
                report.at(record["at"]).duplicates += 1
            continue
        report.events[value["event"]] += 1
        by_registration.setdefault((value["event"], value.get("registration_id", "")), record)
    for number, seen in counters.items():
        at = 0
        for counter in range(max(seen), 0, -1):
            if counter in seen:
                at = seen[counter]["v"]["time_ms"]
            else:
                report.violation("lifecycle_gap", at, device_number=number, counter=counter)
    return by_registration, counters


def check_registrations(acks, events, report):
    """Every 2.01 and every 2.02 has its event."""
    wanted = {"register": ("registered", "lost_registration"), "deregister": ("deregistered", "lost_deregistration")}
    for ack in acks:
        if ack["kind"] not in wanted:
            if ack["kind"] == "update":
                report.at(ack["ts"]).acknowledged["update"] += 1
            continue
        event, violation = wanted[ack["kind"]]
        window = report.at(ack["ts"])
        window.acknowledged[ack["kind"]] += 1
        record = events.get((event, registration_of(ack)))
        if record is None:
            report.violation(violation, ack["ts"], ack=ack)
            continue
        window.found += 1
        window.slowest_ms = max(window.slowest_ms, record["at"] - ack["ts"])


def check_expiry(acks, events, report):
    """No registration ends before its lifetime since the last acknowledged Register or Update is over.

    The platform got the message between its first transmission and the answer: the first is taken as when.
    """
    renewals = collections.defaultdict(list)
    for ack in acks:
        if ack["kind"] in ("register", "update"):
            renewals[registration_of(ack)].append((ack["ts"] - ack["latency_us"] / 1000, ack["ts"], ack))
    for (event, registration), record in events.items():
        if event != "expired":
            continue
        ended_ms, lifetime_ms = record["v"]["time_ms"], record["v"]["lifetime_s"] * 1000
        against = [ack for sent_ms, heard_ms, ack in renewals.get(registration, ())
                   if sent_ms > ended_ms or (heard_ms <= ended_ms < sent_ms + lifetime_ms)]
        if against:
            report.violation("early_expiry", against[-1]["ts"], ack=against[-1], expired_ms=ended_ms,
                             lifetime_s=record["v"]["lifetime_s"])


def check_devices(acks, events, devices, report):
    """What each device holds at the end is what the API tells of it."""
    last = {}
    for ack in acks:
        if ack["kind"] in ("register", "update", "deregister"):
            if ack["ep"] not in last or last[ack["ep"]]["ts"] <= ack["ts"]:
                last[ack["ep"]] = ack
    for endpoint, ack in last.items():
        record = events.get(("registered", registration_of(ack)))
        if ack["kind"] == "deregister" or record is None:
            continue
        registered = record["v"]
        asked = devices.get(endpoint)
        lifetime_ms = registered["lifetime_s"] * 1000
        asked_ms = asked["asked_ms"] if asked else ack["ts"]
        if lifetime_ms and ack["ts"] - ack["latency_us"] / 1000 + lifetime_ms <= asked_ms:
            continue  # may have ended by now
        # A Register whose answer was lost makes a newer registration than the device knows of.
        if asked is None or asked["generation"] < registered["generation"] or (
                asked["generation"] == registered["generation"]
                and asked["registration_id"] != registered["registration_id"]):
            report.violation("not_registered", ack["ts"], ack=ack, api=asked)


def check_states(states, counters, report):
    """The compacted topic ends with the state after the latest event of each device."""
    latest = {}
    for record in states:
        if record["v"] is not None:
            latest[record["v"]["event_id"].partition("-")[0]] = record["v"]["event_id"]
    for number, seen in counters.items():
        newest = f"{number}-{max(seen)}"
        if latest.get(number) != newest:
            report.violation("stale_state", seen[max(seen)]["v"]["time_ms"], state=latest.get(number), event=newest)


def compare(acks, telemetry, lifecycle, states, devices, report):
    """All records of some devices; adds to the report. `states` None: that topic was not recorded."""
    check_values(acks, telemetry, report)
    events, counters = check_events(lifecycle, report)
    check_registrations(acks, events, report)
    check_expiry(acks, events, report)
    if devices is not None:
        check_devices(acks, events, {d["ep"]: d for d in devices}, report)
    if states is not None:
        check_states(states, counters, report)


def read_lines(path):
    """The objects of a file; a last line that was cut short is left out."""
    with open(path, "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield json.loads(line)


ENDPOINT = re.compile(rb'"(?:ep|endpoint)": ?"((?:[^"\\]|\\.)*)"')


def files_of(directory):
    """The files of a run by what they hold; None: not recorded."""
    directory = pathlib.Path(directory)
    files = {"acks": sorted(directory.glob("acks*.jsonl")), "telemetry": [directory / TELEMETRY],
             "lifecycle": [directory / LIFECYCLE], "states": [directory / STATE],
             "devices": [directory / "devices.jsonl"]}
    for optional in ("states", "devices"):
        if not files[optional][0].exists():
            files[optional] = None
    return files


def split(files, parts, scratch):
    """Each line into the part of its device, so that all of a device is in one part. Not parsed: these are many."""
    for kind, paths in files.items():
        if paths is None:
            continue
        outs = [open(scratch / f"{kind}.{part}", "wb") for part in range(parts)]
        for path in paths:
            with open(path, "rb") as file:
                for line in file:
                    if not line.endswith(b"\n"):
                        continue
                    found = ENDPOINT.search(line)
                    if found:  # none: a tombstone
                        outs[zlib.crc32(found[1]) % parts].write(line)
        for out in outs:
            out.close()


def compare_files(directory, windows=(), part_bytes=PART_BYTES):
    """The report of a run's directory."""
    files = files_of(directory)
    report = Report(windows)
    size = sum(path.stat().st_size for paths in files.values() for path in paths or ())
    parts = min(max(1, size // part_bytes), PARTS_MAX)
    with tempfile.TemporaryDirectory(dir=directory, prefix="compare-") as scratch:
        scratch = pathlib.Path(scratch)
        split(files, parts, scratch)
        for part in range(parts):
            of = {kind: None if paths is None else list(read_lines(scratch / f"{kind}.{part}"))
                  for kind, paths in files.items()}
            compare(of["acks"], of["telemetry"], of["lifecycle"], of["states"], of["devices"], report)
    return report


def text_of(report):
    lines = []
    for window in report.windows:
        lines.append(f"{window.id}: {window.checked:,} acknowledged, {window.found:,} found, {window.duplicates:,} "
                     f"duplicates, {window.lost:,} lost; slowest {window.slowest_ms} ms; {dict(window.acknowledged)}")
        lines += [f"  {kind}: {count:,}" for kind, count in window.violations.items()]
        lines += [f"    {json.dumps(example)}" for example in window.examples]
    lines.append(f"{report.records:,} telemetry records, {report.unacknowledged:,} values not acknowledged, "
                 f"lifecycle {dict(report.events)}")
    lines.append("holds" if report.holds else "DOES NOT HOLD")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--windows", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    windows = json.loads(options.windows.read_text()) if options.windows else ()
    report = compare_files(options.directory, windows)
    print(json.dumps(report.as_json(), indent=1) if options.json else text_of(report))
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
