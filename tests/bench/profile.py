#!/usr/bin/env python3
"""Where the CPU time of a process goes under load, by perf: build/bench/profile-<process>-<load>.txt.

    tests/bench/profile.py [--devices N] [--seconds S] [PROCESS:LOAD ...]

PROCESS is ingress-0, observation-0, registry-0 or api-0; LOAD is updates, notifications, registrations or reads
(through the API, with 20,000 Updates a second). Without arguments: ingress-0:updates, ingress-0:notifications and
observation-0:notifications. Needs perf (Debian: linux-perf) and the right to profile (root).
"""

import argparse
import subprocess
import sys

import downlink
from measure import ROOT, cpu_seconds
from testbed import Testbed

DEFAULT = ["ingress-0:updates", "ingress-0:notifications", "observation-0:notifications"]
OUTPUT = ROOT / "build" / "bench"


def record(pid, seconds, data):
    return subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-g", "-o", data, "-p", str(pid),
                             "--", "sleep", str(seconds)], stderr=subprocess.DEVNULL)


def report(data, *arguments):
    done = subprocess.run(["perf", "report", "-i", data, "--stdio", "-g", "none", "--percent-limit", "0.5", *arguments],
                          capture_output=True, text=True, check=False)
    return "\n".join(line for line in done.stdout.splitlines() if line.strip() and not line.startswith("#"))


def run_load(bed, loader, load, seconds, devices):
    if load == "reads":
        return downlink.reads_under_load(bed.stack, loader, devices, seconds)[1]
    return loader.phase(load, seconds, window=2048 if load == "notifications" else 512)


def profile(bed, loader, process, load, options):
    pid = bed.pid(process)
    run_load(bed, loader, load, 1, options.devices)
    data = str(OUTPUT / f"profile-{process}-{load}.data")
    perf = record(pid, options.seconds, data)
    before = cpu_seconds(pid)
    result = run_load(bed, loader, load, options.seconds, options.devices)
    us = (cpu_seconds(pid) - before) * 1e6 / max(result["acknowledged"], 1)
    perf.wait()
    text = [f"{process} under {load}: {us:.2f} us of CPU each, {result['per_second']:.0f}/s", "",
            "== threads", report(data, "--no-children", "--sort", "comm"), "",
            "== libraries", report(data, "--no-children", "--sort", "dso"), "",
            "== system calls (with all below them)",
            report(data, "--children", "--sort", "sym", "--symbol-filter", "__x64_sys_"), "",
            "== functions", report(data, "--no-children", "--sort", "sym"), ""]
    target = OUTPUT / f"profile-{process}-{load}.txt"
    target.write_text("\n".join(text))
    print(text[0] + f": {target}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("what", nargs="*", default=DEFAULT)
    options = parser.parse_args()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with Testbed(1, options.seconds) as bed:
        bed.start_observation()
        loader = bed.loader(options.devices)
        try:
            loader.wait_registered()
            loader.phase("notifications", 0.1, rate=10)
            for item in options.what:
                process, load = item.split(":")
                profile(bed, loader, process, load, options)
        finally:
            loader.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
