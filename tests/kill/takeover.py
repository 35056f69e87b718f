"""Two of each service: what a killed one did is done by the other within seconds, before it is started again."""

import time

import api_client
import grpc
from chain import Chain
from crash import rows_of
from fleet import mixed

TITLE = "two of each service: the other takes over within seconds of a kill, nothing is lost"
IN_SHORT = False
ALONE_SECONDS = 20
# A Kafka consumer is missed after kafka.session_timeout (6 s), a lease after lease.ttl (2 s); the rest is margin for a
# busy machine.
TAKEOVER_SECONDS = 20


class Reader:
    """Reads the temperature of simulated devices through the API."""

    def __init__(self, chain):
        self.api = api_client.Api(chain.stack.api_address)
        self.refused = ""  # what the last Read that failed was told

    def read(self, fleet_first):
        endpoint = f"sensor-{fleet_first:07d}"
        try:
            return bool(self.api.values(endpoint, "/3303/0/5700"))
        except grpc.RpcError as error:
            self.refused = f"{error.code().name}: {error.details()}"
            return False

    def until_read(self, fleet_first, seconds=60):
        """Seconds until a Read of that device is answered."""
        began = time.monotonic()
        while not self.read(fleet_first):
            if time.monotonic() - began > seconds:
                return float("inf")
            time.sleep(0.1)
        return time.monotonic() - began

    def close(self):
        self.api.channel.close()


def kill_one(chain, context, victim, reader, devices):
    """Kills one replica, leaves the other alone for a while, starts it again."""
    chain.run_for(context.random(f"takeover.{victim}").uniform(4, 8))
    chain.window(f"takeover.{victim.partition('-')[0]}", f"{victim} at {context.seconds():.1f} s, alone for "
                                                        f"{ALONE_SECONDS} s")
    began = time.monotonic()
    chain.kill(victim)
    reads = {what: reader.until_read(first) for what, first in devices.items()}
    chain.run_for(ALONE_SECONDS - (time.monotonic() - began))
    _, ready = chain.restart(victim)
    return reads, {"reads": ", ".join(f"{what} after {seconds:.1f} s" for what, seconds in reads.items()),
                   "restart": f"all services ready {ready:.1f} s after its start"}


def run(context):
    with Chain(context, "takeover", ingresses=2, registries=2, observations=2) as chain:
        fleets = mixed(context.devices, rate=context.choose(2000, 300), ingresses=2)
        first = {options["name"]: options["first"] for options in fleets}
        chain.load(fleets)
        # notify and short are at ingress-0, send and churn at ingress-1.
        here, there = {"a device of ingress-0": first["notify"]}, {"a device of ingress-1": first["send"]}
        reader = Reader(chain)
        detail, wrong = {}, {}
        for victim, devices in (("registry-0", {**here, **there}), ("observation-1", {**here, **there}),
                                ("ingress-1", here)):
            reads, facts = kill_one(chain, context, victim, reader, devices)
            window = f"takeover.{victim.partition('-')[0]}"
            detail[window] = facts
            wrong[window] = [f"{what} not read within {TAKEOVER_SECONDS} s" for what, seconds in reads.items()
                             if seconds > TAKEOVER_SECONDS]
        chain.run_for(20)
        reader.close()
        report = chain.settle_and_compare()
    rows = [row for row in rows_of(report, detail) if row.id != "start"]
    for row, window in zip(rows, [w for w in report.windows if w.id != "start"]):
        if window.slowest_ms > TAKEOVER_SECONDS * 1000:
            wrong[row.id].append(f"a record came only {window.slowest_ms / 1000:.1f} s after its acknowledgement")
        if wrong[row.id]:
            row.holds = False
            row.detail["wrong"] = wrong[row.id]
    return rows
