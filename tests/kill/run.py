#!/usr/bin/env python3
"""`make kill-test`: kills every part of the platform under load and looks whether anything acknowledged is lost.

    tests/kill/run.py [--only SCENARIO ...] [--devices N] [--seed N] [--short] [--output FILE]

Real Kafka and Redis, every service a process of its own. Prints a table and writes build/kill/results.json; the files
of each scenario stay in build/kill/. Exit code 1 when a row does not hold. The seed decides when what is killed.
"""

import argparse
import importlib
import json
import pathlib
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from scenario import Context, Row, table  # noqa: E402
from servers import ROOT  # noqa: E402

# Modules of this directory, in the order in which they run.
SCENARIOS = ("crash", "outage", "takeover", "pairs", "hang", "storm", "lossy")


def run_scenario(name, context):
    """The rows of one scenario; one that could not be done is a row that does not hold."""
    try:
        module = importlib.import_module(name)
        if context.short and not module.IN_SHORT:
            return []
        context.say(f"== {name}: {module.TITLE}")
        return module.run(context)
    except Exception as error:  # whatever it was, the other scenarios go on
        traceback.print_exc()
        return [Row(name, f"not done: {error}", 0, 0, 0, 0, False)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=SCENARIOS, default=[])
    parser.add_argument("--devices", type=int, default=0, help="10,000, and 600 with --short")
    parser.add_argument("--seed", type=int, default=20_261)
    parser.add_argument("--short", action="store_true", help="about a minute, one kill of each")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "kill" / "results.json")
    options = parser.parse_args()
    devices = options.devices or (600 if options.short else 10_000)
    context = Context(options.output.parent, options.seed, devices, options.short)
    context.say(f"seed {options.seed}, {devices:,} devices")
    rows = []
    for name in options.only or SCENARIOS:
        rows += run_scenario(name, context)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps([row.as_json() for row in rows], indent=1) + "\n")
    print(f"\n{table(rows)}\n\nwritten to {options.output}")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
