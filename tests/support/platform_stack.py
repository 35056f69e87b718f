"""The platform as separate processes beside a real Redis and a real Kafka, for tests and `make stack`.

    with Stack(ingresses=2, registries=2, observations=2) as stack:
        stack.api_address, stack.coap_ports, stack.kafka.bootstrap, stack.redis.address
        stack.service("registry", 0).kill()

Each service gets its own ports, its log in `directory` and is ready when /readyz says so.
"""

import pathlib
import secrets
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from ports import reserve_port
from servers import JVM_QUICK_START, ROOT, KafkaServer, RedisServer, Server

BIN = ROOT / "build" / "release" / "bin"
# Devices of anybody's are observed at their temperature, so that a new user sees values at once.
TEMPERATURE_TEMPLATE = "[{tenant: default, id: temperature, object_id: 3303, paths: ['/3303/*/5700']}]"


class Service(Server):
    """One Lanyard process: configured by --set, ready by its admin port."""

    start_seconds = 60

    def __init__(self, binary, name, directory, settings, wait_ready=True):
        super().__init__(directory)
        self.name = name
        self.log = self.directory / f"{name}.log"
        self.admin_port = reserve_port()
        self.binary = binary
        self.wait_ready = wait_ready
        self.prefix = []  # what goes before the binary, for example taskset
        self.settings = {**settings, "admin.listen": f"127.0.0.1:{self.admin_port}"}

    def command(self):
        settings = (a for k, v in self.settings.items() for a in ("--set", f"{k}={v}"))
        return [*self.prefix, str(BIN / self.binary), *settings]

    def get(self, path):
        """Status and body of the admin port; (0, "") when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self):
        return self.get("/readyz")[0] == 200

    def answers(self):
        return self.ready() if self.wait_ready else self.get("/livez")[0] == 200

    def metric(self, name, **labels):
        """Sum of the samples of a metric whose labels include `labels`."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            if not line.startswith(name) or line[len(name)] not in "{ ":
                continue
            if all(f'{key}="{value}"' in line for key, value in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total


class Stack:
    def __init__(self, ingresses=1, registries=1, observations=1, directory=None, coap_port=0, api_port=0, kafka_port=0,
                 redis_port=0, settings=None, fsync="everysec", kafka_jvm=JVM_QUICK_START):
        self._own_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="lanyard-stack-"))
        self.redis = RedisServer(redis_port, self.directory / "redis", fsync=fsync)
        self.kafka = KafkaServer(kafka_port, self.directory / "kafka", jvm=kafka_jvm)
        self.cluster_key = secrets.token_hex(16)
        self.counts = {"ingress": ingresses, "registry": registries, "observation": observations}
        self.extra = settings or {}
        self.api_port = api_port or reserve_port()
        self.registry_ports = [reserve_port() for _ in range(registries)]
        self.observation_ports = [reserve_port() for _ in range(observations)]
        self.coap_ports = [coap_port or reserve_port()] + [reserve_port() for _ in range(ingresses - 1)]
        self.services = {}
        self.prefixes = {}  # by kind of service: what goes before its binary

    @property
    def api_address(self):
        return f"127.0.0.1:{self.api_port}"

    def _common(self, kind):
        return {"cluster.key": self.cluster_key, "kafka.bootstrap": self.kafka.bootstrap, **self.extra.get(kind, {})}

    def _redis(self):
        return {"redis.host": "127.0.0.1", "redis.port": self.redis.port}

    def _make(self, kind, index):
        registries = ",".join(f"127.0.0.1:{p}" for p in self.registry_ports)
        if kind == "registry":
            settings = {"grpc.listen": f"127.0.0.1:{self.registry_ports[index]}", **self._redis(), **self._common(kind),
                        "tenants": "[{id: default, auto_create: true}]", "instance": f"registry-{index}"}
        elif kind == "observation":
            settings = {"grpc.listen": f"127.0.0.1:{self.observation_ports[index]}", **self._redis(),
                        "registry.addresses": registries, "templates": TEMPERATURE_TEMPLATE, **self._common(kind)}
        elif kind == "ingress":
            listener = f"[{{address: '127.0.0.1:{self.coap_ports[index]}', tenant: default}}]"
            settings = {"coap.listeners": listener, "grpc.listen": f"127.0.0.1:{reserve_port()}",
                        "registry.addresses": registries, "instance": f"ingress-{index}", **self._common(kind)}
        else:
            settings = {"grpc.listen": self.api_address, "registry.target": self._target(self.registry_ports),
                        "observation.target": self._target(self.observation_ports), **self.extra.get(kind, {})}
        binary = {"ingress": "lanyard-coap-ingress"}.get(kind, f"lanyard-{kind}")
        return Service(binary, f"{kind}-{index}", self.directory, settings)

    @staticmethod
    def _target(ports):
        return "ipv4:" + ",".join(f"127.0.0.1:{p}" for p in ports)

    def service(self, kind, index=0):
        return self.services[f"{kind}-{index}"]

    def start(self, progress=lambda text: None):
        """Redis and Kafka first, then the services in the order in which they need each other."""
        progress("Redis ...")
        self.redis.start()
        progress("Kafka ...")
        self.kafka.start()
        self.start_services("registry", "ingress", "observation", "api", progress=progress)
        return self

    def start_services(self, *kinds, progress=lambda text: None):
        for kind in kinds:
            for index in range(self.counts.get(kind, 1)):
                progress(f"{kind}-{index} ...")
                service = self._make(kind, index)
                service.prefix = self.prefixes.get(kind, [])
                self.services[service.name] = service
                service.start()

    def wait_ready(self, seconds=60):
        """Waits until every service that no test killed is ready again; one that died is an error."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for service in self.services.values():
                if service.died():
                    raise RuntimeError(f"{service.name} ended by itself:\n{service.tail()}")
            late = [s.name for s in self.services.values() if s.running() and not s.ready()]
            if not late:
                return
            time.sleep(0.1)
        raise RuntimeError(f"not ready after {seconds} s: {late}")

    def lanyard(self, *arguments, timeout=60, check=True):
        """Runs the command line program against this stack and gives what it printed."""
        done = subprocess.run([str(BIN / "lanyard"), "--api", self.api_address, *arguments], capture_output=True,
                              text=True, timeout=timeout, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"lanyard {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout if check else done

    def stop(self):
        """Services first, in reverse order, then the servers. Gives the exit codes of the services."""
        codes = {}
        for name, service in reversed(self.services.items()):
            if service.running():
                service.stop()
            codes[name] = service.process.returncode if service.process else None
        self.kafka.stop()
        self.redis.stop()
        return codes

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for service in self.services.values():
            service.kill()
        self.kafka.kill()
        self.redis.kill()
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)
