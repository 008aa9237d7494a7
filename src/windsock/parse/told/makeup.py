"""What a DAG is made of → one row a task, and one fact of the DAG. From the REST API (`/dags/{id}/details`, `/dags/{id}/tasks`)
or from the serialised form in the metadata database.

Ids, names, numbers and dates alone are kept: arguments, parameters and texts of a DAG may hold anything. Field names are those
of API v2 (`datamodels/tasks.py`, `dags.py` of 3.3.2; `task_schema.py`, `dag_schema.py` of 2.11.2). No API tells a task's
`max_active_tis_per_dag`; the serialised form does, and leaves out what has its default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from windsock.model import Row
from windsock.parse.told.facts import fact
from windsock.parse.told.rows import Teller, moment, number, text

MAX_NAMES = 2000
"""Tasks after one task that are kept: a wider fan-out decides nothing that the first of them would not."""
MAX_SCHEDULE = 60
_ISO_SPAN = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?\Z")
_FIXED = {
    "trigger_rule": "all_success", "depends_on_past": False, "wait_for_downstream": False, "pool": "default_pool",
    "pool_slots": 1, "priority_weight": 1,
}  # fmt: skip
"""What the serialised form leaves out; `retries` and the rest follow Airflow's configuration, and stay unknown."""


@dataclass(frozen=True, slots=True)
class Makeup:
    """One DAG as it was read: rows of `dag_tasks`, and the DAG's own fact."""

    dag_id: str
    tasks: list[Row]
    fact: Row
    first_at: datetime | None
    """Its start_date."""


def makeup_of_answers(
    dag_id: str, details: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]], teller: Teller
) -> Makeup:
    """By the API's two answers about one DAG."""
    timeout = details.get("dag_run_timeout")
    told = {
        "start_date": details.get("start_date"), "end_date": details.get("end_date"), "catchup": details.get("catchup"),
        "dagrun_timeout": timeout, "schedule": _schedule_told(details),
    }  # fmt: skip
    return _makeup(dag_id, told, tasks, teller)


class _Dag(msgspec.Struct):
    tasks: list[dict[str, Any]]
    start_date: Any = None
    end_date: Any = None
    catchup: Any = None
    dagrun_timeout: Any = None
    timetable: Any = None
    schedule_interval: Any = None


class _Defaults(msgspec.Struct):
    tasks: dict[str, Any] = msgspec.field(default_factory=dict)


class _Form(msgspec.Struct):
    dag: _Dag
    client_defaults: _Defaults = msgspec.field(default_factory=_Defaults)


_read = msgspec.json.Decoder(_Form).decode


def makeup_of_form(dag_id: str, serialized: bytes | str, teller: Teller) -> Makeup | None:
    """By the serialised form; None where it is not one."""
    try:
        form = _read(serialized)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    dag = form.dag
    told = {
        "start_date": dag.start_date, "end_date": dag.end_date, "catchup": dag.catchup,
        "dagrun_timeout": dag.dagrun_timeout, "schedule": _schedule_of(dag),
    }  # fmt: skip
    return _makeup(dag_id, told, [_task(one, form.client_defaults.tasks) for one in dag.tasks], teller)


def _task(raw: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A task's own values over those of all its copies (mapped), over the client's, over Airflow's."""
    inner = raw.get("__var")
    mine: Mapping[str, Any] = inner if isinstance(inner, dict) else raw
    partial = mine.get("partial_kwargs")
    whole = {**_FIXED, **defaults, **(partial if isinstance(partial, dict) else {}), **mine}
    names = (whole.get(name) for name in ("_operator_name", "task_type", "_task_type"))
    whole["operator_name"] = next((name for name in names if text(name)), None)
    whole["is_mapped"] = mine.get("_is_mapped") is True
    return whole


def _makeup(
    dag_id: str, told: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]], teller: Teller
) -> Makeup:
    first_at, last_at = instant(told["start_date"]), instant(told["end_date"])
    rows = [row for one in tasks if (row := _row(dag_id, one, teller)) is not None]
    for row in rows:  # the serialised form leaves them out where they are the DAG's
        row["start_date"], row["end_date"] = row["start_date"] or first_at, row["end_date"] or last_at
    value = {
        "start_date": first_at.isoformat() if first_at else None,
        "end_date": last_at.isoformat() if last_at else None,
        "catchup": told["catchup"] if isinstance(told["catchup"], bool) else None,
        "dagrun_timeout_s": seconds(told["dagrun_timeout"]),
        "schedule": told["schedule"],
        "tasks": len(rows),
    }
    return Makeup(dag_id, rows, fact(f"dag_detail.{dag_id}", value, teller), first_at)


