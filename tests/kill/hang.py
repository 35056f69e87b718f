"""Parts that hang (SIGSTOP) and go on (SIGCONT), two of each service: connections stay, answers do not come, and what
the part believes to hold when it goes on has been taken over by then."""

from chain import Chain
from crash import expect_values, rows_of
from fleet import mixed
from takeover import Reader

TITLE = "each part in turn hangs and goes on: nothing is lost, and what was taken over from it stays taken over"
IN_SHORT = False
# Longer than a lease (lease.ttl, 2 s), a Kafka session (kafka.session_timeout, 6 s) and the silence after which gRPC
# takes a peer for gone (20 s and 10 s for the answer).
HANG_SECONDS = 40
VICTIMS = ("registry-0", "observation-0", "ingress-0", "redis", "kafka")


def run(context):
    random = context.random("hang")
    detail = {}
    with Chain(context, "hang", ingresses=2, registries=2, observations=2) as chain:
        fleets = mixed(context.devices, rate=context.choose(2000, 300), ingresses=2)
        reachable = next(fleet["first"] for fleet in fleets if fleet["name"] == "send")  # at ingress-1, never a victim
        chain.load(fleets)
        reader = Reader(chain)
        for victim in VICTIMS:
            chain.run_for(random.uniform(6, 10))
            window = f"hang.{victim.partition('-')[0]}"
            chain.window(window, f"{victim} hangs for {HANG_SECONDS} s at {context.seconds():.1f} s")
            reading, ready = chain.hang(victim, HANG_SECONDS, lambda: reader.until_read(reachable, HANG_SECONDS))
            answered = f"after {reading:.1f} s" if reading < HANG_SECONDS else "not before it went on"
            detail[window] = {"read meanwhile": f"a device of the other ingress {answered}",
                              "recovery": f"all services ready {ready:.1f} s after it went on"}
        chain.run_for(30)
        reader.close()
        report = chain.settle_and_compare()
    return [row for row in expect_values(rows_of(report, detail), report) if row.id != "start"]
