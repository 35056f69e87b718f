"""The client commands against a platform that does not answer: people see that it takes its time.

Run: .tools/venv/bin/python -m pytest tests/e2e/test_client.py (needs build/release/bin/lanyard).
"""

import os
import pty
import socket
import subprocess

import pytest
from platform_stack import BIN


@pytest.fixture
def silent():
    """The address of a server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def read_all(terminal):
    text = b""
    try:
        while chunk := os.read(terminal, 4096):
            text += chunk
    except OSError:  # the other end is closed
        pass
    return text.decode()


def command(address):
    return [BIN / "lanyard", "--api", address, "--timeout", "2.5", "read", "sensor-1", "/3303/0"]


def test_on_a_terminal_a_slow_call_tells_that_it_waits(silent):
    terminal, other_end = pty.openpty()
    with subprocess.Popen(command(silent), stdout=subprocess.PIPE, stderr=other_end) as process:
        os.close(other_end)
        told = read_all(terminal)
        assert process.wait(30) in (5, 6)
        assert process.stdout.read() == b""
    os.close(terminal)
    assert "waiting for tenants/default/devices/sensor-1 ... 1 s" in told
    assert told.rindex("\r\033[K") < told.index("error:"), "the line is gone before the error is told"


def test_without_a_terminal_it_only_tells_the_error(silent):
    done = subprocess.run(command(silent), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode in (5, 6)
    assert done.stdout == ""
    assert done.stderr.startswith("error:")
