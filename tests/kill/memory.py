"""Watches the resident memory of the services while they are attacked."""

import os
import pathlib
import threading
import time

PAGE = os.sysconf("SC_PAGE_SIZE")
STEP_SECONDS = 0.5


def rss_bytes(pid):
    """0 when the process has ended."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


class Memory:
    """Samples twice a second until stop(). `pids` gives {name: pid} of what runs now."""

    def __init__(self, pids):
        self._pids = pids
        self._samples = []  # (monotonic, name, pid, bytes)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.wait(STEP_SECONDS):
            now = time.monotonic()
            for name, pid in self._pids().items():
                if size := rss_bytes(pid):
                    self._samples.append((now, name, pid, size))

    def stop(self):
        self._stopped.set()
        self._thread.join(5)

    def growth(self, since, until):
        """{service: (bytes at `since`, peak until `until`)} of those that lived through."""
        found = {}
        for at, name, pid, size in list(self._samples):
            if since - 2 * STEP_SECONDS <= at <= until:
                first = found.setdefault((name, pid), [at, size, size, at])
                first[2], first[3] = max(first[2], size), at
        return {name: (first, peak) for (name, _), (began, first, peak, ended) in found.items()
                if began <= since + STEP_SECONDS and ended >= until - 2 * STEP_SECONDS}

    def median(self, since, until):
        """{(service, pid): median bytes} between two moments."""
        sizes = {}
        for at, name, pid, size in list(self._samples):
            if since <= at <= until:
                sizes.setdefault((name, pid), []).append(size)
        return {key: sorted(values)[len(values) // 2] for key, values in sizes.items()}


def mib(size):
    return f"{size / 2**20:.1f} MiB"
