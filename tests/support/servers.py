"""Real Redis and Kafka servers for tests and `make stack`, on loopback ports and with data of their own.

    with RedisServer() as redis, KafkaServer() as kafka:
        ...                     # redis.port, kafka.bootstrap
        redis.kill()            # as when the machine dies
        redis.start()           # same port, same data

Needs redis-server and java in the PATH and the broker's jars in .tools/kafka (tools/install-deps). A server ends
with the process that started it, however that ends.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from ports import reserve_port

ROOT = pathlib.Path(__file__).resolve().parents[2]


def spawn(command, **popen):
    """Starts a program that ends with this process, in a process group of its own.

    Nothing of Python runs between fork and exec (no preexec_fn): gRPC's fork handlers may crash the child there.
    """
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command], process_group=0, **popen)


class Server:
    """A child process with a directory, a log and a question that tells when it is ready."""

    name = "server"
    start_seconds = 60

    def __init__(self, directory=None):
        self._own_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix=f"lanyard-{self.name}-"))
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log = self.directory / f"{self.name}.log"
        self.process = None

    def command(self):
        raise NotImplementedError

    def answers(self):
        raise NotImplementedError

    def prepare(self):
        """What has to be done once before the first start."""

    def start(self):
        """Starts the process and waits until it answers."""
        self.launch()
        return self.wait_for_answer()

    def launch(self):
        """Starts the process."""
        self.prepare()
        with open(self.log, "ab") as log:
            self.process = spawn(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_for_answer(self):
        """Until it answers; an error when it ends before, or takes too long."""
        until = time.monotonic() + self.start_seconds
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"{self.name} did not start:\n{self.tail()}")
            time.sleep(0.02)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def died(self):
        """Whether it ended with an error, and not because a test stopped or killed it."""
        return self.process is not None and self.process.poll() not in (None, 0, -signal.SIGKILL)

    def tail(self, lines=20):
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, seconds=30):
        """SIGTERM, and SIGKILL when that does not help in time."""
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """SIGKILL: what is not on disk is lost."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def restart(self):
        self.stop()
        return self.start()

    def freeze(self):
        """The process hangs: connections stay, answers do not come."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self):
        return self if self.running() else self.start()

    def __exit__(self, *_):
        self.kill()
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)


class RedisServer(Server):
    """redis-server with an append-only file; `fsync` is always, everysec or no."""

    name = "redis"
    start_seconds = 10

    def __init__(self, port=0, directory=None, fsync="everysec", password=""):
        super().__init__(directory)
        self.port = port or reserve_port()
        self.fsync = fsync
        self.password = password

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def command(self):
        auth = ["--requirepass", self.password] if self.password else []
        return [
            *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)),
            *("--appendonly", "yes", "--appendfsync", self.fsync, "--save", "", *auth),
            # As docs/redis.md recommends: records stay in the compact form.
            *("--hash-max-listpack-value", "1024", "--hash-max-listpack-entries", "256"),
        ]

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                answer = connection.recv(64)
                return answer != b"" and not answer.startswith(b"-LOADING")
        except OSError:
            return False


# How the broker's JVM runs. Where it lives for seconds it stops at the JVM's first compiler (C1): the second would cost
# more than it gives in that time. Where it serves for minutes both compile. The serial collector has no threads of its
# own, which would take turns with what is measured on two shared cores.
JVM_QUICK_START = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
JVM_LONG_RUN = ("-Xms1g", "-Xmx1g", "-XX:+UseSerialGC")


class KafkaServer(Server):
    """One Kafka broker that is its own controller (KRaft)."""

    name = "kafka"

    def __init__(self, port=0, directory=None, jars=None, jvm=JVM_QUICK_START):
        super().__init__(directory)
        self.jvm = jvm
        self.port = port or reserve_port()
        self.controller_port = reserve_port()
        self.jars = pathlib.Path(jars or os.environ.get("LANYARD_KAFKA_JARS") or ROOT / ".tools" / "kafka")
        self.properties = self.directory / "server.properties"

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    @classmethod
    def available(cls):
        jars = pathlib.Path(os.environ.get("LANYARD_KAFKA_JARS") or ROOT / ".tools" / "kafka")
        return jars.is_dir() and shutil.which("java") is not None

    def _java(self, *arguments):
        return ["java", *self.jvm, "-cp", f"{self.jars}/*", *arguments]

    def prepare(self):
        data = self.directory / "data"
        self.properties.write_text(
            f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller_port}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}
controller.listener.names=CONTROLLER
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
default.replication.factor=1
min.insync.replicas=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
auto.create.topics.enable=false
"""
        )
        if (data / "meta.properties").exists():
            return
        if not self.jars.is_dir():
            raise RuntimeError(f"no Kafka broker in {self.jars}: run tools/install-deps")
        # A cluster id is 16 bytes in base64url; its value does not matter.
        format_storage = self._java("kafka.tools.StorageTool", "format", "-t", "bGFueWFyZC10ZXN0LWtyYQ")
        done = subprocess.run([*format_storage, "-c", str(self.properties)], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"kafka storage format failed:\n{done.stdout}{done.stderr}")

    def command(self):
        return self._java("kafka.Kafka", str(self.properties))

    def answers(self):
        """True when the broker answers ApiVersions (key 18, version 0, empty client id)."""
        request = b"\x00\x12\x00\x00\x00\x00\x00\x01\x00\x00"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(len(request).to_bytes(4, "big") + request)
                return len(connection.recv(8)) == 8
        except OSError:
            return False
