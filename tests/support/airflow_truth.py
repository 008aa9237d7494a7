"""What a recording's database rows say of every try, read without windsock: the truth that API and database must equal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.support.airflow_server import DATA, read_csv

OPEN = {"running", "queued", "scheduled", "deferred", "up_for_reschedule", "restarting"}
TryKey = tuple[str, str, str, int, int]


def truth(major: int, folder: Path = DATA) -> dict[TryKey, dict[str, object]]:
    """State, times, pool and sizes per try. The instance's row speaks before its history row of the same try."""
    rows = folder / "db" / f"airflow{major}"
    found: dict[TryKey, dict[str, object]] = {}
    for name in ("task_instance", "task_instance_history"):
        for row in read_csv(rows / f"{name}.csv"):
            try_number = int(row["try_number"])
            if not row["state"] or (name.endswith("history") and try_number == 0):
                continue
            key = (row["dag_id"], row["run_id"], row["task_id"], int(row["map_index"]), try_number)
            waits = row["state"] in ("scheduled", "queued", "restarting") and name == "task_instance"
            told: dict[str, object] = {
                "state": row["state"],
                "max_tries": int(row["max_tries"]),
                "operator": row["operator"],
                "pool": row["pool"],
                "pool_slots": int(row["pool_slots"]),
                "queue": row["queue"],
                "hostname": row["hostname"] or None,
                "priority_weight": int(row["priority_weight"]),
                "queued_at": at(row["queued_dttm"]),
                "scheduled_at": at(row.get("scheduled_dttm", "")),
                "started_at": None if waits else at(row["start_date"]),
                "ended_at": None if waits else at(row["end_date"]),
            }
            found.setdefault(key, told)
    return found


def at(value: str) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if value else None
