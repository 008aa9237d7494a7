"""What Airflow's API or database tells → rows. Both speak here with the names of REST API v2, so one mapping serves.

Sources: `airflow/api_fastapi/core_api/datamodels` of 3.3.2, `airflow/api_connexion/schemas` of 2.9.3 and 2.11.2, and
the models of the same releases. In the database of 2.9 and older, as in API v1 (`_try_number`), the number of a try
grows when it starts running, and is taken back when it defers or is rescheduled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from windsock.model import Row
from windsock.redaction import redact
from windsock.signature import error_signature

OPEN_STATES = ("running", "queued", "scheduled", "deferred", "up_for_reschedule", "restarting")
"""States that a try leaves again."""
_NOT_STARTED = ("queued", "scheduled", "restarting")
TRIES_KEPT_SINCE = (2, 10)
"""From this version on, try_number is the number of the try in every state, and earlier tries are kept."""
MAX_TEXT_BYTES = 16_384
_OLDEST, _AHEAD = timedelta(days=400), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells: `api` or `db`, the address that rows carry, Airflow's version (major, minor), and when it was asked."""

    source: str
    object_url: str
    version: tuple[int, int]
    at: datetime


def moment(value: Any) -> datetime | None:
    """A time as JSON or a driver gives it, in UTC; None when it is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def text(value: Any) -> str | None:
    """A text that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def number(value: Any) -> int | None:
    """A whole number that fits its column, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return int(value) if abs(value) < 2**31 else None


def is_open(raw: Mapping[str, Any]) -> bool:
    """Whether the task instance is still under way."""
    return raw.get("state") in OPEN_STATES


def try_row(raw: Mapping[str, Any], teller: Teller) -> Row | None:
    """One try; None for an instance that nothing happened to yet, and for one without its ids."""
    ids = {
        "dag_id": text(raw.get("dag_id")),
        "run_id": text(raw.get("dag_run_id")),
        "task_id": text(raw.get("task_id")),
    }
    state, try_number = text(raw.get("state")), number(raw.get("try_number"))
    is_history = bool(raw.get("is_history"))
    if state is None or try_number is None or None in ids.values():
        return None
    if is_history and try_number == 0:
        return None  # cleared before it ever started: the row that followed tells more
    if teller.version < TRIES_KEPT_SINCE and state in OPEN_STATES and state != "running":
        try_number += 1
    times = {name: _near(raw.get(key), teller.at) for name, key in _TRY_TIMES.items()}
    if state in _NOT_STARTED and not is_history:
        times |= {"started_at": None, "ended_at": None}  # left over from the try before
    map_index = number(raw.get("map_index"))
    anchor = times["started_at"] or times["queued_at"] or times["scheduled_at"]
    return {
        **ids, **times, "map_index": -1 if map_index is None else map_index, "try_number": try_number, "state": state,
        "max_tries": number(raw.get("max_tries")), "operator": text(raw.get("operator")), "pool": text(raw.get("pool")),
        "pool_slots": number(raw.get("pool_slots")), "queue": text(raw.get("queue")),
        "executor": text(raw.get("executor")), "priority_weight": number(raw.get("priority_weight")),
        "hostname": text(raw.get("hostname")), "anchor_at": anchor or _run_at(raw, teller.at) or teller.at,
        "source": teller.source, "is_history": 1 if is_history else None, "object_url": teller.object_url,
    }  # fmt: skip


_TRY_TIMES = {
    "scheduled_at": "scheduled_when",
    "queued_at": "queued_when",
    "started_at": "start_date",
    "ended_at": "end_date",
}


def _near(value: Any, at: datetime) -> datetime | None:
    """A time that can be true: at most 400 days ago, at most a day ahead."""
    found = moment(value)
    return found if found is not None and at - _OLDEST <= found <= at + _AHEAD else None


def _run_at(raw: Mapping[str, Any], at: datetime) -> datetime | None:
    """When the run was due: it does not change when the run is cleared, as its start does."""
    return _near(raw.get("run_after"), at) or _near(raw.get("logical_date") or raw.get("execution_date"), at)


def run_row(raw: Mapping[str, Any], teller: Teller) -> Row | None:
    """One DAG run. 2.x has no `run_after`: a scheduled run was due at the end of its data interval."""
    dag_id, run_id = text(raw.get("dag_id")), text(raw.get("dag_run_id"))
    if dag_id is None or run_id is None:
        return None
    run_type, logical_at = (
        text(raw.get("run_type")),
        moment(raw.get("logical_date") or raw.get("execution_date")),
    )
    run_after = moment(raw.get("run_after"))
    if run_after is None and run_type == "scheduled":
        run_after = moment(raw.get("data_interval_end"))
    queued_at, started_at = _near(raw.get("queued_at"), teller.at), _near(raw.get("start_date"), teller.at)
    # a run's start moves when the run is cleared; its due time does not, but a backfill was due long ago
    due = None if run_type == "backfill" else _near(run_after or logical_at, teller.at)
    return {
        "dag_id": dag_id, "run_id": run_id, "run_type": run_type, "state": text(raw.get("state")),
        "logical_date": logical_at, "run_after": run_after, "queued_at": queued_at, "started_at": started_at,
        "ended_at": _near(raw.get("end_date"), teller.at), "bundle_version": text(raw.get("bundle_version")),
        "anchor_at": due or queued_at or started_at or teller.at, "source": teller.source,
        "object_url": teller.object_url,
    }  # fmt: skip


def pool_row(raw: Mapping[str, Any], teller: Teller) -> Row | None:
    """One pool now. A pool of -1 slots has no limit: its open slots are unknown."""
    pool, slots = text(raw.get("name")), number(raw.get("slots"))
    if pool is None:
        return None
    names = ("open_slots", "running_slots", "queued_slots", "deferred_slots", "scheduled_slots")
    row: Row = {name: number(raw.get(name)) for name in names}
    if slots is not None and slots < 0:
        row["open_slots"] = None
    return row | {
        "sampled_at": teller.at, "pool": pool, "total_slots": slots, "source": teller.source,
        "object_url": teller.object_url,
    }  # fmt: skip


def import_error_row(raw: Mapping[str, Any], teller: Teller) -> Row | None:
    """One import error: Airflow keeps the newest time it was met. The message is the last line of the traceback."""
    file = text(raw.get("filename"))
    if file is None:
        return None
    stack = redact(text(raw.get("stack_trace")) or "")
    message = cut(stack)
    last = next((line.strip() for line in reversed(stack.split("\n")) if line.strip()), "")
    kind, separator, rest = last.partition(":")
    named = separator and kind.replace(".", "").replace("_", "").isalnum()
    signature = error_signature(kind, rest.strip()) if named else error_signature(None, last)
    return {
        "seen_at": _near(raw.get("timestamp"), teller.at) or teller.at, "dag_file": file,
        "bundle_name": text(raw.get("bundle_name")), "message": message, "error_signature": signature,
        "source": teller.source, "object_url": teller.object_url,
    }  # fmt: skip


def parse_rows(dags: Iterable[Mapping[str, Any]], teller: Teller) -> list[Row]:
    """The last parse of each DAG file (3.x): all DAGs of a file carry the same duration."""
    files: dict[tuple[str, str, datetime], Row] = {}
    for raw in dags:
        file, parsed_at = (
            text(raw.get("relative_fileloc")) or text(raw.get("fileloc")),
            moment(raw.get("last_parsed_time")),
        )
        parse_s = raw.get("last_parse_duration")
        if (
            file is None
            or parsed_at is None
            or not isinstance(parse_s, int | float)
            or isinstance(parse_s, bool)
        ):
            continue
        bundle = text(raw.get("bundle_name"))
        # DAGs of one file are stored milliseconds apart
        key = (bundle or "", file, parsed_at.replace(microsecond=0))
        row = files.setdefault(
            key,
            {
                "parsed_at": parsed_at, "dag_file": file, "bundle_name": bundle, "parse_s": float(parse_s),
                "bundle_version": text(raw.get("bundle_version")), "dag_count": 0, "error_count": None,
                "source": "api", "object_url": teller.object_url,
            },
        )  # fmt: skip
        row["dag_count"] += 1
        row["parsed_at"] = min(row["parsed_at"], parsed_at)
    return [files[key] for key in sorted(files)]


def cut(value: str) -> str:
    """At most 16 KB of UTF-8, with a mark where it was cut."""
    data = value.encode("utf-8", "replace")
    return (
        value if len(data) <= MAX_TEXT_BYTES else data[: MAX_TEXT_BYTES - 4].decode("utf-8", "ignore") + "…"
    )
