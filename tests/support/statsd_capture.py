"""A StatsD server that keeps what it hears, as lines of a capture: `<seconds since 1970> <line>`."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread


@dataclass(slots=True)
class Capture:
    """The port it hears on, and what it heard."""

    port: int
    lines: list[str] = field(default_factory=list)

    def text(self) -> bytes:
        """All of it so far, as a `*.statsd` file."""
        return "".join(f"{line}\n" for line in list(self.lines)).encode()


@contextmanager
def statsd_capture() -> Iterator[Capture]:
    """Hear until the block ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(0.2)
        capture, is_open = Capture(ear.getsockname()[1]), True

        def hear() -> None:
            while is_open:
                try:
                    packet = ear.recv(65536)
                except TimeoutError:
                    continue
                at = f"{time.time():.3f}"
                capture.lines += [f"{at} {line}" for line in packet.decode("utf-8", "replace").splitlines()]

        thread = Thread(target=hear, daemon=True)
        thread.start()
        try:
            yield capture
        finally:
            is_open = False
            thread.join()
