"""Kafka and Redis away for 30 s under load: what devices are told meanwhile, what memory it costs, and recovery."""

import time

from chain import Chain
from crash import rows_of
from fleet import mixed
from memory import mib
from raw_device import POST, RawDevice
from takeover import Reader

TITLE = "Kafka, then Redis, away for 30 s under load: refused with Max-Age, memory bounded, back without help"
IN_SHORT = False
DOWN_SECONDS = 30
# What a service may grow by while a server is away. Every queue has a bound of its own (docs/configuration.md); with
# NSTART 1 a device has one message in them, so that far less is used.
GROWTH_MAX = 64 << 20
FIRST_DEVICE = 1  # read at the begin, so the registry knows it
READ_SECONDS = 5
# An acknowledgement may be on its way at the moment of the kill.
IN_FLIGHT_MS = 250
SENML = b'[{"n":"/3303/0/5700","v":-273.0}]'


def now_ms():
    return int(time.time() * 1000)


def is_refusal(answer):
    return str(answer.code).startswith("5.03") and (answer.opt.max_age or 0) >= 1


class Probe:
    """A device scripted by hand: registered and observed before the outage."""

    def __init__(self, chain, name):
        self.chain = chain
        self.device = RawDevice(chain.stack.coap_ports[0], f"probe-{name}")
        self.device.register(lifetime=600, seconds=30)
        self.token = self.device.accept_observation()
        self.reader = Reader(chain)
        self.reader.until_read(FIRST_DEVICE, READ_SECONDS)

    def close(self):
        self.device.close()
        self.reader.close()

    def kafka_is_down(self):
        """What is wrong with what the device is told."""
        mid = self.device.notify(self.token, 2, b"-273.0")
        answer = self.device.request(POST, ("dp",), b"\x61", payload=SENML, content_format=110, seconds=30)
        wrong = [] if is_refusal(answer) else [f"Send was answered {answer.code}, Max-Age {answer.opt.max_age}"]
        late = self.device.receive(1)
        if late is not None and late.mid == mid:
            wrong.append("a notification was acknowledged")
        return wrong, f"Send got {answer.code} with Max-Age {answer.opt.max_age}, the notification no ACK"

    def redis_is_down(self):
        newcomer = RawDevice(self.chain.stack.coap_ports[0], "probe-newcomer")
        answer = newcomer.register(seconds=30)
        newcomer.close()
        wrong = [] if is_refusal(answer) else [f"Register was answered {answer.code}, Max-Age {answer.opt.max_age}"]
        seconds = self.reader.until_read(FIRST_DEVICE, READ_SECONDS)
        if seconds > READ_SECONDS:
            wrong.append(f"a device that the registry knows could not be read: {self.reader.refused}")
        return wrong, (f"Register got {answer.code} with Max-Age {answer.opt.max_age}, a Read of a known device was "
                       f"answered after {seconds:.1f} s")


def take_away(chain, context, server, probe):
    """One outage: (detail of its row, what was wrong)."""
    chain.run_for(context.random(f"outage.{server}").uniform(3, 6))
    chain.window(f"outage.{server}", f"{server} away for {DOWN_SECONDS} s at {context.seconds():.1f} s")
    began, from_ms = time.monotonic(), now_ms() + IN_FLIGHT_MS
    chain.kill(server)
    wrong, told = probe()
    chain.run_for(DOWN_SECONDS - (time.monotonic() - began))
    to_ms, ended = now_ms(), time.monotonic()
    growth = chain.memory.growth(began, ended)
    _, ready = chain.restart(server)
    grown = {name: peak - first for name, (first, peak) in growth.items()}
    wrong += [f"{name} grew by {mib(size)}" for name, size in grown.items() if size > GROWTH_MAX]
    detail = {"told": told, "recovery": f"all services ready {ready:.1f} s after the start, none restarted",
              "memory": f"growth while away (bound {mib(GROWTH_MAX)}): "
                        + ", ".join(f"{name} {mib(size)}" for name, size in sorted(grown.items()))}
    return {"detail": detail, "wrong": wrong, "from_ms": from_ms, "to_ms": to_ms}


def judge(chain, server, outage):
    """What the acknowledgements of the fleets say of the outage, once their logs are complete."""
    told = chain.acknowledged_between(outage["from_ms"], outage["to_ms"])
    listed = ", ".join(f"{n:,} {kind}" for kind, n in sorted(told.items()))
    outage["detail"]["acknowledged while away"] = listed or "none"
    never, still = (("notify", "send"), ("update",)) if server == "kafka" else (("register",), ("notify", "update"))
    outage["wrong"] += [f"{told[kind]} {kind} acknowledged without {server}" for kind in never if told[kind]]
    outage["wrong"] += [f"no {kind} acknowledged" for kind in still if not told[kind]]


def run(context):
    outages = {}
    with Chain(context, "outage") as chain:
        chain.load(mixed(context.devices, rate=context.choose(2500, 300)))
        probe = Probe(chain, "outage")
        outages["outage.kafka"] = take_away(chain, context, "kafka", probe.kafka_is_down)
        # Devices that gave up retransmitting register anew: that too has to come to rest.
        chain.run_for(30)
        outages["outage.redis"] = take_away(chain, context, "redis", probe.redis_is_down)
        chain.run_for(30)
        probe.close()
        report = chain.settle_and_compare()
        for name, outage in outages.items():
            judge(chain, name.partition(".")[2], outage)
    rows = rows_of(report, {name: outage["detail"] for name, outage in outages.items()})
    for row in rows:
        if row.id in outages and outages[row.id]["wrong"]:
            row.holds = False
            row.detail["wrong"] = outages[row.id]["wrong"]
    return [row for row in rows if row.id != "start"]
