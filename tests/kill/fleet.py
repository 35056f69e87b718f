"""The load program: `lanyard simulate` with a log of every acknowledgement it received, as a process of its own."""

import json
import re
import subprocess

from platform_stack import BIN
from servers import spawn

LINGER_SECONDS = 10
PROGRESS = re.compile(r"(\d+)/\d+ registered\s+(\d+) acknowledged/s")


class Fleet:
    """Some devices of one kind. Writes acks-<name>.jsonl; --counting makes each value of a device unique."""

    def __init__(self, directory, target, name, count, first, arguments=()):
        self.name = name
        self.count = count
        self._progress = directory / f"{name}.log"
        self._out = open(directory / f"{name}.out", "w+", encoding="utf-8")
        with open(self._progress, "wb") as progress:
            self.process = spawn([str(BIN / "lanyard"), "simulate", "--counting", "--target", f"coap://{target}",
                                  "--count", str(count), "--first", str(first), "--ack-log",
                                  str(directory / f"acks-{name}.jsonl"), "-o", "json", *map(str, arguments)],
                                 stdin=subprocess.DEVNULL, stdout=self._out, stderr=progress)

    def _last(self):
        """(registered, acknowledged a second) of the last progress line."""
        found = PROGRESS.findall(self._progress.read_bytes()[-600:].decode(errors="replace"))
        return (int(found[-1][0]), int(found[-1][1])) if found else (0, 0)

    def registered(self):
        return self._last()[0]

    def rate(self):
        return self._last()[1] if self.process.poll() is None else 0

    def terminate(self):
        if self.process.poll() is None:
            self.process.terminate()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._out.close()

    def summary(self):
        """After terminate(): what the program counted (summary_json of simulator/report.hpp)."""
        code = self.process.wait(60)
        self._out.seek(0)
        text = self._out.read()
        if code != 0 or not text:
            raise RuntimeError(f"load program {self.name} ended with {code}: {self._progress.read_text()[-500:]}")
        return json.loads(text)


def mixed(devices, rate, lifetime=300, short_lifetime=20, ingresses=1):
    """Fleets that do everything at once, about `rate` values a second in all.

    notify: notifications, and an Update now and then. send: the Send operation. short: nothing but Updates, with a
    lifetime that an outage may outlast. churn: registers anew all the time.
    """
    shares = {"notify": devices * 70 // 100, "send": devices * 15 // 100, "short": devices * 10 // 100}
    shares["churn"] = devices - sum(shares.values())
    send_rate = max(1, rate // 5)
    interval = shares["notify"] / max(1, rate - send_rate)
    forever = ["--seconds", 86_400]
    arguments = {
        "notify": ["--interval", f"{interval:.3f}", "--lifetime", lifetime],
        "send": ["--load", "sends", "--rate", send_rate, "--window", 512, "--lifetime", lifetime, *forever],
        "short": ["--interval", 0, "--lifetime", short_lifetime],
        # Lives on for a while when it is stopped: the platform still wants to observe the last to register.
        "churn": ["--load", "registrations", "--rate", max(1, shares["churn"] // 10), "--lifetime", lifetime, *forever,
                  "--linger", LINGER_SECONDS],
    }
    fleets, first = [], 1
    for number, (kind, count) in enumerate(shares.items()):
        fleets.append({"name": kind, "count": count, "first": first, "arguments": arguments[kind],
                       "ingress": number % ingresses})
        first += count
    return fleets
