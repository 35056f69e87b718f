"""Two parts killed at the same moment: what the one would have made up for, the other cannot.

Both are started at once: a service looks for a server that is not there yet.
"""

from chain import Chain
from crash import expect_values, rows_of
from fleet import mixed

TITLE = "two parts killed at once and restarted together: nothing is lost, and values are taken again"
IN_SHORT = False
# Each service with the server that keeps its promises, both servers, and both ends of a stream.
PAIRS = (("ingress-0", "kafka"), ("registry-0", "redis"), ("observation-0", "kafka"), ("kafka", "redis"),
         ("ingress-0", "registry-0"))


def run(context):
    random = context.random("pairs")
    detail = {}
    with Chain(context, "pairs") as chain:
        chain.load(mixed(context.devices, rate=context.choose(2500, 300)))
        for pair in PAIRS:
            chain.run_for(random.uniform(6, 10))
            window = "pairs." + "_".join(name.partition("-")[0] for name in pair)
            chain.window(window, f"{' and '.join(pair)} at {context.seconds():.2f} s")
            for name in pair:
                chain.kill(name)
            chain.run_for(random.uniform(1, 6))
            down, ready = chain.restart(*pair)
            detail[window] = {"down": f"{down:.1f} s, all services ready {ready:.1f} s after the start"}
        chain.run_for(30)
        report = chain.settle_and_compare()
    return [row for row in expect_values(rows_of(report, detail), report) if row.id != "start"]
