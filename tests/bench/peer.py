"""Eclipse Leshan's server as a peer: in-memory stores, NoSec, from Maven Central (leshan/), on the ingress's CPU."""

import json
import pathlib
import subprocess

from measure import Round, on_cpu, rss_bytes
from servers import spawn

VERSION = "2.0.0-M18"
HERE = pathlib.Path(__file__).resolve().parent / "leshan"
SENML_CBOR = 112  # what the platform observes the same devices in
# For speed it gets room from the start, so that collections of a growing heap do not decide.
ROOMY = ("-Xms8g", "-Xmx8g")
WARM_UP_ROUNDS_MIN = 4
WARM_UP_ROUNDS_MAX = 8
WARM_ENOUGH = 0.95  # a round that costs more than this share of the best one before brings nothing new


def build():
    """Fetches and compiles once; Maven does nothing when it is done already."""
    subprocess.run(["mvn", "-B", "-q", "-f", str(HERE / "pom.xml"), "package", "dependency:copy-dependencies",
                    "-DincludeScope=runtime", "-DoutputDirectory=target/lib"], check=True, timeout=300)


class Leshan:
    name = f"Leshan {VERSION}"

    def __init__(self, port, *java_options, content_format=SENML_CBOR):
        classpath = f"{HERE / 'target' / 'leshan-peer-1.jar'}:{HERE / 'target' / 'lib' / '*'}"
        self.port = port
        self.process = spawn(on_cpu(0, ["java", *java_options, "-cp", classpath, "cloud.lanyard.bench.LeshanPeer",
                                        str(port), str(content_format)]),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError("the Leshan server did not start")

    @property
    def pid(self):
        return self.process.pid

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def memory(self):
        """Process size and live heap in bytes, after a collection that gives unused heap back to the system."""
        report = self.ask("memory")
        return rss_bytes(self.pid), report["heap"]

    def warm_up(self, loader, kind, seconds, say, **phase):
        """Load until the JIT has settled: two rounds that are no cheaper than the best before."""
        costs = []
        while len(costs) < WARM_UP_ROUNDS_MAX:
            costs.append(Round(loader, {"leshan": self.pid}, kind, seconds, **phase).us["leshan"])
            say(f"  Leshan, {kind}, warm-up {len(costs)}: {costs[-1]:.1f} us")
            if len(costs) >= WARM_UP_ROUNDS_MIN and min(costs[-2:]) > min(costs[:-2]) * WARM_ENOUGH:
                return

    def stop(self):
        self.process.kill()
        self.process.wait()
