"""A small Airflow REST API on loopback, for tests: it serves recorded entries as v1 (2.11) or v2 (3.3) would.

It keeps to what a reader must cope with: the silent cap of 100, offsets, filters by `updated_at`, state, event and
time, basic auth that answers 403 (v1) or tokens from `/auth/token` (v2), rights per path, and faults by script
(429 with `Retry-After`, 5xx, HTML, redirects, cut connections). Filters need times that entries do not show
(`updated_at`): they come from the database rows of the same recording.
"""

from __future__ import annotations

import base64
import csv
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

DATA = Path(os.environ.get("WINDSOCK_AIRFLOW_RECORDING") or Path(__file__).parents[1] / "data")
"""A recorded set in the form of `cut_airflow`; the variable names a larger one."""
USER, PASSWORD, TOKEN = "windsock", "FAKE-password", "FAKE-token-1"
Key = tuple[str, str, str, int]
V1_PARAMS = {
    "taskInstances": {"limit", "offset", "order_by", "state", "updated_at_gte", "updated_at_lte", "end_date_gte",
                      "end_date_lte", "start_date_gte", "start_date_lte"},
    "eventLogs": {"limit", "offset", "order_by", "included_events", "after", "before"},
}  # fmt: skip
"""v1 refuses unknown parameters, and cannot sort task instances (before 2.11)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script has the server say instead of the truth."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    cuts: bool = False  # the connection ends before the body does


@dataclass(slots=True)
class FakeAirflow:
    """The state of one server. Tests change it between pulls."""

    api: int
    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    tries: dict[Key, list[dict[str, Any]]] = field(default_factory=dict)
    single: dict[str, Any] = field(default_factory=dict)
    makeups: dict[str, dict[str, Any]] = field(default_factory=dict)
    url: str = ""
    clock: datetime = datetime(2026, 11, 24, tzinfo=UTC)
    cap: int = 100
    forbidden: set[str] = field(default_factory=set)
    script: dict[str, list[Answer]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    requests: list[str] = field(default_factory=list)
    unknown_params: set[str] = field(default_factory=set)

    def count(self, part: str) -> int:
        """Requests so far whose path holds a text."""
        return sum(part in one for one in self.requests)


def load(major: int, folder: Path = DATA) -> FakeAirflow:
    """A server's state from a recorded set: `api/airflow<major>`, and the times of `db/airflow<major>`."""
    fake = FakeAirflow(api=1 if major == 2 else 2)
    recorded = folder / "api" / f"airflow{major}"
    for path in sorted(recorded.glob("*.jsonl")):
        fake.lists[path.stem] = [json.loads(line) for line in path.read_text().splitlines()]
    for name in ("pools", "import_errors", "dags", "providers", "dag_warnings"):
        fake.lists.setdefault(name, [])
    fake.makeups = {one["dag_id"]: one for one in fake.lists.pop("makeups", [])}
    for path in recorded.glob("*.json"):
        fake.single[path.stem] = json.loads(path.read_text())
    rows = folder / "db" / f"airflow{major}"
    instances = {key_of(row, "run_id"): row for row in read_csv(rows / "task_instance.csv")}
    runs = {(row["dag_id"], row["run_id"]): row for row in read_csv(rows / "dag_run.csv")}
    for one in fake.lists["task_instances"]:
        one["_updated_at"] = instances[key_of(one, "dag_run_id")]["updated_at"]
    for one in fake.lists["dag_runs"]:
        one["_updated_at"] = runs[one["dag_id"], one["dag_run_id"]]["updated_at"]
    shown = {key_of(one, "dag_run_id"): one for one in fake.lists["task_instances"]}
    for row in read_csv(rows / "task_instance_history.csv"):
        key = key_of(row, "run_id")
        fake.tries.setdefault(key, []).append(_as_api(row, shown.get(key, {})))
    fake.lists["event_logs"] = [_event(row) for row in read_csv(rows / "log.csv")]
    return fake


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def key_of(row: dict[str, Any], run: str) -> Key:
    return row["dag_id"], row[run], row["task_id"], int(row["map_index"])


def _as_api(row: dict[str, str], like: dict[str, Any]) -> dict[str, Any]:
    """A row of the history table as `/tries` shows it: the same names as the instance itself."""
    names = {"dag_run_id": "run_id", "queued_when": "queued_dttm", "scheduled_when": "scheduled_dttm"}
    whole = ("map_index", "try_number", "max_tries", "pool_slots", "priority_weight")
    shown: dict[str, Any] = {}
    for name in like:
        if name.startswith("_") or names.get(name, name) not in row:
            continue
        value = row[names.get(name, name)]
        shown[name] = (int(value) if name in whole else _time(value)) if value else None
    return shown


