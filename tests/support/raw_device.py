"""A device that is scripted datagram by datagram, on aiocoap's message codec and a plain UDP socket."""

import itertools
import socket
import time

from aiocoap import ACK, CON, GET, NON, POST, RST, Message
from aiocoap.numbers.codes import CHANGED, CONTENT, DELETED, EMPTY

LINKS = b'</>;rt="oma.lwm2m";ct="110 112 11542",</1/0>,</3/0>,</3303/0>'


class RawDevice:
    def __init__(self, port, endpoint):
        self.server = ("127.0.0.1", port)
        self.endpoint = endpoint
        self.location = None
        self._mid = itertools.count(1)
        self._waiting = []
        self.open()

    def open(self):
        """A socket with a fresh port; called again it plays a NAT that rebinds."""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()

    def send(self, message):
        self.socket.sendto(message.encode(), self.server)

    def receive(self, seconds=10):
        """The next message, or None when none comes."""
        self.socket.settimeout(seconds)
        try:
            return Message.decode(self.socket.recv(2048))
        except (TimeoutError, socket.timeout):
            return None

    def expect(self, wanted, what, seconds=10):
        """The first message that satisfies `wanted`; others are kept for later."""
        for message in self._waiting:
            if wanted(message):
                self._waiting.remove(message)
                return message
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            message = self.receive(until - time.monotonic())
            if message is None:
                break
            if wanted(message):
                return message
            self._waiting.append(message)
        raise AssertionError(f"no {what} in {seconds} s; there were {self._waiting}")

    def request(self, code, path, token=b"\x42", query=(), payload=b"", mtype=CON, content_format=None, block1=None,
                seconds=10):
        """Sends a request and gives the answer to it, separate or not."""
        message = Message(code=code, mtype=mtype, mid=next(self._mid), token=token, payload=payload)
        message.opt.uri_path = path
        message.opt.uri_query = query
        message.opt.content_format = content_format
        if block1 is not None:
            message.opt.block1 = block1
        self.send(message)
        answer = self.expect(lambda m: m.token == token and m.code.is_response(), f"answer to {code} {path}", seconds)
        if answer.mtype is CON:
            self.acknowledge(answer)
        return answer

    def register(self, lifetime=300, token=b"\x42", payload=LINKS, version="1.1", **extra):
        query = (f"ep={self.endpoint}", f"lt={lifetime}", f"lwm2m={version}", "b=U")
        answer = self.request(POST, ("rd",), token, query, payload, content_format=40, **extra)
        if answer.code.is_successful():
            self.location = answer.opt.location_path
        return answer

    def update(self, **extra):
        return self.request(POST, self.location, b"\x43", **extra)

    def acknowledge(self, message):
        self.send(Message(code=EMPTY, mtype=ACK, mid=message.mid, token=b""))

    def reset(self, message):
        self.send(Message(code=EMPTY, mtype=RST, mid=message.mid, token=b""))

    def next_request(self, code=GET, seconds=15):
        """The next request of the server with this method."""
        return self.expect(lambda m: m.code is code, f"request {code}", seconds)

    def reply(self, request, payload=b"", code=CONTENT, content_format=0, observe=None, block2=None, etag=None):
        """A piggy-backed answer."""
        message = Message(code=code, mtype=ACK, mid=request.mid, token=request.token, payload=payload)
        if code not in (CHANGED, DELETED):
            message.opt.content_format = content_format
        message.opt.observe = observe
        if block2 is not None:
            message.opt.block2 = block2
        if etag is not None:
            message.opt.etag = etag
        self.send(message)

    def notify(self, token, sequence, payload, mtype=CON, content_format=0, mid=None, block2=None, etag=None):
        """Sends a notification and gives its message id."""
        mid = next(self._mid) if mid is None else mid
        message = Message(code=CONTENT, mtype=mtype, mid=mid, token=token, payload=payload)
        message.opt.observe = sequence
        message.opt.content_format = content_format
        if block2 is not None:
            message.opt.block2 = block2
        if etag is not None:
            message.opt.etag = etag
        self.send(message)
        return mid

    def notify_in_blocks(self, token, sequence, values):
        """Several timed values of /3303/0/5700: sends the first 64 bytes, the platform has to fetch the rest."""
        first, *others = [b'"t":%d,"v":%.1f}' % item for item in enumerate(values)]
        content = b'[{"bn":"/3303/0/5700","bt":1700000000,' + first + b"".join(b",{" + o for o in others) + b"]"
        blocks = [content[i:i + 64] for i in range(0, len(content), 64)]
        assert len(blocks) > 2
        etag = b"v%d" % sequence
        mid = self.notify(token, sequence, blocks[0], content_format=110, block2=(0, True, 2), etag=etag)
        for number in range(1, len(blocks)):
            request = self.next_request()
            assert request.opt.uri_path == ("3303", "0", "5700")
            assert request.opt.observe is None
            assert request.opt.block2.block_number == number
            self.reply(request, blocks[number], content_format=110, block2=(number, number + 1 < len(blocks), 2),
                       etag=etag)
        assert self.acknowledged(mid) is ACK

    def acknowledged(self, mid, seconds=10):
        """Waits for the ACK or RST of a message and tells which."""
        return self.expect(lambda m: m.mid == mid and m.mtype in (ACK, RST) and m.code is EMPTY, f"ACK of {mid}",
                           seconds).mtype

    def accept_observation(self, payload=b"20.5"):
        """Answers the platform's Observe of /3303/0/5700 and gives its token."""
        request = self.expect(lambda m: m.code is GET and m.opt.observe == 0, "Observe", 15)
        self.reply(request, payload, observe=1)
        return request.token


__all__ = ["ACK", "CON", "GET", "LINKS", "NON", "POST", "RST", "RawDevice"]