def _row(dag_id: str, raw: Mapping[str, Any], teller: Teller) -> Row | None:
    if (task_id := text(raw.get("task_id"))) is None:
        return None
    return {
        "seen_at": teller.at, "dag_id": dag_id, "task_id": task_id, "operator": text(raw.get("operator_name")),
        "start_date": instant(raw.get("start_date")), "end_date": instant(raw.get("end_date")),
        "trigger_rule": text(raw.get("trigger_rule")), "depends_on_past": _flag(raw.get("depends_on_past")),
        "wait_for_downstream": _flag(raw.get("wait_for_downstream")), "is_mapped": _flag(raw.get("is_mapped")),
        "retries": number(raw.get("retries")), "retry_delay_s": seconds(raw.get("retry_delay")),
        "execution_timeout_s": seconds(raw.get("execution_timeout")), "pool": text(raw.get("pool")),
        "pool_slots": number(raw.get("pool_slots")), "queue": text(raw.get("queue")),
        "priority_weight": number(raw.get("priority_weight")),
        "max_active_tis_per_dag": number(raw.get("max_active_tis_per_dag")),
        "max_active_tis_per_dagrun": number(raw.get("max_active_tis_per_dagrun")),
        "downstream_task_ids": _names(raw.get("downstream_task_ids")), "source": teller.source,
        "object_url": teller.object_url,
    }  # fmt: skip


def _flag(value: Any) -> int | None:
    return int(value) if isinstance(value, bool) else None


def _names(value: Any) -> list[str]:
    """A list, or a set as it is serialised."""
    value = value.get("__var") if isinstance(value, dict) else value
    names = {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()
    return sorted(names)[:MAX_NAMES]


def instant(value: Any) -> datetime | None:
    """A time as an API or a serialised form gives it: ISO text, or seconds since 1970, bare or in its wrapping."""
    value = value.get("__var") if isinstance(value, dict) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return moment(value)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def seconds(value: Any) -> float | None:
    """A duration: API v1 and v2's parts, an ISO text, or seconds, bare or in their wrapping."""
    if isinstance(value, dict):
        if "__var" in value:
            return seconds(value["__var"])
        parts = [value.get(name, 0) for name in ("days", "seconds", "microseconds")]
        if not all(isinstance(one, int) and not isinstance(one, bool) for one in parts):
            return None
        try:
            return timedelta(days=parts[0], seconds=parts[1], microseconds=parts[2]).total_seconds()
        except OverflowError:
            return None
    if isinstance(value, str):
        if (found := _ISO_SPAN.match(value)) is None:
            return None
        days, hours, minutes, rest = (float(one or 0) for one in found.groups()[1:])
        return (days * 86_400 + hours * 3600 + minutes * 60 + rest) * (-1 if found[1] else 1)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return float(value)


def _schedule_told(details: Mapping[str, Any]) -> str | None:
    """v2 sums it up in one text; v1 tells a cron text or a span. Empty: no schedule. None: not told."""
    if "timetable_summary" in details:
        return (text(details["timetable_summary"]) or "")[:MAX_SCHEDULE]
    if "schedule_interval" in details:
        told = details["schedule_interval"]
        if isinstance(told, dict):
            cron = text(told.get("value"))
            return cron[:MAX_SCHEDULE] if cron else f"every {seconds(told) or 0:.0f} s"
        return ""
    return None


def _schedule_of(dag: _Dag) -> str | None:
    if isinstance(dag.timetable, dict):
        kind = (text(dag.timetable.get("__type")) or "").rpartition(".")[2]
        inner = dag.timetable.get("__var")
        cron = text(inner.get("expression")) if isinstance(inner, dict) else None
        return (cron or ("" if kind == "NullTimetable" else kind))[:MAX_SCHEDULE]
    if isinstance(dag.schedule_interval, str):
        return dag.schedule_interval[:MAX_SCHEDULE]
    return "" if dag.schedule_interval is None else f"every {seconds(dag.schedule_interval) or 0:.0f} s"
