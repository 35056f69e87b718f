#!/usr/bin/env python3
"""A UDP relay that loses, repeats and reorders datagrams in both directions.

    lossy_relay.py --target 127.0.0.1:5683 [--seed 1]

Prints its port as the first line and what it did when its input ends. It is a good network until a line
"LOSS REPEAT DELAY_MS" says otherwise ("0.3 0.2 500"). Each sender gets a socket of its own towards the target, so that
the target can tell the senders apart. Every datagram waits up to DELAY_MS, each as long as it likes: that reorders.

    with LossyRelay(5683, seed=7) as relay:
        relay.set(loss=0.3, repeat=0.2, delay_ms=500)  # relay.port; relay.stop() gives the counts
"""

import argparse
import heapq
import itertools
import json
import os
import random
import selectors
import socket
import subprocess
import sys
import time

BUFFER = 4 << 20


class Relay:
    def __init__(self, target, seed):
        self.target = target
        self.loss = self.repeat = self.delay_s = 0
        self.random = random.Random(seed)
        self.counts = {"carried": 0, "lost": 0, "repeated": 0}
        self._later = []  # (when, number, socket, peer or None, datagram)
        self._number = itertools.count()
        self._ways = {}  # sender -> its socket towards the target
        self._selector = selectors.DefaultSelector()
        self._front = self._open()
        self._front.bind(("127.0.0.1", 0))
        self.port = self._front.getsockname()[1]
        self._selector.register(self._front, selectors.EVENT_READ, None)

    @staticmethod
    def _open():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        made.setblocking(False)
        return made

    def _way(self, sender):
        if sender not in self._ways:
            way = self._open()
            way.connect(self.target)
            self._selector.register(way, selectors.EVENT_READ, sender)
            self._ways[sender] = way
        return self._ways[sender]

    def _carry(self, via, peer, datagram):
        if self.random.random() < self.loss:
            self.counts["lost"] += 1
            return
        copies = 2 if self.random.random() < self.repeat else 1
        self.counts["carried"] += 1
        self.counts["repeated"] += copies - 1
        for _ in range(copies):
            when = time.monotonic() + self.random.random() * self.delay_s
            heapq.heappush(self._later, (when, next(self._number), via, peer, datagram))

    def _read(self, ready, sender):
        """Everything that waits on one socket; `sender` is None for the one that devices send to."""
        try:
            while True:
                datagram, peer = ready.recvfrom(65536)
                if sender is None:
                    self._carry(self._way(peer), None, datagram)
                else:
                    self._carry(self._front, sender, datagram)
        except (BlockingIOError, ConnectionRefusedError):
            return

    def _send_due(self):
        """Sends what is due and gives the seconds until the next."""
        while self._later:
            wait = self._later[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, via, peer, datagram = heapq.heappop(self._later)
            try:
                if peer is None:
                    via.send(datagram)
                else:
                    via.sendto(datagram, peer)
            except OSError:
                self.counts["lost"] += 1
        return None

    def _obey(self, commands):
        """False at the end of the input."""
        text = os.read(commands, 4096).decode()
        for line in text.splitlines():
            self.loss, self.repeat, delay_ms = map(float, line.split())
            self.delay_s = delay_ms / 1000
        return text != ""

    def run(self, commands):
        self._selector.register(commands, selectors.EVENT_READ, "commands")
        while True:
            for key, _ in self._selector.select(self._send_due()):
                if key.data != "commands":
                    self._read(key.fileobj, key.data)
                elif not self._obey(commands):
                    return


class LossyRelay:
    """The relay as a process of its own, so that it does not share Python's lock with a test."""

    def __init__(self, target_port, seed):
        from servers import spawn
        self.seed = seed
        self.counts = {}
        self._process = spawn([sys.executable, __file__, "--target", f"127.0.0.1:{target_port}", "--seed", str(seed)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._process.stdout.readline())

    def set(self, loss, repeat, delay_ms):
        self._process.stdin.write(f"{loss} {repeat} {delay_ms}\n")
        self._process.stdin.flush()

    def stop(self):
        if self._process.poll() is None:
            out, _ = self._process.communicate()
            self.counts = json.loads(out)
        return self.counts

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    host, port = options.target.rsplit(":", 1)
    relay = Relay((host, int(port)), options.seed)
    print(relay.port, flush=True)
    relay.run(sys.stdin.fileno())
    print(json.dumps(relay.counts))


if __name__ == "__main__":
    main()
