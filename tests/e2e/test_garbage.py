"""Nothing that arrives on the CoAP port may stop the platform: random and damaged datagrams, in a fixed order."""

import json
import os
import random
import signal
import subprocess
import time

import pytest
from aiocoap import ACK, CON, NON, RST, Message
from aiocoap.numbers.codes import CONTENT, CREATED, DELETE, EMPTY, FETCH, GET, POST, PUT
from api_client import Api, eventually
from platform_stack import BIN
from raw_device import LINKS, RawDevice

SEED = int(os.environ.get("LANYARD_GARBAGE_SEED", "20261123"))
DATAGRAMS = 100_000
SECONDS = 25
# A ping after so few datagrams that the socket's buffer holds them all: its answer proves that each was read.
PING_EVERY = 100
GROWTH_KIB = 128 * 1024
SENML = b'[{"bn":"/3303/0/","n":"5700","v":21.5}]'


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    """The platform in one process without devices, on free ports."""
    directory = tmp_path_factory.mktemp("garbage")
    endpoints = directory / "endpoints.json"
    out = directory / "out.txt"
    process = subprocess.Popen(
        [BIN / "lanyard", "dev", "--fleet", "0", "--coap", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--metrics",
         "127.0.0.1:0", "--endpoints-file", endpoints], stdout=open(out, "w"), stderr=subprocess.STDOUT)
    eventually(lambda: endpoints.exists() or process.poll() is not None, "the endpoints file", seconds=30)
    assert process.poll() is None, out.read_text()
    yield {"process": process, "out": out, **json.loads(endpoints.read_text())}
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0, out.read_text()


def rss_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def make(code, mtype=CON, token=b"\x42", path=(), query=(), payload=b"", **options):
    message = Message(code=code, mtype=mtype, mid=1, token=token, payload=payload)
    message.opt.uri_path = path
    message.opt.uri_query = query
    for name, value in options.items():
        setattr(message.opt, name, value)
    return message.encode()


def sound_messages(location, token):
    """What a device may send, each a start for damage."""
    register = ("ep=other", "lt=60", "lwm2m=1.1", "b=U")
    return [
        make(POST, path=("rd",), query=register, payload=LINKS, content_format=40),
        make(POST, path=("rd",), query=register, payload=LINKS[:64], content_format=40, block1=(0, True, 2)),
        make(POST, path=("rd",), query=register, payload=LINKS[:64], content_format=40, block1=(3, True, 2)),
        make(POST, path=location),
        make(POST, path=location, query=("lt=90",)),
        make(PUT, NON, path=location),
        make(DELETE, path=("rd", "a" * 24)),
        make(POST, path=("dp",), payload=SENML, content_format=110),
        make(POST, NON, path=("dp",), payload=SENML, content_format=112),
        make(GET, path=(".well-known", "core"), observe=0, block2=(1, False, 6)),
        make(FETCH, path=("rd",), payload=b"\x81\x00", content_format=112),
        make(CONTENT, token=token, payload=b"21.5", content_format=0, observe=7),
        make(CONTENT, NON, token=token, payload=SENML, content_format=110, observe=8),
        make(CONTENT, token=token, payload=SENML[:16], content_format=110, observe=9, block2=(0, True, 0), etag=b"e"),
        make(CONTENT, ACK, token=token, payload=b"21.5", content_format=0),
        make(EMPTY, ACK, token=b""),
        make(EMPTY, RST, token=b""),
        make(EMPTY, CON, token=b""),
        make(EMPTY, NON, token=b""),
    ]


def damaged(rng, sound):
    """One datagram: noise, or a sound message with a few things wrong."""
    if rng.random() < 0.15:
        return rng.randbytes(rng.randrange(1, 80))
    data = bytearray(rng.choice(sound))
    data[2:4] = rng.randbytes(2)
    for _ in range(rng.randrange(4)):
        kind = rng.randrange(6)
        at = rng.randrange(len(data)) if data else 0
        if kind == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[at] = rng.choice((0, 0x0d, 0x0e, 0x0f, 0x7f, 0x80, 0xd0, 0xe0, 0xf0, 0xff))
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data[at:at] = rng.randbytes(rng.randrange(1, 20))
        elif kind == 4:
            other = rng.choice(sound)
            data[at:] = other[rng.randrange(len(other)):]
        else:
            data += rng.randbytes(rng.choice((1, 16, 300, 1200)))
    return bytes(data[:1400])


def read_all(device):
    """Throws away what has arrived."""
    device.socket.setblocking(False)
    try:
        while True:
            device.socket.recv(2048)
    except BlockingIOError:
        pass


def answers_ping(device, mid):
    device.send(Message(code=EMPTY, mtype=CON, mid=mid, token=b""))
    ping = bytes((0x70, 0, mid >> 8, mid & 0xff))
    until = time.monotonic() + 10
    while (left := until - time.monotonic()) > 0:
        device.socket.settimeout(left)
        try:
            if device.socket.recv(2048) == ping:
                return True
        except TimeoutError:
            break
    return False


def test_garbage_does_no_harm(dev):
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    port = int(dev["coap"].rsplit(":", 1)[1])
    device = RawDevice(port, "garbage")
    assert device.register().code is CREATED
    sound = sound_messages(device.location, device.accept_observation())
    before = rss_kib(dev["process"])
    until = time.monotonic() + SECONDS
    sent = 0
    while sent < DATAGRAMS and time.monotonic() < until:
        for _ in range(PING_EVERY):
            device.socket.sendto(damaged(rng, sound), device.server)
        sent += PING_EVERY
        assert dev["process"].poll() is None, (SEED, sent, dev["out"].read_text()[-4000:])
        assert answers_ping(device, sent // PING_EVERY), (SEED, sent)
        read_all(device)
    grown = rss_kib(dev["process"]) - before
    print(f"{sent} datagrams, {grown} KiB more memory, {dev['out'].stat().st_size} bytes of log")
    assert grown < GROWTH_KIB, (SEED, sent)
    assert sent >= DATAGRAMS // 10, "too slow to prove anything"
    device.close()

    newcomer = RawDevice(port, "after-the-garbage")
    assert newcomer.register().code is CREATED
    assert Api(dev["grpc"]).state(newcomer.endpoint) == "ONLINE"
    newcomer.close()
