"""HTTP servers in place of a Prometheus: one that answers what a test says, and one that holds series of its own."""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], bytes]


class Asked(list[tuple[str, dict[str, str], dict[str, str]]]):
    """Requests as they came: path, parameters, headers."""


@contextmanager
def serving(reply: Callable[[str, dict[str, str]], Reply]) -> Iterator[tuple[str, Asked]]:
    """A server that answers as `reply` says to path and parameters."""
    asked = Asked()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            parameters = dict(urllib.parse.parse_qsl(query))
            asked.append((path, parameters, {key.lower(): value for key, value in self.headers.items()}))
            status, headers, body = reply(path, parameters)
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def holding(series: Sequence[tuple[dict[str, str], float]]) -> Callable[[str, dict[str, str]], Reply]:
    """The answers of a server that holds these series: (labels with `__name__`, growth each second; 0: always 3)."""

    def reply(path: str, parameters: dict[str, str]) -> Reply:
        if path != "/api/v1/query_range":
            return 200, {}, b'{"status":"success","data":{}}'
        start, end = float(parameters["start"]), float(parameters["end"])
        steps = [start + 60 * n for n in range(int((end - start) // 60) + 1)]
        query = parameters["query"]
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', query))
        is_time = query.startswith("timestamp(")
        result = [
            {
                "metric": labels,
                "values": [[at, f"{at if is_time else grows * at if grows else 3:.0f}"] for at in steps],
            }
            for labels, grows in series
            if all(labels.get(key) == value for key, value in wanted.items())
            and (not is_time or "heartbeat" in labels["__name__"])
        ]
        told = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        return 200, {}, json.dumps(told).encode()

    return reply
