"""Puts losses into the files of a run on purpose, to see that compare.py finds every one of them.

Each function changes the files of a directory in place and gives how many violations of its kind must be found.
"""

import json

from compare import LIFECYCLE, STATE, TELEMETRY, files_of, read_lines, registration_of, telemetry_key, value_key


def rewrite(path, change):
    """Each line as change(record) gives it: a record, None to leave it out, or a list of records."""
    scratch = path.with_suffix(".new")
    with open(scratch, "w", encoding="utf-8") as out:
        for record in read_lines(path):
            made = change(record)
            for one in made if isinstance(made, list) else [] if made is None else [made]:
                out.write(json.dumps(one, separators=(",", ":")) + "\n")
    scratch.replace(path)


def acknowledged(directory, kinds, random, count):
    """Some acknowledgements, no two of the same device."""
    by_device = {}
    for path in files_of(directory)["acks"]:
        for ack in read_lines(path):
            if ack["kind"] in kinds:
                by_device.setdefault(ack["ep"], []).append(ack)
    if len(by_device) < count:
        raise ValueError(f"only {len(by_device)} devices have one of {kinds}")
    return [random.choice(by_device[endpoint]) for endpoint in random.sample(sorted(by_device), count)]


def lose_values(directory, random, count):
    """All telemetry records of some acknowledged values."""
    gone = {(a["ep"], *value_key(a)) for a in acknowledged(directory, ("notify", "send"), random, count)}
    rewrite(directory / TELEMETRY,
            lambda r: None if (r["v"]["endpoint"], *telemetry_key(r["v"])) in gone else r)
    return "lost_value", count


def change_event_ids(directory, random, count):
    """Some values come a second time, with another event id."""
    chosen = {(a["ep"], *value_key(a)) for a in acknowledged(directory, ("notify", "send"), random, count)}

    def change(record):
        key = (record["v"]["endpoint"], *telemetry_key(record["v"]))
        if key not in chosen:
            return record
        chosen.discard(key)
        return [record, {**record, "v": {**record["v"], "event_id": record["v"]["event_id"][::-1]}}]
    rewrite(directory / TELEMETRY, change)
    return "other_event_id", count


def reuse_event_ids(directory, random, count):
    """Further values that bear the event id of another one."""
    chosen = {(a["ep"], *value_key(a)) for a in acknowledged(directory, ("notify", "send"), random, count)}

    def change(record):
        key = (record["v"]["endpoint"], *telemetry_key(record["v"]))
        if key not in chosen:
            return record
        chosen.discard(key)
        return [record, {**record, "v": {**record["v"], "value": 999.5}}]
    rewrite(directory / TELEMETRY, change)
    return "reused_event_id", count


def lose_registrations(directory, random, count):
    """The `registered` events of some 2.01."""
    gone = {registration_of(a) for a in acknowledged(directory, ("register",), random, count)}
    rewrite(directory / LIFECYCLE,
            lambda r: None if r["v"]["event"] == "registered" and r["v"]["registration_id"] in gone else r)
    return "lost_registration", count


def lose_events(directory, random, count):
    """Events that are neither the last of their device nor, alone, the answer to an acknowledgement: only the gap
    in the numbers can tell."""
    devices, newest = {}, {}
    for record in read_lines(directory / LIFECYCLE):
        number, _, counter = record["v"]["event_id"].partition("-")
        devices[number] = record["v"]["endpoint"]
        newest[number] = max(newest.get(number, 0), int(counter))
    several = sorted(number for number, counter in newest.items() if counter > 1)
    gone = {f"{number}-{random.randrange(1, newest[number])}" for number in random.sample(several, count)}
    rewrite(directory / LIFECYCLE, lambda r: None if r["v"]["event_id"] in gone else r)
    return "lifecycle_gap", count


def expire_early(directory, random, count):
    """Some registrations end in the very millisecond in which the device is told that they are renewed."""
    chosen = {registration_of(a): a for a in acknowledged(directory, ("register",), random, count)}
    newest = {}
    for record in read_lines(directory / LIFECYCLE):
        number, _, counter = record["v"]["event_id"].partition("-")
        newest[number] = max(newest.get(number, 0), int(counter))

    def change(record):
        value = record["v"]
        if value["event"] != "registered" or value["registration_id"] not in chosen:
            return record
        ack = chosen.pop(value["registration_id"])
        number = value["event_id"].partition("-")[0]
        ended = {**value, "event": "expired", "time_ms": ack["ts"], "event_id": f"{number}-{newest[number] + 1}"}
        return [record, {**record, "v": ended}]
    rewrite(directory / LIFECYCLE, change)
    return "early_expiry", count


def forget_devices(directory, random, count):
    """The API does not know some registered devices."""
    known = [d["ep"] for d in read_lines(directory / "devices.jsonl") if d["generation"]]
    gone = set(random.sample(sorted(known), count))
    rewrite(directory / "devices.jsonl", lambda d: None if d["ep"] in gone else d)
    return "not_registered", count


def keep_old_states(directory, random, count):
    """The newest state record of some devices is missing."""
    newest = {r["v"]["endpoint"]: (r["p"], r["o"]) for r in read_lines(directory / STATE) if r["v"] is not None}
    gone = set(random.sample(sorted(newest.values()), count))
    rewrite(directory / STATE, lambda r: None if (r["p"], r["o"]) in gone else r)
    return "stale_state", count


ALL = (lose_values, change_event_ids, reuse_event_ids, lose_registrations, lose_events, expire_early, forget_devices,
       keep_old_states)
