"""Latency of a gRPC Read through to the device and back while Updates come in."""

import threading
import time

from api_client import Api

READS_PER_S = 50
UPDATES_PER_S = 20_000
SECONDS = 10


def reads_under_load(stack, loader, devices):
    """p50 and p99 in milliseconds, and the rate of updates meanwhile."""
    api = Api(stack.api_address)
    latencies = []
    over = threading.Event()

    def read():
        number = 0
        while not over.wait(1 / READS_PER_S):
            number = number % devices + 1
            began = time.perf_counter()
            api.read(f"sensor-{number:07d}", "/3303/0/5700")
            latencies.append((time.perf_counter() - began) * 1000)

    api.read("sensor-0000001", "/3303/0/5700")  # connects
    reader = threading.Thread(target=read)
    reader.start()
    try:
        result = loader.phase("updates", SECONDS, rate=UPDATES_PER_S, window=4096)
    finally:
        over.set()
        reader.join()
    latencies.sort()
    return (latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)], result["per_second"])