def _time(value: str) -> str:
    """PostgreSQL's `2026-11-23 15:41:13.1+00` as JSON has it; other texts stay."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    return at.isoformat() if at.tzinfo else value


def _event(row: dict[str, str]) -> dict[str, Any]:
    return {
        "event_log_id": int(row["id"]), "when": _time(row["dttm"]), "event": row["event"],
        "dag_id": row["dag_id"] or None, "task_id": row["task_id"] or None, "run_id": row["run_id"] or None,
        "map_index": int(row["map_index"]) if row["map_index"] else None,
        "try_number": int(row["try_number"]) if row["try_number"] else None, "extra": row["extra"] or None,
    }  # fmt: skip


@contextmanager
def serve(fake: FakeAirflow) -> Iterator[FakeAirflow]:
    """Run it on a free port of loopback."""

    class Handler(_Handler):
        state = fake

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: FakeAirflow
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: two would wait for each other (Nagle, delayed ACK)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.state.clock, usegmt=True)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self.state.requests.append(f"POST {self.path}")
        if self.path != "/auth/token" or self.state.api != 2:
            return self._say(404, {"detail": "Not Found"})
        if body != {"username": USER, "password": PASSWORD}:
            return self._say(401, {"detail": "Invalid credentials"})
        return self._say(201, {"access_token": sorted(self.state.tokens)[-1]})

    def do_GET(self) -> None:
        self.state.requests.append(f"GET {self.path}")
        parts = urlsplit(self.path)
        path = parts.path.removeprefix(f"/api/v{self.state.api}")
        for name, answers in self.state.script.items():
            if name in parts.path and answers:
                return self._scripted(answers.pop(0))
        if path == parts.path:
            return self._say(404, {"detail": "Not Found"})
        if path == "/version":
            return self._say(200, self.state.single["version"])
        if not self._is_let_in():
            status = 403 if self.state.api == 1 else 401
            return self._say(status, {"detail": None, "status": status, "title": "Forbidden"})
        if any(name in path for name in self.state.forbidden):
            return self._say(403, {"detail": "Forbidden", "status": 403})
        return self._say(*self._truth(path, parse_qs(parts.query)))

    def _is_let_in(self) -> bool:
        told = self.headers.get("Authorization") or ""
        if self.state.api == 1 and told.startswith("Basic "):
            return base64.b64decode(told[6:]).decode() == f"{USER}:{PASSWORD}"
        return told.removeprefix("Bearer ") in self.state.tokens

    def _truth(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        state, words = self.state, path.strip("/").split("/")
        if path in ("/health", "/monitor/health"):
            is_right = (path == "/health") == (state.api == 1)
            return (200, state.single["health"]) if is_right else (404, {"detail": "Not Found"})
        if path == "/config":
            return 200, state.single["config"]
        if words[0] == "dags" and words[-1] in ("details", "tasks"):
            found = state.makeups.get(unquote(words[1]))
            return (200, found[words[-1]]) if found else (404, {"detail": "DAG not found"})
        if words[-1] == "tries":
            return self._tries([unquote(word) for word in words])
        lists = {"taskInstances": "task_instances", "dagRuns": "dag_runs", "pools": "pools", "dags": "dags",
                 "importErrors": "import_errors", "eventLogs": "event_logs", "dagVersions": "dag_versions", "providers": "providers",
                 "dagWarnings": "dag_warnings"}  # fmt: skip
        key = lists.get(words[-1])
        if key is None or key not in state.lists:
            return 404, {"detail": "Not Found"}
        if state.api == 1 and (
            strange := set(query) - V1_PARAMS.get(words[-1], set(query) - state.unknown_params)
        ):
            return 400, {"detail": f"Extra query parameter(s) {','.join(sorted(strange))} not in spec"}
        return 200, self._page(key, query)

    def _page(self, key: str, query: dict[str, list[str]]) -> dict[str, Any]:
        found = [one for one in self.state.lists[key] if _matches(one, query)]
        limit = min(int(query.get("limit", ["50"])[0]), self.state.cap)
        offset = int(query.get("offset", ["0"])[0])
        shown = [
            {k: v for k, v in one.items() if not k.startswith("_")} for one in found[offset : offset + limit]
        ]
        return {key: shown, "total_entries": len(found)}

    def _tries(self, words: list[str]) -> tuple[int, Any]:
        _, dag_id, _, run_id, _, task_id, *rest = words
        index = int(rest[0]) if len(rest) == 2 else -1
        key = (dag_id, run_id, task_id, index)
        now = [one for one in self.state.lists["task_instances"] if key_of(one, "dag_run_id") == key]
        if not now:
            return 404, {"detail": "Task instance not found"}
        found = self.state.tries.get(key, []) + now
        return 200, {"task_instances": [{k: v for k, v in one.items() if k[0] != "_"} for one in found],
                     "total_entries": len(found)}  # fmt: skip

    def _scripted(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + (100 if answer.cuts else 0)))
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.cuts:
            self.close_connection = True

    def _say(self, status: int, told: Any) -> None:
        self._scripted(Answer(status, {"Content-Type": "application/json"}, json.dumps(told).encode()))


def _matches(entry: dict[str, Any], query: dict[str, list[str]]) -> bool:
    names = {"updated_at": "_updated_at", "end_date": "end_date", "start_date": "start_date"}
    for param, (value, *more) in query.items():
        name, _, side = param.rpartition("_")
        if param == "state" and entry.get("state") not in [value, *more]:
            return False
        if param == "included_events" and entry.get("event") not in (
            (more and [value, *more]) or value.split(",")
        ):
            return False
        if param in ("after", "before"):
            name, side = "when", {"after": "gte", "before": "lte"}[param]
            names["when"] = "when"
        if side in ("gte", "lte") and name in names:
            at = entry.get(names[name])
            if not at or _moved(datetime.fromisoformat(at), datetime.fromisoformat(value), side):
                return False
    return True


def _moved(at: datetime, bound: datetime, side: str) -> bool:
    return at < bound if side == "gte" else at > bound
