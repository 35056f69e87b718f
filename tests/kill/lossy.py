"""Devices behind a network that loses 30 % of the datagrams in each direction, repeats and reorders the others."""

import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from api_client import Api
from chain import Chain
from crash import total
from lossy_relay import LossyRelay
from scenario import Row

TITLE = "a network that loses 30 % in each direction, repeats and reorders: everything is completed"
IN_SHORT = False  # tests of the shard in virtual time do the same in make test
LOSS, REPEAT, DELAY_MS = 0.3, 0.2, 500
PATH = "/3303/0/5700"
READ_TRIES = 30
SECONDS = 60
READERS = 16
DEVICES_MAX = 400  # what a relay in Python carries without being late


def read_until_answered(api, endpoint):
    """How often a device had to be asked; 0 when it never answered."""
    for tries in range(1, READ_TRIES + 1):
        try:
            if PATH in api.values(endpoint, PATH, accept=0):
                return tries
        except grpc.RpcError:
            time.sleep(0.5)  # a lost exchange, or the device is registering anew
    return 0


def fleets(devices):
    """Notifications, Sends and Registers, each device every few seconds, with an Update now and then."""
    part = devices // 4
    load = ["--rate", max(1, part // 5), "--window", 256, "--lifetime", 60, "--seconds", 86_400]
    return [{"name": "notify", "count": devices - 2 * part, "first": 1,
             "arguments": ["--interval", 5, "--lifetime", 60]},
            {"name": "send", "count": part, "first": devices, "arguments": ["--load", "sends", *load]},
            {"name": "register", "count": part, "first": 2 * devices, "arguments": ["--load", "registrations", *load]}]


def run(context):
    devices = min(context.devices, DEVICES_MAX)
    with Chain(context, "lossy") as chain:
        seed = context.random("lossy").randrange(1 << 32)
        with LossyRelay(chain.stack.coap_ports[0], seed) as relay:
            context.say(f"relay on port {relay.port}: loss {LOSS}, repetition {REPEAT}, delay up to {DELAY_MS} ms, "
                        f"seed {seed}")
            chain.stack.coap_ports[0] = relay.port
            chain.window("lossy", f"{LOSS:.0%} of the datagrams each way")
            chain.load(fleets(devices))
            relay.set(LOSS, REPEAT, DELAY_MS)
            api = Api(chain.stack.api_address)
            endpoints = [f"sensor-{n:07}" for n in range(1, devices - 2 * (devices // 4) + 1)]
            with ThreadPoolExecutor(READERS) as pool:
                asking = pool.map(lambda endpoint: read_until_answered(api, endpoint), endpoints)
                chain.run_for(SECONDS)
                tries = list(asking)
            # Four retransmissions do not save 3 % of all exchanges; a device then registers anew, so that some always
            # do. On a good network all of them are there in the end.
            relay.set(0, 0, 0)
            chain.wait(lambda: sum(f.registered() for f in chain.fleets) == devices, "all devices registered", 300)
            report = chain.settle_and_compare()
            counts = relay.stop()
        answered = sum(1 for t in tries if t)
        values = total("lossy.values", report, f"{LOSS:.0%} of all datagrams, seed {seed}", {
            "datagrams": f"{counts['carried']:,} carried, {counts['lost']:,} lost, {counts['repeated']:,} repeated",
            "not acknowledged but stored": f"{report.unacknowledged:,} values"})
        reads = Row("lossy.reads", "the same", len(tries), answered, 0, len(tries) - answered, answered == len(tries),
                    {"asked": f"{sum(tries) / max(1, answered):.2f} times each on the average, {max(tries)} at most"})
        return [values, reads]
