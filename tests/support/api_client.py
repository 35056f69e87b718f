"""A gRPC client made from proto/ as an integrator would make it, and small helpers for tests."""

import pathlib
import subprocess
import sys
import time

import grpc

from servers import ROOT

GENERATED = ROOT / "build" / "python"


def generate():
    """Python modules of all contracts, made anew when a .proto is newer."""
    protos = sorted((ROOT / "proto").rglob("*.proto"))
    stamp = GENERATED / "stamp"
    if not stamp.exists() or any(p.stat().st_mtime > stamp.stat().st_mtime for p in protos):
        GENERATED.mkdir(parents=True, exist_ok=True)
        names = [str(p.relative_to(ROOT / "proto")) for p in protos]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'proto'}", f"--python_out={GENERATED}",
                        f"--grpc_python_out={GENERATED}", *names], check=True, cwd=ROOT / "proto")
        stamp.touch()
    # `google` and `grpc` are packages of the libraries already: only ours is taken from here.
    if str(GENERATED) not in sys.path:
        sys.path.append(str(GENERATED))


generate()
from lanyard.observation.v1 import observation_pb2, observation_pb2_grpc  # noqa: E402
from lanyard.operations.v1 import operation_pb2, operation_pb2_grpc  # noqa: E402
from lanyard.registry.v1 import device_pb2, device_pb2_grpc  # noqa: E402

TENANT = "tenants/default"


class Api:
    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.devices = device_pb2_grpc.DeviceServiceStub(self.channel)
        self.operations = operation_pb2_grpc.DeviceOperationServiceStub(self.channel)
        self.observations = observation_pb2_grpc.ObservationServiceStub(self.channel)

    @staticmethod
    def name(endpoint):
        return f"{TENANT}/devices/{endpoint}"

    def device(self, endpoint):
        return self.devices.GetDevice(device_pb2.GetDeviceRequest(name=self.name(endpoint)), timeout=10)

    def state(self, endpoint):
        """"ONLINE", "OFFLINE", ..., or None when it is not known."""
        try:
            state = self.device(endpoint).state
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return None
            raise
        return device_pb2.Device.State.Name(state).removeprefix("STATE_")

    def read(self, endpoint, path, accept=None, timeout=20):
        request = operation_pb2.ReadResourceRequest(device=self.name(endpoint), path=path)
        if accept is not None:
            request.accept = accept
        return self.operations.ReadResource(request, timeout=timeout)

    def values(self, endpoint, path, accept=None):
        """{path: value} of a Read."""
        nodes = self.read(endpoint, path, accept).nodes
        return {node.path: getattr(node, node.WhichOneof("value")) for node in nodes}

    def write(self, endpoint, path, partial=False, timeout=20, **value):
        node = operation_pb2.Node(path=path, **value)
        request = operation_pb2.WriteResourceRequest(device=self.name(endpoint), path=path, nodes=[node],
                                                     partial=partial)
        return self.operations.WriteResource(request, timeout=timeout)

    def execute(self, endpoint, path, arguments="", timeout=20):
        request = operation_pb2.ExecuteResourceRequest(device=self.name(endpoint), path=path, arguments=arguments)
        return self.operations.ExecuteResource(request, timeout=timeout)

    def discover(self, endpoint, path, timeout=20):
        request = operation_pb2.DiscoverResourcesRequest(device=self.name(endpoint), path=path)
        return self.operations.DiscoverResources(request, timeout=timeout)

    def observe(self, endpoint, path, timeout=20, **attributes):
        wanted = observation_pb2.Observation(path=path, attributes={k: str(v) for k, v in attributes.items()})
        request = observation_pb2.CreateObservationRequest(parent=self.name(endpoint), observation=wanted)
        return self.observations.CreateObservation(request, timeout=timeout)


def eventually(question, what, seconds=20, step=0.05):
    """Asks until the answer is true and gives it; fails with `what` when it never was."""
    until = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(step)


def path_of(*parts):
    return pathlib.Path(ROOT, *parts)
