#!/usr/bin/env python3
"""`make stack`: the platform as separate processes with a real Kafka and a real Redis on loopback. Ctrl-C stops all."""

import argparse
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
from platform_stack import BIN, Stack  # noqa: E402


def show(stack):
    print(f"""
The platform runs. Everything listens on loopback only.
  CoAP (devices)   {', '.join(f'coap://127.0.0.1:{p}' for p in stack.coap_ports)}
  gRPC (you)       {stack.api_address}
  Kafka            {stack.kafka.bootstrap}
  Redis            {stack.redis.address}
  logs             {stack.directory}
  metrics          {', '.join(f'{s.name} http://127.0.0.1:{s.admin_port}/metrics' for s in stack.services.values())}

Try in another terminal:
  {BIN}/lanyard simulate --count 100 --target coap://127.0.0.1:{stack.coap_ports[0]}
  {BIN}/lanyard --api {stack.api_address} devices list
  kcat -b {stack.kafka.bootstrap} -C -t lwm2m.telemetry.v1 -o beginning

Ctrl-C stops everything.""", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ingresses", type=int, default=1)
    parser.add_argument("--registries", type=int, default=1)
    parser.add_argument("--observations", type=int, default=1)
    parser.add_argument("--coap-port", type=int, default=5683)
    parser.add_argument("--api-port", type=int, default=7400)
    parser.add_argument("--seconds", type=float, default=0, help="end by itself after so long")
    options = parser.parse_args()

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    signal.signal(signal.SIGINT, lambda *_: stopping.append(True))
    stack = Stack(options.ingresses, options.registries, options.observations, coap_port=options.coap_port,
                  api_port=options.api_port)
    with stack:
        show(stack)
        until = time.monotonic() + options.seconds if options.seconds else float("inf")
        while not stopping and time.monotonic() < until:
            time.sleep(0.2)
            for service in stack.services.values():
                if not service.running():
                    print(f"{service.name} ended with exit code {service.process.returncode}; its log: {service.log}")
                    return 1
        print("\nStopping ...", flush=True)
        codes = stack.stop()
        bad = {name: code for name, code in codes.items() if code != 0}
        print("All services drained and ended." if not bad else f"These did not end cleanly: {bad}")
        return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
