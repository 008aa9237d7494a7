"""What real Airflows keep of DAGs that tell of failures in each way there is (`tests/data/serialized_dags`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.postgres import Postgres

FOLDER = Path(__file__).parents[1] / "data" / "serialized_dags"
NONE = {"dag_callback": False, "callback_tasks": 0, "mailed_tasks": 0, "told_tasks": 0, "failure_tasks": 0,
        "sla_tasks": 0}  # fmt: skip
TRUTH: dict[str, dict[str, Any]] = {
    "silent": {"tasks": 3},
    "empty": {"tasks": 0},
    "dag_callback": {"tasks": 1, "dag_callback": True},
    "some_tasks": {"tasks": 5, "callback_tasks": 3, "told_tasks": 3},
    "default_args": {"tasks": 2, "callback_tasks": 2, "told_tasks": 2},
    "mailed": {"tasks": 5, "callback_tasks": 1, "mailed_tasks": 2, "told_tasks": 3},
    "mail_off": {"tasks": 1},
    "no_address": {"tasks": 1},
    "watched": {"tasks": 4, "failure_tasks": 2},
    "shaped": {"tasks": 3},
}
"""By the DAG file itself, `told.py`: what differs from `NONE`."""
OF_MAJOR: dict[int, dict[str, dict[str, Any]]] = {
    2: {"sla": {"tasks": 2, "sla_tasks": 1}},
    3: {"deadline": {"tasks": 1, "deadline": True}},
}


def truth(major: int) -> dict[str, dict[str, Any]]:
    """What windsock should know of each DAG."""
    none = NONE | {"deadline": None if major == 2 else False}
    return {dag_id: none | told for dag_id, told in (TRUTH | OF_MAJOR[major]).items()}


def rows(major: int, *, packed: bool) -> list[dict[str, Any]]:
    """As a driver gives them: JSON as text, or bytes."""
    path = FOLDER / f"airflow{major}{'-packed' if packed else ''}.jsonl"
    return [_row(json.loads(line)) for line in path.read_text().splitlines()]


def _row(told: dict[str, Any]) -> dict[str, Any]:
    packed = bytes.fromhex(told["data_compressed"]) if "data_compressed" in told else None
    # JSON's null, by both models' own types on PostgreSQL, and as a real Airflow's database has it
    data = "null" if packed else json.dumps(told["data"], sort_keys=True)
    return {
        "dag_id": told["dag_id"],
        "size": len(packed or data or ""),
        "data": data,
        "data_compressed": packed,
    }


def insert(
    pg: Postgres, database: str, major: int, row: dict[str, Any], at: str = "2026-11-23 15:00Z"
) -> None:
    """One row of `serialized_dag`."""
    packed = "null" if row["data_compressed"] is None else f"'\\x{row['data_compressed'].hex()}'"
    data = "null" if row["data"] is None else "$DAG$" + row["data"] + "$DAG$"
    columns, values = ("fileloc, fileloc_hash", "'told.py', 1") if major == 2 else (
        "id, created_at, dag_version_id", f"gen_random_uuid(), '{at}', gen_random_uuid()"
    )  # fmt: skip
    pg.sql(
        database,
        f"insert into serialized_dag (dag_id, data, data_compressed, last_updated, dag_hash, {columns}) "
        f"values ('{row['dag_id']}', {data}, {packed}, '{at}', '', {values})",
    )
