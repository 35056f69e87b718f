"""What the scenarios of `make kill-test` have in common: the rows they give and what they are given.

A scenario is a module of this directory, named in run.py, with

    TITLE = "one line that says what is attacked"
    IN_SHORT = True                              # whether `run.py --short` (part of `make test`) runs it too
    def run(context: Context) -> list[Row]: ...  # starts what it needs, ends all of it, gives its rows

It raises only when the test itself cannot be done; what the platform does wrong is a row that does not hold.
"""

import dataclasses
import pathlib
import random
import shutil
import sys
import time


@dataclasses.dataclass
class Row:
    """One line of build/kill/results.json. `detail` is written beside the fixed columns."""

    id: str
    killed: str  # what was killed and when, for people
    acknowledged: int  # acknowledgements that the devices received
    found: int  # of those, how many are where they have to be
    duplicates: int  # further records of the same, with the same event id
    lost: int
    holds: bool
    detail: dict = dataclasses.field(default_factory=dict)

    def as_json(self):
        columns = dataclasses.asdict(self)
        return {**columns, **columns.pop("detail")}


class Context:
    """Settings of a run, its directory, its random numbers and how it talks to people."""

    def __init__(self, directory, seed, devices=10_000, short=False, out=sys.stdout):
        self.directory = pathlib.Path(directory)
        self.seed = seed
        self.devices = devices
        self.short = short
        self._out = out
        self._began = time.monotonic()
        self._live_at = 0.0
        self._live_shown = False

    def random(self, name):
        """Random numbers that depend on the seed and on `name` alone."""
        return random.Random(f"{self.seed}:{name}")

    def choose(self, full, short):
        return short if self.short else full

    def own_directory(self, name):
        """An empty directory for the files of one scenario; kept after the run."""
        made = self.directory / name
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        return made

    def seconds(self):
        return time.monotonic() - self._began

    def say(self, text):
        """A line that stays."""
        start = "\r\033[K" if self._live_shown else ""
        self._live_shown = False
        print(f"{start}[{self.seconds():6.1f} s] {text}", file=self._out, flush=True)

    def live(self, text):
        """What is going on right now: in place on a terminal, else a line every ten seconds."""
        if self._out.isatty():
            print(f"\r\033[K[{self.seconds():6.1f} s] {text[:150]}", end="", file=self._out, flush=True)
            self._live_shown = True
        elif time.monotonic() - self._live_at >= 10:
            self._live_at = time.monotonic()
            print(f"[{self.seconds():6.1f} s]   {text}", file=self._out, flush=True)


def table(rows):
    """The rows for people."""
    lines = [f"{'row':24} {'acknowledged':>12} {'found':>10} {'duplicates':>10} {'lost':>6}  holds  killed"]
    for row in rows:
        lines.append(f"{row.id:24} {row.acknowledged:>12,} {row.found:>10,} {row.duplicates:>10,} {row.lost:>6,}  "
                     f"{'yes  ' if row.holds else 'NO   '}  {row.killed}")
        for name, value in row.detail.items():
            lines.append(f"{'':24}   {name}: {value}")
    return "\n".join(lines)
