#!/usr/bin/env python3
"""Puts measured figures into docs/performance.md and docs/scaling.md, between their <!-- bench:... --> markers.

    tests/bench/report.py [--results build/bench/results.json] [--growth build/bench/growth.json]

A new growth.json is also kept as docs/growth.json; without a new one that is taken. Everything else in the pages is
written by hand.
"""

import argparse
import json
import pathlib

import scaling

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MEBI = 1024 * 1024


def put(page, name, lines):
    """Replaces what stands between the two markers called `name`."""
    path = DOCS / page
    text = path.read_text()
    begin, end = f"<!-- bench:{name} -->", "<!-- bench:end -->"
    head, _, rest = text.partition(begin)
    if not rest:
        raise SystemExit(f"{page} has no marker {begin}")
    _, _, tail = rest.partition(end)
    path.write_text(head + begin + "\n" + "\n".join(lines) + "\n" + end + tail)
    print(f"docs/{page}: {name}")


def number(value):
    """Three digits that count, thousands separated."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(r) + " |" for r in rows)]


def rows_table(rows):
    body = []
    for item in rows:
        echo = "" if item["echo_ratio"] is None else number(item["echo_ratio"])
        peer = "" if item["peer"] is None else f"{number(item['peer'])} {item['peer_unit']}"
        cpu = f"{number(item['cpu_us'])} us" if "cpu_us" in item else ""
        holds = {None: "", True: "yes", False: "**no**"}[item["holds"]]
        body.append([item["id"], f"{number(item['value'])} {item['unit']}", cpu, echo, peer, item["goal"] or "", holds])
    return table(["row", "value", "CPU each", "echo / ours", "Leshan", "goal", "reached"], body)


def growth_table(entries):
    def cells(text, value):
        return [text, *(value(entry) for entry in entries)]

    def cost(kind, name):
        return lambda e: number(e[kind][name])

    def each(*names):
        return lambda e: number(sum(e["bytes_per_device"][name] for name in names))

    return table(["", *(f"{entry['devices']:,} devices" for entry in entries)], [
        cells("Update, ingress, us", cost("updates", "ingress-0")),
        cells("Update, all processes, us", cost("updates", "all")),
        cells("notification, ingress, us", cost("notifications", "ingress-0")),
        cells("notification, all processes, us", cost("notifications", "all")),
        cells("raw echo beside the Updates, us", cost("updates", "echo")),
        cells("raw echo beside the notifications, us", cost("notifications", "echo")),
        cells("Update, ingress, in echoes", cost("updates", "ingress_echoes")),
        cells("Update, all processes, in echoes", cost("updates", "all_echoes")),
        cells("notification, ingress, in echoes", cost("notifications", "ingress_echoes")),
        cells("notification, all processes, in echoes", cost("notifications", "all_echoes")),
        cells("RAM of ingress and registry, B/device", each("ingress-0", "registry-0")),
        cells("RAM of observation, B/device", each("observation-0")),
        cells("Redis, registered, B/device", each("redis")),
        cells("Redis, registered and observed, B/device", each("redis_observed")),
        cells("time to register all, s", lambda e: number(e["register_seconds"])),
        cells("time until all are observed, s", lambda e: number(e["observe_seconds"])),
    ])


def rss_table(entries):
    largest = max(entries, key=lambda e: e["devices"])
    rss = largest["rss"]
    names = [name for name in ("loader", "ingress-0", "registry-0", "observation-0", "api-0") if name in rss]
    return [f"RSS with {largest['devices']:,} devices registered and observed, after the load:", "",
            *table(["process", "RSS", "per device"],
                   [[name, f"{rss[name] / MEBI:,.0f} MiB", f"{rss[name] / largest['devices']:.0f} B"]
                    for name in names])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "bench" / "results.json")
    parser.add_argument("--growth", type=pathlib.Path, default=ROOT / "build" / "bench" / "growth.json")
    options = parser.parse_args()
    kept = DOCS / "growth.json"
    if options.growth.exists():
        kept.write_text(options.growth.read_text())
    entries = json.loads(kept.read_text())
    put("performance.md", "growth", growth_table(entries))
    put("performance.md", "million", rss_table(entries))
    if options.results.exists():
        rows = json.loads(options.results.read_text())
        largest = max(entries, key=lambda entry: entry["devices"])
        put("performance.md", "rows", rows_table(rows))
        put("scaling.md", "arithmetic", scaling.lines({item["id"]: item for item in rows}, largest, table, number))


if __name__ == "__main__":
    main()
