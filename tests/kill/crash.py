"""kill -9 of each part in turn, each restarted, under a load of everything at once."""

from chain import Chain
from fleet import mixed
from scenario import Row

TITLE = "kill -9 of each part in turn, restarted: what was acknowledged is there, exactly what was acknowledged"
IN_SHORT = True
VICTIMS = ("ingress-0", "observation-0", "registry-0", "redis", "kafka")


def rows_of(report, detail):
    """One row for each window of a report; `detail` adds to them by window id."""
    rows = []
    for window in report.windows:
        more = {"acknowledgements": ", ".join(f"{n:,} {kind}" for kind, n in sorted(window.acknowledged.items())),
                "slowest": f"{window.slowest_ms / 1000:.1f} s from an acknowledgement to its record at a consumer",
                **detail.get(window.id, {})}
        if window.violations:
            more["violations"] = dict(window.violations)
            more["examples"] = window.examples
        rows.append(Row(window.id, window.killed, window.checked, window.found, window.duplicates, window.lost,
                        window.holds, more))
    return rows


def expect_values(rows, report):
    """A platform that says it is ready takes values again: each window has acknowledged some. Gives the rows."""
    for row, window in zip(rows, report.windows):
        if not window.acknowledged["notify"]:
            row.holds = False
            row.detail["wrong"] = "no notification was acknowledged until the next window"
    return rows


def total(row_id, report, killed, detail):
    """One row for a whole run."""
    windows = report.windows
    return Row(row_id, killed, sum(w.checked for w in windows), sum(w.found for w in windows),
               sum(w.duplicates for w in windows), sum(w.lost for w in windows), report.holds, detail)


def kill_in_turn(chain, context, victims, before, down):
    """Kills each of `victims` at a random moment, starts it again after a random time."""
    random = context.random("crash")
    detail = {}
    for victim in victims:
        chain.run_for(random.uniform(*before))
        window = f"crash.{victim.partition('-')[0]}"
        chain.window(window, f"{victim} at {context.seconds():.2f} s")
        chain.kill(victim)
        chain.run_for(random.uniform(*down))
        gone, ready = chain.restart(victim)
        detail[window] = {"down": f"{gone:.1f} s, all services ready {ready:.1f} s after the restart"}
    return detail


def silent(context):
    """Devices that fall silent before the first kill, to see that expiry works at all: (load, how many)."""
    count = 0 if context.short else context.devices // 50
    load = {"name": "silent", "count": count, "first": 8_000_001, "arguments": ["--interval", 0, "--lifetime", 15]}
    return ([load] if count else []), count


def run(context):
    # Devices whose retransmissions are spent register anew: enough time that this is part of it.
    before, down, after = context.choose(((8, 14), (2, 8), 40), ((2, 4), (0.5, 2), 6))
    with Chain(context, "crash") as chain:
        silent_load, silent_count = silent(context)
        chain.load(mixed(context.devices, rate=context.choose(2500, 300)) + silent_load)
        chain.run_for(after / 2)
        chain.terminate("silent")
        detail = kill_in_turn(chain, context, VICTIMS, before, down)
        chain.run_for(after)
        report = chain.settle_and_compare()
        rows = rows_of(report, detail)
        events = ", ".join(f"{n:,} {event}" for event, n in report.events.items())
        rows.append(total("crash.total", report, f"{len(VICTIMS)} kills, seed {context.seed}", {
            "lifecycle": f"{events}; no gap in any device's numbers" if report.holds else events,
            "silent devices": f"{report.events['expired']:,} of {silent_count:,} expired, and no other",
            "not acknowledged but stored": f"{report.unacknowledged:,} values"}))
        rows[-1].holds &= report.events["expired"] == silent_count
        return rows
