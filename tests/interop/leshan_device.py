"""Starts the Leshan client of leshan-client/ and talks to it by its standard input and output."""

import pathlib
import queue
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent / "leshan-client"


class LeshanDevice:
    def __init__(self, port, endpoint):
        self.endpoint = endpoint
        classpath = f"{HERE / 'target' / 'leshan-client-1.jar'}:{HERE / 'target' / 'lib' / '*'}"
        self.process = subprocess.Popen(
            ["java", "-cp", classpath, "cloud.lanyard.interop.LeshanDevice", f"coap://127.0.0.1:{port}", endpoint],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines = []
        self._queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._queue.put(line.strip())

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def expect(self, prefix, seconds=30):
        """Waits for a line that begins with `prefix`."""
        while True:
            try:
                line = self._queue.get(timeout=seconds)
            except queue.Empty:
                said = f"before: {self.lines[-5:]}"
                raise AssertionError(f"Leshan did not say {prefix!r} in {seconds} s; {said}") from None
            self.lines.append(line)
            if line.startswith(prefix):
                return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
